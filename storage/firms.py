"""The register of firms: what ships with the package, what the database holds, and what a typed name means.

The shipped register is three CSV files beside this module (`register/NOTICE` explains their columns). It is
read strictly, because a misspelt column would silently lose names. `sync_register` brings the database to
it and leaves what users added alone; `register` hands the whole of it, frozen, to the reader of texts.
`resolve` answers "which firm is that?": the same name in either script, a ticker or an id is certain,
everything else is only ever a suggestion.
"""

from __future__ import annotations

import asyncio
import csv
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from rapidfuzz import process
from rapidfuzz.distance import JaroWinkler
from sqlalchemy import case, func, inspect
from sqlmodel import SQLModel, col, delete, insert, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.base import Base, StorageError
from storage.filters import NO_FILTER
from storage.loading import firm_match, in_force, is_brand_hit, passing, regulator_view
from storage.models import (
    Alias,
    AliasKind,
    Firm,
    FirmKind,
    Mention,
    Ownership,
    OwnershipKind,
    Regulator,
    Role,
    Strength,
)
from storage.records import AliasRow, FirmRow, OwnershipRow, Register, RegulatorRow
from storage.tenancy import Change
from storage.text import fold
from storage.views import AliasView, FirmMatch, FirmView, RegulatorView, Resolution

SHIPPED = "register"
"""The source of rows that ship; rows of any other source are the users'."""

_REGISTER = "register"
"""The subject of changes that came with a version of the package."""

_SUGGESTIONS = 3
_LEAST_LIKE = 0.8
_HAN = re.compile(r"[\u3400-\u9fff]")
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_FIRM_COLUMNS = ("id", "name", "name_zh_hans", "name_zh_hant", "kind", "country", "tickers", "note")
_ALIAS_COLUMNS = ("firm_id", "text", "language", "kind", "strength", "from_on", "to_on", "note")
_OWNERSHIP_COLUMNS = ("child_id", "parent_id", "kind", "from_on", "to_on", "note")

Choice = TypeVar("Choice", bound=StrEnum)
Row = TypeVar("Row")


def shipped_register(regulators: Sequence[RegulatorRow], folder: Path | None = None) -> Register:
    """The register that ships with the package, with these regulators. Reads no database.

    Raises StorageError, with file and line, for anything it does not understand: a column, a value, an edge
    to no firm, a name given twice to one firm.
    """
    where: Any = files("storage") / "register" if folder is None else folder
    firms = [_firm_row(line) for line in _lines(where / "firms.csv", _FIRM_COLUMNS)]
    ids = {firm.id for firm in firms}
    if len(ids) < len(firms):
        twice = sorted(firm.id for firm in firms if sum(other.id == firm.id for other in firms) > 1)
        raise StorageError(f"firms.csv: {twice[0]} is there twice")
    aliases: dict[tuple[str, str], AliasRow] = {}
    for line in _lines(where / "aliases.csv", _ALIAS_COLUMNS):
        alias = _alias_row(line, ids)
        if aliases.setdefault((alias.firm_id, fold(alias.text)), alias) is not alias:
            raise line.error(f"{alias.firm_id} has the name {alias.text!r} twice")
    edges: dict[tuple[str, str, str], OwnershipRow] = {}
    for line in _lines(where / "ownership.csv", _OWNERSHIP_COLUMNS):
        edge = _ownership_row(line, ids)
        if edges.setdefault((edge.child_id, edge.parent_id, edge.kind), edge) is not edge:
            raise line.error(f"the edge from {edge.child_id} to {edge.parent_id} is there twice")
    return _register(firms, aliases.values(), edges.values(), regulators)


