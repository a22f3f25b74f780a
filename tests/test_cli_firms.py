"""The commands about firms as a person and as a script meet them."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app
from bot.cli_firms import ADDRESSES
from storage import StorageError, Store
from tests.fakes.web import Answer, FakeWeb

MINE = """name,aliases,weak,tickers,country,strength
Granite Voice Inc,巨岩语音,Granite,GRV,US,strong
Granite Ear Inc,,,,CN,
Visa,,,,,
"""
SEC = json.dumps({"fields": ["cik", "name", "ticker", "exchange"], "data": [[1, "Granite Voice Inc", "GRV", "NYSE"]]}).encode()
FEED = """<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>Notices</title>
<item><title>Market regulator fines Tencent Holdings Ltd 500,000 yuan</title><link>http://samr.example/1</link><guid>n1</guid>
<pubDate>Fri, 12 Mar 2021 10:00:00 +0800</pubDate>
<description>The State Administration for Market Regulation fined Tencent Holdings Ltd 500,000 yuan on 12 March 2021.</description></item>
<item><title>Market regulator fines Granite Voice 10,000 yuan</title><link>http://samr.example/2</link><guid>n2</guid>
<pubDate>Sat, 13 Mar 2021 10:00:00 +0800</pubDate>
<description>The State Administration for Market Regulation fined Granite Voice Inc 10,000 yuan. Tencent was not.</description></item>
</channel></rss>"""


@pytest.fixture(autouse=True)
def _own_list(own_settings: None, tmp_path: Path) -> None:
    """A list of firms in the test's own folder."""
    (tmp_path / "mine.csv").write_text(MINE, encoding="utf-8")


async def regwatch(*words: str) -> Result:
    """Run a command in a thread, so that the servers of the test can answer it."""
    return await asyncio.to_thread(CliRunner().invoke, app, words, catch_exceptions=False)


def _data(result: Result) -> Any:
    return json.loads(result.stdout)


async def test_a_list_is_brought_in_shown_written_and_taken_away(tmp_path: Path) -> None:
    """By its file's name; a second time changes nothing; what is exported is read again as it was."""
    dry = await regwatch("firms", "import", "mine.csv", "--dry-run")
    assert "2 new firms" in dry.stdout
    assert "nothing was written" in dry.stdout
    first = await regwatch("firms", "import", "mine.csv")
    assert first.exit_code == 0
    assert "its name is another firm's (Visa)" in first.stdout
    again = _data(await regwatch("firms", "import", "mine.csv", "--json"))
    assert (again["new_firms"], again["new_names"], again["same_names"]) == (0, 0, 7)
    assert again["left_out"] == [{"reason": "its name is another firm's", "rows": 1, "examples": ["Visa"]}]

    lists = {row["name"]: row for row in _data(await regwatch("firms", "list", "--lists", "--json"))}
    assert lists["mine"] == {"name": "mine", "firms": 2, "names": 7}
    assert "mine" in (await regwatch("firms", "list", "--lists")).stdout
    listed = await regwatch("firms", "list", "--list", "mine", "--country", "us,HK")
    assert "granite-voice-inc" in listed.stdout
    assert "1 firms" in listed.stdout
    assert [firm["id"] for firm in _data(await regwatch("firms", "list", "--list", "mine", "--json"))] == [
        "granite-ear-inc",
        "granite-voice-inc",
    ]

    written = (await regwatch("firms", "export", "--list", "mine")).stdout
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(written))}
    assert rows["granite-voice-inc"]["weak"] == "Granite | Granite Voice"
    as_json = _data(await regwatch("firms", "export", "--list", "mine", "as", "json"))
    assert as_json == _data(await regwatch("firms", "export", "--list", "mine", "--json"))
    for name, text in (("again.csv", written), ("again.json", json.dumps(as_json))):
        (tmp_path / name).write_text(text, encoding="utf-8")
        back = _data(await regwatch("firms", "import", name, "--name", "mine", "--json"))
        assert (back["new_names"], back["gone_names"], back["changed_names"], back["gone_firms"]) == (0, 0, 0, 0), name

    await regwatch("ask", "subscribe Granite Ear Inc")
    gone = await regwatch("firms", "import", "--remove", "mine")
    assert "1 firms gone" in gone.stdout
    assert "stay, for actions or subscriptions refer to them: granite-ear-inc" in gone.stdout
    with closing(sqlite3.connect(tmp_path / "own.sqlite")) as connection:
        changes = connection.execute("select subject, made_by, what from change order by id").fetchall()
    of_list = [change for change in changes if change[0] == "list:mine"]
    assert of_list == [("list:mine", "operator", "imported"), ("list:mine", "operator", "removed")]


