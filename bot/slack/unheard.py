"""Words about silence: why a channel or a workspace is served no more, what is muted, what nobody sees where the digest is off. Pure.

`paused` and `departed` are the notices that `storage.owners` owes, drawn for `notices.notice`; `muted_now`, `nowhere` and
`untold` stand in the replies of `replies` and on the home page. Whatever falls silent is told with what stands, what waits,
and what to type next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import bot.slack.text as t
from bot.slack.blocks import Look
from bot.slack.text import Mrkdwn, escape, join, mrkdwn
from storage.records import action_ref
from storage.views import MuteView

LATE_DAYS = 14
"""What is older when it is first seen is for the digest alone."""

_REFUSALS = {
    "is_archived": "it is archived",
    "channel_deleted": "it was deleted",
    "not_in_channel": "Regwatch was removed from it",
    "channel_not_found": "Regwatch cannot see it: it was deleted, or Regwatch was removed from it",
    "restricted_action": "posting is restricted there",
    "restricted_action_read_only_channel": "it is read-only",
    "restricted_action_thread_only_channel": "only replies in threads may be posted there",
    "messages_tab_disabled": "direct messages to Regwatch are switched off",
    "ekm_access_denied": "the organisation's administrators stopped all messages there",
    "is_inactive": "it is inactive",
    "no_permission": "Regwatch may not post there",
    "posting_to_channel_denied": "Regwatch may not post there",
    "app_uninstalled": "Regwatch was uninstalled",
    "team_access_revoked": "the organisation took Regwatch out of it",
}
"""Slack's word -> ours."""

_SHUT_OUT = ("not_in_channel", "channel_not_found", "no_permission")


def refusal(why: str, look: Look) -> Mrkdwn:
    """Why Slack takes nothing: `is_archived`, say, in plain words; a word that is not known here as Slack says it."""
    return look.mrkdwn(_REFUSALS[why]) if why in _REFUSALS else look.mrkdwn("Slack says {}", escape(why, 80))


# --- notices ---


def paused(facts: Mapping[str, str], look: Look, *, is_near: bool = True) -> list[Mrkdwn]:
    """That a channel is paused: since when and why, what stands and waits, what to do. For its owners, and for the operators, who
    are told who else was (`told`). `is_near`: its readers are of its workspace, so that Slack knows for them who and what is meant."""
    slack_id, why = facts.get("channel", ""), facts.get("reason", "")
    is_person = t.person(slack_id).startswith("<@")
    if slack_id.startswith("D"):
        name = look.mrkdwn("A direct message ({})", t.code(slack_id))
    elif is_near:
        name = t.person(slack_id) if is_person else t.place(slack_id, facts.get("name", ""), language=look.language)
    else:
        name = t.code(slack_id) if is_person else mrkdwn("#{} ({})", facts.get("name", ""), t.code(slack_id))
    since = moment_of(facts.get("since", ""), look)
    if is_person:
        return [
            look.mrkdwn("*Notice* {} cannot be told what becomes of their channels, since {}: {}.", name, since, refusal(why, look)),
            look.mrkdwn("Tell them yourself, or let somebody else subscribe those channels."),
        ]
    lines = [
        look.mrkdwn("*Notice* {} is paused since {}: {}.", name, since, refusal(why, look)),
        sentences(
            [
                look.mrkdwn("{}, {}.", _standing(facts, look), _waiting(facts, look)),
                look.mrkdwn("Nothing is lost: what is found meanwhile comes, rolled up, when the channel is served again."),
            ],
            look,
        ),
        sentences([_remedy(why, look), _ending(why, look)], look),
    ]
    if "told" in facts:
        people = [t.person(one) if is_near else t.code(one) for one in facts["told"].split()]
        told = look.mrkdwn("Told: {}.", t.listed(people, 600, language=look.language)) if people else look.mrkdwn("Nobody else was told.")
        lines.append(sentences([_workspace(facts, look), told], look))
    return lines


def departed(facts: Mapping[str, str], look: Look) -> list[Mrkdwn]:
    """That a workspace is served no more: since when and why, what stands and waits. For the operators."""
    name, why = escape(facts.get("name", "") or facts.get("workspace", ""), 80), facts.get("reason", "")
    since = moment_of(facts.get("since", ""), look)
    return [
        look.mrkdwn("*Notice* Workspace {} is served no more since {}: {}.", t.bold(name), since, refusal(why, look)),
        sentences(
            [
                look.mrkdwn("{}, {}.", _standing(facts, look), _waiting(facts, look)),
                look.mrkdwn("Its people cannot be told there. All of it comes when Regwatch is installed there again."),
            ],
            look,
        ),
    ]


def sentences(parts: Sequence[Mrkdwn], look: Look) -> Mrkdwn:
    """One after the other in the reader's language."""
    return t.sentences(parts, language=look.language)


