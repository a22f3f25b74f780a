"""Leased sources, and what a poll leaves behind.

`due_sources` hands out sources with a lease and a token; `record_poll` takes back everything that one poll
found, in one transaction: the log row, documents and their keys, actions, cases, evidence, the messages
owed for them, the source's cursor and rhythm. Either all of it is there or nothing is, so nothing is ever marked seen
that is not also owed. Which action a reading belongs to is worked out in `casebook` (decided in `joining`),
who is told in `owing`.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_
from sqlalchemy import text as sql
from sqlmodel import SQLModel, col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.base import Base, StorageError, chunks, insert_for, insert_rows
from storage.casebook import Casebook
from storage.draft import Telling, oldest_first
from storage.fulltext import write_words
from storage.loading import source_row
from storage.models import WANTED, Document, DocumentKey, Health, Mention, Mode, Poll, Regulator, Sighting, Source, SourceRhythm
from storage.owing import owe_moves, owe_operators
from storage.records import (
    DueSource,
    EntryRecord,
    KnownEntry,
    Listed,
    PollOutcome,
    PollRecord,
    RegulatorRow,
    Resighting,
    Rhythm,
    SourceRow,
    WantedBody,
)
from storage.tenancy import Change

_FIRST_POLL_SPREAD = timedelta(minutes=5)
BODY_TRIES = 3
"""So often a notice's own page is tried."""
_UNPROVED = "no real page of it has been read yet: live once one is"
"""Why a source whose row no real page has proved is a shadow."""
_VANISHED = "no longer in the catalogue"


