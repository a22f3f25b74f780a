"""Stored documents read again, on both databases: what changes, what stays, and that nobody is told."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import SQLModel, col, select, update

from bot.reread import Rereader
from storage import StorageError, Store
from storage.filters import Filter
from storage.intents import ChannelKey, CorrectionIntent, MuteIntent, Sent
from storage.models import (
    Action,
    ActionFirm,
    DeliveryState,
    Document,
    DocumentKey,
    Evidence,
    Kind,
    Mention,
    Mode,
    Source,
    Status,
)
from storage.records import (
    DocumentText,
    Extraction,
    FoundAction,
    FoundFirm,
    Reread,
    RereadOutcome,
    Resighting,
)
from storage.rereading import READ_AGAIN
from storage.tenancy import Card, Change, Correction, Delivery, Mute, Review, Subscription, Verdict
from tests.fakes.clock import FakeClock
from tests.fakes.harbour import BASE, BLUE, FINED, deposit, reader
from tests.fakes.polls import NOON, act, entry, firm, follow, furnish, lease, money, poll


@pytest.fixture
async def world(store: Store) -> Store:
    await furnish(store)
    return store


async def rows(store: Store, table: type[SQLModel]) -> Any:
    async with store._read() as session:
        return (await session.exec(select(table))).all()


async def owed(store: Store) -> list[tuple[str, str, str]]:
    """Every delivery as (key, state, reason), oldest first."""
    async with store._read() as session:
        found = await session.exec(select(Delivery).order_by(col(Delivery.id)))
        return [(row.key, row.state.value, row.reason) for row in found]


async def firms(store: Store, action_id: int = 1001) -> set[tuple[str | None, str, str]]:
    async with store._read() as session:
        held = select(ActionFirm).where(ActionFirm.action_id == action_id)
        return {(row.firm_id, row.name, row.role.value) for row in await session.exec(held)}


async def again(
    store: Store, *actions: FoundAction, document: int | None = None, mentions: tuple[FoundFirm, ...] | None = None, **fields: Any
) -> RereadOutcome:
    """Read one document again (the only one, unless told) as telling of these actions."""
    texts = [one for one in await store.texts() if document in (None, one.id)]
    (text,) = texts
    named = tuple(one for action in actions for one in action.firms) if mentions is None else mentions
    is_dry_run = fields.pop("is_dry_run", False)
    extraction = Extraction(fields.pop("language", "en"), actions, named, **fields)
    return await store.reread([Reread(text.id, text.sha256, extraction, "new names")], is_dry_run=is_dry_run)


async def test_a_firm_that_is_known_now_takes_the_place_of_its_raw_name(world: Store) -> None:
    """The card names it as the register does, and one who follows it is told nothing."""
    await poll(world, "sec-litigation", entry("A fine", act(Kind.FINE, "1st Bank Inc", by=["us-sec"])))
    await follow(world, "C1", "firm:first-bank")
    one = replace(firm("first-bank"), surface="1st Bank Inc")
    outcome = await again(world, act(Kind.FINE, one, by=["us-sec"]))
    assert await firms(world) == {("first-bank", "First Bank", "target")}
    assert outcome == RereadOutcome(read=1, changed=1, moved=(1001,), firms=frozenset({"first-bank"}), waived=1)
    assert await owed(world) == [("alert:RW-1001", "waived", READ_AGAIN)]
    (document,) = await rows(world, Document)
    assert (document.register_version, document.edited_at) == ("new names", None)


async def test_two_documents_read_one_after_the_other_leave_no_raw_name(world: Store) -> None:
    """The second still names it raw while the first is read: the action lists the firm once all the same."""
    raw = act(Kind.FINE, "1st Bank Inc", by=["us-sec"], on="2021-03-18")
    await poll(world, "sec-litigation", entry("First Bank pays a fine", raw, guid="1"))
    await poll(world, "island-times", entry("First Bank pays a fine", raw, guid="2"))
    known = act(Kind.FINE, replace(firm("first-bank"), surface="1st Bank Inc"), by=["us-sec"], on="2021-03-18")
    for document in (1, 2):
        await again(world, known, document=document)
        assert await firms(world) == {("first-bank", "First Bank", "target")}


async def test_the_same_again_changes_nothing(world: Store) -> None:
    told = act(Kind.FINE, "tencent", by=["cn-samr"], on="2021-03-18", amounts=[money("3")])
    await poll(world, "samr-news", entry("罚款", told, language="zh"))
    await follow(world, "C1", "all")
    before = await rows(world, Mention), await rows(world, Evidence)
    for _ in range(2):
        assert await again(world, told, language="zh") == RereadOutcome(read=1)
    after = await rows(world, Mention), await rows(world, Evidence)
    assert [len(part) for part in after] == [len(part) for part in before]
    assert (await rows(world, Action))[0].version == 1
    assert await owed(world) == []


async def test_a_new_action_is_known_but_not_told_and_its_next_move_brings_a_card(world: Store, clock: FakeClock) -> None:
    await poll(world, "samr-news", entry("A notice"))
    await follow(world, "C1", "firm:tencent", is_digest_on=True, next_digest_at=clock() + timedelta(hours=20))
    outcome = await again(world, act(Kind.INVESTIGATION, "tencent", by=["cn-samr"], on="2021-03-18", number="7"))
    assert (outcome.opened, outcome.firms, outcome.waived) == ((1001,), {"tencent"}, 1)
    assert await owed(world) == [("alert:RW-1001", "waived", READ_AGAIN)]
    assert await world.claim(10, timedelta(minutes=1)) == ()
    clock.forward(days=1)
    await world.owe_digests()
    (due,) = await world.claim(10, timedelta(minutes=1))
    assert due.digest is not None
    assert (due.digest.new, due.digest.moved) == ((), ())
    await world.settle(due.id, due.token, Sent("1.0"))
    # the notice of the fine under the same number
    await poll(world, "samr-en", entry("A fine", act(Kind.FINE, "tencent", by=["cn-samr"], on="2021-03-19", number="7")))
    assert (await owed(world))[-1][1:] == ("owed", "")


async def test_a_target_that_is_not_read_any_more_goes_and_the_version_rises(world: Store) -> None:
    await follow(world, "C1", "firm:tencent")
    await poll(world, "cac-news", entry("约谈", act(Kind.TALKS, "tencent", "alibaba", on="2021-03-18")))
    (due,) = await world.claim(10, timedelta(minutes=1))
    await world.settle(due.id, due.token, Sent("1.0", "1.0"))
    outcome = await again(world, act(Kind.TALKS, "tencent", on="2021-03-18"))
    assert (outcome.changed, outcome.moved, outcome.unsaid) == (1, (1001,), 0)
    assert await firms(world) == {("tencent", "Tencent", "target")}
    assert await owed(world) == [("alert:RW-1001", "sent", ""), ("update:RW-1001:2", "waived", READ_AGAIN)]
    assert [(row.what, row.before, row.after) for row in await rows(world, Change)] == [("target", "Alibaba Group", "")]


async def test_an_act_that_is_not_read_any_more_loses_its_firms_and_keeps_its_number(world: Store) -> None:
    """What people said about it stays; an act that another document tells of too is left alone."""
    await poll(world, "cac-news", entry("A talk", act(Kind.TALKS, "tencent", on="2021-03-18")))
    channel = await follow(world, "C1", "firm:tencent")
    async with world._write() as session:
        session.add(
            Correction(
                workspace_id="T1",
                channel_id=channel,
                action_id=1001,
                verdict=Verdict.WRONG_FIRM,
                firm_id="tencent",
                folded="tencent",
                made_by="U1",
                made_at=NOON,
            )
        )
    outcome = await again(world)
    assert (outcome.unsaid, outcome.moved, await firms(world)) == (1, (1001,), set())
    assert len(await rows(world, Correction)) == 1
    assert await again(world) == RereadOutcome(read=1)
    back = await again(world, act(Kind.TALKS, "tencent", on="2021-03-18"))
    assert (back.opened, back.moved, await firms(world)) == ((), (1001,), {("tencent", "Tencent", "target")})


async def test_an_act_of_two_documents_keeps_what_the_other_says(world: Store) -> None:
    told = act(Kind.TALKS, "tencent", on="2021-03-18")
    await poll(world, "cac-news", entry("Talks with Tencent", told, guid="1"))
    await poll(world, "island-times", entry("Talks with Tencent", told, guid="2"))
    outcome = await again(world, document=2)
    assert (outcome.unsaid, outcome.moved) == (0, ())
    assert await firms(world) == {("tencent", "Tencent", "target")}


async def test_a_case_that_moved_on_is_not_taken_back(world: Store) -> None:
    fine = act(Kind.FINE, "first-bank", by=["us-sec"], number="9", on="2021-03-01")
    await poll(world, "sec-litigation", entry("A fine", fine, guid="1"))
    await poll(world, "sec-litigation", entry("An appeal", act(Kind.APPEAL, "first-bank", by=["us-sec"], number="9"), guid="2"))
    await again(world, fine, document=1)
    assert {row.id: row.status for row in await rows(world, Action)}[1001] is Status.APPEALED


async def test_a_document_that_was_edited_meanwhile_is_left_out(world: Store) -> None:
    await poll(world, "cac-news", entry("A talk", act(Kind.TALKS, "tencent")))
    reading = Reread(1, "another text's", Extraction("en", (), ()))
    gone = Reread(77, "", Extraction("en", (), ()))
    assert await world.reread([reading, gone]) == RereadOutcome(left_out=2)
    assert await firms(world) == {("tencent", "Tencent", "target")}
    assert await world.reread([]) == RereadOutcome()


async def test_a_dry_run_says_the_same_and_writes_nothing(world: Store) -> None:
    await poll(world, "cac-news", entry("A talk", act(Kind.TALKS, "tencent")))
    await follow(world, "C1", "all")
    dry = await again(world, act(Kind.FINE, "alibaba", on="2021-01-01"), is_dry_run=True)
    assert await firms(world) == {("tencent", "Tencent", "target")}
    assert await owed(world) == []
    wet = await again(world, act(Kind.FINE, "alibaba", on="2021-01-01"))
    assert dry == wet
    assert dry.changed == 1


async def test_a_number_and_a_language_that_are_read_now_are_kept(world: Store) -> None:
    """Full text knows the document by its new language; its keys stay as its polls saw them."""
    await poll(world, "samr-news", entry("A notice", language="fr"))
    keys = len(await rows(world, DocumentKey))
    await again(world, act(Kind.FINE, "tencent", by=["cn-samr"], number="LR-1"))
    (document,) = await rows(world, Document)
    assert (document.number, document.language, len(await rows(world, DocumentKey))) == ("LR-1", "en", keys)
    assert (await world.search("notice", Filter.parse("lang:en"))).total == 1
    assert (await world.search("notice", Filter.parse("lang:fr"))).total == 0


async def test_outcomes_add_up(world: Store) -> None:
    one = RereadOutcome(2, 1, 1, opened=(5,), moved=(1,), unsaid=1, firms=frozenset("a"), waived=1)
    other = RereadOutcome(1, 0, 1, opened=(6,), moved=(5, 1, 2), firms=frozenset("b"))
    assert one + other == RereadOutcome(3, 1, 2, (5, 6), (1, 2), 1, frozenset("ab"), 1)


# --- sources -------------------------------------------------------------------------------------------------------------


async def source(store: Store, source_id: str) -> Source:
    async with store._read() as session:
        return (await session.exec(select(Source).where(Source.id == source_id))).one()


async def test_a_source_is_looked_at_again(world: Store, clock: FakeClock) -> None:
    await poll(world, "cac-news", etag='"v1"', last_modified="then", body_hash="h", present=("x",))
    clock.forward(minutes=1)
    assert await world.look_again("cac-news", "mei")
    row = await source(world, "cac-news")
    assert (row.etag, row.last_modified, row.body_hash, row.next_poll_at) == (None, None, None, clock())
    assert [(one.subject, one.made_by, one.what) for one in await rows(world, Change)] == [("source:cac-news", "mei", "look again")]


async def test_a_source_that_is_not_polled_or_is_just_being_polled(world: Store) -> None:
    with pytest.raises(StorageError, match="no source"):
        await world.look_again("nowhere", "mei")
    (due,) = await world.due_sources(1, timedelta(minutes=5), ["cac-news"], ignore_due=True)
    with pytest.raises(StorageError, match="is being polled"):
        await world.look_again("cac-news", "mei")
    await world.release("cac-news", due.lease_token)
    async with world._write() as session:
        row = (await session.exec(select(Source).where(Source.id == "cac-news"))).one()
        row.mode = Mode.OFF
    assert not await world.look_again("cac-news", "mei")
    assert await rows(world, Change) == []


# --- the rereader ----------------------------------------------------------------------------------------------------


@pytest.fixture
async def harbour(store: Store) -> Store:
    """A regulator, three texts that were read before the register knew the firm they name, and who follows it."""
    await furnish(store)
    await store.sync_register(BASE)
    await deposit(
        store,
        BASE,
        fined=FINED,
        old="国家市场监督管理总局对蓝港科技处以罚款500万元。",
        pay="SAMR has opened an investigation into HarbourPay.",
        other="SAMR fined Alibaba 18 billion yuan.",
    )
    await store.sync_register(BLUE)
    await follow(store, "C1", "firm:blue-harbour")
    return store


async def test_a_firm_that_came_later_is_found_in_what_was_stored(harbour: Store, clock: FakeClock) -> None:
    """In either script, its brand's too, and silently; the texts that cannot name it are not even read."""
    steps: list[int] = []
    reads: list[str] = []
    read = reader(BLUE)

    def noted(document: DocumentText) -> Extraction:
        reads.append(document.title)
        return read(document)

    report = await Rereader(harbour, noted, clock, version=lambda: "2").firm("blue-harbour", on_batch=steps.append)
    assert (report.subject, report.looked_at, report.outcome.read, steps) == ("blue-harbour", 4, 3, [4])
    assert sorted(reads) == ["fined", "old", "pay"]
    assert report.outcome.firms >= {"blue-harbour"}
    assert report.outcome.changed == 3
    async with harbour._read() as session:
        held = select(Action.kind, ActionFirm.brand_id).join(Action, col(Action.id) == ActionFirm.action_id)
        hit = set((await session.exec(held.where(ActionFirm.firm_id == "blue-harbour"))).all())
    assert hit == {(Kind.FINE, None), (Kind.INVESTIGATION, "harbourpay")}
    assert {row.state for row in await rows(harbour, Delivery)} <= {DeliveryState.WAIVED}
    second = await Rereader(harbour, read, clock).firm("blue-harbour")
    assert (second.outcome.changed, second.outcome.opened, second.outcome.moved) == (0, (), ())


