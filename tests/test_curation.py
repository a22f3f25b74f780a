"""What operators add to the register in the database: lists that come, change and go, and firms one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlmodel import select

from storage import StorageError, Store
from storage.curation import new_firm
from storage.intents import ChannelKey, FollowIntent
from storage.models import AliasKind, Document, Followed, Mention, Role, Strength
from storage.records import ListParent, ListRow, Register
from storage.tenancy import Change, Subscription
from storage.text import fold
from tests.builders import NOON, SMALL, add_action, add_source, fill

ROWS = [
    ListRow("Granite Voice Inc", tickers=("GRV",), key="1"),
    ListRow("Granite Ear Inc", ("巨岩听力",), country="CN", key="2"),
    ListRow("騰訊", ("Penguin of Shenzhen",), key="3"),
    ListRow("字节"),
]


async def _changes(store: Store) -> list[tuple[str, str, str, str]]:
    """What people changed, in its order: not that the register was filled."""
    async with store._read() as session:
        rows = await session.exec(select(Change).where(Change.made_by != "regwatch").order_by(Change.id))  # type: ignore[arg-type]
        return [(row.subject, row.made_by, row.what, row.after) for row in rows]


def _of(register: Register, source: str) -> set[tuple[str, str]]:
    return {(alias.firm_id, alias.text) for alias in register.aliases if alias.source == source}


async def test_a_list_comes_in_and_is_told_in_counts(store: Store) -> None:
    """Its names bear its name as their source; who brought it and when is kept."""
    await fill(store)
    outcome = await store.import_list("mine", ROWS, "U0MEI", parents=[ListParent("2", "1", date(2020, 1, 1))])
    counts = (outcome.rows, outcome.new_firms, outcome.joined, outcome.new_names, outcome.same_names, outcome.parents)
    assert counts == (4, 2, 1, 7, 0, 1)
    assert [(left.rows, left.examples) for left in outcome.left_out] == [(1, ("字节",))]
    register = await store.register()
    assert ("tencent", "Penguin of Shenzhen") in _of(register, "mine")
    assert ("granite-ear-inc", "Granite Ear") in _of(register, "mine")
    assert [(edge.child_id, edge.parent_id, edge.from_on) for edge in register.ownerships if edge.source == "mine"] == [
        ("granite-ear-inc", "granite-voice-inc", date(2020, 1, 1))
    ]
    assert await _changes(store) == [("list:mine", "U0MEI", "imported", "2 firms and 7 names new, 0 firms and 0 names gone")]
    assert (await store.resolve("巨岩聽力")).matches[0].firm_id == "granite-ear-inc"
    views = {view.name: (view.firms, view.names) for view in await store.lists()}
    assert views == {"mine": (3, 7), "register": (6, len(SMALL.aliases))}


async def test_a_dry_run_tells_the_same_and_writes_nothing(store: Store) -> None:
    await fill(store)
    before = await store.register()
    told = await store.import_list("mine", ROWS, "operator", is_dry_run=True)
    assert await store.register() == before
    assert await _changes(store) == []
    assert await store.import_list("mine", ROWS, "operator") == told


async def test_the_same_list_again_changes_nothing(store: Store) -> None:
    """Not even the audit."""
    await fill(store)
    first = await store.import_list("mine", ROWS, "operator", parents=[ListParent("2", "1")])
    held = await store.register()
    again = await store.import_list("mine", ROWS, "operator", parents=[ListParent("2", "1")])
    assert (again.is_change, again.new_names, again.same_names) == (False, 0, first.new_names)
    assert await store.register() == held
    assert len(await _changes(store)) == 1


async def test_the_next_edition_of_a_list_takes_its_place(store: Store) -> None:
    """What is gone from it goes, strengths and countries change, firms keep their ids by name or ticker."""
    await fill(store)
    await store.import_list("mine", ROWS, "operator", parents=[ListParent("2", "1")])
    edition = [
        ListRow("Obsidian Voice Inc", tickers=("GRV",), country="US", key="1"),
        ListRow("腾讯", ("Penguin of Shenzhen",), strength=Strength.STRONG, key="3"),
    ]
    outcome = await store.import_list("mine", edition, "operator")
    assert (outcome.new_firms, outcome.gone_firms, outcome.changed_names, outcome.parents) == (0, 1, 1, 0)
    register = await store.register()
    assert _of(register, "mine") == {
        ("granite-voice-inc", "Obsidian Voice Inc"),
        ("granite-voice-inc", "Obsidian Voice"),
        ("granite-voice-inc", "GRV"),
        ("tencent", "Penguin of Shenzhen"),
    }
    firm = next(firm for firm in register.firms if firm.id == "granite-voice-inc")
    assert (firm.name, firm.country) == ("Obsidian Voice Inc", "US")
    assert {edge.source for edge in register.ownerships} == {"register"}
    assert next(alias for alias in register.aliases if alias.text.startswith("Penguin")).strength is Strength.STRONG


async def test_a_list_that_goes_leaves_what_others_refer_to(store: Store) -> None:
    """A firm that a channel follows, that an action hit, or that belongs to another stays with its names; texts keep the name."""
    await fill(store)
    rows = [ListRow(f"Granite {part} Inc") for part in ("Voice", "Ear", "Nose", "Hand")]
    await store.import_list("mine", rows, "operator")
    await store.follow(FollowIntent(ChannelKey("T1", "C1"), "U1", Followed.FIRM, "granite-ear-inc"))
    await add_action(store, ("granite-nose-inc", Role.TARGET))
    owned = [ListRow("Granite Hand Inc", key="1", id="granite-hand-inc"), ListRow("Gravel Works", key="2")]
    await store.import_list("other", owned, "operator", parents=[ListParent("2", "1")])
    async with store._write() as session:
        document_id = (await session.exec(select(Document.id))).first() or 1
        named = {"firm_id": "granite-voice-inc", "name": "Granite Voice Inc", "surface": "Granite Voice"}
        session.add(Mention(document_id=document_id, start=0, end=5, role=Role.MENTIONED, **named))
    told = await store.remove_list("mine", "operator", is_dry_run=True)
    assert _of(await store.register(), "mine")
    outcome = await store.remove_list("mine", "U0MEI")
    assert outcome == told
    assert (outcome.gone_firms, set(outcome.kept)) == (1, {"granite-ear-inc", "granite-nose-inc", "granite-hand-inc"})
    register = await store.register()
    assert {firm_id for firm_id, _ in _of(register, "mine")} == set(outcome.kept)
    assert "granite-voice-inc" not in {firm.id for firm in register.firms}
    async with store._read() as session:
        kept = (await session.exec(select(Mention.firm_id).where(Mention.surface == "Granite Voice"))).all()
        assert kept == [None]
        assert (await session.exec(select(Subscription.firm_id))).all() == ["granite-ear-inc"]
    assert (await _changes(store))[-1][:3] == ("list:mine", "U0MEI", "removed")


async def test_a_list_that_is_not_there_cannot_go(store: Store) -> None:
    await fill(store)
    with pytest.raises(StorageError, match="There is no list 'mine'"):
        await store.remove_list("mine", "operator")


@pytest.mark.parametrize("name", ["register", "operator", " ", "x" * 101])
async def test_a_list_cannot_take_the_place_of_other_names(name: str, store: Store) -> None:
    """The shipped register and the operator's own firms are no lists."""
    with pytest.raises(StorageError, match="cannot have the name"):
        await store.import_list(name, ROWS, "operator")


