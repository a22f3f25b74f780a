"""What was done, and to whom: each trigger word is read in its sentence, in the frame that its language gives it.

A sentence yields acts (kind, targets, who acts); negated ones are dropped, merely possible ones are no penalties.
The acts of a document become actions: the severest word of one act names it, a later sentence about the same
firms adds facts, background in another sentence stays an action of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from bot.extract import captions, dates, enumerations, facts, han, kana, latin, money
from bot.extract.names import Hit, Name, Trigger
from bot.extract.roles import FIRM, PENAL, Act, Scene, take
from bot.extract.text import Sentence, lexicon, pattern
from storage.models import Kind, Status

_FIRMLESS = frozenset((Kind.SPEECH, Kind.GUIDANCE, Kind.CONSULTATION, Kind.RULE))


_ABSORBS: dict[Kind, frozenset[Kind]] = {
    Kind.TALKS: frozenset((Kind.RECTIFICATION, Kind.WARNING)),
    Kind.INVESTIGATION: frozenset((Kind.INFORMATION_REQUEST, Kind.WARNING)),
    Kind.MERGER_DECISION: frozenset((Kind.INVESTIGATION, Kind.CONSENT_ORDER, Kind.APPROVAL, Kind.RECTIFICATION)),
    Kind.RECALL: frozenset((Kind.RECTIFICATION, Kind.INVESTIGATION, Kind.WARNING)),
    Kind.PROPOSED_PENALTY: frozenset((Kind.INVESTIGATION, Kind.INFORMATION_REQUEST, Kind.LAWSUIT)),
    Kind.LAWSUIT: frozenset((Kind.INVESTIGATION, Kind.INFORMATION_REQUEST, Kind.WARNING)),
    Kind.SUSPENSION: frozenset((Kind.RECTIFICATION, Kind.INVESTIGATION, Kind.WARNING)),
    Kind.REMOVAL: frozenset((Kind.RECTIFICATION, Kind.WARNING, Kind.INVESTIGATION)),
    Kind.BAN: frozenset((Kind.RECTIFICATION, Kind.WARNING, Kind.INVESTIGATION, Kind.REMOVAL)),
    Kind.RECTIFICATION: frozenset((Kind.WARNING, Kind.INVESTIGATION)),
    Kind.WARNING: frozenset((Kind.INVESTIGATION, Kind.RECTIFICATION)),
}  # what else is told of one and the same act; the penal kinds absorb nearly all

_OF_MERGERS = frozenset((Kind.MERGER_DECISION, *_ABSORBS[Kind.MERGER_DECISION], Kind.SETTLEMENT, Kind.PROPOSED_PENALTY))
_OVER = (Kind.INVESTIGATION, Kind.CLOSED)  # what may end in a penalty that the text tells later
_ALL_BUT = frozenset((Kind.TALKS, Kind.APPEAL, Kind.ANNULMENT, Kind.CLOSED, Kind.MERGER_DECISION, Kind.RULE, Kind.RECALL))


@dataclass(slots=True)
class Told:
    """An action as the whole document tells it: its acts in the order of the text, the first leads."""

    kind: Kind
    status: Status
    acts: list[Act]
    targets: list[Name]
    groups: list[Name]


@cache
def _rank() -> dict[Kind, int]:
    return {Kind(kind): place for place, kind in enumerate(lexicon()["precedence"])}


def acts(scene: Scene) -> list[Act]:
    """Every act that a sentence tells."""
    if captions.is_paper(scene.reading):
        return []
    if scene.reading.hits or scene.reading.title_end:
        scene.caption = captions.caption(scene)
    found: list[Act] = []
    at = 0
    hits = scene.reading.hits
    for index, sentence in enumerate(scene.reading.sentences):
        first = at
        while at < len(hits) and hits[at].start < sentence.end:
            at += 1
        if index in scene.reading.furniture:
            continue
        here: list[Act] = []
        more = _completing(scene, index, found)
        if more is not None:
            found.append(more)
            continue
        for hit in hits[first:at]:
            act = _first_read(scene, index, sentence, hit)
            if act is not None:
                here.append(act)
                scene.said = act if act.targets else scene.said
        found.extend(_one_sentence(here))
    return found or captions.told_by_title(scene)


def _first_read(scene: Scene, index: int, sentence: Sentence, hit: Hit) -> Act | None:
    """The first of a word's senses that finds a firm, else the first that is read at all: "fines" is a verb and a noun."""
    first: Act | None = None
    for trigger in hit.triggers:
        act = _read(scene, index, sentence, hit, trigger)
        if act is not None and (act.targets or act.groups):
            return act
        first = first or act
    return first


