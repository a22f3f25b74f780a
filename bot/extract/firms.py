"""The names of the register and the trigger words, looked for in one scan.

One automaton holds the aliases, the regulators' names, the decoys and the triggers, all folded, so a text is
scanned once. A hit counts when its edges are right for its script, its letters are cased like a name's, and no
longer name or decoy covers it. A weak alias (a common word, two Han characters) also needs something beside it
that a firm has: a legal form, a possessive, an accepted neighbour in a list, a strong name elsewhere in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial

import ahocorasick_rs

from bot.extract.legal_names import add_legal_names, add_stock_codes
from bot.extract.names import (
    VENUE,
    Hit,
    Name,
    Reading,
    Trigger,
    add_definitions,
    close_brackets,
    drop_twins,
    end_at_branch,
    is_alias_cased,
    is_end_of_longer,
    is_of_common_words,
    is_spaced,
    stretch,
    weak_rule,
)
from bot.extract.text import lexicon
from storage.models import AliasKind, FirmKind, Kind, OwnershipKind, Role, Strength
from storage.records import AliasRow, FirmRow, FoundFirm, OwnershipRow, Register, RegulatorRow
from storage.text import fold

_EXCHANGES = ("NYSE", "NASDAQ", "Nasdaq", "AMEX", "HKEX", "SEHK", "HKSE", "LSE", "TSX", "ASX", "SSE", "SZSE", "XETRA", "OTC", "TYO", "TSE")
_TICKER = re.compile(
    rf"\b(?:{'|'.join(_EXCHANGES)})\s?(?:American)?\s?[:：]\s?([A-Z0-9]{{1,6}}(?:\.[A-Z])?)\b"
    r"|(?<![\w$])\$([A-Z]{1,5})\b|(?<!\d)0?(\d{4,6})\.(HK|SZ|SS|SH|TW)\b"
)
_DEPARTMENTS = frozenset(("法务部",))
"""Ministries whose name right behind a firm's is the firm's own department."""
_CASHTAG = re.compile(r"\$[A-Z]")


def _may_hold_a_ticker(text: str) -> bool:
    is_coded = "." in text and any(mark in text for mark in (".HK", ".SZ", ".SS", ".SH", ".TW"))
    is_listed = (":" in text or "：" in text) and any(exchange in text for exchange in _EXCHANGES)
    return is_coded or is_listed or ("$" in text and bool(_CASHTAG.search(text)))


_LEFT, _RIGHT, _BODY, _OTHER = 1, 2, 4, 8  # an edge that needs a non-word neighbour; what the pattern is


class _Spaced(dict[str, bool]):
    """Whether a character belongs to a word of a spaced script, remembered: one look-up for each edge of each raw hit."""

    def __missing__(self, char: str) -> bool:
        self[char] = answer = is_spaced(char)
        return answer


_SPACED = _Spaced()


@dataclass(slots=True)
class _Pattern:
    text: str
    left: bool  # this edge needs a non-word neighbour
    right: bool
    aliases: tuple[AliasRow, ...] = ()
    regulators: tuple[tuple[RegulatorRow, bool, str], ...] = ()  # row, needs a country cue, as written
    triggers: tuple[Trigger, ...] = ()
    is_decoy: bool = False
    is_trigger_decoy: bool = False
    body: str = ""  # "words" or "places" of the lexicon's bodies

    def edges(self) -> int:
        """What the scan asks of every raw hit, as bits."""
        is_other = self.aliases or self.regulators or self.triggers or self.is_decoy or self.is_trigger_decoy
        return _LEFT * self.left | _RIGHT * self.right | _BODY * bool(self.body) | _OTHER * bool(is_other)


class FirmIndex:
    """All names of a register, ready to be looked for. Immutable."""

    def __init__(self, register: Register) -> None:
        self.version = register.version
        self._firms: Mapping[str, FirmRow] = {firm.id: firm for firm in register.firms}
        self._parents: dict[str, list[OwnershipRow]] = {}
        for edge in register.ownerships:
            self._parents.setdefault(edge.child_id, []).append(edge)
        self.regulators: Mapping[str, RegulatorRow] = {row.id: row for row in register.regulators}
        self._tickers: dict[str, str] = {}
        self._aliases = register.aliases
        self._words: dict[str, set[str]] = {}  # by firm; filled when first asked
        self._patterns: dict[str, _Pattern] = {}
        self._add_aliases(register)
        self._add_regulators(register)
        for decoy in lexicon()["phrases"]["names"]:
            self._pattern(decoy).is_decoy = True
        for decoy in lexicon()["phrases"]["triggers"]:
            self._pattern(decoy).is_trigger_decoy = True
        for group in ("words", "places"):
            for word in lexicon()["bodies"][group]:
                self._pattern(word).body = group
        for language, kinds in lexicon()["triggers"].items():
            for kind, frames in kinds.items():
                for frame, listed in frames.items():
                    for word in listed:
                        self._pattern(word).triggers += (Trigger(Kind(kind), frame, language),)
        self._list = list(self._patterns.values())
        self._edges = [entry.edges() for entry in self._list]
        self._automaton = ahocorasick_rs.AhoCorasick([entry.text for entry in self._list])

    def _pattern(self, text: str) -> _Pattern:
        folded = fold(text)
        entry = self._patterns.get(folded)
        if entry is None:
            entry = self._patterns[folded] = _Pattern(folded, _SPACED[folded[0]], _SPACED[folded[-1]])
        return entry

    def _add_aliases(self, register: Register) -> None:
        for firm in register.firms:
            for ticker in firm.tickers:
                self._tickers.setdefault(_ticker_key(ticker), firm.id)
        for alias in register.aliases:
            if alias.firm_id not in self._firms or not alias.text.strip():
                continue
            if alias.kind is AliasKind.TICKER:
                self._tickers.setdefault(_ticker_key(alias.text), alias.firm_id)
                continue
            for text in _variants(alias.text.strip()):
                self._pattern(text).aliases += (alias,)

    def _add_regulators(self, register: Register) -> None:
        for row in register.regulators:
            for needs_cue, listed in ((False, (row.name, *row.name_native.split(";"), *row.aliases)), (True, row.context_aliases)):
                for text in listed:
                    text = text.strip()
                    if len(text) < 2 or (text == row.name and ("(" in text or text in row.context_aliases)):
                        continue
                    entry = self._pattern(text)
                    if not any(known.id == row.id for known, _, _ in entry.regulators):
                        entry.regulators += ((row, needs_cue, text),)
        for surface, regulator_id in lexicon()["regulators"].items():
            if regulator_id in self.regulators:
                self._pattern(surface).regulators += ((self.regulators[regulator_id], False, ""),)

    # --- looking ---------------------------------------------------------------------------------------------

    def read(self, reading: Reading) -> None:
        """Fill in the names and triggers of the reading."""
        names, hits = self.scan(reading)
        reading.hits = hits
        self._add_tickers(reading, names)
        accepted = self._accept(reading, names)
        if hits:
            add_legal_names(reading, accepted, hits)
            add_stock_codes(reading, accepted)
        accepted.sort(key=lambda name: (name.start, -name.end))
        kept: list[Name] = []
        for name in accepted:
            is_department = kept and kept[-1].end == name.start and reading.folded[name.start : name.end] in _DEPARTMENTS
            if not kept or (name.start >= kept[-1].end and not is_department):
                kept.append(name)
        add_definitions(reading, kept)
        for name in kept:
            close_brackets(reading, name)
        reading.names = drop_twins(kept)
        reading.homes = frozenset(self._firms[name.firm_id].country for name in reading.names if name.firm_id)
        covered = [(name.start, name.end) for name in reading.names if name.regulators or name.strength is not Strength.WEAK]
        reading.hits = [hit for hit in hits if not _is_covered(hit, covered)]

    def scan(self, reading: Reading) -> tuple[list[tuple[_Pattern, int, int]], list[Hit]]:
        """The longest names and the trigger words that stand in the text with the right edges; bodies are noted in the reading."""
        folded, whole, size = reading.folded, reading.whole, len(reading.folded)
        entries, edges = self._list, self._edges
        bodies = reading.bodies
        found: list[tuple[int, int, int]] = []
        for index, start, end in self._automaton.find_matches_as_indexes(folded, overlapping=True):
            edge = edges[index]
            if edge & _LEFT and start and _SPACED[folded[start - 1]]:
                continue
            if edge & _RIGHT and end < size and _SPACED[folded[end]]:
                continue
            if edge & _BODY:
                bodies.append((start, entries[index].body == "places"))
            if edge & _OTHER:
                found.append((start, -end, index))
        bodies.sort()
        found.sort()
        names: list[tuple[_Pattern, int, int]] = []
        hits: list[Hit] = []
        is_han = reading.language.startswith("zh")
        name_end = hit_end = 0
        for start, negative, index in found:
            end, entry = -negative, entries[index]
            if start >= name_end and (
                entry.is_decoy
                or ((entry.aliases or entry.regulators) and (_is_cased(entry, whole[start:end]) or (is_han and _is_brand(entry))))
            ):
                name_end = end
                if not entry.is_decoy:
                    names.append((entry, start, end))
            if start >= hit_end and (entry.is_trigger_decoy or entry.triggers):
                hit_end = end
                triggers = tuple(trigger for trigger in entry.triggers if _is_spoken(trigger.language, reading.language))
                if triggers and not entry.is_trigger_decoy:
                    hits.append(Hit(start, end, triggers))
        return names, hits

    def _add_tickers(self, reading: Reading, names: list[tuple[_Pattern, int, int]]) -> None:
        if not _may_hold_a_ticker(reading.whole):
            return
        for match in _TICKER.finditer(reading.whole):
            symbol = match.group(1) or match.group(2) or f"{match.group(3)}.{match.group(4)}"
            firm_id = self._tickers.get(_ticker_key(symbol))
            if firm_id is not None:
                entry = _Pattern("", False, False, (AliasRow(firm_id, symbol, AliasKind.TICKER),))
                names.append((entry, match.start(), match.end()))

    def _accept(self, reading: Reading, raw: list[tuple[_Pattern, int, int]]) -> list[Name]:
        accepted: list[Name] = []
        weak: list[Name] = []
        venues: list[Name] = []
        for entry, start, end in raw:
            if entry.regulators:
                rows = tuple((row, needs_cue) for row, needs_cue, text in entry.regulators if _is_written(text, reading.whole[start:end]))
                if rows:
                    accepted.append(Name(start, end, end, rows[0][0].id, name=rows[0][0].name, regulators=rows))
                    continue
            alias = self._owner(entry.aliases, reading)
            if alias is None:
                continue
            is_weak = alias.strength is Strength.WEAK and alias.kind is not AliasKind.TICKER
            is_common = is_of_common_words(alias.text)
            if (is_weak or is_common) and is_end_of_longer(reading, start, is_anywhere=is_common):
                continue
            name = self._name(alias, start, end, reading.on)
            verdict = stretch(reading, name, [s for _, s, _ in raw], partial(self._own_words, name.child_id or ""))
            if verdict == "other":
                accepted.append(name)
            elif verdict == "venue":
                name.rule = VENUE
                venues.append(name)
            elif verdict == "number":
                continue
            elif is_weak and verdict != "legal":
                weak.append(name)
            else:
                accepted.append(name)
        strong = {name.key for name in accepted}
        for _ in range(2):
            waiting, weak = weak, []
            for name in waiting:
                rule = "same-firm" if name.key in strong else weak_rule(reading, name, accepted)
                if rule:
                    name.rule = rule
                    end_at_branch(reading, name)
                    accepted.append(name)
                    strong.add(name.key)
                else:
                    weak.append(name)
        reading.weak = weak
        return accepted + venues

    def _owner(self, aliases: Iterable[AliasRow], reading: Reading) -> AliasRow | None:
        """The alias that counts on the document's date; None when two unrelated firms share it."""
        on = reading.on
        valid = [
            a
            for a in aliases
            if on is None or ((a.from_on is None or a.from_on <= on) and (a.to_on is None or on <= a.to_on or a.kind is AliasKind.FORMER))
        ]
        if not valid:
            return None
        owners = {alias.firm_id for alias in valid}
        if len(owners) > 1:
            above = {edge.parent_id for owner in owners for edge in self._parents.get(owner, ())}
            whole = [a for a in valid if a.firm_id in above] or [a for a in valid if self._firms[a.firm_id].kind is not FirmKind.BRAND]
            if len({alias.firm_id for alias in whole}) != 1:
                return None
            valid = whole
        return min(valid, key=lambda alias: alias.strength is Strength.WEAK)

    def _name(self, alias: AliasRow, start: int, end: int, on: date | None) -> Name:
        firm = self._firms[alias.firm_id]
        name = Name(
            start,
            end,
            end,
            firm.id,
            firm.id,
            firm.name,
            strength=alias.strength,
            rule="ticker" if alias.kind is AliasKind.TICKER else "alias",
            child_id=firm.id,
        )
        if firm.kind is FirmKind.BRAND:
            owner = next(
                (edge for edge in self._parents.get(firm.id, ()) if edge.kind is OwnershipKind.BRAND_OF and _is_valid(edge, on)), None
            )
            name.brand_id = firm.id
            if owner is not None and owner.parent_id in self._firms:
                parent = self._firms[owner.parent_id]
                name.key, name.firm_id, name.name = parent.id, parent.id, parent.name
                name.via = f"{firm.name}, brand of {parent.name}"
        return name

    def _own_words(self, firm_id: str) -> frozenset[str]:
        """The words of the names that the register gives a firm, folded."""
        if not self._words:
            for alias in self._aliases:
                self._words.setdefault(alias.firm_id, set()).update(fold(alias.text).split())
        return frozenset(self._words.get(firm_id, ()))

    def country(self, firm_id: str) -> str:
        """The firm's country, ISO 3166; empty when the register does not say."""
        return self._firms[firm_id].country

    def groups(self, firm_id: str, on: date | None) -> Iterator[tuple[FirmRow, str]]:
        """The firms above this one on that date, nearest first, each with the edge in words."""
        seen, level = {firm_id}, [firm_id]
        while level:
            above: list[str] = []
            for child in level:
                for edge in self._parents.get(child, ()):
                    if (
                        edge.kind in (OwnershipKind.OWNED_BY, OwnershipKind.AFFILIATE_OF)
                        and edge.parent_id not in seen
                        and _is_valid(edge, on)
                        and edge.parent_id in self._firms
                    ):
                        seen.add(edge.parent_id)
                        above.append(edge.parent_id)
                        how = "owned by" if edge.kind is OwnershipKind.OWNED_BY else "affiliate of"
                        yield self._firms[edge.parent_id], f"{self._firms[child].name}, {how} {self._firms[edge.parent_id].name}"
            level = above


