"""The command line: one contract for people and for scripts.

Everything that Slack can do can be done here, by the same parser, Store and cards. With `--json` standard
output carries data and nothing else; logs and progress go to standard error. Exit codes: 0 done; 1 it ran
and found what it must report; 2 wrong usage or settings, with one line that says what to change.

Imports stand inside the commands, so that `--help` is quick.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli_base import AsJson, Db
from bot.cli_base import fail as _fail
from bot.cli_base import out as _out
from bot.cli_base import run as _run
from bot.cli_base import settings as _settings
from bot.cli_cases import cases_app
from bot.cli_channels import ask, digest, export
from bot.cli_firms import backtest, firms_app
from bot.cli_sources import backfill, preview, replay, sources_app

app = typer.Typer(
    name="regwatch",
    help="Tells you at once, and with proof, when a regulator acts against a firm you watch.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
NamesDb = Annotated[
    str | None, typer.Option("--db", metavar="URL", help="Read with the names of this database; else with the shipped ones.")
]

app.add_typer(firms_app, name="firms")
app.add_typer(sources_app, name="sources")
app.add_typer(cases_app, name="cases")
for command in (ask, digest, export, preview, replay, backtest, backfill):
    app.command()(command)


def main() -> None:
    """The entry point. A setting or a database that cannot be used is one line and exit code 2."""
    from bot.config import SettingsError
    from bot.feeds.catalog import CatalogueError
    from storage import StorageError

    try:
        app()
    except (SettingsError, StorageError, CatalogueError) as error:
        _fail(str(error))


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="The tour alone, without the prompt.")] = False,
    as_json: AsJson = False,
) -> None:
    """Play a staged weekend offline: feeds, alerts, answers, a digest; then read commands from a prompt."""
    from bot.config import load_settings, set_up_logging
    from bot.demo.tour import play

    # the tour is told on the screen; its log would stand between the lines
    set_up_logging(load_settings(), is_quiet=True)
    _run(play(is_once=once or as_json or not sys.stdin.isatty(), as_json=as_json))


@app.command()
def run(
    only: Annotated[str, typer.Option(metavar="ROLES", help="poll, deliver, slack: with commas between; all by default.")] = "",
    db: Db = None,
) -> None:
    """The service: polls, delivers and answers until SIGTERM. Exit 1 when Slack cannot reach it any more: start it again."""
    import signal

    from bot.app import ROLES, Regwatch
    from bot.transport import TransportLost

    roles = frozenset(part.strip() for part in only.split(",") if part.strip()) or ROLES
    if roles - ROLES:
        _fail(f"--only: no role {', '.join(sorted(roles - ROLES))}; use poll, deliver, slack")
    service = Regwatch(_settings(db, is_service=True), only=roles)

    async def work() -> int:
        stop = asyncio.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
        try:
            await service.serve(stop)
        except TransportLost as error:
            print(f"regwatch: {error}", file=sys.stderr)  # noqa: T201
            return 1
        return 0

    _run(work())


@app.command()
def poll(
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="[SOURCE]...", help="Ids of sources; all that are polled by default.")
    ] = None,
    due: Annotated[bool, typer.Option("--due", help="Only those whose time has come.")] = False,
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """Poll sources once, now, and say what came of it. Exit 1 when one of them could not be read well."""
    settings = _settings(db)

    async def work() -> int:
        from bot.app import open_store, poller_for
        from bot.report import progress, show_polls

        store = await open_store(settings, refresh=True)
        try:
            known = {view.id: view for view in await store.sources()}
            wanted = list(sources or [view.id for view in known.values() if view.is_enabled])
            for name in wanted:
                if name not in known:
                    _fail(f"no source {name!r}; regwatch sources list --off names all")
                if not known[name].is_enabled:
                    _fail(f"{name} is off: {known[name].off_reason}")
            async with poller_for(settings, store) as poller:
                with progress("polling", len(wanted)) as step:
                    lines = await poller.poll(wanted, only_due=due, on_done=step)
        finally:
            await store.close()
        if as_json:
            _out(_polls_json(lines))
        else:
            show_polls(lines)
        return int(any(not line.is_good for line in lines))

    _run(work())


def _polls_json(lines: Any) -> dict[str, object]:
    names = ("entries", "new", "changed", "actions", "owed", "waived")
    return {
        "sources": [
            {"source": line.source, "health": line.health, "detail": line.detail}
            | {name: getattr(line, name) for name in names}
            | {"seconds": round(line.seconds, 3)}
            for line in lines
        ],
        **{name: sum(getattr(line, name) for line in lines) for name in names},
    }


@app.command()
def explain(
    file: Annotated[
        Path | None,
        typer.Argument(help="Plain text, or JSON lines {id, title, text, lang, published, regulator}; standard input by default."),
    ] = None,
    firms: Annotated[
        list[Path] | None, typer.Option("--firms", metavar="FILE", help="A list of firms laid over the register; may be given again.")
    ] = None,
    as_json: AsJson = False,
    db: NamesDb = None,
) -> None:
    """Show what the bot makes of a text: actions, firms with their roles, amounts, dates, evidence."""
    from bot.app import catalogue_of, register_of
    from bot.explain import read_inputs, reading_json
    from bot.extract import FirmIndex, extract
    from storage.firms import shipped_register
    from storage.lists import with_list

    settings = _settings(db)
    text = _text_of(file)
    register = asyncio.run(register_of(settings)) if db else shipped_register(catalogue_of(settings).regulators)
    for path in firms or ():
        register = with_list(register, path)
    try:
        inputs = list(read_inputs(text, register))
    except ValueError as error:
        _fail(str(error))
    index = FirmIndex(register)
    for name, document in inputs:
        reading = extract(document, index)
        if as_json:
            _out(reading_json(name, reading, register))
        else:
            from bot.report import show_reading

            show_reading(document, reading)


@app.command()
def evaluate(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Label files (*.jsonl), or one of them.")],
    firms: Annotated[
        list[Path] | None, typer.Option("--firms", metavar="FILE", help="A list of firms laid over the register; may be given again.")
    ] = None,
    diff: Annotated[
        Path | None, typer.Option("--diff", metavar="RUN", help="A run saved with --json: list every row that reads otherwise.")
    ] = None,
    told: Annotated[bool, typer.Option("--told", help="Read each text as one of its labelled regulator's own source.")] = False,
    wrong: Annotated[bool, typer.Option("--wrong", help="List the rows that are read wrongly, too.")] = False,
    as_json: AsJson = False,
    db: NamesDb = None,
) -> None:
    """Score the reading of texts on labels: targets, kinds, sums, dates, with intervals. Exit 1 with --diff when a row got worse."""
    from bot.app import catalogue_of, register_of
    from bot.evaluate import LabelError, changed, label_files, read_labels
    from bot.evaluate import evaluate as scored
    from bot.report import progress, show_changes, show_run, show_wrong
    from storage.firms import shipped_register
    from storage.lists import with_list

    settings = _settings(db)
    register = asyncio.run(register_of(settings)) if db else shipped_register(catalogue_of(settings).regulators)
    for path in firms or ():
        register = with_list(register, path)
    try:
        before = json.loads(_text_of(diff)) if diff else None
        labels = [label for path in label_files(folder) for label in read_labels(path)]
    except (LabelError, json.JSONDecodeError) as error:
        _fail(f"{diff}: no saved run: {error.msg}" if isinstance(error, json.JSONDecodeError) else str(error))
    with progress("reading", len(labels)) as step:
        run = scored(labels, register, is_told=told, on_row=step)
    changes = changed(run, before) if before else []
    if as_json:
        _out(run.json())
    else:
        show_run(run)
        if wrong:
            show_wrong(run)
        if before:
            show_changes(changes)
    raise typer.Exit(int(any(len(row.wrong) > len(then) for row, then, _ in changes)))


def _text_of(file: Path | None) -> str:
    """A file, or standard input."""
    try:
        return (file.read_bytes() if file else sys.stdin.buffer.read()).decode("utf-8-sig")
    except OSError as error:
        _fail(f"{file}: {error.strerror}")
    except UnicodeDecodeError:
        _fail(f"{file or 'standard input'} is not UTF-8 text")


@app.command()
def manifest(
    url: Annotated[str, typer.Option("--url", metavar="HTTPS", help="Public address of the service: the manifest for HTTP.")] = "",
    command: Annotated[str, typer.Option("--command", help="The slash command.")] = "/regwatch",
) -> None:
    """Print the app's manifest, to paste at api.slack.com/apps: for Socket Mode, or with --url for HTTP."""
    import re

    from bot.slack.manifest import manifest as made

    if url and not re.fullmatch(r"https://[^\s/?#]+\S*", url):
        _fail("--url: Slack sends to https addresses alone, such as https://regwatch.example.com")
    if not re.fullmatch(r"/[^\s/]{1,31}", command):
        _fail("--command: a slash command is / and a name, without a space and of at most 32 characters")
    print(json.dumps(made(url=url, command=command), ensure_ascii=False, indent=2))  # noqa: T201


