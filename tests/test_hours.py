"""Quiet hours on the wall clocks of channels. When a digest is due is told in test_outbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from storage.hours import quiet_until

NEW_YORK, TAIPEI = "America/New_York", "Asia/Taipei"

NIGHTS = [
    ("before they begin", "2021-03-19T13:59Z", TAIPEI, "22:00", "07:00", None),
    ("the minute they begin", "2021-03-19T14:00Z", TAIPEI, "22:00", "07:00", "2021-03-19T23:00Z"),
    ("past midnight, begun the day before", "2021-03-19T18:00Z", TAIPEI, "22:00", "07:00", "2021-03-19T23:00Z"),
    ("the minute they end", "2021-03-19T23:00Z", TAIPEI, "22:00", "07:00", None),
    ("within one day", "2021-03-19T04:30Z", TAIPEI, "12:00", "13:00", "2021-03-19T05:00Z"),
    ("within one day, the day after", "2021-03-19T05:00Z", TAIPEI, "12:00", "13:00", None),
    ("until midnight", "2021-03-19T15:00Z", TAIPEI, "22:00", "00:00", "2021-03-19T16:00Z"),
    ("from midnight", "2021-03-19T16:00Z", TAIPEI, "00:00", "06:00", "2021-03-19T22:00Z"),
    ("an odd offset", "2021-03-19T18:00Z", "Asia/Kathmandu", "22:00", "07:00", "2021-03-20T01:15Z"),
    ("spring: the night is an hour shorter", "2021-03-14T04:00Z", NEW_YORK, "22:00", "07:00", "2021-03-14T11:00Z"),
    ("spring: they end at a time that is left out", "2021-03-14T06:30Z", NEW_YORK, "22:00", "02:30", "2021-03-14T07:00Z"),
    ("spring: they begin at a time that is left out", "2021-03-14T06:59Z", NEW_YORK, "02:30", "07:00", None),
    ("spring: and so at the end of the gap", "2021-03-14T07:00Z", NEW_YORK, "02:30", "07:00", "2021-03-14T11:00Z"),
    ("spring: they lie in the gap alone", "2021-03-14T07:00Z", NEW_YORK, "02:15", "02:45", None),
    ("autumn: the night is an hour longer", "2021-11-07T03:00Z", NEW_YORK, "22:00", "07:00", "2021-11-07T12:00Z"),
    ("autumn: a time that comes twice ends them at its last", "2021-11-07T05:40Z", NEW_YORK, "22:00", "01:30", "2021-11-07T06:30Z"),
    ("autumn: and not before", "2021-11-07T06:29Z", NEW_YORK, "22:00", "01:30", "2021-11-07T06:30Z"),
    ("autumn: a time that comes twice begins them at its first", "2021-11-07T05:30Z", NEW_YORK, "01:30", "07:00", "2021-11-07T12:00Z"),
    ("autumn: and they hold when the clock was put back", "2021-11-07T06:10Z", NEW_YORK, "01:30", "07:00", "2021-11-07T12:00Z"),
    ("autumn: one night runs into the next", "2021-11-07T05:10Z", NEW_YORK, "01:30", "01:00", "2021-11-08T06:00Z"),
    ("spring: a shift of half an hour", "2021-10-02T12:00Z", "Australia/Lord_Howe", "22:00", "07:00", "2021-10-02T20:00Z"),
    ("autumn: a shift of half an hour", "2021-04-03T12:00Z", "Australia/Lord_Howe", "22:00", "07:00", "2021-04-03T20:30Z"),
    ("autumn: past the midnight that comes twice", "2021-04-04T03:30Z", "America/Santiago", "22:00", "07:00", "2021-04-04T11:00Z"),
    ("a day that the zone left out", "2011-12-30T09:00Z", "Pacific/Apia", "22:00", "07:00", "2011-12-30T17:00Z"),
    ("none set", "2021-03-19T18:00Z", TAIPEI, None, None, None),
    ("no time at all", "2021-03-19T18:00Z", TAIPEI, "07:00", "07:00", None),
]


@pytest.mark.parametrize(("now", "zone", "begin", "end", "until"), [case[1:] for case in NIGHTS], ids=[case[0] for case in NIGHTS])
def test_when_quiet_hours_end(now: str, zone: str, begin: str | None, end: str | None, until: str | None) -> None:
    assert quiet_until(datetime.fromisoformat(now), zone, begin, end) == (datetime.fromisoformat(until) if until else None)


ZONES = ("UTC", TAIPEI, NEW_YORK, "Europe/London", "Australia/Lord_Howe", "America/Santiago", "Asia/Kathmandu", "Pacific/Apia")
MOMENTS = st.datetimes(datetime(2011, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
CLOCK = st.times().map(lambda at: f"{at:%H:%M}")


@given(MOMENTS, CLOCK, CLOCK, st.sampled_from(ZONES))
def test_nobody_is_disturbed_while_the_clock_shows_quiet_hours_and_all_end_within_a_day_or_so(
    now: datetime, begin: str, end: str, zone: str
) -> None:
    assume(begin != end)
    until = quiet_until(now, zone, begin, end)
    shown = f"{now.astimezone(ZoneInfo(zone)):%H:%M}"
    is_shown = begin <= shown < end if begin < end else shown >= begin or shown < end
    assert until is not None or not is_shown
    if until is not None:
        assert now < until <= now + timedelta(days=2, hours=2)
        assert quiet_until(until, zone, begin, end) is None
        assert quiet_until(until - timedelta(seconds=1), zone, begin, end) == until
