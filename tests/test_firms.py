"""The register that ships, the register in the database, and what a typed name means."""

from __future__ import annotations

import csv
import shutil
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import select

from storage import StorageError, Store
from storage.firms import shipped_register
from storage.models import Alias, AliasKind, FirmKind, Mention, OwnershipKind, Role, Strength
from storage.records import AliasRow, OwnershipRow, Register
from storage.text import fold
from tests.builders import NOON, REGULATORS, SMALL, add_action, fill

SHIPPED = Path(__file__).parent.parent / "storage" / "register"

MUST_KNOW = {
    "alibaba": "Alibaba, Alibaba Group Holding Ltd, 阿里巴巴, 阿里, 阿里巴巴集團控股有限公司, 9988.HK, BABA",
    "alibaba-cloud": "Alibaba Cloud, Aliyun, 阿里云, 阿里雲",
    "alipay": "Alipay, 支付宝, 支付寶",
    "amazon": "Amazon, Amazon.com, 亚马逊, 亞馬遜",
    "ant-group": "Ant Group, Ant Group Co, 螞蟻集團, 蚂蚁集团, 蚂蚁金服, 螞蟻金服, Ant Financial, 蚂蚁科技集团股份有限公司",
    "apple": "Apple, Apple Inc, 苹果, 蘋果, 苹果公司",
    "boc": "Bank of China, Bank of China Ltd, 中国银行, 中國銀行, 中行, 3988.HK",
    "bytedance": "ByteDance, ByteDance Ltd, 字节跳动, 字節跳動, 字节, 北京字节跳动科技有限公司",
    "citi": "Citigroup, Citi, Citibank, 花旗, 花旗银行",
    "clubhouse": "Clubhouse",
    "cmb": "China Merchants Bank, 招商银行, 招商銀行, 招行",
    "credit-suisse": "Credit Suisse, 瑞信, 瑞士信贷, 瑞士信貸",
    "deutsche-bank": "Deutsche Bank, Deutsche Bank AG, 德意志银行, 德意志銀行, 德银",
    "douyin": "Douyin, 抖音",
    "epic-games": "Epic Games",
    "ford": "Ford, Ford Motor Company, 福特, 长安福特",
    "gap": "Gap, Gap Inc, Gap Inc., 盖璞",
    "google": "Google, Google LLC, 谷歌",
    "hsbc": "HSBC, HSBC Holdings plc, 汇丰, 滙豐, 匯豐, 香港上海滙豐銀行有限公司, 0005.HK",
    "jd": "JD.com, Jingdong, 京东, 京東, 京东集团, 9618.HK",
    "jpmorgan": "JPMorgan Chase, JPMorgan, J.P. Morgan, 摩根大通",
    "kuaishou": "Kuaishou, Kuaishou Technology, 快手, 1024.HK",
    "mastercard": "Mastercard, 万事达, 萬事達卡",
    "meituan": "Meituan, 美团, 美團, 北京三快科技有限公司",
    "meta": "Meta, Meta Platforms, Facebook, Facebook Inc, Meta Platforms Ireland Limited, 脸书, 臉書",
    "midea": "Midea, Midea Group, 美的, 美的集团",
    "nestle": "Nestlé, Nestle, 雀巢",
    "netease": "NetEase, 网易, 網易, 9999.HK",
    "netease-cloud-music": "NetEase Cloud Music, 网易云音乐, 網易雲音樂, 9899.HK",
    "oracle": "Oracle, Oracle Corporation, 甲骨文",
    "ping-an": "Ping An, Ping An Insurance, 中国平安, 平安, 2318.HK",
    "qq-music": "QQ Music, QQ音乐",
    "shell": "Shell, Shell plc, Royal Dutch Shell, 壳牌, 殼牌, 蜆殼",
    "socgen": "Société Générale, Societe Generale, SocGen, 法国兴业银行",
    "spotify": "Spotify, Spotify AB",
    "target": "Target, Target Corporation, Target Corp",
    "tencent": "Tencent, Tencent Holdings Ltd, Tencent Holdings Limited, 腾讯, 騰訊, 深圳市腾讯计算机系统有限公司, 0700.HK, TCEHY",
    "tiktok": "TikTok",
    "visa": "Visa, Visa Inc, Visa Inc.",
    "volkswagen": "Volkswagen, VW, Volkswagen AG, 大众, 大众汽车, 福斯",
    "wanda": "Wanda, Wanda Group, Dalian Wanda, 万达, 萬達, 万达集团, 大连万达",
    "wechat": "WeChat, Weixin, 微信",
    "x-corp": "X, X Corp, Twitter, Twitter Inc, 推特",
    "xiaomi": "Xiaomi, Xiaomi Corp, 小米, 小米科技有限责任公司, 1810.HK",
}

