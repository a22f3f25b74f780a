"""How documents are joined: pairs written for this project, put through the real reader and the real Store.

    python -m tests.quality.joins [--wrong] [--all]

Each line of `joins.jsonl` is an earlier and a later document and what is right: `same_action` (two documents of one act),
`same_case` (another act of the same case), `separate`. A pair is read with the shipped names and the catalogue's regulators,
found new or edited as a poll finds it, and recorded, the earlier first, in a database of its own; then it is looked which
actions and cases came out. A join that is not right is *wrong* (it would hide an alert in a thread), one that is not made is
*missed* (a second card). `test_joins.py` demands that no join is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from sqlmodel import select

from bot.extract import extract
from bot.feeds import Entry
from bot.feeds.catalog import load_catalogue
from bot.feeds.identity import Arrival, Placed, decide
from bot.follow import Followed, record_of
from storage import Store
from storage.firms import shipped_register
from storage.models import Action, ActionDocument, Health, Precision, Tier
from storage.records import DocumentText, Extraction, PollRecord, SourceRow
from tests.fakes.clock import FakeClock
from tests.reading import index

FILE = Path(__file__).parent / "joins.jsonl"
RIGHT = ("separate", "same_case", "same_action")
"""What a pair may be, the loosest first: what lies above is a wrong join, what lies below a missed one."""


@dataclass(frozen=True, slots=True)
class Text:
    """A document of a pair. `regulator_id` is whose source it comes from, None for the press."""

    title: str
    text: str
    language: str
    published: str  # day or moment; empty where it prints none
    regulator_id: str | None
    tier: Tier
    url: str
    number: str | None = None  # the regulator's, as the text prints it
    links: tuple[str, ...] = ()  # addresses behind words of the text

    @property
    def source_id(self) -> str:
        """One source for a body and a host."""
        return f"{self.regulator_id or 'press'}-{urlsplit(self.url).hostname}"

    @property
    def published_at(self) -> datetime | None:
        """The moment that a feed would give: noon in UTC where only the day is printed."""
        if not self.published:
            return None
        at = datetime.fromisoformat(self.published)
        return at.replace(tzinfo=UTC) if "T" in self.published else at.replace(hour=12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Pair:
    """An earlier and a later document, what is right, and why."""

    id: str
    earlier: Text
    later: Text
    right: str
    why: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a pair."""

    pair: Pair
    got: str
    readings: tuple[Extraction, Extraction]

    @property
    def is_wrong(self) -> bool:
        """Joined more closely than is right."""
        return RIGHT.index(self.got) > RIGHT.index(self.pair.right)

    @property
    def is_missed(self) -> bool:
        """Joined less closely than is right."""
        return RIGHT.index(self.got) < RIGHT.index(self.pair.right)

    @property
    def read(self) -> tuple[str, str]:
        """What either document was read as, in a line each: for those who look why."""
        return tuple(" | ".join(_told(reading)) or "nothing" for reading in self.readings)  # type: ignore[return-value]


def pairs(file: Path = FILE) -> list[Pair]:
    """The pairs of a file. Raises KeyError or ValueError for a line that is none."""

    def text(row: Mapping[str, Any]) -> Text:
        return Text(**{**row, "tier": Tier(row["tier"]), "links": tuple(row.get("links", ()))})

    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    return [Pair(row["id"], text(row["earlier"]), text(row["later"]), row["right"], row["why"]) for row in rows]


async def template(folder: Path, wanted: Iterable[Pair]) -> Path:
    """A database with the shipped register, the catalogue's regulators and a source for each document, to be copied per pair."""
    path = folder / "template.sqlite"
    url = f"sqlite:///{path}"
    Store.migrate(url)
    catalogue = load_catalogue()
    sources = {}
    for text in (text for pair in wanted for text in (pair.earlier, pair.later)):
        definition = {"content": "A newspaper"} if text.regulator_id is None else {}
        sources[text.source_id] = SourceRow(
            text.source_id, text.regulator_id, f"https://feeds.example/{text.source_id}", "rss", text.tier, definition=definition
        )
    store = Store(url, now=FakeClock())
    await store.sync_catalogue(catalogue.regulators, list(sources.values()))
    await store.sync_register(shipped_register(catalogue.regulators))
    await store.close()
    return path


async def outcome(pair: Pair, database: Path) -> Outcome:
    """Put a pair through reader and Store. `database` is a copy of the template that is the pair's own."""
    clock = FakeClock((pair.earlier.published_at or datetime(2021, 3, 19, tzinfo=UTC)) + timedelta(hours=1))
    store = Store(f"sqlite:///{database}", now=clock)
    try:
        readings = []
        shown: list[Entry] = []
        for text in (pair.earlier, pair.later):
            clock.at = max(clock.at + timedelta(hours=1), text.published_at or clock.at)
            # of two entries of one address a list shows the later alone
            standing = [one for one in shown if text.source_id == pair.earlier.source_id and one.link != text.url]
            entry, reading = await _poll(store, clock, text, standing)
            shown.append(entry)
            readings.append(reading)
        got = await _relation(store)
    finally:
        await store.close()
    return Outcome(pair, got, (readings[0], readings[1]))


