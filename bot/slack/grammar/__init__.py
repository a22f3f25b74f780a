"""What a person typed -> a frozen command, or a `UserError` that says what to type instead. Pure and total.

`parse()` takes any string and never raises. `unparse()` writes a command back as text, and
`parse(unparse(command)) == command`: buttons carry commands as text. Syntax (verbs, keys, values) is
folded to NFKC and lower case; names stay as they were typed. Nothing is guessed silently: a near miss is
offered as a suggestion. Names are resolved elsewhere (`bot.slack.commands`), for this room knows no firm.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bot.slack.grammar.filters import name_of, sort_words
from bot.slack.grammar.words import DASHES, UserError, Word, Wrong, nearest, phrase, syntax_of, tokens, unslack
from storage.filters import Filter, Term
from storage.intents import DigestSetting
from storage.models import Broadcast, Deliver, Followed

__all__ = [
    "LONGEST",
    "VERBS",
    "ActionDetail",
    "Actions",
    "Command",
    "Digest",
    "FirmInfo",
    "Help",
    "Sources",
    "Subscribe",
    "SubscribeList",
    "Target",
    "Unsubscribe",
    "UserError",
    "Why",
    "parse",
    "unparse",
]

LONGEST = 1_500
"""Characters of a command; a button could not carry a longer one."""

_LATER = {
    "totals": "`actions <firm>` lists them one by one",
    "timeline": "`actions <firm> since:2020` lists them, newest first",
    "search": "`actions <firm>` finds what is known about a firm",
    "mute": "`subscribe <firm> deliver:digest` keeps a firm out of the alerts, `unsubscribe` ends it",
    "unmute": "`subscribe <firm> deliver:both` brings the alerts back",
    "backfill": "`actions <firm> since:2020` shows what is stored",
    "export": "`actions <firm>` has a Share button",
    "settings": "`digest at 08:30 Asia/Taipei` sets the zone and the hour",
}
"""Verbs of a later version, and what to use now. They are reserved: no firm is looked up for them."""

VERBS = ("help", "actions", "action", "firm", "subscribe", "unsubscribe", "digest", "sources", "why")
"""The verbs of this version, in the order of the help."""

_VERB_OF = {
    **{verb: verb for verb in VERBS},
    **dict.fromkeys(("recent", "against", "show", "latest"), "actions"),
    **dict.fromkeys(("subscriptions", "list"), "subscribe"),
    **dict.fromkeys(("?", "-h", "--help", "usage"), "help"),
    "source": "sources",
}
_NEAR_VERBS = (*VERBS, "subscriptions", "recent", "against", *_LATER)

_LEAD = re.compile(
    r"(?:(?:(?:what |how )?about|what's new (?:about|on|with))"
    r"|(?:show |list )?(?:me )?(?:all )?(?:the )?(?:recent |latest |newest )?actions? (?:against|about|on|of|for|involving)"
    r"|show(?: me)?(?: all)?(?: the)?(?: recent| latest| newest)?(?: actions?)?"
    r"|recent actions?|latest actions?|actions? recent|recent|latest|against|actions)(?: (?:against|about|on))?"
)
"""The ways in which people ask for actions; the longest that is followed by something is taken off."""


# --- commands -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Help:
    """`help [verb]`, or nothing at all."""

    verb: str | None = None


@dataclass(frozen=True, slots=True)
class Actions:
    """Actions against a firm, or all that the filter passes. `instead`: what a mistyped verb may have meant, when no firm is found."""

    firm: str | None
    filter: Filter = Filter()  # noqa: RUF009  # it is frozen
    page: int = 1
    instead: str | None = None


@dataclass(frozen=True, slots=True)
class ActionDetail:
    """One action by its number: 1001 for RW-1001."""

    action_id: int


@dataclass(frozen=True, slots=True)
class FirmInfo:
    """Names, owners and counts of a firm."""

    name: str


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be followed, by its name as typed; no name for everything."""

    followed: Followed
    name: str = ""


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Follow one thing or several under one rule. None: not said."""

    targets: tuple[Target, ...]
    filter: Filter = Filter()  # noqa: RUF009  # it is frozen
    broadcast: Broadcast | None = None
    deliver: Deliver | None = None


@dataclass(frozen=True, slots=True)
class SubscribeList:
    """What this channel follows."""


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """Stop following: subscription numbers, names, or everything."""

    ids: tuple[int, ...] = ()
    targets: tuple[Target, ...] = ()
    is_everything: bool = False


@dataclass(frozen=True, slots=True)
class Digest:
    """The digest: `do` is show, set, preview or now; `setting` holds what is set, its zone as typed."""

    do: str
    setting: DigestSetting = DigestSetting()  # noqa: RUF009  # it is frozen


@dataclass(frozen=True, slots=True)
class Sources:
    """Health of the sources, of one regulator (as typed) or of all."""

    regulator: str | None = None


@dataclass(frozen=True, slots=True)
class Why:
    """Why an action did or did not reach a channel; None: the one that asks."""

    action_id: int
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums of what was done to a firm (None: to all that the filter passes); `by` is year, regulator, kind or "" for one row."""

    firm: str | None
    by: str = ""
    filter: Filter = Filter()  # noqa: RUF009  # it is frozen


