"""Sentences in Latin script: where the firm that is hit stands to a trigger word.

    read(scene, sentence, hit, trigger, act) -> bool

fills in the act's targets and actors, or says that the word tells no act. Verbs look for their object or, in the
passive, for their subject; nouns for a preposition or an owner. A firm outside the register is taken when its
spelling, a noun beside it or the rest of the text says that it is one.
"""

from __future__ import annotations

import re
from functools import cache

from bot.extract import facts
from bot.extract.names import Hit, Name, Trigger, firm_key, stems, vocabulary
from bot.extract.phrases import STOP, leading, placed
from bot.extract.roles import BODY, FIRM, PENAL, Act, Scene, lead_of, listed, role_beside, take
from bot.extract.text import Sentence, pattern, words
from storage.models import Kind, Role
from storage.text import fold

_NOUN_STOP = re.compile(
    r"\b(?:that|which|who|whom|because|after|said|says|when|while|for|from|since|if|pour|wegen|before|during|than|but)\b|[;?!]|\.\s"
)


_THROUGH = re.compile(
    r"\b(?:offering|ipo|listing|licen[cs]es?|trading|app|apps|shares|registration|authori[sz]ation|access|use|sales?|imports?|"
    r"operations|services|methods|practices|conduct|merger|distribution)\s+(?:of|by|in|to|from|used by)\b"
)


_LEADS = re.compile(
    r"\s+$|(?:^|.*\b)(?:against|on|into|to|of|over|with|by|involving|at|whether|gegen|contre|contro|contra|a l'encontre de|"
    r"against the|upon|addressed to|aux|au|alla|allo|al|ad|agli|ai|aan|tegen|naar|gegenuber|nei confronti di|a)\s+(?:(?:the|a|an|die|der|das|den|la|le|il|los|de|du|its|"
    r"us)\s+)*(?:[\w.'’&-]+,?\s+){0,5}$|^\s+(?:a|di)\s$",
    re.DOTALL,
)


_PASSIVE = re.compile(
    r"\b(?:was|were|is|are|been|be|being|gets?|got)(?:\s+(?:also|each|jointly|[a-z]+ly|subsequently|then|now|provisionally))*\s*$"
)


_RECEIVES = re.compile(
    r"\b(?:hit with|hit by|faces?|facing|faced|handed|received?|receives|receiving|gets?|got|given|pays?|paid|pay|under|issued with|"
    r"served with|subject to|agreed to|agrees to|consented to|consents to|accepted|accepts|entered into|enters into|slapped with|appeals?|appealed|fights?|loses?|lost|challenges?|over)\s+(?:(?:a|an|the|its|record|"
    r"further|new|another|formal|[a-z€$£\d.,-]+)\s+){0,5}$"
)


_CLAUSE = re.compile(
    r";|:\s|\bbut\b|\bwhile\b|\bwhereas\b|,\s(?:which|who|so)\b|\band then\b|,\s(?:after|and)\s|\bafter\b|\bthat\b|\bsaid\b"
)


_NO_RECALL = re.compile(
    r"\s(?:its|his|her|their|the|a|how|that|when|being)\s(?:policy|policies|ambassador|statement|decision|comments?|words|staff|workers|employees|time|day)\b"
)


_STORIES = re.compile(r"\s[-–—|•]\s")


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
    if skeleton.startswith("to fine", hit.start):
        return bool(re.search(r"\b(?:decision|decided|decides|moves?|moved)\b", skeleton[max(sentence.start, hit.start - 90) : hit.start]))
    before = pattern("conduct", "earlier").search(skeleton, max(sentence.start, hit.start - 50), hit.start)
    if before and (act.kind in PENAL or act.kind is Kind.BAN) and re.fullmatch(r"\s(?:[a-z]+\s){0,4}", skeleton[before.end() : hit.start]):
        folded = scene.reading.folded  # what went before counts when it is told in full
        return bool(facts.sums(folded, sentence.start, sentence.end) or facts.dates(folded, sentence.start, sentence.end, None))
    return not (act.kind is Kind.RECALL and _NO_RECALL.match(skeleton, hit.end))


