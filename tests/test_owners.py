"""Who is told when a channel or a workspace falls silent, and that all of what waited comes when it is back. On both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from storage import Store
from storage.intents import ChannelKey, ChannelSetting, Dead, DigestSetting, FollowIntent, Installed, RetryAt, Sent
from storage.models import Deliver, DeliveryKind, DeliveryState, Followed, Kind
from storage.tenancy import Channel, Delivery, Workspace
from storage.views import DueDelivery
from tests.fakes.clock import FakeClock
from tests.fakes.polls import NOON, act, entry, furnish, poll

LEGAL = ChannelKey("T1", "C1", "legal", "Asia/Taipei")
OPERATIONS = ChannelKey("T9", "COPS", "ops", "UTC")
LEASE = timedelta(minutes=2)
NIGHT = datetime(2021, 3, 19, 15, 0, tzinfo=UTC)  # 23:00 in Taipei
MORNING = datetime(2021, 3, 19, 23, 0, tzinfo=UTC)  # 07:00 there
MONDAY = datetime(2021, 3, 22, 0, 30, tzinfo=UTC)  # 08:30 there: the first digest


@pytest.fixture
async def world(database_url: str, clock: FakeClock) -> AsyncIterator[Store]:
    """Firms and sources, and operators in a workspace of their own."""
    store = Store(database_url, now=clock, operations=OPERATIONS)
    await furnish(store)
    yield store
    await store.close()


def followed(by: str = "U01", firm_id: str = "tencent", channel: ChannelKey = LEGAL, **fields: Any) -> FollowIntent:
    return FollowIntent(channel, by, Followed.FIRM, firm_id, **fields)


async def found(store: Store, title: str, **fields: Any) -> None:
    """Let one act against Tencent be found."""
    await poll(store, "cac-news", entry(title, act(Kind.FINE, "tencent", number=f"No. {title}"), **fields))


async def notices(store: Store) -> list[tuple[str, str]]:
    """Where each notice is owed, and its key."""
    async with store._read() as session:
        rows = select(Channel.slack_id, Delivery.key).join(Channel, col(Channel.id) == Delivery.channel_id)
        return list((await session.exec(rows.where(Delivery.kind == DeliveryKind.NOTICE).order_by(col(Delivery.id)))).all())


async def told(store: Store) -> list[str]:
    return [place for place, _ in await notices(store)]


async def claim(store: Store) -> list[DueDelivery]:
    return list(await store.claim(20, LEASE))


async def drained(store: Store, clock: FakeClock) -> list[DueDelivery]:
    """All that is posted from now on, channel by channel."""
    posted: list[DueDelivery] = []
    while due := await claim(store):
        for one in due:
            await store.settle(one.id, one.token, Sent(f"{one.id}.1"))
        posted += due
        clock.forward(seconds=2)
    return posted


async def refused(store: Store, why: str = "is_archived") -> str:
    """Let Slack refuse the first alert that is due; its key."""
    due = next(one for one in await claim(store) if one.channel.slack_id == LEGAL.slack_id)
    assert await store.settle(due.id, due.token, Dead(why, is_channel_gone=True))
    return due.key


# --- who is told ---------------------------------------------------------------------------------------------------

WHO: list[tuple[str, str, list[str], str, list[str]]] = [
    ("everyone whose rules it has, once", "C1", ["U02", "U01", "U02"], "U07", ["U01", "U02", "COPS"]),
    ("people, not the command line", "C1", ["operator", "U01"], "U07", ["U01", "COPS"]),
    ("whoever installed the app, where only the command line spoke", "C1", ["operator"], "U07", ["U07", "COPS"]),
    ("the operators alone, where nobody is known", "C1", ["operator"], "", ["COPS"]),
    ("a person of a whole organisation", "C1", ["W01"], "", ["W01", "COPS"]),
    ("what looks like a person and is none", "C1", ["updates", "U", "u01", "UX-1"], "slack", ["COPS"]),
    ("a direct message: nobody else owns it", "D1", ["U01"], "U07", ["COPS"]),
    ("a person who cannot be told that they cannot be told", "U01", [], "U01", ["COPS"]),
    ("nobody, where nothing is followed and nothing waits", "C1", [], "U07", []),
]
FIRMS = ("tencent", "alibaba", "xiaomi", "kuaishou")


@pytest.mark.parametrize(("slack_id", "makers", "installer", "expected"), [case[1:] for case in WHO], ids=[case[0] for case in WHO])
async def test_who_is_told_that_a_channel_is_paused(
    slack_id: str, makers: list[str], installer: str, expected: list[str], world: Store
) -> None:
    await world.install(Installed("T1", "Acme", installer))
    channel = ChannelKey("T1", slack_id, "legal")
    await world.set_channel(channel, ChannelSetting(), "U09")
    for firm_id, maker in zip(FIRMS, makers, strict=False):
        await world.follow(followed(maker, firm_id, channel))
    assert await world.pause_channel(channel, "is_archived")
    assert await notices(world) == [(place, f"notice:channel:{slack_id}:paused:2021-03-19T04:00:00+00:00") for place in expected]


async def test_the_operators_own_channel_is_missed_by_whoever_installed_the_app(world: Store) -> None:
    """It follows nothing, and nobody else would notice."""
    await world.install(Installed("T9", "Operators", "U07"))
    assert await world.owe_notice("notice:a:blocked:1", {"text": "a is blocked"})
    assert await world.pause_channel(OPERATIONS, "is_archived")
    assert await told(world) == ["COPS", "U07"]


async def test_a_notice_says_what_stands_and_what_waits(world: Store, clock: FakeClock) -> None:
    """In the clock and the language of the channel; the operators are told who else was, and in which workspace."""
    await world.follow(followed())
    await world.follow(followed(firm_id="alibaba"))
    await world.set_channel(LEGAL, ChannelSetting(language="zh-Hant"), "U01")
    await found(world, "One")
    await found(world, "Two")
    await world.pause_channel(LEGAL, "is_archived")
    operators, person = sorted(await claim(world), key=lambda one: one.channel.slack_id)
    facts = {"channel": "C1", "name": "legal", "reason": "is_archived", "since": NOON.isoformat(), "rules": "2", "waiting": "2"}
    assert (person.channel.slack_id, person.channel.language, person.channel.time_zone) == ("U01", "zh-Hant", "Asia/Taipei")
    assert person.notice == facts
    assert operators.notice == {**facts, "workspace": "T1", "told": "U01"}


async def test_a_pause_is_told_once_and_the_next_one_anew(world: Store, clock: FakeClock) -> None:
    await world.follow(followed())
    assert await world.pause_channel(LEGAL, "is_archived")
    assert not await world.pause_channel(LEGAL, "not_in_channel")
    assert await told(world) == ["U01", "COPS"]
    clock.forward(hours=1)
    assert await world.resume_channel(LEGAL)
    assert await world.pause_channel(LEGAL, "is_archived")
    assert await told(world) == ["U01", "COPS"] * 2


async def test_of_many_who_hear_of_one_pause_one_tells(world: Store) -> None:
    await world.follow(followed())
    assert sum(await asyncio.gather(*(world.pause_channel(LEGAL, "is_archived") for _ in range(6)))) == 1
    assert sorted(await told(world)) == ["COPS", "U01"]


async def test_two_channels_of_the_same_people_that_go_at_once(world: Store) -> None:
    """Neither waits for the other, and each person has one row."""
    await world.owe_notice("notice:first", {"text": "the operators' channel is there"})
    keys = [ChannelKey("T1", f"C{at}", f"c{at}") for at in range(6)]
    for at, key in enumerate(keys):
        await world.follow(followed(f"U0{1 + at % 2}", channel=key))
        await world.follow(followed(f"U0{2 - at % 2}", "alibaba", channel=key))
    assert all(await asyncio.gather(*(world.pause_channel(key, "is_archived") for key in keys)))
    assert sorted(await told(world)) == ["COPS"] * 7 + ["U01"] * 6 + ["U02"] * 6
    async with world._read() as session:
        assert len((await session.exec(select(Channel).where(col(Channel.slack_id).in_(["U01", "U02"])))).all()) == 2


async def test_without_operators_the_owners_are_told_all_the_same(store: Store) -> None:
    await furnish(store)
    await store.follow(followed())
    assert await store.pause_channel(LEGAL, "is_archived")
    assert await told(store) == ["U01"]


async def test_a_person_who_refused_once_is_tried_again_at_the_next_pause(world: Store, clock: FakeClock) -> None:
    """And what was refused comes with it."""
    await world.follow(followed())
    await world.follow(followed(channel=ChannelKey("T1", "C2", "risk")))
    await world.pause_channel(LEGAL, "is_archived")
    (due,) = [one for one in await claim(world) if one.channel.slack_id == "U01"]
    assert await world.settle(due.id, due.token, Dead("messages_tab_disabled", is_channel_gone=True))
    clock.forward(hours=1)
    assert [one.channel.slack_id for one in await drained(world, clock) if one.channel.slack_id == "U01"] == []
    await world.pause_channel(ChannelKey("T1", "C2"), "is_archived")
    assert [one.notice["channel"] for one in await drained(world, clock) if one.channel.slack_id == "U01"] == ["C1", "C2"]


async def test_a_person_is_no_channel_that_follows_something(world: Store) -> None:
    """Neither on the home page, nor in a command that names channels, nor among a workspace's."""
    await world.install(Installed("T1", "Acme", "U07"))
    await world.follow(followed())
    await world.set_channel(LEGAL, ChannelSetting(language="zh-Hant"), "U01")
    await world.pause_channel(LEGAL, "is_archived")
    assert await world.channel(ChannelKey("T1", "U01")) is not None
    assert [place.channel.slack_id for place in await world.places("T1")] == ["C1"]
    workspace = await world.workspace("T1")
    assert workspace is not None
    assert (workspace.channels, workspace.subscriptions) == (1, 1)


