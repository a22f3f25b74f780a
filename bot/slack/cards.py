"""What people see of an action: the parts that all messages share, its card, its developments. Pure.

`alert` draws a case's card from a `CardView`, so it may be drawn again at any time, from what is true then; `development` is the
reply in its thread. Notices are in `bot.slack.notices`, digests in `bot.slack.digests`, the answers to commands in
`bot.slack.answers`, the blocks that all of it is made of in `bot.slack.blocks`.

A verdict of a person that holds strikes the card: nothing on it is deleted, and it says who, when and why.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import bot.slack.text as t
from bot.slack.blocks import (
    LONGEST_LABEL,
    LONGEST_QUOTE,
    Block,
    Look,
    Message,
    Sheet,
    button,
    button_row,
    confirm,
    context,
    fields_block,
    header,
    menu,
    open_button,
    section,
)
from bot.slack.grammar import ActionDetail, quoted, unparse
from bot.slack.labels import in_script
from bot.slack.text import Mrkdwn, escape, join, mrkdwn
from storage.models import Kind, Role, Status, Tier
from storage.records import action_ref
from storage.tenancy import Verdict
from storage.views import (
    ActionFirmView,
    ActionView,
    CardView,
    ChangeView,
    CorrectionView,
    Coverage,
    DocumentView,
    DueDelivery,
    FirmMatch,
    FirmView,
    RegulatorView,
    ReviewView,
)

__all__ = [
    "LONGEST_LABEL",
    "Block",
    "Look",
    "Message",
    "Sheet",
    "against",
    "alert",
    "button",
    "button_row",
    "change_words",
    "context",
    "coverage_block",
    "details_button",
    "development",
    "firm_name",
    "firm_title",
    "head_line",
    "is_watched",
    "match_label",
    "match_name",
    "money",
    "named",
    "own_name",
    "publisher_name",
    "quote_blocks",
    "regulator_name",
    "regulators",
    "row",
    "said_aloud",
    "section",
    "short_line",
    "source_line",
    "timeline_button",
    "timeline_of",
    "title_block",
]
"""The doors of this room, those of `blocks` that every room needs among them."""

REVIEWS = 2  # named on a card; the others are counted
CORRECTIONS = 3

_CHINESE_PLACES = ("CN", "HK", "MO", "TW")


def coverage_block(coverage: Coverage, look: Look) -> list[Block]:
    return [context(t.coverage_line(coverage, look.zone, look.now, language=look.language))]


# --- names ---


def _chinese(hant: str, hans: str, language: str) -> str:
    """The Chinese name in the script of the language; empty where there is none, and in English."""
    if language == "en":
        return ""
    return (hant or hans) if language == "zh-Hant" else (hans or in_script(language, t.clean(hant)))


def _zh(hant: str, hans: str) -> str:
    """騰訊 / 腾讯, or one of them when they are the same."""
    return " / ".join(dict.fromkeys(name for name in (hant, hans) if name))


def own_name(firm: FirmView, look: Look) -> str:
    """The name by which the reader knows a firm."""
    return _chinese(firm.name_zh_hant, firm.name_zh_hans, look.language) or firm.name


def firm_title(firm: FirmView, look: Look) -> Mrkdwn:
    """*Tencent* · 騰訊 / 腾讯 · 0700.HK, and for a brand whose it is; in Chinese *騰訊* · Tencent · 0700.HK."""
    own = own_name(firm, look)
    names = [own, _zh(firm.name_zh_hant, firm.name_zh_hans) if own == firm.name else firm.name]
    parts = [t.bold(names[0]), escape(names[1], 80), escape(", ".join(firm.tickers), 80)]
    parts += [look.mrkdwn("{} of {}", t.words(edge, language=look.language), escape(name, 80)) for _, name, edge in firm.owners[:2]]
    return join(" · ", parts)


def match_name(match: FirmMatch, *, language: str = "en") -> Mrkdwn:
    """*Alibaba Group* (阿里巴巴, 9988.HK); in Chinese *阿里巴巴* (Alibaba Group, 9988.HK)."""
    names = [match.name, *dict.fromkeys(match.names_zh)]
    if language != "en" and match.names_zh:
        # Traditional stands first where there are two
        own = match.names_zh[0] if language == "zh-Hant" else match.names_zh[-1]
        names = [own, match.name]
    more = ", ".join([*(name for name in names[1:] if name), *match.tickers][:3])
    return mrkdwn("{} ({})", t.bold(names[0]), escape(more, 80)) if more else t.bold(names[0])


def match_label(match: FirmMatch) -> str:
    """Tencent 騰訊 0700.HK, for a button."""
    return " ".join([match.name, *match.names_zh[:1], *match.tickers[:1]])


def regulator_name(regulator: RegulatorView, look: Look) -> str:
    """Its name for the reader: in Chinese the native one of a Chinese regulator, as it writes it."""
    if look.language == "en" or regulator.jurisdiction not in _CHINESE_PLACES:
        return regulator.name
    names = [name for name in t.clean(regulator.name_native).split(";") if name]
    in_own_script = [name for name in names if look.language == "zh-Hans" and in_script("zh-Hans", name) == name]
    return next(iter([*in_own_script, *names]), regulator.name)


def is_watched(firm: ActionFirmView, look: Look) -> bool:
    """Whether the firm, or the brand through which it was hit, is one that the reader follows or asks about."""
    return firm.firm_id in look.watched or firm.brand_id in look.watched


def firm_name(firm: ActionFirmView, look: Look) -> Mrkdwn:
    """Tencent, in bold when it is watched; in Chinese 騰訊, with the English beside it when it is watched."""
    own = _chinese(firm.name_zh_hant, firm.name_zh_hans, look.language)
    safe = escape(own or firm.name, 80)
    name = t.bold(safe) if is_watched(firm, look) else safe
    if own and own != firm.name and is_watched(firm, look):
        name = mrkdwn("{} {}", name, escape(firm.name, 80))
    return look.mrkdwn("{} (via {})", name, escape(firm.via.partition(",")[0], 60)) if firm.via else name


def named(firms: Iterable[ActionFirmView], look: Look) -> list[Mrkdwn]:
    """Names once each, those that are watched first."""
    ordered = sorted(firms, key=lambda firm: not is_watched(firm, look))
    return list(dict.fromkeys(firm_name(firm, look) for firm in ordered))


def regulators(action: ActionView, look: Look) -> Mrkdwn:
    """Who acted, the leader first."""
    comma = look.say(", ") if look.language == "en" else "、"
    found = join(comma, [escape(regulator_name(regulator, look), 120) for regulator in action.regulators[:4]])
    return found or look.mrkdwn("regulator not known")


# --- parts that several messages share ---


def _count(action: ActionView, look: Look) -> str:
    """11 firms stated, 6 named here, 5 not named in this document."""
    named_, stated, several = len(action.named), action.stated_count, len(action.documents) > 1
    if stated and stated > named_ > 0:
        template = "{} firms stated, {} named here, {} not named in this document"
        if several:
            template = "{} firms stated, {} named here, {} not named in these documents"
        said = look.say(template).format(stated, named_, stated - named_)
    elif stated and stated > named_:
        said = look.say("{} firms stated, none named here").format(stated)
    elif named_ > 1 and stated == named_:
        template = (
            "{} firms named, as many as stated in these documents" if several else "{} firms named, as many as stated in this document"
        )
        said = look.say(template).format(named_)
    elif named_ > 1:
        said = look.say("{} firms named").format(named_)
    else:
        said = "" if named_ else look.say("No firm named")
    unknown = sum(firm.firm_id is None for firm in action.named)
    return look.say(", ").join(part for part in (said, look.say("{} not in the register").format(unknown) if unknown else "") if part)


def against(action: ActionView, look: Look) -> Mrkdwn:
    """How many, and who: the line under an action's head. Group firms follow after a semicolon."""
    count, names = _count(action, look), t.listed(named(action.named, look), language=look.language)
    groups = t.listed(named((firm for firm in action.firms if firm.role is Role.GROUP), look), 400, language=look.language)
    first = look.mrkdwn("{}: {}", count, names) if count and names else names or mrkdwn("{}", count)
    return join(look.say("; "), [first, look.mrkdwn("group: {}", groups) if groups else Mrkdwn("")])


