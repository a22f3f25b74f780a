"""Acts in Latin script whose firm is not named beside them: spoken of again ("the company"), counted, or only described.

spoken_of(scene, sentence, hit, act) -> bool
unnamed(scene, sentence, hit, act, trigger, clause) -> bool
"""

from __future__ import annotations

import re
from functools import cache

from bot.extract import facts, money
from bot.extract.names import Hit, Trigger
from bot.extract.roles import BODY, PENAL, Act, Scene, role_beside
from bot.extract.text import Sentence, alternation, words
from storage.models import Kind

PASSIVE = re.compile(
    r"\b(?:was|were|is|are|been|be|being|gets?|got)(?:\s+(?:also|each|jointly|[a-z]+ly|subsequently|then|now|provisionally))*\s*$"
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


def spoken_of(scene: Scene, sentence: Sentence, hit: Hit, act: Act) -> bool:
    """ "The authority fined the company": the firm of the act told before, or the only firm that was named before."""
    skeleton = scene.skeleton
    follows, precedes = _anaphors()
    blank = scene.without_sums(hit.end, sentence.end)
    before = skeleton[max(sentence.start, hit.start - 120) : hit.start]
    is_again = bool(_AGAIN.search(before) and _REDUCED.match(blank))  # "the original fine of €20,000 was reduced"
    is_done = bool(
        _WAS_IMPOSED.match(blank) or (_FINAL.search(before) and _ON_IT.match(blank))
    )  # "fines of €7,000 and €2,000 were imposed"
    is_bare = bool(_IMPOSED.search(before)) and blank.startswith(("  ", " of  ", " in the amount of  ", " totalling  ", " totaling  "))
    is_short = scene.said is not None and bool(headlined().search(before))  # "...; company to pay $5 million"
    is_topic = before == "the " and bool(_TOLD_OF.match(blank))
    if not (is_again or is_done or is_bare or is_short or is_topic or follows.match(blank) or precedes.search(before)):
        return False
    if not (is_again or is_done or is_short or is_topic):
        if not scene.has_body:
            return False
        if not (scene.acting(act, sentence.start, hit.start) or PASSIVE.search(before) or (is_bare and _GETS.search(before))):
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
def headlined() -> re.Pattern[str]:
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


def unnamed(scene: Scene, sentence: Sentence, hit: Hit, act: Act, trigger: Trigger, clause: int) -> bool:
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
        and bool(PASSIVE.search(scene.skeleton, clause, hit.start))
        and bool(money.sums(scene.reading.folded, hit.end, sentence.end))
    )
    act.has_actor = act.has_actor or is_told
    return is_told