@app.command()
def migrate(db: Db = None) -> None:
    """Bring the database to this version, and the shipped register and catalogue into it."""
    settings = _settings(db)

    async def work() -> int:
        from bot.app import is_running, open_store
        from storage import Store

        if is_running(settings.database):
            _fail("a `regwatch run` is using the database. Stop it first")
        before, head = Store.revision(settings.database)
        store = await open_store(settings, refresh=True)
        counts = await store.counts()
        await store.close()
        print(f"{before or 'new'} -> {head}; {counts['sources']} sources, {counts['firms']} firms")  # noqa: T201
        return 0

    _run(work())


@app.command()
def backup(file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file.")], db: Db = None) -> None:
    """Copy the whole database into a file, while everything runs. PostgreSQL needs its pg_dump."""
    from storage.copies import backup as copy

    size = copy(_settings(db).database, file)
    print(f"{file}: {size / 1e6:,.1f} MB")  # noqa: T201


@app.command()
def restore(file: Annotated[Path, typer.Argument(metavar="FILE", help="What `backup` wrote.")], db: Db = None) -> None:
    """Put a copy in the place of the database, which is kept beside it on SQLite; then bring it to this version."""
    settings = _settings(db)

    async def work() -> int:
        from bot.app import is_running, open_store, utc_now
        from storage.copies import restore as put_back

        if is_running(settings.database):
            _fail("a `regwatch run` is using the database. Stop it first")
        kept = await asyncio.to_thread(put_back, settings.database, file, utc_now())
        store = await open_store(settings, refresh=True)
        counts = await store.counts()
        await store.close()
        former = f"; the former one is kept as {kept}" if kept else ""
        print(f"restored: documents {counts['documents']}, actions {counts['actions']}, subscriptions {counts['subscriptions']}{former}")  # noqa: T201
        return 0

    _run(work())


@app.command()
def doctor(as_json: AsJson = False, db: Db = None) -> None:
    """Check settings, database, tokens, scopes, clock and sources, and say what to do. Exit 1 when something falls short."""
    settings = _settings(db)

    async def work() -> int:
        from bot.doctor import examine
        from bot.report import show_checks

        checks = await examine(settings)
        if as_json:
            _out([{"check": check.name, "ok": check.is_ok, "says": check.says} for check in checks])
        else:
            show_checks(checks)
        return int(not all(check.is_ok for check in checks))

    _run(work())
