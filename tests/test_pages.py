"""The door to whatever a source answers: who reads it, in which process, within which limits; and what a refusal is."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.feeds import Failed, Fetched, Parsed
from bot.feeds import parse as parse_module
from bot.feeds.fetch import Fetcher
from bot.feeds.listing import Page, read_list
from bot.feeds.pages import WrongCell, entries_here, entries_of, feeds_on, listing_of
from bot.feeds.parse import call_in_child, parse_feed
from bot.feeds.preview import preview_of
from storage.models import Health
from storage.records import SourceRow

URL = "https://regulator.example/news/"
RSS = b'<rss version="2.0"><channel><item><title>Harbour fined</title><link>/1</link></item></channel></rss>'
LIST = b"<html><body><ul><li><a href='/1'>Harbour fined</a><i>18.03.2021</i></li></ul></body></html>"
CELLS = {"item_selector": "li", "title_selector": "a", "link_selector": "a[href]", "date_selector": "i", "date_format": "%d.%m.%Y"}


def fetched(body: bytes, content_type: str = "") -> Fetched:
    return Fetched(URL, 200, body, content_type, None, None, None, 0.0)


def source(kind: str = "html-list", **cells: str) -> SourceRow:
    return SourceRow(id="xx-body-news", regulator_id="xx-body", url=URL, kind=kind, definition=cells)


# --- who reads what ----------------------------------------------------------------------------------------------------

ANSWERS = [
    ("a feed", RSS, source("rss")),
    ("a feed of an unknown address", RSS, None),
    (
        "a JSON Feed where RSS was",
        b'{"version":"https:\\/\\/jsonfeed.org\\/version\\/1","items":[{"id":"1","title":"Harbour fined"}]}',
        source("rss"),
    ),
    ("a list page", LIST, source(**CELLS)),
    ("a JSON answer", b'{"rows":[{"t":"Harbour fined"}]}', source("json", list_path="rows", title_selector="t")),
    ("a CSV file", b"Firm\nHarbour fined\n", source("csv", title_selector="Firm")),
]


@pytest.mark.parametrize(("body", "row"), [case[1:] for case in ANSWERS], ids=[case[0] for case in ANSWERS])
async def test_a_child_reads_as_this_process_does(body: bytes, row: SourceRow | None) -> None:
    here = entries_here(fetched(body), row, time_zone="Asia/Shanghai")
    assert isinstance(here, Parsed)
    assert [entry.title for entry in here.entries] == ["Harbour fined"]
    assert await entries_of(fetched(body), row, time_zone="Asia/Shanghai") == here
    again = await entries_of(fetched(body), row, time_zone="Asia/Shanghai", seen=frozenset(here.present))
    assert isinstance(again, Parsed)
    assert (again.entries, again.present) == ((), here.present)


def test_a_feed_says_where_the_text_stands_that_it_leaves_out() -> None:
    full = RSS.replace(b"<link>", b"<description>Fined two million.</description><link>")
    cases = ((RSS, {}, True), (full, {}, False), (full, {"body_selector": ".text"}, True), (RSS.replace(b"/1", b"javascript:x"), {}, False))
    for body, cells, is_followed in cases:
        found = entries_here(fetched(body), source("rss", **cells))
        assert isinstance(found, Parsed)
        assert found.entries[0].body_url == ("https://regulator.example/1" if is_followed else None)


def test_the_feeds_own_format_and_zone_hold() -> None:
    body = RSS.replace(b"<link>", b"<pubDate>10/07/2019 09:00</pubDate><link>")
    found = entries_here(fetched(body), source("rss", date_format="%d/%m/%Y"), time_zone="Asia/Shanghai")
    assert isinstance(found, Parsed)
    assert found.entries[0].published_at == datetime(2019, 7, 10, 1, tzinfo=UTC)


# --- refusals and limits -----------------------------------------------------------------------------------------------

STATES = [
    (
        "a challenge",
        b"<html><head><title>Just a moment...</title></head><body>Checking</body></html>",
        Health.BLOCKED,
        "instead of the list",
    ),
    (
        "a denial in GBK",
        '<html><head><meta charset="gb2312"></head><body>您的访问被拒绝</body></html>'.encode("gbk"),
        Health.BLOCKED,
        "refusal",
    ),
    ("a denial without tags", b"Access denied", Health.BLOCKED, "Access denied"),
    ("another page", b"<html><title>Welcome</title><body><p>Hello</p></body></html>", Health.CHANGED_LAYOUT, "on a page titled 'Welcome'"),
    ("nothing", b" \r\n\0", Health.EMPTY, "no content"),
    ("a PDF", b"%PDF-1.7\n\xff\xfe\0", Health.CHANGED_LAYOUT, "matches nothing"),
]


@pytest.mark.parametrize(("body", "health", "words"), [case[1:] for case in STATES], ids=[case[0] for case in STATES])
def test_a_page_without_its_list_has_a_state(body: bytes, health: Health, words: str) -> None:
    found = entries_here(fetched(body), source(**CELLS))
    assert isinstance(found, Failed)
    assert (found.health, words in found.detail) == (health, True), found


def test_a_list_that_speaks_of_captchas_is_a_list() -> None:
    body = LIST.replace(b"Harbour fined", b"Harbour fined: its captcha said Access denied").replace(
        b"<html>", b"<html><script src=/_Incapsula_Resource></script>"
    )
    assert isinstance(entries_here(fetched(body), source(**CELLS)), Parsed)


async def test_a_child_is_killed_when_a_list_takes_too_long_or_too_much() -> None:
    page = Page(LIST, "", URL, "UTC", listing_of(source(**CELLS)), 10)
    late = await call_in_child(read_list, page, ("nh3",), seconds=0.001)
    assert isinstance(late, str)
    assert "took longer than 0.001 s" in late
    rows = json.dumps([{"t": "x" * 100} for _ in range(40_000)]).encode()
    fat = Page(rows, "", URL, "UTC", listing_of(source("json", list_path=".", title_selector="t")), 10)
    ended = await call_in_child(read_list, fat, ("nh3",), headroom=2**20)
    assert isinstance(ended, str)
    assert "ended twice: it needs more than 1 MB" in ended
    assert isinstance(await entries_of(fetched(LIST), source(**CELLS)), Parsed)


async def test_two_children_serve_feeds_and_lists_alike() -> None:
    children = asyncio.Semaphore(2)
    jobs = [entries_of(fetched(body), row, children=children) for _, body, row in ANSWERS * 2]
    assert all(isinstance(found, Parsed) for found in await asyncio.gather(*jobs))


def test_a_child_loads_nothing_of_the_house() -> None:
    heavy = "{'storage', 'aiohttp', 'selectolax', 'trafilatura', 'pypdf'}"
    code = f"import sys, bot.feeds.listing, bot.feeds.bodies; print({heavy} & {{*sys.modules}})"
    root = Path(parse_module.__file__).parent.parent.parent
    assert subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True).stdout.strip() == "set()"


# --- the catalogue's cells ---------------------------------------------------------------------------------------------


def test_a_row_becomes_a_listing() -> None:
    made = listing_of(
        source("json", encoding="gbk", quirk_codes="title-noise;rel-links", list_path="a.b", title_selector="t", date_format="iso")
    )
    assert (made.kind, made.list_path, made.title, made.date_format, made.encoding, made.has_title_noise) == (
        "json",
        "a.b",
        "t",
        "iso",
        "gbk",
        True,
    )
    anchors = listing_of(source("link-pattern", item_selector="a[href*='/p/']"))
    assert (anchors.title, anchors.link) == ("self", "self")


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("item_selector", "a["),
        ("title_selector", "xpath://h1"),
        ("date_selector", "url:("),
        ("date_format", "yyyy"),
        ("body_selector", "field:"),
    ],
)
def test_a_cell_that_cannot_be_read_is_named(column: str, cell: str) -> None:
    with pytest.raises(WrongCell) as caught:
        listing_of(source(**(CELLS | {column: cell})))
    assert caught.value.column == column
    assert str(caught.value)


# --- preview -----------------------------------------------------------------------------------------------------------

HEAD = (
    b'<html><head><title>News</title><link rel="alternate" type="application/rss+xml" href="/feed.xml"><link rel=alternate'
    b" type=application/feed+json href=feed.json><link rel='alternate' type='application/rss+xml' href='/feed.xml'>"
    b"<link rel=stylesheet href=a.css><link type='application/atom+xml'></head></html>"
)


def test_the_feeds_that_a_page_names() -> None:
    assert feeds_on(HEAD, URL) == ("https://regulator.example/feed.xml", "https://regulator.example/news/feed.json")
    assert feeds_on(HEAD, "") == ("/feed.xml", "feed.json")
    assert feeds_on(LIST, URL) == ()


async def test_a_saved_page_is_previewed_as_its_source_and_without_one_says_which_feeds_it_links_to(tmp_path: Path) -> None:
    page, other = tmp_path / "list.html", tmp_path / "news.html"
    page.write_bytes(LIST)
    other.write_bytes(HEAD)
    async with Fetcher(now=lambda: datetime(2021, 3, 19, tzinfo=UTC)) as fetcher:
        shown = await preview_of(str(page), fetcher, source(**CELLS), time_zone="Europe/London")
        assert [line["title"] for line in shown.lines()] == ["Harbour fined"]
        assert (shown.entries[0].link, shown.entries[0].published_at) == ("https://regulator.example/1", datetime(2021, 3, 18, tzinfo=UTC))
        unknown = await preview_of(str(other), fetcher)
        assert unknown.error is Health.CHANGED_LAYOUT
        assert unknown.detail.endswith("find the feed's new address on it; it links to /feed.xml, feed.json")


def test_what_is_no_json_feed_says_so() -> None:
    found = parse_feed(b'{"error": 1}', "application/json", URL)
    assert isinstance(found, Failed)
    assert "it is no JSON Feed" in found.detail
