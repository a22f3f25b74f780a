"""Which texts the difference of two registers may concern; and that every other text is read as before."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.extract import FirmIndex, extract
from bot.touched import MOST, touched
from storage.firms import _register
from storage.models import AliasKind, FirmKind, OwnershipKind, Strength
from storage.records import AliasRow, DocumentText, FirmRow, OwnershipRow, Register, RegulatorRow, Touched
from storage.text import fold
from tests.builders import SMALL

OWNED = OwnershipKind.OWNED_BY


def without(name: str) -> tuple[AliasRow, ...]:
    return tuple(alias for alias in SMALL.aliases if alias.text != name)


def renamed(firm_id: str, **fields: object) -> tuple[FirmRow, ...]:
    return tuple(replace(firm, **fields) if firm.id == firm_id else firm for firm in SMALL.firms)  # type: ignore[arg-type]


def other(**parts: object) -> Register:
    return replace(SMALL, version="other", **parts)  # type: ignore[arg-type]


def edge(child: str, parent: str, kind: OwnershipKind = OWNED, **fields: date) -> OwnershipRow:
    return OwnershipRow(child, parent, kind, **fields)


NEW = FirmRow("blue-harbour", "Blue Harbour")
DATED = replace(SMALL, ownerships=(*SMALL.ownerships, edge("tencent", "bytedance", from_on=date(2020, 1, 1))))

CASES: list[tuple[str, Register, Register, set[str], set[str], set[str]]] = [
    # what differs, before, after, firms, pieces that it must have, pieces that it must not have
    (
        "an edge touches both ends and what is below, not what else the owner has",
        SMALL,
        other(ownerships=(*SMALL.ownerships, edge("alibaba", "tencent"))),
        {"alibaba", "tencent"},
        {"alibaba", "alipay", "腾讯"},
        {"bytedance", "tiktok"},
    ),
    (
        "an edge that ended",
        DATED,
        replace(DATED, version="other", ownerships=(*SMALL.ownerships, edge("tencent", "bytedance", to_on=date(2021, 1, 1)))),
        {"tencent", "bytedance"},
        {"腾讯", "bytedance"},
        {"alibaba"},
    ),
    ("an edge that is gone", DATED, other(), {"tencent", "bytedance"}, {"腾讯"}, {"alibaba"}),
    (
        "an edge with another date",
        DATED,
        replace(DATED, version="other", ownerships=(*SMALL.ownerships, edge("tencent", "bytedance", from_on=date(2019, 1, 1)))),
        {"tencent", "bytedance"},
        {"腾讯"},
        {"alibaba"},
    ),
    ("a name that is gone, by that name too", SMALL, other(aliases=without("阿里巴巴")), {"alibaba"}, {"阿里巴巴", "alibaba"}, {"alipay"}),
    (
        "a name of another strength",
        SMALL,
        other(aliases=tuple(replace(one, strength=Strength.WEAK) if one.text == "腾讯" else one for one in SMALL.aliases)),
        {"tencent"},
        {"腾讯"},
        {"alibaba"},
    ),
    (
        "a new firm",
        SMALL,
        other(firms=(*SMALL.firms, NEW), aliases=(*SMALL.aliases, AliasRow("blue-harbour", "Blue Harbour"))),
        {"blue-harbour"},
        {"harbour"},
        {"alibaba"},
    ),
    (
        "a new name in Traditional Chinese, found by the fold",
        SMALL,
        other(aliases=(*SMALL.aliases, AliasRow("tencent", "騰訊控股"))),
        {"tencent"},
        {"腾讯"},
        {"alibaba"},
    ),
    (
        "a ticker, by its number",
        SMALL,
        other(aliases=(*SMALL.aliases, AliasRow("bytedance", "9999.HK", AliasKind.TICKER))),
        {"bytedance"},
        {"9999"},
        {"alibaba"},
    ),
    ("a firm of another kind, with all below it", SMALL, other(firms=renamed("alibaba", country="HK")), {"alibaba"}, {"alipay"}, {"腾讯"}),
    (
        "two changes at once, both",
        SMALL,
        other(firms=renamed("tencent", kind=FirmKind.BRAND), aliases=without("Alibaba")),
        {"tencent", "alibaba"},
        {"alibaba", "腾讯"},
        {"tiktok"},
    ),
]


@pytest.mark.parametrize(("before", "after", "firms", "pieces", "no_pieces"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_differs(before: Register, after: Register, firms: set[str], pieces: set[str], no_pieces: set[str]) -> None:
    """The other way round it is the same texts."""
    what = touched(before, after)
    assert what.firms == firms
    assert pieces <= what.pieces
    assert not what.pieces & no_pieces
    assert touched(after, before) == what


NOTHING: list[tuple[str, Register]] = [
    ("the same", SMALL),
    ("the same in another order", other(aliases=SMALL.aliases[::-1], firms=SMALL.firms[::-1])),
    ("a note", other(firms=renamed("tencent", note="of Shenzhen"))),
    ("where a name came from", other(aliases=tuple(replace(one, source="gleif") for one in SMALL.aliases))),
]


@pytest.mark.parametrize("after", [case[1] for case in NOTHING], ids=[case[0] for case in NOTHING])
def test_what_no_text_can_tell_touches_nothing(after: Register) -> None:
    assert not touched(SMALL, after)


EVERYTHING: list[tuple[str, Register]] = [
    ("a regulator's name", other(regulators=(replace(SMALL.regulators[0], aliases=("CAC",)), *SMALL.regulators[1:]))),
    ("a new regulator", other(regulators=(*SMALL.regulators, RegulatorRow("sg-mas", "Monetary Authority of Singapore")))),
    ("a list of many", other(aliases=(*SMALL.aliases, *(AliasRow("tencent", f"Firm{number}") for number in range(MOST))))),
    ("a name of which no piece is told", other(aliases=(*SMALL.aliases, AliasRow("tencent", "&")))),
]


@pytest.mark.parametrize("after", [case[1] for case in EVERYTHING], ids=[case[0] for case in EVERYTHING])
def test_what_may_be_in_any_text(after: Register) -> None:
    assert touched(SMALL, after) == Touched(is_everything=True)


# --- the rule: a text that is not concerned is read as before ----------------------------------------------------------

_WORDS = {
    "alfa": ("Alfa Holdings", "Alfa", "阿尔法集团"),
    "brook": ("Brook Marine", "Brook", "溪流科技"),
    "cobalt": ("Cobalt Pay", "钴付宝", "Brook"),
    "delta": ("Delta Bank of Commerce", "Delta Bank", "三角洲银行"),
}
_BODIES = (RegulatorRow("us-sec", "Securities and Exchange Commission", "", ("SEC",), (), "US"), SMALL.regulators[1])
_TEXTS = (
    "The SEC fined {0} and {1} $3 million for late filings.",
    "The SEC has sued {0}, a subsidiary of {1}, for fraud. {1} denied it.",
    "SEC charges {0} with misleading investors; {0} Inc. settled for $2 million.",
    "市场监管总局对{0}处以罚款500万元。{1}未受处罚。",
    "{0} said that {1} was fined by the SEC in 2020.",
)


@st.composite
def registers(draw: st.DrawFn) -> Register:
    """Some of the firms, with some of their names in some strength, and some edges among them."""
    ids = draw(st.lists(st.sampled_from(sorted(_WORDS)), unique=True, min_size=1))
    kinds = st.sampled_from([FirmKind.COMPANY, FirmKind.BRAND])
    firms = [FirmRow(one, _WORDS[one][0], kind=draw(kinds), country=draw(st.sampled_from(["", "US", "CN"]))) for one in ids]
    strengths = st.sampled_from([Strength.STRONG, Strength.WEAK])
    aliases = [
        AliasRow(one, name, strength=draw(strengths))
        for one in ids
        for name in draw(st.lists(st.sampled_from(_WORDS[one]), unique=True, min_size=1))
    ]
    pairs = draw(st.lists(st.tuples(st.sampled_from(ids), st.sampled_from(ids)), max_size=3, unique=True))
    edge_kinds = st.sampled_from([OwnershipKind.OWNED_BY, OwnershipKind.BRAND_OF])
    starts = st.sampled_from([None, date(2019, 1, 1), date(2022, 1, 1)])
    edges = {(child, parent): OwnershipRow(child, parent, draw(edge_kinds), draw(starts)) for child, parent in pairs if child < parent}
    return _register(firms, aliases, edges.values(), _BODIES)


@st.composite
def texts(draw: st.DrawFn) -> DocumentText:
    names = st.sampled_from([*(name for listed in _WORDS.values() for name in listed), "Granite Voice", "巨岩语音"])
    told = " ".join(draw(st.sampled_from(_TEXTS)).format(draw(names), draw(names)) for _ in range(draw(st.integers(1, 2))))
    return DocumentText("", told, None, None, "us-sec")


@settings(max_examples=250)
@given(registers(), registers(), st.lists(texts(), min_size=1, max_size=4))
def test_a_text_that_is_not_concerned_is_read_as_before(before: Register, after: Register, said: list[DocumentText]) -> None:
    """And one that is read otherwise is always among those concerned."""
    what = touched(before, after)
    old, new = FirmIndex(before), FirmIndex(after)
    for text in said:
        folded = fold(text.whole)
        if not what.is_everything and not any(piece in folded for piece in what.pieces):
            assert extract(text, old) == extract(text, new), (what, text)
