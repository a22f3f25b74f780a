"""Questions: the words after a verb that asks -> its command, or `Wrong` with what to type instead. Pure.

`bot.slack.grammar.parse` finds the verb and hands the words on; `filters` sorts names from filters; the verbs that change
something are in `changes`. Every function takes the whole command as words, its verb included, because a suggestion is
the whole command again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from bot.slack.grammar.commands import (
    GROUPINGS,
    ORDERS,
    REF,
    VERB_OF,
    VERBS,
    ActionDetail,
    Actions,
    Command,
    FirmInfo,
    Help,
    Search,
    SourceOrder,
    Sources,
    Timeline,
    Totals,
    Why,
)
from bot.slack.grammar.filters import Sorted, name_of, sort_words
from bot.slack.grammar.words import COLONS, DASHES, QUOTES, Word, Wrong, nearest, phrase, syntax_of, tokens
from storage.filters import Filter

HERE = ("channel", "this channel", "the channel", "here")
"""How people name the channel that they type in."""

_SOURCE_ID = r"[a-z0-9]+(?:[-_.][a-z0-9]+)*"
_FINED = ("fined", "fines", "penalised", "penalized", "pay", "paid")


# --- questions ----------------------------------------------------------------------------------------------------------


def help_(words: Sequence[Word]) -> Command:
    rest = words[1:]
    if not rest or rest[0].syntax in ("me", "all"):
        return Help()
    asked = rest[0].syntax
    if asked in VERB_OF:
        return Help(VERB_OF[asked])
    near = nearest(asked, VERBS)
    again = {"instead": f"help {near}" if near else "help", "label": "Show the help"}
    raise Wrong("There is no command “{}”. Commands: {}.", rest[0].text, ", ".join(VERBS), **again)


def actions(words: Sequence[Word], lead: int = 1, instead: str | None = None) -> Command:
    """`lead` words at the start only ask; with none it is a name alone. `instead`: what its first word may have meant."""
    found = sort_words(dated(words) if lead else words, lead, allowed=("page",))
    name = _whom(found) if lead else whole_name(found)
    if lead and name and (reference := ref(flat(found))) is not None:
        return ActionDetail(reference)
    page = int(found.options.get("page", "1"))
    if name == "" and not found.terms:
        raise Wrong("Actions against whom? Type a firm: `actions tencent`, or a filter: `actions regulator:csrc since:30d`.")
    return Actions(name or None, Filter(found.terms), page, instead)


def action(words: Sequence[Word]) -> Command:
    rest = words[1:]
    reference = ref(rest)
    if reference is not None:
        return ActionDetail(reference)
    if len(rest) == 1 and re.fullmatch(r"[0-9]+", rest[0].syntax):
        return ActionDetail(_action_id(rest[0].syntax))
    if not rest:
        raise Wrong("Which action? Type its number: `action RW-1001`.")
    raise Wrong(
        "`action` shows one action by its number, such as `action RW-1001`; `actions` asks about a firm.",
        instead=retyped("actions", rest),
        label="Ask for actions",
    )


def firm(words: Sequence[Word]) -> Command:
    name = whole_name(sort_words(words, 1, verb="firm", only=()))
    if not name:
        raise Wrong("Which firm? Type a name, a brand or a ticker: `firm tencent`.")
    return FirmInfo(name)


def totals(words: Sequence[Word]) -> Command:
    words, by = _grouping(words)
    found = sort_words(dated(words), _after(words, "of", "for", "against", "on"), verb="totals")
    no_limit(found)
    name = _whom(found)
    if name == "" and not found.terms:
        again = phrase("totals all", f"by {by}" if by else "")
        raise Wrong("Totals of whom? Type a firm: `totals tencent by year`, or all.", instead=again, label="Totals of all")
    return Totals(name or None, by, Filter(found.terms))


def _grouping(words: Sequence[Word]) -> tuple[Sequence[Word], str]:
    """The words without `by year`, and the year."""
    typed = list(linked(words, ("by",)))
    for at in range(len(typed) - 1, 0, -1):
        if typed[at].syntax != "by":
            continue
        asked = typed[at + 1].syntax if at + 1 < len(typed) else ""
        if (by := asked.removesuffix("s")) in GROUPINGS:
            return (*typed[:at], *typed[at + 2 :]), by
        near = nearest(asked, GROUPINGS) or GROUPINGS[0]
        again = phrase(*(word.source for word in typed[: at + 1]), near, *(word.source for word in typed[at + 2 :]))
        raise Wrong(
            "`totals` counts by year, regulator or kind, not by “{}”. A name with “by” in it goes in quotes.",
            asked,
            instead=again,
            label="Count by {}",
            shown=near,
        )
    return words, ""


def how_much(words: Sequence[Word]) -> Command | None:
    """`how much was tencent fined in 2021?` asks for totals; None: the words ask something else."""
    asked = " ".join(word.syntax for word in words[:3])
    if not re.fullmatch(r"how much (?:was|were|is|has|have|had|did|does)", asked):
        return None
    found = sort_words(dated(words), 3, verb="totals")
    names = flat(found)
    end = len(names)
    while end and _plain(names[end - 1]) in ("been", "ever", "so", "far", "in", "total", *_FINED):
        end -= 1
    name = name_of(names[:end])
    is_asked = any(_plain(word) in _FINED for word in names[end:])
    return Totals(name, "", Filter(found.terms)) if name and is_asked else None


def _plain(word: Word) -> str:
    return word.syntax.rstrip("?")


def timeline(words: Sequence[Word]) -> Command:
    found = sort_words(dated(words), _after(words, "of", "for", "against", "on"), verb="timeline")
    no_limit(found)
    name = _whom(found)
    if name == "" and not found.terms:
        raise Wrong("The time line of whom? Type a firm: `timeline tencent`, or a filter: `timeline regulator:csrc`.")
    return Timeline(name or None, Filter(found.terms))


def search(words: Sequence[Word]) -> Command:
    found = sort_words(words, 1, allowed=("page",), verb="search")
    said = []
    for word in flat(found):
        text = " ".join("".join(char for char in word.text if char not in QUOTES).split())
        # a colon outside quotes would be read as a filter when the command is written back
        is_phrase = word.is_quoted or any(char in COLONS for char in text)
        said += [f'"{text}"' if is_phrase else text] if text else []
    while said and syntax_of(said[0]) == "for":
        del said[0]
    if not said:
        raise Wrong('Search for what? Type words that a document has: `search antitrust 腾讯`, or a phrase: `search "data security"`.')
    return Search(" ".join(said), Filter(found.terms), int(found.options.get("page", "1")))


def sources(words: Sequence[Word]) -> Command:
    rest = words[1:]
    do = rest[0].syntax if rest else ""
    if do in ORDERS:
        if len(rest) == 2 and re.fullmatch(_SOURCE_ID, rest[1].syntax):
            return SourceOrder(do, rest[1].syntax)
        raise Wrong(
            "`sources {}` takes the id of one source, such as `sources {} us-sec-litigation`; `sources` lists them.",
            do,
            do,
            instead="sources",
            label="Show the sources",
        )
    near = nearest(do, ORDERS)
    if near and len(rest) == 2 and "-" in rest[1].syntax and re.fullmatch(_SOURCE_ID, rest[1].syntax):
        again = f"sources {near} {rest[1].syntax}"
        raise Wrong("`sources` does not know “{}”. Did you mean {} ?", rest[0].text, near, instead=again, label="Run with {}", shown=near)
    found = sort_words(words, 1, verb="sources", only=("regulator",))
    asked = next((value for term in found.terms for value in term.values), None)
    return Sources(whole_name(found) or asked or None)


def why(words: Sequence[Word]) -> Command:
    rest = words[1:]
    if not rest or (reference := ref(rest[:1])) is None:
        raise Wrong("Why which action? Type its number, and a channel if it is another one: `why RW-1001 #legal`.")
    if len(rest) == 1:
        return Why(reference)
    channel = rest[1].text.lstrip("#＃")
    if len(rest) > 2 or not re.fullmatch(r"[\w.-]{1,80}", channel):
        raise Wrong(
            "`why` takes an action and at most one channel: `why RW-1001 #legal`.",
            instead=f"why RW-{reference}",
            label="Why {} here",
            shown=f"RW-{reference}",
        )
    return Why(reference, channel)


# --- parts that verbs share -------------------------------------------------------------------------------------------------


def ref(words: Sequence[Word]) -> int | None:
    """The number when the words are an action's name and nothing else."""
    typed = " ".join(word.syntax for word in words)
    match = REF.fullmatch("".join("-" if char in DASHES else char for char in typed))
    return _action_id(match[1]) if match else None


