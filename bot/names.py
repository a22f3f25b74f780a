"""The names that texts are read with, as the database holds them now.

An operator's list, a firm added in chat, or another process on the same database changes the register at any time.
`refresh` looks whether it did, which is cheap, and builds the automaton of names anew when it has; whoever reads meanwhile
goes on with the old one. The poller reads with it, `reread` too; a job of `app` looks every minute.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable, Iterable
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from bot.extract import FirmIndex, extract
from storage import Store
from storage.records import DocumentText, Extraction, Register

_log = logging.getLogger("regwatch.names")


@cache
def reader_version() -> str:
    """Another text whenever the reader is another one: made of its rules and words, so that nobody has to think of it."""
    return _version_of([*files("bot.extract").iterdir(), files("storage") / "text.py"])


def _version_of(rules: Iterable[Traversable]) -> str:
    told = hashlib.sha256()
    for file in sorted(rules, key=lambda file: file.name):
        if file.name.endswith((".py", ".toml")):
            told.update(f"{file.name}\n".encode())
            told.update(file.read_bytes())
    return told.hexdigest()[:8]


class Names:
    """Reads texts with the register's names. `refresh` must have been awaited once before; `on_new` hears when it brings others."""

    def __init__(self, store: Store, *, on_new: Callable[[], None] = lambda: None) -> None:
        self._store = store
        self._on_new = on_new
        self._index: FirmIndex | None = None
        self._register: Register | None = None
        self._seen = ""
        self._one_at_a_time = asyncio.Lock()

    @property
    def index(self) -> FirmIndex:
        """The names at their last refresh. Raises RuntimeError before the first."""
        if self._index is None:
            raise RuntimeError("Names are read before their first refresh")
        return self._index

    @property
    def register(self) -> Register:
        """What the index was built of. Raises RuntimeError before the first refresh."""
        if self._register is None:
            raise RuntimeError("Names are asked for before their first refresh")
        return self._register

    @property
    def version(self) -> str:
        """Of the register that texts are read with, and of the reader; documents keep it."""
        return f"{self.index.version}-{reader_version()}"

    def read(self, document: DocumentText) -> Extraction:
        """What a text says. Pure for one index; called in threads."""
        return extract(document, self.index)

    async def ensure(self) -> None:
        """Refreshes unless that was done before: for those who need some names, not the newest. Raises StorageError."""
        if self._index is None:
            await self.refresh()

    async def refresh(self) -> bool:
        """Read with the names that the database holds now; True when they are others than before. Raises StorageError."""
        async with self._one_at_a_time:
            # looked at before the register is read: what changes in between is seen by the next look
            seen = await self._store.register_version()
            if self._index is not None and seen == self._seen:
                return False
            register = await self._store.register()
            before, self._seen = self._index, seen
            if before is not None and before.version == register.version:
                return False
            self._index, self._register = await asyncio.to_thread(FirmIndex, register), register
            _log.info("names version=%s firms=%s names=%s", register.version, len(register.firms), len(register.aliases))
            if before is not None:
                self._on_new()
            return True
