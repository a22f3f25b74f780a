"""What a channel's digest tells: what moved since the last one, what is new, what was quiet.

`outbox` owes digests when their time comes and has them drawn from here when they are claimed. A digest holds what was
owed since the last one, sent or not, and of what was waived only what it is the place for: what came too late, what a
rule wants in it alone, what names no firm, what is muted. What people said is not relevant, or a duplicate, is in none.

Which deliveries a digest tells of is a mark on them (`Delivery.digest_id`), not a span of time: what a slow transaction,
or a host whose clock is behind, owes for a moment before a digest, and writes down after it, is told by the next one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.base import chunks
from storage.filters import Filter, Term
from storage.loading import load_actions, load_coverage
from storage.models import Action, DeliveryKind, DeliveryState, Firm
from storage.owing import AGE, DIGEST_ONLY, NO_FIRM
from storage.silence import MUTED, load_silence
from storage.tenancy import Change, Channel, Delivery, Subscription
from storage.views import ChangeView, DigestView

_WAIVED_FOR_IT = (AGE, DIGEST_ONLY, NO_FIRM, MUTED)  # what was waived for other reasons is in no digest either
_LATE = timedelta(hours=1)


async def digest_since(session: AsyncSession, channel: Channel) -> datetime:
    """Since when the next digest tells: the last digest, else the first subscription, else the channel."""
    if channel.last_digest_at:
        return channel.last_digest_at
    first = select(func.min(Subscription.created_at)).where(Subscription.channel_id == channel.id)
    return (await session.exec(first)).one() or channel.added_at


async def owed_digest(session: AsyncSession, row: Delivery, now: datetime) -> DigestView:
    """The digest that a delivery stands for."""
    channel = (await session.exec(select(Channel).where(Channel.id == row.channel_id))).one()
    since, until, due_at = (datetime.fromisoformat(row.payload[name]) for name in ("since", "until", "due"))
    local = date.fromisoformat(row.key.removeprefix("digest:"))
    return await load_digest(session, channel, local, since, until, digest_id=row.id, is_late=now - due_at > _LATE, now=now)


async def take(session: AsyncSession, channel: Channel, digest: Delivery) -> None:
    """Let a channel's digest tell of all that none has told of yet."""
    await _mark(session, channel, col(Delivery.digest_id).is_(None), digest.id)


async def give_back(session: AsyncSession, channel: Channel, digest: Delivery) -> None:
    """Let the next digest tell what this one, which nobody saw, was to tell."""
    await _mark(session, channel, col(Delivery.digest_id) == digest.id, None)


async def let_go(session: AsyncSession, channel: Channel) -> None:
    """Let no digest tell what none has told of yet: it was owed to a channel that has none."""
    await _mark(session, channel, col(Delivery.digest_id).is_(None), 0)


async def _mark(session: AsyncSession, channel: Channel, which: Any, mark: Any) -> None:
    marked = update(Delivery).where(col(Delivery.channel_id) == channel.id, which).values(digest_id=mark)
    await session.exec(marked.execution_options(synchronize_session=False))


async def load_digest(
    session: AsyncSession,
    channel: Channel,
    local: date,
    since: datetime,
    until: datetime,
    *,
    digest_id: int | None = None,
    is_late: bool = False,
    now: datetime,
) -> DigestView:
    """A channel's digest: `local` is its day there. Without `digest_id` it is the next one, of all that none has told of yet."""
    rows = (
        await session.exec(
            select(Delivery)
            .where(
                Delivery.channel_id == channel.id,
                Delivery.digest_id == digest_id,
                or_(col(Delivery.state) != DeliveryState.WAIVED, col(Delivery.reason).in_(_WAIVED_FOR_IT)),
            )
            .order_by(col(Delivery.id))
        )
    ).all()
    shown = await _unjudged(session, _id(channel.id), rows, now)
    new = list(dict.fromkeys(_id(row.action_id) for row in shown if row.kind is DeliveryKind.ALERT))
    versions: dict[int, set[int]] = defaultdict(set)
    for row in shown:
        if row.kind is DeliveryKind.UPDATE and row.action_id not in new:
            versions[_id(row.action_id)].add(int(row.payload["version"]))
    views = await load_actions(session, [*versions, *new])
    changes = await load_changes(session, versions)
    rules = await _rules(session, _id(channel.id))
    watched = frozenset(rule.firm_id for rule in rules if rule.firm_id)
    touched = {one for view in views.values() for firm in view.firms for one in (firm.firm_id, firm.brand_id)}
    quiet = select(Firm.name).where(col(Firm.id).in_(watched - touched)).order_by(Firm.name)
    return DigestView(
        local_date=local,
        since=since,
        until=until,
        is_late=is_late,
        moved=tuple((views[one], changes[one]) for one in versions),
        new=tuple(views[one] for one in new),
        quiet_firms=tuple((await session.exec(quiet)).all()),
        watched=watched,
        coverage=await load_coverage(session, coverage_filter(rules), now),
    )


async def _unjudged(session: AsyncSession, channel_id: int, rows: Sequence[Delivery], now: datetime) -> list[Delivery]:
    """Those that tell of nothing that was said to be irrelevant or a duplicate since they were owed."""
    cases: dict[int, int] = {}
    for some in chunks({_id(row.action_id) for row in rows}):
        found = await session.exec(select(Action.id, Action.case_id).where(col(Action.id).in_(some)))
        cases |= {_id(action_id): case_id for action_id, case_id in found}
    silence = await load_silence(session, cases, {}, [channel_id], now)
    return [row for row in rows if silence.verdict(channel_id, _id(row.action_id), cases[_id(row.action_id)], None) is None]


def coverage_filter(rules: Sequence[Subscription]) -> Filter:
    """The sources that a channel's rules leave in: all, unless every rule is about regulators, or about countries."""
    bodies: list[str] = []
    countries: list[str] = []
    for rule in rules:
        own = Filter.parse(rule.filter)
        mine = (rule.regulator_id,) if rule.regulator_id else own.values("regulator")
        its = () if mine else own.values("country")
        if not mine and not its:
            return Filter()
        bodies += mine
        countries += its
    if bodies and countries:
        return Filter()
    key, values = ("regulator", bodies) if bodies else ("country", countries)
    return Filter((Term(key, tuple(sorted(set(values)))),)) if values else Filter()


async def load_changes(session: AsyncSession, versions: Mapping[int, set[int]]) -> dict[int, tuple[ChangeView, ...]]:
    """What each action's versions changed, in order."""
    if not versions:
        return {}
    found: dict[int, list[ChangeView]] = {action_id: [] for action_id in versions}
    subjects = {f"action:{action_id}": action_id for action_id in versions}
    for row in await session.exec(select(Change).where(col(Change.subject).in_(subjects)).order_by(col(Change.id))):
        action_id = subjects[row.subject]
        if row.version in versions[action_id]:
            found[action_id].append(ChangeView(row.made_at, row.made_by, row.what, row.before, row.after, row.version))
    return {action_id: tuple(views) for action_id, views in found.items()}


async def _rules(session: AsyncSession, channel_id: int) -> Sequence[Subscription]:
    return (await session.exec(select(Subscription).where(Subscription.channel_id == channel_id))).all()


def _id(value: int | None) -> int:
    assert value is not None  # noqa: S101  # of a row that was written
    return value
