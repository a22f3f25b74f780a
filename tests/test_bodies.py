"""The text of a notice's own page: the element that is named, the main text, a PDF, a JSON answer; and what is none."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.feeds import Body, Failed, Fetched
from bot.feeds.bodies import MAX_PAGES, BodyPage, RawBody, read_body
from bot.feeds.catalog import load_catalogue
from bot.feeds.pages import body_here, body_of
from bot.feeds.reading import MAX_TEXT
from storage.models import Health, Precision
from storage.records import SourceRow

URL = "https://regulator.example/news/1"
STORY = "The regulator has fined Harbour & Sons two million pounds for filing its reports late in three years."
PAGE = f"""<!DOCTYPE html><html><head><title>Regulator</title><meta name=PubDate content='2021-03-18 09:30:00'></head><body>
<nav><a href=/>Home</a> <a href=/about>About the regulator and what it does for you</a></nav>
<h1>Harbour fined</h1><p class=date>18 March 2021</p><div id=zoom><p>{STORY.replace("&", "&amp;")}</p><p>{STORY[:40]} again.</p>
<script>track()</script></div>
<aside>Related: Lantern Bank warned</aside><footer>Contact us by telephone or by letter</footer></body></html>"""


def fetched(body: bytes | str, content_type: str = "text/html") -> Fetched:
    return Fetched(URL, 200, body.encode() if isinstance(body, str) else body, content_type, None, None, None, 0.0)


def source(kind: str = "html-list", **cells: str) -> SourceRow:
    return SourceRow(id="xx-body-news", regulator_id="xx-body", url=URL, kind=kind, definition=cells)


def body(document: bytes | str, content_type: str = "text/html", zone: str = "UTC", **cells: str) -> Body:
    found = body_here(fetched(document, content_type), source(**cells), time_zone=zone)
    assert isinstance(found, Body), found
    return found


def failed(document: bytes | str, content_type: str = "text/html", **cells: str) -> Failed:
    found = body_here(fetched(document, content_type), source(**cells))
    assert isinstance(found, Failed), found
    return found


def pdf(*pages: str) -> bytes:
    """A PDF of one line a page, written by hand."""
    n = len(pages)
    parts = ["<</Type/Catalog/Pages 2 0 R>>", f"<</Type/Pages/Count {n}/Kids[{' '.join(f'{4 + 2 * i} 0 R' for i in range(n))}]>>"]
    parts.append("<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
    for number, text in enumerate(pages):
        drawn = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET" if text else ""
        parts.append(f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</Font<</F1 3 0 R>>>>/Contents {5 + 2 * number} 0 R>>")
        parts.append(f"<</Length {len(drawn)}>>stream\n{drawn}\nendstream")
    out, places = "%PDF-1.4\n", []
    for number, part in enumerate(parts, start=1):
        places.append(len(out))
        out += f"{number} 0 obj{part}endobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    out += (
        f"xref\n0 {len(parts) + 1}\n0000000000 65535 f \n{table}trailer<</Size {len(parts) + 1}/Root 1 0 R>>\nstartxref\n{len(out)}\n%%EOF"
    )
    return out.encode("latin-1")


# --- pages ---------------------------------------------------------------------------------------------------------------


def test_the_element_that_the_row_names_is_the_text() -> None:
    found = body(PAGE, body_selector="div.x, #zoom")
    assert found.text == f"{STORY}\n{STORY[:40]} again."
    assert (found.title, found.warnings) == ("", ())


def test_an_element_inside_another_is_not_told_twice() -> None:
    assert body(PAGE, body_selector="#zoom, #zoom p").text == f"{STORY}\n{STORY[:40]} again."


def test_without_a_selector_or_where_it_matches_nothing_the_main_text_is_looked_for() -> None:
    found = body(PAGE)
    assert STORY in found.text
    assert "Contact us" not in found.text
    missed = body(PAGE, body_selector=".TRS_Editor")
    assert missed.text == found.text
    assert missed.warnings == ("body_selector '.TRS_Editor' matches nothing here; the main text was looked for",)
    assert STORY in body(PAGE, body_selector="field:body").text


@pytest.mark.parametrize(
    ("cells", "at", "precision", "warnings"),
    [
        ({"date_selector": "detail:meta[name=PubDate]", "date_format": "%Y-%m-%d %H:%M:%S"}, "2021-03-18T01:30", Precision.MINUTE, ()),
        ({"date_selector": "detail:.date"}, "2021-03-18", Precision.DAY, ()),
        ({"date_selector": "detail:.nothing"}, None, None, ("date_selector '.nothing' matches nothing here",)),
        ({"date_selector": "detail:h1"}, None, None, ("no date: cannot read 'Harbour fined'",)),
        ({"date_selector": "span"}, None, None, ()),
        ({}, "2021-03-18T01:30", Precision.MINUTE, ()),
    ],
)
def test_dates_that_only_the_page_tells(
    cells: dict[str, str], at: str | None, precision: Precision | None, warnings: tuple[str, ...]
) -> None:
    found = body(PAGE, zone="Asia/Shanghai", body_selector="#zoom", **cells)
    assert (found.published_at, found.published_precision) == (datetime.fromisoformat(at).replace(tzinfo=UTC) if at else None, precision)
    assert found.warnings == warnings


def test_a_title_that_only_the_page_tells() -> None:
    assert body(PAGE, title_selector="detail:h1").title == "Harbour fined"
    assert body(PAGE, title_selector="detail:meta[name=PubDate]").title == "2021-03-18 09:30:00"
    assert body(PAGE, title_selector="detail:h2").warnings == ("title_selector 'h2' matches nothing here",)
    assert body(PAGE, title_selector="h1").title == ""


def test_a_page_in_gbk() -> None:
    story = "市场监管总局依法对某平台企业作出行政处罚，责令其停止违法行为，并处以罚款一百八十二亿元。" * 2
    page = f"<html><head><meta charset=gb2312></head><body><div id=zoom>{story}</div></body></html>".encode("gbk")
    assert body(page, body_selector="#zoom").text == body(page).text == story


@pytest.mark.parametrize(
    ("document", "content_type", "health", "words"),
    [
        (
            "<html><title>Just a moment...</title><body>Checking your browser</body></html>",
            "text/html",
            Health.BLOCKED,
            "instead of the notice",
        ),
        ("Access denied", "text/plain", Health.BLOCKED, "a refusal"),
        ("<html><body><h1>Harbour</h1></body></html>", "text/html", Health.EMPTY, "hardly any text"),
        ("", "text/html", Health.EMPTY, "hardly any text (0 characters)"),
        (b"PK\x03\x04\0\0word/document.xml", "application/msword", Health.ERROR, "neither a page nor a PDF came, but application/msword"),
        (b"%PDF-1.7\n\xff\xfe\0", "application/pdf", Health.ERROR, "the reader gave up"),
        (pdf("", ""), "application/pdf", Health.EMPTY, "the PDF of 2 pages holds hardly any text: a scan"),
    ],
)
def test_what_holds_no_text_is_failed_with_words(document: bytes | str, content_type: str, health: Health, words: str) -> None:
    found = failed(document, content_type)
    assert (found.health, words in found.detail) == (health, True), found


def test_a_short_notice_that_names_a_captcha_is_a_notice_where_the_row_knows_its_element() -> None:
    page = f"<html><title>Regulator</title><body><div id=zoom>{STORY} Its captcha failed.</div></body></html>"
    assert body(page, body_selector="#zoom").text.endswith("Its captcha failed.")


def test_a_text_without_end_is_cut() -> None:
    found = body(f"<div id=zoom>{'word ' * 60_000}</div>", body_selector="#zoom")
    assert (len(found.text), found.warnings) == (MAX_TEXT, ("text cut at 200,000 characters",))


# --- JSON and PDF --------------------------------------------------------------------------------------------------------

GET = {"body_selector": "get:https://regulator.example/doc?id={id} field:data.docClob"}


def test_the_field_of_a_second_answer() -> None:
    answer = json.dumps({"data": {"docClob": f"<table><tr><td>{STORY.replace('&', '&amp;')}</td><td>Fine</td></tr></table>"}})
    assert body(answer, "application/json", **GET).text == f"{STORY}\nFine"
    assert "the answer has no data.docClob" in failed('{"data":{}}', **GET).detail
    assert "what came is no JSON" in failed("<p>x</p>", **GET).detail
    assert failed('{"data":{"docClob":null}}', **GET).health is Health.EMPTY
    assert failed("<html><title>Access denied</title></html>", **GET).health is Health.BLOCKED


def test_a_pdf_by_its_content_whatever_it_is_called() -> None:
    story = "The regulator fined Harbour two million pounds, and Lantern three."
    for content_type in ("application/pdf", "text/html", ""):
        assert body(pdf(story), content_type, body_selector="#zoom").text == story
    assert body(pdf(story), **GET).text == story


def test_of_a_long_pdf_the_first_pages_are_read() -> None:
    found = body(pdf(*(f"Page {number} of the decision against Harbour" for number in range(MAX_PAGES + 5))))
    assert found.text.count("\n") == MAX_PAGES - 1
    assert found.warnings == (f"{MAX_PAGES} of {MAX_PAGES + 5} pages read",)


# --- the child ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("document", [PAGE.encode(), pdf(STORY[:80]), b"Access denied"], ids=["a page", "a PDF", "a refusal"])
async def test_a_child_reads_as_this_process_does(document: bytes) -> None:
    row = source(body_selector="#zoom", date_selector="detail:.date")
    here = body_here(fetched(document), row, time_zone="Europe/London")
    assert await body_of(fetched(document), row, time_zone="Europe/London", children=asyncio.Semaphore(2)) == here
    assert await body_of(fetched(document), None) == body_here(fetched(document), None)


PIECES = st.sampled_from(
    (
        b"<p> </p> <div\tid=zoom> </div> <meta\tname=PubDate\tcontent=2021-03-18> <h1> <table><tr><td> <script> %PDF-1.4 stream endstream "
        b'1\t0\tobj endobj trailer<</Root xref {"a": } [ ] "b" \xff\xfe \x00 &#xD800; word word'
    ).split(b" ")
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(PIECES, st.binary(max_size=6)), max_size=30).map(b"".join), st.sampled_from(["", "#zoom", "field:a", "p"]))
def test_no_bytes_make_the_child_raise(document: bytes, text: str) -> None:
    found = read_body(BodyPage(document, "text/html", URL, "Asia/Shanghai", text, "h1", "meta", False, "text:%d %B %Y|iso"))
    assert isinstance(found, RawBody)
    assert bool(found.text) != bool(found.trouble)
    f"{found.title}{found.text}".encode()


# --- what others recorded ------------------------------------------------------------------------------------------------

RECORDED = [
    ("us-ca-ag-html", "us-ag-ca/detail_*.html", 15, True),
    ("us-ny-ag-press", "us-ag-ny/detail_*.html", 3, False),
    ("us-or-doj-press", "us-ag-or/detail_*.html", 2, True),
    ("us-tx-ag-press", "us-ag-tx/detail_*.html", 3, True),
    (None, "us-ag-va/detail_*.html", 3, True),
    (None, "us-ag-mn-releases/*.html", 60, True),
]


@pytest.mark.parametrize(("name", "pattern", "least", "fits"), RECORDED, ids=[case[1] for case in RECORDED])
def test_recorded_notices_have_a_text(shared: Path, name: str | None, pattern: str, least: int, fits: bool) -> None:
    row = next((row for row in load_catalogue().sources if row.id == name), None)
    files = sorted((shared / "recorded").glob(pattern))
    assert len(files) >= least
    for file in files:
        found = body_here(fetched(file.read_bytes()), row, time_zone="America/New_York")
        assert isinstance(found, Body), (file.name, found)
        assert 1_000 < len(found.text) < 20_000, file.name
        assert "function(" not in found.text
        assert not found.warnings if fits else found.warnings[0].startswith("body_selector '.node__content' matches nothing here")
