"""Messages within Slack's limits: their blocks, the parts they share, and what the Deliverer posts. Pure.

Every renderer returns a `Message`, whatever the view holds: what does not fit our budgets, which are tighter
than Slack's limits, is left out and said so. Foreign text stands in `plain_text`, where nothing is parsed, or passes
`bot.slack.text.escape`. `alert`, `development`, `digest` and `notice` take a delivery;
the answers to commands are in `bot.slack.answers`.

A button carries a command as text (`grammar.unparse`), and its action id says how it is answered: `ask` beside
the message, `run` in its place, `share` to the channel; `open` is a link.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import bot.slack.text as t
from bot.slack.grammar import ActionDetail, unparse
from bot.slack.labels import say
from bot.slack.text import Mrkdwn, escape, join, mrkdwn
from storage.models import Health, Role, Status, Tier
from storage.views import ActionFirmView, ActionView, ChangeView, ChannelView, Coverage, DigestView, DueDelivery, FirmMatch, FirmView

Block = dict[str, Any]

MOST_BLOCKS = 45
MOST_CHARACTERS = 9_000  # Slack refuses a message somewhere above 11,000: https://github.com/slackapi/bolt-js/issues/2867
LONGEST_SECTION = 2_900
LONGEST_TEXT = 3_000  # chat.update refuses 4,000
LONGEST_HEADER = 150
LONGEST_LABEL = 75
LONGEST_QUOTE = 240
_KEPT_FOR_MISSING = 200
DIGEST_LINES = 6  # of moved, and of new ones, in the root message
DIGEST_ACTIONS = 8  # in one message of the thread

_SEEN = "notice of the regulator not seen yet"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a message: a picture of a time line, an export."""

    name: str
    content: bytes
    title: str
    alt: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """A message as Slack takes it. `thread` are replies under it; `is_error` tells a script that nothing was answered."""

    text: Mrkdwn
    blocks: list[Block]
    is_ephemeral: bool = True
    is_error: bool = False
    thread: tuple[Message, ...] = ()
    file: Attachment | None = None

    @property
    def response_type(self) -> str:
        """Who sees it, in Slack's words."""
        return "ephemeral" if self.is_ephemeral else "in_channel"


@dataclass(frozen=True, slots=True)
class Look:
    """For whom a message is drawn: the command's name, the zone, the firms to set in bold, the time of reading."""

    command: str = "/regwatch"
    zone: str = "UTC"
    watched: frozenset[str] = frozenset()
    now: datetime | None = None
    language: str = "en"

    def say(self, template: str) -> str:
        """Our own words in the reader's language."""
        return say(self.language, template)

    def mrkdwn(self, template: str, *values: str | int | Decimal | date) -> Mrkdwn:
        """`text.mrkdwn` of the template in the reader's language."""
        return mrkdwn(self.say(template), *values)


# --- blocks within their limits ---


def _mrkdwn(text: Mrkdwn, limit: int) -> Block:
    # verbatim: no guessing of links, names and channels in what we did not mark as such
    # and Slack refuses the whole message for an empty text
    return {"type": "mrkdwn", "text": t.fitted(text, limit) if text.strip() else "-", "verbatim": True}


def _plain(text: str, limit: int) -> Block:
    return {"type": "plain_text", "text": t.plain(text, limit), "emoji": False}


def section(text: Mrkdwn, accessory: Block | None = None) -> Block:
    block: Block = {"type": "section", "text": _mrkdwn(text, LONGEST_SECTION)}
    return block if accessory is None else {**block, "accessory": accessory}


def fields_block(fields: Sequence[Mrkdwn]) -> Block:
    return {"type": "section", "fields": [_mrkdwn(text, 600) for text in fields[:10]]}


def context(*lines: Mrkdwn) -> Block:
    return {"type": "context", "elements": [_mrkdwn(line, 1_200) for line in lines if line][:10]}


def _header(text: str) -> Block:
    return {"type": "header", "text": _plain(text, LONGEST_HEADER)}


