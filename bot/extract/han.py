"""Sentences in Chinese: where the firm that is hit stands to a trigger word.

    read(scene, sentence, hit, trigger, act) -> bool

The parts between commas, spaces and colons are the unit. A passive mark (被, 遭, 收到) looks back for its subject, a
coverb (对, 向) and a verb look on; a part without a firm takes that of the part before. Short names outside the
register are taken from such places only when they are no person, place, body or common word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from bot.extract import facts
from bot.extract.names import Hit, Name, Trigger, firm_key, is_person, vocabulary
from bot.extract.roles import BODY, FIRM, PENAL, Act, Scene, lead_of, listed, role_beside, take
from bot.extract.short_names import Look, begins_predicate, is_object, is_said_of_firms, look, subject_end, subjects, without_lead
from bot.extract.text import HAN, Sentence, pattern, words
from storage.models import Kind, Role

_HAN_BREAK = re.compile(r"[,。;!?|｜【】<>\n]|\s|:")


_CODE_END = re.compile(r"\(\*?[\d.a-z]{4,10}\)$")


_HAN_LETTER = re.compile(f"[{HAN}]")


_HAN_PASSIVE = re.compile("被|遭到|遭|受到|收到|收|领到|领|吃|接到|接|获|面临|将面临|接受|因")


_HAN_OBJECT = re.compile(
    rf"(?:了|过|的|对|向|一下|要求|整治|指|:|\s|\"|“|\d+[家款个](?:[{HAN}]{{0,10}}?(?:包括|如|:|,包括|,涉及))?|包括|[{HAN}]{{0,8}}?(?:,包括|包括|涉及)|旗下|平台|公司|企业|运营商|app|关于){{0,4}}$"
)


_HAN_DESCRIBED = re.compile(
    rf"了?(?:(?![被对向给将因])[{HAN}]){{0,12}}?(?:应用|应用程序|软件|软体|平台|公司|企业|服务|网站|app|巨头|银行|机构|运营商|集团|品牌)\"?"
)


def read(scene: Scene, sentence: Sentence, hit: Hit, trigger: Trigger, act: Act) -> bool:
    skeleton = scene.skeleton
    start = sentence.start
    for match in _HAN_BREAK.finditer(skeleton, sentence.start, hit.start):
        start = match.end()
    stop_match = re.compile(r"[,，。;!?|\n]|\s").search(skeleton, hit.end, sentence.end)
    stop = stop_match.start() if stop_match else sentence.end
    left = skeleton[start : hit.start]
    act.has_actor = bool(scene.acting(act, sentence.start, hit.start))
    act.is_recalling = bool(re.search("(?:此次|这次|本次|此轮|这轮|上述)[^,。]{0,4}$", left))
    if trigger.frame == "merger":
        return _merger(scene, sentence, act)
    if trigger.frame == "body":
        return act.has_actor
    if trigger.kind in PENAL and not scene.firms(start, stop) and _STATISTICS.search(skeleton, start, stop):
        return False
    if trigger.kind is Kind.INVESTIGATION and _CIVIL.search(skeleton, sentence.start, sentence.end):
        return False
    if trigger.frame == "accused":
        return _accused(scene, sentence, act, start, hit)
    is_read = _targets(scene, sentence, hit, trigger, act, start, stop)
    if not is_read:
        counted = facts.counts(scene.reading.folded, sentence.start, sentence.end)
        near = [one for one in counted if one.start - hit.end < 14 and hit.start - one.end < 24]
        is_read = bool(near) and (act.has_actor or bool(re.search("[被遭]", skeleton[start : hit.end]))) and trigger.frame != "subject"
        if not is_read and trigger.frame == "object" and trigger.kind in PENAL and facts.sums(scene.reading.folded, start, stop):
            is_read = act.sentence > 0 or act.has_actor or "每家" in left
        if sentence.is_title and trigger.kind in PENAL and trigger.frame in ("object", "letter"):
            act.is_sum = bool(facts.sums(scene.reading.folded, start, stop))
            is_read = is_read or act.is_sum
        if sentence.is_title and not act.targets and _is_unnamed(skeleton, start, hit, stop, has_actor=act.has_actor):
            is_read = act.is_unnamed = True
        if not is_read and trigger.kind is Kind.TALKS and act.has_actor:
            is_read = bool(re.match("[^,。!?]{0,16}(?:企业|公司|机构|平台|银行|巨头)|[!。]?$", skeleton[hit.end : sentence.end]))
    if (
        not is_read
        and scene.said
        and trigger.frame in ("object", "act", "passive")
        and not scene.firms(start, stop)
        and not re.search("[对向给被]", left)
    ):
        is_read = scene.said.sentence == act.sentence and bool(scene.said.targets) and hit.start - scene.said.end < 60
    if not is_read:
        return False
    is_passive = bool(re.search("[被遭收获吃领]|面临", skeleton[start : hit.end]))
    is_notice = skeleton[start:].startswith("关于") or bool(re.search("关于[^,。]{0,60}$", skeleton[sentence.start : hit.start]))
    if not act.has_actor and (
        trigger.frame == "act" or (trigger.frame == "passive" and not (is_passive or is_notice)) or trigger.kind is Kind.SETTLEMENT
    ):
        return False
    agent = re.search(rf"(?:被|遭)(?:{FIRM}|[^,。被]{{0,8}}(?:{'|'.join(words('bodies', 'private'))}))", skeleton[start : hit.start + 1])
    return not (agent and trigger.frame in ("act", "passive"))


_UNNAMED = re.compile(
    rf"(?:^|[{HAN}\d\"]*)(?:公司|企业|医院|机构|平台|商家|药房|银行|\d+(?:余|多)?辆(?:{'|'.join(('汽车', '车'))}))(?:$|因|涉)"
)
_UNNAMED_OBJECT = re.compile(r"了?(?:[一两三四五六七八九十\\d]+)[张家款个][^,。!?]{0,14}(?:牌照|许可证|网站|企业|公司|平台|机构)")
_STATISTICS = re.compile("业罚[金款单]|(?:今年|年内|上半年|去年|全年|[一二三四]季度)[^,。]{0,10}(?:罚单|罚款|罚金)")
"""Sums of a whole trade or year are no act."""


def _is_unnamed(skeleton: str, start: int, hit: Hit, stop: int, *, has_actor: bool) -> bool:
    """Whether the act hits a firm that the part does not name."""
    if FIRM in skeleton[start:stop]:
        return False
    left = re.split("[被遭]", skeleton[start : hit.end])
    if len(left) > 1 or re.search(r"\d", skeleton[hit.end : stop]):
        return bool(_UNNAMED.match(left[0] if len(left) > 1 else skeleton[start : hit.start]))
    return has_actor and bool(_UNNAMED_OBJECT.match(skeleton, hit.end))


_CIVIL = re.compile("原告|被告(?![人单])|本院|索赔|股民诉|民事")
"""A court takes up a case of private parties."""
_SAID = re.compile("对|以|就|证实|查明|查实|发现|认定|通报称?|针对")
"""Before whom an authority accuses."""


def _accused(scene: Scene, sentence: Sentence, act: Act, start: int, hit: Hit) -> bool:
    """A firm that is said to have done wrong, where an authority speaks or acts in the same sentence."""
    if not scene.is_body(sentence.start, sentence.end, places=False) or re.match("[^,。]{0,6}的", scene.skeleton[hit.end :]):
        return False
    said = _last(_SAID, scene.skeleton[start : hit.start])
    low = start + said.end() if said else start
    if FIRM in scene.skeleton[low : low + 2]:
        return take(scene, act, enumeration(scene, low, hit.start) or listed(scene, scene.firms(low, hit.start)[0], hit.start))
    named = scene.firms(low, hit.start)
    if named and "的" in scene.skeleton[named[0].tail : hit.start]:
        return False  # X的用户涉嫌诈骗
    return _subject(scene, act, sentence, low, hit.start, hit.start, Look.POSSIBLE)


_COVERB = re.compile("关于|对|向|给|将")
_OFFICIAL = frozenset(
    (Kind.TALKS, Kind.INVESTIGATION, Kind.WARNING, Kind.RECTIFICATION, Kind.PROPOSED_PENALTY, Kind.CONFISCATION, Kind.BAN)
)
"""Kinds whose words of the frame `object` are only said of authorities."""


def _last(expression: re.Pattern[str], text: str) -> re.Match[str] | None:
    found = None
    for match in expression.finditer(text):
        found = match
    return found


def _least(scene: Scene, trigger: Trigger, act: Act, start: int, end: int) -> Look:
    """How much a run must look like a firm's name: less, where nobody but an authority acts so."""
    is_official = act.has_actor or trigger.frame == "letter" or (trigger.frame == "object" and trigger.kind in _OFFICIAL)
    return Look.POSSIBLE if is_official or facts.sums(scene.reading.folded, start, end) else Look.CERTAIN


