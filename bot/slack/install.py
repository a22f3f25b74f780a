"""Many workspaces: each installs the app by OAuth and gets a token of its own, which is kept encrypted in our database.

`Installations` keeps the tokens, one row a workspace, in a table that is the SDK's in shape (`Store.engine` is the door,
migration 0007 makes it). `SlackClients` gives whoever speaks to Slack a client whose token is valid now: tokens that
live for twelve hours are renewed here, under a lease, because a refresh token may be used once. `Authorize` does the
same for a request that came in, without asking Slack who we are each time. `app_for_many` puts them together with the flow
behind `/slack/install`; `watch` takes the tokens away when a workspace leaves.

A workspace is known by its team's id; for an installation in a whole organisation that names no team, by the
organisation's. `NoToken` is what everybody gets who asks for a workspace that has none.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_bolt.error import BoltError
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.installation_store.models.bot import Bot
from slack_sdk.oauth.installation_store.models.installation import Installation
from slack_sdk.oauth.installation_store.sqlalchemy import SQLAlchemyInstallationStore
from slack_sdk.oauth.sqlalchemy_utils import normalize_datetime_for_db
from slack_sdk.oauth.state_store.sqlalchemy import AsyncSQLAlchemyOAuthStateStore
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import MetaData, Table, Text, and_, or_, select
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.types import TypeDecorator

from bot.config import ManyWorkspaces
from bot.deliver import make_client
from storage import StorageError, Store
from storage.intents import Installed

if TYPE_CHECKING:
    from aiohttp import ClientSession
    from sqlalchemy.engine import Dialect

log = logging.getLogger("regwatch.slack.install")

INSTALL_PATH = "/slack/install"
REDIRECT_PATH = "/slack/oauth_redirect"
BOTS = "slack_bots"
STATES = "slack_oauth_states"
STATE_SECONDS = 600
"""How long somebody may take between the install page and Slack's "allow"."""
REMEMBERED = timedelta(minutes=1)
"""So long a token that was read is used without looking again; another process may have removed it meanwhile."""
RENEWED_AHEAD = timedelta(hours=2)
"""A token that ends within this is renewed, if it ends at all."""
_LEASE = timedelta(seconds=30)
_WAIT_SECONDS = 20.0  # for another process that renews; and for Slack, within the lease


class NoToken(LookupError):
    """There is no token for a workspace that could be used now. The text is for people: the cause and what to do."""


class UnreadableToken(NoToken):
    """A token is stored, but none of our keys opens it."""


# --- tokens at rest -----------------------------------------------------------------------------------------------


class _Sealed(TypeDecorator[str]):
    """A text that the database sees encrypted only. The newest key seals, every key opens."""

    impl = Text
    cache_ok = True

    def __init__(self, keys: tuple[str, ...]) -> None:
        super().__init__()
        self.keys = keys
        self._box = MultiFernet([Fernet(key) for key in keys])

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        return None if value is None else self._box.encrypt(value.encode()).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        try:
            return None if value is None else self._box.decrypt(value.encode()).decode()
        except InvalidToken as error:
            raise UnreadableToken(
                "A stored token cannot be opened with REGWATCH_TOKEN_KEYS: add the key that sealed it, or install the app there again."
            ) from error


@dataclass(frozen=True, slots=True)
class KeyUse:
    """How many stored tokens each kind of key opens."""

    newest: int
    older: int
    unreadable: tuple[str, ...]  # the workspaces whose tokens no key opens


