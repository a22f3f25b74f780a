"""The commands about sources, as an operator types them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app
from tests.end_to_end.loopback import Item, Loopback, rss

pytestmark = pytest.mark.usefixtures("own_settings")


def regwatch(*arguments: str) -> Result:
    """The command's result."""
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    """A feed, a list page and a notice's own page on loopback."""
    with Loopback() as served:
        served.pages["/feed.xml"] = rss(
            "A body", [Item("g1", "Acme was fined", "In full.", datetime(2021, 3, 18, 9, tzinfo=UTC), "https://a.test/1")], "http://a.test"
        )
        served.pages["/list.html"] = b"<ul><li><a href='/n.html'>A notice</a><span>2021-03-18</span></li></ul>"
        served.pages["/n.html"] = f"<html><div class='text'>{'Words of the notice. ' * 30}</div></html>".encode()
        monkeypatch.setenv("REGWATCH_FETCH_ALLOW", served.host)
        yield served


def listed(folder: Path, url: str) -> str:
    """A CSV of three sources of one's own: a feed, a list page, and a page that is not there."""
    path = folder / "mine.csv"
    path.write_text(
        "source_id,regulator_id,url,kind,tier,content,item_selector,title_selector,link_selector,date_selector,date_format,body_selector\n"
        f"my-feed,,{url}/feed.xml,rss,secondary,My wire,,,,,,\n"
        f"my-list,us-sec,{url}/list.html,html-list,primary,,li,a,a,span,%Y-%m-%d,div.text\n"
        f"my-lost,us-sec,{url}/list.html,html-list,primary,,li.row,a,a,span,%Y-%m-%d,\n",
        encoding="utf-8",
    )
    return str(path)


def test_a_source_that_was_never_read_is_not_called_well(tmp_path: Path, web: Loopback) -> None:
    """And the tables fit on 80 columns."""
    regwatch("sources", "import", listed(tmp_path, web.url))
    shown = regwatch("sources", "list").output
    assert [line.split()[2:5] for line in shown.splitlines() if line.startswith("my-feed")] == [["not", "read", "yet"]]
    assert " ok " not in shown
    checked = regwatch("sources", "check", "my-feed").output
    assert max(len(line) for line in checked.splitlines() if line.startswith(("source", "my-feed"))) <= 80
    assert checked.splitlines()[0].endswith(" s")


def test_preview_reads_as_a_source_of_ones_own(tmp_path: Path, web: Loopback) -> None:
    """Which is in the database alone; without --db the database is not looked at."""
    regwatch("sources", "import", listed(tmp_path, web.url))
    seen = regwatch("preview", f"{web.url}/list.html", "--source", "my-list", "--json", "--db", os.environ["REGWATCH_DATABASE_URL"])
    assert json.loads(seen.stdout)["title"] == "A notice"
    assert regwatch("preview", f"{web.url}/list.html", "--source", "my-list").exit_code == 2


