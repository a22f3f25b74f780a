"""The fetcher: polite, guarded, bounded; every trouble is a value with a cause and a next step."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

import bot
from bot.feeds import Failed, Fetched, NotModified
from bot.feeds.fetch import DAY, Fetcher
from storage.models import Health
from storage.records import SourceRow
from tests.fakes.clock import FakeClock
from tests.fakes.web import Answer, FakeWeb

TLS = Path(__file__).parent / "data" / "tls"
FEED = b'<?xml version="1.0"?><rss version="2.0"><channel><title>T</title><item><title>One</title></item></channel></rss>'


class Names(AbstractResolver):
    """Every name under .example is this machine."""

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        if not host.endswith(".example"):
            raise OSError(f"no name {host}")
        return [ResolveResult(hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0)]

    async def close(self) -> None:
        return None


class Sleeps:
    """A sleep that notes and returns."""

    def __init__(self) -> None:
        self.asked: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.asked.append(round(seconds, 1))


@pytest.fixture
async def web() -> AsyncIterator[FakeWeb]:
    async with FakeWeb() as started:
        yield started


@pytest.fixture
def fetcher(web: FakeWeb, clock: FakeClock) -> Callable[..., Fetcher]:
    def make(**changed: Any) -> Fetcher:
        hosts = ("127.0.0.1", "feeds.example", "other.example", "www.cac.gov.cn.example")
        settings = {
            "now": clock,
            "allow": frozenset(f"{host}:{web.port}" for host in hosts),
            "host_gap": timedelta(),
            "total": 5.0,
            "resolver": Names(),
        }
        return Fetcher(**(settings | changed))

    return make


def source(url: str, **definition: str) -> SourceRow:
    return SourceRow(id="xx-news", regulator_id="xx", url=url, kind="rss", language="fr", definition=definition)


# --- what comes back -------------------------------------------------------------------------------------------


async def test_a_body_comes_with_all_that_the_next_poll_needs(web: FakeWeb, fetcher: Callable[..., Fetcher]) -> None:
    headers = {"Cache-Control": "public, max-age=900"}
    web.put("/feed", Answer(FEED, etag='"v1"', last_modified="Thu, 18 Mar 2021 10:00:00 GMT", headers=headers, is_gzip=True))
    async with fetcher() as http:
        got = await http.fetch(source(web.url("/feed")))
        assert isinstance(got, Fetched)
        assert (got.body, got.status, got.url) == (FEED, 200, web.url("/feed"))
        assert (got.etag, got.last_modified) == ('"v1"', "Thu, 18 Mar 2021 10:00:00 GMT")
        assert got.content_type == "application/rss+xml"
        assert got.fresh_for == timedelta(minutes=15)
        again = await http.fetch(source(web.url("/feed")), etag=got.etag, last_modified=got.last_modified)
    assert isinstance(again, NotModified)
    assert again.fresh_for == timedelta(minutes=15)
    assert web.requests[1].headers["If-Modified-Since"] == "Thu, 18 Mar 2021 10:00:00 GMT"


async def test_one_validator_is_enough_for_a_304(web: FakeWeb, fetcher: Callable[..., Fetcher]) -> None:
    web.put("/feed", Answer(FEED, last_modified="Thu, 18 Mar 2021 10:00:00 GMT"))
    async with fetcher() as http:
        got = await http.fetch(source(web.url("/feed")), last_modified="Thu, 18 Mar 2021 10:00:00 GMT")
    assert isinstance(got, NotModified)
    assert "If-None-Match" not in web.requests[0].headers


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Cache-Control": "max-age=60"}, timedelta(minutes=1)),
        ({"Cache-Control": "s-maxage=10, max-age=120"}, timedelta(minutes=2)),
        ({"Cache-Control": "max-age=31536000"}, DAY),
        ({"Cache-Control": "no-cache, max-age=60"}, None),
        ({"Expires": "Fri, 19 Mar 2021 05:00:00 GMT", "Date": "Fri, 19 Mar 2021 04:00:00 GMT"}, timedelta(hours=1)),
        ({"Expires": "Thu, 01 Jan 1970 00:00:00 GMT", "Date": "Fri, 19 Mar 2021 04:00:00 GMT"}, timedelta()),
        ({"Expires": "0"}, None),
        ({}, None),
    ],
)
async def test_how_long_an_answer_is_fresh(
    web: FakeWeb, fetcher: Callable[..., Fetcher], headers: dict[str, str], expected: timedelta | None
) -> None:
    web.put("/feed", Answer(FEED, headers=headers))
    async with fetcher() as http:
        got = await http.get(web.url("/feed"))
    assert isinstance(got, Fetched)
    assert got.fresh_for == expected


CLOUDFLARE = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Checking your browser before you go on.</body></html>"
LONG_PAGE = b"<html><head><title>News</title></head><body>" + b"<p>We publish decisions. Cookies and captcha are explained.</p>" * 60

STATES = [
    ("a refusal of plain clients", Answer(b"no", status=403), Health.BLOCKED, "refused with status 403"),
    ("a login", Answer(b"no", status=401), Health.BLOCKED, "status 401"),
    ("a challenge with 503", Answer(CLOUDFLARE, status=503, content_type="text/html"), Health.BLOCKED, "status 503"),
    ("a challenge with 403", Answer(CLOUDFLARE, status=403, content_type="text/html"), Health.BLOCKED, "status 403"),
    ("a challenge that says 200", Answer(CLOUDFLARE, content_type="text/html"), Health.BLOCKED, "Just a moment"),
    ("a maintenance page that says 200", Answer(b"<html><title>Maintenance</title>Back soon</html>"), Health.BLOCKED, "Maintenance"),
    ("a tiny denial", Answer(b"<html><body><h1>Access Denied</h1>Reference #18.2</body></html>"), Health.BLOCKED, "refusal"),
    ("a denial in Chinese", Answer("<html><body>您的访问被拒绝</body></html>".encode()), Health.BLOCKED, "refusal"),
    ("a redesigned page", Answer(b"<!doctype html>\n<html><title>Our news</title><p>Hello</html>"), Health.CHANGED_LAYOUT, "'Our news'"),
    ("a long page that speaks of captchas", Answer(LONG_PAGE), Health.CHANGED_LAYOUT, "'News'"),
    ("HTML behind an XML declaration", Answer(b'<?xml version="1.0"?><!-- x --><html><p>Hi</html>'), Health.CHANGED_LAYOUT, "HTML page"),
    ("an empty body", Answer(b""), Health.EMPTY, "no content"),
    ("a blank body", Answer(b" \r\n\n"), Health.EMPTY, "no content"),
    ("not there", Answer(b"gone", status=404), Health.ERROR, "moved or gone (status 404)"),
    ("gone for good", Answer(b"gone", status=410), Health.ERROR, "moved or gone (status 410)"),
    ("the server's own fault", Answer(b"oops", status=502), Health.ERROR, "status 502"),
    ("a strange status", Answer(b"", status=204), Health.ERROR, "status 204"),
    ("an unasked 304", Answer(b"", status=304), Health.ERROR, "status 304"),
]


@pytest.mark.parametrize(("answer", "health", "words"), [case[1:] for case in STATES], ids=[case[0] for case in STATES])
async def test_trouble_has_a_state_and_words(
    web: FakeWeb, fetcher: Callable[..., Fetcher], answer: Answer, health: Health, words: str
) -> None:
    web.put("/feed", answer)
    async with fetcher() as http:
        got = await http.get(web.url("/feed"))
    assert isinstance(got, Failed)
    assert got.health == health
    assert words in got.detail
    assert got.status == answer.status


async def test_an_xhtml_feed_with_html_inside_is_a_feed(web: FakeWeb, fetcher: Callable[..., Fetcher]) -> None:
    web.put("/feed", Answer(FEED.replace(b"One", b"&lt;html&gt; captcha access denied")))
    async with fetcher() as http:
        assert isinstance(await http.get(web.url("/feed")), Fetched)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("120", timedelta(minutes=2)),
        ("Fri, 19 Mar 2021 05:00:00 GMT", timedelta(hours=1)),
        ("Fri, 19 Mar 2021 03:00:00 GMT", timedelta()),
        ("999999999", DAY),
        ("soon", None),
    ],
)
async def test_retry_after_in_seconds_and_as_a_date(
    web: FakeWeb, fetcher: Callable[..., Fetcher], status: int, printed: str, expected: timedelta | None
) -> None:
    web.put("/feed", Answer(b"slow down", status=status, headers={"Retry-After": printed}))
    async with fetcher() as http:
        got = await http.get(web.url("/feed"))
    assert isinstance(got, Failed)
    assert (got.health, got.retry_after, got.status) == (Health.ERROR, expected, status)


# --- pages where a page is due -------------------------------------------------------------------------------------------

STORY = "The authority fined the firm. " * 60


def html(title: str, text: str, head: str = "") -> bytes:
    return f"<!DOCTYPE html>\n<html><head><title>{title}</title>{head}</head><body><p>{text}</p></body></html>".encode()


GUARDED = '<script src="/_Incapsula_Resource?SWJIYLWA=1"></script><script src="https://x.awswaf.com/challenge.js"></script>'
PAGES: list[tuple[str, bytes, Health | None, str]] = [
    ("a list page is what was asked for", html("News", STORY), None, ""),
    ("a short page is one", html("Notice 404/2026", "The firm was fined."), None, ""),
    ("a page that begins with text is one", b"The firm was fined. <p>More</p>", None, ""),
    ("a page behind a guard that lets us in is one", html("News", STORY, GUARDED), None, ""),
    ("a notice about a captcha is one", html("Firm fined for its captcha", STORY), None, ""),
    (
        "a short notice about maintenance is one",
        html("Airline warned", "Its maintenance was poor. " + "It must mend its ways. " * 20),
        None,
        "",
    ),
    ("a notice about Cloudflare is one", html("Cloudflare must block a site", STORY), None, ""),
    (
        "a notice on forbidden conduct is one",
        html("Forbidden fees", "The fees are forbidden. " + "They are to be paid back. " * 20),
        None,
        "",
    ),
    ("a PDF is one", b"%PDF-1.7\n%access denied", None, ""),
    ("MAS under maintenance is blocked", html("Maintenance", "We will be back soon."), Health.BLOCKED, "'Maintenance'"),
    (
        "FDA's apology is blocked",
        html("FDA Apology", "We apologize for the inconvenience. Your access was flagged."),
        Health.BLOCKED,
        "Apology",
    ),
    (
        "the Federal Register's doubt is blocked",
        html("Request Access", "Due to aggressive scraping we ask. " * 20),
        Health.BLOCKED,
        "Access",
    ),
    ("gob.mx's challenge is blocked", html("Challenge Validation", "", "<script>x()</script>"), Health.BLOCKED, "Challenge"),
    (
        "a rejection of 1,210 bytes is blocked",
        html("Request Rejected", "The requested URL was rejected. " * 30),
        Health.BLOCKED,
        "Rejected",
    ),
    ("Cloudflare's wait is blocked", CLOUDFLARE, Health.BLOCKED, "Just a moment"),
    ("a guard's script and no text is blocked", html("", "", GUARDED), Health.BLOCKED, "refusal"),
    ("a denial of many words is blocked", html("Access Denied | Body", STORY), Health.BLOCKED, "Access Denied"),
    ("a denial in Chinese is blocked", html("提示", "您的访问被拒绝"), Health.BLOCKED, "提示"),
    ("a denial without markup is blocked", b"Access Denied", Health.BLOCKED, "refusal"),
    ("a page that is not there is a changed layout", html("Page not found", "Look elsewhere."), Health.CHANGED_LAYOUT, "not there"),
    ("404 served as 200 is a changed layout", html("404", "Sorry."), Health.CHANGED_LAYOUT, "status 200"),
    ("a blank page is empty", b" \r\n", Health.EMPTY, "no content"),
]


@pytest.mark.parametrize("way", ["html-list", "link-pattern", "a notice's link"])
@pytest.mark.parametrize(("body", "health", "words"), [case[1:] for case in PAGES], ids=[case[0] for case in PAGES])
async def test_where_a_page_is_due_a_page_is_the_answer_and_a_decoy_is_not(
    web: FakeWeb, fetcher: Callable[..., Fetcher], body: bytes, health: Health | None, words: str, way: str
) -> None:
    web.put("/list", Answer(body, content_type="text/html"))
    async with fetcher() as http:
        if way == "a notice's link":
            got: object = await http.page(web.url("/list"), source(web.url("/feed")))
        else:
            got = await http.fetch(replace(source(web.url("/list")), kind=way))
    if health is None:
        assert isinstance(got, Fetched)
        assert got.body == body
    else:
        assert isinstance(got, Failed)
        assert got.health is health
        assert words in got.detail
    assert web.requests[0].headers["Accept"].startswith("text/html")


@pytest.mark.parametrize("kind", ["rss", "atom", "json", "csv"])
async def test_where_data_is_due_a_page_is_none(web: FakeWeb, fetcher: Callable[..., Fetcher], kind: str) -> None:
    web.put("/data", Answer(html("News", STORY), content_type="text/html"))
    async with fetcher() as http:
        got = await http.fetch(replace(source(web.url("/data")), kind=kind))
    assert isinstance(got, Failed)
    assert got.health is Health.CHANGED_LAYOUT


async def test_a_page_is_asked_for_whole_and_bounded(web: FakeWeb, fetcher: Callable[..., Fetcher]) -> None:
    web.put("/page", Answer(html("News", STORY), etag='"1"', headers={"Set-Cookie": "a=b"}), Answer(b"<p>", megabytes=9))
    async with fetcher() as http:
        assert isinstance(await http.page(web.url("/page"), source(web.url("/feed"))), Fetched)
        got = await http.page(web.url("/page"), source(web.url("/feed")))
        assert isinstance(got, Failed)
        assert "larger than 8 MB" in got.detail
        nothing = await http.page("mailto:press@body.example", source(web.url("/feed")))
    assert isinstance(nothing, Failed)
    assert "no http or https address" in nothing.detail
    assert not {"If-None-Match", "Cookie"} & web.requests[1].headers.keys()


# --- what is asked -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "content_type", "body"),
    [
        ("form:channelCode=A093702&fuhao=%3D&value=", "application/x-www-form-urlencoded", b"channelCode=A093702&fuhao=%3D&value="),
        ('json:{"lang":"TC","pageNo":0}', "application/json", b'{"lang":"TC","pageNo":0}'),
    ],
)
async def test_a_post_sends_what_the_row_says(
    web: FakeWeb, fetcher: Callable[..., Fetcher], params: str, content_type: str, body: bytes
) -> None:
    web.put("/api", Answer(b"[]", content_type="application/json"))
    row = replace(source(web.url("/api"), method="POST", request_params=params), kind="json")
    async with fetcher() as http:
        got = await http.fetch(row, etag='"1"')
    assert isinstance(got, Fetched)
    (asked,) = web.requests
    assert (asked.method, asked.body, asked.headers["Content-Type"]) == ("POST", body, content_type)
    assert asked.headers["Content-Length"] == str(len(body))
    assert "If-None-Match" not in asked.headers


async def test_a_query_is_part_of_the_address_and_no_redirect(web: FakeWeb, fetcher: Callable[..., Fetcher]) -> None:
    web.put("/api?tree=1&paramJson=%7B%22pageNo%22:1,%22pageSize%22:20%7D", Answer(b"[]"))
    row = replace(source(web.url("/api?tree=1"), request_params='query:paramJson={"pageNo":1,"pageSize":20}'), kind="json")
    async with fetcher() as http:
        got = await http.fetch(row)
    assert isinstance(got, Fetched)
    assert not got.is_redirected


@pytest.mark.parametrize(
    ("status", "host", "method"),
    [
        pytest.param(303, "other.example", "GET", id="303 is asked for with GET"),
        pytest.param(302, "127.0.0.1", "GET", id="302 is asked for with GET"),
        pytest.param(307, "127.0.0.1", "POST", id="307 is posted to on the same host"),
        pytest.param(308, "127.0.0.1", "POST", id="308 is posted to on the same host"),
        pytest.param(307, "other.example", None, id="307 to another host is refused"),
        pytest.param(308, "other.example", None, id="308 to another host is refused"),
    ],
)
async def test_a_post_that_is_redirected(web: FakeWeb, fetcher: Callable[..., Fetcher], status: int, host: str, method: str | None) -> None:
    web.put("/api", Answer(status=status, redirect=web.url("/new", host)))
    web.put("/new", Answer(b"[]"))
    row = replace(source(web.url("/api"), method="POST", request_params="form:a=1"), kind="json")
    async with fetcher() as http:
        got = await http.fetch(row)
    if method is None:
        assert isinstance(got, Failed)
        assert "redirects a POST from 127.0.0.1 to other.example" in got.detail
        assert len(web.requests) == 1
    else:
        assert isinstance(got, Fetched)
        assert got.is_redirected
        last = web.requests[-1]
        assert (last.method, last.body) == (method, b"a=1" if method == "POST" else b"")
        assert ("Content-Type" in last.headers) == (method == "POST")


# --- bounds ----------------------------------------------------------------------------------------------------


async def test_200_megabytes_are_not_read(web: FakeWeb, fetcher: Callable[..., Fetcher]) -> None:
    web.put("/feed", Answer(b"<rss>", megabytes=200))
    async with fetcher() as http:
        got = await http.get(web.url("/feed"))
    assert isinstance(got, Failed)
    assert (got.health, got.status) == (Health.ERROR, 200)
    assert "larger than 8 MB" in got.detail
    assert web.bytes_sent < 60 * 2**20


async def test_a_gzip_bomb_is_stopped_by_what_it_inflates_to(web: FakeWeb, fetcher: Callable[..., Fetcher]) -> None:
    web.put("/feed", Answer(b"", megabytes=300, is_bomb=True))
    async with fetcher() as http:
        got = await http.get(web.url("/feed"))
    assert isinstance(got, Failed)
    assert "larger than 8 MB" in got.detail


async def test_a_drip_feed_ends_with_the_time(web: FakeWeb, fetcher: Callable[..., Fetcher]) -> None:
    web.put("/feed", Answer(FEED, drip=0.05))
    async with fetcher(total=0.3) as http:
        got = await http.get(web.url("/feed"))
    assert isinstance(got, Failed)
    assert "no whole answer within 0.3 s" in got.detail
    assert got.seconds < 2


async def test_the_time_spans_the_redirects(web: FakeWeb, fetcher: Callable[..., Fetcher]) -> None:
    web.put("/a", Answer(redirect="/b", delay=0.15))
    web.put("/b", Answer(redirect="/c"))
    web.put("/c", Answer(FEED, delay=0.3))
    async with fetcher(total=0.35) as http:
        got = await http.get(web.url("/a"))
    assert isinstance(got, Failed) or got.seconds < 0.35


async def test_an_answer_that_breaks_off(web: FakeWeb, fetcher: Callable[..., Fetcher]) -> None:
    web.put("/feed", Answer(FEED, hangs_up=True))
    async with fetcher() as http:
        got = await http.get(web.url("/feed"))
    assert isinstance(got, Failed)
    assert "broke off" in got.detail


# --- addresses ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://feeds.example/x", "gopher://x", "not an address", "", "http://"])
async def test_only_web_addresses(web: FakeWeb, fetcher: Callable[..., Fetcher], address: str) -> None:
    web.put("/feed", Answer(redirect=address or "file:///"))
    async with fetcher() as http:
        got = await http.get(address)
        assert isinstance(got, Failed)
        assert "no http or https address" in got.detail
        if ":" in address and address != "http://":
            got = await http.get(web.url("/feed"))
            assert isinstance(got, Failed)
            assert "redirects to" in got.detail


# --- redirects -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_followed_and_the_end_is_reported(web: FakeWeb, fetcher: Callable[..., Fetcher], status: int) -> None:
    web.put("/old", Answer(status=status, redirect="../new?a=1&b=%E4%B8%AD#top"))
    web.put("/new?a=1&b=%E4%B8%AD", Answer(FEED))
    async with fetcher() as http:
        got = await http.get(web.url("/old"))
    assert isinstance(got, Fetched)
    assert got.url == web.url("/new?a=1&b=%E4%B8%AD") or got.url == web.url("/new?a=1&b=中")


async def test_validators_and_referer_stay_with_their_host(web: FakeWeb, fetcher: Callable[..., Fetcher]) -> None:
    web.put("/a", Answer(redirect="/b"))
    web.put("/b", Answer(redirect=web.url("/c", "other.example")))
    web.put("/c", Answer(FEED))
    row = source(web.url("/a", "feeds.example"), client_policy="referer", request_headers="Referer: https://feeds.example/list")
    async with fetcher() as http:
        assert isinstance(await http.fetch(row, etag='"v1"', last_modified="x"), Fetched)
    first, second, third = (request.headers for request in web.requests)
    assert first["If-None-Match"] == second["If-None-Match"] == '"v1"'
    assert first["Referer"] == "https://feeds.example/list"
    assert not {"If-None-Match", "If-Modified-Since", "Referer"} & third.keys()


async def test_six_redirects_are_too_many_and_five_are_not(web: FakeWeb, fetcher: Callable[..., Fetcher]) -> None:
    for number in range(6):
        web.put(f"/{number}", Answer(redirect=f"/{number + 1}"))
    web.put("/6", Answer(FEED))
    web.put("/loop", Answer(redirect="/loop"))
    async with fetcher() as http:
        assert isinstance(await http.get(web.url("/1")), Fetched)
        for path in ("/0", "/loop"):
            got = await http.get(web.url(path))
            assert isinstance(got, Failed)
            assert "more than 5 redirects" in got.detail


# --- manners -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("definition", "contact", "header", "expected"),
    [
        ({}, None, "User-Agent", f"Regwatch/{bot.__version__}"),
        ({}, "ops@watch.example", "User-Agent", f"Regwatch/{bot.__version__} (+ops@watch.example)"),
        ({"client_policy": "declared-contact"}, "ops@watch.example", "User-Agent", f"Regwatch/{bot.__version__} (+ops@watch.example)"),
        (
            {"client_policy": "browser-like"},
            "https://watch.example",
            "User-Agent",
            f"Mozilla/5.0 (compatible; Regwatch/{bot.__version__}; +https://watch.example)",
        ),
        ({"client_policy": "accept-language"}, None, "Accept-Language", "fr,en;q=0.5"),
        ({"client_policy": "accept-language", "request_headers": "Accept-Language: en-US"}, None, "Accept-Language", "en-US"),
        ({"client_policy": "referer", "request_headers": "Referer: https://www.samr.gov.cn/"}, None, "Referer", "https://www.samr.gov.cn/"),
        ({"request_headers": "X-Requested-With: XMLHttpRequest"}, None, "X-Requested-With", "XMLHttpRequest"),
    ],
)
async def test_who_we_say_we_are(
    web: FakeWeb, fetcher: Callable[..., Fetcher], definition: dict[str, str], contact: str | None, header: str, expected: str
) -> None:
    web.put("/feed", Answer(FEED))
    async with fetcher(contact=contact) as http:
        await http.fetch(source(web.url("/feed"), **definition))
    assert web.requests[0].headers[header] == expected


async def test_a_referer_is_made_up_of_the_host_when_none_is_given(web: FakeWeb, fetcher: Callable[..., Fetcher]) -> None:
    web.put("/feed", Answer(FEED))
    async with fetcher() as http:
        await http.fetch(source(web.url("/feed"), client_policy="referer"))
    assert web.requests[0].headers["Referer"] == web.url("/")


async def test_one_request_at_a_time_per_host(web: FakeWeb, fetcher: Callable[..., Fetcher]) -> None:
    web.put("/feed", Answer(FEED, delay=0.02))
    async with fetcher() as http:
        await asyncio.gather(*(http.get(web.url("/feed")) for _ in range(5)))
        assert (web.count("/feed"), web.most_at_once) == (5, 1)
        await asyncio.gather(http.get(web.url("/feed", "feeds.example")), http.get(web.url("/feed", "other.example")))
    assert web.most_at_once == 2


async def test_the_gap_between_two_requests_to_a_host(web: FakeWeb, fetcher: Callable[..., Fetcher]) -> None:
    web.put("/feed", Answer(FEED))
    sleeps = Sleeps()
    async with fetcher(host_gap=timedelta(seconds=2), sleep=sleeps) as http:
        await http.get(web.url("/feed"))
        await http.get(web.url("/feed", "feeds.example"))
        assert sleeps.asked == []
        await http.get(web.url("/feed"))
        assert sleeps.asked == [2.0]


async def test_chinese_government_hosts_get_a_longer_gap(clock: FakeClock) -> None:
    sleeps = Sleeps()
    async with Fetcher(now=clock, sleep=sleeps, resolver=Names()) as http:
        for _ in range(2):
            got = await http.get("http://www.cac.gov.cn/feed")
            assert isinstance(got, Failed)
            assert "does not resolve" in got.detail
    assert sleeps.asked == [8.0]


# --- below HTTP ------------------------------------------------------------------------------------------------------


async def test_nobody_listens(web: FakeWeb, fetcher: Callable[..., Fetcher]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        async with fetcher(allow=frozenset({f"127.0.0.1:{port}"})) as http:
            got = await http.get(f"http://127.0.0.1:{port}/feed")
    assert isinstance(got, Failed)
    assert "no connection to 127.0.0.1" in got.detail
    assert got.status is None


async def _tls(name: str, clock: FakeClock, caplog: pytest.LogCaptureFixture, *, is_trusted: bool) -> object:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(TLS / f"{name}.pem")
    client = ssl.create_default_context()
    if is_trusted:
        client.load_verify_locations(TLS / f"{name}.pem")
    with caplog.at_level(logging.CRITICAL, "asyncio"):
        async with FakeWeb(server) as web, Fetcher(now=clock, allow=frozenset({web.host_port}), host_gap=timedelta(), tls=client) as http:
            web.put("/feed", Answer(FEED))
            return await http.get(web.url("/feed"))


async def test_tls_that_holds(clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    assert isinstance(await _tls("good", clock, caplog, is_trusted=True), Fetched)


async def test_an_expired_certificate_is_a_state_of_its_own(clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    got = await _tls("expired", clock, caplog, is_trusted=True)
    assert isinstance(got, Failed)
    assert got.health is Health.EXPIRED_CERTIFICATE
    assert "has expired" in got.detail


async def test_a_certificate_that_nobody_trusts_is_an_error(clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    got = await _tls("good", clock, caplog, is_trusted=False)
    assert isinstance(got, Failed)
    assert got.health is Health.ERROR
    assert "is not trusted" in got.detail


async def test_http_that_is_none(clock: FakeClock) -> None:
    async def rubbish(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(rubbish, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, Fetcher(now=clock, allow=frozenset({f"127.0.0.1:{port}"}), host_gap=timedelta()) as http:
        got = await http.get(f"http://127.0.0.1:{port}/feed")
    assert isinstance(got, Failed)
    assert "does not speak proper HTTP" in got.detail


async def test_it_is_a_context_manager(clock: FakeClock) -> None:
    with pytest.raises(RuntimeError, match="context manager"):
        await Fetcher(now=clock, allow=frozenset({"127.0.0.1:80"})).get("http://127.0.0.1/")


async def test_a_body_is_saved_as_it_comes(web: FakeWeb, fetcher: Callable[..., Fetcher], tmp_path: Path) -> None:
    """A file larger than any feed goes to disk, only its beginning into memory; beyond the limit it is stopped."""
    web.put("/large", Answer(megabytes=12))
    async with fetcher(max_bytes=16 * 2**20) as fetch:
        with (tmp_path / "large").open("wb") as file:
            result = await fetch.save(web.url("/large"), file)
        assert isinstance(result, Fetched)
        assert 11 * 2**20 < (tmp_path / "large").stat().st_size <= web.bytes_sent
        assert len(result.body) <= 2**17
    async with fetcher(max_bytes=2 * 2**20) as fetch:
        with (tmp_path / "cut").open("wb") as file:
            stopped = await fetch.save(web.url("/large"), file)
        assert isinstance(stopped, Failed)
        assert "larger than 2 MB" in stopped.detail
        with (tmp_path / "missing").open("wb") as file:
            missing = await fetch.save(web.url("/missing"), file)
        assert isinstance(missing, Failed)
        assert (tmp_path / "missing").stat().st_size == 0
