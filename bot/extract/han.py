"""Sentences in Chinese: where the firm that is hit stands to a trigger word.

    read(scene, sentence, hit, trigger, act) -> bool

The parts between commas, spaces and colons are the unit. Four places are looked at in turn: before a passive mark
(被, 遭, 收到), behind a coverb (对, 向), behind the word, before it; a part without a firm takes that of the part before.
Short names outside the register are taken from such places only (`placed_names`).
"""

from __future__ import annotations

import re
from functools import cache

from bot.extract import facts, mergers
from bot.extract.clauses import Clause
from bot.extract.enumerations import enumeration, named_last
from bot.extract.names import Hit, Name, Trigger
from bot.extract.placed_names import OWNED, brands, is_of_other, named_in
from bot.extract.roles import BODY, FIRM, PENAL, Act, Scene, lead_of, listed, role_beside
from bot.extract.short_names import Look, begins_predicate, is_object, subject_end, without_lead
from bot.extract.text import HAN, HAN_STOP, Sentence, last, pattern, vocabulary, words
from storage.models import Kind, Role

_BREAK = re.compile(r"[,。;!?|｜【】<>\n]|\s|:")
_CODE_END = re.compile(r"\(\*?[\d.a-z]{4,10}\)$")
_PASSIVE = re.compile("被|遭到|遭|受到|收到|收|领到|领|吃|接到|接|获|面临|将面临|接受|受|回复|回覆|因")
_COVERB = re.compile(
    rf"关于|对于?|向|就(?![是会能要此业职医诊餐读学地近可算像被有连在])|给予|给|将|判处|处(?![以罚理于在分])(?=[{HAN}]{{2,12}}\d)"
)
_OFFICIAL = frozenset(
    (Kind.TALKS, Kind.INVESTIGATION, Kind.WARNING, Kind.RECTIFICATION, Kind.PROPOSED_PENALTY, Kind.CONFISCATION, Kind.BAN)
)
"""Kinds whose words of the frame `object` are only said of authorities."""
_OF_THINGS = (Kind.SUSPENSION, Kind.BAN)
"""What is stopped is seldom a firm."""
_RECALLING = re.compile("(?:此次|这次|本次|此轮|这轮|上述)[^,。]{0,4}$")
_PAST = re.compile("(?:曾|此前|前次|上次|早前|先前)[^,。;]{0,24}$")
"""Before a word: what it tells lies further back than the rest of the sentence."""
_OVER = re.compile("(?:、|并|和|及)?审理|终结")
"""Behind an investigation: what came of it the notice tells next."""
_TO_USERS = re.compile(
    rf"[对向给](?!该|其|上述|公司|涉事|相关)[{HAN}]{{0,10}}?(?:商家|卖家|商户|店铺|网店|用户|主播|博主|达人|账号|创作者|骑手|司机|员工)"
)
"""A platform does it to those who use it: 对违规商家处以罚款."""
_STATISTICS = re.compile(
    r"(?:行业|银行业|证券业|保险业|金融业|支付业|产业)罚[金款单]|(?:动态|盘点|汇总|[周月]报|[本上一]周|[本上]月)[^。;!?]{0,16}(?:罚没|罚款|处罚|罚单)|(?:今年|年内|上半年|去年|全年|[一二三四]季度)[^,。]{0,10}(?:罚单|罚款|罚金|罚没|处罚[^,。被遭]{0,6}\d+家次)"
)
"""Sums of a whole trade or year are no act."""
_CIVIL = re.compile("原告|被告(?![人单])|本院|索赔|股民诉|民事")
"""A court takes up a case of private parties."""


