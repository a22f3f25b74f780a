"""Texts before they are read for names and acts: cleaning, language, sentences, boilerplate.

`clean` is for the rooms that make documents: what it returns is what is stored, and all offsets refer to it.
The rest works on stored text as it is and never changes it.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from operator import ne
from typing import Any

from storage.text import fold

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Ranges of Chinese characters, for a character class."""
HAN_STOP = re.compile(r"[,。;!?|\n]|\s")
"""What ends a part of a Chinese sentence."""

_MONTH_AFTER = re.compile(r"\s(?:jan|feb|m[aä]r|apr|ma[ijy]|jun|jul|aug|sep|o[ck]t|nov|de[csz])[a-zäé]*\.?\s\d{4}", re.IGNORECASE)
_END = re.compile(r"[.!?](?=[\"'”’»)\]]*(?:\s|$))|[。！？!?；]|\n|;")
_SUM_GOES_ON = re.compile(
    r"\s(?:[A-Z]{3}\s?|[€$£])\d[\d,.]*(?:\s(?:thousand|million|billion))?\s(?:for|after|due to|because|following|over|as)\b"
)
"""A sum that goes on so begins no sentence: the point before it belongs to a name, "fined Acme S.A. EUR 600 for"."""
_CLOSERS = "\"'”’»)]）」』】"
_WORD = re.compile(r"[^\W\d_]+(?:\.[^\W\d_]+)*$")
_INITIALS = re.compile(r"(?:[a-z]\.)+[a-z]")
_LATIN_WORD = re.compile(r"[a-zß']+")
_HAN_CHAR = re.compile(f"[{HAN}]")
_SCRIPTS = tuple(re.compile(f"[{letters}]+") for letters in (HAN, "A-Za-z", "\u3041-\u30ff", "\uac00-\ud7a3"))
_OTHER_SCRIPT = re.compile(f"[{HAN}\u0370-\u04ff\u3041-\u30ff\uac00-\ud7a3]")
_GAPS = re.compile(r"[^\S\n ][^\S\n]*| [^\S\n]+")  # all white space but a single space
_LINE_EDGES = re.compile(r" \n ?|\n ")
_EMPTY_LINES = re.compile(r"\n{3,}")
_CF = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")


def last(expression: re.Pattern[str], text: str) -> re.Match[str] | None:
    """The last match of an expression in a text."""
    found = None
    for match in expression.finditer(text):
        found = match
    return found


@cache
def lexicon() -> dict[str, Any]:
    """The package's words, read once."""
    return tomllib.loads(resources.files(__package__).joinpath("lexicon.toml").read_text("utf-8"))


@cache
def words(section: str, key: str) -> tuple[str, ...]:
    """One list of the lexicon, folded, longest first."""
    return tuple(sorted({fold(word) for word in lexicon()[section][key]}, key=lambda word: (-len(word), word)))


@cache
def _abbreviations() -> frozenset[str]:
    return frozenset(words("text", "abbreviations"))


@cache
def pattern(section: str, key: str) -> re.Pattern[str]:
    """The list as one expression over folded text: Latin words whole, Han words anywhere."""
    listed = words(section, key)
    latin = "|".join(re.escape(word) for word in listed if not _HAN_CHAR.search(word))
    han = [word for word in listed if _HAN_CHAR.search(word)]
    return re.compile("|".join(part for part in (latin and rf"(?<![a-z0-9])(?:{latin})(?![a-z0-9])", one_of(han)) if part))


def one_of(listed: Iterable[str]) -> str:
    """Any of the words, as an expression that rules most places of a text out by one character; empty without words."""
    by_letter: dict[str, list[str]] = {}
    for word in listed:
        by_letter.setdefault(word[0], []).append(re.escape(word[1:]))
    if not by_letter:
        return ""
    firsts = "".join(map(re.escape, by_letter))
    return f"(?=[{firsts}])(?:" + "|".join(re.escape(letter) + f"(?:{'|'.join(rests)})" for letter, rests in by_letter.items()) + ")"


@cache
def _country_cues() -> Mapping[str, re.Pattern[str]]:
    return {place: re.compile(cue) for place, cue in lexicon()["jurisdictions"].items()}


@lru_cache(maxsize=256)  # each body, sum and act of a text asks again
def speaks_of(folded: str, place: str, reach: int) -> bool:
    """Whether the first `reach` characters speak of the country; False for one that the lexicon has no words for."""
    cue = _country_cues().get(place)
    return cue is not None and cue.search(folded, 0, reach) is not None


def speaks_of_any(folded: str, reach: int) -> bool:
    """Whether the first `reach` characters speak of any country that the lexicon has words for."""
    return any(speaks_of(folded, place, reach) for place in _country_cues())


@cache
def vocabulary(section: str, key: str) -> frozenset[str]:
    """One list of the lexicon as a set."""
    return frozenset(words(section, key))


