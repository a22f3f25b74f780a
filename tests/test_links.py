"""What a notice links to: which addresses are its own text's, from a feed, a page or a JSON answer to the case that they lead to."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from bot.extract import FirmIndex, extract
from bot.feeds import Fetched, Parsed
from bot.feeds.fetch import Fetcher
from bot.feeds.links import MAX_LINKS, links_of
from bot.feeds.pages import body_here, entries_here
from bot.feeds.parse import parse_feed
from bot.poll import Poller
from storage import Store
from storage.models import Action, Document
from storage.records import AliasRow, DocumentText, Extraction, FirmRow, Register, RegulatorRow, SourceRow
from tests.fakes.clock import FakeClock
from tests.fakes.web import Answer, FakeWeb
from tests.fakes.world import World, item, rss

HOST = "https://regulator.example"
FEED = f"{HOST}/feeds/all"
OWN = f"{HOST}/news/2"
DECISION = f"{HOST}/news/1"


def linked(inner: str) -> tuple[str, ...]:
    """The links of a feed's entry whose content is this HTML."""
    content = f"<title>T</title><link>{OWN}</link><description>{escape(inner)}</description>"
    body = f'<?xml version="1.0"?><rss version="2.0"><channel><title>F</title><item>{content}</item></channel></rss>'
    parsed = parse_feed(body.encode(), "application/rss+xml", FEED)
    assert isinstance(parsed, Parsed)
    (entry,) = parsed.entries
    return entry.links


# --- of a feed -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("html", "links"),
    [
        pytest.param(f"See our <a href='{DECISION}'>decision</a>.", [DECISION], id="behind a word"),
        pytest.param(
            "See our <a href='/news/1'>decision</a> and <a href='b.pdf'>the order</a>", [DECISION, f"{HOST}/feeds/b.pdf"], id="relative"
        ),
        pytest.param("<A\nHREF=/news/1 >decision</A>", [DECISION], id="in capitals, bare, on two lines"),
        pytest.param(
            "<a href='/b'>b</a><a href='/a'>a</a><a href='/b#part'>b</a>", [f"{HOST}/b", f"{HOST}/a"], id="each once, in order, no fragment"
        ),
        pytest.param(
            "<a href='http://regulator.example/news/1/'>a</a> <a href='/news/1'>b</a>",
            ["http://regulator.example/news/1/"],
            id="one page by http and https",
        ),
        pytest.param(
            f"<a href='{OWN}'>read on</a> <a href='{OWN}#more'>more</a> <a href='http{OWN[5:]}/'>all</a>", [], id="its own address"
        ),
        pytest.param(f"<a href='{FEED}'>all news</a> <a href='/'>us</a> <a href='{HOST}'>we</a>", [], id="the feed, the front page"),
        pytest.param("<a href='#top'>top</a><a href=''>x</a><a>y</a><a name=z>z</a>", [], id="none but a fragment"),
        pytest.param(
            "<a href='mailto:a@b.example'>a</a><a href='tel:1'>b</a><a href='javascript:x()'>c</a><a href='data:,x'>d</a><a href='file:///e'>e</a>",
            [],
            id="no web address",
        ),
        pytest.param("<a href='http://[::1'>a</a><a href='https://'>b</a><a href='http://a:99999/x'>c</a>", [], id="broken addresses"),
        pytest.param("<a href='/photo'><img src=x></a><a href='/empty'> </a>", [], id="without a word: a picture, nothing"),
        pytest.param(
            "<p>a</p><nav><a href='/a'>a</a></nav><footer><a href='/b'>b</a></footer><div role=navigation><a href='/c'>c</a></div>",
            [],
            id="menus and feet",
        ),
        pytest.param("<div class='post-tags'><a href='/t'>Banks</a></div><a rel='nofollow tag' href='/u'>Fines</a>", [], id="tags"),
        pytest.param(
            "<ul class='x social-share'><li><a href='/s?u=1'>Share</a></ul><a href='https://www.facebook.com/sharer?u=1'>Post</a>"
            "<a href='https://X.com/intent/post?text=a'>X</a><a href='https://service.weibo.com/share?u=1'>微博</a>",
            [],
            id="buttons to share it",
        ),
        pytest.param("<section id=related-news><a href='/r'>Another bank fined</a></section>", [], id="related notices"),
        pytest.param("<div class='text no-sidebar'><a href='/news/1'>decision</a></div>", [DECISION], id="a class that denies"),
        pytest.param(
            "<div class='shareholders international menus'><a href='/news/1'>decision</a></div>",
            [DECISION],
            id="classes that only begin so",
        ),
        pytest.param(
            "<!-- <a href='/a'>a</a> --><script>'<a href=/b>b</a>'</script><template><a href='/c'>c</a></template>",
            [],
            id="nobody sees them",
        ),
        pytest.param("&lt;a href='/news/1'&gt;decision&lt;/a&gt;", [], id="markup that is printed as text"),
        pytest.param("<a href='/a b\"<c>'>a</a>", [f"{HOST}/a%20b%22%3Cc%3E"], id="what would break a message is quoted"),
        pytest.param("<p>An unclosed <a href='/news/1'>decision<p>and more", [DECISION], id="unclosed"),
        pytest.param("Printed: https://regulator.example/news/1", [], id="a printed one is the reader's to find"),
        pytest.param(
            "".join(f"<a href='/n/{at}'>{at}</a>" for at in range(50)), [f"{HOST}/n/{at}" for at in range(MAX_LINKS)], id="at most twenty"
        ),
    ],
)
def test_what_an_entry_links_to(html: str, links: list[str]) -> None:
    assert linked(html) == tuple(links)