def test_import_check_arm_hold_export(tmp_path: Path, web: Loopback) -> None:
    """The way of a source of one's own: imported in the shadow, checked, armed, held, written out again."""
    file = listed(tmp_path, web.url)
    done = regwatch("sources", "import", file, "--json")
    assert json.loads(done.stdout) == {"added": 3, "changed": 0, "sources": ["my-feed", "my-list", "my-lost"]}, done.output
    assert json.loads(regwatch("sources", "import", file, "--json").stdout)["changed"] == 3

    checked = regwatch("sources", "check", "my-feed", "my-list", "my-lost", "--json")
    feed, page, lost = (json.loads(line) for line in checked.stdout.splitlines())
    assert checked.exit_code == 1
    assert (feed["health"], feed["entries"], feed["title"]) == ("ok", 1, "Acme was fined")
    assert (page["health"], page["entries"], page["newest"][:10], page["body"] > 500) == ("ok", 1, "2021-03-18", True)
    assert lost["health"] == "changed_layout"
    assert "li.row" in lost["says"]
    assert "2 of 3 sources can be read" in regwatch("sources", "check", "my-feed", "my-list", "my-lost").output

    modes = {one["id"]: one["mode"] for one in map(json.loads, regwatch("sources", "list", "--json").stdout.splitlines())}
    assert modes["my-feed"] == "shadow"
    assert "my-feed alerts again" in regwatch("sources", "arm", "my-feed").output
    assert "my-feed was live already" in regwatch("sources", "arm", "my-feed").output
    assert "regwatch sources arm my-feed ends it" in regwatch("sources", "hold", "my-feed").output
    assert "held already" in regwatch("sources", "hold", "my-feed").output
    bad = [one["id"] for one in map(json.loads, regwatch("sources", "list", "--bad", "--json").stdout.splitlines())]
    assert {"my-feed", "my-list", "my-lost"} <= set(bad)

    out = tmp_path / "out.csv"
    assert regwatch("sources", "export", str(out), "--own").exit_code == 0
    assert [line.split(",")[0] for line in out.read_text(encoding="utf-8").splitlines()[1:]] == ["my-feed", "my-list", "my-lost"]
    assert 'regwatchId="my-feed"' in regwatch("sources", "export", "--opml", "--own").stdout
    assert "my-list" not in regwatch("sources", "export", "--opml", "--own").stdout


def test_a_source_of_ones_own_outlives_a_new_catalogue(tmp_path: Path, web: Loopback) -> None:
    """`migrate` brings the shipped rows up to date and leaves the operator's alone."""
    regwatch("sources", "import", listed(tmp_path, web.url))
    assert regwatch("migrate").exit_code == 0
    rows = {one["id"]: one for one in map(json.loads, regwatch("sources", "list", "--json").stdout.splitlines())}
    assert rows["my-feed"]["is_enabled"] is True


def test_the_list_for_people(tmp_path: Path, web: Loopback) -> None:
    """One line a source, and how many are fresh."""
    regwatch("sources", "import", listed(tmp_path, web.url))
    output = regwatch("sources", "list", "--off").output
    assert "my-feed" in output
    assert "blocked: plain clients are refused" in " ".join(output.split())
    assert "sources fresh" in output


WRONG: list[tuple[str, list[str], str]] = [
    ("a source that nobody knows", ["sources", "check", "no-such"], "no source 'no-such'"),
    ("nothing to arm", ["sources", "arm", "no-such"], "There is no source 'no-such'"),
    ("nothing to hold", ["sources", "hold", "no-such"], "There is no source 'no-such'"),
    ("no file", ["sources", "import", "none.csv"], "none.csv: No such file"),
    ("a folder to write to", ["sources", "export", "none/out.csv"], "none/out.csv: No such file"),
]


@pytest.mark.parametrize(("arguments", "words"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_wrong_use_is_one_line(
    arguments: list[str], words: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 2, and what to change."""
    from bot.cli import main

    monkeypatch.setattr("sys.argv", ["regwatch", *arguments])
    with pytest.raises(SystemExit) as raised:
        main()
    assert raised.value.code == 2
    told = capfd.readouterr().err.strip().splitlines()
    assert len(told) == 1
    assert words in told[0]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("us-sec-press,us-sec,https://a.test/f,rss", "is a source of the catalogue"),
        ("my-feed,no-body,https://a.test/f,rss", "no regulator 'no-body'"),
        ("my-feed,us-sec,ftp://a.test/f,rss", "no http or https address"),
        ("my-list,us-sec,https://a.test/f,html-list", "a list page that is on needs one"),
    ],
    ids=["the catalogue's own name", "a body that nobody knows", "another scheme", "a page without a selector"],
)
def test_a_row_that_cannot_be_taken_is_refused_with_its_place(
    row: str, words: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the file is taken then."""
    from bot.cli import main

    path = tmp_path / "mine.csv"
    path.write_text(f"source_id,regulator_id,url,kind\n{row}\n", encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["regwatch", "sources", "import", str(path)])
    with pytest.raises(SystemExit) as raised:
        main()
    assert raised.value.code == 2
    assert words in capfd.readouterr().err
