"""An action while one poll works on it: what it was on record, what it is now, and the rows that this makes; and in which order
the entries of a poll tell of actions.

Plain objects, because a first poll may bring hundreds: table rows are ten times as slow to build and change.
`casebook` fills them, lets documents tell them things, and writes them down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from sqlmodel import SQLModel

from storage.joining import (
    Money,
    Shape,
    State,
    Title,
    day_of,
    firm_key,
    penalties,
    shape_of,
    title_of,
)
from storage.models import Action, Amount, Precision, Role, Tier
from storage.records import EntryRecord, FoundAction, FoundFirm, PartialDate

_RANKS = {role: rank for rank, role in enumerate(Role)}


def oldest_first(entries: Sequence[EntryRecord]) -> list[EntryRecord]:
    """The entries of one poll, given as their source lists them, in the order in which they were published.

    Lists begin with the newest, but for those whose dates rise; so are entries of one date, and those without, which come last.
    """
    dates = [one.published_at for one in entries if one.published_at]
    steps = list(pairwise(dates))
    is_rising = sum(one < two for one, two in steps) > sum(one > two for one, two in steps)
    listed = entries if is_rising else entries[::-1]
    return sorted(listed, key=lambda one: (one.published_at is None, one.published_at or datetime.max.replace(tzinfo=UTC)))


@dataclass(frozen=True, slots=True)
class Telling:
    """A document that is being read for the first time, or again."""

    document_id: int
    entry: EntryRecord
    tier: Tier
    regulator_id: str | None  # the source's
    is_reread: bool = False  # its text is the one that was read before

    @property
    def is_edit(self) -> bool:
        """Whether the document was known before."""
        return self.entry.document_id is not None


@dataclass(slots=True)
class Paper:
    """A document as its action sees it."""

    id: int
    tier: Tier
    title: Title


@dataclass(slots=True)
class CaseDraft:
    """The case of some actions; `id` None: it is new."""

    id: int | None
    number: str | None
    number_before: str | None = None


@dataclass(slots=True)
class Listed:
    """A firm on an action's list; `id` None: it is new there."""

    id: int | None
    firm_id: str | None
    name: str
    surface: str
    role: Role
    via: str | None
    brand_id: str | None
    rule: str
    document_id: int
    is_changed: bool = False


@dataclass(slots=True)
class Draft:
    """An action at work; `id` and `before` (what readers saw so far) are None while it is new."""

    id: int | None
    case: CaseDraft
    state: State
    title: str
    number: str | None
    published_at: datetime | None
    published_precision: Precision | None
    first_seen_at: datetime
    case_reason: str = ""
    version: int = 1
    before: State | None = None
    names_before: tuple[str, ...] = ()
    row_before: dict[str, Any] = field(default_factory=dict)
    regulators: list[str] = field(default_factory=list)
    firms: list[Listed] = field(default_factory=list)
    papers: dict[int, Paper] = field(default_factory=dict)
    added: list[tuple[type[SQLModel], dict[str, Any]]] = field(default_factory=list)  # rows that still need the action's id
    reread: set[int] = field(default_factory=set)  # documents whose old evidence goes
    dropped: list[int] = field(default_factory=list)  # ids of ActionFirm rows that go
    waivers: list[str] = field(default_factory=list)  # of the documents that told of it in this poll
    aside: list[str] = field(default_factory=list)  # of those that told of another act, which changed the status of this one
    is_escalation: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The targets, as a reader sees them: a brand by its own name."""
        return tuple(dict.fromkeys(firm.surface if firm.brand_id else firm.name for firm in self.firms if firm.role is Role.TARGET))

    @property
    def keys(self) -> frozenset[str]:
        """What a subscription may follow in it: its firms, the brands that were hit, its regulators."""
        firms = {f"firm:{one}" for firm in self.firms for one in (firm.firm_id, firm.brand_id) if one}
        return frozenset(firms | {f"regulator:{body}" for body in self.regulators})

    @property
    def shape(self) -> Shape:
        state = self.state
        return Shape(
            kind=state.kind,
            regulators=frozenset(self.regulators),
            number=self.number,
            on=day_of(state.decided_on, self.published_at, self.published_precision),
            targets={firm_key(firm.firm_id, firm.name): firm.brand_id for firm in self.firms if firm.role is Role.TARGET},
            stated_count=state.stated_count,
            titles=tuple(paper.title for paper in self.papers.values()),
            sums=penalties((one.kind, one.maximum, one.currency, one.scope) for one in state.amounts),
        )

    @property
    def best_paper(self) -> int:
        """The document that decides: official before press, then the one known first."""
        return min(self.papers.values(), key=lambda paper: (paper.tier is not Tier.PRIMARY, paper.id)).id

    @property
    def row(self) -> dict[str, Any]:
        """The action's row as it is now."""
        state = self.state
        return {
            "case_id": self.case.id,
            "case_reason": self.case_reason,
            "kind": state.kind,
            "status": state.status,
            "version": self.version,
            "title": self.title,
            "stated_count": state.stated_count,
            "number": self.number,
            "decided_on": state.decided_on.value if state.decided_on else None,
            "decided_precision": state.decided_on.precision if state.decided_on else None,
            "is_decided_inferred": state.is_decided_inferred,
            "effective_on": state.effective_on,
            "published_at": self.published_at,
            "published_precision": self.published_precision,
            "first_seen_at": self.first_seen_at,
            "is_confirmed": state.is_confirmed,
        }


