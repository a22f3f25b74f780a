"""What joins documents into an action and actions into a case: the pure rules, with what speaks against a join first."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import Store
from storage.joining import (
    Shape,
    Title,
    is_of_cited_case,
    link_keys,
    links_cited,
    others_cited,
    penalties,
    same_action,
    title_of,
)
from storage.models import AmountKind, AmountScope, Kind, Tier
from tests.fakes.polls import NOON, act, entry, follow, furnish, money, poll

DAY = date(2021, 3, 19)
WHOLE, EACH = AmountScope.WHOLE, AmountScope.EACH


def shape(title: str = "First Bank is fined", language: str = "en", tier: Tier = Tier.PRIMARY, **fields: Any) -> Shape:
    """A fine of First Bank by the SEC, as one document tells it. `sums` are millions of dollars, or (millions, currency, scope)."""
    sums = fields.pop("sums", ())
    values = {
        "kind": Kind.FINE,
        "regulators": frozenset(["us-sec"]),
        "number": None,
        "on": DAY + timedelta(days=fields.pop("days", 0)),
        "targets": dict.fromkeys(fields.pop("firms", ["first-bank"])),
        "stated_count": None,
        "titles": (title_of(title, language, tier),),
        "sums": frozenset((Decimal(one), "USD", WHOLE) if isinstance(one, str) else (Decimal(one[0]), *one[1:]) for one in sums),
    }
    return Shape(**{**values, **fields})


PRESS = {"tier": Tier.SECONDARY}

PAIRS: list[tuple[str, dict[str, Any], dict[str, Any], str | None]] = [
    ("sums far apart are two acts, whatever the titles", {"sums": ["6"]}, {"sums": ["1.5"]}, None),
    ("sums far apart are two acts in two languages, too", {"sums": ["6"]}, {"sums": ["1.5"], "language": "zh"}, None),
    ("a rounded sum is the same", {"sums": ["27.77"]}, {"sums": ["28"]}, "firms"),
    ("a sum in another currency says nothing", {"sums": ["6"]}, {"sums": [("38", "CNY", WHOLE)]}, "firms"),
    ("a sum per firm says nothing of the whole", {"sums": [("0.5", "USD", EACH)]}, {"sums": ["6"]}, "firms"),
    ("one of several sums is enough", {"sums": ["6", "2"]}, {"sums": ["2"]}, "firms"),
    ("a sum on one side only says nothing", {"sums": ["6"]}, {}, "firms"),
    (
        "under one number, far apart in time and sum: decided again",
        {"number": "A", "sums": ["6"]},
        {"number": "A", "sums": ["1"], "days": 900},
        None,
    ),
    (
        "under one number, far apart in time alone: one act",
        {"number": "A", "sums": ["6"]},
        {"number": "A", "sums": ["6"], "days": 900},
        "number",
    ),
    (
        "under one number within days, another sum: one act",
        {"number": "A", "sums": ["6"]},
        {"number": "A", "sums": ["1"], "days": 1},
        "number",
    ),
    ("the third batch is not the fourth", {"title": "通报（第三批）"}, {"title": "通报（第四批）"}, None),
    ("nor in two tiers", {"title": "通报（第三批）"} | PRESS, {"title": "通报（第四批）"}, None),
    ("No. 12 is not No. 13", {"title": "List of actions, No. 12"}, {"title": "List of actions, No. 13"} | PRESS, None),
    ("a batch that one title leaves out says nothing", {"title": "App list, batch 3"}, {"title": "App list"}, "firms"),
    (
        "two notices whose titles differ in a word are two acts",
        {"title": "First Bank fined for late filings"},
        {"title": "First Bank fined for late reports"},
        None,
    ),
    ("a notice and a longer title of it are one", {"title": "First Bank fined"}, {"title": "First Bank fined for filings"}, "firms"),
    ("two notices alike, two days apart, are two acts", {}, {"days": 2}, None),
    ("two notices alike, a day apart, are copies", {}, {"days": 1}, "firms"),
    (
        "a report need only be similar",
        {"title": "First Bank fined for late filings"},
        {"title": "First Bank fined for late reports"} | PRESS,
        "firms",
    ),
    (
        "a report under a strange title that tells the sum is of the act",
        {"sums": ["6"]},
        {"title": "Lender pays up", "sums": ["6"]} | PRESS,
        "firms",
    ),
    ("a report under a strange title that tells none is not", {"sums": ["6"]}, {"title": "Lender pays up"} | PRESS, None),
    (
        "two strange titles of the body itself are two acts, the sum being the same",
        {"sums": ["6"]},
        {"title": "Lender pays up", "sums": ["6"]},
        None,
    ),
    ("two languages need no title", {}, {"title": "处罚决定", "language": "zh-Hans", "days": 3}, "firms"),
    ("two scripts are one language", {"title": "處罰甲銀行", "language": "zh-Hant"}, {"title": "处罚乙", "language": "zh-Hans"}, None),
]


@pytest.mark.parametrize(("one", "other", "reason"), [row[1:] for row in PAIRS], ids=[row[0] for row in PAIRS])
def test_what_speaks_for_and_against_a_join(one: dict[str, Any], other: dict[str, Any], reason: str | None) -> None:
    for pair in ((one, other), (other, one)):
        join = same_action(*(shape(**fields) for fields in pair))
        assert (join.reason if join else None) == reason


def test_a_table_of_sums_tells_no_acts_apart() -> None:
    """A text that prints thousands must not be compared with another one that does."""
    tables = [[str(start + at) for at in range(60)] for start in (1, 100_000)]
    join = same_action(shape(sums=tables[0]), shape(sums=tables[1]))
    assert join is not None
    assert join.reason == "firms"


def test_a_title_of_digits_alone_is_looked_at_in_no_time() -> None:
    assert title_of("1" * 200_000, "en", Tier.PRIMARY).series == set()


def test_turnover_and_deal_value_tell_no_acts_apart() -> None:
    told = [(kind, Decimal(9), "USD", WHOLE) for kind in AmountKind] + [(AmountKind.IMPOSED, Decimal(1), None, WHOLE)]
    assert penalties(told) == {(Decimal(9), "USD", WHOLE)}
    assert penalties(one for one in told if one[0] in (AmountKind.TURNOVER, AmountKind.DEAL_VALUE)) == frozenset()


@pytest.mark.parametrize(
    ("title", "series"),
    [
        ("关于下架APP的通报（第三批）", {"三批"}),
        ("关于下架APP的通報（第３批）", {"3批"}),
        ("List of warnings, No. 12", {"no. 12"}),
        ("Enforcement round 3 (2)", {"round 3", "(2)"}),
        ("11 firms summoned", set()),
        ("Fined £27.7 million", set()),
    ],
)
def test_what_says_which_one_of_a_series_a_title_is(title: str, series: set[str]) -> None:
    assert title_of(title, "en", Tier.PRIMARY).series == series


SHAPES = st.builds(
    Shape,
    kind=st.sampled_from([Kind.FINE, Kind.BAN]),
    regulators=st.frozensets(st.sampled_from(["us-sec", "cn-cac"]), max_size=2),
    number=st.sampled_from([None, "A-1", "A-2"]),
    on=st.sampled_from([None, *(DAY + timedelta(days=days) for days in (0, 2, 3, 5, 90))]),
    targets=st.dictionaries(st.sampled_from(["a", "b", "c"]), st.sampled_from([None, "x", "y"]), max_size=3),
    stated_count=st.sampled_from([None, 11, 12]),
    titles=st.lists(
        st.builds(
            Title,
            language=st.sampled_from(["en", "zh", ""]),
            words=st.frozensets(st.sampled_from("abcd")),
            series=st.frozensets(st.sampled_from("12")),
            is_official=st.booleans(),
        ),
        max_size=2,
    ).map(tuple),
    sums=st.frozensets(st.tuples(st.sampled_from([Decimal(1), Decimal(5)]), st.just("USD"), st.just(WHOLE)), max_size=2),
)


@given(SHAPES, SHAPES)
def test_whatever_is_joined_shares_kind_and_body_and_never_has_two_numbers(one: Shape, other: Shape) -> None:
    join = same_action(one, other)
    back = same_action(other, one)
    assert (join and join.reason) == (back and back.reason)
    if join is None:
        return
    assert one.kind is other.kind
    assert one.regulators & other.regulators
    if one.number and other.number:
        assert one.number == other.number
        return
    assert one.on is not None
    assert other.on is not None
    assert abs((one.on - other.on).days) <= 3
    assert (set(one.targets) & set(other.targets)) or one.stated_count == other.stated_count


# --- citations ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "cited", "known", "leads"),
    [
        pytest.param("B", ["B", "A"], {"A", "B"}, ("A",), id="its own number is no citation"),
        pytest.param("B", ["A", "C"], {"A"}, (), id="two others, one of them unknown: a list"),
        pytest.param("B", ["A", "C"], {"A", "C"}, ("A", "C"), id="two others on record: their cases decide"),
        pytest.param(None, ["A", "C"], {"A"}, ("A", "C"), id="one unknown may be its own"),
        pytest.param(None, ["A", "C", "D"], {"A"}, (), id="two unknown may not"),
        pytest.param("B", ["A"], {"A"}, ("A",), id="one"),
        pytest.param("B", ["A", "A"], {"A"}, ("A",), id="one, twice"),
        pytest.param("B", [], {"A"}, (), id="none"),
    ],
)
def test_which_numbers_lead_to_a_case(own: str | None, cited: list[str], known: set[str], leads: tuple[str, ...]) -> None:
    assert others_cited(own, cited, known) == leads


@pytest.mark.parametrize(
    ("changes", "is_of"),
    [
        pytest.param({}, True, id="the same firm and body"),
        pytest.param({"firms": ["second-bank"]}, False, id="another firm"),
        pytest.param({"regulators": frozenset(["cn-cac"])}, False, id="another body's act: related, not the case"),
        pytest.param({"regulators": frozenset()}, True, id="no body known"),
        pytest.param({"regulators": frozenset(["cn-cac"]), "kind": Kind.ANNULMENT}, True, id="an annulment comes from another body"),
        pytest.param({"firms": [], "kind": Kind.CLOSED}, True, id="a closure may leave its firm unnamed"),
        pytest.param({"firms": [], "kind": Kind.CLOSED, "regulators": frozenset(["cn-cac"])}, False, id="not of another body, then"),
        pytest.param({"firms": [], "kind": Kind.RULE}, False, id="a rule is of no case"),
    ],
)
def test_which_citations_join(changes: dict[str, Any], is_of: bool) -> None:
    assert is_of_cited_case(shape(**changes), [shape()]) is is_of


@pytest.mark.parametrize(
    ("reading", "cited", "is_of"),
    [
        pytest.param({"sums": ["6"]}, {"sums": ["2"]}, False, id="a second fine of another sum: the first is what the firm did before"),
        pytest.param({"sums": ["6"]}, {"sums": ["6"]}, True, id="the same sum"),
        pytest.param({}, {"sums": ["2"]}, True, id="a fine without a sum says nothing against it"),
        pytest.param({"kind": Kind.APPEAL, "sums": ["6"]}, {"sums": ["2"]}, True, id="an appeal is of another kind"),
        pytest.param({"kind": Kind.INVESTIGATION}, {}, False, id="a probe does not continue a fine"),
        pytest.param({}, {"kind": Kind.INVESTIGATION}, True, id="a fine continues a probe"),
        pytest.param({"kind": Kind.INVESTIGATION}, {"firms": ["first-bank", "second-bank"], "kind": Kind.WARNING}, True,
                     id="a warning decides nothing"),
    ],
)  # fmt: skip
def test_what_a_firm_did_before_is_another_matter(reading: dict[str, Any], cited: dict[str, Any], is_of: bool) -> None:
    assert is_of_cited_case(shape(**reading), [shape(**cited)]) is is_of


def test_what_another_firm_of_the_case_did_says_nothing() -> None:
    case = [shape(kind=Kind.INVESTIGATION), shape(firms=["second-bank"], sums=["2"])]
    assert is_of_cited_case(shape(sums=["6"]), case)


@pytest.mark.parametrize(
    "url",
    [
        "https://body.example/news/1",
        "http://body.example/news/1/",
        "https://BODY.example:443/news/1?utm_source=rss&utm_medium=feed#top",
        "https://www.body.example/news/1",
    ],
)
def test_a_link_in_any_dress_is_the_address_of_its_page(url: str) -> None:
    assert "body.example/news/1" in link_keys(url)
    assert links_cited([url], "body.example/news/1", {"body.example/news/1"}) == ()
    assert links_cited([url], "body.example/news/2", {"body.example/news/1"}) == (url,)


def test_a_query_that_names_the_page_is_kept() -> None:
    assert "body.example/show?id=7" in link_keys("https://body.example/show?utm_source=x&id=7")
    assert "body.example/show" not in link_keys("https://body.example/show?id=7")


_NEWS = [f"https://body.example/news/{at}" for at in range(4)]
_ROUTINE = [f"https://body.example/{part}" for part in ("laws/act-1998", "forms/2021/a.pdf", "about/us", "contact/press", "rss/news")]


@pytest.mark.parametrize(
    ("links", "known", "leading"),
    [
        pytest.param(_NEWS, _NEWS[:1], [], id="a list leads nowhere, though but one of it is on record"),
        pytest.param([*_NEWS, "https://body.example/orders/1"], ["https://body.example/orders/1"], ["https://body.example/orders/1"],
                     id="an order beside a list of news is no part of the list"),
        pytest.param([_NEWS[0], *_ROUTINE], _NEWS, _NEWS[:1], id="one decision among five links of routine leads to it"),
        pytest.param(_NEWS[:3], _NEWS[:3], _NEWS[:3], id="three are no list yet"),
        pytest.param([_NEWS[0], *(f"https://body.example/News/{at}/order.pdf" for at in range(5))], _NEWS, _NEWS[:1],
                     id="five papers in PDF beside a page"),
        pytest.param([f"https://body.example/news/{at}.pdf" for at in range(4)], ["https://body.example/news/1.pdf"], [],
                     id="a list of papers"),
        pytest.param(_NEWS[:3], [], [], id="a page that is not on record leads nowhere"),
        pytest.param([f"https://body.example/{at}" for at in range(4)], ["https://body.example/1"], [],
                     id="pages without a folder are alike"),
        pytest.param([f"https://body.example/2021{at}/x" for at in range(4)], ["https://body.example/20211/x"], [],
                     id="folders that differ by their numbers are alike"),
        pytest.param([f"https://body.example/part-{at}/x" for at in "abcd"], [f"https://body.example/part-{at}/x" for at in "abcd"], [],
                     id="four pages on record are a list wherever they stand"),
        pytest.param([_NEWS[0], "http://www.body.example/news/0/", f"{_NEWS[0]}#top", *_NEWS[1:3]], _NEWS, _NEWS[:3],
                     id="one page in three dresses is one link"),
    ],
)  # fmt: skip
def test_which_links_lead_to_a_case(links: list[str], known: list[str], leading: list[str]) -> None:
    on_record = {url.removeprefix("https://") for url in known}
    assert links_cited(links, None, on_record) == tuple(leading)
    assert links_cited(links[::-1], None, on_record) or not leading, "their order says nothing"


@given(st.one_of(st.text(), st.text().map("http://".__add__), st.from_regex(r"https?://\[[0-9a-f:\]]{0,9}", fullmatch=True)))
def test_any_text_may_stand_where_a_link_is_expected(url: str) -> None:
    assert len(link_keys(url)) in (0, 2)
    assert links_cited([url], None, {*link_keys(url)}) == ((url,) if link_keys(url) else ())


# --- all of them are told --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("published", [NOON, None], ids=["of one day", "undated"])
async def test_notices_alike_of_one_firm_are_all_delivered(store: Store, published: Any) -> None:
    """Twelve decisions against one bank in one poll, alike but for a word: twelve alerts."""
    await furnish(store)
    await follow(store, "C1", "firm:first-bank")
    months = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")
    fines = [
        entry(
            f"First Bank fined for late filings of {month} under the Act",
            act(Kind.FINE, "first-bank", by=["us-sec"], amounts=[money("1", "USD")]),
            published=published,
        )
        for month in months
    ]
    outcome = await poll(store, "sec-litigation", *fines)
    assert (outcome.actions, outcome.owed) == (12, 12)
