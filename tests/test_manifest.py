"""The app's manifest: valid by Slack's own schema, and asking for no scope and no event that nothing here uses."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bot.config import Settings
from bot.slack.install import REDIRECT_PATH
from bot.slack.manifest import SHORTCUT
from bot.slack.manifest import manifest as made
from bot.transport import EVENTS_PATH

BOT = Path(__file__).resolve().parent.parent / "bot"

_PLACES = ("channels:read", "groups:read", "im:read")

NEEDED: dict[str, tuple[str, ...]] = {
    "auth.test": (),  # https://docs.slack.dev/reference/methods/auth.test
    "oauth.v2.access": (),  # the client id and secret: https://docs.slack.dev/reference/methods/oauth.v2.access
    "apps.connections.open": (),  # the app token's connections:write: https://docs.slack.dev/reference/methods/apps.connections.open
    "chat.postMessage": ("chat:write",),  # https://docs.slack.dev/reference/methods/chat.postMessage
    "chat.update": ("chat:write",),  # https://docs.slack.dev/reference/methods/chat.update
    "chat.postEphemeral": ("chat:write",),  # https://docs.slack.dev/reference/methods/chat.postEphemeral
    "conversations.info": _PLACES,  # https://docs.slack.dev/reference/methods/conversations.info
    "conversations.members": _PLACES,  # https://docs.slack.dev/reference/methods/conversations.members
    "users.conversations": _PLACES,  # https://docs.slack.dev/reference/methods/users.conversations
    "views.open": (),  # https://docs.slack.dev/reference/methods/views.open
    "views.publish": (),  # https://docs.slack.dev/reference/methods/views.publish
    "views.update": (),  # https://docs.slack.dev/reference/methods/views.update
}
"""Method -> the scopes without which the bot does not work."""

OPTIONAL: dict[str, tuple[str, ...]] = {
    # finding a post again after a lost reply; without it, at least once
    "conversations.history": ("channels:history", "groups:history", "metadata.message:read"),
    "conversations.replies": ("channels:history", "groups:history", "metadata.message:read"),
    "files.getUploadURLExternal": ("files:write",),  # https://docs.slack.dev/reference/methods/files.getUploadURLExternal
    "files.completeUploadExternal": ("files:write",),  # https://docs.slack.dev/reference/methods/files.completeUploadExternal
    "users.info": ("users:read",),  # a person's time zone; without it, the default zone
}
"""Method -> scopes that a workspace may refuse."""

SDK_METHODS = {"files.upload.v2": ("files.getUploadURLExternal", "files.completeUploadExternal")}
"""Calls of the SDK that are several of Slack's."""

EVENTS: dict[str, tuple[str, ...]] = {
    "app_home_opened": (),  # https://docs.slack.dev/reference/events/app_home_opened
    "app_mention": ("app_mentions:read",),  # https://docs.slack.dev/reference/events/app_mention
    "app_uninstalled": (),  # https://docs.slack.dev/reference/events/app_uninstalled
    "tokens_revoked": (),  # https://docs.slack.dev/reference/events/tokens_revoked
    "team_access_revoked": (),  # https://docs.slack.dev/reference/events/team_access_revoked
    "message.im": ("im:history",),  # https://docs.slack.dev/reference/events/message.im
    "channel_archive": ("channels:read",),  # https://docs.slack.dev/reference/events/channel_archive
    "channel_unarchive": ("channels:read",),
    "channel_deleted": ("channels:read",),
    "channel_rename": ("channels:read",),
    "channel_id_changed": ("channels:read", "groups:read"),  # https://docs.slack.dev/reference/events/channel_id_changed
    "channel_left": ("channels:read",),
    "group_archive": ("groups:read",),  # https://docs.slack.dev/reference/events/group_archive
    "group_unarchive": ("groups:read",),
    "group_deleted": ("groups:read",),
    "group_rename": ("groups:read",),
    "group_left": ("groups:read",),
    "member_joined_channel": ("channels:read", "groups:read"),  # https://docs.slack.dev/reference/events/member_joined_channel
}


