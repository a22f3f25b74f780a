"""The scripted tour, and the prompt after it.

The sources are polled for the first time on a Friday morning (silently: that is history), two channels
subscribe, and then the day passes: a press report, its copy, its correction, the regulator's notice. On
Monday morning there is a digest.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from bot.app import fill, poller_for
from bot.config import Settings, load_settings
from bot.console import framed, show
from bot.deliver import Deliverer, make_client
from bot.demo.loopback import FEEDS, Sites, SmallSlack, serving
from bot.feeds.catalog import load_catalogue
from bot.poll import Poller
from bot.slack.changes import Who
from bot.slack.desk import Desk
from storage import Store

TAIPEI = ZoneInfo("Asia/Taipei")
LEGAL, RESEARCH = "C0LEGAL", "C0RESEARCH"
CHANNELS = {LEGAL: "#legal", RESEARCH: "#research"}
WORKSPACE = "T0DEMO"
SOURCES = ("demo-wire", "demo-cac", "demo-samr")
FIRST_ALERT = "RW-1005"
"""The talks with eleven firms: four older acts are known by then."""


def _taipei(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2021, 3, day, hour, minute, tzinfo=TAIPEI)


@dataclass(frozen=True, slots=True)
class Scene:
    """A moment: which state the sites are in, and what is told before they are polled."""

    at: datetime
    step: int
    title: str
    told: str


FRIDAY = (
    Scene(
        _taipei(19, 9, 15),
        1,
        "Friday 09:15. The press has two new stories",
        "One of them has a title that tries to ping the channel and to forge a link.",
    ),
    Scene(_taipei(19, 10, 0), 2, "10:00. The same story under another address and guid", "Nobody is told twice."),
    Scene(_taipei(19, 11, 0), 3, "11:00. The wire corrects its story in place", "A seventh firm is named."),
    Scene(
        _taipei(19, 15, 0),
        4,
        "15:00. The regulator's own notice arrives, in Chinese",
        "It is the same act: the list is completed in the thread.",
    ),
    Scene(_taipei(22, 8, 15), 4, "Monday 08:15. The feeds are read once more", "Nothing has changed."),
)


class StagedClock:
    """Stands at the scene's time."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


@dataclass
class Stage:
    """Everything that the tour plays with."""

    store: Store
    poller: Poller
    deliverer: Deliverer
    desk: Desk
    clock: StagedClock
    sites: Sites
    slack: SmallSlack
    screen: Console

    def heading(self, text: str) -> None:
        """A new scene."""
        self.screen.print()
        self.screen.rule(Text(text, style="bold"), align="left")

    def tell(self, text: str) -> None:
        """What happens behind the scenes."""
        self.screen.print(Text(text, style="dim"))

    async def poll(self, step: int) -> None:
        """All sources once, then every message that is owed for it."""
        self.sites.step = step
        lines = await self.poller.poll(list(SOURCES))
        read = ", ".join(f"{line.source} {line.new} new, {line.changed} changed" for line in lines)
        self.tell(f"polled: {read}")
        await self.deliver()

    async def deliver(self) -> None:
        """Posts what is owed; each channel takes one message a second, so the clock moves on between them."""
        while (await self.deliverer.run_once()).claimed:
            self.clock.at += timedelta(seconds=2)

    async def say(self, channel: str, text: str) -> None:
        """What somebody types in a channel, and the answer."""
        self.screen.print(Text.assemble((f"\n{CHANNELS[channel]} > ", "cyan"), (text, "bold")))
        message = await self.desk.answer(
            text.removeprefix("/regwatch").strip(),
            Who(
                workspace_id=WORKSPACE, channel_id=channel, channel_name=CHANNELS[channel].lstrip("#"), user_id="U0YOU", zone="Asia/Taipei"
            ),
        )
        show(message, self.screen)


async def play(*, is_once: bool, as_json: bool) -> int:
    """The tour, then (unless `is_once`) the prompt. With `as_json` only an object of counts is printed."""
    screen = Console(quiet=True) if as_json else Console(highlight=False)
    async with _stage(screen) as stage:
        await _tour(stage)
        if as_json:
            print(json.dumps(await _counts(stage)))  # noqa: T201
        elif not is_once:
            await _prompt(stage)
    return 0


