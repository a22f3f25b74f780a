"""A text in, a message out: parse -> Store -> drawing. Slack, `regwatch ask` and the demo's prompt share it.

The Desk knows nothing of Slack's wire: what only Slack can tell it asks of a `Reach`. It puts in the defaults of a
question and answers questions itself; `changes` does what people change, `orders` what operators order, `naming` finds out
what names mean. A question is answered to its asker; a file goes with an answer only where it is public.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from bot.slack import answers, figures, help, replies
from bot.slack.blocks import Attachment, Look, Message
from bot.slack.changes import Changes, Who, no_action
from bot.slack.grammar import (
    ActionDetail,
    Actions,
    Backfill,
    Command,
    Digest,
    Export,
    FirmInfo,
    Help,
    Mute,
    Search,
    ShowSettings,
    SourceOrder,
    Sources,
    Subscribe,
    SubscribeList,
    Timeline,
    Totals,
    Unsubscribe,
    UserError,
    Why,
    parse,
)
from bot.slack.naming import Naming, Stop
from bot.slack.orders import Orders
from bot.slack.picture import PictureError, timeline_png, title_of
from bot.slack.reach import Reach
from bot.slack.text import span
from storage import Store, Unsearchable
from storage.filters import DEFAULT_FILTER, Filter, Term, since_date
from storage.views import ActionQuery, ChannelView, FirmView

log = logging.getLogger("regwatch.slack")

PAGE = 5
"""Actions, or hits of a search, in one answer, unless `limit:` says otherwise."""
RECENT = Term("since", ("90d",))
"""The time that a question for actions is about when it names none."""


class Desk:
    """Answers what people type. One for all workspaces; it keeps no state of theirs."""

    def __init__(
        self,
        store: Store,
        *,
        now: Callable[[], datetime],
        command: str = "/regwatch",
        operators: frozenset[str] = frozenset(),
        orders: Orders | None = None,
    ) -> None:
        """`operators` are Slack ids; `orders` are carried out by it, or by one of its own where none is given."""
        self._store = store
        self._now = now
        self._command = command
        self.naming = Naming(store)
        self.changes = Changes(store, self.naming, now=now, operators=operators)
        self.orders = orders or Orders(store, now=now)

    @property
    def now(self) -> datetime:
        """The time of the clock that this desk was given."""
        return self._now()

    async def look(self, who: Who) -> tuple[ChannelView | None, Look]:
        """The channel as it is known, and for whom an answer there is drawn."""
        channel = await self._store.channel(who.key)
        zone, language = (channel.time_zone, channel.language) if channel else (who.zone or "UTC", "en")
        return channel, Look(self._command, zone, now=self._now(), language=language)

    async def answer(self, text: str, who: Who, reach: Reach | None = None, *, is_public: bool = False) -> Message:
        """The answer to a text after the slash command. Raises StorageError when the database cannot be used.

        `is_public`: everyone will see it, so a file may go with it.
        """
        command = parse(text)
        channel, look = await self.look(who)
        if isinstance(command, UserError):
            message = help.wrong(command, look)
        else:
            try:
                message = await self._run(command, who, channel, look, reach or Reach(), is_public=is_public)
            except Stop as stop:
                message = help.error(stop.said(look.say), stop.choices, look)
        log.info(
            "command workspace=%s channel=%s verb=%s answer=%s",
            who.workspace_id,
            who.channel_id,
            type(command).__name__,
            "error" if message.is_error else message.response_type,
        )
        return message

    async def _run(self, command: Command, who: Who, channel: ChannelView | None, look: Look, reach: Reach, *, is_public: bool) -> Message:
        match command:
            case Help(verb):
                return help.help_(verb, channel, await self._store.coverage(), look)
            case Actions():
                return await self._actions(command, who, look)
            case ActionDetail(action_id):
                detail = await self._store.action(action_id)
                if detail is None:
                    raise no_action(action_id)
                return answers.action(detail, look)
            case FirmInfo(name):
                match = await self.naming.firm(name, FirmInfo)
                view = await self._store.firm(match.firm_id)
                if view is None:  # its list was taken away a moment ago
                    raise Stop("No firm “{}” in the register any more.", name)
                return answers.firm(view, await self._store.coverage(), look, is_followed=await self._follows(who, view.id))
            case Totals():
                return await self._totals(command, look)
            case Timeline():
                return await self._timeline(command, look, is_public=is_public)
            case Search():
                return await self._search(command, look)
            case Subscribe():
                return await self.changes.subscribe(command, who, look, reach)
            case SubscribeList():
                return await self.changes.list(who, channel, look)
            case Unsubscribe():
                return await self.changes.unsubscribe(command, who, look, reach)
            case Digest():
                return await self.changes.digest(command, who, channel, look, reach)
            case Mute():
                return await self.changes.mute(command, who, channel, look, reach)
            case ShowSettings():
                rules = await self._store.subscriptions(who.key)
                return replies.settings(channel, await self._store.changes(who.key), look, views=rules)
            case Sources(typed):
                return await self._sources(typed, look)
            case SourceOrder():
                self._operators_only(who, f"sources {command.do}")
                return await self.orders.source(command, who, look, self.naming)
            case Backfill():
                self._operators_only(who, "backfill")
                return await self.orders.backfill(command, who, look, self.naming)
            case Export():
                return await self._export(command, who, look, is_public=is_public)
            case Why(action_id, channel_id):
                other = channel_id if channel_id != who.channel_id else None
                if other and not self.changes.is_operator(who) and not await reach.may_see(other, who.user_id):
                    raise Stop("You are not in that channel, so what it follows is not told here. Type `why RW-{}` there.", action_id)
                why = await self._store.why(action_id, who.workspace_id, channel_id or who.channel_id)
                if why is None:
                    raise no_action(action_id)
                return answers.why(why, await self._store.coverage(), look)

    def _operators_only(self, who: Who, what: str) -> None:
        if not self.changes.is_operator(who):
            raise Stop("`{}` is for those who run Regwatch (REGWATCH_ADMINS). `sources` shows the health of what is read.", what)

    async def _follows(self, who: Who, firm_id: str) -> bool:
        return any(rule.firm is not None and rule.firm.firm_id == firm_id for rule in await self._store.subscriptions(who.key))

    async def _asked(self, typed: str | None, again: Callable[[str], Command], instead: str | None = None) -> FirmView | None:
        """The firm that a question names; None where it names none."""
        if typed is None:
            return None
        return await self._store.firm((await self.naming.firm(typed, again, instead)).firm_id, is_counted=False)

    async def _actions(self, command: Actions, who: Who, look: Look) -> Message:
        filter_ = await self.naming.filter(command.filter, lambda terms: replace(command, filter=terms))
        limit = int((filter_.values("limit") or (str(PAGE),))[0])
        firm = await self._asked(command.firm, lambda name: replace(command, firm=name, instead=None), command.instead)
        is_followed = False
        if firm is not None:
            command = replace(command, firm=firm.id, instead=None)
            look = replace(look, watched=frozenset({firm.id}))
            is_followed = await self._follows(who, firm.id)
        is_timed = filter_.keys() & {"since", "until"}
        # what a regulator did of itself, a rule for example, has no firm to play a role in it
        defaults = Filter((*(DEFAULT_FILTER.terms if firm else ()), *(() if is_timed else (RECENT,))))
        asked = Filter(tuple(term for term in filter_.terms if term.key != "limit")).over(defaults)
        query = ActionQuery(firm.id if firm else None, asked, limit, (command.page - 1) * limit)
        page = await self._store.actions(query)
        return answers.actions(
            page, command, firm, span=span(asked, language=look.language), limit=limit, look=look, is_followed=is_followed
        )

    async def _totals(self, command: Totals, look: Look) -> Message:
        filter_ = await self.naming.filter(command.filter, lambda terms: replace(command, filter=terms))
        firm = await self._asked(command.firm, lambda name: replace(command, firm=name))
        command = replace(command, firm=firm.id if firm else None)
        view = await self._store.totals(command.firm, command.by, filter_.over(DEFAULT_FILTER) if firm else filter_)
        return figures.totals(view, command, firm, look)

    async def _timeline(self, command: Timeline, look: Look, *, is_public: bool) -> Message:
        filter_ = await self.naming.filter(command.filter, lambda terms: replace(command, filter=terms))
        firm = await self._asked(command.firm, lambda name: replace(command, firm=name))
        command = replace(command, firm=firm.id if firm else None)
        view = await self._store.timeline(command.firm, filter_.over(DEFAULT_FILTER) if firm else filter_)
        if not is_public or not view.total:
            return figures.timeline(view, command, firm, look)
        title = title_of(firm, look)
        try:
            # drawing takes a second, and the loop has other things to acknowledge
            picture = await asyncio.to_thread(timeline_png, view, title, look.language)
        except PictureError as error:
            log.info("picture cannot be drawn why=%s", error)
            return figures.timeline(view, command, firm, look, picture="plot")
        message = figures.timeline(view, command, firm, look, picture="follows")
        return replace(message, file=Attachment("timeline.png", picture, title, str(message.text)[:1_000]))

    async def _search(self, command: Search, look: Look) -> Message:
        filter_ = await self.naming.filter(command.filter, lambda terms: replace(command, filter=terms))
        limit = int((filter_.values("limit") or (str(PAGE),))[0])
        asked = Filter(tuple(term for term in filter_.terms if term.key != "limit"))
        try:
            page = await self._store.search(command.words, asked, limit, (command.page - 1) * limit)
        except Unsearchable as wrong:
            raise Stop(str(wrong)) from wrong
        return figures.search(page, command, look)

    async def _sources(self, typed: str | None, look: Look) -> Message:
        regulator = await self.naming.regulator(typed, Sources) if typed else None
        views = await self._store.sources(regulator.id if regulator else None)
        asked = Filter((Term("regulator", (regulator.id,)),)) if regulator else Filter()
        return answers.sources(views, await self._store.coverage(asked), look, regulator=regulator.name if regulator else None)

    async def _export(self, command: Export, who: Who, look: Look, *, is_public: bool) -> Message:
        since = since_date(command.since, self._now().date()) if command.since else None
        firm = await self._asked(command.firm, lambda name: replace(command, firm=name))
        command = replace(command, firm=firm.id if firm else None)
        rows = await (self._store.export_firm(firm.id, since) if firm else self._store.export_channel(who.key, since))
        text = figures.export_text(rows, command.format)
        name = f"regwatch-{firm.id if firm else 'channel'}-{self._now():%Y-%m-%d}.{command.format}"
        message = figures.exported(rows, command, look, is_attached=is_public, firm=firm)
        return replace(message, file=Attachment(name, text.encode(), name)) if is_public and rows else message
