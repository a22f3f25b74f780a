"""What was done: kinds and their precedence, negation and modality, status, several acts in one text."""

from __future__ import annotations

import pytest

from bot.extract.text import lexicon
from storage.models import Kind, Role, Status
from storage.records import Extraction
from tests.reading import read, targets


def told(reading: Extraction) -> list[tuple[str, list[str]]]:
    return [(action.kind.value, sorted(firm.firm_id or firm.surface for firm in action.targets)) for action in reading.actions]


def test_the_lexicon_names_only_known_kinds_and_ranks_all() -> None:
    frames = {"object", "act", "passive", "noun", "matter", "subject", "accused", "letter", "merger", "body", "finding", "listed"}
    for kinds in lexicon()["triggers"].values():
        assert set(kinds) <= {kind.value for kind in Kind}
        assert {frame for listed in kinds.values() for frame in listed} <= frames
    assert set(lexicon()["precedence"]) == {kind.value for kind in Kind}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        pytest.param("The agency summoned Baidu.", "talks", id="talks"),
        pytest.param("The agency sent a request for information to Baidu.", "information_request", id="information request"),
        pytest.param("The agency opened a probe into Baidu.", "investigation", id="investigation"),
        pytest.param("The agency issued a warning letter to Baidu.", "warning", id="warning"),
        pytest.param("The agency ordered Baidu to delete the data.", "rectification", id="order to remedy"),
        pytest.param("Tesla recalls 9,000 cars.", "recall", id="recall"),
        pytest.param("Prosecutors sued Baidu.", "lawsuit", id="lawsuit"),
        pytest.param("The commission sent a statement of objections to Baidu.", "proposed_penalty", id="proposed penalty"),
        pytest.param("Baidu agreed to pay €4 million.", "settlement", id="settlement"),
        pytest.param("Baidu entered into a consent decree with the agency.", "consent_order", id="consent order"),
        pytest.param("The agency imposed a fine on Baidu.", "fine", id="fine"),
        pytest.param("The agency ordered the disgorgement of €3 million against Baidu.", "confiscation", id="confiscation"),
        pytest.param("The agency suspended trading in Baidu shares.", "suspension", id="suspension"),
        pytest.param("The agency delisted Baidu.", "removal", id="removal"),
        pytest.param("The ministry banned Baidu.", "ban", id="ban"),
        pytest.param("The commission cleared the acquisition of iQiyi by Baidu.", "merger_decision", id="merger"),
        pytest.param("The agency dropped its investigation into Baidu.", "closed", id="closed"),
        pytest.param("The court annulled the decision against Baidu, quashed the fine on Baidu.", "annulment", id="annulment"),
        pytest.param("The commission designated Baidu as a gatekeeper.", "other", id="designation"),
        pytest.param("约谈百度", "talks", id="talks, zh"),
        pytest.param("深交所向百度发出问询函。", "information_request", id="inquiry letter, zh"),
        pytest.param("百度被证监会立案调查。", "investigation", id="investigation, zh"),
        pytest.param("百度收到深交所警示函。", "warning", id="warning, zh"),
        pytest.param("责令百度限期改正。", "rectification", id="order, zh"),
        pytest.param("百度紧急召回音箱。", "recall", id="recall, zh"),
        pytest.param("美国司法部起诉百度。", "lawsuit", id="lawsuit, zh"),
        pytest.param("监管部门拟处罚百度。", "proposed_penalty", id="proposed, zh"),
        pytest.param("百度与美国证监会达成和解。", "settlement", id="settlement, zh"),
        pytest.param("对百度处以罚款。", "fine", id="fine, zh"),
        pytest.param("没收百度违法所得。", "confiscation", id="confiscation, zh"),
        pytest.param("监管部门叫停百度新业务。", "suspension", id="suspension, zh"),
        pytest.param("网信办下架百度。", "removal", id="removal, zh"),
        pytest.param("监管部门封禁百度。", "ban", id="ban, zh"),
        pytest.param("商务部附条件批准百度收购案。", "merger_decision", id="merger, zh"),
        pytest.param("证监会决定对百度终止调查。", "closed", id="closed, zh"),
        pytest.param("Le régulateur a infligé une amende à Google.", "fine", id="fine, fr"),
        pytest.param("Die Behörde leitet ein Verfahren gegen Google ein.", "investigation", id="investigation, de"),
        pytest.param("Il Garante sanziona Google per 90mila euro.", "fine", id="fine, it"),
    ],
)
def test_kinds(text: str, kind: str) -> None:
    reading = read(text)
    assert kind in [action.kind.value for action in reading.actions if action.targets]


