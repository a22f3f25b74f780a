"""Stored documents kept up with the register and the reader, on both databases: what is found, how often, and who hears of it."""

from __future__ import annotations

import asyncio
import base64
import json
import zlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import col, select, update

import bot.upkeep as upkeep_module
from bot.feeds.catalog import load_catalogue
from bot.names import Names, reader_version
from bot.upkeep import BATCH, LATE, Upkeep
from storage import Store
from storage.filters import Filter
from storage.firms import shipped_register
from storage.intents import ChannelKey
from storage.models import Action, ActionFirm, DeliveryKind, Document, Kind, OwnershipKind, Role, Strength
from storage.records import AliasRow, DocumentText, Extraction, FoundFirm, OwnershipRow, Register, RereadStep, Touched
from storage.tenancy import Delivery, Lease, Rereading
from storage.views import ActionQuery
from tests.fakes.clock import FakeClock
from tests.fakes.harbour import BASE, BLUE, FINED, brought
from tests.fakes.polls import act, entry, follow, furnish, poll

OPERATIONS = ChannelKey("T1", "COPS")
TEXTS = {
    "fined": FINED,
    "old": "国家市场监督管理总局对蓝港科技处以罚款500万元。",
    "pay": "SAMR has opened an investigation into HarbourPay.",
    "other": "SAMR fined Alibaba 18 billion yuan.",
}


class Desk:
    """One process: its names, and what it reads."""

    def __init__(self, store: Store, clock: FakeClock, **given: Any) -> None:
        self.store = store
        self.names = Names(store)
        self.titles: list[str] = []
        self.kicks = 0
        self.upkeep = Upkeep(store, self.names, clock, kick=self._kick, **given)

    def _kick(self) -> None:
        self.kicks += 1

    @classmethod
    async def open(cls, store: Store, clock: FakeClock, **given: Any) -> Desk:
        desk = cls(store, clock, **given)
        await desk.names.refresh()
        plain = desk.names.read

        def noted(document: DocumentText) -> Extraction:
            desk.titles.append(document.title)
            return plain(document)

        desk.names.read = noted  # type: ignore[method-assign]
        return desk

    async def looks(self, most: int = 50) -> int:
        """Look until all is done; how often that was."""
        for count in range(1, most + 1):
            await self.upkeep.look()
            progress = await self.store.reread_progress()
            if progress is None or progress.ended_at is not None:
                return count
        raise AssertionError("it never ends")

    async def learns(self, register: Register) -> None:
        """The register changes, and this process notices."""
        await self.store.sync_register(register)
        await self.names.refresh()


@pytest.fixture
async def store(database_url: str, clock: FakeClock) -> AsyncIterator[Store]:
    """A database with regulators, sources, the register before, and a channel of the operators."""
    opened = Store(database_url, now=clock, operations=OPERATIONS)
    await furnish(opened)
    await opened.sync_register(BASE)
    yield opened
    await opened.close()


@pytest.fixture
async def desk(store: Store, clock: FakeClock) -> Desk:
    """A process that has read four texts with the register before, and follows a firm that it does not know of."""
    found = await Desk.open(store, clock)
    await found.looks()
    await brought(store, found.names.read, found.names.version, **TEXTS)
    found.titles.clear()
    clock.forward(hours=1)
    return found


async def rows(store: Store, table: Any) -> Any:
    async with store._read() as session:
        return (await session.exec(select(table))).all()


async def hits(store: Store, firm_id: str) -> set[tuple[Kind, Role, str | None]]:
    async with store._read() as session:
        held = select(Action.kind, ActionFirm.role, ActionFirm.brand_id).join(Action, col(Action.id) == ActionFirm.action_id)
        return set((await session.exec(held.where(ActionFirm.firm_id == firm_id))).all())


async def notices(store: Store) -> list[dict[str, Any]]:
    return [row.payload for row in await rows(store, Delivery) if row.kind is DeliveryKind.NOTICE]


