"""The child's side of a notice's own page: the main text of HTML, a PDF or a JSON answer, its title and its date.

A list often tells a title and nothing else, and the firm, the sum and the law stand on the page behind it. Where the
catalogue knows the element that holds the text it is taken, else what trafilatura takes for the main text. Neighbours:
`pages` asks for it from the parent's side, `markup` reads elements, `links` says
what the text links to.
"""

from __future__ import annotations

import io
import json
import logging
import re
import warnings
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from bot.feeds.dates import Precise, UnreadableDate
from bot.feeds.links import base_of, links_behind, links_of, links_under
from bot.feeds.markup import MAX_TITLE, dates_on, decoded, read_dates, tree_of, words_of
from bot.feeds.reading import MAX_TEXT, plain, zone_of
from bot.feeds.values import scalar, value_at

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

MAX_PAGES = 60
"""Pages of a PDF that are read."""
MIN_TEXT = 40
"""Characters under which a page holds hardly any text."""

_DATE_METAS = "meta[property='article:published_time'], meta[name='PubDate' i], meta[name='publishdate' i], meta[name='DC.date.issued' i]"


@dataclass(frozen=True, slots=True)
class BodyPage:
    """One notice to read; the cells are the catalogue's, without `detail:` and without the address of a `get:`."""

    document: bytes
    content_type: str
    url: str
    time_zone: str
    text: str = ""  # CSS, or `field:PATH`; empty: the main text is looked for
    title: str = ""  # CSS
    date: str = ""  # CSS
    is_dated: bool = False  # the list gives the date
    date_format: str = ""
    encoding: str = ""


@dataclass(frozen=True, slots=True)
class RawBody:
    """`bot.feeds.Body` in plain values; `trouble` is set instead of all else when there is no text."""

    text: str = ""
    title: str = ""
    published_at: datetime | None = None
    precision: Precise | None = None
    warnings: tuple[str, ...] = ()
    is_exact: bool = False  # the element that the catalogue names holds the text
    trouble: str = ""
    links: tuple[str, ...] = ()


def read_body(page: BodyPage) -> RawBody:
    """The text of a notice. Never raises but for want of memory."""
    for chatty in ("trafilatura", "pypdf"):
        # what they complain of is in what they give back
        logging.getLogger(chatty).setLevel(logging.CRITICAL)
    try:
        if b"%PDF-" in page.document[:1024]:
            return _pdf(page)
        if page.text.startswith("field:"):
            return _field(page)
        if b"\0" in page.document[:1024] and not page.document.startswith((b"\xff\xfe", b"\xfe\xff")):
            kind = page.content_type.partition(";")[0] or "a file of unknown kind"
            return RawBody(trouble=f"neither a page nor a PDF came, but {kind}; open it by hand")
        return _html(page)
    except MemoryError:
        raise
    except Exception as error:
        return RawBody(trouble=f"the reader gave up ({type(error).__name__}: {error}); open the page by hand"[:300])


def _told(text: str, notes: list[str], **more: object) -> RawBody:
    if len(text) > MAX_TEXT:
        text = text[:MAX_TEXT]
        notes.append(f"text cut at {MAX_TEXT:,} characters")
    if len(text) < MIN_TEXT:
        return RawBody(trouble=f"hardly any text ({len(text)} characters) where the notice should stand; open the page by hand")
    return RawBody(text=text, warnings=tuple(notes), **more)  # type: ignore[arg-type]


def _field(page: BodyPage) -> RawBody:
    text = decoded(page.document, page.content_type, page.encoding)
    path = page.text.removeprefix("field:")
    try:
        document = json.loads(text.lstrip("\ufeff \t\r\n"))
    except (ValueError, RecursionError):
        return RawBody(trouble=f"what came is no JSON: it starts {text.lstrip()[:60]!r}; look at the address and correct the source's row")
    is_there, value = value_at(document, path)
    if not is_there:
        return RawBody(trouble=f"the answer has no {path}; look at the address and correct body_selector")
    markup = scalar(value, "\n")[: 4 * MAX_TEXT]
    return _told(plain(markup), [], is_exact=True, links=links_of(markup, page.url, None))


