"""Reading again: what stored documents say when the names, or the reader, are others than when they came.

A document read again is an edit whose text did not change, so its mentions and actions go the same way as in `ingest`, with
two differences. Nobody is told: what would be owed is waived as `READ_AGAIN` and is in no digest either, so that an action
found this way is known where it is followed and its next move arrives there with a card. And an act that a text alone told
of, and that is not read in it any more, loses its firms; it stays, with its number and what people said about it.

One row tells with which names and which reader all stored documents were read last, and how far reading them again has
come (`bot.upkeep` carries it on): from the oldest up, so that what a document cites is on record before it is read, as it
was when polls brought them. Those names are kept in it, because what has changed since can only be told from both.
"""

from __future__ import annotations

import asyncio
import base64
import json
import zlib
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any

from sqlalchemy.orm import defer
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.base import Base, StorageError, chunks
from storage.casebook import Casebook
from storage.draft import Telling
from storage.firms import values_of
from storage.fulltext import write_words
from storage.ingest import number_of, write_mentions
from storage.models import ActionFirm, AliasKind, Document, FirmKind, Mention, Mode, OwnershipKind, Regulator, Source, Strength
from storage.owing import owe_moves
from storage.records import (
    AliasRow,
    EntryRecord,
    FirmRow,
    FoundFirm,
    OwnershipRow,
    Register,
    RegulatorRow,
    Reread,
    RereadOutcome,
    RereadProgress,
    RereadStep,
    StoredText,
    Touched,
)
from storage.search import stored_text
from storage.tenancy import Change, Rereading

READ_AGAIN = "read again"
"""Why what rereading found was not told."""


class _Undone(Exception):
    """Ends a transaction that was only to show what it would do."""


