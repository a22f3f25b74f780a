"""Words -> names, filter terms and options: every key, and every spelling of a value that we take. Pure.

Values become canonical as `storage.records.Term` says. Nothing is assumed: an unknown key or value, a dollar
sign that may be several currencies, each raises `Wrong` with what to type instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache

from bot.slack.grammar.words import COLONS, COMMAS, DASHES, QUOTES, Word, Wrong, nearest, phrase, syntax_of
from storage.filters import FILTER_KEYS, Term
from storage.models import Broadcast, Deliver, Kind, Role, Status
from storage.text import fold

LARGEST_LIMIT = 20

KIND_WORDS: Mapping[Kind, tuple[str, ...]] = {
    Kind.SPEECH: ("讲话", "statement", "remarks"),
    Kind.GUIDANCE: ("指引", "指南", "guideline"),
    Kind.CONSULTATION: ("征求意见", "征求意见稿", "consult"),
    Kind.RULE: ("规定", "办法", "regulation", "law"),
    Kind.TALKS: ("约谈", "summons", "summon", "interview"),
    Kind.INFORMATION_REQUEST: ("问询", "问询函", "information", "rfi", "subpoena"),
    Kind.INVESTIGATION: ("立案", "调查", "立案调查", "probe", "inquiry"),
    Kind.WARNING: ("警示", "警示函", "警告", "warning letter"),
    Kind.RECTIFICATION: ("责令整改", "整改", "责令改正", "order", "remedy", "rectify"),
    Kind.RECALL: ("召回",),
    Kind.LAWSUIT: ("起诉", "诉讼", "suit", "charges", "complaint"),
    Kind.PROPOSED_PENALTY: ("事先告知", "拟处罚", "proposed", "notice of intent", "statement of objections"),
    Kind.SETTLEMENT: ("和解", "settle"),
    Kind.CONSENT_ORDER: ("承诺", "同意令", "consent", "commitments", "undertaking"),
    Kind.FINE: ("罚款", "处罚", "罚", "penalty"),
    Kind.CONFISCATION: ("没收", "disgorgement"),
    Kind.SUSPENSION: ("暂停", "停牌", "暂缓上市", "halt", "trading halt"),
    Kind.REMOVAL: ("下架", "takedown", "app removal"),
    Kind.BAN: ("禁止", "封禁", "吊销", "block", "revocation", "debarment"),
    Kind.MERGER_DECISION: ("经营者集中", "并购", "merger"),
    Kind.APPROVAL: ("批准", "核准", "clearance"),
    Kind.APPEAL: ("上诉", "申诉"),
    Kind.ANNULMENT: ("撤销", "annulled"),
    Kind.CLOSED: ("结案", "no action"),
    Kind.OTHER: ("其他", "designation"),
}
"""What else a kind may be called in a filter. The first word is its Chinese label on cards."""

_COUNTRIES = {
    "cn": ("china", "prc", "中国"),
    "us": ("usa", "america", "美国"),
    "gb": ("uk", "britain", "英国"),
    "eu": ("europe", "欧盟"),
    "hk": ("hongkong", "hong kong", "香港"),
    "tw": ("taiwan", "台湾"),
    "jp": ("japan", "日本"),
    "kr": ("korea", "韩国"),
    "sg": ("singapore", "新加坡"),
    "in": ("india", "印度"),
    "au": ("australia", "澳大利亚"),
    "ca": ("canada", "加拿大"),
    "de": ("germany", "德国"),
    "fr": ("france", "法国"),
    "int": ("international",),
}
_LANGUAGES = {
    "en": ("english", "英文"),
    "zh": ("chinese", "中文"),
    "zh-hans": ("simplified", "zh-cn", "简体"),
    "zh-hant": ("traditional", "zh-tw", "zh-hk", "繁体"),
    "ja": ("japanese",),
    "ko": ("korean",),
    "de": ("german",),
    "fr": ("french",),
    "es": ("spanish",),
}
_CURRENCIES = {
    "us$": "USD",
    "hk$": "HKD",
    "nt$": "TWD",
    "a$": "AUD",
    "au$": "AUD",
    "c$": "CAD",
    "ca$": "CAD",
    "s$": "SGD",
    "nz$": "NZD",
    "r$": "BRL",
    "€": "EUR",
    "£": "GBP",
    "₹": "INR",
    "₩": "KRW",
    "rmb": "CNY",
    "cn¥": "CNY",
    "jp¥": "JPY",
    "人民币": "CNY",
    "美元": "USD",
    "港元": "HKD",
    "欧元": "EUR",
    "英镑": "GBP",
    "日元": "JPY",
    "新台币": "TWD",
}
_UNITS = {
    "": 1,
    "k": 10**3,
    "thousand": 10**3,
    "m": 10**6,
    "mn": 10**6,
    "mln": 10**6,
    "million": 10**6,
    "b": 10**9,
    "bn": 10**9,
    "billion": 10**9,
    "tn": 10**12,
    "trillion": 10**12,
    "千": 10**3,
    "万": 10**4,
    "百万": 10**6,
    "千万": 10**7,
    "亿": 10**8,
    "十亿": 10**9,
}
_STATUS_WORDS = {Status.IN_FORCE: ("effective", "active"), Status.ANNULLED: ("quashed", "撤销"), Status.PROPOSED: ("draft",)}
_ROLE_WORDS = {Role.TARGET: ("对象",), Role.GROUP: ("集团",), Role.MENTIONED: ("提及",)}

_OPTIONS = ("broadcast", "deliver", "empty", "page")
_KEYS = (*FILTER_KEYS, *_OPTIONS)


@dataclass(frozen=True, slots=True)
class Sorted:
    """Words sorted into names (groups between commas), terms of a filter, and options."""

    names: tuple[tuple[Word, ...], ...]
    terms: tuple[Term, ...]
    options: Mapping[str, str]


def name_of(words: Sequence[Word]) -> str:
    """A name as it was typed; a question mark at its end belongs to the question."""
    joined = " ".join(word.text for word in words)
    # a name in quotes could not hold a quote when it is written back, and no firm is told apart by one
    name = " ".join("".join(char for char in joined if char not in QUOTES).split())
    return name if words and words[-1].is_quoted else name.rstrip("?？!！ ")


def sort_words(
    words: Sequence[Word], skip: int, *, allowed: Sequence[str] = (), verb: str = "actions", only: Sequence[str] = FILTER_KEYS
) -> Sorted:
    """Sorts the words after the first `skip`; `allowed` options and `only` these filters may stand there."""
    words = [*words[:skip], *(part for word in words[skip:] for part in _at_key(word))]
    names: list[list[Word]] = [[]]
    values: dict[tuple[str, bool], list[str]] = {}
    options: dict[str, str] = {}
    index = skip - 1
    while (index := index + 1) < len(words):
        key, is_negated = _key_of(words, index)
        if key is None:
            for place, part in enumerate(words[index].split(COMMAS)):
                if place:
                    names.append([])
                if part.text:
                    names[-1].append(part)
            continue
        _gather(key, words, index)
        value = words[index].split(COLONS, most=1)[1]
        if key in _OPTIONS:
            _take_option(key, is_negated, value, options, allowed, words, index)
        elif key not in only:
            raise Wrong("`{}` takes no filter `{}:`. `help {}` shows what it takes.", verb, key, verb)
        else:
            for part in value.split(COMMAS) if key != "min" else _sums(value):
                if part.text.strip():
                    values.setdefault((key, is_negated), []).append(_canonical(key, part.text.strip(), words, index))
            if not values.get((key, is_negated)):
                raise Wrong("`{}:` needs a value.", key, hint=_EXAMPLES[key])
    terms = [Term(key, tuple(dict.fromkeys(found)), is_negated) for (key, is_negated), found in values.items()]
    for term in terms:
        if term.key == "limit" and (term.is_negated or len(term.values) > 1):
            raise Wrong("`limit:` takes one number from 1 to {}.", str(LARGEST_LIMIT))
    terms.sort(key=lambda term: (FILTER_KEYS.index(term.key), term.is_negated))
    return Sorted(tuple(tuple(group) for group in names if group), tuple(terms), options)


def _at_key(word: Word) -> list[Word]:
    """`腾讯，kind:fine` as two words: after a full-width comma no space is typed."""
    head = word.split(COLONS, most=1)[0]
    names = head.split(COMMAS)
    key = syntax_of(names[-1].text.lstrip("".join(DASHES)))
    if len(head.text) == len(word.text) or len(names) == 1 or names[-1].is_quoted or key not in _KEYS:
        return [word]
    at = len(head.text) - len(names[-1].text)
    return [word.part(0, at), word.part(at, len(word.text))]


def _key_of(words: Sequence[Word], index: int) -> tuple[str | None, bool]:
    """The key of `[-]key:value`, or None when the word is part of a name. Raises for a key that does not exist."""
    word = words[index]
    parts = word.split(COLONS, most=1)
    if len(parts) == 1 or parts[0].is_quoted or not parts[0].text:
        return None, False
    head = parts[0].text
    is_negated = head[0] in DASHES
    key = syntax_of(head[1:] if is_negated else head)
    if not re.fullmatch(r"[a-z_]+", key):
        return None, False
    if key in _KEYS:
        return key, is_negated
    near = nearest(key, _KEYS)
    if near:
        again = f"{'-' if is_negated else ''}{near}:{word.source[len(head) + 1 :]}"
        raise Wrong("No filter “{}”. Did you mean {} ?", key, again, **_swapped(words, index, again))
    raise Wrong("No filter “{}”. Filters: {}. A name with a colon goes in quotes.", key, ", ".join(FILTER_KEYS))


def _swapped(words: Sequence[Word], index: int, new: str) -> dict[str, str]:
    """The suggestion of the same command with one word replaced."""
    again = phrase(*(new if at == index else word.source for at, word in enumerate(words)))
    return {"instead": again, "label": "Run with {}", "shown": new}


def _gather(key: str, words: list[Word], index: int) -> None:
    """Joins to the word at `index` those after it that plainly belong to its value: what follows `key:` or a comma,
    and the unit or currency of `min:1m USD`."""

    def join(space: str) -> None:
        one, more = words[index], words.pop(index + 1)
        words[index] = Word(
            one.text + space + more.text, (*one.quotes, *(False,) * len(space), *more.quotes), one.source + space + more.source
        )

    def is_free() -> bool:
        return index + 1 < len(words) and len(words[index + 1].split(COLONS)) == 1

    while is_free() and words[index].text[-1] in COLONS | COMMAS and not words[index].quotes[-1]:
        join("")
    while key == "min" and is_free() and _is_money_word(words[index + 1].syntax):
        join(" ")


def _sums(value: Word) -> list[Word]:
    """Amounts between commas; a comma between digits belongs to its number."""
    parts = value.split(COMMAS)
    joined: list[Word] = []
    for part in parts:
        if joined and joined[-1].text[-1:].isdigit() and part.text[:1].isdigit():
            last = joined.pop()
            part = Word(f"{last.text},{part.text}", (*last.quotes, False, *part.quotes), "")
        joined.append(part)
    return joined


def _is_money_word(typed: str) -> bool:
    return typed in _UNITS or typed in _CURRENCIES or fold(typed) in _CURRENCIES or typed.upper() in _ISO


def _take_option(
    key: str, is_negated: bool, value: Word, options: dict[str, str], allowed: Sequence[str], words: Sequence[Word], index: int
) -> None:
    if key not in allowed:
        belongs = {"broadcast": "subscribe", "deliver": "subscribe", "empty": "digest", "page": "actions"}[key]
        raise Wrong("`{}:` belongs to `{}`.", key, belongs)
    typed = syntax_of(value.text)
    if key == "page":
        if is_negated or not re.fullmatch(r"[1-9][0-9]{0,3}", typed):
            raise Wrong("`page:` takes a number from 1.")
        options[key] = typed
        return
    choices = [member.value for member in (Broadcast if key == "broadcast" else Deliver)]
    if is_negated or typed not in choices:
        near = nearest(typed, choices)
        again = f"{key}:{near}"
        if near:
            raise Wrong("`{}:` takes {}. Did you mean {} ?", key, ", ".join(choices), again, **_swapped(words, index, again))
        raise Wrong("`{}:` takes {}.", key, ", ".join(choices))
    options[key] = typed


_TAKES_NOT = "`{}:` does not take “{}”."
_EXAMPLES = {
    "kind": "Such as kind:fine,talks or kind:罚款.",
    "regulator": "Such as regulator:csrc.",
    "country": "Two letters, such as country:CN: the regulator's.",
    "status": "Such as status:proposed.",
    "role": "Such as role:target,group.",
    "severity": "Such as severity:>=fine.",
    "currency": "Three letters, such as currency:USD.",
    "min": "An amount with its currency, such as min:USD1m.",
    "since": "Such as since:90d, since:2021-03 or since:2021-03-01.",
    "until": "Such as until:2021-03 or until:2021-03-01.",
    "lang": "Such as lang:zh or lang:zh-Hans.",
    "limit": "A number from 1 to 20.",
}


def _canonical(key: str, typed: str, words: Sequence[Word], index: int) -> str:
    """The value as `records.Term` keeps it. Raises for one that means nothing, with the nearest that does."""
    plain = fold(syntax_of(typed)).strip()
    match key:
        case "kind" | "status" | "role":
            return _choice(key, plain, words, index)
        case "severity":
            return _severity(plain, words, index)
        case "country":
            found = _known(key).get(plain, plain).upper()
            if re.fullmatch(r"[A-Z]{2}(-[A-Z]{2})?|INT", found):
                return found
        case "lang":
            found = _known(key).get(plain, plain)
            if match_ := re.fullmatch(r"([a-z]{2,3})(?:-([a-z]{4}))?", found):
                return match_[1] + (f"-{match_[2].title()}" if match_[2] else "")
        case "currency":
            found = _CURRENCIES.get(plain, plain.upper())
            if found in _ISO:
                return found
        case "min":
            return _amount(plain, words, index)
        case "since" | "until":
            day = time_of(plain)
            if day:
                return day
        case "limit":
            if re.fullmatch(r"[0-9]{1,3}", plain) and 1 <= int(plain) <= LARGEST_LIMIT:
                return str(int(plain))
        case _:
            # a regulator: kept as typed but for quotes, which would not survive being written back
            name = " ".join("".join(char for char in typed if char not in QUOTES).split())
            if name:
                return name
    raise Wrong(_TAKES_NOT, key, typed, hint=_EXAMPLES[key])


def _choice(key: str, typed: str, words: Sequence[Word], index: int) -> str:
    known = _known(key)
    if typed in known:
        return known[typed]
    singular = typed.removesuffix("s")
    if singular in known:
        return known[singular]
    near = nearest(typed, known)
    if near is None:
        values = ", ".join(dict.fromkeys(known.values()))
        raise Wrong("No {} “{}”. There are: {}.", key, typed, values)
    again = _replaced(words[index], typed, known[near], key)
    raise Wrong("No {} “{}”. Did you mean {} ?", key, typed, known[near], **_swapped(words, index, again))


def _replaced(word: Word, typed: str, new: str, key: str) -> str:
    """The word with one of its values replaced; the rest of a comma list stays."""
    head, value = word.split(COLONS, most=1)
    values = [new if fold(syntax_of(part.text)).strip() == typed else part.text for part in value.split(COMMAS)]
    return str(Term(key, tuple(value for value in values if value), head.text[0] in DASHES))


def _severity(typed: str, words: Sequence[Word], index: int) -> str:
    typed = typed.replace("≥", ">=").replace("≧", ">=").replace("≤", "<=").replace("≦", "<=").replace(" ", "")
    typed = re.sub(r"^=([<>])", r"\1=", typed)
    match = re.fullmatch(r"(>=|<=|>|<|=?)([^<>=]+?)(\+?)", typed)
    if match is None:
        raise Wrong(_TAKES_NOT, "severity", typed, hint=_EXAMPLES["severity"])
    kinds = _known("kind")
    bound = kinds.get(match[2]) or kinds.get(match[2].removesuffix("s"))
    if bound is None:
        near = nearest(match[2], kinds)
        if near is None:
            raise Wrong("No kind “{}”.", match[2], hint=_EXAMPLES["severity"])
        again = f"severity:{match[1]}{kinds[near]}"
        raise Wrong("No {} “{}”. Did you mean {} ?", "kind", match[2], again, **_swapped(words, index, again))
    if Kind(bound).severity is None:
        raise Wrong("“{}” stands beside the scale of severity; use {}.", bound, f"kind:{bound}", **_swapped(words, index, f"kind:{bound}"))
    sign = ">=" if match[3] else "" if match[1] == "=" else match[1]
    return f"{sign}{bound}"


def _amount(typed: str, words: Sequence[Word], index: int) -> str:
    """USD1000000 for `USD1m`, `1m USD`, `US$1,000,000`, `500万 RMB`. Nothing is assumed: $ and ¥ alone are asked about."""
    found = re.fullmatch(r"([^0-9.,\s]*)\s*((?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?|\.[0-9]+)\s*(.*)", typed)
    if found is None:
        raise Wrong(_TAKES_NOT, "min", typed, hint=_EXAMPLES["min"])
    before, number, after = found[1], found[2].replace(",", ""), found[3].strip()
    unit, currency = "", before
    for name in sorted(_UNITS, key=len, reverse=True):
        if name and re.match(rf"{name}(?![a-z])", after):
            unit, after = name, after[len(name) :].strip()
            break
    if after and currency:
        raise Wrong(_TAKES_NOT, "min", typed, hint=_EXAMPLES["min"])
    currency = currency or after
    code = _CURRENCIES.get(currency) or (currency.upper() if currency.upper() in _ISO else None)
    if len(number) > 24:
        raise Wrong("`min:` does not take “{}…”: the number is too long.", number[:12])
    value = Decimal(number) * _UNITS[unit]
    if code is None:
        guess = {"$": "USD", "¥": "CNY", "元": "CNY", "": "USD"}.get(currency)
        if guess is None:
            raise Wrong("No currency “{}”.", currency, hint=_EXAMPLES["min"])
        again = _swapped(words, index, f"min:{guess}{number}{unit}")
        if currency:
            raise Wrong("“{}” may be several currencies.", currency, hint=_EXAMPLES["min"], **again)
        raise Wrong("An amount needs its currency.", hint=_EXAMPLES["min"], **again)
    plain = f"{value:f}"
    return code + (plain.rstrip("0").rstrip(".") if "." in plain else plain)


def time_of(typed: str) -> str | None:
    """90d, 2021, 2021-03 or 2021-03-01; weeks are counted out, a month is 30 days and a year 365."""
    if typed in ("today", "yesterday", "今天", "昨天"):
        return "0d" if typed in ("today", "今天") else "1d"
    span = re.fullmatch(r"([0-9]{1,5}) ?(d|days?|天|w|weeks?|周|m|months?|个?月|y|years?|年)", typed)
    if span and not (span[2] == "年" and len(span[1]) == 4):
        days = {"d": 1, "天": 1, "w": 7, "周": 7, "m": 30, "月": 30, "个": 30, "y": 365, "年": 365}[span[2][0]]
        return f"{int(span[1]) * days}d"
    parts = re.fullmatch(r"([0-9]{4})(?:[-/.年]([0-9]{1,2})(?:[-/.月]([0-9]{1,2})日?|月)?|年)?", typed)
    if parts is None:
        return None
    year, month, day = (int(part) if part else None for part in parts.groups())
    try:
        date(year or 0, month or 1, day or 1)
    except ValueError:
        return None
    return f"{year:04}" + (f"-{month:02}" if month else "") + (f"-{day:02}" if day else "")


@cache
def _known(key: str) -> Mapping[str, str]:
    """Every folded spelling of a key's values -> the value. Built when first asked for: the fold takes 0.1 s to load."""
    values: Iterable[str]
    match key:
        case "kind":
            values, more = [kind.value for kind in Kind], {kind.value: spellings for kind, spellings in KIND_WORDS.items()}
        case "status":
            values, more = [status.value for status in Status], {status.value: spellings for status, spellings in _STATUS_WORDS.items()}
        case "role":
            values, more = [role.value for role in Role], {role.value: spellings for role, spellings in _ROLE_WORDS.items()}
        case "country":
            values, more = _COUNTRIES, _COUNTRIES
        case _:
            values, more = _LANGUAGES, _LANGUAGES
    table: dict[str, str] = {}
    for value in values:
        for spelling in (value, value.replace("_", " "), value.replace("_", "-"), value.replace("_", ""), *more.get(value, ())):
            table.setdefault(fold(spelling), value)
    return table


_ISO = frozenset(
    re.findall(
        r"\w+",
        "AED AUD BGN BRL CAD CHF CLP CNY COP CZK DKK EGP EUR GBP HKD HUF IDR ILS INR ISK JPY KES KRW KZT"
        " MOP MXN MYR NGN NOK NZD PEN PHP PKR PLN QAR RON RUB SAR SEK SGD THB TRY TWD UAH USD VND ZAR",
    )
)
