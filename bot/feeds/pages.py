"""The one door to whatever a source answers: feeds, list pages, JSON, CSV and JSON Feeds to entries, and notices to text.

`listing_of` turns a row of the catalogue into a Listing, strictly, so that a selector with a typing error stops the
start. `entries_of` and `body_of` read in child processes that can be killed, as `parse` does for feeds, and judge what
came back: a list that is not where the row says is `changed_layout`, unless the page is a refusal (`blocked`).
`entries_here` and `body_here` do the same in this process, for tests and benchmarks.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace

from bot.feeds import Body, Entry, Failed, Fetched, Parsed
from bot.feeds.asking import UNIT
from bot.feeds.bodies import BodyPage, RawBody, read_body
from bot.feeds.dates import check_format
from bot.feeds.decoys import denial, page_refusal
from bot.feeds.items import Listing
from bot.feeds.listing import Page, read_list
from bot.feeds.markup import check_css
from bot.feeds.parse import FEED_KINDS, FEED_LIBRARIES, MAX_ENTRIES, call_in_child, failed, in_child, parse_feed, parsed_whole
from bot.feeds.reading import Reading, absolute_link
from storage.models import Health, Precision
from storage.records import SourceRow

_BODY_LIBRARIES = (*FEED_LIBRARIES, "trafilatura", "pypdf")
_SHORT = 1500
"""Characters of a text under which a page may be a refusal after all."""


class WrongCell(ValueError):
    """A cell of the catalogue that cannot be read; `column` names it, the message says why."""

    def __init__(self, column: str, complaint: str) -> None:
        super().__init__(complaint)
        self.column = column


# --- from the catalogue --------------------------------------------------------------------------------------------------


def listing_of(row: SourceRow) -> Listing:
    """Where the source's list stands. Raises WrongCell, a ValueError, for the first cell that cannot be read.

    Of a source that is on, the cells without which nothing can be found must be filled.
    """
    cells = {name: row.definition.get(name, "") for name in _COLUMNS}
    is_unit = cells["list_path"].startswith(UNIT)
    cells["list_path"] = cells["list_path"].removeprefix(UNIT)
    is_html = row.kind in ("html-list", "link-pattern") or (row.kind == "json" and bool(cells["item_selector"]))
    if row.is_enabled and row.kind not in FEED_KINDS:
        if is_html and not cells["item_selector"]:
            raise WrongCell("item_selector", "a list page that is on needs one")
        if (is_unit or (row.kind == "json" and is_html)) and not cells["list_path"]:
            raise WrongCell("list_path", "HTML inside JSON needs the path that leads to it")
    for column in _COLUMNS:
        if cells[column]:
            _check_cell(column, cells[column], is_html)
    is_link = row.kind == "link-pattern"
    return Listing(
        kind="json" if is_unit else row.kind,
        list_path=cells["list_path"],
        item=cells["item_selector"],
        title=cells["title_selector"] or ("self" if is_link else ""),
        link=cells["link_selector"] or ("self" if is_link else ""),
        date=cells["date_selector"],
        date_format=cells["date_format"],
        body=cells["body_selector"],
        encoding=row.definition.get("encoding", ""),
        has_title_noise="title-noise" in row.definition.get("quirk_codes", "").split(";"),
    )


_COLUMNS = ("list_path", "item_selector", "title_selector", "link_selector", "date_selector", "date_format", "body_selector")
_PREFIXES = {
    "item_selector": (),
    "title_selector": ("detail:", "template:", "field:"),
    "link_selector": ("template:", "field:"),
    "date_selector": ("detail:", "url:", "text:", "field:"),
    "body_selector": ("field:", "get:"),
}


def _check_cell(column: str, cell: str, is_html: bool) -> None:
    """Raises WrongCell unless the cell says something that the reader understands."""
    prefix = next((one for one in _PREFIXES.get(column, ()) if cell.startswith(one)), "")
    rest = cell.removeprefix(prefix).strip()
    try:
        if column == "date_format":
            check_format(cell)
        elif column == "list_path" or prefix == "field:":
            _check_path(rest)
        elif prefix and not rest:
            raise ValueError(f"nothing stands behind {prefix!r}")
        elif prefix == "template:":
            if not re.search(r"\{[^{}]+\}", rest):
                raise ValueError(f"{cell!r} names no {{field}}")
        elif prefix in ("url:", "text:"):
            re.compile(rest)
        elif prefix == "get:":
            address, _, path = rest.partition(" field:")
            if not re.match(r"https?://", address):
                raise ValueError(f"{address!r} is no http or https address")
            _check_path(path.strip())
        elif is_html or prefix == "detail:" or column in ("body_selector", "item_selector"):
            if rest != "self":
                check_css(rest)
        else:
            _check_path(rest)
    except re.error as error:
        raise WrongCell(column, f"{rest!r} is no regular expression: {error}") from error
    except ValueError as error:
        known = ", ".join(_PREFIXES.get(column, ()))
        told = f"; what may stand before it: {known}" if known and not prefix and re.match(r"[a-z]+:", cell) else ""
        raise WrongCell(column, f"{error}{told}") from error


def _check_path(path: str) -> None:
    if path != "." and not all(step.strip() for step in path.split(".")):
        raise ValueError(f"{path!r} is no path: names with a dot between them, or . for the root")


# --- entries ---------------------------------------------------------------------------------------------------------------


async def entries_of(
    got: Fetched,
    row: SourceRow | None,
    *,
    time_zone: str = "UTC",
    seen: frozenset[str] = frozenset(),
    children: asyncio.Semaphore | None = None,
) -> Parsed | Failed:
    """The entries of an answer whose hash is not in `seen`, read in a child process as the source's kind asks for.

    `time_zone` (IANA) is the source's. `children` bounds how many children run at once, over all calls that share it.
    A `row` of None: some address, which is a feed or a JSON Feed or nothing.
    """
    page = _page_of(got, row, time_zone)
    if isinstance(page, Failed):
        return page
    if page is None:
        date_format = row.definition.get("date_format", "") if row else ""
        parsed = await in_child(
            got.body, got.content_type, got.url, time_zone=time_zone, date_format=date_format, seen=seen, children=children
        )
        return _feed(parsed, got, row)
    read = await call_in_child(read_list, page, FEED_LIBRARIES, children)
    return _listed(read if isinstance(read, Reading) else Reading(trouble=read), got, page, seen)


def entries_here(got: Fetched, row: SourceRow | None, *, time_zone: str = "UTC", seen: frozenset[str] = frozenset()) -> Parsed | Failed:
    """entries_of() in this process, without its limits on time and memory."""
    page = _page_of(got, row, time_zone)
    if isinstance(page, Failed):
        return page
    if page is None:
        date_format = row.definition.get("date_format", "") if row else ""
        return _feed(parse_feed(got.body, got.content_type, got.url, time_zone=time_zone, date_format=date_format, seen=seen), got, row)
    return _listed(read_list(page), got, page, seen)


def _page_of(got: Fetched, row: SourceRow | None, time_zone: str) -> Page | Failed | None:
    """What a child is to read as a list; None for a feed."""
    if row is None or row.kind in FEED_KINDS:
        is_json_feed = re.match(rb"\s*(?:\xef\xbb\xbf)?\s*\{", got.body[:64]) and re.search(rb"jsonfeed\.org\\?/version\\?/1", got.body)
        return Page(got.body, got.content_type, got.url, time_zone, None, MAX_ENTRIES) if is_json_feed else None
    if not got.body.strip(b" \t\r\n\0"):
        return failed(Health.EMPTY, "the answer has no content; look at the address in a browser")
    listing = listing_of(row)
    if listing.kind in ("html-list", "link-pattern") and not listing.item:
        return failed(Health.ERROR, "nobody has named its selectors yet; save the page, and fill item_selector in the source's row")
    return Page(got.body, got.content_type, got.url, time_zone, listing, MAX_ENTRIES)


def _listed(reading: Reading, got: Fetched, page: Page, seen: frozenset[str]) -> Parsed | Failed:
    if reading.trouble:
        return failed(Health.ERROR, reading.trouble)
    if reading.mismatch:
        if refusal := denial(got.body, "list"):
            return failed(*refusal)
        is_html = page.listing is not None and page.listing.kind in ("html-list", "link-pattern")
        return failed(*((None if is_html else page_refusal(got.body, "list")) or (Health.CHANGED_LAYOUT, reading.mismatch)))
    return parsed_whole(reading, seen)


def _feed(parsed: Parsed | Failed, got: Fetched, row: SourceRow | None) -> Parsed | Failed:
    """A feed's entries, which say where their text stands when the feed has none or the row knows the page better."""
    if isinstance(parsed, Failed):
        feeds = feeds_on(got.body, got.url) if row is None and parsed.health is Health.CHANGED_LAYOUT else ()
        return replace(parsed, detail=f"{parsed.detail}; it links to {', '.join(feeds)}") if feeds else parsed
    if row is not None and "terms" in row.definition.get("quirk_codes", "").split(";"):
        return parsed  # title, link and what the feed itself says are all that its terms let us keep
    is_elsewhere = row is not None and bool(row.definition.get("body_selector"))
    return replace(parsed, entries=tuple(_followed(entry, is_elsewhere) for entry in parsed.entries))


