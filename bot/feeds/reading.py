"""The child's side of parsing: one document in, plain entries out.

A child loads this module, for list pages `listing`, for notices `bodies`, for what they link to `links`, and nothing else of
the house, and nothing heavy before it is needed: it starts in a tenth of a second and idles at 25 MB.
"""

from __future__ import annotations

import calendar
import html
import importlib
import io
import os
import re
import sys
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import blake2b
from typing import Any, TypeVar
from urllib.parse import quote, urljoin, urlsplit
from zoneinfo import ZoneInfo

from bot.feeds.dates import Precise, UnreadableDate, read_date

MAX_TEXT = 200_000
"""Characters of one entry's text that are kept."""


@dataclass(frozen=True, slots=True)
class Slice:
    """One document to read. `hashes` are those of the items it holds; None: a whole body, hash what you find."""

    document: bytes
    content_type: str
    url: str  # what links are resolved against
    time_zone: str
    date_format: str
    hashes: tuple[str, ...] | None
    limit: int  # entries beyond are counted, not read


@dataclass(frozen=True, slots=True)
class RawEntry:
    """An entry in plain values: `bot.feeds.Entry` before it has met the enums of the house."""

    entry_hash: str
    guid: str | None
    link: str | None
    title: str
    text: str
    published_at: datetime | None
    precision: Precise | None
    updated_at: datetime | None
    language: str
    warnings: tuple[str, ...]
    body_url: str | None = None
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """What a document holds. `version` is empty when it is no feed, `complaint` when its XML is well-formed.

    `trouble` is set instead of all else when the reader gave up, `mismatch` when a list is not where its source says.
    """

    version: str = ""
    entries: tuple[RawEntry, ...] = ()
    n_entries: int = 0
    complaint: str = ""
    trouble: str = ""
    mismatch: str = ""  # which selector, what was found instead, and what to do
    dropped: tuple[str, ...] = ()  # why items were left out, one line each


_Wanted = TypeVar("_Wanted")
_Read = TypeVar("_Read")
_idle_bytes = 0


def read_in_limits(read: Callable[[_Wanted], _Read], wanted: _Wanted, libraries: tuple[str, ...], headroom: int) -> _Read:
    """In the child: `read(wanted)` under a memory limit that ends the process when it is hit, for its heap is then a ruin.

    `libraries` are what the reader imports: they belong to the idle size, above which `headroom` bytes are allowed.
    """
    global _idle_bytes
    import resource

    most = resource.getrlimit(resource.RLIMIT_AS)[1]
    if not _idle_bytes or not sys.modules.keys() >= {*libraries}:
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        before = _size() if _idle_bytes else 0
        for name in libraries:
            importlib.import_module(name)
        _idle_bytes += _size() - before
    resource.setrlimit(resource.RLIMIT_AS, (_idle_bytes + headroom, most))
    try:
        return read(wanted)
    except MemoryError:
        os._exit(70)


def _size() -> int:
    """The address space of this process, in bytes."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")


def read_slice(wanted: Slice) -> Reading:
    """feedparser's reading of one document. Never raises but for want of memory."""
    import feedparser
    from feedparser.mixin import _FeedParserMixin

    # a guid is kept as printed: feedparser joins relative ones to xml:base
    _FeedParserMixin.can_be_relative_uri.discard("id")
    try:
        read = feedparser.parse(
            # a stream, for feedparser takes bytes for an address or a file name first
            io.BytesIO(wanted.document),
            response_headers={"content-type": _modern(wanted.content_type)},
            sanitize_html=False,
            resolve_relative_uris=False,
        )
    except MemoryError:
        raise
    except Exception as error:
        return Reading(trouble=f"the reader gave up ({type(error).__name__}: {error}); look at the address by hand"[:300])
    found = read.entries
    if wanted.hashes is None:
        # an entry past the limit is counted, not built
        hashes: list[str | None] = [None] * min(len(found), wanted.limit)
    else:
        # a count that differs tells the caller to read the whole body
        hashes = list(wanted.hashes) if len(wanted.hashes) == len(found) else []
    language = str(dict.get(read.get("feed", {}), "language", "") or "")
    zone = zone_of(wanted.time_zone)
    entries = tuple(_entry(raw, wanted, zone, language, hash_) for raw, hash_ in zip(found, hashes, strict=False))
    complaint = ""
    if read.get("bozo"):
        reason = read.get("bozo_exception")
        complaint = " ".join(f"{type(reason).__name__}: {reason}".split())[:200]
    return Reading(str(read.get("version") or ""), entries, len(found), complaint)


