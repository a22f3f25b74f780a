"""Who gets the places of a claim when many workspaces wait at once."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from storage import Store
from storage.models import DeliveryKind, Kind
from storage.tenancy import Channel, Workspace
from storage.turns import Bucket
from tests.fakes.clock import FakeClock
from tests.fakes.polls import act, entry, follow, furnish, poll

LEASE = timedelta(minutes=2)


@pytest.fixture
async def busy(store: Store, clock: FakeClock) -> Store:
    """Thirty channels of a large workspace and, known later, one each of three small ones wait for the same alert."""
    await furnish(store)
    for number in range(30):
        await follow(store, f"C{number}", "all")
    async with store._write() as session:
        session.add_all(Workspace(id=f"T{number}", added_at=clock()) for number in (2, 3, 4))
    for number in (2, 3, 4):
        channel_id = await follow(store, f"D{number}", "all")
        async with store._write() as session:
            channel = await session.get_one(Channel, channel_id)
            channel.workspace_id = f"T{number}"
    await poll(store, "samr-en", entry("An old decision", act(Kind.FINE, "tencent", by=("cn-samr",), number="1")))
    await poll(store, "samr-en", entry("A new decision", act(Kind.FINE, "xiaomi", by=("cn-samr",), number="2")))
    return store


async def test_behind_a_large_workspace_small_ones_do_not_wait(busy: Store, clock: FakeClock) -> None:
    """The large one has room for a few; the places that it has no use for go to the others, in the same claim."""
    claimed = await busy.claim(20, LEASE)
    places = [due.channel.workspace_id for due in claimed]
    room = Bucket(None, 5.0, clock()).room(clock())
    assert {place: places.count(place) for place in set(places)} == {"T1": room, "T2": 1, "T3": 1, "T4": 1}


async def test_each_workspace_gets_a_place_before_one_gets_two(busy: Store) -> None:
    assert sorted(due.channel.workspace_id for due in await busy.claim(4, LEASE)) == ["T1", "T2", "T3", "T4"]


@pytest.fixture
async def morning(store: Store, clock: FakeClock) -> Store:
    """The digests of thirty channels are due, and a minute later an alert in another channel of the workspace."""
    await furnish(store)
    for number in range(30):
        digest = {"is_digest_on": True, "digest_days": "daily", "next_digest_at": clock()}
        await follow(store, f"C{number}", "firm:alibaba", **digest)
    await follow(store, "C99", "firm:tencent")
    assert await store.owe_digests() == 30
    clock.forward(minutes=1)
    await poll(store, "samr-en", entry("A decision", act(Kind.FINE, "tencent", by=("cn-samr",), number="1")))
    return store


async def test_an_alert_does_not_wait_behind_the_digests_of_other_channels(morning: Store) -> None:
    kinds = Counter(due.kind for due in await morning.claim(20, LEASE))
    assert (kinds[DeliveryKind.ALERT], kinds.keys()) == (1, {DeliveryKind.ALERT, DeliveryKind.DIGEST})


async def test_nor_does_a_digest_wait_behind_alerts_for_long(morning: Store, clock: FakeClock) -> None:
    clock.forward(minutes=9)
    claimed = await morning.claim(20, LEASE)
    assert len(claimed) < 20
    assert {due.kind for due in claimed} == {DeliveryKind.DIGEST}