@pytest.mark.parametrize(
    "text",
    [
        "Google was not fined by the agency.",
        "Google denied it had been sued by the commission.",
        "The agency has powers to fine Google.",
        "Lawmakers urge the agency to investigate Google.",
        "The agency could ban Google if it fails again.",
        "Without a settlement with Google the case goes on.",
        "谷歌否认被罚款。",
        "监管部门暂不处罚谷歌。",
        "谷歌未遭处罚。",
        "市场监管总局并未约谈谷歌。",
        "如果违规，谷歌将被下架。",
        "谷歌称被处罚的消息不实。",
        "Investors sued Google.",
        "Users banned Google from their phones.",
        "谷歌被用户起诉。",
        "谷歌下架了三款应用。",
        "The watchdog warned about fake shops that look like Google.",
        "The fine print of Google was long, the agency found.",
        "A survey by the agency asked Google users.",
        "Google investigates a data leak.",
        "The agency fined a Google shareholder.",
        "The agency imposed a fine on a Google executive.",
        "The agency opened a probe into customers of Google.",
        "A Google executive fine was paid to the agency.",
        "The agency imposed a fine on three traders.",
        "An investigation that Google backed goes on, the agency said.",
        "The fine amused Google, the agency said.",
        "The agency ordered disgorgement of €3 million to Google.",
        "Talks with Google were suspended by the agency.",
        "Google to be fined? The agency was silent.",
        "百度警示函范本公布。",
        "百度被处罚的可能性不大。",
        "责令百度旗下公司整改。",
        "谷歌问卷调查结果公布。",
    ],
)
def test_no_act_against_the_firm(text: str) -> None:
    assert targets(read(text)) == set()


@pytest.mark.parametrize(
    ("text", "kind", "status"),
    [
        pytest.param("The agency fined Google.", Kind.FINE, Status.IN_FORCE, id="in force"),
        pytest.param(
            "The Competition and Markets Authority may fine Google.", Kind.PROPOSED_PENALTY, Status.PROPOSED, id="possible, by a named body"
        ),
        pytest.param("The commission provisionally fined Google.", Kind.PROPOSED_PENALTY, Status.PROPOSED, id="provisional"),
        pytest.param("The tribunal upheld the fine on Google.", Kind.FINE, Status.FINAL, id="upheld"),
        pytest.param("The court overturned the fine on Google.", Kind.ANNULMENT, Status.ANNULLED, id="overturned"),
        pytest.param("The agency fined Google; the fine on Google was reduced to €2 million.", Kind.FINE, Status.REDUCED, id="reduced"),
        pytest.param("The tribunal annulled Google's designation.", Kind.ANNULMENT, Status.ANNULLED, id="annulled"),
        pytest.param("Google agreed to settle.", Kind.SETTLEMENT, Status.FINAL, id="settled"),
        pytest.param("Google appealed, the commission said.", Kind.APPEAL, Status.APPEALED, id="appealed"),
        pytest.param("法院维持对谷歌的罚款，驳回上诉。", Kind.FINE, Status.FINAL, id="upheld, zh"),
        pytest.param("法院撤销对谷歌的罚款，谷歌上诉成功。", Kind.ANNULMENT, Status.ANNULLED, id="overturned, zh"),
        pytest.param("The agency is considering whether to designate Google.", Kind.OTHER, Status.PROPOSED, id="a designation considered"),
    ],
)
def test_status(text: str, kind: Kind, status: Status) -> None:
    assert (kind, status) in [(action.kind, action.status) for action in read(text).actions]


def test_one_act_in_several_words_is_one_action() -> None:
    reading = read("The agency fined Google €5 million and ordered it to delete the data after an investigation into Google.")
    assert told(reading) == [("fine", ["google"])]


