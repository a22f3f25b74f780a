"""The outbox under everything at once: a state machine that finds acts, moves cases, mutes, holds, pauses and kills, on both databases.

What Slack shows is modelled beside it (`tests.fakes.senders`), and what must hold is asked after every step: one delivery under
way in a channel, nothing posted twice that could have been found, no flood; and at the end, when all that is open has been
delivered, that nothing is lost. `pytest tests/test_outbox_machine.py --hypothesis-profile=deep` searches for hours.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit, urlunsplit

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlmodel import col, select

from storage import Store
from storage.hours import quiet_until
from storage.intents import ChannelKey, ChannelSetting, Dead, DigestSetting, FollowIntent, Installed, MuteIntent, RetryAt, Sent
from storage.models import Action, DeliveryKind, DeliveryState, Followed, Kind
from storage.owing import OPEN
from storage.tenancy import Channel, Delivery
from storage.views import DueDelivery
from tests.fakes.clock import FakeClock
from tests.fakes.polls import act, entry, furnish, poll
from tests.fakes.senders import LEASE, PATIENCE, Hand, SmallSlack

C1, C2, C3 = ChannelKey("T1", "C1"), ChannelKey("T1", "C2"), ChannelKey("T2", "C3")
CHANNELS = {"C1": C1, "C2": C2, "C3": C3}
START = datetime(2021, 3, 19, 20, 50, tzinfo=UTC)
QUIET = ("22:00", "07:00")  # soon
WINDOW, SECOND, SETTLED_LATELY = timedelta(minutes=10), timedelta(seconds=1), timedelta(seconds=10)
MANY = 5
NEWS = (DeliveryKind.ALERT, DeliveryKind.UPDATE, DeliveryKind.ROLLUP)

ENDS = ["ok", "killed", "lost", "never", "limited"]
"""How a call ends: it works; or the sender is killed before it hears so; the reply is lost; nothing arrives; 429."""

BEHIND = timedelta(seconds=40)

channels = st.sampled_from(sorted(CHANNELS))
pollers = st.sampled_from([0, 0, 2])  # which of the processes polls
places = st.integers(0, 5)


class Outbox(RuleBasedStateMachine):
    """Two processes on one database, and a third on a host whose clock is behind; three channels of two workspaces."""

    fresh: ClassVar[Callable[[], AbstractContextManager[str]]]  # the URL of a furnished database

    def __init__(self) -> None:
        super().__init__()
        self.database = type(self).fresh()
        url = self.database.__enter__()
        self.clock = FakeClock(START)
        self.runner = asyncio.Runner()
        self.stores = [*(Store(url, now=self.clock) for _ in range(2)), Store(url, now=lambda: self.clock() - BEHIND)]
        self.digests: dict[int, set[int]] = {}  # digest -> the actions that it tells of, as it was drawn last
        self.slack = SmallSlack((name, key.workspace_id) for name, key in CHANNELS.items())
        self.hands: list[Hand] = []
        self.tokens: dict[int, int] = {}  # delivery -> the token of its newest lease; gone when it was settled
        self.waits: dict[str, datetime] = {}  # workspace -> nothing is claimed before
        self.cards: dict[tuple[str, int], str] = {}  # channel, case -> card
        self.notes: list[tuple[int, str]] = []  # documents that tell of an act under a number
        self.stopped: set[str] = set()  # workspaces that uninstalled the app
        self.paused: set[str] = set()
        self.muted: dict[str, datetime] = {}
        self.quieted: set[str] = set()
        self.following = set(CHANNELS)
        self.causes: dict[str, set[str]] = defaultdict(set)  # channel -> why something there may be waived or dead

    def run(self, what: Any) -> Any:
        """Into the machine's own loop."""
        return self.runner.run(what)

    @property
    def store(self) -> Store:
        return self.stores[0]

    def teardown(self) -> None:
        try:
            self.drain()
            self.nothing_is_lost()
            self.clock.forward(hours=24)
            self.run(self.store.owe_digests())
            self.drain()
            self.digests_tell_all()
            self.cases_are_told_in_order()
        finally:
            for store in self.stores:
                self.run(store.close())
            self.runner.close()
            self.database.__exit__(None, None, None)

    # --- what happens in the world -----------------------------------------------------------------------------------------

    @rule(kind=st.sampled_from([Kind.FINE, Kind.WARNING]), count=st.sampled_from([1, 1, 1, 2, 7]), by=pollers)
    def find(self, kind: Kind, count: int, by: int) -> None:
        """One poll finds acts; seven are a storm."""
        numbers = [f"A-{len(self.notes) + at + 1}" for at in range(count)]
        found = [entry(f"Act {number}", act(kind, "tencent", number=number), guid=number) for number in numbers]
        self.notes += [(len(self.notes) + at + 1, number) for at, number in enumerate(numbers)]
        before = {(row.channel_id, row.action_id) for row in self.rows()}
        assert self.run(poll(self.stores[by], "cac-news", *found)).new == count
        fresh = Counter(row.channel_id for row in self.rows() if (row.channel_id, row.action_id) not in before)
        for at, name in enumerate(sorted(CHANNELS), start=1):
            assert fresh[at] == (count if name in self.following else 0), f"{name} is not owed what it follows"

    @precondition(lambda self: self.notes)
    @rule(
        pick=places,
        kind=st.sampled_from([Kind.BAN, Kind.REMOVAL]),
        firms=st.sampled_from([("tencent",), ("tencent", "alibaba")]),
        by=pollers,
    )
    def edit(self, pick: int, kind: Kind, firms: tuple[str, ...], by: int) -> None:
        """A document tells something else now: another kind of act, a longer list."""
        document, number = self.notes[pick % len(self.notes)]
        told = act(kind, *firms, number=number, count=len(firms) if len(firms) > 1 else None)
        text = f"edited {self.clock()} {kind} {firms}"
        self.run(poll(self.stores[by], "cac-news", entry(f"Act {number}", told, guid=f"{document}", text=text, document_id=document)))

    @precondition(lambda self: self.notes)
    @rule(pick=places, kind=st.sampled_from([Kind.APPEAL, Kind.ANNULMENT]))
    def go_on(self, pick: int, kind: Kind) -> None:
        """A case goes on with an action of its own, under the same number."""
        _, number = self.notes[pick % len(self.notes)]
        document = len(self.notes) + 1
        self.notes.append((document, number))
        self.run(poll(self.store, "cac-news", entry(f"Step {document}", act(kind, "tencent", number=number), guid=f"{document}")))

    @rule(seconds=st.sampled_from([0.4, 1, 5, 40, 61, 130, 300, 660]))
    def wait(self, seconds: float) -> None:
        self.clock.forward(seconds=seconds)

    @rule(hours=st.sampled_from([0, 2, 11]))
    def sleep(self, hours: int) -> None:
        """Time for digests, perhaps for several."""
        self.clock.forward(hours=hours)
        self.run(self.stores[1].owe_digests())

    # --- what people and Slack do ----------------------------------------------------------------------------------------------

    @rule(name=channels, what=st.sampled_from(["subscribe", "unsubscribe", "mute", "unmute", "quiet", "loud"]))
    def ask(self, name: str, what: str) -> None:
        """Somebody changes what a channel hears."""
        getattr(self, what)(name)

    def subscribe(self, name: str) -> None:
        self.run(self.store.follow(FollowIntent(CHANNELS[name], "U1", Followed.FIRM, firm_id="tencent")))
        self.following.add(name)
        self.paused.discard(name)  # somebody spoke there

    def unsubscribe(self, name: str) -> None:
        self.run(self.store.unfollow(CHANNELS[name], "U1", everything=True))
        self.following.discard(name)
        self.causes[name].add("unsubscribed")

    def mute(self, name: str) -> None:
        self.muted[name] = self.clock() + timedelta(hours=1)
        self.run(self.store.mute(MuteIntent(CHANNELS[name], "U1", self.muted[name])))
        self.causes[name].add("muted")
        self.paused.discard(name)

    def unmute(self, name: str) -> None:
        self.run(self.store.mute(MuteIntent(CHANNELS[name], "U1", None)))
        self.muted.pop(name, None)

    def quiet(self, name: str) -> None:
        self.run(self.store.set_channel(CHANNELS[name], ChannelSetting(quiet=QUIET), "U1"))
        self.quieted.add(name)
        self.paused.discard(name)

    def loud(self, name: str) -> None:
        self.run(self.store.set_channel(CHANNELS[name], ChannelSetting(quiet=("", "")), "U1"))
        self.quieted.discard(name)
        self.paused.discard(name)

    @rule(name=channels, what=st.sampled_from(["archive", "invite", "invite", "uninstall", "install", "install", "hide", "show"]))
    def befall(self, name: str, what: str) -> None:
        """Something happens to a channel, or to the whole workspace."""
        getattr(self, what)(name)

    def archive(self, name: str) -> None:
        self.slack.places[name].is_archived = True

    def invite(self, name: str) -> None:
        self.slack.places[name].is_archived = False
        assert self.run(self.store.resume_channel(CHANNELS[name])) == (name in self.paused)
        self.paused.discard(name)

    def uninstall(self, name: str) -> None:
        workspace = CHANNELS[name].workspace_id
        self.run(self.store.uninstall(workspace))
        self.stopped.add(workspace)

    def install(self, name: str) -> None:
        workspace = CHANNELS[name].workspace_id
        self.run(self.store.install(Installed(workspace, workspace, "U1")))
        self.stopped.discard(workspace)

    def hide(self, _: str) -> None:
        """The bot may not read what it posted any more, and finds nothing again."""
        self.slack.can_read = False

    def show(self, _: str) -> None:
        self.slack.can_read = True

    # --- what senders do -------------------------------------------------------------------------------------------------------

    @rule(by=st.integers(0, 1), limit=st.integers(1, 3))
    def claim(self, by: int, limit: int) -> None:
        self.taken(self.run(self.stores[by].claim(limit, LEASE)))

    @rule()
    def claim_at_once(self) -> None:
        """Both processes at the same moment."""

        async def both() -> list[tuple[DueDelivery, ...]]:
            return list(await asyncio.gather(*(store.claim(2, LEASE) for store in self.stores)))

        self.taken([due for some in self.run(both()) for due in some])

    @rule(by=st.integers(0, 1), rounds=st.sampled_from([1, 1, 2, 4]), last=st.sampled_from(ENDS))
    def deliver(self, by: int, rounds: int, last: str) -> None:
        """A process delivers for some seconds, and so do senders that are at work already; the last second goes well or not."""
        for left in reversed(range(rounds)):
            self.taken(self.run(self.stores[by].claim(5, LEASE)))
            for hand in list(self.hands):
                self.work(hand, "ok" if left else last)
            self.clock.forward(seconds=1)

    @precondition(lambda self: self.hands)
    @rule(pick=places, how=st.sampled_from(ENDS))
    def post(self, pick: int, how: str) -> None:
        """One sender posts its next message."""
        self.work(self.hands[pick % len(self.hands)], how)

    @precondition(lambda self: self.hands)
    @rule(pick=places)
    def kill(self, pick: int) -> None:
        """A sender is gone, between two messages or before the first."""
        self.hands.pop(pick % len(self.hands))

    # --- how -----------------------------------------------------------------------------------------------------------------

    def taken(self, claimed: tuple[DueDelivery, ...] | list[DueDelivery]) -> None:
        """What was claimed, held against what may be claimed now."""
        now = self.clock()
        for due in claimed:
            name = due.channel.slack_id
            busy = [hand.due.key for hand in self.hands if hand.place == name and hand.lease_until > now and self.is_ours(hand)]
            assert not busy, f"two senders in {name}: {busy} and {due.key}"
            assert due.token == self.last_token(due.id) + 1 or due.id not in self.tokens
            assert name not in self.paused
            assert due.channel.workspace_id not in self.stopped
            assert now >= self.waits.get(due.channel.workspace_id, now), "Slack asked the workspace to wait"
            if due.action is not None:
                assert due.card_ts == self.cards.get((name, due.action.case_id))
            self.is_wanted(due)
            if due.digest is not None:
                self.digests[due.id] = {view.id for view in (*(view for view, _ in due.digest.moved), *due.digest.new)}
            self.tokens[due.id] = due.token
            self.hands.append(Hand(due, now + PATIENCE, now + LEASE, now, due.ts))

    def last_token(self, delivery_id: int) -> int:
        return self.tokens.get(delivery_id, 0)

    def is_ours(self, hand: Hand) -> bool:
        return self.tokens.get(hand.due.id) == hand.due.token

    def is_wanted(self, due: DueDelivery) -> None:
        """What is posted for the first time was not muted or unsubscribed meanwhile, and disturbs no quiet hours."""
        name, now = due.channel.slack_id, self.clock()
        if due.kind not in NEWS or due.attempts > 1:
            return
        members = [row for row in self.rows() if row.rolled_into == due.id or row.id == due.id]
        is_old = all(now - row.owed_at > SETTLED_LATELY for row in members)
        is_muted = self.muted.get(name, now) > now
        assert not (is_muted and is_old), f"{due.key} is posted to a muted channel"
        is_news = due.kind is not DeliveryKind.UPDATE or due.card_ts is None
        assert not (is_news and is_old and name not in self.following), f"{due.key} is posted where nobody follows it"
        if name in self.quieted:
            assert quiet_until(now, "UTC", *QUIET) is None, f"{due.key} disturbs quiet hours"

    def work(self, hand: Hand, how: str) -> None:
        """The next thing that a sender does."""
        now = self.clock()
        if now > hand.until:
            self.settle(hand, RetryAt(now + timedelta(seconds=5), "timed out", is_unsure=True))
            return
        if now < hand.may_post_at:
            return
        self.look(hand)
        part = hand.missing
        if part is None:
            assert hand.ts is not None
            self.settle(hand, Sent(hand.ts, card_ts=hand.ts if self.makes_card(hand) else None))
            return
        if hand.due.channel.workspace_id in self.stopped:
            self.settle(hand, RetryAt(now + timedelta(minutes=15), "account_inactive", is_unsure=bool(hand.parts), is_for_all=True))
        elif self.slack.places[hand.place].is_archived:
            self.causes[hand.place].add("is_archived")
            self.settle(hand, Dead("is_archived", is_channel_gone=True))
        elif how == "limited":
            at = now + timedelta(seconds=30)
            self.settle(hand, RetryAt(at, "ratelimited", is_unsure=bool(hand.parts), is_for_all=True, is_too_fast=True))
        elif how == "never":
            self.settle(hand, RetryAt(now + timedelta(seconds=5), "HTTP 503", is_unsure=True))
        else:
            self.stand(hand, part, how)

    def stand(self, hand: Hand, part: int, how: str) -> None:
        """A message is posted, and what becomes of the sender then."""
        now, place = self.clock(), self.slack.places[hand.place]
        assert all(now - post.at >= SECOND for post in place.posts[-1:]), "more than one message a second"
        ts = self.slack.take(hand, part, now)
        post = place.posts[-1]
        assert not post.is_again or not self.slack.can_read, f"{hand.due.key} part {part} stands twice, and could have been found"
        if how == "killed":
            self.hands.remove(hand)
            return
        if how == "lost":
            self.settle(hand, RetryAt(now + timedelta(seconds=5), "the reply was lost", is_unsure=True))
            return
        hand.parts.add(part)
        hand.ts = hand.ts or ts
        if hand.missing is None:
            self.settle(hand, Sent(hand.ts, card_ts=hand.ts if self.makes_card(hand) else None))
            return
        at = self.run(self.store.next_part(hand.due.id, hand.due.token, LEASE, ts=hand.ts, parts=len(hand.parts) - 1))
        assert (at is not None) == self.is_ours(hand)
        if at is None:
            self.hands.remove(hand)
            return
        assert at >= now + SECOND
        assert at >= self.waits.get(hand.due.channel.workspace_id, at), "Slack asked the workspace to wait"
        hand.may_post_at, hand.until, hand.lease_until = at, at + PATIENCE, at + LEASE

    def look(self, hand: Hand) -> None:
        """A sender that is not the first looks what stands of its delivery."""
        if hand.has_looked:
            return
        hand.has_looked = True
        if hand.ts is not None:
            hand.parts |= set(range(hand.due.parts + 1))
        if hand.due.is_unsure and self.slack.can_read:
            found = self.slack.found(hand)
            hand.parts |= set(found)
            hand.ts = hand.ts or found.get(0)

    def makes_card(self, hand: Hand) -> bool:
        return hand.due.kind in (DeliveryKind.ALERT, DeliveryKind.UPDATE) and not hand.is_reply

    def settle(self, hand: Hand, outcome: Sent | RetryAt | Dead) -> None:
        """The sender says how it went, and is done with it. A lease that has passed settles nothing."""
        due, is_ours = hand.due, self.is_ours(hand)
        done = self.run(self.stores[due.id % 2].settle(due.id, due.token, outcome))
        assert done == is_ours
        self.hands.remove(hand)
        if not done:
            return
        del self.tokens[due.id]
        if isinstance(outcome, Sent) and outcome.card_ts and due.action:
            self.cards[hand.place, due.action.case_id] = outcome.card_ts
        elif isinstance(outcome, RetryAt) and outcome.is_for_all:
            workspace = due.channel.workspace_id
            self.waits[workspace] = max(outcome.at, self.waits.get(workspace, outcome.at))
        elif isinstance(outcome, Dead):
            self.paused.add(hand.place)

    def rows(self) -> list[Delivery]:
        async def read() -> list[Delivery]:
            async with self.store._read() as session:
                return list((await session.exec(select(Delivery).order_by(col(Delivery.id)))).all())

        return self.run(read())  # type: ignore[no-any-return]

    # --- what must hold ------------------------------------------------------------------------------------------------------

    @invariant()
    def no_channel_is_flooded(self) -> None:
        """At most five alerts of their own within ten minutes, beside one roll-up; one digest for a day."""
        for name in CHANNELS:
            roots = list(self.slack.roots(name))
            alerts = [post.at for post in roots if post.kind in (DeliveryKind.ALERT, DeliveryKind.UPDATE)]
            for at in alerts:
                assert sum(at <= other < at + WINDOW for other in alerts) <= MANY, f"{name} is flooded with alerts"
            together = [post.at for post in roots if post.kind is DeliveryKind.ROLLUP]
            for at in together:
                assert sum(at <= other < at + WINDOW for other in together) <= 1, f"{name} gets roll-ups one after the other"
            digests = Counter(post.delivery_id for post in roots if post.kind is DeliveryKind.DIGEST)
            assert all(count == 1 for count in digests.values())

    @invariant()
    def nothing_is_told_twice(self) -> None:
        """Neither by two messages of its own, nor by one and a roll-up."""
        rows = self.rows()
        assert len({(row.channel_id, row.key) for row in rows}) == len(rows)
        rolled = {row.id: row.rolled_into for row in rows}
        for name in CHANNELS:
            alone = {post.delivery_id for post in self.slack.places[name].posts}
            both = [one for one in alone if rolled.get(one) in alone]
            assert not both, f"told alone and rolled up: {both}"

    def nothing_is_lost(self) -> None:
        """All that was ever owed stands, or is waived for something that somebody did, or died with its channel."""
        for row in self.rows():
            name = sorted(CHANNELS)[row.channel_id - 1]
            if row.state is DeliveryState.SENT:
                its = [post for post in self.slack.places[name].posts if post.delivery_id == (row.rolled_into or row.id)]
                assert [post for post in its if post.part == 0], f"{row.key} was sent, and does not stand in {name}"
                told = {one for post in its for one in post.tells}
                assert row.action_id is None or row.action_id in told, f"{row.key} is not in the message that should tell it"
            else:
                assert row.state in (DeliveryState.WAIVED, DeliveryState.DEAD), f"{row.key} is {row.state}"
                assert row.reason in self.causes[name], f"{row.key} in {name}: {row.state}, {row.reason}"

    def digests_tell_all(self) -> None:
        """What was owed to a channel with a digest is told in one, once, whoever wrote it down, and whenever."""
        rows = self.rows()
        sent = {row.id for row in rows if row.kind is DeliveryKind.DIGEST and row.state is DeliveryState.SENT}
        has_digest = {name for name in self.following if name == "C2"}
        for row in rows:
            name = sorted(CHANNELS)[row.channel_id - 1]
            is_told = row.state is not DeliveryState.WAIVED or row.reason == "muted"
            if name not in has_digest or row.kind not in (DeliveryKind.ALERT, DeliveryKind.UPDATE) or not is_told:
                continue
            assert row.digest_id in sent, f"{row.key} is in no digest of {name}: {row.digest_id}"
            assert row.action_id in self.digests[row.digest_id], f"{row.key} is not in the digest that should tell it"

    def cases_are_told_in_order(self) -> None:
        """In a channel, the alert of a case stands before its updates, and each update before the next."""
        cases = self.run(self.case_of())
        for at, name in enumerate(sorted(CHANNELS), start=1):
            first: dict[int, int] = {}
            for place, post in enumerate(self.slack.places[name].posts):
                first.setdefault(post.delivery_id, place)
            rows = [row for row in self.rows() if row.channel_id == at and row.action_id and row.state is DeliveryState.SENT]
            told: dict[int, list[int]] = defaultdict(list)
            for row in rows:
                told[cases[row.action_id]].append(first[row.rolled_into or row.id])
            for case, order in told.items():
                assert order == sorted(order), f"case {case} in {name} is told in another order than it went"

    async def case_of(self) -> dict[int | None, int]:
        async with self.store._read() as session:
            return {one.id: one.case_id for one in (await session.exec(select(Action))).all()}

    def drain(self) -> None:
        """Everybody is back, and the senders are well: all that is open goes out."""
        self.hands.clear()
        for name in CHANNELS:
            self.install(name)
            self.invite(name)
            self.loud(name)
        for _ in range(400):
            claimed = self.run(self.store.claim(9, LEASE))
            self.taken(claimed)
            while self.hands:
                for hand in list(self.hands):
                    self.work(hand, "ok")
                self.clock.forward(seconds=1)
                self.no_channel_is_flooded()
            if not claimed:
                if not any(row.state in OPEN for row in self.rows()):
                    return
                self.clock.forward(seconds=151)
        open_rows = [(row.channel_id, row.key, row.state, row.next_attempt_at) for row in self.rows() if row.state in OPEN]
        raise AssertionError(f"never delivered: {open_rows} at {self.clock()}; {self.run(self.clocks())}")

    async def clocks(self) -> list[tuple[str, datetime | None]]:
        async with self.store._read() as session:
            return [(one.slack_id, one.next_post_at) for one in (await session.exec(select(Channel))).all()]