def _completing(scene: Scene, index: int, found: list[Act]) -> Act | None:
    """The act told just before, where this sentence only goes on with the list of its firms."""
    if not found or not 0 < index - found[-1].sentence <= 2:
        return None
    told = next((act for act in reversed(found) if act.count and act.sentence == found[-1].sentence), found[-1])
    sentence = scene.reading.sentences[index]
    reader = enumerations if scene.reading.language.startswith("zh") else latin
    counted = () if told.count else facts.counts(scene.reading.folded, sentence.start, sentence.end)
    named = reader.completes(scene, sentence) if scene.firms(sentence.start, sentence.end) or told.count or counted else []
    if not named or (told.count and told.count.value < len(named)):
        return None
    act = Act(told.kind, told.status, sentence.start, sentence.end, index, rule="completes", has_actor=told.has_actor, is_recalling=True)
    act.count = next((one for one in counted if one.value >= len(named)), None)
    return act if take(scene, act, named) else None


_READERS = {"zh": han.read, "ja": kana.read, "ko": kana.read}


def _read(scene: Scene, index: int, sentence: Sentence, hit: Hit, trigger: Trigger) -> Act | None:
    act = Act(trigger.kind, Status.IN_FORCE, hit.start, hit.end, index, rule=f"{trigger.language}:{trigger.frame}")
    act.is_action = act.kind is Kind.OTHER and "action" in scene.reading.folded[hit.start : hit.end]
    reader = _READERS.get(trigger.language, latin.read)
    if not reader(scene, sentence, hit, trigger, act) or not _stands(scene, sentence, hit, trigger, act):
        return None
    if not act.actors:
        act.actors = scene.bodies(sentence.start, sentence.end)[:3]
    stated = facts.counts(scene.reading.folded, sentence.start, sentence.end)
    if stated:
        last = max((name.tail for name in act.targets), default=hit.end)  # 约谈A、B、C等3家: the count closes the list

        def far(one: facts.Count) -> int:
            return min(abs(one.start - hit.end), abs(hit.start - one.end), abs(one.start - last))

        nearest = min(stated, key=far)
        distance = far(nearest)
        limit = 60 if trigger.language not in _READERS else 26
        if distance <= limit and nearest.value >= len({name.key for name in act.targets}):
            act.count = nearest
            act.is_same = not act.targets and scene.reading.folded.endswith((" the ", " all "), 0, nearest.start)
    return act


_CONSULTED = re.compile(r"\b(?:consults?|consulting|consulted|proposes|proposed) (?:on )?$")
_AT_MOST = re.compile(r"\s(?:of|worth)\s(?:up to|as much as)\b")

_UNTRUE = re.compile("(?:消息|传闻|传言|报道|信息)不实|不实(?:消息|传闻|传言|报道)|辟谣|谣言|子虚乌有")


def _is_ended(before: str) -> bool:
    """Whether the words before an investigation say that it is over: "closed its probe", not "closes in on a probe"."""
    ended = pattern("modality", "ends").search(before)
    return ended is not None and not pattern("modality", "ends_not").search(before, ended.end())


_LIFTED = frozenset((Kind.RECTIFICATION, Kind.CONSENT_ORDER, Kind.BAN, Kind.SUSPENSION))
_LIFTS = re.compile(
    r"\b(?:lifts?|lifted|removes|removed|eases?|eased|relaxes|relaxed|terminates?|terminated|ends|ended)\s(?:[a-z'-]+\s){0,4}$"
)
"""Before an order: a body does away with it."""
_PART, _HAN_PART = re.compile(r";|,\s|\bbut\b"), re.compile(r"[,，。;!?\s]")
_NO_MODALITY = re.compile(r"\b\d{1,2} may\b|\bmay \d|\bnot (?:to )?oppose\b")  # the month; a clearance
_IS_ALLOWED = re.compile("(?<![认许])可$")  # 可注销牌照: what the law allows
_REVIEWED = re.compile(r"\b(?:appeals?|tribunal|court|council of state|conseil d'etat)\b|上诉|法院|复议")
_OVERTURNED = re.compile(r"\b(?:annul\w*|overturn\w*|quash\w*|set aside|struck down)\b|撤销")


