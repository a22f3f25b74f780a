"""The whole service against local-slack, a Slack that others wrote: Web API, both transports and slash commands on loopback.

Skipped where npm is absent, or its registry, or user namespaces: local-slack listens on every interface, so it
gets a network namespace of its own.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.doubles import ROOT, installed

PACKAGE = "local-slack-linux-x64"
VERSION = "0.1.8"


@pytest.fixture(scope="module")
def binary() -> Path:
    """local-slack's program."""
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode:
        pytest.skip("no user namespaces here: local-slack would listen on every interface")
    return installed(f"{PACKAGE}/bin/local-slack", f"{PACKAGE}@{VERSION}")


@pytest.fixture(scope="module", params=["socket", "http"])
def seen(binary: Path, request: pytest.FixtureRequest) -> dict[str, Any]:
    """What the driver saw; it runs once a transport for all claims below."""
    inner = f"ip link set lo up; exec {sys.executable} -m tests.end_to_end.driver {binary} --transport {request.param}"
    done = subprocess.run(["unshare", "-rn", "sh", "-c", inner], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict[str, Any] = json.loads(done.stdout)
    assert "error" not in found, f"{found['error']}\n{found['log']}"
    return found


def _shown(messages: list[dict[str, Any]]) -> str:
    return json.dumps(messages, ensure_ascii=False)


def test_the_service_says_that_it_is_well(seen: dict[str, Any], request: pytest.FixtureRequest) -> None:
    assert seen["health"]["ok"] is True
    assert seen["health"]["transport"]["name"] in request.node.name


def test_a_subscription_is_answered_in_the_channel(seen: dict[str, Any]) -> None:
    (answer,) = seen["subscribe"]
    assert "ephemeral_to" not in answer
    assert "Tencent" in _shown([answer])
    assert "U01MEI" in _shown([answer])


def test_the_first_poll_is_silent_and_the_second_alerts(seen: dict[str, Any]) -> None:
    assert seen["first_poll"]["new"] == 2
    assert seen["first_poll"]["owed"] == 0
    assert seen["second_poll"]["owed"] == 1
    (card,) = seen["alert"]
    assert "thread_ts" not in card
    assert "RW-1001" in _shown([card])
    assert "Tencent" in _shown([card])
    assert card["text"], "screen readers and notifications read the text"


def test_the_regulators_notice_edits_the_card_and_replies_in_its_thread(seen: dict[str, Any]) -> None:
    (card,) = seen["alert"]
    (reply,) = seen["update"]
    assert reply["thread_ts"] == card["ts"]
    (now,) = [message for message in seen["channel"] if message["ts"] == card["ts"]]
    assert now["edited"]
    assert "notice of the regulator not seen yet" in _shown([card])
    assert "notice of the regulator not seen yet" not in _shown([now])
    assert "confirmed: the notice of Cyberspace Administration of China was found" in _shown([reply])
    assert "now named: Xiaomi, Kuaishou" in _shown([reply])


def test_a_question_in_chinese_is_answered_to_the_asker_alone(seen: dict[str, Any]) -> None:
    (answer,) = seen["answer"]
    assert answer["ephemeral_to"] == "U01MEI"
    assert "RW-1001" in _shown([answer])


def test_a_digest_comes_when_it_is_asked_for(seen: dict[str, Any]) -> None:
    assert "RW-1001" in _shown(seen["digest"])


def test_a_card_is_clicked_reviewed_and_struck(seen: dict[str, Any]) -> None:
    assert "Evidence" in _shown(seen["details"])
    assert seen["details"][0]["ephemeral_to"] == "U01MEI"
    assert "U01MEI" in _shown([seen["reviewed"]])
    assert "only a meeting" in _shown([seen["struck"]])


def test_an_error_stands_in_the_form_that_it_is_about(seen: dict[str, Any]) -> None:
    assert seen["refused"] == {"t": "view_errors", "errors": {"quiet_to": "Give both quiet hours, or neither."}}
    assert seen["accepted"] == {"t": "view", "stack": []}
    assert "22:00 to 07:00" in _shown(seen["settings"])
    assert list(seen["no_duplicate"]["errors"]) == ["of"]


def test_the_home_page_shows_what_ones_channels_follow(seen: dict[str, Any]) -> None:
    assert seen["home"]["user_id"] == "U01MEI"
    assert "Tencent" in _shown([seen["home"]])
    assert "2 of 2 sources fresh" in _shown([seen["home"]])


def test_a_mention_is_answered_in_a_thread_of_its_own_and_in_the_thread_where_it_stands(seen: dict[str, Any]) -> None:
    (card,) = seen["alert"]
    assert all(answer["thread_ts"] != card["ts"] for answer in seen["mention"])
    assert "RW-1001" in _shown(seen["mention"])
    assert all(answer["thread_ts"] == card["ts"] for answer in seen["in_thread"])


def test_every_post_forbids_unfurling_and_carries_its_delivery(seen: dict[str, Any]) -> None:
    posts = [call["detail"] for call in seen["calls"] if call["summary"] == "chat.postMessage" and "metadata" in call["detail"]]
    assert {post["metadata"]["event_payload"]["key"] for post in posts} >= {"alert:RW-1001", "update:RW-1001:2"}
    assert all(post["unfurl_links"] is False and post["unfurl_media"] is False for post in posts)


def test_every_command_is_acknowledged(seen: dict[str, Any]) -> None:
    print(f"\nack latency: {seen['ack_ms']}, alert {seen['alert_seconds']} s after the poll began")
    assert seen["ack_ms"]["n"] == 40


def test_sigterm_stops_the_service_in_order(seen: dict[str, Any]) -> None:
    assert seen["exit"] == 0
    assert "Traceback" not in seen["log"]
    assert "xoxb-test-token" not in seen["log"]