async def _poll(store: Store, clock: FakeClock, text: Text, standing: Sequence[Entry]) -> tuple[Entry, Extraction]:
    """One poll of a document's source, which shows it above what it showed before."""
    (source,) = await store.due_sources(1, timedelta(minutes=5), [text.source_id], ignore_due=True)
    whole = f"{text.url}\n{text.title}\n{text.text}\n{text.published}"
    entry = Entry(
        entry_hash=sha256(whole.encode()).hexdigest()[:16],
        guid=None,
        link=text.url,
        title=text.title,
        text=text.text,
        published_at=text.published_at,
        published_precision=(Precision.MINUTE if "T" in text.published else Precision.DAY) if text.published else None,
        updated_at=None,
        links=text.links,
    )
    at = text.published_at.astimezone(ZoneInfo(source.time_zone)) if text.published_at and "T" in text.published else text.published_at
    own = text.regulator_id if text.tier is Tier.PRIMARY else None
    document = DocumentText(text.title, text.text, at, None, own, text.tier, text.links)
    reading = extract(document, index())
    number = next((action.number for action in reading.actions if action.number), None)
    arrival = Arrival.of(entry, source.time_zone)
    arrival = Arrival(arrival.entry, arrival.guid, arrival.url, arrival.title, arrival.bare_title, arrival.sha256, number)
    keys = {"urls": [arrival.url], "titles": [arrival.title], "numbers": [number]}
    known = await store.known(source.row.id, **{kind: [key for key in found if key] for kind, found in keys.items()})
    window = await store.window(source.row.id)
    documents = {one.document_id: one for one in (*window, *known)}
    present = tuple(one.entry_hash for one in (entry, *standing))
    decision = decide([arrival], present, documents.values(), clock(), source)
    placed: list[Placed] = [*decision.new, *decision.edited]
    await store.record_poll(
        PollRecord(
            source_id=source.row.id,
            lease_token=source.lease_token,
            started_at=clock(),
            seconds=0.0,
            next_poll_at=clock() + timedelta(hours=1),
            health=Health.OK,
            http_status=200,
            n_entries=len(present),
            present=present,
            entries=tuple(record_of(one, Followed(entry), reading) for one in placed),
            resighted=decision.resighted,
        )
    )
    return entry, reading


async def _relation(store: Store) -> str:
    """How closely the documents of a database are joined: by the closest of their actions. One document alone is an edit."""
    async with store._read() as session:
        told = (await session.exec(select(ActionDocument.document_id, Action.id, Action.case_id).join(Action))).all()
        documents = {document_id for document_id, *_ in told}
    if len(documents) < 2:
        async with store._read() as session:
            versions = (await session.exec(select(Action.id))).all()
        return "same_action" if len(versions) == 1 and (await store.counts())["documents"] == 1 else "separate"
    first, second = sorted(documents)[:2]
    actions = {one: {action for document, action, _ in told if document == one} for one in (first, second)}
    cases = {one: {case for document, _, case in told if document == one} for one in (first, second)}
    if actions[first] & actions[second]:
        return "same_action"
    return "same_case" if cases[first] & cases[second] else "separate"


def _told(reading: Extraction) -> list[str]:
    return [
        f"{action.kind.value} {action.status.value} by {', '.join(body.regulator_id or body.name for body in action.regulators) or '?'}"
        f" of {', '.join(firm.firm_id or firm.surface for firm in action.targets) or '-'}"
        f" n={action.number} count={action.stated_count} on {action.decided_on}"
        for action in reading.actions
    ] + ([f"cites {', '.join((*reading.cited_numbers, *reading.cited_urls))}"] if reading.cited_numbers or reading.cited_urls else [])


async def outcomes(wanted: Sequence[Pair]) -> list[Outcome]:
    """What comes of all these pairs, each in a database of its own."""
    found = []
    with tempfile.TemporaryDirectory(prefix="regwatch-joins-") as name:
        folder = Path(name)
        base = await template(folder, wanted)
        for pair in wanted:
            own = folder / "pair.sqlite"
            for path in (own, Path(f"{own}-wal"), Path(f"{own}-shm")):
                path.unlink(missing_ok=True)
            shutil.copy(base, own)
            found.append(await outcome(pair, own))
    return found


def table(found: Sequence[Outcome]) -> str:
    """Wrong and missed joins, of actions and of cases apart."""
    lines = [f"{'right':12} {'pairs':>5} {'right':>5} {'wrong':>5} {'missed':>6}"]
    for right in reversed(RIGHT):
        mine = [one for one in found if one.pair.right == right]
        wrong, missed = sum(one.is_wrong for one in mine), sum(one.is_missed for one in mine)
        lines.append(f"{right:12} {len(mine):5} {len(mine) - wrong - missed:5} {wrong:5} {missed:6}")
    joins = Counter((one.got, one.is_wrong) for one in found)
    for what, got in (("actions", "same_action"), ("cases", "same_case")):
        made, due = joins[got, False] + joins[got, True], sum(one.pair.right == got for one in found)
        missed = sum(one.is_missed and one.pair.right == got for one in found)
        lines.append(f"joins of {what}: {made} made, {joins[got, True]} wrong; {due} due, {missed} missed")
    return "\n".join(lines)


def details(found: Iterable[Outcome]) -> str:
    """What is wrong or missed, and how the two were read."""
    lines = []
    for one in found:
        state = "WRONG" if one.is_wrong else "missed" if one.is_missed else "right"
        lines += [f"{state:6} {one.pair.id}: {one.got}, right is {one.pair.right}: {one.pair.why}"]
        lines += [f"         {text}" for text in one.read]
    return "\n".join(lines)


def main() -> int:
    """Prints the table; exit code 1 when a join is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wrong", action="store_true", help="list the pairs that are wrong or missed, and how they were read")
    parser.add_argument("--all", action="store_true", help="list all pairs")
    arguments = parser.parse_args()
    found = asyncio.run(outcomes(pairs()))
    print(table(found))
    if arguments.wrong or arguments.all:
        print(details(one for one in found if arguments.all or one.is_wrong or one.is_missed))
    return int(any(one.is_wrong for one in found))


if __name__ == "__main__":
    sys.exit(main())
