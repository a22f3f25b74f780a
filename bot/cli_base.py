"""What every command shares: the options, and how a command ends and prints data."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Coroutine
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from bot.config import Settings
    from storage import Store

Db = Annotated[
    str | None, typer.Option("--db", metavar="URL", help="sqlite:///file or postgresql://..., instead of REGWATCH_DATABASE_URL.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Data on standard output, and nothing else.")]


def fail(words: str) -> NoReturn:
    """End with exit code 2 and one line that says what to change."""
    print(f"regwatch: {words}", file=sys.stderr)  # noqa: T201
    raise SystemExit(2)


def settings(db: str | None = None, *, is_service: bool = False) -> Settings:
    """The settings of this run, logging set up by them; raises SettingsError."""
    from bot.config import load_settings, set_up_logging

    found = load_settings(database_url=db)
    set_up_logging(found, is_quiet=not is_service)
    return found


def out(value: object) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")


def since_day(since: str) -> date | None:
    """The day that `--since` means; None for none. Ends the command for what is no time."""
    from bot.app import utc_now
    from storage.filters import since_date

    try:
        return since_date(since, utc_now().date()) if since else None
    except (ValueError, TypeError):
        fail(f"--since: {since!r} is no time; use 90d, 2021, 2021-03 or 2021-03-01")


def run(work: Coroutine[Any, Any, int]) -> NoReturn:
    """Do the work of a command; what it returns is the exit code."""
    raise typer.Exit(asyncio.run(work))


def with_store(given: Settings, work: Callable[[Store], Awaitable[int]]) -> NoReturn:
    """Do the work with the database open; its result is the exit code."""

    async def opened() -> int:
        from bot.app import open_store

        store = await open_store(given)
        try:
            return await work(store)
        finally:
            await store.close()

    run(opened())
