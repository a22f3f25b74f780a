"""From a due source to a recorded poll.

`Poller` leases due sources, fetches and parses them, has new texts read, decides what is new, edited or merely
seen again, and hands one PollRecord per source to the Store. It never touches a network or a clock of its own.
What it decides is pure: which document an entry is (`bot.feeds.identity`), and here `next_poll_at`, `health_of`
and `notice_for`; what follows from a source's past publications is worked out in `bot.rhythm`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Container, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from bot.feeds import Entry, Failed, Fetched, NotModified, Parsed, Web
from bot.feeds.asking import answer_of
from bot.feeds.identity import Arrival, decide, edit_waiver
from bot.feeds.pages import entries_of
from bot.feeds.parse import FEED_KINDS
from bot.follow import Follower, TextKey, entry_of, key_of, late_record_of, record_of
from bot.rhythm import learn, next_poll, usual_silence
from storage import StorageError, Store
from storage.models import Health, Tier
from storage.records import (
    DocumentText,
    DueSource,
    Extraction,
    KnownEntry,
    PollOutcome,
    PollRecord,
    Rhythm,
    UnreadBody,
)

_log = logging.getLogger("regwatch.poll")

LEASE = timedelta(minutes=20)
"""How long a polled source is ours. Longer than the longest queue at one host; a crash repeats the poll after it."""
ROUND = timedelta(hours=1)
"""After this a round takes in no more, so that it ends some time even where something is always under way."""
LOOK_AGAIN = 5.0
"""Seconds after which a round that is still under way takes in what has fallen due meanwhile."""
CONCURRENCY = 16
"""Sources in flight at once, each of another host."""
CHILDREN = 2
"""Processes that parse at once."""
BATCH = 16
"""Texts read in one go in a thread, before the next source has its turn. One thread reads at a time: more would not be
quicker, and each would take its turn at the interpreter before whoever waits for an answer in Slack."""
BACKOFF_CAP = timedelta(hours=6)
DAY = timedelta(days=1)
NOTHING_KNOWN = Rhythm()
BAD = frozenset({Health.EMPTY, Health.BLOCKED, Health.CHANGED_LAYOUT, Health.EXPIRED_CERTIFICATE, Health.ERROR})
"""The healths that mean: not well read."""


# --- when, and how it stands --------------------------------------------------------------------------------------------


def next_poll_at(
    source_id: str,
    poll_minutes: int,
    now: datetime,
    *,
    failures: int = 0,
    is_blocked: bool = False,
    fresh_for: timedelta | None = None,
    retry_after: timedelta | None = None,
    rhythm: Rhythm = NOTHING_KNOWN,
    time_zone: str = "UTC",
) -> datetime:
    """When to look again: the source's rhythm, or longer where the answer asks for it, never over a day.

    `failures` counts those in a row, this one included: each doubles the wait, up to 6 hours. A refusal waits a
    day. The rhythm is stretched or shrunk by up to a tenth, by the source's id, so that not all come at once.
    As long as little is known of it, it is one look every `poll_minutes`.
    """
    part = int.from_bytes(blake2b(source_id.encode(), digest_size=4).digest(), "big") / 2**32
    base = next_poll(rhythm, now, poll_minutes, time_zone, 0.9 + 0.2 * part) - now
    wait = max(base, min(base * 2 ** min(failures, 12), BACKOFF_CAP)) if failures else base
    asked = max(fresh_for or timedelta(), retry_after or timedelta())
    return now + min(DAY if is_blocked else max(wait, asked), DAY)


def health_of(source: DueSource, newest: datetime | None, has_new: bool, now: datetime) -> tuple[Health, str]:
    """OK, or LATE when a well-read source shows nothing new for longer than its rhythm allows.

    `newest` is the date of the newest entry known now. Without any date our own sightings count. The catalogue's
    `stale_after_days` is the most that is allowed, and all that is known of a new source.
    """
    since = newest or source.last_new_at or source.added_at
    days, most = (now - since).days, usual_silence(source.rhythm, source.row.stale_after_days)
    if has_new or days <= most:
        return Health.OK, ""
    return Health.LATE, f"nothing new for {days} days, up to {most} are usual; look whether it has moved"


def notice_for(source: DueSource, health: Health, detail: str, hold: str, now: datetime) -> str:
    """What the operators are told after this poll; empty: nothing.

    Whatever its causes, an outage is told once, by the first poll after a day without a good read, and its end once.
    """
    name, since = source.row.id, source.last_ok_at or source.added_at
    if hold:
        return f"{name} is held. {hold}"
    if now - since < DAY:
        return ""
    hours = int((now - since).total_seconds() // 3600)
    if health not in BAD:
        return f"{name} is well read again, after {hours} hours" if source.health in BAD else ""
    is_told = source.health in BAD and source.last_polled_at is not None and source.last_polled_at - since >= DAY
    return "" if is_told else f"{name} has not been well read for {hours} hours: {detail}"


# --- the poller --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PollLine:
    """What came of one poll, for a table."""

    source: str
    health: Health
    detail: str
    is_good: bool  # well read, an unchanged answer included
    entries: int = 0
    new: int = 0
    changed: int = 0
    actions: int = 0
    owed: int = 0
    waived: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class PollSummary:
    """What came of one round."""

    lines: tuple[PollLine, ...] = ()

    @property
    def polled(self) -> int:
        """Sources polled."""
        return len(self.lines)

    @property
    def owed(self) -> int:
        """Messages that became due."""
        return sum(line.owed for line in self.lines)


class _Round:
    """Leased sources under way: those of one host one after the other, they would only wait for each other in the fetcher."""

    group: asyncio.TaskGroup

    def __init__(
        self,
        poll: Callable[[DueSource, Follower, _Round], Awaitable[PollLine]],
        web: Web,
        children: asyncio.Semaphore,
        on_done: Callable[[PollLine], None],
    ) -> None:
        self._poll, self._web, self._children, self._on_done = poll, web, children, on_done
        self._slots = asyncio.Semaphore(CONCURRENCY)
        self._queues: dict[str | None, deque[DueSource]] = {}
        self._kept: set[asyncio.Task[None]] = set()  # at what is not to be broken off
        self.running: set[asyncio.Task[None]] = set()
        self.unfinished: dict[str, DueSource] = {}

    @property
    def waiting(self) -> int:
        """Sources whose turn has not come."""
        return sum(map(len, self._queues.values()))

    def add(self, due: Sequence[DueSource]) -> None:
        """Let them be polled."""
        for source in due:
            self.unfinished[source.row.id] = source
            host = urlsplit(source.row.url).hostname
            if host in self._queues:
                self._queues[host].append(source)
                continue
            self._queues[host] = deque([source])
            task = self.group.create_task(self._work_off(host))
            self.running.add(task)
            task.add_done_callback(self.running.discard)

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """What the task of a source does in this block is finished, even when the rest is given up."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - only tasks of the group come here
        self._kept.add(task)
        try:
            yield
        finally:
            self._kept.discard(task)

    def give_up(self) -> None:
        """Begin nothing more, and break off what can be repeated: it stays unfinished."""
        for queue in self._queues.values():
            queue.clear()
        for task in self.running - self._kept:
            task.cancel()

    async def _work_off(self, host: str | None) -> None:
        queue, follower = self._queues[host], Follower(self._web, self._children)
        while queue:
            async with self._slots:
                source = queue.popleft()
                line = await self._poll(source, follower, self)
            del self.unfinished[source.row.id]
            self._on_done(line)
        del self._queues[host]


