"""The command line as a person and as a script meet it: what it prints, and with which exit code it ends."""

from __future__ import annotations

import asyncio
import io
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from rich.cells import cell_len
from rich.console import Console
from slack_sdk.oauth.installation_store.models.bot import Bot
from typer.testing import CliRunner, Result

from bot.app import open_store
from bot.cli import app
from bot.config import load_settings
from bot.demo.tour import Stage, _prompt
from bot.feeds.catalog import CatalogueError
from bot.report import progress
from bot.slack.install import Installations
from storage import StorageError
from tests.fakes.slack import TOKEN, SlackStub, refused
from tests.fakes.web import Answer, FakeWeb

ROOT = Path(__file__).resolve().parent.parent
FEED = """<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>Notices</title>
<item><title>Market regulator fines Tencent Holdings Ltd 500,000 yuan</title><link>http://samr.example/1</link><guid>n1</guid>
<pubDate>Fri, 12 Mar 2021 10:00:00 +0800</pubDate>
<description>The State Administration for Market Regulation fined Tencent Holdings Ltd 500,000 yuan on 12 March 2021.</description></item>
</channel></rss>"""


pytestmark = pytest.mark.usefixtures("own_settings")


async def regwatch(*words: str, says: str | bytes | None = None) -> Result:
    """Run a command in a thread, so that the servers of the test can answer it."""
    return await asyncio.to_thread(CliRunner().invoke, app, words, says, catch_exceptions=False)


def _data(result: Result) -> Any:
    return json.loads(result.stdout)


def _sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, web: FakeWeb, **paths: str) -> None:
    """A catalogue of one's own: source id -> path on the web."""
    lines = [f"{name.replace('_', '-')},cn-samr,{web.url(path)},rss,3650" for name, path in paths.items()]
    (tmp_path / "mine.csv").write_text("source_id,regulator_id,url,kind,stale_after_days\n" + "\n".join(lines) + "\n")
    monkeypatch.setenv("REGWATCH_SOURCES", str(tmp_path / "mine.csv"))
    monkeypatch.setenv("REGWATCH_FETCH_ALLOW", web.host_port)


