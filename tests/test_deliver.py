"""The retry rules as a table, then the Deliverer between a real Store and a Slack that is mistreated."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.deliver import BUG_ATTEMPTS, GIVE_UP_AFTER, Cause, Deliverer, DeliverSummary, Trouble, decide, make_client, trouble_of
from storage import StorageError, Store
from storage.intents import ChannelKey, Dead, FollowIntent, RetryAt
from storage.models import Deliver, Followed, Health, Kind, Precision, Role, Status
from storage.records import (
    EntryRecord,
    Extraction,
    FirmRow,
    FoundAction,
    FoundEvidence,
    FoundFirm,
    FoundRegulator,
    PollOutcome,
    PollRecord,
    Register,
    RegulatorRow,
    SourceRow,
)
from tests.fakes import slack as fake
from tests.fakes.clock import FakeClock
from tests.fakes.slack import TOKEN, SlackStub

NOW = datetime(2021, 3, 19, 4, 0, tzinfo=UTC)


class _Reply:
    """What an SDK error carries."""

    def __init__(self, status: int, error: str = "", headers: dict[str, str] | None = None) -> None:
        self.status_code = status
        self.data: dict[str, Any] = {"ok": False, "error": error} if error else {}
        self.headers = headers or {}


class _RawReply:
    """aiohttp's own response, which the SDK's error carries when the body is no JSON."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.headers: dict[str, str] = {}


def _error(reply: object) -> SlackApiError:
    return SlackApiError("refused", reply)  # type: ignore[no-untyped-call]


def _refused(status: int, error: str = "", **headers: str) -> SlackApiError:
    return _error(_Reply(status, error, {key.replace("_", "-"): value for key, value in headers.items()}))


@pytest.mark.parametrize(
    ("error", "cause", "wait"),
    [
        pytest.param(_refused(429, "ratelimited", Retry_After="12"), Cause.RATE, 12.0, id="429 tells how long to wait"),
        pytest.param(_refused(429, "channel_not_found", Retry_After="3"), Cause.RATE, 3.0, id="the status beats the body (429)"),
        pytest.param(_refused(429), Cause.RATE, None, id="429 without Retry-After"),
        pytest.param(_refused(429, Retry_After="soon"), Cause.RATE, None, id="Retry-After that is no number is left alone"),
        pytest.param(_refused(503), Cause.LOST, None, id="an HTML page with 503 may follow a post that stands"),
        pytest.param(_refused(500, "is_archived"), Cause.LOST, None, id="the status beats the body (500)"),
        pytest.param(_refused(200, "internal_error"), Cause.LOST, None, id="internal_error: some of it may have happened"),
        pytest.param(_refused(200, "service_unavailable"), Cause.BUSY, None, id="service_unavailable: surely not posted"),
        pytest.param(_refused(403), Cause.BUSY, None, id="a proxy that refuses is no word of Slack"),
        pytest.param(_refused(200, "is_archived"), Cause.CHANNEL, None, id="an archived channel"),
        pytest.param(_refused(200, "token_revoked"), Cause.WORKSPACE, None, id="a revoked token is the workspace's trouble"),
        pytest.param(_refused(200, "msg_blocks_too_long"), Cause.BLOCKS, None, id="blocks too long"),
        pytest.param(_refused(200, "metadata_too_large"), Cause.METADATA, None, id="metadata too large"),
        pytest.param(_refused(200, "message_not_found"), Cause.CARD, None, id="the card was deleted"),
        pytest.param(_refused(200, "never_heard_of"), Cause.OURS, None, id="an unknown word counts as our bug"),
        pytest.param(_error(_RawReply(200)), Cause.LOST, None, id="200 with a body that is no JSON"),
        pytest.param(_error(_RawReply(502)), Cause.LOST, None, id="502 with a body that is no JSON"),
        pytest.param(aiohttp.ServerDisconnectedError(), Cause.LOST, None, id="the connection ended before the reply"),
        pytest.param(TimeoutError(), Cause.LOST, None, id="no reply in time"),
        pytest.param(ConnectionResetError(), Cause.LOST, None, id="the connection was reset"),
        pytest.param(KeyError("ts"), Cause.OURS, None, id="an exception of our own"),
    ],
)
def test_what_an_error_means(error: Exception, cause: Cause, wait: float | None) -> None:
    trouble = trouble_of(error)
    assert (trouble.cause, trouble.wait) == (cause, wait)
    assert trouble.why


