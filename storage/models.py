"""All tables and enums. The nouns are the ones people use when they talk about regulatory actions.

Conventions: slugs identify what people curate (regulators, sources, firms), integers identify rows;
`*_at` is an aware UTC datetime, `*_on` a date; what the regulator says (`published_at`, `decided_on`)
and what we observed (`first_seen_at`, `recorded_at`) never share a name. Enums are text columns with a
CHECK, because native PostgreSQL enum types are hard to migrate.

No `from __future__ import annotations` here: it breaks SQLModel.
"""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    Computed,
    Constraint,
    Date,
    Enum,
    Index,
    Integer,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy import text as sql
from sqlalchemy.ext.compiler import compiles
from sqlmodel import Field, SQLModel


def _checked(constraint: Constraint, _table: Table) -> str:
    """The column that a CHECK of one column guards (two columns may share an enum), else its own name."""
    columns = list(constraint.columns) if isinstance(constraint, CheckConstraint) else []
    return columns[0].name if len(columns) == 1 else str(constraint.name)


# named alike on both databases, so that a later migration can find them; before the first table
SQLModel.metadata.naming_convention = {
    "constraint_name": _checked,
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ix": "ix_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}


class Kind(StrEnum):
    """What a regulator did. The order from SPEECH to BAN is the order of severity."""

    SPEECH = "speech"
    GUIDANCE = "guidance"
    CONSULTATION = "consultation"
    RULE = "rule"
    TALKS = "talks"
    INFORMATION_REQUEST = "information_request"
    INVESTIGATION = "investigation"
    WARNING = "warning"
    RECTIFICATION = "rectification"
    RECALL = "recall"
    LAWSUIT = "lawsuit"
    PROPOSED_PENALTY = "proposed_penalty"
    SETTLEMENT = "settlement"
    CONSENT_ORDER = "consent_order"
    FINE = "fine"
    CONFISCATION = "confiscation"
    SUSPENSION = "suspension"
    REMOVAL = "removal"
    BAN = "ban"
    MERGER_DECISION = "merger_decision"
    APPROVAL = "approval"
    APPEAL = "appeal"
    ANNULMENT = "annulment"
    CLOSED = "closed"
    OTHER = "other"

    @property
    def severity(self) -> int | None:
        """1 (speech) to 19 (ban); None for kinds that carry no severity (a severity filter never passes them)."""
        rank = list(Kind).index(self) + 1
        return rank if rank <= list(Kind).index(Kind.BAN) + 1 else None


class Status(StrEnum):
    """How far an action has come."""

    PROPOSED = "proposed"
    IN_FORCE = "in_force"
    FINAL = "final"
    REDUCED = "reduced"
    APPEALED = "appealed"
    ANNULLED = "annulled"
    CLOSED = "closed"


class Role(StrEnum):
    """What a named firm is in an action. Only TARGET and GROUP alert by default."""

    TARGET = "target"
    GROUP = "group"
    COMPLAINANT = "complainant"
    COUNTERPARTY = "counterparty"
    VENUE = "venue"
    IMPERSONATED = "impersonated"
    REGULATOR = "regulator"
    MENTIONED = "mentioned"


class AmountKind(StrEnum):
    """What a sum of money is. Only PROPOSED to COLLECTED are penalties."""

    PROPOSED = "proposed"
    IMPOSED = "imposed"
    FINAL = "final"
    REDUCED = "reduced"
    COLLECTED = "collected"
    DEAL_VALUE = "deal_value"
    TURNOVER = "turnover"


class AmountScope(StrEnum):
    """Whether a sum is for the whole list of firms or for each of them."""

    WHOLE = "whole"
    EACH = "each"


class Precision(StrEnum):
    """How exactly a date is known."""

    YEAR = "year"
    MONTH = "month"
    DAY = "day"
    MINUTE = "minute"


class Tier(StrEnum):
    """PRIMARY is the regulator itself, SECONDARY the press."""

    PRIMARY = "primary"
    SECONDARY = "secondary"


class Mode(StrEnum):
    """What a source may do. SHADOW: read and stored, no alert. HELD: so by the fuse or an operator."""

    LIVE = "live"
    SHADOW = "shadow"
    HELD = "held"
    OFF = "off"


