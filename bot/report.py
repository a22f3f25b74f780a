"""What the command line prints for people: tables, and progress where standard error is a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from bot.slack.text import kind_label
from storage.models import Health
from storage.records import DocumentText, Extraction, FoundAction, FoundFirm

if TYPE_CHECKING:
    from bot.doctor import Check
    from bot.evaluate import Outcome, Run
    from bot.feeds.preview import Preview
    from bot.poll import PollLine

_HEALTH_STYLES = {Health.OK: "green", Health.LATE: "yellow", Health.EMPTY: "yellow"}


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[object], None]]:
    """A bar on standard error while something takes its time; yields what moves it on by one, whatever it is called with."""
    screen = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bars:
        task = bars.add_task(what, total=total)
        yield lambda _done: bars.advance(task)


def show_polls(lines: Sequence[PollLine]) -> None:
    """One row a source, worst first, and the sums."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("source", no_wrap=True)
    table.add_column("health", no_wrap=True)
    for name in ("entries", "new", "changed", "actions", "owed", "seconds"):
        table.add_column(name, justify="right")
    table.add_column("why", style="dim", ratio=1)
    for line in sorted(lines, key=lambda line: (line.is_good, line.source)):
        health = Text(line.health, style=_HEALTH_STYLES.get(line.health, "red"))
        numbers = (line.entries, line.new, line.changed, line.actions, line.owed)
        table.add_row(line.source, health, *map(str, numbers), f"{line.seconds:.2f}", Text(line.detail))
    screen = Console(highlight=False)
    screen.print(table)
    good = sum(line.is_good for line in lines)
    new, actions, owed = (sum(getattr(line, name) for line in lines) for name in ("new", "actions", "owed"))
    screen.print(
        f"{good} of {len(lines)} sources read well; {new} new documents, {actions} new actions, {owed} messages owed", style="bold"
    )


def show_preview(found: Preview) -> None:
    """The entries of an address, newest as the feed has them, with whatever is odd about each."""
    screen = Console(highlight=False)
    screen.print(Text(found.address, style="bold"))
    if found.error is not None:
        screen.print(Text(f"  {found.error}: {found.detail}", style="red"))
        return
    for entry in found.entries:
        day = entry.published_at.isoformat()[: 10 if entry.published_precision == "day" else 16] if entry.published_at else "no date"
        screen.print(Text.assemble("  ", (f"{day:16}", "dim"), " ", entry.title or "(no title)"))
        screen.print(Text(f"    {entry.link or '(no link)'}", style="dim"))
        for warning in entry.warnings:
            screen.print(Text(f"    {warning}", style="yellow"))
    for line in (*found.dropped, *found.warnings):
        screen.print(Text(f"  {line}", style="yellow"))
    screen.print(f"  {len(found.entries)} entries", style="bold")


def show_reading(document: DocumentText, reading: Extraction) -> None:
    """The actions of a text, each with its firms and the words that prove it."""
    screen = Console(highlight=False)
    title = document.title or document.text.strip()[:80]
    screen.print(Text.assemble((title, "bold"), (f"  [{reading.language}]", "dim")))
    if not reading.actions:
        screen.print("  no action against a firm", style="dim")
    for action in reading.actions:
        _show_action(screen, action)
    acting = {(firm.start, firm.end) for action in reading.actions for firm in action.firms}
    others = [firm for firm in reading.mentions if (firm.start, firm.end) not in acting]
    if others:
        screen.print(Text("  also named: " + ", ".join(_named(firm) for firm in others), style="dim"))


def _show_action(screen: Console, action: FoundAction) -> None:
    bodies = ", ".join(body.name for body in action.regulators) or "regulator not named"
    when = f" · {action.decided_on}{' (inferred)' if action.is_decided_inferred else ''}" if action.decided_on else ""
    number = f" · {action.number}" if action.number else ""
    screen.print(Text.assemble("  ", (kind_label(action.kind), "bold red"), f" · {action.status} · {bodies}{when}{number}"))
    if action.stated_count:
        screen.print(Text(f"    {action.stated_count} firms stated, {len(action.targets)} named here"))
    for firm in action.firms:
        screen.print(Text(f"    {firm.role:12} {_named(firm)}{f'  via {firm.via}' if firm.via else ''}"))
    for amount in action.amounts:
        screen.print(Text(f"    {amount.kind:12} {amount.surface} ({amount.currency or 'currency not told'}, {amount.scope})"))
    if action.evidence:
        screen.print(Text(f"    “{action.evidence[0].text}”", style="italic dim"))


def _named(firm: FoundFirm) -> str:
    known = firm.firm_id or "not in the register"
    return f"{firm.surface} [{known}]" if firm.surface == firm.name else f"{firm.name} ({firm.surface}) [{known}]"


def show_checks(checks: Sequence[Check]) -> None:
    """A line a check."""
    screen = Console(highlight=False)
    for check in checks:
        mark = ("ok  ", "green") if check.is_ok else ("mend", "bold red")
        screen.print(Text.assemble(mark, f"  {check.name:12} {check.says}"))


_SCORE_WORDS = {"target_precision": "precision", "target_recall": "recall", "target_f1": "F1"}


def show_run(run: Run) -> None:
    """The scores, a table a file, each with its interval and out of how many it is."""
    screen = Console(highlight=False)
    for (file, language), table in run.scores.items():
        lines = Table(box=None, show_header=False, pad_edge=False, title=f"{file} ({language})", title_justify="left", title_style="bold")
        for name, one in table.items():
            words = _SCORE_WORDS.get(name, name.replace("_", " "))
            lines.add_row(words, f"{one.value:.3f}", Text(f"{one.low:.3f} to {one.high:.3f}", style="dim"), f"of {one.n}")
        screen.print(lines)
    if run.twins:
        screen.print(f"texts in both scripts read alike: {run.twins[0]} of {run.twins[1]}", style="bold")


def show_wrong(run: Run) -> None:
    """Every row that is read wrongly: what is wrong, and what was read."""
    screen = Console(highlight=False)
    for row in run.outcomes:
        if row.wrong:
            screen.print(Text(f"{row.file} {row.id}  {row.text}", style="bold"))
            screen.print(Text(f"    {'; '.join(row.wrong)}   {row.got}"))


def show_changes(changes: Sequence[tuple[Outcome, list[str], dict[str, object]]]) -> None:
    """Every row that reads otherwise than in the saved run: what was wrong with it, and what is now."""
    screen = Console(highlight=False)
    for row, wrong, got in changes:
        mark = "better" if len(row.wrong) < len(wrong) else "worse" if len(row.wrong) > len(wrong) else "other"
        screen.print(Text(f"{mark:7} {row.file} {row.id}  {row.text[:90]}"))
        screen.print(Text(f"        then  {'; '.join(wrong) or 'right'}   {got}", style="dim"))
        screen.print(Text(f"        now   {'; '.join(row.wrong) or 'right'}   {row.got}"))
    screen.print(f"{len(changes)} rows changed", style="bold")
