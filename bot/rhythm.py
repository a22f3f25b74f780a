"""When a source publishes, and so when it is worth a look.

`learn` adds what one poll brought to a source's `Rhythm` (its table is the Store's), `rates` makes of it how often to
look in each hour of the week, `next_poll` the time of the next look, and `usual_silence` how long the source may show
nothing new. A week has as many looks as the fixed interval of the catalogue makes; they only stand where entries
appear. Pure: no I/O, no clock. `bot.poll` asks; `tests/benchmarks/bench_rhythm.py` holds the figures below against
recorded publications.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from storage.models import Precision
from storage.records import Rhythm

HOURS = 7 * 24
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)

MEMORY = 128
"""Appearances that are remembered: two or three for each hour of a working week; more told nothing more."""
LEAST = 5
"""Appearances below which the interval stays fixed."""
HALF_LIFE = 60
"""Days after which an appearance counts half against the newest: a new habit wins within a season."""
OFFICE_HOURS = range(8, 19)
PRIOR = 8.0
"""Appearances, mostly in the office hours of a working day, that are taken for granted of every source."""
OFF_HOURS = 1 / 3
"""What an hour outside counts in them against one inside. A smaller part gains a hundredth where there are office hours
and loses a tenth where there are none."""
NEAR = (1, 2, 3, 2, 1)
"""How an appearance counts for the hours around its own."""
WEEKDAY = 10.0
"""Appearances that must tell one working day from the others, or Saturday from Sunday, before the difference counts half."""
SHORTEST, LONGEST = 1 / 2, 3
"""Bounds of a wait, in fixed intervals. Half: twice as often as the catalogue allows is all that a host must bear
(engine.md, section 1.4); a third would cut the mean delay by a twentieth more and add a tenth to the 95th percentile.
Three times: a third of the rate is enough outside business hours (sources.md); four or six times gain nothing."""
QUICKEST = 5
"""Minutes: no wait is shorter (engine.md, section 1.4)."""

DAYS = 64
"""Days with an appearance that are remembered."""
GAPS = 20
"""Silences that must be known before they say what is usual: else the catalogue does."""
MARGIN = 2
"""A source is late after twice its longest remembered silence. Of 1,595 recorded silences in 38 source-years none was
too long by that and not for a fixed 30 days; by one and a half times, one was."""
HOLIDAYS = 10
"""Days of silence that are always allowed: the national holidays of October in China and Christmas to the New Year take nine."""
BACKFILL = timedelta(days=3)
"""What claims to be older than the last look by more than this was not published now: history that was put up later."""


def learn(
    rhythm: Rhythm,
    stamps: Iterable[tuple[datetime | None, Precision | None]],
    *,
    time_zone: str,
    since: datetime | None,
    now: datetime,
) -> Rhythm:
    """The rhythm with the new entries of one poll, told by their dates and how precise these are.

    What counts is when an entry could be seen, which is after `since`, the last good look. A clock time within that
    stretch is believed; else the middle of the stretch is taken, unless it is longer than a day. `since` is None for
    the first poll, of which nothing is known but clock times: these count unless they are midnight, or most of them
    one and the same, which is a date in a clock's clothes. Entries of one minute count once.
    """
    zone = ZoneInfo(time_zone)
    dated = [(at, precision) for at, precision in stamps if at is None or precision in (Precision.DAY, Precision.MINUTE)]
    if since is None:
        past = [(at, precision) for at, precision in dated if at is not None and at <= now]
        moments = _clock_times([at for at, precision in past if precision is Precision.MINUTE], zone)
        days = [at for at, _ in past]
    else:
        moments, days = [], []
        for at, precision in dated:
            if at is not None and at < since - BACKFILL:
                continue
            if at is not None and precision is Precision.MINUTE and since < at <= now:
                moments.append(at)
            elif now - since <= DAY:
                moments.append(since + (now - since) / 2)
            days.append(at if at is not None and at <= now else now)
    minutes = {*rhythm.minutes, *(int(at.timestamp()) // 60 for at in moments)}
    ordinals = {*rhythm.days, *(at.astimezone(zone).toordinal() for at in days)}
    return Rhythm(tuple(sorted(minutes)[-MEMORY:]), tuple(sorted(ordinals)[-DAYS:]))


def _clock_times(stamps: list[datetime], zone: ZoneInfo) -> list[datetime]:
    """Those of a first poll that may be believed."""
    local = [at.astimezone(zone) for at in stamps]
    clocks = Counter((at.hour, at.minute, at.second) for at in local)
    if max(clocks.values(), default=0) * 2 > len(local) >= LEAST:
        return []
    return [at for at in local if (at.hour, at.minute) != (0, 0) and at.astimezone(UTC).strftime("%H%M%S") != "000000"]


def next_poll(rhythm: Rhythm, now: datetime, poll_minutes: int, time_zone: str, stretch: float = 1.0) -> datetime:
    """When to look again: the time until which the rates add up to one look.

    `stretch` lengthens or shortens the wait. Without enough appearances it is `poll_minutes`. A wait is never outside
    SHORTEST and LONGEST intervals, and never longer than a day, but where the interval itself or the stretch is.
    """
    hours = rates(rhythm, poll_minutes, time_zone)
    if not hours:
        return now + timedelta(minutes=poll_minutes) * stretch
    zone, at, left = ZoneInfo(time_zone), now, stretch
    while True:
        local = at.astimezone(zone)
        rate = hours[local.weekday() * 24 + local.hour]
        # to the next full hour on the wall: a change of the clocks happens at one, and the hour is looked up anew
        rest = timedelta(hours=1) - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        looks = rate * (rest / timedelta(hours=1))
        if looks >= left:
            return at + timedelta(hours=left / rate)
        at, left = at + rest, left - looks


@lru_cache(maxsize=4096)
def rates(rhythm: Rhythm, poll_minutes: int, time_zone: str) -> tuple[float, ...]:
    """Looks an hour for each hour of the week, Monday 0:00 in the source's zone first; empty: too little is known.

    They add up to the week's looks at the fixed interval. What appears at a likelihood p in an hour with r looks waits
    1/(2r) on average, so the mean delay is least with r proportional to the square root of p, within the bounds.
    Cached, as most polls bring nothing and all of them ask.
    """
    if len(rhythm.minutes) < LEAST:
        return ()
    even = 60 / poll_minutes
    low = min(even, max(even / LONGEST, 1 / 24))
    high = max(even, min(even / SHORTEST, 60 / QUICKEST))
    wished = [one**0.5 for one in _likely(rhythm, ZoneInfo(time_zone))]
    few, many = 0.0, high / min(wished)
    for _ in range(32):  # halved so often, the sum is exact to a millionth
        factor = (few + many) / 2
        if sum(min(max(factor * one, low), high) for one in wished) > even * HOURS:
            many = factor
        else:
            few = factor
    return tuple(min(max(few * one, low), high) for one in wished)


def _likely(rhythm: Rhythm, zone: ZoneInfo) -> list[float]:
    """How likely an appearance is in each hour of the week, up to a factor.

    A working day borrows from the others, as most have one rhythm and none has many appearances; the weekend has its own.
    """
    expected = [1.0 if hour // 24 < 5 and hour % 24 in OFFICE_HOURS else OFF_HOURS for hour in range(HOURS)]
    likely = [PRIOR * one / sum(expected) for one in expected]
    on_day = [0.0] * 7
    at_hour = [[0.0] * 24, [0.0] * 24]  # of working days, of weekends
    for minute in rhythm.minutes:
        local = datetime.fromtimestamp(minute * 60, zone)
        weight = 0.5 ** ((rhythm.minutes[-1] - minute) / (HALF_LIFE * 24 * 60))
        on_day[local.weekday()] += weight
        for near, part in enumerate(NEAR, local.hour - len(NEAR) // 2):
            at_hour[local.weekday() >= 5][near % 24] += weight * part / sum(NEAR)
    for days, hours in zip((range(5), range(5, 7)), at_hour, strict=True):
        total = sum(hours)
        for day in days:
            share = (on_day[day] + WEEKDAY / len(days)) / (total + WEEKDAY)
            for hour, weight in enumerate(hours):
                likely[day * 24 + hour] += share * weight
    return likely


def usual_silence(rhythm: Rhythm, stale_after_days: int) -> int:
    """Days without anything new after which the source is late: at most the catalogue's, and its own where it is known well."""
    silences = [after - before for before, after in pairwise(rhythm.days)]
    if len(silences) < GAPS:
        return stale_after_days
    return min(stale_after_days, max(HOLIDAYS, MARGIN * max(silences)))
