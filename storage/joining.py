"""Which action a reading belongs to, what it changes there, and which case an action opens or joins.

Pure decisions over plain values; `ingest` loads what they look at and writes what they say. The aim behind
all of them: a wrong join hides an alert in a thread, a missed one only gives a second card. So a join needs
proof (a number, or regulator, kind, date and firms together) and nothing against it (sums far apart, another number
of a series), and a case needs a number or a citation.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from urllib.parse import urlsplit

from storage.models import AmountKind, AmountScope, Kind, Precision, Role, Status, Tier
from storage.records import FoundAction, FoundFirm, PartialDate
from storage.text import fold, title_key

DAYS_APART = 3
"""How far the dates of two documents of one action may lie apart."""

BY_HAND, PARTED = "by hand", "parted by hand"
"""Why an action is in its case, where an operator said so."""

_LEAST_SHARED_FIRMS = 0.5  # of the shorter list
_LEAST_SIMILAR_TITLES = 0.5  # Jaccard, within one language
_COPY_DAYS = 1  # how far two copies of a notice in one language may lie apart
_MOST_APART_SUMS = Decimal("1.1")  # times: one sum may be rounded, or corrected
_MOST_SUMS = 40  # of one act: more are a table, and tell no acts apart
_MOST_LINKS = 3  # alike: a page that has more is a list
_MOVED_ON = (Status.REDUCED, Status.APPEALED, Status.ANNULLED, Status.CLOSED)
_SERIES = re.compile(
    r"第?(?:[一二三四五六七八九十百]{1,6}|\d{1,6})(?:批|期|次|轮|号)|\((?:[一二三四五六七八九十]{1,3}|\d{1,2})\)"
    r"|\b(?:no|part|batch|round|list|issue|vol)\b\.? ?\d{1,8}"
)
_PENALTIES = tuple(AmountKind)[: list(AmountKind).index(AmountKind.DEAL_VALUE)]
_ENDING_OF_FILE = re.compile(r"\.[a-z]{2,5}$")
_DIGITS = re.compile(r"\d+")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0002a6df]+")


@dataclass(frozen=True, slots=True)
class Title:
    """A document's title as joining compares it."""

    language: str  # without its script; empty: any
    words: frozenset[str]
    series: frozenset[str]  # what says which one of several alike it is: the third batch, No. 12
    is_official: bool  # the regulator's own document


@dataclass(frozen=True, slots=True)
class Shape:
    """What joining looks at, in a reading and in an action on record alike."""

    kind: Kind
    regulators: frozenset[str]
    number: str | None
    on: date | None  # to the day; None when no day is known
    targets: Mapping[str, str | None]  # firm key -> the brand that was hit
    stated_count: int | None
    titles: tuple[Title, ...]  # of each document
    sums: frozenset[tuple[Decimal, str, AmountScope]] = frozenset()  # penalties: value, currency, scope


@dataclass(frozen=True, slots=True)
class Join:
    """Why a document belongs to an action ("number", "firms", "count"), and how well: the larger the better."""

    reason: str
    score: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Money:
    """A sum as a reader sees it; two surfaces of one sum are equal in `value`."""

    surface: str
    minimum: Decimal
    maximum: Decimal
    currency: str | None
    kind: AmountKind
    scope: AmountScope
    document_id: int

    @property
    def value(self) -> tuple[Decimal, Decimal, str | None, AmountKind, AmountScope]:
        """The sum without the words it was printed in."""
        return (self.minimum, self.maximum, self.currency, self.kind, self.scope)


@dataclass(frozen=True, slots=True)
class State:
    """What a reader sees of an action, but for its firms."""

    kind: Kind
    status: Status
    stated_count: int | None
    decided_on: PartialDate | None
    is_decided_inferred: bool
    effective_on: date | None
    amounts: tuple[Money, ...]
    is_confirmed: bool


