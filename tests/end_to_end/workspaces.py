"""Two workspaces of emulate, a Slack that others wrote, and the service that both install. See test_emulate.py.

emulate knows one workspace, so two of it run, and `Gate` stands before them as the one Slack that the service knows: it
leads each token to the emulate that gave it out, and gives the second one's team a number of its own. It also
turns a read by GET into the POST that emulate understands. Everything else that is answered is emulate's.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from tests.end_to_end.driver import wait_for

CLIENT_ID, CLIENT_SECRET, SIGNING = "111.222", "client-secret", "sig-secret"
ADMIN = "xoxp-admin"
CHANNEL, PERSON = "C000000001", "U000000001"
THEIRS = "T000000001"
TEAMS = (THEIRS, "T000000002")


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def fetch(url: str, data: bytes | None = None, headers: dict[str, str] | None = None) -> tuple[int, str, dict[str, str]]:
    """Status, body and headers; a redirect is not followed."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    request = urllib.request.Request(url, data, headers or {})  # noqa: S310
    try:
        with urllib.request.build_opener(Stay).open(request, timeout=20) as answer:
            return answer.status, answer.read().decode(), dict(answer.headers)
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), dict(error.headers)


class Emulate:
    """One workspace."""

    def __init__(self, node: Path, program: Path, folder: Path, redirect: str, scopes: list[str]) -> None:
        self.port = free_port()
        seed = folder / f"emulate-{self.port}.json"
        app = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "app_id": "A000000001", "name": "Regwatch", "bot_name": "regwatch"}
        admin = {
            "token": ADMIN,
            "type": "user",
            "user": "admin",
            "scopes": ["channels:manage", "channels:write", "channels:read", "channels:history", "users:read"],
        }
        told = {"oauth_apps": [app | {"redirect_uris": [redirect], "scopes": scopes}], "tokens": [admin], "strict_scopes": True}
        seed.write_text(json.dumps({"slack": told}))
        self._log = (folder / f"emulate-{self.port}.log").open("w")
        command = [str(node), str(program), "start", "--service", "slack", "--port", str(self.port), "--seed", str(seed)]
        self.process = subprocess.Popen(command, stdout=self._log, stderr=subprocess.STDOUT, cwd=folder)
        self.url = f"http://127.0.0.1:{self.port}"
        wait_for("emulate to listen", self._is_up, 30)

    def _is_up(self) -> bool:
        try:
            return fetch(f"{self.url}/api/auth.test", b"")[0] == 200
        except OSError:
            return False

    def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        """A Web API method as the workspace's admin."""
        headers = {"Authorization": f"Bearer {ADMIN}", "Content-Type": "application/json"}
        found: dict[str, Any] = json.loads(fetch(f"{self.url}/api/{method}", json.dumps(arguments).encode(), headers)[1])
        return found

    def messages(self) -> list[str]:
        """What stands in the channel, oldest first."""
        found = self.call("conversations.history", channel=CHANNEL)
        return [json.dumps(message, ensure_ascii=False) for message in reversed(found["messages"])]

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        self._log.close()


class Gate:
    """`with Gate(workspaces) as gate:` the one Slack at `gate.url`; `gate.answers` is what came to response URLs."""

    def __init__(self, workspaces: dict[str, Emulate]) -> None:
        self.answers: list[dict[str, Any]] = []
        self.codes: dict[str, str] = {}
        self.tokens: dict[str, str] = {}
        gate = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._serve()

            def do_POST(self) -> None:
                self._serve()

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                path = urlsplit(self.path)
                if path.path == "/response":
                    gate.answers.append(json.loads(body))
                    self._tell(200, b"ok")
                    return
                is_json = (self.headers.get("Content-Type") or "").startswith("application/json")
                given = json.loads(body or b"{}") if is_json else dict(parse_qsl(body.decode()))
                given = dict(parse_qsl(path.query)) | given
                authorization = self.headers.get("Authorization", "")
                team = gate.tokens.get(authorization.removeprefix("Bearer ")) or gate.codes.get(given.get("code", ""), THEIRS)
                headers = {"Content-Type": "application/json"} | ({"Authorization": authorization} if authorization else {})
                data = json.dumps(given).replace(team, THEIRS).encode()
                status, answer, _ = fetch(workspaces[team].url + path.path, data, headers)
                answer = answer.replace(THEIRS, team)
                if path.path.endswith("oauth.v2.access"):
                    gate.tokens[json.loads(answer).get("access_token", "")] = team
                self._tell(status, answer.encode())

            def _tell(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nothing: emulate has a log."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Installer:
    """What Slack and a browser do to the service at `url`."""

    def __init__(self, url: str, gate: Gate, workspaces: dict[str, Emulate]) -> None:
        self._url, self._gate, self._workspaces = url, gate, workspaces

    def install(self, team: str) -> int:
        """From the install page through the workspace's own page and back; the status of the last one."""
        _, page, headers = fetch(f"{self._url}/slack/install?team={team}")
        link = re.search(r'<a href="([^"]+)"', page)
        assert link is not None, page
        asked = urlsplit(link[1].replace("&amp;", "&"))
        _, form, _ = fetch(f"{self._workspaces[team].url}{asked.path}?{asked.query}")
        hidden = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form.replace("&amp;", "&")))
        _, _, away = fetch(f"{self._workspaces[team].url}/oauth/v2/authorize/callback", urlencode(hidden).encode())
        back = next(value for name, value in away.items() if name.lower() == "location")
        self._gate.codes[parse_qs(urlsplit(back).query)["code"][0]] = team
        # the cookie is for https alone, which a browser would keep to
        return fetch(back, headers={"Cookie": headers["Set-Cookie"].partition(";")[0]})[0]

    def command(self, team: str, text: str) -> str:
        """A signed slash command; the body of its acknowledgement."""
        body = {"command": "/regwatch", "text": text, "team_id": team, "channel_id": CHANNEL, "channel_name": "general", "user_id": PERSON}
        return self._post(urlencode(body | {"response_url": f"{self._gate.url}/response"}), "application/x-www-form-urlencoded")

    def uninstall(self, team: str) -> None:
        """The event that Slack sends; emulate has none."""
        owner = {"enterprise_id": None, "team_id": team, "user_id": "U0", "is_bot": True, "is_enterprise_install": False}
        body = {"type": "event_callback", "team_id": team, "api_app_id": "A000000001", "event_id": "Ev1", "authorizations": [owner]}
        self._post(json.dumps(body | {"event": {"type": "app_uninstalled"}}), "application/json")

    def _post(self, body: str, kind: str) -> str:
        stamp = str(int(time.time()))
        signature = "v0=" + hmac.new(SIGNING.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
        headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature, "Content-Type": kind}
        status, answer, _ = fetch(f"{self._url}/slack/events", body.encode(), headers)
        assert status == 200, answer
        return answer
