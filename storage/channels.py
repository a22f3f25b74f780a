"""Channels: their settings, what they do not hear for a while, and what Slack says becomes of them.

Every change is idempotent and leaves a Change row with who, when, before and after (`subscriptions` does the same for rules).
What a mute silences is `silence`'s to say, who is told of a channel that Slack refuses `owners`'s.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_
from sqlalchemy.orm import Mapped
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.base import StorageError, chunks
from storage.digests import digest_since, give_back, let_go, load_digest
from storage.hours import next_digest_at
from storage.intents import ChannelKey, ChannelSetting, MuteIntent
from storage.loading import firm_match, load_channel, load_channels, load_rules
from storage.models import Action, Broadcast, DeliveryKind, DeliveryState, Firm
from storage.owing import OPEN
from storage.owners import pause_and_tell
from storage.places import (
    Places,
    change,
    channel_id,
    checked_time,
    checked_zone,
    find_channel,
    hold_anew,
    is_person,
    rename,
    resume,
    subject_of,
    words_of,
)
from storage.records import action_ref
from storage.tenancy import MUTED_WHOLE, Card, Change, Channel, Delivery, Mute, Review, Subscription, WhoMayChange
from storage.views import ChangeView, ChannelView, MuteView, PlaceView

LANGUAGES = ("en", "zh-Hant", "zh-Hans")
"""What a channel can be spoken to in."""

_MOVED = "channel_id_changed"  # Slack's word, kept as the reason why the old id is served no more


class ChannelStore(Places):
    """Settings, mutes and the life of channels."""

    async def set_channel(self, channel: ChannelKey, setting: ChannelSetting, by: str) -> ChannelView:
        """Change what the setting names. `broadcast` is given to all subscriptions of the channel too.

        Quiet hours that change hold anew what was owed and never tried. Raises StorageError for a zone, language or time
        that does not exist, and for quiet hours that end when they begin.
        """
        now = self._now()
        async with self._write() as session:
            row = await self._open(session, channel, by, now)
            before = _settings_of(row)
            _set(row, setting)
            after = _settings_of(row)
            for what in [name for name in after if after[name] != before[name]]:
                session.add(change(row, by, now, what, before[what], after[what]))
            if setting.broadcast is not None:
                await _broadcast_all(session, row, setting.broadcast, by, now)
            if row.is_digest_on and row.next_digest_at is not None and before["zone"] != after["zone"]:
                row.next_digest_at = next_digest_at(now, row.digest_at, row.time_zone, row.digest_days)
            if before["zone"] != after["zone"] or before["quiet"] != after["quiet"]:
                await hold_anew(session, row, now)
            await session.flush()
            return await load_channel(session, channel_id(row), now)

    async def mute(self, intent: MuteIntent) -> tuple[MuteView, ...]:
        """Mute or unmute, and say what is muted now. While it holds, what would alert is waived ("muted") and in the digest.

        Raises StorageError for an action or firm that is not there, and for a moment that has passed.
        """
        now = self._now()
        if intent.until is not None and intent.until <= now:
            raise StorageError(f"{intent.until:%Y-%m-%d %H:%M} UTC has passed: nothing would be muted. Write it like: mute channel for 7d")
        async with self._write() as session:
            key, told = await _muted_thing(session, intent)
            if intent.until is None:
                await self._hold(session, intent.channel)
                row = await find_channel(session, intent.channel)
                if row is None:
                    return ()
            else:
                row = await self._open(session, intent.channel, intent.by, now)
            held = (await session.exec(select(Mute).where(Mute.channel_id == row.id, Mute.key == key))).one_or_none()
            before = f"{told} until {held.until.isoformat()}" if held and held.until > now else ""
            if intent.until is None and held is not None:
                await session.delete(held)
                if before:
                    session.add(change(row, intent.by, now, "unmuted", before))
            elif intent.until is not None and (held is None or held.until != intent.until):
                mute = held or Mute(channel_id=channel_id(row), key=key, until=now, made_by="", made_at=now)
                mute.until, mute.made_by, mute.made_at = intent.until, intent.by, now
                session.add(mute)
                session.add(change(row, intent.by, now, "muted", before, f"{told} until {intent.until.isoformat()}"))
            await session.flush()
            return (await _load_mutes(session, [channel_id(row)], now))[channel_id(row)]

    async def mutes(self, channel: ChannelKey) -> tuple[MuteView, ...]:
        """What the channel does not hear now, the one that ends first before."""
        async with self._read() as session:
            row = await find_channel(session, channel)
            return (await _load_mutes(session, [channel_id(row)], self._now()))[channel_id(row)] if row else ()

    async def places(self, workspace_id: str) -> tuple[PlaceView, ...]:
        """All channels of a workspace that follow something, mute something or have settings of their own, by name.

        The row of a person, to whom notices go, is no channel."""
        now = self._now()
        is_following = select(Subscription.id).where(Subscription.channel_id == Channel.id).exists()
        is_muting = select(Mute.id).where(Mute.channel_id == Channel.id, Mute.until > now).exists()
        is_set = or_(
            col(Channel.language) != "en",
            col(Channel.quiet_from).is_not(None),
            col(Channel.broadcast) != Broadcast.ESCALATION,
            col(Channel.who_may_change) != WhoMayChange.EVERYONE,
        )
        async with self._read() as session:
            wanted = select(Channel.id).where(Channel.workspace_id == workspace_id, or_(is_following, is_muting, is_set))
            ids = [one for one in await session.exec(wanted.order_by(Channel.name, col(Channel.id))) if one is not None]
            views = {one: view for one, view in (await load_channels(session, ids, now)).items() if not is_person(view.slack_id)}
            ids = [one for one in ids if one in views]
            rules = await load_rules(session, ids, now.date())
            mutes = await _load_mutes(session, ids, now)
        return tuple(PlaceView(views[one], rules[one], mutes[one]) for one in ids)

    async def kept_for_digest(self, channel: ChannelKey) -> int:
        """How many acts nothing but the channel's next digest tells of: found since the last one, and posted nowhere, by rule."""
        now = self._now()
        async with self._read() as session:
            row = await find_channel(session, channel)
            if row is None:
                return 0
            since = await digest_since(session, row)
            # the day is that of its heading, which nobody sees here
            view = await load_digest(session, row, now.date(), since, now, now=now)
            told = {action.id for action, _ in view.moved} | {action.id for action in view.new}
            posted = select(Delivery.action_id).where(
                Delivery.channel_id == row.id, col(Delivery.digest_id).is_(None), col(Delivery.state) != DeliveryState.WAIVED
            )
            return len(told - set(await session.exec(posted)))

    async def changes(self, channel: ChannelKey, limit: int = 20) -> tuple[ChangeView, ...]:
        """The newest changes of a channel, newest first: who, when, what, before and after."""
        async with self._read() as session:
            row = await find_channel(session, channel)
            if row is None:
                return ()
            newest = select(Change).where(Change.subject == subject_of(row)).order_by(col(Change.id).desc()).limit(limit)
            return tuple(ChangeView(one.made_at, one.made_by, one.what, one.before, one.after) for one in await session.exec(newest))

    async def pause_channel(self, channel: ChannelKey, why: str, by: str = "slack") -> bool:
        """Nothing is posted there any more until somebody speaks to Regwatch in it: archived, deleted, the bot removed.

        `why` is Slack's word. Its owners and the operators are owed a notice, once. False: not known here, or paused already."""
        now = self._now()
        async with self._write() as session:
            row = await self._known(session, channel)
            return row is not None and await pause_and_tell(
                session, row, why, by, now, operations=self._operations, default_zone=self._default_zone
            )

    async def resume_channel(self, channel: ChannelKey, by: str = "slack") -> bool:
        """It may be posted to again, and what waited comes: the bot was invited, the channel unarchived.

        False: not known here, or not paused."""
        async with self._write() as session:
            row = await self._known(session, channel)
            return row is not None and await resume(session, row, by, self._now())

    async def rename_channel(self, channel: ChannelKey) -> bool:
        """The name of `channel` is its new one. False: not known here."""
        async with self._write() as session:
            row = await self._known(session, channel)
            if row is not None:
                rename(session, row, channel.name, "slack", self._now())
            return row is not None

    async def move_channel(self, channel: ChannelKey, new_slack_id: str) -> bool:
        """Slack gave the channel another id (shared with another organisation). False: not known here, or moved already.

        Where somebody has spoken under the new id already, that channel keeps what it has and gets what it lacks: rules,
        mutes, cards, reviews, deliveries, with the history of both; the old one is paused. What Slack refused there is owed again."""
        now = self._now()
        new = ChannelKey(channel.workspace_id, new_slack_id)
        async with self._write() as session:
            # no poll that knows the rules of the old id may owe it anything after the move
            await self._one_at_a_time(session, "actions")
            for key in sorted((channel, new), key=lambda one: one.slack_id):  # in one order, so that two moves cannot wait for each other
                await self._hold(session, key)
            row, other = await find_channel(session, channel), await find_channel(session, new)
            if row is None or row is other or row.paused_reason == _MOVED:
                return False
            await resume(session, row, "slack", now)  # the old id was refused for having moved; what the new one refuses, pauses it anew
            if other is None:
                row.slack_id = new_slack_id
            else:
                await _give(session, row, other, now)
                row.paused_reason, row.is_digest_on, row.next_digest_at = _MOVED, False, None
            session.add(change(other or row, "slack", now, "moved", channel.slack_id, new_slack_id))
            return True

    async def _known(self, session: AsyncSession, channel: ChannelKey) -> Channel | None:
        """The channel, ours until the end of the transaction, if it was ever heard of."""
        await self._hold(session, channel)
        return await find_channel(session, channel, is_ours=True)