def _register(
    firms: Iterable[FirmRow], aliases: Iterable[AliasRow], edges: Iterable[OwnershipRow], regulators: Iterable[RegulatorRow]
) -> Register:
    """Rows in one order, whatever order they came in, so that equal content has an equal version."""
    parts: tuple[tuple[Any, ...], ...] = (
        tuple(sorted(firms, key=lambda row: row.id)),
        tuple(sorted(aliases, key=lambda row: (row.firm_id, fold(row.text)))),
        tuple(sorted(edges, key=lambda row: (row.child_id, row.parent_id, row.kind))),
        tuple(sorted(regulators, key=lambda row: row.id)),
    )
    content = "\n".join("\t".join(map(str, values_of(row).values())) for part in parts for row in part)
    return Register(hashlib.sha256(content.encode()).hexdigest()[:12], *parts)


def values_of(row: Any) -> dict[str, Any]:
    """The fields of a record by their names. `asdict` copies what it finds, which costs a second for ten thousand names."""
    return {name: getattr(row, name) for name in row.__slots__}


class _Line:
    """A row of a CSV file that knows where it stands."""

    def __init__(self, file: str, number: int, values: Mapping[str, str]) -> None:
        self.file, self.number, self.values = file, number, values

    def error(self, what: str) -> StorageError:
        return StorageError(f"{self.file}, line {self.number}: {what}")

    def __getitem__(self, column: str) -> str:
        return self.values[column]

    def needed(self, column: str) -> str:
        if not self.values[column]:
            raise self.error(f"{column} is empty")
        return self.values[column]

    def firm(self, column: str, ids: set[str]) -> str:
        if self.values[column] not in ids:
            raise self.error(f"{column} {self.values[column]!r} is no firm of firms.csv")
        return self.values[column]

    def choice(self, column: str, choices: type[Choice]) -> Choice:
        try:
            return choices(self.values[column])
        except ValueError as error:
            raise self.error(f"{column} {self.values[column]!r} is none of {', '.join(choices)}") from error

    def day(self, column: str) -> date | None:
        try:
            return date.fromisoformat(self.values[column]) if self.values[column] else None
        except ValueError as error:
            raise self.error(f"{column} {self.values[column]!r} is no date (2021-10-28)") from error

    def span(self) -> tuple[date | None, date | None]:
        first, last = self.day("from_on"), self.day("to_on")
        if first and last and first > last:
            raise self.error(f"from {first} to {last} is no span")
        return first, last


def _lines(path: Any, columns: tuple[str, ...]) -> list[_Line]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise StorageError(f"The register's {path.name} cannot be read: {error.strerror}") from error
    reader = csv.reader(text.splitlines(), strict=True)
    head = tuple(next(reader, ()))
    if head != columns:
        raise StorageError(f"{path.name}, line 1: the columns are {', '.join(head)}, not {', '.join(columns)}")
    lines = []
    for values in reader:
        if len(values) != len(columns):
            raise StorageError(f"{path.name}, line {reader.line_num}: {len(values)} values for {len(columns)} columns")
        lines.append(_Line(path.name, reader.line_num, dict(zip(columns, map(str.strip, values), strict=True))))
    return lines


def _firm_row(line: _Line) -> FirmRow:
    if not _SLUG.fullmatch(line["id"]):
        raise line.error(f"id {line['id']!r} is no slug (like bank-of-china)")
    if not re.fullmatch(r"([A-Z]{2})?", line["country"]):
        raise line.error(f"country {line['country']!r} is no ISO 3166 code")
    tickers = tuple(filter(None, line["tickers"].split(" | ")))
    names = line.needed("name"), line["name_zh_hans"], line["name_zh_hant"]
    return FirmRow(line["id"], *names, line.choice("kind", FirmKind), line["country"], tickers, line["note"])


def _alias_row(line: _Line, ids: set[str]) -> AliasRow:
    kind, strength = line.choice("kind", AliasKind), line.choice("strength", Strength)
    return AliasRow(line.firm("firm_id", ids), line.needed("text"), kind, strength, line["language"], *line.span())


def _ownership_row(line: _Line, ids: set[str]) -> OwnershipRow:
    child, parent = line.firm("child_id", ids), line.firm("parent_id", ids)
    if child == parent:
        raise line.error(f"{child} cannot belong to itself")
    return OwnershipRow(child, parent, line.choice("kind", OwnershipKind), *line.span())


