"""The commands about firms: the register, lists that are brought into it, and what a name would have matched.

Imports stand inside the commands, so that `--help` is quick.
"""

from __future__ import annotations

import asyncio
import csv
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from bot.cli_base import AsJson, Db, fail, out, run, settings, since_day

if TYPE_CHECKING:
    from bot.config import Settings
    from storage import Store
    from storage.records import ListOutcome, ListParent, ListRow, Register

ADDRESSES: dict[str, tuple[str, ...]] = {
    "sec": ("https://www.sec.gov/files/company_tickers_exchange.json",),
    "twse": ("https://openapi.twse.com.tw/v1/opendata/t187ap03_L",),
    "tpex": ("https://www.tpex.org.tw/openapi/v1/mopsfin_t187ap03_O",),
    "hkex": (
        "https://www.hkex.com.hk/eng/services/trading/securities/securitieslists/ListOfSecurities.xlsx",
        "https://www.hkex.com.hk/chi/services/trading/securities/securitieslists/ListOfSecurities_c.xlsx",
    ),
    "gleif": ("https://goldencopy.gleif.org/api/v2/golden-copies/publishes/lei2/latest.csv",),
}
"""Where the lists that are known by name are published."""

_MOST_BYTES = 2 * 1024**3  # GLEIF's file has half a gigabyte, packed
_MOST_SECONDS = 3600.0
_BATCH = 200  # documents

firms_app = typer.Typer(help="The register of firms: whom texts are read for.", no_args_is_help=True)


@contextmanager
def _telling(what: str, rows: Iterable[Any]) -> Iterator[Iterator[Any]]:
    """The rows, counted on the screen as they pass."""
    from bot.report import progress

    with progress(what, None) as step:

        def told() -> Iterator[Any]:
            for row in rows:
                step(row)
                yield row

        yield told()


async def _open(settings_: Settings) -> Store:
    from bot.app import open_store

    return await open_store(settings_)


