"""Documents are joined as they should be: the pairs of `joins.jsonl` through the real reader and the real Store."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from tests.quality.joins import RIGHT, Outcome, outcomes, pairs, table

PAIRS = pairs()
MISSED_AT_MOST = {"same_action": 7, "same_case": 3}
"""Those known: the reader does not see the firm, the kind or the number. One more is a step back."""


@pytest.fixture(scope="module")
def found() -> list[Outcome]:
    return asyncio.run(outcomes(PAIRS))


def test_the_pairs_are_a_fair_trial() -> None:
    """At least sixty, a third of them traps; ids are unique; a number is one that the text prints."""
    assert len(PAIRS) >= 60
    rights = Counter(pair.right for pair in PAIRS)
    assert set(rights) == set(RIGHT)
    assert 3 * rights["separate"] >= len(PAIRS)
    assert len({pair.id for pair in PAIRS}) == len(PAIRS)
    for pair in PAIRS:
        assert pair.why, pair.id
        for text in (pair.earlier, pair.later):
            assert not text.number or text.number in f"{text.title}\n{text.text}", pair.id


def test_no_join_is_wrong(found: list[Outcome]) -> None:
    """A wrong join hides an alert in a thread."""
    assert [f"{one.pair.id}: {one.got}, right is {one.pair.right} ({one.pair.why})" for one in found if one.is_wrong] == []


@pytest.mark.parametrize("right", MISSED_AT_MOST)
def test_no_more_joins_are_missed_than_are_known(found: list[Outcome], right: str) -> None:
    """A missed join only gives a second card; the table tells how many there are."""
    missed = [one.pair.id for one in found if one.is_missed and one.pair.right == right]
    assert len(missed) <= MISSED_AT_MOST[right], (missed, table(found))


def test_traps_are_read(found: list[Outcome]) -> None:
    """What is not read cannot be joined wrongly: nearly all traps tell an act on both sides."""
    traps = [one for one in found if one.pair.right == "separate"]
    unread = [one.pair.id for one in traps if not all(reading.actions for reading in one.readings)]
    assert 10 * len(unread) <= len(traps), unread