_NAME: Any = inspect(Alias).local_table.c
_NAMES = select(_NAME.firm_id, _NAME.text, _NAME.folded).where(_NAME.kind != AliasKind.TICKER)
"""Every name that a misspelt one may mean."""


class FirmStore(Base):
    """The register in the database, and names looked up in it."""

    _spelt_names: tuple[Any, Sequence[Any]] = (None, ())

    async def sync_register(self, register: Register) -> None:
        """Bring shipped firms, names, edges and regulators to this register; doing it again changes nothing.

        What users added (rows of another source) stays. A name or edge that is gone from the register goes; a
        firm stays, because actions tell of it. What changed anything leaves a Change row.
        """
        async with self._write() as session:
            await self._one_at_a_time(session, "register")
            before = await register_in(session)
            await _sync_regulators(session, register.regulators)
            await _sync_firms(session, register.firms)
            await _sync_aliases(session, register.aliases)
            await _sync_ownerships(session, register.ownerships)
            after = await register_in(session)
            if before.version != after.version:
                row = Change(subject=_REGISTER, made_by="regwatch", made_at=self._now(), what="brought up to date")
                row.before, row.after = before.version, after.version
                session.add(row)

    async def register(self) -> Register:
        """The whole register, the users' rows included, as texts are read with it."""
        async with self._read() as session:
            return await register_in(session)

    async def register_version(self) -> str:
        """A short text that is another one once firms, names or edges came, went or changed; far cheaper than the register."""
        weak = func.sum(case((col(Alias.strength) == Strength.WEAK, 1), else_=0))
        counted: tuple[Any, ...] = (
            select(func.count(), func.sum(func.length(Firm.name))).select_from(Firm),
            select(func.count(), func.max(Alias.id), func.sum(func.length(Alias.text)), weak).select_from(Alias),
            select(func.count(), func.max(Ownership.id), func.count(col(Ownership.to_on))).select_from(Ownership),
            select(func.count(), func.sum(func.length(Regulator.name))).select_from(Regulator),
            # what no count tells: a firm of another kind, an edge with another date
            select(func.count(), func.max(Change.id)).where(Change.subject == _REGISTER),
        )
        async with self._read() as session:
            found = [(await session.exec(query)).one() for query in counted]
        return " ".join(str(value or 0) for row in found for value in row)

    async def resolve(self, typed: str) -> Resolution:
        """The firm that a typed name means: a name in either script, a ticker (`0700.HK`, `$TCEHY`) or an id.

        Exact: that firm, or several that share the name, those with a strong claim first. Else at most three
        suggestions, best first; Chinese is compared by its sound too, so that 腾迅 finds 腾讯.
        """
        name = _cleaned(typed)
        if not name:
            return Resolution(typed, False, ())
        async with self._read() as session:
            matches = await _exact(session, name, is_ticker="$" in typed)
            if matches:
                return Resolution(typed, True, matches)
            names = await self._spelt(session)
            best = await asyncio.to_thread(_likest, fold(name), names)
            firms = {row.id: row for row in await session.exec(select(Firm).where(col(Firm.id).in_([near[0] for near in best])))}
        near = tuple(firm_match(firms[firm_id], text, round(100 * score, 1)) for firm_id, text, score in best)
        return Resolution(typed, False, near)

    async def _spelt(self, session: AsyncSession) -> Sequence[Any]:
        """Every firm with its names, as they are and folded. Kept until a name comes or goes: a hundred thousand of them are
        compared in less time than they are fetched in."""
        key = (await session.exec(select(func.max(Alias.id), func.count()).select_from(Alias))).one()
        if self._spelt_names[0] != key:
            self._spelt_names = (key, (await session.exec(_NAMES)).all())
        return self._spelt_names[1]

    async def resolve_regulator(self, typed: str) -> tuple[RegulatorView, ...]:
        """The regulators of that id or name; when there is none, at most three that are near, marked `is_guess`."""
        wanted = fold(_cleaned(typed))
        if not wanted:
            return ()
        async with self._read() as session:
            rows = (await session.exec(select(Regulator).order_by(Regulator.id))).all()
        own = [row for row in rows if wanted in _regulator_names(row, row.aliases)]
        exact = own or [row for row in rows if wanted in _regulator_names(row, row.context_aliases)]
        if exact:
            return tuple(regulator_view(row) for row in exact)
        scored = [(max(JaroWinkler.similarity(wanted, name) for name in _regulator_names(row, row.aliases)), row) for row in rows]
        near = sorted((one for one in scored if one[0] >= _LEAST_LIKE), key=lambda one: -one[0])
        return tuple(replace(regulator_view(row), is_guess=True) for _, row in near[:_SUGGESTIONS])

    async def firm(self, firm_id: str, *, is_counted: bool = True) -> FirmView | None:
        """A firm with its names and how often each was read, its owners and what belongs to it today; None: no such firm.

        `is_counted` False leaves names, what belongs to it and counts out: enough for the head of an answer.
        """
        today = self._now().date()
        async with self._read() as session:
            row = (await session.exec(select(Firm).where(Firm.id == firm_id))).first()
            if row is None:
                return None
            owners = await _edges(session, Ownership.parent_id, Ownership.child_id, firm_id, today)
            children: tuple[tuple[str, str, OwnershipKind], ...] = ()
            aliases: tuple[AliasView, ...] = ()
            targets = groups = 0
            if is_counted:
                children = await _edges(session, Ownership.child_id, Ownership.parent_id, firm_id, today)
                found = passing(firm_id, NO_FILTER, today, is_brand=await is_brand_hit(session, firm_id)).subquery()
                counts = select(func.sum(found.c.is_target), func.sum(found.c.is_group)).select_from(found)
                targets, groups = (await session.exec(counts)).one()
                # a brand's mentions carry its owner's id
                readers = {firm_id, *(owner for owner, _, kind in owners if kind is OwnershipKind.BRAND_OF)}
                aliases = await _alias_views(session, firm_id, readers)
        return FirmView(
            id=row.id,
            name=row.name,
            name_zh_hans=row.name_zh_hans,
            name_zh_hant=row.name_zh_hant,
            kind=row.kind,
            country=row.country,
            tickers=tuple(row.tickers),
            aliases=aliases,
            owners=owners,
            children=children,
            target_actions=targets or 0,
            group_actions=groups or 0,
            note=row.note,
        )


