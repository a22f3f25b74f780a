"""Who stands where: the text with names blotted out, the roles that the words beside a name give it, lists of names.

The frames of the two script families (`latin`, `han`) and the kinds build on this; it knows no kind of action.
"""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from operator import attrgetter

from bot.extract import money
from bot.extract.facts import Count
from bot.extract.names import VENUE, Name, Reading, firm_key
from bot.extract.text import HAN, words
from storage.models import Kind, Role, Status
from storage.records import RegulatorRow

FIRM, BODY = "\ue000", "\ue001"  # a firm's name, a regulator's, in the skeleton of the text

PENAL = frozenset((Kind.FINE, Kind.CONFISCATION, Kind.SETTLEMENT, Kind.CONSENT_ORDER, Kind.PROPOSED_PENALTY, Kind.LAWSUIT))
"""Kinds that carry a penalty, or ask for one."""
_WORD = re.compile(r"\w")
_PRONOUN = re.compile(r"\b(?:it|they|he|she|we|the agency|the body|who|which|then|and)\b[^,;]*$")
_ADVERBS = re.compile(r"\b[a-z]+ly\b")
_THINGS = frozenset((Kind.BAN, Kind.SUSPENSION, Kind.REMOVAL, Kind.RECALL, Kind.INVESTIGATION, Kind.LAWSUIT, Kind.FINE))


@dataclass(slots=True)
class Act:
    """One telling of an act, in one sentence."""

    kind: Kind
    status: Status
    start: int  # of the trigger word
    end: int
    sentence: int
    targets: list[Name] = field(default_factory=list)
    groups: list[Name] = field(default_factory=list)  # their subsidiary or affiliate is the target
    actors: list[Name] = field(default_factory=list)
    count: Count | None = None
    rule: str = ""
    has_actor: bool = False
    is_unnamed: bool = False  # it hits a firm that the text does not name: 涉事企业被罚
    is_sum: bool = False  # only a sum tells it, whom it hits the next sentence says: 罚款50万元！
    is_recalling: bool = False  # "the latest summoning": speaks of an act already told
    is_past: bool = False  # 曾被罚: lies further back than what else the sentence tells
    is_same: bool = False  # "the six firms": those of the act told before
    is_action: bool = False  # "takes action against": what it was the text says later
    is_over: bool = False  # an investigation that the text says led to what it tells


