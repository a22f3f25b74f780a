"""SlackStub: a Slack on loopback that we wrote ourselves, to be mistreated by tests.

It speaks over HTTP the Web API methods that Regwatch uses, so that the real `AsyncWebClient` and the real Bolt
run against it, and it fails in the ways in which Slack fails: 429 with Retry-After, an HTML page with a 503, `ok:
false`, a reply that is lost before or after the message was stored, a reply that hangs. It proves nothing
about Slack itself: the end-to-end tests use a Slack that others wrote.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from aiohttp import web

from tests.fakes.limits import Limits

BOT_USER = "U0BOT"
TEAM = "T1"
TOKEN = "xoxb-stub"
ALL_SCOPES = frozenset(
    {
        "commands",
        "chat:write",
        "app_mentions:read",
        "im:history",
        "channels:read",
        "groups:read",
        "chat:write.public",
        "channels:history",
        "groups:history",
        "metadata.message:read",
        "users:read",
        "files:write",
    }
)
_NEEDED = {
    "conversations.history": {"channels:history", "groups:history", "im:history"},
    "conversations.replies": {"channels:history", "groups:history", "im:history"},
    "conversations.info": {"channels:read", "groups:read"},
    "conversations.members": {"channels:read", "groups:read"},
    "users.info": {"users:read"},
    "chat.postMessage": {"chat:write"},
    "chat.update": {"chat:write"},
    "chat.postEphemeral": {"chat:write"},
    "users.conversations": {"channels:read", "groups:read"},
    "files.getUploadURLExternal": {"files:write"},
    "files.completeUploadExternal": {"files:write"},
}
_UNLIMITED = 10_000_000


@dataclass(frozen=True, slots=True)
class Fault:
    """How one call goes wrong. Made by the functions below."""

    status: int = 200
    error: str = ""
    retry_after: int | None = None
    html: str = ""
    is_done: bool = False  # the method works before the error page is answered
    drops: str = ""  # "before" or "after" the method did its work
    until: asyncio.Event | None = None  # the method works, its reply waits for this
    arrived: asyncio.Event | None = None  # set when the call has done its work


def rate_limited(seconds: int) -> Fault:
    """429 with Retry-After."""
    return Fault(status=429, error="ratelimited", retry_after=seconds)


def unavailable(status: int = 503, *, is_done: bool = False) -> Fault:
    """An error page of a gateway, in HTML; `is_done`: in spite of it the method did its work."""
    return Fault(status=status, html="<html><body><h1>Service Unavailable</h1></body></html>", is_done=is_done)


def refused(error: str) -> Fault:
    """`{"ok": false, "error": error}` with status 200."""
    return Fault(error=error)


def lost_before() -> Fault:
    """The connection ends before the method did anything."""
    return Fault(drops="before")


def lost_after() -> Fault:
    """The method works, then the connection ends without a reply."""
    return Fault(drops="after")


def held(arrived: asyncio.Event, until: asyncio.Event) -> Fault:
    """The method works and says so, its reply waits."""
    return Fault(until=until, arrived=arrived)


def fine() -> Fault:
    """No fault: the call before the one that goes wrong."""
    return Fault()


@dataclass(slots=True)
class Message:
    """A message as it stands in a channel."""

    ts: str
    user: str
    text: str
    blocks: list[dict[str, Any]]
    thread_ts: str | None = None
    is_broadcast: bool = False
    metadata: dict[str, Any] | None = None
    edits: int = 0
    arguments: dict[str, Any] = field(default_factory=dict)  # of the call that posted it

    @property
    def shown(self) -> str:
        """Everything that a reader may see of it, blocks included, in one string."""
        return "\n".join([self.text, *_texts(self.blocks)])


@dataclass(frozen=True, slots=True)
class Call:
    """A call that arrived, whether it worked or not."""

    method: str
    arguments: dict[str, Any]
    token: str


@dataclass(slots=True)
class Conversation:
    """A channel, a private one, or a direct message."""

    id: str
    name: str
    is_private: bool
    is_im: bool
    is_archived: bool
    members: set[str]
    messages: list[Message] = field(default_factory=list)


class SlackRefusal(Exception):
    """The method answers `ok: false`."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.error = error
        self.more = more


