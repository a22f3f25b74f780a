"""What a firm, or a name that is not in the register yet, would have matched in the stored texts. Writes nothing.

A new name is read as one of a firm of its own, laid over the names that the database holds, so that longer names,
decoys and regulators keep what is theirs.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.extract import FirmIndex, extract
from bot.extract.text import sentences
from storage import Store
from storage.lists import ticker_key, variants
from storage.models import AliasKind, OwnershipKind, Role, Strength
from storage.records import AliasRow, Extraction, FirmRow, Register, StoredText
from storage.text import fold

SAMPLES = 5
_RUN = re.compile(r"[a-z0-9]+|[\u3400-\u9fff]+")


@dataclass(frozen=True, slots=True)
class Sample:
    """A text that was matched: `sentence` is the one that names the firm."""

    document_id: int
    title: str
    at: datetime  # published, or first seen
    role: Role
    surface: str
    sentence: str


@dataclass(slots=True)
class Tally:
    """What one firm or name has matched so far."""

    typed: str
    firm_id: str
    is_known: bool
    documents: int = 0
    as_target: int = 0
    as_group: int = 0
    targets: deque[Sample] = field(default_factory=lambda: deque(maxlen=SAMPLES))
    others: deque[Sample] = field(default_factory=lambda: deque(maxlen=SAMPLES))

    @property
    def samples(self) -> list[Sample]:
        """The newest, targets first."""
        return [*reversed(self.targets), *reversed(self.others)][:SAMPLES]


class Backtest:
    """Reads stored texts for some firms and names. `known` are ids, `new` names that the register does not have."""

    def __init__(
        self, register: Register, known: Sequence[tuple[str, str]], new: Iterable[str], strength: Strength = Strength.STRONG
    ) -> None:
        """`known` pairs what was typed with the firm's id."""
        added = [(name, f"new-{number}") for number, name in enumerate(new, 1)]
        firms = tuple(FirmRow(firm_id, name) for name, firm_id in added)
        aliases = tuple(AliasRow(firm_id, name, strength=strength, source="new") for name, firm_id in added)
        own = replace(register, firms=(*register.firms, *firms), aliases=(*register.aliases, *aliases))
        self.tallies = [Tally(typed, firm_id, True) for typed, firm_id in known]
        self.tallies += [Tally(name, firm_id, False) for name, firm_id in added]
        self._index = FirmIndex(own)
        self._needles = needles(own, {tally.firm_id for tally in self.tallies})

    def read(self, texts: Iterable[StoredText]) -> None:
        """Count a batch of texts. Only those are read that hold a piece of one of the names."""
        for text in texts:
            folded = fold(text.document.whole)
            if any(needle in folded for needle in self._needles):
                reading = extract(text.document, self._index)
                for tally in self.tallies:
                    _count(tally, text, reading)


async def tallied(store: Store, firm: FirmRow, aliases: Sequence[AliasRow]) -> Tally:
    """What a firm that is not in the register yet would have matched in all stored texts. Read in a thread, batch by batch."""
    register = await store.register()
    own = replace(register, firms=(*register.firms, firm), aliases=(*register.aliases, *aliases))
    test = await asyncio.to_thread(Backtest, own, [(firm.name, firm.id)], ())
    last = 0
    while batch := await store.texts(last):
        last = batch[-1].id
        await asyncio.to_thread(test.read, batch)
    return test.tallies[0]


def needles(register: Register, wanted: set[str]) -> set[str]:
    """Folded pieces of which a text must hold one to name one of the firms; an act against a brand is one against its owner."""
    brands = {
        edge.child_id for edge in register.ownerships if edge.kind is OwnershipKind.BRAND_OF and {edge.child_id, edge.parent_id} & wanted
    }
    # a text that hits a firm below names the one above as its group
    below = wanted | brands
    while more := {edge.child_id for edge in register.ownerships if edge.parent_id in below} - below:
        below |= more
    return {_needle(alias) for alias in register.aliases if alias.firm_id in below}


def _needle(alias: AliasRow) -> str:
    """The longest piece of a name that is the same however the name is written: its legal form and its joints are not."""
    if alias.kind is AliasKind.TICKER:
        return fold(ticker_key(alias.text).partition(".")[0])
    name = next(iter(variants(alias.text)[-1:]), alias.text)
    pieces = [piece for piece in _RUN.findall(re.sub("[äöüßæœ]", " ", name.lower())) if piece not in ("and", "limited", "ltd", "inc")]
    return max((fold(piece) for piece in pieces), key=len, default="")


def _count(tally: Tally, text: StoredText, reading: Extraction) -> None:
    acting = [firm for action in reading.actions for firm in action.firms if tally.firm_id in (firm.firm_id, firm.brand_id)]
    named = [*acting, *(firm for firm in reading.mentions if tally.firm_id in (firm.firm_id, firm.brand_id))]
    if not named:
        return
    best = min(named, key=lambda firm: tuple(Role).index(firm.role))
    tally.documents += 1
    tally.as_target += best.role is Role.TARGET
    tally.as_group += best.role is Role.GROUP
    whole, title_end = text.document.whole, len(text.document.title)
    span = next((one for one in sentences(whole, title_end) if one.start <= best.start < one.end), None)
    said = whole[span.start : span.end] if span else best.surface
    at = text.document.published_at or text.first_seen_at
    sample = Sample(text.id, text.document.title, at, best.role, best.surface, " ".join(said.split()))
    (tally.targets if best.role is Role.TARGET else tally.others).append(sample)