class IngestStore(Base):
    """Sources, their leases, and what their polls found."""

    async def sync_catalogue(self, regulators: Sequence[RegulatorRow], sources: Sequence[SourceRow]) -> None:
        """Bring regulators and sources to the catalogue; what polling learned about a source stays.

        New sources are due within five minutes at most, spread by their ids. A source that the catalogue no
        longer has is switched off, not deleted: its documents are still here.
        """
        now = self._now()
        async with self._write() as session:
            for body in regulators:
                await _upsert(session, Regulator, _regulator_values(body), {})
            own = set(await session.exec(select(Source.id).where(col(Source.is_own))))
            for row in sources:
                if row.id in own:
                    continue  # an operator's row of the same name holds
                fresh = _fresh(now, row, *((Mode.LIVE, "") if row.is_proved else (Mode.SHADOW, _UNPROVED)))
                await _upsert(session, Source, {**_source_values(row), "is_own": False}, fresh)
            vanished = update(Source).where(
                col(Source.id).not_in([row.id for row in sources]), col(Source.is_enabled), col(Source.is_own).is_(False)
            )
            await session.exec(vanished.values(is_enabled=False, off_reason=_VANISHED))

    async def due_sources(
        self, limit: int, lease: timedelta, ids: Sequence[str] | None = None, ignore_due: bool = False
    ) -> tuple[DueSource, ...]:
        """Lease sources that are due (those of `ids` only, where given), the longest due first.

        A leased source is left to its holder until the lease ends. `ignore_due` takes them before their time.
        """
        now = self._now()
        async with self._write() as session:
            due = (
                select(Source)
                .where(
                    col(Source.is_enabled),
                    col(Source.mode) != Mode.OFF,
                    or_(col(Source.lease_until).is_(None), col(Source.lease_until) <= now),
                )
                .order_by(col(Source.next_poll_at), Source.id)
                .limit(limit)
                .with_for_update(skip_locked=True, of=Source)
            )
            if not ignore_due:
                due = due.where(Source.next_poll_at <= now)
            if ids is not None:
                due = due.where(col(Source.id).in_(ids))
            rows = (await session.exec(due)).all()
            zones = dict((await session.exec(select(Regulator.id, Regulator.time_zone))).all()) if rows else {}
            for row in rows:
                row.lease_until = now + lease
                row.lease_token += 1
            learned = select(SourceRhythm).where(col(SourceRhythm.source_id).in_([row.id for row in rows]))
            rhythms = {one.source_id: Rhythm(tuple(one.minutes), tuple(one.days)) for one in await session.exec(learned)}
            return tuple(_due(row, zones.get(row.regulator_id or "", "UTC"), rhythms.get(row.id, Rhythm())) for row in rows)

    async def release(self, source_id: str, token: int) -> None:
        """Give a lease back unused; the source is due as before. A token that is not ours any more does nothing."""
        async with self._write() as session:
            held = update(Source).where(col(Source.id) == source_id, col(Source.lease_token) == token)
            await session.exec(held.values(lease_until=None))

    async def import_sources(self, sources: Sequence[SourceRow], by: str) -> tuple[int, int]:
        """Take an operator's sources, or bring those of the same name to what he says now; how many are new, how many were there.

        A new one is a shadow, read and stored, until `arm` lets it alert. The catalogue's own are left as they are:
        StorageError names the first.
        """
        now, added = self._now(), 0
        async with self._write() as session:
            for row in sources:
                before = await session.get(Source, row.id)
                if before is not None and not before.is_own:
                    raise StorageError(f"{row.id!r} is a source of the catalogue. Give yours another source_id.")
                fresh = _fresh(now, row, Mode.SHADOW, "imported: regwatch sources arm lets it alert")
                await _upsert(session, Source, {**_source_values(row), "is_own": True}, fresh)
                added += before is None
                session.add(
                    Change(
                        subject=f"source:{row.id}",
                        made_by=by,
                        made_at=now,
                        what="import",
                        before="" if before is None else "there",
                        after=row.url,
                    )
                )
        return added, len(sources) - added

    async def hold(self, source_id: str, by: str) -> bool:
        """Let a source be read and stored without alerts until it is armed; False when it is held already.

        Raises StorageError for a source that is not known.
        """
        async with self._write() as session:
            source = await session.get(Source, source_id)
            if source is None:
                raise StorageError(f"There is no source {source_id!r}.")
            if source.mode is Mode.HELD:
                return False
            before = source.mode
            source.mode, source.mode_reason = Mode.HELD, f"held by {by}"
            session.add(
                Change(subject=f"source:{source_id}", made_by=by, made_at=self._now(), what="mode", before=before.value, after="held")
            )
            return True

    async def arm(self, source_id: str, by: str) -> bool:
        """Let a held or shadowed source alert again, from its next new entry on; False when it was live already.

        What it brought meanwhile stays waived. Raises StorageError for a source that is not known.
        """
        async with self._write() as session:
            source = await session.get(Source, source_id)
            if source is None:
                raise StorageError(f"There is no source {source_id!r}.")
            if source.mode is Mode.LIVE:
                return False
            before = f"{source.mode}: {source.mode_reason}" if source.mode_reason else str(source.mode)
            source.mode, source.mode_reason = Mode.LIVE, ""
            session.add(
                Change(subject=f"source:{source_id}", made_by=by, made_at=self._now(), what="mode", before=before, after=Mode.LIVE.value)
            )
            return True

    async def window(self, source_id: str) -> tuple[KnownEntry, ...]:
        """The documents that the source's last good poll showed."""
        async with self._read() as session:
            shown = select(Sighting.document_id).where(Sighting.source_id == source_id, col(Sighting.in_window))
            return await _known_entries(session, source_id, (await session.exec(shown)).all())

    async def known(
        self,
        source_id: str,
        *,
        guids: Iterable[str] = (),
        urls: Iterable[str] = (),
        titles: Iterable[str] = (),
        numbers: Iterable[str] = (),
    ) -> tuple[KnownEntry, ...]:
        """The source's documents that any of these keys means, whether still shown or long gone."""
        found: set[int] = set()
        async with self._read() as session:
            for kind, keys in (("guid", guids), ("url", urls), ("title", titles), ("number", numbers)):
                for chunk in chunks(set(keys)):
                    meant = select(DocumentKey.document_id).where(
                        DocumentKey.source_id == source_id, DocumentKey.kind == kind, col(DocumentKey.key).in_(chunk)
                    )
                    found.update((await session.exec(meant)).all())
            return await _known_entries(session, source_id, sorted(found))

    async def wanted_bodies(self, source_id: str, limit: int) -> tuple[WantedBody, ...]:
        """The source's documents whose own page is still to be read: the latest first, the least tried before others."""
        async with self._read() as session:
            wanted = (
                select(Document, Source.seeded_at)
                .join(Source, col(Source.id) == Document.source_id)
                .where(Document.source_id == source_id, sql(WANTED), col(Document.body_tries) < BODY_TRIES)
                .order_by(col(Document.body_tries), col(Document.first_seen_at).desc(), col(Document.id))
                .limit(limit)
            )
            return tuple(_wanted(row, seeded_at) for row, seeded_at in await session.exec(wanted))

    async def record_poll(self, record: PollRecord) -> PollOutcome:
        """Write down all that a poll found, with the messages owed for it. One transaction.

        Refused (`is_accepted` False, nothing written) when the lease is no longer ours.
        """
        now = self._now()
        async with self._write() as session:
            held = select(Source).where(
                Source.id == record.source_id, Source.lease_token == record.lease_token, col(Source.lease_until).is_not(None)
            )
            source = (await session.exec(held.with_for_update())).one_or_none()
            if source is None:
                return PollOutcome(is_accepted=False)
            entries = oldest_first(record.entries)
            if any(entry.extraction.actions for entry in entries):
                # two polls that tell of one act at the same time must see each other
                await self._one_at_a_time(session, "actions")
            await _hold_documents(session, record)
            ids = await _write_documents(session, source, entries, record.register_version, now)
            await write_words(session, ids)
            await _write_keys(session, source.id, entries, ids, record.resighted)
            await _write_sightings(session, source, entries, ids, record, now)
            await write_mentions(session, entries, ids)
            for one in record.unread_bodies:
                tried = update(Document).where(col(Document.id) == one.document_id, col(Document.source_id) == source.id)
                await session.exec(tried.values(body_tries=one.tries, body_detail=one.detail))
            book = Casebook(session, now)
            tellings = [Telling(one, entry, source.tier, source.regulator_id) for one, entry in zip(ids, entries, strict=True)]
            await book.load(tellings)
            for at, telling in enumerate(tellings):
                book.tell(telling)
                if at % 20 == 19:
                    await asyncio.sleep(0)  # a first poll of hundreds must not hold up the event loop
            moves = await book.write()
            if moves:
                # who follows meanwhile is told of these, or finds them among what is known: not neither
                await self._one_at_a_time(session, "rules")
            owed, waived = await owe_moves(session, moves, now)
            new = sum(entry.document_id is None for entry in entries)
            await self._notify(session, source, record, now)
            _move_cursor(source, record, now)
            if record.rhythm is not None:
                await session.merge(SourceRhythm(source_id=source.id, minutes=list(record.rhythm.minutes), days=list(record.rhythm.days)))
            session.add(
                Poll(
                    source_id=source.id,
                    started_at=record.started_at,
                    seconds=record.seconds,
                    http_status=record.http_status,
                    health=record.health,
                    detail=record.detail,
                    n_bytes=record.n_bytes,
                    n_entries=record.n_entries,
                    n_new=new,
                    n_changed=len(entries) - new,
                )
            )
            return PollOutcome(
                is_accepted=True,
                new=new,
                changed=len(entries) - new,
                actions=sum(move.is_new for move in moves),
                updates=sum(not move.is_new and not move.is_aside for move in moves),
                owed=owed,
                waived=waived,
            )

    async def _notify(self, session: AsyncSession, source: Source, record: PollRecord, now: datetime) -> None:
        """Tell the operators once per state of a source, and once for an event while it stays well."""
        if self._operations is None or not record.notice or (record.hold and source.mode is Mode.HELD):
            return
        state = "held" if record.hold else record.health.value
        is_lasting = record.health is source.health and record.health is not Health.OK and not record.hold
        since = source.health_since if is_lasting and source.health_since else now
        facts = {"source": source.id, "health": state, "since": since.isoformat(), "text": record.notice, "detail": record.detail}
        key = f"notice:{source.id}:{state}:{since.isoformat()}"
        await owe_operators(session, self._operations, key, facts, self._default_zone, now)


