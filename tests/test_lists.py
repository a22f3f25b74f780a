"""Lists of firms that users bring: files as others publish them, and what a list adds to the register."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from bot.extract import FirmIndex
from bot.feeds.catalog import load_catalogue
from storage import StorageError
from storage.firms import shipped_register
from storage.lint import common_words, lint, lint_rows
from storage.listfiles import INACTIVE, NO_COMPANY, NO_EQUITY, read_list, read_parents
from storage.lists import NAMESAKE, NO_NAME, UNKNOWN, UNLIKE, ListPlan, is_alike, laid_over, language_of, listed, variants, with_list
from storage.models import AliasKind, FirmKind, OwnershipKind, Strength
from storage.records import AliasRow, FirmRow, ListParent, ListRow, OwnershipRow, Register
from storage.text import fold
from tests.builders import REGULATORS, SMALL

STRONG, WEAK = Strength.STRONG, Strength.WEAK
EMPTY = Register("none", (), (), (), REGULATORS)


@pytest.fixture(scope="module")
def register() -> Register:
    return shipped_register(load_catalogue().regulators)


# --- files ---------------------------------------------------------------------------------------------------------


def _workbook(*rows: list[Any]) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _zip(name: str, body: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(name, body)
    return file.getvalue()


_E = "Entity."
GLEIF = (
    "LEI,Entity.LegalName,Entity.LegalName.xmllang,Entity.OtherEntityNames.OtherEntityName.1,"
    "Entity.OtherEntityNames.OtherEntityName.1.xmllang,Entity.OtherEntityNames.OtherEntityName.1.type,"
    "Entity.TransliteratedOtherEntityNames.TransliteratedOtherEntityName.1,Entity.LegalAddress.City,Entity.LegalAddress.Country,"
    "Entity.EntityCategory,Entity.EntityStatus,Registration.RegistrationStatus\n"
    "CHILD,Granite Voice GmbH,de,Granitstimme GmbH,de,TRADING_OR_OPERATING_NAME,,Berlin,DE,GENERAL,ACTIVE,ISSUED\n"
    "PARENT,巨石控股有限公司,zh,,,,Jushi Holding Ltd,Suzhou,CN,GENERAL,ACTIVE,ISSUED\n"
    "FUND,Granite Fund,en,,,,,Dublin,IE,FUND,ACTIVE,ISSUED\n"
    "GONE,Old Granite Ltd,en,,,,,London,GB,GENERAL,INACTIVE,RETIRED\n"
).encode()
ISIN_PAGE = """<html><head><title>x</title></head><body><h2>本國上市證券</h2><table class='h4'>
<tr><td bgcolor=#D5FFD5>有價證券代號及名稱 </td><td>國際證券辨識號碼</td><td>上市日</td><td>市場別</td><td>產業別</td>
<td>CFICode</td><td>備註</td></tr><tr><td bgcolor=#FAFAD2 colspan=7 ><B> 股票 <B> </td></tr>
<tr><td bgcolor=#FAFAD2>2330　台積電</td><td>TW0002330008</td><td>1994/09/05</td><td>上市</td><td>半導體</td><td>ESVUFR</td></tr>
<tr><td>1256　鮮活果汁-KY</td><td>KYG367381053</td><td>2012/09/12</td><td>上市</td><td>食品</td><td>ESVUFR</td></tr>
<tr><td bgcolor=#FAFAD2>6488　環球晶</td><td>TW0006488000</td><td>2015/09/25</td><td>上櫃</td><td>半導體</td><td>ESVUFR</td></tr>
<tr><td bgcolor=#FAFAD2>030001　台積電購01</td><td>TW18Z0300013</td><td>2024/01/02</td><td>上市</td><td></td><td>RWSCCA</td><td></td></tr>
</table></body></html>"""
T187 = {
    "出表日期": "1131101",
    "公司代號": "2330",
    "公司名稱": "台灣積體電路製造股份有限公司",
    "公司簡稱": "台積電",
    "外國企業註冊地國": "－ ",
}

FILES: list[tuple[str, bytes, list[ListRow]]] = [
    (
        "a CSV of one's own",
        "\ufeffid,name,aliases,weak,tickers,country,strength,cik\n"
        'acme,"Acme, Inc.",Acme Widgets | Acme Co;阿克美,ACM,ACM,us,strong,7\n,巨石,,,,,,\n'.encode(),
        [ListRow("Acme, Inc.", ("Acme Widgets", "Acme Co", "阿克美"), ("ACM",), ("ACM",), "US", STRONG, "acme", "7"), ListRow("巨石")],
    ),
    (
        "JSON of one's own",
        json.dumps([{"name": "Acme", "aliases": ["Acme Widgets", "Acme Co"], "strength": "strong"}, {"name": "巨石"}]).encode(),
        [ListRow("Acme", ("Acme Widgets", "Acme Co"), strength=STRONG), ListRow("巨石")],
    ),
    (
        "a workbook of one's own",
        _workbook(["name", "tickers", "strength"], ["Acme", 123, "strong"], [None, None, None], ["巨石", None, None]),
        [ListRow("Acme", tickers=("123",), strength=STRONG), ListRow("巨石")],
    ),
    (
        "the SEC's tickers",
        b'{"0":{"cik_str":320193,"ticker":"AAPL","title":"Apple Inc."},"1":{"cik_str":789019,"ticker":"MSFT","title":"MICROSOFT CORP"}}',
        [ListRow("Apple Inc.", tickers=("AAPL",), key="320193"), ListRow("MICROSOFT CORP", tickers=("MSFT",), key="789019")],
    ),
    (
        "the SEC's tickers with exchanges",
        b'{"fields":["cik","name","ticker","exchange"],"data":[[320193,"Apple Inc.","AAPL","Nasdaq"],[1,"Shy Corp",null,null]]}',
        [ListRow("Apple Inc.", tickers=("AAPL",), key="320193"), ListRow("Shy Corp", key="1")],
    ),
    (
        "the page of ISIN codes, in Big5",
        ISIN_PAGE.encode("cp950"),
        [
            ListRow("台積電", tickers=("2330.TW",), country="TW"),
            ListRow("鮮活果汁-KY", tickers=("1256.TW",)),
            ListRow("環球晶", tickers=("6488.TWO",), country="TW"),
        ],
    ),
    (
        "Taipei's open data as CSV",
        '\ufeff"出表日期","公司代號","公司名稱","公司簡稱","外國企業註冊地國","英文簡稱"\n'
        '"1131101","1256","鮮活控股股份有限公司","鮮活果汁-KY","KY 開曼群島","Sunjuice"\n'.encode(),
        [ListRow("鮮活果汁-KY", ("鮮活控股股份有限公司", "Sunjuice"), tickers=("1256.TW",), country="KY")],
    ),
    (
        "Taipei's open data as JSON",
        json.dumps([T187]).encode(),
        [ListRow("台積電", ("台灣積體電路製造股份有限公司",), tickers=("2330.TW",), country="TW")],
    ),
    (
        "the over-the-counter exchange's open data",
        json.dumps(
            [{"SecuritiesCompanyCode": "6488", "CompanyName": "環球晶圓股份有限公司", "CompanyAbbreviation": "環球晶", "Symbol": "GWC"}]
        ).encode(),
        [ListRow("環球晶", ("環球晶圓股份有限公司", "GWC"), tickers=("6488.TWO",), country="TW")],
    ),
    (
        "Hong Kong's securities",
        _workbook(
            ["List of Securities"],
            ["Updated as at 27/11/2026"],
            ["Stock Code", "Name of Securities", "Category", "Sub-Category", "Board Lot"],
            ["00001", "CKH HOLDINGS", "Equity", "Equity Securities (Main Board)", "500"],
            ["00700", "TENCENT", "Equity", "Equity Securities (Main Board)", "100"],
            ["02800", "TRACKER FUND", "Exchange Traded Products", "", "500"],
        ),
        [
            ListRow("CKH HOLDINGS", tickers=("0001.HK",), key="0001.HK"),
            ListRow("TENCENT", tickers=("0700.HK",), key="0700.HK"),
        ],
    ),
    (
        "Hong Kong's securities in Chinese",
        _workbook(["證券名單"], ["更新"], ["股份代號", "股份名稱", "分類"], ["00700", "騰訊控股", "股本"], ["10001", "瑞銀購", "衍生權證"]),
        [ListRow("騰訊控股", tickers=("0700.HK",), key="0700.HK")],
    ),
    (
        "GLEIF's legal entities",
        GLEIF,
        [
            ListRow("Granite Voice GmbH", ("Granitstimme GmbH",), country="DE", key="CHILD"),
            ListRow("巨石控股有限公司", ("Jushi Holding Ltd",), country="CN", key="PARENT"),
        ],
    ),
    (
        "GLEIF's legal entities, packed",
        _zip("20261127-gleif-goldencopy-lei2.csv", GLEIF),
        [
            ListRow("Granite Voice GmbH", ("Granitstimme GmbH",), country="DE", key="CHILD"),
            ListRow("巨石控股有限公司", ("Jushi Holding Ltd",), country="CN", key="PARENT"),
        ],
    ),
    (
        "mainland shares",
        "code,short_name_hans,full_name_hans,exchange,listing_date,short_name_hant,full_name_hant\n"
        "301079.SZ,邵阳液压,邵阳维克液压股份有限公司,深圳证券交易所,2021-10-19,邵陽液壓,邵陽維克液壓股份有限公司\n".encode(),
        [ListRow("邵阳液压", ("邵阳维克液压股份有限公司", "邵陽液壓", "邵陽維克液壓股份有限公司"), tickers=("301079.SZ",), country="CN")],
    ),
    (
        "short names of Taipei",
        "code,short_name_hant,isin,exchange,industry\n1101,台泥,TW0001101004,TWSE,水泥\n6488,環球晶,TW0006488000,TPEx,半導體\n".encode(),
        [ListRow("台泥", tickers=("1101.TW",), country="TW"), ListRow("環球晶", tickers=("6488.TWO",), country="TW")],
    ),
    (
        "English names of Hong Kong",
        b"symbol,name_en,isin,website,sector\n0004.HK,Wharf (Holdings) Limited,,,Real Estate\n",
        [ListRow("Wharf (Holdings) Limited", tickers=("0004.HK",))],
    ),
]


@pytest.mark.parametrize(("body", "rows"), [case[1:] for case in FILES], ids=[case[0] for case in FILES])
def test_a_file_is_known_by_what_is_in_it(body: bytes, rows: list[ListRow], tmp_path: Path) -> None:
    """Whatever its name."""
    path = tmp_path / "some.thing"
    path.write_bytes(body)
    assert list(read_list(path)) == rows


def test_rows_that_are_no_firms_are_counted_by_the_reason(tmp_path: Path) -> None:
    """Warrants and funds of an exchange, funds and dead entities of GLEIF."""
    skipped: Counter[str] = Counter()
    for name in ("the page of ISIN codes, in Big5", "Hong Kong's securities", "GLEIF's legal entities"):
        path = tmp_path / "file"
        path.write_bytes(next(body for claim, body, _ in FILES if claim == name))
        assert list(read_list(path, skipped))
    assert skipped == {NO_EQUITY: 3, NO_COMPANY: 1, INACTIVE: 1}  # the heading of the page is a row too


UNREADABLE = [
    ("nothing", b"", "line 1: no column `name`"),
    ("other columns", b"firm,ticker\nA,B\n", "line 1: no column `name`"),
    ("an unknown strength", b"name,strength\nA,mighty\n", "line 2: strength 'mighty' is none of strong, weak"),
    ("another encoding", "name\n巨石\n".encode("gb18030"), "after line [01]: this is not UTF-8 text"),
    ("broken JSON", b'[{"name": "A"', "is no JSON"),
    ("JSON of something else", b'[{"firm": "A"}]', "no column `name`"),
    ("a broken archive", b"PK\x03\x04rest", "a broken archive or workbook"),
    ("an archive of something else", _zip("readme.txt", b"x"), "holds no CSV"),
    ("a cell without end", b'name\n"' + b"x" * 200_000, "field larger than field limit"),
]


@pytest.mark.parametrize(("body", "says"), [case[1:] for case in UNREADABLE], ids=[case[0] for case in UNREADABLE])
def test_a_file_that_cannot_be_read_is_told_with_its_name_and_line(body: bytes, says: str, tmp_path: Path) -> None:
    """In words for people."""
    (tmp_path / "mine.csv").write_bytes(body)
    with pytest.raises(StorageError, match=f"^mine.csv.* ?{says}"):
        list(read_list(tmp_path / "mine.csv"))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"nothing\.csv: No such file"):
        list(read_list(tmp_path / "nothing.csv"))


RELATIONS = (
    "Relationship.StartNode.NodeID,Relationship.StartNode.NodeIDType,Relationship.EndNode.NodeID,Relationship.EndNode.NodeIDType,"
    "Relationship.RelationshipType,Relationship.RelationshipStatus,Relationship.Period.1.startDate,Relationship.Period.1.endDate,"
    "Relationship.Period.1.periodType,Relationship.Period.2.startDate,Relationship.Period.2.endDate,Relationship.Period.2.periodType\n"
    "CHILD,LEI,PARENT,LEI,IS_DIRECTLY_CONSOLIDATED_BY,ACTIVE,2025-01-01T00:00:00Z,2025-12-31T00:00:00Z,ACCOUNTING_PERIOD,"
    "2017-12-06T00:00:00Z,,RELATIONSHIP_PERIOD\n"
    "CHILD,LEI,TOP,LEI,IS_ULTIMATELY_CONSOLIDATED_BY,ACTIVE,,,,,,\n"
    "PARENT,LEI,TOP,LEI,IS_DIRECTLY_CONSOLIDATED_BY,INACTIVE,,,,,,\n"
)


def test_who_owns_whom_is_read_with_the_dates_of_owning_alone(tmp_path: Path) -> None:
    """The first period of the row is that of the accounts."""
    (tmp_path / "rr.csv").write_text(RELATIONS)
    assert list(read_parents(tmp_path / "rr.csv")) == [ListParent("CHILD", "PARENT", date(2017, 12, 6))]
    (tmp_path / "other.csv").write_text("name\nA\n")
    with pytest.raises(StorageError, match=r"other\.csv: no file of relationships"):
        list(read_parents(tmp_path / "other.csv"))


# --- names ---------------------------------------------------------------------------------------------------------

VARIANTS = [
    ("special treatment", "ST康美", ["康美"]),
    ("special treatment, second year", "*ST康美", ["康美"]),
    ("not yet reformed", "S*ST佳通", ["佳通"]),
    ("the first day of trade", "N邵阳液压", ["邵阳液压"]),
    ("the days after it", "C立航科技", ["立航科技"]),
    ("ex dividend", "XD贵州茅台", ["贵州茅台"]),
    ("ex all rights", "DR宁德时代", ["宁德时代"]),
    ("about to leave", "康得退", ["康得"]),
    ("about to leave, with the mark before", "退市海润", ["海润"]),
    ("a class of shares", "京东方A", ["京东方"]),
    ("no profit yet", "寒武纪-U", ["寒武纪"]),
    ("weighted votes", "BABA-W", ["BABA"]),
    ("weighted votes, secondary listing", "小米集團-SW", ["小米集團"]),
    ("secondary listing", "MANULIFE-S", ["MANULIFE"]),
    ("before revenue", "歌禮製藥-B", ["歌禮製藥"]),
    ("with a wide dash", "騰訊控股－Ｒ".replace("Ｒ", "R"), ["騰訊控股"]),
    ("from abroad", "鮮活果汁-KY", ["鮮活果汁"]),
    ("a state of the SEC's list", "BANK OF AMERICA CORP /DE/", ["BANK OF AMERICA CORP", "BANK OF AMERICA"]),
    ("a legal form, two words remain", "Granite Voice Inc", ["Granite Voice"]),
    ("several legal forms", "Granite Voice Co., Ltd.", ["Granite Voice"]),
    ("a legal form with stops", "Granite Voice S.p.A.", ["Granite Voice"]),
    ("an ampersand is left over", "Deere Smith & Co", ["Deere Smith"]),
    ("one word would remain", "Apple Inc.", []),
    ("a Chinese legal form, the place stays", "邵阳维克液压股份有限公司", ["邵阳维克液压"]),
    ("a Traditional one", "台灣積體電路製造股份有限公司", ["台灣積體電路製造"]),
    ("two characters would remain", "巨石有限公司", []),
    ("a group keeps its word", "巨石控股集团有限公司", ["巨石控股集团"]),
    ("a name in Latin letters within", "TCL科技", []),
    ("one character would remain", "N海", []),
    ("nothing to take off", "巨石", []),
]


@pytest.mark.parametrize(("name", "made"), [case[1:] for case in VARIANTS], ids=[case[0] for case in VARIANTS])
def test_what_is_made_of_a_name(name: str, made: list[str]) -> None:
    """Without the marks of an exchange, and without the legal form where enough remains."""
    assert list(variants(name)) == made


@given(st.text(alphabet="ABab ST*XDR-/&.,有限公司股份集团退巨石康美", max_size=14))
def test_what_is_made_of_a_name_is_made_whole(name: str) -> None:
    """Nothing more can be made of it, so that a list that is written and read again is the same."""
    made = variants(name)
    assert {more for one in made for more in variants(one)} <= {*made, name.strip()}


ALIKE: list[tuple[str, str, str, bool | None]] = [
    ("the legal form apart", "Tencent Holding Ltd.", "Tencent Holdings Limited", True),
    ("a part of the words", "China Mobile", "CHINA MOBILE LTD", True),
    ("a slip", "Standard Chartred", "Standard Chartered", True),
    ("the order of words", "Gas China", "China Gas Holdings", True),
    ("other words", "CKH HOLDINGS", "CK Hutchison", False),
    ("Chinese short and long", "台積電", "台灣積體電路製造股份有限公司", True),
    ("both scripts of Chinese", "騰訊", "腾讯控股有限公司", True),
    ("other Chinese", "恆大", "宏達電", False),
    ("two scripts", "Tencent", "腾讯", None),
    ("only generic words", "Group Holdings", "The Group", False),
]


@pytest.mark.parametrize(("one", "other", "alike"), [case[1:] for case in ALIKE], ids=[case[0] for case in ALIKE])
def test_names_that_a_shared_ticker_makes_one_firm(one: str, other: str, alike: bool | None) -> None:
    """In either order."""
    assert is_alike(one, other) is alike
    assert is_alike(other, one) is alike


@pytest.mark.parametrize(("name", "language"), [("Acme", ""), ("巨石", "zh"), ("トヨタ自動車", "ja"), ("삼성전자", "ko"), ("Nestlé", "")])
def test_the_language_of_a_name_is_told_by_its_letters(name: str, language: str) -> None:
    assert language_of(name) == language


# --- what a list adds ----------------------------------------------------------------------------------------------

KNOWN = Register(
    "known",
    (
        FirmRow("tencent", "Tencent", country="CN", tickers=("0700.HK",)),
        FirmRow("visa", "Visa", country="US", tickers=("V",)),
        FirmRow("bing", "必应", kind=FirmKind.BRAND, country="US"),
        FirmRow("moutai", "贵州茅台", country="CN", tickers=("600519.SH",)),
        FirmRow("evergrande", "恒大", country="CN"),
    ),
    (
        AliasRow("tencent", "Tencent"),
        AliasRow("tencent", "腾讯", language="zh"),
        AliasRow("tencent", "0700.HK", AliasKind.TICKER),
        AliasRow("visa", "Visa", strength=WEAK),
        AliasRow("visa", "Visa Inc"),
        AliasRow("bing", "必应", language="zh"),
        AliasRow("moutai", "贵州茅台", language="zh"),
        AliasRow("evergrande", "恒大", language="zh"),
    ),
    (),
    REGULATORS,
)

JOINED: list[tuple[str, ListRow, str | None, set[str], str | None]] = [
    ("a strong name", ListRow("騰訊", ("Penguin of Shenzhen",)), "tencent", {"penguin of shenzhen"}, None),
    ("a strong name under a legal form", ListRow("Tencent", tickers=("TCEHY",)), "tencent", {"tcehy"}, None),
    ("a strong name under an exchange's mark", ListRow("XD贵州茅台"), "moutai", {"xd贵州茅台"}, None),
    ("the id", ListRow("Goose Factory", id="tencent"), "tencent", {"goose factory"}, None),
    ("a ticker and a name that is alike", ListRow("TENCENT HLDGS", tickers=("700.HK",)), "tencent", {"tencent hldgs"}, None),
    ("a ticker of Shanghai's other suffix", ListRow("Maotai Wine", tickers=("600519.SS",)), "moutai", {"maotai wine"}, None),
    ("a ticker of an exchange, and another name", ListRow("Liquor", tickers=("0700.HK",)), "tencent", set(), UNLIKE),
    ("a ticker and another name", ListRow("Visionary Air", tickers=("V",)), None, set(), UNLIKE),
    ("a weak name alone", ListRow("Visa"), None, set(), NAMESAKE),
    ("a weak name that the row calls strong", ListRow("Visa", ("Visa Cards",), strength=STRONG), "visa", {"visa cards"}, None),
    ("a listed firm with a brand's name", ListRow("必應", tickers=("6625.TW",), country="TW"), None, set(), NAMESAKE),
    ("a listed firm of another country", ListRow("恆大", tickers=("1325.TW",), country="TW"), None, set(), NAMESAKE),
    ("a firm of a haven is of anywhere", ListRow("恆大", country="KY", tickers=("1.HK",)), "evergrande", {"1.hk"}, None),
    ("no name", ListRow("7", ("-",)), None, set(), NO_NAME),
]  # fmt: skip


@pytest.mark.parametrize(("row", "firm_id", "names", "reason"), [case[1:] for case in JOINED], ids=[case[0] for case in JOINED])
def test_whom_a_row_speaks_of(row: ListRow, firm_id: str | None, names: set[str], reason: str | None) -> None:
    """A known firm gets the names it lacks; no name is given to a second firm; what is left out has a reason."""
    plan = ListPlan(KNOWN, "mine", [row])
    assert plan.firms == {}
    assert [left.reason for left in plan.left_out] == ([reason] if reason else [])
    if reason is None:
        assert plan.joined == {firm_id}
        assert set(plan.aliases) == {(firm_id, name) for name in names}


def test_a_list_adds_its_firms_with_weak_names_unless_it_says_strong(register: Register, tmp_path: Path) -> None:
    """What is made of a name is weak in any case. Ids are made from the names, and never those of another firm."""
    (tmp_path / "mine").write_text(
        "name,aliases,tickers,country,strength\nGranite Voice Inc,Granite|巨岩语音,GRV,US,strong\nVisa,,,,\n巨石,,1234.TW,,\n石,,,,\n",
        encoding="utf-8",
    )
    more = with_list(register, tmp_path / "mine")
    added = {firm.id: firm for firm in more.firms if firm not in register.firms}
    assert set(added) == {"granite-voice-inc", "1234-tw"}
    assert added["granite-voice-inc"].tickers == ("GRV",)
    names = {(alias.firm_id, alias.text): alias for alias in more.aliases if alias.source == "mine"}
    assert names["granite-voice-inc", "巨岩语音"].strength is STRONG
    assert names["granite-voice-inc", "Granite Voice"].strength is WEAK
    assert names["granite-voice-inc", "GRV"].kind is AliasKind.TICKER
    assert names["1234-tw", "巨石"].strength is WEAK
    assert more.version != register.version


def test_no_name_of_a_list_makes_a_name_of_the_register_a_shared_one(register: Register) -> None:
    """Two firms of one name are read as neither."""
    more = laid_over(register, [ListRow(alias.text) for alias in register.aliases if alias.kind is not AliasKind.TICKER], "mine")
    owners: dict[str, set[str]] = {}
    for alias in more.aliases:
        owners.setdefault(fold(alias.text), set()).add(alias.firm_id)
    before: dict[str, set[str]] = {}
    for alias in register.aliases:
        before.setdefault(fold(alias.text), set()).add(alias.firm_id)
    assert {name: who for name, who in owners.items() if len(who) > 1} == {name: who for name, who in before.items() if len(who) > 1}


def test_rows_of_one_list_that_are_one_firm() -> None:
    """By the list's own number, or by a name; two numbers of one name are two firms, and the first keeps the name."""
    plan = ListPlan(
        EMPTY,
        "sec",
        [
            ListRow("Alpha Corp", tickers=("ALP",), key="1"),
            ListRow("Alpha Corp", tickers=("ALP-B",), key="1"),
            ListRow("Beta Inc", key="2"),
            ListRow("BETA INC", key="3"),
            ListRow("Gamma Works", ("Gamma",)),
            ListRow("Gamma", tickers=("GMM",)),
            ListRow("TENCENT", tickers=("0700.HK",), key="0700.HK"),
            ListRow("TENCENT-R", tickers=("80700.HK",), key="80700.HK"),
            ListRow("騰訊控股", tickers=("0700.HK",), key="0700.HK"),
        ],
    )
    assert {firm.name: firm.tickers for firm in plan.firms.values()} == {
        "Alpha Corp": ("ALP", "ALP-B"),
        "Beta Inc": (),
        "Gamma Works": ("GMM",),
        "TENCENT": ("0700.HK", "80700.HK"),
    }
    assert ("tencent", "腾讯控股") in plan.aliases
    assert [(left.reason, left.rows, left.examples) for left in plan.left_out] == [(NAMESAKE, 1, ("BETA INC",))]


