"""What comes out of the Store: frozen views that answers, cards and digests are drawn from, true at their moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from storage.filters import NO_FILTER, Filter
from storage.models import (
    AliasKind,
    AmountKind,
    AmountScope,
    Broadcast,
    Deliver,
    DeliveryKind,
    FirmKind,
    Followed,
    Health,
    Kind,
    Mode,
    OwnershipKind,
    Precision,
    Role,
    Status,
    Strength,
    Tier,
)
from storage.records import PartialDate, action_ref
from storage.tenancy import Verdict, WhoMayChange


@dataclass(frozen=True, slots=True)
class FirmMatch:
    """A firm that a typed name may mean."""

    firm_id: str
    name: str
    names_zh: tuple[str, ...]
    tickers: tuple[str, ...]
    matched: str  # the alias that matched
    score: float  # 100 for an exact one


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a typed name resolves to. Exact: one firm or several that share the name; else suggestions, best first."""

    typed: str
    is_exact: bool
    matches: tuple[FirmMatch, ...]


@dataclass(frozen=True, slots=True)
class AliasView:
    """A name of a firm and how often it was seen."""

    text: str
    kind: AliasKind
    strength: Strength
    mentions: int
    targets: int


@dataclass(frozen=True, slots=True)
class FirmView:
    """A firm with its names, its owners and what belongs to it. Edges read "Ant Group, affiliate_of"."""

    id: str
    name: str
    name_zh_hans: str
    name_zh_hant: str
    kind: FirmKind
    country: str
    tickers: tuple[str, ...]
    aliases: tuple[AliasView, ...]
    owners: tuple[tuple[str, str, OwnershipKind], ...]  # id, name, edge
    children: tuple[tuple[str, str, OwnershipKind], ...]
    target_actions: int
    group_actions: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class ActionFirmView:
    """A firm in an action."""

    firm_id: str | None
    name: str
    name_zh_hans: str
    name_zh_hant: str
    surface: str
    role: Role
    via: str | None
    brand_id: str | None = None


@dataclass(frozen=True, slots=True)
class AmountView:
    """A sum of money in an action."""

    surface: str
    minimum: Decimal
    maximum: Decimal
    currency: str | None
    kind: AmountKind
    scope: AmountScope


