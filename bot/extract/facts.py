"""The facts of an act: sums of money, dates, stated counts, document numbers, and who acted.

Everything is read from one sentence (or the title) at a time and returned with offsets into the document;
a number is never made more precise than the text, and nothing is converted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from typing import Literal

from bot.extract.firms import FirmIndex
from bot.extract.names import Name, Reading, stems
from bot.extract.text import lexicon, pattern, words
from storage.models import AmountKind, AmountScope, Precision
from storage.records import FoundRegulator, PartialDate, RegulatorRow
from storage.text import fold

# --- numbers -------------------------------------------------------------------------------------------------

_HAN_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {
    "〇": 0,
    "两": 2,
    "壹": 1,
    "贰": 2,
    "叁": 3,
    "肆": 4,
    "伍": 5,
}
_HAN_UNITS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_SCALES = {
    name: power
    for power, names in (
        (3, "k thousand mila tausend mille mil duizend"),
        (4, "万"),
        (5, "lakh"),
        (6, "m mn mio mln million millions millionen milioni milione millones millon miljoen milhoes milhao"),
        (7, "crore"),
        (8, "亿"),
        (9, "b bn billion billions mrd milliard milliards milliarden milliarde miliardi miliardo miljard"),
        (12, "兆 tn trillion"),
    )
    for name in names.split()
}
_WORDS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
]
_NUMBER = r"\d{1,3}(?:[, '.]\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,]\d+)?"
_LATIN_SCALE = (
    r"(?:thousand|mila|tausend|mille|mil|duizend|millionen|millions?|milioni|milione|millones|millon|miljoen|milhoes|milhao|mio\.?|mln\.?|mn|"
    r"milliarden|milliarde|milliards?|miliardi|miliardo|miljard|mrd\.?|"
    r"billions?|bn|trillion|tn|lakh|crore|k|m|b)(?![a-z])"
)
_HAN_NUMBER = r"(?:\d[\d,.]*|[零一二三四五六七八九两〇壹贰叁肆伍十拾百佰千仟]+)"


def han_number(text: str) -> int | None:
    """一百二十 -> 120; digits pass too; None for anything else."""
    if text.isdigit():
        return int(text)
    total, digit = 0, 0
    if len(text) > 1 and not any(char in _HAN_UNITS for char in text):
        if all(char in _HAN_DIGITS for char in text):
            return int("".join(str(_HAN_DIGITS[char]) for char in text))
        return None
    for char in text:
        if char in _HAN_DIGITS:
            digit = _HAN_DIGITS[char]
        elif char in _HAN_UNITS:
            total += (digit or 1) * _HAN_UNITS[char]
            digit = 0
        else:
            return None
    return total + digit if text else None


def _value(text: str, has_scale: bool) -> Decimal:
    """A printed number. Three digits after the last mark are a group; with a scale word a point is a decimal point."""
    text = text.strip().replace("'", ",").replace(" ", ",")
    if not text[:1].isdigit():
        return Decimal(han_number(text) or 0)
    marks = [char for char in text if char in ",."]
    if marks:
        last = max(text.rfind(","), text.rfind("."))
        tail = text[last + 1 :]
        groups = len(tail) == 3 and (text[last] == "," or not has_scale or len(marks) > 1) and (len(set(marks)) == 1 or len(marks) == 1)
        text = re.sub(r"[,.]", "", text) if groups else re.sub(r"[,.]", "", text[:last]) + "." + tail
    return Decimal(text)


# --- money ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum as printed. `currency` is an ISO code, or "$", "元", "¥" or "" for the jurisdiction to tell.

    `converted` holds what the text makes of it in other currencies: "€10 million ($11.7 million)".
    """

    start: int
    end: int
    minimum: Decimal
    maximum: Decimal
    currency: str
    converted: tuple[Sum, ...] = ()


@cache
def _money() -> dict[str, str]:
    return {fold(code): iso for code, iso in lexicon()["money"].items()}


