"""Slacks that others wrote, installed into `.doubles` at the first run; a test skips with a clear word where that cannot be."""

from __future__ import annotations

import fcntl
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
    if found.exists():
        return found
    if shutil.which("npm") is None:
        pytest.skip(f"npm is absent: {packages[0]} cannot be installed")
    MODULES.parent.mkdir(exist_ok=True)
    with (MODULES.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in several processes, and npm minds nobody else
        command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(MODULES.parent), *packages]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if not found.exists():
        pytest.skip(f"npm could not install {packages[0]}: {done.stderr.strip()[-200:]}")
    return found
