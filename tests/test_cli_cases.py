"""The commands about cases, as an operator types them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app
from storage import Store
from storage.models import Kind
from tests.fakes.clock import FakeClock
from tests.fakes.polls import act, entry, follow, furnish, poll

pytestmark = pytest.mark.usefixtures("own_settings")


def regwatch(*arguments: str) -> Result:
    """The command's result."""
    return CliRunner().invoke(app, ["cases", *arguments])


@pytest.fixture
def two_cases(tmp_path: Path, own_settings: None) -> None:
    """RW-1001, a fine; RW-1002, an annulment of which nothing says that it belongs to it; a channel that follows the firm."""

    async def fill() -> None:
        url = f"sqlite:///{tmp_path / 'own.sqlite'}"
        Store.migrate(url)
        store = Store(url, now=FakeClock())
        await furnish(store)
        await follow(store, "C1", "firm:tencent")
        await poll(store, "cac-news", entry("A fine", act(Kind.FINE, "tencent")))
        await poll(store, "cac-news", entry("An annulment", act(Kind.ANNULMENT, "tencent")))
        await store.close()

    asyncio.run(fill())


@pytest.mark.usefixtures("two_cases")
def test_show_join_show_part() -> None:
    """What is said at each step; nobody is alerted, and the answer says so."""
    alone = json.loads(regwatch("show", "RW-1002", "--json").stdout)
    assert [one["ref"] for one in alone["actions"]] == ["RW-1002"]

    joined = regwatch("join", "rw-1002", "1001")
    assert joined.exit_code == 0, joined.output
    assert joined.stdout.startswith("One case now: RW-1001, RW-1002; RW-1002 came to it.")
    assert "RW-1001 in_force → annulled" in joined.stdout
    assert "Nobody is alerted" in joined.stdout
    assert regwatch("join", "RW-1002", "RW-1001").stdout == "They are one case already: RW-1001, RW-1002.\n"

    shown = regwatch("show", "RW-1001").stdout
    for words in ("RW-1001", "RW-1002", "by hand", "operator: RW-1001 became RW-1001, RW-1002", "shown in 0 channels"):
        assert words in shown, shown

    parted = regwatch("part", "RW-1002")
    assert parted.stdout.startswith("RW-1002 has a case of its own now; left together: RW-1001.")
    assert "RW-1001 annulled → in_force" in parted.stdout
    assert regwatch("part", "RW-1002").stdout == "RW-1002 is alone in its case already.\n"


@pytest.mark.usefixtures("two_cases")
def test_the_same_as_data() -> None:
    told = json.loads(regwatch("join", "RW-1002", "RW-1001", "--json").stdout)
    assert (told["is_new"], told["case"], told["moved"], told["statuses"]) == (
        True,
        [1001, 1002],
        [1002],
        [[1001, "in_force", "annulled"]],
    )
    found = json.loads(regwatch("show", "RW-1001", "--json").stdout)
    assert [(one["ref"], one["case_reason"]) for one in found["actions"]] == [("RW-1001", ""), ("RW-1002", "by hand")]
    assert json.loads(regwatch("part", "RW-1002", "--json").stdout)["left"] == [1001]


@pytest.mark.usefixtures("two_cases")
@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["show", "RW-1"], 1, "There is no action RW-1."),
        (["show", "tencent"], 2, "'tencent' is no action: give its number, such as RW-1001"),
    ],
)
def test_what_is_not_there_is_said(arguments: list[str], code: int, words: str) -> None:
    done = regwatch(*arguments)
    assert (done.exit_code, words in done.output) == (code, True), done.output
