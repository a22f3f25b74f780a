"""Lists of firms that users bring: what a row of one says, and what it adds to the register. Pure.

`listfiles` reads the files. A list's names are weak unless its row says strong: a stranger's list of ten
thousand names is full of common words. What is made of a name here (the marks of an exchange off, the legal form
off) is weak in any case. A row that names a known firm by one of its strong names, or by its ticker and a name
that is like one of its names, adds its names to that firm. No name is given to a second firm: a name that two
firms share is read as neither.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from rapidfuzz.distance import JaroWinkler

from storage.base import StorageError
from storage.listfiles import read_list
from storage.models import AliasKind, FirmKind, OwnershipKind, Strength
from storage.records import AliasRow, FirmRow, LeftOut, ListParent, ListRow, OwnershipRow, Register
from storage.text import fold, title_key

EXAMPLES = 5
"""How many of the rows that were left out for one reason are named."""

MOST_FIRMS = 200_000
"""That one list may add: texts are read with all names at once."""

NO_NAME = "no name of two characters or more"
NAMESAKE = "its name is another firm's"
UNKNOWN = "no firm of the register"
UNLIKE = "its ticker is another firm's and its name is not like that firm's (with that firm's id in the column `id` it is joined)"

_HAN = re.compile(r"[\u3400-\u9fff]")
_OTHER_SCRIPTS = (("ja", re.compile(r"[\u3041-\u30ff]")), ("ko", re.compile(r"[\uac00-\ud7a3]")), ("zh", _HAN))

_MARKS = (
    # before a Chinese short name: special treatment, first days of trade, ex rights, about to leave
    re.compile(r"^(?:S?\*?ST|XD|XR|DR|N|C|退市|退)\s?(?=[\u3400-\u9fff]{2})"),
    # behind it: about to leave, the class of its shares, and what Shanghai adds (-U: no profit yet)
    re.compile(r"(?<=[\u3400-\u9fff]{2})\s?(?:退市|退|[AB]|-[A-Z]{1,2})$"),
    # behind a name of Hong Kong or Taipei: weighted votes, secondary, before revenue, the yuan counter, from abroad
    re.compile(r"(?<=\w\w)\s?[-－](?:SW|SB|SS|W|S|B|R|WR|SWR|KY|DR|創)\*?$|(?<=\w\w)\*$"),
    # behind a name of the SEC's list: a state, or what tells it from another
    re.compile(r"\s*[/\\](?:[A-Z]{2,4})[/\\]?$|\s+-\s*ADR$"),
)
_MARK_SIGNS = re.compile(r"[-*/\\]")
_LATIN_FORMS = frozenset(
    (
        "inc", "incorporated", "corp", "corporation", "co", "company", "ltd", "limited", "llc", "llp", "lp", "plc", "ag", "se", "sa", "nv",
        "bv", "gmbh", "kgaa", "kg", "ab", "asa", "as", "oyj", "oy", "spa", "srl", "sarl", "sas", "sl", "sau", "slu", "aps", "sro", "ood",
        "eood", "uab", "sia", "pte", "pty", "bhd", "berhad", "sdn", "tbk", "kk", "pjsc", "ojsc", "jsc", "pao", "saog",
    )
)  # fmt: skip
_HAN_FORMS = re.compile("(?:股份)?(?:有限)?(?:责任)?公司$|株式会社$")
_HAN_GENERIC = re.compile(r"(?:集团|控股|股份|有限|科技|国际|实业|技术|公司|\(|\))+$")
_HAVENS = ("BM", "JE", "KY", "VG")  # where firms of everywhere have their seat
_GENERIC_WORDS = frozenset(["the", "and", "of", "group", "holding", "holdings", "hldgs", "hldg", "international", "intl"])


def language_of(name: str) -> str:
    """`ja`, `ko` or `zh` for a name in such letters, else empty: a Latin name may be of any language."""
    if name.isascii():
        return ""
    return next((language for language, letters in _OTHER_SCRIPTS if letters.search(name)), "")


def ticker_key(ticker: str) -> str:
    """A ticker as tickers are compared: without zeros before it, Shanghai's other suffix as ours."""
    key = ticker.strip().upper().lstrip("0$")
    return f"{key[:-3]}.SH" if key.endswith(".SS") else key


def variants(name: str) -> tuple[str, ...]:
    """What else the name of a listed firm may stand as: without an exchange's marks, and without its legal form.

    The latter only where two Latin words or three Chinese characters remain; a place before it stays.
    """
    found = [name.strip()]
    for one in found:  # it grows: a mark may stand before a legal form
        short = _without_form(one)
        is_told = len(short) >= 3 if _HAN.search(short) else len(short.split()) >= 2
        found += [more for more in (_unmarked(one), short if is_told else one) if more not in found and is_name(more)]
    return tuple(found[1:])


