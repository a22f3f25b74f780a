"""Typeahead: what is offered while somebody types, in which order, and how quickly."""

from __future__ import annotations

import time
from datetime import date
from functools import cache
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.feeds.catalog import load_catalogue
from bot.slack.picker import LONGEST_LABEL, MOST_OPTIONS, FirmPicker, Option, zones
from storage.firms import shipped_register
from storage.models import AliasKind, FirmKind, OwnershipKind
from storage.records import AliasRow, FirmRow, OwnershipRow, Register
from tests.benchmarks.bench_extract import padded


@cache
def shipped() -> Register:
    return shipped_register(load_catalogue().regulators)


@cache
def picker() -> FirmPicker:
    return FirmPicker(shipped())


def small(*firms: FirmRow, aliases: tuple[AliasRow, ...] = (), edges: tuple[OwnershipRow, ...] = ()) -> FirmPicker:
    return FirmPicker(Register("1", firms, aliases, edges, ()))


FIRST: list[tuple[str, str, str]] = [
    ("two characters of Simplified Chinese", "腾讯", "tencent"),
    ("two characters of Traditional Chinese", "騰訊", "tencent"),
    ("the beginning of a name", "tence", "tencent"),
    ("in any case, with accents that it lacks", "TÈNCENT", "tencent"),
    ("a ticker", "0700.hk", "tencent"),
    ("a ticker with a dollar, in part", "$tceh", "tencent"),
    ("a ticker without its zero", "700.HK", "tencent"),
    ("full-width letters", "ｔｅｎｃｅｎｔ", "tencent"),
    ("a word in the middle", "cloud music", "netease-cloud-music"),
    ("words apart", "netease music", "netease-cloud-music"),
    ("words the other way round", "music netease", "netease-cloud-music"),
    ("a name with a space at its end", "tencent ", "tencent"),
    ("the middle of a Chinese name", "里巴巴", "alibaba"),
    ("with a quote that is never closed", "“tencent", "tencent"),
]


@pytest.mark.parametrize(("typed", "firm_id"), [case[1:] for case in FIRST], ids=[case[0] for case in FIRST])
def test_what_is_typed_finds_its_firm_first(typed: str, firm_id: str) -> None:
    """Whatever script, case or part of the name."""
    assert picker().options(typed)[0].value == firm_id


def test_the_best_match_stands_first() -> None:
    """An exact name, then names that begin so, then a word that does, then all words, then the middle of a word."""
    firms = [
        FirmRow(id_, name)
        for id_, name in [
            ("middle", "Barclay"),
            ("word", "First Arc"),
            ("begins", "Arc Light"),
            ("exact", "Arc"),
            ("longer", "Arc Light Holdings"),
            ("dotted", "St.Arc"),
        ]
    ]
    assert [option.value for option in small(*firms).options("arc")] == ["exact", "begins", "longer", "dotted", "word", "middle"]
    assert [option.value for option in small(*firms).options("light arc")] == ["begins", "longer"]


def test_each_firm_is_offered_once_and_says_which_name_was_found() -> None:
    """By its best name; the name is told only where the label does not show it."""
    firm = FirmRow("meta", "Meta Platforms", "脸书", "臉書", tickers=("META",))
    names = (AliasRow("meta", "Facebook"), AliasRow("meta", "Facebook, Inc.", AliasKind.LEGAL), AliasRow("gone", "Facebook"))
    found = small(firm, aliases=names)
    assert found.options("face") == (Option("Meta Platforms 臉書 META", "meta", "Facebook"),)
    assert found.options("met") == (Option("Meta Platforms 臉書 META", "meta"),)
    assert found.options("脸") == (Option("Meta Platforms 臉書 META", "meta"),)


def test_a_brand_says_whose_it_is() -> None:
    """By the edge that has no end; the owner stays when the name is cut."""
    brand, owner, seller = FirmRow("b", "B" * 90, kind=FirmKind.BRAND), FirmRow("o", "Owner"), FirmRow("s", "Seller")
    edges = (
        OwnershipRow("b", "s", OwnershipKind.BRAND_OF, to_on=date(2020, 1, 1)),
        OwnershipRow("b", "o", OwnershipKind.BRAND_OF, from_on=date(2020, 1, 1)),
        OwnershipRow("o", "s", OwnershipKind.OWNED_BY),
        OwnershipRow("s", "unknown", OwnershipKind.BRAND_OF),
    )
    (option,) = small(brand, owner, seller, edges=edges).options("bbb")
    assert option.label == "B" * 66 + "… (Owner)"
    assert len(option.label) <= LONGEST_LABEL
    assert small(brand, owner, seller, edges=edges).options("own") == (Option("Owner", "o"),)
    wechat = next(option for option in picker().options("wechat") if option.value == "wechat")
    assert wechat.label == "WeChat 微信 (Tencent)"


