"""Every trick that a hostile feed, site or name server may try, and what stops it. Each row's id is a claim.

No pair is allowed here: names lead to public addresses, behind which a FakeWeb stands, and whatever the fetcher
connects to is noted. A row holds when its words come back and nothing inside was ever connected to.
"""

from __future__ import annotations

import asyncio
import gzip
import random
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from functools import cache
from typing import Any

import pytest

from bot.feeds import Failed, Fetched
from bot.feeds.fetch import Fetcher
from bot.feeds.guard import is_public
from storage.models import Health
from storage.records import SourceRow
from tests.fakes.clock import FakeClock
from tests.fakes.internet import Internet
from tests.fakes.web import Answer, FakeWeb

PUBLIC = "93.184.216.34"
FEED = b'<?xml version="1.0"?><rss version="2.0"><channel><title>T</title><item><title>One</title></item></channel></rss>'
NAMES: dict[str, list[tuple[str, ...]]] = {
    "feeds.example": [(PUBLIC,)],
    "other.example": [("93.184.216.35",)],
    "inside.example": [("127.0.0.1",)],
    "inside6.example": [("::1",)],
    "mapped.example": [("::ffff:10.0.0.1",)],
    "metadata.example": [("169.254.169.254",)],
    "shared.example": [("100.100.100.200",)],
    "second.example": [("10.0.0.1",), (PUBLIC,)],
    "dotted.example.": [("127.0.0.1",)],
    "localhost": [("127.0.0.1",), ("::1",)],
}


@pytest.fixture
async def web() -> AsyncIterator[FakeWeb]:
    async with FakeWeb() as started:
        started.put("/feed", Answer(FEED))
        yield started


@pytest.fixture
async def internet(web: FakeWeb) -> Internet:
    made = Internet({name: list(answers) for name, answers in NAMES.items()})
    made.connect_to(web.port, asyncio.get_running_loop())
    return made


@pytest.fixture
def fetcher(internet: Internet, clock: FakeClock) -> Callable[..., Fetcher]:
    def make(**changed: Any) -> Fetcher:
        return Fetcher(**({"now": clock, "host_gap": timedelta(), "total": 5.0, "resolver": internet} | changed))

    return make


def source(url: str, **definition: str) -> SourceRow:
    return SourceRow(id="xx-news", regulator_id="xx", url=url, kind="rss", language="fr", definition=definition)


def refused(got: object, words: str) -> None:
    """It is a value with these words, and an error rather than a block: nobody on the other side said no."""
    assert isinstance(got, Failed), got
    assert got.health is Health.ERROR
    assert words in got.detail


async def test_the_way_out_is_open(web: FakeWeb, internet: Internet, fetcher: Callable[..., Fetcher]) -> None:
    """The rows below would hold for a fetcher that reaches nothing, too."""
    async with fetcher() as http:
        assert isinstance(await http.get("http://feeds.example/feed"), Fetched)
        assert isinstance(await http.get(f"http://{PUBLIC}/feed"), Fetched)
    assert internet.reached == [PUBLIC, PUBLIC]


# --- addresses -------------------------------------------------------------------------------------------------------

INSIDE = """127.0.0.1 127.255.255.254 0.0.0.0 10.0.0.1 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 100.100.100.200
192.0.0.1 192.0.0.170 192.0.2.1 192.88.99.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255
::1 :: ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:100.64.0.1 64:ff9b::7f00:1 64:ff9b:1::a00:1 2002:7f00:1::
2001:0:4136:e378:8000:63bf:3fff:fdd2 fe80::1 fe80::1%eth0 fec0::1 fc00::1 fd12:3456::1 ff02::1 2001:db8::1 nonsense"""


