"""Messages within Slack's limits: blocks, buttons, menus, and the sheet that they are put on. Pure.

Every renderer returns a `Message`, whatever the view holds: what does not fit our budgets, which are tighter than Slack's
limits, is left out and said so. Foreign text stands in `plain_text`, where nothing is parsed, or passes
`bot.slack.text.escape`. What the messages say is in `bot.slack.cards` and its neighbours.

An action id is `regwatch.<way>.<n>`, and the way says what the value is and how it is answered: `ask` a command, answered
beside the message; `run` a command, in its place; `share` a command, to the channel; `open` a link; `mark` a word about an
action (`reviewed RW-1001`, `withdraw 12`); `menu` an option, a command or `!verdict RW-1001`; `form` what to open a modal for
(`subscribe tencent`, `settings`, `edit 17`, `firm RW-1001`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import bot.slack.text as t
from bot.slack.labels import say
from bot.slack.text import Mrkdwn, join, mrkdwn

Block = dict[str, Any]

MOST_BLOCKS = 45
MOST_CHARACTERS = 9_000  # Slack refuses a message somewhere above 11,000: https://github.com/slackapi/bolt-js/issues/2867
LONGEST_SECTION = 2_900
LONGEST_TEXT = 3_000  # chat.update refuses 4,000
LONGEST_HEADER = 150
LONGEST_LABEL = 75
LONGEST_QUOTE = 240
_KEPT_FOR_MISSING = 200


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a message: a picture of a time line, an export."""

    name: str
    content: bytes
    title: str
    alt: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """A message as Slack takes it. `thread` are replies under it; `is_error` tells a script that nothing was answered."""

    text: Mrkdwn
    blocks: list[Block]
    is_ephemeral: bool = True
    is_error: bool = False
    thread: tuple[Message, ...] = ()
    file: Attachment | None = None

    @property
    def response_type(self) -> str:
        """Who sees it, in Slack's words."""
        return "ephemeral" if self.is_ephemeral else "in_channel"


@dataclass(frozen=True, slots=True)
class Look:
    """For whom a message is drawn: the command's name, the zone, the firms to set in bold, the time of reading."""

    command: str = "/regwatch"
    zone: str = "UTC"
    watched: frozenset[str] = frozenset()
    now: datetime | None = None
    language: str = "en"

    def say(self, template: str) -> str:
        """Our own words in the reader's language."""
        return say(self.language, template)

    def mrkdwn(self, template: str, *values: str | int | Decimal | date) -> Mrkdwn:
        """`text.mrkdwn` of the template in the reader's language."""
        return mrkdwn(self.say(template), *values)


# --- blocks within their limits ---


def _mrkdwn(text: Mrkdwn, limit: int) -> Block:
    # verbatim: no guessing of links, names and channels in what we did not mark as such
    # and Slack refuses the whole message for an empty text
    return {"type": "mrkdwn", "text": t.fitted(t.spaced(text), limit) if text.strip() else "-", "verbatim": True}


def _plain(text: str, limit: int) -> Block:
    return {"type": "plain_text", "text": t.plain(text, limit), "emoji": False}


def section(text: Mrkdwn, accessory: Block | None = None) -> Block:
    block: Block = {"type": "section", "text": _mrkdwn(text, LONGEST_SECTION)}
    return block if accessory is None else {**block, "accessory": accessory}


def fields_block(fields: Sequence[Mrkdwn]) -> Block:
    return {"type": "section", "fields": [_mrkdwn(text, 600) for text in fields[:10]]}


def context(*lines: Mrkdwn) -> Block:
    return {"type": "context", "elements": [_mrkdwn(line, 1_200) for line in lines if line][:10]}


def header(text: str) -> Block:
    return {"type": "header", "text": _plain(text, LONGEST_HEADER)}


def button(label: str, value: str, way: str, number: int = 0, *, question: Block | None = None) -> Block | None:
    """A button that carries a command, or another value of its way; None when that is longer than a button can carry.

    `question` is asked before (see `confirm`).
    """
    if len(value) > 1_900:
        return None
    made: Block = {"type": "button", "text": _plain(label, LONGEST_LABEL), "action_id": f"regwatch.{way}.{number}", "value": value}
    return made if question is None else {**made, "confirm": question}


