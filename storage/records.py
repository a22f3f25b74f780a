"""What goes into the Store: frozen values, never a session, never a table row.

*Readings* (`Extraction` and its parts) are what `bot.extract` makes of a text, with the register that it reads with.
*Intents* (`PollRecord`, `FollowIntent`, ...) say everything that one transaction needs. What comes out is in `views`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from storage.models import (
    AliasKind,
    AmountKind,
    AmountScope,
    FirmKind,
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

FIRST_REF = 1001
"""The number of the first action: `RW-1001`. The migration starts the ids there."""


def action_ref(action_id: int) -> str:
    """The name people use for an action: `RW-1001`."""
    return f"RW-{action_id}"


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A date that is never more precise than its text: `2020`, `2020-11`, `2020-11-03`."""

    value: date  # first day of the year or month when the precision is coarser
    precision: Precision

    def __str__(self) -> str:
        iso = self.value.isoformat()
        return {Precision.YEAR: iso[:4], Precision.MONTH: iso[:7]}.get(self.precision, iso)


# --- the register -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FirmRow:
    """A firm of the register."""

    id: str
    name: str
    name_zh_hans: str = ""
    name_zh_hant: str = ""
    kind: FirmKind = FirmKind.COMPANY
    country: str = ""
    tickers: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class AliasRow:
    """A name of a firm. The dates say when it was the firm's own name: a text may use a former name long after."""

    firm_id: str
    text: str
    kind: AliasKind = AliasKind.SHORT
    strength: Strength = Strength.STRONG
    language: str = ""
    from_on: date | None = None
    to_on: date | None = None
    source: str = "register"


@dataclass(frozen=True, slots=True)
class OwnershipRow:
    """A dated edge: the child belongs to the parent."""

    child_id: str
    parent_id: str
    kind: OwnershipKind
    from_on: date | None = None
    to_on: date | None = None
    source: str = "register"


@dataclass(frozen=True, slots=True)
class RegulatorRow:
    """A regulator of the catalogue. `context_aliases` need a country cue or the regulator's own source."""

    id: str
    name: str
    name_native: str = ""
    aliases: tuple[str, ...] = ()
    context_aliases: tuple[str, ...] = ()
    jurisdiction: str = ""
    time_zone: str = "UTC"
    homepage: str = ""
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Register:
    """All names that a text is read with. `version` is a hash of the content."""

    version: str
    firms: tuple[FirmRow, ...]
    aliases: tuple[AliasRow, ...]
    ownerships: tuple[OwnershipRow, ...]
    regulators: tuple[RegulatorRow, ...]


# --- lists of firms that users bring ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ListRow:
    """A firm as a row of a list has it. `weak` names are weak whatever the strength of the row."""

    name: str
    aliases: tuple[str, ...] = ()
    weak: tuple[str, ...] = ()
    tickers: tuple[str, ...] = ()
    country: str = ""
    strength: Strength = Strength.WEAK
    id: str = ""  # of the firm of the register that is meant, or one that is wished for
    key: str = ""  # the list's own number (CIK, LEI): rows that share one are one firm