@pytest.mark.parametrize("address", INSIDE.split())
def test_inside_addresses_are_known(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "1.1.1.1", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34"])
def test_public_addresses_are_known(address: str) -> None:
    assert is_public(address)


# --- where it may not go -------------------------------------------------------------------------------------------------

ADDRESS, NUMBER, NO_NAME, NOT_WEB = "is an inside address", "no address that can be fetched", "does not resolve", "no http or https address"

TRICKS = [
    # literal addresses in every spelling: stopped when the socket is made
    ("the loopback in dotted decimals is inside", "http://127.0.0.1/", ADDRESS),
    ("another address of the loopback is inside", "http://127.255.255.254/", ADDRESS),
    ("the loopback with bytes left out is no address", "http://127.1/", NUMBER),
    ("the loopback as one number is no address", "http://2130706433/", NUMBER),
    ("the loopback in hexadecimal is inside", "http://0x7f000001/", ADDRESS),
    ("the loopback in octal is no address", "http://0177.0.0.1/", NUMBER),
    ("the loopback in three mixed spellings is inside", "http://0x7f.0.01/", ADDRESS),
    ("the loopback with a dot behind is no address", "http://127.0.0.1./", NUMBER),
    ("the address of this machine is inside", "http://0.0.0.0/", ADDRESS),
    ("a lone zero is no address", "http://0/", NUMBER),
    ("ten-eight is inside", "http://10.1.2.3/", ADDRESS),
    ("a home network is inside", "http://192.168.0.1/", ADDRESS),
    ("one-seven-two-sixteen is inside", "http://172.31.255.255/", ADDRESS),
    ("the cloud's metadata is inside", "http://169.254.169.254/latest/meta-data/", ADDRESS),
    ("the metadata address of carrier-grade space is inside", "http://100.100.100.200/", ADDRESS),
    ("multicast is inside", "http://224.0.0.1/", ADDRESS),
    ("broadcast is inside", "http://255.255.255.255/", ADDRESS),
    ("benchmarking space is inside", "http://198.18.0.1/", ADDRESS),
    ("the loopback of IPv6 is inside", "http://[::1]/", ADDRESS),
    ("no address of IPv6 is inside", "http://[::]/", ADDRESS),
    ("IPv4 mapped into IPv6 is inside", "http://[::ffff:127.0.0.1]/", ADDRESS),
    ("the same in hexadecimal is inside", "http://[::ffff:7f00:1]/", ADDRESS),
    ("the same written out is inside", "http://[0:0:0:0:0:ffff:127.0.0.1]/", ADDRESS),
    ("IPv4-compatible IPv6 is inside", "http://[::127.0.0.1]/", ADDRESS),
    ("NAT64 of the loopback is inside", "http://[64:ff9b::7f00:1]/", ADDRESS),
    ("local NAT64 is inside", "http://[64:ff9b:1::a00:1]/", ADDRESS),
    ("6to4 of the loopback is inside", "http://[2002:7f00:1::]/", ADDRESS),
    ("Teredo is inside", "http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/", ADDRESS),
    ("a unique local address is inside", "http://[fd00::1]/", ADDRESS),
    ("a site-local address is inside", "http://[fec0::1]/", ADDRESS),
    ("a link-local address is inside", "http://[fe80::1]/", ADDRESS),
    ("a link-local address with its zone is inside", "http://[fe80::1%25lo]/", ADDRESS),
    ("multicast of IPv6 is inside", "http://[ff02::1]/", ADDRESS),
    # letters that look like digits and dots: read once, by the library that connects
    ("ideographic full stops are dots", "http://127。0。0。1/", ADDRESS),
    ("circled digits are digits", "http://①②⑦.⓪.⓪.①/", ADDRESS),
    ("full-width digits are digits", "http://１２７.０.０.１/", ADDRESS),
    ("circled letters are letters", "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/", ADDRESS),
    ("a percent-encoded letter in a name is none", "http://loc%61lhost/", NOT_WEB),
    ("a name that ends at a zero byte is none", "http://127.0.0.1%00.feeds.example/", NOT_WEB),
    ("a space in a name is none", "http://127.0.0 .1/", NOT_WEB),
    # names: stopped when the socket is made, whatever the name server says
    ("a name of the loopback is inside", "http://inside.example/", ADDRESS),
    ("a name of the loopback of IPv6 is inside", "http://inside6.example/", ADDRESS),
    ("a name of a mapped address is inside", "http://mapped.example/", ADDRESS),
    ("a name of the cloud's metadata is inside", "http://metadata.example/", ADDRESS),
    ("a name of carrier-grade space is inside", "http://shared.example/", ADDRESS),
    ("a fully qualified name of the loopback is inside", "http://dotted.example./", ADDRESS),
    ("localhost is inside", "http://localhost/", ADDRESS),
    ("a name that nobody has is none", "http://nobody.example/", NO_NAME),
    # addresses that two readers read in two ways: there is one reader
    ("a name before an at sign is a user", "http://feeds.example@127.0.0.1/", "carries a user name"),
    ("a user with a password is refused", "http://me:secret@feeds.example/feed", "carries a user name"),
    ("a backslash before an at sign is none", "http://feeds.example\\@127.0.0.1/", NOT_WEB),
    ("two ports are none", "http://127.0.0.1:80:80/", NOT_WEB),
    ("a port beyond all is none", "http://feeds.example:99999/", NOT_WEB),
    ("a bracket that stays open is none", "http://[::1/", NOT_WEB),
    # ports and schemes
    ("the port of Redis is refused", "http://feeds.example:6379/", "port 6379 is not 80 or 443"),
    ("the port of SSH is refused", "http://feeds.example:22/", "port 22 is not 80 or 443"),
    ("a file is no web address", "file:///etc/passwd", NOT_WEB),
    ("FTP is no web address", "ftp://feeds.example/x", NOT_WEB),
    ("data is no web address", "data:text/xml,<rss/>", NOT_WEB),
    ("gopher is no web address", "gopher://feeds.example:6379/_x", NOT_WEB),
    ("a scheme in capitals is no other scheme", "FILE:///etc/passwd", NOT_WEB),
    ("javascript is no web address", "javascript:alert(1)", NOT_WEB),
]


@pytest.mark.parametrize("way", ["directly", "by a redirect", "by a notice's link", "as a robots.txt that redirects"])
@pytest.mark.parametrize(("address", "words"), [trick[1:] for trick in TRICKS], ids=[trick[0] for trick in TRICKS])
async def test_the_inside_is_out_of_reach(
    web: FakeWeb, internet: Internet, fetcher: Callable[..., Fetcher], address: str, words: str, way: str
) -> None:
    redirect = Answer(redirect=address)
    async with fetcher() as http:
        if way == "directly":
            got: object = await http.get(address)
        elif way == "by a redirect":
            web.put("/moved", redirect)
            got = await http.get("http://feeds.example/moved")
        elif way == "by a notice's link":
            got = await http.page(address, source("http://feeds.example/feed"))
        else:
            web.put("/robots.txt", redirect)
            got = await http.fetch(source("http://feeds.example/feed"))
    if isinstance(got, Fetched):
        # RFC 9309: a robots.txt that leads nowhere is as good as none; the feed itself is outside
        assert (way, words) == ("as a robots.txt that redirects", NOT_WEB)
    else:
        refused(got, words)
    assert all(map(is_public, internet.reached))
    assert {request.path for request in web.requests} <= {"/moved", "/robots.txt", "/feed"}


async def test_a_name_that_answers_otherwise_the_second_time_is_looked_at_again(
    web: FakeWeb, internet: Internet, fetcher: Callable[..., Fetcher]
) -> None:
    """DNS rebinding: there is no first look whose answer a second one could betray, and no cache in between."""
    internet.names["rebound.example"] = [(PUBLIC,), ("127.0.0.1",)]
    async with fetcher() as http:
        assert isinstance(await http.get("http://rebound.example/feed"), Fetched)
        web.put("/feed", Answer(FEED, headers={"Connection": "close"}))
        await http.get("http://rebound.example/feed")
        refused(await http.get("http://rebound.example/feed"), ADDRESS)
    assert set(internet.reached) == {PUBLIC}


async def test_of_a_name_with_two_addresses_the_inside_one_is_never_tried(internet: Internet, fetcher: Callable[..., Fetcher]) -> None:
    internet.names["both.example"] = [("127.0.0.1", "10.0.0.1", PUBLIC)]
    async with fetcher() as http:
        await http.get("http://both.example/feed")
    assert set(internet.reached) <= {PUBLIC}


@pytest.mark.parametrize(("n", "is_reached"), [(5, True), (6, False)])
async def test_five_redirects_are_followed_and_a_sixth_is_not(
    web: FakeWeb, fetcher: Callable[..., Fetcher], n: int, is_reached: bool
) -> None:
    for number in range(n):
        host = "other.example" if number % 2 else "feeds.example"
        web.put(f"/{number}", Answer(redirect=f"http://{host}/{number + 1}"))
    web.put(f"/{n}", Answer(FEED))
    async with fetcher() as http:
        got = await http.get("http://feeds.example/0")
    assert isinstance(got, Fetched) is is_reached
    if isinstance(got, Failed):
        assert "more than 5 redirects" in got.detail


# --- what the operator opens -----------------------------------------------------------------------------------------------


async def test_an_allowed_pair_opens_that_pair_alone(web: FakeWeb, internet: Internet, fetcher: Callable[..., Fetcher]) -> None:
    allow = frozenset({f"inside.example:{web.port}", f"[::1]:{web.port}"})
    async with fetcher(allow=allow) as http:
        assert isinstance(await http.get(f"http://INSIDE.example:{web.port}/feed"), Fetched)
        refused(await http.get("http://inside.example/feed"), ADDRESS)
        refused(await http.get(f"http://127.0.0.1:{web.port}/feed"), "is not 80 or 443")
        refused(await http.get(f"http://localhost:{web.port}/feed"), "is not 80 or 443")
        refused(await http.get(f"http://inside.example:{web.port}@127.0.0.1/feed"), "carries a user name")
        # the task that was let through once is not let through the next time
        web.put("/in", Answer(redirect="http://127.0.0.1/feed"))
        refused(await http.get(f"http://inside.example:{web.port}/in"), ADDRESS)
        six = await http.get(f"http://[::1]:{web.port}/feed")
    assert isinstance(six, Failed)
    assert "no connection" in six.detail  # allowed, and nobody listens there


@pytest.mark.parametrize(
    ("address", "words"),
    [
        pytest.param("http://127.0.0.1/feed", ADDRESS, id="a literal address"),
        pytest.param("http://2130706433/feed", ADDRESS, id="a number"),
        pytest.param("http://0x7f.1/feed", ADDRESS, id="a number in hexadecimal"),
        pytest.param("http://[::ffff:127.0.0.1]/feed", ADDRESS, id="a mapped address"),
        pytest.param("http://metadata.example/feed", ADDRESS, id="a name"),
        pytest.param("http://second.example/feed", ADDRESS, id="a name that is inside the first time"),
        pytest.param("http://nobody.example/feed", "no name nobody.example", id="a name that nobody has"),
        pytest.param("http://feeds.example:6379/feed", "is not 80 or 443", id="a port"),
    ],
)
@pytest.mark.parametrize("way", ["directly", "by a redirect"])
async def test_through_a_proxy_the_target_is_looked_at_before(
    web: FakeWeb, fetcher: Callable[..., Fetcher], address: str, words: str, way: str
) -> None:
    """The socket goes to the proxy, so the name is resolved and judged before; with redirects it is again."""
    web.put("/moved", Answer(redirect=address))
    async with fetcher(proxy=web.url("")) as http:
        assert isinstance(await http.get("http://feeds.example/feed"), Fetched)
        refused(await http.get(address if way == "directly" else "http://feeds.example/moved"), words)
    assert {request.host for request in web.requests} == {"feeds.example"}


async def test_a_proxy_of_the_environment_is_ignored(
    web: FakeWeb, internet: Internet, fetcher: Callable[..., Fetcher], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with fetcher() as http:
        assert isinstance(await http.get("http://feeds.example/feed"), Fetched)
    assert internet.reached == [PUBLIC]


# --- what another host learns ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "is_told"),
    [
        pytest.param("http://feeds.example/feed", True, id="the same host is told"),
        pytest.param("http://other.example/feed", False, id="another host is not"),
        pytest.param("http://www.feeds.example/feed", False, id="a host under it is not"),
    ],
)
@pytest.mark.parametrize("way", ["by a redirect", "by a notice's link"])
async def test_special_headers_and_validators_stay_with_their_host(
    web: FakeWeb, internet: Internet, fetcher: Callable[..., Fetcher], target: str, is_told: bool, way: str
) -> None:
    internet.names["www.feeds.example"] = [(PUBLIC,)]
    web.put("/moved", Answer(redirect=target))
    headers = "Referer: http://feeds.example/list\nX-Key: of-feeds\nAuthorization: Basic x\nCookie: a=b"
    row = source("http://feeds.example/moved", client_policy="accept-language", request_headers=headers)
    async with fetcher(contact="ops@watch.example") as http:
        if way == "by a redirect":
            await http.fetch(row, etag='"1"', last_modified="x")
        else:
            await http.page(target, row)
    last = web.requests[-1].headers
    assert web.requests[-1].path == "/feed"
    special = {"Referer", "X-Key", "Authorization", "Cookie", "Accept-Language"}
    validators = {"If-None-Match", "If-Modified-Since"}
    expected = special | (validators if way == "by a redirect" else set()) if is_told else set()
    assert last.keys() & (special | validators) == expected
    assert "ops@watch.example" in last["User-Agent"]


async def test_cookies_that_a_host_sets_are_not_kept(web: FakeWeb, fetcher: Callable[..., Fetcher]) -> None:
    web.put("/feed", Answer(FEED, headers={"Set-Cookie": "a=b"}))
    async with fetcher() as http:
        await http.get("http://feeds.example/feed")
        await http.get("http://feeds.example/feed")
    assert "Cookie" not in web.requests[-1].headers


# --- what comes back ---------------------------------------------------------------------------------------------------------

Wire = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\n"


def endless(start: bytes, part: Callable[[int], bytes]) -> Wire:
    """An answer that begins and never ends."""

    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        for number in range(10**9):
            writer.write(part(number))
            await writer.drain()
            await asyncio.sleep(0)  # drain alone does not let the reader read

    return write


def dripping(start: bytes) -> Wire:
    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)

    return write


