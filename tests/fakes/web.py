"""A web server on loopback whose answers a test writes: the other end of the fetcher."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from aiohttp import web


@dataclass(frozen=True)
class Answer:
    """What one path says.

    `etag` and `last_modified` are answered with 304 when the request repeats them. `delay` is before the first
    byte, `drip` the pause after each byte of the body (both in seconds). `megabytes` streams so many of them;
    with `is_bomb` they are zeros in gzip, about a thousandth on the wire. `hangs_up` ends the answer half way.
    """

    body: bytes = b""
    status: int = 200
    content_type: str = "application/rss+xml"
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: str | None = None
    last_modified: str | None = None
    redirect: str | None = None
    delay: float = 0.0
    drip: float = 0.0
    megabytes: int = 0
    is_gzip: bool = False
    is_bomb: bool = False
    hangs_up: bool = False


@dataclass(frozen=True)
class Request:
    """What came in."""

    path: str
    host: str
    headers: Mapping[str, str]
    method: str = "GET"
    body: bytes = b""


class FakeWeb:
    """Use it as an async context manager; `put` answers for paths, then read `requests`.

    A path with several answers gives them in turn and then repeats the last. An unknown path is 404; so is
    /robots.txt, which then is not among the `requests` either, unless a test put one.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self.arrived = asyncio.Event()  # the first request is here
        self.running = 0
        self.most_at_once = 0
        self.bytes_sent = 0
        self.port = 0
        self._tls = tls
        self.mishap: Callable[[Request, Answer], Answer] = lambda _, answer: answer  # what is answered instead
        self._answers: dict[str, list[Answer]] = {}
        self._runner: web.ServerRunner | None = None

    @property
    def host_port(self) -> str:
        """As REGWATCH_FETCH_ALLOW takes it."""
        return f"127.0.0.1:{self.port}"

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        """The address of a path; `host` is for tests with a resolver of their own."""
        return f"http{'s' if self._tls else ''}://{host}:{self.port}{path}"

    def put(self, path: str, *answers: Answer) -> None:
        """Answer so from now on."""
        self._answers[path] = list(answers)

    def count(self, path: str) -> int:
        """How often the path was asked for."""
        return sum(request.path == path for request in self.requests)

    async def __aenter__(self) -> Self:
        self._runner = web.ServerRunner(web.Server(self._handle), shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path_qs
        if path == "/robots.txt" and path not in self._answers:
            return web.Response(status=404)
        asked = Request(path, request.host, dict(request.headers), request.method, await request.read())
        self.requests.append(asked)
        self.arrived.set()
        answers = self._answers.get(path, [Answer(status=404, body=b"not here", content_type="text/plain")])
        answer = self.mishap(asked, answers.pop(0) if len(answers) > 1 else answers[0])
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        try:
            return await self._answer(request, answer)
        finally:
            self.running -= 1

    async def _answer(self, request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
        await asyncio.sleep(answer.delay)
        headers = {"Content-Type": answer.content_type, **answer.headers}
        if answer.etag:
            headers["ETag"] = answer.etag
        if answer.last_modified:
            headers["Last-Modified"] = answer.last_modified
        if answer.redirect is not None:
            return web.Response(status=answer.status if answer.status != 200 else 302, headers={"Location": answer.redirect})
        repeats_etag = answer.etag and request.headers.get("If-None-Match") == answer.etag
        repeats_date = answer.last_modified and request.headers.get("If-Modified-Since") == answer.last_modified
        if repeats_etag or repeats_date:
            return web.Response(status=304, headers={name: headers[name] for name in headers if name != "Content-Type"})
        if answer.is_gzip or answer.is_bomb:
            headers["Content-Encoding"] = "gzip"
        if answer.hangs_up:
            headers["Content-Length"] = str(len(answer.body) + 1000)
        if not (answer.drip or answer.megabytes or answer.hangs_up):
            body = gzip.compress(answer.body) if answer.is_gzip else answer.body
            return web.Response(status=answer.status, headers=headers, body=body)
        response = web.StreamResponse(status=answer.status, headers=headers)
        await response.prepare(request)
        try:
            await self._stream(response, answer)
        except (ConnectionError, asyncio.CancelledError):
            return response
        if answer.hangs_up and request.transport is not None:
            request.transport.close()
        return response

    async def _stream(self, response: web.StreamResponse, answer: Answer) -> None:
        if answer.drip:
            for byte in answer.body:
                await response.write(bytes((byte,)))
                await asyncio.sleep(answer.drip)
            return
        await self._write(response, answer.body)
        if answer.is_bomb:
            packer = zlib.compressobj(wbits=31)
            for _ in range(answer.megabytes):
                await self._write(response, packer.compress(bytes(2**20)))
            await self._write(response, packer.flush())
            return
        part = b"<item><title>and more</title></item>\n" * (2**20 // 37)
        for _ in range(answer.megabytes):
            await self._write(response, part)

    async def _write(self, response: web.StreamResponse, part: bytes) -> None:
        await response.write(part)
        self.bytes_sent += len(part)