def _dates(action: ActionView, look: Look) -> list[Mrkdwn]:
    """Decided (marked when inferred), then reported or published."""
    found = []
    beside = None
    if action.decided_on is not None:
        day = t.partial(action.decided_on, language=look.language)
        found.append(look.mrkdwn("{} (inferred)", day) if action.is_decided_inferred else mrkdwn("{}", day))
        beside = action.decided_on.value
    if action.published_at is not None:
        when = t.published(action.published_at, action.published_precision, look.zone, beside, language=look.language)
        found.append(look.mrkdwn("published {}" if action.is_confirmed else "reported {}", when))
    return found or [look.mrkdwn("first seen {}", t.instant(action.first_seen_at, look.zone, language=look.language))]


def head_line(action: ActionView, look: Look) -> Mrkdwn:
    """RW-1001 · TALKS 约谈 · regulator · 18 Mar 2021 · reported 19 Mar."""
    status = (
        look.mrkdwn("status: {}", t.words(action.status, language=look.language)) if action.status is not Status.IN_FORCE else Mrkdwn("")
    )
    kind = Mrkdwn(t.kind_label(action.kind, language=look.language))
    return join(" · ", [t.bold(action.ref), kind, regulators(action, look), *_dates(action, look), status])


def publisher_name(document: DocumentView, action: ActionView, look: Look) -> str:
    """Who published a document; a regulator by its name for the reader."""
    own = next((regulator for regulator in action.regulators if regulator.name == document.publisher), None)
    return t.plain(regulator_name(own, look) if own is not None else document.publisher, 100)


