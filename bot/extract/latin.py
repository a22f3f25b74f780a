"""Sentences in Latin script: where the firm that is hit stands to a trigger word.

    read(scene, sentence, hit, trigger, act) -> bool

fills in the act's targets and actors, or says that the word tells no act. Verbs look for their object or, in the
passive, for their subject; nouns for a preposition or an owner. A firm outside the register is taken when its
spelling, a noun beside it or the rest of the text says that it is one.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from itertools import pairwise

from bot.extract import dates, money
from bot.extract.lists import GATHERS, completes, members, object_list, whole_list
from bot.extract.mergers import are_parties
from bot.extract.names import Hit, Name, Trigger
from bot.extract.nouns import noun, subject
from bot.extract.phrases import STOP, placed, placed_run
from bot.extract.roles import FIRM, PENAL, Act, Scene, listed, take
from bot.extract.text import Sentence, alternation, pattern, stems
from bot.extract.unnamed import PASSIVE, headlined, spoken_of, unnamed
from storage.models import Kind
from storage.text import fold

__all__ = ["completes", "read"]


@cache
def _through() -> re.Pattern[str]:
    """What a verb may be done to instead of the firm itself: "suspended trading in X", "banned the sale of X"."""
    return re.compile(rf"\b(?:{alternation('grammar', 'things_of')})\s+(?:of|by|in|to|from|used by)\b")


@cache
def _through_words() -> re.Pattern[str]:
    """The same right behind the verb, before a firm outside the register: "suspended the operating certificate of X"."""
    return re.compile(rf"\s(?:(?:the|its|an?)\s)?(?:[a-z-]+\s){{0,2}}(?:{alternation('grammar', 'things_of')})\s+(?:of|by)\s+")


_CLAUSE_SIGNS = (";", ": ", ", which ", ", who ", ", so ", ", after ", ", and ")
_CLAUSE_WORDS = ("but", "while", "whereas", "and then", "after", "that", "said")


_ASKED = re.compile(
    r"\b(?:asks?|asked|asking|urges?|urged|wants?|petitions?|petitioned|lobb\w+|press(?:es|ed)|calls? (?:on|for)|called (?:on|for))"
    r"\s[^,;]{2,40}\sto\s$"
)
"""Somebody would have a body act: "asks the regulator to investigate X"."""


@cache
def _recalls_no_goods() -> re.Pattern[str]:
    return re.compile(rf"\s(?:(?:its|his|her|their|the|a|how|that|when|being)\s)?(?:{alternation('grammar', 'no_goods')})\b")


_STORIES = re.compile(r"\s[-–—|•]\s")


@lru_cache(maxsize=64)  # each sense of a trigger word asks again
def _clause(before: str) -> int:
    """Where the last clause of the words before a trigger begins. Looked for from the end, without an expression: it is asked often."""
    start = max(before.rfind(sign) + len(sign) if sign in before else 0 for sign in _CLAUSE_SIGNS)
    for word in _CLAUSE_WORDS:
        at = before.rfind(word)
        while at >= start:
            end = at + len(word)
            if not (before[at - 1 : at].isalnum() or before[end : end + 1].isalnum()):
                start = end
                break
            at = before.rfind(word, 0, at)
    return start


def _story(scene: Scene, sentence: Sentence, hit: Hit) -> Sentence:
    """Of a newsletter's title, which strings its stories together with dashes, the story that the word belongs to."""
    marks = list(_STORIES.finditer(scene.skeleton, sentence.start, sentence.end))
    if len(marks) < 2:
        return sentence
    start = max((mark.end() for mark in marks if mark.end() <= hit.start), default=sentence.start)
    end = min((mark.start() for mark in marks if mark.start() >= hit.end), default=sentence.end)
    return Sentence(start, end, is_title=True)