def _stands(scene: Scene, sentence: Sentence, hit: Hit, trigger: Trigger, act: Act) -> bool:
    """False when the act is denied or only thinkable; sets what its status is."""
    folded = scene.reading.folded
    is_han = trigger.language in _READERS
    reach = 14 if is_han else 46
    before = folded[max(sentence.start, hit.start - reach) : hit.start]
    before = (_HAN_PART if is_han else _PART).split(before)[-1]
    planned = before
    if is_han:  # 拟对某某股份有限公司处以: neither a long name nor another act between parts the two
        planned = _HAN_PART.split(scene.skeleton[max(sentence.start, hit.start - 60) : hit.start].replace(FIRM, ""))[-1]
    if "may" in before or "not " in before:
        before = _NO_MODALITY.sub("", before)
    after = folded[hit.end : hit.end + 10]
    is_undone = (
        is_han and act.kind in (Kind.FINE, Kind.BAN) and "撤销对" in before and _REVIEWED.search(folded, sentence.start, sentence.end)
    )
    if act.kind is not Kind.CLOSED and not is_undone and pattern("modality", "negations").search(before):
        return False
    if not is_han and trigger.frame in ("noun", "matter") and act.kind in (Kind.INVESTIGATION, Kind.LAWSUIT) and _is_ended(before):
        act.kind, act.is_over = Kind.CLOSED, True
    if act.kind in _LIFTED and trigger.frame in ("noun", "matter") and _LIFTS.search(before):
        act.kind = Kind.CLOSED
    if is_han and (before.endswith(("未", "不", "没", "勿", "免", "零")) or _IS_ALLOWED.search(before)):
        return False
    whole = folded[sentence.start : sentence.end]
    if is_han and (_UNTRUE.search(whole) or ("否认" in whole and act.kind in PENAL)):
        return False
    if is_han and re.match("的?(?:风险|可能)|豁免|款?[?？]|办法|法(?!院|律|人|国)|规则|标准|制度|力度|裁量", after):
        return False
    if after.lstrip().startswith("?") or "what if" in after:
        return False
    if act.kind in PENAL and _AT_MOST.match(folded, hit.end):
        return False
    is_possible = bool(pattern("modality", "possible").search(before[-12:] if is_han else before[-36:]))
    if pattern("modality", "formal").search(planned) and act.kind in (Kind.FINE, Kind.CONFISCATION, Kind.BAN, Kind.SUSPENSION):
        act.kind, act.status = Kind.PROPOSED_PENALTY, Status.PROPOSED
    elif is_possible and act.kind in PENAL and act.kind is not Kind.LAWSUIT and trigger.frame != "subject":
        is_reckoned = is_han and bool(money.sums(folded, hit.end, min(sentence.end, hit.end + 14)))  # 可能被罚1亿元
        if not (act.targets and (is_reckoned or (act.has_actor and (scene.bodies(sentence.start, sentence.end) or is_han)))):
            return False
        act.kind, act.status = Kind.PROPOSED_PENALTY, Status.PROPOSED
    elif (is_possible and act.kind is Kind.OTHER) or (act.kind is Kind.RECTIFICATION and _CONSULTED.search(before)):
        act.status = Status.PROPOSED
    elif (
        is_possible
        and act.kind not in (Kind.MERGER_DECISION, Kind.INVESTIGATION, Kind.PROPOSED_PENALTY)
        and trigger.frame in ("object", "act", "subject", "noun", "matter")
    ):
        return act.kind is Kind.SETTLEMENT and "will" in before
    elif is_possible and act.kind is Kind.INVESTIGATION and re.search(r"\b(?:may|might|could|would|if|calls? (?:for|on)|urges?)\b", before):
        return False
    if act.kind is Kind.PROPOSED_PENALTY:
        act.status = Status.PROPOSED
    elif act.kind in (Kind.SETTLEMENT, Kind.CONSENT_ORDER):
        act.status = Status.FINAL
    elif act.kind is Kind.CLOSED:
        act.status = Status.CLOSED
    elif act.kind is Kind.ANNULMENT:
        act.status = Status.ANNULLED
    elif act.kind is Kind.APPEAL:
        act.status = Status.APPEALED
    if act.kind in (Kind.FINE, Kind.APPEAL, Kind.BAN) and _REVIEWED.search(whole):
        if pattern("modality", "upheld").search(whole):
            act.status = Status.FINAL
        elif _OVERTURNED.search(whole):
            act.kind, act.status = Kind.ANNULMENT, Status.ANNULLED
    if act.kind is Kind.FINE and folded.endswith("the final ", 0, hit.start):
        act.status = Status.FINAL
    if act.kind is Kind.FINE and pattern("modality", "reduced").search(whole):
        act.status = Status.REDUCED
    return True