class Health(StrEnum):
    """What the last polls of a source say about it."""

    OK = "ok"
    LATE = "late"
    EMPTY = "empty"
    BLOCKED = "blocked"
    CHANGED_LAYOUT = "changed_layout"
    EXPIRED_CERTIFICATE = "expired_certificate"
    ERROR = "error"


class FirmKind(StrEnum):
    """What a firm is; a BRAND is no legal person, its owner is the target."""

    GROUP = "group"
    COMPANY = "company"
    BRAND = "brand"
    FUND = "fund"


class AliasKind(StrEnum):
    """How a name came to be one."""

    LEGAL = "legal"
    SHORT = "short"
    FORMER = "former"
    TICKER = "ticker"
    ACRONYM = "acronym"
    TRANSLIT = "translit"


class Strength(StrEnum):
    """A WEAK alias never counts alone: it needs context or a strong alias of its firm in the same document."""

    STRONG = "strong"
    WEAK = "weak"


class OwnershipKind(StrEnum):
    """How one firm belongs to another."""

    OWNED_BY = "owned_by"
    BRAND_OF = "brand_of"
    AFFILIATE_OF = "affiliate_of"
    SUCCESSOR_OF = "successor_of"


class Followed(StrEnum):
    """What a subscription follows."""

    FIRM = "firm"
    REGULATOR = "regulator"
    ALL = "all"


class Deliver(StrEnum):
    """Where a subscription delivers: alerts at once, the digest, or both."""

    NOW = "now"
    DIGEST = "digest"
    BOTH = "both"


class Broadcast(StrEnum):
    """Which developments in a card's thread are shown in the channel too."""

    NEVER = "never"
    ESCALATION = "escalation"
    ALL = "all"


class DeliveryKind(StrEnum):
    """What one message owed to a channel is."""

    ALERT = "alert"
    UPDATE = "update"
    DIGEST = "digest"
    NOTICE = "notice"
    ROLLUP = "rollup"  # several alerts, or moves of cases without a card, in one message


class DeliveryState(StrEnum):
    """Where a delivery stands. UNKNOWN: the reply was lost. DEAD: the channel refuses. WAIVED: never posted, by rule."""

    OWED = "owed"
    LEASED = "leased"
    SENT = "sent"
    UNKNOWN = "unknown"
    DEAD = "dead"
    WAIVED = "waived"


def choice(values: type[StrEnum]) -> Enum:
    """A text column that holds one of the values, guarded by a CHECK on both databases."""
    return Enum(
        values,
        native_enum=False,
        create_constraint=True,
        length=32,
        values_callable=lambda members: [member.value for member in members],
        name=values.__name__.lower(),
    )


class Regulator(SQLModel, table=True):
    """A body that acts."""

    id: str = Field(primary_key=True)  # slug: cn-cac
    name: str
    name_native: str = ""
    aliases: list[str] = Field(sa_type=JSON)  # may be matched alone
    context_aliases: list[str] = Field(sa_type=JSON)  # only with a country cue, or in the regulator's own source
    jurisdiction: str  # ISO 3166 country, EU, or INT
    time_zone: str = "UTC"
    homepage: str = ""
    languages: list[str] = Field(sa_type=JSON)


class Source(SQLModel, table=True):
    """One address that is polled, with its state. The definition is curated in the catalogue."""

    __table_args__ = (
        # serves due_sources(): what is due and not leased
        Index("ix_source_due", "next_poll_at", "id", sqlite_where=sql("is_enabled"), postgresql_where=sql("is_enabled")),
    )

    id: str = Field(primary_key=True)  # slug: us-sec-litigation
    regulator_id: str | None = Field(default=None, foreign_key="regulator.id", index=True)  # null for the press
    url: str
    kind: str  # rss, atom, json, html-list, link-pattern, csv
    tier: Tier = Field(sa_type=choice(Tier))
    language: str = ""
    is_enabled: bool = True  # polled at all: on in the catalogue and of a kind that can be read
    off_reason: str = ""  # why it is not polled; empty when it is
    poll_minutes: int = 60
    stale_after_days: int = 30
    min_entries: int = 1
    definition: dict[str, str] = Field(sa_type=JSON)  # the catalogue's row
    is_own: bool = False  # an operator's, not the catalogue's: no new version changes it
    is_proved: bool = True  # False: its selectors were never held against a real page, and it is a shadow until they are
    mode: Mode = Field(sa_type=choice(Mode))
    mode_reason: str = ""
    health: Health = Field(sa_type=choice(Health))
    health_since: datetime | None = None  # null before the first poll
    health_detail: str = ""
    etag: str | None = None
    last_modified: str | None = None
    body_hash: str | None = None
    next_poll_at: datetime
    lease_until: datetime | None = None  # null when nobody polls it
    lease_token: int = 0  # fences off a late holder of an expired lease
    failures: int = 0  # in a row
    added_at: datetime
    seeded_at: datetime | None = None  # first poll that yielded an entry; null: history not read yet
    last_polled_at: datetime | None = None
    last_ok_at: datetime | None = None
    last_new_at: datetime | None = None  # when we last saw a new entry
    newest_published_at: datetime | None = None  # their date of the newest known entry