def read(scene: Scene, sentence: Sentence, hit: Hit, trigger: Trigger, act: Act) -> bool:
    """Whether the sentence tells the act; fills in whom it hits and whether an authority acts."""
    skeleton = scene.skeleton
    start = sentence.start
    for match in _BREAK.finditer(skeleton, sentence.start, hit.start):
        start = match.end()
    end = HAN_STOP.search(skeleton, hit.end, sentence.end)
    clause = Clause(scene, sentence, hit, trigger, act, start, end.start() if end else sentence.end)
    act.has_actor = bool(scene.acting(act, sentence.start, hit.start))
    act.is_recalling = bool(_RECALLING.search(clause.left))
    act.is_past = bool(_PAST.search(clause.left))
    act.is_over = trigger.kind is Kind.INVESTIGATION and bool(_OVER.match(skeleton, hit.end))
    if trigger.frame == "merger":
        return mergers.read_han(scene, sentence, hit, act)
    if trigger.frame == "body":
        return act.has_actor
    if trigger.kind in PENAL and not scene.firms(start, clause.stop) and _STATISTICS.search(skeleton, sentence.start, clause.stop):
        return False
    if not act.has_actor and _TO_USERS.search(clause.left):
        return False
    if trigger.kind is Kind.INVESTIGATION and _CIVIL.search(skeleton, sentence.start, sentence.end):
        return False
    if trigger.frame == "act" and not act.has_actor:
        act.has_actor = _is_of_acting(clause)
    if not (_accused(clause) if trigger.frame == "accused" else _is_done_to(clause) and _is_done_by_authority(clause)):
        return False
    for name in tuple(act.targets):
        act.targets += brands(scene, name)
    return True


def _is_done_to(clause: Clause) -> bool:
    """Whether the act is told, of a firm or without one; fills in whom it hits."""
    return _targets(clause) or _behind_part(clause) or _party(clause) or _without_target(clause) or _said_before(clause)


_OF_ACTING = re.compile(r"[^,。;!?\s]{2,16}?的")


def _is_of_acting(clause: Clause) -> bool:
    """Whether the act only describes the authority that stands behind it: 进驻X的调查组."""
    owned = _OF_ACTING.match(clause.scene.skeleton, clause.hit.end, clause.stop)
    return owned is not None and clause.scene.is_body(owned.end(), min(owned.end() + 6, clause.stop), places=False)


def _targets(clause: Clause) -> bool:
    is_official = clause.act.has_actor or clause.trigger.frame == "letter"
    is_official = is_official or (clause.trigger.frame == "object" and clause.trigger.kind in _OFFICIAL)
    is_corporate = pattern("han", "corporate").search(clause.scene.skeleton, clause.hit.end, clause.stop) is not None
    clause.least = Look.POSSIBLE if is_official or is_corporate or clause.has_sum(clause.start, clause.stop) else Look.CERTAIN
    clause.passive = _passive(clause)
    for place in (_before_passive, _behind_coverb, _behind_word, _before_word, _behind_colon):
        found = place(clause)
        if found is not None:
            return found
    return False


def _passive(clause: Clause) -> re.Match[str] | None:
    if clause.scene.skeleton[clause.hit.start] in "被遭":
        return None
    found = last(_PASSIVE, clause.left)
    between = clause.left[found.end() :] if found else ""
    is_others = len(between.replace(BODY, "")) > 8 and re.search(r"\d|[减增]持", between)  # 遭股东减持3%证监会立案
    return None if is_others else found


def _before_passive(clause: Clause) -> bool | None:
    """X被, X遭, X收到: the subject of the mark before the word, or of the word that holds one (被罚)."""
    start, hit, passive = clause.start, clause.hit, clause.passive
    if passive:
        mark = start + passive.start()
    elif re.search("[被遭]", clause.scene.skeleton[hit.start : hit.end]):
        mark = hit.start
    else:
        return None
    is_fined = clause.trigger.kind in PENAL and not clause.act.has_actor and clause.has_sum(hit.end, clause.stop)
    if passive and passive.group() == "因" and not (clause.trigger.frame == "letter" or is_fined):  # X因违规罚款50万元
        return None
    if mark == start and clause.scene.skeleton.startswith("的", hit.end):
        return clause.hits(clause.scene.firms(hit.end + 1, hit.end + 2))  # 被点名的X
    first = re.search("被|遭|收到|因", clause.left) if clause.scene.skeleton[hit.start] not in "被遭" else None
    end = start + first.start() if first else mark
    if _subject(clause, start, end, mark):
        return True
    is_closed = (passive and passive.group() in ("被", "遭", "遭到")) or is_of_other(clause.scene, start, end)
    return False if is_closed else None


_COURT = re.compile("[^,。;]{0,8}(?:法院|中院|高院|法庭|审裁处)")
_ANYBODY = re.compile("(?:该|上述|涉事)?(?:公司|企业|平台|机构|银行)(?=进行|作出|采取|予以|开展|实施|启动|立案|处|罚|下)|其")
"""Behind 对: the firm of the part before."""


