"""What an address or a saved file would yield, without a database: for whoever adds or repairs a source."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from bot.feeds import Entry, Failed, Fetched
from bot.feeds.asking import answer_of
from bot.feeds.fetch import Fetcher
from bot.feeds.pages import entries_of
from storage.models import Health
from storage.records import SourceRow

MAX_FILE = 64 * 1024 * 1024
"""A saved file may be larger than what the fetcher takes, but not without end."""


@dataclass(frozen=True, slots=True)
class Preview:
    """The entries of an address, or the state that a source with it would have, and why."""

    address: str  # as it was given
    entries: tuple[Entry, ...] = ()
    dropped: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    error: Health | None = None
    detail: str = ""

    def lines(self) -> Iterator[dict[str, object]]:
        """The JSON of the contract: one object an entry, or one that tells why there is none."""
        if self.error is not None:
            yield {"address": self.address, "error": self.error.value, "detail": self.detail}
        for entry in self.entries:
            yield {
                "address": self.address,
                "id": entry.guid,
                "link": entry.link,
                "title": entry.title,
                "text": entry.text,
                "published": entry.published_at.isoformat() if entry.published_at else None,
                "precision": entry.published_precision,
                "updated": entry.updated_at.isoformat() if entry.updated_at else None,
                "language": entry.language,
                "warnings": list(entry.warnings),
            }


async def preview_of(address: str, fetcher: Fetcher, row: SourceRow | None = None, *, time_zone: str = "UTC") -> Preview:
    """Fetch (or read) and parse one address, as the source `row` in its zone when one is given. Raises nothing expected."""
    got = await (_fetched(address, fetcher, row) if urlsplit(address).scheme in ("http", "https") else _saved(address, row))
    if isinstance(got, Failed):
        return Preview(address, error=got.health, detail=got.detail)
    parsed = await entries_of(got, row, time_zone=time_zone)
    if isinstance(parsed, Failed):
        return Preview(address, error=parsed.health, detail=parsed.detail)
    return Preview(address, parsed.entries, parsed.dropped, parsed.warnings)


async def _fetched(address: str, fetcher: Fetcher, row: SourceRow | None) -> Fetched | Failed:
    got = await (answer_of(fetcher, replace(row, url=address)) if row else fetcher.get(address))
    if isinstance(got, Fetched | Failed):
        return got
    return Failed(Health.ERROR, "304 without having been asked whether it changed", 304, None, got.seconds)


async def _saved(address: str, row: SourceRow | None) -> Fetched | Failed:
    try:
        body = await asyncio.to_thread(_read, Path(address))
    except (OSError, ValueError) as error:
        return Failed(Health.ERROR, f"the file cannot be read: {getattr(error, 'strerror', None) or error}", None, None, 0.0)
    return Fetched(row.url if row else "", 200, body, "", None, None, None, 0.0)


def _read(path: Path) -> bytes:
    if path.stat().st_size > MAX_FILE:
        raise ValueError(f"it is larger than {MAX_FILE // 2**20} MB")
    return path.read_bytes()
