"""The help, what is wrong and what to type next, and an answer as a channel sees it. Pure.

Verbs, keys and examples are the same in every language; what is said about them is translated (`zh/help.toml`, which
holds the errors of the grammar too).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import bot.slack.text as t
from bot.slack.blocks import LONGEST_LABEL, Block, Look, Message, Sheet, button, button_row, context, question_before, section
from bot.slack.cards import coverage_block
from bot.slack.grammar import VERBS, UserError
from bot.slack.labels import say
from bot.slack.replies import channel_state
from bot.slack.text import Mrkdwn, escape, join, mrkdwn
from storage.views import ChannelView, Coverage

_OVERVIEW = (
    ("<firm>", "who acted against a firm, by any of its names, its ticker or in Chinese; `kind:fine since:2021-03` and the like narrow it"),
    ("firm|totals|timeline <firm>", "its names and owners; the sums, by currency; when it happened"),
    ("search <words>", "in all stored documents, in either script of Chinese"),
    ("action|why <RW-id>", "one action with its proof; why it did or did not reach this channel"),
    (
        "subscribe <firm> [filter]...",
        "alerts and a digest here; `subscribe list` shows what this channel follows, `unsubscribe <firm>` ends it",
    ),
    ("mute <firm>|<RW-id>|channel for 7d", "no alerts for a while; the digest has them"),
    ("digest on|off|preview|at 08:30", "the daily summary; `settings` has the zone, quiet hours and language"),
    ("help <verb>", "more of one of them, with an example. Also `sources`, `export`, `unmute`, `backfill`"),
)


@dataclass(frozen=True, slots=True)
class _Entry:
    """What one verb takes, what it does, an example that works, what that does, and more. `is_tried`: the example only asks."""

    usage: str
    what: str
    example: str
    shows: str
    more: str = ""
    is_tried: bool = False


_FILTERS = (
    "Filters: `kind:fine,talks` `severity:>=fine` `role:target` `min:USD1m` `since:90d` `until:2021-03` `regulator:csrc` `country:CN`"
    " `status:proposed` `currency:USD` `lang:zh`. A list means any of them, several keys mean all of them, a leading `-`"
    " excludes."
)
_HELP: Mapping[str, _Entry] = {
    "help": _Entry("[verb]", "all verbs, or what one of them takes", "help subscribe", "what a subscription can be told"),
    "actions": _Entry(
        "<firm> [filter]...",
        "who acted against a firm; `recent`, `against`, `show` and the firm alone do the same",
        "actions tencent kind:fine,talks since:2021-03",
        "fines and talks since March 2021",
        "Without filters: `role:target,group since:90d`, five a page; `limit:10` shows more at once.",
        is_tried=True,
    ),
    "action": _Entry("<RW-id>", "one action: fields, quotes, documents, the history of its case", "action RW-1001", "all about RW-1001"),
    "firm": _Entry(
        "<firm>",
        "its names, owner, subsidiaries, and how often each name was read",
        "firm 騰訊",
        "Tencent by its Chinese name",
        is_tried=True,
    ),
    "totals": _Entry(
        "<firm>|all [by year|regulator|kind] [filter]...",
        "the sums of what was done, by currency; nothing is converted, nothing proposed is added to what is final",
        "totals alibaba by year",
        "a row for each year",
        is_tried=True,
    ),
    "timeline": _Entry(
        "<firm>|all [filter]...",
        "when it happened, as a line of bars",
        "timeline alibaba since:2020",
        "from 2020 until today",
        is_tried=True,
    ),
    "search": _Entry(
        "<words> [filter]...",
        "documents that hold all the words, newest first; words in quotes are one phrase",
        'search "數據安全" country:CN',
        "the phrase in either script of Chinese, in documents of Chinese regulators",
        is_tried=True,
    ),
    "subscribe": _Entry(
        "<firm|regulator:x|all>[, ...] [filter]...",
        "alerts and digest in this channel; `subscribe list` shows what it follows",
        "subscribe alibaba, 騰訊 severity:>=fine",
        "two firms, from fines upwards",
        "A filter given here replaces the default `role:target,group`. Also `broadcast:never|escalation|all` and"
        " `deliver:now|digest|both`. The same command again changes the rule.",
    ),
    "unsubscribe": _Entry("<firm>|<#id>|all", "end what this channel follows", "unsubscribe #17", "the number is in `subscribe list`"),
    "mute": _Entry(
        "<firm>|<RW-id>|channel for 12h|7d|2w | until 2021-04-01",
        "no alerts for a while; the digest still has them",
        "mute tencent for 7d",
        "a week without alerts about Tencent",
        "An RW-id mutes its whole case.",
    ),
    "unmute": _Entry("<firm>|<RW-id>|channel", "end what was muted", "unmute tencent", "alerts about Tencent again"),
    "digest": _Entry(
        "on|off|now|preview | at 08:30 Asia/Taipei [weekdays|daily] [empty:send|skip]",
        "the daily summary of this channel",
        "digest at 08:30 Asia/Taipei weekdays",
        "half past eight in Taipei, from Monday to Friday",
        "`preview` shows it to you, `now` to the channel; neither moves its window.",
    ),
    "sources": _Entry(
        "[regulator] | arm|hold|check <id>",
        "what is read, and how well",
        "sources csrc",
        "those of one regulator",
        "For admins: `arm` lets a source alert, `hold` stops its alerts, `check` reads it now.",
        is_tried=True,
    ),
    "why": _Entry(
        "<RW-id> [#channel]",
        "why an action did or did not reach a channel: the name that was read, the rule, what was delivered when",
        "why RW-1001 #legal",
        "for another channel than this one",
    ),
    "backfill": _Entry(
        "<firm|source> [since:2020-01-01] [dry-run]",
        "for admins: what is stored, and what a source still lists, is read again, silently",
        "backfill tencent since:2020-01-01 dry-run",
        "says what would change, and changes nothing",
    ),
    "export": _Entry(
        "<firm>|channel [since:2021] [as csv|json]",
        "a file of all actions of a firm, or of all that happened in this channel",
        "export tencent since:2021 as csv",
        "a table for a spreadsheet",
    ),
    "settings": _Entry("", "a form: zone, quiet hours, digest, broadcast, language", "settings", "opens the form of this channel"),
}


def help_(verb: str | None, channel: ChannelView | None, coverage: Coverage, look: Look) -> Message:
    """Eight lines and this channel's state; or what one verb takes, with an example."""
    if verb is not None:
        return _help_of(verb, coverage, look)
    sheet = Sheet(coverage_block(coverage, look))
    lines = [mrkdwn("{}  {}", t.code(f"{look.command} {usage}"), prose(look.say(what), "")) for usage, what in _OVERVIEW]
    sheet.add(section(join("\n", lines)))
    if channel is None:
        state = look.mrkdwn("This channel follows nothing yet.")
    else:
        template = "This channel: {} subscription. {}" if channel.subscriptions == 1 else "This channel: {} subscriptions. {}"
        state = look.mrkdwn(template, channel.subscriptions, channel_state(channel, look))
    sheet.add(section(state))
    text = "Regwatch tells a channel when a regulator acts against a firm it follows. Commands: {}. {}"
    return sheet.message(look.mrkdwn(text, ", ".join(VERBS), state))