class SourceRhythm(SQLModel, table=True):
    """When a source's newest entries appeared. Beside the source, as only its polls read it."""

    source_id: str = Field(primary_key=True, foreign_key="source.id")
    minutes: list[int] = Field(sa_type=JSON)  # since 1970, UTC
    days: list[int] = Field(sa_type=JSON)  # ordinals, in the source's zone


class Poll(SQLModel, table=True):
    """The log of one attempt on one source. Cleaned after 90 days."""

    id: int | None = Field(default=None, primary_key=True)
    source_id: str = Field(foreign_key="source.id", index=True)
    started_at: datetime = Field(index=True)
    seconds: float
    http_status: int | None = None  # null when no answer came
    health: Health = Field(sa_type=choice(Health))
    detail: str = ""
    n_bytes: int = 0
    n_entries: int = 0
    n_new: int = 0
    n_changed: int = 0


WANTED = "body_url is not null and body_read_at is null"
"""The documents whose own page was not read."""


class Document(SQLModel, table=True):
    """The stored text of an entry; an edit in place replaces the text and sets edited_at."""

    __table_args__ = (
        # serves wanted_bodies(): the few whose own page is still to be read
        Index("ix_document_wanted", "source_id", sqlite_where=sql(WANTED), postgresql_where=sql(WANTED)),
    )

    id: int | None = Field(default=None, primary_key=True)
    source_id: str = Field(foreign_key="source.id", index=True)
    regulator_id: str | None = Field(default=None, foreign_key="regulator.id")  # the source's; null for the press
    tier: Tier = Field(sa_type=choice(Tier))
    url: str = ""  # as the feed gave it; empty when it gave none
    canonical_url: str = Field(default="", index=True)
    title: str = Field(default="", sa_type=Text)
    text: str = Field(default="", sa_type=Text)
    language: str = ""
    number: str | None = Field(default=None, index=True)  # the regulator's own document number
    sha256: str  # of title + "\n" + text
    listed: dict[str, str] | None = Field(
        default=None, sa_type=JSON(none_as_null=True)
    )  # title, text, sha256 as listed; null: the same as these
    body_url: str | None = None  # the notice's own page; null when there is nothing to follow
    body_read_at: datetime | None = None  # null: not yet, or never
    body_tries: int = 0  # that failed
    body_detail: str = ""  # why the last try failed
    links: list[str] = Field(default_factory=list, sa_type=JSON)  # addresses that the text links to, printed or not
    published_at: datetime | None = None
    published_precision: Precision | None = Field(default=None, sa_type=choice(Precision))
    updated_at: datetime | None = None  # theirs
    fetched_at: datetime
    first_seen_at: datetime = Field(index=True)
    edited_at: datetime | None = None  # ours: when we first saw the text changed
    register_version: str = ""  # of the names and the reader it was read with: `bot.names`


class DocumentWords(SQLModel, table=True):
    """What full text finds of a document. The index over it, and on SQLite the triggers that keep it, are migration 0006's."""

    # the document's day and id in one number: the newest come first without a look at the documents
    place: int = Field(primary_key=True, sa_type=BigInteger().with_variant(Integer(), "sqlite"), sa_column_kwargs={"autoincrement": False})
    document_id: int = Field(foreign_key="document.id", ondelete="CASCADE", unique=True)
    words: str = Field(sa_type=Text)  # storage.words.indexed(title and text)