@cache
def _sum_patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    codes = sorted(lexicon()["money"], key=len, reverse=True)
    latin = "|".join(re.escape(code) for code in codes if code.isascii() or code in "€£₩₹")
    han = "|".join(re.escape(fold(code)) for code in codes if not code.isascii() and code not in "€£₩₹")
    mark = rf"(?:(?<![a-z])(?:{latin}|\$|¥)(?![a-z]))"
    prefix = re.compile(
        rf"(?P<cur>{mark})\s?(?P<a>{_NUMBER})(?:\s?(?P<sa>{_LATIN_SCALE}))?(?:\s?(?:-|to|bis)\s?(?:{mark}\s?)?(?P<b>{_NUMBER})(?=\s?{_LATIN_SCALE}|\s|[,.;)]))?(?:\s?(?P<sb>{_LATIN_SCALE}))?"
    )
    suffix = re.compile(
        rf"(?<![\d.,$€£])(?P<a>{_NUMBER})(?:\s?(?P<sa>{_LATIN_SCALE}))?(?:\s?(?:-|to|"
        rf"bis)\s?(?P<b>{_NUMBER}))?(?:\s?(?P<sb>{_LATIN_SCALE}))?\s?(?:di |de |d')?(?P<cur>{mark}|dollars?(?![a-z]))"
    )
    chinese = re.compile(
        rf"(?:(?P<pre>{han}|us\$|hk\$|nt\$|\$|¥|rmb)\s?)?(?P<a>{_HAN_NUMBER})\s?(?:余|多)?(?P<sa>(?:千万|百万|十万|万亿|十亿|百亿|千亿|万|亿|兆)?)(?:(?:元|万元)?(?:-|至|到|~)(?P<b>{_HAN_NUMBER})(?P<sb>(?:千万|百万|万亿|十亿|百亿|千亿|万|亿|兆)?))?(?P<rest>(?<=亿)\d[\d,.]*万)?\s?(?:余|多)?(?P<cur>{han}|元|圆|块)?"
    )
    return prefix, suffix, chinese


_MARKED = re.compile(r"[a-z$€£¥₩₹]")
"""A Latin sum has a letter or a sign."""


_NUMERIC = re.compile(r"[\d万亿]")
_HAN_MONEY = re.compile(r"[元圆万亿块円镑英瑞]|美金|港币|台币")


@lru_cache(maxsize=64)  # each trigger word of a sentence asks again
def sums(folded: str, start: int, end: int) -> Sequence[Sum]:
    """Every sum of money between the offsets, in order."""
    if not _NUMERIC.search(folded, start, end):
        return ()
    prefix, suffix, chinese = _sum_patterns()
    money = _money()
    found: list[Sum] = []
    taken: list[tuple[int, int]] = []
    for expression in (prefix, suffix) if _MARKED.search(folded, start, end) else ():
        for match in expression.finditer(folded, start, end):
            if any(a < match.end() and match.start() < b for a, b in taken):
                continue
            scale_a, scale_b = match["sa"], match["sb"]
            low = _scaled(match["a"], scale_a or (scale_b if match["b"] else None) or scale_b)
            high = _scaled(match["b"], scale_b or scale_a) if match["b"] else low
            high = max(low, high)
            cur = match["cur"]
            is_from = bool(match["b"]) and folded.endswith("from ", start, match.start())
            stop = match.end() if is_from or not (match["b"] and high == low) else match.end("sa") if match["sa"] else match.end("a")
            code = money.get(cur, "$" if cur.startswith("dollar") else cur)
            if is_from:  # "cut from 10,000 to 6,000 euros"
                low, high = _scaled(match["a"], scale_a or scale_b), _scaled(match["b"], scale_b or scale_a)
                found.append(Sum(match.start(), match.end("a"), low, low, code))
                gap = folded[match.end("a") : match.start("b")]
                second = match.start("b") - len(gap) + len(gap.rstrip("€£$¥₩₹ "))
                found.append(Sum(second + folded[second:].startswith(" "), stop, high, high, code))
            else:
                found.append(Sum(match.start(), stop, low, high, code))
            taken.append((match.start(), stop))
    if "원" in folded[start:end]:
        for match in _WON.finditer(folded, start, end):
            value = sum((_value(number, True).scaleb(power) for number, power in _won_parts(match)), Decimal(0))
            if value:
                found.append(Sum(match.start(), match.end(), value, value, "KRW"))
                taken.append(match.span())
    if _HAN_MONEY.search(folded, start, end):
        for match in chinese.finditer(folded, start, end):
            if any(a < match.end() and match.start() < b for a, b in taken):
                continue
            one = _chinese_sum(folded, match, money)
            if one:
                found.append(one)
                taken.append((one.start, one.end))
    return tuple(_as_given(folded, sorted(found, key=lambda one: one.start)))