class RereadingStore(Base):
    """Documents read again, and sources to be looked at again."""

    async def reread(self, readings: Sequence[Reread], *, is_dry_run: bool = False) -> RereadOutcome:
        """Put new readings in the place of what these documents said, silently, and say what changed. One transaction.

        A document that is gone, or was edited since it was read, is left out. `is_dry_run` changes nothing; the numbers
        of new actions are then none that will be given.
        """
        outcome = RereadOutcome()
        try:
            async with self._write() as session:
                await self._one_at_a_time(session, "actions")
                outcome = await _reread(session, readings, self._now())
                if is_dry_run:
                    raise _Undone
        except _Undone:
            pass
        return outcome

    async def documents_naming(self, firm_ids: Collection[str], among: Collection[int] | None = None) -> frozenset[int]:
        """The documents (of these, where given) in which one of these firms or brands was read, by whatever names it had then."""
        found: set[int] = set()
        async with self._read() as session:
            for firms in chunks(firm_ids):
                named = select(Mention.document_id).where(col(Mention.firm_id).in_(firms))
                hit = select(ActionFirm.document_id).where(col(ActionFirm.brand_id).in_(firms))
                for documents in [None] if among is None else chunks(among):
                    for query, place in ((named, col(Mention.document_id)), (hit, col(ActionFirm.document_id))):
                        found.update(await session.exec(query if documents is None else query.where(place.in_(documents))))
        return frozenset(found)

    async def reread_progress(self) -> RereadProgress | None:
        """With what stored documents are, or are being, read; None: that was never noted."""
        async with self._read() as session:
            row = (await session.exec(select(Rereading).options(defer(Rereading.packed)))).one_or_none()  # type: ignore[arg-type]
            return _progress(row) if row else None

    async def names_read_with(self) -> Register | None:
        """The register that `reread_progress` names; None when it was never noted, or by a version that kept it otherwise."""
        async with self._read() as session:
            packed = (await session.exec(select(Rereading.packed))).one_or_none()
        return await asyncio.to_thread(_unpacked, packed) if packed else None

    async def begin_reread(self, register: Register, reader: str, touched: Touched, former: RereadProgress | None) -> RereadProgress | None:
        """Begin to read again what a change may concern, from the oldest document up, in the place of any re-reading before.

        None, and nothing begun, when things do not stand as `former` says any more. Where nothing is touched, or nothing is
        stored, it has ended as well.
        """
        now, packed = self._now(), await asyncio.to_thread(_packed, register)
        async with self._write() as session:
            await self._one_at_a_time(session, "rereading")
            row = (await session.exec(select(Rereading))).one_or_none()
            if (_progress(row) if row else None) != former:
                return None
            is_work = bool(touched) and (await session.exec(select(Document.id).limit(1))).first() is not None
            late_since = former.late_since if former else None
            fresh = Rereading(
                id=1,
                names=register.version,
                packed=packed,
                reader=reader,
                touched={"firms": sorted(touched.firms), "pieces": sorted(touched.pieces), "is_everything": touched.is_everything},
                after_id=0,
                begun_at=now,
                ended_at=None if is_work else now,
                late_since=late_since or (now if is_work else None),
                outcome=_outcome_values(RereadOutcome()),
            )
            return _progress(await session.merge(fresh))

    async def texts_after(self, after_id: int, limit: int, version: str) -> tuple[StoredText, ...]:
        """Stored documents of higher ids that were read with other names or another reader than this version: the oldest first."""
        wanted = _texts().where(col(Document.id) > after_id, col(Document.register_version) != version)
        async with self._read() as session:
            found = await session.exec(wanted.order_by(col(Document.id)).limit(limit))
            return tuple(stored_text(row, zone or "UTC") for row, zone in found)

    async def late_texts(self, since: datetime, until: datetime, after: int, limit: int) -> tuple[StoredText, ...]:
        """Documents that were stored or edited in that time, in the order of their ids and those after one: a batch."""
        wanted = _texts().where(col(Document.fetched_at).between(since, until), col(Document.id) > after)
        async with self._read() as session:
            found = await session.exec(wanted.order_by(col(Document.id)).limit(limit))
            return tuple(stored_text(row, zone or "UTC") for row, zone in found)

    async def carry_on_reread(self, step: RereadStep) -> RereadProgress | None:
        """Put down what some documents say when they are read again, and that they are done with. One transaction, as silent as `reread`.

        None, and nothing written, when the re-reading is another one by now, or somebody else did this step.
        """
        now = self._now()
        async with self._write() as session:
            if step.readings:
                await self._one_at_a_time(session, "actions")
            held = select(Rereading).where(Rereading.begun_at == step.begun_at, Rereading.after_id == step.after_id)
            row = (await session.exec(held.where(col(Rereading.ended_at).is_(None)).with_for_update())).one_or_none()
            if row is None:
                return None
            if step.readings:
                outcome = _outcome(row.outcome) + await _reread(session, step.readings, now)
                row.outcome = _outcome_values(outcome)
            row.after_id, row.looked_at, row.unreadable = step.up_to, row.looked_at + step.looked_at, row.unreadable + step.unreadable
            return _progress(row)

    async def end_reread(self, begun_at: datetime) -> None:
        """All documents were gone through. What is stored late is still to be looked at."""
        async with self._write() as session:
            running = update(Rereading).where(col(Rereading.begun_at) == begun_at, col(Rereading.ended_at).is_(None))
            await session.exec(running.values(ended_at=self._now()))

    async def settle_reread(self, late_since: datetime) -> None:
        """What was stored late was looked at too."""
        async with self._write() as session:
            await session.exec(update(Rereading).where(col(Rereading.late_since) == late_since).values(late_since=None))

    async def look_again(self, source_id: str, by: str) -> bool:
        """Forget what would tell that a source has nothing new, and let its next poll be due: all that it lists is looked at.

        False for a source that is not polled. Raises StorageError for one that is not known, or that is being polled now:
        that poll would remember again what is to be forgotten.
        """
        now = self._now()
        async with self._write() as session:
            source = (await session.exec(select(Source).where(Source.id == source_id).with_for_update())).one_or_none()
            if source is None:
                raise StorageError(f"There is no source {source_id!r}.")
            if not source.is_enabled or source.mode is Mode.OFF:
                return False
            if source.lease_until is not None and source.lease_until > now:
                raise StorageError(f"{source_id} is being polled. Try again in a minute.")
            source.etag = source.last_modified = source.body_hash = None
            source.next_poll_at = min(source.next_poll_at, now)
            session.add(Change(subject=f"source:{source_id}", made_by=by, made_at=now, what="look again", before="", after=""))
            return True


async def _reread(session: AsyncSession, readings: Sequence[Reread], now: datetime) -> RereadOutcome:
    told = {reading.document_id: reading for reading in readings}
    documents: list[Document] = []
    for chunk in chunks(told):
        held = select(Document).where(col(Document.id).in_(chunk)).options(defer(Document.text))  # type: ignore[arg-type]
        # key_share: a poll that sees one of them under another key need not wait for us
        documents += (await session.exec(held.order_by(col(Document.id)).with_for_update(key_share=True))).all()
    documents = [row for row in documents if row.sha256 == told[row.id or 0].sha256]
    entries = [_entry(row, told[row.id or 0]) for row in documents]
    ids = [row.id or 0 for row in documents]
    # its language is part of what full text knows of a document
    spoken_otherwise = [row.id or 0 for row, entry in zip(documents, entries, strict=True) if row.language != entry.language]
    before = await _mentions(session, ids)
    for row, entry in zip(documents, entries, strict=True):
        row.language = entry.language
        row.register_version = told[row.id or 0].register_version or row.register_version
        row.number = row.number or number_of(entry)
    await write_mentions(session, entries, ids)
    await write_words(session, spoken_otherwise)
    book = Casebook(session, now)
    tellings = [
        Telling(one, entry, row.tier, row.regulator_id, is_reread=True) for one, entry, row in zip(ids, entries, documents, strict=True)
    ]
    await book.load(tellings)
    for at, telling in enumerate(tellings):
        book.tell(telling)
        if at % 20 == 19:
            await asyncio.sleep(0)  # the event loop has other things to do
    moves = await book.write()
    _, waived = await owe_moves(session, moves, now)
    moved = {move.action_id for move in moves}
    after = {one: {_mention(found) for found in entry.extraction.mentions} for one, entry in zip(ids, entries, strict=True)}
    changed = {one for one in ids if after[one] != before[one] or moved & book.actions_of(one)}
    named = {one: {firm_id for firm_id, *_ in after[one] if firm_id} - {firm_id for firm_id, *_ in before[one]} for one in ids}
    return RereadOutcome(
        read=len(ids),
        left_out=len(told) - len(ids),
        changed=len(changed),
        opened=tuple(move.action_id for move in moves if move.is_new),
        moved=tuple(move.action_id for move in moves if not move.is_new),
        unsaid=book.unsaid,
        firms=frozenset[str]().union(*named.values()),
        waived=waived,
    )


