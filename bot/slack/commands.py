"""A text in, a message out: parse -> Store -> cards. Slack, `regwatch ask` and the demo's prompt share it.

`Desk.answer` knows nothing of Slack's wire. It puts in the defaults of a question, resolves names, offers what
a misspelt one may mean, and asks before a change whether the channel can be posted to: never inside a
transaction. `register` connects it to the slash command, to mentions, direct messages and the home page.
"""

from __future__ import annotations

import difflib
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import available_timezones

from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack import answers, cards, digests, help, replies
from bot.slack.cards import Look, Message
from bot.slack.grammar import (
    ActionDetail,
    Actions,
    Command,
    Digest,
    FirmInfo,
    Help,
    Sources,
    Subscribe,
    SubscribeList,
    Target,
    Unsubscribe,
    UserError,
    Why,
    parse,
    unparse,
)
from bot.slack.text import place, span
from storage import Store
from storage.filters import DEFAULT_FILTER, Filter, Term
from storage.intents import ChannelKey, FollowIntent
from storage.models import Deliver, Followed
from storage.records import action_ref
from storage.views import ActionQuery, ChannelView, FirmMatch, RegulatorView, SubscriptionView

log = logging.getLogger("regwatch.slack")

PAGE = 5
"""Actions in one answer, unless `limit:` says otherwise."""
RECENT = Term("since", ("90d",))
"""The time that a question is about when it names none."""

CanPost = Callable[[str], Awaitable[str | None]]
"""Whether Regwatch can post to a channel: None, or words that say what to do first."""
ZoneOf = Callable[[str], Awaitable[str | None]]
"""A person's time zone, where it may be known."""


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


