"""Lists of firms in Latin script: members that are known, and names with capitals between or after them.

whole_list(scene, low, run, limit)  a list of known firms with its members that are not in the register
object_list(scene, act, first, limit) the list that a verb's object begins
members(scene, start, end)          the list that begins at an offset
completes(scene, sentence)          the firms of a sentence that only goes on with the list told before it
"""

from __future__ import annotations

import re

from bot.extract.names import Name
from bot.extract.phrases import STOP, is_person
from bot.extract.roles import BODY, Act, Scene, listed, role_beside
from bot.extract.text import Sentence, vocabulary
from storage.models import Role
from storage.text import fold


def whole_list(scene: Scene, low: int, run: list[Name], limit: int) -> list[Name]:
    """The list with the members that are not in the register; `low` is where it may begin."""
    if not run:
        return run
    gathered = GATHERS.search(scene.skeleton, low, run[0].start)
    start = gathered.end() if gathered else low + len(scene.skeleton[low : run[0].start]) - len(scene.skeleton[low : run[0].start].lstrip())
    full = members(scene, start, limit, is_of_firms=bool(gathered))
    return full if {name.start for name in run} <= {name.start for name in full} else run


def object_list(scene: Scene, act: Act, first: Name, limit: int) -> list[Name]:
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
GATHERS = re.compile(
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
            at = right + (whole[right : right + 1] == "." and whole[right + 1 : right + 2] in (",", ";", " "))  # "Ltd., "
        joint = _NEXT.match(whole, at, end)
        if is_last or joint is None:
            break
        is_last = bool(joint["last"] or joint["joined"])
        at = joint.end()
    while run and run[-1][2] is None and not ((is_last or (is_of_firms and len(run) == 1)) and _AFTER.match(whole, run[-1][1], end)):
        run.pop()
    if len(run) == 2 and run[0][2] and run[1][2] is None and _is_plain(whole[run[1][0] : run[1][1]]):
        run.pop()  # "Acme LLC and Issa Roe": as often its owner
    if not is_of_firms and (len(run) < 2 or not any(name for _, _, name in run)):
        return []
    return scene.members((left, right) for left, right, name in run if name or _is_member(scene, left, right))


def _is_plain(surface: str) -> bool:
    """Two or three words as a person's name has them too, none of a firm."""
    tokens = surface.split()
    return (
        1 < len(tokens) < 4
        and all(token.isalpha() and token == token.capitalize() for token in tokens)
        and not vocabulary("legal", "corporate").intersection(fold(surface).split())
    )


_OF = re.compile(r"\b(?:of|in|dba|d/b/a|based|near|formerly|known)\s")
_DESCRIBED = re.compile(r"(?:'s)?\s*(?:[a-z][\w'-]*\s){0,5}")
_MEMBER_END = re.compile(r"['’]?(?=$|[\s,;.()])")


def _is_member(scene: Scene, start: int, end: int) -> bool:
    """Whether a capitalised run in a list of firms may be one: no person, place, month or body."""
    whole = scene.reading.whole
    tokens = fold(whole[start:end]).replace("’", "'").split()
    is_first = any(sentence.start == start for sentence in scene.reading.sentences)  # its capital says nothing
    return not (
        end - start < 2
        or tokens[0].isdigit()
        or len(tokens) > 6
        or STOP.fullmatch(tokens[0])
        or " ".join(tokens) in vocabulary("legal", "defined_things")
        or tokens[0] in ("in", "also", "both", "last", "earlier", "among")
        or (len(tokens) == 1 and is_first and whole[start + 1 : end] == tokens[0][1:])
        or vocabulary("legal", "not_firms").intersection(tokens)
        or is_person(tokens)
        or {tokens[0], " ".join(tokens)}
        & (vocabulary("bodies", "words") | vocabulary("bodies", "places") | vocabulary("persons", "places"))
        or any(start <= hit.start < end for hit in scene.reading.hits)
    )


_COMPLETES = re.compile(
    r"(?:they|these|those(?: \w+)?|among them|(?:the|those) (?:[a-z0-9]+ ){0,3}?(?:companies|firms|banks|platforms|apps|operators|lenders|"
    r"businesses|groups|institutions|brokers|insurers|two|three|four|five|six|seven|eight|nine|ten)"
    r"(?: (?:summoned|fined|involved|concerned|named|called in|affected))?)\s"
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