class DocumentKey(SQLModel, table=True):
    """One key by which a source's document is known. All keys ever seen are kept."""

    __table_args__ = (Index("ix_documentkey_document_id", "document_id"),)

    source_id: str = Field(foreign_key="source.id", primary_key=True)
    kind: str = Field(primary_key=True)  # guid, url, number, title (normalised title + date)
    key: str = Field(primary_key=True)
    document_id: int = Field(foreign_key="document.id", primary_key=True)


class Sighting(SQLModel, table=True):
    """A source's document as its latest poll showed it: the window of the change funnel."""

    source_id: str = Field(foreign_key="source.id", primary_key=True)
    document_id: int = Field(foreign_key="document.id", primary_key=True)
    entry_hash: str  # of the raw bytes of the entry
    in_window: bool = True  # present in the last good poll
    last_seen_at: datetime


class Case(SQLModel, table=True):
    """Actions joined over time: probe, proposed fine, fine, appeal."""

    id: int | None = Field(default=None, primary_key=True)
    opened_at: datetime
    number: str | None = Field(default=None, index=True)


class DayOfAction(ColumnElement[date]):
    """What `acted_on` is worked out from; each database has its own words for the day of a moment in UTC."""

    inherit_cache = True


@compiles(DayOfAction, "sqlite")
def _day_on_sqlite(_element: DayOfAction, _compiler: Any, **_: Any) -> str:
    return "coalesce(decided_on, date(published_at), date(first_seen_at))"


@compiles(DayOfAction, "postgresql")
def _day_on_postgresql(_element: DayOfAction, _compiler: Any, **_: Any) -> str:
    return "coalesce(decided_on, (published_at at time zone 'UTC'::text)::date, (first_seen_at at time zone 'UTC'::text)::date)"