def _settings_of(row: Channel) -> dict[str, str]:
    """The settings in the words of the audit trail."""
    return {
        "zone": row.time_zone,
        "language": row.language,
        "quiet": f"{row.quiet_from}-{row.quiet_to}" if row.quiet_from else "",
        "broadcast": row.broadcast.value,
        "who_may_change": row.who_may_change.value,
    }


def _set(row: Channel, setting: ChannelSetting) -> None:
    if setting.zone is not None:
        row.time_zone = checked_zone(setting.zone)
    if setting.language is not None:
        if setting.language not in LANGUAGES:
            raise StorageError(f"There is no language {setting.language!r} here. These there are: {', '.join(LANGUAGES)}.")
        row.language = setting.language
    if setting.quiet is not None:
        row.quiet_from, row.quiet_to = _checked_quiet(*setting.quiet)
    row.broadcast = setting.broadcast or row.broadcast
    row.who_may_change = setting.who_may_change or row.who_may_change


def _checked_quiet(begin: str, end: str) -> tuple[str | None, str | None]:
    if not begin and not end:
        return None, None
    times = checked_time(begin), checked_time(end)
    if times[0] == times[1]:
        raise StorageError(f"Quiet hours from {begin} to {end} are none, or all day. To hear nothing at all: mute channel for 7d")
    return times


