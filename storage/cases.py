"""Cases by an operator's hand: two that are one, an action that is of none, and what a case is made of.

`ingest` joins by proof alone; what no document proves, a person may know. Their word is remembered on the action
(`case_reason`, and a `Change` of each action whose company it changed), so that `why` tells it and no later document leads
into a case what was parted from it (`casebook`). Nobody is alerted: nothing is owed, cards are redrawn with the next move.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import col, delete, func, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.base import Base, StorageError
from storage.joining import BY_HAND, PARTED, Standing, statuses_joined, statuses_parted
from storage.loading import load_actions
from storage.models import Action, Case, DeliveryState, Status
from storage.owing import OPEN
from storage.records import action_ref
from storage.tenancy import Card, Change, Delivery, Mute
from storage.views import ActionView, ChangeView


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case: its actions, oldest first, each with the reason why it joined (empty for the one that opened it)."""

    actions: tuple[tuple[ActionView, str], ...]
    changes: tuple[ChangeView, ...]  # what people did to it, as its actions tell
    channels: int  # that show a card of it


@dataclass(frozen=True, slots=True)
class CaseOutcome:
    """What an operator's word did. `is_new` False: it was so before, and nothing changed."""

    is_new: bool
    case: tuple[int, ...]  # ids of the actions that are one case now
    moved: tuple[int, ...] = ()  # those of them that came
    left: tuple[int, ...] = ()  # those from which they were parted
    statuses: tuple[tuple[int, Status, Status], ...] = ()  # actions whose status moved with it: before, after
    channels: int = 0  # that show a card of the case
    doubled: int = 0  # channels that had cards of both: the older one stands for the case


class CaseStore(Base):
    """Cases that people join and part."""

    async def case(self, action_id: int) -> CaseView | None:
        """The case of an action; None: no such action."""
        async with self._read() as session:
            case_id = (await session.exec(select(Action.case_id).where(Action.id == action_id))).first()
            if case_id is None:
                return None
            rows = await _actions(session, [case_id])
            views = await load_actions(session, [_id(row) for row in rows])
            said = (
                select(Change)
                .where(col(Change.subject).in_([_subject(row) for row in rows]), Change.what == "case")
                .order_by(col(Change.id))
            )
            changes: dict[tuple[datetime, str], ChangeView] = {}
            for row in await session.exec(said):
                # one word of a person is a change of each action of the case
                changes.setdefault(
                    (row.made_at, row.made_by), ChangeView(row.made_at, row.made_by, row.what, row.before, row.after, row.version)
                )
            return CaseView(
                tuple((views[_id(row)], row.case_reason) for row in rows), tuple(changes.values()), await _shown(session, case_id)
            )

    async def join_cases(self, action_id: int, other_id: int, by: str) -> CaseOutcome:
        """Let an action, with all of its case, belong to the case of another one, silently. The same again changes nothing.

        A channel that shows both keeps the older card; a mute of either holds for both. Appeals, annulments and closures of
        the one case move the statuses of earlier actions of the other. Raises StorageError for an action that is not there.
        """
        now = self._now()
        async with self._write() as session:
            await self._one_at_a_time(session, "actions")
            case_id, target_id = await _case_of(session, action_id), await _case_of(session, other_id)
            if case_id == target_id:
                if action_id == other_id:
                    raise StorageError(f"{action_ref(action_id)} cannot be joined to itself. Give the number of the other action.")
                same = await _actions(session, [case_id])
                return CaseOutcome(False, tuple(map(_id, same)), channels=await _shown(session, case_id))
            moved, there = await _actions(session, [case_id]), await _actions(session, [target_id])
            before = {_id(row): _refs(group) for group in (moved, there) for row in group}
            for row in moved:
                row.case_id = target_id
                row.case_reason = BY_HAND if _id(row) == action_id or not row.case_reason else row.case_reason
            together = sorted([*moved, *there], key=_id)
            statuses = _restate(session, together, statuses_joined(_standings(moved), _standings(there)), by, now)
            for row in together:
                session.add(_change(row, by, now, before[_id(row)], _refs(together)))
            await _join_rows(session, case_id, target_id)
            doubled = await _join_cards(session, case_id, target_id)
            await _join_mutes(session, case_id, target_id)
            await session.flush()
            return CaseOutcome(
                True,
                tuple(map(_id, together)),
                moved=tuple(map(_id, moved)),
                statuses=statuses,
                channels=await _shown(session, target_id),
                doubled=doubled,
            )

    async def part_case(self, action_id: int, by: str) -> CaseOutcome:
        """Give an action a case of its own, silently. One that is alone in its case stays as it is.

        Cards stay with the actions that are left, but for those of channels that were told of this action alone. A status that
        only this action, or only theirs, accounts for goes back to what it was. Raises StorageError for an action that is not there.
        """
        now = self._now()
        async with self._write() as session:
            await self._one_at_a_time(session, "actions")
            case_id = await _case_of(session, action_id)
            rows = await _actions(session, [case_id])
            left = [row for row in rows if _id(row) != action_id]
            (parted,) = (row for row in rows if _id(row) == action_id)
            if not left:
                return CaseOutcome(False, (action_id,), channels=await _shown(session, case_id))
            case = Case(opened_at=now, number=parted.number)
            session.add(case)
            await session.flush()
            assert case.id is not None  # noqa: S101  # it was written
            parted.case_id, parted.case_reason = case.id, PARTED
            earlier = await _former_statuses(session, rows)
            statuses = _restate(session, rows, statuses_parted(_standings([parted]), _standings(left), earlier), by, now)
            for row, others in ((parted, [parted]), *((one, left) for one in left)):
                session.add(_change(row, by, now, _refs(rows), _refs(others)))
            await _part_cards(session, case_id, case.id, action_id, [_id(row) for row in left])
            for mute in (await session.exec(select(Mute).where(Mute.key == f"case:{case_id}"))).all():
                session.add(
                    Mute(
                        channel_id=mute.channel_id,
                        key=f"case:{case.id}",
                        until=mute.until,
                        made_by=mute.made_by,
                        made_at=mute.made_at,
                    )
                )
            await session.flush()
            return CaseOutcome(
                True,
                (action_id,),
                moved=(action_id,),
                left=tuple(map(_id, left)),
                statuses=statuses,
                channels=await _shown(session, case.id),
            )


