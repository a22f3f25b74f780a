"""Names as they stand in a text, in the register or not: their spelling, what is beside them, codes, definitions.

`FirmIndex` (in `firms`) finds the known names with one automaton; this module judges them by their surroundings.
`legal_names` finds the firms that only their form gives away.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date
from functools import cache, lru_cache

from bot.extract.text import HAN, Sentence, alternation, lands, lexicon, one_of, pattern, vocabulary, words
from storage.models import Kind, Strength
from storage.records import RegulatorRow
from storage.text import fold

_HAN_ONE = re.compile(f"[{HAN}]")

_UNSPACED = re.compile(f"[{HAN}\u3041-\u30ff\uac00-\ud7a3]")  # Hangul too: its particles stand right behind a name

_TOKEN = re.compile(r"[^\s,;:()\[\]\"“”„«»]+")

_CODE = re.compile(r"\s*\((?:[a-z]{2,7}\s?:\s?)?[*a-z0-9.\-]{4,12}\)")

_TWIN = re.compile(r"\s*\(([^()]{1,60})\)")

_DEFINITION = re.compile(
    r"\s*[(（](?:[^()（）\"“”‘’'「」]{0,40}?)[\"“‘'「]([^\"“”‘’'「」]{2,40})[\"”’'」](?:[^()（）]{0,40})[)）]|\s*[(（]([A-Z][\w&.-]{1,24})[)）]"
)

_FAR_DEFINITION = re.compile(r",?\s?[^()\"“”\n]{1,60}[(](?:the |collectively,? |together,? )?[\"“]([^\"“”]{2,40})()[\"”][)]")

_MAY_BRACKET = re.compile("[(（]")

HAN_SUFFIX = re.compile(
    "(?:"
    + "|".join(("股份有限公司", "有限责任公司", "有限公司", "集团公司", "株式会社", "会计师事务所", "律师事务所"))
    + ")(?:["
    + HAN
    + "]{2,8}分公司)?"
)

CODE_BRACKET = re.compile(r"\s?\((?:\d{6}|\d{4,5}\.hk|\d{6}\.s[hz])\)")

_HAN_NAME = re.compile(f"[{HAN}a-z0-9()·&]+$")

HAN_CUT = re.compile(
    "给予|判处|案外人|第三人|(?<=[人等])利用|(?:经营|运营|开发)(?:者|主体|企业|单位|公司)|当事人|被告单位|被告人|被告|原告|[,。;:!?、【】|\"'\\s]|子公司|旗下|涉及|针对|关于|责令|约谈|要求|通报|处罚|罚款|作出|决定|起诉|警告|下架|公告|发布|收购|根据|包括|以及|其中|分别|有关|因|对|被|向|由|与|和|及|将|给|为|的|等|在|经|让|令|从|是|了|称|即|遭|据|(?<!成)就|日(?=[^本])|局|委(?!内)|署"
)

_PLACES = [
    "北京",
    "上海",
    "天津",
    "重庆",
    "深圳",
    "广州",
    "杭州",
    "南京",
    "苏州",
    "武汉",
    "成都",
    "西安",
    "长沙",
    "青岛",
    "大连",
    "厦门",
    "宁波",
    "河北",
    "山西",
    "辽宁",
    "吉林",
    "黑龙江",
    "江苏",
    "浙江",
    "安徽",
    "福建",
    "江西",
    "山东",
    "河南",
    "湖北",
    "湖南",
    "广东",
    "海南",
    "四川",
    "贵州",
    "云南",
    "陕西",
    "甘肃",
    "青海",
    "台湾",
    "内蒙古",
    "广西",
    "西藏",
    "宁夏",
    "新疆",
    "香港",
    "澳门",
    "中国",
    "台北",
    "高雄",
]

_PLACE = re.compile(f"(?:(?:{'|'.join(_PLACES)})(?:省|市)?|[{HAN}]{{2,3}}(?:省|市|县|区))+$")

_CORPORATE_AFTER = re.compile(
    "集团|公司|科技|技术|网络|股份|控股|平台|app|旗下|方面|银行|汽车|金融|支付|证券|手机|电商|视频|音乐|直播|外卖|出行|云|回应|系|金服|等\\d+[家款]|\\(\\d{5,6}|\\(00|\\(nyse|\\(nasdaq"
)

_HAN_BEFORE = re.compile(
    "(?:约谈|责令|罚款|谴责|重罚|开罚|裁罚|暂停|吊销|下令|要求|下架|调查|处罚|对|向|通报|点名|警告|叫停|包括|封杀|召回|起诉|罚|、|和|与|及|^|[,。;:!?\"'\\s(])$"
)

_HAN_AFTER = re.compile(
    r"\d[\d,.]*[万亿千]|被|遭|因|涉嫌|收到|收|领|获|处|罚|[,。;:!?、\"'\\s()和与及]|等|在|作出|发出|下发|送达|出具|进行|的|限期|整改|停|删|下|立即|公司|$|召回|未|涉"
)

_SURNAMES = frozenset(
    "单赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕施张孔曹严金魏陶姜戚谢邹章苏潘葛范彭鲁韦马苗方俞任袁柳史唐费薛雷贺倪汤罗毕郝安常傅卞齐康伍余顾孟黄穆萧尹姚邵汪祁毛狄戴宋茅庞熊纪舒屈项董梁杜阮闵季贾江童郭梅林钟徐邱骆高夏蔡田胡霍万柯莫房丁邓洪包左石崔龚程邢裴陆翁荀羊惠曲封储靳段焦谷侯仲伊宫宁仇栾甘厉祖武符刘詹龙叶幸司黎薄白蒲卓蔺屠蒙乔阳谭劳姬申冉桑桂牛边尚温庄晏柴瞿阎慕连习艾向古易廖耿文寇禄欧沃巩聂关"
)


VENUE = "venue"
"""The rule of a name that only says where something is: a tower, a square, an exchange."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """A word that tells of an act. `frame` says where the firm that is hit stands; lexicon.toml explains the frames."""

    kind: Kind
    frame: str
    language: str


@dataclass(slots=True)
class Name:
    """One naming in the text. A regulator has `regulators`; a firm that is not in the register has no `firm_id`."""

    start: int
    end: int
    tail: int  # where a code or translation in brackets after it ends
    key: str  # namings with one key are one firm
    firm_id: str | None = None
    name: str = ""
    via: str | None = None
    brand_id: str | None = None
    strength: Strength | None = None
    rule: str = ""
    regulators: tuple[tuple[RegulatorRow, bool], ...] = ()
    child_id: str | None = None  # the register's own id of what was hit: a brand or a firm


@dataclass(frozen=True, slots=True)
class Hit:
    """A trigger word in the text."""

    start: int
    end: int
    triggers: tuple[Trigger, ...]


@dataclass(slots=True)
class Reading:
    """A document while it is read: its text, and what was found in it."""

    whole: str
    folded: str
    title_end: int  # 0 without a title
    language: str
    on: date | None  # publication
    sentences: list[Sentence]
    furniture: set[int]
    names: list[Name] = field(default_factory=list)
    weak: list[Name] = field(default_factory=list)  # weak names that nothing beside them makes firms
    hits: list[Hit] = field(default_factory=list)
    homes: frozenset[str] = frozenset()  # countries of the register's firms that are named
    bodies: list[tuple[int, bool]] = field(default_factory=list)  # where a public body is spoken of; True for a country or capital


@cache
def is_spaced(char: str) -> bool:
    return char.isalnum() and not _UNSPACED.match(char)


def is_alias_cased(text: str, surface: str) -> bool:
    """Short initials as written; else every word that the alias begins with a capital has one."""
    if not any(char.isalpha() and char.lower() != char.upper() for char in text):
        return True
    if not text.isascii() and re.sub(r"[^A-Za-z]", "", surface) == re.sub(r"[^A-Za-z]", "", text):
        return True  # e租宝, e租寶: its other letters may be of either script
    if text.isupper() and len(text) <= 3:
        return surface == text
    if surface == text or surface.isupper():
        return True
    if text[0].islower():
        return surface != surface.lower()
    theirs, ours = re.findall(r"[^\W\d_]+", surface), re.findall(r"[^\W\d_]+", text)
    if len(theirs) != len(ours):
        return surface != surface.lower()
    return all(
        a[0].isupper() or not b[0].isupper() or b.lower() in ("of", "and", "the", "de", "s") for a, b in zip(theirs, ours, strict=True)
    )


_BEFORE = re.compile(r"(?<=[a-z,] )((?:[A-Z][a-z]{2,} ){1,3})$")


@cache
def common_words() -> frozenset[str]:
    """Words of any firm's name, folded: forms, trades, what describes a firm."""
    return vocabulary("legal", "generic") | vocabulary("legal", "latin") | vocabulary("legal", "descriptors")


