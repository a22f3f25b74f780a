"""Chinese short names that no list knows: whether a run of characters looks like one, and where in a run it stands.

A firm's short name (泸天化, 上海家化) has seldom a form that gives it away. What may be one is told by exclusion: no
person, no place, no body, no common word. So a look that is only `POSSIBLE` counts where the sentence has room for
nothing but a firm; who calls decides that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import IntEnum
from functools import cache, lru_cache

from bot.extract.names import Name, Reading, firm_key, is_person
from bot.extract.text import HAN, pattern, vocabulary, words


class Look(IntEnum):
    """How much a run of characters looks like a firm's name."""

    NONE = 0
    POSSIBLE = 1
    CERTAIN = 2


_LETTERS = re.compile(rf"[{HAN}a-z0-9·&*-]+(?:\.[a-z]+)?")
_HAN_ONLY = re.compile(f"[{HAN}]+")
_NUMBERED = re.compile(
    f"[{HAN}][0-9]|[0-9][{HAN}]|(?<![第三天统万合同唯])一(?!$)|[一二三四五六七八九十]月|[一两三四五六七八九十多数][家间款批名种所]|(?:企业|业者|机构|厂商)(?!$)|^[·&*-]|[·&-]$"
)
_SUM = r"\d[\d,.]*(?:[万亿千百余多]+元?|元)(?!的)"  # a sum that is right behind a name: 罚X3000万
_OFFICE = re.compile("[省市县区镇村乡路局委院部会厅署办]$")
_UNNAMED = re.compile("(?:相关|有关|涉事|背后|同名|旗下|关联)(?:公司|企业|平台|机构)$|[子母]公司$")


_PRONOUN = re.compile("其(?!士)")  # 其士 is a firm


@lru_cache(maxsize=1024)
def look(body: str, *, is_corporate: bool = False, shortest: int = 3) -> Look:
    """How much a folded run looks like a firm's name. `is_corporate`: what stands beside it is only said of firms."""
    if not 2 <= len(body) <= 12 or not _LETTERS.fullmatch(body) or _NUMBERED.search(body) or _is_common(body):
        return Look.NONE
    if _PRONOUN.match(body):
        return Look.NONE  # 要求其对语音软件开展评估
    ending = _ending(body)
    stem = body[: len(body) - len(ending)]
    if ending:
        if not stem or (ending in vocabulary("han", "common") and _is_generic(stem)) or stem in vocabulary("han", "common"):
            return Look.NONE  # 上海平台, 旗下公司, 深圳科技公司; 上海银行 is a bank
        return Look.CERTAIN if len(ending) > 1 else Look.POSSIBLE
    if not _HAN_ONLY.fullmatch(body):
        return Look.CERTAIN if body[0].isascii() or _HAN_ONLY.match(body[-1]) else Look.POSSIBLE
    if body.endswith(words("han", "common_end")) or not (2 if is_corporate else shortest) <= len(body) <= 6:
        return Look.NONE
    if is_person(body) and not (is_corporate and len(body) > 2) and body[-1] not in vocabulary("han", "letters"):
        return Look.NONE
    return Look.POSSIBLE


def _ending(body: str) -> str:
    """The longest ending of firms that the run has, or none."""
    endings = vocabulary("legal", "han_endings")
    return next((body[-size:] for size in range(min(5, len(body)), 0, -1) if body[-size:] in endings), "")


def _is_common(body: str) -> bool:
    ending = _ending(body)
    stem = body[: -len(ending)] if len(ending) > 1 else body  # 远山新闻台: its ending is no common word
    return bool(
        body in vocabulary("han", "common")
        or _is_place(body)
        or body.startswith(_starts(is_ended=len(ending) > 1 and not body.endswith("公司")))
        or pattern("han", "common_in").search(stem)
        or pattern("roles", "han_holders").search(body)
        or body.endswith((*words("bodies", "words"), *words("bodies", "places")))
        or (stem is body and _OFFICE.search(body))
        or _UNNAMED.search(body)
    )


@cache
def _starts(*, is_ended: bool) -> tuple[str, ...]:
    """Words that no name begins with; single letters do begin names that an ending gives away (前海人寿)."""
    return tuple(word for word in words("han", "common_start") if len(word) > 1 or not is_ended)