async def _case_of(session: AsyncSession, action_id: int) -> int:
    case_id = (await session.exec(select(Action.case_id).where(Action.id == action_id))).first()
    if case_id is None:
        raise StorageError(f"There is no action {action_ref(action_id)}. Look for it: regwatch ask 'actions FIRM'")
    return case_id


async def _actions(session: AsyncSession, case_ids: Sequence[int]) -> Sequence[Action]:
    rows = await session.exec(select(Action).where(col(Action.case_id).in_(case_ids)).order_by(col(Action.id)))
    return rows.all()


async def _shown(session: AsyncSession, case_id: int) -> int:
    """How many channels show a card of the case."""
    return (await session.exec(select(func.count()).select_from(Card).where(Card.case_id == case_id))).one()


def _standings(rows: Sequence[Action]) -> list[Standing]:
    return [Standing(_id(row), row.kind, row.status, row.decided_on or (row.published_at or row.first_seen_at).date()) for row in rows]


def _restate(
    session: AsyncSession, rows: Sequence[Action], statuses: dict[int, Status], by: str, now: datetime
) -> tuple[tuple[int, Status, Status], ...]:
    """Give actions their statuses: a reader sees that, so their versions rise. What became of which."""
    told = []
    for row in rows:
        after = statuses.get(_id(row), row.status)
        if after is row.status:
            continue
        told.append((_id(row), row.status, after))
        row.version += 1
        session.add(
            Change(
                subject=_subject(row),
                made_by=by,
                made_at=now,
                what="status",
                before=row.status.value,
                after=after.value,
                version=row.version,
            )
        )
        row.status = after
    return tuple(told)


async def _former_statuses(session: AsyncSession, rows: Sequence[Action]) -> dict[int, Status]:
    """What the statuses of these actions were before they became what they are, where they ever moved."""
    found = {}
    ids = {_subject(row): row for row in rows}
    said = select(Change).where(col(Change.subject).in_(ids), Change.what == "status").order_by(col(Change.id))
    for change in await session.exec(said):
        row = ids[change.subject]
        if change.after == row.status.value:
            found[_id(row)] = Status(change.before)
    return found


async def _join_rows(session: AsyncSession, case_id: int, target_id: int) -> None:
    """The case as a row: the emptied one stays, since a post that is under way may still name it."""
    gone = (await session.exec(select(Case).where(Case.id == case_id))).one()
    case = (await session.exec(select(Case).where(Case.id == target_id))).one()
    case.opened_at, case.number = min(case.opened_at, gone.opened_at), case.number or gone.number


async def _join_cards(session: AsyncSession, case_id: int, target_id: int) -> int:
    """One card a channel: the older. How many channels had two."""
    theirs = {card.channel_id: card for card in await session.exec(select(Card).where(Card.case_id == target_id))}
    doubled = 0
    for card in (await session.exec(select(Card).where(Card.case_id == case_id))).all():
        other = theirs.get(card.channel_id)
        if other is None:
            card.case_id = target_id
            continue
        doubled += 1
        if (card.posted_at, card.id or 0) < (other.posted_at, other.id or 0):
            other.ts, other.posted_at = card.ts, card.posted_at
        await session.delete(card)
    return doubled


async def _join_mutes(session: AsyncSession, case_id: int, target_id: int) -> None:
    """A channel that muted one of the two hears nothing of the whole, until the later moment."""
    theirs = {mute.channel_id: mute for mute in await session.exec(select(Mute).where(Mute.key == f"case:{target_id}"))}
    for mute in (await session.exec(select(Mute).where(Mute.key == f"case:{case_id}"))).all():
        other = theirs.get(mute.channel_id)
        if other is None:
            mute.key = f"case:{target_id}"
            continue
        if mute.until > other.until:
            other.until, other.made_by, other.made_at = mute.until, mute.made_by, mute.made_at
        await session.exec(delete(Mute).where(col(Mute.id) == mute.id))


async def _part_cards(session: AsyncSession, case_id: int, new_id: int, action_id: int, left: Sequence[int]) -> None:
    """Give the new case the cards of channels that were told of its action and of no other."""
    posted = (*OPEN, DeliveryState.SENT)

    def told(*of: Any) -> Any:
        return select(Delivery.channel_id).where(*of, col(Delivery.state).in_(posted))

    own = update(Card).where(
        col(Card.case_id) == case_id,
        col(Card.channel_id).in_(told(Delivery.action_id == action_id)),
        col(Card.channel_id).not_in(told(col(Delivery.action_id).in_(left))),
    )
    await session.exec(own.values(case_id=new_id).execution_options(synchronize_session=False))


def _change(row: Action, by: str, now: datetime, before: str, after: str) -> Change:
    return Change(subject=_subject(row), made_by=by, made_at=now, what="case", before=before, after=after)


def _subject(row: Action) -> str:
    return f"action:{row.id}"


def _refs(rows: Sequence[Action]) -> str:
    return ", ".join(action_ref(_id(row)) for row in rows)


def _id(row: Action) -> int:
    assert row.id is not None  # noqa: S101  # of a row that was written
    return row.id