def _due(row: Source, time_zone: str, rhythm: Rhythm) -> DueSource:
    return DueSource(
        row=source_row(row),
        time_zone=time_zone,
        mode=row.mode,
        lease_token=row.lease_token,
        etag=row.etag,
        last_modified=row.last_modified,
        body_hash=row.body_hash,
        failures=row.failures,
        added_at=row.added_at,
        is_seeded=row.seeded_at is not None,
        health=row.health,
        health_since=row.health_since,
        last_ok_at=row.last_ok_at,
        last_new_at=row.last_new_at,
        newest_published_at=row.newest_published_at,
        last_polled_at=row.last_polled_at,
        rhythm=rhythm,
    )


def _wanted(row: Document, seeded_at: datetime | None) -> WantedBody:
    listed = row.listed or {"title": row.title, "text": row.text, "sha256": row.sha256}
    return WantedBody(
        document_id=row.id or 0,
        body_url=row.body_url or "",
        tries=row.body_tries,
        url=row.url,
        listed=Listed(**listed),
        language=row.language,
        published_at=row.published_at,
        published_precision=row.published_precision,
        updated_at=row.updated_at,
        is_of_first_poll=seeded_at is None or row.first_seen_at <= seeded_at,
        links=tuple(row.links),
    )


def _regulator_values(row: RegulatorRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "name_native": row.name_native,
        "aliases": list(row.aliases),
        "context_aliases": list(row.context_aliases),
        "jurisdiction": row.jurisdiction,
        "time_zone": row.time_zone,
        "homepage": row.homepage,
        "languages": list(row.languages),
    }


