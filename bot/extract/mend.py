"""Texts as they were meant: what a bad copy did to the words is undone for the reading, and the places lead back.

    mended(whole, title_end) -> Mended | None

Text copied out of a PDF has spaces inside words ("vi olation", "Dal -Tech", "$23, 336"), text copied out of a page
its signs (`&amp;`), tables of decisions print names without capitals. The stored text is never changed: the reading
sees `Mended.text`, and `Mended.span` says where in the stored text something stands. None for a text that is fine.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from bot.extract.text import lexicon
from storage.text import fold

_SIGN = re.compile(r" (?:(?:[bcdfghjklmnp-xz]|[bcdfghjklmnpqrstvwxz]{2,4}|[a-z] [a-z]) (?=[a-z])|(?<=[A-Za-z] )-[A-Za-z])")
"""What no English text has between two words, and every broken one soon has."""
_PAIR = re.compile(r"(?<![\w&;'.-])(?=([a-z]{1,14}) ([a-z]{1,14})(?![\w']))")
_LETTERS = re.compile("[a-z]+")
_SPACED = tuple(
    re.compile(expression)  # each begins with a sign that is rare, so that a scan costs little
    for expression in (r" (?=-[A-Za-z]{2})(?<=[A-Za-z] )", r"- (?=[A-Za-z]{4})(?<=[A-Za-z]{2}- )", r"[$€£]\d{1,3}, (?=\d{3}\b)")
)
"""Spaces that do not belong: before a hyphen, behind one, inside a sum. Each is the last letter of its match."""
_ENTITY = re.compile(r"&(?:amp|nbsp|quot|#39|apos|lt|gt);?(?![a-z])")
_ENTITIES = {"amp": "&", "nbsp": " ", "quot": '"', "#39": "'", "apos": "'", "lt": "<", "gt": ">"}
_WORD = re.compile(r"[^\s(\"]+")
_SMALL = frozenset(
    ("and", "of", "the", "for", "de", "et", "al", "d/b/a", "dba", "f/k/a", "n/k/a", "a/k/a", "formerly", "now", "known", "as")
)
_ENDS_IN_FORM = re.compile(r"\b(?:inc|incorporated|ltd|limited|llc|llp|lp|l\.p|corp|corporation|plc|co|company)\b\.?")


@dataclass(frozen=True, slots=True)
class Mended:
    """The text to be read, and for each of its characters where it begins and ends in the stored one."""

    text: str
    title_end: int
    starts: list[int]
    ends: list[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The place in the stored text of what stands from `start` to `end` in the read one."""
        return self.starts[start], self.ends[end - 1]


def mended(whole: str, title_end: int) -> Mended | None:
    """The text without its breaks; None when there is nothing to mend."""
    is_small = _is_in_small_letters(whole[:title_end])
    is_broken = _SIGN.search(whole) is not None
    if not (is_broken or is_small or "&" in whole):
        return None
    edits = sorted({*(_broken_words(whole) if is_broken else ()), *_entities(whole)})
    if not edits and not is_small:
        return None
    parts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = size = 0
    new_title_end = title_end
    for start, end, text in [*edits, (len(whole), len(whole), "")]:
        starts += range(at, start)
        ends += range(at + 1, start + 1)
        parts += (whole[at:start], text)
        starts += [start] * len(text)
        ends += [end] * len(text)
        if end <= title_end:
            size += end - start - len(text)
            new_title_end = title_end - size
        at = end
    text = "".join(parts)
    if is_small:
        text = _capitals(text[:new_title_end]) + text[new_title_end:]
    return Mended(text, new_title_end, starts, ends)


def _broken_words(whole: str) -> Iterator[tuple[int, int, str]]:
    """The spaces to leave out: two pieces that make a known word while one of them is no word."""
    folded = fold(whole)
    seen = Counter(_LETTERS.findall(folded))
    known = _known()
    spans = []
    for left, right in {(left, right) for left, right in _PAIR.findall(folded) if left + right in known or left + right in seen}:
        if not _is_broken(left, right, seen, known):
            continue
        at = 0
        while (at := folded.find(f"{left} {right}", at)) >= 0:
            middle, end = at + len(left), at + len(left) + 1 + len(right)
            if (pair := _PAIR.match(folded, at)) and pair.end(2) == end and whole[middle + 1].islower():
                spans.append((at, middle, end))
            at += 1
    last = 0
    for start, middle, end in sorted(spans):
        if start >= last:
            last = end
            yield middle, middle + 1, ""
    for expression in _SPACED:
        for match in expression.finditer(whole):
            yield match.end() - 1, match.end(), ""


def _is_broken(left: str, right: str, seen: Mapping[str, int], known: frozenset[str]) -> bool:
    """Whether the pieces of a word are no words of their own: unknown, and here alone or rarer than the whole."""
    whole = seen[left + right]
    return len(left) + len(right) > 3 and any(piece not in known and (seen[piece] == 1 or whole > seen[piece]) for piece in (left, right))


def _entities(whole: str) -> Iterator[tuple[int, int, str]]:
    for match in _ENTITY.finditer(whole):
        yield match.start(), match.end(), _ENTITIES[match.group().strip("&;")]


@cache
def _known() -> frozenset[str]:
    """The words of the lexicon that stand by themselves in texts."""
    found: set[str] = set()

    def gather(entry: Any) -> None:
        if isinstance(entry, str):
            found.update(re.findall("[a-z]{2,}", fold(entry)))
            return
        for one in entry.values() if isinstance(entry, dict) else entry:
            gather(one)

    for section, entries in lexicon().items():
        if section not in ("money", "legal", "phrases", "persons"):
            gather(entries)
    gather(lexicon()["legal"]["latin"])
    return frozenset(found | {"a", "i"})


def _is_in_small_letters(title: str) -> bool:
    """Whether the title is a string of firms' names printed without capitals, as tables have them."""
    return bool(title) and title == title.lower() and title.isascii() and bool(_ENDS_IN_FORM.search(title))


def _capitals(text: str) -> str:
    return _WORD.sub(lambda match: match.group() if match.group() in _SMALL else match.group()[:1].upper() + match.group()[1:], text)
