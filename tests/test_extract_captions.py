"""Titles that only name parties: which strings they are, whose names come out, and what act they tell."""

from __future__ import annotations

import pytest

from bot.extract import parties
from tests.reading import read, targets


def named(title: str, text: str = "") -> set[str]:
    return {firm.surface for firm in read(text, title=title).mentions}


@pytest.mark.parametrize(
    ("title", "firms"),
    [
        pytest.param("Tolland Freight, Inc.", {"Tolland Freight, Inc."}, id="one"),
        pytest.param("Tolland Freight, Inc. and John D. Roe", {"Tolland Freight, Inc."}, id="a firm and a person"),
        pytest.param("tolland freight inc., quill advisors llc", {"tolland freight inc.", "quill advisors llc"}, id="small letters"),
        pytest.param("morgan stanley & co. llc", {"morgan stanley & co. llc"}, id="a known firm in small letters"),
        pytest.param("Gray, Stone & Hill Inc.", {"Gray, Stone & Hill Inc."}, id="commas inside"),
        pytest.param("Tolland Inc. (n/k/a Quill Corp.)", {"Tolland Inc."}, id="another name"),
        pytest.param("TOLLAND & CO. JAMES C. SNOW JR., LYLE W. DAVIS", {"TOLLAND & CO."}, id="a firm, then persons"),
        pytest.param("gray, stone and hill", {"gray, stone and hill"}, id="a partnership without a form"),
        pytest.param("In the matter of Tolland Freight LLC", {"Tolland Freight LLC"}, id="a matter"),
        pytest.param("In re Tolland Freight LLC and Quill Corp.", {"Tolland Freight LLC", "Quill Corp."}, id="in re, two"),
        pytest.param("Tolland cancels licence of Quill Ltd", {"Quill Ltd"}, id="a sentence, in which a firm is named"),
        pytest.param("Tolland Inc. vs. Quill LLC", set(), id="two firms at law"),
        pytest.param("Google Kettle, Roe LLC", {"Google Kettle, Roe LLC"}, id="a known name with more behind it"),
        pytest.param("Annual report", set(), id="a topic"),
        pytest.param("Minutes of the meeting, May 2024", set(), id="a topic with a date"),
        pytest.param("How to complain: a guide", set(), id="a topic with a mark"),
        pytest.param("1234, 5678", set(), id="numbers"),
    ],
)
def test_a_string_of_names_gives_its_firms(title: str, firms: set[str]) -> None:
    assert named(title) == firms


@pytest.mark.parametrize(
    ("title", "regulator", "told"),
    [
        pytest.param("Tolland Freight, Inc.", "us-sec", [("lawsuit", ["Tolland Freight, Inc."])], id="litigation releases are lawsuits"),
        pytest.param("John D. Roe and Mary Oates", "us-sec", [("lawsuit", [])], id="against persons"),
        pytest.param("Tolland Freight, Inc.", "us-finra", [("other", ["Tolland Freight, Inc."])], id="another body's own"),
        pytest.param("John D. Roe", "us-finra", [], id="persons elsewhere"),
        pytest.param("Tolland Freight, Inc.", None, [], id="nobody's"),
        pytest.param("gray, stone and hill", "us-finra", [], id="what may be no firm"),
        pytest.param("SEC v. Tolland Freight LLC", None, [("lawsuit", ["Tolland Freight LLC"])], id="a caption with its body"),
        pytest.param("SEC v. John D. Roe", None, [("lawsuit", [])], id="a caption against a person"),
        pytest.param("Doe v. Roe", None, [], id="a caption of two persons"),
        pytest.param("FCA sues Tolland Freight LLC", "us-sec", [("lawsuit", ["Tolland Freight LLC"])], id="a sentence is read as one"),
    ],
)
def test_what_a_string_of_names_tells(title: str, regulator: str | None, told: list[tuple[str, list[str]]]) -> None:
    reading = read(title, title=title, regulator=regulator)
    assert [(action.kind.value, sorted({firm.surface for firm in action.targets})) for action in reading.actions] == told


