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
from functools import cache
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
            "jan january januar janvier janv gennaio gen enero ene janeiro januari jänner stycznia ocak ledna",
            "feb february februar février fevrier févr fevr febbraio febrero fevereiro fev februari lutego şubat února",
            "mar march märz marz maerz mrz mars marzo março marco maart mrt marca mart marts března",
            "apr april avril avr aprile abril abr kwietnia nisan dubna",
            "may mai maggio mag mayo maio mei maj maja mayıs května",
            "jun june juni juin giugno giu junio junho czerwca haziran června",
            "jul july juli juillet juil luglio lug julio julho lipca temmuz července",
            "aug august août aout agosto ago augustus augusti sierpnia ağustos srpna",
            "sep sept september septembre settembre set septiembre setembro setiembre września eylül září",
            "oct october oktober okt octobre ottobre ott octubre outubro out października ekim října",
            "nov november novembre noviembre novembro listopada kasım listopadu",
            "dec december dezember dez décembre decembre déc dicembre dic diciembre dezembro grudnia aralık prosince desember",
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
_ERA = _SHAPES[3]
_TWO_WAYS = re.compile(r"(\d{1,2})\s*[/-]\s*(\d{1,2})\s*[/-]\s*(\d{4})")
_ROC = re.compile(r"(?<!\d)(\d{2,3})\s*[./年-]\s*(\d{1,2})\s*[./月-]\s*(\d{1,2})(?!\d)\s*日?")
_BRACKETS = {"(": ")", "[": "]", "【": "】", "〔": "〕", "<": ">"}
_DIRECTIVES = {
    "d": _D,
    "m": r"(?P<m>\d{1,2})",
    "Y": _Y,
    "y": r"(?P<y>\d{2})",
    "b": _WORD,
    "B": _WORD,
    "a": r"[^\W\d_]+\.?",
    "A": r"[^\W\d_]+\.?",
    "H": r"(?P<hour>\d{1,2})",
    "I": r"(?P<hour>\d{1,2})",
    "M": r"(?P<minute>\d{2})",
    "S": r"(?P<second>\d{2})(?:[.,]\d+)?",
    "p": r"(?P<half>[ap]\.?m\.?)",
    "%": "%",
}
_KEYWORDS = ("iso", "wareki", "roc", "epoch-seconds")
MAX_SEARCHED = 20_000
"""Characters of a text in which a `text:` pattern is looked for."""


def read_date(text: str, zone: tzinfo, date_format: str = "") -> tuple[datetime, Precise]:
    """The instant (in UTC) and the precision of a printed date; `zone` is the source's.

    `date_format` is the catalogue's: alternatives with `|` between them, each a strptime pattern (it settles which
    of two numbers is the day, with `text:` before it it is looked for inside the text), `iso`, `wareki` and `roc`
    (years of an era and of the Republic of China, also inside a text) or `epoch-seconds`. A date that follows none of
    them is still read when it can mean one day only. Raises UnreadableDate.
    """
    alternatives = tuple(part.strip() for part in date_format.split("|"))
    cleaned = " ".join(unicodedata.normalize("NFKC", text[:MAX_SEARCHED]).replace("−", "-").split())
    while cleaned and cleaned[-1] == _BRACKETS.get(cleaned[0]):
        cleaned = cleaned[1:-1].strip()
    if not cleaned:
        raise UnreadableDate("no date in it")
    # ten digits that begin with a one are seconds since 1970, whoever prints them
    if re.fullmatch(r"1\d{9}", cleaned) or ("epoch-seconds" in alternatives and re.fullmatch(r"\d{9,11}", cleaned)):
        return datetime.fromtimestamp(int(cleaned), UTC), "minute"
    if found := _by_format(cleaned, alternatives):
        day, precision, clock = found
        if clock is None or precision != "day":
            return at_day(day, zone), precision
        return datetime.combine(day, clock, zone).astimezone(UTC), "minute"
    if len(cleaned) > 100:
        raise UnreadableDate("no date in it")
    clock_found = _TIME.search(cleaned)
    rest = cleaned[clock_found.end() :] if clock_found else ""
    # asctime prints the year last: Mon Jul 27 15:30:00 EST 2026
    late_year = re.search(r"(?:^|\s)(\d{4})$", rest)
    if late_year:
        rest = rest[: late_year.start()]
    words = (cleaned[: clock_found.start()] if clock_found else cleaned) + (f" {late_year[1]}" if late_year else "")
    day, precision = _day(words, date_format)
    if clock_found is None or precision != "day":
        return at_day(day, zone), precision
    if re.fullmatch(r"[T\s]*00:00:00(?:[.,]0+)?", cleaned[clock_found.start() :]):
        # a midnight to the second without a zone is how programs print a day
        return at_day(day, zone), precision
    try:
        local = datetime.combine(day, _clock(clock_found))
        if clock_found["hour"] == "24":
            local += timedelta(days=1)
        return local.replace(tzinfo=_zone(rest, local, zone)), "minute"
    except (ValueError, OverflowError) as error:
        raise UnreadableDate(f"no time of day in {cleaned!r}") from error


