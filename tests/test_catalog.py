"""The catalogue is read strictly, and says why what is off is off."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path

import pytest

from bot.feeds.catalog import NEEDS_CONTACT, REGULATOR_COLUMNS, SOURCE_COLUMNS, Catalogue, CatalogueError, load_catalogue

SOURCE = {
    "source_id": "xx-body-news",
    "regulator_id": "xx-body",
    "url": "https://body.example/feed",
    "kind": "rss",
    "status": "live",
    "confidence": "evidenced",
    "enabled_by_default": "yes",
    "poll_minutes": "60",
    "stale_after_days": "30",
    "method": "GET",
    "client_policy": "identify",
    "language": "en",
}
REGULATOR = {
    "regulator_id": "xx-body",
    "name_en": "The Body",
    "jurisdiction": "US",
    "time_zone": "America/New_York",
    "aliases": "The Body; Body of X",
    "aliases_need_context": "TB",
}


def write(folder: Path, sources: list[dict[str, str]], regulators: list[dict[str, str]], drop: str = "", add: str = "") -> None:
    for name, columns, rows in (("sources.csv", SOURCE_COLUMNS, sources), ("regulators.csv", REGULATOR_COLUMNS, regulators)):
        head = [column for column in columns if column != drop] + ([add] if add and name == "sources.csv" else [])
        out = io.StringIO()
        writer = csv.DictWriter(out, head, restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
        (folder / name).write_text(out.getvalue(), encoding="utf-8")


def load(folder: Path) -> Catalogue:
    return load_catalogue(sources=folder / "sources.csv", regulators=folder / "regulators.csv")


def test_the_shipped_catalogue_has_what_the_design_counts() -> None:
    catalogue = load_catalogue("ops@watch.example")
    assert (len(catalogue.sources), len(catalogue.regulators)) == (374, 246)
    on = [row for row in catalogue.sources if row.is_enabled]
    assert len(on) == 184
    assert Counter(row.kind for row in on) == {"rss": 93, "html-list": 51, "json": 34, "atom": 6}
    assert Counter(row.kind for row in catalogue.sources) == {"html-list": 153, "rss": 147, "json": 60, "atom": 12, "csv": 2}
    unknown = [row for row in catalogue.sources if row.kind == "html-list" and not row.definition["item_selector"]]
    assert len(unknown) == 67
    assert not any(row.is_enabled for row in unknown)
    assert all(row.off_reason for row in catalogue.sources if not row.is_enabled)
    assert not any(row.off_reason for row in on)
    assert all(row.definition["tier"] == "primary" and row.min_entries == 1 for row in catalogue.sources)


def test_without_a_contact_only_the_sources_that_demand_one_are_off_in_addition() -> None:
    with_contact = {row.id for row in load_catalogue("ops@watch.example").sources if row.is_enabled}
    without = load_catalogue()
    lost = with_contact - {row.id for row in without.sources if row.is_enabled}
    assert lost == {row.id for row in without.sources if row.off_reason == NEEDS_CONTACT}
    assert lost == {
        *("us-ofac-enforcement", "us-ofac-recent", "us-sec-admin", "us-sec-litigation", "us-sec-press", "us-sec-suspensions"),
    }


CORRECTED = {
    "cn-miit-cybersec": {"list_path"},  # the list is one step behind the page
    "cn-miit-wjfb-sections": {"list_path"},
    "us-or-doj-press": {"date_selector", "date_format"},  # a recorded page shows where its date stands
}
"""Cells that differ from the shared catalogue, and why."""


def test_every_row_equals_the_shared_catalogue(shared: Path) -> None:
    rows = csv.DictReader(io.StringIO((shared / "sources.csv").read_text(encoding="utf-8")))
    ours = {row.id: row.definition for row in load_catalogue().sources}
    for row in rows:
        mine = ours.pop(row["source_id"])
        differing = {key for key, value in row.items() if mine[key] != value.strip()}
        assert differing == CORRECTED.get(row["source_id"], set()), row["source_id"]
    assert not ours


def test_a_row_becomes_what_the_poller_needs(tmp_path: Path) -> None:
    write(tmp_path, [SOURCE | {"tier": "secondary", "min_entries": "3"}], [REGULATOR])
    catalogue = load(tmp_path)
    (source,), (regulator,) = catalogue.sources, catalogue.regulators
    assert (source.id, source.poll_minutes, source.stale_after_days) == ("xx-body-news", 60, 30)
    assert (source.min_entries, source.tier) == (3, "secondary")
    assert source.is_enabled
    assert source.definition["client_policy"] == "identify"
    assert regulator.aliases == ("The Body", "Body of X")
    assert regulator.context_aliases == ("TB",)


@pytest.mark.parametrize("column", ["tier", "min_entries"])
def test_the_two_columns_of_ours_may_be_absent(tmp_path: Path, column: str) -> None:
    write(tmp_path, [SOURCE], [REGULATOR], drop=column)
    (source,) = load(tmp_path).sources
    assert (source.tier, source.min_entries) == ("primary", 1)


@pytest.mark.parametrize(
    ("off", "reason"),
    [
        ({"status": "blocked"}, "blocked: plain clients are refused"),
        ({"status": "dead"}, "dead: the address was retired"),
        ({"status": "stale"}, "stale: it answers, but with nothing new"),
        ({"status": "unproven", "quirk_codes": "selectors-unknown"}, "unproven: never seen to work"),
        ({"quirk_codes": "rel-links;selectors-unknown"}, "selectors unknown"),
        ({"client_policy": "headless-browser"}, "blocked: the page needs a browser"),
        ({}, "off: a candidate that nobody switched on"),
    ],
)
def test_what_is_off_says_why(tmp_path: Path, off: dict[str, str], reason: str) -> None:
    write(tmp_path, [SOURCE | {"enabled_by_default": "no"} | off], [REGULATOR])
    (source,) = load(tmp_path).sources
    assert (source.is_enabled, source.off_reason) == (False, reason)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"kind": "rsss"}, "sources.csv, line 2, column kind: 'rsss' is none of rss, atom"),
        ({"poll_minutes": "often"}, "line 2, column poll_minutes: 'often' is no whole number"),
        ({"poll_minutes": "0"}, "line 2, column poll_minutes: '0' is no whole number from 1"),
        ({"stale_after_days": "-3"}, "column stale_after_days"),
        ({"min_entries": "1.5"}, "column min_entries"),
        ({"regulator_id": "xx-nobody"}, "column regulator_id: no regulator 'xx-nobody'"),
        ({"source_id": "News Feed"}, "column source_id: 'News Feed' is no slug"),
        ({"url": "ftp://body.example/feed"}, "column url: 'ftp://body.example/feed' is no http"),
        ({"url": "https://[body/feed"}, "column url"),
        ({"tier": "tertiary"}, "column tier"),
        ({"client_policy": "hide"}, "column client_policy"),
        ({"enabled_by_default": "maybe"}, "column enabled_by_default"),
        ({"method": "POST"}, "column method: a feed is asked for with GET"),
        ({"request_params": "form:a=1"}, "column request_params"),
        ({"kind": "json", "request_params": "form:a=1"}, "column request_params: form: is the body of a POST, and the method is GET"),
        ({"kind": "json", "method": "POST"}, "column request_params: a POST needs form:... or json:..."),
        ({"kind": "json", "method": "POST", "request_params": "json:{"}, "column request_params: it is no JSON"),
        ({"request_headers": "Referer"}, "column request_headers: 'Referer' is no header"),
    ],
)
def test_a_wrong_cell_is_named_with_file_line_and_column(tmp_path: Path, change: dict[str, str], complaint: str) -> None:
    write(tmp_path, [SOURCE | change], [REGULATOR])
    with pytest.raises(CatalogueError) as caught:
        load(tmp_path)
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"time_zone": "Mars/Olympus"}, "regulators.csv, line 2, column time_zone: no time zone 'Mars/Olympus'"),
        ({"jurisdiction": "Utopia"}, "column jurisdiction"),
        ({"name_en": ""}, "column name_en"),
        ({"regulator_id": "XX"}, "column regulator_id"),
    ],
)
def test_a_wrong_regulator_is_named(tmp_path: Path, change: dict[str, str], complaint: str) -> None:
    write(tmp_path, [], [REGULATOR | change])
    with pytest.raises(CatalogueError) as caught:
        load(tmp_path)
    assert complaint in str(caught.value)


PAGE = {"kind": "html-list", "item_selector": "li", "title_selector": "a", "link_selector": "a[href]", "date_selector": "span"}
API = {"kind": "json", "list_path": "data.rows", "title_selector": "title", "link_selector": "url"}


@pytest.mark.parametrize(
    "row",
    [
        PAGE,
        PAGE | {"method": "POST", "request_params": "form:a=1&b=2"},
        PAGE | {"title_selector": "self", "link_selector": "self", "date_selector": r"url:/(\d{8})", "date_format": "%Y%m%d"},
        PAGE | {"title_selector": "detail:h1", "date_selector": "detail:meta[name=PubDate]", "body_selector": "#zoom, .text"},
        PAGE | {"date_selector": r"text:(\d{4}[-.]\d{2})", "date_format": "text:%B %d, %Y|%Y年%m月%d日|wareki|iso"},
        {"kind": "link-pattern", "item_selector": "a[href*='/press/20']"},
        API,
        API | {"list_path": ".", "title_selector": "template:{a} ({b})", "link_selector": "template:https://body.example/{id}"},
        API | {"title_selector": "field:infos.title", "body_selector": "field:body"},
        API | {"body_selector": "get:https://body.example/doc?id={id} field:data.html"},
        API | {"item_selector": "ul > li", "title_selector": "a", "link_selector": "a[href]"},
        {"kind": "json"},
        {"kind": "csv", "title_selector": "template:{Banking Organization} {Action}", "link_selector": "URL"},
    ],
)
def test_every_way_to_say_where_a_list_stands_is_read(tmp_path: Path, row: dict[str, str]) -> None:
    write(tmp_path, [SOURCE | row], [REGULATOR])
    (source,) = load(tmp_path).sources
    assert source.is_enabled


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (PAGE | {"item_selector": ""}, "column item_selector: a list page that is on needs one"),
        (PAGE | {"item_selector": "li["}, "sources.csv, line 2, column item_selector: 'li[' is no CSS selector"),
        (PAGE | {"title_selector": "h3.."}, "column title_selector: 'h3..' is no CSS selector"),
        (PAGE | {"title_selector": "regex:foo"}, "what may stand before it: detail:, template:, field:"),
        (
            PAGE | {"link_selector": "template:https://body.example/"},
            "column link_selector: 'template:https://body.example/' names no {field}",
        ),
        (PAGE | {"date_selector": "detail:"}, "column date_selector: nothing stands behind 'detail:'"),
        (PAGE | {"date_selector": "url:(\\d{8"}, "column date_selector: '(\\\\d{8' is no regular expression"),
        (PAGE | {"date_format": "dd/mm/yyyy"}, "column date_format: 'dd/mm/yyyy' is none of iso, wareki"),
        (PAGE | {"date_format": "%d.%m.%Q"}, "column date_format: '%Q' is no part of a date"),
        (PAGE | {"body_selector": "get:data.html"}, "column body_selector: 'data.html' is no http or https address"),
        (PAGE | {"body_selector": "#zoom >"}, "column body_selector: '#zoom >' is no CSS selector"),
        (API | {"list_path": "data..rows"}, "column list_path: 'data..rows' is no path"),
        (API | {"title_selector": "a."}, "column title_selector: 'a.' is no path"),
        (API | {"body_selector": "get:https://body.example/{id} field:"}, "column body_selector: '' is no path"),
        (API | {"list_path": "", "item_selector": "li"}, "column list_path: HTML inside JSON needs the path"),
        (API | {"item_selector": "li", "link_selector": "a["}, "column link_selector: 'a[' is no CSS selector"),
    ],
)
def test_a_cell_that_names_nothing_readable_stops_the_start(tmp_path: Path, change: dict[str, str], complaint: str) -> None:
    write(tmp_path, [SOURCE | change], [REGULATOR])
    with pytest.raises(CatalogueError) as caught:
        load(tmp_path)
    assert complaint in str(caught.value)


def test_what_is_off_needs_no_selectors_but_those_it_has_must_be_readable(tmp_path: Path) -> None:
    off = SOURCE | {"enabled_by_default": "no", "kind": "html-list", "quirk_codes": "selectors-unknown"}
    write(tmp_path, [off], [REGULATOR])
    assert load(tmp_path).sources[0].off_reason == "selectors unknown"
    write(tmp_path, [off | {"item_selector": "li["}], [REGULATOR])
    with pytest.raises(CatalogueError, match="item_selector"):
        load(tmp_path)


def test_a_second_row_of_the_same_id_is_refused(tmp_path: Path) -> None:
    write(tmp_path, [SOURCE, SOURCE], [REGULATOR])
    with pytest.raises(CatalogueError, match=r"line 3, column source_id: 'xx-body-news' stands here twice"):
        load(tmp_path)
    write(tmp_path, [], [REGULATOR, REGULATOR])
    with pytest.raises(CatalogueError, match=r"regulators.csv, line 3"):
        load(tmp_path)


def test_unknown_missing_and_ragged_columns_are_refused(tmp_path: Path) -> None:
    write(tmp_path, [SOURCE], [REGULATOR], add="pol_minutes")
    with pytest.raises(CatalogueError, match=r"sources.csv, line 1, column pol_minutes: no such column"):
        load(tmp_path)
    write(tmp_path, [SOURCE], [REGULATOR], drop="url")
    with pytest.raises(CatalogueError, match=r"line 1, column url: it is missing"):
        load(tmp_path)
    write(tmp_path, [SOURCE], [REGULATOR], add="kind")
    with pytest.raises(CatalogueError, match=r"column kind: it stands here twice"):
        load(tmp_path)
    write(tmp_path, [SOURCE], [REGULATOR])
    ragged = (tmp_path / "sources.csv").read_text(encoding="utf-8") + "one,two\n"
    (tmp_path / "sources.csv").write_text(ragged, encoding="utf-8")
    with pytest.raises(CatalogueError, match=r"line 3: 2 cells under 30 columns"):
        load(tmp_path)
    (tmp_path / "sources.csv").write_text(",".join(SOURCE_COLUMNS) + '\n"half', encoding="utf-8")
    with pytest.raises(CatalogueError, match="line 2"):
        load(tmp_path)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "regulators.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CatalogueError, match=r"regulators\.csv is not UTF-8 text"):
        load(tmp_path)
    with pytest.raises(CatalogueError, match=r"absent\.csv cannot be read: No such file"):
        load_catalogue(sources=tmp_path / "absent.csv")