def _help_of(verb: str, coverage: Coverage, look: Look) -> Message:
    entry = _HELP[verb]
    tried = button(look.say("Try the example"), entry.example, "ask") if entry.is_tried else None
    sheet = Sheet([*coverage_block(coverage, look), *button_row(tried)])
    usage = f"{look.command} {verb} {entry.usage}".rstrip()
    what, shows = prose(look.say(entry.what), ""), prose(look.say(entry.shows), "")
    lines = [
        mrkdwn("{}  {}", t.code(usage), what),
        look.mrkdwn("Example: {}  {}", t.code(f"{look.command} {entry.example}"), shows),
        prose(look.say(entry.more), ""),
        prose(look.say(_FILTERS), "") if "[filter]" in entry.usage else Mrkdwn(""),
    ]
    sheet.add(section(join("\n", lines)))
    return sheet.message(look.mrkdwn("{}: {}. Example: {}", usage, what, f"{look.command} {entry.example}"))


def wrong(error_: UserError, look: Look) -> Message:
    """What the grammar did not understand, with its suggestion as a button."""
    again = error_.suggestion
    return error(error_.said(look.say), [(error_.labelled(look.say) or again, again)] if again else [], look)


def prose(text: str, command: str) -> Mrkdwn:
    """Our words with `code` in backticks, strangers' words escaped. A command in them is shown whole, `/regwatch` included."""
    parts = []
    for index, part in enumerate(re.split(r"`([^`]*)`", text)):
        if index % 2:
            is_command = bool(command) and part.split(" ")[0] in VERBS
            parts.append(t.code(f"{command} {part}" if is_command else part))
        else:
            lead, trail = (" " if part[:1] == " " else ""), (" " if part[-1:] == " " and part.strip() else "")
            parts.append(Mrkdwn(f"{lead}{escape(part, 1_500)}{trail}"))
    return join("", parts)


def error(text: str, choices: Sequence[tuple[str, str]], look: Look) -> Message:
    """What is wrong, and what to do: `choices` are labels and the commands that their buttons run.

    A text without places is said in the reader's language; one that was filled in comes as it is to be shown.
    """
    sheet = Sheet(
        button_row(
            *(
                button(label, command, "run", number, question=question_before(command, look))
                for number, (label, command) in enumerate(choices[:8])
            )
        )
    )
    said = prose(look.say(text), look.command)
    sheet.add(section(said))
    labels = ", ".join(t.plain(label, LONGEST_LABEL) for label, _ in choices[:8])
    offered = look.mrkdwn(" Choices: {}.", labels) if choices else Mrkdwn("")
    return sheet.message(mrkdwn("{}{}", said, offered), is_error=True)


def failure(reference: str, words: str = "", *, language: str = "en") -> Message:
    """Something broke here. The reference is in the log too."""
    told = escape(words) if words else Mrkdwn(say(language, "Something went wrong here, and what you asked for may not have been done."))
    said = mrkdwn(say(language, "{} Reference {}."), told, t.code(reference))
    sheet = Sheet([])
    sheet.add(section(said))
    return sheet.message(said, is_error=True)


def shared(message: Message, by: str, *, language: str = "en") -> Message:
    """An answer as the channel sees it: who shared it, and only buttons that serve everyone."""
    kept: list[Block] = []
    for block in message.blocks:
        if block["type"] != "actions":
            kept.append(block)
            continue
        kept += button_row(*(button for button in block["elements"] if button["action_id"].split(".")[1] in ("ask", "open", "form")))
    note = context(mrkdwn(say(language, "Shared by {}"), t.person(by)))
    return Message(
        mrkdwn(say(language, "{} Shared by {}."), message.text, t.person(by)), [*kept, note], is_ephemeral=False, file=message.file
    )
