"""Modals: opened by a button or a command, read when they are submitted, answered in the channel that they are about.

`forms` draws and reads them; the changes themselves are `changes`'. What is wrong is told inside the modal, before
anything is changed. Firms and zones are found while typing, from memory. The message shortcut opens one too: what
Regwatch makes of somebody's words.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.backtest import tallied
from bot.names import Names
from bot.slack import forms, help, readings, replies
from bot.slack.blocks import Look, Message
from bot.slack.changes import Who
from bot.slack.desk import Desk
from bot.slack.fields import unpack
from bot.slack.grammar import Subscribe, Target
from bot.slack.grammar.words import unslack
from bot.slack.manifest import SHORTCUT
from bot.slack.naming import Stop
from bot.slack.picker import FirmPicker, zones
from bot.slack.reach import Reach, tell, workspace_of
from storage import StorageError, Store
from storage.curation import new_firm
from storage.intents import CorrectionIntent
from storage.models import Followed, Strength
from storage.records import AliasRow, DocumentText, FirmRow
from storage.tenancy import Verdict
from storage.views import ChannelView, SubscriptionView

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
        self._on_change: Callable[[Who, AsyncWebClient], Awaitable[None]] = _nothing

    def on_change(self, call: Callable[[Who, AsyncWebClient], Awaitable[None]]) -> None:
        """`call` is told when a form changed what a channel follows: the home page shows it."""
        self._on_change = call

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
                    view = self._edited(await self._desk.changes.rule(int(of), who), who, look)
                case "firm":
                    view = forms.firm_form(look, await self._desk.changes.card(int(of.removeprefix("RW-")), who))
                case "unsubscribe":
                    rule = await self._desk.changes.rule(int(of), who)
                    view = forms.unsubscribe_form(look, channel=await self._channel(who), rule=rule)
                case _:
                    again = Subscribe((Target(Followed.FIRM, of),))
                    firm = await self._desk.naming.firm(of, lambda _: again) if of else None
                    view = forms.subscribe_form(look, channel_id=who.channel_id or None, firm=firm, rule=None)
            await self._show(view, trigger_id, client)
        except Stop as stop:
            message = help.error(stop.said(look.say), stop.choices, look)
            if respond is None:
                await self.say(message, look, trigger_id, client)
            else:
                await self._tell(message, who, respond, client)

    async def say(self, message: Message, look: Look, trigger_id: str, client: AsyncWebClient) -> None:
        """Tells something where no message can be answered: to whoever clicks on the home page."""
        try:
            await self._show(forms.told(look, "Regwatch", message), trigger_id, client)
        except Stop:
            log.info("home answer=%s came too late", message.text[:80])

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
            await self._tell(help.error(stop.said(look.say), stop.choices, look), who, respond, client)

    def _edited(self, rule: SubscriptionView, who: Who, look: Look) -> dict[str, Any]:
        try:
            return forms.subscribe_form(look, channel_id=who.channel_id, firm=None, rule=rule)
        except ValueError as error:
            raise Stop("Rule #{} is too long for a form. The `subscribe` command changes it: `help subscribe`.", rule.id) from error

    async def _settings(self, who: Who, look: Look) -> dict[str, Any]:
        return forms.settings_form(look, await self._channel(who))

    async def _channel(self, who: Who) -> ChannelView:
        """The channel. Raises Stop for one that was never spoken to: it has nothing to change yet."""
        channel = await self._store.channel(who.key)
        if channel is None:
            raise Stop("This channel follows nothing yet, so it has no settings. `subscribe tencent` starts.")
        return channel

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
                field = "regulators"
                filter_ = await self._desk.naming.filter(read.filter, lambda terms: Subscribe((), terms))
                field = "channel"
                await self._desk.changes.require(who, reach)
                targets: list[tuple[Target, str | None]] = [(Target(Followed.FIRM, firm_id), firm_id) for firm_id in read.firm_ids]
                if read.subscription_id is not None:
                    rule = await self._desk.changes.rule(read.subscription_id, who)
                    id_ = rule.firm.firm_id if rule.firm else rule.regulator.id if rule.regulator else None
                    targets = [(Target(rule.followed, id_ or ""), id_)]
            except Stop as stop:
                await ack(response_action="errors", errors={field: stop.said(look.say)})
                return
            await ack()
            message = await self._desk.changes.follow(targets, filter_, read.broadcast, read.deliver, who, look, reach)
            await self._announce(message, who, client)
            await self._on_change(who, client)

        @app.view("regwatch.unsubscribe")
        async def on_unsubscribe(ack: Any, body: dict[str, Any], view: dict[str, Any], client: AsyncWebClient) -> None:
            await ack()
            who = self._who(body, view)
            message = await self._desk.answer(f"unsubscribe #{unpack(view)['rule']}", who, Reach(client))
            await self._announce(message, who, client)
            await self._on_change(who, client)

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
                await ack(response_action="errors", errors={"who": stop.said(look.say)})
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
                field = {Verdict.WRONG_FIRM: "firm", Verdict.DUPLICATE: "of"}.get(read.verdict, "reason")
                said = wrong.said(look.say) if isinstance(wrong, Stop) else str(wrong)
                await ack(response_action="errors", errors={field: said})
                return
            await ack()
            await self._desk.changes.redraw(result, reach)
            await self._announce(replies.corrected(result, look), who, client)

        @app.view("regwatch.firm")
        async def on_firm(ack: Any, body: dict[str, Any], view: dict[str, Any], client: AsyncWebClient) -> None:
            """The first step names the firm and the second shows what it would have matched: then it is added."""
            read = forms.read_firm(view)
            if isinstance(read, dict):
                await ack(response_action="errors", errors=read)
                return
            who = self._who(body, view)
            _, look = await self._desk.look(who)
            try:
                firm, aliases = _firm_of(read)
            except StorageError as wrong:
                await ack(response_action="errors", errors={"name": str(wrong)})
                return
            if read.is_confirmed:
                await ack()
                try:
                    message = await self._add(firm, aliases, who, look)
                except StorageError as wrong:  # another firm has that name
                    message = help.error(str(wrong), (), look)
                await self._announce(message, who, client)
                return
            await ack(response_action="update", view=forms.waiting_form(look, look.say("Add a firm")))
            tally = await tallied(self._store, firm, aliases)
            tried = forms.Tried(
                read, tally.documents, tally.as_target, tally.as_group, [(one.title, one.at, one.sentence) for one in tally.samples]
            )
            card = await self._desk.changes.card(read.action_id, who)
            await client.views_update(view_id=view["id"], view=forms.firm_form(look, card, tried=tried))

        @app.options("regwatch.firms")
        async def on_firm_options(ack: Any, payload: dict[str, Any]) -> None:
            picker = await self._current_picker()
            await ack(options=[option.block() for option in picker.options(payload.get("value", ""))])

        @app.options("regwatch.zones")
        async def on_zone_options(ack: Any, payload: dict[str, Any]) -> None:
            await ack(options=[option.block() for option in zones(payload.get("value", ""))])

        @app.shortcut(SHORTCUT)
        async def on_read(ack: Any, body: dict[str, Any], respond: Any, client: AsyncWebClient) -> None:
            """What does Regwatch make of this message?"""
            await ack()
            channel = body.get("channel") or {}
            who = Who(workspace_of(body), channel.get("id", ""), body["user"]["id"])
            _, look = await self._desk.look(who)
            text = unslack((body.get("message") or {}).get("text", ""))
            await self._names.ensure()
            found = await asyncio.to_thread(self._names.read, DocumentText(title="", text=text, published_at=self._desk.now))
            try:
                await self._show(forms.told(look, look.say("What it says"), readings.reading(found, look)), body["trigger_id"], client)
            except Stop as stop:
                await self._tell(help.error(stop.said(look.say), stop.choices, look), who, respond, client)

    async def _add(self, firm: FirmRow, aliases: Sequence[AliasRow], who: Who, look: Look) -> Message:
        """Adds a firm and reads the stored documents that name it again, silently; from others than operators it is a suggestion."""
        if not self._desk.changes.is_operator(who):
            names = ", ".join(alias.text for alias in aliases)
            facts = {
                "text": f"{who.user_id} suggests a firm: {names}",
                "detail": f'regwatch firms add "{firm.name}" --country {firm.country}',
            }
            is_told = await self._store.owe_notice(f"notice:firm:{firm.id}", facts)
            self._kick()
            return replies.firm_suggested(firm.name, look, is_told=is_told)
        await self._store.add_firm(firm, aliases, who.user_id)
        report = await self._desk.orders.read_again(firm.id)
        view = await self._store.firm(firm.id)
        assert view is not None  # noqa: S101  # it was added a moment ago
        return replies.firm_added(
            view, look, by=who.user_id, documents=report.outcome.read, as_target=view.target_actions, as_group=view.group_actions
        )

    def _who(self, body: dict[str, Any], view: dict[str, Any]) -> Who:
        """Who submitted, and the channel that the modal is about."""
        return Who(workspace_of(body), unpack(view)["channel"], body["user"]["id"])

    async def _current_picker(self) -> FirmPicker:
        """The firms to choose from, as the register has them now."""
        await self._names.ensure()
        version = self._names.version
        if self._picker is None or version != self._picked_from:
            register = await self._store.register()
            self._picker = await asyncio.to_thread(FirmPicker, register)
            self._picked_from = version
        return self._picker


async def _nothing(_who: Who, _client: AsyncWebClient) -> None:
    return None


def _firm_of(form: forms.FirmForm) -> tuple[FirmRow, tuple[AliasRow, ...]]:
    """The firm that a form describes, with its names. Raises StorageError for names that are none."""
    weak = (form.name, *form.names) if form.strength is Strength.WEAK else ()
    _, firm, aliases = new_firm(form.name, form.names, weak, (), form.country, "")
    return firm, aliases
