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
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bot.config import Settings, SettingsError, require_slack
from bot.deliver import Deliverer, make_client
from bot.extract import FirmIndex, extract
from bot.feeds.catalog import Catalogue, load_catalogue
from bot.feeds.fetch import MAX_BYTES, TOTAL_SECONDS, Fetcher
from bot.poll import Poller
from storage import StorageError, Store
from storage.firms import shipped_register
from storage.intents import ChannelKey
from storage.records import Register

if TYPE_CHECKING:
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


def utc_now() -> datetime:
    """The clock that everything gets that is not staged."""
    return datetime.now(UTC)


def catalogue_of(settings: Settings) -> Catalogue:
    """The regulators and sources that these settings poll."""
    return load_catalogue(contact=settings.contact or None, sources=Path(settings.sources) if settings.sources else None)


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

    Notices go to the operations channel of `workspace_id`.

    A new or older database is migrated and filled; `refresh` fills it again, as a new catalogue asks for.
    Raises StorageError, for example when it would have to migrate while a `run` is using the file.
    """
    url = settings.database
    current, head = await asyncio.to_thread(Store.revision, url)
    if current != head:
        if not is_run and is_running(url):
            raise StorageError(
                "The database is older than this version and a `regwatch run` is using it. Stop it, then run: regwatch migrate"
            )
        await asyncio.to_thread(Store.migrate, url)
    operations = ChannelKey(workspace_id, settings.operations_channel) if settings.operations_channel else None
    store = Store(url, now=now, default_zone=settings.time_zone, operations=operations)
    if current != head or refresh:
        await fill(store, catalogue_of(settings))
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
    """A Poller with its own HTTP session."""
    index = await index_of(store)
    async with fetcher_for(settings, now=now) as fetcher:
        yield Poller(store, fetcher, partial(extract, index=index), now=now, register_version=lambda: index.version)


def keep_what_is_there() -> None:
    """Tell the garbage collector that what is in memory now stays: the names, the modules.

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


class Looks:
    """APScheduler as the clock of a few jobs, and the set of looks under way, so that a stop can wait for them."""

    def __init__(self, jobs: list[Job]) -> None:
        self._jobs = jobs
        self._running: set[asyncio.Task[None]] = set()
        self._busy: set[str] = set()
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
        """Look now, unless that look is under way."""
        if name in self._busy:
            return
        job = next(job for job in self._jobs if job.name == name)
        self._busy.add(name)
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
            self._busy.discard(job.name)

    async def stop(self) -> None:
        """No new looks; wait for those under way (APScheduler would cancel them), then let go."""
        if self._scheduler is not None:
            self._scheduler.pause()
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=STOP_SECONDS)
            for task in late:
                _log.warning("stop job=%s still running after %s s, given up to its lease", task.get_name(), STOP_SECONDS)
                task.cancel()
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)


def answers_under_way(app: AsyncApp) -> Callable[[], Awaitable[None]]:
    """What waits until no listener is at work: an acknowledged command whose answer is cut off stays unanswered for ever."""
    from slack_bolt.listener.async_listener_completion_handler import AsyncListenerCompletionHandler
    from slack_bolt.listener.async_listener_start_handler import AsyncListenerStartHandler

    at_work: set[int] = set()
    idle = asyncio.Event()
    idle.set()

    class Started(AsyncListenerStartHandler):
        async def handle(self, request: object, response: object) -> None:  # noqa: ARG002 - Bolt names them
            at_work.add(id(request))
            idle.clear()

    class Ended(AsyncListenerCompletionHandler):
        async def handle(self, request: object, response: object) -> None:  # noqa: ARG002 - Bolt names them
            at_work.discard(id(request))
            if not at_work:
                idle.set()

    app.listener_runner.listener_start_handler = Started()
    app.listener_runner.listener_completion_handler = Ended()

    async def wait() -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(idle.wait(), STOP_SECONDS)

    return wait