def test_every_documented_refusal_of_our_methods_has_a_cause(shared: Path) -> None:
    """Words about arguments that we never send are bugs of ours, like any word that is not documented."""
    ours_by_right = {
        # about the form of the call
        *("deprecated_endpoint", "invalid_arg_name", "invalid_array_arg", "invalid_charset", "invalid_form_data", "invalid_post_type"),
        *("is_bot", "method_deprecated", "missing_post_type", "unknown_method", "markdown_text_conflict", "send_on_behalf_not_allowed"),
        *("as_user_not_supported", "no_dual_broadcast_content_update", "too_many_contact_cards"),
        # about drafts, files, canvases and client_msg_id
        *("draft_already_deleted", "draft_already_sent", "draft_has_conflict", "draft_not_found", "duplicate_channel_not_found"),
        *("duplicate_message_not_found", "missing_file_data", "slack_connect_canvas_sharing_blocked", "blocked_file_type", "file_deleted"),
        *("slack_connect_file_link_sharing_blocked", "slack_connect_lists_sharing_blocked", "file_is_deleted", "file_not_found"),
        *("file_share_limit_reached", "max_file_sharing_exceeded", "slack_connect_blocked_file_type", "unable_to_share_files"),
        *("slack_connect_clip_sharing_blocked", "slack_connect_file_upload_sharing_blocked"),
    }
    folder = shared / "oracles" / "slack-methods"
    words = {word for name in ("chat.postMessage", "chat.update") for word in json.loads((folder / f"{name}.json").read_text())["errors"]}
    assert {word for word in words if trouble_of(_refused(200, word)).cause is Cause.OURS} == ours_by_right


@pytest.mark.parametrize(
    ("cause", "attempts", "age", "expected"),
    [
        pytest.param(Cause.CHANNEL, 1, timedelta(), Dead("word", is_channel_gone=True), id="a channel that refuses is paused at once"),
        pytest.param(Cause.OURS, BUG_ATTEMPTS, timedelta(), Dead("word, after 10 attempts"), id="a bug ends after ten attempts"),
        pytest.param(Cause.BLOCKS, BUG_ATTEMPTS, timedelta(), Dead("word, after 10 attempts"), id="so does a refusal of plain text"),
        pytest.param(Cause.LOST, 900, GIVE_UP_AFTER, Dead("word, for 7 days", is_too_late=True), id="Slack gone for a week ends it"),
        pytest.param(
            Cause.RATE,
            1,
            timedelta(days=30),
            RetryAt(NOW + timedelta(seconds=40), "word", is_for_all=True, is_too_fast=True),
            id="what waited a month for its channel was hardly tried",
        ),
        pytest.param(
            Cause.RATE,
            900,
            timedelta(days=6),
            RetryAt(NOW + timedelta(seconds=40), "word", is_for_all=True, is_too_fast=True),
            id="many 429s do not",
        ),
        pytest.param(
            Cause.RATE,
            1,
            timedelta(),
            RetryAt(NOW + timedelta(seconds=40), "word", is_for_all=True, is_too_fast=True),
            id="Retry-After is obeyed to the second",
        ),
    ],
)
def test_what_becomes_of_a_delivery(cause: Cause, attempts: int, age: timedelta, expected: RetryAt | Dead) -> None:
    assert decide(Trouble(cause, "word", 40), now=NOW, owed_at=NOW - age, attempts=attempts, salt="alert:RW-1001") == expected


def test_the_pause_doubles_up_to_a_quarter_of_an_hour_and_is_spread() -> None:
    def pause(attempts: int, salt: str = "a") -> float:
        decided = decide(Trouble(Cause.BUSY, "busy"), now=NOW, owed_at=NOW, attempts=attempts, salt=salt)
        assert isinstance(decided, RetryAt)
        assert not decided.is_unsure
        return (decided.at - NOW).total_seconds()

    pauses = [pause(attempts) for attempts in range(1, 40)]
    for number, seconds in enumerate(pauses):
        least = min(5 * 2.0**number, 900)
        assert least <= seconds < least * 1.25
    assert len({pause(1, salt) for salt in "abcdefgh"}) > 4


