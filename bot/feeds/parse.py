"""Bytes of a feed to entries, at the price of what is new in them.

The funnel: the body is cut into its items by plain byte search and each item is hashed; only items whose hash
the last poll did not show are put into a small document of their own (head + new items + tail) and read by
feedparser, in slices, in a child process with a memory limit that is killed when a slice takes too long. When
feedparser counts otherwise than the cutter did (utf-16, nested items), the whole body is read. `parse_feed`
does it in this process and is pure; `in_child` is what a poll uses.

What is no feed comes back as a Failed value that tells a refusal (blocked) from a redesign (changed_layout).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Generator
from dataclasses import dataclass, replace
from functools import cache
from hashlib import blake2b
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import anyio
import anyio.to_process

from bot.feeds import Entry, Failed, Parsed
from bot.feeds.reading import RawEntry, Reading, Slice, plain, read_in_limits, read_slice
from storage.models import Health, Precision
from storage.text import title_key

MAX_ENTRIES = 10_000
"""Entries of one body that are read; the rest is left out, and said."""
SLICE = 500
"""Entries that one call of the child reads."""
SLICE_SECONDS = 10.0
"""After this a slice's child is killed."""
HEADROOM = 256 * 1024 * 1024
"""Bytes a child may take beyond its idle size."""


def parse_feed(
    body: bytes,
    content_type: str,
    url: str,
    *,
    time_zone: str = "UTC",
    date_format: str = "",
    seen: frozenset[str] = frozenset(),
) -> Parsed | Failed:
    """The entries of a feed whose hash is not in `seen`; raises nothing, whatever the bytes.

    `url` is the final address: links are made absolute with it. `time_zone` (IANA) is the source's: naive times
    and bare days are read in it. For a preview leave `seen` empty: every entry comes back, with its warnings.
    """
    steps = _steps(Slice(body, content_type, url, time_zone, date_format, None, MAX_ENTRIES), seen, _cut(body))
    try:
        wanted = next(steps)
        while True:
            wanted = steps.send(read_slice(wanted))
    except StopIteration as end:
        result: Parsed | Failed = end.value
        return result


async def in_child(
    body: bytes,
    content_type: str,
    url: str,
    *,
    time_zone: str = "UTC",
    date_format: str = "",
    seen: frozenset[str] = frozenset(),
    children: asyncio.Semaphore | None = None,
    slice_seconds: float = SLICE_SECONDS,
    headroom: int = HEADROOM,
) -> Parsed | Failed:
    """parse_feed() with the reading in a child process: killed after `slice_seconds` a slice, held to `headroom` bytes.

    `children` bounds how many run at once, over all calls that share it.
    """
    # cutting and hashing is quick but not free: 8 MB must not hold up the loop
    items = await asyncio.to_thread(_cut, body) if len(body) > 256 * 1024 else _cut(body)
    steps = _steps(Slice(body, content_type, url, time_zone, date_format, None, MAX_ENTRIES), seen, items)
    children = children or asyncio.Semaphore(1)
    try:
        wanted = next(steps)
        while True:
            async with children:
                reading = await _read_in_child(wanted, slice_seconds, headroom)
            wanted = steps.send(reading)
    except StopIteration as end:
        result: Parsed | Failed = end.value
        return result


async def _read_in_child(wanted: Slice, seconds: float, headroom: int) -> Reading:
    for _ in range(2):
        try:
            with anyio.fail_after(seconds):
                # the semaphore is held already, so that waiting for a child is not counted
                free = anyio.CapacityLimiter(1)
                return await anyio.to_process.run_sync(read_in_limits, wanted, headroom, cancellable=True, limiter=free)
        except TimeoutError:
            return Reading(trouble=f"reading it took longer than {seconds:g} s and was stopped; look at the address by hand")
        except anyio.BrokenWorkerProcess:
            # out of memory, or the reader crashed: once more in a fresh child
            continue
    text = f"the reading process ended twice: it needs more than {headroom // 2**20} MB, or it crashes; look at the address by hand"
    return Reading(trouble=text)


def _failed(health: Health, detail: str) -> Failed:
    return Failed(health, detail, None, None, 0.0)


