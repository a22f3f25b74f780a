"""The replies to changes: what a channel follows from now on, its digest and settings, what it does not hear, and what
people said of its cards, in words. What it will then not see anywhere is told by `bot.slack.unheard`. Pure.

Every change names who made it, and offers the way back where there is one. `bot.slack.forms` draws the forms that its
buttons open, `bot.slack.home` shows the same rules for all channels of a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import bot.slack.text as t
import bot.slack.unheard as unheard
from bot.slack.blocks import Block, Look, Message, Sheet, button, button_row, confirm, context, section
from bot.slack.cards import coverage_block, details_button, head_line, match_name, regulator_name, short_line
from bot.slack.grammar import Actions, Mute, Subscribe, Target, Unsubscribe, unparse
from bot.slack.labels import LANGUAGES
from bot.slack.text import Mrkdwn, escape, join, mrkdwn
from bot.slack.unheard import mute_name, muted_now
from storage.filters import Filter, Term
from storage.intents import MuteIntent
from storage.models import Broadcast, Deliver, Followed, Health, Mode
from storage.records import action_ref
from storage.tenancy import Verdict, WhoMayChange
from storage.views import (
    CardView,
    ChangeView,
    ChannelView,
    CorrectionResult,
    CorrectionView,
    Coverage,
    FirmMatch,
    FirmView,
    FollowResult,
    MuteView,
    SourceView,
    SubscriptionView,
)

WITH_BUTTONS = 15
"""Subscriptions that a list shows with buttons of their own; a longer one is text alone."""


def counted(count: int, one: str, more: str, look: Look) -> Mrkdwn:
    """The template for one or for several, each with a place for the number, in the reader's language."""
    return look.mrkdwn(one if count == 1 else more, f"{count:,}")


def aloud(lines: Iterable[Mrkdwn]) -> Mrkdwn:
    """Lines as sentences for those who hear a message: without stars and backticks, each with its full stop."""
    said = [line if line.endswith((".", "。", "?", "？", "!")) else f"{line}{'。' if line[-1] > '⺀' else '.'}" for line in lines if line]
    return Mrkdwn(" ".join(said).replace("*", "").replace("`", "").replace("\n", " "))


def edit_button(subscription: SubscriptionView, look: Look, number: int = 0) -> Block | None:
    """Opens the form of a rule."""
    return button(look.say("Edit"), f"edit {subscription.id}", "form", number)


# --- what is followed -------------------------------------------------------------------------------------------------


def followed(results: Sequence[FollowResult], by: str, coverage: Coverage, look: Look) -> Message:
    """What a subscription did, with its rule in words. Seen by the channel unless nothing changed."""
    undone = _undoing(results)
    undo = button(look.say("Undo"), undone, "ask") if undone else None
    is_one = len(results) == 1
    turned_on = []
    if any(result.is_digest_turned_on for result in results):
        hint = t.code(f"{look.command} digest off")
        words = digest_words(results[-1].channel, look)
        turned_on = [section(look.mrkdwn("The daily digest is on now: {}. {} turns it off.", words, hint))]
    elif untold := untold_rules([result.subscription for result in results], results[-1].channel, look):
        turned_on = [section(untold)]
    buttons = button_row(edit_button(results[0].subscription, look) if is_one else None, undo)
    sheet = Sheet([*turned_on, *coverage_block(coverage, look), *buttons])
    said = []
    for count, result in enumerate(results):
        head = _followed_head(result, by, look)
        lines = [
            head,
            mrkdwn("{}{}", look.mrkdwn("Rule: {}.", rule_words(result.subscription, look)), _includes(result.subscription, look)),
            mrkdwn("{}", t.delivery(result.subscription, language=look.language)),
            _already(result, look),
        ]
        if not sheet.add(section(join("\n", lines), None if is_one else edit_button(result.subscription, look))):
            sheet.missing = look.mrkdwn("and {} more", len(results) - count)
            break
        said.append(mrkdwn("{}. {}", Mrkdwn(head.replace("*", "")), look.mrkdwn("Rule: {}.", rule_words(result.subscription, look))))
    is_same = all(result.did == "same" for result in results)
    return sheet.message(join(" ", [Mrkdwn(part) for part in said]) or look.mrkdwn("Subscribed."), is_ephemeral=is_same)


