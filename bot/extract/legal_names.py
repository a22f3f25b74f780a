"""Firms that their form gives away: "Acme Ltd", 某某有限公司, a short name before its stock code or behind ST.

add_legal_names(reading, names, hits)   the words with capitals, or the characters, before a legal form
add_stock_codes(reading, names)         the last characters before "(600123)"
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from bot.extract.names import (
    CODE_BRACKET,
    HAN_CUT,
    HAN_SUFFIX,
    Hit,
    Name,
    Reading,
    be_another,
    common_words,
    firm_key,
    forms,
    is_prose,
    skip_marks,
)
from bot.extract.short_names import Look, look
from bot.extract.text import HAN, alternation, lands, pattern, vocabulary, words
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
            body = next((i for i in inside if names[i].regulators and taken[i][0] == left), -1)
            if body >= 0 and (begin := _behind_initials(reading, left, taken[body][1], right)) >= 0:
                inside.remove(body)
                left = begin
            last = max((i for i in inside if names[i].firm_id), key=lambda i: taken[i][1], default=-1)
            if last >= 0 and (begin := _behind_joint(reading, taken[last][1], right)):
                left, inside = begin, [i for i in inside if taken[i][1] > begin]
            if any(names[i].regulators or not (left <= names[i].start and names[i].end <= right) for i in inside):
                continue
            if any(names[i].firm_id for i in inside):
                if len(inside) == 1 and left < taken[inside[0]][0] and _is_longer(reading, left, names[inside[0]], right):
                    names[inside[0]].start = left
                    be_another(reading, names[inside[0]])
                continue
            surface = reading.whole[left:right]
            names.append(Name(left, right, right, _twin_key(names, firm_key(surface)), name=surface, rule="legal-form"))
            taken.append((left, right))


def _behind_initials(reading: Reading, left: int, end: int, right: int) -> int:
    """Where a firm's name begins in a run that begins with a body's initials: behind them, unless they are the firm's own.

    They are when they are a form, "SC Lumina S.R.L.", or when something is done to what they begin: "fined PRB Iberia S.L.".
    -1 for a body's full name, and when the words behind are those of any name.
    """
    rest = set(reading.folded[end:right].replace(",", "").split())
    if not reading.whole[left:end].isupper() or " " in reading.whole[left:end] or rest <= common_words():
        return -1
    is_own = reading.folded[left:end] in vocabulary("legal", "front") or _is_object(reading, left)
    return left if is_own else end + 1


def _behind_joint(reading: Reading, end: int, right: int) -> int:
    """Where the next name begins behind a known one that "and" joins to it: "Google and Moor Ltd". 0 when the words go on with no name."""
    joint = _JOINT.match(reading.whole, end, right)
    is_name = joint and not set(reading.folded[joint.end() : right].replace(",", "").split()) <= common_words()
    return joint.end() if joint and is_name else 0


_JOINT = re.compile(r"\s(?:and|und|et|y|e|en|og|och)\s(?=[^\W\d_a-zß-öø-ÿ])")


def _is_object(reading: Reading, at: int) -> bool:
    """Whether what begins at the offset stands right behind a trigger word or such a preposition."""
    return reading.folded.endswith((" on ", " against "), 0, at) or any(hit.end == at - 1 for hit in reading.hits)


def _is_longer(reading: Reading, left: int, known: Name, right: int) -> bool:
    """Whether a known name with its form only ends the name of another firm: "PRB Iberia S.L.".

    The words before it are no land, trade or person, and no verb of a headline; one that begins a sentence may be anything.
    """
    whole, front = reading.whole, set(reading.folded[left : known.start].replace(".", "").split()) - _JOINERS
    is_begun = left == 0 or not whole[left - 2 : left - 1].islower()
    is_caption = whole[max(0, left - 10) : left].lower().endswith(("re ", "matter of "))
    return (
        known.strength is not None
        and bool(front)
        and abs(known.end - right) < 2
        and len(front) > is_begun
        and front.isdisjoint(_no_fronts())
        and not front <= common_words() | lands()
        and reading.language != "de"  # there every noun has a capital
        and (is_caption or left >= reading.title_end or is_prose(whole, left))
    )


@cache
def _no_fronts() -> frozenset[str]:
    people = vocabulary("persons", "roles") | vocabulary("persons", "titles") | vocabulary("persons", "given")
    return vocabulary("legal", "not_firms") | vocabulary("bodies", "words") | people


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
    r"SA/NV|NV/SA|SE|S\.A\.U|S\.A\.S|S\.A|SA|SAS|SAU|S\.L\.U|S\.L|SL|SLU|S\.p\.A|s\.p\.a|S\.P\.A|SpA|spa|EOOD|OOD|OÜ|PJSC|OJSC|JSC|"
    r"[Ss]p\. ?z ?\.?o\.? ?o|"
    r"z\.o\.o|spol\. s ?r\.o|s\.r\.o|a\. ?s|UAB|SIA|S\.[aà] ?r\.l|S\.r\.l|s\.r\.l|S\.R\.L|srl|Srl|SRL|N\.V|NV|B\.V|BV|"
    r"KG|AB|ASA|AS|A/S|ApS|Oy|Oyj|Pte|Pty|Bhd|Berhad|Co|Company|Bancorp|N\.A|Sarl|SARL|Kft|d\.o\.o|d\.d|Nyrt|Zrt|DAC|"
    r"S\.L\.P|SLP|S\.A\.D|S\.L\.L|SLL|Lda|LDA|Ltda|LTDA|KGaA|e\.V|EAD|ehf)(?:\.(?!\w)|(?![\w.-])|(?=\.(?:\s|$)))"
)

_MORE_FORM = re.compile(
    r"(?:,?\s(?:Ltd|Limited|LLC|L\.L\.C\.|Inc|LLP|LP|L\.P\.|Partnership|plc|KG|N\.A\.|S\.A\.|B\.V\.|E\.F\.C|EFC)\.?(?!\w)|"
    r"\s& Co\.?\s(?:KGaA|KG|OHG)(?!\w))+"
)

_JOINERS = frozenset(
    (
        *("&", "and", "of", "de", "di", "du", "del", "della", "la", "the", "y", "e", "et", "und", "for", "van", "von"),
        *("i", "és", "og", "och", "per", "por", "en", "dei", "delle", "degli", "des", "do", "dos", "da", "los", "las"),
    )
)


def _latin_names(reading: Reading, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Walk left from each legal form over the capitalised words before it."""
    whole, last = reading.whole, start
    for form in _FORM.finditer(whole, start, end):
        form_start = form.start() + 1
        if form_start < last:
            continue
        left = at = form_start
        count = small = 0
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
            is_kind = comma and bool({_bare(text), _bare(whole[at:form_start].split(",")[0])} & _KINDS)
            if comma and not (at == form_start or is_kind or _is_listy(whole, last, at)):
                break
            is_sum = text.isdigit() and comma is False and before.endswith("," + text)  # "EUR 5,000 Acme S.L."
            is_name = text[0].isupper() or (text[0].isdigit() and not is_sum) or (text in ("&",))
            if text.lower() in _JOINERS and not text[0].isupper():
                inner = re.search(r"([^\s,;:()]+)\s+$", whole[last : last + token.start()])
                is_joined = inner is not None and (inner.group(1)[0].isupper() or (text != "the" and inner.group(1) in _JOINERS))
                if inner is None or not is_joined or text == "for" or _is_form(inner.group(1)) or (small and not count):
                    break
                at = last + token.start()
                continue
            if not small and not count and _SLAVIC.match(whole, form_start) and _is_small_word(text):
                at, small = last + token.start(), 1  # "Moravská spořitelna, a.s."
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


