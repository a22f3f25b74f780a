"""Whose turn it is: what a channel gets next, what is rolled up, how fast a workspace may be posted to. Pure.

`outbox` loads what waits, asks `next_turn` for each channel that may be posted to, and writes down what comes out; the
pace of a workspace is a bucket that all processes share. The reasons are floods and Slack's limits: a channel takes about
one message a second, a workspace some more that Slack does not tell (docs.slack.dev/apis/web-api/rate-limits).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from storage.models import DeliveryKind

PACE = timedelta(seconds=1)
"""Between two messages in a channel."""
MANY = 5
"""So many alerts a channel gets as messages of their own within the window; more of them are rolled up."""
WINDOW = timedelta(minutes=10)

FASTEST = 10.0  # messages a second in a workspace
SLOWEST = 0.2
_GAIN = 0.05  # messages a second that a workspace's pace regains in each second
_BURST = 1.0  # seconds' worth of messages that may go out at once


# --- channels ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Waiting:
    """An open delivery of a channel, as far as turns depend on it."""

    id: int
    kind: DeliveryKind
    next_attempt_at: datetime
    cases: frozenset[int] = frozenset()  # what it tells of; of a roll-up, those of all its members
    since: int = 0  # what it tells of was owed when this id was: its own, of a roll-up the first of its members'
    has_card: bool = False  # its case has a card in the channel
    is_unsure: bool = False  # it may stand in the channel already
    is_held: bool = False  # it waited for the end of quiet hours
    has_begun: bool = False  # a roll-up or digest whose root stands

    @property
    def is_news(self) -> bool:
        """Whether it is a message of its own in the channel, not a reply: an alert, or a move of a case without a card."""
        return self.kind is DeliveryKind.ALERT or (self.kind is DeliveryKind.UPDATE and not self.has_card)

    @property
    def disturbs(self) -> bool:
        """Whether it waits for the end of quiet hours. A digest comes when it was asked for, a notice is urgent."""
        return self.kind in (DeliveryKind.ALERT, DeliveryKind.UPDATE) or (self.kind is DeliveryKind.ROLLUP and not self.has_begun)


@dataclass(frozen=True, slots=True)
class Told:
    """What a channel was told within the window: alerts, alone or rolled up, and when the last roll-up was."""

    alerts: int = 0
    rolled_up_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """What a channel gets now: one delivery, or several rolled into one message, or nothing. Some wait until later."""

    post: int | None = None
    roll: tuple[int, ...] = ()
    holds: Mapping[int, datetime] = field(default_factory=dict)


def next_turn(waiting: Sequence[Waiting], told: Told, now: datetime) -> Turn:
    """The next message of a channel: of what is due, that which has been due the longest.

    What belongs to one case goes out in the order in which it was owed. More than `MANY` alerts within the window are rolled up,
    and after a roll-up the rest of the window's wait for its end; alerts that were held over quiet hours are rolled up
    if there are two. A roll-up tells each case as it is now, so it takes the moves of its cases with it. What may
    stand already is never rolled up: it has to be looked for.
    """
    holds: dict[int, datetime] = {}
    free: list[Waiting] = []
    before = _before(waiting)
    due = [one for one in waiting if one.next_attempt_at <= now]
    news = {one.id: one for one in due if one.is_news and not one.is_unsure}
    while True:  # those that wait for nothing but each other
        kept = {one.id: one for one in news.values() if all(other.id in news for other in before[one.id])}
        if len(kept) == len(news):
            break
        news = kept
    for one in due:
        if one.id in news:
            continue
        if not before[one.id]:
            free.append(one)
        elif (last := max(other.next_attempt_at for other in before[one.id])) > now:
            holds[one.id] = last
    roll: list[Waiting] = []
    cases = _cases(news.values())
    is_many = told.alerts + len(cases | _cases(one for one in due if one.is_unsure)) > MANY
    until = _flooded_until(waiting, told, now)
    if until is not None:
        # where cases were joined since a roll-up was made, it may wait for one of the alerts that wait for it
        awaited = {other.id for one in waiting if one.kind is DeliveryKind.ROLLUP for other in before[one.id]}
        free += [one for one in news.values() if one.id in awaited and not before[one.id]]
        holds |= dict.fromkeys(news.keys() - awaited, until) if until > now else {}
    elif is_many or (len(cases) > 1 and any(one.is_held for one in news.values())):
        roll = list(news.values())
    else:
        free += [one for one in news.values() if not before[one.id]]
    first = min(free, key=_order, default=None)
    if roll and (first is None or min(map(_order, roll)) < _order(first)):
        return Turn(roll=tuple(sorted(one.id for one in roll)), holds=holds)
    return Turn(post=first.id if first else None, holds=holds)


def _flooded_until(waiting: Sequence[Waiting], told: Told, now: datetime) -> datetime | None:
    """Until when alerts wait: for a roll-up that is still to be sent, or for the end of the window of one that was sent, if
    there are too many without it; None: they need not."""
    pending = [one.next_attempt_at for one in waiting if one.kind is DeliveryKind.ROLLUP]
    if pending:
        return max(*pending, now)
    if told.rolled_up_at is None or now >= told.rolled_up_at + WINDOW:
        return None
    # those that wait already count, so that none of the later ones goes before them
    is_many = told.alerts + len(_cases(one for one in waiting if one.is_news)) > MANY
    return told.rolled_up_at + WINDOW if is_many else None


def _cases(some: Iterable[Waiting]) -> set[int]:
    return {case for one in some if one.is_news for case in one.cases}


def _before(waiting: Sequence[Waiting]) -> dict[int, list[Waiting]]:
    """What has to be posted before each of them: what was owed earlier of one of its cases."""
    of_case: dict[int, list[Waiting]] = defaultdict(list)
    for one in waiting:
        for case in one.cases:
            of_case[case].append(one)
    return {one.id: [other for case in one.cases for other in of_case[case] if other.since < one.since] for one in waiting}


def _order(one: Waiting) -> tuple[datetime, int]:
    return one.next_attempt_at, one.since


# --- workspaces --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bucket:
    """How fast a workspace is posted to. It starts at some pace, halves it when Slack says that it is too much, and regains it slowly."""

    next_post_at: datetime | None  # nothing before; None: it was never posted to
    pace: float  # messages a second, at `since`
    since: datetime

    def rate(self, now: datetime) -> float:
        """Messages a second."""
        return min(FASTEST, self.pace + _GAIN * max(0.0, (now - self.since).total_seconds()))

    def room(self, now: datetime) -> int:
        """How many messages may go out now."""
        earliest, step = self._reckoned(now)
        return 0 if earliest > now else int((now - earliest) / step) + 1

    def take(self, count: int, now: datetime) -> datetime:
        """`next_post_at` after so many more messages, that go out now or as soon as they may."""
        earliest, step = self._reckoned(now)
        return earliest + count * step

    def halved(self, now: datetime) -> float:
        """The pace after Slack found it too fast."""
        return max(SLOWEST, self.rate(now) / 2)

    def _reckoned(self, now: datetime) -> tuple[datetime, timedelta]:
        """The generic cell rate algorithm: since when there has been room, no longer ago than a burst; and one message's time."""
        rate = self.rate(now)
        step = timedelta(seconds=1 / rate)
        earliest = now - step * max(0, round(_BURST * rate) - 1)
        return (earliest if self.next_post_at is None else max(self.next_post_at, earliest)), step
