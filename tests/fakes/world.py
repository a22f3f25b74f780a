"""A small world that a real Poller reads: one body, its feed on a fake web, a store, a channel that follows everything."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.feeds.fetch import Fetcher
from bot.poll import Poller, PollLine
from storage import Store
from storage.intents import ChannelKey, FollowIntent
from storage.models import Followed, Kind, Role, Status
from storage.records import DocumentText, Extraction, FoundAction, FoundEvidence, FoundFirm, FoundRegulator, RegulatorRow, SourceRow
from tests.fakes.clock import FakeClock
from tests.fakes.web import Answer, FakeWeb

ROW = SourceRow(id="xx-news", regulator_id="xx", url="https://body.example/feed", kind="rss")
BODY = RegulatorRow(id="xx", name="The Body", jurisdiction="US", time_zone="America/New_York")
CHANNEL = ChannelKey("T1", "C1", "general")


def read(text: DocumentText) -> Extraction:
    """A reader of one rule: whoever "was fined" was fined."""
    if "unreadable" in text.whole:
        raise RuntimeError("the reader stumbles")
    at = text.whole.find("was fined")
    if at < 0:
        return Extraction("en", (), ())
    name = text.whole[:at].split("\n")[-1].strip()
    firm = FoundFirm(None, name, name, Role.TARGET, 0, len(name))
    evidence = FoundEvidence("kind", text.whole[: at + 9], 0, at + 9)
    action = FoundAction(Kind.FINE, Status.IN_FORCE, (FoundRegulator("xx", "The Body"),), (firm,), (evidence,))
    return Extraction("en", (action,), (firm,))


def rss(*items: str) -> bytes:
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>The Body</title>{"".join(items)}</channel></rss>'.encode()


def item(
    number: int,
    title: str | None = None,
    *,
    at: datetime | None = None,
    guid: str | None = None,
    link: str | None = None,
    text: str = "Told in full.",
) -> str:
    """An entry of that feed; without a text its link is followed."""
    date = f"<pubDate>{at:%a, %d %b %Y %H:%M:%S} GMT</pubDate>" if at else ""
    return (
        f"<item><title>{title or f'Firm{number} was fined'}</title><guid isPermaLink='false'>{guid or f'g{number}'}</guid>"
        f"<link>{link or f'https://body.example/{number}'}</link>"
        f"<description>{text}</description>{date}</item>"
    )


class World:
    """A store, a web and a poller over one source (or more)."""

    def __init__(self, store: Store, web: FakeWeb, fetcher: Fetcher, clock: FakeClock) -> None:
        self.store, self.web, self.clock = store, web, clock
        self.poller = Poller(store, fetcher, read, now=clock)

    async def add(self, *paths: str, **changed: object) -> None:
        rows = [replace(ROW, id=f"xx{path.replace('/', '-')}", url=self.web.url(path)) for path in paths]
        await self.store.sync_catalogue([BODY], [replace(row, **changed) for row in rows])  # type: ignore[arg-type]
        await self.store.follow(FollowIntent(CHANNEL, "U1", Followed.ALL))

    async def poll(self, answer: Answer | bytes, path: str = "/feed") -> PollLine:
        """One poll of the source with that answer, an hour later."""
        self.web.put(path, answer if isinstance(answer, Answer) else Answer(answer))
        self.clock.forward(hours=1)
        (line,) = await self.poller.poll([f"xx{path.replace('/', '-')}"])
        return line

    async def alerts(self) -> int:
        """Messages claimed since the last call."""
        total = 0
        while claimed := await self.store.claim(50, timedelta(minutes=1)):
            total += sum(one.kind == "alert" for one in claimed)
            self.clock.forward(seconds=2)
        return total
