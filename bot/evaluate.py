"""`evaluate`: how well texts are read, told against labels, per file and language.

    evaluate(folder, register, on_row=...) -> Run

A label file is JSON lines `{id, lang, title, text, published, firms: [{name, role}], action, regulator, amount,
currency, note}`. Roles: `target` must be found, `related` and `mentioned` must not be reported as targets, `party`
and `person` count neither way. Marks in the note: `alt=KIND` (right too), `alt_target=NAME` (neither wanted nor
wrong), `same_firm=A|B` (either is enough), `amount_in_text=...` (only `exact` is scored). Which kinds count as
right for a label is the contract's table, `ACCEPTED`.

Every score is a share of a sum over rows (F1 and the macro mean over labels come from such sums too), so each gets
an interval by drawing the rows anew 400 times, with a fixed seed: two runs of one reading print the same.
"""

from __future__ import annotations

import json
import random
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from bot.explain import document_of
from bot.extract import FirmIndex, extract, parties
from bot.extract.names import firm_key
from storage.models import AmountKind, Kind
from storage.records import Extraction, FoundAction, FoundFirm, Register
from storage.text import fold

ACCEPTED: Mapping[str, frozenset[Kind]] = {
    "summons": frozenset((Kind.TALKS,)),
    "warning": frozenset((Kind.WARNING,)),
    "lawsuit": frozenset((Kind.LAWSUIT,)),
    "recall": frozenset((Kind.RECALL,)),
    "fine": frozenset((Kind.FINE, Kind.CONFISCATION, Kind.SETTLEMENT, Kind.CONSENT_ORDER)),
    "settlement": frozenset((Kind.FINE, Kind.CONFISCATION, Kind.SETTLEMENT, Kind.CONSENT_ORDER)),
    "investigation": frozenset((Kind.INVESTIGATION, Kind.INFORMATION_REQUEST, Kind.PROPOSED_PENALTY)),
    "order": frozenset((Kind.RECTIFICATION, Kind.CONSENT_ORDER, Kind.REMOVAL, Kind.SUSPENSION, Kind.BAN)),
    "ban": frozenset((Kind.BAN, Kind.REMOVAL, Kind.SUSPENSION)),
    "charges": frozenset((Kind.LAWSUIT, Kind.PROPOSED_PENALTY, Kind.INVESTIGATION)),
    "rule": frozenset((Kind.RULE, Kind.CONSULTATION, Kind.GUIDANCE)),
    "merger_review": frozenset((Kind.MERGER_DECISION, Kind.INVESTIGATION, Kind.APPROVAL)),
    "clearance": frozenset((Kind.APPROVAL, Kind.MERGER_DECISION, Kind.CLOSED)),
    "commitments": frozenset((Kind.CONSENT_ORDER, Kind.SETTLEMENT, Kind.APPROVAL)),
    "designation": frozenset((Kind.OTHER, Kind.RULE, Kind.APPROVAL)),
    "judgment": frozenset((Kind.LAWSUIT, Kind.APPEAL, Kind.ANNULMENT, Kind.FINE, Kind.OTHER)),
    "other": frozenset(Kind),
}
"""The kinds that are right for a label."""
SILENT = frozenset((Kind.SPEECH, Kind.GUIDANCE, Kind.CONSULTATION, Kind.RULE, Kind.APPEAL, Kind.CLOSED))
"""Kinds that a text labelled `none` may have."""
RECALL_ONLY = ("event-subject",)
"""Sources that label one firm of a text: what else is found there is neither right nor wrong."""
NAMES_ONLY = "split"
"""In a row's id: a string of names, to be split."""

_MARK = re.compile(r"(alt|alt_target|same_firm|amount_in_text)=([^;()]+)")
_HAND = re.compile("gold|seed")
"""Files in which no sum means that the text states none; elsewhere it means unknown."""


class LabelError(Exception):
    """A label file that cannot be read: which line, and why."""


@dataclass(frozen=True, slots=True)
class Label:
    """What a row says that its text tells."""

    file: str
    id: str
    row: Mapping[str, Any]
    targets: tuple[tuple[str, ...], ...]  # each with the surfaces that are enough
    not_targets: tuple[str, ...]  # related and mentioned
    free: tuple[str, ...]  # neither wanted nor wrong
    kinds: frozenset[Kind] | None  # None: not scored, or none
    action: str | None
    is_mixed: bool  # an alternative lies across the line between an action and none: targets are not scored
    amount: float | None
    currency: str | None
    is_hand: bool
    siblings: tuple[str, ...] = ()  # targets of the other rows of one text, which tell its other acts

    @property
    def text(self) -> str:
        """The title, else the start of the text."""
        return str(self.row.get("title") or self.row.get("text") or "")