def test_ids_that_collide_are_numbered() -> None:
    """Names that differ in signs alone have one slug."""
    plan = ListPlan(KNOWN, "mine", [ListRow("A+B Works"), ListRow("A-B Works"), ListRow("巨石"), ListRow("Tencent Music", id="Tencent!")])
    assert list(plan.firms)[:2] == ["a-b-works", "a-b-works-2"]
    assert list(plan.firms)[2].startswith("firm-")
    assert list(plan.firms)[3] == "tencent-2"


def test_only_known_firms_get_names_when_that_is_asked() -> None:
    plan = ListPlan(KNOWN, "gleif", [ListRow("腾讯", ("Penguin Works",)), ListRow("Granite Voice GmbH")], only_known=True)
    assert (plan.firms, set(plan.aliases)) == ({}, {("tencent", "penguin works")})
    assert [(left.reason, left.rows) for left in plan.left_out] == [(UNKNOWN, 1)]


def test_owners_are_told_by_the_lists_own_numbers() -> None:
    """An edge that is known, or goes back, or has an end that nobody knows, is not made."""
    edge = OwnershipRow("visa", "tencent", OwnershipKind.OWNED_BY)
    rows = [ListRow("腾讯", key="T"), ListRow("Visa Inc", key="V"), ListRow("Granite Voice", key="G"), ListRow("Granite Ear", key="E")]
    parents = [ListParent(*pair) for pair in (("G", "T"), ("E", "G"), ("V", "T"), ("T", "V"), ("T", "G"), ("G", "G"), ("G", "X"))]
    known = Register("known", KNOWN.firms, KNOWN.aliases, (edge,), REGULATORS)
    plan = ListPlan(known, "gleif", rows, parents)
    assert set(plan.edges) == {("granite-voice", "tencent"), ("granite-ear", "granite-voice")}
    assert plan.edges["granite-voice", "tencent"].source == "gleif"


