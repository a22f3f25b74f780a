"""Settings: a wrong one is one line that says what to change; a secret never shows."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from bot.config import SettingsError, load_settings, require_slack, set_up_logging


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
        pytest.param("REGWATCH_COMMAND", "regwatch", "begins with /", id="a command without its slash"),
        pytest.param("SLACK_API_URL", "slack.com/api", "http", id="a base without a scheme"),
        pytest.param("REGWATCH_FETCH_ALLOW", "127.0.0.1", "host:port", id="a host without its port"),
        pytest.param("REGWATCH_REQUESTS_PER_MINUTE", "9", "greater than or equal to 10", id="a ceiling that no round fits under"),
        pytest.param("REGWATCH_HOST_GAP_SECONDS", "-1", "greater than or equal to 0", id="a negative pause"),
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


@pytest.mark.parametrize(
    ("bot", "app", "says"),
    [
        pytest.param("", "xapp-1", "SLACK_BOT_TOKEN is missing", id="no bot token"),
        pytest.param("xoxb-1", "", "SLACK_APP_TOKEN is missing", id="no app token"),
        pytest.param("xapp-1", "xoxb-1", "SLACK_BOT_TOKEN must begin with xoxb-", id="the two were swapped"),
    ],
)
def test_slack_needs_both_tokens(bot: str, app: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing token and a swapped one are told apart; the value is never printed."""
    monkeypatch.setenv("SLACK_BOT_TOKEN", bot)
    monkeypatch.setenv("SLACK_APP_TOKEN", app)
    with pytest.raises(SettingsError) as caught:
        require_slack(load_settings())
    assert says in str(caught.value)


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
    written = capsys.readouterr().err
    assert "very-secret" not in written
    assert "[secret]" in written
