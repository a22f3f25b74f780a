"""How the press and bodies' own titles tell an act: each way of saying it, and the same words where they tell none."""

from __future__ import annotations

import pytest

from storage.records import Extraction
from tests.reading import read, targets


def told(reading: Extraction) -> list[tuple[str, set[str]]]:
    return [(action.kind.value, {firm.firm_id or firm.surface for firm in action.targets}) for action in reading.actions]


@pytest.mark.parametrize(
    ("text", "firms"),
    [
        pytest.param(
            "Italy's AGCM fined Apple 98.6 million euros and Meta 10 million euros.", {"apple", "meta"}, id="a weak name among them"
        ),
        pytest.param("The FTC fined Apple $5 million and Google $3 million.", {"apple", "google"}, id="two"),
        pytest.param(
            "The FCA fined Barclays £50 million, HSBC £20 million and Citigroup £5 million.", {"barclays", "hsbc", "citi"}, id="three"
        ),
        pytest.param("Barclays was fined £50 million and HSBC £20 million.", {"barclays", "hsbc"}, id="the passive"),
        pytest.param(
            "The SEC fined Barclays $35 million, HSBC $12 million, and UBS a record $40 million for record-keeping failures.",
            {"barclays", "hsbc", "ubs"},
            id="a record sum, and what for",
        ),
        pytest.param("The FTC fined Apple $5 million and Google said it would appeal.", {"apple"}, id="another clause"),
        pytest.param("The FTC fined Apple $5 million and Google disclosed a $10 million loss.", {"apple"}, id="another clause with a sum"),
        pytest.param("The FTC fined Apple $5 million and Google $3 billion deal was cleared.", {"apple"}, id="the sum of a deal"),
    ],
)
def test_firms_that_are_fined_a_sum_each(text: str, firms: set[str]) -> None:
    assert told(read(text)) == [("fine", firms)]


@pytest.mark.parametrize(
    ("text", "firm", "scope"),
    [
        pytest.param("国家网信办依法对滴滴全球股份有限公司处人民币80.26亿元罚款。", "didi", "whole", id="a currency behind 处"),
        pytest.param(
            "国家网信办依法对滴滴全球股份有限公司处人民币80.26亿元罚款，对程维、柳青各处人民币100万元罚款。",
            "didi",
            "whole",
            id="and persons each",
        ),
        pytest.param("上海银保监局对蓝港科技处人民币30万元罚款。", "蓝港科技", "whole", id="a firm outside the register"),
        pytest.param("上海银保监局对蓝港科技有限公司处合计30万元罚款。", "蓝港科技有限公司", "whole", id="a sum in all"),
    ],
)
def test_a_firm_before_chu_and_a_sum(text: str, firm: str, scope: str) -> None:
    """对X处人民币N元罚款"""
    (action,) = read(text).actions
    assert {one.firm_id or one.surface for one in action.targets} == {firm}
    assert action.amounts[0].scope.value == scope


def sums(reading: Extraction) -> list[tuple[int, str | None]]:
    return [(int(amount.maximum), amount.currency) for action in reading.actions for amount in action.amounts]


