"""What a channel is not told, because people said so: mutes of the channel, verdicts of its workspace or of an operator.

`load_silence` brings what holds now, in the session of a transaction that is under way; `Silence` answers from it and
touches no database. `owing` asks it before it owes, `digests` and `search` (why) ask it the same questions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.base import chunks
from storage.loading import load_actions
from storage.models import Action
from storage.records import action_ref
from storage.tenancy import MUTED_WHOLE, Channel, Correction, Mute, Subscription, Verdict
from storage.text import fold, title_key
from storage.views import ActionFirmView, ActionView

MUTED, WRONG_FIRM, NOT_RELEVANT = "muted", "wrong firm", "not relevant"
"""Why a message is waived. A duplicate's reason names what it repeats: "duplicate of RW-1001"."""


@dataclass(frozen=True, slots=True)
class Place:
    """A channel as far as it is spoken to: its workspace, its clock, its quiet hours."""

    workspace_id: str
    time_zone: str
    quiet_from: str | None
    quiet_to: str | None


@dataclass(frozen=True, slots=True)
class Held:
    """A verdict that holds, with what it was said about."""

    correction: Correction
    case_id: int
    of_case_id: int | None = None  # duplicate: the case of what is repeated
    action: ActionView | None = None  # not_relevant: the action, where another may be the same error

    @property
    def reason(self) -> str:
        """Why a message is waived for it."""
        if self.correction.verdict is Verdict.DUPLICATE:
            return f"duplicate of {action_ref(self.correction.of_action_id or 0)}"
        return NOT_RELEVANT if self.correction.verdict is Verdict.NOT_RELEVANT else WRONG_FIRM


@dataclass(frozen=True, slots=True)
class Silence:
    """What holds now for some actions in some channels. Made by `load_silence`."""

    places: Mapping[int, Place]  # by channel
    mutes: Mapping[int, Mapping[str, Mute]]  # by channel and key
    cases: Mapping[int, Sequence[Held]]  # verdicts on a case, by case
    twins: Mapping[str, Sequence[Held]]  # not relevant, by the title's key
    misread: Mapping[str, Sequence[Held]]  # wrong firm, by the firm

    def verdict(self, channel_id: int, action_id: int, case_id: int, view: ActionView | None) -> Held | None:
        """The verdict for which the channel is told nothing of this action; None: there is none.

        Not relevant: all of its case. Duplicate: all of its case, but the action alone where it repeats one of the same
        case. `view` is given for an action that the channel shows no card of: then it is asked too whether another of that
        regulator with that title, and with no firm that the other did not have, was not relevant.
        """
        workspace_id = self.places[channel_id].workspace_id
        for held in self.cases.get(case_id, ()):
            is_within = held.of_case_id == case_id
            if _holds(held, workspace_id) and (not is_within or held.correction.action_id == action_id):
                return held
        if view is None or not self.twins:
            return None
        for held in self.twins.get(title_key(view.title), ()):
            if _holds(held, workspace_id) and held.action and _repeats(view, held.action):
                return held
        return None

    def as_read(self, channel_id: int, view: ActionView) -> ActionView:
        """The action without the firms that are none: as somebody said of it, or of the name they are read by."""
        if not self.misread:
            return view
        workspace_id = self.places[channel_id].workspace_id
        kept = tuple(row for row in view.firms if self._error(workspace_id, view, row) is None)
        return view if len(kept) == len(view.firms) else replace(view, firms=kept)

    def errors(self, channel_id: int, view: ActionView) -> tuple[Held, ...]:
        """The verdicts by which firms of the action are none."""
        workspace_id = self.places[channel_id].workspace_id
        found = (self._error(workspace_id, view, row) for row in view.firms)
        return tuple({held.correction.id: held for held in found if held}.values())

    def _error(self, workspace_id: str, view: ActionView, row: ActionFirmView) -> Held | None:
        """In the action that was judged the firm is none by whatever name it is read; elsewhere by the names it had there."""
        name = fold(row.surface)
        for firm_id in _read_as(view, row):
            for held in self.misread.get(firm_id, ()):
                said = held.correction
                if _holds(held, workspace_id) and (said.action_id == view.id or name in said.folded.split("\n")):
                    return held
        return None

    def mute(self, channel_id: int, case_id: int, view: ActionView | None, rules: Sequence[Subscription]) -> Mute | None:
        """The mute for which the channel hears of this in its digest alone; None: there is none.

        A mute of the channel or of the case silences every rule. One of a firm silences the rules on firms, and only if
        all of them that speak of the action follow muted firms, or firms that are in it through muted ones alone: whoever
        follows a regulator or everything as well still hears of it.
        """
        mutes = self.mutes.get(channel_id, {})
        whole = mutes.get(MUTED_WHOLE) or mutes.get(f"case:{case_id}")
        if whole or not mutes or not rules:
            return whole
        found = [_mute_of(mutes, view, rule) for rule in rules]
        return found[0] if all(found) else None

    def mutes_of(self, channel_id: int, view: ActionView, watched: Collection[str]) -> tuple[Mute, ...]:
        """The mutes that touch an action: the channel's, its case's, those of its firms that are watched."""
        named = {one for row in view.firms for one in (row.firm_id, row.brand_id) if one in watched}
        keys = (MUTED_WHOLE, f"case:{view.case_id}", *(f"firm:{firm_id}" for firm_id in sorted(one for one in named if one)))
        mutes = self.mutes.get(channel_id, {})
        return tuple(mutes[key] for key in keys if key in mutes)