@dataclass(frozen=True, slots=True)
class Move:
    """What one poll did to one action, as far as channels may be told: it is new, or its version rose."""

    action_id: int
    case_id: int
    version: int
    is_new: bool
    is_escalation: bool  # severer than all its case had before, or annulled
    waived: str  # why nobody is told at once; empty when they are
    keys: frozenset[str]  # what a subscription may follow in it: firm:tencent, regulator:cn-cac
    is_nameless: bool  # it states how many firms it is against, and names none of them
    is_aside: bool = False  # another act of its case moved its status, and is told itself where the case is known


class Weight(StrEnum):
    """What a document may do to an action: DECIDES replaces what it speaks of, ADDS is a second official copy
    that differs (both are kept), FILLS only tells what was not known."""

    DECIDES = "decides"
    ADDS = "adds"
    FILLS = "fills"


def shape_of(
    found: FoundAction, *, title: Title, published_at: datetime | None, precision: Precision | None, regulator_id: str | None
) -> Shape:
    """The shape of one action of a document. The source's regulator stands in when the text names none."""
    named = frozenset(body.regulator_id for body in found.regulators if body.regulator_id)
    return Shape(
        kind=found.kind,
        regulators=named or frozenset([regulator_id] if regulator_id and not found.regulators else []),
        number=found.number,
        on=day_of(found.decided_on, published_at, precision),
        targets={firm_key(firm.firm_id, firm.name): firm.brand_id for firm in found.targets},
        stated_count=found.stated_count,
        titles=(title,),
        sums=penalties((one.kind, one.maximum, one.currency, one.scope) for one in found.amounts),
    )


def penalties(
    amounts: Iterable[tuple[AmountKind, Decimal, str | None, AmountScope]],
) -> frozenset[tuple[Decimal, str, AmountScope]]:
    """The sums that tell acts apart: penalties whose currency is known."""
    return frozenset((value, currency, scope) for kind, value, currency, scope in amounts if kind in _PENALTIES and currency)


def title_of(title: str, language: str, tier: Tier) -> Title:
    """A title to be compared. Chinese is one language in its two scripts: titles are folded."""
    series = frozenset(match.group().removeprefix("第") for match in _SERIES.finditer(fold(title)))
    return Title(language.split("-")[0], words(title), series, tier is Tier.PRIMARY)


def day_of(decided_on: PartialDate | None, published_at: datetime | None, precision: Precision | None) -> date | None:
    """The day that an action is compared by: decided, else published; None when it is not known to the day."""
    if decided_on is not None:
        return decided_on.value if decided_on.precision in (Precision.DAY, Precision.MINUTE) else None
    if published_at is None or precision in (Precision.YEAR, Precision.MONTH):
        return None
    return published_at.date()


def firm_key(firm_id: str | None, name: str) -> str:
    """How firms are compared: by the register's id, else by the folded name."""
    return firm_id or f"name:{fold(name)}"


def words(title: str) -> frozenset[str]:
    """A title as similarity counts it: words, and pairs of neighbouring characters in Chinese."""
    found: set[str] = set()
    for word in title_key(title).split():
        for run in _HAN.findall(word):
            found.update([run[at : at + 2] for at in range(len(run) - 1)] or [run])
        found.update(_HAN.sub(" ", word).split())
    return frozenset(found)


def same_action(reading: Shape, known: Shape) -> Join | None:
    """Whether two documents tell of one act, and why (product.md section 3 rule 4); None when they do not."""
    if reading.kind is not known.kind or not reading.regulators & known.regulators:
        return None
    shared = _shared(reading.targets, known.targets)
    apart = abs((reading.on - known.on).days) if reading.on and known.on else None
    is_another_sum = _sums_differ(reading, known)
    if reading.number and known.number:
        # under the number of its case a body may decide again, years later
        is_again = is_another_sum and apart is not None and apart > DAYS_APART
        return Join("number", (2, shared, 0)) if reading.number == known.number and not is_again else None
    if apart is None or apart > DAYS_APART or is_another_sum or not _titles_allow(reading, known, apart):
        return None
    if reading.targets and known.targets:
        shorter = min(len(reading.targets), len(known.targets))
        if shared / shorter >= _LEAST_SHARED_FIRMS and (shared >= 2 or shorter == 1):
            return Join("firms", (1, shared, -apart))
    elif reading.stated_count is not None and reading.stated_count == known.stated_count:
        return Join("count", (0, 0, -apart))
    return None


