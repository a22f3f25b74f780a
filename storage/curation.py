"""The register as operators change it: lists brought in and taken away, firms added one by one.

What they add has a source of its own (the list's name, or `operator`), so that the shipped register can be brought up
to date beside it, and a list be replaced by its next edition or go again. Each change leaves a Change row.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import SQLModel, col, delete, func, insert, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.base import Base, StorageError, chunks
from storage.firms import SHIPPED, register_in, values_of
from storage.lists import ListPlan, is_name, language_of
from storage.models import ActionFirm, Alias, AliasKind, Firm, Mention, Ownership, Strength
from storage.records import AliasRow, FirmRow, ListOutcome, ListParent, ListRow, ListView
from storage.tenancy import Change, Correction, Subscription
from storage.text import fold, title_key

OPERATOR = "operator"
"""The source of firms that an operator added one by one, and who makes changes on the command line."""

_ROWS = 5_000  # in one insert


class CurationStore(Base):
    """Lists of firms, and firms of one's own."""

    async def import_list(
        self,
        name: str,
        rows: Iterable[ListRow],
        by: str,
        *,
        parents: Iterable[ListParent] = (),
        only_known: bool = False,
        is_dry_run: bool = False,
    ) -> ListOutcome:
        """Bring a list into the register, in the place of what a list of that name brought before; again changes nothing.

        `only_known` makes no firm. Firms that left the list stay, with their names, where actions or subscriptions
        refer to them. Raises StorageError for a name that is not a list's to have, and for a list too long.
        """
        _check_name(name)
        async with self._read() as session:
            register = await register_in(session)
        # a file of millions of rows is read meanwhile: off the event loop, and in no transaction
        plan = await asyncio.to_thread(ListPlan, register, name, rows, parents, only_known=only_known)
        return await self._bring(plan, register.version, by, "imported", is_dry_run=is_dry_run)

    async def remove_list(self, name: str, by: str, *, is_dry_run: bool = False) -> ListOutcome:
        """Take a list away: its names, and the firms that it alone named unless something refers to them.

        Raises StorageError when the register holds nothing of that list.
        """
        _check_name(name)
        async with self._read() as session:
            register = await register_in(session)
        if not any(alias.source == name for alias in register.aliases):
            raise StorageError(f"There is no list {name!r}. These there are: regwatch firms list --lists")
        return await self._bring(ListPlan(register, name, ()), register.version, by, "removed", is_dry_run=is_dry_run)

    async def _bring(self, plan: ListPlan, version: str, by: str, what: str, *, is_dry_run: bool) -> ListOutcome:
        """Bring the rows of the plan's source to the plan, which was made for this version of the register."""
        if is_dry_run:
            async with self._read() as session:
                return (await _difference(session, plan)).outcome(plan)
        async with self._write() as session:
            await self._one_at_a_time(session, "register")
            if (await register_in(session)).version != version:
                raise StorageError("The register was changed while the list was read. Nothing was written: run it again.")
            found = await _difference(session, plan)
            outcome = found.outcome(plan)
            if outcome.is_change:
                await _apply(session, plan, found)
                told = "{} firms and {} names new, {} firms and {} names gone"
                after = told.format(outcome.new_firms, outcome.new_names, outcome.gone_firms, outcome.gone_names)
                session.add(self._change(by, f"list:{plan.source}", what, after))
        return outcome

    async def lists(self) -> tuple[ListView, ...]:
        """The sources of the register's names: the shipped one, the operator's own, and the lists."""
        counted = select(Alias.source, func.count(func.distinct(Alias.firm_id)), func.count()).group_by(Alias.source)
        async with self._read() as session:
            return tuple(ListView(*row) for row in await session.exec(counted.order_by(Alias.source)))

    async def add_firm(self, firm: FirmRow, aliases: Sequence[AliasRow], by: str) -> None:
        """Add one firm with its names, tickers among them.

        Raises StorageError, with what to do instead, for an id or a name that is taken: two firms of one name are
        read as neither.
        """
        async with self._write() as session:
            await self._one_at_a_time(session, "register")
            if await session.get(Firm, firm.id) is not None:
                raise StorageError(
                    f"There is a firm {firm.id!r} already: give another id with --id, or look: regwatch firms show {firm.id}"
                )
            taken = select(Alias, Firm).join(Firm, col(Firm.id) == Alias.firm_id)
            named = taken.where(col(Alias.folded).in_([fold(alias.text) for alias in aliases])).order_by(Alias.strength, Firm.id)
            if (other := (await session.exec(named)).first()) is not None:
                alias, owner = other
                raise StorageError(
                    f"{alias.text!r} is a name of {owner.name} ({owner.id}) already, and two firms of one name are read as neither. "
                    f"Leave it out; or give that firm more names by a CSV with its id: regwatch firms import --help"
                )
            await session.exec(insert(Firm), params=[_firm_values(firm)])
            await session.exec(insert(Alias), params=[_alias_values(alias) for alias in aliases])
            session.add(self._change(by, f"firm:{firm.id}", "added", after=", ".join(alias.text for alias in aliases)[:500]))

    def _change(self, by: str, subject: str, what: str, after: str) -> Change:
        return Change(subject=subject, made_by=by, made_at=self._now(), what=what, after=after)