def _behind_coverb(clause: Clause) -> bool | None:
    """对X, 向X, 给X before the word."""
    scene, start, hit = clause.scene, clause.start, clause.hit
    coverb = last(_COVERB, clause.left)
    if coverb and coverb.group() == "给予" and coverb.end() == len(clause.left):
        coverb = last(_COVERB, clause.left[: coverb.start()])  # 对X给予警告
    if coverb and coverb.group() == "向" and _COURT.match(clause.left, coverb.end()):
        coverb = last(_COVERB, clause.left[: coverb.start()])  # 就X向法院提起诉讼
    if coverb and coverb.group() == "处" and not scene.firms(start + coverb.end(), hit.start):
        coverb = last(_COVERB, clause.left[: coverb.start()]) or coverb  # 对X处人民币50万元罚款
    if coverb is None or clause.trigger.frame == "subject":
        return None
    low = start + coverb.end()
    several = enumeration(scene, low, hit.start, is_hit=clause.act.has_actor)
    if several:
        return clause.hits(several)
    names = scene.firms(low, hit.start)
    if names and len(scene.gap(low, names[0].start)) <= 14 and clause.hits(_listed(clause, names[0], hit.start)):
        return True
    if names:
        low = names[-1].tail + scene.skeleton.startswith("的", names[-1].tail)  # 对冒充X的Y处以罚款
    if coverb.group() != "将" and clause.places(low, hit.start, Look.CERTAIN if names or coverb.group() == "就" else clause.least):
        return True
    if coverb.group() == "对" and _ANYBODY.match(scene.skeleton, low, hit.end):
        return _before(clause)
    return None


_OBJECT = re.compile(
    rf"(?:了|过|的|对|向|一下|要求|整治|指|:|\s|\"|“|\d+[家款个](?:[{HAN}]{{0,10}}?(?:包括|如|:|,包括|,涉及))?|包括|[{HAN}]{{0,8}}?(?:,包括|包括|涉及)|旗下|平台|公司|企业|运营商|app|关于){{0,4}}$"
)
_DESCRIBED = re.compile(
    rf"了?(?:(?![被对向给将因])[{HAN}]){{0,12}}?(?:应用|应用程序|软件|软体|平台|公司|企业|服务|网站|app|巨头|银行|机构|运营商|集团|品牌)\"?"
)
_FURTHER = re.compile(r"[^,。;:!?\s]{0,24}[\s,](?:其中|名单)?(?:涉及?|包括|含|:)")
"""Between a word and the list of whom it hits, in the next part of a headline: 通报45款App 涉及A、B."""
_DEFENDANT = re.compile(f",被告(?:单位)?(?:为|是|系)[{HAN}]{{0,10}}$")
_AMONG = re.compile(rf"[{HAN}a-z0-9]{{0,30}},?(?:包括|其中包括|涉及|如)")


def _behind_word(clause: Clause) -> bool | None:
    """约谈X, 责令X, 处罚平台X."""
    scene, hit, end, trigger = clause.scene, clause.hit, clause.sentence.end, clause.trigger
    if trigger.frame not in ("object", "act", "passive"):
        return None
    several = enumeration(scene, hit.end, end, is_hit=clause.act.has_actor)
    if not several and clause.act.has_actor:
        further = _FURTHER.match(scene.skeleton, hit.end, end)
        several = enumeration(scene, further.end(), end, is_hit=True) if further else named_last(scene, hit.end, end)
    if several:
        return clause.hits(several)
    names = scene.firms(hit.end, end)
    if names:
        gap = scene.gap(hit.end, names[0].start)
        is_object = (len(gap) <= 40 and (_OBJECT.fullmatch(gap) or _DESCRIBED.fullmatch(gap))) or _AMONG.fullmatch(gap)
        is_object = is_object or (_DEFENDANT.search(gap) if trigger.kind is Kind.LAWSUIT else None)
        return clause.hits(_listed(clause, names[0], end)) if is_object else None
    is_led = trigger.kind is Kind.TALKS or clause.act.has_actor or (hit.start == clause.start and trigger.kind in _OFFICIAL)
    is_of_firm = clause.is_of_firms and subject_end(scene.skeleton, hit.end, clause.stop) < clause.stop  # 通报X侵害用户权益
    if (trigger.frame == "passive" and not is_of_firm) or not clause.is_active or not is_led:
        return None
    is_thing = trigger.kind in _OF_THINGS or (trigger.frame == "act" and trigger.kind is not Kind.LAWSUIT)
    return clause.places(hit.end, clause.stop, Look.CERTAIN if is_thing else clause.least) or None