def _sums_differ(one: Shape, other: Shape) -> bool:
    """Whether both tell penalties of one currency and scope, and none of the one is near one of the other."""
    if max(len(one.sums), len(other.sums)) > _MOST_SUMS:
        return False
    pairs = [(a, b) for a, *unit in one.sums for b, *other_unit in other.sums if unit == other_unit]
    return bool(pairs) and not any(max(a, b) <= min(a, b) * _MOST_APART_SUMS for a, b in pairs)


def _shared(one: Mapping[str, str | None], other: Mapping[str, str | None]) -> int:
    """How many firms two lists share. Two brands of one owner are two firms."""
    return sum(1 for key, brand in one.items() if key in other and (not brand or not other[key] or brand == other[key]))


def _titles_allow(one: Shape, other: Shape, apart: int) -> bool:
    """Documents of one language must have similar titles, or tell the same sum where one of them is the press's.
    An unknown language may be any."""
    pairs = [
        (mine, its) for mine in one.titles for its in other.titles if mine.language == its.language or not mine.language or not its.language
    ]
    is_same_sum = bool(one.sums & other.sums)
    return not pairs or any(
        _is_copy(mine, its, apart) if mine.is_official and its.is_official else is_same_sum or _similar(mine, its) for mine, its in pairs
    )


def _similar(one: Title, other: Title) -> bool:
    if one.series and other.series and one.series != other.series:
        return False
    return bool(one.words and other.words) and len(one.words & other.words) / len(one.words | other.words) >= _LEAST_SIMILAR_TITLES


def _is_copy(one: Title, other: Title, apart: int) -> bool:
    """Whether a body may have printed one notice twice in one language. Its decisions of a day often differ in one name of a
    long title, so one title must have nothing that the other lacks."""
    return apart <= _COPY_DAYS and _similar(one, other) and (one.words <= other.words or other.words <= one.words)


def best_join(reading: Shape, known: Sequence[Shape]) -> tuple[int, Join] | None:
    """The place of the action that the reading joins; the earliest of equals.

    One number may stand over several acts of one kind (a decision against two banks): then the firms must
    tell which one is meant.
    """
    joins = [(at, join) for at, shape in enumerate(known) if (join := same_action(reading, shape))]
    numbered = [(at, join) for at, join in joins if join.reason == "number"]
    if len(numbered) > 1 and reading.targets:
        others = [(at, join) for at, join in numbered if join.score[1] or not known[at].targets]
        joins = others + [(at, join) for at, join in joins if join.reason != "number"]
    return max(joins, key=lambda found: (found[1].score, -found[0]), default=None)


def pair_readings(readings: Sequence[Shape], own: Sequence[Shape]) -> dict[int, int]:
    """Which of a document's own actions each reading of its edited text is; readings left out are new acts.

    The best pairs first: same kind and a shared firm or number, then same kind, then a shared firm; what is
    left over on both sides is one act whose kind and firms were corrected.
    """

    def score(reading: Shape, known: Shape) -> tuple[int, ...]:
        shared = _shared(reading.targets, known.targets)
        is_numbered = bool(reading.number) and reading.number == known.number
        is_kind = reading.kind is known.kind
        is_named = bool(reading.targets and known.targets)
        fit = 3 if is_kind and (shared or is_numbered) else 2 if is_kind and not is_named else 1 if shared or is_numbered or is_kind else 0
        return (fit, shared)

    pairs: dict[int, int] = {}
    ranked = sorted(
        (
            (score(reading, known), -at, -place)
            for at, reading in enumerate(readings)
            for place, known in enumerate(own)
            if not reading.number or not known.number or reading.number == known.number
        ),
        reverse=True,
    )
    for _score, at, place in ranked:
        if -at not in pairs and -place not in pairs.values():
            pairs[-at] = -place
    return pairs