def test_the_content_whose_text_is_kept_is_the_one_whose_links_are() -> None:
    content = "<content:encoded xmlns:content='http://purl.org/rss/1.0/modules/content/'>"
    whole = escape("<p>The whole notice, which links to <a href='/news/1'>the decision</a>.</p>")
    inner = f"<title>T</title><description>In short.</description>{content}{whole}</content:encoded>"
    body = f"<rss version='2.0'><channel><item>{inner}</item></channel></rss>"
    parsed = parse_feed(body.encode(), "application/rss+xml", FEED)
    assert isinstance(parsed, Parsed)
    assert parsed.entries[0].links == (DECISION,)
    assert parsed.entries[0].text == "The whole notice, which links to the decision."


_PIECES = st.sampled_from(["<a href=/b>", "</a>", "<p>", "x", "<nav>", "</nav>", "<a\n", "<table>"])


@given(st.one_of(st.text(), st.text().map("<a href='/a'>".__add__), st.lists(_PIECES, max_size=30).map("".join)))
def test_any_markup_gives_web_addresses(markup: str) -> None:
    found = links_of(markup, FEED, OWN)
    assert len(found) <= MAX_LINKS
    assert len(set(found)) == len(found)
    assert all(one.startswith(("https://", "http://")) for one in found)


# --- of a page -------------------------------------------------------------------------------------------------------

STORY = "The regulator has fined Harbour & Sons two million pounds for filing its reports late in three years, and said why."
MORE = "<p>Harbour & Sons may appeal within a month. It agreed with the facts, and was given a discount for that by the regulator.</p>"
MENU = "<nav><a href=/all>News</a></nav><ul class=list><li><a href='/guides/1'>Guides</a><li><a href='/forms/2'>Forms</a></ul>"
ASIDE = "<div class=more><h3>More news</h3><ul><li><a href='/news/7'>Lantern Bank warned</a><li><a href='/news/8'>Bell fined</a></ul></div>"


def page(text: str, head: str = "") -> str:
    html = f"<html><head><title>Regulator</title>{head}</head><body>{MENU}<article id=text><h1>Harbour fined</h1><p>{STORY}</p>"
    return f"{html}{text}{MORE}</article>{ASIDE}<footer><a href='/contact'>Write to us</a></footer></body></html>"


def links_on(document: str, **cells: str) -> tuple[str, ...]:
    row = SourceRow(id="xx-news", regulator_id="xx", url=FEED, kind="html-list", definition=cells)
    got = Fetched(OWN, 200, document.encode(), "application/json" if document[:1] == "{" else "text/html", None, None, None, 0.0)
    return getattr(body_here(got, row), "links")  # noqa: B009  # a Failed has none, and says so


@pytest.mark.parametrize("cells", [{}, {"body_selector": "#text"}], ids=["the main text is looked for", "the row names the element"])
@pytest.mark.parametrize(
    ("text", "links"),
    [
        pytest.param(
            "<p>It follows <a href='/news/1'>the decision</a> of last March on the same reports.</p>", [DECISION], id="in a sentence"
        ),
        pytest.param(
            "<p>It follows <b><i><a href=1>the decision</a></i></b> of last March on the same reports.</p>",
            [DECISION],
            id="within other marks",
        ),
        pytest.param(
            "<p>It follows the decision of last March.<br>See <a href='/news/1'>there</a> for what was said.</p>",
            [DECISION],
            id="behind a break",
        ),
        pytest.param(f"<p>It follows <a href='{OWN}#facts'>the facts above</a> and nothing else at all.</p>", [], id="to itself"),
        pytest.param("<p>It follows a decision of last March, which it does not link to at all.</p>", [], id="none"),
    ],
)
def test_what_a_page_links_to(text: str, links: list[str], cells: dict[str, str]) -> None:
    assert links_on(page(text), **cells) == tuple(links)