class Poller:
    """Polls leased sources. `read` makes an Extraction of a text; it is pure, and called in threads.

    `register_version` tells with which names it reads.
    """

    def __init__(
        self,
        store: Store,
        fetcher: Web,
        read: Callable[[DocumentText], Extraction],
        *,
        now: Callable[[], datetime],
        register_version: Callable[[], str] = lambda: "",
    ) -> None:
        self._store = store
        self._fetcher = fetcher
        self._read = read
        self._now = now
        self._register_version = register_version
        self._children = asyncio.Semaphore(CHILDREN)
        self._reading = asyncio.Lock()
        self._is_stopping = asyncio.Event()

    def stop(self) -> None:
        """Let a round that is under way end at once, and all later ones too.

        What is being written down is finished. All else is broken off, and its lease given back: it is due as before.
        """
        self._is_stopping.set()

    async def run_once(self, limit: int = 50) -> PollSummary:
        """Poll what is due, and what falls due meanwhile, so that a slow host holds up nobody else; at most `limit` sources wait at once.

        Raises StorageError when nothing could even be leased.
        """
        lines: list[PollLine] = []
        started = self._now()
        stopping = asyncio.ensure_future(self._is_stopping.wait())
        try:
            async with self._round(lines.append) as round_:
                while not self._is_stopping.is_set():
                    if (room := limit - round_.waiting) > 0 and self._now() - started < ROUND:
                        round_.add(await self._store.due_sources(room, LEASE))
                    if not round_.running:
                        break
                    await asyncio.wait({*round_.running, stopping}, timeout=LOOK_AGAIN, return_when=asyncio.FIRST_COMPLETED)
                else:
                    round_.give_up()
        finally:
            stopping.cancel()
        return PollSummary(tuple(lines))

    async def poll(
        self, ids: Sequence[str], *, only_due: bool = False, on_done: Callable[[PollLine], None] | None = None
    ) -> list[PollLine]:
        """Poll the named sources now, due or not (`only_due`: the due ones of them); lines in the order of the ids.

        What is off, or being polled by another process, is left out. `on_done` is called after each.
        """
        lines: dict[str, PollLine] = {}

        def told(line: PollLine) -> None:
            lines[line.source] = line
            if on_done is not None:
                on_done(line)

        for first in range(0, len(ids), 50):
            part = ids[first : first + 50]
            due = await self._store.due_sources(len(part), LEASE, part, ignore_due=not only_due)
            async with self._round(told) as round_:
                round_.add(due)
        return [lines[one] for one in dict.fromkeys(ids) if one in lines]

    @contextlib.asynccontextmanager
    async def _round(self, on_done: Callable[[PollLine], None]) -> AsyncIterator[_Round]:
        """Sources under way; leaves when all are polled. Given up or cancelled, it gives the leases of the unfinished back."""
        round_ = _Round(self._poll, self._fetcher, self._children, on_done)
        try:
            async with asyncio.TaskGroup() as round_.group:
                yield round_
        finally:
            for source in round_.unfinished.values():
                await self._store.release(source.row.id, source.lease_token)

    async def _poll(self, source: DueSource, follower: Follower, round_: _Round) -> PollLine:
        """One source, whatever happens: its trouble is recorded and hurts no other."""
        started_at, clock = self._now(), asyncio.get_running_loop().time
        started = clock()
        try:
            record = await self._look(source, started_at, follower)
            record = replace(record, seconds=round(clock() - started, 3))
            with round_.kept():
                outcome = await self._store.record_poll(record)
        except Exception as error:
            # a bug, or the database: never the source's fault alone
            _log.exception("poll source=%s failed", source.row.id)
            text = f"a fault of Regwatch ({type(error).__name__}); the log has the traceback, and it is tried again"
            record = self._unread(source, started_at, Failed(Health.ERROR, text, None, None, round(clock() - started, 3)))
            with round_.kept():
                outcome = await self._record_fault(record)
        line = PollLine(
            source=source.row.id,
            health=record.health,
            detail=record.detail if outcome.is_accepted else "another process took it over meanwhile; nothing was written",
            is_good=record.is_good and outcome.is_accepted and record.health not in BAD,
            entries=record.n_entries,
            new=outcome.new,
            changed=outcome.changed,
            actions=outcome.actions,
            owed=outcome.owed,
            waived=outcome.waived,
            seconds=record.seconds,
        )
        counts = f"entries={line.entries} new={line.new} changed={line.changed} actions={line.actions}"
        _log.info("poll source=%s health=%s %s seconds=%.3f", line.source, line.health, counts, line.seconds)
        return line

    async def _record_fault(self, record: PollRecord) -> PollOutcome:
        try:
            return await self._store.record_poll(record)
        except StorageError:
            # the lease runs out, and the source is due again
            _log.exception("poll source=%s could not even be recorded", record.source_id)
            return PollOutcome(is_accepted=False)

    async def _look(self, source: DueSource, started_at: datetime, follower: Follower) -> PollRecord:
        """The list, then the pages behind it that are still to be read."""
        record = await self._look_at_list(source, started_at, follower)
        return await self._with_late_bodies(source, record, follower) if record.is_good else record

    async def _look_at_list(self, source: DueSource, started_at: datetime, follower: Follower) -> PollRecord:
        row = source.row
        got = await answer_of(self._fetcher, row, etag=source.etag, last_modified=source.last_modified)
        if isinstance(got, Failed):
            return self._unread(source, started_at, got)
        if isinstance(got, NotModified):
            return self._unchanged(source, started_at, got, 304, 0)
        body_hash = blake2b(got.body, digest_size=16).hexdigest()
        if body_hash == source.body_hash:
            return self._unchanged(source, started_at, got, got.status, len(got.body))
        window = await self._store.window(row.id)
        parsed = await entries_of(
            got,
            row,
            time_zone=source.time_zone,
            seen=frozenset(known.entry_hash for known in window if known.entry_hash),
            children=self._children,
        )
        parsed = _enough(parsed, source)
        if isinstance(parsed, Failed):
            failed = replace(parsed, status=got.status)
            return replace(self._unread(source, started_at, failed), n_bytes=len(got.body))
        return await self._found(source, started_at, got, body_hash, window, parsed, follower)

    async def _found(
        self,
        source: DueSource,
        started_at: datetime,
        got: Fetched,
        body_hash: str,
        window: Sequence[KnownEntry],
        parsed: Parsed,
        follower: Follower,
    ) -> PollRecord:
        """The record of a body that was read."""
        arrivals = [Arrival.of(entry, source.time_zone) for entry in parsed.entries]
        known = {one.document_id: one for one in (*window, *await self._known(source, arrivals))}
        numbers = {one.sha256: one.number for one in known.values()}
        version = self._register_version()  # before the reading: names that reload meanwhile must not be claimed
        readings = await self._read_all(source, [one.entry for one in arrivals if one.sha256 not in numbers])
        numbers |= {hash_: next((action.number for action in told.actions if action.number), None) for (hash_, _), told in readings.items()}
        # what could not be read is left out: unseen, it comes again with the next poll
        arrivals = [replace(one, number=numbers[one.sha256]) for one in arrivals if one.sha256 in numbers]
        if fresh := {one.number for one in arrivals if one.number} - {one.number for one in known.values()}:
            known |= {one.document_id: one for one in await self._store.known(source.row.id, guids=(), urls=(), titles=(), numbers=fresh)}

        now = self._now()
        decision = decide(arrivals, parsed.present, known.values(), now, source)
        placed = [(one, await follower.follow(source, one.arrival.entry)) for one in (*decision.new, *decision.edited)]
        # an edit of what its page tells waits for the page: without it firms would seem to be named no more
        n_waiting = len(placed)
        placed = [
            (one, followed)
            for one, followed in placed
            if followed.is_read or followed.record is None or one.document_id is None or not known[one.document_id].has_page
        ]
        n_waiting -= len(placed)
        readings |= await self._read_all(source, [followed.entry for _, followed in placed], readings)
        records = tuple(record_of(one, followed, readings[key]) for one, followed in placed if (key := key_of(followed.entry)) in readings)

        dates = [one.entry.published_at for one in arrivals if one.entry.published_at and one.entry.published_at <= now]
        newest = max((*dates, *([source.newest_published_at] if source.newest_published_at else [])), default=None)
        health, detail = health_of(source, newest, bool(decision.new) and source.is_seeded, now)
        n_unread = len(parsed.entries) - len(arrivals) + len(placed) - len(records)
        rhythm = source.rhythm
        if not decision.hold and not n_unread:
            stamps = [(one.arrival.entry.published_at, one.arrival.entry.published_precision) for one in decision.new]
            since = source.last_ok_at if source.is_seeded else None
            rhythm = learn(rhythm, stamps, time_zone=source.time_zone, since=since, now=now)
        if n_unread:
            health, detail = Health.ERROR, f"{n_unread} entries could not be read: a fault of Regwatch, the log has the traceback"
        elif parsed.n_unread:
            health, detail = Health.ERROR, f"{parsed.dropped[0]} were left out; find an address that lists less"
        elif not detail:
            odd = (*parsed.dropped, *(parsed.warnings if source.row.kind not in FEED_KINDS else ()))
            detail = "; ".join((*((f"it answers from {got.url}",) if got.is_redirected else ()), *odd))
        return PollRecord(
            source_id=source.row.id,
            lease_token=source.lease_token,
            started_at=started_at,
            seconds=0.0,
            next_poll_at=next_poll_at(
                source.row.id,
                source.row.poll_minutes,
                now,
                fresh_for=got.fresh_for,
                rhythm=rhythm,
                time_zone=source.time_zone,
            ),
            health=health,
            detail=detail,
            http_status=got.status,
            n_bytes=len(got.body),
            n_entries=len(parsed.present),
            # an entry that could not be read must be met again
            etag=None if n_unread or n_waiting else got.etag,
            last_modified=None if n_unread or n_waiting else got.last_modified,
            body_hash=None if n_unread or n_waiting else body_hash,
            present=parsed.present,
            entries=records,
            resighted=decision.resighted,
            hold=decision.hold,
            is_proof=_proves(parsed, source),
            notice=notice_for(source, health, detail, decision.hold, now),
            register_version=version,
            rhythm=rhythm if rhythm != source.rhythm else None,
        )

    async def _with_late_bodies(self, source: DueSource, record: PollRecord, follower: Follower) -> PollRecord:
        """With documents of earlier polls whose own page could not be read then, and what it says now."""
        if follower.left <= 0:
            return record
        wanted = await self._store.wanted_bodies(source.row.id, follower.left)
        version = record.register_version or self._register_version()  # the first that anything in the record was read with
        followed = [(one, await follower.follow(source, entry_of(one), one.tries)) for one in wanted]
        unread = tuple(UnreadBody(one.document_id, found.tries, found.detail) for one, found in followed if not found.is_read)
        readings = await self._read_all(source, [found.entry for _, found in followed if found.is_read])
        now = self._now()
        late = tuple(
            late_record_of(one, found, readings[key], "first poll" if one.is_of_first_poll else edit_waiver(found.entry, now, source))
            for one, found in followed
            if found.is_read and (key := key_of(found.entry)) in readings
        )
        return replace(record, entries=record.entries + late, unread_bodies=unread, register_version=version)

    async def _known(self, source: DueSource, arrivals: Sequence[Arrival]) -> tuple[KnownEntry, ...]:
        """The stored documents that share a key with an arrival."""
        if not arrivals or not source.is_seeded:
            return ()
        guids = {guid for one in arrivals if one.guid for guid in _spellings(one.guid)}
        urls = {one.url for one in arrivals if one.url}
        titles = {one.title for one in arrivals if one.title}
        return await self._store.known(source.row.id, guids=guids, urls=urls, titles=titles, numbers=())

    async def _read_all(
        self, source: DueSource, entries: Sequence[Entry], known: Container[TextKey] = frozenset()
    ) -> dict[TextKey, Extraction]:
        """The readings by `key_of`, those of `known` left out, made in threads; a text that the reader fails on is logged and missing."""
        row, readings = source.row, {}
        texts = {
            key_of(one): DocumentText(
                title=one.title,
                text=one.text,
                published_at=_where_published(one.published_at, source.time_zone),
                regulator_id=row.regulator_id if row.tier is Tier.PRIMARY else None,
                tier=row.tier,
                links=one.links,
            )
            for one in entries
            if key_of(one) not in known
        }
        waiting = list(texts.items())
        for first in range(0, len(waiting), BATCH):
            async with self._reading:
                readings.update(await asyncio.to_thread(self._read_some, row.id, waiting[first : first + BATCH]))
        return readings

    def _read_some(self, source_id: str, texts: Sequence[tuple[TextKey, DocumentText]]) -> dict[TextKey, Extraction]:
        readings = {}
        for key, text in texts:
            try:
                readings[key] = self._read(text)
            except Exception:
                _log.exception("poll source=%s text=%s could not be read", source_id, key[0][:12])
        return readings

    def _unchanged(self, source: DueSource, started_at: datetime, got: Fetched | NotModified, status: int, n_bytes: int) -> PollRecord:
        """The same as last time: well read, nothing looked at."""
        now = self._now()
        health, detail = health_of(source, source.newest_published_at, False, now)
        return PollRecord(
            source_id=source.row.id,
            lease_token=source.lease_token,
            started_at=started_at,
            seconds=0.0,
            next_poll_at=next_poll_at(
                source.row.id,
                source.row.poll_minutes,
                now,
                fresh_for=got.fresh_for,
                rhythm=source.rhythm,
                time_zone=source.time_zone,
            ),
            health=health,
            detail=detail,
            http_status=status,
            n_bytes=n_bytes,
            etag=got.etag or source.etag,
            last_modified=got.last_modified or source.last_modified,
            body_hash=source.body_hash,
            notice=notice_for(source, health, detail, "", now),
        )

    def _unread(self, source: DueSource, started_at: datetime, failed: Failed) -> PollRecord:
        """A failure: the cursor stays where the last good read left it."""
        now = self._now()
        return PollRecord(
            source_id=source.row.id,
            lease_token=source.lease_token,
            started_at=started_at,
            seconds=failed.seconds,
            next_poll_at=next_poll_at(
                source.row.id,
                source.row.poll_minutes,
                now,
                failures=source.failures + 1,
                is_blocked=failed.health is Health.BLOCKED,
                retry_after=failed.retry_after,
                rhythm=source.rhythm,
                time_zone=source.time_zone,
            ),
            health=failed.health,
            detail=failed.detail,
            http_status=failed.status,
            is_good=False,
            notice=notice_for(source, failed.health, failed.detail, "", now),
        )


