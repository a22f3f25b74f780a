"""One address, one value: a polite, guarded and bounded request. Expected trouble is a Failed, never an exception.

`request` says what is asked, `guard` whether it may be reached, `manners` when; here it is sent, redirects are
followed hop by hop with all three asked again, and the answer is bounded (the unpacked body, the redirects, the
time from the first byte asked for to the last one read) and judged: a page where a feed was due, a refusal that
says 200, a break.
"""

from __future__ import annotations

import asyncio
import email.utils
import re
import ssl
import time
import zlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import IO, Self

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from bot.feeds import Failed, Fetched, FetchResult, NotModified
from bot.feeds.decoys import page_decoy, page_refusal
from bot.feeds.guard import Addresses, Guard, Refused, guarded_socket
from bot.feeds.manners import HOST_GAP, ROBOTS_BYTES, Ceiling, Robots, Turns
from bot.feeds.request import Ask, given_request, page_request, robots_request, source_request, web_address
from storage.models import Health
from storage.records import SourceRow

MAX_BYTES = 8 * 1024 * 1024
"""Of one body, unpacked."""
TOTAL_SECONDS = 20.0
"""For one fetch with its redirects, waiting for the host's turn and asking its robots.txt not counted."""
MAX_REDIRECTS = 5
DAY = timedelta(days=1)

_REFUSAL_BYTES = 64 * 1024
_PIECE = 64 * 1024
_MEMBERS = 1_000  # of one gzip file; a file of empty ones costs time and never grows


@dataclass(frozen=True, slots=True)
class _Redirect:
    status: int
    target: URL


class _BadPacking(Exception):
    """The body is packed in a way that was not asked for, or is broken; the text says which."""


