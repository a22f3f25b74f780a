"""The composition root: looks that never overlap and never stop the clock, one `run` a file, and a start that fails in words."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic

import aiohttp
import pytest
from pydantic import SecretStr

from bot.app import STUCK_SECONDS, Job, Looks, Regwatch, fetcher_for, is_running, only_run, open_store, utc_now
from bot.config import Settings, SettingsError, load_settings
from bot.feeds.catalog import CatalogueError
from storage import StorageError, Store
from storage.intents import ChannelKey, FollowIntent, Installed
from storage.models import Followed
from tests.fakes.slack import TOKEN, SlackStub, refused
from tests.fakes.socket_mode import APP_TOKEN, SocketModeStub
from tests.fakes.web import Answer, FakeWeb

OFTEN, NEVER = timedelta(milliseconds=10), timedelta(hours=1)


async def test_a_look_is_repeated_and_never_overlaps_itself() -> None:
    """The clock ticks while a look is under way: it is not started a second time."""
    running = most = count = 0
    enough = asyncio.Event()

    async def look() -> None:
        nonlocal running, most, count
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.03)  # three ticks of the clock
        running -= 1
        count += 1
        if count == 3:
            enough.set()

    looks = Looks([Job("look", OFTEN, look)])
    looks.start()
    await asyncio.wait_for(enough.wait(), 10)
    await looks.stop()
    assert most == 1


@pytest.mark.parametrize("error", [StorageError("the database is gone"), RuntimeError("a bug")], ids=["trouble", "a bug"])
async def test_a_look_that_fails_is_tried_again(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """And the log says so; other looks go on."""
    again = asyncio.Event()
    failed = False

    async def look() -> None:
        nonlocal failed
        if failed:
            again.set()
            return
        failed = True
        raise error

    looks = Looks([Job("look", OFTEN, look)])
    looks.start()
    await asyncio.wait_for(again.wait(), 10)
    await looks.stop()
    assert "job=look" in caplog.text


async def test_a_stop_waits_for_what_is_under_way_and_starts_nothing_new() -> None:
    """APScheduler itself would cancel it."""
    began, done = asyncio.Event(), False
    release = asyncio.Event()

    async def look() -> None:
        nonlocal done
        began.set()
        await release.wait()
        done = True

    looks = Looks([Job("look", NEVER, look)])
    looks.start()
    await began.wait()
    stopping = asyncio.create_task(looks.stop())
    await asyncio.sleep(0)
    assert not stopping.done()
    release.set()
    await stopping
    assert done


async def test_an_end_asks_looks_to_end_and_starts_no_other() -> None:
    """A kick that comes after it is not heard: nothing is begun that the process would not live to finish."""
    asked = asyncio.Event()
    count = 0

    async def look() -> None:
        nonlocal count
        count += 1
        await asked.wait()

    looks = Looks([Job("look", OFTEN, look, asked.set)])
    looks.start()
    await asyncio.sleep(0)
    looks.end()
    await looks.stop()
    looks.kick("look")
    await asyncio.sleep(0)
    assert count == 1


async def test_looks_say_how_they_are() -> None:
    """Never run, under way, ended; and one that will not end any more makes the process ill."""
    began, release = asyncio.Event(), asyncio.Event()

    async def look() -> None:
        began.set()
        await release.wait()

    looks = Looks([Job("look", NEVER, look)])
    assert looks.health() == {"look": {"ok": True, "running_seconds": None, "ended_seconds_ago": None}}
    looks.start()
    await began.wait()
    assert looks.health()["look"] == {"ok": True, "running_seconds": 0, "ended_seconds_ago": None}
    looks._busy["look"] -= STUCK_SECONDS
    assert looks.health()["look"]["ok"] is False
    release.set()
    await looks.stop()
    assert looks.health()["look"] == {"ok": True, "running_seconds": None, "ended_seconds_ago": 0}


def _settings(tmp_path: Path, **more: object) -> Settings:
    return load_settings(
        database_url=f"sqlite:///{tmp_path / 'own.sqlite'}", slack_bot_token=TOKEN, slack_app_token="xapp-1", host_gap_seconds=0.0, **more
    )


def test_one_run_a_file(tmp_path: Path) -> None:
    """A second one is refused in words; when the first ends the file is free."""
    url = f"sqlite:///{tmp_path / 'own.sqlite'}"
    with only_run(url):
        assert is_running(url)
        with pytest.raises(StorageError, match="Another `regwatch run`"), only_run(url):
            pass
    assert not is_running(url)


async def test_nothing_migrates_while_a_run_uses_the_file(tmp_path: Path) -> None:
    """An older database under a running service is left alone."""
    settings = _settings(tmp_path)
    with only_run(settings.database), pytest.raises(StorageError, match="regwatch migrate"):
        await open_store(settings)
    store = await open_store(settings)
    assert (await store.counts())["sources"] == 374
    await store.close()


async def test_a_catalogue_that_cannot_be_read_leaves_no_empty_database(tmp_path: Path) -> None:
    """Nothing is written for a wrong setting."""
    with pytest.raises(CatalogueError, match="nowhere"):
        await open_store(_settings(tmp_path, sources=str(tmp_path / "nowhere.csv")))
    assert not (tmp_path / "own.sqlite").exists()


async def test_a_first_use_that_was_broken_off_is_made_up_for(tmp_path: Path) -> None:
    """The tables were made, but not filled: Ctrl-C, or a full disk."""
    settings = _settings(tmp_path)
    await asyncio.to_thread(Store.migrate, settings.database)
    store = await open_store(settings)
    counts = await store.counts()
    await store.close()
    assert (counts["sources"], counts["firms"] > 2000) == (374, True)


def test_roles_can_be_spread_with_postgresql_only(tmp_path: Path) -> None:
    """Two processes on one SQLite file would wait for each other."""
    with pytest.raises(SettingsError, match="PostgreSQL alone"):
        Regwatch(_settings(tmp_path), only=frozenset({"poll"}))


async def test_refused_tokens_end_the_start_before_anything_else(tmp_path: Path) -> None:
    """In one line that names the setting and what to do."""
    async with SlackStub() as slack:
        slack.always("auth.test", refused("token_revoked"))
        with pytest.raises(SettingsError, match="SLACK_BOT_TOKEN: Slack refuses it \\(token_revoked\\)"):
            await Regwatch(_settings(tmp_path, slack_api_url=slack.url)).serve(asyncio.Event())
    with pytest.raises(SettingsError, match="cannot be reached"):
        await Regwatch(_settings(tmp_path, slack_api_url=slack.url)).serve(asyncio.Event())
    assert not (tmp_path / "own.sqlite").exists()


async def test_over_http_the_service_answers_and_says_that_it_is_well(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One workspace, its token in the settings; no app token."""
    caplog.set_level("INFO", logger="regwatch")
    more = {"transport": "http", "slack_signing_secret": "sig", "http_bind": "127.0.0.1:0"}
    async with SlackStub() as slack, FakeWeb() as web:
        slack.add_channel("C1")
        (tmp_path / "mine.csv").write_text(f"source_id,regulator_id,url,kind\nmine,cn-samr,{web.url('/feed')},rss\n")
        settings = _settings(tmp_path, slack_api_url=slack.url, sources=str(tmp_path / "mine.csv"), **more)
        stop = asyncio.Event()
        service = asyncio.create_task(Regwatch(settings).serve(stop))

        async def address() -> str:
            while not (found := re.search(r"http address=(\S+) events=/slack/events", caplog.text)):
                if service.done():
                    await service
                await asyncio.sleep(0.05)
            return found[1]

        async with aiohttp.ClientSession() as session, session.get(f"http://{await asyncio.wait_for(address(), 60)}/healthz") as answer:
            told = await answer.json()
        stop.set()
        await service
    assert answer.status == 200
    assert told["transport"] == {"name": "http", "ok": True}
    assert set(told["jobs"]) == {"poll", "reread", "deliver", "names"}