async def _broadcast_all(session: AsyncSession, row: Channel, broadcast: Broadcast, by: str, now: datetime) -> None:
    """Give all rules of the channel this broadcast."""
    others = select(Subscription).where(Subscription.channel_id == row.id, col(Subscription.broadcast) != broadcast)
    for rule in await session.exec(others.order_by(col(Subscription.id))):
        before = words_of(rule)
        rule.broadcast = broadcast
        session.add(change(row, by, now, "edited", before, words_of(rule)))


async def _muted_thing(session: AsyncSession, intent: MuteIntent) -> tuple[str, str]:
    """The key of what is muted, and its name for the audit trail. Raises StorageError when it is not there."""
    if intent.firm_id is not None:
        if not (await session.exec(select(Firm.id).where(Firm.id == intent.firm_id))).first():
            raise StorageError(f"There is no firm {intent.firm_id!r} in the register.")
        return f"firm:{intent.firm_id}", f"firm:{intent.firm_id}"
    if intent.action_id is not None:
        case_id = (await session.exec(select(Action.case_id).where(Action.id == intent.action_id))).first()
        if case_id is None:
            raise StorageError(f"There is no action {action_ref(intent.action_id)}.")
        return f"case:{case_id}", f"the case of {action_ref(intent.action_id)}"
    return MUTED_WHOLE, MUTED_WHOLE


