"""The ground floor of the Store: engine, transactions, errors in words, migrations.

SQLite and PostgreSQL differ here, in the migrations and in what `fulltext` asks of its index, nowhere else. What the rooms
above get:

- `_read()` and `_write()`, one session and one transaction each. A write is BEGIN IMMEDIATE on SQLite: a
  deferred transaction that reads and then writes fails at once when another one wrote in between, whatever
  the busy timeout. A read sees one state of the database from its first statement to its last.
- `insert_for(session, table)`: an insert that knows `on_conflict_do_nothing` and `on_conflict_do_update`;
  `insert_rows`: many rows in one batch, and their ids; `chunks`: a long IN list in parts.
- `_one_at_a_time(session, name)`: a lock until the end of the transaction; of many, or of one.
- `FOR UPDATE SKIP LOCKED` needs no help: SQLAlchemy leaves it out on SQLite, where writers queue anyway.
"""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

import aiosqlite
from sqlalchemy import Connection, Table, create_engine, event, func, inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, InterfaceError, NoSuchModuleError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel import SQLModel, insert, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.intents import ChannelKey

_MIGRATIONS = Path(__file__).resolve().parent / "migrations"
_BUSY_SECONDS = 10
_CHUNK = 500

SLACK_TABLES = frozenset({"slack_bots", "slack_oauth_states"})
"""Tables that Slack's SDK describes and uses, through `Base.engine`; the migrations make them, no model here knows them."""

Value = TypeVar("Value")


class StorageError(Exception):
    """The database cannot be used as asked. Its text is for people: the cause, and what to do."""


class Base:
    """What every room of the Store stands on. Constructing it does no I/O."""

    def __init__(
        self,
        url: str,
        *,
        now: Callable[[], datetime],
        default_zone: str = "UTC",
        operations: ChannelKey | None = None,
    ) -> None:
        """`default_zone` is that of channels whose people have none; `operations` gets the notices."""
        self._url = _parsed(url)
        self._now = now
        self._default_zone = default_zone
        self._operations = operations
        with _driver_needed(self._url):
            engine = create_async_engine(_async_url(self._url), **_pool(self._url))
        if _is_sqlite(self._url):
            _prepare_sqlite(engine.sync_engine, foreign_keys=True)
            self._reader = engine
            self._writer = engine.execution_options(begin="BEGIN IMMEDIATE")
        else:
            self._reader = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            self._writer = engine
        self._engine: AsyncEngine = engine
        # SQLite lets the writers of one file in as they happen to knock, and one may knock in vain until it gives up: ours stand in line
        self._turn: AbstractAsyncContextManager[Any] = asyncio.Lock() if _is_sqlite(self._url) else nullcontext()
        self._is_seen = not _is_sqlite(self._url)

    @property
    def engine(self) -> AsyncEngine:
        """For a library that keeps tables of its own here (Slack's installations): its transactions are those of writers.

        Nothing of ours is read or written through it; the migrations make its tables.
        """
        return self._writer

    async def close(self) -> None:
        """Let go of all connections."""
        await self._engine.dispose()

    @staticmethod
    def migrate(url: str) -> None:
        """Bring the database to the newest revision, in one transaction; makes a SQLite file's folder.

        Two at once are safe: the second waits, and finds nothing to do. Raises StorageError for a database
        that a newer Regwatch has migrated.
        """
        parsed = _parsed(url)
        if _is_sqlite(parsed):
            folder = Path(str(parsed.database)).resolve().parent
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StorageError(f"The folder {folder} of the database cannot be made: {error.strerror}.") from error
        with _migrating(parsed) as connection:
            _upgrade(connection, "head")

    @staticmethod
    def revision(url: str) -> tuple[str | None, str]:
        """The database's revision (None: empty, or no such file) and the newest one that this code knows."""
        from alembic.runtime.migration import MigrationContext

        parsed = _parsed(url)
        head = _script().get_current_head()
        assert head is not None  # noqa: S101  # the package ships its migrations
        if _is_sqlite(parsed) and not Path(str(parsed.database)).exists():
            return None, head
        with _migrating(parsed) as connection:
            return MigrationContext.configure(connection).get_current_revision(), head

    @asynccontextmanager
    async def _read(self) -> AsyncIterator[AsyncSession]:
        with _told(self._url):
            await self._look()
            async with AsyncSession(self._reader, expire_on_commit=False) as session:
                yield session

    @asynccontextmanager
    async def _write(self) -> AsyncIterator[AsyncSession]:
        """One transaction: committed at the end of the block, rolled back when the block raises."""
        with _told(self._url):
            await self._look()
            async with self._turn, AsyncSession(self._writer, expire_on_commit=False) as session, session.begin():
                yield session

    async def _look(self) -> None:
        """Open a SQLite file ourselves before the driver first does: when that fails, aiosqlite leaves a thread behind
        that prints a traceback once the event loop is closed."""
        if not self._is_seen:
            await asyncio.to_thread(_open_file, str(self._url.database))
            self._is_seen = True

    async def _one_at_a_time(self, session: AsyncSession, name: str, *, is_shared: bool = False) -> None:
        """Wait until no other transaction holds this name; it is free again when ours ends. `is_shared`: all who share it may hold it."""
        if not _is_sqlite(self._url):  # one writer at a time there anyway
            lock = func.pg_advisory_xact_lock_shared if is_shared else func.pg_advisory_xact_lock
            await session.exec(select(lock(_lock_number(name))))


