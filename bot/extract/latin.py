"""Sentences in Latin script: where the firm that is hit stands to a trigger word.

    read(scene, sentence, hit, trigger, act) -> bool

fills in the act's targets and actors, or says that the word tells no act. Verbs look for their object or, in the
passive, for their subject; nouns for a preposition or an owner. A firm outside the register is taken when its
spelling, a noun beside it or the rest of the text says that it is one.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from bot.extract import dates, facts, money
from bot.extract.lists import GATHERS, completes, members, object_list, whole_list
from bot.extract.mergers import are_parties, deciding
from bot.extract.names import Hit, Name, Trigger
from bot.extract.phrases import STOP, firm_like, leading, phrase, placed, placed_run
from bot.extract.roles import BODY, FIRM, PENAL, Act, Scene, lead_of, listed, role_beside, take
from bot.extract.text import Sentence, alternation, pattern, stems, vocabulary, words
from storage.models import Kind, Role
from storage.text import fold

__all__ = ["completes", "read"]

_NOUN_STOP = re.compile(
    r"\b(?:that|which|who|whom|because|after|said|says|when|while|for|from|since|if|pour|wegen|before|during|than|but|not)\b|[;?!]|\.\s"
)


@cache
def _through() -> re.Pattern[str]:
    """What a verb may be done to instead of the firm itself: "suspended trading in X", "banned the sale of X"."""
    return re.compile(rf"\b(?:{alternation('grammar', 'things_of')})\s+(?:of|by|in|to|from|used by)\b")


@cache
def _through_words() -> re.Pattern[str]:
    """The same right behind the verb, before a firm outside the register: "suspended the operating certificate of X"."""
    return re.compile(rf"\s(?:(?:the|its|an?)\s)?(?:[a-z-]+\s){{0,2}}(?:{alternation('grammar', 'things_of')})\s+(?:of|by)\s+")


@cache
def _leads() -> re.Pattern[str]:
    """From a noun to its firm: "(a fine) of €5 million on the lender X", "(amende) à X"."""
    prepositions = f"{alternation('grammar', 'onto')}|{alternation('grammar', 'onto_abroad')}"
    articles = r"(?:(?:the|a|an|die|der|das|den|la|le|il|los|de|du|its|us)\s+)*"
    return re.compile(rf"\s+$|(?:^|.*\b)(?:{prepositions})\s+{articles}(?:[\w.'’&-]+,?\s+){{0,5}}$|^\s+(?:a|di)\s$", re.DOTALL)


@cache
def _receives() -> re.Pattern[str]:
    """From a firm to the noun: "X faces a record (fine)", "X agreed to a (penalty)"."""
    return re.compile(rf"\b(?:{alternation('grammar', 'receives')})\s+(?:(?:a|an|the|its|[a-z€$£\d.,{BODY}-]+)\s+){{0,5}}$")


@cache
def _gives() -> re.Pattern[str]:
    """From a body's verb over the firm to the noun: "slaps X with a record (fine)", "legt X een (boete) op"."""
    between = r"(?:(?!\s(?:of|for|from|in|on|by|to)\s)(?:[^,;:]|,(?=\d)))*"
    sums = r"(?:\swith)?(?:\s+(?:(?!(?:of|for|from|in|on|by|to)\b)[a-z-]+|[\d.,]+)){0,5}\s+$"
    return re.compile(rf"\b(?:{alternation('grammar', 'gives')})\s(?=\S{between}{sums})")


_PASSIVE = re.compile(
    r"\b(?:was|were|is|are|been|be|being|gets?|got)(?:\s+(?:also|each|jointly|[a-z]+ly|subsequently|then|now|provisionally))*\s*$"
)

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
            _without_sums(scene, hit.end, sentence.end)
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
                and bool(_headlined().search(skeleton[sentence.start : hit.start]))
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
        if not is_read and act.kind is Kind.INVESTIGATION and (not _PASSIVE.search(left) or word.endswith("ing")):
            is_read = _noun(scene, sentence, hit, act, clause, "")
    elif trigger.frame in ("noun", "matter"):
        is_read = _noun(scene, sentence, hit, act, clause, left)
    else:
        is_read = _subject(scene, act, sentence, clause, hit.start)
        act.has_actor = True
    if not (is_read or act.targets or act.groups or _elsewhere(scene, sentence, hit, act, trigger, clause)):
        return False
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
        return _subject(scene, act, sentence, clause, hit.start)
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
        or (is_penal and _spoken_of(scene, sentence, hit, act))
        or _unnamed(scene, sentence, hit, act, trigger, clause)
    )


