"""Block Kit in a terminal: the cards that Slack would show, drawn with rich.

`drawn` takes any blocks as Slack takes them and gives what rich can print; `show` prints an answer. Text is
never read as rich's own markup, and widths are those of the terminal's cells, so Chinese lines up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from bot.slack.cards import Message


def _marked(marker: str) -> str:
    """Text between two markers at the edges of words; beside a word joiner (see `escape`) a marker is only a character."""
    mark = re.escape(marker)
    return rf"(?<![\w{mark}\u2060]){mark}(?!\u2060)([^{mark}\n]+)(?<!\u2060){mark}(?![\w{mark}\u2060])"


_TOKEN = re.compile("|".join([r"<([^<>]+)>", r"(?<!\u2060)`(?!\u2060)([^`\n]+)`", _marked("*"), _marked("_"), _marked("~")]))
_INVISIBLE = str.maketrans("", "", "\u2060")
_STYLES = {"bold": "bold", "italic": "italic", "strike": "strike", "code": "cyan"}


def show(message: Message, screen: Console | None = None) -> None:
    """An answer in a frame that says who would see it, then the messages of its thread, set in."""
    screen = screen or Console(highlight=False)
    seen_by = "only you see this" if message.is_ephemeral else "seen by the channel"
    screen.print(framed(message.blocks, message.text, title=seen_by, style="red" if message.is_error else "dim"))
    for reply in message.thread:
        screen.print(Padding(framed(reply.blocks, reply.text, title="in the thread"), (0, 0, 0, 4)))


def framed(blocks: Sequence[Mapping[str, Any]], text: str, *, title: str = "", style: str = "dim") -> Panel:
    """A message in a frame; its fallback text when it has no blocks."""
    body = drawn(blocks) if blocks else mrkdwn(text)
    return Panel(body, title=Text(title) if title else None, title_align="left", border_style=style, expand=False)


def drawn(blocks: Sequence[Mapping[str, Any]]) -> Group:
    """What rich prints for the blocks of a message."""
    return Group(*(part for block in blocks for part in _block(block)))


def _block(block: Mapping[str, Any]) -> Iterable[RenderableType]:
    match block.get("type"):
        case "header":
            yield Text(_plain(block["text"]), style="bold")
        case "section":
            yield from _section(block)
        case "context":
            yield Group(*(_object(element, "dim") for element in block["elements"] if "text" in element))
        case "actions":
            menus = [element for element in block["elements"] if element.get("options")]
            yield Columns([_button(element) for element in block["elements"] if element not in menus], padding=(0, 1))
            yield from map(_button, menus)  # as wide as what is in it, so it stands alone
        case "divider":
            yield Rule(style="dim")
        case "image":
            yield Text(f"[{block.get('alt_text', 'image')}]", style="dim")
        case other:
            yield Text(f"[{other}]", style="dim")


def _section(block: Mapping[str, Any]) -> Iterable[RenderableType]:
    if "text" in block:
        said = _object(block["text"])
        if block.get("accessory", {}).get("type") == "button":
            said = Text.assemble(said, "  ", _button(block["accessory"]))
        yield said
    if "fields" in block:
        table = Table.grid(padding=(0, 3))
        cells = [_object(field) for field in block["fields"]]
        for start in range(0, len(cells), 2):
            table.add_row(*cells[start : start + 2])
        yield table


def _button(element: Mapping[str, Any]) -> Text:
    if element.get("options"):
        return Text(f"[… {' | '.join(_plain(option['text']) for option in element['options'])}]", style="reverse")
    if element.get("type") != "button":
        return Text(f"[{element.get('type')}]", style="reverse")
    label = Text(f"[{_plain(element['text'])}]", style="reverse")
    if "url" in element:
        label.stylize(f"link {element['url']}")
    return label


def _plain(value: Mapping[str, Any]) -> str:
    return str(value.get("text", "")).translate(_INVISIBLE)


def _object(value: Mapping[str, Any], style: str = "") -> Text:
    return mrkdwn(str(value["text"]), style) if value.get("type") == "mrkdwn" else Text(_plain(value), style=style)


def mrkdwn(text: str, style: str = "") -> Text:
    """Slack's mrkdwn as rich text: links, dates by their fallback, mentions, bold, italic, strike, code."""
    out = Text(style=style)
    at = 0
    for token in _TOKEN.finditer(text):
        out.append(_literal(text[at : token.start()]))
        inside, code, bold, italic, strike = token.groups()
        if inside is not None:
            out.append(_special(inside))
        elif code is not None:
            out.append(_literal(code), style="cyan")
        else:
            inner = mrkdwn(bold or italic or strike)
            inner.stylize("bold" if bold else "italic" if italic else "strike")
            out.append(inner)
        at = token.end()
    out.append(_literal(text[at:]))
    return out


def _special(inside: str) -> Text:
    """`<url|label>`, `<!date^..|fallback>`, `<@U1>`, `<#C1|name>`."""
    target, _, label = inside.partition("|")
    if target.startswith(("http://", "https://")):
        return Text(_literal(label or target), style=f"underline link {_literal(target)}")
    if target.startswith("!"):
        return Text(_literal(label or f"@{target[1:]}"))
    return Text(f"{target[0]}{_literal(label)}" if label else _literal(target), style="cyan")


def _literal(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").translate(_INVISIBLE)
