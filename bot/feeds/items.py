"""What a list is made of, before it is entries: where a source says its parts stand, and what was found there.

Shared by `values` (items of JSON and CSV), `elements` (items of HTML) and `listing`, which makes entries of either.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote

FIX = "look at the address and correct the source's row"
"""The next thing to do about a list that is not where its source says."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Where the items of a source's list stand, cell by cell as the catalogue has it; an empty cell is not named."""

    kind: str  # json, html-list, link-pattern, csv
    list_path: str = ""  # json: dotted path to the array, `.` for the root; with `item`, to a string of HTML
    item: str = ""  # CSS of one item
    title: str = ""
    link: str = ""
    date: str = ""
    date_format: str = ""
    body: str = ""
    encoding: str = ""  # a hint for documents that do not declare theirs
    has_title_noise: bool = False  # the linked text holds more than the title: times, the name of a body


@dataclass(slots=True)
class Item:
    """The parts of an item as they are printed."""

    title: str = ""
    link: str = ""
    machine_date: str = ""
    shown_date: str = ""
    text: str = ""
    markup: str = ""  # the HTML of the text; empty where a part of a page is the text
    body_url: str = ""
    guid: str = ""
    updated: str = ""
    language: str = ""
    lacks: str = ""  # why it cannot be used
    matched: set[str] = field(default_factory=set)  # the named selectors that found something: title, link, date


class Mismatch(Exception):
    """The list is not where its source says; the message is for the operator."""


def fill(template: str, value_of: Callable[[str], str | None]) -> tuple[str, list[str], list[str]]:
    """The template with its `{fields}` filled in, which of them are not there (None), and which are empty.

    In an address, what stands behind a question mark is quoted.
    """
    absent: list[str] = []
    empty: list[str] = []

    def filled(found: re.Match[str]) -> str:
        value = value_of(found[1].strip())
        if value is None:
            absent.append(found[1])
        elif not value.strip():
            empty.append(found[1])
        if "?" in template[: found.start()]:
            return quote((value or "").strip(), safe="/", errors="replace")
        return (value or "").strip()

    return re.sub(r"\{([^{}]+)\}", filled, template), absent, empty


def first_group(pattern: str, text: str) -> str:
    """What a pattern finds in a text: its group if it has just one, else all of it; empty when it finds nothing."""
    found = re.search(pattern, text)
    if found is None:
        return ""
    return found[1] or "" if found.re.groups == 1 else found[0]
