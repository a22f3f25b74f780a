"""Answers to questions: actions by filter, one action, why it did or did not reach a channel, and what was read.

What is said about a filter comes from `filters.Filter`; what is counted and listed, from `loading.matching`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Integer, String, and_, bindparam, func
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.base import Base
from storage.filters import Filter
from storage.joining import PARTED
from storage.loading import (
    facts,
    is_brand_hit,
    is_fresh,
    load_actions,
    load_channel,
    load_coverage,
    load_subscriptions,
    newest,
    passing,
    source_row,
)
from storage.models import (
    Action,
    ActionDocument,
    DeliveryKind,
    DeliveryState,
    Document,
    Evidence,
    Firm,
    Followed,
    Mention,
    Poll,
    Regulator,
    Source,
)
from storage.owing import standing
from storage.records import DocumentText, SourceRow, StoredText, action_ref
from storage.silence import Held, load_silence
from storage.tenancy import Change, Channel, Delivery, Mute, Subscription
from storage.views import (
    ActionDetail,
    ActionPage,
    ActionQuery,
    ActionView,
    ChangeView,
    Coverage,
    EvidenceView,
    SourceView,
    SubscriptionView,
    WhyLine,
    WhyView,
)

_COUNTED: Mapping[str, type[SQLModel]] = {
    "polls": Poll,
    "documents": Document,
    "actions": Action,
    "firms": Firm,
    "sources": Source,
    "regulators": Regulator,
    "subscriptions": Subscription,
}


class SearchStore(Base):
    """Questions. None of them writes."""

    async def actions(self, query: ActionQuery) -> ActionPage:
        """Actions that pass the filter, the newest by their own date first. A brand is asked for like a firm.

        No default is added to the filter. When nothing lies in the span that `since:` asks for, the page is the
        newest older action alone, with `is_older` set and a total of 0. Targets and groups are the firm's: 0 without one.
        """
        now = self._now()
        today = now.date()
        async with self._read() as session:
            total, targets, groups, ids = await _page(session, query, today)
            is_older = False
            if not total and query.filter.values("since"):
                spanless = Filter(tuple(term for term in query.filter.terms if term.key != "since"))
                ids = (await _page(session, replace(query, filter=spanless, limit=1, offset=0), today))[-1]
                is_older = bool(ids)
            views = await load_actions(session, ids)
            coverage = await load_coverage(session, query.filter, now)
        return ActionPage(tuple(views.values()), total, targets, groups, is_older, coverage)

    async def action(self, action_id: int) -> ActionDetail | None:
        """One action with its evidence, its case and its changes; None: no such action."""
        now = self._now()
        async with self._read() as session:
            found = (await load_actions(session, [action_id])).get(action_id)
            if found is None:
                return None
            evidence = await session.exec(select(Evidence).where(Evidence.action_id == action_id).order_by(col(Evidence.id)))
            changes = await session.exec(select(Change).where(Change.subject == f"action:{action_id}").order_by(col(Change.id)))
            others = await newest(session, and_(col(Action.case_id) == found.case_id, col(Action.id) != action_id), limit=None)
            case = await load_actions(session, others[::-1])
            return ActionDetail(
                action=found,
                evidence=tuple(EvidenceView(row.field, row.text, row.document_id) for row in evidence),
                case=tuple(case.values()),
                changes=tuple(ChangeView(row.made_at, row.made_by, row.what, row.before, row.after, row.version) for row in changes),
                coverage=await load_coverage(session, Filter(), now),
            )

    async def why(self, action_id: int, workspace_id: str, slack_id: str | None) -> WhyView | None:
        """Why an action did or did not reach a channel, step by step; None: no such action.

        Without a channel, or for one that follows nothing here, the lines about names, roles, ownership and merges
        remain.
        """
        now = self._now()
        today = now.date()
        async with self._read() as session:
            found = (await load_actions(session, [action_id])).get(action_id)
            if found is None:
                return None
            lines = await _name_lines(session, found)
            lines += await _merge_lines(session, found)
            own = select(Channel.id).where(Channel.workspace_id == workspace_id, Channel.slack_id == slack_id)
            channel_id = (await session.exec(own)).first() if slack_id else None
            if channel_id is None:
                if slack_id:
                    lines.append(WhyLine("subscription", "this channel follows nothing", False))
                return WhyView(found, None, tuple(lines))
            subscriptions = await load_subscriptions(session, channel_id, today)
            silence = await load_silence(session, {action_id: found.case_id}, {action_id: found}, [channel_id], now)
            read = silence.as_read(channel_id, found)
            lines += [line for subscription in subscriptions for line in _subscription_lines(subscription, found, read, today)]
            if not subscriptions:
                lines.append(WhyLine("subscription", "this channel follows nothing", False))
            posted, _ = await standing(session, {found.case_id})
            verdict = silence.verdict(channel_id, action_id, found.case_id, None if (found.case_id, channel_id) in posted else found)
            lines += [_verdict_line(held, found) for held in (*((verdict,) if verdict else ()), *silence.errors(channel_id, found))]
            watched = {subscription.firm.firm_id for subscription in subscriptions if subscription.firm}
            lines += [_mute_line(mute, found) for mute in silence.mutes_of(channel_id, found, watched)]
            lines += await _delivery_lines(session, action_id, channel_id)
            return WhyView(found, await load_channel(session, channel_id, now), tuple(lines))

    async def sources(self, regulator_id: str | None = None) -> tuple[SourceView, ...]:
        """The state of all sources, or of one regulator's."""
        now = self._now()
        counted = select(Document.source_id, func.count()).group_by(Document.source_id)
        listed = select(Source, Regulator).join(Regulator, col(Regulator.id) == Source.regulator_id, isouter=True)
        if regulator_id is not None:
            listed = listed.where(Source.regulator_id == regulator_id)
        async with self._read() as session:
            documents = dict((await session.exec(counted)).all())
            rows = (await session.exec(listed.order_by(Source.id))).all()
        return tuple(_source_view(source, regulator, documents.get(source.id, 0), now) for source, regulator in rows)

    async def source_rows(self, *, is_own: bool = False) -> tuple[SourceRow, ...]:
        """All sources as they are defined, or those alone that an operator imported."""
        listed = select(Source).order_by(Source.id)
        if is_own:
            listed = listed.where(col(Source.is_own))
        async with self._read() as session:
            return tuple(source_row(row) for row in await session.exec(listed))

    async def coverage(self, filter: Filter = Filter()) -> Coverage:  # noqa: B008  # it is frozen
        """How many of the polled sources that the filter leaves in are fresh, and what is wrong with the others."""
        async with self._read() as session:
            return await load_coverage(session, filter, self._now())

    async def texts(
        self, after: int = 0, limit: int = 200, since: date | None = None, source_id: str | None = None
    ) -> tuple[StoredText, ...]:
        """Stored documents (of one source) to be read again, in the order of their ids and those after one: a batch.

        `since`: published that day or later; first seen, where no date of publication is known.
        """
        zone = select(Regulator.time_zone).where(Regulator.id == Document.regulator_id).scalar_subquery()
        wanted = select(Document, zone).where(col(Document.id) > after).order_by(col(Document.id)).limit(limit)
        if source_id is not None:
            wanted = wanted.where(Document.source_id == source_id)
        if since is not None:
            start = datetime(since.year, since.month, since.day, tzinfo=UTC)
            wanted = wanted.where(func.coalesce(Document.published_at, Document.first_seen_at) >= start)
        async with self._read() as session:
            return tuple(stored_text(row, zone or "UTC") for row, zone in await session.exec(wanted))

    async def counts(self) -> Mapping[str, int]:
        """How many rows there are of each noun, of deliveries by state (`deliveries_owed`, ...), and of alerts not waived."""
        async with self._read() as session:
            found = {name: (await session.exec(select(func.count()).select_from(table))).one() for name, table in _COUNTED.items()}
            # what is posted to a person is no channel that follows anything
            places = select(func.count()).select_from(Channel).where(func.substr(Channel.slack_id, 1, 1).not_in(("U", "W")))
            found["channels"] = (await session.exec(places)).one()
            # one that was joined to another by hand has no actions any more
            found["cases"] = (await session.exec(select(func.count(func.distinct(Action.case_id))))).one()
            states = dict((await session.exec(select(Delivery.state, func.count()).group_by(Delivery.state))).all())
            alerts = select(func.count()).where(Delivery.kind == DeliveryKind.ALERT, Delivery.state != DeliveryState.WAIVED)
            found["alerts"] = (await session.exec(alerts)).one()
        return found | {f"deliveries_{state.value}": states.get(state, 0) for state in DeliveryState}


