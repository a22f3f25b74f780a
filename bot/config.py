"""Settings and logging: read once by the command line, then passed on.

Every setting is an environment variable or a line of `.env`. Ours begin with `REGWATCH_`, Slack's keep
the names that Slack's own documentation uses. Secrets are `SecretStr`: printing them shows stars.
"""

from __future__ import annotations

import base64
import logging
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

NEW_KEY = "Make one with: openssl rand -base64 32 | tr '+/' '-_'"
"""What to type for a Fernet key: 32 random bytes in URL-safe base64."""


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
    slack_signing_secret: SecretStr | None = Field(
        None, validation_alias=_named("SLACK_SIGNING_SECRET"), description="Signing secret of the app; for the transport http"
    )
    slack_client_id: str = Field(
        "", validation_alias=_named("SLACK_CLIENT_ID"), description="Client id of the app; when many workspaces install it"
    )
    slack_client_secret: SecretStr | None = Field(
        None, validation_alias=_named("SLACK_CLIENT_SECRET"), description="Client secret of the app; when many workspaces install it"
    )
    slack_api_url: str = Field(
        "https://slack.com/api/",
        validation_alias=_named("SLACK_API_URL"),
        description="Base of Slack's Web API; another one for a local Slack",
    )
    transport: Literal["socket", "http"] = Field(
        "socket",
        validation_alias=_named("REGWATCH_TRANSPORT"),
        description="How Slack reaches Regwatch: socket (no address needed) or http",
    )
    http_bind: str = Field(
        "",
        validation_alias=_named("REGWATCH_HTTP_BIND"),
        description="host:port that is listened on; empty: 127.0.0.1:3000 for http; for socket nothing, else /healthz there",
    )
    public_url: str = Field(
        "",
        validation_alias=_named("REGWATCH_PUBLIC_URL"),
        description="https address by which Slack and people reach that port; when many workspaces install the app",
    )
    token_keys: SecretStr | None = Field(
        None,
        validation_alias=_named("REGWATCH_TOKEN_KEYS"),
        description="Fernet keys of the stored tokens, the newest first, with commas between; when many workspaces install the app",
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
        description="Slack channel id for notices about sources (T.../C... with many workspaces); empty: they are only logged",
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
        if value and (urlsplit(value).scheme not in ("sqlite", "postgresql") or not _has_good_port(value)):
            raise ValueError("use sqlite:///path/to/file or postgresql://user@host/name")
        return value

    @field_validator("command")
    @classmethod
    def _slash(cls, value: str) -> str:
        if not re.fullmatch(r"/[^\s/]{1,31}", value):
            raise ValueError("a slash command is / and a name, without a space and of at most 32 characters")
        return value

    @field_validator("slack_api_url")
    @classmethod
    def _base(cls, value: str) -> str:
        if urlsplit(value).scheme not in ("http", "https"):
            raise ValueError("use an http or https address that ends in /api/")
        return value if value.endswith("/") else f"{value}/"

    @field_validator("http_bind")
    @classmethod
    def _bind(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if value and not (host and port.isdigit() and int(port) < 2**16):
            raise ValueError("use host:port, such as 127.0.0.1:3000")
        return value

    @field_validator("public_url")
    @classmethod
    def _public(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and not ((parts.scheme == "https" and parts.hostname) or parts.hostname in ("localhost", "127.0.0.1")):
            raise ValueError("use an https address, such as https://regwatch.example.com")
        return value.rstrip("/")

    @field_validator("token_keys")
    @classmethod
    def _keys(cls, value: SecretStr | None) -> SecretStr | None:
        for number, key in enumerate(_listed(value), 1):
            if not _is_fernet_key(key):
                raise ValueError(f"key {number} is no Fernet key (32 bytes in URL-safe base64). {NEW_KEY}")
        return value

    @field_validator("fetch_proxy")
    @classmethod
    def _proxy(cls, value: str) -> str:
        if value and (urlsplit(value).scheme != "http" or not urlsplit(value).hostname or not _has_good_port(value)):
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


def _has_good_port(address: str) -> bool:
    """Whether the port is a number, or there is none. A password may hold any sign, so it is left out of what is looked at."""
    _, at, host = address.rpartition("@")
    try:
        _ = urlsplit(f"//{host}" if at else address).port
    except ValueError:
        return False
    return True


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
    except UnicodeDecodeError as error:
        raise SettingsError(".env is not UTF-8 text: save it as UTF-8") from error
    except OSError as error:
        raise SettingsError(f".env cannot be read: {error.strerror}") from error


def _env_name(field: str) -> str:
    alias = Settings.model_fields[field].validation_alias
    assert isinstance(alias, AliasChoices)  # noqa: S101 - every field above is named so
    return str(alias.choices[0])


@dataclass(frozen=True, slots=True)
class ManyWorkspaces:
    """What it takes to let any workspace install the app by OAuth."""

    client_id: str
    client_secret: str
    public_url: str
    token_keys: tuple[str, ...]  # newest first, at least one


@dataclass(frozen=True, slots=True)
class SlackAccess:
    """How Slack is spoken with; complete for its transport."""

    transport: Literal["socket", "http"]
    bot_token: str | None = None  # None: each workspace has its own
    app_token: str | None = None  # socket alone
    signing_secret: str | None = None  # http alone
    many: ManyWorkspaces | None = None  # None: one workspace, by the bot token


def slack_access(settings: Settings) -> SlackAccess:
    """What these settings say of Slack; SettingsError names the first that is missing, too much, or of the wrong kind."""
    is_http = settings.transport == "http"
    is_many = bool(settings.slack_client_id or settings.slack_client_secret)
    if is_many and not is_http:
        raise SettingsError(
            "SLACK_CLIENT_ID: an app that many workspaces install needs REGWATCH_TRANSPORT=http (README, 'Many workspaces')"
        )
    if is_many and settings.slack_bot_token:
        raise SettingsError("SLACK_BOT_TOKEN: leave it out, with SLACK_CLIENT_ID each workspace gets its own by installing the app")
    signing_secret = _secret("SLACK_SIGNING_SECRET", settings.slack_signing_secret) if is_http else None
    if not is_many:
        bot_token = _secret("SLACK_BOT_TOKEN", settings.slack_bot_token, "xoxb-")
        app_token = None if is_http else _secret("SLACK_APP_TOKEN", settings.slack_app_token, "xapp-")
        return SlackAccess(settings.transport, bot_token, app_token, signing_secret)
    if not settings.slack_client_id:
        raise _missing("SLACK_CLIENT_ID")
    client_secret = _secret("SLACK_CLIENT_SECRET", settings.slack_client_secret)
    if settings.operations_channel and "/" not in settings.operations_channel:
        raise SettingsError("REGWATCH_OPERATIONS_CHANNEL: name its workspace too, such as T0123/C0123")
    if not settings.public_url:
        raise _missing("REGWATCH_PUBLIC_URL")
    keys = tuple(_listed(settings.token_keys))
    if not keys:
        raise SettingsError(f"REGWATCH_TOKEN_KEYS is missing: tokens are stored encrypted. {NEW_KEY}")
    return SlackAccess(
        "http", None, None, signing_secret, ManyWorkspaces(settings.slack_client_id, client_secret, settings.public_url, keys)
    )


def _secret(name: str, secret: SecretStr | None, prefix: str = "") -> str:
    if secret is None:
        raise _missing(name)
    value = secret.get_secret_value()
    if not value.startswith(prefix):
        raise SettingsError(f"{name} must begin with {prefix}: this looks like another token")
    return value


def _missing(name: str) -> SettingsError:
    return SettingsError(f"{name} is missing: set it in the environment or in .env (README, 'Connect it to Slack')")


def _listed(value: SecretStr | None) -> list[str]:
    return [part.strip() for part in value.get_secret_value().split(",") if part.strip()] if value else []


def _is_fernet_key(key: str) -> bool:
    try:
        return len(base64.urlsafe_b64decode(key)) == 32
    except ValueError:
        return False


_TOKEN = re.compile(r"\b(?:xox[a-z]|xapp)(?:\.xox[a-z])?-[\w-]+")
"""A token of Slack's, wherever it came from."""


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
        clean = _TOKEN.sub("[secret]", clean)
        if clean != message:
            record.msg, record.args = clean, None
        return True


def set_up_logging(settings: Settings, *, is_quiet: bool = False) -> None:
    """Log to standard error: time, level, event and its key=value pairs. Slack's own chatter stays below WARNING.

    `is_quiet`: only what is wrong, unless REGWATCH_LOG_LEVEL asks for more; for commands whose answer is on the screen.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S%z"))
    kept = (settings.slack_bot_token, settings.slack_app_token, settings.slack_signing_secret, settings.slack_client_secret)
    secrets = (*(secret.get_secret_value() for secret in kept if secret), *_listed(settings.token_keys))
    handler.addFilter(_Redact(secrets))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    is_asked = "log_level" in settings.model_fields_set
    logging.getLogger("regwatch").setLevel("WARNING" if is_quiet and not is_asked else settings.log_level)
    # on a bad signature it logs the whole request body
    logging.getLogger("slack_bolt.RequestVerification").setLevel(logging.ERROR)
