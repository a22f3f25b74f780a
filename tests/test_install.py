"""Many workspaces: tokens that lie sealed, are renewed once, answer only their own workspace, and go when it leaves."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from aiohttp import web
from cryptography.fernet import Fernet
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.oauth.installation_store.models.bot import Bot
from slack_sdk.oauth.installation_store.sqlalchemy import SQLAlchemyInstallationStore
from slack_sdk.oauth.state_store.sqlalchemy import SQLAlchemyOAuthStateStore
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import MetaData, inspect, text

from bot.config import ManyWorkspaces
from bot.slack.install import (
    BOTS,
    STATES,
    Installations,
    NoToken,
    SlackClients,
    UnreadableToken,
    app_for_many,
    watch,
)
from bot.transport import Health, HttpServer
from storage import Store, base
from storage.intents import Installed
from tests.fakes.clock import FakeClock
from tests.fakes.slack import SlackStub

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
MANY = ManyWorkspaces("111.222", "client-secret", "https://r.example", (NEW, OLD))


ONE = "xoxb-one"


def a_bot(team: str | None = "T1", enterprise: str | None = None, bot_token: str = ONE, **more: Any) -> Bot:
    return Bot(
        app_id="A1", team_id=team, team_name=f"Team {team}", enterprise_id=enterprise, bot_token=bot_token, bot_id="B0BOT",
        bot_user_id="U0BOT", bot_scopes="chat:write,commands", is_enterprise_install=team is None, installed_at=1000.0, **more,
    )  # fmt: skip


@pytest.fixture
def installations(store: Store) -> Installations:
    return Installations(store.engine, MANY.client_id, MANY.token_keys)


async def _stored(store: Store) -> list[Any]:
    async with store.engine.connect() as connection:
        return list((await connection.execute(text(f"select * from {BOTS} order by id"))).mappings())


# --- at rest ---------------------------------------------------------------------------------------------------------------


def test_the_tables_are_those_that_the_sdk_describes(database_url: str) -> None:
    """But for the length of a token: a sealed one would overflow the SDK's 200 characters on PostgreSQL."""
    metadata = MetaData()
    theirs = {
        BOTS: SQLAlchemyInstallationStore.build_bots_table(metadata, BOTS),
        STATES: SQLAlchemyOAuthStateStore.build_oauth_states_table(metadata, STATES),
    }
    assert set(theirs) == base.SLACK_TABLES
    with base._migrating(base._parsed(database_url)) as connection:
        for name, table in theirs.items():
            columns = {column["name"]: str(column["type"]) for column in inspect(connection).get_columns(name)}
            assert set(columns) == set(table.c.keys())
            assert {columns[key] for key in columns if key.endswith("token")} <= {"TEXT"}


async def test_a_token_is_found_as_it_was_and_lies_sealed(store: Store, installations: Installations) -> None:
    """Neither token nor refresh token can be read in the database."""
    long = "xoxe-1-" + "r" * 190
    await installations.async_save_bot(a_bot(bot_refresh_token=long, bot_token_expires_at=5000))
    found = await installations.async_find_bot(enterprise_id=None, team_id="T1")
    assert found is not None
    assert (found.bot_token, found.bot_refresh_token, found.bot_token_expires_at) == ("xoxb-one", long, 5000)
    assert found.bot_scopes == ["chat:write", "commands"]
    (row,) = await _stored(store)
    lies = str(dict(row))
    assert ONE not in lies
    assert long not in lies
    assert "r" * 20 not in lies


async def test_installing_again_leaves_one_token(store: Store, installations: Installations) -> None:
    """The SDK would keep every token that there ever was."""
    await installations.async_save_bot(a_bot())
    await installations.async_save_bot(a_bot(bot_token="xoxb-two"))
    assert len(await _stored(store)) == 1
    found = await installations.async_find_bot(enterprise_id=None, team_id="T1")
    assert found is not None
    assert found.bot_token == "xoxb-two"


