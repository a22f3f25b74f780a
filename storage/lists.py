"""Lists of firms that users bring: a CSV of names laid over the register, for one reading.

A list's names are weak unless its row says strong: a stranger's list of ten thousand names is full of common
words. A row one of whose names is a strong name of a known firm adds its names to that firm.
"""

from __future__ import annotations

import csv
import hashlib
import re
from dataclasses import replace

from storage.base import StorageError
from storage.models import AliasKind, Strength
from storage.records import AliasRow, FirmRow, Register
from storage.text import fold, title_key

COLUMNS = ("id", "name", "aliases", "tickers", "country", "strength")
"""What is read of a list; `name` must be there, other columns are left alone. Several values stand between `|` or `;`."""


def with_list(register: Register, text: str, name: str) -> Register:
    """The register with the firms of a CSV text added; `name` is the list's own, the source of its rows.

    Raises StorageError, with the line, for a list without names or a strength that is none.
    """
    reader = csv.DictReader(text.removeprefix("\ufeff").splitlines())
    if "name" not in (reader.fieldnames or ()):
        raise StorageError(f"{name}, line 1: no column `name`; the columns are {', '.join(COLUMNS)}")
    ids = {firm.id for firm in register.firms}
    owner = {fold(alias.text): alias.firm_id for alias in register.aliases if alias.strength is Strength.STRONG}
    names = {(alias.firm_id, fold(alias.text)) for alias in register.aliases}
    firms: list[FirmRow] = []
    aliases: list[AliasRow] = []
    for row in reader:
        cells = {column: (row.get(column) or "").strip() for column in COLUMNS}
        if not cells["name"]:
            continue
        strength = cells["strength"] or Strength.WEAK
        if strength not in set(Strength):
            raise StorageError(f"{name}, line {reader.line_num}: strength {strength!r} is none of {', '.join(Strength)}")
        said = [cells["name"], *_several(cells["aliases"])]
        firm_id = next((owner[fold(one)] for one in said if fold(one) in owner), None)
        if firm_id is None:
            firm_id = _free_id(cells["id"] or cells["name"], ids)
            ids.add(firm_id)
            firms.append(FirmRow(firm_id, cells["name"], country=cells["country"], tickers=_several(cells["tickers"])))
        for one, kind in [*((one, AliasKind.SHORT) for one in said), *((one, AliasKind.TICKER) for one in _several(cells["tickers"]))]:
            if (firm_id, fold(one)) not in names:
                names.add((firm_id, fold(one)))
                aliases.append(AliasRow(firm_id, one, kind, Strength(strength), source=name))
    version = hashlib.sha256(f"{register.version}\n{text}".encode()).hexdigest()[:12]
    return replace(register, version=version, firms=(*register.firms, *firms), aliases=(*register.aliases, *aliases))


def _several(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in re.split(r"[|;]", cell) if part.strip())


def _free_id(wanted: str, taken: set[str]) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", title_key(wanted)).strip("-") or f"firm-{hashlib.sha256(wanted.encode()).hexdigest()[:8]}"
    number = 2
    found = slug
    while found in taken:
        found, number = f"{slug}-{number}", number + 1
    return found