_OVER = re.compile(r"\b(?:resolv\w+|conclud\w+|follow\w+|after|settl\w+|result(?:s|ed)? of|arising from|came after)\b[^.;]{0,80}$")


def read(scene: Scene, sentence: Sentence, hit: Hit, trigger: Trigger, act: Act) -> bool:
    skeleton = scene.skeleton
    if not _is_told(scene, sentence, hit, act, trigger):
        return False
    if sentence.is_title:
        sentence = _story(scene, sentence, hit)
    clause = sentence.start
    for match in _CLAUSE.finditer(skeleton, sentence.start, hit.start):
        clause = match.end()
    left, right = skeleton[clause : hit.start], skeleton[hit.end : sentence.end]
    if act.kind is Kind.INVESTIGATION:
        word = skeleton[hit.start : hit.end]
        act.is_over = bool(_OVER.search(left)) or word == "investigated" or word.endswith(" case")
    if trigger.frame == "merger":
        return _merger(scene, sentence, hit, act)
    if trigger.frame == "finding":
        return _finding(scene, sentence, hit, act, clause)
    if trigger.frame == "body":
        act.kind = Kind.RULE
        return scene.acting(act, clause, hit.start)
    if trigger.frame in ("object", "act"):
        is_read = _verb(scene, sentence, hit, act, clause, left, right)
        if not is_read and act.kind is Kind.INVESTIGATION and (not _PASSIVE.search(left) or word.endswith("ing")):
            is_read = _noun(scene, sentence, hit, act, clause, "", right)
    elif trigger.frame in ("noun", "matter"):
        is_read = _noun(scene, sentence, hit, act, clause, left, right)
    else:
        is_read = _subject(scene, act, sentence, clause, hit.start)
        act.has_actor = True
    if (
        not is_read
        and not act.targets
        and not act.groups
        and scene.said
        and scene.said.sentence == act.sentence
        and trigger.kind in PENAL
        and trigger.frame != "subject"
    ):
        is_read = bool(
            re.search(
                r"\b(?:settlement of|imposing|imposed|with a|and a|reflecting|also)\b", skeleton[max(clause, hit.start - 40) : hit.end + 4]
            )
        )
    if not is_read and not act.targets and not act.groups and trigger.language != "en":
        is_read = _beside(scene, sentence, hit, act)
    if not is_read and not act.targets and not act.groups and trigger.kind in PENAL:
        is_read = _spoken_of(scene, sentence, hit, act)
    if not is_read and not act.targets and not act.groups:
        is_read = _unnamed(scene, sentence, hit, act, trigger, clause)
    if not is_read:
        return False
    if trigger.frame == "matter" and act.kind is not Kind.LAWSUIT and FIRM not in left and scene.acting(act, sentence.start, sentence.end):
        return True
    if trigger.frame in ("act", "matter") and not act.has_actor and not scene.acting(act, clause, hit.start):
        agent = re.search(r"\bby\s+(?:the\s+)?([^,;.]{2,60})", right)
        return bool(agent and scene.is_body(hit.end + agent.start(1), hit.end + agent.end(1)))
    if trigger.frame == "matter" and act.kind is Kind.LAWSUIT:  # a complaint is everybody's
        return scene.is_body(clause, hit.start, places=False) or (scene.own is not None and FIRM not in left)
    scene.acting(act, clause, hit.start)
    return True


@cache
def _anaphors() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """ "(a fine) on the company" and "the company was (fined)": after the word, before it."""
    firm = rf"(?:the|this|that|said) (?:[a-z]+ )?(?:{'|'.join(words('spoken_of', 'firms'))})\b(?!'s? (?:ceo|chief|director|owner))"
    return (
        re.compile(rf"(?:\s[^;:.]{{0,60}}?\s(?:on|against|to|upon))?\s(?:{firm}|it\b(?=\s(?:€|\$|£|[a-z]{{3}}\s?\d|\d|for|over)))"),
        re.compile(
            rf"\b(?:{firm}|it)\s(?:was|has been|is|had been|were)\s(?:[a-z]+\s)?$|\b{firm}\s(?:agreed|agrees|will|must|has|received)\s?(?:[a-z]+\s)?$"
        ),
    )


