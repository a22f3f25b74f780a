"""Lists of firms in Chinese: A、B、C等11家企业, “甲”“乙”, 11家企业包括A、B.

enumeration(scene, start, end) -> the members, in the register or not
completes(scene, sentence) -> the members that a sentence adds to the act told before it
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from bot.extract.names import Name, is_person
from bot.extract.roles import FIRM, Scene, listed
from bot.extract.short_names import Look, begins_predicate, look, subject_end
from bot.extract.text import HAN, HAN_STOP, Sentence, last, pattern, vocabulary, words

_CLOSED = re.compile(
    rf"等?(?:\d+|多|数|[一二三四五六七八九十百两]+)(?:多|余)?(?P<unit>[家款个间])[{HAN}a-z]{{0,12}}|等(?:[{HAN}a-z0-9]{{0,10}}?"
    rf"(?P<firms>企业|公司|平台|机构|银行|品牌|厂商|业者|巨头|券商|[房药车]企|app|应用|软件|网站|酒店|餐厅|商家|超市|药店|门店|电商|医院|影院|景区|基金))?"
)
"""What closes a list: 等11家企业, 等企业, 等."""
_LIST_STOP = re.compile(r"等|(?<![、\d])(?=(?:\d+|[两三四五六七八九十]+)[家间款])|[,。;:!?|\n]|(?<![a-z0-9])\s|\s(?![a-z0-9])")
_OPENED = re.compile(
    rf"(?:\d+|多|[一二三四五六七八九十百两]+)(?:多|余)?[家款个间][{HAN}a-z]{{0,14}}?(?:,|:|\s)?(?:其中)?(?:包括|分别[为是]|涉及|有|即|为|是|如|:)+$"
)
"""What opens a list of firms: 11家企业包括, 三家平台分别为."""
_LIST_LEAD = re.compile(
    rf"(?:了|过|一下|关于|对|向|:|\"|(?:其中)?包括|涉及|旗下|\d+月\d+日|昨日|今日|近日|日前|此次|本次|这次|当日|昨天|今天|[{HAN}a-z0-9,]{{0,24}}?(?:包括|涉及|分别[为是]|如|称|表示|的有|[已仍尚]有))*"
)
_MARK = re.compile(r'、|(?<=")(?=")')  # “甲”“乙” is a list too
_QUOTED = re.compile(r'"[^"]{2,10}"(?:[、和与及]?"[^"]{2,10}"){1,9}')
_AND = re.compile("以及|[和与及]")
_NO_MEMBER = re.compile(
    "^(?:被告人|有关|相关|其他|其它|上述|多家|部分|以上|个别|某)|(?:部门|用户|消费者|人员|行业|产品|业务|问题|行为|专家|代表|负责人|人士|们|者)$"
)


def enumeration(scene: Scene, start: int, end: int, *, is_hit: bool = False) -> list[Name]:
    """The members of a list `A、B、C`, in the register or not; nothing when nothing says that it lists firms.

    That a member is a known firm says so, or the words that open or close the list (11家企业包括, 等3家企业): then any
    short name is a member. Without such a count a person's name is none. `is_hit`: an authority acts against the list,
    so that two members which may be firms are enough.
    """
    skeleton = scene.skeleton
    lead = _LIST_LEAD.match(skeleton, start, end)
    if lead and "、" in skeleton[lead.end() : end]:
        start = lead.end()
    elif (quote := skeleton.find('"', start, end)) > start and _LIST_LEAD.fullmatch(skeleton, start, quote):
        start = quote
    start += skeleton.startswith(":", start)
    tail = _LIST_STOP.search(skeleton, start, end)
    stop = tail.start() if tail else end
    closed = _CLOSED.match(skeleton, stop)
    is_counted = bool(closed and closed["unit"]) or bool(_OPENED.search(skeleton, max(0, start - 40), start))
    is_quoted = bool(_QUOTED.fullmatch(skeleton, start, stop))
    if "、" not in skeleton[start:stop] and not is_counted and not is_quoted:
        return []
    parts = list(_parts(skeleton, start, stop))
    if closed and skeleton[stop] != "等" and len(parts) < 2:
        return []  # 合肥两家机构
    is_of_firms = is_counted or is_quoted or bool(closed and closed["firms"]) or any(scene.firms(*part) for part in parts)
    if any(_is_clause(skeleton[a:b], is_last=b == stop) for a, b in parts):
        return []  # what joins them are clauses: X推新、Y被罚
    places: list[tuple[int, int]] = []
    for left, right in parts:
        left, right = _bare(skeleton, left, right)
        if right == stop:
            right = subject_end(skeleton, left, right)
        if scene.firms(left, right) or _is_member(scene, left, right, is_counted=is_counted, is_of_firms=is_of_firms):
            places.append((left, right))
    if not is_of_firms and not any(skeleton[a:b].isascii() or skeleton[a:b].endswith(_long_endings()) for a, b in parts):
        places = places if len(places) == len(parts) > (1 if is_hit else 2) else []
    return scene.members(places)


_CLAUSE = re.compile(f"[{HAN}]{{4}}")
_THING = re.compile(f"[{HAN}a-z]{{0,6}}(?:小程序|app|平台|软件|应用|门店|产品|业务|网站|频道|直播间)")
"""Behind a firm's name at the end of a list: what of the firms is hit."""


