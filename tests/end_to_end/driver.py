"""Runs the real service against local-slack and prints what was seen, as one JSON object. See test_local_slack.py.

local-slack listens on every interface, so this is started inside a network namespace of its own:

    unshare -rn sh -c 'ip link set lo up; exec python -m tests.end_to_end.driver LOCAL_SLACK [--transport socket|http] [--screenshot FILE]'
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from tests.end_to_end.loopback import Item, Loopback, rss, write_catalogue

ROOT = Path(__file__).resolve().parents[2]
CHANNEL, PERSON = "C01LEGAL", "U01MEI"
PRESS, NOTICES = "wire", "cn-cac-notices"
BIND = "127.0.0.1:3200"  # in a network namespace of its own, nobody else has it
ASKED = 40  # questions whose acknowledgement is timed
CONFIG: dict[str, Any] = {
    "workspace": {"name": "QA", "domain": "qa", "teamId": "T01TEST"},
    "app": {
        "appId": "A01APP",
        "botUserId": "U0BOT",
        "botName": "regwatch",
        "botToken": "xoxb-test-token",
        "appToken": "xapp-test-token",
        "signingSecret": "sig-secret",
        "requestUrl": f"http://{BIND}/slack/events",
    },
    "users": [{"id": PERSON, "name": "mei", "tz": "Asia/Taipei"}],
    "channels": [{"id": CHANNEL, "name": "legal", "members": [PERSON, "U0BOT"]}],
}
TRANSPORTS = {
    # local-slack's word for it, and the settings that go with it
    "socket": ("socket", {"SLACK_APP_TOKEN": "xapp-test-token", "REGWATCH_HTTP_BIND": BIND}),
    "http": ("events", {"SLACK_SIGNING_SECRET": "sig-secret", "REGWATCH_TRANSPORT": "http", "REGWATCH_HTTP_BIND": BIND}),
}
_Found = TypeVar("_Found")


class Slack:
    """local-slack by its control API."""

    def __init__(self, binary: str, folder: Path, mode: str) -> None:
        config = folder / "slack.json"
        config.write_text(json.dumps(CONFIG | {"app": CONFIG["app"] | {"mode": mode}}))
        self._log = (folder / "local-slack.log").open("w+")
        command = [binary, "--config", str(config), "--port", "0", "--base-host", "127.0.0.1", "--files-dir", str(folder)]
        self.process = subprocess.Popen(command, stdout=self._log, stderr=subprocess.STDOUT)
        self.url = wait_for("local-slack to listen", self._base, 20)

    def _base(self) -> str | None:
        self._log.seek(0)
        match = re.search(r"Web API base:\s+http://[^:]+:(\d+)/api/", self._log.read())
        return f"http://127.0.0.1:{match[1]}" if match else None

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        self._log.close()

    def _call(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_control/{path}", data, {"Content-Type": "application/json"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            found: dict[str, Any] = json.load(answer)
            return found

    def command(self, text: str) -> float:
        """Types `/regwatch TEXT`; returns the seconds until the bot acknowledged it."""
        started = time.monotonic()
        self._call("command", {"channel": CHANNEL, "user": PERSON, "command": "/regwatch", "text": text})
        return time.monotonic() - started

    def click(self, message: dict[str, Any], label: str) -> None:
        """A click on a button of a message, or the choice of that name in its menu."""
        for block in message["blocks"]:
            for element in [*block.get("elements", []), *([block["accessory"]] if "accessory" in block else [])]:
                if "action_id" not in element:
                    continue
                action = {"type": element["type"], "action_id": element["action_id"], "block_id": block.get("block_id", "b")}
                chosen = [option for option in element.get("options", []) if option["text"]["text"] == label]
                if chosen:
                    action["selected_option"] = chosen[0]
                elif element.get("text", {}).get("text") == label:
                    action["value"] = element.get("value")
                else:
                    continue
                self._call("interact", {"channel": CHANNEL, "messageTs": message["ts"], "user": PERSON, "action": action})
                return
        raise RuntimeError(f"no {label!r} to click")

    def say(self, text: str, thread_ts: str | None = None) -> None:
        """A message of the person's."""
        self._call("message", {"channel": CHANNEL, "user": PERSON, "text": text, **({"thread_ts": thread_ts} if thread_ts else {})})

    def open_home(self) -> None:
        """The person looks at the app's Home tab."""
        self._call("open-home", {"user": PERSON})

    def submit(self, filled_in: dict[str, dict[str, Any]]) -> dict[str, Any]:
        """Submits the modal that is open, as the page does: over its WebSocket. What the page is told then."""
        values = state_of(self.views()[-1]["view"], filled_in)

        async def work() -> dict[str, Any]:
            import aiohttp

            async with aiohttp.ClientSession() as session, session.ws_connect(f"{self.url}/ui") as page:
                await page.send_json({"t": "view_submit", "user": PERSON, "values": values})
                while True:
                    told: dict[str, Any] = await page.receive_json(timeout=20)
                    if str(told.get("t", "")).startswith("view"):
                        return told

        return asyncio.run(work())

    def views(self) -> list[dict[str, Any]]:
        """The modals and home pages that the bot opened, oldest first."""
        return [entry["detail"] for entry in self.log() if entry["kind"] == "web_api" and entry["summary"].startswith("views.")]

    def messages(self) -> list[dict[str, Any]]:
        """What stands in the channel, oldest first, answers to one person included."""
        found: list[dict[str, Any]] = self._call(f"messages/{CHANNEL}")["messages"]
        return found

    def after(self, count: int) -> Callable[[], list[dict[str, Any]] | None]:
        """A condition: what came after the first `count` messages, when anything did."""
        return lambda: self.messages()[count:] or None

    def log(self) -> list[dict[str, Any]]:
        """Every envelope, acknowledgement and Web API call in order."""
        found: list[dict[str, Any]] = self._call("log")["log"]
        return found