async def test_since_and_dry_run(harbour: Store, clock: FakeClock) -> None:
    rereader = Rereader(harbour, reader(BLUE), clock)
    dry = await rereader.firm("blue-harbour", date(2021, 3, 1), is_dry_run=True)
    assert (dry.looked_at, dry.outcome.read, dry.is_dry_run) == (3, 2, True)
    wet = await rereader.firm("blue-harbour", date(2021, 3, 1))
    assert wet.outcome.changed == dry.outcome.changed == 2
    assert wet.outcome.firms == dry.outcome.firms


async def test_a_firm_whose_name_was_taken_away_is_read_no_more(harbour: Store, clock: FakeClock) -> None:
    await Rereader(harbour, reader(BLUE), clock).firm("blue-harbour")
    await harbour.sync_register(replace(BLUE, aliases=tuple(one for one in BLUE.aliases if one.text != "Blue Harbour")))
    index = await harbour.register()
    await Rereader(harbour, reader(index), clock).firm("blue-harbour")
    async with harbour._read() as session:
        named = select(Mention.surface).where(Mention.firm_id == "blue-harbour")
        assert "Blue Harbour" not in set((await session.exec(named)).all())


async def test_a_text_on_which_the_reader_fails_hurts_no_other(harbour: Store, clock: FakeClock) -> None:
    read = reader(BLUE)

    def fails(document: DocumentText) -> Extraction:
        if document.title == "pay":
            raise ValueError("a bug")
        return read(document)

    report = await Rereader(harbour, fails, clock).firm("blue-harbour")
    assert (report.unreadable, report.outcome.read) == (1, 2)


