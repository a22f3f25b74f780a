"""What operators order about sources and stored texts: arm, hold, check, read again. Only `desk` calls it, for operators only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, datetime

from bot.check import Checked
from bot.names import Names
from bot.reread import Rereader, RereadReport
from bot.slack import figures, replies
from bot.slack.blocks import Look, Message
from bot.slack.changes import Who
from bot.slack.grammar import Backfill, SourceOrder
from bot.slack.naming import Naming, Stop
from storage import Store
from storage.filters import since_date
from storage.models import Health
from storage.records import SourceRow
from storage.views import SourceView

Check = Callable[[SourceRow], Awaitable[Checked]]
"""Asks a source now, without writing."""


class Orders:
    """Orders of operators. `names` read texts; a process that polls nothing has no `check`."""

    def __init__(self, store: Store, *, now: Callable[[], datetime], names: Names | None = None, check: Check | None = None) -> None:
        self._store = store
        self._now = now
        self.names = names or Names(store)
        self._check = check

    async def source(self, command: SourceOrder, who: Who, look: Look, naming: Naming) -> Message:
        """Arm, hold or check one source."""
        source_id = await naming.source(command.source_id, lambda name: replace(command, source_id=name))
        if command.do == "check":
            return await self._checked(source_id, who, look)
        act = self._store.arm if command.do == "arm" else self._store.hold
        await act(source_id, who.user_id)
        return replies.source_order(command.do, await self._source(source_id), who.user_id, look)

    async def _checked(self, source_id: str, who: Who, look: Look) -> Message:
        if self._check is None:
            raise Stop("This process polls nothing. On the command line: `regwatch sources check {}`.", source_id)
        row = next(row for row in await self._store.source_rows() if row.id == source_id)
        checked = await self._check(row)
        newest = f", the newest of {checked.newest:%Y-%m-%d}" if checked.newest else ""
        found = f"{checked.entries} entries{newest}. {checked.says}".rstrip(" .") + "."
        return replies.source_order(
            "check", await self._source(source_id), who.user_id, look, found=found, is_well=checked.health is Health.OK
        )

    async def _source(self, source_id: str) -> SourceView:
        return next(view for view in await self._store.sources() if view.id == source_id)

    async def backfill(self, command: Backfill, who: Who, look: Look, naming: Naming) -> Message:
        """Read stored documents again, silently: those of a source, else those that may name a firm."""
        since = since_date(command.since, self._now().date()) if command.since else None
        if any(row.id == command.name for row in await self._store.source_rows()):
            rereader = await self._rereader()
            report = await rereader.source(command.name, since, by=who.user_id, is_dry_run=command.is_dry_run)
        else:
            firm = await naming.firm(command.name, lambda name: replace(command, name=name))
            report = await self.read_again(firm.firm_id, since, is_dry_run=command.is_dry_run)
        outcome = report.outcome
        return figures.read_again(
            command,
            look,
            by=who.user_id,
            documents=outcome.read,
            changed=outcome.changed,
            new_actions=len(outcome.opened),
            changed_actions=len(outcome.moved),
            firms=[await self._name(firm_id) for firm_id in sorted(outcome.firms)[:20]],
            is_dry_run=command.is_dry_run,
            unreadable=report.unreadable,
            is_due=report.is_due,
        )

    async def _name(self, firm_id: str) -> str:
        firm = await self._store.firm(firm_id, is_counted=False)
        return firm.name if firm else firm_id

    async def read_again(self, firm_id: str, since: date | None = None, *, is_dry_run: bool = False) -> RereadReport:
        """Read again what may name a firm, with the names that the database holds now."""
        return await (await self._rereader()).firm(firm_id, since, is_dry_run=is_dry_run)

    async def _rereader(self) -> Rereader:
        await self.names.refresh()
        return Rereader(self._store, self.names.read, self._now, version=lambda: self.names.version)