def _spoken_of(scene: Scene, sentence: Sentence, hit: Hit, act: Act) -> bool:
    """ "The authority fined the company": the firm of the act told before, or the only firm that was named before."""
    skeleton = scene.skeleton
    follows, precedes = _anaphors()
    blank = _without_sums(scene, hit.end, sentence.end)
    before = skeleton[sentence.start : hit.start]
    is_again = bool(_AGAIN.search(before) and _REDUCED.match(blank))  # "the original fine of €20,000 was reduced"
    is_bare = bool(_IMPOSED.search(before)) and blank.startswith(("  ", " of  ", " in the amount of  ", " totalling  ", " totaling  "))
    if not (is_again or is_bare or follows.match(blank) or precedes.search(before)):
        return False
    if not is_again and not (scene.has_body and (scene.acting(act, sentence.start, hit.start) or _PASSIVE.search(before))):
        return False
    act.is_recalling = act.is_recalling or is_again
    act.has_actor = True
    said = scene.said
    if said and 0 < act.sentence - said.sentence <= 6 and len({name.key for name in said.targets}) == 1:
        act.targets = [said.targets[0]]
    else:
        named = [name for name in scene.firms(0, sentence.start) if role_beside(scene, name) is None]
        if len({name.key for name in named}) != 1:
            return is_again or is_bare
        act.targets = [named[0]]
    return True


_AGAIN = re.compile(r"(?:^|\s)the (?:original |initial |proposed |first )?$")
_REDUCED = re.compile(r"[^.;]{0,60}\b(?:reduced|cut|lowered)\b")
_IMPOSED = re.compile(r"\b(?:impos\w+|issued|levied|handed down|received|receives) (?:an? |the )?(?:[a-z]+ ){0,2}$")


def _finding(scene: Scene, sentence: Sentence, hit: Hit, act: Act, clause: int) -> bool:
    """ "The authority found that X infringed": a body's finding, preliminary or not, of a breach by the firm that follows."""
    breach = stems("conduct", "breach").search(scene.skeleton, hit.end, sentence.end)
    if breach is None or breach.start() - hit.end > 170 or not scene.acting(act, clause, hit.start):
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


_OBLIQUE = re.compile(
    r"(?<![\w'])(?:gegen|gegenuber|contre|a l'encontre (?:de|du)|al|alla|allo|ai|ad|a|agli|nei confronti di|a carico di|contro|contra|frente a|aan|tegen|naar|"
    r"a la|au|aux|der|dem|die|sanziona|blocca|multa a|la societe|la societa|la sociedad|la empresa|het bedrijf)\s+"
)


def _beside(scene: Scene, sentence: Sentence, hit: Hit, act: Act) -> bool:
    """In languages of a freer order: the only firms of the clause, or a name after a preposition, where a public body acts."""
    if not scene.acting(act, sentence.start, hit.start) and not scene.is_body(sentence.start, sentence.end):
        return False
    act.has_actor = True
    names = [name for name in scene.firms(sentence.start, sentence.end) if abs(name.start - hit.start) < 170]
    if names:
        run = listed(scene, names[0], sentence.end)
        return len(run) == len(names) and take(scene, act, run)
    for match in _OBLIQUE.finditer(scene.skeleton, sentence.start, sentence.end):
        if one := placed(scene, act, match.end(), sentence):
            act.targets.append(one)
            return True
    return False


_BY_BODIES = frozenset((Kind.RECTIFICATION, Kind.BAN, Kind.SUSPENSION))  # "X ordered to stop": nobody else orders