def test_a_pages_own_base_resolves_its_links() -> None:
    told = page("<p>It follows <a href='news/1'>the decision</a> of last March.</p>", "<base href='https://archive.example/old/'>")
    assert links_on(told) == ("https://archive.example/old/news/1",)


@pytest.mark.parametrize(("cells", "links"), [({"body_selector": "#text"}, (DECISION,)), ({}, ())])
def test_a_line_that_is_no_part_of_the_text_links_to_nothing(cells: dict[str, str], links: tuple[str, ...]) -> None:
    """A line that is a link alone: the reader of main texts takes it for a menu's, a named element holds it."""
    assert links_on(page("<p><a href='/news/1'>The decision of last March on the reports of Harbour</a></p>"), **cells) == links


def test_a_short_link_beside_the_text_is_no_citation_because_its_word_stands_in_the_text() -> None:
    told = page("").replace("<footer>", "<p><a href='/late'>late</a></p><div><a href='/years'>years</a></div><footer>")
    assert links_on(told) == ()


def test_an_element_inside_another_links_once() -> None:
    told = page("<p id=inner>It follows <a href='/news/1'>the decision</a> of last March.</p>")
    assert links_on(told, body_selector="#text, #inner") == (DECISION,)


def test_a_json_answer_that_holds_html() -> None:
    told = json.dumps({"text": f"<p>{STORY} It follows <a href='/news/1'>the decision</a>.</p>"})
    assert links_on(told, body_selector="field:text") == (DECISION,)


@pytest.mark.parametrize(
    ("answer", "kind", "cells"),
    [
        pytest.param(
            {
                "version": "https://jsonfeed.org/version/1.1",
                "items": [{"id": "2", "url": OWN, "title": "T", "content_html": "<a href='/news/1'>decision</a>"}],
            },
            "rss",
            {},
            id="a JSON Feed",
        ),
        pytest.param(
            {"list": [{"title": "T", "url": OWN, "html": "<a href='/news/1'>decision</a>"}]},
            "json",
            {"list_path": "list", "title_selector": "title", "link_selector": "url", "body_selector": "field:html"},
            id="a JSON list",
        ),
    ],
)
def test_an_item_of_json_that_holds_html(answer: object, kind: str, cells: dict[str, str]) -> None:
    row = SourceRow(id="xx-news", regulator_id="xx", url=FEED, kind=kind, definition=cells)
    parsed = entries_here(Fetched(FEED, 200, json.dumps(answer).encode(), "application/json", None, None, None, 0.0), row)
    assert isinstance(parsed, Parsed)
    (entry,) = parsed.entries
    assert (entry.text, entry.links) == ("decision", (DECISION,))


# --- to its case -------------------------------------------------------------------------------------------------------------

SEC = RegulatorRow("xx", "Securities and Exchange Commission", "", ("SEC",), (), "US", "America/New_York")
REGISTER = Register("1", (FirmRow("acme", "Acme Bank"),), (AliasRow("acme", "Acme Bank"),), (), (SEC,))
INDEX = FirmIndex(REGISTER)


def read(document: DocumentText) -> Extraction:
    return extract(document, INDEX)


@pytest.fixture
async def world(store: Store, clock: FakeClock) -> AsyncIterator[World]:
    """One body, its feed, and the real reader, on both databases."""
    async with FakeWeb() as web, Fetcher(now=clock, allow=frozenset({web.host_port}), host_gap=timedelta()) as fetcher:
        world = World(store, web, fetcher, clock)
        world.poller = Poller(store, fetcher, read, now=clock)
        await store.sync_catalogue([SEC], [])
        await store.sync_register(REGISTER)
        await world.add("/feed")
        yield world


def told(number: int, title: str, html: str, day: int) -> str:
    return item(number, title, at=datetime(2021, 3, day, 12, tzinfo=UTC), link=f"https://body.example/news/{number}", text=escape(html))


