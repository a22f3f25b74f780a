"""Which document an entry is, and whether it may alert: pure, from what the Store knows (product rules 1 and 3).

A document is known by its guid, its address, the regulator's number, its title with the date. A key that two
entries of one poll share is none in that poll; a date is never a watermark.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from difflib import SequenceMatcher
from hashlib import sha256

from bot.feeds import Entry
from bot.feeds.parse import canonical_url, dated_title
from storage.models import Mode, Precision
from storage.records import DueSource, KnownEntry, Resighting
from storage.text import title_key

ALERT_AGE = timedelta(days=14)
"""What is older than this at first sight is for the digest only."""
FUSE_ENTRIES = 8
"""So many new entries at once make the fuse look at them."""
FEWEST_REGENERATED = 3
"""Fewer changed guids than this are no regeneration, however short the feed."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """An entry that the last poll did not show in these bytes, with the keys it may be known by."""

    entry: Entry
    guid: str | None
    url: str | None  # canonical
    title: str | None  # normalised title + local date
    bare_title: str  # normalised
    sha256: str  # of what is stored
    number: str | None = None  # the regulator's, once the text is read

    @classmethod
    def of(cls, entry: Entry, time_zone: str) -> Arrival:
        """The keys of an entry of a source in that zone."""
        return cls(
            entry=entry,
            guid=entry.guid,
            url=canonical_url(entry.link) if entry.link else None,
            title=dated_title(entry, time_zone),
            bare_title=title_key(entry.title),
            sha256=text_hash(entry.title, entry.text),
        )


@dataclass(frozen=True, slots=True)
class Placed:
    """An arrival and what it is. Its keys are those that no other entry of the poll shares."""

    arrival: Arrival
    document_id: int | None  # None: new; else the document it edits
    guid: str | None
    url: str | None
    title: str | None
    waived: str = ""  # why it may not alert


@dataclass(frozen=True, slots=True)
class Decision:
    """What one poll brought. `hold`: why the source is held from now on; empty when it is not."""

    new: tuple[Placed, ...] = ()
    edited: tuple[Placed, ...] = ()
    resighted: tuple[Resighting, ...] = ()
    hold: str = ""


def text_hash(title: str, text: str) -> str:
    """The hash of a stored text."""
    return sha256(f"{title}\n{text}".encode()).hexdigest()


def decide(
    arrivals: Sequence[Arrival],
    present: Iterable[str],
    known: Iterable[KnownEntry],
    now: datetime,
    source: DueSource,
) -> Decision:
    """What is new, edited, or known and only printed differently (product rules 1 and 3).

    `present` are the entry hashes of the whole body; `known` the source's documents that the last poll showed or
    that share a key with an arrival. A known entry whose bytes still stand in the body is nobody's earlier form.
    """
    documents = {document.document_id: document for document in known}
    standing_hashes = set(present)
    standing = [document for document in documents.values() if document.entry_hash in standing_hashes]
    single = [arrival for arrival in _without_twins(arrivals) if not any(_is_twin(arrival, document) for document in standing)]
    keys = _single_keys(single, standing)
    gone = [document for document in documents.values() if document.entry_hash not in standing_hashes]
    matches = _match(single, keys, gone)

    new, edited, resighted, regenerated = [], [], [], 0
    for index, (arrival, own) in enumerate(zip(single, keys, strict=True)):
        match = matches.get(index)
        placed = Placed(arrival, match.document_id if match else None, own["guid"], own["url"], own["title"])
        if match is None:
            new.append(placed)
            continue
        regenerated += bool(arrival.guid and match.guids and _guid(arrival.guid) not in map(_guid, match.guids))
        at = arrival.entry.published_at
        if arrival.sha256 == match.sha256 and (at is None or at == match.published_at):
            resighted.append(Resighting(match.document_id, arrival.entry.entry_hash, placed.guid, placed.url, placed.title))
        else:
            edited.append(placed)

    hold = _fuse(new, documents.values(), regenerated, now, source)
    return Decision(
        tuple(replace(placed, waived=_waiver(placed.arrival.entry, now, source, hold)) for placed in new),
        tuple(replace(placed, waived=edit_waiver(placed.arrival.entry, now, source)) for placed in edited),
        tuple(resighted),
        hold,
    )


def _guid(guid: str) -> str:
    """A guid as it is compared: http and https twins are one."""
    return canonical_url(guid) or guid


def _without_twins(arrivals: Sequence[Arrival]) -> list[Arrival]:
    """One of those that agree in every key: a feed may print an entry in two sections. Nothing at all is no entry."""
    best: dict[object, Arrival] = {}
    for arrival in arrivals:
        if not (arrival.entry.title or arrival.entry.text or arrival.url or arrival.guid):
            continue
        text = None if arrival.guid or arrival.url else arrival.sha256
        signature = (arrival.guid and _guid(arrival.guid), arrival.url, arrival.bare_title, text)
        other = best.get(signature)
        if other is None or len(other.entry.text) < len(arrival.entry.text):
            best[signature] = arrival
    return list(best.values())


def _is_twin(arrival: Arrival, document: KnownEntry) -> bool:
    """Whether an arrival is a second print of a document that also stands in the body as it was."""
    if arrival.bare_title != title_key(document.title) or not (arrival.guid or arrival.url or arrival.sha256 == document.sha256):
        return False
    guid_fits = not arrival.guid or _guid(arrival.guid) in map(_guid, document.guids)
    return guid_fits and (not arrival.url or arrival.url in document.urls)


def _single_keys(arrivals: Sequence[Arrival], standing: Sequence[KnownEntry]) -> list[dict[str, str | None]]:
    """For each arrival the keys that are its alone in this poll, as they are stored: a key that two entries share is none."""
    counts: Counter[tuple[str, str]] = Counter()
    for arrival in arrivals:
        counts.update(_keys(arrival))
    for document in standing:
        counts.update({("guid", _guid(guid)) for guid in document.guids})
        counts.update(("url", url) for url in document.urls)
        counts.update(("title", title) for title in document.titles)
    found = []
    for arrival in arrivals:
        alone = {kind for kind, key in _keys(arrival) if counts[kind, key] == 1}
        stored = {"guid": arrival.guid, "url": arrival.url, "title": arrival.title}
        found.append({kind: key if kind in alone else None for kind, key in stored.items()})
    return found


def _keys(arrival: Arrival) -> list[tuple[str, str]]:
    found = (("guid", arrival.guid and _guid(arrival.guid)), ("url", arrival.url), ("title", arrival.title))
    return [(kind, key) for kind, key in found if key]


def _match(arrivals: Sequence[Arrival], keys: Sequence[Mapping[str, str | None]], gone: Sequence[KnownEntry]) -> dict[int, KnownEntry]:
    """Which document each arrival is, by guid first, then address, title and number. A document is one arrival's at most."""
    by_key: defaultdict[tuple[str, str], list[KnownEntry]] = defaultdict(list)
    # of several, the latest
    for document in sorted(gone, key=lambda one: one.document_id, reverse=True):
        for guid in {_guid(guid) for guid in document.guids}:
            by_key["guid", guid].append(document)
        for url in document.urls:
            by_key["url", url].append(document)
        for title in document.titles:
            by_key["title", title].append(document)
        if document.number:
            by_key["number", document.number].append(document)
    numbers = Counter(arrival.number for arrival in arrivals)
    matches: dict[int, KnownEntry] = {}
    taken: set[int] = set()
    for kind in ("guid", "url", "title", "number"):
        for index, arrival in enumerate(arrivals):
            key = arrival.number if kind == "number" else keys[index][kind]
            if index in matches or not key or (kind == "number" and numbers[key] > 1):
                continue
            found = by_key.get((kind, _guid(key) if kind == "guid" else key), ())
            match = next((one for one in found if one.document_id not in taken and _is_same(kind, arrival, one)), None)
            if match is not None:
                matches[index] = match
                taken.add(match.document_id)
    return matches