@lru_cache(maxsize=1024)
def is_of_common_words(alias: str) -> bool:
    """Whether an alias is made of words of trade and form alone, as the end of many a name is: "Co-operative Bank"."""
    return set(fold(alias).removeprefix("the ").split()) <= vocabulary("legal", "corporate") | common_words()


def is_end_of_longer(reading: Reading, start: int, *, is_anywhere: bool = False) -> bool:
    """Whether a word with a capital stands before a common name in running text, so that it only ends a name: "Draycott Windows".

    `is_anywhere`: in a headline too, where the word before may be a verb.
    """
    before = _BEFORE.search(reading.whole, max(0, start - 40), start)
    if before is None or set(fold(before[1]).split()) <= vocabulary("legal", "generic") | lands() | vocabulary("legal", "not_firms"):
        return False
    if is_anywhere:
        return not any(hit.start < start <= hit.end + 1 for hit in reading.hits)
    return is_prose(reading.whole, start)


def is_prose(whole: str, at: int) -> bool:
    """Whether the line is no headline, which has capitals everywhere."""
    end = whole.find("\n", at)
    long: list[str] = re.findall(r"[^\W\d_]{4,}", whole[whole.rfind("\n", 0, at) + 1 : end if end >= 0 else len(whole)])
    return sum(word[0].isupper() for word in long) * 2 <= len(long)


