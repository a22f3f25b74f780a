"""The ground floor of the Store: migrations on both databases, transactions, errors in words."""

from __future__ import annotations

import asyncio
import builtins
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import JSON, CheckConstraint, column, inspect, table, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import SQLModel, select

from storage import StorageError, Store, base
from storage.models import Action, ActionRegulator, Case, Deliver, Kind, Precision, Regulator, Status
from storage.records import FIRST_REF
from tests.fakes.clock import FakeClock
from tests.fakes.polls import NOON, act, entry, follow, furnish, poll

REPOSITORY = Path(__file__).resolve().parent.parent


def a_case(clock: FakeClock) -> Case:
    return Case(opened_at=clock())


def an_action(clock: FakeClock, case_id: int) -> Action:
    return Action(case_id=case_id, kind=Kind.FINE, status=Status.FINAL, first_seen_at=clock())


async def read(store: Store) -> None:
    async with store._read() as session:
        await session.exec(select(Regulator))


async def test_the_first_action_is_rw_1001(store: Store, clock: FakeClock) -> None:
    async with store._write() as session:
        case = a_case(clock)
        session.add(case)
        await session.flush()
        actions = [an_action(clock, case.id or 0), an_action(clock, case.id or 0)]
        session.add_all(actions)
        await session.flush()
        assert [action.id for action in actions] == [FIRST_REF, FIRST_REF + 1]


def test_a_migrated_database_equals_the_tables_of_the_code(database_url: str) -> None:
    with base._migrating(base._parsed(database_url)) as connection:
        opts = {"compare_type": True, "target_metadata": SQLModel.metadata, "include_object": base.is_of_the_tables}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, SQLModel.metadata) == []
        found = inspect(connection)
        for table in SQLModel.metadata.sorted_tables:
            guards = len([one for one in table.constraints if isinstance(one, CheckConstraint)])
            assert len(found.get_check_constraints(table.name)) == guards, table.name


def test_every_choice_is_guarded_by_the_database(database_url: str) -> None:
    """Two columns of one enum in one table have a guard each: `action` has two precisions."""
    with base._migrating(base._parsed(database_url)) as connection:
        names = {check["name"] for check in inspect(connection).get_check_constraints("action")}
    assert {"ck_action_kind", "ck_action_status", "ck_action_decided_precision", "ck_action_published_precision"} <= names


async def test_a_value_that_is_no_choice_is_refused(store: Store) -> None:
    values = "('a', 'A', '', '', 'partnership', '', '[]', '')"

    async def write() -> None:
        async with store._write() as session:
            connection = await session.connection()
            columns = "id, name, name_zh_hans, name_zh_hant, kind, country, tickers, note"
            await connection.exec_driver_sql(f"insert into firm ({columns}) values {values}")

    with pytest.raises(IntegrityError):
        await write()


def test_down_and_up_again(database_url: str) -> None:
    parsed = base._parsed(database_url)
    config = base._config()
    with base._migrating(parsed) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        assert set(inspect(connection).get_table_names()) == {"alembic_version"}
    assert Store.revision(database_url)[0] is None
    Store.migrate(database_url)
    current, head = Store.revision(database_url)
    assert current == head


def test_migrating_twice_does_nothing(database_url: str) -> None:
    Store.migrate(database_url)
    Store.migrate(database_url)


def test_pages_that_an_older_version_knew_and_did_not_read_start_as_new_ones_do(database_url: str) -> None:
    """A source that was read before stays what it is."""
    at = datetime(2024, 1, 1, tzinfo=UTC)
    plain = {"url": "http://a.test", "tier": "primary", "language": "", "is_enabled": True, "off_reason": "", "definition": "{}"}
    plain |= {"poll_minutes": 60, "stale_after_days": 30, "min_entries": 1, "mode": "live", "mode_reason": "", "health": "ok"}
    plain |= {"health_detail": "", "next_poll_at": at, "lease_token": 0, "failures": 0, "added_at": at}
    with base._migrating(base._parsed(database_url)) as connection:
        config = base._config()
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
        for name, kind, read_at in (("a-page", "html-list", None), ("a-feed", "rss", None), ("an-interface", "json", at)):
            row = plain | {"id": name, "kind": kind, "last_ok_at": read_at}
            places = ", ".join(f"cast(:{column} as json)" if column == "definition" else f":{column}" for column in row)
            connection.execute(text(f"insert into source ({', '.join(row)}) values ({places})"), row)
    Store.migrate(database_url)
    with base._migrating(base._parsed(database_url)) as connection:
        found = connection.execute(text("select id, mode, is_proved from source"))
        modes = {name: (mode, bool(is_proved)) for name, mode, is_proved in found}
    assert modes == {"a-page": ("shadow", False), "a-feed": ("live", True), "an-interface": ("live", True)}