def _followed(entry: Entry, is_elsewhere: bool) -> Entry:
    return replace(entry, body_url=entry.link) if entry.link and (is_elsewhere or not entry.text) else entry


def feeds_on(body: bytes, url: str) -> tuple[str, ...]:
    """The addresses of the feeds that an HTML page names in its head, at most five."""
    tags = re.findall(rb"<link\b[^>]{0,2000}>", body[: 256 * 1024], re.IGNORECASE)
    feeds = [tag for tag in tags if re.search(rb"application/(?:rss|atom|rdf|feed)\+(?:xml|json)", tag, re.IGNORECASE)]
    links = (re.search(rb"href\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>]+))", tag, re.IGNORECASE) for tag in feeds)
    printed = ((found[1] or found[2] or found[3] or b"").decode("utf-8", "replace") for found in links if found)
    # of a saved page nobody knows the address, so that a relative one is told as it is printed
    addresses = (absolute_link(one, url) if url else one for one in printed)
    return tuple(dict.fromkeys(filter(None, addresses)))[:5]


# --- bodies ----------------------------------------------------------------------------------------------------------------


async def body_of(
    got: Fetched, row: SourceRow | None, *, time_zone: str = "UTC", children: asyncio.Semaphore | None = None
) -> Body | Failed:
    """The text of a notice's own page or PDF (what stood at `Entry.body_url`), read in a child process.

    The row's body selector is used where it matches, else the main text is looked for; `detail:` selectors give the
    title and the date. A refusal, or a page with hardly any text, is Failed.
    """
    read = await call_in_child(read_body, _body_page(got, row, time_zone), _BODY_LIBRARIES, children)
    return _body(read if isinstance(read, RawBody) else RawBody(trouble=read), got)


