"""Killed twenty times in bad weather, it loses nothing and says nothing twice; and the count would notice if it did."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.deliver import Deliverer, make_client
from storage import Store
from storage.intents import ChannelKey
from tests.chaos.count import Count
from tests.chaos.storm import Plan, storm
from tests.chaos.town import PLACES, Act, Place, Town
from tests.fakes.clock import FakeClock
from tests.fakes.slack import TOKEN, SlackStub, held
from tests.fakes.web import FakeWeb

SEED = int(os.environ.get("REGWATCH_CHAOS_SEED", "5"))
KILLS = 20


def clean(found: Count) -> str:
    """The table when anything is wrong; empty else."""
    print(found.table())
    is_clean = not (found.lost or found.twice or found.digests_twice or found.wrong)
    return "" if is_clean else found.table()


async def test_one_process_on_sqlite(tmp_path: Path) -> None:
    """Twenty kills; a spring and an autumn change of the clocks."""
    plan = Plan(url=f"sqlite:///{tmp_path / 'regwatch.sqlite'}", folder=tmp_path, kills=KILLS, seed=SEED, edges=2, patience=1.5)
    assert clean(await storm(plan)) == ""


async def test_three_processes_on_postgresql(postgres_url: str, tmp_path: Path) -> None:
    """Twenty kills while the others go on: what a killed one had in hand is taken over after its lease."""
    assert clean(await storm(Plan(url=postgres_url, folder=tmp_path, kills=KILLS, seed=SEED, replicas=3, edges=2, patience=1.5))) == ""


async def test_without_the_history_nothing_is_lost(tmp_path: Path) -> None:
    """Slack does not let us read what stands there: at least once is what is left, and what was taken before the kill stands twice."""
    url = f"sqlite:///{tmp_path / 'regwatch.sqlite'}"
    found = await storm(Plan(url=url, folder=tmp_path, kills=2, seed=SEED, edges=1, aims=("taken",), patience=60.0, has_history=False))
    print(found.table())
    assert found.lost == []
    assert found.twice or found.digests_twice


@pytest.mark.parametrize(("breaks", "aim", "what"), [("settles-first", "arrived", "lost"), ("never-looks", "taken", "twice")])
async def test_a_promise_that_is_not_kept_is_noticed(tmp_path: Path, breaks: str, aim: str, what: str) -> None:
    """A process that settles before it posts loses messages, one that never looks for a post repeats them."""
    url = f"sqlite:///{tmp_path / 'regwatch.sqlite'}"
    plan = Plan(url=url, folder=tmp_path, kills=1, seed=SEED, edges=1, aims=(aim,), patience=60.0, breaks=breaks)
    found = await storm(plan)
    assert found.twice or found.digests_twice if what == "twice" else found.lost


async def test_a_delivery_of_a_killed_process_is_taken_over_after_its_lease(store: Store, clock: FakeClock) -> None:
    """On both databases: its message stands, its word is missing. Another leaves it alone, then finds it and posts nothing."""
    async with SlackStub(now=clock) as slack:
        slack.add_channel("C1")
        operators = Store(store._url.render_as_string(hide_password=False), now=clock, operations=ChannelKey("T1", "C1", "ops"))
        assert await operators.owe_notice(
            "notice:a:error:now", {"source": "a", "health": "error", "since": clock().isoformat(), "text": "a"}
        )
        await operators.close()

        async def client_for(_: str) -> AsyncWebClient:
            return make_client(TOKEN, slack.url)

        arrived, never = asyncio.Event(), asyncio.Event()
        slack.fail("chat.postMessage", held(arrived, never))
        killed = asyncio.create_task(Deliverer(store, client_for, now=clock).run_once())
        await arrived.wait()
        killed.cancel()
        other = Deliverer(store, client_for, now=clock)
        clock.forward(seconds=119)
        assert (await other.run_once()).claimed == 0
        clock.forward(seconds=2)
        assert (await other.run_once()).sent == 1
        assert len(slack.posts("C1")) == 1
        never.set()


WALLS = [
    ("in a spring gap at the first moment after it", "America/New_York", "02:30", date(2021, 3, 14), datetime(2021, 3, 14, 7, tzinfo=UTC)),
    ("twice in an autumn night: the first time", "Europe/London", "01:30", date(2021, 10, 31), datetime(2021, 10, 31, 0, 30, tzinfo=UTC)),
    ("in a gap of half an hour", "Australia/Lord_Howe", "02:15", date(2021, 10, 3), datetime(2021, 10, 2, 15, 30, tzinfo=UTC)),
    ("on any other day when the clock shows it", "Asia/Taipei", "08:30", date(2021, 3, 16), datetime(2021, 3, 16, 0, 30, tzinfo=UTC)),
]


@pytest.mark.parametrize(("zone", "at", "day", "due"), [wall[1:] for wall in WALLS], ids=[wall[0] for wall in WALLS])
def test_the_model_knows_when_a_digest_is_due(zone: str, at: str, day: date, due: datetime) -> None:
    """It walks over the wall clock, and so it is right by itself, not because the service is."""
    place = Place("C1", zone, digest_at=at)
    assert place.digests(due.replace(hour=0, minute=0), due)[day] == due
    assert day not in place.digests(due, due.replace(hour=23))


async def test_the_model_knows_what_is_owed() -> None:
    """Everything, a body, firms; the digest alone for what is muted or asked for so."""
    async with FakeWeb() as web:
        town = Town(web, Random(1))
        town.tell(40, datetime(2021, 3, 12, 12, tzinfo=UTC))
        town.correct(datetime(2021, 3, 13, 12, tzinfo=UTC))
        town.correct(datetime(2021, 4, 13, 12, tzinfo=UTC))
    by_name = {place.id: place for place in PLACES}
    act = Act(1, "us-sec", "tencent", datetime(2021, 3, 12, 12, tzinfo=UTC), "101,001")
    assert {place.id: place.owed(act) for place in PLACES} == {
        **dict.fromkeys(by_name, "message"),
        "C0DIGEST": "digest",
        "C0MUTED": "digest",
    }
    other = replace(act, body="au-asic", firm="netease")
    assert {one for one, place in by_name.items() if not place.owed(other)} == {"C0LONDON", "C0TAIPEI", "C0MUTED", "C0NOW"}
    assert len({one.mark for one in town.acts}) == len({one.amount for one in town.acts}) == 40
    assert sum(one.is_edited for one in town.acts) == 1
