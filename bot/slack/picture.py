"""The time line as a picture for Slack: how many actions in each step of time, coloured by how severe they were.

Drawn with matplotlib's objects alone, so that no state is shared and any thread may draw. matplotlib belongs to the extra
`plot` and is imported where it is used: it costs 57 MB. `bot.slack.figures.timeline` says the same in words and blocks.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import bot.slack.text as t
from bot.slack.blocks import Look
from bot.slack.figures import step_name
from bot.slack.replies import counted
from storage.models import Kind
from storage.views import FirmView, TimelineView

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.font_manager import FontProperties

WIDTH, HEIGHT, DPI = 8.0, 4.2, 150
"""Inches and dots an inch: 1,200 x 630, which Slack shows at about half the width."""

LONGEST_TITLE = 60
_TICKS = 7  # labels under the bars, so that they never touch
_EVERY = {"month": (1, 2, 3, 6, 12), "quarter": (1, 2, 4, 8), "year": (1, 2, 5, 10, 20, 50, 100, 500)}
_INK, _FAINT, _GRID = "#1d1c1d", "#616061", "#dddddd"

_GROUPS: tuple[tuple[str, str, Kind], ...] = (
    ("Fine, suspension or ban", "#7f0000", Kind.FINE),
    ("Lawsuit, proposed penalty or settlement", "#d7301f", Kind.LAWSUIT),
    ("Investigation, warning or order", "#fc8d59", Kind.INVESTIGATION),
    ("Talks, rules and guidance", "#fdd49e", Kind.SPEECH),
)
"""Words, colour and mildest kind of each group, the severest first. The colours are a scale from light to dark (ColorBrewer's OrRd),
so that they are told apart by whoever sees colours otherwise, and in grey."""
_BESIDE = ("Without severity", "#9aa5b1")
_UNTOLD = ("Older, not told apart", "#dfe3e8")

_CHINESE_FONTS = {
    "zh-Hant": ("Noto Sans CJK TC", "Noto Sans TC", "Source Han Sans TC", "PingFang TC", "Microsoft JhengHei"),
    "zh-Hans": ("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei"),
}
_ANY_CHINESE_FONT = (
    "Noto Sans CJK JP",
    "Noto Sans CJK HK",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Droid Sans Fallback",
    "Arial Unicode MS",
)
_PLAIN_FONT = "DejaVu Sans"  # comes with matplotlib


class PictureError(Exception):
    """No picture can be drawn here; the text says what to do."""


def timeline_png(view: TimelineView, title: str, language: str = "en") -> bytes:
    """A PNG of a time line. `title` is whose it is, with an English name in it: "Tencent · 騰訊 · 0700.HK".

    Where no font with Chinese characters is installed, the words are English and what cannot be drawn is left out of the
    title. Raises PictureError when matplotlib is not installed, ValueError for a view without steps.
    """
    if not view.steps:
        raise ValueError("a time line without steps has no picture")
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.font_manager import FontProperties, fontManager
    except ImportError as error:
        raise PictureError("Pictures need matplotlib: pip install 'regwatch[plot]'") from error
    fonts = fonts_for(language, {font.name for font in fontManager.ttflist})
    look = Look(language=language if len(fonts) > 1 else "en")
    figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)

    def words(size: float, weight: str = "normal") -> FontProperties:
        return FontProperties(family=list(fonts), size=size, weight=weight)

    drawn = drawable(t.clean(title), _characters(words(17, "bold"))) or look.say("Time line")
    head = figure.text(0.035, 0.945, drawn, fontproperties=words(17, "bold"), color=_INK, va="center", parse_math=False)
    for length in range(LONGEST_TITLE, 1, -1):
        head.set_text(t.cut(drawn, length))
        if head.get_window_extent().width <= 0.93 * WIDTH * DPI:
            break
    figure.text(0.035, 0.865, _subtitle(view, look), fontproperties=words(11.5), color=_FAINT, va="center", parse_math=False)
    axes = figure.add_axes((0.075, 0.33, 0.86, 0.465))
    labels = _bars(axes, view, look)
    _ticks(axes, view, look, words(11))
    keys = [_swatch(colour) for _, colour, _ in labels]
    legend = figure.legend(
        keys,
        [f"{name}: {count:,}" for name, _, count in labels],
        loc="upper left",
        bbox_to_anchor=(0.028, 0.2),
        ncols=2,
        frameon=False,
        prop=words(11),
        handlelength=1.0,
        handleheight=1.0,
        columnspacing=2.0,
        labelspacing=0.45,
        borderpad=0,
    )
    for text in legend.get_texts():
        text.set_color(_INK)
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def title_of(firm: FirmView | None, look: Look) -> str:
    """The title of a firm's picture (None: of all), and what it is called where pictures are not seen: Tencent · 騰訊 · 0700.HK."""
    if firm is None:
        return look.say("All firms")
    return " · ".join(dict.fromkeys(name for name in (firm.name, firm.name_zh_hant or firm.name_zh_hans, *firm.tickers[:1]) if name))


def fonts_for(language: str, installed: set[str]) -> tuple[str, ...]:
    """The families to draw with: the plain one and, where one is installed, one that has Chinese characters, in the right script."""
    own = _CHINESE_FONTS.get(language, _CHINESE_FONTS["zh-Hant"])
    others = [name for names in _CHINESE_FONTS.values() for name in names]
    chinese = next((name for name in (*own, *others, *_ANY_CHINESE_FONT) if name in installed), None)
    return (_PLAIN_FONT, chinese) if chinese else (_PLAIN_FONT,)


def _characters(fonts: FontProperties) -> frozenset[int]:
    """What the families can draw between them."""
    from matplotlib.font_manager import FontProperties, fontManager, get_font

    files = [fontManager.findfont(FontProperties(family=family, weight="bold")) for family in fonts.get_family()]
    return frozenset(char for file in files for char in get_font(file).get_charmap())


def drawable(text: str, characters: frozenset[int]) -> str:
    """The words of the text that can be drawn; joints between words that are gone go with them."""
    kept = " ".join(word for word in text.split() if all(ord(char) in characters for char in word))
    return re.sub(r"^[\s·/|,;-]+|[\s·/|,;-]+$", "", re.sub(r"(?: [·/|])+ (?=[·/|] )", " ", kept))


def _subtitle(view: TimelineView, look: Look) -> str:
    first, last = (step_name(view.steps[at][0], view.unit, look) for at in (0, -1))
    many = counted(view.total, "{} action", "{} actions", look)
    units = {"month": look.say("{} by month, {}"), "quarter": look.say("{} by quarter, {}"), "year": look.say("{} by year, {}")}
    span = first if first == last else look.say("{} to {}").format(first, last)
    return units[view.unit].format(many, span)


def _bars(axes: Axes, view: TimelineView, look: Look) -> list[tuple[str, str, int]]:
    """Draws a bar for each step, the severest at its foot; gives (words, colour, count) of the groups that there are."""
    starts = [on for on, _ in view.steps]
    rows: dict[str, Counter[int]] = {}
    for point in view.points:
        rows.setdefault(_group(point.kind), Counter())[_step_of(point.on, starts)] += 1
    told = Counter[int]()
    for counts in rows.values():
        told.update(counts)
    rows[_UNTOLD[0]] = Counter({at: count - told[at] for at, (_, count) in enumerate(view.steps) if count > told[at]})
    colours = {**{name: colour for name, colour, _ in _GROUPS}, **dict((_BESIDE, _UNTOLD))}
    below = [0] * len(starts)
    labels = []
    for name, colour in colours.items():
        counts = rows.get(name, Counter())
        if not counts.total():
            continue
        heights = [counts[at] for at in range(len(starts))]
        axes.bar(range(len(starts)), heights, bottom=below, width=0.82, color=colour, edgecolor="white", linewidth=0.6)
        below = [low + height for low, height in zip(below, heights, strict=True)]
        labels.append((look.say(name), colour, counts.total()))
    return labels


def _group(kind: Kind) -> str:
    if kind.severity is None:
        return _BESIDE[0]
    return next(name for name, _, mildest in _GROUPS if kind.severity >= (mildest.severity or 0))


def _step_of(on: date, starts: Sequence[date]) -> int:
    """The last step that began by then."""
    return max(sum(start <= on for start in starts) - 1, 0)


def _ticks(axes: Axes, view: TimelineView, look: Look, fonts: FontProperties) -> None:
    """Whole numbers at the left, and so many names of steps below that they do not touch, the last one among them."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    count = len(view.steps)
    # so that the names are those of one quarter, or one month
    every = next(size for size in _EVERY[view.unit] if size * _TICKS >= count)
    places = list(range(count - 1, -1, -every))[::-1]
    axes.set_xlim(-0.7, max(count, 8) - 0.3)
    axes.set_xticks(places, [step_name(view.steps[at][0], view.unit, look) for at in places], fontproperties=fonts)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True, min_n_ticks=1))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / 1_000:,.0f}k" if value >= 10_000 else f"{value:,.0f}"))
    highest = max(step[1] for step in view.steps)
    axes.set_ylim(0, max(highest * 1.08, 1.08))
    axes.tick_params(length=0, colors=_FAINT, labelsize=11)
    for label in axes.get_yticklabels():
        label.set_fontproperties(fonts)
    axes.grid(axis="y", color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(_FAINT)


def _swatch(colour: str) -> Any:
    from matplotlib.patches import Patch

    return Patch(facecolor=colour, edgecolor="#bbbbbb", linewidth=0.6)
