"""Clicks. A button carries a command, so a click is answered like the command, by the same Desk.

Its action id, `regwatch.<way>.<number>`, says where the answer goes: `ask` beside the message, `run` in place of
an answer that only its reader sees, `share` to the channel. `open` is a link, which Slack reports as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.commands import Desk, Who, reach, tell
from bot.slack.help import shared


def register(app: AsyncApp, desk: Desk, kick: Callable[[], None]) -> None:
    """The buttons of our messages."""

    @app.action(re.compile(r"^regwatch\.(ask|run|share)\.\d+$"))
    async def on_click(ack: Any, body: dict[str, Any], action: dict[str, Any], respond: Any, client: AsyncWebClient) -> None:
        await ack()
        way = action["action_id"].split(".")[1]
        container = body.get("container", {})
        can_post, zone_of = reach(client)
        who = _who(body)
        message = await desk.answer(action["value"], who, can_post=can_post, zone_of=zone_of)
        if way == "share" and not message.is_error:
            message = shared(message, who.user_id)
        is_replaced = way == "run" and message.is_ephemeral and bool(container.get("is_ephemeral"))
        thread_ts = container.get("thread_ts")
        await tell(respond, message, replace_original=is_replaced, **({"thread_ts": thread_ts} if thread_ts else {}))
        if not message.is_ephemeral:
            kick()

    @app.action(re.compile(r"^regwatch\.open\.\d+$"))
    async def on_link(ack: Any) -> None:
        await ack()


def _who(body: dict[str, Any]) -> Who:
    """Who clicked, and in which channel."""
    user = body["user"]
    workspace = str((body.get("team") or {}).get("id") or user.get("team_id") or body["enterprise"]["id"])
    channel = body.get("channel") or {}
    name = channel.get("name", "")
    return Who(workspace, channel.get("id", ""), user["id"], "" if name in ("privategroup", "directmessage") else name)
