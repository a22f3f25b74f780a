"""`doctor`: what stands between these settings and a bot that works, each with what to do about it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from slack_sdk.errors import SlackApiError, SlackClientError

from bot.app import catalogue_of, is_running, open_store, utc_now
from bot.config import ManyWorkspaces, Settings, SettingsError, slack_access
from bot.deliver import make_client
from bot.feeds.catalog import CatalogueError
from bot.slack.manifest import wanted_scopes
from bot.transport import DEFAULT_BIND
from storage import StorageError, Store
from storage.views import SourceView

if TYPE_CHECKING:
    from bot.slack.install import KeyUse

_UNREACHABLE = (SlackClientError, OSError, TimeoutError)
_WITHOUT = {
    "channels:history": "a lost reply can mean a second post in a channel",
    "groups:history": "a lost reply can mean a second post in a private channel",
    "metadata.message:read": "a lost reply can mean a second post",
    "users:read": "a channel's zone is not taken from its founder",
    "files:write": "a timeline has no picture",
}
"""What is missed without each optional scope."""

CLOCK_TOLERANCE = timedelta(minutes=2)
"""Slack refuses requests whose clock is five minutes off; digests would be late long before."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: whether it holds, and in words what was found and what to do."""

    name: str
    is_ok: bool
    says: str


async def examine(settings: Settings) -> list[Check]:
    """All checks, in the order in which somebody setting up would want them."""
    try:
        catalogue_of(settings)
    except CatalogueError as error:
        return [Check("catalogue", False, str(error)), *await _slack(settings)]
    checks = await _database(settings)
    return [*checks, *await _slack(settings)]


async def _database(settings: Settings) -> list[Check]:
    where = "PostgreSQL" if settings.database.startswith("postgresql") else settings.database.removeprefix("sqlite:///")
    try:
        current, head = await asyncio.to_thread(Store.revision, settings.database)
        if current is not None and current != head and is_running(settings.database):
            return [
                Check(
                    "database", False, f"{where} is at {current}, this version needs {head}: stop `regwatch run`, then `regwatch migrate`"
                )
            ]
        store = await open_store(settings)
    except StorageError as error:
        return [Check("database", False, str(error))]
    try:
        counts = await store.counts()
        sources = await store.sources()
    finally:
        await store.close()
    state = "made now" if current is None else f"revision {head}"
    running = ", a `run` is using it" if settings.database.startswith("sqlite") and is_running(settings.database) else ""
    return [
        Check(
            "database",
            True,
            f"{where}, {state}{running}: {counts['documents']} documents, {counts['actions']} actions, {counts['firms']} firms",
        ),
        *_sources(settings, sources),
    ]


def _sources(settings: Settings, sources: tuple[SourceView, ...]) -> list[Check]:
    polled = [view for view in sources if view.is_enabled]
    never = [view for view in polled if view.last_ok_at is None and view.health_since is None]
    bad = [view for view in polled if not view.is_fresh and view not in never]
    if not polled:
        return [Check("sources", False, "no source is polled: is REGWATCH_SOURCES a list with sources that are on?")]
    if len(never) == len(polled):
        return [
            Check("sources", True, f"{len(polled)} are polled once `regwatch run` or `regwatch poll` runs; none was yet"),
            *_contact(settings, sources),
        ]
    names = ", ".join(f"{view.id} {view.health}" for view in bad[:5]) + (f" and {len(bad) - 5} more" if len(bad) > 5 else "")
    says = f"{len(polled) - len(bad) - len(never)} of {len(polled)} fresh" + (f"; not fresh: {names}" if bad else "") + _unread(never)
    return [Check("sources", not bad, says), *_contact(settings, sources)]


def _unread(never: list[SourceView]) -> str:
    return f"; {len(never)} not read yet" if never else ""


def _contact(settings: Settings, sources: tuple[SourceView, ...]) -> list[Check]:
    if settings.contact:
        return []
    asleep = [view.id for view in sources if "REGWATCH_CONTACT" in view.off_reason]
    return (
        [Check("contact", False, f"set REGWATCH_CONTACT to a mail address: {len(asleep)} sources demand one ({', '.join(asleep[:4])} ...)")]
        if asleep
        else []
    )


async def _slack(settings: Settings) -> list[Check]:
    try:
        access = slack_access(settings)
    except SettingsError as error:
        return [Check("slack", False, str(error))]
    if access.many is not None:
        return [*await _workspaces(settings, access.many), _http(settings)]
    assert access.bot_token is not None  # noqa: S101 - slack_access gives one or the other
    client = make_client(access.bot_token, settings.slack_api_url)
    try:
        answer = await client.auth_test()
    except SlackApiError as error:
        cause = error.response.get("error")
        return [Check("slack", False, f"SLACK_BOT_TOKEN is refused ({cause}): copy it again from 'OAuth & Permissions'")]
    except _UNREACHABLE as error:
        return [Check("slack", False, f"{settings.slack_api_url} cannot be reached: {error}")]
    checks = [Check("slack", True, f"{answer.get('user')} in {answer.get('team')} ({answer.get('team_id')})")]
    checks += _scopes({str(answer.get("team_id")): answer.headers})
    checks += _clock(answer.headers, utc_now())
    if access.app_token is None:
        return [*checks, _http(settings)]
    try:
        # what Socket Mode does first; it needs the app token, as a header
        await client.apps_connections_open(app_token=access.app_token)
        checks.append(Check("socket mode", True, "the app token opens a connection"))
    except _UNREACHABLE as error:
        cause = error.response.get("error") if isinstance(error, SlackApiError) else error
        checks.append(Check("socket mode", False, f"SLACK_APP_TOKEN is refused ({cause}): make one with the scope connections:write"))
    return checks


