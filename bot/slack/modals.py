"""Modals: opened by a button or a command, read when they are submitted, answered in the channel that they are about.

`forms` draws and reads them; the changes themselves are `changes`'. What is wrong is told inside the modal, before
anything is changed. Firms and zones are found while typing, from memory. The message shortcut opens one too: what
Regwatch makes of somebody's words.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.backtest import tallied
from bot.names import Names
from bot.reread import Rereader
from bot.slack import forms, help, readings, replies
from bot.slack.cards import Look, Message
from bot.slack.changes import Who
from bot.slack.desk import Desk
from bot.slack.grammar import Subscribe, Target
from bot.slack.grammar.words import unslack
from bot.slack.naming import Stop
from bot.slack.picker import FirmPicker, zones
from bot.slack.reach import Reach, tell, workspace_of
from storage import StorageError, Store
from storage.curation import new_firm
from storage.intents import CorrectionIntent
from storage.models import Followed, Strength
from storage.records import DocumentText
from storage.tenancy import Verdict

log = logging.getLogger("regwatch.slack")

TOO_LATE = "Slack gives a window three seconds to open, and it took longer. Nothing was changed: click again."
_EXPIRED = frozenset({"expired_trigger_id", "trigger_expired", "exchanged_trigger_id", "invalid_trigger_id"})

Respond = Callable[..., Awaitable[Any]]


class Modals:
    """Opens and reads modals. One for all workspaces."""

    def __init__(self, desk: Desk, store: Store, names: Names, kick: Callable[[], None]) -> None:
        self._desk = desk
        self._store = store
        self._names = names
        self._kick = kick
        self._picker: FirmPicker | None = None
        self._picked_from = ""  # version of the register that the picker holds

    # --- opening ---

    async def open(self, value: str, who: Who, trigger_id: str, respond: Respond | None, client: AsyncWebClient) -> None:
        """The modal that a button names: `subscribe [firm id]`, `edit 17`, `settings`, `firm RW-1001`."""
        _, look = await self._desk.look(who)
        what, _, of = value.partition(" ")
        try:
            match what:
                case "settings":
                    view = await self._settings(who, look)
                case "edit":
                    rule = await self._desk.changes.rule(int(of), who)
                    view = forms.subscribe_form(look, channel_id=who.channel_id, firm=None, rule=rule)
                case "firm":
                    view = forms.firm_form(look, await self._desk.changes.card(int(of.removeprefix("RW-")), who))
                case _:
                    again = Subscribe((Target(Followed.FIRM, of),))
                    firm = await self._desk.naming.firm(of, lambda _: again) if of else None
                    view = forms.subscribe_form(look, channel_id=who.channel_id or None, firm=firm, rule=None)
            await self._show(view, trigger_id, client)
        except Stop as stop:
            await self._tell(help.error(stop.text, stop.choices, look), who, respond, client)

    async def open_settings(self, who: Who, trigger_id: str | None, client: AsyncWebClient) -> bool:
        """The settings of a channel. False when no modal can be opened: they are told as a message then."""
        _, look = await self._desk.look(who)
        if not trigger_id:
            return False
        try:
            await self._show(await self._settings(who, look), trigger_id, client)
        except Stop:
            return False
        return True

    async def open_verdict(self, verdict: str, action_id: int, who: Who, trigger_id: str, respond: Respond, client: AsyncWebClient) -> None:
        """Asks why a card is wrong."""
        _, look = await self._desk.look(who)
        try:
            card = await self._desk.changes.card(action_id, who)
            await self._show(forms.verdict_form(look, Verdict(verdict), card), trigger_id, client)
        except Stop as stop:
            await self._tell(help.error(stop.text, stop.choices, look), who, respond, client)

    async def _settings(self, who: Who, look: Look) -> dict[str, Any]:
        return forms.settings_form(look, who.channel_id, await self._store.channel(who.key))

    async def _show(self, view: dict[str, Any], trigger_id: str, client: AsyncWebClient) -> None:
        try:
            await client.views_open(trigger_id=trigger_id, view=view)
        except SlackApiError as error:
            if error.response.get("error") in _EXPIRED:
                raise Stop(TOO_LATE) from error
            raise

    async def _tell(self, message: Message, who: Who, respond: Respond | None, client: AsyncWebClient) -> None:
        """Tells one person something about a channel: beside what was clicked, else in the channel, seen by that person alone."""
        if respond is not None:
            await tell(respond, message, replace_original=False)
        elif who.channel_id:
            await client.chat_postEphemeral(channel=who.channel_id, user=who.user_id, text=message.text, blocks=message.blocks)

    async def _announce(self, message: Message, who: Who, client: AsyncWebClient) -> None:
        """Tells the channel what was changed, or its author that nothing was."""
        if message.is_ephemeral:
            await self._tell(message, who, None, client)
            return
        await Reach(client).post(who.channel_id, message)
        self._kick()

    # --- what was submitted ---

    def register(self, app: AsyncApp) -> None:
        """The modals' listeners, the choices that they offer while typing, and the message shortcut."""

        @app.view("regwatch.subscribe")
        async def on_subscribe(ack: Any, body: dict[str, Any], view: dict[str, Any], client: AsyncWebClient) -> None:
            read = forms.read_subscribe(view)
            if isinstance(read, dict):
                await ack(response_action="errors", errors=read)
                return
            who, reach = Who(workspace_of(body), read.channel_id, body["user"]["id"]), Reach(client)
            _, look = await self._desk.look(who)
            try:
                await self._desk.changes.require(who, reach)
                targets = [(Target(Followed.FIRM, firm_id), firm_id) for firm_id in read.firm_ids]
                if read.subscription_id is not None:
                    rule = await self._desk.changes.rule(read.subscription_id, who)
                    id_ = rule.firm.firm_id if rule.firm else rule.regulator.id if rule.regulator else None
                    targets = [(Target(rule.followed, id_ or ""), id_)]
            except Stop as stop:
                await ack(response_action="errors", errors={forms.CHANNEL: stop.text})
                return
            await ack()
            message = await self._desk.changes.follow(targets, read.filter, read.broadcast, read.deliver, who, look, reach)
            await self._announce(message, who, client)

        @app.view("regwatch.settings")
        async def on_settings(ack: Any, body: dict[str, Any], view: dict[str, Any], client: AsyncWebClient) -> None:
            read = forms.read_settings(view)
            if isinstance(read, dict):
                await ack(response_action="errors", errors=read)
                return
            who, reach = self._who(body, view), Reach(client)
            _, look = await self._desk.look(who)
            try:
                message = await self._desk.changes.set(read.setting, read.digest, who, look, reach)
            except Stop as stop:
                await ack(response_action="errors", errors={forms.WHO: stop.text})
                return
            await ack()
            await self._announce(message, who, client)

        @app.view("regwatch.verdict")
        async def on_verdict(ack: Any, body: dict[str, Any], view: dict[str, Any], client: AsyncWebClient) -> None:
            read = forms.read_verdict(view)
            if isinstance(read, dict):
                await ack(response_action="errors", errors=read)
                return
            who, reach = self._who(body, view), Reach(client)
            _, look = await self._desk.look(who)
            intent = CorrectionIntent(who.key, who.user_id, read.action_id, read.verdict, read.firm_id, read.of_action_id, read.reason)
            try:
                result = await self._desk.changes.correct(intent, who, reach)
            except (Stop, StorageError) as wrong:
                await ack(response_action="errors", errors={forms.REASON: str(wrong)})
                return
            await ack()
            await self._tell(replies.corrected(result, look), who, None, client)

        @app.view("regwatch.firm")
        async def on_firm(ack: Any, body: dict[str, Any], view: dict[str, Any], client: AsyncWebClient) -> None:
            """The first step names the firm; the second shows what it would have matched."""
            read = forms.read_firm(view)
            if isinstance(read, dict):
                await ack(response_action="errors", errors=read)
                return
            who = self._who(body, view)
            _, look = await self._desk.look(who)
            try:
                _, firm, aliases = new_firm(read.name, read.strong, read.weak, (), read.country, "")
            except StorageError as wrong:
                await ack(response_action="errors", errors={forms.NAME: str(wrong)})
                return
            await ack(response_action="update", view=forms.waiting_form(look, view))
            strength = Strength.WEAK if read.weak else Strength.STRONG
            tallies, texts = await tallied(self._store, (), [alias.text for alias in aliases], strength)
            is_operator = self._desk.changes.is_operator(who)
            shown = forms.confirm_firm_form(look, read, tallies, texts, view=view, is_suggestion=not is_operator)
            await client.views_update(view_id=view["id"], view=shown)

        @app.view("regwatch.firm.confirm")
        async def on_firm_confirmed(ack: Any, body: dict[str, Any], view: dict[str, Any], client: AsyncWebClient) -> None:
            await ack()
            read, who = forms.unpack_firm(view), self._who(body, view)
            _, look = await self._desk.look(who)
            if not self._desk.changes.is_operator(who):
                facts = {"text": f"{who.user_id} suggests {read.name} ({read.country or '?'}) as a firm: regwatch firms add --help"}
                is_told = await self._store.owe_notice(f"notice:firm:{read.name}", facts)
                self._kick()
                await self._tell(replies.firm_suggested(read.name, look, is_told=is_told), who, None, client)
                return
            _, firm, aliases = new_firm(read.name, read.strong, read.weak, (), read.country, "")
            try:
                await self._store.add_firm(firm, aliases, who.user_id)
            except StorageError as wrong:
                await self._tell(help.error(str(wrong), (), look), who, None, client)
                return
            await self._names.refresh()
            report = await Rereader(self._store, self._names.read).firm(firm.id, None, by=who.user_id)
            await self._tell(replies.firm_added(firm, report, look), who, None, client)

        @app.options("regwatch.firms")
        async def on_firm_options(ack: Any, payload: dict[str, Any]) -> None:
            picker = await self._current_picker()
            await ack(options=[_option(label, value) for label, value in picker.options(payload.get("value", ""))])

        @app.options("regwatch.zones")
        async def on_zone_options(ack: Any, payload: dict[str, Any]) -> None:
            await ack(options=[_option(label, value) for label, value in zones(payload.get("value", ""))])

        @app.shortcut("regwatch.read")
        async def on_read(ack: Any, body: dict[str, Any], respond: Any, client: AsyncWebClient) -> None:
            """What does Regwatch make of this message?"""
            await ack()
            channel = body.get("channel") or {}
            who = Who(workspace_of(body), channel.get("id", ""), body["user"]["id"])
            _, look = await self._desk.look(who)
            text = unslack((body.get("message") or {}).get("text", ""))
            found = await asyncio.to_thread(self._names.read, DocumentText(title="", text=text, published_at=self._desk.now()))
            try:
                await self._show(forms.reading_view(readings.reading(found, look), look), body["trigger_id"], client)
            except Stop as stop:
                await self._tell(help.error(stop.text, stop.choices, look), who, respond, client)

    def _who(self, body: dict[str, Any], view: dict[str, Any]) -> Who:
        """Who submitted, and the channel that the modal is about."""
        return Who(workspace_of(body), forms.unpack(view)["channel"], body["user"]["id"])

    async def _current_picker(self) -> FirmPicker:
        """The firms to choose from, as the register has them now."""
        version = self._names.version
        if self._picker is None or version != self._picked_from:
            register = await self._store.register()
            self._picker = await asyncio.to_thread(FirmPicker, register)
            self._picked_from = version
        return self._picker


def _option(label: str, value: str) -> dict[str, Any]:
    return {"text": {"type": "plain_text", "text": label, "emoji": False}, "value": value}