def _steps(whole: Slice, seen: frozenset[str], items: list[_Item] | None) -> Generator[Slice, Reading, Parsed | Failed]:
    """Which slices are to be read, and what their readings add up to."""
    body = whole.document
    if refusal := page_refusal(body):
        return _failed(*refusal)
    if items:
        kept = items[:MAX_ENTRIES]
        unseen = [item for item in kept if item.hash not in seen]
        head, tail = body[: items[0].start], body[items[-1].end :]
        entries: list[Entry] = []
        complaints: list[str] = []
        for first in range(0, len(unseen), SLICE):
            part = unseen[first : first + SLICE]
            document = b"".join((head, *(body[item.start : item.end] for item in part), tail))
            reading = yield replace(whole, document=document, hashes=tuple(item.hash for item in part))
            if reading.trouble:
                return _failed(Health.ERROR, reading.trouble)
            if reading.n_entries != len(part):
                break
            entries += map(_entry, reading.entries)
            complaints.append(reading.complaint)
        else:
            return _parsed(entries, tuple(item.hash for item in kept), len(items), complaints)
    # nothing to cut, or the reader counts otherwise than the cutter did
    reading = yield whole
    if reading.trouble:
        return _failed(Health.ERROR, reading.trouble)
    if not reading.version and not reading.entries:
        return _failed(*_not_a_feed(body))
    if reading.complaint and not reading.entries and not re.search(rb"</(?:\w+:)?(?:rss|feed|rdf)\s*>\s*$", body, re.IGNORECASE):
        return _failed(Health.ERROR, f"broken XML, no entry could be read: {reading.complaint}; look at the address by hand")
    found = [_entry(raw) for raw in reading.entries]
    fresh = [entry for entry in found if entry.entry_hash not in seen]
    return _parsed(fresh, tuple(entry.entry_hash for entry in found), reading.n_entries, [reading.complaint])


def _parsed(entries: list[Entry], present: tuple[str, ...], n_items: int, complaints: list[str]) -> Parsed:
    over = n_items - len(present)
    dropped = (f"{over} entries beyond the first {MAX_ENTRIES:,}",) if over > 0 else ()
    return Parsed(tuple(entries), present, dropped, tuple(dict.fromkeys(filter(None, complaints))))


def _entry(raw: RawEntry) -> Entry:
    return Entry(
        entry_hash=raw.entry_hash,
        guid=raw.guid,
        link=raw.link,
        title=raw.title,
        text=raw.text,
        published_at=raw.published_at,
        published_precision=Precision(raw.precision) if raw.precision else None,
        updated_at=raw.updated_at,
        warnings=raw.warnings,
        language=raw.language,
    )


# --- cutting -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Item:
    """Where an item stands in the body, tags included, and the hash of its bytes."""

    start: int
    end: int
    hash: str


def _cut(body: bytes) -> list[_Item] | None:
    """The items or entries of a feed; None where cutting is not safe (none found, nested, both kinds, never closed)."""
    found = {tag: _find_open(body, tag, 0) for tag in (b"item", b"entry")}
    tags = [tag for tag, at in found.items() if at >= 0]
    if len(tags) != 1:
        return None
    (tag,) = tags
    close = b"</" + tag
    items: list[_Item] = []
    start, end = found[tag], 0
    while start >= 0:
        outside = _end_of_hidden(body, end, start)
        if outside < 0:
            return None
        if outside > start:
            start = _find_open(body, tag, outside)
            continue
        tag_end = body.find(b">", start)
        if tag_end < 0:
            return None
        end = tag_end + 1
        if body[tag_end - 1 : tag_end] != b"/":
            end = _find_close(body, close, end)
            if end < 0 or _find_open(body, tag, tag_end, end) >= 0:
                return None
        items.append(_Item(start, end, blake2b(body[start:end], digest_size=16).hexdigest()))
        start = _find_open(body, tag, end)
    return items or None


def _find_open(body: bytes, tag: bytes, start: int, end: int | None = None) -> int:
    """Where `<tag` stands as a tag (not `<items`), or -1."""
    opening = b"<" + tag
    at = body.find(opening, start, end)
    while at >= 0 and body[at + len(opening) : at + len(opening) + 1] not in (b">", b" ", b"\t", b"\r", b"\n", b"/"):
        at = body.find(opening, at + 1, end)
    return at


def _find_close(body: bytes, close: bytes, start: int) -> int:
    """The end of the closing tag that no CDATA section or comment hides, or -1."""
    at = body.find(close, start)
    while at >= 0:
        outside = _end_of_hidden(body, start, at)
        if outside < 0:
            return -1
        if outside <= at:
            end = body.find(b">", at)
            return end + 1 if end >= 0 else -1
        at = body.find(close, outside)
    return -1


def _end_of_hidden(body: bytes, start: int, at: int) -> int:
    """Where the CDATA section or comment ends that is open at `at`; at most `at` when none is, -1 when it never ends."""
    for opening, closing in ((b"<![CDATA[", b"]]>"), (b"<!--", b"-->")):
        opened = body.rfind(opening, start, at)
        if opened >= 0 and body.find(closing, opened, at) < 0:
            end = body.find(closing, at)
            return end + len(closing) if end >= 0 else -1
    return at


# --- keys -----------------------------------------------------------------------------------------------------------------

