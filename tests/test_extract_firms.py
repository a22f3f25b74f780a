"""Names in running text: edges, longest match, decoys, weak names, legal forms, roles, owners on a date."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.extract import FirmIndex, extract
from bot.extract.names import firm_key, is_person
from bot.extract.text import clean, language, sentences
from storage.models import AliasKind, FirmKind, OwnershipKind, Role, Strength
from storage.records import AliasRow, DocumentText, Extraction, FirmRow, OwnershipRow, Register, RegulatorRow
from storage.text import fold
from tests.reading import index, read, targets

FORMER, WEAK = AliasKind.FORMER, Strength.WEAK
SMALL = Register(
    "v1",
    (
        FirmRow("acme", "Acme", country="GB", tickers=("ACME", "0123.HK")),
        FirmRow("orbit", "Orbit"),
        FirmRow("chirp", "Chirp", kind=FirmKind.BRAND),
        FirmRow("lone", "Lone", kind=FirmKind.BRAND),
        FirmRow("bank", "Bank of Saturn"),
        FirmRow("baixue", "白雪"),
        FirmRow("credit", "Credit Bank"),
        FirmRow("one", "One Firm"),
        FirmRow("two", "Two Firm"),
    ),
    (
        AliasRow("acme", "Acme"),
        AliasRow("acme", "Acme & Sons"),
        AliasRow("acme", "Ajax", FORMER, from_on=date(2010, 1, 1), to_on=date(2015, 1, 1)),
        AliasRow("acme", "ACM", AliasKind.TICKER),
        AliasRow("orbit", "Orbit", strength=WEAK),
        AliasRow("orbit", "eOrbit"),
        AliasRow("chirp", "Chirp"),
        AliasRow("lone", "Lonesome"),
        AliasRow("bank", "Bank of Saturn"),
        AliasRow("baixue", "白雪", strength=WEAK),
        AliasRow("baixue", "白雪集团"),
        AliasRow("one", "Twin"),
        AliasRow("two", "Twin"),
        AliasRow("nobody", "Nobody"),
        AliasRow("one", " "),
        AliasRow("lone", "Pbs"),
        AliasRow("orbit", "Gazette"),
        AliasRow("acme", "Gazette"),
        AliasRow("credit", "Credit Bank"),
        AliasRow("one", "Later", from_on=date(2030, 1, 1)),
    ),
    (
        OwnershipRow("chirp", "orbit", OwnershipKind.BRAND_OF, to_on=date(2020, 12, 31)),
        OwnershipRow("chirp", "acme", OwnershipKind.BRAND_OF, from_on=date(2021, 1, 1)),
        OwnershipRow("orbit", "acme", OwnershipKind.OWNED_BY),
        OwnershipRow("bank", "orbit", OwnershipKind.AFFILIATE_OF, from_on=date(2019, 1, 1)),
        OwnershipRow("acme", "bank", OwnershipKind.SUCCESSOR_OF),
    ),
    (
        RegulatorRow("sa-one", "People's Bank of Saturn", aliases=("PBS",), jurisdiction="SA"),
        RegulatorRow(
            "sa-two", "Saturn Markets Authority", "土星管理局", aliases=("SMA Saturn",), context_aliases=("SMA",), jurisdiction="SA"
        ),
        RegulatorRow("fr-three", "Autorité des Comètes", jurisdiction="FR"),
        RegulatorRow("gb-two", "Scottish Meat Agency", context_aliases=("SMA", "the Agency"), jurisdiction="GB"),
    ),
)
INDEX = FirmIndex(SMALL)


def small(text: str, *, on: str | None = "2024-05-15", regulator: str | None = None) -> Extraction:
    published = datetime.fromisoformat(on).replace(tzinfo=UTC) if on else None
    return extract(DocumentText("", text, published, None, regulator), INDEX)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("Acme was fined.", {"acme"}, id="a plain name"),
        pytest.param("acme was fined.", set(), id="all lower case is no name"),
        pytest.param("Acmeville was fined.", {"Acmeville"}, id="a name inside a word is not that firm"),
        pytest.param("监管部门对Acme处以罚款。", {"acme"}, id="Han letters are no word neighbours of a Latin name"),
        pytest.param("The regulator fined Acme and Sons.", {"acme"}, id="& and and are one"),
        pytest.param("The People's Bank of Saturn fined Bank of Saturn.", {"bank"}, id="the longer name of the regulator eats the firm's"),
        pytest.param("The regulator fined Orbit over fees.", {"orbit"}, id="a weak name between a cue and a clause end"),
        pytest.param("The probe left the Orbit unchanged.", set(), id="a weak name without a cue"),
        pytest.param("The regulator fined Orbit Hospitality Inc.", {"Orbit Hospitality Inc."}, id="the name goes on to another legal form"),
        pytest.param("The regulator fined Orbit Holdings Ltd.", {"orbit"}, id="a generic word and a legal form stay the firm"),
        pytest.param("The regulator fined Orbit and eOrbit GmbH.", {"orbit"}, id="a strong name of the same firm lifts the weak one"),
        pytest.param("The regulator fined Acme and Orbit.", {"acme", "orbit"}, id="a list neighbour lifts a weak name"),
        pytest.param("Acme Tower: the agency fined nobody.", set(), id="a building"),
        pytest.param("证监会约谈白雪集团。", {"baixue"}, id="a strong Han name"),
        pytest.param("警方处罚了在白雪上开车的人。", set(), id="a weak Han word"),
        pytest.param("市场监管局约谈白雪，要求整改。", {"baixue"}, id="a weak Han name between a cue and a comma"),
        pytest.param("市场监管局对北京白雪网络科技有限公司罚款5万元。", {"baixue"}, id="place, name, business, legal form"),
        pytest.param("市场监管局对白雪火锅餐饮有限公司罚款5万元。", {"白雪火锅餐饮有限公司"}, id="a trade word makes it another firm"),
        pytest.param("The regulator fined the issuer (NYSE: ACME).", {"acme"}, id="a ticker with its exchange"),
        pytest.param("The regulator gave part ACME of the form a fine.", set(), id="a ticker alone is none"),
        pytest.param("The regulator fined Twin over fees.", {"Twin"}, id="an alias of two firms is left open"),
        pytest.param("The regulator fined Later over fees.", {"Later"}, id="an alias that is not valid yet"),
        pytest.param("The regulator fined Ajax over fees.", {"acme"}, id="a former name is a name"),
        pytest.param("The regulator fined EOrbit.", {"orbit"}, id="a small first letter may be a capital"),
        pytest.param("The regulator fined Pbs over fees.", {"lone"}, id="cased as the firm, not as the regulator"),
        pytest.param("The regulator fined Gazette over fees.", {"acme"}, id="an alias of a firm and its owner is the owner's"),
        pytest.param("The regulator fined the issuer (NYSE: ZZZZ).", set(), id="a ticker that nobody has"),
        pytest.param("The regulator fined roofer Kellmoor Orbit for delays.", set(), id="a weak word that ends another name"),
        pytest.param("The regulator fined roofer Kellmoor Orbit Ltd for delays.", {"Kellmoor Orbit Ltd"}, id="even with a legal form"),
        pytest.param("Today Regulator Fined Chinese Orbit Over Delays", {"orbit"}, id="a weak name in a headline"),
        pytest.param("The regulator fined traders of Kellmoor Saturn Orbit, Moscow, for delays.", set(), id="behind a name and a country"),
        pytest.param(
            "The regulator fined Kellmoor Urban Credit Bank Ltd.", {"Kellmoor Urban Credit Bank Ltd"}, id="an alias of common words"
        ),
        pytest.param("Regulator Fined Credit Bank Over Delays", {"credit"}, id="an alias of common words behind a verb"),
        pytest.param("ORBIT FINED BY THE REGULATOR", set(), id="a weak name in a line of capitals"),
        pytest.param("Later, Orbit was fined by the regulator.", {"orbit"}, id="a weak name before its verb"),
        pytest.param("The regulator fined issuer Orbit (NYSE: ORBX) again.", {"orbit"}, id="a weak name with a code"),
        pytest.param("The regulator fined Shenzhen Tengda Ltd (Acme) £5,000.", {"acme"}, id="a bracket names the known firm"),
        pytest.param("The regulator fined Acme ((see there)).", {"acme"}, id="a bracket that names nobody"),
        pytest.param("The regulator fined Acme (Bank of Saturn).", {"acme", "bank"}, id="a bracket names another firm"),
        pytest.param("白雪大厦被罚款。", set(), id="a building, in Chinese"),
        pytest.param(
            "The regulator fined Quay Meadow Labs, Fern Hill Engine Works, Orbit, Elm Labs and Acme.",
            {"Quay Meadow Labs", "Fern Hill Engine Works", "orbit", "Elm Labs", "acme"},
            id="a weak member",
        ),
        pytest.param("The regulator fined Lonesome over fees.", {"lone"}, id="a brand without an owner is itself the target"),
    ],
)
def test_names(text: str, found: set[str]) -> None:
    assert targets(small(text)) == found


@pytest.mark.parametrize(
    ("on", "owner"),
    [
        pytest.param("2019-06-01", "orbit", id="before the sale"),
        pytest.param("2024-06-01", "acme", id="after the sale"),
        pytest.param(None, "acme", id="an undated text takes the owner of today"),
    ],
)
def test_brand_belongs_to_the_owner_of_the_date(on: str | None, owner: str) -> None:
    firm = small("The regulator fined Chirp over fees.", on=on).actions[0].targets[0]
    assert (firm.firm_id, firm.surface, firm.brand_id) == (owner, "Chirp", "chirp")
    assert firm.via == f"Chirp, brand of {firm.name}"


def test_owners_above_a_target_are_group_rows() -> None:
    firms = small("The regulator fined Bank of Saturn.").actions[0].firms
    group = [(firm.firm_id, firm.surface, firm.via) for firm in firms if firm.role is Role.GROUP]
    assert group == [
        ("orbit", "Bank of Saturn", "Bank of Saturn, affiliate of Orbit"),
        ("acme", "Bank of Saturn", "Orbit, owned by Acme"),
    ]


def test_an_edge_counts_from_its_date() -> None:
    assert {firm.role for firm in small("The regulator fined Bank of Saturn.", on="2018-01-01").actions[0].firms} == {Role.TARGET}


@pytest.mark.parametrize(
    ("text", "regulator", "ids"),
    [
        pytest.param("SMA fined Acme.", "gb-two", ["gb-two"], id="initials in the regulator's own source"),
        pytest.param("The British SMA fined Acme.", None, ["gb-two"], id="initials with a country in the text"),
        pytest.param("PBS and the Saturn Markets Authority fined Acme.", None, ["sa-one", "sa-two"], id="two act jointly"),
        pytest.param("Acme was fined.", "sa-one", ["sa-one"], id="the source's own when none is named"),
        pytest.param("SMA fined Acme.", "fr-three", [], id="initials of two bodies in a third country's source"),
        pytest.param("PBS fined Acme.", "sa-two", ["sa-one"], id="another regulator's act in this one's source"),
        pytest.param("Acme was fined by the sma.", None, [], id="initials in small letters are no name"),
        pytest.param("土星管理局對Acme處以罰款。", None, ["sa-two"], id="a native name in the other script"),
    ],
)
def test_who_acted(text: str, regulator: str | None, ids: list[str]) -> None:
    assert [found.regulator_id for found in small(text, regulator=regulator).actions[0].regulators if found.regulator_id] == ids


@pytest.mark.parametrize(
    ("text", "role"),
    [
        pytest.param("Acting on a complaint by Acme, the regulator fined Nimbus Ltd.", Role.COMPLAINANT, id="complainant"),
        pytest.param("The regulator fined Nimbus Ltd. Fraudsters posing as Acme called its clients.", Role.IMPERSONATED, id="impersonated"),
        pytest.param("The regulator fined Nimbus Ltd for spying on Acme customers.", Role.MENTIONED, id="customers are victims"),
        pytest.param("The regulator fined an Acme executive.", Role.MENTIONED, id="an officer is hit, not the firm"),
        pytest.param("The regulator fined Nimbus Ltd, owned by Acme.", Role.MENTIONED, id="an owner told in passing"),
        pytest.param("约谈Nimbus Ltd。经Acme举报，监管部门介入。", Role.COMPLAINANT, id="complainant, in Chinese"),
    ],
)
def test_roles_that_are_no_targets(text: str, role: Role) -> None:
    assert next(firm.role for firm in small(text).mentions if firm.firm_id == "acme") is role


def test_definitions_hold_in_the_document() -> None:
    reading = small("Nimbus Holdings Ltd (“Nimbus”) runs a shop. The regulator fined Nimbus £5,000.")
    assert [(firm.name, firm.surface) for firm in reading.actions[0].targets] == [("Nimbus Holdings Ltd", "Nimbus")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("Nimbus Holdings Ltd (“Nim”) runs Nimble shops. The regulator fined Nim £5,000.", {"Nim"}, id="not inside a word"),
        pytest.param("Nimbus Media Ltd (NM) runs a shop. The regulator fined NM £5,000.", {"NM"}, id="initials"),
        pytest.param("Nimbus Media Ltd (London) runs a shop. London was fined by the regulator.", set(), id="a place in brackets"),
    ],
)
def test_short_forms(text: str, found: set[str]) -> None:
    assert targets(small(text)) == found


@pytest.mark.parametrize(
    ("text", "names"),
    [
        pytest.param("The regulator fined Blue Fern Capital, LLC $5,000.", {"Blue Fern Capital, LLC"}, id="comma before the form"),
        pytest.param("The AEPD fined Luz Verde S.L. EUR 3,000.", {"Luz Verde S.L."}, id="dotted form"),
        pytest.param("The regulator fined Reed, Hale & Co. Inc. for delays.", {"Reed, Hale & Co. Inc."}, id="partners with commas"),
        pytest.param("税务局对上海青松贸易有限公司罚款3万元。", {"上海青松贸易有限公司"}, id="Chinese form, place kept"),
        pytest.param("The regulator fined John Carter.", set(), id="a person"),
        pytest.param("In Leeds, Hale Services Ltd was fined by the regulator.", {"Hale Services Ltd"}, id="a comma before the name"),
        pytest.param("Regulator Fines Hale Services Ltd £5,000", {"Hale Services Ltd"}, id="a verb with a capital"),
        pytest.param("After a probe, Fernhill Bank agreed to pay £5,000.", {"Fernhill Bank"}, id="after a clause"),
        pytest.param("Watchdog Reprimands Hale Services Ltd", {"Hale Services Ltd"}, id="another verb with a capital"),
        pytest.param("Watchdog Reprimands Ltd", set(), id="a verb and a form"),
        pytest.param("The Agency Fined Ltd.", set(), id="a form without a name"),
        pytest.param("The regulator fined Saturn Markets Authority Services Ltd.", set(), id="a regulator's own company"),
        pytest.param("税务局对一家有限公司罚款3万元。", set(), id="Chinese form, no name"),
        pytest.param("见附件，(600123)被证监会处罚。", set(), id="a code without a name"),
        pytest.param("公告的甲(600123)被证监会处罚。", set(), id="one letter before a code"),
        pytest.param("*ST松林(600123)被证监会处罚。", {"*ST松林"}, id="special treatment and a code"),
        pytest.param("白雪集团(600123)遭证监会处罚。", {"baixue"}, id="a known name before a code"),
        pytest.param("“松果科技”被处罚。", {"松果科技"}, id="in quotation marks"),
        pytest.param("健身平台Keepfit被处罚。", {"Keepfit"}, id="a Latin name after what it is"),
        pytest.param("松果科技：涉嫌造假，被处罚。", {"松果科技"}, id="the subject of the part before"),
        pytest.param("昨日，松果科技涉嫌造假，被处罚。", {"松果科技"}, id="the subject of a middle part"),
        pytest.param("keepfit被处罚。", set(), id="small letters"),
        pytest.param("松果@科技被处罚。", set(), id="no letters of a name"),
        pytest.param("警告科技被处罚。", set(), id="a trigger word in the name's place"),
        pytest.param("松果股份(600123)季度净利增长30%云杉电子被处罚。", {"云杉电子"}, id="two headlines without a break"),
        pytest.param("The regulator said Fernhill Bank was fined £5,000.", {"Fernhill Bank"}, id="in the middle of the sentence"),
        pytest.param("Northgate Lending LLC sells loans. The regulator fined Northgate Lending £5,000.", {"Northgate Lending"}, id="short"),
        pytest.param("The agency fined State $5 million.", set(), id="a word for public bodies"),
        pytest.param("The agency fined ZedLabs €5 million. ZedLabs paid.", {"ZedLabs"}, id="named again"),
        pytest.param("The agency fined firms such as Northgate.", {"Northgate"}, id="firms such as one"),
        pytest.param("The agency fined firms including many others.", set(), id="firms including nobody"),
        pytest.param("张伟被证监会罚款30万元。", set(), id="a person, in Chinese"),
        pytest.param("*ST松林收到警示函。", {"*ST松林"}, id="a share under special treatment"),
        pytest.param("青松股份(600123)信披违规遭证监会立案调查", {"青松股份"}, id="a short name before its code"),
    ],
)
def test_firms_outside_the_register(text: str, names: set[str]) -> None:
    assert targets(small(text)) == names


ELEVEN = {
    "inke", "xiaomi", "kuaishou", "bytedance", "鲸准数服", "云账户", "ximalaya", "alibaba", "netease-cloud-music", "tencent", "去演",
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param(
            "国家网信办依法约谈映客、小米、快手、字节跳动、鲸准数服、云账户、喜马拉雅、阿里巴巴、网易云音乐、腾讯、去演等11家企业。",
            ELEVEN,
            id="eleven, three of them unknown, two weak",
        ),
        pytest.param(
            "市场监管总局对鲸准数服、小米、云账户等3家企业处以罚款。", {"鲸准数服", "xiaomi", "云账户"}, id="after a coverb, unknown first"
        ),
        pytest.param("鲸准数服、快手、去演被约谈。", {"鲸准数服", "kuaishou", "去演"}, id="before a passive, no count"),
        pytest.param("松果出行、麦田网校和去演被網信辦約談。", {"松果出行", "麦田网校", "去演"}, id="three short names and no known one"),
        pytest.param("網信辦約談騰訊、鯨準數服和小米。", {"tencent", "鯨準數服", "xiaomi"}, id="Traditional, closed by 和"),
        pytest.param(
            "网信办约谈了3家企业，包括鲸准数服、云账户和去演。", {"鲸准数服", "云账户", "去演"}, id="a count and 包括 open the list"
        ),
        pytest.param("网信办约谈“麦田帮”“松果课堂”。", {"麦田帮", "松果课堂"}, id="quoted names without a mark between"),
        pytest.param("兴隆、邮储、松果银行被罚", {"兴隆", "邮储", "松果银行"}, id="an ending of one member says firms"),
        pytest.param("工信部通报松果、Keepfit等12款App。", {"松果", "Keepfit"}, id="apps"),
        pytest.param("网信办约谈《松果》、“去演”等2家企业。", {"松果", "去演"}, id="marks around members"),
        pytest.param("网信办约谈腾讯和去演、小米等4家企业。", {"tencent", "去演", "xiaomi"}, id="和 inside, after a known name"),
        pytest.param("网信办约谈和府面馆、腾讯等2家企业。", {"和府面馆", "tencent"}, id="a name that begins with 和"),
        pytest.param("网信办约谈腾讯、王小明和马化腾。", {"tencent"}, id="persons among firms"),
        pytest.param("网信办约谈腾讯、有关部门、行业协会等多家企业。", {"tencent"}, id="bodies and phrases among firms"),
        pytest.param("网信办约谈腾讯、处罚决定等。", {"tencent"}, id="a trigger word is no member"),
        pytest.param("王小明、李华被约谈。", set(), id="persons only"),
        pytest.param("山东、河北、江苏被约谈。", set(), id="provinces"),
        pytest.param("房产中介、校外培训和网络借贷被约谈。", set(), id="trades"),
        pytest.param("网信办就低俗、暴力、色情内容约谈平台。", set(), id="what it is about"),
        pytest.param(
            "The Cyberspace Administration of China summoned Acme Voice, Tencent, Bluebird Audio and Xiaomi for talks.",
            {"Acme Voice", "tencent", "Bluebird Audio", "xiaomi"},
            id="unknown members between known ones",
        ),
        pytest.param(
            "Acme Voice, Tencent and Bluebird Audio were summoned by the internet regulator.",
            {"Acme Voice", "tencent", "Bluebird Audio"},
            id="before a passive verb",
        ),
        pytest.param(
            "Regulators summoned 12 companies including Acme Voice, Bluebird Audio and Zed Labs over data.",
            {"Acme Voice", "Bluebird Audio", "Zed Labs"},
            id="companies including, none of them known",
        ),
        pytest.param("The agency fined three banks: Northgate, Elmwood and Fern Hill.", {"Northgate", "Elmwood", "Fern Hill"}, id="banks:"),
        pytest.param("The agency summoned Tencent, Jack Ma, Zhang Yiming and Shanghai.", {"tencent"}, id="persons and a city"),
        pytest.param("The regulator fined Google, Apple, Reuters reported.", {"google", "apple"}, id="who reports it"),
        pytest.param("The watchdog fined Google and Acme said it would appeal.", {"google"}, id="and begins a clause"),
        pytest.param("Separately, Tencent and Alibaba were fined.", {"tencent", "alibaba"}, id="an adverb before the list"),
        pytest.param("In London, Barclays and HSBC were fined by the regulator.", {"barclays", "hsbc"}, id="a place before the list"),
        pytest.param("The agency fined Google, the SEC and Apple.", {"google"}, id="a regulator ends the list"),
        pytest.param("The agency fined Google, Acme Labs's owner and Apple.", {"google"}, id="an owner's possessive"),
    ],
)
def test_lists_with_members_outside_the_register(text: str, found: set[str]) -> None:
    assert targets(read(text)) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param(
            "The regulator said it had summoned 11 technology companies. Tencent Holdings Ltd (騰訊), TikTok owner ByteDance Ltd "
            "(字節跳動) and NetEase Cloud Music are among them.",
            {"tencent", "bytedance", "netease-cloud-music"},
            id="are among them",
        ),
        pytest.param(
            "The regulator fined 12 firms. Tencent and Alibaba were among those fined.", {"tencent", "alibaba"}, id="among those fined"
        ),
        pytest.param("The regulator fined 5 firms. Google is among them.", {"google"}, id="one is among them"),
        pytest.param(
            "The regulator fined 12 firms. They include Tencent, Zed Labs and Xiaomi.", {"tencent", "Zed Labs", "xiaomi"}, id="they include"
        ),
        pytest.param("The regulator fined 2 firms. The firms are Northgate and Fern Hill.", {"Northgate", "Fern Hill"}, id="the firms are"),
        pytest.param("The regulator fined 9 firms. Among them is Google, it said.", {"google"}, id="among them is one"),
        pytest.param("网信办约谈了11家企业。其中包括腾讯、阿里巴巴、云账户。", {"tencent", "alibaba", "云账户"}, id="其中包括"),
        pytest.param("网信办约谈11家企业。包括映客、小米、快手等。", {"inke", "xiaomi", "kuaishou"}, id="包括…等"),
        pytest.param("網信辦約談3家企業。這3家企業分別為騰訊、小米和去演。", {"tencent", "xiaomi", "去演"}, id="分別為, Traditional"),
        pytest.param("网信办约谈11家企业。腾讯、阿里巴巴、小米等均在列。", {"tencent", "alibaba", "xiaomi"}, id="在列"),
        pytest.param("网信办约谈11家企业。其中有腾讯。", {"tencent"}, id="其中有 one"),
        pytest.param("The regulator fined three banks. Their rivals include Barclays and HSBC.", set(), id="their rivals"),
        pytest.param("The regulator fined three banks. They are customers of Google.", set(), id="they are customers of"),
        pytest.param("The regulator fined two banks. They include Barclays, HSBC and Lloyds.", set(), id="more than were counted"),
        pytest.param("The regulator fined three banks. One paid. It closed. Barclays is among them.", set(), id="too far from the act"),
        pytest.param("The regulator fined 5 firms. They include Google rivals.", set(), id="rivals of a firm"),
        pytest.param("网信办约谈11家企业。其中包括三项要求。", set(), id="what else is included"),
    ],
)
def test_the_next_sentence_completes_the_list(text: str, found: set[str]) -> None:
    reading = read(text)
    assert targets(reading) == found
    assert len(reading.actions) == 1
    assert reading.actions[0].evidence[0].start == 0


def test_tricky_sentences(shared: Path) -> None:
    """Twenty sentences written against naive matching: every expected firm is a target, none of the others."""
    wrong = []
    for line in (shared / "tricky_sentences.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        names = {firm.name for action in extract(DocumentText("", row["text"]), index()).actions for firm in action.targets}
        if not names >= set(row["firms_expected"]) or names & set(row["firms_not_expected"]):
            wrong.append((row["text"], names))
    assert wrong == []


def test_order_of_aliases_does_not_matter() -> None:
    turned = Register(SMALL.version, SMALL.firms[::-1], SMALL.aliases[::-1], SMALL.ownerships[::-1], SMALL.regulators[::-1])
    text = "The regulator fined Acme & Sons, Orbit and Bank of Saturn; Chirp was warned."
    document = DocumentText("", text, datetime(2024, 5, 15, tzinfo=UTC))
    assert targets(extract(document, FirmIndex(turned))) == targets(extract(document, INDEX))


def test_an_empty_register_still_reads() -> None:
    empty = FirmIndex(Register("none", (), (), (), ()))
    assert targets(extract(DocumentText("", "The regulator fined Acme Ltd €5,000."), empty)) == {"Acme Ltd"}


_PIECES = st.sampled_from(
    [
        "Acme",
        "Orbit",
        "Chirp",
        "白雪",
        "白雪集团",
        "fined",
        " fined ",
        "约谈",
        "被",
        "罚款",
        "€5 million",
        "30万元",
        "the regulator",
        "证监会",
        "PBS",
        " and ",
        "、",
        "，",
        "。",
        ". ",
        "\n",
        "Inc.",
        "有限公司",
        "v.",
        "In re ",
        "(",
        ")",
        "“",
        "”",
        "İ",
        "ß",
        "\u200b",
        "et al.",
        "agreed to pay",
        "11 companies including ",
        "等11家",
        "yesterday",
        "2021年3月18日",
        "国市监处〔2021〕14号",
        "*ST松林",
        "(600123)",
        "merger inquiry",
        " / ",
        "acquisition of ",
        "Controller: ",
        "对",
        "向",
        "监管函",
        "收到",
    ]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(_PIECES, st.text(max_size=6)), max_size=24), st.lists(_PIECES, max_size=6))
def test_every_span_is_what_it_says(body: list[str], head: list[str]) -> None:
    document = DocumentText("".join(head), "".join(body), datetime(2024, 5, 15, tzinfo=UTC))
    reading = extract(document, INDEX)
    firms = [*reading.mentions, *(firm for action in reading.actions for firm in action.firms)]
    assert all(firm.surface == document.whole[firm.start : firm.end] and firm.surface for firm in firms)
    for action in reading.actions:
        assert action.evidence
        assert all(proof.text == document.whole[proof.start : proof.end] for proof in action.evidence)
        assert all(amount.surface == document.whole[amount.start : amount.end] for amount in action.amounts)
        assert all(amount.minimum <= amount.maximum for amount in action.amounts)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("The agency fined " + "Acme " * 1100, id="a name again and again"),
        pytest.param("The agency fined " + "Acme, " * 1100, id="a long list"),
        pytest.param("The agency fined " + "Acme owner " * 600, id="a chain of owners"),
        pytest.param("网信办约谈" + "Acme、" * 600, id="a long Chinese list"),
        pytest.param("罚款50万元（约" * 300, id="open brackets"),
        pytest.param("The agency fined Acme " + "(see " * 300, id="more open brackets"),
    ],
)
def test_long_texts_are_read(text: str) -> None:
    assert small(text).language


def test_cleaned_text_has_single_spaces_and_no_invisible_signs() -> None:
    assert clean(" A\u200bcme \t Ltd \r\n\r\n\n\n paid\u00a0up ") == "Acme Ltd\n\npaid up"


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_never_raises(text: str) -> None:
    extract(DocumentText("", text), INDEX)
    assert all(text[one.start : one.end].strip() for one in sentences(text))
    assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize(
    ("text", "given", "found"),
    [
        pytest.param("The regulator fined the firm.", None, "en", id="English"),
        pytest.param("La commission a condamné la société pour une infraction dans les comptes.", None, "fr", id="French"),
        pytest.param("Die Behörde hat das Verfahren gegen die Bank eröffnet.", None, "de", id="German"),
        pytest.param("监管部门约谈企业。", "zh", "zh-Hans", id="Simplified"),
        pytest.param("監管機關約談業者。", "en", "zh-Hant", id="Traditional, whatever the feed says"),
        pytest.param("公正取引委員会は命令を出しました。", None, "ja", id="Japanese"),
        pytest.param("공정거래위원회는 과징금을 부과했다.", None, "ko", id="Korean"),
        pytest.param("Центральный банк отозвал лицензию.", None, "ru", id="Russian"),
        pytest.param("Η Αρχή επέβαλε πρόστιμο.", None, "el", id="Greek"),
        pytest.param("Boeing 737", "pt-BR", "pt", id="what the feed says decides where the text does not"),
        pytest.param("", None, "en", id="nothing"),
    ],
)
def test_language(text: str, given: str | None, found: str) -> None:
    assert language(text, given) == found


def test_sentences_survive_abbreviations_and_wrapped_lines() -> None:
    text = "Acme Inc. paid.\nThe fine\nwas small. See S.A. Orbit for more! 完了。次"
    assert [text[one.start : one.end] for one in sentences(text)] == [
        "Acme Inc. paid.",
        "The fine\nwas small.",
        "See S.A. Orbit for more!",
        "完了。",
        "次",
    ]


def test_footers_are_not_read() -> None:
    assert not read("The shop will refund its clients. Follow us on Google and Facebook, fined or not.").mentions


@pytest.mark.parametrize(
    ("surface", "key"),
    [
        ("The Acme Holdings Ltd.", "acme"),
        ("Acme S.p.A.", "acme"),
        ("Acme Sp. z o.o.", "acme"),
        ("Acme, a. s.", "acme"),
        ("Acme spol. s r.o.", "acme"),
        ("Acme Zoo", "acme zoo"),
        ("Acme d.d.", "acme"),
        ("青松科技有限公司", "青松科技"),
        ("有限公司", "有限公司"),
        ("Ltd", "ltd"),
    ],
)
def test_firm_key(surface: str, key: str) -> None:
    assert firm_key(surface) == fold(key)


def test_persons_by_their_look() -> None:
    assert is_person("王小明")
    assert not is_person("腾讯")


def test_every_name_of_every_regulator_is_a_decoy() -> None:
    """None of the catalogue's bodies is read as a firm, or holds one: People's Bank of China is no Bank of China."""
    mistaken = {
        name: [firm.name for firm in mentions]
        for row in index().regulators.values()
        for name in (row.name, *row.name_native.split(";"), *row.aliases, *row.context_aliases)
        if len(name.strip()) > 1
        for text in (f"{name.strip()} published its annual report.", f"{name.strip()}发布了年度报告。")
        if (mentions := read(text).mentions)
    }
    assert mistaken == {}


def test_a_french_or_is_no_legal_form() -> None:
    """A form whose fold is a word of another language would stretch a name over that word: "Vodafone ou"."""
    surfaces = {firm.surface for firm in read("La CNIL sanctionne Vodafone ou un concurrent.", language="fr").mentions}
    assert surfaces == {"Vodafone"}