class Scene:
    """A document while its acts are read: names, blotted text, who stands where."""

    def __init__(self, reading: Reading, own: RegulatorRow | None, numbers: Sequence[tuple[int, int]]) -> None:
        self.reading = reading
        self.own = own
        self.numbers = numbers  # spans of the numbers of documents: the signs of an office are no name
        self.skeleton = _skeleton(reading)
        self._firms = [name for name in reading.names if not name.regulators]
        self._firm_starts = [name.start for name in self._firms]
        self._bodies = [name for name in reading.names if name.regulators]
        self._body_starts = [name.start for name in self._bodies]
        self.ends = {hit.end for hit in reading.hits}  # of trigger words: "requests information from" makes no bystander
        self.places: list[str] | None = None  # countries of the bodies that are spoken of, once somebody asked
        self.said: Act | None = None  # the last act with a target: later words of its sentence may leave the firm out
        self.caption: list[Name] | None = None  # whom a title without a verb is about; empty for persons
        firms = [(name.start, name.end) for name in self._firms]
        marks = [(at, is_place) for at, is_place in reading.bodies if not any(start <= at < end for start, end in firms)]
        self._marks = [at for at, _ in marks]
        self._words = [at for at, is_place in marks if not is_place]

    @property
    def has_body(self) -> bool:
        """Whether any public body is spoken of at all."""
        return bool(self.own or self._marks or self._bodies)

    def is_body(self, start: int, end: int, *, places: bool = True) -> bool:
        """Whether a public body is spoken of between the offsets, a country as one too unless `places` is False."""
        marks = self._marks if places else self._words
        at = bisect_left(marks, start)
        return (at < len(marks) and marks[at] < end) or bool(self.bodies(start, end))

    def firms(self, start: int, end: int) -> list[Name]:
        """The firms named between the offsets, in order."""
        low = bisect_left(self._firm_starts, start)
        return self._firms[low : bisect_left(self._firm_starts, end, low)]

    def bodies(self, start: int, end: int) -> list[Name]:
        """The regulators named between the offsets."""
        low = bisect_left(self._body_starts, start)
        return self._bodies[low : bisect_left(self._body_starts, end, low)]

    def add(self, name: Name) -> Name:
        """Take a name that only its place in a sentence shows to be a firm."""
        surface = self.reading.whole[name.start : name.end]
        self._insert(name)
        if surface.isascii() and len(surface) > 2:
            self.repeat(name, surface)
        return name

    def repeat(self, name: Name, surface: str) -> None:
        """Take the other places too where the name, or a short form of it, stands: letters of a spaced script as whole words."""
        whole, is_spaced = self.reading.whole, surface.isascii()
        end = 0
        while (start := whole.find(surface, end)) >= 0:
            end = start + len(surface)
            is_inside = is_spaced and bool((start and _WORD.match(whole, start - 1)) or _WORD.match(whole, end))
            if start != name.start and not is_inside and not {FIRM, BODY} & set(self.skeleton[start:end]):
                self._insert(Name(start, end, end, name.key, name.firm_id, name.name, rule=name.rule))

    def members(self, places: Iterable[tuple[int, int]]) -> list[Name]:
        """Take the members of a list of firms: the names that stand there, weak ones too, else new ones by their surface."""
        found: list[Name] = []
        fresh: list[Name] = []
        for start, end in places:
            weak = [name for name in self.reading.weak if name.start == start and name.end == end]
            known = self.firms(start, end) or weak
            if known is weak:
                surface = self.reading.whole[start:end]
                known = weak or [Name(start, end, end, firm_key(surface), name=surface)]
                known[0].rule = "list"
                self._insert(known[0])
                fresh += known
            found += known
        for name in fresh:
            surface = self.reading.whole[name.start : name.end]
            self.repeat(name, surface)
        return found

    def _insert(self, name: Name) -> None:
        insort(self.reading.names, name, key=attrgetter("start"))
        at = bisect_left(self._firm_starts, name.start)
        self._firms.insert(at, name)
        self._firm_starts.insert(at, name.start)
        self.skeleton = self.skeleton[: name.start] + FIRM * (name.end - name.start) + self.skeleton[name.end :]

    def gap(self, start: int, end: int) -> str:
        """The words between two places, other names blotted out."""
        return self.skeleton[start:end].strip(FIRM)

    def without_sums(self, start: int, end: int) -> str:
        """The words between two places with sums of money, and the brackets that convert them, blanked out."""
        text = self.skeleton[start:end]
        for one in money.sums(self.reading.folded, start, end):
            low, high = one.start - start, (one.converted[-1].end if one.converted else one.end) - start
            high += text[high : high + 1] == ")"
            text = text[:low] + " " * (high - low) + text[high:]
        return text

    def acting(self, act: Act, start: int, end: int) -> bool:
        """Whether a public body acts between the offsets; it is noted when it has a name."""
        zone = self.skeleton[start:end]
        act.actors = self.bodies(start, end) or act.actors
        act.has_actor = (
            act.has_actor
            or self.is_body(start, end)
            or (
                FIRM not in zone
                and (self.own is not None or (self.has_body and (not _ADVERBS.sub("", zone).strip() or bool(_PRONOUN.search(zone)))))
            )
        )
        return act.has_actor


def _skeleton(reading: Reading) -> str:
    """The folded text with names blotted out, offsets kept, so that sentence patterns see one sign for any firm."""
    parts: list[str] = []
    at = 0
    for name in reading.names:
        if name.start < at:
            continue
        end = max(name.tail, name.end)
        parts += (reading.folded[at : name.start], (BODY if name.regulators else FIRM) * (end - name.start))
        at = end
    parts.append(reading.folded[at:])
    return "".join(parts)