def _is_generic(stem: str) -> bool:
    """Whether the words before 公司, 平台 or the like say only where and what it is."""
    place = _places().match(stem)
    rest = stem[place.end() :] if place else stem
    return not rest or any(rest in vocabulary(*key) for key in (("han", "common"), ("han", "stems"), ("legal", "han_endings")))


@cache
def _places() -> re.Pattern[str]:
    return re.compile(f"(?:{pattern('han', 'places').pattern}|{pattern('bodies', 'places').pattern})+[省市县区]?")


def _is_place(body: str) -> bool:
    return bool(_places().fullmatch(body))


@cache
def _ends() -> re.Pattern[str]:
    whole, predicates = pattern("han", "whole").pattern, pattern("han", "predicates").pattern
    others = "|".join((*words("roles", "han_holders"), r"\d{1,2}[名位]", "[两三四五六七八九十多数][名位]", "责任人", "其", "有关", "相关"))
    return re.compile(rf"(?:{whole})|({predicates}|{_SUM}|以?及(?={others})|[和与](?={others})|[,。;:!?、()\"'《》【】|\s])")


def subject_end(folded: str, start: int, end: int) -> int:
    """Where the words that may be a subject end: at the first word of a predicate, which may go on behind them, or a mark."""
    for match in _ends().finditer(folded, start, end + 1):
        if match[1] and match.start() < end and (match.start() >= start + 2 or not match[1].isalnum()):
            return match.start()
    return end


def ending_within(folded: str, start: int, end: int) -> int:
    """Where a name ends that its own ending shows, in a run whose predicate is no known word: 远山银行|审查不审慎. 0 without one."""
    run = folded[start:end]
    if len(run) < 6 or not _HAN_ONLY.match(run):
        return 0
    places = (start + match.end() for match in _long_endings().finditer(run[:_LONGEST]) if match.start() >= 2)
    return next((at for at in places if at <= end - 2 and look(folded[start:at]) is Look.CERTAIN), 0)


_LONGEST = 12  # letters that a short name has at most


@cache
def _long_endings() -> re.Pattern[str]:
    """Endings of firms, where no compound goes on: 远山银行, but not 远山银行卡."""
    endings = "|".join(ending for ending in words("legal", "han_endings") if len(ending) > 1)
    return re.compile(f"(?:{endings})(?:{endings})*(?![业卡家员类股法学]|经理)")


def begins_predicate(text: str) -> bool:
    """Whether the words begin with a predicate, so that no subject stands before it: 因违规, 财务造假."""
    match = _ends().match(text)
    return match is not None and match[1] is not None and match[1].isalnum() and not match[1][0].isdigit()


def is_said_of_firms(folded: str, start: int, end: int) -> bool:
    """Whether the words right behind a subject are said of firms only: 信披违规, 产品, 因虚假宣传."""
    match = pattern("han", "corporate").search(folded, start, end)
    return match is not None and match.start() <= start + (12 if folded.startswith(("涉嫌", "因"), start) else 4)


_DATED = re.compile(r"(?:\d{4}年)?(?:\d{1,2}月)?(?:\d{1,2}[日号])?(?:[上下]午|晚间?|早间)?[,]?")
_UNIT = re.compile(
    r"\d[\d.,]*(?:[万亿千百]+|余)*(?:股|元|%|辆|吨|万|亿|倍|台|套|成)(?!元|以上|左右|罚|份|的|股|[美港欧日英新台韩澳加]|人民币|卢布)"
)


@cache
def _lead() -> re.Pattern[str]:
    return re.compile(f"(?:{pattern('han', 'leads').pattern})[,:]?")


