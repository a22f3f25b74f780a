"""What people type in Slack: the slash command, mentions, direct messages. Acknowledged first, answered by the Desk after.

A slash command is answered to its asker by response_url, which takes five messages; a mention and a direct message by a
post. A command that Slack sends again is answered once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.changes import Who
from bot.slack.desk import Desk
from bot.slack.grammar import ShowSettings, parse
from bot.slack.modals import Modals
from bot.slack.reach import Reach, channel_name, tell, workspace_of
from storage import Store


def register(app: AsyncApp, desk: Desk, modals: Modals, store: Store, command: str, kick: Callable[[], None]) -> None:
    """The slash command, the mention, the direct message."""

    @app.command(command)
    async def on_command(ack: Any, body: dict[str, Any], respond: Any, client: AsyncWebClient) -> None:
        await ack()
        reach = Reach(client)
        who = Who(workspace_of(body), body["channel_id"], body["user_id"], channel_name(body.get("channel_name")))
        text = body.get("text", "")
        if isinstance(parse(text), ShowSettings) and await modals.open_settings(who, body.get("trigger_id"), client):
            return
        is_direct = who.channel_id.startswith("D")
        message = await desk.answer(text, who, reach, is_public=is_direct)
        if (message.file or (message.thread and not message.is_ephemeral)) and await reach.refusal(who.channel_id) is None:
            await reach.post(who.channel_id, message)  # a response_url opens no thread and takes no file
        else:
            await tell(respond, message)
        if not message.is_ephemeral:
            kick()

    async def converse(event: dict[str, Any], body: dict[str, Any], text: str, client: AsyncWebClient, thread_ts: str | None) -> None:
        # Slack sends an event again when our acknowledgement was lost
        if body.get("event_id") and not await store.is_first(f"event:{body['event_id']}"):
            return
        reach = Reach(client)
        message = await desk.answer(text, Who(workspace_of(body), event["channel"], event["user"]), reach, is_public=True)
        await reach.post(event["channel"], message, thread_ts)
        kick()

    @app.event("app_mention")
    async def on_mention(event: dict[str, Any], body: dict[str, Any], context: dict[str, Any], client: AsyncWebClient) -> None:
        if not event.get("bot_id"):  # two bots that answer each other never end
            text = _after_mention(event["text"], context.get("bot_user_id"))
            await converse(event, body, text, client, event.get("thread_ts") or event["ts"])

    @app.event("message")
    async def on_message(event: dict[str, Any], body: dict[str, Any], context: dict[str, Any], client: AsyncWebClient) -> None:
        is_theirs = not event.get("bot_id") and not event.get("subtype")
        if event.get("channel_type") == "im" and is_theirs:
            text = _after_mention(event.get("text", ""), context.get("bot_user_id"))
            await converse(event, body, text, client, event.get("thread_ts"))


def _after_mention(text: str, bot_user_id: str | None) -> str:
    """What follows the bot's name; when nothing does, what stood before it."""
    before, named, after = text.partition(f"<@{bot_user_id}>")
    return after.strip() or before.strip() if named else text
