"""The other facts of an act: stated counts, document numbers, and who acted. Sums are in `money`, days in `dates`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bot.extract.firms import FirmIndex
from bot.extract.money import WORDS, han_number
from bot.extract.names import Name, Reading
from bot.extract.text import speaks_of, speaks_of_any
from storage.records import FoundRegulator, RegulatorRow

_FIRMS = (
    "companies|firms|banks|platforms|apps|operators|entities|businesses|airlines|retailers|lenders|insurers|brokers|institutions|defendants|"
    "respondents|manufacturers|suppliers|carriers|groups|websites|societes|entreprises|unternehmen|societa"
)
_COUNTED = (*_FIRMS.split("|"), "家", "款", "个", "间", "批", "大", "社", "개")  # none of them, no count
_COUNT = re.compile(
    rf"(?<![\d$€£.,-])(?P<n>\d{{1,3}}|{'|'.join(WORDS[2:])})\s+(?:(?!of\b|and\b|in\b|for\b|to\b|the\b|percent\b|million\b|billion\b|years?\b|months?\b|days?\b)[a-z&-]+\s+){{0,4}}?"
    rf"(?:{_FIRMS})\b"
    r"|(?P<k>\d{1,4})(?:社(?!会)|\s?개\s?(?:사|업체|회사|기업|은행))"
    r"|(?<!第)(?P<h>(?<!第\d)\d{1,4}|[一二三四五六七八九十百两]+)(?:多|余)?(?:(?<!国)家(?!庭|长|属|用)|(?:款|个|间|批|大)[^,。;:!?]{0,14}?(?:app|应用|平台|网站|机构|企业|公司|品牌|银行|巨头|小程序))"
)


@dataclass(frozen=True, slots=True)
class Count:
    """How many firms a text says were hit."""

    start: int
    end: int
    value: int


@lru_cache(maxsize=16)
def counts(folded: str, start: int, end: int) -> Sequence[Count]:
    """The stated numbers of firms between the offsets; a count of one is none."""
    zone = folded[start:end]
    if not any(unit in zone for unit in _COUNTED):
        return ()
    found = []
    for match in _COUNT.finditer(folded, start, end):
        text = match["n"] or match["h"] or match["k"]
        value = WORDS.index(text) if text in WORDS else han_number(text)
        if value is not None and value > 1:
            found.append(Count(match.start(), match.end(), value))
    return tuple(found)


_HAN_NUMBERED = re.compile(r"(?:[〔\[(【]\d{4}[〕\])】](?:第)?\s?\d+|字第\d{4,14})号")
_HAN_BEFORE_NUMBER = re.compile(r"[\u4e00-\u9fff]{1,12}$")
_NO_OFFICE = re.compile(  # what stands before the signs of an office, and is none of them
    "作出|发布|下达|依据|根据|按照|出具|收到|送达|文号|编号|针对|不服|撤销|维持|变更|执行|履行|违反|关于|有关|起诉|申请|请求|参见|[了的见及和以为对就因由与或系已被依按]"
)
_NUMBER_MARKS = ("lr-", "case ", "docket", "file no", " ferc ", "cv-", "ip/", "34-", "33-")
_POINT_DIGIT = re.compile(r"[mta]\.\d")  # M.10078, AT.40099, SA.123
_NUMBERED = re.compile(
    r"\b(?:lr-\d{4,6}\b|case (?:no\.? )?(?:at|m|comp/m|sa|fs|dma|dsa)\.?\s?\d{3,6}\b|(?:at|m|sa|dma|dsa)\.\d{4,6}\b|34-\d{5,6}\b|"
    r"33-\d{4,6}\b"
    r"|file no\.? [\d-]+[a-z0-9-]*|docket nos?\.? [a-z0-9][a-z0-9-]+\d|\d{2,3} ferc ¶ ?[\d,]+\d|\d{1,2}[:-](?:\d{2}-)?cv-\d{3,6}\b|"
    r"case no\.? \d[\w:-]+\d|ip/\d{2}/\d+)"
)


def numbers(folded: str, start: int, end: int) -> list[tuple[int, int]]:
    """Spans of document and case numbers between the offsets."""
    found = []
    if "号" in folded:
        for match in _HAN_NUMBERED.finditer(folded, start, end):
            lead = _HAN_BEFORE_NUMBER.search(folded, max(start, match.start() - 12), match.start())
            if lead:
                cuts = [cut.end() for cut in _NO_OFFICE.finditer(folded, lead.start(), match.start()) if cut.end() < match.start()]
                found.append((max([lead.start(), *cuts]), match.end()))
    if any(mark in folded for mark in _NUMBER_MARKS) or _POINT_DIGIT.search(folded):
        for match in _NUMBERED.finditer(folded, start, end):
            lead = re.match(r"case (?:no\.? )?", match.group())
            found.append((match.start() + (lead.end() if lead else 0), match.end()))
    return found


# --- regulators ----------------------------------------------------------------------------------------------


_HAN = re.compile("[\u4e00-\u9fff]")
_OPENING = 1500  # characters of a text that tell its country


def identify(name: Name, reading: Reading, own: RegulatorRow | None) -> RegulatorRow | None:
    """Which regulator a name says. Initials and short names need the source's country, one in the text, or a firm's home."""
    rows = [row for row, _ in name.regulators]
    if own is not None:
        for row in rows:
            if row.id == own.id:
                return row
    free = [row for row, needs_cue in name.regulators if not needs_cue]
    if len(free) == 1 and len(rows) == 1:
        return free[0]
    if own is not None:
        near = [row for row in rows if row.jurisdiction == own.jurisdiction]
        if near:
            return near[0]
    cued = [row for row in rows if speaks_of(reading.folded, row.jurisdiction, _OPENING)]
    if len(cued) == 1:
        return cued[0]
    if free:
        return free[0]
    is_han = bool(_HAN.search(reading.folded, name.start, name.end))
    if len(rows) == 1 and is_han:
        return rows[0]
    home = [row for row in rows if row.jurisdiction in reading.homes]  # "ASIC sues" an Australian bank, no country being named
    if own is None and len(home) == 1 and not is_han and not speaks_of_any(reading.folded, _OPENING):
        return home[0]
    place = {"zh-Hans": "CN", "zh-Hant": "TW"}.get(reading.language) if is_han else None
    return next((row for row in rows if row.jurisdiction == place), None)


def jurisdictions(reading: Reading, own: RegulatorRow | None) -> list[str]:
    """The countries of the source's own body and of those that the text names, in that order."""
    named: dict[tuple[tuple[RegulatorRow, bool], ...], Name] = {}
    for name in reading.names:
        if name.regulators:
            named.setdefault(name.regulators, name)
    rows = [(name, identify(name, reading, own)) for name in named.values()]
    likely = sorted({one.jurisdiction for name, row in rows if row is None for one, _ in name.regulators}, key=lambda place: place != "US")
    return [*([own.jurisdiction] if own else ()), *(row.jurisdiction for _, row in rows if row), *likely]


def regulators_of(reading: Reading, names: Iterable[Name], own: RegulatorRow | None) -> tuple[FoundRegulator, ...]:
    """Who acted: the bodies named, the source's own first; the source's own alone when none is named."""
    rows: dict[str, FoundRegulator] = {}
    for name in names:
        row = identify(name, reading, own)
        surface = reading.whole[name.start : name.end]
        key = row.id if row else surface
        rows.setdefault(key, FoundRegulator(row.id if row else None, row.name if row else surface))
    if own is not None and (not rows or own.id in rows):
        rows = {own.id: FoundRegulator(own.id, own.name), **rows}
    return tuple(
        found for found in rows.values() if found.regulator_id or len(rows) == 1 or not any(other.regulator_id for other in rows.values())
    )


def own_regulator(index: FirmIndex, regulator_id: str | None) -> RegulatorRow | None:
    """The regulator whose source the document came from, when the register knows it."""
    return index.regulators.get(regulator_id) if regulator_id else None


def cited_urls(whole: str) -> Iterator[str]:
    """Addresses that the text prints."""
    if "http" not in whole:
        return
    for match in re.finditer(r"https?://[^\s<>\"'（）()\u3000-\u9fff]+", whole):
        yield match.group().rstrip(".,;:!?")