@dataclass(frozen=True, slots=True)
class Timeline:
    """When a firm was acted against."""

    firm: str | None
    filter: Filter = Filter()  # noqa: RUF009  # it is frozen


@dataclass(frozen=True, slots=True)
class Search:
    """Words in stored documents; what stood in quotes stays in `"`."""

    words: str
    filter: Filter = Filter()  # noqa: RUF009  # it is frozen
    page: int = 1


@dataclass(frozen=True, slots=True)
class Mute:
    """Hear nothing of a firm, of an action's case, or (neither) of anything in this channel.

    `span` is 12h, 7d or a date 2021-04-01 (until that day begins); "" in `unmute`.
    """

    firm: str = ""
    action_id: int | None = None
    span: str = ""
    is_off: bool = False  # unmute


@dataclass(frozen=True, slots=True)
class SourceOrder:
    """An admin's order about one source: `do` is arm, hold or check."""

    do: str
    source_id: str


@dataclass(frozen=True, slots=True)
class Backfill:
    """Read again, silently: what is stored of a firm, or of a source and what it still lists. `since` as a filter's."""

    name: str
    since: str | None = None
    is_dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Export:
    """A firm's actions, or (None) all that happened in this channel; `format` is csv or json."""

    firm: str | None = None
    since: str | None = None
    format: str = "csv"


@dataclass(frozen=True, slots=True)
class ShowSettings:
    """The channel's settings, to be changed in a form."""


Command = Help | Actions | ActionDetail | FirmInfo | Subscribe | SubscribeList | Unsubscribe | Digest | Sources | Why


def parse(text: str) -> Command | UserError:
    """The command that the text after `/regwatch` means. Never raises."""
    try:
        return _parse(text)
    except Wrong as wrong:
        return wrong.error


def unparse(command: Command) -> str:
    """The command as text that parses to it again (`instead` is not kept)."""
    match command:
        case Help(verb):
            return f"help {verb}" if verb else "help"
        case Actions(firm, filter_, page, _):
            whom = quoted(firm) if firm else "" if filter_.terms else "all"
            return phrase("actions", whom, str(filter_), f"page:{page}" if page > 1 else "")
        case ActionDetail(action_id):
            return f"action RW-{action_id}"
        case FirmInfo(name):
            return f"firm {quoted(name)}"
        case Subscribe(targets, filter_, broadcast, deliver):
            return phrase(
                "subscribe",
                _targets_text(targets),
                str(filter_),
                f"broadcast:{broadcast}" if broadcast else "",
                f"deliver:{deliver}" if deliver else "",
            )
        case SubscribeList():
            return "subscribe list"
        case Unsubscribe(ids, targets, is_everything):
            if is_everything:
                return "unsubscribe all"
            return f"unsubscribe {', '.join(f'#{id_}' for id_ in ids)}" if ids else f"unsubscribe {_targets_text(targets)}"
        case Digest(do, setting):
            return f"digest {do}" if do != "set" else phrase("digest", *_setting_words(setting))
        case Sources(regulator):
            return phrase("sources", quoted(regulator) if regulator else "")
    return phrase(f"why RW-{command.action_id}", f"#{command.channel}" if command.channel else "")


