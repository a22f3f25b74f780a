"""Who is told of what moved: the messages that a poll owes to channels, and notices to the operators.

Used by `ingest` inside its transaction, so that an action and the messages owed for it are there together or
not at all, and by `outbox`, which sends them. What one channel is owed for one move is `decide_owed`, pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.base import chunks, insert_for
from storage.filters import Filter
from storage.hours import quiet_until
from storage.intents import ChannelKey
from storage.joining import Move
from storage.loading import facts, load_actions
from storage.models import Action, Broadcast, Deliver, DeliveryKind, DeliveryState, Firm
from storage.records import action_ref
from storage.silence import MUTED, WRONG_FIRM, Silence, load_silence
from storage.tenancy import Card, Channel, Delivery, Subscription, Workspace
from storage.views import ActionView

OPEN = (DeliveryState.OWED, DeliveryState.LEASED, DeliveryState.UNKNOWN)
"""States of what is still to be posted, or may have been."""

DIGEST_ONLY, NO_FIRM = "digest only", "no firm named"
"""Why a message is for the digest alone."""

AGE = "age"
"""Why what is first seen, or changes, long after it was published is for the digest alone."""

UNSUBSCRIBED = "unsubscribed"
"""Why a message that was owed is not posted: no rule of the channel asks for it any more."""


@dataclass(slots=True)
class Interest:
    """What one channel has to do with one move."""

    matched: list[Subscription] = field(default_factory=list)  # rules that pass
    following: list[Subscription] = field(default_factory=list)  # rules on a firm, regulator or all of it, passing or not
    misread: list[Subscription] = field(default_factory=list)  # rules that would pass but for a verdict: their firm is not meant
    nearby: list[Subscription] = field(default_factory=list)  # rules on firms of the regulator's country


@dataclass(frozen=True, slots=True)
class Owed:
    """One message to one channel. `waived`: never posted, and why."""

    key: str
    kind: DeliveryKind
    waived: str
    is_broadcast: bool


def decide_owed(
    move: Move, interest: Interest, *, is_posted: bool, is_known: bool, verdict: str = "", is_muted: bool = False
) -> Owed | None:
    """What a channel is owed for a move. `is_posted`: it has a post of the case, or will; `is_known`: at least a
    row, as of a case that it saw only in a digest, which gets its card at the next move. `verdict`: why people there
    want to hear nothing of it, not in the digest either; `is_muted`: they want to hear of it in the digest alone."""
    if move.is_aside and (is_posted or is_known):
        return None
    ref = action_ref(move.action_id)
    # the edit of an old text floods nobody where its card stands, and a card shows what is true now
    is_late_edit = move.waived == AGE and is_posted and not move.is_new
    waived = verdict or ("" if is_late_edit else move.waived)
    if not interest.matched and not is_posted:
        if interest.misread:
            waived = verdict or WRONG_FIRM
        elif not (move.is_new and interest.nearby):
            return None
        return Owed(f"alert:{ref}", DeliveryKind.ALERT, waived or NO_FIRM, is_broadcast=False)
    if interest.misread and not interest.matched and not interest.following:
        waived = verdict or WRONG_FIRM
    elif interest.matched and all(rule.deliver is Deliver.DIGEST for rule in interest.matched):
        waived = waived or DIGEST_ONLY
    if is_muted:
        waived = waived or MUTED
    if is_posted or (is_known and not move.is_new):
        wishes = {rule.broadcast for rule in interest.following}
        is_broadcast = Broadcast.ALL in wishes or (Broadcast.ESCALATION in wishes and move.is_escalation)
        return Owed(f"update:{ref}:{move.version}", DeliveryKind.UPDATE, waived, is_broadcast)
    return Owed(f"alert:{ref}", DeliveryKind.ALERT, waived, is_broadcast=False)


async def owe_moves(session: AsyncSession, moves: Sequence[Move], now: datetime) -> tuple[int, int]:
    """Owe what these moves mean to channels, in the caller's transaction. Returns how many are owed, and waived.

    What falls into a channel's quiet hours is owed for their end.
    """
    if not moves:
        return 0, 0
    posted, known = await standing(session, {move.case_id for move in moves})
    shown: dict[int, set[int]] = defaultdict(set)
    for case_id, channel_id in posted:
        shown[case_id].add(channel_id)
    rules = await _rules(session, moves)
    touched = [move.action_id for move in moves if rules.of(move)]
    views = await load_actions(session, touched)
    places = rules.channels | {channel_id for channel_ids in shown.values() for channel_id in channel_ids}
    silence = await load_silence(session, {move.action_id: move.case_id for move in moves}, views, places, now)
    rows: list[dict[str, Any]] = []
    for move in sorted(moves, key=lambda move: move.is_aside):  # after the acts that moved them
        view = views.get(move.action_id)
        interests = _interests(move, view, rules, silence, now) if view else {}
        for channel_id in shown[move.case_id]:
            interests.setdefault(channel_id, Interest())
        for channel_id, interest in sorted(interests.items()):
            place = (move.case_id, channel_id)
            is_posted = place in posted
            held = silence.verdict(channel_id, move.action_id, move.case_id, None if is_posted else view)
            owed = decide_owed(
                move,
                interest,
                is_posted=is_posted,
                is_known=place in known,
                verdict=held.reason if held else "",
                is_muted=silence.mute(channel_id, move.case_id, view, interest.matched or interest.following) is not None,
            )
            if owed is None:
                continue
            known.add(place)
            if not owed.waived:
                posted.add(place)
            rows.append(_row_of(move, interest, owed, channel_id, silence, now))
    written = await insert_deliveries(session, rows)
    waived = sum(row["state"] is DeliveryState.WAIVED for row in rows if (row["channel_id"], row["key"]) in written)
    return len(written) - waived, waived


async def unwanted(session: AsyncSession, rows: Sequence[Delivery], views: Mapping[int, ActionView], now: datetime) -> dict[int, str]:
    """Those of these alerts and updates that their channels would not be told of if they were owed now, and why."""
    moves = {row.id: _move_again(row, views[row.action_id or 0]) for row in rows}
    channel_ids = {row.channel_id for row in rows}
    rules = await _rules(session, list(moves.values()), channel_ids)
    cases = {move.action_id: move.case_id for move in moves.values()}
    silence = await load_silence(session, cases, views, channel_ids, now)
    shown: set[tuple[int, int]] = set()
    for some in chunks(set(cases.values())):
        cards = select(Card.case_id, Card.channel_id).where(col(Card.case_id).in_(some), col(Card.channel_id).in_(channel_ids))
        shown.update((await session.exec(cards)).all())
        # as when it was owed: a case that a roll-up told of is shown there too, without a card
        told = select(Action.case_id, Delivery.channel_id).join(Action, col(Action.id) == Delivery.action_id)
        sent = told.where(col(Action.case_id).in_(some), col(Delivery.channel_id).in_(channel_ids), Delivery.state == DeliveryState.SENT)
        shown.update((await session.exec(sent)).all())
    found = {}
    for row in rows:
        move, view = moves[row.id], views[row.action_id or 0]
        interest = _interests(move, view, rules, silence, now).get(row.channel_id, Interest())
        is_posted = (move.case_id, row.channel_id) in shown
        held = silence.verdict(row.channel_id, move.action_id, move.case_id, None if is_posted else view)
        owed = decide_owed(
            move,
            interest,
            is_posted=is_posted,
            is_known=True,
            verdict=held.reason if held else "",
            is_muted=silence.mute(row.channel_id, move.case_id, view, interest.matched or interest.following) is not None,
        )
        why = UNSUBSCRIBED if owed is None else owed.waived
        if why:
            found[row.id or 0] = why
    return found


def _move_again(row: Delivery, view: ActionView) -> Move:
    """What a delivery was owed for."""
    named = {one for firm in view.firms for one in (firm.firm_id, firm.brand_id) if one}
    return Move(
        action_id=view.id,
        case_id=view.case_id,
        version=int(row.payload["version"]),
        is_new=row.kind is DeliveryKind.ALERT,
        is_escalation=row.is_broadcast,
        waived="",
        keys=frozenset({f"firm:{one}" for one in named} | {f"regulator:{body.id}" for body in view.regulators}),
        is_nameless=False,
    )


def _row_of(move: Move, interest: Interest, owed: Owed, channel_id: int, silence: Silence, now: datetime) -> dict[str, Any]:
    rules = interest.matched or interest.nearby or interest.misread
    place = silence.places[channel_id]
    held_until = None if owed.waived else quiet_until(now, place.time_zone, place.quiet_from, place.quiet_to)
    return delivery_row(
        channel_id=channel_id,
        key=owed.key,
        kind=owed.kind,
        now=now,
        waived=owed.waived,
        action_id=move.action_id,
        is_broadcast=owed.is_broadcast,
        due_at=held_until,
        payload={"subscriptions": sorted(rule.id or 0 for rule in rules), "version": move.version},
        # what is kept from a rule that is told at once only is told in the digest, if it is the place for it
        is_for_digest=bool(owed.waived) or not rules or any(rule.deliver is not Deliver.NOW for rule in rules),
    )


@dataclass(frozen=True, slots=True)
class _Rules:
    """The rules that may speak of some moves."""

    by_key: Mapping[str, Sequence[Subscription]]
    by_country: Mapping[str, Sequence[Subscription]]  # where a move names no firm
    filters: Mapping[int | None, Filter]

    def of(self, move: Move) -> list[Subscription]:
        """The rules on what is in the move; of the nearby ones all, as its country is not known yet."""
        found = [rule for key in ("all", *sorted(move.keys)) for rule in self.by_key.get(key, ())]
        return found + [rule for rules in self.by_country.values() for rule in rules if move.is_nameless]

    @property
    def channels(self) -> set[int]:
        """Whose rules they are."""
        return {rule.channel_id for by in (self.by_key, self.by_country) for rules in by.values() for rule in rules}


async def _rules(session: AsyncSession, moves: Sequence[Move], channel_ids: Collection[int] | None = None) -> _Rules:
    """The rules on what moved; of these channels only, where they are given."""
    by_key: dict[str, list[Subscription]] = defaultdict(list)
    filters: dict[int | None, Filter] = {}
    for chunk in chunks({"all", *(key for move in moves for key in move.keys)}):
        wanted = select(Subscription).where(col(Subscription.key).in_(chunk)).order_by(col(Subscription.id))
        if channel_ids is not None:
            wanted = wanted.where(col(Subscription.channel_id).in_(channel_ids))
        for rule in await session.exec(wanted):
            by_key[rule.key].append(rule)
            filters[rule.id] = Filter.parse(rule.filter)
    near = await _rules_by_country(session) if any(move.is_nameless for move in moves) else {}
    return _Rules(by_key, near, filters)


def _interests(move: Move, view: ActionView, rules: _Rules, silence: Silence, now: datetime) -> dict[int, Interest]:
    """Which channels follow what moved, and by which rules."""
    today = now.date()
    found: dict[int, Interest] = defaultdict(Interest)
    for key in ("all", *sorted(move.keys)):
        for rule in rules.by_key.get(key, ()):
            if move.is_aside and all(term.key != "status" for term in rules.filters[rule.id].terms):
                continue  # it asks for no status, so nothing is new for it
            interest, is_passed = found[rule.channel_id], rules.filters[rule.id].passes(facts(view, rule.firm_id, today), today)
            read = silence.as_read(rule.channel_id, view) if rule.firm_id else view
            if read is not view:
                looked_at = facts(read, rule.firm_id, today)
                is_meant = bool(looked_at.roles)
                if is_passed and not (is_meant and rules.filters[rule.id].passes(looked_at, today)):
                    interest.misread.append(rule)
                    is_passed = False
                if not is_meant:
                    continue
            interest.following.append(rule)
            if is_passed:
                interest.matched.append(rule)
    if move.is_nameless:
        for country in {body.jurisdiction for body in view.regulators}:
            for rule in rules.by_country.get(country, ()):
                found[rule.channel_id].nearby.append(rule)
    return found


async def _rules_by_country(session: AsyncSession) -> dict[str, list[Subscription]]:
    """Rules on firms, by the firm's country: they hear of acts there that name no firm, in the digest."""
    found: dict[str, list[Subscription]] = defaultdict(list)
    rules = select(Firm.country, Subscription).join(Firm, col(Firm.id) == Subscription.firm_id).order_by(col(Subscription.id))
    for country, rule in await session.exec(rules):
        found[country].append(rule)
    return found


