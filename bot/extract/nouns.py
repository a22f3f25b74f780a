"""Nouns of acts in Latin script: where the firm stands to "a fine", "an investigation", "a settlement".

    noun(scene, sentence, hit, act, clause, left) -> bool      fills in whom the act hits
    subject(scene, act, sentence, clause, end) -> bool         the firms that are spoken of before a word

Behind a preposition, before "'s" or a verb that receives ("faces"), between a body's verb and the noun ("hands X a fine").
"""

from __future__ import annotations

import re
from functools import cache

from bot.extract import money
from bot.extract.lists import whole_list
from bot.extract.mergers import deciding
from bot.extract.names import Hit, Name
from bot.extract.phrases import STOP, firm_like, leading, phrase, placed_run
from bot.extract.roles import BODY, FIRM, Act, Scene, lead_of, listed, role_beside, take
from bot.extract.text import Sentence, alternation, vocabulary
from storage.models import Kind, Role

_NOUN_STOP = re.compile(
    r"\b(?:that|which|who|whom|because|after|said|says|when|while|for|from|since|if|pour|wegen|before|during|than|but|not)\b|[;?!]|\.\s"
)


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


_RECALLING = re.compile(r"\b(?:the|latest|these|this|those)\s+(?:latest\s+)?$")

_OWNER = re.compile(rf"({FIRM}+)(?:(?:'s?)?\s+(?:[\w€$£.,%&/()-]+\s+){{0,4}}|:\s(?:[\w]+\s+){{0,3}})$")

_NO_OWNER = re.compile(r"\b(?:to|of|in|on|by|with|against|and|opened|opens|launches|launched|faces|under)\b")

_GIVEN = re.compile(r"\s(?:offered |given |made |proposed |provided )?(?:by|from|of|with)\s(?:the\s)?")


def noun(scene: Scene, sentence: Sentence, hit: Hit, act: Act, clause: int, left: str) -> bool:
    """Fill in whom the noun's act hits: by an owner, a verb that gives or receives, a preposition; False when no firm is in reach.

    `clause` is where the word's clause begins, `left` its skeleton up to the word.
    """
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
    if gets and subject(scene, act, sentence, clause, hit.start, verb=hit.start - len(left[-90:]) + gets.start()):
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
        is_priced = name.rule == "legal-form" and not scene.without_sums(hit.end, name.start).replace(" of ", "").strip()
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
    blank = scene.without_sums(hit.end, sentence.end)
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
        and _OF_SUM_FOR.fullmatch(scene.without_sums(start, name.start)) is not None
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
    match = _FOR.match(scene.reading.whole, start, end) or _FOR_ABROAD.match(scene.without_sums(start, end))
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


def subject(scene: Scene, act: Act, sentence: Sentence, clause: int, end: int, verb: int | None = None) -> bool:
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