def be_another(reading: Reading, name: Name) -> None:
    """Make the name one of a firm outside the register."""
    surface = reading.whole[name.start : name.end]
    name.key, name.firm_id, name.name, name.via, name.brand_id, name.child_id = firm_key(surface), None, surface, None, None, None
    name.strength, name.rule = None, "legal-form"


def stretch(reading: Reading, name: Name, starts: list[int], own_words: Callable[[], Collection[str]]) -> str:
    """Stretch the name over its legal form. Says "legal", "plain", "venue", "number", or "other" for another firm's name.

    A common word goes on in many a firm's name: a trade behind it must stand in a name of the firm's own, among
    `own_words`, or it is another's: "Clearview Motors Ltd" is not Clearview AI, "Ford Motor Credit Company" is Ford's.
    """
    whole, folded = reading.whole, reading.folded
    if _HAN_ONE.match(folded[name.end - 1]):
        return _stretch_han(reading, name)
    legal, soft, generic = vocabulary("legal", "latin"), vocabulary("legal", "soft"), vocabulary("legal", "generic")
    if fold(whole[name.start : name.end]).split()[-1] in legal - soft:
        return "legal"
    at, end, strange, is_over, verdict = name.end, name.end, False, False, "plain"
    while (match := _TOKEN.match(whole, skip_marks(whole, at))) and match.start() - at <= 3:
        token = folded[match.start() : match.end()]
        gap = whole[at : match.start()]
        bare = token.rstrip(".,")
        pointed = bare + "."
        form = token if token in legal else pointed if pointed in legal else bare if bare in legal else ""
        if (
            match.start() in starts
            or gap.strip(" ,()")
            or (")" in gap and "(" not in whole[name.start : at])  # the bracket was open before the name
            or ("," in gap and not form)
            or (is_over and (not form or form in soft))
            or (not form and not whole[match.start()].isupper() and token not in ("&", "of") and not _joins(folded, match.end(), token))
        ):
            break
        if form and (whole[match.start()].isupper() or token not in soft):
            end, verdict = match.start() + min(len(form), len(token)), "other" if strange else "legal"
            is_over = bare not in soft
        elif token in _INNER:
            pass
        elif bare not in generic or (name.strength is Strength.WEAK and bare in vocabulary("legal", "trades") and bare not in own_words()):
            strange = True
        at = match.end()
    after = folded[name.end :].lstrip()[:24]
    if verdict == "plain":
        first = re.match(r"[a-z]+", after)
        if first and first.group() in words("roles", "venues") and whole[name.end :].lstrip()[:1].isupper():
            return "venue"
        if first and first.group() in lands() and (land := _LAND_BEHIND.match(whole, name.end)):
            name.end = name.tail = land.end()
        return "plain"
    name.end = name.tail = end
    if verdict == "other":
        be_another(reading, name)
    return verdict