def _is_same(kind: str, arrival: Arrival, document: KnownEntry) -> bool:
    """Whether a shared key makes them one document, given all else they print."""
    is_same_title = arrival.bare_title == title_key(document.title)
    if arrival.number and document.number and arrival.number != document.number and not (kind == "guid" and is_same_title):
        return False
    if kind in ("guid", "title") or (kind == "url" and is_same_title):
        return True
    is_alike = SequenceMatcher(None, arrival.bare_title, title_key(document.title)).ratio() >= 0.6
    if kind == "number":
        return is_alike or arrival.url in document.urls
    # one address, two titles, the old one gone
    if arrival.number and arrival.number == document.number:
        return True
    if arrival.guid and document.guids:
        return False
    return is_alike or (arrival.entry.published_at is not None and arrival.entry.published_at == document.published_at)


# --- who may alert ---------------------------------------------------------------------------------------------------


def _fuse(new: Sequence[Placed], known: Iterable[KnownEntry], regenerated: int, now: datetime, source: DueSource) -> str:
    """Why the source is to be held: it looks rebuilt rather than busy. Empty when it does not."""
    if source.mode is not Mode.LIVE or not source.is_seeded:
        return ""
    documents = list(known)
    window = sum(document.is_in_window for document in documents)
    arm = f"It is read and stored on, without alerts, until it is armed: regwatch sources arm {source.row.id}"
    if regenerated >= FEWEST_REGENERATED and 2 * regenerated >= window:
        return f"{regenerated} of {window} known entries changed their guid. {arm}"
    if len(new) < FUSE_ENTRIES:
        return ""
    titles = {title_key(document.title) for document in documents} - {""}
    newest = min(source.newest_published_at, now) if source.newest_published_at else None
    odd = 0
    for placed in new:
        ended = _ended(placed.arrival.entry)
        odd += placed.arrival.bare_title in titles or (newest is not None and ended is not None and ended < newest)
    if 2 * odd < len(new):
        return ""
    return f"{odd} of {len(new)} new entries carry a known title or are older than the newest known one. {arm}"


def _waiver(entry: Entry, now: datetime, source: DueSource, hold: str) -> str:
    """Why a new entry may not alert; empty when it may."""
    ended = _ended(entry)
    if not source.is_seeded:
        # after a good but empty first look, what was published since then is news
        was_empty = source.last_ok_at is not None
        if not was_empty or (ended is not None and ended < source.added_at):
            return "first poll"
    if source.mode is not Mode.LIVE:
        return str(source.mode)
    if hold:
        return "fuse"
    return "age" if ended is not None and ended < now - ALERT_AGE else ""


def edit_waiver(entry: Entry, now: datetime, source: DueSource) -> str:
    """Why an action that an edit brings up for the first time may not alert."""
    if source.mode is not Mode.LIVE:
        return str(source.mode)
    ended = _ended(entry)
    return "age" if ended is not None and ended < now - ALERT_AGE else ""


def _ended(entry: Entry) -> datetime | None:
    """The last instant that the printed date may mean; None when undated, which counts as now."""
    if entry.published_at is None:
        return None
    spans = {Precision.DAY: timedelta(days=1), Precision.MONTH: timedelta(days=31), Precision.YEAR: timedelta(days=366)}
    return entry.published_at + spans.get(entry.published_precision or Precision.MINUTE, timedelta())