def found(reading: Reading, name: Name, role: Role, rule: str) -> FoundFirm:
    """The naming as the reading hands it out."""
    surface = reading.whole[name.start : name.end]
    return FoundFirm(
        name.firm_id,
        name.name or surface,
        surface,
        role,
        name.start,
        name.end,
        name.via,
        name.strength,
        rule or name.rule,
        brand_id=name.brand_id,
    )


def _is_spoken(trigger: str, language: str) -> bool:
    """Chinese words are unmistakable but in Japanese; English ones are read in every text but those of languages with their letters."""
    if trigger == "zh":
        return language not in ("ja", "ko")
    return trigger == language or (trigger == "en" and language not in ("fr", "de", "it", "es", "pt", "nl"))


def _is_written(text: str, surface: str) -> bool:
    """Initials are cased as printed (WHO, SAFE); other names are not all lower case."""
    if text.isascii() and text.isupper():
        return surface == text or not surface.isascii()
    return not surface.isascii() or surface != surface.lower() or text == text.lower()


def _is_cased(entry: _Pattern, surface: str) -> bool:
    if entry.regulators and any(_is_written(text, surface) for _, _, text in entry.regulators):
        return True
    return any(is_alias_cased(alias.text, surface) for alias in entry.aliases)


def _is_brand(entry: _Pattern) -> bool:
    """Whether a Latin name may be all in small letters in a Chinese text, where such words are brands: foodpanda, gogoro."""
    return any(alias.strength is not Strength.WEAK and len(alias.text) > 4 and alias.text.isalpha() for alias in entry.aliases)


def _variants(text: str) -> set[str]:
    texts = {text}
    for old, new in (
        ("&", "and"),
        (" and ", " & "),
        ("ß", "ss"),
        ("æ", "ae"),
        ("œ", "oe"),
        ("ü", "ue"),
        ("ö", "oe"),
        ("ä", "ae"),
        (" Ltd", " Limited"),
        (" Limited", " Ltd"),
        (", Inc", " Inc"),
    ):
        if old in text:
            texts.add(text.replace(old, new))
    return texts


def _ticker_key(text: str) -> str:
    return text.upper().lstrip("0").strip()


def _is_valid(edge: OwnershipRow, on: date | None) -> bool:
    if on is None:
        return edge.to_on is None
    return (edge.from_on is None or edge.from_on <= on) and (edge.to_on is None or on <= edge.to_on)


def _is_covered(hit: Hit, spans: list[tuple[int, int]]) -> bool:
    return any(start <= hit.start and hit.end <= end for start, end in spans)