def _http(settings: Settings) -> Check:
    """What cannot be looked at from here is told: Slack must reach us."""
    where = settings.public_url or "your https address"
    says = (
        f"listens on {settings.http_bind or DEFAULT_BIND}; {where} must lead there (regwatch manifest --url {where} prints its addresses)"
    )
    return Check("http", True, says)


async def _workspaces(settings: Settings, many: ManyWorkspaces) -> list[Check]:
    """The keys of the stored tokens, and each workspace's token against Slack."""
    from bot.slack.install import INSTALL_PATH, Installations, NoToken, SlackClients

    sign_up = f"{many.public_url}{INSTALL_PATH}"
    try:
        store = await open_store(settings)
    except StorageError as error:
        return [Check("workspaces", False, str(error))]
    try:
        installations = Installations(store.engine, many.client_id, many.token_keys)
        use = await installations.key_use()
        clients = SlackClients(store, installations, many, settings.slack_api_url, now=utc_now)
        bad: list[str] = []
        headers: dict[str, Any] = {}
        found = await installations.workspaces()
        for workspace_id, name in found:
            try:
                answer = await (await clients.for_workspace(workspace_id)).auth_test()
                headers[workspace_id] = answer.headers
            except SlackApiError as error:
                bad.append(f"{name} {workspace_id}: Slack refuses its token ({error.response.get('error')}), install the app there again")
            except NoToken as error:
                bad.append(str(error))
            except _UNREACHABLE as error:
                return [_keys(use), Check("slack", False, f"{settings.slack_api_url} cannot be reached: {error}")]
    finally:
        await store.close()
    says = (
        f"{len(found) - len(bad)} of {len(found)} have a token that works" if found else f"none has installed the app yet: open {sign_up}"
    )
    clock = [check for one in list(headers.values())[:1] for check in _clock(one, utc_now())]
    return [_keys(use), Check("workspaces", not bad, "; ".join([says, *bad])), *_scopes(headers), *clock]


def _keys(use: KeyUse) -> Check:
    if use.unreadable:
        lost = ", ".join(use.unreadable[:5]) + (f" and {len(use.unreadable) - 5} more" if len(use.unreadable) > 5 else "")
        says = f"no key of REGWATCH_TOKEN_KEYS opens the tokens of {lost}: add the key that sealed them, or install the app there again"
        return Check("token keys", False, says)
    if use.older:
        says = f"{use.older} tokens are sealed with an older key: start `regwatch run`, which seals them anew; then the old key may go"
        return Check("token keys", False, says)
    return Check("token keys", True, f"the newest key seals all {use.newest} tokens; an older one may go")


def _scopes(of: Mapping[str, Any]) -> list[Check]:
    """What was granted in each workspace, by the headers of its answer, against what the manifest asks for."""
    needed, optional = wanted_scopes()
    missing: dict[str, list[str]] = {}
    absent: set[str] = set()
    told = 0
    for workspace, headers in of.items():
        granted = {
            name.strip() for key, value in dict(headers).items() if key.lower() == "x-oauth-scopes" for name in str(value).split(",")
        }
        if not granted:
            continue  # a local Slack tells none
        told += 1
        if needed - granted:
            missing[workspace] = sorted(needed - granted)
        absent |= optional - granted
    if missing:
        where = "; ".join(f"{workspace} lacks {', '.join(names)}" for workspace, names in missing.items())
        return [Check("scopes", False, f"{where}: install the app again with the manifest that `regwatch manifest` prints")]
    if not told:
        return []
    without = "; ".join(_WITHOUT[name] for name in sorted(absent) if name in _WITHOUT)
    return [Check("scopes", True, "all needed ones" + (f"; without {', '.join(sorted(absent))}: {without}" if absent else ""))]


def _clock(headers: Any, now: datetime) -> list[Check]:
    date = next((str(value) for key, value in dict(headers).items() if key.lower() == "date"), None)
    if date is None:
        return []
    off = abs(now - parsedate_to_datetime(date))
    if off > CLOCK_TOLERANCE:
        return [
            Check(
                "clock",
                False,
                f"this machine's clock is {off.total_seconds():.0f} s away from Slack's: set it, or digests come at wrong times",
            )
        ]
    return [Check("clock", True, "agrees with Slack's")]