class Fetcher:
    """Fetches sources, pages and addresses; use it as an async context manager.

    `contact` is the operator's address for the User-Agent. `allow` holds `host:port` pairs that may be inside
    and on any port. `proxy` is an HTTP proxy through which everything goes; names are then resolved here first,
    for the guard. `host_gap` is the pause between two requests to a host (0 in tests and benchmarks), `per_minute`
    the ceiling over all hosts (None: there is none). `clock` counts seconds and `sleep` waits for some.
    """

    def __init__(
        self,
        *,
        now: Callable[[], datetime],
        contact: str | None = None,
        allow: frozenset[str] = frozenset(),
        proxy: str | None = None,
        host_gap: timedelta = HOST_GAP,
        per_minute: int | None = None,
        total: float = TOTAL_SECONDS,
        max_bytes: int = MAX_BYTES,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        resolver: AbstractResolver | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._now = now
        self._contact = contact
        self._proxy = proxy
        self._total = total
        self._max_bytes = max_bytes
        self._tls = tls
        self._addresses = Addresses(resolver)
        self._guard = Guard(allow, self._addresses, is_proxied=proxy is not None)
        self._turns = Turns(host_gap, Ceiling(per_minute) if per_minute else None, clock, sleep)
        self._robots = Robots(now, self._read_robots)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(
            limit=64,
            socket_factory=guarded_socket,
            ssl=self._tls or True,
            resolver=self._addresses,
            # its cache takes the addresses of a name in turn, which would undo their order
            use_dns_cache=False,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            # the time limit is our own: it spans the redirects and not the waiting
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            # unpacked here, where a broken end is noticed and other packings do not depend on what is installed
            auto_decompress=False,
            max_line_size=16_384,
            max_field_size=32_768,
        )
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def fetch(self, row: SourceRow, *, etag: str | None = None, last_modified: str | None = None) -> FetchResult:
        """A source's body, or that it is unchanged, or why there is none.

        The catalogue's `method`, `request_params`, `request_headers` and `client_policy` are obeyed. For a list page
        HTML is what is wanted, for the other kinds it is none. Validators and the row's headers go to the host of
        the address only, not to where it redirects.
        """
        validators = {name: value for name, value in (("If-None-Match", etag), ("If-Modified-Since", last_modified)) if value}
        return await self._run(source_request(row, self._contact, validators) or row.url)

    async def page(self, url: str, row: SourceRow) -> Fetched | Failed:
        """The page or PDF behind a notice's link, with the manners of its source; whole, not conditional.

        The link may lead to another host, which then is asked for its robots.txt but does not see the source's headers.
        """
        return _unconditional(await self._run(page_request(url, row, self._contact) or url))

    async def get(self, url: str) -> FetchResult:
        """Any address that a person gave on the command line, under the same guard and limits; no robots.txt is asked."""
        return await self._run(given_request(url, self._contact) or url)

    async def save(self, url: str, into: IO[bytes]) -> FetchResult:
        """Any address, likewise, its body written down as it comes; `Fetched.body` holds the beginning alone."""
        return await self._run(given_request(url, self._contact) or url, into)

    async def _read_robots(self, url: URL) -> Fetched | Failed:
        return _unconditional(await self._run(robots_request(url, self._contact)))

    async def _run(self, ask: Ask | str, into: IO[bytes] | None = None) -> FetchResult:
        if isinstance(ask, str):
            return Failed(Health.ERROR, f"{ask[:200]!r} is no http or https address; correct it", None, None, 0.0)
        spent, status = 0.0, None
        for number in range(MAX_REDIRECTS + 1):
            try:
                self._guard.look(ask.url)
            except Refused as error:
                return self._refused(ask.url, error, spent)
            if ask.asks_robots and (refusal := await self._robots.refusal(ask.url)):
                return replace(refusal, seconds=round(spent, 3))
            result, seconds = await self._hop(ask, self._total - spent, into)
            spent += seconds
            if isinstance(result, Fetched):
                return replace(result, is_redirected=number > 0)
            if not isinstance(result, _Redirect):
                return result
            next_ask, status = ask.redirected(result.status, result.target), result.status
            if next_ask is None:
                text = f"it redirects a POST from {ask.url.host} to {result.target.host}, which is not followed; correct the source's url"
                return Failed(Health.ERROR, text, status, None, spent)
            ask = next_ask
        return Failed(Health.ERROR, f"more than {MAX_REDIRECTS} redirects; look at the address in a browser", status, None, spent)

    async def _hop(self, ask: Ask, left: float, into: IO[bytes] | None) -> tuple[FetchResult | _Redirect, float]:
        """One request at its host's turn; the result and the seconds it took, waiting not counted."""
        host, loop = ask.url.host or "", asyncio.get_running_loop()
        async with self._turns.turn(host, self._robots.crawl_delay(ask.url)):
            started = loop.time()
            result: FetchResult | _Redirect
            try:
                async with asyncio.timeout(max(left, 0.001)):
                    result = await self._request(ask, started, into)
            except TimeoutError:
                result = self._failed(f"no whole answer within {self._total:g} s; it is tried again later", started)
            except Refused as error:
                result = self._refused(ask.url, error, self._seconds(started))
            except _BadPacking as error:
                result = self._failed(f"the answer of {host} cannot be unpacked: {error}; it is tried again later", started)
            except aiohttp.ClientError as error:
                result = self._trouble(ask.url, error, started)
            except (ValueError, OSError) as error:
                result = self._failed(f"{host}: {type(error).__name__}: {error}; look at the address by hand", started)
            return result, loop.time() - started

    async def _request(self, ask: Ask, started: float, into: IO[bytes] | None) -> FetchResult | _Redirect:
        if self._session is None:
            raise RuntimeError("use the Fetcher as an async context manager")
        await self._guard.check(ask.url)
        headers = {"Accept-Encoding": "gzip, deflate", **ask.headers_now()}
        data = ask.form[1] if ask.form else None
        sent = self._session.request(ask.method, ask.url, headers=headers, data=data, allow_redirects=False, proxy=self._proxy)
        async with sent as response:
            if response.status in (301, 302, 303, 307, 308) and (location := response.headers.get("Location")):
                target = web_address(location, ask.url)
                if target is None:
                    return self._failed(f"it redirects to {location[:200]!r}, which is no http or https address", started, response.status)
                return _Redirect(response.status, target)
            return await self._judge(ask, response, started, "If-None-Match" in headers or "If-Modified-Since" in headers, into)

    async def _judge(
        self, ask: Ask, response: aiohttp.ClientResponse, started: float, was_conditional: bool, into: IO[bytes] | None
    ) -> FetchResult:
        status, now = response.status, self._now()
        fresh_for, retry_after = _fresh_for(response.headers, now), _retry_after(response.headers, now)
        etag, last_modified = response.headers.get("ETag"), response.headers.get("Last-Modified")
        if status == 304 and was_conditional:
            return NotModified(etag, last_modified, fresh_for, self._seconds(started))
        if status != 200:
            return self._refusal(response, await self._beginning(response), started, retry_after)
        is_robots = ask.wants == "robots"
        body, is_whole = await self._body(response, ROBOTS_BYTES if is_robots else self._max_bytes, into)
        if not is_whole and not is_robots:
            text = f"the answer is larger than {self._max_bytes // 2**20 or 1} MB; reading it was stopped: look at the address by hand"
            return self._failed(text, started, status)
        if not is_robots and (refusal := (page_decoy(body) if ask.wants == "page" else page_refusal(body))):
            return Failed(*refusal, status, retry_after, self._seconds(started))
        content_type = response.headers.get("Content-Type", "")
        return Fetched(str(response.url), status, body, content_type, etag, last_modified, fresh_for, self._seconds(started))

    async def _body(self, response: aiohttp.ClientResponse, limit: int, into: IO[bytes] | None = None) -> tuple[bytes, bool]:
        """The unpacked body, and whether it is whole: reading stops past `limit` bytes. Of what is saved, the beginning."""
        parts: list[bytes] = []
        size = 0
        async with aclosing(_unpacked(response)) as pieces:
            async for part in pieces:
                if into is None or not size:
                    parts.append(part)
                if into is not None:
                    into.write(part)
                size += len(part)
                # what comes packed may go on without end and unpack to nothing
                if size > limit or response.content.total_bytes > limit:
                    response.close()
                    return b"".join(parts)[:limit], False
        return b"".join(parts), True

    async def _beginning(self, response: aiohttp.ClientResponse) -> bytes:
        """As much of a refusal as is worth reading; its status counts even where its body is broken."""
        try:
            return (await self._body(response, _REFUSAL_BYTES))[0]
        except _BadPacking:
            return b""

    def _refusal(self, response: aiohttp.ClientResponse, body: bytes, started: float, retry_after: timedelta | None) -> Failed:
        status, page = response.status, page_refusal(body)
        is_challenge = "cf-mitigated" in response.headers or (page is not None and page[0] is Health.BLOCKED)
        health = Health.ERROR
        if status in (401, 403, 407, 451) or (is_challenge and status not in (404, 410, 429) and retry_after is None):
            health, text = Health.BLOCKED, f"refused with status {status}; it is tried again tomorrow, and again is no use before"
        elif status == 429:
            text = "asked for less often (status 429); the pause it asks for is kept"
        elif status in (404, 410):
            text = f"moved or gone (status {status}); find its new address on {response.url.host}"
        elif status >= 500:
            text = f"the server is in trouble (status {status}); it is tried again later"
        else:
            text = f"an answer with status {status} is nothing to read; look at the address in a browser"
        return Failed(health, text, status, retry_after, self._seconds(started))

    def _trouble(self, url: URL, error: aiohttp.ClientError, started: float) -> Failed:
        """Words for what went wrong below HTTP: the cause, and what to do."""
        seconds = self._seconds(started)
        match error:
            case aiohttp.ClientConnectorCertificateError(certificate_error=ssl.SSLCertVerificationError(verify_code=10)):
                text = f"the certificate of {url.host} has expired; it is read again when they renew it"
                return Failed(Health.EXPIRED_CERTIFICATE, text, None, None, seconds)
            case aiohttp.ClientConnectorCertificateError():
                text = f"the certificate of {url.host} is not trusted: {error.certificate_error}; check it in a browser"
            case aiohttp.ClientConnectorSSLError():
                text = f"no TLS connection with {url.host}: {error.os_error}; check it in a browser"
            case aiohttp.ClientConnectorDNSError():
                text = f"the name {url.host} does not resolve; check the address, or this machine's DNS"
            case aiohttp.InvalidURL():
                text = f"{url} is no address that can be fetched; correct it"
            case aiohttp.ServerTimeoutError():
                text = f"no connection to {url.host} within 10 s; it is tried again later"
            case aiohttp.ClientConnectorError(os_error=Refused() as refused):
                return self._refused(url, refused, seconds)
            case aiohttp.ClientConnectorError():
                inside = " (an inside address)" if "is an inside address" in str(error) else ""
                text = f"no connection to {url.host}{inside}: {error.os_error}; it is tried again later"
            case aiohttp.ServerDisconnectedError() | aiohttp.ClientPayloadError() | aiohttp.ClientOSError():
                text = f"{url.host} broke off the answer; it is tried again later"
            case _:
                text = f"{url.host} does not speak proper HTTP ({type(error).__name__}); look at the address in a browser"
        return Failed(Health.ERROR, text, None, None, seconds)

    @staticmethod
    def _refused(url: URL, error: Refused, seconds: float) -> Failed:
        address = url.with_user(None) if url.user else url
        text = f"{address} is refused: {error}; if it is meant, add its host:port to REGWATCH_FETCH_ALLOW"
        return Failed(Health.ERROR, text, None, None, seconds)

    def _failed(self, detail: str, started: float, status: int | None = None) -> Failed:
        return Failed(Health.ERROR, detail, status, None, self._seconds(started))

    @staticmethod
    def _seconds(started: float) -> float:
        return round(asyncio.get_running_loop().time() - started, 3)


async def _unpacked(response: aiohttp.ClientResponse) -> AsyncGenerator[bytes, None]:
    """The body in pieces of at most 64 KB, as they come, so that what a small answer inflates to never stands in memory.

    Raises _BadPacking for what is packed otherwise than was asked for, broken, or broken off.
    """
    codings = [one.strip() for one in response.headers.get("Content-Encoding", "").lower().split(",")]
    if any(one in ("br", "zstd", "compress", "x-compress", "dcb", "dcz") for one in codings) or len(codings) > 1:
        raise _BadPacking(f"it is packed as {', '.join(codings)[:60]}, which was not asked for")
    if codings[0] not in ("gzip", "x-gzip", "deflate"):
        async for piece in response.content.iter_chunked(_PIECE):
            yield piece
        return
    unpacker, members = None, 1
    async for piece in response.content.iter_chunked(_PIECE):
        rest, is_held_back = piece, False
        while rest or is_held_back:
            if unpacker is None:
                # deflate comes with a zlib header or, wrongly, without
                unpacker = zlib.decompressobj(-15 if codings[0] == "deflate" and rest[0] & 0xF != 8 else 47)
            elif unpacker.eof and b"\x1f\x8b".startswith(rest[:2]):
                unpacker, members = zlib.decompressobj(31), members + 1
                if members > _MEMBERS:
                    raise _BadPacking(f"it has more than {_MEMBERS} members")
            elif unpacker.eof:
                break  # padding
            try:
                part = unpacker.decompress(rest, _PIECE)
            except zlib.error as error:
                raise _BadPacking(str(error)) from error
            yield part
            is_held_back = len(part) == _PIECE and not unpacker.eof
            rest = unpacker.unused_data or unpacker.unconsumed_tail
    if unpacker is not None and not unpacker.eof:
        raise _BadPacking("it breaks off")


def _unconditional(got: FetchResult) -> Fetched | Failed:
    if isinstance(got, NotModified):
        raise AssertionError("304 is a refusal where nothing was asked on condition")
    return got


def _http_date(text: str | None) -> datetime | None:
    try:
        at = email.utils.parsedate_to_datetime(text or "")
    except (ValueError, TypeError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """Retry-After as a span, in seconds or as a date; at most a day."""
    text = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d{1,9}", text):
        return min(timedelta(seconds=int(text)), DAY)
    at = _http_date(text)
    return None if at is None else min(max(at - now, timedelta()), DAY)


def _fresh_for(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How long the answer calls itself fresh, at most a day; None when it says nothing or forbids keeping it."""
    control = headers.get("Cache-Control", "").lower()
    if re.search(r"\bno-(?:cache|store)\b", control):
        return None
    if found := re.search(r"(?<!s-)\bmax-age\s*=\s*\"?(\d{1,9})", control):
        return min(timedelta(seconds=int(found[1])), DAY)
    expires = _http_date(headers.get("Expires"))
    if expires is None:
        return None
    return min(max(expires - (_http_date(headers.get("Date")) or now), timedelta()), DAY)