def _modern(content_type: str) -> str:
    """feedparser takes text/xml without a charset for ASCII, as RFC 3023 did; RFC 7303 lets the document say."""
    return content_type if "charset" in content_type.lower() else "application/xml"


@cache
def zone_of(name: str) -> ZoneInfo:
    """The zone of an IANA name."""
    return ZoneInfo(name)


def _entry(raw: Any, wanted: Slice, zone: ZoneInfo, feed_language: str, entry_hash: str | None) -> RawEntry:
    """One entry of feedparser's, in our words."""
    from bot.feeds.links import links_of

    warnings: list[str] = []
    title = plain(str(_field(raw, "title")), keep_lines=False)
    bodies = [str(dict.get(part, "value") or "") for part in dict.get(raw, "content") or ()]
    printed = max((str(_field(raw, "summary")), *bodies), key=len)
    text = plain(printed[: 4 * MAX_TEXT])
    author = plain(str(_field(raw, "author")), keep_lines=False)
    if _NUMBER.fullmatch(author) and author not in f"{title}\n{text}":
        # the SEC prints a release's number where the author stands
        text = f"{text}\n{author}".strip()
    if len(text) > MAX_TEXT:
        text = text[:MAX_TEXT]
        warnings.append(f"text cut at {MAX_TEXT:,} characters")
    if not title:
        warnings.append("no title")
    guid = str(_field(raw, "id")).strip() or None
    link = _link(raw, guid, wanted.url, warnings)
    published = _date(raw, ("published", "created"), zone, wanted.date_format, warnings)
    updated = _date(raw, ("updated",), zone, wanted.date_format, warnings)
    if published is None:
        published = updated
    if published is None and not any(warning.startswith("no date") for warning in warnings):
        warnings.append("no date")
    if entry_hash is None:
        printed_dates = (str(_field(raw, "published")), str(_field(raw, "updated")))
        entry_hash = hash_of(guid or "", link or "", title, printed, *printed_dates)
    return RawEntry(
        entry_hash=entry_hash,
        guid=guid,
        link=link,
        title=title,
        text=text,
        published_at=published[0] if published else None,
        precision=published[1] if published else None,
        updated_at=updated[0] if updated else None,
        language=_language(raw, feed_language),
        warnings=tuple(warnings),
        links=links_of(printed[: 4 * MAX_TEXT], wanted.url, link),
    )


def hash_of(*told: str) -> str:
    """The hash of what an entry tells, for a document of which no bytes can be called the entry's own."""
    return blake2b("\x1f".join(told).encode("utf-8", "replace"), digest_size=16).hexdigest()


_NUMBER = re.compile(r"[A-Z]{1,6}[- ]?\d[\w./-]*")


def _field(raw: Any, name: str) -> Any:
    """A value as printed: feedparser's own access warns, and gives `updated` for `published`."""
    return dict.get(raw, name) or ""


def _language(raw: Any, feed_language: str) -> str:
    detail = dict.get(raw, "title_detail") or dict.get(raw, "summary_detail") or {}
    return str(dict.get(detail, "language") or feed_language).strip().replace("_", "-")[:20]