async def test_a_source_read_again_is_due(harbour: Store, clock: FakeClock) -> None:
    rereader = Rereader(harbour, reader(BLUE), clock)
    dry = await rereader.source("samr-news", is_dry_run=True)
    assert (dry.looked_at, dry.outcome.read, dry.is_due) == (4, 4, False)
    report = await rereader.source("samr-news", by="mei")
    assert (report.outcome.read, report.is_due) == (4, True)
    assert (await source(harbour, "samr-news")).next_poll_at <= clock()
    assert (await Rereader(harbour, reader(BLUE), clock).source("cac-news")).looked_at == 0
    with pytest.raises(StorageError, match="no source"):
        await rereader.source("nowhere")


async def test_a_text_is_read_by_the_clock_of_its_publisher(world: Store) -> None:
    """Half past eleven at night in UTC is the next day in Beijing, as it was when the poll read it."""
    await poll(world, "cac-news", entry("A talk", published=datetime(2021, 3, 18, 23, 30, tzinfo=UTC)))
    (text,) = await world.texts(source_id="cac-news")
    assert text.document.published_at is not None
    assert text.document.published_at.isoformat() == "2021-03-19T07:30:00+08:00"
    assert text.sha256
    assert await world.texts(source_id="samr-news") == ()


# --- what people said stays ------------------------------------------------------------------------------------------

