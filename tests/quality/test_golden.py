"""Golden texts, written for this test: each must be read exactly so. Every bug found in the field becomes a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from storage.models import Role
from storage.records import FoundAction
from tests.reading import read, targets

ROWS = [json.loads(line) for line in (Path(__file__).parent / "golden.jsonl").read_text("utf-8").splitlines()]


def _problems(wanted: dict[str, Any], action: FoundAction) -> list[str]:
    told: dict[str, Any] = {
        "status": action.status.value,
        "count": action.stated_count,
        "decided": str(action.decided_on),
        "number": action.number,
        "regulators": [regulator.regulator_id for regulator in action.regulators],
        "group": [firm.firm_id for firm in action.firms if firm.role is Role.GROUP],
        "amount": [[int(amount.maximum), amount.currency] for amount in action.amounts],
        "amount_max": [int(amount.maximum) for amount in action.amounts],
        "scope": [amount.scope.value for amount in action.amounts],
    }
    problems = []
    for key, value in wanted.items():
        if key in ("kind", "targets", "any_target"):
            continue
        if key in ("amount", "amount_max", "scope"):
            if value not in told[key]:
                problems.append(f"{key}: {told[key]}")
        elif told[key] != value:
            problems.append(f"{key}: {told[key]}")
    got = {firm.firm_id or firm.surface for firm in action.targets}
    if wanted["targets"] and (got < set(wanted["targets"]) or (got != set(wanted["targets"]) and not wanted.get("any_target"))):
        problems.append(f"targets: {got}")
    return problems


@pytest.mark.parametrize("row", ROWS, ids=[f"{row['id']} {(row['title'] or row['text'])[:50]}" for row in ROWS])
def test_golden(row: dict[str, Any]) -> None:
    extraction = read(row["text"], title=row["title"], on=row["published"], regulator=row["regulator"], language=row["lang"])
    kinds = [action.kind.value for action in extraction.actions]
    for wanted in row["actions"]:
        assert wanted["kind"] in kinds, kinds
        tried = [_problems(wanted, action) for action in extraction.actions if action.kind.value == wanted["kind"]]
        assert [] in tried, tried
    if not row["actions"]:
        assert not targets(extraction)
    assert not targets(extraction) & set(row["never"])
    roles = {firm.firm_id: firm.role.value for firm in extraction.mentions}
    for firm_id, role in row["roles"].items():
        assert roles.get(firm_id) == role