def body_here(got: Fetched, row: SourceRow | None, *, time_zone: str = "UTC") -> Body | Failed:
    """body_of() in this process, without its limits on time and memory."""
    return _body(read_body(_body_page(got, row, time_zone)), got)


def _body_page(got: Fetched, row: SourceRow | None, time_zone: str) -> BodyPage:
    cells = row.definition if row else {}
    text, title, date = (cells.get(f"{name}_selector", "") for name in ("body", "title", "date"))
    if text.startswith("get:"):
        text = f"field:{text.partition(' field:')[2].strip()}"
    elif text.startswith("field:"):
        # the text stood in the list; this is the page behind it
        text = ""
    return BodyPage(
        document=got.body,
        content_type=got.content_type,
        url=got.url,
        time_zone=time_zone,
        text=text,
        title=title.removeprefix("detail:") if title.startswith("detail:") else "",
        date=date.removeprefix("detail:") if date.startswith("detail:") else "",
        is_dated=bool(date) or (row is not None and row.kind in FEED_KINDS),
        date_format=cells.get("date_format", ""),
        encoding=cells.get("encoding", ""),
    )


def _body(raw: RawBody, got: Fetched) -> Body | Failed:
    if not raw.is_exact and len(raw.text) < _SHORT and (refusal := denial(got.body, "notice")):
        return failed(*refusal)
    if raw.trouble:
        return failed(Health.EMPTY if "hardly any text" in raw.trouble else Health.ERROR, raw.trouble)
    precision = Precision(raw.precision) if raw.precision else None
    return Body(raw.text, raw.title, raw.published_at, precision, raw.warnings, raw.links)
