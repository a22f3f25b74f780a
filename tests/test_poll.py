"""What a poll makes of what it finds: identity, silence, the fuse, the rhythm; and the whole way into a real database."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.feeds import Entry
from bot.feeds.fetch import Fetcher
from bot.feeds.identity import Arrival, Decision, decide
from bot.feeds.parse import parse_feed
from bot.poll import DAY, LEASE, Poller, health_of, next_poll_at, notice_for
from storage import StorageError, Store
from storage.intents import ChannelKey, Sent
from storage.models import Health, Mode, Precision
from storage.records import DueSource, KnownEntry, PollOutcome, PollRecord, Rhythm
from tests.fakes.clock import FakeClock
from tests.fakes.web import Answer, FakeWeb
from tests.fakes.world import ROW, World, item, read, rss

NOW = datetime(2021, 3, 19, 4, 0, tzinfo=UTC)


def due(**changed: object) -> DueSource:
    """A live source that has been read for a month."""
    source = DueSource(
        row=ROW,
        time_zone="UTC",
        mode=Mode.LIVE,
        lease_token=1,
        etag=None,
        last_modified=None,
        body_hash=None,
        failures=0,
        added_at=NOW - timedelta(days=30),
        is_seeded=True,
        health=Health.OK,
        health_since=NOW - timedelta(days=30),
        last_ok_at=NOW - timedelta(hours=1),
        last_new_at=NOW - timedelta(days=1),
        newest_published_at=NOW - timedelta(days=1),
    )
    return replace(source, **changed)  # type: ignore[arg-type]


def entry(
    title: str = "A notice",
    *,
    guid: str | None = None,
    link: str | None = None,
    text: str = "",
    at: datetime | None = NOW - timedelta(hours=1),
    precision: Precision = Precision.MINUTE,
    raw: str = "",
) -> Entry:
    """An entry; `raw` stands for its bytes (all fields, when empty)."""
    hash_ = raw or "|".join(map(str, (title, guid, link, text, at)))
    return Entry(hash_, guid, link, title, text, at, precision if at else None, None)


def arrivals(*entries: Entry, numbers: Sequence[str | None] = ()) -> list[Arrival]:
    found = [Arrival.of(one, "UTC") for one in entries]
    return [replace(one, number=number) for one, number in zip(found, numbers, strict=True)] if numbers else found


def known(number: int, one: Entry, *, is_in_window: bool = True, document_number: str | None = None, is_shared: bool = False) -> KnownEntry:
    """The stored document of an entry; `is_shared`: its address and title were no keys."""
    arrival = Arrival.of(one, "UTC")
    return KnownEntry(
        document_id=number,
        entry_hash=one.entry_hash if is_in_window else None,
        is_in_window=is_in_window,
        guids=frozenset({one.guid} if one.guid else ()),
        urls=frozenset({arrival.url} if arrival.url and not is_shared else ()),
        titles=frozenset({arrival.title} if arrival.title and not is_shared else ()),
        number=document_number,
        title=one.title,
        sha256=arrival.sha256,
        published_at=one.published_at,
    )


def decided(
    entries: Sequence[Entry],
    old: Sequence[KnownEntry] = (),
    *,
    standing: Sequence[Entry] = (),
    source: DueSource | None = None,
    **kw: object,
) -> Decision:
    """The decision over a body that holds the entries and those that stand as they did."""
    present = [one.entry_hash for one in (*entries, *standing)]
    return decide(arrivals(*entries, **kw), present, old, NOW, source or due())  # type: ignore[arg-type]


def shape(decision: Decision) -> tuple[int, int, int]:
    """New, edited, resighted."""
    return len(decision.new), len(decision.edited), len(decision.resighted)


# --- identity --------------------------------------------------------------------------------------------------

A = entry("Firm fined", guid="g1", link="https://body.example/1", text="It was fined.")
BARE = entry("Firm fined", link="https://body.example/1", text="It was fined.")

SAME_OR_NOT: list[tuple[str, Entry, Entry, tuple[int, int, int]]] = [
    ("another print of the same bytes' content is seen again", A, replace(A, entry_hash="x"), (0, 0, 1)),
    ("http and https twins are one", A, replace(A, entry_hash="x", link="http://body.example/1/?utm_source=rss#top"), (0, 0, 1)),
    (
        "http and https guids are one",
        entry("T", guid="http://body.example/1", at=None),
        entry("T", guid="https://body.example/1", at=None),
        (0, 0, 1),
    ),
    ("a changed text under one guid is an edit", A, replace(A, entry_hash="x", text="It was not fined."), (0, 1, 0)),
    ("a changed title under one guid and an unchanged date is an edit", A, replace(A, entry_hash="x", title="Firm cleared"), (0, 1, 0)),
    ("a new guid under one address and title is seen again", A, replace(A, entry_hash="x", guid="g2"), (0, 0, 1)),
    ("a new guid, one address, another title: new", A, replace(A, entry_hash="x", guid="g2", title="Bank summoned"), (1, 0, 0)),
    (
        "a re-dated page under one address is an update",
        A,
        replace(A, entry_hash="x", guid=None, published_at=NOW - timedelta(minutes=1)),
        (0, 1, 0),
    ),
    ("without guids, one address, one date, another title: an edit", BARE, replace(BARE, entry_hash="x", title="Bank summoned"), (0, 1, 0)),
    (
        "without guids, one address, another date, a similar title: an edit",
        BARE,
        replace(BARE, entry_hash="x", title="Firm fined (corrected)", published_at=NOW),
        (0, 1, 0),
    ),
    (
        "without guids, one address, another date, a strange title: new",
        BARE,
        replace(BARE, entry_hash="x", title="Bank summoned", published_at=NOW),
        (1, 0, 0),
    ),
    (
        "moved: same title and day, else all new, is seen again",
        A,
        replace(A, entry_hash="x", guid="g9", link="https://new.example/9"),
        (0, 0, 1),
    ),
    (
        "same title another day, all else new: new",
        A,
        replace(A, entry_hash="x", guid="g9", link="https://new.example/9", published_at=NOW + DAY),
        (1, 0, 0),
    ),
    ("a date that appears is an edit", entry("T", guid="g", at=None), entry("T", guid="g", at=NOW), (0, 1, 0)),
    ("a date that goes is none", entry("T", guid="g", at=NOW), entry("T", guid="g", at=None), (0, 0, 1)),
    ("no shared key: new", A, entry("Bank summoned", guid="g2", link="https://body.example/2"), (1, 0, 0)),
]


@pytest.mark.parametrize("is_in_window", [True, False], ids=["in the window", "long gone"])
@pytest.mark.parametrize(("old", "new", "expected"), [case[1:] for case in SAME_OR_NOT], ids=[case[0] for case in SAME_OR_NOT])
def test_which_document_an_entry_is(old: Entry, new: Entry, expected: tuple[int, int, int], is_in_window: bool) -> None:
    decision = decided([new], [known(7, old, is_in_window=is_in_window)])
    assert shape(decision) == expected
    assert all(placed.document_id == 7 for placed in decision.edited)
    assert all(sighting.document_id == 7 for sighting in decision.resighted)


def test_one_address_and_two_titles_in_one_poll_are_two_documents() -> None:
    first = entry("Bank A fined", link="https://body.example/list")
    second = entry("Bank B fined", link="https://body.example/list")
    together = decided([first, second])
    assert shape(together) == (2, 0, 0)
    assert [(placed.url, placed.title is not None) for placed in together.new] == [(None, True)] * 2
    later = decided([second], [known(1, first)], standing=[first])
    assert shape(later) == (1, 0, 0)
    assert later.new[0].url is None


def test_one_guid_for_a_whole_feed_is_no_key() -> None:
    pair = [entry(f"Bank {name} fined", guid="press", link=f"https://body.example/{name}") for name in "AB"]
    decision = decided(pair)
    assert [placed.guid for placed in decision.new] == [None, None]
    assert all(placed.url for placed in decision.new)


def test_an_entry_printed_twice_is_one_document() -> None:
    twice = [entry("T", guid="g", link="https://body.example/1", raw="a"), entry("T", guid="g", link="http://body.example/1", raw="b")]
    assert shape(decided(twice)) == (1, 0, 0)
    longer = replace(twice[1], text="with its text")
    assert decided([twice[0], longer]).new[0].arrival.entry.text == "with its text"
    # the second print stays a second print when the first was seen before
    assert shape(decided([twice[1]], [known(1, twice[0])], standing=[twice[0]])) == (0, 0, 0)


def test_nothing_at_all_is_no_entry() -> None:
    assert shape(decided([entry("", at=None, raw="a"), entry("", at=NOW, raw="b")])) == (0, 0, 0)


def test_a_document_is_one_entrys_at_most() -> None:
    old = entry("Weekly list", guid="g1", link="https://body.example/list")
    by_guid = entry("Weekly list, week 2", guid="g1", link="https://body.example/2")
    by_url = entry("Weekly list", link="https://body.example/list", at=NOW)
    decision = decided([by_url, by_guid], [known(5, old)])
    assert shape(decision) == (1, 1, 0)
    assert decision.edited[0].arrival.guid == "g1"


def test_two_numbers_are_two_documents_and_one_number_is_one() -> None:
    old = known(3, A, document_number="LR-1")
    twin_title = entry("Firm fined", guid="g2", link="https://body.example/2", text="Another.")
    assert shape(decided([twin_title], [old], numbers=["LR-2"])) == (1, 0, 0)
    assert shape(decided([twin_title], [old], numbers=["LR-1"])) == (0, 1, 0)
    reused_address = entry("Bank summoned", link="https://body.example/1", at=NOW)
    assert shape(decided([reused_address], [old], numbers=["LR-2"])) == (1, 0, 0)
    assert shape(decided([reused_address], [old], numbers=["LR-1"])) == (0, 1, 0)
    moved = entry("Firm is fined", guid="g8", link="https://body.example/8", at=NOW + DAY)
    assert shape(decided([moved], [old], numbers=["LR-1"])) == (0, 1, 0)
    unlike = entry("Annual report", guid="g8", link="https://body.example/8", at=NOW + DAY)
    assert shape(decided([unlike], [old], numbers=["LR-1"])) == (1, 0, 0)
    pair = [entry(f"Firm {name}", guid=name, link=f"https://body.example/{name}", at=NOW + DAY) for name in "xy"]
    assert shape(decided(pair, [old], numbers=["LR-1", "LR-1"])) == (2, 0, 0)


# --- silence ---------------------------------------------------------------------------------------------------

YESTERDAY, LONG_AGO = NOW - DAY, NOW - timedelta(days=15)
UNREAD = {"is_seeded": False, "last_ok_at": None, "added_at": NOW - timedelta(hours=3), "newest_published_at": None}

WAIVERS: list[tuple[str, dict[str, object], datetime | None, Precision, str]] = [
    ("fresh", {}, YESTERDAY, Precision.MINUTE, ""),
    ("undated counts as now", {}, None, Precision.MINUTE, ""),
    ("a date to come", {}, NOW + DAY, Precision.MINUTE, ""),
    ("older than 14 days", {}, LONG_AGO, Precision.MINUTE, "age"),
    ("14 days and an hour, to the minute", {}, NOW - timedelta(days=14, hours=1), Precision.MINUTE, "age"),
    ("14 days and an hour, to the day", {}, NOW - timedelta(days=14, hours=1), Precision.DAY, ""),
    ("this month", {}, datetime(2021, 3, 1, tzinfo=UTC), Precision.MONTH, ""),
    ("the first poll is silent", UNREAD, YESTERDAY, Precision.MINUTE, "first poll"),
    ("the first poll is silent, undated too", UNREAD, None, Precision.MINUTE, "first poll"),
    ("failures before it change nothing", UNREAD | {"failures": 5, "health": Health.ERROR}, NOW, Precision.MINUTE, "first poll"),
    ("after an empty first poll, news alerts", UNREAD | {"last_ok_at": NOW - timedelta(hours=1)}, NOW, Precision.MINUTE, ""),
    ("after an empty first poll, undated alerts", UNREAD | {"last_ok_at": NOW - timedelta(hours=1)}, None, Precision.MINUTE, ""),
    ("after an empty first poll, history is silent", UNREAD | {"last_ok_at": NOW}, YESTERDAY, Precision.MINUTE, "first poll"),
    ("after an empty first poll, the same day alerts", UNREAD | {"last_ok_at": NOW}, datetime(2021, 3, 19, tzinfo=UTC), Precision.DAY, ""),
    ("in shadow", {"mode": Mode.SHADOW}, NOW, Precision.MINUTE, "shadow"),
    ("held", {"mode": Mode.HELD}, NOW, Precision.MINUTE, "held"),
    ("held beats age", {"mode": Mode.HELD}, LONG_AGO, Precision.MINUTE, "held"),
    ("the first poll beats held", UNREAD | {"mode": Mode.HELD}, NOW, Precision.MINUTE, "first poll"),
]


@pytest.mark.parametrize(("source", "at", "precision", "expected"), [case[1:] for case in WAIVERS], ids=[case[0] for case in WAIVERS])
def test_who_may_alert(source: dict[str, object], at: datetime | None, precision: Precision, expected: str) -> None:
    decision = decided([entry("T", guid="g", at=at, precision=precision)], source=due(**source))
    assert [placed.waived for placed in decision.new] == [expected]


def test_an_action_in_an_old_edited_text_does_not_alert() -> None:
    old = replace(A, published_at=LONG_AGO)
    assert decided([replace(old, entry_hash="x", text="new words")], [known(1, old)]).edited[0].waived == "age"
    assert decided([replace(A, entry_hash="x", text="new words")], [known(1, A)]).edited[0].waived == ""
    held = decided([replace(A, entry_hash="x", text="new words")], [known(1, A)], source=due(mode=Mode.HELD))
    assert held.edited[0].waived == "held"


def batch(size: int, *, day: datetime | None = NOW, prefix: str = "n", title: str = "Notice") -> list[Entry]:
    return [
        entry(f"{title} {i}", guid=f"{prefix}{i}", link=f"https://body.example/{prefix}{i}", at=day, raw=f"{prefix}{i}")
        for i in range(size)
    ]


def test_undated_and_same_day_entries_are_all_delivered() -> None:
    same_day = [replace(one, published_precision=Precision.DAY) for one in batch(7, day=datetime(2021, 3, 19, tzinfo=UTC))]
    for entries in (batch(20, day=None), same_day, batch(20)):
        decision = decided(entries)
        assert decision.hold == ""
        assert [placed.waived for placed in decision.new] == [""] * len(entries)


def test_a_busy_day_does_not_trip_the_fuse() -> None:
    old = [known(i, one) for i, one in enumerate(batch(10, day=YESTERDAY, prefix="o", title="Older"))]
    assert decided(batch(300), old).hold == ""


@pytest.mark.parametrize("odd", ["known titles", "old dates"])
def test_a_rebuilt_source_trips_the_fuse(odd: str) -> None:
    old = [known(i, one) for i, one in enumerate(batch(20, day=None, prefix="o"))]
    if odd == "known titles":
        rebuilt = batch(4, day=NOW, prefix="r") + batch(4, day=NOW, prefix="x", title="Fresh")
    else:
        rebuilt = batch(4, day=NOW - timedelta(days=3), prefix="r", title="Other") + batch(4, prefix="x", title="Fresh")
    decision = decided(rebuilt, old)
    assert "4 of 8 new entries" in decision.hold
    assert "sources arm xx-news" in decision.hold
    assert {placed.waived for placed in decision.new} == {"fuse"}
    assert decided(rebuilt[1:], old).hold == ""
    assert decided(rebuilt, old, source=due(mode=Mode.HELD)).hold == ""
    assert decided(rebuilt, old, source=due(is_seeded=False)).hold == ""


def test_a_known_date_in_the_future_does_not_make_everything_old() -> None:
    assert decided(batch(9), source=due(newest_published_at=NOW + timedelta(days=300))).hold == ""


def test_thirty_old_entries_that_return_are_none_of_them_new() -> None:
    entries = batch(30, day=LONG_AGO)
    gone = [known(i, one, is_in_window=False) for i, one in enumerate(entries)]
    assert shape(decided(entries, gone)) == (0, 0, 30)


def test_guid_regeneration_is_no_alert_and_one_notice() -> None:
    entries = batch(12)
    old = [known(i, one) for i, one in enumerate(entries)]
    regenerated = [replace(one, guid=f"new-{one.guid}", entry_hash=f"new-{one.guid}") for one in entries]
    decision = decided(regenerated, old)
    assert shape(decision) == (0, 0, 12)
    assert "12 of 12 known entries changed their guid" in decision.hold
    assert {sighting.guid for sighting in decision.resighted} == {one.guid for one in regenerated}
    # less than half: said by nobody
    assert decided(regenerated[:5], old, standing=entries[5:]).hold == ""
    assert decided(regenerated[:6], old, standing=entries[6:]).hold != ""


def test_a_move_from_http_to_https_is_no_regeneration() -> None:
    entries = [replace(one, guid=f"http://body.example/{i}", link=f"http://body.example/{i}") for i, one in enumerate(batch(12))]
    old = [known(i, one) for i, one in enumerate(entries)]
    moved = [
        replace(one, guid=one.guid.replace("http:", "https:"), link=one.link.replace("http:", "https:"), entry_hash=f"s{one.entry_hash}")
        for one in entries
        if one.guid and one.link
    ]
    decision = decided(moved, old)
    assert (shape(decision), decision.hold) == ((0, 0, 12), "")


# --- when, and how it stands --------------------------------------------------------------------------------------

MINUTE = timedelta(minutes=1)


def wait(minutes: int = 60, **kw: object) -> timedelta:
    return next_poll_at("xx-news", minutes, NOW, **kw) - NOW  # type: ignore[arg-type]


def test_the_rhythm_has_a_jitter_of_a_tenth_that_stays_with_the_source() -> None:
    waits = [next_poll_at(f"source-{number}", 100, NOW) - NOW for number in range(300)]
    assert min(waits) >= 90 * MINUTE
    assert max(waits) <= 110 * MINUTE
    assert max(waits) - min(waits) > 15 * MINUTE
    assert wait() == wait()


@pytest.mark.parametrize(
    ("kw", "least", "most"),
    [
        ({}, 54 * MINUTE, 66 * MINUTE),
        ({"fresh_for": 5 * MINUTE}, 54 * MINUTE, 66 * MINUTE),
        ({"fresh_for": 180 * MINUTE}, 180 * MINUTE, 180 * MINUTE),
        ({"fresh_for": 90 * DAY}, DAY, DAY),
        ({"failures": 1}, 108 * MINUTE, 132 * MINUTE),
        ({"failures": 2}, 216 * MINUTE, 264 * MINUTE),
        ({"failures": 40}, 360 * MINUTE, 360 * MINUTE),
        ({"failures": 1, "retry_after": 300 * MINUTE}, 300 * MINUTE, 300 * MINUTE),
        ({"failures": 1, "retry_after": MINUTE}, 108 * MINUTE, 132 * MINUTE),
        ({"failures": 1, "is_blocked": True}, DAY, DAY),
        ({"minutes": 1440, "failures": 3}, 1296 * MINUTE, DAY),
    ],
    ids=str,
)
def test_when_to_look_again(kw: dict[str, object], least: timedelta, most: timedelta) -> None:
    assert least <= wait(**kw) <= most  # type: ignore[arg-type]


FRIDAYS = Rhythm(tuple(int((NOW - timedelta(weeks=n)).timestamp()) // 60 for n in range(40, 0, -1)))
"""At the same hour of the week as NOW, a Friday's early morning."""

