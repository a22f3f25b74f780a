"""The answers to commands: what was asked for, or what is wrong and what to type next. Pure.

Drawn with the parts of `bot.slack.cards`. Every answer that says what there is ends with the coverage line, so
that "nothing happened" and "nothing was read" never look alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import bot.slack.text as t
from bot.slack.blocks import (
    LONGEST_QUOTE,
    LONGEST_SECTION,
    Block,
    Look,
    Message,
    Sheet,
    button,
    button_row,
    confirm,
    context,
    fields_block,
    open_button,
    section,
)
from bot.slack.cards import (
    against,
    change_words,
    coverage_block,
    details_button,
    firm_name,
    firm_title,
    head_line,
    money,
    named,
    own_name,
    publisher_name,
    quote_blocks,
    row,
    said_aloud,
    source_line,
    timeline_button,
    timeline_of,
    title_block,
)
from bot.slack.grammar import ActionDetail, Actions, FirmInfo, Target, Unsubscribe, Why, unparse
from bot.slack.terms import country
from bot.slack.text import Mrkdwn, escape, join, mrkdwn
from storage.models import Followed, Health, Mode, Role, Tier
from storage.views import ActionDetail as ActionDetailView
from storage.views import (
    ActionPage,
    ActionView,
    AliasView,
    Coverage,
    DocumentView,
    EvidenceView,
    FirmView,
    SourceView,
    WhyLine,
    WhyView,
)

WHY_NAMES = 6
_MARKS = {True: "✓", False: "✗", None: "•"}


# --- answers about actions ---


def actions(
    page: ActionPage, asked: Actions, firm: FirmView | None, *, span: str, limit: int, look: Look, is_followed: bool = False
) -> Message:
    """The list of actions, newest first, with how many there are in which role.

    `asked` is the question, `span` its time in words (`text.span` in the reader's language); `is_followed`: this channel follows the firm.
    """
    total = 0 if page.is_older else page.total
    counted = look.mrkdwn("{} action {}" if total == 1 else "{} actions {}", total, span)
    if firm:
        counted = look.mrkdwn("{} (target {}, group {})", counted, page.targets, page.groups)
    title = mrkdwn("{}   {}", firm_title(firm, look) if firm else look.mrkdwn("*All firms*"), counted)
    first = (asked.page - 1) * limit
    is_more = not page.is_older and first + len(page.actions) < page.total
    is_one = len(page.actions) == 1
    buttons = button_row(
        button(look.say("Share"), unparse(asked), "share") if page.actions else None,
        details_button(page.actions[0], look) if is_one else None,
        timeline_button(firm.id, look) if firm else None,
        _follow_button(firm, look, is_followed=is_followed) if firm else None,
        button(look.say("Previous"), unparse(replace(asked, page=asked.page - 1)), "run") if asked.page > 1 else None,
        button(look.say("Next"), unparse(replace(asked, page=asked.page + 1)), "run") if is_more else None,
    )
    sheet = Sheet([*coverage_block(page.coverage, look), *buttons], look)
    notes = [look.mrkdwn("Filter: {}", t.code(str(asked.filter)))] if asked.filter.terms else []
    if page.is_older:
        notes.append(look.mrkdwn("Nothing in that time. The newest before it:"))
    elif len(page.actions) < page.total and page.actions:
        notes.append(look.mrkdwn("Results {}-{} of {}", first + 1, first + len(page.actions), page.total))
    sheet.add(section(title))
    if notes:
        sheet.add(context(*notes))
    if not page.actions:
        sheet.add(section(look.mrkdwn("No older page." if asked.page > 1 else "No action is known.")))
    shown = 0
    for number, action in enumerate(page.actions):
        if not sheet.add(row(action, look, None if is_one else details_button(action, look, number))):
            left_out = len(page.actions) - shown
            sheet.missing = look.mrkdwn("{} more of this page did not fit; a smaller {} shows them.", left_out, t.code("limit:"))
            break
        shown += 1
    whose = escape(own_name(firm, look)) if firm else look.mrkdwn("All firms")
    said = [look.mrkdwn("{}: {}.", whose, counted), *(said_aloud(action, look) for action in page.actions[:shown])]
    return sheet.message(_ended(said, page.coverage, look))


def _ended(said: Sequence[Mrkdwn], coverage: Coverage, look: Look) -> Mrkdwn:
    """Sentences for those who hear the answer; the coverage line is the last of them."""
    return t.sentences(
        [*said, look.mrkdwn("{}.", t.coverage_line(coverage, look.zone, look.now, language=look.language))], language=look.language
    )


def _follow_button(firm: FirmView, look: Look, *, is_followed: bool) -> Block | None:
    """Subscribe opens a form; Unsubscribe ends it at once, after a question."""
    if not is_followed:
        return button(look.say("Subscribe"), f"subscribe {firm.id}", "form")
    question = confirm(
        look,
        look.say("Unsubscribe?"),
        look.say("This channel gets no more alerts about {}. Its rule is gone then.").format(t.plain(own_name(firm, look), 80)),
        look.say("Unsubscribe"),
    )
    return button(look.say("Unsubscribe"), unparse(Unsubscribe(targets=(Target(Followed.FIRM, firm.id),))), "ask", question=question)


def action(detail: ActionDetailView, look: Look) -> Message:
    """One action with all that proves it: fields, quotes, documents, its case and its history."""
    view = detail.action
    asked = ActionDetail(view.id)
    url = view.documents[0].url if view.documents else ""
    buttons = button_row(
        button(look.say("Share"), unparse(asked), "share"),
        button(look.say("Why here?"), unparse(Why(view.id)), "ask"),
        timeline_of(view, look),
        _add_button(view, look),
        open_button(look.say("Open source"), url),
    )
    sheet = Sheet([*coverage_block(detail.coverage, look), *buttons], look)
    sheet.add(section(head_line(view, look)))
    sheet.add(title_block(view))
    none = look.mrkdwn("none stated")
    fields = [
        look.mrkdwn("*Status*\n{}", t.words(view.status, language=look.language)),
        look.mrkdwn("*Amount*\n{}", money(view, look) or none),
        look.mrkdwn("*Number*\n{}", escape(view.number or "", 80) or none),
        look.mrkdwn("*First seen*\n{}", t.instant(view.first_seen_at, look.zone, language=look.language)),
    ]
    if view.effective_on is not None:
        fields.append(look.mrkdwn("*Effective*\n{}", t.day(view.effective_on, language=look.language)))
    sheet.add(fields_block(fields))
    sheet.add(section(join("\n", [against(view, look), _others(view, look), _unknown_line(view, look)])))
    sheet.add(*quote_blocks(view), *([context(source_line(view, look))] if view.documents else []))
    _add_lines(sheet, look.mrkdwn("*Documents*"), [_document(document, view, look) for document in view.documents])
    _add_lines(
        sheet,
        look.mrkdwn("*Evidence*"),
        [
            look.mrkdwn(
                "{}: {}", join(look.say(", "), [_field(field, look) for field in fields]), mrkdwn("“{}”", escape(text, LONGEST_QUOTE))
            )
            for text, fields in _proved_by(detail.evidence).items()
        ],
    )
    _add_lines(
        sheet,
        look.mrkdwn("*Same case*"),
        [join(" · ", [head_line(other, look), t.listed(named(other.named, look), 200, language=look.language)]) for other in detail.case],
    )
    _add_lines(
        sheet,
        look.mrkdwn("*History*"),
        [
            look.mrkdwn("{}: {}", t.instant(change.at, look.zone, language=look.language), change_words(change, view, look))
            for change in detail.changes
        ],
    )
    return sheet.message(_ended([said_aloud(view, look)], detail.coverage, look))


_FIELDS = ("kind", "firms", "amount", "decided on", "effective on", "stated count", "number", "status", "regulator")


def _field(name: str, look: Look) -> Mrkdwn:
    said = name.replace("_", " ")
    return Mrkdwn(look.say(said)) if said in _FIELDS else escape(said, 40)


def _unknown(view: ActionView) -> list[str]:
    """The names in an action that the register does not know, once each."""
    return list(dict.fromkeys(firm.name for firm in view.firms if firm.firm_id is None and firm.name.strip()))


def _add_button(view: ActionView, look: Look) -> Block | None:
    names = [t.plain(name, 40) for name in _unknown(view)]
    if not names:
        return None
    label = look.say("Add {}").format(names[0]) if len(names) == 1 else look.say("Add {} or another").format(names[0])
    return button(label, f"firm {view.ref}", "form")


def _unknown_line(view: ActionView, look: Look) -> Mrkdwn:
    names = [escape(name, 80) for name in _unknown(view)]
    if not names:
        return Mrkdwn("")
    told = t.listed(names, 300, language=look.language)
    return look.mrkdwn(
        "Not in the register, so nobody can follow it yet: {}. An admin adds it with the button; others can suggest it.", told
    )


def _others(view: ActionView, look: Look) -> Mrkdwn:
    """Firms of other roles than target and group: complainants, venues, the merely mentioned."""
    rest = [firm for firm in view.firms if firm.role not in (Role.TARGET, Role.GROUP)]
    told = [look.mrkdwn("{} ({})", firm_name(firm, look), t.words(firm.role, language=look.language)) for firm in rest]
    return look.mrkdwn("Also named: {}", t.listed(told, 500, language=look.language)) if told else Mrkdwn("")


def _document(document: DocumentView, view: ActionView, look: Look) -> Mrkdwn:
    tier = look.mrkdwn("the regulator" if document.tier is Tier.PRIMARY else "press")
    if document.published_at:
        when = t.published(document.published_at, document.published_precision, look.zone, language=look.language)
    else:
        when = look.mrkdwn("undated")
    title = t.link(document.url, t.plain(document.title or document.url, 160))
    return join(" · ", [title, escape(publisher_name(document, view, look), 80), tier, when, escape(document.number or "", 60)])


def _proved_by(evidence: Sequence[EvidenceView]) -> dict[str, list[str]]:
    """Each sentence once, with the fields that it proves."""
    found: dict[str, list[str]] = {}
    for one in evidence:
        fields = found.setdefault(one.text, [])
        if one.field not in fields:
            fields.append(one.field)
    return found


def _add_lines(sheet: Sheet, title: Mrkdwn, lines: Sequence[Mrkdwn], most: int = 12) -> None:
    """A titled list that takes what room there is and says how much it leaves out."""
    for count in range(min(len(lines), most), 0, -1):
        more = [sheet.look.mrkdwn("and {} more", len(lines) - count)] if len(lines) > count else []
        text = join("\n", [title, *(mrkdwn("• {}", line) for line in lines[:count]), *more])
        if len(text) <= LONGEST_SECTION and sheet.has_room(section(text)):
            sheet.add(section(text))
            return
    if lines:
        sheet.missing = sheet.look.mrkdwn("Some of it did not fit here.")


_SUBJECTS = ("name", "role", "ownership", "merge", "case", "subscription", "filter", "delivery")


def why(view: WhyView, coverage: Coverage, look: Look) -> Message:
    """The steps of the reasoning: what matched, which filter passed, what was delivered. The steps are a record, kept in English."""
    if view.channel:
        where = t.place(view.channel.slack_id, view.channel.name, language=look.language)
    else:
        where = look.mrkdwn("this channel, which follows nothing")
    sheet = Sheet([*coverage_block(coverage, look), *button_row(details_button(view.action, look))], look)
    sheet.add(section(mrkdwn("{}\n{}", look.mrkdwn("*Why {} in {}*", view.action.ref, where), head_line(view.action, look))))
    told = list(view.lines)
    for subject, words in (("name", "and {} more names"), ("role", "and {} more roles")):
        # these come first and may be many; what decided comes last and must not be cut off
        these = [line for line in told if line.subject == subject]
        if len(these) > WHY_NAMES:
            at = told.index(these[WHY_NAMES])
            told = [line for line in told if line not in these[WHY_NAMES:]]
            told.insert(at, WhyLine(subject, look.say(words).format(len(these) - WHY_NAMES)))
    sheet.lines(
        [
            mrkdwn("{} {}", _MARKS[line.is_passed], look.mrkdwn("{}: {}", t.bold(_subject(line, look)), escape(line.text, 300)))
            for line in told
        ]
    )
    outcome = {True: "{}: passed, {}.", False: "{}: failed, {}.", None: "{}: {}."}
    said = [look.mrkdwn(outcome[line.is_passed], _subject(line, look), escape(line.text, 200)) for line in told]
    return sheet.message(t.sentences([look.mrkdwn("Why {} in {}.", view.action.ref, where), *said], language=look.language))


def _subject(line: WhyLine, look: Look) -> Mrkdwn:
    return Mrkdwn(look.say(line.subject)) if line.subject in _SUBJECTS else escape(line.subject, 40)


# --- answers about firms and sources ---


def firm(view: FirmView, coverage: Coverage, look: Look, *, is_followed: bool = False) -> Message:
    """What the register knows of a firm, and how precise each of its names has been. `is_followed`: this channel follows it."""
    buttons = button_row(
        button(look.say("Actions"), unparse(Actions(view.id)), "ask"),
        timeline_button(view.id, look),
        _follow_button(view, look, is_followed=is_followed),
        button(look.say("Share"), unparse(FirmInfo(view.id)), "share"),
    )
    sheet = Sheet([*coverage_block(coverage, look), *buttons], look)
    kind = Mrkdwn(t.words(view.kind, language=look.language))
    facts = join(" · ", [kind, escape(country(view.country, look.language), 20), look.mrkdwn("id {}", t.code(view.id))])
    sheet.add(section(join("\n", [firm_title(view, look), facts, escape(view.note, 300)])))
    counts = (view.target_actions, view.group_actions)
    sheet.add(section(look.mrkdwn("Actions on record: {} as target, {} as group", *counts)))
    owners = [look.mrkdwn("{} of {}", t.words(edge, language=look.language), escape(name, 80)) for _, name, edge in view.owners]
    _add_lines(sheet, look.mrkdwn("*Belongs to*"), owners)
    children = [look.mrkdwn("{} ({})", escape(name, 80), t.words(edge, language=look.language)) for _, name, edge in view.children]
    if children:
        sheet.add(section(mrkdwn("{}\n{}", look.mrkdwn("*Includes*"), t.listed(children, language=look.language))))
    seen = sorted(view.aliases, key=lambda alias: -alias.mentions)
    _add_lines(sheet, look.mrkdwn("*Names, and how often each one meant a target*"), [_alias(alias, look) for alias in seen], most=25)
    text = look.mrkdwn("{}: {} actions as target, {} as group.", escape(own_name(view, look)), *counts)
    return sheet.message(_ended([text], coverage, look))


def _alias(alias: AliasView, look: Look) -> Mrkdwn:
    """Tencent: strong, seen 12 times, 9 of them as a target (75 %)."""
    name, strength = escape(alias.text, 80), t.words(alias.strength, language=look.language)
    if not alias.mentions:
        return look.mrkdwn("{}: {}, not seen yet", name, strength)
    share = f"{100 * alias.targets / alias.mentions:.0f} %"
    if alias.mentions == 1:
        return look.mrkdwn("{}: {}, seen once, as a target" if alias.targets else "{}: {}, seen once, not as a target", name, strength)
    return look.mrkdwn("{}: {}, seen {} times, {} of them as a target ({})", name, strength, alias.mentions, alias.targets, share)


def sources(views: Sequence[SourceView], coverage: Coverage, look: Look, *, regulator: str | None = None) -> Message:
    """Health of the sources: those of one regulator each, of all only what is not well."""
    sheet = Sheet(coverage_block(coverage, look), look)
    polled = [view for view in views if view.is_enabled]
    troubled = [view for view in polled if not view.is_fresh or view.mode is not Mode.LIVE]
    shown = list(views) if regulator else troubled
    title = look.mrkdwn("*Sources of {}*", t.plain(regulator, 80)) if regulator else look.mrkdwn("*Sources*")
    counted = look.mrkdwn("{} polled, {} not polled", len(polled), len(views) - len(polled))
    sheet.add(section(mrkdwn("{}   {}", title, counted)))
    if not shown:
        sheet.add(section(look.mrkdwn("All of them are well." if polled else "None is polled.")))
    rows = [_source_row(view, look) for view in sorted(shown, key=lambda view: (not view.is_enabled, view.is_fresh, view.id))]
    told = sheet.lines(rows)
    if told < len(rows):
        hint = t.code(f"{look.command} sources csrc")
        sheet.missing = look.mrkdwn("and {} more; ask for one regulator: {}", len(rows) - told, hint)
    problems = [mrkdwn("{} {}", view.id, t.words(view.health, language=look.language)) for view in troubled[:20]]
    text = _ended([look.mrkdwn("{} source polled." if len(polled) == 1 else "{} sources polled.", len(polled))], coverage, look)
    return sheet.message(t.sentences([text, join(look.say("; "), problems)], language=look.language))


def _source_row(view: SourceView, look: Look) -> Mrkdwn:
    who = [t.code(view.id), escape(view.regulator, 80)]
    if not view.is_enabled:
        reason = escape(view.off_reason, 160) or look.mrkdwn("off")
        return join(" · ", [*who, look.mrkdwn("not polled: {}", reason)])
    state = Mrkdwn(t.words(view.health, language=look.language))
    if view.health is not Health.OK:
        if view.health_since:
            state = look.mrkdwn("{} since {}", state, t.since(view.health_since, look.zone, look.now, language=look.language))
        if view.health_detail:
            state = look.mrkdwn("{}: {}", state, escape(view.health_detail, 160))
    mode = Mrkdwn("" if view.mode is Mode.LIVE else t.words(view.mode, language=look.language))
    if mode and view.mode_reason:
        mode = look.mrkdwn("{}: {}", mode, escape(view.mode_reason, 120))
    read = look.mrkdwn("read {}", t.instant(view.last_ok_at, look.zone, language=look.language)) if view.last_ok_at else None
    kept = look.mrkdwn("{} document" if view.documents == 1 else "{} documents", view.documents)
    return join(" · ", [*who, state, mode, read or look.mrkdwn("not read yet"), kept])
