"""What is no feed to entries: every list page and JSON interface of the catalogue, and the hard cases of each kind."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.feeds import Entry, Failed, Fetched, Parsed
from bot.feeds.asking import UNIT
from bot.feeds.catalog import Catalogue, load_catalogue
from bot.feeds.items import Listing
from bot.feeds.listing import Page, read_list
from bot.feeds.markup import decoded
from bot.feeds.pages import entries_here
from bot.feeds.reading import MAX_TEXT, Reading
from storage.models import Health, Precision
from storage.records import SourceRow
from tests.page_builder import json_answer, list_page, renamed

URL = "https://regulator.example/news/list.html"


def fetched(body: bytes | str, url: str = URL, content_type: str = "") -> Fetched:
    return Fetched(url, 200, body.encode() if isinstance(body, str) else body, content_type, None, None, None, 0.0)


def source(kind: str = "html-list", **cells: str) -> SourceRow:
    return SourceRow(id="xx-body-news", regulator_id="xx-body", url=URL, kind=kind, definition=cells)


def parsed(body: bytes | str, kind: str = "html-list", zone: str = "UTC", content_type: str = "", **cells: str) -> Parsed:
    result = entries_here(fetched(body, content_type=content_type), source(kind, **cells), time_zone=zone)
    assert isinstance(result, Parsed), result
    return result


def failed(body: bytes | str, kind: str = "html-list", **cells: str) -> Failed:
    result = entries_here(fetched(body), source(kind, **cells))
    assert isinstance(result, Failed), result
    return result


# --- every source of the catalogue -----------------------------------------------------------------------------------


@cache
def catalogue() -> Catalogue:
    return load_catalogue("ops@watch.example")


LISTS = [row for row in catalogue().sources if row.is_enabled and row.kind not in ("rss", "atom")]
ZONES = {regulator.id: regulator.time_zone for regulator in catalogue().regulators}


def built(row: SourceRow) -> tuple[str, list[tuple[str, str | None, date | None]]]:
    is_unit = row.definition["list_path"].startswith(UNIT)  # what is read is the answer one step behind the page
    definition = {**row.definition, "list_path": row.definition["list_path"].removeprefix(UNIT)}
    document, told = (json_answer if row.kind == "json" or is_unit else list_page)(definition)
    return document, [(one.title, one.link, one.day) for one in told]


@pytest.mark.parametrize("row", LISTS, ids=lambda row: row.id)
def test_a_source_that_is_on_reads_what_its_row_says(row: SourceRow) -> None:
    document, told = built(row)
    zone = ZONES[row.regulator_id or ""]
    found = entries_here(fetched(document, row.url), row, time_zone=zone)
    assert isinstance(found, Parsed), found
    assert (found.dropped, found.warnings) == ((), ())
    local = [(one.title, one.link, one.published_at and one.published_at.astimezone(ZoneInfo(zone)).date()) for one in found.entries]
    assert local == told
    is_exact = "%d" in row.definition["date_format"] or "%" not in row.definition["date_format"]
    finest = Precision.MINUTE if row.definition["date_format"] == "epoch-seconds" else Precision.DAY if is_exact else Precision.MONTH
    assert {one.published_precision for one in found.entries} == {finest if told[0][2] else None}
    again = entries_here(fetched(document, row.url), row, time_zone=zone, seen=frozenset(found.present))
    assert isinstance(again, Parsed)
    assert (again.entries, again.present) == ((), found.present)


@pytest.mark.parametrize("row", LISTS, ids=lambda row: row.id)
def test_a_source_whose_page_was_rebuilt_is_loud(row: SourceRow) -> None:
    found = entries_here(fetched(renamed(built(row)[0], row.definition), row.url), row)
    assert isinstance(found, Failed)
    assert (found.health, found.detail.endswith("look at the address and correct the source's row")) == (Health.CHANGED_LAYOUT, True)


@pytest.mark.parametrize(
    "row", [row for row in LISTS if row.kind == "json" and not row.definition["item_selector"]], ids=lambda row: row.id
)
def test_an_interface_without_items_is_empty_and_no_failure(row: SourceRow) -> None:
    answer: object = []
    for step in reversed(row.definition["list_path"].split(".") if row.definition["list_path"] != "." else []):
        answer = [answer] if step == "0" else {step: answer}
    assert entries_here(fetched(json.dumps(answer), row.url), row) == Parsed((), ())


RECORDED = [
    ("us-ny-ag-press", "us-ag-ny/listing_page_0.html", 25, 25, "https://ag.ny.gov/press-release/"),
    ("us-tx-ag-press", "us-ag-tx/listing_page_0.html", 10, 0, "https://www.texasattorneygeneral.gov/news/releases/"),
    ("us-ca-ag-html", "us-ag-ca/listing_page_0.html", 30, 30, "https://oag.ca.gov/news/press-releases/"),
    ("us-or-doj-press", "us-ag-or/listing_page_0.html", 5, 0, "https://www.doj.state.or.us/media-home/news-media-releases/"),
    ("lu-cssf-sanctions", "lu-cssf/listing_aifms_page1.html", 20, 0, "https://www.cssf.lu/en/Document/"),
    ("tw-sfb-enforcement-en", "tw-fsc/twfsc-list-sample.html", 3, 3, "https://www.sfb.gov.tw/en/home.jsp?id=100&parentpath=0,4"),
    ("kr-fss-en", "kr-fss/fss-sample.html", 3, 3, "https://www.fss.or.kr/eng/bbs/B0000211/view.do?nttId="),
    ("us-sec-fr", "us-federal-register/federal_register_documents.json", 5, 5, "https://www.federalregister.gov/documents/"),
]


@pytest.mark.parametrize(("name", "file", "n", "dated", "link"), RECORDED, ids=[case[0] for case in RECORDED])
def test_a_recorded_page_is_read(shared: Path, name: str, file: str, n: int, dated: int, link: str) -> None:
    (row,) = [row for row in catalogue().sources if row.id == name]
    found = entries_here(fetched((shared / "recorded" / file).read_bytes(), row.url), row, time_zone=ZONES[row.regulator_id or ""])
    assert isinstance(found, Parsed), found
    assert len(found.entries) == n
    assert all(one.title and "..." not in one.title and (one.link or "").startswith(link) for one in found.entries)
    assert [one.published_precision for one in found.entries if one.published_at] == [Precision.DAY] * dated


def test_a_recorded_register_without_links_is_read(shared: Path) -> None:
    (row,) = [row for row in catalogue().sources if row.id == "tr-spk-fines"]
    body = (shared / "recorded" / "tr-spk" / "spk-sample.json").read_bytes()
    found = entries_here(fetched(body, row.url), row, time_zone="Europe/Istanbul")
    assert isinstance(found, Parsed)
    assert [(one.link, bool(one.title), len(one.text) > 100, one.published_precision) for one in found.entries] == [
        (None, True, True, Precision.DAY)
    ] * 3
    assert len(set(found.present)) == 3


def test_a_recorded_page_that_no_longer_fits_its_row_is_loud(shared: Path) -> None:
    (row,) = [row for row in catalogue().sources if row.id == "us-wa-ag-press"]
    found = entries_here(fetched((shared / "recorded" / "us-ag-wa" / "listing_page_0.html").read_bytes(), row.url), row)
    assert isinstance(found, Failed)
    assert found.health is Health.CHANGED_LAYOUT
    assert found.detail.startswith("item_selector '.views-row' matches nothing on a page titled 'News | Washington State'")


# --- HTML --------------------------------------------------------------------------------------------------------------


def one(item: str, zone: str = "UTC", **cells: str) -> Entry:
    (entry,) = parsed(f"<ul>{item}</ul>", zone=zone, **({"item_selector": "li"} | cells)).entries
    return entry


@pytest.mark.parametrize(
    ("item", "cells", "title"),
    [
        ("<li><a href=/a>Harbour <b>fined</b>&nbsp;£2m</a> today</li>", {}, "Harbour fined £2m"),
        ("<li><a href=/a>Harbour</a></li>", {"title_selector": "self"}, "Harbour"),
        ("<li><h3>Harbour fined</h3><a href=/a>Read more</a></li>", {}, "Harbour fined Read more"),
        ("<li><a href=/a.pdf>PDF (1.2 MB)</a> Harbour fined</li>", {}, "PDF (1.2 MB) Harbour fined"),
        ("<li><a href=/a title='Harbour & Sons fined'>Harbour & S...</a></li>", {}, "Harbour & Sons fined"),
        ("<li><a href=/a title='Opens in a new window'>Harbour fined…</a></li>", {}, "Harbour fined…"),
        ("<li><a href=/a><img src=x alt='Harbour fined'></a></li>", {}, "Harbour fined"),
        ("<li><a href=/a title='Harbour fined'><img src=x></a></li>", {"title_selector": "a"}, "Harbour fined"),
        ("<li><h3>Old</h3><a href=/a>Harbour fined</a></li>", {"title_selector": "h3"}, "Old"),
        ("<li>Harbour fined, no link</li>", {}, "Harbour fined, no link"),
        ("<li><a href=/a>  </a>Harbour fined</li>", {}, "Harbour fined"),
        ("<li><a href=/a>Of­fi­cial</a></li>", {}, "Official"),
        ("<li><a href=/a><script>x()</script><style>a{}</style>Harbour</a></li>", {}, "Harbour"),
        ("<li data-no=7><a onclick=\"show('99')\">Harbour</a></li>", {"title_selector": "template:{no} {onclick}"}, "7 show('99')"),
    ],
)
def test_titles(item: str, cells: dict[str, str], title: str) -> None:
    assert one(item, **cells).title == title


@pytest.mark.parametrize(
    ("href", "cells", "link"),
    [
        ("/a", {}, "https://regulator.example/a"),
        ("a?b=1&amp;c=2", {}, "https://regulator.example/news/a?b=1&c=2"),
        ("//other.example/a", {}, "https://other.example/a"),
        ("../../a b", {}, "https://regulator.example/a%20b"),
        ("javascript:show(7)", {}, None),
        ("#", {}, None),
        ("mailto:a@b.example", {}, None),
        ("https://[broken", {}, None),
        (
            "javascript:show('77', 1)",
            {"link_selector": "template:https://regulator.example/view?no={no}"},
            "https://regulator.example/view?no=77",
        ),
    ],
)
def test_links(href: str, cells: dict[str, str], link: str | None) -> None:
    assert one(f'<li><a href="{href}">Harbour fined</a></li>', **cells).link == link


def test_a_pages_base_is_that_of_its_links() -> None:
    page = "<head><base href='/en/'></head><ul><li><a href='a'>Harbour</a></li></ul>"
    assert parsed(page, item_selector="li").entries[0].link == "https://regulator.example/en/a"
    broken = page.replace("/en/", "https://[x")
    assert parsed(broken, item_selector="li").entries[0].link == "https://regulator.example/news/a"


def test_an_onclick_fills_a_template() -> None:
    cells = {"title_selector": "a[onclick*='show']", "link_selector": "template:https://regulator.example/view?no={seqno}"}
    assert one("<li><a onclick='show(4711)'>Harbour</a></li>", **cells).link == "https://regulator.example/view?no=4711"


@pytest.mark.parametrize(
    ("inner", "cells", "at", "precision"),
    [
        ("<i>18.03.2021</i>", {"date_selector": "i"}, "2021-03-18", Precision.DAY),
        ("<i>10/07/2019</i>", {"date_selector": "i", "date_format": "%d/%m/%Y"}, "2019-07-10", Precision.DAY),
        ("<i>10/07/2019</i>", {"date_selector": "i"}, None, None),
        ("<i>[2021-03-18]</i>", {"date_selector": "i", "date_format": "[%Y-%m-%d]"}, "2021-03-18", Precision.DAY),
        ("<i>18.03.21</i>", {"date_selector": "i", "date_format": "%d.%m.%y"}, "2021-03-18", Precision.DAY),
        ("<i>Published: 10/07/2019</i>", {"date_selector": "i", "date_format": "Published: %d/%m/%Y"}, "2019-07-10", Precision.DAY),
        ("<i>Sept. 5, 2023</i>", {"date_selector": "i", "date_format": "%b. %d, %Y|%B %d, %Y"}, "2023-09-05", Precision.DAY),
        ("<i>May 5, 2023</i>", {"date_selector": "i", "date_format": "%b. %d, %Y|%B %d, %Y"}, "2023-05-05", Precision.DAY),
        ("<i>1er février 2021</i>", {"date_selector": "i"}, "2021-02-01", Precision.DAY),
        ("<i>giovedì 18 marzo 2021</i>", {"date_selector": "i"}, "2021-03-18", Precision.DAY),
        ("<i>18. März 2021</i>", {"date_selector": "i"}, "2021-03-18", Precision.DAY),
        ("<i>110-03-18</i>", {"date_selector": "i", "date_format": "roc"}, "2021-03-18", Precision.DAY),
        (
            "（令和3年3月18日）",
            {"date_selector": "text:[（(]令和(\\d+|元)年(\\d+)月(\\d+)日[）)]", "date_format": "wareki"},
            "2021-03-18",
            Precision.DAY,
        ),
        ("令和元年5月1日 公表", {"date_selector": "time[datetime]", "date_format": "iso|wareki"}, "2019-05-01", Precision.DAY),
        ("<i>milestones: on 18 March 2021 it was</i>", {"date_selector": "i", "date_format": "text:%d %B %Y"}, "2021-03-18", Precision.DAY),
        (
            "2021.03.18 | 5",
            {"date_selector": "text:(\\d{4}[-.]\\d{2}[-.]\\d{2})", "date_format": "%Y-%m-%d|%Y.%m.%d"},
            "2021-03-18",
            Precision.DAY,
        ),
        ("<i>March 2021</i>", {"date_selector": "i"}, "2021-03-01", Precision.MONTH),
        (
            "<time datetime='2021-03-18T12:00:00Z'>March 18, 2021</time>",
            {"date_selector": "time", "date_format": "%B %d, %Y"},
            "2021-03-18",
            Precision.DAY,
        ),
        (
            "<time datetime='2021-03-18T12:00:00Z'>March 18, 2021</time>",
            {"date_selector": "time", "date_format": "iso"},
            "2021-03-18",
            Precision.DAY,
        ),
        ("<time datetime='2021-03-18T00:00:00-04:00'>18 March 2021</time>", {"date_selector": "time"}, "2021-03-18", Precision.DAY),
        (
            "<time datetime='2021-03-18T09:30:00Z'>March 18, 2021</time>",
            {"date_selector": "time", "date_format": "iso"},
            "2021-03-18T09:30",
            Precision.MINUTE,
        ),
        (
            "<time datetime='2021-03-18T09:30:00Z'>2 hours ago</time>",
            {"date_selector": "time", "date_format": "%d %B %Y"},
            "2021-03-18T09:30",
            Precision.MINUTE,
        ),
        ("<i>Mon, 05/04/2026 - 14:22</i>", {"date_selector": "i"}, "2026-05-04T14:22", Precision.MINUTE),
        ("<i>2021-03-18 00:00:00</i>", {"date_selector": "i", "date_format": "%Y-%m-%d %H:%M:%S"}, "2021-03-18", Precision.DAY),
        ("<i>2021-03-18 09:30:00</i>", {"date_selector": "i", "date_format": "%Y-%m-%d %H:%M:%S"}, "2021-03-18T09:30", Precision.MINUTE),
        ("<i>soon</i>", {"date_selector": "i"}, None, None),
        ("<i>1970-01-01</i>", {"date_selector": "i"}, None, None),
    ],
)
def test_dates(inner: str, cells: dict[str, str], at: str | None, precision: Precision | None) -> None:
    entry = one(f"<li><a href=/a>Harbour fined</a> {inner}</li>", **cells)
    assert entry.published_at == (datetime.fromisoformat(at).replace(tzinfo=UTC) if at else None)
    assert entry.published_precision == precision
    assert at is not None or entry.warnings[-1].startswith("no date")


def test_a_naive_time_is_local_and_a_local_day_is_that_day() -> None:
    cells = {"date_selector": "i", "date_format": "%Y-%m-%d %H:%M:%S"}
    assert one("<li><a href=/a>x</a><i>2021-03-18 09:30:00</i></li>", "Asia/Shanghai", **cells).published_at == datetime(
        2021, 3, 18, 1, 30, tzinfo=UTC
    )
    day = one("<li><a href=/a>x</a><i>2021-03-18</i></li>", "Asia/Shanghai", date_selector="i").published_at
    assert day is not None
    assert (day.date(), day.astimezone(ZoneInfo("Asia/Shanghai")).date()) == (date(2021, 3, 18), date(2021, 3, 18))


def test_one_link_with_several_anchors_is_one_entry_and_the_longest_text_its_title() -> None:
    page = (
        "<a href='/press/20210318-1'><img src=x></a><a href='/press/20210318-1'>Harbour fined for late reports</a>"
        "<a href='/press/20210318-1'>Read more</a><a href='/press/20210205-2'>Lantern warned</a><a href='/about'>About</a>"
    )
    cells = {"item_selector": "a[href*='/press/']", "date_selector": r"url:/press/(\d{8})", "date_format": "%Y%m%d"}
    for kind, more in (("html-list", {"title_selector": "self", "link_selector": "self"}), ("link-pattern", {})):
        found = parsed(page, kind, **cells, **more)
        assert [(one.title, one.link, one.published_at) for one in found.entries] == [
            ("Harbour fined for late reports", "https://regulator.example/press/20210318-1", datetime(2021, 3, 18, tzinfo=UTC)),
            ("Lantern warned", "https://regulator.example/press/20210205-2", datetime(2021, 2, 5, tzinfo=UTC)),
        ]
        assert found.dropped == ()


def test_a_date_that_only_one_of_the_anchors_has_is_kept() -> None:
    page = "<a href=/p/1>Harbour fined for late reports</a><a href=/p/1>News <time datetime=2021-03-18>x</time></a>"
    (entry,) = parsed(page, item_selector="a", title_selector="self", link_selector="self", date_selector="time").entries
    assert (entry.title, entry.published_precision, entry.warnings) == ("Harbour fined for late reports", Precision.DAY, ())


def test_heads_spacers_and_containers_are_no_items() -> None:
    page = """<table><thead><tr><td>Firm</td></tr></thead><tr><th>Date<th>Firm</tr><tr><td></td></tr>
    <tr><td>18.03.2021<td><a href=/1>Harbour</a></tr></table><ul><li>Menu <ul><li><a href=/2>Lantern</a></li></ul></li></ul>"""
    assert [one.title for one in parsed(page, item_selector="tr, li").entries] == ["Harbour", "Lantern"]
    assert parsed(page, item_selector="tr, li").dropped == ()


def test_an_item_without_title_and_link_is_dropped_and_said() -> None:
    page = "<ul><li><h4><a href=/1>Harbour</a></h4></li><li><p>Follow us</p></li></ul>"
    found = parsed(page, item_selector="li", title_selector="h4 a", link_selector="h4 a")
    assert ([one.title for one in found.entries], found.dropped) == (["Harbour"], ("1 item without title and link",))


def test_a_row_tells_what_stands_beside_its_title() -> None:
    row = "<tr><td>18.03.2021</td><td><a href=/1>Harbour</a></td><td>Fined 2,000,000 pounds</td><td><a href=/1.pdf>PDF</a></td></tr>"
    cells = {"item_selector": "tr", "title_selector": "td:nth-of-type(2)", "link_selector": "a", "date_selector": "td"}
    (entry,) = parsed(f"<table>{row}</table>", **cells).entries
    assert (entry.title, entry.text, entry.body_url) == ("Harbour", "Fined 2,000,000 pounds", "https://regulator.example/1")


@pytest.mark.parametrize(
    ("text", "cells", "is_followed"),
    [
        ("", {}, True),
        ("word " * 60, {}, False),
        ("word " * 60, {"body_selector": "#zoom"}, True),
        ("word " * 60, {"date_selector": "detail:time"}, True),
        ("word " * 60, {"title_selector": "detail:h1"}, True),
    ],
)
def test_a_text_that_stands_elsewhere_is_followed(text: str, cells: dict[str, str], is_followed: bool) -> None:
    assert one(f"<li><a href=/a>Harbour fined</a><p>{text}</p></li>", **cells).body_url == (
        "https://regulator.example/a" if is_followed else None
    )


def test_a_link_to_the_list_itself_is_not_followed() -> None:
    entry = one("<li><a href='list.html#17'>Harbour fined</a></li>")
    assert (entry.link, entry.body_url) == ("https://regulator.example/news/list.html#17", None)


def test_a_linked_text_with_noise_is_its_longest_line() -> None:
    page = "<a href=/p/1><span>22:55</span><div>Council</div><div>Harbour rules: Council agrees 22:55</div></a>"
    cells = {"item_selector": "a", "title_selector": "self", "link_selector": "self", "quirk_codes": "title-noise;link-pattern"}
    assert parsed(page, **cells).entries[0].title == "Harbour rules: Council agrees"


def test_a_selector_that_finds_nothing_is_told() -> None:
    page = "<title>Our news</title><ul><li><a href=/a>Harbour fined</a></li></ul>"
    assert failed(page, item_selector=".row").detail.startswith("item_selector '.row' matches nothing on a page titled 'Our news'")
    assert failed(page, item_selector="li", title_selector="h3").detail.startswith("title_selector 'h3' finds nothing in any of 1 items")
    assert failed(page, item_selector="li", link_selector="a.x", title_selector="a").detail.startswith("link_selector 'a.x' finds nothing")
    assert (
        "without title and link by title_selector 'h3' and link_selector 'b'"
        in failed(page, item_selector="li", title_selector="h3", link_selector="b").detail
    )
    assert failed("<table><tr><th>x</table>", item_selector="tr").detail.startswith(
        "item_selector 'tr' matches 1 elements, all of them empty or heads"
    )
    undated = parsed(page, item_selector="li", date_selector=".date")
    assert undated.warnings == ("date_selector '.date' finds nothing in any of 1 items; look at the address and correct the source's row",)
    nameless = SourceRow(id="xx-body-news", regulator_id="xx-body", url=URL, kind="html-list", is_enabled=False)
    unnamed = entries_here(fetched(page), nameless)
    assert isinstance(unnamed, Failed)
    assert (unnamed.health, "fill item_selector" in unnamed.detail) == (Health.ERROR, True)


def test_an_edit_of_anything_that_is_told_makes_an_item_unseen() -> None:
    cells = {"item_selector": "li", "title_selector": "a", "date_selector": "i"}
    item = "<li><a href=/a>Harbour</a><i>18.03.2021</i><p>Fined two million pounds</p></li>"
    (known,) = parsed(item, **cells).present
    for old, new in (("/a", "/b"), ("Harbour", "Harbor"), ("18.03.", "19.03."), ("two", "three")):
        assert parsed(item.replace(old, new), **cells).present != (known,)
    assert parsed(f"<div class=x>{item}</div>", **cells).present == (known,)


# --- JSON ----------------------------------------------------------------------------------------------------------------

API = {"list_path": "data.rows", "title_selector": "title", "link_selector": "url", "date_selector": "at"}


def answer(*items: object) -> str:
    return json.dumps({"data": {"rows": items}})


def test_the_fields_of_a_json_answer() -> None:
    found = parsed(
        "\ufeff"
        + answer(
            {"title": "<b>Harbour</b> &amp; Sons", "url": "//www.body.example/1", "at": "2021-03-18 09:30:00"},
            {"title": "x", "url": None, "at": None},
        ),
        "json",
        "Asia/Shanghai",
        date_format="%Y-%m-%d %H:%M:%S",
        **API,
    )
    first, second = found.entries
    assert (first.title, first.link) == ("Harbour & Sons", "https://www.body.example/1")
    assert first.published_at == datetime(2021, 3, 18, 1, 30, tzinfo=UTC)
    assert (second.link, second.published_at, second.warnings) == (None, None, ("no link", "no date"))


@pytest.mark.parametrize(
    ("value", "date_format", "at"),
    [
        (1616061600, "epoch-seconds", datetime(2021, 3, 18, 10, tzinfo=UTC)),
        ("1616061600", "epoch-seconds", datetime(2021, 3, 18, 10, tzinfo=UTC)),
        (1616061600.0, "", datetime(2021, 3, 18, 10, tzinfo=UTC)),
        ("20210318", "%Y%m%d", datetime(2021, 3, 18, tzinfo=UTC)),
        (20210318, "", datetime(2021, 3, 18, tzinfo=UTC)),
        ("2021-03-18T00:00:00", "iso", datetime(2021, 3, 18, tzinfo=UTC)),
        ("Penalty, 18 March 2021, £2m", "text:%d %B %Y", datetime(2021, 3, 18, tzinfo=UTC)),
        (["18 March 2021"], "", datetime(2021, 3, 18, tzinfo=UTC)),
        (True, "", None),
        ({"a": 1}, "iso", None),
    ],
)
def test_dates_in_json(value: object, date_format: str, at: datetime | None) -> None:
    (entry,) = parsed(answer({"title": "x", "url": "/1", "at": value}), "json", date_format=date_format, **API).entries
    assert entry.published_at == at


def test_the_text_of_a_time_is_used_and_not_the_number_beside_it() -> None:
    item = {"title": "x", "url": "/1", "publishedTime": 1616061600000 + 8 * 3_600_000, "publishedTimeStr": "2021-03-18 18:00:00"}
    cells = API | {"date_selector": "publishedTimeStr", "date_format": "%Y-%m-%d %H:%M:%S"}
    assert parsed(answer(item), "json", "Asia/Shanghai", **cells).entries[0].published_at == datetime(2021, 3, 18, 10, tzinfo=UTC)


def test_templates() -> None:
    cells = API | {"title_selector": "template:{firm} {who} ({what})", "link_selector": "template:https://body.example/{path}?no={no}"}
    found = parsed(
        answer(
            {"firm": "Harbour", "who": None, "what": "Order", "path": "a/b", "no": "7 &8"},
            {"firm": "", "who": "A person", "what": "", "path": "a", "no": ["9", "10"]},
            {"firm": "Lantern", "path": "a", "no": None},
            {"firm": "Lantern", "path": "a"},
        ),
        "json",
        **cells,
    )
    assert [(one.title, one.link) for one in found.entries] == [
        ("Harbour (Order)", "https://body.example/a/b?no=7%20%268"),
        ("A person", "https://body.example/a?no=9"),
        ("Lantern", None),
    ]
    assert found.dropped == ("1 item without the field no, which the link needs",)


def test_bodies_that_a_json_item_gives_or_names() -> None:
    item = {"title": "Harbour", "url": "/1", "id": "a/7", "html": "<p>Fined.</p><p>Twice.</p>"}
    (given_,) = parsed(answer(item), "json", **API, body_selector="field:html").entries
    assert (given_.text, given_.body_url) == ("Fined.\nTwice.", None)
    (asked,) = parsed(answer(item), "json", **API, body_selector="get:https://body.example/doc?id={id} field:data.html").entries
    assert asked.body_url == "https://body.example/doc?id=a/7"
    (lacking,) = parsed(answer(item), "json", **API, body_selector="get:https://body.example/doc?id={nothing} field:data.html").entries
    (plain_,) = parsed(answer(item), "json", **API).entries
    assert lacking.body_url == plain_.body_url == "https://regulator.example/1"


def test_html_inside_json_is_read_by_its_selectors() -> None:
    page = "<ul><li><a href='/1'>Harbour</a><span>2021-03-18</span></li></ul>"
    cells = {
        "list_path": "data.html",
        "item_selector": "ul > li",
        "title_selector": "a",
        "link_selector": "a[href]",
        "date_selector": "span",
    }
    (entry,) = parsed(json.dumps({"data": {"html": page}}), "json", **cells).entries
    assert (entry.title, entry.link, entry.published_precision) == ("Harbour", "https://regulator.example/1", Precision.DAY)
    assert "leads to null, not to a string of HTML" in failed('{"data":{"html":null}}', "json", **cells).detail
    assert "item_selector 'ul > li' matches nothing" in failed('{"data":{"html":""}}', "json", **cells).detail


@pytest.mark.parametrize(
    ("body", "health", "words"),
    [
        (
            '{"data":{"list":[]},"code":1}',
            Health.CHANGED_LAYOUT,
            "list_path 'data.rows' is not in the answer, which holds the fields data, code",
        ),
        ("[]", Health.CHANGED_LAYOUT, "is not in the answer, which holds a list"),
        ('{"data":{"rows":{"a":1}}}', Health.CHANGED_LAYOUT, "list_path 'data.rows' leads to an object, not to a list"),
        ('{"data":{"rows":[{"a":1},7,null]}}', Health.CHANGED_LAYOUT, "all 3 items are without title and link by title_selector 'title'"),
        ('{"data":', Health.CHANGED_LAYOUT, "what came is no JSON: it starts"),
        ("[" * 100_000, Health.CHANGED_LAYOUT, "what came is no JSON"),
        (
            "<html><title>News</title><body>Hello</body></html>",
            Health.CHANGED_LAYOUT,
            "an HTML page titled 'News' came instead of the list",
        ),
        ("<html><title>Maintenance</title><body>Back soon</body></html>", Health.BLOCKED, "a refusal or maintenance page"),
        ("Access denied", Health.BLOCKED, "a refusal came instead of the list: 'Access denied'"),
        ('{"message":"Forbidden"}', Health.BLOCKED, "a refusal came instead of the list"),
        ("  \n", Health.EMPTY, "no content"),
    ],
)
def test_answers_that_are_no_list(body: str, health: Health, words: str) -> None:
    found = failed(body, "json", **API)
    assert (found.health, words in found.detail) == (health, True), found.detail


# --- CSV ------------------------------------------------------------------------------------------------------------------

REGISTER = 'Date,Individual,Firm,Action,URL\n2021-03-18,,"Harbour, Sons",Fine,/a.htm\n2021-02-05,A. Person,Lantern,Ban,\n\n'


def test_a_register_as_csv() -> None:
    cells = {"title_selector": "template:{Individual} {Firm} ({Action})", "link_selector": "URL", "date_selector": "Date"}
    first, second = parsed("\ufeff" + REGISTER, "csv", **cells).entries
    assert (first.title, first.link) == ("Harbour, Sons (Fine)", "https://regulator.example/a.htm")
    assert first.text == "Date: 2021-03-18\nFirm: Harbour, Sons\nAction: Fine"
    assert first.published_precision is Precision.DAY
    assert (second.title, second.link, second.warnings) == ("A. Person Lantern (Ban)", None, ("no link",))
    assert parsed(REGISTER, "csv").entries[1].title == "2021-02-05, A. Person, Lantern, Ban"
    assert parsed(REGISTER.replace(",", ";"), "csv", title_selector="Firm").entries[1].title == "Lantern"


def test_a_csv_in_the_encoding_of_its_makers() -> None:
    found = parsed("Firm,Action\nSociété X,Fine\n".encode("cp1252"), "csv", title_selector="Firm")
    assert found.entries[0].title == "Société X"


def test_a_csv_without_rows_is_empty_and_what_is_no_csv_is_loud() -> None:
    assert parsed("Date,Firm\n", "csv") == Parsed((), ())
    assert failed(REGISTER, "csv", title_selector="Company").detail.startswith(
        "all 2 items are without title and link by title_selector 'Company'"
    )
    assert failed("<p>x</p>", "csv").health is Health.CHANGED_LAYOUT


def test_a_recorded_csv_is_read(shared: Path) -> None:
    body = (shared / "recorded" / "us-frb" / "frb-sample.csv").read_bytes()
    cells = {
        "title_selector": "template:{Individual} {Banking Organization} {Action}",
        "link_selector": "URL",
        "date_selector": "Effective Date",
    }
    found = parsed(body, "csv", "America/New_York", **cells)
    assert [(bool(one.title), bool(one.link), one.published_precision) for one in found.entries] == [(True, True, Precision.DAY)] * 5


# --- JSON Feed ------------------------------------------------------------------------------------------------------------

FEED = {
    "version": "https://jsonfeed.org/version/1.1",
    "title": "News",
    "language": "en-GB",
    "items": [
        {"id": "PR-17", "url": "/1", "title": "Harbour fined", "content_html": "<p>By us.</p>", "date_published": "2021-03-18T10:30:00Z"},
        {
            "id": "https://body.example/2",
            "content_text": "A note without a title",
            "date_modified": "2021-03-18T11:00:00+00:00",
            "language": "fr",
        },
        {"id": 3, "external_url": "https://other.example/3", "title": "x", "summary": "short"},
    ],
}


@pytest.mark.parametrize("kind", ["json", "rss", "atom"])
@pytest.mark.parametrize("version", ["https://jsonfeed.org/version/1.1", "https://jsonfeed.org/version/1", "http://jsonfeed.org/version/1"])
def test_a_json_feed_is_one_for_every_kind(kind: str, version: str) -> None:
    first, second, third = parsed(json.dumps(FEED | {"version": version}), kind).entries
    assert (first.guid, first.link, first.title, first.text) == ("PR-17", "https://regulator.example/1", "Harbour fined", "By us.")
    assert (first.published_at, first.published_precision) == (datetime(2021, 3, 18, 10, 30, tzinfo=UTC), Precision.MINUTE)
    assert (second.link, second.title, second.text, second.language) == ("https://body.example/2", "", "A note without a title", "fr")
    assert second.published_at == second.updated_at == datetime(2021, 3, 18, 11, tzinfo=UTC)
    assert (third.guid, third.link, third.text, third.language) == ("3", "https://other.example/3", "short", "en-GB")


def test_a_json_feed_without_items_is_empty_and_without_a_list_is_loud() -> None:
    assert parsed(json.dumps(FEED | {"items": []}), "json") == Parsed((), ())
    assert failed(json.dumps(FEED | {"items": None}), "json").detail.startswith("a JSON Feed without items")
    assert failed('{"items": []}', "json").detail.startswith("JSON came, but no JSON Feed, and the source's row names no list_path")
    assert parsed(json.dumps(FEED | {"items": [*FEED["items"], 7]}), "json").dropped == ("1 item of the wrong kind",)


# --- text ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "head", "content_type", "hint"),
    [
        ("gbk", "<meta charset=gb2312>", "", ""),
        ("gb18030", "<meta http-equiv=Content-Type content='text/html; charset=GBK'>", "text/html; charset=iso-8859-1", ""),
        ("gbk", "", "text/html; charset=gb2312", ""),
        ("gbk", "", "", "gb2312"),
        ("gbk", "", "", "utf-8"),
        ("gbk", "", "", ""),
        ("utf-8", "<meta charset=gb2312>", "text/html; charset=gbk", "gbk"),
        ("utf-8-sig", "", "", "gbk"),
        ("utf-16", "", "", ""),
        ("utf-8", "<meta charset=x-nonsense>", "text/html; charset=rot13", "hex"),
    ],
)
def test_charsets(encoding: str, head: str, content_type: str, hint: str) -> None:
    page = f"<html><head>{head}</head><body><ul><li><a href=/1>约谈三家平台企业，责令整改</a></li></ul></body></html>".encode(encoding)
    found = parsed(page, content_type=content_type, item_selector="li", encoding=hint)
    assert found.entries[0].title == "约谈三家平台企业，责令整改"


def test_charsets_of_other_places() -> None:
    assert decoded("報道資料①".encode("cp932"), "text/html; charset=Shift_JIS") == "報道資料①"
    assert decoded("보도자료".encode("cp949"), "", "euc-kr") == "보도자료"
    assert decoded("報道".encode("iso2022_jp"), "text/html; charset=ISO-2022-JP") == "報道"
    assert decoded("公佈".encode("big5"), "", "big5") == "公佈"
    assert decoded("Société".encode("latin-1"), "") == "Société"
    assert decoded(b"caf\xe9 \xff", "text/html; charset=utf-8") == "caf\ufffd \ufffd"


def test_a_text_without_end_is_cut() -> None:
    (entry,) = parsed(
        answer({"title": "x" * 900, "url": "/1", "at": "", "body": "word " * 60_000}), "json", **API, body_selector="field:body"
    ).entries
    assert (len(entry.title), len(entry.text)) == (500, MAX_TEXT)
    assert entry.warnings[0] == "text cut at 200,000 characters"


def test_items_beyond_the_limit_are_left_out_and_said() -> None:
    found = parsed(answer(*({"title": f"T{i}", "url": f"/{i}", "at": ""} for i in range(10_007))), "json", **API)
    assert (len(found.present), found.dropped) == (10_000, ("7 entries beyond the first 10,000",))


READABLE = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["html-list", "link-pattern", "json", "csv"]),
        "list_path": st.sampled_from(["", ".", "a", "a.0.b"]),
        "item": st.sampled_from(["li", "a[href]", "tr", "", "*"]),
        "title": st.sampled_from(["", "self", "a", "template:{a} {b}", "detail:h1"]),
        "link": st.sampled_from(["", "self", "a", "template:https://x.example/{a}?b={b}"]),
        "date": st.sampled_from(["", "a", "self", r"url:(\d+)", r"text:(\d+)", "time[datetime]"]),
        "date_format": st.sampled_from(["", "iso", "text:%d %B %Y", "wareki|iso", "roc", "epoch-seconds", "%d/%m/%Y|%m/%d/%Y"]),
        "body": st.sampled_from(["", "field:a", "get:https://x.example/{a} field:b", "#zoom"]),
    }
).map(lambda cells: Listing(**cells))
CELLS = READABLE.filter(lambda listing: bool(listing.item) or listing.kind in ("json", "csv"))
PIECES = st.sampled_from(
    (
        b"<ul> <li> </li> <a\thref='/x'> </a> <tr><td> <th> <table> <base\thref='//['> <time\tdatetime='2021-03-18'> "
        b"<title> <!-- <![CDATA[ &#xD800; "
        b'{"a": [ ] } , "b": 1 null "\\ud800" 2021-03-18 \xff\xfe \x00 \n ; 1616061600 18/03/2021 (( \xe7\xba'
    ).split(b" ")
)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.one_of(PIECES, st.binary(max_size=6)), max_size=25).map(b"".join), st.one_of(st.none(), CELLS))
def test_no_bytes_make_the_child_raise(body: bytes, listing: Listing | None) -> None:
    reading = read_list(Page(body, "text/html", URL, "Asia/Shanghai", listing, 7))
    assert isinstance(reading, Reading)
    assert "the reader gave up" not in reading.trouble, reading.trouble
    assert len(reading.entries) <= 7
    for entry in reading.entries:
        assert f"{entry.title}{entry.text}{entry.link}{entry.body_url}".isprintable() or "\n" in entry.text
        f"{entry.title}{entry.text}{entry.guid}{entry.language}".encode()


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=9),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from("ab"), inner),
        max_leaves=9,
    ),
    CELLS,
)
def test_no_json_makes_the_child_raise(value: object, listing: Listing) -> None:
    body = json.dumps({"a": [{"b": value}], "items": value, "version": "https://jsonfeed.org/version/1"}).encode()
    reading = read_list(Page(body, "application/json", URL, "UTC", listing, 7))
    assert "the reader gave up" not in reading.trouble, reading.trouble
