"""The actions that one poll touches: those on record that its readings may belong to, and the new ones.

Used by `ingest` inside its transaction: `load` brings what joining looks at, `tell` works through one document
in memory (the decisions are `joining`'s), `write` puts everything down in batches and says what moved.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time
from typing import Any

from sqlalchemy import and_, or_
from sqlalchemy.orm import defer
from sqlmodel import SQLModel, col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.base import chunks, insert_rows
from storage.draft import (
    CaseDraft,
    Draft,
    Listed,
    Paper,
    Telling,
    amount_row,
    draft_of,
    firm_row,
    known_id,
    list_firm,
    money_of,
    paper_told,
    shape_told,
    state_told,
)
from storage.joining import (
    DAYS_APART,
    PARTED,
    Money,
    Move,
    Shape,
    Weight,
    best_join,
    changes,
    combine_firms,
    is_escalation,
    is_of_cited_case,
    is_of_numbered_case,
    link_keys,
    links_cited,
    merge,
    others_cited,
    pair_readings,
    spans,
    status_after,
    title_of,
)
from storage.models import Action, ActionDocument, ActionFirm, ActionRegulator, Amount, Case, Document, Evidence, Mention, Status, Tier
from storage.records import FoundAction, FoundFirm
from storage.tenancy import Change
from storage.text import fold


class Casebook:
    """The actions of one poll, within one transaction."""

    def __init__(self, session: AsyncSession, now: datetime) -> None:
        self._session = session
        self._now = now
        self._drafts: list[Draft] = []
        self._places: dict[int, int] = {}  # id(draft) -> its place
        self._by_number: dict[str, list[Draft]] = defaultdict(list)
        self._by_day: dict[tuple[str, str, int], list[Draft]] = defaultdict(list)
        self._by_document: dict[int, list[Draft]] = defaultdict(list)
        self._by_url: dict[str, list[Draft]] = defaultdict(list)
        self._cases: dict[int, list[Draft]] = defaultdict(list)  # id(case) -> its actions
        self._known_cases: dict[int, CaseDraft] = {}
        self._named: dict[int, set[str]] = {}  # document -> the firms it names
        self._identified: dict[int, set[str]] = {}  # document -> those of them that are in the register
        self.unsaid = 0
        """Actions that lost their firms because their only document, read again, does not tell of them."""

    async def load(self, tellings: Sequence[Telling]) -> None:
        """Bring the actions on record that these documents may tell of, continue or cite, with their whole cases."""
        found = [(telling, action) for telling in tellings for action in telling.entry.extraction.actions]
        edited = [telling.document_id for telling in tellings if telling.is_edit]
        acting = [telling.entry.extraction for telling in tellings if telling.entry.extraction.actions]
        numbers = {action.number for _, action in found if action.number}
        numbers |= {number for extraction in acting for number in extraction.cited_numbers}
        urls = {key for extraction in acting for url in extraction.cited_urls for key in link_keys(url)}
        ids: set[int] = set()
        leads = [col(ActionDocument.document_id).in_(chunk) for chunk in chunks(edited)]
        leads += [col(Document.number).in_(chunk) for chunk in chunks(numbers)]
        leads += [col(Document.canonical_url).in_(chunk) for chunk in chunks(urls)]
        for lead in leads:
            told = select(ActionDocument.action_id).join(Document, col(Document.id) == ActionDocument.document_id).where(lead)
            ids.update(await self._ids(told))
        for some in chunks(numbers):
            ids.update(await self._ids(select(Action.id).where(col(Action.number).in_(some))))
        ids.update(await self._near([shape_told(telling, action) for telling, action in found]))
        for chunk in chunks(ids):
            cases = select(Action.case_id).where(col(Action.id).in_(chunk))
            ids = ids | set(await self._ids(select(Action.id).where(col(Action.case_id).in_(cases))))
        for chunk in chunks(sorted(ids)):
            await self._load_chunk(chunk)
        await self._load_names(edited)

    async def _ids(self, query: Any) -> Sequence[int]:
        found: Sequence[int] = (await self._session.exec(query)).all()
        return found

    async def _near(self, shapes: Sequence[Shape]) -> set[int]:
        """Actions of the same regulators and kinds within some days of these."""
        dated = [shape for shape in shapes if shape.on]
        if not dated:
            return set()
        kinds = {shape.kind for shape in dated}
        bodies = {body for shape in dated for body in shape.regulators}
        stretches = spans(shape.on for shape in dated if shape.on)
        seconds = [(datetime.combine(first, time.min, UTC), datetime.combine(last, time.max, UTC)) for first, last in stretches]
        query = (
            select(Action.id)
            .join(ActionRegulator, col(ActionRegulator.action_id) == Action.id)
            .where(
                col(ActionRegulator.regulator_id).in_(bodies),
                col(Action.kind).in_(kinds),
                or_(
                    *(col(Action.decided_on).between(first, last) for first, last in stretches),
                    *(and_(col(Action.decided_on).is_(None), col(Action.published_at).between(first, last)) for first, last in seconds),
                ),
            )
        )
        return set(await self._ids(query))

    async def _load_chunk(self, ids: Sequence[int]) -> None:
        session = self._session
        drafts: dict[int, Draft] = {}
        amounts: dict[int, tuple[Money, ...]] = defaultdict(tuple)
        for amount in await session.exec(select(Amount).where(col(Amount.action_id).in_(ids)).order_by(col(Amount.id))):
            amounts[amount.action_id] += (money_of(amount),)
        rows = select(Action, Case.number).join(Case, col(Case.id) == Action.case_id).where(col(Action.id).in_(ids))
        for row, number in await session.exec(rows.order_by(col(Action.id))):
            case = self._known_cases.setdefault(row.case_id, CaseDraft(row.case_id, number, number))
            drafts[known_id(row.id)] = draft_of(row, case, amounts[known_id(row.id)])
        bodies = select(ActionRegulator).where(col(ActionRegulator.action_id).in_(ids))
        for body in await session.exec(bodies.order_by(col(ActionRegulator.is_first).desc(), ActionRegulator.regulator_id)):
            drafts[body.action_id].regulators.append(body.regulator_id)
        for firm in await session.exec(select(ActionFirm).where(col(ActionFirm.action_id).in_(ids)).order_by(col(ActionFirm.id))):
            drafts[firm.action_id].firms.append(
                Listed(firm.id, firm.firm_id, firm.name, firm.surface, firm.role, firm.via, firm.brand_id, firm.rule, firm.document_id)
            )
        papers = (
            select(ActionDocument.action_id, Document)
            .options(defer(Document.text))  # type: ignore[arg-type]
            .join(Document, col(Document.id) == ActionDocument.document_id)
            .where(col(ActionDocument.action_id).in_(ids))
            .order_by(col(Document.id))
        )
        for action_id, document in await session.exec(papers):
            draft, document_id = drafts[action_id], known_id(document.id)
            draft.papers[document_id] = Paper(document_id, document.tier, title_of(document.title, document.language, document.tier))
            self._by_document[document_id].append(draft)
            self._by_url[document.canonical_url].append(draft)
            if document.number and document.number != draft.number:
                self._by_number[document.number].append(draft)
        for draft in drafts.values():
            draft.before, draft.names_before, draft.row_before = draft.state, draft.names, draft.row
            self._keep(draft)

    async def _load_names(self, edited: Sequence[int]) -> None:
        """What the other documents of the edited ones' actions name: a firm goes only when none of them does."""
        others = {paper for document_id in edited for draft in self._by_document[document_id] for paper in draft.papers}
        for chunk in chunks(others):
            names = select(Mention.document_id, Mention.name, Mention.firm_id).where(col(Mention.document_id).in_(chunk))
            for document_id, name, firm_id in await self._session.exec(names):
                self._named.setdefault(document_id, set()).add(name)
                if firm_id is not None:
                    self._identified.setdefault(document_id, set()).add(name)

    def _keep(self, draft: Draft) -> None:
        """Make an action findable under what it is now."""
        if id(draft) not in self._places:
            self._places[id(draft)] = len(self._drafts)
            self._drafts.append(draft)
            self._cases[id(draft.case)].append(draft)
        shape = draft.shape
        if shape.number and draft not in self._by_number[shape.number]:
            self._by_number[shape.number].append(draft)
        if shape.on:
            for body in shape.regulators:
                others = self._by_day[shape.kind, body, shape.on.toordinal()]
                if draft not in others:
                    others.append(draft)

    def tell(self, telling: Telling) -> None:
        """Work one document through: its actions are those it told of before, or join others, or are new."""
        entry = telling.entry
        own = list(self._by_document[telling.document_id]) if telling.is_edit else []
        shapes = [shape_told(telling, found) for found in entry.extraction.actions]
        pairs = pair_readings(shapes, [draft.shape for draft in own]) if own else {}
        for at, (shape, found) in enumerate(zip(shapes, entry.extraction.actions, strict=True)):
            if at in pairs:
                self._reread(own[pairs[at]], telling, found)
                continue
            candidates = self._candidates(shape, telling.document_id)
            joined = best_join(shape, [draft.shape for draft in candidates])
            if joined:
                self._join(candidates[joined[0]], telling, found, joined[1].reason)
            else:
                self._open(telling, found, shape)
        if telling.is_reread:
            for place, draft in enumerate(own):
                if place not in pairs.values():
                    self._unsay(draft, telling)

    def actions_of(self, document_id: int) -> set[int]:
        """The ids of the actions that a document tells of, once they are written."""
        return {known_id(draft.id) for draft in self._by_document[document_id]}

    def _candidates(self, shape: Shape, document_id: int) -> list[Draft]:
        """What the reading may belong to, earliest first. Several actions of one document are never one."""
        found = {id(draft): draft for draft in (self._by_number.get(shape.number, ()) if shape.number else ())}
        if shape.on:
            for days in range(-DAYS_APART, DAYS_APART + 1):
                for body in shape.regulators:
                    found.update((id(draft), draft) for draft in self._by_day.get((shape.kind, body, shape.on.toordinal() + days), ()))
        return sorted((draft for draft in found.values() if document_id not in draft.papers), key=lambda draft: self._places[id(draft)])

    def _reread(self, draft: Draft, telling: Telling, found: FoundAction) -> None:
        draft.reread.add(telling.document_id)
        is_deciding = draft.best_paper == telling.document_id
        draft.papers[telling.document_id] = paper_told(telling)
        combined = combine_firms(found.firms)
        _recognise(draft, combined)
        self._forget(draft, telling.document_id, combined)
        if is_deciding:
            kept = {(firm.name, firm.brand_id) for firm in combined}
            elsewhere = {name for paper in draft.papers if paper != telling.document_id for name in self._named.get(paper, ())}
            gone = [firm for firm in draft.firms if (firm.name, firm.brand_id) not in kept and firm.name not in elsewhere]
            draft.dropped += [firm.id for firm in gone if firm.id is not None]
            draft.firms = [firm for firm in draft.firms if firm not in gone]
        if len(draft.papers) == 1:  # nobody else has a say in it
            roles = {(one.name, one.brand_id): one.role for one in combined}
            for firm in draft.firms:
                role = roles.get((firm.name, firm.brand_id), firm.role)
                firm.role, firm.is_changed = role, firm.is_changed or role is not firm.role
            draft.published_at, draft.published_precision = telling.entry.published_at, telling.entry.published_precision
        self._absorb(draft, telling, found, Weight.DECIDES if is_deciding else Weight.FILLS)

    def _forget(self, draft: Draft, document_id: int, found: Sequence[FoundFirm]) -> None:
        """Let firms whose names no document reads as theirs any more be raw names again: a name was taken from them."""
        raw = {one.name for one in found if one.firm_id is None}
        identified = {name for paper in draft.papers if paper != document_id for name in self._identified.get(paper, ())}
        for firm in draft.firms:
            if firm.firm_id is not None and firm.name in raw - identified and firm.brand_id is None:
                firm.firm_id, firm.is_changed = None, True

    def _unsay(self, draft: Draft, telling: Telling) -> None:
        """An act that the reader no longer sees in the text that it was read from: nobody is in it any more."""
        if len(draft.papers) > 1 or not draft.firms:
            return
        draft.dropped += [firm.id for firm in draft.firms if firm.id is not None]
        draft.firms = []
        draft.waivers.append(telling.entry.waived)
        self.unsaid += 1

    def _join(self, draft: Draft, telling: Telling, found: FoundAction, reason: str) -> None:
        is_official = telling.tier is Tier.PRIMARY
        weight = Weight.FILLS if not is_official else Weight.ADDS if draft.state.is_confirmed else Weight.DECIDES
        draft.papers[telling.document_id] = paper_told(telling)
        self._attach(draft, telling, reason)
        self._absorb(draft, telling, found, weight)

    def _open(self, telling: Telling, found: FoundAction, shape: Shape) -> None:
        """A new action, in a case of its own unless a number or a citation leads to a known one."""
        entry = telling.entry
        case, reason = self._case_of(telling, shape)
        draft = Draft(
            id=None,
            case=case or CaseDraft(None, found.number),
            state=state_told(telling, found),
            title=entry.title,
            number=found.number,
            published_at=entry.published_at,
            published_precision=entry.published_precision,
            first_seen_at=self._now,
            case_reason=reason,
        )
        draft.papers[telling.document_id] = paper_told(telling)
        self._attach(draft, telling, "opened it")
        earlier = [one for one in self._cases[id(case)] if telling.document_id not in one.papers] if case else []
        self._absorb(draft, telling, found, Weight.DECIDES)
        draft.is_escalation = bool(earlier) and is_escalation(found.kind, (one.state.kind for one in earlier))
        for one in earlier:
            status = status_after(found.kind, one.state.kind, one.state.status)
            one.aside += [entry.waived] if status is not one.state.status else []
            one.state = replace(one.state, status=status)

    def _attach(self, draft: Draft, telling: Telling, reason: str) -> None:
        draft.added.append((ActionDocument, {"document_id": telling.document_id, "reason": reason, "joined_at": self._now}))

    def _case_of(self, telling: Telling, shape: Shape) -> tuple[CaseDraft | None, str]:
        for draft in self._led_by(shape.number) if shape.number else ():
            if is_of_numbered_case(shape, [one.shape for one in self._cases[id(draft.case)]]):
                return draft.case, f"number {shape.number}"
        extraction = telling.entry.extraction
        numbers = others_cited(shape.number, extraction.cited_numbers, self._by_number)
        urls = links_cited(extraction.cited_urls, telling.entry.canonical_url, self._by_url)
        leads = [(draft, f"cites {number}") for number in numbers for draft in self._led_by(number)]
        leads += [(draft, f"links {url}") for url in urls for key in link_keys(url) for draft in self._by_url.get(key, ())]
        cited: dict[int, tuple[CaseDraft, str]] = {}
        for draft, reason in leads:
            case = draft.case
            is_other = telling.document_id not in draft.papers
            if is_other and id(case) not in cited and is_of_cited_case(shape, [one.shape for one in self._cases[id(case)]]):
                cited[id(case)] = (case, reason)
        return next(iter(cited.values())) if len(cited) == 1 else (None, "")

    def _led_by(self, number: str) -> list[Draft]:
        """The actions to whose case a number leads: those that an operator parted from it only where there is no other."""
        found = self._by_number.get(number, [])
        return [draft for draft in found if draft.case_reason != PARTED] or found

    def _absorb(self, draft: Draft, telling: Telling, found: FoundAction, weight: Weight) -> None:
        """Let one document tell its action what it says."""
        entry = telling.entry
        draft.state = merge(draft.state, state_told(telling, found), weight)
        bodies = [body.regulator_id for body in found.regulators if body.regulator_id]
        if not found.regulators and not draft.regulators and telling.regulator_id:
            bodies = [telling.regulator_id]
        for body in dict.fromkeys(bodies):
            if body not in draft.regulators:
                draft.added.append((ActionRegulator, {"regulator_id": body, "is_first": not draft.regulators}))
                draft.regulators.append(body)
        for firm in combine_firms(found.firms):
            list_firm(draft, firm, telling.document_id)
        draft.number = draft.number or found.number
        draft.case.number = draft.case.number or found.number
        if draft.best_paper == telling.document_id:
            draft.title = entry.title
        if entry.published_at and (draft.published_at is None or entry.published_at < draft.published_at):
            draft.published_at, draft.published_precision = entry.published_at, entry.published_precision
        for piece in found.evidence:
            where = {"document_id": telling.document_id, "sha256": entry.sha256}
            said = {"field": piece.field, "text": piece.text, "start": piece.start, "end": piece.end}
            draft.added.append((Evidence, where | said))
        draft.waivers.append(entry.waived or ("" if found.evidence else "no evidence"))
        if draft not in self._by_document[telling.document_id]:
            self._by_document[telling.document_id].append(draft)
        if entry.canonical_url and draft not in self._by_url[entry.canonical_url]:
            self._by_url[entry.canonical_url].append(draft)
        self._keep(draft)

    async def write(self) -> tuple[Move, ...]:
        """Put down what changed, and say what moved: new actions, and versions that rose by a document's word."""
        session = self._session
        new = [draft for draft in self._drafts if draft.id is None]
        opened = list({id(draft.case): draft.case for draft in new if draft.case.id is None}.values())
        case_ids = await insert_rows(session, Case, [{"opened_at": self._now, "number": case.number} for case in opened])
        for case, case_id in zip(opened, case_ids, strict=True):
            case.id, case.number_before = case_id, case.number
        for draft, action_id in zip(new, await insert_rows(session, Action, [draft.row for draft in new]), strict=True):
            draft.id = action_id
        rows: dict[type[SQLModel], list[dict[str, Any]]] = defaultdict(list)
        moves = [move for draft in self._drafts if (move := self._settle(draft, rows))]
        await self._update()
        for table, added in rows.items():
            await insert_rows(session, table, added, is_id_wanted=False)
        return tuple(moves)

    def _settle(self, draft: Draft, rows: dict[type[SQLModel], list[dict[str, Any]]]) -> Move | None:
        """Collect the rows of one action, raise its version if a reader sees a change, and say whether it moved."""
        action_id, before, after = known_id(draft.id), draft.before, draft.state
        for table, row in draft.added:
            rows[table].append({"action_id": action_id, **row})
        rows[ActionFirm] += [firm_row(draft, firm) for firm in draft.firms if firm.id is None]
        if before is None or before.amounts != after.amounts:
            rows[Amount] += [amount_row(action_id, money) for money in after.amounts]
        if before:
            seen = changes(before, after, draft.names_before, draft.names)
            if not seen:
                return None
            draft.version += 1
            rows[Change] += [self._change_row(action_id, draft.version, *one) for one in seen]
            is_severer = after.kind is not before.kind and is_escalation(after.kind, [before.kind])
            is_annulled = after.status is Status.ANNULLED and before.status is not Status.ANNULLED
            draft.is_escalation = is_severer or is_annulled
        waivers = draft.waivers or draft.aside
        if not waivers:
            return None
        return Move(
            action_id=action_id,
            case_id=known_id(draft.case.id),
            version=draft.version,
            is_new=before is None,
            is_escalation=draft.is_escalation,
            waived="" if "" in waivers else waivers[0],
            keys=draft.keys,
            is_nameless=after.stated_count is not None and not draft.names,
            is_aside=not draft.waivers,
        )

    def _change_row(self, action_id: int, version: int, what: str, before: str, after: str) -> dict[str, Any]:
        return {
            "workspace_id": None,
            "subject": f"action:{action_id}",
            "made_by": "regwatch",
            "made_at": self._now,
            "what": what,
            "before": before,
            "after": after,
            "version": version,
        }

    async def _update(self) -> None:
        """Bring the rows that were on record to what they are now, and take away what was read anew."""
        session = self._session
        for case in self._known_cases.values():
            if case.number != case.number_before:
                await session.exec(update(Case).where(col(Case.id) == case.id).values(number=case.number))
        for draft in self._drafts:
            if draft.before is None:
                continue
            if draft.row != draft.row_before:
                await session.exec(update(Action).where(col(Action.id) == draft.id).values(**draft.row))
            for firm in draft.firms:
                if firm.id is not None and firm.is_changed:
                    await session.exec(update(ActionFirm).where(col(ActionFirm.id) == firm.id).values(**firm_row(draft, firm)))
            if draft.reread:
                stale = delete(Evidence).where(col(Evidence.action_id) == draft.id, col(Evidence.document_id).in_(draft.reread))
                await session.exec(stale)
            if draft.before.amounts != draft.state.amounts:
                await session.exec(delete(Amount).where(col(Amount.action_id) == draft.id))
            if draft.dropped:
                await session.exec(delete(ActionFirm).where(col(ActionFirm.id).in_(draft.dropped)))


def _recognise(draft: Draft, found: Sequence[FoundFirm]) -> None:
    """Let names on an action's list that were in no register be those of the firms as which they are read now."""
    for one in found:
        raw = next((firm for firm in draft.firms if firm.firm_id is None and fold(firm.name) == fold(one.surface)), None)
        if raw is None or one.firm_id is None:
            continue
        if any((firm.firm_id, firm.brand_id) == (one.firm_id, one.brand_id) for firm in draft.firms):
            draft.firms.remove(raw)
            draft.dropped += [raw.id] if raw.id is not None else []
        else:
            raw.firm_id, raw.name, raw.surface, raw.brand_id, raw.via = one.firm_id, one.name, one.surface, one.brand_id, one.via
            raw.is_changed = True
