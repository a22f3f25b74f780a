"""Loaders of views that several rooms need: actions, channels, subscriptions, coverage.

Each takes the session of a transaction that is under way and gives back frozen records. Questions, alerts,
digests and `why` all draw an action from `load_actions`, look at it through `facts`, and choose among stored
actions by `matching`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Table,
    and_,
    bindparam,
    case,
    exists,
    false,
    func,
    inspect,
    literal,
    not_,
    or_,
    true,
    union_all,
)
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.base import chunks
from storage.filters import ActionFacts, Filter, is_severe, since_date, until_date
from storage.models import (
    Action,
    ActionDocument,
    ActionFirm,
    ActionRegulator,
    Amount,
    Document,
    Evidence,
    Firm,
    Health,
    Kind,
    Mode,
    Ownership,
    OwnershipKind,
    Precision,
    Regulator,
    Role,
    Source,
    Tier,
)
from storage.records import PartialDate, SourceRow
from storage.tenancy import MUTED_WHOLE, Change, Channel, Mute, Subscription
from storage.views import (
    ActionFirmView,
    ActionView,
    AmountView,
    ChannelView,
    Coverage,
    DocumentView,
    EvidenceView,
    FirmMatch,
    RegulatorView,
    SourceProblem,
    SubscriptionView,
)

_ROLES = {role: place for place, role in enumerate(Role)}


def regulator_view(row: Regulator) -> RegulatorView:
    """A regulator as a card names it."""
    return RegulatorView(row.id, row.name, row.name_native, row.jurisdiction)


def firm_match(row: Firm, matched: str, score: float = 100.0) -> FirmMatch:
    """A firm as it is named in answers: Traditional Chinese first, each script once."""
    names_zh = tuple(dict.fromkeys(name for name in (row.name_zh_hant, row.name_zh_hans) if name))
    return FirmMatch(row.id, row.name, names_zh, tuple(row.tickers), matched, score)


async def load_actions(session: AsyncSession, ids: Sequence[int]) -> dict[int, ActionView]:
    """The views of these actions, in the order of the ids; an id that is no action's is left out."""
    found: dict[int, ActionView] = {}
    for some in chunks(ids):
        found.update(await _load_chunk(session, some))
    return found


def _c(table: type[SQLModel]) -> Any:
    """The columns of a table: rows of columns, of statements that are put together once, cost a third of the ORM's objects."""
    return cast(Table, inspect(table).local_table).c


_IDS: Any = bindparam("ids", expanding=True)
_ACTIONS = select(*_c(Action)).where(_c(Action).id.in_(_IDS))
_REGULATORS = (
    select(_c(ActionRegulator).action_id, *(_c(Regulator)[name] for name in ("id", "name", "name_native", "jurisdiction")))
    .join(Regulator, _c(Regulator).id == _c(ActionRegulator).regulator_id)
    .where(_c(ActionRegulator).action_id.in_(_IDS))
    .order_by(_c(ActionRegulator).is_first.desc(), _c(ActionRegulator).regulator_id)
)
_FIRMS = (
    select(
        *(_c(ActionFirm)[name] for name in ("action_id", "firm_id", "name", "surface", "role", "via", "brand_id")),
        *(_c(Firm)[name].label(f"own_{name}") for name in ("name", "name_zh_hans", "name_zh_hant")),
    )
    .join(Firm, _c(Firm).id == _c(ActionFirm).firm_id, isouter=True)
    .where(_c(ActionFirm).action_id.in_(_IDS))
    .order_by(_c(ActionFirm).id)
)
_AMOUNTS = (
    select(*(_c(Amount)[name] for name in ("action_id", "surface", "minimum", "maximum", "currency", "kind", "scope")))
    .where(_c(Amount).action_id.in_(_IDS))
    .order_by(_c(Amount).id)
)
_EVIDENCE = (
    select(*(_c(Evidence)[name] for name in ("action_id", "field", "text", "document_id")))
    .where(_c(Evidence).action_id.in_(_IDS))
    .order_by(_c(Evidence).id)
)
_TOLD: list[Any] = [
    _c(ActionDocument).action_id,
    *(_c(Document)[name] for name in ("id", "title", "url", "source_id")),
    _c(Regulator).name.label("publisher"),
    *(_c(Document)[name] for name in ("tier", "language", "number", "published_at", "published_precision", "first_seen_at")),
    case((_c(Regulator).id.is_(None), _c(Source).definition)).label("definition"),  # of the press, which has no regulator
]
_DOCUMENTS = (
    select(*_TOLD)
    .join(Document, _c(Document).id == _c(ActionDocument).document_id)
    .join(Source, _c(Source).id == _c(Document).source_id)
    .join(Regulator, _c(Regulator).id == _c(Document).regulator_id, isouter=True)
    .where(_c(ActionDocument).action_id.in_(_IDS))
)


