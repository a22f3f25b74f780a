"""The app's manifest: valid by Slack's own schema, and asking for no scope and no event that nothing here uses."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bot.config import Settings

BOT = Path(__file__).resolve().parent.parent / "bot"

NEEDED: dict[str, tuple[str, ...]] = {
    "auth.test": (),  # https://docs.slack.dev/reference/methods/auth.test
    "apps.connections.open": (),  # the app token's connections:write: https://docs.slack.dev/reference/methods/apps.connections.open
    "chat.postMessage": ("chat:write",),  # https://docs.slack.dev/reference/methods/chat.postMessage
    "chat.update": ("chat:write",),  # https://docs.slack.dev/reference/methods/chat.update
    "chat.postEphemeral": ("chat:write",),  # https://docs.slack.dev/reference/methods/chat.postEphemeral
    "conversations.info": ("channels:read", "groups:read", "im:read"),  # https://docs.slack.dev/reference/methods/conversations.info
    "views.publish": (),  # https://docs.slack.dev/reference/methods/views.publish
}
"""Method -> the scopes without which the bot does not work."""

OPTIONAL: dict[str, tuple[str, ...]] = {
    # finding a post again after a lost reply; without it, at least once
    "conversations.history": ("channels:history", "groups:history", "metadata.message:read"),
    "conversations.replies": ("channels:history", "groups:history", "metadata.message:read"),
    "users.info": ("users:read",),  # a person's time zone; without it, the default zone
}
"""Method -> scopes that a workspace may refuse."""

EVENTS: dict[str, tuple[str, ...]] = {
    "app_home_opened": (),  # https://docs.slack.dev/reference/events/app_home_opened
    "app_mention": ("app_mentions:read",),  # https://docs.slack.dev/reference/events/app_mention
    "message.im": ("im:history",),  # https://docs.slack.dev/reference/events/message.im
}


@pytest.fixture(scope="module")
def manifest() -> Any:
    return json.loads((BOT / "slack" / "manifest.json").read_text(encoding="utf-8"))


def _methods_used() -> set[str]:
    """Web API methods named anywhere in the bot, called or passed on."""
    families = ("apps", "auth", "chat", "conversations", "files", "reactions", "users", "views")
    names = {
        node.attr
        for path in BOT.glob("**/*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute) and "_" in node.attr
    }
    return {name.replace("_", ".") for name in names if name.split("_")[0] in families and name.split("_")[0] + "_" in name}


def test_slack_accepts_the_manifest(manifest: Any, shared: Path) -> None:
    """The official schema finds nothing wrong."""
    schema = json.loads((shared / "oracles" / "slack-manifest" / "manifest.schema.1.0.0.json").read_text(encoding="utf-8"))
    assert [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(manifest)] == []


def test_the_schema_would_notice_a_wrong_manifest(manifest: Any, shared: Path) -> None:
    """A command without its slash is refused: the check above can fail."""
    schema = json.loads((shared / "oracles" / "slack-manifest" / "manifest.schema.1.0.0.json").read_text(encoding="utf-8"))
    wrong = json.loads(json.dumps(manifest))
    wrong["features"]["slash_commands"][0]["command"] = "regwatch"
    assert list(jsonschema.Draft7Validator(schema).iter_errors(wrong))


def test_every_method_that_is_called_is_known_here() -> None:
    """A new method needs a line above, and perhaps a scope."""
    assert _methods_used() == set(NEEDED) | set(OPTIONAL)


def test_the_scopes_are_those_of_the_methods_and_events(manifest: Any) -> None:
    """No scope too few, none too many."""
    scopes = manifest["oauth_config"]["scopes"]
    needed = {scope for table in (NEEDED, EVENTS) for used in table.values() for scope in used} | {"commands"}
    assert set(scopes["bot"]) == needed
    assert set(scopes["bot_optional"]) == {scope for used in OPTIONAL.values() for scope in used} - needed


def test_the_events_are_those_that_are_listened_to(manifest: Any) -> None:
    """Slack sends nothing that only the catch-all would take."""
    assert set(manifest["settings"]["event_subscriptions"]["bot_events"]) == set(EVENTS)
    source = (BOT / "slack" / "commands.py").read_text(encoding="utf-8")
    for event in EVENTS:
        assert f'@app.event("{event.partition(".")[0]}")' in source


def test_the_command_is_the_default_of_the_settings(manifest: Any) -> None:
    """And Slack is asked to send `<#C1|name>` for a channel, which the grammar reads."""
    command = manifest["features"]["slash_commands"][0]
    assert command["command"] == Settings.model_fields["command"].default
    assert command["should_escape"] is True


def test_every_error_that_slack_documents_for_our_methods_is_looked_up_by_name(shared: Path) -> None:
    """The words that `reach` reads are words that Slack says."""
    info = json.loads((shared / "oracles" / "slack-methods" / "conversations.info.json").read_text(encoding="utf-8"))
    assert {"channel_not_found", "missing_scope"} <= set(info["errors"])