def _targets(scene: Scene, sentence: Sentence, hit: Hit, trigger: Trigger, act: Act, start: int, stop: int) -> bool:
    skeleton = scene.skeleton
    left = skeleton[start : hit.start]
    least = _least(scene, trigger, act, start, stop)
    word = scene.reading.folded[hit.start]
    passive = None if word in "被遭" else _last(_HAN_PASSIVE, left)
    if passive and re.search(r"\d|[减增]持", between := left[passive.end() :]) and len(between.replace(BODY, "")) > 8:
        passive = None
    at = start + passive.start() if passive else hit.start if re.search("[被遭]", skeleton[hit.start : hit.end]) else -1
    if at >= 0 and not (passive and passive.group() == "因" and trigger.frame != "letter"):
        first = re.search("被|遭|收到|因", left)
        end = start + first.start() if first and word not in "被遭" else at
        if _subject(scene, act, sentence, start, end, at, least):
            return True
        if (passive and passive.group() in ("被", "遭", "遭到")) or _is_of_other(scene, start, end):
            return False
    about = _last(_COVERB, left)
    if about and trigger.frame != "subject":
        low = start + about.end()
        several = enumeration(scene, low, hit.start)
        if several:
            return take(scene, act, several)
        names = scene.firms(low, hit.start)
        if names and len(scene.gap(low, names[0].start)) <= 14 and take(scene, act, _hanlisted(scene, act, names[0], hit.start)):
            return True
        if names:
            low = names[-1].tail + skeleton.startswith("的", names[-1].tail)  # 对冒充X的Y处以罚款
        placed = _run(scene, low, hit.start, least=Look.CERTAIN if names else least)
        if placed and about.group() != "将":
            act.targets += placed
            return True
        if about.group() == "对" and _ANYBODY.match(skeleton, low, hit.end):
            return _before(scene, act, sentence, start, least)  # 对公司进行立案调查
    if trigger.frame in ("object", "act", "passive"):
        several = enumeration(scene, hit.end, sentence.end)
        if several:
            return take(scene, act, several)
        names = scene.firms(hit.end, sentence.end)
        if names:
            gap = scene.gap(hit.end, names[0].start)
            if (len(gap) <= 40 and (_HAN_OBJECT.fullmatch(gap) or _HAN_DESCRIBED.fullmatch(gap))) or re.fullmatch(
                rf"[{HAN}a-z0-9]{{0,30}},?(?:包括|其中包括|涉及|如)", gap
            ):
                return take(scene, act, _hanlisted(scene, act, names[0], sentence.end))
        elif (
            trigger.frame != "passive"
            and (not passive or passive.group() == "因")
            and (trigger.kind is Kind.TALKS or act.has_actor or (hit.start == start and trigger.kind in _OFFICIAL))
        ):
            is_thing = trigger.frame == "act" or trigger.kind in (Kind.SUSPENSION, Kind.BAN)  # what is stopped is seldom a firm
            act.targets += (placed := _run(scene, hit.end, stop, least=Look.CERTAIN if is_thing else least))
            if placed:
                return True
    if trigger.frame in ("letter", "subject", "object"):
        names = scene.firms(start, hit.start)
        if not passive and trigger.frame != "subject" and _CASE.match(skeleton, hit.end):
            placed = names[:1] if names and names[0].start == start else _run(scene, start, hit.start, least=least)
            return take(scene, act, placed)
        if not passive and trigger.kind in PENAL and not act.has_actor and facts.sums(scene.reading.folded, hit.end, stop):
            several = enumeration(scene, start, hit.start)  # X等3家合计罚没1亿元
            if several or (names and names[0].start == start):
                return take(scene, act, several or listed(scene, names[0], hit.start))
        if not passive and trigger.frame == "object" and act.has_actor:
            first = names[:1] if names and names[0].start == start else [] if names else _run(scene, start, hit.start, least=least)
            if first and _is_wrongdoer(scene, first[0], hit.start):
                return take(scene, act, listed(scene, first[0], hit.start))
        if names and trigger.frame != "letter" and not re.search("[发出]", left):
            return trigger.frame == "subject" and take(
                scene, act, enumeration(scene, start, hit.start) or listed(scene, names[0], hit.start)
            )
        if not scene.firms(start, hit.start) and trigger.frame != "subject":
            if not passive and not act.has_actor and re.match(f"[{HAN}]{{2}}", skeleton[hit.end :]):
                return False  # it does so itself: X警告用户
            is_bare = hit.start == start and not _WRONG.search(skeleton, sentence.start, start)
            return _before(scene, act, sentence, start, Look.CERTAIN if is_bare else least)
        if trigger.frame == "subject":
            placed = _run(scene, start, hit.start)
            act.targets += placed
            return bool(placed)
    return False