async def test_the_whole_register_is_exported_and_adds_nothing_to_itself(tmp_path: Path) -> None:
    written = (await regwatch("firms", "export")).stdout
    (tmp_path / "all.csv").write_text(written, encoding="utf-8")
    outcome = _data(await regwatch("firms", "import", "all.csv", "--json"))
    assert outcome["rows"] == len(written.splitlines()) - 1 > 400
    assert (outcome["new_firms"], outcome["new_names"], outcome["left_out"]) == (0, 0, [])
    assert "nothing has changed" in (await regwatch("firms", "import", "all.csv")).stdout


async def test_one_firm_is_shown_as_slack_shows_it() -> None:
    """By any of its names; an unknown one ends with 1 and names those that are near."""
    assert "the first 200 are shown" in (await regwatch("firms", "list")).stdout
    shown = await regwatch("firms", "show", "騰訊")
    assert shown.exit_code == 0
    assert "0700.HK" in shown.stdout
    assert "Tencent Holdings" in shown.stdout
    view = _data(await regwatch("firms", "show", "騰訊", "--json"))
    assert (view["id"], view["target_actions"]) == ("tencent", 0)
    near = await regwatch("firms", "show", "tencnt", "--json")
    assert near.exit_code == 1
    assert _data(near)["near"][0]["firm_id"] == "tencent"
    unknown = await regwatch("firms", "show", "tencnt")
    assert unknown.exit_code == 1
    assert "Did you mean" in unknown.stdout


async def test_one_firm_is_added_and_trouble_with_its_names_is_told() -> None:
    """A word is taken, and told; a name that is another firm's is refused with the next thing to do."""
    added = await regwatch(
        "firms", "add", "Granite Voice", "--alias", "巨岩语音", "--weak", "Granite", "--ticker", "GRV", "--country", "us"
    )
    first, *told = added.stdout.splitlines()
    assert first == "added granite-voice: Granite Voice, 巨岩语音, Granite, GRV"
    assert "reads stored documents that may name it again" in told[0]
    assert "`regwatch backfill granite-voice`" in told[1]
    word = _data(await regwatch("firms", "add", "Orchard", "--json"))
    assert word["id"] == "orchard"
    assert [finding["check"] for finding in word["findings"]] == ["word"]
    linted = await regwatch("firms", "lint", "--json")
    assert linted.exit_code == 1
    assert [(one["check"], one["firm"]) for one in _data(linted)] == [("word", "orchard")]
    with pytest.raises(StorageError, match="is a name of Granite Voice"):
        await regwatch("firms", "add", "Basalt Voice", "--alias", "巨岩語音")
    read = await regwatch("ask", "巨岩語音")
    assert "Granite Voice" in read.stdout


async def test_lint_looks_at_a_list_before_it_is_brought_in(tmp_path: Path) -> None:
    """Exit 1 when there is something, 0 when there is nothing; the shipped register has nothing."""
    (tmp_path / "words.csv").write_text("name,strength\nApple,strong\nGranite Voice,strong\n")
    found = await regwatch("firms", "lint", "words.csv")
    assert found.exit_code == 1
    assert "it is a word: make it weak" in found.stdout
    (tmp_path / "well.csv").write_text("name,strength\nGranite Voice,strong\n")
    well = await regwatch("firms", "lint", "well.csv")
    assert (well.exit_code, well.stdout) == (0, "no name to look at\n")
    assert (await regwatch("firms", "lint", "--shipped")).exit_code == 0
    strict = await regwatch("firms", "lint", "--shipped", "--strict", "--json")
    assert strict.exit_code == 1
    assert {one["check"] for one in _data(strict)} <= {"two characters", "shared"}


