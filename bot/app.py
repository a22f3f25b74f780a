"""The composition root: settings in, a running service out.

`open_store` gives any command a migrated database that holds the register and the catalogue. `Regwatch`
is the service: a scheduler that only says "look now", a Poller, a Deliverer and a Bolt app, started and
stopped in order. They talk to each other through the database alone, so `only` may spread them over
processes and hosts that share one PostgreSQL.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bot.check import Checked, check
from bot.config import Settings, SettingsError, slack_access
from bot.deliver import Deliverer, make_client
from bot.extract import FirmIndex
from bot.feeds.catalog import Catalogue, CatalogueError, load_catalogue
from bot.feeds.fetch import MAX_BYTES, TOTAL_SECONDS, Fetcher
from bot.names import Names
from bot.poll import ROUND, Poller
from bot.transport import DEFAULT_BIND, HttpServer, SocketMode, TransportLost, Vitals, answers_under_way
from bot.upkeep import Upkeep
from storage import StorageError, Store
from storage.firms import shipped_register
from storage.intents import ChannelKey, Installed
from storage.records import Register, SourceRow

if TYPE_CHECKING:
    from aiohttp import ClientSession
    from apscheduler.schedulers.asyncio import AsyncIOScheduler
    from slack_bolt.async_app import AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

_log = logging.getLogger("regwatch.app")

ROLES = frozenset({"poll", "deliver", "slack"})
"""What one process may do; all of it by default."""

LOCAL = "local"
"""The workspace of whoever asks on the command line."""

STOP_SECONDS = 20
"""How long a stop waits for polls and deliveries under way. Their leases outlive it, so nothing is lost after it either."""


STUCK_SECONDS = 2 * ROUND.total_seconds()
"""A look that takes longer will not end any more."""


def utc_now() -> datetime:
    """The clock that everything gets that is not staged."""
    return datetime.now(UTC)


def catalogue_of(settings: Settings) -> Catalogue:
    """The regulators and sources that these settings poll. Raises CatalogueError, which names the setting where it is to blame."""
    own = Path(settings.sources) if settings.sources else None
    try:
        return load_catalogue(contact=settings.contact or None, sources=own)
    except CatalogueError as error:
        raise CatalogueError(f"REGWATCH_SOURCES: {error}" if own else str(error)) from error


@contextlib.contextmanager
def only_run(url: str) -> Iterator[None]:
    """Hold the lock of the one `run` that a SQLite file may have; PostgreSQL needs none. Raises StorageError when taken."""
    if urlsplit(url).scheme != "sqlite":
        yield
        return
    import fcntl

    path = _lock_file(url)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("w")
    except OSError as error:
        raise StorageError(f"The lock file {path} cannot be made: {error.strerror}.") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StorageError(
                f"Another `regwatch run` uses {path.with_suffix('')}. Stop it first, or use PostgreSQL for several processes."
            ) from error
        yield


def is_running(url: str) -> bool:
    """Whether a `run` holds the lock of this SQLite file."""
    if urlsplit(url).scheme != "sqlite" or not _lock_file(url).exists():
        return False
    try:
        with only_run(url):
            return False
    except StorageError:
        return True


def _lock_file(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///") + ".lock")


async def open_store(
    settings: Settings,
    *,
    now: Callable[[], datetime] = utc_now,
    workspace_id: str = LOCAL,
    is_run: bool = False,
    refresh: bool = False,
) -> Store:
    """A Store on a migrated database that holds the register and the catalogue; the caller closes it.

    Notices go to the operations channel, of `workspace_id` unless the setting names another.

    A new or older database is migrated and filled, and so is one whose filling was broken off; `refresh` fills it again, as a
    new catalogue asks for. Raises StorageError, for example when it would have to migrate while a `run` is using the file,
    and CatalogueError before anything is written.
    """
    url = settings.database
    current, head = await asyncio.to_thread(Store.revision, url)
    catalogue = catalogue_of(settings) if current != head or refresh else None
    if current != head:
        if not is_run and is_running(url):
            raise StorageError(
                "The database is older than this version and a `regwatch run` is using it. Stop it, then run: regwatch migrate"
            )
        await asyncio.to_thread(Store.migrate, url)
    team, _, channel = settings.operations_channel.rpartition("/")
    operations = ChannelKey(team or workspace_id, channel) if channel else None
    store = Store(url, now=now, default_zone=settings.time_zone, operations=operations)
    try:
        # the sources are what is filled in last
        if catalogue is None and not await store.source_rows():
            catalogue = catalogue_of(settings)
        if catalogue is not None:
            await fill(store, catalogue)
    except BaseException:
        await store.close()
        raise
    return store


async def fill(store: Store, catalogue: Catalogue) -> None:
    """Bring the register and the catalogue into the database; sources keep their state, users' firms stay."""
    shipped = shipped_register(catalogue.regulators)
    if (await store.register()).version != shipped.version:
        await store.sync_register(shipped)
    await store.sync_catalogue(catalogue.regulators, catalogue.sources)


