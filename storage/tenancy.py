"""The tables of what belongs to a workspace: its channels, what they follow, what they are owed, what people said there.

Documents, actions and firms belong to nobody (`storage.models`); a row here is read and changed only through its
workspace or its channel. Three tables at the end belong to the processes: leases, how far
reading again has come, and requests that came in.

No `from __future__ import annotations` here: it breaks SQLModel.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from storage.models import Broadcast, Deliver, DeliveryKind, DeliveryState, Followed, choice

_ROLLED = "rolled_into is not null"

MUTED_WHOLE = "channel"
"""The key of a mute of anything."""


class WhoMayChange(StrEnum):
    """Who may change what a channel follows and how it is told."""

    EVERYONE = "everyone"
    MEMBERS = "members"
    ADMINS = "admins"


class Verdict(StrEnum):
    """What a person says is wrong with a card."""

    WRONG_FIRM = "wrong_firm"
    NOT_RELEVANT = "not_relevant"
    DUPLICATE = "duplicate"


class Workspace(SQLModel, table=True):
    """A Slack team or organisation that installed the app."""

    id: str = Field(primary_key=True)  # Slack's team id (the organisation's, for an installation of it all); "local" for the command line
    name: str = ""
    enterprise_id: str | None = None  # of a team in an Enterprise Grid organisation
    installed_by: str = ""
    installed_at: datetime | None = None  # by OAuth; null for the one workspace of a token in the settings
    uninstalled_at: datetime | None = None  # its tokens are gone since; null while it is served
    added_at: datetime
    next_post_at: datetime | None = None  # pacing: nothing is claimed for the workspace before; null: never posted to
    pace: float = 5.0  # messages a second, when it was last found to be too many
    limited_at: datetime | None = None  # when that was; null: never


class Channel(SQLModel, table=True):
    """A Slack conversation, with its zone and its digest."""

    __table_args__ = (
        UniqueConstraint("workspace_id", "slack_id", name="uq_channel_slack"),
        Index("ix_channel_next_digest_at", "next_digest_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(foreign_key="workspace.id")
    slack_id: str
    name: str = ""
    time_zone: str = "UTC"
    language: str = "en"  # en, zh-Hant, zh-Hans
    quiet_from: str | None = None  # local time, HH:MM; null: no quiet hours
    quiet_to: str | None = None
    broadcast: Broadcast = Field(default=Broadcast.ESCALATION, sa_type=choice(Broadcast))  # of subscriptions that say nothing
    who_may_change: WhoMayChange = Field(default=WhoMayChange.EVERYONE, sa_type=choice(WhoMayChange))
    is_digest_on: bool = False
    digest_at: str = "08:30"  # local time, HH:MM
    digest_days: str = "weekdays"  # weekdays, daily
    sends_empty_digest: bool = True
    next_digest_at: datetime | None = None  # null when the digest is off, or nothing is followed any more
    last_digest_at: datetime | None = None  # since when the next digest tells
    paused_reason: str = ""  # Slack's word when it refuses the channel; empty when it is served
    next_post_at: datetime | None = (
        None  # pacing: nothing is claimed for the channel before; while a delivery is under way, its lease's end
    )
    rolled_up_at: datetime | None = None  # when the last rolled-up message was sent
    rolled_up: int = 0  # cases that it told of
    added_at: datetime


class Subscription(SQLModel, table=True):
    """A channel follows a firm, a regulator or everything."""

    __table_args__ = (
        UniqueConstraint("channel_id", "key", name="uq_subscription_channel_key"),
        Index("ix_subscription_key", "key"),
        CheckConstraint(
            "(followed = 'firm' and firm_id is not null and regulator_id is null)"
            " or (followed = 'regulator' and regulator_id is not null and firm_id is null)"
            " or (followed = 'all' and firm_id is null and regulator_id is null)",
            name="followed_one_thing",
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    channel_id: int = Field(foreign_key="channel.id")
    key: str  # firm:tencent, regulator:cn-cac, all
    followed: Followed = Field(sa_type=choice(Followed))
    firm_id: str | None = Field(default=None, foreign_key="firm.id")
    regulator_id: str | None = Field(default=None, foreign_key="regulator.id")
    filter: str = ""  # Filter.to_text(), defaults included
    broadcast: Broadcast = Field(sa_type=choice(Broadcast))
    deliver: Deliver = Field(sa_type=choice(Deliver))
    created_by: str
    created_at: datetime


class Delivery(SQLModel, table=True):
    """An outbox row: one message owed to one channel. Its key, unique with the channel, makes a repost impossible."""

    __table_args__ = (
        UniqueConstraint("channel_id", "key", name="uq_delivery_channel_key"),
        # serves claim(): what is due
        Index("ix_delivery_due", "state", "next_attempt_at"),
        # serves a digest: what it tells, and what none has told yet
        Index("ix_delivery_channel_digest", "channel_id", "digest_id"),
        Index("ix_delivery_rolled_into", "rolled_into", postgresql_where=text(_ROLLED), sqlite_where=text(_ROLLED)),
        # serves claim(): what a channel waits for
        Index("ix_delivery_channel_state", "channel_id", "state"),
    )

    id: int | None = Field(default=None, primary_key=True)
    channel_id: int = Field(foreign_key="channel.id")
    key: str  # alert:RW-1001, update:RW-1001:2, digest:2021-03-22, rollup:<key of its first>, notice:<source>:<health>:<since>
    kind: DeliveryKind = Field(sa_type=choice(DeliveryKind))
    action_id: int | None = Field(default=None, foreign_key="action.id", index=True)
    payload: dict[str, Any] = Field(sa_type=JSON)  # digest: since, until, due; notice: facts; alert, update: matched subscriptions, version
    state: DeliveryState = Field(sa_type=choice(DeliveryState))
    reason: str = ""  # why waived or dead, or the last error
    is_broadcast: bool = False
    token: int = 0  # of the lease; a late holder settles nothing
    attempts: int = 0
    next_attempt_at: datetime  # when it may be claimed; while leased, when the lease ends
    owed_at: datetime
    sent_at: datetime | None = None
    ts: str | None = None  # Slack's, once sent; of a digest or roll-up, once its root stands
    rolled_into: int | None = None  # the delivery whose one message tells of this one too; null: it has a message of its own
    is_held: bool = False  # it waited for the end of quiet hours
    parts: int = 0  # messages of its thread that stand
    digest_id: int | None = 0  # the digest that tells of it; null: none yet, the channel's next one does; 0: none is to


class Card(SQLModel, table=True):
    """The Slack message that shows a case in a channel."""

    __table_args__ = (
        UniqueConstraint("channel_id", "case_id", name="uq_card_channel_case"),
        Index("ix_card_channel_posted", "channel_id", "posted_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    channel_id: int = Field(foreign_key="channel.id")
    case_id: int = Field(foreign_key="case.id")
    ts: str
    posted_at: datetime


class Mute(SQLModel, table=True):
    """A channel hears nothing of a firm, a case, or anything, until a moment. What it misses is in its digest."""

    __table_args__ = (UniqueConstraint("channel_id", "key", name="uq_mute_channel_key"),)

    id: int | None = Field(default=None, primary_key=True)
    channel_id: int = Field(foreign_key="channel.id")
    key: str  # firm:tencent, case:12, channel (MUTED_WHOLE)
    until: datetime
    made_by: str
    made_at: datetime


class Correction(SQLModel, table=True):
    """A person's verdict on a card, remembered: later identical errors are suppressed. Never deleted, but may be withdrawn."""

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str | None = Field(default=None, foreign_key="workspace.id", index=True)  # null: an operator's, for all workspaces
    channel_id: int = Field(foreign_key="channel.id")  # where it was said
    action_id: int = Field(foreign_key="action.id", index=True)
    verdict: Verdict = Field(sa_type=choice(Verdict))
    firm_id: str | None = Field(default=None, foreign_key="firm.id")  # wrong_firm: the one that is not meant
    folded: str = ""  # wrong_firm: the names that were read as that firm, folded, a line each; not_relevant: the title's key
    of_action_id: int | None = Field(default=None, foreign_key="action.id")  # duplicate: the one that it repeats
    reason: str = ""
    made_by: str
    made_at: datetime
    withdrawn_by: str = ""
    withdrawn_at: datetime | None = None  # null while it holds