def _enough(parsed: Parsed | Failed, source: DueSource) -> Parsed | Failed:
    """A feed that lost its entries, or has fewer than the catalogue expects, was not well read."""
    if isinstance(parsed, Failed):
        return parsed
    n, least = len(parsed.present), source.row.min_entries
    if n == 0 and least > 0 and source.is_seeded:
        text = "a valid feed, but without entries, and it had some; what was read stays"
        return Failed(Health.EMPTY, text, None, None, 0.0)
    if n < least and (n or least > 1):
        text = f"{n} entries where at least {least} are expected; look whether the page was rebuilt"
        return Failed(Health.CHANGED_LAYOUT, text, None, None, 0.0)
    return parsed


def _where_published(at: datetime | None, time_zone: str) -> datetime | None:
    """The time on the publisher's wall, by which a text says "yesterday": the printed offset, else the source's zone."""
    return at if at is None or at.utcoffset() else at.astimezone(ZoneInfo(time_zone))


def _spellings(guid: str) -> tuple[str, ...]:
    """A guid, and its http or https twin."""
    for own, other in (("http://", "https://"), ("https://", "http://")):
        if guid.startswith(own):
            return guid, other + guid.removeprefix(own)
    return (guid,)


def _proves(parsed: Parsed, source: DueSource) -> bool:
    """Whether a look at a whole list shows that its row fits: all entries have titles, and most a date where the row says where."""
    entries, dated = parsed.entries, source.row.definition.get("date_selector", "")
    if not entries or len(entries) < len(parsed.present) or not all(entry.title for entry in entries):
        return False  # part of a list, the rest being known, says nothing of the row
    return not dated or dated.startswith("detail:") or 2 * sum(entry.published_at is not None for entry in entries) >= len(entries)