async def test_what_digests_tell_is_as_it_was_before_it_was_a_mark(store: Store, database_url: str, clock: FakeClock) -> None:
    """One digest is owed, another will be, a third channel has none."""
    await furnish(store)
    daily = {"is_digest_on": True, "digest_days": "daily", "next_digest_at": NOON + timedelta(hours=1)}
    await follow(store, "C1", "firm:tencent", **daily)
    await follow(store, "C2", "firm:tencent", is_digest_on=False)
    await follow(store, "C3", "firm:tencent", deliver=Deliver.NOW, **daily)
    for hour, title in ((0, "Before"), (1, "After")):
        clock.at = NOON + timedelta(hours=hour)
        await store.owe_digests()
        await poll(store, "cac-news", entry(title, act(Kind.FINE, "tencent", number=title)))
    await store.close()

    def marks() -> list[tuple[int, str, int | None]]:
        with base._migrating(base._parsed(database_url)) as connection:
            found = connection.execute(text("select channel_id, key, digest_id from delivery where kind <> 'digest' order by id"))
            return [tuple(row) for row in found]

    now = marks()
    with base._migrating(base._parsed(database_url)) as connection:
        config = base._config()
        config.attributes["connection"] = connection
        command.downgrade(config, "0010")
        payloads = connection.execute(select(table("delivery", column("payload", JSON))).order_by(text("id"))).scalars()
        assert [one["digest"] for one in payloads if "digest" in one] == [channel != 3 for channel, _, _ in now]
    Store.migrate(database_url)
    assert [key for _, key, _ in now] == ["alert:RW-1001"] * 3 + ["alert:RW-1002"] * 3
    # a channel without a digest: nothing waits for one that is turned on
    assert marks() == [(channel, key, mark if channel != 2 else 0) for channel, key, mark in now]
    assert {mark for channel, _, mark in now if channel == 1} == {None, 4}
    assert {mark for channel, _, mark in now if channel == 3} == {0}


def test_a_newer_database_is_refused(database_url: str) -> None:
    with base._migrating(base._parsed(database_url)) as connection:
        connection.exec_driver_sql("update alembic_version set version_num = '9999'")
    with pytest.raises(StorageError, match="newer Regwatch"):
        Store.migrate(database_url)


def test_migrate_makes_the_folder(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a folder/50% of it/regwatch.sqlite"
    nothing, head = Store.revision(url)
    assert nothing is None
    Store.migrate(url)
    assert Store.revision(url) == (head, head)


def test_migrate_works_from_any_folder(tmp_path: Path) -> None:
    code = "from storage import Store; Store.migrate('sqlite:///here.sqlite')"
    subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(REPOSITORY)}, check=True)
    assert (tmp_path / "here.sqlite").exists()