async def _load_chunk(session: AsyncSession, ids: Sequence[int]) -> dict[int, ActionView]:
    asked = {"ids": list(ids)}
    actions = {row.id: row for row in await session.exec(_ACTIONS, params=asked)}
    regulators: dict[int, list[RegulatorView]] = defaultdict(list)
    for action_id, *regulator in await session.exec(_REGULATORS, params=asked):
        regulators[action_id].append(RegulatorView(*regulator))
    firms: dict[int, list[ActionFirmView]] = defaultdict(list)
    for row in await session.exec(_FIRMS, params=asked):
        zh = row.own_name_zh_hans or "", row.own_name_zh_hant or ""
        name = row.name if row.own_name is None else row.own_name
        firms[row.action_id].append(ActionFirmView(row.firm_id, name, *zh, row.surface, row.role, row.via, row.brand_id))
    amounts: dict[int, list[AmountView]] = defaultdict(list)
    for action_id, *amount in await session.exec(_AMOUNTS, params=asked):
        amounts[action_id].append(AmountView(*amount))
    documents: dict[int, list[DocumentView]] = defaultdict(list)
    for action_id, *values, definition in await session.exec(_DOCUMENTS, params=asked):
        document = DocumentView(*values)
        if definition is not None:
            document = replace(document, publisher=definition.get("content") or document.source_id)
        documents[action_id].append(document)
    quotes: dict[int, list[EvidenceView]] = defaultdict(list)
    for action_id, *evidence in await session.exec(_EVIDENCE, params=asked):
        quotes[action_id].append(EvidenceView(*evidence))
    return {
        action_id: _action_view(
            actions[action_id],
            tuple(regulators[action_id]),
            tuple(sorted(firms[action_id], key=lambda firm: _ROLES[firm.role])),
            tuple(amounts[action_id]),
            tuple(sorted(documents[action_id], key=_place)),
            quotes[action_id],
        )
        for action_id in ids
        if action_id in actions
    }


def _place(document: DocumentView) -> tuple[bool, datetime, int]:
    """Primary documents first, then by their date."""
    return document.tier is not Tier.PRIMARY, document.published_at or document.first_seen_at, document.id


def document_view(document: Document, source: Source, regulator: Regulator | None) -> DocumentView:
    """A document as a card links it."""
    publisher = regulator.name if regulator else source.definition.get("content") or source.id
    return DocumentView(
        id=_id(document.id),
        title=document.title,
        url=document.url,
        source_id=document.source_id,
        publisher=publisher,
        tier=document.tier,
        language=document.language,
        number=document.number,
        published_at=document.published_at,
        published_precision=document.published_precision,
        first_seen_at=document.first_seen_at,
    )