def _holds(held: Held, workspace_id: str) -> bool:
    return held.correction.workspace_id in (None, workspace_id)


def _read_as(view: ActionView, row: ActionFirmView) -> set[str]:
    """The firms that the name behind a row was read as: a row by ownership has the name of what belongs to it."""
    read = {one for one in (row.firm_id, row.brand_id) if one}
    if row.via:
        name = fold(row.surface)
        read |= {one.firm_id for one in view.firms if one.firm_id and not one.via and fold(one.surface) == name}
    return read


def _repeats(view: ActionView, judged: ActionView) -> bool:
    """Whether an action is the same error as one that was judged, but for the title: some regulators title all alike."""
    bodies = {body.id for body in view.regulators} & {body.id for body in judged.regulators}
    known = {firm.firm_id or firm.name for firm in judged.firms}
    return view.id != judged.id and bool(bodies) and all((firm.firm_id or firm.name) in known for firm in view.firms)


def _mute_of(mutes: Mapping[str, Mute], view: ActionView | None, rule: Subscription) -> Mute | None:
    if rule.firm_id is None:
        return None
    if (own := mutes.get(f"firm:{rule.firm_id}")) or view is None:
        return own
    rows = [row for row in view.firms if rule.firm_id in (row.firm_id, row.brand_id)]
    through = [[mutes[key] for one in sorted(_read_as(view, row)) if (key := f"firm:{one}") in mutes] for row in rows]
    return through[0][0] if through and all(through) else None


async def load_silence(
    session: AsyncSession, cases: Mapping[int, int], views: Mapping[int, ActionView], channel_ids: Collection[int], now: datetime
) -> Silence:
    """What holds for actions (id -> case) in channels. `views` are those of the actions whose titles and firms matter."""
    places: dict[int, Place] = {}
    mutes: dict[int, dict[str, Mute]] = defaultdict(dict)
    for some in chunks(channel_ids):
        for row in await session.exec(select(Channel).where(col(Channel.id).in_(some))):
            places[row.id or 0] = Place(row.workspace_id, row.time_zone, row.quiet_from, row.quiet_to)
        for mute in await session.exec(select(Mute).where(col(Mute.channel_id).in_(some), Mute.until > now)):
            mutes[mute.channel_id][mute.key] = mute
    firm_ids = {one for view in views.values() for firm in view.firms for one in (firm.firm_id, firm.brand_id) if one}
    return Silence(
        places,
        mutes,
        await _on_cases(session, set(cases.values())),
        await _on_titles(session, {title_key(view.title) for view in views.values()} - {""}),
        await _on_firms(session, firm_ids),
    )


async def _on_cases(session: AsyncSession, case_ids: Collection[int]) -> dict[int, list[Held]]:
    rows: list[tuple[Correction, int]] = []
    for some in chunks(case_ids):
        said = select(Correction, Action.case_id).join(Action, col(Action.id) == Correction.action_id)
        held = said.where(
            col(Action.case_id).in_(some), col(Correction.withdrawn_at).is_(None), col(Correction.verdict) != Verdict.WRONG_FIRM
        )
        rows += (await session.exec(held.order_by(col(Correction.id)))).all()
    repeated: dict[int | None, int] = {}
    for part in chunks({row.of_action_id for row, _ in rows if row.of_action_id is not None}):
        repeated |= dict((await session.exec(select(Action.id, Action.case_id).where(col(Action.id).in_(part)))).all())
    found: dict[int, list[Held]] = defaultdict(list)
    for row, case_id in rows:
        found[case_id].append(Held(row, case_id, repeated.get(row.of_action_id)))
    return found


async def _on_titles(session: AsyncSession, keys: Collection[str]) -> dict[str, list[Held]]:
    rows: list[Correction] = []
    for some in chunks(keys):
        said = select(Correction).where(col(Correction.folded).in_(some), col(Correction.withdrawn_at).is_(None))
        rows += (await session.exec(said.where(Correction.verdict == Verdict.NOT_RELEVANT).order_by(col(Correction.id)))).all()
    judged = await load_actions(session, sorted({row.action_id for row in rows}))
    found: dict[str, list[Held]] = defaultdict(list)
    for row in rows:
        action = judged[row.action_id]
        found[row.folded].append(Held(row, action.case_id, action=action))
    return found


async def _on_firms(session: AsyncSession, firm_ids: Collection[str]) -> dict[str, list[Held]]:
    found: dict[str, list[Held]] = defaultdict(list)
    for some in chunks(firm_ids):
        said = select(Correction, Action.case_id).join(Action, col(Action.id) == Correction.action_id)
        held = said.where(col(Correction.firm_id).in_(some), col(Correction.withdrawn_at).is_(None))
        for row, case_id in await session.exec(held.where(Correction.verdict == Verdict.WRONG_FIRM).order_by(col(Correction.id))):
            found[row.firm_id or ""].append(Held(row, case_id))
    return found
