"""Who is told of what moved: the messages that a poll owes to channels, and notices to the operators.

Used by `ingest` inside its transaction, so that an action and the messages owed for it are there together or
not at all, and by `outbox`, which sends them. What one channel is owed for one move is `decide_owed`, pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.base import chunks, insert_for
from storage.filters import Filter
from storage.intents import ChannelKey
from storage.joining import Move
from storage.loading import facts, load_actions
from storage.models import Action, Broadcast, Deliver, DeliveryKind, DeliveryState, Firm
from storage.records import action_ref
from storage.tenancy import Card, Channel, Delivery, Subscription, Workspace

OPEN = (DeliveryState.OWED, DeliveryState.LEASED, DeliveryState.UNKNOWN)
"""States of what is still to be posted, or may have been."""

DIGEST_ONLY, NO_FIRM = "digest only", "no firm named"
"""Why a message is for the digest alone."""


@dataclass(slots=True)
class Interest:
    """What one channel has to do with one move."""

    matched: list[Subscription] = field(default_factory=list)  # rules that pass
    following: list[Subscription] = field(default_factory=list)  # rules on a firm, regulator or all of it, passing or not
    nearby: list[Subscription] = field(default_factory=list)  # rules on firms of the regulator's country


@dataclass(frozen=True, slots=True)
class Owed:
    """One message to one channel. `waived`: never posted, and why."""

    key: str
    kind: DeliveryKind
    waived: str
    is_broadcast: bool


def decide_owed(move: Move, interest: Interest, *, is_posted: bool, is_known: bool) -> Owed | None:
    """What a channel is owed for a move. `is_posted`: it has a post of the case, or will; `is_known`: at least a
    row, as of a case that it saw only in a digest, which gets its card at the next move."""
    ref = action_ref(move.action_id)
    if not interest.matched and not is_posted:
        if not (move.is_new and interest.nearby):
            return None
        return Owed(f"alert:{ref}", DeliveryKind.ALERT, move.waived or NO_FIRM, is_broadcast=False)
    waived = move.waived
    if interest.matched and all(rule.deliver is Deliver.DIGEST for rule in interest.matched):
        waived = waived or DIGEST_ONLY
    if is_posted or (is_known and not move.is_new):
        wishes = {rule.broadcast for rule in interest.following}
        is_broadcast = Broadcast.ALL in wishes or (Broadcast.ESCALATION in wishes and move.is_escalation)
        return Owed(f"update:{ref}:{move.version}", DeliveryKind.UPDATE, waived, is_broadcast)
    return Owed(f"alert:{ref}", DeliveryKind.ALERT, waived, is_broadcast=False)


async def owe_moves(session: AsyncSession, moves: Sequence[Move], now: datetime) -> tuple[int, int]:
    """Owe what these moves mean to channels, in the caller's transaction. Returns how many are owed, and waived."""
    if not moves:
        return 0, 0
    interests = await _interests(session, moves, now)
    posted, known = await _standing(session, {move.case_id for move in moves})
    shown: dict[int, set[int]] = defaultdict(set)
    for case_id, channel_id in posted:
        shown[case_id].add(channel_id)
    for move in moves:
        for channel_id in shown[move.case_id]:
            interests.setdefault((move.action_id, channel_id), Interest())
    by_action: dict[int, list[int]] = defaultdict(list)
    for action_id, channel_id in sorted(interests):
        by_action[action_id].append(channel_id)
    rows: list[dict[str, Any]] = []
    for move in moves:
        for channel_id in by_action[move.action_id]:
            place, interest = (move.case_id, channel_id), interests[move.action_id, channel_id]
            owed = decide_owed(move, interest, is_posted=place in posted, is_known=place in known)
            if owed is None:
                continue
            known.add(place)
            if not owed.waived:
                posted.add(place)
            rules = interest.matched or interest.nearby
            rows.append(
                delivery_row(
                    channel_id=channel_id,
                    key=owed.key,
                    kind=owed.kind,
                    now=now,
                    waived=owed.waived,
                    action_id=move.action_id,
                    is_broadcast=owed.is_broadcast,
                    payload={
                        "subscriptions": sorted(rule.id or 0 for rule in rules),
                        "version": move.version,
                        "digest": not rules or any(rule.deliver is not Deliver.NOW for rule in rules),
                    },
                )
            )
    written = await insert_deliveries(session, rows)
    waived = sum(row["state"] is DeliveryState.WAIVED for row in rows if (row["channel_id"], row["key"]) in written)
    return len(written) - waived, waived


