"""Dates: when an act was done, from when it holds, with no more precision than the text has.

A date counts for an act only when it stands with it; what a violation, a period or a deadline claims is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from bot.extract.money import han_number
from bot.extract.text import pattern, stems
from storage.models import Precision
from storage.records import PartialDate

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan janvier januar gennaio enero",
            "february feb fevrier februar febbraio febrero",
            "march mar mars marz marzo",
            "april apr avril aprile abril",
            "may mai maggio mayo",
            "june jun juin juni giugno junio",
            "july jul juillet juli luglio julio",
            "august aug aout agosto",
            "september sept sep septembre settembre septiembre",
            "october oct octobre oktober ottobre octubre",
            "november nov novembre noviembre",
            "december dec decembre dezember dicembre diciembre",
        ),
        1,
    )
    for name in names.split()
}
_MONTH = "(?:" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + r")\b\.?"
_HAN_DIGITS = "一二三四五六七八九十"
_DATE = re.compile(  # a look ahead leads each group, so that most places of a text cost one character
    rf"(?=[\d民令平元〇零a-z昨今当去上本前{_HAN_DIGITS}])(?:"
    rf"(?=\d)(?:(?P<d1>\d{{1,2}})(?:st|nd|rd|th|er|\.)?\s+(?:of |de )?(?P<m1>{_MONTH})(?:,? (?:de )?(?P<y1>\d{{4}}))?(?!\d)"
    r"|(?<!\d)(?P<y4>\d{4})-(?P<m4>\d{2})-(?P<d4>\d{2})(?!\d)"
    r"|(?P<y8>\d{4})년(?:\s?(?P<m8>\d{1,2})월(?:\s?(?P<d8>\d{1,2})일)?)?|(?<!\d)(?P<m9>\d{1,2})월\s?(?P<d9>\d{1,2})일"
    r"|(?<!年)(?<!\d)(?P<m6>\d{1,2})月(?P<d6>\d{1,2})[日号])"
    rf"|(?=[a-z])(?:(?P<m2>{_MONTH})\s+(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?(?!\d)(?:,? (?P<y2>\d{{4}}))?"
    rf"|(?P<m3>{_MONTH}),? (?P<y3>\d{{4}})(?!\d)"
    r"|\b(?:in|en|im) (?P<y7>(?:19|20)\d{2})(?!\d)(?! |,\d)?)"
    rf"|(?=[\d民令平元〇零{_HAN_DIGITS}])(?P<era>民国|令和|平成)?(?P<y5>\d{{1,4}}|元|[〇零{_HAN_DIGITS}]{{2,4}})年"
    rf"(?:(?P<m5>\d{{1,2}}|[{_HAN_DIGITS}]{{1,2}})月(?:(?P<d5>\d{{1,2}}|[{_HAN_DIGITS}]{{1,3}})[日号])?)?"
    r"|(?P<rel>\b(?:yesterday|today|last year|last month|this month|earlier this year|this year)\b|\bon (?:monday|tuesday|wednesday|"
    r"thursday|friday|saturday|sunday)\b|昨日|昨天|今日|今天|当日|去年|上个?月|本月|今年|前天))"
)
_MAY_DATE = re.compile(
    r"(?<!\d)(?:19|20)\d\d(?!\d)|\b(?:jan|feb|fev|mar|apr|avr|ma[iy]|mag|jun|juin|giu|jul|lug|aug|aou|ago|sep|set|oct|okt|ott|nov|dec|dez|dic|gen|ene|"
    r"yesterday|today|last |this |on (?:mon|tue|wed|thu|fri|sat|sun))|[年月昨今前当去년월]"
)
_PUBLISHED = re.compile(
    r"\b(?:published|posted|updated|printed|accessed|retrieved|uploaded)(?::| on| at)?\s*(?:the )?$"
    r"|(?:发布|刊发|更新|发文|印发)(?:时间|日期|于)?:?\s?$|(?:日期|时间):\s?$"
)
"""Before the day of a publication, which is not the day of the act."""
_DATELINE = re.compile(r"\s?(?:[讯电]|消息[,:]|发布(?:的|[,。]|$))|\s?\((?:reuters|xinhua|ap|afp|bloomberg)\)")
_MINGUO = re.compile(r"1[0-4]\d")
"""Before a month: a year of Taiwan, which leaves its era out."""
_ERAS = {"民国": 1911, "令和": 2018, "平成": 1988}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Dated:
    """A date in the text. `is_inferred`: counted from the day of publication. `is_effective`: from when the act holds."""

    start: int
    end: int
    value: PartialDate
    is_inferred: bool
    is_effective: bool


_CLAIMED = re.compile(
    r"\b(?:between|since|until|before|by|during|through|to|act|order|regulations?|law|code|and|dated|of|ending|ended)\s+(?:of )?$"
    r"|自|截至|期间|至$|(?<!\d)-\s?$"
)
"""Before a date that is a period's, a deadline's or a law's."""
_DECIDED = re.compile(r"decision\s+(?:of )?$|order dated $")
_GOES_ON = re.compile(r"\s?(?:to|until|through|-)")
_ENDS = re.compile(r"至|间|以来|期间|-\d|\s?(?:to|until|-)\s")
_HOLDS_FROM = re.compile(r"\b(?:effective|effect|force)\s+(?:from|on|as of)?\s*$")
_HOLDS = re.compile("起?(?:施行|生效|实施)")


