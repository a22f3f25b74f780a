"""Reading again: what stored documents say when the names, or the reader, are others than when they came.

A document read again is an edit whose text did not change, so its mentions and actions go the same way as in `ingest`, with
two differences. Nobody is told: what would be owed is waived as `READ_AGAIN` and is in no digest either, so that an action
found this way is known where it is followed and its next move arrives there with a card. And an act that a text alone told
of, and that is not read in it any more, loses its firms; it stays, with its number and what people said about it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import defer
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.base import Base, StorageError, chunks
from storage.casebook import Casebook
from storage.draft import Telling
from storage.fulltext import write_words
from storage.ingest import number_of, write_mentions
from storage.models import ActionFirm, Document, Mention, Mode, Source
from storage.owing import owe_moves
from storage.records import EntryRecord, FoundFirm, Reread, RereadOutcome
from storage.tenancy import Change

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

    async def documents_naming(self, firm_id: str) -> frozenset[int]:
        """The documents in which this firm or brand was read, by whatever names it had then."""
        named = select(Mention.document_id).where(Mention.firm_id == firm_id)
        hit = select(ActionFirm.document_id).where(ActionFirm.brand_id == firm_id)
        async with self._read() as session:
            return frozenset([*await session.exec(named), *await session.exec(hit)])

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
        documents += (await session.exec(held.order_by(col(Document.id)).with_for_update())).all()
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
    for telling in tellings:
        book.tell(telling)
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
