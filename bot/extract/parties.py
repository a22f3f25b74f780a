"""A string of names, as captions and tables of decisions print them, taken apart into parties.

    parties("Acme & Co. Inc. John D. Roe, Jane Roe") -> Acme & Co. Inc. (a firm), John D. Roe, Jane Roe (persons)

A comma is no border by itself: "Gray, Stone & Hill Inc." is one firm, "Doe, Jr." one person. A legal form ends a
firm's name; what follows it without one are persons; brackets and former names belong to the name before them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.extract.text import vocabulary
from storage.text import fold


@dataclass(frozen=True, slots=True)
class Party:
    """One name of the string and its place there; `also` are the names that a bracket or "f/k/a" adds."""

    name: str
    start: int
    end: int
    is_person: bool
    also: tuple[str, ...] = ()


_ALSO = (
    r"(?:f/?k/?a|n/?k/?a|a/?k/?a|d/?b/?a|t/?a|formerly(?: known as)?|now known(?: in relevant part)? as|also known as|doing business as|"
    r"trading as)"
)
_BRACKET = re.compile(r"\s*,?\s?\([^()]*(?:\)|$)")
_RENAMED = re.compile(rf"[\s,]+{_ALSO}\b:?\s", re.IGNORECASE)
_ALIAS = re.compile(rf"^\W*(?:{_ALSO}\b:?\s*)?(?:the )?", re.IGNORECASE)
_TOKEN = re.compile(r"[^\s,;]+")
_PARTING = re.compile(r"[;\n]|\s(?:v\.?|vs\.?)\s|\bet al\b\.?", re.IGNORECASE)
_COMMA = re.compile(r"\s*,[\s,.]*(?:(?:and|und|et|e|y|en)\s)?|\s+(?:and|und|et|e|y|en)\s+")
_JOINT = re.compile(r"[\s,.]*(?:(?:and|und|et|e|y|en|&)\s+)?", re.IGNORECASE)
_FOOTNOTE = re.compile(r"[\s,]+(?:crd no\.?\s?)?[\d\s,]+$", re.IGNORECASE)
_SUFFIX = re.compile(r"(?:jr|sr|ii|iii|iv|esq|cpa|phd|md)\.?", re.IGNORECASE)
_UNPOINTED = re.compile(r"\s(?:llc|llp|lp|plc|gmbh|ag|kg|limited|incorporated|corporation|company)\.$", re.IGNORECASE)
"""Forms that are no abbreviations, before a point that ends a sentence."""
_INITIAL = re.compile(r"[a-z]\.?", re.IGNORECASE)
_HARD = frozenset(
    (
        *(
            "inc",
            "incorporated",
            "ltd",
            "limited",
            "llc",
            "llp",
            "lp",
            "corp",
            "corporation",
            "plc",
            "ag",
            "gmbh",
            "sa",
            "sas",
            "spa",
            "srl",
        ),
        *(
            "nv",
            "bv",
            "kg",
            "kgaa",
            "ab",
            "asa",
            "oy",
            "oyj",
            "pte",
            "pty",
            "bhd",
            "berhad",
            "sarl",
            "se",
            "sl",
            "slu",
            "sau",
            "co",
            "company",
            "sa/nv",
            "sab",
            "cv",
            "aktiengesellschaft",
            "partnership",
        ),
    )
)
_ANOTHER = re.compile(r"[.\s]*\s(?:and|und|et|e|y|en|&)\s+(?!(?:co|company|sons|partners|associates|brothers)\b)(?=\S)", re.IGNORECASE)
_CONTINUED = frozenset(("acquisition", "acquisitions", "holding", "holdings", "services", "financial", "finance", "international"))
_SOFT = frozenset(("co", "company", "sa", "se", "ab", "as", "sl"))  # other words may follow it before the form proper


def parties(text: str) -> list[Party]:
    """The parties that the string names, in its order; nothing for a string without a letter."""
    masked, also = _without_aliases(text)
    found: list[Party] = []
    at = 0
    for end in [*(match.start() for match in _PARTING.finditer(masked)), len(masked)]:
        found += _chunk(text, masked, at, end)
        at = end
        parting = _PARTING.match(masked, end)
        at = parting.end() if parting else end
    named = []
    for place, party in enumerate(found):
        limit = found[place + 1].start if place + 1 < len(found) else len(text)
        names = tuple(name for start, name in also if party.start < start <= limit)
        named.append(Party(party.name, party.start, party.end, party.is_person, names))
    return named


def _without_aliases(text: str) -> tuple[str, list[tuple[int, str]]]:
    """The text with brackets and other names blanked out, and those names with their places."""
    also: list[tuple[int, str]] = []
    masked = text

    def blank(start: int, end: int) -> None:
        nonlocal masked
        said = _ALIAS.sub("", text[start:end]).strip(' ,.;()"“”')
        if said:
            also.append((start, said))
        masked = masked[:start] + " " * (end - start) + masked[end:]

    for match in _BRACKET.finditer(text):
        if not re.search(r"\w[\"”)]*\s+\w+\s*$", text[match.end() : match.end() + 12]) or re.search(_ALSO, match.group(), re.IGNORECASE):
            blank(match.start(), match.end())
    for match in _RENAMED.finditer(masked):
        forms = [end for _, end, is_hard in _forms(masked, match.end(), len(masked)) if is_hard]
        blank(match.start(), forms[0] if forms else len(masked))
    return masked, also


def _forms(text: str, start: int, end: int) -> Iterator[tuple[int, int, bool]]:
    """The runs of legal forms, each with whether one of its words is a form for certain."""
    run: tuple[int, int, bool] | None = None
    for token in _TOKEN.finditer(text, start, end):
        word = fold(token.group()).replace(".", "").strip("'\"")
        if word in _HARD and token.start() > start:
            is_hard = word not in _SOFT
            if run and text[run[1] : token.start()].strip(" ,.") in ("", "de"):
                run = (run[0], token.end(), run[2] or is_hard)
                continue
            if run:
                yield run
            run = (token.start(), token.end(), is_hard)
        elif word and not (word == "de" and run):  # S.A. de C.V.
            if run:
                yield run
            run = None
    if run:
        yield run


def _chunk(text: str, masked: str, start: int, end: int) -> Iterator[Party]:
    at = start
    runs = list(_forms(masked, start, end))
    for place, (left, right, is_hard) in enumerate(runs):
        following = runs[place + 1] if place + 1 < len(runs) else None
        if following and _goes_on(masked[right : following[0]].rstrip(" ,"), is_hard=is_hard):
            continue
        lead = _JOINT.match(masked, at, left)
        at = lead.end() if lead else at
        yield from _firm(text, masked, at, right)
        at = right
    yield from _rest(text, masked, at, end, is_after=at > start)


def _goes_on(gap: str, *, is_hard: bool) -> bool:
    """Whether the name goes on behind a form, up to the next one: "& Co. Financial Services Inc.", "U.S. Corp Acquisition Inc."."""
    if "," in gap or _ANOTHER.match(gap):
        return False
    return not is_hard or (bool(gap.strip()) and all(word in _CONTINUED for word in fold(gap).split()))


def _firm(text: str, masked: str, start: int, end: int) -> Iterator[Party]:
    """The firm that ends with its form, and the parties that commas part from its front."""
    at = start
    for comma in re.finditer(r",\s*(?:and\s)?", masked[start:end]):
        part, rest = masked[at : start + comma.start()].strip(), masked[start + comma.end() : end].strip()
        if all(fold(word).replace(".", "") in _HARD for word in rest.split()):
            continue  # "Martin Marietta Materials, Inc."
        words = part.split()
        own = words[1:] if words and fold(words[0]) in _HARD else words  # "AB Elm, Elm North Inc."
        is_repeated = len(words) > (1 if len(own) < len(words) else 2) and fold(rest).startswith(fold(own[0]) + " ")
        if not rest.startswith("&") and (_is_person(part) or is_repeated):
            yield from _party(text, at, start + comma.start(), is_person=not is_repeated)
            at = start + comma.end()
    joined = re.match(r"(.+?)\s+and\s+(?!(?:co|company|associates|partners|sons|brothers)\b)", masked[at:end], re.IGNORECASE)
    if joined:
        before, after = joined.group(1).split(), masked[at + joined.end() : end].split()
        if len(after) > 1 and (_is_person(joined.group(1)) or (at > start and len(before) == 2)):  # persons go on with a person
            yield from _party(text, at, at + joined.end(1), is_person=True)
            at += joined.end()
    yield from _party(text, at, end, is_person=False)


def _rest(text: str, masked: str, start: int, end: int, *, is_after: bool) -> Iterator[Party]:
    """What stands behind the last legal form, or a string without one: persons, or one partnership."""
    lead = _JOINT.match(masked, start, end)
    start = lead.end() if lead else start
    note = _FOOTNOTE.search(masked, start, end)
    body_end = note.start() if note and note.end() == end else end
    if not re.search(r"[^\W\d]", masked[start:body_end]):
        return
    body = masked[start:body_end]
    parts = _parts(body)
    if not is_after and (joined := re.search(r"\s(?:&|and)\s+\S+", body)) and not all(len(body[a:b].split()) > 1 for a, b in parts):
        stop = start + joined.end()  # "Gray, Stone & Hill H. John Gray"
        stop = stop if len(masked[stop:body_end].split()) > 1 else body_end
        yield from _party(text, start, stop, is_person=False)
        yield from _rest(text, masked, stop, end, is_after=True)
        return
    if not is_after and any(len(body[a:b].split()) < 2 for a, b in parts):
        yield from _party(text, start, body_end, is_person=False)
        return
    for left, right in parts:
        is_firm = bool(vocabulary("legal", "corporate").intersection(fold(body[left:right]).split()[1:]))
        yield from _party(text, start + left, start + right, is_person=not is_firm)


def _parts(body: str) -> list[tuple[int, int]]:
    parts: list[tuple[int, int]] = []
    at = 0
    for end, following in [*((match.start(), match.end()) for match in _COMMA.finditer(body)), (len(body), len(body))]:
        words = body[at:end].split()
        if parts and words and _SUFFIX.fullmatch(words[0].strip(".,")) and len(words) == 1:
            parts[-1] = (parts[-1][0], end)
        elif words and re.search(r"[^\W\d]", body[at:end]):
            parts.append((at, end))
        at = following
    return parts


def _party(text: str, start: int, end: int, *, is_person: bool) -> Iterator[Party]:
    while end > start and (text[end - 1] in " ,;" or (text[end - 1] == "." and _UNPOINTED.search(text, start, end))):
        end -= 1
    if re.search(r"[^\W\d]", text[start:end]):
        yield Party(text[start:end], start, end, is_person)


def _is_person(part: str) -> bool:
    """Two to five words, the first a given name or one of them an initial, none of a firm."""
    words = [fold(word).strip(".") for word in part.split()]
    return (
        2 <= len(words) <= 5
        and not re.search(r"&|\band\b", part)
        and not vocabulary("legal", "corporate").intersection(words)
        and (words[0] in vocabulary("persons", "given") or any(_INITIAL.fullmatch(word) for word in words[1:-1]))
    )