@lru_cache(maxsize=64)  # each act of a sentence asks again
def dates(folded: str, start: int, end: int, on: date | None) -> Sequence[Dated]:
    """The dates between the offsets that may be an act's; periods, deadlines and names of laws are left out."""
    found: list[Dated] = []
    for match in _date_matches(folded, start, end):
        before = folded[max(start, match.start() - 22) : match.start()]
        if _CLAIMED.search(before) and not _DECIDED.search(before):
            continue
        if (before.endswith("from ") and _GOES_ON.match(folded, match.end())) or _ENDS.match(folded, match.end()):
            continue
        if _PUBLISHED.search(before) or _DATELINE.match(folded, match.end()):
            continue
        value = _date_of(match, on)
        if value and found and match["rel"] == "当日":
            value = found[-1].value, found[-1].is_inferred
        if value is None:
            continue
        is_effective = bool(_HOLDS_FROM.search(before) or _HOLDS.match(folded, match.end()))
        found.append(Dated(match.start(), match.end(), value[0], value[1], is_effective))
    return tuple(found)


def _date_matches(folded: str, start: int, end: int) -> Iterator[re.Match[str]]:
    """What looks like a date, looked for only around a year, a month's beginning or a word like "yesterday"."""
    at = start
    for sign in _MAY_DATE.finditer(folded, start, end):
        if sign.start() < at:
            continue
        for match in _DATE.finditer(folded, max(at, sign.start() - 18), min(end, sign.end() + 24)):
            at = match.end()
            yield match


_PARTS = re.compile(r"[;:]\s")
_SAID = re.compile(r"\b(?:said|says|announced|confirmed|stated|told reporters)\s(?:late |earlier )?(?:on )?$")
_FIELD_DATE = re.compile(r"\bdate of (?:the )?(?:final )?(?:decision|order|judgment|sanction)\s?:?\s")
_CAPTION_DATE = re.compile(rf"\((?P<date>{_MONTH}\s\d{{1,2}},? \d{{4}}|\d{{1,2}}\s{_MONTH}\s\d{{4}})\)")


def date_of_act(folded: str, start: int, end: int, act: tuple[int, int], on: date | None) -> Dated | None:
    """The day between the offsets on which an act was done: the nearest that no violation, period or other event claims."""
    found: list[tuple[int, Dated]] = []
    for one in dates(folded, start, end, on):
        if one.is_effective or (on is not None and one.value.value > on):
            continue
        if one.start >= act[1]:
            gap, distance = folded[act[1] : one.start], one.start - act[1]
        else:
            gap, distance = folded[one.end : act[0]], act[0] - one.end
            if _SAID.search(folded, max(start, one.start - 24), one.start):
                gap = gap.removeprefix(" that")
            if _is_anothers(folded[max(start, one.start - 24) : one.start]):
                continue
        if distance <= 160 and not _is_anothers(gap):
            found.append((distance, one))
    return min(found, key=lambda pair: pair[0], default=(0, None))[1]


