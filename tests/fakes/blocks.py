"""What holds for every message and every view that leaves the project, as one checker for all tests.

    check_message(answers.firm(view, coverage, look))      # a `bot.slack.cards.Message`, its thread included
    check_view(forms.subscribe(...))                       # a modal or a home page: the dict that views.open takes

Both raise AssertionError and say where. They hold Slack's documented limits (LIMITS, compared in tests/test_cards.py with
a table that others wrote down), our own tighter ones, that no stranger's text has power, that nothing invisible is in a text, and that
what a button or a menu carries is something that we can answer. `rebuilt` makes the same blocks with the constructors of
slackblocks, which check for themselves. Draw with hostile text (`TITLES` of tests/test_cards.py) and check what comes out.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

import slackblocks as sb

from bot.slack.cards import Message
from bot.slack.grammar import UserError, parse

LIMITS: dict[str, int] = {
    "text.max_length": 3000,
    "action_id.max_length": 255,
    "block_id.max_length": 255,
    "button.text.max_length": 75,
    "button.url.max_length": 3000,
    "button.value.max_length": 2000,
    "button.accessibility_label.max_length": 75,
    "confirmation.title.max_length": 100,
    "confirmation.text.max_length": 300,
    "confirmation.confirm.max_length": 30,
    "confirmation.deny.max_length": 30,
    "option.text.max_length": 75,
    "option.value.max_length": 150,
    "option.description.max_length": 75,
    "option_group.label.max_length": 75,
    "option_group.options.max_items": 100,
    "select.placeholder.max_length": 150,
    "select.options.max_items": 100,
    "select.option_groups.max_items": 100,
    "overflow.options.max_items": 5,
    "checkboxes.options.max_items": 10,
    "radio_buttons.options.max_items": 10,
    "plain_text_input.max_length.max": 3000,
    "actions.elements.max_items": 25,
    "context.elements.max_items": 10,
    "header.text.max_length": 150,
    "image.image_url.max_length": 3000,
    "image.alt_text.max_length": 2000,
    "input.label.max_length": 2000,
    "input.hint.max_length": 2000,
    "section.text.max_length": 3000,
    "section.fields.max_items": 10,
    "section.fields.item_max_length": 2000,
    "view.blocks.max_items": 100,
    "view.private_metadata.max_length": 3000,
    "view.callback_id.max_length": 255,
    "view.title.max_length": 24,
    "view.close.max_length": 24,
    "view.submit.max_length": 24,
}
"""Slack's limits of what we send. Lengths are counted in UTF-16 units, the stricter way, for Slack does not say which."""

WAYS: dict[str, re.Pattern[str]] = {
    "mark": re.compile(r"reviewed RW-\d+|withdraw \d+"),
    "menu": re.compile(r"!(wrong_firm|not_relevant|duplicate) RW-\d+"),
    "form": re.compile(r"subscribe(?: [\w.&+'-]+)?|settings|edit \d+|firm RW-\d+"),
    "home": re.compile(r"(?:edit|mute|unmute|unsubscribe) \d+"),
}
"""What a button or an option of our message carries beside a command, by the way that its action id names."""

_OURS = re.compile(
    r"<https?://[^<>|\s]+\|[^<>|]+>|<!date\^[0-9]+\^\{date_short\}, \{time\}\|[^<>|]+>|<@U0[A-Z]+>|<#C[A-Z0-9]+(?:\|[\w.-]+)?>"
)


def units(text: str) -> int:
    """Its length in UTF-16 units."""
    return len(text.encode("utf-16-le")) // 2


