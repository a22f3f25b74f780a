"""How Slack reaches us: a watchdog that knows deaf from quiet, signatures, health, and a stop that cuts nobody off."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from slack_bolt.async_app import AsyncApp

from bot.app import Regwatch
from bot.config import SettingsError, load_settings, set_up_logging
from bot.deliver import make_client
from bot.transport import (
    DOWN_SECONDS,
    GRACE_SECONDS,
    HELLO_SECONDS,
    MOST_REPLACED,
    Health,
    HttpServer,
    Pulse,
    SocketMode,
    TransportLost,
    Verdict,
    Vitals,
    answers_under_way,
    judge,
)
from storage import Store
from tests.fakes.clock import FakeClock
from tests.fakes.slack import TOKEN, SlackStub, refused, unavailable
from tests.fakes.socket_mode import APP_TOKEN, SocketModeStub

HOUR = 3600.0
COMMAND = {"command": "/regwatch", "text": "help", "team_id": "T1", "channel_id": "C1", "user_id": "U1"}


@pytest.mark.parametrize(
    ("pulse", "now", "verdict"),
    [
        pytest.param(Pulse(0, heard_at=1), 5 * HOUR, Verdict.WELL, id="hours without a word are only quiet"),
        pytest.param(Pulse(0, heard_at=1, kept=HOUR), HOUR + GRACE_SECONDS, Verdict.WELL, id="Slack may be late to renew"),
        pytest.param(Pulse(0, heard_at=1, kept=HOUR), HOUR + GRACE_SECONDS + 1, Verdict.REPLACE, id="but not silent when it should have"),
        pytest.param(Pulse(0), HELLO_SECONDS - 1, Verdict.WELL, id="the greeting may take a moment"),
        pytest.param(Pulse(0), HELLO_SECONDS, Verdict.REPLACE, id="an open connection that never greeted"),
        pytest.param(Pulse(0, 1, False, down_since=9), 9 + DOWN_SECONDS - 1, Verdict.WELL, id="the SDK may try first"),
        pytest.param(Pulse(0, 1, False, down_since=9), 9 + DOWN_SECONDS, Verdict.REPLACE, id="down for longer than the SDK needs"),
        pytest.param(Pulse(0, replaced=MOST_REPLACED - 1), HELLO_SECONDS, Verdict.REPLACE, id="the last try"),
        pytest.param(Pulse(0, replaced=MOST_REPLACED), HELLO_SECONDS, Verdict.GIVE_UP, id="no new connection helped"),
        pytest.param(Pulse(0, heard_at=1, replaced=MOST_REPLACED), HOUR, Verdict.WELL, id="what hears is never given up"),
    ],
)
def test_the_verdict_on_a_connection(pulse: Pulse, now: float, verdict: Verdict) -> None:
    assert judge(pulse, now)[0] is verdict


class Ticks:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def slack() -> AsyncIterator[SlackStub]:
    async with SlackStub() as stub:
        yield stub


@pytest.fixture
async def far(slack: SlackStub) -> AsyncIterator[SocketModeStub]:
    async with SocketModeStub(slack) as stub:
        yield stub


@pytest.fixture
def heard() -> list[Mapping[str, Any]]:
    return []


@pytest.fixture
def app(slack: SlackStub, heard: list[Mapping[str, Any]]) -> AsyncApp:
    """A bot of one command and one event."""
    made = AsyncApp(client=make_client(TOKEN, slack.url), signing_secret="sig")

    @made.command("/regwatch")
    async def on_command(ack: Any, body: dict[str, Any]) -> None:
        await ack(f"heard {body['text']}")
        heard.append(body)

    @made.event("app_mention")
    async def on_mention(event: dict[str, Any], request: Any) -> None:
        heard.append({**event, "retry": request.headers.get("x-slack-retry-num")})

    return made


@pytest.fixture
async def socket(app: AsyncApp, slack: SlackStub, far: SocketModeStub) -> AsyncIterator[SocketMode]:
    made = SocketMode(app, APP_TOKEN, slack.url, expected=1, clock=Ticks())
    yield made
    await made.close()


async def test_a_command_over_socket_mode_is_acknowledged(socket: SocketMode, far: SocketModeStub) -> None:
    await socket.open()
    await far.connected(1)
    assert (await far.send("slash_commands", COMMAND))["text"] == "heard help"
    assert socket.health()["ok"]
    await socket.look()
    assert len(far.sockets) == 1


async def test_a_repeated_event_says_so(socket: SocketMode, far: SocketModeStub, heard: list[Mapping[str, Any]]) -> None:
    """What dedupes needs to know it is a repetition; nothing is dropped here."""
    await socket.open()
    await far.connected(1)
    event = {"type": "app_mention", "user": "U1", "text": "x", "channel": "C1", "ts": "1.1"}
    body = {"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": event}
    await far.send("events_api", body, retry_attempt=1, retry_reason="timeout")
    await far.send("slash_commands", COMMAND)  # the event is listened to after its acknowledgement
    assert heard[0]["retry"] == ["1"]


@pytest.mark.parametrize(("many", "warns"), [(1, False), (3, True)], ids=["only ours", "somebody else's too"])
async def test_another_process_on_the_same_token_is_told(
    socket: SocketMode, far: SocketModeStub, many: int, warns: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Each message goes to one connection at random: a forgotten process eats commands."""
    far.num_connections = many
    await socket.open()
    await far.connected(1)
    await far.send("slash_commands", COMMAND)  # the greeting came before
    assert ("another process uses the same app token" in caplog.text) is warns


