"""`explain` in and out: texts to be read, and readings as the JSON that `--json` promises.

In: plain text, or JSON lines `{id, title, text, lang, published, regulator}` of which only a text or a title
must be there; an empty one is a text without an action. Out: one object for each input; offsets are code
points into `title + "\\n" + text`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from storage.records import DocumentText, Extraction, FoundAction, FoundAmount, FoundFirm, FoundRegulator, Register
from storage.text import fold

_DATED = re.compile(r"^\W*(?:date:?\s*)?(\d{4}-\d{2}-\d{2})(?=\s)", re.IGNORECASE)


def read_inputs(text: str, register: Register) -> Iterator[tuple[str, DocumentText]]:
    """The texts of an input, each with its id. Raises ValueError with the line that cannot be read."""
    first = text.lstrip()[:1]
    if first != "{":
        yield "1", plain(text)
        return
    # not splitlines: JSON lets the other ends of lines (U+2028, U+0085) stand in a string as they are
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise ValueError(f"line {number} is no JSON: {error.msg}") from error
        if not isinstance(row, dict) or not row.keys() & {"text", "title"}:
            raise ValueError(f"line {number} has neither text nor title")
        try:
            yield str(row.get("id", number)), document_of(row, register)
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from error


def plain(text: str) -> DocumentText:
    """A plain text; a date that stands before its first words is the day it was published."""
    dated = _DATED.match(text)
    return DocumentText(title="", text=text, published_at=_moment(dated[1]) if dated else None)


def document_of(row: Mapping[str, Any], register: Register) -> DocumentText:
    """The document of an input row. Raises ValueError when `published` is no ISO date."""
    try:
        published = _moment(str(row["published"])) if row.get("published") else None
    except ValueError as error:
        raise ValueError(f"published is no ISO date: {row['published']!r}") from error
    return DocumentText(
        title=str(row.get("title") or ""),
        text=str(row.get("text") or ""),
        published_at=published,
        language=row.get("lang") or None,
        regulator_id=_regulator_id(str(row.get("regulator") or ""), register),
    )


def _moment(value: str) -> datetime:
    """An ISO date or time; without a zone it is UTC, so that its day stays its day."""
    at = datetime.fromisoformat(value.replace("Z", "+00:00"))
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _regulator_id(named: str, register: Register) -> str | None:
    """The id of a regulator that is given by id or by one of its names; None when nobody bears it."""
    folded = fold(named).strip()
    for row in register.regulators:
        if folded and folded in {row.id, *(fold(name) for name in (row.name, row.name_native, *row.aliases, *row.context_aliases))}:
            return row.id
    return None


def reading_json(name: str, reading: Extraction, register: Register) -> dict[str, object]:
    """A reading in the shape of the contract."""
    names = {row.id: row.name for row in register.regulators}
    return {
        "id": name,
        "language": reading.language,
        "actions": [_action(action, names) for action in reading.actions],
        "mentions": [_firm(firm) for firm in reading.mentions],
    }


def _action(action: FoundAction, names: dict[str, str]) -> dict[str, object]:
    regulators = [_regulator(regulator, names) for regulator in action.regulators]
    quote = action.evidence[0] if action.evidence else None
    return {
        "kind": action.kind,
        "status": action.status,
        "regulator": regulators[0] if regulators else None,
        **({"regulators": regulators} if len(regulators) > 1 else {}),
        "firms": [_firm(firm) for firm in action.firms],
        "stated_count": action.stated_count,
        "amounts": [_amount(one) for amount in action.amounts for one in (amount, *amount.converted)],
        "decided_on": str(action.decided_on) if action.decided_on else None,
        "precision": action.decided_on.precision if action.decided_on else None,
        "document_number": action.number,
        "evidence": {"text": quote.text, "start": quote.start, "end": quote.end} if quote else None,
    }


def _regulator(regulator: FoundRegulator, names: dict[str, str]) -> dict[str, object]:
    return {"id": regulator.regulator_id, "name": names.get(regulator.regulator_id or "", regulator.name)}


def _firm(firm: FoundFirm) -> dict[str, object]:
    return {
        "id": firm.firm_id,
        "name": firm.name,
        "surface": firm.surface,
        "role": firm.role,
        "start": firm.start,
        "end": firm.end,
        "via": firm.via,
    }


def _amount(amount: FoundAmount) -> dict[str, object]:
    return {
        "surface": amount.surface,
        "min": _number(amount.minimum),
        "max": _number(amount.maximum),
        "currency": amount.currency,
        "kind": amount.kind,
        "scope": amount.scope,
        "start": amount.start,
        "end": amount.end,
    }


def _number(value: Any) -> int | float:
    return int(value) if value == int(value) else float(value)
