"""Answers in figures: sums, time lines, exports. None of them writes. What passes a filter, `loading.passing` says.

Money is added by the database as whole cents, which are exact on both: SQLite keeps a sum of money as a float. Only sums
so large that many of them would overflow (`_LARGE`) are added here, one by one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Date, Select, Subquery, and_, case, cast, exists, extract, func, literal, not_, or_
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.base import Base
from storage.filters import NO_FILTER, Filter, Term
from storage.intents import ChannelKey
from storage.loading import is_brand_hit, load_actions, load_coverage, passing
from storage.models import Action, ActionFirm, ActionRegulator, Amount, AmountKind, AmountScope, Firm, Kind, Regulator, Role
from storage.records import action_ref
from storage.tenancy import Change, Channel, Correction, Delivery, Mute, Review
from storage.views import ActionView, ExportRow, SumView, TimelinePoint, TimelineView, TotalsRow, TotalsView

PENALTIES = (Kind.FINE, Kind.CONFISCATION, Kind.SETTLEMENT, Kind.CONSENT_ORDER, Kind.PROPOSED_PENALTY)
"""The kinds of action that a total of money speaks of."""
STAGES = (AmountKind.PROPOSED, AmountKind.IMPOSED, AmountKind.FINAL, AmountKind.REDUCED, AmountKind.COLLECTED)
"""The kinds of sums that are penalties."""

_STEPS = 40
_POINTS = 300
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_LARGE = 10**10
_SLICE = 100  # of actions that an export loads in one go: the event loop is ours only between two


class FigureStore(Base):
    """Totals, time lines, exports."""

    async def totals(self, firm_id: str | None, by: str = "", filter: Filter = NO_FILTER) -> TotalsView:
        """The penalties of a firm (or brand; None: of all), added by currency and stage, in groups: year, regulator, kind."""
        now = self._now()
        async with self._read() as session:
            wanted = await _wanted(session, firm_id, filter, now.date())
            rows = await _groups(session, wanted, by, firm_id)
            # an action is in one year and of one kind, but may be of several regulators
            whole = _together(rows) if by in ("year", "kind") else (await _groups(session, wanted, "", firm_id))[0]
            coverage = await load_coverage(session, filter, now)
        rows.sort(key=lambda row: (-int(row.label), 0, "") if by == "year" else (0, -row.actions, row.label))
        return TotalsView(by, whole, tuple(rows) if by else (), coverage)

    async def timeline(self, firm_id: str | None, filter: Filter = NO_FILTER) -> TimelineView:
        """When actions fell, in the finest steps of time that need no more than forty."""
        now = self._now()
        today = now.date()
        async with self._read() as session:
            wanted = await _wanted(session, firm_id, filter, today)
            year, month = extract("year", wanted.c.acted_on), extract("month", wanted.c.acted_on)
            counted: Any = select(year, month, func.count()).select_from(wanted).group_by(year, month)
            months = {int(year) * 12 + int(month) - 1: count for year, month, count in await session.exec(counted)}
            rows = await _found(session, firm_id, filter, today)  # not `wanted`: its order is the index's, and stops at the last point
            newest = rows.order_by(rows.selected_columns.acted_on.desc(), rows.selected_columns.action_id.desc()).limit(_POINTS).subquery()
            drawn: Any = select(newest.c.action_id, newest.c.acted_on, Action.kind, Action.status)
            drawn = drawn.join(Action, col(Action.id) == newest.c.action_id)
            points = [TimelinePoint(id_, min(day, today), kind, status) for id_, day, kind, status in await session.exec(drawn)]
            points.sort(key=lambda point: (point.on, point.action_id), reverse=True)
            coverage = await load_coverage(session, filter, now)
        unit, steps = _steps(months, today)
        return TimelineView(unit, steps, tuple(points), sum(months.values()), coverage)

    async def export_firm(self, firm_id: str, since: date | None = None) -> tuple[ExportRow, ...]:
        """All actions with the firm in any role, oldest first; `since` by the action's own day. The detail is the firm's role."""
        asked = Filter((Term("since", (since.isoformat(),)),)) if since else NO_FILTER
        async with self._read() as session:
            wanted = await _wanted(session, firm_id, asked, self._now().date())
            listed: Any = select(wanted.c.action_id, wanted.c.day_known).order_by(wanted.c.day_known, wanted.c.action_id)
            views = await _views(session, [row[0] for row in await session.exec(listed)])
        return tuple(
            _row(view.published_at or view.first_seen_at, "action", action=view, detail=_roles(view, firm_id)) for view in views.values()
        )

    async def export_channel(self, channel: ChannelKey, since: date | None = None) -> tuple[ExportRow, ...]:
        """Everything that happened in a channel, oldest first: deliveries, verdicts, reviews, changes of rules and settings."""
        own = select(Channel.id).where(Channel.workspace_id == channel.workspace_id, Channel.slack_id == channel.slack_id)
        async with self._read() as session:
            channel_id = (await session.exec(own)).first()
            if channel_id is None:
                return ()
            rows = await _delivered(session, channel_id) + await _said(session, channel_id)
            first = datetime(since.year, since.month, since.day, tzinfo=UTC) if since else None
            rows = sorted((row for row in rows if first is None or row[0] >= first), key=lambda row: row[0])
            views = await _views(session, list(dict.fromkeys(row[3] for row in rows if row[3] is not None)))
        return tuple(_row(at, what, by, views.get(action_id) if action_id else None, detail) for at, what, by, action_id, detail in rows)


Happening = tuple[datetime, str, str, int | None, str]
"""When, what, by whom, about which action, in which words."""


# --- money ----------------------------------------------------------------------------------------------------------


async def _found(session: AsyncSession, firm_id: str | None, filter: Filter, today: date) -> Select[Any]:
    return passing(firm_id, filter, today, is_brand=await is_brand_hit(session, firm_id))


async def _wanted(session: AsyncSession, firm_id: str | None, filter: Filter, today: date) -> Subquery:
    """The actions with the day that is known of them, and `acted_on`, which is never after today: what is decided for next
    month is known now."""
    found = (await _found(session, firm_id, filter, today)).subquery()
    day = case((found.c.acted_on > today, literal(today, Date())), else_=found.c.acted_on)
    wanted: Subquery = select(found.c.action_id, found.c.acted_on.label("day_known"), day.label("acted_on")).subquery()
    return wanted


def _together(rows: Sequence[TotalsRow]) -> TotalsRow:
    """The whole of groups that share no action."""
    if not rows:
        return TotalsRow("", 0, 0, 0, ())
    found: dict[tuple[str | None, AmountKind], SumView] = {}
    for one in (sum_ for row in rows for sum_ in row.sums):
        so_far = found.get((one.currency, one.kind), SumView(one.currency, one.kind, Decimal(0), Decimal(0), 0))
        ends = so_far.minimum + one.minimum, so_far.maximum + one.maximum
        found[one.currency, one.kind] = SumView(one.currency, one.kind, *ends, so_far.actions + one.actions, so_far.shared + one.shared)
    actions, penalties, with_sum = (
        sum(numbers) for numbers in zip(*((row.actions, row.penalties, row.with_sum) for row in rows), strict=True)
    )
    return TotalsRow("", actions, penalties, with_sum, _in_order(found.values()))


def _in_order(sums: Iterable[SumView]) -> tuple[SumView, ...]:
    """By currency, the unknown one last, and in the order of the stages."""
    return tuple(sorted(sums, key=lambda one: (one.currency is None, one.currency or "", STAGES.index(one.kind))))


async def _groups(session: AsyncSession, wanted: Subquery, by: str, firm_id: str | None) -> list[TotalsRow]:
    """The rows of a total, in no order; just one without `by`."""
    labels: dict[str, Any] = {
        "": literal(""),
        "year": extract("year", wanted.c.acted_on),
        "kind": col(Action.kind),
        "regulator": col(ActionRegulator.regulator_id),
    }
    label = labels[by]
    is_penalty = col(Action.kind).in_(PENALTIES)
    is_told = exists().where(col(Amount.action_id) == Action.id, col(Amount.kind).in_(STAGES))
    counted: Any = select(
        label,
        func.count(),
        func.sum(case((is_penalty, 1), else_=0)),
        func.sum(case((and_(is_penalty, is_told), 1), else_=0)),
    ).select_from(wanted)
    counted = _joined(counted.join(Action, col(Action.id) == wanted.c.action_id), by)
    rows = (await session.exec(counted.group_by(label) if by else counted)).all()
    sums = await _sums(session, wanted, by, label, firm_id)
    keys = [row[0] for row in rows]
    names: dict[Any, str] = {None: ""}
    if by == "regulator":
        names |= dict((await session.exec(select(Regulator.id, Regulator.name).where(col(Regulator.id).in_(keys)))).all())
    else:
        names |= {key: key.value if isinstance(key, Kind) else str(key) for key in keys}
    return [TotalsRow(names[key], actions, penalties or 0, told or 0, sums[key]) for key, actions, penalties, told in rows]


def _joined(query: Any, by: str) -> Any:
    """An action of several regulators is in the group of each."""
    return query.join(ActionRegulator, col(ActionRegulator.action_id) == Action.id, isouter=True) if by == "regulator" else query


async def _sums(session: AsyncSession, wanted: Subquery, by: str, label: Any, firm_id: str | None) -> dict[Any, tuple[SumView, ...]]:
    """What was added in each group, by currency and stage.

    A sum for each of a list counts once for the firm that is asked about, and for each of the list where none is. One for
    the whole list that is no more than those of its firms together is the same money told twice, and left out.
    """
    times, is_list = _listed()
    each = col(Amount.scope) == AmountScope.EACH
    factor = case((each, times), else_=1) if firm_id is None else literal(1)
    other = aliased(Amount)
    is_told_twice = exists().where(
        col(other.action_id) == Amount.action_id,
        col(other.scope) == AmountScope.EACH,
        col(other.kind) == Amount.kind,
        func.coalesce(other.currency, "") == func.coalesce(Amount.currency, ""),
        func.round(other.minimum * 100 * times) == func.round(Amount.minimum * 100),
        func.round(other.maximum * 100 * times) == func.round(Amount.maximum * 100),
        is_list,
    )
    shared = case((and_(not_(each), is_list), Amount.action_id)) if firm_id is not None else literal(None)
    is_large = col(Amount.maximum) * factor >= _LARGE
    counts = col(Action.kind).in_(PENALTIES), col(Amount.kind).in_(STAGES), or_(each, not_(is_told_twice))

    def chosen(*columns: Any) -> Any:
        query: Any = select(label, Amount.currency, Amount.kind, *columns).select_from(wanted)
        query = query.join(Action, col(Action.id) == wanted.c.action_id).join(Amount, col(Amount.action_id) == Action.id)
        return _joined(query, by).where(*counts)

    added = chosen(
        func.sum(case((is_large, 0), else_=_cents(Amount.minimum) * factor)),
        func.sum(case((is_large, 0), else_=_cents(Amount.maximum) * factor)),
        func.count(func.distinct(Amount.action_id)),
        func.count(func.distinct(shared)),
        func.count(case((is_large, 1))),
    ).group_by(*([label] if by else []), Amount.currency, Amount.kind)
    rows = (await session.exec(added)).all()
    large: dict[Any, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    one_by_one = chosen(Amount.minimum, Amount.maximum, factor).where(is_large)
    for key, currency, kind, minimum, maximum, count in await session.exec(one_by_one) if any(row[-1] for row in rows) else ():
        large[key, currency, kind][0] += minimum * count
        large[key, currency, kind][1] += maximum * count
    found: dict[Any, list[SumView]] = defaultdict(list)
    for key, currency, kind, least, most, actions, parts, _ in rows:
        more = large[key, currency, kind]
        ends = Decimal(int(least)) / 100 + more[0], Decimal(int(most)) / 100 + more[1]
        found[key].append(SumView(currency, kind, *ends, actions, parts))
    return defaultdict(tuple, {key: _in_order(sums) for key, sums in found.items()})


def _cents(amount: Any) -> ColumnElement[int]:
    return cast(func.round(amount * 100), BigInteger())


def _listed() -> tuple[ColumnElement[int], ColumnElement[bool]]:
    """How many firms an action's list has, by the larger of what is stated and who is named, one at least; and whether it is a list."""
    target = and_(col(ActionFirm.action_id) == Action.id, col(ActionFirm.role) == Role.TARGET)
    named = select(func.count(func.distinct(ActionFirm.name))).where(target).correlate(Action).scalar_subquery()
    stated = func.coalesce(Action.stated_count, 1)
    times = case((stated >= func.coalesce(named, 1), stated), else_=named)
    return times, times > 1