async def test_a_list_stays_when_the_shipped_register_is_brought_up_to_date(store: Store) -> None:
    """And a firm that ships from then on takes its names over at the list's next edition."""
    await fill(store)
    await store.import_list("mine", ROWS, "operator")
    before = _of(await store.register(), "mine")
    await store.sync_register(SMALL)
    assert _of(await store.register(), "mine") == before
    firm = replace(SMALL.firms[0], id="granite", name="Granite", tickers=())
    alias = replace(SMALL.aliases[0], firm_id="granite", text="Granite Voice Inc")
    await store.sync_register(replace(SMALL, firms=(*SMALL.firms, firm), aliases=(*SMALL.aliases, alias)))
    outcome = await store.import_list("mine", ROWS, "operator")
    assert (outcome.new_firms, outcome.gone_firms) == (0, 1)
    assert ("granite", "GRV") in _of(await store.register(), "mine")


async def test_a_register_that_changes_while_a_list_is_read_is_not_written_over(store: Store) -> None:
    """Nothing is written: it is to be run again."""
    await fill(store)

    loop = asyncio.get_running_loop()
    _, firm, aliases = new_firm("Basalt Works", (), (), (), "", "")

    def rows() -> Iterator[ListRow]:
        asyncio.run_coroutine_threadsafe(store.add_firm(firm, aliases, "operator"), loop).result()
        yield from ROWS

    with pytest.raises(StorageError, match="changed while the list was read"):
        await store.import_list("mine", rows(), "operator")
    assert not _of(await store.register(), "mine")