@cache
def _anaphors() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """ "(a fine) on the company" and "the company was (fined)": after the word, before it."""
    firm = rf"(?:the|this|that|said) (?:[a-z]+ )?(?:{'|'.join(words('spoken_of', 'firms'))})\b(?!'s? (?:ceo|chief|director|owner))"
    return (
        re.compile(rf"(?:\s(?:[^;:.]{{0,60}}?\s)?(?:on|against|to|upon))?\s(?:{firm}|it\b(?=\s(?:€|\$|£|[a-z]{{3}}\s?\d|\d|for|over)))"),
        re.compile(
            rf"\b(?:{firm}|it)\s(?:was|has been|is|had been|were)\s(?:[a-z]+\s)?$|"
            rf"\b{firm}\s(?:agreed|agrees|will|must|has|received)\s?(?:[a-z]+\s)?$"
        ),
    )


def _spoken_of(scene: Scene, sentence: Sentence, hit: Hit, act: Act) -> bool:
    """ "The authority fined the company": the firm of the act told before, or the only firm that was named before."""
    skeleton = scene.skeleton
    follows, precedes = _anaphors()
    blank = _without_sums(scene, hit.end, sentence.end)
    before = skeleton[max(sentence.start, hit.start - 120) : hit.start]
    is_again = bool(_AGAIN.search(before) and _REDUCED.match(blank))  # "the original fine of €20,000 was reduced"
    is_done = bool(
        _WAS_IMPOSED.match(blank) or (_FINAL.search(before) and _ON_IT.match(blank))
    )  # "fines of €7,000 and €2,000 were imposed"
    is_bare = bool(_IMPOSED.search(before)) and blank.startswith(("  ", " of  ", " in the amount of  ", " totalling  ", " totaling  "))
    is_short = scene.said is not None and bool(_headlined().search(before))  # "...; company to pay $5 million"
    is_topic = before == "the " and bool(_TOLD_OF.match(blank))
    if not (is_again or is_done or is_bare or is_short or is_topic or follows.match(blank) or precedes.search(before)):
        return False
    if not (is_again or is_done or is_short or is_topic):
        if not scene.has_body:
            return False
        if not (scene.acting(act, sentence.start, hit.start) or _PASSIVE.search(before) or (is_bare and _GETS.search(before))):
            return False
    act.is_recalling = act.is_recalling or is_again
    act.has_actor = True
    said = scene.said
    if said and 0 < act.sentence - said.sentence <= 6 and len({name.key for name in said.targets}) == 1:
        act.targets = [said.targets[0]]
    else:
        named = [name for name in scene.firms(0, sentence.end if is_topic else sentence.start) if role_beside(scene, name) is None]
        if len({name.key for name in named}) != 1:
            return is_again or is_done or is_bare
        act.targets = [named[0]]
    return True


@cache
def _headlined() -> re.Pattern[str]:
    """A firm spoken of without an article, as headlines do, where a part begins."""
    return re.compile(rf"(?:^|[;:,]\s)(?:{'|'.join(words('spoken_of', 'firms'))})\s(?:will\s|must\s|agrees\s|agreed\s|has\s)?$")


