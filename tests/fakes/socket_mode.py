"""SocketModeStub: the other end of Socket Mode on loopback, to be mistreated by tests.

It sends the frames that Slack sends (a greeting, envelopes with `retry_attempt`, a disconnect with its reason; shaped
after those of the SDK's own mock server) and fails in ways that no other double has: it never greets, answers no ping,
or goes silent. We wrote it ourselves, so it proves nothing about Slack.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, Self

from aiohttp import WSMsgType, web

from tests.fakes.slack import SlackStub

APP_TOKEN = "xapp-stub"


class SocketModeStub:
    """`async with SocketModeStub(slack):` lets `apps.connections.open` of that SlackStub lead here."""

    def __init__(self, slack: SlackStub) -> None:
        self._slack = slack
        self._runner: web.AppRunner | None = None
        self._acked: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._arrived = asyncio.Event()
        self.greets = True
        self.pongs = True
        self.num_connections = 1
        self.kept = 18_060
        self.sockets: list[web.WebSocketResponse] = []

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/link", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self._slack.tokens[APP_TOKEN] = "T1"
        self._slack.answers["apps.connections.open"] = {"url": f"ws://{host}:{port}/link?ticket=t"}
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        for socket in self.sockets:
            await socket.close()
        await self._runner.cleanup()

    async def connected(self, count: int) -> web.WebSocketResponse:
        """Waits for the connection of that number; the first is 1."""
        async with asyncio.timeout(10):
            while len(self.sockets) < count:
                self._arrived.clear()
                await self._arrived.wait()
        return self.sockets[count - 1]

    async def send(self, kind: str, payload: dict[str, Any], *, retry_attempt: int = 0, retry_reason: str = "") -> dict[str, Any]:
        """An envelope over the newest connection; what the bot acknowledged it with."""
        name = f"envelope-{len(self._acked)}"
        self._acked[name] = asyncio.get_running_loop().create_future()
        envelope = {"envelope_id": name, "type": kind, "payload": payload, "accepts_response_payload": kind != "events_api"}
        await self.sockets[-1].send_json(envelope | {"retry_attempt": retry_attempt, "retry_reason": retry_reason})
        return await asyncio.wait_for(self._acked[name], 10)

    async def disconnect(self, reason: str) -> None:
        """Slack's notice that this connection ends: `warning`, `refresh_requested`, `link_disabled`, `too_many_websockets`."""
        await self.sockets[-1].send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "stub"}})

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        if self.greets:
            debug = {"host": "stub", "build_number": 1, "approximate_connection_time": self.kept}
            await socket.send_json(
                {"type": "hello", "num_connections": self.num_connections, "connection_info": {"app_id": "A1"}, "debug_info": debug}
            )
        self.sockets.append(socket)
        self._arrived.set()
        async for frame in socket:
            if frame.type is WSMsgType.PING and self.pongs:
                await socket.pong(frame.data)
            elif frame.type is WSMsgType.TEXT:
                told = json.loads(frame.data)
                if (waiting := self._acked.get(told.get("envelope_id"))) is not None and not waiting.done():
                    waiting.set_result(told.get("payload") or {})
        return socket