def _entry(row: Document, reading: Reread) -> EntryRecord:
    """A stored document as the edit of itself."""
    return EntryRecord(
        document_id=row.id,
        entry_hash=None,
        guid=None,
        url=row.url,
        canonical_url=row.canonical_url or None,
        title_key=None,
        title=row.title,
        text="",
        sha256=row.sha256,
        language=reading.extraction.language,
        published_at=row.published_at,
        published_precision=row.published_precision,
        updated_at=row.updated_at,
        extraction=reading.extraction,
        waived=READ_AGAIN,
    )


def _mention(found: FoundFirm | Mention) -> tuple[str | None, str, str, int, int, str]:
    return found.firm_id, found.name, found.surface, found.start, found.end, found.role


async def _mentions(session: AsyncSession, ids: Sequence[int]) -> dict[int, set[tuple[str | None, str, str, int, int, str]]]:
    found: dict[int, set[tuple[str | None, str, str, int, int, str]]] = defaultdict(set)
    for chunk in chunks(ids):
        for row in await session.exec(select(Mention).where(col(Mention.document_id).in_(chunk))):
            found[row.document_id].add(_mention(row))
    return found


def _texts() -> Any:
    return select(Document, select(Regulator.time_zone).where(Regulator.id == Document.regulator_id).scalar_subquery())


def _progress(row: Rereading) -> RereadProgress:
    touched = Touched(frozenset(row.touched["firms"]), frozenset(row.touched["pieces"]), row.touched["is_everything"])
    return RereadProgress(
        names=row.names,
        reader=row.reader,
        touched=touched,
        after_id=row.after_id,
        begun_at=row.begun_at,
        ended_at=row.ended_at,
        late_since=row.late_since,
        looked_at=row.looked_at,
        unreadable=row.unreadable,
        outcome=_outcome(row.outcome),
    )


def _outcome_values(outcome: RereadOutcome) -> dict[str, Any]:
    return values_of(outcome) | {"firms": sorted(outcome.firms)}


def _outcome(values: Mapping[str, Any]) -> RereadOutcome:
    lists = {"opened": tuple(values["opened"]), "moved": tuple(values["moved"]), "firms": frozenset(values["firms"])}
    return RereadOutcome(**{**values, **lists})


def _day(value: str | None) -> date | None:
    return date.fromisoformat(value) if value else None


_PARTS: tuple[tuple[type[Any], Mapping[str, Callable[[Any], Any]]], ...] = (
    (FirmRow, {"kind": FirmKind, "tickers": tuple}),
    (AliasRow, {"kind": AliasKind, "strength": Strength, "from_on": _day, "to_on": _day}),
    (OwnershipRow, {"kind": OwnershipKind, "from_on": _day, "to_on": _day}),
    (RegulatorRow, {"aliases": tuple, "context_aliases": tuple, "languages": tuple}),
)
"""The rows of a register, and how what JSON has no word for is read back."""

_SHAPE = [list(record.__slots__) for record, _ in _PARTS]


def _packed(register: Register) -> str:
    """A register as short text: a hundred thousand names are some megabytes. A row at a time: one long call would stop the event
    loop, though it stands in a thread."""
    parts = (register.firms, register.aliases, register.ownerships, register.regulators)
    lines = [json.dumps({"version": register.version, "shape": _SHAPE, "rows": [len(part) for part in parts]})]
    lines += [json.dumps(list(values_of(row).values()), ensure_ascii=False, default=str) for part in parts for row in part]
    return base64.b85encode(zlib.compress("\n".join(lines).encode())).decode()


def _unpacked(packed: str) -> Register | None:
    lines = iter(zlib.decompress(base64.b85decode(packed)).decode().split("\n"))
    told = json.loads(next(lines))
    if told["shape"] != _SHAPE:
        return None
    parts = []
    for (record, readers), count in zip(_PARTS, told["rows"], strict=True):
        reads = [readers.get(name) for name in record.__slots__]
        rows = (json.loads(line) for line in islice(lines, count))
        parts.append(tuple(record(*(read(value) if read else value for read, value in zip(reads, row, strict=True))) for row in rows))
    return Register(told["version"], *parts)
