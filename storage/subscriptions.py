"""What channels follow, and how they are told: follow, unfollow, the digest's setting, and who changed what.

Every change is idempotent and leaves a Change row with what was before and after. A channel comes into being
with the first thing that is said about it.
"""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.base import Base, StorageError, insert_for
from storage.filters import DEFAULT_FILTER, Filter, Term
from storage.intents import ChannelKey, DigestSetting, FollowIntent
from storage.loading import count_matching, load_actions, load_channel, load_subscriptions, matching, newest
from storage.models import Firm, Followed, Regulator
from storage.outbox import next_digest_at
from storage.tenancy import Change, Channel, Subscription, Workspace
from storage.views import ChannelView, FollowResult, SubscriptionView

_LAST = 3  # of the past actions, shown in the answer to a subscribe


class SubscriptionStore(Base):
    """Channels and their subscriptions."""

    async def channel(self, key: ChannelKey) -> ChannelView | None:
        """A channel with its settings; None: nothing was ever said about it."""
        async with self._read() as session:
            row = await _find(session, key)
            return await load_channel(session, _id(row)) if row else None

    async def follow(self, intent: FollowIntent) -> FollowResult:
        """Let a channel follow a firm, a regulator or everything; for something it follows, edit the rule.

        What was typed replaces the default of its key. The same again changes nothing ("same"). The first
        subscription turns the digest on, unless somebody has spoken about the digest before. Nothing old is
        posted: the result says how many past actions match. Raises StorageError for a firm or regulator that
        is not there.
        """
        now = self._now()
        async with self._write() as session:
            await _require(session, intent)
            channel = await self._open(session, intent.channel, now)
            did, row = await _put(session, channel, intent, now)
            is_turned_on = did == "created" and await _turn_digest_on(session, channel, intent.by, now)
            if channel.is_digest_on and channel.next_digest_at is None:
                channel.next_digest_at = _next_digest(channel, now)
            await session.flush()
            views = await load_subscriptions(session, _id(channel), now.date())
            past = matching(intent.firm_id, _rule(row), now.date())
            last = await load_actions(session, await newest(session, past, _LAST))
            return FollowResult(
                did=did,
                subscription=next(view for view in views if view.id == row.id),
                channel=await load_channel(session, _id(channel)),
                known=await count_matching(session, past),
                last=tuple(last.values()),
                is_digest_turned_on=is_turned_on,
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
            await self._one_at_a_time(session, _lock(channel))
            row = await _find(session, channel)
            if row is None:
                return ()
            views = await load_subscriptions(session, _id(row), now.date())
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
                session.add(_change(row, by, now, "unsubscribed", before=_words(stored)))
            await session.exec(delete(Subscription).where(col(Subscription.id).in_([view.id for view in gone])))
            if gone and len(gone) == len(views):
                row.next_digest_at = None
        return gone

    async def subscriptions(self, channel: ChannelKey) -> tuple[SubscriptionView, ...]:
        """What a channel follows, oldest first; nothing for a channel that was never heard of."""
        async with self._read() as session:
            row = await _find(session, channel)
            return await load_subscriptions(session, _id(row), self._now().date()) if row else ()

    async def set_digest(self, channel: ChannelKey, setting: DigestSetting, by: str) -> ChannelView:
        """Change what the setting names of a channel's digest, and reckon anew when it is due.

        A digest that is turned on starts its window now. Raises StorageError for a time, zone or choice of days
        that does not exist.
        """
        now = self._now()
        async with self._write() as session:
            row = await self._open(session, channel, now)
            before = _digest_words(row)
            was_on = row.is_digest_on
            row.is_digest_on = row.is_digest_on if setting.is_on is None else setting.is_on
            row.digest_at = _checked_time(setting.at) if setting.at else row.digest_at
            row.time_zone = _checked_zone(setting.zone) if setting.zone else row.time_zone
            row.digest_days = _checked_days(setting.days) if setting.days else row.digest_days
            row.sends_empty_digest = row.sends_empty_digest if setting.sends_empty is None else setting.sends_empty
            if row.is_digest_on and not was_on:
                row.last_digest_at = now
            row.next_digest_at = _next_digest(row, now) if row.is_digest_on else None
            # said once even when it changes nothing: then the first subscription leaves the digest alone
            session.add(_change(row, by, now, "digest", before, _digest_words(row)))
            await session.flush()
            return await load_channel(session, _id(row))

    async def _open(self, session: AsyncSession, key: ChannelKey, now: datetime) -> Channel:
        """The channel, made if it is new, and ours until the end of the transaction. It is served again from now on."""
        await self._one_at_a_time(session, _lock(key))
        await session.exec(insert_for(session, Workspace).values(id=key.workspace_id, name="", added_at=now).on_conflict_do_nothing())
        row = await _find(session, key)
        if row is None:
            zone = key.zone if key.zone and _is_zone(key.zone) else self._default_zone
            row = Channel(workspace_id=key.workspace_id, slack_id=key.slack_id, name=key.name, time_zone=zone, added_at=now)
            session.add(row)
        row.name = key.name or row.name
        row.paused_reason = ""
        await session.flush()
        return row


def _lock(key: ChannelKey) -> str:
    return f"channel:{key.workspace_id}:{key.slack_id}"


async def _find(session: AsyncSession, key: ChannelKey) -> Channel | None:
    wanted = select(Channel).where(Channel.workspace_id == key.workspace_id, Channel.slack_id == key.slack_id)
    return (await session.exec(wanted)).first()


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
    key, effective = _key(intent), str(intent.filter.over(DEFAULT_FILTER))
    row = (await session.exec(select(Subscription).where(Subscription.channel_id == channel.id, Subscription.key == key))).first()
    if row is None:
        row = Subscription(
            channel_id=_id(channel),
            key=key,
            followed=intent.followed,
            firm_id=intent.firm_id,
            regulator_id=intent.regulator_id,
            filter=effective,
            broadcast=intent.broadcast or channel.broadcast,
            deliver=intent.deliver,
            created_by=intent.by,
            created_at=now,
        )
        session.add(row)
        session.add(_change(channel, intent.by, now, "subscribed", after=_words(row)))
        await session.flush()
        return "created", row
    before = _words(row)
    row.filter, row.broadcast, row.deliver = effective, intent.broadcast or channel.broadcast, intent.deliver
    if _words(row) == before:
        return "same", row
    session.add(_change(channel, intent.by, now, "edited", before, _words(row)))
    return "edited", row


def _rule(row: Subscription) -> Filter:
    """A subscription's filter, with the regulator that it follows as one more condition."""
    own = (Term("regulator", (row.regulator_id,)),) if row.regulator_id else ()
    return Filter((*Filter.parse(row.filter).terms, *own))


async def _turn_digest_on(session: AsyncSession, channel: Channel, by: str, now: datetime) -> bool:
    """Turn the digest on, unless it is, or somebody has spoken about it; whether it was done."""
    spoken = select(Change.id).where(Change.subject == _subject(channel), Change.what == "digest")
    if channel.is_digest_on or (await session.exec(spoken.limit(1))).first():
        return False
    before = _digest_words(channel)
    channel.is_digest_on = True
    session.add(_change(channel, by, now, "digest", before, _digest_words(channel)))
    return True


def _next_digest(channel: Channel, now: datetime) -> datetime:
    return next_digest_at(now, channel.digest_at, channel.time_zone, channel.digest_days)


def _subject(channel: Channel) -> str:
    return f"channel:{channel.id}"


def _change(channel: Channel, by: str, now: datetime, what: str, before: str = "", after: str = "") -> Change:
    subject, workspace_id = _subject(channel), channel.workspace_id
    return Change(workspace_id=workspace_id, subject=subject, made_by=by, made_at=now, what=what, before=before, after=after)


def _words(row: Subscription) -> str:
    """A rule as the audit trail keeps it."""
    return f"{row.key} {row.filter} broadcast:{row.broadcast.value} deliver:{row.deliver.value}"


def _digest_words(row: Channel) -> str:
    if not row.is_digest_on:
        return "off"
    return f"{row.digest_at} {row.time_zone} {row.digest_days} empty:{'send' if row.sends_empty_digest else 'skip'}"


def _checked_time(at: str) -> str:
    try:
        return f"{time.fromisoformat(at):%H:%M}"
    except ValueError as error:
        raise StorageError(f"{at!r} is no time of day. Write it like 08:30.") from error


def _checked_zone(zone: str) -> str:
    if not _is_zone(zone):
        raise StorageError(f"There is no time zone {zone!r}. Write it like Asia/Taipei.")
    return zone


def _checked_days(days: str) -> str:
    if days not in ("weekdays", "daily"):
        raise StorageError(f"A digest comes on weekdays or daily, not {days!r}.")
    return days


def _is_zone(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):  # no such zone; no name of a file; a folder
        return False
    return True


def _id(row: Channel) -> int:
    """The id of a row that was flushed, so that it has one."""
    assert row.id is not None  # noqa: S101
    return row.id
