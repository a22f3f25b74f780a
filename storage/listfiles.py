"""Files of firms as others publish them, read row by row: what stands in which column. Reads from disk alone.

A file is known by what is in it, not by its name: a CSV or JSON of one's own (`name`, and if one likes `aliases weak
tickers country strength id`), the SEC's company_tickers.json in both its forms, the companies of Taipei's two
exchanges (their open data as CSV or JSON, and the page of ISIN codes), Hong Kong's ListOfSecurities.xlsx in either
language, GLEIF's files of legal entities and of who consolidates whom, zipped or not. Everything but JSON and that page
is streamed.
"""

from __future__ import annotations

import csv
import io
import json
import re
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html.parser import HTMLParser
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

from storage.base import StorageError
from storage.models import Strength
from storage.records import ListParent, ListRow

COLUMNS = ("id", "name", "aliases", "weak", "tickers", "country", "strength")
"""What is read of a list of one's own; `name` must be there, other columns are left alone. Several values stand between `|` or `;`."""

NO_EQUITY = "no share of a company"
NO_COMPANY = "a fund, a branch or a person, no company"
INACTIVE = "no longer active"

_NAMES = ("name", "title", "name_en", "short_name")
_TICKERS = ("tickers", "ticker", "symbol")
_KEYS = ("cik", "cik_str", "lei")
_OTHER_NAMES = re.compile(r"Entity\.\w*OtherEntityNames\.\w+\.\d")
_HEADER_WITHIN = 10  # lines: some tables have a title and a date above their header

Cells = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Layout:
    """A kind of table: the columns that tell it, those that are read beside them, and what a row of it says."""

    needed: frozenset[str]
    read: Callable[[Cells], ListRow | str]  # words: why the row is none
    more: tuple[str, ...] = ()
    more_like: re.Pattern[str] | None = None  # of names of further columns that are read


def read_list(path: Path, skipped: Counter[str] | None = None) -> Iterator[ListRow]:
    """The firms of a file. `skipped` counts rows that are no firms (warrants, funds) by the reason.

    Raises StorageError, with the file's name and the line, for what it cannot read.
    """
    with _opened(path) as file:
        yield from _rows(_table(file, path.name), path.name, skipped)


def read_parents(path: Path) -> Iterator[ListParent]:
    """Who is directly consolidated by whom, of GLEIF's file of relationships; StorageError for any other file."""
    child, parent = "Relationship.StartNode.NodeID", "Relationship.EndNode.NodeID"
    kind, status = "Relationship.RelationshipType", "Relationship.RelationshipStatus"
    with _opened(path) as file:
        table = _table(file, path.name)
        header, _ = next(table, ([], 0))
        if not {child, parent, kind, status} <= set(header):
            raise StorageError(f"{path.name}: no file of relationships: a column {child} is not there")
        for values, _ in table:
            row = dict(zip(header, values, strict=False))
            if row[kind] == "IS_DIRECTLY_CONSOLIDATED_BY" and row[status] == "ACTIVE":
                yield ListParent(str(row[child]), str(row[parent]), *_relationship_period(row))


def _relationship_period(row: Mapping[str, Any]) -> tuple[date | None, date | None]:
    """From when to when; the other periods of the row are those of accounts and filings."""
    for number in range(1, 6):
        at = f"Relationship.Period.{number}."
        if row.get(f"{at}periodType") == "RELATIONSHIP_PERIOD":
            return _day(row.get(f"{at}startDate")), _day(row.get(f"{at}endDate"))
    return None, None


def _day(text: Any) -> date | None:
    try:
        return date.fromisoformat(str(text or "")[:10])
    except ValueError:
        return None


def _rows(table: Iterator[tuple[Sequence[Any], int]], name: str, skipped: Counter[str] | None) -> Iterator[ListRow]:
    """The rows of a table whose header is among its first lines."""
    tops = list(islice(table, _HEADER_WITHIN))
    found = next(((at, layout) for at, (values, _) in enumerate(tops) if (layout := _layout_of(values))), None)
    if found is None:
        raise StorageError(f"{name}, line 1: no column `name`; the columns are {', '.join(COLUMNS)}")
    at, layout = found
    header = [_text(value) for value in tops[at][0]]
    wanted = {
        place: column
        for place, column in enumerate(header)
        if column in layout.needed or column in layout.more or (layout.more_like and layout.more_like.fullmatch(column))
    }
    for values, line in chain(tops[at + 1 :], table):
        cells = {column: _text(values[place]) if place < len(values) else "" for place, column in wanted.items()}
        if not any(cells.values()):
            continue
        row = layout.read(cells)
        if isinstance(row, ListRow):
            yield row
        elif row.startswith("strength "):
            raise StorageError(f"{name}, line {line}: {row}")
        elif skipped is not None:
            skipped[row] += 1


def _layout_of(values: Sequence[Any]) -> _Layout | None:
    columns = {_text(value) for value in values}
    return next((layout for layout in _LAYOUTS if layout.needed <= columns), None)


