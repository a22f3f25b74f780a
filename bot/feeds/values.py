"""Items that are values: the objects of a JSON answer or a JSON Feed, and the rows of a CSV file.

The child's side; `listing` asks for them and makes entries of them.
"""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

from bot.feeds.items import FIX, Item, Listing, Mismatch, fill, first_group
from bot.feeds.reading import MAX_TEXT, plain


def json_of(text: str) -> Any:
    try:
        return json.loads(text.lstrip("\ufeff \t\r\n"))
    except (ValueError, RecursionError) as error:
        raise Mismatch(f"what came is no JSON: it starts {text.lstrip()[:60]!r}; {FIX}") from error


def value_at(value: Any, path: str) -> tuple[bool, Any]:
    """Whether a dotted path (names, and numbers in arrays; `.` is the root) is there, and what stands there."""
    for step in path.split(".") if path not in (".", "") else ():
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return False, None
    return True, value


def list_at(document: Any, listing: Listing) -> list[Any]:
    is_there, found = value_at(document, listing.list_path)
    wanted = str if listing.item else list
    if is_there and isinstance(found, wanted):
        return found if isinstance(found, list) else [found]
    what = "a string of HTML" if listing.item else "a list"
    if is_there:
        raise Mismatch(f"list_path {listing.list_path!r} leads to {_kind_of(found)}, not to {what}; {FIX}")
    keys = f"the fields {', '.join(map(str, document))[:120]}" if isinstance(document, dict) and document else _kind_of(document)
    raise Mismatch(f"list_path {listing.list_path!r} is not in the answer, which holds {keys}; {FIX}")


def _kind_of(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a string", type(None): "null", bool: "a truth value"}
    return names.get(type(value), "a number")


def scalar(value: Any, joint: str = ", ") -> str:
    """A JSON value as text: a list joined (or its first, without a joint), an object and null as nothing."""
    if isinstance(value, list):
        parts = [part for part in map(scalar, value) if part]
        return joint.join(parts) if joint else next(iter(parts), "")
    if isinstance(value, bool) or value is None or isinstance(value, dict):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def value_item(raw: Any, listing: Listing) -> Item:
    """An item of a JSON list or a row of a CSV file."""
    item = Item()

    def value_of(path: str, joint: str = ", ") -> str | None:
        is_there, value = value_at(raw, path) if not isinstance(raw, dict) or path not in raw else (True, raw[path])
        return scalar(value, joint) if is_there else None

    def cell(name: str, path: str) -> str:
        value = value_of(path.removeprefix("field:"), "" if name == "link" else ", ")
        if value is not None:
            item.matched.add(name)
        return value or ""

    if listing.title.startswith("template:"):
        item.title, absent, _ = fill(listing.title[9:], value_of)
        if len(absent) < len(re.findall(r"\{[^{}]+\}", listing.title)):
            item.matched.add("title")
        # brackets around a field that is not filled
        item.title = plain(re.sub(r"\(\s*\)|\[\s*\]", "", item.title), keep_lines=False)
    elif listing.title and not listing.title.startswith("detail:"):
        item.title = plain(cell("title", listing.title), keep_lines=False)
    if listing.link.startswith("template:"):
        address, absent, empty = fill(listing.link[9:], lambda path: value_of(path, ""))
        if absent:
            item.lacks = f"without the field {absent[0]}, which the link needs"
        else:
            item.matched.add("link")
            item.link = "" if empty else address
    elif listing.link:
        item.link = cell("link", listing.link)
    if listing.date.startswith(("url:", "text:")):
        item.shown_date = first_group(listing.date.partition(":")[2], item.link if listing.date.startswith("url:") else item.title)
        item.matched |= {"date"} if item.shown_date else set()
    elif listing.date and not listing.date.startswith("detail:"):
        item.shown_date = plain(cell("date", listing.date), keep_lines=False)
    if listing.body.startswith("field:"):
        item.markup = (value_of(listing.body[6:], "\n") or "")[: 4 * MAX_TEXT]
        item.text = plain(item.markup)
    elif listing.body.startswith("get:"):
        address, absent, empty = fill(listing.body[4:].partition(" field:")[0].strip(), lambda path: value_of(path, ""))
        item.body_url = "" if absent or empty else address
    if listing.kind == "csv" and isinstance(raw, dict):
        _fill_row(item, raw, listing)
    return item


def _fill_row(item: Item, row: dict[str, str], listing: Listing) -> None:
    """A register's row tells all it has: its cells are the title where no column is named, and the text where one is."""
    told = {name: plain(value, keep_lines=False) for name, value in row.items() if value and value != item.link}
    if not listing.title:
        item.title = ", ".join(value for value in told.values() if value != item.shown_date)
    elif not item.text:
        item.text = "\n".join(f"{name}: {value}" for name, value in told.items() if value and value != item.title)


def rows_of(text: str) -> list[dict[str, str]]:
    lines = text.lstrip("\ufeff \t\r\n")
    head = lines.partition("\n")[0]
    if not head.strip() or "<" in head[:1]:
        raise Mismatch(f"what came is no CSV: it starts {head[:60]!r}; {FIX}")
    delimiter = max(",;\t|", key=head.count)
    # a register's cells may be longer than what the module takes by default
    limit = csv.field_size_limit(len(lines) + 1)
    try:
        cells = list(csv.reader(io.StringIO(lines, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise Mismatch(f"what came is no CSV: {error}; {FIX}") from error
    finally:
        csv.field_size_limit(limit)
    names = [name.strip() for name in cells[0]]
    return [dict(zip(names, map(str.strip, row), strict=False)) for row in cells[1:] if any(map(str.strip, row))]


# --- JSON Feed -----------------------------------------------------------------------------------------------------------


def items_of_json_feed(document: Any) -> list[Any]:
    is_feed = isinstance(document, dict) and "jsonfeed.org/version/1" in str(document.get("version"))
    items = document.get("items") if isinstance(document, dict) else None
    if not is_feed:
        raise Mismatch(f"JSON came, but no JSON Feed, and the source's row names no list_path; {FIX}")
    if not isinstance(items, list):
        raise Mismatch(f"a JSON Feed without items; {FIX}")
    language = scalar(document.get("language"))
    return [{"language": language} | raw if isinstance(raw, dict) else raw for raw in items]


def feed_item(raw: Any) -> Item:
    """An item of https://www.jsonfeed.org/version/1.1/, whose id is the only thing it must have."""
    if not isinstance(raw, dict):
        return Item(lacks="of the wrong kind")
    guid = scalar(raw.get("id")).strip()
    texts = (scalar(raw.get(name)) for name in ("content_html", "content_text", "summary"))
    links = (scalar(raw.get(name)).strip() for name in ("url", "external_url"))
    markup = next(filter(None, texts), "")[: 4 * MAX_TEXT]
    return Item(
        title=plain(scalar(raw.get("title")), keep_lines=False),
        link=next(filter(None, links), guid if re.match(r"https?://", guid) else ""),
        machine_date=scalar(raw.get("date_published")),
        updated=scalar(raw.get("date_modified")),
        text=plain(markup),
        markup=markup,
        guid=guid,
        language=scalar(raw.get("language"))[:20],
    )