async def test_poll_reads_sources_and_ask_answers_from_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From an address to an answer; the first poll owes nothing, the second finds nothing new."""
    async with FakeWeb() as web:
        web.put("/feed", Answer(FEED.encode(), etag='"1"'))
        _sources(tmp_path, monkeypatch, web, mine="/feed")
        first = await regwatch("poll", "--json")
        again = await regwatch("poll", "mine", "--json")
        table = await regwatch("poll")
    told = _data(first)
    assert (first.exit_code, told["new"], told["actions"], told["owed"]) == (0, 1, 1, 0)
    assert told["sources"][0]["source"] == "mine"
    assert _data(again)["new"] == 0
    assert "1 of 1 sources read well" in table.stdout

    answer = await regwatch("ask", "腾讯 since:2021", "--json")
    said = _data(answer)
    assert answer.exit_code == 0
    assert said["response_type"] == "ephemeral"
    assert "RW-1001" in said["text"]
    assert said["blocks"]


async def test_poll_ends_with_1_when_a_source_cannot_be_read_and_hurts_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each failure has a state and a reason; the good source is read all the same."""
    async with FakeWeb() as web:
        web.put("/feed", Answer(FEED.encode()))
        web.put("/page", Answer(b"<!doctype html><html><title>Welcome</title><p>Our new site</html>", content_type="text/html"))
        web.put("/gone", Answer(status=404))
        _sources(tmp_path, monkeypatch, web, good="/feed", page="/page", gone="/gone")
        result = await regwatch("poll", "--json")
        shown = await regwatch("poll")
    health = {line["source"]: line["health"] for line in _data(result)["sources"]}
    assert result.exit_code == 1
    assert health == {"good": "ok", "page": "changed_layout", "gone": "error"}
    assert all(line["detail"] for line in _data(result)["sources"] if line["source"] != "good")
    assert "1 of 3 sources read well" in shown.stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param(["poll", "nowhere"], "no source 'nowhere'; regwatch sources list --off", id="poll: an unknown source"),
        pytest.param(["poll", "us-cftc-nothing"], "no source", id="poll: another unknown source"),
        pytest.param(["explain", "nothing.txt"], "No such file", id="explain: a file that is not there"),
        pytest.param(["run"], "SLACK_BOT_TOKEN is missing", id="run: no token"),
        pytest.param(["run", "--only", "cook"], "use poll, deliver, slack", id="run: an unknown role"),
        pytest.param(["ask", "help", "--db", "mysql://x"], "REGWATCH_DATABASE_URL", id="ask: an unknown database"),
        pytest.param(["ask", "help", "--db", "sqlite:////proc/nothing/x.sqlite"], "cannot be", id="ask: a folder that cannot be made"),
        pytest.param(["preview", "x", "--source", "nowhere"], "no source", id="preview: an unknown source"),
        pytest.param(["dance"], "No such command", id="an unknown command"),
    ],
)
def test_wrong_usage_and_settings_end_with_2_and_one_line(words: list[str], says: str, tmp_path: Path) -> None:
    """As a process, since that is what scripts see; no traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "bot", *words], capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


async def test_ask_ends_with_1_on_an_error_and_offers_the_next_command() -> None:
    """A name that nobody bears is answered with the ones that are near."""
    result = await regwatch("ask", "tencnt", "--json")
    assert result.exit_code == 1
    assert "tencnt" in _data(result)["text"]
    shown = await regwatch("ask", "tencnt")
    assert "Tencent 騰訊" in shown.stdout


async def test_ask_changes_a_channel_and_names_who_did_it() -> None:
    """`--channel` and `--user` are Slack's ids."""
    result = await regwatch("ask", "subscribe 騰訊", "--channel", "C0LEGAL", "--user", "U0MEI", "--json")
    assert _data(result)["response_type"] == "in_channel"
    assert "<@U0MEI>" in json.dumps(_data(result)["blocks"])
    again = await regwatch("ask", "list", "--channel", "C0LEGAL", "--json")
    assert "Tencent" in _data(again)["text"] + json.dumps(_data(again)["blocks"])


async def test_explain_reads_plain_text_and_json_lines(tmp_path: Path) -> None:
    """One object for each input; offsets are code points into title + newline + text."""
    row = {
        "id": "a",
        "title": "市场监管总局公告",
        "text": "市场监管总局对腾讯控股有限公司处以50万元罚款。",
        "published": "2021-03-12",
        "regulator": "SAMR",
    }
    lines = f"{json.dumps(row, ensure_ascii=False)}\n\n{json.dumps({'text': 'The weather is fine.'})}\n"
    result = await regwatch("explain", "--json", says=lines)
    first, second = (json.loads(line) for line in result.stdout.splitlines())
    assert (first["id"], second["id"]) == ("a", "3")
    action = first["actions"][0]
    firm = next(firm for firm in action["firms"] if firm["role"] == "target")
    whole = f"{row['title']}\n{row['text']}"
    assert whole[firm["start"] : firm["end"]] == firm["surface"]
    assert (action["kind"], firm["id"], action["regulator"]["id"]) == ("fine", "tencent", "cn-samr")
    assert (action["amounts"][0]["min"], action["amounts"][0]["currency"]) == (500000, "CNY")
    assert second["actions"] == []

    (tmp_path / "mine.csv").write_text("name,strength\n巨岩语音,strong\n")
    own = await regwatch("explain", "--firms", "mine.csv", "--json", says="市场监管总局对巨岩语音处以50万元罚款。")
    (named,) = json.loads(own.stdout)["actions"][0]["firms"]
    assert (named["name"], named["id"] is not None) == ("巨岩语音", True)

    stored = await regwatch("explain", "--db", f"sqlite:///{tmp_path / 'own.sqlite'}", "--json", says=row["text"])
    assert json.loads(stored.stdout)["actions"][0]["firms"][0]["id"] == "tencent"

    shown = await regwatch("explain", says=row["text"])
    assert "FINE" in shown.stdout
    assert "[tencent]" in shown.stdout


