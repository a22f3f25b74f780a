"""The run: the real process in a town whose weather is bad, killed again and again, until all is calm and everything is counted.

The clock of all processes runs some times as fast as the machine's, so that a lease of two minutes ends after some seconds. Hours
pass at once, but only while no process lives: a message on its way would in truth have arrived long before. Days are those on which
clocks change.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from signal import SIGKILL, SIGTERM
from time import monotonic

from bot.poll import LEASE
from storage import Store
from tests.chaos.count import Count, ask, count, moment
from tests.chaos.nursery import Born, Nursery
from tests.chaos.process import Clock
from tests.chaos.town import OPERATIONS, PLACES, Town
from tests.chaos.weather import Aim, SlackWeather, WebWeather, is_edit, is_of_thread, is_post
from tests.fakes.slack import TEAM, TOKEN, SlackStub
from tests.fakes.web import FakeWeb

_log = logging.getLogger("chaos")

ROOT = Path(__file__).resolve().parent.parent.parent
RATES = {1: 30.0, 3: 12.0}
"""How much faster than the machine's the clock runs, by the number of processes. A lease must outlast a process that the machine
keeps waiting, or another would take over what is under way; one process alone has nobody to take it over."""
EDGES = (
    datetime(2021, 3, 14, 7, tzinfo=UTC),  # New York springs forward
    datetime(2021, 4, 3, 15, tzinfo=UTC),  # Lord Howe falls back, by half an hour
    datetime(2021, 3, 28, 1, tzinfo=UTC),  # London springs forward
    datetime(2021, 10, 2, 15, 30, tzinfo=UTC),  # Lord Howe springs forward
    datetime(2021, 10, 31, 1, tzinfo=UTC),  # London falls back
    datetime(2021, 11, 7, 6, tzinfo=UTC),  # New York falls back
)
"""When clocks change, one of each kind first."""
BEHIND = timedelta(seconds=15)
"""By so much the clock of each host is behind that of the one before it."""
BEFORE, AFTER = timedelta(hours=28), timedelta(hours=20)
DRAINED_WITHIN = 60
"""Times that the clock may be moved on until nothing is owed any more."""
AIMS = ("start", "any", "taken", "taken", "arrived", "news", "news", "thread", "edit")
DELIVERY_LEASE = timedelta(minutes=2)
READ_SCOPES = frozenset({"channels:history", "groups:history", "im:history"})


class StormError(AssertionError):
    """The run itself failed: a process that does not start or end, or a drain without an end."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is to be."""

    url: str
    folder: Path
    kills: int
    seed: int
    replicas: int = 1
    edges: int = len(EDGES)
    aims: tuple[str, ...] = AIMS
    has_history: bool = True
    breaks: str = ""  # one of process.BREAKS
    patience: float = 3.0  # seconds for which a kill lies in wait
    minutes: float = 24 * 60.0  # of real time, after which nobody is killed any more


@dataclass(slots=True)
class Replica:
    """One process, again and again."""

    name: str
    log: Path
    process: Born | None = None
    starts: int = 0
    begins: int = 0  # where the log of this process begins

    @property
    def token(self) -> str:
        """Its own, so that Slack can tell whose call it was."""
        return f"xoxb-{self.name}"

    @property
    def end_of_log(self) -> str:
        """What it said last."""
        return self.log.read_text()[-4000:]


