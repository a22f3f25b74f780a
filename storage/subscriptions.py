"""What channels follow, and how they are told: follow, unfollow, the digest's setting, and who changed what.

Every change is idempotent and leaves a Change row with what was before and after. A channel comes into being
with the first thing that is said about it.
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.base import StorageError
from storage.digests import let_go
from storage.filters import DEFAULT_FILTER, Filter, Term
from storage.hours import next_digest_at
from storage.intents import ChannelKey, DigestSetting, FollowIntent
from storage.loading import count_matching, load_actions, load_channel, load_subscriptions, matching, newest
from storage.models import Firm, Followed, Regulator
from storage.places import Places, change, channel_id, checked_time, checked_zone, find_channel, hold_anew, subject_of, words_of
from storage.tenancy import Change, Channel, Subscription
from storage.views import ChannelView, FollowResult, SubscriptionView

_LAST = 3  # of the past actions, shown in the answer to a subscribe


class SubscriptionStore(Places):
    """Channels and their subscriptions."""

    async def channel(self, key: ChannelKey) -> ChannelView | None:
        """A channel with its settings; None: nothing was ever said about it."""
        async with self._read() as session:
            row = await find_channel(session, key)
            return await load_channel(session, channel_id(row), self._now()) if row else None

    async def follow(self, intent: FollowIntent) -> FollowResult:
        """Let a channel follow a firm, a regulator or everything; for something it follows, edit the rule.

        What was typed replaces the default of its key. The same again changes nothing ("same"). The first
        subscription turns the digest on, unless somebody has spoken about the digest before. Nothing old is
        posted: the result says how many past actions match, and what a rule was before it was edited. Raises
        StorageError for a firm or regulator that is not there.
        """
        now = self._now()
        async with self._write() as session:
            await self._one_at_a_time(session, "rules", is_shared=True)  # not while a poll works out who is told
            await _require(session, intent)
            channel = await self._open(session, intent.channel, intent.by, now)
            before = await load_subscriptions(session, channel_id(channel), now.date())
            did, row = await _put(session, channel, intent, now)
            is_turned_on = did == "created" and await _turn_digest_on(session, channel, intent.by, now)
            if channel.is_digest_on and channel.next_digest_at is None:
                channel.next_digest_at = _next_digest(channel, now)
            await session.flush()
            views = await load_subscriptions(session, channel_id(channel), now.date())
            past = matching(intent.firm_id, _rule(row), now.date())
            last = await load_actions(session, await newest(session, past, _LAST))
            return FollowResult(
                did=did,
                subscription=next(view for view in views if view.id == row.id),
                channel=await load_channel(session, channel_id(channel), now),
                known=await count_matching(session, past),
                last=tuple(last.values()),
                is_digest_turned_on=is_turned_on,
                former=next((view for view in before if view.id == row.id), None) if did == "edited" else None,
            )

    async def unfollow(
        self,
        channel: ChannelKey,
        by: str,
        *,
        firm_id: str | None = None,
        regulator_id: str | None = None,
        subscription_id: int | None = None,
        everything: bool = False,
    ) -> tuple[SubscriptionView, ...]:
        """Take subscriptions of this channel away, and say which; nothing that matches is no error.

        A channel that follows nothing any more gets no digest until it follows again.
        """
        now = self._now()
        async with self._write() as session:
            await self._hold(session, channel)
            row = await find_channel(session, channel)
            if row is None:
                return ()
            views = await load_subscriptions(session, channel_id(row), now.date())
            gone = tuple(
                view
                for view in views
                if everything
                or view.id == subscription_id
                or (firm_id is not None and view.firm is not None and view.firm.firm_id == firm_id)
                or (regulator_id is not None and view.regulator is not None and view.regulator.id == regulator_id)
            )
            for view in gone:
                stored = (await session.exec(select(Subscription).where(Subscription.id == view.id))).one()
                session.add(change(row, by, now, "unsubscribed", before=words_of(stored)))
            await session.exec(delete(Subscription).where(col(Subscription.id).in_([view.id for view in gone])))
            if gone and len(gone) == len(views):
                row.next_digest_at = None
        return gone

    async def subscriptions(self, channel: ChannelKey) -> tuple[SubscriptionView, ...]:
        """What a channel follows, oldest first; nothing for a channel that was never heard of."""
        async with self._read() as session:
            row = await find_channel(session, channel)
            return await load_subscriptions(session, channel_id(row), self._now().date()) if row else ()

    async def set_digest(self, channel: ChannelKey, setting: DigestSetting, by: str) -> ChannelView:
        """Change what the setting names of a channel's digest, and reckon anew when it is due.

        A digest that is turned on tells of what comes from now on. Raises StorageError for a time, zone or choice of days
        that does not exist.
        """
        now = self._now()
        async with self._write() as session:
            row = await self._open(session, channel, by, now)
            before = _digest_words(row)
            was_on = row.is_digest_on
            row.is_digest_on = row.is_digest_on if setting.is_on is None else setting.is_on
            row.digest_at = checked_time(setting.at) if setting.at else row.digest_at
            row.time_zone = checked_zone(setting.zone) if setting.zone else row.time_zone
            row.digest_days = _checked_days(setting.days) if setting.days else row.digest_days
            row.sends_empty_digest = row.sends_empty_digest if setting.sends_empty is None else setting.sends_empty
            if row.is_digest_on and not was_on:
                await session.flush()  # the channel before its deliveries, as a claim locks them
                await let_go(session, row)
                row.last_digest_at = now
            row.next_digest_at = _next_digest(row, now) if row.is_digest_on else None
            # said once even when it changes nothing: then the first subscription leaves the digest alone
            if before != _digest_words(row) or not await _is_digest_spoken_of(session, row):
                session.add(change(row, by, now, "digest", before, _digest_words(row)))
            if setting.zone:
                await hold_anew(session, row, now)
            await session.flush()
            return await load_channel(session, channel_id(row), now)


async def _require(session: AsyncSession, intent: FollowIntent) -> None:
    """Raise StorageError when what is to be followed is not there."""
    if intent.followed is Followed.FIRM and not (await session.exec(select(Firm.id).where(Firm.id == intent.firm_id))).first():
        raise StorageError(f"There is no firm {intent.firm_id!r} in the register.")
    regulator = select(Regulator.id).where(Regulator.id == intent.regulator_id)
    if intent.followed is Followed.REGULATOR and not (await session.exec(regulator)).first():
        raise StorageError(f"There is no regulator {intent.regulator_id!r} in the catalogue.")


def _key(intent: FollowIntent) -> str:
    subject = intent.firm_id if intent.followed is Followed.FIRM else intent.regulator_id
    return intent.followed.value if intent.followed is Followed.ALL else f"{intent.followed.value}:{subject}"


async def _put(session: AsyncSession, channel: Channel, intent: FollowIntent, now: datetime) -> tuple[str, Subscription]:
    """The subscription as it was asked for, and what that took: created, edited, same."""
    key, effective = _key(intent), intent.filter.over(DEFAULT_FILTER)
    row = (await session.exec(select(Subscription).where(Subscription.channel_id == channel.id, Subscription.key == key))).first()
    if row is None:
        row = Subscription(
            channel_id=channel_id(channel),
            key=key,
            followed=intent.followed,
            firm_id=intent.firm_id,
            regulator_id=intent.regulator_id,
            filter=str(effective),
            broadcast=intent.broadcast or channel.broadcast,
            deliver=intent.deliver,
            created_by=intent.by,
            created_at=now,
        )
        session.add(row)
        session.add(change(channel, intent.by, now, "subscribed", after=words_of(row)))
        await session.flush()
        return "created", row
    before = words_of(row)
    if set(effective.terms) != set(Filter.parse(row.filter).terms):  # in another order it is the same rule
        row.filter = str(effective)
    row.broadcast, row.deliver = intent.broadcast or channel.broadcast, intent.deliver
    if words_of(row) == before:
        return "same", row
    session.add(change(channel, intent.by, now, "edited", before, words_of(row)))
    return "edited", row


def _rule(row: Subscription) -> Filter:
    """A subscription's filter, with the regulator that it follows as one more condition."""
    own = (Term("regulator", (row.regulator_id,)),) if row.regulator_id else ()
    return Filter((*Filter.parse(row.filter).terms, *own))


async def _turn_digest_on(session: AsyncSession, channel: Channel, by: str, now: datetime) -> bool:
    """Turn the digest on, unless it is, or somebody has spoken about it; whether it was done."""
    if channel.is_digest_on or await _is_digest_spoken_of(session, channel):
        return False
    before = _digest_words(channel)
    channel.is_digest_on = True
    session.add(change(channel, by, now, "digest", before, _digest_words(channel)))
    return True


async def _is_digest_spoken_of(session: AsyncSession, channel: Channel) -> bool:
    spoken = select(Change.id).where(Change.subject == subject_of(channel), Change.what == "digest")
    return (await session.exec(spoken.limit(1))).first() is not None


def _next_digest(channel: Channel, now: datetime) -> datetime:
    return next_digest_at(now, channel.digest_at, channel.time_zone, channel.digest_days)


def _digest_words(row: Channel) -> str:
    if not row.is_digest_on:
        return "off"
    return f"{row.digest_at} {row.time_zone} {row.digest_days} empty:{'send' if row.sends_empty_digest else 'skip'}"


def _checked_days(days: str) -> str:
    if days not in ("weekdays", "daily"):
        raise StorageError(f"A digest comes on weekdays or daily, not {days!r}.")
    return days