async def _page(session: AsyncSession, query: ActionQuery, today: date) -> tuple[int, int, int, list[int]]:
    """How many actions there are, how many with the firm as target and as group, and the ids of a page, the newest first."""
    is_brand = await is_brand_hit(session, query.firm_id)
    counted, listed = _statements(query.firm_id is not None, is_brand, query.filter, today)
    asked = {} if query.firm_id is None else {"firm_id": query.firm_id}
    total, targets, groups = (await session.exec(counted, params=asked)).one()
    if total <= query.offset:
        return total, targets or 0, groups or 0, []
    ids = await session.exec(listed, params={**asked, "limit": query.limit, "offset": query.offset})
    return total, targets, groups, [row[0] for row in ids]


@lru_cache(maxsize=256)
def _statements(is_of_firm: bool, is_brand: bool, filter: Filter, today: date) -> tuple[Any, Any]:
    """What counts and what lists a page. One pair serves a filter for all firms of a day: to put it together takes longer than
    to run it."""
    wanted = passing(bindparam("firm_id", type_=String()) if is_of_firm else None, filter, today, is_brand=is_brand)
    found, rows = wanted.subquery(), wanted.selected_columns
    counted = select(func.count(), func.sum(found.c.is_target), func.sum(found.c.is_group)).select_from(found)
    listed = wanted.order_by(rows.acted_on.desc(), rows.action_id.desc())
    return counted, listed.limit(bindparam("limit", type_=Integer())).offset(bindparam("offset", type_=Integer()))