def _verb(scene: Scene, sentence: Sentence, hit: Hit, act: Act, clause: int, left: str, right: str) -> bool:
    if _PASSIVE.search(left) and not scene.skeleton.endswith("ing", hit.start, hit.end):  # not "is investigating"
        if _subject(scene, act, sentence, clause, hit.start):
            act.has_actor = act.has_actor or (scene.has_body and not re.match(r"\s+by\s+" + FIRM, right))
            return not re.match(r"\s+by\s+(?:the\s+)?" + FIRM, right)
        return False
    for name in scene.firms(hit.end, sentence.end)[:1]:
        gap = _PRICED.sub(" ", _without_sums(scene, hit.end, name.start).strip(FIRM))
        if _is_open(gap):
            if FIRM in left and not scene.is_body(clause, hit.start) and act.rule.endswith("act"):
                return False
            if take(scene, act, _whole(scene, hit.end, _object(scene, act, name, sentence.end), sentence.end)):
                _priced(scene, act, hit, sentence)
                return True
    gathered = _GATHERS.search(scene.skeleton, hit.end, sentence.end)
    is_gathering = gathered and not STOP.search(scene.skeleton, hit.end, gathered.start())
    if gathered and is_gathering and take(scene, act, members(scene, gathered.end(), sentence.end, is_of_firms=True)):
        return True
    if (
        re.search(FIRM + r"(?:'s)?\s*$", left)
        and re.match(
            r"\s*(?:$|[,.;]|(?:for|over|after|by|in|on|more|a|up|around|about|nearly|almost|to)\b|[€$£¥\d]|eur|usd|gbp|chf)", right
        )
        and fold(scene.reading.whole[hit.start : hit.end]).endswith("ed")
    ):
        act.has_actor = act.has_actor or (act.kind in _BY_BODIES and scene.has_body)
        return _subject(scene, act, sentence, clause, hit.start)
    one = placed(scene, act, hit.end, sentence)
    if one and (act.kind is Kind.FINE or scene.own or scene.is_body(clause, hit.start)):
        act.targets.append(one)
        _priced(scene, act, hit, sentence)
        return True
    if fold(scene.reading.whole[hit.start : hit.end]).endswith("ed") and re.match(
        r"\s*(?:[€$£¥\d]|eur|usd|gbp|for\b|over\b|by\b|after\b)", right
    ):
        return _subject(scene, act, sentence, clause, hit.start)
    return False


def _priced(scene: Scene, act: Act, hit: Hit, sentence: Sentence) -> None:
    """ "Ordered X to pay €3 million" is a fine, unless it is paid to those who were harmed."""
    if act.kind is Kind.RECTIFICATION and (paid := re.search(r"\bto pay\b", scene.skeleton[hit.end : sentence.end])):
        start = hit.end + paid.end()
        sums = facts.sums(scene.reading.folded, start, min(sentence.end, start + 60))
        if sums and not re.search(r"compensat|refund|redress|damages|restitution|back\b", scene.skeleton[start : sums[0].end + 24]):
            act.kind = Kind.FINE


_PRICED = re.compile(r"\b(?:per|mit|con|for|d'une amende de|zu|um|por|com|con una multa de|with a fine of)\s{2,}|\s{3,}")


def _whole(scene: Scene, low: int, run: list[Name], limit: int) -> list[Name]:
    """The list with the members that are not in the register; `low` is where it may begin."""
    if not run:
        return run
    gathered = _GATHERS.search(scene.skeleton, low, run[0].start)
    start = gathered.end() if gathered else low + len(scene.skeleton[low : run[0].start]) - len(scene.skeleton[low : run[0].start].lstrip())
    full = members(scene, start, limit, is_of_firms=bool(gathered))
    return full if {name.start for name in run} <= {name.start for name in full} else run


def _object(scene: Scene, act: Act, first: Name, limit: int) -> list[Name]:
    """The list that the name begins. Of "TikTok owner ByteDance" or "Alibaba affiliate Ant Group" the second begins it."""
    while (beside := role_beside(scene, first)) and beside[1] in ("holder", "owner-of"):
        follow = scene.firms(first.end, limit)[:1]
        if not follow or STOP.search(scene.gap(first.end, follow[0].start)):
            return [] if beside[1] == "holder" else listed(scene, first, limit)
        if beside[0] is Role.GROUP:
            act.groups.append(first)
        first = follow[0]
    return listed(scene, first, limit)