_WON = re.compile(
    rf"(?<![\d.,])(?:(?P<jo>{_NUMBER})\s?조\s?)?(?:(?P<eok>{_NUMBER})\s?억\s?)?(?:(?P<cheon>{_NUMBER})\s?천만?\s?)?(?:(?P<man>{_NUMBER})\s?만\s?)?(?:(?P<won>{_NUMBER})\s?)?원"
)
"""Korean won: 5억 3천만원, 1,200만 원."""


def _won_parts(match: re.Match[str]) -> Iterator[tuple[str, int]]:
    for name, power in (("jo", 12), ("eok", 8), ("cheon", 7 if "천만" in match.group() else 3), ("man", 4), ("won", 0)):
        if match[name]:
            yield match[name], power


_ABOUT = (
    r"(?:about|approx(?:\.|imately)?|around|roughly|nearly|almost|some|or|circa|ca\.?|equivalent to|equal to|soit|"
    r"约合?|合|折合|相当于|大约|[~≈=])"
)
_CONVERTED = re.compile(rf"\s?\(\s?(?:{_ABOUT}\s?){{0,3}}|,\s(?:or|equivalent to)\s(?:{_ABOUT}\s){{0,2}}")


def _as_given(folded: str, found: list[Sum]) -> list[Sum]:
    """The sums as given, with those that only tell the one before in another currency inside it."""
    kept: list[Sum] = []
    told = 0  # where the last sum or its conversion ends
    for one in found:
        gap = folded[told : one.start]
        in_bracket = "(" in folded[kept[-1].end : told] and ")" not in folded[kept[-1].end : one.start] if kept else False
        is_again = (
            bool(kept)
            and one.currency != kept[-1].currency
            and (bool(_CONVERTED.fullmatch(gap)) or (in_bracket and bool(re.fullmatch(rf"\s?[,;/]?\s?(?:{_ABOUT}\s?){{0,3}}", gap))))
        )
        told = one.end
        if is_again:
            kept[-1] = replace(kept[-1], converted=(*kept[-1].converted, one))
        else:
            kept.append(one)
    return kept


def _scaled(text: str, scale: str | None) -> Decimal:
    return _value(text, bool(scale)).scaleb(_SCALES.get((scale or "").rstrip("."), 0))


_FINED_NAME = re.compile(r"(?:罚|处)[\u4e00-\u9fff]{2,10}$")  # 开罚某公司3000万
_SUM_END = re.compile(r"[,。;!?\s]|$")


def _chinese_sum(folded: str, match: re.Match[str], money: dict[str, str]) -> Sum | None:
    unit, scale, before = match["cur"] or "", match["sa"], match["pre"] or ""
    if not unit and not before:
        after = folded[match.end() : match.end() + 1]
        if (
            not scale
            or re.match(r"[家人款个辆部次股吨户名条平米年月日倍件批点只台盒袋瓶份]", after)
            or (
                not re.search(
                    r"(?:罚|罚款|没收|罚没|罚单|处|额|所得|罚锾)[了达共计近约超逾至少合]{0,4}$",
                    folded[max(0, match.start() - 8) : match.start()],
                )
                and not folded.startswith(("罚", "巨额罚", "天价罚"), match.end())
                and not (_FINED_NAME.search(folded, max(0, match.start() - 12), match.start()) and _SUM_END.match(folded, match.end()))
            )
        ):
            return None
    low = _han_scaled(match["a"], scale or (match["sb"] or "" if match["b"] else ""))
    high = _han_scaled(match["b"], match["sb"] or scale) if match["b"] else low
    if match["rest"]:
        low = high = low + _han_scaled(match["rest"][:-1], "万")
    currency = money.get(unit) or money.get(before) or ("$" if before == "$" else "¥" if before == "¥" else "元")
    return Sum(match.start(), match.end(), low, max(low, high), currency)


def _han_scaled(text: str, scale: str) -> Decimal:
    value = _value(text.rstrip(",."), bool(scale))
    for char in scale:
        value = value.scaleb(_SCALES[char]) if char in "万亿兆" else value * _HAN_UNITS[char]
    return value


