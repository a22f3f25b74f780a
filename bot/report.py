"""What the command line prints for people: tables, and progress where standard error is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from bot.slack.text import kind_label
from storage.models import Health, Mode
from storage.records import DocumentText, Extraction, FoundAction, FoundFirm, action_ref

if TYPE_CHECKING:
    from bot.backtest import Tally
    from bot.check import Checked
    from bot.doctor import Check
    from bot.evaluate import Outcome, Run
    from bot.feeds.preview import Preview
    from bot.poll import PollLine
    from bot.replay import Replayed, Step
    from bot.reread import RereadReport
    from storage.cases import CaseView
    from storage.lint import Finding
    from storage.records import FirmRow, ListOutcome, ListView
    from storage.views import SourceView

_MOST_ROWS = 200
_REFS = 20
_FIRST_LINE, _NEXT_LINE = 1.0, 10.0  # seconds until progress is told where no bar can be drawn
_HEALTH_STYLES = {Health.OK: "green", Health.LATE: "yellow", Health.EMPTY: "yellow"}


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Callable[[object], None]]:
    """How far something is that takes its time; yields what moves it on by one, whatever it is called with.

    On standard error: a bar on a terminal; otherwise plain lines, the first after a second. `total` is None where nobody
    knows how many there will be.
    """
    screen = Console(stderr=True)
    if not screen.is_terminal:
        yield _told_in_lines(what, total)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=screen, transient=True) as bars:
        task = bars.add_task(what, total=total)
        yield lambda _done: bars.advance(task)


def _told_in_lines(what: str, total: int | None) -> Callable[[object], None]:
    """What tells on standard error how many are done, now and then."""
    done, due = 0, monotonic() + _FIRST_LINE

    def step(_done: object) -> None:
        nonlocal done, due
        done += 1
        if (now := monotonic()) >= due:
            due = now + _NEXT_LINE
            print(f"{what}: {done}{'' if total is None else f' of {total}'}", file=sys.stderr, flush=True)  # noqa: T201

    return step


def show_case(case: CaseView) -> None:
    """One row an action, oldest first, with the reason why it is in the case; what people said of it; who sees it."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("action", "kind", "status", "on", "why", "title"):
        table.add_column(name, no_wrap=name != "title")
    for view, reason in case.actions:
        on = str(view.decided_on or (view.published_at or view.first_seen_at).date())
        table.add_row(view.ref, kind_label(view.kind), view.status.value, on, reason or "opened it", Text(view.title))
    screen = Console()
    screen.print(table)
    for change in case.changes:
        screen.print(Text(f"{change.at:%Y-%m-%d %H:%M} UTC  {change.by}: {change.before} became {change.after}"))
    screen.print(f"shown in {case.channels} channel{'' if case.channels == 1 else 's'}")