def _text(value: Any) -> str:
    """A cell as text, spaces squeezed; a list of values (JSON) as one cell of several."""
    if isinstance(value, list):
        return " | ".join(map(_text, value))
    return "" if value is None else " ".join(str(value).split())


def _several(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in re.split(r"[|;]", cell) if part.strip())


# --- what a row of each kind says ---


def _own(cells: Cells) -> ListRow | str:
    strength = cells.get("strength") or Strength.WEAK
    if strength not in set(Strength):
        return f"strength {strength!r} is none of {', '.join(Strength)}"
    return ListRow(
        name=next((cells[column] for column in _NAMES if cells.get(column)), ""),
        aliases=_several(cells.get("aliases", "")),
        weak=_several(cells.get("weak", "")),
        tickers=next((_several(cells[column]) for column in _TICKERS if cells.get(column)), ()),
        country=cells.get("country", "").upper() if len(cells.get("country", "")) == 2 else "",
        strength=Strength(strength),
        id=cells.get("id", ""),
        key=next((cells[column] for column in _KEYS if cells.get(column)), ""),
    )


def _mainland(cells: Cells) -> ListRow | str:
    names = (cells["full_name_hans"], cells.get("short_name_hant", ""), cells.get("full_name_hant", ""))
    return ListRow(cells["short_name_hans"], tuple(filter(None, names)), tickers=(cells["code"],), country="CN")


def _taiwan_short(cells: Cells) -> ListRow | str:
    ending = "TW" if cells["exchange"] == "TWSE" else "TWO"
    return ListRow(cells["short_name_hant"], tickers=(f"{cells['code']}.{ending}",), country="TW")


def _taiwan(cells: Cells) -> ListRow | str:
    """Open data of the two exchanges: the one tells the day of listing, the other that of trade over the counter."""
    is_counter = "上櫃日期" in cells or "SecuritiesCompanyCode" in cells
    code, full, short, abroad, latin = (
        next((cells[column] for column in columns if cells.get(column)), "")
        for columns in (
            ("公司代號", "SecuritiesCompanyCode"),
            ("公司名稱", "CompanyName"),
            ("公司簡稱", "CompanyAbbreviation"),
            ("外國企業註冊地國", "Registration"),
            ("英文簡稱", "Symbol"),
        )
    )
    seat = re.match(r"[A-Z]{2}\b", abroad)
    names = tuple(filter(None, (full, latin)))
    return ListRow(short or full, names, tickers=(f"{code}.{'TWO' if is_counter else 'TW'}",), country=seat.group() if seat else "TW")


def _taiwan_isin(cells: Cells) -> ListRow | str:
    match = re.fullmatch(r"(\w{4,6})\s+(.+)", cells["有價證券代號及名稱"])
    if not match or not cells["CFICode"].startswith("ES"):
        return NO_EQUITY
    ending = "TWO" if cells.get("市場別") in ("上櫃", "興櫃") else "TW"
    return ListRow(match[2], tickers=(f"{match[1]}.{ending}",), country="" if "KY" in match[2] else "TW")


def _hong_kong(cells: Cells) -> ListRow | str:
    code, name, kind = (
        next((cells[column] for column in columns if cells.get(column)), "")
        for columns in (("Stock Code", "股份代號", "stock_code"), ("Name of Securities", "股份名稱", "short_name"), ("Category", "分類"))
    )
    if kind not in ("", "Equity", "股本") or not code.isdigit():
        return NO_EQUITY
    ticker = f"{int(code):04}.HK"
    return ListRow(name, tickers=(ticker,), key=ticker)  # the Chinese file has the other name of the same code


def _legal_entity(cells: Cells) -> ListRow | str:
    if cells.get("Entity.EntityStatus", "ACTIVE") != "ACTIVE":
        return INACTIVE
    if cells.get("Entity.EntityCategory", "") not in ("", "GENERAL"):
        return NO_COMPANY
    others = tuple(value for column, value in cells.items() if value and _OTHER_NAMES.fullmatch(column))
    return ListRow(cells["Entity.LegalName"], others, country=cells["Entity.LegalAddress.Country"], key=cells["LEI"])


def _columns(*needed: str) -> frozenset[str]:
    return frozenset(needed)