def list_firm(draft: Draft, found: FoundFirm, document_id: int) -> None:
    """Put a firm on the action's list, or strengthen what the list says of it."""
    for firm in draft.firms:
        is_same = firm.firm_id == found.firm_id if firm.firm_id and found.firm_id else firm.name == found.name
        if not is_same or firm.brand_id != found.brand_id:
            continue
        if found.firm_id and not firm.firm_id:
            firm.firm_id, firm.is_changed = found.firm_id, True
        if _RANKS[found.role] < _RANKS[firm.role]:
            firm.role, firm.via, firm.rule, firm.surface = found.role, found.via, found.rule, found.surface
            firm.is_changed = True
        return
    draft.firms.append(
        Listed(None, found.firm_id, found.name, found.surface, found.role, found.via, found.brand_id, found.rule, document_id)
    )


def shape_told(telling: Telling, found: FoundAction) -> Shape:
    entry = telling.entry
    return shape_of(
        found,
        title=title_of(entry.title, entry.language, telling.tier),
        published_at=entry.published_at,
        precision=entry.published_precision,
        regulator_id=telling.regulator_id,
    )


def paper_told(telling: Telling) -> Paper:
    return Paper(telling.document_id, telling.tier, title_of(telling.entry.title, telling.entry.language, telling.tier))


def state_told(telling: Telling, found: FoundAction) -> State:
    return State(
        kind=found.kind,
        status=found.status,
        stated_count=found.stated_count,
        decided_on=found.decided_on,
        is_decided_inferred=found.is_decided_inferred,
        effective_on=found.effective_on,
        amounts=tuple(
            Money(one.surface, one.minimum, one.maximum, one.currency, one.kind, one.scope, telling.document_id) for one in found.amounts
        ),
        is_confirmed=telling.tier is Tier.PRIMARY,
    )


def money_of(row: Amount) -> Money:
    return Money(row.surface, row.minimum, row.maximum, row.currency, row.kind, row.scope, row.document_id)


def draft_of(row: Action, case: CaseDraft, amounts: tuple[Money, ...]) -> Draft:
    """An action on record, not yet with its firms and documents."""
    state = State(
        kind=row.kind,
        status=row.status,
        stated_count=row.stated_count,
        decided_on=PartialDate(row.decided_on, row.decided_precision or Precision.DAY) if row.decided_on else None,
        is_decided_inferred=row.is_decided_inferred,
        effective_on=row.effective_on,
        amounts=amounts,
        is_confirmed=row.is_confirmed,
    )
    return Draft(
        id=row.id,
        case=case,
        state=state,
        title=row.title,
        number=row.number,
        published_at=row.published_at,
        published_precision=row.published_precision,
        first_seen_at=row.first_seen_at,
        case_reason=row.case_reason,
        version=row.version,
    )


def firm_row(draft: Draft, firm: Listed) -> dict[str, Any]:
    return {
        "action_id": draft.id,
        "firm_id": firm.firm_id,
        "name": firm.name,
        "surface": firm.surface,
        "role": firm.role,
        "via": firm.via,
        "brand_id": firm.brand_id,
        "rule": firm.rule,
        "document_id": firm.document_id,
        "first_seen_at": draft.first_seen_at,
    }


def amount_row(action_id: int, money: Money) -> dict[str, Any]:
    return {
        "action_id": action_id,
        "document_id": money.document_id,
        "surface": money.surface,
        "minimum": money.minimum,
        "maximum": money.maximum,
        "currency": money.currency,
        "kind": money.kind,
        "scope": money.scope,
    }


def known_id(value: int | None) -> int:
    assert value is not None  # noqa: S101  # of a row that is written, or was loaded
    return value