# --- what waited comes -----------------------------------------------------------------------------------------------


async def test_the_alert_that_found_the_channel_gone_comes_when_it_is_back(world: Store, clock: FakeClock) -> None:
    """Nobody has seen it; those found since come too, each once."""
    await world.follow(followed())
    await found(world, "One")
    assert await refused(world) == "alert:RW-1001"
    await found(world, "Two")
    clock.forward(days=3)
    await found(world, "Three")
    assert [one for one in await drained(world, clock) if one.channel.slack_id == "C1"] == []
    assert await world.resume_channel(LEGAL)
    assert [one.key for one in await drained(world, clock) if one.kind is DeliveryKind.ALERT] == [f"alert:RW-100{at}" for at in (1, 2, 3)]
    assert not await world.resume_channel(LEGAL)
    assert await drained(world, clock) == []


@pytest.mark.parametrize("is_at_once", [False, True], ids=["the event first", "both at once"])
async def test_what_was_refused_by_another_word_than_the_events_comes_too(is_at_once: bool, world: Store, clock: FakeClock) -> None:
    """The bot is removed from a private channel while a post is under way."""
    await world.follow(followed())
    await found(world, "One")
    (due,) = await claim(world)
    gone = world.pause_channel(LEGAL, "not_in_channel")
    refusal = world.settle(due.id, due.token, Dead("channel_not_found", is_channel_gone=True))
    if is_at_once:
        await asyncio.gather(refusal, gone)
    else:
        await gone
        await refusal
    await world.resume_channel(LEGAL)
    assert [one.key for one in await drained(world, clock) if one.kind is DeliveryKind.ALERT] == ["alert:RW-1001"]


