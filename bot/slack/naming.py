"""What people call things -> the firm, regulator, source or zone that they mean; or a question back, with buttons.

Nothing is guessed silently: one exact match is taken, several are offered, near misses are suggested. `Stop` ends the
command with that question; its buttons run the same command with the right name in it.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import replace
from zoneinfo import available_timezones

from bot.slack import cards
from bot.slack.grammar import Actions, Command, Target, unparse
from storage import Store
from storage.filters import Filter, Term
from storage.models import Followed
from storage.text import fold
from storage.views import FirmMatch, RegulatorView


class Stop(Exception):
    """Ends a command with an answer that says what is wrong, and what to run instead: (label, command) each a button.

    The template is translated before its places are filled with what people typed.
    """

    def __init__(self, template: str, *values: str | int, choices: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(template, *values)
        self.template = template
        self.values = values
        self.choices = choices

    def said(self, say: Callable[[str], str]) -> str:
        """What is wrong, in the language of `say`. A backtick in what was typed would set code, so it becomes an apostrophe."""
        return say(self.template).format(*(str(value).replace("`", "'") for value in self.values)) if self.values else say(self.template)


class Naming:
    """Names looked up in the Store. `again` makes a command anew with another name in it, for the buttons."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def firm(self, typed: str, again: Callable[[str], Command], instead: str | None = None) -> FirmMatch:
        """The one firm of that name. Raises Stop with choices when there are several, or none but some that are near.

        `instead` is a whole command that a mistyped verb may have meant; it is offered first.
        """
        found = await self._store.resolve(typed)
        if found.is_exact and len(found.matches) == 1:
            return found.matches[0]
        choices = [(_label(match), unparse(again(match.firm_id))) for match in found.matches]
        if found.is_exact:
            raise Stop("“{}” is the name of several firms. Which one?", typed, choices=choices)
        if instead is not None:
            choices.insert(0, (instead, instead))
        regulators = [view for view in await self._store.resolve_regulator(typed) if not view.is_guess]
        choices += [(f"Acts of {view.name}", unparse(Actions(None, Filter((Term("regulator", (view.id,)),))))) for view in regulators]
        if choices:
            raise Stop("No firm “{}”. Did you mean", typed, choices=choices)
        raise Stop("No firm “{}” in the register. Try its full name, its Chinese name or a ticker: `actions 0700.HK`.", typed)

    async def regulator(self, typed: str, again: Callable[[str], Command]) -> RegulatorView:
        """The one regulator of that name, likewise."""
        found = await self._store.resolve_regulator(typed)
        if len(found) == 1 and not found[0].is_guess:
            return found[0]
        choices = [(f"{view.name} ({view.id})", unparse(again(view.id))) for view in found]
        if not found:
            raise Stop("No regulator “{}”. Its short name or id will do: `sources csrc`.", typed)
        if found[0].is_guess:
            raise Stop("No regulator “{}”. Did you mean", typed, choices=choices)
        raise Stop("“{}” is the name of several regulators. Which one?", typed, choices=choices)

    async def source(self, typed: str, again: Callable[[str], Command]) -> str:
        """The id of a source; near misses are offered."""
        known = [row.id for row in await self._store.source_rows()]
        wanted = typed.casefold()
        if wanted in known:
            return wanted
        near = difflib.get_close_matches(wanted, known, n=4, cutoff=0.6)
        choices = [(name, unparse(again(name))) for name in near]
        if near:
            raise Stop("No source “{}”. Did you mean", typed, choices=choices)
        raise Stop("No source “{}”. `sources` lists those that are not well, `sources csrc` those of a regulator.", typed)

    async def target(self, target: Target, again: Callable[[Target], Command]) -> str | None:
        """The id of what is to be followed; None for everything."""
        if target.followed is Followed.ALL:
            return None
        if target.followed is Followed.REGULATOR:
            return (await self.regulator(target.name, lambda name: again(Target(Followed.REGULATOR, name)))).id
        return (await self.firm(target.name, lambda name: again(Target(Followed.FIRM, name)))).firm_id

    async def filter(self, filter_: Filter, again: Callable[[Filter], Command]) -> Filter:
        """The filter with the ids of its regulators in place of what was typed."""
        terms = list(filter_.terms)
        for at, term in enumerate(terms):
            if term.key != "regulator":
                continue
            ids = []
            for typed in term.values:

                def with_name(name: str, typed: str = typed, at: int = at, term: Term = term) -> Command:
                    values = tuple(name if value == typed else value for value in term.values)
                    return again(Filter((*filter_.terms[:at], replace(term, values=values), *filter_.terms[at + 1 :])))

                ids.append((await self.regulator(typed, with_name)).id)
            terms[at] = replace(term, values=tuple(dict.fromkeys(ids)))
        return Filter(tuple(terms))


def _label(match: FirmMatch) -> str:
    """The firm, and the name of it that was found where that is another one: QQ (Tencent QQ)."""
    label = cards.match_label(match)
    return label if fold(match.matched) in fold(label) else f"{label} ({match.matched})"


def zone(typed: str, again: Callable[[str], Command]) -> str:
    """The IANA zone that was typed, in any case, or by its city where only one zone has it. Raises Stop for none."""
    known = {name.casefold(): name for name in available_timezones()}
    wanted = typed.casefold().replace(" ", "_")
    cities = [name for folded, name in known.items() if folded.rpartition("/")[2] == wanted and "/" in folded]
    found = known.get(wanted) or (cities[0] if len(cities) == 1 else None)
    if found is not None:
        return found
    near = cities or [known[folded] for folded in difflib.get_close_matches(wanted, known, n=3, cutoff=0.75)]
    choices = [(name, unparse(again(name))) for name in near[:3]]
    if choices:
        raise Stop("No time zone “{}”. Did you mean", typed, choices=choices)
    raise Stop("No time zone “{}”. Use a name such as Asia/Taipei.", typed)