async def _load_mutes(session: AsyncSession, ids: Collection[int], now: datetime) -> dict[int, tuple[MuteView, ...]]:
    """What each of these channels does not hear now, the one that ends first before."""
    rows: list[Mute] = []
    for some in chunks(ids):
        held = select(Mute).where(col(Mute.channel_id).in_(some), Mute.until > now)
        rows += await session.exec(held.order_by(col(Mute.until), col(Mute.id)))
    firms: dict[str, Firm] = {}
    for part in chunks({row.key.removeprefix("firm:") for row in rows if row.key.startswith("firm:")}):
        firms |= {firm.id: firm for firm in await session.exec(select(Firm).where(col(Firm.id).in_(part)))}
    actions: dict[int, int | None] = {}
    for cases in chunks({int(row.key.removeprefix("case:")) for row in rows if row.key.startswith("case:")}):
        first = select(Action.case_id, func.min(Action.id)).where(col(Action.case_id).in_(cases)).group_by(col(Action.case_id))
        actions |= dict((await session.exec(first)).all())
    found: dict[int, list[MuteView]] = {one: [] for one in ids}
    for row in rows:
        kind, _, subject = row.key.partition(":")
        if kind == "firm" and subject not in firms:
            continue  # it went with the list that brought it, and would read as if anything were muted
        firm = firms.get(subject)
        of_case = actions.get(int(subject)) if kind == "case" else None
        found[row.channel_id].append(MuteView(row.until, row.made_by, firm_match(firm, firm.name) if firm else None, of_case))
    return {one: tuple(views) for one, views in found.items()}


async def _give(session: AsyncSession, row: Channel, other: Channel, now: datetime) -> None:
    """Give a channel what the one that it was before has, and it has not."""
    # channels before deliveries, as a claim locks them
    both = select(Channel.id).where(col(Channel.id).in_((row.id, other.id))).order_by(col(Channel.id))
    await session.exec(both.with_for_update())
    for one in (row, other):
        if not one.is_digest_on:
            await let_go(session, one)
    await _repoint(session, row, other, Subscription, col(Subscription.key))
    await _repoint(session, row, other, Mute, col(Mute.key))
    await _repoint(session, row, other, Card, col(Card.case_id))
    await _repoint(session, row, other, Review, col(Review.action_id))
    await _give_digests_back(session, row, other)
    await _unroll(session, row)
    # a roll-up stays, sent or not: the other channel may have, or come to have, one that begins with the same alert
    await _repoint(session, row, other, Delivery, col(Delivery.key), col(Delivery.kind) != DeliveryKind.ROLLUP)
    await session.exec(update(Change).where(col(Change.subject) == subject_of(row)).values(subject=subject_of(other)))
    if not other.is_digest_on:
        other.is_digest_on, other.next_digest_at, other.last_digest_at = row.is_digest_on, row.next_digest_at, row.last_digest_at
    elif other.next_digest_at is None and (await session.exec(select(Subscription.id).where(Subscription.channel_id == other.id))).first():
        # it followed nothing, and does now
        other.next_digest_at = next_digest_at(now, other.digest_at, other.time_zone, other.digest_days)


async def _give_digests_back(session: AsyncSession, row: Channel, other: Channel) -> None:
    """Let the next digest of the other channel tell what a digest that it has too, for that day, was to tell here: this one is
    posted nowhere."""
    its = select(Delivery.key).where(Delivery.channel_id == other.id, Delivery.kind == DeliveryKind.DIGEST)
    doubled = select(Delivery).where(Delivery.channel_id == row.id, col(Delivery.state).in_(OPEN), col(Delivery.key).in_(its))
    for digest in (await session.exec(doubled.order_by(col(Delivery.id)))).all():
        await give_back(session, row, digest)
        digest.state, digest.reason = DeliveryState.WAIVED, _MOVED


async def _unroll(session: AsyncSession, row: Channel) -> None:
    """Let what roll-ups were still to tell be messages of their own again."""
    rollups = select(Delivery.id).where(Delivery.channel_id == row.id, Delivery.kind == DeliveryKind.ROLLUP, col(Delivery.state).in_(OPEN))
    for some in chunks((await session.exec(rollups)).all()):
        free = update(Delivery).where(col(Delivery.rolled_into).in_(some)).values(rolled_into=None)
        await session.exec(free.execution_options(synchronize_session=False))
        gone = update(Delivery).where(col(Delivery.id).in_(some)).values(state=DeliveryState.WAIVED, reason=_MOVED)
        await session.exec(gone.execution_options(synchronize_session=False))


async def _repoint(
    session: AsyncSession,
    row: Channel,
    other: Channel,
    table: type[Subscription | Mute | Card | Review | Delivery],
    mark: Mapped[Any],
    *of: Any,
) -> None:
    """Let rows (`of`: those alone) belong to the other channel; `mark` is what it may have once."""
    taken = select(mark).where(col(table.channel_id) == other.id)
    mine = update(table).where(col(table.channel_id) == row.id, mark.not_in(taken), *of)
    await session.exec(mine.values(channel_id=other.id).execution_options(synchronize_session=False))
