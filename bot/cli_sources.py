"""The commands about sources: what they are, whether they can be read, whether they may alert, and recordings of them.

Imports stand inside the commands, so that `--help` is quick.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli_base import AsJson, Db, fail, out, run, settings, since_day, with_store

if TYPE_CHECKING:
    from bot.config import Settings
    from storage import Store
    from storage.records import RegulatorRow, SourceRow

sources_app = typer.Typer(help="The addresses that are polled: how they stand, and what they may do.", no_args_is_help=True)

Source = Annotated[str, typer.Argument(metavar="SOURCE", help="Its id.")]


@sources_app.command(name="list")
def list_(
    bad: Annotated[bool, typer.Option("--bad", help="Only those that are not well, held, or in the shadow.")] = False,
    off: Annotated[bool, typer.Option("--off", help="Those that are off, too, and why.")] = False,
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """How each source stands: mode, health, when it was last well read, why it is off or not well. --json: also when it is next."""

    async def work(store: Store) -> int:
        from bot.report import show_sources
        from storage.models import Health, Mode

        views = [
            view
            for view in await store.sources()
            if (view.is_enabled or off) and not (bad and view.health is Health.OK and view.mode is Mode.LIVE and view.is_enabled)
        ]
        if as_json:
            for view in views:
                out(asdict(view))
        else:
            show_sources(views)
        return 0

    with_store(settings(db), work)


@sources_app.command()
def check(
    sources: Annotated[list[str] | None, typer.Argument(metavar="[SOURCE]...", help="Ids; all that are polled by default.")] = None,
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """Ask sources now and say what they yield; writes nothing. Exit 1 when one of them cannot be read well."""
    given = settings(db)

    async def work(store: Store) -> int:
        from bot.app import fetcher_for
        from bot.check import check as ask
        from bot.report import progress, show_checked
        from storage.models import Health

        rows = {row.id: row for row in await store.source_rows()}
        unknown = [name for name in sources or () if name not in rows]
        if unknown:
            fail(f"no source {unknown[0]!r}; regwatch sources list --off names all")
        wanted = [rows[name] for name in sources] if sources else [row for row in rows.values() if row.is_enabled]
        zones = {body.id: body.time_zone for body in (await store.register()).regulators}
        async with fetcher_for(given) as web:
            with progress("checking", len(wanted)) as step:
                found = await ask(wanted, zones, web, on_done=step)
        if as_json:
            for one in found:
                out(asdict(one))
        else:
            show_checked(found)
        return int(any(one.health is not Health.OK for one in found))

    with_store(given, work)


@sources_app.command()
def arm(source: Source, db: Db = None) -> None:
    """Let a source that is held, or a shadow, alert from its next new entry on."""

    async def work(store: Store) -> int:
        is_armed = await store.arm(source, "operator")
        print(f"{source} alerts again" if is_armed else f"{source} was live already")  # noqa: T201
        return 0

    with_store(settings(db), work)


@sources_app.command()
def hold(source: Source, db: Db = None) -> None:
    """Let a source be read and stored without alerts, until it is armed."""

    async def work(store: Store) -> int:
        is_held = await store.hold(source, "operator")
        print(f"{source} is held: regwatch sources arm {source} ends it" if is_held else f"{source} was held already")  # noqa: T201
        return 0

    with_store(settings(db), work)


@sources_app.command(name="import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV with the catalogue's columns, or an OPML.")],
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """Poll sources of your own beside the catalogue's. They are read without alerts until they are armed."""
    given = settings(db)
    text = _text(file)

    async def work(store: Store) -> int:
        from bot.feeds.catalog import read_sources
        from bot.feeds.opml import from_opml

        is_opml = text.lstrip().startswith("<")
        rows = read_sources(
            from_opml(text, file.name) if is_opml else text, (await store.register()).regulators, given.contact or None, file.name
        )
        added, changed = await store.import_sources(rows, "operator")
        if as_json:
            out({"added": added, "changed": changed, "sources": [row.id for row in rows]})
        else:
            print(f"{added} sources added, {changed} brought up to date; regwatch sources arm SOURCE lets one alert")  # noqa: T201
        return 0

    with_store(given, work)


@sources_app.command()
def export(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="*.opml for OPML, else CSV; standard output by default.")] = None,
    opml: Annotated[bool, typer.Option("--opml", help="OPML on standard output: the feeds alone.")] = False,
    own: Annotated[bool, typer.Option("--own", help="Only what was imported.")] = False,
    db: Db = None,
) -> None:
    """Write the sources down, in the form that `import` and other readers take."""

    async def work(store: Store) -> int:
        from bot.feeds.opml import to_csv, to_opml

        rows = await store.source_rows(is_own=own)
        is_opml = opml or (file is not None and file.suffix.lower() == ".opml")
        text = to_opml(rows, (await store.register()).regulators) if is_opml else to_csv(rows)
        if file is None:
            sys.stdout.write(text)
            return 0
        try:
            await asyncio.to_thread(file.write_text, text, "utf-8")
        except OSError as error:
            fail(f"{file}: {error.strerror}")
        return 0

    with_store(settings(db), work)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        fail(f"{file}: {error.strerror}")
    except UnicodeDecodeError:
        fail(f"{file} is not UTF-8 text")