def stored_text(row: Document, time_zone: str) -> StoredText:
    """A document as a poll would have it read: by the clock on the publisher's wall."""
    published_at = row.published_at.astimezone(ZoneInfo(time_zone)) if row.published_at else None
    document = DocumentText(row.title, row.text, published_at, row.language or None, row.regulator_id, row.tier, tuple(row.links))
    return StoredText(row.id or 0, row.first_seen_at, document, row.sha256)


async def _name_lines(session: AsyncSession, action: ActionView) -> list[WhyLine]:
    """Which names were read where, by which rule; then what each firm is in the action, and through what."""
    read = select(Mention).where(col(Mention.document_id).in_([document.id for document in action.documents]))
    lines = []
    for row in await session.exec(read.order_by(col(Mention.document_id), col(Mention.start))):
        strength = f"{row.strength.value} name" if row.strength else "not in the register"
        rule = f", rule {row.rule}" if row.rule else ""
        lines.append(WhyLine("name", f"{row.surface!r} at {row.start} of document {row.document_id}: {row.name}, {strength}{rule}"))
    for firm in action.firms:
        lines.append(WhyLine("role", f"{firm.name} is {firm.role.value}, read from {firm.surface!r}"))
        if firm.via:
            lines.append(WhyLine("ownership", f"{firm.name} through {firm.via}"))
    return lines


async def _merge_lines(session: AsyncSession, action: ActionView) -> list[WhyLine]:
    """Why each document belongs to the action, and the action to its case."""
    joined = select(ActionDocument).where(ActionDocument.action_id == action.id)
    titles = {document.id: document for document in action.documents}
    lines = []
    for row in await session.exec(joined.order_by(col(ActionDocument.joined_at), col(ActionDocument.document_id))):
        document = titles[row.document_id]
        lines.append(WhyLine("merge", f"{document.publisher}, {document.title!r}: {row.reason or 'opened it'}"))
    reason = (await session.exec(select(Action.case_reason).where(Action.id == action.id))).one()
    if reason:
        lines.append(WhyLine("case", "a case of its own: parted by hand" if reason == PARTED else f"joined its case: {reason}"))
    by_hand = select(Change).where(Change.subject == f"action:{action.id}", Change.what == "case").order_by(col(Change.id))
    for change in await session.exec(by_hand):
        lines.append(WhyLine("case", f"{change.before} became {change.after}: said by {change.made_by}, {_minute(change.made_at)}"))
    return lines


