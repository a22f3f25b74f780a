"""Reading: what a text says that a regulator did, to which firms, with the words that prove it.

    extract(document, index) -> Extraction

and `parties(text)`, which takes a string of names apart, are the room's functions; `FirmIndex` holds the names it
reads with. All are pure: no database, no network, no clock. A text goes this way:

    mend            a bad copy's broken words, read as they were meant; places lead back
    text            language, sentences, furniture of a page
    firms           one scan for names, bodies, decoys and trigger words <- names, legal_names (known by their form)
    captions        titles that only name parties <- parties
    headlines       Chinese headlines run together, parted <- short_names
    kinds           each trigger in its sentence, acts gathered into actions
                    <- latin (nouns, unnamed, phrases, lists, mergers), kana (Japanese, Korean),
                    han (clauses, enumerations, mergers, placed_names, short_names)
    roles           who stands where: complainants, owners, venues, lists
    money, dates    sums and days <- facts (counts, document numbers, regulators)

The words they know are in `lexicon.toml`.

The commonest right answer is no action. When in doubt a firm is `mentioned`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from bot.extract import captions, dates, facts, headlines, kana, money, short_names
from bot.extract.firms import FirmIndex, found
from bot.extract.kinds import Told, actions, acts
from bot.extract.mend import Mended, mended
from bot.extract.names import Name, Reading, firm_key
from bot.extract.parties import parties
from bot.extract.roles import PENAL, Act, Scene, bystander
from bot.extract.text import boilerplate, clean, language, pattern, sentences
from storage.models import AmountKind, Kind, Role, Status
from storage.records import DocumentText, Extraction, FoundAction, FoundAmount, FoundEvidence, FoundFirm, FoundRegulator, RegulatorRow
from storage.text import fold

__all__ = ["FirmIndex", "clean", "extract", "parties"]

_PENALTY = {
    Kind.FINE: AmountKind.IMPOSED,
    Kind.CONFISCATION: AmountKind.IMPOSED,
    Kind.APPEAL: AmountKind.IMPOSED,
    Kind.ANNULMENT: AmountKind.IMPOSED,
    Kind.SETTLEMENT: AmountKind.FINAL,
    Kind.CONSENT_ORDER: AmountKind.FINAL,
    Kind.PROPOSED_PENALTY: AmountKind.PROPOSED,
    Kind.LAWSUIT: AmountKind.PROPOSED,
}


_Found = TypeVar("_Found", FoundFirm, FoundAmount)
_ROLES = tuple(Role)  # the strongest first
_REDUCED = re.compile(
    r"\b(?:reduced|cut|lowered|lowers|reduces)\b(?:[^.;]|(?<=approx)\.){0,110}? to (?:[a-z ]{0,12})$|(?:减至|降至|减为|降为)$"
)
_TOTAL = re.compile(r"\b(?:total(?:l?ing)?(?: of)?|combined|altogether|insgesamt|au total de|in totale|en total)\s(?:more than |over )?$")


def extract(document: DocumentText, index: FirmIndex) -> Extraction:
    """Read a document. Never raises on any text; offsets are code points into `document.whole`."""
    whole, title_end = document.whole, len(document.title)
    mend = mended(whole, title_end)
    if mend is None:
        return _read(document, whole, title_end, index)
    return _in_place(_read(document, mend.text, mend.title_end, index), mend, whole)


def _in_place(reading: Extraction, mend: Mended, whole: str) -> Extraction:
    """The reading of a mended text, with the places and the words of the stored one."""

    def back(one: _Found) -> _Found:
        start, end = mend.span(one.start, one.end)
        return replace(one, start=start, end=end, surface=whole[start:end])

    def quote(one: FoundEvidence) -> FoundEvidence:
        start, end = mend.span(one.start, one.end)
        return replace(one, start=start, end=end, text=whole[start:end])

    def act(one: FoundAction) -> FoundAction:
        return replace(
            one,
            firms=tuple(map(back, one.firms)),
            amounts=tuple(replace(back(amount), converted=tuple(map(back, amount.converted))) for amount in one.amounts),
            evidence=tuple(map(quote, one.evidence)),
        )

    return replace(reading, actions=tuple(map(act, reading.actions)), mentions=tuple(map(back, reading.mentions)))


def _read(document: DocumentText, whole: str, title_end: int, index: FirmIndex) -> Extraction:
    folded = fold(whole)
    split = sentences(whole, title_end)
    spoken = language(whole, document.language)
    on = document.published_at.date() if document.published_at else None
    reading = Reading(whole, folded, title_end, spoken, on, split, boilerplate(folded, split))
    index.read(reading)
    captions.settle(reading)
    if spoken.startswith("zh") and reading.hits:
        short_names.add_called(reading)
        reading.sentences = headlines.split(reading)
        reading.furniture = boilerplate(folded, reading.sentences)
    elif spoken in ("ja", "ko") and reading.hits:
        kana.add_names(reading)
    own = facts.own_regulator(index, document.regulator_id)
    numbers = facts.numbers(folded, 0, len(whole))
    scene = Scene(reading, own, numbers)
    told = actions(scene, acts(scene)) or _titled(scene)
    read = tuple(_action(scene, index, one, told, numbers, is_main=place == 0) for place, one in enumerate(told))
    return Extraction(
        spoken,
        read,
        tuple(_mentions(scene, read)),
        tuple(dict.fromkeys((*facts.cited_urls(whole), *document.links))),
        tuple(dict.fromkeys(whole[start:end] for start, end in numbers)),
    )


def _titled(scene: Scene) -> list[Told]:
    """What a regulator's document is when it tells no act: a speech, guidance, a consultation, a rule. By its title alone."""
    reading = scene.reading
    if scene.own is None or not reading.title_end:
        return []
    for kind in (Kind.SPEECH, Kind.CONSULTATION, Kind.GUIDANCE, Kind.RULE):
        match = pattern("titles", kind.value).search(reading.folded, 0, reading.title_end)
        if match:
            status = Status.PROPOSED if kind is Kind.CONSULTATION else Status.IN_FORCE
            return [Told(kind, status, [Act(kind, status, match.start(), match.end(), 0)], [], [])]
    return []