def button(label: str, command: str, way: str, number: int = 0) -> Block | None:
    """A button that runs a command; None when the command is longer than a button can carry."""
    if len(command) > 1_900:
        return None
    return {"type": "button", "text": _plain(label, LONGEST_LABEL), "action_id": f"regwatch.{way}.{number}", "value": command}


def open_button(label: str, url: str) -> Block | None:
    address = t.safe_url(url)
    if address is None:
        return None
    return {"type": "button", "text": _plain(label, LONGEST_LABEL), "action_id": "regwatch.open.0", "url": address}


def button_row(*buttons: Block | None) -> list[Block]:
    """One row of buttons, or nothing. Action ids are numbered, for they must differ within a block."""
    found = [
        {**button, "action_id": f"{button['action_id'].rpartition('.')[0]}.{number}"} for number, button in enumerate(filter(None, buttons))
    ]
    return [{"type": "actions", "elements": found[:10]}] if found else []


def _weight(value: object) -> int:
    if isinstance(value, dict):
        return sum(_weight(part) for key, part in value.items() if key not in ("type", "action_id"))
    if isinstance(value, list):
        return sum(map(_weight, value))
    return len(value) if isinstance(value, str) else 0


@dataclass(slots=True)
class Sheet:
    """Blocks under a budget. The tail (coverage line, buttons) is reserved first and always there.

    Room is kept for one line that says what was left out: nothing goes missing in silence.
    """

    tail: list[Block]
    body: list[Block] = field(default_factory=list)
    most: int = MOST_BLOCKS
    missing: Mrkdwn | None = None

    def add(self, *blocks: Block) -> bool:
        """Adds all of the blocks or, when they do not fit, none. A context without a line is nothing."""
        blocks = tuple(block for block in blocks if block.get("elements") != [])
        if not self.has_room(*blocks):
            self.missing = self.missing or Mrkdwn("Some of it did not fit here.")
            return False
        self.body += blocks
        return True

    def has_room(self, *blocks: Block) -> bool:
        """Whether the blocks fit."""
        whole = [*self.body, *blocks, *self.tail]
        return len(whole) < self.most and _weight(whole) <= MOST_CHARACTERS - _KEPT_FOR_MISSING

    def lines(self, lines: Sequence[Mrkdwn]) -> int:
        """Adds lines, as many to a section as it holds, until the sheet is full. Returns how many it took."""
        taken = 0
        while taken < len(lines):
            count = 1
            while count < len(lines) - taken and sum(map(len, lines[taken : taken + count + 1])) + count <= LONGEST_SECTION:
                count += 1
            while count and not self.has_room(section(join("\n", lines[taken : taken + count]))):
                count -= 1
            if not count:
                self.missing = mrkdwn("and {} more", len(lines) - taken)
                break
            self.add(section(join("\n", lines[taken : taken + count])))
            taken += count
        return taken

    def message(self, text: Mrkdwn, *, is_ephemeral: bool = True, is_error: bool = False) -> Message:
        """What was added, what is missing, and the tail."""
        missing = [context(self.missing)] if self.missing else []
        return Message(t.fitted(text, LONGEST_TEXT) or Mrkdwn("Regwatch"), [*self.body, *missing, *self.tail], is_ephemeral, is_error)


def coverage_block(coverage: Coverage, look: Look) -> list[Block]:
    return [context(t.coverage_line(coverage, look.zone, look.now))]


# --- parts that several messages share ---


def _zh(hant: str, hans: str) -> str:
    """騰訊 / 腾讯, or one of them when they are the same."""
    return " / ".join(dict.fromkeys(name for name in (hant, hans) if name))


def firm_title(firm: FirmView) -> Mrkdwn:
    """*Tencent* · 騰訊 / 腾讯 · 0700.HK, and for a brand whose it is."""
    parts = [t.bold(firm.name), escape(_zh(firm.name_zh_hant, firm.name_zh_hans), 80), escape(", ".join(firm.tickers), 80)]
    parts += [mrkdwn("{} of {}", t.EDGE_WORDS[edge], escape(name, 80)) for _, name, edge in firm.owners[:2]]
    return join(" · ", parts)