CHANNEL = ChannelKey("T1", "C1")


async def said(store: Store, verdict: Verdict, action_id: int = 1001, **fields: Any) -> None:
    assert (await store.correct(CorrectionIntent(CHANNEL, "U1", action_id, verdict, **fields))).is_new


async def standing(store: Store) -> dict[str, Any]:
    """All that people said, and what channels have: rows that no reading may touch."""
    return {
        table.__name__: [row.model_dump() for row in await rows(store, table)] for table in (Correction, Review, Mute, Card, Subscription)
    }


async def judged(store: Store) -> dict[str, Any]:
    """A talk with Tencent, posted, reviewed and corrected in every way, and its case muted."""
    await follow(store, "C1", "firm:tencent")
    await poll(store, "cac-news", entry("A talk", act(Kind.TALKS, "tencent", number="7", on="2021-03-18")))
    await poll(store, "cac-news", entry("Another", act(Kind.TALKS, "tencent", number="8", on="2021-03-18")))
    for _ in range(2):
        for due in await store.claim(9, timedelta(minutes=1)):
            await store.settle(due.id, due.token, Sent(f"{due.id}.0", f"{due.id}.0"))
        store._now.forward(minutes=20)  # type: ignore[attr-defined]
    await said(store, Verdict.WRONG_FIRM, firm_id="tencent")
    await said(store, Verdict.DUPLICATE, 1002, of_action_id=1001)
    await store.review(CHANNEL, 1001, "U2")
    await store.mute(MuteIntent(CHANNEL, "U1", NOON + timedelta(days=30), firm_id="tencent"))
    return await standing(store)


