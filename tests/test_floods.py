"""Floods: roll-ups, quiet hours, the pace of a workspace, and what is no longer wanted when its turn comes. On both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from storage import Store
from storage.intents import ChannelKey, CorrectionIntent, Dead, FollowIntent, Installed, MuteIntent, RetryAt, Sent
from storage.models import Deliver, DeliveryKind, DeliveryState, Followed, Kind
from storage.tenancy import Card, Channel, Delivery, Verdict, Workspace
from storage.views import DueDelivery
from tests.fakes.clock import FakeClock
from tests.fakes.polls import act, entry, follow, furnish, poll

LEASE = timedelta(minutes=2)
C1 = ChannelKey("T1", "C1")


@pytest.fixture
async def world(store: Store) -> Store:
    await furnish(store)
    return store


def acts(*numbers: int, kind: Kind = Kind.FINE, **fields: Any) -> list[Any]:
    return [entry(f"Act {one}", act(kind, "tencent", number=f"A-{one}"), guid=str(one), **fields) for one in numbers]


async def claim(store: Store) -> tuple[DueDelivery, ...]:
    return await store.claim(20, LEASE)


async def one(store: Store) -> DueDelivery:
    (due,) = await claim(store)
    return due


async def sent(store: Store, clock: FakeClock, due: DueDelivery) -> None:
    assert await store.settle(due.id, due.token, Sent(f"{due.id}.1"))
    clock.forward(seconds=1)


async def rows(store: Store) -> list[Delivery]:
    async with store._read() as session:
        return list((await session.exec(select(Delivery).order_by(col(Delivery.id)))).all())


def told(due: DueDelivery) -> list[int]:
    assert due.rollup is not None
    return [action.id for action in due.rollup.actions]


# --- roll-ups ---------------------------------------------------------------------------------------------------------


async def test_three_hundred_actions_in_one_poll_are_one_message_and_none_is_lost(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent")
    await poll(world, "cac-news", *acts(*range(300)))
    due = await one(world)
    assert (due.kind, due.key) == (DeliveryKind.ROLLUP, "rollup:alert:RW-1001")
    assert told(due) == list(range(1001, 1301))
    assert await claim(world) == ()
    await sent(world, clock, due)
    assert {row.state for row in await rows(world)} == {DeliveryState.SENT}
    assert {row.ts for row in await rows(world)} == {f"{due.id}.1"}
    clock.forward(days=1)
    assert await claim(world) == ()


async def test_five_alerts_are_five_cards(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent")
    await poll(world, "cac-news", *acts(*range(5)))
    for number in range(5):
        due = await one(world)
        assert due.key == f"alert:RW-{1001 + number}"
        await sent(world, clock, due)
    assert await claim(world) == ()


async def test_what_trickles_in_after_five_comes_once_in_ten_minutes(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent")
    kinds = []
    for number in range(20):
        await poll(world, "cac-news", *acts(number))
        for due in await claim(world):
            kinds.append((number, due.kind, len(told(due)) if due.rollup else 1))
            await sent(world, clock, due)
        clock.forward(seconds=59)
    alert, rollup = DeliveryKind.ALERT, DeliveryKind.ROLLUP
    # the five cards, the sixth says that the rest of the window's come together, and so they do
    assert kinds == [*((one, alert, 1) for one in range(5)), (5, rollup, 1), (16, rollup, 11)]
    clock.forward(minutes=10)
    assert [row.state for row in await rows(world) if row.kind is alert] == [DeliveryState.SENT] * 17 + [DeliveryState.OWED] * 3
    assert [due.kind for due in await claim(world)] == [alert]


async def test_a_case_known_from_a_roll_up_gets_its_card_at_its_next_move(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent")
    await poll(world, "cac-news", *acts(*range(7)))
    await sent(world, clock, await one(world))
    clock.forward(minutes=11)
    later = entry("Act 3", act(Kind.BAN, "tencent", number="A-3"), guid="3", text="moved", document_id=4)
    await poll(world, "cac-news", later)
    due = await one(world)
    assert (due.key, due.card_ts) == ("update:RW-1004:2", None)
    await world.settle(due.id, due.token, Sent("9.9", card_ts="9.9"))
    async with world._read() as session:
        assert [card.ts for card in await session.exec(select(Card))] == ["9.9"]


async def test_a_move_that_comes_before_the_roll_up_is_told_by_it(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent")
    await poll(world, "cac-news", *acts(*range(7)))
    await poll(world, "cac-news", entry("Act 3", act(Kind.BAN, "tencent", number="A-3"), guid="3", text="moved", document_id=4))
    due = await one(world)
    assert told(due) == list(range(1001, 1008))
    assert due.rollup is not None
    assert [action.kind for action in due.rollup.actions if action.id == 1004] == [Kind.BAN]
    await sent(world, clock, due)
    assert await claim(world) == ()
    assert {row.state for row in await rows(world)} == {DeliveryState.SENT}


async def test_an_alert_whose_case_is_joined_to_one_of_a_roll_up_that_waits_goes_out(world: Store, clock: FakeClock) -> None:
    """The one was owed before the other, and neither may wait for the other for ever."""
    await follow(world, "C1", "firm:tencent")
    await poll(world, "cac-news", *acts(0))
    due = await one(world)
    await world.settle(due.id, due.token, RetryAt(clock() + timedelta(seconds=20), "busy"))
    clock.forward(seconds=2)
    await poll(world, "cac-news", *acts(*range(1, 7)))
    due = await one(world)
    await world.settle(due.id, due.token, RetryAt(clock() + timedelta(seconds=20), "busy"))
    await world.join_cases(1001, 1003, "operator")
    clock.forward(minutes=1)
    for key in ("alert:RW-1001", "rollup:alert:RW-1002"):
        due = await one(world)
        assert due.key == key
        await sent(world, clock, due)


async def test_a_roll_up_that_breaks_off_keeps_its_members_and_goes_on_where_it_ended(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent")
    await poll(world, "cac-news", *acts(*range(7)))
    first = await one(world)
    assert await world.next_part(first.id, first.token, LEASE, ts="5.0", parts=1) == clock() + timedelta(seconds=1)
    await poll(world, "cac-news", *acts(7, 8))  # these come too late for it
    clock.forward(minutes=3)
    again = await one(world)
    assert (again.id, again.is_unsure, again.ts, again.parts, told(again)) == (first.id, True, "5.0", 1, told(first))
    assert await world.next_part(first.id, first.token, LEASE, ts="5.0", parts=2) is None, "the first holder may post no more"
    await world.settle(again.id, again.token, RetryAt(clock() + timedelta(minutes=1), "busy"))
    clock.forward(minutes=1)
    third = await one(world)
    assert (third.id, third.is_unsure, third.parts) == (first.id, False, 1)
    await sent(world, clock, third)
    assert {row.key: row.state for row in await rows(world) if row.state is not DeliveryState.SENT} == {
        "alert:RW-1008": DeliveryState.OWED,
        "alert:RW-1009": DeliveryState.OWED,
    }


async def test_a_roll_up_that_slack_refuses_for_good_leaves_nothing_owed(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent")
    await poll(world, "cac-news", *acts(*range(7)))
    due = await one(world)
    assert await world.settle(due.id, due.token, Dead("invalid_blocks"))
    assert {row.state for row in await rows(world)} == {DeliveryState.DEAD}


async def test_a_lease_of_several_messages_lives_as_long_as_they_go_on(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent")
    await poll(world, "cac-news", *acts(*range(7)))
    due = await one(world)
    for part in range(10):
        clock.forward(minutes=1, seconds=50)
        assert await world.next_part(due.id, due.token, LEASE, ts="5.0", parts=part) is not None
        assert await claim(world) == ()
    await sent(world, clock, due)


# --- quiet hours ------------------------------------------------------------------------------------------------------


async def test_alerts_held_over_quiet_hours_come_at_their_end_in_one_message(world: Store, clock: FakeClock) -> None:
    clock.at = datetime(2021, 3, 19, 22, 0, tzinfo=UTC)
    await follow(world, "C1", "firm:tencent", quiet_from="21:00", quiet_to="07:00")
    for number in range(3):
        await poll(world, "cac-news", *acts(number))
        clock.forward(minutes=30)
    assert await claim(world) == ()
    clock.at = datetime(2021, 3, 20, 6, 59, 59, tzinfo=UTC)
    assert await claim(world) == ()
    clock.forward(seconds=1)
    due = await one(world)
    assert due.rollup is not None
    assert (told(due), due.rollup.is_after_quiet) == ([1001, 1002, 1003], True)
    await sent(world, clock, due)
    await poll(world, "cac-news", *acts(9))
    assert (await one(world)).kind is DeliveryKind.ALERT, "three at once are no flood that would hold up the next"


async def test_what_waits_for_the_end_of_a_flood_does_not_wake_anybody(world: Store, clock: FakeClock) -> None:
    """Nor what Slack kept waiting: whatever was owed before quiet hours and did not go out waits for their end."""
    clock.at = datetime(2021, 3, 19, 21, 55, tzinfo=UTC)
    await follow(world, "C1", "firm:tencent", quiet_from="22:00", quiet_to="07:00")
    await poll(world, "cac-news", *acts(*range(7)))
    await sent(world, clock, await one(world))
    await poll(world, "cac-news", *acts(7, 8))
    assert await claim(world) == ()
    clock.at = datetime(2021, 3, 19, 22, 30, tzinfo=UTC)
    assert await claim(world) == ()
    assert {(row.next_attempt_at, row.is_held) for row in await rows(world) if row.state is DeliveryState.OWED} == {
        (datetime(2021, 3, 20, 7, 0, tzinfo=UTC), True)
    }
    clock.at = datetime(2021, 3, 20, 7, 0, tzinfo=UTC)
    due = await one(world)
    assert due.rollup is not None
    assert (told(due), due.rollup.is_after_quiet) == ([1008, 1009], True)


async def test_a_roll_up_whose_thread_is_under_way_goes_on_in_quiet_hours(world: Store, clock: FakeClock) -> None:
    clock.at = datetime(2021, 3, 19, 21, 59, tzinfo=UTC)
    await follow(world, "C1", "firm:tencent", quiet_from="22:00", quiet_to="07:00")
    await poll(world, "cac-news", *acts(*range(7)))
    due = await one(world)
    assert await world.next_part(due.id, due.token, LEASE, ts="1.1", parts=0) is not None
    clock.at = datetime(2021, 3, 19, 22, 30, tzinfo=UTC)
    again = await one(world)
    assert (again.id, again.ts) == (due.id, "1.1")


async def test_one_alert_held_over_quiet_hours_is_a_card(world: Store, clock: FakeClock) -> None:
    clock.at = datetime(2021, 3, 19, 22, 0, tzinfo=UTC)
    await follow(world, "C1", "firm:tencent", quiet_from="21:00", quiet_to="07:00")
    await poll(world, "cac-news", *acts(1))
    clock.forward(hours=9)
    assert (await one(world)).kind is DeliveryKind.ALERT


# --- what nobody wants to hear any more --------------------------------------------------------------------------------


async def held(world: Store, clock: FakeClock, deliver: Deliver = Deliver.BOTH, count: int = 1) -> None:
    """Alerts that wait for seven o'clock."""
    clock.at = datetime(2021, 3, 19, 22, 0, tzinfo=UTC)
    await follow(world, "C1", "firm:tencent", deliver=deliver, quiet_from="21:00", quiet_to="07:00")
    await poll(world, "cac-news", *acts(*range(count)))
    clock.forward(minutes=1)