def _undoing(results: Sequence[FollowResult]) -> str:
    """The command that takes back what was done: rules that are new end, else those that were edited are what they were, where one
    command can say so; nothing where there is nothing to take back."""
    created = [result.subscription.id for result in results if result.did == "created"]
    if created:
        return unparse(Unsubscribe(ids=tuple(created)))
    former = [result.former for result in results if result.former is not None]
    alike = {(rule.filter, rule.broadcast, rule.deliver) for rule in former}
    return unparse(_as_it_is(former)) if len(alike) == 1 else ""


def _followed_head(result: FollowResult, by: str, look: Look) -> Mrkdwn:
    where, what = place_name(result.channel, look), followed_name(result.subscription, look)
    number = f"#{result.subscription.id}"
    if result.did == "created":
        return look.mrkdwn("{} subscribed {} to {}  {}", t.person(by), where, what, number)
    if result.did == "edited":
        return look.mrkdwn("{} changed the rule of {} for {}  {}", t.person(by), where, what, number)
    return look.mrkdwn("{} follows {} by this rule already  {}", where, what, number)


def place_name(channel: ChannelView, look: Look) -> Mrkdwn:
    """The channel's link or name; a direct message has neither."""
    return t.place(channel.slack_id, channel.name, language=look.language)


def followed_name(subscription: SubscriptionView, look: Look) -> Mrkdwn:
    """What a subscription follows: the firm or the regulator in bold, or everything."""
    if subscription.firm is not None:
        return match_name(subscription.firm, language=look.language)
    if subscription.regulator is not None:
        name, regulator = regulator_name(subscription.regulator, look), subscription.regulator
        other = regulator.name_native if name == regulator.name else regulator.name
        return mrkdwn("{} ({})", t.bold(name), escape(other, 80)) if other and other != name else t.bold(name)
    return look.mrkdwn("*everything*")


def rule_words(subscription: SubscriptionView, look: Look) -> Mrkdwn:
    """The rule as a person would say it."""
    return escape(t.rule(subscription.followed, subscription.filter, language=look.language), 600)


def _includes(subscription: SubscriptionView, look: Look) -> Mrkdwn:
    if not subscription.includes:
        return Mrkdwn("")
    return look.mrkdwn(" Includes {}.", t.listed([escape(name, 60) for name in subscription.includes], 160, language=look.language))


def _already(result: FollowResult, look: Look) -> Mrkdwn:
    if not result.known:
        return look.mrkdwn("Nothing is known about it so far.") if result.did == "created" else Mrkdwn("")
    plain = Look(zone=look.zone, language=look.language)
    last = [
        mrkdwn("{}{}", short_line(action, plain), f" ({t.partial(action.decided_on, language=look.language)})" if action.decided_on else "")
        for action in result.last[:3]
    ]
    many = counted(result.known, "{} action", "{} actions", look)
    return look.mrkdwn("Already known: {}, {}. Nothing older is posted.", many, join("; ", last) or look.mrkdwn("none of them shown"))


def unfollowed(removed: Sequence[SubscriptionView], by: str, channel: Mrkdwn, coverage: Coverage, look: Look) -> Message:
    """What the channel follows no longer, and the way back when it is one rule that a button can carry."""
    names = [mrkdwn("{} #{}", followed_name(subscription, look), subscription.id) for subscription in removed]
    said = look.mrkdwn("{} unsubscribed {} from {}", t.person(by), channel, t.listed(names, 2_000, language=look.language))
    again = button(look.say("Subscribe again"), unparse(_as_it_is(removed)), "ask") if len(removed) == 1 else None
    sheet = Sheet([*coverage_block(coverage, look), *button_row(again)])
    sheet.add(section(said))
    return sheet.message(aloud([said]), is_ephemeral=False)


def _as_it_is(rules: Sequence[SubscriptionView]) -> Subscribe:
    """The command that follows the same by the same rule, which all of them have."""
    ids = [(rule.firm.firm_id if rule.firm else rule.regulator.id if rule.regulator else "") or "" for rule in rules]
    targets = tuple(Target(rule.followed, id_) for rule, id_ in zip(rules, ids, strict=True))
    return Subscribe(targets, rules[0].filter, rules[0].broadcast, rules[0].deliver)


