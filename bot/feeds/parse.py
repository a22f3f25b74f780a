"""Bytes of a feed to entries, at the price of what is new in them.

The funnel: the body is cut into its items by plain byte search and each item is hashed; only items whose hash
the last poll did not show are put into a small document of their own (head + new items + tail) and read by
feedparser, in slices, in a child process with a memory limit that is killed when a slice takes too long. When
feedparser counts otherwise than the cutter did (utf-16, nested items), the whole body is read. `parse_feed`
does it in this process and is pure; `in_child` is what a poll uses. What is no feed goes another way, through `pages`,
which shares the child processes and the words for a refusal.

What is no feed comes back as a Failed value that tells a refusal (blocked) from a redesign (changed_layout).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from functools import cache
from hashlib import blake2b
from typing import TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import anyio
import anyio.to_process

from bot.feeds import Entry, Failed, Parsed
from bot.feeds.decoys import not_a_feed, page_refusal
from bot.feeds.reading import RawEntry, Reading, Slice, read_in_limits, read_slice
from storage.models import Health, Precision
from storage.text import title_key

FEED_KINDS = ("rss", "atom")
"""The kinds of source that this module reads."""
FEED_LIBRARIES = ("feedparser", "nh3", "selectolax.lexbor")
"""What a child that reads feeds and lists loads."""
MAX_ENTRIES = 10_000
"""Entries of one body that are read; the rest is left out, and said."""
SLICE = 500
"""Entries that one call of the child reads."""
SLICE_SECONDS = 10.0
"""After this a slice's child is killed."""
HEADROOM = 256 * 1024 * 1024
"""Bytes a child may take beyond its idle size."""


_Wanted = TypeVar("_Wanted")
_Read = TypeVar("_Read")


def parse_feed(
    body: bytes,
    content_type: str,
    url: str,
    *,
    time_zone: str = "UTC",
    date_format: str = "",
    seen: frozenset[str] = frozenset(),
) -> Parsed | Failed:
    """The entries of a feed whose hash is not in `seen`; raises nothing, whatever the bytes.

    `url` is the final address: links are made absolute with it. `time_zone` (IANA) is the source's: naive times
    and bare days are read in it. For a preview leave `seen` empty: every entry comes back, with its warnings.
    """
    steps = _steps(Slice(body, content_type, url, time_zone, date_format, None, MAX_ENTRIES), seen, _cut(body))
    try:
        wanted = next(steps)
        while True:
            wanted = steps.send(read_slice(wanted))
    except StopIteration as end:
        result: Parsed | Failed = end.value
        return result


async def in_child(
    body: bytes,
    content_type: str,
    url: str,
    *,
    time_zone: str = "UTC",
    date_format: str = "",
    seen: frozenset[str] = frozenset(),
    children: asyncio.Semaphore | None = None,
    slice_seconds: float = SLICE_SECONDS,
    headroom: int = HEADROOM,
) -> Parsed | Failed:
    """parse_feed() with the reading in a child process: killed after `slice_seconds` a slice, held to `headroom` bytes.

    `children` bounds how many run at once, over all calls that share it.
    """
    # cutting and hashing is quick but not free: 8 MB must not hold up the loop
    items = await asyncio.to_thread(_cut, body) if len(body) > 256 * 1024 else _cut(body)
    steps = _steps(Slice(body, content_type, url, time_zone, date_format, None, MAX_ENTRIES), seen, items)
    try:
        wanted = next(steps)
        while True:
            reading = await call_in_child(read_slice, wanted, FEED_LIBRARIES, children, slice_seconds, headroom)
            wanted = steps.send(reading if isinstance(reading, Reading) else Reading(trouble=reading))
    except StopIteration as end:
        result: Parsed | Failed = end.value
        return result