_CASE = re.compile("案|(?:决定书?|结果)?(?:作出|公布|出炉|下达|落定|落地|曝光)")
"""Behind a word: it is the case or decision of the firm that stands before it."""


_ANYBODY = re.compile("(?:该|上述|涉事)?(?:公司|企业|平台|机构|银行)(?=进行|作出|采取|予以|开展|实施|启动|立案|处|罚|下)|其")


_WRONG = re.compile("[违未虚涉侵泄欺被遭]|短线|内幕|造假|不合格|超标|垄断|操纵")
"""A wrong is told of."""


def _is_wrongdoer(scene: Scene, name: Name, end: int) -> bool:
    """Whether a firm's wrong and the authority that acts on it follow its name: X信披违规证监局采取监管措施."""
    return begins_predicate(scene.skeleton[max(name.tail, name.end) : end]) and scene.is_body(name.tail, end, places=False)


def _hanlisted(scene: Scene, act: Act, first: Name, limit: int) -> list[Name]:
    """The list that begins with the name; of "X旗下公司Y" the owner is noted and Y begins it."""
    if role_beside(scene, first) == (Role.GROUP, "owner-of"):
        follow = scene.firms(first.end, limit)[:1]
        if follow and re.fullmatch(f"[{HAN}]{{0,14}}", scene.gap(first.end, follow[0].start)):
            act.groups.append(first)
            return listed(scene, follow[0], limit)
    return listed(scene, first, limit)