def _action(
    scene: Scene, index: FirmIndex, told: Told, beside: Sequence[Told], numbers: list[tuple[int, int]], *, is_main: bool
) -> FoundAction:
    reading = scene.reading
    evidence: list[FoundEvidence] = []
    spans = list(dict.fromkeys((reading.sentences[act.sentence].start, reading.sentences[act.sentence].end) for act in told.acts))

    def prove(field: str, start: int, end: int) -> None:
        span = next(((a, b) for a, b in spans if a <= start and end <= b), (start, end))
        entry = FoundEvidence(field, reading.whole[span[0] : span[1]], span[0], span[1])
        if entry not in evidence:
            evidence.append(entry)

    telling = [act for act in told.acts if act.kind is told.kind and not act.is_recalling]
    lead = next((act for act in telling if act.targets or not told.targets), telling[0] if telling else told.acts[0])
    prove("kind", lead.start, lead.end)
    firms = _firms(scene, index, told)
    for firm in firms:
        if firm.role in (Role.TARGET, Role.GROUP):
            prove("firms", firm.start, firm.end)
    count = next((act.count for act in told.acts if act.count), None)
    if count:
        prove("stated_count", count.start, count.end)
    regulators = _regulators(scene, told, is_main=is_main)
    amounts = _amounts(scene, told, _of_its_own(scene, told, beside), partial(_countries, scene, index, told))
    for amount in amounts:
        prove("amount", amount.start, amount.end)
    decided = _decided(scene, told, lead, is_main=is_main)
    if decided:
        prove("decided_on", decided.start, decided.end)
    dated = (one for act in told.acts for one in dates.dates(reading.folded, *_span(scene, act), reading.on))
    effective = next((one for one in dated if one.is_effective), None)
    own_numbers = [span for span in numbers if span[0] < reading.title_end or any(a <= span[0] < b for a, b in spans[:1])]
    return FoundAction(
        kind=told.kind,
        status=told.status,
        regulators=regulators,
        firms=firms,
        evidence=tuple(evidence),
        stated_count=count.value if count else None,
        amounts=amounts,
        decided_on=decided.value if decided else None,
        is_decided_inferred=bool(decided and decided.is_inferred),
        effective_on=effective.value.value if effective else None,
        number=reading.whole[own_numbers[0][0] : own_numbers[0][1]] if own_numbers and is_main else None,
    )