def _is_clause(part: str, *, is_last: bool) -> bool:
    """Whether a member tells something of a known firm: X推出新品, X与Y上市."""
    rest = part.replace(FIRM, "")
    if is_last and _THING.fullmatch(rest):
        return False
    return FIRM in part and (bool(_CLAUSE.match(rest)) or (not is_last and begins_predicate(part[part.rindex(FIRM) + 1 :])))


@cache
def _long_endings() -> tuple[str, ...]:
    return tuple(word for word in words("legal", "han_endings") if len(word) > 1)


def _parts(skeleton: str, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """The places between the marks of a list. 和 joins the last two members, or a known name to the next."""
    at = start
    for piece in _MARK.split(skeleton[start:stop]):
        end = at + len(piece)
        joined = _AND.search(skeleton, at + 2, end - 1) if end == stop or FIRM in piece else None
        cut = joined.start() if joined and end - joined.end() >= 2 else end
        yield at, cut
        if joined and cut < end:
            yield joined.end(), end
        at = end + skeleton.startswith("、", end)


def _bare(skeleton: str, start: int, stop: int) -> tuple[int, int]:
    """The place without its quotation marks, and without what says that the list is spoken of or what a member is."""
    start += 2 * skeleton.startswith("关于", start, stop)
    while start < stop and skeleton[start] in "\"'《〈 ":
        start += 1
    while stop > start and skeleton[stop - 1] in "\"'》〉 各均皆共":
        stop -= 1
    called = _apposed().match(skeleton, start, stop)
    if called and look(skeleton[start:stop]) is Look.NONE and look(skeleton[called.end() : stop]) is not Look.NONE:
        start = called.end()
    return start, stop


@cache
def _apposed() -> re.Pattern[str]:
    """What a member is called before its name: 挂牌公司X, 主办券商Y."""
    return re.compile(rf"[{HAN}]{{0,4}}?(?:{pattern('han', 'appositions').pattern})(?=[{HAN}a-z]{{2}})")


def _is_member(scene: Scene, start: int, stop: int, *, is_counted: bool, is_of_firms: bool) -> bool:
    """Whether the words in a place of a list may be a firm's name. The less the list says, the more is refused."""
    body = scene.skeleton[start:stop]
    return not (
        not 2 <= len(body) <= 12
        or not re.fullmatch(rf"[{HAN}a-z0-9·&.+ -]+", body)
        or not re.search(rf"[{HAN}]|^[a-z]", body)
        or _NO_MEMBER.search(body)
        or body in vocabulary("han", "common")
        or body in vocabulary("legal", "han_endings")
        or body.endswith((*words("bodies", "words"), *words("bodies", "places")))
        or (not is_counted and (is_person(body) or re.search("[省市县区镇村乡局委院部会厅署办]$", body)))
        or (not is_of_firms and look(body, is_corporate=True) is Look.NONE)
        or any(hit.start < stop and start < hit.end for hit in scene.reading.hits)
    )


_COMPLETES = re.compile(
    r"(?:其中|名单|[这该此上]述?(?:\d+|[一二三四五六七八九十]+)?[家些款]?(?:企业|公司|平台|机构|应用|银行)|被约谈(?:的)?(?:企业|公司|平台)|(?<![^,。;!?\s]))"
    "(?:还)?(?:包括|涉及|分别[为是]|有|为|是)"
)
_COMPLETED = re.compile(r"(?:等(?:\d+[家款])?(?:企业|公司|平台)?)?(?:均|都|也|皆)?(?:在列|在内|位列其中|榜上有名|名列其中)")


def completes(scene: Scene, sentence: Sentence) -> list[Name]:
    """The firms of a sentence that only goes on with the list of the act told before it: 其中包括A、B、C."""
    skeleton = scene.skeleton
    lead = _COMPLETES.search(skeleton, sentence.start, min(sentence.end, sentence.start + 48))
    if lead:
        named = scene.firms(lead.end(), sentence.end)
        return enumeration(scene, lead.end(), sentence.end) or (
            listed(scene, named[0], sentence.end) if named and named[0].start <= lead.end() + 1 else []
        )
    tail = _COMPLETED.search(skeleton, sentence.start, sentence.end)
    return enumeration(scene, sentence.start, tail.start()) if tail else []


def named_last(scene: Scene, start: int, end: int) -> list[Name]:
    """The list that a later part of the sentence closes: 通报46款应用，A、B在列."""
    tail = _COMPLETED.search(scene.skeleton, start, end)
    part = last(HAN_STOP, scene.skeleton[start : tail.start()]) if tail else None
    return enumeration(scene, start + part.end(), tail.start(), is_hit=True) if tail and part else []