def merge(known: State, reading: State, weight: Weight) -> State:
    """The action after one more document of it. A date is never replaced by the same one told less exactly."""
    is_official = known.is_confirmed or reading.is_confirmed
    is_blurred = _only_blurs(reading, known)
    if weight is Weight.DECIDES:
        return replace(
            reading,
            # the case moved on since: an old text read again does not take that back
            status=known.status if known.status in _MOVED_ON and reading.status not in _MOVED_ON else reading.status,
            stated_count=known.stated_count if reading.stated_count is None else reading.stated_count,
            decided_on=known.decided_on if is_blurred else reading.decided_on,
            is_decided_inferred=known.is_decided_inferred if is_blurred else reading.is_decided_inferred,
            effective_on=reading.effective_on or known.effective_on,
            amounts=_amounts(known.amounts, reading.amounts) if reading.amounts else known.amounts,
            is_confirmed=is_official,
        )
    is_better_date = _is_better_date(reading, known)
    amounts = known.amounts or reading.amounts
    if weight is Weight.ADDS:
        values = {money.value for money in known.amounts}
        amounts = known.amounts + tuple(money for money in reading.amounts if money.value not in values)
    return replace(
        known,
        stated_count=reading.stated_count if known.stated_count is None else known.stated_count,
        decided_on=reading.decided_on if is_better_date else known.decided_on,
        is_decided_inferred=reading.is_decided_inferred if is_better_date else known.is_decided_inferred,
        effective_on=known.effective_on or reading.effective_on,
        amounts=amounts,
        is_confirmed=is_official,
    )


def _amounts(known: tuple[Money, ...], reading: tuple[Money, ...]) -> tuple[Money, ...]:
    """The new list; a sum that was known already keeps its words."""
    words_of = {money.value: money for money in known}
    return tuple(words_of.get(money.value, money) for money in reading)


def _is_better_date(reading: State, known: State) -> bool:
    """More exact, or as exact and no longer a guess."""
    if reading.decided_on is None or known.decided_on is None:
        return reading.decided_on is not None
    ranks = list(Precision)
    gain = ranks.index(reading.decided_on.precision) - ranks.index(known.decided_on.precision)
    return gain > 0 or (gain == 0 and known.is_decided_inferred and not reading.is_decided_inferred)


def _only_blurs(reading: State, known: State) -> bool:
    """Whether the reading tells no date, or the same one less exactly (`2021-03` for `2021-03-18`)."""
    if reading.decided_on is None or known.decided_on is None:
        return reading.decided_on is None
    return reading.decided_on != known.decided_on and str(known.decided_on).startswith(str(reading.decided_on))


def changes(before: State, after: State, names_before: Iterable[str], names_after: Iterable[str]) -> tuple[tuple[str, str, str], ...]:
    """What a reader sees changed: (what, before, after). `target` lists the names that went and the names that came."""
    old, new = list(names_before), list(names_after)
    rows: list[tuple[str, str, str]] = [
        ("kind", before.kind.value, after.kind.value),
        ("status", before.status.value, after.status.value),
        ("target", ", ".join(name for name in old if name not in new), ", ".join(name for name in new if name not in old)),
        ("count", _text(before.stated_count), _text(after.stated_count)),
        ("amount", _sums(before.amounts), _sums(after.amounts)),
        ("date", _text(before.decided_on), _text(after.decided_on)),
        ("effective", _text(before.effective_on), _text(after.effective_on)),
        ("confirmed", _standing(before), _standing(after)),
    ]
    is_same_money = {money.value for money in before.amounts} == {money.value for money in after.amounts}
    return tuple(row for row in rows if row[1] != row[2] and not (row[0] == "amount" and is_same_money))


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _standing(state: State) -> str:
    return "official" if state.is_confirmed else "reported"