@pytest.mark.parametrize(
    ("says", "words"),
    [
        pytest.param("{broken", "line 1 is no JSON", id="no JSON"),
        pytest.param('{"id": 1}', "line 1 has neither text nor title", id="nothing to read"),
        pytest.param('{"text": "x", "published": "yesterday"}', "no ISO date", id="no date"),
    ],
)
def test_explain_names_the_line_that_it_cannot_read(says: str, words: str) -> None:
    """And ends with 2."""
    done = subprocess.run(
        [sys.executable, "-m", "bot", "explain", "--json"], input=says, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stdout == ""


async def test_explain_gives_a_line_for_each_line(tmp_path: Path) -> None:
    """Other ends of lines inside a string do not end the row; offsets count them."""
    texts = ["Barclays has grown.\u2028The FCA fined Barclays £4 million.\u0085\u2029It has appealed.", "Nothing of note.\r\n"]
    rows = [json.dumps({"id": number, "text": text}, ensure_ascii=False) for number, text in enumerate(texts)]
    done = await regwatch("explain", "--json", says="\r\n".join(rows))
    found = [json.loads(line) for line in done.stdout.split("\n") if line]
    assert [line["id"] for line in found] == ["0", "1"]
    quote = found[0]["actions"][0]["evidence"]
    assert texts[0][quote["start"] : quote["end"]] == quote["text"]
    assert "fined" in quote["text"]


async def test_a_digest_that_slack_does_not_take_is_one_line_and_exit_1(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal, and a Slack that is not there."""
    await regwatch("ask", "subscribe tencent", "--channel", "C1")
    monkeypatch.setenv("SLACK_BOT_TOKEN", TOKEN)
    async with SlackStub() as slack:
        monkeypatch.setenv("SLACK_API_URL", slack.url)
        slack.add_channel("C1")
        slack.fail("chat.postMessage", refused("not_in_channel"))
        no = await regwatch("digest", "C1", "--json")
        yes = await regwatch("digest", "C1", "--json")
    gone = await regwatch("digest", "C1")
    assert (no.exit_code, no.stdout, no.stderr.count("\n")) == (1, "", 1)
    assert "refuses it (not_in_channel)" in no.stderr
    assert (yes.exit_code, _data(yes)["channel"]) == (0, "C1")
    assert (gone.exit_code, gone.stdout, gone.stderr.count("\n")) == (1, "", 1)
    assert "cannot be reached" in gone.stderr


@pytest.mark.parametrize("place", ["none/out.csv", "."])
async def test_an_export_that_cannot_be_written_is_one_line(place: str) -> None:
    done = await regwatch("export", "tencent", place)
    assert done.exit_code == 2
    assert done.stderr.startswith(f"regwatch: {place}: ")
    assert done.stderr.count("\n") == 1


def test_progress_is_told_in_lines_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """On standard error alone; the first after a second, then one in ten."""
    moments = iter([0.0, 0.5, 1.0, 2.0, 11.0])
    monkeypatch.setattr("bot.report.monotonic", lambda: next(moments))
    with progress("polling", 4) as step:
        for name in "abcd":
            step(name)
    out, told = capfd.readouterr()
    assert (out, told.splitlines()) == ("", ["polling: 2 of 4", "polling: 4 of 4"])


@pytest.mark.parametrize("text", [f"Barclays was\nfined. {'Again. ' * 40}", "腾讯被罚款。" * 40], ids=["Latin", "wide signs"])
async def test_a_long_text_without_a_title_is_headed_by_one_line(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    head, kind = (await regwatch("explain", says=text)).stdout.splitlines()[:2]
    assert "…  [" in head
    assert cell_len(head) <= 80
    assert "FINE" in kind


@pytest.mark.parametrize("row", ['{"id": "1", "text": ""}', '{"id": "1", "title": null, "text": null}', '{"id": "1", "title": " "}'])
async def test_an_empty_text_among_others_is_a_line_without_actions(row: str) -> None:
    done = await regwatch("explain", "--json", says=f'{row}\n{{"id": "2", "text": "x"}}\n')
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(line["id"], line["actions"], line["mentions"]) for line in found] == [("1", [], []), ("2", [], [])]
    assert done.exit_code == 0


async def test_preview_shows_entries_and_says_why_there_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files and addresses in one run; JSON lines; exit 1 when one of them is no feed."""
    (tmp_path / "saved.xml").write_text(FEED)
    (tmp_path / "empty.xml").write_text('<rss version="2.0"><channel><title>t</title></channel></rss>')
    async with FakeWeb() as web:
        web.put("/feed", Answer(FEED.encode()))
        monkeypatch.setenv("REGWATCH_FETCH_ALLOW", web.host_port)
        good = await regwatch("preview", "saved.xml", "empty.xml", web.url("/feed"), "--json")
        bad = await regwatch("preview", "saved.xml", web.url("/nothing"), "nowhere.xml", "--json")
        shown = await regwatch("preview", "saved.xml", "nowhere.xml")
    lines = [json.loads(line) for line in good.stdout.splitlines()]
    assert good.exit_code == 0
    assert [line["address"] for line in lines] == ["saved.xml", web.url("/feed")]
    assert lines[0]["id"] == "n1"
    assert lines[0]["published"].startswith("2021-03-12T")
    assert lines[0]["precision"] == "minute"
    errors = [json.loads(line) for line in bad.stdout.splitlines() if "error" in json.loads(line)]
    assert bad.exit_code == 1
    assert [line["address"] for line in errors] == [web.url("/nothing"), "nowhere.xml"]
    assert all(line["detail"] for line in errors)
    assert "1 entries" in shown.stdout
    assert "No such file" in shown.stdout


async def test_a_held_source_is_armed_once_and_an_unknown_one_is_refused(tmp_path: Path) -> None:
    """The command that the fuse's notice names; the change is kept with who and when."""
    await regwatch("migrate")
    database = tmp_path / "own.sqlite"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("update source set mode = 'held', mode_reason = 'looks rebuilt' where id = 'us-ftc-press'")
        connection.commit()
    assert "alerts again" in (await regwatch("sources", "arm", "us-ftc-press")).stdout
    assert "live already" in (await regwatch("sources", "arm", "us-ftc-press")).stdout
    with closing(sqlite3.connect(database)) as connection:
        changed = connection.execute("select made_by, before, after from change where subject = 'source:us-ftc-press'").fetchall()
        mode = connection.execute("select mode from source where id = 'us-ftc-press'").fetchone()
    assert changed == [("operator", "held: looks rebuilt", "live")]
    assert mode == ("live",)
    with pytest.raises(StorageError, match="no source 'nowhere'"):
        await regwatch("sources", "arm", "nowhere")


async def test_migrate_fills_a_new_database_and_says_so() -> None:
    """The register and the catalogue are in it."""
    result = await regwatch("migrate")
    assert result.exit_code == 0
    assert "new -> " in result.stdout
    assert "374 sources" in result.stdout


async def test_doctor_finds_all_well_and_names_what_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """With good tokens, without, with too few scopes, and with a refused one."""
    bare = await regwatch("doctor", "--json")
    assert bare.exit_code == 1
    assert {check["check"]: check["ok"] for check in _data(bare)} == {"database": True, "sources": True, "contact": False, "slack": False}

    async with SlackStub() as slack:
        slack.scopes.add("im:read")
        slack.tokens["xapp-1"] = "T1"
        slack.answers["apps.connections.open"] = {"ok": True, "url": "wss://127.0.0.1/x"}
        monkeypatch.setenv("SLACK_BOT_TOKEN", TOKEN)
        monkeypatch.setenv("SLACK_APP_TOKEN", "xapp-1")
        monkeypatch.setenv("SLACK_API_URL", slack.url)
        monkeypatch.setenv("REGWATCH_CONTACT", "ops@regwatch.example")
        well = await regwatch("doctor")
        slack.scopes.discard("chat:write")
        short = await regwatch("doctor", "--json")
        slack.always("auth.test", refused("account_inactive"))
        out = await regwatch("doctor", "--json")
    assert well.exit_code == 0, well.stdout
    assert "mend" not in well.stdout
    assert "chat:write" in next(check["says"] for check in _data(short) if check["check"] == "scopes")
    assert "account_inactive" in next(check["says"] for check in _data(out) if check["check"] == "slack")
    assert "xapp-1" not in well.stdout + well.stderr


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(None, "mine.csv cannot be read: No such file or directory", id="no file"),
        pytest.param(b"\xff\xfe", "mine.csv is not UTF-8 text", id="no text"),
        pytest.param(b"foo,bar\n", "mine.csv, line 1, column foo: no such column", id="another table"),
    ],
)
async def test_a_wrong_list_of_sources_is_told_by_its_own_name(
    content: bytes | None, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the setting to change; by doctor too, when the database is there already."""
    await regwatch("migrate")
    if content is not None:
        (tmp_path / "mine.csv").write_bytes(content)
    monkeypatch.setenv("REGWATCH_SOURCES", "mine.csv")
    assert _checks(await regwatch("doctor", "--json"))["catalogue"][1].startswith(f"REGWATCH_SOURCES: {says}")
    with pytest.raises(CatalogueError, match=f"^REGWATCH_SOURCES: {says}"):
        await regwatch("poll")


async def test_a_list_of_sources_may_come_from_a_spreadsheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which puts a BOM before the names of its columns."""
    (tmp_path / "mine.csv").write_text("source_id,regulator_id,url,kind\nmine,us-sec,https://a.example/feed,rss\n", encoding="utf-8-sig")
    monkeypatch.setenv("REGWATCH_SOURCES", "mine.csv")
    assert [json.loads(line)["id"] for line in (await regwatch("sources", "list", "--json")).stdout.splitlines()] == ["mine"]


async def test_doctor_looks_at_the_workspaces_that_installed_the_app(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody yet; two, one of which revoked its token; a key that was changed, and one that was lost."""
    old, new, stranger = (Fernet.generate_key().decode() for _ in range(3))
    async with SlackStub() as slack:
        slack.scopes.add("im:read")
        slack.tokens["xoxb-one"] = "T1"
        many = {
            "REGWATCH_TRANSPORT": "http", "SLACK_SIGNING_SECRET": "s", "SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "c",
            "REGWATCH_PUBLIC_URL": "https://r.example", "REGWATCH_TOKEN_KEYS": f"{new},{old}", "SLACK_API_URL": slack.url,
        }  # fmt: skip
        for name, value in many.items():
            monkeypatch.setenv(name, value)
        nobody = _checks(await regwatch("doctor", "--json"))
        store = await open_store(load_settings())
        for team, token, key in (("T1", "xoxb-one", old), ("T2", "xoxb-gone", new), ("T3", "xoxb-three", stranger)):
            bot = Bot(
                app_id="A1", team_id=team, team_name=f"Team {team}", bot_token=token, bot_id="B1", bot_user_id="U1", installed_at=1000.0
            )
            await Installations(store.engine, "1.2", [key]).async_save_bot(bot)
        lost = _checks(await regwatch("doctor", "--json"))
        await Installations(store.engine, "1.2", [new]).async_delete_bot(enterprise_id=None, team_id="T3")
        older = _checks(await regwatch("doctor", "--json"))
        await Installations(store.engine, "1.2", [new, old]).seal_anew()
        sealed = _checks(await regwatch("doctor", "--json"))
        await store.close()
    assert nobody["workspaces"] == (True, "none has installed the app yet: open https://r.example/slack/install")
    assert lost["token keys"] == (
        False,
        "no key of REGWATCH_TOKEN_KEYS opens the tokens of T3: add the key that sealed them, or install the app there again",
    )
    assert "1 tokens are sealed with an older key" in older["token keys"][1]
    assert older["workspaces"][1].startswith("1 of 2 have a token that works; Team T2 T2: Slack refuses its token (invalid_auth)")
    assert older["scopes"][0]
    assert "regwatch manifest --url https://r.example" in older["http"][1]
    assert sealed["token keys"] == (True, "the newest key seals all 2 tokens; an older one may go")


def _checks(result: Any) -> dict[str, tuple[bool, str]]:
    return {check["check"]: (check["ok"], check["says"]) for check in _data(result)}


async def test_manifest_is_printed_for_a_socket_and_for_http() -> None:
    """What is printed can be pasted; an address that Slack would refuse is refused here."""
    socket, http = await regwatch("manifest"), await regwatch("manifest", "--url", "https://r.example", "--command", "/watch")
    assert json.loads(socket.stdout)["settings"]["socket_mode_enabled"] is True
    assert (
        json.loads(http.stdout)["features"]["slash_commands"][0] | {"command": "/watch", "url": "https://r.example/slack/events"}
        == (json.loads(http.stdout)["features"]["slash_commands"][0])
    )
    wrong = (("--url", "http://r.example"), ("--url", "https://"), ("--url", "https:///x"), ("--command", "watch"), ("--command", "/"))
    for words in wrong:
        assert (await regwatch("manifest", *words)).exit_code == 2


def test_help_is_quick_and_names_every_command() -> None:
    """It imports neither the database nor Slack."""
    code = "import sys; from bot import cli; sys.exit(bool({'sqlalchemy', 'slack_sdk', 'aiohttp', 'feedparser'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT).returncode == 0
    shown = CliRunner().invoke(app, ["--help"]).stdout
    for name in ("demo", "run", "poll", "preview", "explain", "ask", "manifest", "migrate", "doctor"):
        assert name in shown


async def test_the_prompt_of_the_demo_says_how_to_leave_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole, on 80 columns; Ctrl-D leaves it."""

    def no_more(*_: object) -> str:
        raise EOFError

    screen = Console(file=io.StringIO(), width=80)
    monkeypatch.setattr(screen, "input", no_more)
    nothing: Any = None
    await _prompt(Stage(nothing, nothing, nothing, nothing, nothing, nothing, nothing, screen))
    assert "An empty line or Ctrl-D ends it." in screen.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize("words", [["demo", "--once", "--json"], ["demo"]], ids=["as data", "without a terminal it is --once"])
def test_the_demo_ends_by_itself_and_tells_nobody_twice(words: list[str], tmp_path: Path) -> None:
    """As a process without a terminal, from another folder, without any setting."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("REGWATCH_")}
    done = subprocess.run(
        [sys.executable, "-m", "bot", *words], capture_output=True, text=True, check=False, env={**env, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL, timeout=120, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    if "--json" in words:
        counts = json.loads(done.stdout)
        assert {"polls", "documents", "actions", "alerts", "updates", "digests"} <= set(counts)
        assert counts["alerts"] == 3  # the talks in two channels, the blocked app in one
        assert counts["updates"] == 4  # the correction and the notice, in two channels
        assert counts["digests"] == 2
        assert counts["posted_twice"] == 0
    else:
        assert "<!channel>" not in done.stdout
        assert "11 firms" in done.stdout
        assert "now named: Ximalaya; list now 7 of 11" in done.stdout  # the correction does what its scene says
        assert "no longer named" not in done.stdout
