"""Mergers and aid: the firms that a review, a clearance or an approval is about.

are_parties(scene, sentence, hit, act) -> bool    fills in the parties of a merger that a body decides on
read_han(scene, sentence, hit, act) -> bool       the same in a Chinese sentence
"""

from __future__ import annotations

import re
from functools import cache

from bot.extract.names import Hit, Name, firm_key
from bot.extract.phrases import firm_like, placed_run
from bot.extract.roles import FIRM, Act, Scene, role_beside
from bot.extract.short_names import Look, look
from bot.extract.text import HAN, Sentence, alternation, stems, vocabulary
from storage.text import fold


def deciding() -> re.Pattern[str]:
    """The words of a decision on a merger or an aid."""
    return stems("mergers", "decides")


@cache
def _party() -> re.Pattern[str]:
    return re.compile(rf"\b(?:{alternation('mergers', 'parties')})\s")


_NAMED = re.compile(r"\s(?:the\s)?[A-Z]")
_BUYERS_DEAL = re.compile(
    r"(?<!\w)(?P<buyer>[A-Z][\w&.-]+(?: [A-Z][\w&.-]+){0,3}?)"
    r"(?:['’]s?\s(?:[a-z$€£\d.]+\s){0,3}(?:acquisition|purchase|takeover|bid|merger|deal)\b|\s(?:merger with|takeover of|bid for)\b)"
)
_BUYER = re.compile(rf"(?<={FIRM})(?:\s[a-z ]{{0,20}})?\s(?:by|par|por|durch(?: die| den)?|door|and|/)\s")


_CAPITALS = r"[A-Z](?:[\w&'’+-]|\.(?=\w))*(?: (?:[A-Z&](?:[\w&'’+-]|\.(?=\w))*|and(?= [A-Z]))){0,5}"
_BY_OF = re.compile(
    rf"\b(?:acquisition|purchase|takeover|buyout) by (?P<buyer>{_CAPITALS}) of (?P<sold>{_CAPITALS})"
    r"(?=[.,;)]| (?:for|on|in|after|would|could|may|is|was|has|under|from)\b|$)"
)
_SLASHED = re.compile(
    r"(?<![\w/])(?P<one>[A-Z][\w&.'’-]*(?: [A-Z&][\w&.'’-]*){0,4}) / (?P<other>[A-Z][\w&.'’-]*(?: [A-Z&][\w&.'’-]*){0,4})(?= [a-z]|$)"
)


def are_parties(scene: Scene, sentence: Sentence, hit: Hit, act: Act) -> bool:
    """Whether a body decides on the merger that the sentence tells of; its firms are the parties."""
    text = scene.skeleton[sentence.start : sentence.end]
    if scene.skeleton.endswith("to purchase", 0, hit.end) and not _NAMED.match(scene.reading.whole, hit.end):
        return False  # "approved plans to purchase tools"
    if not deciding().search(text) or not (scene.own or scene.is_body(sentence.start, sentence.end)):
        return False
    names = scene.firms(sentence.start, sentence.end)
    for match in _BUYERS_DEAL.finditer(scene.reading.whole, sentence.start, sentence.end):
        is_led = fold(match["buyer"]).split()[0] not in vocabulary("persons", "given")  # firms buy firms: "Baker Hughes' acquisition"
        if one := firm_like(scene, *match.span("buyer"), is_led=is_led, is_bare=True):
            names.append(one)
    if sentence.is_title and "merger inquir" in text and "/" in text:
        names += _in_title(scene, sentence, hit)
    elif sentence.is_title and " / " in text:
        for match in _SLASHED.finditer(scene.reading.whole, sentence.start, sentence.end):
            parted = (firm_like(scene, *match.span(side), is_led=True, is_bare=True) for side in ("one", "other"))
            names += [one for one in parted if one]
    for match in _BY_OF.finditer(scene.reading.whole, sentence.start, sentence.end):
        if not scene.firms(match.start("buyer"), match.end("sold")):
            parted = (firm_like(scene, *match.span(side), is_led=True, is_bare=True) for side in ("buyer", "sold"))
            names += [one for one in parted if one]
    for expression in (_party(), _BUYER):
        for match in expression.finditer(scene.skeleton, sentence.start, sentence.end):
            names += placed_run(scene, act, match.end(), sentence)
    act.targets = [name for name in names if (role_beside(scene, name) or (None, ""))[1] not in ("holder", "complainant")]
    act.has_actor = True
    return bool(act.targets)


def _in_title(scene: Scene, sentence: Sentence, hit: Hit) -> list[Name]:
    """The parties of a title "X / Y merger inquiry" that are not known otherwise."""
    found: list[Name] = []
    for match in re.finditer(r"[^/]+", scene.reading.whole[sentence.start : hit.start]):
        part = re.sub(r"\s*\([^)]*\)?\s*$|\s+(?:JV|and)\s*$", "", match.group()).strip()
        left = sentence.start + match.start() + len(match.group()) - len(match.group().lstrip())
        right = left + len(part)
        is_name = 1 < len(part) < 60 and " and " not in part and (part != part.lower() or " " not in part)
        if is_name and not scene.firms(left, right) and FIRM not in scene.skeleton[left:right]:
            found.append(scene.add(Name(left, right, right, firm_key(part), name=part, rule="caption")))
    return found


_DECIDES = re.compile("批准|核准|禁止|附条件|有条件|附负担|审查|决定|叫停|通过")
_PARTIES = re.compile(
    rf"(?:批准|核准|禁止|通过|叫停)了?(?P<a>[{FIRM}{HAN}a-z]{{2,14}}?)(?:对(?=[^,。]{{2,14}}(?:收购|并购))|收购|并购|入股|(?:与|和|及)(?=[^,。]{{2,14}}(?:合并|结合|新设|成立)))"
    rf"(?P<b>[{FIRM}{HAN}a-z]{{2,14}}?)(?:的|股权|股份|案|全部|部分|业务|资产|交易|合并|结合|新设|成立|收购|并购|[,。;!?\s\d]|$)"
)
"""The two sides of a merger that is decided on: 批准A收购B股权案, 禁止A与B合并."""
_COMPETITION = re.compile("市场监[管督]|反垄断|商务部|竞争|公平会|公平交易|竞委会|欧盟|司法部|ftc|cma")
"""Authorities that decide on mergers."""


def read_han(scene: Scene, sentence: Sentence, hit: Hit, act: Act) -> bool:
    """Whether a Chinese sentence tells what an authority decides on a merger; its parties are what it hits."""
    text = scene.skeleton[sentence.start : sentence.end]
    if not _DECIDES.search(text) or "违法实施" in text or "未依法申报" in text or not act.has_actor:
        return False
    sides = _PARTIES.search(scene.skeleton, sentence.start, sentence.end)
    if scene.skeleton[hit.start : hit.end] in ("批准", "核准", "禁止") and not (
        sides and _COMPETITION.search(scene.reading.folded, sentence.start, sentence.end)
    ):
        return False  # whatever an authority allows or forbids
    act.targets = [name for name in scene.firms(sentence.start, sentence.end) if role_beside(scene, name) is None]
    for start, end in (sides.span("a"), sides.span("b")) if sides else ():
        if not scene.firms(start, end) and look(scene.skeleton[start:end], is_corporate=True) is not Look.NONE:
            act.targets += scene.members([(start, end)])
    return bool(act.targets)
