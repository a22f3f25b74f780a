"""Workspaces that come and go, requests that come twice, leases. On both databases."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import col, func, select

from storage import Store
from storage.intents import ChannelKey, FollowIntent, Installed
from storage.models import Followed, Kind
from storage.tenancy import Change, Inbound
from storage.views import WorkspaceView
from tests.fakes.clock import FakeClock
from tests.fakes.polls import NOON, act, entry, furnish, poll

LEGAL = ChannelKey("T1", "C1", "legal", "Asia/Taipei")
MINUTE = timedelta(minutes=1)
ACME = Installed("T1", "Acme", "U1", "E1")


@pytest.fixture
async def world(store: Store) -> Store:
    await furnish(store)
    return store


async def trail(store: Store) -> list[tuple[str | None, str, str, str]]:
    async with store._read() as session:
        rows = await session.exec(select(Change).where(col(Change.subject).startswith("workspace:")).order_by(col(Change.id)))
        return [(row.workspace_id, row.made_by, row.what, row.after) for row in rows]


# --- workspaces ----------------------------------------------------------------------------------------------------


async def test_an_installed_workspace_is_known_with_what_it_follows(world: Store) -> None:
    assert await world.workspace("T1") is None
    await world.install(ACME)
    await world.follow(FollowIntent(LEGAL, "U1", Followed.ALL))
    await world.follow(FollowIntent(LEGAL, "U1", Followed.FIRM, "tencent"))
    await world.follow(FollowIntent(ChannelKey("T2", "C1"), "U1", Followed.ALL))
    assert await world.workspace("T1") == WorkspaceView("T1", "Acme", "E1", "U1", NOON, None, channels=1, subscriptions=2)


async def test_installing_twice_is_once(world: Store, clock: FakeClock) -> None:
    await world.install(ACME)
    first = await world.workspace("T1")
    clock.forward(hours=1)
    await world.install(ACME)
    assert await world.workspace("T1") == first
    assert await trail(world) == [("T1", "U1", "installed", "Acme")]


async def test_a_workspace_of_a_token_in_the_settings_becomes_an_installed_one(world: Store) -> None:
    await world.follow(FollowIntent(LEGAL, "U1", Followed.ALL))
    before = await world.workspace("T1")
    assert before is not None
    assert (before.name, before.installed_at) == ("", None)
    await world.install(ACME)
    after = await world.workspace("T1")
    assert after is not None
    assert (after.name, after.installed_at, after.subscriptions) == ("Acme", NOON, 1)


async def test_all_workspaces_but_the_command_lines_by_name(world: Store) -> None:
    await world.install(Installed("T2", "Zebra", "U1"))
    await world.install(Installed("T3", "Acme", "U1"))
    await world.follow(FollowIntent(ChannelKey("local", "console"), "operator", Followed.ALL))
    await world.uninstall("T2")
    assert [(one.id, one.uninstalled_at) for one in await world.workspaces()] == [("T3", None), ("T2", NOON)]
    assert await world.workspace("local") is not None


async def test_an_uninstalled_workspace_is_served_nothing_and_a_new_installation_serves_again(world: Store, clock: FakeClock) -> None:
    await world.install(ACME)
    for key in (LEGAL, ChannelKey("T2", "C1", "elsewhere", "Asia/Taipei")):
        await world.follow(FollowIntent(key, "U1", Followed.FIRM, "tencent"))
    await poll(world, "cac-news", entry("A decision", act(Kind.FINE, "tencent")))
    assert await world.uninstall("T1")
    assert not await world.uninstall("T1")
    assert not await world.uninstall("T9")
    assert [due.channel.workspace_id for due in await world.claim(9, MINUTE)] == ["T2"]
    clock.at = datetime(2021, 3, 22, 0, 30, tzinfo=UTC)
    assert await world.owe_digests() == 1
    assert len(await world.subscriptions(LEGAL)) == 1
    await world.install(ACME)
    assert [due.key for due in await world.claim(9, MINUTE) if due.channel.workspace_id == "T1"] == ["alert:RW-1001"]
    assert await world.owe_digests() == 1
    assert [row[2] for row in await trail(world)] == ["installed", "uninstalled", "installed"]


# --- requests ------------------------------------------------------------------------------------------------------


async def test_a_request_is_first_once_an_hour(store: Store, clock: FakeClock) -> None:
    assert await store.is_first("event:1")
    assert await store.is_first("event:2")
    clock.forward(minutes=59)
    assert not await store.is_first("event:1")
    clock.forward(minutes=1)
    assert await store.is_first("event:1")
    assert not await store.is_first("event:1")


async def test_a_request_that_comes_many_times_at_once_is_first_once(store: Store) -> None:
    assert sum(await asyncio.gather(*(store.is_first("event:1") for _ in range(6)))) == 1


async def test_old_requests_are_cleaned_away_by_later_ones(store: Store, clock: FakeClock) -> None:
    async with store._write() as session:
        session.add_all(Inbound(key=f"old:{at}", seen_at=clock()) for at in range(250))
    clock.forward(hours=1)
    counts = []
    for at in range(4):
        await store.is_first(f"new:{at}")
        async with store._read() as session:
            counts.append((await session.exec(select(func.count()).select_from(Inbound))).one())
    assert counts == [151, 52, 3, 4]


async def test_cleaning_while_others_clean_holds_nobody_up(store: Store, clock: FakeClock) -> None:
    async with store._write() as session:
        session.add_all(Inbound(key=f"event:{at}", seen_at=clock()) for at in range(40))
    clock.forward(hours=2)
    found = await asyncio.gather(*(store.is_first(f"event:{at % 20}") for at in range(40)))
    assert sum(found) == 20


# --- leases --------------------------------------------------------------------------------------------------------


async def test_a_lease_is_held_by_one_until_it_ends(store: Store, clock: FakeClock) -> None:
    assert await store.lease("rotate:T1", "a", MINUTE)
    assert not await store.lease("rotate:T1", "b", MINUTE)
    assert await store.lease("rotate:T2", "b", MINUTE)
    clock.forward(seconds=59)
    assert not await store.lease("rotate:T1", "b", MINUTE)
    clock.forward(seconds=1)
    assert await store.lease("rotate:T1", "b", MINUTE)
    assert not await store.lease("rotate:T1", "a", MINUTE)


async def test_the_holder_may_lengthen_its_lease(store: Store, clock: FakeClock) -> None:
    assert await store.lease("work", "a", MINUTE)
    clock.forward(seconds=30)
    assert await store.lease("work", "a", MINUTE)
    clock.forward(seconds=59)
    assert not await store.lease("work", "b", MINUTE)


async def test_a_lease_is_given_back_by_its_holder_alone(store: Store) -> None:
    await store.lease("work", "a", MINUTE)
    await store.end_lease("work", "b")
    assert not await store.lease("work", "b", MINUTE)
    await store.end_lease("work", "a")
    await store.end_lease("work", "a")
    assert await store.lease("work", "b", MINUTE)


@pytest.mark.parametrize("is_expired", [False, True], ids=["a new one", "one that ended"])
async def test_of_many_who_want_one_lease_one_gets_it(is_expired: bool, store: Store, clock: FakeClock) -> None:
    if is_expired:
        await store.lease("work", "dead", MINUTE)
        clock.forward(minutes=1)
    assert sum(await asyncio.gather(*(store.lease("work", f"t{at}", MINUTE) for at in range(6)))) == 1