_TOLD_OF = re.compile(
    r"\s(?:consists? of|consisted of|is composed of|was composed of|amount(?:s|ed) to|(?:was )?preceded(?: by)?|follow(?:s|ed))\s"
)
"""Behind "The fine" at a sentence's start: what is told of the fine that the text is about."""
_AGAIN = re.compile(r"(?:^|\s)(?:the|an?) (?:original |initial |proposed |first )?$")
_REDUCED = re.compile(r"[^.;]{0,60}\b(?:reduced|cut|lowered)\b")
_IMPOSED = re.compile(r"\b(?:impos\w+|issued|levied|handed down|received|receives) (?:an? |the )?(?:[a-z]+ ){0,2}$")
_FINAL = re.compile(r"\bthe final $")
_ON_IT = re.compile(r"\s(?:imposed|issued|levied)\s(?:on|against|upon)\s(?:it|the)\b")
_GETS = re.compile(r"\b(?:received|receives) (?:an? |the )?(?:[a-z]+ ){0,2}$")
_WAS_IMPOSED = re.compile(
    r"\s(?:of|totalling|totaling)\s{2,}(?:,|and|\s)*(?:was|were|has been|have been)\s(?:also |then |each )?(?:imposed|issued|levied)\b"
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
    if _PASSIVE.search(left[-90:]) and not scene.skeleton.endswith("ing", hit.start, hit.end):  # not "is investigating"
        agent = _AGENT.match(right) if act.rule.endswith("act") else None
        if _BY_FIRM.match(right) or (agent and not scene.is_body(hit.end, hit.end + agent.end())):
            return False  # "sued by Acme", "cancelled by the policyholder"
        if _subject(scene, act, sentence, clause, hit.start):
            act.has_actor = act.has_actor or scene.has_body
            return True
        return False
    for name in scene.firms(hit.end, sentence.end)[:1]:
        gap = _PRICED.sub(" ", _without_sums(scene, hit.end, name.start).strip(FIRM))
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
        return _subject(scene, act, sentence, clause, hit.start)
    through = _through_words().match(scene.skeleton, hit.end, sentence.end)
    run = placed_run(scene, act, through.end() if through else hit.end, sentence)
    if run and (act.kind is Kind.FINE or scene.own or scene.is_body(clause, hit.start)):
        act.targets += run
        _priced(scene, act, hit, sentence)
        return True
    if fold(scene.reading.whole[hit.start : hit.end]).endswith("ed") and (
        _REASON_NEXT.match(right) or _is_priced_next(scene, hit, sentence)
    ):
        return _subject(scene, act, sentence, clause, hit.start)
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


_RECALLING = re.compile(r"\b(?:the|latest|these|this|those)\s+(?:latest\s+)?$")
_OWNER = re.compile(rf"({FIRM}+)(?:(?:'s?)?\s+(?:[\w€$£.,%&/()-]+\s+){{0,4}}|:\s(?:[\w]+\s+){{0,3}})$")
_NO_OWNER = re.compile(r"\b(?:to|of|in|on|by|with|against|and|opened|opens|launches|launched|faces|under)\b")
_GIVEN = re.compile(r"\s(?:offered |given |made |proposed |provided )?(?:by|from|of|with)\s(?:the\s)?")


def _noun(scene: Scene, sentence: Sentence, hit: Hit, act: Act, clause: int, left: str) -> bool:
    skeleton = scene.skeleton
    if act.kind is Kind.APPROVAL and not deciding().search(skeleton, sentence.start, hit.start):
        return False
    if act.kind is Kind.SETTLEMENT and _is_private(scene, sentence, hit):
        return False
    act.is_recalling = bool(_RECALLING.search(left[-24:]))
    near = skeleton[max(sentence.start, hit.start - 120) : hit.start]
    owner = _OWNER.search(near) if FIRM in near else None
    if owner and not _NOUN_STOP.search(owner.group()) and not _NO_OWNER.search(owner.group()):
        is_many = act.kind is Kind.FINE and skeleton.endswith("s", 0, hit.end)  # "Acme's fines" are nobody's act without a sum
        run = scene.firms(sentence.start, hit.start)
        if is_many and not money.sums(scene.reading.folded, sentence.start, sentence.end):
            run = []
        lead = lead_of(run, len(run) - 1, scene)
        if run and take(scene, act, [name for name in run[lead:] if (role_beside(scene, name) or (None, ""))[1] != "complainant"]):
            return True
    gets = _receives().search(left[-90:])
    if gets and _subject(scene, act, sentence, clause, hit.start, verb=hit.start - len(left[-90:]) + gets.start()):
        act.has_actor = act.has_actor or scene.has_body
        return True
    if _given(scene, sentence, hit, act, clause, left) or (sentence.is_title and _labels(scene, sentence, hit, act)):
        return True
    for name in scene.firms(hit.end, sentence.end)[:2]:
        gap = scene.gap(hit.end, name.start)
        is_for = gap in (" for ", " for the ") or _is_sum_for(scene, hit.end, name)
        if len(gap) > 120 or _NOUN_STOP.search(
            ""
            if (act.kind in (Kind.CONSENT_ORDER, Kind.SETTLEMENT) and _GIVEN.fullmatch(gap)) or is_for
            else re.sub(r"\bsuch as\b|request for|\b(?:ca|approx|mio|mrd|mln)\.", "", gap)
        ):
            break
        if act.kind is Kind.LAWSUIT and not re.search(r"\bagainst\b", gap + scene.reading.folded[hit.end - 8 : hit.end]):
            break
        if act.kind is Kind.APPROVAL and "scheme" in gap:
            break
        if act.kind is Kind.CONFISCATION and re.search(r"\bto\s+(?:the\s+)?$", gap):
            break
        is_given = act.kind in (Kind.CONSENT_ORDER, Kind.SETTLEMENT) and _GIVEN.fullmatch(gap)
        if act.kind in (Kind.FINE, Kind.PROPOSED_PENALTY) and is_for:
            return take(scene, act, listed(scene, name, sentence.end))  # "a fine for Thames Water"
        is_priced = name.rule == "legal-form" and not _without_sums(scene, hit.end, name.start).replace(" of ", "").strip()
        if not (is_given or is_priced or _leads().match(gap) or re.search(r"\b(?:including|such as)\b", gap)):
            break
        run = listed(scene, name, sentence.end)
        beside = role_beside(scene, run[0])
        if beside and beside[1] == "holder":
            continue
        if is_given and beside and beside[1] == "other" and gap.startswith(" from"):  # who gives a settlement is no bystander
            act.targets += run
            return True
        if take(scene, act, run):
            return True
        break
    blank = _without_sums(scene, hit.end, sentence.end)
    if act.kind is Kind.APPROVAL:
        is_led = skeleton.endswith(" to support", 0, hit.end)
        lead_in = re.match(r"\s", blank) if is_led else _IN_AID_OF.match(blank)
    elif act.kind in (Kind.CONSENT_ORDER, Kind.SETTLEMENT):
        lead_in = re.match(_GIVEN.pattern, blank) or _WITH.match(blank)
    elif act.kind is Kind.FINE and (one := _fined_for(scene, hit.end, sentence.end)):
        act.targets.append(one)
        return True
    else:
        lead_in = (_LEAD_IN if act.rule.startswith("en") else _lead_in_abroad()).match(blank)
    if lead_in and (act.kind in (Kind.CONSENT_ORDER, Kind.SETTLEMENT) or not _NOUN_STOP.search(lead_in.group())):
        run = placed_run(scene, act, hit.end + lead_in.end(), sentence)
        act.targets += run
        return bool(run)
    return False


_OF_SUM_FOR = re.compile(r"\sof\s+for\s(?:the\s)?")


def _is_sum_for(scene: Scene, start: int, name: Name) -> bool:
    """ "(a fine) of €3 million for Acme A/S": the firm, told by its form, and not what it is fined for."""
    return (
        name.rule == "legal-form"
        and not scene.skeleton.startswith("'", name.tail)
        and _OF_SUM_FOR.fullmatch(_without_sums(scene, start, name.start)) is not None
    )


def _given(scene: Scene, sentence: Sentence, hit: Hit, act: Act, clause: int, left: str) -> bool:
    """ "Slaps X with a fine": the firm stands between a body's verb and the noun."""
    verb = _gives().search(left)
    if verb is None or act.kind is Kind.LAWSUIT or not scene.acting(act, clause, clause + verb.start()):
        return False
    start = clause + verb.end()
    named = scene.firms(start, hit.start)[:1]
    if named and not STOP.search(scene.gap(start, named[0].start)):
        return take(scene, act, listed(scene, named[0], hit.start))
    run = [] if named else placed_run(scene, act, start, sentence)
    act.targets += run
    return bool(run)


def _labels(scene: Scene, sentence: Sentence, hit: Hit, act: Act) -> bool:
    """ "Warning Letter: Acme Foods, Inc.": a title of a body's own that is the noun, a colon and the firm."""
    whole = scene.reading.whole
    if scene.own is None or not whole.startswith(": ", hit.end) or (hit.start > sentence.start and whole[hit.start - 2] not in ":-–"):
        return False
    named = scene.firms(hit.end, sentence.end)
    if named and named[0].start == hit.end + 2:
        return take(scene, act, listed(scene, named[0], sentence.end))
    if named or phrase(whole, hit.end + 2, sentence.end) < sentence.end:
        return False
    run = placed_run(scene, act, hit.end + 2, sentence)
    act.targets += run
    return bool(run)


def _fined_for(scene: Scene, start: int, end: int) -> Name | None:
    """ "$5m fine for Riverton Health": behind "for" stands what was done as often, so the name must be made like a firm's."""
    match = _FOR.match(scene.reading.whole, start, end) or _FOR_ABROAD.match(_without_sums(scene, start, end))
    if match and match.re is _FOR_ABROAD:  # small letters follow it there, unless it is a name
        low = start + match.end()
        stop = phrase(scene.reading.whole, low, end)
        return firm_like(scene, low, stop, is_led=False, is_bare=True) if stop > low else None
    stop = phrase(scene.reading.whole, match.end(), end) if match else start
    return firm_like(scene, match.end(), stop, is_led=False, is_bare=False) if match and stop > match.end() else None


_FOR_ABROAD = re.compile(r"(?:\s(?:di|de|d'|da|van))?\s+(?:pour|per|para|voor)\s(?:la\s|le\s|el\s|il\s)?")
_FOR = re.compile(r"\sfor\s(?:the\s)?")


def _is_private(scene: Scene, sentence: Sentence, hit: Hit) -> bool:
    """Whether a settlement is one between private parties: of a class action, or with another firm, and no body but a court in the text."""
    folded = scene.reading.folded
    if scene.own is not None or any(not folded.startswith(_COURTS, at) for at, is_place in scene.reading.bodies if not is_place):
        return False
    return not scene.bodies(0, len(folded)) and bool(
        _PRIVATE_SUIT.search(folded) or _WITH_FIRM.match(scene.skeleton, hit.end, sentence.end)
    )


_COURTS = ("court", "judge", "tribunal", "jury")
_PRIVATE_SUIT = re.compile(
    r"\bclass[- ]actions?\b|"
    r"\b(?:shareholders?|investors?|consumers?|customers|merchants|retailers|account holders|employees|drivers|users) (?:sued|alleg)"
)
_WITH_FIRM = re.compile(rf"\swith\s(?:(?:the|its|a|an|former|rival)\s)?(?:[a-z-]+\s){{0,3}}{FIRM}")
_WITH = re.compile(r"(?:(?:[^,;:.]|[,.](?=\d)){0,60}?\s)?(?:with|against)\s+")
_IN_AID_OF = re.compile(r"(?:(?!\bscheme)[^;:.]){0,50}?\s(?:to support|to|for|in favour of|granted to)\s+(?:the\s)?")
_FAR = r"(?:(?:[^,;:.]|[,.](?=\d)){0,60}?\s)?"
_LEAD_IN = re.compile(rf"{_FAR}(?:against|on|upon|into|to|with|at)\s+")


@cache
def _lead_in_abroad() -> re.Pattern[str]:
    return re.compile(
        rf"{_FAR}(?:{alternation('grammar', 'onto_abroad')})(?:(?<=')|\s+(?:(?:die|der|das|den|la|le|il|les|de la|de|du)\s+)?(?:d'|l')?)"
    )


def _without_sums(scene: Scene, start: int, end: int) -> str:
    """The folded text with sums of money, and the brackets that convert them, blanked out."""
    text = scene.skeleton[start:end]
    for one in money.sums(scene.reading.folded, start, end):
        low, high = one.start - start, (one.converted[-1].end if one.converted else one.end) - start
        high += text[high : high + 1] == ")"
        text = text[:low] + " " * (high - low) + text[high:]
    return text


def _subject(scene: Scene, act: Act, sentence: Sentence, clause: int, end: int, verb: int | None = None) -> bool:
    """The firms that are spoken of: the first names of the clause, or of the sentence when the clause has none.

    `verb` is where the verb begins that leads from the firm to a noun ("X faces a fine").
    """
    for start in dict.fromkeys((clause, sentence.start)):
        names = scene.firms(start, end)
        for position, name in enumerate(names):
            gap = scene.gap(start, name.start)
            if position == 0 and re.search(r"\b(?:against|by|with|from|between|to|for|over)\b", gap) and not re.search(r",\s*$", gap):
                break
            beside = role_beside(scene, name)
            if beside and beside[0] is Role.MENTIONED:
                continue
            if beside and beside[0] is Role.GROUP:
                act.groups.append(name)
                continue
            return take(scene, act, whole_list(scene, start, listed(scene, name, end), end))
        if act.groups:
            return True
        if names and not all((role_beside(scene, name) or (None,))[0] is Role.MENTIONED for name in names):
            return False
    if "guilty" in scene.skeleton[end : end + 24] and not vocabulary("legal", "corporate").intersection(
        scene.reading.folded[sentence.start : end].split()
    ):
        return False  # it is persons who plead, unless a name is made like a firm's
    lead = leading(scene, act, sentence, end) or (leading(scene, act, sentence, verb) if verb else None)
    if lead:
        act.targets.append(lead)
    return bool(lead)


def _unnamed(scene: Scene, sentence: Sentence, hit: Hit, act: Act, trigger: Trigger, clause: int) -> bool:
    """An act against firms that are counted or described, not named: only when a public body acts or the word leaves no doubt."""
    if (
        scene.caption is not None
        and (trigger.kind in PENAL or trigger.kind is Kind.INVESTIGATION)
        and trigger.frame in ("noun", "object", "subject")
    ):
        return True
    if (
        trigger.kind is Kind.FINE
        and trigger.frame == "object"
        and _described().match(scene.skeleton, hit.end)
        and scene.acting(act, clause, hit.start)
    ):
        return True
    if sentence.start == hit.start and trigger.kind is Kind.FINE and trigger.frame == "noun" and act.sentence == 0:
        act.has_actor = True  # "Fine for late filing."
        return True
    zone = scene.skeleton[max(sentence.start, hit.start - 60) : hit.end + 80]
    told = _unnamed_firms().search(zone)
    if told is None and not (sentence.is_title or act.sentence <= 1):
        return (
            trigger.frame in ("noun", "object")
            and trigger.kind in PENAL
            and bool(money.sums(scene.reading.folded, sentence.start, sentence.end))
        )
    if told is None and not (
        (trigger.kind in PENAL and money.sums(scene.reading.folded, sentence.start, sentence.end))
        or (trigger.kind is Kind.INVESTIGATION and trigger.frame == "act" and BODY in scene.skeleton[clause : hit.start])
    ):
        return False
    counted = facts.counts(scene.reading.folded, sentence.start, sentence.end)
    return (
        scene.acting(act, clause, hit.start)
        or (bool(counted) and trigger.frame in ("subject", "noun", "object"))
        or (told is not None and (trigger.frame == "subject" or _is_fined(scene, sentence, hit, act, clause)))
    )


@cache
def _unnamed_firms() -> re.Pattern[str]:
    """Firms that are spoken of without a name: "three banks", "an online shop", "orange juice makers"."""
    nouns = [word for word in words("legal", "descriptors") if word.isalpha()]
    many = "|".join(word for word in nouns if word.endswith("s"))
    one = "|".join(nouns)
    return re.compile(
        rf"\b(?:{many}|{alternation('legal', 'descriptors_alone')}|"
        rf"(?:an?|the|une?|una|un'|il|la|le|el|ein\w?|een)\s?(?:[a-z-]+ ){{0,2}}(?:{one}))\b"
    )


@cache
def _described() -> re.Pattern[str]:
    """A firm that is only described: "fines an airline", "sanziona società che ..."."""
    nouns = "|".join(re.escape(word) for word in words("legal", "descriptors"))
    return re.compile(rf"\s(?:(?:an?|the|una?|il|la|le|une?|eine?|een)\s)?(?:[a-z-]+\s)?(?:{nouns})(?![a-z])")


def _is_fined(scene: Scene, sentence: Sentence, hit: Hit, act: Act, clause: int) -> bool:
    """A passive with a sum: "The company was fined €5 million" needs no body beside it."""
    is_told = (
        act.kind is Kind.FINE
        and bool(_PASSIVE.search(scene.skeleton, clause, hit.start))
        and bool(money.sums(scene.reading.folded, hit.end, sentence.end))
    )
    act.has_actor = act.has_actor or is_told
    return is_told
