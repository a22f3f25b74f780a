"""Polls recorded feeds of real regulators through the real command line, round after round, and prints figures.

    python -m tests.benchmarks.bench_recorded [../shared/recorded] [--rounds 3] [--only us-ag-mn,cn-cac]

The recordings are served on loopback: the first round serves each source's first snapshot, the next rounds
the following ones. One channel follows everything, so that each alert that would go out is counted; the
first round must owe none. `--keep FILE` keeps the database.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.end_to_end.loopback import Item, Loopback, rss, write_catalogue

ROOT = Path(__file__).resolve().parents[2]
REGULATORS = {
    "us-sec": "us-sec",
    "us-ag-mn": "us-ag-mn",
    "hkma": "hk-hkma",
    "uk-cma": "gb-cma",
    "cn-amr-beijing": "cn-samr",
    "cn-cac": "cn-cac",
    "cn-cac-jiangsu": "cn-cac",
    "cn-cnipa": "cn-cnipa",
    "cn-csrc": "cn-csrc",
    "cn-miit": "cn-miit",
    "cn-mofcom": "cn-mofcom",
    "cn-mps-cyber": "cn-mps",
}
"""Corpora and whose they are. One whose regulator is not in the catalogue is served as press."""

CHECKPOINTS = 6
"""So many polls are drawn from a log."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """A source: what it served, oldest first."""

    name: str
    language: str
    snapshots: tuple[bytes, ...]


def corpora(recorded: Path) -> Iterator[Corpus]:
    """The recordings that this benchmark uses."""
    for name in REGULATORS:
        folder = recorded / name
        if name == "hkma":
            yield Corpus(name, "en", tuple(_hkma(recorded / "multi-regulator-hourly" / "polls_2025-08-10_2025-09-30.jsonl")))
        elif name == "uk-cma":
            yield Corpus(name, "en", tuple(_cma(folder / "uk-cma_daily_2026-05-14_2026-07-10.jsonl")))
        else:
            yield Corpus(
                name, "zh-Hans" if name.startswith("cn-") else "en", tuple(path.read_bytes() for path in sorted(folder.glob("*.xml")))
            )


def _hkma(log: Path) -> Iterator[bytes]:
    """The log holds several regulators' entries; HKMA's are taken, at checkpoints spread over the log."""
    shown: dict[str, dict[str, str]] = {}
    states = []
    for line in log.read_text(encoding="utf-8").splitlines():
        poll = json.loads(line)
        entries = [*(poll.get("baseline") or []), *poll.get("added", [])]
        shown |= {entry["link"]: dict(entry) for entry in entries if entry["source"].startswith("HKMA")}
        for change in poll.get("changed", []):
            if change["link"] in shown:
                shown[change["link"]][change["field"]] = change["new"]
        for link in poll.get("removed", []):
            shown.pop(link, None)
        if shown:
            states.append([dict(entry) for entry in shown.values()])
    for state in _spread(states):
        yield rss(
            "HKMA",
            [Item(e["link"], e["title"], e.get("summary", ""), _time(e["publishedAt"]), e["link"]) for e in state],
            "http://hkma.test",
        )


def _cma(log: Path) -> Iterator[bytes]:
    """The log holds, by address, the days on which it was seen and its versions; each checkpoint is a day."""
    rows = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    for day in _spread(sorted({day for row in rows for day in row["seen"]})):
        items = []
        for row in rows:
            if day in row["seen"]:
                version = [version for version in row["versions"] if version["from_day"] <= day][-1]
                items.append(Item(row["url"], version["title"], version["summary_excerpt"], _time(version["source_date"]), row["url"]))
        yield rss("CMA", items, "http://cma.test")


def _spread(states: list[Any]) -> Iterable[Any]:
    """First, last and evenly between."""
    return [states[round(step * (len(states) - 1) / (CHECKPOINTS - 1))] for step in range(CHECKPOINTS)]


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def bot(environment: dict[str, str], *arguments: str) -> dict[str, Any]:
    """A command's JSON; exit 1 is allowed, as it reports sources that could not be read."""
    done = subprocess.run([sys.executable, "-m", "bot", *arguments, "--json"], env=environment, capture_output=True, text=True, check=False)
    if done.returncode > 1 or not done.stdout:
        raise SystemExit(f"{' '.join(arguments)}: exit {done.returncode}\n{done.stderr[-4000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def run(recorded: Path, rounds: int, only: frozenset[str], keep: str) -> int:
    """All rounds; 1 when the first one owed an alert."""
    known = {line.partition(",")[0] for line in (ROOT / "bot" / "feeds" / "regulators.csv").read_text(encoding="utf-8").splitlines()}
    chosen = [corpus for corpus in corpora(recorded) if corpus.snapshots and (not only or corpus.name in only)]
    with tempfile.TemporaryDirectory(prefix="regwatch-bench-") as folder, Loopback() as web:
        rows = []
        for corpus in chosen:
            owner = REGULATORS[corpus.name]
            row = {"source_id": f"rec-{corpus.name}", "url": f"{web.url}/{corpus.name}.xml", "language": corpus.language}
            rows.append(row | ({"regulator_id": owner} if owner in known else {"tier": "secondary", "content": corpus.name}))
        write_catalogue(Path(folder, "sources.csv"), rows)
        database = Path(folder, "bench.sqlite")
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("REGWATCH_", "SLACK_"))},
            "PYTHONPATH": str(ROOT),
            "REGWATCH_DATABASE_URL": f"sqlite:///{database}",
            "REGWATCH_SOURCES": str(Path(folder, "sources.csv")),
            "REGWATCH_FETCH_ALLOW": web.host,
            "REGWATCH_HOST_GAP_SECONDS": "0",
            "REGWATCH_REQUESTS_PER_MINUTE": "6000",
        }
        bot(environment, "ask", "subscribe all")
        first_owed = 0
        columns = ("round", "sources", "good", "entries", "new", "changed", "actions", "owed", "waived", "seconds")
        print(" ".join(f"{column:>7}" for column in columns))
        for number in range(rounds):
            for corpus in chosen:
                web.pages[f"/{corpus.name}.xml"] = corpus.snapshots[min(number, len(corpus.snapshots) - 1)]
            started = time.monotonic()
            found = bot(environment, "poll")
            seconds = time.monotonic() - started
            if number == 0:
                first_owed = found["owed"]
            good = sum(source["health"] == "ok" for source in found["sources"])
            sums = [found[name] for name in columns[3:-1]]
            print(" ".join(f"{value:>7}" for value in (number + 1, len(found["sources"]), good, *sums, f"{seconds:.2f}")))
            for source in found["sources"]:
                if source["health"] != "ok":
                    print(f"      {source['source']}: {source['health']} {source['detail']}")
        _print_totals(database)
        if keep:
            shutil.copy(database, keep)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = peak.ru_utime + peak.ru_stime
    print(f"peak memory of one process {peak.ru_maxrss / 1024:.0f} MB, CPU of all {cpu:.1f} s, requests {web.requests}")
    print("first round owed no alert" if not first_owed else f"FIRST ROUND OWED {first_owed} ALERTS")
    return int(first_owed > 0)


def _print_totals(database: Path) -> None:
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        for table in ("document", "action", "mention", "evidence", "poll"):
            print(f"{table:>10} {connection.execute(f'select count(*) from {table}').fetchone()[0]:>6}")
        for state, reason, count in connection.execute("select state, reason, count(*) from delivery group by 1, 2 order by 3 desc"):
            print(f"  delivery {state} {reason!r} {count}")
        for kind, count in connection.execute("select kind, count(*) from action group by 1 order by 2 desc limit 8"):
            print(f"    action {kind} {count}")
    connection.close()


def main() -> None:
    """Reads the arguments and runs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recorded", nargs="?", type=Path, default=ROOT.parent / "shared" / "recorded")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--only", default="")
    parser.add_argument("--keep", default="")
    arguments = parser.parse_args()
    if not arguments.recorded.is_dir():
        raise SystemExit(f"{arguments.recorded} is not here: recorded material")
    raise SystemExit(run(arguments.recorded, arguments.rounds, frozenset(filter(None, arguments.only.split(","))), arguments.keep))


if __name__ == "__main__":
    main()
