"""Names that would mislead the reader of texts: words, surnames, places, regulators, names of two firms. Pure.

`register/common_words.txt` holds the words. A name that is one of them, or too short, or a
regulator's may be weak, never strong; a name that two firms share is read as neither of them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from storage.lists import ticker_key
from storage.models import AliasKind, Strength
from storage.records import AliasRow, ListRow, Register
from storage.text import fold

SHIPPED = "register"

_HAN = re.compile(r"[\u3400-\u9fff]")
_DENSE = re.compile(r"[\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3]")  # a character is a syllable or a word
_SAYS = {
    "english": ("word", "it is a word: make it weak"),
    "chinese": ("word", "it is a word: make it weak"),
    "surnames": ("surname", "it is a surname: make it weak"),
    "places": ("place", "it is a place: make it weak"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a name, and what to do."""

    check: str  # word, surname, place, short, two characters, regulator, shared, twice
    firm: str  # the firm's id; in a list its name
    name: str
    says: str


@cache
def common_words() -> Mapping[str, str]:
    """Folded word -> the section of common_words.txt that it stands in."""
    found: dict[str, str] = {}
    text = (files("storage") / "register" / "common_words.txt").read_text("utf-8")
    for part in re.split(r"^\[", text, flags=re.MULTILINE)[1:]:
        section, _, body = part.partition("]\n")
        lines = " ".join(line for line in body.splitlines() if not line.startswith("#"))
        for word in lines.split(","):
            if word.strip():
                found.setdefault(fold(word.strip()), section)
    return found


def lint(register: Register, *, is_strict: bool = False) -> list[Finding]:
    """What is wrong with the names of a register.

    What ships was weighed name by name, so its strong names of two Chinese characters, and its weak ones that firms
    share, are only found when `is_strict`.
    """
    bearers: defaultdict[str, list[AliasRow]] = defaultdict(list)
    for alias in register.aliases:
        key = ticker_key(alias.text) if alias.kind is AliasKind.TICKER else fold(alias.text)
        bearers[key].append(alias)
    return list(_lint(register, bearers, is_strict=is_strict))


def _lint(register: Register, bearers: Mapping[str, list[AliasRow]], *, is_strict: bool) -> Iterator[Finding]:
    bodies = _bodies(register)
    for sharers in bearers.values():
        is_weighed = not is_strict and all(alias.source == SHIPPED for alias in sharers)
        is_any_strong = any(alias.strength is Strength.STRONG for alias in sharers)
        firms = list(dict.fromkeys(alias.firm_id for alias in sharers))
        for alias in sharers:
            if alias.kind is not AliasKind.TICKER and alias.strength is Strength.STRONG:
                yield from _of_strong(alias.firm_id, alias.text, bodies, is_weighed=is_weighed)
            if len(firms) > 1 and (is_any_strong or not is_weighed):
                others = ", ".join(one for one in firms if one != alias.firm_id)
                yield Finding(
                    "shared", alias.firm_id, alias.text, f"it is a name of {others} too, and read as neither: leave one of them out"
                )


def _of_strong(firm: str, name: str, bodies: Mapping[str, str], *, is_weighed: bool = False) -> Iterator[Finding]:
    """What a strong name may not be."""
    folded = fold(name)
    if body := bodies.get(folded):
        yield Finding("regulator", firm, name, f"it is a name of the regulator {body}: make it weak, or leave it out")
    if section := common_words().get(folded):
        yield Finding(_SAYS[section][0], firm, name, _SAYS[section][1])
    elif len(folded) < (2 if _DENSE.search(folded) else 3):
        yield Finding("short", firm, name, "it is too short to be a name by itself: make it weak")
    elif len(folded) == 2 and _HAN.match(folded) and not is_weighed:
        yield Finding("two characters", firm, name, "two characters stand in many words: make it weak unless it is beyond doubt")


def _bodies(register: Register) -> dict[str, str]:
    """Folded names of regulators -> their id."""
    names = (
        (name, row.id)
        for row in register.regulators
        for name in (row.name, *row.name_native.split(";"), *row.aliases, *row.context_aliases)
    )
    return {fold(name.strip()): body for name, body in names if name.strip()}


def lint_rows(rows: Iterable[ListRow], register: Register) -> list[Finding]:
    """What is wrong with the names of a list that is to be brought into this register."""
    bodies = _bodies(register)
    strong: dict[str, str] = {}
    weak: dict[str, str] = {}
    for alias in register.aliases:
        if alias.kind is not AliasKind.TICKER:
            (strong if alias.strength is Strength.STRONG else weak).setdefault(fold(alias.text), alias.firm_id)
    seen: dict[str, str] = {}
    found: list[Finding] = []
    for row in rows:
        listed = {fold(name) for name in row.weak}
        known = {strong[fold(name)] for name in (row.name, *row.aliases, *row.weak) if fold(name) in strong}
        if len(known) > 1:
            found.append(Finding("shared", row.name, row.name, f"its names are those of {', '.join(sorted(known))}: keep those of one"))
        for name in dict.fromkeys((row.name, *row.aliases, *row.weak)):
            folded = fold(name)
            if row.strength is Strength.STRONG and folded not in listed and folded not in strong:
                found += _of_strong(row.name, name, bodies)
            owner = weak.get(folded)
            if owner and not known and row.id != owner:
                found.append(Finding("shared", row.name, name, f"it is a weak name of {owner} already: that firm keeps it"))
            first = seen.setdefault(folded, row.key or row.id or row.name)
            if first != (row.key or row.id or row.name):
                found.append(Finding("twice", row.name, name, "an earlier row has this name: that row keeps it"))
    return found
