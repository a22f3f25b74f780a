"""The two servers of the demo, both on 127.0.0.1: the sites that publish the sample feeds, and a small Slack.

The Slack knows just what the tour needs, keeps what is posted, and draws every message as it arrives.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import web

FEEDS = resources.files("bot.demo") / "feeds"


@dataclass
class Sites:
    """Serves `<step>-<name>.xml` as `/<name>.xml`: the newest one that is not later than `step`."""

    step: int = 0

    def body(self, name: str) -> bytes:
        """What the site shows at the present step."""
        for step in range(self.step, -1, -1):
            file = FEEDS / f"{step}-{name}"
            if file.is_file():
                return file.read_bytes()
        raise KeyError(name)

    async def serve(self, request: web.Request) -> web.Response:
        """A feed with its ETag, or 304."""
        from aiohttp import web

        body = self.body(request.match_info["name"])
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers={"ETag": etag})
        return web.Response(body=body, content_type="application/xml", charset="utf-8", headers={"ETag": etag})


@dataclass
class SmallSlack:
    """Keeps messages by channel and time stamp, and calls `draw(channel name, message, what happened)` for each."""

    channels: dict[str, str]  # id -> name
    draw: Callable[[str, dict[str, Any], str], None]
    posts: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    _count: int = 0

    async def serve(self, request: web.Request) -> web.Response:
        """One Web API method."""
        from aiohttp import web

        arguments = {**request.query, **(await self._body(request))}
        method = request.match_info["method"]
        if method == "chat.postMessage":
            answer = self._post(arguments)
        elif method == "chat.update":
            answer = self._update(arguments)
        else:
            answer = {"ok": False, "error": "unknown_method"}
        return web.json_response(answer)

    async def _body(self, request: web.Request) -> dict[str, Any]:
        if request.content_type == "application/json":
            return dict(await request.json())
        form = dict(await request.post())
        return {
            key: json.loads(value) if key in ("blocks", "metadata") and isinstance(value, str) else value for key, value in form.items()
        }

    def _post(self, arguments: dict[str, Any]) -> dict[str, Any]:
        self._count += 1
        ts = f"1616112000.{self._count:06d}"
        channel = arguments["channel"]
        self.posts[channel, ts] = arguments
        what = "reply in the thread of the card" if arguments.get("thread_ts") else "new message"
        if str(arguments.get("reply_broadcast", "")).lower() in ("1", "true"):
            what += ", shown in the channel too"
        self.draw(self.channels[channel], arguments, what)
        return {"ok": True, "channel": channel, "ts": ts}

    def _update(self, arguments: dict[str, Any]) -> dict[str, Any]:
        key = arguments["channel"], arguments["ts"]
        if key not in self.posts:
            return {"ok": False, "error": "message_not_found"}
        self.posts[key] = {**self.posts[key], **arguments}
        self.draw(self.channels[key[0]], arguments, "the card is edited to the present state")
        return {"ok": True, "channel": key[0], "ts": key[1]}


@asynccontextmanager
async def serving(sites: Sites, slack: SmallSlack) -> AsyncIterator[str]:
    """Both servers on one free port; yields `http://127.0.0.1:<port>`."""
    from aiohttp import web

    app = web.Application()
    app.router.add_get("/feeds/{name}", sites.serve)
    app.router.add_route("*", "/api/{method}", slack.serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()
