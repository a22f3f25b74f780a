"""Titles that only name parties: "SEC v. Acme Inc.", "In re Acme LP, 125 FERC ¶ 61,088", "Acme Inc. and John D. Roe".

    settle(reading)          the names of the title are those of its string, before acts are read
    caption(scene)           whom a title without a verb is about
    is_paper(reading)        whether it is a paper that tells no act: of a court's file, guidance, an annual report
    told_by_title(scene)     the action that such a title is by itself, in an enforcement body's own document

Such a title has no verb, so what its words are is told by what stands around the names: a matter's opening, a number
of a file, or nothing at all but legal forms and persons.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from bot.extract.names import Name, Reading, firm_key
from bot.extract.parties import Party, parties
from bot.extract.phrases import is_person
from bot.extract.roles import Act, Scene, role_beside
from bot.extract.text import alternation, pattern, vocabulary, words
from storage.models import Kind, Status
from storage.text import fold

_MATTER = re.compile(
    r"(?:(?:[a-z-]+\s){0,4}(?:order|decision|notice|ruling|direction)s?\s)?(?:in (?:the )?matter of|in re:?|re:|matter of)\s+"
)
_VERSUS = re.compile(r"\s(?:v\.?|vs\.?)\s")
_CITED = re.compile(
    r"[\s,]+(?:docket nos?\b|case nos?\b|file nos?\b|release nos?\b|civil action nos?\b|\d{2,3} ferc\b|no\. ?\d|"
    r"\d{1,2}[:-](?:\d{2}-)?cv-|lr-\d)"
)
_INITIAL = re.compile(r"\s[A-Z]\.?\s")
_JOINED = re.compile(r",\s|\s&\s|\sand\s")
_COLON = re.compile(r"\s?:\s*")
_LABEL = re.compile(
    r"(?:(?<=[\s;>.])|^)(?:(?:data )?controller|respondents?|defendants?|company|firm|name of (?:the )?(?:firm|company)|addressees?)$|"
    r"(?:当事人|被处罚人|受处罚人|被处罚单位|公司名称|企业名称)(?:名称)?$"
)
_CASE = re.compile(r"(\w[^:\n]{1,50}?): [a-z][^:]*\b(?:case|undertakings|commitments)\b")
_BETWEEN = re.compile(r"\W*(?:\b(?:and|et al|et|und|y|e|crd no)\b\W*)*")
_REMARK = re.compile(r"\s\[[^\]]*\]$")
_NO_NAME = re.compile(r"[:?!€$£%]|\d{4}|[a-z]{4}\.\s")


PARTY = "party"
"""The rule of names that a string of parties gives."""


@dataclass(frozen=True, slots=True)
class _String:
    """A title that is a string of parties and nothing else; `is_sure` when it cannot be anything else."""

    parties: Sequence[Party]
    start: int
    is_sure: bool


def settle(reading: Reading) -> None:
    """Where the title is only a string of parties, its firms are the names there, with the borders that the string gives them."""
    string = _string(reading)
    if string is None:
        return
    end = reading.title_end
    before = [name for name in reading.names if name.start < end]
    names = [_named(reading, string.start + one.start, string.start + one.end, before) for one in string.parties if not one.is_person]
    bodies = [name for name in before if name.regulators and name.end <= string.start]
    reading.names = [*bodies, *names, *(name for name in reading.names if name.start >= end)]
    reading.hits = [hit for hit in reading.hits if hit.start >= end]


def _string(reading: Reading) -> _String | None:
    end = reading.title_end
    if not end or end > 400:
        return None
    title = _REMARK.sub("", reading.whole[:end])
    start, is_matter = _opening(reading)
    head = title[start:]
    if not is_matter and (not _is_alone(reading) or _VERSUS.search(reading.folded, 0, end)):
        return None
    found = _defendants(parties(head)) if _versus(reading) else parties(head)
    if not found or _CITED.search(reading.folded, start, end):
        return None
    has_form = any(_ends_in_form(one) for one in found)
    rest = _without(head, found)
    if re.search(r"[^\W\d]{2,}", rest) and not _BETWEEN.fullmatch(rest.lower()):
        return None
    if not all(_is_name(reading, start, one) for one in found):
        return None
    if not has_form and not is_matter and not (len(found) > 1 or all(one.is_person for one in found) or _JOINED.search(head)):
        return None
    return _String(found, start, has_form or is_matter)


def _opening(reading: Reading) -> tuple[int, bool]:
    """Where the parties of a title begin, and whether words before them say that they are parties."""
    if matter := _MATTER.match(reading.folded, 0, reading.title_end):
        return matter.end(), True
    if versus := _versus(reading):
        return versus.end(), True
    return 0, False


def _versus(reading: Reading) -> re.Match[str] | None:
    """The " v. " of a caption in which a public body or a state acts against whom it names."""
    versus = _VERSUS.search(reading.folded, 0, reading.title_end)
    if versus is None or any(0 <= at - versus.end() < 12 and not is_place for at, is_place in reading.bodies):
        return None  # a body is sued
    label = _TITLE_LABEL.match(reading.folded, 0, versus.start())
    start = label.end() if label else 0
    for name in reading.names[:3]:
        if name.regulators and name.start <= start + 4 and _WITH_OTHERS.fullmatch(reading.folded, name.end, versus.start()):
            return versus
    plaintiff = _plaintiff().match(reading.folded, start, versus.start())
    return versus if plaintiff and _WITH_OTHERS.fullmatch(reading.folded, plaintiff.end(), versus.start()) else None


_WITH_OTHERS = re.compile(r"(?:,?\s(?:et al\.?|of america|and [a-z .]{2,60}|[a-z]+(?: [a-z]+)?))?(?:,? et al\.?)?,?")
"""Between the plaintiff's name and "v.": others that sue with it, the state behind "State of"."""
_TITLE_LABEL = re.compile(r"[^:]{1,30}?\s?:\s|(?:\d[\w:.-]*\s)+")