class _Stop(Exception):
    """Ends a command with an answer that asks something back."""

    def __init__(self, text: str, choices: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(text)
        self.text = text
        self.choices = choices


async def _may_post(_: str) -> str | None:
    return None


async def _no_zone(_: str) -> str | None:
    return None


class Desk:
    """Answers what people type. One for all workspaces; it keeps no state."""

    def __init__(self, store: Store, *, now: Callable[[], datetime], command: str = "/regwatch") -> None:
        self._store = store
        self._now = now
        self._command = command

    async def answer(self, text: str, who: Who, *, can_post: CanPost = _may_post, zone_of: ZoneOf = _no_zone) -> Message:
        """The answer to a text after the slash command. Raises StorageError when the database cannot be used."""
        command = parse(text)
        channel = await self._store.channel(who.key)
        look = Look(self._command, channel.time_zone if channel else who.zone or "UTC", now=self._now())
        if isinstance(command, UserError):
            message = help.wrong(command, look)
        else:
            try:
                message = await self._run(command, who, channel, look, can_post, zone_of)
            except _Stop as stop:
                message = help.error(stop.text, stop.choices, look)
        log.info(
            "command workspace=%s channel=%s verb=%s answer=%s",
            who.workspace_id,
            who.channel_id,
            type(command).__name__,
            "error" if message.is_error else message.response_type,
        )
        return message

    async def home(self) -> Message:
        """The page of the app's Home tab: the help."""
        return help.help_(None, None, await self._store.coverage(), Look(self._command, now=self._now()), is_home=True)

    async def _run(
        self, command: Command, who: Who, channel: ChannelView | None, look: Look, can_post: CanPost, zone_of: ZoneOf
    ) -> Message:
        match command:
            case Help(verb):
                return help.help_(verb, channel, await self._store.coverage(), look)
            case Actions():
                return await self._actions(command, look)
            case ActionDetail(action_id):
                detail = await self._store.action(action_id)
                if detail is None:
                    raise _Stop(f"There is no action {action_ref(action_id)}. `actions <firm>` lists those of a firm.")
                return answers.action(detail, look)
            case FirmInfo(name):
                match = await self._firm(name, FirmInfo)
                view = await self._store.firm(match.firm_id)
                if view is None:  # its list was taken away a moment ago
                    raise _Stop(f"No firm “{name}” in the register any more.")
                return answers.firm(view, await self._store.coverage(), look)
            case Subscribe():
                return await self._subscribe(command, who, look, can_post, zone_of)
            case SubscribeList():
                rules = await self._store.subscriptions(who.key)
                return replies.subscriptions(rules, channel, await self._store.coverage(), look)
            case Unsubscribe():
                return await self._unsubscribe(command, who, look)
            case Digest():
                return await self._digest(command, who, channel, look, can_post, zone_of)
            case Sources(typed):
                regulator = await self._regulator(typed, Sources) if typed else None
                views = await self._store.sources(regulator.id if regulator else None)
                asked = Filter((Term("regulator", (regulator.id,)),)) if regulator else Filter()
                return answers.sources(views, await self._store.coverage(asked), look, regulator=regulator.name if regulator else None)
            case Why(action_id, channel_id):
                why = await self._store.why(action_id, who.workspace_id, channel_id or who.channel_id)
                if why is None:
                    raise _Stop(f"There is no action {action_ref(action_id)}. `actions <firm>` lists those of a firm.")
                return answers.why(why, await self._store.coverage(), look)
            case _:
                raise _Stop(f"`{unparse(command)}` is not answered yet.")

    async def _actions(self, command: Actions, look: Look) -> Message:
        filter_ = await self._with_regulators(command.filter, lambda terms: replace(command, filter=terms))
        limit = int((filter_.values("limit") or (str(PAGE),))[0])
        firm = None
        if command.firm is not None:
            match = await self._firm(command.firm, lambda name: replace(command, firm=name, instead=None), command.instead)
            firm = await self._store.firm(match.firm_id)
            command = replace(command, firm=match.firm_id, instead=None)
            look = replace(look, watched=frozenset({match.firm_id}))
        is_timed = filter_.keys() & {"since", "until"}
        # what a regulator did of itself, a rule for example, has no firm to play a role in it
        defaults = Filter((*(DEFAULT_FILTER.terms if firm else ()), *(() if is_timed else (RECENT,))))
        asked = Filter(tuple(term for term in filter_.terms if term.key != "limit")).over(defaults)
        query = ActionQuery(firm.id if firm else None, asked, limit, (command.page - 1) * limit)
        page = await self._store.actions(query)
        return answers.actions(page, command, firm, span=span(asked), limit=limit, look=look)

    async def _subscribe(self, command: Subscribe, who: Who, look: Look, can_post: CanPost, zone_of: ZoneOf) -> Message:
        filter_ = await self._with_regulators(command.filter, lambda terms: replace(command, filter=terms))
        found: list[tuple[Target, str | None]] = []
        for place_, target in enumerate(command.targets):
            found.append((target, await self._target(target, partial(_retargeted, command, place_))))
        refusal = await can_post(who.channel_id)
        if refusal is not None:
            raise _Stop(refusal)
        key = replace(who.key, zone=who.zone or await zone_of(who.user_id))
        results = [
            await self._store.follow(
                FollowIntent(
                    channel=key,
                    by=who.user_id,
                    followed=target.followed,
                    firm_id=id_ if target.followed is Followed.FIRM else None,
                    regulator_id=id_ if target.followed is Followed.REGULATOR else None,
                    filter=filter_,
                    broadcast=command.broadcast,
                    deliver=command.deliver or Deliver.BOTH,
                )
            )
            for target, id_ in found
        ]
        return replies.followed(
            results, who.user_id, await self._store.coverage(filter_), replace(look, zone=results[-1].channel.time_zone)
        )

    async def _unsubscribe(self, command: Unsubscribe, who: Who, look: Look) -> Message:
        removed: list[SubscriptionView] = []
        if command.is_everything:
            removed += await self._store.unfollow(who.key, who.user_id, everything=True)
        for number in command.ids:
            removed += await self._store.unfollow(who.key, who.user_id, subscription_id=number)
        wanted = [(target, await self._target(target, partial(_retargeted, command, at))) for at, target in enumerate(command.targets)]
        for target, id_ in wanted:
            if target.followed is Followed.FIRM:
                removed += await self._store.unfollow(who.key, who.user_id, firm_id=id_)
            else:
                removed += await self._store.unfollow(who.key, who.user_id, regulator_id=id_)
        if not removed:
            raise _Stop("This channel does not follow that. `subscribe list` shows what it follows.", [("Show the list", "subscribe list")])
        return replies.unfollowed(removed, who.user_id, place(who.channel_id, who.channel_name), await self._store.coverage(), look)

    async def _digest(
        self, command: Digest, who: Who, channel: ChannelView | None, look: Look, can_post: CanPost, zone_of: ZoneOf
    ) -> Message:
        if command.do == "show":
            return replies.digest_setting(channel, await self._store.coverage(), look)
        if command.do in ("preview", "now"):
            view = await self._store.preview_digest(who.key)
            if view is None or channel is None:
                raise _Stop("This channel follows nothing yet, so its digest is empty. `subscribe tencent` starts one.")
            message = digests.digest_of(view, channel, is_preview=command.do == "preview")
            return replace(message, is_ephemeral=command.do == "preview")
        setting = command.setting
        if setting.zone is not None:
            setting = replace(setting, zone=_zone(setting.zone, command))
        if setting.at is not None and setting.is_on is None:
            setting = replace(setting, is_on=True)  # who names an hour wants it
        if setting.is_on is not False:
            refusal = await can_post(who.channel_id)
            if refusal is not None:
                raise _Stop(refusal)
        key = replace(who.key, zone=who.zone or await zone_of(who.user_id))
        changed = await self._store.set_digest(key, setting, who.user_id)
        return replies.digest_setting(changed, await self._store.coverage(), replace(look, zone=changed.time_zone), by=who.user_id)

    # names

    async def _target(self, target: Target, again: Callable[[Target], Command]) -> str | None:
        """The id of what is to be followed; None for everything."""
        if target.followed is Followed.ALL:
            return None
        if target.followed is Followed.REGULATOR:
            return (await self._regulator(target.name, lambda name: again(Target(Followed.REGULATOR, name)))).id
        return (await self._firm(target.name, lambda name: again(Target(Followed.FIRM, name)))).firm_id

    async def _firm(self, typed: str, again: Callable[[str], Command], instead: str | None = None) -> FirmMatch:
        """The one firm of that name. Stops with choices when there are several, or none but some that are near.

        `again` makes the command anew with another name in it, for the buttons.
        """
        found = await self._store.resolve(typed)
        if found.is_exact and len(found.matches) == 1:
            return found.matches[0]
        choices = [(cards.match_label(match), unparse(again(match.firm_id))) for match in found.matches]
        if found.is_exact:
            raise _Stop(f"“{typed}” is the name of several firms. Which one?", choices)
        if instead is not None:
            choices.insert(0, (instead, instead))
        regulators = [view for view in await self._store.resolve_regulator(typed) if not view.is_guess]
        choices += [(f"Acts of {view.name}", unparse(Actions(None, Filter((Term("regulator", (view.id,)),))))) for view in regulators]
        if choices:
            raise _Stop(f"No firm “{typed}”. Did you mean", choices)
        raise _Stop(f"No firm “{typed}” in the register. Try its full name, its Chinese name or a ticker: `actions 0700.HK`.")

    async def _regulator(self, typed: str, again: Callable[[str], Command]) -> RegulatorView:
        """The one regulator of that name, likewise."""
        found = await self._store.resolve_regulator(typed)
        if len(found) == 1 and not found[0].is_guess:
            return found[0]
        choices = [(f"{view.name} ({view.id})", unparse(again(view.id))) for view in found]
        if not found:
            raise _Stop(f"No regulator “{typed}”. Its short name or id will do: `sources csrc`.")
        said = f"No regulator “{typed}”. Did you mean" if found[0].is_guess else f"“{typed}” is the name of several regulators. Which one?"
        raise _Stop(said, choices)

    async def _with_regulators(self, filter_: Filter, again: Callable[[Filter], Command]) -> Filter:
        """The filter with the ids of its regulators in place of what was typed."""
        terms = list(filter_.terms)
        for at, term in enumerate(terms):
            if term.key != "regulator":
                continue
            ids = []
            for typed in term.values:

                def with_name(name: str, typed: str = typed, at: int = at, term: Term = term) -> Command:
                    values = tuple(name if value == typed else value for value in term.values)
                    return again(Filter((*filter_.terms[:at], replace(term, values=values), *filter_.terms[at + 1 :])))

                ids.append((await self._regulator(typed, with_name)).id)
            terms[at] = replace(term, values=tuple(dict.fromkeys(ids)))
        return Filter(tuple(terms))


def _retargeted(command: Subscribe | Unsubscribe, at: int, target: Target) -> Command:
    return replace(command, targets=(*command.targets[:at], target, *command.targets[at + 1 :]))


def _zone(typed: str, command: Digest) -> str:
    """The IANA zone that was typed, in any case, or by its city where only one zone has it."""
    known = {zone.casefold(): zone for zone in available_timezones()}
    wanted = typed.casefold().replace(" ", "_")
    cities = [zone for folded, zone in known.items() if folded.rpartition("/")[2] == wanted and "/" in folded]
    found = known.get(wanted) or (cities[0] if len(cities) == 1 else None)
    if found is not None:
        return found
    near = cities or [known[folded] for folded in difflib.get_close_matches(wanted, known, n=3, cutoff=0.75)]
    choices = [(zone, unparse(replace(command, setting=replace(command.setting, zone=zone)))) for zone in near[:3]]
    raise _Stop(f"No time zone “{typed}”. " + ("Did you mean" if choices else "Use a name such as Asia/Taipei."), choices)


# --- Slack ---


def reach(client: AsyncWebClient) -> tuple[CanPost, ZoneOf]:
    """What only Slack can tell, asked with the client of the request."""

    async def can_post(channel_id: str) -> str | None:
        try:
            channel = (await client.conversations_info(channel=channel_id))["channel"]
        except SlackApiError as error:
            if error.response.get("error") in ("channel_not_found", "missing_scope"):
                return "Regwatch cannot see this conversation, so nothing was saved. In a private channel type /invite @Regwatch first."
            raise
        if channel.get("is_archived"):
            return "This channel is archived, so nothing was saved."
        if channel.get("is_im") or channel.get("is_member"):
            return None
        return "Regwatch is not in this channel yet, so nothing was saved. Type /invite @Regwatch first."

    async def zone_of(user_id: str) -> str | None:
        try:
            user = (await client.users_info(user=user_id))["user"]
        except SlackApiError as error:
            # users:read is optional: without it the default zone is used, and the reply shows it
            log.info("zone user=%s unknown why=%s", user_id, error.response.get("error"))
            return None
        zone = user.get("tz")
        return str(zone) if zone else None

    return can_post, zone_of


async def tell(respond: Callable[..., Awaitable[Any]], message: Message, **more: Any) -> None:
    """Answers by response_url, which takes five messages: the answer, then what belongs in its thread."""
    for part in (message, *message.thread[:3]):
        await respond(
            text=part.text, blocks=part.blocks, response_type=message.response_type, unfurl_links=False, unfurl_media=False, **more
        )


async def post(client: AsyncWebClient, channel_id: str, message: Message, thread_ts: str | None = None) -> None:
    """Answers by posting: in the thread of the question, else with a thread of its own."""
    for part in (message, *message.thread):
        sent = await client.chat_postMessage(
            channel=channel_id, thread_ts=thread_ts, text=part.text, blocks=part.blocks, unfurl_links=False, unfurl_media=False
        )
        thread_ts = thread_ts or sent["ts"]


def register(app: AsyncApp, desk: Desk, command: str, kick: Callable[[], None]) -> None:
    """The slash command, the mention, the direct message and the home page."""

    @app.command(command)
    async def on_command(ack: Any, body: dict[str, Any], respond: Any, client: AsyncWebClient) -> None:
        await ack()
        can_post, zone_of = reach(client)
        who = Who(body.get("team_id") or body["enterprise_id"], body["channel_id"], body["user_id"], _name(body.get("channel_name")))
        message = await desk.answer(body.get("text", ""), who, can_post=can_post, zone_of=zone_of)
        if message.thread and not message.is_ephemeral and await can_post(who.channel_id) is None:
            await post(client, who.channel_id, message)  # a response_url opens no thread
        else:
            await tell(respond, message)
        if not message.is_ephemeral:
            kick()

    async def converse(event: dict[str, Any], body: dict[str, Any], text: str, client: AsyncWebClient, thread_ts: str | None) -> None:
        can_post, zone_of = reach(client)
        who = Who(body.get("team_id") or body["enterprise_id"], event["channel"], event["user"])
        message = await desk.answer(text, who, can_post=can_post, zone_of=zone_of)
        await post(client, event["channel"], message, thread_ts)
        kick()

    @app.event("app_mention")
    async def on_mention(event: dict[str, Any], body: dict[str, Any], context: dict[str, Any], client: AsyncWebClient) -> None:
        if not event.get("bot_id"):  # two bots that answer each other never end
            text = _after_mention(event["text"], context.get("bot_user_id"))
            await converse(event, body, text, client, event.get("thread_ts") or event["ts"])

    @app.event("message")
    async def on_message(event: dict[str, Any], body: dict[str, Any], context: dict[str, Any], client: AsyncWebClient) -> None:
        is_theirs = not event.get("bot_id") and not event.get("subtype")
        if event.get("channel_type") == "im" and is_theirs:
            text = _after_mention(event.get("text", ""), context.get("bot_user_id"))
            await converse(event, body, text, client, event.get("thread_ts"))

    @app.event("app_home_opened")
    async def on_home(event: dict[str, Any], client: AsyncWebClient) -> None:
        if event.get("tab") == "home":
            page = await desk.home()
            await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": page.blocks})


def _name(name: str | None) -> str:
    """Slack calls every private channel `privategroup` and every direct message `directmessage` in a command."""
    return "" if name in (None, "privategroup", "directmessage") else str(name)


def _after_mention(text: str, bot_user_id: str | None) -> str:
    """What follows the bot's name; when nothing does, what stood before it."""
    before, named, after = text.partition(f"<@{bot_user_id}>")
    return after.strip() or before.strip() if named else text
