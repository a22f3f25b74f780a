"""The commands that speak as a channel does: ask, export, digest. The same parser, Store and drawing as in Slack."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli_base import AsJson, Db, fail, out, run, settings

if TYPE_CHECKING:
    from bot.slack.blocks import Message
    from storage import Store
    from storage.views import ChannelView


def ask(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What you would type after /regwatch.")],
    channel: Annotated[str, typer.Option(help="Slack id of the channel that it is said in.")] = "console",
    user: Annotated[str, typer.Option(help="Slack id of who says it.")] = "operator",
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """Run a text as the slash command would. Exit 1 when the answer is an error."""
    found = settings(db)

    async def work() -> int:
        from bot.app import open_store

        store = await open_store(found)
        try:
            message = await _answered(store, text, channel, user, found.command)
        finally:
            await store.close()
        return _shown(message, as_json=as_json)

    run(work())


def export(
    what: Annotated[str, typer.Argument(metavar="FIRM|CHANNEL", help="A firm by any of its names, or a channel's Slack id or name.")],
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="Where to write it; standard output by default.")] = None,
    since: Annotated[str, typer.Option(metavar="90d|2021-03", help="Only what happened since then.")] = "",
    format_: Annotated[str, typer.Option("--as", metavar="csv|json", help="The format.")] = "csv",
    db: Db = None,
) -> None:
    """Write a firm's actions, or all that happened in a channel, as CSV or JSON."""
    found = settings(db)
    if format_ not in ("csv", "json"):
        fail(f"--as: {format_!r} is neither csv nor json")

    async def work() -> int:
        from bot.app import open_store, utc_now
        from bot.slack.figures import export_text
        from storage.filters import since_date
        from storage.intents import ChannelKey

        try:
            day = since_date(since, utc_now().date()) if since else None
        except (ValueError, TypeError):
            fail(f"--since: {since!r} is no time; use 90d, 2021, 2021-03 or 2021-03-01")
        store = await open_store(found)
        try:
            there = await _channel(store, what)
            if there is not None:
                rows = await store.export_channel(ChannelKey(there.workspace_id, there.slack_id), day)
            else:
                resolution = await store.resolve(what)
                if not resolution.is_exact or len(resolution.matches) != 1:
                    near = ", ".join(match.firm_id for match in resolution.matches[:4])
                    fail(f"no firm and no channel {what!r}" + (f"; did you mean {near}?" if near else ""))
                rows = await store.export_firm(resolution.matches[0].firm_id, day)
        finally:
            await store.close()
        text = export_text(rows, format_)
        if file is None:
            sys.stdout.write(text)
        else:
            try:
                file.write_text(text, encoding="utf-8", newline="")
            except OSError as error:
                fail(f"{file}: {error.strerror}")
        return 0

    run(work())


def digest(
    channel: Annotated[str, typer.Argument(metavar="CHANNEL", help="A channel's Slack id or name.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print it, and post nothing.")] = False,
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """Post a channel's digest as it would be now, or print it; the daily one comes all the same. Exit 1 when Slack does not take it."""
    found = settings(db)

    async def work() -> int:
        from dataclasses import replace

        from bot.app import open_store
        from bot.slack import digests
        from bot.slack.reach import Reach, Unposted
        from storage.intents import ChannelKey

        store = await open_store(found)
        try:
            there = await _channel(store, channel)
            if there is None:
                fail(f"no channel {channel!r} follows anything; regwatch ask 'subscribe list' --channel shows one")
            view = await store.preview_digest(ChannelKey(there.workspace_id, there.slack_id))
            assert view is not None  # noqa: S101  # the channel is known
            message = digests.digest_of(view, there, is_preview=dry_run)
        finally:
            await store.close()
        if dry_run:
            return _shown(message, as_json=as_json)
        from bot.deliver import make_client

        if found.slack_bot_token is None:
            fail("SLACK_BOT_TOKEN is missing: without it nothing can be posted; --dry-run prints the digest")
        client = make_client(found.slack_bot_token.get_secret_value(), found.slack_api_url)
        try:
            ts = await Reach(client).post_or_tell(there.slack_id, replace(message, is_ephemeral=False))
        except Unposted as error:
            print(f"regwatch: {error}", file=sys.stderr)  # noqa: T201
            return 1
        if as_json:
            out({"channel": there.slack_id, "ts": ts})
        return 0

    run(work())


async def _answered(store: Store, text: str, channel: str, user: str, command: str) -> Message:
    from bot.app import LOCAL, utc_now
    from bot.slack.changes import Who
    from bot.slack.desk import Desk

    desk = Desk(store, command=command, now=utc_now)
    return await desk.answer(text, Who(workspace_id=LOCAL, channel_id=channel, user_id=user))


def _shown(message: Message, *, as_json: bool) -> int:
    from bot.console import show

    if as_json:
        out({"blocks": message.blocks, "text": message.text, "response_type": message.response_type})
    else:
        show(message)
    return int(message.is_error)


async def _channel(store: Store, named: str) -> ChannelView | None:
    """The channel of that Slack id or name, in whichever workspace; None: there is none, or there are several."""
    from bot.app import LOCAL

    wanted = named.removeprefix("#")
    workspaces = [LOCAL, *(workspace.id for workspace in await store.workspaces())]
    found = [
        place.channel
        for workspace_id in workspaces
        for place in await store.places(workspace_id)
        if wanted in (place.channel.slack_id, place.channel.name)
    ]
    return found[0] if len(found) == 1 else None