WITH_RHYTHM = [
    ("where it publishes, twice as often", {}, 0, 27 * MINUTE, 33 * MINUTE),
    ("a failure doubles that wait", {"failures": 1}, 0, 54 * MINUTE, 66 * MINUTE),
    ("retry-after beats the rhythm", {"failures": 1, "retry_after": 100 * MINUTE}, 0, 100 * MINUTE, 100 * MINUTE),
    ("max-age beats the rhythm", {"fresh_for": 40 * MINUTE}, 0, 40 * MINUTE, 40 * MINUTE),
    ("a refusal waits a day", {"failures": 1, "is_blocked": True}, 0, DAY, DAY),
    ("where it does not, less often", {}, 30, 75 * MINUTE, 198 * MINUTE),
    ("a failure there waits longer still", {"failures": 1}, 30, 150 * MINUTE, 360 * MINUTE),
]


@pytest.mark.parametrize(("kw", "hours", "least", "most"), [case[1:] for case in WITH_RHYTHM], ids=[case[0] for case in WITH_RHYTHM])
def test_when_to_look_again_at_a_source_whose_rhythm_is_known(kw: dict[str, object], hours: int, least: timedelta, most: timedelta) -> None:
    now = NOW + timedelta(hours=hours)
    at = next_poll_at("xx-news", 60, now, rhythm=FRIDAYS, time_zone="America/New_York", **kw)  # type: ignore[arg-type]
    assert least <= at - now <= most