def strings(value: object, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text of blocks with the kind of its field: mrkdwn, plain_text, value, url, alt_text, image_url."""
    if isinstance(value, dict):
        kind = value.get("type", "")
        for name, part in value.items():
            if name in ("text", "value", "url", "alt_text", "image_url") and isinstance(part, str):
                yield (kind if name == "text" else name), part
            else:
                yield from strings(part, name)
    elif isinstance(value, list):
        for part in value:
            yield from strings(part, key)


def seen(message: Message) -> str:
    """What a reader sees, links and dates by their labels."""
    said = "\n".join(text for kind, text in strings(message.blocks) if kind not in ("value", "url", "image_url"))
    said = re.sub(r"<[^|<>]*\|([^<>]*)>", r"\1", said)
    return said.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").replace("\u2060", "")


def controls(blocks: list[dict[str, Any]]) -> dict[str, str]:
    """Label -> "way value" of all buttons and of the options of all menus; a link's value is its address."""
    found = {}
    for block in blocks:
        for element in [*block.get("elements", ()), *([block["accessory"]] if "accessory" in block else [])]:
            way = element.get("action_id", "").split(".")[1:2]
            for one in element.get("options", [element] if element.get("type") == "button" else []):
                found[one["text"]["text"]] = " ".join([*way, one.get("value") or one.get("url", "")])
    return found


def powerless(text: str) -> bool:
    """No control token that we did not make: what is left after taking ours away holds no angle bracket."""
    return not re.search("[<>]", _OURS.sub("", text))


def invisible(text: str) -> list[str]:
    """Characters that hide, turn round or break text. The word joiner is ours, the line break too."""
    return [char for char in text if unicodedata.category(char) in ("Cc", "Cf", "Cs") and char not in "\n\u2060"]


def weight(value: object) -> int:
    """Characters of all texts of the blocks."""
    return sum(len(text) for _, text in strings(value))


def check_message(message: Message) -> None:
    """A message and its thread: limits, powerless text, buttons that can be answered."""
    assert 0 < len(message.text) <= 3_000
    assert powerless(message.text), message.text
    assert not invisible(message.text)
    assert 0 < len(message.blocks) <= 45
    assert weight(message.blocks) <= 9_000
    _check_blocks(message.blocks)
    for reply in message.thread:
        check_message(reply)


def check_view(view: dict[str, Any]) -> None:
    """A modal or a home page as views.open and views.publish take it."""
    assert view["type"] in ("modal", "home")
    if view["type"] == "modal":
        assert view.get("title"), "a modal needs a title"
        assert view.get("submit") or not any(block["type"] == "input" for block in view["blocks"]), "inputs need a submit button"
    for part in ("title", "submit", "close"):
        if part in view:
            _words(view[part], f"view.{part}", is_plain=True)
    assert 0 < len(view["blocks"]) <= LIMITS["view.blocks.max_items"]
    _fits(view.get("private_metadata", ""), "view.private_metadata")
    _fits(view.get("callback_id", ""), "view.callback_id")
    assert len(json.dumps(view)) < 250_000, "a view of more than 250 kB"
    _check_blocks(view["blocks"])


def _check_blocks(blocks: list[dict[str, Any]]) -> None:
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    assert len(ids) == len(set(ids)), f"block ids twice: {ids}"
    json.dumps(blocks)
    for block in blocks:
        for kind, text in strings(block):
            text.encode()
            assert text.strip(), block
            if kind != "value":
                assert not invisible(text), (kind, text)
            if kind == "mrkdwn":
                assert powerless(text), text
            if kind in ("url", "image_url"):
                assert re.fullmatch(r"https?://[!-~]+", text)
                assert not set(text) & set('<>|"\\ ')
        _block(block)
        rebuilt(block)


def _fits(text: str, limit: str) -> None:
    assert units(text) <= LIMITS[f"{limit}.max_length"], (limit, text)


def _words(value: dict[str, Any], limit: str, *, is_plain: bool = False) -> None:
    """A text object within a limit."""
    assert value["type"] in (("plain_text",) if is_plain else ("plain_text", "mrkdwn")), (limit, value)
    assert value["text"].strip(), limit
    _fits(value["text"], limit)


def _block(block: dict[str, Any]) -> None:
    _fits(block.get("block_id", ""), "block_id")
    elements: list[dict[str, Any]] = []
    match block["type"]:
        case "header":
            _words(block["text"], "header.text", is_plain=True)
        case "section":
            fields = block.get("fields", [])
            assert "text" in block or fields, "a section of nothing"
            if "text" in block:
                _words(block["text"], "section.text")
            assert len(fields) <= LIMITS["section.fields.max_items"]
            assert all(0 < units(field["text"]) <= LIMITS["section.fields.item_max_length"] for field in fields)
            elements = [block["accessory"]] if "accessory" in block else []
        case "context":
            assert 0 < len(block["elements"]) <= LIMITS["context.elements.max_items"]
            for element in block["elements"]:
                if element["type"] == "image":
                    _fits(element["alt_text"], "image.alt_text")
                else:
                    _words(element, "text")
        case "actions":
            assert 0 < len(block["elements"]) <= LIMITS["actions.elements.max_items"]
            elements = block["elements"]
        case "input":
            _words(block["label"], "input.label", is_plain=True)
            if "hint" in block:
                _words(block["hint"], "input.hint", is_plain=True)
            elements = [block["element"]]
        case "image":
            _fits(block["alt_text"], "image.alt_text")
            assert block["alt_text"].strip(), "an image without words"
            _fits(block.get("image_url", ""), "image.image_url")
        case other:
            assert other == "divider", f"no check for {other}"
    ids = [element["action_id"] for element in elements if "action_id" in element]
    assert len(ids) == len(set(ids)), f"action ids twice in a block: {ids}"
    for element in elements:
        _element(element)


def _element(element: dict[str, Any]) -> None:
    kind = element["type"]
    _fits(element.get("action_id", ""), "action_id")
    if "confirm" in element:
        for part in ("title", "text", "confirm", "deny"):
            _words(element["confirm"][part], f"confirmation.{part}", is_plain=part != "text")
    if "placeholder" in element:
        _words(element["placeholder"], "select.placeholder", is_plain=True)
    if kind == "button":
        _words(element["text"], "button.text", is_plain=True)
        _fits(element.get("value", ""), "button.value")
        _fits(element.get("url", ""), "button.url")
        _fits(element.get("accessibility_label", ""), "button.accessibility_label")
        assert element.get("value") != "unsubscribe all" or "confirm" in element, "asks before it ends everything: question_before()"
        if "value" in element:
            _answerable(element["action_id"], element["value"])
    most = {"overflow": "overflow", "checkboxes": "checkboxes", "radio_buttons": "radio_buttons"}.get(kind, "select")
    groups = element.get("option_groups", [])
    assert len(groups) <= LIMITS["select.option_groups.max_items"]
    for group in groups:
        _words(group["label"], "option_group.label", is_plain=True)
        assert 0 < len(group["options"]) <= LIMITS["option_group.options.max_items"]
    if "options" in element:
        assert not groups, "options and groups"
        assert 0 < len(element["options"]) <= LIMITS[f"{most}.options.max_items"]
    options = [*element.get("options", ()), *(option for group in groups for option in group["options"])]
    for option in options:
        _words(option["text"], "option.text", is_plain=kind not in ("checkboxes", "radio_buttons"))
        _fits(option["value"], "option.value")
        if "description" in option:
            _words(option["description"], "option.description", is_plain=kind not in ("checkboxes", "radio_buttons"))
        if kind == "overflow":
            _answerable(element["action_id"], option["value"])
    values = [option["value"] for option in options]
    assert len(values) == len(set(values)), f"two options of one value: {values}"
    first = [element["initial_option"]] if "initial_option" in element else element.get("initial_options", [])
    if options:
        assert all(option in options for option in first), "an initial option must be one of the options, to the letter"
    if kind == "plain_text_input":
        assert element.get("min_length", 0) <= element.get("max_length", 3000) <= LIMITS["plain_text_input.max_length.max"]
        assert units(element.get("initial_value", "")) <= element.get("max_length", 3000), "more than its own limit"


def _answerable(action_id: str, value: str) -> None:
    """A command that parses, or one of the words of WAYS."""
    found = re.fullmatch(r"regwatch\.(\w+)\.\d+", action_id)
    if found is None:
        return  # of a form: its handler knows it by the whole id
    way = found[1]
    if way in WAYS and (WAYS[way].fullmatch(value) or way != "menu"):
        assert WAYS[way].fullmatch(value), (way, value)
        return
    command = parse(value)
    assert not isinstance(command, UserError), (way, value)


# --- the same with the constructors of slackblocks -------------------------------------------------------------------


def rebuilt(value: dict[str, Any]) -> Any:
    """The block or element made by slackblocks, which raises on what Slack would refuse. Kinds that it does not know pass."""
    match value["type"]:
        case "header":
            return sb.HeaderBlock(_text(value["text"]))
        case "section":
            fields = [_text(field) for field in value.get("fields", [])]
            accessory = rebuilt(value["accessory"]) if "accessory" in value else None
            return sb.SectionBlock(_text(value["text"]) if "text" in value else None, fields=fields or None, accessory=accessory)
        case "context":
            return sb.ContextBlock([_text(element) for element in value["elements"] if element["type"] != "image"] or [_text(_SOME)])
        case "actions":
            elements = [rebuilt(element) for element in value["elements"]]
            return sb.ActionsBlock(elements) if all(elements) else None
        case "input":
            hint = _text(value["hint"]) if "hint" in value else None
            element = rebuilt(value["element"])
            return sb.InputBlock(label=_text(value["label"]), element=element, hint=hint) if element else None
        case "image":
            return sb.ImageBlock(image_url=value.get("image_url", "https://x.example/"), alt_text=value["alt_text"])
        case "button":
            return sb.Button(
                _text(value["text"]), value["action_id"], value.get("url"), value.get("value"), value.get("style"), _confirm(value)
            )
        case "overflow":
            return sb.OverflowMenu(value["action_id"], _options(value), _confirm(value))
        case "static_select":
            if "options" in value:
                return sb.StaticSelectMenu(value["action_id"], options=_options(value), placeholder=_placeholder(value))
            groups = [sb.OptionGroup(_text(group["label"]), _options(group)) for group in value["option_groups"]]
            return sb.StaticSelectMenu(value["action_id"], options=None, option_groups=groups, placeholder=_placeholder(value))
        case "external_select":
            return sb.ExternalSelectMenu(
                value["action_id"], placeholder=_placeholder(value), min_query_length=value.get("min_query_length")
            )
        case "checkboxes":
            return sb.CheckboxGroup(value["action_id"], _options(value))
        case "radio_buttons":
            return sb.RadioButtonGroup(value["action_id"], _options(value))
        case "plain_text_input":
            return sb.PlainTextInput(
                value["action_id"],
                value.get("initial_value"),
                min_length=value.get("min_length"),
                max_length=value.get("max_length"),
                placeholder=_placeholder(value),
            )
    return None


_SOME = {"type": "mrkdwn", "text": "-"}


def _text(value: dict[str, Any]) -> sb.Text:
    return sb.PlainText(value["text"]) if value["type"] == "plain_text" else sb.Markdown(value["text"])


def _placeholder(value: dict[str, Any]) -> sb.Text | None:
    return _text(value["placeholder"]) if "placeholder" in value else None


def _options(value: dict[str, Any]) -> list[sb.Option]:
    return [
        sb.Option(_text(option["text"]), option["value"], _text(option["description"]) if "description" in option else None)
        for option in value["options"]
    ]


def _confirm(value: dict[str, Any]) -> sb.ConfirmationDialogue | None:
    if "confirm" not in value:
        return None
    asked = value["confirm"]
    return sb.ConfirmationDialogue(_text(asked["title"]), _text(asked["text"]), _text(asked["confirm"]), _text(asked["deny"]))
