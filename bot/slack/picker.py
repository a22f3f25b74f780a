"""Choices while a person types: firms of the register, time zones. Pure, and quick enough for every key that is pressed.

Slack asks for the options of an `external_select` at each keystroke and waits three seconds. Names and what is typed are
made plain the same way (either script of Chinese, no diacritics, no punctuation), and stand in one text, the
shortest first: looking through it costs less than any index would, and finds what begins with the words before
what only holds them. `forms` draws the selects; the listener that answers Slack turns `Option` into its JSON with `block`.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any
from zoneinfo import available_timezones

import bot.slack.text as t
from bot.slack.cards import match_label
from storage.models import OwnershipKind
from storage.records import FirmRow, Register
from storage.text import fold
from storage.views import FirmMatch

MOST_OPTIONS = 100
"""Options that Slack takes in one answer."""
LONGEST_LABEL = 75
"""Characters of an option's label and of its description."""
LONGEST_VALUE = 150
_LONGEST_OWNER = 30
_MOST_LOOKED_AT = 1_500  # names, one by one: 2 ms

_AREAS = ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
"""Of zone names; others, such as US/Eastern, are old names of these."""

_PLACES: Mapping[str, tuple[str, ...]] = {
    "America/Chicago": ("Dallas", "Houston", "Central Time", "芝加哥"),
    "America/Los_Angeles": ("San Francisco", "Seattle", "Silicon Valley", "Pacific Time", "PST", "洛杉矶", "旧金山"),
    "America/New_York": ("Washington DC", "Boston", "Miami", "Eastern Time", "EST", "纽约", "华盛顿"),
    "America/Sao_Paulo": ("Brasilia", "Rio de Janeiro", "圣保罗"),
    "America/Toronto": ("Montreal", "Ottawa", "多伦多"),
    "Asia/Dubai": ("Abu Dhabi", "DIFC", "迪拜"),
    "Asia/Ho_Chi_Minh": ("Hanoi", "河内", "胡志明市"),
    "Asia/Hong_Kong": ("HKT", "香港"),
    "Asia/Jakarta": ("雅加达",),
    "Asia/Kolkata": ("Mumbai", "Bombay", "New Delhi", "Bangalore", "孟买", "新德里"),
    "Asia/Kuala_Lumpur": ("吉隆坡",),
    "Asia/Macau": ("澳门",),
    "Asia/Manila": ("马尼拉",),
    "Asia/Bangkok": ("曼谷",),
    "Asia/Riyadh": ("利雅得",),
    "Asia/Seoul": ("KST", "首尔"),
    "Asia/Shanghai": ("Beijing", "Shenzhen", "Guangzhou", "Hangzhou", "China", "北京", "上海", "深圳", "广州", "杭州", "中国"),
    "Asia/Singapore": ("SGT", "新加坡"),
    "Asia/Taipei": ("Hsinchu", "Taiwan", "台北", "臺北", "台湾"),
    "Asia/Tokyo": ("Osaka", "Japan", "JST", "东京", "大阪"),
    "Australia/Melbourne": ("墨尔本",),
    "Australia/Sydney": ("Canberra", "悉尼", "雪梨"),
    "Europe/Amsterdam": ("The Hague", "阿姆斯特丹"),
    "Europe/Berlin": ("Frankfurt", "Munich", "Bonn", "柏林", "法兰克福"),
    "Europe/Brussels": ("布鲁塞尔",),
    "Europe/Dublin": ("都柏林",),
    "Europe/London": ("Edinburgh", "BST", "伦敦"),
    "Europe/Luxembourg": ("卢森堡",),
    "Europe/Madrid": ("Barcelona", "马德里"),
    "Europe/Paris": ("CET", "巴黎"),
    "Europe/Rome": ("Milan", "罗马", "米兰"),
    "Europe/Zurich": ("Geneva", "Basel", "苏黎世", "日内瓦"),
}
"""What else a zone is asked for by: cities that have no zone of their own, and names in Chinese."""


@dataclass(frozen=True, slots=True)
class Option:
    """One choice. `description` is the name that was found, where the label does not show it."""

    label: str
    value: str
    description: str = ""

    def block(self) -> dict[str, Any]:
        """The option as Slack's JSON."""
        told: dict[str, Any] = {"text": {"type": "plain_text", "text": self.label, "emoji": False}, "value": self.value}
        if self.description:
            told["description"] = {"type": "plain_text", "text": self.description, "emoji": False}
        return told