_MEMBER = re.compile(
    r"(?:(?:the|its|also|both|and)\s)?(?:[a-z][\w'’-]*\s){0,5}?(?P<name>[A-Z0-9][\w.&'’!+-]*(?:\s(?:[A-Z0-9&][\w.&'’!+-]*|of|de))*)"
)
_NEXT = re.compile(
    r"\s*(?:\([^()]{0,60}\)\s*)?(?:(?:,|;)\s+(?P<last>(?:and|or|as well as|along with)\s+)?|"
    r"(?P<joined>\s(?:and|or|&|as well as|along with)\s+))"
)
_AFTER = re.compile(
    r"\s*(?:\([^()]*\)\s*)?(?:$|[,.;:)\n–-]|(?:for|over|after|to|on|in|with|from|by|at|about|of|under|because|was|were|are|had|have|must|agreed|this|last|yesterday)\b)"
)
_GATHERS = re.compile(
    r"\b(?:companies|firms|banks|platforms|apps|operators|businesses|lenders|insurers|retailers|airlines|brokers|providers|groups|"
    r"manufacturers|carmakers|institutions|entities),?\s(?:including|such as|namely|among them)\s|"
    r"\b(?:companies|firms|banks|platforms|apps|operators|lenders|insurers|retailers|brokers|institutions|entities):\s"
)


def members(scene: Scene, start: int, end: int, *, is_of_firms: bool = False) -> list[Name]:
    """The list that begins at the offset: known firms, and capitalised names between or after them that are no person or place.

    Nothing when no known firm is in it, unless the words before it say that it lists firms. What follows the member
    after "and" is another clause.
    """
    whole, skeleton = scene.reading.whole, scene.skeleton
    run: list[tuple[int, int, Name | None]] = []
    at, is_last = start, False
    while True:
        known = next(iter(scene.firms(at, end)), None)
        lead = skeleton[at : known.start] if known else ""
        if known and _DESCRIBED.fullmatch(skeleton, at, known.start) and not STOP.search(lead) and lead == whole[at : known.start]:
            run.append((known.start, known.tail, known))
            at = known.tail
            beside = role_beside(scene, known)
            follow = next(iter(scene.firms(at, end)), None) if beside and beside[1] in ("holder", "owner-of") else None
            if follow and _DESCRIBED.fullmatch(skeleton, at, follow.start):  # "TikTok owner ByteDance"
                run.append((follow.start, follow.tail, follow))
                at = follow.tail
        else:
            match = _MEMBER.match(whole, at, known.start if known else end)
            if match is None or STOP.search(skeleton, at, match.start("name")) or _OF.search(skeleton, at, match.start("name")):
                break
            left, right = match.span("name")
            while whole[right - 1] in ".'’":
                right -= 1
            if _MEMBER_END.match(whole, right, end) is None or BODY in skeleton[left:right]:
                break
            run.append((left, right, None))
            at = right
        joint = _NEXT.match(whole, at, end)
        if is_last or joint is None:
            break
        is_last = bool(joint["last"] or joint["joined"])
        at = joint.end()
    while run and run[-1][2] is None and not ((is_last or (is_of_firms and len(run) == 1)) and _AFTER.match(whole, run[-1][1], end)):
        run.pop()
    if not is_of_firms and (len(run) < 2 or not any(name for _, _, name in run)):
        return []
    return scene.members((left, right) for left, right, name in run if name or _is_member(scene, left, right))


_OF = re.compile(r"\b(?:of|in|dba|d/b/a|based|near|formerly|known)\s")
_DESCRIBED = re.compile(r"(?:'s)?\s*(?:[a-z][\w'-]*\s){0,5}")
_MEMBER_END = re.compile(r"['’]?(?=$|[\s,;.()])")