def test_a_lost_reply_leaves_a_doubt() -> None:
    decided = decide(Trouble(Cause.LOST, "lost"), now=NOW, owed_at=NOW, attempts=1, salt="")
    assert isinstance(decided, RetryAt)
    assert decided.is_unsure


# --- between a real Store and a Slack that fails ----------------------------------------------------------------------

CAC = RegulatorRow("cn-cac", "Cyberspace Administration of China", "国家互联网信息办公室", jurisdiction="CN", time_zone="Asia/Shanghai")
SOURCE = SourceRow("cn-cac-test", "cn-cac", "https://cac.test/feed", "rss")


class World:
    """A Store that follows one firm in some channels, a regulator that acts, and a Slack."""

    def __init__(self, store: Store, slack: SlackStub, clock: FakeClock, deliverer: Deliverer) -> None:
        self.store, self.slack, self.clock, self.deliverer = store, slack, clock, deliverer

    async def follow(self, *channels: str, workspace: str = "T1", deliver: Deliver = Deliver.NOW) -> None:
        for channel in channels:
            if channel not in self.slack.channels:
                self.slack.add_channel(channel)
            key = ChannelKey(workspace, channel, channel.lower())
            await self.store.follow(FollowIntent(key, "U1", Followed.FIRM, firm_id="tencent", deliver=deliver))

    async def act(self, guid: str = "n1", *, number: str = "2021-1", kind: Kind = Kind.TALKS, stated: int | None = None) -> PollOutcome:
        """The regulator publishes a document; the same number tells of the same act."""
        return await self.publish(self.entry(guid, number, kind, stated))

    def entry(self, guid: str, number: str, kind: Kind = Kind.TALKS, stated: int | None = None) -> EntryRecord:
        """A document that tells of one act against the firm."""
        title = f"Notice {guid}"
        text = f"The regulator acted ({kind}) against Tencent, it says in {guid}."
        sentence = FoundEvidence("kind", text, len(title) + 1, len(title) + 1 + len(text))
        firm = FoundFirm("tencent", "Tencent", "Tencent", Role.TARGET, text.index("Tencent"), text.index("Tencent") + 7)
        action = FoundAction(
            kind=kind,
            status=Status.IN_FORCE,
            regulators=(FoundRegulator("cn-cac", CAC.name),),
            firms=(firm,),
            evidence=(sentence,),
            stated_count=stated,
            number=number,
        )
        return EntryRecord(
            document_id=None,
            entry_hash=f"hash-{guid}",
            guid=guid,
            url=f"https://cac.test/{guid}",
            canonical_url=f"cac.test/{guid}",
            title_key=f"{title} 2021-03-19",
            title=title,
            text=text,
            sha256=f"sha-{guid}",
            language="en",
            published_at=self.clock(),
            published_precision=Precision.MINUTE,
            updated_at=None,
            extraction=Extraction("en", (action,), (firm,)),
        )

    async def publish(self, *entries: EntryRecord) -> PollOutcome:
        """One poll finds these documents."""
        (due,) = await self.store.due_sources(1, timedelta(minutes=5), [SOURCE.id], ignore_due=True)
        record = PollRecord(
            source_id=SOURCE.id,
            lease_token=due.lease_token,
            started_at=self.clock(),
            seconds=0.1,
            next_poll_at=self.clock() + timedelta(hours=1),
            health=Health.OK,
            entries=entries,
            n_entries=len(entries),
        )
        return await self.store.record_poll(record)

    async def run(self, **forward: float) -> DeliverSummary:
        """Time passes (two seconds unless told), then the postman comes."""
        self.clock.forward(**(forward or {"seconds": 2}))
        return await self.deliverer.run_once()


@pytest.fixture
async def slack(clock: FakeClock) -> AsyncIterator[SlackStub]:
    async with SlackStub(now=clock) as stub:
        yield stub


def _always(client: AsyncWebClient) -> Callable[[str], Awaitable[AsyncWebClient]]:
    async def client_for(_: str) -> AsyncWebClient:
        return client

    return client_for


@pytest.fixture
async def world(sqlite_store: Store, slack: SlackStub, clock: FakeClock) -> AsyncIterator[World]:
    await sqlite_store.sync_register(Register("test", (FirmRow("tencent", "Tencent", "腾讯", "騰訊"),), (), (), (CAC,)))
    await sqlite_store.sync_catalogue((CAC,), (SOURCE,))
    slack.tokens["xoxb-other"] = "T2"
    tokens = {"T1": TOKEN, "T2": "xoxb-other"}
    async with aiohttp.ClientSession() as session:

        async def client_for(workspace: str) -> Any:
            return make_client(tokens[workspace], slack.url, session=session)

        yield World(sqlite_store, slack, clock, Deliverer(sqlite_store, client_for, now=clock, wait=clock.wait))