def check_format(date_format: str) -> None:
    """Raises ValueError, with words, for a `date_format` of the catalogue that cannot be read."""
    for alternative in filter(None, (part.strip() for part in date_format.split("|"))):
        pattern = alternative.removeprefix("text:")
        if alternative in _KEYWORDS:
            continue
        if "%" not in pattern:
            raise ValueError(f"{alternative!r} is none of {', '.join(_KEYWORDS)} and no pattern with %d, %m, %Y")
        _matcher(pattern)


@cache
def _matcher(pattern: str) -> re.Pattern[str]:
    """A strptime pattern as a regular expression that is lenient about spaces and the points behind short months."""
    while pattern and pattern[-1] == _BRACKETS.get(pattern[0]):
        pattern = pattern[1:-1].strip()
    parts: list[str] = []
    for piece in re.findall(r"%.?|\s+|[^%\s]", unicodedata.normalize("NFKC", pattern), re.DOTALL):
        if piece[0] == "%":
            if piece[1:] not in _DIRECTIVES:
                raise ValueError(f"{piece!r} is no part of a date that is known here: %d %m %Y %y %b %B %a %A %H %I %M %S %p")
            parts.append(_DIRECTIVES[piece[1:]])
        else:
            parts.append(r"\s*" if piece.isspace() else f"{re.escape(piece)}?" if piece in ".," else re.escape(piece))
    try:
        return re.compile(rf"(?<!\d){''.join(parts)}(?!\d)", re.IGNORECASE)
    except re.error as error:
        raise ValueError(f"{pattern!r} is no date pattern: {error}") from error


def _by_format(text: str, alternatives: tuple[str, ...]) -> tuple[date, Precise, time | None] | None:
    """What the source's own patterns read in the text; None when they read nothing, or two days."""
    whole, inside = [], []
    for pattern in alternatives:
        if "%" in pattern and not pattern.startswith("text:"):
            whole += [one for one in (_told(_matcher(pattern).fullmatch(text), text),) if one]
        elif pattern.startswith("text:"):
            inside += [one for one in (_told(match, text) for match in _matcher(pattern[5:]).finditer(text)) if one][:1]
        elif pattern == "wareki":
            inside += [one for one in (_told(match, text) for match in _ERA.finditer(text)) if one][:1]
        elif pattern == "roc":
            inside += [(_date(int(one[1]) + 1911, int(one[2]), int(one[3]), text), "day", None) for one in [_ROC.search(text)] if one]
    if whole:
        return whole[0] if len({one[0] for one in whole}) == 1 else None
    return inside[0] if inside else None


def _told(found: re.Match[str] | None, words: str) -> tuple[date, Precise, time | None] | None:
    """The day, its precision and the clock that a match holds; None when it is no date after all."""
    if found is None:
        return None
    parts = found.groupdict()
    try:
        year, month = _year(parts), _month(parts)
        if month is None:
            return None if parts.get("month") else (_date(year, 1, 1, words), "year", None)
        if not parts.get("d"):
            return _date(year, month, 1, words), "month", None
        day = _date(year, month, int(parts["d"] or 0), words)
        if not parts.get("hour"):
            return day, "day", None
        hour = int(parts["hour"] or 0)
        if half := (parts.get("half") or "").lower():
            hour = hour % 12 + (12 if half[0] == "p" else 0)
        clock = time(hour, int(parts.get("minute") or 0), min(int(parts.get("second") or 0), 59))
    except ValueError:
        return None
    # a midnight to the second is how programs print a day
    return day, "day", None if parts.get("second") and clock == time() else clock


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
