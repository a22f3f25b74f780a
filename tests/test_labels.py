"""Our own words in the channel's language: every template has its translation, with the same places, and none is left over."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import bot.slack
from bot.slack.labels import LANGUAGES, in_script, say
from bot.slack.terms import city, country, spoken, term
from storage.models import AmountKind, FirmKind, Health, Kind, Mode, OwnershipKind, Role, Status, Strength
from storage.tenancy import Verdict

ROOM = Path(bot.slack.__file__).parent
SOURCES = sorted(ROOM.rglob("*.py"))
FILES = sorted((ROOM / "zh").glob("*.toml"))
MODULES = ("t", "text")  # `t.mrkdwn` is a function, not a Look's


def strings_of(node: ast.expr) -> Iterator[str]:
    """The literals that an argument may be. A name or a look-up gives none: the tables are covered by `test_nothing_is_stale`."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=one, orelse=other):
            yield from strings_of(one)
            yield from strings_of(other)
        case ast.JoinedStr() | ast.BinOp():
            raise AssertionError(f"line {node.lineno}: a template must be whole, or nobody can translate it")


def templates(path: Path) -> Iterator[tuple[int, str]]:
    """Line and template of every `look.say("...")`, `look.mrkdwn("...")`, `say(language, "...")` and `Stop("...")`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Attribute(attr="say" | "mrkdwn", value=owner), args=[first, *_]):
                if not (isinstance(owner, ast.Name) and owner.id in MODULES):
                    yield from ((node.lineno, text) for text in strings_of(first))
            case ast.Call(func=ast.Name(id="Stop"), args=[first, *_]):
                yield from ((node.lineno, text) for text in strings_of(first))
            case ast.Call(func=ast.Name(id="say"), args=[_, second]):
                yield from ((node.lineno, text) for text in strings_of(second))


def translations() -> dict[str, str]:
    found: dict[str, str] = {}
    for path in FILES:
        found |= tomllib.loads(path.read_text(encoding="utf-8"))
    return found


def places(template: str) -> list[str]:
    """The places by number: `{} {}` and `{1} {0}` have the same."""
    found = re.findall(r"\{(\d*)\}", template)
    return sorted(number or str(at) for at, number in enumerate(found))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_every_template_is_translated(path: Path) -> None:
    """Those that stand in the source as they are."""
    known = translations()
    missing = {template: line for line, template in templates(path) if template not in known and re.search(r"[A-Za-z]", template)}
    assert not missing, f"{path.name}: no translation in zh/*.toml for {missing}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_nothing_is_stale(path: Path) -> None:
    """Every entry is a string of the source: the words of a table that is translated when it is used count too."""
    strings = {
        node.value
        for source in SOURCES
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    left_over = [template for template in tomllib.loads(path.read_text(encoding="utf-8")) if template not in strings]
    assert not left_over


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_translation_has_the_same_places(path: Path) -> None:
    """In whatever order; none is forgotten, none is taken twice."""
    for template, words in tomllib.loads(path.read_text(encoding="utf-8")).items():
        assert places(words) == places(template), template


def test_two_rooms_translate_a_template_alike() -> None:
    """The files are one table when they are read."""
    both = Counter(template for path in FILES for template in tomllib.loads(path.read_text(encoding="utf-8")))
    for template in (template for template, count in both.items() if count > 1):
        words = {tomllib.loads(path.read_text(encoding="utf-8")).get(template) for path in FILES} - {None}
        assert len(words) == 1, (template, words)


def test_the_languages() -> None:
    """English is the template; the Simplified is made from the Traditional; what is not translated stays English."""
    assert list(LANGUAGES) == ["en", "zh-Hant", "zh-Hans"]
    assert say("en", "Details") == "Details"
    assert say("zh-Hant", "Mute for 7 days") == "靜音 7 天"
    assert say("zh-Hans", "Mute for 7 days") == "静音 7 天"
    assert say("zh-Hans", "nobody said this") == "nobody said this"
    assert in_script("zh-Hans", "約談") == "约谈"


@pytest.mark.parametrize("values", [Kind, Status, Role, AmountKind, Health, Mode, OwnershipKind, FirmKind, Strength, Verdict])
def test_every_value_has_a_name(values: type[Kind]) -> None:
    """In all languages, and no two of one kind share one."""
    for language in LANGUAGES:
        names = [term(value, language) for value in values]
        assert len(set(names)) == len(names)
        assert all((re.search("[A-Za-z_]", name) is None) == (language != "en") for name in names), names


def test_places_and_languages_have_names_where_they_are_known() -> None:
    """Their code or their city else."""
    assert country("HK", "zh-Hans") == "香港"
    assert country("BR", "zh-Hant") == "BR"
    assert country("CN") == "CN"
    assert spoken("zh-hant", "zh-Hans") == "繁体中文"
    assert spoken("en") == "en"
    assert city("Asia/Taipei") == "Taipei"
    assert city("America/St_Johns", "zh-Hant") == "St Johns"
    assert city("Asia/Tokyo", "zh-Hans") == "东京"