def test_a_list_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.lists.MOST_FIRMS", 2)
    with pytest.raises(StorageError, match="more than 2 new firms"):
        ListPlan(EMPTY, "all", [ListRow(f"Firm {letter}x") for letter in "abc"])


def test_lists_are_laid_one_over_the_other_whatever_they_are_called() -> None:
    """Two files may have one name; a text is read with both."""
    once = laid_over(SMALL, [ListRow("Granite Voice")], "mine.csv")
    twice = laid_over(once, [ListRow("Granite Ear")], "mine.csv")
    assert {alias.source for alias in twice.aliases} == {"register", "mine.csv", "mine.csv (2)"}
    assert {firm.id for firm in twice.firms} >= {"granite-voice", "granite-ear"}
    assert len({SMALL.version, once.version, twice.version}) == 3


def test_an_edition_of_a_list_is_laid_in_the_place_of_the_one_before() -> None:
    """Firms keep their ids, by any name or a ticker; another list's are not touched."""
    first = ListPlan(KNOWN, "mine", [ListRow("Granite Voice Inc", tickers=("GRV",)), ListRow("Granite", id="stone"), ListRow("巨石")])
    held = Register("held", (*KNOWN.firms, *first.firms.values()), (*KNOWN.aliases, *first.aliases.values()), (), REGULATORS)
    again = ListPlan(held, "mine", [ListRow("Granite Voice Inc", tickers=("GRV",)), ListRow("Granite", id="stone"), ListRow("巨石")])
    assert (again.firms, again.aliases) == (first.firms, first.aliases)
    edition = [ListRow("Obsidian Sound Inc", tickers=("GRV",)), ListRow("Basalt", ("Granite",)), ListRow("Slate", id="stone")]
    renamed = [(firm.id, firm.name) for firm in ListPlan(held, "mine", edition).firms.values()]
    assert renamed == [("granite-voice-inc", "Obsidian Sound Inc"), ("stone", "Basalt"), ("stone-2", "Slate")]