def health() -> dict[str, Any] | None:
    """What the service says of itself, when it is well."""
    try:
        with urllib.request.urlopen(f"http://{BIND}/healthz", timeout=5) as answer:
            found: dict[str, Any] = json.load(answer)
            return found
    except OSError:
        return None


def wait_for(what: str, look: Callable[[], _Found | None], seconds: float = 20) -> _Found:
    """Looks until there is something; TimeoutError names it."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.05)


def regwatch(environment: dict[str, str], folder: Path, *arguments: str) -> Any:
    """A command beside the service; its JSON."""
    command = [sys.executable, "-m", "bot", *arguments, "--json"]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)}: exit {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def converse(slack: Slack, card: dict[str, Any], seen: dict[str, Any]) -> None:
    """Buttons, a menu, modals with an error in them, the home page, a mention in the channel and one in a thread."""

    def here() -> dict[str, Any]:
        return next(message for message in slack.messages() if message["ts"] == card["ts"])

    count = len(slack.messages())
    slack.click(here(), "Details")
    seen["details"] = wait_for("the details", slack.after(count))
    slack.click(here(), "Reviewed")
    seen["reviewed"] = wait_for("the card to say who looked", lambda: here() if "Reviewed:" in json.dumps(here()) else None)
    slack.command("settings")
    wait_for("the settings", lambda: [view for view in slack.views() if view["view"].get("callback_id") == "regwatch.settings"])
    seen["refused"] = slack.submit({"quiet_from": {"selected_time": "22:00"}})
    count = len(slack.messages())
    seen["accepted"] = slack.submit({"quiet_from": {"selected_time": "22:00"}, "quiet_to": {"selected_time": "07:00"}})
    seen["settings"] = wait_for("the channel to be told", slack.after(count))
    slack.click(here(), "Duplicate")
    wait_for("the form of a verdict", lambda: [view for view in slack.views() if view["view"].get("callback_id") == "regwatch.verdict"])
    seen["no_duplicate"] = slack.submit({"of": {"value": "RW-1001"}})
    opened = len(slack.views())
    slack.click(here(), "Not relevant")
    wait_for("the form of another verdict", lambda: slack.views()[opened:])
    slack.submit({"reason": {"value": "only a meeting"}})
    seen["struck"] = wait_for("the card to be struck", lambda: here() if "Struck: not relevant" in json.dumps(here()) else None)
    told = wait_for(
        "the channel to be told", lambda: [one for one in slack.messages() if "struck" in one["text"] and one["user"] == "U0BOT"]
    )
    slack.click(told[-1], "Withdraw")
    wait_for("the verdict to be withdrawn", lambda: "Struck" not in json.dumps(here()))
    slack.open_home()
    seen["home"] = wait_for("the home page", lambda: [view for view in slack.views() if view["view"]["type"] == "home"])[-1]
    count = len(slack.messages())
    slack.say("<@U0BOT> what about 腾讯?")
    seen["mention"] = wait_for("the answer to a mention", lambda: [one for one in slack.messages()[count:] if one["user"] == "U0BOT"])
    slack.say("<@U0BOT> timeline tencent", thread_ts=card["ts"])
    seen["in_thread"] = wait_for(
        "the answer in the thread",
        lambda: [one for one in slack.messages() if one.get("thread_ts") == card["ts"] and "a block a" in one["text"]],
    )


def state_of(view: dict[str, Any], filled_in: dict[str, dict[str, Any]]) -> dict[str, dict[str, dict[str, Any]]]:
    """The state of a form as Slack sends it: what was filled in, else what stood there at first."""
    initial = {"initial_option": "selected_option", "initial_options": "selected_options", "initial_value": "value"}
    initial |= {"initial_time": "selected_time", "initial_conversation": "selected_conversation"}
    values = {}
    for block in view["blocks"]:
        if block["type"] == "input":
            element = block["element"]
            held = {"type": element["type"], **{to: element[name] for name, to in initial.items() if name in element}}
            values[block["block_id"]] = {element["action_id"]: held | filled_in.get(block["block_id"], {})}
    return values


def play(binary: str, folder: Path, transport: str, screenshot: str | None) -> dict[str, Any]:
    """Subscribe, a silent first poll, a press report in English, the regulator's notice in Chinese, a question, a digest, a stop."""
    seen: dict[str, Any] = {}
    now = datetime.now(UTC).replace(microsecond=0)
    with Loopback() as web:
        old = Item("n1", "Internet safety week opens in autumn", "Visitors may try a telegraph.", now - timedelta(days=9))
        web.pages["/wire.xml"] = rss("Harbour Wire", [old], web.url)
        notice_old = Item("c1", "网络安全宣传周将在秋季举行", "活动面向公众。", now - timedelta(days=9))
        web.pages["/cac.xml"] = rss("国家互联网信息办公室", [notice_old], web.url)
        write_catalogue(
            folder / "sources.csv",
            [
                {"source_id": PRESS, "tier": "secondary", "content": "Harbour Wire", "url": f"{web.url}/wire.xml"},
                {"source_id": NOTICES, "regulator_id": "cn-cac", "url": f"{web.url}/cac.xml", "language": "zh-Hans"},
            ],
        )
        mode, settings = TRANSPORTS[transport]
        slack = Slack(binary, folder, mode)
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("REGWATCH_", "SLACK_"))},
            "PYTHONPATH": str(ROOT),
            "SLACK_BOT_TOKEN": "xoxb-test-token",
            **settings,
            "SLACK_API_URL": f"{slack.url}/api/",
            "REGWATCH_DATABASE_URL": f"sqlite:///{folder / 'regwatch.sqlite'}",
            "REGWATCH_SOURCES": str(folder / "sources.csv"),
            "REGWATCH_FETCH_ALLOW": web.host,
            "REGWATCH_HOST_GAP_SECONDS": "0",
            "REGWATCH_REQUESTS_PER_MINUTE": "6000",
            "REGWATCH_ADMINS": PERSON,
        }
        log = (folder / "service.log").open("w+")
        service = subprocess.Popen([sys.executable, "-m", "bot", "run"], env=environment, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
        try:

            def is_up() -> dict[str, Any] | None:
                if service.poll() is not None:
                    raise RuntimeError(f"the service ended with {service.returncode}")
                return health()

            seen["health"] = wait_for("the service to be well", is_up, 60)
            slack.command("subscribe tencent")
            seen["subscribe"] = wait_for("the answer to subscribe", slack.after(0))
            count = len(slack.messages())

            seen["first_poll"] = regwatch(environment, folder, "poll", PRESS, NOTICES)
            report = Item(
                "n2",
                "CAC calls in 11 technology firms over voice apps",
                "The Cyberspace Administration of China has summoned 11 technology firms, among them Tencent Holdings Ltd, Alibaba"
                " Group Holding Ltd and ByteDance Ltd, for talks about voice software that was never assessed.",
                now - timedelta(hours=1),
            )
            web.pages["/wire.xml"] = rss("Harbour Wire", [report, old], web.url)
            started = time.monotonic()
            seen["second_poll"] = regwatch(environment, folder, "poll", PRESS, NOTICES)
            seen["alert"] = wait_for("the alert", slack.after(count), 30)
            seen["alert_seconds"] = round(time.monotonic() - started, 2)
            count = len(slack.messages())

            notice = Item(
                "c2",
                "国家网信办约谈11家企业",
                "国家互联网信息办公室近日约谈腾讯、阿里巴巴、字节跳动、小米、快手等11家企业，要求其对语音社交软件开展安全评估。",
                now - timedelta(minutes=30),
            )
            web.pages["/cac.xml"] = rss("国家互联网信息办公室", [notice, notice_old], web.url)
            seen["third_poll"] = regwatch(environment, folder, "poll", NOTICES)
            seen["update"] = wait_for("the update", slack.after(count), 30)
            count = len(slack.messages())
            seen["channel"] = slack.messages()

            slack.command("騰訊")
            seen["answer"] = wait_for("the answer to a question", slack.after(count))
            count = len(slack.messages())
            slack.command("digest now")
            seen["digest"] = wait_for("the digest", slack.after(count), 30)
            converse(slack, seen["alert"][0], seen)
            if screenshot:
                take(f"{slack.url}/", screenshot)
            acks = sorted(slack.command("actions 阿里巴巴 since:30d") for _ in range(ASKED))
            seen["ack_ms"] = {"p50": round(acks[ASKED // 2] * 1000, 1), "p99": round(acks[-1] * 1000, 1), "n": ASKED}
            seen["calls"] = [entry for entry in slack.log() if entry["kind"] == "web_api" and entry["summary"].startswith("chat.")]

            service.send_signal(signal.SIGTERM)
            seen["exit"] = service.wait(30)
        except (TimeoutError, RuntimeError, subprocess.TimeoutExpired) as error:
            seen["error"] = str(error)
        finally:
            service.kill()
            service.wait()
            slack.stop()
            log.seek(0)
            seen["log"] = log.read()[-20_000:]
            log.close()
    return seen


def take(url: str, file: str) -> None:
    """A picture of local-slack's page for people to look at; needs chromium."""
    with tempfile.TemporaryDirectory() as profile:
        flags = (
            "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update"
            f" --disable-sync --user-data-dir={profile} --window-size=1400,2200 --virtual-time-budget=5000 --screenshot={file}"
        )
        subprocess.run(["chromium", *flags.split(), url], check=False, capture_output=True, timeout=60)


def main() -> None:
    """Prints one JSON object."""
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--transport", choices=sorted(TRANSPORTS), default="socket")
    parser.add_argument("--screenshot")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="regwatch-e2e-") as folder:
        print(json.dumps(play(wanted.binary, Path(folder), wanted.transport, wanted.screenshot), ensure_ascii=False))


if __name__ == "__main__":
    main()
