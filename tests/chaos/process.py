"""One replica of the service for `storm`: `run` with the arguments CLOCK BREAK BEHIND, its settings from the environment.

It is `bot.app.Regwatch` with three things of the harness's: a clock that the file CLOCK tells, and that is BEHIND seconds late, as
those of hosts differ; looks that come more often, as that clock runs faster; and a database that is taken as it is, with the few
names that the harness put there. BREAK names a promise that this process does not keep, to show that the count would notice.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any, ClassVar

from slack_sdk.web.async_client import AsyncWebClient

from bot.app import Job, Regwatch, open_store
from bot.config import load_settings, set_up_logging
from storage import Store

LOOK = timedelta(seconds=0.15)
POST_LATER = 0.6
"""Seconds of real time between a settlement and its post, where the process settles first."""
BREAKS = ("settles-first", "never-looks")


class Clock:
    """The time that a file tells, some seconds late: a moment of the machine's clock, what it was then, and how much faster it runs."""

    def __init__(self, file: Path, behind: float = 0.0) -> None:
        self._file, self._behind = file, behind

    def __call__(self) -> datetime:
        at, told, rate = map(float, self._file.read_text().split())
        return datetime.fromtimestamp(told + (monotonic() - at) * rate - self._behind, UTC)

    async def wait(self, seconds: float) -> None:
        """Let so many of its seconds pass."""
        _, _, rate = map(float, self._file.read_text().split())
        await asyncio.sleep(seconds / max(rate, 1.0))

    def tell(self, now: datetime, rate: float) -> None:
        """From this moment on it is `now`, and time passes `rate` times as fast. All processes of the machine see it at once."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{monotonic()} {now.timestamp()} {rate}")
        new.replace(self._file)


class Hurried(Regwatch):
    """The service, whose looks come every fraction of a second."""

    breaks = ""

    async def _open(self, workspace: str) -> Store:
        return await open_store(self._settings, now=self._now, workspace_id=workspace, is_run=True)

    def _jobs(self, *rooms: Any) -> list[Job]:
        return [replace(job, every=LOOK) if job.name in ("poll", "deliver") else job for job in super()._jobs(*rooms)]

    async def _slack(self, *rooms: Any) -> Any:
        slack = await super()._slack(*rooms)
        if not self.breaks:
            return slack
        return replace(slack, client_for=_breaking(slack.client_for, _Settling if self.breaks == "settles-first" else _Blind))


class _Blind(AsyncWebClient):
    """Sees no post of its own: what is in doubt is posted again."""

    async def conversations_history(self, **_: Any) -> Any:
        return {"ok": True, "messages": []}

    async def conversations_replies(self, **_: Any) -> Any:
        return {"ok": True, "messages": []}


class _Settling(AsyncWebClient):
    """Says that a message stands before it does."""

    _later: ClassVar[set[asyncio.Task[Any]]] = set()

    async def chat_postMessage(self, **content: Any) -> Any:
        async def post() -> None:
            await asyncio.sleep(POST_LATER)
            await AsyncWebClient.chat_postMessage(self, **content)

        task = asyncio.get_running_loop().create_task(post())
        self._later.add(task)
        return {"ok": True, "ts": f"{monotonic():.6f}"}


def _breaking(client_for: Callable[[str], Awaitable[AsyncWebClient]], kind: type[AsyncWebClient]) -> Callable[[str], Awaitable[Any]]:
    async def broken(workspace: str) -> AsyncWebClient:
        client = await client_for(workspace)
        return kind(token=client.token, base_url=client.base_url, session=client.session, retry_handlers=[])

    return broken


async def main(clock: Clock, breaks: str) -> None:
    """Serve until SIGTERM, as `regwatch run` does."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    settings = load_settings()
    set_up_logging(settings)
    service = Hurried(settings, now=clock, wait=clock.wait)
    service.breaks = breaks
    await service.serve(stop)


def run() -> None:
    """With the arguments of the command line."""
    asyncio.run(main(Clock(Path(sys.argv[1]), float(sys.argv[3])), sys.argv[2]))