def test_two_migrations_at_once(tmp_path: Path) -> None:
    code = "from storage import Store; Store.migrate('sqlite:///here.sqlite')"
    run = [
        subprocess.Popen([sys.executable, "-W", "error", "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(REPOSITORY)}) for _ in range(3)
    ]
    assert [process.wait(60) for process in run] == [0, 0, 0]


async def test_a_failed_write_leaves_nothing(store: Store, clock: FakeClock) -> None:
    async def write() -> None:
        async with store._write() as session:
            session.add(a_case(clock))
            await session.flush()
            session.add(ActionRegulator(action_id=7, regulator_id="nobody"))

    with pytest.raises(IntegrityError):
        await write()
    async with store._read() as session:
        assert (await session.exec(select(Case))).all() == []


async def test_writers_that_read_first_do_not_fail_each_other(store: Store, clock: FakeClock) -> None:
    async def write() -> None:
        async with store._write() as session:
            await session.exec(select(Case))
            session.add(a_case(clock))

    await asyncio.gather(*(write() for _ in range(8)))
    async with store._read() as session:
        assert len((await session.exec(select(Case))).all()) == 8


async def test_a_read_sees_one_state(store: Store, clock: FakeClock) -> None:
    async with store._read() as session:
        before = len((await session.exec(select(Case.id))).all())
        async with store._write() as other:
            other.add(a_case(clock))
        assert len((await session.exec(select(Case.id))).all()) == before


async def test_one_at_a_time_waits(store: Store) -> None:
    order: list[str] = []
    is_held, is_over = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with store._write() as session:
            await session.exec(select(Case))
            await store._one_at_a_time(session, "actions")
            is_held.set()
            await is_over.wait()
            order.append("first")

    async def second() -> None:
        await is_held.wait()
        asyncio.get_running_loop().call_later(0.05, is_over.set)
        async with store._write() as session:
            await store._one_at_a_time(session, "actions")
            await session.exec(select(Case))
            order.append("second")

    await asyncio.gather(first(), second())
    assert order == ["first", "second"]


async def test_times_come_back_aware(store: Store) -> None:
    at = datetime(2021, 3, 19, 12, 30, 15, 250, tzinfo=UTC)
    async with store._write() as session:
        session.add(Case(opened_at=at))
    async with store._read() as session:
        assert (await session.exec(select(Case.opened_at))).one() == at


async def test_an_enum_comes_back_as_one(store: Store, clock: FakeClock) -> None:
    async with store._write() as session:
        case = a_case(clock)
        session.add(case)
        await session.flush()
        action = an_action(clock, case.id or 0)
        action.decided_precision = Precision.MONTH
        session.add(action)
    async with store._read() as session:
        found = (await session.exec(select(Action.kind, Action.decided_precision))).one()
    assert found == (Kind.FINE, Precision.MONTH)
    assert isinstance(found[0], Kind)


def test_of_two_that_wait_for_each_other_one_is_told_to_try_again() -> None:
    class Deadlock(Exception):
        """As a driver of PostgreSQL gives it."""

        sqlstate = "40P01"

    said = Deadlock("deadlock detected\nProcess 7 waits for ShareLock on transaction 9; blocked by process 8.")
    with pytest.raises(StorageError, match=r"gave way\. Try again"), base._told(make_url("postgresql://regwatch@db/regwatch")):
        raise OperationalError("update", None, said)


async def test_an_unmigrated_database_says_what_to_do(tmp_path: Path, clock: FakeClock) -> None:
    store = Store(f"sqlite:///{tmp_path}/empty.sqlite", now=clock)
    with pytest.raises(StorageError, match="regwatch migrate"):
        await read(store)
    await store.close()


async def test_a_file_that_cannot_be_opened(tmp_path: Path, clock: FakeClock) -> None:
    store = Store(f"sqlite:///{tmp_path}/nowhere/regwatch.sqlite", now=clock)
    with pytest.raises(StorageError, match="cannot be opened"):
        await read(store)
    await store.close()


async def test_a_file_that_is_no_database(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "notes.txt").write_text("not a database, whatever its name may be. " * 100)
    store = Store(f"sqlite:///{tmp_path}/notes.txt", now=clock)
    with pytest.raises(StorageError, match="cannot be used"):
        await read(store)
    await store.close()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be made"):
        Store.migrate(f"sqlite:///{tmp_path}/file/below/regwatch.sqlite")


def test_a_busy_database_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path}/regwatch.sqlite"
    Store.migrate(url)
    monkeypatch.setattr(base, "_BUSY_SECONDS", 0)
    holder = sqlite3.connect(tmp_path / "regwatch.sqlite", isolation_level=None)
    holder.execute("begin immediate")
    try:
        with pytest.raises(StorageError, match="was busy"):
            Store.migrate(url)
    finally:
        holder.close()


@pytest.mark.parametrize(
    "url",
    ["", "no url at all", "mysql://host/name", "sqlite://", "sqlite:///:memory:", "sqlite+nothing"],
    ids=["an empty URL", "words", "another kind of database", "no file", "a database in memory", "half a URL"],
)
def test_a_url_that_names_no_database_of_ours(url: str, clock: FakeClock) -> None:
    with pytest.raises(StorageError):
        Store(url, now=clock)


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("sqlite:///file.sqlite", "sqlite+aiosqlite"),
        ("sqlite:////folder/file.sqlite", "sqlite+aiosqlite"),
        ("postgresql://user@host/name", "postgresql+psycopg"),
        ("postgres://user@host/name", "postgresql+psycopg"),
        ("postgresql+asyncpg://user@host/name", "postgresql+psycopg"),
    ],
)
def test_the_driver_is_ours_to_add(url: str, driver: str) -> None:
    assert base._async_url(base._parsed(url)).drivername == driver


def test_postgresql_without_its_driver_says_what_to_install(monkeypatch: pytest.MonkeyPatch, clock: FakeClock) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.split(".")[0] == "psycopg":
            raise ModuleNotFoundError(f"No module named {name!r}")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(StorageError, match="pip install"):
        Store("postgresql://user@host/name", now=clock)


async def test_a_server_that_is_not_there_is_named_without_its_password(clock: FakeClock) -> None:
    store = Store("postgresql://user:opensesame@127.0.0.1:1/name", now=clock)
    with pytest.raises(StorageError, match="cannot be used") as caught:
        await read(store)
    assert "opensesame" not in str(caught.value)
    await store.close()