async def reasons(world: Store, clock: FakeClock) -> list[str]:
    clock.at = datetime(2021, 3, 20, 7, 0, tzinfo=UTC)
    assert await claim(world) == ()
    return [row.reason for row in await rows(world) if row.state is DeliveryState.WAIVED]


async def test_an_alert_whose_firm_was_muted_since_is_not_posted_and_is_in_the_digest(world: Store, clock: FakeClock) -> None:
    await held(world, clock, Deliver.NOW)
    await world.mute(MuteIntent(C1, "U1", clock() + timedelta(days=7), firm_id="tencent"))
    assert await reasons(world, clock) == ["muted"]
    clock.forward(seconds=1)
    digest = await world.preview_digest(C1)
    assert digest is not None
    assert [action.id for action in digest.new] == [1001]


async def test_an_alert_whose_rule_is_for_the_digest_alone_by_now_is_in_the_digest(world: Store, clock: FakeClock) -> None:
    await held(world, clock, Deliver.NOW)
    await world.follow(FollowIntent(C1, "U1", Followed.FIRM, "tencent", deliver=Deliver.DIGEST))
    assert await reasons(world, clock) == ["digest only"]
    digest = await world.preview_digest(C1)
    assert digest is not None
    assert [action.id for action in digest.new] == [1001]