class Review(SQLModel, table=True):
    """Somebody looked at an action as it stood at a version, and said so on its card. Kept and exported."""

    __table_args__ = (UniqueConstraint("channel_id", "action_id", "version", "made_by", name="uq_review_action_version"),)

    id: int | None = Field(default=None, primary_key=True)
    channel_id: int = Field(foreign_key="channel.id")
    action_id: int = Field(foreign_key="action.id", index=True)
    version: int
    made_by: str
    made_at: datetime


class Change(SQLModel, table=True):
    """An audit row: who changed what, when, from what to what."""

    __table_args__ = (Index("ix_change_subject", "subject", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str | None = Field(default=None, foreign_key="workspace.id")  # null: belongs to nobody (an action, a source)
    subject: str  # action:12, channel:3, source:us-sec-litigation
    made_by: str  # a Slack user id, "operator", or "regwatch"
    made_at: datetime
    what: str  # kind, amount, subscribed, digest ...
    before: str = ""
    after: str = ""
    version: int | None = None  # of the action, when it is one


class Lease(SQLModel, table=True):
    """A piece of work that one process at a time does, such as renewing a workspace's token."""

    name: str = Field(primary_key=True)
    token: str  # of the holder
    until: datetime


class Rereading(SQLModel, table=True):
    """With which names and which reader stored documents were read last, and how far reading them again has come. One row."""

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    names: str  # version of the register
    packed: str = Field(sa_type=Text)  # that register: the next one is held against it
    reader: str  # version of the reader
    touched: dict[str, Any] = Field(sa_type=JSON)  # which texts: firms, pieces, is_everything
    after_id: int  # documents of higher ids are still to be looked at: the oldest first
    begun_at: datetime
    ended_at: datetime | None = None  # null while it is under way
    late_since: datetime | None = None  # what was stored since then is looked at once more; null: it was
    looked_at: int = 0
    unreadable: int = 0
    outcome: dict[str, Any] = Field(sa_type=JSON)


class Inbound(SQLModel, table=True):
    """A request of Slack's that was taken, so that its repetition is not. Cleaned after an hour."""

    key: str = Field(primary_key=True)
    seen_at: datetime = Field(index=True)
