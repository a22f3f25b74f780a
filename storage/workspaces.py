"""Workspaces that install the app and leave, requests that come in twice, and work that one process at a time does.

Which channels are served at all is asked in `outbox`, when a delivery is claimed and when a digest is owed. Whom the
operators lose is told to them by `owners`.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, or_
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.base import Base, insert_for
from storage.intents import Installed
from storage.owners import tell_of_departure
from storage.places import hold_anew
from storage.tenancy import Change, Channel, Inbound, Lease, Subscription, Workspace
from storage.views import WorkspaceView

COMMAND_LINE = "local"
"""The workspace of what is followed on the command line: nobody installed it."""

_REPEATED_WITHIN = timedelta(hours=1)  # Slack repeats an event for about an hour
_CLEANED_AT_ONCE = 100


class WorkspaceStore(Base):
    """Workspaces, inbound requests, leases."""

    async def install(self, installed: Installed) -> None:
        """A workspace installed the app, or did so again: what it follows is served from now on, with all that waited.

        What waited comes at the end of a channel's quiet hours, where they hold now."""
        now = self._now()
        async with self._write() as session:
            fresh = insert_for(session, Workspace).values(id=installed.workspace_id, name="", added_at=now)
            await session.exec(fresh.on_conflict_do_nothing())
            row = await _locked(session, installed.workspace_id)
            assert row is not None  # noqa: S101  # it was just written
            before = (row.name, row.enterprise_id, row.installed_by, row.installed_at is None, row.uninstalled_at)
            after = (installed.name or row.name, installed.enterprise_id, installed.by, False, None)
            if row.uninstalled_at is not None:
                quiet = select(Channel).where(Channel.workspace_id == row.id, col(Channel.quiet_from).is_not(None))
                for channel in (await session.exec(quiet.order_by(col(Channel.id)))).all():
                    await hold_anew(session, channel, now)
            if before != after:
                row.name, row.enterprise_id, row.installed_by, row.installed_at, row.uninstalled_at = *after[:3], now, None
                session.add(self._workspace_change(row, installed.by, "installed"))

    async def uninstall(self, workspace_id: str, by: str = "slack", *, why: str = "app_uninstalled") -> bool:
        """A workspace is served no more: nothing is claimed for its channels. What it follows stays, and what it is owed waits.

        The operators are owed a notice where it followed anything; `why` is Slack's word. False: not known, or gone already."""
        now = self._now()
        async with self._write() as session:
            row = await _locked(session, workspace_id)
            if row is None or row.uninstalled_at is not None:
                return False
            row.uninstalled_at = now
            session.add(self._workspace_change(row, by, "uninstalled"))
            await tell_of_departure(session, row, why, now, operations=self._operations, default_zone=self._default_zone)
            return True

    async def workspace(self, workspace_id: str) -> WorkspaceView | None:
        """A workspace; None: never heard of."""
        async with self._read() as session:
            return next(iter(await _load_workspaces(session, workspace_id)), None)

    async def workspaces(self) -> tuple[WorkspaceView, ...]:
        """All workspaces but the command line's, by name."""
        async with self._read() as session:
            return tuple(view for view in await _load_workspaces(session) if view.id != COMMAND_LINE)

    async def is_first(self, key: str) -> bool:
        """Whether this inbound request (an event id, a click) is seen for the first time in an hour; notes it."""
        now = self._now()
        old = now - _REPEATED_WITHIN
        async with self._write() as session:
            noted = insert_for(session, Inbound).values(key=key, seen_at=now)
            fresh = noted.on_conflict_do_update(index_elements=["key"], set_={"seen_at": now}, where=col(Inbound.seen_at) <= old).returning(
                col(Inbound.key)
            )
            is_first = (await session.exec(fresh)).first() is not None
            # after our own, and never waiting for another's: two that clean at once cannot wait for each other
            stale = select(Inbound.key).where(Inbound.seen_at <= old).limit(_CLEANED_AT_ONCE).with_for_update(skip_locked=True)
            await session.exec(delete(Inbound).where(col(Inbound.key).in_(stale)))
            return is_first

    async def lease(self, name: str, token: str, length: timedelta) -> bool:
        """Take a piece of work for so long; False while another token holds it. The holder may take it again."""
        now = self._now()
        async with self._write() as session:
            taken = insert_for(session, Lease).values(name=name, token=token, until=now + length)
            held = taken.on_conflict_do_update(
                index_elements=["name"],
                set_={"token": token, "until": now + length},
                where=or_(col(Lease.token) == token, col(Lease.until) <= now),
            )
            return (await session.exec(held.returning(col(Lease.name)))).first() is not None

    async def end_lease(self, name: str, token: str) -> None:
        """Give it back, if it is still ours."""
        async with self._write() as session:
            await session.exec(delete(Lease).where(col(Lease.name) == name, col(Lease.token) == token))

    def _workspace_change(self, row: Workspace, by: str, what: str) -> Change:
        return Change(workspace_id=row.id, subject=f"workspace:{row.id}", made_by=by, made_at=self._now(), what=what, after=row.name)


async def _locked(session: AsyncSession, workspace_id: str) -> Workspace | None:
    return (await session.exec(select(Workspace).where(Workspace.id == workspace_id).with_for_update())).one_or_none()


async def _load_workspaces(session: AsyncSession, workspace_id: str | None = None) -> list[WorkspaceView]:
    """One workspace, or all by name."""
    wanted = select(Workspace).order_by(Workspace.name, Workspace.id)
    is_channel = func.substr(Channel.slack_id, 1, 1).not_in(("U", "W"))  # the rows of persons, to whom notices go, are none
    channels = select(Channel.workspace_id, func.count()).where(is_channel).group_by(Channel.workspace_id)
    rules = select(Channel.workspace_id, func.count()).join(Subscription, col(Subscription.channel_id) == Channel.id)
    if workspace_id is not None:
        wanted, channels = wanted.where(Workspace.id == workspace_id), channels.where(Channel.workspace_id == workspace_id)
        rules = rules.where(Channel.workspace_id == workspace_id)
    n_channels = dict((await session.exec(channels)).all())
    n_rules = dict((await session.exec(rules.group_by(Channel.workspace_id))).all())
    return [
        WorkspaceView(
            id=row.id,
            name=row.name,
            enterprise_id=row.enterprise_id,
            installed_by=row.installed_by,
            installed_at=row.installed_at,
            uninstalled_at=row.uninstalled_at,
            channels=n_channels.get(row.id, 0),
            subscriptions=n_rules.get(row.id, 0),
        )
        for row in await session.exec(wanted)
    ]
