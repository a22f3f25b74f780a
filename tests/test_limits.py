"""The model of Slack's limits that the storm is run against: who waits, how long, and who is counted for not waiting."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.fakes.limits import Limits, Tally


@pytest.mark.parametrize(
    ("posts", "answers"),
    [
        pytest.param([(0, "T1", "C1"), (0, "T1", "C1"), (0, "T1", "C1")], [None, None, 1], id="two at once in a channel, not three"),
        pytest.param([(0, "T1", "C1"), (1, "T1", "C1"), (2, "T1", "C1"), (3, "T1", "C1")], [None] * 4, id="one a second for ever"),
        pytest.param([(0, "T1", f"C{n}") for n in range(6)], [None] * 5 + [1], id="five a second in a workspace"),
        pytest.param(
            [(0, "T1", "C1"), (0, "T1", "C1"), (0, "T1", "C1"), (0.9, "T1", "C2"), (1, "T1", "C1")],
            [None, None, 1, 1, None],
            id="one channel's Retry-After is the workspace's, and ends to the second",
        ),
        pytest.param(
            [(0, "T1", "C1"), (0, "T1", "C1"), (0, "T1", "C1"), (0.1, "T2", "C1")],
            [None, None, 1, None],
            id="another workspace does not wait, nor does its channel of the same name",
        ),
    ],
)
def test_what_is_let_through(posts: Sequence[tuple[float, str, str]], answers: Sequence[int | None]) -> None:
    now = [0.0]
    limits = Limits(lambda: now[0])
    found = []
    for now[0], workspace, channel in posts:
        found.append(limits.wait(workspace, channel))
    assert found == answers


def test_what_was_on_its_way_is_no_violation() -> None:
    """Refused at 0; what comes within half a second was sent before that could be known, the rest was not."""
    now = [0.0]
    limits = Limits(lambda: now[0])
    for now[0] in (0, 0, 0, 0.5, 0.6, 0.99, 1.0):
        limits.wait("T1", "C1")
    assert limits.tally == Tally(taken=3, refused=4, on_its_way=1, violations=2)


def test_a_slow_workspace_is_told_to_wait_for_whole_seconds() -> None:
    limits = Limits(lambda: 0.0, per_workspace=0.2)
    assert [limits.wait("T1", "C1"), limits.wait("T1", "C2")] == [None, 5]