async def register_of(settings: Settings) -> Register:
    """All names that the database of these settings holds."""
    store = await open_store(settings)
    try:
        return await store.register()
    finally:
        await store.close()


async def index_of(store: Store) -> FirmIndex:
    """The names that the database holds now, ready to read with."""
    return await asyncio.to_thread(FirmIndex, await store.register())


def fetcher_for(
    settings: Settings, *, now: Callable[[], datetime] = utc_now, total: float = TOTAL_SECONDS, max_bytes: int = MAX_BYTES
) -> Fetcher:
    """What brings bytes, as polite and as guarded as these settings say."""
    return Fetcher(
        now=now,
        contact=settings.contact or None,
        allow=settings.fetch_allow,
        proxy=settings.fetch_proxy or None,
        host_gap=timedelta(seconds=settings.host_gap_seconds),
        per_minute=settings.requests_per_minute,
        total=total,
        max_bytes=max_bytes,
    )


@contextlib.asynccontextmanager
async def poller_for(settings: Settings, store: Store, *, now: Callable[[], datetime] = utc_now) -> AsyncIterator[Poller]:
    """A Poller with its own HTTP session. It reads with the names that the database holds."""
    names = Names(store)
    await names.refresh()
    async with fetcher_for(settings, now=now) as fetcher:
        yield Poller(store, fetcher, names.read, now=now, register_version=lambda: names.version)


def keep_what_is_there() -> None:
    """Tell the garbage collector that what is in memory now stays: the names, the modules. Once more when names are new.

    Going through half a million of such objects again and again, it would stop the loop for 0.1 to 0.3 s each time.
    """
    gc.collect()
    gc.freeze()


@dataclass(frozen=True, slots=True)
class Job:
    """Something to look at every so often. It never sleeps and never keeps state between two looks."""

    name: str
    every: timedelta
    look: Callable[[], Awaitable[object]]
    end: Callable[[], None] = lambda: None  # lets a look that is under way end soon; there is none after it


class Looks:
    """APScheduler as the clock of a few jobs, and the set of looks under way, so that a stop can wait for them."""

    def __init__(self, jobs: list[Job]) -> None:
        self._jobs = jobs
        self._running: set[asyncio.Task[None]] = set()
        self._busy: dict[str, float] = {}  # since when
        self._ended: dict[str, float] = {}
        self._is_ending = False
        self._scheduler: AsyncIOScheduler | None = None

    def start(self) -> None:
        """Look at once, and then every so often."""
        from apscheduler.schedulers.asyncio import AsyncIOScheduler

        # misfire_grace_time: by default a run that is a second late is skipped; coalesce: after a stall look once
        self._scheduler = AsyncIOScheduler(timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None})
        for job in self._jobs:
            self._scheduler.add_job(self._tick, "interval", seconds=job.every.total_seconds(), args=[job.name], id=job.name)
        self._scheduler.start()
        for job in self._jobs:
            self.kick(job.name)

    async def _tick(self, name: str) -> None:
        # a coroutine, because APScheduler runs plain functions in a thread
        self.kick(name)

    def kick(self, name: str) -> None:
        """Look now, unless that look is under way, or the end has come."""
        if name in self._busy or self._is_ending:
            return
        job = next(job for job in self._jobs if job.name == name)
        self._busy[name] = monotonic()
        task = asyncio.get_running_loop().create_task(self._look(job), name=f"regwatch-{name}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _look(self, job: Job) -> None:
        try:
            await job.look()
        except StorageError as error:
            _log.error("look job=%s error=%s", job.name, error)
        except Exception:
            # a bug must not stop the clock: it is told, and the next look tries again
            _log.exception("look job=%s failed", job.name)
        finally:
            self._busy.pop(job.name, None)
            self._ended[job.name] = monotonic()

    def health(self) -> dict[str, Any]:
        """How each job stands; one is stuck when it has been under way for longer than any round may take."""
        now = monotonic()
        found = {}
        for name in (job.name for job in self._jobs):
            began, ended = self._busy.get(name), self._ended.get(name)
            found[name] = {
                "ok": began is None or now - began < STUCK_SECONDS,
                "running_seconds": None if began is None else round(now - began),
                "ended_seconds_ago": None if ended is None else round(now - ended),
            }
        return found

    def end(self) -> None:
        """No new looks, and those under way begin nothing more."""
        self._is_ending = True
        if self._scheduler is not None:
            self._scheduler.pause()
        for job in self._jobs:
            job.end()

    async def stop(self) -> None:
        """End, wait for the looks under way (APScheduler would cancel them), then let go."""
        self.end()
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=STOP_SECONDS)
            for task in late:
                _log.warning("stop job=%s still running after %s s, given up to its lease", task.get_name(), STOP_SECONDS)
                task.cancel()
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)