def _of_its_own(scene: Scene, told: Told, beside: Sequence[Told]) -> list[tuple[int, int]]:
    """The sentences of an action; of a Chinese one that fines others too, the part of its own firms: A罚1万元，B罚2万元."""
    spans: list[tuple[int, int]] = []
    others = [act for one in beside if one is not told for act in one.acts if act.kind in PENAL and act.targets]
    for act in told.acts:
        start, end = _span(scene, act)
        for other in others if act.kind in PENAL and act.targets and act.rule.startswith("zh") else ():
            if other.sentence == act.sentence and other.start > act.end:
                end = min(end, min((name.start for name in other.targets if name.start > act.end), default=end))
            elif other.sentence == act.sentence:
                start = max(start, min((name.start for name in act.targets if name.start > other.end), default=start))
        if (start, end) not in spans:
            spans.append((start, end))
    return spans


def _span(scene: Scene, act: Act) -> tuple[int, int]:
    sentence = scene.reading.sentences[act.sentence]
    return sentence.start, sentence.end


def _decided(scene: Scene, told: Told, lead: Act, *, is_main: bool) -> dates.Dated | None:
    """The day of the act: the one that stands with the leading word, else with another, else the document's own."""
    reading = scene.reading
    read = dates.date_near if reading.language.startswith("zh") else dates.date_of_act
    for act in (lead, *(act for act in told.acts if act is not lead and act.kind is told.kind)):
        if found := read(reading.folded, *_span(scene, act), (act.start, act.end), reading.on):
            return found
    return dates.date_of_document(reading.folded, reading.title_end, reading.on) if is_main else None


def _firms(scene: Scene, index: FirmIndex, told: Told) -> tuple[FoundFirm, ...]:
    reading = scene.reading
    listed: list[FoundFirm] = []
    seen: set[str] = set()
    for name in told.targets:
        if name.key not in seen and not _is_short_for(reading, name, told.targets):
            seen.add(name.key)
            rule = next((act.rule for act in told.acts if name in act.targets), "")
            listed.append(found(reading, name, Role.TARGET, rule))
    for name in told.targets:
        for child in dict.fromkeys((name.child_id, name.firm_id)):
            for owner, via in index.groups(child, reading.on) if child else ():
                if owner.id not in seen:
                    seen.add(owner.id)
                    surface = reading.whole[name.start : name.end]
                    listed.append(
                        FoundFirm(owner.id, owner.name, surface, Role.GROUP, name.start, name.end, via, name.strength, "ownership")
                    )
    for name in told.groups:
        if name.key not in seen:
            seen.add(name.key)
            listed.append(found(reading, name, Role.GROUP, "owner-of"))
    for act in told.acts:
        for name in scene.firms(*_span(scene, act)):
            if name.key not in seen:
                seen.add(name.key)
                listed.append(found(reading, name, *bystander(scene, name)))
    return tuple(listed)


def _is_short_for(reading: Reading, name: Name, others: Sequence[Name]) -> bool:
    """Whether a name outside the register is the beginning or the initials of another target's: "GXO", "ABF"."""
    if name.firm_id or firm_key(reading.whole[name.start : name.end]) != fold(reading.whole[name.start : name.end]):
        return False  # in the register, or with a legal form of its own
    for other in others:
        initials = "".join(word[0] for word in other.key.split() if word not in ("and", "of", "&"))
        if other.key != name.key and (other.key.startswith(name.key + " ") or (len(name.key) > 2 and initials == name.key)):
            return True
    return False


def _regulators(scene: Scene, told: Told, *, is_main: bool) -> tuple[FoundRegulator, ...]:
    own: RegulatorRow | None = scene.own
    reading = scene.reading
    named = next((act.actors for act in told.acts if act.actors), [])
    if own is None and not any(
        facts.identify(name, reading, None) for name in named
    ):  # "the Commission": which one, the text says elsewhere
        bodies = [name for name in reading.names if name.regulators] if named or is_main else []
        named = [name for name in bodies if facts.identify(name, reading, None)][:1] or named or bodies[:1]
    return facts.regulators_of(reading, named, own)


def _countries(scene: Scene, index: FirmIndex, told: Told) -> Iterator[str]:
    """Whose dollar or yuan is meant: the countries of the bodies, of the firms hit, and the only one with a dollar, in that order."""
    if scene.places is None:
        scene.places = facts.jurisdictions(scene.reading, scene.own)
    yield from scene.places
    yield from (index.country(name.firm_id) for name in told.targets if name.firm_id)
    yield from money.dollar_country(scene.reading.folded)