def _action_view(
    action: Any,
    regulators: tuple[RegulatorView, ...],
    firms: tuple[ActionFirmView, ...],
    amounts: tuple[AmountView, ...],
    documents: tuple[DocumentView, ...],
    evidence: Sequence[EvidenceView],
) -> ActionView:
    """From a row of `_ACTIONS` and what belongs to it."""
    decided = PartialDate(action.decided_on, action.decided_precision or Precision.DAY) if action.decided_on else None
    return ActionView(
        id=action.id,
        case_id=action.case_id,
        kind=action.kind,
        status=action.status,
        version=action.version,
        title=action.title,
        regulators=regulators,
        firms=firms,
        stated_count=action.stated_count,
        amounts=amounts,
        number=action.number,
        decided_on=decided,
        is_decided_inferred=action.is_decided_inferred,
        effective_on=action.effective_on,
        published_at=action.published_at,
        published_precision=action.published_precision,
        first_seen_at=action.first_seen_at,
        is_confirmed=action.is_confirmed,
        documents=documents,
        quote=_quote(documents, evidence),
    )


def _quote(documents: Sequence[DocumentView], evidence: Sequence[EvidenceView]) -> EvidenceView | None:
    """The words that a card shows: those behind the kind, in the best document that has any."""
    rank = {document.id: place for place, document in enumerate(documents)}
    return min(evidence, key=lambda one: (rank.get(one.document_id, len(rank)), one.field != "kind"), default=None)


def facts(view: ActionView, firm_id: str | None, today: date) -> ActionFacts:
    """What a filter looks at. `firm_id` is the firm or brand that is followed or asked about; None: any.

    An act is never dated after today: what is decided for next month is known now.
    """
    seen = (view.published_at or view.first_seen_at).date()
    return ActionFacts(
        kind=view.kind,
        status=view.status,
        regulator_ids=frozenset(regulator.id for regulator in view.regulators),
        countries=frozenset(regulator.jurisdiction for regulator in view.regulators),
        roles=frozenset(firm.role for firm in view.firms if firm_id is None or firm_id in (firm.firm_id, firm.brand_id)),
        amounts=tuple((amount.currency, amount.maximum) for amount in view.amounts),
        on=min(view.decided_on.value if view.decided_on else seen, today),
        languages=frozenset(document.language for document in view.documents),
    )


async def load_channel(session: AsyncSession, channel_id: int, now: datetime) -> ChannelView:
    """A channel with its settings. Raises KeyError for an id that is no channel's."""
    return (await load_channels(session, [channel_id], now))[channel_id]


async def load_channels(session: AsyncSession, ids: Collection[int], now: datetime) -> dict[int, ChannelView]:
    """These channels with their settings; an id that is no channel's is left out."""
    found: dict[int, ChannelView] = {}
    for some in chunks(ids):
        follow = select(Subscription.channel_id, func.count()).where(col(Subscription.channel_id).in_(some))
        counts = dict((await session.exec(follow.group_by(col(Subscription.channel_id)))).all())
        hushed = select(Mute.channel_id, Mute.until).where(col(Mute.channel_id).in_(some), Mute.key == MUTED_WHOLE, Mute.until > now)
        muted = dict((await session.exec(hushed)).all())
        rows = await session.exec(select(Channel).where(col(Channel.id).in_(some)))
        found |= {_id(row.id): _channel_view(row, counts.get(_id(row.id), 0), muted.get(_id(row.id))) for row in rows}
    return found


def _channel_view(row: Channel, subscriptions: int, muted_until: datetime | None) -> ChannelView:
    return ChannelView(
        id=_id(row.id),
        workspace_id=row.workspace_id,
        slack_id=row.slack_id,
        name=row.name,
        time_zone=row.time_zone,
        language=row.language,
        is_digest_on=row.is_digest_on,
        digest_at=row.digest_at,
        digest_days=row.digest_days,
        sends_empty_digest=row.sends_empty_digest,
        next_digest_at=row.next_digest_at,
        paused_reason=row.paused_reason,
        subscriptions=subscriptions,
        quiet_from=row.quiet_from,
        quiet_to=row.quiet_to,
        broadcast=row.broadcast,
        who_may_change=row.who_may_change,
        muted_until=muted_until,
    )