def _subject(scene: Scene, act: Act, sentence: Sentence, start: int, end: int, mark: int, least: Look) -> bool:
    coded = [
        name
        for name in scene.firms(start, mark)
        if name.rule == "stock-code" or _CODE_END.search(scene.reading.folded, name.end, name.tail)
    ]
    if not coded and not enumeration(scene, start, end):
        start = max(start, scene.skeleton.rfind("、", start, end) + 1)  # clauses joined like a list
    names = coded or scene.firms(start, end)
    if names:
        is_last = coded and (role_beside(scene, names[0]) or not is_object(scene.reading.folded, names[-1].start))
        chosen = names[-1] if is_last else names[0]
        beside = role_beside(scene, chosen)
        if coded and not beside and _ELSEWHERE.search(scene.skeleton, chosen.tail, mark):
            act.targets += (placed := _run(scene, chosen.tail + 2, end, least=least))
            return bool(placed)  # another headline without a break between
        end = mark if coded else end
        lead = lead_of(names, names.index(chosen), scene)
        take(scene, act, ([] if coded else enumeration(scene, start, end)) or _hanlisted(scene, act, names[lead], end))
        return True  # where its officer or shareholder is hit, nobody else is the subject
    if scene.skeleton.startswith(words("roles", "han_members"), start, end):
        act.groups += scene.firms(sentence.start, start)[-1:]  # X：子公司被罚
        return bool(act.groups)
    if _is_of_other(scene, start, end):
        return False
    placed = enumeration(scene, start, end) or _run(scene, start, end, least=least)
    if not placed and _is_subjectless(scene, start, end):
        return _before(scene, act, sentence, start, least)
    act.targets += placed
    return bool(placed)