def subscriptions(
    views: Sequence[SubscriptionView], channel: ChannelView | None, coverage: Coverage, look: Look, *, mutes: Sequence[MuteView] = ()
) -> Message:
    """What a channel follows, each with its rule in words and the number that `unsubscribe` takes, and what it does not hear now."""
    hint = t.code(f"{look.command} subscribe tencent")
    if channel is None or not views:
        sheet = Sheet(coverage_block(coverage, look))
        said = look.mrkdwn("This channel follows nothing yet. {} starts.", hint)
        sheet.add(section(said))
        return sheet.message(said)
    where = place_name(channel, look)
    sheet = Sheet([*coverage_block(coverage, look), *button_row(button(look.say("Settings"), "settings", "form"))])
    many = counted(len(views), "{} subscription", "{} subscriptions", look)
    state = [channel_state(channel, look), untold_rules(views, channel, look), muted_now(mutes, channel.time_zone, look)]
    sheet.add(section(join("\n", [mrkdwn("*{}*   {}", where, many), *state])))
    rows = [_subscription(view, look) for view in views]
    if len(views) > WITH_BUTTONS:
        hint = t.code(f"{look.command} unsubscribe #{views[0].id}")
        sheet.add(context(look.mrkdwn("{} ends one of them; the app's Home tab has a menu for each.", hint)))
        sheet.lines(rows)
    else:
        for told, (view, row) in enumerate(zip(views, rows, strict=True)):
            if not sheet.add(section(row), *button_row(edit_button(view, look), _unsubscribe_button(view, look))):
                sheet.missing = look.mrkdwn("and {} more", len(views) - told)
                break
    names = [Mrkdwn(f"#{view.id} {followed_name(view, look).replace('*', '')}") for view in views]
    return sheet.message(look.mrkdwn("{} follows {}.", where, t.listed(names, 1_500, language=look.language)))


def _subscription(view: SubscriptionView, look: Look) -> Mrkdwn:
    made = look.mrkdwn("by {}, {}", t.person(view.created_by), t.day(view.created_at.date(), language=look.language))
    if view.changed_by and view.changed_at is not None:
        when = t.day(view.changed_at.date(), language=look.language)
        made = join(look.say("; "), [made, look.mrkdwn("changed by {}, {}", t.person(view.changed_by), when)])
    delivered = t.delivery(view, language=look.language)
    return join(
        "\n",
        [
            mrkdwn("#{} {}", view.id, followed_name(view, look)),
            mrkdwn(
                "   {}{}{}", look.mrkdwn("Rule: {}.", rule_words(view, look)), _includes(view, look), f" {delivered}" if delivered else ""
            ),
            mrkdwn("   {}", made),
        ],
    )


def _unsubscribe_button(view: SubscriptionView, look: Look) -> Block | None:
    name = view.firm.name if view.firm else view.regulator.name if view.regulator else look.say("everything")
    text = look.say("No alerts and no lines in the digest about {} any more. What was posted stays.").format(t.plain(name, 120))
    question = confirm(look, look.say("Unsubscribe?"), text, look.say("Unsubscribe"))
    return button(look.say("Unsubscribe"), unparse(Unsubscribe(ids=(view.id,))), "ask", question=question)


# --- the digest and the settings ------------------------------------------------------------------------------------------


def channel_state(channel: ChannelView, look: Look) -> Mrkdwn:
    """How the digest stands, and whether Slack refuses the channel."""
    paused = Mrkdwn("")
    if channel.paused_reason:
        hint = t.code(f"{look.command} digest on")
        paused = look.mrkdwn("Paused: {}. {} starts it again.", unheard.refusal(channel.paused_reason, look), hint)
    quiet = Mrkdwn("")
    if channel.quiet_from and channel.quiet_to:
        quiet = look.mrkdwn("Quiet hours: {} to {}", channel.quiet_from, channel.quiet_to)
    if not channel.is_digest_on:
        return join("\n", [look.mrkdwn("Digest: off"), quiet, paused])
    said = look.mrkdwn("Digest: {}", digest_words(channel, look))
    if channel.next_digest_at:
        following = look.mrkdwn("next {}", t.instant(channel.next_digest_at, channel.time_zone, language=look.language))
        said = join(look.say("; "), [said, following])
    return join("\n", [said, quiet, paused])


def digest_words(channel: ChannelView, look: Look) -> Mrkdwn:
    """08:30 on weekdays, Asia/Taipei, sent even when empty."""
    days = look.mrkdwn("every day") if channel.digest_days == "daily" else look.mrkdwn("on weekdays")
    empty = look.mrkdwn("sent even when empty") if channel.sends_empty_digest else look.mrkdwn("not sent when empty")
    return look.mrkdwn("{} {}, {}, {}", channel.digest_at, days, channel.time_zone, empty)