def test_nothing_typed_offers_nothing() -> None:
    """Nor do marks alone, nor a firm that Slack could not carry back."""
    assert [picker().options(typed) for typed in ("", "  ", "?!", "&", "\u200b", "qqqqzzzz")] == [()] * 6
    assert small(FirmRow("x" * 151, "Long")).options("long") == ()
    assert small(FirmRow("x", "+++")).options("+") == ()
    assert len(picker().options("a")) == MOST_OPTIONS
    assert len(picker().options("a", 5)) == 5


def test_an_option_is_what_slack_takes() -> None:
    """Plain text within its limits, no description where there is none."""
    assert Option("Meta", "meta").block() == {"text": {"type": "plain_text", "text": "Meta", "emoji": False}, "value": "meta"}
    assert Option("Meta", "meta", "Facebook").block()["description"] == {"type": "plain_text", "text": "Facebook", "emoji": False}


NAMES = st.text(st.characters(), min_size=1, max_size=100)


@given(NAMES, NAMES, st.text(max_size=6))
def test_any_names_and_any_text_give_options_that_fit(name: str, other: str, typed: str) -> None:
    """Whatever the register holds: labels and descriptions are never empty, never too long."""
    found = small(FirmRow("a", name, "騰訊", tickers=(other,)), FirmRow("b", other), aliases=(AliasRow("b", name),))
    for text in (typed, name, other):
        options = found.options(text)
        assert len({option.value for option in options}) == len(options)
        for option in options:
            assert 0 < len(option.label.encode("utf-16-le", "surrogatepass")) // 2 <= LONGEST_LABEL
            assert len(option.description) <= LONGEST_LABEL
            assert option.label.strip()


@given(st.sampled_from(shipped().aliases), st.integers(1, 12))
def test_a_name_is_found_by_its_beginning(alias: AliasRow, length: int) -> None:
    """Every name of the register, while it is typed; only where more firms share the letters than fit may it be missing."""
    options = picker().options(alias.text[:length])
    assert not options or len(options) == MOST_OPTIONS or alias.firm_id in {option.value for option in options}


ZONES: list[tuple[str, str, str]] = [
    ("a city", "taipei", "Asia/Taipei"),
    ("a city in part", "Berl", "Europe/Berlin"),
    ("a city of two words", "new york", "America/New_York"),
    ("a word of a city", "york", "America/New_York"),
    ("the whole name", "Asia/Hong_Kong", "Asia/Hong_Kong"),
    ("a city without a zone of its own", "beijing", "Asia/Shanghai"),
    ("another", "Frankfurt", "Europe/Berlin"),
    ("a city in Traditional Chinese", "東京", "Asia/Tokyo"),
    ("a city in Simplified Chinese", "东京", "Asia/Tokyo"),
    ("an abbreviation", "HKT", "Asia/Hong_Kong"),
    ("an accent", "Zürich", "Europe/Zurich"),
    ("the middle of a word", "uenos", "America/Argentina/Buenos_Aires"),
    ("universal time", "utc", "UTC"),
]


@pytest.mark.parametrize(("typed", "zone"), [case[1:] for case in ZONES], ids=[case[0] for case in ZONES])
def test_a_zone_is_found_by_its_city(typed: str, zone: str) -> None:
    """In any case and either script; its IANA name is what is kept."""
    assert zones(typed)[0].value == zone


def test_zones_are_real_and_few() -> None:
    """Each once, at most a hundred, none for nothing; places that we name have a zone."""
    from bot.slack.picker import _PLACES

    assert set(_PLACES) <= available_timezones()
    for typed in ("a", "america", "e", "中国"):
        found = [option.value for option in zones(typed)]
        assert 0 < len(found) <= MOST_OPTIONS
        assert len(set(found)) == len(found)
        assert set(found) <= available_timezones()
    assert zones("") == zones("??") == zones("atlantis") == ()
    assert len(zones("a", 3)) == 3


def test_a_keystroke_is_answered_at_once() -> None:
    """With twice the names that we ship, the slowest of these takes less than 50 ms of one core; 2 ms are usual."""
    large = FirmPicker(padded(shipped(), 30_000))
    times = []
    for typed in ("te", "tencent", "騰訊", "co", "ltd", "有限公司", "qzqzq", "bank china", "a", "700"):
        began = time.thread_time()
        large.options(typed)
        times.append(time.thread_time() - began)
    assert max(times) < 0.05
