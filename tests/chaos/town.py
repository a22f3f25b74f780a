"""Where the service lives in the chaos run: four bodies and their feeds, eight channels; and the model of what these are owed.

The model knows nothing of our database: who follows what is a few lines of plain rules, and when a digest is due is found by
walking over a wall clock, a quarter of an hour at a time.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from bot.feeds.catalog import load_catalogue
from storage import Store
from storage.firms import shipped_register
from storage.intents import ChannelKey, ChannelSetting, DigestSetting, FollowIntent, MuteIntent
from storage.models import Deliver, FirmKind, Followed
from tests.fakes.slack import TEAM, SlackStub
from tests.fakes.web import Answer, FakeWeb

BODIES = {
    "us-sec": "Securities and Exchange Commission",
    "gb-fca": "Financial Conduct Authority",
    "cn-samr": "market regulator",
    "au-asic": "Australian Securities and Investments Commission",
}
FIRMS = {"tencent": "Tencent Holdings Ltd", "xiaomi": "Xiaomi", "barclays": "Barclays", "hsbc": "HSBC", "netease": "NetEase"}
SHOWN = 60
"""Entries that a feed shows."""
OPERATIONS = "C0OPS"


@dataclass(slots=True)
class Act:
    """One act that a feed tells of. Its mark stands in every message about it, and in no other."""

    number: int
    body: str
    firm: str
    told_at: datetime
    amount: str
    is_edited: bool = False

    @property
    def mark(self) -> str:
        """The number of the document."""
        return f"LR-{10_000 + self.number}"

    def entry(self) -> str:
        """Its entry in the feed."""
        body, firm = BODIES[self.body], FIRMS[self.firm]
        return (
            f"<item><title>{body} fines {firm}, {self.mark}</title><guid isPermaLink='false'>{self.mark}</guid>"
            f"<link>https://{self.body}.example/{self.number}</link>"
            f"<description>The {body} fined {firm} {self.amount} dollars. {self.mark}.</description>"
            f"<pubDate>{self.told_at:%a, %d %b %Y %H:%M:%S} GMT</pubDate></item>"
        )


@dataclass(frozen=True, slots=True)
class Place:
    """A channel: what it follows (`firms`, a `body`, or everything), and how it is told."""

    id: str
    zone: str
    firms: tuple[str, ...] = ()
    body: str = ""
    deliver: Deliver = Deliver.BOTH
    digest_at: str = ""  # none when empty
    digest_days: str = "daily"
    quiet: tuple[str, str] = ("", "")
    muted: str = ""

    def owed(self, act: Act) -> str:
        """What the channel is owed for an act: "message" (with a card or in a roll-up), "digest", or nothing."""
        if (self.firms and act.firm not in self.firms) or (self.body and act.body != self.body):
            return ""
        return "digest" if self.deliver is Deliver.DIGEST or act.firm == self.muted else "message"

    def digests(self, since: datetime, until: datetime) -> dict[date, datetime]:
        """The local dates whose digest falls due in (since, until], and when: the first moment at which a wall clock shows it or more."""
        found: dict[date, datetime] = {}
        if not self.digest_at:
            return found
        at, zone = time.fromisoformat(self.digest_at), ZoneInfo(self.zone)
        moment = since.replace(minute=0, second=0, microsecond=0) - timedelta(days=1)
        while moment <= until:
            local = moment.astimezone(zone)
            if local.time() >= at and local.date() not in found and (self.digest_days == "daily" or local.weekday() < 5):
                found[local.date()] = moment
            moment += timedelta(minutes=15)
        return {day: due for day, due in found.items() if since < due <= until}


PLACES = (
    Place("C0NEWYORK", "America/New_York", digest_at="02:30"),
    Place("C0LONDON", "Europe/London", firms=("barclays", "tencent"), digest_at="01:30"),
    Place("C0TAIPEI", "Asia/Taipei", firms=("tencent", "xiaomi"), digest_at="08:30", digest_days="weekdays"),
    Place("C0HOWE", "Australia/Lord_Howe", digest_at="01:45"),
    Place("C0QUIET", "America/New_York", digest_at="08:30", quiet=("22:00", "07:00")),
    Place("C0DIGEST", "Europe/London", deliver=Deliver.DIGEST, digest_at="08:30"),
    Place("C0MUTED", "Asia/Taipei", firms=("tencent", "xiaomi", "hsbc"), digest_at="18:00", muted="tencent"),
    Place("C0NOW", "America/New_York", body="us-sec", deliver=Deliver.NOW),
)


@dataclass(slots=True)
class Town:
    """The feeds, which the run adds to and edits, and the channels."""

    web: FakeWeb
    random: Random
    acts: list[Act] = field(default_factory=list)
    etags: dict[str, str] = field(default_factory=dict)  # of what each feed says now

    def write(self, file: Path) -> None:
        """Write the catalogue of the feeds down, and show them."""
        rows = [f"{body},{body},{self.web.url(f'/{body}')},rss,1" for body in BODIES]
        file.write_text("\n".join(["source_id,regulator_id,url,kind,poll_minutes", *rows]) + "\n")
        for body in BODIES:
            self._show(body)

    async def furnish(self, store: Store, slack: SlackStub, file: Path) -> None:
        """Bring the catalogue and a handful of names in, open the channels, in Slack and here, and say what they follow."""
        catalogue = load_catalogue(sources=file)
        bodies = [row for row in catalogue.regulators if row.id in BODIES]
        shipped = shipped_register(bodies)
        firms = tuple(replace(row, kind=FirmKind.COMPANY) for row in shipped.firms if row.id in FIRMS)
        aliases = tuple(row for row in shipped.aliases if row.firm_id in FIRMS)
        await store.sync_register(replace(shipped, firms=firms, aliases=aliases, ownerships=()))
        await store.sync_catalogue(bodies, catalogue.sources)
        slack.add_channel(OPERATIONS, "ops")
        for place in PLACES:
            slack.add_channel(place.id, place.id.lower())
            key = ChannelKey(TEAM, place.id, place.id.lower(), place.zone)
            if place.firms:
                for firm in place.firms:
                    await store.follow(FollowIntent(key, "U1", Followed.FIRM, firm_id=firm, deliver=place.deliver))
            elif place.body:
                await store.follow(FollowIntent(key, "U1", Followed.REGULATOR, regulator_id=place.body, deliver=place.deliver))
            else:
                await store.follow(FollowIntent(key, "U1", Followed.ALL, deliver=place.deliver))
            setting = DigestSetting(is_on=bool(place.digest_at), at=place.digest_at or None, zone=place.zone, days=place.digest_days)
            await store.set_digest(key, setting, "U1")
            if place.quiet[0]:
                await store.set_channel(key, ChannelSetting(quiet=place.quiet), "U1")
            if place.muted:
                await store.mute(MuteIntent(key, "U1", datetime(2031, 1, 1, tzinfo=UTC), firm_id=place.muted))

    def tell(self, count: int, now: datetime) -> None:
        """So many new acts, each of a body and against a firm by chance."""
        for _ in range(count):
            number = len(self.acts) + 1
            body, firm = self.random.choice(list(BODIES)), self.random.choice(list(FIRMS))
            act = Act(number, body, firm, now.replace(microsecond=0), f"{100 + number % 900},{number // 900:02}1")
            self.acts.append(act)
            self._show(body)

    def correct(self, now: datetime) -> None:
        """One of the newest acts gets another sum; of an act of more than 14 days that would be for the digest alone."""
        plain = [act for act in self.acts[-12:] if not act.is_edited and now - act.told_at < timedelta(days=10)]
        if plain:
            act = self.random.choice(plain)
            act.is_edited, act.amount = True, f"{act.amount[:-1]}9"
            self._show(act.body)

    def _show(self, body: str) -> None:
        acts = [act for act in self.acts if act.body == body][-SHOWN:]
        old = (
            f"<item><title>Opening hours</title><guid isPermaLink='false'>hours</guid><link>https://{body}.example/hours</link>"
            "<description>The library is open on Mondays.</description></item>"
        )
        entries = "".join(act.entry() for act in reversed(acts)) + old
        feed = f'<?xml version="1.0"?><rss version="2.0"><channel><title>{BODIES[body]}</title>{entries}</channel></rss>'.encode()
        self.etags[body] = f'"{sha256(feed).hexdigest()[:16]}"'
        self.web.put(f"/{body}", Answer(feed, etag=self.etags[body]))