MUST_OWN = [
    ("tiktok", "bytedance", OwnershipKind.BRAND_OF),
    ("douyin", "bytedance", OwnershipKind.BRAND_OF),
    ("wechat", "tencent", OwnershipKind.BRAND_OF),
    ("alipay", "ant-group", OwnershipKind.BRAND_OF),
    ("clubhouse", "alpha-exploration", OwnershipKind.BRAND_OF),
    ("ant-group", "alibaba", OwnershipKind.AFFILIATE_OF),
    ("alibaba-cloud", "alibaba", OwnershipKind.OWNED_BY),
    ("netease-cloud-music", "netease", OwnershipKind.OWNED_BY),
    ("credit-suisse", "ubs", OwnershipKind.OWNED_BY),
    ("google", "alphabet", OwnershipKind.OWNED_BY),
    ("qq-music", "tencent-music", OwnershipKind.BRAND_OF),
]

WEAK = (
    "Target, Gap, Shell, Visa, Apple, Meta, Block, Square, Orange, Sky, Wise, X, Oracle, Ford, Intel, Total, Line, AIA, V, F, C, "
    "小米, 苹果, 大众, 高通, 字母表, 罗宾汉, 快手, 字节, 美的, 平安, 瑞信, 奇异, 微博"
)
STRONG = (
    "Target Corporation, Gap Inc, Shell plc, Visa Inc, Meta Platforms, Apple Inc, Block Inc, Ford Motor Company, Tencent, Facebook, "
    "0700.HK, 京东, 腾讯, 阿里巴巴, 汇丰, 抖音, 微信, 小米科技, 美的集团, 大众汽车, 中国平安"
)


@pytest.fixture(scope="module")
def register() -> Register:
    return shipped_register(REGULATORS)


@pytest.fixture(scope="module")
def owners(register: Register) -> dict[str, dict[str, AliasRow]]:
    """Folded name -> firm id -> its row."""
    found: dict[str, dict[str, AliasRow]] = defaultdict(dict)
    for alias in register.aliases:
        found[fold(alias.text)][alias.firm_id] = alias
    return found


@pytest.mark.parametrize("firm_id", MUST_KNOW)
def test_a_firm_that_must_be_known_has_each_of_its_names(firm_id: str, owners: dict[str, dict[str, AliasRow]]) -> None:
    missing = [name for name in MUST_KNOW[firm_id].split(", ") if set(owners.get(fold(name), ())) != {firm_id}]
    assert missing == []


@pytest.mark.parametrize("edge", MUST_OWN, ids=lambda edge: f"{edge[0]} belongs to {edge[1]}")
def test_an_edge_that_must_be_known(edge: tuple[str, str, OwnershipKind], register: Register) -> None:
    assert edge in [(one.child_id, one.parent_id, one.kind) for one in register.ownerships]


def test_credit_suisse_belongs_to_ubs_only_since_the_takeover(register: Register) -> None:
    edge = next(one for one in register.ownerships if one.child_id == "credit-suisse")
    assert str(edge.from_on) == "2023-06-12"