class Regwatch:
    """The service. `start` and `stop` are called once each, by `serve`."""

    def __init__(self, settings: Settings, *, only: frozenset[str] = ROLES, now: Callable[[], datetime] = utc_now) -> None:
        """Raises SettingsError when the roles ask for what these settings cannot give."""
        if only != ROLES and urlsplit(settings.database).scheme == "sqlite":
            raise SettingsError("REGWATCH_DATABASE_URL: roles can be spread over processes (--only) with PostgreSQL alone")
        self._settings = settings
        self._only = only
        self._now = now
        self._bot_token, self._app_token = require_slack(settings)
        self._kick_delivery: Callable[[], None] = lambda: None

    async def serve(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set, then stop in order: Slack first, then looks under way, then HTTP, then the database.

        Raises SettingsError when Slack refuses the tokens, StorageError when the database cannot be used.
        """
        async with contextlib.AsyncExitStack() as stack:
            stack.enter_context(only_run(self._settings.database))
            import aiohttp

            session = await stack.enter_async_context(aiohttp.ClientSession(trust_env=False))
            client = make_client(self._bot_token, self._settings.slack_api_url, session=session)
            workspace = await self._identify(client)
            store = await open_store(self._settings, now=self._now, workspace_id=workspace, is_run=True, refresh=True)
            stack.push_async_callback(store.close)
            looks = Looks(await self._jobs(stack, store, client, workspace))
            if "deliver" in self._only:
                self._kick_delivery = partial(looks.kick, "deliver")
            stack.push_async_callback(looks.stop)
            looks.start()
            if "slack" in self._only:
                await self._listen(stack, store, client)
            _log.info("start version=%s workspace=%s roles=%s", _version(), workspace, ",".join(sorted(self._only)))
            await stop.wait()
            _log.info("stop")

    async def _identify(self, client: AsyncWebClient) -> str:
        from slack_sdk.errors import SlackApiError, SlackClientError

        try:
            answer = await client.auth_test()
        except SlackApiError as error:
            cause = error.response.get("error") or f"HTTP {error.response.status_code}"
            raise SettingsError(f"SLACK_BOT_TOKEN: Slack refuses it ({cause}); copy it again from 'OAuth & Permissions'") from error
        except (SlackClientError, OSError, TimeoutError) as error:
            raise SettingsError(f"SLACK_API_URL: Slack cannot be reached at {self._settings.slack_api_url} ({error})") from error
        return str(answer.get("team_id") or answer.get("enterprise_id") or LOCAL)

    async def _jobs(self, stack: contextlib.AsyncExitStack, store: Store, client: AsyncWebClient, workspace: str) -> list[Job]:
        jobs = []
        if "poll" in self._only:
            poller = await stack.enter_async_context(poller_for(self._settings, store, now=self._now))

            async def poll() -> None:
                summary = await poller.run_once()
                if summary.owed:
                    self._kick_delivery()

            jobs.append(Job("poll", timedelta(seconds=5), poll))
        if "deliver" in self._only:
            deliverer = Deliverer(store, partial(_only, workspace, client), now=self._now)
            jobs.append(Job("deliver", timedelta(seconds=3), deliverer.run_once))
        return jobs

    async def _listen(self, stack: contextlib.AsyncExitStack, store: Store, client: AsyncWebClient) -> None:
        from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
        from slack_sdk.web.async_client import AsyncWebClient

        app = self._bolt(store, client)
        # opens no post, so the SDK's own retries may stay
        opener = AsyncWebClient(token=self._app_token, base_url=self._settings.slack_api_url)
        handler = AsyncSocketModeHandler(app, self._app_token, web_client=opener)
        stack.push_async_callback(answers_under_way(app))
        stack.push_async_callback(handler.close_async)
        await handler.connect_async()

    def _bolt(self, store: Store, client: AsyncWebClient) -> AsyncApp:
        from slack_bolt.async_app import AsyncApp

        from bot.slack import register

        app = AsyncApp(client=client, logger=logging.getLogger("slack_bolt"))
        register(app, store, command=self._settings.command, now=self._now, kick=self._kick_delivery)
        return app


def _only(own: str, client: AsyncWebClient, workspace: str) -> AsyncWebClient:
    """The client of the one workspace that these tokens are for; LookupError for channels that the command line made."""
    if workspace != own:
        raise LookupError(workspace)
    return client


def _version() -> str:
    from bot import __version__

    return __version__
