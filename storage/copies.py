"""The whole database in one file, and back again: SQLite by its own online copy, PostgreSQL by its own tools.

A copy is made while everything runs. Putting one back is for when nothing does: what was there before is kept beside it on
SQLite, and on PostgreSQL it all happens or nothing does.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from sqlalchemy.engine import URL, make_url

from storage.base import StorageError, refuse_newer


def backup(url: str, file: Path) -> int:
    """Copy the database into a new file; its size in bytes.

    Raises StorageError for a file that is there already, a database that is not, and for whatever the copy fails by.
    """
    if file.exists():
        raise StorageError(f"{file} is there already. Name another file, or move that one away.")
    if not file.parent.is_dir():
        raise StorageError(f"There is no folder {file.parent}. Make it first.")
    unfinished = file.with_name(f"{file.name}.unfinished")
    parsed = make_url(url)
    try:
        if parsed.get_backend_name() == "sqlite":
            _copy_sqlite(_there(parsed), unfinished)
        else:
            _run("pg_dump", parsed, "--format=custom", "--no-owner", f"--file={unfinished}")
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
    return file.stat().st_size


def restore(url: str, file: Path, now: datetime) -> Path | None:
    """Put a copy in the place of the database; on SQLite, where the former one is kept (None: there was none).

    The copy may be of an older version: `Store.migrate` comes after. Raises StorageError for a file that is no copy; on SQLite
    also for one of a newer version, before anything is replaced.
    """
    if not file.is_file():
        raise StorageError(f"There is no file {file}.")
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        _run("pg_restore", parsed, "--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error", str(file))
        return None
    _check_copy(file)
    path = Path(str(parsed.database))
    kept = None
    if path.exists():
        kept = path.with_name(f"{path.name}.before-{now:%Y%m%dT%H%M%S}")
        _copy_sqlite(path, kept)
    path.parent.mkdir(parents=True, exist_ok=True)
    _copy_sqlite(file, path)
    return kept


def _there(parsed: URL) -> Path:
    path = Path(str(parsed.database))
    if not path.exists():
        raise StorageError(f"There is no database {path} yet. Run: regwatch migrate")
    return path


def _copy_sqlite(source: Path, target: Path) -> None:
    """A copy that is whole, whoever writes meanwhile; checked before it counts as one."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(source))}?mode=ro", uri=True)) as old, closing(sqlite3.connect(target)) as new:
            old.backup(new)
            new.execute("pragma journal_mode = delete")  # one file, with none beside it; whoever opens it as a database sets its own
            told = str(new.execute("pragma quick_check(1)").fetchone()[0])
    except sqlite3.Error as error:
        raise StorageError(f"{source} cannot be copied to {target}: {error}.") from error
    if told != "ok":
        raise StorageError(f"The copy of {source} is damaged: {told}. Is the disk well?")


def _check_copy(file: Path) -> None:
    try:
        with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)) as copy:
            revision = copy.execute("select version_num from alembic_version").fetchone()
            told = str(copy.execute("pragma quick_check(1)").fetchone()[0])
    except sqlite3.Error as error:
        raise StorageError(f"{file} is no copy of a Regwatch database: {error}.") from error
    if told != "ok":
        raise StorageError(f"{file} is damaged: {told}.")
    if revision is None:
        raise StorageError(f"{file} is no copy of a Regwatch database: it has no revision.")
    refuse_newer(str(file), str(revision[0]))


def _run(tool: str, parsed: URL, *options: str) -> None:
    """One of PostgreSQL's own tools on this database. The password goes by the environment: command lines are seen by all."""
    program = shutil.which(tool)
    if program is None:
        raise StorageError(f"{tool} is not here: install PostgreSQL's client tools, of the server's version.")
    address = parsed.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    environment = os.environ | ({"PGPASSWORD": str(parsed.password)} if parsed.password else {})
    done = subprocess.run(  # noqa: S603 - our own arguments, no shell
        [program, f"--dbname={address}", *options], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise StorageError(f"{tool}: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f'exit {done.returncode}'}")
