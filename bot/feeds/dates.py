"""Dates as regulators print them, never more precise than the text and never guessed.

A day without a time is a day where the regulator sits. Its instant here is the first moment at which that day
has begun both there and in UTC, so that neither reader sees the day before or after. A naive time is local. A
printed offset is kept: "yesterday" in a story of 07:30 in Taipei is not that of Greenwich.
Whatever can mean two days (`10/07/2019`) is refused, unless the weekday or the source's own format settles it:
a wrong date on a card is worse than none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo

Precise = Literal["year", "month", "day", "minute"]
"""How exactly a date is known: the values of `storage.models.Precision`, which a parser child does without."""


class UnreadableDate(ValueError):
    """The text names no day, or could mean two. The message says which."""


_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january januar janvier janv gennaio gen enero ene janeiro januari jänner",
            "feb february februar février fevrier févr fevr febbraio febrero fevereiro fev februari",
            "mar march märz marz maerz mrz mars marzo março marco maart mrt",
            "apr april avril avr aprile abril abr",
            "may mai maggio mag mayo maio mei maj",
            "jun june juni juin giugno giu junio junho",
            "jul july juli juillet juil luglio lug julio julho",
            "aug august août aout agosto ago augustus augusti",
            "sep sept september septembre settembre set septiembre setembro setiembre",
            "oct october oktober okt octobre ottobre ott octubre outubro out",
            "nov november novembre noviembre novembro",
            "dec december dezember dez décembre decembre déc dicembre dic diciembre dezembro",
        ),
        start=1,
    )
    for name in names.split()
}
_WEEKDAYS = {"mon": 0, "tue": 1, "wed": 2, "thu": 3, "fri": 4, "sat": 5, "sun": 6}
_ERAS = {"令和": 2018, "平成": 1988, "昭和": 1925, "中華民國": 1911, "中华民国": 1911, "民國": 1911, "民国": 1911}
_REGIONS = {"ET": "America/New_York", "CT": "America/Chicago", "MT": "America/Denver", "PT": "America/Los_Angeles"}
_OFFSETS = {
    "Z": 0, "UT": 0, "UTC": 0, "GMT": 0, "WET": 0,
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "BRT": -3,
    "BST": 1, "WEST": 1, "CET": 1, "MEZ": 1, "CEST": 2, "MESZ": 2, "EET": 2, "SAST": 2, "EEST": 3, "MSK": 3,
    "HKT": 8, "SGT": 8, "AWST": 8, "JST": 9, "KST": 9, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13,
}  # fmt: skip

_TIME = re.compile(
    r"(?P<before>上午|下午|오전|오후)?\s*(?<!\d)(?P<hour>\d{1,2})\s*[:时時点點시]\s*(?P<minute>\d{2})\s*[分분]?"
    r"(?:\s*[:.]?\s*(?P<second>\d{2})(?:[.,]\d+)?\s*[秒초]?)?(?!\d)\s*(?P<after>[ap]\.?m\.?(?![a-z]))?",
    re.IGNORECASE,
)
_OFFSET = re.compile(r"(?:GMT|UTC)?\s*([+-])(\d{1,2}):?(\d{2})?(?!\d)", re.IGNORECASE)
_D, _Y = r"(?P<d>\d{1,2})", r"(?P<y>\d{4})"
_WORD = r"(?P<month>[^\W\d_]{3,})\.?"
_SHAPES = tuple(
    re.compile(shape)
    for shape in (
        rf"{_Y}\s*[-/.]\s*(?P<m>\d{{1,2}})\s*[-/.]\s*{_D}\.?",
        rf"{_Y}(?P<m>\d{{2}})(?P<d>\d{{2}})",
        rf"{_Y}\s*[年년]\s*(?P<m>\d{{1,2}})\s*[月월]\s*{_D}\s*[日일号號]?",
        rf"(?P<era>{'|'.join(_ERAS)})\s*(?P<of>元|\d{{1,3}})\s*年\s*(?P<m>\d{{1,2}})\s*月\s*{_D}\s*日",
        rf"{_D}(?:st|nd|rd|th|er|º|\.)?[\s-]*(?:de\s+|of\s+)?{_WORD}[\s,-]*(?:de\s+)?(?P<y>\d{{4}}|\d{{2}})",
        rf"{_WORD}\s*{_D}(?:st|nd|rd|th)?[\s,]+{_Y}",
        rf"{_Y}\s*[-/.]\s*(?P<m>\d{{1,2}})\.?",
        rf"{_Y}\s*[年년]\s*(?P<m>\d{{1,2}})\s*[月월]",
        rf"{_WORD}[\s,-]*(?:de\s+)?{_Y}",
        _Y + r"\s*[年년]?",
    )
)
_DOTTED = re.compile(rf"{_D}\.\s*(?P<m>\d{{1,2}})\.\s*(?P<y>\d{{4}}|\d{{2}})")
_TWO_WAYS = re.compile(r"(\d{1,2})\s*[/-]\s*(\d{1,2})\s*[/-]\s*(\d{4})")
_ROC = re.compile(r"(\d{2,3})\s*[./年-]\s*(\d{1,2})\s*[./月-]\s*(\d{1,2})\s*日?")


def read_date(text: str, zone: tzinfo, date_format: str = "") -> tuple[datetime, Precise]:
    """The instant (in UTC) and the precision of a printed date; `zone` is the source's.

    `date_format` is the catalogue's: strptime patterns (they settle which of two numbers is the day), `roc`,
    `epoch-seconds`. Raises UnreadableDate.
    """
    cleaned = " ".join(unicodedata.normalize("NFKC", text).replace("−", "-").split())
    if not cleaned or len(cleaned) > 100:
        raise UnreadableDate("no date in it")
    if "epoch-seconds" in date_format and re.fullmatch(r"\d{9,11}", cleaned):
        return datetime.fromtimestamp(int(cleaned), UTC), "minute"
    clock = _TIME.search(cleaned)
    rest = cleaned[clock.end() :] if clock else ""
    # asctime prints the year last: Mon Jul 27 15:30:00 EST 2026
    late_year = re.search(r"(?:^|\s)(\d{4})$", rest)
    if late_year:
        rest = rest[: late_year.start()]
    words = (cleaned[: clock.start()] if clock else cleaned) + (f" {late_year[1]}" if late_year else "")
    day, precision = _day(words, date_format)
    if clock is None or precision != "day":
        return at_day(day, zone), precision
    try:
        local = datetime.combine(day, _clock(clock))
        if clock["hour"] == "24":
            local += timedelta(days=1)
        return local.replace(tzinfo=_zone(rest, local, zone)), "minute"
    except (ValueError, OverflowError) as error:
        raise UnreadableDate(f"no time of day in {cleaned!r}") from error


def at_day(day: date, zone: tzinfo) -> datetime:
    """The first instant at which it is that day both in the zone and in UTC."""
    midnight = datetime.combine(day, time())
    try:
        return max(midnight.replace(tzinfo=zone).astimezone(UTC), midnight.replace(tzinfo=UTC))
    except OverflowError as error:
        raise UnreadableDate(f"no such day: {day}") from error


def _day(words: str, date_format: str) -> tuple[date, Precise]:
    weekday, core = None, words
    head = re.match(r"([^\W\d_]{2,})\.?\s*,?\s+(?=\S)", core)
    if head and head[1].lower() not in _MONTHS:
        weekday = _WEEKDAYS.get(head[1].lower()[:3])
        core = core[head.end() :]
    core = re.sub(r"\([^)]*\)|星期.|周[一二三四五六日天]", "", core)
    core = re.sub(r"(?:\s+(?:at|à|um|alle|a las)|(?<=\d)T|[\s,|@;·–-])+$", "", core, flags=re.IGNORECASE).strip(" ,;")
    if "roc" in date_format and (roc := _ROC.fullmatch(core)):
        return _date(int(roc[1]) + 1911, int(roc[2]), int(roc[3]), words), "day"
    if two := _TWO_WAYS.fullmatch(core):
        return _settle(int(two[1]), int(two[2]), int(two[3]), weekday, date_format, words), "day"
    for shape in (*_SHAPES, _DOTTED):
        found = shape.fullmatch(core)
        if found:
            parts = found.groupdict()
            year, month = _year(parts), _month(parts)
            precision: Precise = "day"
            if month is None:
                if parts.get("month"):
                    continue
                return _date(year, 1, 1, words), "year"
            if not parts.get("d"):
                precision = "month"
            return _date(year, month, int(parts.get("d") or 1), words), precision
    raise UnreadableDate(f"cannot read {words!r}")


def _year(parts: dict[str, str | None]) -> int:
    if era := parts.get("era"):
        return _ERAS[era] + (1 if parts["of"] == "元" else int(parts["of"] or 0))
    digits = parts["y"] or ""
    return int(digits) if len(digits) == 4 else int(digits) + (2000 if int(digits) < 70 else 1900)


def _month(parts: dict[str, str | None]) -> int | None:
    if word := parts.get("month"):
        return _MONTHS.get(word.lower())
    return int(parts["m"] or 0) if parts.get("m") else None


def _date(year: int, month: int, day: int, words: str) -> date:
    try:
        # years no calendar of ours reaches stand for none, and have no instant in every zone
        return date(year if 1000 < year < 9000 else 0, month, day)
    except ValueError as error:
        raise UnreadableDate(f"no such day: {words!r}") from error


def _settle(first: int, second: int, year: int, weekday: int | None, date_format: str, words: str) -> date:
    """Which of two numbers is the day: what the source's format says, what is possible, what the weekday fits."""
    orders = {pattern.index("%d") < pattern.index("%m") for pattern in date_format.split("|") if "%d" in pattern and "%m" in pattern}
    ways = [(first, second), (second, first)]
    if len(orders) == 1:
        ways = [ways[0] if orders.pop() else ways[1]]
    possible = set(_possible(ways, year))
    if len(possible) > 1 and weekday is not None:
        possible = {day for day in possible if day.weekday() == weekday}
    if len(possible) == 1:
        return possible.pop()
    raise UnreadableDate(f"{words!r} could be two days" if possible else f"no such day: {words!r}")


