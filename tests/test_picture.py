"""The picture of a time line: it is drawn, nothing of it is cut off, and it says what the view says."""

from __future__ import annotations

import itertools
import struct
import sys
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from bot.slack import picture
from bot.slack.cards import Look
from bot.slack.labels import LANGUAGES
from bot.slack.picture import PictureError, drawable, fonts_for, timeline_png, title_of
from storage.models import Kind, Status
from storage.views import Coverage, TimelinePoint, TimelineView
from tests.test_figures_drawn import TENCENT

KINDS = list(Kind)


def a_line(unit: str = "quarter", steps: int = 40, each: int = 3, points: int = 300) -> TimelineView:
    """So many steps with so many actions each, of all kinds in turn; the newest of them as points."""
    months = {"month": 1, "quarter": 3, "year": 12}[unit]
    starts = [date(1990 + at * months // 12, at * months % 12 + 1, 1) for at in range(steps)]
    days = [on for on in reversed(starts) for _ in range(each)]
    shown = tuple(TimelinePoint(1000 + at, on, KINDS[at % len(KINDS)], Status.IN_FORCE) for at, on in enumerate(days[:points]))
    return TimelineView(unit, tuple((on, each) for on in starts), shown, len(days), Coverage(24, 23))


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every figure that is drawn, to be measured: matplotlib's own class, watched."""
    from matplotlib import figure

    made: list[Any] = []

    class Watched(figure.Figure):
        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            made.append(self)

    monkeypatch.setattr(figure, "Figure", Watched)
    return made


def texts_of(figure: Any) -> list[Any]:
    axes = figure.axes[0]
    heights = [text for text in axes.get_yticklabels() if text.get_position()[1] <= axes.get_ylim()[1]]  # those above are not drawn
    found = [*figure.texts, *axes.get_xticklabels(), *heights, *figure.legends[0].get_texts()]
    return [text for text in found if text.get_text()]


def boxes_of(texts: list[Any]) -> list[Any]:
    return [text.get_window_extent() for text in texts]


LINES: list[tuple[str, TimelineView, str]] = [
    ("forty quarters", a_line(), "Tencent · 騰訊 / 腾讯 · 0700.HK"),
    ("forty months and a title without end", a_line("month"), "The Very Long Name of a Company " * 9),
    ("a title of wide characters", a_line("year", 12), "W" * 200),
    ("a century and more", a_line("year", 130, 1), "Standard Oil"),
    ("one step", a_line("month", 1, 1), "ByteDance"),
    ("more actions than points", a_line("month", 40, 900), "All firms"),
    ("many in one step", replace(a_line("year", 3), steps=((date(2020, 1, 1), 123_456),), total=123_456), "Tencent"),
    ("what would be mathematics", a_line("year", 8), "$x_2$ \\frac{1}{2} & <b>"),
    ("a title that cannot be seen", a_line("year", 8), "\u202e\u200b\x00"),
]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("view", "title"), [case[1:] for case in LINES], ids=[case[0] for case in LINES])
def test_nothing_is_cut_off_and_nothing_overlaps(figures: list[Any], view: TimelineView, title: str, language: str) -> None:
    """All words stand inside the picture, and the names of the steps apart from each other. Warnings are errors here."""
    png = timeline_png(view, title, language)
    assert png.startswith(b"\x89PNG\r\n")
    width, height = struct.unpack(">II", png[16:24])
    assert (width, height) == (1_200, 630)
    assert len(png) < 300_000
    (figure,) = figures
    for text, box in zip(texts_of(figure), boxes_of(texts_of(figure)), strict=True):
        assert box.x0 >= 0, text
        assert box.x1 <= width, text
        assert box.y0 >= 0, text
        assert box.y1 <= height, text
    steps = sorted(boxes_of([text for text in figure.axes[0].get_xticklabels() if text.get_text()]), key=lambda box: box.x0)
    assert all(one.x1 + 4 < two.x0 for one, two in itertools.pairwise(steps))
    legend, below = figure.legends[0].get_window_extent(), figure.axes[0].get_tightbbox()
    assert legend.y1 < below.y0
    assert 0 < len(steps) <= 7


def test_the_bars_are_the_actions(figures: list[Any]) -> None:
    """Their heights add up to the total, by severity, and what the view does not tell apart is drawn as such."""
    view = a_line("month", 40, 10)
    timeline_png(view, "Tencent", "en")
    axes = figures[0].axes[0]
    assert sum(patch.get_height() for patch in axes.patches) == view.total
    words = [text.get_text() for text in figures[0].legends[0].get_texts()]
    assert words == [
        "Fine, suspension or ban: 60",
        "Lawsuit, proposed penalty or settlement: 48",
        "Investigation, warning or order: 48",
        "Talks, rules and guidance: 72",
        "Without severity: 72",
        "Older, not told apart: 100",
    ]
    labels = [text.get_text() for text in axes.get_xticklabels()]
    assert labels[-1] == "Apr 1993"
    assert any(text.get_text() == "400 actions by month, Jan 1990 to Apr 1993" for text in figures[0].texts)


def test_the_colours_are_told_apart_in_grey() -> None:
    """From light to dark, in clear steps."""

    def lightness(colour: str) -> float:
        red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    scale = [lightness(colour) for _, colour, _ in picture._GROUPS]
    assert all(two - one > 40 for one, two in itertools.pairwise(scale))


def test_every_kind_has_a_group() -> None:
    """By its severity; those beside the scale have their own."""
    assert picture._group(Kind.BAN) == picture._group(Kind.FINE) == "Fine, suspension or ban"
    assert picture._group(Kind.PROPOSED_PENALTY) == "Lawsuit, proposed penalty or settlement"
    assert picture._group(Kind.RECALL) == "Investigation, warning or order"
    assert picture._group(Kind.TALKS) == picture._group(Kind.INFORMATION_REQUEST) == "Talks, rules and guidance"
    assert picture._group(Kind.APPEAL) == "Without severity"


FONTS: list[tuple[str, str, set[str], tuple[str, ...]]] = [
    ("none with Chinese", "zh-Hant", {"DejaVu Sans", "Arial"}, ("DejaVu Sans",)),
    ("the script of the language first", "zh-Hans", {"Noto Sans CJK TC", "Noto Sans CJK SC"}, ("DejaVu Sans", "Noto Sans CJK SC")),
    ("the other script rather than none", "zh-Hans", {"Noto Sans CJK TC"}, ("DejaVu Sans", "Noto Sans CJK TC")),
    ("for names in English too", "en", {"WenQuanYi Micro Hei"}, ("DejaVu Sans", "WenQuanYi Micro Hei")),
]


@pytest.mark.parametrize(("language", "installed", "fonts"), [case[1:] for case in FONTS], ids=[case[0] for case in FONTS])
def test_which_fonts(language: str, installed: set[str], fonts: tuple[str, ...]) -> None:
    """The plain one is always there."""
    assert fonts_for(language, installed) == fonts


TITLES: list[tuple[str, str, str]] = [
    ("all of it", "Tencent 0700.HK", "Tencent 0700.HK"),
    ("Chinese names between", "Tencent · 騰訊 / 腾讯 · 0700.HK", "Tencent · 0700.HK"),
    ("a Chinese name at its end", "Tencent 騰訊", "Tencent"),
    ("a Chinese name at its start", "騰訊 · Tencent", "Tencent"),
    ("a Chinese name alone", "騰訊", ""),
    ("a joint of its own", "AT&T / Verizon", "AT&T / Verizon"),
]


@pytest.mark.parametrize(("title", "out"), [case[1:] for case in TITLES], ids=[case[0] for case in TITLES])
def test_a_title_without_what_cannot_be_drawn(title: str, out: str) -> None:
    """Whole words go, and no joint is left dangling."""
    assert drawable(title, frozenset(range(32, 256))) == out


def test_the_title_of_a_firm() -> None:
    """With its English name, for that can be drawn anywhere."""
    assert title_of(TENCENT, Look()) == "Tencent · 騰訊 · 0700.HK"
    assert title_of(None, Look(language="zh-Hans")) == "所有公司"


def test_without_matplotlib_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is optional."""
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(PictureError, match=r"regwatch\[plot\]"):
        timeline_png(a_line(), "Tencent")


def test_a_time_line_of_nothing_has_no_picture() -> None:
    """An empty frame would say nothing."""
    with pytest.raises(ValueError, match="without steps"):
        timeline_png(TimelineView("month", (), (), 0, Coverage(1, 1)), "Tencent")


def test_the_same_view_gives_the_same_picture() -> None:
    """To the byte: no time of drawing in it."""
    assert timeline_png(a_line(), "Tencent") == timeline_png(a_line(), "Tencent")