def role_beside(scene: Scene, name: Name) -> tuple[Role, str] | None:
    """The role that the words right beside a name give it, or None when they leave it open.

    Who complains or is impersonated is a list's first name together with those that it joins.
    """
    own = _own_role(scene, name)
    at, hops = name, 0
    while own is None and hops < _HOPS:
        before = scene.firms(max(0, at.start - 60), at.start)[-1:]
        if not before or not _PLAIN_LIST.fullmatch(scene.gap(before[0].end, at.start)):
            return None
        at, hops = before[0], hops + 1
        own = _own_role(scene, at)
    return own if at is name or (own and own[0] in (Role.COMPLAINANT, Role.IMPERSONATED)) else None


_HOPS = 24  # no list of complainants is longer


def bystander(scene: Scene, name: Name) -> tuple[Role, str]:
    """The role of a firm that is named and not hit, and the rule that gives it."""
    role, rule = role_beside(scene, name) or (Role.MENTIONED, name.rule)
    return {VENUE: Role.VENUE, "deal": Role.COUNTERPARTY}.get(rule, Role.MENTIONED if role is Role.GROUP else role), rule


def _own_role(scene: Scene, name: Name) -> tuple[Role, str] | None:
    if name.rule == VENUE:
        return Role.MENTIONED, VENUE
    skeleton = scene.skeleton
    after = skeleton[max(name.tail, name.end) : name.end + 60]
    before = skeleton[max(0, name.start - 44) : name.start]
    if after[:1] in " '":
        for expression, role, rule in _after():
            if expression.match(after):
                return role, rule
    rest = _HAN_LINK.sub("", after[1:].lstrip() if after[:1] == '"' else after, 1)
    if rest.startswith(words("roles", "han_complains")):
        return Role.COMPLAINANT, "complains"
    if rest.startswith(words("roles", "han_members")):
        return Role.GROUP, "owner-of"
    if rest.startswith(words("roles", "han_speakers")):
        return Role.MENTIONED, "speaker"
    if rest.startswith(("员", *words("roles", "han_holders"))):  # 圆通快递|员: the border of a name is none of the word
        return Role.MENTIONED, "holder"
    if _ITS_PEOPLE.match(rest):
        return Role.MENTIONED, "holder"
    if ("former " in before or "ex-" in before) and _FORMER.search(before):
        return Role.MENTIONED, "other"
    spoken = before.split()[-4:]
    for key, role in (
        ("complainant", Role.COMPLAINANT),
        ("impersonated", Role.IMPERSONATED),
        ("owner", Role.MENTIONED),
        ("venue", Role.MENTIONED),
        ("deal", Role.MENTIONED),
        ("other", Role.MENTIONED),
    ):
        latin, last_words, han = _before(key)
        if before.endswith(han):
            is_told = key != "complainant" or bool(_COMPLAINS.match(after))
        elif not last_words.isdisjoint(spoken) and (match := latin.search(before)):
            is_told = match.group(1) != "such as" or "rivals" in before or "competitors" in before
        else:
            continue
        if is_told and not (scene.ends & {name.start - 1, name.start - 5}):
            return role, key
    return None


_ITS_PEOPLE = re.compile(
    rf"(?:(?![因违对未虚被遭涉向给将与和及、])[{HAN}]){{0,4}}?(?:经理|主任|外包|加盟店|加盟商|代理商|经销商|业务员|柜员|店员|保安|策略师|分析师|总监)"
)
"""Some words behind a name: who works for the firm or under its name, 远山银行理财经理, 青禾催收外包公司."""
_FORMER = re.compile(r"\b(?:former\s|ex-)(?:[a-z-]+\s){1,4}(?:at|of|with|from)\s$|\b(?:former\s|ex-)$")
"""Who worked there: "the former head of accounting at X"."""
_PLAIN_LIST = re.compile(r"\s*(?:,|、|和|与|及)\s*(?:and\s+|or\s+)?|\s+(?:and|or|&)\s+")

