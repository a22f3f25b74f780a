"""What Slack says happened: the home page was opened, a channel was renamed, archived or left, the bot was invited, an
organisation took a workspace away (a workspace that uninstalls is `install`'s).

The home page is drawn anew whenever it is opened and after each change that was made on it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack import help
from bot.slack.changes import Who
from bot.slack.desk import Desk
from bot.slack.home import home
from bot.slack.modals import Modals
from bot.slack.reach import Reach, workspace_of
from storage import Store
from storage.intents import ChannelKey

log = logging.getLogger("regwatch.slack")

_GONE = {
    "channel_archive": "is_archived",
    "group_archive": "is_archived",
    "channel_deleted": "channel_deleted",
    "group_deleted": "channel_deleted",
    "channel_left": "not_in_channel",
    "group_left": "not_in_channel",
}
"""Event -> why a channel takes nothing any more: Slack's word when it refuses a post, where that is as exact as the event."""


def register(app: AsyncApp, desk: Desk, modals: Modals, store: Store, kick: Callable[[], None]) -> None:
    """The home page and the life of channels."""

    async def publish(user_id: str, workspace_id: str, client: AsyncWebClient) -> None:
        reach = Reach(client)
        who = Who(workspace_id, "", user_id, zone=await reach.zone_of(user_id))
        visible = await reach.channels_of(user_id)
        places = [
            place
            for place in await store.places(workspace_id)
            # without channels:read the page shows no channel, rather than one that the reader may not see
            if visible is not None and place.channel.slack_id in visible
        ]
        _, look = await desk.look(who)
        problems = [view for view in await store.sources() if view.is_enabled and not view.is_fresh]
        page = home(places, await store.coverage(), look, user_id=user_id, is_admin=desk.changes.is_operator(who), problems=problems)
        await client.views_publish(user_id=user_id, view=page)

    async def redraw(who: Who, client: AsyncWebClient) -> None:
        await publish(who.user_id, who.workspace_id, client)

    modals.on_change(redraw)

    @app.event("app_home_opened")
    async def on_home(event: dict[str, Any], body: dict[str, Any], client: AsyncWebClient) -> None:
        if event.get("tab") == "home":
            await publish(event["user"], workspace_of(body), client)

    @app.action(re.compile(r"^regwatch\.home\.\d+$"))
    async def on_home_click(ack: Any, body: dict[str, Any], action: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        chosen = (action.get("selected_option") or action)["value"]
        verb, _, number = chosen.partition(" ")
        user_id, workspace_id = body["user"]["id"], workspace_of(body)
        reach = Reach(client)
        place = next(
            (place for place in await store.places(workspace_id) if any(rule.id == int(number) for rule in place.subscriptions)), None
        )
        if place is None:  # taken away meanwhile: the page is drawn anew
            await publish(user_id, workspace_id, client)
            return
        who = Who(workspace_id, place.channel.slack_id, user_id, place.channel.name)
        if verb in ("edit", "unsubscribe"):
            await modals.open(chosen, who, body["trigger_id"], None, client)
            return
        rule = next(rule for rule in place.subscriptions if rule.id == int(number))
        what = rule.firm.firm_id if rule.firm else "channel"
        command = f"mute {what} for 7d" if verb == "mute" else f"unmute {what}"
        message = await desk.answer(command, who, reach)
        if message.is_ephemeral or await reach.refusal(who.channel_id) is not None:
            await modals.say(message, (await desk.look(who))[1], body["trigger_id"], client)
        else:
            await reach.post(who.channel_id, message)  # a change is told to the channel that it concerns
            kick()
        await publish(user_id, workspace_id, client)

    @app.event(re.compile("^(channel|group)_(archive|deleted|left)$"))
    async def on_gone(event: dict[str, Any], body: dict[str, Any]) -> None:
        await store.pause_channel(ChannelKey(workspace_of(body), event["channel"]), _GONE[event["type"]])
        kick()

    @app.event("team_access_revoked")
    async def on_taken_away(event: dict[str, Any]) -> None:
        """An installation of a whole organisation lost some of its workspaces; the next request from one serves it again."""
        for workspace_id in event.get("team_ids") or ():
            await store.uninstall(workspace_id, why=event["type"])
        kick()

    @app.event(re.compile("^(channel|group)_unarchive$"))
    async def on_back(event: dict[str, Any], body: dict[str, Any]) -> None:
        await store.resume_channel(ChannelKey(workspace_of(body), event["channel"]))
        kick()

    @app.event(re.compile("^(channel|group)_rename$"))
    async def on_rename(event: dict[str, Any], body: dict[str, Any]) -> None:
        channel = event["channel"]
        await store.rename_channel(ChannelKey(workspace_of(body), channel["id"], channel["name"]))

    @app.event("channel_id_changed")
    async def on_moved(event: dict[str, Any], body: dict[str, Any]) -> None:
        await store.move_channel(ChannelKey(workspace_of(body), event["old_channel_id"]), event["new_channel_id"])

    @app.event("member_joined_channel")
    async def on_joined(event: dict[str, Any], body: dict[str, Any], context: dict[str, Any], client: AsyncWebClient) -> None:
        """The bot was invited: the channel is served, and whoever invited it is told what to type."""
        if event.get("user") != context.get("bot_user_id"):
            return
        who = Who(workspace_of(body), event["channel"], event.get("inviter") or "")
        await store.resume_channel(who.key)
        kick()
        if not who.user_id:
            return
        channel, look = await desk.look(who)
        message = help.help_(None, channel, await store.coverage(), look)
        try:
            await client.chat_postEphemeral(channel=who.channel_id, user=who.user_id, text=message.text, blocks=message.blocks)
        except SlackApiError as error:
            log.info("greeting channel=%s failed why=%s", who.channel_id, error.response.get("error"))
