"""The child's side of what a notice links to: the addresses behind the words of its own text, and no others.

A regulator that moves a case on seldom prints the address of its earlier notice: it stands behind "our decision of
March". What a page links to beside its text (menus, related notices, buttons to share it, tags) says nothing of the case,
and one of them taken for a citation would hide an alert in a thread: when in doubt a link is left out. Neighbours:
`reading` asks for the links of a feed's entry, `listing` for those of a JSON item, `bodies` for those of a page.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urldefrag, urlsplit

from bot.feeds.markup import tree_of
from bot.feeds.reading import absolute_link

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

MAX_LINKS = 20
"""Links of one notice that are kept: the first ones."""

_AROUND = 20  # letters beside a link that must stand beside it in the text too
_BLOCK = re.compile(r"p|div|br|li|[uod]l|d[td]|t[rdh]|table|h[1-6]|section|article|main|blockquote|pre|hr|figure|figcaption|body")
_APART = re.compile(r"head|nav|header|footer|aside|script|style|template|noscript|svg|button|select|iframe")
_APART_ROLES = frozenset(("navigation", "banner", "contentinfo", "complementary", "menu", "search"))
# a word of a class or an id that says what stands there, whatever the page's software puts before it
_APART_NAMES = re.compile(
    r"(?!(?:.*[-_])?(?:no|has|with|without)[-_])(?:[\w-]*[-_])?(?:nav|navbar|navigation|menu|breadcrumbs?|share|sharing|share-?buttons?|"
    r"social|sharedaddy|addtoany|addthis|bdshare|bshare|tags?|tag-?list|tag-?links|related|"
    r"related-?(?:posts?|links?|news|content|articles?)|pager|pagination|sidebar|footer|comments)",
    re.IGNORECASE,
)
_APART_RELATIONS = frozenset(
    ("tag", "category", "author", "license", "next", "prev", "help", "search", "privacy-policy", "terms-of-service")
)
_SHARING = re.compile(
    r"(?:[\w-]+\.)*(?:facebook|twitter|x|linkedin|pinterest|reddit|whatsapp|weibo|addtoany|addthis|instagram|youtube|tiktok)\.com|"
    r"(?:t|wa)\.me|s?qzone\.qq\.com|connect\.qq\.com"
)


@dataclass(frozen=True, slots=True)
class _Anchor:
    """A link as it stands: its printed address, its words, and these with what stands beside them in its line."""

    href: str
    words: str
    line: str


def links_of(markup: str, base: str, own: str | None) -> tuple[str, ...]:
    """The addresses that a piece of HTML links to, as http or https ones resolved against `base`, each once, in order.

    `own` is the notice's own address, which is left out, as are the front pages of hosts. At most MAX_LINKS.
    """
    if not re.search(r"<a\s", markup, re.IGNORECASE):
        return ()
    root = tree_of(markup).body
    return _addresses((one.href for one in _anchors(root)), base, own) if root is not None else ()


def links_under(nodes: Iterable[LexborNode], base: str, own: str | None) -> tuple[str, ...]:
    """links_of() elements of a page that are its text."""
    return _addresses((one.href for node in nodes for one in _anchors(node)), base, own)


def links_behind(text: str, tree: LexborHTMLParser, base: str, own: str | None) -> tuple[str, ...]:
    """links_of() a page, those alone whose words and their neighbours stand in `text`, which was read from it."""
    lines = {_squeezed(line) for line in text.splitlines()}
    told = _squeezed(text)

    def is_told(anchor: _Anchor) -> bool:
        # a short line of its own ("Home") may stand in any sentence by chance
        is_bare = anchor.line == anchor.words and len(anchor.words) < _AROUND
        return anchor.line in lines if is_bare else anchor.line in told

    root = tree.body
    return _addresses((one.href for one in _anchors(root) if is_told(one)), base, own) if root is not None else ()


def base_of(tree: LexborHTMLParser, url: str) -> str:
    """What the links of a page are resolved against: its own word, else its address."""
    based = tree.css_first("base[href]")
    return (absolute_link(based.attributes.get("href") or "", url) if based is not None else None) or url


def _addresses(hrefs: Iterable[str], base: str, own: str | None) -> tuple[str, ...]:
    mine = {_bare(url) for url in (own, base) if url}
    found: dict[str, str] = {}
    for href in hrefs:
        link = absolute_link(href, base)
        if link is None:
            continue
        link, _ = urldefrag(link)
        parts = urlsplit(link)
        is_page = parts.path.strip("/") != "" or parts.query != ""
        if is_page and _bare(link) not in mine and not _SHARING.fullmatch((parts.hostname or "").lower()):
            found.setdefault(_bare(link), link)
            if len(found) == MAX_LINKS:
                break
    return tuple(found.values())


def _bare(url: str) -> str:
    """An address without scheme, fragment and last slash: what makes two of them one here."""
    return urldefrag(url)[0].partition("//")[2].rstrip("/")


def _anchors(root: LexborNode) -> Iterator[_Anchor]:
    """The links under an element that have words and do not stand apart from its text, in order."""
    told: list[str] = []  # without spaces and points; a line break for each border of a block
    length = 0
    starts: dict[int, int] = {}
    found: list[tuple[str, int, int]] = []
    waiting: list[tuple[LexborNode, bool]] = [(root, True)]
    while waiting:
        node, is_entered = waiting.pop()
        tag = node.tag or ""
        if tag == "-text":
            told.append(_squeezed(node.text_content or ""))
            length += len(told[-1])
            continue
        if _BLOCK.fullmatch(tag):
            told.append("\n")
            length += 1
        href = (node.attributes.get("href") or "").strip() if tag == "a" else ""
        if not is_entered:
            if href:
                found.append((href, starts[node.mem_id], length))
            continue
        if node.mem_id != root.mem_id and _is_apart(node):
            continue
        if href:
            starts[node.mem_id] = length
        waiting.append((node, False))
        waiting.extend((child, True) for child in reversed(list(node.iter(include_text=True))))
    text = "".join(told)
    for href, start, end in found:
        before = text[max(start - _AROUND, 0) : start].rpartition("\n")[2]
        after = text[end : end + _AROUND].partition("\n")[0]
        words = text[start:end].replace("\n", "")
        if words and not href.startswith("#"):
            yield _Anchor(href, words, f"{before}{words}{after}")


def _is_apart(node: LexborNode) -> bool:
    if _APART.fullmatch(node.tag or "") or node.attributes.get("role") in _APART_ROLES:
        return True
    if node.tag == "a" and _APART_RELATIONS & {*(node.attributes.get("rel") or "").lower().split()}:
        return True
    names = f"{node.attributes.get('class') or ''} {node.attributes.get('id') or ''}".split()
    return any(_APART_NAMES.fullmatch(name) for name in names)


def _squeezed(text: str) -> str:
    """The letters and digits of a text: two ways to print a sentence differ in all else."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFC", text))
