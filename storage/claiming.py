"""What a sender gets: the channels that may be posted to, whose turn it is there, and what is no longer wanted.

Used by `outbox` inside its transaction. The rules are in `turns`, pure; what is wanted is decided as `owing` decided it when
it was owed. Locks are taken in one order, workspaces, channels, deliveries, so that no two transactions wait for each other.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, func, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.base import chunks
from storage.hours import quiet_until
from storage.models import Action, DeliveryKind, DeliveryState
from storage.owing import DIGEST_ONLY, OPEN, delivery_row, unwanted
from storage.remarks import load_cases
from storage.silence import MUTED
from storage.tenancy import Card, Channel, Delivery, Workspace
from storage.turns import WINDOW, Bucket, Told, Turn, Waiting, next_turn
from storage.views import ActionView

_UNSURE = (DeliveryState.LEASED, DeliveryState.UNKNOWN)
_SETTLED_LATELY = timedelta(seconds=10)
"""What was owed so shortly ago need not be asked about again."""

DIGESTS_WAIT = timedelta(minutes=10)
"""For so long a digest lets what came after it in other channels go first. At ten messages a second 6,000 channels take as long."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A leased row, what it tells of, and whether an earlier try of it may stand in the channel."""

    row: Delivery
    members: tuple[Delivery, ...]  # of a roll-up
    is_unsure: bool


async def take_turns(
    session: AsyncSession, clock: Callable[[], datetime], limit: int, lease: timedelta
) -> tuple[list[Claimed], dict[int, ActionView]]:
    """Lease the next delivery of at most so many channels; with the actions of their cases."""
    buckets, channels = await _ready(session, clock(), limit)
    now = clock()  # after the locks: a lease that began before them might end before its message is posted
    turns = await _turns(session, channels, now) if channels else {}
    ids = {one for turn in turns.values() for one in (*turn.roll, *([turn.post] if turn.post else []))}
    rows = {_id(row.id): row for row in await _locked(session, Delivery.id, ids)}
    members = await _members(session, [row for row in rows.values() if row.kind is DeliveryKind.ROLLUP])
    told_of = {row.action_id for row in (*rows.values(), *(one for some in members.values() for one in some)) if row.action_id}
    views = await load_cases(session, sorted(told_of))
    waived = await _waive(session, list(rows.values()), views, now)
    claimed = []
    for channel_id, turn in turns.items():
        wanted = [rows[one] for one in turn.roll if one not in waived]
        if turn.post is not None and turn.post not in waived:
            row, its = rows[turn.post], members.get(turn.post, ())
        elif len(wanted) == 1 and len(turn.roll) > 1:
            row, its = wanted[0], ()
        elif wanted:
            row = await _roll_up(session, channel_id, wanted, now)
            its = tuple(wanted)
        else:
            continue
        claimed.append(Claimed(row, its, row.state in _UNSURE))
    taken = Counter(channels[one.row.channel_id].workspace_id for one in claimed)
    for workspace_id, count in taken.items():
        workspace, bucket = buckets[workspace_id]
        workspace.next_post_at = bucket.take(count, now)
    for one in claimed:
        # nothing else goes out there while this one does
        channels[one.row.channel_id].next_post_at = now + lease
        one.row.state, one.row.token, one.row.attempts = DeliveryState.LEASED, one.row.token + 1, one.row.attempts + 1
        for row in (one.row, *one.members):
            row.next_attempt_at = now + lease
    await session.flush()
    return claimed, views


def bucket_of(workspace: Workspace) -> Bucket:
    """How fast a workspace may be posted to."""
    return Bucket(workspace.next_post_at, workspace.pace, workspace.limited_at or workspace.added_at)


def served() -> tuple[Any, ...]:
    """The conditions that a channel may be posted to at all."""
    gone = select(Workspace.id).where(col(Workspace.uninstalled_at).is_not(None))
    return Channel.paused_reason == "", col(Channel.workspace_id).not_in(gone)