def _remedy(why: str, look: Look) -> Mrkdwn:
    again, invite = t.code(f"{look.command} digest on"), t.code("/invite @Regwatch")
    if why == "is_archived":
        return look.mrkdwn("Unarchive it; if Regwatch is not in it then, type {} there.", invite)
    if why == "channel_deleted":
        return look.mrkdwn("Subscribe in another channel: {} there.", t.code(f"{look.command} subscribe tencent"))
    if why in _SHUT_OUT:
        return look.mrkdwn("Type {} there.", invite)
    if why == "messages_tab_disabled":
        return look.mrkdwn("Let an admin switch them on (App Home, Messages Tab), then type {} there.", again)
    return look.mrkdwn("Let an admin allow Regwatch to post there, then type {} there.", again)


def _ending(why: str, look: Look) -> Mrkdwn:
    """How to end it for good: where commands can be typed."""
    if why in ("channel_deleted", "is_archived"):
        return Mrkdwn("")
    return look.mrkdwn("To end it instead: {} there.", t.code(f"{look.command} unsubscribe all"))


def _standing(facts: Mapping[str, str], look: Look) -> Mrkdwn:
    count = facts.get("rules", "0")
    return look.mrkdwn("{} rule stands" if count == "1" else "{} rules stand", count)


def _waiting(facts: Mapping[str, str], look: Look) -> Mrkdwn:
    count = facts.get("waiting", "0")
    return look.mrkdwn("{} message waits" if count == "1" else "{} messages wait", count)


def _workspace(facts: Mapping[str, str], look: Look) -> Mrkdwn:
    return look.mrkdwn("Workspace {}.", t.code(facts.get("workspace", "")))


def moment_of(value: str, look: Look) -> str:
    """A time that a notice brings as ISO text, on the reader's clock; as it is where it is none."""
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return value
    return t.moment(at, look.zone, language=look.language) if at.tzinfo else value


# --- what is muted ---


def muted_now(mutes: Sequence[MuteView], zone: str, look: Look) -> Mrkdwn:
    """Muted now: Tencent until 8 Dec 2026, 08:30 Taipei; nothing where nothing is."""
    told = []
    for mute in mutes:
        what = mute_name(mute, look)
        told.append(look.mrkdwn("{} until {}", what, t.instant(mute.until, zone, language=look.language)))
    return look.mrkdwn("Muted now: {}", t.listed(told, 900, language=look.language)) if told else Mrkdwn("")


def mute_name(mute: MuteView, look: Look) -> Mrkdwn:
    """What is muted."""
    if mute.firm is not None:
        chinese = mute.firm.names_zh[:1] if look.language == "zh-Hant" else mute.firm.names_zh[-1:] if look.language != "en" else ()
        return escape(next(iter(chinese), mute.firm.name), 80)
    return Mrkdwn(action_ref(mute.action_id)) if mute.action_id is not None else look.mrkdwn("everything")


# --- where the digest is off ---


def nowhere(
    look: Look, question: str, *, is_nameless_followed: bool, digest_only: Sequence[Mrkdwn], muted: Sequence[Mrkdwn], kept: int
) -> list[Mrkdwn]:
    """What a channel that has no digest shows nowhere, and how to turn it on: two lines. `question` is a command that finds it.

    `is_nameless_followed`: it would have acts in its digest that name no firm; `digest_only` are its rules that are told in the
    digest alone, `muted` what it does not hear now, `kept` how many acts waited for the next digest.
    """
    parts = []
    if digest_only:
        parts.append(look.mrkdwn("what is for the digest alone ({})", t.listed(digest_only, 600, language=look.language)))
    parts.append(look.mrkdwn("what is more than {} days old when it is first seen", LATE_DAYS))
    if is_nameless_followed:
        parts.append(look.mrkdwn("acts that name no firm"))
    if muted:
        parts.append(look.mrkdwn("what is muted, now ({}) or later", t.listed(muted, 400, language=look.language)))
    else:
        parts.append(look.mrkdwn("what will be muted"))
    if kept:
        parts.append(look.mrkdwn("{} act kept for the next digest" if kept == 1 else "{} acts kept for the next digest", f"{kept:,}"))
    again, asked = t.code(f"{look.command} digest on"), t.code(f"{look.command} {question}")
    return [
        look.mrkdwn("Shown nowhere in this channel from now on: {}.", join(look.say("; "), parts)),
        look.mrkdwn("{} turns it on again, from then on; what was missed can be asked for: {}.", again, asked),
    ]


def untold(rules: Sequence[Mrkdwn], look: Look) -> Mrkdwn:
    """That rules are told in the digest alone while the digest is off; nothing where there is no such rule."""
    if not rules:
        return Mrkdwn("")
    named, hint = t.listed(rules, 600, language=look.language), t.code(f"{look.command} digest on")
    return look.mrkdwn(
        "The digest is off, so what is for the digest alone is shown nowhere in this channel: {}. {} changes that.", named, hint
    )
