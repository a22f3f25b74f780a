"""Cases by an operator's hand, what moves in a case, and who is told of it when. On both databases."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import SQLModel, col, select

import bot.slack.cards as cards
from storage import StorageError, Store
from storage.intents import ChannelKey, MuteIntent, Sent
from storage.joining import PARTED, Standing, status_after, statuses_joined, statuses_parted
from storage.models import Action, ActionFirm, Broadcast, Kind, Role, Status
from storage.tenancy import Card, Change, Channel, Delivery, Mute
from storage.views import DueDelivery
from tests.fakes.clock import FakeClock
from tests.fakes.polls import NOON, act, entry, firm, follow, furnish, poll

LEASE = timedelta(minutes=2)


@pytest.fixture
async def world(store: Store) -> Store:
    await furnish(store)
    return store


async def rows(store: Store, table: type[SQLModel]) -> Any:
    async with store._read() as session:
        return (await session.exec(select(table))).all()


async def cases(store: Store) -> dict[int | None, int]:
    return {row.id: row.case_id for row in await rows(store, Action)}


async def action(store: Store, action_id: int) -> Action:
    async with store._read() as session:
        return (await session.exec(select(Action).where(Action.id == action_id))).one()


async def owed(store: Store, channel_id: int | None = None) -> list[str]:
    """The keys of all deliveries (of a channel), oldest first."""
    async with store._read() as session:
        found = (await session.exec(select(Delivery).order_by(col(Delivery.id)))).all()
        return [row.key for row in found if channel_id in (None, row.channel_id)]


async def deliver(store: Store, clock: FakeClock) -> list[DueDelivery]:
    """Post all that is owed, one a second in each channel; what was claimed, in order."""
    found: list[DueDelivery] = []
    for _ in range(40):
        clock.forward(seconds=2)
        due = await store.claim(20, LEASE)
        for one in due:
            ts = f"{one.channel.slack_id}.{one.key}"
            is_reply = one.card_ts is not None
            assert await store.settle(one.id, one.token, Sent(ts, card_ts=None if is_reply else ts))
        found += due
    return found


async def shown(store: Store) -> dict[tuple[str, int], str]:
    """The cards that stand: (channel, case) -> message."""
    async with store._read() as session:
        found = await session.exec(select(Channel.slack_id, Card.case_id, Card.ts).join(Card, col(Card.channel_id) == Channel.id))
        return {(slack_id, case_id): ts for slack_id, case_id, ts in found}


async def changed(store: Store, action_id: int, what: str) -> list[tuple[str, str, str, int | None]]:
    async with store._read() as session:
        said = select(Change).where(Change.subject == f"action:{action_id}", Change.what == what).order_by(col(Change.id))
        return [(row.made_by, row.before, row.after, row.version) for row in await session.exec(said)]


def fine(*firms: Any, number: str | None = None, title: str = "A fine", kind: Kind = Kind.FINE, days: int = 0, **fields: Any) -> Any:
    found = act(kind, *(firms or ("tencent",)), number=number)
    return entry(title, found, guid=f"{title} {number} {days}", published=NOON + timedelta(days=days), **fields)


# --- joined by hand ----------------------------------------------------------------------------------------------------


async def test_joining_takes_the_whole_case_along_and_tells_nobody(world: Store) -> None:
    await follow(world, "C1", "firm:tencent")
    await poll(world, "cac-news", fine(number="A-1"), fine(number="B-1", title="Another"))
    await poll(world, "cac-news", fine(number="B-1", title="Its appeal", kind=Kind.APPEAL))
    before = await owed(world)
    told = await world.join_cases(1003, 1001, "operator")
    assert (told.is_new, told.case, sorted(told.moved)) == (True, (1001, 1002, 1003), [1002, 1003])
    assert len(set((await cases(world)).values())) == (await world.counts())["cases"] == 1
    assert await owed(world) == before
    assert await changed(world, 1003, "case") == [("operator", "RW-1002, RW-1003", "RW-1001, RW-1002, RW-1003", None)]
    assert await changed(world, 1001, "case") == [("operator", "RW-1001", "RW-1001, RW-1002, RW-1003", None)]


async def test_the_same_word_again_changes_nothing(world: Store) -> None:
    await poll(world, "cac-news", fine(number="A-1"), fine(number="B-1", title="Another"))
    await world.join_cases(1002, 1001, "operator")
    said = len(await rows(world, Change))
    again = await world.join_cases(1002, 1001, "operator")
    other_way = await world.join_cases(1001, 1002, "operator")
    assert (again.is_new, other_way.is_new, again.case) == (False, False, (1001, 1002))
    assert len(await rows(world, Change)) == said


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        pytest.param(1009, 1001, "There is no action RW-1009", id="an action that is not there"),
        pytest.param(1001, 1009, "There is no action RW-1009", id="a case that is not there"),
        pytest.param(1001, 1001, "cannot be joined to itself", id="itself"),
    ],
)
async def test_what_cannot_be_joined_is_said(world: Store, one: int, other: int, words: str) -> None:
    await poll(world, "cac-news", fine())
    with pytest.raises(StorageError, match=words):
        await world.join_cases(one, other, "operator")


async def test_the_older_card_stands_for_both_and_a_card_of_one_goes_along(world: Store, clock: FakeClock) -> None:
    """C1 shows both cases, the second one first; C2 shows only the case that is joined to the other."""
    await follow(world, "C1", "firm:alibaba")
    await follow(world, "C2", "firm:xiaomi")
    await poll(world, "cac-news", fine("alibaba", "xiaomi", title="Second", number="B-1"))
    await deliver(world, clock)
    await poll(world, "cac-news", fine("alibaba", title="First", number="A-1"))
    await deliver(world, clock)
    told = await world.join_cases(1001, 1002, "operator")
    case_id = (await cases(world))[1001]
    assert (told.channels, told.doubled) == (2, 1)
    assert await shown(world) == {("C1", case_id): "C1.alert:RW-1001", ("C2", case_id): "C2.alert:RW-1001"}


@pytest.mark.parametrize(("mover", "to"), [(1001, 1002), (1002, 1001)])
async def test_the_older_card_stands_whichever_is_joined(world: Store, clock: FakeClock, mover: int, to: int) -> None:
    await follow(world, "C1", "firm:tencent")
    for number in ("A-1", "B-1"):
        await poll(world, "cac-news", fine(title=f"Fine {number}", number=number))
        await deliver(world, clock)
    await world.join_cases(mover, to, "operator")
    assert list((await shown(world)).values()) == ["C1.alert:RW-1001"]


async def test_the_next_move_of_a_joined_case_is_one_update_of_the_card_that_stands(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent")
    await poll(world, "cac-news", fine(number="A-1"), fine(number="B-1", title="Another"))
    await deliver(world, clock)
    await world.join_cases(1002, 1001, "operator")
    assert await deliver(world, clock) == []
    await poll(world, "cac-news", fine(number="B-1", title="Its appeal", kind=Kind.APPEAL))
    (due,) = await deliver(world, clock)
    assert (due.key, due.card_ts) == ("update:RW-1003:1", "C1.alert:RW-1001")
    said = json.dumps(cards.alert(due.card).blocks, ensure_ascii=False)
    assert "RW-1001" in said
    assert "RW-1002" in said


async def test_a_mute_of_either_holds_for_both_until_the_later_moment(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent")
    await follow(world, "C2", "firm:tencent")
    await poll(world, "cac-news", fine(number="A-1"), fine(number="B-1", title="Another"))
    soon, late = clock() + timedelta(days=1), clock() + timedelta(days=9)
    await world.mute(MuteIntent(ChannelKey("T1", "C1"), "U1", soon, action_id=1001))
    await world.mute(MuteIntent(ChannelKey("T1", "C1"), "U1", late, action_id=1002))
    await world.mute(MuteIntent(ChannelKey("T1", "C2"), "U1", soon, action_id=1002))
    await world.join_cases(1002, 1001, "operator")
    case_id = (await cases(world))[1001]
    held = sorted((mute.channel_id, mute.key, mute.until) for mute in await rows(world, Mute))
    assert held == [(1, f"case:{case_id}", late), (2, f"case:{case_id}", soon)]


async def test_an_annulment_that_is_joined_moves_the_earlier_fine_and_not_a_later_one(world: Store) -> None:
    await poll(
        world,
        "cac-news",
        fine(number="A-1"),
        fine(number="C-1", title="A later fine", days=90),
        fine(number="B-1", title="An annulment", kind=Kind.ANNULMENT, days=30),
    )
    by_kind = {row.kind if row.number != "C-1" else "later": row.id for row in await rows(world, Action)}
    await world.join_cases(by_kind["later"], by_kind[Kind.FINE], "operator")
    told = await world.join_cases(by_kind[Kind.ANNULMENT], by_kind[Kind.FINE], "operator")
    assert told.statuses == ((by_kind[Kind.FINE], Status.IN_FORCE, Status.ANNULLED),)
    assert (await action(world, by_kind["later"])).status is Status.IN_FORCE
    assert await changed(world, by_kind[Kind.FINE], "status") == [("operator", "in_force", "annulled", 2)]
    back = await world.part_case(by_kind[Kind.ANNULMENT], "operator")
    assert back.statuses == ((by_kind[Kind.FINE], Status.ANNULLED, Status.IN_FORCE),)
    assert (await action(world, by_kind[Kind.FINE])).version == 3


# --- parted by hand ----------------------------------------------------------------------------------------------------


async def test_a_parted_action_has_a_case_of_its_own_and_nobody_is_told(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent")
    await poll(world, "cac-news", fine(number="A-1"))
    await deliver(world, clock)
    await poll(world, "cac-news", fine(number="A-1", title="A ban", kind=Kind.BAN))
    await deliver(world, clock)
    before = await owed(world)
    told = await world.part_case(1002, "operator")
    assert (told.is_new, told.case, told.left) == (True, (1002,), (1001,))
    case_ids = await cases(world)
    assert case_ids[1001] != case_ids[1002]
    assert await owed(world) == before
    assert await shown(world) == {("C1", case_ids[1001]): "C1.alert:RW-1001"}
    assert (await world.part_case(1002, "operator")).is_new is False
    assert await changed(world, 1002, "case") == [("operator", "RW-1001, RW-1002", "RW-1002", None)]


async def test_each_of_two_parted_cases_goes_on_by_itself(world: Store, clock: FakeClock) -> None:
    """The parted action gets a card of its own at its next move; what was left keeps the card."""
    await follow(world, "C1", "firm:tencent")
    await poll(world, "cac-news", fine(number="A-1"))
    await deliver(world, clock)
    ban = fine(number="A-1", title="A ban", kind=Kind.BAN, url="https://cac.example/ban")
    await poll(world, "cac-news", ban)
    await deliver(world, clock)
    await world.part_case(1002, "operator")
    await poll(world, "cac-news", fine(title="It is appealed", kind=Kind.APPEAL, links=[ban.url]))
    await poll(world, "cac-news", fine(title="The fine is appealed", kind=Kind.APPEAL, number="A-1"))
    due = await deliver(world, clock)
    assert [(one.key, one.card_ts) for one in due] == [("update:RW-1003:1", None), ("update:RW-1004:1", "C1.alert:RW-1001")]
    case_ids = await cases(world)
    assert await shown(world) == {("C1", case_ids[1001]): "C1.alert:RW-1001", ("C1", case_ids[1002]): "C1.update:RW-1003:1"}


async def test_a_card_of_a_channel_that_was_told_of_the_parted_action_alone_goes_with_it(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent", filter="kind:ban")
    await poll(world, "cac-news", fine(number="A-1"))
    await poll(world, "cac-news", fine(number="A-1", title="A ban", kind=Kind.BAN))
    await deliver(world, clock)
    await world.part_case(1002, "operator")
    assert await shown(world) == {("C1", (await cases(world))[1002]): "C1.alert:RW-1002"}


async def test_a_mute_of_the_case_holds_for_what_is_parted_from_it(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent")
    await poll(world, "cac-news", fine(number="A-1"))
    await poll(world, "cac-news", fine(number="A-1", title="A ban", kind=Kind.BAN))
    await world.mute(MuteIntent(ChannelKey("T1", "C1"), "U1", clock() + timedelta(days=9), action_id=1001))
    await world.part_case(1002, "operator")
    assert {mute.key for mute in await rows(world, Mute)} == {f"case:{case_id}" for case_id in (await cases(world)).values()}


@pytest.mark.parametrize(
    ("later", "joins"),
    [
        pytest.param({"number": "A-1"}, 1001, id="a later act under the number is of the case that was left"),
        pytest.param({"cites": ["A-1"]}, 1001, id="so is one that cites it"),
        pytest.param({"links": ["https://cac.example/ban"]}, 1002, id="a link to the parted one means that one"),
        pytest.param({"links": ["https://cac.example/ban"], "cites": ["A-1"]}, None, id="both: which one is not known"),
    ],
)
async def test_no_later_document_brings_the_parted_one_back(world: Store, later: dict[str, Any], joins: int | None) -> None:
    await poll(world, "cac-news", fine(number="A-1"))
    await poll(world, "cac-news", fine(number="A-1", title="A ban", kind=Kind.BAN, url="https://cac.example/ban"))
    await world.part_case(1002, "operator")
    await poll(world, "cac-news", fine(title="Its appeal", kind=Kind.APPEAL, days=9, **later))
    await poll(world, "samr-news", entry("对禁令的说明", act(Kind.BAN, "tencent", number="A-1"), language="zh"))  # one more of the ban
    case_ids = await cases(world)
    assert len(case_ids) == 3
    assert case_ids[1001] != case_ids[1002]
    assert {one for one in (1001, 1002) if case_ids[one] == case_ids[1003]} == ({joins} if joins else set())
    assert (await action(world, 1002)).case_reason == PARTED


async def test_what_was_joined_stays_when_its_document_is_edited(world: Store) -> None:
    await poll(world, "cac-news", fine(number="A-1"), fine(number="B-1", title="Another"))
    await world.join_cases(1002, 1001, "operator")
    (known,) = await world.known("cac-news", numbers=["B-1"])
    edit = fine("tencent", "xiaomi", number="B-1", title="Another")
    await poll(world, "cac-news", replace(edit, document_id=known.document_id))
    case_ids = await cases(world)
    assert case_ids[1001] == case_ids[1002]
    assert (await action(world, 1002)).case_reason == "by hand"


async def test_parting_what_is_not_there_is_said(world: Store) -> None:
    with pytest.raises(StorageError, match="There is no action RW-1001"):
        await world.part_case(1001, "operator")


# --- shown -------------------------------------------------------------------------------------------------------------


async def test_why_and_history_tell_of_the_hand(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent")
    await poll(world, "cac-news", fine(number="A-1"), fine(number="B-1", title="Another"))
    await world.join_cases(1002, 1001, "operator")
    why = await world.why(1002, "T1", "C1")
    assert why is not None
    told = [line.text for line in why.lines if line.subject == "case"]
    assert told == ["joined its case: by hand", "RW-1002 became RW-1001, RW-1002: said by operator, 2021-03-19 04:00 UTC"]
    await world.part_case(1002, "mei")
    why = await world.why(1002, "T1", "C1")
    assert why is not None
    told = [line.text for line in why.lines if line.subject == "case"]
    assert told[0] == "a case of its own: parted by hand"
    assert told[-1].startswith("RW-1001, RW-1002 became RW-1002: said by mei")
    detail = await world.action(1001)
    assert detail is not None
    assert [(change.what, change.by) for change in detail.changes] == [("case", "operator"), ("case", "mei")]


async def test_a_case_is_shown_with_its_reasons(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent")
    await poll(world, "cac-news", fine(number="A-1"))
    await poll(world, "cac-news", fine(number="A-1", title="Its appeal", kind=Kind.APPEAL))
    await poll(world, "cac-news", fine(number="B-1", title="Another"))
    await deliver(world, clock)
    await world.join_cases(1003, 1002, "operator")
    found = await world.case(1002)
    assert found is not None
    assert [(view.id, reason) for view, reason in found.actions] == [(1001, ""), (1002, "number A-1"), (1003, "by hand")]
    assert [(change.by, change.after) for change in found.changes] == [("operator", "RW-1001, RW-1002, RW-1003")]
    assert found.channels == 1
    assert await world.case(1009) is None


# --- what moves in a case ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "then", "words"),
    [
        (Kind.FINE, Kind.APPEAL, "now appealed"),
        (Kind.FINE, Kind.ANNULMENT, "now annulled"),
        (Kind.INVESTIGATION, Kind.CLOSED, "now closed"),
        (Kind.PROPOSED_PENALTY, Kind.FINE, None),
    ],
)
async def test_a_move_of_the_case_is_one_reply_that_tells_the_status_too(
    world: Store, clock: FakeClock, first: Kind, then: Kind, words: str | None
) -> None:
    """The card is edited to the present state, and the one reply says what became of the earlier action."""
    await follow(world, "C1", "firm:tencent", broadcast=Broadcast.ESCALATION)
    await poll(world, "cac-news", fine(kind=first, number="A-1"))
    await deliver(world, clock)
    await poll(world, "cac-news", fine(title="Then", kind=then, number="A-1"))
    (due,) = await deliver(world, clock)
    reply, card = cards.development(due), cards.alert(due.card)
    said = json.dumps(reply.blocks, ensure_ascii=False)
    assert ("now" in reply.text, "now " in said) == (words is not None, words is not None)
    if words:
        assert f"RW-1001 {first.value}, *Tencent*: {words}" in said
        assert f"RW-1001 {first.value}, Tencent: {words}." in reply.text
        assert f"RW-1001 {first.value}: {words}" in json.dumps(card.blocks, ensure_ascii=False)
    assert due.is_broadcast is (then in (Kind.ANNULMENT, Kind.FINE))


async def test_a_channel_is_alerted_once_when_the_action_gains_its_firm_and_updated_from_then_on(world: Store, clock: FakeClock) -> None:
    channel = await follow(world, "C1", "firm:xiaomi")
    act_of = [("island-times", "en", "Tencent fined", ["tencent"]), ("cac-news", "zh", "处罚决定", ["tencent", "xiaomi"])]
    for source, language, title, firms in act_of:
        await poll(world, source, entry(title, act(Kind.FINE, *firms), language=language))
        await deliver(world, clock)
    assert await owed(world, channel) == ["alert:RW-1001"]
    await poll(world, "samr-news", entry("Geldbuße", act(Kind.FINE, "tencent", "xiaomi", "kuaishou"), language="de"))
    (due,) = await deliver(world, clock)
    assert (due.key, due.card_ts) == ("update:RW-1001:3", "C1.alert:RW-1001")


async def test_a_channel_is_alerted_once_when_the_case_gains_its_firm_and_updated_from_then_on(world: Store, clock: FakeClock) -> None:
    channel = await follow(world, "C1", "firm:xiaomi")
    for title, kind, firms in (
        ("A probe", Kind.INVESTIGATION, ["tencent"]),
        ("A fine", Kind.FINE, ["tencent", "xiaomi"]),
        ("An appeal of the other", Kind.APPEAL, ["tencent"]),
    ):
        await poll(world, "cac-news", fine(*firms, title=title, kind=kind, number="A-1"))
        await deliver(world, clock)
    assert await owed(world, channel) == ["alert:RW-1002", "update:RW-1003:1"]
    assert len(await shown(world)) == 1


@pytest.mark.parametrize("is_sent", [True, False], ids=["the alert was posted before", "all is owed at once"])
async def test_a_channel_is_alerted_once_when_the_case_gains_a_kind_that_its_filter_passes(
    world: Store, clock: FakeClock, is_sent: bool
) -> None:
    channel = await follow(world, "C1", "firm:tencent", filter="severity:>=fine")
    for title, kind in (("Talks", Kind.TALKS), ("A fine", Kind.FINE), ("A warning", Kind.WARNING), ("A ban", Kind.BAN)):
        await poll(world, "cac-news", fine(title=title, kind=kind, number="A-1"))
        if is_sent:
            await deliver(world, clock)
    assert await owed(world, channel) == ["alert:RW-1002", "update:RW-1003:1", "update:RW-1004:1"]


async def test_a_channel_is_alerted_once_when_an_edit_gives_the_action_its_kind(world: Store, clock: FakeClock) -> None:
    channel = await follow(world, "C1", "firm:tencent", filter="kind:fine")
    first = fine(title="A decision", kind=Kind.WARNING, number="A-1")
    await poll(world, "cac-news", first)
    (known,) = await world.known("cac-news", numbers=["A-1"])
    for kind, count in ((Kind.FINE, None), (Kind.FINE, 3), (Kind.WARNING, 3)):
        found = act(kind, "tencent", number="A-1", count=count)
        await poll(world, "cac-news", replace(entry("A decision", found, guid=first.guid), document_id=known.document_id))
        await deliver(world, clock)
    # the last one does not pass the filter any more: the card that stands is told all the same
    assert await owed(world, channel) == ["alert:RW-1001", "update:RW-1001:3", "update:RW-1001:4"]


async def test_a_role_that_grows_alerts_once(world: Store, clock: FakeClock) -> None:
    channel = await follow(world, "C1", "firm:xiaomi")
    for source, language, role in (
        ("island-times", "en", Role.MENTIONED),
        ("cac-news", "zh", Role.TARGET),
        ("samr-news", "de", Role.TARGET),
    ):
        found = act(Kind.FINE, "tencent", firm("xiaomi", role))
        await poll(world, source, entry(f"Told in {language}", found, language=language))
        await deliver(world, clock)
    assert await owed(world, channel) == ["alert:RW-1001"]
    assert {row.role for row in await rows(world, ActionFirm)} == {Role.TARGET}


# --- pure --------------------------------------------------------------------------------------------------------------

DAYS = st.dates(date(2021, 1, 1), date(2021, 2, 1))
STANDINGS = st.lists(
    st.tuples(st.sampled_from(Kind), st.sampled_from([Status.IN_FORCE, Status.PROPOSED, Status.APPEALED]), DAYS), max_size=4
)


def standings(told: list[tuple[Kind, Status, date]], first: int) -> list[Standing]:
    return [Standing(first + at, kind, status, on) for at, (kind, status, on) in enumerate(told)]


@given(STANDINGS, STANDINGS)
def test_joining_moves_only_what_a_later_act_of_the_other_case_moves(one: Any, other: Any) -> None:
    mine, its = standings(one, 1), standings(other, 11)
    moved = statuses_joined(mine, its)
    assert moved == statuses_joined(its, mine)
    for own, others in ((mine, its), (its, mine)):
        for each in own:
            if each.action_id in moved:
                assert any(mover.on >= each.on and mover.kind in (Kind.APPEAL, Kind.ANNULMENT, Kind.CLOSED) for mover in others)
                assert each.kind.severity is not None


@given(STANDINGS, STANDINGS)
def test_parting_takes_back_what_joining_moved(one: Any, other: Any) -> None:
    mine, its = standings(one, 1), standings(other, 11)
    moved = statuses_joined(mine, its)
    former = {each.action_id: each.status for each in (*mine, *its) if each.action_id in moved}
    after = [[replace(each, status=moved.get(each.action_id, each.status)) for each in group] for group in (mine, its)]
    back = statuses_parted(after[0], after[1], former)
    for group, own in zip(after, (mine, its), strict=True):
        for each in group:
            if each.action_id in back:
                assert back[each.action_id] is former[each.action_id]
            elif each.action_id in moved:  # an act of its own case accounts for it as well
                assert any(status_after(mover.kind, each.kind, former[each.action_id]) is each.status for mover in own)
