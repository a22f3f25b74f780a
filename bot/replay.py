"""Recorded polls through the real pipeline, with the recorded clock: nothing is new twice, and what would have alerted.

Two recordings are read: a log of JSON lines, each the difference that one poll of several regulators' merged
lists made, and folders of snapshots, each a feed (or a merged list) as it stood at the time in its name. Either
becomes `Moment`s: what each source showed at a time. They are polled by the service's own Poller into a database
of their own, beside one channel that follows everything.
"""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

from bot.app import fill, index_of
from bot.extract import extract
from bot.feeds import Failed, Fetched, FetchResult
from bot.feeds.catalog import Catalogue
from bot.poll import Poller
from bot.slack.changes import Who
from bot.slack.desk import Desk
from storage import Store
from storage.models import Health, Tier
from storage.records import PollOutcome, PollRecord, SourceRow

POLL_MINUTES = 60
"""Between two polls of a recorded source, as its next poll is planned; the recording says when it really comes."""

_SNAPSHOT = re.compile(r"(?P<source>.+)_(?P<at>\d{8}T\d{4})Z\.(?:xml|json)")


class RecordingError(ValueError):
    """A file that is no recording; the text names it, the line, and what is wrong."""


@dataclass(frozen=True, slots=True)
class RecordedSource:
    """A source of a recording, often one of a merged list: its name, and the host of its first entry, which tells its regulator."""

    name: str
    host: str


@dataclass(frozen=True, slots=True)
class Moment:
    """What the sources showed at one time; those that are not named were not polled."""

    at: datetime
    shown: Mapping[RecordedSource, bytes]
    links: Mapping[RecordedSource, frozenset[str]] = field(default_factory=dict)  # of merged lists, to see what returns


@dataclass(slots=True)
class Replayed:
    """What came of it all."""

    polls: int = 0
    documents: int = 0
    new: int = 0  # after each source's first poll
    edited: int = 0
    false_new: int = 0
    returned: int = 0  # gone for a poll, then back
    actions: int = 0
    alerts: int = 0
    held: int = 0  # times that the fuse held a source
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Step:
    """A poll that brought something."""

    at: datetime
    source: str
    health: Health
    detail: str
    entries: int
    new: int
    edited: int
    false_new: int
    returned: int
    owed: int  # messages, updates included
    hold: str


# --- recordings ----------------------------------------------------------------------------------------------------


def moments(places: Sequence[Path]) -> list[Moment]:
    """All that was recorded there, in the order of time. A folder that holds logs is read by them, else by its snapshots.

    Raises RecordingError.
    """
    found: list[Moment] = []
    for place in places:
        if place.is_dir():
            logs = sorted(place.glob("*.jsonl"))
            files = logs or sorted(path for path in place.iterdir() if _SNAPSHOT.fullmatch(path.name))
            if not files:
                raise RecordingError(f"{place}: neither a log (*.jsonl) nor snapshots (<source>_<YYYYMMDDTHHMMZ>.xml or .json)")
        else:
            if not place.exists():
                raise RecordingError(f"{place}: No such file or directory")
            files = [place]
        for file in files:
            found += _log(file) if file.suffix == ".jsonl" else [_snapshot(file)]
    return sorted(found, key=lambda moment: moment.at)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise RecordingError(f"{file}: {getattr(error, 'strerror', None) or 'not UTF-8 text'}") from error


def _log(file: Path) -> Iterator[Moment]:
    """A moment for each line: the lists as the differences so far make them."""
    shown: list[dict[str, str]] = []
    known: dict[str, RecordedSource] = {}
    for number, line in enumerate(_text(file).split("\n"), 1):  # not splitlines: U+2028 may stand in a string
        if not line.strip():
            continue
        try:
            poll = json.loads(line)
            at = datetime.fromisoformat(poll["polled_at"]).astimezone(UTC)
            gone = frozenset(poll.get("removed") or ())
            shown = [entry for entry in shown if entry["link"] not in gone]
            shown += [dict(entry) for entry in (*(poll.get("baseline") or ()), *(poll.get("added") or ()))]
            for change in poll.get("changed") or ():
                for entry in shown:
                    if entry["link"] == change["link"]:
                        entry[change["field"]] = change["new"]
            yield _merged(at, shown, known)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise RecordingError(f"{file}, line {number}: no poll of the log ({type(error).__name__}: {error})") from error