def test_facebook_is_the_former_name_of_the_same_legal_person(owners: dict[str, dict[str, AliasRow]]) -> None:
    alias = owners["facebook"]["meta"]
    assert (alias.kind, str(alias.to_on)) == (AliasKind.FORMER, "2021-10-28")


@pytest.mark.parametrize(("names", "strength"), [(WEAK, Strength.WEAK), (STRONG, Strength.STRONG)], ids=["weak", "strong"])
def test_the_strength_of_names(names: str, strength: Strength, owners: dict[str, dict[str, AliasRow]]) -> None:
    found = {name: {row.strength for row in owners[fold(name)].values()} for name in names.split(", ")}
    assert {name: given for name, given in found.items() if given != {strength}} == {}


def test_no_two_firms_share_a_strong_name(owners: dict[str, dict[str, AliasRow]]) -> None:
    shared = {
        name: sorted(rows)
        for name, rows in owners.items()
        if len(rows) > 1 and any(row.strength is Strength.STRONG for row in rows.values())
    }
    assert shared == {}


def test_no_strong_name_is_too_short(register: Register) -> None:
    short = [alias.text for alias in register.aliases if alias.strength is Strength.STRONG and len(alias.text) < 2]
    assert short == []


def test_names_for_display_are_names_to_be_found_by(register: Register, owners: dict[str, dict[str, AliasRow]]) -> None:
    shown = [
        (firm.id, name) for firm in register.firms for name in (firm.name, firm.name_zh_hans, firm.name_zh_hant, *firm.tickers) if name
    ]
    assert [(firm_id, name) for firm_id, name in shown if firm_id not in owners[fold(name)]] == []


def test_every_brand_has_one_owner_at_a_time_and_only_brands_are_brands(register: Register) -> None:
    brands = {firm.id for firm in register.firms if firm.kind is FirmKind.BRAND}
    edges = [edge.child_id for edge in register.ownerships if edge.kind is OwnershipKind.BRAND_OF]
    assert sorted(edges) == sorted(brands)


def test_ownership_has_no_circle(register: Register) -> None:
    above: dict[str, set[str]] = defaultdict(set)
    for edge in register.ownerships:
        above[edge.child_id].add(edge.parent_id)

    def climb(firm_id: str) -> Iterator[str]:
        for parent in above[firm_id]:
            yield parent
            yield from climb(parent)

    assert [firm.id for firm in register.firms if firm.id in set(climb(firm.id))] == []


def test_no_firm_has_the_name_of_a_regulator(register: Register, shared: Path) -> None:
    with (shared / "regulators.csv").open(encoding="utf-8", newline="") as file:
        regulators = {fold(name) for row in csv.DictReader(file) for name in (row["name_en"], *row["aliases"].split(";")) if name}
    strong = {fold(alias.text) for alias in register.aliases if alias.strength is Strength.STRONG}
    assert strong & regulators == set()


def test_every_name_of_the_curated_list_is_known(shared: Path, register: Register, owners: dict[str, dict[str, AliasRow]]) -> None:
    """By the firm itself, or by a firm of its own that belongs to it (a brand in the list's aliases, say)."""
    near: dict[str, set[str]] = defaultdict(set)
    for edge in register.ownerships:
        near[edge.parent_id].add(edge.child_id)
    left_out = {"元宇宙公司", "软件银行", "比特币基地", "T-Mobile", "Giphy (to 2023)"}  # generic words; another firm's; a note
    missing = []
    with (shared / "firms" / "firms_curated.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            firm_id = row["firm_id"].replace("_", "-")
            columns = ("name_en", "aliases_en", "name_zh_hans", "name_zh_hant", "aliases_zh", "tickers", "brands")
            names = [name for column in columns for name in row[column].replace(" (delisted)", "").split(" | ")]
            missing += [
                name for name in names if name and name not in left_out and not set(owners.get(fold(name), ())) & {firm_id, *near[firm_id]}
            ]
    assert missing == []


def test_the_version_tells_of_the_content_and_not_of_the_order(register: Register, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SHIPPED, tmp_path / "register"))
    assert shipped_register(REGULATORS[::-1], folder).version == register.version
    lines = (folder / "aliases.csv").read_text(encoding="utf-8").splitlines()
    (folder / "aliases.csv").write_text("\n".join([lines[0], *lines[:0:-1]]), encoding="utf-8")
    assert shipped_register(REGULATORS, folder).version == register.version
    (folder / "aliases.csv").write_text("\n".join(lines[:-1]), encoding="utf-8")
    assert shipped_register(REGULATORS, folder).version != register.version