_LAND_BEHIND = re.compile(
    r" [A-Z][a-z]+(?=[.,;:)]|$|\n|\s(?:[A-Z]{3}\s?\d|[€$£\d(]|(?:for|over|after|was|were|had|has|did|must|with|and|because|to)\s))"
)
"""The country of a firm's branch, "Vodafone Romania", and what shows that the name ends with it."""
_INNER = frozenset(("de", "del", "di", "y", "e", "et", "and"))
"""Small words inside a name, where a word of trade or a land follows: "Compañía de Seguros y Reaseguros"."""
_NEXT_WORD = re.compile(r"\s([^\W\d_]{3,})")


def _joins(folded: str, at: int, token: str) -> bool:
    """Whether a small word only goes on to a word of any firm's name, and not to another name."""
    follow = _NEXT_WORD.match(folded, at) if token in _INNER else None
    return follow is not None and follow[1] in vocabulary("legal", "generic")


def _stretch_han(reading: Reading, name: Name) -> str:
    folded = reading.folded
    if name.start and folded[name.start] in "万亿千百" and folded[name.start - 1].isdigit():
        return "number"  # 163万科...: the first letter belongs to a number
    window = folded[name.end : name.end + 26]
    if any(window.startswith(word) for word in words("roles", "venues") if _HAN_ONE.match(word)):
        return "venue"
    suffix = HAN_SUFFIX.search(window)
    coded = _coded_ending().match(window)
    if coded:
        name.end = name.tail = name.end + coded.end(1)
        return "legal"  # 远山控股(600421), of a firm that is listed as 远山
    if name.strength is not Strength.WEAK and end_at_branch(reading, name):
        return "plain"
    if suffix is None or not _HAN_NAME.match(window[: suffix.end()]) or HAN_CUT.search(window[: suffix.start()]):
        return "plain"
    between = window[: suffix.start()]
    place = _PLACE.search(folded, max(0, name.start - 8), name.start)
    if place:
        name.start = place.start()
    name.end = name.tail = name.end + suffix.end()
    if any(word in between for word in lexicon()["legal"]["han_trades"]):
        be_another(reading, name)
        return "other"
    return "legal"


def end_at_branch(reading: Reading, name: Name) -> bool:
    """Let a short Chinese name end where the text calls it a company, or names its branch: 远山公司, 远山法国分公司."""
    folded = reading.folded
    is_called = "公司" in folded[name.end : name.end + 10] and _HAN_ONE.match(folded, name.end - 1) is not None
    called = _branch().match(folded, name.end) if is_called else None
    if called:
        name.end = name.tail = called.end()
    return called is not None


@cache
def _branch() -> re.Pattern[str]:
    places = f"{pattern('han', 'places').pattern}|{pattern('bodies', 'places').pattern}"
    return re.compile(f"(?:(?:{places})[省市]?分?|分)?公司(?![法债章股治控业金银])")


@cache
def _coded_ending() -> re.Pattern[str]:
    """The ending of a firm's name before its stock code."""
    return re.compile(rf"({one_of(words('legal', 'han_endings'))})(?={CODE_BRACKET.pattern})")


def skip_marks(text: str, at: int) -> int:
    while at < len(text) and text[at] in " ,()":
        at += 1
    return at


