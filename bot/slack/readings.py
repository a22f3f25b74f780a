"""What Regwatch makes of a text that somebody pointed at: the acts, the firms, the sums, each with its words. Pure.

Nothing of it is stored: the reader is asked, as `regwatch explain` asks it.
"""

from __future__ import annotations

import bot.slack.text as t
from bot.slack.blocks import LONGEST_QUOTE, Look, Message, Sheet, context, section
from bot.slack.text import Mrkdwn, escape, join, mrkdwn
from storage.models import Role, Status
from storage.records import Extraction, FoundAction, FoundFirm

MOST_ACTIONS = 8


def reading(found: Extraction, look: Look) -> Message:
    """The reading of one text, acts first. A text that tells of no act against a firm says so."""
    sheet = Sheet([context(look.mrkdwn("Only this text was read, and nothing was stored."))], look)
    if not found.actions:
        sheet.add(section(look.mrkdwn("No act of a regulator against a firm is told here.")))
    for action in found.actions[:MOST_ACTIONS]:
        sheet.add(section(join("\n", _lines(action, look))))
    if len(found.actions) > MOST_ACTIONS:
        sheet.missing = look.mrkdwn("and {} more", len(found.actions) - MOST_ACTIONS)
    acting = {(firm.start, firm.end) for action in found.actions for firm in action.firms}
    others = [_firm(firm, look) for firm in found.mentions if (firm.start, firm.end) not in acting]
    if others:
        sheet.add(section(look.mrkdwn("*Also named*\n{}", t.listed(list(dict.fromkeys(others)), language=look.language))))
    said = join("; ", [_head(action, look) for action in found.actions[:MOST_ACTIONS]])
    return sheet.message(said or look.mrkdwn("No act of a regulator against a firm is told here."))


def _head(action: FoundAction, look: Look) -> Mrkdwn:
    bodies = join(", ", [escape(body.name, 120) for body in action.regulators]) or look.mrkdwn("regulator not known")
    status = Mrkdwn(t.words(action.status, language=look.language)) if action.status is not Status.IN_FORCE else Mrkdwn("")
    when = Mrkdwn(t.partial(action.decided_on, language=look.language)) if action.decided_on else Mrkdwn("")
    return join(" · ", [t.bold(Mrkdwn(t.kind_label(action.kind, language=look.language))), bodies, when, status])


def _lines(action: FoundAction, look: Look) -> list[Mrkdwn]:
    firms = [_firm(firm, look) for firm in action.firms]
    lines = [_head(action, look), t.listed(list(dict.fromkeys(firms)), language=look.language) if firms else look.mrkdwn("No firm named")]
    if action.stated_count is not None:
        lines.append(look.mrkdwn("{} firms stated", action.stated_count))
    if action.amounts:
        sums = [mrkdwn("{} ({})", escape(sum_.surface, 80), t.words(sum_.kind, language=look.language)) for sum_ in action.amounts[:4]]
        lines.append(join(", ", sums))
    if action.evidence:
        lines.append(mrkdwn("“{}”", escape(action.evidence[0].text, LONGEST_QUOTE)))
    return lines


def _firm(firm: FoundFirm, look: Look) -> Mrkdwn:
    """A firm by its name, its role where it is not the target, and whether the register knows it."""
    name = t.bold(escape(firm.name, 80)) if firm.role is Role.TARGET else escape(firm.name, 80)
    notes = [t.words(firm.role, language=look.language)] if firm.role is not Role.TARGET else []
    notes += [firm.via] if firm.via else []
    notes += [look.say("not in the register")] if firm.firm_id is None else []
    return mrkdwn("{} ({})", name, ", ".join(notes)) if notes else name
