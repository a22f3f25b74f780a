"""What goes wrong around the service: Slack and the web that refuse, lose and hold, by chance from one seed, and on purpose.

`SlackWeather` and `WebWeather` are the `mishap` of the two stubs. An `Aim` lies in wait for the moment at which a process is to be
killed: when a message has arrived, when Slack has taken it and not yet answered, in the thread of a digest.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from tests.fakes.slack import Call, Fault, fine, held, lost_after, lost_before, rate_limited, unavailable
from tests.fakes.web import Answer, Request

POSTING = ("chat.postMessage", "chat.update")
READING = ("conversations.history", "conversations.replies")


def payload_of(arguments: dict[str, Any]) -> dict[str, Any]:
    """What our metadata says of a message; empty for a call without."""
    found: dict[str, Any] = (arguments.get("metadata") or {}).get("event_payload") or {}
    return found


@dataclass(slots=True)
class Aim:
    """A moment to kill at. `hit` is told whose call it was."""

    name: str
    matches: Callable[[Call], bool]
    is_taken: bool  # Slack took the message before; else it hangs up on it
    hit: asyncio.Future[str]
    let_go: asyncio.Event = field(default_factory=asyncio.Event)


def is_post(call: Call) -> bool:
    """Any message."""
    return call.method == "chat.postMessage"


def is_of_thread(call: Call) -> bool:
    """A message in the thread of a digest or a roll-up."""
    return is_post(call) and int(payload_of(call.arguments).get("part", 0)) > 0


def is_edit(call: Call) -> bool:
    """A card that is brought up to date."""
    return call.method == "chat.update"


class SlackWeather:
    """Befalls calls to Slack. While `is_calm`, nothing does."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.counts: Counter[str] = Counter()
        self.is_calm = True
        self.aim: Aim | None = None
        self._telling: set[asyncio.Task[None]] = set()

    def __call__(self, call: Call) -> Fault:
        aim = self.aim
        if aim is not None and aim.matches(call):
            self.aim = None
            if not aim.is_taken:
                aim.hit.set_result(call.token)
                return lost_before()
            arrived = asyncio.Event()
            task = asyncio.get_running_loop().create_task(_tell(arrived, aim, call.token))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)
            return held(arrived, aim.let_go)
        if self.is_calm or call.method not in (*POSTING, *READING):
            return fine()
        name, fault = self._drawn()
        if name:
            self.counts[f"slack: {name}"] += 1
        return fault

    def _drawn(self) -> tuple[str, Fault]:
        kinds: list[tuple[float, str, Callable[[], Fault]]] = [
            (0.03, "lost before", lost_before),
            (0.04, "reply lost", lost_after),
            (0.03, "429", lambda: rate_limited(1)),
            (0.02, "500", lambda: unavailable(500)),
            (0.02, "503 though done", lambda: unavailable(503, is_done=True)),
            (0.04, "slow", self._slow),
        ]
        at = self._random.random()
        for likely, name, make in kinds:
            at -= likely
            if at < 0:
                return name, make()
        return "", fine()

    def _slow(self) -> Fault:
        arrived, until = asyncio.Event(), asyncio.Event()
        asyncio.get_running_loop().call_later(self._random.uniform(0.05, 0.5), until.set)
        return held(arrived, until)


async def _tell(arrived: asyncio.Event, aim: Aim, token: str) -> None:
    await arrived.wait()
    aim.hit.set_result(token)


class WebWeather:
    """Befalls what the feeds answer. `on_news` is called when a body goes out whole that was not sent before."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.counts: Counter[str] = Counter()
        self.is_calm = True
        self.on_news: Callable[[], None] = lambda: None
        self._sent: set[tuple[str, str | None]] = set()

    def __call__(self, asked: Request, answer: Answer) -> Answer:
        if asked.path == "/robots.txt":
            return answer
        found = answer if self.is_calm else self._drawn(asked, answer)
        if found is answer and (asked.path, answer.etag) not in self._sent:
            self._sent.add((asked.path, answer.etag))
            self.on_news()
        return found

    def _drawn(self, asked: Request, answer: Answer) -> Answer:
        at = self._random.random()
        kinds: list[tuple[float, str, Answer]] = [
            (0.05, "500", Answer(status=500, body=b"trouble", content_type="text/plain")),
            (0.04, "429", Answer(status=429, body=b"slow down", content_type="text/plain", headers={"Retry-After": "1"})),
            (0.05, "body cut off", replace(answer, body=answer.body[: len(answer.body) // 2], hangs_up=True, etag=None)),
            (0.03, "slow", replace(answer, delay=self._random.uniform(0.1, 0.8))),
        ]
        for likely, name, instead in kinds:
            at -= likely
            if at < 0:
                self.counts[f"web: {name}"] += 1
                return instead
        if answer.etag and asked.headers.get("If-None-Match") == answer.etag:
            self.counts["web: 304"] += 1
        return answer