_TRACKING = re.compile(
    r"utm_\w*|fbclid|gclid|gclsrc|dclid|msclkid|yclid|twclid|igshid|mc_cid|mc_eid|mkt_tok|_ga|_gl|_hsenc|_hsmi|vero_id|wt\.mc_id|at_medium|at_campaign",
    re.IGNORECASE,
)


def canonical_url(url: str) -> str | None:
    """An address as identity compares it: no scheme, default port, user, fragment, tracking or trailing slash.

    `http://Host/a/?utm_source=x#top` and `https://host/a` are one. None for what is no web address.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return None
    if parts.scheme.lower() not in ("http", "https") or not host:
        return None
    path = re.sub(r";jsessionid=[^/?;]*", "", parts.path, flags=re.IGNORECASE).rstrip("/")
    query = "&".join(pair for pair in parts.query.split("&") if pair and not _TRACKING.fullmatch(pair.partition("=")[0]))
    return f"{host}{f':{port}' if port not in (None, 80, 443) else ''}{path}{f'?{query}' if query else ''}"


def dated_title(entry: Entry, time_zone: str) -> str | None:
    """The key made of title and local day; None unless the entry has both."""
    title = title_key(entry.title)
    if not title or entry.published_at is None:
        return None
    return f"{title}|{entry.published_at.astimezone(_zone(time_zone)).date().isoformat()}"


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


# --- what is no feed ----------------------------------------------------------------------------------------------------

_DENIAL = re.compile(
    r"access (?:to this page )?(?:is |has been )?(?:denied|blocked|restricted)|request (?:access|unsuccessful|rejected|blocked)|"
    r"attention required|just a moment|checking your browser|challenge validation|verify (?:that )?you are (?:a )?human|"
    r"are you a robot|not a robot|captcha|unusual traffic|automated (?:access|requests?|queries)|too many requests|"
    r"rate threshold|security check|\bforbidden\b|not authori[sz]ed|(?:have|has|been) (?:been )?blocked|"
    r"requested url was rejected|support id|ddos|cloudflare|incapsula|akamai|maintenance|temporarily unavailable|"
    r"service unavailable|apology|we apologi[sz]e|enable (?:javascript|cookies)|"
    r"访问被拒绝|拒绝访问|禁止访问|安全验证|人机验证|验证码|请求被拦截|系统维护|維護中|存取被拒|アクセスが拒否|メンテナンス",
    re.IGNORECASE,
)
_CHALLENGE = (
    b"_cf_chl_opt",
    b"cf-browser-verification",
    b"_Incapsula_Resource",
    b"/_sec/cp_challenge",
    b"captcha-delivery.com",
    b"px-captcha",
    b"awswaf",
)
# what no notice says of itself
_REFUSED = re.compile(
    r"access (?:to this page )?(?:is |has been )?denied|request (?:unsuccessful|rejected|access)|attention required|just a moment|"
    r"checking your browser|challenge validation|verify (?:that )?you are (?:a )?human|are you a robot|not a robot|unusual traffic|"
    r"requested url was rejected|rate threshold|you have been blocked|访问被拒绝|拒绝访问|人机验证|请求被拦截|存取被拒|アクセスが拒否",
    re.IGNORECASE,
)
_NOT_THERE = re.compile(
    r"^\W*(?:error\W*)?404\b\W*(?:$|error|not found|page)|\berror 404\b|"
    r"^not found\b|\b(?:page|file|document|resource)\b.{0,40}\b(?:not found|does not exist)|"
    r"页面不存在|页面找不到|找不到页面|頁面不存在|找不到頁面|找不到網頁|ページが見つかりません",
    re.IGNORECASE,
)
_SKIPPED = re.compile(rb"<\?.*?\?>\s*|<!--.*?-->\s*", re.DOTALL)
_HIDDEN = re.compile(r"<(script|style|head)\b", re.IGNORECASE)
_SNIFFED = 256 * 1024
_SHORT = 1500  # characters that a reader sees; a refusal has fewer
_BARE = 400


def page_refusal(body: bytes, *, wants_page: bool = False) -> tuple[Health, str] | None:
    """What an answer of 200 says when it is blank, a refusal or no feed; None when it may be what was asked for.

    A challenge, denial or maintenance page is `blocked`, no content `empty`. Any other page is `changed_layout`
    where a feed was due; with `wants_page` only the one that says it is not there is.
    """
    if not body.strip(b" \t\r\n\0"):
        return Health.EMPTY, "the answer has no content; look at the address in a browser"
    head = body[:_SNIFFED].lstrip(b"\xef\xbb\xbf \t\r\n\0")
    if wants_page:
        return None if head.startswith(b"%PDF") else _decoy(head)
    start = 0
    while skipped := _SKIPPED.match(head, start):
        start = skipped.end()
    head = head[start:]
    if not re.match(rb"<!doctype\s+html|<(?:html|head|body|title|script|meta|h1|p|div|center)\b", head, re.IGNORECASE):
        return None
    if re.search(rb"<(?:rss|feed|rdf:rdf|channel)[\s>]", head, re.IGNORECASE):
        # some wrap a feed in a page; feedparser may find it
        return None
    return _page(head)


def _titled(markup: str) -> str:
    opened = re.search(r"<title[^<>]*>", markup, re.IGNORECASE)
    if opened is None:
        return ""
    rest = markup[opened.end() : opened.end() + 1000]
    return plain(re.split(r"</title", rest, maxsplit=1, flags=re.IGNORECASE)[0], keep_lines=False)[:120]


def _seen(markup: str) -> str:
    """The beginning of what a reader sees, or all of it when it is short.

    Linear, and without a tree: a hostile page opens a thousand scripts and closes none, or nests without end.
    """
    runs, length = [], 0
    for run in re.finditer(r">([^<>]+)", f">{_shown(markup)}"):
        if words := " ".join(run[1].replace("&nbsp;", " ").split()):
            runs.append(words)
            length += len(words) + 1
        if length > _SHORT:
            break
    return " ".join(runs)


def _shown(markup: str) -> str:
    """The markup without what stands in no window."""
    parts, at, never_closed = [], 0, set()
    for opened in _HIDDEN.finditer(markup):
        tag = opened[1].lower()
        if opened.start() < at or tag in never_closed:
            continue
        closed = re.compile(rf"</{tag}\s*>", re.IGNORECASE).search(markup, opened.end())
        if closed is None:
            never_closed.add(tag)
            continue
        parts.append(markup[at : opened.start()])
        at = closed.end()
    return " ".join((*parts, markup[at:]))


def _page(head: bytes) -> tuple[Health, str]:
    markup = _decoded(head)
    title = _titled(markup)
    seen = _seen(markup)
    # a long page may well speak of captchas or maintenance; a refusal is short, or says so in its title
    told = f"{title}\n{seen}" if len(seen) < _SHORT else title
    called = f" titled {title!r}" if title else ""
    if _DENIAL.search(told) or any(mark in head for mark in _CHALLENGE):
        return Health.BLOCKED, f"a refusal or maintenance page{called} came instead of the feed; it is tried again tomorrow"
    return Health.CHANGED_LAYOUT, f"an HTML page{called} came instead of the feed; find the feed's new address on it"


def _decoy(head: bytes) -> tuple[Health, str] | None:
    """What a page says that came for a page; None when it may be the one.

    A notice may be about a captcha, the maintenance of a monopoly or a firm called Cloudflare, and guarded sites put
    their guard's script into every page. So only a page with next to no text is judged by every word and mark, a
    short one by the phrases that no notice uses, and a long one when its title begins with one of them.
    """
    markup = _decoded(head)
    seen, title = _seen(markup), _titled(markup)
    is_long, is_bare = len(seen) >= _SHORT, len(seen) < _BARE
    told, called = f"{title}\n{seen}", f" titled {title!r}" if title else ""
    is_refused = _REFUSED.match(title) if is_long else _REFUSED.search(told)
    if is_refused or (is_bare and (_DENIAL.search(told) or any(mark in head for mark in _CHALLENGE))):
        return Health.BLOCKED, f"a refusal or maintenance page{called} came instead of the page; it is tried again tomorrow"
    if not is_long and _NOT_THERE.search(title or seen[:200]):
        return Health.CHANGED_LAYOUT, f"a page{called} that says it is not there came with status 200; find the new address"
    return None


def _not_a_feed(body: bytes) -> tuple[Health, str]:
    head = body[:_SNIFFED].lstrip(b"\xef\xbb\xbf \t\r\n")
    if re.search(rb"<(?:html|body)\b", head, re.IGNORECASE):
        return _page(head)
    if head[:1] in (b"{", b"["):
        return Health.CHANGED_LAYOUT, "JSON came instead of the feed, and this version reads none; find the feed's new address"
    shown = plain(_decoded(head[:400]), keep_lines=False)[:80]
    if len(head) < 2000 and _DENIAL.search(shown):
        return Health.BLOCKED, f"a refusal came instead of the feed: {shown!r}; it is tried again tomorrow"
    return Health.CHANGED_LAYOUT, f"what came is no feed: it starts {shown!r}; find the feed's new address"


def _decoded(head: bytes) -> str:
    declared = re.search(rb"charset=[\"']?\s*([\w-]+)", head[:4096], re.IGNORECASE)
    name = declared[1].decode("ascii").lower() if declared else "utf-8"
    name = "gb18030" if name in ("gb2312", "gbk") else name
    try:
        return head.decode(name, "replace")
    except LookupError:
        return head.decode("utf-8", "replace")