_TO_OTHERS = re.compile("[对向给]")
"""Before a word: the subject does it to somebody."""
_CASE = re.compile("案|(?:决定书?|结果)?(?:作出|公布|出炉|下达|落定|落地|曝光)")
"""Behind a word: it is the case or decision of the firm that stands before it."""
_WRONG = re.compile("[违未虚涉侵泄欺被遭]|短线|内幕|造假|不合格|超标|垄断|操纵")
"""A wrong is told of."""


def _before_word(clause: Clause) -> bool | None:
    """X处罚决定书公布, X合计罚没1亿元, X违规证监局采取措施, X召回; else the firm of the part before."""
    scene, start, hit, frame = clause.scene, clause.start, clause.hit, clause.trigger.frame
    if frame not in ("letter", "subject", "object"):
        return None
    names = scene.firms(start, hit.start)
    lead = names[:1] if names and names[0].start == start else []
    if frame == "subject":
        if names and not re.search("[发出]", clause.left):
            return clause.hits(enumeration(scene, start, hit.start) or listed(scene, names[0], hit.start))
        return clause.places(start, hit.start, Look.CERTAIN)
    if clause.passive is None:
        if _CASE.match(scene.skeleton, hit.end):
            return clause.hits(lead or named_in(scene, start, hit.start, least=clause.least))
        is_led = not scene.is_body(clause.sentence.start, hit.start, places=False) and not _TO_OTHERS.search(clause.left)
        if clause.trigger.kind in PENAL and is_led and clause.has_sum(hit.end, clause.stop):
            several = enumeration(scene, start, hit.start)
            if several or lead:
                return clause.hits(several or listed(scene, lead[0], hit.start))
        if frame == "object" and clause.act.has_actor:
            first = lead if names else named_in(scene, start, hit.start, least=clause.least)
            if first and _is_wrongdoer(scene, first[0], hit.start):
                return clause.hits(listed(scene, first[0], hit.start))
    if scene.firms(start, hit.start):
        return False
    if clause.passive is None and not clause.act.has_actor and re.match(f"[{HAN}]{{2}}", scene.skeleton[hit.end :]):
        return False  # it does so itself: X警告用户
    if hit.start == start and not _WRONG.search(scene.skeleton, clause.sentence.start, start):
        clause.least = Look.CERTAIN
    return _before(clause)


_DONE = re.compile("(?:予以|依法|组织|进行)$")
_ENDS = re.compile("(?:回收|处理|处置|整改|销毁)?(?:[,。;!?\\s]|$)")


def _behind_colon(clause: Clause) -> bool | None:
    """食药署：X产品下架; X未整改，予以下架: what an authority says of a firm, where the word has no object."""
    scene, hit, sentence = clause.scene, clause.hit, clause.sentence
    if clause.trigger.frame != "act" or not clause.act.has_actor or not _ENDS.match(scene.skeleton, hit.end, sentence.end):
        return None
    at = scene.skeleton.rfind(":", sentence.start, hit.start) + 1
    if not at and _DONE.search(clause.left):
        return _before(clause)
    if not at or not scene.is_body(max(sentence.start, at - 8), at, places=False):
        return None
    named = [name for name in scene.firms(at, hit.start)[:1] if name.start <= at + 1]
    return clause.hits(named) if named else clause.places(at, hit.start, Look.POSSIBLE) or None


def _is_wrongdoer(scene: Scene, name: Name, end: int) -> bool:
    """Whether a firm's wrong and the authority that acts on it follow its name: X信披违规证监局采取监管措施."""
    return begins_predicate(scene.skeleton[max(name.tail, name.end) : end]) and scene.is_body(name.tail, end, places=False)


_ANSWERS = re.compile("(?:官方|公司|集团)?(?:紧急|正式|首次)?(?:作出|做出)?(?:回应|致歉|道歉|公告|发布?声明)")
"""Behind a name that begins the sentence after an act without a subject: it is whom the act hits."""