@pytest.mark.parametrize(
    ("title", "regulator", "kind", "firms"),
    [
        pytest.param("FCA slaps Kell Moor Ltd with £5m fine", None, "fine", {"Kell Moor Ltd"}, id="slaps with a fine"),
        pytest.param("FCA hands Barclays, HSBC record fine", None, "fine", {"barclays", "hsbc"}, id="hands a fine"),
        pytest.param("AP legt Kredietmoor boete op van 2 miljoen euro", None, "fine", {"Kredietmoor"}, id="the firm inside a Dutch verb"),
        pytest.param("Barclays hit with $36 million Fed penalty over leaks", None, "fine", {"barclays"}, id="a body inside the noun"),
        pytest.param("Kell Savings faces £5m fine from FCA over outages", None, "fine", {"Kell Savings"}, id="faces a fine"),
        pytest.param("£5m fine for Kell Moor Health from FCA", None, "fine", {"Kell Moor Health"}, id="a fine for a firm"),
        pytest.param("Barclays told by FCA to fix its controls", None, "rectification", {"barclays"}, id="told by a body"),
        pytest.param("Ofgem: Barclays to pay £5m after billing failures", None, "settlement", {"barclays"}, id="to pay, a body before"),
        pytest.param("Warning Letter: Kell Foods, Inc.", "us-fda", "warning", {"Kell Foods, Inc."}, id="a label and a name"),
        pytest.param("FCA imposes requirements on Kell Pay Ltd", None, "rectification", {"Kell Pay Ltd"}, id="requirements"),
        pytest.param("PRA opens skilled person review at insurer Kell Life", None, "investigation", {"Kell Life"}, id="a skilled person"),
        pytest.param("FCA orders audit of Barclays", None, "rectification", {"barclays"}, id="an audit"),
        pytest.param("FCA takes control of Kell Trust Company", None, "other", {"Kell Trust Company"}, id="takes control"),
        pytest.param("Kell Coins Ltd was wound up by the court", None, "ban", {"Kell Coins Ltd"}, id="wound up"),
        pytest.param("US adds Nettrik and Kell Electronics to entity list", None, "other", {"Nettrik", "Kell Electronics"}, id="a list"),
        pytest.param("Kell Air Ltd was added to the EU air safety list", None, "other", {"Kell Air Ltd"}, id="put on a list"),
        pytest.param("Treasury sanctions Kell Shipping FZE", None, "other", {"Kell Shipping FZE"}, id="a government's sanctions"),
        pytest.param("FCA sanctions Barclays over its checks", None, "fine", {"barclays"}, id="a supervisor's sanction"),
        pytest.param("FTC drops lawsuit against Microsoft", None, "closed", {"microsoft"}, id="a lawsuit that is dropped"),
        pytest.param("SEBI issues show-cause notice to Kell Broking", None, "proposed_penalty", {"Kell Broking"}, id="show cause"),
        pytest.param("The FCA required Kell Ltd to produce documents", None, "information_request", {"Kell Ltd"}, id="to produce records"),
        pytest.param("The FCA required Kell Ltd to provide data to customers", None, "rectification", {"Kell Ltd"}, id="to customers"),
        pytest.param("Honda calls back 1.7 million cars", None, "recall", {"honda"}, id="calls back"),
        pytest.param("Illinois AG sues kiosk operator CoinKell", None, "lawsuit", {"CoinKell"}, id="a state's AG"),
        pytest.param("ASIC commenced proceedings in the Federal Court against Coles", None, "lawsuit", {"coles"}, id="in a court"),
        pytest.param(
            "The aviation authority suspended the operating licence of Kell Air last week",
            None,
            "suspension",
            {"Kell Air"},
            id="what it may do",
        ),
        pytest.param("The regulator removes restrictions on Kell Bank", None, "closed", {"Kell Bank"}, id="restrictions removed"),
        pytest.param("Fed terminates consent order with UBS", None, "closed", {"ubs"}, id="an order that ends"),
        pytest.param("CNIL : amende de 5 millions d'euros pour Assistkell", None, "fine", {"Assistkell"}, id="pour"),
        pytest.param("Ivass revoca l'autorizzazione a Kell Danni S.p.A.", None, "ban", {"Kell Danni S.p.A."}, id="an Italian revocation"),
        pytest.param(
            "L'ACPR prononce une sanction de 2 millions d'euros à l'encontre d'Assurkell",
            None,
            "fine",
            {"Assurkell"},
            id="an elided article",
        ),
        pytest.param("DGCCRF : Kelldiscount écope d'une amende de 2 millions d'euros", None, "fine", {"Kelldiscount"}, id="écope"),
    ],
)
def test_acts(title: str, regulator: str | None, kind: str, firms: set[str]) -> None:
    language = (
        "it" if "Ivass" in title else "fr" if "DGCCRF" in title or "CNIL" in title else None
    )  # a title alone is short for telling one
    assert told(read("", title=title, regulator=regulator, on="2025-03-14", language=language)) == [(kind, firms)]


@pytest.mark.parametrize(
    ("title", "text"),
    [
        pytest.param("FCA hands HSBC data to a court for a fine point of law", "", id="hands data"),
        pytest.param("Amazon hits Temu with lawsuit", "", id="a firm's lawsuit"),
        pytest.param("Record fine for Data Breach", "", id="for what it is"),
        pytest.param("Barclays to pay £14m after employment tribunal ruling", "", id="to pay what a court says"),
        pytest.param("Barclays to pay £90m dividend after PRA approval", "", id="to pay a dividend"),
        pytest.param("CNIL : amende de 5 millions d'euros pour démarchage", "", id="pour what it is"),
        pytest.param("Warning letter: what HSBC customers should know", "", id="a label and no name"),
        pytest.param("FCA adds Coinbase to list of sandbox firms", "", id="a list that harms nobody"),
        pytest.param("Treasury sanctions Dubai-based shipping network", "", id="where it sits is no name"),
        pytest.param("Bank of America winds up German unit, BaFin says", "", id="a firm winds up its own"),
        pytest.param("Greenpeace asks regulator to investigate Shell over claims", "", id="somebody asks a body"),
        pytest.param("Consumer group urges CMA to fine Ticketmaster", "", id="somebody urges a body"),
        pytest.param("Volkswagen recalls ambassador of its brand", "", id="recalls no product"),
        pytest.param("A jury found that Samsung infringed two Apple patents", "", id="a quarrel over patents"),
        pytest.param("Court dismisses appeal of the former head of accounting at Wirecard", "", id="who worked there"),
        pytest.param("Judge approves $425m Capital One settlement", "The class action was brought by savers.", id="a class action"),
        pytest.param("Airbus signs settlement with supplier Spirit AeroSystems", "", id="a settlement of two firms"),
        pytest.param("Regulator fines lender", "It acted following a complaint by HSBC.", id="who complained"),
    ],
)
def test_no_acts(title: str, text: str) -> None:
    assert targets(read(text, title=title, on="2025-03-14")) == set()