def new_firm(
    name: str, strong: Sequence[str], weak: Sequence[str], tickers: Sequence[str], country: str, firm_id: str
) -> tuple[ListRow, FirmRow, tuple[AliasRow, ...]]:
    """A firm of an operator's own with its names, ready for `add_firm`, and the same as a row that can be linted.

    A name that stands under `weak` is weak wherever else it stands. Raises StorageError for a name, a ticker, a country
    or an id that is none.
    """
    names = list(dict.fromkeys(" ".join(one.split()) for one in (name, *strong, *weak)))
    if wrong := [one for one in names if not is_name(one) or "|" in one or ";" in one]:
        raise StorageError(f"{wrong[0]!r} is no name: two characters at least, a letter among them, and neither | nor ;")
    if wrong := [one for one in tickers if not any(map(str.isalnum, one)) or "|" in one or ";" in one]:
        raise StorageError(f"--ticker: {wrong[0]!r} is no ticker (like 0700.HK)")
    slug = firm_id or re.sub(r"[^a-z0-9]+", "-", title_key(names[0])).strip("-")
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug):
        what = f"--id: {firm_id!r} is no id" if firm_id else f"{names[0]!r} gives no id; say one with --id"
        raise StorageError(f"{what}: small letters, digits and dashes (like bank-of-china)")
    if not re.fullmatch(r"([A-Z]{2})?", country.upper()):
        raise StorageError(f"--country: {country!r} is no ISO 3166 code (like CN)")
    shy = {fold(" ".join(one.split())) for one in weak}
    spoken = {fold(one): one for one in reversed(names)}
    aliases = [
        AliasRow(slug, one, strength=Strength.WEAK if folded in shy else Strength.STRONG, language=language_of(one), source=OPERATOR)
        for folded, one in reversed(spoken.items())
    ]
    aliases += [
        AliasRow(slug, ticker, AliasKind.TICKER, source=OPERATOR) for ticker in dict.fromkeys(tickers) if fold(ticker) not in spoken
    ]
    row = ListRow(names[0], tuple(names[1:]), tuple(weak), tuple(tickers), country.upper(), Strength.STRONG, slug)
    return row, FirmRow(slug, names[0], country=country.upper(), tickers=tuple(tickers), note="added by an operator"), tuple(aliases)


def _check_name(name: str) -> None:
    if name in (SHIPPED, OPERATOR) or not name.strip() or len(name) > 100:
        raise StorageError(f"A list cannot have the name {name!r}; give it another with --name.")


@dataclass(frozen=True, slots=True)
class _Difference:
    """What stands between the rows of a list that the database holds and those of a plan."""

    firms: list[FirmRow]  # not there yet
    kept_firms: list[FirmRow]  # there already
    aliases: list[AliasRow]  # not there yet
    changed: list[tuple[int, AliasRow]]  # of another strength than the row of that id
    gone: list[int]  # ids of names
    gone_firms: set[str]
    edges_gone: bool
    kept: set[str]

    def outcome(self, plan: ListPlan) -> ListOutcome:
        return ListOutcome(
            name=plan.source,
            rows=plan.rows,
            new_firms=len(self.firms),
            joined=len(plan.joined),
            new_names=len(self.aliases),
            same_names=len(plan.aliases) - len(self.aliases),
            changed_names=len(self.changed),
            gone_names=len(self.gone),
            gone_firms=len(self.gone_firms),
            parents=len(plan.edges),
            is_owned_anew=self.edges_gone,
            kept=tuple(sorted(self.kept)),
            left_out=plan.left_out,
        )


