"""One address, one value: a polite, guarded and bounded GET. Expected trouble is a Failed, never an exception.

Polite: a declared User-Agent, validators, one request at a time per host with a gap between two. Guarded: every
connection of every redirect hop is checked by the address it really goes to, so neither a literal address, a
redirect nor a name that resolves differently the second time reaches the inside. Bounded: the decompressed body,
the redirects and the time from the first byte asked for to the last one read.
"""

from __future__ import annotations

import asyncio
import email.utils
import ipaddress
import re
import socket
import ssl
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import IO, Self
from urllib.parse import SplitResult, urldefrag, urljoin, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver

import bot
from bot.feeds import Failed, Fetched, FetchResult, NotModified
from bot.feeds.parse import page_refusal
from storage.models import Health
from storage.records import SourceRow

MAX_BYTES = 8 * 1024 * 1024
"""Of one body, decompressed."""
TOTAL_SECONDS = 20.0
"""For one fetch with its redirects, waiting for the host's turn not counted."""
MAX_REDIRECTS = 5
HOST_GAP = timedelta(seconds=2)
"""Between two requests to one host."""
GOV_CN_GAP = timedelta(seconds=8)
DAY = timedelta(days=1)

_FORBIDDEN = tuple(
    ipaddress.ip_network(network)
    for network in (
        # what is_global of Python 3.11 lets pass, or calls global in some release
        "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "224.0.0.0/4", "240.0.0.0/4",
        # IPv4-compatible, NAT64 (both prefixes), Teredo, 6to4, site-local, multicast: each can carry an inside address
        "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16", "fec0::/10", "ff00::/8",
    )
)  # fmt: skip

# the hop that this task connects for may go anywhere: its host and port were allowed by the operator, or it is his proxy
_is_let_through: ContextVar[bool] = ContextVar("is_let_through", default=False)


class _Refused(OSError):
    """The guard's no."""


def is_public(address: str) -> bool:
    """Whether an IP address is one that a feed may be fetched from. False for what is no address."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _FORBIDDEN)


def _guarded_socket(info: tuple[int, int, int, str, tuple[object, ...]]) -> socket.socket:
    """The connector's socket factory: the last look at the address that is really connected to."""
    family, type_, proto, _, address = info
    if not _is_let_through.get() and not is_public(str(address[0])):
        raise _Refused(f"{address[0]} is an inside address")
    return socket.socket(family=family, type=type_, proto=proto)


@dataclass(slots=True)
class _Host:
    """Whose turn it is at a host, and from when the next request may start (the loop's clock)."""

    turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    free_at: float = 0.0


@dataclass(frozen=True, slots=True)
class _Redirect:
    url: SplitResult