def _source_values(row: SourceRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "regulator_id": row.regulator_id,
        "url": row.url,
        "kind": row.kind,
        "tier": row.tier,
        "language": row.language,
        "is_enabled": row.is_enabled,
        "off_reason": row.off_reason,
        "poll_minutes": row.poll_minutes,
        "stale_after_days": row.stale_after_days,
        "min_entries": row.min_entries,
        "definition": dict(row.definition),
    }


def _fresh(now: datetime, row: SourceRow, mode: Mode, reason: str) -> dict[str, Any]:
    """The state of a source that was never polled."""
    return {
        "mode": mode,
        "mode_reason": reason,
        "is_proved": row.is_proved,
        "health": Health.OK,
        "health_detail": "",
        "next_poll_at": now + _first_wait(row),
        "lease_token": 0,
        "failures": 0,
        "added_at": now,
    }


def _first_wait(row: SourceRow) -> timedelta:
    """How long a new source waits for its first poll: the same after every restart, different for each source."""
    part = int.from_bytes(hashlib.blake2b(row.id.encode(), digest_size=4).digest(), "big") / 2**32
    return min(timedelta(minutes=row.poll_minutes), _FIRST_POLL_SPREAD) * part


async def _upsert(session: AsyncSession, table: type[SQLModel], curated: dict[str, Any], fresh: dict[str, Any]) -> None:
    """Insert with the fresh values, or bring the curated ones of the row that is there up to date."""
    statement = insert_for(session, table).values(**curated, **fresh)
    await session.exec(statement.on_conflict_do_update(index_elements=["id"], set_={key: curated[key] for key in curated if key != "id"}))


async def _known_entries(session: AsyncSession, source_id: str, ids: Sequence[int]) -> tuple[KnownEntry, ...]:
    keys: dict[tuple[int, str], set[str]] = defaultdict(set)
    found: list[KnownEntry] = []
    for chunk in chunks(ids):
        held = select(DocumentKey).where(DocumentKey.source_id == source_id, col(DocumentKey.document_id).in_(chunk))
        for key in await session.exec(held):
            keys[key.document_id, key.kind].add(key.key)
        papers = (
            select(Document.id, Document.number, Document.title, Document.sha256)
            .add_columns(
                col(Document.listed),
                col(Document.body_read_at),
                col(Document.published_at),
                col(Sighting.entry_hash),
                col(Sighting.in_window),
            )
            .join(Sighting, (col(Sighting.document_id) == Document.id) & (col(Sighting.source_id) == source_id), isouter=True)
            .where(col(Document.id).in_(chunk))
            .order_by(col(Document.id))
        )
        for document_id, number, title, sha256, listed, body_read_at, published_at, entry_hash, in_window in await session.exec(papers):  # type: ignore[call-overload]
            found.append(
                KnownEntry(
                    document_id=document_id,
                    entry_hash=entry_hash if in_window else None,
                    is_in_window=bool(in_window),
                    guids=frozenset(keys[document_id, "guid"]),
                    urls=frozenset(keys[document_id, "url"]),
                    titles=frozenset(keys[document_id, "title"]),
                    number=number,
                    title=listed["title"] if listed else title,
                    sha256=listed["sha256"] if listed else sha256,
                    published_at=published_at,
                    has_page=body_read_at is not None,
                )
            )
    return tuple(found)


