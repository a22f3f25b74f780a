"""The help, what is wrong and what to type next, and an answer as a channel sees it. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

import bot.slack.text as t
from bot.slack.cards import (
    LONGEST_LABEL,
    Block,
    Look,
    Message,
    Sheet,
    button,
    button_row,
    context,
    coverage_block,
    section,
)
from bot.slack.grammar import VERBS
from bot.slack.replies import channel_state
from bot.slack.text import Mrkdwn, escape, join, mrkdwn
from storage.views import ChannelView, Coverage

_OVERVIEW = (
    ("<firm>", "who acted against a firm: a name, brand, ticker or 中文名; then kind:fine, since:2021-03 and the like"),
    ("action <RW-id>", "one action: fields, quotes, documents, its case"),
    ("firm <firm>", "names, owner, subsidiaries, counts"),
    ("subscribe <firm> [filter]...", "alerts and a digest in this channel; subscribe list shows what it follows"),
    ("unsubscribe <firm>|<#id>|all", "ends it"),
    ("digest on|off|preview|at 08:30", "the daily summary"),
    ("sources, why <RW-id>", "what is read, and how well; why an action did or did not reach this channel"),
)
_HELP = {
    "actions": ("<firm> [filter]...", "who acted against a firm: a name, brand, ticker or 中文名; `recent`, `against`, `show` do the same"),
    "action": ("<RW-id>", "one action: fields, quotes, documents, its case"),
    "firm": ("<firm>", "names, owner, subsidiaries, counts"),
    "subscribe": ("<firm|regulator:x|all>[, ...] [filter]...", "alerts and digest in this channel; `subscribe list` shows what it follows"),
    "unsubscribe": ("<firm>|<#id>|all", "end it"),
    "digest": ("on|off|now|preview|at 08:30 Asia/Taipei [weekdays|daily] [empty:send|skip]", "the daily summary"),
    "sources": ("[regulator]", "what is read, and how well"),
    "why": ("<RW-id> [#channel]", "why an action did or did not reach a channel"),
    "help": ("[verb]", "this text"),
}
_MORE = {
    "actions": "Filters: `kind:fine,talks` `severity:>=fine` `role:target` `min:USD1m` `since:90d` `since:2021-03` `regulator:csrc`"
    " `country:CN` `status:proposed` `lang:zh` `limit:10`; a leading `-` excludes."
    " Without them: `role:target,group since:90d`, five a page.",
    "subscribe": "Filters as in `actions`; one given here replaces the default `role:target,group`."
    " Also `broadcast:never|escalation|all` and `deliver:now|digest|both`. The same command again changes the rule.",
    "digest": "`preview` shows it to you, `now` to the channel; neither moves its window.",
}


def help_(verb: str | None, channel: ChannelView | None, coverage: Coverage, look: Look, *, is_home: bool = False) -> Message:
    """Eight lines and this channel's state (a home page has none); or what one verb takes."""
    sheet = Sheet(coverage_block(coverage, look))
    if verb is not None:
        usage, what = _HELP[verb]
        lines = [mrkdwn("{} {}", t.code(f"{look.command} {verb} {usage}"), prose(what, "")), prose(_MORE.get(verb, ""), "")]
        sheet.add(section(join("\n", lines)))
        return sheet.message(mrkdwn("{} {} {}: {}", look.command, verb, usage, prose(what, "")))
    lines = [mrkdwn("{}  {}", t.code(f"{look.command} {usage}"), what) for usage, what in _OVERVIEW]
    lines.append(mrkdwn("{}  tells more of one of them, of filters too", t.code(f"{look.command} help actions")))
    sheet.add(section(join("\n", lines)))
    if is_home:
        state = Mrkdwn("Type these in the channel that is to follow a firm.")
    elif channel is None:
        state = Mrkdwn("This channel follows nothing yet.")
    else:
        many = "" if channel.subscriptions == 1 else "s"
        state = mrkdwn("This channel: {} subscription{}. {}", channel.subscriptions, many, channel_state(channel, look))
    sheet.add(section(state))
    text = "Regwatch tells a channel when a regulator acts against a firm it follows. Commands: {}. {}"
    return sheet.message(mrkdwn(text, ", ".join(VERBS), state))


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
    """What is wrong, and what to do: `choices` are labels and the commands that their buttons run."""
    sheet = Sheet(button_row(*(button(label, command, "run", number) for number, (label, command) in enumerate(choices[:8]))))
    said = prose(text, look.command)
    sheet.add(section(said))
    offered = mrkdwn(" Choices: {}.", ", ".join(t.plain(label, LONGEST_LABEL) for label, _ in choices[:8])) if choices else Mrkdwn("")
    return sheet.message(mrkdwn("{}{}", said, offered), is_error=True)


def failure(reference: str, words: str = "") -> Message:
    """Something broke here. The reference is in the log too."""
    said = mrkdwn("{} Reference {}.", escape(words) if words else "Something went wrong here, and nothing was changed.", t.code(reference))
    sheet = Sheet([])
    sheet.add(section(said))
    return sheet.message(said, is_error=True)


def shared(message: Message, by: str) -> Message:
    """An answer as the channel sees it: who shared it, and only buttons that serve everyone."""
    kept: list[Block] = []
    for block in message.blocks:
        if block["type"] != "actions":
            kept.append(block)
            continue
        kept += button_row(*(button for button in block["elements"] if button["action_id"].split(".")[1] in ("ask", "open", "form")))
    note = context(mrkdwn("Shared by {}", t.person(by)))
    return Message(mrkdwn("{} Shared by {}.", message.text, t.person(by)), [*kept, note], is_ephemeral=False)