def _is_told(scene: Scene, sentence: Sentence, hit: Hit, act: Act, trigger: Trigger) -> bool:
    """False for words that are verbs of an act only in some company: "to settle", "to fine", "recalls its ambassador"."""
    skeleton = scene.skeleton
    if act.kind is Kind.SETTLEMENT and trigger.frame == "subject" and skeleton.endswith(" to ", 0, hit.start):
        return False
    if skeleton.startswith("to pay", hit.start):  # "Acme Inc. to Pay $9 Million to Resolve Claims": a headline's future
        paid = (
            scene.without_sums(hit.end, sentence.end)
            if (sentence.is_title or sentence.start == 0) and trigger.kind is Kind.SETTLEMENT
            else ""
        )
        told = scene.said if trigger.kind is Kind.SETTLEMENT else None  # "... pleads guilty; exchange to pay $4 million"
        return (
            bool(_SETTLED.match(paid))
            or (bool(_PAID_OVER.match(paid)) and (scene.own is not None or scene.is_body(sentence.start, sentence.end, places=False)))
            or (
                told is not None
                and act.sentence - told.sentence == 1
                and bool(headlined().search(skeleton[sentence.start : hit.start]))
                and bool(money.sums(scene.reading.folded, hit.end, sentence.end))
            )
        )
    if skeleton.startswith("to fine", hit.start):
        return bool(
            re.search(r"\b(?:decision|decided|decides|moves?|moved|inten\w+)\b", skeleton[max(sentence.start, hit.start - 90) : hit.start])
        )
    before = pattern("conduct", "earlier").search(skeleton, max(sentence.start, hit.start - 50), hit.start)
    if before and (act.kind in PENAL or act.kind is Kind.BAN) and re.fullmatch(r"\s(?:[a-z]+\s){0,4}", skeleton[before.end() : hit.start]):
        folded = scene.reading.folded  # what went before counts when it is told in full
        return bool(money.sums(folded, sentence.start, sentence.end) or dates.dates(folded, sentence.start, sentence.end, None))
    return not (act.kind is Kind.RECALL and _recalls_no_goods().match(skeleton, hit.end))


_SETTLED = re.compile(r"\s(?:[a-z]+\s){0,4}?\s{2,}.*\b(?:to (?:settle|resolve|end)|in (?:[a-z]+ ){0,2}(?:penalt|fine|settle|resol))")
_PAID_OVER = re.compile(
    r"\s(?:[a-z]+\s){0,2}?\s{2,}(?:over|after|following)\s"
    r"(?!.*\b(?:dividends?|takeover|acquisition|stake|deal|bonus(?:es)?|lawsuit|class action|jury|court|tribunal|verdict|strike)\b)"
)
_OVER = re.compile(r"\b(?:resolv\w+|conclud\w+|follow\w+|after|settl\w+|result(?:s|ed)? of|arising from|came after)\b[^.;]{0,80}$")


_IN_COURT = re.compile(r"\s(?:[a-z]+\s){0,4}(?:court|tribunal)\b[^,;]{0,50}\bagainst\b")