_DOLLARS = {"US": "USD", "CA": "CAD", "AU": "AUD", "NZ": "NZD", "HK": "HKD", "SG": "SGD", "TW": "TWD", "MX": "MXN", "CL": "CLP"}
_YUAN = {"CN": "CNY", "TW": "TWD", "HK": "HKD", "JP": "JPY", "KR": "KRW"}


def currency_of(one: Sum, jurisdictions: Iterable[str], language: str, folded: str = "") -> str | None:
    """The ISO code; a bare "$" or 元 takes the acting body's country; None when that tells nothing either."""
    table = {"$": _DOLLARS, "元": _YUAN, "¥": {"CN": "CNY", "JP": "JPY"}}.get(one.currency)
    if table is None:
        return one.currency.upper() or None
    for place in jurisdictions:
        if place[:2] in table:  # of a state too: US-CA
            return table[place[:2]]
    if one.currency == "元" and language == "zh-Hans":
        return "CNY"
    cues = lexicon()["jurisdictions"]
    cued = [place for place in table if place in cues and re.search(cues[place], folded)] if one.currency == "元" else []
    return table[cued[0]] if len(cued) == 1 else None


_LEAD = "[了约达共计近超逾至少合累为额人民币新台:港]{0,5}$"
_TAKEN = re.compile("(?:没收|追缴|收缴|罚没)[^,。;]*$")
_OF_PERSON = re.compile("(?:责任人|负责人|高管|个人|法定代表人|董事长|总经理|当事人[甲乙])[^,。;]*$")


@cache
def _told_sums() -> tuple[tuple[re.Pattern[str], AmountKind | Literal[""]], ...]:
    """The words right before a sum that tell what it is, when that is no penalty."""
    kinds: tuple[tuple[str, AmountKind | Literal[""]], ...] = (
        ("none", ""),
        ("deal", AmountKind.DEAL_VALUE),
        ("turnover", AmountKind.TURNOVER),
    )
    return tuple(
        (re.compile(f"(?:{'|'.join(word for word in words('sums', key) if not word.isascii())}){_LEAD}"), kind) for key, kind in kinds
    )


def _han_sum_kind(before: str) -> AmountKind | Literal[""] | None:
    """What the Chinese words before a sum say at once; "" for a sum that is none of ours, None when they leave it open."""
    if _OF_PERSON.search(before):
        return ""
    if _TAKEN.search(before):
        return AmountKind.IMPOSED
    return next((kind for expression, kind in _told_sums() if expression.search(before)), None)


def dollar_country(folded: str) -> list[str]:
    """The only country with a dollar that the text speaks of, if it is only one."""
    if "$" not in folded and "dollar" not in folded:
        return []
    cues = lexicon()["jurisdictions"]
    spoken_of = [place for place in _DOLLARS if place in cues and re.search(cues[place], folded[:4000])]
    return spoken_of if len(spoken_of) == 1 else []


def sum_kind(folded: str, one: Sum, start: int, end: int) -> AmountKind | None:
    """DEAL_VALUE or TURNOVER by the words beside the sum, IMPOSED for a penalty, None for another sum."""
    before = folded[max(start, one.start - 28) : one.start]
    before = re.split(r"[;。,，]\s|[;。]", before)[-1]
    if before and not before.isascii() and (said := _han_sum_kind(before)) is not None:
        return said or None
    if _VALUED.search(folded, max(start, one.start - 100), one.start):
        return None
    after = folded[one.end : min(end, one.end + 44)]
    near = re.split(r"\b(?:for|over|after|in connection|because|to settle|to resolve|and|which|that|as)\b|[;。,]", after)[0]
    if _TO_PAY.search(before) and _FOR_CONDUCT.match(near):  # "to pay over $5 million in forex fraud"
        return AmountKind.IMPOSED
    if re.search(r"(?:罚|罚款|罚没|罚金|没收|处以|处|罚单|追缴|赔付)[了约近达共计逾超至少人民币合额为]{0,5}$", before) or re.search(
        r"\b(?:fines?|penalt(?:y|ies)|fined)\b(?: of| totall?ing| worth)?(?: up to)? (?:about |nearly |almost |over |more than |"
        r"a total of |close to )?$",
        before,
    ):
        return None if re.search(r"up to $|maximum [a-z ]*$", before) else AmountKind.IMPOSED
    penalty = re.search(
        r"fine|penalt|sanction|settle|disgorge|amende|bussgeld|multa|sanzion|罚|没收|处以|forfeit|refund", before + "|" + near[:24]
    )
    if pattern("sums", "deal").search(near[:34]) and not penalty:
        return AmountKind.DEAL_VALUE
    if pattern("sums", "turnover").search(near[:30]) or (pattern("sums", "turnover").search(before[-22:]) and not penalty):
        return AmountKind.TURNOVER
    if pattern("sums", "none").search(before[-24:]) or (
        pattern("sums", "none").search(near[:36])
        and not re.match(r"\s*(?:civil |administrative |monetary )?(?:fine|penalt|settle|罚)", near)
    ):
        return None
    if pattern("sums", "deal").search(before[-24:]) and not penalty:
        return AmountKind.DEAL_VALUE
    return AmountKind.IMPOSED