def weak_rule(reading: Reading, name: Name, accepted: list[Name]) -> str:
    """Why a weak name counts here; empty when nothing beside it says that it is a firm."""
    whole, folded = reading.whole, reading.folded
    before, after = folded[max(0, name.start - 40) : name.start], folded[name.end : name.end + 40]
    for other in accepted:
        if other.regulators:
            continue
        left, right = (other, name) if other.start < name.start else (name, other)
        between = folded[left.end : right.start]
        if right.start - left.end <= 12 and (
            re.fullmatch(r"(?:\s*\([^()]*\))?\s*(?:,|、|;|/|和|与|及|以及|跟|,? (?:and|or|und|et|e|y) )\s*", between)
            or (not between and _HAN_ONE.match(folded[right.start]))
        ):
            return "list"
    if _HAN_ONE.match(folded[name.start]):
        surface = folded[name.start : name.end]
        if surface in vocabulary("legal", "han_endings") or surface in vocabulary("han", "common"):
            return ""  # a list's short form of *ST环保
        if _CORPORATE_AFTER.match(after):
            return "corporate-word"
        if _HAN_BEFORE.search(before) and _HAN_AFTER.match(after) and _CONTEXT.search(before + "|" + after):
            return "cue"
        return ""
    surface = whole[name.start : name.end]
    line_start, line_end = whole.rfind("\n", 0, name.start) + 1, whole.find("\n", name.end)
    line = whole[line_start : line_end if line_end >= 0 else len(whole)]
    if line.isupper() and surface.isupper() and len(surface) > 3:
        return ""
    previous = re.search(r"([^\s]+)\s*$", whole[max(0, name.start - 30) : name.start])
    word = previous.group(1) if previous else ""
    if fold(word).strip("\"'(") in ("a", "an", "any", "this", "each", "every", "no", "their", "his", "her", "its", "our", "your"):
        return ""
    if re.match(r"'s?(?=\s)", after) and not re.match(r"'s?\s+(?:is|been)", after):
        return "possessive" if not re.search(r"[a-z]'?$", word) or not _is_verb_like(after) else ""
    if _CODE.match(after):
        return "ticker"
    cue = pattern("weak", "before").search(before + "\0")
    is_end = _weak_end().match(after)
    if cue and is_end:
        return "cue"
    if (
        is_end
        and re.match(
            r"\s*(?:was|is|has been|has|had|must|will|agreed|agrees|settles|recalls|faces|hit with|fined|to pay|violated|failed|abused)\b",
            after,
        )
        and (not word or word[-1:] in ",.;:" or word[0].islower())
        and name.start > 0
    ):
        return "subject"
    if (
        is_end
        and re.match(
            r"\s*(?:was|has been|must|will|agreed to|agrees to|settles|recalls|faces|fined)\s+(?:fined|sued|charged|ordered|pay|"
            r"settle|recall|refund|stop|summoned|banned|\w+)|\s*to (?:pay|settle|refund)\b",
            after,
        )
        and name.start == line_start
    ):
        return "subject"
    return ""


@cache
def _weak_end() -> re.Pattern[str]:
    return re.compile(rf"\s*(?:[,.;:()!?\"]|$|\n|(?:[$€£]|eur|usd)|(?:{alternation('weak', 'after')}|\d)\b)")


_CONTEXT = re.compile(
    "约谈|责令|下架|调查|处罚|罚|通报|点名|警告|叫停|封杀|召回|起诉|立案|监管|被|遭|收到|异议声明|警示函|问询函|关注函|告知书|整改"
)


def _is_verb_like(after: str) -> bool:
    return bool(re.match(r"'s?\s+(?:not|going|also|now)\b", after))


@cache
def forms() -> frozenset[str]:
    return frozenset(re.sub(r"[,.]", "", form) for form in words("legal", "latin"))


_HAN_FORM = re.compile("(?:集团)?(?:控股)?(?:股份有限公司|有限责任公司|有限公司|集团公司|株式会社)$")
_SPACED_FORM = re.compile(r"\s(?:sp(?:olka)? ?z ?o ?o|(?:spol )?s ?r ?o|a s)$")


