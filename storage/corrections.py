"""What people say about cards: verdicts that are remembered, and reviews. No click deletes anything.

A verdict holds in the workspace where it was given (an operator's everywhere) until it is withdrawn. While it holds,
`owing` waives what repeats the error: the moves of that case for "not relevant" and "duplicate"; for "wrong firm" whatever
names that firm by the same name alone.
"""

from __future__ import annotations

from storage.base import Base
from storage.intents import ChannelKey, CorrectionIntent
from storage.views import CardView, CorrectionResult


class CorrectionStore(Base):
    """Cards as channels see them, verdicts, reviews."""

    async def card(self, channel: ChannelKey, action_id: int) -> CardView | None:
        """An action's case as this channel sees it; None: no such action, or a channel that we do not know."""
        raise NotImplementedError

    async def correct(self, intent: CorrectionIntent) -> CorrectionResult:
        """Remember a verdict, and say which posts of the workspace show the case. The same again is not new.

        Raises StorageError for an action or firm that is not there, a firm that is not in the action, a duplicate of itself.
        """
        raise NotImplementedError

    async def withdraw(self, channel: ChannelKey, correction_id: int, by: str) -> CorrectionResult | None:
        """End a verdict of this workspace; None: there is none of that number here."""
        raise NotImplementedError

    async def review(self, channel: ChannelKey, action_id: int, by: str) -> CardView | None:
        """Note that somebody looked at the action as it stands now. Twice by the same person is once. None: no such action."""
        raise NotImplementedError
