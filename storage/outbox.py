"""The outbox: messages owed to channels, from the moment they are owed until Slack took them or never will.

A row is `owed`, then `leased` by one sender at a time (`claim`), then settled: `sent`, owed again later,
`unknown` when the reply was lost, `dead` when the channel refuses. A lease that ends unsettled is claimed
again, marked unsure, so that the sender looks for the post before it posts a second time. `waived` rows
are never posted, by rule; the digest has them.

What is owed, and to whom, is worked out in `owing`; what a digest tells, in `digests`. The key of a row, unique with its channel, makes a
repost impossible.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import and_, func, or_
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.base import Base
from storage.digests import digest_since, load_changes, load_digest, owed_digest
from storage.hours import next_digest_at
from storage.intents import ChannelKey, Dead, RetryAt, Sent
from storage.loading import load_channels
from storage.models import Action, DeliveryKind, DeliveryState
from storage.owing import OPEN, delivery_row, insert_deliveries, owe_operators
from storage.places import find_channel, pause
from storage.remarks import Remarks, load_cases, load_remarks, load_watched
from storage.tenancy import Card, Channel, Delivery, Workspace
from storage.views import ChangeView, DigestView, DueDelivery

PACE = timedelta(seconds=1)
"""Slack takes about one message a second in a channel."""


class OutboxStore(Base):
    """Deliveries and digests."""

    async def claim(self, limit: int, lease: timedelta) -> tuple[DueDelivery, ...]:
        """Lease what is due, one delivery a channel, with all that its rendering needs as it is now.

        What belongs to one case in one channel goes out in the order in which it was owed: an update waits
        until the alert before it is settled. A channel that was posted to less than a second ago, that is paused, or
        whose workspace uninstalled the app is left alone. Rows that another claimer holds are skipped.
        """
        now = self._now()
        async with self._write() as session:
            rows = (await session.exec(_claimable(now, limit))).all()
            channels = select(Channel).where(col(Channel.id).in_([row.channel_id for row in rows]))
            for channel in (await session.exec(channels)).all() if rows else ():
                channel.next_post_at = now + PACE
            unsure = {row.id for row in rows if row.state in (DeliveryState.LEASED, DeliveryState.UNKNOWN)}
            for row in rows:
                row.state, row.token, row.attempts = DeliveryState.LEASED, row.token + 1, row.attempts + 1
                row.next_attempt_at = now + lease
            await session.flush()
            return await _due_deliveries(session, rows, unsure, now)

    async def settle(self, delivery_id: int, token: int, outcome: Sent | RetryAt | Dead) -> bool:
        """Write down how it went. False, and nothing written, when the lease has passed to somebody else."""
        now = self._now()
        async with self._write() as session:
            held = select(Delivery).where(Delivery.id == delivery_id, Delivery.token == token, col(Delivery.state) == DeliveryState.LEASED)
            row = (await session.exec(held.with_for_update())).one_or_none()
            if row is None:
                return False
            if isinstance(outcome, Sent):
                row.state, row.reason, row.ts, row.sent_at = DeliveryState.SENT, "", outcome.ts, now
                await _show_card(session, row, outcome, now)
            elif isinstance(outcome, RetryAt):
                row.state = DeliveryState.UNKNOWN if outcome.is_unsure else DeliveryState.OWED
                row.reason, row.next_attempt_at = outcome.why, outcome.at
            else:
                row.state, row.reason = DeliveryState.DEAD, outcome.why
                if outcome.is_channel_gone:
                    channel = (await session.exec(select(Channel).where(Channel.id == row.channel_id))).one()
                    pause(session, channel, outcome.why, "slack", now)
            return True

    async def owe_digests(self) -> int:
        """Owe one digest to each channel whose time has come, and set its next time. Returns how many are owed.

        After downtime only the newest missed one is sent; its window covers all of it. The key holds the local
        date, so that a channel has one digest a day whatever happens to its clock.
        """
        now = self._now()
        async with self._write() as session:
            due = select(Channel).where(col(Channel.is_digest_on), col(Channel.next_digest_at) <= now, *_served())
            owed = 0
            for channel in (await session.exec(due.order_by(col(Channel.id)).with_for_update(skip_locked=True))).all():
                due_at = channel.next_digest_at or now
                while (following := next_digest_at(due_at, channel.digest_at, channel.time_zone, channel.digest_days)) <= now:
                    due_at = following
                channel.next_digest_at = following
                local = due_at.astimezone(ZoneInfo(channel.time_zone)).date()
                since = await digest_since(session, channel)
                is_skipped = False
                if not channel.sends_empty_digest:
                    view = await load_digest(session, channel, local, since, now, is_late=False, now=now)
                    is_skipped = not view.moved and not view.new
                row = delivery_row(
                    channel_id=_id(channel.id),
                    key=f"digest:{local.isoformat()}",
                    kind=DeliveryKind.DIGEST,
                    now=now,
                    waived="empty" if is_skipped else "",
                    payload={"since": since.isoformat(), "until": now.isoformat(), "due": due_at.isoformat()},
                )
                if await insert_deliveries(session, [row]):
                    channel.last_digest_at = now
                    owed += not is_skipped
            return owed

    async def preview_digest(self, channel: ChannelKey) -> DigestView | None:
        """The digest that the channel would get now; None for a channel that we do not know."""
        now = self._now()
        async with self._read() as session:
            row = await find_channel(session, channel)
            if row is None:
                return None
            local = now.astimezone(ZoneInfo(row.time_zone)).date()
            return await load_digest(session, row, local, await digest_since(session, row), now, is_late=False, now=now)

    async def owe_notice(self, key: str, facts: Mapping[str, str]) -> bool:
        """Owe the operators a notice, once per key. False: it was owed before, or there is no operations channel."""
        if self._operations is None:
            return False
        async with self._write() as session:
            return await owe_operators(session, self._operations, key, facts, self._default_zone, self._now())


# --- claiming --------------------------------------------------------------------------------------------------


def _claimable(now: datetime, limit: int) -> Any:
    """The first due row of each channel that may be posted to."""
    earlier, its_action = aliased(Delivery), aliased(Action)
    is_behind = (
        select(earlier.id)
        .join(its_action, col(its_action.id) == earlier.action_id)
        .where(
            earlier.channel_id == Delivery.channel_id,
            col(its_action.case_id) == Action.case_id,
            col(earlier.id) < col(Delivery.id),
            col(earlier.state).in_(OPEN),
        )
        .exists()
    )
    is_due = and_(col(Delivery.state).in_(OPEN), col(Delivery.next_attempt_at) <= now)
    order = (col(Delivery.next_attempt_at), col(Delivery.id))
    place = func.row_number().over(partition_by=col(Delivery.channel_id), order_by=order)
    ranked = (
        select(col(Delivery.id).label("id"), place.label("place"))
        .join(Channel, col(Channel.id) == Delivery.channel_id)
        .join(Action, col(Action.id) == Delivery.action_id, isouter=True)
        .where(
            is_due,
            *_served(),
            or_(col(Channel.next_post_at).is_(None), col(Channel.next_post_at) <= now),
            ~is_behind,
        )
        .subquery()
    )
    return (
        select(Delivery)
        .where(is_due, col(Delivery.id).in_(select(ranked.c.id).where(ranked.c.place == 1)))
        .order_by(*order)
        .limit(limit)
        .with_for_update(skip_locked=True, of=Delivery)
    )


def _served() -> tuple[Any, ...]:
    """The conditions that a channel may be posted to at all."""
    gone = select(Workspace.id).where(col(Workspace.uninstalled_at).is_not(None))
    return Channel.paused_reason == "", col(Channel.workspace_id).not_in(gone)


async def _due_deliveries(
    session: AsyncSession, rows: Sequence[Delivery], unsure: set[int | None], now: datetime
) -> tuple[DueDelivery, ...]:
    """What the rendering of each row needs, as it is now."""
    if not rows:
        return ()
    views = await load_cases(session, [row.action_id for row in rows if row.action_id is not None])
    versions: dict[int, set[int]] = defaultdict(set)
    for row in rows:
        if row.kind is DeliveryKind.UPDATE:
            versions[_id(row.action_id)].add(int(row.payload["version"]))
    changes = await load_changes(session, versions)
    places = {row.channel_id for row in rows}
    channels = await load_channels(session, places, now)
    remarks = await load_remarks(session, views, [(row.channel_id, row.action_id) for row in rows if row.action_id is not None], now)
    shown = select(Card).where(col(Card.channel_id).in_(places), col(Card.case_id).in_({view.case_id for view in views.values()}))
    cards = {(card.channel_id, card.case_id): card.ts for card in await session.exec(shown)}
    watched = await load_watched(session, places)
    due = []
    for row in rows:
        action = views.get(row.action_id) if row.action_id is not None else None
        is_update = row.kind is DeliveryKind.UPDATE and action is not None
        said = remarks.get((row.channel_id, row.action_id or 0), Remarks())
        due.append(
            DueDelivery(
                id=_id(row.id),
                token=row.token,
                kind=row.kind,
                key=row.key,
                channel=channels[row.channel_id],
                attempts=row.attempts,
                is_unsure=row.id in unsure,
                owed_at=row.owed_at,
                action=action,
                case=tuple(view for view in views.values() if action and view.case_id == action.case_id and view.id != action.id),
                changes=_of_version(changes[action.id], row) if is_update and action else (),
                card_ts=cards.get((row.channel_id, action.case_id)) if action else None,
                is_broadcast=row.is_broadcast,
                watched=watched[row.channel_id],
                digest=await owed_digest(session, row, now) if row.kind is DeliveryKind.DIGEST else None,
                notice=dict(row.payload) if row.kind is DeliveryKind.NOTICE else {},
                corrections=said.corrections,
                reviews=said.reviews,
                muted_until=said.muted_until,
            )
        )
    return tuple(due)


def _of_version(changes: Sequence[ChangeView], row: Delivery) -> tuple[ChangeView, ...]:
    return tuple(change for change in changes if change.version == row.payload["version"])


async def _show_card(session: AsyncSession, row: Delivery, outcome: Sent, now: datetime) -> None:
    """Remember the message that shows the case in this channel, if this delivery made one."""
    if row.action_id is None:
        return
    case_id = (await session.exec(select(Action.case_id).where(Action.id == row.action_id))).one()
    card = (await session.exec(select(Card).where(Card.channel_id == row.channel_id, Card.case_id == case_id))).one_or_none()
    ts = outcome.card_ts or (outcome.ts if row.kind is DeliveryKind.ALERT and card is None else None)
    if ts and card is None:
        session.add(Card(channel_id=row.channel_id, case_id=case_id, ts=ts, posted_at=now))
    elif ts and card:
        card.ts, card.posted_at = ts, now


def _id(value: int | None) -> int:
    assert value is not None  # noqa: S101  # of a row that was written
    return value