_NAME = st.text(alphabet="ABC abc*ST-巨石康美退有限公司.|;", min_size=1, max_size=9)
_ROWS = st.lists(
    st.builds(
        ListRow,
        name=_NAME,
        aliases=st.lists(_NAME, max_size=2).map(tuple),
        weak=st.lists(_NAME, max_size=1).map(tuple),
        tickers=st.lists(st.sampled_from(["0700.HK", "0001.HK", "ABC", "600519.SH"]), max_size=1).map(tuple),
        country=st.sampled_from(["", "CN", "US"]),
        strength=st.sampled_from(Strength),
    ),
    max_size=6,
)


def _names(plan: ListPlan) -> set[tuple[str, str, AliasKind, Strength]]:
    return {(row.firm_id, fold(row.text), row.kind, row.strength) for row in plan.aliases.values()}


@given(_ROWS)
def test_what_a_list_brought_comes_back_as_it_went_out(rows: list[ListRow]) -> None:
    """Written as rows and read again, beside the same register, it names the same firms; so does the same list again."""
    plan = ListPlan(KNOWN, "mine", rows)
    held = Register("held", (*KNOWN.firms, *plan.firms.values()), (*KNOWN.aliases, *plan.aliases.values()), (), REGULATORS)
    again = ListPlan(held, "mine", rows)
    assert (again.firms, again.aliases) == (plan.firms, plan.aliases)
    written = list(listed(held, "mine"))
    lines = ["id,name,aliases,weak,tickers,country,strength\n"]
    lines += [
        ",".join(
            f'"{cell}"'
            for cell in (
                row.id,
                row.name,
                " | ".join(row.aliases),
                " | ".join(row.weak),
                " | ".join(row.tickers),
                row.country,
                row.strength,
            )
        )
        + "\n"
        for row in written
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "mine.csv")
        path.write_text("".join(lines), encoding="utf-8", newline="")
        back = ListPlan(KNOWN, "mine", read_list(path))
    assert _names(back) == _names(plan)
    assert {firm.id for firm in back.firms.values()} == {firm.id for firm in plan.firms.values()}


