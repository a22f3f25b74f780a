"""What stored documents say is kept up with the register and with the reader, by itself, silently.

`look` (a job of `app`, every few seconds) finds out whether stored documents were read with the names and the reader of now.
If not, it works out what may be read otherwise (`touched`) and reads that again, in the order in which it came, so that a
later document finds the earlier one that it cites. That goes in slices of a second or two, between which polls and answers
have their turn. It ends after the last document that was read with other names; what polls store meanwhile with those of now
is passed by. One process at a time does a slice, by a lease; how far it has come stands in the database (`storage.rereading`),
in the same transaction as what was read, so a process that dies is followed by any other, and nothing is counted twice. At
the end the operators are told the sum, and nobody else is told anything.

A poll in some process may still have read with the older names while they changed. So what was stored about that time is
read once more, some minutes later.

Of two readers the one of the process that started last counts as the better one: while a new version is rolled out, the
processes of the old one leave it to the new.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from time import monotonic

from bot.names import Names, reader_version
from bot.reread import read_some
from bot.touched import touched
from storage import Store
from storage.records import Reread, RereadOutcome, RereadProgress, RereadStep, StoredText, Touched, action_ref
from storage.text import fold

BATCH = 25
"""Documents that are read again in one transaction: other writers wait for it."""

LOOKED_AT = 200
"""Documents that are gone through for those that may be concerned."""

LATE = timedelta(minutes=10)
"""So long before and after a change what is stored may have been read with the names of before."""

SLICE = 1.5
"""Seconds of work in one look."""

_LEASE, _LENGTH = "reread", timedelta(minutes=5)
_REFS = 5

_log = logging.getLogger("regwatch.upkeep")


class Upkeep:
    """Reads stored documents again when the names or the reader are others. `names` were refreshed; `kick` lets notices go out."""

    def __init__(
        self,
        store: Store,
        names: Names,
        now: Callable[[], datetime],
        *,
        kick: Callable[[], None] = lambda: None,
        seconds: float = SLICE,
        timer: Callable[[], float] = monotonic,
    ) -> None:
        self._store = store
        self._names = names
        self._now = now
        self._kick = kick
        self._seconds = seconds
        self._timer = timer
        self._holder = os.urandom(8).hex()
        self._has_led = False  # stored documents were, or were being, read with this reader

    async def look(self) -> None:
        """Do a slice of what is to be done, unless another process is at it. Raises StorageError."""
        if not self._is_due(await self._store.reread_progress()):
            return
        if not await self._store.lease(_LEASE, self._holder, _LENGTH):
            return
        try:
            await self._work()
        finally:
            await self._store.end_lease(_LEASE, self._holder)

    def _is_due(self, progress: RereadProgress | None) -> bool:
        if progress is None:
            return True
        if progress.reader != reader_version():
            return not self._has_led
        self._has_led = True
        is_other = progress.names != self._names.index.version
        return progress.ended_at is None or is_other or self._is_late_due(progress)

    def _is_late_due(self, progress: RereadProgress) -> bool:
        return progress.late_since is not None and self._now() >= progress.begun_at + LATE

    async def _work(self) -> None:
        progress = await self._store.reread_progress()
        if progress is None or progress.names != self._names.index.version:
            await self._names.refresh()  # another process may know newer ones than this one
        if not self._is_due(progress):
            return
        is_of_now = progress is not None and (progress.ended_at is None or progress.names == self._names.index.version)
        if progress is None or progress.reader != reader_version() or not is_of_now:
            progress = await self._begin(progress)
        if progress is None:
            return
        if progress.ended_at is None:
            await self._walk(progress)
        elif self._is_late_due(progress):
            await self._read_late(progress)

    async def _begin(self, former: RereadProgress | None) -> RereadProgress | None:
        """Note what is to be read again; None when another process was quicker, and the next look sees how things stand."""
        register = self._names.register
        before = await self._store.names_read_with() if former and former.reader == reader_version() else None
        what = await asyncio.to_thread(touched, before, register) if before else Touched(is_everything=True)
        progress = await self._store.begin_reread(register, reader_version(), what, former)
        if progress is not None:
            self._has_led = True
            asked = "everything" if what.is_everything else f"firms={len(what.firms)} pieces={len(what.pieces)}"
            _log.info("reread begins names=%s reader=%s %s", progress.names, progress.reader, asked)
        return progress

    async def _walk(self, progress: RereadProgress) -> None:
        """Read on, a batch at least, until the slice is over or all was gone through."""
        until = self._timer() + self._seconds
        while True:
            size = BATCH if progress.touched.is_everything else LOOKED_AT
            texts = await self._store.texts_after(progress.after_id, size, self._names.version)
            if not texts:
                await self._end(progress)
                return
            passed, concerned = await self._concerned(texts, progress.touched)
            readings, unreadable = await self._read(concerned)
            step = RereadStep(progress.begun_at, progress.after_id, passed[-1].id, len(passed), unreadable, readings)
            carried = await self._store.carry_on_reread(step)
            if carried is None or self._timer() >= until:
                return
            progress = carried

    async def _concerned(self, texts: Sequence[StoredText], what: Touched) -> tuple[Sequence[StoredText], Sequence[StoredText]]:
        """As many of the texts as one transaction should hold, and those of them that may be read otherwise."""
        if what.is_everything:
            return texts, texts
        named = await self._store.documents_naming(what.firms, [text.id for text in texts])
        concerned = await asyncio.to_thread(_holding, texts, named, what.pieces)
        if len(concerned) > BATCH:
            concerned = concerned[:BATCH]
            texts = [text for text in texts if text.id <= concerned[-1].id]
        return texts, concerned

    async def _read(self, texts: Sequence[StoredText]) -> tuple[tuple[Reread, ...], int]:
        return await asyncio.to_thread(read_some, texts, self._names.read, lambda: self._names.version)

    async def _end(self, progress: RereadProgress) -> None:
        told = progress.outcome
        counts = f"read={told.read} changed={told.changed} opened={len(told.opened)} moved={len(told.moved)} unsaid={told.unsaid}"
        looked = f"looked_at={progress.looked_at} unreadable={progress.unreadable}"
        _log.info("reread ends names=%s reader=%s %s %s", progress.names, progress.reader, looked, counts)
        # before it ends: whoever dies in between owes the same notice again, which is once
        if told.changed or progress.unreadable or (progress.touched.is_everything and told.read):
            key = f"notice:reread:{progress.names}-{progress.reader}:{progress.begun_at.isoformat()}"
            await self._store.owe_notice(key, facts_of(progress))
        await self._store.end_reread(progress.begun_at)
        if progress.late_since is not None and not progress.looked_at:
            await self._store.settle_reread(progress.late_since)  # all that is stored was read as it would be now
        self._kick()

    async def _read_late(self, progress: RereadProgress) -> None:
        """Read once more what was stored while the names changed, whatever it says it was read with."""
        assert progress.late_since is not None  # noqa: S101  # `_is_late_due`
        span = progress.late_since - LATE, progress.begun_at + LATE
        outcome, last = RereadOutcome(), 0
        while texts := await self._store.late_texts(*span, last, BATCH):
            last = texts[-1].id
            readings, _ = await self._read(texts)
            outcome += await self._store.reread(readings)
            await self._store.lease(_LEASE, self._holder, _LENGTH)
        await self._store.settle_reread(progress.late_since)
        _log.info("reread late read=%s changed=%s opened=%s", outcome.read, outcome.changed, len(outcome.opened))


def facts_of(progress: RereadProgress) -> dict[str, str]:
    """What the operators' notice of a re-reading tells: `notices.notice` draws it."""
    told = progress.outcome
    return {
        "reread": str(told.read),
        "changed": str(told.changed),
        "opened": str(len(told.opened)),
        "moved": str(len(told.moved)),
        "unsaid": str(told.unsaid),
        "unreadable": str(progress.unreadable),
        "firms": ", ".join(sorted(told.firms)),
        "refs": ", ".join(map(action_ref, (*told.opened, *told.moved)[:_REFS])),
    }


def _holding(texts: Sequence[StoredText], named: frozenset[int], pieces: frozenset[str]) -> list[StoredText]:
    """The texts that are named, or hold one of the pieces."""
    found = []
    for text in texts:
        folded = fold(text.document.whole)
        if text.id in named or any(piece in folded for piece in pieces):
            found.append(text)
    return found