async def test_what_died_for_another_reason_stays_dead(world: Store, clock: FakeClock) -> None:
    await world.follow(followed())
    await found(world, "One")
    (due,) = await claim(world)
    await world.settle(due.id, due.token, Dead("invalid_blocks"))
    await world.pause_channel(LEGAL, "is_archived")
    await world.resume_channel(LEGAL)
    assert [one.kind for one in await drained(world, clock)] == [DeliveryKind.NOTICE] * 2


@pytest.mark.parametrize("is_lost", [False, True], ids=["refused at once", "a reply was lost before"])
async def test_what_may_stand_already_is_looked_for_before_it_is_posted(is_lost: bool, world: Store, clock: FakeClock) -> None:
    await world.follow(followed())
    await found(world, "One")
    if is_lost:
        (due,) = await claim(world)
        await world.settle(due.id, due.token, RetryAt(clock() + timedelta(seconds=5), "timed out", is_unsure=True))
        clock.forward(seconds=5)
    await refused(world)
    clock.forward(minutes=5)
    await world.resume_channel(LEGAL)
    (due,) = [one for one in await drained(world, clock) if one.kind is DeliveryKind.ALERT]
    assert due.is_unsure is is_lost


async def test_a_channel_that_is_back_in_its_quiet_hours_waits_for_their_end(world: Store, clock: FakeClock) -> None:
    """The alert that was refused as well."""
    await world.follow(followed())
    await world.set_channel(LEGAL, ChannelSetting(quiet=("22:00", "07:00")), "U01")
    await found(world, "One")
    await refused(world)
    await found(world, "Two")
    clock.at = NIGHT
    await world.resume_channel(LEGAL)
    assert DeliveryKind.ALERT not in {one.kind for one in await drained(world, clock)}
    async with world._read() as session:
        rows = (await session.exec(select(Delivery).where(Delivery.kind == DeliveryKind.ALERT))).all()
    assert [(row.is_held, row.next_attempt_at) for row in rows] == [(True, MORNING)] * 2
    clock.at = MORNING
    (rollup,) = [one.rollup for one in await drained(world, clock)]
    assert rollup is not None
    assert len(rollup.actions) == 2


