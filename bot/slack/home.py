"""The app's Home tab: a person's channels with what each follows and does not hear, and how well the sources are read. Pure.

Each subscription has a menu whose options are `edit 17`, `mute 17` or `unmute 17`, and `unsubscribe 17`; the last one asks
first (`forms.unsubscribe_form`), for Slack's own question would be asked of every option.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bot.slack.text as t
from bot.slack.blocks import Block, Look, Sheet, button, button_row, context, header, section
from bot.slack.cards import coverage_block
from bot.slack.replies import channel_state, counted, followed_name, place_name, rule_words, untold_rules
from bot.slack.text import Mrkdwn, escape, join, mrkdwn
from bot.slack.unheard import muted_now
from storage.models import Health, Mode
from storage.views import Coverage, MuteView, PlaceView, SourceView, SubscriptionView

MOST_BLOCKS = 100
MOST_RULES = 10
"""Subscriptions of one channel that are shown; one channel must not push out all others."""
MOST_PROBLEMS = 5


def home(
    places: Sequence[PlaceView],
    coverage: Coverage,
    look: Look,
    *,
    user_id: str,
    is_admin: bool,
    problems: Sequence[SourceView] = (),
) -> dict[str, Any]:
    """The view for views.publish. `places` are the channels that this person may see, `problems` the sources that are not well."""
    rules = sum(len(place.subscriptions) for place in places)
    many = join(
        " · ", [counted(len(places), "{} channel", "{} channels", look), counted(rules, "{} subscription", "{} subscriptions", look)]
    )
    sheet = Sheet(_health(coverage, problems, look, is_admin=is_admin), most=MOST_BLOCKS)
    sheet.add(header("Regwatch"))
    sheet.add(context(mrkdwn("{} · {}", t.person(user_id), many)))
    sheet.add(*button_row(button(look.say("Add a firm"), "subscribe", "form")))
    if not rules:
        hint = t.code(f"{look.command} subscribe tencent")
        sheet.add(section(look.mrkdwn("No channel of yours follows anything yet. Press the button, or type {} in a channel.", hint)))
    for told, place in enumerate(places):
        blocks = [{"type": "divider"}, *_place(place, told * MOST_RULES, look)]
        if not sheet.has_room(*blocks):
            left = counted(len(places) - told, "and {} more channel", "and {} more channels", look)
            sheet.missing = look.mrkdwn("{}: {} in a channel shows what it follows.", left, t.code(f"{look.command} subscribe list"))
            break
        sheet.add(*blocks)
    missing = [context(sheet.missing)] if sheet.missing else []
    return {"type": "home", "blocks": [*sheet.body, *missing, *sheet.tail]}


def _place(place: PlaceView, number: int, look: Look) -> list[Block]:
    """A channel: its name and state, and a line with a menu for each subscription. `number` is the first of its menus."""
    channel = place.channel
    many = counted(len(place.subscriptions), "{} subscription", "{} subscriptions", look)
    muted = muted_now(place.mutes, channel.time_zone, look)
    name = look.mrkdwn("Direct message with Regwatch") if channel.slack_id.startswith("D") else place_name(channel, look)
    untold = untold_rules(place.subscriptions, channel, look)
    head = join("\n", [mrkdwn("{}   {}", t.bold(name), many), channel_state(channel, look), untold, muted])
    blocks = [section(head)]
    shown = place.subscriptions[:MOST_RULES]
    for at, rule in enumerate(shown, number):
        line = mrkdwn("#{} {}\n{}", rule.id, followed_name(rule, look), t.fitted(rule_words(rule, look), 240))
        blocks.append(section(line, _menu(rule, place.mutes, at, look)))
    if len(place.subscriptions) > len(shown):
        hint = t.code(f"{look.command} subscribe list")
        blocks.append(context(look.mrkdwn("and {} more; {} there shows all", len(place.subscriptions) - len(shown), hint)))
    return blocks


def _menu(rule: SubscriptionView, mutes: Sequence[MuteView], number: int, look: Look) -> Block:
    """What can be done with a subscription; only a firm can be muted for itself."""
    options = [(f"edit {rule.id}", look.say("Edit"))]
    if rule.firm is not None:
        is_muted = any(mute.firm is not None and mute.firm.firm_id == rule.firm.firm_id for mute in mutes)
        options.append((f"unmute {rule.id}", look.say("Unmute")) if is_muted else (f"mute {rule.id}", look.say("Mute for 7 days")))
    options.append((f"unsubscribe {rule.id}", look.say("Unsubscribe")))
    drawn = [{"text": {"type": "plain_text", "text": t.plain(words, 75), "emoji": False}, "value": value} for value, words in options]
    return {"type": "overflow", "action_id": f"regwatch.home.{number}", "options": drawn}


def _health(coverage: Coverage, problems: Sequence[SourceView], look: Look, *, is_admin: bool) -> list[Block]:
    """The coverage line, and the sources that are not well, the worst first."""
    shown = sorted(problems, key=_badness)[:MOST_PROBLEMS]
    lines = [mrkdwn("• {}", _problem(source, look)) for source in shown]
    if len(problems) > len(shown):
        hint = t.code(f"{look.command} sources")
        lines.append(look.mrkdwn("and {} more; {} shows all", len(problems) - len(shown), hint))
    if shown and is_admin:
        orders = [t.code(f"{look.command} sources {order} {shown[0].id}") for order in ("check", "arm", "hold")]
        lines.append(look.mrkdwn("You may type {}, {} or {}.", *orders))
    listed = [section(join("\n", lines))] if lines else []
    return [{"type": "divider"}, section(look.mrkdwn("*Sources*")), *coverage_block(coverage, look), *listed]


_WORST = (Health.BLOCKED, Health.CHANGED_LAYOUT, Health.EXPIRED_CERTIFICATE, Health.ERROR, Health.EMPTY, Health.LATE, Health.OK)


def _badness(source: SourceView) -> tuple[bool, int, float, str]:
    """Held ones first, for only a person lets them post again; then by what is wrong, and since when."""
    since = source.health_since.timestamp() if source.health_since else 0.0
    return source.mode is not Mode.HELD, _WORST.index(source.health), since, source.id


def _problem(source: SourceView, look: Look) -> Mrkdwn:
    """`cn-csrc-news` · CSRC · blocked since Sat 21:10: refused · held: half of its entries were new."""
    parts = [t.code(source.id), escape(source.regulator, 80)]
    if source.health is not Health.OK:
        said = escape(t.words(source.health, language=look.language))
        if source.health_since:
            when = t.since(source.health_since, look.zone, look.now, language=look.language)
            said = look.mrkdwn("{} since {}", said, when)
        parts.append(join(": ", [said, escape(source.health_detail, 120)]))
    if source.mode is not Mode.LIVE:
        parts.append(join(": ", [escape(t.words(source.mode, language=look.language)), escape(source.mode_reason, 120)]))
    return join(" · ", parts)
