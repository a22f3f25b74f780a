"""Who is told when a channel or a workspace falls silent: the people whose rules it has, and the operators. In the caller's transaction.

`channels` and `outbox` pause a channel that Slack refuses by `pause_and_tell`, `workspaces` tells of one that left by
`tell_of_departure`. A person is told by a direct message: Slack takes a person's id for a channel's, so the notice is owed to
a channel row of that id, which follows nothing. A conversation with a person that is refused itself is told to the operators
alone, so no notice brings forth another one for the same person. `bot.slack.unheard` has the words.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.base import insert_for
from storage.intents import ChannelKey
from storage.models import DeliveryKind, DeliveryState
from storage.owing import OPEN, delivery_row, insert_deliveries, owe_operators
from storage.places import channel_id, find_channel, is_person, pause, resume
from storage.tenancy import Channel, Delivery, Subscription, Workspace


async def pause_and_tell(
    session: AsyncSession, row: Channel, why: str, by: str, now: datetime, *, operations: ChannelKey | None, default_zone: str
) -> bool:
    """Post nothing to the channel any more, and tell its owners and the operators, once; False: it was paused already.

    `why` is Slack's word. The owners are the people whose rules the channel has, else whoever installed the app; a channel that
    follows nothing and is owed nothing has none, unless it is the operators' own.
    """
    if not pause(session, row, why, by, now):
        return False
    makers = (await session.exec(select(Subscription.created_by).where(Subscription.channel_id == row.id))).all()
    waiting = await _waiting(session, why, Delivery.channel_id == row.id)
    is_operations = operations is not None and (operations.workspace_id, operations.slack_id) == (row.workspace_id, row.slack_id)
    if not makers and not waiting and not is_operations and not is_person(row.slack_id):
        return True
    # a person who refuses Regwatch cannot be told so by it, and a direct message has no owner but that person
    people = [] if is_person(row.slack_id) or row.slack_id.startswith("D") else await _owners(session, row, makers)
    facts = {
        "channel": row.slack_id,
        "name": row.name,
        "reason": why,
        "since": now.isoformat(),
        "rules": str(len(makers)),
        "waiting": str(waiting),
    }
    key = f"notice:channel:{row.slack_id}:paused:{now.isoformat()}"
    places = [await _direct_message(session, row, person, now) for person in people]
    rows = [delivery_row(channel_id=one, key=key, kind=DeliveryKind.NOTICE, now=now, payload=dict(facts)) for one in places]
    await insert_deliveries(session, rows)
    if operations is not None and not is_operations:
        told = {"workspace": row.workspace_id, "told": " ".join(people)}
        await owe_operators(session, operations, key, facts | told, default_zone, now)
    return True


async def tell_of_departure(
    session: AsyncSession, row: Workspace, why: str, now: datetime, *, operations: ChannelKey | None, default_zone: str
) -> bool:
    """Tell the operators that a workspace is served no more, once; False: it followed nothing, or there is nobody to tell.

    Its own people cannot be told: Regwatch may post nothing there. `why` is Slack's word."""
    if operations is None or operations.workspace_id == row.id:
        return False
    its = select(Channel.id).where(Channel.workspace_id == row.id)
    rules = (await session.exec(select(func.count()).where(col(Subscription.channel_id).in_(its)))).one()
    waiting = await _waiting(session, "", col(Delivery.channel_id).in_(its))
    if not rules and not waiting:
        return False
    facts = {
        "workspace": row.id,
        "name": row.name,
        "reason": why,
        "since": now.isoformat(),
        "rules": str(rules),
        "waiting": str(waiting),
    }
    return await owe_operators(session, operations, f"notice:workspace:{row.id}:gone:{now.isoformat()}", facts, default_zone, now)


async def _waiting(session: AsyncSession, why: str, *places: Any) -> int:
    """How many alerts and updates come when it is served again: what is still owed, and what was refused for this reason."""
    is_refused = and_(col(Delivery.state) == DeliveryState.DEAD, col(Delivery.reason) == why, col(Delivery.reason) != "")
    still = or_(col(Delivery.state).in_(OPEN), is_refused)
    kinds = col(Delivery.kind).in_((DeliveryKind.ALERT, DeliveryKind.UPDATE))
    return (await session.exec(select(func.count()).select_from(Delivery).where(*places, still, kinds))).one()


async def _owners(session: AsyncSession, row: Channel, makers: Any) -> list[str]:
    """People of Slack, sorted, so that two transactions make their rows in one order. Whoever typed on the command line is none."""
    people = sorted({maker for maker in makers if is_person(maker)})
    if people:
        return people
    installer = (await session.exec(select(Workspace.installed_by).where(Workspace.id == row.workspace_id))).one_or_none() or ""
    return [installer] if is_person(installer) else []


async def _direct_message(session: AsyncSession, row: Channel, person: str, now: datetime) -> int:
    """The id of the row for a person; made with the clock and the language of the channel. One that was refused is tried again."""
    made = insert_for(session, Channel).values(
        workspace_id=row.workspace_id, slack_id=person, time_zone=row.time_zone, language=row.language, added_at=now
    )
    await session.exec(made.on_conflict_do_nothing(index_elements=["workspace_id", "slack_id"]))
    found = await find_channel(session, ChannelKey(row.workspace_id, person))
    assert found is not None  # noqa: S101  # it was just written
    await resume(session, found, "regwatch", now)
    return channel_id(found)