class Storm:
    """One run. `run` gives the count."""

    def __init__(self, plan: Plan, slack: SlackStub, web: FakeWeb, clock: Clock, nursery: Nursery) -> None:
        self.plan, self.slack, self.web, self.clock, self.nursery = plan, slack, web, clock, nursery
        self.random = Random(plan.seed)
        self.town = Town(web, self.random)
        self.sky = SlackWeather(Random(plan.seed + 1))
        self.ground = WebWeather(Random(plan.seed + 2))
        self.slack.mishap, self.web.mishap = self.sky, self.ground
        self.replicas = [Replica(f"r{number}", plan.folder / f"r{number}.log") for number in range(1, plan.replicas + 1)]
        self.kills: Counter[str] = Counter()
        self.found_leased: Counter[str] = Counter()
        self.stops: list[float] = []
        self.rate = RATES[plan.replicas]
        self._until = monotonic() + 60 * plan.minutes
        self._lived_since = clock()  # no process that lives is older

    async def run(self) -> Count:
        """From the first poll to the count."""
        began = monotonic()
        since = await self._found()
        edges = sorted(EDGES[: self.plan.edges])
        shares = [self.plan.kills * (at + 1) // len(edges) - self.plan.kills * at // len(edges) for at in range(len(edges))]
        for edge, share in zip(edges, shares, strict=True):
            if monotonic() > self._until:
                break
            await self._stop_all()
            self._move(max(edge - BEFORE, self.clock()))
            await self._start_all()
            await self._days(edge + AFTER, share)
            await self._drain()
            _log.info("edge=%s kills=%d acts=%d seconds=%d", edge.date(), self._killed, len(self.town.acts), monotonic() - began)
        for _ in range(2):  # what only a digest tells is told by the next one, and what moved since by that after it
            await self._stop_all()
            now = self.clock()
            next_ones = [min(place.digests(now, now + timedelta(days=5)).values(), default=now) for place in PLACES]
            self._move(max(next_ones) + timedelta(seconds=30))
            await self._start_all()
            await self._drain()
        await self._stop_all()
        found = await asyncio.to_thread(count, self.town, self.slack, self.plan.url, since, self.clock())
        return self._told(found, monotonic() - began)

    # --- from the first poll on ---

    async def _found(self) -> datetime:
        """A database with channels that follow, and sources that were read once: nothing that comes later is history."""
        catalogue = self.plan.folder / "sources.csv"
        self.town.write(catalogue)
        Store.migrate(self.plan.url)
        store = Store(self.plan.url, now=self.clock)
        await self.town.furnish(store, self.slack, catalogue)
        await store.close()
        for replica in self.replicas:
            self.slack.tokens[replica.token] = TEAM
        if not self.plan.has_history:
            self.slack.scopes -= READ_SCOPES
        since = self.clock()
        self._move(since + timedelta(minutes=10))
        self._lived_since = self.clock()
        await self._start(self.replicas[0])
        async with asyncio.timeout(240):
            while await self._number("select count(*) from source where is_enabled and seeded_at is null"):
                await self._look_at_processes()
                await asyncio.sleep(0.1)
        return since

    async def _days(self, until: datetime, kills: int) -> None:
        """The days around a change of the clocks, with so many kills."""
        self._weather(is_calm=False)
        left = kills
        jumps = max(3, kills // (5 * self.plan.replicas))
        while left > 0 and monotonic() < self._until:
            self._news()
            if jumps and kills > 2 * jumps and jumps * (kills // (jumps + 1)) >= left:
                left -= await self._power_cut(until, jumps, left)
                jumps -= 1
                continue
            await self._kill()
            left -= 1
        while jumps > 0:  # few kills, and days that must pass all the same
            await self._stop_all()
            self._pass(until, jumps)
            jumps -= 1
            await self._start_all()
            self._news()
            await asyncio.sleep(1)
        self._weather(is_calm=True)

    def _news(self) -> None:
        self.town.tell(self.random.choice((1, 1, 1, 2, 3, 7)), self.clock())
        if self.random.random() < 0.4:
            self.town.correct(self.clock())

    def _weather(self, *, is_calm: bool) -> None:
        self.sky.is_calm = self.ground.is_calm = is_calm

    # --- kills ---

    async def _kill(self) -> None:
        """Kill one process at a moment of some kind, and start it again at once."""
        name = self.random.choice(self.plan.aims)
        if name != "start":
            await self._are_up(1)
        replica = await (self._at_any_moment() if name in ("any", "start") else self._at_news() if name == "news" else self._at_call(name))
        await self._end(replica, name)
        if self.plan.replicas == 1 and self.random.random() < 0.7:
            self._move(self.clock() + timedelta(minutes=self.random.uniform(1, 25)))
        await self._start(replica)

    async def _power_cut(self, until: datetime, jumps: int, most: int) -> int:
        """Kill all at once; hours pass. Returns how many kills that were."""
        await asyncio.sleep(self.random.uniform(0.2, 1.0))
        killed = 0
        for replica in self.replicas:
            if killed < most:
                await self._end(replica, "power cut")
                killed += 1
        await self._stop_all()
        self._pass(until, jumps)
        await self._start_all()
        return killed

    async def _at_any_moment(self) -> Replica:
        await asyncio.sleep(self.random.uniform(0.1, 2.0 if self.plan.replicas == 1 else 0.8))
        return self.random.choice(self.replicas)

    async def _at_news(self) -> Replica:
        """Soon after a feed said something new: it is being parsed, read, written down."""
        served = asyncio.Event()
        self.ground.on_news = served.set
        try:
            async with asyncio.timeout(self.plan.patience):
                await served.wait()
        except TimeoutError:
            self.kills["(in vain)"] += 1
        self.ground.on_news = lambda: None
        await asyncio.sleep(self.random.uniform(0, 0.4))
        return self.random.choice(self.replicas)

    async def _at_call(self, name: str) -> Replica:
        """When a call to Slack comes."""
        matches = {"thread": is_of_thread, "edit": is_edit}.get(name, is_post)
        aim = Aim(name, matches, name != "arrived" and self.random.random() < 0.8, asyncio.get_running_loop().create_future())
        self.sky.aim = aim
        try:
            async with asyncio.timeout(self.plan.patience):
                token = await aim.hit
        except TimeoutError:
            self.sky.aim = None
            self.kills["(in vain)"] += 1
            return self.random.choice(self.replicas)
        finally:
            asyncio.get_running_loop().call_later(0.2, aim.let_go.set)
        return next(replica for replica in self.replicas if replica.token == token)

    async def _end(self, replica: Replica, name: str) -> None:
        assert replica.process is not None
        if replica.process.returncode is not None:
            raise StormError(f"{replica.name} ended by itself with {replica.process.returncode}: {replica.end_of_log}")
        replica.process.send(SIGKILL)
        await replica.process.wait()
        replica.process = None
        self.kills[name] += 1
        for what, sql in (
            ("deliveries", "select count(*) from delivery where state = 'leased'"),
            ("sources", "select count(*) from source where lease_until is not null"),
        ):
            self.found_leased[what] += bool(await self._number(sql))

    # --- processes ---

    async def _start(self, replica: Replica) -> None:
        own = {
            "SLACK_BOT_TOKEN": replica.token,
            "SLACK_API_URL": self.slack.url,
            "SLACK_SIGNING_SECRET": "sig",
            "REGWATCH_TRANSPORT": "http",
            "REGWATCH_HTTP_BIND": "127.0.0.1:0",
            "REGWATCH_DATABASE_URL": self.plan.url,
            "REGWATCH_SOURCES": str(self.plan.folder / "sources.csv"),
            "REGWATCH_FETCH_ALLOW": self.web.host_port,
            "REGWATCH_HOST_GAP_SECONDS": "0",
            "REGWATCH_REQUESTS_PER_MINUTE": "6000",
            "REGWATCH_OPERATIONS_CHANNEL": OPERATIONS,
        }
        replica.log.touch()
        replica.begins = replica.log.stat().st_size
        behind = BEHIND * self.replicas.index(replica)
        arguments = [str(self.plan.folder / "clock"), self.plan.breaks, str(behind.total_seconds())]
        replica.process = await self.nursery.start(environment=own, folder=self.plan.folder, log=replica.log, arguments=arguments)
        replica.starts += 1

    async def _start_all(self) -> None:
        if all(replica.process is None for replica in self.replicas):
            self._lived_since = self.clock()
        for replica in self.replicas:
            if replica.process is None:
                await self._start(replica)

    async def _stop_all(self) -> None:
        """SIGTERM to all that live; each must end by itself, soon, with 0."""
        await asyncio.gather(*(self._stop(replica) for replica in self.replicas if replica.process is not None))

    async def _stop(self, replica: Replica) -> None:
        process = replica.process
        assert process is not None
        began, is_up = monotonic(), self._is_up(replica)
        process.send(SIGTERM)
        try:
            async with asyncio.timeout(30):
                code = await process.wait()
        except TimeoutError:
            raise StormError(f"{replica.name} does not end on SIGTERM: {replica.end_of_log}") from None
        replica.process = None
        if is_up:
            self.stops.append(monotonic() - began)
        if code not in ((0,) if is_up else (0, -15)):  # before it is up it may not have said yet what SIGTERM means to it
            raise StormError(f"{replica.name} ended with {code}: {replica.end_of_log}")

    async def _look_at_processes(self) -> None:
        for replica in self.replicas:
            if replica.process is not None and replica.process.returncode is not None:
                raise StormError(f"{replica.name} ended by itself with {replica.process.returncode}: {replica.end_of_log}")

    # --- time ---

    def _move(self, now: datetime) -> None:
        assert now >= self.clock() - timedelta(seconds=1)
        self.clock.tell(now, self.rate)

    def _pass(self, until: datetime, jumps: int) -> None:
        """A part of what is left until then passes; it ends just before a digest is due somewhere, where one is."""
        now = self.clock()
        step = min((until - now) / jumps, timedelta(hours=20))
        soon = [due for place in PLACES for due in place.digests(now + step * 0.4, now + step * 1.2).values()]
        self._move(max(now, (self.random.choice(soon) - timedelta(seconds=25)) if soon else now + step))

    async def _drain(self) -> None:
        """In calm weather, until all that was told is known, and nothing is owed."""
        for _ in range(DRAINED_WITHIN):
            await self._are_up(len(self.replicas))
            patience = monotonic() + 20  # a thread of many messages takes its time
            while (due := await self._due()) is not None and monotonic() < patience and due < self.clock() + self._worth_waiting:
                await asyncio.sleep(0.15)
                await self._look_at_processes()
            if due is None:
                return
            if due > self.clock():
                await self._stop_all()
                self._move(due)
                await self._start_all()
        raise StormError(f"not drained: {await self._due()}, {await self._rows(OPEN_ROWS)}")

    @property
    def _worth_waiting(self) -> timedelta:
        """So long nobody is stopped and started for."""
        return timedelta(seconds=3 * self.rate)

    async def _are_up(self, least: int) -> None:
        """Wait until so many serve."""
        async with asyncio.timeout(120):
            while sum(map(self._is_up, self.replicas)) < least:
                await asyncio.sleep(0.05)
                await self._look_at_processes()

    def _is_up(self, replica: Replica) -> bool:
        return replica.log.read_text().count(" start version=", replica.begins) > 0

    async def _due(self) -> datetime | None:
        """When the last of what is still to be done may be done, now for what somebody who lives is at; None: nothing is to be done."""
        now, dues = self.clock(), []
        wanted = "select state, next_attempt_at from delivery where state in ('owed', 'leased', 'unknown') and rolled_into is null"
        for state, at in await self._rows(wanted):
            dues.append(now if state == "leased" and moment(at) > self._lived_since + DELIVERY_LEASE else moment(at))
        for body, etag, at, until in await self._rows("select id, etag, next_poll_at, lease_until from source where is_enabled"):
            if etag != self.town.etags[str(body)]:
                is_polled = until is not None and moment(until) > self._lived_since + LEASE
                dues.append(now if is_polled else max(moment(at), moment(until or at)))
        # a process that was just started owes a digest with its first look, which a busy machine may keep waiting
        digests = await self._rows("select next_digest_at from channel where is_digest_on and next_digest_at is not null")
        dues += [now for (at,) in digests if moment(at) <= now]
        return max(dues, default=None)

    async def _rows(self, sql: str) -> list[tuple[object, ...]]:
        return await asyncio.to_thread(ask, self.plan.url, sql)

    async def _number(self, sql: str) -> int:
        return int(str((await self._rows(sql))[0][0]))

    # --- the end ---

    @property
    def _killed(self) -> int:
        return sum(number for name, number in self.kills.items() if not name.startswith("("))

    def _told(self, found: Count, seconds: float) -> Count:
        leased = self.found_leased
        posts = [call for call in self.slack.calls if call.method == "chat.postMessage"]
        head: dict[str, int | float | str] = {
            "seed": self.plan.seed,
            "database": self.plan.url.partition(":")[0],
            "processes": self.plan.replicas,
            "kills": self._killed,
            "kills by moment": ", ".join(f"{name} {number}" for name, number in sorted(self.kills.items())),
            "kills that left a lease": f"of a delivery {leased['deliveries']}, of a source {leased['sources']}",
            "restarts": sum(replica.starts - 1 for replica in self.replicas),
            "stops by SIGTERM": f"{len(self.stops)}, the longest took {max(self.stops, default=0):.1f} s",
            "faults": ", ".join(f"{name} {number}" for name, number in sorted((self.sky.counts + self.ground.counts).items())),
            "polls": ask(self.plan.url, "select count(*) from poll")[0][0],
            "calls of chat.postMessage": len(posts),
        }
        found.figures = head | found.figures | {"seconds": round(seconds, 1)}
        return found


OPEN_ROWS = (
    "select key, state, reason, attempts, next_attempt_at from delivery"
    " where state in ('owed', 'leased', 'unknown') and rolled_into is null limit 5"
)


async def storm(plan: Plan) -> Count:
    """Run a plan. Raises StormError when the run itself fails."""
    clock = Clock(plan.folder / "clock")
    clock.tell(datetime(2021, 3, 10, 12, tzinfo=UTC), RATES[plan.replicas])
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("REGWATCH_", "SLACK_", "COV_"))}
    async with (
        SlackStub(now=clock) as slack,
        FakeWeb() as web,
        Nursery(outside | {"PYTHONPATH": str(ROOT)}, plan.folder / "nursery.log") as nursery,
    ):
        slack.tokens.pop(TOKEN)
        return await Storm(plan, slack, web, clock, nursery).run()