def read_labels(path: Path) -> list[Label]:
    """The rows of a file. Raises LabelError with the line that is none."""
    labels = []
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise LabelError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise LabelError(f"{path} is not UTF-8 text") from error
    for number, line in enumerate(text.split("\n"), 1):  # not splitlines: U+2028 may stand in a string
        if not line.strip():
            continue
        try:
            labels.append(_label(path.name.split(".")[0], json.loads(line)))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise LabelError(f"{path.name}, line {number}: no label row ({error.__class__.__name__}: {error})") from error
    told: dict[tuple[Any, Any], list[Label]] = {}
    for label in labels:
        told.setdefault((label.row.get("title"), label.row.get("text")), []).append(label)
    return [_among(label, told[label.row.get("title"), label.row.get("text")]) for label in labels]


def _among(label: Label, rows: Sequence[Label]) -> Label:
    """A row that shares its text with others tells one act of several: what the others name is not wrong."""
    others = tuple(dict.fromkeys(name for row in rows if row is not label for surfaces in row.targets for name in surfaces))
    return replace(label, siblings=others, not_targets=tuple(name for name in label.not_targets if name not in others))


def _label(file: str, row: dict[str, Any]) -> Label:
    marks: dict[str, list[str]] = {}
    for key, value in _MARK.findall(row.get("note") or ""):
        marks.setdefault(key, []).append(value.strip())
    same = [tuple(value.split("|")) for value in marks.get("same_firm", ())]
    roles: dict[str, list[str]] = {}
    for firm in row["firms"]:
        roles.setdefault(firm["role"], []).append(firm["name"])
    wanted = {next((group for group in same if name in group), (name,)) for name in roles.get("target", ())}
    action = row["action"]
    named = [action, *marks.get("alt", ())] if action else []
    exact = marks.get("amount_in_text", ["exact"])[0] == "exact"
    return Label(
        file,
        str(row["id"]),
        row,
        tuple(sorted(wanted)),
        tuple(roles.get("related", ())) + tuple(roles.get("mentioned", ())),
        tuple(roles.get("party", ())) + tuple(roles.get("person", ())) + tuple(marks.get("alt_target", ())),
        frozenset().union(*(ACCEPTED[name] for name in named if name != "none")) if named and action != "none" else None,
        action,
        len({name == "none" for name in named}) > 1,
        float(row["amount"]) if row.get("amount") is not None and exact else None,
        row.get("currency"),
        bool(_HAND.search(file)),
    )


@dataclass(slots=True)
class Outcome:
    """What was read of one row, and how it scores."""

    file: str
    id: str
    language: str
    text: str
    got: dict[str, Any]
    wrong: list[str] = field(default_factory=list)  # in words, for people
    sums: Counter[str] = field(default_factory=Counter)  # what the scores are made of


class Names:
    """Whether a labelled name and a found firm are one: by the register, or by the names without their legal forms."""

    def __init__(self, register: Register) -> None:
        self._owners: dict[str, set[str]] = {}
        for alias in register.aliases:
            self._owners.setdefault(firm_key(alias.text), set()).add(alias.firm_id)
        for firm in register.firms:
            self._owners.setdefault(firm_key(firm.name), set()).add(firm.id)

    def is_one(self, label: str, firm: FoundFirm) -> bool:
        """The same firm in the register, or the same name; a name that the other one only goes on from is one too."""
        return self.is_exact(label, firm) or any(_contains(_plain_key(label), _plain_key(other)) for other in (firm.surface, firm.name))

    def is_exact(self, label: str, firm: FoundFirm) -> bool:
        """The same firm in the register, or the same name without its legal form, to the letter."""
        key = _plain_key(label)
        is_known = bool({firm.firm_id, firm.brand_id} & self._owners.get(key, set()))
        return is_known or (bool(key) and key in (_plain_key(firm.surface), _plain_key(firm.name)))


def _plain_key(name: str) -> str:
    """The key of a name however its accents are encoded and its last sigma is written."""
    return firm_key(unicodedata.normalize("NFC", name)).replace("ς", "σ")


