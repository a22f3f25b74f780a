"""Settings and logging: read once by the command line, then passed on.

Every setting is an environment variable or a line of `.env`. Ours begin with `REGWATCH_`, Slack's keep
the names that Slack's own documentation uses. Secrets are `SecretStr`: printing them shows stars.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class SettingsError(Exception):
    """A setting is wrong or missing; the message is one line that says what to change."""


def _named(name: str) -> Any:
    return AliasChoices(name)


class Settings(BaseSettings):
    """Everything that a deployment can choose."""

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True, env_ignore_empty=True)

    slack_bot_token: SecretStr | None = Field(
        None, validation_alias=_named("SLACK_BOT_TOKEN"), description="Bot token of the app, xoxb-..."
    )
    slack_app_token: SecretStr | None = Field(
        None, validation_alias=_named("SLACK_APP_TOKEN"), description="App-level token with connections:write, xapp-..."
    )
    slack_api_url: str = Field(
        "https://slack.com/api/",
        validation_alias=_named("SLACK_API_URL"),
        description="Base of Slack's Web API; another one for a local Slack",
    )
    database_url: str = Field(
        "",
        validation_alias=_named("REGWATCH_DATABASE_URL"),
        description="sqlite:///file or postgresql://...; empty: a SQLite file in your data folder",
    )
    command: str = Field(
        "/regwatch", validation_alias=_named("REGWATCH_COMMAND"), description="The slash command, as in the app's manifest"
    )
    admins: Annotated[frozenset[str], NoDecode] = Field(
        frozenset(), validation_alias=_named("REGWATCH_ADMINS"), description="Slack user ids of the admins, with commas between"
    )
    operations_channel: str = Field(
        "",
        validation_alias=_named("REGWATCH_OPERATIONS_CHANNEL"),
        description="Slack channel id for notices about sources; empty: they are only logged",
    )
    time_zone: str = Field(
        "UTC", validation_alias=_named("REGWATCH_TIME_ZONE"), description="Zone of a channel whose founder's zone is not known"
    )
    contact: str = Field(
        "",
        validation_alias=_named("REGWATCH_CONTACT"),
        description="Mail address in the User-Agent; sources that demand one stay off without it",
    )
    sources: str = Field(
        "",
        validation_alias=_named("REGWATCH_SOURCES"),
        description="A CSV with the catalogue's columns that replaces the shipped sources; empty: the shipped ones",
    )
    fetch_allow: Annotated[frozenset[str], NoDecode] = Field(
        frozenset(),
        validation_alias=_named("REGWATCH_FETCH_ALLOW"),
        description="host:port pairs that the address guard lets through, with commas between",
    )
    fetch_proxy: str = Field(
        "",
        validation_alias=_named("REGWATCH_FETCH_PROXY"),
        description="http://host:port of a proxy for all fetching; targets are resolved and checked before",
    )
    host_gap_seconds: float = Field(
        2.0, ge=0, le=600, validation_alias=_named("REGWATCH_HOST_GAP_SECONDS"), description="Least pause between two requests to one host"
    )
    requests_per_minute: int = Field(
        60,
        ge=10,
        le=6000,
        validation_alias=_named("REGWATCH_REQUESTS_PER_MINUTE"),
        description="Most requests in a minute over all hosts, from 10; robots.txt and redirects count",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", validation_alias=_named("REGWATCH_LOG_LEVEL"), description="How much is logged: DEBUG, INFO, WARNING or ERROR"
    )

    @field_validator("admins", "fetch_allow", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return frozenset(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"no time zone {value!r}; use an IANA name such as Asia/Taipei") from error
        return value

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in ("sqlite", "postgresql"):
            raise ValueError("use sqlite:///path/to/file or postgresql://user@host/name")
        return value

    @field_validator("command")
    @classmethod
    def _slash(cls, value: str) -> str:
        if not value.startswith("/") or " " in value or len(value) > 32:
            raise ValueError("a slash command begins with / and has no space and at most 32 characters")
        return value

    @field_validator("slack_api_url")
    @classmethod
    def _base(cls, value: str) -> str:
        if urlsplit(value).scheme not in ("http", "https"):
            raise ValueError("use an http or https address that ends in /api/")
        return value if value.endswith("/") else f"{value}/"

    @field_validator("fetch_proxy")
    @classmethod
    def _proxy(cls, value: str) -> str:
        if value and (urlsplit(value).scheme != "http" or not urlsplit(value).hostname):
            raise ValueError("use http://host:port")
        return value

    @field_validator("fetch_allow")
    @classmethod
    def _pairs(cls, value: frozenset[str]) -> frozenset[str]:
        for pair in value:
            if not pair.rpartition(":")[2].isdigit() or not pair.rpartition(":")[0]:
                raise ValueError(f"{pair!r} is no host:port pair")
        return value

    @property
    def database(self) -> str:
        """The database's URL; without a setting, a SQLite file in the user's data folder."""
        return self.database_url or f"sqlite:///{_data_folder() / 'regwatch.sqlite'}"


def _data_folder() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "regwatch"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "regwatch"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "regwatch"


def load_settings(**overrides: object) -> Settings:
    """The settings of the environment and `.env`; `overrides` by field name win when they are not None.

    Raises SettingsError with one line for the first setting that is wrong.
    """
    try:
        named = {_env_name(field): value for field, value in overrides.items() if value is not None}
        return Settings(**named)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        raise SettingsError(f"{name}: {first['msg'].removeprefix('Value error, ')}") from error


def _env_name(field: str) -> str:
    alias = Settings.model_fields[field].validation_alias
    assert isinstance(alias, AliasChoices)  # noqa: S101 - every field above is named so
    return str(alias.choices[0])


def require_slack(settings: Settings) -> tuple[str, str]:
    """The bot token and the app token; SettingsError names the one that is missing or of the wrong kind."""
    found = []
    for name, prefix, secret in (
        ("SLACK_BOT_TOKEN", "xoxb-", settings.slack_bot_token),
        ("SLACK_APP_TOKEN", "xapp-", settings.slack_app_token),
    ):
        if secret is None:
            raise SettingsError(f"{name} is missing: set it in the environment or in .env (README, 'Connect it to Slack')")
        value = secret.get_secret_value()
        if not value.startswith(prefix):
            raise SettingsError(f"{name} must begin with {prefix}: this looks like another token")
        found.append(value)
    return found[0], found[1]


class _Redact(logging.Filter):
    """Keeps what Slack's libraries would print of tokens, request bodies and response URLs out of the log."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        super().__init__()
        self._secrets = secrets

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        clean = message
        for secret in self._secrets:
            clean = clean.replace(secret, "[secret]")
        if clean != message:
            record.msg, record.args = clean, None
        return True


def set_up_logging(settings: Settings, *, is_quiet: bool = False) -> None:
    """Log to standard error: time, level, event and its key=value pairs. Slack's own chatter stays below WARNING.

    `is_quiet`: only what is wrong, unless REGWATCH_LOG_LEVEL asks for more; for commands whose answer is on the screen.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S%z"))
    secrets = tuple(secret.get_secret_value() for secret in (settings.slack_bot_token, settings.slack_app_token) if secret)
    handler.addFilter(_Redact(secrets))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    is_asked = "log_level" in settings.model_fields_set
    logging.getLogger("regwatch").setLevel("WARNING" if is_quiet and not is_asked else settings.log_level)
    # on a bad signature it logs the whole request body
    logging.getLogger("slack_bolt.RequestVerification").setLevel(logging.ERROR)
