"""Items that are elements: the rows, list points and anchors of an HTML page.

The child's side; `listing` asks for them and makes entries of them, `markup` reads single elements.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from bot.feeds.items import FIX, Item, Listing, Mismatch, fill, first_group
from bot.feeds.links import base_of
from bot.feeds.markup import dates_on, tree_of, words_of
from bot.feeds.reading import absolute_link, plain

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

# what links say that are no titles
_GENERIC = re.compile(
    r"(?:\W|\b(?:pdf|docx?|html|download|view|read|see|more|details?|here|click|link|open|full|text|decision|document|attachment|next|new|"
    r"lire|plus|suite|mehr|weiter|leggi|tutto|ver|más|\d+(?:[.,]\d+)?\s*[km]?b)\b|下载|查看|详情|更多|詳細|全文|보기)+",
    re.IGNORECASE,
)
# a date that says its era is one wherever it stands
_ERA = r"(?:令和|平成|中華民國|民國)\s*(?:元|\d{1,3})\s*年\s*\d{1,2}\s*月\s*\d{1,2}\s*日"
_CLOCK = re.compile(r"^\d{1,2}:\d{2}\b\s*|\s*\b\d{1,2}:\d{2}$")


def elements_of(markup: str, listing: Listing, url: str) -> tuple[str, list[LexborNode]]:
    """The base of the page's links, and the elements that are items: no head rows, no spacers, no containers of others."""
    tree = tree_of(markup)
    base = base_of(tree, url)
    found = tree.css(listing.item)
    if not found:
        titled = tree.css_first("title")
        called = f" titled {plain(titled.html or '', keep_lines=False)[:100]!r}" if titled else ""
        raise Mismatch(f"item_selector {listing.item!r} matches nothing on a page{called}; {FIX}")
    linked = {node.mem_id for node in found if _anchor(node, listing) is not None}
    containers: set[int] = set()
    for node in found:
        above = node.parent if node.mem_id in linked else None
        while above is not None and above.mem_id not in containers:
            containers.add(above.mem_id)
            above = above.parent
    items = [node for node in found if node.mem_id not in containers and not _is_head(node) and _is_filled(node)]
    if not items:
        raise Mismatch(f"item_selector {listing.item!r} matches {len(found)} elements, all of them empty or heads of a table; {FIX}")
    return base, items


def _is_head(node: LexborNode) -> bool:
    """Whether it is a row of a table's head: in one, or of th cells alone."""
    if node.tag != "tr":
        return False
    return (node.parent is not None and node.parent.tag == "thead") or (node.css_first("td") is None and node.css_first("th") is not None)


def _is_filled(node: LexborNode) -> bool:
    return bool(node.css_first("a[href]") or node.text(strip=True) or words_of(node))


def _anchor(item: LexborNode, listing: Listing) -> LexborNode | None:
    """The element that holds the item's address, or is said to."""
    if listing.link.startswith("template:"):
        return None
    selector = "" if listing.link == "self" else listing.link
    if not selector:
        return item if item.attributes.get("href") else item.css_first("a[href]")
    for found in item.css(selector):
        for one in (found, found.css_first("a[href]")):
            if one is not None and _href(one):
                return one
    return item.css_first(selector)


def _href(node: LexborNode) -> str:
    """The printed address of an anchor; empty for one that only scripts follow."""
    href = (node.attributes.get("href") or "").strip()
    return "" if href in ("", "#") or re.match(r"(?:javascript|mailto|tel|data):|#", href, re.IGNORECASE) else href


def element_item(item: LexborNode, listing: Listing, base: str) -> Item:
    """The parts of one element of the list; `base` is what its links are resolved against."""
    made = Item()
    anchor = _anchor(item, listing)
    titled, is_named = _titled(item, anchor, listing)
    made.title = _title(titled, listing) if titled is not None else ""
    if listing.title.startswith("template:"):
        made.title, absent, _ = fill(listing.title[9:], lambda name: _attribute(item, name))
        is_named = not absent
    if is_named:
        made.matched.add("title")
    if anchor is not None:
        made.link = _href(anchor)
        made.matched.add("link")
    elif listing.link.startswith("template:"):
        address, absent, _ = fill(listing.link[9:], lambda name: _attribute(item, name))
        made.link = "" if absent else address
        made.matched |= {"link"} if not absent else set()
    _date_item(made, item, listing, base)
    if titled is None or titled.mem_id != item.mem_id:
        cut = plain(titled.html or "", keep_lines=False) if titled is not None else ""
        made.text = _rest(words_of(item, keep_lines=True), (made.title, cut, made.shown_date))
    return made


def _titled(item: LexborNode, anchor: LexborNode | None, listing: Listing) -> tuple[LexborNode | None, bool]:
    """The element whose text is the title, and whether it is the one that the title's selector names."""
    selector = listing.title
    if selector == "self":
        return item, True
    if selector and not selector.startswith(("template:", "detail:")):
        found = item.css_first(selector)
        return (found, True) if found is not None else (anchor, False)
    return (item if anchor is None or _is_generic(words_of(anchor)) else anchor), False


def _is_generic(text: str) -> bool:
    """Whether a link says nothing of what it leads to."""
    return len(text) <= 60 and _GENERIC.fullmatch(text or "-") is not None


def _title(node: LexborNode, listing: Listing) -> str:
    if not listing.has_title_noise:
        return words_of(node)
    lines = (_CLOCK.sub("", line) for line in words_of(node, keep_lines=True).splitlines())
    return max(lines, key=len, default="")


def _attribute(item: LexborNode, name: str) -> str | None:
    """A field of an HTML template: an attribute of that name (or data-name), else what a script's call is first given."""
    nodes = [node for node in (item, item.css_first("a")) if node is not None]
    for node in nodes:
        if value := node.attributes.get(name) or node.attributes.get(f"data-{name}"):
            return value
    for node in nodes:
        script = node.attributes.get("onclick") or node.attributes.get("href") or ""
        if argument := re.search(r"\(\s*(?:['\"]([^'\"]+)['\"]|(\d+))", script):
            return argument[1] or argument[2]
    return None


def _date_item(made: Item, item: LexborNode, listing: Listing, base: str) -> None:
    cell = listing.date
    if cell.startswith("url:"):
        made.shown_date = first_group(cell[4:], absolute_link(made.link, base) or "")
    elif cell.startswith("text:"):
        made.shown_date = first_group(cell[5:], words_of(item))
    elif cell and not cell.startswith("detail:"):
        node = item if cell == "self" else item.css_first(cell)
        if node is not None:
            made.machine_date, made.shown_date = dates_on(node)
        elif {"wareki", "roc"} & {*listing.date_format.split("|")}:
            made.shown_date = first_group(_ERA, words_of(item))
    if made.machine_date or made.shown_date:
        made.matched.add("date")


def _rest(text: str, told_already: Iterable[str]) -> str:
    """What an item tells beyond its title and date; empty when that is next to nothing."""
    for told in told_already:
        if told:
            at = text.find(told)
            text = (
                text[:at] + "\n" + text[at + len(told) :] if at >= 0 else "\n".join(line for line in text.splitlines() if line not in told)
            )
    lines = [" ".join(line.split()) for line in text.splitlines()]
    lines = [line for line in lines if line and not _is_generic(line)]
    return "\n".join(lines) if sum(map(len, lines)) >= 20 else ""