@pytest.mark.parametrize("error", ["invalid_auth", "token_revoked", "missing_scope"])
async def test_a_refused_app_token_ends_the_start_at_once(error: str, app: AsyncApp, slack: SlackStub) -> None:
    """The SDK alone would try it again for ever."""
    slack.always("apps.connections.open", refused(error))
    with pytest.raises(SettingsError, match=rf"SLACK_APP_TOKEN: Slack refuses it \({error}\)"):
        await SocketMode(app, APP_TOKEN, slack.url).open()
    assert slack.count("apps.connections.open") == 1


def _later(socket: SocketMode, seconds: float) -> None:
    clock = socket._clock
    assert isinstance(clock, Ticks)
    clock.now += seconds


async def test_a_connection_that_falls_silent_is_replaced(socket: SocketMode, far: SocketModeStub) -> None:
    """Alive but deaf: pings are answered, but Slack would long have renewed it. The new one hears."""
    far.kept = 60
    await socket.open()
    await far.connected(1)
    await far.send("slash_commands", COMMAND)
    _later(socket, 60 + GRACE_SECONDS + 1)
    await socket.look()
    await far.connected(2)
    assert (await far.send("slash_commands", COMMAND))["text"] == "heard help"
    assert far.sockets[0].closed


async def test_what_never_greets_is_replaced_and_then_given_up(socket: SocketMode, far: SocketModeStub) -> None:
    """Five new connections did not help, so a supervisor may try with a new process."""
    far.greets = False
    await socket.open()
    for count in range(MOST_REPLACED):
        await far.connected(count + 1)
        _later(socket, HELLO_SECONDS)
        await socket.look()
    _later(socket, HELLO_SECONDS)
    with pytest.raises(TransportLost, match="5 new connections did not help"):
        await socket.look()
    assert not socket.health()["ok"]


async def test_one_greeting_forgives_what_was_before(socket: SocketMode, far: SocketModeStub) -> None:
    far.greets = False
    await socket.open()
    for count in range(3):
        await far.connected(count + 1)
        far.greets = count == 2
        _later(socket, HELLO_SECONDS)
        await socket.look()
    await far.connected(4)
    await far.send("slash_commands", COMMAND)
    assert socket.health()["ok"]
    assert socket._pulse.replaced == 0


