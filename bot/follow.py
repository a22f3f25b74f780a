"""A notice's own page: what an entry becomes when the page behind its link is read, and what is stored of it.

A list often has a title alone. The page is followed once, a few at a poll so that one host is not asked too much
at once; what is left over, and what failed, is taken up by the next polls. What the list printed is kept beside
what the page says: a document goes on being known by its list.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from bot.feeds import Body, Entry, Failed, Web
from bot.feeds.identity import Placed, text_hash
from bot.feeds.pages import body_of
from storage.records import BodyRecord, DueSource, EntryRecord, Extraction, Listed, WantedBody

TextKey = tuple[str, tuple[str, ...]]
"""By what a reading of an entry is found: `key_of`."""
BODIES = 5
"""Pages that are followed in one go at a host, whatever its sources: at .gov.cn's pace of one in eight seconds, most of a minute."""


@dataclass(frozen=True, slots=True)
class Followed:
    """An entry with what its own page says, where that was read; `listed` is what it was before."""

    entry: Entry
    listed: Listed | None = None
    tries: int = 0  # that failed
    detail: str = ""  # why the last one did

    @property
    def is_read(self) -> bool:
        """Whether the page was read."""
        return self.listed is not None

    @property
    def record(self) -> BodyRecord | None:
        """How it stands with the page; None when there is none."""
        return BodyRecord(self.entry.body_url, self.is_read, self.tries, self.detail) if self.entry.body_url else None


class Follower:
    """Follows the links of sources of one host that are polled one after the other, as many as `BODIES`."""

    def __init__(self, web: Web, children: asyncio.Semaphore) -> None:
        self._web = web
        self._children = children
        self.left = BODIES

    async def follow(self, source: DueSource, entry: Entry, tries: int = 0) -> Followed:
        """The entry with its page's text; as it was where it has no page, this poll follows no more, or the page cannot be read."""
        if entry.body_url is None:
            return Followed(entry)
        if self.left <= 0:
            return Followed(entry, tries=tries)
        self.left -= 1
        got = await self._web.page(entry.body_url, source.row)
        if isinstance(got, Failed):
            read: Body | Failed = got
        else:
            read = await body_of(got, source.row, time_zone=source.time_zone, children=self._children)
        if isinstance(read, Failed):
            return Followed(entry, tries=tries + 1, detail=read.detail)
        listed = Listed(entry.title, entry.text, text_hash(entry.title, entry.text))
        links = tuple(dict.fromkeys((*entry.links, *read.links)))
        whole = replace(entry, title=read.title or entry.title, text=_both(entry.text, read.text), links=links)
        if entry.published_at is None:
            whole = replace(whole, published_at=read.published_at, published_precision=read.published_precision)
        return Followed(whole, listed)


def _both(listed: str, body: str) -> str:
    """What the list says and what the page says, without saying a thing twice."""
    if not listed or " ".join(listed.split()) in " ".join(body.split()):
        return body
    return f"{listed}\n\n{body}"


def entry_of(wanted: WantedBody) -> Entry:
    """A stored document as the entry that it was."""
    return Entry(
        entry_hash="",
        guid=None,
        link=wanted.url or None,
        title=wanted.listed.title,
        text=wanted.listed.text,
        published_at=wanted.published_at,
        published_precision=wanted.published_precision,
        updated_at=wanted.updated_at,
        language=wanted.language,
        body_url=wanted.body_url,
        links=wanted.links,
    )


def key_of(entry: Entry) -> TextKey:
    """The hash of an entry's text and its links, by which its reading is found: two entries may print one text and link to
    two notices."""
    return text_hash(entry.title, entry.text), entry.links


def record_of(placed: Placed, followed: Followed, extraction: Extraction) -> EntryRecord:
    """What is stored of a new or edited entry."""
    return replace(
        _record(followed, extraction, placed.waived, placed.document_id),
        entry_hash=followed.entry.entry_hash,
        guid=placed.guid,
        canonical_url=placed.url,
        title_key=placed.title,
    )


def late_record_of(wanted: WantedBody, followed: Followed, extraction: Extraction, waived: str) -> EntryRecord:
    """What is stored of a document whose page was read after all; `waived` is why it may not alert. Its keys stay."""
    return _record(followed, extraction, waived, wanted.document_id)


def _record(followed: Followed, extraction: Extraction, waived: str, document_id: int | None) -> EntryRecord:
    """All but the keys and the bytes that a list shows."""
    entry = followed.entry
    return EntryRecord(
        document_id=document_id,
        entry_hash=None,
        guid=None,
        url=entry.link or "",
        canonical_url=None,
        title_key=None,
        title=entry.title,
        text=entry.text,
        sha256=text_hash(entry.title, entry.text),
        language=extraction.language,
        published_at=entry.published_at,
        published_precision=entry.published_precision,
        updated_at=entry.updated_at,
        extraction=extraction,
        waived=waived,
        listed=followed.listed,
        body=followed.record,
        links=entry.links,
    )