def _is_of_other(scene: Scene, start: int, end: int) -> bool:
    """Whether a firm's officer, shareholder or subsidiary is the subject: 控股股东因…, 两高管…"""
    return _holder().match(scene.skeleton, start, end) is not None


@cache
def _holder() -> re.Pattern[str]:
    whose = pattern("roles", "han_holders").pattern + "|" + pattern("roles", "han_members").pattern
    return re.compile(rf"(?:[两三四五多数\d]+名?|其|时任|原|前|该公司|公司)?(?:{whose})")


_ELSEWHERE = re.compile(r"\d{2}|[减增]持|套现|出售|股权|股东")
"""Between a coded name and a passive mark these tell of something else."""
_NO_SUBJECT = re.compile(
    rf"(?:其|(?:该|这家|涉事)?(?:公司|企业|平台|银行|机构)(?:[及和与、因涉将已在也还于再又]|本身|$)|该行|[{HAN}\d]{{0,6}}一并|(?:\d{{1,2}}月)?(?:\d{{1,2}}[日号])?前?$)"
)
_FIRST = re.compile(rf"[{HAN}]*")


def _is_subjectless(scene: Scene, start: int, end: int) -> bool:
    """Whether the words before a passive mark name nobody, so that the subject stands in an earlier part: 公司, 昨日, 因违规, 车间."""
    words_before = scene.skeleton[start:end]
    return (
        len(words_before) <= 1
        or bool(_NO_SUBJECT.match(words_before))
        or begins_predicate(words_before)
        or words_before in vocabulary("han", "leads")
        or words_before.endswith(words("han", "belongings"))
    )


_TOWARDS = re.compile("[对向](?!外|内|此)")
_ANAPHOR = re.compile("该公司|该平台|该企业|该行|该集团|[对将]其")
"""Speaks of the firm that was named last."""


def _before(scene: Scene, act: Act, sentence: Sentence, start: int, least: Look) -> bool:
    """The subject that stands in an earlier part of the sentence: walk back to the first part that has one."""
    skeleton = scene.skeleton
    if _ANAPHOR.search(skeleton, max(sentence.start, start - 2), start + 3):
        told = scene.firms(sentence.start, start)[-1:]
        return bool(told) and take(scene, act, told)
    edges = [sentence.start, *(match.end() for match in _HAN_BREAK.finditer(skeleton, sentence.start, max(sentence.start, start - 1)))]
    for low, high in reversed(list(zip(edges, [*edges[1:], start], strict=True))[-4:]):
        names = scene.firms(low, high)
        if names and skeleton.startswith(("对", "向"), names[0].start - 1):
            return take(scene, act, enumeration(scene, names[0].start, high) or listed(scene, names[0], high))
        if names:
            return _is_accused(scene, sentence, names[-1], start) and take(scene, act, names[lead_of(names, len(names) - 1, scene) :])
        if _is_of_other(scene, low, high) and _WRONG.search(skeleton, low, high):
            return False
        about = _last(_TOWARDS, skeleton[low:high])
        low += about.end() if about else 0  # 对A和B两家机构，均处以罚款
        if begins_predicate(skeleton[low:high]) or not 2 < high - low < 40:
            continue
        several = enumeration(scene, low, high)
        if several:
            return take(scene, act, several)
        placed = _run(scene, low, high, least=least)
        if placed and (placed[0].end < high - 1 or skeleton[high - 1] == ":" or (high == start and skeleton[high - 1] in " ,")):
            act.targets += placed
            return True
    return False