_TO_PAY = re.compile(r"\bto pay (?:about |nearly |almost |over |more than )?$")
_FOR_CONDUCT = re.compile(r"\s?in (?:[a-z]+ ){0,2}(?:fraud|scheme)\b")
_VALUED = re.compile(r"\bvalues?\b[^,;.:]{0,80}?\b(?:was|were|is|of)\s(?:about |over )?$")
"""Before a sum that is what something was worth: "the total value of the three sales settled was $33,299"."""
_WHAT = re.compile(
    r"\b(penalt|fine|disgorge|forfeit|restitution|interest|redress|refund|amende|sanzion|multa|bussgeld|geldbuss|boete|coima)"
)


def sum_for(folded: str, one: Sum, start: int, end: int) -> str:
    """What the sum beside which it stands is paid as: "penalt", "disgorge"; empty when no word there says so."""
    after = _WHAT.search(folded, one.end, min(end, one.end + 22))
    before = list(_WHAT.finditer(folded, max(start, one.start - 40), one.start))
    return after.group(1) if after else before[-1].group(1) if before else ""


def sum_scope(folded: str, one: Sum, start: int, end: int) -> AmountScope:
    """EACH when the words beside it say so."""
    near = folded[max(start, one.start - 14) : one.start] + "|" + folded[one.end : min(end, one.end + 14)]
    return (
        AmountScope.EACH
        if re.search(
            r"\b(?:each|apiece|per (?:firm|company|bank)|respectively)\b|每家|各罚|各处|各被|均被罚|均罚|各自|分别(?:被)?[罚处]", near
        )
        else AmountScope.WHOLE
    )


