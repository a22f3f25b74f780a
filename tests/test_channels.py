"""Settings of channels, mutes, quiet hours, and what Slack says becomes of channels. On both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, delete, select

from storage import StorageError, Store, owing
from storage.filters import Filter
from storage.intents import ChannelKey, ChannelSetting, Dead, DigestSetting, FollowIntent, MuteIntent, RetryAt, Sent
from storage.models import Broadcast, Deliver, DeliveryState, Firm, Followed, Kind
from storage.owing import insert_deliveries
from storage.tenancy import Delivery, WhoMayChange
from storage.views import ChannelView, DueDelivery
from tests.fakes.clock import FakeClock
from tests.fakes.polls import NOON, act, entry, firm, furnish, poll

LEGAL = ChannelKey("T1", "C1", "legal", "Asia/Taipei")
WEEK = NOON + timedelta(days=7)
LEASE = timedelta(minutes=2)


@pytest.fixture
async def world(store: Store) -> Store:
    await furnish(store)
    return store


def follow_firm(firm_id: str = "tencent", channel: ChannelKey = LEGAL, **fields: Any) -> FollowIntent:
    return FollowIntent(channel, "U1", Followed.FIRM, firm_id, **fields)


async def changes_of(store: Store, channel: ChannelKey = LEGAL) -> list[tuple[str, str, str, str]]:
    """Oldest first: who, what, before, after."""
    return [(one.by, one.what, one.before, one.after) for one in reversed(await store.changes(channel, 99))]


async def found(store: Store, title: str, *firms: Any, kind: Kind = Kind.FINE, **fields: Any) -> None:
    """Let one act be found; each title is an act of its own."""
    number = fields.pop("number", f"No. {title}")
    await poll(store, "cac-news", entry(title, act(kind, *(firms or ("tencent",)), number=number), **fields))


async def standing(store: Store) -> list[tuple[str, DeliveryState, str]]:
    async with store._read() as session:
        rows = await session.exec(select(Delivery).order_by(col(Delivery.id)))
        return [(row.key, row.state, row.reason) for row in rows]


async def claim(store: Store) -> list[DueDelivery]:
    return list(await store.claim(9, LEASE))


async def view_of(store: Store, channel: ChannelKey = LEGAL) -> ChannelView:
    view = await store.channel(channel)
    assert view is not None
    return view


OWED, WAIVED = DeliveryState.OWED, DeliveryState.WAIVED

# --- settings ------------------------------------------------------------------------------------------------------


async def test_a_setting_changes_what_it_names_and_nothing_else(world: Store) -> None:
    await world.follow(follow_firm())
    view = await world.set_channel(LEGAL, ChannelSetting(language="zh-Hant", quiet=("22:00", "7:00".zfill(5))), "U2")
    assert (view.language, view.quiet_from, view.quiet_to) == ("zh-Hant", "22:00", "07:00")
    assert (view.time_zone, view.broadcast, view.who_may_change) == ("Asia/Taipei", Broadcast.ESCALATION, WhoMayChange.EVERYONE)
    view = await world.set_channel(LEGAL, ChannelSetting(quiet=("", ""), who_may_change=WhoMayChange.ADMINS), "U3")
    assert (view.language, view.quiet_from, view.quiet_to, view.who_may_change) == ("zh-Hant", None, None, WhoMayChange.ADMINS)
    assert (await changes_of(world))[2:] == [
        ("U2", "language", "en", "zh-Hant"),
        ("U2", "quiet", "", "22:00-07:00"),
        ("U3", "quiet", "22:00-07:00", ""),
        ("U3", "who_may_change", "everyone", "admins"),
    ]
    assert await view_of(world) == view


async def test_a_channel_may_be_set_before_it_follows_anything(world: Store) -> None:
    view = await world.set_channel(LEGAL, ChannelSetting(broadcast=Broadcast.NEVER), "U1")
    assert (view.subscriptions, view.name, view.time_zone) == (0, "legal", "Asia/Taipei")
    assert (await world.follow(follow_firm())).subscription.broadcast is Broadcast.NEVER


async def test_broadcast_is_given_to_all_rules_and_to_those_to_come(world: Store, clock: FakeClock) -> None:
    await world.follow(follow_firm())
    await world.follow(follow_firm("alibaba", broadcast=Broadcast.ALL))
    clock.forward(hours=1)
    await world.set_channel(LEGAL, ChannelSetting(broadcast=Broadcast.ALL), "U2")
    await world.follow(follow_firm("xiaomi"))
    rules = await world.subscriptions(LEGAL)
    assert [rule.broadcast for rule in rules] == [Broadcast.ALL] * 3
    assert [(rule.changed_by, rule.changed_at) for rule in rules] == [("U2", clock()), ("", None), ("", None)]


async def test_a_zone_moves_the_digest_with_it_but_turns_none_on(world: Store) -> None:
    await world.follow(follow_firm())
    view = await world.set_channel(LEGAL, ChannelSetting(zone="UTC"), "U1")
    assert view.next_digest_at == datetime(2021, 3, 19, 8, 30, tzinfo=UTC)
    await world.set_digest(LEGAL, DigestSetting(is_on=False), "U1")
    assert (await world.set_channel(LEGAL, ChannelSetting(zone="Asia/Tokyo"), "U1")).next_digest_at is None


@pytest.mark.parametrize(
    ("setting", "error"),
    [
        (ChannelSetting(zone="Mars/Base"), "no time zone 'Mars/Base'"),
        (ChannelSetting(language="fr"), "no language 'fr' here. These there are: en, zh-Hant, zh-Hans"),
        (ChannelSetting(quiet=("22:00", "")), "'' is no time of day"),
        (ChannelSetting(quiet=("22:00", "25:00")), "'25:00' is no time of day"),
        (ChannelSetting(quiet=("08:00", "08:00")), "none, or all day"),
        (ChannelSetting(language="zh-Hans", zone=""), "no time zone ''"),
    ],
    ids=["a zone", "a language", "half of the quiet hours", "an hour too late", "no quiet hour at all", "right and wrong together"],
)
async def test_a_setting_that_cannot_be_is_refused_whole(setting: ChannelSetting, error: str, world: Store) -> None:
    with pytest.raises(StorageError, match=error):
        await world.set_channel(LEGAL, setting, "U1")
    assert await world.channel(LEGAL) is None


async def test_set_twice_is_set_once(world: Store) -> None:
    setting = ChannelSetting("Asia/Tokyo", "zh-Hans", ("23:00", "06:30"), Broadcast.ALL, WhoMayChange.MEMBERS)
    await world.follow(follow_firm())
    first = await world.set_channel(LEGAL, setting, "U1")
    trail = await changes_of(world)
    assert await world.set_channel(LEGAL, setting, "U2") == first
    assert await changes_of(world) == trail


async def test_an_edited_rule_says_who_edited_it_until_it_is_followed_anew(world: Store, clock: FakeClock) -> None:
    await world.follow(follow_firm())
    clock.forward(hours=1)
    await world.follow(replace(follow_firm(filter=Filter.parse("kind:fine")), by="U2"))
    (rule,) = await world.subscriptions(LEGAL)
    assert (rule.created_by, rule.changed_by, rule.changed_at) == ("U1", "U2", clock())
    await world.unfollow(LEGAL, "U3", firm_id="tencent")
    await world.follow(follow_firm())
    (rule,) = await world.subscriptions(LEGAL)
    assert (rule.changed_by, rule.changed_at) == ("", None)


async def test_the_newest_changes_come_first_and_no_more_than_asked(world: Store) -> None:
    assert await world.changes(LEGAL) == ()
    for language in ("zh-Hant", "zh-Hans", "en"):
        await world.set_channel(LEGAL, ChannelSetting(language=language), "U1")
    newest = await world.changes(LEGAL, 2)
    assert [(one.by, one.what, one.before, one.after, one.at) for one in newest] == [
        ("U1", "language", "zh-Hans", "en", NOON),
        ("U1", "language", "zh-Hant", "zh-Hans", NOON),
    ]


async def test_one_digest_command_twice_is_told_once(world: Store) -> None:
    for _ in range(2):
        await world.set_digest(LEGAL, DigestSetting(is_on=False), "U1")
    assert await changes_of(world) == [("U1", "digest", "off", "off")]


# --- quiet hours ---------------------------------------------------------------------------------------------------

NIGHT = datetime(2021, 3, 19, 15, 0, tzinfo=UTC)  # 23:00 in Taipei
MORNING = datetime(2021, 3, 19, 23, 0, tzinfo=UTC)  # 07:00 there
QUIET = ChannelSetting(quiet=("22:00", "07:00"))


@pytest.fixture
async def quiet(world: Store, clock: FakeClock) -> Store:
    """A channel that follows Tencent, at night."""
    await world.follow(follow_firm())
    await world.set_digest(LEGAL, DigestSetting(is_on=False), "U1")
    await world.set_channel(LEGAL, QUIET, "U1")
    clock.at = NIGHT
    return world


async def test_what_is_found_in_quiet_hours_comes_in_order_at_their_end(quiet: Store, clock: FakeClock) -> None:
    await found(quiet, "A decision", guid="g1", number="A-1")
    await poll(quiet, "cac-news", entry("A decision", act(Kind.BAN, "tencent", number="A-1"), guid="g1", text="x", document_id=1))
    clock.at = MORNING - timedelta(seconds=1)
    assert await claim(quiet) == []
    clock.at = MORNING
    (due,) = await claim(quiet)
    assert due.key == "alert:RW-1001"
    await quiet.settle(due.id, due.token, Sent("1.1"))
    clock.forward(seconds=1)
    assert [one.key for one in await claim(quiet)] == ["update:RW-1001:2"]


async def test_quiet_hours_are_the_channels_own(quiet: Store) -> None:
    other = ChannelKey("T1", "C2", "risk")
    await quiet.follow(follow_firm(channel=other))
    await found(quiet, "A decision")
    assert [one.channel.slack_id for one in await claim(quiet)] == ["C2"]


async def test_in_the_day_nothing_waits(quiet: Store, clock: FakeClock) -> None:
    clock.at = MORNING
    await found(quiet, "A decision")
    assert len(await claim(quiet)) == 1


async def held(store: Store) -> list[tuple[bool, datetime]]:
    """Of each message: whether it waits for the end of quiet hours, and when it may be posted."""
    async with store._read() as session:
        rows = await session.exec(select(Delivery).order_by(col(Delivery.id)))
        return [(row.is_held, row.next_attempt_at) for row in rows]


@pytest.mark.parametrize(
    "setting",
    [ChannelSetting(quiet=("", "")), ChannelSetting(quiet=("00:00", "07:00")), ChannelSetting(zone="Europe/London")],
    ids=["taken away", "begin later", "it is day in the new zone"],
)
async def test_quiet_hours_that_hold_no_more_let_go_what_they_held(setting: ChannelSetting, quiet: Store) -> None:
    await found(quiet, "A decision")
    await quiet.set_channel(LEGAL, setting, "U1")
    assert await held(quiet) == [(False, NIGHT)]
    assert len(await claim(quiet)) == 1


@pytest.mark.parametrize(
    ("setting", "until"),
    [
        (ChannelSetting(quiet=("22:00", "08:00")), MORNING + timedelta(hours=1)),
        (ChannelSetting(quiet=("23:00", "06:30")), MORNING - timedelta(minutes=30)),
        (ChannelSetting(zone="Asia/Tokyo"), MORNING - timedelta(hours=1)),
        (ChannelSetting(zone="Asia/Tokyo", quiet=("22:00", "08:00")), MORNING),
    ],
    ids=["they end later", "they end earlier", "another zone", "both"],
)
async def test_quiet_hours_that_end_at_another_time_hold_until_then(setting: ChannelSetting, until: datetime, quiet: Store) -> None:
    """What waits for the end of quiet hours is marked so: it comes rolled up."""
    await found(quiet, "One")
    await quiet.set_channel(LEGAL, setting, "U1")
    await found(quiet, "Two")
    assert {at for _, at in await held(quiet)} == {until}
    assert (await held(quiet))[0] == (True, until)


async def test_what_was_held_over_a_change_of_the_clock_comes_at_the_end_on_the_wall(quiet: Store, clock: FakeClock) -> None:
    """The zone was changed at night, in the spring and in the autumn."""
    for at, until in (("2021-03-14T04:00Z", "2021-03-14T11:00Z"), ("2021-11-07T03:00Z", "2021-11-07T12:00Z")):
        await quiet.set_channel(LEGAL, ChannelSetting(zone="Asia/Taipei", quiet=("10:00", "13:00")), "U1")
        clock.at = datetime.fromisoformat(at)
        await found(quiet, f"At {at}")
        await quiet.set_channel(LEGAL, ChannelSetting(zone="America/New_York", quiet=("22:00", "07:00")), "U1")
        assert (await held(quiet))[-1] == (True, datetime.fromisoformat(until))


async def test_a_digest_setting_with_a_zone_lets_go_as_well(quiet: Store) -> None:
    await found(quiet, "A decision")
    await quiet.set_digest(LEGAL, DigestSetting(zone="Europe/London"), "U1")
    assert len(await claim(quiet)) == 1


async def test_new_quiet_hours_hold_what_waits_a_retry_too(world: Store, clock: FakeClock) -> None:
    await world.follow(follow_firm())
    clock.at = NIGHT
    await found(world, "One")
    await found(world, "Two")
    (due,) = await claim(world)
    await world.settle(due.id, due.token, RetryAt(clock() + timedelta(minutes=1), "ratelimited"))
    await world.set_channel(LEGAL, QUIET, "U1")
    clock.forward(minutes=1)
    assert await claim(world) == []
    clock.at = MORNING - timedelta(seconds=1)
    assert await claim(world) == []
    clock.at = MORNING
    (due,) = await claim(world)
    assert due.rollup is not None
    assert [action.ref for action in due.rollup.actions] == ["RW-1001", "RW-1002"]


# --- mutes ---------------------------------------------------------------------------------------------------------


def muted(until: datetime | None = WEEK, channel: ChannelKey = LEGAL, **what: Any) -> MuteIntent:
    return MuteIntent(channel, "U2", until, **what)


FIRMS = "firm:tencent"
TIKTOK = firm("bytedance", brand="tiktok")

MUTES: list[tuple[str, list[str], dict[str, Any], tuple[Any, ...], str]] = [
    ("the channel", ["firm:tencent"], {}, ("tencent",), "muted"),
    ("the channel, everything followed", ["all"], {}, ("tencent",), "muted"),
    ("the firm", ["firm:tencent"], {"firm_id": "tencent"}, ("tencent",), "muted"),
    ("another firm", ["firm:tencent"], {"firm_id": "alibaba"}, ("tencent",), ""),
    ("one of two watched firms", ["firm:tencent", "firm:alibaba"], {"firm_id": "tencent"}, ("tencent", "alibaba"), ""),
    ("a firm beside one that nobody watches", ["firm:tencent"], {"firm_id": "tencent"}, ("tencent", "alibaba"), "muted"),
    ("the firm, but everything is followed too", ["firm:tencent", "all"], {"firm_id": "tencent"}, ("tencent",), ""),
    ("the firm, but its regulator is followed too", ["firm:tencent", "regulator:cn-cac"], {"firm_id": "tencent"}, ("tencent",), ""),
    ("the brand that was hit, its owner followed", ["firm:bytedance"], {"firm_id": "tiktok"}, (TIKTOK,), "muted"),
    ("the owner of the brand that is followed", ["firm:tiktok"], {"firm_id": "bytedance"}, (TIKTOK,), "muted"),
    ("the brand, but its owner is hit itself too", ["firm:bytedance"], {"firm_id": "tiktok"}, (TIKTOK, "bytedance"), ""),
]


@pytest.mark.parametrize(("follows", "what", "firms", "reason"), [case[1:] for case in MUTES], ids=[case[0] for case in MUTES])
async def test_what_a_mute_silences(follows: list[str], what: dict[str, Any], firms: tuple[Any, ...], reason: str, world: Store) -> None:
    for one in follows:
        kind, _, subject = one.partition(":")
        ids = {"firm_id": subject} if kind == "firm" else {"regulator_id": subject} if kind == "regulator" else {}
        await world.follow(FollowIntent(LEGAL, "U1", Followed(kind), **ids))
    await world.mute(muted(**what))
    await found(world, "A decision", *firms)
    assert await standing(world) == [("alert:RW-1001", WAIVED if reason else OWED, reason)]


async def test_a_muted_subsidiary_is_muted_for_its_owners_channel_too(world: Store) -> None:
    """A row by ownership has the name of what belongs to it."""
    owner = replace(firm("alibaba"), surface="Ant Group", via="Ant Group, affiliate of Alibaba Group")
    await world.follow(follow_firm("alibaba"))
    await world.mute(muted(firm_id="ant-group"))
    await found(world, "One", "ant-group", owner)
    await found(world, "Two", "ant-group", owner, "alibaba", number="2")
    assert [reason for _, _, reason in await standing(world)] == ["muted", "muted"]
    await found(world, "Three", "alibaba")
    assert (await standing(world))[-1] == ("alert:RW-1003", OWED, "")


async def test_a_muted_case_is_silent_in_all_its_actions_and_others_are_not(world: Store) -> None:
    await world.follow(FollowIntent(LEGAL, "U1", Followed.ALL))
    await found(world, "A decision", number="A-1")
    await world.mute(muted(action_id=1001))
    await found(world, "Its appeal", kind=Kind.APPEAL, number="A-1")
    await found(world, "Another", number="B-1")
    assert await standing(world) == [
        ("alert:RW-1001", OWED, ""),
        ("update:RW-1002:1", WAIVED, "muted"),
        ("alert:RW-1003", OWED, ""),
    ]


@pytest.mark.parametrize("deliver", list(Deliver))
async def test_what_a_mute_kept_back_is_in_the_digest(deliver: Deliver, world: Store, clock: FakeClock) -> None:
    await world.follow(follow_firm(deliver=deliver))
    await world.mute(muted())
    await found(world, "A decision")
    clock.forward(minutes=1)
    digest = await world.preview_digest(LEGAL)
    assert digest is not None
    assert [action.ref for action in digest.new] == ["RW-1001"]


async def test_a_channel_that_is_muted_past_a_digest_reads_there_once_what_it_missed(world: Store, clock: FakeClock) -> None:
    """And is not told again when the mute ends; what comes then alerts as before."""
    await world.follow(follow_firm())
    await world.mute(muted())
    await found(world, "Missed")
    told = []
    for day in (22, 23, 24):
        clock.at = datetime(2021, 3, day, 0, 30, tzinfo=UTC)
        assert await world.owe_digests() == 1
        (due,) = await claim(world)
        assert due.digest is not None
        told.append([action.ref for action in due.digest.new])
        await world.settle(due.id, due.token, Sent(f"{day}.1"))
    assert told == [["RW-1001"], [], []]
    clock.at = WEEK
    assert await world.mutes(LEGAL) == ()
    assert [one for one in await claim(world) if one.action] == []
    await found(world, "Heard")
    assert [one.key for one in await claim(world)] == ["alert:RW-1002"]


async def test_an_end_before_its_time_alerts_from_then_on(world: Store) -> None:
    """What was missed meanwhile stays for the digest."""
    await world.follow(follow_firm())
    await world.mute(muted())
    await found(world, "Missed")
    assert await world.mute(muted(None)) == ()
    await found(world, "Heard")
    assert await standing(world) == [("alert:RW-1001", WAIVED, "muted"), ("alert:RW-1002", OWED, "")]


async def test_a_first_poll_stays_out_of_the_digest_muted_or_not(world: Store) -> None:
    await world.follow(follow_firm())
    await world.mute(muted())
    await found(world, "History", waived="first poll")
    assert await standing(world) == [("alert:RW-1001", WAIVED, "first poll")]


async def test_when_a_mute_ends_the_case_gets_its_card_at_its_next_move(world: Store, clock: FakeClock) -> None:
    await world.follow(follow_firm())
    await world.mute(muted(firm_id="tencent"))
    await found(world, "A decision", number="A-1")
    clock.at = WEEK
    assert await world.mutes(LEGAL) == ()
    await found(world, "Its appeal", kind=Kind.APPEAL, number="A-1")
    (due,) = await claim(world)
    assert (due.key, due.card_ts, due.muted_until, len(due.case)) == ("alert:RW-1002", None, None, 1)


async def test_the_mutes_of_a_channel_the_one_that_ends_first_before(world: Store) -> None:
    await world.follow(follow_firm())
    await found(world, "A decision", number="A-1")
    await found(world, "Its appeal", kind=Kind.APPEAL, number="A-1")
    await world.mute(muted())
    await world.mute(muted(WEEK - timedelta(days=1), action_id=1002))
    views = await world.mute(muted(WEEK - timedelta(days=2), firm_id="alibaba"))
    assert [(one.firm and one.firm.name, one.action_id, one.by) for one in views] == [
        ("Alibaba Group", None, "U2"),
        (None, 1001, "U2"),  # the case by its first action
        (None, None, "U2"),
    ]
    assert await world.mutes(LEGAL) == views
    assert (await view_of(world)).muted_until == WEEK


async def test_muting_twice_is_once_and_a_new_end_replaces_the_old(world: Store, clock: FakeClock) -> None:
    await world.mute(muted(firm_id="tencent"))
    await world.mute(muted(firm_id="tencent"))
    later = WEEK + timedelta(days=1)
    (view,) = await world.mute(muted(later, firm_id="tencent"))
    assert view.until == later
    clock.at = later
    (view,) = await world.mute(muted(later + timedelta(days=1), firm_id="tencent"))
    for _ in range(2):
        assert await world.mute(muted(None, firm_id="tencent")) == ()
    first, second, third = (f"firm:tencent until {WEEK + timedelta(days=day):%Y-%m-%d}T04:00:00+00:00" for day in (0, 1, 2))
    assert await changes_of(world) == [
        ("U2", "muted", "", first),
        ("U2", "muted", first, second),
        ("U2", "muted", "", third),
        ("U2", "unmuted", third, ""),
    ]


async def test_a_case_is_unmuted_by_any_of_its_actions(world: Store) -> None:
    await world.follow(follow_firm())
    await found(world, "A decision", number="A-1")
    await found(world, "Its appeal", kind=Kind.APPEAL, number="A-1")
    await world.mute(muted(action_id=1001))
    assert await world.mute(muted(None, action_id=1002)) == ()


async def test_unmuting_what_is_not_muted_does_nothing(world: Store) -> None:
    assert await world.mute(muted(None, firm_id="tencent")) == ()
    assert await world.channel(LEGAL) is None
    await world.follow(follow_firm())
    trail = await changes_of(world)
    assert await world.mute(muted(None)) == ()
    assert await changes_of(world) == trail


async def test_a_firm_that_left_the_register_is_muted_no_more(world: Store) -> None:
    """It must not read as if anything were muted."""
    await world.mute(muted(firm_id="xiaomi"))
    async with world._write() as session:
        await session.exec(delete(Firm).where(col(Firm.id) == "xiaomi"))
    assert await world.mutes(LEGAL) == ()


@pytest.mark.parametrize(
    ("intent", "error"),
    [
        (muted(firm_id="nobody"), "no firm 'nobody'"),
        (muted(None, firm_id="nobody"), "no firm 'nobody'"),
        (muted(action_id=4711), "no action RW-4711"),
        (muted(NOON), "2021-03-19 04:00 UTC has passed"),
    ],
    ids=["a firm", "a firm, to hear of it again", "an action", "a moment that has passed"],
)
async def test_what_is_not_there_cannot_be_muted(intent: MuteIntent, error: str, world: Store) -> None:
    with pytest.raises(StorageError, match=error):
        await world.mute(intent)
    assert await world.channel(LEGAL) is None


async def test_a_card_tells_until_when_its_case_or_a_watched_firm_is_muted(world: Store, clock: FakeClock) -> None:
    await world.follow(follow_firm())
    await found(world, "A decision", "tencent", "alibaba")
    await world.mute(muted(firm_id="alibaba"))
    card = await world.card(LEGAL, 1001)
    assert card is not None
    assert card.muted_until is None
    await world.mute(muted(firm_id="tencent"))
    await world.mute(muted(WEEK + timedelta(days=1), action_id=1001))
    (due,) = await claim(world)
    assert due.muted_until == WEEK + timedelta(days=1)
    assert due.card == await world.card(LEGAL, 1001)


async def test_why_tells_of_a_mute_while_it_holds(world: Store, clock: FakeClock) -> None:
    await world.follow(follow_firm())
    await world.mute(muted(firm_id="tencent"))
    await found(world, "A decision")
    why = await world.why(1001, "T1", "C1")
    assert why is not None
    assert ("mute", "Tencent muted until 2021-03-26 04:00 UTC by U2", False) in [
        (one.subject, one.text, one.is_passed) for one in why.lines
    ]
    assert why.lines[-1].text == "alert:RW-1001 waived (muted), owed 2021-03-19 04:00 UTC"
    clock.at = WEEK
    why = await world.why(1001, "T1", "C1")
    assert why is not None
    assert "mute" not in {line.subject for line in why.lines}


# --- places --------------------------------------------------------------------------------------------------------


async def test_places_are_channels_that_follow_mute_or_are_set(world: Store, clock: FakeClock) -> None:
    await world.follow(follow_firm(channel=ChannelKey("T1", "C1", "zebra")))
    await world.mute(muted(channel=ChannelKey("T1", "C2", "muted")))
    await world.set_channel(ChannelKey("T1", "C3", "set"), ChannelSetting(language="zh-Hant"), "U1")
    await world.set_channel(ChannelKey("T1", "C4", "left"), ChannelSetting(), "U1")
    await world.follow(follow_firm(channel=ChannelKey("T2", "C1", "elsewhere")))
    places = await world.places("T1")
    assert [(one.channel.name, len(one.subscriptions), len(one.mutes)) for one in places] == [
        ("muted", 0, 1),
        ("set", 0, 0),
        ("zebra", 1, 0),
    ]
    assert places[2].subscriptions == await world.subscriptions(ChannelKey("T1", "C1"))
    clock.at = WEEK
    assert [one.channel.name for one in await world.places("T1")] == ["set", "zebra"]
    assert await world.places("T9") == ()


# --- the life of a channel -----------------------------------------------------------------------------------------


async def test_a_paused_channel_gets_nothing_until_it_is_resumed(world: Store) -> None:
    await world.follow(follow_firm())
    assert await world.pause_channel(LEGAL, "channel_archive")
    assert not await world.pause_channel(LEGAL, "channel_left")
    await found(world, "A decision")
    assert await claim(world) == []
    assert (await view_of(world)).paused_reason == "channel_archive"
    assert await world.resume_channel(LEGAL)
    assert not await world.resume_channel(LEGAL)
    assert len(await claim(world)) == 1
    assert (await changes_of(world))[2:] == [("slack", "paused", "", "channel_archive"), ("slack", "resumed", "channel_archive", "")]


async def test_whoever_speaks_in_a_paused_channel_resumes_it(world: Store) -> None:
    await world.follow(follow_firm())
    await world.pause_channel(LEGAL, "channel_left")
    await world.mute(muted())
    assert (await view_of(world)).paused_reason == ""
    assert ("U2", "resumed", "channel_left", "") in await changes_of(world)


async def test_a_channel_that_was_never_heard_of_is_not_made_by_an_event(world: Store) -> None:
    assert not await world.pause_channel(LEGAL, "channel_archive")
    assert not await world.resume_channel(LEGAL)
    assert not await world.rename_channel(LEGAL)
    assert not await world.move_channel(LEGAL, "C9")
    assert await world.channel(LEGAL) is None


async def test_a_renamed_channel_is_told_once(world: Store) -> None:
    await world.follow(follow_firm())
    for _ in range(2):
        assert await world.rename_channel(ChannelKey("T1", "C1", "compliance"))
    assert (await view_of(world)).name == "compliance"
    assert (await changes_of(world))[2:] == [("slack", "renamed", "legal", "compliance")]


async def test_a_channel_that_moved_keeps_all_under_its_new_id(world: Store) -> None:
    await world.follow(follow_firm())
    before = await view_of(world)
    assert await world.move_channel(LEGAL, "C9")
    assert not await world.move_channel(LEGAL, "C9")
    assert await world.channel(LEGAL) is None
    assert await view_of(world, ChannelKey("T1", "C9")) == replace(before, slack_id="C9")
    assert (await changes_of(world, ChannelKey("T1", "C9")))[-1] == ("slack", "moved", "C1", "C9")


@pytest.mark.parametrize("is_spoken_in", [False, True])
async def test_what_was_refused_under_the_old_id_comes_under_the_new_one(is_spoken_in: bool, world: Store, clock: FakeClock) -> None:
    """Slack refuses the old id before its event is here."""
    await world.follow(follow_firm())
    await found(world, "One")
    (due,) = await claim(world)
    await world.settle(due.id, due.token, Dead("channel_not_found", is_channel_gone=True))
    if is_spoken_in:
        await world.follow(follow_firm("alibaba", channel=ChannelKey("T1", "C9")))
    assert await world.move_channel(LEGAL, "C9")
    clock.forward(minutes=1)
    assert [(one.channel.slack_id, one.key) for one in await claim(world) if one.action] == [("C9", "alert:RW-1001")]


async def test_a_channel_that_follows_again_by_a_move_has_its_digest_again(world: Store, clock: FakeClock) -> None:
    new = ChannelKey("T1", "C9", "legal")
    await world.follow(follow_firm("alibaba", channel=new))
    await world.unfollow(new, "U1", everything=True)
    await world.follow(follow_firm())
    await world.move_channel(LEGAL, "C9")
    clock.forward(days=4)
    assert await world.owe_digests() == 1


@pytest.mark.parametrize("is_rolled_up_there", [False, True])
async def test_a_roll_up_that_waits_while_its_channel_moves_leaves_nothing_behind(
    is_rolled_up_there: bool, world: Store, clock: FakeClock
) -> None:
    """The channel of the new id was owed the same alerts, which are rolled up there, before or after."""
    new = ChannelKey("T1", "C9", "legal", "Asia/Taipei")
    await world.follow(follow_firm("alibaba", channel=new))
    if not is_rolled_up_there:
        await world.set_channel(new, ChannelSetting(quiet=("09:00", "13:00")), "U1")
    await world.follow(follow_firm())
    await world.follow(follow_firm("alibaba"))
    for at in range(7):
        await found(world, f"Both {at}", "alibaba")
    await found(world, "One of them", "tencent")
    for due in await claim(world):
        assert due.rollup is not None
        late = RetryAt(clock() + timedelta(minutes=1), "busy")
        await world.settle(due.id, due.token, late if due.channel.slack_id == "C1" else Sent("1.1"))
    await world.move_channel(LEGAL, "C9")
    told: list[int] = []
    for _ in range(3):
        clock.forward(hours=1)
        for due in await claim(world):
            assert due.channel.slack_id == "C9"
            await world.settle(due.id, due.token, Sent("2.2"))
            told += [action.id for action in due.rollup.actions] if due.rollup else [due.action.id] if due.action else []
    assert sorted(told) == ([1008] if is_rolled_up_there else list(range(1001, 1009)))


async def test_what_a_poll_owes_while_a_channel_moves_is_not_left_behind(world: Store, clock: FakeClock, monkeypatch: Any) -> None:
    await world.follow(follow_firm())
    await world.follow(follow_firm("alibaba", channel=ChannelKey("T1", "C9")))
    moving: list[asyncio.Task[bool]] = []

    async def insert_meanwhile(session: Any, rows: Any) -> Any:
        moving.append(asyncio.create_task(world.move_channel(LEGAL, "C9")))
        await asyncio.sleep(0.3)
        return await insert_deliveries(session, rows)

    monkeypatch.setattr(owing, "insert_deliveries", insert_meanwhile)
    await found(world, "One")
    assert await asyncio.gather(*moving) == [True]
    clock.forward(minutes=1)
    assert [(one.channel.slack_id, one.key) for one in await claim(world)] == [("C9", "alert:RW-1001")]


async def test_a_channel_that_was_spoken_in_under_its_new_id_first_gets_what_it_lacks(world: Store, clock: FakeClock) -> None:
    new = ChannelKey("T1", "C9", "legal")
    await world.follow(follow_firm(filter=Filter.parse("kind:fine")))
    await world.follow(follow_firm("alibaba"))
    await found(world, "Seen", "alibaba", number="A-1")
    (due,) = await claim(world)
    await world.settle(due.id, due.token, Sent("1.1"))
    await found(world, "Owed", "alibaba")
    await world.mute(muted(firm_id="xiaomi"))
    await world.review(LEGAL, 1001, "U5")
    await world.follow(follow_firm(channel=new))
    assert await world.move_channel(LEGAL, "C9")
    assert not await world.move_channel(LEGAL, "C9")
    rules = await world.subscriptions(new)
    assert sorted(((rule.firm and rule.firm.firm_id) or "", str(rule.filter)) for rule in rules) == [
        ("alibaba", "role:target,group"),
        ("tencent", "role:target,group"),
    ]
    assert len(await world.mutes(new)) == 1
    card = await world.card(new, 1001)
    assert card is not None
    assert (card.ts, [one.by for one in card.reviews]) == ("1.1", ["U5"])
    assert [what for _, what, _, _ in await changes_of(world, new)].count("subscribed") == 3
    old = await view_of(world)
    assert (old.paused_reason, old.is_digest_on) == ("channel_id_changed", False)
    clock.forward(minutes=1)
    assert [(one.channel.slack_id, one.key) for one in await claim(world)] == [("C9", "alert:RW-1002")]


async def test_many_hands_at_once_leave_one_state(world: Store) -> None:
    await world.follow(follow_firm())
    await asyncio.gather(
        *(world.mute(muted(firm_id="tencent")) for _ in range(3)),
        *(world.set_channel(LEGAL, ChannelSetting(language="zh-Hant"), f"U{at}") for at in range(3)),
        *(world.pause_channel(LEGAL, "channel_archive") for _ in range(2)),
        world.move_channel(LEGAL, "C1"),
    )
    trail = [what for _, what, _, _ in await changes_of(world)]
    assert (trail.count("muted"), trail.count("language"), trail.count("moved")) == (1, 1, 0)
    assert len(await world.mutes(LEGAL)) == 1