@pytest.mark.parametrize(
    ("team", "enterprise", "is_of_all", "token"),
    [
        pytest.param("T1", None, False, "xoxb-t1", id="a team by itself"),
        pytest.param("T1", "E1", False, "xoxb-t1", id="a team that joined an organisation since"),
        pytest.param("T1", "E1", True, "xoxb-e1", id="the organisation's, when the request says so"),
        pytest.param("T2", "E1", False, "xoxb-e1", id="a team that has none of its own"),
        pytest.param(None, "E1", True, "xoxb-e1", id="no team at all"),
        pytest.param("T2", None, False, None, id="a stranger"),
        pytest.param("T2", "E2", True, None, id="a stranger's organisation"),
        pytest.param(None, None, False, None, id="nobody"),
    ],
)
async def test_whose_token_is_found(
    team: str | None, enterprise: str | None, is_of_all: bool, token: str | None, installations: Installations
) -> None:
    await installations.async_save_bot(a_bot(None, "E1", "xoxb-e1"))
    await installations.async_save_bot(a_bot("T1", None, "xoxb-t1"))
    found = await installations.async_find_bot(enterprise_id=enterprise, team_id=team, is_enterprise_install=is_of_all)
    assert (found and found.bot_token) == token


async def test_another_app_on_the_same_database_sees_nothing(store: Store, installations: Installations) -> None:
    await installations.async_save_bot(a_bot())
    other = Installations(store.engine, "333.444", MANY.token_keys)
    assert await other.async_find_bot(enterprise_id=None, team_id="T1") is None
    assert await other.workspaces() == ()


async def test_keys_are_changed_without_a_stop(store: Store, installations: Installations) -> None:
    """The new key is put before the old one; what the old one sealed is opened, sealed anew, and then the old one may go."""
    await Installations(store.engine, MANY.client_id, [OLD]).async_save_bot(a_bot(bot_refresh_token="xoxe-1"))
    assert (await installations.key_use()).older == 1
    assert await installations.seal_anew() == 1
    assert await installations.seal_anew() == 0
    assert (await installations.key_use()).newest == 1
    found = await Installations(store.engine, MANY.client_id, [NEW]).async_find_bot(enterprise_id=None, team_id="T1")
    assert found is not None
    assert (found.bot_token, found.bot_refresh_token) == ("xoxb-one", "xoxe-1")


async def test_a_token_that_no_key_opens_is_named_and_stays(store: Store, installations: Installations) -> None:
    """A lost key is no crash: the other workspaces are served, and whoever finds the key can put it back."""
    await Installations(store.engine, MANY.client_id, [Fernet.generate_key().decode()]).async_save_bot(a_bot())
    with pytest.raises(UnreadableToken, match="add the key that sealed it"):
        await installations.async_find_bot(enterprise_id=None, team_id="T1")
    assert await installations.seal_anew() == 0
    assert (await installations.key_use()).unreadable == ("T1",)
    assert len(await _stored(store)) == 1


# --- clients and renewal -----------------------------------------------------------------------------------------------


class Exchange:
    """oauth.v2.access of a Slack whose refresh tokens may be used once."""

    def __init__(self) -> None:
        self.used: list[str] = []
        self.valid = "xoxe-0"
        self.arrived, self.release = asyncio.Event(), asyncio.Event()
        self.release.set()
        self.url = ""

    async def serve(self, request: web.Request) -> web.Response:
        given = {key: str(value) for key, value in (await request.post()).items()} | dict(request.query)
        self.used.append(given["refresh_token"])
        self.arrived.set()
        await self.release.wait()
        if given["refresh_token"] != self.valid:
            return web.json_response({"ok": False, "error": "invalid_refresh_token"})
        count = len(self.used)
        self.valid = f"xoxe-{count}"
        answer = {"access_token": f"xoxe.xoxb-{count}", "refresh_token": self.valid, "token_type": "bot", "expires_in": 43200}
        return web.json_response({"ok": True, **answer})


