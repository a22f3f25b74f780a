"""Settings: a wrong one is one line that says what to change; a secret never shows."""

from __future__ import annotations

import logging
import subprocess
from pathlib import Path

import pytest

from bot.config import NEW_KEY, SettingsError, load_settings, set_up_logging, slack_access

KEY = "A" * 43 + "="


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the machine, and no .env of the folder, reaches these tests."""
    import os

    for name in list(os.environ):
        if name.startswith(("REGWATCH_", "SLACK_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        pytest.param("REGWATCH_TIME_ZONE", "Mars/Olympus", "Asia/Taipei", id="an unknown zone is answered with an example"),
        pytest.param("REGWATCH_TIME_ZONE", "../etc/passwd", "no time zone", id="a path is no zone"),
        pytest.param("REGWATCH_DATABASE_URL", "mysql://x", "sqlite:///", id="another database is answered with the two that are known"),
        pytest.param("REGWATCH_DATABASE_URL", "postgresql://me@host:port/name", "postgresql://user@host/name", id="a port that is a word"),
        pytest.param("REGWATCH_FETCH_PROXY", "http://proxy:port", "http://host:port", id="a proxy's port that is a word"),
        pytest.param("REGWATCH_COMMAND", "regwatch", "is / and a name", id="a command without its slash"),
        pytest.param("REGWATCH_COMMAND", "/", "is / and a name", id="a slash without its command"),
        pytest.param("SLACK_API_URL", "slack.com/api", "http", id="a base without a scheme"),
        pytest.param("REGWATCH_FETCH_ALLOW", "127.0.0.1", "host:port", id="a host without its port"),
        pytest.param("REGWATCH_REQUESTS_PER_MINUTE", "9", "greater than or equal to 10", id="a ceiling that no round fits under"),
        pytest.param("REGWATCH_HOST_GAP_SECONDS", "-1", "greater than or equal to 0", id="a negative pause"),
        pytest.param("REGWATCH_TRANSPORT", "pigeon", "'socket' or 'http'", id="an unknown transport"),
        pytest.param("REGWATCH_HTTP_BIND", "3000", "127.0.0.1:3000", id="a port without its host"),
        pytest.param("REGWATCH_HTTP_BIND", "0.0.0.0:70000", "host:port", id="a port that does not exist"),
        pytest.param("REGWATCH_PUBLIC_URL", "http://regwatch.example.com", "https", id="an address that Slack would refuse"),
        pytest.param("REGWATCH_TOKEN_KEYS", f"{KEY},secret", "key 2 is no Fernet key", id="the second key is a password"),
        pytest.param("REGWATCH_TOKEN_KEYS", KEY[:-8], "key 1 is no Fernet key", id="a key that was cut off"),
        pytest.param("REGWATCH_LOG_LEVEL", "LOUD", "'DEBUG'", id="an unknown level"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it(name: str, value: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name stands first, then what to do."""
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match="^" + name) as caught:
        load_settings()
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("url", ["postgresql://me:p#s:w/d?@host:5432/name", "postgresql://me@[::1]:5432/name", "postgresql:///name"])
def test_the_address_of_a_database_may_hold_any_password(url: str) -> None:
    assert load_settings(database_url=url).database == url


