"""The house rules that a machine can check: who imports whom, types, style, and documents that match the code."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bot.config import Settings
from storage.models import Kind

ROOT = Path(__file__).resolve().parent.parent

LAYERS: dict[str, int] = {
    "storage.models": 0,
    "storage.filters": 0,
    "storage.records": 0,
    "storage.views": 0,
    "storage.tenancy": 0,
    "storage.intents": 0,
    "storage.text": 0,
    "storage.words": 0,
    "storage": 1,  # all other modules of the package
    "bot.config": 2,
    "bot.extract": 2,
    "bot.feeds": 2,
    "bot.rhythm": 2,
    "bot.slack.grammar": 2,
    "bot.slack.blocks": 2,
    "bot.slack.cards": 2,
    "bot.slack.picker": 2,
    "bot.slack.digests": 2,
    "bot.slack.terms": 2,
    "bot.slack.text": 2,
    "bot.slack.labels": 2,
    "bot.slack.notices": 2,
    "bot.slack.unheard": 2,
    "bot.slack.replies": 2,
    "bot.slack.figures": 2,
    "bot.slack.picture": 2,
    "bot.slack.fields": 2,
    "bot.slack.forms": 2,
    "bot.slack.home": 2,
    "bot.check": 3,
    "bot.follow": 3,
    "bot.poll": 3,
    "bot.deliver": 3,
    "bot.backtest": 3,
    "bot.names": 3,
    "bot.reread": 3,
    "bot.touched": 3,
    "bot.upkeep": 3,
    "bot.slack": 4,
    "bot.console": 5,
    "bot.app": 5,
    "bot.transport": 5,
    "bot.cli": 5,
    "bot.cli_base": 5,
    "bot.cli_cases": 5,
    "bot.cli_channels": 5,
    "bot.cli_firms": 5,
    "bot.cli_sources": 5,
    "bot.replay": 5,
    "bot.doctor": 5,
    "bot.explain": 5,
    "bot.evaluate": 5,
    "bot.report": 5,
    "bot.demo": 5,
    "bot.__main__": 5,
    "bot": 0,
}
"""The longest prefix decides. A module may import its own layer and those below, with the exceptions of SIDEWAYS."""

SIDEWAYS_OFF = {"bot.config", "bot.extract", "bot.feeds", "bot.rhythm", "bot.slack.grammar"}
"""Rooms of layer 2 that may not see another room of layer 2."""

THIRD_PARTY: dict[str, tuple[str, ...]] = {
    "sqlmodel": ("storage",),
    "sqlalchemy": ("storage", "bot.slack.install"),
    "aiosqlite": ("storage.base",),
    "cryptography": ("bot.slack.install",),
    "alembic": ("storage.base", "storage.migrations"),
    "psycopg": ("storage.base",),
    "opencc": ("storage.text",),
    "rapidfuzz": ("storage.firms", "storage.lists"),
    "openpyxl": ("storage.listfiles",),
    "pypinyin": ("storage.firms",),
    "pydantic": ("bot.config",),
    "pydantic_settings": ("bot.config",),
    "ahocorasick_rs": ("bot.extract",),
    "anyio": ("bot.feeds",),
    "feedparser": ("bot.feeds",),
    "nh3": ("bot.feeds",),
    "pypdf": ("bot.feeds",),
    "selectolax": ("bot.feeds",),
    "trafilatura": ("bot.feeds",),
    "protego": ("bot.feeds.manners",),
    "yarl": ("bot.feeds",),
    "aiohttp": ("bot.feeds", "bot.deliver", "bot.app", "bot.transport", "bot.slack.install", "bot.demo"),
    "slack_sdk": ("bot.deliver", "bot.slack", "bot.app", "bot.transport", "bot.doctor"),
    "slack_bolt": ("bot.slack", "bot.app", "bot.transport"),
    "apscheduler": ("bot.app",),
    "matplotlib": ("bot.slack.picture",),
    "typer": ("bot.cli", "bot.cli_base", "bot.cli_cases", "bot.cli_channels", "bot.cli_firms", "bot.cli_sources"),
    "rich": ("bot.report", "bot.demo", "bot.console"),
}
"""Which rooms may import which package; a package that is not named here may be imported nowhere."""


def _modules() -> list[tuple[str, Path]]:
    found = []
    for path in sorted([*ROOT.glob("bot/**/*.py"), *ROOT.glob("storage/**/*.py")]):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found.append((".".join(parts[:-1] if parts[-1] == "__init__" else parts), path))
    return found


def _layer(module: str) -> int:
    name = module
    while name not in LAYERS:
        name = name.rpartition(".")[0]
    return LAYERS[name]


def _imports(path: Path, package: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module
            found.update(f"{node.module}.{alias.name}" if node.module == package.partition(".")[0] else node.module for alias in node.names)
    return found


@pytest.mark.parametrize(("module", "path"), _modules(), ids=lambda value: value if isinstance(value, str) else "")
def test_a_room_imports_only_what_its_layer_may(module: str, path: Path) -> None:
    """Ours: never upwards. Theirs: only the packages of the room."""
    for name in _imports(path, module):
        top = name.partition(".")[0]
        if top in ("bot", "storage"):
            assert _layer(name) <= _layer(module), f"{module} (layer {_layer(module)}) imports {name} (layer {_layer(name)})"
            if module in SIDEWAYS_OFF and top == "bot" and _layer(name) == _layer(module):
                assert name.startswith(module), f"{module} looks sideways at {name}"
        elif top not in sys.stdlib_module_names:
            rooms = THIRD_PARTY.get(top, ())
            assert any(module == room or module.startswith(f"{room}.") for room in rooms), f"{module} imports {top}"


def test_storage_never_imports_the_bot() -> None:
    """The fold, the records and the Store serve the bot, and know nothing of it."""
    for module, path in _modules():
        if module.startswith("storage"):
            assert not [name for name in _imports(path, module) if name.partition(".")[0] == "bot"], module


@pytest.mark.parametrize(
    "command",
    [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]],
    ids=["ruff finds nothing", "the format is ruff's", "mypy strict finds nothing in bot and storage"],
)
def test_the_gates_are_green(command: list[str]) -> None:
    """The same gates that a developer runs by hand."""
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_setting_is_in_the_readme_and_in_the_example_with_its_default() -> None:
    """`.env.example` is held against Settings: every name, its default, one comment."""
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    lines = dict(re.findall(r"^#? ?([A-Z_]+)=(.*)$", example, re.MULTILINE))
    names = {}
    for field in Settings.model_fields.values():
        assert field.validation_alias is not None
        names[field.validation_alias.choices[0]] = field  # type: ignore[union-attr]
    assert set(lines) == set(names)
    for name, field in names.items():
        default = "" if field.default in (None, frozenset()) else str(field.default)
        assert lines[name] == default, name
        assert f"# {field.description}\n" in example, name
        assert f"`{name}`" in _readme(), name


def test_every_command_and_kind_is_in_the_readme() -> None:
    """A command, verb or kind that the README does not name does not exist for its reader."""
    from bot.cli import app

    for command in app.registered_commands:
        name = command.name or command.callback.__name__  # type: ignore[union-attr]
        assert f"`regwatch {name}" in _readme(), name
    for group in app.registered_groups:
        for command in group.typer_instance.registered_commands:  # type: ignore[union-attr]
            name = command.name or command.callback.__name__  # type: ignore[union-attr]
            assert f"`regwatch {group.name} {name}" in _readme(), (group.name, name)
    for kind in Kind:
        assert kind.value in _readme(), kind


def test_every_dependency_is_pinned() -> None:
    """constraints.txt holds name==version lines and nothing else."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9_.!+-]+", line) for line in lines)