@dataclass(frozen=True, slots=True)
class ListParent:
    """Who owns whom, by the list's own numbers."""

    child: str
    parent: str
    from_on: date | None = None
    to_on: date | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Rows of a list that were not used, for one reason, with a few of their names."""

    reason: str
    rows: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListOutcome:
    """What bringing in a list, or taking it away, did or would do."""

    name: str
    rows: int = 0
    new_firms: int = 0
    joined: int = 0  # known firms that rows of the list name
    new_names: int = 0  # tickers included
    same_names: int = 0  # that the list had brought before
    changed_names: int = 0  # of those, in their strength
    gone_names: int = 0
    gone_firms: int = 0
    parents: int = 0  # edges of the list
    is_owned_anew: bool = False  # they are not those that it had brought before
    kept: tuple[str, ...] = ()  # ids of firms no longer in the list that stay: actions or subscriptions refer to them
    left_out: tuple[LeftOut, ...] = ()

    @property
    def is_change(self) -> bool:
        """Whether the register is another than before."""
        return bool(self.new_firms or self.new_names or self.changed_names or self.gone_names or self.gone_firms or self.is_owned_anew)


@dataclass(frozen=True, slots=True)
class ListView:
    """A list that the register holds: how many firms it named, and how many names are its own."""

    name: str
    firms: int
    names: int


# --- readings: what bot.extract makes of a text ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DocumentText:
    """A text to be read. Offsets of its reading are code points into `whole`."""

    title: str
    text: str
    published_at: datetime | None = None
    language: str | None = None  # None: to be found out
    regulator_id: str | None = None  # whose source it came from; None for the press or an unknown text
    tier: Tier = Tier.PRIMARY
    links: tuple[str, ...] = ()  # addresses that the text links to, printed or not

    @property
    def whole(self) -> str:
        """Title and text as the offsets count them: `title + "\\n" + text`, or the text alone without a title."""
        return f"{self.title}\n{self.text}" if self.title else self.text


@dataclass(frozen=True, slots=True)
class StoredText:
    """A stored document as it is read again."""

    id: int
    first_seen_at: datetime
    document: DocumentText  # its time of publication in the zone of its source, as texts are read
    sha256: str = ""  # of title and text


@dataclass(frozen=True, slots=True)
class FoundFirm:
    """A firm named in a text. `firm_id` is None when it is not in the register.

    When a brand is hit, `firm_id` and `name` are the owner's, `surface` is the brand as printed, and `via`
    names the edge ("TikTok, brand of ByteDance"); `brand_id` is the brand's own firm id, so that a question for
    the brand finds it. A GROUP row names the owner, with the child's surface.
    """

    firm_id: str | None
    name: str
    surface: str
    role: Role
    start: int
    end: int
    via: str | None = None
    strength: Strength | None = None
    rule: str = ""
    brand_id: str | None = None


@dataclass(frozen=True, slots=True)
class FoundAmount:
    """A sum of money. `minimum` equals `maximum` unless the text gives a range.

    `converted` is the same sum told again in another currency: "SEK 300,000 (EUR 29,500)". It is shown and never counted.
    """

    surface: str
    minimum: Decimal
    maximum: Decimal
    currency: str | None
    kind: AmountKind
    scope: AmountScope
    start: int
    end: int
    converted: tuple[FoundAmount, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundEvidence:
    """The words behind a field: kind, firms, amount, decided_on, stated_count, regulator."""

    field: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class FoundRegulator:
    """Who acted; `regulator_id` is None for a body that is not in the catalogue."""

    regulator_id: str | None
    name: str


@dataclass(frozen=True, slots=True)
class FoundAction:
    """One act as one text tells it. `evidence[0]` is the sentence that a card may quote."""

    kind: Kind
    status: Status
    regulators: tuple[FoundRegulator, ...]
    firms: tuple[FoundFirm, ...]
    evidence: tuple[FoundEvidence, ...]
    stated_count: int | None = None
    amounts: tuple[FoundAmount, ...] = ()
    decided_on: PartialDate | None = None
    is_decided_inferred: bool = False
    effective_on: date | None = None
    number: str | None = None

    @property
    def targets(self) -> tuple[FoundFirm, ...]:
        """The firms that the act is against."""
        return tuple(firm for firm in self.firms if firm.role is Role.TARGET)


@dataclass(frozen=True, slots=True)
class Extraction:
    """What a text says. A text with no action against a firm has no actions: the commonest right answer."""

    language: str  # en, zh-Hans, zh-Hant, de ...
    actions: tuple[FoundAction, ...]
    mentions: tuple[FoundFirm, ...]  # every firm named, those of the actions included
    cited_urls: tuple[str, ...] = ()  # printed in the text, then those it links to
    cited_numbers: tuple[str, ...] = ()


# --- intents: polling --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A source as the catalogue defines it. `definition` holds every column of the catalogue."""

    id: str
    regulator_id: str | None  # None for the press, whose name stands in definition["content"]
    url: str
    kind: str
    tier: Tier = Tier.PRIMARY
    language: str = ""
    is_enabled: bool = True
    off_reason: str = ""
    is_proved: bool = True  # False: its selectors were never held against a real page, so it starts as a shadow
    poll_minutes: int = 60
    stale_after_days: int = 30
    min_entries: int = 1
    definition: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When a source's entries appeared, oldest first: nothing at first. What follows from it is worked out in `bot.rhythm`."""

    minutes: tuple[int, ...] = ()  # since 1970 in UTC; those of the newest entries
    days: tuple[int, ...] = ()  # ordinals of the days, in the source's zone, that brought any


