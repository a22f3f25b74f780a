"""No workspace sees or changes anything of another one: every public method of the Store is tried across.

Whatever the other workspace said, is called or was posted to it holds the word `theirs`; so whatever leaks shows it. A new
public method must be put into one of the two tables below.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from storage import Store
from storage.filters import Filter
from storage.intents import (
    ChannelKey,
    ChannelSetting,
    CorrectionIntent,
    Dead,
    DigestSetting,
    FollowIntent,
    Installed,
    MuteIntent,
    Sent,
)
from storage.models import Broadcast, Deliver, DeliveryKind, DeliveryState, Followed, Kind
from storage.tenancy import Card, Change, Channel, Correction, Delivery, Mute, Review, Subscription, Verdict, WhoMayChange, Workspace
from tests.fakes.clock import FakeClock
from tests.fakes.polls import NOON, act, entry, furnish, poll

OURS, THEIRS = ChannelKey("T1", "C1", "ours"), ChannelKey("T2", "C1", "theirs")
ONLY_THEIRS = ChannelKey("T2", "C2", "theirs too")
LEASE = timedelta(minutes=2)
SOON, LATER = NOON + timedelta(days=1), NOON + timedelta(days=30)


@dataclass(frozen=True)
class Known:
    """Ids of the other workspace's rows, as somebody may guess them."""

    subscriptions: tuple[int, ...]
    corrections: tuple[int, ...]


@dataclass(frozen=True)
class World:
    """Two workspaces with channels of the same Slack id, that follow the same firm and were told of the same action."""

    store: Store
    known: Known


@pytest.fixture
async def world(store: Store, clock: FakeClock) -> World:
    await furnish(store)
    await store.install(Installed("T1", "Ours", "U1"))
    await store.install(Installed("T2", "theirs", "U-theirs"))
    for key, by in ((OURS, "U1"), (THEIRS, "U-theirs"), (ONLY_THEIRS, "U-theirs")):
        await store.follow(FollowIntent(key, by, Followed.FIRM, "tencent"))
        await store.set_digest(key, DigestSetting(is_on=key is OURS), by)
    await poll(store, "cac-news", entry("A decision", act(Kind.FINE, "tencent", number="A-1")))
    await poll(store, "cac-news", entry("Another", act(Kind.FINE, "tencent", number="B-1")))
    for _ in range(3):
        for due in await store.claim(9, LEASE):
            if due.channel.workspace_id == "T2":
                assert await store.settle(due.id, due.token, Sent(f"theirs.{due.id}"))
            elif due.key == "alert:RW-1001":
                assert await store.settle(due.id, due.token, Sent("1.1"))
        clock.forward(seconds=1)
    edited = FollowIntent(THEIRS, "U-theirs", Followed.FIRM, "tencent", filter=Filter.parse("kind:ban"), deliver=Deliver.NOW)
    await store.follow(edited)
    await store.follow(FollowIntent(THEIRS, "U-theirs", Followed.FIRM, "xiaomi", broadcast=Broadcast.ALL))
    await store.set_channel(THEIRS, ChannelSetting(language="zh-Hans", quiet=("22:00", "07:00")), "U-theirs")
    await store.mute(MuteIntent(THEIRS, "U-theirs", LATER))
    await store.mute(MuteIntent(THEIRS, "U-theirs", LATER, firm_id="tencent"))
    said = []
    for verdict, fields in (
        (Verdict.NOT_RELEVANT, {}),
        (Verdict.WRONG_FIRM, {"firm_id": "tencent"}),
        (Verdict.DUPLICATE, {"of_action_id": 1002}),
    ):
        intent = CorrectionIntent(THEIRS, "U-theirs", 1001, verdict, reason="theirs", **fields)
        said.append((await store.correct(intent)).correction.id)
    await store.review(THEIRS, 1001, "U-theirs")
    rules = [rule.id for key in (THEIRS, ONLY_THEIRS) for rule in await store.subscriptions(key)]
    return World(store, Known(tuple(rules), tuple(said)))


async def theirs(store: Store) -> dict[str, Any]:
    """All rows of the other workspace."""
    async with store._read() as session:
        mine = select(Channel.id).where(Channel.workspace_id == "T2")
        found: dict[str, Any] = {}
        for table in (Subscription, Delivery, Card, Mute, Review):
            rows = select(table).where(col(table.channel_id).in_(mine)).order_by(col(table.id))
            found[table.__name__] = [row.model_dump() for row in await session.exec(rows)]
        for owned in (Channel, Correction, Change):
            rows = select(owned).where(owned.workspace_id == "T2").order_by(col(owned.id))
            found[owned.__name__] = [row.model_dump() for row in await session.exec(rows)]
        found["Workspace"] = [row.model_dump() for row in await session.exec(select(Workspace).where(Workspace.id == "T2"))]
    return found


type_of_crossing = Callable[[Store, ChannelKey, Known], Awaitable[Any]]