def _amounts(scene: Scene, told: Told, spans: list[tuple[int, int]], places: Callable[[], Iterator[str]]) -> tuple[FoundAmount, ...]:
    reading = scene.reading
    amounts: list[FoundAmount] = []
    paid_as: set[str] = set()
    has_penalty = False
    proposing = _proposing(scene, told)
    for start, end in spans:
        here: list[FoundAmount] = []
        paid_here: set[str] = set()
        for one in money.sums(reading.folded, start, end):
            is_reduced = bool(_REDUCED.search(reading.folded, max(start, one.start - 140), one.start))
            kind = AmountKind.IMPOSED if is_reduced else money.sum_kind(scene.skeleton, one, start, end)
            if kind is AmountKind.IMPOSED:
                what = money.sum_for(reading.folded, one, start, end)
                is_other = what not in ("", *paid_as) and "" not in paid_as  # a civil penalty beside disgorgement
                if told.kind not in _PENALTY or (has_penalty and not is_reduced and not is_other):
                    continue
                paid_here.add(what)
                if is_reduced:
                    kind = AmountKind.REDUCED
                elif (start, end) in proposing:
                    kind = AmountKind.PROPOSED
                else:
                    kind = AmountKind.FINAL if told.status is Status.FINAL else _PENALTY[told.kind]
            if kind is None:
                continue
            code = money.currency_of(one, places(), reading.language, reading.folded)
            scope = money.sum_scope(reading.folded, one, start, end)
            amount = FoundAmount(reading.whole[one.start : one.end], one.minimum, one.maximum, code, kind, scope, one.start, one.end)
            again = (
                replace(
                    amount,
                    surface=reading.whole[other.start : other.end],
                    minimum=other.minimum,
                    maximum=other.maximum,
                    currency=money.currency_of(other, places(), reading.language, reading.folded),
                    start=other.start,
                    end=other.end,
                )
                for other in one.converted
            )
            here.append(replace(amount, converted=tuple(again)))
        if any(one.kind is AmountKind.REDUCED for one in here):  # what it was before is no penalty any more
            before = {one.minimum for one in money.sums(reading.folded, start, end)}
            here = [one for one in here if one.kind is not AmountKind.IMPOSED]
            amounts = [one for one in amounts if one.kind is not AmountKind.IMPOSED or one.minimum not in before]
        here.sort(key=lambda one: not _TOTAL.search(reading.folded, max(start, one.start - 40), one.start))  # then its parts
        fresh = [one for one in here if not any((one.minimum, one.currency) == (known.minimum, known.currency) for known in amounts)]
        amounts += fresh
        paid_as |= paid_here
        is_open = (start, end) in proposing  # what was proposed before is not yet the penalty
        has_penalty = has_penalty or any(one.kind not in (AmountKind.DEAL_VALUE, AmountKind.TURNOVER) and not is_open for one in fresh)
    return tuple(amounts)


def _proposing(scene: Scene, told: Told) -> set[tuple[int, int]]:
    """The sentences that only tell what was proposed before the action that came of it."""
    if told.kind is Kind.PROPOSED_PENALTY:
        return set()
    proposed = {_span(scene, act) for act in told.acts if act.kind is Kind.PROPOSED_PENALTY}
    return proposed - {_span(scene, act) for act in told.acts if act.kind is not Kind.PROPOSED_PENALTY}


def _mentions(scene: Scene, read: tuple[FoundAction, ...]) -> list[FoundFirm]:
    """Every firm named, once, with the strongest role that an action gives it."""
    best: dict[tuple[str | None, str], FoundFirm] = {}
    for firm in (firm for action in read for firm in action.firms):
        key = (firm.firm_id, firm.name)
        if key not in best or _ROLES.index(firm.role) < _ROLES.index(best[key].role):
            best[key] = firm
    for index, sentence in enumerate(scene.reading.sentences):
        if index in scene.reading.furniture:
            continue
        for name in scene.firms(sentence.start, sentence.end):
            surface = scene.reading.whole[name.start : name.end]
            key = (name.firm_id, surface if name.rule == captions.PARTY else name.name or surface)
            if key not in best and not any(firm.start == name.start for firm in best.values()):
                best[key] = found(scene.reading, name, *bystander(scene, name))
    return sorted(best.values(), key=lambda firm: (firm.start, firm.end))