async def test_an_alert_is_one_card_that_cannot_unfurl_and_names_its_delivery(world: World) -> None:
    await world.follow("C1")
    assert (await world.act()).owed == 1
    assert await world.run() == DeliverSummary(claimed=1, sent=1)
    (card,) = world.slack.posts("C1")
    assert card.text
    assert "RW-1001" in card.shown
    assert "Tencent" in card.shown
    assert (card.arguments["unfurl_links"], card.arguments["unfurl_media"]) == (False, False)
    assert card.metadata is not None
    assert card.metadata["event_type"] == "regwatch_delivery"
    assert card.metadata["event_payload"]["key"] == "alert:RW-1001"
    assert set(card.metadata["event_payload"]) == {"delivery_id", "key", "part"}
    assert (await world.run()).claimed == 0


async def test_a_development_edits_the_card_and_replies_in_its_thread(world: World) -> None:
    await world.follow("C1")
    await world.act()
    await world.run()
    (card,) = world.slack.posts("C1")
    before = card.shown
    await world.act("n2", stated=11)
    assert (await world.run()).sent == 1
    assert card.edits == 1
    assert card.shown != before
    (reply,) = world.slack.thread("C1", card.ts)
    assert not reply.is_broadcast
    assert reply.metadata is not None
    assert reply.metadata["event_payload"]["key"] == "update:RW-1001:2"
    assert world.slack.posts("C1") == [card]


async def test_a_deleted_card_is_replaced_by_a_new_one_that_later_developments_use(world: World) -> None:
    await world.follow("C1")
    await world.act()
    await world.run()
    world.slack.channels["C1"].messages.clear()
    await world.act("n2", stated=11)
    await world.run()
    (card,) = world.slack.posts("C1")
    await world.act("n3", kind=Kind.FINE)
    await world.run()
    assert len(world.slack.thread("C1", card.ts)) == 1
    assert card.edits == 1


@pytest.mark.parametrize("error", ["edit_window_closed", "cant_update_message"])
async def test_a_card_that_cannot_be_edited_is_replaced(world: World, error: str) -> None:
    await world.follow("C1")
    await world.act()
    await world.run()
    world.slack.fail("chat.update", fake.refused(error))
    await world.act("n2", stated=11)
    assert (await world.run()).sent == 1
    assert len(world.slack.posts("C1")) == 2


async def test_a_new_card_whose_reply_was_lost_is_found_in_the_channel(world: World) -> None:
    await world.follow("C1")
    await world.act()
    await world.run()
    world.slack.channels["C1"].messages.clear()
    await world.act("n2", stated=11)
    world.slack.fail("chat.postMessage", fake.lost_after())
    assert (await world.run()).retried == 1
    # neither a search nor an edit that fails on the way makes it forget the doubt
    world.slack.fail("chat.update", fake.rate_limited(5))
    assert (await world.run(minutes=1)).retried == 1
    assert (await world.run(minutes=1)).sent == 1
    assert len(world.slack.posts("C1")) == 1


async def test_an_escalation_is_shown_in_the_channel_too(world: World) -> None:
    await world.follow("C1")
    await world.act()
    await world.run()
    await world.act("n2", kind=Kind.FINE)
    await world.run()
    card, reply = world.slack.posts("C1")
    assert reply.thread_ts == card.ts
    assert reply.is_broadcast
    assert "fine" in card.shown.lower()


async def test_429_pauses_its_workspace_alone_and_for_as_long_as_slack_says(world: World) -> None:
    await world.follow("C1", "C2")
    await world.follow("C3", workspace="T2")
    await world.act()
    world.slack.fail("chat.postMessage", fake.rate_limited(60), channel="C1")
    summary = await world.run()
    assert summary.retried >= 1
    assert len(world.slack.posts("C3")) == 1
    sent = len(world.slack.posts("C2"))
    calls = world.slack.count("chat.postMessage")
    await world.act("n2", number="2021-2")
    await world.run(seconds=30)
    assert len(world.slack.posts("C3")) == 2
    assert [
        call for call in world.slack.calls[calls:] if call.arguments.get("channel") in ("C1", "C2") and call.method.startswith("chat")
    ] == []
    assert len(world.slack.posts("C2")) == sent
    for _ in range(4):
        await world.run(seconds=31)
    assert [len(world.slack.posts(channel)) for channel in ("C1", "C2", "C3")] == [2, 2, 2]