def source_line(action: ActionView, look: Look) -> Mrkdwn:
    """Who tells it, linked, and what that is worth: the press, or the regulator itself."""
    quoted_id = action.quote.document_id if action.quote else None
    document = next((document for document in action.documents if document.id == quoted_id), next(iter(action.documents), None))
    if document is None:
        return Mrkdwn("")
    return _worth(document, action, look, t.link(document.url, publisher_name(document, action, look)))


def _worth(document: DocumentView, action: ActionView, look: Look, name: Mrkdwn) -> Mrkdwn:
    if document.tier is Tier.PRIMARY:
        return look.mrkdwn("{} (the regulator's own notice)", name)
    if action.is_confirmed:
        return look.mrkdwn("{} (press report)", name)
    return look.mrkdwn("{} (press report; notice of the regulator not seen yet)", name)


def money(action: ActionView, look: Look) -> Mrkdwn:
    return join(look.say(", "), [t.amount(value, language=look.language) for value in action.amounts[:4]])


def row(action: ActionView, look: Look, accessory: Block | None = None) -> Block:
    """An action in a list: head, firms, money, one quote with its source."""
    quote = mrkdwn("“{}”  ", escape(action.quote.text, LONGEST_QUOTE)) if action.quote else Mrkdwn("")
    said = mrkdwn("{}{}", quote, source_line(action, look))
    return section(join("\n", [head_line(action, look), against(action, look), money(action, look), said]), accessory)


def said_aloud(action: ActionView, look: Look) -> Mrkdwn:
    """An action as a sentence, for those who hear a message or see its notification: no markup in it."""
    quiet = replace(look, watched=frozenset())
    who = t.listed(named(action.named, quiet), 300, language=look.language) or against(action, quiet)
    kind = t.words(action.kind, language=look.language)
    if action.decided_on is None:
        return look.mrkdwn("{} {}: {}. {}.", action.ref, kind, regulators(action, look), who)
    return look.mrkdwn(
        "{} {}: {}, {}. {}.", action.ref, kind, regulators(action, look), t.partial(action.decided_on, language=look.language), who
    )


def short_line(action: ActionView, look: Look) -> Mrkdwn:
    """RW-1001 talks, Tencent, Alibaba."""
    who = t.listed(named(action.named, look)[:3], 160, language=look.language)
    kind = t.words(action.kind, language=look.language)
    return look.mrkdwn("{} {}, {}", action.ref, kind, who) if who else mrkdwn("{} {}", action.ref, kind)


def title_block(action: ActionView, *, is_struck: bool = False) -> Block:
    """The title, linked to its best document."""
    url = next((address for document in action.documents if (address := t.safe_url(document.url))), None)
    title = t.link(url, action.title) if url else escape(action.title, 280)
    return section(t.struck(title) if is_struck else title)


def quote_blocks(action: ActionView) -> list[Block]:
    if action.quote is None:
        return []
    return [section(mrkdwn("“{}”", escape(action.quote.text, LONGEST_QUOTE)))]


_MOVED_BY = {Kind.APPEAL: Status.APPEALED, Kind.ANNULMENT: Status.ANNULLED, Kind.CLOSED: Status.CLOSED}
"""What an act does to earlier ones of its case."""