# --- time -----------------------------------------------------------------------------------------------------------


def _steps(months: Mapping[int, int], today: date) -> tuple[str, tuple[tuple[date, int], ...]]:
    """The unit and the steps up to today, from how many actions fell in which month (since the year 0)."""
    if not months:
        return "month", ()
    first, last = min(months), today.year * 12 + today.month - 1
    unit = next((unit for unit, length in _MONTHS.items() if last // length - first // length < _STEPS), "year")
    length = _MONTHS[unit]
    counts: dict[int, int] = defaultdict(int)
    for month, count in months.items():
        counts[month // length] += count
    spans = range(first // length, last // length + 1)
    return unit, tuple((date(span * length // 12, span * length % 12 + 1, 1), counts[span]) for span in spans)


# --- exports --------------------------------------------------------------------------------------------------------


async def _views(session: AsyncSession, ids: Sequence[int]) -> dict[int, ActionView]:
    found: dict[int, ActionView] = {}
    for start in range(0, len(ids), _SLICE):
        found.update(await load_actions(session, ids[start : start + _SLICE]))
    return found


def _row(at: datetime, what: str, by: str = "", action: ActionView | None = None, detail: str = "") -> ExportRow:
    if action is None:
        return ExportRow(at, what, by, "", "", "", "", "", "", "", "", "", detail)
    return ExportRow(
        at=at,
        what=what,
        by=by,
        ref=action.ref,
        kind=action.kind.value,
        status=action.status.value,
        regulators="; ".join(regulator.name for regulator in action.regulators),
        firms="; ".join(dict.fromkeys(firm.name for firm in action.named)),
        amounts="; ".join(amount.surface for amount in action.amounts),
        decided_on=str(action.decided_on or ""),
        title=action.title,
        url=next((document.url for document in action.documents if document.url), ""),
        detail=detail,
    )


def _roles(action: ActionView, firm_id: str) -> str:
    own = [firm for firm in action.firms if firm_id in (firm.firm_id, firm.brand_id)]
    return "; ".join(dict.fromkeys(f"{firm.role.value} via {firm.via}" if firm.via else firm.role.value for firm in own))


async def _delivered(session: AsyncSession, channel_id: int) -> list[Happening]:
    """What was owed to the channel, and what became of it."""
    rows = await session.exec(select(Delivery).where(Delivery.channel_id == channel_id).order_by(col(Delivery.id)))
    found: list[Happening] = []
    for row in rows:
        subject = "" if row.action_id else row.key.partition(":")[2]
        words = [subject, row.state.value, f"({row.reason})" if row.reason else ""]
        found.append((row.sent_at or row.owed_at, row.kind.value, "regwatch", row.action_id, " ".join(filter(None, words))))
    return found


async def _said(session: AsyncSession, channel_id: int) -> list[Happening]:
    """What people said and changed. What has a row of its own is told by that row, not by its audit row too."""
    corrected = select(Correction, Firm.name).join(Firm, col(Firm.id) == Correction.firm_id, isouter=True)
    found: list[Happening] = []
    for row, firm in await session.exec(corrected.where(Correction.channel_id == channel_id).order_by(col(Correction.id))):
        of = action_ref(row.of_action_id) if row.of_action_id else firm
        words = "; ".join(filter(None, [of, row.reason, "for all workspaces" if row.workspace_id is None else ""]))
        found.append((row.made_at, row.verdict.value, row.made_by, row.action_id, words))
        if row.withdrawn_at is not None:
            found.append((row.withdrawn_at, "withdrawn", row.withdrawn_by, row.action_id, row.verdict.value))
    for review in await session.exec(select(Review).where(Review.channel_id == channel_id).order_by(col(Review.id))):
        found.append((review.made_at, "reviewed", review.made_by, review.action_id, f"version {review.version}"))
    known = {(at, what, by) for at, what, by, _, _ in found}
    changes = (await session.exec(select(Change).where(Change.subject == f"channel:{channel_id}").order_by(col(Change.id)))).all()
    for change in changes:
        if (change.made_at, change.what, change.made_by) not in known:
            words = f"{change.before} -> {change.after}" if change.before and change.after else change.after or change.before
            found.append((change.made_at, change.what, change.made_by, None, words))
    audited = {(change.made_at, change.made_by) for change in changes if change.what == "muted"}
    for mute in await session.exec(select(Mute).where(Mute.channel_id == channel_id).order_by(col(Mute.id))):
        if (mute.made_at, mute.made_by) not in audited:  # its audit row stays when the mute is over
            found.append((mute.made_at, "muted", mute.made_by, None, f"{mute.key} until {mute.until:%Y-%m-%d %H:%M} UTC"))
    return found