LATE: list[tuple[str, datetime, list[str]]] = [
    ("back on the same day: that day's, late", datetime(2021, 3, 22, 6, 0, tzinfo=UTC), ["digest:2021-03-22"]),
    ("back days later: the newest alone", datetime(2021, 3, 25, 6, 0, tzinfo=UTC), ["digest:2021-03-25"]),
]


@pytest.mark.parametrize(("back_at", "keys"), [case[1:] for case in LATE], ids=[case[0] for case in LATE])
@pytest.mark.parametrize("is_refused", [True, False], ids=["its digest was refused", "nothing was tried"])
async def test_one_late_digest_tells_of_all_the_time(
    back_at: datetime, keys: list[str], is_refused: bool, world: Store, clock: FakeClock
) -> None:
    """That of the digest that was refused too."""
    await world.follow(followed(deliver=Deliver.DIGEST))
    await found(world, "Before")
    clock.at = MONDAY if is_refused else MONDAY - timedelta(minutes=1)
    assert await world.owe_digests() == int(is_refused)
    if is_refused:
        (due,) = await claim(world)
        await world.settle(due.id, due.token, Dead("is_archived", is_channel_gone=True))
    else:
        await world.pause_channel(LEGAL, "is_archived")
    clock.at = back_at - timedelta(minutes=1)
    await found(world, "Meanwhile")
    assert await world.owe_digests() == 0
    clock.at = back_at
    await world.resume_channel(LEGAL)
    await world.owe_digests()
    assert await world.owe_digests() == 0
    digests = [one for one in await drained(world, clock) if one.kind is DeliveryKind.DIGEST]
    assert [one.key for one in digests] == keys
    (view,) = [one.digest for one in digests if one.digest]
    assert view.is_late
    whole = ["RW-1001", "RW-1002"]
    told_of = [action.ref for action in view.new]
    # a digest of the same day keeps its window: what came since is in the next
    assert told_of == (whole[:1] if is_refused and back_at.day == 22 else whole)


async def test_no_digest_comes_late_where_it_was_turned_off_meanwhile(world: Store, clock: FakeClock) -> None:
    await world.follow(followed())
    clock.at = MONDAY
    assert await world.owe_digests() == 1
    (due,) = await claim(world)
    await world.settle(due.id, due.token, Dead("is_archived", is_channel_gone=True))
    async with world._write() as session:
        row = (await session.exec(select(Channel).where(Channel.slack_id == "C1"))).one()
        row.is_digest_on, row.next_digest_at = False, None
    await world.resume_channel(LEGAL)
    assert [one.kind for one in await drained(world, clock) if one.channel.slack_id == "C1"] == []