@pytest.mark.parametrize(
    ("text", "told_of"),
    [
        pytest.param("Google faces a €5 million fine, the agency said.", [("fine", ["google"])], id="faces a fine"),
        pytest.param("Prosecutors filed a lawsuit against Google.", [("lawsuit", ["google"])], id="a lawsuit of a public body"),
        pytest.param("Google fined €5 million over cookies", [("fine", ["google"])], id="a headline's short passive"),
        pytest.param("Google fined HK$5 million", [("fine", ["google"])], id="and in any currency"),
        pytest.param("Google fined A$5m", [("fine", ["google"])], id="a sign with letters"),
        pytest.param("Google fined drivers A$5m last year, riders say", [], id="another stands between"),
        pytest.param("被举报3个月后监管部门处罚百度。", [("fine", ["baidu"])], id="a passive of something else"),
        pytest.param("监管部门接到举报后对百度处以罚款。", [("fine", ["baidu"])], id="a report received"),
        pytest.param("百度涉嫌垄断，公司被监管部门处罚。", [("fine", ["baidu"])], id="the firm of the part before"),
        pytest.param(
            "The FCA fined Barclays. It imposed a fine of £5 million.", [("fine", ["barclays"])], id="the sum in the next sentence"
        ),
        pytest.param(
            "The agency fined 12 companies. The agency fined Google €5 million.", [("fine", ["google"])], id="one of those counted"
        ),
        pytest.param("A fine of €5 million was paid.", [], id="nobody fines nobody"),
        pytest.param(
            "The agency opened an investigation into a clinic. It answered. The agency imposed a fine of €5 million.",
            [("fine", [])],
            id="a probe of somebody unnamed ends in a fine",
        ),
        pytest.param(
            "The agency ordered a shop to answer. As the shop did not, the agency imposed a fine in the amount of €1,900.",
            [("fine", [])],
            id="an order ends in a fine",
        ),
        pytest.param(
            "The agency opened an investigation into Google. The agency has fined three airlines €5 million.",
            [("investigation", ["google"]), ("fine", [])],
            id="a fine of others ends no probe",
        ),
        pytest.param(
            "The agency fined Google €5 million. Sanctions: €5 million fine, overturned by the court of appeal.",
            [("annulment", ["google"])],
            id="overturned",
        ),
        pytest.param(
            "The agency intends to fine Google €9 million. The final fine imposed on the company was set at €5 million.",
            [("fine", ["google"])],
            id="a proposed fine becomes final",
        ),
        pytest.param(
            "The agency fined Barclays €5 million for dealings with Google. On 3 May 2012 the agency designated Google.",
            [("fine", ["barclays"])],
            id="a designation long ago is background",
        ),
        pytest.param(
            "The agency fined Barclays €5 million. On 3 May 2024 the agency designated Google.",
            [("fine", ["barclays"]), ("other", ["google"])],
            id="a new one is news",
        ),
        pytest.param("Google was suspended by the policyholder, the agency said.", [], id="suspended by somebody else"),
        pytest.param("The agency approved Google's plans to purchase tools.", [], id="a purchase of no firm"),
        pytest.param("The agency in the thatched house fined Google.", [("fine", ["google"])], id="a word inside a word parts no clause"),
        pytest.param("Google sold tea. The company received a fine.", [], id="a fine of nobody"),
        pytest.param("It rained. The agency met Google. Lawyers discussed a fine on the company.", [], id="a fine that is discussed"),
        pytest.param("The agency announces the closing of the investigation of Google.", [("closed", ["google"])], id="a probe is closed"),
        pytest.param("The agency closes in on the investigation of Google.", [("investigation", ["google"])], id="and one goes on"),
        pytest.param("The fine was not issued against Google, the agency said.", [], id="not against it"),
        pytest.param("In May, the company received a fine of €5 million, the agency said.", [("fine", [])], id="a company received it"),
        pytest.param("It rained. It was cold. The shop shut. A fine of €5 million was paid.", [], id="nobody, far down"),
        pytest.param(
            "The Competition and Markets Authority cleared the acquisition of Fernhill Foods by Google.",
            [("merger_decision", ["Fernhill Foods", "google"])],
            id="a party outside the register",
        ),
    ],
)
def test_told(text: str, told_of: list[tuple[str, list[str]]]) -> None:
    assert told(read(text)) == told_of


@pytest.mark.parametrize(
    "text", ["The agency fined an Alibaba affiliate.", "An Alibaba affiliate was fined by the agency.", "责令阿里巴巴旗下公司整改。"]
)
def test_the_owner_of_an_unnamed_target_is_group(text: str) -> None:
    (action,) = read(text).actions
    assert [(firm.firm_id, firm.role) for firm in action.firms] == [("alibaba", Role.GROUP)]


