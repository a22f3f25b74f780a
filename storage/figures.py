"""Answers in figures: sums, time lines, exports. None of them writes. What passes a filter, `loading.matching` says."""

from __future__ import annotations

from datetime import date

from storage.base import Base
from storage.filters import NO_FILTER, Filter
from storage.intents import ChannelKey
from storage.views import ExportRow, TimelineView, TotalsView


class FigureStore(Base):
    """Totals, time lines, exports."""

    async def totals(self, firm_id: str | None, by: str = "", filter: Filter = NO_FILTER) -> TotalsView:
        """The penalties of a firm (or brand; None: of all), added by currency and stage, in groups: year, regulator, kind."""
        raise NotImplementedError

    async def timeline(self, firm_id: str | None, filter: Filter = NO_FILTER) -> TimelineView:
        """When actions fell, in the finest steps of time that need no more than forty."""
        raise NotImplementedError

    async def export_firm(self, firm_id: str, since: date | None = None) -> tuple[ExportRow, ...]:
        """All actions with the firm in any role, oldest first; `since` by the action's own day."""
        raise NotImplementedError

    async def export_channel(self, channel: ChannelKey, since: date | None = None) -> tuple[ExportRow, ...]:
        """Everything that happened in a channel, oldest first: deliveries, verdicts, reviews, changes of rules and settings."""
        raise NotImplementedError