def test_a_hundred_thousand_names_are_laid_over_and_read_with_in_seconds(register: Register) -> None:
    """Thirty thousand firms of three names each and more; measured at 3 s on two slow cores."""
    import time

    started = time.perf_counter()
    rows = [
        ListRow(f"Granite {number:x} Voice Holdings Inc", (f"Gravox{number:x}z", f"巨石{chr(0x4E00 + number % 9000)}{number}语音"))
        for number in range(30_000)
    ]
    more = laid_over(register, rows, "many")
    FirmIndex(more)
    assert len(more.aliases) - len(register.aliases) >= 100_000
    assert time.perf_counter() - started < 30


def test_the_lists_that_are_known_join_the_firms_that_they_name(shared: Path, register: Register) -> None:
    """Files as they are found in the wild: hardly a row is left out, and the firms of the register are recognised."""
    must = {
        "cn_a_shares.csv": "byd catl icbc moutai zte ping-an",
        "tw_listed.csv": "tsmc foxconn asus",
        "hk_listed_en.csv": "tencent meituan xiaomi alibaba",
        "us_sec_registrants.csv": "apple visa meta target jpmorgan gap",
        "us_sp500.csv": "visa apple ford",
    }
    for name, ids in must.items():
        plan = ListPlan(register, name, read_list(shared / "firms" / name))
        assert set(ids.split()) <= plan.joined, name
        assert sum(left.rows for left in plan.left_out) <= plan.rows / 100, name
        assert len(plan.firms) > 100, name