def insert_for(session: AsyncSession, table: type[SQLModel]) -> postgresql.Insert:
    """An insert with `on_conflict_do_nothing(...)` and `on_conflict_do_update(...)`, alike on both databases."""
    build: Callable[[Any], Any] = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    return cast(postgresql.Insert, build(_table(table)))


async def insert_rows(
    session: AsyncSession, table: type[SQLModel], rows: Sequence[Mapping[str, Any]], *, is_id_wanted: bool = True
) -> list[int]:
    """Insert many rows in one batch; their new ids, in the order of the rows, when they are wanted."""
    if not rows:
        return []
    into = insert(_table(table))
    if not is_id_wanted:
        await session.exec(into, params=rows)
        return []
    ids = _table(table).c.id
    if session.get_bind().dialect.name == "sqlite":
        # asked for the order, SQLAlchemy would insert row by row here; the one writer gives ids in the order of the rows
        return sorted(row[0] for row in await session.exec(into.returning(ids), params=rows))
    return [row[0] for row in await session.exec(into.returning(ids, sort_by_parameter_order=True), params=rows)]


def _table(table: type[SQLModel]) -> Table:
    """The table itself: an insert into the mapped class would go through the ORM, row by row where conflicts are minded."""
    return cast(Table, inspect(table).local_table)


def is_of_the_tables(_thing: object, name: str | None, kind: str, _is_reflected: bool, _counterpart: object) -> bool:
    """Whether a thing of the database belongs to the tables of the code: the index of full text is a migration's own work, and
    Slack's SDK describes its own tables."""
    return not (name or "").startswith("fulltext") and not (kind == "table" and name in SLACK_TABLES)


def chunks(values: Iterable[Value]) -> list[list[Value]]:
    """The values in lists that are short enough for one IN."""
    found = list(values)
    return [found[at : at + _CHUNK] for at in range(0, len(found), _CHUNK)]