def _subscription_lines(subscription: SubscriptionView, action: ActionView, read: ActionView, today: date) -> list[WhyLine]:
    """Whether a subscription speaks of the action, and what its filter says. `read` is the action without the firms
    that are none, as people said."""
    name = f"#{subscription.id} {_followed(subscription)}"
    firm_id = subscription.firm.firm_id if subscription.firm else None
    looked_at = facts(action, firm_id, today)
    if firm_id and not looked_at.roles:
        return [WhyLine("subscription", f"{name}: not named in it", False)]
    if subscription.regulator and subscription.regulator.id not in looked_at.regulator_ids:
        return [WhyLine("subscription", f"{name}: another regulator's", False)]
    if firm_id:
        looked_at = facts(read, firm_id, today)
        if not looked_at.roles:
            return [WhyLine("subscription", f"{name}: named in it, but somebody said that it is not meant", False)]
    verdicts = subscription.filter.verdicts(looked_at, today)
    is_passed = all(verdict.is_passed for verdict in verdicts)
    outcome = f"matches, delivers {subscription.deliver.value}" if is_passed else "filtered out"
    lines = [WhyLine("subscription", f"{name}: {outcome}", is_passed)]
    return lines + [WhyLine("filter", f"#{subscription.id} {verdict.key}: {verdict.why}", verdict.is_passed) for verdict in verdicts]


def _followed(subscription: SubscriptionView) -> str:
    if subscription.firm:
        return subscription.firm.name
    return subscription.regulator.name if subscription.regulator else Followed.ALL.value


def _verdict_line(held: Held, action: ActionView) -> WhyLine:
    """A verdict for which a channel is told nothing, or a firm does not count: what, of which action, who and when."""
    row = held.correction
    about = "" if row.action_id == action.id else f" of {action_ref(row.action_id)}"
    firm = next((one.name for one in action.firms if one.firm_id == row.firm_id), row.firm_id)
    names = " or ".join(repr(name) for name in row.folded.split("\n"))
    where = f"by {names}" if about else "here"
    what = f"{held.reason}, {firm} is not meant {where}" if row.firm_id else held.reason
    return WhyLine("verdict", f"{what}: said by {row.made_by}{about}, {_minute(row.made_at)}", False)


def _mute_line(mute: Mute, action: ActionView) -> WhyLine:
    kind, _, subject = mute.key.partition(":")
    names = {firm.brand_id: firm.surface for firm in action.firms} | {firm.firm_id: firm.name for firm in action.firms}
    what = {"firm": names.get(subject, subject), "case": "its case"}.get(kind, "the channel")
    return WhyLine("mute", f"{what} muted until {_minute(mute.until)} by {mute.made_by}", False)


async def _delivery_lines(session: AsyncSession, action_id: int, channel_id: int) -> list[WhyLine]:
    """What of this action was owed to the channel, and what became of it."""
    owed = select(Delivery).where(Delivery.action_id == action_id, Delivery.channel_id == channel_id).order_by(col(Delivery.id))
    lines = []
    for row in await session.exec(owed):
        reason = f" ({row.reason})" if row.reason else ""
        when = f"{_minute(row.sent_at)}" if row.sent_at else f"owed {_minute(row.owed_at)}"
        tries = f", after {row.attempts} tries" if row.attempts > 1 else ""
        text = f"{row.key} {row.state.value}{reason}, {when}{tries}"
        lines.append(WhyLine("delivery", text, row.state is DeliveryState.SENT))
    return lines or [WhyLine("delivery", f"nothing of {action_ref(action_id)} was ever owed to this channel", False)]


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _source_view(source: Source, regulator: Regulator | None, documents: int, now: datetime) -> SourceView:
    return SourceView(
        id=source.id,
        regulator_id=source.regulator_id,
        regulator=regulator.name if regulator else source.definition.get("content") or source.id,
        jurisdiction=regulator.jurisdiction if regulator else "",
        kind=source.kind,
        url=source.url,
        is_enabled=source.is_enabled,
        off_reason=source.off_reason,
        mode=source.mode,
        mode_reason=source.mode_reason,
        health=source.health,
        health_since=source.health_since,
        health_detail=source.health_detail,
        is_fresh=is_fresh(source, now),
        last_ok_at=source.last_ok_at,
        last_new_at=source.last_new_at,
        next_poll_at=source.next_poll_at,
        documents=documents,
    )