class Installations(AsyncInstallationStore):
    """The bot tokens of all workspaces that installed the app, the newest of each. People's own tokens are never kept.

    Raises StorageError when the database cannot be used, UnreadableToken for a token that our keys do not open.
    """

    def __init__(self, engine: AsyncEngine, client_id: str, keys: Sequence[str]) -> None:
        """`keys`: Fernet keys, the newest first."""
        self._engine = engine
        self._client_id = client_id
        self._keys = tuple(keys)
        self._bots, self._raw = _bots(self._keys), _bots(())

    async def async_save(self, installation: Installation) -> None:
        """Keep the bot's part of what Slack gave us."""
        await self.async_save_bot(installation.to_bot())

    async def async_save_bot(self, bot: Bot) -> None:
        """Keep a token in the place of the one that the workspace had."""
        row = bot.to_dict() | {"client_id": self._client_id}
        row |= {name: normalize_datetime_for_db(row[name]) for name in ("installed_at", "bot_token_expires_at")}
        with _told():
            async with self._engine.begin() as connection:
                await connection.execute(self._bots.delete().where(self._of(bot.team_id, bot.enterprise_id)))
                await connection.execute(self._bots.insert(), row)

    async def async_find_bot(
        self, *, enterprise_id: str | None, team_id: str | None, is_enterprise_install: bool | None = False
    ) -> Bot | None:
        """The token for a team, its own before its organisation's; for an installation in an organisation, that one alone."""
        own = self._of(None if is_enterprise_install else team_id, enterprise_id)
        either = or_(own, self._of(None, enterprise_id)) if enterprise_id else own
        order = (self._bots.c.team_id.is_(None), self._bots.c.installed_at.desc())
        with _told():
            async with self._engine.connect() as connection:
                row = (await connection.execute(select(self._bots).where(either).order_by(*order).limit(1))).mappings().first()
        return None if row is None else SQLAlchemyInstallationStore.build_bot_entity(row)

    async def async_delete_bot(self, *, enterprise_id: str | None, team_id: str | None) -> None:
        """Forget the token of a team; without a team, the organisation's."""
        with _told():
            async with self._engine.begin() as connection:
                await connection.execute(self._bots.delete().where(self._of(team_id, enterprise_id)))

    async def workspaces(self) -> tuple[tuple[str, str], ...]:
        """Id and name of each workspace (or organisation) that has a token, by name. Opens none."""
        found = [(row.team_id or row.enterprise_id, row.team_name or row.enterprise_name or "") for row in await self._rows()]
        return tuple(sorted(found, key=lambda one: one[1]))

    async def key_use(self) -> KeyUse:
        """Which keys the stored tokens were sealed with."""
        newest, older, unreadable = 0, 0, []
        for row in await self._rows():
            if _opens(self._keys[:1], row.bot_token):
                newest += 1
            elif _opens(self._keys, row.bot_token):
                older += 1
            else:
                unreadable.append(str(row.team_id or row.enterprise_id))
        return KeyUse(newest, older, tuple(unreadable))

    async def seal_anew(self) -> int:
        """Seal with the newest key what an older one sealed; how many workspaces' tokens. Those that no key opens stay."""
        box = MultiFernet([Fernet(key) for key in self._keys])
        sealed = 0
        for row in await self._rows():
            if _opens(self._keys[:1], row.bot_token) or not _opens(self._keys, row.bot_token):
                continue
            anew = {name: box.rotate(value).decode() for name in ("bot_token", "bot_refresh_token") if (value := row._mapping[name])}
            # only if nobody renewed the token meanwhile
            same = and_(self._raw.c.id == row.id, self._raw.c.bot_token == row.bot_token)
            with _told():
                async with self._engine.begin() as connection:
                    sealed += (await connection.execute(self._raw.update().where(same).values(anew))).rowcount
        return sealed

    async def _rows(self) -> Sequence[Any]:
        with _told():
            async with self._engine.connect() as connection:
                return (await connection.execute(select(self._raw).where(self._raw.c.client_id == self._client_id))).all()

    def _of(self, team_id: str | None, enterprise_id: str | None) -> Any:
        """The rows of a team, whatever organisation it has joined since; without a team, the organisation's."""
        c = self._bots.c
        whose = c.team_id == team_id if team_id else and_(c.team_id.is_(None), c.enterprise_id == enterprise_id)
        return and_(c.client_id == self._client_id, whose)