def match_name(match: FirmMatch) -> Mrkdwn:
    """*Alibaba Group* (阿里巴巴, 9988.HK)."""
    more = ", ".join([*dict.fromkeys(match.names_zh), *match.tickers][:3])
    return mrkdwn("{} ({})", t.bold(match.name), escape(more, 80)) if more else t.bold(match.name)


def match_label(match: FirmMatch) -> str:
    """Tencent 騰訊 0700.HK, for a button."""
    return " ".join([match.name, *match.names_zh[:1], *match.tickers[:1]])


def _is_watched(firm: ActionFirmView, look: Look) -> bool:
    """Whether the firm, or the brand through which it was hit, is one that the reader follows or asks about."""
    return firm.firm_id in look.watched or firm.brand_id in look.watched


def firm_name(firm: ActionFirmView, look: Look) -> Mrkdwn:
    safe = escape(firm.name, 80)
    name = t.bold(safe) if _is_watched(firm, look) else safe
    return mrkdwn("{} (via {})", name, escape(firm.via.partition(",")[0], 60)) if firm.via else name


def named(firms: Iterable[ActionFirmView], look: Look) -> list[Mrkdwn]:
    """Names once each, those that are watched first."""
    ordered = sorted(firms, key=lambda firm: not _is_watched(firm, look))
    return list(dict.fromkeys(firm_name(firm, look) for firm in ordered))


def _count(action: ActionView) -> str:
    """11 firms stated, 6 named here, 5 not named in this document."""
    named, stated = len(action.named), action.stated_count
    where = "these documents" if len(action.documents) > 1 else "this document"
    if stated and stated > named:
        said = f"{stated} firms stated, {named or 'none'} named here" + (f", {stated - named} not named in {where}" if named else "")
    elif named > 1:
        said = f"{named} firms named" + (f", as many as stated in {where}" if stated == named else "")
    else:
        said = "" if named else "No firm named"
    unknown = sum(firm.firm_id is None for firm in action.named)
    return said + (f"{', ' if said else ''}{unknown} not in the register" if unknown else "")


def against(action: ActionView, look: Look) -> Mrkdwn:
    """How many, and who: the line under an action's head. Group firms follow after a semicolon."""
    count, names = _count(action), named(action.named, look)
    groups = named((firm for firm in action.firms if firm.role is Role.GROUP), look)
    first = mrkdwn("{}: {}", count, t.listed(names)) if count and names else t.listed(names) if names else mrkdwn("{}", count)
    return join("; ", [first, mrkdwn("group: {}", t.listed(groups, 400)) if groups else Mrkdwn("")])


def _by(action: ActionView) -> Mrkdwn:
    return join(", ", [escape(regulator.name, 120) for regulator in action.regulators[:4]]) or Mrkdwn("regulator not known")


def _dates(action: ActionView, look: Look) -> list[Mrkdwn]:
    """Decided (marked when inferred), then reported or published."""
    found = []
    beside = None
    if action.decided_on is not None:
        mark = " (inferred)" if action.is_decided_inferred else ""
        found.append(mrkdwn("{}{}", t.partial(action.decided_on), mark))
        beside = action.decided_on.value
    if action.published_at is not None:
        told = "published" if action.is_confirmed else "reported"
        found.append(mrkdwn("{} {}", told, t.published(action.published_at, action.published_precision, look.zone, beside)))
    return found or [mrkdwn("first seen {}", t.instant(action.first_seen_at, look.zone))]


def head_line(action: ActionView, look: Look) -> Mrkdwn:
    """RW-1001 · TALKS 约谈 · regulator · 18 Mar 2021 · reported 19 Mar."""
    status = mrkdwn("status: {}", t.words(action.status)) if action.status is not Status.IN_FORCE else Mrkdwn("")
    return join(" · ", [t.bold(action.ref), Mrkdwn(t.kind_label(action.kind)), _by(action), *_dates(action, look), status])


def source_line(action: ActionView) -> Mrkdwn:
    """Who tells it, linked, and what that is worth: the press, or the regulator itself."""
    quoted = action.quote.document_id if action.quote else None
    document = next((document for document in action.documents if document.id == quoted), action.documents[0] if action.documents else None)
    if document is None:
        return Mrkdwn("")
    if document.tier is Tier.PRIMARY:
        worth = "the regulator's own notice"
    else:
        worth = "press report" if action.is_confirmed else f"press report; {_SEEN}"
    return mrkdwn("{} ({})", t.link(document.url, t.plain(document.publisher, 100)), worth)


