"""The postman: takes what the outbox owes, draws it, gives it to Slack and writes down what became of it.

`Deliverer.run_once()` claims leased deliveries from the Store, renders each from what is true now
(`bot.slack.cards`), posts it, and settles it. No transaction is open while Slack is asked.

Slack has no idempotency key, so a reply that is lost leaves a doubt: the post may stand or not. Such a
delivery is settled as unsure (as is one whose process died); the next try first looks for the post by its
metadata and posts again only when it is not there. Where the history may not be read, it is posted again: at
least once, never lost. For the same reason the posting client must not repeat a call by itself (`make_client`).

`trouble_of` and `decide` are the retry rules, pure; the rest acts.
"""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from time import monotonic
from typing import Any

from aiohttp import ClientConnectorError, ClientError, ClientSession
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

import bot.slack.cards as cards
from bot.slack.blocks import Message
from bot.slack.digests import digest, rollup
from bot.slack.notices import notice
from storage import StorageError, Store
from storage.intents import Dead, RetryAt, Sent
from storage.models import DeliveryKind
from storage.views import DueDelivery

_log = logging.getLogger("regwatch.deliver")

EVENT_TYPE = "regwatch_delivery"
"""The `event_type` of our message metadata. Its payload holds ids only: everyone in the workspace can read it."""

BUG_ATTEMPTS = 10
"""So often a delivery is tried that fails by a bug of ours."""
GIVE_UP_AFTER, TRIES = timedelta(days=7), 100
"""An alert that could not be delivered for so long, and with so many tries, is no alert any more."""
MOST_THREADS = 500
"""Digests and roll-ups under way at a time: each holds its messages in memory."""
PATIENCE = 10.0
"""Seconds for which a run waits for what it began."""
_LOOK_AGAIN = 1.0  # seconds
_FIRST_PAUSE = timedelta(seconds=5)
_LONGEST_PAUSE = timedelta(minutes=15)
_DEFAULT_RETRY_AFTER = 30.0
_CLOCK_SKEW = timedelta(minutes=5)  # between us and Slack, when looking for a post
_PAGES = 10  # of history, 200 messages each
_PLAIN_LENGTH = 3_900  # chat.update refuses 4,000 and more


# --- the rules ---------------------------------------------------------------------------------------------------


class Cause(StrEnum):
    """Why Slack did not take a message, by what is to be done about it."""

    RATE = "rate"  # the workspace waits as long as Slack says
    BUSY = "busy"  # again later; surely not posted
    LOST = "lost"  # again later; perhaps posted
    WORKSPACE = "workspace"  # the token or the installation: the workspace waits
    CHANNEL = "channel"  # it takes nothing any more: paused
    CARD = "card"  # it cannot be edited, or its thread is closed: a new card
    BLOCKS = "blocks"  # again as plain text, at once
    METADATA = "metadata"  # again without it, at once
    OURS = "ours"  # a bug of ours, or a refusal we do not know