_ACCUSED = re.compile(
    f'[{HAN}"]{{0,6}}?(?:因|涉|信披|信批|违|财务|虚假|未|造假|粉饰|收购|被|遭|超标|操纵|滥用|垄断|二选一|侵害|泄露|了? ?$|[:,、;])|\\s'
)
"""Right after a name: what it is accused of, or the end of its part."""


def _is_accused(scene: Scene, sentence: Sentence, name: Name, start: int) -> bool:
    """Whether a name of an earlier part is what the words at `start` are told of."""
    if role_beside(scene, name):
        return False
    tail = scene.skeleton[name.end : start].lstrip(FIRM)
    if not scene.skeleton[sentence.start : name.start].strip(' "'):
        return True  # it begins the headline
    found = re.search("(?:认定|查明|查获|发现)$", scene.skeleton[max(sentence.start, name.start - 4) : name.start])
    return ":" not in tail[1:-1].rstrip(": ") and bool(_ACCUSED.match(tail) or found)


def _run(scene: Scene, start: int, end: int, *, least: Look = Look.CERTAIN) -> list[Name]:
    """The short name in the place of a firm: one of a user's list, else what looks at least so much like one."""
    skeleton = scene.skeleton
    quoted = _QUOTED_LAST.search(skeleton, start, end)
    if quoted and begins_predicate(skeleton[without_lead(skeleton, quoted.end(), end) : end] or "被"):
        start, end = quoted.start(1), quoted.end(1)
    while start < end and skeleton[start] in " \"“'《":
        start += 1
    known = [
        name
        for name in scene.reading.weak
        if start <= name.start and name.end <= end and name.end == subject_end(skeleton, name.start, end)
    ]
    if known and (len(known[-1].name) > 2 or look(skeleton[known[-1].start : known[-1].end], shortest=2)):
        return [] if _is_of_other(scene, known[-1].end, end + 4) else scene.members([(known[-1].start, known[-1].end)])
    for left, stop in subjects(skeleton, start, end):
        if _is_name(scene, left, stop, least, is_corporate=is_said_of_firms(skeleton, stop, end)):
            if _is_of_other(scene, stop, end + 4):
                break
            surface = scene.reading.whole[left:stop]
            return [scene.add(Name(left, stop, stop, firm_key(surface), name=surface, rule="place"))]
    return []


_QUOTED_LAST = re.compile(r'"([^"]{2,12})"(?=[^"]*$)')


def _is_name(scene: Scene, start: int, stop: int, least: Look, *, is_corporate: bool) -> bool:
    body = scene.skeleton[start:stop]
    if (
        FIRM in body
        or BODY in body
        or look(body, is_corporate=is_corporate, shortest=2 if scene.skeleton.startswith(("涉嫌", "因涉嫌"), stop) else 3) < least
    ):
        return False
    if body.isascii() and not scene.reading.whole[start].isupper():
        return False
    return not any(hit.start < stop and start < hit.end for hit in scene.reading.hits)


