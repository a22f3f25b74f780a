"""The way in: the catalogue of sources, a polite and guarded fetcher, and the parsers.

`catalog` says what is polled, `fetch` brings bytes as a value (never an exception for expected trouble),
`parse` turns the bytes of a feed into entries, in a child process that can be killed. Nothing here knows
the Store.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    # a parser child imports this package, and must not load a database for it
    from storage.models import Health, Precision
    from storage.records import SourceRow


@dataclass(frozen=True, slots=True)
class Entry:
    """What one poll of a source yields; text is plain, links are absolute, dates are aware or None."""

    entry_hash: str  # of its raw bytes
    guid: str | None
    link: str | None
    title: str
    text: str
    published_at: datetime | None
    published_precision: Precision | None
    updated_at: datetime | None
    warnings: tuple[str, ...] = ()
    language: str = ""  # as the feed declares it; empty when it does not
    body_url: str | None = None  # where the text stands that the list leaves out; None when nothing is to be followed
    links: tuple[str, ...] = ()  # what the text links to, printed or not: `bot.feeds.links`


@dataclass(frozen=True, slots=True)
class Fetched:
    """A body, decompressed and capped."""

    url: str  # after redirects
    status: int
    body: bytes
    content_type: str
    etag: str | None
    last_modified: str | None
    fresh_for: timedelta | None  # Cache-Control: max-age or Expires; None when the answer says nothing
    seconds: float
    is_redirected: bool = False  # `url` is not what was asked for


@dataclass(frozen=True, slots=True)
class NotModified:
    """304, with the validators that hold from now on."""

    etag: str | None
    last_modified: str | None
    fresh_for: timedelta | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Failed:
    """No body worth reading: a state of the source, and words for its operator."""

    health: Health  # blocked, empty, changed_layout, expired_certificate, error
    detail: str  # the cause, and the next thing to do
    status: int | None
    retry_after: timedelta | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Body:
    """The main text of a notice's own page or PDF, with the title and date that only stand there."""

    text: str
    title: str  # empty: the list's holds
    published_at: datetime | None
    published_precision: Precision | None
    warnings: tuple[str, ...] = ()
    links: tuple[str, ...] = ()  # what the text links to


FetchResult = Fetched | NotModified | Failed


class Web(Protocol):
    """What a poll asks for bytes: the fetcher, or a recording of what it once brought."""

    async def fetch(self, row: SourceRow, *, etag: str | None = None, last_modified: str | None = None) -> FetchResult:
        """A source's body, or that it is unchanged, or why there is none. Raises nothing expected."""

    async def page(self, url: str, row: SourceRow) -> Fetched | Failed:
        """The page or PDF behind a link of that source, or why there is none."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """The entries that a body holds and that were not seen before, and the hashes of all it holds."""

    entries: tuple[Entry, ...]  # unseen ones only, in the order of the feed
    present: tuple[str, ...]  # entry hashes of the whole body, seen ones included
    dropped: tuple[str, ...] = ()  # why an entry was left out, one line each
    n_unread: int = 0  # entries beyond the most that are read
    warnings: tuple[str, ...] = ()