def _possible(ways: list[tuple[int, int]], year: int) -> Iterator[date]:
    for day, month in ways:
        try:
            yield date(year, month, day)
        except ValueError:
            continue


def _clock(found: re.Match[str]) -> time:
    hour, minute, half = int(found["hour"]), int(found["minute"]), (found["before"] or found["after"] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            # a 24-hour clock with a needless PM; midnight as 0 AM
            half = ""
        elif half[0] in "p下" or half == "오후":
            hour = hour % 12 + 12
        else:
            hour %= 12
    # 24:00 ends the day, and a leap second is as good as the one before it
    return time(0 if (hour, minute) == (24, 0) else hour, minute, min(int(found["second"] or 0), 59))


def _zone(rest: str, local: datetime, source: tzinfo) -> tzinfo:
    """The zone behind a time. A name that the source's own place uses wins: CST is China's time in Beijing."""
    rest = rest.strip(" ,;-–|") if not _OFFSET.match(rest.strip()) else rest.strip()
    if numeric := _OFFSET.match(rest):
        minutes = int(numeric[2]) * 60 + int(numeric[3] or 0)
        return timezone(timedelta(minutes=-minutes if numeric[1] == "-" else minutes))
    name = re.match(r"\(?([A-Za-z]{1,5})\b", rest)
    if name is None or local.replace(tzinfo=source).tzname() == name[1].upper():
        return source
    if region := _REGIONS.get(name[1].upper()):
        return ZoneInfo(region)
    offset = _OFFSETS.get(name[1].upper())
    return source if offset is None else timezone(timedelta(hours=offset))