TOLD = act(Kind.TALKS, "tencent", number="7", on="2021-03-18")
READINGS: list[tuple[str, tuple[FoundAction, ...]]] = [
    ("the same again", (TOLD,)),
    ("the name is gone: a raw name now", (act(Kind.TALKS, "Tencent", number="7", on="2021-03-18"),)),
    ("no firm any more", (act(Kind.TALKS, number="7", on="2021-03-18"),)),
    ("no act any more", ()),
    ("another firm", (act(Kind.TALKS, "xiaomi", number="7", on="2021-03-18"),)),
    ("another kind", (act(Kind.FINE, "tencent", number="7", on="2021-03-18"),)),
    ("an act more", (TOLD, act(Kind.FINE, "xiaomi", by=["us-sec"], on="2020-01-01"))),
]


@pytest.mark.parametrize("readings", [case[1] for case in READINGS], ids=[case[0] for case in READINGS])
async def test_what_people_said_and_what_channels_have_outlives_every_reading(readings: tuple[FoundAction, ...], world: Store) -> None:
    """Verdicts, reviews, mutes, cards, rules, and the numbers and cases of actions; there and back again."""
    before = await judged(world)
    cases = {row.id: (row.case_id, row.case_reason) for row in await rows(world, Action)}
    for told in (readings, (TOLD,)):
        await again(world, *told, document=1)
        assert await standing(world) == before
        now = {row.id: (row.case_id, row.case_reason) for row in await rows(world, Action)}
        assert {one: now[one] for one in cases} == cases
        assert not [row for row in await owed(world) if row[1] == "owed"]


