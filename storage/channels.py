"""Channels: their settings, what they do not hear for a while, and what Slack says becomes of them.

Every change is idempotent and leaves a Change row with who, when, before and after (`subscriptions` does the same for rules).
"""

from __future__ import annotations

from storage.base import Base
from storage.intents import ChannelKey, ChannelSetting, MuteIntent
from storage.views import ChangeView, ChannelView, MuteView, PlaceView


class ChannelStore(Base):
    """Settings, mutes and the life of channels."""

    async def set_channel(self, channel: ChannelKey, setting: ChannelSetting, by: str) -> ChannelView:
        """Change what the setting names. `broadcast` is given to all subscriptions of the channel too.

        Raises StorageError for a zone, language or time that does not exist.
        """
        raise NotImplementedError

    async def mute(self, intent: MuteIntent) -> tuple[MuteView, ...]:
        """Mute or unmute, and say what is muted now. While it holds, what would alert is waived ("muted") and in the digest.

        Raises StorageError for an action or firm that is not there.
        """
        raise NotImplementedError

    async def mutes(self, channel: ChannelKey) -> tuple[MuteView, ...]:
        """What the channel does not hear now, the one that ends first before."""
        raise NotImplementedError

    async def places(self, workspace_id: str) -> tuple[PlaceView, ...]:
        """All channels of a workspace that follow something or have settings of their own, by name."""
        raise NotImplementedError

    async def changes(self, channel: ChannelKey, limit: int = 20) -> tuple[ChangeView, ...]:
        """The newest changes of a channel: who, when, what, before and after."""
        raise NotImplementedError

    async def pause_channel(self, channel: ChannelKey, why: str, by: str = "slack") -> bool:
        """Nothing is posted there any more until somebody speaks to Regwatch in it: archived, deleted, the bot removed.

        `why` is Slack's word. False: not known here, or paused already."""
        raise NotImplementedError

    async def resume_channel(self, channel: ChannelKey, by: str = "slack") -> bool:
        """It may be posted to again: the bot was invited, the channel unarchived."""
        raise NotImplementedError

    async def rename_channel(self, channel: ChannelKey) -> bool:
        """The name of `channel` is its new one. False: not known here."""
        raise NotImplementedError

    async def move_channel(self, channel: ChannelKey, new_slack_id: str) -> bool:
        """Slack gave the channel another id (shared with another organisation). False: not known here."""
        raise NotImplementedError