async def test_a_slack_that_cannot_be_reached_is_waited_for(
    socket: SocketMode, far: SocketModeStub, slack: SlackStub, caplog: pytest.LogCaptureFixture
) -> None:
    """A new process would fare no better, and this one polls on; when Slack is back it hears again."""
    far.greets = False
    await socket.open()
    await far.connected(1)
    slack.always("apps.connections.open", unavailable())
    for _ in range(3 * MOST_REPLACED):
        _later(socket, max(HELLO_SECONDS, DOWN_SECONDS))
        await socket.look()
    assert "socket not connected" in caplog.text
    assert not socket.health()["ok"]
    slack.heal()
    far.greets = True
    _later(socket, DOWN_SECONDS)
    await socket.look()
    await far.connected(2)
    await far.send("slash_commands", COMMAND)
    assert socket.health()["ok"]


async def test_a_token_that_is_revoked_meanwhile_ends_the_process(socket: SocketMode, far: SocketModeStub, slack: SlackStub) -> None:
    """With a line that says which, through `serve`, which stops in order first."""
    far.greets = False
    await socket.open()
    await far.connected(1)
    slack.always("apps.connections.open", refused("token_revoked"))
    _later(socket, HELLO_SECONDS)
    service = Regwatch(load_settings(slack_bot_token=TOKEN, slack_app_token=APP_TOKEN))
    stop = asyncio.Event()
    await service._watch(socket, stop)
    assert stop.is_set()
    assert "SLACK_APP_TOKEN: Slack refuses it (token_revoked)" in str(service._lost)


async def test_a_disconnect_with_its_reason_is_followed_by_a_new_connection(socket: SocketMode, far: SocketModeStub) -> None:
    """The SDK's own doing; the watchdog sees a new session and leaves it alone."""
    await socket.open()
    await far.connected(1)
    await far.disconnect("too_many_websockets")
    await far.connected(2)
    await far.send("slash_commands", COMMAND)
    await socket.look()
    assert len(far.sockets) == 2


async def test_nothing_is_opened_after_the_close(socket: SocketMode, far: SocketModeStub) -> None:
    """A look that was under way must not connect again behind a stop."""
    far.greets = False
    await socket.open()
    await far.connected(1)
    _later(socket, HELLO_SECONDS)
    await asyncio.gather(socket.look(), socket.close())
    await socket.look()
    assert socket._handler is None or socket._handler.client.closed


# --- HTTP -----------------------------------------------------------------------------------------------------------------


async def _well() -> Health:
    return Health(True, {})


@pytest.fixture
async def server(app: AsyncApp) -> AsyncIterator[HttpServer]:
    made = HttpServer("127.0.0.1:0", _well, app)
    await made.open()
    yield made
    await made.close()


async def _post(server: HttpServer, body: str, *, key: str = "sig", age: float = 0, kind: str = "") -> tuple[int, str]:
    stamp = str(int(time.time() - age))
    signature = "v0=" + hmac.new(key.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
    headers = {
        "X-Slack-Signature": signature,
        "X-Slack-Request-Timestamp": stamp,
        "Content-Type": kind or "application/x-www-form-urlencoded",
    }
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"http://{server.address}/slack/events", data=body.encode(), headers=headers) as answer,
    ):
        return answer.status, await answer.text()