async def _ready(session: AsyncSession, now: datetime, limit: int) -> tuple[dict[str, tuple[Workspace, Bucket]], dict[int, Channel]]:
    """The channels that wait the longest and may be posted to, as many as their workspaces have room for; ours from now on.

    One of each workspace, then a second of each, and so on: behind a workspace that has room for one alone, others do not wait.
    In a workspace an alert does not wait behind the digests of other channels, most of which are due at the same time; but a digest
    lets what came after it go first for `DIGESTS_WAIT` alone.
    """
    may_wait = and_(col(Delivery.kind) == DeliveryKind.DIGEST, col(Delivery.next_attempt_at) > now - DIGESTS_WAIT)
    lane = func.min(case((may_wait, 1), else_=0)).label("lane")
    due = (
        select(Delivery.channel_id, Channel.workspace_id, func.min(col(Delivery.next_attempt_at)).label("at"))
        .add_columns(lane)
        .join(Channel, col(Channel.id) == Delivery.channel_id)
        .join(Workspace, col(Workspace.id) == Channel.workspace_id)
        .where(
            col(Delivery.state).in_(OPEN),
            col(Delivery.next_attempt_at) <= now,
            col(Delivery.rolled_into).is_(None),
            col(Channel.paused_reason) == "",
            or_(col(Channel.next_post_at).is_(None), col(Channel.next_post_at) <= now),
            col(Workspace.uninstalled_at).is_(None),
            or_(col(Workspace.next_post_at).is_(None), col(Workspace.next_post_at) <= now),
        )
        .group_by(col(Delivery.channel_id), col(Channel.workspace_id))
        .subquery()
    )
    order = (due.c.lane, due.c.at, due.c.channel_id)
    place = func.row_number().over(partition_by=due.c.workspace_id, order_by=order)
    waiting = select(due.c.channel_id, due.c.workspace_id).order_by(place, *order).limit(limit)
    found = (await session.exec(waiting)).all()
    # key_share: a new channel of the workspace need not wait for us
    of_them = select(Workspace).where(col(Workspace.id).in_({workspace_id for _, workspace_id in found})).order_by(Workspace.id)
    spaces = (await session.exec(of_them.with_for_update(key_share=True))).all() if found else ()
    buckets = {space.id: (space, bucket_of(space)) for space in spaces}
    room = {space_id: bucket.room(now) for space_id, (_, bucket) in buckets.items()}
    ids = []
    for channel_id, workspace_id in found:
        if room[workspace_id] > 0:
            room[workspace_id] -= 1
            ids.append(channel_id)
    ours = select(Channel).where(col(Channel.id).in_(ids), or_(col(Channel.next_post_at).is_(None), col(Channel.next_post_at) <= now))
    channels = (await session.exec(ours.with_for_update(skip_locked=True))).all() if ids else ()
    return buckets, {_id(channel.id): channel for channel in channels}


async def _turns(session: AsyncSession, channels: Mapping[int, Channel], now: datetime) -> dict[int, Turn]:
    """Whose turn it is in each channel; what has to wait is told until when.

    What was owed before quiet hours began, and did not go out, waits for their end like what is owed within them.
    """
    waiting = await _waiting(session, channels)
    told = await _told(session, channels, now)
    turns: dict[int, Turn] = {}
    holds: dict[int, datetime] = {}
    quiet: dict[int, datetime] = {}
    for channel_id, channel in channels.items():
        until = quiet_until(now, channel.time_zone, channel.quiet_from, channel.quiet_to)
        hushed = {one.id for one in waiting[channel_id] if until and one.next_attempt_at <= now and one.disturbs}
        if until and hushed:
            quiet |= dict.fromkeys(hushed, until)
            later = [replace(one, next_attempt_at=until, is_held=True) if one.id in hushed else one for one in waiting[channel_id]]
            waiting[channel_id] = later
        turns[channel_id] = next_turn(waiting[channel_id], told[channel_id], now)
        holds |= turns[channel_id].holds
    for row in await _locked(session, Delivery.id, {*holds, *quiet}):
        row_id = _id(row.id)
        row.next_attempt_at = quiet[row_id] if row_id in quiet else holds[row_id]
        row.is_held = row.is_held or row_id in quiet
    return turns


