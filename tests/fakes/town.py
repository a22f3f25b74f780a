"""A whole Regwatch in a small town: regulators that publish, a poller that reads them, people who type, a Slack where all of it stands.

Everything of ours is real: the fetcher, the parser, the reader over a register of seven firms, the Store, the postman, the
commands. Only the two other ends are fake, the web and Slack, and the clock, which moves when a test moves it. A test opens
sources, lets them publish, and counts what people see.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from aiohttp import ClientSession
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.deliver import Deliverer, make_client
from bot.extract import FirmIndex, extract
from bot.feeds.fetch import Fetcher
from bot.poll import Poller, PollLine
from bot.slack import register
from storage import Store
from storage.intents import ChannelKey
from storage.models import Tier
from storage.records import AliasRow, DocumentText, Extraction, FirmRow, SourceRow
from storage.views import ActionView
from tests import builders
from tests.fakes.chat import ADMIN, ASKER, COLLEAGUE, ELSEWHERE, LEGAL, SECRET, Chat
from tests.fakes.clock import FakeClock
from tests.fakes.slack import BOT_USER, TEAM, TOKEN, Message, SlackStub
from tests.fakes.web import Answer, FakeWeb
from tests.fakes.world import item, rss

OPERATIONS = "C0OPS"
LEASE = timedelta(minutes=2)
"""How long a postman holds a delivery."""
REGULATORS = tuple(
    replace(row, time_zone={"CN": "Asia/Shanghai", "GB": "Europe/London", "US": "America/New_York"}[row.jurisdiction])
    for row in builders.REGULATORS
)
REGISTER = replace(
    builders.SMALL,
    version="town",
    firms=(*builders.FIRMS, FirmRow("harbour-bank", "Harbour Bank", country="US")),
    aliases=(*builders.ALIASES, AliasRow("harbour-bank", "Harbour Bank")),
    regulators=REGULATORS,
)


class DeadHand(Store):
    """The database as a process sees it that dies at a certain moment."""

    dies_before = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_dying = asyncio.Event()

    async def settle(self, *args: Any, **kwargs: Any) -> bool:
        await self._lives_to("settle")
        return await super().settle(*args, **kwargs)

    async def next_part(self, *args: Any, **kwargs: Any) -> datetime | None:
        await self._lives_to("next_part")
        return await super().next_part(*args, **kwargs)

    async def _lives_to(self, moment: str) -> None:
        if moment == self.dies_before:
            self.is_dying.set()
            await asyncio.Event().wait()


AnyStore = TypeVar("AnyStore", bound=Store)


class Town:
    """Made by `town_of`. One channel is there: #legal, with the bot and people in it; the operators have theirs."""

    def __init__(self, store: Store, web: FakeWeb, slack: SlackStub, clock: FakeClock, postmen: AsyncExitStack) -> None:
        self.store, self.web, self.slack, self.clock = store, web, slack, clock
        self._postmen = postmen
        self._rows: dict[str, SourceRow] = {}
        self._index = FirmIndex(REGISTER)
        self.deliverer: Deliverer
        self.poller: Poller
        self.chat: Chat

    # --- regulators and the press ---

    async def opens(self, source_id: str, regulator_id: str | None, *items: str) -> None:
        """A source is added, and read for the first time with these entries (one of no interest, if none): history, and silent.

        Without a regulator it is the press.
        """
        tier = Tier.PRIMARY if regulator_id else Tier.SECONDARY
        definition = {} if regulator_id else {"content": "Island Times"}
        row = SourceRow(source_id, regulator_id, self.web.url(f"/{source_id}"), "rss", tier, definition=definition)
        self._rows[source_id] = row
        await self.store.sync_catalogue(REGULATORS, tuple(self._rows.values()))
        line = await self.polls(source_id, *(items or (item(0, "A word of welcome", at=self.clock() - timedelta(days=30)),)))
        assert (line.is_good, line.owed) == (True, 0)

    async def polls(self, source_id: str, *items: str, answer: Answer | None = None) -> PollLine:
        """An hour later the source lists these entries (or gives this answer), and is polled."""
        self.web.put(f"/{source_id}", answer or Answer(rss(*items)))
        self.clock.forward(hours=1)
        (line,) = await self.poller.poll([source_id])
        return line

    def read(self, text: DocumentText) -> Extraction:
        """The real reader over the town's register."""
        return extract(text, self._index)

    async def action(self, action_id: int = 1001) -> ActionView:
        """An action as it is now."""
        detail = await self.store.action(action_id)
        assert detail is not None
        return detail.action

    async def documents(self, source_id: str) -> int:
        """How many documents of a source are kept."""
        return next(view.documents for view in await self.store.sources() if view.id == source_id)

    # --- people and postmen ---

    async def says(self, text: str, *, channel: str = LEGAL, user: str = ASKER) -> list[dict[str, Any]]:
        """Somebody types after /regwatch."""
        return await self.chat.says(text, channel=channel, user=user)

    async def delivers(self) -> int:
        """The postman comes every two seconds until nothing may go out now; how many deliveries that were."""
        total = 0
        while claimed := (await self.deliverer.run_once()).claimed:
            total += claimed
            await self.deliverer.finish(60)
            self.clock.forward(seconds=2)
        return total

    async def postman(self) -> Deliverer:
        """One more process that delivers, with a Store of its own on the same database."""
        return self._postman_with(self._another(Store))

    async def killed(self, before: str) -> None:
        """A process delivers, and is gone when it is about to write down what it did: before `settle`, or before `next_part`."""
        store = self._another(DeadHand)
        store.dies_before = before
        doomed = self._postman_with(store)
        run = asyncio.create_task(doomed.run_once())
        await asyncio.wait_for(store.is_dying.wait(), 60)
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
        await doomed.finish(0)

    async def passes(self, seconds: float) -> None:
        """Time goes by."""
        self.clock.forward(seconds=seconds)

    def _another(self, kind: type[AnyStore]) -> AnyStore:
        store = kind(self.store._url.render_as_string(hide_password=False), now=self.clock)
        self._postmen.push_async_callback(store.close)
        return store

    def _postman_with(self, store: Store) -> Deliverer:
        return Deliverer(store, self.client_for, now=self.clock, wait=self.passes, lease=LEASE)

    async def client_for(self, _: str) -> AsyncWebClient:
        """A client of the one workspace."""
        return make_client(TOKEN, self.slack.url, session=self._session)

    # --- what stands in Slack ---

    def posts(self, channel: str = LEGAL, kind: str = "") -> list[Message]:
        """The posts of the bot in a channel, replies left out, that begin a delivery of this kind (all kinds: none given)."""
        return [one for one in self.slack.posts(channel) if one.thread_ts is None and key_of(one).startswith(kind)]

    def thread(self, root: Message, channel: str = LEGAL) -> list[Message]:
        """The replies under a post."""
        return self.slack.thread(channel, root.ts)

    def stand(self, channel: str = LEGAL) -> Counter[str]:
        """How often each delivery stands in a channel, as root or reply; the thread of a digest counts with its root."""
        messages = self.slack.channels[channel].messages
        return Counter(key_of(one) for one in messages if one.metadata and one.metadata["event_payload"]["part"] == 0)

    async def start(self, session: ClientSession, fetcher: Fetcher) -> None:
        """The processes begin."""
        self._session = session
        self.poller = Poller(self.store, fetcher, self.read, now=self.clock, register_version=lambda: REGISTER.version)
        self.deliverer = self._postman_with(self.store)
        app = AsyncApp(
            client=await self.client_for(TEAM),
            request_verification_enabled=False,
            process_before_response=True,
            raise_error_for_unhandled_request=True,
        )
        register(app, self.store, now=self.clock, operators=frozenset({ADMIN}))
        self.chat = Chat(self.slack, app)
        await self.store.sync_register(REGISTER)
        await self.store.sync_catalogue(REGULATORS, ())


