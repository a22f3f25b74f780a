"""HTML as list pages and notices both need it, in the child: bytes to text, elements to words and dates.

selectolax takes bytes for UTF-8, whatever they are: a document is decoded here first. Neighbours: `listing` reads
lists, `bodies` a notice's own page; `reading.plain` makes plain text.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot.feeds.dates import Precise, UnreadableDate, read_date
from bot.feeds.reading import MAX_TEXT, plain

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

MAX_TITLE = 500
"""Characters of a title that are kept."""

_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
# what servers call an encoding, and the larger one that browsers read instead
_READ_AS = {
    "gb2312": "gb18030", "gbk": "gb18030", "gb18030": "gb18030", "x-gbk": "gb18030", "euc-cn": "gb18030",
    "big5": "big5hkscs", "big5-hkscs": "big5hkscs",
    "shift_jis": "cp932", "shift-jis": "cp932", "sjis": "cp932", "x-sjis": "cp932", "windows-31j": "cp932",
    "euc-jp": "euc_jp", "iso-2022-jp": "iso2022_jp", "euc-kr": "cp949", "ks_c_5601-1987": "cp949",
    "iso-8859-1": "cp1252", "latin1": "cp1252", "us-ascii": "cp1252", "ascii": "cp1252",
    "iso-8859-9": "cp1254", "tis-620": "cp874", "utf-8": "utf-8", "utf8": "utf-8",
}  # fmt: skip


def decoded(document: bytes, content_type: str, hint: str = "") -> str:
    """The document as text: by its byte order mark, declaration, header, the source's `hint`, else a guess. Never raises.

    Bytes beyond ASCII that are valid UTF-8 are UTF-8, whatever is declared: no other encoding passes for it by chance.
    """
    for mark, name in _BOMS:
        if document.startswith(mark):
            return document.decode(name, "replace")
    declared = re.search(rb"(?:charset|encoding)\s*=\s*[\"']?\s*([\w:.-]+)", document[:4096], re.IGNORECASE)
    header = re.search(r"charset\s*=\s*[\"']?([\w:.-]+)", content_type, re.IGNORECASE)
    labels = (declared[1].decode("ascii", "replace") if declared else "", header[1] if header else "", hint)
    named = [name for name in map(_codec, labels) if name]
    order = [*named, "utf-8"] if document.isascii() else ["utf-8", *named]
    for name in order:
        try:
            return document.decode(name)
        except UnicodeDecodeError:
            continue
    others = [name for name in named if name != "utf-8"]
    if not others:
        pairs = b"".join(re.findall(rb"(?:[\xa1-\xf7][\xa1-\xfe])+", document)).decode("gb18030", "ignore")
        n_high = len(document) - len(document.translate(None, bytes(range(128, 256))))
        is_chinese = 2 * sum("\u4e00" <= char <= "\u9fa5" or char in "，。、；：“”（）《》" for char in pairs) > 0.9 * n_high
        # nearly all of it pairs that are common Chinese: the likeliest of those who forget to say
        others = ["gb18030" if is_chinese else "utf-8" if named else "cp1252"]
    return document.decode(others[0], "replace")


def _codec(label: str) -> str | None:
    """The codec of a label; None for one that no page uses."""
    label = label.strip().lower()
    if label in _READ_AS:
        return _READ_AS[label]
    return label if re.fullmatch(r"iso-8859-\d{1,2}|windows-125\d|koi8-[ru]", label) else None


def tree_of(markup: str) -> LexborHTMLParser:
    """The element tree of a page, however broken."""
    from selectolax.lexbor import LexborHTMLParser

    # an empty document has no root to search
    return LexborHTMLParser(markup.replace("\0", "") or "<html></html>")


def check_css(selector: str) -> None:
    """Raises ValueError, with words, for what is no CSS selector."""
    from selectolax.lexbor import SelectolaxError

    try:
        tree_of("").css(selector)
    except SelectolaxError as error:
        raise ValueError(f"{selector!r} is no CSS selector") from error


def words_of(node: LexborNode, *, keep_lines: bool = False) -> str:
    """An element's text; where it shows only a picture or a cut text, what its title or the picture's alt says."""
    text = plain((node.html or "")[: 4 * MAX_TEXT], keep_lines=keep_lines)
    named = plain(node.attributes.get("title") or "", keep_lines=False)
    if re.search(r"(?:…|\.{3})$", text) and len(named) > len(text.rstrip(". …")) and named.startswith(text[:8].rstrip(". …")):
        return named
    if text:
        return text
    pictures = (plain(picture.attributes.get(name) or "", keep_lines=False) for picture in node.css("img") for name in ("alt", "title"))
    spoken = plain(node.attributes.get("aria-label") or "", keep_lines=False)
    return named or spoken or next(filter(None, pictures), "")


def dates_on(node: LexborNode) -> tuple[str, str]:
    """What an element says of a date: to machines (datetime, content) and to people; either may be empty."""
    machine = node.attributes.get("datetime") or node.attributes.get("content")
    if not machine and (inner := node.css_first("time[datetime]")):
        machine = inner.attributes.get("datetime")
    return (machine or "").strip(), plain((node.html or "")[:MAX_TEXT], keep_lines=False)


def read_dates(machine: str, shown: str, zone: ZoneInfo, date_format: str) -> tuple[datetime, Precise]:
    """The date that an element gives, as exactly as it is meant. Raises UnreadableDate.

    The source's format says which of the two it is about. Noon or midnight to the second behind a day that is shown
    without a time is an invention of the page's software.
    """
    is_for_people = "%" in date_format and "iso" not in date_format.split("|")
    readings: list[tuple[datetime, Precise]] = []
    refusal = UnreadableDate("no date in it")
    for printed in (shown, machine) if is_for_people else (machine, shown):
        if not printed:
            continue
        try:
            readings.append(read_date(printed, zone, date_format))
        except UnreadableDate as error:
            refusal = error
    if not readings:
        raise refusal
    if len(readings) == 2 and readings[1][1] == "day" and re.search(r"T(?:00|12):00:00", machine):
        return readings[1]
    return readings[0]
