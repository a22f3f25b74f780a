"""A workspace with people who type, click and fill in forms, and what they see: real Bolt, real Store, real Slack client.

Only Slack itself is a stub. Tests that use it read like a chat log.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack import register
from storage import Store
from storage.models import Kind, Role
from tests import builders
from tests.fakes.clock import FakeClock
from tests.fakes.slack import BOT_USER, TEAM, TOKEN, SlackStub

ASKER, COLLEAGUE, ADMIN = "U0ASKER", "U0OTHER", "U0ADMIN"
LEGAL, SECRET, ELSEWHERE = "C0LEGAL", "G0SECRET", "C0OTHER"


class Chat:
    """A workspace with people who type and click, and what they see."""

    def __init__(self, slack: SlackStub, app: AsyncApp) -> None:
        self.slack = slack
        self.app = app

    async def says(self, text: str, *, channel: str = LEGAL, user: str = ASKER, command: str = "/regwatch") -> list[dict[str, Any]]:
        """A slash command, and everything that comes back to its response_url."""
        body = urlencode(
            {
                "command": command,
                "text": text,
                "team_id": TEAM,
                "channel_id": channel,
                "channel_name": "legal" if channel == LEGAL else "privategroup",
                "user_id": user,
                "response_url": self.slack.response_url(),
                "trigger_id": "1.2",
            }
        )
        return await self._dispatched(AsyncBoltRequest(body=body, headers={"content-type": ["application/x-www-form-urlencoded"]}))

    async def clicks(self, label: str, message: dict[str, Any], *, user: str = ASKER, channel: str = LEGAL) -> list[dict[str, Any]]:
        """A click on the button with that label, in a message that came back before."""
        button = next(button for button in buttons(message) if button["text"]["text"] == label)
        payload = {
            "type": "block_actions",
            "team": {"id": TEAM},
            "user": {"id": user},
            "channel": {"id": channel, "name": "legal"},
            "container": {"type": "message", "is_ephemeral": message["response_type"] == "ephemeral"},
            "response_url": self.slack.response_url(),
            "actions": [{"type": "button", "block_id": "b", "action_ts": "1.1", **button}],
        }
        body = urlencode({"payload": json.dumps(payload)})
        return await self._dispatched(AsyncBoltRequest(body=body, headers={"content-type": ["application/x-www-form-urlencoded"]}))

    async def happens(self, event: dict[str, Any], *, event_id: str = "") -> list[dict[str, Any]]:
        """An event of the Events API."""
        body = {
            "type": "event_callback",
            "team_id": TEAM,
            "authorizations": [{"team_id": TEAM, "user_id": BOT_USER, "is_bot": True}],
            "event": event,
            **({"event_id": event_id} if event_id else {}),
        }
        return await self._dispatched(AsyncBoltRequest(body=json.dumps(body), headers={"content-type": ["application/json"]}))

    async def chooses(
        self, text: str, message: dict[str, Any], *, ts: str = "1.1", user: str = ASKER, channel: str = LEGAL
    ) -> list[dict[str, Any]]:
        """A choice from the menu of a card, by its label."""
        menu = next(one for one in elements(message) if one["type"] == "overflow")
        option = next(option for option in menu["options"] if option["text"]["text"] == text)
        return await self._acts({"type": "overflow", "action_id": menu["action_id"], "selected_option": option}, ts, user, channel)

    async def presses(
        self, label: str, message: dict[str, Any], *, ts: str = "1.1", user: str = ASKER, channel: str = LEGAL
    ) -> list[dict[str, Any]]:
        """A click on a button of a post in the channel."""
        button = next(one for one in elements(message) if one["type"] == "button" and one["text"]["text"] == label)
        return await self._acts({"type": "button", **button}, ts, user, channel)

    async def _acts(self, action: dict[str, Any], ts: str, user: str, channel: str) -> list[dict[str, Any]]:
        payload = {
            "type": "block_actions",
            "team": {"id": TEAM},
            "user": {"id": user},
            "channel": {"id": channel, "name": "legal"},
            "container": {"type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": False},
            "response_url": self.slack.response_url(),
            "trigger_id": "9.9",
            "actions": [{"block_id": "b", "action_ts": "1.1", **action}],
        }
        return await self._dispatched(_form_request(payload))

    async def submits(self, values: dict[str, dict[str, Any]], *, user: str = ASKER) -> dict[str, Any]:
        """The modal that was opened last is submitted: block id -> the element's state. What Slack is answered."""
        view = {**self.slack.views[-1], "id": f"VM{len(self.slack.views)}", "state": {"values": _state(self.slack.views[-1], values)}}
        payload = {"type": "view_submission", "team": {"id": TEAM}, "user": {"id": user}, "trigger_id": "9.8", "view": view}
        answer = await self.app.async_dispatch(_form_request(payload))
        assert answer.status == 200
        found: dict[str, Any] = json.loads(answer.body) if answer.body else {}
        return found

    async def types(self, action_id: str, value: str) -> list[str]:
        """What a field offers while something is typed: the labels."""
        payload = {"type": "block_suggestion", "team": {"id": TEAM}, "user": {"id": ASKER}, "action_id": action_id, "block_id": "b"}
        answer = await self.app.async_dispatch(_form_request({**payload, "value": value}))
        assert answer.status == 200
        return [option["text"]["text"] for option in json.loads(answer.body)["options"]]

    async def takes(self, callback_id: str, text: str, *, user: str = ASKER, channel: str = LEGAL) -> list[dict[str, Any]]:
        """A message shortcut on somebody's words."""
        payload = {
            "type": "message_action",
            "callback_id": callback_id,
            "team": {"id": TEAM},
            "user": {"id": user},
            "channel": {"id": channel, "name": "legal"},
            "message": {"type": "message", "text": text, "ts": "3.1"},
            "response_url": self.slack.response_url(),
            "trigger_id": "9.7",
        }
        return await self._dispatched(_form_request(payload))

    async def _dispatched(self, request: AsyncBoltRequest) -> list[dict[str, Any]]:
        before = len(self.slack.responses)
        answer = await self.app.async_dispatch(request)
        assert answer.status == 200
        return self.slack.responses[before:]