async def _interests(session: AsyncSession, moves: Sequence[Move], now: datetime) -> dict[tuple[int, int], Interest]:
    """Which channels follow what moved: (action, channel) -> interest. Loads actions only where somebody follows."""
    by_key: dict[str, list[Subscription]] = defaultdict(list)
    filters: dict[int | None, Filter] = {}
    for chunk in chunks({"all", *(key for move in moves for key in move.keys)}):
        for rule in await session.exec(select(Subscription).where(col(Subscription.key).in_(chunk)).order_by(col(Subscription.id))):
            by_key[rule.key].append(rule)
            filters[rule.id] = Filter.parse(rule.filter)
    near = await _rules_by_country(session) if any(move.is_nameless for move in moves) else {}
    touched = [move for move in moves if "all" in by_key or (near and move.is_nameless) or any(key in by_key for key in move.keys)]
    views = await load_actions(session, [move.action_id for move in touched])
    today = now.date()
    found: dict[tuple[int, int], Interest] = defaultdict(Interest)
    for move in touched:
        view = views[move.action_id]
        for key in ("all", *sorted(move.keys)):
            for rule in by_key.get(key, ()):
                interest = found[move.action_id, rule.channel_id]
                interest.following.append(rule)
                if filters[rule.id].passes(facts(view, rule.firm_id, today), today):
                    interest.matched.append(rule)
        if move.is_nameless:
            for country in {body.jurisdiction for body in view.regulators}:
                for rule in near.get(country, ()):
                    found[move.action_id, rule.channel_id].nearby.append(rule)
    return found


async def _rules_by_country(session: AsyncSession) -> dict[str, list[Subscription]]:
    """Rules on firms, by the firm's country: they hear of acts there that name no firm, in the digest."""
    found: dict[str, list[Subscription]] = defaultdict(list)
    rules = select(Firm.country, Subscription).join(Firm, col(Firm.id) == Subscription.firm_id).order_by(col(Subscription.id))
    for country, rule in await session.exec(rules):
        found[country].append(rule)
    return found


async def _standing(session: AsyncSession, case_ids: set[int]) -> tuple[set[tuple[int, int]], set[tuple[int, int]]]:
    """(case, channel) pairs that have, or will have, a post of the case; and those that have any row of it."""
    posted: set[tuple[int, int]] = set()
    known: set[tuple[int, int]] = set()
    for chunk in chunks(case_ids):
        cards = select(Card.case_id, Card.channel_id).where(col(Card.case_id).in_(chunk))
        posted.update((await session.exec(cards)).all())
        rows = (
            select(Action.case_id, Delivery.channel_id, Delivery.state)
            .join(Action, col(Action.id) == Delivery.action_id)
            .where(col(Action.case_id).in_(chunk))
        )
        for case_id, channel_id, state in await session.exec(rows):
            known.add((case_id, channel_id))
            if state in (*OPEN, DeliveryState.SENT):
                posted.add((case_id, channel_id))
    return posted, known | posted


async def owe_operators(
    session: AsyncSession, operations: ChannelKey, key: str, facts: Mapping[str, str], default_zone: str, now: datetime
) -> bool:
    """Owe the operations channel a notice, once per key, in the caller's transaction; True when it is a new one."""
    workspace = insert_for(session, Workspace).values(id=operations.workspace_id, name="", added_at=now)
    await session.exec(workspace.on_conflict_do_nothing())
    place = select(Channel.id).where(Channel.workspace_id == operations.workspace_id, Channel.slack_id == operations.slack_id)
    channel_id = (await session.exec(place)).one_or_none()
    if channel_id is None:
        channel = Channel(
            workspace_id=operations.workspace_id,
            slack_id=operations.slack_id,
            name=operations.name,
            time_zone=operations.zone or default_zone,
            added_at=now,
        )
        session.add(channel)
        await session.flush()
        channel_id = channel.id or 0
    row = delivery_row(channel_id=channel_id, key=key, kind=DeliveryKind.NOTICE, now=now, payload=dict(facts))
    return bool(await insert_deliveries(session, [row]))


def delivery_row(
    *,
    channel_id: int,
    key: str,
    kind: DeliveryKind,
    now: datetime,
    payload: dict[str, Any],
    waived: str = "",
    action_id: int | None = None,
    is_broadcast: bool = False,
) -> dict[str, Any]:
    return {
        "channel_id": channel_id,
        "key": key,
        "kind": kind,
        "action_id": action_id,
        "payload": payload,
        "state": DeliveryState.WAIVED if waived else DeliveryState.OWED,
        "reason": waived,
        "is_broadcast": is_broadcast,
        "token": 0,
        "attempts": 0,
        "next_attempt_at": now,
        "owed_at": now,
    }


async def insert_deliveries(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> set[tuple[int, str]]:
    """Write rows whose (channel, key) is new; those that were."""
    if not rows:
        return set()
    statement = insert_for(session, Delivery).on_conflict_do_nothing(index_elements=["channel_id", "key"])
    result = await session.exec(statement.returning(col(Delivery.channel_id), col(Delivery.key)), params=rows)
    return {(row[0], row[1]) for row in result.all()}