FINED = told(1, "SEC fines Acme Bank", "The Securities and Exchange Commission fined Acme Bank $5 million.", 10)
APPEALED = "Acme Bank appealed against the fine of $5 million imposed by the Securities and Exchange Commission. See {}."


async def cases(store: Store) -> list[tuple[str, int, str]]:
    async with store._read() as session:
        return [(row.kind.value, row.case_id, row.case_reason) for row in await session.exec(select(Action).order_by(Action.id))]  # type: ignore[arg-type]


async def test_an_entry_that_links_the_first_behind_a_word_joins_its_case(world: World) -> None:
    await world.poll(rss(FINED))
    words = "the <a href='https://body.example/news/1'>decision</a> and <a href='https://body.example/about/us'>who we are</a>"
    await world.poll(rss(told(2, "Acme Bank appeals", APPEALED.format(words), 18), FINED))
    (_, case, _), (kind, joined, reason) = await cases(world.store)
    assert (kind, joined, reason) == ("appeal", case, "links https://body.example/news/1")
    async with world.store._read() as session:
        texts = {row.url: (row.text, row.links) for row in await session.exec(select(Document))}
    text, links = texts["https://body.example/news/2"]
    assert "https://" not in text
    assert links == ["https://body.example/news/1", "https://body.example/about/us"]
    assert texts["https://body.example/news/1"][1] == []


async def test_an_entry_that_links_ten_joins_none(world: World) -> None:
    await world.poll(rss(FINED))
    words = ", ".join(f"<a href='https://body.example/news/{at}'>number {at}</a>" for at in (1, *range(20, 29)))
    await world.poll(rss(told(2, "Acme Bank appeals", APPEALED.format(words), 18), FINED))
    (_, case, _), (kind, other, reason) = await cases(world.store)
    assert (kind, reason) == ("appeal", "")
    assert other != case


async def test_a_stored_text_is_read_again_with_its_links_and_an_edit_brings_its_own(world: World) -> None:
    await world.poll(rss(FINED))
    words = "the <a href='https://body.example/{}'>decision</a>"
    await world.poll(rss(told(2, "Acme Bank appeals", APPEALED.format(words.format("news/1")), 18), FINED))
    assert [one.document.links for one in await world.store.texts()] == [(), ("https://body.example/news/1",)]
    edited = APPEALED.format(words.format("orders/9")) + " The court will hear it."
    line = await world.poll(rss(told(2, "Acme Bank appeals", edited, 18), FINED))
    assert (line.new, line.changed) == (0, 1)
    (_, again) = await world.store.texts()
    assert again.document.links == ("https://body.example/orders/9",)
    assert read(again.document).cited_urls == ("https://body.example/orders/9",)


async def test_a_page_that_is_read_late_adds_its_links_to_those_of_the_list(world: World) -> None:
    cell = {"body_selector": "div.text"}
    await world.add("/feed", definition=cell)
    own = world.web.url("/news/2")
    listed = item(2, "Acme Bank", at=datetime(2021, 3, 18, 12, tzinfo=UTC), link=own, text=escape("See <a href='/news/1'>there</a>."))
    await world.poll(rss(listed))
    assert [one.document.links for one in await world.store.texts()] == [(world.web.url("/news/1"),)]
    told = f"{STORY} It follows <a href='/orders/9'>an order</a> and <a href='/news/1'>a decision</a>."
    world.web.put("/news/2", Answer(f"<div class=text><p>{told}</p></div>".encode(), headers={"Content-Type": "text/html"}))
    line = await world.poll(rss(listed))
    assert line.changed == 1
    assert [one.document.links for one in await world.store.texts()] == [(world.web.url("/news/1"), world.web.url("/orders/9"))]


async def test_two_entries_of_one_text_are_read_with_the_links_of_each(world: World) -> None:
    await world.poll(rss(FINED))
    html = APPEALED.format("the <a href='https://body.example/{}'>decision</a>")
    entries = [told(number, "Acme Bank appeals", html.format(where), 18) for number, where in ((2, "orders/9"), (3, "news/1"))]
    await world.poll(rss(*entries, FINED))
    # of one day, and listed with the newest first
    assert [one.document.links for one in await world.store.texts()][1:] == [
        ("https://body.example/news/1",),
        ("https://body.example/orders/9",),
    ]


def test_what_a_text_prints_comes_before_what_it_links_to_each_once() -> None:
    document = DocumentText("T", "See https://a.example/1 for more.", links=("https://a.example/2", "https://a.example/1"))
    assert read(document).cited_urls == ("https://a.example/1", "https://a.example/2")
