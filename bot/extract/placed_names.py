"""The short name that stands in a firm's place: which of the letters there are its name, and whether they are one.

    named_in(scene, start, end) -> the name: one of a user's list, or one that only its place shows
    brands(scene, firm) -> what the text calls the firm's platform

`han` says what a place is (before a passive mark, behind a coverb), `short_names` what may be a name at all.
"""

from __future__ import annotations

import re
from functools import cache

from bot.extract.names import Name, firm_key
from bot.extract.roles import Scene
from bot.extract.short_names import Look, begins_predicate, ending_within, is_said_of_firms, look, subject_end, subjects, without_lead
from bot.extract.text import HAN, pattern, words

OWNED = re.compile("(?:集团|公司)?(?:的|旗下的?)?(?:旗下|全资子公司|控股子公司|子公司|关联公司)(?:公司|平台|品牌|app)?")
"""Between a firm and the one it owns."""


@cache
def _other() -> re.Pattern[str]:
    whose = f"{pattern('roles', 'han_holders').pattern}|{pattern('roles', 'han_members').pattern}"
    complains = pattern("roles", "han_complains").pattern
    return re.compile(rf"(?:[两三四五多数\d]+名?|其|时任|原|前|该公司|公司)?(?:{whose}|{complains})")


def is_of_other(scene: Scene, start: int, end: int) -> bool:
    """Whether a firm's officer, shareholder or subsidiary is the subject: 控股股东因…, 两高管…"""
    return _other().match(scene.skeleton, start, end) is not None


_FORMERLY = ("曾用名", "原名", "旧称", "前身为", "前身是")
_QUOTED_LAST = re.compile(r'"([^"]{2,12})"(?=[^"]*$)')


def named_in(
    scene: Scene, start: int, end: int, *, least: Look = Look.CERTAIN, is_corporate: bool = False, is_spoken_for: bool = False
) -> list[Name]:
    """The short name in the place of a firm: one of a user's list, else what looks at least so much like one.

    `is_corporate`: what is told is only done to firms. `is_spoken_for`: who speaks for a firm stands for it.
    """
    skeleton = scene.skeleton
    quoted = _QUOTED_LAST.search(skeleton, start, end)
    if quoted and skeleton.endswith(_FORMERLY, start, quoted.start()):
        start = quoted.end() + skeleton.startswith("的", quoted.end())
    elif quoted and (
        begins_predicate(skeleton[without_lead(skeleton, quoted.end(), end) : end] or "被") or _CALLED.match(skeleton, quoted.end(), end)
    ):
        start, end = quoted.start(1), quoted.end(1)
    while start < end and skeleton[start] in " \"“'《":
        start += 1
    starts = {left for left, _ in subjects(skeleton, start, end)} if scene.reading.weak else set()
    known = [
        name
        for name in scene.reading.weak
        if start <= name.start
        and name.end <= end
        and name.end == subject_end(skeleton, name.start, end)
        and (name.end - name.start > 2 or (name.start in starts and look(skeleton[name.start : name.end], shortest=2)))
    ]
    if known:
        is_held = is_of_other(scene, known[-1].end, end + 4) and not (is_spoken_for and _speaks(scene, known[-1].end))
        return [] if is_held else scene.members([(known[-1].start, known[-1].end)])
    for left, stop in subjects(skeleton, start, end):
        stop = _name_end(skeleton, left, stop)
        if _is_name(scene, left, stop, least, is_done_to_firms=is_corporate, is_corporate=is_said_of_firms(skeleton, stop, end)):
            owned = OWNED.match(skeleton, stop, end)
            if owned and (placed := named_in(scene, owned.end(), end, least=least, is_corporate=is_corporate)):
                return placed
            if is_of_other(scene, stop, end + 4) and not (is_spoken_for and _speaks(scene, stop)):
                break
            surface = scene.reading.whole[left:stop]
            return [scene.add(Name(left, stop, stop, firm_key(surface), name=surface, rule="place"))]
    return []


def _speaks(scene: Scene, at: int) -> bool:
    return scene.skeleton.startswith(words("roles", "han_speakers"), at)


_CALLED = re.compile(
    "(?:app|平台|网站|软件|应用|小程序)*(?:平台|app|网站|软件|应用|小程序|运营(?:企业|公司|者|方|商|单位|主体)|(?:app|平台)(?:企业|公司))"
)
"""Behind a name: what it is called."""


def _name_end(skeleton: str, start: int, stop: int) -> int:
    """Where the name in a run ends, when the run is longer than a name: at its own ending, or before what it is called (X平台)."""
    called = next((match for match in _CALLED.finditer(skeleton, start + 2, stop) if match.end() == stop), None)
    least = Look.POSSIBLE if look(skeleton[start:stop], shortest=2) is Look.NONE else Look.CERTAIN
    is_run = called is not None and called.group().startswith(("app", "运营"))  # no name goes on so
    if called and look(skeleton[start : called.start()]) >= (Look.POSSIBLE if is_run else least):
        return called.start()
    if least is Look.CERTAIN:
        return stop
    return ending_within(skeleton, start, stop) or stop


_ANYBODY_SHORT = re.compile("[人者员民师工长商童户主亲友弟妹]$")
"""Ends of words of two letters that call people."""


def _is_name(scene: Scene, start: int, stop: int, least: Look, *, is_done_to_firms: bool, is_corporate: bool) -> bool:
    body = scene.skeleton[start:stop]
    is_accused = scene.skeleton.startswith(("涉嫌", "因涉嫌"), stop)
    is_hit = is_done_to_firms or (scene.skeleton.startswith(("被", "遭"), stop) and scene.bodies(stop, stop + 3))
    is_short = is_accused or (is_hit and not _ANYBODY_SHORT.search(body))
    if look(body, is_corporate=is_corporate or is_done_to_firms, shortest=2 if is_short else 3) < least:
        return False
    if body.isascii() and not scene.reading.whole[start].isupper() and (len(body) < 4 or not scene.has_body):
        return False
    if any(begin < stop and start < end for begin, end in scene.numbers):
        return False
    return not any(hit.start < stop and start < hit.end for hit in scene.reading.hits)


_BRAND = re.compile(rf'\s?\((?:[^()"]{{0,8}})"([^"]{{2,10}})"[{HAN}a-z]{{0,6}}\)(?:"([^"]{{2,10}})")?')


def brands(scene: Scene, firm: Name) -> list[Name]:
    """The platform that a text names in brackets behind a firm outside the register: it is hit with its operator.

    A short form of the firm's own name is none, unless it is said to be a platform.
    """
    bracket = _BRAND.match(scene.reading.folded, firm.end) if firm.firm_id is None and firm.tail > firm.end else None
    surface = scene.reading.folded[firm.start : firm.end]
    found = []
    for start, end in (bracket.span(1), bracket.span(2)) if bracket else ():
        called = scene.reading.whole[start:end]
        is_other = not set(scene.reading.folded[start:end]) <= set(surface) or scene.reading.folded.startswith(('"平台', '"app'), end)
        if start >= 0 and is_other and not _is_named(scene, start):
            found.append(scene.add(Name(start, end, end, firm_key(called), name=called, rule="brand")))
    return found


def _is_named(scene: Scene, start: int) -> bool:
    return any(name.start == start for name in scene.firms(start, start + 1))
