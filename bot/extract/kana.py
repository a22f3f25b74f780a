"""Sentences in Japanese and Korean: the particle behind a firm's name says how it stands to the trigger word.

    read(scene, sentence, hit, trigger, act) -> bool

Both languages put the verb last and mark who is hit: X に対し, X への, X을, X에 before the word; X は and X이 are hit
when the verb is a passive (命令を受けた, 부과받았다). Firms outside the register are known by their legal form
(株式会社X, ㈜X), by the end of the name (X銀行, X전자), or as a run of katakana or Latin letters before such a particle.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from bot.extract.names import Hit, Name, Reading, Trigger, firm_key
from bot.extract.roles import Act, Scene, take
from bot.extract.text import HAN, Sentence, pattern, words


@dataclass(frozen=True, slots=True)
class _Grammar:
    """What one of the two languages says with particles, as expressions over the text right behind a name."""

    hit: re.Pattern[str]  # the name is what the act is done to
    subject: re.Pattern[str]  # the name is the subject: hit when the verb is a passive, and by a recall
    passive: re.Pattern[str]  # behind the trigger word: its subject is hit
    joint: re.Pattern[str]  # between two names of one list


_MORE = r"[」』\"')]?(?:ら|など|等|ほか|他|外)?(?:\d+社)?"
_GRAMMARS = {
    "ja": _Grammar(
        re.compile(rf"{_MORE}(?:に対し|に対する|に対して|への|へ|に|を)"),
        re.compile(rf"{_MORE}(?:は|が|も|、|,)"),
        re.compile(
            r"(?:金|命令)?(?:の|を|が)?(?:納付|支払い|処分|命令)?(?:を|の対象)?(?:受け|科され|课され|命じられ|され|出され|命令された)"
        ),
        re.compile(r"\s*(?:、|,|・|及び|および|並びに|并びに|ならびに|と|または)\s*"),
    ),
    "ko": _Grammar(
        re.compile(r"['\"]?\s?(?:등\s?)?(?:\d+개\s?(?:사|업체|회사|기업)\s?)?(?:에 대해|에 대한|에 대하여|에게|에|을|를)(?=\s|$|[,.])"),
        re.compile(r"['\"]?\s?(?:등\s?)?(?:\d+개\s?(?:사|업체|회사|기업)\s?)?(?:이|가|은|는|,|도)(?=\s|$|[\"'])"),
        re.compile(r"(?:을|를|이|가)?\s?(?:[\d.,]+\S*\s?원\S*\s?)?(?:처분을?\s?|조치를?\s?)?(?:받|부과받|부과\s?받|당[했하]|물[게었])"),
        re.compile(r"\s*(?:,|·|ㆍ|와|과|및|그리고)\s*"),
    ),
}

_JA_LETTER = rf"[{HAN}々ァ-ヶーa-z0-9&・]"
_JA_FORM = r"(?:株式会社|㈱|\(株\)|合同会社|有限会社)"
_KO_LETTER = "[가-힣a-z0-9&]"
_KO_FORM = r"(?:㈜|\(주\)|주식회사)"
_JOSA = ("에서", "에게", "으로", "에", "을", "를", "이", "가", "은", "는", "의", "와", "과", "로", "도", "측")


@cache
def _forms(language: str) -> re.Pattern[str]:
    """Names by their legal form, or by the word that ends them."""
    endings = "|".join(re.escape(word) for word in words("legal", f"{language}_endings"))
    if language == "ja":
        return re.compile(
            rf"(?<!{_JA_LETTER}){_JA_FORM}\s?(?:{_JA_LETTER}|[ぁ-ん]){{2,20}}?(?=に対|への|[にをはがとらの等他、,。」』)]|及び|ほか|$)"
            rf"|{_JA_LETTER}{{2,20}}?{_JA_FORM}|(?:(?<=[、。,\s「『])[ぁ-ん]{{2,5}})?{_JA_LETTER}{{0,16}}?(?:{endings})(?!{_JA_LETTER})"
        )
    return re.compile(
        rf"(?:{_KO_FORM}\s?{_KO_LETTER}{{2,20}}|{_KO_LETTER}{{2,20}}?(?:㈜|\(주\)|\s?주식회사(?=[에가이은는을를의,.]|$))|(?<!{_KO_LETTER}){_KO_LETTER}{{1,12}}(?:{endings})(?={'|'.join(_JOSA)}|등|\W|$))"
    )


_RUN = re.compile(
    r"(?<![ァ-ヶーa-z])(?:[ァ-ヶー・]{3,}|[a-z][a-z0-9&・]{2,})(?=[」』\"')]?(?:ら|など|等)?(?:\d+社)?(?:に対し|への|に|を|は|が|[、,]))"
)


def add_names(reading: Reading) -> None:
    """Firms outside the register, in sentences with a trigger word."""
    taken = [(name.start, name.end) for name in reading.names]
    for sentence in reading.sentences:
        if not any(sentence.start <= hit.start < sentence.end for hit in reading.hits):
            continue
        for start, end in _found(reading, sentence):
            if not any(a < end and start < b for a, b in taken) and not any(hit.start < end and start < hit.end for hit in reading.hits):
                surface = reading.whole[start:end]
                reading.names.append(Name(start, end, end, _key(surface), name=surface, rule="legal-form"))
                taken.append((start, end))
    reading.names.sort(key=lambda name: name.start)


def _found(reading: Reading, sentence: Sentence) -> Iterator[tuple[int, int]]:
    folded = reading.folded
    for match in _forms(reading.language).finditer(folded, sentence.start, sentence.end):
        start, end = match.span()
        if reading.language == "ko" and re.match(_KO_FORM, match.group()):
            josa = next((one for one in _JOSA if folded.endswith(one, start, end) and end - len(one) - start > 3), "")
            end -= len(josa)
        yield start, end
    if reading.language == "ja":
        for match in _RUN.finditer(folded, sentence.start, sentence.end):
            is_cased = not match.group()[0].isascii() or reading.whole[match.start()].isupper()
            if is_cased and match.group() not in words("kana", "common"):
                yield match.span()


def _key(surface: str) -> str:
    return firm_key(re.sub(f"{_JA_FORM}|{_KO_FORM}", "", surface, flags=re.IGNORECASE).strip() or surface)


def read(scene: Scene, sentence: Sentence, hit: Hit, trigger: Trigger, act: Act) -> bool:
    """Whether the sentence tells the act; fills in whom it hits and whether an authority acts."""
    grammar, skeleton = _GRAMMARS[trigger.language], scene.skeleton
    act.has_actor = bool(scene.acting(act, sentence.start, sentence.end))
    after = skeleton[hit.end : min(sentence.end, hit.end + 24)]
    if pattern("kana", "denied").search(after) or (trigger.frame == "act" and not act.has_actor):
        return False
    is_passive = trigger.frame == "subject" or grammar.passive.match(after) is not None
    names = [name for name in scene.firms(sentence.start, hit.start) if _is_near(scene, name, hit)]
    for name in reversed(names):
        behind = skeleton[name.tail : sentence.end]
        is_hit = bool(grammar.hit.match(behind)) and trigger.frame != "subject"
        if is_hit or (is_passive and grammar.subject.match(behind)) or _is_headline(trigger, act, behind, hit.start - name.tail):
            return take(scene, act, _listed(names, name, grammar, skeleton))
    return act.has_actor and sentence.is_title and trigger.frame != "act"


def _is_near(scene: Scene, name: Name, hit: Hit) -> bool:
    """No sentence inside the sentence ends between the two."""
    return "。" not in scene.skeleton[name.tail : hit.start] and hit.start - name.tail < 90


def _is_headline(trigger: Trigger, act: Act, behind: str, gap: int) -> bool:
    """A Korean headline drops the particle: 'X, 과징금 5억원', or behind who acts 'X 압수수색'."""
    if trigger.language != "ko" or trigger.frame == "subject":
        return False
    return gap <= 1 if act.has_actor else trigger.frame == "object" and behind.startswith(",")


def _listed(names: list[Name], last: Name, grammar: _Grammar, skeleton: str) -> list[Name]:
    """The list that the name ends."""
    at = names.index(last)
    first = at
    while first and grammar.joint.fullmatch(skeleton, names[first - 1].tail, names[first].start):
        first -= 1
    return names[first : at + 1]