class FirmPicker:
    """Firms by what is typed so far. Made once for a register; making it takes a second for 100,000 names."""

    def __init__(self, register: Register) -> None:
        firms = {firm.id: firm for firm in register.firms if len(firm.id) <= LONGEST_VALUE}
        self._firms = tuple(firms.values())
        self._owners = _owners(register, firms)
        places = {firm.id: at for at, firm in enumerate(self._firms)}
        names = {(_plain(text), places[firm_id]): text for firm_id, text in _names(register) if firm_id in places}
        lines = sorted((line for line in names if line[0]), key=lambda line: (len(line[0]), line))
        self._names = [names[line] for line in lines]
        self._firm_of = array("L", (place for _, place in lines))
        # a space before every word, the first of a line too
        self._text = "\n" + "".join(f" {plain}\n" for plain, _ in lines)
        self._starts = array("L", [1])
        for plain, _ in lines:
            self._starts.append(self._starts[-1] + len(plain) + 2)

    def options(self, typed: str, limit: int = MOST_OPTIONS) -> tuple[Option, ...]:
        """At most `limit` firms, each once: names that begin with what was typed, then those one of whose words does, then
        those that hold all its words in any order, then those that hold it anywhere.

        Among them the shortest name first, so an exact one leads. Nothing for nothing typed.
        """
        wanted = _plain(typed)
        found: dict[int, str] = {}
        for lines in (
            (self._lines(f"\n {wanted}"), self._lines(f" {wanted}"), self._with_words(wanted), self._lines(wanted)) if wanted else ()
        ):
            for line in lines:
                if len(found) == limit:
                    break
                found.setdefault(self._firm_of[line], self._names[line])
        return tuple(self._option(self._firms[place], name, wanted) for place, name in found.items())

    def _lines(self, wanted: str) -> Iterator[int]:
        """The numbers of the lines that hold this."""
        at = self._text.find(wanted)
        while at >= 0:
            line = bisect_right(self._starts, at + (wanted[0] == "\n")) - 1
            yield line
            at = self._text.find(wanted, self._starts[line + 1] - 1)

    def _with_words(self, wanted: str) -> Iterator[int]:
        """The numbers of the lines that hold each of the words, as the beginning of one of theirs: `bank china`."""
        words = sorted((f" {word}" for word in wanted.split()), key=len)
        if len(words) > 1:
            for line in islice(self._lines(words.pop()), _MOST_LOOKED_AT):
                if all(self._text.find(word, self._starts[line], self._starts[line + 1]) >= 0 for word in words):
                    yield line

    def _option(self, firm: FirmRow, name: str, wanted: str) -> Option:
        names_zh = tuple(dict.fromkeys(filter(None, (firm.name_zh_hant, firm.name_zh_hans))))
        label = match_label(FirmMatch(firm.id, firm.name, names_zh, firm.tickers, name, 100.0))
        owner = self._owners.get(firm.id)
        whose = f" ({t.plain(owner, _LONGEST_OWNER)})" if owner else ""
        shown = t.plain(label, LONGEST_LABEL - len(whose)) + whose
        return Option(shown, firm.id, "" if name in shown or wanted in _plain(shown) else t.plain(name, LONGEST_LABEL))


def _names(register: Register) -> Iterator[tuple[str, str]]:
    for firm in register.firms:
        for name in (firm.name, firm.name_zh_hant, firm.name_zh_hans, *firm.tickers):
            yield firm.id, name
    for alias in register.aliases:
        yield alias.firm_id, alias.text


def _owners(register: Register, firms: Mapping[str, FirmRow]) -> dict[str, str]:
    """Brand -> the name of the firm whose it is, by the edges that have no end."""
    edges = [edge for edge in register.ownerships if edge.kind is OwnershipKind.BRAND_OF and edge.to_on is None]
    return {edge.child_id: firms[edge.parent_id].name for edge in reversed(edges) if edge.parent_id in firms}


def _plain(text: str) -> str:
    """Folded words with single spaces between."""
    return re.sub(r"[\W_]+", " ", fold(text).replace("'", "")).strip()


def zones(typed: str, limit: int = MOST_OPTIONS) -> tuple[Option, ...]:
    """Time zones of the IANA by city, in any case, or by another city or a Chinese name of it; nothing for nothing typed."""
    wanted = _plain(typed)
    if not wanted:
        return ()
    ranks: dict[str, int] = {}
    for name, zone in _places():
        at = f" {name}".find(f" {wanted}")
        rank = 0 if name == wanted else 1 if at == 0 else 2 if at > 0 else 3 if wanted in name else None
        if rank is not None:
            ranks[zone] = min(rank, ranks.get(zone, rank))
    return tuple(Option(zone, zone) for zone in sorted(ranks, key=lambda zone: (ranks[zone], zone))[:limit])


@cache
def _places() -> tuple[tuple[str, str], ...]:
    """Every name of a zone, plain: its city, the whole, and what else it is asked for by."""
    found = [("utc", "UTC")]
    for zone in sorted(available_timezones()):
        if zone.partition("/")[0] in _AREAS and "/" in zone:
            found += [(_plain(name), zone) for name in (zone.rpartition("/")[2], zone, *_PLACES.get(zone, ()))]
    return tuple(found)