async def silent(_: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


@cache
def zeros(wbits: int) -> bytes:
    """64 MB in 64 KB."""
    packer = zlib.compressobj(wbits=wbits)
    return b"".join(packer.compress(bytes(2**20)) for _ in range(64)) + packer.flush()


def bomb(packing: str, wbits: int) -> Wire:
    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(OK + f"Content-Encoding: {packing}\r\n\r\n".encode() + zeros(wbits))
        await writer.drain()

    return write


RUBBISH, TIME, LARGE = "does not speak proper HTTP", "no whole answer within 0.4 s", "larger than 8 MB"
NESTED = gzip.compress(gzip.compress(FEED))
WIRES: list[tuple[str, Wire, str]] = [
    ("a gzip bomb ends at 8 MB", bomb("gzip", 31), LARGE),
    ("a deflate bomb ends at 8 MB", bomb("deflate", 15), LARGE),
    ("a bomb of raw deflate ends at 8 MB", bomb("deflate", -15), LARGE),
    ("a bomb of Brotli is not unpacked", endless(OK + b"Content-Encoding: br\r\n\r\n", lambda _: b"x" * 999), "packed as br"),
    ("a bomb of Zstandard is not unpacked", endless(OK + b"Content-Encoding: zstd\r\n\r\n", lambda _: b"x" * 999), "packed as zstd"),
    ("a bomb in a bomb is not unpacked", OK + b"Content-Encoding: gzip, gzip\r\n\r\n" + NESTED, "packed as gzip, gzip"),
    (
        "a thousand empty members are enough",
        endless(OK + b"Content-Encoding: gzip\r\n\r\n", lambda _: gzip.compress(b"") * 100),
        "more than 1000 members",
    ),
    ("plain bytes without end end at 8 MB", endless(OK + b"\r\n", lambda _: b"<item/>" * 9999), LARGE),
    (
        "chunks without end end at 8 MB",
        endless(OK + b"Transfer-Encoding: chunked\r\n\r\n", lambda _: b"%x\r\n%s\r\n" % (60_000, b"x" * 60_000)),
        LARGE,
    ),
    ("headers without end end at 128", endless(OK, lambda number: b"X-%d: y\r\n" % number), RUBBISH),
    ("a header without end ends at 32 KB", endless(OK + b"X: ", lambda _: b"y" * 999), RUBBISH),
    ("a header over the limit is refused", OK + b"X: " + b"y" * 40_000 + b"\r\n\r\n", RUBBISH),
    ("a status line without end is refused", endless(b"HTTP/1.1 200 ", lambda _: b"y" * 999), RUBBISH),
    ("hints without an answer end with the time", endless(b"", lambda _: b"HTTP/1.1 103 Early Hints\r\n\r\n"), TIME),
    (
        "trailers without end are refused",
        endless(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", lambda n: b"X-%d: y\r\n" % n),
        "broke off",
    ),
    ("a drip of headers ends with the time", dripping(OK + b"X: "), TIME),
    ("a drip of body ends with the time", dripping(OK + b"\r\n<rss>"), TIME),
    ("silence ends with the time", silent, TIME),
    ("a chunk whose length is no number is refused", OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc", RUBBISH),
    ("a chunk longer than all memory is refused", OK + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\nabc", RUBBISH),
    ("chunks that break off are no answer", OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabc", "broke off"),
    ("a length that is too great is no answer", OK + b"Content-Length: 1000\r\n\r\n" + FEED, "broke off"),
    ("a length that is too small is no answer", OK + b"Content-Length: 10\r\n\r\n" + FEED, RUBBISH),
    ("a negative length is refused", OK + b"Content-Length: -1\r\n\r\n" + FEED, RUBBISH),
    ("a length beyond all memory is refused", OK + b"Content-Length: 99999999999999999999999\r\n\r\n", RUBBISH),
    ("two lengths are refused", OK + b"Content-Length: 5\r\nContent-Length: 7\r\n\r\n" + FEED, RUBBISH),
    ("a length beside chunks is refused", OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", RUBBISH),
    ("a gzip body that breaks off is no answer", OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(FEED * 50)[:-9], "it breaks off"),
    ("a body that only says it is gzip is none", OK + b"Content-Encoding: gzip\r\n\r\n" + FEED, "cannot be unpacked"),
    ("a zero byte in a header is refused", OK + b"X: a\x00b\r\n\r\n" + FEED, RUBBISH),
    ("an answer without a head is refused", FEED, RUBBISH),
    ("no answer at all is a break", b"", "broke off"),
    ("another protocol is refused", b"SSH-2.0-OpenSSH\r\n\r\n", RUBBISH),
    ("a switch of protocols is refused", b"HTTP/1.1 101 x\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "status 101"),
    ("a redirect that is no text is none", b"HTTP/1.1 302 x\r\nLocation: http://\xff\xfe/\r\n\r\n", "redirects to"),
    ("a page where a feed was due is none", OK + b"\r\n<!doctype html><html><title>News</title><p>Hello</html>", "'News'"),
]


@pytest.fixture
async def wire(internet: Internet) -> AsyncIterator[Callable[[Wire], None]]:
    """What whoever connects to a public address is answered with."""
    said: list[Wire] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            answer = said[-1]
            if isinstance(answer, bytes):
                writer.write(answer)
                await writer.drain()
            else:
                await answer(writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    internet.connect_to(server.sockets[0].getsockname()[1], asyncio.get_running_loop())
    async with server:
        yield said.append


@pytest.mark.parametrize(("answer", "words"), [row[1:] for row in WIRES], ids=[row[0] for row in WIRES])
async def test_a_hostile_answer_is_a_value_in_bounded_time_and_memory(
    wire: Callable[[Wire], None], fetcher: Callable[..., Fetcher], answer: Wire, words: str
) -> None:
    wire(answer)
    total = 0.4 if words == TIME else 20.0
    tracemalloc.start()
    try:
        async with fetcher(total=total) as http:
            got = await http.get("http://feeds.example/feed")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(got, Failed), got
    assert words in got.detail
    assert got.seconds < total + 1
    assert peak < 32 * 2**20


PACKED = [
    pytest.param("gzip", gzip.compress, id="gzip"),
    pytest.param("x-gzip", gzip.compress, id="gzip by its old name"),
    pytest.param("deflate", zlib.compress, id="deflate with a head"),
    pytest.param("deflate", lambda body: zlib.compress(body)[2:-4], id="deflate without a head"),
    pytest.param("gzip", lambda body: gzip.compress(body[:9]) + gzip.compress(body[9:]) + bytes(512), id="gzip of two members, padded"),
    pytest.param("utf-8", lambda body: body, id="an encoding that is none"),
    pytest.param("identity", lambda body: body, id="no packing"),
]


@pytest.mark.parametrize("size", [1, 65_535, 65_536, 131_072, 1_000_000])
@pytest.mark.parametrize(("packing", "pack"), PACKED)
async def test_what_is_packed_well_comes_whole(
    wire: Callable[[Wire], None], fetcher: Callable[..., Fetcher], packing: str, pack: Callable[[bytes], bytes], size: int
) -> None:
    """Also where the unpacked body ends with a piece, and where it packs to next to nothing."""
    for body in (b"\n" * size + b"<rss/>", random.Random(size).randbytes(size)):
        wire(OK + f"Content-Encoding: {packing}\r\n\r\n".encode() + pack(body))
        async with fetcher() as http:
            got = await http.get("http://feeds.example/feed")
        assert isinstance(got, Fetched), got
        assert got.body == body


async def test_a_refusal_that_is_packed_badly_is_still_a_refusal(wire: Callable[[Wire], None], fetcher: Callable[..., Fetcher]) -> None:
    wire(b"HTTP/1.1 403 Forbidden\r\nContent-Encoding: br\r\n\r\nabc")
    async with fetcher() as http:
        got = await http.get("http://feeds.example/feed")
    assert isinstance(got, Failed)
    assert (got.health, got.status) == (Health.BLOCKED, 403)


# --- IPv4 first ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "first"),
    [
        ("www.cac.gov.cn", PUBLIC),
        ("www.cac.gov.cn.", PUBLIC),
        ("feeds.example", "2606:2800:220:1::1"),
        ("gov.cn.example", "2606:2800:220:1::1"),
    ],
)
async def test_hosts_of_chinas_government_are_tried_over_ipv4_first(
    internet: Internet, fetcher: Callable[..., Fetcher], host: str, first: str
) -> None:
    internet.names[host] = [("2606:2800:220:1::1", PUBLIC)]
    async with fetcher(total=0.3) as http:
        await http.get(f"http://{host}/feed")
        await http.get(f"http://{host}/feed")
    assert internet.reached[0] == first


async def test_a_host_that_only_has_ipv6_is_tried_over_it(internet: Internet, fetcher: Callable[..., Fetcher]) -> None:
    internet.names["www.zj.gov.cn"] = [("2606:2800:220:1::1",)]
    async with fetcher(total=0.3) as http:
        await http.get("http://www.zj.gov.cn/feed")
    assert internet.reached == ["2606:2800:220:1::1"]