def test_a_title_without_the_firm_is_the_same_act() -> None:
    reading = read("The regulator fined Barclays £5 million.", title="Regulator opens probe into a bank")
    assert told(reading) == [("fine", ["barclays"])]


def test_a_count_of_others_is_not_stated() -> None:
    assert read("The agency fined Google, Meta and Apple after two firms complained.").actions[0].stated_count is None


def test_two_acts_against_two_firms_are_two() -> None:
    reading = read("The agency fined Google €5 million. Separately, the ministry banned Huawei.")
    assert told(reading) == [("fine", ["google"]), ("ban", ["huawei"])]


def test_a_later_sentence_about_the_same_act_joins_it() -> None:
    reading = read("The FCA fined Barclays £5 million. The fine follows a probe into Barclays.")
    assert told(reading) == [("fine", ["barclays"])]


def test_chinese_clauses_leave_the_firm_out() -> None:
    reading = read("网信办责令快手整改，暂停新用户注册，并处以罚款。")
    assert told(reading) == [("fine", ["kuaishou"])]


def test_digest_titles_hold_several_acts() -> None:
    reading = read("", title="百度被罚50万元；美团收到警示函；比亚迪发布新车")
    assert told(reading) == [("fine", ["baidu"]), ("warning", ["meituan"])]


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("Speech by the Chair on open banking", Kind.SPEECH),
        ("Guidance on outsourcing", Kind.GUIDANCE),
        ("Consultation on fees", Kind.CONSULTATION),
        ("Final rule on disclosures", Kind.RULE),
        ("Staff news", None),
    ],
)
def test_documents_without_an_act_are_what_their_title_says(title: str, kind: Kind | None) -> None:
    reading = read("Thank you.", title=title, regulator="gb-fca")
    assert [action.kind for action in reading.actions] == ([kind] if kind else [])
    assert not read("Thank you.", title=title).actions


def test_a_field_names_the_respondent() -> None:
    reading = read(
        "National case. Company: see there. Controller: Acme Dati S.p.A. Decision: administrative fine.",
        title="Italian authority fined a company 40 000 EUR",
    )
    assert told(reading) == [("fine", ["Acme Dati S.p.A."])]


@pytest.mark.parametrize(
    ("title", "found"),
    [
        ("SEC v. Orchid Row Partners LLC", {"Orchid Row Partners LLC"}),
        ("Orchid Row: consumer protection enforcement case", {"Orchid Row"}),
        ("In the matter of Orchid Row Inc.", {"Orchid Row Inc."}),
        ("Google: digital mergers consumer enforcement case", {"google"}),
        ("Google LLC, Docket No. IN21-4-000", {"google"}),
        ("Market Policy, Docket No. AD21-1-000", set()),
        ("Orchid Energy, Docket No. IN21-3-000, 170 FERC ¶ 61,001", {"Orchid Energy"}),
    ],
)
def test_captions(title: str, found: set[str]) -> None:
    assert (
        targets(read("The Commission approved a settlement of $5,000 resolving the investigation.", title=title, regulator="us-sec"))
        == found
    )


def test_merger_parties_are_targets() -> None:
    reading = read("", title="Orchid / Fern merger inquiry", regulator="gb-cma")
    assert told(reading) == [("merger_decision", ["Fern", "Orchid"])]
    assert told(read("", title="Google / Fern merger inquiry", regulator="gb-cma")) == [("merger_decision", ["Fern", "google"])]


def test_other_firms_of_the_sentence_are_kept_with_their_roles() -> None:
    (action,) = read("Acting on a complaint by Spotify and Epic Games, the European Commission opened a probe into Apple.").actions
    assert {firm.firm_id: firm.role for firm in action.firms} == {
        "apple": Role.TARGET,
        "spotify": Role.COMPLAINANT,
        "epic-games": Role.COMPLAINANT,
    }


def test_evidence_begins_with_the_telling_sentence() -> None:
    (action,) = read("Much was said. The agency fined Google €5 million. Nobody spoke.").actions
    assert action.evidence[0].text == "The agency fined Google €5 million."
    assert {proof.field for proof in action.evidence} >= {"kind", "firms", "amount"}