def test_a_file_of_settings_that_is_no_text_is_one_line(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("REGWATCH_CONTACT=a@b.example".encode("utf-16"))
    with pytest.raises(SettingsError, match=r"^\.env is not UTF-8 text"):
        load_settings()


BOT, APP, SIGNING = {"SLACK_BOT_TOKEN": "xoxb-1"}, {"SLACK_APP_TOKEN": "xapp-1"}, {"SLACK_SIGNING_SECRET": "s"}
HTTP = {"REGWATCH_TRANSPORT": "http"}
CLIENT = {"SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "c"}
MANY = HTTP | SIGNING | CLIENT | {"REGWATCH_PUBLIC_URL": "https://r.example/", "REGWATCH_TOKEN_KEYS": f"{KEY}, {KEY}"}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        pytest.param(APP, "SLACK_BOT_TOKEN is missing", id="socket: no bot token"),
        pytest.param(BOT, "SLACK_APP_TOKEN is missing", id="socket: no app token"),
        pytest.param(
            {"SLACK_BOT_TOKEN": "xapp-1", "SLACK_APP_TOKEN": "xoxb-1"}, "SLACK_BOT_TOKEN must begin with xoxb-", id="the two were swapped"
        ),
        pytest.param(HTTP | BOT, "SLACK_SIGNING_SECRET is missing", id="http: anybody could send requests"),
        pytest.param(HTTP | SIGNING, "SLACK_BOT_TOKEN is missing", id="http: one workspace needs its token"),
        pytest.param(BOT | APP | CLIENT, "SLACK_CLIENT_ID: .* needs REGWATCH_TRANSPORT=http", id="many workspaces over a socket"),
        pytest.param(MANY | BOT, "SLACK_BOT_TOKEN: leave it out", id="one token for many workspaces"),
        pytest.param(MANY | {"SLACK_CLIENT_ID": ""}, "SLACK_CLIENT_ID is missing", id="a secret without its id"),
        pytest.param(MANY | {"SLACK_CLIENT_SECRET": ""}, "SLACK_CLIENT_SECRET is missing", id="an id without its secret"),
        pytest.param(MANY | {"SLACK_SIGNING_SECRET": ""}, "SLACK_SIGNING_SECRET is missing", id="many: no signing secret"),
        pytest.param(MANY | {"REGWATCH_PUBLIC_URL": ""}, "REGWATCH_PUBLIC_URL is missing", id="many: no way back from Slack's page"),
        pytest.param(MANY | {"REGWATCH_TOKEN_KEYS": ""}, "REGWATCH_TOKEN_KEYS is missing.*openssl rand", id="many: tokens would lie open"),
        pytest.param(MANY | {"REGWATCH_OPERATIONS_CHANNEL": "C1"}, "REGWATCH_OPERATIONS_CHANNEL.*T0123/C0123", id="many: whose channel?"),
    ],
)
def test_what_is_missing_for_a_transport_is_one_line(given: dict[str, str], says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing token and a swapped one are told apart; no value is ever printed."""
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=says) as caught:
        slack_access(load_settings())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "transport", "is_many"),
    [
        pytest.param(BOT | APP, "socket", False, id="two tokens are enough"),
        pytest.param(HTTP | BOT | SIGNING, "http", False, id="http for one workspace"),
        pytest.param(MANY, "http", True, id="http for many"),
    ],
)
def test_what_is_complete_is_taken(given: dict[str, str], transport: str, is_many: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    access = slack_access(load_settings())
    assert (access.transport, access.many is not None, access.bot_token is None) == (transport, is_many, is_many)
    if access.many:
        assert access.many.public_url == "https://r.example"
        assert access.many.token_keys == (KEY, KEY)


def test_the_command_that_makes_a_key_makes_one() -> None:
    """The line that the message of a missing key tells to type."""
    made = subprocess.run(["sh", "-c", NEW_KEY.partition(": ")[2]], capture_output=True, text=True, check=True).stdout.strip()
    assert load_settings(token_keys=made).token_keys is not None


def test_a_line_of_dotenv_counts_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`.env` is for people, the environment for deployments."""
    (tmp_path / ".env").write_text("REGWATCH_TIME_ZONE=Asia/Tokyo\nREGWATCH_ADMINS= U1, U2 ,\nUNRELATED=1\n")
    assert load_settings().time_zone == "Asia/Tokyo"
    assert load_settings().admins == {"U1", "U2"}
    monkeypatch.setenv("REGWATCH_TIME_ZONE", "Europe/Paris")
    assert load_settings().time_zone == "Europe/Paris"


def test_without_a_database_url_a_file_in_the_data_folder_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And an override wins over both."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert load_settings().database == f"sqlite:///{tmp_path}/regwatch/regwatch.sqlite"
    assert load_settings(database_url="sqlite:///other").database == "sqlite:///other"


def test_no_token_reaches_the_log(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Not in our lines, not in those of Slack's libraries, not when the settings themselves are printed."""
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-very-secret")
    monkeypatch.setenv("SLACK_APP_TOKEN", "xapp-very-secret")
    settings = load_settings()
    set_up_logging(settings)
    logging.getLogger("regwatch.test").info("token=%s", "xoxb-very-secret")
    logging.getLogger("slack_bolt").error("body: token=xapp-very-secret %s", settings)
    logging.getLogger("slack_sdk").error("a token that came by OAuth: xoxe.xoxb-1-very-secret and xoxe-1-very-secret")
    written = capsys.readouterr().err
    assert "very-secret" not in written
    assert "[secret]" in written