def _is_anothers(gap: str) -> bool:
    """Whether the words between an act and a date give the date to something else: a clause of its own, the conduct."""
    return bool(_PARTS.search(gap) or pattern("conduct", "links").search(gap) or stems("conduct", "events").search(gap))


def date_near(folded: str, start: int, end: int, act: tuple[int, int], on: date | None) -> Dated | None:
    """The date between the offsets that is nearest to the act."""
    past = [one for one in dates(folded, start, end, on) if not one.is_effective and (on is None or one.value.value <= on)]
    return min(past, key=lambda one: abs(one.start - act[0]), default=None)


def date_of_document(folded: str, title_end: int, on: date | None) -> Dated | None:
    """The day in a caption's brackets, "136 FERC ¶ 61,020 (July 7, 2011)", or in a field, "Date of final decision: 10 July 2025"."""
    caption = _CAPTION_DATE.search(folded, 0, title_end)
    if caption:
        return next(iter(dates(folded, caption.start("date"), caption.end("date"), on)), None)
    label = _FIELD_DATE.search(folded, 0, 2_000) if "date of" in folded else None
    read = dates(folded, label.end(), label.end() + 24, on) if label else []
    return read[0] if read and label and read[0].start <= label.end() + 2 else None


def _date_of(match: re.Match[str], on: date | None) -> tuple[PartialDate, bool] | None:
    groups = match.groupdict()
    if groups["rel"]:
        return _relative(groups["rel"], on)
    if groups["y7"]:
        return PartialDate(date(int(groups["y7"]), 1, 1), Precision.YEAR), False
    number = next(index for index in "12345689" if groups.get(f"m{index}") or groups.get(f"y{index}"))
    year, month, day = (groups.get(f"{part}{number}") for part in "ymd")
    months = _MONTHS.get(month.rstrip(".")) if month and month.rstrip(".") in _MONTHS else han_number(month) if month else None
    years = _year(year, groups["era"] or ("民国" if months and _MINGUO.fullmatch(year) else None)) if year else None
    days = han_number(day) if day else None
    if years is None:
        if on is None or months is None or year:
            return None
        years = on.year if (months, days or 1) <= (on.month, on.day + 2) else on.year - 1
        inferred = True
    else:
        inferred = False
    if not 1900 <= years <= 2100:
        return None
    try:
        if months and days:
            return PartialDate(date(years, months, days), Precision.DAY), inferred
        return PartialDate(date(years, months or 1, 1), Precision.MONTH if months else Precision.YEAR), inferred
    except ValueError:
        return None


def _year(text: str, era: str | None) -> int | None:
    value = 1 if text == "元" else han_number(text)
    if value is None or (era is None and value < 1900):
        return None
    return value + _ERAS[era] if era else value


def _relative(text: str, on: date | None) -> tuple[PartialDate, bool] | None:
    if on is None:
        return None
    if text in ("yesterday", "昨日", "昨天"):
        return PartialDate(on - timedelta(days=1), Precision.DAY), True
    if text == "前天":
        return PartialDate(on - timedelta(days=2), Precision.DAY), True
    if text in ("today", "今日", "今天", "当日"):
        return PartialDate(on, Precision.DAY), True
    if text.startswith("on "):
        back = (on.weekday() - _DAYS.index(text[3:])) % 7
        return PartialDate(on - timedelta(days=back), Precision.DAY), True
    if text in ("last year", "去年"):
        return PartialDate(date(on.year - 1, 1, 1), Precision.YEAR), True
    if text in ("this year", "earlier this year", "今年"):
        return PartialDate(date(on.year, 1, 1), Precision.YEAR), True
    first = on.replace(day=1)
    return PartialDate(first if text in ("this month", "本月") else (first - timedelta(days=1)).replace(day=1), Precision.MONTH), True
