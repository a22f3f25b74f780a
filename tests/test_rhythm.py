"""A source's rhythm: what is learned from a poll, where the looks of a week stand, and when silence is too long."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rhythm import DAYS, HOURS, LEAST, MEMORY, learn, next_poll, rates, usual_silence
from storage.models import Precision
from storage.records import Rhythm

MONDAY = datetime(2021, 3, 15, tzinfo=UTC)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
NEW_YORK, BEIJING, DUBLIN, HOWE = "America/New_York", "Asia/Shanghai", "Europe/Dublin", "Australia/Lord_Howe"


def appeared(*at: datetime) -> Rhythm:
    return Rhythm(tuple(sorted(int(one.timestamp()) // 60 for one in at)))


def every_working_day(hour: int, weeks: int = 8, first: datetime = MONDAY) -> Rhythm:
    """At that hour of UTC."""
    days = (first + timedelta(weeks=week, days=day) for week in range(weeks) for day in range(5))
    return appeared(*(day + timedelta(hours=hour, minutes=20) for day in days))


def walk(rhythm: Rhythm, start: datetime, end: datetime, minutes: int, zone: str) -> list[datetime]:
    looks = [start]
    while looks[-1] < end:
        looks.append(next_poll(rhythm, looks[-1], minutes, zone))
    return looks[:-1]


# --- what is learned ----------------------------------------------------------------------------------------------

SINCE, NOW = datetime(2021, 3, 19, 3, 0, tzinfo=UTC), datetime(2021, 3, 19, 4, 0, tzinfo=UTC)
TODAY, YESTERDAY = datetime(2021, 3, 18, 16, 0, tzinfo=UTC), datetime(2021, 3, 17, 16, 0, tzinfo=UTC)  # days in Beijing
HALF_PAST = datetime(2021, 3, 19, 3, 30, tzinfo=UTC)
EXACT = SINCE + 7 * MINUTE

LIVE: list[tuple[str, datetime | None, Precision | None, datetime, datetime | None]] = [
    ("a clock time since the last look is believed", EXACT, Precision.MINUTE, SINCE, EXACT),
    ("midnight too, where it may be true", TODAY, Precision.MINUTE, TODAY - 20 * MINUTE, TODAY),
    ("a clock time before the last look is when it was written, not shown", SINCE - MINUTE, Precision.MINUTE, SINCE, HALF_PAST),
    ("a clock time to come is none", NOW + HOUR, Precision.MINUTE, SINCE, HALF_PAST),
    ("a day says nothing of the hour", TODAY, Precision.DAY, SINCE, HALF_PAST),
    ("a day may be yesterday's", YESTERDAY, Precision.DAY, SINCE, HALF_PAST),
    ("no date at all", None, None, SINCE, HALF_PAST),
    ("what was put up later is no news", NOW - 30 * DAY, Precision.DAY, SINCE, None),
    ("what was put up later is no news, to the minute", NOW - 30 * DAY, Precision.MINUTE, SINCE, None),
    ("a month is no date", datetime(2021, 3, 1, tzinfo=UTC), Precision.MONTH, SINCE, None),
    ("after an outage the middle says nothing", None, None, NOW - 2 * DAY, None),
    ("after an outage a clock time still does", EXACT, Precision.MINUTE, NOW - 2 * DAY, EXACT),
]


@pytest.mark.parametrize(("at", "precision", "since", "expected"), [case[1:] for case in LIVE], ids=[case[0] for case in LIVE])
def test_when_a_new_entry_appeared(at: datetime | None, precision: Precision | None, since: datetime, expected: datetime | None) -> None:
    rhythm = learn(Rhythm(), [(at, precision)], time_zone=BEIJING, since=since, now=max(NOW, since))
    assert rhythm.minutes == (() if expected is None else appeared(expected).minutes)


def test_a_day_is_the_sources_own() -> None:
    late = datetime(2021, 3, 19, 17, 0, tzinfo=UTC)
    learned = [learn(Rhythm(), [(None, None)], time_zone=zone, since=late - HOUR, now=late).days for zone in (BEIJING, NEW_YORK)]
    assert learned == [(date(2021, 3, 20).toordinal(),), (date(2021, 3, 19).toordinal(),)]


def test_an_outage_of_ours_is_no_silence_of_theirs() -> None:
    stamps = [(TODAY - n * DAY, Precision.DAY) for n in range(6)]
    rhythm = learn(Rhythm(), stamps, time_zone=BEIJING, since=NOW - 6 * DAY, now=NOW)
    assert [after - before for before, after in pairwise(rhythm.days)] == [1] * 5
    assert rhythm.minutes == ()


def clocks(*at: datetime, precision: Precision = Precision.MINUTE) -> list[tuple[datetime, Precision]]:
    return [(one, precision) for one in at]


FIRST: list[tuple[str, list[tuple[datetime, Precision]], int, int]] = [
    ("nothing", [], 0, 0),
    ("clock times of all ages", clocks(*(EXACT - n * (DAY + HOUR) for n in range(40))), 40, 40),
    ("days tell days only", clocks(*(TODAY - n * DAY for n in range(9)), precision=Precision.DAY), 0, 9),
    ("months tell nothing", clocks(TODAY, precision=Precision.MONTH), 0, 0),
    ("one clock time for all is a date", clocks(*(EXACT - n * DAY for n in range(9))), 0, 9),
    ("for most, too", clocks(*(EXACT - n * DAY for n in range(5)), *(NOW - n * HOUR for n in range(4))), 0, 5),
    ("two clock times that both are usual are believed", clocks(*(one - n * DAY for n in range(5) for one in (EXACT, SINCE))), 10, 5),
    ("midnight is a date, there or in UTC", clocks(TODAY, datetime(2021, 3, 18, tzinfo=UTC), EXACT), 1, 2),
    ("what is to come has not appeared", clocks(NOW + HOUR), 0, 0),
    ("a bundle of one minute counts once", clocks(EXACT, EXACT, EXACT), 1, 1),
]


@pytest.mark.parametrize(("stamps", "minutes", "days"), [case[1:] for case in FIRST], ids=[case[0] for case in FIRST])
def test_what_a_first_poll_teaches(stamps: list[tuple[datetime, Precision]], minutes: int, days: int) -> None:
    rhythm = learn(Rhythm(), stamps, time_zone=BEIJING, since=None, now=NOW)
    assert (len(rhythm.minutes), len(rhythm.days)) == (minutes, days)


def test_the_newest_are_remembered() -> None:
    rhythm = Rhythm()
    for hour in range(DAYS * 24 + 100):
        now = NOW + hour * HOUR
        rhythm = learn(rhythm, [(now, Precision.MINUTE)], time_zone="UTC", since=now - HOUR, now=now)
    assert (len(rhythm.minutes), len(rhythm.days)) == (MEMORY, DAYS)
    assert rhythm.minutes[-1] == int(now.timestamp()) // 60
    assert rhythm.days[-1] == now.toordinal()
    assert learn(rhythm, [], time_zone="UTC", since=now, now=now + HOUR) == rhythm


# --- where the looks stand ----------------------------------------------------------------------------------------

ZONES = st.sampled_from(["UTC", NEW_YORK, BEIJING, DUBLIN, HOWE, "Asia/Kathmandu", "America/St_Johns"])
MOMENTS = st.timedeltas(timedelta(), timedelta(days=3650)).map(lambda since: MONDAY + since)
RHYTHMS = st.one_of(
    st.lists(MOMENTS, max_size=20).map(lambda found: appeared(*found)),
    st.builds(
        lambda first, gap, times: appeared(*(first + gap * n for n in range(times))),
        MOMENTS,
        st.sampled_from([timedelta(weeks=1), DAY, HOUR, 7 * HOUR, 13 * MINUTE]),
        st.integers(LEAST, MEMORY),
    ),
)
INTERVALS = st.sampled_from([1, 5, 7, 10, 15, 30, 60, 120, 240, 720])


@given(RHYTHMS, MOMENTS, st.integers(1, 10_080), ZONES, st.floats(0.9, 1.1))
def test_a_wait_has_bounds(rhythm: Rhythm, now: datetime, minutes: int, zone: str, stretch: float) -> None:
    wait = (next_poll(rhythm, now, minutes, zone, stretch) - now) / MINUTE / stretch
    fixed = minutes
    assert min(fixed, max(5, fixed / 2)) * 0.999 <= wait <= max(fixed, min(24 * 60, 3 * fixed)) * 1.001


@given(RHYTHMS, MOMENTS, st.timedeltas(timedelta(), DAY), INTERVALS, ZONES)
def test_who_looks_later_is_asked_back_later(rhythm: Rhythm, now: datetime, later: timedelta, minutes: int, zone: str) -> None:
    assert next_poll(rhythm, now, minutes, zone) <= next_poll(rhythm, now + later, minutes, zone) + timedelta(microseconds=10)


@given(RHYTHMS, MOMENTS, INTERVALS, ZONES)
def test_a_week_has_as_many_looks_as_at_the_fixed_interval(rhythm: Rhythm, now: datetime, minutes: int, zone: str) -> None:
    hours = rates(rhythm, minutes, zone)
    if hours:
        assert len(hours) == HOURS
        assert sum(hours) == pytest.approx(7 * 24 * 60 / minutes)
    if minutes >= 60:  # the smaller ones take long to walk
        looks = walk(rhythm, now, now + timedelta(weeks=4), minutes, zone)
        assert len(looks) == pytest.approx(4 * 7 * 24 * 60 / minutes, rel=0.05)


@pytest.mark.parametrize("known", range(LEAST))
def test_as_long_as_little_is_known_the_interval_is_fixed(known: int) -> None:
    rhythm = appeared(*(MONDAY + n * DAY for n in range(known)))
    assert next_poll(rhythm, NOW, 60, BEIJING) == NOW + HOUR
    assert next_poll(rhythm, NOW, 60, BEIJING, 1.1) == NOW + 66 * MINUTE


CHANGES = [
    ("spring in New York", datetime(2021, 3, 14, 4, 30, tzinfo=UTC), NEW_YORK),
    ("autumn in New York", datetime(2021, 11, 7, 3, 30, tzinfo=UTC), NEW_YORK),
    ("spring in Dublin, where winter is the exception", datetime(2021, 3, 27, 23, 30, tzinfo=UTC), DUBLIN),
    ("autumn in Dublin", datetime(2021, 10, 30, 23, 30, tzinfo=UTC), DUBLIN),
    ("half an hour on Lord Howe, forth", datetime(2021, 10, 2, 12, 30, tzinfo=UTC), HOWE),
    ("half an hour on Lord Howe, back", datetime(2021, 4, 3, 12, 30, tzinfo=UTC), HOWE),
]


@pytest.mark.parametrize(("evening", "zone"), [case[1:] for case in CHANGES], ids=[case[0] for case in CHANGES])
def test_the_night_when_the_clocks_change(evening: datetime, zone: str) -> None:
    looks = walk(every_working_day(14), evening, evening + DAY, 15, zone)
    waits = [after - before for before, after in pairwise(looks)]
    assert all(timedelta(minutes=7) < wait <= timedelta(minutes=45) for wait in waits)
    usual = walk(every_working_day(14), evening - timedelta(weeks=1), evening - timedelta(days=6), 15, zone)
    assert abs(len(looks) - len(usual)) <= 3


def share(hours: Sequence[float], days: range, clock: range) -> float:
    """The part of the looks that falls to those hours, against their part of the week."""
    inside = [hours[day * 24 + hour % 24] for day in days for hour in clock]
    return sum(inside) / sum(hours) * HOURS / len(inside)


def test_the_hours_are_those_of_the_wall_and_follow_it_over_the_year() -> None:
    """A source that comes out at 10:20 in New York does so in winter and in summer, an hour apart in UTC."""
    winter = every_working_day(15, 4, datetime(2021, 2, 1, tzinfo=UTC))
    summer = every_working_day(14, 4, datetime(2021, 3, 15, tzinfo=UTC))
    hours = rates(Rhythm((*winter.minutes, *summer.minutes)), 60, NEW_YORK)
    assert hours[10] == max(hours)
    before, after = datetime(2021, 3, 10, 15, tzinfo=UTC), datetime(2021, 3, 17, 14, tzinfo=UTC)
    both = Rhythm((*winter.minutes, *summer.minutes))
    assert next_poll(both, before, 60, NEW_YORK) - before == next_poll(both, after, 60, NEW_YORK) - after


def test_office_hours_in_beijing_are_watched_there() -> None:
    rhythm = appeared(*(MONDAY + timedelta(days=n % 5 + n // 5 * 7, hours=1 + n % 9) for n in range(60)))  # 9 to 18 h there
    assert share(rates(rhythm, 30, BEIJING), range(5), range(9, 18)) > 1.8
    assert share(rates(rhythm, 30, BEIJING), range(5), range(20, 30)) < 0.7
    assert share(rates(rhythm, 30, NEW_YORK), range(5), range(9, 15)) < 1.2


def test_a_weekly_source_is_watched_at_its_hour() -> None:
    hours = rates(appeared(*(MONDAY + timedelta(weeks=n, days=5, hours=21, minutes=n) for n in range(50))), 60, "UTC")
    assert share(hours, range(5, 6), range(20, 23)) == pytest.approx(2)  # the most there is
    assert share(hours, range(5), range(20, 23)) < 0.8


def test_a_source_that_never_sleeps_is_watched_evenly() -> None:
    hours = rates(appeared(*(MONDAY + n * (7 * HOUR + 11 * MINUTE) for n in range(MEMORY))), 60, "UTC")
    assert min(hours) > 0.8
    assert max(hours) < 1.3


def test_a_source_of_the_night_outweighs_what_is_taken_for_granted() -> None:
    hours = rates(appeared(*(MONDAY + n * DAY + timedelta(hours=23, minutes=n) for n in range(30))), 60, "UTC")
    assert share(hours, range(7), range(22, 25)) > 1.4 * share(hours, range(7), range(8, 19))


def test_old_habits_fade() -> None:
    mornings = every_working_day(8, 10)
    evenings = every_working_day(18, 10, MONDAY + timedelta(weeks=40))
    hours = rates(Rhythm((*mornings.minutes, *evenings.minutes)), 60, "UTC")
    assert share(hours, range(5), range(17, 20)) > 1.2 * share(hours, range(5), range(7, 10))
    # the newest decide by themselves, however long ago: a silence makes nobody forget
    assert rates(Rhythm(tuple(one - 10**6 // 10_080 * 10_080 for one in evenings.minutes)), 60, "UTC") == rates(evenings, 60, "UTC")


# --- silence ------------------------------------------------------------------------------------------------------


def published(*gaps: int) -> Rhythm:
    days = [date(2021, 1, 4).toordinal()]
    for gap in gaps:
        days.append(days[-1] + gap)
    return Rhythm((), tuple(days))


WEEK = (1, 1, 1, 1, 3)

SILENCES: list[tuple[str, Rhythm, int, int]] = [
    ("nothing known: the catalogue's", Rhythm(), 30, 30),
    ("a few silences say nothing yet", published(*WEEK * 3, *WEEK[:4]), 30, 30),
    ("working days: the longest holidays are allowed", published(*WEEK * 4), 30, 10),
    ("a holiday that was seen is allowed twice", published(*WEEK * 4, 9, *WEEK), 30, 18),
    ("weekly", published(*(7,) * 20), 60, 14),
    ("irregular: twice the longest", published(*WEEK * 4, 13), 90, 26),
    ("never more than the catalogue allows", published(*(40,) * 30), 30, 30),
    ("nor where that is less than a holiday", published(*WEEK * 4), 7, 7),
]


@pytest.mark.parametrize(("rhythm", "stale_after", "expected"), [case[1:] for case in SILENCES], ids=[case[0] for case in SILENCES])
def test_how_long_a_source_may_be_silent(rhythm: Rhythm, stale_after: int, expected: int) -> None:
    assert usual_silence(rhythm, stale_after) == expected