@dataclass(frozen=True, slots=True)
class DueSource:
    """A leased source with what the next poll needs."""

    row: SourceRow
    time_zone: str
    mode: Mode
    lease_token: int
    etag: str | None
    last_modified: str | None
    body_hash: str | None
    failures: int
    added_at: datetime
    is_seeded: bool  # it has yielded an entry before
    health: Health
    health_since: datetime | None
    last_ok_at: datetime | None
    last_new_at: datetime | None
    newest_published_at: datetime | None
    last_polled_at: datetime | None = None
    rhythm: Rhythm = Rhythm()


@dataclass(frozen=True, slots=True)
class KnownEntry:
    """A document of a source as its keys know it; `entry_hash` is None when it has left the window."""

    document_id: int
    entry_hash: str | None
    is_in_window: bool
    guids: frozenset[str]
    urls: frozenset[str]  # canonical
    titles: frozenset[str]  # normalised title + date
    number: str | None
    title: str  # as listed
    sha256: str  # of the text as it was listed
    published_at: datetime | None
    has_page: bool = False  # its own page was read, and is part of the stored text


@dataclass(frozen=True, slots=True)
class Listed:
    """What a list printed of a notice whose own page says more."""

    title: str
    text: str
    sha256: str


@dataclass(frozen=True, slots=True)
class BodyRecord:
    """How it stands with the notice's own page."""

    url: str
    is_read: bool
    tries: int = 0  # that failed
    detail: str = ""  # why the last one did


@dataclass(frozen=True, slots=True)
class WantedBody:
    """A document whose own page is still to be read, as the Store holds it."""

    document_id: int
    body_url: str
    tries: int
    url: str
    listed: Listed
    language: str
    published_at: datetime | None
    published_precision: Precision | None
    updated_at: datetime | None
    is_of_first_poll: bool
    links: tuple[str, ...] = ()  # of the text as it was listed


@dataclass(frozen=True, slots=True)
class UnreadBody:
    """A document of an earlier poll whose own page could not be read this time either."""

    document_id: int
    tries: int
    detail: str


@dataclass(frozen=True, slots=True)
class EntryRecord:
    """A new or edited entry, read. Keys that were shared by two entries of the poll are already left out."""

    document_id: int | None  # None: new; else the document that it edits
    entry_hash: str | None  # None: the list did not show it now, its own page was read later
    guid: str | None
    url: str
    canonical_url: str | None
    title_key: str | None
    title: str
    text: str
    sha256: str
    language: str
    published_at: datetime | None
    published_precision: Precision | None
    updated_at: datetime | None
    extraction: Extraction
    waived: str = ""  # why it may not alert: "first poll", "age", "fuse", "shadow"; empty when it may
    listed: Listed | None = None  # None: title and text are the list's
    body: BodyRecord | None = None  # None: there is nothing to follow
    links: tuple[str, ...] = ()  # addresses that the text links to


@dataclass(frozen=True, slots=True)
class Resighting:
    """A known, unchanged document under a new entry hash (or new keys)."""

    document_id: int
    entry_hash: str
    guid: str | None = None
    canonical_url: str | None = None
    title_key: str | None = None


