"""What forms are made of: fields with labels and hints, what a form remembers, and what stands in it when it comes back. Pure.

Every field is a block with a name, and `chosen`, `several`, `typed`, `lines` read a block by its name. What a form
must remember travels in its private_metadata: `pack`, `unpack`. The forms themselves are in `bot.slack.forms`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import bot.slack.text as t
from bot.slack.blocks import Block, Look

View = dict[str, Any]

LONGEST_METADATA = 3_000


def pack(**values: Any) -> str:
    """What a form remembers, as JSON; None and empty values are left out. Raises ValueError when it does not fit."""
    kept = {name: value for name, value in values.items() if value not in (None, "", (), [])}
    packed = json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
    if (length := units(packed)) > LONGEST_METADATA:
        raise ValueError(f"a form carries {LONGEST_METADATA} characters at most, not {length}")
    return packed


def units(text: str) -> int:
    """Its length as Slack may count it, an astral character twice."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def unpack(view: Mapping[str, Any]) -> dict[str, Any]:
    """What the form remembered; nothing when it carries nothing of ours."""
    try:
        found = json.loads(view.get("private_metadata") or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


# --- parts of a form ----------------------------------------------------------------------------------------------------


def words(text: str, limit: int) -> Block:
    """A plain text of at most so many characters; never empty."""
    return {"type": "plain_text", "text": t.plain(text, limit), "emoji": False}


def modal(look: Look, callback_id: str, title: str, submit: str, blocks: Sequence[Block], metadata: str) -> View:
    """A modal; without a word to submit it only tells."""
    view = {
        "type": "modal",
        "callback_id": callback_id,
        "title": words(title, 24),
        "close": words(look.say("Cancel") if submit else look.say("Close"), 24),
        "private_metadata": metadata,
        "blocks": [*blocks],
    }
    return {**view, "submit": words(submit, 24)} if submit else view


def field(name: str, label: str, element: Block, *, hint: str = "", is_optional: bool = False) -> Block:
    """A labelled field. Its block is named like the value that it holds, its element `regwatch.<name>` unless it says otherwise."""
    block: Block = {
        "type": "input",
        "block_id": name,
        "label": words(label, 120),
        "element": {"action_id": f"regwatch.{name}", **element},
        "optional": is_optional,
    }
    return {**block, "hint": words(hint, 400)} if hint else block


def option(value: str, label: str) -> Block:
    """One thing to choose."""
    return {"text": words(label, 75), "value": value}


def choice(kind: str, options: Mapping[str, str], chosen: str | None = None) -> Block:
    """A `static_select` or `radio_buttons` of value -> label."""
    element: Block = {"type": kind, "options": [option(value, label) for value, label in options.items()]}
    return {**element, "initial_option": option(chosen, options[chosen])} if chosen is not None and chosen in options else element


def choices(options: Mapping[str, str], chosen: Iterable[str], placeholder: str) -> Block:
    """A `multi_static_select` of value -> label; what is chosen and not among them is left out."""
    element: Block = {"type": "multi_static_select", "options": [option(value, label) for value, label in options.items()]}
    first = [option(value, options[value]) for value in dict.fromkeys(chosen) if value in options]
    return {**element, "placeholder": words(placeholder, 150), **({"initial_options": first} if first else {})}


def line(value: str, *, most: int, placeholder: str = "", is_multiline: bool = False) -> Block:
    """A text that is typed, of at most `most` characters."""
    element: Block = {"type": "plain_text_input", "max_length": most, "multiline": is_multiline}
    if value:
        element["initial_value"] = value
    return {**element, "placeholder": words(placeholder, 150)} if placeholder else element


def clock(value: str | None) -> Block:
    """A time of day, HH:MM; None stands empty."""
    return {"type": "timepicker", **({"initial_time": value} if value else {})}


def _state(view: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What stands in a block: one element each, so its id need not be known."""
    block = view.get("state", {}).get("values", {}).get(name) or {}
    return next(iter(block.values()), None) or {}


def chosen(view: Mapping[str, Any], name: str) -> str:
    """The value of a choice, a time or a channel; empty for none."""
    state = _state(view, name)
    option = state.get("selected_option") or {}
    return str(option.get("value") or state.get("selected_time") or state.get("selected_conversation") or "")


def several(view: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """The values of a choice of several, each once."""
    return tuple(dict.fromkeys(str(option["value"]) for option in _state(view, name).get("selected_options") or ()))


def typed(view: Mapping[str, Any], name: str) -> str:
    """One line of what was typed, cleaned."""
    return t.clean(str(_state(view, name).get("value") or ""))


def lines(view: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """The lines that were typed, cleaned, each once."""
    raw = str(_state(view, name).get("value") or "")
    return tuple(dict.fromkeys(line for part in re.split(r"[\r\n\u2028]+", raw) if (line := t.clean(part))))


def language_of(view: Mapping[str, Any]) -> str:
    """The language of the reader, which the form remembers."""
    return str(unpack(view).get("language", "en"))
