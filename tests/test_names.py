"""Names that reload: a firm that comes while the service runs is read from the next look on."""

from __future__ import annotations

import ast
import asyncio
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlmodel import col, select

from bot.names import Names, _version_of, reader_version
from storage import Store
from storage.curation import new_firm
from storage.models import FirmKind, OwnershipKind, Strength
from storage.records import AliasRow, DocumentText, ListRow, OwnershipRow
from storage.tenancy import Change
from tests.builders import SMALL

ROOT = Path(__file__).resolve().parent.parent

TEXT = DocumentText("", "The SEC fined Blue Harbour $3 million.", None, "en", "us-sec")


@pytest.fixture
async def names(store: Store) -> Names:
    await store.sync_register(SMALL)
    found = Names(store)
    assert await found.refresh()
    return found


async def test_a_firm_that_was_added_is_read_after_a_refresh(store: Store, names: Names) -> None:
    before = names.version
    assert {one.firm_id for one in names.read(TEXT).mentions} <= {None}
    assert not await names.refresh()
    _, firm, aliases = new_firm("Blue Harbour", (), (), (), "US", "")
    await store.add_firm(firm, aliases, "mei")
    assert await names.refresh()
    assert {one.firm_id for one in names.read(TEXT).mentions} == {"blue-harbour"}
    assert names.version == f"{(await store.register()).version}-{reader_version()}" != before
    assert not await names.refresh()


async def test_many_looks_at_once_build_once(store: Store, names: Names) -> None:
    _, firm, aliases = new_firm("Blue Harbour", (), (), (), "US", "")
    await store.add_firm(firm, aliases, "mei")
    assert sorted(await asyncio.gather(*(names.refresh() for _ in range(5)))) == [False, False, False, False, True]


async def test_who_minds_new_names_hears_of_them_once_and_of_the_first_not_at_all(store: Store) -> None:
    """What the collector is told to leave alone is told again when names take the place of others, and then alone."""
    await store.sync_register(SMALL)
    heard: list[str] = []
    names = Names(store, on_new=lambda: heard.append(names.index.version))
    await names.refresh()
    assert heard == []
    _, firm, aliases = new_firm("Blue Harbour", (), (), (), "US", "")
    await store.add_firm(firm, aliases, "mei")
    for _ in range(2):
        await names.refresh()
    assert heard == [names.index.version]


def test_names_that_were_never_refreshed_say_so(store: Store) -> None:
    with pytest.raises(RuntimeError, match="first refresh"):
        Names(store).read(TEXT)


async def test_the_version_tells_each_kind_of_change(store: Store) -> None:
    """A list that comes, changes the strength of its names and goes; in a new register a name, an edge, its dates and its end,
    and a firm of another kind."""
    await store.sync_register(SMALL)
    seen = [await store.register_version()]

    async def is_other() -> bool:
        seen.append(await store.register_version())
        return seen[-1] != seen[-2]

    assert not await is_other()
    await store.sync_register(SMALL)
    assert not await is_other()
    await store.import_list("own", [ListRow("Blue Harbour Holdings")], "mei")
    assert await is_other()
    await store.import_list("own", [ListRow("Blue Harbour Holdings", strength=Strength.STRONG)], "mei")
    assert await is_other()
    await store.remove_list("own", "mei")
    assert await is_other()
    more = replace(SMALL, aliases=(*SMALL.aliases, AliasRow("tencent", "WeChat")))
    await store.sync_register(more)
    assert await is_other()
    for dates in (
        {},
        {"from_on": date(2020, 1, 1)},
        {"from_on": date(2021, 1, 1)},
        {"to_on": date(2021, 1, 1)},
        {"to_on": date(2022, 1, 1)},
    ):
        edge = OwnershipRow("tencent", "alibaba", OwnershipKind.OWNED_BY, **dates)
        await store.sync_register(replace(more, ownerships=(*more.ownerships, edge)))
        assert await is_other()
    await store.sync_register(more)
    assert await is_other()
    await store.sync_register(replace(more, firms=tuple(replace(one, kind=FirmKind.FUND) for one in more.firms)))
    assert await is_other()
    async with store._read() as session:
        told = (await session.exec(select(Change.before, Change.after).where(Change.subject == "register").order_by(col(Change.id)))).all()
    assert len(told) == len(set(told)) == 9
    assert all(before == former for (before, _), (_, former) in zip(told[1:], told, strict=False))


def test_the_readers_version_is_made_of_all_that_it_is() -> None:
    """Of the house the reader sees itself, the fold, and the records and enums of a reading, which tell no rule."""
    imported = {
        node.module
        for path in (ROOT / "bot" / "extract").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] in ("bot", "storage")
    }
    assert {name for name in imported if not name.startswith("bot.extract")} == {"storage.models", "storage.records", "storage.text"}
    assert re.fullmatch("[0-9a-f]{8}", reader_version())


def test_another_rule_or_word_is_another_reader(tmp_path: Path) -> None:
    """A file more, a letter more, a file of another name; not what Python leaves beside them, nor their order."""
    (tmp_path / "kinds.py").write_text("A = 1", encoding="utf-8")
    (tmp_path / "lexicon.toml").write_text("a = 1", encoding="utf-8")
    seen = [_version_of(tmp_path.iterdir())]
    (tmp_path / "kinds.cpython-311.pyc").write_text("", encoding="utf-8")
    assert _version_of(sorted(tmp_path.iterdir(), reverse=True)) == seen[0]
    (tmp_path / "lexicon.toml").write_text("a = 2", encoding="utf-8")
    seen.append(_version_of(tmp_path.iterdir()))
    (tmp_path / "more.py").write_text("", encoding="utf-8")
    seen.append(_version_of(tmp_path.iterdir()))
    (tmp_path / "more.py").rename(tmp_path / "other.py")
    seen.append(_version_of(tmp_path.iterdir()))
    assert len(set(seen)) == 4
