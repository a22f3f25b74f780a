"""Lists of firms that users bring."""

from __future__ import annotations

import pytest

from bot.feeds.catalog import load_catalogue
from storage import StorageError
from storage.firms import shipped_register
from storage.lists import with_list
from storage.models import AliasKind, Strength
from storage.records import Register


@pytest.fixture(scope="module")
def register() -> Register:
    return shipped_register(load_catalogue().regulators)


def test_a_list_adds_its_firms_with_weak_names_unless_it_says_strong(register: Register) -> None:
    """Ids are made from the names, and never those of another firm."""
    more = with_list(
        register,
        "name,aliases,tickers,country,strength,cik\nGranite Voice Inc,Granite|巨岩语音,GRV,US,strong,1\nVisa,,,,,2\n巨石,,,,,3\n",
        "mine",
    )
    added = {firm.id: firm for firm in more.firms if firm not in register.firms}
    assert added["granite-voice-inc"].tickers == ("GRV",)
    names = {(alias.firm_id, alias.text): alias for alias in more.aliases if alias.source == "mine"}
    assert names["granite-voice-inc", "巨岩语音"].strength is Strength.STRONG
    assert names["granite-voice-inc", "GRV"].kind is AliasKind.TICKER
    assert names["visa-2", "Visa"].strength is Strength.WEAK
    assert len([firm for firm in added if firm not in ("granite-voice-inc", "visa-2")]) == 1
    assert more.version != register.version


def test_a_row_that_names_a_known_firm_adds_names_to_it(register: Register) -> None:
    """By any of its strong names; what is known already is not added twice."""
    more = with_list(register, "name,aliases\nTencent Holdings Limited,腾讯;Penguin Group of Shenzhen\n", "mine")
    assert more.firms == register.firms
    assert [(alias.firm_id, alias.text) for alias in more.aliases if alias.source == "mine"] == [("tencent", "Penguin Group of Shenzhen")]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("", "line 1: no column `name`", id="nothing"),
        pytest.param("firm,ticker\nA,B\n", "line 1: no column `name`", id="other columns"),
        pytest.param("name,strength\nA,mighty\n", "line 2: strength 'mighty'", id="an unknown strength"),
    ],
)
def test_a_list_that_cannot_be_read_names_the_line(text: str, says: str, register: Register) -> None:
    """With the name of the file."""
    with pytest.raises(StorageError, match=f"^mine.csv, {says}"):
        with_list(register, text, "mine.csv")
