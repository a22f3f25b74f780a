"""The storms of `bench_storm`: what falls on whom, the clock that both sides share, and a Slack with limits in a process of its own."""

from __future__ import annotations

import asyncio
import multiprocessing
import re
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from typing import Any

START = datetime(2021, 3, 19, 4, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Storm:
    """What falls on whom, and how quick the clock is; `speed` 0: it is set on when nothing is due, and Slack has no limits."""

    name: str
    actions: int
    channels: int
    workspaces: int = 1
    speed: float = 0.0
    per_workspace: float = 5.0
    replicas: int = 1
    minutes: float = 120.0  # of that clock, after which it is given up
    is_profiled: bool = False
    postgres: str = ""


class Clock:
    """Stands at START until it is started, then runs `speed` times as quick as the real one; with speed 0 it is set on by hand."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._zero: float | None = None
        self._ahead = 0.0

    def start(self, zero: float) -> None:
        """`zero` is of the monotonic clock, which all processes of a machine share."""
        self._zero = zero

    def seconds(self) -> float:
        """Since START."""
        return self._ahead + (0.0 if self._zero is None else (time.monotonic() - self._zero) * self._speed)

    def __call__(self) -> datetime:
        return START + timedelta(seconds=self.seconds())

    async def wait(self, seconds: float) -> None:
        """Let so many seconds of this clock pass."""
        if self._speed:
            await asyncio.sleep(seconds / self._speed)
        else:
            self._ahead += seconds
            await asyncio.sleep(0)


# --- Slack, in its own process ---------------------------------------------------------------------------------------


def _slack(storm: Storm, told: Connection) -> None:
    """Serves until it is ended. Beside Slack's methods: POST /start with the clock's zero, GET /report."""
    from aiohttp import web

    from tests.fakes.limits import Limits, Tally
    from tests.fakes.slack import SlackStub

    clock = Clock(storm.speed)
    # what was sent within 50 real milliseconds of a refusal was sent before it was known
    limits = Limits(clock.seconds, per_workspace=storm.per_workspace, on_its_way=max(0.5, 0.05 * storm.speed)) if storm.speed else None

    async def start(request: web.Request) -> web.Response:
        clock.start(float(await request.text()))
        return web.Response()

    async def run() -> None:
        async with SlackStub(now=clock, limits=limits) as slack:
            slack.tokens = {f"xoxb-{team}": team for team in teams_of(storm)}
            for channel in places_of(storm):
                slack.add_channel(channel)

            async def report(_: web.Request) -> web.Response:
                tally = limits.tally if limits else Tally()
                stand = {place: [_standing(message) for message in slack.channels[place].messages] for place in slack.channels}
                methods: defaultdict[str, int] = defaultdict(int)
                for call in slack.calls:
                    methods[call.method] += 1
                refused = {name: getattr(tally, name) for name in ("refused", "on_its_way", "violations")}
                return web.json_response({**refused, "calls": methods, "stand": stand})

            control = web.Application()
            control.router.add_post("/start", start)
            control.router.add_get("/report", report)
            runner = web.AppRunner(control, access_log=None)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            told.send((slack.url, f"http://127.0.0.1:{runner.addresses[0][1]}"))
            await asyncio.Event().wait()

    asyncio.run(run())


def _standing(message: Any) -> tuple[float, bool, str, int, list[str]]:
    """When it was posted, whether it is a reply, the key and part that its metadata tells, the actions that it names."""
    payload = (message.metadata or {}).get("event_payload", {})
    names = list(dict.fromkeys(re.findall(r"RW-\d+", message.shown)))
    return float(message.ts), message.thread_ts is not None, payload.get("key", ""), int(payload.get("part", 0)), names


def teams_of(storm: Storm) -> list[str]:
    """Its workspaces."""
    return [f"T{number}" for number in range(storm.workspaces)]


def places_of(storm: Storm) -> list[str]:
    """Slack's ids of its channels."""
    return [f"C{number}" for number in range(storm.channels)]


@contextmanager
def slack_beside(storm: Storm) -> Iterator[tuple[str, str]]:
    """A Slack in a process of its own; the addresses of its methods and of its control."""
    start = multiprocessing.get_context("spawn")
    here, there = start.Pipe()
    process = start.Process(target=_slack, args=(storm, there), daemon=True)
    process.start()
    try:
        yield here.recv()
    finally:
        process.terminate()
        process.join()