def untold_rules(views: Sequence[SubscriptionView], channel: ChannelView, look: Look) -> Mrkdwn:
    """That some of these rules are told nowhere while the digest is off; nothing where all are told."""
    return Mrkdwn("") if channel.is_digest_on else unheard.untold(_digest_only(views, look), look)


def _digest_only(views: Sequence[SubscriptionView], look: Look) -> list[Mrkdwn]:
    return [mrkdwn("{} #{}", followed_name(view, look), view.id) for view in views if view.deliver is Deliver.DIGEST]


def nowhere(views: Sequence[SubscriptionView], mutes: Sequence[MuteView], kept: int, look: Look) -> list[Mrkdwn]:
    """What a channel with these rules shows nowhere when its digest is off, and the way back; nothing where it follows nothing.

    `kept`: so many acts waited for the next digest."""
    if not views:
        return []
    firms = any(view.followed is Followed.FIRM for view in views)
    muted_names = [mute_name(mute, look) for mute in mutes]
    first = views[0]
    own = Filter((Term("regulator", (first.regulator.id,)),)) if first.regulator else Filter((Term("since", ("30d",)),))
    question = unparse(Actions(first.firm.firm_id) if first.firm else Actions(None, own))
    digest_only = _digest_only(views, look)
    return unheard.nowhere(look, question, is_nameless_followed=firms, digest_only=digest_only, muted=muted_names, kept=kept)


def digest_setting(
    channel: ChannelView | None, coverage: Coverage, look: Look, *, by: str | None = None, missed: Sequence[Mrkdwn] = ()
) -> Message:
    """How the channel's digest stands; `by` changed it, and the channel is told. `missed`: what is shown nowhere then (`nowhere`)."""
    if channel is None:
        hint = t.code(f"{look.command} subscribe tencent")
        said = look.mrkdwn("This channel has no digest yet: its first subscription turns it on. {}", hint)
    elif by is None:
        said = channel_state(channel, look)
    elif not channel.is_digest_on:
        off = look.mrkdwn("{} turned the digest of {} off.", t.person(by), place_name(channel, look))
        said = join("\n", [off, *missed])
    else:
        said = mrkdwn(
            "{}\n{}", look.mrkdwn("{} set the digest of {}.", t.person(by), place_name(channel, look)), channel_state(channel, look)
        )
    sheet = Sheet(coverage_block(coverage, look))
    sheet.add(section(said))
    return sheet.message(aloud([said]), is_ephemeral=by is None)


def settings_changed(channel: ChannelView, before: ChannelView | None, by: str, look: Look, *, missed: Sequence[Mrkdwn] = ()) -> Message:
    """Each setting that is another than before, from what to what; `before` None: the channel was not known. `missed`: what is shown
    nowhere since the digest was turned off (`nowhere`)."""
    now = _settings(channel, look)
    was = _settings(before, look) if before else {}
    lines = [
        look.mrkdwn("{}: {} → {}", t.bold(name), was[name], value) if name in was else mrkdwn("{}: {}", t.bold(name), value)
        for name, value in now.items()
        if was.get(name) != value
    ]
    sheet = Sheet(button_row(button(look.say("Settings"), "settings", "form")))
    where = place_name(channel, look)
    if not lines:
        said = look.mrkdwn("The settings of {} are as they were.", where)
        sheet.add(section(said))
        return sheet.message(said)
    head = look.mrkdwn("{} changed the settings of {}.", t.person(by), where)
    sheet.add(section(join("\n", [head, *(mrkdwn("• {}", line) for line in lines), *missed])))
    return sheet.message(aloud([head, *lines, *missed]), is_ephemeral=False)


