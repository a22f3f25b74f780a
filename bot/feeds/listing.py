"""The child's side of what is no feed: a list page, a JSON or CSV answer or a JSON Feed to entries in plain values.

A `Listing` says where the list and the parts of an item stand, in the words of the catalogue: CSS, `self`, `detail:`,
`url:`, `text:`, `template:`, `field:`, `get:`. Selectors are exact and counted: one that matches nothing in the whole
document is a page that was rebuilt, never "no news". Neighbours: `pages` makes the Listing and judges the Reading.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urldefrag

from bot.feeds.dates import Precise, UnreadableDate
from bot.feeds.elements import element_item, elements_of
from bot.feeds.items import FIX, Item, Listing, Mismatch
from bot.feeds.links import links_of
from bot.feeds.markup import MAX_TITLE, decoded, read_dates
from bot.feeds.reading import MAX_TEXT, RawEntry, Reading, absolute_link, hash_of, zone_of
from bot.feeds.values import feed_item, items_of_json_feed, json_of, list_at, rows_of, value_item

LITTLE = 200
"""An item whose own text is shorter than this tells little: its page is worth following."""


@dataclass(frozen=True, slots=True)
class Page:
    """One document to read as a list; a `listing` of None: as a JSON Feed."""

    document: bytes
    content_type: str
    url: str  # the final address, which links are resolved against
    time_zone: str
    listing: Listing | None
    limit: int  # items beyond are counted, not read


def read_list(page: Page) -> Reading:
    """The entries of a document by its Listing. Never raises but for want of memory."""
    try:
        return _read(page)
    except MemoryError:
        raise
    except Mismatch as error:
        return Reading(mismatch=str(error))
    except Exception as error:
        return Reading(trouble=f"the reader gave up ({type(error).__name__}: {error}); look at the address by hand"[:300])


def _read(page: Page) -> Reading:
    listing = page.listing
    text = decoded(page.document, page.content_type, listing.encoding if listing else "")
    base = page.url
    if listing is None or (listing.kind == "json" and not listing.list_path):
        items = items_of_json_feed(json_of(text))
        return _reading("json-feed", [feed_item(raw) for raw in items[: page.limit]], len(items), page, base)
    if listing.kind == "csv":
        rows = rows_of(text)
        return _reading("csv", [value_item(row, listing) for row in rows[: page.limit]], len(rows), page, base)
    if listing.kind == "json":
        found = list_at(json_of(text), listing)
        if not listing.item:
            return _reading("json", [value_item(raw, listing) for raw in found[: page.limit]], len(found), page, base)
        text = found[0]
    base, elements = elements_of(text, listing, page.url)
    return _reading("html", [element_item(one, listing, base) for one in elements[: page.limit]], len(elements), page, base)


# --- what all kinds share ----------------------------------------------------------------------------------------------


def _reading(version: str, items: list[Item], n_items: int, page: Page, base: str) -> Reading:
    """The entries of the items, or the mismatch that they show."""
    listing = page.listing or Listing("json")
    reasons: Counter[str] = Counter()
    entries: list[RawEntry] = []
    for item in items:
        if item.lacks:
            reasons[item.lacks] += 1
        elif not item.title and not item.link and not item.guid:
            reasons["without title and link"] += 1
        else:
            entries.append(_entry(item, page, listing, base))
    if items and not entries:
        why = ", ".join(reasons)
        raise Mismatch(f"all {len(items)} items are {why}{_by(listing)}; {FIX}")
    silent = [name for name in ("title", "link", "date") if items and not any(name in item.matched for item in items)]
    words = {name: f"{name}_selector {cell!r} finds nothing in any of {len(items)} items; {FIX}" for name, cell in _named(listing)}
    for name in ("title", "link"):
        if name in silent and name in words:
            raise Mismatch(words[name])
    complaint = words.get("date", "") if "date" in silent else ""
    if listing.link == "self" or listing.kind == "link-pattern":
        entries = list(_one_per_link(entries))
    dropped = tuple(f"{n} {'item' if n == 1 else 'items'} {why}" for why, n in reasons.items())
    return Reading(version, tuple(entries), n_items - (len(items) - len(entries)), complaint, dropped=dropped)


def _named(listing: Listing) -> list[tuple[str, str]]:
    """The parts of an item that the row says can be found in the list."""
    cells = (("title", listing.title), ("link", listing.link), ("date", listing.date))
    return [(name, cell) for name, cell in cells if cell and not cell.startswith("detail:")]


def _by(listing: Listing) -> str:
    named = [f"{name}_selector {cell!r}" for name, cell in _named(listing) if name != "date"]
    return f" by {' and '.join(named)}" if named else ""


def _entry(item: Item, page: Page, listing: Listing, base: str) -> RawEntry:
    warnings: list[str] = []
    title, text = item.title[:MAX_TITLE], item.text
    if len(text) > MAX_TEXT:
        text = text[:MAX_TEXT]
        warnings.append(f"text cut at {MAX_TEXT:,} characters")
    if not title:
        warnings.append("no title")
    link = absolute_link(item.link, base) if item.link else None
    if link is None:
        warnings.append(f"no link: {item.link[:100]!r} is no http or https address" if item.link else "no link")
    published = _date(item.machine_date, item.shown_date, page.time_zone, listing.date_format, warnings)
    updated = _date(item.updated, "", page.time_zone, "", []) if item.updated else None
    if published is None:
        published = updated
    is_on_page = any(cell.startswith("detail:") for cell in (listing.title, listing.date)) or _is_css_of_page(listing)
    body_url = absolute_link(item.body_url, base) if item.body_url else None
    if body_url is None and link and urldefrag(link)[0] != urldefrag(page.url)[0]:
        enough = 1 if listing.body.startswith("field:") else LITTLE
        body_url = link if is_on_page or len(text) < enough else None
    return RawEntry(
        entry_hash=hash_of(item.guid, link or "", title, item.machine_date, item.shown_date, item.updated, text),
        guid=item.guid or None,
        link=link,
        title=title,
        text=text,
        published_at=published[0] if published else None,
        precision=published[1] if published else None,
        updated_at=updated[0] if updated else None,
        language=item.language,
        warnings=tuple(warnings),
        body_url=body_url,
        links=links_of(item.markup, base, link),
    )


def _is_css_of_page(listing: Listing) -> bool:
    return bool(listing.body) and not listing.body.startswith(("field:", "get:"))


def _date(machine: str, shown: str, time_zone: str, date_format: str, warnings: list[str]) -> tuple[datetime, Precise] | None:
    if not machine and not shown:
        warnings.append("no date")
        return None
    try:
        at, precision = read_dates(machine, shown, zone_of(time_zone), date_format)
    except UnreadableDate as error:
        warnings.append(f"no date: {str(error)[:100]}")
        return None
    if at.year <= 1970:
        warnings.append(f"no date: {(machine or shown)[:50]!r} stands for none")
        return None
    return at, precision


def _one_per_link(entries: Iterable[RawEntry]) -> Iterator[RawEntry]:
    """One entry for each link: of several anchors the longest text is the title, and the first date holds."""
    by_link: dict[str, RawEntry] = {}
    for number, entry in enumerate(entries):
        key = entry.link or str(number)
        first = by_link.get(key)
        if first is None:
            by_link[key] = entry
            continue
        best = entry if len(entry.title) > len(first.title) else first
        if best.published_at is None:
            dated = entry if first.published_at is None else first
            warnings = best.warnings if dated.published_at is None else tuple(one for one in best.warnings if not one.startswith("no date"))
            best = replace(best, published_at=dated.published_at, precision=dated.precision, warnings=warnings)
        by_link[key] = best
    return iter(by_link.values())
