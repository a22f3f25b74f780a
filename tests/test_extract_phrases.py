"""Firms outside the register, shown by their place in a Latin sentence: what makes a phrase one, and what does not."""

from __future__ import annotations

import pytest

from tests.reading import read, targets


@pytest.mark.parametrize(
    ("text", "firms"),
    [
        pytest.param("The agency fined Brightcell €5,000.", {"Brightcell"}, id="one word after a fine"),
        pytest.param("The agency fined eCampo €5,000.", {"eCampo"}, id="a small first letter"),
        pytest.param("The agency fined Club Náutico el Faro €5,000.", {"Club Náutico el Faro"}, id="particles inside"),
        pytest.param("The agency imposed a fine of €5,000 on Morel.net for spam.", {"Morel.net"}, id="a point inside"),
        pytest.param(
            "The agency imposed a fine of €5,000 on Pell / N.D.P. nv. The controller is a lab.", {"Pell / N.D.P. nv"}, id="a slash"
        ),
        pytest.param(
            "The agency imposed a fine of €5,000 on BRAbank ASA. The controller is a bank.", {"BRAbank ASA"}, id="a regulator's initials"
        ),
        pytest.param("The agency imposed a fine on Hotel Adler, S.L. for spam.", {"Hotel Adler, S.L."}, id="a form after a comma"),
        pytest.param("The agency imposed a fine of €5,000 on UAB Vilna for spam.", {"UAB Vilna"}, id="a form in front"),
        pytest.param("The agency fined the lender Quickpound £5,000.", {"Quickpound"}, id="a noun before"),
        pytest.param("The agency fined the company “light and dark” £5,000.", {"light and dark"}, id="quotation marks"),
        pytest.param("The agency fined the Amsterdam hospital group OLVG €5,000.", {"OLVG"}, id="a place and a noun before"),
        pytest.param("The agency fined Kell Moor, an electricity supplier, €5,000.", {"Kell Moor"}, id="apposition"),
        pytest.param("The agency fined Kell Moor (“Kell”) €5,000.", {"Kell Moor"}, id="a definition"),
        pytest.param("The agency reprimanded DeepVault for spam.", {"DeepVault"}, id="a coined word"),
        pytest.param("The agency ordered Forbes Romania to delete the list.", {"Forbes Romania"}, id="a name and a country"),
        pytest.param(
            "The agency opened an investigation into Kell Moor. The company sells tea.", {"Kell Moor"}, id="spoken of as a company"
        ),
        pytest.param("Kell Moor was fined €5,000 for spam.", {"Kell Moor"}, id="subject of a passive"),
        pytest.param("FCA fines Ashgrove £3m", {"Ashgrove"}, id="a headline with a sum"),
        pytest.param("The agency imposed a fine of €5,000 on the operator of Kell Moor, a shop.", {"Kell Moor"}, id="the operator of"),
        pytest.param(
            "Patio Company Grosfield Inc. agreed to pay $5 million, the agency said.", {"Grosfield Inc."}, id="described with a capital"
        ),
        pytest.param(
            "The agency approved a settlement with DHB Express (USA), Inc.", {"DHB Express (USA), Inc."}, id="a country in brackets"
        ),
        pytest.param("The agency fined Brightcell and Moorcell €5,000.", {"Brightcell", "Moorcell"}, id="two joined"),
        pytest.param("The agency fined Brightcell and John Carter €5,000.", {"Brightcell"}, id="a firm and a person"),
        pytest.param("The agency fined Brightcell and left.", {"Brightcell"}, id="a firm and a verb"),
        pytest.param("SEC Settles With Advisory Firm Harbor Advisers Over Fees", {"Harbor Advisers"}, id="a noun with a capital"),
        pytest.param("The agency fined Wendy's for spam.", {"Wendy's"}, id="'s of a name"),
        pytest.param("The agency fined the hospital Sankt Kell €5,000.", {"Sankt Kell"}, id="a hospital"),
        pytest.param("Agency Fines Global Trading Firm Kell Moor SA for Spam", {"Kell Moor SA"}, id="a noun before a name with a form"),
        pytest.param("Agency Sues Issuer Kell Studios, Inc. Over Claims", {"Kell Studios, Inc."}, id="a noun right behind the verb"),
        pytest.param("Agency Fines Ohio-based Kell Building & Loan for Spam", {"Kell Building & Loan"}, id="where it sits"),
        pytest.param("The agency fined Kell Broker Holdings Ltd.", {"Kell Broker Holdings Ltd"}, id="the noun is part of the name"),
        pytest.param("Die Behörde verhängt Bußgeld gegen Fahrradhersteller Radwerk GmbH", {"Radwerk GmbH"}, id="a German noun"),
        pytest.param("Kell Basics pays £5,000 in penalties, says the agency", {"Kell Basics"}, id="pays penalties"),
        pytest.param("The agency fined the operator of Kell Palace AS €5,000.", {"Kell Palace AS"}, id="the operator of a firm"),
        pytest.param("Kell Systems Agrees to Plead Guilty to Exports", {"Kell Systems"}, id="pleads guilty"),
        pytest.param("The agency opened an investigation into Medikell data breach", {"Medikell"}, id="a breach of its data"),
        pytest.param("The agency imposed a fine of EUR 5,000 KELL MOOR S.L. for spam.", {"KELL MOOR S.L."}, id="right behind the sum"),
        pytest.param("The agency fined Kellholms Tåg (Kell Train Company) €5,000.", {"Kellholms Tåg"}, id="a translation in brackets"),
        pytest.param("The agency imposed a fine of €5,000 on the company 'IT moor kell'.", {"IT moor kell"}, id="quoted behind a noun"),
        pytest.param(
            "The agency imposed a fine of €5,000 on Irish Credit Bureau (ICB). It lost data.", {"Irish Credit Bureau"}, id="a bureau"
        ),
        pytest.param(
            "The agency imposed a fine of €5,000 on Società moorana di kell.", {"Società moorana di kell"}, id="small letters abroad"
        ),
        pytest.param(
            "The agency has fined Société nouvelle du kell (SNK) €5,000. The agency fined SNK last week.",
            {"Société nouvelle du kell"},
            id="initials",
        ),
        pytest.param("The agency fined the Kell Moor nursing home €5,000.", {"Kell Moor"}, id="a noun behind a name"),
        pytest.param("The agency fined Kell FC and Moor Works Ltd €5,000.", {"Kell FC", "Moor Works Ltd"}, id="a club and a firm"),
        # and what is none
        pytest.param("The agency fined the Irish Press Authority €5,000.", set(), id="a body is no bureau of credit"),
        pytest.param("The agency fined the Moorhead hotel €5,000.", set(), id="a place before a noun"),
        pytest.param("A court ordered Florida Man and His Company to pay $5 million.", set(), id="somebody's company"),
        pytest.param("Businesses handed £4.2 million in fines by the agency", set(), id="a plural that anybody may be"),
        pytest.param("The agency fines Lakeville and Moorhead restaurants.", set(), id="places before a noun"),
        pytest.param("Auditor-General opens investigation", set(), id="an office"),
        pytest.param("The agency fined John Carter €5,000.", set(), id="a person"),
        pytest.param("The agency fined Olga Petrova €5,000.", set(), id="a person of another language"),
        pytest.param("The agency fined Mr Kell €5,000.", set(), id="a title"),
        pytest.param("The agency fined former hedge fund manager Crispin Kell €5,000.", set(), id="a role before a name"),
        pytest.param("The agency fined the City of Kell €5,000.", set(), id="a town"),
        pytest.param("The agency fined the Region of Kell €5,000.", set(), id="a region"),
        pytest.param("The Commission fined Poland €5,000 a day.", set(), id="a state"),
        pytest.param("The agency fined New Jersey €5,000.", set(), id="a state of two words"),
        pytest.param("A New Jersey company was fined $5,000 by the agency.", set(), id="a state's company"),
        pytest.param("The agency fined Kell shareholders €5,000.", set(), id="a name that goes on"),
        pytest.param("The agency reprimanded Kell Moor.", set(), id="two words that nothing makes a firm"),
        pytest.param("The agency opened an investigation into Death of Boy.", set(), id="a headline's noun"),
        pytest.param("The agency fined EUR 5,000.", set(), id="a currency"),
        pytest.param("The settlement includes changes to Servicing and to Lending, the agency said.", set(), id="to is no with"),
        pytest.param("The settlement coincides with a Deferred Prosecution Agreement, the agency said.", set(), id="a document"),
    ],
)
def test_phrases(text: str, firms: set[str]) -> None:
    assert targets(read(text)) == firms


