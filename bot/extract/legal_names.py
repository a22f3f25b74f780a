"""Firms that their form gives away: "Acme Ltd", 某某有限公司, a short name before its stock code or behind ST.

add_legal_names(reading, names, hits)   the words with capitals, or the characters, before a legal form
add_stock_codes(reading, names)         the last characters before "(600123)"
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from bot.extract.names import CODE_BRACKET, HAN_CUT, HAN_SUFFIX, Hit, Name, Reading, common_words, firm_key, forms, skip_marks
from bot.extract.text import HAN, alternation, lands, pattern, words
from storage.text import fold


def add_legal_names(reading: Reading, names: list[Name], hits: list[Hit]) -> None:
    """Firms that their legal form gives away, in sentences with a trigger and in the title."""
    spans = [(s.start, s.end) for i, s in enumerate(reading.sentences) if i not in reading.furniture]
    taken = [(name.start, name.end) for name in names]
    for start, end in spans:
        if not (start < reading.title_end or start == 0 or any(start <= hit.start < end for hit in hits)):
            continue
        for left, right in (*_undescribed(reading, _latin_names(reading, start, end)), *_han_names(reading, start, end, hits, names)):
            inside = [i for i, (a, b) in enumerate(taken) if a < right and left < b]
            if any(names[i].regulators or not (left <= names[i].start and names[i].end <= right) for i in inside):
                continue
            if any(names[i].firm_id for i in inside):
                continue
            surface = reading.whole[left:right]
            names.append(Name(left, right, right, _twin_key(names, firm_key(surface)), name=surface, rule="legal-form"))
            taken.append((left, right))


def _twin_key(names: list[Name], key: str) -> str:
    """The key of a firm already named whose letters a scan read otherwise: "Westem" for "Western", "Tele dyne"."""
    letters = _letters(key)
    return next((name.key for name in names if name.rule == "legal-form" and _letters(name.key) == letters), key)


def _letters(key: str) -> str:
    return key.replace(" ", "").replace("rn", "m")


_NAMED_BEHIND = re.compile(r"\s([A-Z][\w.-]+)\s(?:[Ff]or|[Oo]ver|[Aa]fter)\s")


def _undescribed(reading: Reading, spans: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Without what only describes the next one: "Patio Furniture Company Grosfillex Inc."."""
    before: tuple[int, int] | None = None
    for span in spans:
        if before and not (span[0] == before[1] + 1 and reading.whole.endswith(("Company", "Firm", "Corporation"), 0, before[1])):
            yield before
        before = span
        named = _NAMED_BEHIND.match(reading.whole, span[1]) if reading.whole.endswith("Company", 0, span[1]) else None
        if named and not any(hit.start == named.start(1) for hit in reading.hits):
            before = None  # "Rideshare Company Zephyr for ..."
    if before:
        yield before


_FORM = re.compile(
    r"[\s,](?:Inc|INC|Incorporated|Ltd|LTD|Limited|LIMITED|LLC|L\.L\.C|LLP|L\.P|LP|Corp|CORP|Corporation|plc|PLC|Plc|AG|GmbH|"
    r"SE|S\.A\.U|S\.A\.S|S\.A|SA|SAS|SAU|S\.L\.U|S\.L|SL|SLU|S\.p\.A|s\.p\.a|S\.P\.A|SpA|spa|EOOD|OOD|OÜ|PJSC|OJSC|JSC|"
    r"[Ss]p\. ?z ?\.?o\.? ?o|"
    r"z\.o\.o|s\.r\.o|a\.s|UAB|SIA|S\.[aà] ?r\.l|S\.r\.l|s\.r\.l|S\.R\.L|srl|Srl|SRL|N\.V|NV|B\.V|BV|"
    r"KG|AB|ASA|AS|A/S|ApS|Oy|Oyj|Pte|Pty|Bhd|Berhad|Co|Company|Bancorp|N\.A|Sarl|SARL|Kft|d\.o\.o)(?:\.(?!\w)|(?![\w.-])|(?=\.(?:\s|$)))"
)

_MORE_FORM = re.compile(r"(?:,?\s(?:Ltd|Limited|LLC|L\.L\.C\.|Inc|LLP|LP|L\.P\.|plc|KG|N\.A\.|S\.A\.|B\.V\.)\.?(?!\w))+")