READS: dict[str, type_of_crossing] = {
    "channel": lambda store, key, _: store.channel(key),
    "subscriptions": lambda store, key, _: store.subscriptions(key),
    "mutes": lambda store, key, _: store.mutes(key),
    "changes": lambda store, key, _: store.changes(key, 99),
    "card": lambda store, key, _: store.card(key, 1001),
    "why": lambda store, key, _: store.why(1001, key.workspace_id, key.slack_id),
    "places": lambda store, key, _: store.places(key.workspace_id),
    "workspace": lambda store, key, _: store.workspace(key.workspace_id),
}
"""What only looks. Asked with the other workspace's own key, each shows the word."""


async def _preview(store: Store, key: ChannelKey, _: Known) -> Any:
    return await store.preview_digest(key)


async def _unfollow(store: Store, key: ChannelKey, known: Known) -> Any:
    gone = [await store.unfollow(key, "U1", subscription_id=number) for number in known.subscriptions]
    assert gone == [()] * len(gone)
    return await store.unfollow(key, "U1", everything=True)


async def _mute(store: Store, key: ChannelKey, _: Known) -> Any:
    made = [await store.mute(MuteIntent(key, "U1", SOON, **what)) for what in ({}, {"firm_id": "tencent"}, {"action_id": 1001})]
    return made + [await store.mute(MuteIntent(key, "U1", None, **what)) for what in ({}, {"firm_id": "tencent"}, {"action_id": 1001})]


async def _correct(store: Store, key: ChannelKey, _: Known) -> Any:
    """The same verdicts are new here; and what is a duplicate there may be the original here."""
    intents = [
        CorrectionIntent(key, "U1", 1001, Verdict.NOT_RELEVANT),
        CorrectionIntent(key, "U1", 1001, Verdict.WRONG_FIRM, firm_id="tencent"),
        CorrectionIntent(key, "U1", 1002, Verdict.DUPLICATE, of_action_id=1001),
    ]
    results = [await store.correct(intent) for intent in intents]
    assert all(result.is_new for result in results)
    return results


async def _withdraw(store: Store, key: ChannelKey, known: Known) -> Any:
    results = [await store.withdraw(key, number, "U1") for number in known.corrections]
    assert results == [None] * len(results)
    return results


async def _move(store: Store, key: ChannelKey, _: Known) -> Any:
    """To the id of a channel of theirs; then a channel that only they have."""
    return [await store.move_channel(key, "C2"), await store.move_channel(ChannelKey("T1", "C9"), "C1")]


async def _claim(store: Store, key: ChannelKey, _: Known) -> Any:
    """All that is due; theirs was posted."""
    store._now.forward(minutes=5)  # type: ignore[attr-defined]
    due = await store.claim(9, LEASE)
    assert {one.channel.workspace_id for one in due} == {"T1"}
    return due


async def _settle(store: Store, key: ChannelKey, known: Known) -> Any:
    """A post of the case that they have a card of; and a channel of ours that is gone."""
    (due,) = await _claim(store, key, known)
    assert await store.settle(due.id, due.token, Sent("2.2", card_ts="2.2"))
    await poll_ours(store)
    (due,) = await _claim(store, key, known)
    return await store.settle(due.id, due.token, Dead("is_archived", is_channel_gone=True))


async def _next_part(store: Store, key: ChannelKey, known: Known) -> Any:
    (due,) = await _claim(store, key, known)
    return await store.next_part(due.id, due.token, LEASE, ts="2.2", parts=1)


async def poll_ours(store: Store) -> None:
    """Let one act be found that our workspace alone follows."""
    await store.follow(FollowIntent(OURS, "U1", Followed.FIRM, "alibaba"))
    await poll(store, "cac-news", entry("Ours", act(Kind.FINE, "alibaba", number="C-1")))


async def _owe_digests(store: Store, key: ChannelKey, known: Known) -> Any:
    store._now.forward(days=4)  # type: ignore[attr-defined]
    assert await store.owe_digests() == 1
    due = list(await _claim(store, key, known))
    while not any(one.kind is DeliveryKind.DIGEST for one in due):
        due += await _claim(store, key, known)
    return due


