"""The catalogue: which regulators there are, which of their addresses are polled, and why the others are not.

Two CSV files beside this module are the curated truth. They are read strictly: a column nobody knows, a selector
that does not compile or a number that is none stops the start with the file, line and column, because a typing error
that quietly switches a source off looks exactly like a regulator that does nothing.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.feeds.pages import WrongCell, listing_of
from bot.feeds.parse import FEED_KINDS
from bot.feeds.request import read_headers, read_params
from storage.models import Tier
from storage.records import RegulatorRow, SourceRow

KINDS = ("rss", "atom", "json", "html-list", "link-pattern", "csv")
"""Every kind of source the catalogue may name."""

NEEDS_CONTACT = "needs REGWATCH_CONTACT"

SOURCE_COLUMNS = (
    "source_id", "regulator_id", "url", "kind", "content", "language", "status", "confidence", "enabled_by_default",
    "poll_minutes", "stale_after_days", "method", "request_params", "request_headers", "client_policy", "encoding",
    "list_path", "item_selector", "title_selector", "link_selector", "date_selector", "date_format", "body_selector",
    "quirk_codes", "notes", "evidence", "evidence_date", "tier", "min_entries", "proved",
)  # fmt: skip
"""The columns of sources.csv. A list of one's own needs only source_id, regulator_id, url and kind.

`proved`: a recorded page was read with the row's selectors. A page or interface without that starts as a shadow.
"""

REGULATOR_COLUMNS = (
    "regulator_id", "name_en", "names_native", "aliases", "aliases_need_context", "jurisdiction", "level", "homepage",
    "domains", "enforces", "time_zone", "languages", "source_count", "notes", "confidence", "evidence",
)  # fmt: skip
"""The columns of regulators.csv."""

_DEFAULTS = dict.fromkeys(set(SOURCE_COLUMNS) - {"source_id", "regulator_id", "url", "kind"}, "") | {
    "status": "in-use", "confidence": "likely", "enabled_by_default": "yes", "poll_minutes": "60", "stale_after_days": "30",
    "method": "GET", "client_policy": "identify", "tier": "primary", "min_entries": "1",
}  # fmt: skip
_CHOICES = {
    "kind": KINDS,
    "status": ("live", "in-use", "blocked", "stale", "dead", "unproven"),
    "confidence": ("evidenced", "likely"),
    "enabled_by_default": ("yes", "no"),
    "method": ("GET", "POST"),
    "client_policy": ("identify", "declared-contact", "accept-language", "referer", "browser-like", "headless-browser"),
    "tier": tuple(Tier),
    "proved": ("yes", ""),
}
_NUMBERS = {"poll_minutes": (1, 10_080), "stale_after_days": (1, 3_650), "min_entries": (0, 10_000)}
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

# the first that holds says why a row that is off is off
_OFF_BY_STATUS = {
    "blocked": "blocked: plain clients are refused",
    "dead": "dead: the address was retired",
    "stale": "stale: it answers, but with nothing new",
    "unproven": "unproven: never seen to work",
}
_OFF_BY_QUIRK = {
    "selectors-unknown": "selectors unknown",
    "js-only": "blocked: the page needs a browser",
    "challenge": "blocked: the page asks for a browser",
    "ip-block": "blocked: refused from most networks",
    "not-an-action": "not about actions of the regulator",
    "terms": "off: its terms ask for care",
    "robots": "off: its robots file refuses",
    "api-key": "off: needs a key",
    "high-volume": "off: more than a channel can bear",
    "duplicate": "off: repeats another source",
}


class CatalogueError(ValueError):
    """A row that cannot be read; the text names file, line and column."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All regulators and all sources, those that are off included."""

    regulators: tuple[RegulatorRow, ...]
    sources: tuple[SourceRow, ...]


def load_catalogue(contact: str | None = None, *, sources: Traversable | None = None, regulators: Traversable | None = None) -> Catalogue:
    """The catalogue that ships with the bot; `sources` and `regulators` name other files of the same columns.

    `contact` is the operator's address: sources that demand one in the User-Agent are off without it. Raises
    CatalogueError for the first thing that is wrong.
    """
    here = resources.files("bot.feeds")
    known = tuple(_regulators(_text(regulators or here / "regulators.csv")))
    listed = sources or here / "sources.csv"
    return Catalogue(known, read_sources(_text(listed), known, contact, listed.name))