# --- names that mislead --------------------------------------------------------------------------------------------


def test_the_shipped_register_has_no_name_that_misleads(register: Register) -> None:
    assert lint(register) == []


def test_the_words_are_read_whole() -> None:
    """Each in its section, two words too."""
    words = common_words()
    assert {words[fold(word)] for word in ("apple", "target", "gap", "visa", "shell", "orange", "square", "block")} == {"english"}
    assert {words[fold(word)] for word in ("小米", "蘋果", "大众", "统一", "现代", "理想")} == {"chinese"}
    assert (words["johnson"], words["new york"], words["hong kong"], words[fold("深圳")]) == ("surnames", "places", "places", "places")
    assert len(words) > 3_500
    assert not [word for word in words if not word or "," in word or "[" in word]


LINTED: list[tuple[str, ListRow, list[tuple[str, str]]]] = [
    ("a word", ListRow("Apple", strength=STRONG), [("word", "Apple")]),
    ("a Chinese word, Traditional", ListRow("大眾", strength=STRONG), [("word", "大眾")]),
    ("a weak word is well", ListRow("Orchard Lane", weak=("Orchard",), strength=STRONG), []),
    ("a weak row is well", ListRow("Apple"), []),
    ("a surname", ListRow("Johnson", strength=STRONG), [("surname", "Johnson")]),
    ("a place", ListRow("Hong Kong", strength=STRONG), [("place", "Hong Kong")]),
    ("two letters", ListRow("GV", strength=STRONG), [("short", "GV")]),
    ("one character", ListRow("石", strength=STRONG), [("short", "石")]),
    ("two characters", ListRow("巨岩", strength=STRONG), [("two characters", "巨岩")]),
    ("a regulator", ListRow("Financial Conduct Authority", strength=STRONG), [("regulator", "Financial Conduct Authority")]),
    ("a known firm's weak name", ListRow("Visa"), [("shared", "Visa")]),
    ("a known firm's strong name adds to it", ListRow("腾讯", strength=STRONG), []),
    ("names of two firms", ListRow("腾讯", ("贵州茅台",)), [("shared", "腾讯")]),
]