def read(scene: Scene, sentence: Sentence, hit: Hit, trigger: Trigger, act: Act) -> bool:
    skeleton = scene.skeleton
    if not _is_told(scene, sentence, hit, act, trigger):
        return False
    if sentence.is_title:
        sentence = _story(scene, sentence, hit)
    clause = sentence.start + _clause(skeleton[sentence.start : hit.start])
    left, right = skeleton[clause : hit.start], skeleton[hit.end : sentence.end]
    if act.kind is Kind.INVESTIGATION:
        word = skeleton[hit.start : hit.end]
        if word == "proceedings" and _IN_COURT.match(right):  # "commenced proceedings in the Federal Court against X"
            act.kind = Kind.LAWSUIT
        act.is_over = bool(_OVER.search(left)) or word == "investigated" or word.endswith(" case")
    if (asked := _ASKED.search(left)) and act.kind is not Kind.LAWSUIT and not scene.is_body(sentence.start, clause + asked.start()):
        return False
    if trigger.frame == "merger":
        return are_parties(scene, sentence, hit, act)
    if trigger.frame == "finding":
        return _finding(scene, sentence, hit, act, clause)
    if trigger.frame == "listed":
        return _listed_by(scene, sentence, hit, act, clause)
    if trigger.frame == "body":
        act.kind = Kind.RULE
        return scene.acting(act, clause, hit.start)
    if trigger.frame in ("object", "act"):
        is_read = _verb(scene, sentence, hit, act, clause, left, right)
        if not is_read and act.kind is Kind.INVESTIGATION and (not PASSIVE.search(left) or word.endswith("ing")):
            is_read = noun(scene, sentence, hit, act, clause, "")
    elif trigger.frame in ("noun", "matter"):
        is_read = noun(scene, sentence, hit, act, clause, left)
    else:
        is_read = subject(scene, act, sentence, clause, hit.start)
        act.has_actor = True
    if not (is_read or act.targets or act.groups or _elsewhere(scene, sentence, hit, act, trigger, clause)):
        return False
    if act.kind is Kind.FINE and act.targets:
        act.targets += [name for name in _fined_beside(scene, sentence, hit) if name not in act.targets]
    if trigger.frame == "matter" and act.kind is not Kind.LAWSUIT and FIRM not in left and scene.acting(act, sentence.start, sentence.end):
        return True
    if trigger.frame in ("act", "matter") and not act.has_actor and not scene.acting(act, clause, hit.start):
        if act.kind is Kind.FINE and _WITH_FINE.match(right):
            return True
        agent = re.search(r"\bby\s+(?:the\s+)?([^,;.]{2,60})", right)
        return bool(agent and scene.is_body(hit.end + agent.start(1), hit.end + agent.end(1)))
    if act.kind is Kind.FINE and trigger.frame == "act" and _is_listing(scene, sentence, clause, hit):
        act.kind = Kind.OTHER
    if trigger.frame == "matter" and act.kind is Kind.LAWSUIT:  # a complaint is everybody's
        return scene.is_body(clause, hit.start, places=False) or (scene.own is not None and FIRM not in left)
    scene.acting(act, clause, hit.start)
    return True


_WITH_FINE = re.compile(r"\s(?:[a-z]+ly\s)?with\s(?:an?|two|three|four|five|several)\s(?:[a-z]+\s)?fines?\b")
"""Behind "was sanctioned": nobody but a public body does so."""


def _is_listing(scene: Scene, sentence: Sentence, clause: int, hit: Hit) -> bool:
    """Whether "sanctions" is a government's listing of whom nobody may deal with, not a supervisor's penalty."""
    if not sentence.is_title and sentence.start > scene.reading.title_end + 1:
        return False
    folded = scene.reading.folded
    is_state = scene.is_body(clause, hit.start) and not scene.is_body(clause, hit.start, places=False)
    return (is_state or bool(pattern("bodies", "sanctioning").search(folded, clause, hit.start))) and not money.sums(
        folded, hit.end, sentence.end
    )


def _listed_by(scene: Scene, sentence: Sentence, hit: Hit, act: Act, clause: int) -> bool:
    """ "Adds X to the entity list", "X was placed on an import alert": a list of those that may not be dealt with."""
    skeleton = scene.skeleton
    named_list = pattern("grammar", "black_lists").search(skeleton, hit.end, min(sentence.end, hit.end + 200))
    onto = _ONTO_LIST.search(skeleton, hit.end, named_list.start()) if named_list else None
    if onto is None or not (scene.acting(act, clause, hit.start) or scene.is_body(sentence.start, sentence.end)):
        return False
    act.has_actor = True
    if onto.start() == hit.end:
        return subject(scene, act, sentence, clause, hit.start)
    named = scene.firms(hit.end, onto.start())
    if named:
        return take(scene, act, listed(scene, named[0], onto.start()))
    act.targets += placed_run(scene, act, hit.end, Sentence(sentence.start, onto.start(), sentence.is_title))
    return bool(act.targets)