def _bots(keys: tuple[str, ...]) -> Table:
    """The SDK's table, its tokens sealed; without keys, as they stand in the database."""
    table = SQLAlchemyInstallationStore.build_bots_table(MetaData(), BOTS)
    for name in ("bot_token", "bot_refresh_token"):
        table.c[name].type = _Sealed(keys) if keys else Text()
    return table


def _opens(keys: Sequence[str], sealed: str) -> bool:
    try:
        MultiFernet([Fernet(key) for key in keys]).decrypt(sealed)
    except InvalidToken:
        return False
    return True


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (InterfaceError, OperationalError) as error:
        raise StorageError(f"The installations cannot be read or written: {error.orig}. Run: regwatch doctor") from error


# --- a valid client for each workspace -----------------------------------------------------------------------------------


class SlackClients:
    """The Web API client of each workspace, its token renewed in time. Any number of processes may use one database."""

    def __init__(
        self,
        store: Store,
        installations: Installations,
        many: ManyWorkspaces,
        base_url: str,
        *,
        now: Callable[[], datetime],
        session: ClientSession | None = None,
    ) -> None:
        self._store = store
        self._installations = installations
        self._many = many
        self._base_url = base_url
        self._now = now
        self._session = session
        self._read: dict[tuple[str | None, str | None], tuple[Bot, datetime]] = {}
        self._met: set[str] = set()

    async def for_workspace(self, workspace_id: str) -> AsyncWebClient:
        """A client for posts in that workspace, for now: ask again the next time. Raises NoToken, StorageError."""
        view = await self._store.workspace(workspace_id)
        enterprise_id = view.enterprise_id if view is not None else None
        # an id of an organisation stands for itself
        team_id, of = (None, workspace_id) if workspace_id.startswith("E") else (workspace_id, enterprise_id)
        bot = await self.bot(team_id, of)
        return make_client(bot.bot_token, self._base_url, team_id=team_id if bot.team_id is None else None, session=self._session)

    async def bot(self, team_id: str | None, enterprise_id: str | None) -> Bot:
        """The token of a team or organisation, valid for some time yet. Raises NoToken, StorageError."""
        key = (team_id, enterprise_id)
        known, read_at = self._read.get(key, (None, None))
        if known is not None and read_at is not None and self._now() - read_at < REMEMBERED:
            return known
        bot = await self._installations.async_find_bot(enterprise_id=enterprise_id, team_id=team_id)
        if bot is None:
            self._read.pop(key, None)
            raise NoToken(
                f"Workspace {team_id or enterprise_id} has no token: install the app there, {self._many.public_url}{INSTALL_PATH}"
            )
        if self._ends_within(bot, RENEWED_AHEAD):
            bot = await self._renewed(bot)
        self._read[key] = (bot, self._now())
        return bot

    async def meet(self, team_id: str, enterprise_id: str, by: str) -> None:
        """A team of an organisation that installed the app speaks to us: from now on it is a workspace of its own."""
        if team_id in self._met:
            return
        view = await self._store.workspace(team_id)
        if view is None or view.enterprise_id != enterprise_id or view.uninstalled_at is not None:
            await self._store.install(Installed(team_id, view.name if view else "", by, enterprise_id))
        self._met.add(team_id)

    def forget(self) -> None:
        """Look everything up again: somebody installed the app, or took it away."""
        self._read.clear()
        self._met.clear()

    def _ends_within(self, bot: Bot, time: timedelta) -> bool:
        return bot.bot_token_expires_at is not None and bot.bot_token_expires_at <= (self._now() + time).timestamp()

    async def _renewed(self, bot: Bot) -> Bot:
        """The token after its renewal, by us or by the process that was quicker."""
        whose = str(bot.team_id or bot.enterprise_id)
        name, holder = f"token:{whose}", secrets.token_hex(8)
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                while not await self._store.lease(name, holder, _LEASE):
                    if not self._ends_within(bot, timedelta(minutes=1)):
                        return bot  # still good: whoever holds the lease sees to it
                    await asyncio.sleep(0.1)
        except TimeoutError as error:
            raise NoToken(f"The token of workspace {whose} is being renewed by another process; it is tried again.") from error
        try:
            again = await self._installations.async_find_bot(enterprise_id=bot.enterprise_id, team_id=bot.team_id)
            if again is None:
                raise NoToken(f"Workspace {whose} took the app away.")
            return again if not self._ends_within(again, RENEWED_AHEAD) else await self._exchange(again, whose)
        finally:
            await self._store.end_lease(name, holder)

    async def _exchange(self, bot: Bot, whose: str) -> Bot:
        """Refresh token in, new pair out and stored at once: from Slack's answer on the old pair is worth nothing."""
        client = AsyncWebClient(base_url=self._base_url, session=self._session, retry_handlers=[])
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                answer = await client.oauth_v2_access(
                    client_id=self._many.client_id,
                    client_secret=self._many.client_secret,
                    grant_type="refresh_token",
                    refresh_token=bot.bot_refresh_token,
                )
        except (SlackClientError, OSError, TimeoutError) as error:
            cause = error.response.get("error") if isinstance(error, SlackApiError) else type(error).__name__
            log.warning("token workspace=%s could not be renewed why=%s", whose, cause)
            if not self._ends_within(bot, timedelta(minutes=1)):
                return bot
            raise NoToken(
                f"The token of workspace {whose} ended and could not be renewed ({cause}). If it stays so, install the app there"
                f" again: {self._many.public_url}{INSTALL_PATH}"
            ) from error
        values = bot.to_dict_for_copying() | {
            "bot_token": answer["access_token"],
            "bot_refresh_token": answer.get("refresh_token"),
            "bot_token_expires_at": int(self._now().timestamp()) + int(answer["expires_in"]),
        }
        renewed = Bot(**values)
        await self._installations.async_save_bot(renewed)
        log.info("token workspace=%s renewed", whose)
        return renewed