@contextlib.asynccontextmanager
async def _stage(screen: Console) -> AsyncIterator[Stage]:
    sites = Sites()

    def draw(channel: str, message: dict[str, Any], what: str) -> None:
        frame = framed(message.get("blocks") or [], message.get("text", ""), title=f"{channel} · {what}", style="green")
        screen.print(Padding(frame, (0, 0, 0, 4 if message.get("thread_ts") else 0)))

    slack = SmallSlack(CHANNELS, draw)
    clock = StagedClock(_taipei(19, 8, 45))
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="regwatch-demo-")))
        base = await stack.enter_async_context(serving(sites, slack))
        listed = folder / "sources.csv"
        listed.write_text((FEEDS / "sources.csv").read_text(encoding="utf-8").replace("{base}", f"{base}/feeds"), encoding="utf-8")
        settings = _settings(folder, base)
        await asyncio.to_thread(Store.migrate, settings.database)
        store = Store(settings.database, now=clock, default_zone="Asia/Taipei")
        stack.push_async_callback(store.close)
        await fill(store, load_catalogue(contact=None, sources=listed))
        poller = await stack.enter_async_context(poller_for(settings, store, now=clock))
        client = make_client("xoxb-demo", f"{base}/api/")

        async def client_for(_: str) -> Any:
            return client

        deliverer = Deliverer(store, client_for, now=clock)
        desk = Desk(store, command="/regwatch", now=clock)
        yield Stage(store, poller, deliverer, desk, clock, sites, slack, screen)


def _settings(folder: Path, base: str) -> Settings:
    host = base.removeprefix("http://")
    return load_settings(
        database_url=f"sqlite:///{folder / 'demo.sqlite'}", fetch_allow=frozenset({host}), host_gap_seconds=0.0, requests_per_minute=6000
    )


async def _tour(stage: Stage) -> None:
    stage.heading("Regwatch: a staged weekend of March 2021")
    stage.tell("Friday 08:45. Three sample feeds are read for the first time. That is history: stored, searchable, and silent.")
    await stage.poll(0)
    await stage.say(LEGAL, "/regwatch subscribe tencent, 阿里巴巴")
    await stage.say(RESEARCH, "/regwatch subscribe 字節跳動, clubhouse severity:>=talks")
    for scene in FRIDAY:
        stage.clock.at = scene.at
        stage.heading(scene.title)
        stage.tell(scene.told)
        await stage.poll(scene.step)
    stage.clock.at = _taipei(22, 8, 30)
    stage.heading("08:30. The digests")
    await stage.deliver()
    stage.heading("Questions are answered by any name, in either script")
    await stage.say(LEGAL, "/regwatch recent actions against 騰訊")
    await stage.say(LEGAL, "/regwatch tencnt")
    await stage.say(RESEARCH, f"/regwatch why {FIRST_ALERT}")
    await stage.say(LEGAL, "/regwatch timeline 腾讯")
    await stage.say(LEGAL, "/regwatch search 語音")
    await stage.say(LEGAL, "/regwatch sources")


async def _counts(stage: Stage) -> dict[str, int]:
    """What the tour did, counted where it can be counted: in the database, and by what the small Slack holds."""
    counts = await stage.store.counts()
    keys = [post["metadata"]["event_payload"]["key"] for post in stage.slack.posts.values()]
    kinds = Counter(key.partition(":")[0] for key in keys)
    return {
        "polls": counts["polls"],
        "documents": counts["documents"],
        "actions": counts["actions"],
        "alerts": kinds["alert"],
        "updates": kinds["update"],
        "digests": len({post["channel"] for key, post in zip(keys, stage.slack.posts.values(), strict=True) if key.startswith("digest:")}),
        "posted_twice": len(keys)
        - len({(post["channel"], key, post.get("thread_ts")) for key, post in zip(keys, stage.slack.posts.values(), strict=True)}),
    }


async def _prompt(stage: Stage) -> None:
    stage.heading("Your turn")
    stage.tell("Type what you would type after /regwatch. An empty line or Ctrl-D ends it.")
    while True:
        try:
            text = await asyncio.to_thread(stage.screen.input, "[bold]#legal > /regwatch [/]")
        except (EOFError, KeyboardInterrupt):
            return
        if not text.strip():
            return
        await stage.say(LEGAL, text)
        await stage.deliver()