def _contains(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    if not short:
        return False
    if short.isascii():
        return len(short) > 3 and re.search(rf"(?<!\w){re.escape(short)}(?!\w)", long) is not None
    return len(short) > 1 and short in long


def score(label: Label, reading: Extraction, names: Names) -> Outcome:
    """Hold a reading against its label."""
    acting = [action for action in reading.actions if action.kind not in SILENT and action.targets]
    found = _firms(acting)
    outcome = Outcome(label.file, label.id, str(label.row.get("lang") or ""), label.text[:120], _told(reading, found))
    sums, wrong = outcome.sums, outcome.wrong
    if NAMES_ONLY in label.id:
        _split(label, reading, outcome)
        return outcome
    is_recall = any(name in str(label.row.get("source")) for name in RECALL_ONLY)
    hit: list[FoundFirm] = []
    if not label.is_mixed:
        for surfaces in label.targets:
            matched = [firm for firm in found if any(names.is_one(surface, firm) for surface in surfaces)]
            hit += matched
            sums["tp" if matched else "fn"] += 1
            sums["named"] += any(names.is_exact(surface, firm) for firm in matched for surface in surfaces)
            if not matched:
                wrong.append(f"missed {surfaces[0]}")
        extra = [firm for firm in found if firm not in hit and not any(names.is_one(name, firm) for name in (*label.free, *label.siblings))]
        if not is_recall:
            sums["judged"] += len(hit)
            sums["fp"] += len(extra)
            wrong += [f"no target: {firm.surface}" for firm in extra]
        if label.action == "none":
            sums["none"] += 1
            sums["alarm"] += bool(found)
            if found and is_recall:
                wrong.append(f"false alarm: {found[0].surface}")
        elif label.targets and label.action is not None:
            sums["act"] += 1
            sums["missed"] += not found
    if not is_recall:
        for name in label.not_targets:
            sums["others"] += 1
            if any(names.is_one(name, firm) and firm not in hit for firm in found):
                sums["others_hit"] += 1
                wrong.append(f"only mentioned: {name}")
    if label.kinds is not None and not (label.is_mixed and not reading.actions):
        wanted = [surface for surfaces in label.targets for surface in surfaces]
        telling = [action for action in reading.actions if any(names.is_one(name, firm) for name in wanted for firm in action.targets)]
        telling = telling or list(reading.actions if label.siblings else reading.actions[:1])
        is_right = any(action.kind in label.kinds for action in telling)
        sums["kind"] += 1
        sums["kind_right"] += is_right
        sums[f"gold:{label.action}"] += 1
        if telling:
            sums[f"said:{label.action if is_right else _label_of(telling[0].kind)}"] += 1
        sums[f"right:{label.action}"] += is_right
        if not is_right:
            wrong.append(f"kind: {label.action} wanted, {', '.join(action.kind for action in telling) or 'nothing'} read")
    _money(label, reading, outcome)
    _dates(label, reading, outcome)
    sums["rows"] += 1
    sums["whole"] += not wrong
    return outcome


def _firms(actions: Iterable[FoundAction]) -> list[FoundFirm]:
    """The targets of actions, each firm once."""
    found: dict[tuple[str | None, str], FoundFirm] = {}
    for firm in (firm for action in actions for firm in action.targets):
        found.setdefault((firm.firm_id, firm_key(firm.surface) if firm.firm_id is None else ""), firm)
    return list(found.values())


def _told(reading: Extraction, found: Sequence[FoundFirm]) -> dict[str, Any]:
    return {
        "kinds": [action.kind.value for action in reading.actions],
        "targets": sorted({firm.surface for firm in found}),
        "amounts": [f"{amount.currency} {amount.maximum:f}" for action in reading.actions for amount in action.amounts],
        "dates": [str(action.decided_on) for action in reading.actions if action.decided_on],
    }


@cache
def _label_of(kind: Kind) -> str:
    return next((label for label, kinds in ACCEPTED.items() if kind in kinds and label != "other"), "other")


def _money(label: Label, reading: Extraction, outcome: Outcome) -> None:
    penalties = [
        one
        for action in reading.actions
        for amount in action.amounts
        if amount.kind not in (AmountKind.DEAL_VALUE, AmountKind.TURNOVER)
        for one in (amount, *amount.converted)
    ]
    if label.row.get("amount") is None:
        if label.is_hand and penalties:
            outcome.sums["sums_read"] += 1
            outcome.sums["sums_wrong"] += 1
            outcome.wrong.append(f"a sum that is no penalty: {penalties[0].surface}")
        return
    if label.amount is None:
        return
    is_right = any(
        label.amount in (float(amount.minimum), float(amount.maximum)) and label.currency in (None, amount.currency) for amount in penalties
    )
    outcome.sums["amounts"] += 1
    outcome.sums["amounts_right"] += is_right
    outcome.sums["sums_read"] += bool(penalties)
    outcome.sums["sums_wrong"] += bool(penalties) and not is_right
    if not is_right:
        outcome.wrong.append(f"amount: {label.amount:g} {label.currency} wanted, {outcome.got['amounts'] or 'none'} read")


def _dates(label: Label, reading: Extraction, outcome: Outcome) -> None:
    """Where the label's day is the day of the act (penalty tables), a day that is read must be that day."""
    day = str(label.row.get("published") or "")[:10]
    if not day or label.is_hand or label.action not in ("fine", "settlement"):
        return
    read = next((str(action.decided_on) for action in reading.actions if action.decided_on), None)
    if read is not None:
        is_right = day.startswith(read)
        outcome.sums["dates"] += 1
        outcome.sums["dates_right"] += is_right
        if not is_right:
            outcome.wrong.append(f"date: {day} wanted, {read} read")


def _split(label: Label, reading: Extraction, outcome: Outcome) -> None:
    """Names of firms and persons against those that a string was split into; the firms of the reading beside."""
    wanted = sorted(_spelling(surfaces[0]) for surfaces in label.targets)
    got = sorted(_spelling(party.name) for party in parties(label.text))
    firms = {_spelling(party.name) for party in parties(label.text) if not party.is_person}
    read = {_spelling(firm.surface) for firm in reading.mentions}
    outcome.got["parts"] = [party.name for party in parties(label.text)]
    outcome.sums["splits"] += 1
    outcome.sums["splits_right"] += got == wanted
    outcome.sums["split_firms"] += 1
    outcome.sums["split_firms_right"] += firms == read
    if got != wanted:
        outcome.wrong.append(f"split: {wanted} wanted, {got} read")


def _spelling(name: str) -> str:
    """The name without its marks, brackets and former names, which are spelt in many ways."""
    bare = re.split(r"[\s,]\(|[\s,(]+(?:[fnad]/k/a|d/b/a|formerly known|now known)\b", fold(name), maxsplit=1)[0]
    return re.sub(r"[\s,.]+", " ", bare).strip()


# --- scores ----------------------------------------------------------------------------------------------------

_SHARES = {
    "target_precision": ("judged", ("judged", "fp")),
    "target_recall": ("tp", ("tp", "fn")),
    "target_recall_to_the_letter": ("named", ("tp", "fn")),
    "mention_as_target": ("others_hit", ("others",)),
    "false_alarms": ("alarm", ("none",)),
    "missed_alerts": ("missed", ("act",)),
    "kind_accuracy": ("kind_right", ("kind",)),
    "amounts_exact": ("amounts_right", ("amounts",)),
    "wrong_sums": ("sums_wrong", ("sums_read",)),
    "dates_right": ("dates_right", ("dates",)),
    "regulator_right": ("regulators_right", ("regulators",)),
    "split_exact": ("splits_right", ("splits",)),
    "split_firms_read": ("split_firms_right", ("split_firms",)),
    "whole_record": ("whole", ("rows",)),
}


@dataclass(frozen=True, slots=True)
class Score:
    """A share, the bounds that hold 95 % of the drawn samples, and out of how many it is."""

    value: float
    low: float
    high: float
    n: int


def _shares(sums: Mapping[str, int]) -> dict[str, tuple[float, int]]:
    shares: dict[str, tuple[float, int]] = {}
    for name, (part, whole) in _SHARES.items():
        n = sum(sums.get(key, 0) for key in whole)
        if n:
            shares[name] = (sums.get(part, 0) / n, n)
    if sums.get("tp", 0) + sums.get("fn", 0) and "target_precision" in shares:
        tp, n = sums.get("tp", 0), sums.get("tp", 0) + sums.get("fn", 0)
        shares["target_f1"] = (2 * tp / (2 * tp + sums.get("fp", 0) + sums.get("fn", 0)), n)
    labels = [key[5:] for key in sums if key.startswith("gold:") and sums[key]]
    if labels:
        each = [2 * sums.get(f"right:{one}", 0) / (sums[f"gold:{one}"] + sums.get(f"said:{one}", 0)) for one in labels]
        shares["kind_macro_f1"] = (sum(each) / len(each), len(labels))
    return shares


def scores(outcomes: Sequence[Outcome], draws: int = 400) -> dict[str, Score]:
    """The scores over some rows, those that have anything to count."""
    point = _shares(_added(outcomes))
    drawn: dict[str, list[float]] = {name: [] for name in point}
    dice = random.Random(0)  # noqa: S311 (a sample, no secret)
    for _ in range(draws):
        for name, (value, _n) in _shares(_added(dice.choices(outcomes, k=len(outcomes)))).items():
            drawn[name].append(value)
    return {name: Score(round(value, 4), *_bounds(drawn[name], value), n) for name, (value, n) in point.items()}


def _added(outcomes: Iterable[Outcome]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for outcome in outcomes:
        for key, value in outcome.sums.items():
            sums[key] = sums.get(key, 0) + value
    return sums


def _bounds(values: list[float], point: float) -> tuple[float, float]:
    if not values:
        return point, point
    values.sort()
    return round(values[int(0.025 * len(values))], 4), round(values[min(len(values) - 1, int(0.975 * len(values)))], 4)


@dataclass(frozen=True, slots=True)
class Run:
    """An evaluation: every row's outcome, and scores by (file, language); language "all" is the whole file."""

    outcomes: list[Outcome]
    scores: dict[tuple[str, str], dict[str, Score]]
    twins: tuple[int, int] | None  # pairs of one text in two scripts read alike, and all pairs

    def json(self) -> dict[str, Any]:
        """What `--json` prints and `--diff` reads."""
        return {
            "files": {
                f"{file}/{language}": {
                    name: {"value": one.value, "low": one.low, "high": one.high, "n": one.n} for name, one in table.items()
                }
                for (file, language), table in self.scores.items()
            },
            "twins": {"alike": self.twins[0], "pairs": self.twins[1]} if self.twins else None,
            "rows": [{"file": row.file, "id": row.id, "got": row.got, "wrong": row.wrong} for row in self.outcomes],
        }


def label_files(folder: Path) -> list[Path]:
    """The JSON-lines files of a folder, or the one file that is given. Raises LabelError when there is none."""
    if not folder.exists():
        raise LabelError(f"{folder}: No such file or directory")
    files = [folder] if folder.is_file() else sorted(folder.glob("*.jsonl"))
    if not files:
        raise LabelError(f"{folder}: no *.jsonl file there")
    return files


def evaluate(
    labels: Sequence[Label], register: Register, *, is_told: bool = False, on_row: Callable[[object], None] = lambda _: None
) -> Run:
    """Read every row as `explain` would and score it.

    The label's regulator is withheld, unless `is_told`: then each text is read as one of that regulator's own source.
    """
    index, names = FirmIndex(register), Names(register)
    outcomes = []
    for label in labels:
        document = document_of(label.row, register)
        reading = extract(document if is_told else replace(document, regulator_id=None), index)
        outcomes.append(score(label, reading, names))
        if not is_told and document.regulator_id and label.kinds is not None and reading.actions:
            acted = {one.regulator_id for action in reading.actions for one in action.regulators}
            outcomes[-1].sums["regulators"] += 1
            outcomes[-1].sums["regulators_right"] += document.regulator_id in acted
        on_row(label)
    groups: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault((outcome.file, "all"), []).append(outcome)
        groups.setdefault((outcome.file, outcome.language), []).append(outcome)
    languages = Counter(file for file, language in groups if language != "all")
    kept = {key: rows for key, rows in groups.items() if key[1] == "all" or languages[key[0]] > 1}
    return Run(outcomes, {key: scores(rows) for key, rows in kept.items()}, _twins(outcomes))


def _twins(outcomes: Sequence[Outcome]) -> tuple[int, int] | None:
    """Rows `ID` and `ID-hant` are one text in two scripts: the same kinds and firms must come out."""
    rows = {(outcome.file, outcome.id): outcome for outcome in outcomes}
    pairs = [(row, rows[row.file, f"{row.id}-hant"]) for row in outcomes if (row.file, f"{row.id}-hant") in rows]

    def told(outcome: Outcome) -> tuple[list[str], list[str]]:
        return outcome.got["kinds"], sorted(fold(surface) for surface in outcome.got["targets"])

    alike = sum(told(one) == told(other) for one, other in pairs)
    return (alike, len(pairs)) if pairs else None


def changed(run: Run, before: Mapping[str, Any]) -> list[tuple[Outcome, list[str], dict[str, Any]]]:
    """The rows that read otherwise than in a saved run, each with what was wrong and read then."""
    known = {(row["file"], row["id"]): row for row in before.get("rows", ())}
    return [
        (row, known[row.file, row.id]["wrong"], known[row.file, row.id]["got"])
        for row in run.outcomes
        if (row.file, row.id) in known and (row.got != known[row.file, row.id]["got"] or row.wrong != known[row.file, row.id]["wrong"])
    ]