# --- requests that come in ----------------------------------------------------------------------------------------------


class Authorize(AsyncAuthorize):
    """Whose token answers a request. Bolt's own would ask the database twice and Slack once for every request."""

    def __init__(self, clients: SlackClients) -> None:
        self._clients = clients

    async def __call__(
        self,
        *,
        context: Any,
        enterprise_id: str | None,
        team_id: str | None,
        user_id: str | None,
        **_: object,
    ) -> AuthorizeResult | None:
        """None: Bolt tells the person that the app is not installed."""
        is_of_all = bool(context.get("is_enterprise_install"))
        try:
            bot = await self._clients.bot(None if is_of_all else team_id, enterprise_id)
            if bot.team_id is None and team_id and enterprise_id:
                await self._clients.meet(team_id, enterprise_id, user_id or "")
        except NoToken as error:
            log.warning('request workspace=%s cannot be answered why="%s"', team_id or enterprise_id, error)
            return None
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=team_id,
            bot_user_id=bot.bot_user_id,
            bot_id=bot.bot_id,
            bot_token=bot.bot_token,
            bot_scopes=bot.bot_scopes,
            user_id=user_id,
        )


class _States(AsyncSQLAlchemyOAuthStateStore):
    """OAuth's states; those of people who never came back are swept out when the next one is made."""

    async def async_issue(self, *args: Any, **kwargs: Any) -> str:
        now = normalize_datetime_for_db(datetime.now(UTC))
        with _told():
            async with self.engine.begin() as connection:
                await connection.execute(self.oauth_states.delete().where(self.oauth_states.c.expire_at <= now))
            return await super().async_issue(*args, **kwargs)