async def call_in_child(
    read: Callable[[_Wanted], _Read],
    wanted: _Wanted,
    libraries: tuple[str, ...],
    children: asyncio.Semaphore | None = None,
    seconds: float = SLICE_SECONDS,
    headroom: int = HEADROOM,
) -> _Read | str:
    """`read(wanted)` in a child process that is killed after `seconds` and held to `headroom` bytes; words when it gave no answer."""
    async with children or asyncio.Semaphore(1):
        for _ in range(2):
            try:
                with anyio.fail_after(seconds):
                    # the semaphore is held already, so that waiting for a child is not counted
                    free = anyio.CapacityLimiter(1)
                    return await anyio.to_process.run_sync(
                        read_in_limits, read, wanted, libraries, headroom, cancellable=True, limiter=free
                    )
            except TimeoutError:
                return f"reading it took longer than {seconds:g} s and was stopped; look at the address by hand"
            except anyio.BrokenWorkerProcess:
                # out of memory, or the reader crashed: once more in a fresh child
                continue
    return f"the reading process ended twice: it needs more than {headroom // 2**20} MB, or it crashes; look at the address by hand"


def failed(health: Health, detail: str) -> Failed:
    """A failure of reading, which has no status of its own and took no time worth telling."""
    return Failed(health, detail, None, None, 0.0)


def _steps(whole: Slice, seen: frozenset[str], items: list[_Item] | None) -> Generator[Slice, Reading, Parsed | Failed]:
    """Which slices are to be read, and what their readings add up to."""
    body = whole.document
    if refusal := page_refusal(body):
        return failed(*refusal)
    if items:
        kept = items[:MAX_ENTRIES]
        unseen = [item for item in kept if item.hash not in seen]
        head, tail = body[: items[0].start], body[items[-1].end :]
        entries: list[Entry] = []
        complaints: list[str] = []
        for first in range(0, len(unseen), SLICE):
            part = unseen[first : first + SLICE]
            document = b"".join((head, *(body[item.start : item.end] for item in part), tail))
            reading = yield replace(whole, document=document, hashes=tuple(item.hash for item in part))
            if reading.trouble:
                return failed(Health.ERROR, reading.trouble)
            if reading.n_entries != len(part):
                break
            entries += map(_entry, reading.entries)
            complaints.append(reading.complaint)
        else:
            return _parsed(entries, tuple(item.hash for item in kept), len(items), complaints)
    # nothing to cut, or the reader counts otherwise than the cutter did
    reading = yield whole
    if reading.trouble:
        return failed(Health.ERROR, reading.trouble)
    if not reading.version and not reading.entries:
        return failed(*not_a_feed(body))
    if reading.complaint and not reading.entries and not re.search(rb"</(?:\w+:)?(?:rss|feed|rdf)\s*>\s*$", body, re.IGNORECASE):
        return failed(Health.ERROR, f"broken XML, no entry could be read: {reading.complaint}; look at the address by hand")
    return parsed_whole(reading, seen)


def parsed_whole(reading: Reading, seen: frozenset[str]) -> Parsed:
    """The unseen entries of a document that was read whole."""
    fresh = [_entry(raw) for raw in reading.entries if raw.entry_hash not in seen]
    parsed = _parsed(fresh, tuple(raw.entry_hash for raw in reading.entries), reading.n_entries, [reading.complaint])
    return replace(parsed, dropped=parsed.dropped + reading.dropped)


def _parsed(entries: list[Entry], present: tuple[str, ...], n_items: int, complaints: list[str]) -> Parsed:
    over = n_items - len(present)
    dropped = (f"{over} entries beyond the first {MAX_ENTRIES:,}",) if over > 0 else ()
    return Parsed(tuple(entries), present, dropped, max(over, 0), tuple(dict.fromkeys(filter(None, complaints))))


def _entry(raw: RawEntry) -> Entry:
    return Entry(
        entry_hash=raw.entry_hash,
        guid=raw.guid,
        link=raw.link,
        title=raw.title,
        text=raw.text,
        published_at=raw.published_at,
        published_precision=Precision(raw.precision) if raw.precision else None,
        updated_at=raw.updated_at,
        warnings=raw.warnings,
        language=raw.language,
        body_url=raw.body_url,
        links=raw.links,
    )


