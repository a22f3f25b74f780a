"""A channel's row: found, made on the first word about it, and held until the end of a transaction; its audit rows.

What `subscriptions`, `channels` and `corrections` stand on: whatever a person says is said in a channel. Here a channel is
paused and served again, with all that waited; `owners` says who is told of it.
"""

from __future__ import annotations

import re
from datetime import datetime, time
from zoneinfo import ZoneInfo

from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.base import Base, StorageError, insert_for
from storage.digests import give_back
from storage.hours import quiet_until
from storage.intents import ChannelKey
from storage.models import DeliveryKind, DeliveryState
from storage.tenancy import Change, Channel, Delivery, Subscription, Workspace

_HELD = (DeliveryKind.ALERT, DeliveryKind.UPDATE)  # by quiet hours; a digest has an hour of its own, a notice is for at once


class Places(Base):
    """Channels as the rooms of people open them."""

    async def _open(self, session: AsyncSession, key: ChannelKey, by: str, now: datetime) -> Channel:
        """The channel, made if it is new, and ours until the end of the transaction. It is served again from now on."""
        await self._hold(session, key)
        await session.exec(insert_for(session, Workspace).values(id=key.workspace_id, name="", added_at=now).on_conflict_do_nothing())
        row = await find_channel(session, key)
        if row is None:
            zone = key.zone if key.zone and is_zone(key.zone) else self._default_zone
            fresh = Channel(workspace_id=key.workspace_id, slack_id=key.slack_id, name=key.name, time_zone=zone, added_at=now)
            made = insert_for(session, Channel).values(fresh.model_dump(exclude={"id"}))
            # a notice may make the row meanwhile, without holding the channel
            await session.exec(made.on_conflict_do_nothing(index_elements=["workspace_id", "slack_id"]))
            row = await find_channel(session, key)
            assert row is not None  # noqa: S101  # it was just written
        rename(session, row, key.name or row.name, by, now)
        await resume(session, row, by, now)
        return row

    async def _hold(self, session: AsyncSession, key: ChannelKey) -> None:
        """Wait until nobody else changes this channel, known or not."""
        await self._one_at_a_time(session, f"channel:{key.workspace_id}:{key.slack_id}")


async def find_channel(session: AsyncSession, key: ChannelKey, *, is_ours: bool = False) -> Channel | None:
    """The channel's row; None: nothing was ever said about it. `is_ours`: as no settlement under way changes it any more."""
    wanted = select(Channel).where(Channel.workspace_id == key.workspace_id, Channel.slack_id == key.slack_id)
    return (await session.exec(wanted.with_for_update(key_share=True) if is_ours else wanted)).first()


def rename(session: AsyncSession, row: Channel, name: str, by: str, now: datetime) -> None:
    """Give the channel a name, and say so if it is another one."""
    if row.name != name:
        session.add(change(row, by, now, "renamed", row.name, name))
        row.name = name


async def resume(session: AsyncSession, row: Channel, by: str, now: datetime) -> bool:
    """Let the channel be posted to again, with all that waited; False: it was not paused.

    What Slack refused when the channel was paused is owed again, for nobody saw it. A digest that it refused is sent late,
    or, where the next one is due by now or a later one came already, told in the next. Quiet hours hold what waited like anything else.
    """
    if not row.paused_reason:
        return False
    why, row.paused_reason = row.paused_reason, ""
    session.add(change(row, by, now, "resumed", before=why))
    until = quiet_until(now, row.time_zone, row.quiet_from, row.quiet_to)
    refused = select(Delivery).where(Delivery.channel_id == row.id, col(Delivery.state) == DeliveryState.DEAD, Delivery.reason == why)
    for one in await session.exec(refused.order_by(col(Delivery.id))):
        if one.kind is DeliveryKind.DIGEST:
            if not row.is_digest_on:
                continue  # nobody wants it
            if one.owed_at != row.last_digest_at:
                await give_back(session, row, one)  # a later one is owed or was sent, which tells nothing of this one's
                continue
            if row.next_digest_at is not None and row.next_digest_at <= now:
                await give_back(session, row, one)
                row.last_digest_at = datetime.fromisoformat(one.payload["since"])
                continue
        is_held = until is not None and one.kind in _HELD
        # before the try that was refused there may have been one whose reply was lost: its post is looked for then
        one.state = DeliveryState.OWED if one.attempts <= 1 else DeliveryState.UNKNOWN
        one.is_held, one.next_attempt_at = is_held, until if until is not None and is_held else now
    await hold_anew(session, row, now)
    return True


def pause(session: AsyncSession, row: Channel, why: str, by: str, now: datetime) -> bool:
    """Post nothing to the channel any more; False: it was paused already. `owners.pause_and_tell` tells people too."""
    if row.paused_reason:
        return False
    session.add(change(row, by, now, "paused", after=why))
    row.paused_reason = why
    return True


async def hold_anew(session: AsyncSession, row: Channel, now: datetime) -> None:
    """Reckon anew until when quiet hours hold what was never tried: they or the zone were changed, or the channel was not served."""
    until = quiet_until(now, row.time_zone, row.quiet_from, row.quiet_to)
    waiting = update(Delivery).where(
        col(Delivery.channel_id) == row.id,
        col(Delivery.state) == DeliveryState.OWED,
        col(Delivery.attempts) == 0,
        col(Delivery.kind).in_(_HELD),
    )
    await session.exec(waiting.values(next_attempt_at=until or now, is_held=until is not None))


def is_person(slack_id: str) -> bool:
    """Whether a Slack id names a person: what is posted to it is a direct message. Such a row follows nothing."""
    return re.fullmatch(r"[UW][A-Z0-9]{2,20}", slack_id) is not None


def subject_of(row: Channel) -> str:
    """The subject of the channel's Change rows. Those of its rules begin, before and after, with the rule's key."""
    return f"channel:{row.id}"


def change(row: Channel, by: str, now: datetime, what: str, before: str = "", after: str = "") -> Change:
    """An audit row of the channel, not yet in a session."""
    subject, workspace_id = subject_of(row), row.workspace_id
    return Change(workspace_id=workspace_id, subject=subject, made_by=by, made_at=now, what=what, before=before, after=after)


def words_of(rule: Subscription) -> str:
    """A rule as the audit trail keeps it."""
    return f"{rule.key} {rule.filter} broadcast:{rule.broadcast.value} deliver:{rule.deliver.value}"


def checked_time(at: str) -> str:
    """A time of day as HH:MM. Raises StorageError for what is none."""
    try:
        return f"{time.fromisoformat(at):%H:%M}"
    except ValueError as error:
        raise StorageError(f"{at!r} is no time of day. Write it like 08:30.") from error


def checked_zone(zone: str) -> str:
    """The zone. Raises StorageError where there is none of that name."""
    if not is_zone(zone):
        raise StorageError(f"There is no time zone {zone!r}. Write it like Asia/Taipei.")
    return zone


def is_zone(zone: str) -> bool:
    """Whether there is a time zone of this name."""
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):  # no such zone; no name of a file; a folder
        return False
    return True


def channel_id(row: Channel) -> int:
    """The id of a row that was flushed, so that it has one."""
    assert row.id is not None  # noqa: S101
    return row.id