def preview(
    places: Annotated[list[str], typer.Argument(metavar="URL-OR-FILE...")],
    source: Annotated[str | None, typer.Option("--source", help="Read it as this source of the catalogue would be read.")] = None,
    as_json: AsJson = False,
    db: Annotated[str | None, typer.Option("--db", metavar="URL", help="Look for --source here, not in the catalogue.")] = None,
) -> None:
    """Show what entries an address or a saved file yields; writes nothing. Exit 1 where one is no feed."""
    given = settings(db)

    async def work() -> int:
        from bot.app import fetcher_for
        from bot.feeds.preview import preview_of
        from bot.report import show_preview

        sources, regulators = await _known(given, in_database=db is not None)
        rows = {row.id: row for row in sources}
        if source is not None and source not in rows:
            fail(f"no source {source!r} in the {'database' if db else 'catalogue'}")
        row = rows[source] if source else None
        zone = next((body.time_zone for body in regulators if row and body.id == row.regulator_id), "UTC")
        is_bad = False
        async with fetcher_for(given) as fetcher:
            for place in places:
                found = await preview_of(place, fetcher, row, time_zone=zone)
                is_bad |= found.error is not None
                if as_json:
                    for line in found.lines():
                        out(line)
                else:
                    show_preview(found)
        return int(is_bad)

    run(work())


async def _known(given: Settings, *, in_database: bool) -> tuple[tuple[SourceRow, ...], tuple[RegulatorRow, ...]]:
    """The sources and regulators of the database, or of the catalogue."""
    from bot.app import catalogue_of, open_store

    if not in_database:
        catalogue = catalogue_of(given)
        return catalogue.sources, catalogue.regulators
    store = await open_store(given)
    try:
        return await store.source_rows(), (await store.register()).regulators
    finally:
        await store.close()


def replay(
    places: Annotated[list[Path], typer.Argument(metavar="FILE-OR-DIR...", help="Logs of polls (*.jsonl), or time-stamped snapshots.")],
    as_json: AsJson = False,
) -> None:
    """Run recorded polls through the pipeline with the recorded clock, in a database of their own. Exit 1 when something was new twice."""
    given = settings()

    async def work() -> int:
        from bot.app import catalogue_of
        from bot.replay import RecordingError, moments
        from bot.replay import replay as play
        from bot.report import progress, show_replayed, show_step

        try:
            played = await asyncio.to_thread(moments, places)
        except RecordingError as error:
            fail(str(error))

        def tell(step: Any) -> None:
            if as_json:
                out(asdict(step))
            else:
                show_step(step)

        with progress("replaying", len(played)) as on_moment:
            total = await play(played, catalogue_of(given), on_step=tell, on_moment=on_moment)
        if as_json:
            out(asdict(total))
        else:
            show_replayed(total)
        return int(total.false_new > 0)

    run(work())


def backfill(
    subject: Annotated[str, typer.Argument(metavar="FIRM-OR-SOURCE", help="A firm by any of its names, or the id of a source.")],
    since: Annotated[str, typer.Option(metavar="90d|2021-03", help="Only documents published since then.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """Read stored documents again, silently: those that may name a firm, or all of a source, whose next poll then looks at all it lists."""
    day = since_day(since)

    async def work(store: Store) -> int:
        from bot.app import utc_now
        from bot.names import Names
        from bot.report import progress, show_reread
        from bot.reread import Rereader

        is_source = any(row.id == subject for row in await store.source_rows())
        firm_id = "" if is_source else await _firm_meant(store, subject)
        names = Names(store)
        await names.refresh()
        rereader = Rereader(store, names.read, utc_now, version=lambda: names.version)
        with progress("reading", (await store.counts())["documents"] if not is_source else None) as step:

            def on_batch(documents: int) -> None:
                for at in range(documents):
                    step(at)

            if is_source:
                report = await rereader.source(subject, day, is_dry_run=dry_run, on_batch=on_batch)
            else:
                report = await rereader.firm(firm_id, day, is_dry_run=dry_run, on_batch=on_batch)
        if as_json:
            found = asdict(report)
            out(found | {"outcome": found["outcome"] | {"firms": sorted(report.outcome.firms)}})
        else:
            show_reread(report)
        return int(report.unreadable > 0)

    with_store(settings(db), work)


async def _firm_meant(store: Store, typed: str) -> str:
    """The id of the one firm that a name means; ends the command when it means none, or several."""
    resolution = await store.resolve(typed)
    ids = [match.firm_id for match in resolution.matches]
    if resolution.is_exact and len(ids) > 1:
        fail(f"{typed!r} is the name of several firms: {', '.join(ids)}. Give an id")
    if not resolution.is_exact:
        hint = f"Did you mean {', '.join(ids)}?" if ids else "regwatch firms list and regwatch sources list --off name all"
        fail(f"no firm or source {typed!r}. {hint}")
    return ids[0]