def _behind_part(clause: Clause) -> bool:
    """The subject that stands behind a passive without one: 涉嫌违规被立案调查 X股价大跌; 被罚5亿元！X回应."""
    scene, skeleton, start = clause.scene, clause.scene.skeleton, clause.start
    passive = re.search("[被遭]|收到", skeleton[start : clause.hit.end])
    lead = skeleton[clause.sentence.start : start + passive.start()] if passive else "-"
    if clause.trigger.frame == "act" or (lead and not (start == clause.sentence.start and begins_predicate(lead))):
        return False
    at = clause.stop + 1
    if clause.stop < clause.sentence.end and skeleton[clause.stop] == " ":
        end = HAN_STOP.search(skeleton, at, clause.sentence.end)
        stop = end.start() if end else clause.sentence.end
        if re.search("[被遭]", skeleton[at:stop]):
            return False
        named = [name for name in scene.firms(at, stop)[:1] if name.start == at]
        return clause.hits(named) if named else clause.places(at, stop, Look.CERTAIN)
    after = scene.reading.sentences[clause.act.sentence + 1 : clause.act.sentence + 2]
    if not after or not after[0].is_title:
        return False
    named = [name for name in scene.firms(after[0].start, after[0].end)[:1] if name.start == after[0].start]
    return bool(named) and bool(_ANSWERS.match(skeleton, named[0].tail)) and clause.hits(named)


_BATCH = re.compile(r"[^,。;:!?]{0,10}第(?:\d+|[一二三四五六七八九十]+)批")
"""Behind a word: it hits the firms of a list that stands elsewhere."""
_TALKED = re.compile("[^,。!?]{0,16}(?:企业|公司|机构|平台|银行|巨头)|[!。]?$")


def _without_target(clause: Clause) -> bool:
    """Whether the act is told without a name: of counted firms, of a firm that is only called one, by its sum alone."""
    scene, act, hit, trigger = clause.scene, clause.act, clause.hit, clause.trigger
    folded, skeleton = scene.reading.folded, scene.skeleton
    if "某" in skeleton and _personal().search(skeleton, clause.sentence.start, hit.start):
        return False
    counted = facts.counts(folded, clause.sentence.start, clause.sentence.end)
    near = any(one.start - hit.end < 14 and hit.start - one.end < 24 for one in counted)
    is_passive = bool(re.search("[被遭]", skeleton[clause.start : hit.end]))
    near = near or bool(_BATCH.match(skeleton, hit.end))
    is_told = near and (act.has_actor or is_passive) and trigger.frame != "subject"
    is_others = any(role_beside(scene, name) for name in scene.firms(clause.start, hit.start))  # a firm's officer pays
    if trigger.kind in PENAL and trigger.frame in ("object", "letter") and not is_others and clause.has_sum(clause.start, clause.stop):
        act.is_sum = clause.sentence.is_title
        is_told = is_told or act.is_sum or (trigger.frame == "object" and (act.sentence > 0 or act.has_actor or "每家" in clause.left))
    if clause.sentence.is_title and not act.targets and _is_unnamed(clause):
        identified = _IDENTIFIED.search(skeleton, hit.end, clause.sentence.end)
        if identified and clause.places(identified.end(), clause.sentence.end, Look.POSSIBLE):
            return True
        is_told = act.is_unnamed = True
    return is_told or (trigger.kind is Kind.TALKS and act.has_actor and bool(_TALKED.match(skeleton[hit.end : clause.sentence.end])))


@cache
def _personal() -> re.Pattern[str]:
    """A person whom a sentence tells of, whose name is left out: 当事人陈某, 独立董事王某."""
    who = rf"(?:当事人|被告人|嫌疑人|男子|女子|{pattern('roles', 'han_holders').pattern})[{HAN}]{{1,2}}某"
    return re.compile(rf"{who}|(?:^|(?<=[,。;:\s]))[{HAN}]某(?!公司|集团|银行|店|平台|企业)")


_IDENTIFIED = re.compile("(?:涉事|该|被罚|相关)(?:企业|公司|平台|机构|厂商|银行)(?:为|是|系)")
"""Behind it a sentence says who the firm is that its act did not name."""
_UNNAMED = re.compile(rf"[{HAN}\d\"]*(?:公司|企业|医院|机构|平台|商家|药房|银行|\d+(?:余|多)?辆(?:汽车|车))(?:$|因|涉)")
_UNNAMED_OBJECT = re.compile(r"了?[一两三四五六七八九十\d]+[张家款个][^,。!?]{0,14}(?:牌照|许可证|网站|企业|公司|平台|机构)")


def _is_unnamed(clause: Clause) -> bool:
    """Whether the act hits a firm that the part does not name: 涉事企业罚165万, 注销一张支付牌照."""
    skeleton, hit = clause.scene.skeleton, clause.hit
    if FIRM in skeleton[clause.start : clause.stop]:
        return False
    marked = re.split("[被遭]", skeleton[clause.start : hit.end])
    if len(marked) > 1 or re.search(r"\d", skeleton[hit.end : clause.stop]):
        return bool(_UNNAMED.match(marked[0] if len(marked) > 1 else clause.left))
    return clause.act.has_actor and bool(_UNNAMED_OBJECT.match(skeleton, hit.end))