def subjects(folded: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where in the words before a passive mark the subject may stand, the likeliest place first.

    Behind the last headline that is glued before it, behind what the firm is called (平台X), behind adverbs, at the very start.
    """
    at = without_lead(folded, start, end)
    lefts = [match.end() for match in closers().finditer(folded, at, end) if match.end() <= end - 2][:-4:-1]
    stop = subject_end(folded, at, end)
    called = pattern("han", "appositions").finditer(folded, at, stop)
    lefts += [match.end() for match in called if match.end() <= stop - 2 and not folded.startswith("企业", match.end() - 1)][-1:]
    lefts += [match.end() for match in pattern("han", "findings").finditer(folded, at, end) if match.end() <= end - 2][-1:]
    soft = [match for match in pattern("han", "soft_closers").finditer(folded, at, stop) if match.end() <= stop - 2][-1:]
    seams = [match for match in soft if look(folded[at : match.end()]) is not Look.CERTAIN]
    is_named = any(look(folded[at : match.start()]) is Look.CERTAIN for match in seams)  # 远山证券|交易系统故障
    lefts += [at, start, *(match.end() for match in seams)] if is_named else [*(match.end() for match in seams), at, start]
    for left in dict.fromkeys(lefts):
        if not begins_predicate(folded[left : left + 6]):
            yield left, subject_end(folded, left, end)


def without_lead(folded: str, start: int, end: int) -> int:
    """Where the words before a predicate begin that are no date and no adverb."""
    at = start
    while at < end:
        dated, lead = _DATED.match(folded, at, end), _lead().match(folded, at, end)
        step = max(dated.end() if dated else at, lead.end() if lead else at)
        if step == at:
            break
        at = step
    return at


@cache
def closers() -> re.Pattern[str]:
    """What ends a headline that another one is glued to: a word, or a number with its unit."""
    return re.compile(f"(?:{pattern('han', 'closers').pattern}|{_UNIT.pattern})+")


def is_object(folded: str, at: int) -> bool:
    """Whether the word right before a name takes it for its object or adds to it: 减持X, 对X, 公司X."""
    return folded.endswith(words("han", "takers"), 0, at)


_CALLED = re.compile(rf"[{HAN}]{{2,6}}(?:公司|集团)(?!股|控|有|法|[{HAN}]{{0,4}}有限)")


_CALLED_CUT = re.compile("[以就对向被由与和及将为的在经称即局]|进驻|证实|针对|涉及|包括|控告|约谈|调查|处罚|起诉|进口|暂停|停止|禁止")


def add_called(reading: Reading) -> None:
    """Firms that a text calls "X公司": X is what stands elsewhere in the text too, else all that stands before up to a mark."""
    folded = reading.folded
    if "公司" not in folded and "集团" not in folded:
        return
    taken = [(name.start, max(name.end, name.tail)) for name in reading.names]
    for match in _CALLED.finditer(folded):
        stop = match.end()
        dated = folded[match.start()] in "年月日" and folded[match.start() - 1 : match.start()].isdigit()
        floor = max([match.start() + dated, *(hit.end for hit in reading.hits if match.start() < hit.end <= stop - 4)])
        floor = max([floor, *(cut.end() for cut in _CALLED_CUT.finditer(folded, match.start(), stop - 4))])
        floor = max([floor, *(end for _, end in taken if match.start() < end <= stop - 4)])
        lefts = [left for left in range(floor, stop - 3) if look(folded[left:stop]) is Look.CERTAIN]
        again = [left for left in lefts if _is_repeated(folded, left, stop - 2)]
        edge = [
            left for left in lefts if left == without_lead(folded, floor, stop) and (floor != match.start() or not _goes_on(folded, left))
        ]
        for left in (*again, *edge)[:1]:
            if not any(a < stop and left <= b for a, b in taken):
                surface = reading.whole[left:stop]
                reading.names.append(Name(left, stop, stop, firm_key(surface), name=surface, rule="called"))
                taken.append((left, stop))
    reading.names.sort(key=lambda name: name.start)


def _goes_on(folded: str, at: int) -> bool:
    """Whether letters stand right before the offset, so that the run has no edge there."""
    return at > 0 and bool(_HAN_ONLY.match(folded[at - 1]))


def _is_repeated(folded: str, start: int, stop: int) -> bool:
    """Whether the stem stands elsewhere in the text with another neighbour before it."""
    stem, before, at = folded[start:stop], folded[max(0, start - 1) : start], folded.find(folded[start:stop])
    while at >= 0:
        if at != start and folded[max(0, at - 1) : at] != before:
            return True
        at = folded.find(stem, at + 1)
    return False
