"""Typed text -> words: Slack's escapes taken back, quotes in every script understood, near misses recognised. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass

_OPEN = {"「": "」", "『": "』", **dict.fromkeys('"“”„‟«»＂〝〞', '"“”„‟«»＂〝〞')}
_ALWAYS_OPEN = "「『"
QUOTES = frozenset('"“”„‟«»＂〝〞「」『』')
COMMAS = frozenset(",，、﹐")
COLONS = frozenset(":：﹕")
DASHES = frozenset("-−–—－﹣‐‑")
_INVISIBLE = re.compile("[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_ENTITY = re.compile(r"&(amp|lt|gt);")
_SLACK_TOKEN = re.compile(r"<([#@!][^<>|]*|(?:https?://|mailto:|tel:)[^<>|]*)(?:\|([^<>]*))?>")


@dataclass(frozen=True, slots=True)
class UserError:
    """What is wrong and what to type next. `suggestion` is a whole command, to be run by a button that says `label`.

    Both are kept as templates, whose places take what was typed, so that they can be said in another language.
    """

    template: str
    values: tuple[str, ...] = ()
    hint: str = ""  # a second sentence, without places
    suggestion: str | None = None
    label_template: str = ""
    shown: str = ""  # what the label's place takes

    @property
    def text(self) -> str:
        """In English."""
        return self.said(str)

    @property
    def label(self) -> str:
        """The button's words in English; empty: the suggestion itself."""
        return self.labelled(str)

    def said(self, say: Callable[[str], str]) -> str:
        """In the language of `say`, which translates one template. What was typed stays as it is."""
        return phrase(say(self.template).format(*self.values), say(self.hint) if self.hint else "")

    def labelled(self, say: Callable[[str], str]) -> str:
        """The button's words in the language of `say`."""
        return say(self.label_template).format(self.shown) if self.label_template else ""


class Wrong(Exception):
    """Carries a UserError out of the parser's depths."""

    def __init__(self, template: str, *values: str, hint: str = "", instead: str | None = None, label: str = "", shown: str = "") -> None:
        self.error = UserError(template, values, hint, instead, label, shown)
        super().__init__(self.error.text)


@dataclass(frozen=True, slots=True)
class Word:
    """A word, and for each of its characters whether it stood in quotes."""

    text: str
    quotes: tuple[bool, ...]
    source: str  # as typed, quotes included

    @property
    def is_quoted(self) -> bool:
        return any(self.quotes)

    @property
    def syntax(self) -> str:
        """The word as a verb or key is compared; empty when it stood in quotes."""
        return "" if self.is_quoted else syntax_of(self.text)

    def split(self, at: frozenset[str], most: int = -1) -> list[Word]:
        """The parts between unquoted characters of `at`."""
        parts, start = [], 0
        for index, char in enumerate(self.text):
            if char in at and not self.quotes[index] and most != 0:
                parts.append(self.part(start, index))
                start, most = index + 1, most - 1
        return [*parts, self.part(start, len(self.text))]

    def part(self, start: int, end: int) -> Word:
        """Some of its characters."""
        return Word(self.text[start:end], self.quotes[start:end], self.text[start:end])


def syntax_of(text: str) -> str:
    """As verbs, keys and values are compared: NFKC, folded case, straight apostrophes."""
    return unicodedata.normalize("NFKC", text).casefold().replace("’", "'")


def unslack(text: str) -> str:
    """Slack's escapes taken back: `&amp;`, `<#C1|name>` to `#C1`, `<@U1|name>` to `@U1`, `<http://jd.com|JD.com>` to JD.com.

    Characters without width go: what is copied from a card or a web page is full of them, and no name is told apart by one.
    """
    text = _INVISIBLE.sub("", text)
    while (once := _ENTITY.sub(lambda entity: {"amp": "&", "lt": "<", "gt": ">"}[entity[1]], text)) != text:
        text = once

    def resolve(token: re.Match[str]) -> str:
        inside, label = token[1], token[2]
        if inside[0] == "!":
            return label or f"@{inside[1:]}"
        return inside if inside[0] in "#@" else label or inside

    while (once := _SLACK_TOKEN.sub(resolve, text)) != text:
        text = once
    return text


def tokens(text: str) -> list[Word]:
    """Words between spaces; what stands in quotes belongs together and keeps its characters."""
    words: list[Word] = []
    chars: list[str] = []
    quotes: list[bool] = []
    source: list[str] = []
    closing = ""

    def end() -> None:
        if source:
            words.append(Word("".join(chars), tuple(quotes), "".join(source)))
        for buffer in (chars, quotes, source):
            buffer.clear()

    for char in text:
        if closing:
            source.append(char)
            if char in closing:
                closing = ""
                if not source or char in "」』":
                    end()
            else:
                chars.append(char)
                quotes.append(True)
        elif char in _OPEN and (char in _ALWAYS_OPEN or not source or source[-1] in COMMAS | COLONS | DASHES):
            if char in _ALWAYS_OPEN and source and source[-1] not in COMMAS | COLONS | DASHES:
                end()
            closing = _OPEN[char]
            source.append(char)
        elif char.isspace() or unicodedata.category(char) in ("Cc", "Zs"):
            end()
        else:
            chars.append(char)
            quotes.append(False)
            source.append(char)
    if closing:
        raise Wrong("The quote in {} is not closed.", "".join(source))
    end()
    return words


def _is_near(one: str, other: str) -> bool:
    """One edit apart: a letter more, less, changed, or two swapped. Short words are never near."""
    if one == other or min(len(one), len(other)) < 3 or abs(len(one) - len(other)) > 1:
        return False
    if len(one) == len(other):
        differ = [index for index, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
        swapped = len(differ) == 2 and differ[1] == differ[0] + 1 and one[differ[0]] + one[differ[1]] == other[differ[1]] + other[differ[0]]
        return len(differ) == 1 or swapped
    short, long = sorted((one, other), key=len)
    return any(long[:index] + long[index + 1 :] == short for index in range(len(long)))


def nearest(typed: str, known: Iterable[str]) -> str | None:
    return next((word for word in known if _is_near(typed, word)), None)


def phrase(*parts: str) -> str:
    return " ".join(part for part in parts if part)