_JOINERS = frozenset(("&", "and", "of", "de", "di", "du", "del", "della", "la", "the", "y", "e", "et", "und", "for", "van", "von"))


def _latin_names(reading: Reading, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Walk left from each legal form over the capitalised words before it."""
    whole, last = reading.whole, start
    for form in _FORM.finditer(whole, start, end):
        form_start = form.start() + 1
        if form_start < last:
            continue
        left = at = form_start
        count = 0
        while at > last and count < 10:
            before = whole[last:at].rstrip(" ")
            comma = before.endswith(",")
            bracket = _LAND_BRACKET.search(before.rstrip(", "))  # "DHL Express (USA), Inc."
            if bracket and at == form_start:
                before, comma = before[: bracket.start()], False
            token = re.search(r"[^\s,;:()\[\]\"“”„«»]+$", before.rstrip(", ") if comma else before)
            if token is None:
                break
            text = token.group()
            if comma and not (at == form_start or _is_listy(whole, last, at)):
                break
            is_sum = text.isdigit() and comma is False and before.endswith("," + text)  # "EUR 5,000 Acme S.L."
            is_name = text[0].isupper() or (text[0].isdigit() and not is_sum) or (text in ("&",))
            if text.lower() in _JOINERS and not text[0].isupper():
                inner = re.search(r"([^\s,;:()]+)\s+$", whole[last : last + token.start()])
                if inner is None or not inner.group(1)[0].isupper() or text == "for" or _is_form(inner.group(1)):
                    break
                at = last + token.start()
                continue
            if (
                not is_name
                or (text.endswith(".") and len(text) > 5 and fold(text) not in words("legal", "latin"))
                or fold(text) in _STOPPERS
                or text.lower().endswith(_ABOUT_WHERE)
            ):
                break
            at = left = last + token.start()
            count += 1
        if count:
            left = _strip_front(reading, left, form_start)
            places = lands()
            if left < form_start and not all(
                word in places for word in fold(whole[left:form_start]).split()
            ):  # a New Jersey Company, the Finnish SA
                more = _MORE_FORM.match(whole, form.end(), end)
                last = more.end() if more else form.end()
                if whole[last - 1] == "." and not _is_pointed(whole, whole[left:last].split()[-1], is_last=last == end):
                    last -= 1
                yield left, last


_LAND_BRACKET = re.compile(r"\s\([A-Z][\w. ]{1,14}\)$")


def _is_form(word: str) -> bool:
    """Whether a name ends here, so that "of" after it begins another: "Acme Group of Brill SA"."""
    return fold(word).strip(".,") in forms() | {"group"}


def _is_pointed(whole: str, form: str, *, is_last: bool) -> bool:
    """Whether the point belongs to the form: "Inc.", "S.L.", not "GmbH."; "Ltd." at a sentence's end when it is written so elsewhere."""
    if "." in form[:-1] or form.lower() in ("inc.", "corp.", "co.", "bros."):
        return True
    return form.lower() in ("ltd.", "pte.", "pty.") and (not is_last or bool(re.search(rf"\b{form[:-1]}\.[,)]?\s[a-z(]", whole)))


_ABOUT_WHERE = ("-based", "-headquartered", "-listed", "-linked", "-owned")
_STOPPERS = frozenset(
    (
        "his",
        "her",
        "its",
        "their",
        "our",
        "your",
        "against",
        "with",
        "by",
        "to",
        "fines",
        "fined",
        "sues",
        "charges",
        "orders",
        "v.",
        "vs.",
        "v",
        "controller:",
    )
)


def _is_listy(whole: str, low: int, at: int) -> bool:
    """A comma inside a name: "Hislop, Staley & Given Inc." has an ampersand later."""
    return "&" in whole[at : at + 40].split("\n")[0][:40] and whole[low:at].count(",") <= 2


def _strip_front(reading: Reading, left: int, form: int) -> int:
    """Drop a verb or article that a capital letter took along ("SEC Charges Acme Inc.")."""
    hits = [hit for hit in reading.hits if left <= hit.start < form]
    if hits:
        left = skip_marks(reading.whole, hits[-1].end)
    lead = re.match(
        r"(?:The|In|A|An|On|Under|After|Today|Against|By|Re|And|Matter of|When|While|Both|Since|For|Of|To|With|As)\s+(?=[A-Z])",
        reading.whole[left:form],
    )
    left += lead.end() if lead else 0
    first = reading.folded[left:form].split(" ", 1)
    if len(first) == 2 and first[0].endswith(words("legal", "compounds")) and first[1].strip(" ,"):
        left += len(first[0]) + 1  # "Fahrradhersteller Acme GmbH"
    return behind_kind(reading.folded, left, form, is_formed=True)


def behind_kind(folded: str, start: int, end: int, *, is_formed: bool = False) -> int:
    """Where in a run of capitals the name begins: behind a noun for firms, "Advisory Firm Harborlight Advisers".

    The noun stays when only words of any name follow ("Maker Holdings"), or one alone ("Maker Studios Inc."). Before a
    form "Company" is part of the name: "Ford Motor Company Fund Inc.".
    """
    for noun in reversed(list(_kind_in_front().finditer(folded, start, end))):
        rest = folded[noun.end() : end].replace(",", " ").split()
        if set(rest) - common_words() and not (is_formed and noun[1] == "company"):
            return noun.end() if noun.start() > start or len(rest) > 1 else start
    return start


@cache
def _kind_in_front() -> re.Pattern[str]:
    return re.compile(rf"\b({alternation('legal', 'descriptors_in_front')})\s(?=\S)")


def _han_names(reading: Reading, start: int, end: int, hits: list[Hit], names: list[Name]) -> Iterator[tuple[int, int]]:
    """Walk left from a Chinese legal form to the nearest cut: punctuation, a function word, a trigger, a regulator."""
    folded, last = reading.folded, start
    for suffix in HAN_SUFFIX.finditer(folded, start, end):
        low = max(last, suffix.start() - 26)
        cut = low
        for match in HAN_CUT.finditer(folded, low, suffix.start()):
            cut = match.end()
        edges = [hit.end for hit in hits if low <= hit.end <= suffix.start() - 2]
        edges += [name.end for name in names if name.regulators and low <= name.end <= suffix.start() - 2]
        left = max([cut, *edges])
        body = folded[left : suffix.start()]
        if len(body) >= 2 and not re.fullmatch(r"(?:一家|某|该|这家|两家|\d+家|多家|上述).*|.*(?:家|名)", body):
            yield left, suffix.end()
            last = suffix.end()


_BEFORE_BRACKET = re.compile(rf"(?:(?:s?\*)?st)?[{HAN}a-z0-9·]{{2,8}}$")

_ST = re.compile(rf"(?:s?\*|(?<![a-z]))st[{HAN}]{{2}}(?:[ab](?![a-z]))?")


@cache
def _glue() -> re.Pattern[str]:
    """What ends a headline that the next one is glued to."""
    return re.compile(rf"{pattern('han', 'closers').pattern}|{pattern('han', 'soft_closers').pattern}|\d(?:[万亿]?(?:股|元|美元)|%|万)")


def add_stock_codes(reading: Reading, names: list[Name]) -> None:
    """Chinese short names before a stock code, and those marked ST: the last two to four characters before the bracket."""
    folded = reading.folded
    if not reading.language.startswith("zh"):
        return
    if "(" not in folded and "st" not in folded:
        return
    taken = [(name.start, name.end) for name in names]
    spans = [(match.start(), match.end()) for match in _ST.finditer(folded)] if "st" in folded else []
    for bracket in CODE_BRACKET.finditer(folded):
        match = _BEFORE_BRACKET.search(folded, max(0, bracket.start() - 9), bracket.start())
        if match is None:
            continue
        start, end = match.start(), match.end()
        star = folded.find("st", start, end)
        cuts = [found.end() for found in HAN_CUT.finditer(folded, start, end) if found.end() <= end - 2 or found.group() != "因"]
        cuts += [hit.end for hit in reading.hits if start < hit.end <= end - 2]
        cuts += [found.end() for found in _glue().finditer(folded, max(0, start - 4), end) if start < found.end() <= end - 2]
        first = end - 4 if star < 0 else star - (folded[star - 1] == "*")
        start = max([start, first, *cuts])
        if end - start >= 2:
            spans.insert(0, (start, end))
    for start, end in spans:
        if not any(a < end and start < b for a, b in taken):
            surface = reading.whole[start:end]
            names.append(Name(start, end, end, firm_key(surface), name=surface, rule="stock-code"))
            taken.append((start, end))
