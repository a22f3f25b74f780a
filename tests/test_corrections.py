"""Verdicts on cards, what they silence while they hold, and reviews. On both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import col, select

from storage import StorageError, Store
from storage.intents import ChannelKey, CorrectionIntent, FollowIntent, MuteIntent, Sent
from storage.models import DeliveryState, Followed, Kind, Role
from storage.records import FoundFirm
from storage.tenancy import Channel, Correction, Delivery, Verdict
from storage.views import ActionDetail, CardView, CorrectionResult
from tests.fakes.clock import FakeClock
from tests.fakes.polls import NOON, act, entry, firm, furnish, poll

HERE, THERE = ChannelKey("T1", "C1", "legal"), ChannelKey("T2", "C1", "elsewhere")
LEASE = timedelta(minutes=2)
OWED, WAIVED = DeliveryState.OWED, DeliveryState.WAIVED


@pytest.fixture
async def world(store: Store) -> Store:
    """Two workspaces that follow Tencent, in channels of the same Slack id."""
    await furnish(store)
    for key in (HERE, THERE):
        await store.follow(FollowIntent(key, "U1", Followed.FIRM, "tencent"))
    return store


async def found(store: Store, title: str, *firms: Any, kind: Kind = Kind.FINE, **fields: Any) -> None:
    """Let one act be found; each title is an act of its own."""
    number, by = fields.pop("number", f"No. {title} {fields.get('guid')}"), fields.pop("by", ("cn-cac",))
    await poll(store, "cac-news", entry(title, act(kind, *(firms or ("tencent",)), number=number, by=by), **fields))


async def moved(
    store: Store, title: str = "A decision", number: str = "A-1", document_id: int = 1, text: str = "x", firm: FoundFirm | str = "tencent"
) -> None:
    """Let the action of a known document become a ban."""
    edit = entry(title, act(Kind.BAN, firm, number=number), guid=title, text=text, document_id=document_id)
    await poll(store, "cac-news", edit)


def verdict(what: Verdict = Verdict.NOT_RELEVANT, action_id: int = 1001, key: ChannelKey = HERE, **fields: Any) -> CorrectionIntent:
    return CorrectionIntent(key, fields.pop("by", "U2"), action_id, what, **fields)


def wrong(firm_id: str = "tencent", **fields: Any) -> CorrectionIntent:
    return verdict(Verdict.WRONG_FIRM, firm_id=firm_id, **fields)


def duplicate(of: int, **fields: Any) -> CorrectionIntent:
    return verdict(Verdict.DUPLICATE, of_action_id=of, **fields)


async def standing(store: Store, workspace_id: str = "T1") -> dict[str, tuple[DeliveryState, str]]:
    async with store._read() as session:
        rows = select(Delivery).join(Channel, col(Channel.id) == Delivery.channel_id).where(Channel.workspace_id == workspace_id)
        return {row.key: (row.state, row.reason) for row in await session.exec(rows.order_by(col(Delivery.id)))}


async def post_all(store: Store, clock: FakeClock) -> None:
    """Post what is owed; each post has a ts of its own."""
    while due := await store.claim(9, LEASE):
        for one in due:
            await store.settle(one.id, one.token, Sent(f"{one.id}.1"))
        clock.forward(seconds=1)


async def card(store: Store, action_id: int = 1001, key: ChannelKey = HERE) -> CardView:
    view = await store.card(key, action_id)
    assert view is not None
    return view


async def detail(store: Store, action_id: int = 1001) -> ActionDetail:
    view = await store.action(action_id)
    assert view is not None
    return view


async def rows_of(store: Store) -> list[Correction]:
    async with store._read() as session:
        return list(await session.exec(select(Correction).order_by(col(Correction.id))))


# --- cards ---------------------------------------------------------------------------------------------------------


async def test_a_card_is_what_a_delivery_of_it_would_be_drawn_from(world: Store, clock: FakeClock) -> None:
    await found(world, "A decision", number="A-1")
    await found(world, "Its appeal", kind=Kind.APPEAL, number="A-1")
    await post_all(world, clock)
    await world.correct(wrong())
    await world.review(HERE, 1001, "U3")
    await world.mute(MuteIntent(HERE, "U4", NOON + timedelta(days=1), firm_id="tencent"))
    await world.follow(FollowIntent(HERE, "U1", Followed.REGULATOR, regulator_id="cn-cac"))
    await moved(world)
    (due,) = [one for one in await world.claim(9, LEASE) if one.channel.workspace_id == "T1"]
    assert due.key == "update:RW-1001:3"  # the appeal was the second
    view = await card(world)
    assert due.card == view
    assert (view.ts, [one.ref for one in view.case], view.watched) == ("1.1", ["RW-1002"], {"tencent"})
    assert [(one.verdict, one.firm, one.by, one.at) for one in view.corrections] == [(Verdict.WRONG_FIRM, "Tencent", "U2", clock())]
    assert [(one.by, one.version) for one in view.reviews] == [("U3", 2)]
    assert view.muted_until == NOON + timedelta(days=1)


async def test_there_is_no_card_of_an_unknown_action_or_channel(world: Store) -> None:
    await found(world, "A decision")
    assert await world.card(HERE, 4711) is None
    assert await world.card(ChannelKey("T1", "C9"), 1001) is None
    assert (await card(world)).ts is None


async def test_a_card_knows_of_the_verdicts_on_all_actions_of_its_case_and_on_which_each_was_said(world: Store) -> None:
    await found(world, "A decision", number="A-1")
    await found(world, "Its appeal", kind=Kind.APPEAL, number="A-1")
    await world.correct(verdict(action_id=1002))
    for asked in (1001, 1002):
        assert [one.action_id for one in (await card(world, asked)).corrections] == [1002]


# --- what a verdict is ---------------------------------------------------------------------------------------------


async def test_a_verdict_names_all_posts_of_the_workspace_that_show_the_case(world: Store, clock: FakeClock) -> None:
    await world.follow(FollowIntent(ChannelKey("T1", "C2"), "U1", Followed.ALL))
    await found(world, "A decision", number="A-1")
    await found(world, "Its appeal", kind=Kind.APPEAL, number="A-1")
    await found(world, "Another case")
    await post_all(world, clock)
    result = await world.correct(verdict(action_id=1002, reason="only a report"))
    assert sorted(channel for channel, _ in result.shown) == ["C1", "C2"]
    assert result.is_new
    assert (result.correction.verdict, result.correction.by, result.correction.reason) == (Verdict.NOT_RELEVANT, "U2", "only a report")
    assert result.card == await card(world, 1002)
    assert result.card.corrections == (result.correction,)


async def test_a_verdict_changes_nothing_of_the_action_and_no_workspace_but_its_own(world: Store) -> None:
    await found(world, "A decision")
    before, others = await detail(world), await card(world, key=THERE)
    for one in (verdict(), wrong()):
        await world.correct(one)
    assert await detail(world) == before
    assert await card(world, key=THERE) == others


VERDICTS = {"not relevant": verdict(), "wrong firm": wrong(), "duplicate": duplicate(1002)}


@pytest.mark.parametrize("intent", VERDICTS.values(), ids=VERDICTS)
async def test_the_same_verdict_twice_is_once(intent: CorrectionIntent, world: Store, clock: FakeClock) -> None:
    await found(world, "A decision")
    await found(world, "Another")
    first = await world.correct(intent)
    clock.forward(hours=1)
    again = await world.correct(replace(intent, by="U9", reason="so it is"))
    assert (first.is_new, again.is_new) == (True, False)
    assert again.correction == first.correction
    assert len(await rows_of(world)) == 1


@pytest.mark.parametrize("intent", VERDICTS.values(), ids=VERDICTS)
async def test_many_who_say_the_same_at_once_say_it_once(intent: CorrectionIntent, world: Store) -> None:
    await found(world, "A decision")
    await found(world, "Another")
    results = await asyncio.gather(*(world.correct(replace(intent, by=f"U{at}")) for at in range(4)))
    assert sum(result.is_new for result in results) == 1
    assert len(await rows_of(world)) == 1


async def test_a_duplicate_of_another_one_after_all_withdraws_what_was_said_before(world: Store) -> None:
    for title in ("One", "Two", "Three"):
        await found(world, title)
    await world.correct(duplicate(1002))
    result = await world.correct(duplicate(1003, by="U7"))
    assert [one.of_action_id for one in result.card.corrections] == [1003]
    assert [(row.of_action_id, row.withdrawn_by) for row in await rows_of(world)] == [(1002, "U7"), (1003, "")]


ERRORS = [
    ("an action", verdict(action_id=4711), "no action RW-4711"),
    ("a firm that is not in the action", wrong("alibaba"), "RW-1001 names no firm 'alibaba'"),
    ("no firm at all", verdict(Verdict.WRONG_FIRM), "RW-1001 names no firm None"),
    ("a duplicate of itself", duplicate(1001), "RW-1001 cannot be a duplicate of itself"),
    ("a duplicate of nothing", verdict(Verdict.DUPLICATE), "RW-1001 is a duplicate of which action"),
    ("a duplicate of an action that is not there", duplicate(4711), "no action RW-4711"),
    ("a duplicate of its duplicate", duplicate(1002), "RW-1002 was said to be a duplicate of RW-1001"),
    ("a duplicate of a duplicate of its duplicate", duplicate(1003), "RW-1003 was said to be a duplicate of RW-1001"),
]


@pytest.mark.parametrize(("intent", "error"), [case[1:] for case in ERRORS], ids=[case[0] for case in ERRORS])
async def test_a_verdict_that_cannot_be_is_refused_and_leaves_no_trace(intent: CorrectionIntent, error: str, world: Store) -> None:
    for title in ("One", "Two", "Three"):
        await found(world, title)
    await world.correct(duplicate(1001, action_id=1002))
    await world.correct(duplicate(1002, action_id=1003))
    with pytest.raises(StorageError, match=error):
        await world.correct(replace(intent, channel=ChannelKey("T1", "C9")))
    assert await world.channel(ChannelKey("T1", "C9")) is None
    assert len(await rows_of(world)) == 2


async def test_a_chain_of_duplicates_is_no_circle(world: Store) -> None:
    for title in ("One", "Two", "Three"):
        await found(world, title)
    await world.correct(duplicate(1002))
    assert (await world.correct(duplicate(1003, action_id=1002))).is_new


async def test_an_operators_verdict_holds_everywhere_and_need_not_be_said_again(world: Store) -> None:
    await found(world, "A decision")
    result = await world.correct(verdict(is_for_all=True))
    assert result.correction.is_for_all
    assert (await card(world, key=THERE)).corrections == (result.correction,)
    assert not (await world.correct(verdict(key=THERE))).is_new


async def test_what_one_workspace_says_an_operator_may_say_for_all(world: Store) -> None:
    await found(world, "A decision")
    await world.correct(verdict(key=THERE))
    assert (await card(world)).corrections == ()
    assert (await world.correct(verdict(is_for_all=True))).is_new
    assert len((await card(world, key=THERE)).corrections) == 2


# --- withdrawing ---------------------------------------------------------------------------------------------------


async def test_a_withdrawn_verdict_holds_no_more_and_is_kept(world: Store, clock: FakeClock) -> None:
    await found(world, "A decision")
    said = await world.correct(verdict())
    clock.forward(hours=1)
    result = await world.withdraw(HERE, said.correction.id, "U3")
    assert result is not None
    assert (result.is_new, result.correction, result.card.corrections) == (True, said.correction, ())
    again = await world.withdraw(HERE, said.correction.id, "U4")
    assert again is not None
    assert not again.is_new
    (row,) = await rows_of(world)
    assert (row.made_by, row.withdrawn_by, row.withdrawn_at) == ("U2", "U3", clock())
    assert (await world.correct(verdict())).is_new


async def test_an_operators_verdict_is_withdrawn_by_operators_alone(world: Store) -> None:
    await found(world, "A decision")
    said = await world.correct(wrong(is_for_all=True))
    with pytest.raises(StorageError, match="operators alone withdraw it"):
        await world.withdraw(HERE, said.correction.id, "U3")
    assert len((await card(world)).corrections) == 1
    assert await world.withdraw(HERE, said.correction.id, "U3", is_operator=True) is not None
    assert (await card(world)).corrections == ()


async def test_a_verdict_is_withdrawn_in_any_channel_of_its_workspace_and_in_no_other(world: Store) -> None:
    await found(world, "A decision")
    own, everywhere = await world.correct(verdict()), await world.correct(wrong(is_for_all=True))
    other = ChannelKey("T1", "C2")
    await world.follow(FollowIntent(other, "U1", Followed.ALL))
    for said in (own, everywhere):
        assert await world.withdraw(THERE, said.correction.id, "U3") is None
        assert await world.withdraw(other, said.correction.id, "U3", is_operator=True) is not None
    assert await world.withdraw(HERE, 4711, "U3") is None
    assert await world.withdraw(ChannelKey("T1", "C9"), own.correction.id, "U3") is None


# --- what a verdict silences ---------------------------------------------------------------------------------------


async def test_not_relevant_waives_all_further_moves_of_the_case_here_and_not_elsewhere(world: Store, clock: FakeClock) -> None:
    await found(world, "A decision", guid="A decision", number="A-1")
    await post_all(world, clock)
    await world.correct(verdict())
    await moved(world)
    await found(world, "Its appeal", kind=Kind.APPEAL, number="A-1")
    silenced = {"update:RW-1001:2": (WAIVED, "not relevant"), "update:RW-1002:1": (WAIVED, "not relevant")}
    told = dict.fromkeys(silenced, (OWED, ""))
    assert (await standing(world)).items() >= silenced.items()
    assert (await standing(world, "T2")).items() >= told.items()


async def test_an_operators_verdict_waives_everywhere(world: Store, clock: FakeClock) -> None:
    await found(world, "A decision", guid="A decision", number="A-1")
    await post_all(world, clock)
    await world.correct(verdict(is_for_all=True))
    await moved(world)
    for workspace_id in ("T1", "T2"):
        assert (await standing(world, workspace_id))["update:RW-1001:2"] == (WAIVED, "not relevant")


async def test_after_a_withdrawal_the_case_is_told_of_again(world: Store, clock: FakeClock) -> None:
    await found(world, "A decision", guid="A decision", number="A-1")
    await post_all(world, clock)
    said = await world.correct(verdict())
    await moved(world)
    await world.withdraw(HERE, said.correction.id, "U3")
    await found(world, "Its appeal", kind=Kind.APPEAL, number="A-1")
    assert (await standing(world))["update:RW-1002:1"] == (OWED, "")


async def test_a_duplicate_is_silent_and_its_original_is_not(world: Store, clock: FakeClock) -> None:
    await found(world, "A decision", guid="A decision", number="A-1")
    await found(world, "The other", guid="The other", number="B-1")
    await post_all(world, clock)
    await world.correct(duplicate(1001, action_id=1002))
    await moved(world)
    await moved(world, "The other", "B-1", document_id=2)
    found_now = await standing(world)
    assert found_now["update:RW-1001:2"] == (OWED, "")
    assert found_now["update:RW-1002:2"] == (WAIVED, "duplicate of RW-1001")


async def test_a_duplicate_within_one_case_silences_itself_alone(world: Store, clock: FakeClock) -> None:
    await found(world, "A decision", guid="A decision", number="A-1")
    await found(world, "Its appeal", guid="Its appeal", kind=Kind.APPEAL, number="A-1")
    await post_all(world, clock)
    await world.correct(duplicate(1001, action_id=1002))
    await moved(world)
    await moved(world, "Its appeal", document_id=2)
    found_now = await standing(world)
    assert found_now["update:RW-1001:3"] == (OWED, "")
    assert found_now["update:RW-1002:2"] == (WAIVED, "duplicate of RW-1001")


TWINS: list[tuple[str, dict[str, Any], tuple[Any, ...], str]] = [
    ("the same title and firm", {"title": "Weekly report"}, ("tencent",), "not relevant"),
    ("the same but for case and signs", {"title": "WEEKLY: Report!"}, ("tencent",), "not relevant"),
    ("another title", {"title": "Monthly report"}, ("tencent",), ""),
    ("another regulator", {"title": "Weekly report", "by": ("cn-samr",)}, ("tencent",), ""),
    ("a firm more: some regulators title all alike", {"title": "Weekly report"}, ("tencent", "xiaomi"), ""),
]


@pytest.mark.parametrize(("fields", "firms", "reason"), [case[1:] for case in TWINS], ids=[case[0] for case in TWINS])
async def test_a_new_action_like_one_that_was_not_relevant(
    fields: dict[str, Any], firms: tuple[Any, ...], reason: str, world: Store, clock: FakeClock
) -> None:
    await found(world, "Weekly report", guid="w1")
    await world.correct(verdict())
    clock.forward(days=7)
    await found(world, fields["title"], *firms, guid="w2", by=fields.get("by", ("cn-cac",)))
    assert (await standing(world))["alert:RW-1002"] == (WAIVED if reason else OWED, reason)
    assert (await standing(world, "T2"))["alert:RW-1002"] == (OWED, "")


async def test_the_like_of_what_was_not_relevant_stays_silent_when_it_moves(world: Store) -> None:
    await found(world, "Weekly report", guid="w1")
    await world.correct(verdict())
    await found(world, "Weekly report", guid="Weekly report", number="B-1")
    await moved(world, "Weekly report", "B-1", document_id=2)
    found_now = await standing(world)
    assert [found_now[key] for key in ("alert:RW-1002", "update:RW-1002:2")] == [(WAIVED, "not relevant")] * 2


async def test_what_has_a_card_is_not_silenced_by_a_title(world: Store, clock: FakeClock) -> None:
    await found(world, "Weekly report", guid="w1")
    await found(world, "Weekly report", guid="Weekly report", number="B-1")
    await post_all(world, clock)
    await world.correct(verdict())
    await moved(world, "Weekly report", "B-1", document_id=2)
    assert (await standing(world))["update:RW-1002:2"] == (OWED, "")


# --- wrong firm ----------------------------------------------------------------------------------------------------

NAMED = replace(firm("tencent"), surface="Ten Cent Stores")
OWNER = replace(firm("alibaba"), surface="Ten Cent Stores", via="Tencent, affiliate of Alibaba Group", role=Role.GROUP)

MISREAD: list[tuple[str, str, tuple[Any, ...], str]] = [
    ("the same name", "firm:tencent", (NAMED,), "wrong firm"),
    ("the same name in other letters", "firm:tencent", (replace(NAMED, surface="TEN CENT stores"),), "wrong firm"),
    ("another name of that firm", "firm:tencent", (firm("tencent"),), ""),
    ("both names", "firm:tencent", (NAMED, replace(firm("tencent", brand="douyin"), surface="Douyin")), ""),
    ("a follower of everything hears of it: it was not the firm that he asked for", "all", (NAMED,), ""),
    ("its owner, by that name alone", "firm:alibaba", (NAMED, OWNER), "wrong firm"),
    ("its owner, named as well", "firm:alibaba", (NAMED, OWNER, replace(firm("alibaba", brand="tiktok"), via="")), ""),
]


@pytest.mark.parametrize(("what", "firms", "reason"), [case[1:] for case in MISREAD], ids=[case[0] for case in MISREAD])
async def test_a_firm_that_is_not_meant_by_a_name(what: str, firms: tuple[Any, ...], reason: str, world: Store) -> None:
    await found(world, "A decision", NAMED)
    await world.correct(wrong())
    other = ChannelKey("T1", "C2")
    kind, _, subject = what.partition(":")
    await world.follow(FollowIntent(other, "U1", Followed(kind), subject or None))
    await found(world, "Another", *firms)
    channel = await world.channel(other)
    assert channel is not None
    async with world._read() as session:
        (row,) = await session.exec(select(Delivery).where(Delivery.channel_id == channel.id))
    assert (row.key, row.state, row.reason) == ("alert:RW-1002", WAIVED if reason else OWED, reason)
    assert (await standing(world, "T2")).get("alert:RW-1002") == (OWED, "")


async def test_a_wrong_firm_on_its_own_card_silences_the_moves_of_the_action(world: Store, clock: FakeClock) -> None:
    await found(world, "A decision", guid="A decision", number="A-1")
    await post_all(world, clock)
    await world.correct(wrong())
    await moved(world)
    assert (await standing(world))["update:RW-1001:2"] == (WAIVED, "wrong firm")
    assert (await standing(world, "T2"))["update:RW-1001:2"] == (OWED, "")


async def test_a_wrong_firm_that_comes_back_by_another_name_is_still_wrong_there(world: Store, clock: FakeClock) -> None:
    """In the action that was judged; another action by that other name is no error."""
    longer = replace(firm("tencent"), surface="Tencent Holdings")
    await found(world, "A decision", guid="A decision", number="A-1")
    await post_all(world, clock)
    await world.correct(wrong())
    await moved(world, firm="xiaomi")
    await moved(world, firm=longer, text="y")
    assert (await standing(world))["update:RW-1001:3"] == (WAIVED, "wrong firm")
    assert (await standing(world, "T2"))["update:RW-1001:3"] == (OWED, "")
    assert ("verdict", "wrong firm, Tencent is not meant here") in [(what, text.partition(":")[0]) for what, text in await why(world, 1001)]
    await found(world, "Another", longer)
    assert (await standing(world))["alert:RW-1002"] == (OWED, "")


async def test_another_firm_of_the_action_that_was_judged_is_still_meant(world: Store, clock: FakeClock) -> None:
    """The verdict is on one firm, whatever it is read by: not on what came into the action since."""
    await found(world, "A decision", guid="A decision", number="A-1")
    await post_all(world, clock)
    await world.correct(wrong())
    await world.follow(FollowIntent(HERE, "U1", Followed.FIRM, "xiaomi"))
    await moved(world, firm="xiaomi")
    assert (await standing(world))["update:RW-1001:2"] == (OWED, "")


async def test_a_wrong_firm_beside_a_right_one_silences_nothing(world: Store, clock: FakeClock) -> None:
    await world.follow(FollowIntent(HERE, "U1", Followed.FIRM, "xiaomi"))
    await found(world, "A decision")
    await world.correct(wrong())
    await found(world, "Another", "tencent", "xiaomi")
    assert (await standing(world))["alert:RW-1002"] == (OWED, "")


async def test_a_brand_that_is_not_meant_is_not_its_owners_either(world: Store) -> None:
    await world.follow(FollowIntent(HERE, "U1", Followed.FIRM, "bytedance"))
    await found(world, "A decision", firm("bytedance", brand="tiktok"))
    result = await world.correct(wrong("tiktok"))
    assert result.correction.firm == "TikTok"
    await found(world, "Another", firm("bytedance", brand="tiktok"))
    assert (await standing(world))["alert:RW-1002"] == (WAIVED, "wrong firm")


# --- digests and why -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("intent", [verdict(), wrong(), duplicate(1002)], ids=["not relevant", "wrong firm", "duplicate"])
async def test_what_a_verdict_silences_is_in_no_digest(intent: CorrectionIntent, world: Store, clock: FakeClock) -> None:
    await found(world, "A decision", guid="A decision", number="A-1")
    await found(world, "Another", firm("xiaomi"))
    clock.forward(days=4)
    await world.owe_digests()
    await post_all(world, clock)
    await world.correct(intent)
    await moved(world)
    clock.forward(minutes=1)
    for key, told in ((HERE, []), (THERE, ["RW-1001"])):
        digest = await world.preview_digest(key)
        assert digest is not None
        assert [action.ref for action, _ in digest.moved] == told


async def test_what_was_posted_before_it_was_not_relevant_is_in_no_later_digest(world: Store, clock: FakeClock) -> None:
    await found(world, "A decision")
    await post_all(world, clock)
    await world.correct(verdict())
    for key, told in ((HERE, []), (THERE, ["RW-1001"])):
        digest = await world.preview_digest(key)
        assert digest is not None
        assert [action.ref for action in digest.new] == told


async def test_a_verdict_weighs_more_than_age(world: Store, clock: FakeClock) -> None:
    await found(world, "Weekly report", guid="w1")
    await world.correct(verdict())
    await found(world, "Weekly report", guid="w2", waived="age")
    assert (await standing(world))["alert:RW-1002"] == (WAIVED, "not relevant")


async def why(store: Store, action_id: int) -> list[tuple[str, str]]:
    view = await store.why(action_id, "T1", "C1")
    assert view is not None
    return [(line.subject, line.text) for line in view.lines]


async def test_why_names_the_verdict_who_said_it_and_when(world: Store) -> None:
    await found(world, "Weekly report", guid="w1")
    await found(world, "Other", firm("alibaba"))
    await world.correct(verdict())
    await world.correct(wrong(by="U7"))
    await found(world, "Weekly report", guid="w2")
    assert ("verdict", "not relevant: said by U2, 2021-03-19 04:00 UTC") in await why(world, 1001)
    lines = await why(world, 1003)
    assert ("verdict", "not relevant: said by U2 of RW-1001, 2021-03-19 04:00 UTC") in lines
    assert ("verdict", "wrong firm, Tencent is not meant by 'tencent': said by U7 of RW-1001, 2021-03-19 04:00 UTC") in lines
    assert ("subscription", "#1 Tencent: named in it, but somebody said that it is not meant") in lines
    await world.correct(duplicate(1001, action_id=1002))
    assert ("verdict", "duplicate of RW-1001: said by U2, 2021-03-19 04:00 UTC") in await why(world, 1002)
    view = await world.why(1003, "T2", "C1")
    assert view is not None
    assert "verdict" not in {line.subject for line in view.lines}


# --- reviews -------------------------------------------------------------------------------------------------------


async def test_a_review_is_kept_once_a_person_and_version(world: Store, clock: FakeClock) -> None:
    await found(world, "A decision", guid="A decision", number="A-1")
    await world.review(HERE, 1001, "U1")
    await world.review(HERE, 1001, "U1")
    await world.review(HERE, 1001, "U2")
    await moved(world)
    clock.forward(minutes=1)
    view = await world.review(HERE, 1001, "U1")
    assert view is not None
    assert [(one.by, one.version) for one in view.reviews] == [("U1", 1), ("U2", 1), ("U1", 2)]
    assert view.reviews[-1].at == clock()
    assert view == await card(world)


async def test_a_review_is_of_its_channel_and_says_of_which_action(world: Store) -> None:
    await found(world, "A decision", number="A-1")
    await found(world, "Its appeal", kind=Kind.APPEAL, number="A-1")
    await world.review(HERE, 1001, "U1")
    assert [one.action_id for one in (await card(world, 1002)).reviews] == [1001]
    assert (await card(world, key=THERE)).reviews == ()
    assert await world.review(ChannelKey("T1", "C9"), 4711, "U1") is None
    assert await world.channel(ChannelKey("T1", "C9")) is None


# --- whatever people say, twice is once ----------------------------------------------------------------------------

SAYINGS = st.lists(
    st.one_of(
        st.builds(verdict, action_id=st.sampled_from([1001, 1002])),
        st.builds(wrong, action_id=st.sampled_from([1001, 1002])),
        st.just(duplicate(1002)),
        st.builds(
            MuteIntent,
            st.just(HERE),
            st.just("U2"),
            st.sampled_from([None, NOON + timedelta(days=1), NOON + timedelta(days=2)]),
            firm_id=st.sampled_from([None, "tencent", "alibaba"]),
        ),
        st.builds(FollowIntent, st.just(HERE), st.just("U1"), st.just(Followed.FIRM), st.sampled_from(["tencent", "alibaba", "xiaomi"])),
    ),
    max_size=5,
)


async def say(store: Store, intent: Any) -> Any:
    if isinstance(intent, MuteIntent):
        return await store.mute(intent)
    return await (store.correct(intent) if isinstance(intent, CorrectionIntent) else store.follow(intent))


async def all_of_it(store: Store) -> Any:
    return (
        await store.subscriptions(HERE),
        await store.mutes(HERE),
        await store.changes(HERE, 99),
        [row.model_dump() for row in await rows_of(store)],
        await store.card(HERE, 1001),
    )


@given(sayings=SAYINGS)
@settings(max_examples=15, suppress_health_check=list(HealthCheck))
async def test_following_muting_and_correcting_twice_is_once(sayings: list[Any], sqlite_store: Store) -> None:
    if await sqlite_store.workspace("T1") is None:
        await furnish(sqlite_store)
        await sqlite_store.follow(FollowIntent(HERE, "U1", Followed.FIRM, "tencent"))
        for title in ("One", "Two"):
            await found(sqlite_store, title)
    for intent in sayings:
        await say(sqlite_store, intent)
        once = await all_of_it(sqlite_store)
        again = await say(sqlite_store, intent)
        assert await all_of_it(sqlite_store) == once
        assert not (isinstance(again, CorrectionResult) and again.is_new)
