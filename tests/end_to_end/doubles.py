"""Slacks that others wrote, installed into `.doubles` at the first run; a test skips with a clear word where that cannot be."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = ROOT / ".doubles" / "node_modules"


def installed(path: str, *packages: str) -> Path:
    """A file of those npm packages."""
    found = MODULES / path
    if sys.platform != "linux" or platform.machine() != "x86_64":
        pytest.skip(f"{packages[0]} is installed for Linux on x86-64 only")
    if not found.exists():
        if shutil.which("npm") is None:
            pytest.skip(f"npm is absent: {packages[0]} cannot be installed")
        command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(ROOT / ".doubles"), *packages]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        if not found.exists():
            pytest.skip(f"npm could not install {packages[0]}: {done.stderr.strip()[-200:]}")
    return found