_COMPLAINS = re.compile(".{0,6}(?:举报|投诉|申请)")
_HAN_LINK = re.compile(r"^(?:银行|集团|公司|股份)?(?:的|一|两|多名|原|前|\d+名)?")


@cache
def _after() -> tuple[tuple[re.Pattern[str], Role, str], ...]:
    """What the Latin words after a name make of it."""
    return (
        (re.compile(rf"['s]{{0,2}}\s+(?:[a-z-]+ ){{0,3}}?(?:{alternatives('members')})\b"), Role.GROUP, "owner-of"),
        (re.compile(rf"(?:'s?)?\s+(?:[a-z-]+ )?(?:{alternatives('holders')})(?![a-z-])"), Role.MENTIONED, "holder"),
        (re.compile(rf"(?:'s?)?\s+(?:{alternatives('things')})(?![a-z-])"), Role.MENTIONED, "thing"),
    )


@cache
def alternatives(key: str) -> str:
    """The Latin words of a list of roles, for an expression."""
    return "|".join(re.escape(word) for word in words("roles", key) if word.isascii())


@cache
def _before(key: str) -> tuple[re.Pattern[str], frozenset[str], tuple[str, ...]]:
    """The words before a name that give it a role: Latin ones as an expression, with the last word of each; Chinese ones."""
    latin = [word for word in words("roles", key) if word.isascii()]
    tail = r"\s+(?:the |its |an? |both |u\.s\. )?(?:[a-z-]+ ){0,2}?$"
    expression = re.compile(f"(?<![a-z])({'|'.join(map(re.escape, latin))}){tail}")
    return expression, frozenset(word.split()[-1] for word in latin), tuple(word for word in words("roles", key) if not word.isascii())


def listed(scene: Scene, first: Name, limit: int) -> list[Name]:
    """The run of names that a list joins to the first one."""
    run = [first]
    for name in scene.firms(first.start + 1, limit):
        gap = scene.skeleton[run[-1].end : name.start].lstrip(FIRM)
        if not in_list(gap):
            holder = re.fullmatch(rf"(?:'s)?\s+(?:[a-z-]+ ){{0,2}}?(?:{alternatives('holders')})\s+", gap)
            if not (holder and len(run) > 1 and run[-1] is not first):
                break
        run.append(name)
    return run


_LIST = re.compile(
    r"|\s*(?:['’]s?\s+)?(?:,|、|;|/|&|和|与|及|以及|跟|(?:,\s*)?(?:and|or|und|et|e|y|as well as|along with|and/or)\s)\s*(?:and\s|or\s|"
    r"the\s|its\s)?(?:(?!(?:for|over|after|because|that|which|who|said|says|when|while|from|to|as|with|under|in|on|at|about|is|was|"
    r"were|has|had|not|of|by|also|fined|ordered|owned|a|an)\s)[a-z-]+\s){0,5}"
)


def in_list(gap: str) -> bool:
    """Whether the words between two names make them neighbours of one list."""
    return bool(_LIST.fullmatch(gap))


def lead_of(names: list[Name], last: int, scene: Scene) -> int:
    """Where the list begins that the name at `last` ends."""
    while last > 0 and in_list(scene.gap(names[last - 1].end, names[last].start)):
        last -= 1
    return last


_SHARES = ("shares of ", "shares in ", "stock of ", "securities of ", "sale of ")  # suspended or banned, the firm is hit


def take(scene: Scene, act: Act, run: Iterable[Name]) -> bool:
    """Sort the run's names into targets and owners; True when a target or an owner was found."""
    for name in run:
        beside = role_beside(scene, name)
        is_thing = beside is not None and (beside[1] == "thing" or scene.skeleton.endswith(_SHARES, 0, name.start))
        is_speaker = beside is not None and beside[1] == "speaker"  # 约谈X负责人
        if beside is None or (is_thing and act.kind in _THINGS) or (is_speaker and act.kind is Kind.TALKS):
            act.targets.append(name)
        elif beside[0] is Role.GROUP:
            act.groups.append(name)
    return bool(act.targets or act.groups)