async def load_subscriptions(session: AsyncSession, channel_id: int, today: date) -> tuple[SubscriptionView, ...]:
    """What a channel follows, oldest first."""
    return (await load_rules(session, [channel_id], today))[channel_id]


async def load_rules(session: AsyncSession, ids: Collection[int], today: date) -> dict[int, tuple[SubscriptionView, ...]]:
    """What each of these channels follows, oldest first."""
    rows: list[tuple[Subscription, Firm | None, Regulator | None]] = []
    for some in chunks(ids):
        followed = (
            select(Subscription, Firm, Regulator)
            .join(Firm, col(Firm.id) == Subscription.firm_id, isouter=True)
            .join(Regulator, col(Regulator.id) == Subscription.regulator_id, isouter=True)
            .where(col(Subscription.channel_id).in_(some))
            .order_by(col(Subscription.id))
        )
        rows += (await session.exec(followed)).all()
    below = await load_below(session, {row.firm_id for row, _, _ in rows if row.firm_id}, today)
    edits = await _last_edits(session, {row.channel_id for row, _, _ in rows})
    found: dict[int, list[SubscriptionView]] = {channel_id: [] for channel_id in ids}
    for row, firm, regulator in rows:
        edit = edits.get((row.channel_id, row.key))
        found[row.channel_id].append(
            SubscriptionView(
                id=_id(row.id),
                followed=row.followed,
                firm=firm_match(firm, firm.name) if firm else None,
                regulator=regulator_view(regulator) if regulator else None,
                includes=tuple(f"{one.name} {one.name_zh_hant}".strip() for one in below.get(row.firm_id or "", ())),
                filter=Filter.parse(row.filter),
                broadcast=row.broadcast,
                deliver=row.deliver,
                created_by=row.created_by,
                created_at=row.created_at,
                changed_by=edit.made_by if edit else "",
                changed_at=edit.made_at if edit else None,
            )
        )
    return {channel_id: tuple(views) for channel_id, views in found.items()}


async def _last_edits(session: AsyncSession, ids: Collection[int]) -> dict[tuple[int, str], Change]:
    """The last edit of each rule since it was made, by its channel and key: an audit row of a rule begins with the key."""
    subjects = {f"channel:{channel_id}": channel_id for channel_id in ids}
    found: dict[tuple[int, str], Change] = {}
    for some in chunks(subjects):
        said = select(Change).where(col(Change.subject).in_(some), col(Change.what).in_(("subscribed", "edited")))
        for row in await session.exec(said.order_by(col(Change.id))):
            key = (subjects[row.subject], row.after.split(" ", 1)[0])
            if row.what == "edited":
                found[key] = row
            else:
                found.pop(key, None)  # what was edited was taken away since, and is followed anew
    return found


def in_force(day: date) -> Any:
    """The condition that an edge holds on a day."""
    return (
        or_(col(Ownership.from_on).is_(None), col(Ownership.from_on) <= day),
        or_(col(Ownership.to_on).is_(None), col(Ownership.to_on) >= day),
    )


async def load_below(session: AsyncSession, firm_ids: Collection[str], day: date) -> dict[str, tuple[Firm, ...]]:
    """For each firm, what belongs to it on a day, at any depth: companies before brands, by name."""
    parents: dict[str, set[str]] = {firm_id: {firm_id} for firm_id in firm_ids}  # a firm -> those asked about above it
    firms: dict[str, Firm] = {}
    level = set(firm_ids)
    while level:
        edges = select(Ownership.parent_id, Firm).join(Firm, col(Firm.id) == Ownership.child_id)
        held = edges.where(col(Ownership.parent_id).in_(level), col(Ownership.kind) != OwnershipKind.SUCCESSOR_OF, *in_force(day))
        level = set()
        for parent, child in await session.exec(held):
            above = parents.setdefault(child.id, set())
            if not parents[parent] <= above:
                above |= parents[parent]
                firms[child.id] = child
                level.add(child.id)
    found: dict[str, list[Firm]] = defaultdict(list)
    for firm in sorted(firms.values(), key=lambda one: (one.kind == "brand", one.name.casefold())):
        for firm_id in parents[firm.id] - {firm.id}:
            found[firm_id].append(firm)
    return {firm_id: tuple(children) for firm_id, children in found.items() if firm_id in firm_ids}


