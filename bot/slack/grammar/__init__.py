"""What a person typed -> a frozen command, or a `UserError` that says what to type instead. Pure and total.

`parse()` takes any string and never raises. `unparse()` writes a command back as text, and
`parse(unparse(command)) == command`: buttons carry commands as text. Syntax (verbs, keys, values) is
folded to NFKC and lower case; names stay as they were typed. Nothing is guessed silently: a near miss is
offered as a suggestion. Names are resolved elsewhere (`bot.slack.commands`), for this room knows no firm.

`words` cuts the text; `questions` and `changes` read what follows a verb, `filters` its `key:value`; `commands` holds what
comes out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from bot.slack.grammar import changes, questions
from bot.slack.grammar.commands import (
    VERB_OF,
    VERBS,
    ActionDetail,
    Actions,
    Backfill,
    Command,
    Digest,
    Export,
    FirmInfo,
    Help,
    Mute,
    Search,
    ShowSettings,
    SourceOrder,
    Sources,
    Subscribe,
    SubscribeList,
    Target,
    Timeline,
    Totals,
    Unsubscribe,
    Why,
    quoted,
    unparse,
)
from bot.slack.grammar.questions import actions, how_much, ref
from bot.slack.grammar.words import UserError, Word, Wrong, nearest, phrase, tokens, unslack

__all__ = [
    "LONGEST",
    "VERBS",
    "ActionDetail",
    "Actions",
    "Backfill",
    "Command",
    "Digest",
    "Export",
    "FirmInfo",
    "Help",
    "Mute",
    "Search",
    "ShowSettings",
    "SourceOrder",
    "Sources",
    "Subscribe",
    "SubscribeList",
    "Target",
    "Timeline",
    "Totals",
    "Unsubscribe",
    "UserError",
    "Why",
    "parse",
    "quoted",
    "unparse",
]

LONGEST = 1_500
"""Characters of a command; a button could not carry a longer one."""

_READERS: Mapping[str, Callable[[Sequence[Word]], Command]] = {
    "help": questions.help_,
    "actions": questions.actions,
    "action": questions.action,
    "firm": questions.firm,
    "totals": questions.totals,
    "timeline": questions.timeline,
    "search": questions.search,
    "subscribe": changes.subscribe,
    "unsubscribe": changes.unsubscribe,
    "mute": changes.mute,
    "unmute": changes.unmute,
    "digest": changes.digest,
    "sources": questions.sources,
    "why": questions.why,
    "backfill": changes.backfill,
    "export": changes.export,
    "settings": changes.settings,
}
_NEAR_VERBS = (*VERBS, "subscriptions", "recent", "against")
_SHOWN = ("settings", "sources", "subscriptions", "digest", "totals", "timeline")
"""Verbs that may stand after `show me the`."""

_LEAD = re.compile(
    r"(?:(?:(?:what |how )?about|what's new (?:about|on|with)|what happened (?:to|with)|(?:any |the |latest |recent )?news (?:about|on))"
    r"|(?:show |list )?(?:me )?(?:all )?(?:the )?(?:recent |latest |newest )?actions? (?:against|about|on|of|for|involving)"
    r"|show(?: me)?(?: all)?(?: the)?(?: recent| latest| newest)?(?: actions?)?"
    r"|recent actions?|latest actions?|actions? recent|recent|latest|against|actions)(?: (?:against|about|on))?"
)
"""The ways in which people ask for actions; the longest that is followed by something is taken off."""


def parse(text: str) -> Command | UserError:
    """The command that the text after `/regwatch` means. Never raises."""
    try:
        return _parse(text)
    except Wrong as wrong:
        return wrong.error


def _parse(text: str) -> Command:
    if len(text) > LONGEST * 4:
        raise _too_long()
    text = unslack(text)
    if len(text) > LONGEST:
        raise _too_long()
    words: Sequence[Word] = tokens(text)
    if not words:
        return Help()
    if (reference := ref(words)) is not None:
        return ActionDetail(reference)
    words = _without_show(words)
    if (asked := how_much(words)) is not None:
        return asked
    lead = _lead(words)
    if lead:
        return actions(words, lead)
    first = words[0].syntax
    verb = VERB_OF.get(first)
    if first == "list" and len(words) > 1 and words[1].syntax not in ("subscriptions", "all"):
        verb = None
    return _READERS[verb](words) if verb else _of_a_name(words)


def _too_long() -> Wrong:
    return Wrong("That is too long: {} characters at most. `help` shows what a command looks like.", f"{LONGEST:,}")


def _of_a_name(words: Sequence[Word]) -> Command:
    """Actions of a firm whose name may begin like a verb: what the verb would mean goes along, for the case that there is no such firm."""
    near = nearest(words[0].syntax, _NEAR_VERBS)
    instead = phrase(near, *(word.source for word in words[1:])) if near else None
    try:
        return actions(words, 0, instead)
    except Wrong:
        if instead is None or isinstance(parse(instead), UserError):
            raise
    raise Wrong("There is no command “{}”. Did you mean {} ?", words[0].text, instead, instead=instead)


def _without_show(words: Sequence[Word]) -> Sequence[Word]:
    """`show me the settings` is `settings`."""
    start = 0
    while start < len(words) and words[start].syntax in ("show", "me", "my", "the"):
        start += 1
    is_asked = start < len(words) and words[0].syntax == "show" and words[start].syntax in _SHOWN
    return words[start:] if is_asked else words


def _lead(words: Sequence[Word]) -> int:
    """How many words at the start only ask for actions."""
    for count in range(min(len(words), 8), 0, -1):
        if not any(word.is_quoted for word in words[:count]) and _LEAD.fullmatch(" ".join(word.syntax for word in words[:count])):
            return count
    return 0