def money(action: ActionView) -> Mrkdwn:
    return join(", ", [t.amount(value) for value in action.amounts[:4]])


def row(action: ActionView, look: Look, accessory: Block | None = None) -> Block:
    """An action in a list: head, firms, money, one quote with its source."""
    quote = mrkdwn("“{}”  ", escape(action.quote.text, LONGEST_QUOTE)) if action.quote else Mrkdwn("")
    said = mrkdwn("{}{}", quote, source_line(action))
    return section(join("\n", [head_line(action, look), against(action, look), money(action), said]), accessory)


def said_aloud(action: ActionView, look: Look) -> Mrkdwn:
    """An action as a sentence, for those who hear a message or see its notification."""
    quiet = replace(look, watched=frozenset())
    who = t.listed(named(action.named, look), 300).replace("*", "") if action.named else _count(action)
    dates = ", ".join(t.partial(date) for date in [action.decided_on] if date is not None)
    when = mrkdwn(", {}", dates) if dates else Mrkdwn("")
    return mrkdwn("{} {}: {}{}. {}.", action.ref, t.words(action.kind), _by(action), when, Mrkdwn(who) if who else against(action, quiet))


def title_block(action: ActionView) -> Block:
    """The title, linked to its best document."""
    url = next((address for document in action.documents if (address := t.safe_url(document.url))), None)
    return section(t.link(url, action.title) if url else escape(action.title, 280))


def quote_blocks(action: ActionView) -> list[Block]:
    if action.quote is None:
        return []
    return [section(mrkdwn("“{}”", escape(action.quote.text, LONGEST_QUOTE)))]


def _case_line(others: Sequence[ActionView]) -> Mrkdwn:
    """The other actions of a case, oldest first."""
    if not others:
        return Mrkdwn("")
    told = [
        mrkdwn("{} {}{}", action.ref, t.words(action.kind), f" ({t.partial(action.decided_on)})" if action.decided_on else "")
        for action in others
    ]
    return mrkdwn("Same case: {}", t.listed(told, 600))


def details_button(action: ActionView) -> Block | None:
    return button("Details", unparse(ActionDetail(action.id)), "ask")


# --- what the Deliverer draws ---


def alert(due: DueDelivery) -> Message:
    """The card of a case in a channel: always its newest action, with what went before in one line."""
    look = _look_of(due)
    action, *others = sorted((_action_of(due), *due.case), key=lambda one: (one.first_seen_at, one.id), reverse=True)
    others.reverse()
    top = sorted(action.named, key=lambda firm: not _is_watched(firm, look))[:3]
    names = ", ".join(t.plain(firm.surface if firm.brand_id else firm.name, 40) for firm in top)
    more = max(action.stated_count or 0, len(action.named)) - len(top)
    who = f"{names} and {more} more" if names and more > 0 else names or (f"{action.stated_count} firms" if action.stated_count else "")
    fields = [mrkdwn("*Regulator*\n{}", _by(action)), mrkdwn("*Date*\n{}", join(", ", _dates(action, look)))]
    if action.amounts:
        fields.append(mrkdwn("*Amount*\n{}", money(action)))
    if action.status is not Status.IN_FORCE:
        fields.append(mrkdwn("*Status*\n{}", t.words(action.status)))
    seen = mrkdwn("{} · first seen {}", t.bold(action.ref), t.instant(action.first_seen_at, look.zone))
    url = action.documents[0].url if action.documents else ""
    sheet = Sheet(button_row(details_button(action), open_button("Open source", url)))
    sheet.add(_header(f"{t.kind_label(action.kind)}{': ' if who else ''}{who}"))
    sheet.add(title_block(action))
    sheet.add(fields_block(fields))
    sheet.add(section(against(action, look)))
    sheet.add(*quote_blocks(action))
    sheet.add(context(source_line(action), seen, _case_line(others)))
    return sheet.message(mrkdwn("{} Source: {}.", said_aloud(action, look), _source_name(action)), is_ephemeral=False)


