"""Every feed of the catalogue that is on: its row is read as the poller reads it, in its zone and with its quirks.

The bodies are made by the tests, so this proves the rows; what real feeds do is told by the recordings.
"""

from __future__ import annotations

import csv
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.feeds import Failed, Fetched, Parsed
from bot.feeds.catalog import load_catalogue
from bot.feeds.dates import at_day
from bot.feeds.pages import entries_here
from storage.models import Health, Precision
from storage.records import SourceRow

CATALOGUE = load_catalogue("ops@watch.example")
ZONES = {body.id: body.time_zone for body in CATALOGUE.regulators}
FEEDS = [row for row in CATALOGUE.sources if row.is_enabled and row.kind in ("rss", "atom")]

RDF = """<rdf:RDF xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><channel rdf:about="/"><title>T</title></channel>{entries}</rdf:RDF>"""
RSS = '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>T</title>{entries}</channel></rss>'
ATOM = '<feed xmlns="http://www.w3.org/2005/Atom">{entries}</feed>'


def body_of(row: SourceRow) -> str:
    """Two entries as that source prints them: a local day and a moment, a relative link, HTML where the row speaks of it."""
    quirks = row.definition["quirk_codes"].split(";")
    text = "&lt;p&gt;It was &lt;b&gt;fined&lt;/b&gt;.&lt;/p&gt;" if "html-desc" in quirks else "It was fined."
    if row.kind == "atom":
        one = "<entry><id>a</id><title>First</title><link href='/news/1'/><updated>2024-05-14T08:30:00Z</updated>"
        one += f"<summary>{text}</summary></entry>"
        two = "<entry><id>b</id><title>Second</title><link href='https://x.example/2'/><updated>2024-05-13T08:30:00Z</updated></entry>"
        return ATOM.format(entries=one + two)
    moment = "<dc:date>2024-05-14T08:30:00Z</dc:date>" if "rdf" in quirks else "<pubDate>Tue, 14 May 2024 08:30:00 GMT</pubDate>"
    one = f"<item><title>First</title><link>/news/1</link><description>{text}</description>{moment}</item>"
    two = "<item><title>Second</title><link>https://x.example/2</link><dc:date>2024-05-13</dc:date></item>"
    return (RDF if "rdf" in quirks else RSS).format(entries=one + two)


def read(row: SourceRow, body: str) -> Parsed | Failed:
    got = Fetched(row.url, 200, body.encode(), "", None, None, None, 0.0)
    return entries_here(got, row, time_zone=ZONES[row.regulator_id or ""])


@pytest.mark.parametrize("row", FEEDS, ids=lambda row: row.id)
def test_a_feed_that_is_on_reads_what_its_row_says(row: SourceRow) -> None:
    found = read(row, body_of(row))
    assert isinstance(found, Parsed), found
    first, second = found.entries
    assert (first.title, first.text, second.title) == ("First", "It was fined.", "Second")
    assert first.link is not None
    assert first.link.startswith(("http://", "https://"))
    assert first.link.endswith("/news/1")
    assert first.published_at == datetime.fromisoformat("2024-05-14T08:30:00+00:00")
    if row.kind != "atom":
        begun = at_day(date(2024, 5, 13), ZoneInfo(ZONES[row.regulator_id or ""]))
        assert (second.published_at, second.published_precision) == (begun, Precision.DAY)
    # a title alone is followed, unless the source's terms forbid to keep more
    assert second.body_url == (None if "terms" in row.definition["quirk_codes"].split(";") else "https://x.example/2")


@pytest.mark.parametrize("row", FEEDS, ids=lambda row: row.id)
def test_a_page_in_its_place_is_no_news(row: SourceRow) -> None:
    found = read(row, "<!doctype html><html><title>Welcome</title><p>Our site has a new look.</p></html>")
    assert isinstance(found, Failed)
    assert found.health is Health.CHANGED_LAYOUT


def test_recorded_feeds_are_read_whole(shared: Path) -> None:
    """Each recorded feed gives as many entries as its manifest counted."""
    with (shared / "recorded" / "MANIFEST.csv").open(encoding="utf-8", newline="") as manifest:
        rows = [row for row in csv.DictReader(manifest) if row["file"].endswith(".xml") and "feedparser: version=" in row["check"]]
    assert len(rows) > 100
    wrong = []
    for row in rows:
        got = Fetched("https://a.test/feed", 200, (shared / "recorded" / row["file"]).read_bytes(), "", None, None, None, 0.0)
        found = entries_here(got, None)
        n = len(found.present) if isinstance(found, Parsed) else 0
        if n != int(row["item_count"] or 0):
            wrong.append((row["file"], n, row["item_count"]))
    assert wrong == []