async def test_a_wrong_firm_that_is_read_again_by_the_same_name_is_still_wrong(world: Store) -> None:
    """On its card, and for the next error of that name; and after the name was away and came back."""
    await judged(world)
    await again(world, act(Kind.TALKS, number="7", on="2021-03-18"), document=1)
    assert await firms(world) == set()
    await again(world, TOLD, document=1)
    assert await firms(world) == {("tencent", "Tencent", "target")}
    card = await world.card(CHANNEL, 1001)
    assert card is not None
    assert [(one.verdict, one.firm) for one in card.corrections] == [(Verdict.WRONG_FIRM, "Tencent")]
    await poll(world, "cac-news", entry("A third", act(Kind.BAN, "tencent", number="9")))
    assert (await owed(world))[-1] == ("alert:RW-1003", "waived", "wrong firm")


async def test_a_wrong_firm_that_a_better_reader_reads_by_another_name_is_still_wrong_there(world: Store) -> None:
    """The verdict was on the firm in this action; elsewhere it holds by the printed name alone."""
    await follow(world, "C1", "firm:tencent")
    await poll(world, "cac-news", entry("A talk", TOLD, guid="1"))
    await said(world, Verdict.WRONG_FIRM, firm_id="tencent")
    longer = replace(firm("tencent"), surface="Tencent Holdings")
    for firms_read in ((), (longer,)):
        await again(world, act(Kind.TALKS, *firms_read, number="7", on="2021-03-18"))
    fine = act(Kind.FINE, longer, number="7", on="2021-03-18")
    await poll(world, "cac-news", entry("A talk", fine, guid="1", text="A fine now", document_id=1))
    await poll(world, "cac-news", entry("Another", act(Kind.BAN, longer, number="9"), guid="2"))
    told = {key: (state, reason) for key, state, reason in await owed(world)}
    assert {reason for key, (_, reason) in told.items() if key.startswith("update:RW-1001")} == {READ_AGAIN, "wrong firm"}
    assert told["alert:RW-1002"] == ("owed", "")


async def test_a_wrong_firm_whose_name_is_gone_leaves_the_action_and_the_verdict(world: Store) -> None:
    """Its number and its case stay; what is read there now is the raw name, which nobody follows."""
    await judged(world)
    outcome = await again(world, act(Kind.TALKS, "Tencent", number="7", on="2021-03-18"), document=1)
    assert outcome.opened == ()
    assert await firms(world) == {(None, "Tencent", "target")}
    assert (await world.action(1001)) is not None
    first, *_ = await rows(world, Correction)
    assert (first.verdict, first.firm_id, first.withdrawn_at) == (Verdict.WRONG_FIRM, "tencent", None)


