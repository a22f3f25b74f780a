"""Changes and orders: the words after a verb that acts -> its command, or `Wrong` with what to type instead. Pure.

Like `questions`, whose parts it shares: each function takes the whole command as words, its verb included.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from bot.slack.grammar.commands import (
    FORMATS,
    Backfill,
    Command,
    Digest,
    Export,
    Mute,
    ShowSettings,
    Subscribe,
    SubscribeList,
    Target,
    Unsubscribe,
    unparse,
)
from bot.slack.grammar.filters import Sorted, name_of, sort_words, time_of
from bot.slack.grammar.questions import HERE, flat, linked, no_limit, ref, retyped, whole_name
from bot.slack.grammar.words import DASHES, Word, Wrong, nearest, phrase, syntax_of, tokens
from storage.filters import Filter
from storage.intents import DigestSetting
from storage.models import Broadcast, Deliver, Followed
from storage.text import fold

_LONGEST_MUTE = 365  # days
_EVERYTHING = ("all", "everything", "everyone")
_LINKS = ("for", "until", "till")
_ONLY_HERE = "`{} channel` is for the channel that it is typed in."
_MUTE_WHAT = (
    "Mute what? Type a firm, an action or channel, and how long: `mute tencent for 7d`, `mute RW-1001 for 12h`,"
    " `mute channel until 2021-04-01`."
)


def subscribe(words: Sequence[Word]) -> Command:
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
    no_limit(found)
    broadcast, deliver = found.options.get("broadcast"), found.options.get("deliver")
    return Subscribe(targets, Filter(terms), Broadcast(broadcast) if broadcast else None, Deliver(deliver) if deliver else None)


def unsubscribe(words: Sequence[Word]) -> Command:
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
            instead="subscribe list",
            label="Show the list",
        )
    return Unsubscribe(targets=targets)


def mute(words: Sequence[Word]) -> Command:
    typed = linked(words, _LINKS)
    for at in range(len(typed) - 2, 0, -1):
        if typed[at].syntax in _LINKS:
            return _muted_for(typed[1:at], typed[at].syntax, typed[at + 1 :])
    last = typed[-1]
    if len(typed) > 2 and not last.is_quoted and (span := _span(last.text)):
        return _muted(typed[1:-1], span)
    if len(typed) == 1 or last.syntax in _LINKS:
        raise Wrong(_MUTE_WHAT)
    _muted(typed[1:], "7d")  # what is wrong with the name is said first
    again = phrase(retyped("mute", typed[1:]), "for 7d")
    raise Wrong("For how long? Add for 12h, for 7d or until 2021-04-01.", instead=again, label="Mute {}", shown="for 7d")


def _muted_for(what: Sequence[Word], link: str, words: Sequence[Word]) -> Command:
    said = " ".join(word.text for word in words)
    span = None if any(word.is_quoted for word in words) else _span(said)
    right = "until" if span and "-" in span else "for"
    if span is not None and (link == "for") == (right == "for"):
        return _muted(what, span)
    shown = f"{right} {span or '7d'}"
    raise Wrong(
        "`for` takes 12h, 7d or 2w, up to a year; `until` takes a day such as 2021-04-01; neither takes “{}”."
        " A name with such a word in it goes in quotes.",
        said,
        instead=phrase(retyped("mute", what), shown) if what else None,
        label="Mute {}",
        shown=shown,
    )


def unmute(words: Sequence[Word]) -> Command:
    rest = words[1:]
    if len(rest) == 1 and rest[0].syntax in _EVERYTHING:
        raise Wrong(
            "`unmute channel` ends what mutes the whole channel; a firm and an action have their own: `unmute tencent`, `unmute RW-1001`.",
            instead="unmute channel",
            label="Unmute the channel",
        )
    return _muted(rest, "", is_off=True)


def _muted(what: Sequence[Word], span: str, *, is_off: bool = False) -> Command:
    verb = "unmute" if is_off else "mute"
    if (reference := ref(what)) is not None:
        return Mute(action_id=reference, span=span, is_off=is_off)
    said = " ".join(word.syntax for word in what)
    if said in (*HERE, *_EVERYTHING):
        return Mute(span=span, is_off=is_off)
    if said[:1] == "#":
        again = phrase(verb, "channel", ("until" if "-" in span else "for") if span else "", span)
        raise Wrong(
            _ONLY_HERE,
            verb,
            instead=again,
            label="Unmute this channel" if is_off else "Mute this channel",
        )
    name = whole_name(sort_words([*tokens(verb), *what], 1, verb=verb, only=()))
    if name:
        return Mute(name, span=span, is_off=is_off)
    if is_off:
        raise Wrong("Unmute what? Type what was muted: `unmute tencent`, `unmute RW-1001`, `unmute channel`.")
    raise Wrong(_MUTE_WHAT)


def _span(typed: str) -> str | None:
    """12h, 7d or 2021-04-01 for `12 hours`, `a week`, `2021/4/1`; None when it is neither or longer than a year."""
    plain = fold(syntax_of(typed)).strip()
    found = re.fullmatch(r"([0-9]{1,5}|an?|one) ?(h|hrs?|hours?|个?小时|d|days?|天|日|w|weeks?|周|个?星期|months?|个?月)", plain)
    if found is None:
        day = time_of(plain)
        return day if day and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", day) else None
    count = int(found[1]) if found[1].isdigit() else 1
    unit = found[2].removeprefix("个")
    if unit[0] in "h小":
        return f"{count}h" if 0 < count <= _LONGEST_MUTE * 24 else None
    days = count * (7 if unit[0] in "w周星" else 30 if unit[0] in "m月" else 1)
    return f"{days}d" if 0 < days <= _LONGEST_MUTE else None


def digest(words: Sequence[Word]) -> Command:
    setting = DigestSetting()
    words = words[1:]
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
            raise Wrong("`digest` does not know “{}”. Did you mean {} ?", word.text, near, instead=again, label="Run with {}", shown=near)
        else:
            raise Wrong(
                "`digest` does not know “{}”. It takes on, off, now, preview, or at 08:30 Asia/Taipei"
                " with weekdays or daily and empty:send or empty:skip.",
                word.text,
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


# --- orders and forms ---------------------------------------------------------------------------------------------------


def backfill(words: Sequence[Word]) -> Command:
    rest: list[Word] = []
    is_dry = False
    for word in words[1:]:
        if word.syntax.lstrip("".join(DASHES)) in ("dry-run", "dryrun", "dry_run"):
            is_dry = True
        elif word.syntax == "run" and rest and rest[-1].syntax == "dry":
            rest.pop()
            is_dry = True
        else:
            rest.append(word)
    found = sort_words([words[0], *rest], 1, verb="backfill", only=("since",))
    name = whole_name(found)
    if not name:
        raise Wrong("Backfill what? Type a firm or the id of a source, and from when: `backfill tencent since:2020-01-01 dry-run`.")
    return Backfill(name, _since(found, "backfill"), is_dry)


def export(words: Sequence[Word]) -> Command:
    typed, format_ = list(linked(words, ("as",))), FORMATS[0]
    for at in range(len(typed) - 1, 0, -1):
        if typed[at].syntax != "as":
            continue
        asked = typed[at + 1].syntax if at + 1 < len(typed) else ""
        if asked not in FORMATS:
            near = nearest(asked, FORMATS) or FORMATS[0]
            again = phrase(*(word.source for word in typed[: at + 1]), near, *(word.source for word in typed[at + 2 :]))
            raise Wrong(
                "`export` writes csv or json, not “{}”. A name with “as” in it goes in quotes.",
                asked,
                instead=again,
                label="Export as {}",
                shown=near,
            )
        format_ = asked
        del typed[at : at + 2]
        break
    found = sort_words(typed, 1, verb="export", only=("since",))
    since = _since(found, "export")
    names = flat(found)
    said = " ".join(word.syntax for word in names)
    if said in HERE:
        return Export(None, since, format_)
    if said[:1] == "#":
        raise Wrong(_ONLY_HERE, "export", instead=unparse(Export(None, since, format_)), label="Export this channel")
    name = whole_name(found)
    if not name:
        raise Wrong(
            "Export what? Type a firm, or channel for all that happened here: `export tencent since:2021 as csv`, `export channel`.",
            instead="export channel",
            label="Export this channel",
        )
    return Export(name, since, format_)


def settings(words: Sequence[Word]) -> Command:
    if len(words) > 1:
        raise Wrong(
            "`settings` takes no words: it opens a form with the zone, quiet hours, broadcast and language of this channel.",
            instead="settings",
            label="Open the settings",
        )
    return ShowSettings()


def _since(found: Sorted, verb: str) -> str | None:
    """The one day from which on."""
    for term in found.terms:
        if term.is_negated or len(term.values) > 1:
            raise Wrong("`{}` takes one `since:`, such as since:2020-01-01.", verb)
        return term.values[0]
    return None


def _targets(groups: Iterable[Sequence[Word]]) -> tuple[Target, ...]:
    found = []
    for group in groups:
        name = name_of(group)
        is_all = syntax_of(name) == "all" and not any(word.is_quoted for word in group)
        found += [Target(Followed.ALL) if is_all else Target(Followed.FIRM, name)] if name else []
    return tuple(dict.fromkeys(found))
