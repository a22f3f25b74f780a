"""What goes into the Store and what comes out of it: frozen values, never a session, never a table row.

Three families live here. *Readings* (`Extraction` and its parts) are what `bot.extract` makes of a text.
*Intents* (`PollRecord`, `FollowIntent`, ...) say everything that one transaction needs. *Views*
(`ActionView`, `DueDelivery`, ...) are what questions, cards and digests are drawn from. `Filter` is here
too, so that a question, a subscription and `why` give a filter one meaning.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

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

    @property
    def whole(self) -> str:
        """Title and text as the offsets count them: `title + "\\n" + text`, or the text alone without a title."""
        return f"{self.title}\n{self.text}" if self.title else self.text


@dataclass(frozen=True, slots=True)
class StoredText:
    """A stored document as it is read again."""

    id: int
    first_seen_at: datetime
    document: DocumentText


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
    cited_urls: tuple[str, ...] = ()
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
    poll_minutes: int = 60
    stale_after_days: int = 30
    min_entries: int = 1
    definition: Mapping[str, str] = field(default_factory=dict)


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
    title: str  # as stored
    sha256: str  # of the stored text
    published_at: datetime | None


@dataclass(frozen=True, slots=True)
class EntryRecord:
    """A new or edited entry, read. Keys that were shared by two entries of the poll are already left out."""

    document_id: int | None  # None: new; else the document that it edits
    entry_hash: str
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
    hold: str = ""  # the fuse's reason to hold the source; empty: no
    notice: str = ""  # told to the operators once per health and since
    register_version: str = ""


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


# --- filters -----------------------------------------------------------------------------------------------------

FILTER_KEYS = ("kind", "regulator", "country", "status", "role", "severity", "currency", "min", "since", "until", "lang", "limit")
"""The keys of a filter, in the order in which they are printed."""


@dataclass(frozen=True, slots=True)
class Term:
    """`[-]key:value,value`. Values are canonical: kind values, role values, regulator ids, countries in capitals,
    `>=fine` for severity, `USD1000000` for min, `90d`, `2021-03` or `2021-03-01` for since and until."""

    key: str
    values: tuple[str, ...]
    is_negated: bool = False

    def __str__(self) -> str:
        values = ",".join(f'"{value}"' if re.search(r"[\s,]", value) else value for value in self.values)
        return f"{'-' if self.is_negated else ''}{self.key}:{values}"


@dataclass(frozen=True, slots=True)
class ActionFacts:
    """What a filter looks at. `roles` are those of the firm that is followed or asked about (all roles, without one)."""

    kind: Kind
    status: Status
    regulator_ids: frozenset[str]
    countries: frozenset[str]
    roles: frozenset[Role]
    amounts: tuple[tuple[str | None, Decimal], ...]  # currency, maximum
    on: date  # decided, else published, else first seen
    languages: frozenset[str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one key of a filter judged an action."""

    key: str
    is_passed: bool
    why: str


@dataclass(frozen=True, slots=True)
class Filter:
    """Terms: values of one key are alternatives, different keys must all hold, `-` excludes."""

    terms: tuple[Term, ...] = ()

    def __str__(self) -> str:
        return " ".join(str(term) for term in self.terms)

    @classmethod
    def parse(cls, text: str) -> Filter:
        """The inverse of `str(filter)`: what the row of a subscription holds. Raises ValueError for anything else.

        What people type goes through the grammar, which knows shorthands and mends slips; this does not.
        """
        value = r'(?:"[^"]*"|[^\s,"]+)'
        term = re.compile(rf"(-?)([a-z]+):({value}(?:,{value})*)(?:\s+|$)")
        terms, at = [], 0
        while at < len(text):
            match = term.match(text, at)
            if match is None or match[2] not in FILTER_KEYS:
                raise ValueError(f"no filter: {text[at:]!r}")
            values = tuple(found.strip('"') for found in re.findall(value, match[3]))
            terms.append(Term(match[2], values, is_negated=match[1] == "-"))
            at = match.end()
        return cls(tuple(terms))

    def keys(self) -> frozenset[str]:
        """The keys that the filter speaks of."""
        return frozenset(term.key for term in self.terms)

    def values(self, key: str) -> tuple[str, ...]:
        """The values that the filter allows for a key, without the excluded ones."""
        return tuple(value for term in self.terms if term.key == key and not term.is_negated for value in term.values)

    def over(self, defaults: Filter) -> Filter:
        """This filter, and those terms of the defaults whose key it asks nothing of. To exclude (`-role:mentioned`) narrows a
        default, it does not replace it."""
        mine = {term.key for term in self.terms if not term.is_negated}
        return Filter((*self.terms, *(term for term in defaults.terms if term.key not in mine)))

    def verdicts(self, facts: ActionFacts, today: date) -> tuple[Verdict, ...]:
        """One verdict a key, in the order of FILTER_KEYS. `limit` judges nothing."""
        found = []
        for key in FILTER_KEYS:
            terms = [term for term in self.terms if term.key == key]
            if not terms or key == "limit":
                continue
            allowed = [value for term in terms if not term.is_negated for value in term.values]
            excluded = [value for term in terms if term.is_negated for value in term.values]
            hit = next((value for value in excluded if _holds(key, value, facts, today)), None)
            passed = hit is None and (not allowed or any(_holds(key, value, facts, today) for value in allowed))
            shown = _shown(key, facts)
            if hit is not None:
                why = f"{shown}, and {key}:{hit} is excluded"
            else:
                why = f"{shown}, asked for {' or '.join(allowed) or 'anything else'}"
            found.append(Verdict(key, passed, why))
        return tuple(found)

    def passes(self, facts: ActionFacts, today: date) -> bool:
        """Whether every key is satisfied."""
        return all(verdict.is_passed for verdict in self.verdicts(facts, today))


