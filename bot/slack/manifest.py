"""The app's manifest: what Slack is asked for. `manifest.json` is the one for Socket Mode; the one for HTTP follows from it."""

from __future__ import annotations

import json
from copy import deepcopy
from functools import cache
from importlib.resources import files
from typing import Any

SHORTCUT = "regwatch.read"
"""The callback id of the message shortcut "What does this say?"."""


@cache
def _shipped() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((files("bot.slack") / "manifest.json").read_text(encoding="utf-8"))
    return found


def manifest(*, url: str = "", command: str = "/regwatch") -> dict[str, Any]:
    """The manifest to paste at api.slack.com/apps. With a public address, for HTTP; else for Socket Mode."""
    made = deepcopy(_shipped())
    (slash,) = made["features"]["slash_commands"]
    slash["command"] = command
    made["display_information"]["long_description"] = made["display_information"]["long_description"].replace("/regwatch", command)
    if url:
        base = url.rstrip("/")
        requests = f"{base}/slack/events"
        slash["url"] = requests
        made["settings"]["event_subscriptions"]["request_url"] = requests
        made["settings"]["interactivity"] |= {"request_url": requests, "message_menu_options_url": requests}
        made["settings"]["socket_mode_enabled"] = False
        made["oauth_config"]["redirect_urls"] = [f"{base}/slack/oauth_redirect"]
    return made


def wanted_scopes() -> tuple[frozenset[str], frozenset[str]]:
    """The bot's scopes: needed, and optional."""
    scopes = _shipped()["oauth_config"]["scopes"]
    optional = frozenset(scopes["bot_optional"])
    return frozenset(scopes["bot"]) - optional, optional