def _sums(amounts: Sequence[Money]) -> str:
    return "; ".join(money.surface for money in amounts)


def status_after(move: Kind, kind: Kind, status: Status) -> Status:
    """The status of an earlier action once an appeal, an annulment or a closure joined its case.

    A closure ends what leads to a sanction; an appeal or an annulment is of a decision.
    """
    if status is Status.ANNULLED or kind.severity is None:
        return status
    kinds = list(Kind)
    at = kinds.index(kind)
    if move is Kind.CLOSED and kinds.index(Kind.TALKS) <= at < kinds.index(Kind.SETTLEMENT):
        return Status.CLOSED
    if move in (Kind.APPEAL, Kind.ANNULMENT) and at >= kinds.index(Kind.WARNING):
        return Status.APPEALED if move is Kind.APPEAL else Status.ANNULLED
    return status


@dataclass(frozen=True, slots=True)
class Standing:
    """An action as far as others of its case move its status."""

    action_id: int
    kind: Kind
    status: Status
    on: date


def statuses_joined(one: Sequence[Standing], other: Sequence[Standing]) -> dict[int, Status]:
    """The statuses that move when two cases become one: of the earlier actions of either, by the later ones of the other."""
    found: dict[int, Status] = {}
    for movers, moved in ((one, other), (other, one)):
        for mover in sorted(movers, key=lambda each: (each.on, each.action_id)):
            for each in moved:
                before = found.get(each.action_id, each.status)
                if each.on <= mover.on and (after := status_after(mover.kind, each.kind, before)) is not before:
                    found[each.action_id] = after
    return found


def statuses_parted(one: Sequence[Standing], other: Sequence[Standing], former: Mapping[int, Status]) -> dict[int, Status]:
    """The statuses that go back to what they were (`former`) when a case becomes two: those that only an action of the
    other one accounts for."""

    def accounts(movers: Sequence[Standing], each: Standing) -> bool:
        was = former[each.action_id]
        return any(mover is not each and status_after(mover.kind, each.kind, was) is each.status is not was for mover in movers)

    return {
        each.action_id: former[each.action_id]
        for own, others in ((one, other), (other, one))
        for each in own
        if each.action_id in former and accounts(others, each) and not accounts(own, each)
    }


def is_escalation(kind: Kind, others: Iterable[Kind]) -> bool:
    """Whether a kind is severer than all that its case had before, or annuls."""
    if kind is Kind.ANNULMENT:
        return True
    return kind.severity is not None and kind.severity > max((other.severity or 0 for other in others), default=0)


def is_of_numbered_case(reading: Shape, case: Sequence[Shape]) -> bool:
    """Whether an act under the number of a case is of that case: a number means something to its regulator alone, and
    a list of ten penalties under one number must not pull ten strangers into one card."""
    bodies = frozenset(body for shape in case for body in shape.regulators)
    return bool(reading.regulators & bodies) and (
        not reading.targets or any(not shape.targets or _shared(reading.targets, shape.targets) for shape in case)
    )


_OPENING = (Kind.TALKS, Kind.INFORMATION_REQUEST, Kind.INVESTIGATION, Kind.PROPOSED_PENALTY)
_DECIDING = (Kind.SETTLEMENT, Kind.CONSENT_ORDER, Kind.FINE, Kind.CONFISCATION)
_ENDING = (Kind.APPEAL, Kind.ANNULMENT, Kind.CLOSED)


def is_of_cited_case(reading: Shape, case: Sequence[Shape]) -> bool:
    """Whether an act whose document cites a case is of it: a page may link ten decisions for ten reasons, so a firm and a
    regulator must be shared. What ends or contests a decision may come from another body, or leave its firm unnamed."""
    bodies = frozenset(body for shape in case for body in shape.regulators)
    is_of_body = bool(reading.regulators & bodies)
    if not reading.targets:
        return reading.kind in _ENDING and is_of_body
    is_near = is_of_body or not reading.regulators or reading.kind in _ENDING
    sharing = [shape for shape in case if _shared(reading.targets, shape.targets)]
    return is_near and bool(sharing) and not any(_is_another_matter(reading, shape) for shape in sharing)