def surfaces(text: str, title: str = "") -> set[str]:
    """The firms that are hit, as they are written."""
    return {firm.surface for action in read(text, title=title).actions for firm in action.targets}


@pytest.mark.parametrize(
    ("text", "firms"),
    [
        pytest.param("The agency fined Kell Gaz i Reasekuracja SA €5,000.", {"Kell Gaz i Reasekuracja SA"}, id="a Polish and"),
        pytest.param("The agency fined Kell Kraft og Varme AS €5,000.", {"Kell Kraft og Varme AS"}, id="a Norwegian one"),
        pytest.param("The agency fined Duna Moor és Kell Zrt. EUR 5,000.", {"Duna Moor és Kell Zrt"}, id="a Hungarian one"),
        pytest.param("The agency fined Kell Servizi per la Casa S.r.l. €5,000.", {"Kell Servizi per la Casa S.r.l."}, id="two small words"),
        pytest.param("The chair of the Kell Company was fined €5,000 by the agency.", {"Kell Company"}, id="but no 'of the'"),
        pytest.param("The agency fined Kell Moor GmbH & Co. KG €5,000.", {"Kell Moor GmbH & Co. KG"}, id="& Co. KG"),
        pytest.param("The agency fined Kell Pagos, E.F.C., E.P., S.A.U. €5,000.", {"Kell Pagos, E.F.C., E.P., S.A.U."}, id="kinds of firm"),
        pytest.param("The agency fined Kell Trust, Moor Ltd and Elm Ltd.", {"Kell Trust", "Moor Ltd", "Elm Ltd"}, id="a list is none"),
        pytest.param("The agency fined Kell Credito S.A. E.F.C. €5,000.", {"Kell Credito S.A. E.F.C."}, id="a kind behind the form"),
        pytest.param("The agency fined Kell Clinica, S.L.P. €5,000.", {"Kell Clinica, S.L.P."}, id="a form of partners"),
        pytest.param("The agency fined Kell Telekom d.d. for spam.", {"Kell Telekom d.d."}, id="a Croatian form"),
        pytest.param("The agency fined Royal Bank of Kell N.V. EUR 5,000.", {"Royal Bank of Kell N.V."}, id="a bank of"),
        pytest.param("The agency fined Kell Lumière SA/NV €5,000.", {"Kell Lumière SA/NV"}, id="a form in two languages"),
        pytest.param("The agency fined Kellská spořitelna, a. s. EUR 5,000.", {"Kellská spořitelna, a. s."}, id="a small word, in Czech"),
        pytest.param("The agency fined Kell and services a.s. EUR 5,000.", {"Kell"}, id="but two are none"),
        pytest.param("The agency fined UAB „Kell srautas“ EUR 5,000.", {"Kell srautas"}, id="a form before quotation marks"),
        pytest.param("The agency fined „Kell prece“ SIA EUR 5,000.", {"Kell prece"}, id="a form behind them"),
        pytest.param("The agency fined „Kell prece“ now EUR 5,000.", set(), id="no form at all"),
        pytest.param("The agency fined Banca Noua Kell Iberia S.A. EUR 5,000.", {"Banca Noua Kell Iberia S.A."}, id="a bank in front"),
        pytest.param("The agency fined Kell Pipeline Limited Partnership.", {"Kell Pipeline Limited Partnership"}, id="a partnership"),
        pytest.param("The agency fined SC Kell Trans S.R.L. EUR 5,000.", {"SC Kell Trans S.R.L."}, id="a form in front, or a court"),
        pytest.param("The FCA Kell Trading Ltd was fined £5,000 by.", {"Kell Trading Ltd"}, id="a body's initials in front"),
        pytest.param("The AEPD has fined PRA Iberia S.L. EUR 5,000.", {"PRA Iberia S.L."}, id="initials of the firm's own"),
        pytest.param("The agency fined Anytime Moor Iberia S.L. EUR 5,000.", {"Anytime Moor Iberia S.L."}, id="ends like a known name"),
        pytest.param("The agency fined the Spanish Iberia S.L. EUR 5,000.", {"Iberia S.L."}, id="a land in front"),
        pytest.param("On Friday Iberia S.L. was fined EUR 5,000 by the agency.", {"Iberia S.L."}, id="a day in front"),
        pytest.param("Meanwhile Iberia S.L. was fined EUR 5,000 by the agency.", {"Iberia S.L."}, id="one word that begins the sentence"),
        pytest.param("The agency fined Vodafone Servicios, S.L.U.. The firm paid.", {"Vodafone Servicios, S.L.U."}, id="two points"),
        pytest.param("The agency fined Telefónica de España, S.A.U. EUR 5,000.", {"Telefónica de España, S.A.U."}, id="of a land"),
        pytest.param(
            "The agency fined Allianz Compañía de Seguros y Reaseguros, S.A. EUR 5,000.",
            {"Allianz Compañía de Seguros y Reaseguros, S.A."},
            id="what it does, in Spanish",
        ),
        pytest.param("The agency fined Vodafone and Moor S.A. EUR 5,000.", {"Vodafone", "Moor S.A."}, id="'and' before another name"),
        pytest.param("The agency fined Carrefour France EUR 5,000.", {"Carrefour France"}, id="a land behind"),
        pytest.param("The agency fined Carrefour France Retail for spam.", {"Carrefour"}, id="a land behind, and more"),
        pytest.param("The agency fined Kell Re S.A., London Branch £5,000.", {"Kell Re S.A., London Branch"}, id="a branch"),
        pytest.param("The agency fined Kell Re S.A., London £5,000.", {"Kell Re S.A."}, id="a town is none"),
        pytest.param(
            "The agency fined Federación kell de vela €5,000.", {"Federación kell de vela"}, id="a name that goes on in small letters"
        ),
    ],
)
def test_borders(text: str, firms: set[str]) -> None:
    assert surfaces(text) == firms