@dataclass(frozen=True, slots=True)
class PollRecord:
    """Everything that one poll of one source leaves behind: one transaction."""

    source_id: str
    lease_token: int
    started_at: datetime
    seconds: float
    next_poll_at: datetime
    health: Health
    detail: str = ""
    http_status: int | None = None
    n_bytes: int = 0
    n_entries: int = 0
    is_good: bool = True  # a read (304 included); a failure leaves cursor and window alone
    etag: str | None = None
    last_modified: str | None = None
    body_hash: str | None = None
    present: tuple[str, ...] | None = None  # entry hashes of the body; None: not looked at (304, same body, failure)
    entries: tuple[EntryRecord, ...] = ()
    resighted: tuple[Resighting, ...] = ()
    unread_bodies: tuple[UnreadBody, ...] = ()
    hold: str = ""  # the fuse's reason to hold the source; empty: no
    is_proof: bool = False  # what was read shows that the source's selectors are right: a shadow for want of that ends
    notice: str = ""  # told to the operators once per health and since
    register_version: str = ""
    rhythm: Rhythm | None = None  # with what this poll taught; None: nothing


@dataclass(frozen=True, slots=True)
class PollOutcome:
    """What record_poll() did. `is_accepted` is False when the lease was no longer ours: nothing was written."""

    is_accepted: bool
    new: int = 0
    changed: int = 0
    actions: int = 0  # new ones
    updates: int = 0  # versions of known ones
    owed: int = 0
    waived: int = 0


# --- intents: reading again ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reread:
    """What a stored document says when it is read again. `sha256` is that of the text that was read."""

    document_id: int
    sha256: str
    extraction: Extraction
    register_version: str = ""


@dataclass(frozen=True, slots=True)
class RereadOutcome:
    """What reading documents again changed, or would change."""

    read: int = 0
    left_out: int = 0  # gone, or edited since they were read
    changed: int = 0  # documents that name other firms now, or tell other things
    opened: tuple[int, ...] = ()  # actions that nobody knew of
    moved: tuple[int, ...] = ()  # known ones in which a reader sees a change
    unsaid: int = 0  # of those: no longer read in their only document, so that they have no firm any more
    firms: frozenset[str] = frozenset()  # that are named where they were not before
    waived: int = 0  # messages that channels were not sent

    def __add__(self, other: RereadOutcome) -> RereadOutcome:
        """Both together. An action that both touched counts once."""
        opened = tuple(dict.fromkeys(self.opened + other.opened))
        return RereadOutcome(
            read=self.read + other.read,
            left_out=self.left_out + other.left_out,
            changed=self.changed + other.changed,
            opened=opened,
            moved=tuple(one for one in dict.fromkeys(self.moved + other.moved) if one not in opened),
            unsaid=self.unsaid + other.unsaid,
            firms=self.firms | other.firms,
            waived=self.waived + other.waived,
        )


@dataclass(frozen=True, slots=True)
class Touched:
    """The stored texts that a change of the register may concern: those that named one of these firms, or hold one of these pieces."""

    firms: frozenset[str] = frozenset()
    pieces: frozenset[str] = frozenset()  # folded
    is_everything: bool = False  # all texts

    def __bool__(self) -> bool:
        return self.is_everything or bool(self.firms or self.pieces)


@dataclass(frozen=True, slots=True)
class RereadProgress:
    """What stored documents are, or are being, read with, and how far that has come: the oldest first."""

    names: str  # version of the register
    reader: str  # version of the reader
    touched: Touched
    after_id: int  # documents of higher ids are still to be looked at, while it is under way
    begun_at: datetime
    ended_at: datetime | None  # null while it is under way
    late_since: datetime | None  # what was stored since then may still have been read with older names; null: settled
    looked_at: int = 0
    unreadable: int = 0
    outcome: RereadOutcome = RereadOutcome()


@dataclass(frozen=True, slots=True)
class RereadStep:
    """Some documents that were gone through for a re-reading that is under way: those after `after_id`, up to `up_to`."""

    begun_at: datetime  # of that re-reading
    after_id: int
    up_to: int
    looked_at: int
    unreadable: int
    readings: tuple[Reread, ...]
