"""The outbox: messages owed to channels, from the moment they are owed until Slack took them or never will.

A row is `owed`, then `leased` by one sender at a time (`claim`), then settled: `sent`, owed again later,
`unknown` when the reply was lost, `dead` when the channel refuses. A lease that ends unsettled is claimed
again, marked unsure, so that the sender looks for the post before it posts a second time. `waived` rows
are never posted, by rule; the digest has them.

What is owed, and to whom, is worked out in `owing`; whose turn it is, in `claiming`; what a digest tells, in `digests`. The
key of a row, unique with its channel, makes a repost impossible.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import and_, bindparam
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.base import Base
from storage.claiming import Claimed, bucket_of, served, take_turns
from storage.digests import digest_since, give_back, load_changes, load_digest, owed_digest, take
from storage.hours import next_digest_at
from storage.intents import ChannelKey, Dead, RetryAt, Sent
from storage.loading import load_channels
from storage.models import Action, DeliveryKind, DeliveryState
from storage.owing import delivery_row, insert_deliveries, owe_operators
from storage.owners import pause_and_tell
from storage.places import find_channel
from storage.remarks import Remarks, load_remarks, load_watched
from storage.tenancy import Card, Channel, Delivery, Workspace
from storage.turns import PACE, WINDOW
from storage.views import ActionView, ChangeView, DigestView, DueDelivery, RollupView

DIGESTS_AT_ONCE = 200
"""Channels whose digests are owed in one transaction: nothing of them can be settled meanwhile."""


class OutboxStore(Base):
    """Deliveries and digests."""

    async def claim(self, limit: int, lease: timedelta) -> tuple[DueDelivery, ...]:
        """Lease what is due, one delivery a channel, with all that its rendering needs as it is now.

        Whose turn it is, and what is rolled up into one message, `turns` says. A channel has one delivery under way at a time,
        and rests a second after it; one that is paused, or whose workspace uninstalled the app or has to wait, is left alone, as
        is one that another claimer is looking at. What nobody there wants to hear any more, since it was owed, is waived here.
        """
        async with self._write() as session:
            claimed, views = await take_turns(session, self._now, limit, lease)
            return await _due_deliveries(session, claimed, views, self._now())

    async def next_part(self, delivery_id: int, token: int, lease: timedelta, *, ts: str, parts: int) -> datetime | None:
        """When the next message of a delivery of several may be posted; None: its lease has passed to somebody else.

        What stands is written down: its root `ts`, and so many `parts` of its thread. The lease begins anew.
        """
        async with self._write() as session:
            held = await _held(session, delivery_id, token, is_for_all=True)
            if held is None:
                return None
            workspace, channel, row = held.workspace, held.channel, held.row
            now = self._now()  # after the locks, like a claim
            if channel.next_post_at is not None and channel.next_post_at > row.next_attempt_at:
                return None  # the lease ended, and another delivery is under way there
            bucket = bucket_of(workspace)
            at = max(now + PACE, bucket.next_post_at or now)
            workspace.next_post_at = bucket.take(1, now)
            row.ts, row.parts = ts, parts
            row.next_attempt_at = channel.next_post_at = at + lease
            return at

    async def limited_since(self, workspace_id: str, since: datetime) -> bool:
        """Whether Slack found since then that the workspace was posted to too fast: a turn that was given before is worth nothing."""
        async with self._read() as session:
            limited_at = (await session.exec(select(Workspace.limited_at).where(Workspace.id == workspace_id))).one_or_none()
            return limited_at is not None and limited_at >= since

    async def settle(self, delivery_id: int, token: int, outcome: Sent | RetryAt | Dead) -> bool:
        """Write down how it went. False, and nothing written, when the lease has passed to somebody else."""
        now = self._now()
        async with self._write() as session:
            is_for_all = isinstance(outcome, RetryAt) and outcome.is_for_all
            held = await _held(session, delivery_id, token, is_for_all=is_for_all)
            if held is None:
                return False
            channel, row = held.channel, held.row
            if channel.next_post_at is None or channel.next_post_at <= row.next_attempt_at:
                channel.next_post_at = now + PACE  # else the lease ended, and another delivery is under way there
            members: Sequence[Delivery] = ()
            if row.kind is DeliveryKind.ROLLUP:
                members = (await session.exec(select(Delivery).where(Delivery.rolled_into == row.id))).all()
            if isinstance(outcome, Sent):
                for one in (row, *members):
                    one.state, one.reason, one.ts, one.sent_at = DeliveryState.SENT, "", outcome.ts, now
                if members:
                    channel.rolled_up_at, channel.rolled_up = now, len({one.action_id for one in members})
                _show_card(session, held, outcome, now)
            elif isinstance(outcome, RetryAt):
                row.state = DeliveryState.UNKNOWN if outcome.is_unsure else DeliveryState.OWED
                row.reason, row.next_attempt_at = outcome.why, outcome.at
                if is_for_all:
                    _let_wait(held.workspace, outcome, now)
            else:
                # resume() owes again what died by the word of the pause: that of an event may have come first, and be another one
                why = (channel.paused_reason if outcome.is_channel_gone else "") or outcome.why
                for one in (row, *members):
                    one.state, one.reason = DeliveryState.DEAD, why
                if outcome.is_too_late:
                    await _leave_to_digest(session, channel, row, members)
                if outcome.is_channel_gone:
                    await pause_and_tell(
                        session, channel, outcome.why, "slack", now, operations=self._operations, default_zone=self._default_zone
                    )
            return True

    async def owe_digests(self) -> int:
        """Owe one digest to each channel whose time has come, and set its next time, for `DIGESTS_AT_ONCE` channels at most: those
        that have waited the longest. Returns how many are owed.

        After downtime only the newest missed one is sent, which tells of all of it. The key holds the local
        date, so that a channel has one digest a day whatever happens to its clock.
        """
        now = self._now()
        async with self._write() as session:
            due = select(Channel).where(col(Channel.is_digest_on), col(Channel.next_digest_at) <= now, *served())
            due = due.order_by(col(Channel.next_digest_at), col(Channel.id)).limit(DIGESTS_AT_ONCE)
            owed = 0
            for channel in (await session.exec(due.with_for_update(skip_locked=True))).all():
                due_at = channel.next_digest_at or now
                while (following := next_digest_at(due_at, channel.digest_at, channel.time_zone, channel.digest_days)) <= now:
                    due_at = following
                channel.next_digest_at = following
                local = due_at.astimezone(ZoneInfo(channel.time_zone)).date()
                since = await digest_since(session, channel)
                row = delivery_row(
                    channel_id=_id(channel.id),
                    key=f"digest:{local.isoformat()}",
                    kind=DeliveryKind.DIGEST,
                    now=now,
                    payload={"since": since.isoformat(), "until": now.isoformat(), "due": due_at.isoformat()},
                )
                if await insert_deliveries(session, [row]):
                    owed += await _take(session, channel, row["key"], now)
            return owed

    async def preview_digest(self, channel: ChannelKey) -> DigestView | None:
        """The digest that the channel would get now; None for a channel that we do not know."""
        now = self._now()
        async with self._read() as session:
            row = await find_channel(session, channel)
            if row is None:
                return None
            local = now.astimezone(ZoneInfo(row.time_zone)).date()
            return await load_digest(session, row, local, await digest_since(session, row), now, now=now)

    async def owe_notice(self, key: str, facts: Mapping[str, str]) -> bool:
        """Owe the operators a notice, once per key. False: it was owed before, or there is no operations channel."""
        if self._operations is None:
            return False
        async with self._write() as session:
            return await owe_operators(session, self._operations, key, facts, self._default_zone, self._now())


async def _take(session: AsyncSession, channel: Channel, key: str, now: datetime) -> bool:
    """Let a digest that was just owed take what it is to tell; whether it is sent: some channels want no empty ones."""
    digest = (await session.exec(select(Delivery).where(Delivery.channel_id == channel.id, Delivery.key == key))).one()
    await take(session, channel, digest)
    channel.last_digest_at = now
    if not channel.sends_empty_digest:
        # asked after it took them: what was written down a moment before is not skipped with it
        view = await owed_digest(session, digest, now)
        if not view.moved and not view.new:
            digest.state, digest.reason = DeliveryState.WAIVED, "empty"
    return digest.state is DeliveryState.OWED


# --- settling ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Held:
    """A leased row and what it stands in, ours until the end of the transaction. Of an alert or update, its case and the case's card."""

    workspace: Workspace
    channel: Channel
    row: Delivery
    case_id: int | None
    card: Card | None