def _parsed(url: str) -> URL:
    """The URL as it was given; raises StorageError when it names no database that we can use."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StorageError("The database URL cannot be read. Use sqlite:///file or postgresql://user@host/name.") from error
    kind = parsed.get_backend_name()
    if kind == "sqlite" and parsed.database not in (None, "", ":memory:"):
        return parsed
    if kind in ("postgresql", "postgres"):
        return parsed
    raise StorageError(
        f"A database of kind {parsed.drivername!r} without a file or server cannot be used: sqlite:///file or postgresql://..."
    )


def _is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def _async_url(url: URL) -> URL:
    return url.set(drivername="sqlite+aiosqlite" if _is_sqlite(url) else "postgresql+psycopg")


def _sync_url(url: URL) -> URL:
    return url.set(drivername="sqlite" if _is_sqlite(url) else "postgresql+psycopg")


def _pool(url: URL) -> dict[str, Any]:
    return {"connect_args": {"async_creator_fn": _QuickConnection.open}} if _is_sqlite(url) else {"pool_pre_ping": True}


class _QuickConnection(aiosqlite.Connection):
    """A connection that goes to its thread once a statement. The driver's own goes four times: to make a cursor, execute,
    fetch and close; most of the time of a question of ten statements went there."""

    @classmethod
    def open(cls, path: str, **options: Any) -> _QuickConnection:
        """What the engine calls for each connection."""
        connection = cls(lambda: sqlite3.connect(path, **options), 64)
        connection._thread.daemon = True  # like the engine's own: a process that ends must not wait for it
        return connection

    def cursor(self) -> Any:
        return _QuickCursor(self)

    async def work(self, task: Callable[[], None]) -> None:
        """Do this on the thread, in its turn."""
        await self._execute(task)  # type: ignore[no-untyped-call]


class _QuickCursor:
    """As much of a cursor as the engine asks for."""

    def __init__(self, connection: _QuickConnection) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount, self.arraysize = -1, 1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> _QuickCursor:
        return self

    async def execute(self, statement: str, values: Sequence[Any] = ()) -> _QuickCursor:
        await self._connection.work(partial(self._run, "execute", statement, values))
        return self

    async def executemany(self, statement: str, values: Iterable[Sequence[Any]]) -> _QuickCursor:
        await self._connection.work(partial(self._run, "executemany", statement, values))
        return self

    async def fetchall(self) -> list[Any]:
        return self._rows

    async def close(self) -> None:
        """Done already, by the statement."""

    def _run(self, how: str, statement: str, values: Any) -> None:
        cursor = self._connection._conn.cursor()
        try:
            getattr(cursor, how)(statement, values)
            self.description, self.rowcount, self.lastrowid = cursor.description, cursor.rowcount, cursor.lastrowid
            self._rows = cursor.fetchall() if cursor.description else []
        finally:
            cursor.close()


@contextmanager
def _driver_needed(url: URL) -> Iterator[None]:
    try:
        yield
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise StorageError(f"The driver for {url.get_backend_name()} is not installed. Run: pip install 'regwatch[postgres]'") from error


@contextmanager
def _told(url: URL) -> Iterator[None]:
    """Trouble with the database, as opposed to a bug of ours, becomes a StorageError with words for people."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        origin = error.orig if isinstance(error, DBAPIError) else error
        cause = str(origin).strip()
        is_unmigrated = "no such table" in cause or "no such column" in cause or getattr(origin, "sqlstate", "") in ("42P01", "42703")
        if is_unmigrated:
            raise StorageError("The database has not been migrated. Run: regwatch migrate") from error
        is_trouble = isinstance(error, OperationalError | InterfaceError) or type(error) is DatabaseError
        if not is_trouble and not isinstance(error, sqlite3.Error):
            raise
        where = url.render_as_string(hide_password=True)
        if getattr(origin, "sqlstate", "") == "40P01":
            raise StorageError(f"Two commands waited for each other in the database {where}, and this one gave way. Try again.") from error
        if "locked" in cause and _is_sqlite(url):
            raise StorageError(f"The database {where} was busy for {_BUSY_SECONDS} s: another command is writing. Try again.") from error
        if "unable to open" in cause:
            raise StorageError(f"The database {where} cannot be opened. Is the path right, and may we write there?") from error
        raise StorageError(f"The database {where} cannot be used: {cause.splitlines()[0] if cause else error}") from error


def _open_file(path: str) -> None:
    """Raises sqlite3.Error for a file that cannot be opened, or is no database."""
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS)
    try:
        connection.execute("PRAGMA schema_version")
    finally:
        connection.close()


def _prepare_sqlite(engine: Engine, *, foreign_keys: bool) -> None:
    """Pragmas for each connection, and transactions that we begin ourselves."""

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver must not begin transactions of its own
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout={_BUSY_SECONDS * 1000}",
            "journal_mode=WAL",
            "synchronous=NORMAL",
            f"foreign_keys={'ON' if foreign_keys else 'OFF'}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))


def _lock_number(name: str) -> int:
    """A name as PostgreSQL's advisory locks want it: 64 bits, signed."""
    return int.from_bytes(hashlib.blake2b(f"regwatch:{name}".encode(), digest_size=8).digest(), "big", signed=True)


@contextmanager
def _migrating(url: URL) -> Iterator[Connection]:
    """A connection in a transaction that no other migration shares."""
    from sqlalchemy.pool import NullPool

    with _driver_needed(url):
        engine = create_engine(_sync_url(url), poolclass=NullPool, execution_options={"begin": "BEGIN IMMEDIATE"})
    if _is_sqlite(url):
        _prepare_sqlite(engine, foreign_keys=False)  # a batch migration drops and renames tables
    with _told(url), engine.begin() as connection:
        if not _is_sqlite(url):
            connection.execute(select(func.pg_advisory_xact_lock(_lock_number("migration"))))
        yield connection


def _config() -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _script() -> Any:
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_config())


def refuse_newer(what: str, revision: str | None) -> None:
    """Raises StorageError for a revision that this code does not know; None is that of an empty database."""
    if revision is not None and revision not in {script.revision for script in _script().walk_revisions()}:
        raise StorageError(f"{what} is at revision {revision}, made by a newer Regwatch than this one. Upgrade Regwatch.")


def _upgrade(connection: Connection, revision: str) -> None:
    from alembic import command
    from alembic.runtime.migration import MigrationContext

    refuse_newer("The database", MigrationContext.configure(connection).get_current_revision())
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