def _said_before(clause: Clause) -> bool:
    """Whether the word goes on with an act that the sentence has told: 责令X整改，并处罚款."""
    said = clause.scene.said
    return (
        said is not None
        and clause.trigger.frame in ("object", "act", "passive")
        and not clause.scene.firms(clause.start, clause.stop)
        and not re.search("[对向给被]", clause.left)
        and said.sentence == clause.act.sentence
        and bool(said.targets)
        and clause.hit.start - said.end < 60
    )


_PARTY = re.compile("当事人(?![甲乙])|(?:你|该|上述)(?:公司|单位|企业|平台|行|机构)|你司")
"""Speaks of the firm that the sentence before names, in a notice."""


def _party(clause: Clause) -> bool:
    """The firm of the act told just before, where a sentence without names goes on about it: 当事人…，罚款8万元."""
    scene, said, start = clause.scene, clause.scene.said, clause.sentence.start
    is_next = said is not None and 0 < clause.act.sentence - said.sentence <= 2
    if said is None or not is_next or scene.firms(start, clause.stop) or not _PARTY.search(scene.skeleton, start, clause.stop):
        return False
    clause.act.targets += said.targets if len(said.targets) == 1 else []
    return bool(clause.act.targets)


@cache
def _private_agent() -> re.Pattern[str]:
    return re.compile(rf"[被遭](?:{FIRM}|[^,。被]{{0,8}}(?:{'|'.join(words('bodies', 'private'))}))")


def _is_done_by_authority(clause: Clause) -> bool:
    """False when anybody may have done it: a word of the frame `act` without an authority, an agent that is none."""
    skeleton, frame, start, hit = clause.scene.skeleton, clause.trigger.frame, clause.start, clause.hit
    if not clause.act.has_actor:
        is_passive = re.search("[被遭收获吃领]|面临", skeleton[start : hit.end])
        is_notice = skeleton.startswith("关于", start) or re.search("关于[^,。]{0,60}$", skeleton[clause.sentence.start : hit.start])
        if frame == "act" or (frame == "passive" and not (is_passive or is_notice)) or clause.trigger.kind is Kind.SETTLEMENT:
            return False
    return frame not in ("act", "passive") or not _private_agent().search(skeleton[start : hit.start + 1])


_SAID = re.compile("对于?|以(?!及)|就|被告单位|证实|查明|查实|发现|认定|通报称?|针对")
"""Behind these an authority names whom it accuses."""


def _accused(clause: Clause) -> bool:
    """A firm that is said to have done wrong, where an authority speaks or acts in the same sentence."""
    scene, hit, sentence, skeleton = clause.scene, clause.hit, clause.sentence, clause.scene.skeleton
    is_case = skeleton.startswith("案", hit.end - skeleton.endswith("案", hit.start, hit.end))
    is_others = re.match("[^,。]{0,6}的", skeleton[hit.end :]) and not is_case
    if is_others or not scene.is_body(sentence.start, sentence.end, places=False):
        return False
    said = last(_SAID, clause.left)
    low = clause.start + said.end() if said else clause.start
    named = scene.firms(low, hit.start)
    is_led = bool(named) and named[0].start < low + 2
    if skeleton.endswith("案", hit.start, hit.end) and not (said and is_led):
        return _is_case_of(clause, low)
    if is_led:
        return clause.hits(enumeration(scene, low, hit.start) or listed(scene, named[0], hit.start))
    if named and "的" in skeleton[named[0].tail : hit.start]:
        return False  # X的用户涉嫌诈骗
    clause.least = Look.POSSIBLE
    return _subject(clause, low, hit.start, hit.start)


_CASE_WORDS = re.compile('(?:公司|平台|集团|涉嫌|特大|重大|网络|系列|"|等)*$')


def _is_case_of(clause: Clause, low: int) -> bool:
    """X公司特大网络传销案: whose name stands right before the case."""
    scene, hit = clause.scene, clause.hit
    words_between = _CASE_WORDS.search(scene.skeleton, low, hit.start)
    stop = words_between.start() if words_between else hit.start
    named = [name for name in scene.firms(low, hit.start) if max(name.tail, name.end) == stop]
    if named:
        return clause.hits(named)
    is_quoted = scene.skeleton.startswith('"', stop)
    low = max(low, scene.skeleton.rfind('"', low, stop) + 1) if is_quoted else low
    return clause.places(low, stop, Look.POSSIBLE if is_quoted else Look.CERTAIN) and clause.act.targets[-1].end == stop