async def _waiting(session: AsyncSession, channels: Collection[int]) -> dict[int, list[Waiting]]:
    """All open deliveries of these channels."""
    has_card = select(Card.id).where(Card.channel_id == Delivery.channel_id, Card.case_id == Action.case_id).exists()
    wanted = (
        select(Delivery.id, Delivery.channel_id, Delivery.kind, Delivery.state)
        .add_columns(
            col(Delivery.next_attempt_at),
            col(Delivery.is_held),
            col(Delivery.rolled_into),
            col(Delivery.ts),
            col(Action.case_id),
            case((col(Delivery.kind) == DeliveryKind.UPDATE, has_card), else_=False),
        )
        .join(Action, col(Action.id) == Delivery.action_id, isouter=True)
        .where(col(Delivery.channel_id).in_(channels), col(Delivery.state).in_(OPEN))
        .order_by(col(Delivery.id))
    )
    rows = (await session.exec(wanted)).all()  # type: ignore[call-overload]
    rolled: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for row in rows:
        if row.rolled_into is not None:
            rolled[row.rolled_into].append((row.id, row.case_id))
    found: dict[int, list[Waiting]] = {channel_id: [] for channel_id in channels}
    for row in rows:
        if row.rolled_into is not None:
            continue
        its = rolled[row.id]
        found[row.channel_id].append(
            Waiting(
                id=row.id,
                kind=row.kind,
                next_attempt_at=row.next_attempt_at,
                cases=frozenset(case_id for _, case_id in its) if its else frozenset([row.case_id] if row.case_id else []),
                since=min((one for one, _ in its), default=row.id),
                has_card=bool(row[-1]),
                is_unsure=row.state in _UNSURE,
                is_held=row.is_held,
                has_begun=row.ts is not None,
            )
        )
    return found


async def _told(session: AsyncSession, channels: Mapping[int, Channel], now: datetime) -> dict[int, Told]:
    """What each channel was told within the window."""
    lately = now - WINDOW
    cards = (
        select(Card.channel_id, func.count())
        .where(col(Card.channel_id).in_(channels), Card.posted_at > lately)
        .group_by(col(Card.channel_id))
    )
    count = dict((await session.exec(cards)).all())
    found = {}
    for channel_id, channel in channels.items():
        rolled_up_at = channel.rolled_up_at if channel.rolled_up_at and channel.rolled_up_at > lately else None
        found[channel_id] = Told(count.get(channel_id, 0) + (channel.rolled_up if rolled_up_at else 0), rolled_up_at)
    return found


async def _locked(session: AsyncSession, key: Any, values: Collection[int]) -> list[Delivery]:
    rows: list[Delivery] = []
    for some in chunks(values):
        rows += (await session.exec(select(Delivery).where(key.in_(some)).order_by(col(Delivery.id)).with_for_update())).all()
    return rows


async def _members(session: AsyncSession, rollups: Sequence[Delivery]) -> dict[int, tuple[Delivery, ...]]:
    """The deliveries that each roll-up tells of."""
    found: dict[int, tuple[Delivery, ...]] = defaultdict(tuple)
    for row in await _locked(session, Delivery.rolled_into, [_id(row.id) for row in rollups]):
        found[row.rolled_into or 0] += (row,)
    return found


async def _waive(session: AsyncSession, rows: Sequence[Delivery], views: Mapping[int, ActionView], now: datetime) -> set[int]:
    """Waive what nobody there wants to hear any more: muted, judged, unsubscribed since it was owed. What was tried goes on."""
    asked = [row for row in rows if row.action_id and row.attempts == 0 and now - row.owed_at > _SETTLED_LATELY]
    reasons = await unwanted(session, asked, views, now) if asked else {}
    for row in asked:
        why = reasons.get(_id(row.id))
        if why is None:
            continue
        row.state, row.reason = DeliveryState.WAIVED, why
        if why in (MUTED, DIGEST_ONLY) and row.digest_id == 0:
            row.digest_id = None  # of a rule that was told at once only: what it misses now is told in the next digest
    return set(reasons)


async def _roll_up(session: AsyncSession, channel_id: int, rows: Sequence[Delivery], now: datetime) -> Delivery:
    """A new delivery whose one message tells of all these."""
    is_after_quiet = all(row.is_held for row in rows)
    fresh = delivery_row(
        channel_id=channel_id, key=f"rollup:{rows[0].key}", kind=DeliveryKind.ROLLUP, now=now, payload={"quiet": is_after_quiet}
    )
    row = Delivery(**fresh)
    session.add(row)
    await session.flush()
    for one in rows:
        one.rolled_into = row.id
    return row


def _id(value: int | None) -> int:
    assert value is not None  # noqa: S101  # of a row that was written
    return value