def quoted(name: str) -> str:
    """A name that parses as one name, whatever it holds."""
    is_plain = re.fullmatch(r"[\w.$&'/+-]+(?: [\w.$&'/+-]+)*", name) and not name.startswith("-") and syntax_of(name) not in _RESERVED
    return name if is_plain and " " not in name else f'"{name}"'


def _targets_text(targets: Sequence[Target]) -> str:
    """Regulators are one key with a comma list; firms stand first, because a regulator after a firm is a filter."""
    if targets and targets[0].followed is Followed.REGULATOR:
        return str(Term("regulator", tuple(target.name for target in targets)))
    return ", ".join("all" if target.followed is Followed.ALL else f'"{target.name}"' for target in targets)


def _setting_words(setting: DigestSetting) -> list[str]:
    found = [] if setting.is_on is None else ["on" if setting.is_on else "off"]
    found += [f"at {setting.at}"] if setting.at else []
    found += [part for part in (setting.zone, setting.days) if part]
    return found if setting.sends_empty is None else [*found, f"empty:{'send' if setting.sends_empty else 'skip'}"]


# --- the parser -----------------------------------------------------------------------------------------------------------------

_RESERVED = frozenset({*_VERB_OF, *_LATER, "all", "to", "from", "on", "off", "at", "me", "the", "latest", "newest", "what", "how"})
_REF = re.compile(r"#?rw[-_ ]?([0-9]+)")


def _parse(text: str) -> Command:
    if len(text) > LONGEST * 4:
        raise Wrong(f"That is too long: {LONGEST:,} characters at most.")
    text = unslack(text)
    if len(text) > LONGEST:
        raise Wrong(f"That is too long: {LONGEST:,} characters at most.")
    words = tokens(text)
    if not words:
        return Help()
    first = words[0].syntax
    if (ref := _ref(words)) is not None:
        return ActionDetail(ref)
    if first in _LATER:
        raise Wrong(f"`{first}` is not in this version yet: {_LATER[first]}.", *_instead(first, words[1:]))
    lead = _lead(words)
    if lead:
        return _actions(words, lead)
    verb = _VERB_OF.get(first)
    rest = words[1:]
    if first == "list" and rest and rest[0].syntax not in ("subscriptions", "all"):
        verb = None
    match verb:
        case "help":
            return _help(rest)
        case "action":
            return _action(rest)
        case "firm":
            return _firm(words)
        case "subscribe":
            return _subscribe(words)
        case "unsubscribe":
            return _unsubscribe(words)
        case "digest":
            return _digest(rest)
        case "sources":
            return _sources(words)
        case "why":
            return _why(rest)
    near = nearest(first, _NEAR_VERBS) if first else None
    instead = phrase(near, *(word.source for word in rest)) if near else None
    return _actions(words, 0, instead)


def _lead(words: Sequence[Word]) -> int:
    """How many words at the start only ask for actions."""
    for count in range(min(len(words), 8), 0, -1):
        if not any(word.is_quoted for word in words[:count]) and _LEAD.fullmatch(" ".join(word.syntax for word in words[:count])):
            return count
    return 0


def _instead(verb: str, rest: Sequence[Word]) -> tuple[str, str] | tuple[None, str]:
    """What to run in place of a verb of a later version, when its first argument looks like a firm."""
    names = [word.source for word in rest if word.is_quoted or not re.search(r"[:：]", word.text)]
    if verb in ("totals", "timeline", "search", "export") and names:
        return f"actions {' '.join(names[:3])}", "Show its actions"
    return None, ""


def _ref(words: Sequence[Word]) -> int | None:
    """The number when the words are an action's name and nothing else."""
    typed = " ".join(word.syntax for word in words)
    match = _REF.fullmatch("".join("-" if char in DASHES else char for char in typed))
    return _action_id(match[1]) if match else None


def _action_id(digits: str) -> int:
    if len(digits) > 9:
        raise Wrong(f"There is no action RW-{digits[:12]}…: the numbers are shorter.")
    return int(digits)


