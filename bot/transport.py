"""How Slack reaches us: Socket Mode, which needs no address, or HTTP; the same listeners stand behind both.

`SocketMode` holds one WebSocket and looks after it: `look()` is called every few seconds, `judge` decides (pure) and a
connection that is down, never greets or has fallen silent is replaced by a fresh client. The SDK reconnects by itself
as well, but its loops have been seen alive and deaf: https://github.com/slackapi/bolt-python/issues/1529. When
replacing does not help although Slack's Web API answers, the process should end (`TransportLost`), for a supervisor to start it
again. `HttpServer` listens for signed requests and for `/healthz`, which tells how the process is.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from aiohttp import web
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.listener.async_listener_completion_handler import AsyncListenerCompletionHandler
from slack_bolt.listener.async_listener_start_handler import AsyncListenerStartHandler
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.config import SettingsError
from storage import StorageError, Store

if TYPE_CHECKING:
    from aiohttp import WSMessage
    from slack_sdk.socket_mode.aiohttp import SocketModeClient

_log = logging.getLogger("regwatch.transport")

EVENTS_PATH = "/slack/events"
HEALTH_PATH = "/healthz"
DEFAULT_BIND = "127.0.0.1:3000"

DOWN_SECONDS = 45.0
"""So long the SDK may try by itself to connect again."""
HELLO_SECONDS = 30.0
"""Slack greets a connection at once."""
KEPT_SECONDS = 6 * 3600.0
"""Slack ends a connection after some hours, and says in its greeting after how many; this when it does not."""
GRACE_SECONDS = 900.0
MOST_REPLACED = 5
"""So many connections in a row that never greeted mean that this process is beyond help."""
_CONNECT_SECONDS = 20.0
_ASKED_EVERY = timedelta(seconds=15)
_REFUSALS = frozenset({"invalid_auth", "not_authed", "account_inactive", "token_revoked", "not_allowed_token_type", "missing_scope"})
_UNREACHABLE = (SlackClientError, OSError, TimeoutError)


class TransportLost(Exception):
    """Slack cannot reach this process any more. The text is for people: the cause and what to do."""


# --- the watchdog's rules -----------------------------------------------------------------------------------------------


class Verdict(StrEnum):
    """What is to be done about a connection."""

    WELL = "well"
    REPLACE = "replace"
    GIVE_UP = "give_up"


@dataclass(frozen=True, slots=True)
class Pulse:
    """What is known of a connection. Times are seconds of one clock that only goes forward."""

    opened_at: float
    heard_at: float | None = None  # the last frame, its greeting included; None: it never greeted
    is_connected: bool = True  # as the SDK sees it: open, and pings are answered
    down_since: float | None = None
    kept: float = KEPT_SECONDS  # after so long Slack ends it, or has fallen silent
    replaced: int = 0  # connections in a row that never greeted


def judge(pulse: Pulse, now: float) -> tuple[Verdict, str]:
    """The verdict and its reason in words, empty when all is well."""
    why = ""
    if not pulse.is_connected and pulse.down_since is not None and now - pulse.down_since >= DOWN_SECONDS:
        why = f"no connection for {now - pulse.down_since:.0f} s"
    elif pulse.heard_at is None and now - pulse.opened_at >= HELLO_SECONDS:
        why = f"no greeting for {now - pulse.opened_at:.0f} s"
    elif pulse.heard_at is not None and now - pulse.heard_at >= pulse.kept + GRACE_SECONDS:
        why = f"nothing heard for {now - pulse.heard_at:.0f} s, although Slack renews a connection after {pulse.kept:.0f} s"
    if not why:
        return Verdict.WELL, ""
    return (Verdict.GIVE_UP if pulse.replaced >= MOST_REPLACED else Verdict.REPLACE), why


# --- Socket Mode ------------------------------------------------------------------------------------------------------


class SocketMode:
    """One connection of an app's Socket Mode, replaced when it does not hear any more."""

    def __init__(
        self, app: AsyncApp, app_token: str, base_url: str, *, expected: int | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`expected`: connections that this app should have, ours included; None: unknown, other processes may have some."""
        self._app = app
        self._app_token = app_token
        self._expected = expected
        self._clock = clock
        # opens no post, so the SDK's own retries may stay
        self._opener = AsyncWebClient(token=app_token, base_url=base_url)
        self._handler: AsyncSocketModeHandler | None = None
        self._session: object = None
        self._is_open = False
        self._pulse = Pulse(clock())

    async def open(self) -> None:
        """Connect. Raises SettingsError when Slack refuses the app token, or cannot be reached."""
        self._is_open = True
        try:
            await self._connect()
        except SlackApiError as error:
            await self.close()
            raise SettingsError(_refused(error)) from error
        except _UNREACHABLE as error:
            await self.close()
            raise SettingsError(f"SLACK_API_URL: no Socket Mode connection ({error or type(error).__name__})") from error

    async def look(self) -> None:
        """See that the connection hears. Raises TransportLost when nothing but a new process can help."""
        if self._handler is None:
            return
        await self._feel(self._handler.client)
        verdict, why = judge(self._pulse, self._clock())
        if verdict is Verdict.WELL:
            return
        if verdict is Verdict.GIVE_UP:
            raise TransportLost(f"Socket Mode: {why}, and {MOST_REPLACED} new connections did not help. Start Regwatch again.")
        _log.warning('socket replaced why="%s"', why)
        before = self._pulse.replaced
        await self._drop()
        if not self._is_open:
            return
        try:
            await self._connect(replaced=before + 1)
        except SlackApiError as error:
            if error.response.get("error") in _REFUSALS:
                raise TransportLost(_refused(error)) from error
            self._not_connected(error, before)
        except _UNREACHABLE as error:
            self._not_connected(error, before)

    async def close(self) -> None:
        """Let go of the connection; nothing comes in any more."""
        self._is_open = False
        await self._drop()

    def health(self) -> dict[str, Any]:
        """How it stands, without anything secret."""
        heard_at = self._pulse.heard_at
        ok = self._handler is not None and self._pulse.is_connected and heard_at is not None
        return {"name": "socket", "ok": ok, "heard_seconds_ago": None if heard_at is None else round(self._clock() - heard_at)}

    async def _connect(self, replaced: int = 0) -> None:
        handler = AsyncSocketModeHandler(self._app, self._app_token, logger=logging.getLogger("slack_sdk.socket"), web_client=self._opener)
        handler.client.on_message_listeners.append(self._on_frame)
        self._handler = handler
        self._session = None
        self._pulse = Pulse(self._clock(), kept=self._pulse.kept, replaced=replaced)
        # asked for here, because the SDK would try a refused token for ever
        handler.client.wss_uri = str((await self._opener.apps_connections_open(app_token=self._app_token))["url"])
        async with asyncio.timeout(_CONNECT_SECONDS):
            await handler.connect_async()
        self._session = handler.client.current_session
        self._pulse = replace(self._pulse, opened_at=self._clock(), is_connected=True, down_since=None)

    async def _drop(self) -> None:
        handler, self._handler = self._handler, None
        if handler is None:
            return
        handler.client.on_message_listeners.clear()
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await handler.close_async()
        except (*_UNREACHABLE, RuntimeError) as error:
            _log.info('socket closed with trouble why="%s"', error or type(error).__name__)

    def _not_connected(self, error: BaseException, replaced: int) -> None:
        """Slack itself cannot be reached: a new process could not do better, so this one goes on trying."""
        _log.warning('socket not connected why="%s"', error or type(error).__name__)
        now = self._clock()
        self._pulse = replace(self._pulse, opened_at=now, is_connected=False, down_since=now, replaced=replaced)

    async def _feel(self, client: SocketModeClient) -> None:
        """Bring the pulse up to now; a session that the SDK made by itself is a new connection."""
        now = self._clock()
        if client.current_session is not self._session:
            self._session = client.current_session
            self._pulse = replace(self._pulse, opened_at=now)
        if await client.is_connected():
            self._pulse = replace(self._pulse, is_connected=True, down_since=None)
        elif self._pulse.is_connected:
            self._pulse = replace(self._pulse, is_connected=False, down_since=now)

    async def _on_frame(self, message: WSMessage) -> None:
        self._pulse = replace(self._pulse, heard_at=self._clock())
        with contextlib.suppress(ValueError):
            frame = json.loads(message.data)
            if isinstance(frame, dict) and frame.get("type") == "hello":
                self._on_hello(frame)
            elif isinstance(frame, dict) and frame.get("type") == "disconnect":
                _log.info("socket disconnect reason=%s", frame.get("reason"))

    def _on_hello(self, frame: Mapping[str, Any]) -> None:
        many = frame.get("num_connections")
        kept = (frame.get("debug_info") or {}).get("approximate_connection_time")
        is_new = self._pulse.replaced == 0  # else the one that was given up may still be counted
        self._pulse = replace(self._pulse, replaced=0, kept=float(kept) if isinstance(kept, int) else KEPT_SECONDS)
        _log.info("socket hello num_connections=%s", many)
        if self._expected is not None and is_new and isinstance(many, int) and many > self._expected:
            _log.warning(
                "socket num_connections=%d expected=%d: another process uses the same app token, and each command reaches one of them"
                " at random. Stop it, or give it an app of its own.",
                many,
                self._expected,
            )


def _refused(error: SlackApiError) -> str:
    cause = error.response.get("error") or f"HTTP {error.response.status_code}"
    return f"SLACK_APP_TOKEN: Slack refuses it ({cause}); make one with the scope connections:write under 'Basic Information'"


# --- HTTP ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Health:
    """How the process is: what `/healthz` says."""

    is_ok: bool
    facts: Mapping[str, Any]


class Vitals:
    """Takes a process's vital signs: its database, its jobs, its transport. The database is asked at most every 15 s."""

    def __init__(
        self,
        store: Store,
        jobs: Callable[[], Mapping[str, Mapping[str, Any]]],
        transport: Callable[[], Mapping[str, Any]],
        now: Callable[[], datetime],
    ) -> None:
        """What `jobs` and `transport` give has an `ok` each, and nothing secret."""
        self._store, self._jobs, self._transport, self._now = store, jobs, transport, now
        self._database: tuple[datetime, Mapping[str, Any]] | None = None

    async def signs(self) -> Health:
        """All of them; ill when one is."""
        if self._database is None or self._now() - self._database[0] >= _ASKED_EVERY:
            self._database = (self._now(), await self._ask())
        facts = {"database": self._database[1], "jobs": self._jobs(), "transport": self._transport()}
        is_ok = all(one["ok"] for one in (facts["database"], facts["transport"], *facts["jobs"].values()))
        return Health(is_ok, facts)

    async def _ask(self) -> Mapping[str, Any]:
        try:
            read = [view.last_ok_at for view in await self._store.sources() if view.last_ok_at is not None]
        except StorageError:
            _log.exception("healthz: no database")
            return {"ok": False, "last_good_poll": None}
        return {"ok": True, "last_good_poll": max(read).isoformat() if read else None}


class HttpServer:
    """Listens for Slack's requests (with an app) and for `/healthz`."""

    def __init__(self, bind: str, health: Callable[[], Awaitable[Health]], app: AsyncApp | None = None) -> None:
        """`bind`: host:port; port 0 takes a free one."""
        self._bind = bind
        self._health = health
        self._app = app
        self._runner: web.AppRunner | None = None
        self.address = ""

    async def open(self) -> None:
        """Listen. Raises SettingsError when the address cannot be used."""
        # Bolt checks the signature and answers 401 to a wrong or old one
        serving = self._app.server(path=EVENTS_PATH).web_app if self._app is not None else web.Application()
        serving.router.add_get(HEALTH_PATH, self._tell)
        self._runner = web.AppRunner(serving, access_log=None, shutdown_timeout=5)
        await self._runner.setup()
        host, _, port = self._bind.rpartition(":")
        try:
            await web.TCPSite(self._runner, host.strip("[]"), int(port)).start()
        except OSError as error:
            await self.close()
            raise SettingsError(f"REGWATCH_HTTP_BIND: {self._bind} cannot be listened on ({error.strerror})") from error
        self.address = "{}:{}".format(*self._runner.addresses[0][:2])
        _log.info("http address=%s events=%s", self.address, EVENTS_PATH if self._app is not None else "off")

    async def close(self) -> None:
        """Take nothing more, and let what is being answered be answered."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _tell(self, _: web.Request) -> web.Response:
        health = await self._health()
        return web.json_response({"ok": health.is_ok, **health.facts}, status=200 if health.is_ok else 503)


# --- both ---------------------------------------------------------------------------------------------------------------


def answers_under_way(app: AsyncApp, seconds: float) -> Callable[[], Awaitable[None]]:
    """What waits, so long at most, until no listener is at work: a command whose answer is cut off stays unanswered for ever."""
    at_work: set[int] = set()
    idle = asyncio.Event()
    idle.set()

    class Started(AsyncListenerStartHandler):
        async def handle(self, request: object, response: object) -> None:  # noqa: ARG002 - Bolt names them
            at_work.add(id(request))
            idle.clear()

    class Ended(AsyncListenerCompletionHandler):
        async def handle(self, request: object, response: object) -> None:  # noqa: ARG002 - Bolt names them
            at_work.discard(id(request))
            if not at_work:
                idle.set()

    app.listener_runner.listener_start_handler = Started()
    app.listener_runner.listener_completion_handler = Ended()

    async def wait() -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(idle.wait(), seconds)

    return wait