_ONTO_LIST = re.compile(r"\s(?:to|on|onto|in)\s(?:(?!to\b|on\b)[\w'.-]+\s){0,5}$")


def _elsewhere(scene: Scene, sentence: Sentence, hit: Hit, act: Act, trigger: Trigger, clause: int) -> bool:
    """A word without its firm in reach: of the act just told, of the firm spoken of before, or of firms that have no name here."""
    is_penal = trigger.kind in PENAL
    if is_penal and trigger.frame != "subject" and scene.said and scene.said.sentence == act.sentence:
        near = scene.skeleton[max(clause, hit.start - 40) : hit.end + 4]
        if re.search(r"\b(?:settlement of|imposing|imposed|with a|and a|reflecting|also)\b", near):
            return True
    return (
        (trigger.language != "en" and _beside(scene, sentence, hit, act))
        or (is_penal and spoken_of(scene, sentence, hit, act))
        or unnamed(scene, sentence, hit, act, trigger, clause)
    )


_SOURCE = re.compile(rf"according to [^,;:.{FIRM}]{{3,60}}, ")
_INFRINGED = re.compile(r"\s(?:has |had )?(?:violated|infringed|breached|failed to comply|unlawfully)\b")


def _finding(scene: Scene, sentence: Sentence, hit: Hit, act: Act, clause: int) -> bool:
    """ "The authority found that X infringed": a body's finding, preliminary or not, of a breach by the firm that follows."""
    breach = stems("conduct", "breach").search(scene.skeleton, hit.end, sentence.end)
    if breach is None or breach.start() - hit.end > 170:
        return False
    if source := _SOURCE.match(scene.skeleton, hit.start, sentence.end):  # "According to the authority, X infringed"
        first = next(iter(scene.firms(source.end(), source.end() + 4)), None) or placed(scene, act, source.end(), sentence)
        return (
            first is not None
            and scene.is_body(hit.end, source.end(), places=False)
            and _INFRINGED.match(scene.skeleton, first.tail, sentence.end) is not None
            and take(scene, act, [first])
        )
    if not scene.acting(act, clause, hit.start):
        return False
    if _OF_OTHERS.search(scene.skeleton, breach.end(), sentence.end):
        return False
    first = next((name for name in scene.firms(hit.end, breach.start()) if name.start - hit.end < 60), None)
    gap = re.sub(r"^\s(?:that|how|whether)\b", "", scene.gap(hit.end, first.start)) if first else ""
    for that in re.finditer(r"\s(?:that\s)?", scene.skeleton[hit.end : breach.start()]) if first is None else ():
        if that.start() == 0 or len(that.group()) > 1:  # right after the verb, or after a "that"
            first, gap = first or placed(scene, act, hit.end + that.end(), sentence), ""
    if first is None or STOP.search(gap) or not take(scene, act, listed(scene, first, breach.start())):
        return False
    if re.search(r"\bpreliminar\w+|\bprovisional\w*", scene.skeleton[max(sentence.start, hit.start - 40) : breach.end()]):
        act.kind = Kind.PROPOSED_PENALTY
    return True


_OF_OTHERS = re.compile(r"\b(?:patents?|trade ?marks?|copyrights?|trade secrets?)\b")
"""What is infringed and is another firm's: such a quarrel is between the two."""


@cache
def _oblique() -> re.Pattern[str]:
    return re.compile(rf"(?<![\w'])(?:{alternation('grammar', 'onto_abroad')}|{alternation('grammar', 'articles_abroad')})\s+")


def _beside(scene: Scene, sentence: Sentence, hit: Hit, act: Act) -> bool:
    """In languages of a freer order: the only firms of the clause, or a name after a preposition, where a public body acts."""
    if not scene.acting(act, sentence.start, hit.start) and not scene.is_body(sentence.start, sentence.end):
        return False
    act.has_actor = True
    names = [name for name in scene.firms(sentence.start, sentence.end) if abs(name.start - hit.start) < 170]
    if names:
        run = listed(scene, names[0], sentence.end)
        return len(run) == len(names) and take(scene, act, run)
    for match in _oblique().finditer(scene.skeleton, sentence.start, sentence.end):
        if run := placed_run(scene, act, match.end(), sentence):
            act.targets += run
            return True
    return False


