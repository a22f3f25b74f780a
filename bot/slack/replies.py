"""The replies to changes: what a channel follows from now on, its digest and its settings, in words. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import bot.slack.text as t
from bot.slack.cards import (
    Look,
    Message,
    Sheet,
    button,
    button_row,
    coverage_block,
    match_name,
    section,
    short_line,
)
from bot.slack.grammar import Unsubscribe, unparse
from bot.slack.text import Mrkdwn, escape, join, mrkdwn
from storage.views import ChannelView, Coverage, FollowResult, SubscriptionView


def followed(results: Sequence[FollowResult], by: str, coverage: Coverage, look: Look) -> Message:
    """What a subscription did, with its rule in words. Seen by the channel unless nothing changed."""
    created = [result.subscription.id for result in results if result.did == "created"]
    undo = button("Undo", unparse(Unsubscribe(ids=tuple(created))), "ask") if created else None
    turned_on = []
    if any(result.is_digest_turned_on for result in results):
        hint = t.code(f"{look.command} digest off")
        turned_on = [section(mrkdwn("The daily digest is on now: {}. {} turns it off.", _digest_words(results[-1].channel), hint))]
    sheet = Sheet([*turned_on, *coverage_block(coverage, look), *button_row(undo)])
    said = []
    for count, result in enumerate(results):
        head = _followed_head(result, by)
        lines = [
            head,
            mrkdwn("Rule: {}.{}", _rule(result.subscription), _includes(result.subscription)),
            mrkdwn("{}", t.delivery(result.subscription)),
            _already(result),
        ]
        if not sheet.add(section(join("\n", lines))):
            sheet.missing = mrkdwn("and {} more", len(results) - count)
            break
        said.append(mrkdwn("{}. Rule: {}.", Mrkdwn(head.replace("*", "")), _rule(result.subscription)))
    is_same = all(result.did == "same" for result in results)
    return sheet.message(join(" ", [Mrkdwn(part) for part in said]) or Mrkdwn("Subscribed."), is_ephemeral=is_same)


def _followed_head(result: FollowResult, by: str) -> Mrkdwn:
    where, what = t.place(result.channel.slack_id, result.channel.name), _followed(result.subscription)
    number = f"#{result.subscription.id}"
    if result.did == "created":
        return mrkdwn("{} subscribed {} to {}  {}", t.person(by), where, what, number)
    if result.did == "edited":
        return mrkdwn("{} changed the rule of {} for {}  {}", t.person(by), where, what, number)
    return mrkdwn("{} follows {} by this rule already  {}", where, what, number)


def _followed(subscription: SubscriptionView) -> Mrkdwn:
    if subscription.firm is not None:
        return match_name(subscription.firm)
    if subscription.regulator is not None:
        native = subscription.regulator.name_native
        name = t.bold(subscription.regulator.name)
        return mrkdwn("{} ({})", name, escape(native, 80)) if native and native != subscription.regulator.name else name
    return Mrkdwn("*everything*")


def _rule(subscription: SubscriptionView) -> Mrkdwn:
    return escape(t.rule(subscription.followed, subscription.filter), 600)


def _includes(subscription: SubscriptionView) -> Mrkdwn:
    return (
        mrkdwn(" Includes {}.", t.listed([escape(name, 60) for name in subscription.includes], 160))
        if subscription.includes
        else Mrkdwn("")
    )


def _already(result: FollowResult) -> Mrkdwn:
    if not result.known:
        return Mrkdwn("Nothing is known about it so far.") if result.did == "created" else Mrkdwn("")
    last = [
        mrkdwn("{}{}", short_line(action, Look()), f" ({t.partial(action.decided_on)})" if action.decided_on else "")
        for action in result.last[:3]
    ]
    many = "action" if result.known == 1 else "actions"
    return mrkdwn(
        "Already known: {} {}, {}. Nothing older is posted.", result.known, many, join("; ", last) or Mrkdwn("none of them shown")
    )


def unfollowed(removed: Sequence[SubscriptionView], by: str, channel: Mrkdwn, coverage: Coverage, look: Look) -> Message:
    """What the channel follows no longer."""
    what = t.listed([mrkdwn("{} #{}", _followed(subscription), subscription.id) for subscription in removed], 2_000)
    said = mrkdwn("{} unsubscribed {} from {}", t.person(by), channel, what)
    sheet = Sheet(coverage_block(coverage, look))
    sheet.add(section(said))
    return sheet.message(Mrkdwn(f"{said.replace('*', '')}."), is_ephemeral=False)


def subscriptions(views: Sequence[SubscriptionView], channel: ChannelView | None, coverage: Coverage, look: Look) -> Message:
    """What a channel follows, each with its rule in words and the number that `unsubscribe` takes."""
    hint = t.code(f"{look.command} subscribe tencent")
    if channel is None or not views:
        sheet = Sheet(coverage_block(coverage, look))
        said = mrkdwn("This channel follows nothing yet. {} starts.", hint)
        sheet.add(section(said))
        return sheet.message(said)
    where = t.place(channel.slack_id, channel.name)
    sheet = Sheet(coverage_block(coverage, look))
    many = "" if len(views) == 1 else "s"
    sheet.add(section(join("\n", [mrkdwn("*{}*   {} subscription{}", where, len(views), many), channel_state(channel, look)])))
    rows = [
        join(
            "\n",
            [
                mrkdwn("#{} {}", view.id, _followed(view)),
                mrkdwn("   {}.{} {}", _rule(view), _includes(view), t.delivery(view)),
                mrkdwn("   by {}, {}", t.person(view.created_by), t.day(view.created_at.date())),
            ],
        )
        for view in views
    ]
    sheet.lines(rows)
    names = t.listed([Mrkdwn(f"#{view.id} {_followed(view).replace('*', '')}") for view in views], 1_500)
    return sheet.message(mrkdwn("{} follows {}.", where, names))


def channel_state(channel: ChannelView, look: Look) -> Mrkdwn:
    paused = (
        mrkdwn("Paused: Slack says {}. {} starts it again.", escape(channel.paused_reason, 80), t.code(f"{look.command} digest on"))
        if channel.paused_reason
        else Mrkdwn("")
    )
    if not channel.is_digest_on:
        return join("\n", [Mrkdwn("Digest: off"), paused])
    following = mrkdwn("; next {}", t.instant(channel.next_digest_at, channel.time_zone)) if channel.next_digest_at else Mrkdwn("")
    return join("\n", [mrkdwn("Digest: {}{}", _digest_words(channel), following), paused])


def _digest_words(channel: ChannelView) -> Mrkdwn:
    days = "every day" if channel.digest_days == "daily" else "on weekdays"
    empty = "sent even when empty" if channel.sends_empty_digest else "not sent when empty"
    return mrkdwn("{} {}, {}, {}", channel.digest_at, days, channel.time_zone, empty)


def digest_setting(channel: ChannelView | None, coverage: Coverage, look: Look, *, by: str | None = None) -> Message:
    """How the channel's digest stands; `by` changed it, and the channel is told."""
    if channel is None:
        said = mrkdwn("This channel has no digest yet: its first subscription turns it on. {}", t.code(f"{look.command} subscribe tencent"))
    elif by is None:
        said = channel_state(channel, look)
    else:
        said = mrkdwn("{} set the digest of {}.\n{}", t.person(by), t.place(channel.slack_id, channel.name), channel_state(channel, look))
    sheet = Sheet(coverage_block(coverage, look))
    sheet.add(section(said))
    return sheet.message(Mrkdwn(said.replace("\n", " ")), is_ephemeral=by is None)