# --- dates ---------------------------------------------------------------------------------------------------

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
_DATE = re.compile(
    rf"(?P<d1>\d{{1,2}})(?:st|nd|rd|th|er|\.)?\s+(?:of |de )?(?P<m1>{_MONTH})(?:,? (?:de )?(?P<y1>\d{{4}}))?(?!\d)"
    rf"|(?P<m2>{_MONTH})\s+(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?(?!\d)(?:,? (?P<y2>\d{{4}}))?"
    rf"|(?P<m3>{_MONTH}),? (?P<y3>\d{{4}})(?!\d)"
    r"|(?<!\d)(?P<y4>\d{4})-(?P<m4>\d{2})-(?P<d4>\d{2})(?!\d)"
    r"|(?P<era>民国|令和|平成)?(?P<y5>\d{1,4}|元|[一二三四五六七八九十〇零]{2,4})年(?:(?P<m5>\d{1,2}|[一二三四五六七八九十]{1,2})月(?:(?P<d5>\d{1,2}|[一二三四五六七八九十]{1,3})[日号])?)?"
    r"|(?P<y8>\d{4})년(?:\s?(?P<m8>\d{1,2})월(?:\s?(?P<d8>\d{1,2})일)?)?|(?<!\d)(?P<m9>\d{1,2})월\s?(?P<d9>\d{1,2})일"
    r"|(?<!年)(?<!\d)(?P<m6>\d{1,2})月(?P<d6>\d{1,2})[日号]"
    r"|\b(?:in|en|im) (?P<y7>(?:19|20)\d{2})(?!\d)(?! |,\d)?"
    r"|(?P<rel>\b(?:yesterday|today|last year|last month|this month|earlier this year|this year)\b|\bon (?:monday|tuesday|wednesday|"
    r"thursday|friday|saturday|sunday)\b|昨日|昨天|今日|今天|当日|去年|上个?月|本月|今年|前天)"
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


@lru_cache(maxsize=64)  # each act of a sentence asks again
def dates(folded: str, start: int, end: int, on: date | None) -> Sequence[Dated]:
    """The dates between the offsets that may be an act's; periods, deadlines and names of laws are left out."""
    found: list[Dated] = []
    for match in _date_matches(folded, start, end):
        before = folded[max(start, match.start() - 22) : match.start()]
        if re.search(
            r"\b(?:between|since|until|before|by|during|through|to|act|order|regulations?|law|code|and|dated|of|ending|"
            r"ended)\s+(?:of )?$|自|截至|期间|至$|(?<!\d)-\s?$",
            before,
        ) and not re.search(r"decision\s+(?:of )?$|order dated $", before):
            continue
        if re.search(r"\bfrom\s$", before) and re.match(r"\s?(?:to|until|through|-)", folded[match.end() : match.end() + 9]):
            continue
        if re.match(r"至|间|以来|期间|-\d|\s?(?:to|until|-)\s", folded[match.end() : match.end() + 8]):
            continue
        if _PUBLISHED.search(before) or _DATELINE.match(folded, match.end()):
            continue
        value = _date_of(match, on)
        if value is None:
            continue
        is_effective = bool(re.search(r"\b(?:effective|effect|force)\s+(?:from|on|as of)?\s*$", before)) or bool(
            re.match(r"起?(?:施行|生效|实施)", folded[match.end() : match.end() + 4])
        )
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
    years = _year(year, groups["era"]) if year else None
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


# --- counts and numbers --------------------------------------------------------------------------------------

_FIRMS = (
    "companies|firms|banks|platforms|apps|operators|entities|businesses|airlines|retailers|lenders|insurers|brokers|institutions|defendants|"
    "respondents|manufacturers|suppliers|carriers|groups|websites|societes|entreprises|unternehmen|societa"
)
_COUNTED = (*_FIRMS.split("|"), "家", "款", "个", "批", "大", "社", "개")  # none of them, no count
_COUNT = re.compile(
    rf"(?<![\d$€£.,-])(?P<n>\d{{1,3}}|{'|'.join(_WORDS[2:])})\s+(?:(?!of\b|and\b|in\b|for\b|to\b|the\b|percent\b|million\b|billion\b|years?\b|months?\b|days?\b)[a-z&-]+\s+){{0,4}}?"
    rf"(?:{_FIRMS})\b"
    r"|(?P<k>\d{1,4})(?:社(?!会)|\s?개\s?(?:사|업체|회사|기업|은행))"
    r"|(?P<h>\d{1,4}|[一二三四五六七八九十百两]+)(?:多|余)?(?:(?<!国)家(?!庭|长|属|用)|(?:款|个|批|大)[^,。;:!?]{0,14}?(?:app|应用|平台|网站|机构|企业|公司|品牌|银行|巨头|小程序))"
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
        value = _WORDS.index(text) if text in _WORDS else han_number(text)
        if value is not None and value > 1:
            found.append(Count(match.start(), match.end(), value))
    return tuple(found)


_HAN_NUMBERED = re.compile(r"(?:[〔\[(【]\d{4}[〕\])】](?:第)?\s?\d+|字第\d{4,14})号")
_HAN_BEFORE_NUMBER = re.compile(r"[\u4e00-\u9fff]{1,12}$")
_NO_OFFICE = re.compile("作出|发布|下达|依据|根据|按照|出具|收到|送达|文号|编号|[了的见及和以为]")
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


def identify(name: Name, reading: Reading, own: RegulatorRow | None) -> RegulatorRow | None:
    """Which regulator a name says. Initials and short names need the source's country or a country in the text."""
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
    cues = lexicon()["jurisdictions"]
    cued = [row for row in rows if row.jurisdiction in cues and re.search(cues[row.jurisdiction], reading.folded[:1500])]
    if len(cued) == 1:
        return cued[0]
    if free:
        return free[0]
    is_han = bool(re.search("[\u4e00-\u9fff]", reading.folded[name.start : name.end]))
    if len(rows) == 1 and is_han:
        return rows[0]
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