async def test_what_a_digest_was_to_tell_that_was_refused_after_a_later_one_was_owed_is_told(world: Store, clock: FakeClock) -> None:
    """It waited for a day, for a token that was revoked; the channel is gone when there is a new one."""
    await world.follow(followed(deliver=Deliver.DIGEST))
    await found(world, "Of Friday")
    clock.at = MONDAY
    assert await world.owe_digests() == 1
    (due,) = await claim(world)
    await world.settle(due.id, due.token, RetryAt(MONDAY + timedelta(hours=23), "token_revoked", is_for_all=True))
    await found(world, "Of Monday")
    clock.at = MONDAY + timedelta(days=1)
    assert await world.owe_digests() == 1
    (due,) = await claim(world)
    assert due.key == "digest:2021-03-22"
    await world.settle(due.id, due.token, Dead("is_archived", is_channel_gone=True))
    await world.resume_channel(LEGAL)
    told_of = []
    for days in (1, 2):
        clock.at = MONDAY + timedelta(days=days)
        await world.owe_digests()
        told_of += [action.title for one in await drained(world, clock) if one.digest for action in one.digest.new]
    assert sorted(told_of) == ["Of Friday", "Of Monday"]


async def test_a_digest_that_a_later_one_told_of_stays_dead(world: Store, clock: FakeClock) -> None:
    """A channel that is refused twice for one reason, days apart."""
    await world.follow(followed())
    for day in (22, 23):
        clock.at = datetime(2021, 3, day, 0, 30, tzinfo=UTC)
        assert await world.owe_digests() == 1
        due = next(one for one in await claim(world) if one.kind is DeliveryKind.DIGEST)
        await world.settle(due.id, due.token, Dead("is_archived", is_channel_gone=True))
        clock.at = datetime(2021, 3, 24, 0, 29, tzinfo=UTC) if day == 23 else datetime(2021, 3, 23, 0, 30, tzinfo=UTC)
        await world.resume_channel(LEGAL)
    assert [one.key for one in await drained(world, clock) if one.kind is DeliveryKind.DIGEST] == ["digest:2021-03-23"]


# --- workspaces --------------------------------------------------------------------------------------------------------


async def test_the_operators_are_told_of_a_workspace_that_left_and_its_people_cannot_be(world: Store, clock: FakeClock) -> None:
    await world.install(Installed("T1", "Acme", "U07"))
    await world.follow(followed())
    await found(world, "One")
    assert await world.uninstall("T1", why="team_access_revoked")
    assert not await world.uninstall("T1")
    assert await notices(world) == [("COPS", "notice:workspace:T1:gone:2021-03-19T04:00:00+00:00")]
    (due,) = await claim(world)
    assert due.notice == {
        "workspace": "T1",
        "name": "Acme",
        "reason": "team_access_revoked",
        "since": NOON.isoformat(),
        "rules": "1",
        "waiting": "1",
    }


@pytest.mark.parametrize("workspace_id", ["T1", "T9"], ids=["that follows nothing", "of the operators"])
async def test_nobody_is_told_of_a_workspace(workspace_id: str, world: Store) -> None:
    await world.install(Installed(workspace_id, "Acme", "U07"))
    if workspace_id == "T9":
        await world.follow(followed(channel=ChannelKey("T9", "C1")))
    assert await world.uninstall(workspace_id)
    assert await notices(world) == []


async def test_a_workspace_that_comes_back_gets_all_that_waited_and_one_late_digest(world: Store, clock: FakeClock) -> None:
    """At the end of its quiet hours."""
    await world.install(Installed("T1", "Acme", "U07"))
    await world.follow(followed())
    await world.set_channel(LEGAL, ChannelSetting(quiet=("22:00", "07:00")), "U01")
    await found(world, "One")
    assert await world.uninstall("T1")
    clock.at = datetime(2021, 3, 24, 4, 0, tzinfo=UTC)
    await found(world, "Two")
    clock.at = datetime(2021, 3, 24, 15, 0, tzinfo=UTC)
    assert await world.owe_digests() == 0
    await world.install(Installed("T1", "Acme", "U07"))
    assert await world.owe_digests() == 1
    posted = [one for one in await drained(world, clock) if one.channel.slack_id == "C1"]
    assert [one.key for one in posted] == ["digest:2021-03-24"]
    (view,) = [one.digest for one in posted if one.digest]
    assert (view.is_late, [action.ref for action in view.new]) == (True, ["RW-1001", "RW-1002"])
    clock.at = datetime(2021, 3, 24, 23, 0, tzinfo=UTC)
    (rollup,) = [one.rollup for one in await drained(world, clock)]
    assert rollup is not None
    assert [action.ref for action in rollup.actions] == ["RW-1001", "RW-1002"]