async def test_one_firm_is_added_with_its_names(store: Store) -> None:
    """Strong, weak, tickers; the same letters once."""
    await fill(store)
    _, firm, aliases = new_firm("Granite  Voice", ["巨岩语音", "GRANITE VOICE"], ["Granite"], ["GRV"], "us", "")
    await store.add_firm(firm, aliases, "operator")
    register = await store.register()
    found = {alias.text: (alias.kind, alias.strength, alias.language) for alias in register.aliases if alias.firm_id == "granite-voice"}
    assert found == {
        "Granite Voice": (AliasKind.SHORT, Strength.STRONG, ""),
        "巨岩语音": (AliasKind.SHORT, Strength.STRONG, "zh"),
        "Granite": (AliasKind.SHORT, Strength.WEAK, ""),
        "GRV": (AliasKind.TICKER, Strength.STRONG, ""),
    }
    assert next(one.country for one in register.firms if one.id == "granite-voice") == "US"
    assert (await _changes(store))[0][:3] == ("firm:granite-voice", "operator", "added")


TAKEN = [
    ("an id", ("Tencent Two", "tencent"), "There is a firm 'tencent' already"),
    ("a strong name, in the other script", ("騰訊", "goose"), "is a name of Tencent"),
    ("a weak name", ("字節", "goose"), "is a name of ByteDance"),
]


@pytest.mark.parametrize(("typed", "says"), [case[1:] for case in TAKEN], ids=[case[0] for case in TAKEN])
async def test_a_firm_that_is_there_is_not_added_again(typed: tuple[str, str], says: str, store: Store) -> None:
    """With what to do instead."""
    await fill(store)
    _, firm, aliases = new_firm(typed[0], (), (), (), "", typed[1])
    with pytest.raises(StorageError, match=says) as refusal:
        await store.add_firm(firm, aliases, "operator")
    assert "regwatch firms" in str(refusal.value)


WRONG = [
    ("a name of one letter", ("X", "", ""), "'X' is no name"),
    ("a name with a bar", ("Granite | Voice", "", ""), "is no name"),
    ("a Chinese name without an id", ("巨岩语音", "", ""), "gives no id; say one with --id"),
    ("an id that is no slug", ("Granite", "Granite Voice", ""), "--id: 'Granite Voice' is no id: small letters"),
    ("a country in words", ("Granite Voice", "", "China"), "--country: 'China' is no ISO 3166 code"),
]


@pytest.mark.parametrize(("typed", "says"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_a_firm_that_is_none_is_told(typed: tuple[str, str, str], says: str) -> None:
    with pytest.raises(StorageError, match=says):
        new_firm(typed[0], (), (), (), typed[2], typed[1])


@pytest.mark.parametrize("empty", ["", " ", "|"])
def test_nothing_is_no_name_and_no_ticker(empty: str) -> None:
    """Wherever it stands; it would be stored, and a second firm could not be added."""
    for strong, weak, tickers in (([empty], [], []), ([], [empty], []), ([], [], [empty])):
        with pytest.raises(StorageError, match=r"is no (name|ticker)"):
            new_firm("Granite Voice", strong, weak, tickers, "", "")
    with pytest.raises(StorageError, match="is no name"):
        new_firm(empty, [], [], [], "", "granite")


async def test_stored_texts_come_in_batches(store: Store) -> None:
    """In the order of their ids; since a day by what they say themselves, else by when they were first seen."""
    await add_source(store, "press", None)
    async with store._write() as session:
        for number, published in enumerate((NOON - timedelta(days=400), NOON - timedelta(days=1), None)):
            session.add(_document(number, published))
    texts = await store.texts(limit=2)
    assert [text.document.title for text in texts] == ["t0", "t1"]
    assert [text.document.title for text in await store.texts(texts[-1].id)] == ["t2"]
    assert [text.document.title for text in await store.texts(since=NOON.date() - timedelta(days=1))] == ["t1", "t2"]
    assert texts[0].document.published_at == NOON - timedelta(days=400)


def _document(number: int, published: datetime | None) -> Document:
    return Document(
        source_id="press", tier="secondary", title=f"t{number}", text="x", sha256=fold(str(number)), published_at=published,
        published_precision="day" if published else None, fetched_at=NOON, first_seen_at=NOON,
    )  # fmt: skip
