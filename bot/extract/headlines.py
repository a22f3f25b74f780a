"""Headlines that a feed runs together: each becomes a sentence of its own, so that no act crosses from one to the next.

    "某甲收监管函某乙(600123)拟出售资产" -> "某甲收监管函", "某乙(600123)拟出售资产"

A short name before its stock code, or before a colon, begins a headline where a word stands before it that ends one
and no verb or coverb takes the name for its object.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from bot.extract.names import Name, Reading
from bot.extract.short_names import Look, begins_predicate, closers, is_object, look, subject_end
from bot.extract.text import HAN, Sentence, words

_CODED = re.compile(r"\((?:\d{6}|\d{4,5}\.hk|\d{6}\.s[hz])\)")
_COLON = re.compile(":")
_GLUED = re.compile(f"[{HAN}a-z0-9%)]")
_PART = re.compile(r"[,。;!?:|\s]")
_PASSIVE = re.compile("被|遭到?|收到")
_BRACKETED = re.compile("】【")
"""Between two stories of a digest."""
_AGENT = re.compile(r"[^\d]{0,12}")


def split(reading: Reading) -> list[Sentence]:
    """The sentences of a reading whose names are known, those cut in pieces that glue several headlines together."""
    cuts = sorted(
        {
            *_before_codes(reading),
            *_before_colons(reading),
            *_before_predicates(reading),
            *_behind_objects(reading),
            *(match.end() - 1 for match in _BRACKETED.finditer(reading.folded)),
        }
    )
    cuts = [cut for cut in cuts if not any(name.start < cut < name.end for name in reading.names)]
    if not cuts:
        return reading.sentences
    found: list[Sentence] = []
    for sentence in reading.sentences:
        start = sentence.start
        for cut in cuts:
            if start < cut < sentence.end:
                found.append(Sentence(start, cut, sentence.is_title))
                start = cut
        found.append(Sentence(start, sentence.end, sentence.is_title))
    return found


def _before_codes(reading: Reading) -> Iterator[int]:
    folded = reading.folded
    for name in reading.names:
        if (name.rule == "stock-code" or _CODED.search(folded, name.end, name.tail)) and _is_start(reading, name.start):
            yield name.start


def _is_start(reading: Reading, at: int) -> bool:
    """Whether the name at the offset begins a headline: glued to what stands before it, and no object of that."""
    folded = reading.folded
    if not at or not _GLUED.match(folded[at - 1]):
        return False
    low = max(0, at - 40)
    breaks = [match.end() for match in _PART.finditer(folded, low, at)]
    part = folded[breaks[-1] if breaks else low : at]
    if part.endswith(words("han", "appositions")):
        return False
    taker = next((word for word in words("han", "takers") if part.endswith(word)), "")
    if not taker:
        return True
    verb = len(part) - len(taker)
    return len(taker) > 1 and any(match.end() <= verb and _AGENT.fullmatch(part, match.end(), verb) for match in _PASSIVE.finditer(part))


@cache
def _colon() -> re.Pattern[str]:
    return re.compile(rf"(?:{closers().pattern}|\))([{HAN}a-z*]{{2,6}}):")


def _before_colons(reading: Reading) -> Iterator[int]:
    folded = reading.folded
    for colon in _COLON.finditer(folded):
        match = _colon().search(folded, max(0, colon.start() - 12), colon.end())
        if match is None:
            continue
        is_like = look(match[1], is_corporate=True) is not Look.NONE and not begins_predicate(match[1])
        if is_like or _is_named(reading.names, match.start(1), match.end(1)):
            yield match.start(1)


def _before_predicates(reading: Reading) -> Iterator[int]:
    """Behind a word that ends a headline: a known name, or a run that is a firm's name for certain before a predicate."""
    folded = reading.folded
    named = {name.start for name in reading.names}
    for match in closers().finditer(folded):
        at = match.end()
        if at in named:
            is_name = True
        elif _GLUED.match(folded, at):
            stop = subject_end(folded, at, at + 9)
            is_name = 3 <= stop - at < 9 and (look(folded[at:stop]) is Look.CERTAIN or _is_named(reading.weak, at, stop))
        else:
            continue
        if is_name and _is_start(reading, at):
            yield at


def _behind_objects(reading: Reading) -> Iterator[int]:
    """Behind a coded name that is the object of its headline: what looks like a name before a predicate."""
    folded = reading.folded
    for match in _CODED.finditer(folded):
        name = next((name for name in reading.names if name.start < match.start() < name.tail), None)
        at, stop = match.end(), subject_end(folded, match.end(), match.end() + 7)
        if not name or not is_object(folded, name.start) or begins_predicate(folded[at : at + 6]):
            continue
        if stop < at + 7 and look(folded[at:stop]) is not Look.NONE:
            yield at


def _is_named(names: list[Name], start: int, end: int) -> bool:
    return any(name.start == start and name.end <= end for name in names)