_CODES: Mapping[str, Cause] = {
    code: cause
    for cause, codes in {
        Cause.RATE: "ratelimited rate_limited message_limit_exceeded",
        Cause.BUSY: "service_unavailable request_timeout update_failed external_channel_migrating streaming_state_conflict",
        # their documentation: "it's possible some aspect of the operation succeeded before the error was raised"
        Cause.LOST: "fatal_error internal_error",
        Cause.WORKSPACE: "account_inactive token_revoked token_expired invalid_auth not_authed missing_scope team_added_to_org"
        " app_access_restricted org_login_required two_factor_setup_required accesslimited access_denied not_allowed_token_type"
        " enterprise_is_restricted team_not_found",
        Cause.CHANNEL: "channel_not_found is_archived not_in_channel restricted_action restricted_action_read_only_channel"
        " restricted_action_thread_only_channel messages_tab_disabled ekm_access_denied no_permission is_inactive"
        " posting_to_channel_denied",
        Cause.CARD: "message_not_found cant_update_message edit_window_closed block_mismatch cannot_reply_to_message thread_not_found"
        " restricted_action_thread_locked restricted_action_non_threadable_channel cant_broadcast_message",
        Cause.BLOCKS: "invalid_blocks invalid_blocks_format msg_blocks_too_long msg_too_long no_text invalid_attachments"
        " too_many_attachments attachment_payload_limit_exceeded",
        Cause.METADATA: "metadata_too_large invalid_metadata_format invalid_metadata_schema metadata_must_be_sent_from_app",
    }.items()
    for code in codes.split()
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """What went wrong: the cause, Slack's word for it (or ours), and how long it asks us to wait."""

    cause: Cause
    why: str
    wait: float | None = None  # seconds, from Retry-After


def trouble_of(error: BaseException) -> Trouble:
    """What an exception of a call to Slack means. The status counts before the body: a 503 may carry any body."""
    if isinstance(error, SlackApiError):
        # a reply that is no JSON carries aiohttp's response instead of the SDK's
        status = int(getattr(error.response, "status_code", 0) or getattr(error.response, "status", 0))
        data = getattr(error.response, "data", None)
        code = str(data.get("error", "")) if isinstance(data, Mapping) else ""
        if status == 429:
            return Trouble(Cause.RATE, "ratelimited", _retry_after(error.response))
        if status >= 500:
            return Trouble(Cause.LOST, f"HTTP {status}")
        if not code:
            return Trouble(Cause.LOST if status == 200 else Cause.BUSY, f"HTTP {status} without an answer")
        return Trouble(_CODES.get(code, Cause.OURS), code, _retry_after(error.response))
    if isinstance(error, ClientConnectorError):
        return Trouble(Cause.BUSY, "Slack cannot be reached")
    if isinstance(error, ClientError | TimeoutError | OSError):
        return Trouble(Cause.LOST, f"the reply was lost: {type(error).__name__}")
    return Trouble(Cause.OURS, " ".join(f"{type(error).__name__}: {error}".split())[:200])


def _retry_after(response: Any) -> float | None:
    value = str(response.headers.get("Retry-After", ""))
    return float(value) if value.isdigit() else None


def decide(trouble: Trouble, *, now: datetime, owed_at: datetime, attempts: int, salt: str) -> RetryAt | Dead:
    """What becomes of a delivery after a trouble that nothing at once can mend.

    The pause doubles with the attempts, up to 15 minutes, and is spread by `salt`; Retry-After is obeyed whatever its length.
    """
    if trouble.cause is Cause.CHANNEL:
        return Dead(trouble.why, is_channel_gone=True)
    if trouble.cause in (Cause.OURS, Cause.BLOCKS, Cause.METADATA, Cause.CARD) and attempts >= BUG_ATTEMPTS:
        return Dead(f"{trouble.why}, after {attempts} attempts")
    # what waited for its channel or workspace was hardly tried, however old it is
    if now - owed_at >= GIVE_UP_AFTER and attempts >= TRIES:
        return Dead(f"{trouble.why}, for {GIVE_UP_AFTER.days} days", is_too_late=True)
    pause = min(_FIRST_PAUSE * 2 ** min(max(attempts - 1, 0), 10), _LONGEST_PAUSE)
    if trouble.cause is Cause.WORKSPACE:
        pause = _LONGEST_PAUSE
    pause *= 1 + (zlib.crc32(f"{salt}:{attempts}".encode()) % 1000) / 4000
    if trouble.cause is Cause.RATE:
        pause = timedelta(seconds=trouble.wait or _DEFAULT_RETRY_AFTER)
    return RetryAt(
        now + pause,
        trouble.why,
        is_unsure=trouble.cause is Cause.LOST,
        is_for_all=trouble.cause in (Cause.RATE, Cause.WORKSPACE),
        is_too_fast=trouble.cause is Cause.RATE,
    )


# --- acting --------------------------------------------------------------------------------------------------------


def make_client(token: str, base_url: str, *, team_id: str | None = None, session: ClientSession | None = None) -> AsyncWebClient:
    """A client for posts. It never repeats a call: the SDK's own handler would post twice after a lost reply.

    A shared `session` spares a connection per post. `team_id` is needed for organisation-wide installations.
    """
    return AsyncWebClient(token=token, base_url=base_url, team_id=team_id, session=session, retry_handlers=[])


@dataclass(frozen=True, slots=True)
class DeliverSummary:
    """What one run did. `late`: settled after the lease had gone to someone else."""

    digests_owed: int = 0
    claimed: int = 0
    sent: int = 0
    retried: int = 0
    dead: int = 0
    late: int = 0


@dataclass(slots=True)
class _Attempt:
    """One try of one delivery. `is_doubtful`: something of it may stand in Slack that the Store does not know of."""

    due: DueDelivery
    client: AsyncWebClient
    is_doubtful: bool

    @property
    def channel(self) -> str:
        return self.due.channel.slack_id


class _NoToken(Exception):
    """The workspace cannot be posted to."""


class Deliverer:
    """Delivers what the outbox owes; any number may run beside each other, on any number of hosts.

    `client_for` gives the client of a workspace (see `make_client`), and raises LookupError when it has no token for it.
    A try, or a part of one that posts several messages, ends within half the lease, so that nobody else begins it
    meanwhile. `wait` lets seconds of the clock pass between two messages in one channel.
    """

    def __init__(
        self,
        store: Store,
        client_for: Callable[[str], Awaitable[AsyncWebClient]],
        *,
        now: Callable[[], datetime],
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
        lease: timedelta = timedelta(minutes=2),
        limit: int = 20,
    ) -> None:
        self._store = store
        self._client_for = client_for
        self._now = now
        self._wait = wait
        self._lease = lease
        self._limit = limit
        self._under_way: set[asyncio.Task[str]] = set()
        self._in_threads: set[int] = set()  # ids of those that post several messages
        self._is_stopping = False
        self._resume_at: dict[str, datetime] = {}  # workspaces that wait: what was claimed with the message that was refused waits too

    async def run_once(self) -> DeliverSummary:
        """Owes the digests that are due, then delivers all that may go out now. Whatever it claims it also settles.

        Deliveries of different channels go out side by side, `limit` at a time. What Slack is slow to take holds up nobody else:
        after `PATIENCE` it goes on beside the next run, and is in that one's summary. Raises StorageError when nothing can be claimed.
        """
        try:
            digests = await self._store.owe_digests()
        except Exception:
            _log.exception("digests cannot be owed")  # the alerts go out all the same
            digests = 0
        tally = dict.fromkeys(("sent", "retried", "dead", "late"), 0)
        claimed = 0
        ends_at = monotonic() + PATIENCE
        while True:
            is_over = self._is_stopping or monotonic() >= ends_at
            room = 0 if is_over else self._room()
            batch = await self._store.claim(room, self._lease) if room else ()
            claimed += len(batch)
            self._under_way |= {asyncio.create_task(self._deliver(due)) for due in batch}
            if not self._under_way or is_over:
                return DeliverSummary(digests, claimed, **tally)
            # what is due meanwhile goes out beside a slow one; a claim costs much the same for one as for many
            while self._under_way:
                done, self._under_way = await asyncio.wait(self._under_way, timeout=_LOOK_AGAIN, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    tally[task.result()] += 1
                if not done or 2 * self._room() >= self._limit:
                    break

    def _room(self) -> int:
        """How many more may be under way. What posts one message a second holds up nobody who posts one alone."""
        threads = len(self._in_threads)
        return min(self._limit - (len(self._under_way) - threads), MOST_THREADS - threads)

    def stop(self) -> None:
        """Claim nothing more; what posts several messages pauses after the next one."""
        self._is_stopping = True

    async def finish(self, seconds: float) -> None:
        """Wait so long for what is still under way. What is given up then is looked for in Slack after its lease."""
        if self._under_way:
            _, late = await asyncio.wait(self._under_way, timeout=seconds)
            for task in late:
                task.cancel()

    async def _deliver(self, due: DueDelivery) -> str:
        """One delivery from claim to settlement, and its line in the log. Raises nothing: others run beside it."""
        started = monotonic()
        outcome = await self._try(due)
        did = {Sent: "sent", RetryAt: "retried", Dead: "dead"}[type(outcome)]
        try:
            if not await self._store.settle(due.id, due.token, outcome):
                did = "late"
        except StorageError:
            # its lease will end, and the next claim looks for the post
            _log.exception("delivery id=%d key=%s could not be settled", due.id, due.key)
            did = "late"
        _log.log(
            logging.INFO if did == "sent" else logging.WARNING,
            "delivery id=%d key=%s workspace=%s channel=%s did=%s attempt=%d seconds=%.2f %s",
            due.id,
            due.key,
            due.channel.workspace_id,
            due.channel.slack_id,
            did,
            due.attempts,
            monotonic() - started,
            f"ts={outcome.ts}" if isinstance(outcome, Sent) else f'why="{outcome.why}"',
        )
        return did

    async def _try(self, due: DueDelivery) -> Sent | RetryAt | Dead:
        until = self._resume_at.get(due.channel.workspace_id)
        if until is not None and until > self._now():
            return RetryAt(until, "the workspace waits", is_unsure=due.is_unsure)
        attempt: _Attempt | None = None
        try:
            attempt = _Attempt(due, await self._client_of(due), due.is_unsure)
            if due.digest is not None or due.rollup is not None:
                self._in_threads.add(due.id)
                return await self._send_parts(attempt)
            async with self._in_time():
                return await self._send(attempt)
        except _NoToken as error:
            trouble = Trouble(Cause.WORKSPACE, str(error))
        except StorageError as error:
            trouble = Trouble(Cause.BUSY, str(error))
        except Exception as error:
            trouble = trouble_of(error)
            if trouble.cause is Cause.OURS:
                _log.exception("delivery id=%d key=%s failed by a bug", due.id, due.key)
        finally:
            self._in_threads.discard(due.id)
        decided = decide(trouble, now=self._now(), owed_at=due.owed_at, attempts=due.attempts, salt=due.key)
        if isinstance(decided, RetryAt) and decided.is_for_all:
            self._resume_at[due.channel.workspace_id] = decided.at
            _log.warning('workspace id=%s waits until=%s why="%s"', due.channel.workspace_id, decided.at.isoformat(), decided.why)
        if isinstance(decided, RetryAt) and (due.is_unsure if attempt is None else attempt.is_doubtful):
            return replace(decided, is_unsure=True)
        return decided

    async def _client_of(self, due: DueDelivery) -> AsyncWebClient:
        try:
            return await self._client_for(due.channel.workspace_id)
        except LookupError as error:
            raise _NoToken(str(error)) from error

    def _in_time(self) -> asyncio.Timeout:
        return asyncio.timeout(self._lease.total_seconds() / 2)

    async def _send(self, attempt: _Attempt) -> Sent:
        due = attempt.due
        if due.kind is DeliveryKind.UPDATE and due.card_ts is not None:
            sent = await self._send_development(attempt, due.card_ts)
            if sent is not None:
                return sent
        message = notice(due) if due.kind is DeliveryKind.NOTICE else cards.alert(due.card)
        found = await self._look(attempt, None)
        attempt.is_doubtful = False
        ts = found.get(0) or await self._post(attempt, message)
        return Sent(ts, card_ts=None if due.kind is DeliveryKind.NOTICE else ts)

    async def _send_development(self, attempt: _Attempt, card_ts: str) -> Sent | None:
        """Edits the card to the present state, then says in its thread what changed; None when the card takes neither any more.

        In this order because the edit can be repeated, the reply cannot: the reply is the delivery.
        """
        due = attempt.due
        card, reply = cards.alert(due.card), cards.development(due)
        found = await self._look(attempt, card_ts)
        if 0 in found:
            return Sent(found[0])
        try:
            await self._edit(attempt, card_ts, card)
            attempt.is_doubtful = False  # the card is there, so an earlier try can only have replied to it
            return Sent(await self._post(attempt, reply, thread_ts=card_ts, is_broadcast=due.is_broadcast))
        except SlackApiError as error:
            trouble = trouble_of(error)
            if trouble.cause is not Cause.CARD:
                raise
            _log.warning("delivery id=%d key=%s gets a new card why=%s", due.id, due.key, trouble.why)
            return None

    async def _send_parts(self, attempt: _Attempt) -> Sent | RetryAt:
        """A digest or a roll-up: its root, then its thread, at the pace of the channel. It goes on where an earlier try ended."""
        due = attempt.due
        # beside the loop: there may be hundreds of actions in it
        root, *rest = await asyncio.to_thread(digest if due.digest is not None else rollup, due)
        ts, parts = due.ts, due.parts
        stand: Mapping[int, str] = {}
        async with self._in_time():
            if ts is None:
                ts = (await self._look(attempt, None)).get(0)
            if ts is None:
                attempt.is_doubtful = False
                ts = await self._post(attempt, root)
            else:
                stand = await self._look(attempt, ts)  # of the thread, what was posted last may stand
        attempt.is_doubtful = due.ts is None  # until it is written down that the root stands
        for part, message in enumerate(rest, start=1):
            if part <= parts or part in stand:
                continue
            if (paused := await self._turn(due, ts, part - 1)) is not None:
                return paused
            attempt.is_doubtful = False  # all that stands is written down
            try:
                async with self._in_time():
                    await self._post(attempt, message, thread_ts=ts, part=part)
                attempt.is_doubtful = True
            except SlackApiError as error:
                trouble = trouble_of(error)
                if trouble.cause not in (Cause.CARD, Cause.BLOCKS, Cause.OURS):
                    raise
                _log.warning("delivery id=%d key=%s lacks part=%d why=%s", due.id, due.key, part, trouble.why)
        return Sent(ts)

    async def _turn(self, due: DueDelivery, ts: str, parts: int) -> RetryAt | None:
        """Wait for the turn of the next message of a thread in which so many stand; an outcome where there is none."""
        while True:
            asked_at = self._now()
            at = await self._store.next_part(due.id, due.token, self._lease, ts=ts, parts=parts)
            if at is None:
                return RetryAt(asked_at, "its lease has passed to somebody else")
            if self._is_stopping:
                return RetryAt(at, "the process stopped within its thread")
            await self._wait(max(0.0, (at - self._now()).total_seconds()))
            if not await self._store.limited_since(due.channel.workspace_id, asked_at):
                return None

    # --- calls to Slack ---

    async def _post(
        self, attempt: _Attempt, message: Message, *, thread_ts: str | None = None, is_broadcast: bool = False, part: int = 0
    ) -> str:
        """Posts, and returns the time stamp that names the post."""

        async def call(**content: Any) -> Any:
            return await attempt.client.chat_postMessage(
                channel=attempt.channel,
                thread_ts=thread_ts,
                reply_broadcast=True if is_broadcast else None,
                unfurl_links=False,
                unfurl_media=False,
                **content,
            )

        payload = {"delivery_id": str(attempt.due.id), "key": attempt.due.key, "part": part}
        answer = await _simplified(call, message, {"event_type": EVENT_TYPE, "event_payload": payload})
        return str(answer["ts"])

    async def _edit(self, attempt: _Attempt, ts: str, message: Message) -> None:
        async def call(**content: Any) -> Any:
            return await attempt.client.chat_update(channel=attempt.channel, ts=ts, **content)

        await _simplified(call, message, None)  # without the argument the card keeps its metadata

    async def _look(self, attempt: _Attempt, thread_ts: str | None) -> Mapping[int, str]:
        """The parts of a doubtful delivery that stand in the channel or the thread, by number; {} without a doubt.

        When nothing may be read the answer is {} too: it is posted again, and the log says so.
        """
        if not attempt.is_doubtful:
            return {}
        found = await self._search(attempt, thread_ts)
        if found is None:
            _log.warning("delivery id=%d key=%s may be posted twice: the history cannot be read", attempt.due.id, attempt.due.key)
        return found or {}

    async def _search(self, attempt: _Attempt, thread_ts: str | None) -> Mapping[int, str] | None:
        """The posts of a delivery by part, found by their metadata; None when Slack does not let us read."""
        due = attempt.due
        asked: dict[str, Any] = {
            "channel": attempt.channel,
            "oldest": f"{(due.owed_at - _CLOCK_SKEW).timestamp():.6f}",
            "limit": 200,
            "include_all_metadata": True,
        }
        read: Callable[..., Awaitable[Any]] = attempt.client.conversations_history
        if thread_ts is not None:
            read, asked["ts"] = attempt.client.conversations_replies, thread_ts
        found: dict[int, str] = {}
        try:
            for _ in range(_PAGES):
                page = await read(**asked)
                for message in page["messages"]:
                    metadata = message.get("metadata") or {}
                    payload = metadata.get("event_payload") or {}
                    ours = metadata.get("event_type") == EVENT_TYPE and payload.get("delivery_id") == str(due.id)
                    if ours and payload.get("key") == due.key:
                        found.setdefault(int(payload.get("part", 0)), message["ts"])
                asked["cursor"] = (page.get("response_metadata") or {}).get("next_cursor")
                if not asked["cursor"] or (thread_ts is None and found):
                    break
        except SlackApiError as error:
            trouble = trouble_of(error)
            if trouble.why == "thread_not_found":
                return {}
            if trouble.cause in (Cause.RATE, Cause.BUSY, Cause.LOST, Cause.WORKSPACE) and trouble.why != "missing_scope":
                raise
            _log.info("history channel=%s cannot be read why=%s", attempt.channel, trouble.why)
            return None
        return found


async def _simplified(call: Callable[..., Awaitable[Any]], message: Message, metadata: Mapping[str, Any] | None) -> Any:
    """Calls with the message as drawn; when Slack refuses its blocks or its metadata, at once without them."""
    content: dict[str, Any] = {"text": message.text, "blocks": list(message.blocks)}
    if metadata is not None:
        content["metadata"] = metadata
    while True:
        try:
            return await call(**content)
        except SlackApiError as error:
            trouble = trouble_of(error)
            if trouble.cause is Cause.BLOCKS and content["blocks"]:
                content |= {"text": message.text[:_PLAIN_LENGTH], "blocks": []}
            elif trouble.cause is Cause.METADATA and "metadata" in content:
                del content["metadata"]
            else:
                raise
            _log.error("slack refuses a message why=%s: sent without its %s", trouble.why, trouble.cause)