def test_a_captions_name_may_end_like_a_known_one() -> None:
    assert surfaces("The Commission approved a settlement.", "In re Kellport General Electric Co., 131 FERC ¶ 61,998 (June 4, 2010)") == {
        "Kellport General Electric Co."
    }


@pytest.mark.parametrize(
    ("text", "kind", "firms"),
    [
        pytest.param("The agency told Kell Ltd of it. It fined the company €5,000.", "fine", {"Kell Ltd"}, id="the company"),
        pytest.param("The agency probed Kell Ltd. The DPA imposed a fine of €5,000.", "fine", {"Kell Ltd"}, id="no object at all"),
        pytest.param("Kell Ltd sent mails. The controller was fined €5,000 by the agency.", "fine", {"Kell Ltd"}, id="the controller was"),
        pytest.param("Kell Ltd and Moor Ltd met. The agency fined the company €5,000.", "fine", set(), id="which company?"),
        pytest.param("The company was fined €5,000.", "fine", set(), id="a company without a name"),
        pytest.param("It rained. It was cold. The shop shut. The agency imposed a fine of €5,000.", "fine", set(), id="with a sum"),
        pytest.param("Fine for late filing.", "fine", set(), id="a title's fine"),
        pytest.param("The agency found that Kell Ltd had infringed the rules.", "other", {"Kell Ltd"}, id="a finding"),
        pytest.param(
            "The agency found that the airline DeepSky infringed the rules.", "other", {"DeepSky"}, id="a finding, outside the register"
        ),
        pytest.param("The agency preliminarily finds Kell Ltd in breach.", "proposed_penalty", {"Kell Ltd"}, id="a preliminary finding"),
        pytest.param("The agency ordered Kell Ltd to pay €5,000.", "fine", {"Kell Ltd"}, id="ordered to pay"),
        pytest.param("The agency ordered Kell Ltd to pay €5,000 in compensation.", "rectification", {"Kell Ltd"}, id="to those harmed"),
        pytest.param("The agency decided to fine Kell Ltd.", "fine", {"Kell Ltd"}, id="decided to fine"),
        pytest.param("The agency accepted undertakings from Kell Ltd.", "consent_order", {"Kell Ltd"}, id="undertakings from"),
        pytest.param("The agency cleared the purchase of Kell by Moor.", "merger_decision", {"Kell", "Moor"}, id="both sides of a merger"),
        pytest.param("The agency approved State aid to support Kell Ltd.", "approval", {"Kell Ltd"}, id="aid"),
        pytest.param("The agency suspended the shares of Kell Ltd.", "suspension", {"Kell Ltd"}, id="its shares"),
        pytest.param("The agency conducted unannounced inspections at a company.", "investigation", set(), id="inspections"),
        pytest.param(
            "According to the agency, KELL MOOR has infringed the law, as the company sold data.", "other", {"KELL MOOR"}, id="says"
        ),
        pytest.param(
            "It broke the rules, for which Kellbox - which ran the site - had been fined €5,000 by the agency.",
            "fine",
            {"Kellbox"},
            id="an aside between dashes",
        ),
        pytest.param(
            "The agency proposed a fine of DKK 5,000 for Kell Lund A/S", "proposed_penalty", {"Kell Lund A/S"}, id="a sum, for whom"
        ),
        pytest.param("Kell Moor SRL was sanctioned with a fine of RON 5,000.", "fine", {"Kell Moor SRL"}, id="sanctioned with a fine"),
        pytest.param(
            "Kell Moor SRL lost data, the authority said about sanctions. The fine consists of EUR 3,000 and EUR 1,000.",
            "fine",
            {"Kell Moor SRL"},
            id="what a fine consists of",
        ),
        pytest.param(
            "The fine was preceded by a complaint from a person who argued that Vodafone had sent letters.",
            "fine",
            {"Vodafone"},
            id="what preceded it",
        ),
    ],
)
def test_what_is_told_of_whom(text: str, kind: str, firms: set[str]) -> None:
    reading = read(text)
    told = [(action.kind.value, {firm.surface.rstrip(".") for firm in action.targets}) for action in reading.actions]
    assert (kind, firms) in told


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("The agency wants to fine Kell Ltd.", id="wants to fine"),
        pytest.param("Kell Ltd refused to settle, the agency said.", id="refused to settle"),
        pytest.param("Kell Ltd recalls its policy, the agency said.", id="recalls a policy"),
        pytest.param("Kell Ltd found that Moor Ltd infringed its rights.", id="a firm's finding"),
        pytest.param("The agency found Kell Ltd in Leeds.", id="found, but no breach"),
        pytest.param("Several agencies have already imposed fines and bans on Kell Ltd.", id="what went before"),
        pytest.param("The agency approved a State aid scheme to support Kell Ltd.", id="a scheme"),
        pytest.param("The agency paid State aid to Kell Ltd.", id="aid that nobody approves"),
        pytest.param("A rise in the merger of Kell Ltd and Moor Ltd was seen by the agency.", id="a merger without a decision"),
        pytest.param("Kell Ltd accepted undertakings from Moor Ltd.", id="between firms"),
        pytest.param("The agency found after Kell Ltd complained a breach.", id="a finding after a complaint"),
        pytest.param("Google's fines are many, the agency said.", id="fines without a sum"),
        pytest.param("According to the analyst, Kell Ltd has infringed the law.", id="nobody public says so"),
        pytest.param("According to the agency, Kell Ltd has opened an office; another firm infringed the law.", id="nothing wrong"),
        pytest.param("Kell Ltd was sanctioned with a ban from the league.", id="sanctioned otherwise"),
        pytest.param("Google met Vodafone at the office of the agency. The fine amounted to EUR 5,000.", id="a fine beside two firms"),
        pytest.param("The agency imposed a fine of €5,000 for Kell Moor Ltd's breach.", id="what it is for"),
    ],
)
def test_what_is_no_act(text: str) -> None:
    assert targets(read(text)) == set()