async def test_a_channel_that_is_gone_is_paused_and_the_others_get_their_alert(world: World) -> None:
    await world.follow("C1", "C2")
    world.slack.channels["C1"].is_archived = True
    await world.act()
    assert await world.run() == DeliverSummary(claimed=2, sent=1, dead=1)
    view = await world.store.channel(ChannelKey("T1", "C1"))
    assert view is not None
    assert view.paused_reason == "is_archived"
    await world.act("n2", number="2021-2")
    calls = world.slack.count("chat.postMessage")
    await world.run()
    assert world.slack.count("chat.postMessage") == calls + 1


async def test_a_post_whose_reply_was_lost_is_found_again_and_not_repeated(world: World) -> None:
    await world.follow("C1")
    await world.act()
    world.slack.fail("chat.postMessage", fake.lost_after())
    assert (await world.run()).retried == 1
    assert (await world.run(minutes=1)).sent == 1
    (card,) = world.slack.posts("C1")
    # and it is known as the card: a development goes into its thread
    await world.act("n2", stated=11)
    await world.run()
    assert len(world.slack.thread("C1", card.ts)) == 1


@pytest.mark.parametrize(
    "fault", [fake.lost_before(), fake.unavailable(503), fake.refused("fatal_error")], ids=["reply lost", "503 in HTML", "fatal_error"]
)
async def test_a_post_that_did_not_arrive_is_sent_once_more(world: World, fault: fake.Fault) -> None:
    await world.follow("C1")
    await world.act()
    world.slack.fail("chat.postMessage", fault)
    assert (await world.run()).retried == 1
    assert world.slack.posts("C1") == []
    assert (await world.run(minutes=1)).sent == 1
    assert len(world.slack.posts("C1")) == 1
    assert world.slack.count("conversations.history") == 1


async def test_a_busy_slack_is_asked_again_without_a_search(world: World) -> None:
    await world.follow("C1")
    await world.act()
    world.slack.fail("chat.postMessage", fake.refused("service_unavailable"))
    await world.run()
    assert (await world.run(minutes=1)).sent == 1
    assert world.slack.count("conversations.history") == 0


