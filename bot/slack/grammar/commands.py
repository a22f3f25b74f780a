"""Commands: what a person may ask for, each a frozen class, and how each is written as text again. Pure.

`unparse()` is the other half of `bot.slack.grammar.parse`: buttons and stored orders carry commands as text.
The words that verbs and their aliases go by stand here, for a name that is one of them is written in quotes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.slack.grammar.words import phrase, syntax_of
from storage.filters import Filter, Term
from storage.intents import DigestSetting
from storage.models import Broadcast, Deliver, Followed

VERBS = (
    "help",
    "actions",
    "action",
    "firm",
    "totals",
    "timeline",
    "search",
    "subscribe",
    "unsubscribe",
    "mute",
    "unmute",
    "digest",
    "sources",
    "why",
    "backfill",
    "export",
    "settings",
)
"""The verbs, in the order of the help."""

VERB_OF: Mapping[str, str] = {
    **{verb: verb for verb in VERBS},
    **dict.fromkeys(("recent", "against", "show", "latest"), "actions"),
    **dict.fromkeys(("subscriptions", "list"), "subscribe"),
    **dict.fromkeys(("?", "-h", "--help", "usage"), "help"),
    "source": "sources",
}
"""Every word that is read as a verb -> the verb."""

GROUPINGS = ("year", "regulator", "kind")
"""What totals may be counted by."""
ORDERS = ("arm", "hold", "check")
"""What an admin may do to a source."""
FORMATS = ("csv", "json")
"""What an export may be written as."""

REF = re.compile(r"#?rw[-_ ]?([0-9]+)")
"""An action's name, folded: RW-1001."""

_RESERVED = frozenset(
    {
        *VERB_OF,
        *ORDERS,
        *("all", "to", "from", "on", "off", "at", "me", "the", "latest", "newest", "what", "how"),
        *("by", "as", "of", "for", "until", "till", "about", "channel", "here", "everything", "dry-run", "dryrun"),
    }
)


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


Command = (
    Help
    | Actions
    | ActionDetail
    | FirmInfo
    | Totals
    | Timeline
    | Search
    | Subscribe
    | SubscribeList
    | Unsubscribe
    | Mute
    | Digest
    | Sources
    | SourceOrder
    | Why
    | Backfill
    | Export
    | ShowSettings
)


# --- written as text --------------------------------------------------------------------------------------------------


def unparse(command: Command) -> str:
    """The command as text that parses to it again (`instead` is not kept)."""
    match command:
        case Help(verb):
            return phrase("help", verb or "")
        case Actions(firm, filter_, page, _):
            return phrase("actions", _whom(firm, filter_), str(filter_), _page(page))
        case ActionDetail(action_id):
            return f"action RW-{action_id}"
        case FirmInfo(name):
            return f"firm {quoted(name)}"
        case Totals(firm, by, filter_):
            return phrase("totals", _whom(firm, filter_), f"by {by}" if by else "", str(filter_))
        case Timeline(firm, filter_):
            return phrase("timeline", _whom(firm, filter_), str(filter_))
        case Search(words, filter_, page):
            return phrase("search", words, str(filter_), _page(page))
        case Subscribe(targets, filter_, broadcast, deliver):
            options = (f"broadcast:{broadcast}" if broadcast else "", f"deliver:{deliver}" if deliver else "")
            return phrase("subscribe", _targets_text(targets), str(filter_), *options)
        case SubscribeList():
            return "subscribe list"
        case Unsubscribe(ids, targets, is_everything):
            if is_everything:
                return "unsubscribe all"
            return f"unsubscribe {', '.join(f'#{id_}' for id_ in ids)}" if ids else f"unsubscribe {_targets_text(targets)}"
        case Mute(firm, action_id, span, is_off):
            what = f"RW-{action_id}" if action_id is not None else quoted(firm) if firm else "channel"
            return phrase("unmute", what) if is_off else phrase("mute", what, "until" if "-" in span else "for", span)
        case Digest(do, setting):
            return f"digest {do}" if do != "set" else phrase("digest", *_setting_words(setting))
        case Sources(regulator):
            return phrase("sources", quoted(regulator) if regulator else "")
        case SourceOrder(do, source_id):
            return f"sources {do} {source_id}"
        case Why(action_id, channel):
            return phrase(f"why RW-{action_id}", f"#{channel}" if channel else "")
        case Backfill(name, since, is_dry_run):
            return phrase("backfill", quoted(name), _since(since), "dry-run" if is_dry_run else "")
        case Export(firm, since, format_):
            return phrase("export", quoted(firm) if firm else "channel", _since(since), f"as {format_}")
    return "settings"


def quoted(name: str) -> str:
    """A name that parses as one name, whatever it holds."""
    is_plain = re.fullmatch(r"[\w.$&'/+-]+", name) and not name.startswith("-")
    return name if is_plain and syntax_of(name) not in _RESERVED and not REF.fullmatch(syntax_of(name)) else f'"{name}"'


def _whom(firm: str | None, filter_: Filter) -> str:
    return quoted(firm) if firm else "" if filter_.terms else "all"


def _page(page: int) -> str:
    return f"page:{page}" if page > 1 else ""


def _since(since: str | None) -> str:
    return f"since:{since}" if since else ""


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