def development(due: DueDelivery) -> Message:
    """The reply in a card's thread: what changed, or the new action of the case."""
    look, action = _look_of(due), _action_of(due)
    sheet = Sheet(button_row(details_button(action)))
    if not due.changes:
        sheet.add(section(Mrkdwn("*New in this case*")), row(action, look))
        return sheet.message(mrkdwn("New in this case: {}", said_aloud(action, look)), is_ephemeral=False)
    head = mrkdwn("{} {}: {}", t.bold(action.ref), t.words(action.kind), t.listed(named(action.named, look), 400) or _by(action))
    changes = [change_words(change, action) for change in due.changes]
    sheet.add(section(join("\n", [head, *(mrkdwn("• {}", change) for change in changes[:15])])))
    sheet.add(context(source_line(action)))
    text = mrkdwn("{} {}: {}.", action.ref, t.words(action.kind), join("; ", changes[:6]))
    return sheet.message(text, is_ephemeral=False)


def digest(due: DueDelivery) -> tuple[Message, ...]:
    """The root of the digest, then the messages of its thread."""
    if due.digest is None:
        raise ValueError(f"delivery {due.id} has no digest")
    root = digest_of(due.digest, due.channel)
    return (replace(root, thread=()), *root.thread)


def notice(due: DueDelivery) -> Message:
    """What the operators are told: a source whose health changed, or that the fuse holds."""
    look, facts = _look_of(due), due.notice
    health = facts.get("health", "")
    known = {"source", "regulator", "health", "since", "detail", "text"}
    who = mrkdwn("{}{}", t.code(facts.get("source", "")), f" ({facts['regulator']})" if facts.get("regulator") else "")
    state = t.HEALTH_WORDS[Health(health)] if health in set(Health) else health
    when = f" since {_moment_of(facts['since'], look)}" if facts.get("since") else ""
    lines = [
        mrkdwn("*Source* {}: {}{}", who, state, when) if facts.get("source") else Mrkdwn("*Notice*"),
        escape(facts.get("detail", ""), 600),
        escape(facts.get("text", ""), 600),
        *(mrkdwn("{}: {}", escape(key, 60), escape(value, 300)) for key, value in sorted(facts.items()) if key not in known),
    ]
    sheet = Sheet([])
    sheet.add(section(join("\n", lines)))
    return sheet.message(join(". ", lines), is_ephemeral=False)


def _moment_of(value: str, look: Look) -> str:
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return value
    return t.moment(at, look.zone) if at.tzinfo else value


def _look_of(due: DueDelivery) -> Look:
    return Look(zone=due.channel.time_zone, watched=due.watched)


def _action_of(due: DueDelivery) -> ActionView:
    if due.action is None:
        raise ValueError(f"delivery {due.id} ({due.key}) has no action")
    return due.action


def _source_name(action: ActionView) -> Mrkdwn:
    document = action.documents[0] if action.documents else None
    if document is None:
        return Mrkdwn("not stored")
    return mrkdwn("{}{}", escape(document.publisher, 100), "" if action.is_confirmed else f" (press report; {_SEEN})")


def change_words(change: ChangeView, action: ActionView) -> Mrkdwn:
    """One change in words: "kind: talks → fine"."""
    before, after = escape(change.before.replace("_", " "), 300), escape(change.after.replace("_", " "), 300)
    match change.what:
        case "confirmed" if change.after != "reported":
            return mrkdwn("confirmed: the notice of {} was found", _by(action))
        case "target":
            came, went = mrkdwn("now named: {}", after), mrkdwn("no longer named: {}", before)
            whole = mrkdwn("list now {} of {}", len(action.named), action.stated_count) if action.stated_count else Mrkdwn("")
            return join("; ", [came if after else Mrkdwn(""), went if before else Mrkdwn(""), whole])
        case "count":
            return mrkdwn("firms stated: {} → {}, named: {}", before or Mrkdwn("none"), after or Mrkdwn("none"), len(action.named))
    return mrkdwn("{}: {} → {}", change.what.replace("_", " "), before or Mrkdwn("none"), after or Mrkdwn("none"))