async def test_a_firm_that_came_is_found_in_what_was_stored_and_the_operators_alone_are_told(desk: Desk, clock: FakeClock) -> None:
    """The text that cannot name it is not read; nobody is alerted; the sum is told once."""
    await desk.learns(BLUE)
    await follow(desk.store, "C1", "firm:blue-harbour")
    await desk.looks()
    assert sorted(desk.titles) == ["fined", "old", "pay"]
    assert await hits(desk.store, "blue-harbour") == {
        (Kind.FINE, Role.TARGET, None),
        (Kind.INVESTIGATION, Role.TARGET, "harbourpay"),
    }
    told = await rows(desk.store, Delivery)
    assert {(row.kind, row.state.value, row.reason) for row in told} == {
        (DeliveryKind.ALERT, "waived", "read again"),
        (DeliveryKind.NOTICE, "owed", ""),
    }
    (facts,) = await notices(desk.store)
    assert (facts["reread"], facts["changed"], facts["firms"]) == ("3", "3", "blue-harbour")
    assert facts["refs"].startswith("RW-")
    assert desk.kicks == 1
    for _ in range(3):
        clock.forward(hours=1)
        await desk.looks()
    assert len(await notices(desk.store)) == 1


async def test_an_action_that_became_known_this_way_gets_a_card_with_its_next_move(desk: Desk, clock: FakeClock) -> None:
    await desk.learns(BLUE)
    await follow(desk.store, "C1", "firm:blue-harbour")
    await desk.looks()
    found = [row for row in await rows(desk.store, ActionFirm) if row.brand_id == "harbourpay"]
    action_id = found[0].action_id
    async with desk.store._write() as session:
        await session.exec(update(Action).where(col(Action.id) == action_id).values(number="N-7"))
    fine = act(Kind.FINE, by=["cn-samr"], number="N-7", on="2021-03-19")
    told = replace(fine, firms=(FoundFirm("blue-harbour", "Blue Harbour", "Blue Harbour", Role.TARGET, 0, 4),))
    await poll(desk.store, "samr-en", entry("A fine", told))
    owed = [row for row in await rows(desk.store, Delivery) if row.state.value == "owed" and row.kind is not DeliveryKind.NOTICE]
    assert [row.kind for row in owed] == [DeliveryKind.ALERT]


async def test_nothing_is_done_where_nothing_changed(desk: Desk, clock: FakeClock) -> None:
    """Not even a lease is taken; nor for a note, or a row's source."""
    before = await desk.store.reread_progress()
    clock.forward(hours=1)
    await desk.upkeep.look()
    assert await desk.store.reread_progress() == before
    assert await rows(desk.store, Lease) == []
    await desk.learns(replace(BASE, firms=(replace(BASE.firms[0], note="of Hangzhou"),)))
    await desk.looks()
    assert desk.titles == []
    assert await notices(desk.store) == []


async def test_a_better_reader_reads_everything_again_the_oldest_first_and_the_sum_is_told_once(desk: Desk, clock: FakeClock) -> None:
    """What the former reader noted is read anew; what this one has read already is not."""
    store, names = desk.store, desk.names
    await _read_by(store, "other")
    async with store._write() as session:
        await session.exec(update(Document).where(col(Document.title) != "other").values(register_version=f"{names.index.version}-other"))
    after = await Desk.open(store, clock)
    await after.looks()
    assert after.titles == ["old", "fined", "pay"]
    (facts,) = await notices(store)
    assert (facts["reread"], facts["changed"]) == ("3", "0")
    progress = await store.reread_progress()
    assert progress is not None
    assert progress.reader == reader_version()
    assert {row.register_version for row in await rows(store, Document)} == {names.version}
    await (await Desk.open(store, clock)).looks()
    assert len(await notices(store)) == 1