async def test_without_the_right_to_read_history_it_is_posted_again_and_the_log_says_so(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.slack.scopes -= {"channels:history", "groups:history", "im:history"}
    await world.follow("C1")
    await world.act()
    world.slack.fail("chat.postMessage", fake.lost_after())
    await world.run()
    assert (await world.run(minutes=1)).sent == 1
    assert len(world.slack.posts("C1")) == 2
    assert "may be posted twice" in caplog.text


async def test_a_doubt_survives_a_search_that_fails(world: World) -> None:
    await world.follow("C1")
    await world.act()
    world.slack.fail("chat.postMessage", fake.lost_after())
    world.slack.fail("conversations.history", fake.rate_limited(30))
    await world.run()
    assert (await world.run(minutes=1)).retried == 1
    assert (await world.run(minutes=1)).sent == 1
    assert len(world.slack.posts("C1")) == 1


async def test_a_doubt_survives_the_pause_of_its_workspace(world: World) -> None:
    await world.follow("C1", "C2")
    await world.act()
    world.slack.fail("chat.postMessage", fake.lost_after(), channel="C1")
    world.slack.fail("chat.postMessage", fake.rate_limited(600), channel="C2")
    await world.run()
    assert (await world.run(minutes=1)).claimed == 0
    await world.run(minutes=11)
    assert [len(world.slack.posts(channel)) for channel in ("C1", "C2")] == [1, 1]


async def test_a_reply_that_was_lost_is_found_in_its_thread(world: World) -> None:
    await world.follow("C1")
    await world.act()
    await world.run()
    (card,) = world.slack.posts("C1")
    await world.act("n2", stated=11)
    world.slack.fail("chat.postMessage", fake.lost_after())
    await world.run()
    assert (await world.run(minutes=1)).sent == 1
    assert len(world.slack.thread("C1", card.ts)) == 1
    assert world.slack.posts("C1") == [card]


async def test_an_edit_whose_reply_was_lost_is_repeated_without_harm(world: World) -> None:
    await world.follow("C1")
    await world.act()
    await world.run()
    (card,) = world.slack.posts("C1")
    await world.act("n2", stated=11)
    world.slack.fail("chat.update", fake.lost_after())
    await world.run()
    assert (await world.run(minutes=1)).sent == 1
    assert card.edits == 2
    assert len(world.slack.thread("C1", card.ts)) == 1


async def test_a_process_that_died_between_post_and_settlement_posts_nothing_twice(world: World) -> None:
    await world.follow("C1")
    await world.act()
    world.clock.forward(seconds=2)
    (due,) = await world.store.claim(5, timedelta(minutes=2))
    payload = {"delivery_id": str(due.id), "key": due.key, "part": 0}
    async with aiohttp.ClientSession() as session:
        client = make_client(TOKEN, world.slack.url, session=session)
        await client.chat_postMessage(channel="C1", text="RW-1001", metadata={"event_type": "regwatch_delivery", "event_payload": payload})
    assert (await world.run()).claimed == 0
    assert (await world.run(minutes=3)).sent == 1
    assert len(world.slack.posts("C1")) == 1


async def test_a_late_holder_of_a_lease_settles_nothing(world: World) -> None:
    await world.follow("C1")
    await world.act()
    arrived, until = asyncio.Event(), asyncio.Event()
    world.slack.fail("chat.postMessage", fake.held(arrived, until))
    async with asyncio.TaskGroup() as group:
        run = group.create_task(world.run())
        await arrived.wait()
        world.clock.forward(minutes=5)
        (due,) = await world.store.claim(5, timedelta(minutes=2))
        until.set()
    assert due.is_unsure
    assert run.result() == DeliverSummary(claimed=1, late=1)
    assert (await world.run(minutes=5)).sent == 1
    assert len(world.slack.posts("C1")) == 1


async def test_a_try_ends_within_half_its_lease_and_leaves_a_doubt(world: World, slack: SlackStub) -> None:
    await world.follow("C1")
    await world.act()
    arrived, until = asyncio.Event(), asyncio.Event()
    slack.fail("chat.postMessage", fake.held(arrived, until))
    async with aiohttp.ClientSession() as session:
        client = make_client(TOKEN, slack.url, session=session)
        hasty = Deliverer(world.store, _always(client), now=world.clock, lease=timedelta(seconds=0.4))
        assert await hasty.run_once() == DeliverSummary(claimed=1, retried=1)
        until.set()
    assert (await world.run(minutes=1)).sent == 1
    assert len(slack.posts("C1")) == 1


async def test_a_slack_that_cannot_be_reached_leaves_no_doubt(world: World, slack: SlackStub) -> None:
    await world.follow("C1")
    await world.act()
    async with SlackStub() as closed:
        url = closed.url
    async with aiohttp.ClientSession() as session:
        client = make_client(TOKEN, url, session=session)
        assert await Deliverer(world.store, _always(client), now=world.clock).run_once() == DeliverSummary(claimed=1, retried=1)
    assert (await world.run(minutes=1)).sent == 1
    assert slack.count("conversations.history") == 0


async def test_a_lost_post_is_found_behind_what_people_said_since(world: World) -> None:
    await world.follow("C1")
    await world.act()
    world.slack.fail("chat.postMessage", fake.lost_after())
    await world.run()
    for number in range(450):
        world.slack.say("C1", f"message {number} about RW-1001")
    assert (await world.run(minutes=1)).sent == 1
    assert len([message for message in world.slack.posts("C1") if message.metadata]) == 1
    assert world.slack.count("conversations.history") == 3


@pytest.mark.parametrize("error", ["invalid_blocks", "msg_blocks_too_long", "msg_too_long"])
async def test_blocks_that_slack_refuses_are_left_out_once(world: World, error: str, caplog: pytest.LogCaptureFixture) -> None:
    await world.follow("C1")
    await world.act()
    world.slack.fail("chat.postMessage", fake.refused(error))
    assert (await world.run()).sent == 1
    (card,) = world.slack.posts("C1")
    assert card.blocks == []
    assert "RW-1001" in card.text
    assert card.metadata
    assert error in caplog.text


async def test_metadata_that_slack_refuses_is_left_out(world: World) -> None:
    await world.follow("C1")
    await world.act()
    world.slack.fail("chat.postMessage", fake.refused("metadata_too_large"))
    assert (await world.run()).sent == 1
    (card,) = world.slack.posts("C1")
    assert card.metadata is None
    assert card.blocks


async def test_a_revoked_token_pauses_the_workspace_and_loses_nothing(world: World) -> None:
    await world.follow("C1", "C2")
    await world.follow("C3", workspace="T2")
    await world.act()
    del world.slack.tokens[TOKEN]
    summary = await world.run()
    assert (summary.sent, summary.dead) == (1, 0)
    calls = world.slack.count("chat.postMessage")
    await world.run(minutes=5)
    assert world.slack.count("chat.postMessage") == calls
    world.slack.tokens[TOKEN] = "T1"
    for _ in range(3):
        await world.run(minutes=20)
    assert [len(world.slack.posts(channel)) for channel in ("C1", "C2", "C3")] == [1, 1, 1]


async def test_a_workspace_without_a_token_waits(world: World) -> None:
    await world.follow("C9", workspace="T9")
    await world.act()
    assert await world.run() == DeliverSummary(claimed=1, retried=1)
    assert world.slack.count("chat.postMessage") == 0


async def test_a_digest_is_one_root_with_its_details_in_the_thread(world: World) -> None:
    await world.follow("C1", deliver=Deliver.DIGEST)
    await world.act()
    assert world.slack.posts("C1") == []
    summary = await world.run(days=3, hours=12)
    assert (summary.digests_owed, summary.sent) == (1, 1)
    (root,) = world.slack.posts("C1")
    assert root.text
    assert "RW-1001" in root.shown + "".join(message.shown for message in world.slack.thread("C1", root.ts))
    assert (await world.run(minutes=5)).claimed == 0


@pytest.mark.parametrize("fault", [fake.lost_after(), fake.lost_before(), fake.rate_limited(20)], ids=["reply lost", "post lost", "429"])
@pytest.mark.parametrize("posted", [1, 2], ids=["after its root", "in its thread"])
async def test_a_digest_that_broke_off_goes_on_where_it_ended(world: World, fault: fake.Fault, posted: int) -> None:
    await world.follow("C1", deliver=Deliver.DIGEST)
    await world.publish(*(world.entry(f"n{number}", f"2021-{number}") for number in range(12)))
    world.slack.fail("chat.postMessage", fake.fine(), times=posted)
    world.slack.fail("chat.postMessage", fault)
    assert (await world.run(days=3, hours=12)).retried == 1
    assert (await world.run(minutes=1)).sent == 1
    (root,) = world.slack.posts("C1")
    parts = [message.metadata["event_payload"]["part"] for message in world.slack.thread("C1", root.ts) if message.metadata]
    assert len(parts) > 1
    assert parts == list(range(1, len(parts) + 1))


class _Forgetful(Store):
    """A Store that cannot write down how far a digest has come, once."""

    fails_at = 0

    async def next_part(self, delivery_id: int, token: int, lease: timedelta, *, ts: str, parts: int) -> datetime | None:
        if parts == self.fails_at:
            self.fails_at = -1
            raise StorageError("the database is locked")
        return await super().next_part(delivery_id, token, lease, ts=ts, parts=parts)


@pytest.mark.parametrize("fails_at", [0, 1], ids=["its root stands", "a part of its thread stands"])
async def test_a_digest_whose_progress_could_not_be_written_down_is_looked_for(world: World, tmp_path: Path, fails_at: int) -> None:
    await world.follow("C1", deliver=Deliver.DIGEST)
    await world.publish(*(world.entry(f"n{number}", f"2021-{number}") for number in range(12)))
    async with aiohttp.ClientSession() as session:
        store = _Forgetful(f"sqlite:///{tmp_path / 'regwatch.sqlite'}", now=world.clock)
        store.fails_at = fails_at
        client = make_client(TOKEN, world.slack.url, session=session)
        world.clock.forward(days=3, hours=12)
        assert (await Deliverer(store, _always(client), now=world.clock, wait=world.clock.wait).run_once()).retried == 1
        await store.close()
    assert (await world.run(minutes=1)).sent == 1
    (root,) = world.slack.posts("C1")
    parts = [message.metadata["event_payload"]["part"] for message in world.slack.thread("C1", root.ts) if message.metadata]
    assert parts == list(range(1, len(parts) + 1))
    assert len(parts) > 1


async def test_a_digest_whose_thread_is_locked_is_sent_without_details(world: World, caplog: pytest.LogCaptureFixture) -> None:
    await world.follow("C1", deliver=Deliver.DIGEST)
    await world.act()
    world.slack.fail("chat.postMessage", fake.fine())
    world.slack.always("chat.postMessage", fake.refused("restricted_action_thread_locked"))
    assert (await world.run(days=3, hours=12)).sent == 1
    assert len(world.slack.posts("C1")) == 1
    assert "lacks part=1" in caplog.text


async def test_a_digest_whose_thread_cannot_be_read_lacks_no_detail(world: World) -> None:
    await world.follow("C1", deliver=Deliver.DIGEST)
    await world.act()
    world.slack.fail("chat.postMessage", fake.fine())
    world.slack.fail("chat.postMessage", fake.lost_after())
    world.slack.always("conversations.replies", fake.refused("missing_scope"))
    await world.run(days=3, hours=12)
    assert (await world.run(minutes=1)).sent == 1
    (root,) = world.slack.posts("C1")
    assert len(world.slack.thread("C1", root.ts)) == 2  # the one whose reply was lost, once more


async def test_a_notice_goes_to_the_operators_once(sqlite_store: Store, world: World, clock: FakeClock, tmp_path: Path) -> None:
    world.slack.add_channel("COPS", "ops")
    store = Store(f"sqlite:///{tmp_path / 'regwatch.sqlite'}", now=clock, operations=ChannelKey("T1", "COPS", "ops"))
    facts = {"source": SOURCE.id, "health": "blocked", "detail": "HTTP 403", "since": clock().isoformat()}
    assert await store.owe_notice("notice:cn-cac-test:blocked:1", facts)
    assert not await store.owe_notice("notice:cn-cac-test:blocked:1", facts)
    await store.close()
    assert (await world.run()).sent == 1
    (notice,) = world.slack.posts("COPS")
    assert SOURCE.id in notice.shown


async def test_the_development_of_a_case_known_from_a_digest_alone_gets_its_card(world: World) -> None:
    await world.follow("C1", deliver=Deliver.DIGEST)
    await world.act()
    await world.run(days=3, hours=12)
    world.slack.channels["C1"].messages.clear()
    await world.follow("C1", deliver=Deliver.BOTH)
    await world.act("n2", stated=11)
    await world.run()
    (card,) = world.slack.posts("C1")
    assert "RW-1001" in card.shown


async def test_a_card_that_cannot_be_drawn_is_logged_retried_and_given_up_without_hurting_others(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await world.follow("C1", "C2")
    await world.act()
    with contextlib.closing(sqlite3.connect(tmp_path / "regwatch.sqlite")) as connection, connection:
        connection.execute("update channel set time_zone = 'Nowhere/Land' where slack_id = 'C1'")
    assert await world.run() == DeliverSummary(claimed=2, sent=1, retried=1)
    assert "Traceback" in caplog.text
    summaries = [await world.run(minutes=20) for _ in range(BUG_ATTEMPTS)]
    assert sum(summary.dead for summary in summaries) == 1
    assert world.slack.posts("C1") == []
    # nor do digests that cannot be reckoned hold up the alerts
    await world.act("n2", number="2021-2")
    assert (await world.run(hours=6)).sent >= 1
    assert "digests cannot be owed" in caplog.text


async def test_one_line_in_the_log_for_each_delivery_and_no_token(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "regwatch")
    await world.follow("C1", "C2")
    await world.act()
    await world.run()
    lines = [record.getMessage() for record in caplog.records if record.getMessage().startswith("delivery id=")]
    assert len(lines) == 2
    assert all("did=sent" in line and "key=alert:RW-1001" in line for line in lines)
    assert TOKEN not in caplog.text


async def test_twenty_five_channels_are_served_at_the_pace_of_their_workspace(world: World) -> None:
    channels = [f"C{number}" for number in range(100, 125)]
    await world.follow(*channels)
    await world.act()
    assert [(await world.run()).sent for _ in range(6)] == [5, 5, 5, 5, 5, 0]  # the workspace's pace
    assert all(len(world.slack.posts(channel)) == 1 for channel in channels)