def show_polls(lines: Sequence[PollLine]) -> None:
    """One row a source, worst first; what is odd about some; the sums."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("source", no_wrap=True)
    table.add_column("health", no_wrap=True)
    for name in ("entries", "new", "changed", "actions", "owed", "seconds"):
        table.add_column(name, justify="right")
    for line in sorted(lines, key=lambda line: (line.is_good, line.source)):
        health = Text(line.health, style=_HEALTH_STYLES.get(line.health, "red"))
        numbers = (line.entries, line.new, line.changed, line.actions, line.owed)
        table.add_row(line.source, health, *map(str, numbers), f"{line.seconds:.2f}")
    screen = Console(highlight=False)
    screen.print(table)
    for line in lines:
        if line.detail:
            screen.print(Text(f"  {line.source}: {line.detail}", style="dim"))
    good = sum(line.is_good for line in lines)
    new, actions, owed = (sum(getattr(line, name) for line in lines) for name in ("new", "actions", "owed"))
    screen.print(
        f"{good} of {len(lines)} sources read well; {new} new documents, {actions} new actions, {owed} messages owed", style="bold"
    )


def show_sources(views: Sequence[SourceView]) -> None:
    """One line a source, what is not well first, and why on the next."""
    screen = Console(highlight=False)
    screen.print(Text(f"{'source':28} {'mode':6} {'health':19} {'well read':16} {'docs':>5}", style="bold"))
    for view in sorted(views, key=lambda view: (not view.is_enabled, view.health is Health.OK, view.mode is Mode.LIVE, view.id)):
        is_polled = view.is_enabled
        mode = (f"{view.mode:6}", "" if view.mode is Mode.LIVE else "yellow") if is_polled else ("off   ", "dim")
        is_unread = view.health is Health.OK and view.last_ok_at is None
        told = ("not read yet", "dim") if is_unread else (view.health, _HEALTH_STYLES.get(view.health, "red"))
        health = (f"{told[0]:19}", told[1]) if is_polled else (" " * 19, "")
        read = f"{view.last_ok_at:%Y-%m-%d %H:%M}" if view.last_ok_at else ""
        screen.print(Text.assemble(f"{view.id:28} ", mode, " ", health, f" {read:16} {view.documents or '':>5}"))
        why = "; ".join(filter(None, (view.mode_reason, view.health_detail))) if is_polled else view.off_reason
        if why:
            screen.print(Text(f"    {why}", style="dim"))
    polled = [view for view in views if view.is_enabled]
    screen.print(f"{sum(view.is_fresh for view in polled)} of {len(polled)} sources fresh", style="bold")


def show_checked(found: Sequence[Checked]) -> None:
    """One line a source, what cannot be read first, and why, or its first title, on the next."""
    screen = Console(highlight=False)
    screen.print(Text(f"{'source':28} {'state':19} {'entries':>7} {'newest':10} {'page':>6} {'s':>5}", style="bold"))
    for one in sorted(found, key=lambda one: (one.health is Health.OK, one.source)):
        state = (f"{one.health:19}", _HEALTH_STYLES.get(one.health, "red"))
        page, newest = "" if one.body is None else str(one.body), f"{one.newest:%Y-%m-%d}" if one.newest else ""
        screen.print(Text.assemble(f"{one.source:28} ", state, f" {one.entries:7} {newest:10} {page:>6} {one.seconds:5.1f}"))
        if said := one.says or one.title:
            screen.print(Text(f"    {said}", style="dim"))
    good = sum(one.health is Health.OK for one in found)
    screen.print(f"{good} of {len(found)} sources can be read", style="bold")


def show_step(step: Step) -> None:
    """A poll of a recording that brought something."""
    parts = [f"{name} {value}" for name in ("new", "edited", "returned", "owed", "false_new") if (value := getattr(step, name))]
    told = ", ".join(parts) or step.detail
    line = Text.assemble(
        (f"{step.at:%Y-%m-%d %H:%M} ", "dim"), f"{step.source:40.40} ", (f"{step.health:15}", _HEALTH_STYLES.get(step.health, "red")), told
    )
    screen = Console(highlight=False)
    screen.print(line)
    if step.hold:
        screen.print(Text(f"    held: {step.hold}", style="yellow"))


def show_replayed(total: Replayed) -> None:
    """The sums of a replay."""
    screen = Console(highlight=False)
    screen.print(
        f"{total.polls} polls: {total.documents} documents, {total.new} new after the first polls, {total.edited} edited, "
        f"{total.false_new} new twice, {total.returned} returned"
    )
    screen.print(f"{total.actions} actions, {total.alerts} alerts, the fuse held {total.held} times; {total.seconds} s", style="bold")


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
    language = Text(f"  [{reading.language}]", style="dim")
    title = Text(document.title or " ".join(document.text[:400].split()), style="bold")
    if not document.title:
        title.truncate(screen.width - language.cell_len, overflow="ellipsis")
    screen.print(title + language)
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


def show_firms(firms: Sequence[FirmRow]) -> None:
    """A line a firm; of very many the first."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("id", "name", "Chinese", "country", "tickers"):
        table.add_column(name, overflow="fold")
    for firm in firms[:_MOST_ROWS]:
        chinese = " ".join(dict.fromkeys(name for name in (firm.name_zh_hant, firm.name_zh_hans) if name))
        table.add_row(firm.id, Text(firm.name), Text(chinese), firm.country, Text(" ".join(firm.tickers)))
    screen = Console(highlight=False)
    screen.print(table)
    more = f"; the first {_MOST_ROWS} are shown, --json gives all" if len(firms) > _MOST_ROWS else ""
    screen.print(f"{len(firms)} firms{more}", style="bold")


