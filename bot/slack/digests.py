"""Many actions in one message: the digest of a channel, and alerts that are rolled up. Pure.

Counts and one line each in the root message, the actions themselves in its thread. Drawn with the parts of
`bot.slack.cards`. In a digest what moved stands before what is new, what is quiet is named, and the coverage line is the proof that
silence is silence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import bot.slack.text as t
from bot.slack.blocks import Look, Message, Sheet, context, section
from bot.slack.cards import (
    change_words,
    coverage_block,
    details_button,
    is_watched,
    money,
    named,
    regulators,
    row,
    said_aloud,
    short_line,
)
from bot.slack.text import Mrkdwn, escape, join, mrkdwn
from storage.views import ActionView, ChannelView, DigestView, DueDelivery

DIGEST_LINES = 6  # of moved, and of new ones, in the root message
ROLLUP_LINES = 12  # in the root of a rolled-up message
DIGEST_ACTIONS = 8  # in one message of the thread


def digest(due: DueDelivery) -> tuple[Message, ...]:
    """The root of the digest, then the messages of its thread. Raises ValueError for a delivery without one."""
    if due.digest is None:
        raise ValueError(f"delivery {due.id} has no digest")
    root = digest_of(due.digest, due.channel)
    return (replace(root, thread=()), *root.thread)


def digest_of(view: DigestView, channel: ChannelView, *, is_preview: bool = False) -> Message:
    """A channel's digest as one message with its thread."""
    look = Look(zone=channel.time_zone, watched=view.watched, now=view.until, language=channel.language)
    here = t.local(view.until, look.zone)
    place = t.place(channel.slack_id, channel.name, language=look.language)
    when = mrkdwn("{} {}", t.weekday(here.date(), language=look.language), t.moment(view.until, look.zone, language=look.language))
    late = look.mrkdwn(" · late, it was due at {}", channel.digest_at) if view.is_late and not is_preview else Mrkdwn("")
    preview = look.mrkdwn(" · preview") if is_preview else Mrkdwn("")
    sheet = Sheet(coverage_block(view.coverage, look), look, most=10)
    sheet.add(section(mrkdwn("*Regwatch · {} · {}*{}{}", place, when, late, preview)))
    moved = [_moved_line(action, [change_words(change, action, look) for change in changes[:4]], look) for action, changes in view.moved]
    new = [_new_line(action, look) for action in view.new]
    for title, lines in (("*Moved ({})*", moved), ("*New ({})*", new)):
        if lines:
            shown = [mrkdwn("• {}", t.fitted(line, 420)) for line in lines[:DIGEST_LINES]]
            more = [look.mrkdwn("and {} more in the thread", len(lines) - len(shown))] if len(lines) > len(shown) else []
            sheet.add(section(join("\n", [look.mrkdwn(title, len(lines)), *shown, *more])))
    if not moved and not new:
        sheet.add(section(look.mrkdwn("Nothing new since {}.", t.instant(view.since, look.zone, language=look.language))))
    if view.quiet_firms:
        quiet = t.listed([escape(name, 60) for name in view.quiet_firms], 600, language=look.language)
        sheet.add(context(look.mrkdwn("Nothing for: {}", quiet)))
    coverage = t.coverage_line(view.coverage, look.zone, look.now, language=look.language)
    text = look.mrkdwn("Regwatch digest, {}: {} moved, {} new. {}.", when, len(moved), len(new), coverage)
    root = sheet.message(text, is_ephemeral=False)
    return replace(root, thread=_thread([*(action for action, _ in view.moved), *view.new], look))


def rollup(due: DueDelivery) -> tuple[Message, ...]:
    """The root of a rolled-up message, the severest first, then the messages of its thread, as they were owed.

    Raises ValueError for a delivery without a roll-up.
    """
    view = due.rollup
    if view is None:
        raise ValueError(f"delivery {due.id} has no roll-up")
    look = Look(zone=due.channel.time_zone, watched=due.watched, language=due.channel.language)
    count = len(view.actions)
    if view.is_after_quiet:
        head = look.mrkdwn("*{} alerts from the quiet hours*", count)
        note = look.mrkdwn("In one message; each is in its thread.")
    else:
        head = look.mrkdwn("*{} alerts at once*", count) if count > 1 else look.mrkdwn("*One more alert*")
        later = t.instant(view.next_at, look.zone, language=look.language)
        note = look.mrkdwn(
            "More than five within ten minutes: in one message, each in its thread. What comes before {} follows then.", later
        )
    kinds = Counter(action.kind for action in view.actions).most_common()
    counted = t.listed(
        [mrkdwn("{} {}", t.words(kind, language=look.language), times) for kind, times in kinds], 600, language=look.language
    )
    severest = sorted(view.actions, key=lambda action: -(action.kind.severity or 0))
    lines = [mrkdwn("• {}", t.fitted(_new_line(action, look), 420)) for action in severest[:ROLLUP_LINES]]
    more = [look.mrkdwn("and {} more in the thread", count - len(lines))] if count > len(lines) else []
    sheet = Sheet([context(note)], look, most=10)
    sheet.add(section(join("\n", [head, counted, *lines[:DIGEST_LINES]])))
    if lines[DIGEST_LINES:] or more:
        sheet.add(section(join("\n", [*lines[DIGEST_LINES:], *more])))
    text = look.mrkdwn("Regwatch, {} alerts: {}.", count, counted)
    return (sheet.message(text, is_ephemeral=False), *_thread(view.actions, look))


def _moved_line(action: ActionView, changes: Sequence[Mrkdwn], look: Look) -> Mrkdwn:
    said = join(look.say("; "), changes) or look.mrkdwn("moved")
    return look.mrkdwn("{}: {}", short_line(action, look), said)


def _new_line(action: ActionView, look: Look) -> Mrkdwn:
    """RW-1002 and what it is, the sums; whether the list of firms is whole, and whether one of the channel's is on it."""
    mine = [firm for firm in action.firms if is_watched(firm, look)]
    missing = bool(action.stated_count and action.stated_count > len(action.named))
    notes = [] if mine or not look.watched else [look.mrkdwn("none of your firms identified")]
    notes += [look.mrkdwn("list incomplete")] if missing else []
    if action.stated_count and not mine:
        who = look.mrkdwn("{} firms", action.stated_count)
    else:
        who = t.listed(named(action.named, look)[:3], 160, language=look.language)
    head = look.mrkdwn("{} {}, {}", action.ref, t.words(action.kind, language=look.language), regulators(action, look))
    return join(look.say("; "), [look.mrkdwn("{}: {}", head, who) if who else head, money(action, look), join(look.say(", "), notes)])


def _thread(actions: Sequence[ActionView], look: Look) -> tuple[Message, ...]:
    """The actions of a digest, at most eight in a message, none left out."""
    messages: list[Message] = []
    rest = list(dict.fromkeys(actions))
    while rest:
        sheet = Sheet([], look)
        fitting = 0
        for action in rest[:DIGEST_ACTIONS]:
            drawn = row(action, look, details_button(action, look))
            if not sheet.has_room(drawn):
                break
            sheet.add(drawn)
            fitting += 1
        shown, rest = rest[:fitting], rest[fitting:]
        messages.append(
            sheet.message(t.sentences([said_aloud(action, look) for action in shown], language=look.language), is_ephemeral=False)
        )
    return tuple(messages)
