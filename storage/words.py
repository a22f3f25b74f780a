"""What full text sees in a text, and in what people ask for: words, and pairs of characters where a script has no spaces.

The same function cuts stored texts and questions, so they meet whatever script, case or width they were written in. A run
of Chinese, Japanese or Korean is cut into overlapping pairs and its last character alone (腾讯控股: 腾讯 讯控 控股 股): a
phrase of two characters is one token wherever it stands, a longer one is tokens in a row, and the last character tells
where a run ends. Pure; `fulltext` and the migrations use it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from storage.text import fold

SNIPPET = 240
"""Characters of a snippet, at most."""

_PAIRED = (
    "\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uac00-\ud7a3"
    "\U00020000-\U0003ffff"
)
_PIECE = re.compile(rf"[{_PAIRED}]+|[^\W_{_PAIRED}]+")
_ACCENTS = re.compile("[\u0300-\u036f]")  # beside their letters, where a text is not composed: the fold keeps the length
_ASKED = re.compile(r'"([^"]*)"|([^\s"]+)')
_LONGEST = 64  # of a word that is kept as it is
_MOST_BYTES = 1_000_000  # of different tokens in one text: PostgreSQL refuses a tsvector of 1 MiB
_BEFORE = 80  # characters of a snippet before the hit


@dataclass(frozen=True, slots=True)
class Phrase:
    """Pieces that stand in a row: a word of a question, or what it quotes. Never empty."""

    pieces: tuple[str, ...]  # folded words, and runs of characters that are cut into pairs

    @property
    def is_open(self) -> bool:
        """Its last token is one character of a script without spaces: it is also found where more of the run follows."""
        return len(self.pieces[-1]) == 1 and _is_paired(self.pieces[-1])

    @property
    def is_too_short(self) -> bool:
        """It is one such character alone, which stands in half of all texts."""
        return len(self.pieces) == 1 and self.is_open

    @property
    def tokens(self) -> tuple[str, ...]:
        """The tokens in a row by which the index finds it."""
        found = [token for piece in self.pieces for token in _tokens(piece)]
        # a run may go on after the phrase: only a single character keeps its token
        return tuple(found if self.is_open or not _is_paired(self.pieces[-1]) else found[:-1])


def indexed(text: str, *marks: str) -> str:
    """The tokens of a text with a space between, before and after them, the marks first. Of an immense text, its beginning."""
    tokens = [*marks, *(token for piece in _PIECE.findall(_folded(text)) for token in _tokens(piece))]
    words = f" {' '.join(tokens)} "
    return words if 4 * len(words) < _MOST_BYTES else f" {' '.join(_beginning(tokens))} "


def mark(kind: str, value: str) -> str:
    """A token that says something of a document, and that no text has: `regulator`, `lang`."""
    return f"\ue000{kind}" + "".join(char if char.isalnum() else "\ue001" for char in f"-{value}")


def asked(words: str) -> tuple[Phrase, ...]:
    """What a question asks for, each once: its words, and its quoted phrases. Empty when it has neither letter nor digit."""
    found = [
        Phrase(pieces)
        for quoted, word in _ASKED.findall(_folded(words))
        if (pieces := tuple(map(_shortened, _PIECE.findall(quoted or word))))
    ]
    return tuple(dict.fromkeys(found))


def snippet(text: str, phrases: Sequence[Phrase]) -> str:
    """The words of a text around the first place where it holds one of the phrases, or its first words.

    Cut at words, with "…" where it was cut; at most SNIPPET characters, spaces squeezed.
    """
    hit = re.search("|".join(map(_pattern, phrases)), fold(text)) if phrases else None
    at = hit.start() if hit else 0
    before = " ".join(text[max(0, at - 4 * _BEFORE) : at].split())
    if before and text[at - 1].isspace():
        before += " "
    after = " ".join(text[at : at + 4 * SNIPPET].split())
    head = ""
    if len(before) > _BEFORE or at > 4 * _BEFORE:
        before, head = _from_a_word(before[-_BEFORE:]), "…"
    whole = head + before + after
    if len(whole) <= SNIPPET and at + 4 * SNIPPET >= len(text):
        return whole
    return _to_a_word(whole[: SNIPPET - 1]) + "…"


def _folded(text: str) -> str:
    folded = fold(text)
    return _ACCENTS.sub("", folded) if _ACCENTS.search(folded) else folded


def _is_paired(piece: str) -> bool:
    return re.match(f"[{_PAIRED}]", piece) is not None


def _tokens(piece: str) -> list[str]:
    if _is_paired(piece):
        return [*(piece[at : at + 2] for at in range(len(piece) - 1)), piece[-1]]
    return [_shortened(piece)]


def _shortened(piece: str) -> str:
    """A word as a token: databases refuse immense ones, so such a one is known by its hash."""
    if len(piece) <= _LONGEST or _is_paired(piece):
        return piece
    return hashlib.blake2b(piece.encode(), digest_size=16).hexdigest()


def _beginning(tokens: Sequence[str]) -> Sequence[str]:
    """As many tokens as have no more than `_MOST_BYTES` of different ones."""
    seen: set[str] = set()
    size = 0
    for at, token in enumerate(tokens):
        if token not in seen:
            seen.add(token)
            size += len(token.encode())
            if size > _MOST_BYTES:
                return tokens[:at]
    return tokens


def _pattern(phrase: Phrase) -> str:
    """What finds a phrase in a folded text."""
    found = ""
    for at, piece in enumerate(phrase.pieces):
        if at:
            # where the script changes, nothing need stand between
            found += r"[\W_]+" if _is_paired(piece) is _is_paired(phrase.pieces[at - 1]) else r"[\W_]*"
        found += re.escape(piece) if _is_paired(piece) else rf"(?<![^\W_{_PAIRED}]){re.escape(piece)}(?![^\W_{_PAIRED}])"
    return found


def _from_a_word(text: str) -> str:
    """The text without the rest of a word at its beginning, where a space is near."""
    first, space, rest = text.partition(" ")
    return rest if space and len(first) <= _BEFORE // 3 else text


def _to_a_word(text: str) -> str:
    """The text without the beginning of a word at its end, where a space is near."""
    rest, space, last = text.rpartition(" ")
    return rest if space and len(last) <= _BEFORE // 3 else text
