"""The ceiling, the turns, and what robots.txt allows."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.feeds import Failed, Fetched
from bot.feeds.fetch import Fetcher
from bot.feeds.manners import MOST_CRAWL_DELAY, Ceiling, rules_of
from storage.models import Health
from storage.records import SourceRow
from tests.fakes.clock import FakeClock
from tests.fakes.internet import Internet
from tests.fakes.web import Answer, FakeWeb

FEED = b'<?xml version="1.0"?><rss version="2.0"><channel><title>T</title><item><title>One</title></item></channel></rss>'


class Seconds:
    """A clock of seconds and the sleep that moves it on."""

    def __init__(self) -> None:
        self.at = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))
        self.at += seconds


def source(url: str = "http://feeds.example/feed", kind: str = "rss", **definition: str) -> SourceRow:
    return SourceRow(id="xx-news", regulator_id="xx", url=url, kind=kind, definition=definition)


@pytest.fixture
async def web() -> AsyncIterator[FakeWeb]:
    async with FakeWeb() as started:
        for path in ("/feed", "/other", "/new"):
            started.put(path, Answer(FEED))
        yield started


@pytest.fixture
async def fetcher(web: FakeWeb, clock: FakeClock) -> Callable[..., Fetcher]:
    names = ("feeds.example", "other.example", "third.example", "www.cac.gov.cn")
    internet = Internet({name: [(f"93.184.216.{number}",)] for number, name in enumerate(names, 30)})
    internet.connect_to(web.port, asyncio.get_running_loop())

    def make(**changed: Any) -> Fetcher:
        return Fetcher(**({"now": clock, "host_gap": timedelta(), "total": 5.0, "resolver": internet} | changed))

    return make


# --- the ceiling ---------------------------------------------------------------------------------------------------------


@given(st.integers(1, 300), st.lists(st.floats(0, 30), max_size=400))
def test_no_minute_holds_more_than_the_ceiling(per_minute: int, pauses: list[float]) -> None:
    """However the requests come: all at once, evenly, or in bursts after a rest."""
    ceiling, at, starts = Ceiling(per_minute), 0.0, []
    for pause in [*pauses, *[0.0] * per_minute]:
        at += pause
        at += ceiling.reserve(at)
        starts.append(at)
    for number, start in enumerate(starts[per_minute:]):
        assert start - starts[number] >= 60 - 1e-6


@given(st.integers(10, 300))
def test_the_ceiling_is_used_and_a_burst_does_not_wait(per_minute: int) -> None:
    ceiling, at, starts = Ceiling(per_minute), 0.0, []
    for _ in range(20 * per_minute):
        at += ceiling.reserve(at)
        starts.append(at)
    assert sum(start < 1e-6 for start in starts) == per_minute // 4
    assert starts[-1] < 20 * 60 * 4 / 3 + 1  # three quarters of it, for ever
    assert ceiling.reserve(at + 3600) < 1e-6


async def test_all_requests_count_over_all_hosts(web: FakeWeb, fetcher: Callable[..., Fetcher]) -> None:
    """Redirects and robots.txt too: three fetches are nine requests here."""
    seconds = Seconds()
    web.put("/robots.txt", Answer(b"", content_type="text/plain"))
    web.put("/moved", Answer(redirect="/feed"))
    async with fetcher(per_minute=10, clock=seconds, sleep=seconds.sleep) as http:
        for host in ("feeds", "other", "third"):
            assert isinstance(await http.fetch(source(f"http://{host}.example/moved")), Fetched)
    assert [request.path for request in web.requests] == ["/robots.txt", "/moved", "/feed"] * 3
    assert seconds.slept == [6.667] * 7  # two of ten at once, the others in the rest of the minute


async def test_a_host_that_waits_its_turn_takes_no_place_from_others(web: FakeWeb, fetcher: Callable[..., Fetcher]) -> None:
    seconds = Seconds()
    async with fetcher(per_minute=60, host_gap=timedelta(seconds=50), clock=seconds, sleep=seconds.sleep) as http:
        await http.get("http://feeds.example/feed")
        await http.get("http://feeds.example/feed")
        await http.get("http://other.example/feed")
    assert seconds.slept == [50.0]


# --- robots.txt: what it says ---------------------------------------------------------------------------------------------

RULES: list[tuple[str, str, str, bool]] = [
    ("nothing is everything", "", "/a", True),
    ("everybody is us", "User-agent: *\nDisallow: /a", "/a/b", False),
    ("what is not named is allowed", "User-agent: *\nDisallow: /a", "/b", True),
    ("a slash is all", "User-agent: *\nDisallow: /", "/a", False),
    ("an empty rule is none", "User-agent: *\nDisallow:", "/a", True),
    ("our own group beats everybody's", "User-agent: *\nDisallow: /\n\nUser-agent: Regwatch\nDisallow: /x", "/a", True),
    ("our own group holds", "User-agent: *\nAllow: /\n\nUser-agent: REGWATCH\nDisallow: /a", "/a", False),
    ("our name with a version is ours", "User-agent: regwatch/1.0\nDisallow: /a", "/a", False),
    ("another's name is not ours", "User-agent: Googlebot\nDisallow: /", "/a", True),
    ("the beginning of our name is not ours", "User-agent: Reg\nDisallow: /", "/a", True),
    ("a longer name is not ours", "User-agent: regwatch-images\nDisallow: /", "/a", True),
    ("groups of one name are one", "User-agent: *\nDisallow: /a\n\nUser-agent: x\nDisallow: /\n\nUser-agent: *\nDisallow: /b", "/b", False),
    ("a group may have several names", "User-agent: Googlebot\nUser-agent: *\nDisallow: /a", "/a", False),
    ("the longest rule wins", "User-agent: *\nDisallow: /a\nAllow: /a/news", "/a/news/1", True),
    ("a star is anything", "User-agent: *\nDisallow: /*.php", "/a/b.php?x", False),
    ("a dollar is the end", "User-agent: *\nDisallow: /*.pdf$", "/a.pdfs", True),
    ("a query counts", "User-agent: *\nDisallow: /*?sid=", "/a?sid=1", False),
    ("a comment is none", "User-agent: * # all\nDisallow: /a # not here", "/a", False),
    ("a mark of byte order is none", "\ufeffUser-agent: *\nDisallow: /a", "/a", False),
    ("carriage returns end lines", "User-agent: *\rDisallow: /a\r", "/a", False),
    ("Chinese paths are paths", "User-agent: *\nDisallow: /新闻", "/%E6%96%B0%E9%97%BB/1", False),
    ("a page instead is nothing", "<!doctype html><html><body>User-agent: x</body></html>", "/a", True),
    ("robots.txt itself is always allowed", "User-agent: *\nDisallow: /", "/robots.txt", True),
]


@pytest.mark.parametrize(("text", "path", "may"), [row[1:] for row in RULES], ids=[row[0] for row in RULES])
def test_what_the_rules_mean(text: str, path: str, may: bool) -> None:
    assert rules_of(text.encode()).can_fetch(f"https://body.example{path}", "regwatch") is may


@given(
    st.binary()
    | st.text().map(str.encode)
    | st.lists(st.sampled_from(["User-agent: *", "Disallow: /", "Crawl-delay: 1e999", "\x00"])).map("\n".join).map(str.encode)
)
def test_any_bytes_are_rules(body: bytes) -> None:
    rules_of(body).can_fetch("https://body.example/a", "regwatch")


def test_a_thousand_names_do_not_multiply_the_rules() -> None:
    """Ten thousand names and as many rules in one group would be a hundred million of them."""
    names = "".join(f"User-agent: bot{number}\u2028" for number in range(10_000))
    rules = rules_of((names + "User-agent: *\n" + "Disallow: /x\n" * 10_000).encode())
    assert not rules.can_fetch("https://body.example/x", "regwatch")


# --- robots.txt: how it is asked for ---------------------------------------------------------------------------------------


def robots(text: str, **more: Any) -> Answer:
    return Answer(text.encode(), content_type="text/plain", **more)


async def test_what_it_forbids_is_not_asked_for(web: FakeWeb, fetcher: Callable[..., Fetcher]) -> None:
    web.put("/robots.txt", robots("User-agent: *\nDisallow: /feed"))
    async with fetcher() as http:
        got = await http.fetch(source())
        assert isinstance(got, Failed)
        assert got.health is Health.BLOCKED
        assert "robots.txt of feeds.example does not allow /feed" in got.detail
        page = await http.page("http://other.example/feed", source("http://third.example/feed"))
        assert isinstance(page, Failed)
        assert isinstance(await http.fetch(source("http://feeds.example/other")), Fetched)
    assert web.count("/feed") == 0


async def test_it_is_asked_for_once_a_day_and_host(web: FakeWeb, fetcher: Callable[..., Fetcher], clock: FakeClock) -> None:
    web.put("/robots.txt", robots("User-agent: *\nDisallow: /x"))
    async with fetcher() as http:
        await asyncio.gather(*(http.fetch(source()) for _ in range(5)))
        assert web.count("/robots.txt") == 1
        await http.fetch(source("http://other.example/feed"))
        assert web.count("/robots.txt") == 2
        clock.forward(hours=23, minutes=59)
        await http.fetch(source())
        assert web.count("/robots.txt") == 2
        web.put("/robots.txt", robots("User-agent: *\nDisallow: /"))
        clock.forward(minutes=2)
        assert isinstance(await http.fetch(source()), Failed)
    assert web.count("/robots.txt") == 3


async def test_what_a_person_gives_is_not_asked_about(web: FakeWeb, fetcher: Callable[..., Fetcher]) -> None:
    web.put("/robots.txt", robots("User-agent: *\nDisallow: /"))
    web.put("/moved", Answer(redirect="http://other.example/feed"))
    async with fetcher() as http:
        assert isinstance(await http.get("http://feeds.example/moved"), Fetched)
    assert web.count("/robots.txt") == 0


async def test_a_redirect_to_another_host_asks_that_host_too(web: FakeWeb, fetcher: Callable[..., Fetcher]) -> None:
    web.put("/robots.txt", robots("User-agent: *\nDisallow: /x"), robots("User-agent: *\nDisallow: /new"))
    web.put("/feed", Answer(redirect="http://other.example/new"))
    async with fetcher() as http:
        got = await http.fetch(source())
    assert isinstance(got, Failed)
    assert "robots.txt of other.example does not allow /new" in got.detail
    assert [request.path for request in web.requests] == ["/robots.txt", "/feed", "/robots.txt"]


@pytest.mark.parametrize(
    ("answer", "may"),
    [
        pytest.param(robots("gone", status=404), True, id="404 allows all"),
        pytest.param(robots("gone", status=410), True, id="410 allows all"),
        pytest.param(robots("no", status=401), True, id="401 allows all"),
        pytest.param(robots("no", status=403), True, id="403 allows all"),
        pytest.param(robots(""), True, id="an empty one allows all"),
        pytest.param(robots("", redirect="/robots.txt"), True, id="one that redirects without end allows all"),
        pytest.param(robots("oops", status=500), False, id="500 allows nothing"),
        pytest.param(robots("oops", status=503), False, id="503 allows nothing"),
        pytest.param(robots("slow down", status=429), False, id="429 allows nothing for now"),
        pytest.param(robots("User-agent: *", hangs_up=True), False, id="one that breaks off allows nothing"),
        pytest.param(robots("x", delay=9), False, id="one that does not come allows nothing"),
        pytest.param(robots("", redirect="http://127.0.0.1/robots.txt"), False, id="one that leads inside allows nothing"),
        pytest.param(robots("", redirect="http://nobody.example/robots.txt"), False, id="one that leads nowhere allows nothing"),
    ],
)
async def test_one_that_cannot_be_read(web: FakeWeb, fetcher: Callable[..., Fetcher], answer: Answer, may: bool) -> None:
    web.put("/robots.txt", answer)
    async with fetcher(total=0.5) as http:
        got = await http.fetch(source())
    assert isinstance(got, Fetched) is may
    if isinstance(got, Failed):
        assert got.health is Health.ERROR
        assert got.detail.startswith("robots.txt of feeds.example cannot be read, and until then nothing is fetched there: ")
        assert web.count("/feed") == 0


async def test_one_that_cannot_be_read_is_tried_again_after_a_while(
    web: FakeWeb, fetcher: Callable[..., Fetcher], clock: FakeClock
) -> None:
    web.put("/robots.txt", robots("", status=503, headers={"Retry-After": "3600"}), robots("", status=500), robots(""))
    async with fetcher() as http:
        for minutes, asked, may in ((0, 1, False), (59, 1, False), (2, 2, False), (9, 2, False), (2, 3, True)):
            clock.forward(minutes=minutes)
            got = await http.fetch(source())
            assert (web.count("/robots.txt"), isinstance(got, Fetched)) == (asked, may)
            if asked == 1:
                assert isinstance(got, Failed)
                assert (got.status, got.retry_after) == (503, timedelta(hours=1))


async def test_what_was_read_before_holds_when_it_cannot_be_read_again(
    web: FakeWeb, fetcher: Callable[..., Fetcher], clock: FakeClock
) -> None:
    web.put("/robots.txt", robots("User-agent: *\nDisallow: /other"), robots("", status=500))
    async with fetcher() as http:
        for _ in range(3):
            assert isinstance(await http.fetch(source()), Fetched)
            assert isinstance(await http.fetch(source("http://feeds.example/other")), Failed)
            clock.forward(hours=25)
    assert web.count("/robots.txt") == 3


async def test_half_a_megabyte_of_it_is_read(web: FakeWeb, fetcher: Callable[..., Fetcher]) -> None:
    filler = "# nothing\n" * 51_199
    web.put("/robots.txt", robots(f"User-agent: *\n{filler}Disallow: /feed\n" + filler * 20))
    async with fetcher() as http:
        assert isinstance(await http.fetch(source()), Fetched)
    web.put("/robots.txt", robots("User-agent: *\nDisallow: /feed\n" + filler * 20))
    async with fetcher() as http:
        assert isinstance(await http.fetch(source()), Failed)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("User-agent: *\nCrawl-delay: 12", [12.0, 12.0], id="a delay is kept, from the first request on"),
        pytest.param("User-agent: *\nCrawl-delay: 0.5", [2.0, 2.0], id="our own pause is the least"),
        pytest.param("User-agent: *\nCrawl-delay: 86400", [60.0, 60.0], id="a minute is the most"),
        pytest.param("User-agent: *\nCrawl-delay: 1e300", [60.0, 60.0], id="also of what no clock can tell"),
        pytest.param("User-agent: *\nCrawl-delay: soon", [2.0, 2.0], id="a word is no delay"),
        pytest.param("User-agent: x\nCrawl-delay: 9", [2.0, 2.0], id="another's delay is not ours"),
    ],
)
async def test_the_pause_that_a_host_asks_for(web: FakeWeb, fetcher: Callable[..., Fetcher], text: str, expected: list[float]) -> None:
    seconds = Seconds()
    web.put("/robots.txt", robots(text))
    async with fetcher(host_gap=timedelta(seconds=2), clock=seconds, sleep=seconds.sleep) as http:
        await http.fetch(source())
        await http.fetch(source())
    assert seconds.slept == [2.0, expected[1]]
    assert max(expected) <= MOST_CRAWL_DELAY.total_seconds()


async def test_hosts_without_end_do_not_fill_the_memory(web: FakeWeb, fetcher: Callable[..., Fetcher]) -> None:
    """A feed may link to a new host in every entry; the ones that were not needed for longest are forgotten."""
    async with fetcher() as http:
        for number in random.Random(1).sample(range(10_000), 1_200):
            await http.page(f"http://h{number}.example/", source())
        assert len(http._robots._origins) == 1_000


async def test_the_turn_of_a_host_is_held_while_its_robots_txt_is_read(web: FakeWeb, fetcher: Callable[..., Fetcher]) -> None:
    web.put("/robots.txt", robots("", delay=0.02))
    web.put("/feed", Answer(FEED, delay=0.02))
    async with fetcher() as http:
        await asyncio.gather(*(http.fetch(source(f"http://feeds.example/{path}")) for path in ("feed", "other", "new")))
    assert web.most_at_once == 1