@dataclass(frozen=True, slots=True)
class RegulatorView:
    """A regulator as a card names it."""

    id: str
    name: str
    name_native: str
    jurisdiction: str
    is_guess: bool = False  # resolve_regulator(): near to what was typed, not the same


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A document as a card links it."""

    id: int
    title: str
    url: str
    source_id: str
    publisher: str  # the regulator's name, or the press source's
    tier: Tier
    language: str
    number: str | None
    published_at: datetime | None
    published_precision: Precision | None
    first_seen_at: datetime


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """The words behind a field."""

    field: str
    text: str
    document_id: int


@dataclass(frozen=True, slots=True)
class ChangeView:
    """One change that a reader sees, or an audit row."""

    at: datetime
    by: str
    what: str
    before: str
    after: str
    version: int | None = None


@dataclass(frozen=True, slots=True)
class ActionView:
    """An action as every card, list and digest shows it."""

    id: int
    case_id: int
    kind: Kind
    status: Status
    version: int
    title: str
    regulators: tuple[RegulatorView, ...]  # the first acted, or led
    firms: tuple[ActionFirmView, ...]
    stated_count: int | None
    amounts: tuple[AmountView, ...]
    number: str | None
    decided_on: PartialDate | None
    is_decided_inferred: bool
    effective_on: date | None
    published_at: datetime | None
    published_precision: Precision | None
    first_seen_at: datetime
    is_confirmed: bool
    documents: tuple[DocumentView, ...]  # primary first, then by date
    quote: EvidenceView | None

    @property
    def ref(self) -> str:
        """RW-1001."""
        return action_ref(self.id)

    @property
    def named(self) -> tuple[ActionFirmView, ...]:
        """The firms that the documents name as targets."""
        return tuple(firm for firm in self.firms if firm.role is Role.TARGET)


@dataclass(frozen=True, slots=True)
class SourceProblem:
    """A source that is not fresh."""

    source_id: str
    regulator: str
    health: Health
    since: datetime | None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Proof of silence: how many of the polled sources are fresh, and which are not."""

    total: int
    fresh: int
    problems: tuple[SourceProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class ActionQuery:
    """A question for actions. Without firm and regulator: all."""

    firm_id: str | None = None
    filter: Filter = NO_FILTER
    limit: int = 5
    offset: int = 0


@dataclass(frozen=True, slots=True)
class ActionPage:
    """An answer: newest first. `is_older`: nothing in the span asked for, this is the newest before it."""

    actions: tuple[ActionView, ...]
    total: int
    targets: int  # with the firm asked about as target; 0 where none is
    groups: int
    is_older: bool
    coverage: Coverage


@dataclass(frozen=True, slots=True)
class ActionDetail:
    """One action with all that is behind it."""

    action: ActionView
    evidence: tuple[EvidenceView, ...]
    case: tuple[ActionView, ...]  # the other actions of its case, oldest first
    changes: tuple[ChangeView, ...]
    coverage: Coverage


@dataclass(frozen=True, slots=True)
class SourceView:
    """A source with its state."""

    id: str
    regulator_id: str | None
    regulator: str  # its name; the press source's own
    jurisdiction: str
    kind: str
    url: str
    is_enabled: bool
    off_reason: str
    mode: Mode
    mode_reason: str
    health: Health
    health_since: datetime | None
    health_detail: str
    is_fresh: bool
    last_ok_at: datetime | None
    last_new_at: datetime | None
    next_poll_at: datetime
    documents: int


@dataclass(frozen=True, slots=True)
class ChannelView:
    """A channel with its settings."""

    id: int
    workspace_id: str
    slack_id: str
    name: str
    time_zone: str
    language: str
    is_digest_on: bool
    digest_at: str
    digest_days: str
    sends_empty_digest: bool
    next_digest_at: datetime | None
    paused_reason: str
    subscriptions: int
    quiet_from: str | None = None  # local HH:MM; None: no quiet hours
    quiet_to: str | None = None
    broadcast: Broadcast = Broadcast.ESCALATION
    who_may_change: WhoMayChange = WhoMayChange.EVERYONE
    muted_until: datetime | None = None  # the whole channel


@dataclass(frozen=True, slots=True)
class SubscriptionView:
    """What a channel follows. `includes` are the firms that reach it by ownership."""

    id: int
    followed: Followed
    firm: FirmMatch | None
    regulator: RegulatorView | None
    includes: tuple[str, ...]
    filter: Filter
    broadcast: Broadcast
    deliver: Deliver
    created_by: str
    created_at: datetime
    changed_by: str = ""  # who edited it last; empty: nobody
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FollowResult:
    """What follow() did: "created", "edited" or "same"."""

    did: str
    subscription: SubscriptionView
    channel: ChannelView
    known: int  # past actions that match
    last: tuple[ActionView, ...]  # three at most
    is_digest_turned_on: bool
    former: SubscriptionView | None = None  # edited: the rule as it was


@dataclass(frozen=True, slots=True)
class WhyLine:
    """A step of the reasoning: subject "name", "role", "filter", "merge", "delivery" ..., and what holds."""

    subject: str
    text: str
    is_passed: bool | None = None  # None: a fact, no test


@dataclass(frozen=True, slots=True)
class WhyView:
    """Why an action did or did not reach a channel."""

    action: ActionView
    channel: ChannelView | None
    lines: tuple[WhyLine, ...]


@dataclass(frozen=True, slots=True)
class DigestView:
    """One channel's digest: its window, what moved, what is new."""

    local_date: date
    since: datetime
    until: datetime
    is_late: bool  # sent more than an hour after its time
    moved: tuple[tuple[ActionView, tuple[ChangeView, ...]], ...]
    new: tuple[ActionView, ...]
    quiet_firms: tuple[str, ...]  # followed, nothing happened
    watched: frozenset[str]
    coverage: Coverage


@dataclass(frozen=True, slots=True)
class RollupView:
    """Several alerts of one channel in one message, because they came together."""

    actions: tuple[ActionView, ...]  # in the order in which they were owed; of a case that moved, as it is now
    is_after_quiet: bool  # they waited for the end of quiet hours
    next_at: datetime  # what comes before this moment is told then, together


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """A leased delivery with what its rendering needs, true now."""

    id: int
    token: int
    kind: DeliveryKind
    key: str
    channel: ChannelView
    attempts: int
    is_unsure: bool  # an earlier try may have been posted: look for it first
    owed_at: datetime
    action: ActionView | None = None  # alert, update
    case: tuple[ActionView, ...] = ()  # the other actions of the case
    changes: tuple[ChangeView, ...] = ()  # update: what is new in this version
    card_ts: str | None = None  # of the case's card in this channel
    is_broadcast: bool = False
    watched: frozenset[str] = frozenset()  # firm ids that this channel follows
    digest: DigestView | None = None
    rollup: RollupView | None = None
    ts: str | None = None  # of the root of a digest or roll-up that stands already
    parts: int = 0  # messages of its thread that stand for sure
    notice: Mapping[str, str] = field(default_factory=dict)
    corrections: tuple[CorrectionView, ...] = ()  # of the case's actions, that hold here
    reviews: tuple[ReviewView, ...] = ()
    muted_until: datetime | None = None

    @property
    def card(self) -> CardView:
        """What the case's card is drawn from. Raises ValueError for a delivery without an action."""
        if self.action is None:
            raise ValueError(f"delivery {self.id} ({self.key}) has no action")
        return CardView(self.channel, self.action, self.case, self.watched, self.card_ts, self.corrections, self.reviews, self.muted_until)


# --- what people said ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CorrectionView:
    """A verdict on an action that holds for the reader's workspace."""

    id: int
    verdict: Verdict
    by: str
    at: datetime
    reason: str
    firm: str | None = None  # wrong_firm: its name
    of_action_id: int | None = None  # duplicate: of which
    is_for_all: bool = False
    action_id: int = 0  # on which it was said


@dataclass(frozen=True, slots=True)
class ReviewView:
    """Who looked at an action, when, and as it stood at which version."""

    by: str
    at: datetime
    version: int
    action_id: int = 0


@dataclass(frozen=True, slots=True)
class MuteView:
    """What a channel does not hear of, until when. Neither firm nor action: anything."""

    until: datetime
    by: str
    firm: FirmMatch | None = None
    action_id: int | None = None  # of whose case


@dataclass(frozen=True, slots=True)
class CardView:
    """A case as one channel sees it: what its card is drawn from, true at its moment."""

    channel: ChannelView
    action: ActionView
    case: tuple[ActionView, ...] = ()  # the other actions of the case
    watched: frozenset[str] = frozenset()  # firm ids that this channel follows
    ts: str | None = None  # of the message that shows the case here; None: there is none
    corrections: tuple[CorrectionView, ...] = ()  # of the case's actions, that hold here
    reviews: tuple[ReviewView, ...] = ()  # of the case's actions here, oldest first
    muted_until: datetime | None = None  # the case, a firm of it that is watched, or the channel


@dataclass(frozen=True, slots=True)
class CorrectionResult:
    """What correct() did: the card as it is now, and every post of the workspace that shows the case: (channel's Slack id, ts)."""

    card: CardView
    correction: CorrectionView
    shown: tuple[tuple[str, str], ...]
    is_new: bool  # False: the same verdict held already


@dataclass(frozen=True, slots=True)
class WorkspaceView:
    """A workspace that installed the app."""

    id: str
    name: str
    enterprise_id: str | None
    installed_by: str
    installed_at: datetime | None
    uninstalled_at: datetime | None
    channels: int
    subscriptions: int


@dataclass(frozen=True, slots=True)
class PlaceView:
    """A channel with all that it follows and does not hear: a row of the home page."""

    channel: ChannelView
    subscriptions: tuple[SubscriptionView, ...]
    mutes: tuple[MuteView, ...]


# --- figures --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SumView:
    """Penalties of one currency and one stage, added. Nothing is converted, and no stage is added to another.

    A range adds its ends. A sum that a text states for each firm of a list counts once for the firm asked about (for each of
    the list, where none is); one for the whole list counts whole, and `shared` says how many of the actions had such a one
    (0 where no firm is asked about). One for the whole list that only adds up what each of it pays is not counted again.
    """

    currency: str | None  # None: the text did not tell
    kind: AmountKind  # proposed, imposed, final, reduced, collected
    minimum: Decimal
    maximum: Decimal
    actions: int
    shared: int = 0


@dataclass(frozen=True, slots=True)
class TotalsRow:
    """One group of a total: a year ("2021"), a regulator's name, a kind; or all of it (""). `actions` are those of any kind;
    `penalties` are the fines, confiscations, settlements, consent orders and proposed penalties among them, with a sum or without."""

    label: str  # by regulator, "" is for actions of which the regulator is not known
    actions: int
    penalties: int
    with_sum: int
    sums: tuple[SumView, ...]

    @property
    def without_sum(self) -> int:
        """Penalties of which the texts state no sum."""
        return self.penalties - self.with_sum


@dataclass(frozen=True, slots=True)
class TotalsView:
    """The sums of what was done to a firm (or to all, for None)."""

    by: str  # year, regulator, kind; "" for one row
    whole: TotalsRow
    rows: tuple[TotalsRow, ...]  # empty when `by` is ""; years newest first, others largest first
    coverage: Coverage


@dataclass(frozen=True, slots=True)
class TimelinePoint:
    """One action on a time line."""

    action_id: int
    on: date  # decided, else published, else first seen
    kind: Kind
    status: Status

    @property
    def ref(self) -> str:
        """RW-1001."""
        return action_ref(self.action_id)


@dataclass(frozen=True, slots=True)
class TimelineView:
    """When a firm was acted against: equal steps of time from the first action to today, empty ones included, and the newest points."""

    unit: str  # month, quarter, year: the finest that needs no more than 40 steps
    steps: tuple[tuple[date, int], ...]  # first day of the step, actions in it; oldest first
    points: tuple[TimelinePoint, ...]  # newest first, 300 at most
    total: int
    coverage: Coverage


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A document that holds the words, a snippet around the first of them, and the actions it tells of (ids)."""

    document: DocumentView
    snippet: str  # at most 240 characters of the text, cut at words, "…" where it was cut
    action_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SearchPage:
    """An answer to a search: newest first. `is_more`: there are more than `total` says."""

    hits: tuple[SearchHit, ...]
    total: int
    is_more: bool
    coverage: Coverage


@dataclass(frozen=True, slots=True)
class ExportRow:
    """One line of an export: what happened, when, by whom, and the action that it is about. Empty strings where there is nothing."""

    at: datetime
    what: str  # action (of a firm); alert, update, digest, subscribed, muted, reviewed, wrong_firm, ... (of a channel)
    by: str
    ref: str  # RW-1001
    kind: str
    status: str
    regulators: str  # several between "; ", like the rest
    firms: str  # targets
    amounts: str  # as printed
    decided_on: str  # as precise as known
    title: str
    url: str
    detail: str  # state of a delivery, reason of a verdict, before and after of a change