def _snapshot(file: Path) -> Moment:
    name = _SNAPSHOT.fullmatch(file.name)
    if name is None:
        raise RecordingError(f"{file}: a snapshot is named <source>_<YYYYMMDDTHHMMZ>.xml or .json")
    at = datetime.strptime(name["at"], "%Y%m%dT%H%M").replace(tzinfo=UTC)
    if file.suffix == ".json":
        try:
            read = json.loads(_text(file))
        except ValueError as error:
            raise RecordingError(f"{file}: no JSON: {error}") from error
        if isinstance(read, dict) and isinstance(read.get("items"), list) and "version" not in read:
            try:
                return _merged(at, read["items"], {})
            except (KeyError, TypeError, AttributeError) as error:
                raise RecordingError(f"{file}: an item is no entry ({type(error).__name__}: {error})") from error
    try:
        return Moment(at, {RecordedSource(name["source"], ""): file.read_bytes()})
    except OSError as error:
        raise RecordingError(f"{file}: {error.strerror}") from error


def _merged(at: datetime, entries: Iterable[Mapping[str, Any]], known: dict[str, RecordedSource]) -> Moment:
    """A merged list, parted into its sources; one that has vanished from the list shows an empty feed."""
    parted: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for entry in entries:
        parted[str(entry["source"])].append(entry)
    for name, own in parted.items():
        known.setdefault(name, RecordedSource(name, next((urlsplit(str(one.get("link") or "")).hostname or "" for one in own), "")))
    return Moment(
        at,
        {listed: _feed(name, parted.get(name, ())) for name, listed in known.items()},
        {listed: frozenset(str(one.get("link")) for one in parted.get(name, ())) for name, listed in known.items()},
    )


def _feed(name: str, entries: Iterable[Mapping[str, Any]]) -> bytes:
    """The entries as the RSS that their source may have sent."""
    root = ElementTree.Element("rss", version="2.0")
    channel = ElementTree.SubElement(root, "channel")
    ElementTree.SubElement(channel, "title").text = name
    for entry in entries:
        item = ElementTree.SubElement(channel, "item")
        for tag, key in (("title", "title"), ("link", "link"), ("description", "summary"), ("pubDate", "publishedAt")):
            if entry.get(key):
                ElementTree.SubElement(item, tag).text = _NO_XML.sub("", str(entry[key]))
    body: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return body


_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


# --- playing -------------------------------------------------------------------------------------------------------