def _action_id(digits: str) -> int:
    if len(digits) > 9:
        raise Wrong("There is no action {}…: the numbers are shorter.", f"RW-{digits[:12]}")
    return int(digits)


def retyped(verb: str, rest: Iterable[Word]) -> str:
    """The same words after another verb."""
    return phrase(verb, *(word.source for word in rest))


def _after(words: Sequence[Word], *links: str) -> int:
    """Where the name begins: after the verb, and after a word such as `of` when something follows it."""
    return 2 if len(words) > 2 and words[1].syntax in links else 1


def linked(words: Sequence[Word], links: Sequence[str]) -> Sequence[Word]:
    """The words with `by:year` read as `by year`."""
    found: list[Word] = []
    for word in words:
        parts = word.split(COLONS, most=1)
        if len(parts) == 2 and parts[0].syntax in links:
            found += [part for part in parts if part.text]
        else:
            found.append(word)
    return found


def dated(words: Sequence[Word]) -> Sequence[Word]:
    """The words with `in 2021` read as `since:2021 until:2021`, unless they name a time themselves."""
    if any(word.syntax.lstrip("-").startswith(("since:", "until:")) for word in words):
        return words
    for at in range(len(words) - 2, 0, -1):
        year = re.fullmatch(r"([12][0-9]{3})\??", words[at + 1].syntax)
        if words[at].syntax == "in" and year:
            return (*words[:at], *tokens(f"since:{year[1]} until:{year[1]}"), *words[at + 2 :])
    return words


def flat(found: Sorted) -> list[Word]:
    """The words of all names."""
    return [word for group in found.names for word in group]


def whole_name(found: Sorted) -> str:
    """All of them as one name: a comma may stand in one."""
    return name_of(flat(found))


def _whom(found: Sorted) -> str | None:
    """A firm's name; None for an unquoted `all`, empty when nothing was typed."""
    words = flat(found)
    return None if len(words) == 1 and words[0].syntax == "all" else name_of(words)


def no_limit(found: Sorted) -> None:
    """Raises for `limit:`, which only a list has."""
    if any(term.key == "limit" for term in found.terms):
        raise Wrong("`limit:` is for lists of actions or documents.")