def _is_one(known: Act, act: Act) -> bool:
    """Talks with several firms and another act against one of them are two acts; so are what is told and what was before it."""
    return known.is_past is act.is_past and (
        Kind.TALKS not in (known.kind, act.kind) or {name.key for name in known.targets} == {name.key for name in act.targets}
    )


def _one_sentence(acts: list[Act]) -> list[Act]:
    """Words of one sentence about the same firms are one act; a word without a firm joins its neighbour."""
    merged: list[Act] = []
    for act in acts:
        keys = {name.key for name in act.targets}
        partner = next((known for known in merged if keys & {name.key for name in known.targets} and _is_one(known, act)), None)
        if partner is None and not keys and merged:
            partner = merged[-1]
            if partner.is_past is not act.is_past:
                continue  # 再遭立案，曾被罚: the fine is another act, and against nobody that is named
        if partner is None and keys:
            partner = next((known for known in merged if not known.targets), None)
        if partner is None:
            merged.append(act)
            continue
        final = (
            Status.FINAL if Status.FINAL in (act.status, partner.status) and {act.kind, partner.kind} <= {Kind.FINE, Kind.APPEAL} else None
        )
        if final and Kind.FINE in (act.kind, partner.kind):
            kind: Kind = Kind.FINE
        elif partner.kind is Kind.CLOSED and partner.is_over and act.kind in PENAL:  # "closed its investigation and fined it"
            kind = act.kind
        elif Kind.MERGER_DECISION in (act.kind, partner.kind) and {act.kind, partner.kind} <= _OF_MERGERS:
            kind = Kind.MERGER_DECISION
        else:
            kind = min((act.kind, partner.kind), key=lambda one: _rank()[one])
        if kind is act.kind and kind is not partner.kind:
            partner.start, partner.end, partner.rule, partner.status = act.start, act.end, act.rule, act.status
        partner.kind = kind
        if final:
            partner.status = final
        partner.targets += [name for name in act.targets if name.key not in {known.key for known in partner.targets}]
        partner.groups += [name for name in act.groups if name.key not in {known.key for known in partner.groups}]
        partner.actors = partner.actors or act.actors
        partner.count = partner.count or act.count
        partner.has_actor = partner.has_actor or act.has_actor
        partner.is_unnamed = partner.is_unnamed or act.is_unnamed
    return merged


def actions(scene: Scene, acts: Sequence[Act]) -> list[Told]:
    """The document's actions, the leading one first."""
    told: list[Told] = []
    for act in acts:
        if not act.targets and not act.groups and scene.caption and act.kind not in _FIRMLESS:
            act.targets = list(scene.caption)
            act.rule = "caption"
        keys = {name.key for name in act.targets}
        home = next((one for one in told if _belongs(one, act, keys)), None)
        if home is None:
            if act.targets or act.groups or act.count or act.has_actor or act.is_unnamed or act.is_sum:
                told.append(Told(act.kind, act.status, [act], list(act.targets), list(act.groups)))
            continue
        is_penalty = home.kind in _OVER and home.acts[0].is_over and act.kind in PENAL
        is_outcome = _ends(home, act, keys) or (not home.targets and bool(act.targets))
        if is_penalty or (is_outcome and act.kind is not home.kind and _rank()[act.kind] < _rank()[home.kind]):
            home.kind, home.status = act.kind, act.status
        if act.kind is home.kind and act.status in (Status.FINAL, Status.REDUCED) and home.status is Status.IN_FORCE:
            home.status = act.status
        home.acts.append(act)
        home.targets += [name for name in act.targets if name.key not in {known.key for known in home.targets}]
        home.groups += [name for name in act.groups if name.key not in {known.key for known in home.groups}]
    told = [one for place, one in enumerate(told) if not place or not _is_past(scene, one)]
    kept = [
        one for one in told if one.targets or one.groups or any(act.count or act.is_unnamed for act in one.acts) or one.kind is Kind.RULE
    ]
    return kept or [one for one in told[:1] if _counts_unnamed(scene, one.acts[0])]