@pytest.mark.parametrize(
    ("text", "language", "firms"),
    [
        pytest.param("Die Behörde hat der Falke GmbH ein Bußgeld auferlegt.", "de", {"Falke GmbH"}, id="between verb and noun"),
        pytest.param("Der Verein verlangt ein Bußgeld für die Falke GmbH.", "de", set(), id="nobody public"),
        pytest.param("L'autorité inflige à Brévent une amende.", "fr", {"Brévent"}, id="before the noun"),
        pytest.param("De autoriteit legt een boete op.", "nl", set(), id="nobody named"),
    ],
)
def test_languages_of_a_freer_order(text: str, language: str, firms: set[str]) -> None:
    assert targets(read(text, language=language)) == firms


@pytest.mark.parametrize(
    ("title", "told"),
    [
        pytest.param(
            "NEWSLETTER - Il Garante privacy sanziona Serralunga SpA - Dal Garante ok alle linee guida di Brillo SpA - Il punto",
            [("fine", {"Serralunga SpA"})],
            id="each story for itself",
        ),
        pytest.param("NEWSLETTER - Il Garante privacy sanziona una banca - Online le FAQ - Il punto", [("fine", set())], id="unnamed"),
        pytest.param("Il Garante privacy sanziona Serralunga SpA - le ragioni", [("fine", {"Serralunga SpA"})], id="one dash"),
    ],
)
def test_newsletters(title: str, told: list[tuple[str, set[str]]]) -> None:
    reading = read("", title=title, regulator="it-garante", language="it")
    assert [(action.kind.value, {firm.surface for firm in action.targets}) for action in reading.actions] == told