def _is_member(scene: Scene, start: int, end: int) -> bool:
    """Whether a capitalised run in a list of firms may be one: no person, place, month or body."""
    whole = scene.reading.whole
    tokens = fold(whole[start:end]).replace("’", "'").split()
    persons = vocabulary("persons", "surnames")
    is_first = any(sentence.start == start for sentence in scene.reading.sentences)  # its capital says nothing
    return not (
        end - start < 2
        or tokens[0].isdigit()
        or len(tokens) > 6
        or STOP.fullmatch(tokens[0])
        or tokens[0] in ("in", "also", "both", "last", "earlier", "among")
        or (len(tokens) == 1 and is_first and whole[start + 1 : end] == tokens[0][1:])
        or vocabulary("legal", "not_firms").intersection(tokens)
        or (len(tokens) in (2, 3) and (tokens[0] in vocabulary("persons", "given") or {tokens[0], tokens[-1]} & persons))
        or {tokens[0], " ".join(tokens)}
        & (vocabulary("bodies", "words") | vocabulary("bodies", "places") | vocabulary("persons", "places"))
        or any(start <= hit.start < end for hit in scene.reading.hits)
    )


_COMPLETES = re.compile(
    r"(?:they|these|those(?: \w+)?|among them|(?:the|those) (?:[a-z0-9]+ ){0,3}?(?:companies|firms|banks|platforms|apps|operators|lenders|"
    r"businesses|groups|institutions|brokers|insurers)(?: (?:summoned|fined|involved|concerned|named|called in|affected))?)\s"
    r"(?:include|includes|included|are|were|also include|also included)\s|"
    r"among (?:them|those (?:summoned|fined|named|called in|hit))(?: are| were| is| was|,)?\s"
)
_COMPLETED = re.compile(
    r"\s(?:are|were|is|was)\s(?:also\s)?(?:among|some of)\s(?:them|those|the\s(?:[a-z0-9]+\s){0,3}?(?:companies|firms|banks|platforms|apps|"
    r"operators|lenders|businesses|groups|institutions|ones))\b|\s(?:made|are on|were on|is on)\sthe\slist\b"
)


def completes(scene: Scene, sentence: Sentence) -> list[Name]:
    """The firms of a sentence that only goes on with the list of the act told before it: "X and Y are among them"."""
    skeleton = scene.skeleton
    tail = _COMPLETED.search(skeleton, sentence.start, sentence.end)
    if tail:
        named = scene.firms(sentence.start, tail.start())
        return members(scene, sentence.start, tail.start() + 1) or named
    lead = _COMPLETES.match(skeleton, sentence.start, sentence.end)
    if lead is None:
        return []
    named = scene.firms(lead.end(), sentence.end)[:1]
    return members(scene, lead.end(), sentence.end, is_of_firms=True) or (
        listed(scene, named[0], sentence.end) if named and not STOP.search(scene.gap(lead.end(), named[0].start)) else []
    )


def _is_open(gap: str) -> bool:
    """Nothing between a verb and a name keeps the name from being its object."""
    size = len(gap)
    gap = re.sub(r"\bwhether (?:or not )?(?:to [a-z]+ )?", "", gap)
    through = _THROUGH.search(gap)
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


_GIVEN = re.compile(r"\s(?:offered |given |made |proposed |provided )?(?:by|from|of|with)\s(?:the\s)?")