def _case_line(others: Sequence[ActionView], look: Look) -> Mrkdwn:
    """The other actions of a case, oldest first, with the status of those that a later one moved."""
    if not others:
        return Mrkdwn("")
    told = []
    for action in others:
        kind = t.words(action.kind, language=look.language)
        if action.decided_on is None:
            line = mrkdwn("{} {}", action.ref, kind)
        else:
            line = look.mrkdwn("{} {} ({})", action.ref, kind, t.partial(action.decided_on, language=look.language))
        is_moved = action.status in (*_MOVED_BY.values(), Status.REDUCED) and action.kind not in _MOVED_BY
        told.append(look.mrkdwn("{}: now {}", line, t.words(action.status, language=look.language)) if is_moved else line)
    return look.mrkdwn("Same case: {}", t.listed(told, 600, language=look.language))


def details_button(action: ActionView, look: Look, number: int = 0) -> Block | None:
    return button(look.say("Details"), unparse(ActionDetail(action.id)), "ask", number)


def timeline_button(firm_id: str, look: Look) -> Block | None:
    """When a firm was acted against; as `unparse` writes it."""
    return button(look.say("Timeline"), f"timeline {quoted(firm_id)}", "ask")


def timeline_of(action: ActionView, look: Look) -> Block | None:
    """The button for the first firm of an action that is watched, else the first that the register knows; None without one."""
    for firm in sorted(action.firms, key=lambda one: (not is_watched(one, look), one.role is not Role.TARGET)):
        known = firm.brand_id if firm.brand_id in look.watched else firm.firm_id
        if known is not None:
            return timeline_button(known, look)
    return None


# --- the card ---


def alert(card: CardView) -> Message:
    """The card of a case in a channel: always its newest action, with what went before in one line."""
    look = Look(zone=card.channel.time_zone, watched=card.watched, language=card.channel.language)
    action, *others = sorted((card.action, *card.case), key=lambda one: (one.first_seen_at, one.id), reverse=True)
    others.reverse()
    verdicts = [one for one in card.corrections if one.action_id == action.id]
    sheet = Sheet(button_row(*_card_buttons(action, verdicts, look)), look)
    kind, who = t.kind_label(action.kind, language=look.language), _who(action, look)
    head = look.say("{}: {}").format(kind, who) if who else kind
    if verdicts:
        head = f"{look.say('Struck: {}').format(t.words(verdicts[0].verdict, language=look.language))} · {head}"
    sheet.add(header(head))
    sheet.add(title_block(action, is_struck=bool(verdicts)))
    sheet.add(fields_block(_fields(action, look)))
    firms = against(action, look)
    sheet.add(section(t.struck(firms) if verdicts else firms))
    if verdicts:
        sheet.add(section(join("\n", _verdict_lines(verdicts, look))))
    sheet.add(*quote_blocks(action))
    seen = look.mrkdwn("{} · first seen {}", t.bold(action.ref), t.instant(action.first_seen_at, look.zone, language=look.language))
    muted = (
        look.mrkdwn("Muted until {}", t.instant(card.muted_until, look.zone, language=look.language)) if card.muted_until else Mrkdwn("")
    )
    reviewed = _reviews([one for one in card.reviews if one.action_id == action.id], action, look)
    older = [
        look.mrkdwn("{} struck: {}", action_ref(one.action_id), _verdict_words(one, look))
        for one in card.corrections
        if one.action_id != action.id
    ]
    sheet.add(
        context(source_line(action, look), seen, _case_line(others, look), join(look.say(", "), older[:CORRECTIONS]), reviewed, muted)
    )
    return sheet.message(_alert_aloud(action, verdicts, look), is_ephemeral=False)


def _who(action: ActionView, look: Look) -> str:
    """Tencent, Alibaba, ByteDance and 8 more: for the header, where the watched stand first."""
    top = sorted(action.named, key=lambda firm: not is_watched(firm, look))[:3]
    shown = [_chinese(firm.name_zh_hant, firm.name_zh_hans, look.language) or firm.name for firm in top]
    # a brand by the name that people know it by
    names = [t.plain(firm.surface if firm.brand_id else name, 40) for firm, name in zip(top, shown, strict=True)]
    more = max(action.stated_count or 0, len(action.named)) - len(top)
    if not names:
        return look.say("{} firms").format(action.stated_count) if action.stated_count else ""
    listed = (", " if look.language == "en" else "、").join(names)
    return look.say("{0} and {1} more").format(listed, more) if more > 0 else listed