@cache
def _plaintiff() -> re.Pattern[str]:
    return re.compile(rf"(?:{alternation('captions', 'plaintiffs')})(?=$|[\s,])(?!\s(?:[a-z]+\s)*?(?:inc|corp|co|llc|ltd|company)\b)")


def is_paper(reading: Reading) -> bool:
    """Whether a document is no telling of an act, whomever it names.

    A paper of a court's file is told by what stands before the first preposition of a title that is all there is
    ("Plaintiff's Motion for ..."), guidance and the like by the label before a colon, an annual report by its name.
    """
    if not reading.title_end:
        return False
    title = reading.folded[: reading.title_end]
    if ":" in title and _paper().match(title):
        return True
    if any(report in title for report in words("captions", "reports")) and _report().search(title):
        return True
    if not _is_alone(reading):
        return False
    head = _filing_end().search(title)
    named = pattern("captions", "filings").search(title)
    return named is not None and named.start() < (head.start() if head else len(title))


@cache
def _paper() -> re.Pattern[str]:
    return re.compile(rf"(?:{alternation('captions', 'papers')}):\s")


@cache
def _report() -> re.Pattern[str]:
    reports = alternation("captions", "reports")
    return re.compile(
        rf"\b(?:{alternation('captions', 'publishes')})\s(?:\S+\s){{0,4}}?(?:{reports})\b|^(?:[^:]{{1,24}}:\s)?(?:{reports})\b"
    )


@cache
def _filing_end() -> re.Pattern[str]:
    return re.compile(rf"\s(?:{alternation('captions', 'filing_ends')})\s|:\s")


def _defendants(found: Sequence[Party]) -> list[Party]:
    """Whom a public body sues: a firm only where its name says so, for most are persons."""
    return [one if _is_sure(one) else replace(one, is_person=True) for one in found]


