"""The chat edge: everything that Slack sends us comes in here, is acknowledged first, and answered after.

`grammar` reads what was typed; `desk` answers it, with `changes` (what people change), `orders` (what operators order) and
`naming` (what names mean); `reach` asks Slack. The listeners are thin: `commands`, `buttons`, `modals` (with `picker`),
`events`. Drawing is pure: `cards`, `answers`, `figures`, `replies`, `readings`, `help`, `forms`, `home`, `picture`; `unheard`
says why it is silent, `text` makes strangers' words harmless, `labels` says our own in the channel's language. Nothing is
left unhandled, and what breaks is told by one handler, with a reference that is also in the log.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any

from slack_bolt import BoltResponse
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack import buttons, commands, events
from bot.slack.desk import Desk
from bot.slack.fields import unpack
from bot.slack.help import failure
from bot.slack.modals import Modals
from bot.slack.orders import Orders
from bot.slack.reach import tell
from storage import StorageError, Store

log = logging.getLogger("regwatch.slack")

_ANYTHING = re.compile(".*", re.DOTALL)


def register(
    app: AsyncApp,
    store: Store,
    *,
    now: Callable[[], datetime],
    command: str = "/regwatch",
    operators: frozenset[str] = frozenset(),
    orders: Orders | None = None,
    kick: Callable[[], None] = lambda: None,
) -> Desk:
    """All listeners. `operators` are Slack ids; `kick` is called when something may have become due for delivery."""
    orders = orders or Orders(store, now=now)
    desk = Desk(store, now=now, command=command, operators=operators, orders=orders)
    modals = Modals(desk, store, orders.names, kick)
    commands.register(app, desk, modals, store, command, kick)
    buttons.register(app, desk, modals, store, kick)
    events.register(app, desk, modals, store, kick)
    modals.register(app)

    @app.command(_ANYTHING)
    async def on_other_command(ack: Any) -> None:
        await ack(f"Regwatch listens to {command} here. Set REGWATCH_COMMAND if the app's command has another name.")

    @app.action(_ANYTHING)
    @app.view(_ANYTHING)
    @app.shortcut(_ANYTHING)
    async def on_other_click(ack: Any) -> None:
        await ack()

    @app.options(_ANYTHING)
    async def on_other_options(ack: Any) -> None:
        await ack(options=[])

    @app.event(_ANYTHING)
    async def on_other_event() -> None:
        """Acknowledged by Bolt; we subscribe to none of them."""

    @app.error
    async def on_error(
        error: Exception, body: dict[str, Any], response: BoltResponse | None, respond: Any, client: AsyncWebClient
    ) -> BoltResponse | None:
        reference = secrets.token_hex(4)
        event = body.get("event") or {}
        log.error("request reference=%s type=%s failed", reference, event.get("type") or body.get("type") or "command", exc_info=error)
        message = failure(reference, str(error) if isinstance(error, StorageError) else "")
        try:
            if body.get("response_url"):
                await tell(respond, message, replace_original=False)
            elif event.get("type") in ("app_mention", "message"):
                await client.chat_postEphemeral(
                    channel=event["channel"], user=event["user"], thread_ts=event.get("thread_ts"), text=message.text, blocks=message.blocks
                )
            elif channel := unpack(body.get("view") or {}).get("channel"):
                await client.chat_postEphemeral(channel=channel, user=body["user"]["id"], text=message.text, blocks=message.blocks)
        except (SlackClientError, OSError, TimeoutError) as trouble:
            log.warning('request reference=%s could not be answered either why="%s"', reference, type(trouble).__name__)
        # an error status would make Slack show a failure of its own, or send the event again; what was acknowledged takes no answer more
        return None if response is None else BoltResponse(status=200, body="")

    return desk