def _listed(clause: Clause, first: Name, limit: int) -> list[Name]:
    """The list that begins with the name; of "X旗下公司Y" the owner is noted and Y begins it."""
    scene = clause.scene
    if role_beside(scene, first) == (Role.GROUP, "owner-of"):
        owned = OWNED.match(scene.skeleton, first.tail, limit)
        follow = scene.firms(first.end, limit)[:1]
        between = scene.gap(first.end, follow[0].start) if follow else ""
        if follow and re.fullmatch(f"[{HAN}]{{0,14}}", between) and not _WRONG.search(between):
            clause.act.groups.append(first)
            return listed(scene, follow[0], limit)
        if owned and not follow and (placed := named_in(scene, owned.end(), limit)):
            clause.act.groups.append(first)
            return placed
    return listed(scene, first, limit)


_WITH = re.compile("[及和与、]")
_JOINT = re.compile('(?<!")、(?!")')
_ADJUNCT = re.compile("(?<![现正存所内潜])在|通过|利用|登录|假借")
"""Before a name: it is where or by what means something is done, and no subject."""


def _free(scene: Scene, start: int, end: int) -> list[Name]:
    """The firms named between the offsets, without those of an adjunct: 在X刷单."""
    skeleton = scene.skeleton
    return [
        name
        for name in scene.firms(start, end)
        if not (_ADJUNCT.fullmatch(skeleton, max(start, name.start - 2), name.start) and not _is_tool_of_people(skeleton, name))
        and not _ADJUNCT.fullmatch(skeleton, max(start, name.start - 1), name.start)
    ]


def _is_tool_of_people(skeleton: str, name: Name) -> bool:
    """Whether the firm is only there for those who use it, as a firm is that no register knows: 孙某等人利用X有限公司."""
    return name.rule == "legal-form" and skeleton.startswith("人利用", name.start - 3)


_ELSEWHERE = re.compile(r"\d{2}|[减增]持|套现|出售|股权|股东")
"""Between a coded name and a passive mark these tell of something else."""


@cache
def _officers() -> tuple[str, ...]:
    """What those who lead a firm are called, as the end of a subject: its staff may stand there as what it wronged."""
    return tuple(word for word in words("roles", "han_holders") if word[-1] in "长理任裁监事人")


def _subject(clause: Clause, start: int, end: int, mark: int) -> bool:
    """The subject of a passive mark, between the offsets: a coded name, a list, a name, what looks like one."""
    scene, act = clause.scene, clause.act
    skeleton, folded = scene.skeleton, scene.reading.folded
    coded = [name for name in scene.firms(start, mark) if name.rule == "stock-code" or _CODE_END.search(folded, name.end, name.tail)]
    if coded:
        is_past = role_beside(scene, coded[0]) and not _WRONG.search(skeleton, coded[0].tail, coded[-1].start)
        is_last = is_past or not is_object(folded, coded[-1].start)
        chosen = coded[-1] if is_last else coded[0]
        if not role_beside(scene, chosen) and _ELSEWHERE.search(skeleton, chosen.tail, mark):
            return clause.places(chosen.tail + 2, end, clause.least)  # another headline without a break between
        clause.hits(_listed(clause, coded[lead_of(coded, coded.index(chosen), scene)], mark))
        return True  # where its officer or shareholder is hit, nobody else is the subject
    several = enumeration(scene, start, end)
    if several:
        clause.hits(several)
        return True
    if clause.trigger.kind is not Kind.TALKS and skeleton.endswith(_officers(), start, end) and not _WITH.search(skeleton, start, end):
        return False  # X医院骨科主任被查
    joint = last(_JOINT, skeleton[start:end])  # clauses joined like a list
    start += joint.end() if joint else 0
    names = _free(scene, start, end)
    if names:
        clause.hits(_listed(clause, names[0], end))
        return True
    if skeleton.startswith(words("roles", "han_members"), start, end):
        act.groups += scene.firms(clause.sentence.start, start)[-1:]  # X：子公司被罚
        return bool(act.groups)
    if is_of_other(scene, start, end):
        return False
    return clause.places(start, end, clause.least) or (_is_subjectless(scene, start, end) and _before(clause, start))