@pytest.fixture
async def exchange() -> AsyncIterator[Exchange]:
    found = Exchange()
    app = web.Application()
    app.router.add_post("/api/oauth.v2.access", found.serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = "http://{}:{}/api/".format(*runner.addresses[0][:2])
    yield found
    await runner.cleanup()


def clients_of(store: Store, installations: Installations, url: str, clock: Callable[[], datetime]) -> SlackClients:
    return SlackClients(store, installations, MANY, url, now=clock)


def _ending(clock: FakeClock, **time: float) -> dict[str, Any]:
    return {"bot_refresh_token": "xoxe-0", "bot_token_expires_at": int((clock() + timedelta(**time)).timestamp())}


async def test_each_workspace_has_its_own_client(store: Store, installations: Installations, clock: FakeClock) -> None:
    """And one without a token says what to do."""
    await installations.async_save_bot(a_bot("T1", None, "xoxb-t1"))
    await installations.async_save_bot(a_bot("T2", None, "xoxb-t2"))
    clients = clients_of(store, installations, "http://127.0.0.1:1/api/", clock)
    assert [(await clients.for_workspace(team)).token for team in ("T1", "T2")] == ["xoxb-t1", "xoxb-t2"]
    with pytest.raises(NoToken, match=r"install the app there, https://r\.example/slack/install"):
        await clients.for_workspace("T3")


async def test_a_team_of_an_organisation_is_posted_to_with_the_organisations_token(
    store: Store, installations: Installations, clock: FakeClock
) -> None:
    """Slack must be told which of its teams is meant."""
    await installations.async_save_bot(a_bot(None, "E1", "xoxb-e1"))
    clients = clients_of(store, installations, "http://127.0.0.1:1/api/", clock)
    with pytest.raises(NoToken):
        await clients.for_workspace("T7")
    await clients.meet("T7", "E1", "U1")
    client = await clients.for_workspace("T7")
    assert (client.token, client.default_params) == ("xoxb-e1", {"team_id": "T7"})
    whole = await clients.for_workspace("E1")
    assert (whole.token, whole.default_params) == ("xoxb-e1", {})


async def test_a_token_is_renewed_before_it_ends(store: Store, installations: Installations, clock: FakeClock, exchange: Exchange) -> None:
    """Not earlier than two hours ahead; and the pair is kept, so that the next renewal works too."""
    await installations.async_save_bot(a_bot(**_ending(clock, hours=3)))
    clients = clients_of(store, installations, exchange.url, clock)
    assert (await clients.for_workspace("T1")).token == "xoxb-one"
    clock.forward(hours=1)
    assert (await clients.for_workspace("T1")).token == "xoxe.xoxb-1"
    clock.forward(hours=11)
    assert (await clients.for_workspace("T1")).token == "xoxe.xoxb-2"
    assert exchange.used == ["xoxe-0", "xoxe-1"]


@pytest.mark.parametrize("hours", [1, -1], ids=["while the old one is good", "after it ended"])
async def test_two_processes_never_use_one_refresh_token_twice(
    hours: int, store: Store, installations: Installations, clock: FakeClock, exchange: Exchange
) -> None:
    """The second use would lock the workspace out for ever."""
    await installations.async_save_bot(a_bot(**_ending(clock, hours=hours)))
    one, other = (clients_of(store, installations, exchange.url, clock) for _ in range(2))
    exchange.release.clear()
    first = asyncio.create_task(one.for_workspace("T1"))
    await exchange.arrived.wait()
    second = asyncio.create_task(other.for_workspace("T1"))
    if hours > 0:
        assert (await second).token == "xoxb-one"
    exchange.release.set()
    assert (await first).token == "xoxe.xoxb-1"
    if hours < 0:
        assert (await second).token == "xoxe.xoxb-1"
    assert exchange.used == ["xoxe-0"]


async def test_a_refused_renewal_is_no_token_only_once_the_old_one_ended(
    store: Store, installations: Installations, clock: FakeClock, exchange: Exchange
) -> None:
    """With the cause, and where to install again."""
    exchange.valid = "another"
    await installations.async_save_bot(a_bot(**_ending(clock, hours=1)))
    clients = clients_of(store, installations, exchange.url, clock)
    assert (await clients.for_workspace("T1")).token == "xoxb-one"
    clock.forward(hours=2)
    with pytest.raises(NoToken, match=r"could not be renewed \(invalid_refresh_token\).*install the app there again"):
        await clients.for_workspace("T1")


# --- requests ------------------------------------------------------------------------------------------------------------------


@pytest.fixture
async def slack() -> AsyncIterator[SlackStub]:
    async with SlackStub() as stub:
        stub.tokens |= {"xoxb-t1": "T1", "xoxb-t2": "T2", "xoxb-e1": "E1"}
        yield stub


class Bench:
    """A bot of many workspaces, and what it was asked with."""

    def __init__(self, store: Store, installations: Installations, app: AsyncApp, clients: SlackClients) -> None:
        self.store, self.installations = store, installations
        self.app, self.clients = app, clients
        self.tokens: list[tuple[str | None, Any]] = []

        @self.app.command("/regwatch")
        async def on_command(ack: Any, client: AsyncWebClient) -> None:
            await ack()
            self.tokens.append((client.token, client.default_params.get("team_id")))

    async def command(self, **body: Any) -> str:
        """A command as Socket Mode would bring it; the text of its acknowledgement."""
        body = {"command": "/regwatch", "text": "x", "user_id": "U1", "channel_id": "C1", **body}
        answer = await self.app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=body))
        return answer.body

    async def event(self, event: dict[str, Any], team: str | None, enterprise: str | None = None, is_of_all: bool = False) -> None:
        """An event in the shape in which Slack sends it."""
        owner = {"enterprise_id": enterprise, "team_id": None if is_of_all else team, "user_id": "U0BOT", "is_bot": True}
        body = {
            "token": "t", "team_id": team, "enterprise_id": enterprise, "api_app_id": "A1", "event": event, "type": "event_callback",
            "event_id": "Ev1", "event_time": 1, "is_ext_shared_channel": False,
            "authorizations": [owner | {"is_enterprise_install": is_of_all}],
        }  # fmt: skip
        done = asyncio.Event()
        self.app.listener_runner.listener_completion_handler = _Tells(done)
        await self.app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=body))
        await asyncio.wait_for(done.wait(), 10)