@pytest.mark.parametrize("is_busy", [False, True], ids=["with idle hands", "while a source does not answer"])
async def test_a_stop_ends_promptly(tmp_path: Path, caplog: pytest.LogCaptureFixture, is_busy: bool) -> None:
    """Within a second or so, whatever a source does; it is due as before."""
    async with SlackStub() as slack, SocketModeStub(slack), FakeWeb() as web:
        (tmp_path / "mine.csv").write_text(f"source_id,regulator_id,url,kind\nmine,cn-samr,{web.url('/feed')},rss\n")
        web.put("/feed", Answer(delay=60))
        more = {"sources": str(tmp_path / "mine.csv"), "fetch_allow": frozenset({web.host_port})}
        settings = _settings(tmp_path, slack_api_url=slack.url, **more).model_copy(update={"slack_app_token": SecretStr(APP_TOKEN)})
        caplog.set_level("INFO", logger="regwatch")
        stop, ahead = asyncio.Event(), timedelta()
        service = asyncio.create_task(Regwatch(settings, now=lambda: utc_now() + ahead).serve(stop))
        while "start version=" not in caplog.text:
            if service.done():
                await service
            await asyncio.sleep(0.05)
        ahead = timedelta(hours=is_busy)
        if is_busy:
            await asyncio.wait_for(web.arrived.wait(), 20)
        began = monotonic()
        stop.set()
        await service
        assert monotonic() - began < 3  # a second on a machine with nothing else to do
        store = await open_store(settings, now=lambda: utc_now() + timedelta(hours=1))
        assert len(await store.due_sources(1, timedelta(minutes=1))) == 1
        await store.close()