# --- the digest ---


def digest_of(view: DigestView, channel: ChannelView, *, is_preview: bool = False) -> Message:
    """A channel's digest: counts and one line each in the root, the actions themselves in its thread."""
    look = Look(zone=channel.time_zone, watched=view.watched, now=view.until)
    here = t.local(view.until, look.zone)
    place = t.place(channel.slack_id, channel.name)
    when = f"{t.DAYS[here.weekday()]} {t.day(here.date())}, {here:%H:%M} {t.zone_name(look.zone)}"
    late = f" · late, it was due at {channel.digest_at}" if view.is_late and not is_preview else ""
    sheet = Sheet(coverage_block(view.coverage, look), most=10)
    sheet.add(section(mrkdwn("*Regwatch · {} · {}*{}{}", place, when, late, " · preview" if is_preview else "")))
    moved = [
        mrkdwn("{}: {}", short_line(action, look), join("; ", [change_words(change, action) for change in changes[:4]]) or Mrkdwn("moved"))
        for action, changes in view.moved
    ]
    new = [_new_line(action, look) for action in view.new]
    for label, lines in (("Moved", moved), ("New", new)):
        if lines:
            shown = [mrkdwn("• {}", t.fitted(line, 420)) for line in lines[:DIGEST_LINES]]
            more = [mrkdwn("and {} more in the thread", len(lines) - len(shown))] if len(lines) > len(shown) else []
            sheet.add(section(join("\n", [mrkdwn("*{} ({})*", label, len(lines)), *shown, *more])))
    if not moved and not new:
        sheet.add(section(mrkdwn("Nothing new since {}.", t.instant(view.since, look.zone))))
    if view.quiet_firms:
        sheet.add(context(mrkdwn("Nothing for: {}", t.listed([escape(name, 60) for name in view.quiet_firms], 600))))
    text = mrkdwn(
        "Regwatch digest, {}: {} moved, {} new. {}.", when, len(moved), len(new), t.coverage_line(view.coverage, look.zone, look.now)
    )
    root = sheet.message(text, is_ephemeral=False)
    return replace(root, thread=_thread([*(action for action, _ in view.moved), *view.new], look))


def short_line(action: ActionView, look: Look) -> Mrkdwn:
    who = t.listed(named(action.named, look)[:3], 160)
    return mrkdwn("{} {}{}", action.ref, t.words(action.kind), mrkdwn(", {}", who) if who else Mrkdwn(""))


def _new_line(action: ActionView, look: Look) -> Mrkdwn:
    """RW-1002 and what it is; whether the list of firms is whole, and whether one of the channel's is on it."""
    mine = [firm for firm in action.firms if _is_watched(firm, look)]
    missing = bool(action.stated_count and action.stated_count > len(action.named))
    notes = [] if mine or not look.watched else ["none of your firms identified"]
    notes += ["list incomplete"] if missing else []
    count = mrkdwn("{} firms", action.stated_count) if action.stated_count and not mine else Mrkdwn("")
    who = t.listed(named(action.named, look)[:3], 160) if mine or not count else count
    return join(
        "",
        [
            mrkdwn("{} {}, {}", action.ref, t.words(action.kind), _by(action)),
            mrkdwn(": {}", who) if who else Mrkdwn(""),
            mrkdwn("; {}", ", ".join(notes)) if notes else Mrkdwn(""),
        ],
    )


def _thread(actions: Sequence[ActionView], look: Look) -> tuple[Message, ...]:
    """The actions of a digest, at most eight in a message, none left out."""
    messages: list[Message] = []
    rest = list(dict.fromkeys(actions))
    while rest:
        sheet = Sheet([])
        fitting = 0
        for action in rest[:DIGEST_ACTIONS]:
            drawn = row(action, look, details_button(action))
            if not sheet.has_room(drawn):
                break
            sheet.add(drawn)
            fitting += 1
        shown, rest = rest[:fitting], rest[fitting:]
        messages.append(sheet.message(join(" ", [said_aloud(action, look) for action in shown]), is_ephemeral=False))
    return tuple(messages)
