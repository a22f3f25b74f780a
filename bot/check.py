"""Whether sources can be read: each is asked once, read, and judged, and nothing is written.

For whoever adds or repairs a source: what it yields, how new that is, what its newest notice's own page gives.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from bot.feeds import Entry, Failed, Fetched, Web
from bot.feeds.asking import answer_of
from bot.feeds.pages import body_of, entries_of
from storage.models import Health
from storage.records import SourceRow

AT_ONCE = 8
"""Hosts that are asked at once."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of asking one source."""

    source: str
    health: Health
    entries: int
    newest: datetime | None
    title: str  # of the first entry
    body: int | None  # characters of that entry's own page; None where there is nothing to follow
    says: str  # why it is not well, and what is odd
    seconds: float


async def check(
    rows: Sequence[SourceRow],
    zones: Mapping[str, str],
    web: Web,
    *,
    on_done: Callable[[object], None] | None = None,
) -> list[Checked]:
    """Ask each source now; `zones` are the time zones of regulators by id. In the order of the rows."""
    queues: defaultdict[str | None, list[SourceRow]] = defaultdict(list)
    for row in rows:
        queues[urlsplit(row.url).hostname].append(row)
    found: dict[str, Checked] = {}
    slots, children = asyncio.Semaphore(AT_ONCE), asyncio.Semaphore(2)

    async def work_off(queue: Sequence[SourceRow]) -> None:
        for row in queue:
            async with slots:
                found[row.id] = await _check(row, zones.get(row.regulator_id or "", "UTC"), web, children)
            if on_done is not None:
                on_done(found[row.id])

    async with asyncio.TaskGroup() as group:
        for queue in queues.values():
            group.create_task(work_off(queue))
    return [found[row.id] for row in rows]


async def _check(row: SourceRow, zone: str, web: Web, children: asyncio.Semaphore) -> Checked:
    clock = asyncio.get_running_loop().time
    started = clock()

    def told(health: Health, says: str, entries: Sequence[Entry] = (), body: int | None = None) -> Checked:
        dates = [entry.published_at for entry in entries if entry.published_at]
        title = entries[0].title if entries else ""
        return Checked(row.id, health, len(entries), max(dates, default=None), title, body, says, round(clock() - started, 2))

    got = await answer_of(web, row)
    if not isinstance(got, Fetched):
        return told(got.health if isinstance(got, Failed) else Health.ERROR, got.detail if isinstance(got, Failed) else "304 unasked for")
    read = await entries_of(got, row, time_zone=zone, seen=frozenset(), children=children)
    if isinstance(read, Failed):
        return told(read.health, read.detail)
    entries = read.entries
    if len(entries) < row.min_entries:
        state = Health.CHANGED_LAYOUT if entries else Health.EMPTY
        return told(state, f"{len(entries)} entries where at least {row.min_entries} are expected", entries)
    says = list(read.dropped)
    undated = sum(entry.published_at is None for entry in entries)
    if undated:
        says.append(f"{undated} of {len(entries)} without a date")
    if not row.is_proved:
        says.append("a real page of it was read now: as a source it is a shadow until its first good poll")
    followed = next((entry for entry in entries if entry.body_url), None)
    if followed is None or followed.body_url is None:
        return told(Health.OK, "; ".join(says), entries)
    page = await web.page(followed.body_url, row)
    body = page if isinstance(page, Failed) else await body_of(page, row, time_zone=zone, children=children)
    if isinstance(body, Failed):
        return told(Health.OK, "; ".join([*says, f"its notices' own pages cannot be read: {body.detail}"]), entries)
    return told(Health.OK, "; ".join([*says, *body.warnings]), entries, len(body.text))