@pytest.mark.parametrize(
    ("title", "text", "found"),
    [
        pytest.param(
            "GXO / Kell merger inquiry",
            "The CMA investigates the purchase by GXO Logistics, Inc. of Kell.",
            {"GXO Logistics, Inc.", "Kell"},
            id="beginning",
        ),
        pytest.param(
            "KBF / Moor merger inquiry",
            "The CMA investigates the acquisition by Kell British Foods plc of Moor.",
            {"Kell British Foods plc", "Moor"},
            id="initials",
        ),
        pytest.param("viagetto / Moor merger inquiry", "", {"viagetto", "Moor"}, id="a firm in small letters"),
        pytest.param("Moor / several care homes merger inquiry", "", {"Moor"}, id="no firm in small letters"),
    ],
)
def test_parties_of_mergers(title: str, text: str, found: set[str]) -> None:
    assert targets(read(text, title=title, regulator="gb-cma")) == found


def test_a_titles_short_names_and_the_full_ones_are_one_merger() -> None:
    text = "The CMA investigated the completed acquisition by Riverbank Ltd of Moorland Ltd."
    (action,) = read(text, title="Hale / Polka merger inquiry", regulator="gb-cma").actions
    assert {firm.surface.rstrip(".") for firm in action.targets} == {"Hale", "Polka", "Riverbank Ltd", "Moorland Ltd"}


