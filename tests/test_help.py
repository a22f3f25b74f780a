"""The help and the errors: every verb has an example that works, and both are said in the reader's language."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

import bot.slack.grammar
import bot.slack.text as t
from bot.slack import help
from bot.slack.blocks import Look, Message
from bot.slack.grammar import VERBS, UserError, parse, unparse
from bot.slack.grammar.commands import VERB_OF
from bot.slack.labels import say
from storage.views import ChannelView, Coverage
from tests.fakes.blocks import check_message
from tests.test_grammar import ERRORS, SUGGESTIONS

COVERAGE = Coverage(24, 23, ())
LOOK = Look(now=datetime(2021, 3, 22, tzinfo=UTC))
CHANNEL = ChannelView(1, "T1", "C1", "legal", "Asia/Taipei", "en", True, "08:30", "weekdays", True, None, "", 2)
LANGUAGES = ("en", "zh-Hant", "zh-Hans")


def shown(message: Message) -> str:
    return "\n".join(block["text"]["text"] for block in message.blocks if block["type"] == "section")


def labels(message: Message) -> list[tuple[str, str]]:
    return [
        (button["text"]["text"], button["value"]) for block in message.blocks if block["type"] == "actions" for button in block["elements"]
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_help_has_eight_lines_and_names_every_verb(language: str) -> None:
    """With the state of the channel; what is typed is the same in every language."""
    message = help.help_(None, CHANNEL, COVERAGE, replace(LOOK, language=language))
    check_message(message)
    lines = message.blocks[0]["text"]["text"].splitlines()
    assert len(lines) == 8
    assert all(line.startswith("`/regwatch ") for line in lines)
    for verb in VERBS:
        assert re.search(rf"\b{verb}\b", "\n".join(lines)) or verb == "actions"
    assert "2" in message.blocks[1]["text"]["text"]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_an_example_that_works(verb: str) -> None:
    """It is a command of that verb, it survives being written back, and it is shown."""
    entry = help._HELP[verb]
    command = parse(entry.example)
    assert not isinstance(command, UserError)
    assert VERB_OF[unparse(command).split(" ")[0]] == verb
    for language in LANGUAGES:
        message = help.help_(verb, CHANNEL, COVERAGE, replace(LOOK, command="/watch", language=language))
        check_message(message)
        assert t.code(f"/watch {entry.example}") in shown(message)
        assert labels(message) == ([(say(language, "Try the example"), entry.example)] if entry.is_tried else [])


def test_every_verb_is_in_the_readme() -> None:
    """A verb that the README does not name does not exist for its reader."""
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    listed = readme.partition("## In Slack")[2].partition("A filter is")[0]
    assert [verb for verb in VERBS if not re.search(rf"\b{verb}\b", listed)] == []


def test_only_what_asks_can_be_tried() -> None:
    """A button under the help changes nothing."""
    assert [verb for verb in VERBS if help._HELP[verb].is_tried] == ["actions", "firm", "totals", "timeline", "search", "sources"]


@pytest.mark.parametrize("verb", [None, *VERBS])
def test_the_help_is_chinese_in_a_chinese_channel(verb: str | None) -> None:
    """But for what is typed."""
    for language in ("zh-Hant", "zh-Hans"):
        message = help.help_(verb, None, COVERAGE, replace(LOOK, language=language))
        ours = re.sub(r"`[^`]*`|RW|Regwatch|OR", "", shown(message))
        assert not re.search(r"[A-Za-z]{2}", ours), ours


def test_the_help_has_the_state_of_the_channel() -> None:
    """A channel that follows nothing has little to tell."""
    assert "This channel follows nothing yet." in shown(help.help_(None, None, COVERAGE, LOOK))
    assert "This channel: 1 subscription. " in shown(help.help_(None, replace(CHANNEL, subscriptions=1), COVERAGE, LOOK))


@pytest.mark.parametrize("typed", [case[1] for case in (*SUGGESTIONS, *ERRORS)], ids=[case[0] for case in (*SUGGESTIONS, *ERRORS)])
def test_every_error_fits_and_keeps_its_suggestion(typed: str) -> None:
    """As a button that runs a whole command, in every language; what was typed stays."""
    error = parse(typed)
    assert isinstance(error, UserError)
    for language in LANGUAGES:
        look = replace(LOOK, language=language)
        message = help.wrong(error, look)
        check_message(message)
        assert message.is_error
        assert [value for _, value in labels(message)] == ([error.suggestion] if error.suggestion else [])
        if language != "en":
            assert say(language, error.template) != error.template
            assert not error.hint or say(language, error.hint) != error.hint
            assert not error.label or error.labelled(look.say) != error.label


def test_an_error_is_said_in_the_language_of_the_channel() -> None:
    """With commands whole, under the name that the workspace gave them."""
    error = parse("actions bytedance knd:fine since：30d")
    assert isinstance(error, UserError)
    message = help.wrong(error, replace(LOOK, language="zh-Hans"))
    assert shown(message) == "没有「knd」这个筛选条件。您是指 kind:fine 吗？"
    assert labels(message) == [("改用 kind:fine", "actions bytedance kind:fine since：30d")]
    unclear = parse("mute tencent")
    assert isinstance(unclear, UserError)
    assert "要靜音多久" in help.wrong(unclear, replace(LOOK, language="zh-Hant")).text


def test_what_was_typed_has_no_power() -> None:
    """An error repeats it, so it may hold anything."""
    error = parse("tencent kind:<!&amp;>*x*&lt;!channel")
    assert isinstance(error, UserError)
    assert "<!" not in help.wrong(error, LOOK).text
    assert "&lt;!channel" in help.wrong(error, LOOK).text


def test_a_shared_answer_keeps_only_the_buttons_that_serve_everyone() -> None:
    """What one person's answer runs in its own place is no button for a channel."""
    error = help.error("What?", [("Help", "help")], LOOK)
    assert labels(help.shared(error, "U0ASKER")) == []
    assert labels(help.shared(help.help_("firm", None, COVERAGE, LOOK), "U0ASKER")) == [("Try the example", "firm 騰訊")]


def _templates() -> list[str]:
    """Every template, hint and label that the grammar may raise, read from its source."""
    found = []
    for path in sorted(Path(bot.slack.grammar.__file__).parent.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Wrong":
                parts = [node.args[0], *(word.value for word in node.keywords if word.arg == "label")]
                found += [part.value for part in parts if isinstance(part, ast.Constant)]
    return found


def test_every_error_of_the_grammar_is_translated() -> None:
    """A template that was forgotten would stand in English in a Chinese channel."""
    found = _templates()
    assert len(found) > 50
    assert [template for template in found if say("zh-Hant", template) == template] == []


def test_a_failure_and_a_shared_answer_speak_the_language_too() -> None:
    """The reference is the one of the log."""
    assert help.failure("abc", language="zh-Hant").text == "系統發生錯誤，您的要求可能未完成。參考編號 `abc`。"
    assert help.failure("abc", "The database is locked.").text == "The database is locked. Reference `abc`."
    message = help.help_(None, None, COVERAGE, LOOK)
    assert help.shared(message, "U0ASKER", language="zh-Hant").text.endswith("由 <@U0ASKER> 分享。")
