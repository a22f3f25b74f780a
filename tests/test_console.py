"""Cards in a terminal: what is marked up is shown, what is only text stays text, and Chinese keeps its columns."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given, settings
from rich.cells import cell_len
from rich.console import Console

from bot.console import drawn, framed, mrkdwn, show
from bot.slack import cards, digests
from bot.slack.cards import Message
from bot.slack.text import Mrkdwn
from storage.models import DeliveryKind
from tests.test_cards import FUZZ, a_delivery, a_digest, an_action, shown_messages


def screen(width: int = 80, *, is_terminal: bool = False) -> Console:
    return Console(
        file=io.StringIO(), width=width, highlight=False, force_terminal=is_terminal, color_system="truecolor" if is_terminal else None
    )


def printed(value: Any, width: int = 80, *, is_terminal: bool = False) -> str:
    """What the terminal receives."""
    console = screen(width, is_terminal=is_terminal)
    console.print(value)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def block(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, **more}


def text(words: str, kind: str = "mrkdwn") -> dict[str, Any]:
    return {"type": kind, "text": words}


MARKUP: list[tuple[str, str, str]] = [
    ("bold loses its stars", "*Tencent* and 2*3*4", "Tencent and 2*3*4"),
    ("italic and strike", "_so_ ~gone~ snake_case_name", "so gone snake_case_name"),
    ("code keeps what is in it", "`a *b*`", "a *b*"),
    ("a link is its label", "<https://x.example/?a=1&amp;b=2|The &amp; Wire>", "The & Wire"),
    ("a link without a label is its address", "<https://x.example>", "https://x.example"),
    ("a date is its fallback", "<!date^1616126400^{date_short}|19 Mar 2021>", "19 Mar 2021"),
    ("a mention is a name", "<@U0ASKER> in <#C0LEGAL|legal>", "@U0ASKER in #legal"),
    ("a special word", "<!here>", "@here"),
    ("entities are characters", "a &lt;b&gt; &amp;amp;", "a <b> &amp;"),
    ("the joiners of escaping are not seen", "\u2060*\u2060now\u2060*\u2060", "*now*"),
    ("rich's own markup is text", "[bold]x[/bold] [/]", "[bold]x[/bold] [/]"),
]


@pytest.mark.parametrize(("typed", "words"), [case[1:] for case in MARKUP], ids=[case[0] for case in MARKUP])
def test_markup_is_read_as_slack_reads_it(typed: str, words: str) -> None:
    """And nothing else is markup."""
    assert mrkdwn(typed).plain == words


def test_blocks_of_every_kind_are_drawn() -> None:
    """One after the other, in the order of the message."""
    blocks = [
        block("header", text=text("A header", "plain_text")),
        block("section", text=text("*bold*"), accessory={"type": "button", "text": text("Details", "plain_text")}),
        block("section", fields=[text("*Date*\n18 Mar"), text("*Amount*\n5"), text("odd")]),
        block("context", elements=[text("small"), {"type": "image", "alt_text": "logo"}]),
        block("divider"),
        block("image", alt_text="a chart"),
        block("actions", elements=[{"type": "button", "text": text("Go", "plain_text"), "url": "https://x.example"}, {"type": "overflow"}]),
        block("video"),
    ]
    lines = [line.rstrip() for line in printed(drawn(blocks), 40).splitlines()]
    assert lines == [
        "A header",
        "bold  [Details]",
        "Date     Amount",
        "18 Mar   5",
        "odd",
        "small",
        "─" * 40,
        "[a chart]",
        "[Go] [overflow]",
        "[video]",
    ]


def test_a_menu_shows_what_is_in_it() -> None:
    """A terminal has nothing to open it with."""
    options = [{"text": text(words, "plain_text"), "value": words} for words in ("Mute for 1 day", "Duplicate")]
    assert "[… Mute for 1 day | Duplicate]" in printed(drawn([block("actions", elements=[{"type": "overflow", "options": options}])]))


def test_a_struck_title_is_struck_in_a_terminal() -> None:
    """The link in it is one still."""
    out = printed(mrkdwn("~<https://x.example|Firms called in>~"), is_terminal=True)
    assert ";9m" in out or "[9m" in out
    assert "https://x.example" in out
    assert mrkdwn("~11 firms stated: *Tencent*, Alibaba~").plain == "11 firms stated: Tencent, Alibaba"


def test_a_terminal_gets_links_and_weights() -> None:
    """As escape sequences; a pipe gets plain words."""
    out = printed(mrkdwn("*Tencent* <https://x.example|Wire>"), is_terminal=True)
    assert "\x1b[1mTencent" in out
    assert "https://x.example" in out
    assert "\x1b" not in printed(mrkdwn("*Tencent* <https://x.example|Wire>"))


def test_wide_characters_keep_the_frame() -> None:
    """Every line of a frame is equally wide in cells."""
    chinese = an_action(title="国家互联网信息办公室约谈十一家企业" * 3)
    message = cards.alert(a_delivery(action=chinese).card)
    lines = printed(framed(message.blocks, message.text, title="騰訊"), 60).splitlines()
    assert {cell_len(line) for line in lines} == {60}


def test_a_message_without_blocks_shows_its_text() -> None:
    """As Slack does."""
    assert "plain words" in printed(framed([], "*plain* words"))


def test_who_sees_an_answer_is_said() -> None:
    """And a thread stands under its root, set in."""
    console = screen()
    root, *thread = digests.digest(a_delivery(DeliveryKind.DIGEST, digest=a_digest()))
    show(Message(root.text, root.blocks, is_ephemeral=False, thread=tuple(thread)), console)
    show(Message(Mrkdwn("only"), []), console)
    assert isinstance(console.file, io.StringIO)
    out = console.file.getvalue()
    assert "╭─ seen by the channel" in out
    assert "    ╭─ in the thread" in out
    assert "╭─ only you see this" in out
    assert "Moved (1)" in out


def test_without_a_screen_it_prints(capsys: pytest.CaptureFixture[str]) -> None:
    """On standard output."""
    show(Message(Mrkdwn("hello"), []))
    assert "hello" in capsys.readouterr().out


@settings(FUZZ, max_examples=30)
@given(shown_messages())
def test_no_message_breaks_the_terminal(message: Message) -> None:
    """No escape sequence of a stranger reaches it, and no line is wider than it."""
    lines = printed(framed(message.blocks, message.text), 60).splitlines()
    assert all("\x1b" not in line and cell_len(line) <= 60 for line in lines)