def buttons(message: dict[str, Any]) -> list[dict[str, Any]]:
    """All buttons of a message, in order."""
    found = [element for block in message["blocks"] if block["type"] == "actions" for element in block["elements"]]
    return found + [block["accessory"] for block in message["blocks"] if "accessory" in block]


def labels(message: dict[str, Any]) -> list[str]:
    return [button["text"]["text"] for button in buttons(message)]


def shown(message: dict[str, Any]) -> str:
    """Every text of the blocks."""
    found: list[str] = []

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            found.extend([value["text"]] if isinstance(value.get("text"), str) else [])
            for part in value.values():
                walk(part)
        elif isinstance(value, list):
            for part in value:
                walk(part)

    walk(message["blocks"])
    return "\n".join(found)


def elements(message: dict[str, Any]) -> list[dict[str, Any]]:
    """Everything in a message that can be used: of rows, and beside sections."""
    found = [element for block in message["blocks"] if block["type"] == "actions" for element in block["elements"]]
    return found + [block["accessory"] for block in message["blocks"] if "accessory" in block]


def _form_request(payload: dict[str, Any]) -> AsyncBoltRequest:
    body = urlencode({"payload": json.dumps(payload)})
    return AsyncBoltRequest(body=body, headers={"content-type": ["application/x-www-form-urlencoded"]})


def _state(view: dict[str, Any], values: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The state of a view as Slack sends it: what was filled in, else what stood there at first."""
    state: dict[str, dict[str, Any]] = {}
    for block in view["blocks"]:
        element = block.get("element") or block.get("accessory")
        if block["type"] not in ("input", "section") or element is None or "block_id" not in block:
            continue
        held = {"type": element["type"], **_initial(element), **values.get(block["block_id"], {})}
        state[block["block_id"]] = {element["action_id"]: held}
    assert set(values) <= set(state), f"no such field: {set(values) - set(state)}"
    return state


def _initial(element: dict[str, Any]) -> dict[str, Any]:
    """What an element holds before anybody touches it."""
    names = {
        "initial_option": "selected_option",
        "initial_options": "selected_options",
        "initial_value": "value",
        "initial_time": "selected_time",
        "initial_conversation": "selected_conversation",
    }
    return {to: element[name] for name, to in names.items() if name in element}


async def fill(store: Store) -> None:
    """RW-1001: Tencent, Alibaba and ByteDance (through TikTok) summoned; RW-1002: Ant Group's halted offering."""
    await builders.fill(store)
    await builders.add_action(
        store,
        ("tencent", Role.TARGET),
        ("alibaba", Role.TARGET),
        ("bytedance", Role.TARGET, "tiktok"),
        kind=Kind.TALKS,
        regulators=("cn-cac",),
        decided=date(2021, 3, 18),
        published=datetime(2021, 3, 19, tzinfo=UTC),
        title="Firms <!channel> summoned over *voice* software",
    )
    await builders.add_action(store, ("ant-group", Role.TARGET), ("alibaba", Role.GROUP), kind=Kind.SUSPENSION, decided=date(2020, 11, 3))


@pytest.fixture
async def known(sqlite_store: Store) -> Store:
    """A Store with two actions: see `fill`."""
    await fill(sqlite_store)
    return sqlite_store


@pytest.fixture
async def slack() -> AsyncIterator[SlackStub]:
    """#legal with Regwatch in it, a private and a public channel without it, three people."""
    async with SlackStub() as stub:
        stub.add_channel(LEGAL, "legal", members=(BOT_USER, ASKER, COLLEAGUE, ADMIN))
        stub.add_channel(SECRET, "secret", is_private=True, members=(ASKER,))
        stub.add_channel(ELSEWHERE, "elsewhere", members=(ASKER,))
        stub.add_user(ASKER, "asker", "Asia/Taipei")
        yield stub


@pytest.fixture
def chat(slack: SlackStub, known: Store, clock: FakeClock) -> Chat:
    """The whole chat edge; ADMIN runs it."""
    app = AsyncApp(
        client=AsyncWebClient(token=TOKEN, base_url=slack.url, retry_handlers=[]),
        request_verification_enabled=False,
        process_before_response=True,
        raise_error_for_unhandled_request=True,
    )
    register(app, known, now=clock, operators=frozenset({ADMIN}))
    return Chat(slack, app)