@cache
def lands() -> frozenset[str]:
    """Countries, states and their adjectives."""
    return vocabulary("legal", "lands") | vocabulary("bodies", "places")


@cache
def alternation(section: str, key: str) -> str:
    """The lexicon's list as the inside of an expression, longest first."""
    return "|".join(re.escape(word) for word in words(section, key))


@cache
def stems(section: str, key: str) -> re.Pattern[str]:
    """The words of a text that begin as the lexicon's list says."""
    return re.compile(rf"\b(?:{alternation(section, key)})\w*")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A span of the document; `is_title` for those of its title."""

    start: int
    end: int
    is_title: bool


def clean(text: str) -> str:
    """The text as it is stored: NFC, no invisible characters, single spaces, at most one empty line."""
    if not text.isascii():
        text = _CF.sub("", unicodedata.normalize("NFC", text))
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _GAPS.sub(" ", text)
    if "\n" in text:
        text = _EMPTY_LINES.sub("\n\n", _LINE_EDGES.sub("\n", text))
    return text.strip()


def language(text: str, given: str | None = None) -> str:
    """`zh-Hans`, `zh-Hant`, `ja`, `ko`, `ru`, `el`, or a Latin text's language.

    The script decides for the former, whatever the feed says; for a Latin text `given`, else its short words.
    """
    sample = text[:1500]
    if sample.isascii() or not _OTHER_SCRIPT.search(sample):
        return _latin_language(sample, given)
    letters = "".join(_SCRIPTS[0].findall(sample))
    han, (latin, kana, hangul) = len(letters), (len("".join(runs.findall(sample))) for runs in _SCRIPTS[1:])
    if kana > 0.1 * (han + 1) and han < 20 * kana:
        return "ja"
    if hangul > (han + latin) / 4:
        return "ko"
    if han * 3 > latin:
        changed = sum(map(ne, letters, fold(letters)))
        return "zh-Hant" if changed > 0.06 * han else "zh-Hans"
    for name, first, last in (("ru", "\u0400", "\u04ff"), ("el", "\u0370", "\u03ff")):
        if len(re.findall(f"[{first}-{last}]", sample)) > latin:
            return name
    return _latin_language(sample, given)


def _latin_language(sample: str, given: str | None) -> str:
    if given and not given.startswith("zh"):
        return given.split("-")[0].lower()
    counts: dict[str, int] = {}
    owners = _short_words()
    for word in _LATIN_WORD.findall(fold(sample)):
        for name in owners.get(word, ()):
            counts[name] = counts.get(name, 0) + 1
    best = max(counts, key=lambda name: (counts[name], name == "en"), default="en")
    return best if counts.get(best, 0) > counts.get("en", 0) else "en"


@cache
def _short_words() -> dict[str, tuple[str, ...]]:
    owners: dict[str, tuple[str, ...]] = {}
    for name, listed in lexicon()["languages"].items():
        for word in listed:
            owners[word] = (*owners.get(word, ()), name)
    return owners


def sentences(whole: str, title_length: int = 0) -> list[Sentence]:
    """The sentences in order. A line break ends one, unless the next line goes on in lower case."""
    found: list[Sentence] = []
    abbreviations = _abbreviations()
    start = 0

    def close(end: int) -> None:
        nonlocal start
        said = whole[start:end]
        left, right = end - len(said.lstrip()), start + len(said.rstrip())
        if left < right:
            found.append(Sentence(left, right, left < title_length))
        start = end

    for match in _END.finditer(whole):
        at, end, mark = match.start(), match.end(), match.group()
        if mark == "\n":
            rest = whole[end : end + 3].lstrip(" ")
            if at != title_length and rest[:1].islower() and whole[max(start, at - 1) : at] not in (":", "."):
                continue
        elif mark == ".":
            after = whole[end : end + 4].lstrip(_CLOSERS + " ")[:1]
            if after.islower() or _SUM_GOES_ON.match(whole, end):
                continue
            before = _WORD.search(whole, max(start, at - 12), at) if after and after != "\n" and whole[at - 1 : at].isalpha() else None
            token = before.group().lower() if before else ""
            if whole[at - 1 : at].isdigit() and _MONTH_AFTER.match(whole, end):
                continue  # am 12. März
            if token and (token in abbreviations or len(token) == 1 or _INITIALS.fullmatch(token)):
                continue
        while end < len(whole) and whole[end] in _CLOSERS and mark != "\n":
            end += 1
        close(end)
    close(len(whole))
    return found


def boilerplate(folded: str, found: list[Sentence]) -> set[int]:
    """Indexes of sentences that are a page's furniture: calls to follow, contact blocks. Never the first sentence or a title."""
    starts = words("boilerplate", "starts")
    return {
        index
        for index, sentence in enumerate(found)
        if index and not sentence.is_title and folded.startswith(starts, sentence.start, sentence.end)
    }