@given(
    st.integers(1, 10_080),
    st.integers(0, 10_000),
    st.booleans(),
    st.timedeltas(timedelta(), timedelta(days=400)),
    st.timedeltas(timedelta(), timedelta(days=400)),
    st.sampled_from([Rhythm(), FRIDAYS]),
)
def test_the_next_poll_is_always_ahead_and_within_a_day(
    minutes: int, failures: int, blocked: bool, fresh: timedelta, after: timedelta, rhythm: Rhythm
) -> None:
    at = next_poll_at("s", minutes, NOW, failures=failures, is_blocked=blocked, fresh_for=fresh, retry_after=after, rhythm=rhythm)
    assert NOW < at <= NOW + DAY
    more = next_poll_at("s", minutes, NOW, failures=failures + 1, is_blocked=blocked, fresh_for=fresh, retry_after=after, rhythm=rhythm)
    assert more >= at


DAILY = Rhythm((), tuple(day for day in range(737_000, 737_100) if day % 7 < 5))


@pytest.mark.parametrize(
    ("source", "newest", "has_new", "expected"),
    [
        ({}, NOW - timedelta(days=29), False, Health.OK),
        ({}, NOW - timedelta(days=31), False, Health.LATE),
        ({}, NOW - timedelta(days=31), True, Health.OK),
        ({"last_new_at": NOW - timedelta(days=40)}, None, False, Health.LATE),
        ({"last_new_at": None, "added_at": NOW}, None, False, Health.OK),
        ({"rhythm": DAILY}, NOW - timedelta(days=10), False, Health.OK),
        ({"rhythm": DAILY}, NOW - timedelta(days=11), False, Health.LATE),
        ({"rhythm": DAILY}, NOW - timedelta(days=11), True, Health.OK),
        ({"rhythm": DAILY, "row": replace(ROW, stale_after_days=5)}, NOW - timedelta(days=6), False, Health.LATE),
        ({"rhythm": Rhythm((), DAILY.days[-9:])}, NOW - timedelta(days=11), False, Health.OK),
    ],
)
def test_a_source_that_shows_nothing_new_for_too_long_is_late(
    source: dict[str, object], newest: datetime | None, has_new: bool, expected: Health
) -> None:
    health, detail = health_of(due(**source), newest, has_new, NOW)
    assert health is expected
    assert bool(detail) == (expected is Health.LATE)