async def load_coverage(session: AsyncSession, filter: Filter, now: datetime) -> Coverage:
    """How many polled sources are fresh, of those that `regulator:` and `country:` of the filter leave in.

    The press, which has no regulator, is left in by any filter that asks for none.
    """
    counted, doubtful = _polled(Filter(tuple(term for term in filter.terms if term.key in ("regulator", "country"))))
    total = (await session.exec(counted)).one()[0]
    rows = await session.exec(doubtful, params={"now": now})
    problems = [problem for row in rows if (problem := _problem(row, now))]
    return Coverage(total, total - len(problems), tuple(problems))


@lru_cache(maxsize=64)
def _polled(filter: Filter) -> tuple[Any, Any]:
    """What counts the polled sources that a filter leaves in, and what brings those that may not be fresh at `now`."""
    source, regulator = _c(Source), _c(Regulator)
    of_regulator = regulator.id == source.regulator_id
    polled = (
        source.is_enabled,
        source.mode != Mode.OFF,
        *_leaves_in(filter, "regulator", source.regulator_id),
        *_leaves_in(filter, "country", regulator.jurisdiction),
    )
    counted = select(func.count(), literal(0)).select_from(Source).join(Regulator, of_regulator, isouter=True).where(*polled)
    # one that was well read and is not due yet is fresh; only the others are looked at
    is_settled = and_(source.health == Health.OK, source.last_ok_at.is_not(None), source.next_poll_at >= bindparam("now"))
    names = "id", "is_enabled", "mode", "health", "health_since", "health_detail", "last_ok_at", "last_polled_at", "next_poll_at"
    columns = *(source[name] for name in (*names, "poll_minutes", "definition")), regulator.name, regulator.aliases
    doubtful = select(*columns).select_from(Source).join(Regulator, of_regulator, isouter=True).where(*polled, not_(is_settled))
    return counted, doubtful.order_by(source.regulator_id, source.id)


def _leaves_in(filter: Filter, key: str, column: Any) -> list[ColumnElement[bool]]:
    """What a key of the filter demands of a source; one without a regulator is left in only by what demands none."""
    value = func.coalesce(column, "")
    allowed = filter.values(key)
    excluded = [one for term in filter.terms if term.key == key and term.is_negated for one in term.values]
    return [*([value.in_(allowed)] if allowed else []), *([value.not_in(excluded)] if excluded else [])]


def is_fresh(source: Any, now: datetime) -> bool:
    """Whether a source (its row, or as much of it as is looked at) was well read, and is not behind the time planned for its
    next read by more than an interval.

    The plan may stretch a wait over twice the interval: at hours when the source is known to publish little, or when it
    asked us to wait (max-age).
    """
    if not source.is_enabled or source.mode is Mode.OFF or source.health is not Health.OK or source.last_ok_at is None:
        return False
    interval = timedelta(minutes=source.poll_minutes)
    return bool(now <= max(source.last_ok_at + 2 * interval, source.next_poll_at + interval))


def _problem(source: Any, now: datetime) -> SourceProblem | None:
    """From a row of `_polled`."""
    if is_fresh(source, now):
        return None
    name = source.definition.get("content") or source.id if source.name is None else _short_name(source)
    if source.last_polled_at is None:
        return SourceProblem(source.id, name, source.health, None, "not polled yet")
    if source.health is Health.OK:
        return SourceProblem(source.id, name, Health.LATE, source.last_ok_at, "its next read is overdue by more than its interval")
    return SourceProblem(source.id, name, source.health, source.health_since, source.health_detail)