@firms_app.command("list")
def list_(
    country: Annotated[str, typer.Option(metavar="CN,HK", help="Only firms of these countries (ISO 3166).")] = "",
    list_name: Annotated[str | None, typer.Option("--list", metavar="NAME", help="Only firms that this list names.")] = None,
    lists: Annotated[bool, typer.Option("--lists", help="The lists themselves, with how many firms and names each has.")] = False,
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """The firms of the register: id, names, country, tickers."""
    found = settings(db)

    async def work() -> int:
        from bot.report import show_firms, show_lists

        store = await _open(found)
        try:
            views = await store.lists() if lists else ()
            register = await store.register()
        finally:
            await store.close()
        if lists:
            out([asdict(view) for view in views]) if as_json else show_lists(views)
            return 0
        _known_list(register, list_name)
        countries = _codes(country)
        named = {alias.firm_id for alias in register.aliases if list_name in (None, alias.source)}
        rows = [firm for firm in register.firms if firm.id in named and (not countries or firm.country in countries)]
        out([asdict(firm) for firm in rows]) if as_json else show_firms(rows)
        return 0

    run(work())


def _known_list(register: Register, name: str | None) -> None:
    sources = sorted({alias.source for alias in register.aliases})
    if name is not None and name not in sources:
        fail(f"--list: no list {name!r}; there are {', '.join(sources)}")


@firms_app.command()
def show(
    firm: Annotated[str, typer.Argument(metavar="FIRM", help="A name in either script, a ticker or an id.")],
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """One firm: its names, owners, what belongs to it, and how precise each name has been. Exit 1 when there is none."""
    found = settings(db)

    async def work() -> int:
        from bot.app import LOCAL, utc_now
        from bot.console import show as draw
        from bot.slack.changes import Who
        from bot.slack.desk import Desk
        from bot.slack.grammar import FirmInfo, unparse

        store = await _open(found)
        try:
            if as_json:
                resolution = await store.resolve(firm)
                one = resolution.matches[0] if resolution.is_exact and len(resolution.matches) == 1 else None
                view = await store.firm(one.firm_id) if one else None
                out(asdict(view) if view else {"error": f"no one firm {firm!r}", "near": [asdict(match) for match in resolution.matches]})
                return int(view is None)
            desk = Desk(store, command=found.command, now=utc_now)
            message = await desk.answer(unparse(FirmInfo(firm)), Who(workspace_id=LOCAL, channel_id="console", user_id="operator"))
        finally:
            await store.close()
        draw(message)
        return int(message.is_error)

    run(work())


@firms_app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name for display, a strong one unless it stands under --weak too.")],
    alias: Annotated[list[str] | None, typer.Option("--alias", metavar="NAME", help="Another strong name; may be given again.")] = None,
    weak: Annotated[
        list[str] | None, typer.Option("--weak", metavar="NAME", help="A name that is also a word, a surname, a place; may be given again.")
    ] = None,
    ticker: Annotated[list[str] | None, typer.Option("--ticker", metavar="0700.HK", help="May be given again.")] = None,
    country: Annotated[str, typer.Option(metavar="CN", help="Of its seat, ISO 3166.")] = "",
    firm_id: Annotated[str, typer.Option("--id", metavar="SLUG", help="Made of the name by default.")] = "",
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """Add one firm. Names that look like trouble are told; a name that another firm has is refused.

    A running service reads stored documents that may name it again, by itself; `regwatch backfill FIRM` does it now.
    """
    found = settings(db)

    async def work() -> int:
        from bot.report import show_findings, show_read_again
        from storage.curation import new_firm
        from storage.lint import lint_rows

        row, firm, aliases = new_firm(name, alias or (), weak or (), ticker or (), country, firm_id)
        store = await _open(found)
        try:
            findings = lint_rows([row], await store.register())
            await store.add_firm(firm, aliases, "operator")
        finally:
            await store.close()
        if as_json:
            out({"id": firm.id, "names": [one.text for one in aliases], "findings": [asdict(one) for one in findings]})
        else:
            print(f"added {firm.id}: {', '.join(one.text for one in aliases)}")  # noqa: T201
            show_findings(findings)
            show_read_again("it", firm.id)
        return 0

    run(work())


@firms_app.command("import")
def import_(
    files: Annotated[
        list[str] | None, typer.Argument(metavar="[FILE-OR-LIST]...", help=f"Files of one list, or one of {', '.join(ADDRESSES)}.")
    ] = None,
    from_: Annotated[str | None, typer.Option("--from", metavar="LIST", help="Fetch this list from where it is published.")] = None,
    url: Annotated[list[str] | None, typer.Option("--url", help="Fetch it from here instead; may be given again.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="What the list is called; by default as its file, or as --from.")] = None,
    parents: Annotated[Path | None, typer.Option("--parents", metavar="FILE", help="GLEIF's relationships, for its list.")] = None,
    country: Annotated[str, typer.Option(metavar="CN,HK", help="Only rows of these countries.")] = "",
    known: Annotated[bool, typer.Option("--known", help="Only more names for firms of the register; no new firms.")] = False,
    remove: Annotated[str | None, typer.Option("--remove", metavar="NAME", help="Take this list away.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would come of it; write nothing.")] = False,
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """Bring a list of firms into the register, in the place of what it brought before; or take one away.

    Files: a CSV of your own (name; and if you like aliases, weak, tickers, country, strength, id), what `firms export`
    wrote, the SEC's company_tickers.json, Taipei's t187ap03 or its page of ISIN codes, Hong Kong's
    ListOfSecurities.xlsx, GLEIF's LEI file. Names are weak unless the row's strength says strong.
    """
    found = settings(db)
    given = list(files or ())
    if from_ is None and len(given) == 1 and given[0] in ADDRESSES and not Path(given[0]).exists():
        from_, given = given[0], []
    _check_import(given, from_, url, name, remove)

    async def work() -> int:
        from bot.report import show_import

        store = await _open(found)
        try:
            if remove is not None:
                outcome = await store.remove_list(remove, "operator", is_dry_run=dry_run)
            else:
                with ExitStack() as stack:
                    paths = [Path(one) for one in given] or await _fetched(found, from_ or "", url or ADDRESSES[from_ or ""], stack)
                    outcome = await _import(
                        store, name or from_ or paths[0].name.partition(".")[0], paths, parents, _codes(country), known, dry_run
                    )
        finally:
            await store.close()
        out(asdict(outcome) | {"is_dry_run": dry_run}) if as_json else show_import(outcome, is_dry_run=dry_run)
        return 0

    run(work())


def _check_import(files: list[str], from_: str | None, url: list[str] | None, name: str | None, remove: str | None) -> None:
    """Ends with 2 where the options do not say which one list is meant."""
    if (bool(files), from_ is not None, remove is not None).count(True) != 1:
        fail("import: give files of a list, or --from LIST, or --remove NAME")
    if from_ is not None and from_ not in ADDRESSES:
        fail(f"--from: no list {from_!r}; there are {', '.join(ADDRESSES)}")
    if url and from_ is None:
        fail("--url: say with --from which list it is")
    if len(files) > 1 and name is None:
        fail("import: several files are one list; give it a name with --name")


def _codes(country: str) -> set[str]:
    return {part.strip().upper() for part in country.split(",") if part.strip()}


async def _import(
    store: Store, name: str, paths: list[Path], parents: Path | None, countries: set[str], known: bool, is_dry_run: bool
) -> ListOutcome:
    from dataclasses import replace

    from storage.listfiles import read_list, read_parents
    from storage.records import LeftOut

    skipped: Counter[str] = Counter()

    def rows() -> Iterator[ListRow]:
        for path in paths:
            for row in read_list(path, skipped):
                if not countries or row.country in countries:
                    yield row
                else:
                    skipped["not of these countries"] += 1

    owners: Iterable[ListParent] = read_parents(parents) if parents else ()
    with _telling(f"reading {name}", rows()) as told:
        outcome = await store.import_list(name, told, "operator", parents=owners, only_known=known, is_dry_run=is_dry_run)
    return replace(outcome, left_out=(*outcome.left_out, *(LeftOut(reason, count, ()) for reason, count in skipped.most_common())))


async def _fetched(settings_: Settings, name: str, urls: Iterable[str], stack: ExitStack) -> list[Path]:
    """The list's files from where they are published, in a folder that goes with the stack."""
    import tempfile

    from bot.app import fetcher_for
    from bot.feeds import Fetched

    if name == "sec" and not settings_.contact:
        fail("REGWATCH_CONTACT: the SEC refuses whoever does not name a mail address; set yours")
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="regwatch-")))
    paths = []
    async with fetcher_for(settings_, total=_MOST_SECONDS, max_bytes=_MOST_BYTES) as fetcher:
        for number, url in enumerate(urls, 1):
            path = folder / f"{name}-{number}"
            with path.open("wb") as file:
                result = await fetcher.save(url, file)
            if not isinstance(result, Fetched):
                detail = getattr(result, "detail", "it is unchanged")
                fail(f"{url}: {detail}. Or save it with a browser, and: regwatch firms import FILE --name {name}")
            paths.append(path)
    return paths


@firms_app.command()
def export(
    words: Annotated[list[str] | None, typer.Argument(metavar="[as csv|json]", help="The form; CSV by default.")] = None,
    list_name: Annotated[str | None, typer.Option("--list", metavar="NAME", help="Only the names of this list.")] = None,
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """The names of the register on standard output, as `firms import` reads them again. Names, not owners."""
    if words not in (None, [], ["as", "csv"], ["as", "json"]):
        fail(f"export: {' '.join(words or ())!r} is neither `as csv` nor `as json`")
    found = settings(db)

    async def work() -> int:
        from storage.listfiles import COLUMNS
        from storage.lists import listed

        store = await _open(found)
        try:
            register = await store.register()
        finally:
            await store.close()
        _known_list(register, list_name)
        rows = [{column: getattr(row, column) for column in COLUMNS} for row in listed(register, list_name)]
        if as_json or words == ["as", "json"]:
            json.dump(rows, sys.stdout, ensure_ascii=False, indent=0)
            sys.stdout.write("\n")
        else:
            writer = csv.writer(sys.stdout, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows([" | ".join(cell) if isinstance(cell, tuple) else cell for cell in row.values()] for row in rows)
        return 0

    run(work())


@firms_app.command()
def lint(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="A list, before it is imported; the register by default.")] = None,
    shipped: Annotated[bool, typer.Option("--shipped", help="The register that ships, not the database's.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Also what was weighed before it shipped.")] = False,
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """Warn about names that are words, surnames, places, regulators' or another firm's, or too short. Exit 1 when there are any."""
    from bot.app import catalogue_of, register_of
    from bot.report import show_findings
    from storage.firms import shipped_register
    from storage.lint import lint as of_register
    from storage.lint import lint_rows
    from storage.listfiles import read_list

    found = settings(db)
    register = shipped_register(catalogue_of(found).regulators) if shipped else asyncio.run(register_of(found))
    findings = lint_rows(read_list(file), register) if file else of_register(register, is_strict=strict)
    if as_json:
        out([asdict(one) for one in findings])
    else:
        show_findings(findings, is_clean_told=True)
    raise typer.Exit(int(bool(findings)))


def backtest(
    names: Annotated[list[str], typer.Argument(metavar="FIRM-OR-ALIAS...", help="Firms of the register, or names that are not in it.")],
    since: Annotated[str, typer.Option(metavar="90d|2021-03", help="Only texts published since then.")] = "",
    weak: Annotated[bool, typer.Option("--weak", help="Read names that are not in the register as weak ones.")] = False,
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """Show what firms, or names that are not in the register, would have matched in the stored texts. Writes nothing."""
    found = settings(db)

    async def work() -> int:
        from bot.backtest import Backtest
        from bot.report import progress, show_tallies
        from storage.models import Strength

        day = since_day(since)
        store = await _open(found)
        try:
            known, new = await _meant(store, names)
            strength = Strength.WEAK if weak else Strength.STRONG
            test = await asyncio.to_thread(Backtest, await store.register(), known, new, strength)
            last, read = 0, 0
            with progress("reading", (await store.counts())["documents"]) as step:
                while batch := await store.texts(last, _BATCH, day):
                    await asyncio.to_thread(test.read, batch)
                    last, read = batch[-1].id, read + len(batch)
                    for text in batch:
                        step(text)
        finally:
            await store.close()
        if as_json:
            out({"documents": read, "firms": [_tally_json(tally) for tally in test.tallies]})
        else:
            show_tallies(test.tallies, read)
        return 0

    run(work())


async def _meant(store: Store, names: Iterable[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """Names with the firm that each means, and names that mean none."""
    known: list[tuple[str, str]] = []
    new: list[str] = []
    for typed in names:
        resolution = await store.resolve(typed)
        if resolution.is_exact and len(resolution.matches) > 1:
            fail(f"{typed!r} is the name of several firms: {', '.join(match.firm_id for match in resolution.matches)}. Give an id")
        elif resolution.is_exact:
            known.append((typed, resolution.matches[0].firm_id))
        elif any(map(str.isalnum, typed)):
            new.append(typed.strip())
        else:
            _no_name(typed)
    return known, new


def _no_name(typed: str) -> NoReturn:
    fail(f"{typed!r} is no name")


def _tally_json(tally: Any) -> dict[str, object]:
    samples = [asdict(sample) | {"at": sample.at.isoformat()} for sample in tally.samples]
    counts = {"documents": tally.documents, "as_target": tally.as_target, "as_group": tally.as_group}
    return {"name": tally.typed, "id": tally.firm_id if tally.is_known else None, **counts, "samples": samples}
