"""Workspaces that install the app and leave, requests that come in twice, and work that one process at a time does."""

from __future__ import annotations

from datetime import timedelta

from storage.base import Base
from storage.intents import Installed
from storage.views import WorkspaceView


class WorkspaceStore(Base):
    """Workspaces, inbound requests, leases."""

    async def install(self, installed: Installed) -> None:
        """A workspace installed the app, or did so again: what it follows is served from now on."""
        raise NotImplementedError

    async def uninstall(self, workspace_id: str, by: str = "slack") -> bool:
        """A workspace is served no more: nothing is claimed for its channels. What it follows stays. False: not known, or gone already."""
        raise NotImplementedError

    async def workspace(self, workspace_id: str) -> WorkspaceView | None:
        """A workspace; None: never heard of."""
        raise NotImplementedError

    async def workspaces(self) -> tuple[WorkspaceView, ...]:
        """All workspaces but the command line's, by name."""
        raise NotImplementedError

    async def is_first(self, key: str) -> bool:
        """Whether this inbound request (an event id, a click) is seen for the first time in an hour; notes it."""
        raise NotImplementedError

    async def lease(self, name: str, token: str, length: timedelta) -> bool:
        """Take a piece of work for so long; False while another token holds it. The holder may take it again."""
        raise NotImplementedError

    async def end_lease(self, name: str, token: str) -> None:
        """Give it back, if it is still ours."""
        raise NotImplementedError