def _help(rest: Sequence[Word]) -> Command:
    if not rest or rest[0].syntax in ("me", "all"):
        return Help()
    asked = rest[0].syntax
    if asked in _LATER:
        raise Wrong(f"`{asked}` is not in this version yet: {_LATER[asked]}.")
    if asked in _VERB_OF:
        return Help(_VERB_OF[asked])
    near = nearest(asked, VERBS)
    raise Wrong(f"There is no command “{rest[0].text}”. Commands: {', '.join(VERBS)}.", f"help {near}" if near else "help", "Show the help")


def _actions(words: Sequence[Word], lead: int, instead: str | None = None) -> Command:
    found = sort_words(words, lead, allowed=("page",))
    name = name_of([word for group in found.names for word in group])
    if lead and name and (ref := _REF.fullmatch(syntax_of(name))):
        return ActionDetail(_action_id(ref[1]))
    page = int(found.options.get("page", "1"))
    if not name and not found.terms:
        raise Wrong("Actions against whom? Type a firm: `actions tencent`, or a filter: `actions regulator:csrc since:30d`.")
    if syntax_of(name) == "all" and lead:
        name = ""
    return Actions(name or None, Filter(found.terms), page, instead)


def _action(rest: Sequence[Word]) -> Command:
    ref = _ref(rest)
    if ref is not None:
        return ActionDetail(ref)
    if len(rest) == 1 and re.fullmatch(r"[0-9]+", rest[0].syntax):
        return ActionDetail(_action_id(rest[0].syntax))
    if not rest:
        raise Wrong("Which action? Type its number: `action RW-1001`.")
    again = phrase("actions", *(word.source for word in rest))
    raise Wrong("`action` shows one action by its number, such as `action RW-1001`; `actions` asks about a firm.", again, "Ask for actions")


def _firm(words: Sequence[Word]) -> Command:
    found = sort_words(words, 1, verb="firm")
    name = name_of([word for group in found.names for word in group])
    if not name:
        raise Wrong("Which firm? Type a name, a brand or a ticker: `firm tencent`.")
    return FirmInfo(name)


def _subscribe(words: Sequence[Word]) -> Command:
    first, rest = words[0].syntax, words[1:]
    if first in ("subscriptions", "list") or not rest or (len(rest) == 1 and rest[0].syntax in ("list", "subscriptions")):
        return SubscribeList()
    skip = int(rest[0].syntax == "to" and len(rest) > 1)
    found = sort_words(words, 1 + skip, allowed=("broadcast", "deliver"), verb="subscribe")
    targets = _targets(found.names)
    terms = found.terms
    if not targets:
        followed = next((term for term in terms if term.key == "regulator" and not term.is_negated), None)
        if followed is None:
            raise Wrong(
                "Subscribe to what? Type a firm, a regulator or all: `subscribe tencent`, `subscribe regulator:csrc`, `subscribe all`."
            )
        targets = tuple(Target(Followed.REGULATOR, name) for name in followed.values)
        terms = tuple(term for term in terms if term is not followed)
    if any(term.key == "limit" for term in terms):
        raise Wrong("`limit:` is for questions; a subscription has none.")
    broadcast, deliver = found.options.get("broadcast"), found.options.get("deliver")
    return Subscribe(targets, Filter(terms), Broadcast(broadcast) if broadcast else None, Deliver(deliver) if deliver else None)


def _unsubscribe(words: Sequence[Word]) -> Command:
    skip = int(len(words) > 2 and words[1].syntax == "from")
    found = sort_words(words, 1 + skip, verb="unsubscribe", only=("regulator",))
    names = [group for group in found.names if group]
    ids = [match[1] for group in names if len(group) == 1 and (match := re.fullmatch(r"#?([0-9]{1,9})", group[0].syntax))]
    if names and len(ids) == len(names):
        return Unsubscribe(ids=tuple(dict.fromkeys(map(int, ids))))
    targets = _targets(names) or tuple(Target(Followed.REGULATOR, name) for term in found.terms for name in term.values)
    if any(target.followed is Followed.ALL for target in targets):
        return Unsubscribe(is_everything=True)
    if not targets:
        raise Wrong(
            "Unsubscribe from what? Type a firm, a number from the list or all: `unsubscribe tencent`, `unsubscribe #17`.",
            "subscribe list",
            "Show the list",
        )
    return Unsubscribe(targets=targets)