def _html(page: BodyPage) -> RawBody:
    import trafilatura

    markup = decoded(page.document, page.content_type, page.encoding)
    tree = tree_of(markup)
    notes: list[str] = []
    title = _title(tree, page.title, notes)
    published = _date(tree, page, notes)
    chosen = _chosen(tree, page.text) if page.text else []
    text = "\n".join(filter(None, (words_of(node, keep_lines=True) for node in chosen)))
    # an element that holds an image or a frame of the text is no text
    is_exact = len(text) >= MIN_TEXT
    base = base_of(tree, page.url)
    links = links_under(chosen, base, page.url) if is_exact else ()
    if not is_exact:
        if page.text:
            notes.append(f"body_selector {page.text!r} matches nothing here; the main text was looked for")
        # as browsers mend it, for libxml2 loses the rest of some pages
        mended = tree.html or ""
        # what precision leaves nothing of is read with less of it
        found = (trafilatura.extract(mended, favor_precision=is_strict, include_comments=False) for is_strict in (True, False))
        text = plain(next(filter(None, found), ""))
        links = links_behind(text, tree, base, page.url)
    found_at, precision = published or (None, None)
    return _told(text, notes, title=title, published_at=found_at, precision=precision, is_exact=is_exact, links=links)


def _title(tree: LexborHTMLParser, selector: str, notes: list[str]) -> str:
    found = tree.css_first(selector) if selector else None
    if found is not None:
        return (plain(found.attributes.get("content") or "", keep_lines=False) or words_of(found))[:MAX_TITLE]
    if selector:
        notes.append(f"title_selector {selector!r} matches nothing here")
    return ""


def _date(tree: LexborHTMLParser, page: BodyPage, notes: list[str]) -> tuple[datetime, Precise] | None:
    """The date that the catalogue's selector finds, or where neither it nor the list names one, the page's own claim."""
    if not page.date and page.is_dated:
        return None
    found = tree.css(page.date or _DATE_METAS)
    refusal = f"date_selector {page.date!r} matches nothing here" if page.date else ""
    for node in found:
        try:
            at, precision = read_dates(*dates_on(node), zone_of(page.time_zone), page.date_format)
        except UnreadableDate as error:
            refusal = f"no date: {str(error)[:100]}"
            continue
        if at.year > 1970:
            return at, precision
    if refusal:
        notes.append(refusal)
    return None


def _chosen(tree: LexborHTMLParser, selector: str) -> list[LexborNode]:
    """The elements that the catalogue names, none inside another."""
    found = tree.css(selector)
    numbers = {node.mem_id for node in found}
    outermost = []
    for node in found:
        above = node.parent
        while above is not None and above.mem_id not in numbers:
            above = above.parent
        if above is None:
            outermost.append(node)
    return outermost


def _pdf(page: BodyPage) -> RawBody:
    import pypdf

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        document = pypdf.PdfReader(io.BytesIO(page.document), strict=False)
        if document.is_encrypted and not document.decrypt(""):
            return RawBody(trouble="the PDF asks for a password; open it by hand")
        parts: list[str] = []
        n_pages, size = len(document.pages), 0
        for number in range(min(n_pages, MAX_PAGES)):
            parts.append(document.pages[number].extract_text())
            size += len(parts[-1])
            if size > MAX_TEXT:
                break
    notes = [f"{len(parts)} of {n_pages} pages read"] if len(parts) < n_pages else []
    # a hyphen at the end of a line splits a word
    text = re.sub(r"(?<=[a-zà-ÿ])-\n(?=[a-zà-ÿ])", "", "\n".join(parts))
    read = _told(plain(text.replace("<", "&lt;")), notes)
    return RawBody(trouble=f"the PDF of {n_pages} pages holds hardly any text: a scan; open it by hand") if read.trouble else read