def _noun(scene: Scene, sentence: Sentence, hit: Hit, act: Act, clause: int, left: str, right: str) -> bool:
    skeleton = scene.skeleton
    if act.kind is Kind.APPROVAL and not _DECIDES.search(skeleton, sentence.start, hit.start):
        return False
    act.is_recalling = bool(re.search(r"\b(?:the|latest|these|this|those)\s+(?:latest\s+)?$", left))
    owner = re.search(
        rf"({FIRM}+)(?:(?:'s?)?\s+(?:[\w€$£.,%&/()-]+\s+){{0,4}}|:\s(?:[\w]+\s+){{0,3}})$",
        skeleton[max(sentence.start, hit.start - 120) : hit.start],
    )
    if (
        owner
        and not _NOUN_STOP.search(owner.group())
        and not re.search(r"\b(?:to|of|in|on|by|with|against|and|opened|opens|launches|launched|faces|under)\b", owner.group())
    ):
        run = scene.firms(sentence.start, hit.start)
        lead = lead_of(run, len(run) - 1, scene)
        if run and take(scene, act, [name for name in run[lead:] if (role_beside(scene, name) or (None, ""))[1] != "complainant"]):
            return True
    if _RECEIVES.search(left) and _subject(scene, act, sentence, clause, hit.start):
        act.has_actor = act.has_actor or scene.has_body
        return True
    for name in scene.firms(hit.end, sentence.end)[:2]:
        gap = scene.gap(hit.end, name.start)
        if len(gap) > 120 or _NOUN_STOP.search(
            ""
            if act.kind is Kind.CONSENT_ORDER and _GIVEN.fullmatch(gap)
            else re.sub(r"\bsuch as\b|request for|\b(?:ca|mio|mrd|mln)\.", "", gap)
        ):
            break
        if act.kind is Kind.LAWSUIT and not re.search(r"\bagainst\b", gap + scene.reading.folded[hit.end - 8 : hit.end]):
            break
        if act.kind is Kind.CONFISCATION and re.search(r"\bto\s+(?:the\s+)?$", gap):
            break
        is_given = act.kind in (Kind.CONSENT_ORDER, Kind.SETTLEMENT) and _GIVEN.fullmatch(gap)
        if not (is_given or _LEADS.match(gap) or re.search(r"\b(?:including|such as)\b", gap)):
            break
        run = listed(scene, name, sentence.end)
        beside = role_beside(scene, run[0])
        if beside and beside[1] == "holder":
            continue
        if take(scene, act, run):
            return True
        break
    blank = _without_sums(scene, hit.end, sentence.end)
    if act.kind is Kind.APPROVAL:
        lead_in = _IN_AID_OF.match(blank)
    elif act.kind in (Kind.CONSENT_ORDER, Kind.SETTLEMENT):
        lead_in = re.match(_GIVEN.pattern, blank) or _WITH.match(blank)
    else:
        lead_in = (_LEAD_IN if act.rule.startswith("en") else _LEAD_IN_ABROAD).match(blank)
    if lead_in and (act.kind in (Kind.CONSENT_ORDER, Kind.SETTLEMENT) or not _NOUN_STOP.search(lead_in.group())):
        one = placed(scene, act, hit.end + lead_in.end(), sentence)
        if one:
            act.targets.append(one)
            return True
    return False


_WITH = re.compile(r"(?:(?:[^,;:.]|[,.](?=\d)){0,60}?\s)?(?:with|against)\s+")
_IN_AID_OF = re.compile(r"(?:(?!\bscheme)[^;:.]){0,50}?\s(?:to support|to|for|in favour of|granted to)\s+(?:the\s)?")
_LEAD_IN = re.compile(r"(?:(?:[^,;:.]|[,.](?=\d)){0,60}?\s)?(?:against|on|upon|into|to|with)\s+")
_LEAD_IN_ABROAD = re.compile(
    r"(?:(?:[^,;:.]|[,.](?=\d)){0,60}?\s)?(?:gegen|contre|a l'encontre (?:de|du)|a|ad|alla|allo|al|ai|agli|contro|contra|aan|tegen|voor|a la|au|aux|"
    r"uber|di|della|dello)\s+(?:die |der |das |den |la |le |il |les )?"
)


def _without_sums(scene: Scene, start: int, end: int) -> str:
    """The folded text with sums of money, and the brackets that convert them, blanked out."""
    text = scene.skeleton[start:end]
    for one in facts.sums(scene.reading.folded, start, end):
        low, high = one.start - start, (one.converted[-1].end if one.converted else one.end) - start
        high += text[high : high + 1] == ")"
        text = text[:low] + " " * (high - low) + text[high:]
    return text