def settings(channel: ChannelView | None, rows: Sequence[ChangeView], look: Look, *, views: Sequence[SubscriptionView] = ()) -> Message:
    """How a channel is set, and who changed what of late; a button opens the form. `views` are its rules."""
    sheet = Sheet(button_row(button(look.say("Settings"), "settings", "form")) if channel else [])
    if channel is None:
        said = look.mrkdwn(
            "This channel follows nothing yet, so it has no settings. {} starts.", t.code(f"{look.command} subscribe tencent")
        )
        sheet.add(section(said))
        return sheet.message(said)
    lines = [mrkdwn("{}: {}", t.bold(name), value) for name, value in _settings(channel, look).items()]
    lines += [line for line in [untold_rules(views, channel, look)] if line]
    head = look.mrkdwn("Settings of {}", t.bold(place_name(channel, look)))
    sheet.add(section(join("\n", [head, *lines])))
    if rows:
        sheet.add(section(look.mrkdwn("*Changes here, the newest first*")))
        sheet.lines([_change(row, look) for row in rows[:10]])
    return sheet.message(aloud([head, *lines]))


def _settings(channel: ChannelView, look: Look) -> dict[str, Mrkdwn]:
    quiet = look.mrkdwn("none")
    if channel.quiet_from and channel.quiet_to:
        quiet = look.mrkdwn("{} to {}", channel.quiet_from, channel.quiet_to)
    return {
        look.say("Time zone"): escape(channel.time_zone, 60),
        look.say("Language"): escape(LANGUAGES.get(channel.language, channel.language), 40),
        look.say("Quiet hours"): quiet,
        look.say("Digest"): digest_words(channel, look) if channel.is_digest_on else look.mrkdwn("not sent"),
        look.say("Broadcast"): escape(broadcast_words(channel.broadcast, look), 120),
        look.say("Who may change it"): escape(who_words(channel.who_may_change, look), 80),
    }


def broadcast_words(value: Broadcast, look: Look) -> str:
    """What of a case is shown in the channel too, not only in the thread of its card."""
    match value:
        case Broadcast.NEVER:
            return look.say("Developments stay in the thread")
        case Broadcast.ALL:
            return look.say("Every development is shown in the channel too")
    return look.say("What is severer, or annulled, is shown in the channel too")


def who_words(value: WhoMayChange, look: Look) -> str:
    """Who may change what a channel follows."""
    match value:
        case WhoMayChange.MEMBERS:
            return look.say("Members of the channel")
        case WhoMayChange.ADMINS:
            return look.say("Admins only")
    return look.say("Everyone")


# --- what is not heard --------------------------------------------------------------------------------------------------------


def muted(
    mutes: Sequence[MuteView], did: MuteIntent, look: Look, *, channel: ChannelView | None = None, firm: FirmMatch | None = None
) -> Message:
    """What `did` muted or ended, until when, and where it is seen instead. `mutes` are all that hold now.

    `firm` is the one of the intent; `channel` is None for one that was never heard of.
    """
    where = place_name(channel, look) if channel else t.place(did.channel.slack_id, did.channel.name, language=look.language)
    zone = channel.time_zone if channel else look.zone
    if firm is not None:
        what = match_name(firm, language=look.language)
    elif did.action_id is not None:
        what = look.mrkdwn("{} and its case", t.bold(action_ref(did.action_id)))
    else:
        what = look.mrkdwn("*everything*")
    person = t.person(did.by)
    if did.until is None:
        said = [look.mrkdwn("{} ended the mute of {} in {}.", person, what, where)]
        back = None
    else:
        until = t.instant(did.until, zone, language=look.language)
        said = [look.mrkdwn("{} muted {} in {} until {}.", person, what, where, until)]
        undo = Mute(firm=firm.firm_id if firm else "", action_id=did.action_id, is_off=True)
        back = button(look.say("Unmute"), unparse(undo), "ask")
        if channel is not None and channel.is_digest_on:
            said.append(look.mrkdwn("What is missed is in the digest."))
        else:
            hint = t.code(f"{look.command} digest on")
            said.append(look.mrkdwn("The digest is off here, so what is missed is shown nowhere in this channel. {} changes that.", hint))
    sheet = Sheet(button_row(back))
    sheet.add(section(join("\n", [*said, muted_now(mutes, zone, look)])))
    return sheet.message(aloud(said), is_ephemeral=False)


# --- what people said, and the trail of it ----------------------------------------------------------------------------------------


def _change(row: ChangeView, look: Look) -> Mrkdwn:
    when, who = t.instant(row.at, look.zone, language=look.language), t.person(row.by)
    what = escape(trail_word(row.what, look), 60)
    before, after = escape(row.before, 300), escape(row.after, 300)
    both = mrkdwn("{} → {}", before, after) if before and after else after or before
    return join(" · ", [when, who, join(": ", [what, both])])