async def _hold_documents(session: AsyncSession, record: PollRecord) -> None:
    """Lock the stored documents that a poll changes in the order of their ids, as reading again does: neither waits for the other then."""
    changed = {entry.document_id for entry in record.entries if entry.document_id is not None}
    for some in chunks(sorted(changed | {one.document_id for one in record.unread_bodies})):
        ours = select(Document.id).where(col(Document.id).in_(some)).order_by(col(Document.id))
        await session.exec(ours.with_for_update(key_share=True))


async def _write_documents(
    session: AsyncSession, source: Source, entries: Sequence[EntryRecord], register_version: str, now: datetime
) -> list[int]:
    """Store new texts and replace edited ones; the ids in the order of the entries."""
    new = [
        {
            "source_id": source.id,
            "regulator_id": source.regulator_id,
            "tier": source.tier,
            "url": entry.url,
            "canonical_url": entry.canonical_url or "",
            "title": entry.title,
            "text": entry.text,
            "language": entry.language,
            "number": number_of(entry),
            "sha256": entry.sha256,
            **_body_values(entry, now),
            "links": list(entry.links),
            "published_at": entry.published_at,
            "published_precision": entry.published_precision,
            "updated_at": entry.updated_at,
            "fetched_at": now,
            "first_seen_at": now,
            "edited_at": None,
            "register_version": register_version,
        }
        for entry in entries
        if entry.document_id is None
    ]
    fresh = iter(await insert_rows(session, Document, new))
    for entry in entries:
        if entry.document_id is not None:
            edited = (await session.exec(select(Document).where(Document.id == entry.document_id, Document.source_id == source.id))).one()
            if entry.entry_hash is not None and edited.sha256 != entry.sha256:
                edited.edited_at = now
            edited.url, edited.canonical_url = entry.url or edited.url, entry.canonical_url or edited.canonical_url
            edited.title, edited.text, edited.sha256, edited.language = entry.title, entry.text, entry.sha256, entry.language
            for name, value in _body_values(entry, now).items():
                setattr(edited, name, value)
            edited.links = list(entry.links)
            edited.number = edited.number or number_of(entry)
            edited.published_at = entry.published_at or edited.published_at
            edited.published_precision = entry.published_precision or edited.published_precision
            edited.updated_at, edited.fetched_at, edited.register_version = entry.updated_at, now, register_version
            session.add(edited)
    return [next(fresh) if entry.document_id is None else entry.document_id for entry in entries]


def _body_values(entry: EntryRecord, now: datetime) -> dict[str, Any]:
    """A document's columns about its own page."""
    listed, body = entry.listed, entry.body
    return {
        "listed": {"title": listed.title, "text": listed.text, "sha256": listed.sha256} if listed else None,
        "body_url": body.url if body else None,
        "body_read_at": now if body and body.is_read else None,
        "body_tries": body.tries if body else 0,
        "body_detail": body.detail if body else "",
    }


def number_of(entry: EntryRecord) -> str | None:
    """The regulator's number of a document: that of the first of its actions that has one."""
    return next((action.number for action in entry.extraction.actions if action.number), None)


async def _write_keys(
    session: AsyncSession, source_id: str, entries: Sequence[EntryRecord], ids: Sequence[int], resighted: Sequence[Resighting]
) -> None:
    """Remember every key under which a document was seen. A number that two entries share is no key of either."""
    numbers = [number_of(entry) for entry in entries]
    shared = Counter(numbers)
    keys = [
        (kind, key, document_id)
        for document_id, entry, number in zip(ids, entries, numbers, strict=True)
        for kind, key in (
            ("guid", entry.guid),
            ("url", entry.canonical_url),
            ("title", entry.title_key),
            ("number", number if shared[number] == 1 else None),
        )
        if key
    ]
    keys += [
        (kind, key, one.document_id)
        for one in resighted
        for kind, key in (("guid", one.guid), ("url", one.canonical_url), ("title", one.title_key))
        if key
    ]
    if keys:
        rows = [{"source_id": source_id, "kind": kind, "key": key, "document_id": one} for kind, key, one in dict.fromkeys(keys)]
        await session.exec(insert_for(session, DocumentKey).on_conflict_do_nothing(), params=rows)