_KINDS = frozenset(("efc", "ep", "unipessoal", "unipersonal", "sgiic", "sgfi", "sme"))
"""What stands between commas before a form: "Acme Pagos, E.P., S.A.U."."""


def _bare(word: str) -> str:
    return fold(word).replace(".", "").strip(" ,")


_SLAVIC = re.compile(r"a\. ?s|s\.r\.o|spol\.|d\.o\.o|d\.d")
"""Forms of languages that write all but the first word of a name small."""


def _is_small_word(text: str) -> bool:
    return len(text) > 3 and text.isalpha() and text.islower() and text not in words("grammar", "stops")


_LAND_BRACKET = re.compile(r"\s\([A-Z][\w. ]{1,14}\)$")


def _is_form(word: str) -> bool:
    """Whether a name ends here, so that "of" after it begins another: "Acme Group of Brill SA", but not "Bank of Brill SA"."""
    return fold(word).strip(".,") in forms() - {"bank", "company", "trust"}


def _is_pointed(whole: str, form: str, *, is_last: bool) -> bool:
    """Whether the point belongs to the form: "Inc.", "S.L.", not "GmbH."; "Ltd." at a sentence's end when it is written so elsewhere."""
    if "." in form[:-1] or len(form) == 2 or form.lower() in ("inc.", "corp.", "co.", "bros."):
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


_LONG_NAMED = re.compile(r"\s?\((?:\d{4,5}\.hk|[48]\d{5})\)")
"""Codes of markets where a short name has more than four letters."""
_BEFORE_BRACKET = re.compile(rf"(?:(?:s?\*)?st)?[{HAN}a-z0-9·]{{2,8}}$")

_ST = re.compile(rf"(?:s?\*|(?<![a-z]))st[{HAN}]{{2}}(?:[ab](?![a-z]))?")


@cache
def _glue() -> re.Pattern[str]:
    """What ends a headline that the next one is glued to."""
    words_before = "|".join(word for word in (*words("han", "glue"), *words("han", "takers")) if len(word) > 1)
    closers = f"{pattern('han', 'closers').pattern}|{pattern('han', 'soft_closers').pattern}"
    return re.compile(rf"{closers}|{words_before}|\d(?:[万亿]?(?:股|元|美元)|%|万|年)")


def add_stock_codes(reading: Reading, names: list[Name]) -> None:
    """Chinese short names before a stock code, and those marked ST: the last two to four characters before the bracket.

    In Hong Kong and on the small firms' market a longer one that stands alone is a name too.
    """
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
        cuts = [cut for cut in cuts if folded[cut:end] not in vocabulary("legal", "han_endings")]  # 众和股份 is one name
        cuts += [hit.end for hit in reading.hits if start < hit.end <= end - 2]
        cuts += [found.end() for found in _glue().finditer(folded, max(0, start - 4), end) if start < found.end() <= end - 2]
        first = end - 4 if star < 0 else star - (folded[star - 1] == "*") - (folded[max(0, star - 2) : star] == "s*")
        is_alone = not (cuts or star >= 0 or (start and folded[start - 1].isalnum()))
        if not (is_alone and _LONG_NAMED.match(folded, end) and look(folded[start:end]) is Look.CERTAIN):
            start = max([start, first, *cuts])
        if end - start >= 2:
            spans.insert(0, (start, end))
    for start, end in spans:
        if not any(a < end and start < b for a, b in taken):
            surface = reading.whole[start:end]
            names.append(Name(start, end, end, firm_key(surface), name=surface, rule="stock-code"))
            taken.append((start, end))
