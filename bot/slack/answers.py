"""The answers to commands: what was asked for, or what is wrong and what to type next. Pure.

Drawn with the parts of `bot.slack.cards`. Every answer that says what there is ends with the coverage line, so
that "nothing happened" and "nothing was read" never look alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import bot.slack.text as t
from bot.slack.cards import (
    LONGEST_QUOTE,
    LONGEST_SECTION,
    Look,
    Message,
    Sheet,
    against,
    button,
    button_row,
    change_words,
    context,
    coverage_block,
    details_button,
    fields_block,
    firm_name,
    firm_title,
    head_line,
    money,
    named,
    open_button,
    quote_blocks,
    row,
    said_aloud,
    section,
    source_line,
    title_block,
)
from bot.slack.grammar import ActionDetail, Actions, FirmInfo, Subscribe, Target, Why, unparse
from bot.slack.text import Mrkdwn, escape, join, mrkdwn
from storage.models import Followed, Health, Mode, Role, Tier
from storage.views import ActionDetail as ActionDetailView
from storage.views import (
    ActionPage,
    ActionView,
    Coverage,
    DocumentView,
    FirmView,
    SourceView,
    WhyLine,
    WhyView,
)

WHY_NAMES = 6
_MARKS = {True: "✓", False: "✗", None: "•"}


# --- answers about actions ---


def actions(page: ActionPage, asked: Actions, firm: FirmView | None, *, span: str, limit: int, look: Look) -> Message:
    """The list of actions, newest first, with how many there are in which role. `asked` is the question, `span` its time in words."""
    many = "" if page.total == 1 else "s"
    total = 0 if page.is_older else page.total
    roles = f" (target {page.targets}, group {page.groups})" if firm else ""
    counted = mrkdwn("{} action{} {}{}", total, many if total else "s", span, roles)
    title = mrkdwn("{}   {}", firm_title(firm) if firm else Mrkdwn("*All firms*"), counted)
    first = (asked.page - 1) * limit
    paging = [
        button("Previous", unparse(replace(asked, page=asked.page - 1)), "run") if asked.page > 1 else None,
        button("Next", unparse(replace(asked, page=asked.page + 1)), "run")
        if not page.is_older and first + len(page.actions) < page.total
        else None,
    ]
    subscribe = Subscribe((Target(Followed.FIRM, firm.id),)) if firm else None
    is_one = len(page.actions) == 1
    buttons = button_row(
        button("Share", unparse(asked), "share") if page.actions else None,
        details_button(page.actions[0]) if is_one else None,
        button("Subscribe", unparse(subscribe), "ask") if subscribe else None,
        *paging,
    )
    sheet = Sheet([*coverage_block(page.coverage, look), *buttons])
    notes = [mrkdwn("Filter: {}", t.code(str(asked.filter)))] if asked.filter.terms else []
    if page.is_older:
        notes.append(Mrkdwn("Nothing in that time. The newest before it:"))
    elif len(page.actions) < page.total and page.actions:
        notes.append(mrkdwn("Results {}-{} of {}", first + 1, first + len(page.actions), page.total))
    sheet.add(section(title))
    if notes:
        sheet.add(context(*notes))
    if not page.actions:
        sheet.add(section(Mrkdwn("No older page." if asked.page > 1 else "No action is known.")))
    shown = 0
    for number, action in enumerate(page.actions):
        details = None if is_one else button("Details", unparse(ActionDetail(action.id)), "ask", number)
        if not sheet.add(row(action, look, details)):
            sheet.missing = mrkdwn(
                "{} more of this page did not fit; a smaller {} shows them.", len(page.actions) - shown, t.code("limit:")
            )
            break
        shown += 1
    text = join(
        " ",
        [
            mrkdwn("{}: {}.", escape(firm.name) if firm else Mrkdwn("All firms"), counted),
            *(said_aloud(action, look) for action in page.actions[:shown]),
        ],
    )
    return sheet.message(mrkdwn("{} {}.", text, t.coverage_line(page.coverage, look.zone, look.now)))


def action(detail: ActionDetailView, look: Look) -> Message:
    """One action with all that proves it: fields, quotes, documents, its case and its history."""
    view = detail.action
    asked = ActionDetail(view.id)
    url = view.documents[0].url if view.documents else ""
    buttons = button_row(
        button("Share", unparse(asked), "share"), button("Why here?", unparse(Why(view.id)), "ask"), open_button("Open source", url)
    )
    sheet = Sheet([*coverage_block(detail.coverage, look), *buttons])
    sheet.add(section(head_line(view, look)))
    sheet.add(title_block(view))
    fields = [
        mrkdwn("*Status*\n{}", t.words(view.status)),
        mrkdwn("*Amount*\n{}", money(view) or Mrkdwn("none stated")),
        mrkdwn("*Number*\n{}", escape(view.number or "none stated", 80)),
        mrkdwn("*First seen*\n{}", t.instant(view.first_seen_at, look.zone)),
    ]
    if view.effective_on is not None:
        fields.append(mrkdwn("*Effective*\n{}", t.day(view.effective_on)))
    sheet.add(fields_block(fields))
    sheet.add(section(join("\n", [against(view, look), _others(view, look)])))
    sheet.add(*quote_blocks(view), *([context(source_line(view))] if view.documents else []))
    _add_lines(sheet, "*Documents*", [_document(document, look) for document in view.documents])
    _add_lines(
        sheet,
        "*Evidence*",
        [
            mrkdwn("{}: “{}”", escape(evidence.field.replace("_", " "), 40), escape(evidence.text, LONGEST_QUOTE))
            for evidence in detail.evidence
        ],
    )
    _add_lines(
        sheet, "*Same case*", [join(" · ", [head_line(other, look), t.listed(named(other.named, look), 200)]) for other in detail.case]
    )
    _add_lines(
        sheet, "*History*", [mrkdwn("{}: {}", t.instant(change.at, look.zone), change_words(change, view)) for change in detail.changes]
    )
    return sheet.message(mrkdwn("{} {}.", said_aloud(view, look), t.coverage_line(detail.coverage, look.zone, look.now)))


def _others(view: ActionView, look: Look) -> Mrkdwn:
    """Firms of other roles than target and group: complainants, venues, the merely mentioned."""
    rest = [firm for firm in view.firms if firm.role not in (Role.TARGET, Role.GROUP)]
    return (
        mrkdwn("Also named: {}", t.listed([mrkdwn("{} ({})", firm_name(firm, look), t.words(firm.role)) for firm in rest], 500))
        if rest
        else Mrkdwn("")
    )


def _document(document: DocumentView, look: Look) -> Mrkdwn:
    tier = "the regulator" if document.tier is Tier.PRIMARY else "press"
    when = t.published(document.published_at, document.published_precision, look.zone) if document.published_at else Mrkdwn("undated")
    title = t.link(document.url, t.plain(document.title or document.url, 160))
    return join(" · ", [title, escape(document.publisher, 80), Mrkdwn(tier), when, escape(document.number or "", 60)])


def _add_lines(sheet: Sheet, title: str, lines: Sequence[Mrkdwn], most: int = 12) -> None:
    """A titled list that takes what room there is and says how much it leaves out."""
    for count in range(min(len(lines), most), 0, -1):
        more = [mrkdwn("and {} more", len(lines) - count)] if len(lines) > count else []
        text = join("\n", [Mrkdwn(title), *(mrkdwn("• {}", line) for line in lines[:count]), *more])
        if len(text) <= LONGEST_SECTION and sheet.has_room(section(text)):
            sheet.add(section(text))
            return
    if lines:
        sheet.missing = Mrkdwn("Some of it did not fit here.")


def why(view: WhyView, coverage: Coverage, look: Look) -> Message:
    """The steps of the reasoning: what matched, which filter passed, what was delivered."""
    where = t.place(view.channel.slack_id, view.channel.name) if view.channel else Mrkdwn("this channel, which follows nothing")
    sheet = Sheet([*coverage_block(coverage, look), *button_row(details_button(view.action))])
    sheet.add(section(mrkdwn("*Why {} in {}*\n{}", view.action.ref, where, head_line(view.action, look))))
    told = list(view.lines)
    for subject in ("name", "role"):
        # these come first and may be many; what decided comes last and must not be cut off
        these = [line for line in told if line.subject == subject]
        if len(these) > WHY_NAMES:
            at = told.index(these[WHY_NAMES])
            told = [line for line in told if line not in these[WHY_NAMES:]]
            told.insert(at, WhyLine(subject, f"and {len(these) - WHY_NAMES} more {subject}s"))
    sheet.lines([mrkdwn("{} {}: {}", _MARKS[line.is_passed], t.bold(escape(line.subject, 40)), escape(line.text, 300)) for line in told])
    said = [
        mrkdwn(
            "{}{}: {}.", {True: "passed: ", False: "failed: ", None: ""}[line.is_passed], escape(line.subject, 40), escape(line.text, 200)
        )
        for line in told
    ]
    return sheet.message(join(" ", [mrkdwn("Why {} in {}.", view.action.ref, where), *said]))


# --- answers about firms and sources ---


def firm(view: FirmView, coverage: Coverage, look: Look) -> Message:
    """What the register knows of a firm, and how precise each of its names has been."""
    buttons = button_row(
        button("Actions", unparse(Actions(view.id)), "ask"),
        button("Subscribe", unparse(Subscribe((Target(Followed.FIRM, view.id),))), "ask"),
        button("Share", unparse(FirmInfo(view.id)), "share"),
    )
    sheet = Sheet([*coverage_block(coverage, look), *buttons])
    facts = join(" · ", [Mrkdwn(view.kind.value), escape(view.country, 20), mrkdwn("id {}", t.code(view.id))])
    sheet.add(section(join("\n", [firm_title(view), facts, escape(view.note, 300)])))
    sheet.add(section(mrkdwn("Actions on record: {} as target, {} as group", view.target_actions, view.group_actions)))
    _add_lines(sheet, "*Belongs to*", [mrkdwn("{} of {}", t.EDGE_WORDS[edge], escape(name, 80)) for _, name, edge in view.owners])
    children = [mrkdwn("{} ({})", escape(name, 80), t.EDGE_WORDS[edge]) for _, name, edge in view.children]
    if children:
        sheet.add(section(mrkdwn("*Includes*\n{}", t.listed(children))))
    names = [
        mrkdwn(
            "{} ({}{})",
            escape(alias.text, 80),
            alias.strength.value,
            f", {alias.mentions} mentions, {alias.targets} as target" if alias.mentions else "",
        )
        for alias in view.aliases
    ]
    if names:
        sheet.add(section(mrkdwn("*Names*\n{}", t.listed(names, 2_000))))
    text = mrkdwn(
        "{}: {} actions as target, {} as group. {}.",
        escape(view.name),
        view.target_actions,
        view.group_actions,
        t.coverage_line(coverage, look.zone, look.now),
    )
    return sheet.message(text)


def sources(views: Sequence[SourceView], coverage: Coverage, look: Look, *, regulator: str | None = None) -> Message:
    """Health of the sources: those of one regulator each, of all only what is not well."""
    sheet = Sheet(coverage_block(coverage, look))
    polled = [view for view in views if view.is_enabled]
    troubled = [view for view in polled if not view.is_fresh or view.mode is not Mode.LIVE]
    shown = list(views) if regulator else troubled
    title = mrkdwn(
        "*Sources{}*   {} polled, {} not polled",
        f" of {t.plain(regulator, 80)}" if regulator else "",
        len(polled),
        len(views) - len(polled),
    )
    sheet.add(section(title))
    if not shown:
        sheet.add(section(Mrkdwn("All of them are well." if polled else "None is polled.")))
    rows = [_source_row(view, look) for view in sorted(shown, key=lambda view: (not view.is_enabled, view.is_fresh, view.id))]
    told = sheet.lines(rows)
    if told < len(rows):
        sheet.missing = mrkdwn("and {} more; ask for one regulator: {}", len(rows) - told, t.code(f"{look.command} sources csrc"))
    problems = join("; ", [mrkdwn("{} {}", view.id, t.HEALTH_WORDS[view.health]) for view in troubled[:20]])
    text = mrkdwn("{} sources polled. {}. {}", len(polled), t.coverage_line(coverage, look.zone, look.now), problems)
    return sheet.message(text)


def _source_row(view: SourceView, look: Look) -> Mrkdwn:
    if not view.is_enabled:
        return mrkdwn("{} · {} · not polled: {}", t.code(view.id), escape(view.regulator, 80), escape(view.off_reason or "off", 160))
    when = f" since {t.since(view.health_since, look.zone, look.now)}" if view.health_since and view.health is not Health.OK else ""
    detail = mrkdwn(": {}", escape(view.health_detail, 160)) if view.health_detail and view.health is not Health.OK else Mrkdwn("")
    mode = (
        mrkdwn("{}{}", view.mode.value, mrkdwn(": {}", escape(view.mode_reason, 120)) if view.mode_reason else "")
        if view.mode is not Mode.LIVE
        else Mrkdwn("")
    )
    read = mrkdwn("read {}", t.instant(view.last_ok_at, look.zone)) if view.last_ok_at else Mrkdwn("not read yet")
    return join(
        " · ",
        [
            t.code(view.id),
            escape(view.regulator, 80),
            mrkdwn("{}{}{}", t.HEALTH_WORDS[view.health], when, detail),
            mode,
            read,
            mrkdwn("{} document{}", view.documents, "" if view.documents == 1 else "s"),
        ],
    )
