"""What people say about cards: verdicts that are remembered, and reviews. No click deletes anything.

A verdict holds in the workspace where it was given (an operator's everywhere) until it is withdrawn. While it holds,
`owing` waives what repeats the error (`silence` tells what that is): the moves of that case for "not relevant" and
"duplicate"; for "wrong firm" whatever names that firm alone, in that action by any name, elsewhere by the same one. The rows
of verdicts and reviews are their own audit trail: who, when, and who withdrew it.
"""

from __future__ import annotations

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.base import StorageError, insert_for
from storage.intents import ChannelKey, CorrectionIntent
from storage.loading import load_actions, load_channel
from storage.models import Action, Firm
from storage.places import Places, channel_id, find_channel
from storage.records import action_ref
from storage.remarks import correction_view, load_cases, load_remarks, load_watched
from storage.tenancy import Card, Channel, Correction, Review, Verdict
from storage.text import fold, title_key
from storage.views import ActionView, CardView, CorrectionResult


class CorrectionStore(Places):
    """Cards as channels see them, verdicts, reviews."""

    async def card(self, channel: ChannelKey, action_id: int) -> CardView | None:
        """An action's case as this channel sees it; None: no such action, or a channel that we do not know."""
        async with self._read() as session:
            row = await find_channel(session, channel)
            return await self._card(session, row, action_id) if row else None

    async def correct(self, intent: CorrectionIntent) -> CorrectionResult:
        """Remember a verdict, and say which posts of the workspace show the case. The same again is not new.

        An action is a duplicate of one other: saying so of another one withdraws what this workspace said before. Raises
        StorageError for an action or firm that is not there, a firm that is not in the action, a duplicate of itself or of
        what was said to be its duplicate.
        """
        now = self._now()
        async with self._write() as session:
            action = (await load_actions(session, [intent.action_id])).get(intent.action_id)
            if action is None:
                raise StorageError(f"There is no action {action_ref(intent.action_id)}.")
            folded = _told_by(intent, action)
            channel = await self._open(session, intent.channel, intent.by, now)
            # an operator's verdict meets those of any workspace
            await self._one_at_a_time(session, "verdicts")
            whose = (None,) if intent.is_for_all else (None, intent.channel.workspace_id)
            if intent.verdict is Verdict.DUPLICATE:
                await _check_original(session, intent, whose)
            same = await _held(session, intent, whose)
            if same is None:
                if intent.verdict is Verdict.DUPLICATE:
                    for earlier in await _of_workspace(session, intent, whose[-1]):
                        earlier.withdrawn_by, earlier.withdrawn_at = intent.by, now
                row = Correction(
                    workspace_id=whose[-1],
                    channel_id=channel_id(channel),
                    action_id=intent.action_id,
                    verdict=intent.verdict,
                    firm_id=intent.firm_id if intent.verdict is Verdict.WRONG_FIRM else None,
                    folded=folded,
                    of_action_id=intent.of_action_id if intent.verdict is Verdict.DUPLICATE else None,
                    reason=intent.reason,
                    made_by=intent.by,
                    made_at=now,
                )
                session.add(row)
                await session.flush()
            return await self._result(session, channel, same or row, is_new=same is None)

    async def withdraw(self, channel: ChannelKey, correction_id: int, by: str, *, is_operator: bool = False) -> CorrectionResult | None:
        """End a verdict of this workspace or, for an operator, one for all that was given in it; None: there is none of that number here.

        One that has ended already stays as it ended, and is not new. Raises StorageError for others' wish to end an operator's.
        """
        async with self._write() as session:
            row = await find_channel(session, channel)
            said = select(Correction, Channel.workspace_id).join(Channel, col(Channel.id) == Correction.channel_id)
            found = (await session.exec(said.where(Correction.id == correction_id).with_for_update(of=Correction))).first()
            if row is None or found is None or found[1] != channel.workspace_id:
                return None
            correction = found[0]
            if correction.workspace_id is None and not is_operator:
                raise StorageError("An operator gave this verdict for every workspace, and operators alone withdraw it.")
            is_new = correction.withdrawn_at is None
            if is_new:
                correction.withdrawn_by, correction.withdrawn_at = by, self._now()
                await session.flush()
            return await self._result(session, row, correction, is_new=is_new)

    async def review(self, channel: ChannelKey, action_id: int, by: str) -> CardView | None:
        """Note that somebody looked at the action as it stands now. Twice by the same person is once. None: no such action."""
        now = self._now()
        async with self._write() as session:
            version = (await session.exec(select(Action.version).where(Action.id == action_id))).first()
            if version is None:
                return None
            row = await self._open(session, channel, by, now)
            looked = insert_for(session, Review).values(channel_id=row.id, action_id=action_id, version=version, made_by=by, made_at=now)
            await session.exec(looked.on_conflict_do_nothing())
            return await self._card(session, row, action_id)

    async def _card(self, session: AsyncSession, row: Channel, action_id: int) -> CardView | None:
        now = self._now()
        views = await load_cases(session, [action_id])
        if action_id not in views:
            return None
        place = channel_id(row)
        said = (await load_remarks(session, views, [(place, action_id)], now))[place, action_id]
        action = views.pop(action_id)
        ts = (await session.exec(select(Card.ts).where(Card.channel_id == place, Card.case_id == action.case_id))).first()
        return CardView(
            channel=await load_channel(session, place, now),
            action=action,
            case=tuple(views.values()),
            watched=(await load_watched(session, [place]))[place],
            ts=ts,
            corrections=said.corrections,
            reviews=said.reviews,
            muted_until=said.muted_until,
        )

    async def _result(self, session: AsyncSession, channel: Channel, row: Correction, *, is_new: bool) -> CorrectionResult:
        card = await self._card(session, channel, row.action_id)
        assert card is not None  # noqa: S101  # actions are never deleted
        posts = select(Channel.slack_id, Card.ts).join(Card, col(Card.channel_id) == Channel.id)
        own = posts.where(Channel.workspace_id == channel.workspace_id, Card.case_id == card.action.case_id)
        shown = (await session.exec(own.order_by(col(Card.id)))).all()
        firm = (await session.exec(select(Firm.name).where(Firm.id == row.firm_id))).first()
        return CorrectionResult(card, correction_view(row, firm), tuple((slack_id, ts) for slack_id, ts in shown), is_new)