async def test_a_list_is_fetched_from_where_it_is_published(monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the guard; the SEC wants to know who asks; a failure says what to do instead."""
    async with FakeWeb() as web:
        web.put("/tickers", Answer(SEC, content_type="application/json"))
        monkeypatch.setenv("REGWATCH_FETCH_ALLOW", web.host_port)
        silent = await regwatch("firms", "import", "sec", "--url", web.url("/tickers"))
        assert silent.exit_code == 2
        assert "REGWATCH_CONTACT" in silent.stderr
        monkeypatch.setenv("REGWATCH_CONTACT", "ops@regwatch.example")
        outcome = _data(await regwatch("firms", "import", "--from", "sec", "--url", web.url("/tickers"), "--json"))
        assert (outcome["name"], outcome["new_firms"]) == ("sec", 1)
        assert "ops@regwatch.example" in web.requests[0].headers["User-Agent"]
        failed = await regwatch("firms", "import", "--from", "twse", "--url", web.url("/nothing"))
        monkeypatch.setenv("REGWATCH_FETCH_ALLOW", "")
        refused = await regwatch("firms", "import", "--from", "twse", "--url", web.url("/tickers"))
    assert failed.exit_code == refused.exit_code == 2
    assert "status 404" in failed.stderr
    assert "save it with a browser" in failed.stderr
    assert "is refused" in refused.stderr
    assert all(address.startswith("https://") for listed in ADDRESSES.values() for address in listed)


async def test_rows_are_taken_by_country_and_for_known_firms_alone(tmp_path: Path) -> None:
    """What is passed over is told."""
    some = _data(await regwatch("firms", "import", "mine.csv", "--country", "cn,tw", "--json"))
    assert (some["rows"], some["new_firms"]) == (1, 1)
    assert {"reason": "not of these countries", "rows": 2, "examples": []} in some["left_out"]
    (tmp_path / "more.csv").write_text("name,aliases\n腾讯,Penguin of Shenzhen\nGranite Nose Inc,\n", encoding="utf-8")
    known = _data(await regwatch("firms", "import", "more.csv", "--known", "--json"))
    assert (known["new_firms"], known["joined"], known["new_names"]) == (0, 1, 1)
    assert known["left_out"][0]["reason"] == "no firm of the register"


async def test_several_files_are_one_list_and_owners_stand_in_a_third(tmp_path: Path) -> None:
    head = "LEI,Entity.LegalName,Entity.LegalAddress.Country\n"
    (tmp_path / "one.csv").write_text(head + "G,Granite Voice GmbH,DE\n")
    (tmp_path / "two.csv").write_text(head + "E,Granite Ear GmbH,DE\n")
    ends = "Relationship.StartNode.NodeID,Relationship.EndNode.NodeID,Relationship.RelationshipType,Relationship.RelationshipStatus\n"
    (tmp_path / "rr.csv").write_text(ends + "E,G,IS_DIRECTLY_CONSOLIDATED_BY,ACTIVE\n")
    outcome = _data(await regwatch("firms", "import", "one.csv", "two.csv", "--name", "gleif", "--parents", "rr.csv", "--json"))
    assert (outcome["new_firms"], outcome["parents"]) == (2, 1)
    view = _data(await regwatch("firms", "show", "Granite Ear GmbH", "--json"))
    assert view["owners"] == [["granite-voice-gmbh", "Granite Voice GmbH", "owned_by"]]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param(["firms", "import"], "give files of a list, or --from LIST, or --remove NAME", id="import: nothing"),
        pytest.param(["firms", "import", "mine.csv", "--remove", "x"], "give files of a list, or", id="import: two things"),
        pytest.param(["firms", "import", "--from", "nyse"], "no list 'nyse'; there are sec", id="import: an unknown list"),
        pytest.param(["firms", "import", "mine.csv", "--url", "http://x"], "say with --from", id="import: an address of no list"),
        pytest.param(["firms", "import", "a.csv", "b.csv"], "give it a name with --name", id="import: files without a name"),
        pytest.param(["firms", "list", "--list", "nobody"], "no list 'nobody'; there are register", id="list: an unknown list"),
        pytest.param(["firms", "export", "--list", "nobody"], "no list 'nobody'", id="export: an unknown list"),
        pytest.param(["firms", "export", "as", "xml"], "'as xml' is neither `as csv` nor `as json`", id="export: an unknown form"),
        pytest.param(["backtest", "tencent", "--since", "soon"], "'soon' is no time", id="backtest: no time"),
        pytest.param(["backtest", "BA"], "is the name of several firms", id="backtest: a shared name"),
        pytest.param(["backtest", "..."], "is no name", id="backtest: no name"),
        pytest.param(["backfill", "BA"], "is the name of several firms", id="backfill: a shared name"),
        pytest.param(["backfill", "tencnt"], "Did you mean tencent", id="backfill: a slip"),
        pytest.param(["backfill", "qqqqxxxx"], "regwatch sources list --off", id="backfill: nothing like it"),
        pytest.param(["backfill", "tencent", "--since", "soon"], "'soon' is no time", id="backfill: no time"),
    ],
)
async def test_wrong_usage_ends_with_2_and_one_line(words: list[str], says: str) -> None:
    """With what to change."""
    result = await regwatch(*words)
    assert result.exit_code == 2
    assert says in result.stderr
    assert result.stdout == ""


async def test_backfill_reads_what_is_stored_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a firm that was added after its texts came, or by a source; a dry run changes nothing."""
    async with FakeWeb() as web:
        web.put("/feed", Answer(FEED.encode()))
        (tmp_path / "sources.csv").write_text(
            f"source_id,regulator_id,url,kind,stale_after_days\nmine,cn-samr,{web.url('/feed')},rss,3650\n"
        )
        monkeypatch.setenv("REGWATCH_SOURCES", str(tmp_path / "sources.csv"))
        monkeypatch.setenv("REGWATCH_FETCH_ALLOW", web.host_port)
        await regwatch("poll", "--json")
        await regwatch("firms", "add", "Granite Voice Inc", "--alias", "Granite Voice")
        for is_dry in (True, False):
            told = _data(await regwatch("backfill", "granite voice", "--json", *(["--dry-run"] if is_dry else [])))
            assert (told["subject"], told["looked_at"], told["is_dry_run"]) == ("granite-voice-inc", 2, is_dry)
            assert (told["outcome"]["read"], told["outcome"]["changed"], told["outcome"]["firms"]) == (1, 1, ["granite-voice-inc"])
        shown = await regwatch("backfill", "granite-voice-inc", "--since", "2021-03-13")
        assert "1 of 1 stored documents read again" in shown.stdout
        assert "0 changed" in shown.stdout
        whole = await regwatch("backfill", "mine")
        assert "2 of 2 stored documents read again" in whole.stdout
        assert "its next poll is due" in whole.stdout
        again = _data(await regwatch("poll", "mine", "--due", "--json"))
        assert (again["entries"], again["new"], again["owed"]) == (2, 0, 0)
    view = _data(await regwatch("firms", "show", "granite-voice-inc", "--json"))
    assert view["target_actions"] == 1


async def test_backtest_shows_what_would_have_matched_and_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A firm of the register, and a name that is in none."""
    async with FakeWeb() as web:
        web.put("/feed", Answer(FEED.encode()))
        (tmp_path / "sources.csv").write_text(
            f"source_id,regulator_id,url,kind,stale_after_days\nmine,cn-samr,{web.url('/feed')},rss,3650\n"
        )
        monkeypatch.setenv("REGWATCH_SOURCES", str(tmp_path / "sources.csv"))
        monkeypatch.setenv("REGWATCH_FETCH_ALLOW", web.host_port)
        await regwatch("poll", "--json")
    store = Store(f"sqlite:///{tmp_path / 'own.sqlite'}", now=lambda: None)  # type: ignore[arg-type,return-value]
    before = await store.register()
    told = _data(await regwatch("backtest", "騰訊", "Granite Voice", "Nobody Ltd", "--json"))
    assert told["documents"] == 2
    tencent, granite, nobody = told["firms"]
    assert (tencent["name"], tencent["id"], tencent["documents"], tencent["as_target"]) == ("騰訊", "tencent", 2, 1)
    assert [sample["role"] for sample in tencent["samples"]] == ["target", "mentioned"]
    assert tencent["samples"][0]["title"].startswith("Market regulator fines Tencent")
    assert "Tencent" in tencent["samples"][0]["sentence"]
    assert tencent["samples"][0]["at"].startswith("2021-03-12")
    assert (granite["id"], granite["documents"], granite["as_target"]) == (None, 1, 1)
    assert (nobody["documents"], nobody["samples"]) == (0, [])
    assert _data(await regwatch("backtest", "tencent", "--since", "2021-03-13", "--json"))["documents"] == 1
    shown = await regwatch("backtest", "Granite Voice", "--weak")
    assert "not in the register" in shown.stdout
    assert "of 2 documents" in shown.stdout
    assert await store.register() == before
    await store.close()


async def test_explain_reads_with_several_lists(tmp_path: Path) -> None:
    """In the layout of any file that import reads."""
    (tmp_path / "more.json").write_text(json.dumps([{"name": "巨石语音", "strength": "strong"}]), encoding="utf-8")
    (tmp_path / "text.txt").write_text("市场监管总局对巨岩语音处以50万元罚款。市场监管总局对巨石语音处以60万元罚款。", encoding="utf-8")
    result = await regwatch("explain", "text.txt", "--firms", "mine.csv", "--firms", "more.json", "--json")
    ids = {firm["name"]: firm["id"] for action in _data(result)["actions"] for firm in action["firms"]}
    assert ids["Granite Voice Inc"] == "granite-voice-inc"
    assert ids["巨石语音"] is not None