async def standing(session: AsyncSession, case_ids: set[int]) -> tuple[set[tuple[int, int]], set[tuple[int, int]]]:
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
        fresh = Channel(
            workspace_id=operations.workspace_id,
            slack_id=operations.slack_id,
            name=operations.name,
            time_zone=operations.zone or default_zone,
            added_at=now,
        )
        values = fresh.model_dump(exclude={"id"})
        await session.exec(insert_for(session, Channel).values(values).on_conflict_do_nothing(index_elements=["workspace_id", "slack_id"]))
        channel_id = (await session.exec(place)).one()
    assert channel_id is not None  # noqa: S101  # of a row that was written
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
    due_at: datetime | None = None,
    is_for_digest: bool = False,
) -> dict[str, Any]:
    """A delivery as it is written down; `due_at` is when the quiet hours end that hold it, None: it may be posted now.
    `is_for_digest`: the channel's next digest tells of it too."""
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
        "next_attempt_at": due_at or now,
        "is_held": due_at is not None,
        "owed_at": now,
        "digest_id": None if is_for_digest else 0,
    }


async def insert_deliveries(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> set[tuple[int, str]]:
    """Write rows whose (channel, key) is new; those that were."""
    if not rows:
        return set()
    statement = insert_for(session, Delivery).on_conflict_do_nothing(index_elements=["channel_id", "key"])
    result = await session.exec(statement.returning(col(Delivery.channel_id), col(Delivery.key)), params=rows)
    return {(row[0], row[1]) for row in result.all()}