def _two_firms(folder: Path) -> Path:
    """The files of a register of two firms."""
    (folder / "firms.csv").write_text(
        "id,name,name_zh_hans,name_zh_hant,kind,country,tickers,note\nacme,Acme,,,company,US,,\nzap,Zap,,,brand,US,ZAP | 0001.HK,\n",
        encoding="utf-8",
    )
    (folder / "aliases.csv").write_text(
        "firm_id,text,language,kind,strength,from_on,to_on,note\nacme,Acme,en,short,strong,,,\nzap,Zap,en,short,weak,,2020-01-31,\n",
        encoding="utf-8",
    )
    (folder / "ownership.csv").write_text("child_id,parent_id,kind,from_on,to_on,note\nzap,acme,brand_of,,,\n", encoding="utf-8")
    return folder


BROKEN = [
    ("an unknown column", "firms.csv", "id,name", "id,title", r"firms\.csv, line 1: the columns are"),
    ("a value too many", "firms.csv", "company,US,,", "company,US,,,", r"firms\.csv, line 2: 9 values for 8 columns"),
    ("an id that is no slug", "firms.csv", "acme,Acme", "Acme Ltd,Acme", r"firms\.csv, line 2: id 'Acme Ltd' is no slug"),
    ("a firm that is there twice", "firms.csv", "zap,Zap", "acme,Zap", r"firms\.csv: acme is there twice"),
    ("an unknown kind", "firms.csv", "company", "club", r"firms\.csv, line 2: kind 'club' is none of group, company"),
    ("a firm without a name", "firms.csv", "acme,Acme", "acme,", r"firms\.csv, line 2: name is empty"),
    ("a country in words", "firms.csv", "company,US", "company,America", r"firms\.csv, line 2: country 'America'"),
    ("a name of no firm", "aliases.csv", "zap,Zap", "zip,Zap", r"aliases\.csv, line 3: firm_id 'zip' is no firm"),
    ("a name given twice", "aliases.csv", "zap,Zap", "acme,ACME", r"aliases\.csv, line 3: acme has the name 'ACME' twice"),
    ("an unknown strength", "aliases.csv", "short,weak", "short,feeble", r"aliases\.csv, line 3: strength 'feeble'"),
    ("a date that is none", "aliases.csv", "2020-01-31", "2020-02-31", r"aliases\.csv, line 3: to_on '2020-02-31' is no date"),
    ("a span that ends before it starts", "aliases.csv", ",2020-01-31", "2021-01-01,2020-01-31", r"aliases\.csv, line 3: from 2021-01-01"),
    ("an edge to no firm", "ownership.csv", "acme", "acne", r"ownership\.csv, line 2: parent_id 'acne' is no firm"),
    ("a firm of itself", "ownership.csv", "zap,acme", "acme,acme", r"ownership\.csv, line 2: acme cannot belong to itself"),
    ("an edge twice", "ownership.csv", "zap,acme,brand_of,,,", "zap,acme,brand_of,,,\nzap,acme,brand_of,,,", r"line 3: the edge from zap"),
]