@pytest.mark.parametrize(
    ("down_hours", "before", "after", "hold", "words"),
    [
        (2, Health.OK, Health.ERROR, "", ""),
        (23, Health.ERROR, Health.ERROR, "", ""),
        (25, Health.ERROR, Health.ERROR, "", "has not been well read for 25 hours: the words"),
        (25, Health.ERROR, Health.BLOCKED, "", "has not been well read for 25 hours"),
        (25, Health.BLOCKED, Health.OK, "", "is well read again, after 25 hours"),
        (25, Health.ERROR, Health.LATE, "", "is well read again"),
        (23, Health.BLOCKED, Health.OK, "", ""),
        (25, Health.OK, Health.OK, "", ""),
        (25, Health.LATE, Health.LATE, "", ""),
        (1, Health.OK, Health.OK, "rebuilt", "xx-news is held. rebuilt"),
    ],
)
def test_what_operators_are_told(down_hours: int, before: Health, after: Health, hold: str, words: str) -> None:
    source = due(last_ok_at=NOW - timedelta(hours=down_hours), health=before)
    told = notice_for(source, after, "the words", hold, NOW)
    assert words in told if words else told == ""


def test_an_outage_is_told_once_whatever_its_causes() -> None:
    source = due(last_ok_at=NOW - timedelta(hours=30), health=Health.ERROR)
    for last, told in ((NOW - timedelta(hours=7), True), (NOW - timedelta(hours=5), False)):
        for health in (Health.ERROR, Health.BLOCKED):
            assert bool(notice_for(replace(source, last_polled_at=last), health, "x", "", NOW)) is told