_TRAIL = {
    "subscribed": "subscribed",
    "edited": "rule changed",
    "unsubscribed": "unsubscribed",
    "digest": "Digest",
    "muted": "muted",
    "unmuted": "unmuted",
    "paused": "paused",
    "resumed": "resumed",
    "renamed": "renamed",
    "moved": "has another id",
    "zone": "Time zone",
    "language": "Language",
    "quiet": "Quiet hours",
    "broadcast": "Broadcast",
    "who_may_change": "Who may change it",
    "action": "action",
    "alert": "alert",
    "update": "update",
    "notice": "notice",
    "withdrawn": "verdict withdrawn",
    "reviewed": "reviewed",
    "wrong_firm": "wrong firm",
    "not_relevant": "not relevant",
    "duplicate": "duplicate",
}
"""What the trail and an export call what happened -> how we say it."""


def trail_word(what: str, look: Look) -> str:
    """What happened, in the reader's language; a word that is not known here as it is kept."""
    return look.say(_TRAIL.get(what, what.replace("_", " ")))


def source_order(did: str, source: SourceView, by: str, look: Look, *, found: str = "", is_well: bool = True) -> Message:
    """What an admin's order did to a source: `arm`, `hold` or `check`, whose result is `found` (a line of the check's own).

    An order is seen by the channel, a check by who asked for it.
    """
    name = mrkdwn("{} ({})", t.code(source.id), escape(source.regulator, 100))
    lines = []
    match did:
        case "arm":
            lines.append(look.mrkdwn("{} armed {}: what it brings from now on is posted.", t.person(by), name))
            if source.mode is not Mode.LIVE:
                why = escape(source.mode_reason, 160) or look.mrkdwn("no reason is stored")
                lines.append(look.mrkdwn("It is still {}: {}", t.words(source.mode, language=look.language), why))
        case "hold":
            lines.append(look.mrkdwn("{} holds {}: it is read and stored, and nothing of it is posted.", t.person(by), name))
            lines.append(look.mrkdwn("{} lets it post again.", t.code(f"{look.command} sources arm {source.id}")))
        case _:
            lines.append(
                look.mrkdwn("Asked just now, {} is well.", name) if is_well else look.mrkdwn("Asked just now, {} is not well.", name)
            )
            lines.append(escape(found, 600))
    if not source.is_enabled:
        lines.append(look.mrkdwn("It is not polled: {}", escape(source.off_reason, 160) or look.mrkdwn("no reason is stored")))
    elif source.health is not Health.OK:
        health = escape(t.words(source.health, language=look.language))
        lines.append(look.mrkdwn("Its health: {}", join(": ", [health, escape(source.health_detail, 200)])))
    sheet = Sheet([])
    sheet.add(section(join("\n", lines)))
    return sheet.message(aloud(lines), is_ephemeral=did == "check")


def corrected(result: CorrectionResult, look: Look, *, is_withdrawn: bool = False) -> Message:
    """A verdict on a card, what is remembered of it and the way back; or that one `is_withdrawn`. Seen by the channel when it is new."""
    correction, action = result.correction, result.card.action
    who, ref = t.person(correction.by), t.bold(action.ref)
    if is_withdrawn:
        said = look.mrkdwn(
            "The verdict on {} is withdrawn: {}. Its card is as before, and its developments are posted again.",
            ref,
            _verdict(correction, look),
        )
        lines, buttons = [said], button_row(details_button(action, look))
    else:
        head = look.mrkdwn("{} struck {}: {}.", who, ref, _verdict(correction, look))
        if not result.is_new:
            head = look.mrkdwn("{} is struck already: {}.", ref, _verdict(correction, look))
        reason = look.mrkdwn("Reason: {}", escape(correction.reason, 300)) if correction.reason else Mrkdwn("")
        lines = [
            head,
            reason,
            escape(remembered(correction.verdict, look, firm=correction.firm or "", is_for_all=correction.is_for_all), 600),
        ]
        lines.append(counted(len(result.shown), "{} card shows it.", "{} cards show it.", look) if len(result.shown) > 1 else Mrkdwn(""))
        buttons = button_row(details_button(action, look), button(look.say("Withdraw"), f"withdraw {correction.id}", "mark"))
    sheet = Sheet(buttons)
    sheet.add(section(join("\n", lines)))
    return sheet.message(aloud(lines), is_ephemeral=not result.is_new and not is_withdrawn)


