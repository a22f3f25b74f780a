"""Broken texts are read as they were meant, and every place leads back to the text as it is stored."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.extract import extract
from bot.extract.mend import mended
from storage.records import DocumentText
from tests.reading import index

BROKEN = (
    "Quill Exports LLC Settles Poten tial Claims: Quill Exports LLC has ag reed to pay $23, 500 to settle four violation s of the rules. "
    "The potential claims and violations of the re gulations concern exports. The regulations say so; OFAC agreed."
)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        pytest.param("a violation s of the violations", "a violations of the violations", id="a letter astray"),
        pytest.param("Dal -Tech is Dal-Tech", "Dal-Tech is Dal-Tech", id="a space before a hyphen"),
        pytest.param("self -disclosed, non- egregious", "self-disclosed, non-egregious", id="around hyphens"),
        pytest.param("as sessed two violation s and pays $23, 500", "assessed two violations and pays $23,500", id="inside a sum"),
        pytest.param("CP&amp;A&nbsp;Ltd", "CP&A Ltd", id="signs of a page"),
    ],
)
def test_what_is_mended(text: str, meant: str) -> None:
    mend = mended("violations assessed\n" + text, 0)
    assert mend is not None
    assert mend.text.removeprefix("violations assessed\n") == meant


@pytest.mark.parametrize(
    "text",
    [
        "The agency fined a firm for the delay.",
        "A plan b was in the works to gether",
        "It paid $23, 500 clients said",
        "AT&T and R&D & more",
        "",
    ],
)
def test_sound_texts_are_left_alone(text: str) -> None:
    assert mended(text, 0) is None


def test_the_reading_leads_back() -> None:
    document = DocumentText("", BROKEN, datetime(2024, 5, 15, tzinfo=UTC))
    reading = extract(document, index())
    (action,) = reading.actions
    (amount,) = action.amounts
    assert (amount.surface, int(amount.maximum)) == ("$23, 500", 23500)
    assert {firm.surface for firm in action.targets} == {"Quill Exports LLC"}
    assert all(document.whole[proof.start : proof.end] == proof.text for proof in action.evidence)


def test_a_title_in_small_letters_is_read_with_capitals_and_quoted_as_printed() -> None:
    document = DocumentText("tolland freight inc., quill advisors llc", "")
    assert {firm.surface for firm in extract(document, index()).mentions} == {"tolland freight inc.", "quill advisors llc"}
    mend = mended("tolland &amp; sons ltd\nmore text", 22)
    assert mend is not None
    assert (mend.text, mend.title_end) == ("Tolland & Sons Ltd\nmore text", 18)


@given(st.text(alphabet="ab cdes$,1&;-\n", max_size=60), st.integers(0, 60))
def test_places_are_whole(text: str, title_end: int) -> None:
    mend = mended(text, min(title_end, len(text)))
    if mend is not None:
        assert len(mend.text) == len(mend.starts) == len(mend.ends)
        assert all(0 <= start < end <= len(text) for start, end in zip(mend.starts, mend.ends, strict=True))
        assert mend.starts == sorted(mend.starts)