def is_name(name: str) -> bool:
    """Two characters at least, a letter among them; a number is no name."""
    return any(map(str.isalpha, name)) and sum(map(str.isalnum, name)) >= 2


def _clean(name: str) -> str:
    """Without what separates names in a cell of a list, so that every name can be written into one."""
    return " ".join(name.replace("|", " ").replace(";", " ").split())


def _unmarked(name: str) -> str:
    found, before = name.strip(), ""
    if found.isascii() and not _MARK_SIGNS.search(found):
        return found
    while found != before:
        before = found
        for marks in _MARKS:
            found = marks.sub("", found).strip()
    return found


def _without_form(name: str) -> str:
    if _HAN.search(name):
        return name[: len(name) - len(match.group())].strip() if (match := _HAN_FORMS.search(fold(name))) else name
    parts = name.split()
    while len(parts) > 1 and (re.sub(r"[.,/]", "", fold(parts[-1])) in _LATIN_FORMS or parts[-1] in ("&", "and")):
        parts.pop()
    return " ".join(parts).rstrip(" ,")


def is_alike(one: str, other: str) -> bool | None:
    """Whether two names may be one firm's that a shared ticker says is one; None when their scripts tell nothing."""
    if bool(_HAN.search(one)) != bool(_HAN.search(other)):
        return None
    if _HAN.search(one):
        short, long = sorted((_han_core(one), _han_core(other)), key=len)
        letters = iter(long)
        return len(short) >= 2 and all(char in letters for char in short)
    ours, theirs = _words(one), _words(other)
    likeness = JaroWinkler.similarity(" ".join(sorted(ours)), " ".join(sorted(theirs)))
    return bool(ours and theirs) and (ours <= theirs or theirs <= ours or likeness >= 0.9)


def _han_core(name: str) -> str:
    core = _HAN_FORMS.sub("", fold(_unmarked(name)))
    return _HAN_GENERIC.sub("", core) or core


def _words(name: str) -> frozenset[str]:
    parts = re.findall(r"[^\W_]+", fold(_without_form(_unmarked(name))).replace("'", ""))
    return frozenset(parts) - _GENERIC_WORDS or frozenset(parts)