def _fields(action: ActionView, look: Look) -> list[Mrkdwn]:
    fields = [
        look.mrkdwn("*Regulator*\n{}", regulators(action, look)),
        look.mrkdwn("*Date*\n{}", join(look.say(", "), _dates(action, look))),
    ]
    if action.amounts:
        fields.append(look.mrkdwn("*Amount*\n{}", money(action, look)))
    if action.status is not Status.IN_FORCE:
        fields.append(look.mrkdwn("*Status*\n{}", t.words(action.status, language=look.language)))
    return fields


def _card_buttons(action: ActionView, verdicts: Sequence[CorrectionView], look: Look) -> list[Block | None]:
    """A struck card can be brought back; one that stands can be reviewed, muted and judged."""
    url = action.documents[0].url if action.documents else ""
    asks = [details_button(action, look), timeline_of(action, look)]
    source = open_button(look.say("Open source"), url)
    if verdicts:
        mine = [verdict for verdict in verdicts if not verdict.is_for_all][:CORRECTIONS]
        labels = [look.say("Withdraw") if len(mine) == 1 else look.say("Withdraw #{}").format(verdict.id) for verdict in mine]
        return [*asks, *(button(label, f"withdraw {one.id}", "mark") for label, one in zip(labels, mine, strict=True)), source]
    options = [
        (look.say("Mute for 1 day"), f"mute {action.ref} for 1d"),
        (look.say("Mute for 7 days"), f"mute {action.ref} for 7d"),
        (look.say("Wrong firm"), f"!{Verdict.WRONG_FIRM} {action.ref}"),
        (look.say("Not relevant"), f"!{Verdict.NOT_RELEVANT} {action.ref}"),
        (look.say("Duplicate"), f"!{Verdict.DUPLICATE} {action.ref}"),
    ]
    question = confirm(
        look,
        look.say("{} for everyone here").format(action.ref),
        look.say("Muting holds for this channel, a verdict for the whole workspace. Nothing is deleted, and both can be taken back."),
        look.say("Go on"),
    )
    return [*asks, button(look.say("Reviewed"), f"reviewed {action.ref}", "mark"), source, menu(options, question)]


def _verdict_words(one: CorrectionView, look: Look) -> Mrkdwn:
    said = t.words(one.verdict, language=look.language)
    if one.verdict is Verdict.WRONG_FIRM and one.firm:
        return look.mrkdwn("{} ({})", said, escape(one.firm, 80))
    if one.verdict is Verdict.DUPLICATE and one.of_action_id is not None:
        return look.mrkdwn("duplicate of {}", action_ref(one.of_action_id))
    return mrkdwn("{}", said)


def _verdict_lines(verdicts: Sequence[CorrectionView], look: Look) -> list[Mrkdwn]:
    """Who judged, when, and why; what is more than a few is counted."""
    lines = [
        join(
            " · ",
            [
                look.mrkdwn("*Struck: {}*", _verdict_words(one, look)),
                t.person(one.by),
                t.instant(one.at, look.zone, language=look.language),
                look.mrkdwn("for all workspaces") if one.is_for_all else Mrkdwn(""),
                mrkdwn("“{}”", escape(one.reason, 300)) if one.reason.strip() else Mrkdwn(""),
            ],
        )
        for one in verdicts[:CORRECTIONS]
    ]
    more = len(verdicts) - CORRECTIONS
    return [*lines, look.mrkdwn("and {} more", more)] if more > 0 else lines


def _reviews(reviews: Sequence[ReviewView], action: ActionView, look: Look) -> Mrkdwn:
    """The newest two, marked when the action has changed since, and how many more."""
    told = []
    for one in sorted(reviews, key=lambda one: one.at, reverse=True)[:REVIEWS]:
        when = t.instant(one.at, look.zone, language=look.language)
        template = "{} {} (before its last change)" if one.version < action.version else "{} {}"
        told.append(look.mrkdwn(template, t.person(one.by), when))
    if not told:
        return Mrkdwn("")
    more = len(reviews) - len(told)
    listed = join(look.say(", "), told)
    return look.mrkdwn("Reviewed: {} and {} more", listed, more) if more > 0 else look.mrkdwn("Reviewed: {}", listed)