def confirm(look: Look, title: str, text: str, yes: str) -> Block:
    """The question that Slack asks before a button or a menu acts. All three are in the reader's language already."""
    return {
        "title": _plain(title, 100),
        "text": _plain(text, 300),
        "confirm": _plain(yes, 30),
        "deny": _plain(look.say("Cancel"), 30),
    }


def question_before(command: str, look: Look) -> Block | None:
    """The question before a command that ends much at once, for whoever puts it on a button; None for any other."""
    if command != "unsubscribe all":
        return None
    text = look.say("This channel follows nothing then, and all its rules are gone.")
    return confirm(look, look.say("Unsubscribe from everything?"), text, look.say("Unsubscribe"))


def menu(options: Sequence[tuple[str, str]], question: Block | None = None) -> Block:
    """The menu behind three dots: labels and values, five at most. `question` is asked before any of them."""
    made: Block = {
        "type": "overflow",
        "action_id": "regwatch.menu.0",
        "options": [{"text": _plain(label, LONGEST_LABEL), "value": value} for label, value in options[:5]],
    }
    return made if question is None else {**made, "confirm": question}


def open_button(label: str, url: str) -> Block | None:
    address = t.safe_url(url)
    if address is None:
        return None
    return {"type": "button", "text": _plain(label, LONGEST_LABEL), "action_id": "regwatch.open.0", "url": address}


def button_row(*buttons: Block | None) -> list[Block]:
    """One row of buttons and menus, or nothing. Action ids are numbered, for they must differ within a block."""
    found = [
        {**button, "action_id": f"{button['action_id'].rpartition('.')[0]}.{number}"} for number, button in enumerate(filter(None, buttons))
    ]
    return [{"type": "actions", "elements": found[:10]}] if found else []


def _weight(value: object) -> int:
    if isinstance(value, dict):
        return sum(_weight(part) for key, part in value.items() if key not in ("type", "action_id"))
    if isinstance(value, list):
        return sum(map(_weight, value))
    return len(value) if isinstance(value, str) else 0


@dataclass(slots=True)
class Sheet:
    """Blocks under a budget. The tail (coverage line, buttons) is reserved first and always there.

    Room is kept for one line that says what was left out: nothing goes missing in silence.
    """

    tail: list[Block]
    look: Look = field(default_factory=Look)
    body: list[Block] = field(default_factory=list)
    most: int = MOST_BLOCKS
    missing: Mrkdwn | None = None
    _weighs: int = field(init=False)  # the body

    def __post_init__(self) -> None:
        self._weighs = _weight(self.body)

    def add(self, *blocks: Block) -> bool:
        """Adds all of the blocks or, when they do not fit, none. A context without a line is nothing."""
        blocks = tuple(block for block in blocks if block.get("elements") != [])
        if not self.has_room(*blocks):
            self.missing = self.missing or self.look.mrkdwn("Some of it did not fit here.")
            return False
        self.body += blocks
        self._weighs += _weight([*blocks])
        return True

    def has_room(self, *blocks: Block) -> bool:
        """Whether the blocks fit."""
        count = len(self.body) + len(blocks) + len(self.tail)
        return count < self.most and self._weighs + _weight([*blocks, *self.tail]) <= MOST_CHARACTERS - _KEPT_FOR_MISSING

    def lines(self, lines: Sequence[Mrkdwn]) -> int:
        """Adds lines, as many to a section as it holds, until the sheet is full. Returns how many it took."""
        taken = 0
        while taken < len(lines):
            count = 1
            while count < len(lines) - taken and sum(map(len, lines[taken : taken + count + 1])) + count <= LONGEST_SECTION:
                count += 1
            while count and not self.has_room(section(join("\n", lines[taken : taken + count]))):
                count -= 1
            if not count:
                self.missing = self.look.mrkdwn("and {} more", len(lines) - taken)
                break
            self.add(section(join("\n", lines[taken : taken + count])))
            taken += count
        return taken

    def message(self, text: Mrkdwn, *, is_ephemeral: bool = True, is_error: bool = False) -> Message:
        """What was added, what is missing, and the tail."""
        missing = [context(self.missing)] if self.missing else []
        return Message(t.fitted(text, LONGEST_TEXT) or Mrkdwn("Regwatch"), [*self.body, *missing, *self.tail], is_ephemeral, is_error)