async def test_a_workspace_that_was_left_is_served_again_when_its_token_works_again(tmp_path: Path) -> None:
    """It uninstalled the app and installed it again; the new token stands in the settings."""
    async with SlackStub() as slack, SocketModeStub(slack):
        settings = _settings(tmp_path, slack_api_url=slack.url).model_copy(update={"slack_app_token": SecretStr(APP_TOKEN)})
        store = await open_store(settings, refresh=True)
        await store.install(Installed("T1", "One", "U1"))
        await store.uninstall("T1")
        stop = asyncio.Event()
        stop.set()
        await Regwatch(settings).serve(stop)
        view = await store.workspace("T1")
        await store.close()
    assert view is not None
    assert view.uninstalled_at is None


async def test_two_processes_on_postgresql_poll_and_deliver(postgres_url: str, tmp_path: Path) -> None:
    """`--only poll` and `--only deliver` share a database and nothing else."""
    feed = """<rss version="2.0"><channel><title>t</title>{}</channel></rss>"""
    item = "<item><title>{}</title><guid>{}</guid><link>http://x.example/{}</link><description>{}</description></item>"
    old = item.format("Opening hours", "n0", "n0", "The library is open on Mondays.")
    new = item.format("Regulator fines a firm", "n1", "n1", "The market regulator fined Tencent Holdings Ltd 500,000 yuan today.")
    ahead = timedelta(hours=2)  # the first poll of a new source waits some minutes, the second one an hour

    async with SlackStub() as slack, FakeWeb() as web:
        slack.add_channel("C1")
        web.put("/feed", Answer(feed.format(old).encode()), Answer(feed.format(new + old).encode()))
        (tmp_path / "mine.csv").write_text(f"source_id,regulator_id,url,kind\nmine,cn-samr,{web.url('/feed')},rss\n")
        settings = _settings(
            tmp_path, slack_api_url=slack.url, sources=str(tmp_path / "mine.csv"), fetch_allow=frozenset({web.host_port})
        ).model_copy(update={"database_url": postgres_url})

        def now() -> datetime:
            return utc_now() + ahead

        store = await open_store(settings, refresh=True)
        await store.follow(FollowIntent(ChannelKey("T1", "C1"), "U1", Followed.FIRM, firm_id="tencent"))
        stop = asyncio.Event()
        services = [asyncio.create_task(Regwatch(settings, only=frozenset({role}), now=now).serve(stop)) for role in ("poll", "deliver")]

        async def posted() -> None:
            nonlocal ahead
            while not slack.posts("C1"):
                if ahead == timedelta(hours=2) and (await store.counts())["documents"]:
                    ahead *= 2
                for service in services:
                    if service.done():
                        await service
                await asyncio.sleep(0.1)

        await asyncio.wait_for(posted(), 60)
        stop.set()
        await asyncio.gather(*services)
        await store.close()
    (card,) = slack.posts("C1")
    assert "Tencent" in card.shown


def test_the_fetcher_is_as_polite_as_the_settings_say(tmp_path: Path) -> None:
    """A ceiling that were only a setting would be none."""
    turns = fetcher_for(_settings(tmp_path, requests_per_minute=12))._turns
    ceiling = turns._ceiling
    assert ceiling is not None
    assert [ceiling.reserve(0.0) for _ in range(5)] == [0.0, 0.0, 0.0, 6.0, 12.0]