def _is_sure(one: Party) -> bool:
    return _ends_in_form(one) or bool(vocabulary("legal", "corporate").intersection(fold(one.name).replace(",", "").split()[1:]))


def _is_alone(reading: Reading) -> bool:
    """Whether the document is its title, once or twice."""
    body = reading.folded[reading.title_end :].strip()
    return not body or body == reading.folded[: reading.title_end].strip()


def _ends_in_form(one: Party) -> bool:
    last = fold(one.name).split()[-1].strip(",.")
    return not one.is_person and (last in vocabulary("legal", "latin") or last.replace(".", "") in vocabulary("legal", "latin"))


def _without(head: str, found: Sequence[Party]) -> str:
    """What the string holds beside its parties, their brackets and their other names."""
    rest, at = [], 0
    for one in found:
        rest.append(head[at : one.start])
        at = one.end
    tail = re.sub(r"\([^()]*\)?|(?:\b[fnad]/?[kb]/?a\b|formerly|now known|doing business|trading as).*", "", head[at:], flags=re.IGNORECASE)
    return "".join((*(re.sub(r"\([^()]*\)?", "", part) for part in rest), tail))


def _is_name(reading: Reading, start: int, one: Party) -> bool:
    """Words with capitals that are no sentence: no verb of an act, no article, no sum."""
    low, high = start + one.start, start + one.end
    tokens = one.name.split()
    is_small = reading.whole[: reading.title_end].islower()
    return (
        len(tokens) <= (12 if _ends_in_form(one) else 8)
        and not _NO_NAME.search(one.name)
        and all(is_small or _CAPITAL.match(token) or token[:1] in "&\"'“(" or token.lower() in _PARTICLES for token in tokens)
        and not any(low <= hit.start < high and hit.triggers[0].frame != "merger" for hit in reading.hits)  # "X Acquisition Inc."
        and not any(name.regulators and low <= name.start < high for name in reading.names)
        and (_ends_in_form(one) or not {fold(token).strip(".,'’\"") for token in tokens} & (_topics() | vocabulary("legal", "not_firms")))
    )


_CAPITAL = re.compile(r"\d?[^\W\d_a-zß-öø-ÿ]")
_PARTICLES = frozenset(("and", "of", "de", "la", "van", "von", "der", "du", "del", "di", "y", "e", "et", "the", "al", "al."))


def _topics() -> frozenset[str]:
    return vocabulary("captions", "topics")


def _named(reading: Reading, start: int, end: int, known: Sequence[Name]) -> Name:
    """The party as a name: the register's firm when its name and legal words make up the whole of it."""
    surface = reading.whole[start:end]
    for name in known:
        if not name.regulators and name.firm_id and name.start == start and name.end <= end:
            left = set(re.findall(r"[a-z.&]+", reading.folded[name.end : end])) - {"&", "."}
            if left <= vocabulary("legal", "latin") | vocabulary("legal", "generic") | {word + "." for word in left}:
                name.end, name.tail, name.rule = end, end, PARTY
                return name
    return Name(start, end, end, firm_key(surface), name=surface, rule=PARTY)


def caption(scene: Scene) -> list[Name] | None:
    """Whom a title without a verb, or the field of a form, is about: its firms; none of them when it names persons.

    None when the title is no caption.
    """
    reading = scene.reading
    if ":" in reading.folded and (named := _labelled(scene)):
        return named
    end = reading.title_end
    if not end:
        return None
    start, is_matter = _opening(reading)
    cited = _CITED.search(reading.folded, start, end)
    limit = cited.start() if cited else end
    names = scene.firms(start, limit)
    if is_matter and names:
        return names
    if is_matter or cited:
        return _parties_of(scene, start, limit)
    if not is_matter and _VERSUS.search(reading.folded, 0, end):
        return None
    is_beside = reading.language.startswith("zh") and bool(names) and role_beside(scene, names[0]) is not None  # X用户...
    if names and names[0].start - start <= 6 and len(_rest(scene, start, limit)) < 12 and not is_beside:
        return names
    if match := _CASE.match(reading.whole[:end]):
        return names or [_add(scene, 0, match.end(1))]
    return None