def test_a_text_of_its_own_tells_more_than_the_string() -> None:
    reading = read("The agency fined the company $5,000.", title="Tolland Freight, Inc.", regulator="us-finra")
    assert [(action.kind.value, targets(reading)) for action in reading.actions] == [("fine", {"Tolland Freight, Inc."})]


@pytest.mark.parametrize(
    ("title", "firms"),
    [
        pytest.param("Cedar Valley Power Pool, 136 FERC ¶ 61,999 (July 7, 2011)", {"Cedar Valley Power Pool"}, id="before a citation"),
        pytest.param("Grand Fork Dam Authority 136 FERC ¶ 61,998 (July 7, 2011)", {"Grand Fork Dam Authority"}, id="a public firm"),
        pytest.param("In re Tolland Marketing, Docket No. IN10-1-000", {"Tolland Marketing"}, id="in re, a docket"),
        pytest.param("Richard Roe, Docket No. IN10-1-000", set(), id="a person"),
        pytest.param("John D. Oates, Docket No. IN10-1-000", set(), id="a person with an initial"),
        pytest.param("Reporting Requirements, Docket No. RM10-1-000", set(), id="a topic"),
        pytest.param("Google LLC and Tolland Freight, Case No. 12-345", {"google", "Tolland Freight"}, id="a known firm and another"),
    ],
)
def test_a_file_number_makes_a_caption(title: str, firms: set[str]) -> None:
    assert (
        targets(read("The Commission approved a settlement.\nSanctions: $5,000 Civil Penalty.", title=title, regulator="us-ferc")) == firms
    )


@pytest.mark.parametrize(
    ("field", "firms"),
    [
        ("Controller: Tolland Semi S.p.A. Legal reference: Article 5.", {"Tolland Semi S.p.A."}),
        ("Respondent: Tolland Freight Ltd Decision: fine.", {"Tolland Freight Ltd"}),
        ("Controller: a private person. Legal reference: Article 5.", set()),
        ("Our company: a short history.", set()),
    ],
)
def test_a_field_names_the_firm(field: str, firms: set[str]) -> None:
    assert targets(read(f"Background. {field}", title="The authority fined a company 20 000 EUR", regulator="it-garante")) == firms


@pytest.mark.parametrize(
    ("text", "split"),
    [
        pytest.param("Tolland Inc., Quill LLC", ["Tolland Inc.", "Quill LLC"], id="two forms"),
        pytest.param("Tolland & Co. Financial Inc.", ["Tolland & Co. Financial Inc."], id="a soft form inside"),
        pytest.param("Tolland Inc. f/k/a Quill Corp., Roe LLC", ["Tolland Inc.", "Roe LLC"], id="a former name, then another firm"),
        pytest.param("Tolland Inc. v. Quill LLC et al.", ["Tolland Inc.", "Quill LLC"], id="versus"),
        pytest.param("John D. Roe and Jane Roe", ["John D. Roe", "Jane Roe"], id="persons"),
        pytest.param("John Doe, Jr., Jane Roe", ["John Doe, Jr.", "Jane Roe"], id="a suffix"),
        pytest.param("Gray, Stone & Hill John H. Gray", ["Gray, Stone & Hill", "John H. Gray"], id="a partnership before a person"),
        pytest.param("John D. Roe, Roe & Sons Inc.", ["John D. Roe", "Roe & Sons Inc."], id="a person before a firm"),
        pytest.param(
            "Harbor Trust Bank, Harbor Trust Securities Inc.", ["Harbor Trust Bank", "Harbor Trust Securities Inc."], id="a family"
        ),
        pytest.param("John Roe and Quill Capital Ltd", ["John Roe", "Quill Capital Ltd"], id="a person, and, a firm"),
        pytest.param("Tolland Inc. 12345, 67890", ["Tolland Inc."], id="numbers after"),
        pytest.param("Tolland (Holdings) Ltd", ["Tolland (Holdings) Ltd"], id="a bracket inside"),
        pytest.param("Tolland Inc '' LLC", ["Tolland Inc", "'' LLC"], id="two forms apart"),
        pytest.param(", ;", [], id="nothing"),
    ],
)
def test_parties(text: str, split: list[str]) -> None:
    assert [party.name for party in parties(text)] == split