def _digest(rest: Sequence[Word]) -> Command:
    setting = DigestSetting()
    words = list(rest)
    if len(words) == 1 and words[0].syntax in ("preview", "now", "show", "status"):
        return Digest({"status": "show"}.get(words[0].syntax, words[0].syntax))
    for index, word in enumerate(words):
        typed = word.syntax
        if typed in ("on", "off"):
            setting = replace(setting, is_on=typed == "on")
        elif typed == "at" and index + 1 < len(words):
            continue
        elif typed in ("weekdays", "weekday", "daily"):
            setting = replace(setting, days="daily" if typed == "daily" else "weekdays")
        elif empty := re.fullmatch(r"empty:(send|skip)", typed):
            setting = replace(setting, sends_empty=empty[1] == "send")
        elif (at := _clock(typed)) is not None:
            setting = replace(setting, at=at)
        elif (
            not word.is_quoted
            and re.fullmatch(r"[A-Za-z]+(?:[/_+-][A-Za-z0-9_+-]+)*", word.text)
            and (index and _clock(words[index - 1].syntax))
        ):
            setting = replace(setting, zone=word.text)
        elif near := nearest(typed, ("weekdays", "daily", "preview", "show", "empty:send", "empty:skip")):
            again = phrase("digest", *(near if other is word else other.source for other in words))
            raise Wrong(f"`digest` does not know “{word.text}”. Did you mean {near} ?", again, f"Run with {near}")
        else:
            raise Wrong(
                f"`digest` does not know “{word.text}”. It takes on, off, now, preview, or at 08:30 Asia/Taipei"
                " with weekdays or daily and empty:send or empty:skip."
            )
    return Digest("show") if setting == DigestSetting() else Digest("set", setting)


def _clock(typed: str) -> str | None:
    """08:30 for 8:30, 08.30, 8:30am; None when it is no time of day."""
    match = re.fullmatch(r"([0-9]{1,2})(?:[:.]([0-9]{2}))?(am|pm)?", typed)
    if match is None or not (match[2] or match[3]):
        return None
    hour, minute = int(match[1]), int(match[2] or 0)
    if match[3]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match[3] == "pm" else 0)
    return f"{hour:02}:{minute:02}" if hour < 24 and minute < 60 else None


def _sources(words: Sequence[Word]) -> Command:
    rest = words[1:]
    if len(rest) > 1 and rest[0].syntax in ("arm", "hold", "check"):
        raise Wrong(
            f"`sources {rest[0].syntax}` is not in this version yet; `sources` shows the health of all.", "sources", "Show the sources"
        )
    found = sort_words(words, 1, verb="sources", only=("regulator",))
    name = name_of([word for group in found.names for word in group])
    asked = next((value for term in found.terms for value in term.values), None)
    return Sources(name or asked or None)


def _why(rest: Sequence[Word]) -> Command:
    if not rest or (ref := _ref(rest[:1])) is None:
        raise Wrong("Why which action? Type its number, and a channel if it is another one: `why RW-1001 #legal`.")
    if len(rest) == 1:
        return Why(ref)
    channel = rest[1].text.lstrip("#＃")
    if len(rest) > 2 or not re.fullmatch(r"[\w.-]{1,80}", channel):
        raise Wrong("`why` takes an action and at most one channel: `why RW-1001 #legal`.", f"why RW-{ref}", f"Why RW-{ref} here")
    return Why(ref, channel)


def _targets(groups: Iterable[Sequence[Word]]) -> tuple[Target, ...]:
    found = []
    for group in groups:
        name = name_of(group)
        is_all = syntax_of(name) == "all" and not any(word.is_quoted for word in group)
        found += [Target(Followed.ALL) if is_all else Target(Followed.FIRM, name)] if name else []
    return tuple(dict.fromkeys(found))
