"""Answers in figures, in words: sums that are not added up wrongly, time lines, searches, exports that do no harm."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack import figures
from bot.slack.cards import Look, Message
from bot.slack.grammar import Backfill, Export, Search, Timeline, Totals
from bot.slack.labels import LANGUAGES
from storage.filters import Filter
from storage.models import AmountKind, FirmKind, Kind, Status, Tier
from storage.views import (
    ExportRow,
    FirmView,
    SearchHit,
    SearchPage,
    SumView,
    TimelinePoint,
    TimelineView,
    TotalsRow,
    TotalsView,
)
from tests.fakes.blocks import check_message, seen
from tests.test_cards import (
    COVERAGE,
    COVERAGES,
    DOCUMENTS,
    FIRM_VIEWS,
    FUZZ,
    LOOK,
    LOOKS,
    NOON,
    TIMES,
    TITLES,
    TYPED_FILTERS,
    a_document,
    tuples,
)

TENCENT = FirmView("tencent", "Tencent", "腾讯", "騰訊", FirmKind.GROUP, "CN", ("0700.HK",), (), (), (), 3, 1)
IMPOSED = SumView("CNY", AmountKind.IMPOSED, Decimal("18228000000.00"), Decimal("18228000000.00"), 2, 1)
PROPOSED = SumView("USD", AmountKind.PROPOSED, Decimal(500_000), Decimal("1000000.50"), 1)


def a_total(*sums: SumView, by: str = "", rows: tuple[TotalsRow, ...] = (), **more: Any) -> TotalsView:
    values: dict[str, Any] = {"label": "", "actions": 9, "penalties": 5, "with_sum": 3} | more
    return TotalsView(by, TotalsRow(**values, sums=sums), rows, COVERAGE)


def labels(message: Message) -> list[str]:
    """The words of the buttons."""
    return [button["text"]["text"] for block in message.blocks if block["type"] == "actions" for button in block["elements"]]


# --- totals ---


def test_a_total_says_what_it_adds_and_what_it_does_not() -> None:
    """Each currency and stage by itself; how many texts state no sum; sums of a whole list are marked."""
    message = figures.totals(a_total(PROPOSED, IMPOSED), Totals("tencent"), TENCENT, LOOK)
    said = seen(message)
    assert "*Tencent* · 騰訊 / 腾讯 · 0700.HK   9 actions · 3 penalties with amounts, 2 without" in said
    assert "• *CNY 18,228,000,000* imposed in 2 actions, of which 1 for a list of several firms\n" in said
    assert "• *USD 500,000 to 1,000,000.5* proposed in 1 action" in said
    assert "Nothing is converted, and what is proposed is not added to what is final." in said
    assert "23 of 24 sources fresh" in said
    assert labels(message) == ["Share", "By year", "By regulator", "By kind", "Actions", "Timeline"]
    assert "CNY 18,228,000,000 imposed in 2 actions" in message.text


PENALTIES: list[tuple[str, dict[str, int], str]] = [
    ("none", {"actions": 2, "penalties": 0, "with_sum": 0}, "None of them is a penalty."),
    ("no action at all", {"actions": 0, "penalties": 0, "with_sum": 0}, "No action is known."),
    ("no sum", {"actions": 2, "penalties": 2, "with_sum": 0}, "2 penalties, all without amounts\nThe texts state no sum."),
    ("one without a sum", {"actions": 1, "penalties": 1, "with_sum": 0}, "1 action · 1 penalty, without an amount"),
]


@pytest.mark.parametrize(("counts", "words"), [case[1:] for case in PENALTIES], ids=[case[0] for case in PENALTIES])
def test_nothing_to_add_is_said_as_what_it_is(counts: dict[str, int], words: str) -> None:
    """No penalty, no sum and no action are three things."""
    assert words in seen(figures.totals(a_total(**counts), Totals("tencent"), TENCENT, LOOK))


COUNTED: list[tuple[str, int, int, str]] = [
    ("all with", 2, 2, "2 penalties, all with amounts"),
    ("the one with", 1, 1, "1 penalty, with an amount"),
    ("one of two", 2, 1, "1 penalty with an amount, 1 without"),
]


@pytest.mark.parametrize(("penalties", "with_sum", "words"), [case[1:] for case in COUNTED], ids=[case[0] for case in COUNTED])
def test_with_and_without(penalties: int, with_sum: int, words: str) -> None:
    """In words that a person would use."""
    said = seen(figures.totals(a_total(IMPOSED, penalties=penalties, with_sum=with_sum), Totals(None), None, LOOK))
    assert f"*All firms*   9 actions · {words}" in said


def test_the_rows_of_a_total() -> None:
    """By year, regulator or kind; a kind in words; the grouping that is shown needs no button."""
    rows = (TotalsRow("proposed_penalty", 5, 3, 2, (IMPOSED, PROPOSED)), TotalsRow("talks", 4, 0, 0, ()))
    message = figures.totals(a_total(IMPOSED, by="kind", rows=rows), Totals("tencent", "kind"), TENCENT, LOOK)
    said = seen(message)
    assert "*By kind*" in said
    row = "*proposed penalty* · 5 actions · CNY 18,228,000,000 imposed, USD 500,000 to 1,000,000.5 proposed · 1 penalty without an amount"
    assert row in said
    assert "*talks* · 4 actions" in said
    assert "By kind" not in labels(message)
    by_year = figures.totals(a_total(IMPOSED, by="year", rows=(TotalsRow("2021", 1, 1, 1, ()),)), Totals(None, "year"), None, LOOK)
    assert "*2021* · 1 action" in seen(by_year)


def test_a_sum_without_a_currency_is_added_to_no_other() -> None:
    """It stands last."""
    untold = SumView(None, AmountKind.IMPOSED, Decimal(5), Decimal(5), 1)
    said = seen(figures.totals(a_total(untold, IMPOSED), Totals(None), None, LOOK))
    assert said.index("CNY") < said.index("*5 (currency not told)* imposed in 1 action")


# --- the time line ---

STEPS = ((date(2020, 1, 1), 0), (date(2020, 4, 1), 3), (date(2020, 7, 1), 0), (date(2020, 10, 1), 1))
POINTS = (
    TimelinePoint(1004, date(2020, 11, 3), Kind.FINE, Status.FINAL),
    *(TimelinePoint(1000 + number, date(2020, 5, 1), Kind.TALKS, Status.IN_FORCE) for number in range(3)),
)
LINE = TimelineView("quarter", STEPS, POINTS, 4, COVERAGE)


def test_a_time_line() -> None:
    """First and last step named, the unit, the highest; the newest actions one by one."""
    said = seen(figures.timeline(LINE, Timeline("tencent"), TENCENT, LOOK))
    assert "Q1 2020 `▁█▁▄` Q4 2020\na block a quarter; at most 3 in one" in said
    assert "3 Nov 2020 · *RW-1004* · fine · final\n1 May 2020 · *RW-1000* · talks" in said
    assert "talks 3, fine 1" in said
    assert "picture" not in said


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        ("follows", "The picture follows."),
        ("plot", "who runs Regwatch installs `regwatch[plot]` for it."),
    ],
)
def test_what_becomes_of_the_picture(picture: str, words: str) -> None:
    """And what to do when there is none."""
    assert words in seen(figures.timeline(LINE, Timeline("tencent"), TENCENT, LOOK, picture=picture))


def test_a_long_time_line_says_what_it_leaves_out() -> None:
    """Of the points that the view holds, and of those that it does not."""
    points = tuple(TimelinePoint(number, date(2020, 1, 1), Kind.FINE, Status.IN_FORCE) for number in range(300, 0, -1))
    said = seen(figures.timeline(replace(LINE, points=points, total=900), Timeline(None), None, LOOK))
    assert "Of the newest 300: fine 300" in said
    assert "and 890 earlier ones" in said


def test_a_time_line_of_nothing() -> None:
    """No line, and proof of silence."""
    said = seen(figures.timeline(TimelineView("month", (), (), 0, COVERAGE), Timeline("tencent"), TENCENT, LOOK))
    assert "0 actions\nNo action is known.\n23 of 24 sources fresh" in said


STEP_NAMES: list[tuple[str, str, str]] = [
    ("month", "Nov 2026", "2026年11月"),
    ("quarter", "Q4 2026", "2026年第4季"),
    ("year", "2026", "2026年"),
]


@pytest.mark.parametrize(("unit", "english", "chinese"), STEP_NAMES)
def test_a_step_is_named_by_its_unit(unit: str, english: str, chinese: str) -> None:
    """Not by a day that nothing happened on."""
    assert figures.step_name(date(2026, 11, 1), unit, LOOK) == english
    assert figures.step_name(date(2026, 11, 1), unit, Look(language="zh-Hant")) == chinese


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=40))
def test_a_spark_line_is_honest(counts: list[int]) -> None:
    """Nothing looks like nothing, something never does, more is never lower, and the highest is full."""
    line = figures.sparkline(counts)
    assert len(line) == len(counts)
    for count, block in zip(counts, line, strict=True):
        assert (block == "▁") == (count == 0)
    pairs = sorted(zip(counts, line, strict=True))
    assert [block for _, block in pairs] == sorted(block for _, block in pairs)
    assert max(counts) == 0 or line[counts.index(max(counts))] == "█"


# --- search ---


def a_page(count: int = 5, total: int = 23, *, is_more: bool = False) -> SearchPage:
    hits = tuple(SearchHit(a_document(number), f"…snippet {number}…", (1000 + number,)) for number in range(count))
    return SearchPage(hits, total, is_more, COVERAGE)


def test_the_hits_of_a_search() -> None:
    """Each with its title linked, who published it, when, the words in their place and the actions."""
    hit = SearchHit(a_document(title="A <b>title</b>"), "…said that 11 firms…", (1001, 1002))
    message = figures.search(SearchPage((hit,), 1, False, COVERAGE), Search('"voice software"'), LOOK)
    said = seen(message)
    assert 'Search `"voice software"`: 1 document\nA <b>title</b>\nThe Daily Wire · press · 19 Mar 2021 · RW-1001, RW-1002' in said
    assert "“…said that 11 firms…”" in said
    accessory = next(block["accessory"] for block in message.blocks if "accessory" in block)
    assert (accessory["text"]["text"], accessory["value"]) == ("Details", "action RW-1001")


PAGES: list[tuple[str, SearchPage, Search, str, list[str]]] = [
    ("the first", a_page(), Search("x"), "1-5 of 23", ["Share", "Next"]),
    ("the second", a_page(), Search("x", page=2), "6-10 of 23", ["Share", "Previous", "Next"]),
    ("the last", a_page(3), Search("x", page=5), "21-23 of 23", ["Share", "Previous"]),
    ("more than are counted", a_page(5, 5, is_more=True), Search("x"), "1-5 of more than 5", ["Share", "Next"]),
    ("of a size of its own", a_page(2), Search("x", Filter.parse("limit:2"), 3), "5-6 of 23", ["Share", "Previous", "Next"]),
    ("beyond the last", a_page(0), Search("x", page=9), "No further page.", ["Previous"]),
    ("nothing", a_page(0, 0), Search("x"), "No stored document holds all of these words.", []),
]


@pytest.mark.parametrize(("page", "asked", "words", "buttons"), [case[1:] for case in PAGES], ids=[case[0] for case in PAGES])
def test_the_pages_of_a_search(page: SearchPage, asked: Search, words: str, buttons: list[str]) -> None:
    """Where one is, and the ways on."""
    message = figures.search(page, asked, LOOK)
    assert words in seen(message)
    assert labels(message) == buttons


def test_hits_that_do_not_fit_are_counted() -> None:
    """With what shows them."""
    hit = SearchHit(a_document(title="&" * 160, publisher="&" * 80, url="https://x.example/" + "a" * 1_900), "&" * 240, (1,))
    message = figures.search(SearchPage((hit,) * 20, 20, False, COVERAGE), Search("x", Filter.parse("limit:20")), LOOK)
    check_message(message)
    assert "more of this page did not fit; a smaller `limit:` shows them." in seen(message)


def test_a_hit_that_tells_of_no_action() -> None:
    """It is a hit all the same: of the regulator itself, undated."""
    hit = SearchHit(a_document(tier=Tier.PRIMARY, published_at=None), "", ())
    said = seen(figures.search(SearchPage((hit,), 1, False, COVERAGE), Search("x"), LOOK))
    assert "The Daily Wire · undated · tells of no action" in said
    assert "“" not in said


# --- exports ---


def a_row(**more: str) -> ExportRow:
    values = dict.fromkeys([field.name for field in fields(ExportRow)][1:], "") | {"what": "action", "ref": "RW-1"} | more
    return ExportRow(at=NOON, **values)


def test_an_export_with_its_file() -> None:
    """How much, of when, of what."""
    rows = (a_row(), a_row(what="wrong_firm"))
    message = figures.exported(rows, Export("tencent"), LOOK, is_attached=True, firm=TENCENT)
    assert "Export of *Tencent*: 2 rows, 19 Mar 2021 to 19 Mar 2021, CSV\naction 1, wrong firm 1" in seen(message)
    assert "The file follows." in seen(message)
    check_message(message)


def test_an_export_is_posted_by_a_button_alone() -> None:
    """A file is seen by the whole channel; until then its reader sees the newest rows."""
    rows = tuple(a_row(title=f"t{number}", ref=f"RW-{number}") for number in range(500))
    message = figures.exported(rows, Export(None, format="json"), LOOK, is_attached=False)
    said = seen(message)
    assert "Export of *this channel*: 500 rows" in said
    assert [one["text"]["text"] for one in message.blocks[-1]["elements"]] == ["Post the file here"]
    assert said.index("RW-499") < said.index("RW-498")
    assert "and " in said
    check_message(message)


def test_an_export_of_nothing() -> None:
    """Since when is said, for that may be why."""
    assert "Nothing to export of *this channel* since 2021-03." in seen(
        figures.exported((), Export(None, "2021-03"), LOOK, is_attached=True)
    )


CELLS: list[tuple[str, str, str]] = [
    ("a formula", "=HYPERLINK(1)", "'=HYPERLINK(1)"),
    ("a plus", "+1", "'+1"),
    ("a minus", "-1", "'-1"),
    ("an at sign", "@SUM(1)", "'@SUM(1)"),
    ("in full width", "＝1", "'＝1"),
    ("behind a tab", "\t=1", "'=1"),
    ("behind a carriage return", "\r=1", "'=1"),
    ("behind what is not seen", "\u200b=1", "'=1"),
    ("an equals sign within", "a=1", "a=1"),
    ("commas and quotes", 'a "b", c', 'a "b", c'),
    ("a line break", "a\nb", "a b"),
    ("half of a character", "a\ud800b", "ab"),
    ("Chinese", "罚款，騰訊", "罚款，騰訊"),
]


@pytest.mark.parametrize(("cell", "out"), [case[1:] for case in CELLS], ids=[case[0] for case in CELLS])
def test_a_cell_does_nothing_in_a_spreadsheet(cell: str, out: str) -> None:
    """And is read back as the text that it was."""
    text = figures.export_text([a_row(title=cell)], "csv")
    header, row = csv.reader(io.StringIO(text, newline=""))
    assert row[header.index("title")] == out
    assert header == [field.name for field in fields(ExportRow)]
    assert text.encode()[:3] == b"at,"


@given(st.lists(st.builds(ExportRow, TIMES, *[TITLES] * (len(fields(ExportRow)) - 1)), max_size=5))
def test_exports_are_whole_and_deterministic(rows: list[ExportRow]) -> None:
    """As many rows as there are, whatever is in them; the same bytes again; no byte order mark."""
    for name in ("csv", "json"):
        text = figures.export_text(rows, name)
        assert text == figures.export_text(list(rows), name)
        assert not text.startswith("\ufeff")
        text.encode()
    assert len(list(csv.reader(io.StringIO(figures.export_text(rows, "csv"), newline="")))) == len(rows) + 1
    as_json = figures.export_text(rows, "json")
    assert len(json.loads(as_json)) == len(rows)
    assert all(
        cell[:1] not in tuple("=+-@") for line in csv.reader(io.StringIO(figures.export_text(rows, "csv"), newline="")) for cell in line
    )


def test_a_json_export_is_an_array_with_a_row_a_line() -> None:
    """Read by a program as one, by a person and by diff as many."""
    text = figures.export_text([a_row(title="=1"), a_row()], "json")
    assert json.loads(text)[0]["title"] == "=1"
    assert json.loads(text)[0]["at"] == "2021-03-19T04:00:00Z"
    assert text.count("\n") == 4
    assert figures.export_text([], "json") == "[]\n"
    with pytest.raises(ValueError, match="csv or json"):
        figures.export_text([], "xml")


# --- reading again ---


def test_reading_again() -> None:
    """A trial offers to do it; what was done says who did, and that nobody was alerted."""
    told: dict[str, Any] = {"by": "U0ASKER", "documents": 80, "changed": 3, "new_actions": 1, "changed_actions": 2, "firms": ("Foo", "Bar")}
    tried = figures.read_again(Backfill("tencent", is_dry_run=True), LOOK, **told, is_dry_run=True, samples=("RW-1: fine, was talks",))
    said = seen(tried)
    assert "Reading *tencent* again would change this; nothing was written." in said
    assert "• Read: 80 documents, 3 of them otherwise than before\n• New actions: 1, changed actions: 2" in said
    assert "Firms newly named: Foo, Bar" in said
    assert "RW-1: fine, was talks" in said
    assert tried.is_ephemeral
    assert labels(tried) == ["Do it"]
    done = figures.read_again(Backfill("tencent"), LOOK, **told, is_dry_run=False)
    assert "<@U0ASKER> had *tencent* read again. Nobody was alerted." in seen(done)
    assert not done.is_ephemeral
    assert not labels(done)
    assert "Not readable" not in seen(done)
    more = seen(figures.read_again(Backfill("cn-cac-news"), LOOK, **told, is_dry_run=False, unreadable=2, is_due=True))
    assert "• Not readable: 2, a fault of Regwatch" in more
    assert "• Its next poll looks at all that it still lists; what is new there, and not old, alerts as ever" in more


# --- strangers' text ---

SUMS = st.builds(
    SumView,
    st.sampled_from(["CNY", "USD", None]),
    st.sampled_from(AmountKind),
    st.decimals(0, 10**15, places=2),
    st.decimals(0, 10**15, places=2),
    st.integers(1, 99),
    st.integers(0, 9),
)
ROWS = st.builds(TotalsRow, TITLES | st.sampled_from(Kind), st.integers(0, 99), st.integers(5, 9), st.integers(0, 5), tuples(SUMS, 9))
TIMELINES = st.builds(
    TimelineView,
    st.sampled_from(["month", "quarter", "year"]),
    tuples(st.tuples(st.dates(), st.integers(1, 99)), 40),
    tuples(st.builds(TimelinePoint, st.integers(1, 10**9 - 1), st.dates(), st.sampled_from(Kind), st.sampled_from(Status)), 20),
    st.integers(0, 999),
    COVERAGES,
)


@st.composite
def shown(draw: st.DrawFn) -> Message:
    """A message of any renderer of this room."""
    look = replace(draw(LOOKS), language=draw(st.sampled_from(list(LANGUAGES))))
    firm, filter_ = draw(st.none() | FIRM_VIEWS), draw(TYPED_FILTERS)
    match draw(st.integers(0, 5)):
        case 0:
            view = TotalsView(draw(st.sampled_from(["", "year", "kind", "regulator"])), draw(ROWS), draw(tuples(ROWS, 40)), draw(COVERAGES))
            return figures.totals(view, Totals("tencent", view.by, filter_), firm, look)
        case 1:
            return figures.timeline(draw(TIMELINES), Timeline("tencent", filter_), firm, look, picture=draw(st.sampled_from(["", "plot"])))
        case 2:
            hits = draw(tuples(st.builds(SearchHit, DOCUMENTS, TITLES, tuples(st.integers(1, 10**9 - 1), 40)), 20))
            page = SearchPage(hits, draw(st.integers(0, 99)), draw(st.booleans()), draw(COVERAGES))
            return figures.search(page, Search("騰訊", filter_, draw(st.integers(1, 3))), look)
        case 3:
            rows = draw(st.lists(st.builds(ExportRow, TIMES, *[TITLES] * (len(fields(ExportRow)) - 1)), max_size=20))
            return figures.exported(rows, Export("tencent"), look, is_attached=draw(st.booleans()), firm=firm)
        case 4:
            firms, samples = draw(tuples(TITLES, 30)), draw(tuples(TITLES, 60))
            counts = {"documents": 5, "changed": 1, "new_actions": 1, "changed_actions": 0}
            return figures.read_again(
                Backfill("tencent"), look, by="U0ASKER", **counts, firms=firms, is_dry_run=draw(st.booleans()), samples=samples
            )
        case _:
            return figures.totals(a_total(*draw(tuples(SUMS, 60))), Totals(None), None, look)


@FUZZ
@given(shown())
def test_no_figure_breaks_a_limit_or_gives_a_stranger_power(message: Message) -> None:
    """Over every renderer, in all languages."""
    check_message(message)


def test_the_clock_of_an_export_is_utc() -> None:
    """Whatever the channel's zone."""
    assert (
        figures.export_text([replace(a_row(), at=datetime(2026, 12, 8, 0, 30, tzinfo=UTC))], "csv")
        .splitlines()[1]
        .startswith("2026-12-08T00:30:00Z")
    )