def _labelled(scene: Scene) -> list[Name]:
    """The firm of a field: "Controller: Acme S.p.A."."""
    reading = scene.reading
    for colon in _COLON.finditer(reading.folded, 0, 3_000):
        if not _LABEL.search(reading.folded, max(0, colon.start() - 24), colon.start()):
            continue
        if named := scene.firms(colon.end(), colon.end() + 12):
            return named[:1]
        if form := _FIELD.match(reading.whole, colon.end()):
            return [_add(scene, colon.end(), form.end())]
    return []


_FIELD = re.compile(
    r"[A-Z0-9][\w.&'’-]*(?:[ ,]+(?:[A-Z0-9&][\w.&'’-]*|e|y|de|di|et|of|and)){0,7}?[ ,]+"
    r"(?:[Ss]\.?[Pp]\.?[Aa]\.?|[Ss]\.?[Rr]\.?[Ll]\.?s?|S\.?A\.?(?:U\.?|S\.?)?|S\.?L\.?U?\.?|GmbH|AG|B\.?V\.?|N\.?V\.?|Ltd\.?|Limited|LLC|Inc\.?|plc|AB|AS|ASA|Oy)(?![\w])"
)


def _parties_of(scene: Scene, start: int, end: int) -> list[Name] | None:
    """The firms of a string before a file's number, of which nothing is known but its place; None when it is about a topic."""
    found: list[Name] = []
    listed = parties(scene.reading.whole[start:end])
    if _versus(scene.reading):
        named = [one for one in _defendants(listed) if not one.is_person]
        return [
            name
            for one in named
            for name in scene.firms(start + one.start, start + one.end)[:1] or [_add(scene, start + one.start, start + one.end)]
        ]
    for one in listed:
        left, right = start + one.start, start + one.end
        tokens = [fold(token).strip(".,") for token in one.name.split()]
        if set(tokens) & _topics() or not one.name[:1].isupper() or _NO_NAME.search(one.name):
            return None
        if known := scene.firms(left, right):
            found += known
        elif not is_person(tokens) and not _INITIAL.search(one.name) and not scene.bodies(left, right):
            found.append(_add(scene, left, right))
    return found if listed else None


def _rest(scene: Scene, start: int, end: int) -> str:
    """The words of a title beside names, brackets and numbers."""
    return re.sub(r"[\ue000]+|\([^)]*\)|[\d¶,.;&/-]|\b(?:and|the)\b", "", scene.skeleton[start:end]).strip()


def _add(scene: Scene, start: int, end: int) -> Name:
    surface = scene.reading.whole[start:end]
    return scene.add(Name(start, end, end, firm_key(surface), name=surface, rule="caption"))


def told_by_title(scene: Scene) -> list[Act]:
    """The act of a document that is a string of parties, or a caption "SEC v. X": what the body does to whom it lists."""
    reading = scene.reading
    end = reading.title_end
    versus = _versus(reading) if end else None
    if versus and (scene.caption is not None or scene.own):
        actors = scene.bodies(0, versus.start())
        return [_act(Kind.LAWSUIT, versus.start() + 1, versus.end() - 1, scene.caption or [], actors)]
    if scene.own is None or not _is_alone(reading):
        return []
    string = _string(reading)
    is_suing = scene.own.id in words("captions", "suing")
    if string is None or not (is_suing or (string.is_sure and scene.firms(0, end))):
        return []
    return [_act(Kind.LAWSUIT if is_suing else Kind.OTHER, string.start, end, scene.firms(string.start, end), [])]


def _act(kind: Kind, start: int, end: int, named: Sequence[Name], actors: Sequence[Name]) -> Act:
    return Act(kind, Status.IN_FORCE, start, end, 0, list(named), actors=list(actors), rule="caption", has_actor=True)