async def _difference(session: AsyncSession, plan: ListPlan) -> _Difference:
    mine = select(Alias.id, Alias.firm_id, Alias.folded, Alias.strength).where(Alias.source == plan.source)
    known = {(firm_id, folded): (row_id, strength) for row_id, firm_id, folded, strength in await session.exec(mine)}
    others = set((await session.exec(select(Alias.firm_id).where(Alias.source != plan.source).distinct())).all())
    alone = {firm_id for firm_id, _ in known} - others  # firms that this list alone names
    kept = await _referred_to(session, alone - plan.firms.keys(), plan.source)
    edges = await session.exec(select(Ownership).where(Ownership.source == plan.source))
    owned = {(edge.child_id, edge.parent_id, edge.from_on, edge.to_on) for edge in edges}
    wanted = {(edge.child_id, edge.parent_id, edge.from_on, edge.to_on) for edge in plan.edges.values()}
    return _Difference(
        firms=[firm for firm_id, firm in plan.firms.items() if firm_id not in alone],
        kept_firms=[firm for firm_id, firm in plan.firms.items() if firm_id in alone],
        aliases=[alias for key, alias in plan.aliases.items() if key not in known],
        changed=[
            (known[key][0] or 0, alias) for key, alias in plan.aliases.items() if key in known and known[key][1] is not alias.strength
        ],
        gone=[row_id or 0 for key, (row_id, _) in known.items() if key not in plan.aliases and key[0] not in kept],
        gone_firms=alone - plan.firms.keys() - kept,
        edges_gone=owned != wanted,
        kept=kept,
    )


async def _apply(session: AsyncSession, plan: ListPlan, found: _Difference) -> None:
    await _insert(session, Firm, [_firm_values(firm) for firm in found.firms])
    wanted = {firm.id: firm for firm in found.kept_firms}
    for part in chunks(wanted):
        for row in await session.exec(select(Firm).where(col(Firm.id).in_(part))):
            for column, value in _firm_values(wanted[row.id]).items():
                setattr(row, column, value)
    await session.flush()
    for ids in chunks(found.gone):
        await session.exec(delete(Alias).where(col(Alias.id).in_(ids)))
    for row_id, alias in found.changed:
        await session.exec(update(Alias).where(col(Alias.id) == row_id).values(strength=alias.strength))
    await _insert(session, Alias, [_alias_values(alias) for alias in found.aliases])
    await session.exec(delete(Ownership).where(col(Ownership.source) == plan.source))
    await _insert(session, Ownership, [values_of(edge) for edge in plan.edges.values()])
    await _forget(session, found.gone_firms)


async def _referred_to(session: AsyncSession, firm_ids: Iterable[str], source: str) -> set[str]:
    """Those of the firms that an action, a subscription, a correction or an edge of another source refers to."""
    places = [col(column) for column in (ActionFirm.firm_id, ActionFirm.brand_id, Subscription.firm_id, Correction.firm_id)]
    ends = [col(Ownership.child_id), col(Ownership.parent_id)]
    found: set[str] = set()
    for part in chunks(firm_ids):
        for place in places:
            found.update(one for one in await session.exec(select(place).where(place.in_(part)).distinct()) if one)
        for end in ends:
            found.update(await session.exec(select(end).where(end.in_(part), Ownership.source != source).distinct()))
    return found


async def _forget(session: AsyncSession, firm_ids: Iterable[str]) -> None:
    """Delete firms; texts that named them keep the name, as they do for firms that are not in the register."""
    for part in chunks(firm_ids):
        await session.exec(update(Mention).where(col(Mention.firm_id).in_(part)).values(firm_id=None))
        await session.exec(delete(Firm).where(col(Firm.id).in_(part)))


async def _insert(session: AsyncSession, table: type[SQLModel], rows: Sequence[dict[str, Any]]) -> None:
    for start in range(0, len(rows), _ROWS):
        await session.exec(insert(table), params=rows[start : start + _ROWS])


def _firm_values(row: FirmRow) -> dict[str, Any]:
    return values_of(row) | {"tickers": list(row.tickers)}


def _alias_values(row: AliasRow) -> dict[str, Any]:
    return values_of(row) | {"folded": fold(row.text)}