def _told_by(intent: CorrectionIntent, action: ActionView) -> str:
    """What the same error will be known by: the title's key, or the names read as the firm, folded. Raises StorageError
    for a firm that the action does not have."""
    if intent.verdict is Verdict.NOT_RELEVANT:
        return title_key(action.title)
    if intent.verdict is Verdict.DUPLICATE:
        return ""
    names = {fold(row.surface) for row in action.firms if intent.firm_id and intent.firm_id in (row.firm_id, row.brand_id)}
    if not names:
        raise StorageError(f"{action.ref} names no firm {intent.firm_id!r}. Its firms: /regwatch action {action.ref}")
    return "\n".join(sorted(names))


async def _check_original(session: AsyncSession, intent: CorrectionIntent, whose: tuple[str | None, ...]) -> None:
    """Raise StorageError where two actions would be each other's duplicate: nothing would be told of either."""
    ref = action_ref(intent.action_id)
    if intent.of_action_id is None:
        raise StorageError(f"{ref} is a duplicate of which action? Give its number, like RW-1001.")
    of = action_ref(intent.of_action_id)
    if intent.of_action_id == intent.action_id:
        raise StorageError(f"{ref} cannot be a duplicate of itself. Give the number of the other one.")
    if not (await session.exec(select(Action.id).where(Action.id == intent.of_action_id))).first():
        raise StorageError(f"There is no action {of}.")
    held = select(Correction).where(Correction.verdict == Verdict.DUPLICATE, col(Correction.withdrawn_at).is_(None))
    repeats = {row.action_id: row.of_action_id for row in await session.exec(held) if row.workspace_id in whose}
    original: int | None = intent.of_action_id
    seen = {intent.action_id}
    while original is not None:
        if original in seen:
            raise StorageError(f"{of} was said to be a duplicate of {ref}. Withdraw that first, on the card of {of}.")
        seen.add(original)
        original = repeats.get(original)


async def _held(session: AsyncSession, intent: CorrectionIntent, whose: tuple[str | None, ...]) -> Correction | None:
    """The same verdict, if it holds already for those whom the intent is for."""
    held = select(Correction).where(
        Correction.action_id == intent.action_id, Correction.verdict == intent.verdict, col(Correction.withdrawn_at).is_(None)
    )
    for row in await session.exec(held.order_by(col(Correction.id))):
        is_same_firm = intent.verdict is not Verdict.WRONG_FIRM or row.firm_id == intent.firm_id
        is_same_original = intent.verdict is not Verdict.DUPLICATE or row.of_action_id == intent.of_action_id
        if row.workspace_id in whose and is_same_firm and is_same_original:
            return row
    return None


async def _of_workspace(session: AsyncSession, intent: CorrectionIntent, workspace_id: str | None) -> list[Correction]:
    """What holds of the same kind and from the same hand: it is said anew."""
    held = select(Correction).where(
        Correction.action_id == intent.action_id, Correction.verdict == intent.verdict, col(Correction.withdrawn_at).is_(None)
    )
    return [row for row in await session.exec(held) if row.workspace_id == workspace_id]
