"""Texts as they were meant: what a bad copy did to the words is undone for the reading, and the places lead back.

    mended(whole, title_end) -> Mended | None

Text copied out of a PDF has spaces inside words ("vi olation", "Dal -Tech", "$23, 336"), text copied out of a page
its signs (`&amp;`), tables of decisions print names without capitals. The stored text is never changed: the reading
sees `Mended.text`, and `Mended.span` says where in the stored text something stands. None for a text that is fine.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from bot.extract.text import lexicon
from storage.text import fold

_SIGN = re.compile(r" (?:(?:[bcdfghjklmnp-xz]|[bcdfghjklmnpqrstvwxz]{2,4}|[a-z] [a-z]) (?=[a-z])|(?<=[A-Za-z] )-[A-Za-z])")
"""What no English text has between two words, and every broken one soon has."""
_PAIR = re.compile(r"(?<![\w&;'’.-])(?=([A-Za-z]{1,14}) ([a-z]{1,14})(?![\w'’]))")
_HYPHEN = re.compile(r"(?<=[A-Za-z]) (?=-[A-Za-z]{2})|(?<=[A-Za-z]{2}-) (?=[A-Za-z]{4})")
_SPLIT_NUMBER = re.compile(r"(?<=[$€£]\d,) (?=\d{3}\b)|(?<=[$€£]\d\d,) (?=\d{3}\b)|(?<=[$€£]\d{3},) (?=\d{3}\b)")
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
    edits = sorted({*_broken_words(whole), *_entities(whole)})
    is_small = _is_in_small_letters(whole[:title_end])
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
    if not _SIGN.search(whole):
        return
    seen = Counter(re.findall("[a-z]+", whole.lower()))
    known = _known()
    at = 0
    for match in _PAIR.finditer(whole):
        left, right = match.group(1).lower(), match.group(2)
        joined = left + right
        if match.start() < at or len(joined) < 4 or (not seen[joined] and joined not in known):
            continue
        if any(piece not in known and (seen[piece] == 1 or seen[joined] > seen[piece]) for piece in (left, right)):
            at = match.end(2)
            yield match.end(1), match.start(2), ""
    for expression in (_HYPHEN, _SPLIT_NUMBER):
        for match in expression.finditer(whole):
            yield match.start(), match.end(), ""


def _entities(whole: str) -> Iterator[tuple[int, int, str]]:
    if "&" in whole:
        for match in _ENTITY.finditer(whole):
            yield match.start(), match.end(), _ENTITIES[match.group().strip("&;")]


@cache
def _known() -> frozenset[str]:
    """The words of the lexicon that stand by themselves in texts."""
    found: set[str] = set()

    def gather(entry: object) -> None:
        if isinstance(entry, str):
            found.update(re.findall("[a-z]{2,}", fold(entry)))
        elif isinstance(entry, list):
            for one in entry:
                gather(one)
        elif isinstance(entry, dict):
            for one in entry.values():
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