async def _held(session: AsyncSession, delivery_id: int, token: int, *, is_for_all: bool = False) -> _Held | None:
    """The row if the lease is still the token's; `is_for_all`: the workspace is ours too, to be changed."""
    found = (await session.exec(_leased(is_for_all), params={"delivery_id": delivery_id, "token": token})).one_or_none()
    return None if found is None else _Held(*found)


@cache
def _leased(is_for_all: bool) -> Any:
    """One statement, put together once: most of what a settlement costs is the number of its statements. It locks in the order
    in which claim() does, that of `of`."""
    case_id = col(Action.case_id)
    wanted = (
        select(Workspace, Channel, Delivery, case_id)
        .add_columns(Card)
        .join_from(Delivery, Channel, col(Channel.id) == Delivery.channel_id)
        .join(Workspace, col(Workspace.id) == Channel.workspace_id)
        .join(Action, col(Action.id) == Delivery.action_id, isouter=True)
        .join(Card, and_(col(Card.channel_id) == Delivery.channel_id, col(Card.case_id) == case_id), isouter=True)
        .where(
            col(Delivery.id) == bindparam("delivery_id"),
            col(Delivery.token) == bindparam("token"),
            col(Delivery.state) == DeliveryState.LEASED,
        )
    )
    ours = (Workspace, Channel, Delivery) if is_for_all else (Channel, Delivery)
    return wanted.with_for_update(of=ours, key_share=True)  # key_share: what is owed meanwhile need not wait for us