class _Tells:
    def __init__(self, done: asyncio.Event) -> None:
        self._done = done

    async def handle(self, request: object, response: object) -> None:
        self._done.set()


@pytest.fixture
async def bench(store: Store, installations: Installations, slack: SlackStub, clock: FakeClock) -> Bench:
    await installations.async_save_bot(a_bot("T1", None, "xoxb-t1"))
    await installations.async_save_bot(a_bot("T2", None, "xoxb-t2"))
    await installations.async_save_bot(a_bot(None, "E1", "xoxb-e1"))
    for team, enterprise in (("T1", None), ("T2", None), ("E1", "E1")):
        await store.install(Installed(team, f"Team {team}", "U1", enterprise))
    app, clients = await app_for_many(store, MANY, slack.url, "sig", scopes=["chat:write", "commands"], now=clock)
    return Bench(store, installations, app, clients)


async def test_a_request_is_answered_with_its_own_workspaces_token_and_asks_slack_nothing(bench: Bench, slack: SlackStub) -> None:
    """Bolt would ask auth.test for every request."""
    await bench.command(team_id="T1")
    await bench.command(team_id="T2")
    await bench.command(team_id="T9", enterprise_id="E1", is_enterprise_install="true")
    assert bench.tokens == [("xoxb-t1", "T1"), ("xoxb-t2", "T2"), ("xoxb-e1", "T9")]
    assert slack.calls == []
    met = await bench.store.workspace("T9")
    assert met is not None
    assert met.enterprise_id == "E1"


async def test_a_stranger_is_told_that_the_app_is_not_installed(bench: Bench) -> None:
    """And no listener runs."""
    assert "not installed in this workspace" in await bench.command(team_id="T8")
    assert bench.tokens == []


async def test_a_workspace_that_uninstalls_loses_its_token_at_once(bench: Bench) -> None:
    """The others keep theirs, and what it follows stays for its return."""
    await bench.command(team_id="T1")
    await bench.event({"type": "app_uninstalled"}, "T1")
    assert "not installed in this workspace" in await bench.command(team_id="T1")
    with pytest.raises(NoToken):
        await bench.clients.for_workspace("T1")
    gone, stays = await bench.store.workspace("T1"), await bench.store.workspace("T2")
    assert gone is not None
    assert gone.uninstalled_at is not None
    assert stays is not None
    assert stays.uninstalled_at is None
    assert (await bench.clients.for_workspace("T2")).token == "xoxb-t2"


async def test_an_organisation_that_uninstalls_takes_its_teams_along(bench: Bench) -> None:
    await bench.command(team_id="T9", enterprise_id="E1", is_enterprise_install="true")
    await bench.event({"type": "app_uninstalled"}, "T9", "E1", is_of_all=True)
    for workspace in ("E1", "T9"):
        view = await bench.store.workspace(workspace)
        assert view is not None
        assert view.uninstalled_at is not None
        with pytest.raises(NoToken):
            await bench.clients.for_workspace(workspace)


@pytest.mark.parametrize(
    ("tokens", "stays"),
    [({"oauth": ["U1"], "bot": []}, True), ({"oauth": ["U1"]}, True), ({"oauth": [], "bot": ["U0BOT"]}, False)],
    ids=["a person's own token", "a person's own, bot not named", "the bot's"],
)
async def test_a_revoked_bot_token_is_forgotten(tokens: dict[str, list[str]], stays: bool, bench: Bench) -> None:
    await bench.event({"type": "tokens_revoked", "tokens": tokens}, "T1")
    found = await bench.installations.async_find_bot(enterprise_id=None, team_id="T1")
    assert (found is not None) is stays