async def test_a_signed_command_over_http_is_acknowledged(server: HttpServer) -> None:
    status, body = await _post(server, urlencode(COMMAND))
    assert (status, body) == (200, "heard help")


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"key": "another"}, id="another app's secret"),
        pytest.param({"age": 10**9}, id="a request of long ago, replayed"),
        pytest.param({"age": 400}, id="six minutes old"),
        pytest.param({"age": -400}, id="from the future"),
    ],
)
async def test_a_request_that_slack_did_not_sign_now_is_refused_and_never_logged(
    wrong: dict[str, Any], server: HttpServer, heard: list[Mapping[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    """Its body may be anything, tokens of others included; not even DEBUG prints it."""
    set_up_logging(load_settings(log_level="DEBUG"))
    status, _ = await _post(server, urlencode(COMMAND | {"text": "a body to remember"}), **wrong)
    assert status == 401
    assert not heard
    assert "remember" not in capsys.readouterr().err


async def test_slack_can_verify_the_address(server: HttpServer) -> None:
    """The challenge that Slack sends when the request URL is entered."""
    body = json.dumps({"type": "url_verification", "challenge": "c-1", "token": "t"})
    status, answer = await _post(server, body, kind="application/json")
    assert (status, json.loads(answer)["challenge"]) == (200, "c-1")


async def test_an_address_that_is_taken_is_told_in_one_line(server: HttpServer) -> None:
    with pytest.raises(SettingsError, match=r"REGWATCH_HTTP_BIND: 127.0.0.1:\d+ cannot be listened on"):
        await HttpServer(server.address, _well).open()


async def test_a_stop_waits_for_the_answer_under_way(app: AsyncApp) -> None:
    """The command is acknowledged, its answer is not written yet: cut off, it would never come."""
    began, release = asyncio.Event(), asyncio.Event()
    done = False

    @app.command("/slow")
    async def on_slow(ack: Any) -> None:
        nonlocal done
        await ack()
        began.set()
        await release.wait()
        done = True

    wait = answers_under_way(app, 10)
    server = HttpServer("127.0.0.1:0", _well, app)
    await server.open()
    assert (await _post(server, urlencode(COMMAND | {"command": "/slow"})))[0] == 200
    await began.wait()
    await server.close()
    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0)
    assert not waiting.done()
    release.set()
    await waiting
    assert done


# --- health ---------------------------------------------------------------------------------------------------------------

FINE = {"poll": {"ok": True, "running_seconds": None, "ended_seconds_ago": 2}}


@pytest.mark.parametrize(
    ("jobs", "transport", "is_ok"),
    [
        pytest.param(FINE, {"name": "socket", "ok": True}, True, id="all is well"),
        pytest.param(FINE, {"name": "socket", "ok": False}, False, id="Slack does not reach us"),
        pytest.param({"poll": {"ok": False, "running_seconds": 9000}}, {"name": "http", "ok": True}, False, id="a round that never ends"),
    ],
)
async def test_health_is_ill_when_one_part_is(jobs: Any, transport: Any, is_ok: bool, sqlite_store: Store, clock: FakeClock) -> None:
    server = HttpServer("127.0.0.1:0", Vitals(sqlite_store, lambda: jobs, lambda: transport, clock).signs)
    await server.open()
    async with aiohttp.ClientSession() as session, session.get(f"http://{server.address}/healthz") as answer:
        assert answer.status == (200 if is_ok else 503)
        told = await answer.json()
    await server.close()
    assert told == {"ok": is_ok, "database": {"ok": True, "last_good_poll": None}, "jobs": jobs, "transport": transport}


async def test_health_is_ill_without_its_database_and_asks_it_seldom(
    tmp_path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """A probe comes every few seconds; the database is asked every fifteen."""
    store = Store(f"sqlite:///{tmp_path}/nowhere/x.sqlite", now=clock)
    vitals = Vitals(store, lambda: {}, lambda: {"name": "http", "ok": True}, clock)
    with caplog.at_level(logging.ERROR):
        assert not (await vitals.signs()).is_ok
        assert not (await vitals.signs()).is_ok
        assert caplog.text.count("healthz: no database") == 1
        clock.forward(seconds=15)
        await vitals.signs()
        assert caplog.text.count("healthz: no database") == 2
    await store.close()


async def test_without_an_app_only_health_is_served(sqlite_store: Store, clock: FakeClock) -> None:
    """Beside Socket Mode nobody can send requests to the port of /healthz."""
    server = HttpServer("127.0.0.1:0", _well)
    await server.open()
    assert (await _post(server, urlencode(COMMAND)))[0] == 404
    await server.close()