@pytest.mark.parametrize(("row", "found"), [case[1:] for case in LINTED], ids=[case[0] for case in LINTED])
def test_what_is_found_in_a_list_before_it_is_brought_in(row: ListRow, found: list[tuple[str, str]]) -> None:
    """Each with what to do."""
    findings = lint_rows([row], KNOWN)
    assert [(one.check, one.name) for one in findings] == found
    assert all(one.says for one in findings)


def test_a_name_that_two_rows_of_a_list_have_is_found() -> None:
    findings = lint_rows([ListRow("Granite Voice"), ListRow("Granite Ear", ("Granite Voice",)), ListRow("Granite Voice")], KNOWN)
    assert [(one.check, one.firm, one.name) for one in findings] == [("twice", "Granite Ear", "Granite Voice")]


def test_what_is_found_in_a_register() -> None:
    """What ships was weighed: two characters, and weak names that firms share, are found only when that is asked."""
    firms = (FirmRow("one", "One Firm"), FirmRow("two", "Two Firm"))
    shipped = (AliasRow("one", "巨岩"), AliasRow("one", "BA", strength=WEAK), AliasRow("two", "BA", strength=WEAK))
    ours = (
        AliasRow("one", "Twin Works", source="mine"),
        AliasRow("two", "Twin Works", strength=WEAK, source="mine"),
        AliasRow("two", "Apple", source="mine"),
        AliasRow("two", "SEC", source="mine"),
        AliasRow("one", "GRV", AliasKind.TICKER, source="mine"),
        AliasRow("two", "GRV", AliasKind.TICKER, source="mine"),
    )
    register = Register("x", firms, (*shipped, *ours), (), REGULATORS)
    found = Counter((one.check, one.name) for one in lint(register))
    assert found == {("shared", "Twin Works"): 2, ("word", "Apple"): 1, ("regulator", "SEC"): 1, ("shared", "GRV"): 2}
    strict = Counter((one.check, one.name) for one in lint(register, is_strict=True))
    assert strict - found == {("two characters", "巨岩"): 1, ("shared", "BA"): 2}