def _verdict(correction: CorrectionView, look: Look) -> Mrkdwn:
    match correction.verdict:
        case Verdict.WRONG_FIRM:
            return look.mrkdwn("wrong firm ({})", escape(correction.firm or "-", 80))
        case Verdict.DUPLICATE if correction.of_action_id is not None:
            return look.mrkdwn("duplicate of {}", action_ref(correction.of_action_id))
        case Verdict.DUPLICATE:
            return look.mrkdwn("duplicate")
    return look.mrkdwn("not relevant")


def remembered(verdict: Verdict, look: Look, *, firm: str = "", is_for_all: bool = False) -> str:
    """What a verdict does from now on, in words; a stranger's name in them is cleaned, not escaped."""
    match verdict:
        case Verdict.WRONG_FIRM:
            name = t.plain(firm, 80) if firm else look.say("the firm")
            said = look.say("From now on, what names {} by the same name alone is not posted.").format(name)
        case Verdict.DUPLICATE:
            said = look.say("From now on, developments of its case are not posted; those of the other are.")
        case _:
            said = look.say("From now on, developments of its case are not posted.")
    where = look.say("It holds for every workspace.") if is_for_all else look.say("It holds for this workspace, and can be withdrawn.")
    return f"{said} {where}" if look.language == "en" else f"{said}{where}"


def reviewed(card: CardView, look: Look) -> Message:
    """Who looked at an action, and how it stood then. Seen by who clicked: the card itself tells the channel."""
    own = [review for review in card.reviews if review.action_id == card.action.id]
    newest = own[-1] if own else None
    lines = [head_line(card.action, look)]
    if newest is not None:
        when = t.instant(newest.at, card.channel.time_zone, language=look.language)
        lines.insert(
            0,
            look.mrkdwn(
                "{} reviewed {}, {}, as it stood at version {}.", t.person(newest.by), t.bold(card.action.ref), when, newest.version
            ),
        )
        if newest.version < card.action.version:
            lines.append(look.mrkdwn("It has changed since: it is at version {} now.", card.action.version))
    earlier = list(dict.fromkeys(t.person(review.by) for review in own[:-1]))
    lines.append(look.mrkdwn("Before: {}", t.listed(earlier, 300, language=look.language)) if earlier else Mrkdwn(""))
    sheet = Sheet(button_row(details_button(card.action, look)))
    sheet.add(section(join("\n", lines)))
    return sheet.message(aloud(lines))


def firm_added(firm: FirmView, look: Look, *, by: str, documents: int, as_target: int, as_group: int) -> Message:
    """A firm that was added to the register, and in how many stored documents its names were found."""
    name = t.bold(firm.name)
    aliases = t.listed([escape(alias.text, 80) for alias in firm.aliases if alias.text != firm.name], 400, language=look.language)
    lines = [
        look.mrkdwn("{} added {} to the register.", t.person(by), name),
        look.mrkdwn("Also known as: {}", aliases) if aliases else Mrkdwn(""),
        counted(documents, "{} stored document names it", "{} stored documents name it", look),
    ]
    if documents:
        lines[-1] = mrkdwn(
            "{}{}", lines[-1], look.mrkdwn(" ({} as target, {} as group). They are read again, silently.", as_target, as_group)
        )
    else:
        lines[-1] = mrkdwn("{}.", lines[-1])
    sheet = Sheet(
        button_row(
            button(look.say("Actions"), unparse(Actions(firm.id)), "ask"),
            button(look.say("Subscribe"), unparse(Subscribe((Target(Followed.FIRM, firm.id),))), "ask"),
        )
    )
    sheet.add(section(join("\n", lines)))
    return sheet.message(aloud(lines), is_ephemeral=False)


def firm_suggested(name: str, look: Look, *, is_told: bool) -> Message:
    """A firm that somebody wishes to see in the register, who may not add it; whether the operators were told of it now."""
    lines = [look.mrkdwn("Only those who run Regwatch add firms.")]
    if is_told:
        lines.append(look.mrkdwn("They were told that {} is missing.", t.bold(name)))
    else:
        lines.append(look.mrkdwn("They could not be told here, or know of {} already: ask one of them.", t.bold(name)))
    sheet = Sheet([])
    sheet.add(section(join(" ", lines)))
    return sheet.message(aloud(lines))
