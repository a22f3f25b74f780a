"""What channels follow, the digest's setting, and the audit trail."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import col, select

from storage import StorageError, Store
from storage.filters import Filter
from storage.intents import ChannelKey, DigestSetting, FollowIntent
from storage.models import Broadcast, Deliver, Followed, Kind, OwnershipKind, Role
from storage.owing import owe_operators
from storage.records import OwnershipRow
from storage.tenancy import Change, Channel
from tests.builders import NOON, SMALL, add_action, fill
from tests.fakes.clock import FakeClock

LEGAL = ChannelKey("T1", "C1", "legal", "Asia/Taipei")


def firm(firm_id: str, filter: str = "", channel: ChannelKey = LEGAL, by: str = "U1") -> FollowIntent:
    return FollowIntent(channel, by, Followed.FIRM, firm_id, filter=Filter.parse(filter))


async def changes_of(store: Store) -> list[tuple[str, str, str, str]]:
    async with store._read() as session:
        rows = await session.exec(select(Change).where(col(Change.subject).startswith("channel:")).order_by(col(Change.id)))
        return [(row.made_by, row.what, row.before, row.after) for row in rows]


RULES = [
    ("nothing typed: the default", "", "role:target,group"),
    ("another key stands beside the default", "kind:fine", "kind:fine role:target,group"),
    ("a typed key replaces its default", "role:mentioned", "role:mentioned"),
    ("an exclusion narrows the default", "-role:mentioned", "-role:mentioned role:target,group"),
]


@pytest.mark.parametrize(("typed", "effective"), [case[1:] for case in RULES], ids=[case[0] for case in RULES])
async def test_the_filter_that_a_first_subscription_gets(typed: str, effective: str, store: Store) -> None:
    await fill(store)
    result = await store.follow(firm("tencent", typed))
    assert (result.did, str(result.subscription.filter)) == ("created", effective)
    assert [str(one.filter) for one in await store.subscriptions(LEGAL)] == [effective]


async def test_the_first_word_in_a_channel_while_a_notice_makes_its_row(postgres_url: str, clock: FakeClock) -> None:
    store, other = Store(postgres_url, now=clock), Store(postgres_url, now=clock)
    await fill(store)
    async with other._write() as session:
        await owe_operators(session, LEGAL, "notice:source", {}, "UTC", clock())
        following = asyncio.create_task(store.follow(firm("tencent")))
        await asyncio.sleep(0.3)
    assert (await following).did == "created"
    await store.close()
    await other.close()


async def test_the_same_command_twice_is_one_subscription(store: Store) -> None:
    await fill(store)
    first = await store.follow(firm("tencent", "kind:fine"))
    again = await store.follow(firm("tencent", "kind:fine", by="U2"))
    assert (first.did, again.did) == ("created", "same")
    assert again.subscription == first.subscription
    assert [change[:2] for change in await changes_of(store)] == [("U1", "subscribed"), ("U1", "digest")]


async def test_subscribing_again_edits_the_rule_and_keeps_its_number(store: Store, clock: FakeClock) -> None:
    await fill(store)
    first = await store.follow(firm("tencent", "kind:fine"))
    clock.forward(hours=1)
    edited = await store.follow(FollowIntent(LEGAL, "U2", Followed.FIRM, "tencent", broadcast=Broadcast.ALL, deliver=Deliver.DIGEST))
    assert edited.did == "edited"
    assert (edited.subscription.id, edited.subscription.created_by) == (first.subscription.id, "U1")
    assert (edited.subscription.broadcast, edited.subscription.deliver) == (Broadcast.ALL, Deliver.DIGEST)
    assert (await changes_of(store))[-1] == (
        "U2",
        "edited",
        "firm:tencent kind:fine role:target,group broadcast:escalation deliver:both",
        "firm:tencent role:target,group broadcast:all deliver:digest",
    )


async def test_a_firm_a_regulator_and_everything_can_be_followed_side_by_side(store: Store) -> None:
    await fill(store)
    await store.follow(firm("tencent"))
    await store.follow(FollowIntent(LEGAL, "U1", Followed.REGULATOR, regulator_id="cn-cac"))
    result = await store.follow(FollowIntent(LEGAL, "U1", Followed.ALL))
    found = await store.subscriptions(LEGAL)
    assert [(one.followed, one.firm and one.firm.name, one.regulator and one.regulator.id) for one in found] == [
        (Followed.FIRM, "Tencent", None),
        (Followed.REGULATOR, None, "cn-cac"),
        (Followed.ALL, None, None),
    ]
    assert result.channel.subscriptions == 3


async def test_a_subscription_tells_what_reaches_it_by_ownership(store: Store) -> None:
    await fill(store)
    result = await store.follow(firm("alibaba"))
    assert result.subscription.includes == ("Ant Group 螞蟻集團", "Alipay 支付寶")
    assert result.subscription.firm is not None
    assert result.subscription.firm.names_zh == ("阿里巴巴",)


async def test_a_firm_that_belongs_twice_or_in_a_circle_is_told_once(store: Store) -> None:
    edges = [("ant-group", "alibaba"), ("alipay", "ant-group"), ("alipay", "alibaba"), ("alibaba", "ant-group")]
    owned = tuple(OwnershipRow(child, parent, OwnershipKind.OWNED_BY) for child, parent in edges)
    await store.sync_register(replace(SMALL, ownerships=owned))
    result = await store.follow(firm("alibaba"))
    assert result.subscription.includes == ("Ant Group 螞蟻集團", "Alipay 支付寶")


async def test_the_answer_counts_the_past_and_shows_the_last_three(store: Store) -> None:
    await fill(store)
    ids = [await add_action(store, ("tencent", Role.TARGET), decided=date(2020, 1, n)) for n in range(1, 6)]
    await add_action(store, ("tencent", Role.MENTIONED), decided=date(2021, 1, 1))
    await add_action(store, ("tencent", Role.TARGET), kind=Kind.TALKS, decided=date(2021, 1, 1))
    result = await store.follow(firm("tencent", "kind:fine"))
    assert (result.known, [action.id for action in result.last]) == (5, ids[:1:-1])


async def test_the_past_of_a_regulator_is_its_own(store: Store) -> None:
    await fill(store)
    mine = await add_action(store, ("tencent", Role.TARGET), regulators=["cn-cac"])
    await add_action(store, ("tencent", Role.TARGET))
    result = await store.follow(FollowIntent(LEGAL, "U1", Followed.REGULATOR, regulator_id="cn-cac"))
    assert (result.known, [action.id for action in result.last]) == (1, [mine])


async def test_the_past_of_a_brand_is_what_hit_it(store: Store) -> None:
    await fill(store)
    await add_action(store, ("bytedance", Role.TARGET))
    await add_action(store, ("bytedance", Role.TARGET, "tiktok"))
    assert (await store.follow(firm("tiktok"))).known == 1


@pytest.mark.parametrize(
    ("intent", "error"),
    [
        (firm("nobody"), "no firm 'nobody'"),
        (FollowIntent(LEGAL, "U1", Followed.REGULATOR, regulator_id="xx-none"), "no regulator 'xx-none'"),
    ],
    ids=["a firm", "a regulator"],
)
async def test_what_is_not_there_cannot_be_followed_and_leaves_no_trace(intent: FollowIntent, error: str, store: Store) -> None:
    await fill(store)
    with pytest.raises(StorageError, match=error):
        await store.follow(intent)
    assert await store.channel(LEGAL) is None
    assert await changes_of(store) == []


async def test_the_same_filters_in_another_order_are_the_same_rule(store: Store) -> None:
    """So that a rule that was undone and typed anew is no change."""
    await fill(store)
    first = await store.follow(firm("tencent", filter="kind:fine -role:mentioned min:USD1000000"))
    again = await store.follow(firm("tencent", filter="min:USD1000000 kind:fine -role:mentioned"))
    assert (again.did, again.former) == ("same", None)
    assert again.subscription == first.subscription


async def test_an_edit_tells_what_the_rule_was(store: Store) -> None:
    """With its filter, its broadcast and its delivery."""
    await fill(store)
    first = await store.follow(replace(firm("tencent", filter="kind:fine"), deliver=Deliver.DIGEST))
    assert first.former is None
    edited = await store.follow(firm("tencent"))
    assert (edited.did, edited.former) == ("edited", first.subscription)


async def test_the_same_command_from_several_hands_at_once_is_one_subscription(store: Store) -> None:
    await fill(store)
    await store.follow(firm("tencent", channel=ChannelKey("T1", "C9")))  # the workspace is known, the channel is new
    results = await asyncio.gather(*(store.follow(firm("tencent", by=f"U{n}")) for n in range(4)))
    assert sorted(result.did for result in results) == ["created", "same", "same", "same"]
    assert sum(result.is_digest_turned_on for result in results) == 1


# --- unfollow ------------------------------------------------------------------------------------------------------


async def test_unsubscribing_says_what_went_and_who_did_it(store: Store) -> None:
    await fill(store)
    await store.follow(firm("tencent"))
    number = (await store.follow(firm("alibaba"))).subscription.id
    await store.follow(FollowIntent(LEGAL, "U1", Followed.REGULATOR, regulator_id="cn-cac"))
    gone = await store.unfollow(LEGAL, "U2", firm_id="tencent")
    assert [one.firm and one.firm.firm_id for one in gone] == ["tencent"]
    assert (await changes_of(store))[-1] == ("U2", "unsubscribed", "firm:tencent role:target,group broadcast:escalation deliver:both", "")
    assert [one.id for one in await store.unfollow(LEGAL, "U2", subscription_id=number)] == [number]
    assert [one.followed for one in await store.unfollow(LEGAL, "U2", regulator_id="cn-cac")] == [Followed.REGULATOR]
    assert await store.subscriptions(LEGAL) == ()


async def test_unsubscribing_what_is_not_followed_does_nothing(store: Store) -> None:
    await fill(store)
    assert await store.unfollow(LEGAL, "U1", everything=True) == ()
    await store.follow(firm("tencent"))
    before = await changes_of(store)
    assert await store.unfollow(LEGAL, "U1", firm_id="alibaba") == ()
    assert await store.unfollow(LEGAL, "U1", regulator_id="cn-cac") == ()
    assert await store.unfollow(LEGAL, "U1") == ()
    assert len(await store.subscriptions(LEGAL)) == 1
    assert await changes_of(store) == before


async def test_another_channels_subscription_cannot_be_taken_away(store: Store) -> None:
    await fill(store)
    other = ChannelKey("T2", "C1", "elsewhere")
    number = (await store.follow(firm("tencent", channel=other))).subscription.id
    await store.follow(firm("alibaba"))
    assert await store.unfollow(LEGAL, "U1", subscription_id=number) == ()
    assert len(await store.unfollow(LEGAL, "U1", everything=True)) == 1
    assert len(await store.subscriptions(other)) == 1


# --- the digest ----------------------------------------------------------------------------------------------------


async def test_the_first_subscription_turns_the_digest_on_in_the_persons_zone(store: Store) -> None:
    """Friday noon in Taipei: the next one is on Monday at 08:30 there."""
    await fill(store)
    result = await store.follow(firm("tencent"))
    assert result.is_digest_turned_on
    assert (result.channel.is_digest_on, result.channel.digest_at, result.channel.digest_days) == (True, "08:30", "weekdays")
    assert (result.channel.time_zone, result.channel.sends_empty_digest) == ("Asia/Taipei", True)
    assert result.channel.next_digest_at == datetime(2021, 3, 22, 0, 30, tzinfo=UTC)
    assert not (await store.follow(firm("alibaba"))).is_digest_turned_on
    assert (await changes_of(store))[1] == ("U1", "digest", "off", "08:30 Asia/Taipei weekdays empty:send")


@pytest.mark.parametrize("zone", [None, "", "Nowhere/Else", "../../etc"])
async def test_without_a_zone_of_the_person_the_default_holds(zone: str | None, database_url: str, clock: FakeClock) -> None:
    store = Store(database_url, now=clock, default_zone="Europe/London")
    await fill(store)
    result = await store.follow(firm("tencent", channel=ChannelKey("T1", "C2", "risk", zone)))
    assert result.channel.time_zone == "Europe/London"
    await store.close()


async def test_a_digest_that_was_turned_off_stays_off(store: Store) -> None:
    await fill(store)
    await store.set_digest(LEGAL, DigestSetting(is_on=False), "U1")
    result = await store.follow(firm("tencent"))
    assert (result.is_digest_turned_on, result.channel.is_digest_on, result.channel.next_digest_at) == (False, False, None)


async def test_a_channel_that_follows_nothing_any_more_gets_no_digest_until_it_follows_again(store: Store) -> None:
    await fill(store)
    due = (await store.follow(firm("tencent"))).channel.next_digest_at
    await store.unfollow(LEGAL, "U1", everything=True)
    view = await store.channel(LEGAL)
    assert view is not None
    assert (view.is_digest_on, view.next_digest_at, view.subscriptions) == (True, None, 0)
    again = await store.follow(firm("tencent"))
    assert (again.channel.next_digest_at, again.is_digest_turned_on) == (due, False)


async def test_a_digest_setting_changes_what_it_names_and_nothing_else(store: Store) -> None:
    await fill(store)
    await store.follow(firm("tencent"))
    view = await store.set_digest(LEGAL, DigestSetting(at="07:05", days="daily"), "U2")
    assert (view.digest_at, view.digest_days, view.time_zone, view.is_digest_on) == ("07:05", "daily", "Asia/Taipei", True)
    assert view.next_digest_at == datetime(2021, 3, 19, 23, 5, tzinfo=UTC)
    view = await store.set_digest(LEGAL, DigestSetting(zone="UTC", sends_empty=False), "U2")
    assert (view.digest_at, view.time_zone, view.sends_empty_digest) == ("07:05", "UTC", False)
    assert view.next_digest_at == datetime(2021, 3, 19, 7, 5, tzinfo=UTC)
    assert (await changes_of(store))[-1] == ("U2", "digest", "07:05 Asia/Taipei daily empty:send", "07:05 UTC daily empty:skip")
    off = await store.set_digest(LEGAL, DigestSetting(is_on=False), "U2")
    assert (off.is_digest_on, off.next_digest_at) == (False, None)


async def test_a_digest_turned_on_again_does_not_tell_of_the_time_it_was_off(store: Store, clock: FakeClock) -> None:
    await fill(store)
    await store.follow(firm("tencent"))
    await store.set_digest(LEGAL, DigestSetting(is_on=False), "U1")
    clock.forward(days=60)
    await store.set_digest(LEGAL, DigestSetting(is_on=True), "U1")
    async with store._read() as session:
        assert (await session.exec(select(Channel.last_digest_at))).one() == NOON + timedelta(days=60)


@pytest.mark.parametrize(
    ("setting", "error"),
    [
        (DigestSetting(at="25:00"), "'25:00' is no time of day"),
        (DigestSetting(at="noon"), "'noon' is no time of day"),
        (DigestSetting(zone="Mars/Base"), "no time zone 'Mars/Base'"),
        (DigestSetting(days="sundays"), "not 'sundays'"),
    ],
    ids=["an hour too late", "a word", "a zone", "days"],
)
async def test_a_setting_that_cannot_be_is_refused_whole(setting: DigestSetting, error: str, store: Store) -> None:
    with pytest.raises(StorageError, match=error):
        await store.set_digest(LEGAL, setting, "U1")
    assert await store.channel(LEGAL) is None


# --- channels ------------------------------------------------------------------------------------------------------


async def test_a_channel_is_known_from_the_first_word_about_it(store: Store) -> None:
    await fill(store)
    assert await store.channel(LEGAL) is None
    assert await store.subscriptions(LEGAL) == ()
    await store.follow(firm("tencent"))
    renamed = ChannelKey("T1", "C1", "legal-alerts", "Europe/Paris")
    view = (await store.follow(firm("alibaba", channel=renamed))).channel
    assert (view.name, view.time_zone, view.subscriptions) == ("legal-alerts", "Asia/Taipei", 2)
    assert (await store.channel(ChannelKey("T1", "C1"))) == view
    assert await store.channel(ChannelKey("T2", "C1")) is None


@pytest.mark.parametrize("how", ["follow", "digest"])
async def test_a_paused_channel_is_served_again_once_somebody_speaks_there(how: str, store: Store) -> None:
    await fill(store)
    await store.follow(firm("tencent"))
    async with store._write() as session:
        (await session.exec(select(Channel))).one().paused_reason = "is_archived"
    paused = await store.channel(LEGAL)
    assert paused is not None
    assert paused.paused_reason == "is_archived"
    view = (await store.follow(firm("tencent"))).channel if how == "follow" else await store.set_digest(LEGAL, DigestSetting(), "U1")
    assert view.paused_reason == ""
