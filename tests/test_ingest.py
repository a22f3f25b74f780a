"""What a poll leaves behind: leases, documents, actions joined by proof, cases, messages owed. On both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel, col, select

from storage import StorageError, Store
from storage.draft import oldest_first
from storage.intents import ChannelKey, FollowIntent
from storage.joining import Shape, State, Weight, day_of, merge, pair_readings, same_action, spans, status_after, title_of, words
from storage.models import (
    Action,
    ActionDocument,
    ActionFirm,
    ActionRegulator,
    Amount,
    AmountKind,
    Broadcast,
    Case,
    Deliver,
    DeliveryState,
    Document,
    DocumentKey,
    Evidence,
    Followed,
    Health,
    Kind,
    Mention,
    Mode,
    Poll,
    Precision,
    Role,
    Sighting,
    Source,
    SourceRhythm,
    Status,
    Tier,
)
from storage.records import BodyRecord, PartialDate, PollRecord, Resighting, Rhythm, SourceRow, UnreadBody
from storage.tenancy import Change, Delivery
from tests.fakes.clock import FakeClock
from tests.fakes.polls import NOON, REGULATORS, SOURCES, act, entry, firm, follow, furnish, lease, money, poll

LEASE = timedelta(minutes=5)


@pytest.fixture
async def world(store: Store) -> Store:
    await furnish(store)
    return store


@pytest.fixture
async def small_world(sqlite_store: Store) -> Store:
    """The world on SQLite alone: for long tables whose loading is tested on both databases by other tests."""
    await furnish(sqlite_store)
    return sqlite_store


async def rows(store: Store, table: type[SQLModel]) -> Any:
    async with store._read() as session:
        return (await session.exec(select(table))).all()


async def source(store: Store, source_id: str) -> Source:
    async with store._read() as session:
        return (await session.exec(select(Source).where(Source.id == source_id))).one()


async def action(store: Store, action_id: int = 1001) -> Action:
    async with store._read() as session:
        return (await session.exec(select(Action).where(Action.id == action_id))).one()


async def owed(store: Store) -> list[tuple[str, str, str]]:
    """Every delivery as (key, state, reason), oldest first."""
    async with store._read() as session:
        found = await session.exec(select(Delivery).order_by(col(Delivery.id)))
        return [(row.key, row.state.value, row.reason) for row in found]


async def seen(store: Store, action_id: int = 1001) -> list[tuple[int | None, str, str, str]]:
    """What readers saw change, as (version, what, before, after)."""
    async with store._read() as session:
        found = await session.exec(select(Change).where(Change.subject == f"action:{action_id}").order_by(col(Change.id)))
        return [(row.version, row.what, row.before, row.after) for row in found]


async def targets(store: Store, action_id: int = 1001) -> set[str]:
    async with store._read() as session:
        held = select(ActionFirm.name).where(ActionFirm.action_id == action_id, col(ActionFirm.role) == Role.TARGET)
        return set((await session.exec(held)).all())


SIX = ("tencent", "alibaba", "bytedance", "xiaomi", "kuaishou", "netease")


def report(**changes: Any) -> Any:
    """What the press wrote: eleven firms summoned, two of them named."""
    talks = act(Kind.TALKS, "tencent", "alibaba", count=11, on="2021-03-18")
    return entry("Regulator calls in eleven platforms over voice software", talks, **{"language": "en", **changes})


def notice(*firms: str, **changes: Any) -> Any:
    """What the regulator wrote, in Chinese: the same act, with more names."""
    talks = act(Kind.TALKS, *(firms or SIX), count=11, on="2021-03-18")
    return entry("有关部门约谈十一家企业", talks, **{"language": "zh-Hans", "published": NOON + timedelta(hours=5), **changes})


# --- sources and leases ------------------------------------------------------------------------------------------


async def test_a_new_catalogue_is_due_within_five_minutes_and_not_all_at_once(world: Store, clock: FakeClock) -> None:
    waits = [one.next_poll_at - clock() for one in await rows(world, Source)]
    assert all(timedelta(0) <= wait <= timedelta(minutes=5) for wait in waits)
    assert len(set(waits)) == len(waits)


async def test_a_catalogue_read_again_keeps_what_polling_learned(world: Store, clock: FakeClock) -> None:
    await poll(world, "cac-news", notice(), etag='"v1"')
    before = await source(world, "cac-news")
    clock.forward(days=1)
    await world.sync_catalogue(REGULATORS, [replace(SOURCES[0], poll_minutes=5), *SOURCES[1:]])
    after = await source(world, "cac-news")
    assert after.poll_minutes == 5
    assert (after.etag, after.next_poll_at, after.seeded_at, after.added_at) == (
        '"v1"',
        before.next_poll_at,
        before.seeded_at,
        before.added_at,
    )


async def test_a_source_that_left_the_catalogue_is_switched_off_and_comes_back(world: Store) -> None:
    await world.sync_catalogue(REGULATORS, SOURCES[1:])
    gone = await source(world, "cac-news")
    assert (gone.is_enabled, gone.off_reason) == (False, "no longer in the catalogue")
    await world.sync_catalogue(REGULATORS, SOURCES)
    back = await source(world, "cac-news")
    assert (back.is_enabled, back.off_reason) == (True, "")


async def test_due_sources_carry_what_a_poll_needs(world: Store, clock: FakeClock) -> None:
    await poll(world, "cac-news", notice(), etag='"v1"', last_modified="Fri", body_hash="b1")
    clock.forward(hours=1)
    (due,) = await world.due_sources(9, LEASE, ["cac-news"])
    assert (due.row.id, due.row.regulator_id, due.time_zone, due.mode) == ("cac-news", "cn-cac", "Asia/Shanghai", Mode.LIVE)
    assert (due.etag, due.last_modified, due.body_hash, due.is_seeded, due.failures) == ('"v1"', "Fri", "b1", True, 0)
    assert due.newest_published_at == NOON + timedelta(hours=5)
    assert due.row == SOURCES[0]


async def test_the_press_is_read_in_utc(world: Store) -> None:
    (due,) = await world.due_sources(1, LEASE, ["island-times"], ignore_due=True)
    assert (due.time_zone, due.row.regulator_id) == ("UTC", None)


async def test_nothing_is_due_before_its_time_unless_it_is_asked_for(world: Store, clock: FakeClock) -> None:
    clock.at -= timedelta(minutes=6)
    assert await world.due_sources(9, LEASE) == ()
    assert len(await world.due_sources(9, LEASE, ignore_due=True)) == len(SOURCES)


async def test_a_leased_source_is_nobody_elses_until_the_lease_ends(world: Store, clock: FakeClock) -> None:
    clock.forward(minutes=6)
    first = await world.due_sources(9, LEASE)
    assert len(first) == len(SOURCES)
    assert await world.due_sources(9, LEASE) == ()
    clock.forward(minutes=5)
    again = await world.due_sources(9, LEASE)
    assert {one.row.id: one.lease_token for one in again} == {one.row.id: one.lease_token + 1 for one in first}


async def test_the_longest_due_come_first_and_no_more_than_asked(world: Store, clock: FakeClock) -> None:
    order = [one.id for one in sorted(await rows(world, Source), key=lambda one: one.next_poll_at)]
    clock.forward(minutes=6)
    found = [(await world.due_sources(2, LEASE)), (await world.due_sources(9, LEASE))]
    assert [[one.row.id for one in group] for group in found] == [order[:2], order[2:]]


async def test_a_source_that_is_off_is_never_due(world: Store, clock: FakeClock) -> None:
    async with world._write() as session:
        for one in await session.exec(select(Source).where(col(Source.id).in_(["cac-news", "samr-en"]))):
            one.mode, one.is_enabled = (Mode.OFF, True) if one.id == "cac-news" else (Mode.LIVE, False)
    clock.forward(minutes=6)
    assert {one.row.id for one in await world.due_sources(9, LEASE)} == {"samr-news", "sec-litigation", "island-times"}


async def test_a_released_source_is_due_as_before(world: Store, clock: FakeClock) -> None:
    clock.forward(minutes=6)
    (first, *_) = await world.due_sources(9, LEASE)
    await world.release(first.row.id, first.lease_token - 1)
    assert await world.due_sources(9, LEASE) == ()
    await world.release(first.row.id, first.lease_token)
    assert [one.row.id for one in await world.due_sources(9, LEASE)] == [first.row.id]


async def test_two_replicas_lease_each_source_once(world: Store, clock: FakeClock) -> None:
    clock.forward(minutes=6)
    found = await asyncio.gather(*(world.due_sources(2, LEASE) for _ in range(4)))
    ids = [one.row.id for group in found for one in group]
    assert len(ids) == len(set(ids))


async def test_a_late_holder_of_a_lease_writes_nothing(world: Store, clock: FakeClock) -> None:
    late = await lease(world, "cac-news")
    clock.forward(minutes=6)
    ours = await lease(world, "cac-news")
    assert not (await poll(world, "cac-news", notice(), token=late)).is_accepted
    assert (await rows(world, Document), await rows(world, Poll)) == ([], [])
    assert (await poll(world, "cac-news", notice(), token=ours)).is_accepted


async def test_one_lease_records_one_poll(world: Store) -> None:
    token = await lease(world, "cac-news")
    assert (await poll(world, "cac-news", notice(), token=token)).is_accepted
    assert not (await poll(world, "cac-news", notice(), token=token)).is_accepted
    assert len(await rows(world, Document)) == 1


async def test_a_lease_that_ended_but_passed_to_nobody_still_records(world: Store, clock: FakeClock) -> None:
    token = await lease(world, "cac-news")
    clock.forward(hours=1)
    assert (await poll(world, "cac-news", notice(), token=token)).is_accepted


# --- the cursor and the window ----------------------------------------------------------------------------------


async def test_a_poll_moves_the_cursor_and_is_logged(world: Store, clock: FakeClock) -> None:
    outcome = await poll(world, "cac-news", notice(), etag='"v1"', n_bytes=900, health=Health.OK)
    assert (outcome.new, outcome.changed, outcome.actions) == (1, 0, 1)
    row = await source(world, "cac-news")
    assert (row.etag, row.lease_until, row.last_ok_at, row.last_new_at, row.seeded_at) == ('"v1"', None, clock(), clock(), clock())
    assert row.next_poll_at == clock() + timedelta(minutes=30)
    (log,) = await rows(world, Poll)
    assert (log.source_id, log.http_status, log.n_bytes, log.n_entries, log.n_new, log.n_changed) == ("cac-news", 200, 900, 1, 1, 0)


async def test_a_rhythm_comes_back_with_the_next_lease(world: Store, clock: FakeClock) -> None:
    async def known() -> Rhythm:
        clock.forward(minutes=6)
        (due,) = await world.due_sources(1, LEASE, ["cac-news"], ignore_due=True)
        return due.rhythm

    assert await known() == Rhythm()
    await poll(world, "cac-news", notice(), token=await lease_again(world, clock), rhythm=Rhythm((26_935_000, 26_935_060), (737_868,)))
    assert await known() == Rhythm((26_935_000, 26_935_060), (737_868,))
    # a poll that taught nothing, and one whose lease had passed on
    await poll(world, "cac-news", token=await lease_again(world, clock))
    late = await lease_again(world, clock)
    await lease_again(world, clock)
    assert not (await poll(world, "cac-news", token=late, rhythm=Rhythm())).is_accepted
    assert await known() == Rhythm((26_935_000, 26_935_060), (737_868,))
    await poll(world, "cac-news", token=await lease_again(world, clock), rhythm=Rhythm((26_936_000,), (737_869,)))
    assert await known() == Rhythm((26_936_000,), (737_869,))
    assert len(await rows(world, SourceRhythm)) == 1


async def lease_again(world: Store, clock: FakeClock) -> int:
    """A lease after whatever lease there was."""
    clock.forward(minutes=6)
    return await lease(world, "cac-news")


async def test_a_failure_leaves_cursor_and_window_alone(world: Store, clock: FakeClock) -> None:
    await poll(world, "cac-news", notice(), etag='"v1"', body_hash="b1")
    clock.forward(hours=1)
    await poll(world, "cac-news", is_good=False, health=Health.BLOCKED, detail="a challenge page", http_status=403, present=None)
    row = await source(world, "cac-news")
    assert (row.etag, row.body_hash, row.failures, row.health, row.health_detail) == ('"v1"', "b1", 1, Health.BLOCKED, "a challenge page")
    assert (row.health_since, row.last_ok_at) == (clock(), clock() - timedelta(hours=1))
    assert len(await world.window("cac-news")) == 1
    clock.forward(hours=1)
    await poll(world, "cac-news", is_good=False, health=Health.BLOCKED)
    row = await source(world, "cac-news")
    assert (row.failures, row.health_since) == (2, clock() - timedelta(hours=1))
    await poll(world, "cac-news")
    row = await source(world, "cac-news")
    assert (row.failures, row.health, row.health_since) == (0, Health.OK, clock())


async def test_a_304_without_validators_keeps_those_we_have(world: Store) -> None:
    await poll(world, "cac-news", notice(), etag='"v1"', last_modified="Fri", body_hash="b1")
    await poll(world, "cac-news", http_status=304)
    row = await source(world, "cac-news")
    assert (row.etag, row.last_modified, row.body_hash) == ('"v1"', "Fri", "b1")
    await poll(world, "cac-news", present=())
    assert (await source(world, "cac-news")).etag is None


async def test_an_empty_first_poll_is_no_first_poll(world: Store, clock: FakeClock) -> None:
    await poll(world, "cac-news", present=())
    assert (await source(world, "cac-news")).seeded_at is None


async def test_the_window_is_what_the_last_good_poll_showed(world: Store, clock: FakeClock) -> None:
    old, new = entry("first of them", guid="g1"), entry("second of them", guid="g2")
    await poll(world, "cac-news", old, new)
    await poll(world, "cac-news", present=(new.entry_hash,))
    (shown,) = await world.window("cac-news")
    assert (shown.title, shown.entry_hash, shown.is_in_window) == ("second of them", new.entry_hash, True)
    (known,) = await world.known("cac-news", guids=["g1"])
    assert (known.title, known.entry_hash, known.is_in_window) == ("first of them", None, False)
    await poll(world, "cac-news", present=(old.entry_hash, new.entry_hash))
    assert len(await world.window("cac-news")) == 2


async def test_a_document_is_known_by_any_key_it_ever_had(world: Store) -> None:
    first = entry("A decision", act(Kind.FINE, "tencent", number="2021-28"), guid="g1", url="https://cac.example/1")
    await poll(world, "cac-news", first)
    (found,) = await world.known("cac-news", guids=["g1"])
    await poll(world, "cac-news", resighted=(Resighting(found.document_id, "h9", "g2", "cac.example/2", "another title 2021-03-19"),))
    for keys in (
        {"guids": ["g1"]},
        {"guids": ["g2", "g3"]},
        {"urls": ["cac.example/1"]},
        {"urls": ["cac.example/2"]},
        {"titles": ["another title 2021-03-19"]},
        {"titles": [first.title_key]},
        {"numbers": ["2021-28"]},
    ):
        (same,) = await world.known("cac-news", **keys)  # type: ignore[arg-type]
        assert same.document_id == found.document_id, keys
    assert same.guids == {"g1", "g2"}
    assert same.urls == {"cac.example/1", "cac.example/2"}
    assert same.number == "2021-28"
    assert await world.known("samr-news", guids=["g1"]) == ()
    assert await world.known("cac-news") == ()


async def test_a_number_that_two_entries_share_is_no_key(world: Store) -> None:
    shared = [act(Kind.FINE, one, number="2021-28") for one in ("tencent", "alibaba")]
    await poll(world, "cac-news", entry("One", shared[0]), entry("Two", shared[1]))
    assert await world.known("cac-news", numbers=["2021-28"]) == ()


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        pytest.param("a b c", "c b a", id="a list without dates begins with the newest"),
        pytest.param("c:3 b:2 a:1", "a b c", id="dates fall"),
        pytest.param("a:1 b:2 c:3", "a b c", id="dates rise"),
        pytest.param("d:2 c:2 b:2 a:1", "a b c d", id="of one date: as listed, the newest first"),
        pytest.param("a:1 b:2 c:2 d:2", "a b c d", id="of one date where dates rise"),
        pytest.param("e c:2 d b:2 a:1", "a b c d e", id="without a date: last"),
        pytest.param("p:9 c:3 b:2 a:1", "a b c p", id="pinned at the top"),
        pytest.param("a:1 c:3 b:2 d:4", "a b c d", id="one that is out of order"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_the_oldest_entry_of_a_poll_is_told_first(listed: str, expected: str) -> None:
    entries = []
    for word in listed.split():
        title, _, day = word.partition(":")
        entries.append(entry(title, published=datetime(2021, 3, int(day), tzinfo=UTC) if day else None))
    assert " ".join(one.title for one in oldest_first(entries)) == expected


async def test_an_appeal_listed_above_its_fine_without_a_date_moves_it(world: Store) -> None:
    """Both came with one poll."""
    fined = entry("Tencent is fined", act(Kind.FINE, "tencent", number="A-1"), published=None)
    appeals = entry("Tencent appeals the fine", act(Kind.APPEAL, "tencent", number="A-2"), published=None, cites=["A-1"])
    await poll(world, "cac-news", fined, appeals)
    assert [(one.title, one.status) for one in await rows(world, Action)] == [
        ("Tencent is fined", Status.APPEALED),
        ("Tencent appeals the fine", Status.IN_FORCE),
    ]


async def test_an_edit_replaces_the_text_and_keeps_the_keys(world: Store, clock: FakeClock) -> None:
    await poll(world, "cac-news", entry("A title", guid="g1", text="One."))
    (known,) = await world.known("cac-news", guids=["g1"])
    clock.forward(hours=2)
    outcome = await poll(world, "cac-news", entry("A better title", guid="g1", text="Two.", document_id=known.document_id))
    assert (outcome.new, outcome.changed) == (0, 1)
    (document,) = await rows(world, Document)
    assert (document.title, document.text, document.edited_at, document.first_seen_at) == ("A better title", "Two.", clock(), NOON)
    (known,) = await world.known("cac-news", guids=["g1"])
    assert len(known.titles) == 2
    assert known.sha256 == document.sha256


# --- pages behind a list -----------------------------------------------------------------------------------------------

PAGE = "https://source.example/page"


async def test_a_document_whose_page_is_wanted_is_known_by_its_list_once_it_is_read(world: Store, clock: FakeClock) -> None:
    listed = replace(entry("A title", guid="g1"), body=BodyRecord(PAGE, is_read=False))
    await poll(world, "cac-news", listed)
    (wanted,) = await world.wanted_bodies("cac-news", 5)
    assert (wanted.body_url, wanted.tries, wanted.listed.title, wanted.is_of_first_poll) == (PAGE, 0, "A title", True)
    (before,) = await world.known("cac-news", guids=["g1"])
    clock.forward(hours=1)
    read = replace(
        entry("A title", guid="g1", text="All that the page says.", document_id=wanted.document_id),
        entry_hash=None,
        listed=wanted.listed,
        body=BodyRecord(PAGE, is_read=True),
    )
    outcome = await poll(world, "cac-news", read, present=None)
    assert (outcome.new, outcome.changed) == (0, 1)
    (document,) = await rows(world, Document)
    assert (document.text, document.body_read_at, document.edited_at) == ("All that the page says.", clock(), None)
    assert await world.wanted_bodies("cac-news", 5) == ()
    (after,) = await world.known("cac-news", guids=["g1"])
    assert (after.sha256, after.title, after.entry_hash) == (before.sha256, before.title, before.entry_hash)


async def test_pages_are_wanted_newest_first_and_three_times_at_most(world: Store, clock: FakeClock) -> None:
    for name in ("old", "new"):
        await poll(world, "cac-news", replace(entry(name), body=BodyRecord(f"{PAGE}/{name}", is_read=False)))
        clock.forward(hours=1)
    assert [one.body_url for one in await world.wanted_bodies("cac-news", 5)] == [f"{PAGE}/new", f"{PAGE}/old"]
    assert [one.is_of_first_poll for one in await world.wanted_bodies("cac-news", 5)] == [False, True]
    for tries in (1, 2, 3):
        (new, *_) = [one for one in await world.wanted_bodies("cac-news", 5) if one.body_url == f"{PAGE}/new"]
        await poll(world, "cac-news", unread_bodies=(UnreadBody(new.document_id, tries, "no answer"),))
    assert [one.body_url for one in await world.wanted_bodies("cac-news", 5)] == [f"{PAGE}/old"]


async def test_another_sources_document_cannot_be_written_over(world: Store) -> None:
    await poll(world, "cac-news", replace(entry("A title"), body=BodyRecord(PAGE, is_read=False)))
    (wanted,) = await world.wanted_bodies("cac-news", 5)
    await poll(world, "island-times", unread_bodies=(UnreadBody(wanted.document_id, 3, "not mine"),))
    assert (await world.wanted_bodies("cac-news", 5))[0].tries == 0


# --- sources of the operator's own ---------------------------------------------------------------------------------------

OWN = SourceRow("my-wire", None, "https://wire.example/feed", "rss", Tier.SECONDARY, "en", definition={"content": "My wire"})


async def test_an_own_source_is_a_shadow_and_outlives_the_catalogue(world: Store, clock: FakeClock) -> None:
    assert await world.import_sources([OWN], "operator") == (1, 0)
    own = await source(world, "my-wire")
    assert (own.mode, own.is_own, own.is_enabled) == (Mode.SHADOW, True, True)
    assert await world.arm("my-wire", "operator")
    await world.sync_catalogue(REGULATORS, SOURCES)
    assert await world.import_sources([replace(OWN, url="https://wire.example/new")], "operator") == (0, 1)
    own = await source(world, "my-wire")
    assert (own.url, own.mode, own.is_enabled) == ("https://wire.example/new", Mode.LIVE, True)
    assert [one.id for one in await world.source_rows(is_own=True)] == ["my-wire"]


async def test_the_catalogues_sources_are_not_the_operators_to_change(world: Store) -> None:
    with pytest.raises(StorageError, match="'cac-news' is a source of the catalogue"):
        await world.import_sources([OWN, replace(OWN, id="cac-news")], "operator")
    assert await world.source_rows(is_own=True) == ()


async def test_a_catalogue_that_takes_an_own_name_leaves_it(world: Store) -> None:
    await world.import_sources([OWN], "operator")
    await world.sync_catalogue(REGULATORS, [*SOURCES, replace(OWN, url="https://theirs.example/feed")])
    assert (await source(world, "my-wire")).url == OWN.url


async def test_hold_and_arm_leave_a_trace(world: Store) -> None:
    assert await world.hold("cac-news", "U1")
    assert not await world.hold("cac-news", "U1")
    assert (await source(world, "cac-news")).mode_reason == "held by U1"
    assert await world.arm("cac-news", "U1")
    told = [(one.what, one.before, one.after) for one in await rows(world, Change) if one.subject == "source:cac-news"]
    assert told == [("mode", "live", "held"), ("mode", "held: held by U1", "live")]
    with pytest.raises(StorageError, match="no source 'none'"):
        await world.hold("none", "U1")


async def test_a_shadow_for_want_of_proof_ends_with_it_and_no_other_does(world: Store) -> None:
    unproved = replace(OWN, id="page", is_proved=False)
    await world.sync_catalogue(REGULATORS, [*SOURCES, unproved])
    await world.import_sources([OWN], "operator")
    for name in ("page", "my-wire"):
        await poll(world, name, entry(f"A title of {name}"))
        assert (await source(world, name)).mode is Mode.SHADOW
        await poll(world, name, entry(f"Another of {name}"), is_proof=True)
    assert [(await source(world, name)).mode for name in ("page", "my-wire")] == [Mode.LIVE, Mode.SHADOW]


async def test_mentions_of_an_edited_text_are_read_anew(world: Store) -> None:
    await poll(world, "cac-news", entry("A title", guid="g1", mentions=[firm("tencent", Role.MENTIONED)]))
    await poll(world, "cac-news", entry("A title", guid="g1", text="x", mentions=[firm("alibaba", Role.MENTIONED)], document_id=1))
    assert [one.firm_id for one in await rows(world, Mention)] == ["alibaba"]


# --- one transaction ----------------------------------------------------------------------------------------------


async def test_a_poll_is_written_whole_or_not_at_all(world: Store) -> None:
    await follow(world, "C1", "firm:tencent")
    before = await source(world, "cac-news")
    bad = entry("A bad one", act(Kind.FINE, replace(firm("tencent"), firm_id="no-such-firm")), guid="g2")
    token = await lease(world, "cac-news")
    with pytest.raises(IntegrityError):
        await poll(world, "cac-news", notice(), bad, token=token, etag='"v2"')
    for table in (Poll, Document, DocumentKey, Sighting, Mention, Case, Action, ActionFirm, Evidence, Delivery):
        assert await rows(world, table) == [], table
    after = await source(world, "cac-news")
    assert (after.etag, after.next_poll_at, after.seeded_at) == (before.etag, before.next_poll_at, None)
    assert (await poll(world, "cac-news", notice(), token=token)).owed == 1


# --- documents into actions -----------------------------------------------------------------------------------------


async def test_an_action_keeps_all_that_its_text_said(world: Store) -> None:
    found = act(
        Kind.FINE,
        firm("bytedance", brand="tiktok"),
        firm("ant-group"),
        firm("alibaba", Role.GROUP, via="Ant Group, affiliate of Alibaba Group"),
        "Unheard-of Trading Co",
        by=("cn-samr", "cn-cac"),
        on="2021-03",
        amounts=[money("3.5"), money("900", kind=AmountKind.TURNOVER)],
        number="2021-28",
    )
    await poll(world, "samr-news", entry("A decision", found))
    row = await action(world)
    assert (row.kind, row.status, row.version, row.number, row.decided_on, row.decided_precision) == (
        Kind.FINE,
        Status.IN_FORCE,
        1,
        "2021-28",
        datetime(2021, 3, 1).date(),  # noqa: DTZ001
        Precision.MONTH,
    )
    assert (row.is_confirmed, row.title, row.published_at, row.first_seen_at) == (True, "A decision", NOON, NOON)
    firms = {(one.firm_id, one.brand_id, one.name, one.role, one.via) for one in await rows(world, ActionFirm)}
    assert firms == {
        ("bytedance", "tiktok", "ByteDance", Role.TARGET, "TikTok, brand of ByteDance"),
        ("ant-group", None, "Ant Group", Role.TARGET, None),
        ("alibaba", None, "Alibaba Group", Role.GROUP, "Ant Group, affiliate of Alibaba Group"),
        (None, None, "Unheard-of Trading Co", Role.TARGET, None),
    }
    assert {(one.regulator_id, one.is_first) for one in await rows(world, ActionRegulator)} == {("cn-samr", True), ("cn-cac", False)}
    assert {(one.surface, one.kind) for one in await rows(world, Amount)} == {
        ("CNY 3.5 million", AmountKind.IMPOSED),
        ("CNY 900 million", AmountKind.TURNOVER),
    }
    (proof,) = await rows(world, Evidence)
    (document,) = await rows(world, Document)
    assert (proof.sha256, proof.document_id) == (document.sha256, document.id)
    assert document.number == "2021-28"


async def test_a_text_that_names_no_regulator_is_its_sources(world: Store) -> None:
    await poll(world, "cac-news", entry("A title", act(Kind.FINE, "tencent", by=())))
    assert [one.regulator_id for one in await rows(world, ActionRegulator)] == ["cn-cac"]


async def test_a_firm_named_twice_is_one_row_with_its_strongest_role(world: Store) -> None:
    await poll(world, "cac-news", entry("A title", act(Kind.FINE, firm("tencent", Role.MENTIONED), "tencent", firm("tencent", Role.GROUP))))
    (row,) = await rows(world, ActionFirm)
    assert row.role is Role.TARGET


async def test_two_brands_of_one_owner_are_two_rows(world: Store) -> None:
    await poll(world, "cac-news", entry("A title", act(Kind.REMOVAL, firm("bytedance", brand="tiktok"), firm("bytedance", brand="douyin"))))
    assert {one.brand_id for one in await rows(world, ActionFirm)} == {"tiktok", "douyin"}


async def test_an_english_report_and_the_chinese_notice_are_one_action_one_alert_one_update(world: Store, clock: FakeClock) -> None:
    await follow(world, "C1", "firm:tencent")
    first = await poll(world, "island-times", report())
    assert (first.actions, first.owed) == (1, 1)
    clock.forward(hours=6)
    second = await poll(world, "cac-news", notice())
    assert (second.actions, second.updates, second.owed) == (0, 1, 1)
    assert await owed(world) == [("alert:RW-1001", "owed", ""), ("update:RW-1001:2", "owed", "")]
    row = await action(world)
    assert (row.is_confirmed, row.version, row.title, row.published_at) == (True, 2, "有关部门约谈十一家企业", NOON)
    assert await seen(world) == [
        (2, "target", "", "ByteDance, Xiaomi, Kuaishou, NetEase"),
        (2, "confirmed", "reported", "official"),
    ]
    assert {(one.document_id, one.reason) for one in await rows(world, ActionDocument)} == {(1, "opened it"), (2, "firms")}


async def test_a_report_after_the_notice_adds_a_document_and_tells_nobody(world: Store) -> None:
    await follow(world, "C1", "firm:tencent")
    await poll(world, "cac-news", notice())
    outcome = await poll(world, "island-times", report())
    assert (outcome.actions, outcome.updates, outcome.owed) == (0, 0, 0)
    assert len(await rows(world, ActionDocument)) == 2
    assert (await action(world)).version == 1


async def test_the_differences_of_the_notice_are_listed(world: Store) -> None:
    talks = act(Kind.FINE, "tencent", on="2021-03-17", is_guess=True, count=10, amounts=[money("5")])
    await poll(world, "island-times", entry("Tencent must pay", talks))
    decision = act(Kind.FINE, "tencent", on="2021-03-18", count=11, amounts=[money("5.2")])
    await poll(world, "cac-news", entry("处罚决定", decision, language="zh-Hans"))
    assert await seen(world) == [
        (2, "count", "10", "11"),
        (2, "amount", "CNY 5 million", "CNY 5.2 million"),
        (2, "date", "2021-03-17", "2021-03-18"),
        (2, "confirmed", "reported", "official"),
    ]
    assert [one.surface for one in await rows(world, Amount)] == ["CNY 5.2 million"]


async def test_two_official_copies_that_differ_are_both_kept(world: Store) -> None:
    await poll(world, "samr-news", entry("处罚决定", act(Kind.FINE, "alibaba", by=["cn-samr"], amounts=[money("18228")]), language="zh"))
    await poll(world, "samr-en", entry("A decision", act(Kind.FINE, "alibaba", by=["cn-samr"], amounts=[money("18200")]), language="en"))
    assert len(await rows(world, Action)) == 1
    assert {one.surface for one in await rows(world, Amount)} == {"CNY 18228 million", "CNY 18200 million"}
    assert [what for _, what, *_ in await seen(world)] == ["amount"]


async def test_one_sum_in_two_wordings_is_no_change(world: Store) -> None:
    await poll(world, "samr-news", entry("处罚决定", act(Kind.FINE, "alibaba", by=["cn-samr"], amounts=[money("18228")]), language="zh"))
    other = replace(money("18228"), surface="RMB 18.228 billion")
    await poll(world, "samr-en", entry("A decision", act(Kind.FINE, "alibaba", by=["cn-samr"], amounts=[other]), language="en"))
    assert await seen(world) == []
    assert len(await rows(world, Amount)) == 1


@pytest.mark.parametrize(
    ("one", "other", "is_one"),
    [
        pytest.param({}, {}, True, id="the same firm, kind, regulator and day in two languages"),
        pytest.param({"kind": Kind.FINE}, {"kind": Kind.CONFISCATION}, False, id="another kind"),
        pytest.param({"by": ["cn-cac"]}, {"by": ["cn-samr"]}, False, id="another regulator"),
        pytest.param({"by": ["cn-cac"]}, {"by": ["cn-samr", "cn-cac"]}, True, id="one regulator of a joint act is shared"),
        pytest.param({"by": []}, {}, False, id="no regulator known in the press"),
        pytest.param({"on": "2021-03-18"}, {"on": "2021-03-21"}, True, id="three days apart"),
        pytest.param({"on": "2021-03-18"}, {"on": "2021-03-22"}, False, id="four days apart"),
        pytest.param({"published": None, "on": None}, {}, False, id="no date at all"),
        pytest.param({"on": "2021-03"}, {"on": "2021-03-18"}, False, id="a month is no day"),
        pytest.param({"on": "2021-03"}, {"on": "2021-03"}, False, id="the same month is no proof"),
        pytest.param({"on": "2021-03-16"}, {"on": None}, True, id="decided against published, three days apart"),
        pytest.param({"on": "2021-03-15"}, {"on": None}, False, id="decided against published, four days apart"),
        pytest.param({"number": "A-1"}, {"number": "A-2"}, False, id="two numbers never merge"),
        pytest.param({"number": "A-1"}, {"number": "A-1", "on": "2019-01-01"}, True, id="one number, whatever the date"),
        pytest.param({"number": "A-1"}, {"number": "A-1", "by": ["us-sec"]}, False, id="one number of two regulators"),
        pytest.param({"number": "A-1"}, {"number": "A-1", "firms": ["alibaba"]}, True, id="one number, another list of firms"),
        pytest.param({"number": "A-1"}, {}, True, id="a number on one side only"),
        pytest.param({"firms": ["tencent"]}, {"firms": ["alibaba"]}, False, id="another firm"),
        pytest.param({"firms": SIX}, {"firms": ["tencent", "first-bank"]}, False, id="one shared firm of two is not enough"),
        pytest.param({"firms": SIX}, {"firms": ["tencent"]}, True, id="the only firm of the shorter list"),
        pytest.param({"firms": SIX}, {"firms": ["tencent", "alibaba", "first-bank"]}, True, id="two shared of three"),
        pytest.param({"firms": SIX}, {"firms": ["tencent", "alibaba", "a", "b", "c"]}, False, id="two shared of five"),
        pytest.param({"firms": [], "count": 12}, {"firms": [], "count": 12}, True, id="no firm named, the same count"),
        pytest.param({"firms": [], "count": 12}, {"firms": SIX, "count": 12}, True, id="firms named on one side, the same count"),
        pytest.param({"firms": [], "count": 12}, {"firms": [], "count": 11}, False, id="no firm named, another count"),
        pytest.param({"firms": []}, {"firms": []}, False, id="neither firm nor count"),
        pytest.param({"firms": SIX, "count": 11}, {"firms": ["first-bank"], "count": 11}, False, id="a count does not outweigh firms"),
        pytest.param({"language": "zh-Hans"}, {}, False, id="one language, titles unlike"),
        pytest.param({"title": "网信办对腾讯作出处罚决定"}, {}, True, id="one language, titles alike, in two scripts"),
        pytest.param({"language": ""}, {}, False, id="an unknown language may be the same"),
    ],
)
async def test_which_documents_are_one_action(small_world: Store, one: dict[str, Any], other: dict[str, Any], is_one: bool) -> None:
    def told(values: dict[str, Any], title: str, language: str) -> Any:
        told_of = {"kind": Kind.FINE, "firms": ["tencent"], "on": "2021-03-18", **values}
        language, title = told_of.pop("language", language), told_of.pop("title", title)
        fields = {"published": told_of.pop("published")} if "published" in told_of else {}
        found = act(told_of.pop("kind"), *told_of.pop("firms"), **told_of)
        return entry(title, found, language="zh-Hant" if "title" in values else language, **fields)

    await poll(small_world, "island-times", told(one, "Tencent has to pay a fine", "en"))
    await poll(small_world, "cac-news", told(other, "網信辦對騰訊作出處罰決定書", "zh-Hant"))
    assert len(await rows(small_world, Action)) == (1 if is_one else 2)


async def test_two_fines_of_one_bank_on_one_day_under_two_numbers_are_two_alerts(world: Store) -> None:
    await follow(world, "C1", "firm:first-bank")
    fines = [
        entry(f"First Bank fined for {what}", act(Kind.FINE, "first-bank", by=["us-sec"], number=number), guid=number)
        for what, number in (("late filings", "LR-25001"), ("late reports", "LR-25002"))
    ]
    outcome = await poll(world, "sec-litigation", *fines)
    assert (outcome.actions, outcome.owed) == (2, 2)
    assert await owed(world) == [("alert:RW-1001", "owed", ""), ("alert:RW-1002", "owed", "")]
    assert len(await rows(world, Case)) == 2


async def test_actions_of_one_document_never_merge(world: Store) -> None:
    twice = [act(Kind.FINE, "tencent", amounts=[money("1")]), act(Kind.FINE, "tencent", amounts=[money("2")])]
    outcome = await poll(world, "cac-news", entry("Two fines", *twice))
    assert outcome.actions == 2
    again = await poll(world, "island-times", entry("两项罚款", *twice, language="zh"))
    assert again.actions == 0
    assert {(one.action_id, one.document_id) for one in await rows(world, ActionDocument)} == {(1001, 1), (1002, 1), (1001, 2), (1002, 2)}


async def test_one_number_over_several_firms_joins_by_the_firm(world: Store) -> None:
    both = [act(Kind.FINE, one, by=["us-sec"], number="LR-1") for one in ("first-bank", "second-bank")]
    await poll(world, "sec-litigation", entry("A decision", *both))
    await poll(world, "island-times", entry("Banks pay", act(Kind.FINE, "second-bank", by=["us-sec"], number="LR-1")))
    assert {(one.action_id, one.document_id) for one in await rows(world, ActionDocument)} == {(1001, 1), (1002, 1), (1002, 2)}


async def test_a_second_document_strengthens_what_the_first_said_of_a_firm(world: Store) -> None:
    first = act(Kind.FINE, "tencent", "bytedance", firm("alibaba", Role.MENTIONED), replace(firm("xiaomi"), firm_id=None))
    await poll(world, "island-times", entry("Tencent pays", first))
    await follow(world, "C1", "firm:xiaomi")
    await poll(world, "cac-news", entry("处罚决定", act(Kind.FINE, "tencent", "bytedance", "alibaba", "xiaomi"), language="zh"))
    assert await targets(world) == {"Tencent", "ByteDance", "Alibaba Group", "Xiaomi"}
    assert {one.firm_id for one in await rows(world, ActionFirm)} == {"tencent", "bytedance", "alibaba", "xiaomi"}
    assert await seen(world) == [(2, "target", "", "Alibaba Group"), (2, "confirmed", "reported", "official")]
    assert [key for key, *_ in await owed(world)] == ["alert:RW-1001"]


async def test_a_number_that_is_learned_later_leads_to_the_case(world: Store) -> None:
    await poll(world, "island-times", entry("Tencent pays", act(Kind.FINE, "tencent")))
    await poll(world, "cac-news", entry("处罚决定", act(Kind.FINE, "tencent", number="A-1"), language="zh"))
    assert (await action(world)).number == "A-1"
    assert [one.number for one in await rows(world, Case)] == ["A-1"]
    outcome = await poll(world, "cac-news", entry("复议决定", act(Kind.APPEAL, "tencent", number="A-1"), language="zh"))
    assert outcome.actions == 1
    assert len(await rows(world, Case)) == 1


async def test_the_number_of_a_document_leads_to_all_its_actions(world: Store) -> None:
    await poll(world, "cac-news", entry("A decision", act(Kind.FINE, "tencent", number="A-1"), act(Kind.WARNING, "alibaba")))
    await poll(world, "cac-news", entry("What came of it", act(Kind.BAN, "alibaba"), cites=["A-1"]))
    case_ids = {row.id: row.case_id for row in await rows(world, Action)}
    assert case_ids[1003] == case_ids[1002] != case_ids[1001]


async def test_one_poll_with_both_language_versions_is_one_action_of_version_one(world: Store) -> None:
    await follow(world, "C1", "firm:tencent")
    outcome = await poll(world, "cac-news", notice(), report(guid="en"))
    assert (outcome.new, outcome.actions, outcome.updates, outcome.owed) == (2, 1, 0, 1)
    assert (await action(world)).version == 1
    assert await seen(world) == []


async def test_two_polls_at_the_same_time_see_each_other(world: Store) -> None:
    outcomes = await asyncio.gather(poll(world, "cac-news", notice()), poll(world, "island-times", report()))
    assert sum(one.actions for one in outcomes) == 1
    assert len(await rows(world, ActionDocument)) == 2


# --- the same document, read again ---------------------------------------------------------------------------------


async def reread(store: Store, *actions: Any, title: str = "A decision", text: str = "Edited.", **fields: Any) -> Any:
    """The document with guid g1, with another text."""
    return await poll(store, "cac-news", entry(title, *actions, guid="g1", text=text, document_id=1, **fields))


async def test_an_edit_that_says_the_same_changes_nothing(world: Store) -> None:
    await follow(world, "C1", "firm:tencent")
    fine = act(Kind.FINE, "tencent", amounts=[money("5")], on="2021-03-18")
    await poll(world, "cac-news", entry("A decision", fine, guid="g1"))
    outcome = await reread(world, fine)
    assert (outcome.changed, outcome.actions, outcome.updates, outcome.owed) == (1, 0, 0, 0)
    assert len(await rows(world, Action)) == len(await rows(world, Evidence)) == len(await rows(world, Amount)) == 1
    (proof,) = await rows(world, Evidence)
    (document,) = await rows(world, Document)
    assert proof.sha256 == document.sha256


@pytest.mark.parametrize(
    ("after", "change"),
    [
        pytest.param({"kind": Kind.CONFISCATION}, ("kind", "fine", "confiscation"), id="the kind was corrected"),
        pytest.param({"status": Status.FINAL}, ("status", "in_force", "final"), id="the status"),
        pytest.param({"firms": ["tencent", "alibaba"]}, ("target", "", "Alibaba Group"), id="a firm was added"),
        pytest.param({"firms": ["alibaba"]}, ("target", "Tencent", "Alibaba Group"), id="the firm was another"),
        pytest.param({"count": 3}, ("count", "2", "3"), id="the count"),
        pytest.param({"amounts": [money("6")]}, ("amount", "CNY 5 million", "CNY 6 million"), id="the amount"),
        pytest.param({"on": "2021-03-17"}, ("date", "2021-03-18", "2021-03-17"), id="the date"),
    ],
)
async def test_an_edit_updates_its_own_action(world: Store, after: dict[str, Any], change: tuple[str, str, str]) -> None:
    await follow(world, "C1", "firm:tencent")
    before = {"kind": Kind.FINE, "firms": ["tencent"], "count": 2, "amounts": [money("5")], "on": "2021-03-18"}

    def told(values: dict[str, Any]) -> Any:
        return act(values.pop("kind"), *values.pop("firms"), **values)

    await poll(world, "cac-news", entry("A decision", told({**before}), guid="g1"))
    outcome = await reread(world, told({**before, **after}))
    assert (outcome.actions, outcome.updates, outcome.owed) == (0, 1, 1)
    assert await seen(world) == [(2, *change)]
    assert [key for key, *_ in await owed(world)] == ["alert:RW-1001", "update:RW-1001:2"]


async def test_an_edit_may_tell_of_one_more_act(world: Store) -> None:
    fine = act(Kind.FINE, "tencent")
    await poll(world, "cac-news", entry("A decision", fine, guid="g1"))
    outcome = await reread(world, fine, act(Kind.REMOVAL, "alibaba"))
    assert (outcome.actions, outcome.updates) == (1, 0)
    assert await targets(world, 1002) == {"Alibaba Group"}


async def test_an_edit_may_begin_to_tell_of_an_act(world: Store) -> None:
    await follow(world, "C1", "firm:tencent")
    await poll(world, "cac-news", entry("A decision", guid="g1"))
    assert (await reread(world, act(Kind.FINE, "tencent"))).owed == 1


async def test_an_edit_that_tells_of_nothing_any_more_takes_nothing_away(world: Store) -> None:
    await poll(world, "cac-news", entry("A decision", act(Kind.FINE, "tencent"), guid="g1"))
    await reread(world)
    assert await targets(world) == {"Tencent"}


async def test_an_edited_report_does_not_outweigh_the_notice(world: Store) -> None:
    await poll(world, "cac-news", entry("Removed", guid="g1"))
    await poll(world, "island-times", report(guid="r1"))
    await poll(world, "cac-news", notice())
    version = (await action(world)).version
    wrong = act(Kind.TALKS, "tencent", "alibaba", count=99, on="2021-03-16")
    await poll(world, "island-times", entry("Regulator calls in platforms", wrong, guid="r1", document_id=2))
    row = await action(world)
    assert (row.stated_count, row.version, str(row.decided_on)) == (11, version, "2021-03-18")
    assert await targets(world) >= {"ByteDance"}


async def test_an_edited_notice_keeps_firms_that_the_report_names(world: Store) -> None:
    await poll(world, "cac-news", notice("tencent", "alibaba", "xiaomi", guid="g1"))
    await poll(world, "island-times", report())
    talks = act(Kind.TALKS, "alibaba", count=11, on="2021-03-18")
    await reread(world, talks, title="有关部门约谈十一家企业", language="zh-Hans")
    assert await targets(world) == {"Tencent", "Alibaba Group"}


async def test_a_redated_page_is_the_same_action(world: Store, clock: FakeClock) -> None:
    await poll(world, "cac-news", entry("A decision", act(Kind.FINE, "tencent"), guid="g1"))
    outcome = await reread(world, act(Kind.FINE, "tencent"), published=NOON + timedelta(days=40))
    assert outcome.actions == 0
    assert (await action(world)).published_at == NOON + timedelta(days=40)


async def test_an_edit_with_another_number_is_another_act(world: Store) -> None:
    await poll(world, "cac-news", entry("A decision", act(Kind.FINE, "tencent", number="A-1"), guid="g1"))
    assert (await reread(world, act(Kind.FINE, "tencent", number="A-2"))).actions == 1


# --- cases ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("later", "fields", "is_joined"),
    [
        pytest.param({"number": "A-1"}, {}, True, id="a shared number"),
        pytest.param({"number": "A-1", "by": ["cn-samr"]}, {}, False, id="a number of another regulator"),
        pytest.param({"number": "A-1", "firms": ["alibaba"]}, {}, False, id="a shared number against another firm"),
        pytest.param({"number": "A-1", "firms": []}, {}, True, id="a shared number, no firm named"),
        pytest.param({}, {"cites": ["A-1"]}, True, id="a cited number"),
        pytest.param({}, {"links": ["https://cac.example/first"]}, True, id="a cited link"),
        pytest.param({}, {"links": ["http://cac.example/first#top"]}, True, id="a cited link in another dress"),
        pytest.param({"firms": ["alibaba"]}, {"links": ["https://cac.example/first"]}, False, id="a link to a stranger's case"),
        pytest.param({"kind": Kind.APPEAL, "firms": []}, {"cites": ["A-1"]}, True, id="an appeal that leaves its firm unnamed"),
        pytest.param({"kind": Kind.RULE, "firms": []}, {"cites": ["A-1"]}, False, id="a rule that cites a decision"),
        pytest.param({}, {"cites": ["A-1", "B-1"]}, False, id="two cases cited: which one is not known"),
        pytest.param({}, {}, False, id="the same firm and regulator alone"),
    ],
)
async def test_what_joins_a_case(small_world: Store, later: dict[str, Any], fields: dict[str, Any], is_joined: bool) -> None:
    first = entry("A probe", act(Kind.INVESTIGATION, "tencent", number="A-1"), url="https://cac.example/first")
    other = entry("Another probe", act(Kind.INVESTIGATION, "tencent", number="B-1"))
    await poll(small_world, "cac-news", first, other)
    values = {"kind": Kind.BAN, "firms": ["tencent"], **later}
    found = act(values.pop("kind"), *values.pop("firms"), **values)
    await poll(small_world, "cac-news", entry("What came of it", found, published=NOON + timedelta(days=90), **fields))
    case_ids = {row.id: row.case_id for row in await rows(small_world, Action)}
    assert (case_ids[1003] == case_ids[1001]) is is_joined
    assert bool((await action(small_world, 1003)).case_reason) is is_joined


async def test_within_one_poll_the_later_cites_the_earlier(world: Store) -> None:
    probe = entry("A probe", act(Kind.INVESTIGATION, "tencent", number="A-1"))
    fine = entry("A fine", act(Kind.FINE, "tencent"), cites=["A-1"], published=NOON + timedelta(hours=1))
    await poll(world, "cac-news", fine, probe)
    assert len(await rows(world, Case)) == 1
    assert [row.kind for row in sorted(await rows(world, Action), key=lambda row: row.id)] == [Kind.INVESTIGATION, Kind.FINE]


@pytest.mark.parametrize(
    ("first", "then", "status"),
    [
        (Kind.FINE, Kind.APPEAL, Status.APPEALED),
        (Kind.FINE, Kind.ANNULMENT, Status.ANNULLED),
        (Kind.INVESTIGATION, Kind.CLOSED, Status.CLOSED),
        (Kind.FINE, Kind.CLOSED, Status.IN_FORCE),
        (Kind.TALKS, Kind.APPEAL, Status.IN_FORCE),
        (Kind.MERGER_DECISION, Kind.ANNULMENT, Status.IN_FORCE),
        (Kind.FINE, Kind.BAN, Status.IN_FORCE),
    ],
)
async def test_a_later_action_of_the_case_moves_the_status(world: Store, first: Kind, then: Kind, status: Status) -> None:
    await follow(world, "C1", "firm:tencent")
    await poll(world, "cac-news", entry("First", act(first, "tencent", number="A-1")))
    outcome = await poll(world, "cac-news", entry("Then", act(then, "tencent", number="A-1")))
    row = await action(world)
    assert (row.status, row.version) == (status, 1 if status is Status.IN_FORCE else 2)
    assert (outcome.actions, outcome.owed) == (1, 1)
    assert [key for key, *_ in await owed(world)] == ["alert:RW-1001", "update:RW-1002:1"]


async def test_reading_the_old_text_again_does_not_take_an_annulment_back(world: Store) -> None:
    await poll(world, "cac-news", entry("A decision", act(Kind.FINE, "tencent", number="A-1"), guid="g1"))
    await poll(world, "cac-news", entry("Then", act(Kind.ANNULMENT, "tencent", number="A-1")))
    await reread(world, act(Kind.FINE, "tencent", number="A-1"))
    assert (await action(world)).status is Status.ANNULLED


async def test_a_fine_and_a_confiscation_in_one_decision_are_one_card(world: Store) -> None:
    await follow(world, "C1", "firm:tencent")
    both = [act(Kind.FINE, "tencent", number="A-1"), act(Kind.CONFISCATION, "tencent", number="A-1")]
    await poll(world, "cac-news", entry("A decision", *both))
    assert await owed(world) == [("alert:RW-1001", "owed", ""), ("update:RW-1002:1", "owed", "")]
    assert not any(row.is_broadcast for row in await rows(world, Delivery))


# --- who is told ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        pytest.param({"what": "firm:tencent"}, ("owed", ""), id="the firm is a target"),
        pytest.param({"what": "firm:alibaba"}, ("owed", ""), id="its group is"),
        pytest.param({"what": "firm:xiaomi"}, None, id="the firm is only mentioned"),
        pytest.param({"what": "firm:xiaomi", "filter": "role:mentioned"}, ("owed", ""), id="mentioned, and asked for"),
        pytest.param({"what": "firm:tiktok"}, ("owed", ""), id="a brand that was hit"),
        pytest.param({"what": "firm:bytedance"}, ("owed", ""), id="the owner of a brand that was hit"),
        pytest.param({"what": "firm:douyin"}, None, id="another brand of that owner"),
        pytest.param({"what": "regulator:cn-cac"}, ("owed", ""), id="the regulator"),
        pytest.param({"what": "regulator:us-sec"}, None, id="another regulator"),
        pytest.param({"what": "all"}, ("owed", ""), id="everything"),
        pytest.param({"what": "all", "filter": "kind:ban"}, None, id="everything, but of another kind"),
        pytest.param({"what": "firm:tencent", "filter": "severity:>=fine role:target"}, ("owed", ""), id="severe enough"),
        pytest.param({"what": "firm:tencent", "filter": "-kind:fine"}, None, id="an excluded kind"),
        pytest.param({"what": "firm:tencent", "deliver": Deliver.NOW}, ("owed", ""), id="alerts only"),
        pytest.param({"what": "firm:tencent", "deliver": Deliver.DIGEST}, ("waived", "digest only"), id="digest only"),
    ],
)
async def test_who_is_owed_an_alert(world: Store, rule: dict[str, Any], expected: tuple[str, str] | None) -> None:
    await follow(world, "C1", **rule)
    found = act(
        Kind.FINE,
        "tencent",
        firm("bytedance", brand="tiktok"),
        firm("alibaba", Role.GROUP, via="Ant Group, affiliate of Alibaba Group"),
        firm("xiaomi", Role.MENTIONED),
    )
    await poll(world, "cac-news", entry("A decision", found))
    assert await owed(world) == ([("alert:RW-1001", *expected)] if expected else [])


async def test_one_message_a_channel_however_many_rules_match(world: Store) -> None:
    await follow(world, "C1", "firm:tencent", deliver=Deliver.DIGEST)
    await follow(world, "C1", "firm:alibaba")
    await follow(world, "C2", "all")
    outcome = await poll(world, "cac-news", notice())
    assert outcome.owed == 2
    assert [(row.channel_id, row.payload["subscriptions"]) for row in await rows(world, Delivery)] == [(1, [1, 2]), (2, [3])]


@pytest.mark.parametrize("reason", ["first poll", "age", "fuse", "shadow"])
async def test_an_entry_that_may_not_alert_owes_nothing_to_be_posted(world: Store, reason: str) -> None:
    await follow(world, "C1", "firm:tencent")
    outcome = await poll(world, "cac-news", notice(waived=reason))
    assert (outcome.owed, outcome.waived) == (0, 1)
    assert await owed(world) == [("alert:RW-1001", "waived", reason)]


async def test_no_evidence_no_alert(world: Store) -> None:
    await follow(world, "C1", "firm:tencent")
    await poll(world, "cac-news", entry("A decision", act(Kind.FINE, "tencent", evidence="")))
    assert await owed(world) == [("alert:RW-1001", "waived", "no evidence")]


async def test_only_raw_names_are_stored_and_reach_those_who_follow_the_regulator(world: Store) -> None:
    await follow(world, "C1", "firm:tencent")
    await follow(world, "C2", "regulator:cn-cac")
    await poll(world, "cac-news", entry("A decision", act(Kind.FINE, "Unheard-of Trading Co")))
    assert await targets(world) == {"Unheard-of Trading Co"}
    assert [(row.channel_id, row.key) for row in await rows(world, Delivery)] == [(2, "alert:RW-1001")]


async def test_a_count_without_a_name_is_for_the_digests_of_that_country(world: Store) -> None:
    await follow(world, "C1", "firm:tencent")
    await follow(world, "C2", "firm:first-bank")
    await poll(world, "cac-news", entry("Twelve fined", act(Kind.FINE, count=12)))
    assert [(row.channel_id, row.key, row.state, row.reason) for row in await rows(world, Delivery)] == [
        (1, "alert:RW-1001", DeliveryState.WAIVED, "no firm named")
    ]
    await poll(world, "island-times", entry("十二家被罚", act(Kind.FINE, "tencent", "xiaomi", count=12), language="zh"))
    assert await owed(world) == [("alert:RW-1001", "waived", "no firm named"), ("update:RW-1001:2", "owed", "")]


async def test_neither_a_name_nor_a_count_reaches_no_follower_of_a_firm(world: Store) -> None:
    await follow(world, "C1", "firm:tencent")
    await poll(world, "cac-news", entry("New rules", act(Kind.RULE)))
    assert await owed(world) == []


async def test_a_list_that_grows_reaches_those_it_now_names(world: Store) -> None:
    await follow(world, "C1", "firm:tencent")
    await follow(world, "C2", "firm:netease")
    await poll(world, "island-times", report())
    await poll(world, "cac-news", notice())
    assert [(row.channel_id, row.key) for row in await rows(world, Delivery)] == [
        (1, "alert:RW-1001"),
        (1, "update:RW-1001:2"),
        (2, "alert:RW-1001"),
    ]


async def test_a_case_known_only_from_a_digest_gets_its_card_at_the_next_move(world: Store) -> None:
    await follow(world, "C1", "firm:tencent")
    await poll(world, "island-times", report(waived="age"))
    await poll(world, "cac-news", notice())
    assert await owed(world) == [("alert:RW-1001", "waived", "age"), ("update:RW-1001:2", "owed", "")]


async def test_an_update_told_by_history_is_not_posted(world: Store) -> None:
    await follow(world, "C1", "firm:tencent")
    await poll(world, "island-times", report())
    await poll(world, "cac-news", notice(waived="first poll"))
    assert await owed(world) == [("alert:RW-1001", "owed", ""), ("update:RW-1001:2", "waived", "first poll")]


async def test_a_document_that_may_alert_makes_its_action_alert(world: Store) -> None:
    await follow(world, "C1", "firm:tencent")
    await poll(world, "cac-news", report(guid="en", waived="age"), notice())
    assert await owed(world) == [("alert:RW-1001", "owed", "")]


async def test_an_update_reaches_a_channel_whose_rule_does_not_pass_any_more(world: Store) -> None:
    """What a card shows must stay true."""
    await follow(world, "C1", "firm:tencent", filter="kind:fine")
    await poll(world, "cac-news", entry("A decision", act(Kind.FINE, "tencent"), guid="g1"))
    await reread(world, act(Kind.WARNING, "tencent"))
    assert [key for key, *_ in await owed(world)] == ["alert:RW-1001", "update:RW-1001:2"]


@pytest.mark.parametrize(
    ("broadcast", "then", "is_broadcast"),
    [
        (Broadcast.NEVER, Kind.BAN, False),
        (Broadcast.ESCALATION, Kind.BAN, True),
        (Broadcast.ESCALATION, Kind.TALKS, False),
        (Broadcast.ESCALATION, Kind.ANNULMENT, True),
        (Broadcast.ESCALATION, Kind.APPEAL, False),
        (Broadcast.ALL, Kind.TALKS, True),
    ],
)
async def test_which_developments_are_broadcast(world: Store, broadcast: Broadcast, then: Kind, is_broadcast: bool) -> None:
    await follow(world, "C1", "firm:tencent", broadcast=broadcast)
    await poll(world, "cac-news", entry("First", act(Kind.FINE, "tencent", number="A-1")))
    await poll(world, "cac-news", entry("Then", act(then, "tencent", number="A-1")))
    alert, update = sorted(await rows(world, Delivery), key=lambda row: row.id)
    assert (alert.is_broadcast, update.is_broadcast) == (False, is_broadcast)


async def test_a_correction_to_a_severer_kind_is_an_escalation(world: Store) -> None:
    await follow(world, "C1", "firm:tencent")
    await poll(world, "cac-news", entry("A decision", act(Kind.WARNING, "tencent"), guid="g1"))
    await reread(world, act(Kind.FINE, "tencent"))
    assert [row.is_broadcast for row in sorted(await rows(world, Delivery), key=lambda row: row.id)] == [False, True]


# --- notices to the operators -----------------------------------------------------------------------------------------


@pytest.fixture
async def operated(database_url: str, clock: FakeClock) -> Any:
    opened = Store(database_url, now=clock, operations=ChannelKey("T1", "COPS", "ops"))
    await furnish(opened)
    yield opened
    await opened.close()


async def test_a_source_that_stays_down_is_told_once_and_once_when_it_is_back(operated: Store, clock: FakeClock) -> None:
    down = {"is_good": False, "health": Health.BLOCKED, "notice": "cac-news is blocked: a challenge page", "detail": "a challenge page"}
    for _ in range(24):
        await poll(operated, "cac-news", **down)
        clock.forward(hours=1)
    await poll(operated, "cac-news", notice="cac-news is back")
    first, second = await rows(operated, Delivery)
    assert first.key == "notice:cac-news:blocked:2021-03-19T04:00:00+00:00"
    assert second.key == "notice:cac-news:ok:2021-03-20T04:00:00+00:00"
    assert (first.payload["text"], first.payload["source"]) == ("cac-news is blocked: a challenge page", "cac-news")


async def test_the_fuse_holds_the_source_and_tells_once(operated: Store, clock: FakeClock) -> None:
    for _ in range(2):
        await poll(operated, "cac-news", entry("Old", guid=str(clock())), hold="8 of 8 are old", notice="cac-news is held: 8 of 8 are old")
        clock.forward(hours=1)
    row = await source(operated, "cac-news")
    assert (row.mode, row.mode_reason) == (Mode.HELD, "8 of 8 are old")
    assert [row.key for row in await rows(operated, Delivery)] == ["notice:cac-news:held:2021-03-19T04:00:00+00:00"]


async def test_two_events_of_a_well_source_are_two_notices(operated: Store, clock: FakeClock) -> None:
    for _ in range(2):
        await poll(operated, "cac-news", notice="half of its guids changed")
        clock.forward(days=30)
    assert len(await rows(operated, Delivery)) == 2


async def test_without_an_operations_channel_nothing_is_owed(world: Store) -> None:
    await poll(world, "cac-news", notice="told to nobody")
    assert await owed(world) == []


# --- many -------------------------------------------------------------------------------------------------------------


async def test_a_first_poll_of_hundreds(world: Store) -> None:
    await follow(world, "C1", "firm:tencent")
    kinds = (Kind.FINE, Kind.WARNING, Kind.TALKS)
    entries = [
        entry(
            f"Notice {at}",
            act(kinds[at % 3], SIX[at % 6], f"Trader {at}", amounts=[money("1")]),
            guid=str(at),
            published=NOON - timedelta(days=at),
            waived="first poll",
        )
        for at in range(722)
    ]
    outcome = await poll(world, "cac-news", *entries)
    assert (outcome.new, outcome.actions, outcome.owed) == (722, 722, 0)
    assert len(await world.window("cac-news")) == 722
    assert len(await world.known("cac-news", guids=[str(at) for at in range(0, 722, 2)])) == 361
    again = await poll(world, "samr-en", *[replace(one, guid=f"x{one.guid}") for one in entries[:300]])
    assert again.new == 300


# --- pure -------------------------------------------------------------------------------------------------------------


def test_words_of_a_title_are_the_same_in_both_scripts() -> None:
    assert words("國家網信辦約談騰訊 (2021)") == words("国家网信办约谈腾讯（2021）")
    assert "约谈" in words("約談")
    assert words("") == frozenset()


def test_two_brands_of_one_owner_are_two_targets() -> None:
    one, other = (
        Shape(
            Kind.REMOVAL,
            frozenset(["cn-cac"]),
            None,
            NOON.date(),
            {"bytedance": brand},
            None,
            (title_of("App removed", "en", Tier.PRIMARY),),
        )
        for brand in ("tiktok", "douyin")
    )
    assert same_action(one, one)
    assert not same_action(one, other)


def test_a_date_that_is_no_day_is_no_proof() -> None:
    assert day_of(None, None, None) is None
    assert day_of(None, NOON, Precision.MONTH) is None
    assert day_of(None, NOON, Precision.DAY) == NOON.date()
    assert day_of(PartialDate(NOON.date(), Precision.YEAR), NOON, Precision.DAY) is None


def test_without_a_day_on_both_sides_only_a_number_joins() -> None:
    dated = Shape(Kind.FINE, frozenset(["cn-cac"]), None, NOON.date(), {"tencent": None}, None, ())
    assert same_action(dated, dated)
    assert same_action(dated, replace(dated, on=None)) is None
    assert same_action(replace(dated, on=None, number="A-1"), replace(dated, number="A-1"))


@pytest.mark.parametrize(
    ("known", "reading", "weight", "expected"),
    [
        pytest.param("2021-03-18", None, Weight.DECIDES, "2021-03-18", id="a notice without a date keeps the report's"),
        pytest.param("2021-03-18", "2021-03", Weight.DECIDES, "2021-03-18", id="the same date, less exact"),
        pytest.param("2021-03-18", "2021-04", Weight.DECIDES, "2021-04", id="another month, from the regulator"),
        pytest.param("2021-03-18", "2021-03-17", Weight.DECIDES, "2021-03-17", id="another day, from the regulator"),
        pytest.param("2021-03-18", "2021-03-17", Weight.FILLS, "2021-03-18", id="another day, from the press"),
        pytest.param("2021-03-18?", "2021-03-17", Weight.FILLS, "2021-03-17", id="a guess gives way to a statement"),
        pytest.param("2021-03-18?", "2021-03", Weight.FILLS, "2021-03-18", id="but not to a coarser one"),
        pytest.param("2021-03", "2021-03-18?", Weight.FILLS, "2021-03-18", id="a day is better than a month"),
        pytest.param(None, "2021", Weight.ADDS, "2021", id="any date is better than none"),
    ],
)
def test_which_date_an_action_keeps(known: str | None, reading: str | None, weight: Weight, expected: str) -> None:
    def state(on: str | None) -> State:
        found = act(Kind.FINE, on=on.removesuffix("?") if on else None)
        return State(Kind.FINE, Status.FINAL, None, found.decided_on, bool(on and on.endswith("?")), None, (), is_confirmed=True)

    assert str(merge(state(known), state(reading), weight).decided_on) == expected


def test_stretches_of_days_merge_and_are_bounded() -> None:
    days = [NOON.date() + timedelta(days=at) for at in (0, 2, 30)]
    assert [(last - first).days for first, last in spans(days)] == [8, 6]
    many = [NOON.date() + timedelta(days=30 * at) for at in range(100)]
    assert len(spans(many)) == 1
    assert spans([]) == ()


def test_readings_pair_with_the_best_fit_first() -> None:
    def shape(kind: Kind, name: str) -> Shape:
        return Shape(kind, frozenset(["cn-cac"]), None, NOON.date(), {name: None}, None, ())

    own = [shape(Kind.FINE, "tencent"), shape(Kind.FINE, "alibaba"), shape(Kind.TALKS, "xiaomi")]
    readings = [shape(Kind.FINE, "alibaba"), shape(Kind.WARNING, "xiaomi"), shape(Kind.FINE, "tencent"), shape(Kind.BAN, "netease")]
    assert pair_readings(readings, own) == {0: 1, 2: 0, 1: 2}


def test_an_annulled_action_stays_annulled() -> None:
    assert status_after(Kind.APPEAL, Kind.FINE, Status.ANNULLED) is Status.ANNULLED


def test_a_record_of_nothing_is_accepted_once() -> None:
    assert PollRecord("a", 1, NOON, 0.0, NOON, Health.OK).is_good


async def test_who_follows_while_a_poll_is_written_down_finds_its_act_among_what_is_known(postgres_url: str, clock: FakeClock) -> None:
    """Neither transaction sees what the other has not committed."""
    world, other = Store(postgres_url, now=clock), Store(postgres_url, now=clock)
    await furnish(world)
    notify, following = world._notify, []

    async def follow_meanwhile(*args: Any) -> None:  # after it is worked out
        intent = FollowIntent(ChannelKey("T1", "C1"), "U1", Followed.FIRM, "tencent")
        following.append(asyncio.create_task(other.follow(intent)))
        await asyncio.sleep(0.3)
        await notify(*args)

    world._notify = follow_meanwhile  # type: ignore[method-assign]
    assert (await poll(world, "cac-news", entry("Fined", act(Kind.FINE, "tencent")))).owed == 0
    (result,) = await asyncio.gather(*following)
    assert [action.title for action in result.last] == ["Fined"]
    await world.close()
    await other.close()