_TO_DO = re.compile(r"\sto\s(?!pay\b)[a-z]+")
_BY_FIRM = re.compile(rf"\s+by\s+(?:the\s+)?{FIRM}")
_AGENT = re.compile(r"\s+by\s+(?:the|an?|its|their|his|her)\s+(?!end\b|time\b|same\b|way\b)[^,;.]{0,50}")
_BY_BODIES = frozenset((Kind.RECTIFICATION, Kind.BAN, Kind.SUSPENSION))  # "X ordered to stop": nobody else orders


def _verb(scene: Scene, sentence: Sentence, hit: Hit, act: Act, clause: int, left: str, right: str) -> bool:
    if PASSIVE.search(left[-90:]) and not scene.skeleton.endswith("ing", hit.start, hit.end):  # not "is investigating"
        agent = _AGENT.match(right) if act.rule.endswith("act") else None
        if _BY_FIRM.match(right) or (agent and not scene.is_body(hit.end, hit.end + agent.end())):
            return False  # "sued by Acme", "cancelled by the policyholder"
        if subject(scene, act, sentence, clause, hit.start):
            act.has_actor = act.has_actor or scene.has_body
            return True
        return False
    for name in scene.firms(hit.end, sentence.end)[:1]:
        gap = _PRICED.sub(" ", scene.without_sums(hit.end, name.start).strip(FIRM))
        if _is_open(gap) and not _is_translation(scene, name):
            if FIRM in left and not scene.is_body(clause, hit.start) and act.rule.endswith("act"):
                return False
            if take(scene, act, whole_list(scene, hit.end, object_list(scene, act, name, sentence.end), sentence.end)):
                _priced(scene, act, hit, sentence)
                return True
    gathered = GATHERS.search(scene.skeleton, hit.end, sentence.end)
    is_gathering = gathered and not STOP.search(scene.skeleton, hit.end, gathered.start())
    if gathered and is_gathering and take(scene, act, members(scene, gathered.end(), sentence.end, is_of_firms=True)):
        return True
    if (
        re.search(FIRM + r"(?:'s)?\s*$", left)
        and (_GOES_ON.match(right) or _is_priced_next(scene, hit, sentence))
        and fold(scene.reading.whole[hit.start : hit.end]).endswith(("ed", "told"))
    ):
        is_order = sentence.is_title and _TO_DO.match(right) is not None  # nobody else's order makes a headline so
        act.has_actor = act.has_actor or (act.kind in _BY_BODIES and (scene.has_body or is_order))
        return subject(scene, act, sentence, clause, hit.start)
    through = _through_words().match(scene.skeleton, hit.end, sentence.end)
    run = placed_run(scene, act, through.end() if through else hit.end, sentence)
    if run and (act.kind is Kind.FINE or scene.own or scene.is_body(clause, hit.start)):
        act.targets += run
        _priced(scene, act, hit, sentence)
        return True
    if fold(scene.reading.whole[hit.start : hit.end]).endswith("ed") and (
        _REASON_NEXT.match(right) or _is_priced_next(scene, hit, sentence)
    ):
        return subject(scene, act, sentence, clause, hit.start)
    return False


_GOES_ON = re.compile(r"\s*(?:$|[,.;]|(?:for|over|after|by|in|on|more|a|up|around|about|nearly|almost|to)\b|[€$£¥\d])")
_REASON_NEXT = re.compile(r"\s*(?:[€$£¥\d]|(?:for|over|by|after)\b)")
"""Behind a headline's participle: "Acme fined for", "Acme fined $5 million"."""


