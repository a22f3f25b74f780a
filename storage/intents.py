"""What people and posts ask of the Store: frozen intents, each with everything that one transaction needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from storage.filters import NO_FILTER, Filter
from storage.models import Broadcast, Deliver, Followed
from storage.tenancy import Verdict, WhoMayChange

# --- people -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ChannelKey:
    """Where something was said. `zone` is the person's, used when the channel is new."""

    workspace_id: str
    slack_id: str
    name: str = ""
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class FollowIntent:
    """A channel is to follow one thing. `filter` holds only what was typed; the Store adds the defaults."""

    channel: ChannelKey
    by: str
    followed: Followed
    firm_id: str | None = None
    regulator_id: str | None = None
    filter: Filter = NO_FILTER
    broadcast: Broadcast | None = None  # None: the channel's
    deliver: Deliver = Deliver.BOTH


@dataclass(frozen=True, slots=True)
class DigestSetting:
    """What a `digest` command changes; None leaves a value alone."""

    is_on: bool | None = None
    at: str | None = None  # HH:MM
    zone: str | None = None  # IANA name
    days: str | None = None  # weekdays, daily
    sends_empty: bool | None = None


@dataclass(frozen=True, slots=True)
class ChannelSetting:
    """What the settings change of a channel; None leaves a value alone."""

    zone: str | None = None  # IANA name
    language: str | None = None  # en, zh-Hant, zh-Hans
    quiet: tuple[str, str] | None = None  # from, to: local HH:MM; ("", "") for no quiet hours
    broadcast: Broadcast | None = None  # of all its subscriptions, and of those to come
    who_may_change: WhoMayChange | None = None


@dataclass(frozen=True, slots=True)
class MuteIntent:
    """A channel is to hear nothing of one firm, of one action's case, or (neither given) of anything, until a moment.

    `until` None ends what was muted."""

    channel: ChannelKey
    by: str
    until: datetime | None
    firm_id: str | None = None
    action_id: int | None = None


@dataclass(frozen=True, slots=True)
class CorrectionIntent:
    """A verdict on an action's card. `is_for_all`: an operator's, it holds for every workspace."""

    channel: ChannelKey
    by: str
    action_id: int
    verdict: Verdict
    firm_id: str | None = None  # wrong_firm: which
    of_action_id: int | None = None  # duplicate: of which
    reason: str = ""
    is_for_all: bool = False


@dataclass(frozen=True, slots=True)
class Installed:
    """A workspace installed the app."""

    workspace_id: str
    name: str
    by: str
    enterprise_id: str | None = None


# --- deliveries ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sent:
    """Slack took it; `ts` names the post. `card_ts` is the message that shows the case here from now on, when this
    delivery made it: an alert, or an update that found no card. None leaves the channel's card as it is."""

    ts: str
    card_ts: str | None = None


@dataclass(frozen=True, slots=True)
class RetryAt:
    """Not now. `is_unsure`: the reply was lost, so it may have been posted. `is_for_all`: the whole workspace waits until then;
    `is_too_fast`: because Slack took it for too many messages, so that it is posted to more slowly from now on."""

    at: datetime
    why: str
    is_unsure: bool = False
    is_for_all: bool = False
    is_too_fast: bool = False


@dataclass(frozen=True, slots=True)
class Dead:
    """Never. `is_channel_gone`: the channel refuses everything, so it is paused. `is_too_late`: it is news no more, and the next
    digest tells it."""

    why: str
    is_channel_gone: bool = False
    is_too_late: bool = False


type_of_settlement = Sent | RetryAt | Dead
"""What settle() takes."""