def test_a_source_that_was_never_read_is_down_since_it_was_added() -> None:
    assert "not been well read for 24 hours" in notice_for(due(last_ok_at=None, added_at=NOW - DAY), Health.ERROR, "x", "", NOW)


# --- the whole way -------------------------------------------------------------------------------------------------


@pytest.fixture
async def world(sqlite_store: Store, clock: FakeClock) -> AsyncIterator[World]:
    async with FakeWeb() as web, Fetcher(now=clock, allow=frozenset({web.host_port}), host_gap=timedelta()) as fetcher:
        yield World(sqlite_store, web, fetcher, clock)


def old(number: int) -> str:
    return item(number, at=datetime(2021, 3, 1, 12, tzinfo=UTC))


async def test_the_first_poll_is_silent_and_the_second_alerts(world: World) -> None:
    await world.add("/feed")
    first = await world.poll(rss(*map(old, range(5))))
    assert (first.health, first.is_good, first.entries, first.new, first.actions, first.owed) == (Health.OK, True, 5, 5, 5, 0)
    assert await world.alerts() == 0
    fresh = item(9, at=world.clock())
    second = await world.poll(rss(fresh, *map(old, range(5))))
    assert (second.entries, second.new, second.changed, second.actions, second.owed) == (6, 1, 0, 1, 1)
    assert await world.alerts() == 1
    third = await world.poll(rss(fresh, *map(old, range(5))))
    assert (third.new, third.changed, third.owed) == (0, 0, 0)


async def test_after_an_empty_first_poll_news_alerts(world: World) -> None:
    await world.add("/feed")
    empty = await world.poll(rss())
    assert (empty.health, empty.is_good, empty.entries) == (Health.OK, True, 0)
    line = await world.poll(rss(item(1, at=world.clock()), old(2)))
    assert (line.new, line.owed) == (2, 1)
    assert await world.alerts() == 1