@pytest.mark.parametrize(("file", "old", "new", "error"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_a_register_that_is_not_understood_is_refused(file: str, old: str, new: str, error: str, tmp_path: Path) -> None:
    folder = _two_firms(tmp_path)
    path = folder / file
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(StorageError, match=error):
        shipped_register((), folder)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"firms\.csv cannot be read"):
        shipped_register((), tmp_path)


# --- in the database ---------------------------------------------------------------------------------------------


async def test_the_register_comes_back_as_it_went_in(store: Store, register: Register) -> None:
    await store.sync_register(register)
    assert await store.register() == register
    await store.sync_register(register)
    assert await store.register() == register


async def test_what_is_gone_from_the_register_goes_and_what_users_added_stays(store: Store) -> None:
    await store.sync_register(SMALL)
    async with store._write() as session:
        session.add(Alias(**_alias_values(AliasRow("tencent", "Penguin", source="user"))))
    mine = AliasRow("tencent", "Tencent Holdings")
    changed = tuple(
        replace(alias, strength=Strength.WEAK) if alias.text == "TikTok" else alias for alias in SMALL.aliases if alias.text != "腾讯"
    )
    await store.sync_register(replace(SMALL, aliases=(*changed, mine), ownerships=SMALL.ownerships[1:]))
    found = await store.register()
    names = {alias.text: alias for alias in found.aliases if alias.firm_id in ("tencent", "tiktok")}
    assert set(names) == {"Tencent", "0700.HK", "Tencent Holdings", "Penguin", "TikTok"}
    assert names["TikTok"].strength is Strength.WEAK
    assert {edge.child_id for edge in found.ownerships} == {"ant-group", "tiktok"}
    assert len(found.firms) == len(SMALL.firms)


async def test_a_users_own_name_and_edge_are_not_overwritten(store: Store) -> None:
    await store.sync_register(replace(SMALL, aliases=(), ownerships=()))
    own = AliasRow("tencent", "TENCENT", strength=Strength.WEAK, source="user")
    edge = OwnershipRow("tiktok", "bytedance", OwnershipKind.BRAND_OF, from_on=NOON.date(), source="user")
    await store.sync_register(replace(SMALL, aliases=(own,), ownerships=(edge,)))
    await store.sync_register(SMALL)
    found = await store.register()
    assert own in found.aliases
    assert edge in found.ownerships


def _alias_values(row: AliasRow) -> dict[str, object]:
    return {
        "firm_id": row.firm_id,
        "text": row.text,
        "folded": fold(row.text),
        "kind": row.kind,
        "strength": row.strength,
        "source": row.source,
    }


RESOLVED = [
    ("the name", "Tencent", "tencent"),
    ("any case", "tencent", "tencent"),
    ("Simplified", "腾讯", "tencent"),
    ("Traditional", "騰訊", "tencent"),
    ("a variant character", "匯豐", "hsbc"),
    ("full width", "Ｔｅｎｃｅｎｔ", "tencent"),
    ("quoted", '"Tencent"', "tencent"),
    ("curly quotes", "“Tencent”", "tencent"),
    ("Chinese quotes", "「騰訊」", "tencent"),
    ("spaces around and inside", "  Ant   Group ", "ant-group"),
    ("a stop at the end", "Tencent Holdings Ltd.", "tencent"),
    ("without diacritics", "Societe Generale", "socgen"),
    ("a ticker", "0700.HK", "tencent"),
    ("a ticker without its zeros", "700.HK", "tencent"),
    ("a ticker with one too many", "00700.hk", "tencent"),
    ("a ticker of digits alone", "0700", "tencent"),
    ("a cash tag", "$TCEHY", "tencent"),
    ("a cash tag that is a name too", "$HSBC", "hsbc"),
    ("an exchange before it", "HKEX: 700", "tencent"),
    ("NYSE before it", "NYSE: F", "ford"),
    ("Shanghai's other suffix", "600519.SS", "moutai"),
    ("Shenzhen's digits alone", "000063", "zte"),
    ("a number that is a brand", "1688", "alibaba-1688"),
    ("the id", "bank-of-china", None),
    ("the id of a firm", "netease-cloud-music", "netease-cloud-music"),
    ("the id with spaces", "ping an", "ping-an"),
    ("a brand", "抖音", "douyin"),
    ("a former name", "Facebook", "meta"),
    ("one letter", "X", "x-corp"),
    ("a legal name", "深圳市騰訊計算機系統有限公司", "tencent"),
    ("with Western brackets", "腾讯科技(深圳)有限公司", "tencent"),
]


async def test_a_typed_name_means_one_firm(store: Store, register: Register) -> None:
    await store.sync_register(register)
    found = {}
    for claim, typed, _ in RESOLVED:
        resolution = await store.resolve(typed)
        found[claim] = resolution.matches[0].firm_id if resolution.is_exact and len(resolution.matches) == 1 else None
    assert found == {claim: firm_id for claim, _, firm_id in RESOLVED}


async def test_a_match_carries_the_names_in_both_scripts(store: Store) -> None:
    await store.sync_register(SMALL)
    match = (await store.resolve("騰訊")).matches[0]
    assert (match.name, match.names_zh, match.tickers, match.matched, match.score) == (
        "Tencent",
        ("騰訊", "腾讯"),
        ("0700.HK", "TCEHY"),
        "腾讯",
        100.0,
    )


async def test_a_shared_name_gives_all_its_firms_and_a_cash_tag_only_the_ticker(store: Store, register: Register) -> None:
    await store.sync_register(register)
    shared = await store.resolve("BA")
    assert shared.is_exact
    assert {match.firm_id for match in shared.matches} == {"boeing", "british-airways"}
    assert [match.firm_id for match in (await store.resolve("$BA")).matches] == ["boeing"]


SUGGESTED = [
    ("tencnt", "tencent"),
    ("bytdance", "bytedance"),
    ("Alibab", "alibaba"),
    ("goldmann sachs", "goldman"),
    ("volkswagon", "volkswagen"),
    ("deutsche bnak", "deutsche-bank"),
    ("microsft", "microsoft"),
    ("腾迅", "tencent"),
    ("騰迅", "tencent"),
    ("阿里爸爸", "alibaba"),
    ("tengxun", "tencent"),
    ("zijietiaodong", "bytedance"),
    ("netease cloud musik", "netease-cloud-music"),
]


async def test_a_slip_gives_suggestions_and_never_a_firm(store: Store, register: Register) -> None:
    await store.sync_register(register)
    found, exact, most = {}, [], 0
    for typed, _ in SUGGESTED:
        resolution = await store.resolve(typed)
        found[typed] = resolution.matches[0].firm_id if resolution.matches else None
        exact += [typed] if resolution.is_exact else []
        most = max(most, len(resolution.matches))
        assert all(80 <= match.score < 100 for match in resolution.matches)
    assert found == dict(SUGGESTED)
    assert exact == []
    assert most <= 3


@pytest.mark.parametrize("typed", ["", "  ", '""', "$", "qqqqwwwzzz", "。"])
async def test_nonsense_gives_nothing(typed: str, store: Store) -> None:
    await store.sync_register(SMALL)
    resolution = await store.resolve(typed)
    assert (resolution.is_exact, resolution.matches) == (False, ())


REGULATOR_NAMES = [
    ("an id", "cn-cac", ("cn-cac",), False),
    ("an acronym", "cac", ("cn-cac",), False),
    ("the native name in Traditional", "國家互聯網信息辦公室", ("cn-cac",), False),
    ("a name that needs context in texts, not in a question", "FCA", ("gb-fca",), False),
    ("a slip", "SARM", ("cn-samr",), True),
    ("nothing near", "zzz", (), False),
    ("nothing", "", (), False),
]


@pytest.mark.parametrize(("typed", "ids", "is_guess"), [case[1:] for case in REGULATOR_NAMES], ids=[case[0] for case in REGULATOR_NAMES])
async def test_a_typed_regulator(typed: str, ids: tuple[str, ...], is_guess: bool, store: Store) -> None:
    await store.sync_register(SMALL)
    found = await store.resolve_regulator(typed)
    assert tuple(one.id for one in found)[:1] == ids
    assert all(one.is_guess is is_guess for one in found)


async def test_a_firm_with_its_owners_children_and_counts(store: Store) -> None:
    await fill(store)
    await add_action(store, ("ant-group", Role.TARGET), ("alibaba", Role.GROUP))
    await add_action(store, ("alibaba", Role.TARGET))
    firm = await store.firm("ant-group")
    assert firm is not None
    assert firm.owners == (("alibaba", "Alibaba", OwnershipKind.AFFILIATE_OF),)
    assert firm.children == (("alipay", "Alipay", OwnershipKind.BRAND_OF),)
    assert (firm.target_actions, firm.group_actions) == (1, 0)
    alibaba = await store.firm("alibaba")
    assert alibaba is not None
    assert (alibaba.target_actions, alibaba.group_actions) == (1, 1)
    assert await store.firm("nobody") is None


async def test_an_edge_counts_only_while_it_holds(store: Store) -> None:
    past = OwnershipRow("tencent", "alibaba", OwnershipKind.OWNED_BY, to_on=NOON.date().replace(year=2020))
    await store.sync_register(replace(SMALL, ownerships=(*SMALL.ownerships, past)))
    firm = await store.firm("tencent")
    assert firm is not None
    assert firm.owners == ()


async def test_a_brand_counts_the_mentions_that_carry_its_owners_id(store: Store) -> None:
    await fill(store)
    await add_action(store, ("bytedance", Role.TARGET, "tiktok"))
    async with store._write() as session:
        document_id = (await session.exec(select(Mention.document_id))).first() or 1
        for role in (Role.TARGET, Role.MENTIONED):
            session.add(
                Mention(document_id=document_id, firm_id="bytedance", name="ByteDance", surface="TikTok", start=0, end=6, role=role)
            )
    firm = await store.firm("tiktok")
    assert firm is not None
    assert [(alias.text, alias.mentions, alias.targets) for alias in firm.aliases] == [("TikTok", 2, 1)]
    assert firm.target_actions == 1


def test_the_notice_tells_the_figures_of_the_files(register: Register) -> None:
    """Firms, brands, names, edges, and how many are unchecked: counted, not remembered."""
    notice = " ".join((SHIPPED / "NOTICE").read_text(encoding="utf-8").split())
    brands = sum(firm.kind is FirmKind.BRAND for firm in register.firms)
    countries = {firm.country for firm in register.firms if firm.kind is not FirmKind.BRAND}
    weak = sum(alias.strength is Strength.WEAK for alias in register.aliases)
    with (SHIPPED / "aliases.csv").open(encoding="utf-8", newline="") as file:
        chinese = [row for row in csv.DictReader(file) if any("\u3400" <= char <= "\u9fff" for char in row["text"])]
    unchecked = sum(row["note"] == "unchecked" for row in chinese)
    notes = {say: sum(say in firm.note for firm in register.firms) for say in ("Chinese name unchecked", "English name unchecked")}
    assert f"{len(register.firms) - brands:,} firms of {len(countries)} countries and {brands} brands" in notice
    assert f"{len(register.aliases):,} names and tickers, {weak:,} of them weak; {len(register.ownerships)} edges" in notice
    assert f"Of the {len(chinese):,} Chinese names {unchecked:,} have" in notice
    assert all(f'"{say}" ({count:,})' in notice for say, count in notes.items()), notes
    assert len(register.firms) - brands >= 1_000