async def test_a_name_that_another_document_still_reads_as_the_firms_stays_the_firms(world: Store) -> None:
    """And goes with the last of them, in whatever order they are read."""
    told = act(Kind.TALKS, "tencent", on="2021-03-18")
    raw = act(Kind.TALKS, "Tencent", on="2021-03-18")
    await poll(world, "cac-news", entry("Talks with Tencent", told, guid="1"))
    await poll(world, "island-times", entry("Talks with Tencent", told, guid="2"))
    await again(world, raw, document=1)
    assert await firms(world) == {("tencent", "Tencent", "target")}
    await again(world, raw, document=2)
    assert await firms(world) == {(None, "Tencent", "target")}


async def test_a_case_that_a_hand_joined_or_parted_is_left_so(world: Store) -> None:
    """Two fines under one number are one case by the reading; a hand parted them, and joined the one to a third."""
    fine = act(Kind.FINE, "first-bank", by=["us-sec"], number="9", on="2021-03-01")
    appeal = act(Kind.APPEAL, "first-bank", by=["us-sec"], number="9", on="2021-03-10")
    await poll(world, "sec-litigation", entry("A fine", fine, guid="1"))
    await poll(world, "sec-litigation", entry("Another", act(Kind.FINE, "second-bank", by=["us-sec"], number="5"), guid="2"))
    await poll(world, "sec-litigation", entry("An appeal", appeal, guid="3"))
    cases = {row.id: row.case_id for row in await rows(world, Action)}
    assert cases[1001] == cases[1003] != cases[1002]
    async with world._write() as session:
        await session.exec(update(Action).where(col(Action.id) == 1003).values(case_id=cases[1002], case_reason="by hand"))
    for document, told in ((1, fine), (3, appeal)):
        await again(world, told, document=document)
    now = {row.id: (row.case_id, row.case_reason) for row in await rows(world, Action)}
    assert now == {1001: (cases[1001], ""), 1002: (cases[1002], ""), 1003: (cases[1002], "by hand")}


@pytest.mark.parametrize("is_edited", [True, False], ids=["edited", "seen under another key"])
async def test_a_poll_and_reading_again_do_not_wait_for_each_other(is_edited: bool, postgres_url: str, clock: FakeClock) -> None:
    """What the poll comes to last has the lowest id; between the two something else holds up the reading."""
    stores = [Store(postgres_url, now=clock) for _ in range(3)]
    world, reading, other = stores
    await furnish(world)
    await poll(world, "cac-news", *(entry(f"No act {at}", guid=str(at), published=NOON + timedelta(hours=at)) for at in range(3)))
    documents = await rows(world, Document)
    again = [Reread(one.id, one.sha256, Extraction("en", (), ())) for one in documents]
    edits = [
        entry(f"No act {at}", guid=str(at), text="edited", published=NOON + timedelta(hours=hour), document_id=documents[at].id)
        for at, hour in ((2, 2), (0, 9))
    ]
    seen = () if is_edited else (Resighting(documents[0].id, "hash", "new guid", None, None),)
    token = await lease(world, "cac-news")
    async with other._write() as session:
        await session.exec(select(Document).where(Document.id == documents[1].id).with_for_update())
        rereading = asyncio.create_task(reading.reread(again))
        await asyncio.sleep(0.3)
        polling = asyncio.create_task(poll(world, "cac-news", *edits[: 1 + is_edited], token=token, resighted=seen))
        await asyncio.sleep(0.3)
    assert (await rereading).left_out == (not is_edited)  # what was edited meanwhile
    assert (await polling).changed == 1 + is_edited
    for store in stores:
        await store.close()
