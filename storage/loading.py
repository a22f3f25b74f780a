"""Loaders of views that several rooms need: actions, channels, subscriptions, coverage.

Each takes the session of a transaction that is under way and gives back frozen records. Questions, alerts,
digests and `why` all draw an action from `load_actions`, look at it through `facts`, and choose among stored
actions by `matching`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, func, not_, or_, true
from sqlmodel import col, select
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

_CHUNK = 500  # of ids in one statement


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
    for start in range(0, len(ids), _CHUNK):
        found.update(await _load_chunk(session, ids[start : start + _CHUNK]))
    return found


async def _load_chunk(session: AsyncSession, ids: Sequence[int]) -> dict[int, ActionView]:
    actions = {row.id: row for row in await session.exec(select(Action).where(col(Action.id).in_(ids)))}
    regulators: dict[int, list[RegulatorView]] = defaultdict(list)
    acting = (
        select(ActionRegulator.action_id, Regulator)
        .join(Regulator, col(Regulator.id) == ActionRegulator.regulator_id)
        .where(col(ActionRegulator.action_id).in_(ids))
        .order_by(col(ActionRegulator.is_first).desc(), ActionRegulator.regulator_id)
    )
    for action_id, regulator in await session.exec(acting):
        regulators[action_id].append(regulator_view(regulator))
    firms: dict[int, list[ActionFirmView]] = defaultdict(list)
    named = (
        select(ActionFirm, Firm)
        .join(Firm, col(Firm.id) == ActionFirm.firm_id, isouter=True)
        .where(col(ActionFirm.action_id).in_(ids))
        .order_by(col(ActionFirm.id))
    )
    for row, firm in await session.exec(named):
        firms[row.action_id].append(_action_firm(row, firm))
    amounts: dict[int, list[AmountView]] = defaultdict(list)
    for amount in await session.exec(select(Amount).where(col(Amount.action_id).in_(ids)).order_by(col(Amount.id))):
        amounts[amount.action_id].append(
            AmountView(amount.surface, amount.minimum, amount.maximum, amount.currency, amount.kind, amount.scope)
        )
    documents = await _load_documents(session, ids)
    quotes: dict[int, list[Evidence]] = defaultdict(list)
    for evidence in await session.exec(select(Evidence).where(col(Evidence.action_id).in_(ids)).order_by(col(Evidence.id))):
        quotes[evidence.action_id].append(evidence)
    return {
        action_id: _action_view(
            actions[action_id],
            tuple(regulators[action_id]),
            tuple(sorted(firms[action_id], key=lambda firm: list(Role).index(firm.role))),
            tuple(amounts[action_id]),
            documents[action_id],
            quotes[action_id],
        )
        for action_id in ids
        if action_id in actions
    }


def _action_firm(row: ActionFirm, firm: Firm | None) -> ActionFirmView:
    zh = (firm.name_zh_hans, firm.name_zh_hant) if firm else ("", "")
    return ActionFirmView(row.firm_id, firm.name if firm else row.name, *zh, row.surface, row.role, row.via, row.brand_id)


async def _load_documents(session: AsyncSession, ids: Sequence[int]) -> dict[int, tuple[DocumentView, ...]]:
    """Of each action: primary documents first, then by their date."""
    told = (
        select(ActionDocument.action_id, Document, Source, Regulator)
        .join(Document, col(Document.id) == ActionDocument.document_id)
        .join(Source, col(Source.id) == Document.source_id)
        .join(Regulator, col(Regulator.id) == Document.regulator_id, isouter=True)
        .where(col(ActionDocument.action_id).in_(ids))
    )
    found: dict[int, list[DocumentView]] = defaultdict(list)
    for action_id, document, source, regulator in await session.exec(told):
        found[action_id].append(_document_view(document, source, regulator))
    return defaultdict(
        tuple,
        {
            action_id: tuple(
                sorted(documents, key=lambda one: (one.tier is not Tier.PRIMARY, one.published_at or one.first_seen_at, one.id))
            )
            for action_id, documents in found.items()
        },
    )


def _document_view(document: Document, source: Source, regulator: Regulator | None) -> DocumentView:
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
    action: Action,
    regulators: tuple[RegulatorView, ...],
    firms: tuple[ActionFirmView, ...],
    amounts: tuple[AmountView, ...],
    documents: tuple[DocumentView, ...],
    evidence: Sequence[Evidence],
) -> ActionView:
    decided = PartialDate(action.decided_on, action.decided_precision or Precision.DAY) if action.decided_on else None
    return ActionView(
        id=_id(action.id),
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


def _quote(documents: Sequence[DocumentView], evidence: Sequence[Evidence]) -> EvidenceView | None:
    """The words that a card shows: those behind the kind, in the best document that has any."""
    rank = {document.id: place for place, document in enumerate(documents)}
    best = min(evidence, key=lambda one: (rank.get(one.document_id, len(rank)), one.field != "kind"), default=None)
    return EvidenceView(best.field, best.text, best.document_id) if best else None


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
    polled = (
        select(Source, Regulator)
        .join(Regulator, col(Regulator.id) == Source.regulator_id, isouter=True)
        .where(col(Source.is_enabled), col(Source.mode) != Mode.OFF)
        .order_by(Source.regulator_id, Source.id)
    )
    total, problems = 0, []
    for source, regulator in await session.exec(polled):
        if not (
            _leaves_in(filter, "regulator", regulator.id if regulator else "")
            and _leaves_in(filter, "country", regulator.jurisdiction if regulator else "")
        ):
            continue
        total += 1
        problem = _problem(source, regulator, now)
        if problem:
            problems.append(problem)
    return Coverage(total, total - len(problems), tuple(problems))


def _leaves_in(filter: Filter, key: str, value: str) -> bool:
    allowed = filter.values(key)
    excluded = {one for term in filter.terms if term.key == key and term.is_negated for one in term.values}
    return value not in excluded and (not allowed or value in allowed)


def is_fresh(source: Source, now: datetime) -> bool:
    """Whether a source was well read, and is not behind the time planned for its next read by more than an interval.

    The plan may stretch a wait over twice the interval: at hours when the source is known to publish little, or when it
    asked us to wait (max-age).
    """
    if not source.is_enabled or source.mode is Mode.OFF or source.health is not Health.OK or source.last_ok_at is None:
        return False
    interval = timedelta(minutes=source.poll_minutes)
    return now <= max(source.last_ok_at + 2 * interval, source.next_poll_at + interval)


def _problem(source: Source, regulator: Regulator | None, now: datetime) -> SourceProblem | None:
    if is_fresh(source, now):
        return None
    name = _short_name(regulator) if regulator else source.definition.get("content") or source.id
    if source.last_polled_at is None:
        return SourceProblem(source.id, name, source.health, None, "not polled yet")
    if source.health is Health.OK:
        return SourceProblem(source.id, name, Health.LATE, source.last_ok_at, "its next read is overdue by more than its interval")
    return SourceProblem(source.id, name, source.health, source.health_since, source.health_detail)


def _short_name(regulator: Regulator) -> str:
    """The acronym that people use, where the regulator has one of its own."""
    acronyms = [alias for alias in regulator.aliases if alias.isascii() and alias.isupper() and len(alias) <= 8]
    return min(acronyms, key=len, default=regulator.name)


def matching(firm_id: str | None, filter: Filter, today: date) -> ColumnElement[bool]:
    """The condition on an action that it has the firm (or brand) and passes the filter.

    It says what `Filter.passes` says, in SQL, so that counting and paging load no row that is not shown; a test
    holds the two against each other.
    """
    parts = [has_firm(firm_id)] if firm_id is not None else []
    for key in sorted(filter.keys() - {"limit"}):
        allowed = [_holds(key, value, firm_id, today) for value in filter.values(key)]
        excluded = [value for term in filter.terms if term.key == key and term.is_negated for value in term.values]
        if allowed:
            parts.append(or_(*allowed))
        parts += [not_(_holds(key, value, firm_id, today)) for value in excluded]
    return and_(true(), *parts)


async def newest(session: AsyncSession, wanted: ColumnElement[bool], limit: int | None, offset: int = 0) -> list[int]:
    """The ids of the actions that meet a condition, the newest by their own date first; all of them for limit None."""
    listed = select(Action.id).where(wanted).order_by(_on().desc(), col(Action.id).desc()).limit(limit).offset(offset)
    return [one for one in await session.exec(listed) if one is not None]


async def count_matching(session: AsyncSession, wanted: ColumnElement[bool]) -> int:
    """How many actions meet a condition."""
    return (await session.exec(select(func.count()).select_from(Action).where(wanted))).one()


def _on() -> ColumnElement[Any]:
    """The day of an action: decided, else published, else first seen."""
    return func.coalesce(Action.decided_on, func.date(Action.published_at), func.date(Action.first_seen_at))


def _is_since(day: date) -> ColumnElement[bool]:
    """The day of an action is this one or later, in UTC whatever the zone of the database."""
    seen = func.coalesce(Action.published_at, Action.first_seen_at)
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    is_decided = col(Action.decided_on).is_not(None)  # spelled out: the comparison with NULL would make its negation NULL
    return or_(and_(is_decided, col(Action.decided_on) >= day), and_(not_(is_decided), seen >= start))


def has_firm(firm_id: str | None, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """An action has a row of this firm or brand (of any, for None) that meets the conditions."""
    if firm_id is None:
        return exists().where(col(ActionFirm.action_id) == Action.id, *conditions)
    is_hit = or_(col(ActionFirm.firm_id) == firm_id, col(ActionFirm.brand_id) == firm_id)
    return col(Action.id).in_(select(ActionFirm.action_id).where(is_hit, *conditions))  # by the firm's index, not by all actions


def _has_amount(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(col(Amount.action_id) == Action.id, *conditions)


def _holds(key: str, value: str, firm_id: str | None, today: date) -> ColumnElement[bool]:
    """What `records._holds` says, of a row."""
    match key:
        case "kind":
            return col(Action.kind) == value
        case "status":
            return col(Action.status) == value
        case "severity":
            return col(Action.kind).in_([kind for kind in Kind if is_severe(value, kind)])
        case "role":
            return has_firm(firm_id, col(ActionFirm.role) == value)
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
            return _is_since(day) if day <= today else false()
        case "until":
            day = until_date(value, today)
            return not_(_is_since(day + timedelta(days=1))) if day < today else true()
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