@pytest.mark.parametrize(
    ("title", "regulator", "told"),
    [
        pytest.param(
            "Quill Link LLC and Issa Roe to Pay $9 Million to Resolve Claims", None, [("settlement", {"Quill Link LLC"})], id="will pay"
        ),
        pytest.param("Quill Link LLC to Pay $9 Billion for New Warehouses", None, [], id="will pay for something else"),
        pytest.param("Google ordered to stop tracking children", None, [("rectification", {"Google"})], id="ordered, by whom is plain"),
        pytest.param("Google staff ordered to return", None, [], id="its staff"),
        pytest.param("AG Secures Settlement from Google Over Data", "us-ny-ag", [("settlement", {"Google"})], id="a settlement from it"),
        pytest.param("AG announces settlements with Google and Verizon", "us-ny-ag", [("settlement", {"Google", "Verizon"})], id="two"),
        pytest.param(
            "CMA clears Kellmoor merger with Fernhill", "gb-cma", [("merger_decision", {"Kellmoor", "Fernhill"})], id="a merger with"
        ),
        pytest.param(
            "Commission approves Baker Kell's acquisition of Moor Industries",
            "eu-ec",
            [("merger_decision", {"Baker Kell", "Moor Industries"})],
            id="who buys is a firm",
        ),
        pytest.param(
            "CMA approves Emma Carter's acquisition of Moor Industries",
            "gb-cma",
            [("merger_decision", {"Moor Industries"})],
            id="or a person",
        ),
        pytest.param(
            "CMA clears merger between St. Kell's and Moorland",
            "gb-cma",
            [("merger_decision", {"St. Kell's", "Moorland"})],
            id="between two",
        ),
        pytest.param(
            "ACCC will not oppose Kell's acquisition of Moor Foods",
            "au-accc",
            [("merger_decision", {"Kell", "Moor Foods"})],
            id="not opposed",
        ),
        pytest.param("CMA consults on new requirements for Google", "gb-cma", [("rectification", {"Google"})], id="proposed requirements"),
        pytest.param("CMA consults on new requirements for payment services", "gb-cma", [], id="for nobody by name"),
        pytest.param(
            "SEC Charges Investment Adviser Kell Wealth Advisors and Two Executives in Scheme",
            "us-sec",
            [("lawsuit", {"Kell Wealth Advisors"})],
            id="an adviser",
        ),
        pytest.param(
            "Texas-based Hospital Chain Kell Pine Health to Pay $14 Million to Settle Claims",
            None,
            [("settlement", {"Kell Pine Health"})],
            id="a chain",
        ),
        pytest.param("FTC Sues Rideshare Company Zephyr for Hiding Fees", "us-ftc", [("lawsuit", {"Zephyr"})], id="a company of that name"),
        pytest.param(
            "FTC Sues Kell Motor Company for Hiding Fees", "us-ftc", [("lawsuit", {"Kell Motor Company"})], id="a name that ends so"
        ),
        pytest.param("Kell Motor Company Fined for Delays", "us-ftc", [("fine", {"Kell Motor Company"})], id="a verb is no name"),
        pytest.param("Charity fined £18,000 for losing records", "gb-ico", [], id="a noun that begins the sentence"),
        pytest.param(
            "Visa and Mastercard sued by the FTC over fees", None, [("lawsuit", {"Visa", "Mastercard"})], id="Visa is a firm here"
        ),
        pytest.param("FTC fines agent over visa and passport fees", None, [], id="and none here"),
        pytest.param(
            "CMA secures undertakings from Emma Sleep", "gb-cma", [("consent_order", {"Emma Sleep"})], id="a given name and a trade"
        ),
        pytest.param(
            "Adjudication Order in the matter of Kell Infotech Limited", "in-sebi", [("other", {"Kell Infotech Limited"})], id="an order"
        ),
    ],
)
def test_headlines(title: str, regulator: str | None, told: list[tuple[str, set[str]]]) -> None:
    reading = read("", title=title, regulator=regulator)
    assert [(one.kind.value, {firm.surface for firm in one.targets}) for one in reading.actions if one.targets] == told


def test_a_list_in_the_next_sentence_of_firms_with_forms() -> None:
    text = "The three are Kell Bank Ltd., Moor Trust Pte. Ltd. and Fern Securities Pte. Ltd."
    reading = read(text, title="MAS Imposes Penalties of S$3 Million on Three Financial Institutions", regulator="sg-mas")
    assert {surface.rstrip(".") for surface in targets(reading)} == {"Kell Bank Ltd", "Moor Trust Pte. Ltd", "Fern Securities Pte. Ltd"}
