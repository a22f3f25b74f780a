"""Clicks. A button carries a command, or says what is to be marked or opened; the same Desk answers.

The action id, `regwatch.<way>.<number>`, says what becomes of it: `ask` beside the message, `run` in place of an answer that
only its reader sees, `share` to the channel, `mark` on the card itself, `menu` what was chosen of a card's menu, `form`
a modal; `open` is a link, which Slack reports as well. What was clicked twice is done once.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack import cards, help, replies
from bot.slack.changes import Who
from bot.slack.desk import Desk
from bot.slack.grammar import Mute, parse
from bot.slack.help import shared
from bot.slack.modals import Modals
from bot.slack.naming import Stop
from bot.slack.reach import Reach, channel_name, tell, workspace_of
from storage import Store

_REF = re.compile(r"RW-(\d+)")


def register(app: AsyncApp, desk: Desk, modals: Modals, store: Store, kick: Callable[[], None]) -> None:
    """The buttons and menus of our messages."""

    @app.action(re.compile(r"^regwatch\.(ask|run|share)\.\d+$"))
    async def on_click(ack: Any, body: dict[str, Any], action: dict[str, Any], respond: Any, client: AsyncWebClient) -> None:
        await ack()
        way = action["action_id"].split(".")[1]
        if way == "share" and not await store.is_first(_click(body, action)):
            return
        await answer(action["value"], way, body, respond, client)

    async def answer(command: str, way: str, body: dict[str, Any], respond: Any, client: AsyncWebClient) -> None:
        reach, who, container = Reach(client), who_of(body), body.get("container", {})
        is_shared = way == "share"
        message = await desk.answer(command, who, reach, is_public=is_shared)
        if is_shared and not message.is_error:
            message = shared(message, who.user_id, language=(await desk.look(who))[1].language)
        is_replaced = way == "run" and message.is_ephemeral and bool(container.get("is_ephemeral"))
        thread_ts = container.get("thread_ts")
        await tell(respond, message, replace_original=is_replaced, **({"thread_ts": thread_ts} if thread_ts else {}))
        if message.file is not None:
            refusal = await reach.upload(who.channel_id, message.file, thread_ts)
            if refusal is not None:
                await tell(respond, help.error(refusal, (), (await desk.look(who))[1]), replace_original=False)
        if not message.is_ephemeral:
            kick()

    @app.action(re.compile(r"^regwatch\.mark\.\d+$"))
    async def on_mark(ack: Any, body: dict[str, Any], action: dict[str, Any], respond: Any, client: AsyncWebClient) -> None:
        await ack()
        who, reach = who_of(body), Reach(client)
        _, look = await desk.look(who)
        verb, _, what = action["value"].partition(" ")
        try:
            if verb == "withdraw":
                result = await desk.changes.withdraw(int(what), who, reach)
                await desk.changes.redraw(result, reach)
                message = replies.corrected(result, look, is_withdrawn=True)
            else:
                message = replies.reviewed(await desk.changes.review(_action_id(what), who, reach), look)
        except Stop as stop:
            message = help.error(stop.said(look.say), stop.choices, look)
        await tell(respond, message, replace_original=False)

    @app.action(re.compile(r"^regwatch\.menu\.\d+$"))
    async def on_menu(ack: Any, body: dict[str, Any], action: dict[str, Any], respond: Any, client: AsyncWebClient) -> None:
        await ack()
        chosen = action["selected_option"]["value"]
        if chosen.startswith("!"):
            verdict, _, ref = chosen[1:].partition(" ")
            await modals.open_verdict(verdict, _action_id(ref), who_of(body), body["trigger_id"], respond, client)
            return
        await answer(chosen, "ask", body, respond, client)
        command = parse(chosen)
        if isinstance(command, Mute) and command.action_id is not None:
            who = who_of(body)
            card = await store.card(who.key, command.action_id)
            if card is not None and card.ts is not None:
                await Reach(client).redraw(who.channel_id, card.ts, cards.alert(card))

    @app.action(re.compile(r"^regwatch\.form\.\d+$"))
    async def on_form(ack: Any, body: dict[str, Any], action: dict[str, Any], respond: Any, client: AsyncWebClient) -> None:
        await ack()
        await modals.open(action["value"], who_of(body), body["trigger_id"], respond, client)

    @app.action(re.compile(r"^regwatch\.open\.\d+$"))
    async def on_link(ack: Any) -> None:
        await ack()


def who_of(body: dict[str, Any]) -> Who:
    """Who clicked, and in which channel; on the home page in none."""
    channel = body.get("channel") or {}
    return Who(workspace_of(body), channel.get("id", ""), body["user"]["id"], channel_name(channel.get("name")))


def _action_id(ref: str) -> int:
    match = _REF.fullmatch(ref)
    if match is None:
        raise ValueError(f"{ref!r} names no action")  # a button of ours always does
    return int(match[1])


def _click(body: dict[str, Any], action: dict[str, Any]) -> str:
    """What makes two clicks the same: the person, the message, the button."""
    container = body.get("container", {})
    parts = (workspace_of(body), container.get("channel_id", ""), container.get("message_ts", ""), body["user"]["id"], action["value"])
    return f"click:{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()}"