_CLOSED = re.compile(
    rf"等?(?:\d+|多|数|[一二三四五六七八九十百两]+)(?:多|余)?(?P<unit>[家款个])[{HAN}a-z]{{0,12}}|等(?:[{HAN}a-z0-9]{{0,10}}?"
    rf"(?P<firms>企业|公司|平台|机构|银行|品牌|厂商|业者|巨头|券商|[房药车]企|app|应用|软件|网站|酒店|餐厅|商家|超市|药店|门店|电商|医院|影院|景区|基金))?"
)
"""What closes a list: 等11家企业, 等企业, 等."""
_LIST_STOP = re.compile(r"等|(?<![、\d])(?=(?:\d+|[两三四五六七八九十]+)家)|[,。;:!?|\n]|(?<![a-z0-9])\s|\s(?![a-z0-9])")
_OPENED = re.compile(
    rf"(?:\d+|多|[一二三四五六七八九十百两]+)(?:多|余)?[家款个][{HAN}a-z]{{0,14}}?(?:,|:)?(?:其中)?(?:包括|分别[为是]|涉及|有|即|为|是|如|:)+$"
)
"""What opens a list of firms: 11家企业包括, 三家平台分别为."""
_LIST_LEAD = re.compile(
    rf"(?:了|过|一下|关于|对|向|:|\"|(?:其中)?包括|涉及|旗下|\d+月\d+日|昨日|今日|近日|日前|此次|本次|这次|当日|昨天|今天|[{HAN}a-z0-9,]{{0,24}}?(?:包括|涉及|分别[为是]|如|称|表示|的有|已有))*"
)
_MARK = re.compile(r'、|(?<=")(?=")')  # “甲”“乙” is a list too
_QUOTED = re.compile(r'"[^"]{2,10}"(?:[、和与及]?"[^"]{2,10}"){1,9}')
_AND = re.compile("以及|[和与及]")
_NO_MEMBER = re.compile(
    "^(?:有关|相关|其他|其它|上述|多家|部分|以上|个别|某)|(?:部门|用户|消费者|人员|行业|产品|业务|问题|行为|专家|代表|负责人|人士|们|者)$"
)


def enumeration(scene: Scene, start: int, end: int) -> list[Name]:
    """The members of a list `A、B、C`, in the register or not; nothing when nothing says that it lists firms.

    That a member is a known firm says so, or the words that open or close the list (11家企业包括, 等3家企业): then any
    short name is a member. Without such a count a person's name is none.
    """
    skeleton = scene.skeleton
    lead = _LIST_LEAD.match(skeleton, start, end)
    if lead and "、" in skeleton[lead.end() : end]:
        start = lead.end()
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
    if any(FIRM in skeleton[a:b] and _CLAUSE.match(skeleton[a:b].replace(FIRM, "")) for a, b in parts):
        return []  # what joins them are clauses: X推新、Y被罚
    places: list[tuple[int, int]] = []
    for left, right in parts:
        left, right = _bare(skeleton, left, right)
        if right == stop:
            right = subject_end(skeleton, left, right)
        if scene.firms(left, right) or _is_member(scene, left, right, is_counted=is_counted, is_of_firms=is_of_firms):
            places.append((left, right))
    if not is_of_firms and not any(skeleton[a:b].isascii() or skeleton[a:b].endswith(_long_endings()) for a, b in parts):
        places = places if len(places) == len(parts) > 2 else []
    return scene.members(places)


_CLAUSE = re.compile(f"[{HAN}]{{4}}")


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
    """The place without its quotation marks."""
    while start < stop and skeleton[start] in "\"'《〈 ":
        start += 1
    while stop > start and skeleton[stop - 1] in "\"'》〉 ":
        stop -= 1
    return start, stop


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
    lead = _COMPLETES.search(skeleton, sentence.start, min(sentence.end, sentence.start + 24))
    if lead:
        named = scene.firms(lead.end(), sentence.end)
        return enumeration(scene, lead.end(), sentence.end) or (
            listed(scene, named[0], sentence.end) if named and named[0].start <= lead.end() + 1 else []
        )
    tail = _COMPLETED.search(skeleton, sentence.start, sentence.end)
    return enumeration(scene, sentence.start, tail.start()) if tail else []


def _merger(scene: Scene, sentence: Sentence, act: Act) -> bool:
    text = scene.skeleton[sentence.start : sentence.end]
    if not re.search("批准|禁止|附条件|审查|决定|叫停", text) or "违法实施" in text or "未依法申报" in text or not act.has_actor:
        return False
    act.targets = [name for name in scene.firms(sentence.start, sentence.end) if role_beside(scene, name) is None]
    return bool(act.targets)