async def register_in(session: AsyncSession) -> Register:
    """The whole register, as a transaction that is under way sees it."""
    # rows of columns: an object of the ORM for each of a hundred thousand names would take seconds
    firms = await _made(session, _columns(Firm, FirmRow), lambda row: replace(FirmRow(*row), tickers=tuple(row.tickers)))
    aliases = await _made(session, _columns(Alias, AliasRow), lambda row: AliasRow(*row))
    edges = await _made(session, _columns(Ownership, OwnershipRow), lambda row: OwnershipRow(*row))
    regulators = [_as_regulator_row(row) for row in await session.exec(select(Regulator))]
    return await asyncio.to_thread(_register, firms, aliases, edges, regulators)


async def _made(session: AsyncSession, query: Any, make: Callable[[Any], Row]) -> list[Row]:
    """What is made of each row. Ten thousand at once would hold the event loop for a quarter of a second."""
    made: list[Row] = []
    for part in (await session.exec(query)).partitions(500):
        made += map(make, part)
        await asyncio.sleep(0)
    return made


def _columns(table: type[SQLModel], record: type[Any]) -> Any:
    """What selects the fields of a record, in their order, from the table whose columns bear their names."""
    return select(*(getattr(table, name) for name in record.__slots__))


async def _sync_regulators(session: AsyncSession, rows: Sequence[RegulatorRow]) -> None:
    known = {row.id: row for row in await session.exec(select(Regulator))}
    lists = ("aliases", "context_aliases", "languages")
    await _put(
        session, Regulator, [(known.get(row.id), values_of(row) | {name: list(getattr(row, name)) for name in lists}) for row in rows]
    )


