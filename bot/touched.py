"""What differs between two registers, and which stored texts may be read otherwise for it. Pure.

A text is read otherwise only where it holds a name of a firm whose names differ, or that is shown or owned otherwise, or of
what belongs to such a firm: a text that hits a subsidiary lists its owners. By what a text that may hold a name is known, is
for `needles` of `bot.backtest` to say. `bot.upkeep` asks, and reads those texts again.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from bot.backtest import needles
from storage.records import AliasRow, FirmRow, OwnershipRow, Register, Touched
from storage.text import fold

MOST = 1_000
"""Of more pieces or firms than that it is slower to ask whether a text may name one than to read it."""

Row = TypeVar("Row")


def touched(before: Register, after: Register) -> Touched:
    """The texts that may say other things with the one register than with the other; everything where the regulators differ.

    Where a row came from, and notes, are no part of what is read.
    """
    if before.version == after.version:
        return Touched()
    if set(before.regulators) != set(after.regulators):
        return Touched(is_everything=True)
    edges = _differing(_edges(before), _edges(after))
    # by their names and those of all that belongs to them
    shown = {row.id for row in _differing(_firms(before), _firms(after))} | {edge.child_id for edge in edges}
    # by their own names: all of them, because the names of a firm vouch for each other
    named = {row.firm_id for row in _differing(_aliases(before), _aliases(after))} | {edge.parent_id for edge in edges}
    pieces: set[str] = set()
    for register in (before, after):
        pieces |= needles(register, shown) | needles(replace(register, ownerships=()), named)
    if "" in pieces or max(len(pieces), len(shown | named)) > MOST:
        return Touched(is_everything=True)
    return Touched(frozenset(shown | named), frozenset(pieces))


def _differing(before: Mapping[Hashable, Row], after: Mapping[Hashable, Row]) -> set[Row]:
    """The rows that came, went or changed, as they were and as they are."""
    return {row for rows, others in ((before, after), (after, before)) for key, row in rows.items() if others.get(key) != row}


def _keyed(rows: Iterable[Row], key: Callable[[Row], Hashable]) -> dict[Hashable, Row]:
    return {key(row): row for row in rows}


def _firms(register: Register) -> dict[Hashable, FirmRow]:
    return _keyed((replace(row, note="") for row in register.firms), lambda row: row.id)


def _aliases(register: Register) -> dict[Hashable, AliasRow]:
    return _keyed((replace(row, source="") for row in register.aliases), lambda row: (row.firm_id, fold(row.text)))


def _edges(register: Register) -> dict[Hashable, OwnershipRow]:
    return _keyed((replace(row, source="") for row in register.ownerships), lambda row: (row.child_id, row.parent_id, row.kind))