def _text(file: Traversable) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")  # a spreadsheet puts a BOM before its CSV
    except OSError as error:
        raise CatalogueError(f"{file.name} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CatalogueError(f"{file.name} is not UTF-8 text") from error


def read_sources(
    text: str, regulators: tuple[RegulatorRow, ...], contact: str | None = None, name: str = "sources.csv"
) -> tuple[SourceRow, ...]:
    """The sources of a CSV text with the catalogue's columns. Raises CatalogueError, in which `name` stands for the file."""
    known = {regulator.id for regulator in regulators}
    found: dict[str, SourceRow] = {}
    for line, row in _rows(text, name, SOURCE_COLUMNS, _DEFAULTS):
        at = _Place(name, line)
        _check_choices(row, at)
        slug = row["source_id"]
        at.demand("source_id", _SLUG.fullmatch(slug) is not None, f"{slug!r} is no slug: small letters, digits and dashes")
        at.demand("source_id", slug not in found, f"{slug!r} stands here twice")
        if row["regulator_id"] or row["tier"] == Tier.PRIMARY:
            at.demand("regulator_id", row["regulator_id"] in known, f"no regulator {row['regulator_id']!r} in regulators.csv")
        else:
            at.demand("content", bool(row["content"]), "a press source has no regulator, so its name stands here")
        at.demand("url", _is_web(row["url"]), f"{row['url']!r} is no http or https address")
        if row["kind"] in FEED_KINDS:
            at.demand("method", row["method"] == "GET", "a feed is asked for with GET")
            at.demand("request_params", not row["request_params"], "a feed takes no parameters: write them into its url")
        at.accept("request_params", read_params, row["method"], row["request_params"])
        at.accept("request_headers", read_headers, row["request_headers"])
        numbers = {column: at.number(column, row[column], *bounds) for column, bounds in _NUMBERS.items()}
        off_reason = _off_reason(row, contact)
        source = SourceRow(
            id=slug,
            regulator_id=row["regulator_id"] or None,
            url=row["url"],
            kind=row["kind"],
            tier=Tier(row["tier"]),
            language=row["language"],
            is_enabled=not off_reason,
            off_reason=off_reason,
            is_proved=row["kind"] in FEED_KINDS or row["proved"] == "yes",
            definition=row,
            poll_minutes=numbers["poll_minutes"],
            stale_after_days=numbers["stale_after_days"],
            min_entries=numbers["min_entries"],
        )
        try:
            listing_of(source)
        except WrongCell as error:
            at.demand(error.column, False, str(error))
        found[slug] = source
    return tuple(found.values())


def _regulators(text: str) -> Iterator[RegulatorRow]:
    seen: set[str] = set()
    for line, row in _rows(text, "regulators.csv", REGULATOR_COLUMNS, {}):
        at = _Place("regulators.csv", line)
        slug, zone = row["regulator_id"], row["time_zone"]
        at.demand("regulator_id", _SLUG.fullmatch(slug) is not None, f"{slug!r} is no slug: small letters, digits and dashes")
        at.demand("regulator_id", slug not in seen, f"{slug!r} stands here twice")
        at.demand("name_en", bool(row["name_en"]), "a regulator needs a name")
        at.demand("jurisdiction", re.fullmatch(r"[A-Z]{2,3}(-[A-Z]{2})?", row["jurisdiction"]) is not None, "no ISO 3166 code, EU or INT")
        at.demand("time_zone", _is_zone(zone), f"no time zone {zone!r}")
        seen.add(slug)
        yield RegulatorRow(
            id=slug,
            name=row["name_en"],
            name_native=row["names_native"],
            aliases=_list(row["aliases"]),
            context_aliases=_list(row["aliases_need_context"]),
            jurisdiction=row["jurisdiction"],
            time_zone=zone,
            homepage=row["homepage"],
            languages=_list(row["languages"]),
        )


@dataclass(frozen=True, slots=True)
class _Place:
    """A line of a file, to complain about."""

    name: str
    line: int

    def demand(self, column: str, holds: bool, complaint: str) -> None:
        if not holds:
            raise CatalogueError(f"{self.name}, line {self.line}, column {column}: {complaint}")

    def accept(self, column: str, read: Callable[..., object], *values: str) -> None:
        """What `read` complains of, as a complaint about the column."""
        try:
            read(*values)
        except ValueError as error:
            raise CatalogueError(f"{self.name}, line {self.line}, column {column}: {error}") from error

    def number(self, column: str, text: str, least: int, most: int) -> int:
        is_number = re.fullmatch(r"[0-9]{1,6}", text) is not None
        self.demand(column, is_number and least <= int(text) <= most, f"{text!r} is no whole number from {least} to {most}")
        return int(text)


def _rows(text: str, name: str, columns: tuple[str, ...], defaults: Mapping[str, str]) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        head = next(reader, [])
        for column in head:
            if column not in columns:
                raise CatalogueError(f"{name}, line 1, column {column}: no such column; the columns are {', '.join(columns)}")
            if head.count(column) > 1:
                raise CatalogueError(f"{name}, line 1, column {column}: it stands here twice")
        for column in columns:
            if column not in head and column not in defaults:
                raise CatalogueError(f"{name}, line 1, column {column}: it is missing")
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(head):
                raise CatalogueError(f"{name}, line {reader.line_num}: {len(cells)} cells under {len(head)} columns")
            row = {column: cell.strip() for column, cell in zip(head, cells, strict=True)}
            yield reader.line_num, {column: row.get(column) or defaults.get(column, "") for column in columns}
    except csv.Error as error:
        raise CatalogueError(f"{name}, line {reader.line_num}: {error}") from error


def _check_choices(row: Mapping[str, str], at: _Place) -> None:
    for column, allowed in _CHOICES.items():
        at.demand(column, row[column] in allowed, f"{row[column]!r} is none of {', '.join(allowed)}")


def _off_reason(row: Mapping[str, str], contact: str | None) -> str:
    """Why the source is not polled; empty when it is."""
    if row["enabled_by_default"] == "yes":
        return NEEDS_CONTACT if row["client_policy"] == "declared-contact" and not contact else ""
    if row["status"] in _OFF_BY_STATUS:
        return _OFF_BY_STATUS[row["status"]]
    if row["client_policy"] == "headless-browser":
        return _OFF_BY_QUIRK["js-only"]
    quirks = row["quirk_codes"].split(";")
    return next((reason for quirk, reason in _OFF_BY_QUIRK.items() if quirk in quirks), "off: a candidate that nobody switched on")


def _list(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split(";") if part.strip())


def _holds(test: Callable[[], object], *errors: type[Exception]) -> bool:
    try:
        return bool(test())
    except errors:
        return False


def _is_web(url: str) -> bool:
    return _holds(lambda: urlsplit(url).scheme in ("http", "https") and urlsplit(url).hostname, ValueError)


def _is_zone(name: str) -> bool:
    return _holds(lambda: ZoneInfo(name), ZoneInfoNotFoundError, ValueError, OSError)