def key_of(message: Message) -> str:
    """The key of the delivery that a message belongs to; empty for what is none."""
    return str(message.metadata["event_payload"]["key"]) if message.metadata else ""


def told(number: int, sentence: str, *, at: datetime, **more: Any) -> str:
    """An entry whose title is short and whose text says who did what to whom."""
    return item(number, more.pop("title", f"Notice {number}"), at=at, text=sentence, **more)


def fined(firm: str, number: int, *, at: datetime | None, **more: Any) -> str:
    """The SEC's release on a fine, under a number of its own."""
    title = more.pop("title", f"{firm} fined $5 million (LR-{25000 + number})")
    return item(number, title, at=at, text=f"The Securities and Exchange Commission fined {firm} $5 million.", **more)


@asynccontextmanager
async def town_of(database_url: str, clock: FakeClock) -> AsyncIterator[Town]:
    """A town on an empty migrated database."""
    async with AsyncExitStack() as stack:
        web = await stack.enter_async_context(FakeWeb())
        slack = await stack.enter_async_context(SlackStub(now=clock))
        slack.add_channel(LEGAL, "legal", members=(BOT_USER, ASKER, COLLEAGUE, ADMIN))
        slack.add_channel(SECRET, "secret", is_private=True, members=(ASKER,))
        slack.add_channel(ELSEWHERE, "elsewhere", members=(ASKER,))
        slack.add_channel(OPERATIONS, "ops")
        slack.add_user(ASKER, "asker", "Asia/Taipei")
        fetcher = await stack.enter_async_context(Fetcher(now=clock, allow=frozenset({web.host_port}), host_gap=timedelta()))
        session = await stack.enter_async_context(ClientSession())
        store = Store(database_url, now=clock, operations=ChannelKey(TEAM, OPERATIONS, "ops"))
        stack.push_async_callback(store.close)
        town = Town(store, web, slack, clock, stack)
        await town.start(session, fetcher)
        yield town
