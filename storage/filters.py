"""Filters: which actions a question, a subscription or `why` speaks of. One meaning for all of them; pure."""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from storage.models import (
    Kind,
    Role,
    Status,
)

FILTER_KEYS = ("kind", "regulator", "country", "status", "role", "severity", "currency", "min", "since", "until", "lang", "limit")
"""The keys of a filter, in the order in which they are printed."""


@dataclass(frozen=True, slots=True)
class Term:
    """`[-]key:value,value`. Values are canonical: kind values, role values, regulator ids, countries in capitals,
    `>=fine` for severity, `USD1000000` for min, `90d`, `2021-03` or `2021-03-01` for since and until."""

    key: str
    values: tuple[str, ...]
    is_negated: bool = False

    def __str__(self) -> str:
        values = ",".join(f'"{value}"' if re.search(r"[\s,]", value) else value for value in self.values)
        return f"{'-' if self.is_negated else ''}{self.key}:{values}"


@dataclass(frozen=True, slots=True)
class ActionFacts:
    """What a filter looks at. `roles` are those of the firm that is followed or asked about (all roles, without one)."""

    kind: Kind
    status: Status
    regulator_ids: frozenset[str]
    countries: frozenset[str]
    roles: frozenset[Role]
    amounts: tuple[tuple[str | None, Decimal], ...]  # currency, maximum
    on: date  # decided, else published, else first seen
    languages: frozenset[str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one key of a filter judged an action."""

    key: str
    is_passed: bool
    why: str


@dataclass(frozen=True, slots=True)
class Filter:
    """Terms: values of one key are alternatives, different keys must all hold, `-` excludes."""

    terms: tuple[Term, ...] = ()

    def __str__(self) -> str:
        return " ".join(str(term) for term in self.terms)

    @classmethod
    def parse(cls, text: str) -> Filter:
        """The inverse of `str(filter)`: what the row of a subscription holds. Raises ValueError for anything else.

        What people type goes through the grammar, which knows shorthands and mends slips; this does not.
        """
        value = r'(?:"[^"]*"|[^\s,"]+)'
        term = re.compile(rf"(-?)([a-z]+):({value}(?:,{value})*)(?:\s+|$)")
        terms, at = [], 0
        while at < len(text):
            match = term.match(text, at)
            if match is None or match[2] not in FILTER_KEYS:
                raise ValueError(f"no filter: {text[at:]!r}")
            values = tuple(found.strip('"') for found in re.findall(value, match[3]))
            terms.append(Term(match[2], values, is_negated=match[1] == "-"))
            at = match.end()
        return cls(tuple(terms))

    def keys(self) -> frozenset[str]:
        """The keys that the filter speaks of."""
        return frozenset(term.key for term in self.terms)

    def values(self, key: str) -> tuple[str, ...]:
        """The values that the filter allows for a key, without the excluded ones."""
        return tuple(value for term in self.terms if term.key == key and not term.is_negated for value in term.values)

    def over(self, defaults: Filter) -> Filter:
        """This filter, and those terms of the defaults whose key it asks nothing of. To exclude (`-role:mentioned`) narrows a
        default, it does not replace it."""
        mine = {term.key for term in self.terms if not term.is_negated}
        return Filter((*self.terms, *(term for term in defaults.terms if term.key not in mine)))

    def verdicts(self, facts: ActionFacts, today: date) -> tuple[Verdict, ...]:
        """One verdict a key, in the order of FILTER_KEYS. `limit` judges nothing."""
        found = []
        for key in FILTER_KEYS:
            terms = [term for term in self.terms if term.key == key]
            if not terms or key == "limit":
                continue
            allowed = [value for term in terms if not term.is_negated for value in term.values]
            excluded = [value for term in terms if term.is_negated for value in term.values]
            hit = next((value for value in excluded if _holds(key, value, facts, today)), None)
            passed = hit is None and (not allowed or any(_holds(key, value, facts, today) for value in allowed))
            shown = _shown(key, facts)
            if hit is not None:
                why = f"{shown}, and {key}:{hit} is excluded"
            else:
                why = f"{shown}, asked for {' or '.join(allowed) or 'anything else'}"
            found.append(Verdict(key, passed, why))
        return tuple(found)

    def passes(self, facts: ActionFacts, today: date) -> bool:
        """Whether every key is satisfied."""
        return all(verdict.is_passed for verdict in self.verdicts(facts, today))


DEFAULT_FILTER = Filter((Term("role", ("target", "group")),))
"""What a subscription is filtered by where nothing was typed for its key."""


NO_FILTER = Filter()
"""What everything passes."""


def since_date(value: str, today: date) -> date:
    """The first day of `90d`, `2021`, `2021-03` or `2021-03-01`."""
    if value.endswith("d"):
        return today - timedelta(days=min(int(value[:-1]), (today - date.min).days))
    parts = [int(part) for part in value.split("-")]
    return date(parts[0], *[*parts[1:], 1, 1][:2])


def until_date(value: str, today: date) -> date:
    """The last day of `90d` (ago), `2021`, `2021-03` or `2021-03-01`."""
    if value.endswith("d"):
        return since_date(value, today)
    parts = [int(part) for part in value.split("-")]
    if len(parts) == 1:
        return date(parts[0], 12, 31)
    if len(parts) == 2:
        return date(parts[0], parts[1], calendar.monthrange(parts[0], parts[1])[1])
    return date(*parts)


def _holds(key: str, value: str, facts: ActionFacts, today: date) -> bool:
    match key:
        case "kind":
            return facts.kind == value
        case "status":
            return facts.status == value
        case "regulator":
            return value in facts.regulator_ids
        case "country":
            return value in facts.countries
        case "role":
            return value in facts.roles
        case "lang":
            return any(language == value or language.startswith(f"{value}-") for language in facts.languages)
        case "since":
            return facts.on >= since_date(value, today)
        case "until":
            return facts.on <= until_date(value, today)
        case "currency":
            return any(currency == value for currency, _ in facts.amounts)
        case "min":
            return _reaches(value, facts.amounts)
        case "severity":
            return is_severe(value, facts.kind)
    raise ValueError(f"no filter key {key!r}")


def _reaches(value: str, amounts: Sequence[tuple[str | None, Decimal]]) -> bool:
    """Nothing is converted: an amount in another currency, or none at all, passes."""
    currency, least = value[:3], Decimal(value[3:])
    own = [amount for its, amount in amounts if its == currency]
    return not own or len(own) < len(amounts) or max(own) >= least


def is_severe(value: str, kind: Kind) -> bool:
    """Whether a kind is as severe as `>=fine` asks; one without severity never is."""
    match = re.fullmatch(r"(>=|<=|>|<|=?)(.+)", value)
    assert match is not None
    bound, own = Kind(match[2]).severity, kind.severity
    if bound is None or own is None:
        return False
    return {">=": own >= bound, "<=": own <= bound, ">": own > bound, "<": own < bound}.get(match[1], own == bound)


def _shown(key: str, facts: ActionFacts) -> str:
    match key:
        case "kind" | "severity":
            return f"kind is {facts.kind}"
        case "status":
            return f"status is {facts.status}"
        case "regulator":
            return f"regulator is {', '.join(sorted(facts.regulator_ids)) or 'not known'}"
        case "country":
            return f"country is {', '.join(sorted(facts.countries)) or 'not known'}"
        case "role":
            return f"role is {', '.join(sorted(facts.roles)) or 'none'}"
        case "lang":
            return f"language is {', '.join(sorted(facts.languages)) or 'not known'}"
        case "since" | "until":
            return f"its date is {facts.on.isoformat()}"
        case _:
            sums = ", ".join(f"{currency or '?'} {amount:,}" for currency, amount in facts.amounts)
            return f"amounts: {sums or 'none'}"