def _is_past(scene: Scene, told: Told) -> bool:
    """Whether a designation that is only background lies more than a year back: why a firm was not to be dealt with."""
    reading, lead = scene.reading, told.acts[0]
    if reading.on is None or told.kind is not Kind.OTHER or lead.rule[:2] in _READERS:
        return False
    sentence = reading.sentences[lead.sentence]
    day = dates.date_of_act(reading.folded, sentence.start, sentence.end, (lead.start, lead.end), reading.on)
    return day is not None and (reading.on - day.value.value).days > 366


def _counts_unnamed(scene: Scene, act: Act) -> bool:
    """Whether an act against nobody that the text names is an action: a caption's, one told at the start, one with a sum."""
    sentence = scene.reading.sentences[act.sentence]
    if scene.caption is not None:
        return True
    is_early = sentence.is_title or act.sentence <= bool(scene.reading.title_end)
    is_summed = act.kind in PENAL and bool(money.sums(scene.reading.folded, sentence.start, sentence.end))
    return act.has_actor and (is_early or is_summed)


_LEADS_TO_FINE = frozenset((Kind.INVESTIGATION, Kind.INFORMATION_REQUEST, Kind.RECTIFICATION, Kind.WARNING))


def _ends(home: Told, act: Act, keys: set[str]) -> bool:
    """Whether a later sentence tells what came of the act: a probe ends in a fine, a proposed fine is final, a fine is overturned."""
    if home.kind is Kind.PROPOSED_PENALTY and act.kind is Kind.FINE and act.status is Status.FINAL:
        return keys == {name.key for name in home.targets}
    if home.acts[0].is_action and act.kind not in _FIRMLESS:  # "takes action against X", and then what it was
        return bool(keys & {name.key for name in home.targets})
    if keys or act.groups:
        return False
    if act.kind is Kind.ANNULMENT:
        return home.kind in PENAL
    return act.kind is Kind.FINE and home.kind in _LEADS_TO_FINE and act.has_actor and not home.targets and not home.groups


def _belongs(home: Told, act: Act, keys: set[str]) -> bool:
    theirs = {name.key for name in home.targets}
    lead = home.acts[0]
    counts = {one.count.value for one in home.acts if one.count} | ({act.count.value} if act.count else set())
    absorbs = act.kind in _ABSORBS.get(home.kind, frozenset()) or (home.kind in PENAL and act.kind not in _ALL_BUT)
    if home.kind in _OVER and lead.is_over and act.kind in PENAL and (keys & theirs or not keys):
        return True
    if _ends(home, act, keys):
        return True
    if act.kind is home.kind:
        if keys & theirs or act.is_recalling:
            return True
        if act.kind is Kind.MERGER_DECISION and act.sentence - lead.sentence <= 2:  # a title's short names, then the full ones
            return True
        if keys and keys <= {name.key for name in home.groups}:  # "a probe into X's unit ... whether X"
            return True
        if not keys and not act.groups:
            return len(counts) < 2 and (not act.count or not theirs or act.sentence - lead.sentence <= 2)
        return not theirs and not home.groups and len(counts) < 2
    if not keys and not act.groups:
        return absorbs and (not act.count or act.is_same or (lead.is_sum and not theirs))
    if not theirs and not home.groups:
        return (
            (absorbs or home.kind in _ABSORBS.get(act.kind, frozenset()) or act.kind in PENAL)
            and lead.sentence <= 1
            and (not counts or counts == {len(keys)})
            and home.kind not in _FIRMLESS
        )
    return absorbs and bool(keys & theirs)
