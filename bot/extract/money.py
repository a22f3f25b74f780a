"""Sums of money: every printed form in Latin letters, Chinese and Korean, with what a sum is, for whom, and in which currency.

Everything is read from one sentence (or the title) at a time and returned with offsets into the document; a number
is never made more precise than the text, and nothing is converted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache, lru_cache
from typing import Literal

from bot.extract.text import lexicon, pattern, speaks_of, words
from storage.models import AmountKind, AmountScope
from storage.text import fold

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
WORDS = [
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
"""English numerals, each at its value."""
_NUMBER = r"\d{1,3}(?:[, '.]\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,]\d+)?"
_NUMBER_ALONE = r"\d(?<![\d.,$€£]\d)(?:\d{0,2}(?:[, '.]\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d*(?:[.,]\d+)?)"
"""A number with no digit or sign before it. It begins with its digit, so that a search leaps from digit to digit."""
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
        rf"(?P<a>{_NUMBER_ALONE})(?:\s?(?P<sa>{_LATIN_SCALE}))?(?:\s?(?:-|to|"
        rf"bis)\s?(?P<b>{_NUMBER}))?(?:\s?(?P<sb>{_LATIN_SCALE}))?\s?(?:di |de |d')?(?P<cur>{mark}|dollars?(?![a-z])|"
        r"(?(sa)(?:pounds?|crowns?|kroner)(?![a-z]| of\b)|(?!)))"
    )
    chinese = re.compile(
        rf"(?:(?P<pre>{han}|us\$|hk\$|nt\$|\$|¥|rmb)\s?)?(?P<a>{_HAN_NUMBER})\s?(?:余|多)?(?P<sa>(?:千万|百万|十万|万亿|十亿|百亿|千亿|万|亿|兆)?)(?:(?:元|万元)?(?:-|至|到|~)(?P<b>{_HAN_NUMBER})(?P<sb>(?:千万|百万|万亿|十亿|百亿|千亿|万|亿|兆)?))?(?P<rest>(?<=亿)\d[\d,.]*万)?\s?(?:余|多)?(?P<cur>{han}|元|圆|块)?"
    )
    return prefix, suffix, chinese


_SPOKEN = {"dollar": "$", "pound": "GBP", "crown": "kr", "kroner": "kr"}
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
            code = money.get(cur, _SPOKEN.get(cur.rstrip("s"), cur))
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
_FINED = re.compile("(?:罚|罚款|没收|罚没|罚单|处|额|所得|罚锾)[了达共计近约超逾至少合]{0,4}$")
_UNITS_OF_THINGS = "家人款个辆部次股吨户名条平米年月日倍件批点只台盒袋瓶份"
_SUM_END = re.compile(r"[,。;!?\s]|$")


def _chinese_sum(folded: str, match: re.Match[str], money: dict[str, str]) -> Sum | None:
    unit, scale, before = match["cur"] or "", match["sa"], match["pre"] or ""
    if not unit and not before:
        after = folded[match.end() : match.end() + 1] or " "
        if (
            not scale
            or after in _UNITS_OF_THINGS
            or (
                not _FINED.search(folded[max(0, match.start() - 8) : match.start()])
                and not folded.startswith(("罚", "巨额罚", "天价罚"), match.end())
                and not (
                    _FINED_NAME.search(folded, max(0, match.start() - 12), match.start())
                    and _SUM_END.match(folded, match.start() + len(match.group().rstrip()))
                )
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


_CROWNS = {"SE": "SEK", "NO": "NOK", "DK": "DKK", "CZ": "CZK"}


def currency_of(one: Sum, jurisdictions: Iterable[str], language: str, folded: str = "") -> str | None:
    """The ISO code; a bare "$" or 元 takes the acting body's country; None when that tells nothing either."""
    table = {"$": _DOLLARS, "元": _YUAN, "¥": {"CN": "CNY", "JP": "JPY"}, "kr": _CROWNS}.get(one.currency)
    if table is None:
        return one.currency.upper() or None
    told = [place for place in table if speaks_of(folded, place, len(folded))] if table is _CROWNS else []
    if len(told) == 1:  # "Norway's Datatilsynet", a name that Denmark's has too
        return table[told[0]]
    for place in jurisdictions:
        if place[:2] in table:  # of a state too: US-CA
            return table[place[:2]]
    if one.currency == "元" and language == "zh-Hans":
        return "CNY"
    cued = [place for place in table if speaks_of(folded, place, len(folded))] if one.currency == "元" else []
    return table[cued[0]] if len(cued) == 1 else None