def _is_priced_next(scene: Scene, hit: Hit, sentence: Sentence) -> bool:
    """Whether a sum follows at once, in any currency: "Acme fined HK$5 million"."""
    sums = money.sums(scene.reading.folded, hit.end, sentence.end)
    return bool(sums) and not scene.skeleton[hit.end : sums[0].start].strip()


def _priced(scene: Scene, act: Act, hit: Hit, sentence: Sentence) -> None:
    """ "Ordered X to pay €3 million" is a fine, unless it is paid to those who were harmed."""
    if act.kind is Kind.RECTIFICATION and _TO_PRODUCE.match(scene.skeleton, max(name.end for name in act.targets), sentence.end):
        act.kind = Kind.INFORMATION_REQUEST
    if act.kind is Kind.RECTIFICATION and (paid := re.search(r"\bto pay\b", scene.skeleton[hit.end : sentence.end])):
        start = hit.end + paid.end()
        sums = money.sums(scene.reading.folded, start, min(sentence.end, start + 60))
        if sums and not re.search(r"compensat|refund|redress|damages|restitution|back\b", scene.skeleton[start : sums[0].end + 24]):
            act.kind = Kind.FINE


_TO_PRODUCE = re.compile(
    r"[^;:.]{0,40}?\sto\s(?:produce|provide|hand over|supply|turn over|disclose)\s(?:[a-z]+\s){0,3}?"
    r"(?:records|information|documents|data|evidence)\b(?!\sto\s(?:customers|users|clients|consumers))"
)


_AND = re.compile(r"(?:[,;]?\s(?:and|und|et|e|ed|y|en|og|och)\s|[,;]\s)\s*(?:the\s)?")
_AT_ONCE = re.compile(r"\s(?:an?\s(?:record\s)?|another\s|a further\s)?")
_ENDS = re.compile(
    r"\s*(?:$|[,.;:)\n–-]|(?:and|und|et|e|y|for|over|after|in|on|by|under|because|respectively|each|fines?|penalt(?:y|ies))\b)"
)


def _fined_beside(scene: Scene, sentence: Sentence, hit: Hit) -> list[Name]:
    """Firms that follow with a sum each: "fined Apple €98 million and Meta €10 million", "HSBC £20 million and Citigroup £5 million"."""
    folded, found = scene.reading.folded, []
    for one, other in pairwise(money.sums(folded, hit.end, sentence.end)):
        joined = _AND.match(folded, one.end, other.start)
        start = joined.end() if joined else one.end
        names = [*scene.firms(start, other.start), *(name for name in scene.reading.weak if start <= name.start < other.start)]
        first = next((name for name in names if name.start == start), None)
        if joined is None or first is None or not _AT_ONCE.fullmatch(folded, first.end, other.start) or not _ENDS.match(folded, other.end):
            break
        found += scene.members([(first.start, first.end)])
    return found


def _is_translation(scene: Scene, name: Name) -> bool:
    """Whether the name only repeats in brackets the one before it: "Kellholms Tåg (Kell Train Company)"."""
    return name.rule == "legal-form" and bool(
        re.search(r"(?<!\w)[A-Z][^\W\d]+\s\($", scene.reading.whole[max(0, name.start - 30) : name.start])
    )


_PRICED = re.compile(r"\b(?:per|mit|con|for|d'une amende de|zu|um|por|com|con una multa de|with a fine of)\s{2,}|\s{3,}")


def _is_open(gap: str) -> bool:
    """Nothing between a verb and a name keeps the name from being its object."""
    size = len(gap)
    gap = re.sub(r"\bwhether (?:or not )?(?:to [a-z]+ )?|\boperators? of\b", "", gap)
    through = _through().search(gap)
    rest = gap[: through.start()] + gap[through.end() :] if through else gap
    return (
        size <= 110
        and not STOP.search(rest)
        and (
            through is not None
            or not re.search(r"\b(?:of|in)\b(?! (?:its|the) )", rest)
            or bool(re.search(r"\bincluding\b|\bsuch as\b", rest))
        )
    )