async def _write_sightings(
    session: AsyncSession, source: Source, entries: Sequence[EntryRecord], ids: Sequence[int], record: PollRecord, now: datetime
) -> None:
    """What the source shows now. Without a look at the body (304, failure) the window stays as it was."""
    seen = {document_id: entry.entry_hash for document_id, entry in zip(ids, entries, strict=True) if entry.entry_hash is not None}
    seen |= {one.document_id: one.entry_hash for one in record.resighted}
    if seen:
        rows = [
            {"source_id": source.id, "document_id": one, "entry_hash": entry_hash, "in_window": True, "last_seen_at": now}
            for one, entry_hash in seen.items()
        ]
        statement = insert_for(session, Sighting)
        fresh = {name: statement.excluded[name] for name in ("entry_hash", "in_window", "last_seen_at")}
        await session.exec(statement.on_conflict_do_update(index_elements=["source_id", "document_id"], set_=fresh), params=rows)
    if record.present is None or not record.is_good:
        return
    window = select(Sighting.document_id, Sighting.entry_hash, Sighting.in_window).where(Sighting.source_id == source.id)
    present = set(record.present)
    back: list[int] = []
    gone: list[int] = []
    for document_id, entry_hash, in_window in await session.exec(window):
        if (entry_hash in present) is not in_window:
            (gone if in_window else back).append(document_id)
    mine = col(Sighting.source_id) == source.id
    for chunk in chunks(back):
        await session.exec(update(Sighting).where(mine, col(Sighting.document_id).in_(chunk)).values(in_window=True, last_seen_at=now))
    last = source.last_ok_at or now  # what leaves now was there when the source was last well read
    for chunk in chunks(gone):
        await session.exec(update(Sighting).where(mine, col(Sighting.document_id).in_(chunk)).values(in_window=False, last_seen_at=last))


async def write_mentions(session: AsyncSession, entries: Sequence[EntryRecord], ids: Sequence[int]) -> None:
    """Which firms each text names, read anew for an edited one."""
    for chunk in chunks(entry.document_id for entry in entries if entry.document_id is not None):
        await session.exec(delete(Mention).where(col(Mention.document_id).in_(chunk)))
    mentions = [
        {
            "document_id": document_id,
            "firm_id": one.firm_id,
            "name": one.name,
            "surface": one.surface,
            "start": one.start,
            "end": one.end,
            "role": one.role,
            "strength": one.strength,
            "rule": one.rule,
        }
        for document_id, entry in zip(ids, entries, strict=True)
        for one in entry.extraction.mentions
    ]
    await insert_rows(session, Mention, mentions, is_id_wanted=False)


def _move_cursor(source: Source, record: PollRecord, now: datetime) -> None:
    """Bring the source's row to what the poll found, and end its lease. A failure leaves the validators alone."""
    if record.health is not source.health or source.health_since is None:
        source.health_since = now
    source.health, source.health_detail = record.health, record.detail
    source.next_poll_at, source.lease_until, source.last_polled_at = record.next_poll_at, None, now
    if record.hold and source.mode is not Mode.HELD:
        source.mode, source.mode_reason = Mode.HELD, record.hold
    if not record.is_good:
        source.failures += 1
        return
    source.failures, source.last_ok_at = 0, now
    if record.is_proof and not source.is_proved:
        source.is_proved = True
        if source.mode is Mode.SHADOW and not source.is_own:  # an operator's own are his to arm
            source.mode, source.mode_reason = Mode.LIVE, ""
    is_looked_at = record.present is not None
    source.etag = record.etag if is_looked_at else record.etag or source.etag
    source.last_modified = record.last_modified if is_looked_at else record.last_modified or source.last_modified
    source.body_hash = record.body_hash if is_looked_at else record.body_hash or source.body_hash
    if any(entry.document_id is None for entry in record.entries):
        source.last_new_at = now
    if (record.n_entries or record.entries) and source.seeded_at is None:
        source.seeded_at = now
    dates = (source.newest_published_at, *(entry.published_at for entry in record.entries))
    source.newest_published_at = max((one for one in dates if one), default=None)
