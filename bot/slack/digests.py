"""The digest of a channel: counts and one line each in its root message, the actions themselves in its thread. Pure.

Drawn with the parts of `bot.slack.cards`. What moved stands before what is new, what is quiet is named, and the coverage
line is the proof that silence is silence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import bot.slack.text as t
from bot.slack.blocks import Look, Message, Sheet, context, section
from bot.slack.cards import (
    change_words,
    coverage_block,
    details_button,
    is_watched,
    named,
    regulators,
    row,
    said_aloud,
    short_line,
)
from bot.slack.text import Mrkdwn, escape, join, mrkdwn
from storage.views import ActionView, ChannelView, DigestView, DueDelivery

DIGEST_LINES = 6  # of moved, and of new ones, in the root message
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


def _moved_line(action: ActionView, changes: Sequence[Mrkdwn], look: Look) -> Mrkdwn:
    said = join(look.say("; "), changes) or look.mrkdwn("moved")
    return look.mrkdwn("{}: {}", short_line(action, look), said)


def _new_line(action: ActionView, look: Look) -> Mrkdwn:
    """RW-1002 and what it is; whether the list of firms is whole, and whether one of the channel's is on it."""
    mine = [firm for firm in action.firms if is_watched(firm, look)]
    missing = bool(action.stated_count and action.stated_count > len(action.named))
    notes = [] if mine or not look.watched else [look.mrkdwn("none of your firms identified")]
    notes += [look.mrkdwn("list incomplete")] if missing else []
    if action.stated_count and not mine:
        who = look.mrkdwn("{} firms", action.stated_count)
    else:
        who = t.listed(named(action.named, look)[:3], 160, language=look.language)
    head = look.mrkdwn("{} {}, {}", action.ref, t.words(action.kind, language=look.language), regulators(action, look))
    return join(look.say("; "), [look.mrkdwn("{}: {}", head, who) if who else head, join(look.say(", "), notes)])


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