def _is_another_matter(reading: Shape, cited: Shape) -> bool:
    """Whether a notice cites an act as what the firm did before: a second penalty of one kind and another sum, or a probe
    into who was fined."""
    is_repeated = reading.kind is cited.kind and _sums_differ(reading, cited)
    return is_repeated or (reading.kind in _OPENING and cited.kind in _DECIDING)


def others_cited(own: str | None, numbers: Sequence[str], known: Container[str]) -> tuple[str, ...]:
    """The numbers by which a document may lead to a case: those that are not its own. None where it cites a list: of
    several it is not known which is meant, unless all are on record (one may be its own that nobody read as such)."""
    others = tuple(number for number in dict.fromkeys(numbers) if number != own)
    unknown = sum(number not in known for number in others)
    return () if unknown > (0 if own else 1) and len(others) > 1 else others


def links_cited(urls: Sequence[str], own: str | None, known: Container[str]) -> tuple[str, ...]:
    """The links by which a document may lead to a case: those to a page on record (`known`: canonical addresses), but none of
    a list. A notice that links to one decision has links of routine beside it: to the law, to a form, to whom to write. So
    links are a list where more than some go to one part of a site, or to pages on record."""
    others: dict[str, str] = {}
    for url in urls:
        keys = link_keys(url)
        if keys and own not in keys:
            others.setdefault(min(keys), url)
    alike = Counter(map(_part_of_site, others))
    leading = tuple(
        url for key, url in others.items() if alike[_part_of_site(key)] <= _MOST_LINKS and any(one in known for one in link_keys(url))
    )
    return leading if len(leading) <= _MOST_LINKS else ()


def _part_of_site(key: str) -> str:
    """Host, first folder and ending of an address, numbers left out: a notice's papers in PDF are not alike the pages that it
    links to. Pages without a folder are one part."""
    host, *folders = key.partition("?")[0].lower().split("/")
    ending = _ENDING_OF_FILE.search(folders[-1]) if folders else None
    return f"{host}/{_DIGITS.sub('', folders[0]) if len(folders) > 1 else ''}{ending[0] if ending else ''}"


def link_keys(url: str) -> tuple[str, ...]:
    """A cited link in the forms that a document's canonical address may have: no scheme, fragment, tracking or last
    slash, the host in small letters, with `www.` or without. None of what is no address."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ()
    host = parts.netloc.lower().removesuffix(":80").removesuffix(":443")
    query = "&".join(part for part in parts.query.split("&") if part and not part.startswith("utm_"))
    bare = f"{parts.path.rstrip('/')}{f'?{query}' if query else ''}"
    return (f"{host}{bare}", f"{host.removeprefix('www.') if host.startswith('www.') else f'www.{host}'}{bare}")


def combine_firms(found: Sequence[FoundFirm]) -> tuple[FoundFirm, ...]:
    """One row for each name (and brand) of a reading: the strongest role, the first span."""
    ranks = {role: rank for rank, role in enumerate(Role)}
    best: dict[tuple[str, str | None], FoundFirm] = {}
    for firm in found:
        key = (firm.name, firm.brand_id)
        if key not in best or ranks[firm.role] < ranks[best[key].role]:
            best[key] = firm
    return tuple(best.values())


def spans(days: Iterable[date], most: int = 40) -> tuple[tuple[date, date], ...]:
    """The stretches in which actions of these days may have company; one long stretch rather than more than `most`."""
    merged: list[tuple[date, date]] = []
    for day in sorted(set(days)):
        first, last = day - timedelta(days=DAYS_APART), day + timedelta(days=DAYS_APART)
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], last)
        else:
            merged.append((first, last))
    return tuple(merged) if len(merged) <= most else ((merged[0][0], merged[-1][1]),)