_NO_SUBJECT = re.compile(
    rf"(?:其|(?:该|这家|涉事)?(?:公司|企业|平台|银行|机构)(?:[及和与、因涉将已在也还于再又受]|本身|$)|该行|[{HAN}\d]{{0,6}}一并|(?:\d{{1,2}}月)?(?:\d{{1,2}}[日号])?前?$)"
)


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


_TOWARDS = re.compile("(?:对于?|向)(?!外|内|此)")
_ANAPHOR = re.compile("该(?:公司|平台|企业|行|所|集团|机构|券商)|[对将]其")
"""Speaks of the firm that was named last."""


def _before(clause: Clause, start: int | None = None) -> bool:
    """The subject that stands in an earlier part of the sentence: walk back to the first part that has one."""
    scene, sentence, skeleton = clause.scene, clause.sentence, clause.scene.skeleton
    start = clause.start if start is None else start
    if _ANAPHOR.search(skeleton, max(sentence.start, start - 2), start + 3) or _ANAPHOR.match(skeleton, clause.hit.end):
        told = scene.firms(sentence.start, start)[-1:]
        first = _BREAK.search(skeleton, sentence.start, start)
        if not told and first:
            return clause.places(sentence.start, first.start(), Look.CERTAIN)
        return bool(told) and clause.hits(told)
    edges = [sentence.start, *(match.end() for match in _BREAK.finditer(skeleton, sentence.start, max(sentence.start, start - 1)))]
    for low, high in reversed(list(zip(edges, [*edges[1:], start], strict=True))[-4:]):
        names = _free(scene, low, high)
        lead = names[0].start if names else high
        is_tool = bool(names) and _is_tool_of_people(skeleton, names[0])
        if "某" in skeleton[low:lead] and not is_tool and _personal().search(skeleton, low, lead):
            return False  # 张某骗取X的贷款，被罚款
        if names and skeleton.startswith(("对", "向"), names[0].start - 1):
            return clause.hits(enumeration(scene, names[0].start, high) or listed(scene, names[0], high))
        if names:
            several = enumeration(scene, low, high)
            run = several if names[-1] in several else names[lead_of(names, len(names) - 1, scene) :]
            return _is_accused(scene, sentence, names[-1], start) and clause.hits(run)
        if is_of_other(scene, low, high) and _WRONG.search(skeleton, low, high):
            return False
        towards = last(_TOWARDS, skeleton[low:high])
        is_aim = towards is not None and "因" not in skeleton[low : low + towards.start()]  # X因向关系人放贷，被罚款
        low += towards.end() if towards and is_aim else 0  # 对A和B两家机构，均处以罚款
        if begins_predicate(skeleton[without_lead(skeleton, low, high) : high]) or not 2 < high - low < (
            160 if "、" in skeleton[low:high] else 40
        ):
            continue
        several = enumeration(scene, low, high)
        if several:
            return clause.hits(several)
        placed = named_in(scene, low, high, least=clause.least)
        if placed and (placed[0].end < high - 1 or skeleton[high - 1] == ":" or (high == start and skeleton[high - 1] in " ,")):
            clause.act.targets += placed
            return True
    return False


_ACCUSED = re.compile(
    f'[{HAN}"]{{0,6}}?(?:因|涉|信披|信批|违|财务|虚假|未|造假|粉饰|收购|被|遭|超标|操纵|滥用|垄断|二选一|侵害|泄露|使用|贩售|售卖|'
    "对[^,]{2,24}(?:负有?|承担)[^,]{0,4}责任|了? ?$|[:,、;])|\\s"
)
"""Right after a name: what it is accused of, or the end of its part."""
_FOUND = re.compile("(?:认定|查明|查获|发现|通报称?|显示)[,:]?$")


def _is_accused(scene: Scene, sentence: Sentence, name: Name, start: int) -> bool:
    """Whether a name of an earlier part is what the words at `start` are told of."""
    if role_beside(scene, name):
        return False
    if not scene.skeleton[sentence.start : name.start].strip(' "'):
        return True  # it begins the headline
    tail = scene.skeleton[name.end : start].lstrip(FIRM)
    found = _FOUND.search(scene.skeleton[max(sentence.start, name.start - 4) : name.start])
    return ":" not in tail[1:-1].rstrip(": ") and bool(_ACCUSED.match(tail) or found)