@pytest.fixture(scope="module")
def manifest() -> Any:
    return made()


def _methods_used() -> set[str]:
    """Web API methods named anywhere in the bot, called or passed on."""
    families = ("apps", "auth", "chat", "conversations", "files", "oauth", "reactions", "users", "views")
    names = {
        node.attr
        for path in BOT.glob("**/*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute) and "_" in node.attr
    }
    called = {name.replace("_", ".") for name in names if name.split("_")[0] in families and name != "oauth_states"}
    return {method for name in called for method in SDK_METHODS.get(name, (name,))}


def _events_heard() -> set[str]:
    """Events that a listener names, by decorator or by call."""
    heard = set()
    for path in (BOT / "slack").glob("**/*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "event" and node.args:
                heard |= {one.value for one in ast.walk(node.args[0]) if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    return heard


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
    known = set(NEEDED) | set(OPTIONAL)
    assert _methods_used() == known


def test_the_scopes_are_those_of_the_methods_and_events(manifest: Any) -> None:
    """No scope too few, none too many."""
    scopes = manifest["oauth_config"]["scopes"]
    needed = {scope for table in (NEEDED, EVENTS) for used in table.values() for scope in used} | {"commands"}
    assert set(scopes["bot"]) == needed
    assert set(scopes["bot_optional"]) == {scope for used in OPTIONAL.values() for scope in used} - needed


def test_the_events_are_those_that_are_listened_to(manifest: Any) -> None:
    """Slack sends nothing that only the catch-all would take."""
    assert set(manifest["settings"]["event_subscriptions"]["bot_events"]) == set(EVENTS)
    heard = _events_heard()
    for event in EVENTS:
        assert any(re.fullmatch(pattern, event.partition(".")[0]) for pattern in heard), event


def test_people_may_install_it_in_a_whole_organisation_and_its_tokens_live_on(manifest: Any) -> None:
    """Rotation cannot be switched off again, and a token in the settings could not be renewed: it is each operator's choice."""
    assert manifest["settings"]["org_deploy_enabled"] is True
    assert manifest["settings"]["token_rotation_enabled"] is False


def test_the_manifest_for_http_leads_to_our_addresses_and_is_valid_too(shared: Path) -> None:
    """Commands, events, clicks, menus and the way back from the install page; no socket."""
    http = made(url="https://r.example/", command="/watch")
    settings = http["settings"]
    assert settings["socket_mode_enabled"] is False
    assert {
        http["features"]["slash_commands"][0]["url"],
        settings["event_subscriptions"]["request_url"],
        settings["interactivity"]["request_url"],
        settings["interactivity"]["message_menu_options_url"],
    } == {"https://r.example" + EVENTS_PATH}
    assert http["oauth_config"]["redirect_urls"] == ["https://r.example" + REDIRECT_PATH]
    assert http["features"]["slash_commands"][0]["command"] == "/watch"
    assert "/regwatch" not in json.dumps(http)
    schema = json.loads((shared / "oracles" / "slack-manifest" / "manifest.schema.1.0.0.json").read_text(encoding="utf-8"))
    assert [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(http)] == []


def test_the_command_is_the_default_of_the_settings(manifest: Any) -> None:
    """And Slack is asked to send `<#C1|name>` for a channel, which the grammar reads."""
    command = manifest["features"]["slash_commands"][0]
    assert command["command"] == Settings.model_fields["command"].default
    assert command["should_escape"] is True


def test_a_message_can_be_given_to_read(manifest: Any) -> None:
    """By the shortcut in a message's menu."""
    (shortcut,) = manifest["features"]["shortcuts"]
    assert (shortcut["type"], shortcut["callback_id"]) == ("message", SHORTCUT)


def test_every_error_that_slack_documents_for_our_methods_is_looked_up_by_name(shared: Path) -> None:
    """The words that `reach` reads are words that Slack says."""
    info = json.loads((shared / "oracles" / "slack-methods" / "conversations.info.json").read_text(encoding="utf-8"))
    assert {"channel_not_found", "missing_scope"} <= set(info["errors"])