def _short_name(regulator: Any) -> str:
    """The acronym that people use, where the regulator has one of its own."""
    acronyms = [alias for alias in regulator.aliases if alias.isascii() and alias.isupper() and len(alias) <= 8]
    return str(min(acronyms, key=len, default=regulator.name))


def matching(firm_id: str | None, filter: Filter, today: date) -> ColumnElement[bool]:
    """The condition on an action that it has the firm (or brand) and passes the filter.

    It says what `Filter.passes` says, in SQL, so that counting and paging load no row that is not shown; a test
    holds the two against each other.
    """
    if firm_id is not None:
        return col(Action.id).in_(select(passing(firm_id, filter, today).subquery().c.action_id))
    return and_(true(), *_conditions(filter, filter.keys(), today, col(Action.acted_on)))


_OF_BRAND = select(_c(ActionFirm).action_id, literal(1)).where(_c(ActionFirm).brand_id == bindparam("firm_id")).limit(1)


async def is_brand_hit(session: AsyncSession, firm_id: str | None) -> bool:
    """Whether any action hit this firm as a brand: what `passing` must know."""
    return firm_id is not None and (await session.exec(_OF_BRAND, params={"firm_id": firm_id})).first() is not None


def passing(firm_id: str | ColumnElement[str] | None, filter: Filter, today: date, *, is_brand: bool = True) -> Select[Any]:
    """What selects what `matching` lets through, one row an action: `action_id`, `acted_on`, and whether the firm is
    `is_target` or `is_group` in it (0 or 1; 0 without a firm).

    A firm's actions are read from its index in the order of their days; the action itself is looked at only for what the
    index does not hold. Only where a brand was hit is there a second index to read, and all of it to be sorted: `is_brand`
    False says that none was.
    """
    if firm_id is None:
        no = literal(0)
        own: tuple[Any, ...] = col(Action.id).label("action_id"), col(Action.acted_on), no.label("is_target"), no.label("is_group")
        every: Select[Any] = select(*own).where(matching(None, filter, today))
        return every
    allowed = filter.values("role")
    excluded = [value for term in filter.terms if term.key == "role" and term.is_negated for value in term.values]
    counted = {Role.TARGET, Role.GROUP}
    rows = []
    for place in (col(ActionFirm.firm_id), col(ActionFirm.brand_id))[: 2 if is_brand else 1]:
        row: Any = select(ActionFirm.action_id, ActionFirm.acted_on, ActionFirm.role)
        row = row.where(place == firm_id, *_conditions(filter, filter.keys() & {"since", "until"}, today, col(ActionFirm.acted_on)))
        if allowed:
            row = row.where(col(ActionFirm.role).in_(sorted({*allowed, *excluded, *counted})))
        rows.append(row)
    hit = union_all(*rows).subquery() if is_brand else rows[0].subquery()
    found: Any = select(
        hit.c.action_id,
        hit.c.acted_on,
        _is_any(hit.c.role, [Role.TARGET]).label("is_target"),
        _is_any(hit.c.role, [Role.GROUP]).label("is_group"),
    ).group_by(hit.c.acted_on, hit.c.action_id)
    on_action = _conditions(filter, filter.keys() - {"since", "until", "role"}, today, hit.c.acted_on)
    if on_action:
        found = found.join(Action, col(Action.id) == hit.c.action_id).where(*on_action)
    if allowed and not counted <= set(allowed):
        found = found.having(_is_any(hit.c.role, allowed) == 1)
    if excluded:
        found = found.having(_is_any(hit.c.role, excluded) == 0)
    chosen: Select[Any] = found
    return chosen