class ListPlan:
    """The rows of one list laid over a register: which firms and names it adds, and which rows it cannot use.

    The list's own rows of an earlier time are looked through, except that a firm which it made keeps its id.
    """

    def __init__(
        self,
        register: Register,
        source: str,
        rows: Iterable[ListRow],
        parents: Iterable[ListParent] = (),
        *,
        only_known: bool = False,
    ) -> None:
        """`only_known`: names are added to firms of the register, no firm is made. Raises StorageError for a list too long."""
        self.source = source
        self._only_known = only_known
        self.firms: dict[str, FirmRow] = {}
        self.aliases: dict[tuple[str, str], AliasRow] = {}  # by firm and folded name
        self.edges: dict[tuple[str, str], OwnershipRow] = {}  # by child and parent
        self.joined: set[str] = set()  # known firms that rows name
        self.rows = 0
        self._left_out: dict[str, list[str]] = {}
        self._counts: Counter[str] = Counter()
        self._known(register)
        for row in rows:
            self.rows += 1
            self._add(row)
        for parent in parents:
            self._own(parent)

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """Why rows are left out, the commonest reason first, with a few of them."""
        return tuple(LeftOut(reason, count, tuple(self._left_out[reason])) for reason, count in self._counts.most_common())

    # --- what is known before ---

    def _known(self, register: Register) -> None:
        theirs = {alias.firm_id for alias in register.aliases if alias.source != self.source}
        mine = {alias.firm_id for alias in register.aliases} - theirs
        self._ids = {firm.id for firm in register.firms} - mine
        self._taken = {firm.id for firm in register.firms}
        self._own_ids = mine
        self._firms = {firm.id: firm for firm in register.firms}
        self._strong: dict[str, str] = {}
        self._weak: defaultdict[str, set[str]] = defaultdict(set)
        self._tickers: dict[str, str] = {}
        self._names: defaultdict[str, list[str]] = defaultdict(list)
        self._held: set[tuple[str, str]] = set()
        self._earlier: dict[str, str] = {}  # folded name or ticker -> the firm that this list made of it before
        self._keys: dict[str, str] = {}
        self._key_of: dict[str, str] = {}
        self._mine: dict[str, str] = {}  # folded name -> the firm that has it by this list
        self._numbers: Counter[str] = Counter()
        self._edges = {(edge.child_id, edge.parent_id) for edge in register.ownerships if edge.source != self.source}
        for firm in register.firms:
            for ticker in firm.tickers:
                (self._earlier if firm.id in mine else self._tickers).setdefault(ticker_key(ticker), firm.id)
            if firm.id in mine:
                self._earlier[fold(firm.name)] = firm.id
        for alias in register.aliases:
            folded = fold(alias.text)
            if alias.source == self.source:
                if alias.firm_id in mine:
                    self._earlier.setdefault(folded, alias.firm_id)
                continue
            self._held.add((alias.firm_id, folded))
            if alias.kind is AliasKind.TICKER:
                self._tickers.setdefault(ticker_key(alias.text), alias.firm_id)
                continue
            self._names[alias.firm_id].append(alias.text)
            if alias.strength is Strength.STRONG:
                self._strong.setdefault(folded, alias.firm_id)
            else:
                self._weak[folded].add(alias.firm_id)

    # --- one row ---

    def _add(self, row: ListRow) -> None:
        said = {fold(name): name for name in reversed(list(map(_clean, (row.name, *row.aliases, *row.weak)))) if is_name(name)}
        said = dict(reversed(said.items()))
        if not said:
            self._leave_out(NO_NAME, row)
            return
        made = {fold(more): more for name in said.values() for more in variants(name)}
        firm_id = self._firm_of(row, said, made)
        if firm_id == "":
            self._leave_out(UNLIKE, row)
            return
        wanted = self._wanted(row, said, made, firm_id)
        if firm_id is None:
            if self._only_known or not wanted:
                self._leave_out(UNKNOWN if self._only_known else NAMESAKE, row)
                return
            if len(self.firms) >= MOST_FIRMS:
                raise StorageError(
                    f"The list {self.source} has more than {MOST_FIRMS:,} new firms: take countries of it, or known firms only."
                )
            firm_id = self._new_id(row, said)
            own = next((folded for folded in said if folded in wanted), next(iter(wanted)))
            self.firms[firm_id] = FirmRow(firm_id, wanted[own][0], country=row.country, note=f"from the list {self.source}")
        elif firm_id in self._ids:
            self.joined.add(firm_id)
        if key := row.key or row.id:
            self._keys[key] = firm_id
            self._key_of.setdefault(firm_id, key)
        for folded, (name, strength) in wanted.items():
            self._mine.setdefault(folded, firm_id)
            self._names[firm_id].append(name)
            self._name(firm_id, folded, name, AliasKind.SHORT, strength)
        self._list(firm_id, row.tickers)

    def _firm_of(self, row: ListRow, said: dict[str, str], made: dict[str, str]) -> str | None:
        """The firm that a row speaks of; None: a new one; empty: its ticker says another firm than its name."""
        if row.id in self._ids:
            return row.id
        key = row.key or row.id
        if key in self._keys:
            return self._keys[key]
        owners = (self._strong[name] for name in (*said, *made) if name in self._strong)
        if known := next((owner for owner in owners if not self._is_namesake(row, owner)), None):
            return known
        bare = (fold(_unmarked(name)) for name in said.values())
        if mine := next((self._mine[name] for name in (*said, *bare) if name in self._mine), None):
            # two numbers, two firms: the second bears another's name; two stock codes may be one firm's
            return mine if not key or key.endswith(".HK") or self._key_of.get(mine, key) == key else None
        if row.strength is Strength.STRONG:
            for name in said:
                if len(sharers := self._weak.get(name, set())) == 1:
                    return next(iter(sharers))
        for ticker in row.tickers:
            if owner := self._tickers.get(ticker_key(ticker)):
                alike = {is_alike(name, other) for name in said.values() for other in self._names[owner]}
                is_sure = True in alike or (alike == {None} and "." in ticker)
                return owner if is_sure else ""
        return None

    def _is_namesake(self, row: ListRow, firm_id: str) -> bool:
        """Whether a listed firm only bears the name of a known one: a brand is not listed, and a share is of its exchange's country."""
        firm = self._firms[firm_id]
        is_elsewhere = row.country not in ("", firm.country, *_HAVENS) and firm.country != ""
        return bool(row.tickers) and (firm.kind is FirmKind.BRAND or is_elsewhere)

    def _wanted(self, row: ListRow, said: dict[str, str], made: dict[str, str], firm_id: str | None) -> dict[str, tuple[str, Strength]]:
        """The names of a row that no other firm has, by their folded form, the made ones last; none made of a name that is known."""
        weak = {fold(_clean(name)) for name in row.weak}
        if firm_id in self._ids and (held := {folded for folded in said if (firm_id, folded) in self._held}):
            made = {fold(more): more for folded, name in said.items() if folded not in held for more in variants(name)}
        found = {}
        for folded, name in (*said.items(), *made.items()):
            owners = {self._strong.get(folded), self._mine.get(folded), *self._weak.get(folded, ())} - {None, firm_id}
            if not owners and folded not in found:
                found[folded] = name, Strength.WEAK if folded in weak or folded not in said else row.strength
        return found

    def _name(self, firm_id: str, folded: str, name: str, kind: AliasKind, strength: Strength) -> None:
        place = firm_id, folded
        is_better = place not in self.aliases or (self.aliases[place].strength is Strength.WEAK and strength is Strength.STRONG)
        if place not in self._held and is_better:
            self.aliases[place] = AliasRow(firm_id, name, kind, strength, language_of(name), source=self.source)

    def _list(self, firm_id: str, tickers: Iterable[str]) -> None:
        free = [ticker for ticker in tickers if ticker_key(ticker) not in self._tickers]
        self._tickers.update((ticker_key(ticker), firm_id) for ticker in free)
        for ticker in free:
            self._name(firm_id, fold(ticker), ticker, AliasKind.TICKER, Strength.STRONG)
        if firm_id in self.firms:
            firm = self.firms[firm_id]
            self.firms[firm_id] = replace(firm, tickers=tuple(dict.fromkeys((*firm.tickers, *free))))

    def _new_id(self, row: ListRow, said: dict[str, str]) -> str:
        """The id that this list gave the firm before, else the wished one, else one made of its name."""
        if row.id in self._own_ids and row.id not in self.firms:
            return row.id
        for sign in (*said, *map(ticker_key, row.tickers)):
            if (earlier := self._earlier.get(sign)) and earlier not in self.firms:
                return earlier
        digest = hashlib.sha256(row.name.encode()).hexdigest()[:8]
        latin = [row.name] if not _HAN.search(row.name) else []
        slugs = (re.sub(r"[^a-z0-9]+", "-", title_key(text)).strip("-") for text in (row.id, *latin, *row.tickers))
        slug = next(filter(None, slugs), f"firm-{digest}")
        found = slug
        while found in self._taken or found in self.firms:
            self._numbers[slug] += 1
            found = f"{slug}-{self._numbers[slug] + 1}"
        return found

    def _own(self, parent: ListParent) -> None:
        child_id, parent_id = self._keys.get(parent.child), self._keys.get(parent.parent)
        if child_id is None or parent_id is None or child_id == parent_id:
            return
        pairs = {(child_id, parent_id), (parent_id, child_id)}
        if not pairs & (self._edges | self.edges.keys()):
            dates = parent.from_on, parent.to_on
            self.edges[child_id, parent_id] = OwnershipRow(child_id, parent_id, OwnershipKind.OWNED_BY, *dates, source=self.source)

    def _leave_out(self, reason: str, row: ListRow) -> None:
        self._counts[reason] += 1
        if self._counts[reason] <= EXAMPLES:
            self._left_out.setdefault(reason, []).append(row.name)


