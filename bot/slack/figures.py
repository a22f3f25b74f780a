"""Answers in figures: sums, time lines, hits of a search, exports, and what reading again changed. Pure.

Nothing is reckoned here: `storage.figures` and `storage.fulltext` add and count, this room says it in words, with what
the number does not cover beside it. `bot.slack.picture` paints the time line that `timeline` writes in blocks.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, fields, replace
from datetime import date
from decimal import Decimal

import bot.slack.text as t
from bot.slack.blocks import LONGEST_QUOTE, Block, Look, Message, Sheet, button, button_row, context, section
from bot.slack.cards import coverage_block, firm_title
from bot.slack.grammar import ActionDetail, Actions, Backfill, Export, Search, Timeline, Totals, unparse
from bot.slack.replies import aloud, counted, trail_word
from bot.slack.text import Mrkdwn, escape, join, mrkdwn
from storage.models import AmountKind, Kind, Precision, Status, Tier
from storage.records import PartialDate, action_ref
from storage.views import ExportRow, FirmView, SearchHit, SearchPage, SumView, TimelinePoint, TimelineView, TotalsRow, TotalsView

SEARCH_PAGE = 5
"""Hits in one answer, unless `limit:` says otherwise."""

NEWEST = 10  # points of a time line that are told one by one
_BARS = "▂▃▄▅▆▇█"
_NOTHING = "▁"
_FORMULA = "=+-@＝＋－＠"  # the full-width ones start a formula in some spreadsheets too


# --- totals -------------------------------------------------------------------------------------------------------------


def totals(view: TotalsView, asked: Totals, firm: FirmView | None, look: Look) -> Message:
    """The sums of what was done to a firm (None: to all that the filter passes), by currency and stage, and in groups if asked."""
    whole = view.whole
    sheet = Sheet([*coverage_block(view.coverage, look), *_totals_buttons(view, asked, firm, look)])
    head = _whose(firm, look)
    counts = join(" · ", [counted(whole.actions, "{} action", "{} actions", look), _with_and_without(whole, look)])
    sheet.add(section(mrkdwn("{}   {}", head, counts)))
    if asked.filter.terms:
        sheet.add(context(look.mrkdwn("Filter: {}", t.code(str(asked.filter)))))
    if not whole.actions:
        sheet.add(section(look.mrkdwn("No action is known.")))
    elif not whole.penalties:
        sheet.add(section(look.mrkdwn("None of them is a penalty.")))
    elif not whole.sums:
        sheet.add(section(look.mrkdwn("The texts state no sum.")))
    else:
        sheet.add(section(join("\n", [mrkdwn("• {}", _sum_line(sum_, look)) for sum_ in _ordered(whole.sums)])))
        sheet.add(context(look.mrkdwn("Nothing is converted, and what is proposed is not added to what is final.")))
    if view.rows:
        sheet.add(section(_by_words(view.by, look)))
        sheet.lines([_totals_row(row, view.by, look) for row in view.rows])
    said = [
        mrkdwn("{}: {}", _name(firm, look), counts),
        *(_sum_line(sum_, look) for sum_ in _ordered(whole.sums)[:6]),
        look.mrkdwn("Nothing is converted, and what is proposed is not added to what is final.") if whole.sums else Mrkdwn(""),
        t.coverage_line(view.coverage, look.zone, look.now, language=look.language),
    ]
    return sheet.message(aloud(said))


def _name(firm: FirmView | None, look: Look) -> Mrkdwn:
    return escape(firm.name) if firm else look.mrkdwn("All firms")


def _whose(firm: FirmView | None, look: Look) -> Mrkdwn:
    return firm_title(firm, look) if firm else look.mrkdwn("*All firms*")


def _totals_buttons(view: TotalsView, asked: Totals, firm: FirmView | None, look: Look) -> list[Block]:
    groups = {"year": look.say("By year"), "regulator": look.say("By regulator"), "kind": look.say("By kind")}
    listed = Actions(firm.id if firm else None, asked.filter)
    drawn = Timeline(asked.firm, asked.filter)
    return button_row(
        button(look.say("Share"), unparse(asked), "share") if view.whole.actions else None,
        *(button(words, unparse(replace(asked, by=by)), "run") for by, words in groups.items() if by != view.by and view.whole.penalties),
        button(look.say("Actions"), unparse(listed), "ask") if view.whole.actions else None,
        button(look.say("Timeline"), unparse(drawn), "ask") if view.whole.actions else None,
    )


def _with_and_without(row: TotalsRow, look: Look) -> Mrkdwn:
    """3 penalties with amounts, 2 without."""
    if not row.penalties:
        return Mrkdwn("")
    if not row.without_sum:
        return counted(row.penalties, "{} penalty, with an amount", "{} penalties, all with amounts", look)
    if not row.with_sum:
        return counted(row.penalties, "{} penalty, without an amount", "{} penalties, all without amounts", look)
    first = counted(row.with_sum, "{} penalty with an amount", "{} penalties with amounts", look)
    return look.mrkdwn("{}, {} without", first, row.without_sum)


def _ordered(sums: Sequence[SumView]) -> list[SumView]:
    """By currency, then by stage from proposed to collected; what has no currency last."""
    stages = list(AmountKind)
    return sorted(sums, key=lambda sum_: (sum_.currency is None, sum_.currency or "", stages.index(sum_.kind)))


def _sum_line(sum_: SumView, look: Look) -> Mrkdwn:
    """*CNY 18,228,000,000* imposed in 2 actions, of which 1 for a list of several firms."""
    template = look.say("{} {} in {} action" if sum_.actions == 1 else "{} {} in {} actions")
    said = mrkdwn(template, t.bold(_sum_words(sum_, look)), _stage(sum_.kind, look), f"{sum_.actions:,}")
    shared = look.mrkdwn(", of which {} for a list of several firms", sum_.shared) if sum_.shared else Mrkdwn("")
    return mrkdwn("{}{}", said, shared)


def _stage(kind: AmountKind, look: Look) -> Mrkdwn:
    return escape(t.words(kind, language=look.language))


def _sum_words(sum_: SumView, look: Look) -> Mrkdwn:
    least, most = _number(sum_.minimum), _number(sum_.maximum)
    said = Mrkdwn(least) if least == most else look.mrkdwn("{} to {}", Mrkdwn(least), Mrkdwn(most))
    return mrkdwn("{} {}", sum_.currency, said) if sum_.currency else look.mrkdwn("{} (currency not told)", said)


def _number(value: Decimal) -> str:
    """18,228,000,000 or 0.5: exact, without zeros that say nothing."""
    plain = f"{value:,f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _by_words(by: str, look: Look) -> Mrkdwn:
    words = {"year": look.say("By year"), "regulator": look.say("By regulator"), "kind": look.say("By kind")}
    return t.bold(words.get(by, by))


def _totals_row(row: TotalsRow, by: str, look: Look) -> Mrkdwn:
    """*2021* · 3 actions · CNY 18,228,000,000 imposed · 1 penalty without an amount."""
    label = t.words(Kind(row.label), language=look.language) if by == "kind" and row.label in set(Kind) else row.label
    sums = [mrkdwn("{} {}", _sum_words(sum_, look), _stage(sum_.kind, look)) for sum_ in _ordered(row.sums)]
    without = (
        counted(row.without_sum, "{} penalty without an amount", "{} penalties without amounts", look) if row.without_sum else Mrkdwn("")
    )
    many = counted(row.actions, "{} action", "{} actions", look)
    return join(" · ", [t.bold(escape(label, 120)), many, t.listed(sums, 600, language=look.language), without])


# --- the time line --------------------------------------------------------------------------------------------------------


def timeline(view: TimelineView, asked: Timeline, firm: FirmView | None, look: Look, *, picture: str = "") -> Message:
    """When a firm was acted against: a line of blocks, and the newest actions one by one.

    `picture` is what becomes of the picture: "follows", "plot" (the package that is missing), or "" to say nothing of one.
    """
    detail = ActionDetail(view.points[0].action_id) if view.points else None
    buttons = button_row(
        button(look.say("Share"), unparse(asked), "share") if view.total else None,
        button(look.say("Newest"), unparse(detail), "ask") if detail else None,
        button(look.say("Actions"), unparse(Actions(firm.id if firm else None, asked.filter)), "ask") if view.total else None,
        button(look.say("Totals"), unparse(Totals(asked.firm, "", asked.filter)), "ask") if view.total else None,
    )
    sheet = Sheet([*coverage_block(view.coverage, look), *buttons])
    many = counted(view.total, "{} action", "{} actions", look)
    sheet.add(section(mrkdwn("{}   {}", _whose(firm, look), many)))
    if asked.filter.terms:
        sheet.add(context(look.mrkdwn("Filter: {}", t.code(str(asked.filter)))))
    if not view.total or not view.steps:
        sheet.add(section(look.mrkdwn("No action is known.")))
        return sheet.message(aloud([mrkdwn("{}: {}", _name(firm, look), many)]))
    first, last = (step_name(view.steps[at][0], view.unit, look) for at in (0, -1))
    highest = max(count for _, count in view.steps)
    drawn = mrkdwn("{} {} {}", first, t.code(sparkline([count for _, count in view.steps])), last)
    sheet.add(section(join("\n", [drawn, join(look.say("; "), [_unit_words(view.unit, look), look.mrkdwn("at most {} in one", highest)])])))
    kinds = Counter(point.kind for point in view.points)
    told = [mrkdwn("{} {}", t.words(kind, language=look.language), count) for kind, count in kinds.most_common()]
    whose = look.mrkdwn("Of the newest {}: ", len(view.points)) if view.total > len(view.points) else Mrkdwn("")
    sheet.add(context(mrkdwn("{}{}", whose, t.listed(told, 600, language=look.language)), _picture_words(picture, look)))
    shown = view.points[:NEWEST]
    sheet.lines([_point(point, look) for point in shown])
    if view.total > len(shown):
        sheet.add(context(look.mrkdwn("and {} earlier ones", view.total - len(shown))))
    said = [
        mrkdwn("{}: {}", _name(firm, look), many),
        look.mrkdwn("From {} to {}, {}, at most {} in one.", first, last, _unit_words(view.unit, look), highest),
        *(_point(point, look) for point in shown[:3]),
        t.coverage_line(view.coverage, look.zone, look.now, language=look.language),
    ]
    return sheet.message(aloud(said))


def sparkline(counts: Sequence[int]) -> str:
    """One block a step, as high as its share of the highest; the lowest is nothing at all, and only that."""
    highest = max(counts, default=0)
    return "".join(_BARS[(count * len(_BARS) - 1) // highest] if count else _NOTHING for count in counts)


def step_name(on: date, unit: str, look: Look) -> str:
    """A step of time by its first day: Mar 2021, Q1 2021 or 2021."""
    if unit == "quarter":
        # not escaped: the picture takes the words too, and digits need it not
        return look.mrkdwn("Q{} {}", (on.month + 2) // 3, f"{on.year}")
    precision = Precision.YEAR if unit == "year" else Precision.MONTH
    return t.partial(PartialDate(on, precision), language=look.language)


def _unit_words(unit: str, look: Look) -> Mrkdwn:
    words = {"month": "a block a month", "quarter": "a block a quarter", "year": "a block a year"}
    return look.mrkdwn(words[unit]) if unit in words else Mrkdwn("")


def _picture_words(picture: str, look: Look) -> Mrkdwn:
    match picture:
        case "follows":
            return look.mrkdwn("The picture follows.")
        case "plot":
            return look.mrkdwn("No picture: who runs Regwatch installs {} for it.", t.code("regwatch[plot]"))
    return Mrkdwn("")


def _point(point: TimelinePoint, look: Look) -> Mrkdwn:
    status = t.words(point.status, language=look.language) if point.status is not Status.IN_FORCE else ""
    words = t.words(point.kind, language=look.language)
    return join(" · ", [mrkdwn("{}", t.day(point.on, language=look.language)), t.bold(point.ref), escape(words), escape(status)])


# --- search -----------------------------------------------------------------------------------------------------------------


def search(page: SearchPage, asked: Search, look: Look) -> Message:
    """Documents that hold the words, each with the place where they stand and the actions it tells of."""
    limit = int((asked.filter.values("limit") or (str(SEARCH_PAGE),))[0])
    first = (asked.page - 1) * limit
    shown = first + len(page.hits)
    has_next = bool(page.hits) and (page.is_more or shown < page.total)
    buttons = button_row(
        button(look.say("Share"), unparse(asked), "share") if page.hits else None,
        button(look.say("Previous"), unparse(replace(asked, page=asked.page - 1)), "run") if asked.page > 1 else None,
        button(look.say("Next"), unparse(replace(asked, page=asked.page + 1)), "run") if has_next else None,
    )
    sheet = Sheet([*coverage_block(page.coverage, look), *buttons])
    many = look.mrkdwn("more than {} documents", page.total) if page.is_more else counted(page.total, "{} document", "{} documents", look)
    head = look.mrkdwn("Search {}: {}", t.code(asked.words), many)
    sheet.add(section(head))
    notes = [look.mrkdwn("Filter: {}", t.code(str(asked.filter)))] if asked.filter.terms else []
    if page.hits and (page.is_more or len(page.hits) < page.total):
        place = look.mrkdwn("{}-{} of more than {}", first + 1, shown, page.total) if page.is_more else None
        notes.append(place or look.mrkdwn("{}-{} of {}", first + 1, shown, page.total))
    if notes:
        sheet.add(context(*notes))
    if not page.hits and asked.page > 1:
        sheet.add(section(look.mrkdwn("No further page.")))
    elif not page.hits:
        sheet.add(
            section(look.mrkdwn("No stored document holds all of these words. Fewer words find more; {} is a phrase.", t.code('"…"')))
        )
    told = 0
    for number, hit in enumerate(page.hits):
        details = button(look.say("Details"), unparse(ActionDetail(hit.action_ids[0])), "ask", number) if hit.action_ids else None
        if not sheet.add(section(_hit(hit, look), details)):
            left = len(page.hits) - told
            sheet.missing = look.mrkdwn("{} more of this page did not fit; a smaller {} shows them.", left, t.code("limit:"))
            break
        told += 1
    titles = [join(", ", [escape(hit.document.title, 120), escape(hit.document.publisher, 80)]) for hit in page.hits[:told]]
    return sheet.message(aloud([head, *titles, t.coverage_line(page.coverage, look.zone, look.now, language=look.language)]))


def _hit(hit: SearchHit, look: Look) -> Mrkdwn:
    """The title, linked; who published it and when; the words in their place; RW-1001, RW-1002."""
    document = hit.document
    title = t.link(document.url, t.plain(document.title or document.url, 160))
    when = (
        t.published(document.published_at, document.published_precision, look.zone, language=look.language)
        if document.published_at
        else look.mrkdwn("undated")
    )
    tier = Mrkdwn("") if document.tier is Tier.PRIMARY else look.mrkdwn("press")
    refs = t.listed([Mrkdwn(action_ref(action_id)) for action_id in hit.action_ids], 200, language=look.language)
    told = refs or look.mrkdwn("tells of no action")
    facts = join(" · ", [escape(document.publisher, 80), tier, when, told])
    quote = mrkdwn("“{}”", escape(hit.snippet, LONGEST_QUOTE)) if t.clean(hit.snippet) else Mrkdwn("")
    return join("\n", [title, facts, quote])


# --- exports ----------------------------------------------------------------------------------------------------------------


def exported(rows: Sequence[ExportRow], asked: Export, look: Look, *, is_attached: bool, firm: FirmView | None = None) -> Message:
    """What an export holds. `is_attached`: the file goes with it; else only its reader sees this, and a button posts the file."""
    what = mrkdwn("{}", firm.name) if firm else mrkdwn("{}", asked.firm) if asked.firm else look.mrkdwn("this channel")
    sheet = Sheet([])
    if not rows:
        since = look.mrkdwn(" since {}", asked.since) if asked.since else Mrkdwn("")
        said = look.mrkdwn("Nothing to export of {}{}.", t.bold(what), since)
        sheet.add(section(said))
        return sheet.message(aloud([said]))
    many = counted(len(rows), "{} row", "{} rows", look)
    first, last = (t.day(rows[at].at.date(), language=look.language) for at in (0, -1))
    head = look.mrkdwn("Export of {}: {}, {} to {}, {}", t.bold(what), many, first, last, asked.format.upper())
    by_what = Counter(row.what for row in rows)
    told = [mrkdwn("{} {}", escape(trail_word(name, look), 40), count) for name, count in by_what.most_common()]
    sheet.add(section(head), context(t.listed(told, 600, language=look.language)))
    if is_attached:
        sheet.add(context(look.mrkdwn("The file follows. Times are UTC.")))
    else:
        # a file is seen by the whole channel, so nobody posts one unasked
        sheet.tail = button_row(button(look.say("Post the file here"), unparse(asked), "share"))
        sheet.add(section(look.mrkdwn("*The newest rows*")))
        sheet.lines([_export_line(row, look) for row in reversed(rows)])
    return sheet.message(aloud([head]))


def _export_line(row: ExportRow, look: Look) -> Mrkdwn:
    what = escape(trail_word(row.what, look), 40)
    when = mrkdwn("{}", t.day(row.at.date(), language=look.language))
    rest = [escape(part, 120) for part in (row.by, row.ref, row.kind.replace("_", " "), row.regulators, row.firms, row.amounts, row.detail)]
    return join(" · ", [when, what, *rest])


def export_text(rows: Sequence[ExportRow], format: str) -> str:
    """The rows as `csv` (a header, CRLF, as RFC 4180 has it) or as `json` (one array, a row a line).

    Every value is one line of clean text. A spreadsheet reads a cell that begins with one of = + - @ as a formula, so an
    apostrophe is put before it in a CSV; JSON is not for spreadsheets and keeps it. Raises ValueError for another format.
    """
    names = [field.name for field in fields(ExportRow)]
    values = [[f"{row.at:%Y-%m-%dT%H:%M:%SZ}", *(t.clean(value) for value in astuple(row)[1:])] for row in rows]
    if format == "json":
        lines = [json.dumps(dict(zip(names, line, strict=True)), ensure_ascii=False) for line in values]
        return "[\n" + ",\n".join(lines) + "\n]\n" if lines else "[]\n"
    if format != "csv":
        raise ValueError(f"an export is csv or json, not {format!r}")
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(names)
    writer.writerows([_harmless(value) for value in line] for line in values)
    return out.getvalue()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(tuple(_FORMULA)) else cell


# --- reading again ------------------------------------------------------------------------------------------------------------


def read_again(
    asked: Backfill,
    look: Look,
    *,
    by: str,
    documents: int,
    changed: int,
    new_actions: int,
    changed_actions: int,
    firms: Sequence[str],
    is_dry_run: bool,
    samples: Sequence[str] = (),
    unreadable: int = 0,
    is_due: bool = False,
) -> Message:
    """What reading stored texts again changed, or (`is_dry_run`) would change. `firms` are those newly
    named, `samples` lines of the report.

    `unreadable`: documents on which the reader failed. `is_due`: the source's next poll looks at all that it still lists.

    A backfill alerts nobody, so the channel hears of it here alone.
    """
    name = t.bold(escape(asked.name, 80))
    sheet = Sheet([])
    read = counted(documents, "{} document", "{} documents", look)
    if is_dry_run:
        head = look.mrkdwn("Reading {} again would change this; nothing was written.", name)
    else:
        head = look.mrkdwn("{} had {} read again. Nobody was alerted.", t.person(by), name)
    lines = [
        look.mrkdwn("Read: {}, {} of them otherwise than before", read, changed),
        look.mrkdwn("New actions: {}, changed actions: {}", new_actions, changed_actions),
    ]
    if firms:
        named = t.listed([escape(firm, 80) for firm in firms], 800, language=look.language)
        lines.append(look.mrkdwn("Firms newly named: {}", named))
    if unreadable:
        lines.append(look.mrkdwn("Not readable: {}, a fault of Regwatch that its log explains", unreadable))
    if is_due:
        lines.append(look.mrkdwn("Its next poll looks at all that it still lists; what is new there, and not old, alerts as ever"))
    sheet.add(section(join("\n", [head, *(mrkdwn("• {}", line) for line in lines)])))
    if samples:
        sheet.lines([escape(sample, 300) for sample in samples])
    if is_dry_run and (changed or new_actions or changed_actions):
        sheet.tail = button_row(button(look.say("Do it"), unparse(replace(asked, is_dry_run=False)), "run"))
    return sheet.message(aloud([head, *lines]), is_ephemeral=is_dry_run)