async def test_a_poll_teaches_when_the_source_publishes(world: World) -> None:
    await world.add("/feed", poll_minutes=10)
    dated = [item(n, at=datetime(2021, 3, 10 - n, 14, 5 + n, tzinfo=UTC)) for n in range(6)]
    first = rss(*dated)
    await world.poll(Answer(first, etag='"1"'))
    (source,) = await world.store.due_sources(1, MINUTE, ["xx-feed"], ignore_due=True)
    await world.store.release("xx-feed", source.lease_token)
    assert source.rhythm.minutes == tuple(int(datetime(2021, 3, 10 - n, 14, 5 + n, tzinfo=UTC).timestamp()) // 60 for n in range(5, -1, -1))
    undated, seen = rss(item(9), *dated), world.clock()
    await world.poll(undated)
    await world.poll(Answer(b"", status=304))
    (source,) = await world.store.due_sources(1, MINUTE, ["xx-feed"], ignore_due=True)
    assert source.rhythm.minutes[-1] == int((seen + 30 * MINUTE).timestamp()) // 60  # between two looks an hour apart
    assert len(source.rhythm.days) == 7
    # in New York it is one o'clock in the morning: the next look is later than the fixed interval would have it
    (view,) = await world.store.sources()
    assert view.next_poll_at > world.clock() + 12 * MINUTE


async def test_a_poll_that_trips_the_fuse_teaches_nothing(world: World) -> None:
    await world.add("/feed")
    await world.poll(rss(*map(old, range(20))))
    before = (await world.store.due_sources(1, MINUTE, ["xx-feed"], ignore_due=True))[0]
    await world.store.release("xx-feed", before.lease_token)
    rebuilt = [
        item(n, f"Firm{n} was fined", guid=f"new{n}", link=f"https://body.example/new/{n}", at=world.clock() - n * MINUTE)
        for n in range(16)
    ]
    await world.poll(rss(*rebuilt))
    (after,) = await world.store.due_sources(1, MINUTE, ["xx-feed"], ignore_due=True)
    assert (after.mode, after.rhythm) == (Mode.HELD, before.rhythm)


async def test_validators_and_body_hash_spare_the_work(world: World) -> None:
    await world.add("/feed")
    body = rss(*map(old, range(3)))
    await world.poll(Answer(body, etag='"1"'))
    assert (await world.poll(Answer(body, etag='"1"'))).is_good
    assert world.web.requests[-1].headers["If-None-Match"] == '"1"'
    line = await world.poll(Answer(body))
    assert (line.is_good, line.entries, line.new) == (True, 0, 0)


BAD: list[tuple[str, Answer, Health]] = [
    ("broken XML", Answer(b'<?xml version="1.0"?><rss version="2.0"><channel><title>T</ti'), Health.ERROR),
    ("a page in place of the feed", Answer(b"<!doctype html><html><title>All new</title><p>Hi</html>"), Health.CHANGED_LAYOUT),
    ("a challenge in place of the feed", Answer(b"<html><title>Access Denied</title></html>"), Health.BLOCKED),
    ("JSON in place of the feed", Answer(b'{"items": []}'), Health.CHANGED_LAYOUT),
    ("an empty body", Answer(b""), Health.EMPTY),
    ("a feed that lost its entries", Answer(rss()), Health.EMPTY),
    ("200 MB", Answer(b"<rss>", megabytes=200), Health.ERROR),
    ("a gzip bomb", Answer(b"", megabytes=64, is_bomb=True), Health.ERROR),
    ("a redirect to the inside", Answer(redirect="http://169.254.169.254/"), Health.ERROR),
    ("gone", Answer(b"", status=410), Health.ERROR),
]


@pytest.mark.parametrize(("answer", "health"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
async def test_bad_input_is_a_state_and_the_last_good_one_stays(world: World, answer: Answer, health: Health) -> None:
    await world.add("/feed")
    good = rss(*map(old, range(3)))
    await world.poll(Answer(good, etag='"1"'))
    bad = await world.poll(answer)
    assert (bad.health, bad.is_good, bad.new) == (health, False, 0)
    assert len(bad.detail) > 20
    (view,) = await world.store.sources()
    assert (view.health, view.documents) == (health, 3)
    again = await world.poll(rss(item(7, at=world.clock()), *map(old, range(3))))
    assert (again.health, again.new, again.owed) == (Health.OK, 1, 1)


async def test_fewer_entries_than_expected_is_a_changed_layout(world: World) -> None:
    await world.add("/feed", min_entries=3)
    assert (await world.poll(rss(*map(old, range(3))))).is_good
    line = await world.poll(rss(old(1), old(2)))
    assert (line.health, line.is_good) == (Health.CHANGED_LAYOUT, False)
    assert "2 entries where at least 3" in line.detail


async def test_a_source_that_vanishes_and_returns_with_its_old_entries(world: World) -> None:
    await world.add("/feed")
    await world.poll(rss(*map(old, range(30))))
    await world.poll(Answer(b"", status=404))
    await world.poll(rss(old(99)))
    back = await world.poll(rss(*map(old, range(30))))
    assert (back.new, back.changed, back.owed) == (0, 0, 0)
    reprinted = await world.poll(rss(*(old(i).replace("<item>", "<item >") for i in range(30))))
    assert (reprinted.entries, reprinted.new, reprinted.changed, reprinted.owed) == (30, 0, 0, 0)
    assert await world.alerts() == 0


async def test_an_edit_in_place_is_stored_over_the_old_text(world: World) -> None:
    await world.add("/feed")
    await world.poll(rss(old(1)))
    line = await world.poll(rss(item(1, "Firm1 was warned", at=datetime(2021, 3, 1, 12, tzinfo=UTC))))
    assert (line.new, line.changed) == (0, 1)
    (view,) = await world.store.sources()
    assert view.documents == 1


async def test_http_https_twin_guids_alert_nobody(world: World) -> None:
    await world.add("/feed")

    def feed(scheme: str) -> bytes:
        return rss(
            *(item(i, guid=f"{scheme}://body.example/{i}", link=f"{scheme}://body.example/{i}", at=world.clock.at) for i in range(12))
        )

    world.clock.forward(hours=1)
    plain, secure = feed("http"), feed("https")
    await world.poll(plain)
    for body in (secure, plain, secure):
        line = await world.poll(body)
        assert (line.new, line.changed, line.owed) == (0, 0, 0)
    (view,) = await world.store.sources()
    assert (view.mode, view.documents) == (Mode.LIVE, 12)


async def test_guid_regeneration_holds_the_source_and_alerts_nobody(world: World) -> None:
    await world.add("/feed")
    await world.poll(rss(*(item(i, at=world.clock()) for i in range(12))))
    line = await world.poll(rss(*(item(i, guid=f"new{i}", at=world.clock() - timedelta(hours=1)) for i in range(12))))
    assert (line.new, line.owed) == (0, 0)
    (view,) = await world.store.sources()
    assert view.mode is Mode.HELD
    assert "changed their guid" in view.mode_reason
    held = await world.poll(rss(item(50, at=world.clock())))
    assert (held.new, held.owed) == (1, 0)


async def test_two_entries_with_one_address_are_two_documents(world: World) -> None:
    await world.add("/feed")
    await world.poll(rss(old(1)))
    pair = [item(i, at=world.clock(), link="https://body.example/list") for i in (2, 3)]
    line = await world.poll(rss(*pair, old(1)))
    assert (line.new, line.owed) == (2, 2)
    again = await world.poll(rss(*pair, old(1), item(4, at=world.clock())))
    assert again.new == 1


async def test_five_thousand_entries(world: World) -> None:
    await world.add("/feed")
    line = await world.poll(rss(*(item(i, f"Notice {i}") for i in range(5000))))
    assert (line.entries, line.new, line.is_good) == (5000, 5000, True)
    again = await world.poll(rss(*(item(i, f"Notice {i}") for i in range(5001))))
    assert (again.entries, again.new, again.owed) == (5001, 1, 0)


async def test_a_text_that_the_reader_fails_on_hurts_no_other_and_comes_again(world: World, caplog: pytest.LogCaptureFixture) -> None:
    await world.add("/feed")
    await world.poll(Answer(rss(old(1)), etag='"1"'))
    bad, fine = item(2, "Unreadable: unreadable", at=world.clock()), item(3, at=world.clock())
    line = await world.poll(Answer(rss(bad, fine, old(1)), etag='"2"'))
    assert (line.health, line.new, line.owed) == (Health.ERROR, 1, 1)
    assert "1 entries could not be read" in line.detail
    assert "the reader stumbles" in caplog.text
    await world.poll(Answer(rss(bad, fine, old(1)), etag='"2"'))
    assert "If-None-Match" not in world.web.requests[-1].headers
    assert caplog.text.count("RuntimeError: the") == 2


async def test_one_source_in_trouble_hurts_no_other(world: World, caplog: pytest.LogCaptureFixture) -> None:
    await world.add("/a", "/b", "/c")
    world.web.put("/a", Answer(b"", status=500))
    world.web.put("/b", Answer(rss(old(1))))
    world.web.put("/c", Answer(b"<rss><chan"))
    world.clock.forward(hours=1)
    with caplog.at_level(logging.INFO, "regwatch.poll"):
        summary = await world.poller.run_once()
    assert {line.source: line.health for line in summary.lines} == {"xx-a": Health.ERROR, "xx-b": Health.OK, "xx-c": Health.ERROR}
    assert (summary.polled, summary.owed) == (3, 0)
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 3
    assert any(line.startswith("poll source=xx-b health=ok entries=1 new=1 changed=0 actions=1 seconds=") for line in told)
    assert (await world.poller.run_once()).polled == 0
    world.clock.forward(minutes=67)
    assert (await world.poller.run_once()).polled == 1  # the failed ones wait longer
    world.clock.forward(hours=2)
    assert (await world.poller.run_once()).polled == 3


async def test_only_the_due_of_the_named(world: World) -> None:
    await world.add("/a", "/b")
    for path in ("/a", "/b"):
        world.web.put(path, Answer(rss(old(1))))
    world.clock.forward(hours=1)
    done: list[str] = []
    assert [line.source for line in await world.poller.poll(["xx-b"], on_done=lambda line: done.append(line.source))] == ["xx-b"]
    assert [line.source for line in await world.poller.poll(["xx-b", "xx-a"], only_due=True)] == ["xx-a"]
    assert [line.source for line in await world.poller.poll(["xx-b", "xx-a"])] == ["xx-b", "xx-a"]
    assert done == ["xx-b"]


async def test_a_stop_gives_the_leases_back(world: World) -> None:
    await world.add("/feed")
    world.web.put("/feed", Answer(rss(old(1)), delay=60))
    world.clock.forward(hours=1)
    task = asyncio.create_task(world.poller.run_once())
    await world.web.arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    world.web.put("/feed", Answer(rss(old(1))))
    assert (await world.poller.run_once()).polled == 1


async def test_a_stop_breaks_the_fetch_off_and_begins_no_other(world: World) -> None:
    """The first source hangs, the second waits for its turn at the host: both are due as before, and another process reads them."""
    await world.add("/feed", "/next")
    for path in ("/feed", "/next"):
        world.web.put(path, Answer(rss(old(1)), delay=60))
    world.clock.forward(hours=1)
    task = asyncio.create_task(world.poller.run_once())
    await world.web.arrived.wait()
    world.poller.stop()
    assert (await asyncio.wait_for(task, 5)).polled == 0
    assert (await world.poller.run_once()).polled == 0  # and there is no later round
    for path in ("/feed", "/next"):
        world.web.put(path, Answer(rss(old(1))))
    other = Poller(world.store, world.poller._fetcher, read, now=world.clock)
    assert sorted(line.source for line in (await other.run_once()).lines) == ["xx-feed", "xx-next"]


async def test_a_stop_lets_what_is_being_written_down_be_written(migrated_sqlite: Path, tmp_path: Path, clock: FakeClock) -> None:
    """The poll is on record once, with what it owes; nothing is read again for the stop's sake."""
    shutil.copy(migrated_sqlite, tmp_path / "regwatch.sqlite")
    store = Waiting(f"sqlite:///{tmp_path}/regwatch.sqlite", now=clock)
    store.began, store.may_write = asyncio.Event(), asyncio.Event()
    async with FakeWeb() as web, Fetcher(now=clock, allow=frozenset({web.host_port}), host_gap=timedelta()) as fetcher:
        world = World(store, web, fetcher, clock)
        await world.add("/feed")
        web.put("/feed", Answer(rss(old(1))))
        clock.forward(hours=1)
        task = asyncio.create_task(world.poller.run_once())
        await store.began.wait()
        world.poller.stop()
        await asyncio.sleep(0)
        store.may_write.set()
        (line,) = (await asyncio.wait_for(task, 5)).lines
        assert (line.is_good, line.new) == (True, 1)
        assert await store.due_sources(1, LEASE) == ()
    await store.close()


async def test_the_source_of_a_killed_process_is_taken_over_after_its_lease(store: Store, clock: FakeClock) -> None:
    """On both databases: nobody else polls it before; whoever comes first after it does, and finds all that was not written."""
    async with FakeWeb() as web, Fetcher(now=clock, allow=frozenset({web.host_port}), host_gap=timedelta()) as fetcher:
        world = World(store, web, fetcher, clock)
        await world.add("/feed")
        web.put("/feed", Answer(rss(old(1))))
        clock.forward(hours=1)
        (lost,) = await store.due_sources(1, LEASE)  # and its process is killed
        clock.forward(seconds=LEASE.total_seconds() - 1)
        assert (await world.poller.run_once()).polled == 0
        clock.forward(seconds=1)
        (line,) = (await world.poller.run_once()).lines
        assert (line.source, line.new) == (lost.row.id, 1)


@pytest.fixture
async def watched_store(migrated_sqlite: Path, tmp_path: Path, clock: FakeClock) -> AsyncIterator[Store]:
    """A store with an operations channel."""
    shutil.copy(migrated_sqlite, tmp_path / "regwatch.sqlite")
    opened = Store(f"sqlite:///{tmp_path}/regwatch.sqlite", now=clock, operations=ChannelKey("T1", "C-ops", "ops"))
    yield opened
    await opened.close()


async def test_operators_hear_of_an_outage_once_and_of_its_end_once(watched_store: Store, clock: FakeClock) -> None:
    async with FakeWeb() as web, Fetcher(now=clock, allow=frozenset({web.host_port}), host_gap=timedelta()) as fetcher:
        world, store = World(watched_store, web, fetcher, clock), watched_store
        await world.add("/feed")
        answers = [Answer(rss(old(1)))] + [Answer(b"", status=500)] * 30 + [Answer(rss(old(1), old(2)))] * 2
        told = []
        for answer in answers:
            await world.poll(answer)
            while claimed := await store.claim(50, timedelta(minutes=1)):
                told += [(one.kind, one.notice) for one in claimed]
                for one in claimed:
                    assert await store.settle(one.id, one.token, Sent("1.1"))
                clock.forward(seconds=2)
    assert [kind for kind, _ in told] == ["notice", "notice"]
    assert "has not been well read for 24 hours" in told[0][1]["text"]
    assert "is well read again" in told[1][1]["text"]


async def test_recorded_history_is_silent(world: World, shared: Path) -> None:
    await world.add("/feed")
    snapshots = sorted((shared / "recorded" / "us-ag-mn").glob("*.xml"))
    first = await world.poll(snapshots[0].read_bytes())
    assert (first.entries, first.new, first.owed) == (722, 722, 0)
    (view,) = await world.store.sources()
    assert view.mode is Mode.LIVE
    for snapshot in snapshots[1:]:
        line = await world.poll(snapshot.read_bytes())
        assert line.is_good
    (view,) = await world.store.sources()
    assert view.mode is Mode.LIVE
    titles = set()
    for snapshot in snapshots:
        parsed = parse_feed(snapshot.read_bytes(), "text/xml", "https://body.example/feed")
        titles |= {(one.link, one.title) for one in getattr(parsed, "entries", ())}
    assert abs(view.documents - len(titles)) <= 3


class Waiting(Store):
    """A store that waits before it writes a poll down."""

    began: asyncio.Event
    may_write: asyncio.Event

    async def record_poll(self, record: PollRecord) -> PollOutcome:
        self.began.set()
        await self.may_write.wait()
        return await super().record_poll(record)


class Stumbling(Store):
    """A store that cannot write down the next polls."""

    stumbles: list[Exception]

    async def record_poll(self, record: PollRecord) -> PollOutcome:
        if self.stumbles:
            raise self.stumbles.pop()
        return await super().record_poll(record)


@pytest.mark.parametrize(
    ("stumbles", "words", "polled_after"),
    [
        ([KeyError("a bug")], "a fault of Regwatch (KeyError)", timedelta(hours=3)),
        ([StorageError("gone"), StorageError("gone")], "nothing was written", LEASE + timedelta(minutes=1)),
    ],
    ids=["a bug is recorded as an error", "a database that is away leaves the lease to run out"],
)
async def test_a_poll_that_cannot_be_recorded_is_repeated(
    migrated_sqlite: Path, tmp_path: Path, clock: FakeClock, stumbles: list[Exception], words: str, polled_after: timedelta
) -> None:
    shutil.copy(migrated_sqlite, tmp_path / "regwatch.sqlite")
    store = Stumbling(f"sqlite:///{tmp_path}/regwatch.sqlite", now=clock)
    store.stumbles = stumbles
    async with FakeWeb() as web, Fetcher(now=clock, allow=frozenset({web.host_port}), host_gap=timedelta()) as fetcher:
        world = World(store, web, fetcher, clock)
        await world.add("/feed")
        line = await world.poll(rss(old(1)))
        assert (line.is_good, line.new) == (False, 0)
        assert words in line.detail
        clock.forward(seconds=polled_after.total_seconds())
        (line,) = (await world.poller.run_once()).lines
        assert (line.is_good, line.new) == (True, 1)
    await store.close()


async def test_a_lease_that_was_lost_writes_nothing(world: World) -> None:
    await world.add("/feed")
    world.web.put("/feed", Answer(rss(old(1)), delay=0.2))
    world.clock.forward(hours=1)
    slow = asyncio.create_task(world.poller.poll(["xx-feed"]))
    await world.web.arrived.wait()
    world.clock.forward(seconds=LEASE.total_seconds() + 60)
    (taken,) = await world.store.due_sources(1, timedelta(minutes=10))
    (line,) = await slow
    assert (line.is_good, line.new) == (False, 0)
    assert "another process took it over" in line.detail
    await world.store.release("xx-feed", taken.lease_token)
    assert (await world.poll(rss(old(1)))).new == 1


async def test_a_source_that_is_looked_at_again_alerts_of_nothing_that_was_known_or_is_old(world: World) -> None:
    """A backfill: the same bytes are looked at once more; what was missed so far is taken in, and old."""
    await world.add("/feed")
    first = rss(*(item(at, at=world.clock() - timedelta(days=at)) for at in range(1, 4)))
    await world.poll(first)
    assert await world.store.look_again("xx-feed", "mei")
    line = await world.poll(first)
    assert (line.entries, line.new, line.changed, line.owed) == (3, 0, 0, 0)
    missed = rss(*(item(at, at=world.clock() - timedelta(days=at)) for at in range(1, 4)), item(9, at=world.clock() - timedelta(days=40)))
    assert await world.store.look_again("xx-feed", "mei")
    line = await world.poll(missed)
    assert (line.new, line.owed, line.waived) == (1, 0, 1)
    assert await world.alerts() == 0