_TAIWAN_MORE = ("公司簡稱", "CompanyAbbreviation", "外國企業註冊地國", "Registration", "英文簡稱", "Symbol", "上櫃日期")
_OWN_MORE = (*COLUMNS, *_NAMES, *_TICKERS, *_KEYS)
_LAYOUTS = (
    _Layout(
        _columns("LEI", "Entity.LegalName", "Entity.LegalAddress.Country"),
        _legal_entity,
        ("Entity.EntityStatus", "Entity.EntityCategory"),
        _OTHER_NAMES,  # of some three hundred columns
    ),
    _Layout(_columns("公司代號", "公司名稱"), _taiwan, _TAIWAN_MORE),
    _Layout(_columns("SecuritiesCompanyCode", "CompanyName"), _taiwan, _TAIWAN_MORE),
    _Layout(_columns("有價證券代號及名稱", "CFICode"), _taiwan_isin, ("市場別",)),
    _Layout(_columns("Stock Code", "Name of Securities"), _hong_kong, ("Category",)),
    _Layout(_columns("股份代號", "股份名稱"), _hong_kong, ("分類",)),
    _Layout(_columns("stock_code", "short_name"), _hong_kong),
    _Layout(_columns("code", "short_name_hans", "full_name_hans"), _mainland, ("short_name_hant", "full_name_hant")),
    _Layout(_columns("code", "short_name_hant", "exchange"), _taiwan_short),
    *(_Layout(_columns(name), _own, _OWN_MORE) for name in _NAMES),
)
"""The first whose columns are all there."""


# --- tables of bytes: lines of values with their number, the header among them ---


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}") from error


def _table(file: IO[bytes], name: str) -> Iterator[tuple[Sequence[Any], int]]:
    """The lines of a file, whatever kind of file it is."""
    start = file.read(4096)
    file.seek(0)
    bare = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"PK\x03\x04"):
        yield from _zipped(file, name)
    elif bare[:1] in (b"{", b"["):
        yield from _json_table(file.read(), name)
    elif bare[:1] == b"<":
        yield from _page_table(file.read())
    else:
        with io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as lines:
            yield from _csv_table(lines, name)


def _csv_table(lines: Iterable[str], name: str) -> Iterator[tuple[Sequence[Any], int]]:
    reader = csv.reader(lines)
    try:
        for values in reader:
            yield values, reader.line_num
    except csv.Error as error:
        raise StorageError(f"{name}, line {reader.line_num}: {error}") from error
    except UnicodeDecodeError as error:
        raise StorageError(f"{name}, after line {reader.line_num}: this is not UTF-8 text; save it as UTF-8") from error


def _zipped(file: IO[bytes], name: str) -> Iterator[tuple[Sequence[Any], int]]:
    """A workbook, or the CSV that was packed."""
    try:
        with zipfile.ZipFile(file) as packed:
            inside = packed.namelist()
            if "xl/workbook.xml" in inside:
                yield from _workbook_table(file)
                return
            table = next((one for one in inside if one.lower().endswith(".csv")), None)
            if table is None:
                raise StorageError(f"{name} holds no CSV and is no workbook; unpack it")
            with packed.open(table) as member, io.TextIOWrapper(member, encoding="utf-8-sig", newline="") as lines:
                yield from _csv_table(lines, table)
    except (zipfile.BadZipFile, KeyError, EOFError, NotImplementedError) as error:  # the last: packed in a way that zipfile cannot undo
        raise StorageError(f"{name} is a broken archive or workbook: {error}") from error


def _workbook_table(file: IO[bytes]) -> Iterator[tuple[Sequence[Any], int]]:
    from openpyxl import load_workbook  # 0.2 s, and only a workbook needs it

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles that are missing
        book = load_workbook(file, read_only=True, data_only=True)
        try:
            sheet = book.worksheets[0]
            sheet.reset_dimensions()  # Hong Kong's file has been seen to state too few
            for number, values in enumerate(sheet.iter_rows(values_only=True), 1):
                yield values, number
        finally:
            book.close()


def _json_table(body: bytes, name: str) -> Iterator[tuple[Sequence[Any], int]]:
    """Objects in a list or under numbers, or the SEC's `fields` and `data`."""
    try:
        told = json.loads(body.decode("utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise StorageError(f"{name} is no JSON: {error}") from error
    if isinstance(told, dict) and isinstance(told.get("fields"), list) and isinstance(told.get("data"), list):
        yield told["fields"], 1
        yield from ((values, number) for number, values in enumerate(told["data"], 2) if isinstance(values, list))
        return
    rows = [row for row in (told.values() if isinstance(told, dict) else told) if isinstance(row, dict)]
    header = list(dict.fromkeys(column for row in rows for column in row))
    yield header, 1
    yield from (([row.get(column) for column in header], number) for number, row in enumerate(rows, 2))


class _Cells(HTMLParser):
    """The rows of a page's tables."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._is_in = False

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - the parser names them
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
        self._is_in = tag in ("td", "th") or (self._is_in and tag != "tr")

    def handle_endtag(self, tag: str) -> None:
        self._is_in = self._is_in and tag not in ("td", "th", "tr")

    def handle_data(self, data: str) -> None:
        if self._is_in and self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def _page_table(body: bytes) -> Iterator[tuple[Sequence[Any], int]]:
    """The page is Big5 as Windows has it, and says so in a header that a saved file lacks."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        text = body.decode("cp950", "replace")
    page = _Cells()
    page.feed(text)
    page.close()
    yield from ((row, number) for number, row in enumerate(page.rows, 1) if row)
