"""Scoring: what counts as right, what as wrong, and what is not scored, on labels written for this test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.evaluate import LabelError, Run, changed, evaluate, label_files, read_labels
from bot.feeds.catalog import load_catalogue
from storage.firms import shipped_register

FINE = "The Financial Conduct Authority fined Deutsche Bank AG £7.2 million on 3 May 2024."
QUIET = "Tencent Holdings Ltd opened a new office in Shenzhen."


def row(text: str = FINE, firms: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    """A label row; `firms` is name -> role."""
    named = [{"name": name, "role": role} for name, role in (firms if firms is not None else {"Deutsche Bank AG": "target"}).items()]
    empty = {
        "id": "r1",
        "source": "own",
        "lang": "en",
        "title": None,
        "published": None,
        "regulator": None,
        "amount": None,
        "currency": None,
    }
    return {**empty, "text": text, "firms": named, "action": "fine", "note": "", **more}


def run(*rows: dict[str, Any], tmp_path: Path, name: str = "own.dev.jsonl") -> Run:
    (tmp_path / name).write_text("\n".join(json.dumps(one, ensure_ascii=False) for one in rows) + "\n", encoding="utf-8")
    return evaluate(read_labels(tmp_path / name), shipped_register(load_catalogue().regulators))


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        pytest.param([row()], {"target_recall": 1.0, "target_precision": 1.0, "kind_accuracy": 1.0, "missed_alerts": 0.0}, id="right"),
        pytest.param(
            [row(firms={"德意志银行": "target"})],
            {"target_recall": 1.0, "target_recall_to_the_letter": 1.0},
            id="any name in the register is the firm",
        ),
        pytest.param(
            [row(FINE.replace("Deutsche Bank AG", "Oakhurst Lending LLC"), {"Oakhurst": "target"})],
            {"target_recall": 1.0, "target_recall_to_the_letter": 0.0},
            id="a name that the other goes on from, and to the letter it is not",
        ),
        pytest.param(
            [row(firms={"Barclays": "target"})], {"target_recall": 0.0, "target_precision": 0.0}, id="another firm is wrong twice"
        ),
        pytest.param(
            [row(firms={"Barclays": "target"}, note="same_firm=Barclays|Deutsche Bank")], {"target_recall": 1.0}, id="same_firm: either"
        ),
        pytest.param([row(firms={}, note="alt_target=Deutsche Bank (r2)")], {"target_precision": None}, id="alt_target is not judged"),
        pytest.param([row(firms={"Deutsche Bank": "party"})], {"target_precision": None, "target_recall": None}, id="nor is a party"),
        pytest.param([row(firms={"Deutsche Bank": "mentioned"})], {"mention_as_target": 1.0, "target_precision": 0.0}, id="a mention"),
        pytest.param([row(action="none", firms={})], {"false_alarms": 1.0}, id="a false alarm"),
        pytest.param([row(QUIET, action="none", firms={})], {"false_alarms": 0.0, "whole_record": 1.0}, id="silence"),
        pytest.param([row(QUIET, firms={"Tencent": "target"})], {"missed_alerts": 1.0, "kind_accuracy": 0.0}, id="a missed alert"),
        pytest.param(
            [row(QUIET, firms={"Tencent": "target"}, note="alt=none")], {"missed_alerts": None, "kind_accuracy": None}, id="alt=none"
        ),
        pytest.param([row(action="recall")], {"kind_accuracy": 0.0, "target_recall": 1.0}, id="another kind"),
        pytest.param([row(action="recall", note="alt=fine")], {"kind_accuracy": 1.0}, id="a kind that is right too"),
        pytest.param([row(action=None)], {"kind_accuracy": None}, id="an unknown kind is not scored"),
        pytest.param([row(amount=7_200_000.0, currency="GBP")], {"amounts_exact": 1.0, "wrong_sums": 0.0}, id="the sum"),
        pytest.param([row(amount=7_200_000.0, currency="EUR")], {"amounts_exact": 0.0, "wrong_sums": 1.0}, id="its currency counts"),
        pytest.param([row(amount=5.0, currency="GBP", note="amount_in_text=no")], {"amounts_exact": None}, id="a sum that the text lacks"),
        pytest.param([row(published="2024-05-03")], {"dates_right": 1.0}, id="the day"),
        pytest.param([row(published="2024-05-04")], {"dates_right": 0.0}, id="another day"),
        pytest.param([row(regulator="Financial Conduct Authority")], {"regulator_right": 1.0}, id="by whom"),
        pytest.param([row(source="event-subject", firms={"Barclays": "target"})], {"target_precision": None}, id="recall alone"),
        pytest.param(
            [row(firms={}), row(id="r2", action="recall", firms={"Deutsche Bank": "target"})],
            {"target_precision": 1.0},
            id="another row of the same text wants it",
        ),
        pytest.param(
            [
                row(
                    None,
                    title="oak & co. inc., elm llc",
                    id="split-1",
                    firms={"Oak & Co. Inc.": "target", "Elm LLC": "target"},
                    action=None,
                )
            ],
            {"split_exact": 1.0},
            id="a string of names",
        ),
    ],
)
def test_scores(rows: list[dict[str, Any]], wanted: dict[str, float | None], tmp_path: Path) -> None:
    table = run(*rows, tmp_path=tmp_path).scores["own", "all"]
    assert {name: table[name].value if name in table else None for name in wanted} == wanted


def test_a_sum_where_the_text_states_none_is_wrong_only_in_hand_labelled_files(tmp_path: Path) -> None:
    """Elsewhere no amount means that nobody knows."""
    assert "wrong_sums" not in run(row(), tmp_path=tmp_path).scores["own", "all"]
    assert run(row(), tmp_path=tmp_path, name="own_gold.jsonl").scores["own_gold", "all"]["wrong_sums"].value == 1.0


def test_intervals_hold_the_share_and_do_not_change_from_run_to_run(tmp_path: Path) -> None:
    rows = [row(id=str(number)) if number % 3 else row(QUIET, id=str(number)) for number in range(12)]
    first, again = (run(*rows, tmp_path=tmp_path).scores["own", "all"]["target_recall"] for _ in range(2))
    assert first == again
    assert first.low < first.value < first.high
    assert first.n == 12


def test_each_language_has_scores_of_its_own_and_twins_are_compared(tmp_path: Path) -> None:
    simplified = row("市场监管总局对京东集团处以罚款300万元。", {"京东集团": "target"}, lang="zh-Hans")
    traditional = row("市場監管總局對京東集團處以罰款300萬元。", {"京東集團": "target"}, lang="zh-Hant", id="r1-hant")
    told = run(simplified, traditional, row(id="r2"), tmp_path=tmp_path)
    assert {language for _, language in told.scores} == {"all", "en", "zh-Hans", "zh-Hant"}
    assert told.twins == (1, 1)


@pytest.mark.parametrize(
    ("line", "words"),
    [("{", "line 1: no label row"), ('{"id": 1}', "KeyError"), (json.dumps(row(action="praise")), "praise"), ("7", "AttributeError")],
)
def test_a_label_file_that_cannot_be_read_names_the_line(line: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text(line + "\n")
    with pytest.raises(LabelError, match=words):
        read_labels(tmp_path / "bad.jsonl")


def test_the_names_of_a_database_are_read_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    db = ["--db", f"sqlite:///{tmp_path / 'own.sqlite'}"]
    assert CliRunner().invoke(app, ["firms", "add", "Granite Voice", "--alias", "巨岩语音", *db]).exit_code == 0
    (tmp_path / "own.jsonl").write_text(json.dumps(row("市场监管总局对巨岩语音罚款50万元。", {"Granite Voice": "target"})) + "\n")
    recalls = []
    for names in ([], db):
        read = json.loads(CliRunner().invoke(app, ["evaluate", "own.jsonl", "--json", *names]).stdout)
        recalls.append(read["files"]["own/all"]["target_recall"]["value"])
    assert recalls == [0.0, 1.0]


def test_a_label_file_is_cut_at_its_lines_alone(tmp_path: Path) -> None:
    """U+2028 may stand in a text; a BOM may stand before the first row; what is no text is told."""
    (tmp_path / "own.jsonl").write_text("\ufeff" + json.dumps(row(f"News.\u2028{FINE}"), ensure_ascii=False) + "\n", encoding="utf-8")
    assert len(read_labels(tmp_path / "own.jsonl")) == 1
    (tmp_path / "bad.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(LabelError, match="not UTF-8"):
        read_labels(tmp_path / "bad.jsonl")
    with pytest.raises(LabelError, match="directory"):
        read_labels(tmp_path)


def test_the_command_prints_saves_and_compares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A saved run, then another label: the row is listed, and a row that got worse is exit 1."""
    monkeypatch.chdir(tmp_path)
    labels = tmp_path / "labels"
    assert "labels: No such file" in CliRunner().invoke(app, ["evaluate", "labels"]).stderr
    labels.mkdir()
    saved = CliRunner().invoke(app, ["evaluate", "labels"])
    assert saved.exit_code == 2
    (labels / "own.jsonl").write_text(json.dumps(row()) + "\n")
    saved = CliRunner().invoke(app, ["evaluate", "labels", "--json"])
    assert saved.exit_code == 0
    assert json.loads(saved.stdout)["files"]["own/all"]["target_recall"] == {"value": 1.0, "low": 1.0, "high": 1.0, "n": 1}
    (tmp_path / "run.json").write_text(saved.stdout)
    same = CliRunner().invoke(app, ["evaluate", "labels", "--diff", "run.json"])
    assert "0 rows changed" in same.stdout
    assert same.exit_code == 0
    (labels / "own.jsonl").write_text(json.dumps(row(action="recall")) + "\n")
    worse = CliRunner().invoke(app, ["evaluate", "labels", "--diff", "run.json", "--wrong"])
    assert worse.exit_code == 1
    assert "kind: recall wanted, fine read" in worse.stdout
    assert "1 rows changed" in worse.stdout
    (tmp_path / "run.json").write_text("{")
    assert CliRunner().invoke(app, ["evaluate", "labels", "--diff", "run.json"]).exit_code == 2