async def test_an_alert_that_was_judged_since_is_not_posted(world: Store, clock: FakeClock) -> None:
    await held(world, clock)
    await world.correct(CorrectionIntent(C1, "U1", 1001, Verdict.NOT_RELEVANT))
    assert await reasons(world, clock) == ["not relevant"]


async def test_an_alert_of_a_rule_that_is_gone_is_not_posted(world: Store, clock: FakeClock) -> None:
    await held(world, clock)
    await world.unfollow(C1, "U1", firm_id="tencent")
    assert await reasons(world, clock) == ["unsubscribed"]


async def test_an_alert_that_another_rule_still_asks_for_is_posted(world: Store, clock: FakeClock) -> None:
    await held(world, clock)
    await world.unfollow(C1, "U1", firm_id="tencent")
    await world.follow(FollowIntent(C1, "U1", Followed.ALL))
    clock.at = datetime(2021, 3, 20, 7, 0, tzinfo=UTC)
    assert (await one(world)).key == "alert:RW-1001"


async def test_of_two_that_were_held_the_one_that_is_wanted_is_a_card(world: Store, clock: FakeClock) -> None:
    await held(world, clock, count=2)
    await world.correct(CorrectionIntent(C1, "U1", 1001, Verdict.NOT_RELEVANT))
    clock.at = datetime(2021, 3, 20, 7, 0, tzinfo=UTC)
    assert (await one(world)).key == "alert:RW-1002"


