"""The outbox: claim, settle, digests, notices; and what stays true whatever happens in between. On both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import col, select

from storage import Store
from storage.digests import coverage_filter
from storage.hours import next_digest_at
from storage.intents import ChannelKey, Dead, DigestSetting, RetryAt, Sent
from storage.models import Deliver, DeliveryKind, DeliveryState, Followed, Kind
from storage.outbox import DIGESTS_AT_ONCE
from storage.tenancy import Card, Channel, Delivery, Subscription, Workspace
from storage.views import DueDelivery
from tests.fakes.clock import FakeClock
from tests.fakes.polls import NOON, act, entry, follow, furnish, poll

LEASE = timedelta(minutes=2)


@pytest.fixture
async def world(store: Store) -> Store:
    await furnish(store)
    return store


def fine(title: str = "A decision", *firms: str, **fields: Any) -> Any:
    """An entry that tells of one fine, against Tencent if nobody else; `number` goes to the act."""
    number = fields.pop("number", None)
    return entry(title, act(Kind.FINE, *(firms or ("tencent",)), number=number), **fields)


async def alert(store: Store, title: str = "A decision", *firms: str, **fields: Any) -> None:
    """Let one act be found that somebody is to be told of; each title is an act of its own."""
    await poll(store, "cac-news", fine(title, *firms, number=fields.pop("number", f"No. {title}"), **fields))


async def claim(store: Store, limit: int = 9) -> tuple[DueDelivery, ...]:
    return await store.claim(limit, LEASE)


async def deliveries(store: Store) -> list[Delivery]:
    async with store._read() as session:
        return list((await session.exec(select(Delivery).order_by(col(Delivery.id)))).all())


async def cards(store: Store) -> list[tuple[int, int, str]]:
    async with store._read() as session:
        return [(one.channel_id, one.case_id, one.ts) for one in await session.exec(select(Card).order_by(col(Card.id)))]


async def channel(store: Store, channel_id: int = 1) -> Channel:
    async with store._read() as session:
        return (await session.exec(select(Channel).where(Channel.id == channel_id))).one()


# --- claim --------------------------------------------------------------------------------------------------------


async def test_a_claimed_alert_carries_what_its_card_shows(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent")
    await follow(world, "C1", "firm:xiaomi")
    await alert(world, "A decision", "tencent", "alibaba")
    (due,) = await claim(world)
    assert (due.kind, due.key, due.attempts, due.is_unsure, due.token) == (DeliveryKind.ALERT, "alert:RW-1001", 1, False, 1)
    assert due.action is not None
    assert (due.action.ref, due.action.kind) == ("RW-1001", Kind.FINE)
    assert (due.channel.slack_id, due.channel.workspace_id) == ("C1", "T1")
    assert (due.card_ts, due.case, due.changes, due.watched) == (None, (), (), {"tencent", "xiaomi"})
    assert due.owed_at == clock()


async def test_nothing_owed_nothing_claimed(world: Store) -> None:
    assert await claim(world) == ()


async def test_a_leased_row_is_not_claimed_again_before_its_lease_ends(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent")
    await alert(world)
    assert len(await claim(world)) == 1
    clock.forward(seconds=119)
    assert await claim(world) == ()


async def test_killed_between_claim_and_settle_it_is_claimed_again_and_marked_unsure(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent")
    await alert(world)
    (first,) = await claim(world)
    clock.forward(minutes=2)
    (again,) = await claim(world)
    assert (again.id, again.is_unsure, again.attempts, again.token) == (first.id, True, 2, first.token + 1)


async def test_a_late_token_settles_nothing(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent")
    await alert(world)
    (late,) = await claim(world)
    clock.forward(minutes=2)
    (ours,) = await claim(world)
    assert not await world.settle(late.id, late.token, Sent("1.1"))
    assert not await world.settle(late.id, late.token, Dead("channel_not_found", is_channel_gone=True))
    assert (await deliveries(world))[0].state is DeliveryState.LEASED
    assert await world.settle(ours.id, ours.token, Sent("2.2"))
    assert await cards(world) == [(1, 1, "2.2")]


async def test_a_lease_that_ended_but_was_not_taken_still_settles(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent")
    await alert(world)
    (due,) = await claim(world)
    clock.forward(hours=1)
    assert await world.settle(due.id, due.token, Sent("1.1"))


async def test_what_is_settled_is_settled_once(world: Store) -> None:
    await follow(world, "C1", "firm:tencent")
    await alert(world)
    (due,) = await claim(world)
    assert await world.settle(due.id, due.token, Sent("1.1"))
    assert not await world.settle(due.id, due.token, Dead("no"))
    assert not await world.settle(due.id, due.token + 1, Sent("2.2"))
    assert not await world.settle(99, 1, Sent("2.2"))


async def test_one_post_a_second_in_a_channel_and_channels_side_by_side(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent")
    await follow(world, "C2", "firm:tencent")
    for title in ("One", "Two", "Three"):
        await alert(world, title)
    found = []
    for _ in range(4):
        batch = await claim(world)
        found.append([(due.channel.slack_id, due.key) for due in batch])
        assert await claim(world) == ()
        clock.forward(seconds=30)
        assert await claim(world) == (), "while one is under way nothing else goes out there"
        for due in batch:
            assert await world.settle(due.id, due.token, Sent(f"{due.id}.1"))
        assert await claim(world) == ()
        clock.forward(seconds=1)
    assert found == [[("C1", f"alert:RW-{at}"), ("C2", f"alert:RW-{at}")] for at in (1001, 1002, 1003)] + [[]]


async def test_no_more_than_asked_and_the_longest_owed_first(world: Store, clock: FakeClock) -> None:
    for name in ("C1", "C2", "C3"):
        await follow(world, name, "firm:tencent")
    await alert(world)
    assert [due.channel.slack_id for due in await claim(world, 2)] == ["C1", "C2"]
    assert [due.channel.slack_id for due in await claim(world, 2)] == ["C3"]


async def test_an_update_waits_for_the_alert_of_its_case(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent")
    await alert(world, "A decision", guid="g1", number="A-1")
    await poll(world, "cac-news", entry("A decision", act(Kind.BAN, "tencent", number="A-1"), guid="g1", text="x", document_id=1))
    await alert(world, "Of another case")
    (first,) = await claim(world)
    await world.settle(first.id, first.token, RetryAt(clock() + timedelta(hours=1), "busy"))
    clock.forward(seconds=1)
    (other,) = await claim(world)
    assert (first.key, other.key) == ("alert:RW-1001", "alert:RW-1002")
    await world.settle(other.id, other.token, Sent("1.0"))
    clock.forward(seconds=1)
    assert await claim(world) == ()
    clock.forward(hours=1)
    (first,) = await claim(world)
    await world.settle(first.id, first.token, Sent("1.1"))
    clock.forward(seconds=1)
    (update,) = await claim(world)
    assert (update.key, update.card_ts, update.is_broadcast) == ("update:RW-1001:2", "1.1", True)
    assert [(one.what, one.before, one.after) for one in update.changes] == [("kind", "fine", "ban")]


async def test_each_update_tells_what_its_own_version_changed(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent")
    await alert(world, "A decision", guid="g1", number="A-1")
    for text, kind in (("x", Kind.BAN), ("y", Kind.REMOVAL)):
        await poll(world, "cac-news", entry("A decision", act(kind, "tencent", number="A-1"), guid="g1", text=text, document_id=1))
    told = []
    for _ in range(3):
        (due,) = await claim(world)
        told.append([(one.version, one.after) for one in due.changes])
        await world.settle(due.id, due.token, Sent(f"{due.id}.1"))
        clock.forward(seconds=1)
    assert told == [[], [(2, "ban")], [(3, "removal")]]


async def test_updates_of_one_case_go_out_in_order(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent")
    for at, kind in enumerate((Kind.FINE, Kind.APPEAL, Kind.ANNULMENT)):
        await poll(world, "cac-news", entry(f"Step {at}", act(kind, "tencent", number="A-1")))
    order = []
    for _ in range(3):
        (due,) = await claim(world)
        order.append((due.key, len(due.case)))
        clock.forward(minutes=3)
        (due,) = await claim(world)
        await world.settle(due.id, due.token, Sent(f"{due.id}.0"))
        clock.forward(seconds=1)
    assert order == [("alert:RW-1001", 2), ("update:RW-1002:1", 2), ("update:RW-1003:1", 2)]
    assert await cards(world) == [(1, 1, "1.0")]


async def test_an_update_of_a_waived_alert_needs_not_wait_and_makes_the_card(world: Store) -> None:
    await follow(world, "C1", "firm:tencent")
    await alert(world, "A decision", guid="g1", number="A-1", waived="age")
    await poll(world, "cac-news", entry("A decision", act(Kind.BAN, "tencent", number="A-1"), guid="g1", text="x", document_id=1))
    (due,) = await claim(world)
    assert (due.kind, due.card_ts) == (DeliveryKind.UPDATE, None)
    await world.settle(due.id, due.token, Sent("1.1", card_ts="1.1"))
    assert await cards(world) == [(1, 1, "1.1")]


async def test_a_card_that_was_lost_is_replaced(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent")
    await alert(world, "A decision", guid="g1", number="A-1")
    (due,) = await claim(world)
    await world.settle(due.id, due.token, Sent("1.1"))
    await poll(world, "cac-news", entry("A decision", act(Kind.BAN, "tencent", number="A-1"), guid="g1", text="x", document_id=1))
    clock.forward(seconds=1)
    (due,) = await claim(world)
    await world.settle(due.id, due.token, Sent("2.3", card_ts="2.2"))
    assert await cards(world) == [(1, 1, "2.2")]


async def test_a_retry_is_owed_again_at_its_time(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent")
    await alert(world)
    (due,) = await claim(world)
    await world.settle(due.id, due.token, RetryAt(clock() + timedelta(minutes=5), "ratelimited"))
    (row,) = await deliveries(world)
    assert (row.state, row.reason) == (DeliveryState.OWED, "ratelimited")
    clock.forward(minutes=4)
    assert await claim(world) == ()
    clock.forward(minutes=1)
    (due,) = await claim(world)
    assert (due.is_unsure, due.attempts) == (False, 2)


async def test_a_lost_reply_is_unknown_and_unsure(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent")
    await alert(world)
    (due,) = await claim(world)
    await world.settle(due.id, due.token, RetryAt(clock() + timedelta(seconds=5), "timed out", is_unsure=True))
    assert (await deliveries(world))[0].state is DeliveryState.UNKNOWN
    clock.forward(seconds=5)
    (due,) = await claim(world)
    assert due.is_unsure
    await world.settle(due.id, due.token, Sent("1.1"))
    (row,) = await deliveries(world)
    assert (row.state, row.ts, row.sent_at, row.reason) == (DeliveryState.SENT, "1.1", clock(), "")


async def test_a_dead_message_is_never_tried_again_and_holds_up_nothing(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent")
    await alert(world, "One")
    await alert(world, "Two")
    (due,) = await claim(world)
    await world.settle(due.id, due.token, Dead("invalid_blocks"))
    clock.forward(days=1)
    (other,) = await claim(world)
    assert other.key == "alert:RW-1002"
    assert (await deliveries(world))[0].state is DeliveryState.DEAD


async def test_a_channel_that_is_gone_is_paused_until_somebody_wants_it_back(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent", is_digest_on=True, next_digest_at=NOON)
    await follow(world, "C2", "firm:tencent")
    await alert(world, "One")
    await alert(world, "Two")
    first, other = await claim(world)
    await world.settle(first.id, first.token, Dead("is_archived", is_channel_gone=True))
    await world.settle(other.id, other.token, Sent("1.1"))
    assert (await channel(world)).paused_reason == "is_archived"
    clock.forward(days=1)
    assert [due.channel.slack_id for due in await claim(world)] == ["C2"]
    assert await world.owe_digests() == 0
    async with world._write() as session:
        for one in await session.exec(select(Channel)):
            one.paused_reason = ""
    clock.forward(seconds=1)
    assert [due.key for due in await claim(world)] == ["alert:RW-1002"]


async def test_waived_rows_are_never_claimed(world: Store) -> None:
    await follow(world, "C1", "firm:tencent", deliver=Deliver.DIGEST)
    await alert(world, "One")
    await alert(world, "Two", waived="first poll")
    assert await claim(world) == ()


async def test_two_claimers_never_get_one_row(world: Store, clock: FakeClock) -> None:
    for at in range(12):
        await follow(world, f"C{at}", "firm:tencent")
    await alert(world)
    groups = await asyncio.gather(*(claim(world, 4) for _ in range(5)))
    ids = [due.id for group in groups for due in group]
    assert len(ids) == len(set(ids))
    assert len(ids) <= 5, "a second's worth of a workspace that nobody knows yet"
    while len(ids) < 12:
        clock.forward(seconds=1)
        ids += [due.id for due in await claim(world, 4)]
    assert sorted(ids) == list(range(1, 13))


async def test_a_lease_begins_when_the_claim_has_its_locks(postgres_url: str, clock: FakeClock) -> None:
    """However long another claimer, whose host stood still, kept the workspace."""
    world, other = Store(postgres_url, now=clock), Store(postgres_url, now=clock)
    await furnish(world)
    await follow(world, "C1", "firm:tencent")
    await alert(world)
    async with other._write() as session:
        await session.exec(select(Workspace).with_for_update())
        claiming = asyncio.create_task(claim(world))
        await asyncio.sleep(0.3)
        clock.forward(minutes=3)
    assert [due.key for due in await claiming] == ["alert:RW-1001"]
    assert await claim(other) == ()
    await world.close()
    await other.close()


async def test_two_claimers_do_not_share_a_channel(world: Store) -> None:
    await follow(world, "C1", "firm:tencent")
    for at in range(4):
        await alert(world, f"Act {at}")
    groups = await asyncio.gather(*(claim(world) for _ in range(4)))
    assert sum(len(group) for group in groups) == 1


# --- notices --------------------------------------------------------------------------------------------------------


async def test_a_notice_is_owed_once_and_claimed_with_its_facts(database_url: str, clock: FakeClock) -> None:
    store = Store(database_url, now=clock, operations=ChannelKey("T9", "COPS", "ops", "Asia/Taipei"))
    assert await store.owe_notice("notice:a:blocked:1", {"text": "a is blocked"})
    assert not await store.owe_notice("notice:a:blocked:1", {"text": "a is blocked, still"})
    (due,) = await store.claim(5, LEASE)
    assert (due.kind, due.notice, due.channel.slack_id, due.action) == (DeliveryKind.NOTICE, {"text": "a is blocked"}, "COPS", None)
    assert due.channel.time_zone == "Asia/Taipei"
    assert await store.settle(due.id, due.token, Sent("1.1"))
    assert await cards(store) == []
    await store.close()


async def test_without_an_operations_channel_a_notice_is_only_logged(store: Store) -> None:
    assert not await store.owe_notice("notice:a:blocked:1", {})
    assert await deliveries(store) == []


# --- when a digest is due -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after", "at", "zone", "days", "expected"),
    [
        pytest.param("2021-03-19T00:29Z", "08:30", "Asia/Taipei", "weekdays", "2021-03-19T00:30Z", id="later today"),
        pytest.param("2021-03-19T00:30Z", "08:30", "Asia/Taipei", "weekdays", "2021-03-22T00:30Z", id="after Friday comes Monday"),
        pytest.param("2021-03-19T00:30Z", "08:30", "Asia/Taipei", "daily", "2021-03-20T00:30Z", id="daily, on Saturday too"),
        pytest.param("2021-03-20T12:00Z", "08:30", "UTC", "weekdays", "2021-03-22T08:30Z", id="asked on a Saturday"),
        pytest.param("2021-03-21T23:00Z", "08:30", "Asia/Taipei", "weekdays", "2021-03-22T00:30Z", id="Sunday in UTC is Monday there"),
        pytest.param("2021-03-14T05:00Z", "02:30", "America/New_York", "daily", "2021-03-14T07:00Z", id="a time that the gap left out"),
        pytest.param(
            "2021-03-14T07:00Z", "02:30", "America/New_York", "daily", "2021-03-15T06:30Z", id="once in the gap, then the next day"
        ),
        pytest.param("2021-03-13T12:00Z", "03:00", "America/New_York", "daily", "2021-03-14T07:00Z", id="the end of the gap itself"),
        pytest.param(
            "2021-11-07T04:00Z", "01:30", "America/New_York", "daily", "2021-11-07T05:30Z", id="a time that comes twice: the first"
        ),
        pytest.param("2021-11-07T05:30Z", "01:30", "America/New_York", "daily", "2021-11-08T06:30Z", id="and not the second"),
        pytest.param("2021-11-07T06:00Z", "01:30", "America/New_York", "daily", "2021-11-08T06:30Z", id="asked between the two"),
        pytest.param("2021-10-02T14:00Z", "02:15", "Australia/Lord_Howe", "daily", "2021-10-02T15:30Z", id="a gap of half an hour"),
        pytest.param("2011-12-29T19:00Z", "08:30", "Pacific/Apia", "daily", "2011-12-30T10:00Z", id="a day that the zone left out"),
        pytest.param("2021-03-19T04:00Z", "00:00", "Asia/Kathmandu", "daily", "2021-03-19T18:15Z", id="midnight, an odd offset"),
    ],
)
def test_when_the_next_digest_is_due(after: str, at: str, zone: str, days: str, expected: str) -> None:
    assert next_digest_at(datetime.fromisoformat(after), at, zone, days) == datetime.fromisoformat(expected)


ZONES = ("UTC", "Asia/Taipei", "America/New_York", "Europe/London", "Australia/Lord_Howe", "America/Santiago", "Asia/Kathmandu")


@given(
    st.datetimes(datetime(2015, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.times(),
    st.sampled_from(ZONES),
    st.sampled_from(["daily", "weekdays"]),
)
@settings(deadline=None)
def test_digests_are_always_later_once_a_day_and_never_skip_one(after: datetime, at: Any, zone: str, days: str) -> None:
    wall = f"{at:%H:%M}"
    first = next_digest_at(after, wall, zone, days)
    second = next_digest_at(first, wall, zone, days)
    assert after < first < second
    local = [one.astimezone(ZoneInfo(zone)) for one in (first, second)]
    assert local[0].date() < local[1].date()
    assert second - first <= timedelta(days=1 if days == "daily" else 3, hours=1)
    assert first - after <= timedelta(days=1 if days == "daily" else 3, hours=1)
    assert days == "daily" or all(one.weekday() < 5 for one in local)
    assert next_digest_at(after + (first - after) / 2, wall, zone, days) == first


# --- digests ----------------------------------------------------------------------------------------------------------

TAIPEI = {"is_digest_on": True, "time_zone": "Asia/Taipei", "next_digest_at": datetime(2021, 3, 22, 0, 30, tzinfo=UTC)}


async def test_a_digest_tells_what_moved_and_what_is_new(world: Store, clock: FakeClock) -> None:
    for name in ("tencent", "xiaomi"):
        await follow(world, "C1", f"firm:{name}", **TAIPEI)
    await alert(world, "Old", guid="g1", number="A-1")
    clock.at = datetime(2021, 3, 22, 0, 30, tzinfo=UTC)
    assert await world.owe_digests() == 1
    clock.forward(hours=1)
    await poll(world, "cac-news", entry("Old", act(Kind.BAN, "tencent", number="A-1"), guid="g1", text="x", document_id=1))
    await alert(world, "New")
    await alert(world, "Too old", waived="age")
    await alert(world, "History", waived="first poll")
    clock.at = datetime(2021, 3, 23, 0, 30, tzinfo=UTC)
    assert await world.owe_digests() == 1
    view = await digest(world, "digest:2021-03-23", clock)
    assert [(action.ref, [one.what for one in changes]) for action, changes in view.moved] == [("RW-1001", ["kind"])]
    assert [action.title for action in view.new] == ["New", "Too old"]
    assert (view.local_date, view.since, view.until) == (
        date(2021, 3, 23),
        datetime(2021, 3, 22, 0, 30, tzinfo=UTC),
        datetime(2021, 3, 23, 0, 30, tzinfo=UTC),
    )
    assert (view.quiet_firms, view.watched) == (("Xiaomi",), {"tencent", "xiaomi"})
    assert view.coverage.total == 5


async def digest(store: Store, key: str, clock: FakeClock) -> Any:
    """Claim until this digest comes, and give its view."""
    for _ in range(20):
        for due in await claim(store):
            if due.key == key:
                return due.digest
            await store.settle(due.id, due.token, Sent(f"{due.id}.1"))
        clock.at += timedelta(seconds=1)
    raise AssertionError(f"no {key}")


async def test_the_first_digest_begins_with_the_first_subscription(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent", **TAIPEI)
    await alert(world)
    clock.at = datetime(2021, 3, 22, 0, 30, tzinfo=UTC)
    assert await world.owe_digests() == 1
    view = await digest(world, "digest:2021-03-22", clock)
    assert (view.since, len(view.new)) == (NOON, 1)


async def test_an_action_new_and_moved_on_one_day_is_new(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent", **TAIPEI)
    await alert(world, "Old", guid="g1", number="A-1")
    await poll(world, "cac-news", entry("Old", act(Kind.BAN, "tencent", number="A-1"), guid="g1", text="x", document_id=1))
    view = await preview(world, clock)
    assert ([action.ref for action in view.new], view.moved) == (["RW-1001"], ())


async def preview(store: Store, clock: FakeClock) -> Any:
    clock.forward(minutes=1)
    return await store.preview_digest(ChannelKey("T1", "C1"))


async def test_a_preview_owes_nothing(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent", **TAIPEI)
    await alert(world)
    view = await preview(world, clock)
    assert (view.local_date, len(view.new), view.is_late) == (date(2021, 3, 19), 1, False)
    assert len(await deliveries(world)) == 1
    assert await world.preview_digest(ChannelKey("T1", "C9")) is None


async def test_what_a_rule_sends_at_once_only_is_in_no_digest(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent", deliver=Deliver.NOW, **TAIPEI)
    await alert(world)
    assert (await preview(world, clock)).new == ()


@pytest.mark.parametrize(
    ("waived", "is_listed"),
    [("age", True), ("first poll", False), ("fuse", False), ("shadow", False)],
)
async def test_which_waived_alerts_a_digest_lists(world: Store, clock: FakeClock, waived: str, is_listed: bool) -> None:
    await follow(world, "C1", "firm:tencent", **TAIPEI)
    await alert(world, waived=waived)
    assert bool((await preview(world, clock)).new) is is_listed


async def test_digest_only_rules_and_nameless_acts_are_listed(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent", deliver=Deliver.DIGEST, **TAIPEI)
    await alert(world, "One")
    await poll(world, "cac-news", entry("Twelve fined", act(Kind.FINE, count=12)))
    assert [action.title for action in (await preview(world, clock)).new] == ["One", "Twelve fined"]


async def test_one_digest_a_channel_and_day_however_many_replicas(world: Store, clock: FakeClock) -> None:
    for at in range(6):
        await follow(world, f"C{at}", "firm:tencent", **TAIPEI)
    clock.at = datetime(2021, 3, 22, 0, 31, tzinfo=UTC)
    assert sum(await asyncio.gather(*(world.owe_digests() for _ in range(4)))) == 6
    assert [row.key for row in await deliveries(world)] == ["digest:2021-03-22"] * 6
    assert await world.owe_digests() == 0


async def test_thousands_of_digests_are_owed_in_parts_and_each_once(world: Store, clock: FakeClock) -> None:
    count = DIGESTS_AT_ONCE + 7
    for at in range(count):
        await follow(world, f"C{at}", "firm:tencent", is_digest_on=True, next_digest_at=NOON)
    clock.forward(hours=1)
    assert [await world.owe_digests() for _ in range(3)] == [DIGESTS_AT_ONCE, 7, 0]
    assert len({row.channel_id for row in await deliveries(world)}) == count


async def test_after_downtime_only_the_newest_digest_is_sent_and_it_covers_all(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent", **TAIPEI)
    await alert(world)
    clock.at = datetime(2021, 3, 25, 12, 0, tzinfo=UTC)
    assert await world.owe_digests() == 1
    view = await digest(world, "digest:2021-03-25", clock)
    assert (len(view.new), view.is_late, view.since) == (1, True, NOON)
    assert (await channel(world)).next_digest_at == datetime(2021, 3, 26, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize("deliver", [Deliver.BOTH, Deliver.DIGEST])
async def test_what_is_written_down_after_a_digest_but_owed_before_it_is_in_the_next(
    deliver: Deliver, world: Store, clock: FakeClock
) -> None:
    """A poll that took its time, or a host whose clock is behind; found by the chaos run on a busy machine."""
    await follow(world, "C1", "firm:tencent", deliver=deliver, **TAIPEI)
    clock.at = datetime(2021, 3, 22, 0, 30, tzinfo=UTC)
    behind = Store(world._url.render_as_string(hide_password=False), now=lambda: clock() - timedelta(seconds=20))
    assert await world.owe_digests() == 1
    await alert(behind, "Late")
    await behind.close()
    assert (await digest(world, "digest:2021-03-22", clock)).new == ()
    assert [action.title for action in (await preview(world, clock)).new] == ["Late"]
    for day, titles in ((23, ["Late"]), (24, [])):
        clock.at = datetime(2021, 3, day, 0, 30, tzinfo=UTC)
        assert await world.owe_digests() == 1
        assert [action.title for action in (await digest(world, f"digest:2021-03-{day}", clock)).new] == titles


async def test_a_digest_that_is_drawn_again_tells_the_same(world: Store, clock: FakeClock) -> None:
    """Its process died: what was owed meanwhile is for the next one."""
    await follow(world, "C1", "firm:tencent", deliver=Deliver.DIGEST, **TAIPEI)
    await alert(world, "One")
    clock.at = datetime(2021, 3, 22, 0, 30, tzinfo=UTC)
    assert await world.owe_digests() == 1
    await claim(world)
    await alert(world, "Two")
    clock.forward(minutes=3)
    assert [action.title for action in (await digest(world, "digest:2021-03-22", clock)).new] == ["One"]


@pytest.mark.parametrize("deliver", list(Deliver))
async def test_what_could_not_be_told_in_time_is_told_in_the_next_digest(deliver: Deliver, world: Store, clock: FakeClock) -> None:
    """An alert and a digest that were tried for a week."""
    await follow(world, "C1", "firm:tencent", deliver=deliver, **TAIPEI)
    await alert(world, "One")
    clock.at = datetime(2021, 3, 22, 0, 30, tzinfo=UTC)
    assert await world.owe_digests() == 1
    for _ in range(3):
        for due in await claim(world):
            await world.settle(due.id, due.token, Dead("token_revoked, for 7 days", is_too_late=True))
        clock.forward(seconds=2)
    view = await world.preview_digest(ChannelKey("T1", "C1"))
    assert view is not None
    assert [action.title for action in view.new] == ["One"]


async def test_a_digest_turned_on_again_tells_what_came_since_and_no_more(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent", **TAIPEI)
    key = ChannelKey("T1", "C1")
    await world.set_digest(key, DigestSetting(is_on=False), "U1")
    await alert(world, "While it was off")
    await world.set_digest(key, DigestSetting(is_on=True), "U1")
    await alert(world, "Since it is on")
    await world.set_digest(key, DigestSetting(is_on=True, at="10:30"), "U1")
    assert [action.title for action in (await preview(world, clock)).new] == ["Since it is on"]


async def test_a_channel_that_moved_to_one_with_a_digest_brings_it_nothing_old(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent", is_digest_on=False)
    await alert(world, "Long ago")
    await follow(world, "C2", "firm:tencent", **TAIPEI)
    await world.move_channel(ChannelKey("T1", "C1"), "C2")
    await alert(world, "Today")
    clock.forward(minutes=1)
    view = await world.preview_digest(ChannelKey("T1", "C2"))
    assert view is not None
    assert [action.title for action in view.new] == ["Today"]


async def test_what_a_digest_was_to_tell_in_a_channel_that_moved_is_told_where_it_moved_to(world: Store, clock: FakeClock) -> None:
    """Both have one for that day; one is sent."""
    await follow(world, "C1", "firm:tencent", deliver=Deliver.DIGEST, **TAIPEI)
    await follow(world, "C2", "firm:alibaba", deliver=Deliver.DIGEST, **TAIPEI)
    await alert(world, "Of the old id")
    clock.at = datetime(2021, 3, 22, 0, 30, tzinfo=UTC)
    assert await world.owe_digests() == 2
    await world.move_channel(ChannelKey("T1", "C1"), "C2")
    assert [(due.channel.slack_id, due.key) for due in await claim(world)] == [("C2", "digest:2021-03-22")]
    view = await world.preview_digest(ChannelKey("T1", "C2"))
    assert view is not None
    assert [action.title for action in view.new] == ["Of the old id"]


async def test_a_digest_within_an_hour_of_its_time_is_not_late(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent", **TAIPEI)
    clock.at = datetime(2021, 3, 22, 1, 29, tzinfo=UTC)
    await world.owe_digests()
    assert not (await digest(world, "digest:2021-03-22", clock)).is_late


async def test_a_digest_whose_time_was_moved_on_the_same_day_is_not_sent_twice_and_loses_nothing(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent", **TAIPEI)
    clock.at = datetime(2021, 3, 22, 0, 30, tzinfo=UTC)
    assert await world.owe_digests() == 1
    await alert(world)
    async with world._write() as session:
        (row,) = (await session.exec(select(Channel))).all()
        row.digest_at, row.next_digest_at = "10:00", datetime(2021, 3, 22, 2, 0, tzinfo=UTC)
    clock.at = datetime(2021, 3, 22, 2, 0, tzinfo=UTC)
    assert await world.owe_digests() == 0
    clock.at = datetime(2021, 3, 23, 2, 0, tzinfo=UTC)
    assert await world.owe_digests() == 1
    assert len((await digest(world, "digest:2021-03-23", clock)).new) == 1


async def test_an_empty_digest_is_sent_unless_the_channel_skips_it(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent", **TAIPEI)
    await follow(world, "C2", "firm:tencent", sends_empty_digest=False, **TAIPEI)
    clock.at = datetime(2021, 3, 22, 0, 30, tzinfo=UTC)
    assert await world.owe_digests() == 1
    assert [(row.channel_id, row.state, row.reason) for row in await deliveries(world)] == [
        (1, DeliveryState.OWED, ""),
        (2, DeliveryState.WAIVED, "empty"),
    ]
    await alert(world)
    clock.at = datetime(2021, 3, 23, 0, 30, tzinfo=UTC)
    assert await world.owe_digests() == 2


async def test_a_channel_without_a_digest_is_owed_none(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent", is_digest_on=False, next_digest_at=NOON)
    clock.forward(days=3)
    assert await world.owe_digests() == 0


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        pytest.param([("firm:tencent", "role:target")], "", id="a firm may be hit anywhere"),
        pytest.param([("regulator:cn-cac", "")], "regulator:cn-cac", id="a regulator"),
        pytest.param(
            [("regulator:cn-cac", ""), ("firm:tencent", "regulator:us-sec")], "regulator:cn-cac,us-sec", id="regulators of two rules"
        ),
        pytest.param([("all", "country:CN"), ("firm:tencent", "country:US,CN")], "country:CN,US", id="countries of two rules"),
        pytest.param([("all", "country:CN"), ("regulator:us-sec", "")], "", id="countries and regulators: everything"),
        pytest.param([("regulator:cn-cac", ""), ("all", "-country:CN")], "", id="one rule that leaves all in"),
        pytest.param([], "", id="no rule"),
    ],
)
def test_which_sources_the_coverage_line_counts(rules: list[tuple[str, str]], expected: str) -> None:
    built = []
    for what, text in rules:
        followed, _, subject = what.partition(":")
        regulator_id = subject if followed == "regulator" else None
        built.append(Subscription(channel_id=1, key=what, followed=Followed(followed), regulator_id=regulator_id, filter=text))
    assert str(coverage_filter(built)) == expected


def test_records_of_outcomes_are_values() -> None:
    assert replace(Sent("1.1"), card_ts="1.1") == Sent("1.1", "1.1")