class Action(SQLModel, table=True):
    """One act of one regulator, or of several jointly. `RW-<id>` is its name."""

    __table_args__ = (
        Index("ix_action_kind_decided", "kind", "decided_on"),
        Index("ix_action_first_seen_at", "first_seen_at"),
        # serves "what happened since", newest first
        Index("ix_action_acted_on", "acted_on", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    case_id: int = Field(foreign_key="case.id", index=True)
    case_reason: str = ""  # why it joined the case; empty for the action that opened it
    kind: Kind = Field(sa_type=choice(Kind))
    status: Status = Field(sa_type=choice(Status))
    version: int = 1  # rises only when what a reader sees changes
    title: str = Field(default="", sa_type=Text)  # of its best document
    stated_count: int | None = None  # "11 companies"; null when the text states none
    number: str | None = Field(default=None, index=True)
    decided_on: date | None = None
    decided_precision: Precision | None = Field(default=None, sa_type=choice(Precision))
    is_decided_inferred: bool = False  # "yesterday", resolved against the document's date
    effective_on: date | None = None
    published_at: datetime | None = None  # the earliest document's
    published_precision: Precision | None = Field(default=None, sa_type=choice(Precision))
    first_seen_at: datetime
    is_confirmed: bool = False  # a primary document is among its documents
    acted_on: date | None = Field(
        default=None, sa_column=Column(Date, Computed(DayOfAction()))
    )  # decided, else published, else first seen; the database works it out, null in memory


class ActionRegulator(SQLModel, table=True):
    """Who acted."""

    __table_args__ = (Index("ix_actionregulator_regulator", "regulator_id", "action_id"),)

    action_id: int = Field(foreign_key="action.id", primary_key=True)
    regulator_id: str = Field(foreign_key="regulator.id", primary_key=True)
    is_first: bool = True


OF_BRAND = sql("brand_id is not null")
"""The few rows in which a brand was hit."""


class ActionFirm(SQLModel, table=True):
    """A firm in an action. Unresolved names are kept with a null firm_id."""

    __table_args__ = (
        UniqueConstraint("action_id", "name", "brand_id", name="uq_actionfirm_action_name"),
        # serve "actions against X, newest first": all that is counted and ordered by is in them
        Index("ix_actionfirm_firm_acted", "firm_id", "acted_on", "action_id", "role"),
        Index("ix_actionfirm_brand_acted", "brand_id", "acted_on", "action_id", "role", sqlite_where=OF_BRAND, postgresql_where=OF_BRAND),
    )

    id: int | None = Field(default=None, primary_key=True)
    action_id: int = Field(foreign_key="action.id", index=True)
    firm_id: str | None = Field(default=None, foreign_key="firm.id")  # null: not in the register
    name: str
    surface: str  # as the document printed it
    role: Role = Field(sa_type=choice(Role))
    via: str | None = None  # "TikTok, brand of ByteDance"; null when named directly
    brand_id: str | None = Field(default=None, foreign_key="firm.id")  # the brand that was hit; null when none was
    rule: str = ""  # id of the reading rule that gave the role
    document_id: int = Field(foreign_key="document.id")
    first_seen_at: datetime  # the action's
    acted_on: date | None = None  # the action's, repeated for the index; triggers of the database write it, null in memory


class Amount(SQLModel, table=True):
    """Money as printed."""

    id: int | None = Field(default=None, primary_key=True)
    action_id: int = Field(foreign_key="action.id", index=True)
    document_id: int = Field(foreign_key="document.id")
    surface: str
    minimum: Decimal = Field(sa_type=Numeric(24, 2))
    maximum: Decimal = Field(sa_type=Numeric(24, 2))
    currency: str | None = None  # ISO 4217; null when neither text nor jurisdiction tells
    kind: AmountKind = Field(sa_type=choice(AmountKind))
    scope: AmountScope = Field(sa_type=choice(AmountScope))


class ActionDocument(SQLModel, table=True):
    """Which documents tell of an action, and why each was joined to it."""

    __table_args__ = (Index("ix_actiondocument_document", "document_id", "action_id"),)

    action_id: int = Field(foreign_key="action.id", primary_key=True)
    document_id: int = Field(foreign_key="document.id", primary_key=True)
    reason: str = ""  # opened it, number, firms, count
    joined_at: datetime


class Mention(SQLModel, table=True):
    """A firm in a document, with the span that proves it. Recomputable."""

    # serves firm(): how often each name of a firm was read
    __table_args__ = (Index("ix_mention_firm_read", "firm_id", "surface", "role"),)

    id: int | None = Field(default=None, primary_key=True)
    document_id: int = Field(foreign_key="document.id", index=True)
    firm_id: str | None = Field(default=None, foreign_key="firm.id")
    name: str
    surface: str
    start: int  # code points into title + "\n" + text
    end: int
    role: Role = Field(sa_type=choice(Role))
    strength: Strength | None = Field(default=None, sa_type=choice(Strength))
    rule: str = ""


class Evidence(SQLModel, table=True):
    """The sentence, offsets and document hash behind a field of an action."""

    id: int | None = Field(default=None, primary_key=True)
    action_id: int = Field(foreign_key="action.id", index=True)
    document_id: int = Field(foreign_key="document.id")
    field: str  # kind, firms, amount, decided_on, stated_count, regulator
    text: str = Field(sa_type=Text)
    start: int
    end: int
    sha256: str  # of the document as it was read


class Firm(SQLModel, table=True):
    """A company or a brand."""

    id: str = Field(primary_key=True)  # slug: tencent
    name: str
    name_zh_hans: str = ""
    name_zh_hant: str = ""
    kind: FirmKind = Field(sa_type=choice(FirmKind))
    country: str = ""
    tickers: list[str] = Field(sa_type=JSON)
    note: str = ""


class Alias(SQLModel, table=True):
    """A name for a firm."""

    __table_args__ = (UniqueConstraint("firm_id", "folded", name="uq_alias_firm_folded"),)

    id: int | None = Field(default=None, primary_key=True)
    firm_id: str = Field(foreign_key="firm.id")
    text: str
    folded: str = Field(index=True)  # storage.text.fold(text)
    language: str = ""  # en, zh
    kind: AliasKind = Field(sa_type=choice(AliasKind))
    strength: Strength = Field(sa_type=choice(Strength))
    from_on: date | None = None  # null: always
    to_on: date | None = None  # null: still
    source: str = "register"


class Ownership(SQLModel, table=True):
    """A dated edge: the child belongs to the parent."""

    __table_args__ = (UniqueConstraint("child_id", "parent_id", "kind", name="uq_ownership_edge"),)

    id: int | None = Field(default=None, primary_key=True)
    child_id: str = Field(foreign_key="firm.id")
    parent_id: str = Field(foreign_key="firm.id", index=True)
    kind: OwnershipKind = Field(sa_type=choice(OwnershipKind))
    from_on: date | None = None
    to_on: date | None = None
    source: str = "register"