async def test_the_move_of_a_card_is_told_though_the_rule_is_gone(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent")
    await poll(world, "cac-news", *acts(1))
    await sent(world, clock, await one(world))
    await poll(world, "cac-news", entry("Act 1", act(Kind.BAN, "tencent", number="A-1"), guid="1", text="moved", document_id=1))
    await world.unfollow(C1, "U1", firm_id="tencent")
    clock.forward(minutes=1)
    assert (await one(world)).key == "update:RW-1001:2"


async def test_the_move_of_a_case_that_a_roll_up_told_of_is_told_though_no_rule_passes_it(world: Store, clock: FakeClock) -> None:
    """However long it waited for its turn: the case has no card yet, but the channel was told of it."""
    await follow(world, "C1", "firm:tencent", filter="role:target,group kind:fine")
    await poll(world, "cac-news", *acts(*range(7)))
    await sent(world, clock, await one(world))
    await poll(world, "cac-news", entry("Act 3", act(Kind.BAN, "tencent", number="A-3"), guid="3", text="moved", document_id=4))
    clock.forward(minutes=11)
    assert (await one(world)).key == "update:RW-1004:2"


# --- the pace of a workspace -------------------------------------------------------------------------------------------


async def workspace(store: Store) -> Workspace:
    async with store._read() as session:
        return (await session.exec(select(Workspace).where(Workspace.id == "T1"))).one()


async def test_a_wait_that_slack_asks_for_holds_for_every_claimer_and_halves_the_pace_once(
    world: Store, database_url: str, clock: FakeClock
) -> None:
    for number in range(1, 5):
        await follow(world, f"C{number}", "firm:tencent")
    await poll(world, "cac-news", *acts(1))
    batch = await claim(world)
    assert len(batch) == 4
    for due in batch[:3]:  # all three were under way
        await world.settle(due.id, due.token, RetryAt(clock() + timedelta(seconds=30), "ratelimited", is_for_all=True, is_too_fast=True))
    await sent(world, clock, batch[3])
    assert (await workspace(world)).pace == 2.5
    other = Store(database_url, now=clock)
    clock.forward(seconds=28)
    assert await claim(world) == await claim(other) == ()
    clock.forward(seconds=1)
    # then one after the other, at the slower pace
    assert [len(await claim(store)) for store in (world, other)] == [1, 0]
    clock.forward(seconds=1)
    assert [len(await claim(store)) for store in (world, other)] == [2, 0]
    await other.close()


async def test_another_workspace_goes_on(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent")
    await world.install(Installed("T2", "Other", "U9"))
    await world.follow(FollowIntent(ChannelKey("T2", "C9"), "U9", Followed.FIRM, firm_id="tencent"))
    await poll(world, "cac-news", *acts(1))
    first, other = await claim(world)
    await world.settle(first.id, first.token, RetryAt(clock() + timedelta(minutes=9), "ratelimited", is_for_all=True, is_too_fast=True))
    await sent(world, clock, other)
    await poll(world, "cac-news", *acts(2))
    assert [due.channel.workspace_id for due in await claim(world)] == ["T2"]


async def test_a_revoked_token_lets_the_workspace_wait_and_leaves_its_pace(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent")
    await poll(world, "cac-news", *acts(1))
    due = await one(world)
    await world.settle(due.id, due.token, RetryAt(clock() + timedelta(minutes=15), "token_revoked", is_for_all=True))
    found = await workspace(world)
    assert (found.pace, found.limited_at, found.next_post_at) == (5.0, None, clock() + timedelta(minutes=15))


async def test_a_channel_that_waits_for_nothing_is_asked_about_no_more(world: Store, clock: FakeClock) -> None:
    """What is held has a time of its own, so that it does not stand before others in the queue."""
    await follow(world, "C1", "firm:tencent")
    await poll(world, "cac-news", *acts(*range(7)))
    await sent(world, clock, await one(world))
    await poll(world, "cac-news", *acts(*range(7, 14)))
    assert await claim(world) == ()
    ends = [row.next_attempt_at for row in await rows(world) if row.state is DeliveryState.OWED]
    async with world._read() as session:
        channel = (await session.exec(select(Channel))).one()
    assert channel.rolled_up_at is not None
    assert set(ends) == {channel.rolled_up_at + timedelta(minutes=10)}