DEFAULT_FILTER = Filter((Term("role", ("target", "group")),))
"""What a subscription is filtered by where nothing was typed for its key."""


def since_date(value: str, today: date) -> date:
    """The first day of `90d`, `2021`, `2021-03` or `2021-03-01`."""
    if value.endswith("d"):
        return today - timedelta(days=min(int(value[:-1]), (today - date.min).days))
    parts = [int(part) for part in value.split("-")]
    return date(parts[0], *[*parts[1:], 1, 1][:2])


def until_date(value: str, today: date) -> date:
    """The last day of `90d` (ago), `2021`, `2021-03` or `2021-03-01`."""
    if value.endswith("d"):
        return since_date(value, today)
    parts = [int(part) for part in value.split("-")]
    if len(parts) == 1:
        return date(parts[0], 12, 31)
    if len(parts) == 2:
        return date(parts[0], parts[1], calendar.monthrange(parts[0], parts[1])[1])
    return date(*parts)


def _holds(key: str, value: str, facts: ActionFacts, today: date) -> bool:
    match key:
        case "kind":
            return facts.kind == value
        case "status":
            return facts.status == value
        case "regulator":
            return value in facts.regulator_ids
        case "country":
            return value in facts.countries
        case "role":
            return value in facts.roles
        case "lang":
            return any(language == value or language.startswith(f"{value}-") for language in facts.languages)
        case "since":
            return facts.on >= since_date(value, today)
        case "until":
            return facts.on <= until_date(value, today)
        case "currency":
            return any(currency == value for currency, _ in facts.amounts)
        case "min":
            return _reaches(value, facts.amounts)
        case "severity":
            return is_severe(value, facts.kind)
    raise ValueError(f"no filter key {key!r}")


def _reaches(value: str, amounts: Sequence[tuple[str | None, Decimal]]) -> bool:
    """Nothing is converted: an amount in another currency, or none at all, passes."""
    currency, least = value[:3], Decimal(value[3:])
    own = [amount for its, amount in amounts if its == currency]
    return not own or len(own) < len(amounts) or max(own) >= least


def is_severe(value: str, kind: Kind) -> bool:
    """Whether a kind is as severe as `>=fine` asks; one without severity never is."""
    match = re.fullmatch(r"(>=|<=|>|<|=?)(.+)", value)
    assert match is not None
    bound, own = Kind(match[2]).severity, kind.severity
    if bound is None or own is None:
        return False
    return {">=": own >= bound, "<=": own <= bound, ">": own > bound, "<": own < bound}.get(match[1], own == bound)


def _shown(key: str, facts: ActionFacts) -> str:
    match key:
        case "kind" | "severity":
            return f"kind is {facts.kind}"
        case "status":
            return f"status is {facts.status}"
        case "regulator":
            return f"regulator is {', '.join(sorted(facts.regulator_ids)) or 'not known'}"
        case "country":
            return f"country is {', '.join(sorted(facts.countries)) or 'not known'}"
        case "role":
            return f"role is {', '.join(sorted(facts.roles)) or 'none'}"
        case "lang":
            return f"language is {', '.join(sorted(facts.languages)) or 'not known'}"
        case "since" | "until":
            return f"its date is {facts.on.isoformat()}"
        case _:
            sums = ", ".join(f"{currency or '?'} {amount:,}" for currency, amount in facts.amounts)
            return f"amounts: {sums or 'none'}"


# --- intents: people -----------------------------------------------------------------------------------------------


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
    filter: Filter = Filter()
    broadcast: Broadcast = Broadcast.ESCALATION
    deliver: Deliver = Deliver.BOTH


@dataclass(frozen=True, slots=True)
class DigestSetting:
    """What a `digest` command changes; None leaves a value alone."""

    is_on: bool | None = None
    at: str | None = None  # HH:MM
    zone: str | None = None  # IANA name
    days: str | None = None  # weekdays, daily
    sends_empty: bool | None = None


# --- views -----------------------------------------------------------------------------------------------------------


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
    filter: Filter = Filter()
    limit: int = 5
    offset: int = 0


@dataclass(frozen=True, slots=True)
class ActionPage:
    """An answer: newest first. `is_older`: nothing in the span asked for, this is the newest before it."""

    actions: tuple[ActionView, ...]
    total: int
    targets: int
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


@dataclass(frozen=True, slots=True)
class FollowResult:
    """What follow() did: "created", "edited" or "same"."""

    did: str
    subscription: SubscriptionView
    channel: ChannelView
    known: int  # past actions that match
    last: tuple[ActionView, ...]  # three at most
    is_digest_turned_on: bool


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
    notice: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sent:
    """Slack took it; `ts` names the post. `card_ts` is the message that shows the case here from now on, when this
    delivery made it: an alert, or an update that found no card. None leaves the channel's card as it is."""

    ts: str
    card_ts: str | None = None


@dataclass(frozen=True, slots=True)
class RetryAt:
    """Not now. `is_unsure`: the reply was lost, so it may have been posted."""

    at: datetime
    why: str
    is_unsure: bool = False


@dataclass(frozen=True, slots=True)
class Dead:
    """Never. `is_channel_gone`: the channel refuses everything, so it is paused."""

    why: str
    is_channel_gone: bool = False


type_of_settlement = Sent | RetryAt | Dead
"""What settle() takes."""
