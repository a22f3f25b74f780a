"""Stored documents read again: after a firm, a name or an edge came, or with a better reader. Nobody is alerted.

`Rereader` goes through the stored texts in batches, reads in a thread those that matter, and hands the readings to
`Store.reread`, which says what changed. For a source it also lets the next poll look at all that is still listed. It may be
cancelled between any two batches: what is done stays, and doing it again changes nothing. People order it; what a changed
register or a better reader asks for, `upkeep` does by itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from bot.backtest import needles
from storage import Store
from storage.records import DocumentText, Extraction, Reread, RereadOutcome, StoredText
from storage.text import fold

BATCH = 50
"""Documents in one transaction."""

_log = logging.getLogger("regwatch.reread")


@dataclass(frozen=True, slots=True)
class RereadReport:
    """What came of it. `looked_at`: stored documents that were gone through; those that matter were read."""

    subject: str  # id of the firm or source
    looked_at: int
    outcome: RereadOutcome
    unreadable: int = 0  # documents on which the reader failed; the log has the tracebacks
    is_dry_run: bool = False
    is_due: bool = False  # the source is looked at again by its next poll, which is due


class Rereader:
    """Reads stored documents again. `read` makes an Extraction of a text, in threads; `version` tells with which names."""

    def __init__(
        self,
        store: Store,
        read: Callable[[DocumentText], Extraction],
        now: Callable[[], datetime],
        *,
        version: Callable[[], str] = lambda: "",
    ) -> None:
        self._store = store
        self._read = read
        self._now = now
        self._version = version

    async def firm(
        self,
        firm_id: str,
        since: date | None = None,
        *,
        is_dry_run: bool = False,
        on_batch: Callable[[int], None] | None = None,
    ) -> RereadReport:
        """Read again what may name this firm, or what belongs to it, and what was read as naming it so far.

        `since`: published that day or later. `on_batch` hears how many documents were gone through. Raises StorageError.
        """
        register = await self._store.register()
        pieces = await asyncio.to_thread(needles, register, {firm_id})
        named = await self._store.documents_naming([firm_id])

        def may_name(text: StoredText) -> bool:
            folded = fold(text.document.whole)
            return text.id in named or any(piece in folded for piece in pieces)

        return await self._go_through(firm_id, may_name, since, None, is_dry_run, on_batch)

    async def source(
        self,
        source_id: str,
        since: date | None = None,
        *,
        by: str = "operator",
        is_dry_run: bool = False,
        on_batch: Callable[[int], None] | None = None,
    ) -> RereadReport:
        """Read all stored documents of a source again, and let its next poll look at all that it still lists.

        Raises StorageError for a source that is not known, or is being polled now.
        """
        is_due = False if is_dry_run else await self._store.look_again(source_id, by)
        report = await self._go_through(source_id, lambda _: True, since, source_id, is_dry_run, on_batch)
        return replace(report, is_due=is_due)

    async def _go_through(
        self,
        subject: str,
        matters: Callable[[StoredText], bool],
        since: date | None,
        source_id: str | None,
        is_dry_run: bool,
        on_batch: Callable[[int], None] | None,
    ) -> RereadReport:
        started = self._now()
        report = RereadReport(subject, 0, RereadOutcome(), is_dry_run=is_dry_run)
        last = 0
        while batch := await self._store.texts(last, BATCH, since, source_id):
            last = batch[-1].id
            texts = await asyncio.to_thread(list, filter(matters, batch))
            readings, unreadable = await asyncio.to_thread(read_some, texts, self._read, self._version)
            outcome = report.outcome
            if readings:
                outcome += await self._store.reread(readings, is_dry_run=is_dry_run)
            report = replace(report, looked_at=report.looked_at + len(batch), outcome=outcome, unreadable=report.unreadable + unreadable)
            if on_batch is not None:
                on_batch(len(batch))
            await asyncio.sleep(0)
        told = report.outcome
        counts = f"read={told.read} changed={told.changed} opened={len(told.opened)} moved={len(told.moved)} unsaid={told.unsaid}"
        seconds = (self._now() - started).total_seconds()
        _log.info("reread subject=%s dry=%s %s seconds=%.1f", subject, is_dry_run, counts, seconds)
        return report


def read_some(
    texts: Sequence[StoredText], read: Callable[[DocumentText], Extraction], version: Callable[[], str]
) -> tuple[tuple[Reread, ...], int]:
    """What these documents say now, and how many of them could not be read: the log has the tracebacks. For a thread."""
    readings: list[Reread] = []
    unreadable = 0
    for text in texts:
        read_with = version()  # before the reading: names that reload meanwhile must not be claimed
        try:
            # its language is found out anew, as a poll does
            extraction = read(replace(text.document, language=None))
        except Exception:
            _log.exception("reread document=%s could not be read", text.id)
            unreadable += 1
            continue
        readings.append(Reread(text.id, text.sha256, extraction, read_with))
    return tuple(readings), unreadable
