"""Lists of feeds as other readers keep them: OPML out, and OPML in as rows of the catalogue.

OPML knows an address and a name. What the catalogue knows besides goes along in attributes of our own, which
other programs pass over; a feed that comes without them is the press's, for nothing says whose it is.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit
from xml.etree import ElementTree

from bot.feeds.catalog import SOURCE_COLUMNS, CatalogueError
from bot.feeds.parse import FEED_KINDS
from storage.records import RegulatorRow, SourceRow


def to_csv(sources: Iterable[SourceRow]) -> str:
    """The sources as a CSV with the catalogue's columns, which `read_sources` reads back."""
    text = io.StringIO()
    writer = csv.DictWriter(text, SOURCE_COLUMNS, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in sources:
        own = {"source_id": row.id, "regulator_id": row.regulator_id or "", "url": row.url, "kind": row.kind, "tier": row.tier.value}
        writer.writerow({**row.definition, **own})
    return text.getvalue()


def to_opml(sources: Iterable[SourceRow], regulators: Iterable[RegulatorRow]) -> str:
    """The feeds among the sources; pages and APIs have no place in OPML."""
    bodies = {body.id: body for body in regulators}
    root = ElementTree.Element("opml", version="2.0")
    ElementTree.SubElement(ElementTree.SubElement(root, "head"), "title").text = "Regwatch sources"
    listed = ElementTree.SubElement(root, "body")
    for row in sources:
        if row.kind not in FEED_KINDS:
            continue
        body = bodies.get(row.regulator_id or "")
        name = f"{body.name}: {row.id}" if body else row.definition.get("content") or row.id
        told = {"type": "rss", "text": name, "title": name, "xmlUrl": row.url, "htmlUrl": body.homepage if body else ""}
        own = {"language": row.language, "regwatchId": row.id, "regwatchRegulator": row.regulator_id or ""}
        ElementTree.SubElement(listed, "outline", {key: value for key, value in (told | own).items() if value})
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def from_opml(text: str, name: str) -> str:
    """The feeds of an OPML as a CSV with the catalogue's columns. Raises CatalogueError, in which `name` stands for the file."""
    try:
        root = ElementTree.fromstring(text)  # noqa: S314  # expat holds entities to its own limits, and the file is the operator's
    except ElementTree.ParseError as error:
        raise CatalogueError(f"{name}: no OPML: {error}") from error
    if root.tag.lower() != "opml":
        raise CatalogueError(f"{name}: no OPML: its root is {root.tag!r}")
    written = io.StringIO()
    writer = csv.DictWriter(written, SOURCE_COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    taken: set[str] = set()
    for outline in _feeds(root):
        told = {key.lower(): value.strip() for key, value in outline.attrib.items()}
        url, regulator = told["xmlurl"], told.get("regwatchregulator", "")
        title = told.get("title") or told.get("text") or urlsplit(url).hostname or url
        own = told.get("regwatchid") or _slug(title, urlsplit(url).hostname or "")
        slug, number = own, 2
        while slug in taken:
            slug, number = f"{own}-{number}", number + 1
        taken.add(slug)
        kind = "atom" if told.get("type", "").lower() == "atom" else "rss"
        rest = {"regulator_id": regulator} if regulator else {"tier": "secondary", "content": title}
        writer.writerow({"source_id": slug, "url": url, "kind": kind, "language": told.get("language", ""), **rest})
    return written.getvalue()


def _feeds(root: ElementTree.Element) -> Iterator[ElementTree.Element]:
    for outline in root.iter("outline"):
        if any(key.lower() == "xmlurl" and value.strip() for key, value in outline.attrib.items()):
            yield outline


def _slug(title: str, host: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    return slug[:60].strip("-") or re.sub(r"[^a-z0-9]+", "-", host.lower()).strip("-") or "feed"
