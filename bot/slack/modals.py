"""Modals: opened by a button or a command, read when they are submitted, answered in the channel that they are about.

`forms` draws and reads them; the changes themselves are `changes`'. What is wrong is told inside the modal, before
anything is changed. Firms and zones are found while typing, from memory.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.names import Names
from bot.slack import forms, help, readings, replies
from bot.slack.cards import Look, Message
from bot.slack.changes import Who
from bot.slack.desk import Desk
from bot.slack.grammar import Target
from bot.slack.grammar.words import unslack
from bot.slack.naming import Stop
from bot.slack.picker import FirmPicker, zones
from bot.slack.reach import Reach, tell, workspace_of
from storage import StorageError, Store
from storage.intents import CorrectionIntent
from storage.models import Followed
from storage.records import DocumentText
from storage.tenancy import Verdict

log = logging.getLogger("regwatch.slack")

TOO_LATE = "Slack gives a window three seconds to open, and it took longer. Click again."
_EXPIRED = frozenset({"expired_trigger_id", "trigger_expired", "exchanged_trigger_id", "invalid_trigger_id"})

Respond = Callable[..., Awaitable[Any]]


class Modals:
    """Opens and reads modals. One for all workspaces."""

    def __init__(self, desk: Desk, store: Store, names: Names, kick: Callable[[], None]) -> None:
        self._desk = desk
        self._store = store
        self._names = names
        self._kick = kick
        self._picker: tuple[str, FirmPicker] | None = None

    # --- opening ---

    async def open(self, value: str, who: Who, trigger_id: str, respond: Respond | None, client: AsyncWebClient) -> None:
        """The modal that a button names: `subscribe [firm id]`, `edit 17`, `settings`, `firm RW-1001`."""
        channel, look = await self._desk.look(who)
        what, _, of = value.partition(" ")
        try:
            match what:
                case "settings":
                    view = await self._settings(who, look)
                case "edit":
                    rule = await self._desk.changes.rule(int(of), who)
                    view = forms.subscribe_form(look, channel_id=who.channel_id, firm=None, rule=rule)
                case "firm":
                    card = await self._desk.changes.card(int(of.removeprefix("RW-")), who)
                    view = forms.firm_form(look, card)
                case _:
                    firm = await self._desk.naming.firm(of, lambda name: ShowHelp) if of else None
                    view = forms.subscribe_form(look, channel_id=who.channel_id or None, firm=firm, rule=None)
            await self._show(view, trigger_id, client)
        except Stop as stop:
            await self._tell(help.error(stop.text, stop.choices, look), who, respond, client)