class SlackStub:
    """`async with SlackStub() as slack:` serves on a free port of 127.0.0.1; `slack.url` is the base of its Web API."""

    def __init__(self, *, now: Callable[[], datetime] | None = None, limits: Limits | None = None) -> None:
        """`limits`: posts that they do not let through get a 429; None: Slack takes whatever comes."""
        self._now = now or (lambda: datetime.now(UTC))
        self._limits = limits
        self._last_ts = (0, 0)
        self._faults: list[tuple[str, str | None, Fault, list[int]]] = []
        self._runner: web.AppRunner | None = None
        self.mishap: Callable[[Call], Fault] = lambda _: Fault()  # what befalls a call for which `fail` has nothing
        self.url = ""
        self.tokens: dict[str, str] = {TOKEN: TEAM}  # token -> team
        self.scopes: set[str] = set(ALL_SCOPES)
        self.channels: dict[str, Conversation] = {}
        self.users: dict[str, dict[str, Any]] = {}
        self.calls: list[Call] = []
        self.ephemeral: list[dict[str, Any]] = []
        self.responses: list[dict[str, Any]] = []  # what was posted to response_url
        self.published: dict[str, dict[str, Any]] = {}  # App Home by user
        self.views: list[dict[str, Any]] = []  # modals, in the order in which they were opened or changed
        self.files: dict[str, dict[str, Any]] = {}  # uploads: name, content, and where they were shared
        self.answers: dict[str, dict[str, Any]] = {}  # canned answers of methods that are not modelled
        self._methods: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "auth.test": self._auth_test,
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "chat.postEphemeral": self._post_ephemeral,
            "conversations.info": self._info,
            "conversations.history": self._history,
            "conversations.replies": self._replies,
            "conversations.members": self._members,
            "users.info": self._user,
            "views.publish": self._publish,
            "views.open": self._open,
            "views.update": self._open,
            "views.push": self._open,
            "users.conversations": self._conversations,
            "files.getUploadURLExternal": self._upload_url,
            "files.completeUploadExternal": self._complete_upload,
        }

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=4_000_000)
        app.router.add_route("*", "/api/{method}", self._serve)
        app.router.add_post("/response/{name}", self._respond)
        app.router.add_post("/upload/{file}", self._upload)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/api/"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    # --- what a test sets up and looks at ---

    def add_channel(
        self, channel_id: str, name: str = "general", *, is_private: bool = False, members: tuple[str, ...] = (BOT_USER,)
    ) -> None:
        """A channel; the bot is in it unless `members` leaves it out. `D...` is a direct message."""
        is_im = channel_id.startswith("D")
        self.channels[channel_id] = Conversation(channel_id, name, is_private, is_im, False, set(members))

    def add_user(self, user_id: str, name: str = "mei", zone: str = "Asia/Taipei", **more: Any) -> None:
        """A person with a time zone."""
        self.users[user_id] = {"id": user_id, "name": name, "real_name": name, "tz": zone, "is_admin": False, **more}

    def fail(self, method: str, fault: Fault, *, channel: str | None = None, times: int = 1) -> None:
        """The next `times` calls of the method (in that channel) go wrong; faults are used up in the order given."""
        self._faults.append((method, channel, fault, [times]))

    def always(self, method: str, fault: Fault, *, channel: str | None = None) -> None:
        """Every call of the method (in that channel) goes wrong until `heal()`."""
        self.fail(method, fault, channel=channel, times=_UNLIMITED)

    def heal(self) -> None:
        """No fault is left."""
        self._faults.clear()

    def posts(self, channel_id: str) -> list[Message]:
        """The channel as people see it: no replies but broadcast ones."""
        return [message for message in self.channels[channel_id].messages if message.thread_ts is None or message.is_broadcast]

    def thread(self, channel_id: str, ts: str) -> list[Message]:
        """The replies under a message, oldest first."""
        return [message for message in self.channels[channel_id].messages if message.thread_ts == ts]

    def say(self, channel_id: str, text: str, user: str = "U1") -> Message:
        """A person says something in a channel."""
        message = Message(self._next_ts(), user, text, [])
        self.channels[channel_id].messages.append(message)
        return message

    def count(self, method: str) -> int:
        """How often the method was called."""
        return sum(call.method == method for call in self.calls)

    def response_url(self, name: str = "r1") -> str:
        """An address as Slack hands it out with a command; what is posted there is in `responses`."""
        return self.url.removesuffix("api/") + f"response/{name}"

    # --- HTTP ---

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        arguments = await _arguments(request)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ") or str(arguments.pop("token", ""))
        call = Call(method, arguments, token)
        self.calls.append(call)
        fault = self._beyond_limits(method, arguments, token) or self._next_fault(method, arguments.get("channel")) or self.mishap(call)
        if fault.drops == "before":
            return _hang_up(request)
        if fault.html:
            if fault.is_done:
                self._answer(method, arguments, token)
            return web.Response(status=fault.status, text=fault.html, content_type="text/html")
        if fault.error:
            headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
            return web.json_response({"ok": False, "error": fault.error}, status=fault.status, headers=headers)
        answer = self._answer(method, arguments, token)
        if fault.drops == "after":
            return _hang_up(request)
        if fault.arrived is not None:
            fault.arrived.set()
        if fault.until is not None:
            await fault.until.wait()
        return web.json_response(answer, headers={"x-oauth-scopes": ",".join(sorted(self.scopes))})

    async def _respond(self, request: web.Request) -> web.Response:
        self.responses.append({**await _arguments(request), "_name": request.match_info["name"]})
        return web.Response(text="ok")

    async def _upload(self, request: web.Request) -> web.Response:
        self.files[request.match_info["file"]]["content"] = await request.read()
        return web.Response(text="ok")

    def _beyond_limits(self, method: str, arguments: dict[str, Any], token: str) -> Fault | None:
        if self._limits is None or method != "chat.postMessage":
            return None
        wait = self._limits.wait(self.tokens.get(token, ""), str(arguments.get("channel")))
        return None if wait is None else rate_limited(wait)

    def _next_fault(self, method: str, channel: str | None) -> Fault | None:
        for its_method, its_channel, fault, left in self._faults:
            if its_method == method and its_channel in (None, channel) and left[0] > 0:
                left[0] -= 1
                return fault
        return None

    def _answer(self, method: str, arguments: dict[str, Any], token: str) -> dict[str, Any]:
        try:
            if not token:
                raise SlackRefusal("not_authed")
            if token not in self.tokens:
                raise SlackRefusal("invalid_auth")
            if method in self.answers:
                return {"ok": True, **self.answers[method]}
            needed = _NEEDED.get(method)
            if needed and not needed & self.scopes:
                raise SlackRefusal("missing_scope", needed=min(needed), provided=",".join(sorted(self.scopes)))
            if method not in self._methods:
                raise SlackRefusal("unknown_method")
            return {"ok": True, **self._methods[method]({**arguments, "team": self.tokens[token]})}
        except SlackRefusal as refusal:
            return {"ok": False, "error": refusal.error, **refusal.more}

    # --- methods ---

    def _auth_test(self, arguments: dict[str, Any]) -> dict[str, Any]:
        team = arguments["team"]
        return {
            "url": f"https://{team.lower()}.slack.test/",
            "team": team,
            "team_id": team,
            "user": "regwatch",
            "user_id": BOT_USER,
            "bot_id": "B0BOT",
        }

    def _post(self, arguments: dict[str, Any]) -> dict[str, Any]:
        channel = self._writable(arguments.get("channel", ""))
        blocks = _checked(arguments)
        message = Message(
            ts=self._next_ts(),
            user=BOT_USER,
            text=arguments.get("text", "")[:40_000],
            blocks=blocks,
            thread_ts=arguments.get("thread_ts"),
            is_broadcast=_is_true(arguments.get("reply_broadcast")),
            metadata=arguments.get("metadata"),
            arguments=arguments,
        )
        channel.messages.append(message)
        return {"channel": channel.id, "ts": message.ts, "message": _shape(message, with_metadata=True)}

    def _update(self, arguments: dict[str, Any]) -> dict[str, Any]:
        channel = self._writable(arguments.get("channel", ""))
        message = next((message for message in channel.messages if message.ts == arguments.get("ts")), None)
        if message is None:
            raise SlackRefusal("message_not_found")
        if message.user != BOT_USER:
            raise SlackRefusal("cant_update_message")
        if len(arguments.get("text", "")) > 4_000:
            raise SlackRefusal("msg_too_long")
        blocks = _checked(arguments)
        message.text = arguments.get("text", message.text)
        if "blocks" in arguments:  # without the argument the old ones stay
            message.blocks = blocks
        if "metadata" in arguments:
            message.metadata = arguments["metadata"] or None
        message.edits += 1
        return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": _shape(message, with_metadata=True)}

    def _post_ephemeral(self, arguments: dict[str, Any]) -> dict[str, Any]:
        channel = self._writable(arguments.get("channel", ""))
        _checked(arguments)
        if arguments.get("user") not in channel.members:
            raise SlackRefusal("user_not_in_channel")
        self.ephemeral.append(arguments)
        return {"message_ts": self._next_ts()}

    def _info(self, arguments: dict[str, Any]) -> dict[str, Any]:
        channel = self._visible(arguments.get("channel", ""))
        return {
            "channel": {
                "id": channel.id,
                "name": channel.name,
                "is_channel": not channel.is_im and not channel.is_private,
                "is_private": channel.is_private,
                "is_im": channel.is_im,
                "is_archived": channel.is_archived,
                "is_member": BOT_USER in channel.members,
                "num_members": len(channel.members),
            }
        }

    def _history(self, arguments: dict[str, Any]) -> dict[str, Any]:
        channel = self._readable(arguments.get("channel", ""))
        found = [message for message in channel.messages if message.thread_ts is None or message.is_broadcast]
        return self._page(list(reversed(found)), arguments)

    def _replies(self, arguments: dict[str, Any]) -> dict[str, Any]:
        channel = self._readable(arguments.get("channel", ""))
        root = arguments.get("ts")
        found = [message for message in channel.messages if root in (message.ts, message.thread_ts)]
        if not any(message.ts == root for message in found):
            raise SlackRefusal("thread_not_found")
        return self._page(found, arguments)

    def _page(self, found: list[Message], arguments: dict[str, Any]) -> dict[str, Any]:
        oldest, latest = float(arguments.get("oldest") or 0), float(arguments.get("latest") or "inf")
        found = [message for message in found if oldest < float(message.ts) < latest or message.ts == arguments.get("ts")]
        start, limit = int(arguments.get("cursor") or 0), int(arguments.get("limit") or 100)
        rest = start + limit < len(found)
        return {
            "messages": [_shape(message, _is_true(arguments.get("include_all_metadata"))) for message in found[start : start + limit]],
            "has_more": rest,
            "response_metadata": {"next_cursor": str(start + limit) if rest else ""},
        }

    def _members(self, arguments: dict[str, Any]) -> dict[str, Any]:
        channel = self._visible(arguments.get("channel", ""))
        return {"members": sorted(channel.members), "response_metadata": {"next_cursor": ""}}

    def _user(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if arguments.get("user") not in self.users:
            raise SlackRefusal("user_not_found")
        return {"user": self.users[arguments["user"]]}

    def _publish(self, arguments: dict[str, Any]) -> dict[str, Any]:
        self.published[arguments["user_id"]] = arguments["view"]
        return {"view": {**arguments["view"], "id": f"V{len(self.published)}", "hash": f"h{len(self.calls)}"}}

    def _open(self, arguments: dict[str, Any]) -> dict[str, Any]:
        self.views.append(arguments["view"])
        return {"view": {**arguments["view"], "id": arguments.get("view_id") or f"VM{len(self.views)}", "hash": f"h{len(self.calls)}"}}

    def _conversations(self, arguments: dict[str, Any]) -> dict[str, Any]:
        user = arguments.get("user", "")
        mine = [
            channel
            for channel in self.channels.values()
            if user in channel.members and (BOT_USER in channel.members or not (channel.is_private or channel.is_im))
        ]
        return {"channels": [{"id": channel.id, "name": channel.name} for channel in mine], "response_metadata": {"next_cursor": ""}}

    def _upload_url(self, arguments: dict[str, Any]) -> dict[str, Any]:
        file = f"F{len(self.files) + 1}"
        self.files[file] = {"name": arguments["filename"], "content": b"", "channel": None, "thread_ts": None}
        return {"upload_url": self.url.removesuffix("api/") + f"upload/{file}", "file_id": file}

    def _complete_upload(self, arguments: dict[str, Any]) -> dict[str, Any]:
        files = json.loads(arguments["files"]) if isinstance(arguments["files"], str) else arguments["files"]
        channel = self._readable(arguments["channel_id"])
        for file in files:
            self.files[file["id"]] |= {"channel": channel.id, "thread_ts": arguments.get("thread_ts"), "title": file.get("title")}
        return {"files": files}

    # --- channels and time ---

    def _visible(self, channel_id: str) -> Conversation:
        channel = self.channels.get(channel_id)
        if channel is None or (channel.is_private and BOT_USER not in channel.members):
            raise SlackRefusal("channel_not_found")
        return channel

    def _readable(self, channel_id: str) -> Conversation:
        channel = self._visible(channel_id)
        if BOT_USER not in channel.members:
            raise SlackRefusal("not_in_channel")
        return channel

    def _writable(self, channel_id: str) -> Conversation:
        channel = self._visible(channel_id)
        if channel.is_archived:
            raise SlackRefusal("is_archived")
        if BOT_USER not in channel.members and "chat:write.public" not in self.scopes:
            raise SlackRefusal("not_in_channel")
        return channel

    def _next_ts(self) -> str:
        """Slack's time stamp: rises with every message, whatever the clock does."""
        second = int(self._now().timestamp())
        self._last_ts = max((second, 100), (self._last_ts[0], self._last_ts[1] + 100))
        return f"{self._last_ts[0]}.{self._last_ts[1]:06d}"


async def _arguments(request: web.Request) -> dict[str, Any]:
    """Arguments from the query, a form or a JSON body: the SDK uses all three, booleans as 0 and 1."""
    arguments: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        arguments |= await request.json() if request.can_read_body else {}
    elif request.can_read_body:
        arguments |= {key: value for key, value in (await request.post()).items() if isinstance(value, str)}
    for key in ("blocks", "metadata", "view", "attachments"):
        if isinstance(arguments.get(key), str):
            arguments[key] = json.loads(arguments[key])
    return arguments


def _hang_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _is_true(value: object) -> bool:
    return value in (True, 1, "1", "true", "True")


def _texts(blocks: object) -> list[str]:
    """Every string under a `text` key, in the order of the blocks."""
    if isinstance(blocks, list):
        return [text for block in blocks for text in _texts(block)]
    if not isinstance(blocks, Mapping):
        return []
    found = []
    for key, value in blocks.items():
        if key == "text" and isinstance(value, str):
            found.append(value)
        else:
            found.extend(_texts(value))
    return found


def _checked(arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """The blocks of a message, after the few checks of Slack's that a bot meets in practice."""
    blocks: list[dict[str, Any]] = arguments.get("blocks") or []
    if not arguments.get("text") and not blocks:
        raise SlackRefusal("no_text")
    if len(blocks) > 50 or any("type" not in block for block in blocks):
        raise SlackRefusal("invalid_blocks")
    if sum(map(len, _texts(blocks))) > 13_000:
        raise SlackRefusal("msg_blocks_too_long")
    return blocks


def _shape(message: Message, with_metadata: bool) -> dict[str, Any]:
    shaped: dict[str, Any] = {
        "type": "message",
        "user": message.user,
        "bot_id": "B0BOT",
        "ts": message.ts,
        "text": message.text,
        "blocks": message.blocks,
    }
    if message.thread_ts is not None:
        shaped["thread_ts"] = message.thread_ts
    if message.is_broadcast:
        shaped["subtype"] = "thread_broadcast"
    if with_metadata and message.metadata:
        shaped["metadata"] = message.metadata
    return shaped