async def _sync_firms(session: AsyncSession, rows: Sequence[FirmRow]) -> None:
    known = {row.id: row for row in await session.exec(select(Firm))}
    await _put(session, Firm, [(known.get(row.id), values_of(row) | {"tickers": list(row.tickers)}) for row in rows])


async def _sync_aliases(session: AsyncSession, rows: Sequence[AliasRow]) -> None:
    known = {(row.firm_id, row.folded): row for row in await session.exec(select(Alias))}
    wanted = {(row.firm_id, fold(row.text)): row for row in rows}
    gone = [row.id for key, row in known.items() if key not in wanted and row.source == SHIPPED]
    await session.exec(delete(Alias).where(col(Alias.id).in_(gone)))
    ours = [(key, row) for key, row in wanted.items() if key not in known or known[key].source == SHIPPED]
    await _put(session, Alias, [(known.get(key), values_of(row) | {"folded": key[1]}) for key, row in ours])


async def _sync_ownerships(session: AsyncSession, rows: Sequence[OwnershipRow]) -> None:
    known = {(row.child_id, row.parent_id, row.kind): row for row in await session.exec(select(Ownership))}
    wanted = {(row.child_id, row.parent_id, row.kind): row for row in rows}
    gone = [row.id for key, row in known.items() if key not in wanted and row.source == SHIPPED]
    await session.exec(delete(Ownership).where(col(Ownership.id).in_(gone)))
    ours = [(key, row) for key, row in wanted.items() if key not in known or known[key].source == SHIPPED]
    await _put(session, Ownership, [(known.get(key), values_of(row)) for key, row in ours])


async def _put(session: AsyncSession, table: type[SQLModel], pairs: Sequence[tuple[SQLModel | None, Mapping[str, Any]]]) -> None:
    """Change those values of stored rows that differ, and add the rows that are not stored, in one go."""
    for row, values in pairs:
        for name, value in values.items() if row else ():
            if getattr(row, name) != value:
                setattr(row, name, value)
    fresh = [dict(values) for row, values in pairs if row is None]
    if fresh:
        await session.exec(insert(table), params=fresh)
    await session.flush()


def _as_regulator_row(row: Regulator) -> RegulatorRow:
    lists = tuple(row.aliases), tuple(row.context_aliases)
    return RegulatorRow(row.id, row.name, row.name_native, *lists, row.jurisdiction, row.time_zone, row.homepage, tuple(row.languages))


def _cleaned(typed: str) -> str:
    """What was typed without the quotes, the dollar sign and the stops around it, spaces squeezed."""
    return " ".join(fold(typed).strip(" \"'$.,;:!?").split())


def _spellings(name: str) -> list[str]:
    """A folded name as the register may hold it: tickers are padded, and carry their exchange behind."""
    found = [name]
    placed = re.fullmatch(r"(?:hkex|sehk|hk|nyse|nasdaq)\s?:\s?([a-z0-9.]+)", name)
    ticker = placed[1] if placed else name
    found.append(ticker)
    listed = re.fullmatch(r"0*(\d{1,5})(?:\.hk)?", ticker)
    if listed and (ticker.endswith(".hk") or placed or len(ticker) >= 4):
        found.append(f"{int(listed[1]):04}.hk")
    if ticker.endswith(".ss"):
        found.append(f"{ticker[:-3]}.sh")
    if re.fullmatch(r"\d{6}", ticker):
        found += [f"{ticker}.sh", f"{ticker}.sz"]
    return list(dict.fromkeys(found))