@pytest.mark.parametrize(
    ("text", "acts"),
    [
        pytest.param(
            "The HKMA takes disciplinary action against Kell Bank Ltd over leaks. The HKMA ordered Kell Bank Ltd to pay HK$9,000,000.",
            [("fine", {"Kell Bank Ltd"})],
            id="action, and then what it was",
        ),
        pytest.param(
            "The CMA designated Google. The CMA fined Apple €5 million.",
            [("other", {"google"}), ("fine", {"apple"})],
            id="two acts stay two",
        ),
        pytest.param(
            "Italy's antitrust opens probe into Ryanair unit. The authority is investigating whether Ryanair had pressured customers.",
            [("investigation", {"ryanair"})],
            id="a unit, and then its owner",
        ),
        pytest.param(
            "Deutsche Bank, UBS and four others settle SEC charges. The SEC said the six firms will pay penalties of $88 million.",
            [("settlement", {"deutsche-bank", "ubs"})],
            id="the six firms are those",
        ),
        pytest.param(
            "The SEC settles charges with UBS. The SEC fined six other banks $88 million.",
            [("settlement", {"ubs"}), ("fine", set())],
            id="six others are not",
        ),
        pytest.param(
            "The Commission fined Exelkell, Bankell, Moor Group and trade body KELLBAT €72 million.",
            [("fine", {"Exelkell", "Bankell", "Moor Group", "KELLBAT"})],
            id="a list of names that nobody knows",
        ),
        pytest.param(
            "The CMA found that the merger of Framekell and Pixokell would harm publishers.",
            [("merger_decision", {"Framekell", "Pixokell"})],
            id="two parties before a verb",
        ),
        pytest.param(
            "The CMA has cleared the anticipated acquisition by Rentokell of Pelikell Services.",
            [("merger_decision", {"Rentokell", "Pelikell Services"})],
            id="by the buyer of the other",
        ),
        pytest.param(
            "The Paris Court of Appeal reduced the fine imposed on Apple by the authority.", [("fine", {"apple"})], id="a court of appeal"
        ),
    ],
)
def test_actions(text: str, acts: list[tuple[str, set[str]]]) -> None:
    assert told(read(text, on="2025-03-14")) == acts


def test_a_title_may_part_the_merging_firms_with_a_stroke() -> None:
    title = "CMA considers undertakings in lieu in Hanley Vets / Petcare South merger"
    assert told(read("", title=title, regulator="gb-cma")) == [("merger_decision", {"Hanley Vets", "Petcare South"})]
    assert targets(read("", title="CMA speaks on and/or Off / On merger law", regulator="gb-cma")) == set()


@pytest.mark.parametrize(
    ("text", "firms"),
    [
        pytest.param("Kell Moor has changed its shop.", {"Kell Moor"}, id="its"),
        pytest.param("Kell Moor sells tea.", {"Kell Moor"}, id="what firms do"),
        pytest.param("Kell Moor's customers lost money.", {"Kell Moor"}, id="what firms have"),
        pytest.param("Kell Moor was in court.", set(), id="what anybody does"),
        pytest.param("Kell Moor told his lawyer of a change. Kell Moor sells tea.", {"Kell Moor"}, id="said again"),
    ],
)
def test_a_name_is_a_firms_by_what_the_text_says_of_it(text: str, firms: set[str]) -> None:
    assert targets(read(text, title="CMA secures undertakings from Kell Moor over prices", regulator="gb-cma")) == firms


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("Britain's FCA fined Barclays 72 million pounds.", [(72_000_000, "GBP")], id="pounds"),
        pytest.param("The EPA fined Shell over 2 million pounds of waste.", [], id="a weight"),
        pytest.param("Sweden's regulator fined Klarna 500 mln crowns.", [(500_000_000, "SEK")], id="crowns"),
        pytest.param(
            "Norway's Datatilsynet fined Grindr 65 million kroner.", [(65_000_000, "NOK")], id="kroner of a name of two countries"
        ),
        pytest.param("The FCA hands Kell Savings a £5m fine.", [(5_000_000, "GBP")], id="a word of the name"),
        pytest.param(
            "The SEC fined Ford $9 million and it must spend and invest; it will spend $60 million.", [(9_000_000, "USD")], id="to spend"
        ),
    ],
)
def test_sums(text: str, found: list[tuple[int, str | None]]) -> None:
    assert sums(read(text, on="2025-03-14")) == found
