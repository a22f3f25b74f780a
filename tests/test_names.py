"""Names that reload: a firm that comes while the service runs is read from the next look on."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.names import Names
from storage import Store
from storage.curation import new_firm
from storage.models import OwnershipKind, Strength
from storage.records import AliasRow, DocumentText, ListRow, OwnershipRow
from tests.builders import SMALL

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
    assert names.version == (await store.register()).version != before
    assert not await names.refresh()


async def test_many_looks_at_once_build_once(store: Store, names: Names) -> None:
    _, firm, aliases = new_firm("Blue Harbour", (), (), (), "US", "")
    await store.add_firm(firm, aliases, "mei")
    assert sorted(await asyncio.gather(*(names.refresh() for _ in range(5)))) == [False, False, False, False, True]


def test_names_that_were_never_refreshed_say_so(store: Store) -> None:
    with pytest.raises(RuntimeError, match="first refresh"):
        Names(store).read(TEXT)


async def test_the_version_tells_each_kind_of_change(store: Store) -> None:
    """A list that comes, changes the strength of its names and goes; a name, an edge and its end in a new register."""
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
    await store.sync_register(replace(more, ownerships=(*more.ownerships, OwnershipRow("tencent", "alibaba", OwnershipKind.OWNED_BY))))
    assert await is_other()
    await store.sync_register(more)
    assert await is_other()
