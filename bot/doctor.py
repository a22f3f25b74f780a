"""`doctor`: what stands between these settings and a bot that works, each with what to do about it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib import resources
from typing import Any

from bot.app import is_running, open_store, utc_now
from bot.config import Settings, SettingsError, require_slack
from bot.deliver import make_client
from storage import StorageError, Store
from storage.views import SourceView

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
    from slack_sdk.errors import SlackApiError, SlackClientError

    try:
        bot_token, app_token = require_slack(settings)
    except SettingsError as error:
        return [Check("slack", False, str(error))]
    client = make_client(bot_token, settings.slack_api_url)
    try:
        answer = await client.auth_test()
    except SlackApiError as error:
        return [
            Check("slack", False, f"SLACK_BOT_TOKEN is refused ({error.response.get('error')}): copy it again from 'OAuth & Permissions'")
        ]
    except (SlackClientError, OSError, TimeoutError) as error:
        return [Check("slack", False, f"{settings.slack_api_url} cannot be reached: {error}")]
    checks = [Check("slack", True, f"{answer.get('user')} in {answer.get('team')} ({answer.get('team_id')})")]
    checks += _scopes(answer.headers)
    checks += _clock(answer.headers, utc_now())
    try:
        # what Socket Mode does first; it needs the app token, as a header
        await client.apps_connections_open(app_token=app_token)
        checks.append(Check("socket mode", True, "the app token opens a connection"))
    except (SlackApiError, SlackClientError, OSError, TimeoutError) as error:
        cause = error.response.get("error") if isinstance(error, SlackApiError) else error
        checks.append(Check("socket mode", False, f"SLACK_APP_TOKEN is refused ({cause}): make one with the scope connections:write"))
    return checks


def wanted_scopes() -> tuple[frozenset[str], frozenset[str]]:
    """The bot's scopes in the shipped manifest: needed, and optional."""
    manifest = json.loads((resources.files("bot.slack") / "manifest.json").read_text(encoding="utf-8"))
    scopes = manifest["oauth_config"]["scopes"]
    optional = frozenset(scopes.get("bot_optional", ()))
    return frozenset(scopes["bot"]) - optional, optional


def _scopes(headers: Any) -> list[Check]:
    granted = {name.strip() for key, value in dict(headers).items() if key.lower() == "x-oauth-scopes" for name in str(value).split(",")}
    if not granted:
        return []  # a local Slack tells none
    needed, optional = wanted_scopes()
    if missing := needed - granted:
        return [Check("scopes", False, f"missing {', '.join(sorted(missing))}: install the app again with bot/slack/manifest.json")]
    absent = optional - granted
    return [
        Check(
            "scopes",
            True,
            "all needed ones" + (f"; without {', '.join(sorted(absent))} a lost reply can mean a second post" if absent else ""),
        )
    ]


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