# --- cutting -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Item:
    """Where an item stands in the body, tags included, and the hash of its bytes."""

    start: int
    end: int
    hash: str


def _cut(body: bytes) -> list[_Item] | None:
    """The items or entries of a feed; None where cutting is not safe (none found, nested, both kinds, never closed)."""
    found = {tag: _find_open(body, tag, 0) for tag in (b"item", b"entry")}
    tags = [tag for tag, at in found.items() if at >= 0]
    if len(tags) != 1:
        return None
    (tag,) = tags
    close = b"</" + tag
    items: list[_Item] = []
    start, end = found[tag], 0
    while start >= 0:
        outside = _end_of_hidden(body, end, start)
        if outside < 0:
            return None
        if outside > start:
            start = _find_open(body, tag, outside)
            continue
        tag_end = body.find(b">", start)
        if tag_end < 0:
            return None
        end = tag_end + 1
        if body[tag_end - 1 : tag_end] != b"/":
            end = _find_close(body, close, end)
            if end < 0 or _find_open(body, tag, tag_end, end) >= 0:
                return None
        items.append(_Item(start, end, blake2b(body[start:end], digest_size=16).hexdigest()))
        start = _find_open(body, tag, end)
    return items or None


def _find_open(body: bytes, tag: bytes, start: int, end: int | None = None) -> int:
    """Where `<tag` stands as a tag (not `<items`), or -1."""
    opening = b"<" + tag
    at = body.find(opening, start, end)
    while at >= 0 and body[at + len(opening) : at + len(opening) + 1] not in (b">", b" ", b"\t", b"\r", b"\n", b"/"):
        at = body.find(opening, at + 1, end)
    return at


def _find_close(body: bytes, close: bytes, start: int) -> int:
    """The end of the closing tag that no CDATA section or comment hides, or -1."""
    at = body.find(close, start)
    while at >= 0:
        outside = _end_of_hidden(body, start, at)
        if outside < 0:
            return -1
        if outside <= at:
            end = body.find(b">", at)
            return end + 1 if end >= 0 else -1
        at = body.find(close, outside)
    return -1


def _end_of_hidden(body: bytes, start: int, at: int) -> int:
    """Where the CDATA section or comment ends that is open at `at`; at most `at` when none is, -1 when it never ends."""
    for opening, closing in ((b"<![CDATA[", b"]]>"), (b"<!--", b"-->")):
        opened = body.rfind(opening, start, at)
        if opened >= 0 and body.find(closing, opened, at) < 0:
            end = body.find(closing, at)
            return end + len(closing) if end >= 0 else -1
    return at


# --- keys -----------------------------------------------------------------------------------------------------------------

_TRACKING = re.compile(
    r"utm_\w*|fbclid|gclid|gclsrc|dclid|msclkid|yclid|twclid|igshid|mc_cid|mc_eid|mkt_tok|_ga|_gl|_hsenc|_hsmi|vero_id|wt\.mc_id|at_medium|at_campaign",
    re.IGNORECASE,
)


def canonical_url(url: str) -> str | None:
    """An address as identity compares it: no scheme, default port, user, fragment, tracking or trailing slash.

    `http://Host/a/?utm_source=x#top` and `https://host/a` are one. None for what is no web address.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return None
    if parts.scheme.lower() not in ("http", "https") or not host:
        return None
    path = re.sub(r";jsessionid=[^/?;]*", "", parts.path, flags=re.IGNORECASE).rstrip("/")
    query = "&".join(pair for pair in parts.query.split("&") if pair and not _TRACKING.fullmatch(pair.partition("=")[0]))
    return f"{host}{f':{port}' if port not in (None, 80, 443) else ''}{path}{f'?{query}' if query else ''}"


def dated_title(entry: Entry, time_zone: str) -> str | None:
    """The key made of title and local day; None unless the entry has both."""
    title = title_key(entry.title)
    if not title or entry.published_at is None:
        return None
    return f"{title}|{entry.published_at.astimezone(_zone(time_zone)).date().isoformat()}"


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