def firm_key(surface: str) -> str:
    """What two namings of a firm outside the register share: the folded name without its legal form."""
    text = fold(surface).replace(",", "").replace(".", "").strip()
    text = _HAN_FORM.sub("", text) or text
    if text.endswith(("o", " s")):
        text = _SPACED_FORM.sub("", text) or text
    parts = text.removeprefix("the ").split()
    while len(parts) > 1 and parts[-1] in forms():
        parts.pop()
    return " ".join(parts)


def add_definitions(reading: Reading, names: list[Name]) -> None:
    """`X Holdings Ltd ("X")`: the short form counts as a name in this document."""
    taken = [(name.start, name.end) for name in names]
    for name in list(names):
        if name.regulators or not _MAY_BRACKET.search(reading.whole, name.end, name.end + 62):
            continue
        match = _DEFINITION.match(reading.whole, name.end) or _FAR_DEFINITION.match(reading.whole, name.end)
        short = (match.group(1) or match.group(2) or "").strip() if match else ""
        if len(short) < 2 or fold(short).removeprefix("the ") in vocabulary("legal", "defined_things"):
            continue
        if match and match.group(2) and not _is_initials(short, reading.whole[name.start : name.end]):
            continue
        needle, at = fold(short), 0
        while (at := reading.folded.find(needle, at)) >= 0:
            start, end = at, at + len(needle)
            at = end
            if (start and is_spaced(reading.folded[start - 1]) and is_spaced(needle[0])) or (
                end < len(reading.folded) and is_spaced(reading.folded[end]) and is_spaced(needle[-1])
            ):
                continue
            if any(a < end and start < b for a, b in taken) or not is_alias_cased(short, reading.whole[start:end]):
                continue
            names.append(
                Name(
                    start,
                    end,
                    end,
                    name.key,
                    name.firm_id,
                    name.name,
                    name.via,
                    name.brand_id,
                    name.strength,
                    "definition",
                    child_id=name.child_id,
                )
            )
            taken.append((start, end))
    names.sort(key=lambda name: name.start)


def _is_initials(short: str, full: str) -> bool:
    letters = [word[0] for word in re.findall(r"[^\W\d_]+", full)]
    initials = [char for char in short if char.isalpha()]
    return (short.isupper() and all(char in "".join(letters).upper() for char in initials)) or fold(short) in fold(full)


_BRANCH = re.compile(r", (?:[A-Z][a-z]+ ){1,2}Branch\b")


def close_brackets(reading: Reading, name: Name) -> None:
    """Let the tail run over "(NYSE: F)", "(600315)", a translation or a definition in brackets; the name itself over its branch."""
    if "branch" in reading.folded[name.end : name.end + 30] and (branch := _BRANCH.match(reading.whole, name.end)):
        name.end = name.tail = branch.end()
    if not reading.folded.startswith(("(", " ("), name.end):
        return
    for expression in (_CODE, _DEFINITION, _TWIN):
        text = reading.whole if expression is _DEFINITION else reading.folded
        match = expression.match(text, name.end)
        if match:
            name.tail = match.end()
            return


def drop_twins(names: list[Name]) -> list[Name]:
    """A bracket after a name repeats it, in another script or short: one naming."""
    kept: list[Name] = []
    for name in names:
        if (
            kept
            and kept[-1].tail >= name.end
            and kept[-1].end <= name.start
            and (name.firm_id is None or kept[-1].key == name.key or kept[-1].firm_id is None)
            and not name.regulators
            and not kept[-1].regulators
        ):
            if kept[-1].firm_id is None and name.firm_id is not None and name.rule != "definition":
                kept[-1].key, kept[-1].firm_id, kept[-1].name, kept[-1].via, kept[-1].brand_id, kept[-1].child_id = (
                    name.key,
                    name.firm_id,
                    name.name,
                    name.via,
                    name.brand_id,
                    name.child_id,
                )
                kept[-1].strength = name.strength
            continue
        kept.append(name)
    return kept


def is_person(text: str) -> bool:
    """A Chinese personal name by its look: a surname and one or two characters more."""
    return 2 <= len(text) <= 3 and text[0] in _SURNAMES and all(_HAN_ONE.match(char) for char in text)
