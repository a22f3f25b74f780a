"""Notices: what the operators are told of sources and of reading again, and owners of channels that are served no more. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import bot.slack.text as t
import bot.slack.unheard as unheard
from bot.slack.blocks import Look, Message, Sheet, section
from bot.slack.text import Mrkdwn, escape, join, mrkdwn
from storage.models import Health
from storage.views import DueDelivery


def notice(due: DueDelivery) -> Message:
    """What the operators are told: a source whose health changed, or that the fuse holds; what reading again came to; and what they
    and the owners of a channel are told when it is served no more."""
    look, facts = Look(zone=due.channel.time_zone, watched=due.watched, language=due.channel.language), due.notice
    if "reread" in facts:
        lines = _read_again(facts, look)
    elif facts.get("channel"):
        lines = unheard.paused(facts, look, is_near=facts.get("workspace") in (None, due.channel.workspace_id))
    else:
        lines = unheard.departed(facts, look) if facts.get("workspace") else _told_of_source(facts, look)
    sheet = Sheet([], look)
    sheet.add(section(join("\n", lines)))
    said = " ".join(line if line.endswith((".", "。")) else f"{line}." for line in lines if line)
    return sheet.message(Mrkdwn(said.replace("*", "").replace("`", "")), is_ephemeral=False)


def _told_of_source(facts: Mapping[str, str], look: Look) -> list[Mrkdwn]:
    health = facts.get("health", "")
    known = {"source", "regulator", "health", "since", "detail", "text"}
    who = t.code(facts.get("source", ""))
    if facts.get("regulator"):
        who = mrkdwn("{} ({})", who, facts["regulator"])
    state = t.words(Health(health), language=look.language) if health in set(Health) else health
    if not facts.get("source"):
        first = look.mrkdwn("*Notice*")
    elif facts.get("since"):
        first = look.mrkdwn("*Source* {}: {} since {}", who, state, unheard.moment_of(facts["since"], look))
    else:
        first = look.mrkdwn("*Source* {}: {}", who, state)
    return [
        first,
        escape(facts.get("detail", ""), 600),
        escape(facts.get("text", ""), 600),
        *(mrkdwn("{}: {}", escape(key, 60), escape(value, 300)) for key, value in sorted(facts.items()) if key not in known),
    ]


def _read_again(facts: Mapping[str, str], look: Look) -> list[Mrkdwn]:
    """The sum of a re-reading, as `bot.upkeep` tells it."""
    refs, firms = facts.get("refs", ""), facts.get("firms", "")
    lines = [
        look.mrkdwn("*Stored documents read again*: {}, of which {} say other things now", facts["reread"], facts["changed"]),
        look.mrkdwn(
            "{} actions new, {} changed, {} without a firm now; no channel was alerted", facts["opened"], facts["moved"], facts["unsaid"]
        ),
    ]
    if firms:
        lines.append(look.mrkdwn("newly named: {}", escape(firms, 600)))
    if refs:
        lines.append(look.mrkdwn("To see them ({}): {}", escape(refs, 120), t.code(f"{look.command} action {refs.partition(',')[0]}")))
    if facts["unreadable"] != "0":
        lines.append(look.mrkdwn("{} could not be read: a fault of Regwatch, the log has the traceback", facts["unreadable"]))
    return lines