def show_lists(lists: Sequence[ListView]) -> None:
    """A line a list."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("list")
    table.add_column("firms named", justify="right")
    table.add_column("names", justify="right")
    for view in lists:
        table.add_row(Text(view.name), str(view.firms), str(view.names))
    Console(highlight=False).print(table)


def show_import(outcome: ListOutcome, *, is_dry_run: bool) -> None:
    """What came of a list, and why rows of it were left out."""
    screen = Console(highlight=False)
    counts = {
        "rows": outcome.rows,
        "new firms": outcome.new_firms,
        "known firms named": outcome.joined,
        "names added": outcome.new_names,
        "names as before": outcome.same_names,
        "names gone": outcome.gone_names,
        "firms gone": outcome.gone_firms,
        "owners": outcome.parents,
    }
    told = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count or what == "rows")
    screen.print(Text.assemble((outcome.name, "bold"), f": {told}"))
    if outcome.kept:
        screen.print(Text(f"  stay, for actions or subscriptions refer to them: {', '.join(outcome.kept[:20])}", style="yellow"))
    for left in outcome.left_out:
        few = f" ({', '.join(left.examples)}{', ...' if left.rows > len(left.examples) else ''})" if left.examples else ""
        screen.print(Text(f"  left out: {left.rows:,}, {left.reason}{few}", style="yellow"))
    if is_dry_run:
        screen.print("  a dry run: nothing was written", style="bold")
    elif outcome.is_change:
        show_read_again("them")
    else:
        screen.print("  nothing has changed", style="dim")


def show_read_again(whom: str, firm_id: str = "FIRM") -> None:
    """What follows from names that came or went, for texts that are stored already."""
    screen = Console(highlight=False, soft_wrap=True)
    screen.print(f"  `regwatch run` reads with {whom} within a minute, and reads stored documents that may name {whom} again", style="dim")
    screen.print(f"  without waiting for that: `regwatch backfill {firm_id}`", style="dim")


def show_findings(findings: Sequence[Finding], *, is_clean_told: bool = False) -> None:
    """A line a finding."""
    screen = Console(highlight=False)
    for one in findings:
        screen.print(Text.assemble((f"{one.check:15}", "yellow"), f" {one.firm}: ", (one.name, "bold"), f" - {one.says}"))
    if is_clean_told:
        screen.print(f"{len(findings)} names to look at" if findings else "no name to look at", style="bold")


def show_tallies(tallies: Sequence[Tally], documents: int) -> None:
    """How often each firm was matched, with samples."""
    screen = Console(highlight=False)
    for tally in tallies:
        known = tally.firm_id if tally.is_known else "not in the register"
        counts = f"{tally.documents} of {documents} documents, {tally.as_target} as target, {tally.as_group} as group"
        screen.print(Text.assemble((tally.typed, "bold"), (f" [{known}]", "dim"), f": {counts}"))
        for sample in tally.samples:
            screen.print(Text.assemble("  ", (f"{sample.at:%Y-%m-%d} {sample.role:9}", "dim"), " ", sample.title or "(no title)"))
            screen.print(Text(f"    “{sample.sentence[:240]}”", style="italic dim"))


def show_reread(report: RereadReport) -> None:
    """What reading documents again changed, or would change."""
    told, screen = report.outcome, Console(highlight=False)
    would = "would be " if report.is_dry_run else ""
    screen.print(Text.assemble((report.subject, "bold"), f": {told.read} of {report.looked_at} stored documents read again"))
    screen.print(f"  {told.changed} {would}changed; {len(told.opened)} actions {would}new, {len(told.moved)} {would}changed")
    if told.unsaid:
        screen.print(f"  {told.unsaid} of these actions {would}without a firm: their document is no longer read as an act against one")
    if told.firms:
        screen.print(f"  newly named: {', '.join(sorted(told.firms))}")
    if told.opened and not report.is_dry_run:
        refs = [action_ref(one) for one in told.opened[:_REFS]]
        screen.print(f"  {', '.join(refs)}{' ...' if len(told.opened) > _REFS else ''}: nobody was alerted")
    if told.left_out:
        screen.print(f"  {told.left_out} left out: edited meanwhile")
    if report.unreadable:
        screen.print(f"  {report.unreadable} could not be read: a fault of Regwatch, the log has the traceback")
    if report.is_due:
        screen.print("  its next poll is due and looks at all that it lists; what is new there and not old alerts as ever")


_SCORE_WORDS = {
    "target_precision": "precision",
    "target_recall": "recall",
    "target_recall_to_the_letter": "recall to the letter",
    "target_f1": "F1",
}


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
