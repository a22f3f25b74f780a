"""Whose turn it is in a channel, and how fast a workspace is posted to: pure rules, as tables of claims."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.models import DeliveryKind
from storage.turns import FASTEST, MANY, SLOWEST, WINDOW, Bucket, Told, Turn, Waiting, next_turn

NOW = datetime(2021, 3, 19, 4, 0, tzinfo=UTC)
SOON = NOW + timedelta(minutes=3)


def alert(id: int, case: int | None = None, **other: Any) -> Waiting:
    return waits(id, DeliveryKind.ALERT, case or id, **other)


def update(id: int, case: int, *, has_card: bool = True, **other: Any) -> Waiting:
    return waits(id, DeliveryKind.UPDATE, case, has_card=has_card, **other)


def waits(id: int, kind: DeliveryKind, *cases: int, at: datetime = NOW, since: int | None = None, **other: Any) -> Waiting:
    return Waiting(id, kind, at, frozenset(cases), id if since is None else since, **other)


def turn(*waiting: Waiting, told: int = 0, rolled: datetime | None = None) -> Turn:
    return next_turn(waiting, Told(told, rolled), NOW)


def alerts(ids: Iterable[int], **other: Any) -> list[Waiting]:
    return [alert(one, **other) for one in ids]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(turn(), Turn(), id="nothing waits"),
        pytest.param(turn(alert(1, at=SOON)), Turn(), id="nothing is due"),
        pytest.param(turn(*alerts(range(1, 6))), Turn(post=1), id="five alerts are five messages"),
        pytest.param(turn(*alerts(range(1, 7))), Turn(roll=(1, 2, 3, 4, 5, 6)), id="six are one"),
        pytest.param(turn(*alerts(range(1, 4)), told=3), Turn(roll=(1, 2, 3)), id="three after three are one message"),
        pytest.param(turn(*alerts(range(1, 3)), told=3), Turn(post=1), id="two after three are two"),
        pytest.param(turn(alert(1), told=5), Turn(roll=(1,)), id="one after five says that what follows comes together"),
        pytest.param(
            turn(*alerts((1, 2)), told=7, rolled=NOW - timedelta(minutes=4)),
            Turn(holds={1: NOW + timedelta(minutes=6), 2: NOW + timedelta(minutes=6)}),
            id="after a roll-up the rest of the window's wait for its end",
        ),
        pytest.param(
            turn(alert(1), told=3, rolled=NOW - timedelta(minutes=4)), Turn(post=1), id="but not after one of three from the quiet hours"
        ),
        pytest.param(
            turn(*alerts(range(1, 9)), told=0, rolled=NOW - WINDOW), Turn(roll=tuple(range(1, 9))), id="a new window, a new roll-up"
        ),
        pytest.param(
            turn(*alerts((1, 2), is_held=True)), Turn(roll=(1, 2)), id="two that waited for the end of quiet hours are one message"
        ),
        pytest.param(turn(alert(1, is_held=True)), Turn(post=1), id="one that waited is a card"),
        pytest.param(turn(alert(1, is_held=True), alert(2)), Turn(roll=(1, 2)), id="what came at the end of quiet hours goes with them"),
        # updates
        pytest.param(turn(alert(1, 7), update(2, 7, has_card=False)), Turn(post=1), id="a move waits for the alert of its case"),
        pytest.param(
            turn(alert(1, 7, at=SOON), update(2, 7)), Turn(holds={2: SOON}), id="a move whose alert is retried later waits so long"
        ),
        pytest.param(turn(alert(1, 7, at=SOON), update(2, 8)), Turn(post=2), id="of another case it does not"),
        pytest.param(turn(update(1, 7), update(2, 7)), Turn(post=1), id="moves of one case go out in order"),
        pytest.param(turn(update(1, 7, at=NOW), alert(3, 9, at=NOW - timedelta(seconds=1))), Turn(post=3), id="the longest due goes first"),
        pytest.param(
            turn(*(update(one, one) for one in range(1, 20))), Turn(post=1), id="twenty replies in twenty threads flood nobody: no roll-up"
        ),
        pytest.param(
            turn(*(update(one, one, has_card=False) for one in range(1, 8))),
            Turn(roll=tuple(range(1, 8))),
            id="seven moves of cases without a card are seven alerts",
        ),
        pytest.param(
            turn(*alerts(range(1, 7)), update(7, 3, has_card=False), update(8, 50)),
            Turn(roll=(1, 2, 3, 4, 5, 6, 7)),
            id="a roll-up tells each case as it is, so it takes the moves of its cases with it",
        ),
        pytest.param(
            turn(*alerts(range(1, 6)), update(6, 3, has_card=False)), Turn(post=1), id="five cases and a move of one are not six alerts"
        ),
        pytest.param(
            turn(*alerts(range(2, 8)), alert(1, 9, at=SOON), update(8, 9, has_card=False)),
            Turn(roll=tuple(range(2, 8)), holds={8: SOON}),
            id="a move whose alert waits for another reason is in no roll-up",
        ),
        # what may stand
        pytest.param(
            turn(alert(1, is_unsure=True, at=NOW - timedelta(minutes=2)), *alerts(range(2, 8))),
            Turn(post=1),
            id="what may stand already is looked for, not rolled up",
        ),
        pytest.param(
            turn(*alerts(range(1, 7)), waits(20, DeliveryKind.ROLLUP, 11, 12, since=1, at=NOW - timedelta(seconds=9))),
            Turn(post=20),
            id="a roll-up that was broken off goes on",
        ),
        pytest.param(
            turn(alert(5, 11), alert(6, 13), waits(20, DeliveryKind.ROLLUP, 11, 12, since=9)),
            Turn(post=5),
            id="an alert of a case that was joined to one of a roll-up goes before it, if it was owed before",
        ),
        pytest.param(
            turn(alert(5, 11), alert(6, 13), waits(20, DeliveryKind.ROLLUP, 11, 12, since=9, at=SOON)),
            Turn(post=5, holds={6: SOON}),
            id="also while the roll-up waits for its next try",
        ),
        pytest.param(
            turn(waits(20, DeliveryKind.ROLLUP, 11, 12, since=1, at=SOON), update(5, 12, has_card=False)),
            Turn(holds={5: SOON}),
            id="a move of a case that a roll-up has still to tell waits for it, though it was owed before the roll-up was made",
        ),
        # the others
        pytest.param(
            turn(*alerts(range(1, 7)), waits(9, DeliveryKind.DIGEST, at=NOW - timedelta(minutes=1))),
            Turn(post=9),
            id="a digest has its turn",
        ),
        pytest.param(turn(waits(9, DeliveryKind.NOTICE), told=9, rolled=NOW), Turn(post=9), id="a notice is no alert"),
    ],
)
def test_whose_turn_it_is(found: Turn, expected: Turn) -> None:
    assert found == expected


@given(
    cases=st.lists(st.tuples(st.integers(1, 12), st.booleans(), st.booleans(), st.integers(-3, 3)), max_size=20),
    told=st.integers(0, 8),
    rolled=st.none() | st.integers(0, 15),
)
def test_nothing_is_forgotten_and_nobody_is_flooded(cases: list[tuple[int, bool, bool, int]], told: int, rolled: int | None) -> None:
    """What is due is posted, rolled up, held until a later moment, or behind something that is."""
    waiting = [
        Waiting(
            id,
            DeliveryKind.UPDATE if is_update else DeliveryKind.ALERT,
            NOW + timedelta(minutes=minutes),
            frozenset([case]),
            id,
            has_card=is_update and is_odd,
            is_unsure=not is_update and is_odd,
        )
        for id, (case, is_update, is_odd, minutes) in enumerate(cases, start=1)
    ]
    rolled_at = None if rolled is None else NOW - timedelta(minutes=rolled)
    found = next_turn(waiting, Told(told, rolled_at), NOW)
    due = [one for one in waiting if one.next_attempt_at <= NOW]
    by_id = {one.id: one for one in waiting}
    assert all(until > NOW for until in found.holds.values())
    assert not {found.post, *found.roll} & set(found.holds)
    assert found.post is None or not found.roll
    if due and found.post is None and not found.roll:
        assert set(found.holds) & {one.id for one in due}, "something is due, nothing is posted, and nothing says why"
    if found.post is not None:
        chosen = by_id[found.post]
        assert not [one for one in waiting if one.since < chosen.since and one.cases & chosen.cases], "overtaken"
        if chosen.is_news and not chosen.is_unsure:
            assert told < MANY
    for one in found.roll:
        assert by_id[one].is_news
        assert not by_id[one].is_unsure
        assert {other.id for other in waiting if other.since < one and other.cases & by_id[one].cases} <= set(found.roll)


# --- workspaces ---


def bucket(next_post_at: datetime | None = None, pace: float = 5.0, since: datetime = NOW) -> Bucket:
    return Bucket(next_post_at, pace, since)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(bucket().room(NOW), 5, id="a second's worth at once"),
        pytest.param(bucket(NOW + timedelta(seconds=30)).room(NOW), 0, id="nothing while it waits"),
        pytest.param(bucket(NOW + timedelta(seconds=30), since=NOW).room(NOW + timedelta(seconds=30)), 1, id="after a wait one at first"),
        pytest.param(bucket(NOW - timedelta(days=9)).room(NOW), 5, id="a long rest saves up no more than a burst"),
        pytest.param(bucket(pace=0.3).room(NOW), 1, id="a slow one has room for one"),
        pytest.param(bucket(since=NOW - timedelta(days=1)).rate(NOW), FASTEST, id="the pace grows to a limit"),
        pytest.param(bucket(pace=2, since=NOW - timedelta(seconds=20)).rate(NOW), 3.0, id="a message a second more in twenty seconds"),
        pytest.param(bucket(pace=8).halved(NOW), 4.0, id="too fast: half of it"),
        pytest.param(bucket(pace=0.3).halved(NOW), SLOWEST, id="never slower than one in five seconds"),
    ],
)
def test_the_pace_of_a_workspace(found: float, expected: float) -> None:
    assert found == pytest.approx(expected)


@given(pace=st.floats(SLOWEST, FASTEST), steps=st.lists(st.tuples(st.integers(0, 4000), st.integers(1, 30)), min_size=1, max_size=60))
def test_a_workspace_is_never_posted_to_faster_than_its_pace_and_a_burst(pace: float, steps: list[tuple[int, int]]) -> None:
    now, next_post_at, sent = NOW, None, []
    for millis, wanted in steps:
        now += timedelta(milliseconds=millis)
        own = Bucket(next_post_at, pace, now)  # its pace does not grow
        count = min(wanted, own.room(now))
        sent += [now] * count
        if count:
            next_post_at = own.take(count, now)
    for at, first in enumerate(sent):
        for place in range(at, len(sent)):
            seconds = (sent[place] - first).total_seconds()
            assert place - at + 1 <= pace * seconds + max(1, round(pace)) + 1e-6