CROSSED: dict[str, type_of_crossing] = {
    **READS,
    "preview_digest": _preview,
    "kept_for_digest": lambda store, key, _: store.kept_for_digest(key),
    "export_channel": lambda store, key, _: store.export_channel(key),
    "follow": lambda store, key, _: store.follow(FollowIntent(key, "U1", Followed.FIRM, "tencent", broadcast=Broadcast.NEVER)),
    "unfollow": _unfollow,
    "set_digest": lambda store, key, _: store.set_digest(key, DigestSetting(is_on=True, at="09:00", zone="Asia/Tokyo"), "U1"),
    "set_channel": lambda store, key, _: store.set_channel(
        key, ChannelSetting("Asia/Tokyo", "zh-Hant", ("", ""), Broadcast.NEVER, WhoMayChange.ADMINS), "U1"
    ),
    "mute": _mute,
    "pause_channel": lambda store, key, _: store.pause_channel(key, "channel_archive"),
    "resume_channel": lambda store, key, _: store.resume_channel(key),
    "rename_channel": lambda store, key, _: store.rename_channel(ChannelKey(key.workspace_id, key.slack_id, "renamed")),
    "move_channel": _move,
    "correct": _correct,
    "withdraw": _withdraw,
    "review": lambda store, key, _: store.review(key, 1001, "U1"),
    "install": lambda store, key, _: store.install(Installed(key.workspace_id, "Ours again", "U2")),
    "uninstall": lambda store, key, _: store.uninstall(key.workspace_id),
    "claim": _claim,
    "settle": _settle,
    "limited_since": lambda store, key, _: store.limited_since(key.workspace_id, store._now()),
    "next_part": _next_part,
    "owe_digests": _owe_digests,
}
"""What is asked with a workspace, a channel, or the number of a row that one has; and what gives such rows back."""

BELONGS_TO_NOBODY = {
    # documents, actions, firms, sources: the same for everybody
    *("action", "actions", "coverage", "export_firm", "search", "texts", "timeline", "totals"),
    *("add_firm", "firm", "import_list", "lists", "register", "remove_list", "resolve", "resolve_regulator", "sync_register"),
    *("arm", "due_sources", "hold", "import_sources", "known", "record_poll", "release", "source_rows", "sources"),
    *("begin_reread", "carry_on_reread", "end_reread", "late_texts", "names_read_with", "reread_progress", "settle_reread", "texts_after"),
    *("case", "join_cases", "part_case"),  # the operators' word on actions; what channels show of it is counted alone
    *("documents_naming", "look_again", "register_version", "reread", "sync_catalogue", "wanted_bodies", "window"),
    # the operators' and the processes' own
    *("close", "counts", "end_lease", "is_first", "lease", "migrate", "owe_notice", "revision", "workspaces"),
    "engine",  # the door of Slack's SDK, whose tables know their workspaces
}


def test_every_public_method_is_tried_across_or_belongs_to_nobody() -> None:
    public = {name for name in dir(Store) if not name.startswith("_")}
    assert not CROSSED.keys() & BELONGS_TO_NOBODY
    assert public == CROSSED.keys() | BELONGS_TO_NOBODY


def test_whatever_takes_something_of_a_workspace_is_tried_across() -> None:
    words = ("ChannelKey", "FollowIntent", "MuteIntent", "CorrectionIntent", "Installed")
    names = ("workspace_id", "channel", "subscription_id", "correction_id", "delivery_id", "slack_id")
    for name in BELONGS_TO_NOBODY:
        method = getattr(Store, name)
        for parameter in inspect.signature(method).parameters.values() if callable(method) else ():
            assert parameter.name not in names, name
            assert not any(word in str(parameter.annotation) for word in words), name


@pytest.mark.parametrize("name", CROSSED)
async def test_nothing_of_another_workspace_is_seen_or_changed(name: str, world: World) -> None:
    before = await theirs(world.store)
    result = await CROSSED[name](world.store, OURS, world.known)
    assert "theirs" not in repr(result)
    assert await theirs(world.store) == before


@pytest.mark.parametrize("name", sorted(CROSSED.keys() - {"claim", "settle", "next_part", "owe_digests", "install", "uninstall"}))
async def test_a_channel_that_only_they_have_is_unknown_here(name: str, world: World) -> None:
    before = await theirs(world.store)
    result = await CROSSED[name](world.store, ChannelKey("T1", "C2"), world.known)
    assert "theirs" not in repr(result)
    assert await theirs(world.store) == before


@pytest.mark.parametrize("name", sorted(READS))
async def test_the_word_shows_where_they_look_themselves(name: str, world: World) -> None:
    """Else the tests above would notice nothing."""
    assert "theirs" in repr(await READS[name](world.store, THEIRS, world.known))


async def test_they_have_rows_of_every_kind(world: World) -> None:
    assert all((await theirs(world.store)).values())


async def test_what_one_workspace_says_silences_nothing_in_another(world: World) -> None:
    """Theirs is muted, not relevant, a duplicate and the wrong firm."""
    await poll(world.store, "cac-news", entry("Its appeal", act(Kind.APPEAL, "tencent", number="A-1")))
    async with world.store._read() as session:
        rows = select(Channel.workspace_id, Channel.slack_id, Delivery.state, Delivery.reason).join(
            Channel, col(Channel.id) == Delivery.channel_id
        )
        told = (await session.exec(rows.where(Delivery.action_id == 1003).order_by(Channel.workspace_id, Channel.slack_id))).all()
    assert told == [
        ("T1", "C1", DeliveryState.OWED, ""),
        ("T2", "C1", DeliveryState.WAIVED, "not relevant"),
        ("T2", "C2", DeliveryState.WAIVED, "not relevant"),
    ]