_LEAD = "[了约达共计近超逾至少合累为额人民币新台:港]{0,5}$"
_TAKEN = re.compile("(?:没收|追缴|收缴|罚没)[^,。;]*$")
_OF_FIRM_TOO = re.compile(r"[及和与](?:其|时任|相关|有关|前|\d+名|[两三四五多]名)?(?:责任人|负责人|高管|董事长|总经理)[^,。;\s]*$")
_OF_PERSON = re.compile(r"(?:责任人|负责人|高管|个人|法定代表人|董事长|总经理|当事人[甲乙])[^,。;\s]*$")


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
    if _OF_PERSON.search(before) and not _OF_FIRM_TOO.search(before):
        return ""
    if _TAKEN.search(before):
        return AmountKind.IMPOSED
    return next((kind for expression, kind in _told_sums() if expression.search(before)), None)


def dollar_country(folded: str) -> list[str]:
    """The only country with a dollar that the text speaks of, if it is only one."""
    if "$" not in folded and "dollar" not in folded:
        return []
    spoken_of = [place for place in _DOLLARS if speaks_of(folded, place, 4000)]
    return spoken_of if len(spoken_of) == 1 else []


def sum_kind(folded: str, one: Sum, start: int, end: int) -> AmountKind | None:
    """DEAL_VALUE or TURNOVER by the words beside the sum, IMPOSED for a penalty, None for another sum."""
    before = folded[max(start, one.start - 28) : one.start]
    before = _PARTS.split(before)[-1]
    if before and not before.isascii() and (said := _han_sum_kind(before)) is not None:
        return said or None
    if _VALUED.search(folded, max(start, one.start - 100), one.start):
        return None
    after = folded[one.end : min(end, one.end + 44)]
    near = _REASONS.split(after, 1)[0]
    if _TO_PAY.search(before) and _FOR_CONDUCT.match(near):  # "to pay over $5 million in forex fraud"
        return AmountKind.IMPOSED
    if _PENALTY_BEFORE.search(before):
        return None if _AT_MOST.search(before) else AmountKind.IMPOSED
    if _PENALTY_AFTER.match(near) and not _AT_MOST.search(before):  # "Acme Savings faces a £5m fine": its name says nothing of the sum
        return AmountKind.IMPOSED
    penalty = _PENAL.search(before + "|" + near[:24])
    if pattern("sums", "deal").search(near[:34]) and not penalty:
        return AmountKind.DEAL_VALUE
    if pattern("sums", "turnover").search(near[:30]) or (pattern("sums", "turnover").search(before[-22:]) and not penalty):
        return AmountKind.TURNOVER
    if pattern("sums", "none").search(before[-24:]) or (pattern("sums", "none").search(near[:36]) and not _PENALTY_AFTER.match(near)):
        return None
    if pattern("sums", "deal").search(before[-24:]) and not penalty:
        return AmountKind.DEAL_VALUE
    return AmountKind.IMPOSED


_PARTS = re.compile(r"[;。,，]\s|[;。]")
_REASONS = re.compile(r"\b(?:for|over|after|in connection|because|to settle|to resolve|and|which|that|as)\b|[;。,]")
_PENALTY_BEFORE = re.compile(
    r"(?:罚|罚款|罚没|罚金|没收|处以|处|罚单|追缴|赔付)[了约近达共计逾超至少人民币合额为]{0,5}$|"
    r"\b(?:fines?|penalt(?:y|ies)|fined)\b(?: of| totall?ing| worth)?(?: up to)? "
    r"(?:about |nearly |almost |over |more than |a total of |close to )?$"
)
_AT_MOST = re.compile(r"up to $|maximum [a-z ]*$")
_PENAL = re.compile(r"fine|penalt|sanction|settle|disgorge|amende|bussgeld|multa|sanzion|罚|没收|处以|forfeit|refund")
_PENALTY_AFTER = re.compile(r"\s*(?:civil |administrative |monetary )?(?:fine|penalt|settle|罚)")
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
    behind = _NEXT_PART.split(folded[one.end : min(end, one.end + 14)], maxsplit=1)[0]
    near = folded[max(start, one.start - 14) : one.start] + "|" + behind
    return AmountScope.EACH if _EACH.search(near) else AmountScope.WHOLE


_NEXT_PART = re.compile("[,;](?=[\u4e00-\u9fff])")  # X处80亿元罚款，对其高管各处100万元: each officer, not X
_EACH = re.compile(r"\b(?:each|apiece|per (?:firm|company|bank)|respectively)\b|每家|各罚|各处|各被|均被罚|均罚|各自|分别(?:被)?[罚处]")
