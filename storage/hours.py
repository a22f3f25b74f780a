"""The wall clocks of channels: when a digest is due, when quiet hours end. Pure: `now` and the zone are given.

`subscriptions` and `digests` reckon by it when a digest comes, `owing` and `channels` what quiet hours hold.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def next_digest_at(after: datetime, at: str, zone: str, days: str) -> datetime:
    """The first digest time after an instant: `at` (HH:MM) in the zone, on weekdays or daily. Aware UTC.

    A local time that a spring gap leaves out is the first instant after the gap; one that an autumn night has
    twice is its first occurrence, and only that.
    """
    tz = ZoneInfo(zone)
    day = after.astimezone(tz).date() - timedelta(days=1)  # a zone may have skipped a day
    while True:
        if days == "daily" or day.weekday() < 5:
            found = _instant(day, at, tz)
            if found > after:
                return found
        day += timedelta(days=1)


def quiet_until(now: datetime, zone: str, quiet_from: str | None, quiet_to: str | None) -> datetime | None:
    """When the quiet hours that hold now end; None: none hold. `quiet_from` and `quiet_to` are HH:MM in the zone, aware UTC comes out.

    They may pass midnight. Nobody is disturbed while a wall clock shows quiet hours: where an autumn night has a time
    twice, they begin at its first occurrence and end at its last; a time that a spring gap leaves out is the end of the gap.
    """
    if not quiet_from or not quiet_to or quiet_from == quiet_to:
        return None
    tz = ZoneInfo(zone)
    until = None
    while end := _night_of(until or now, tz, quiet_from, quiet_to):
        until = end  # an autumn night that is an hour longer may reach into the next quiet hours
    return until


def _night_of(at: datetime, tz: ZoneInfo, quiet_from: str, quiet_to: str) -> datetime | None:
    today = at.astimezone(tz).date()
    for back in (-1, 0, 1, 2):  # a zone may have skipped a day
        day = today - timedelta(days=back)
        last = day if quiet_from < quiet_to else day + timedelta(days=1)
        end = _instant(last, quiet_to, tz, fold=1)
        if _instant(day, quiet_from, tz) <= at < end:
            return end
    return None


def _instant(day: date, at: str, tz: ZoneInfo, fold: int = 0) -> datetime:
    """When a wall clock of the zone shows this time (for the last time: fold 1), or jumps over it."""
    local = datetime.combine(day, time.fromisoformat(at))
    shown = local.replace(tzinfo=tz, fold=fold).astimezone(UTC)
    if shown.astimezone(tz).replace(tzinfo=None) == local:
        return shown
    # in a gap the two folds lie on both sides of the jump
    before, after = (local.replace(tzinfo=tz, fold=side).astimezone(UTC) for side in (1, 0))
    offset = before.astimezone(tz).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        if middle.astimezone(tz).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)