async def _leave_to_digest(session: AsyncSession, channel: Channel, row: Delivery, members: Sequence[Delivery]) -> None:
    """Let the channel's next digest tell what was not told in time. What an earlier digest told, or will, is left to that one."""
    if row.kind is DeliveryKind.DIGEST and row.ts is None:
        await give_back(session, channel, row)
    for one in (row, *members):
        if one.action_id is not None and one.digest_id == 0:
            one.digest_id = None


def _let_wait(workspace: Workspace, outcome: RetryAt, now: datetime) -> None:
    """Nobody posts to the workspace until then; more slowly afterwards, if it was posted to too fast."""
    waits = outcome.at - now
    # several messages that were under way are refused together: they slow it down once
    if outcome.is_too_fast and (workspace.limited_at is None or now >= workspace.limited_at + waits):
        workspace.pace, workspace.limited_at = bucket_of(workspace).halved(now), now
    workspace.next_post_at = max(outcome.at, workspace.next_post_at or outcome.at)


# --- what a claim brings -----------------------------------------------------------------------------------------


async def _due_deliveries(
    session: AsyncSession, claimed: Sequence[Claimed], views: Mapping[int, ActionView], now: datetime
) -> tuple[DueDelivery, ...]:
    """What the rendering of each row needs, as it is now."""
    if not claimed:
        return ()
    rows = [one.row for one in claimed]
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
    together: dict[int, list[ActionView]] = defaultdict(list)
    for view in views.values():
        together[view.case_id].append(view)
    due = []
    for one in claimed:
        row = one.row
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
                is_unsure=one.is_unsure,
                owed_at=row.owed_at,
                action=action,
                case=tuple(view for view in together[action.case_id] if view.id != action.id) if action else (),
                changes=_of_version(changes[action.id], row) if is_update and action else (),
                card_ts=cards.get((row.channel_id, action.case_id)) if action else None,
                is_broadcast=row.is_broadcast,
                watched=watched[row.channel_id],
                digest=await owed_digest(session, row, now) if row.kind is DeliveryKind.DIGEST else None,
                rollup=_rollup(one, views, now) if row.kind is DeliveryKind.ROLLUP else None,
                ts=row.ts,
                parts=row.parts,
                notice=dict(row.payload) if row.kind is DeliveryKind.NOTICE else {},
                corrections=said.corrections,
                reviews=said.reviews,
                muted_until=said.muted_until,
            )
        )
    return tuple(due)


def _rollup(claimed: Claimed, views: Mapping[int, ActionView], now: datetime) -> RollupView:
    told = dict.fromkeys(_id(row.action_id) for row in claimed.members)
    return RollupView(tuple(views[one] for one in told), bool(claimed.row.payload["quiet"]), now + WINDOW)


def _of_version(changes: Sequence[ChangeView], row: Delivery) -> tuple[ChangeView, ...]:
    return tuple(change for change in changes if change.version == row.payload["version"])


def _show_card(session: AsyncSession, held: _Held, outcome: Sent, now: datetime) -> None:
    """Remember the message that shows the case in this channel, if this delivery made one."""
    if held.case_id is None:
        return
    ts = outcome.card_ts or (outcome.ts if held.row.kind is DeliveryKind.ALERT and held.card is None else None)
    if ts and held.card is None:
        session.add(Card(channel_id=held.row.channel_id, case_id=held.case_id, ts=ts, posted_at=now))
    elif ts and held.card:
        held.card.ts, held.card.posted_at = ts, now


def _id(value: int | None) -> int:
    assert value is not None  # noqa: S101  # of a row that was written
    return value