async def test_a_workspace_of_a_token_in_the_settings_has_nobody_who_installed_it(world: Store) -> None:
    await world.follow(followed("operator"))
    async with world._read() as session:
        assert (await session.exec(select(Workspace.installed_by).where(Workspace.id == "T1"))).one() == ""
    assert await world.pause_channel(LEGAL, "is_archived")
    assert await told(world) == ["COPS"]


# --- what only the digest tells -----------------------------------------------------------------------------------------


async def test_what_waits_for_the_next_digest_is_counted_act_by_act(world: Store, clock: FakeClock) -> None:
    """Only what was posted nowhere; what was posted is in the digest as well, and what no digest holds waits for none."""
    assert await world.kept_for_digest(LEGAL) == 0
    await world.follow(followed())
    await found(world, "Posted")
    await found(world, "Too old", waived="age")
    await found(world, "History", waived="first poll")
    await poll(world, "cac-news", entry("Nameless", act(Kind.FINE, count=11, number="N-1")))
    clock.forward(minutes=1)
    assert await world.kept_for_digest(LEGAL) == 2
    clock.at = MONDAY
    await world.owe_digests()
    assert await world.kept_for_digest(LEGAL) == 0
    await world.set_digest(LEGAL, DigestSetting(is_on=False), "U01")
    assert (await world.set_digest(LEGAL, DigestSetting(is_on=True), "U01")).is_digest_on


async def test_nothing_is_lost_of_what_was_owed(world: Store, clock: FakeClock) -> None:
    """Refused, paused, back, gone with its workspace, back again: every alert is posted once."""
    await world.install(Installed("T1", "Acme", "U07"))
    await world.follow(followed())
    posted: list[str] = []
    for at in range(4):
        await found(world, f"Act {at}")
        if at % 2:
            await world.uninstall("T1")
            await world.install(Installed("T1", "Acme", "U07"))
        else:
            await refused(world)
            assert await claim(world) is not None
            await world.resume_channel(LEGAL)
        clock.forward(minutes=20)
        posted += [one.key for one in await drained(world, clock) if one.kind is DeliveryKind.ALERT]
    assert posted == [f"alert:RW-{1001 + at}" for at in range(4)]
    async with world._read() as session:
        states = set(await session.exec(select(Delivery.state).where(Delivery.kind == DeliveryKind.ALERT)))
    assert states == {DeliveryState.SENT}


# --- what Slack refuses --------------------------------------------------------------------------------------------------


async def test_a_channel_that_slack_refuses_tells_its_owners_in_the_same_transaction(world: Store, clock: FakeClock) -> None:
    """The alert that was refused counts as one that waits."""
    await world.follow(followed())
    await found(world, "One")
    await found(world, "Two")
    await refused(world, "restricted_action")
    assert await told(world) == ["U01", "COPS"]
    (operators,) = [one for one in await claim(world) if one.channel.slack_id == "COPS"]
    assert (operators.notice["reason"], operators.notice["waiting"]) == ("restricted_action", "2")


async def test_a_notice_that_a_person_refuses_is_told_to_the_operators_and_nothing_loops(world: Store, clock: FakeClock) -> None:
    """Nor does it when the operators' own channel refuses what it is told of that."""
    await world.follow(followed())
    await world.pause_channel(LEGAL, "is_archived")
    rounds = 0
    while due := await claim(world):
        for one in due:
            await world.settle(one.id, one.token, Dead("messages_tab_disabled", is_channel_gone=True))
        clock.forward(minutes=1)
        rounds += 1
        assert rounds < 9
    assert await told(world) == ["U01", "COPS", "COPS"]


async def test_a_lease_that_went_to_another_pauses_nothing_and_tells_nobody(world: Store, clock: FakeClock) -> None:
    await world.follow(followed())
    await found(world, "One")
    (late,) = await claim(world)
    clock.forward(minutes=3)
    (now,) = await claim(world)
    assert not await world.settle(late.id, late.token, Dead("is_archived", is_channel_gone=True))
    assert await told(world) == []
    assert await world.settle(now.id, now.token, Sent("1.1"))
