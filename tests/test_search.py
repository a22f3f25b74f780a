"""Questions: actions by filter, one action, why, sources, coverage, counts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import select

from storage import Store
from storage.filters import Filter, Term
from storage.intents import ChannelKey, FollowIntent
from storage.loading import facts, load_actions, matching, newest
from storage.models import ActionDocument, DeliveryKind, DeliveryState, Followed, Health, Kind, Mention, Mode, Role, Status, Strength, Tier
from storage.tenancy import Change, Delivery
from storage.views import ActionQuery
from tests.builders import NOON, add_action, add_source, fill
from tests.fakes.clock import FakeClock

LEGAL = ChannelKey("T1", "C1", "legal")
TODAY = NOON.date()


def day(text: str) -> date:
    return date.fromisoformat(text)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


async def ids_of(store: Store, firm_id: str | None = None, filter: str = "", **page: int) -> list[int]:
    return [action.id for action in (await store.actions(ActionQuery(firm_id, Filter.parse(filter), **page))).actions]


# --- which actions, in which order ---------------------------------------------------------------------------------


async def test_the_newest_by_their_own_date_come_first_whenever_they_were_seen(store: Store) -> None:
    await fill(store)
    old = await add_action(store, ("tencent", Role.TARGET), decided=day("2021-01-05"), seen=NOON)
    decided = await add_action(store, ("tencent", Role.TARGET), decided=day("2021-03-12"), seen=NOON - timedelta(days=9))
    published = await add_action(store, ("tencent", Role.TARGET), published=at("2021-03-10T09:00"), seen=NOON)
    undated = await add_action(store, ("tencent", Role.TARGET), seen=NOON)
    same_day = await add_action(store, ("tencent", Role.TARGET), decided=day("2021-03-12"))
    assert await ids_of(store, "tencent") == [undated, same_day, decided, published, old]


async def test_pages_follow_one_another_and_the_total_counts_all(store: Store) -> None:
    await fill(store)
    ids = [await add_action(store, ("tencent", Role.TARGET), decided=day("2021-03-01") + timedelta(days=n)) for n in range(7)]
    first = await store.actions(ActionQuery("tencent", limit=5))
    assert [action.id for action in first.actions] == ids[:1:-1]
    assert first.total == 7
    assert await ids_of(store, "tencent", limit=5, offset=5) == ids[1::-1]


async def test_a_firm_is_asked_for_alone_and_nothing_means_all(store: Store) -> None:
    await fill(store)
    mine = await add_action(store, ("tencent", Role.TARGET))
    other = await add_action(store, ("alibaba", Role.TARGET), (None, Role.TARGET))
    assert await ids_of(store, "tencent") == [mine]
    assert await ids_of(store) == [other, mine]
    assert await ids_of(store, "nobody") == []


async def test_targets_and_groups_are_counted_apart(store: Store) -> None:
    await fill(store)
    await add_action(store, ("ant-group", Role.TARGET), ("alibaba", Role.GROUP))
    await add_action(store, ("alibaba", Role.TARGET))
    await add_action(store, ("alibaba", Role.MENTIONED), ("tencent", Role.TARGET))
    page = await store.actions(ActionQuery("alibaba", Filter.parse("role:target,group")))
    assert (page.total, page.targets, page.groups) == (2, 1, 1)
    assert (await store.actions(ActionQuery("alibaba"))).total == 3


async def test_a_brand_finds_the_acts_that_hit_it_and_its_owner_finds_them_too(store: Store) -> None:
    await fill(store)
    hit = await add_action(store, ("bytedance", Role.TARGET, "tiktok"))
    await add_action(store, ("bytedance", Role.TARGET))
    assert await ids_of(store, "tiktok", "role:target") == [hit]
    assert (await store.actions(ActionQuery("bytedance"))).targets == 2
    shown = (await store.actions(ActionQuery("tiktok"))).actions[0].firms[0]
    assert (shown.firm_id, shown.brand_id, shown.via) == ("bytedance", "tiktok", "tiktok, brand of bytedance")


async def test_an_empty_span_gives_the_newest_older_action_marked_so(store: Store) -> None:
    await fill(store)
    await add_action(store, ("tencent", Role.TARGET), decided=day("2019-05-01"))
    newer = await add_action(store, ("tencent", Role.TARGET), decided=day("2020-05-01"))
    await add_action(store, ("tencent", Role.TARGET), kind=Kind.TALKS, decided=day("2020-12-01"))
    page = await store.actions(ActionQuery("tencent", Filter.parse("kind:fine since:90d")))
    assert ([action.id for action in page.actions], page.is_older, page.total, page.targets) == ([newer], True, 0, 0)


async def test_an_empty_span_with_nothing_older_is_empty(store: Store) -> None:
    await fill(store)
    page = await store.actions(ActionQuery("tencent", Filter.parse("since:90d")))
    assert (page.actions, page.is_older, page.total) == ((), False, 0)


async def test_a_page_past_the_end_is_empty_and_not_older(store: Store) -> None:
    await fill(store)
    await add_action(store, ("tencent", Role.TARGET), decided=TODAY)
    page = await store.actions(ActionQuery("tencent", Filter.parse("since:90d"), offset=5))
    assert (page.actions, page.is_older, page.total) == ((), False, 1)


# --- one meaning of a filter ---------------------------------------------------------------------------------------


FILTERS = [
    "kind:fine", "kind:fine,talks", "-kind:fine", "kind:talks -kind:fine", "status:final", "-status:final,proposed",
    "severity:>=fine", "severity:fine", "severity:<talks", "severity:>ban", "-severity:>=lawsuit", "severity:>=merger_decision",
    "regulator:cn-samr", "regulator:cn-cac,us-sec", "-regulator:cn-cac", "country:CN", "country:GB,US", "-country:CN",
    "role:target", "role:target,group", "-role:mentioned", "role:venue",
    "currency:USD", "-currency:USD", "min:USD1000000", "min:USD5000000", "min:CNY1", "-min:USD5000000", "min:USD1000000,CNY9000000",
    "since:90d", "since:2021", "since:2021-03", "since:2021-03-12", "-since:2021-03", "since:2099", "since:0d",
    "until:2020", "until:2021-03-11", "until:2021-03", "until:30d", "-until:2020", "until:2099", "since:2021-03-10 until:2021-03-12",
    "lang:zh", "lang:zh-Hant", "lang:en", "-lang:zh", "limit:3", "kind:fine country:CN role:target since:2021 -lang:de",
]  # fmt: skip


async def many_actions(store: Store) -> None:
    """Actions that differ in everything that a filter looks at."""
    await fill(store)
    await add_action(
        store, ("tencent", Role.TARGET), kind=Kind.FINE, decided=day("2021-03-12"), amounts=[("CNY", 500_000)], languages=["zh-Hans", "en"]
    )
    await add_action(
        store,
        ("tencent", Role.GROUP),
        ("alibaba", Role.TARGET),
        kind=Kind.TALKS,
        regulators=["cn-cac", "cn-samr"],
        published=at("2021-03-11T23:30"),
    )
    await add_action(
        store, ("tencent", Role.MENTIONED), (None, Role.TARGET), kind=Kind.SPEECH, regulators=["gb-fca"], seen=at("2021-03-12T00:10")
    )
    await add_action(
        store,
        ("bytedance", Role.TARGET, "tiktok"),
        kind=Kind.SETTLEMENT,
        status=Status.FINAL,
        regulators=["us-sec"],
        decided=day("2020-12-31"),
        amounts=[("USD", 5_000_000), ("USD", 92_000)],
    )
    await add_action(
        store,
        ("bytedance", Role.TARGET),
        ("tencent", Role.VENUE),
        kind=Kind.FINE,
        regulators=["us-sec"],
        decided=day("2021-02-17"),
        amounts=[("USD", 900_000)],
        languages=["zh-Hant"],
    )
    await add_action(
        store, ("bytedance", Role.TARGET), kind=Kind.BAN, decided=day("2021-04-30"), amounts=[(None, 10), ("USD", 20)], languages=["de"]
    )
    await add_action(store, kind=Kind.MERGER_DECISION, status=Status.PROPOSED, published=at("2019-01-01T00:00"), languages=["zh"])
    await add_action(store, ("tencent", Role.TARGET), (None, Role.MENTIONED), decided=TODAY, amounts=[("EUR", 3)])  # fmt: skip


@pytest.mark.parametrize("firm_id", [None, "tencent", "bytedance", "tiktok"])
async def test_sql_and_the_filter_agree_on_every_filter(store: Store, firm_id: str | None) -> None:
    await many_actions(store)
    async with store._read() as session:
        everything = await load_actions(session, await newest(session, matching(None, Filter(), TODAY), None))
        mine = [one for one in everything.values() if firm_id is None or any(firm_id in (row.firm_id, row.brand_id) for row in one.firms)]
        wrong = {}
        for text in FILTERS:
            asked = Filter.parse(text)
            expected = {one.id for one in mine if asked.passes(facts(one, firm_id, TODAY), TODAY)}
            found = set(await newest(session, matching(firm_id, asked, TODAY), None))
            if found != expected:
                wrong[text] = (found, expected)
    assert wrong == {}
    assert len(mine) >= 1


async def test_an_unknown_key_is_a_bug_and_not_a_pass() -> None:
    with pytest.raises(ValueError, match="no filter key 'colour'"):
        matching(None, Filter((Term("colour", ("red",)),)), TODAY)


@pytest.mark.parametrize("text", [*FILTERS, 'regulator:"a b",c -kind:fine'])
def test_a_stored_filter_comes_back(text: str) -> None:
    assert str(Filter.parse(text)) == text


@pytest.mark.parametrize("text", ["kind", "colour:red", "kind:", "kind:fine,", "nonsense kind:fine"])
def test_what_is_no_filter_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no filter"):
        Filter.parse(text)


# --- the view of an action -----------------------------------------------------------------------------------------


async def test_an_action_is_shown_with_all_that_a_card_needs(store: Store) -> None:
    await fill(store)
    await add_source(store, "press", None, tier=Tier.SECONDARY, name="The Daily Ledger")
    action_id = await add_action(
        store,
        ("alibaba", Role.MENTIONED),
        (None, Role.TARGET),
        ("tencent", Role.TARGET),
        regulators=["cn-samr", "cn-cac"],
        decided=day("2021-03-12"),
        amounts=[("CNY", 500_000)],
        source_id="press",
    )
    view = (await store.actions(ActionQuery())).actions[0]
    assert view.ref == f"RW-{action_id}"
    assert [regulator.id for regulator in view.regulators] == ["cn-samr", "cn-cac"]
    assert [(firm.name, firm.name_zh_hant, firm.role) for firm in view.firms] == [
        ("Unknown 1", "", Role.TARGET),
        ("Tencent", "騰訊", Role.TARGET),
        ("Alibaba", "阿里巴巴", Role.MENTIONED),
    ]
    assert (str(view.decided_on), view.amounts[0].currency, int(view.amounts[0].minimum)) == ("2021-03-12", "CNY", 500_000)
    assert [document.publisher for document in view.documents] == ["The Daily Ledger"]
    assert view.quote is not None
    assert view.quote.text == "imposed a fine"


async def test_the_regulators_own_document_comes_before_the_press_and_gives_the_quote(store: Store) -> None:
    await fill(store)
    await add_source(store, "press", None, tier=Tier.SECONDARY, name="The Daily Ledger")
    reported = await add_action(store, published=at("2021-03-18T00:00"), source_id="press")
    noticed = await add_action(store, published=at("2021-03-19T00:00"))
    async with store._write() as session:
        notice = (await session.exec(select(ActionDocument).where(ActionDocument.action_id == noticed))).one()
        session.add(ActionDocument(action_id=reported, document_id=notice.document_id, reason="firms", joined_at=NOON))
    detail = await store.action(reported)
    assert detail is not None
    assert [document.tier for document in detail.action.documents] == [Tier.PRIMARY, Tier.SECONDARY]


async def test_one_action_with_its_case_its_changes_and_its_evidence(store: Store) -> None:
    await fill(store)
    probe = await add_action(store, ("tencent", Role.TARGET), kind=Kind.INVESTIGATION, decided=day("2020-12-24"))
    first = await store.action(probe)
    assert first is not None
    fine = await add_action(
        store, ("tencent", Role.TARGET), decided=day("2021-03-12"), case_id=first.action.case_id, case_reason="cites it"
    )
    appeal = await add_action(store, kind=Kind.APPEAL, decided=day("2021-03-15"), case_id=first.action.case_id)
    async with store._write() as session:
        session.add(Change(subject=f"action:{fine}", made_by="regwatch", made_at=NOON, what="amount", before="1", after="2", version=2))
    detail = await store.action(fine)
    assert detail is not None
    assert [action.id for action in detail.case] == [probe, appeal]
    assert [(change.what, change.before, change.after, change.version) for change in detail.changes] == [("amount", "1", "2", 2)]
    assert [evidence.field for evidence in detail.evidence] == ["kind"]
    assert detail.coverage.total == 4
    assert await store.action(999_999) is None


async def test_an_act_that_is_dated_ahead_counts_as_todays(store: Store) -> None:
    await fill(store)
    ahead = await add_action(store, ("tencent", Role.TARGET), decided=TODAY + timedelta(days=40))
    assert await ids_of(store, "tencent", "until:0d") == [ahead]


# --- why -----------------------------------------------------------------------------------------------------------


async def why_lines(store: Store, action_id: int, slack_id: str | None = "C1") -> list[tuple[str, bool | None, str]]:
    found = await store.why(action_id, "T1", slack_id)
    assert found is not None
    return [(line.subject, line.is_passed, line.text) for line in found.lines]


async def test_why_tells_names_roles_ownership_filters_merges_and_deliveries(store: Store) -> None:
    await fill(store)
    action_id = await add_action(
        store, ("bytedance", Role.TARGET, "tiktok"), decided=day("2021-03-12"), case_reason="a citation", title="Notice 7"
    )
    mine = await store.follow(FollowIntent(LEGAL, "U1", Followed.FIRM, "bytedance", filter=Filter.parse("kind:fine")))
    other = await store.follow(FollowIntent(LEGAL, "U1", Followed.FIRM, "tencent"))
    hers = await store.follow(FollowIntent(LEGAL, "U1", Followed.REGULATOR, regulator_id="gb-fca"))
    strict = await store.follow(FollowIntent(LEGAL, "U1", Followed.ALL, filter=Filter.parse("kind:ban")))
    async with store._write() as session:
        document_id = (await session.exec(select(ActionDocument.document_id).where(ActionDocument.action_id == action_id))).one()
        session.add(
            Mention(
                document_id=document_id, firm_id="bytedance", name="ByteDance", surface="TikTok", start=4, end=10,
                role=Role.TARGET, strength=Strength.STRONG, rule="cue-before",
            )
        )  # fmt: skip
        delivery = {"channel_id": mine.channel.id, "action_id": action_id, "payload": {}, "next_attempt_at": NOON, "owed_at": NOON}
        session.add(
            Delivery(**delivery, key=f"alert:RW-{action_id}", kind=DeliveryKind.ALERT, state=DeliveryState.SENT, sent_at=NOON, attempts=1)
        )
        session.add(
            Delivery(**delivery, key=f"update:RW-{action_id}:2", kind=DeliveryKind.UPDATE, state=DeliveryState.WAIVED, reason="muted")
        )
    assert await why_lines(store, action_id) == [
        ("name", None, f"'TikTok' at 4 of document {document_id}: ByteDance, strong name, rule cue-before"),
        ("role", None, "ByteDance is target, read from 'tiktok'"),
        ("ownership", None, "ByteDance through tiktok, brand of bytedance"),
        ("merge", None, "State Administration for Market Regulation, 'Notice 7': opened it"),
        ("case", None, "joined its case: a citation"),
        ("subscription", True, f"#{mine.subscription.id} ByteDance: matches, delivers both"),
        ("filter", True, f"#{mine.subscription.id} kind: kind is fine, asked for fine"),
        ("filter", True, f"#{mine.subscription.id} role: role is target, asked for target or group"),
        ("subscription", False, f"#{other.subscription.id} Tencent: not named in it"),
        ("subscription", False, f"#{hers.subscription.id} Financial Conduct Authority: another regulator's"),
        ("subscription", False, f"#{strict.subscription.id} all: filtered out"),
        ("filter", False, f"#{strict.subscription.id} kind: kind is fine, asked for ban"),
        ("filter", True, f"#{strict.subscription.id} role: role is target, asked for target or group"),
        ("delivery", True, f"alert:RW-{action_id} sent, 2021-03-19 04:00 UTC"),
        ("delivery", False, f"update:RW-{action_id}:2 waived (muted), owed 2021-03-19 04:00 UTC"),
    ]


async def test_why_in_a_channel_that_was_owed_nothing(store: Store) -> None:
    await fill(store)
    action_id = await add_action(store, ("tencent", Role.TARGET))
    followed = await store.follow(FollowIntent(LEGAL, "U1", Followed.FIRM, "tencent"))
    assert (await why_lines(store, action_id))[-1] == ("delivery", False, f"nothing of RW-{action_id} was ever owed to this channel")
    await store.unfollow(LEGAL, "U1", subscription_id=followed.subscription.id)
    assert ("subscription", False, "this channel follows nothing") in await why_lines(store, action_id)


async def test_why_without_a_channel_tells_how_it_was_read(store: Store) -> None:
    await fill(store)
    action_id = await add_action(store, (None, Role.TARGET))
    assert [subject for subject, _, _ in await why_lines(store, action_id, None)] == ["role", "merge"]
    assert (await why_lines(store, action_id, "C9"))[-1] == ("subscription", False, "this channel follows nothing")
    assert await store.why(999_999, "T1", "C1") is None


# --- what was read -------------------------------------------------------------------------------------------------


async def test_coverage_counts_the_polled_sources_and_names_what_is_wrong(store: Store) -> None:
    await fill(store)
    hour = timedelta(hours=1)
    await add_source(store, "blocked", "us-sec", health=Health.BLOCKED, health_since=NOON - hour)
    await add_source(store, "stale", "gb-fca", last_ok_at=NOON - 2.1 * hour)
    await add_source(store, "new", "cn-cac", last_polled_at=None, last_ok_at=None, health_since=None)
    await add_source(store, "off", "cn-cac", mode=Mode.OFF)
    await add_source(store, "disabled", "cn-cac", is_enabled=False)
    await add_source(store, "press", None, name="The Daily Ledger", health=Health.EMPTY, health_since=NOON)
    found = await store.coverage()
    assert (found.total, found.fresh) == (8, 4)
    assert {(one.source_id, one.regulator, one.health, one.since, one.detail) for one in found.problems} == {
        ("blocked", "SEC", Health.BLOCKED, NOON - hour, ""),
        ("stale", "Financial Conduct Authority", Health.LATE, NOON - 2.1 * hour, "its next read is overdue by more than its interval"),
        ("new", "CAC", Health.OK, None, "not polled yet"),
        ("press", "The Daily Ledger", Health.EMPTY, NOON, ""),
    }


LEFT_IN = [
    ("regulator:us-sec", 1),
    ("country:CN", 2),
    ("-country:CN", 2),
    ("country:CN -regulator:cn-cac", 1),
    ("kind:fine", 4),
    ("country:FR", 0),
]


@pytest.mark.parametrize(("text", "total"), LEFT_IN)
async def test_coverage_looks_at_the_sources_that_the_filter_leaves_in(text: str, total: int, sqlite_store: Store) -> None:
    await fill(sqlite_store)
    assert (await sqlite_store.coverage(Filter.parse(text))).total == total
    assert (await sqlite_store.actions(ActionQuery(filter=Filter.parse(text)))).coverage.total == total


async def test_a_source_goes_stale_after_twice_its_interval(sqlite_store: Store, clock: FakeClock) -> None:
    await fill(sqlite_store)
    clock.forward(hours=2)
    assert (await sqlite_store.coverage()).fresh == 4
    clock.forward(seconds=1)
    assert (await sqlite_store.coverage()).fresh == 0


async def test_a_wait_that_was_planned_is_no_staleness(sqlite_store: Store, clock: FakeClock) -> None:
    await fill(sqlite_store)
    await add_source(sqlite_store, "slow-at-night", "us-sec", next_poll_at=NOON + timedelta(hours=3))
    clock.forward(hours=4)
    assert (await sqlite_store.coverage()).fresh == 1
    clock.forward(seconds=1)
    assert (await sqlite_store.coverage()).fresh == 0


async def test_the_list_of_sources(store: Store) -> None:
    await fill(store)
    await add_source(store, "press", None, name="The Daily Ledger", health=Health.BLOCKED)
    await add_action(store, languages=["en", "zh"])
    found = {source.id: source for source in await store.sources()}
    assert list(found) == ["cn-cac-news", "cn-samr-news", "gb-fca-news", "press", "us-sec-news"]
    assert (found["cn-samr-news"].documents, found["cn-samr-news"].is_fresh, found["cn-samr-news"].jurisdiction) == (2, True, "CN")
    assert (found["press"].regulator, found["press"].is_fresh, found["press"].documents) == ("The Daily Ledger", False, 0)
    assert [source.id for source in await store.sources("gb-fca")] == ["gb-fca-news"]


async def test_counts(store: Store) -> None:
    await fill(store)
    await add_action(store, languages=["en", "zh"])
    await store.follow(FollowIntent(LEGAL, "U07", Followed.ALL))
    await store.pause_channel(LEGAL, "is_archived")  # its owner is told
    counts = await store.counts()
    expected = {
        "documents": 2,
        "actions": 1,
        "cases": 1,
        "firms": 6,
        "sources": 4,
        "regulators": 4,
        "channels": 1,
        "subscriptions": 1,
        "polls": 0,
    }
    assert {name: counts[name] for name in expected} == expected
    assert {name for name in counts if name.startswith("deliveries_")} == {f"deliveries_{state}" for state in DeliveryState}