def laid_over(register: Register, rows: Iterable[ListRow], name: str) -> Register:
    """The register with a list's firms and names added, for one reading; `name` is the source of its rows."""
    taken = {alias.source for alias in register.aliases}
    source, number = name, 2
    while source in taken:
        source, number = f"{name} ({number})", number + 1
    plan = ListPlan(register, source, rows)
    told = repr((register.version, sorted(plan.firms), sorted(plan.aliases)))
    return replace(
        register,
        version=hashlib.sha256(told.encode()).hexdigest()[:12],
        firms=(*register.firms, *plan.firms.values()),
        aliases=(*register.aliases, *plan.aliases.values()),
    )


def with_list(register: Register, path: Path) -> Register:
    """The register with the firms of a file laid over it. Raises StorageError, with the line, for a list that cannot be read."""
    return laid_over(register, read_list(path), path.name)


def listed(register: Register, source: str | None = None) -> Iterator[ListRow]:
    """The names of a register as rows of a list, which `ListPlan` makes the same names of; those of one source alone, if told.

    A firm's names are strong in its row where one of them is strong; its weak ones stand apart.
    """
    names: defaultdict[str, list[AliasRow]] = defaultdict(list)
    for alias in register.aliases:
        if source is None or alias.source == source:
            names[alias.firm_id].append(alias)
    for firm in register.firms:
        ours = names.get(firm.id)
        if not ours:
            continue
        own = fold(firm.name)
        spoken = sorted((one for one in ours if one.kind is not AliasKind.TICKER), key=lambda one: fold(one.text) != own)
        strong = [one.text for one in spoken if one.strength is Strength.STRONG]
        weak = [one.text for one in spoken if one.strength is Strength.WEAK]
        yield ListRow(
            id=firm.id,
            name=firm.name,
            aliases=tuple(one for one in strong or weak if fold(one) != own),
            weak=tuple(weak) if strong else (),
            tickers=tuple(one.text for one in ours if one.kind is AliasKind.TICKER),
            country=firm.country,
            strength=Strength.STRONG if strong else Strength.WEAK,
        )