def _alert_aloud(action: ActionView, verdicts: Sequence[CorrectionView], look: Look) -> Mrkdwn:
    document = next(iter(action.documents), None)
    if document is None:
        source = look.mrkdwn("Source: not stored.")
    elif action.is_confirmed:
        source = look.mrkdwn("Source: {}.", publisher_name(document, action, look))
    else:
        source = look.mrkdwn("Source: {}.", _worth(document, action, look, escape(publisher_name(document, action, look))))
    struck = look.mrkdwn("Struck: {}.", _verdict_words(verdicts[0], look)) if verdicts else Mrkdwn("")
    return t.sentences([struck, said_aloud(action, look), source], language=look.language)


# --- its thread ---


def development(due: DueDelivery) -> Message:
    """The reply in a card's thread: what changed, or the new action of the case."""
    look, action = _look_of(due), due.card.action
    sheet = Sheet(button_row(details_button(action, look)), look)
    if not due.changes:
        sheet.add(section(look.mrkdwn("*New in this case*")), row(action, look))
        if moved := _moved_by(action, due.card.case, look):
            sheet.add(section(join("\n", [mrkdwn("• {}", line) for line in moved])))
        aloud = _moved_by(action, due.card.case, replace(look, watched=frozenset()), is_aloud=True)
        said = t.sentences([look.mrkdwn("New in this case: {}", said_aloud(action, look)), *aloud], language=look.language)
        return sheet.message(said, is_ephemeral=False)
    who = t.listed(named(action.named, look), 400, language=look.language) or regulators(action, look)
    head = look.mrkdwn("{} {}: {}", t.bold(action.ref), t.words(action.kind, language=look.language), who)
    changes = [change_words(change, action, look) for change in due.changes]
    sheet.add(section(join("\n", [head, *(mrkdwn("• {}", change) for change in changes[:15])])))
    sheet.add(context(source_line(action, look)))
    text = look.mrkdwn("{} {}: {}.", action.ref, t.words(action.kind, language=look.language), join(look.say("; "), changes[:6]))
    return sheet.message(text, is_ephemeral=False)


def _moved_by(action: ActionView, others: Sequence[ActionView], look: Look, *, is_aloud: bool = False) -> list[Mrkdwn]:
    """What an appeal, annulment or closure did to earlier actions of its case, a sentence each where it is heard."""
    after = _MOVED_BY.get(action.kind)
    moved = [one for one in others if one.status is after and one.kind not in _MOVED_BY and one.id < action.id]
    return [
        look.mrkdwn("{}: now {}." if is_aloud else "{}: now {}", short_line(one, look), t.words(one.status, language=look.language))
        for one in moved[:6]
    ]


_CHANGED = ("kind", "status", "amount", "date", "effective", "confirmed", "case")
_STANDING = ("official", "reported")


def change_words(change: ChangeView, action: ActionView, look: Look) -> Mrkdwn:
    """One change in words: "kind: talks → fine"."""
    before, after = (_changed_value(change.what, value, look) for value in (change.before, change.after))
    match change.what:
        case "confirmed" if change.after != "reported":
            return look.mrkdwn("confirmed: the notice of {} was found", regulators(action, look))
        case "target":
            came, went = look.mrkdwn("now named: {}", after), look.mrkdwn("no longer named: {}", before)
            whole = look.mrkdwn("list now {} of {}", len(action.named), action.stated_count) if action.stated_count else Mrkdwn("")
            return join(look.say("; "), [came if after else Mrkdwn(""), went if before else Mrkdwn(""), whole])
        case "count":
            none = look.mrkdwn("none")
            return look.mrkdwn("firms stated: {} → {}, named: {}", before or none, after or none, len(action.named))
    what = look.say(change.what) if change.what in _CHANGED else change.what.replace("_", " ")
    return look.mrkdwn("{}: {} → {}", what, before or look.mrkdwn("none"), after or look.mrkdwn("none"))


def _changed_value(what: str, value: str, look: Look) -> Mrkdwn:
    """A value of a change: ours in the reader's words, the text's as it is."""
    if what == "kind" and value in set(Kind):
        return Mrkdwn(t.words(Kind(value), language=look.language))
    if what == "status" and value in set(Status):
        return Mrkdwn(t.words(Status(value), language=look.language))
    if what == "confirmed" and value in _STANDING:
        return look.mrkdwn(value)
    return escape(value.replace("_", " "), 300)


def _look_of(due: DueDelivery) -> Look:
    return Look(zone=due.channel.time_zone, watched=due.watched, language=due.channel.language)