class _SignUp(AsyncOAuthFlow):
    """The flow, which tells the Store of a new workspace too."""

    def __init__(self, store: Store, clients: SlackClients, *, client: AsyncWebClient, settings: AsyncOAuthSettings) -> None:
        super().__init__(client=client, logger=log, settings=settings)
        self._store = store
        self._clients = clients

    async def store_installation(self, request: Any, installation: Installation) -> None:
        """BoltError makes Bolt's page of failure."""
        workspace_id = installation.team_id or installation.enterprise_id
        name = installation.team_name or installation.enterprise_name or ""
        if not workspace_id or not installation.bot_token:
            raise BoltError("Slack named no workspace, or gave no bot token")
        try:
            await super().store_installation(request, installation)
            await self._store.install(Installed(workspace_id, name, installation.user_id, installation.enterprise_id))
        except StorageError as error:
            log.exception("install workspace=%s failed", workspace_id)
            raise BoltError(str(error)) from error
        self._clients.forget()
        log.info("install workspace=%s by=%s", workspace_id, installation.user_id)


async def app_for_many(
    store: Store,
    many: ManyWorkspaces,
    base_url: str,
    signing_secret: str,
    *,
    scopes: Sequence[str],
    now: Callable[[], datetime],
    session: ClientSession | None = None,
) -> tuple[AsyncApp, SlackClients]:
    """An app that any workspace may install at `/slack/install`, and the clients of those that did.

    Tokens that an older key sealed are sealed anew with the newest. Raises StorageError.
    """
    installations = Installations(store.engine, many.client_id, many.token_keys)
    if sealed := await installations.seal_anew():
        log.info("tokens of %d workspaces sealed anew with the newest key", sealed)
    clients = SlackClients(store, installations, many, base_url, now=now, session=session)
    client = AsyncWebClient(base_url=base_url, session=session, retry_handlers=[])
    settings = AsyncOAuthSettings(
        client_id=many.client_id,
        client_secret=many.client_secret,
        scopes=scopes,
        user_scopes=[],
        redirect_uri=many.public_url + REDIRECT_PATH,
        install_path=INSTALL_PATH,
        redirect_uri_path=REDIRECT_PATH,
        # beside /api/, as at Slack's own
        authorization_url=urljoin(base_url, "../oauth/v2/authorize"),
        installation_store=installations,
        state_store=_States(STATE_SECONDS, store.engine, log, STATES),
        state_expiration_seconds=STATE_SECONDS,
        logger=log,
    )
    whose: Any = Authorize(clients)  # may say None, which Bolt's hint does not know
    app = AsyncApp(
        client=client,
        signing_secret=signing_secret,
        oauth_flow=_SignUp(store, clients, client=client, settings=settings),
        authorize=whose,
        user_facing_authorize_error_message="Regwatch is not installed in this workspace, or no longer."
        f" Somebody who may install apps can do it: {many.public_url}{INSTALL_PATH}",
        logger=logging.getLogger("slack_bolt"),
    )
    watch(app, store, installations, clients)
    return app, clients


def watch(app: AsyncApp, store: Store, installations: Installations | None = None, clients: SlackClients | None = None) -> None:
    """Listen for workspaces that leave: their tokens go at once, and nothing is claimed for their channels any more.

    Without installations (one workspace, its token in the settings) only the latter.
    """

    async def leave(team_id: str | None, enterprise_id: str | None, is_of_all: bool) -> None:
        team_id = None if is_of_all else team_id
        if installations is not None:
            await installations.async_delete_bot(enterprise_id=enterprise_id, team_id=team_id)
        if clients is not None:
            clients.forget()
        whole = None if team_id else enterprise_id
        its = [one.id for one in await store.workspaces() if whole is not None and one.enterprise_id == whole]
        for workspace_id in dict.fromkeys([*its, str(team_id or enterprise_id)]):
            await store.uninstall(workspace_id)
        log.info("uninstall workspace=%s", team_id or enterprise_id)

    @app.event("app_uninstalled")
    async def on_uninstalled(context: Any) -> None:
        await leave(context.get("team_id"), context.get("enterprise_id"), bool(context.get("is_enterprise_install")))

    @app.event("tokens_revoked")
    async def on_revoked(event: dict[str, Any], context: Any) -> None:
        # people's own tokens, which we never ask for, are listed under "oauth"
        if (event.get("tokens") or {}).get("bot"):
            await leave(context.get("team_id"), context.get("enterprise_id"), bool(context.get("is_enterprise_install")))