async def furnished(url: str) -> None:
    """Three channels follow a firm, one of them everything too; one has a digest."""
    store = Store(url, now=FakeClock(START))
    await furnish(store)
    for key in CHANNELS.values():
        await store.follow(FollowIntent(key, "U1", Followed.FIRM, firm_id="tencent"))
        await store.set_digest(key, DigestSetting(is_on=key is C2, at="08:30", zone="UTC", days="daily"), "U1")
    await store.follow(FollowIntent(C2, "U1", Followed.ALL))
    await store.close()


@contextmanager
def copied(template: Path) -> Iterator[str]:
    """A copy of a SQLite file."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(template, Path(folder) / "copy.sqlite")
        yield f"sqlite:///{folder}/copy.sqlite"


@contextmanager
def cloned(template: str) -> Iterator[str]:
    """A copy of a PostgreSQL database that nobody uses."""
    import psycopg

    name = urlsplit(template).path.removeprefix("/")
    server, copy = urlunsplit(urlsplit(template)._replace(path="/postgres")), f"{name}_copy"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"create database {copy} template {name}")
        yield urlunsplit(urlsplit(template)._replace(path=f"/{copy}"))
        connection.execute(f"drop database {copy} with (force)")


def test_whatever_happens_nothing_is_lost_and_nothing_stands_twice(database_url: str) -> None:
    """The same steps in every run of the suite; others with the profile `deep`."""
    asyncio.run(furnished(database_url))
    path = Path(database_url.removeprefix("sqlite:///"))
    is_file = database_url.startswith("sqlite")
    fresh = partial(copied, path) if is_file else partial(cloned, database_url)
    machine = type("Outbox", (Outbox,), {"fresh": staticmethod(fresh)})
    is_deep = settings.get_current_profile_name() == "deep"
    # to make a failure small takes minutes: the search does, the suite does not
    quick = settings(
        max_examples=10 if is_file else 5, stateful_step_count=25, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(machine, settings=settings() if is_deep else quick)


# --- what the search found, small -----------------------------------------------------------------------------------------


async def test_a_late_settlement_frees_no_channel(store: Store, clock: FakeClock) -> None:
    """Its own lease is still nobody else's, so it settles; the channel went to another delivery when the lease ended."""
    await furnish(store)
    await store.follow(FollowIntent(C1, "U1", Followed.FIRM, firm_id="tencent"))
    await poll(store, "cac-news", *(entry(f"Act {n}", act(Kind.FINE, "tencent", number=f"A-{n}")) for n in range(3)))
    (late,) = await store.claim(9, LEASE)
    clock.forward(seconds=LEASE.total_seconds())
    (other,) = await store.claim(9, LEASE)
    assert other.id != late.id
    assert await store.settle(late.id, late.token, RetryAt(clock() + timedelta(seconds=5), "timed out", is_unsure=True))
    clock.forward(seconds=6)
    assert await store.claim(9, LEASE) == ()