class Regwatch:
    """The service. `start` and `stop` are called once each, by `serve`."""

    def __init__(
        self,
        settings: Settings,
        *,
        only: frozenset[str] = ROLES,
        now: Callable[[], datetime] = utc_now,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`wait` lets seconds of the clock pass. Raises SettingsError when the roles ask for what these settings cannot give."""
        if only != ROLES and urlsplit(settings.database).scheme == "sqlite":
            raise SettingsError("REGWATCH_DATABASE_URL: roles can be spread over processes (--only) with PostgreSQL alone")
        self._settings = settings
        self._only = only
        self._now = now
        self._wait = wait
        self._deliverer: Deliverer | None = None
        self._access = slack_access(settings)
        self._kick_delivery: Callable[[], None] = lambda: None
        self._lost: TransportLost | None = None

    async def serve(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set, then stop in order: no new looks, Slack, HTTP, the looks under way, then the database.

        What is being fetched is given back, what is being written down or posted is finished.


        Raises SettingsError when Slack refuses the tokens, StorageError when the database cannot be used, TransportLost
        when Slack cannot reach this process any more.
        """
        async with contextlib.AsyncExitStack() as stack:
            stack.enter_context(only_run(self._settings.database))
            import aiohttp

            session = await stack.enter_async_context(aiohttp.ClientSession(trust_env=False))
            own = await self._own(session) if self._access.bot_token else None
            workspace = own.id if own else LOCAL
            store = await self._open(workspace)
            stack.push_async_callback(store.close)
            # one fetcher for all that is fetched here, so that one host's turn is one turn
            fetcher = await stack.enter_async_context(fetcher_for(self._settings, now=self._now))
            names = Names(store, on_new=keep_what_is_there)
            await names.refresh()
            slack = await self._slack(store, session, own, names, fetcher)
            jobs = self._jobs(store, slack, names, fetcher)
            socket = (
                SocketMode(slack.app, self._access.app_token, self._settings.slack_api_url, expected=self._expected())
                if ("slack" in self._only and self._access.app_token)
                else None
            )
            if socket is not None:
                jobs.append(Job("socket", timedelta(seconds=5), partial(self._watch, socket, stop)))
            looks = Looks(jobs)
            if "deliver" in self._only:
                self._kick_delivery = partial(looks.kick, "deliver")
            stack.push_async_callback(self._finish_delivery)
            stack.push_async_callback(looks.stop)
            keep_what_is_there()
            looks.start()
            await self._listen(stack, store, slack.app, socket, looks)
            _log.info(
                "start version=%s workspace=%s transport=%s roles=%s",
                _version(),
                workspace if own else "many",
                self._access.transport,
                ",".join(sorted(self._only)),
            )
            await stop.wait()
            _log.info("stop")
            looks.end()  # at once: what is still being answered below may take its time
        if self._lost is not None:
            raise self._lost

    async def _open(self, workspace: str) -> Store:
        """The database, brought to this version's catalogue and register."""
        return await open_store(self._settings, now=self._now, workspace_id=workspace, is_run=True, refresh=True)

    async def _own(self, session: ClientSession) -> _Own:
        """The one workspace that the bot token is for."""
        from slack_sdk.errors import SlackApiError, SlackClientError

        assert self._access.bot_token is not None  # noqa: S101 - the caller looked
        client = make_client(self._access.bot_token, self._settings.slack_api_url, session=session)
        try:
            answer = await client.auth_test()
        except SlackApiError as error:
            cause = error.response.get("error") or f"HTTP {error.response.status_code}"
            raise SettingsError(f"SLACK_BOT_TOKEN: Slack refuses it ({cause}); copy it again from 'OAuth & Permissions'") from error
        except (SlackClientError, OSError, TimeoutError) as error:
            raise SettingsError(f"SLACK_API_URL: Slack cannot be reached at {self._settings.slack_api_url} ({error})") from error
        workspace = str(answer.get("team_id") or answer.get("enterprise_id") or LOCAL)
        return _Own(workspace, str(answer.get("team") or ""), answer.get("enterprise_id"), client)

    async def _slack(self, store: Store, session: ClientSession, own: _Own | None, names: Names, fetcher: Fetcher) -> _Slack:
        """The app with its listeners, and whose client posts where."""
        from slack_bolt.async_app import AsyncApp

        from bot.slack import register
        from bot.slack.install import app_for_many, watch
        from bot.slack.manifest import wanted_scopes
        from bot.slack.orders import Orders

        logger, secret = logging.getLogger("slack_bolt"), self._access.signing_secret
        if own is not None:
            view = await store.workspace(own.id)
            if view is not None and view.uninstalled_at is not None:  # and it is back, with a new token
                await store.install(Installed(own.id, own.name, "operator", own.enterprise_id))
            app = AsyncApp(client=own.client, signing_secret=secret, logger=logger)
            watch(app, store)
            slack = _Slack(app, partial(_only, own))
        else:
            many = self._access.many
            assert many is not None and secret is not None  # noqa: S101, PT018 - slack_access gives them
            scopes, url = sorted(frozenset[str]().union(*wanted_scopes())), self._settings.slack_api_url
            app, clients = await app_for_many(store, many, url, secret, scopes=scopes, now=self._now, session=session)
            slack = _Slack(app, clients.for_workspace)
        register(
            app,
            store,
            command=self._settings.command,
            now=self._now,
            operators=self._settings.admins,
            orders=Orders(store, now=self._now, names=names, check=partial(_checked, catalogue_of(self._settings), fetcher)),
            kick=lambda: self._kick_delivery(),
        )
        return slack

    def _jobs(self, store: Store, slack: _Slack, names: Names, fetcher: Fetcher) -> list[Job]:
        jobs = [Job("names", timedelta(minutes=1), names.refresh)]
        if "poll" in self._only:
            poller = Poller(store, fetcher, names.read, now=self._now, register_version=lambda: names.version)

            async def poll() -> None:
                summary = await poller.run_once()
                if summary.owed:
                    self._kick_delivery()

            upkeep = Upkeep(store, names, self._now, kick=lambda: self._kick_delivery())
            jobs += [Job("poll", timedelta(seconds=5), poll, poller.stop), Job("reread", timedelta(seconds=5), upkeep.look)]
        if "deliver" in self._only:
            self._deliverer = Deliverer(store, slack.client_for, now=self._now, wait=self._wait)
            jobs.append(Job("deliver", timedelta(seconds=0.5), self._deliverer.run_once, self._deliverer.stop))
        return jobs

    async def _listen(self, stack: contextlib.AsyncExitStack, store: Store, app: AsyncApp, socket: SocketMode | None, looks: Looks) -> None:
        """Open the transport, and `/healthz` where an address is set."""
        takes_http = "slack" in self._only and socket is None
        if "slack" in self._only:
            stack.push_async_callback(answers_under_way(app, STOP_SECONDS))
        if takes_http or self._settings.http_bind:
            vital = Vitals(
                store, looks.health, socket.health if socket else lambda: {"name": self._access.transport, "ok": True}, self._now
            )
            server = HttpServer(self._settings.http_bind or DEFAULT_BIND, vital.signs, app if takes_http else None)
            stack.push_async_callback(server.close)
            await server.open()
        if socket is not None:
            stack.push_async_callback(socket.close)
            await socket.open()

    async def _finish_delivery(self) -> None:
        if self._deliverer is not None:
            await self._deliverer.finish(STOP_SECONDS)

    async def _watch(self, socket: SocketMode, stop: asyncio.Event) -> None:
        try:
            await socket.look()
        except TransportLost as error:
            self._lost = error
            stop.set()

    def _expected(self) -> int | None:
        """Connections that the app should have: a SQLite file has one `run`."""
        return 1 if urlsplit(self._settings.database).scheme == "sqlite" else None


@dataclass(frozen=True, slots=True)
class _Own:
    """The one workspace of a bot token, as Slack names it."""

    id: str
    name: str
    enterprise_id: str | None
    client: AsyncWebClient


@dataclass(frozen=True, slots=True)
class _Slack:
    """The app, and the client of a workspace (LookupError: it has none)."""

    app: AsyncApp
    client_for: Callable[[str], Awaitable[AsyncWebClient]]


async def _checked(catalogue: Catalogue, fetcher: Fetcher, row: SourceRow) -> Checked:
    """What comes of asking one source now."""
    zones = {regulator.id: regulator.time_zone for regulator in catalogue.regulators}
    return (await check([row], zones, fetcher))[0]


async def _only(own: _Own, workspace: str) -> AsyncWebClient:
    """LookupError for channels that the command line made."""
    if workspace != own.id:
        raise LookupError(f"no token for workspace {workspace}")
    return own.client


def _version() -> str:
    from bot import __version__

    return __version__
