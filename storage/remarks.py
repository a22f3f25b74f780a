"""What stands on a card beside the action: the verdicts and reviews that people gave, and until when it is muted.

`outbox` draws deliveries with it, `corrections` the cards that people click on: both see the same case in the same way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.base import chunks
from storage.loading import load_actions
from storage.models import Action, Firm
from storage.silence import load_silence
from storage.tenancy import Correction, Review, Subscription
from storage.views import ActionView, CorrectionView, ReviewView


@dataclass(frozen=True, slots=True)
class Remarks:
    """What people said of the actions of one case, as one channel sees it."""

    corrections: tuple[CorrectionView, ...] = ()
    reviews: tuple[ReviewView, ...] = ()
    muted_until: datetime | None = None


async def load_cases(session: AsyncSession, ids: Sequence[int]) -> dict[int, ActionView]:
    """These actions and all others of their cases, oldest first."""
    if not ids:
        return {}
    cases = select(Action.case_id).where(col(Action.id).in_(ids))
    whole = (await session.exec(select(Action.id).where(col(Action.case_id).in_(cases)).order_by(col(Action.id)))).all()
    return await load_actions(session, [one for one in whole if one is not None])


async def load_watched(session: AsyncSession, channel_ids: Collection[int]) -> dict[int, frozenset[str]]:
    """The firms that each of these channels follows."""
    found: dict[int, set[str]] = {channel_id: set() for channel_id in channel_ids}
    for some in chunks(channel_ids):
        for rule in await session.exec(select(Subscription).where(col(Subscription.channel_id).in_(some))):
            found[rule.channel_id].update([rule.firm_id] if rule.firm_id else [])
    return {channel_id: frozenset(firms) for channel_id, firms in found.items()}


async def load_remarks(
    session: AsyncSession, views: Mapping[int, ActionView], shown: Sequence[tuple[int, int]], now: datetime
) -> dict[tuple[int, int], Remarks]:
    """What was said of cases as channels see them: (channel, action) -> remarks on any action of its case. All actions of the
    cases must be in `views`."""
    asked = list(shown)
    cases: dict[int, list[int]] = defaultdict(list)
    for view in views.values():
        cases[view.case_id].append(view.id)
    shown = [(channel_id, one) for channel_id, action_id in asked for one in cases[views[action_id].case_id]]
    channel_ids, action_ids = {channel_id for channel_id, _ in shown}, {action_id for _, action_id in shown}
    silence = await load_silence(session, {}, {}, channel_ids, now)
    watched = await load_watched(session, channel_ids)
    reviews: dict[tuple[int, int], list[ReviewView]] = defaultdict(list)
    verdicts: dict[int, list[tuple[str | None, CorrectionView]]] = defaultdict(list)
    for some in chunks(action_ids):
        looked = select(Review).where(col(Review.action_id).in_(some), col(Review.channel_id).in_(channel_ids)).order_by(col(Review.id))
        for row in await session.exec(looked):
            reviews[row.channel_id, row.action_id].append(ReviewView(row.made_by, row.made_at, row.version, row.action_id))
        said = select(Correction, Firm.name).join(Firm, col(Firm.id) == Correction.firm_id, isouter=True)
        held = said.where(col(Correction.action_id).in_(some), col(Correction.withdrawn_at).is_(None)).order_by(col(Correction.id))
        for correction, firm in await session.exec(held):
            verdicts[correction.action_id].append((correction.workspace_id, correction_view(correction, firm)))
    found = {}
    for channel_id, action_id in asked:
        together = cases[views[action_id].case_id]
        workspace_id = silence.places[channel_id].workspace_id
        mutes = silence.mutes_of(channel_id, views[action_id], watched[channel_id])
        found[channel_id, action_id] = Remarks(
            corrections=tuple(view for one in together for whose, view in verdicts[one] if whose in (None, workspace_id)),
            reviews=tuple(sorted((view for one in together for view in reviews[channel_id, one]), key=lambda view: view.at)),
            muted_until=max((mute.until for mute in mutes), default=None),
        )
    return found


def correction_view(row: Correction, firm: str | None) -> CorrectionView:
    """A verdict as a card tells it; `firm` is the name of the one that is not meant."""
    assert row.id is not None  # noqa: S101  # of a row that was written
    is_for_all = row.workspace_id is None
    return CorrectionView(row.id, row.verdict, row.made_by, row.made_at, row.reason, firm, row.of_action_id, is_for_all, row.action_id)
