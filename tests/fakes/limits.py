"""Slack's limits on posts, as a model: what the SlackStub answers 429 by, and a count of who does not wait.

Documented are "about one message a second in a channel, with short bursts", and a limit of the whole workspace that is not
told (https://docs.slack.dev/apis/web-api/rate-limits). Here both are buckets that fill evenly, and a post that either has
nothing left for is refused with the whole seconds until it has. From then on the whole workspace waits: a post that comes in
meanwhile is refused again, and is a violation, unless it was on its way when the refusal was said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil, inf


@dataclass(slots=True)
class Bucket:
    """Takes `rate` posts a second evenly, `size` of them at once when it is full."""

    rate: float
    size: float
    left: float = field(init=False)
    at: float = field(init=False, default=-inf)

    def __post_init__(self) -> None:
        self.left = self.size

    def lacks(self, now: float) -> float:
        """Seconds until it has something left; 0.0 when it has."""
        if self.at > -inf:
            self.left = min(self.size, self.left + (now - self.at) * self.rate)
        self.at = now
        return max(0.0, (1 - self.left) / self.rate - 1e-9)

    def take(self) -> None:
        """One post less."""
        self.left -= 1


@dataclass(slots=True)
class Tally:
    """What became of the posts that came in."""

    taken: int = 0
    refused: int = 0  # with 429, for the channel or the workspace; the two below among them
    on_its_way: int = 0  # sent before the refusal could be known
    violations: int = 0  # sent while a Retry-After of the workspace ran


class Limits:
    """Ask `wait` before a post is taken. Seconds are those of `now`, which may run faster than real ones."""

    def __init__(
        self,
        now: Callable[[], float],
        *,
        per_workspace: float = 5.0,
        at_once: float | None = None,
        per_channel: float = 1.0,
        channel_at_once: float = 2.0,
        on_its_way: float = 0.5,
    ) -> None:
        """`per_workspace` and `per_channel` are posts a second, `at_once` and `channel_at_once` how many may come in a burst
        (None: those of a second); what comes within `on_its_way` seconds of a refusal was sent before it was known."""
        self._now = now
        self._on_its_way = on_its_way
        burst = max(1.0, per_workspace if at_once is None else at_once)
        self._workspaces: defaultdict[str, Bucket] = defaultdict(lambda: Bucket(per_workspace, burst))
        self._channels: defaultdict[tuple[str, str], Bucket] = defaultdict(lambda: Bucket(per_channel, channel_at_once))
        self._told: dict[str, tuple[float, float]] = {}  # when the workspace was told to wait, and until when
        self.tally = Tally()

    def wait(self, workspace: str, channel: str) -> int | None:
        """The Retry-After of a post that comes in now; None when it is taken."""
        now = self._now()
        told, until = self._told.get(workspace, (-inf, -inf))
        if now < until:
            self.tally.refused += 1
            if now - told <= self._on_its_way:
                self.tally.on_its_way += 1
            else:
                self.tally.violations += 1
            return ceil(until - now)
        buckets = (self._workspaces[workspace], self._channels[workspace, channel])
        lacking = max(bucket.lacks(now) for bucket in buckets)
        if lacking > 0:
            self.tally.refused += 1
            self._told[workspace] = (now, now + ceil(lacking))
            return ceil(lacking)
        for bucket in buckets:
            bucket.take()
        self.tally.taken += 1
        return None