# --- the flow -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "workspace", "enterprise"),
    [
        pytest.param({"team": {"id": "T5", "name": "Five"}, "enterprise": None, "is_enterprise_install": False}, "T5", None, id="a team"),
        pytest.param(
            {"team": {"id": "T5", "name": "Five"}, "enterprise": {"id": "E5", "name": "Org"}, "is_enterprise_install": False},
            "T5", "E5", id="a team of an organisation",
        ),
        pytest.param(
            {"team": None, "enterprise": {"id": "E5", "name": "Org"}, "is_enterprise_install": True}, "E5", "E5", id="an organisation"
        ),
    ],
)  # fmt: skip
async def test_installing_keeps_the_token_and_makes_a_workspace(
    answer: dict[str, Any], workspace: str, enterprise: str | None, bench: Bench, slack: SlackStub
) -> None:
    """From the install page to Slack's own, and back; a second use of the same state is refused."""
    us = base64.b64encode(f"{MANY.client_id}:{MANY.client_secret}".encode()).decode()
    slack.tokens |= {"xoxb-t5": "T5", f"Basic {us}": "T5"}
    slack.answers["oauth.v2.access"] = {
        "access_token": "xoxb-t5", "token_type": "bot", "scope": "chat:write,commands", "bot_user_id": "U0BOT", "app_id": "A1",
        "authed_user": {"id": "U5"}, **answer,
    }  # fmt: skip
    server = HttpServer("127.0.0.1:0", _well, bench.app)
    await server.open()
    url = f"http://{server.address}"
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{url}/slack/install") as page:
            cookie = page.headers["Set-Cookie"].partition(";")[0]
            link = re.search(r'<a href="([^"]+)"', await page.text())
        assert link is not None
        asked = urlsplit(link[1].replace("&amp;", "&"))
        query = parse_qs(asked.query)
        assert f"{asked.scheme}://{asked.netloc}{asked.path}" == slack.url.replace("/api/", "/oauth/v2/authorize")
        assert query["redirect_uri"] == ["https://r.example/slack/oauth_redirect"]
        back = f"{url}/slack/oauth_redirect?code=c&state={query['state'][0]}"
        async with session.get(back, headers={"Cookie": "slack-app-oauth-state=forged"}) as page:
            assert page.status == 400
        async with session.get(back, headers={"Cookie": cookie}) as page:
            assert page.status == 200, await page.text()
        async with session.get(back, headers={"Cookie": cookie}) as page:
            assert page.status == 401
    await server.close()
    view = await bench.store.workspace(workspace)
    assert view is not None
    assert (view.enterprise_id, view.installed_by, view.uninstalled_at) == (enterprise, "U5", None)
    assert (await bench.clients.for_workspace(workspace)).token == "xoxb-t5"


async def _well() -> Health:
    return Health(True, {})


async def test_states_of_people_who_never_came_back_are_swept_out(bench: Bench, store: Store) -> None:
    """Anybody may open the install page, as often as they like."""
    async with store.engine.begin() as connection:
        past = datetime(2020, 1, 1, tzinfo=UTC).replace(tzinfo=None)
        await connection.execute(text(f"insert into {STATES} (state, expire_at) values ('old', :at)"), {"at": past.isoformat(" ")})
    flow = bench.app.oauth_flow
    assert flow is not None
    await flow.settings.state_store.async_issue()
    async with store.engine.connect() as connection:
        states = (await connection.execute(text(f"select state from {STATES}"))).scalars().all()
    assert len(states) == 1
    assert "old" not in states


async def test_a_single_workspace_that_uninstalls_is_served_no_more(store: Store, slack: SlackStub) -> None:
    """Its token is in the settings, not ours to remove."""
    await store.install(Installed("T1", "One", "U1"))
    app = AsyncApp(client=AsyncWebClient(token="xoxb-stub", base_url=slack.url), signing_secret="sig")
    watch(app, store)
    done = asyncio.Event()
    app.listener_runner.listener_completion_handler = _Tells(done)
    body = {"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": {"type": "app_uninstalled"}}
    await app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=json.dumps(body)))
    await asyncio.wait_for(done.wait(), 10)
    view = await store.workspace("T1")
    assert view is not None
    assert view.uninstalled_at is not None
