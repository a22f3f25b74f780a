"""How to be a good guest: whose turn it is, how many requests there may be in all, and what robots.txt allows.

`Turns` lets one request at a time go to a host, with a pause after it; `Ceiling` holds the sum over all hosts;
`Robots` keeps what each host's robots.txt says (RFC 9309). They decide and wait; `fetch` sends.
"""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from protego import Protego
from yarl import URL

from bot.feeds import Failed, Fetched
from bot.feeds.guard import is_under_gov_cn
from storage.models import Health

HOST_GAP = timedelta(seconds=2)
"""Between two requests to one host."""
GOV_CN_GAP = timedelta(seconds=8)
MOST_CRAWL_DELAY = timedelta(seconds=60)
"""A host may ask for a longer pause than ours, up to this one."""
ROBOTS_KEPT = timedelta(hours=24)
ROBOTS_RETRY = timedelta(minutes=10)
"""Before a robots.txt that could not be read is asked for again."""
ROBOTS_BYTES = 500 * 1024
"""Of a robots.txt that are read; RFC 9309 demands no less."""

_TOKEN = "regwatch"  # noqa: S105 - the product token that robots.txt knows us by
_HOSTS_KEPT = 1_000
_NOT_ASKED = Failed(Health.ERROR, "it was not asked for yet", None, None, 0.0)


class Ceiling:
    """At most `per_minute` requests in any 60 seconds: a token bucket.

    It holds a quarter of them and is refilled with the rest, so that a burst and what follows it are under the
    ceiling together; a bucket that held them all would let twice as many through in its first minute.
    """

    def __init__(self, per_minute: int) -> None:
        burst = max(1, per_minute // 4)
        self._interval = 60 / (per_minute + 1 - burst)
        self._slack = (burst - 1) * self._interval
        self._full_at = float("-inf")

    def reserve(self, at: float) -> float:
        """The seconds that a request which could start `at` has to wait; from now on it counts."""
        start = max(at, self._full_at - self._slack)
        self._full_at = max(self._full_at, start) + self._interval
        return start - at


@dataclass(slots=True)
class _Host:
    """Whose turn it is at a host, and from when the next request may start."""

    turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    free_at: float = float("-inf")


class Turns:
    """One request at a time per host, a pause after it, and the ceiling over all hosts.

    `gap` is the pause (0 in tests and benchmarks), `clock` counts seconds and never goes back, `sleep` waits for some.
    """

    def __init__(
        self, gap: timedelta, ceiling: Ceiling | None, clock: Callable[[], float], sleep: Callable[[float], Awaitable[object]]
    ) -> None:
        self._gap = gap
        self._ceiling = ceiling
        self._clock = clock
        self._sleep = sleep
        self._hosts: defaultdict[str, _Host] = defaultdict(_Host)

    @asynccontextmanager
    async def turn(self, host: str, crawl_delay: timedelta) -> AsyncIterator[None]:
        """Holds the host's turn once it has come; `crawl_delay` is the pause that the host asks for."""
        name = host.rstrip(".")
        own = max(self._gap, GOV_CN_GAP) if self._gap and is_under_gov_cn(name) else self._gap
        state = self._hosts[name]
        async with state.turn:
            await self._wait(state.free_at - self._clock())
            if self._ceiling is not None:
                await self._wait(self._ceiling.reserve(self._clock()))
            try:
                yield
            finally:
                state.free_at = self._clock() + max(own, crawl_delay).total_seconds()

    async def _wait(self, seconds: float) -> None:
        if seconds > 0:
            await self._sleep(seconds)


# --- robots.txt ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Origin:
    """What is known of one host's robots.txt."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    rules: Protego | Failed = _NOT_ASKED  # or why it was never read
    ask_at: datetime | None = None  # None: at once


class Robots:
    """What the robots.txt of each host allows to us, read once in 24 hours by `read`, which gets its host's address.

    A robots.txt that is not there (4xx) allows everything. One that cannot be read (5xx, 429, no answer) allows
    nothing, but what was read before keeps holding; it is asked for again after ten minutes.
    """

    def __init__(self, now: Callable[[], datetime], read: Callable[[URL], Awaitable[Fetched | Failed]]) -> None:
        self._now = now
        self._read = read
        self._origins: dict[URL, _Origin] = {}

    async def refusal(self, url: URL) -> Failed | None:
        """Why the address may not be fetched; None when it may."""
        origin = self._origin(url)
        async with origin.lock:
            if origin.ask_at is None or self._now() >= origin.ask_at:
                await self._ask(url, origin)
        host = url.host or ""
        if isinstance(origin.rules, Failed):
            text = f"robots.txt of {host} cannot be read, and until then nothing is fetched there: {origin.rules.detail}"
            return replace(origin.rules, detail=text, seconds=0.0)
        if origin.rules.can_fetch(str(url), _TOKEN):
            return None
        text = f"robots.txt of {host} does not allow {url.raw_path_qs[:120]}; take another address of this body, or ask it for leave"
        return Failed(Health.BLOCKED, text, None, None, 0.0)

    def crawl_delay(self, url: URL) -> timedelta:
        """The pause that the host asks for, at most a minute; none when it was not asked yet."""
        origin = self._origins.get(url.origin())
        delay = origin.rules.crawl_delay(_TOKEN) if origin and isinstance(origin.rules, Protego) else None
        return min(timedelta(seconds=min(delay or 0.0, 3600.0)), MOST_CRAWL_DELAY)

    def _origin(self, url: URL) -> _Origin:
        key = url.origin()
        origin = self._origins.pop(key, None) or _Origin()
        # the one that was not needed for longest is forgotten: a feed may link to hosts without end
        self._origins[key] = origin
        if len(self._origins) > _HOSTS_KEPT:
            del self._origins[next(iter(self._origins))]
        return origin

    async def _ask(self, url: URL, origin: _Origin) -> None:
        got = await self._read(url)
        if isinstance(got, Fetched):
            # half a megabyte of rules takes longer than the loop can be held up
            origin.rules = await asyncio.to_thread(rules_of, got.body)
        elif got.status is not None and 300 <= got.status < 500 and got.status != 429:
            origin.rules = rules_of(b"")
        else:
            origin.rules = got if isinstance(origin.rules, Failed) else origin.rules
            origin.ask_at = self._now() + max(got.retry_after or ROBOTS_RETRY, ROBOTS_RETRY)
            return
        origin.ask_at = self._now() + ROBOTS_KEPT


def rules_of(body: bytes) -> Protego:
    """The rules for us and for everybody; raises nothing, whatever the bytes.

    The groups of other crawlers are given to one name that nobody has: protego would keep all rules of a group
    for each of its names, which a hostile file makes too many, and knows a crawler by the beginning of its name.
    """
    lines = body.decode("utf-8-sig", "replace").splitlines()
    return Protego.parse("\n".join(_AGENT.sub(_known_agent, line) for line in lines))


_AGENT = re.compile(r"^\s*user[- ]?agent\b([^#]*)", re.IGNORECASE)


def _known_agent(line: re.Match[str]) -> str:
    name = line[1].strip(" \t:").lower()
    token = re.match(r"[a-z_-]*", name)
    return f"User-agent: {name if name == '*' else _TOKEN if token and token[0] == _TOKEN else 'another'}"