FINED_BY_NUMBER = "国家市场监督管理总局对蓝港科技作出行政处罚决定书（国市监处罚〔2021〕28号），处以罚款500万元。"
CITES_IT = "国家市场监督管理总局决定书（国市监复〔2021〕5号）：根据国市监处罚〔2021〕28号，蓝港科技被责令整改。"


@pytest.mark.parametrize("batch", [1, 3, BATCH], ids=lambda batch: f"{batch} in a batch")
async def test_what_cites_an_earlier_document_joins_its_case(batch: int, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if polls had brought both with the name known: the earlier is on record when the later is read, batches between them or not."""
    for name in ("BATCH", "LOOKED_AT"):
        monkeypatch.setattr(upkeep_module, name, batch)
    between = {f"n{number}": FINED for number in range(4)}
    for texts in ({"earlier": FINED_BY_NUMBER}, between, {"later": CITES_IT}):
        # without the name nothing is read in them
        await brought(desk.store, lambda _: Extraction("zh", (), ()), desk.names.version, **texts)
    await desk.learns(BLUE)
    await desk.looks()
    cases = {row.number: row.case_id for row in await rows(desk.store, Action)}
    assert cases["国市监处罚〔2021〕28号"] == cases["国市监复〔2021〕5号"]


async def test_what_a_poll_stores_with_other_names_while_a_pass_is_under_way_is_read_by_it(
    desk: Desk, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what it stores with those of now is not."""
    monkeypatch.setattr(upkeep_module, "LOOKED_AT", 1)
    old = await Desk.open(desk.store, clock)
    slow = await Desk.open(desk.store, clock, seconds=-1)
    await slow.learns(BLUE)
    await slow.upkeep.look()
    await brought(desk.store, old.names.read, old.names.version, stale=FINED)
    await brought(desk.store, slow.names.read, slow.names.version, fresh=FINED)
    slow.titles.clear()
    await slow.looks()
    assert "stale" in slow.titles
    assert "fresh" not in slow.titles


async def _read_by(store: Store, reader: str) -> None:
    """Let it be noted that all was read by this reader."""
    progress = await store.reread_progress()
    assert await store.begin_reread(await store.register(), reader, Touched(), progress)


async def test_a_process_of_an_older_version_leaves_it_to_the_one_that_started_last(desk: Desk, clock: FakeClock) -> None:
    """Else two versions side by side would read everything again and again."""
    await _read_by(desk.store, "newer")
    await desk.learns(BLUE)
    await desk.upkeep.look()
    assert desk.titles == []
    started_last = await Desk.open(desk.store, clock)
    await started_last.looks()
    assert len(started_last.titles) == 4
    await desk.upkeep.look()
    assert desk.titles == []


async def test_one_process_at_a_time(desk: Desk, clock: FakeClock) -> None:
    """And who holds the lease and dies is followed when it ends."""
    await desk.learns(BLUE)
    assert await desk.store.lease("reread", "another", timedelta(minutes=5))
    await desk.upkeep.look()
    assert desk.titles == []
    clock.forward(minutes=6)
    await desk.looks()
    assert len(desk.titles) == 3


async def test_a_process_that_dies_in_the_middle_is_followed_and_nothing_is_counted_twice(
    desk: Desk, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One document a transaction, one transaction a look; the second process dies while it reads, the third goes on."""
    for name in ("BATCH", "LOOKED_AT"):
        monkeypatch.setattr(upkeep_module, name, 1)
    await desk.learns(BLUE)
    first = await Desk.open(desk.store, clock, seconds=-1)
    await first.upkeep.look()
    await first.upkeep.look()
    dying = await Desk.open(desk.store, clock, seconds=-1)

    async def dies(step: RereadStep) -> None:
        raise asyncio.CancelledError

    dying.store = dying.upkeep._store = _Dying(desk.store, dies)  # type: ignore[assignment]
    with pytest.raises(asyncio.CancelledError):
        await dying.upkeep.look()
    third = await Desk.open(desk.store, clock, seconds=-1)
    assert await third.looks() == 3
    assert (first.titles, dying.titles, third.titles) == (["old", "fined"], ["pay"], ["pay"])
    (facts,) = await notices(desk.store)
    assert (facts["reread"], facts["changed"]) == ("3", "3")
    progress = await desk.store.reread_progress()
    assert progress is not None
    assert progress.looked_at == 4


class _Dying:
    """A Store whose process dies before it writes."""

    def __init__(self, store: Store, carry_on: Any) -> None:
        self._store = store
        self.carry_on_reread = carry_on

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


async def test_a_step_that_somebody_else_did_is_not_done_again(desk: Desk) -> None:
    """Its holder was slow, and its lease ended: its writing comes too late."""
    await desk.learns(BLUE)
    register, everything = await desk.store.register(), Touched(is_everything=True)
    progress = await desk.store.begin_reread(register, reader_version(), everything, await desk.store.reread_progress())
    assert progress is not None
    step = RereadStep(progress.begun_at, progress.after_id, 2, 2, 0, ())
    assert await desk.store.carry_on_reread(step) is not None
    assert await desk.store.carry_on_reread(step) is None
    found = await desk.store.reread_progress()
    assert found is not None
    assert (found.after_id, found.looked_at) == (2, 2)
    assert await desk.store.begin_reread(await desk.store.register(), "another", Touched(), progress) is None


async def test_a_register_that_changes_meanwhile_is_read_with_next(desk: Desk, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that came and went while the first re-reading ran is found nowhere at the end."""
    monkeypatch.setattr(upkeep_module, "LOOKED_AT", 1)
    slow = await Desk.open(desk.store, clock, seconds=-1)
    await slow.learns(BLUE)
    for _ in range(3):
        await slow.upkeep.look()
    assert await hits(desk.store, "blue-harbour")
    await slow.learns(replace(BLUE, aliases=BASE.aliases))
    await slow.looks()
    clock.forward(seconds=1)
    await slow.looks()
    assert await hits(desk.store, "blue-harbour") == set()
    progress = await desk.store.reread_progress()
    assert progress is not None
    assert progress.names == (await desk.store.register()).version


async def test_what_a_poll_read_with_the_names_of_before_is_read_once_more_later(desk: Desk, clock: FakeClock) -> None:
    """It was under way while the names changed, and wrote when all else had been read again; whatever it says it read with."""
    late = {"late": "SAMR fined Blue Harbour 2 million yuan on 18 March 2021."}
    old = await Desk.open(desk.store, clock)
    await desk.learns(BLUE)
    await desk.looks()
    await brought(desk.store, old.names.read, desk.names.version, **late)
    desk.titles.clear()
    await desk.looks()
    assert desk.titles == []
    clock.forward(minutes=LATE.total_seconds() / 60)
    await desk.upkeep.look()
    assert desk.titles == ["late"]
    assert len([one for one in await hits(desk.store, "blue-harbour") if one[0] is Kind.FINE]) == 1
    progress = await desk.store.reread_progress()
    assert progress is not None
    assert progress.late_since is None
    await desk.upkeep.look()
    assert desk.titles == ["late"]


@pytest.mark.parametrize(
    "change",
    [
        lambda register: replace(register, aliases=(*register.aliases, AliasRow("alibaba", "Blue Harbour"))),
        lambda register: replace(register, regulators=(replace(register.regulators[0], context_aliases=("the regulator",)),)),
    ],
    ids=["a new name of a known firm", "a regulator's name: all texts"],
)
async def test_another_process_changed_the_register(change: Any, desk: Desk, clock: FakeClock) -> None:
    """This one has not looked at the names since; it reads with the new ones all the same."""
    await desk.store.sync_register(change(BASE))
    other = await Desk.open(desk.store, clock, seconds=-1)
    await other.upkeep.look()
    await desk.looks()
    assert desk.names.version == other.names.version
    assert {row.register_version for row in await rows(desk.store, Document) if row.title == "fined"} == {desk.names.version}


async def test_a_text_on_which_the_reader_fails_is_passed_by_and_told(desk: Desk, clock: FakeClock) -> None:
    await desk.learns(BLUE)
    plain = desk.names.read

    def fails(document: DocumentText) -> Extraction:
        if document.title == "pay":
            raise ValueError("a bug")
        return plain(document)

    desk.names.read = fails  # type: ignore[method-assign]
    await desk.looks()
    (facts,) = await notices(desk.store)
    assert (facts["reread"], facts["unreadable"]) == ("2", "1")


async def test_a_register_that_another_version_kept_otherwise_means_everything(desk: Desk) -> None:
    """What differs cannot be told any more, so nothing is left out."""
    kept = json.dumps({"version": desk.names.index.version, "shape": [["id"]], "rows": [[["alibaba"]]]})
    async with desk.store._write() as session:
        await session.exec(update(Rereading).values(packed=base64.b85encode(zlib.compress(kept.encode())).decode()))
    assert await desk.store.names_read_with() is None
    await desk.learns(BLUE)
    await desk.looks()
    assert desk.titles == ["old", "fined", "pay", "other"]


async def test_the_names_that_were_read_with_are_kept_whole(store: Store) -> None:
    """Those that ship: every kind of name, edge and regulator."""
    shipped = shipped_register(load_catalogue(contact=None).regulators)
    assert await store.begin_reread(shipped, "reader", Touched(), None)
    assert await store.names_read_with() == shipped


async def test_an_edge_that_came_later_finds_the_act_against_the_subsidiary(desk: Desk, clock: FakeClock) -> None:
    """As of the action's date: an owner since last year is one, an owner from next year on is not, a former owner still is."""
    await desk.learns(BLUE)
    await desk.looks()
    query = ActionQuery("alibaba", Filter.parse("role:group"))

    async def with_edge(**dates: date) -> int:
        edge = OwnershipRow("blue-harbour", "alibaba", OwnershipKind.OWNED_BY, **dates)
        await desk.learns(replace(BLUE, ownerships=(*BLUE.ownerships, edge)))
        clock.forward(seconds=1)
        await desk.looks()
        return (await desk.store.actions(query)).groups

    assert (await desk.store.actions(query)).groups == 0
    assert await with_edge(from_on=date(2020, 1, 1)) > 0
    assert await with_edge(from_on=date(2022, 1, 1)) == 0
    assert await with_edge(from_on=date(2019, 1, 1), to_on=date(2021, 12, 31)) > 0
    await desk.learns(BLUE)
    clock.forward(seconds=1)
    await desk.looks()
    assert (await desk.store.actions(query)).groups == 0


async def test_a_name_that_becomes_weak_is_read_as_one(desk: Desk, clock: FakeClock) -> None:
    await desk.learns(BLUE)
    await desk.looks()
    weak = tuple(replace(one, strength=Strength.WEAK) if one.text == "HarbourPay" else one for one in BLUE.aliases)
    desk.titles.clear()
    await desk.learns(replace(BLUE, aliases=weak))
    clock.forward(seconds=1)
    await desk.looks()
    assert desk.titles == ["pay"]


async def test_a_batch_holds_no_more_than_a_transaction_should(desk: Desk, clock: FakeClock) -> None:
    many = {f"n{number}": FINED for number in range(BATCH + 10)}
    await brought(desk.store, desk.names.read, desk.names.version, **many)
    await desk.learns(BLUE)
    slow = await Desk.open(desk.store, clock, seconds=-1)
    await slow.upkeep.look()
    assert len(slow.titles) == BATCH
    await slow.looks()
    assert len(slow.titles) == BATCH + 10 + 3