def _link(raw: Any, guid: str | None, base: str, warnings: list[str]) -> str | None:
    printed = str(_field(raw, "link")).strip()
    if printed and printed == guid and dict.get(raw, "guidislink") and not re.match(r"https?:|/", printed, re.IGNORECASE):
        # RSS takes a guid for a link unless told otherwise; a bare number is none
        printed = ""
    if not printed:
        others = [dict.get(link, "href") for link in dict.get(raw, "links") or () if dict.get(link, "rel") != "enclosure"]
        printed = next((str(href).strip() for href in others if href and href != guid), "")
    if not printed:
        warnings.append("no link")
        return None
    link = absolute_link(printed, base)
    if link is None:
        warnings.append(f"no link: {printed[:100]!r} is no http or https address")
    return link


def _date(raw: Any, names: tuple[str, ...], zone: ZoneInfo, date_format: str, warnings: list[str]) -> tuple[datetime, Precise] | None:
    for name in names:
        printed = str(_field(raw, name)).strip()
        if not printed:
            continue
        try:
            at, precision = read_date(printed, zone, date_format)
        except UnreadableDate as error:
            lenient = _lenient(printed, dict.get(raw, f"{name}_parsed"))
            if lenient is None:
                warnings.append(f"no date: {error}")
                continue
            at, precision = lenient, "minute"
        if at.year <= 1970:
            warnings.append(f"no date: {printed[:50]!r} stands for none")
            continue
        return at, precision
    return None


def _lenient(printed: str, parsed: Any) -> datetime | None:
    """feedparser's reading of a date that ours refuses, where the text bears it out: it invents days now and then."""
    if parsed is None or re.search(r"\d{1,2}[/-]\d{1,2}[/-]\d{4}", printed):
        return None
    try:
        at = datetime.fromtimestamp(calendar.timegm(parsed), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
    numbers = {int(digits) for digits in re.findall(r"\d{1,4}", printed)}
    is_borne_out = at.year in numbers and numbers & {at.day - 1, at.day, at.day + 1}
    return at if is_borne_out and re.search(r"[^\W\d_]{3}|T|W", printed) else None


# --- plain text and links ------------------------------------------------------------------------------------------

_BLOCK = re.compile(
    r"</?(?:p|div|br|li|ul|ol|dl|dt|dd|tr|td|th|table|h[1-6]|section|article|header|footer|blockquote|pre|hr|figure|figcaption)\b",
    re.IGNORECASE,
)
# elements whose content no reader sees as text
_SILENT = {"script", "style", "template", "noscript", "svg", "iframe", "select", "button"}
# C0 and C1 but line breaks and tab, soft hyphen, zero width and direction marks, lone surrogates, non-characters
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]"
)


def plain(markup: str, *, keep_lines: bool = True) -> str:
    """Text without tags, entities, controls and zero-width characters, spaces squashed, NFC; a block starts a line."""
    if "<" in markup:
        import nh3

        blocks = _BLOCK.sub(lambda tag: f"\n{tag[0]}", _UNSEEN.sub("", markup))
        markup = nh3.clean(blocks, tags=set(), clean_content_tags=_SILENT)
    text = unicodedata.normalize("NFC", _UNSEEN.sub("", html.unescape(markup)))
    if not keep_lines:
        return " ".join(text.split())
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def absolute_link(link: str, base: str) -> str | None:
    """The link as an http or https address, resolved against `base`; None when it is none."""
    joined = re.sub(r"[\t\r\n]\s*", "", link.strip())
    if re.match(r"www\.[\w-]+\.", joined, re.IGNORECASE):
        joined = f"https://{joined}"
    try:
        joined = urljoin(base, joined)
        parts = urlsplit(joined)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return None
    # what would end the address in a message: spaces, quotes, brackets, controls
    return quote(_UNSEEN.sub("", joined), safe="%/:=&?~#+!$,;'@()*[]") if is_web and len(joined) <= 2000 else None
