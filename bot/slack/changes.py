"""What people change: rules, the digest, mutes, settings, verdicts. Asked of the Store, answered to the channel.

Before a change Slack is asked whether the channel can be posted to and whether this person may change it: never
inside a transaction. Every change is idempotent in the Store, so a command that comes twice changes nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from bot.slack import cards, digests, replies
from bot.slack.blocks import Look, Message
from bot.slack.grammar import Digest, Mute, Subscribe, Target, Unsubscribe
from bot.slack.naming import Naming, Stop, zone
from bot.slack.reach import Reach
from bot.slack.text import Mrkdwn, place
from storage import StorageError, Store
from storage.filters import Filter
from storage.intents import ChannelKey, ChannelSetting, CorrectionIntent, DigestSetting, FollowIntent, MuteIntent
from storage.models import Broadcast, Deliver, Followed
from storage.records import action_ref
from storage.tenancy import WhoMayChange
from storage.views import CardView, ChannelView, CorrectionResult, SubscriptionView

LOCAL = "local"
"""The workspace of whoever types on the command line: the operator."""


@dataclass(frozen=True, slots=True)
class Who:
    """Who asks, and where."""

    workspace_id: str
    channel_id: str
    user_id: str
    channel_name: str = ""
    zone: str | None = None

    @property
    def key(self) -> ChannelKey:
        """The channel as the Store knows it."""
        return ChannelKey(self.workspace_id, self.channel_id, self.channel_name, self.zone)


class Changes:
    """Changes of a channel. `operators` are the Slack ids of REGWATCH_ADMINS."""

    def __init__(self, store: Store, naming: Naming, *, now: Callable[[], datetime], operators: frozenset[str]) -> None:
        self._store = store
        self._naming = naming
        self._now = now
        self._operators = operators

    def is_operator(self, who: Who) -> bool:
        """Whether the person runs Regwatch: in REGWATCH_ADMINS, or at the command line."""
        return who.user_id in self._operators or who.workspace_id == LOCAL

    async def require(self, who: Who, reach: Reach, *, posts: bool = True, rule: WhoMayChange | None = None) -> None:
        """Raises Stop when this person may not change this channel (by `rule`, else by its own), or nothing could be posted there."""
        refusal = await reach.refusal(who.channel_id) if posts else None
        if refusal is not None:
            raise Stop(refusal)
        if self.is_operator(who):
            return
        if rule is None:
            channel = await self._store.channel(who.key)
            rule = channel.who_may_change if channel else WhoMayChange.EVERYONE
        if rule is WhoMayChange.ADMINS and not await reach.is_admin(who.user_id):
            raise Stop("Only admins may change what this channel follows. Ask one of them, or a member of REGWATCH_ADMINS.")
        if rule is WhoMayChange.MEMBERS and not await reach.is_member(who.channel_id, who.user_id):
            raise Stop("Only members of this channel may change what it follows. Join it first.")

    async def _key(self, who: Who, reach: Reach) -> ChannelKey:
        return replace(who.key, zone=who.zone or await reach.zone_of(who.user_id))

    # rules

    async def subscribe(self, command: Subscribe, who: Who, look: Look, reach: Reach) -> Message:
        """Follow what was named, all of it or, when one name is unknown, nothing."""
        filter_ = await self._naming.filter(command.filter, lambda terms: replace(command, filter=terms))
        found: list[tuple[Target, str | None]] = []
        for at, target in enumerate(command.targets):
            found.append((target, await self._naming.target(target, partial(_retargeted, command, at))))
        return await self.follow(found, filter_, command.broadcast, command.deliver, who, look, reach)

    async def follow(
        self,
        found: list[tuple[Target, str | None]],
        filter_: Filter,
        broadcast: Broadcast | None,
        deliver: Deliver | None,
        who: Who,
        look: Look,
        reach: Reach,
    ) -> Message:
        """Follow things whose ids are known, by one rule."""
        await self.require(who, reach)
        key = await self._key(who, reach)
        results = [
            await self._store.follow(
                FollowIntent(
                    channel=key,
                    by=who.user_id,
                    followed=target.followed,
                    firm_id=id_ if target.followed is Followed.FIRM else None,
                    regulator_id=id_ if target.followed is Followed.REGULATOR else None,
                    filter=filter_,
                    broadcast=broadcast,
                    deliver=deliver or Deliver.BOTH,
                )
            )
            for target, id_ in found
        ]
        channel = results[-1].channel
        look = replace(look, zone=channel.time_zone, language=channel.language)
        return replies.followed(results, who.user_id, await self._store.coverage(filter_), look)

    async def rule(self, number: int, who: Who) -> SubscriptionView:
        """One rule of this channel by its number. Raises Stop for another's."""
        found = next((view for view in await self._store.subscriptions(who.key) if view.id == number), None)
        if found is None:
            raise Stop("This channel has no subscription #{}. `subscribe list` shows what it follows.", number)
        return found

    async def list(self, who: Who, channel: ChannelView | None, look: Look) -> Message:
        """What this channel follows, and who said so."""
        rules, mutes = await self._store.subscriptions(who.key), await self._store.mutes(who.key)
        return replies.subscriptions(rules, channel, await self._store.coverage(), look, mutes=mutes)

    async def unsubscribe(self, command: Unsubscribe, who: Who, look: Look, reach: Reach) -> Message:
        """Take rules away."""
        wanted = [
            (target, await self._naming.target(target, partial(_retargeted, command, at))) for at, target in enumerate(command.targets)
        ]
        await self.require(who, reach, posts=False)
        removed: list[SubscriptionView] = []
        if command.is_everything:
            removed += await self._store.unfollow(who.key, who.user_id, everything=True)
        for number in command.ids:
            removed += await self._store.unfollow(who.key, who.user_id, subscription_id=number)
        for target, id_ in wanted:
            if target.followed is Followed.FIRM:
                removed += await self._store.unfollow(who.key, who.user_id, firm_id=id_)
            else:
                removed += await self._store.unfollow(who.key, who.user_id, regulator_id=id_)
        if not removed:
            raise Stop(
                "This channel does not follow that. `subscribe list` shows what it follows.", choices=[("Show the list", "subscribe list")]
            )
        return replies.unfollowed(removed, who.user_id, place(who.channel_id, who.channel_name), await self._store.coverage(), look)

    # the digest

    async def digest(self, command: Digest, who: Who, channel: ChannelView | None, look: Look, reach: Reach) -> Message:
        """Show, preview or change the digest."""
        if command.do == "show":
            return replies.digest_setting(channel, await self._store.coverage(), look)
        if command.do in ("preview", "now"):
            view = await self._store.preview_digest(who.key)
            if view is None or channel is None:
                raise Stop("This channel follows nothing yet, so its digest is empty. `subscribe tencent` starts one.")
            if command.do == "now":
                await self.require(who, reach)
            message = digests.digest_of(view, channel, is_preview=command.do == "preview")
            return replace(message, is_ephemeral=command.do == "preview")
        setting = command.setting
        if setting.zone is not None:
            named = zone(setting.zone, lambda name: replace(command, setting=replace(setting, zone=name)))
            setting = replace(setting, zone=named)
        if setting.at is not None and setting.is_on is None:
            setting = replace(setting, is_on=True)  # who names an hour wants it
        await self.require(who, reach, posts=setting.is_on is not False)
        kept = await self._kept(who, channel, setting)
        changed = await self._store.set_digest(await self._key(who, reach), setting, who.user_id)
        look = replace(look, zone=changed.time_zone)
        missed = await self._missed(who, changed, kept, look)
        return replies.digest_setting(changed, await self._store.coverage(), look, by=who.user_id, missed=missed)

    async def _kept(self, who: Who, channel: ChannelView | None, setting: DigestSetting | None) -> int:
        """How many acts only the digest would have told of that is turned off now."""
        is_ended = setting is not None and setting.is_on is False and channel is not None and channel.is_digest_on
        return await self._store.kept_for_digest(who.key) if is_ended else 0

    async def _missed(self, who: Who, channel: ChannelView, kept: int, look: Look) -> Sequence[Mrkdwn]:
        """What this channel shows nowhere as long as its digest is off."""
        if channel.is_digest_on:
            return ()
        return replies.nowhere(await self._store.subscriptions(who.key), await self._store.mutes(who.key), kept, look)

    # mutes

    async def mute(self, command: Mute, who: Who, channel: ChannelView | None, look: Look, reach: Reach) -> Message:
        """Hear nothing of something for a while, or hear of it again."""
        firm = await self._naming.firm(command.firm, lambda name: replace(command, firm=name)) if command.firm else None
        if command.action_id is not None and await self._store.action(command.action_id) is None:
            raise no_action(command.action_id)
        if channel is None:
            raise Stop("This channel follows nothing yet, so there is nothing to mute. `subscribe tencent` starts.")
        until = None if command.is_off else self._end(command.span, channel.time_zone)
        await self.require(who, reach, posts=False)
        intent = MuteIntent(who.key, who.user_id, until, firm.firm_id if firm else None, command.action_id)
        mutes = await self._store.mute(intent)
        return replies.muted(mutes, intent, look, channel=channel, firm=firm)

    def _end(self, span: str, zone_name: str) -> datetime:
        """When `12h`, `7d` or a date ends. Raises Stop for a moment that is past."""
        now = self._now()
        if span.endswith("h"):
            return now + timedelta(hours=int(span[:-1]))
        if span.endswith("d"):
            return now + timedelta(days=int(span[:-1]))
        until = datetime.fromisoformat(span).replace(tzinfo=ZoneInfo(zone_name))
        if until <= now:
            raise Stop("{} is past. `mute tencent for 7d`, or a date to come.", span)
        return until

    # settings

    async def set(self, setting: ChannelSetting, digest: DigestSetting | None, who: Who, look: Look, reach: Reach) -> Message:
        """Change a channel's settings. Who changes who may change must satisfy the old rule and the new one."""
        await self.require(who, reach)
        if setting.who_may_change is not None:
            await self.require(who, reach, posts=False, rule=setting.who_may_change)
        key = await self._key(who, reach)
        before = await self._store.channel(key)
        kept = await self._kept(who, before, digest)
        changed = await self._store.set_channel(key, setting, who.user_id)
        if digest is not None:
            changed = await self._store.set_digest(key, digest, who.user_id)
        look = replace(look, zone=changed.time_zone, language=changed.language)
        is_ended = before is not None and before.is_digest_on
        missed = await self._missed(who, changed, kept, look) if is_ended else ()
        return replies.settings_changed(changed, before, who.user_id, look, missed=missed)

    # verdicts

    async def card(self, action_id: int, who: Who) -> CardView:
        """An action as this channel sees it. Raises Stop where there is nothing to see."""
        card = await self._store.card(who.key, action_id)
        if card is None:
            raise no_action(action_id)
        return card

    async def correct(self, intent: CorrectionIntent, who: Who, reach: Reach) -> CorrectionResult:
        """Remember a verdict; an operator's holds for all workspaces. `redraw` shows it, which takes its time where many posts do."""
        await self.require(who, reach, posts=False)
        return await self._store.correct(replace(intent, is_for_all=who.user_id in self._operators))

    async def withdraw(self, correction_id: int, who: Who, reach: Reach) -> CorrectionResult:
        """End a verdict. Raises Stop when there is none of that number here; see `correct`."""
        await self.require(who, reach, posts=False)
        try:
            result = await self._store.withdraw(who.key, correction_id, who.user_id, is_operator=self.is_operator(who))
        except StorageError as refusal:
            raise Stop(str(refusal)) from refusal
        if result is None:
            raise Stop("That verdict is not there any more. `action RW-1001` shows an action as it stands.")
        return result

    async def redraw(self, result: CorrectionResult, reach: Reach) -> None:
        """Draw a case anew wherever the workspace shows it."""
        key = result.card.channel
        for slack_id, ts in result.shown:
            there = await self._store.card(ChannelKey(key.workspace_id, slack_id), result.card.action.id)
            if there is not None:
                await reach.redraw(slack_id, ts, cards.alert(there))

    async def review(self, action_id: int, who: Who, reach: Reach) -> CardView:
        """Note that this person looked at the action as it stands."""
        card = await self._store.review(who.key, action_id, who.user_id)
        if card is None:
            raise no_action(action_id)
        if card.ts is not None:
            await reach.redraw(who.channel_id, card.ts, cards.alert(card))
        return card


def no_action(action_id: int) -> Stop:
    """What is said of an action that is not there."""
    return Stop("There is no action {}. `actions <firm>` lists those of a firm.", action_ref(action_id))


def _retargeted(command: Subscribe | Unsubscribe, at: int, target: Target) -> Subscribe | Unsubscribe:
    return replace(command, targets=(*command.targets[:at], target, *command.targets[at + 1 :]))
