"""Sources out and in: CSV as it was, OPML as other readers have it, and what is no list."""

from __future__ import annotations

import pytest

from bot.feeds.catalog import CatalogueError, load_catalogue, read_sources
from bot.feeds.opml import from_opml, to_csv, to_opml
from storage.models import Tier

CATALOGUE = load_catalogue()


def test_a_csv_comes_back_as_it_was() -> None:
    again = read_sources(to_csv(CATALOGUE.sources), CATALOGUE.regulators)
    assert again == CATALOGUE.sources


def test_an_opml_holds_the_feeds_and_comes_back_as_theirs() -> None:
    feeds = [row for row in CATALOGUE.sources if row.kind in ("rss", "atom")]
    text = to_opml(CATALOGUE.sources, CATALOGUE.regulators)
    assert text.count("<outline ") == len(feeds)
    again = read_sources(from_opml(text, "x.opml"), CATALOGUE.regulators)
    assert [(row.id, row.url, row.regulator_id, row.tier) for row in again] == [
        (row.id, row.url, row.regulator_id, row.tier) for row in feeds
    ]


OPML: list[tuple[str, str, list[tuple[str, str, str]]]] = [
    (
        "another reader's list, in folders",
        '<outline text="Law"><outline text="Law &amp; Order" type="rss" xmlUrl="https://a.test/f"/></outline>',
        [("law-order", "https://a.test/f", "Law & Order")],
    ),
    (
        "two of one name",
        '<outline text="News" xmlUrl="https://a.test/1"/><outline text="News" xmlUrl="https://a.test/2"/>',
        [("news", "https://a.test/1", "News"), ("news-2", "https://a.test/2", "News")],
    ),
    ("a name without Latin letters", '<outline text="新聞" xmlUrl="https://news.test/f"/>', [("news-test", "https://news.test/f", "新聞")]),
    ("no name", '<outline xmlUrl="https://news.test/f"/>', [("news-test", "https://news.test/f", "news.test")]),
    ("attributes in capitals", '<outline TITLE="A" XMLURL="https://a.test/f"/>', [("a", "https://a.test/f", "A")]),
    ("an outline without an address", '<outline text="A folder"/>', []),
]


@pytest.mark.parametrize(("outlines", "rows"), [case[1:] for case in OPML], ids=[case[0] for case in OPML])
def test_opml_of_others_is_the_press(outlines: str, rows: list[tuple[str, str, str]]) -> None:
    read = read_sources(from_opml(f'<opml version="1.0"><body>{outlines}</body></opml>', "x.opml"), ())
    assert [(row.id, row.url, row.definition["content"]) for row in read] == rows
    assert all(row.tier is Tier.SECONDARY and row.regulator_id is None for row in read)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<opml><body>", "x.opml: no OPML: no element found"),
        ("<rss/>", "x.opml: no OPML: its root is 'rss'"),
        ('<!DOCTYPE o [<!ENTITY a "a"><!ENTITY b "' + "&a;" * 5000 + '">]><opml><body>' + "&b;" * 5000 + "</body></opml>", "no OPML"),
    ],
    ids=["cut off", "a feed", "entities that grow without end"],
)
def test_what_is_no_opml_is_said(text: str, words: str) -> None:
    with pytest.raises(CatalogueError) as raised:
        from_opml(text, "x.opml")
    assert words in str(raised.value)