def _is_any(role: ColumnElement[Any], values: Sequence[str]) -> ColumnElement[int]:
    """1 when a row of the group has one of these roles, else 0."""
    return func.max(case((role.in_(values), 1), else_=0), type_=Integer())


def _conditions(filter: Filter, keys: frozenset[str], today: date, acted_on: Any) -> list[ColumnElement[bool]]:
    """What these keys of a filter demand of an action, whose day is in this column."""
    parts: list[ColumnElement[bool]] = []
    for key in sorted(keys - {"limit"}):
        allowed = [_holds(key, value, today, acted_on) for value in filter.values(key)]
        excluded = [value for term in filter.terms if term.key == key and term.is_negated for value in term.values]
        if allowed:
            parts.append(or_(*allowed))
        parts += [not_(_holds(key, value, today, acted_on)) for value in excluded]
    return parts


async def newest(session: AsyncSession, wanted: ColumnElement[bool], limit: int | None, offset: int = 0) -> list[int]:
    """The ids of the actions that meet a condition, the newest by their own date first; all of them for limit None."""
    listed = select(Action.id).where(wanted).order_by(col(Action.acted_on).desc(), col(Action.id).desc()).limit(limit).offset(offset)
    return [one for one in await session.exec(listed) if one is not None]


async def count_matching(session: AsyncSession, wanted: ColumnElement[bool]) -> int:
    """How many actions meet a condition."""
    return (await session.exec(select(func.count()).select_from(Action).where(wanted))).one()


def _has_amount(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(col(Amount.action_id) == Action.id, *conditions)


def _holds(key: str, value: str, today: date, acted_on: Any) -> ColumnElement[bool]:
    """What `filters._holds` says, of a row. An act is never dated after today: what is decided for next month is known now."""
    match key:
        case "kind":
            return col(Action.kind) == value
        case "status":
            return col(Action.status) == value
        case "severity":
            return col(Action.kind).in_([kind for kind in Kind if is_severe(value, kind)])
        case "role":
            return exists().where(col(ActionFirm.action_id) == Action.id, col(ActionFirm.role) == value)
        case "regulator":
            return exists().where(col(ActionRegulator.action_id) == Action.id, col(ActionRegulator.regulator_id) == value)
        case "country":
            own = col(ActionRegulator.action_id) == Action.id, col(ActionRegulator.regulator_id) == Regulator.id
            return exists().where(*own, col(Regulator.jurisdiction) == value)
        case "lang":
            told = col(ActionDocument.action_id) == Action.id, col(ActionDocument.document_id) == Document.id
            language = col(Document.language)
            return exists().where(*told, or_(language == value, language.startswith(f"{value}-", autoescape=True)))
        case "currency":
            return _has_amount(col(Amount.currency) == value)
        case "min":
            own_currency, least = col(Amount.currency) == value[:3], Decimal(value[3:])
            other = or_(col(Amount.currency).is_(None), col(Amount.currency) != value[:3])
            return or_(not_(_has_amount(own_currency)), _has_amount(other), _has_amount(own_currency, col(Amount.maximum) >= least))
        case "since":
            day = since_date(value, today)
            return acted_on >= day if day <= today else false()
        case "until":
            day = until_date(value, today)
            return acted_on <= day if day < today else true()
    raise ValueError(f"no filter key {key!r}")


def _id(value: int | None) -> int:
    """The id of a row that was loaded, so that it has one."""
    assert value is not None  # noqa: S101
    return value


def source_row(row: Source) -> SourceRow:
    """A source as it is defined."""
    return SourceRow(
        id=row.id,
        regulator_id=row.regulator_id,
        url=row.url,
        kind=row.kind,
        tier=row.tier,
        language=row.language,
        is_enabled=row.is_enabled,
        off_reason=row.off_reason,
        is_proved=row.is_proved,
        poll_minutes=row.poll_minutes,
        stale_after_days=row.stale_after_days,
        min_entries=row.min_entries,
        definition=dict(row.definition),
    )
