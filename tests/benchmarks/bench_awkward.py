"""Reads the test feeds of other parsers, each in a process of its own, and prints what came of them.

    python -m tests.benchmarks.bench_awkward [../shared/awkward] [--wrong]

For each file: no crash, no hang, at most 64 MB above the idle process and one CPU second, and at least the entries
that feedparser alone finds. The manifest's count is compared too; each file that differs is listed with `--wrong`.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import resource
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import feedparser

from bot.feeds import Failed, Fetched
from bot.feeds.pages import entries_here

MOST_MB, MOST_SECONDS, HANG_SECONDS = 64.0, 1.0, 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """What reading one file came to."""

    file: str
    entries: int  # of ours; -1: the process died
    alone: int  # of feedparser's
    listed: int | None  # the manifest's
    health: str  # empty: a feed
    seconds: float  # CPU
    megabytes: float  # above the idle process

    @property
    def is_passed(self) -> bool:
        """Whether the file was read within its limits, with no entry lost."""
        return self.entries >= self.alone and self.seconds <= MOST_SECONDS and self.megabytes <= MOST_MB


def outcomes(folder: Path) -> Iterator[Outcome]:
    """One outcome a file of the manifest."""
    with (folder / "MANIFEST.csv").open(encoding="utf-8", newline="") as manifest:
        for row in csv.DictReader(manifest):
            body = (folder / row["file"]).read_bytes()
            told = _in_fork(body)
            listed = int(row["entries"]) if row["entries"].isdigit() else None
            yield Outcome(row["file"], told["entries"], told["alone"], listed, told["health"], told["seconds"], told["megabytes"])


def _in_fork(body: bytes) -> dict[str, object] | dict[str, int]:
    read, write = os.pipe()
    child = os.fork()
    if not child:
        signal.alarm(HANG_SECONDS)
        os.close(read)
        os.write(write, json.dumps(_read(body)).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return json.loads(text) if text else {"entries": -1, "alone": 0, "health": "died", "seconds": HANG_SECONDS, "megabytes": 0.0}


def _read(body: bytes) -> dict[str, object]:
    idle = _resident()
    before = resource.getrusage(resource.RUSAGE_SELF)
    found = entries_here(Fetched("http://feeds.test/feed", 200, body, "", None, None, None, 0.0), None)
    after = resource.getrusage(resource.RUSAGE_SELF)
    peak = max(after.ru_maxrss / 1024 - idle, 0.0)
    alone = len(feedparser.parse(io.BytesIO(body), sanitize_html=False, resolve_relative_uris=False).entries)
    return {
        "entries": 0 if isinstance(found, Failed) else len(found.entries),
        "alone": alone,
        "health": found.health.value if isinstance(found, Failed) else "",
        "seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "megabytes": peak,
    }


def _resident() -> float:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize() / 2**20


def main() -> None:
    """Prints the figures; 1 when a file was not passed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).resolve().parents[3] / "shared" / "awkward")
    parser.add_argument("--wrong", action="store_true", help="list the files whose count is not the manifest's")
    given = parser.parse_args()
    if not given.folder.is_dir():
        raise SystemExit(f"{given.folder} is not here: the test feeds of other parsers")
    found = list(outcomes(given.folder))
    failed = [one for one in found if not one.is_passed]
    print(f"{len(found)} files: {len(found) - len(failed)} passed, {len(failed)} failed")
    print(f"entries          {sum(max(one.entries, 0) for one in found)} of ours, {sum(one.alone for one in found)} of feedparser alone")
    slowest, largest = max(found, key=lambda one: one.seconds), max(found, key=lambda one: one.megabytes)
    print(f"slowest          {slowest.seconds:.2f} s CPU, {slowest.file}")
    print(f"most memory      {largest.megabytes:.1f} MB above idle, {largest.file}")
    print(f"no feed          {dict(Counter(one.health for one in found if one.health))}")
    differ = [one for one in found if one.listed is not None and one.entries != one.listed]
    print(f"manifest's count {len(found) - len(differ)} the same, {len(differ)} otherwise")
    for one in failed:
        print(f"  FAILED {one}")
    for one in differ if given.wrong else ():
        print(f"  {one.file}: {one.entries} of ours, {one.listed} listed, {one.alone} of feedparser alone; {one.health}")
    raise SystemExit(int(bool(failed)))


if __name__ == "__main__":
    sys.exit(main())