def test_rows_that_a_saved_run_does_not_know_are_no_change(tmp_path: Path) -> None:
    assert changed(run(row(), tmp_path=tmp_path), {"rows": []}) == []


@pytest.mark.parametrize(
    ("name", "floors", "ceilings"),
    [
        ("feeds_gold", {"target_f1": 0.88, "kind_accuracy": 0.9, "amounts_exact": 0.99}, {"false_alarms": 0.03, "missed_alerts": 0.1}),
        ("zh_headlines_gold", {"target_f1": 0.9, "kind_accuracy": 0.9}, {"mention_as_target": 0.05}),
        (
            "zh_wechat_gold",
            {"target_f1": 0.9, "kind_accuracy": 0.9, "amounts_exact": 0.95},
            {"mention_as_target": 0.05, "false_alarms": 0.03},
        ),
        ("ccks19", {"target_recall": 0.65}, {"false_alarms": 0.03}),
        ("ofac", {"target_recall": 0.95, "amounts_exact": 0.97, "kind_accuracy": 0.95}, {"wrong_sums": 0.02}),
        ("ferc", {"target_recall": 0.95, "amounts_exact": 0.98, "dates_right": 0.95}, {"wrong_sums": 0.02}),
        ("gdpr_et", {"target_recall": 0.83, "amounts_exact": 0.98, "target_precision": 0.93}, {"wrong_sums": 0.02}),
        ("party_split", {"split_exact": 0.95, "split_firms_read": 0.95}, {}),
        ("seed_gold", {"whole_record": 1.0}, {}),
    ],
)
def test_the_shared_labels_are_read_no_worse_than_before(
    name: str, floors: dict[str, float], ceilings: dict[str, float], shared: Path
) -> None:
    labels = [label for path in label_files(shared / "eval") if path.name.startswith(name) for label in read_labels(path)]
    table = evaluate(labels, shipped_register(load_catalogue().regulators)).scores[name, "all"]
    assert {score: table[score].value for score, floor in floors.items() if table[score].value < floor} == {}
    assert {score: table[score].value for score, ceiling in ceilings.items() if table[score].value > ceiling} == {}