async def _exact(session: AsyncSession, name: str, *, is_ticker: bool) -> tuple[FirmMatch, ...]:
    slug = re.sub(r"[\s_]+", "-", name)
    own = (await session.exec(select(Firm).where(Firm.id == slug))).first()
    if own and not is_ticker:
        return (firm_match(own, own.id if name == slug else own.name),)
    named = (
        select(Alias, Firm)
        .join(Firm, col(Firm.id) == Alias.firm_id)
        .where(col(Alias.folded).in_(_spellings(name)))
        .order_by(col(Alias.strength) == Strength.WEAK, col(Alias.kind) == AliasKind.FORMER, Firm.id)
    )
    rows = (await session.exec(named)).all()
    if is_ticker and any(alias.kind is AliasKind.TICKER for alias, _ in rows):
        rows = [(alias, firm) for alias, firm in rows if alias.kind is AliasKind.TICKER]
    found: dict[str, FirmMatch] = {}
    for alias, firm in rows:
        found.setdefault(firm.id, firm_match(firm, alias.text))
    return tuple(found.values())


def _likest(wanted: str, names: Sequence[Any]) -> list[tuple[str, str, float]]:
    """Of (firm, name, folded name): the best name of each of the three likest firms, with its likeness."""
    is_han = bool(_HAN.search(wanted))
    sound = _pinyin(wanted) if is_han else wanted.replace(" ", "")
    # all names in one call each: a hundred thousand are compared in the time of a thousand calls
    folded = [name for _, _, name in names]
    near = [(place, score) for _, score, place in _compared(wanted, folded)]
    han = [place for place, name in enumerate(folded) if not name.isascii() and _HAN.search(name)]
    # a like sound is less than the same name
    near += [(han[at], 0.99 * score) for _, score, at in _compared(sound, [_pinyin(folded[place]) for place in han])]
    best: dict[str, tuple[str, str, float]] = {}
    for place, score in sorted(near):
        firm_id, text, _ = names[place]
        if score >= _LEAST_LIKE and (firm_id not in best or score > best[firm_id][2]):
            best[firm_id] = (firm_id, text, score)
    return sorted(best.values(), key=lambda one: (-one[2], abs(len(one[1]) - len(wanted)), one[0]))[:_SUGGESTIONS]


def _compared(wanted: str, names: Sequence[str]) -> list[tuple[str, float, int]]:
    """Those that are like it: the name, how like, and its place."""
    return process.extract(wanted, names, scorer=JaroWinkler.similarity, processor=None, score_cutoff=_LEAST_LIKE, limit=None)


@lru_cache(maxsize=200_000)
def _pinyin(text: str) -> str:
    """How a Chinese name sounds, without tones and spaces: `tengxun`."""
    from pypinyin import lazy_pinyin  # 0.2 s, and only the first misspelt name needs it

    return "".join(lazy_pinyin(text)).lower()


def _regulator_names(row: Regulator, aliases: Sequence[str]) -> set[str]:
    return {fold(name) for name in (row.id, row.name, row.name_native, *aliases) if name}


async def _edges(session: AsyncSession, far: Any, near: Any, firm_id: str, day: date) -> tuple[tuple[str, str, OwnershipKind], ...]:
    """The firms at the far end of a firm's edges that hold on a day, with the edge."""
    held = (
        select(Firm.id, Firm.name, Ownership.kind)
        .join(Ownership, far == Firm.id)
        .where(near == firm_id, *in_force(day))
        .order_by(Ownership.kind, Firm.name)
    )
    return tuple((other, name, OwnershipKind(kind)) for other, name, kind in await session.exec(held))


async def _alias_views(session: AsyncSession, firm_id: str, readers: set[str]) -> tuple[AliasView, ...]:
    """A firm's names, and how often texts had them; the strong first."""
    counted = select(Mention.surface, Mention.role, func.count()).where(col(Mention.firm_id).in_(readers))
    mentions: Counter[str] = Counter()
    targets: Counter[str] = Counter()
    for surface, role, count in await session.exec(counted.group_by(Mention.surface, Mention.role)):
        mentions[fold(surface)] += count
        targets[fold(surface)] += count if role is Role.TARGET else 0
    rows = await session.exec(select(Alias).where(Alias.firm_id == firm_id).order_by(Alias.strength, col(Alias.id)))
    return tuple(AliasView(row.text, row.kind, row.strength, mentions[row.folded], targets[row.folded]) for row in rows)