class _Clock:
    """Stands at the recorded time."""

    at = datetime.min.replace(tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


class _Recorded:
    """The web of a recording: each source's address answers with what it showed."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}

    async def fetch(self, row: SourceRow, *, etag: str | None = None, last_modified: str | None = None) -> FetchResult:  # noqa: ARG002
        body = self.bodies[row.id]
        return Fetched(row.url, 200, body, "", None, None, None, 0.0)

    async def page(self, url: str, row: SourceRow) -> Fetched | Failed:  # noqa: ARG002
        return Failed(Health.ERROR, "no page was recorded", None, None, 0.0)


class _Watched(Store):
    """A Store that keeps what the last poll of each source wrote."""

    written: dict[str, PollRecord]

    async def record_poll(self, record: PollRecord) -> PollOutcome:
        self.written[record.source_id] = record
        return await super().record_poll(record)


@asynccontextmanager
async def _stage(catalogue: Catalogue, rows: Sequence[SourceRow], clock: _Clock) -> AsyncIterator[_Watched]:
    """A new database with these sources and a channel that follows everything."""
    with tempfile.TemporaryDirectory(prefix="regwatch-replay-") as folder:
        url = f"sqlite:///{folder}/replay.sqlite"
        Store.migrate(url)
        store = _Watched(url, now=clock)
        store.written = {}
        try:
            await fill(store, Catalogue(catalogue.regulators, tuple(rows)))
            await Desk(store, command="/regwatch", now=clock).answer(
                "subscribe all", Who(workspace_id="local", channel_id="all", user_id="replay")
            )
            yield store
        finally:
            await store.close()


async def replay(
    played: Sequence[Moment],
    catalogue: Catalogue,
    *,
    on_step: Callable[[Step], None] | None = None,
    on_moment: Callable[[Moment], None] | None = None,
) -> Replayed:
    """Poll every moment in order; `on_step` gets each poll that brought something, `on_moment` each moment that is done."""
    began = time.monotonic()
    rows = _rows(played, catalogue)
    total, clock, web = Replayed(), _Clock(), _Recorded()
    shown: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    present: dict[str, frozenset[str]] = {}
    gone: defaultdict[str, set[str]] = defaultdict(set)
    clock.at = played[0].at - timedelta(minutes=POLL_MINUTES) if played else clock.at
    async with _stage(catalogue, tuple(rows.values()), clock) as store:
        index = await index_of(store)
        poller = Poller(store, web, partial(extract, index=index), now=clock, register_version=lambda: index.version)
        seeded: set[str] = set()
        for moment in played:
            clock.at = moment.at
            web.bodies = {rows[listed].id: body for listed, body in moment.shown.items()}
            back = {rows[listed].id: _returned(rows[listed].id, links, present, gone) for listed, links in moment.links.items()}
            store.written.clear()
            lines = await poller.poll(list(web.bodies))
            total.polls += len(lines)
            for line in lines:
                record = store.written[line.source]
                told = [(entry.document_id is None, (entry.url, entry.title)) for entry in record.entries]
                false_new = sum(is_new and one in shown[line.source] for is_new, one in told) if line.source in seeded else 0
                shown[line.source].update(one for _, one in told)
                if line.source in seeded:
                    total.new += line.new
                elif record.n_entries and line.is_good:
                    seeded.add(line.source)
                total.edited += line.changed
                total.false_new += false_new
                total.returned += back.get(line.source, 0)
                total.held += bool(record.hold)
                if record.entries or record.hold or back.get(line.source) or line.health is not Health.OK:
                    step = Step(
                        moment.at, line.source, line.health, line.detail, line.entries, line.new, line.changed, false_new,
                        back.get(line.source, 0), line.owed, record.hold,
                    )  # fmt: skip
                    if on_step:
                        on_step(step)
            if on_moment:
                on_moment(moment)
        counts = await store.counts()
    total.documents, total.actions, total.alerts = counts["documents"], counts["actions"], counts["alerts"]
    total.seconds = round(time.monotonic() - began, 1)
    return total


def _returned(source: str, links: frozenset[str], present: dict[str, frozenset[str]], gone: Mapping[str, set[str]]) -> int:
    """How many links are back that a poll before did not show."""
    back = links & gone[source]
    gone[source].difference_update(back)
    gone[source].update(present.get(source, frozenset()) - links)
    present[source] = links
    return len(back)


def _rows(played: Iterable[Moment], catalogue: Catalogue) -> dict[RecordedSource, SourceRow]:
    """A source for each list: the catalogue's regulator of that id or, where it is only one's, of the host of its entries."""
    bodies = {body.id for body in catalogue.regulators}
    owners: defaultdict[str, set[str]] = defaultdict(set)
    for row in catalogue.sources:
        if row.regulator_id:
            owners[_host(row.url)].add(row.regulator_id)
    found: dict[RecordedSource, SourceRow] = {}
    taken: set[str] = set()
    for listed in dict.fromkeys(listed for moment in played for listed in moment.shown):
        slug = re.sub(r"[^a-z0-9]+", "-", listed.name.lower()).strip("-") or "source"
        name = slug
        while name in taken:
            name = f"{slug}-{len(taken)}"
        taken.add(name)
        of_host = owners.get(_host(f"http://{listed.host}/"), set())
        owner = next((body for body in (slug, next(iter(of_host)) if len(of_host) == 1 else "") if body in bodies), None)
        found[listed] = SourceRow(
            id=name,
            regulator_id=owner,
            url=f"http://{name}.recorded/",
            kind="rss",
            tier=Tier.PRIMARY if owner else Tier.SECONDARY,
            poll_minutes=POLL_MINUTES,
            stale_after_days=3_650,  # the silence of a recording is its recorder's
            definition={"content": listed.name},
        )
    return found


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").removeprefix("www.")