class Fetcher:
    """Fetches sources and addresses; use it as an async context manager.

    `contact` is the operator's address for the User-Agent. `allow` holds `host:port` pairs that may be inside
    and on any port. `proxy` is an HTTP proxy through which everything goes; names are then resolved here first,
    for the guard. `host_gap` is the pause between two requests to a host (0 in tests and benchmarks).
    """

    def __init__(
        self,
        *,
        now: Callable[[], datetime],
        contact: str | None = None,
        allow: frozenset[str] = frozenset(),
        proxy: str | None = None,
        host_gap: timedelta = HOST_GAP,
        total: float = TOTAL_SECONDS,
        max_bytes: int = MAX_BYTES,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        resolver: AbstractResolver | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._now = now
        self._contact = contact
        self._allow = frozenset(pair.lower() for pair in allow)
        self._proxy = proxy
        self._host_gap = host_gap
        self._total = total
        self._max_bytes = max_bytes
        self._sleep = sleep
        self._resolver = resolver
        self._tls = tls
        self._hosts: defaultdict[str, _Host] = defaultdict(_Host)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(
            limit=64,
            socket_factory=_guarded_socket,
            ssl=self._tls or True,
            resolver=self._resolver,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            # the time limit is our own: it spans the redirects and not the waiting
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
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

        The catalogue's `client_policy` and `request_headers` are obeyed. Validators go to the host of the
        address only, not to where it redirects.
        """
        validators = {name: value for name, value in (("If-None-Match", etag), ("If-Modified-Since", last_modified)) if value}
        return await self._get(row.url, self._headers(row), validators)

    async def get(self, url: str) -> FetchResult:
        """Any address that a person gave on the command line, under the same guard and limits."""
        return await self._get(url, self._headers(None), {})

    async def save(self, url: str, into: IO[bytes]) -> FetchResult:
        """Any address, likewise, its body written down as it comes; `Fetched.body` holds the beginning alone."""
        return await self._get(url, self._headers(None), {}, into)

    def _headers(self, row: SourceRow | None) -> dict[str, str]:
        policy = row.definition.get("client_policy", "") if row else ""
        contact = f" (+{self._contact})" if self._contact else ""
        agent = f"Regwatch/{bot.__version__}{contact}"
        if policy == "browser-like":
            agent = f"Mozilla/5.0 (compatible; Regwatch/{bot.__version__}{f'; +{self._contact}' if self._contact else ''})"
        headers = {
            "User-Agent": agent,
            "Accept": "application/atom+xml, application/rss+xml, application/rdf+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5",
        }
        if row is None:
            return headers
        if policy == "accept-language":
            headers["Accept-Language"] = f"{row.language},en;q=0.5" if row.language else "en"
        if policy == "referer":
            headers["Referer"] = urljoin(row.url, "/")
        for line in row.definition.get("request_headers", "").splitlines():
            name, colon, value = line.partition(":")
            if colon and name.strip():
                headers[name.strip()] = value.strip()
        return headers

    async def _get(
        self, address: str, headers: Mapping[str, str], validators: Mapping[str, str], into: IO[bytes] | None = None
    ) -> FetchResult:
        url, spent = _url(address), 0.0
        first = url
        if url is None:
            return Failed(Health.ERROR, f"{address[:200]!r} is no http or https address; correct it", None, None, 0.0)
        for _ in range(MAX_REDIRECTS + 1):
            # another host learns neither what we know of the first nor where we come from
            own = {**headers, **validators} if first is not None and url.hostname == first.hostname else dict(headers)
            if first is not None and url.hostname != first.hostname:
                own = {name: value for name, value in own.items() if name.lower() not in ("referer", "authorization", "cookie")}
            result, seconds = await self._hop(url, own, self._total - spent, into)
            spent += seconds
            if not isinstance(result, _Redirect):
                return result
            url = result.url
        return Failed(Health.ERROR, f"more than {MAX_REDIRECTS} redirects; look at the address in a browser", None, None, spent)

    async def _hop(
        self, url: SplitResult, headers: Mapping[str, str], left: float, into: IO[bytes] | None
    ) -> tuple[FetchResult | _Redirect, float]:
        """One request at its host's turn; the result and the seconds it took, waiting not counted."""
        name = url.hostname or ""
        host, loop = self._hosts[name], asyncio.get_running_loop()
        async with host.turn:
            wait = host.free_at - loop.time()
            if wait > 0:
                await self._sleep(wait)
            started = loop.time()
            result: FetchResult | _Redirect
            try:
                async with asyncio.timeout(max(left, 0.001)):
                    result = await self._request(url, headers, started, into)
            except TimeoutError:
                result = self._failed(f"no whole answer within {self._total:g} s; it is tried again later", started)
            except _Refused as error:
                text = f"{url.geturl()} is refused: {error}; if it is meant, add its host:port to REGWATCH_FETCH_ALLOW"
                result = self._failed(text, started)
            except aiohttp.ClientError as error:
                result = self._trouble(url, error, started)
            except (ValueError, OSError) as error:
                result = self._failed(f"{url.hostname}: {type(error).__name__}: {error}; look at the address by hand", started)
            finally:
                gap = max(self._host_gap, GOV_CN_GAP) if self._host_gap and name.endswith(".gov.cn") else self._host_gap
                host.free_at = loop.time() + gap.total_seconds()
            return result, loop.time() - started

    async def _request(
        self, url: SplitResult, headers: Mapping[str, str], started: float, into: IO[bytes] | None
    ) -> FetchResult | _Redirect:
        if self._session is None:
            raise RuntimeError("use the Fetcher as an async context manager")
        await self._check(url)
        async with self._session.get(url.geturl(), headers=headers, allow_redirects=False, proxy=self._proxy) as response:
            if response.status in (301, 302, 303, 307, 308) and (location := response.headers.get("Location")):
                target = _url(str(location), base=url)
                if target is None:
                    return self._failed(f"it redirects to {location[:200]!r}, which is no http or https address", started, response.status)
                return _Redirect(target)
            return await self._judge(response, started, "If-None-Match" in headers or "If-Modified-Since" in headers, into)

    async def _check(self, url: SplitResult) -> None:
        """Raises _Refused for what the guard can know before connecting; the socket factory knows the rest."""
        if url.username or url.password:
            raise _Refused("it carries a user name")
        port = url.port or (443 if url.scheme == "https" else 80)
        is_allowed = f"{url.hostname}:{port}" in self._allow
        if port not in (80, 443) and not is_allowed:
            raise _Refused(f"port {port} is not 80 or 443")
        _is_let_through.set(is_allowed or self._proxy is not None)
        if self._proxy is None or is_allowed:
            return
        # the socket goes to the proxy: look at what the proxy would go to
        found = await asyncio.get_running_loop().getaddrinfo(url.hostname, port, type=socket.SOCK_STREAM)
        for *_, address in found:
            if not is_public(str(address[0])):
                raise _Refused(f"{address[0]} is an inside address")

    async def _judge(self, response: aiohttp.ClientResponse, started: float, was_conditional: bool, into: IO[bytes] | None) -> FetchResult:
        status, now = response.status, self._now()
        fresh_for, retry_after = _fresh_for(response.headers, now), _retry_after(response.headers, now)
        etag, last_modified = response.headers.get("ETag"), response.headers.get("Last-Modified")
        if status == 304 and was_conditional:
            return NotModified(etag, last_modified, fresh_for, self._seconds(started))
        if status != 200:
            return self._refusal(response, await self._body(response, 64 * 1024) or b"", started, retry_after)
        body = await self._body(response, self._max_bytes, into)
        if body is None:
            text = f"the answer is larger than {self._max_bytes // 2**20 or 1} MB; reading it was stopped: look at the address by hand"
            return self._failed(text, started, status)
        if refusal := page_refusal(body):
            return Failed(*refusal, status, retry_after, self._seconds(started))
        content_type = response.headers.get("Content-Type", "")
        return Fetched(str(response.url), status, body, content_type, etag, last_modified, fresh_for, self._seconds(started))

    async def _body(self, response: aiohttp.ClientResponse, limit: int, into: IO[bytes] | None = None) -> bytes | None:
        """The decompressed body; None when it is larger. Of a refusal (`limit` under the cap), and of what is saved, the beginning."""
        parts, size = [], 0
        async for part in response.content.iter_chunked(65_536):
            if into is None or not size:
                parts.append(part)
            if into is not None:
                into.write(part)
            size += len(part)
            if size > limit:
                response.close()
                return None if limit == self._max_bytes else b"".join(parts)
        return b"".join(parts)

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
            text = f"an answer with status {status} is no feed; look at the address in a browser"
        return Failed(health, text, status, retry_after, self._seconds(started))

    def _trouble(self, url: SplitResult, error: aiohttp.ClientError, started: float) -> Failed:
        """Words for what went wrong below HTTP: the cause, and what to do."""
        seconds = self._seconds(started)
        match error:
            case aiohttp.ClientConnectorCertificateError(certificate_error=ssl.SSLCertVerificationError(verify_code=10)):
                text = f"the certificate of {url.hostname} has expired; it is read again when they renew it"
                return Failed(Health.EXPIRED_CERTIFICATE, text, None, None, seconds)
            case aiohttp.ClientConnectorCertificateError():
                text = f"the certificate of {url.hostname} is not trusted: {error.certificate_error}; check it in a browser"
            case aiohttp.ClientConnectorSSLError():
                text = f"no TLS connection with {url.hostname}: {error.os_error}; check it in a browser"
            case aiohttp.ClientConnectorDNSError():
                text = f"the name {url.hostname} does not resolve; check the address, or this machine's DNS"
            case aiohttp.InvalidURL():
                text = f"{url.geturl()} is no address that can be fetched; correct it"
            case aiohttp.ServerTimeoutError():
                text = f"no connection to {url.hostname} within 10 s; it is tried again later"
            case aiohttp.ClientConnectorError(os_error=_Refused() as refused):
                text = f"{url.geturl()} is refused: {refused}; if it is meant, add its host:port to REGWATCH_FETCH_ALLOW"
            case aiohttp.ClientConnectorError():
                inside = " (an inside address)" if "is an inside address" in str(error) else ""
                text = f"no connection to {url.hostname}{inside}: {error.os_error}; it is tried again later"
            case aiohttp.ServerDisconnectedError() | aiohttp.ClientPayloadError() | aiohttp.ClientOSError():
                text = f"{url.hostname} broke off the answer; it is tried again later"
            case _:
                text = f"{url.hostname} does not speak proper HTTP ({type(error).__name__}); look at the address in a browser"
        return Failed(Health.ERROR, text, None, None, seconds)

    def _failed(self, detail: str, started: float, status: int | None = None) -> Failed:
        return Failed(Health.ERROR, detail, status, None, self._seconds(started))

    @staticmethod
    def _seconds(started: float) -> float:
        return round(asyncio.get_running_loop().time() - started, 3)


def _url(address: str, base: SplitResult | None = None) -> SplitResult | None:
    """The address as a web address, without fragment; None when it is none."""
    try:
        joined = urljoin(base.geturl(), address.strip()) if base else address.strip()
        url = urlsplit(urldefrag(joined).url)
        is_web = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        return None
    return url if is_web else None


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