def _subject(scene: Scene, act: Act, sentence: Sentence, clause: int, end: int) -> bool:
    """The firms that are spoken of: the first names of the clause, or of the sentence when the clause has none."""
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
            return take(scene, act, _whole(scene, start, listed(scene, name, end), end))
        if act.groups:
            return True
        if names and not all((role_beside(scene, name) or (None,))[0] is Role.MENTIONED for name in names):
            return False
    lead = leading(scene, act, sentence, end)
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
            and bool(facts.sums(scene.reading.folded, sentence.start, sentence.end))
        )
    if told is None and not (
        (trigger.kind in PENAL and facts.sums(scene.reading.folded, sentence.start, sentence.end))
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
        rf"\b(?:{many}|(?:an?|the|une?|una|un'|il|la|le|el|ein\w?|een)\s?(?:[a-z-]+ ){{0,2}}(?:{one})|{'|'.join(words('legal', 'descriptors_alone'))})\b"
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
        and bool(facts.sums(scene.reading.folded, hit.end, sentence.end))
    )
    act.has_actor = act.has_actor or is_told
    return is_told


_DECIDES = re.compile(
    r"\b(?:approv\w+|clear\w*|block\w*|prohibit\w*|investigat\w+|open\w*|review\w*|seek\w* views|invit\w+ comments|refer\w*|"
    r"consider\w*|launch\w*|authori[sz]\w+|autoris\w+|autoriz\w+|autorizz\w+|freigegeben|freigabe|gibt\b|genehmigt|untersagt|approuv\w*|interdit|goedgekeurd|keurt|merger inquir\w+|unconditional\w*|in-depth|finds?|found|accept\w*)\b"
)


_PARTY = re.compile(
    r"\b(?:clears|approves|blocks|prohibits|acquisition of|acquisition by|acquisition of (?:sole|joint) control (?:of|over)|merger (?:of|with|between)|"
    r"takeover (?:of|by)|joint venture (?:of|by|between)|purchase (?:of|by)|bid for|buyout of|to buy|to acquire|into|control of|rachat de|rachat par|"
    r"acquisition de|compra de|compra por|acquisizione di|da parte di|overname van|ubernahme der|ubernahme von|erwerb der|erwerb von)\s"
)
_BUYER = re.compile(rf"(?<={FIRM})(?:\s[a-z ]{{0,20}})?\s(?:by|par|por|durch(?: die| den)?|door|and|/)\s")


def _merger(scene: Scene, sentence: Sentence, hit: Hit, act: Act) -> bool:
    text = scene.skeleton[sentence.start : sentence.end]
    if not _DECIDES.search(text) or not (scene.own or scene.is_body(sentence.start, sentence.end)):
        return False
    names = scene.firms(sentence.start, sentence.end)
    if sentence.is_title and "merger inquir" in text:  # "X / Y merger inquiry"
        lead = scene.reading.whole[sentence.start : hit.start]
        for match in re.finditer(r"[^/]+", lead):
            part = re.sub(r"\s*\([^)]*\)?\s*$|\s+(?:JV|and)\s*$", "", match.group()).strip()
            left = sentence.start + match.start() + len(match.group()) - len(match.group().lstrip())
            if (
                1 < len(part) < 60
                and (part != part.lower() or " " not in part)
                and " and " not in part
                and not scene.firms(left, left + len(part))
                and scene.skeleton[left : left + len(part)].count(FIRM) == 0
            ):
                names.append(scene.add(Name(left, left + len(part), left + len(part), firm_key(part), name=part, rule="caption")))
    for expression in (_PARTY, _BUYER):
        for match in expression.finditer(scene.skeleton, sentence.start, sentence.end):
            if one := placed(scene, act, match.end(), sentence):
                names.append(one)
    act.targets = [name for name in names if (role_beside(scene, name) or (None, ""))[1] not in ("holder", "complainant")]
    act.has_actor = True
    return bool(act.targets)
