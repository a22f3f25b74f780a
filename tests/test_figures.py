"""Answers in figures: money that can be trusted, time lines, exports; and the day of an action, which the database keeps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import col, delete, select, update

from storage import Store
from storage.figures import _steps
from storage.filters import Filter
from storage.intents import ChannelKey, DigestSetting, FollowIntent
from storage.models import (
    Action,
    ActionDocument,
    ActionFirm,
    ActionRegulator,
    Amount,
    AmountKind,
    AmountScope,
    DeliveryKind,
    DeliveryState,
    Followed,
    Kind,
    Role,
    Status,
)
from storage.tenancy import Change, Correction, Delivery, Mute, Review, Verdict
from storage.views import ActionQuery, ExportRow, SumView, TotalsRow
from tests.builders import NOON, add_action, fill
from tests.fakes.clock import FakeClock

LEGAL = ChannelKey("T1", "C1", "legal")
TODAY = NOON.date()
TENCENT = ("tencent", Role.TARGET)
EACH, WHOLE = AmountScope.EACH, AmountScope.WHOLE
PROPOSED, IMPOSED, FINAL, REDUCED = AmountKind.PROPOSED, AmountKind.IMPOSED, AmountKind.FINAL, AmountKind.REDUCED


async def pay(
    store: Store,
    action_id: int,
    minimum: Decimal | str | int,
    maximum: Decimal | str | int | None = None,
    currency: str | None = "CNY",
    kind: AmountKind = IMPOSED,
    scope: AmountScope = WHOLE,
) -> None:
    """A sum of money in an action."""
    async with store._write() as session:
        document_id = (await session.exec(select(ActionDocument.document_id).where(ActionDocument.action_id == action_id))).first()
        session.add(
            Amount(
                action_id=action_id,
                document_id=document_id,
                surface=f"{currency} {minimum}",
                minimum=Decimal(minimum),
                maximum=Decimal(minimum if maximum is None else maximum),
                currency=currency,
                kind=kind,
                scope=scope,
            )
        )


async def change(store: Store, action_id: int, **values: object) -> None:
    """Write some columns of an action."""
    async with store._write() as session:
        await session.exec(update(Action).where(col(Action.id) == action_id).values(**values))


async def whole(store: Store, firm_id: str | None = "tencent", filter: str = "") -> TotalsRow:
    """All of it, as every grouping must say it too."""
    found = [(await store.totals(firm_id, by, Filter.parse(filter))).whole for by in ("", "year", "kind", "regulator")]
    assert found == [found[0]] * 4
    return found[0]


def one(sums: Sequence[SumView]) -> tuple[str | None, AmountKind, Decimal, Decimal, int, int]:
    """The only sum, as a tuple."""
    (found,) = sums
    return found.currency, found.kind, found.minimum, found.maximum, found.actions, found.shared


# --- money ---------------------------------------------------------------------------------------------------------


async def test_a_range_adds_its_ends(store: Store) -> None:
    await fill(store)
    await pay(store, await add_action(store, TENCENT), "100.50", 300)
    await pay(store, await add_action(store, TENCENT), 1000)
    assert one((await whole(store)).sums) == ("CNY", IMPOSED, Decimal("1100.50"), Decimal("1300.00"), 2, 0)


async def test_a_stage_is_never_added_to_another_nor_a_currency(store: Store) -> None:
    await fill(store)
    proposed = await add_action(store, TENCENT, kind=Kind.PROPOSED_PENALTY)
    await pay(store, proposed, 900, kind=PROPOSED)
    fined = await add_action(store, TENCENT)
    for kind, sum_ in ((IMPOSED, 700), (REDUCED, 500), (FINAL, 600)):
        await pay(store, fined, sum_, kind=kind)
    await pay(store, fined, 5, currency="USD")
    await pay(store, fined, 7, currency=None)
    found = [(sum_.currency, sum_.kind, int(sum_.maximum)) for sum_ in (await whole(store)).sums]
    assert found == [
        ("CNY", PROPOSED, 900), ("CNY", IMPOSED, 700), ("CNY", FINAL, 600), ("CNY", REDUCED, 500), ("USD", IMPOSED, 5), (None, IMPOSED, 7),
    ]  # fmt: skip


async def test_deals_and_turnover_are_no_penalties_and_fines_without_a_sum_are_told(store: Store) -> None:
    await fill(store)
    for sum_ in (100, 200, 300):
        await pay(store, await add_action(store, TENCENT), sum_)
    await add_action(store, TENCENT)
    deal = await add_action(store, TENCENT)
    await pay(store, deal, 34_000_000_000, currency="USD", kind=AmountKind.DEAL_VALUE)
    await pay(store, deal, 5_000, kind=AmountKind.TURNOVER)
    talks = await add_action(store, TENCENT, kind=Kind.TALKS)
    await pay(store, talks, 8)
    found = await whole(store)
    assert (found.actions, found.penalties, found.with_sum, found.without_sum) == (6, 5, 3, 2)
    assert one(found.sums) == ("CNY", IMPOSED, Decimal(600), Decimal(600), 3, 0)


async def test_a_sum_for_each_counts_once_for_the_firm_and_for_each_of_the_list_where_none_is_asked_about(store: Store) -> None:
    await fill(store)
    fined = await add_action(store, TENCENT, ("alibaba", Role.TARGET), ("bytedance", Role.MENTIONED))
    await pay(store, fined, 500_000, scope=EACH)
    assert one((await whole(store)).sums) == ("CNY", IMPOSED, Decimal(500_000), Decimal(500_000), 1, 0)
    assert one((await whole(store, None)).sums) == ("CNY", IMPOSED, Decimal(1_000_000), Decimal(1_000_000), 1, 0)
    await change(store, fined, stated_count=12)
    assert one((await whole(store, None)).sums)[3] == Decimal(6_000_000)
    assert one((await whole(store)).sums)[3] == Decimal(500_000)


async def test_a_sum_for_the_whole_list_counts_whole_and_is_told_to_be_shared(store: Store) -> None:
    await fill(store)
    joint = await add_action(store, TENCENT, ("alibaba", Role.TARGET))
    await pay(store, joint, 1_000_000)
    stated = await add_action(store, TENCENT)
    await change(store, stated, stated_count=3)
    await pay(store, stated, 10)
    alone = await add_action(store, TENCENT, ("alibaba", Role.MENTIONED))
    await pay(store, alone, 7)
    assert one((await whole(store)).sums) == ("CNY", IMPOSED, Decimal(1_000_017), Decimal(1_000_017), 3, 2)
    assert one((await whole(store, None)).sums)[5] == 0


async def test_a_whole_that_only_adds_up_its_parts_is_not_counted_again(store: Store) -> None:
    await fill(store)
    fined = await add_action(store, TENCENT)
    await change(store, fined, stated_count=12)
    await pay(store, fined, "0.10", "0.35", scope=EACH)
    await pay(store, fined, "1.20", "4.20", scope=WHOLE)
    assert one((await whole(store)).sums) == ("CNY", IMPOSED, Decimal("0.10"), Decimal("0.35"), 1, 0)
    assert one((await whole(store, None)).sums) == ("CNY", IMPOSED, Decimal("1.20"), Decimal("4.20"), 1, 0)
    await pay(store, fined, "5.00", scope=WHOLE)
    assert one((await whole(store)).sums)[2:4] == (Decimal("5.10"), Decimal("5.35"))


CENTS = ["0.10", "0.20", "0.29", "1.15", "8.41", "1234567.89", "9999999999.99", "70000000000.07", "0.01"]


async def test_cents_and_great_sums_are_exact(store: Store) -> None:
    """A float knows neither 0.10 nor the sum of a hundred times 10**15 in cents."""
    await fill(store)
    fined = await add_action(store, TENCENT)
    for text in CENTS:
        await pay(store, fined, text, currency="EUR")
    assert one((await whole(store)).sums)[2] == sum(Decimal(text) for text in CENTS)
    for _ in range(100):
        await pay(store, fined, 10**15, currency="IDR")
    huge = (await whole(store)).sums[1]
    assert (huge.minimum, huge.maximum, huge.actions) == (Decimal(10**17), Decimal(10**17), 1)


async def test_a_list_that_was_misread_as_endless_breaks_no_total(store: Store) -> None:
    await fill(store)
    fined = await add_action(store, TENCENT)
    await change(store, fined, stated_count=2_000_000_000)
    await pay(store, fined, 9_000_000_000, scope=EACH)
    assert one((await whole(store, None)).sums)[3] == Decimal(18) * 10**18


async def test_two_regulators_jointly_count_once_each_and_once_in_all(store: Store) -> None:
    await fill(store)
    await pay(store, await add_action(store, TENCENT, regulators=["cn-samr", "cn-cac"]), 100)
    await pay(store, await add_action(store, TENCENT, regulators=["cn-samr"]), 10)
    found = await store.totals("tencent", "regulator")
    assert [(row.label, row.actions, int(row.sums[0].maximum)) for row in found.rows] == [
        ("State Administration for Market Regulation", 2, 110),
        ("Cyberspace Administration of China", 1, 100),
    ]
    assert (found.whole.actions, found.whole.penalties, int(found.whole.sums[0].maximum)) == (2, 2, 110)
    assert found.coverage.total == 4


async def test_years_come_newest_first_and_an_act_that_is_dated_ahead_is_this_years(store: Store) -> None:
    await fill(store)
    await pay(store, await add_action(store, TENCENT, decided=date(2019, 12, 31)), 1)
    await pay(store, await add_action(store, TENCENT, decided=date(2020, 1, 1)), 2)
    await pay(store, await add_action(store, TENCENT, decided=date(2022, 1, 1)), 4)
    found = await store.totals("tencent", "year")
    assert [(row.label, int(row.sums[0].maximum)) for row in found.rows] == [("2021", 4), ("2020", 2), ("2019", 1)]
    assert int((await store.totals("tencent", "", Filter.parse("since:2020 until:2020"))).whole.sums[0].maximum) == 2


async def test_kinds_come_largest_first_and_nothing_is_a_row_of_zeros(store: Store) -> None:
    await fill(store)
    await add_action(store, TENCENT, kind=Kind.TALKS)
    await add_action(store, TENCENT, kind=Kind.SETTLEMENT)
    await add_action(store, TENCENT, kind=Kind.TALKS)
    found = await store.totals("tencent", "kind")
    assert [(row.label, row.actions, row.penalties, row.sums) for row in found.rows] == [("talks", 2, 0, ()), ("settlement", 1, 1, ())]
    assert (found.by, (await store.totals("tencent")).rows) == ("kind", ())
    assert await whole(store, "alibaba") == TotalsRow("", 0, 0, 0, ())


async def test_a_brand_has_totals_of_its_own_and_its_owner_has_them_too(store: Store) -> None:
    await fill(store)
    await pay(store, await add_action(store, ("bytedance", Role.TARGET, "tiktok")), 5)
    await pay(store, await add_action(store, ("bytedance", Role.TARGET), ("bytedance", Role.TARGET, "tiktok")), 3)
    await pay(store, await add_action(store, ("bytedance", Role.MENTIONED)), 100)
    assert one((await whole(store, "tiktok", "role:target")).sums)[3:] == (Decimal(8), 2, 0)
    assert one((await whole(store, "bytedance", "role:target")).sums)[3:] == (Decimal(8), 2, 0)
    assert one((await whole(store, "bytedance", "role:target,group -role:mentioned")).sums)[4] == 2


async def test_an_action_whose_regulator_is_not_known_is_in_a_group_without_a_name(store: Store) -> None:
    await fill(store)
    action_id = await add_action(store, TENCENT)
    async with store._write() as session:
        await session.exec(delete(ActionRegulator).where(col(ActionRegulator.action_id) == action_id))
    assert [row.label for row in (await store.totals("tencent", "regulator")).rows] == [""]


# --- the day of an action ------------------------------------------------------------------------------------------


async def test_a_firms_index_follows_the_day_of_its_action_whoever_changes_it(store: Store) -> None:
    await fill(store)
    moved = await add_action(store, TENCENT, published=datetime(2021, 3, 11, 23, 30, tzinfo=UTC))

    async def days() -> set[date | None]:
        async with store._read() as session:
            own = (await session.exec(select(Action.acted_on).where(Action.id == moved))).one()
            copied = (await session.exec(select(ActionFirm.acted_on).where(ActionFirm.action_id == moved))).one()
        return {own, copied}

    assert await days() == {date(2021, 3, 11)}
    for values, expected in (
        ({"decided_on": date(2020, 5, 1)}, date(2020, 5, 1)),
        ({"decided_on": None}, date(2021, 3, 11)),
        ({"published_at": datetime(2021, 3, 12, 0, 30, tzinfo=UTC)}, date(2021, 3, 12)),
        ({"published_at": None}, TODAY),
        ({"title": "another"}, TODAY),
    ):
        await change(store, moved, **values)
        assert await days() == {expected}, values
    assert (await store.actions(ActionQuery("tencent", Filter.parse("since:0d")))).total == 1


# --- time ----------------------------------------------------------------------------------------------------------


def month(year: int, month: int) -> int:
    return year * 12 + month - 1


@pytest.mark.parametrize(
    ("first", "unit", "steps", "start"),
    [
        ((2021, 3), "month", 1, date(2021, 3, 1)),
        ((2017, 12), "month", 40, date(2017, 12, 1)),
        ((2017, 11), "quarter", 14, date(2017, 10, 1)),
        ((2011, 4), "quarter", 40, date(2011, 4, 1)),
        ((2011, 3), "year", 11, date(2011, 1, 1)),
        ((1900, 1), "year", 122, date(1900, 1, 1)),
    ],
    ids=lambda value: str(value),
)
def test_the_finest_unit_that_needs_no_more_than_forty_steps(first: tuple[int, int], unit: str, steps: int, start: date) -> None:
    found = _steps({month(*first): 2, month(2021, 3): 1}, date(2021, 3, 19))
    assert (found[0], len(found[1]), found[1][0][0]) == (unit, steps, start)


@given(st.dictionaries(st.integers(month(1980, 1), month(2021, 3)), st.integers(1, 9), min_size=1))
def test_steps_are_equal_lose_nothing_and_end_today(months: dict[int, int]) -> None:
    unit, steps = _steps(months, date(2021, 3, 19))
    length = {"month": 1, "quarter": 3, "year": 12}[unit]
    ordinals = [month(start.year, start.month) for start, _ in steps]
    assert {later - earlier for earlier, later in pairwise(ordinals)} <= {length}
    assert ordinals[0] <= min(months) < ordinals[0] + length
    assert ordinals[-1] <= month(2021, 3) < ordinals[-1] + length
    assert sum(count for _, count in steps) == sum(months.values())
    assert len(steps) <= 40 or unit == "year"


async def test_a_time_line_shows_empty_steps_and_the_newest_points_first(store: Store) -> None:
    await fill(store)
    probe = await add_action(store, TENCENT, kind=Kind.INVESTIGATION, decided=date(2020, 12, 24))
    fine = await add_action(store, TENCENT, status=Status.FINAL, published=datetime(2021, 2, 28, 23, 59, tzinfo=UTC))
    ahead = await add_action(store, TENCENT, decided=date(2021, 7, 1))
    await add_action(store, ("alibaba", Role.TARGET))
    found = await store.timeline("tencent")
    assert (found.unit, found.total, found.coverage.total) == ("month", 3, 4)
    assert found.steps == ((date(2020, 12, 1), 1), (date(2021, 1, 1), 0), (date(2021, 2, 1), 1), (date(2021, 3, 1), 1))
    assert [(point.action_id, point.on) for point in found.points] == [
        (ahead, TODAY),
        (fine, date(2021, 2, 28)),
        (probe, date(2020, 12, 24)),
    ]
    assert (found.points[1].kind, found.points[1].status, found.points[1].ref) == (Kind.FINE, Status.FINAL, f"RW-{fine}")
    assert (await store.timeline(None)).total == 4
    assert [point.action_id for point in (await store.timeline("tencent", Filter.parse("kind:investigation"))).points] == [probe]


async def test_a_time_line_of_nothing_has_no_steps(store: Store) -> None:
    await fill(store)
    found = await store.timeline("tencent")
    assert (found.unit, found.steps, found.points, found.total) == ("month", (), (), 0)


# --- exports -------------------------------------------------------------------------------------------------------


async def test_a_firm_is_exported_in_any_role_oldest_first(store: Store) -> None:
    await fill(store)
    new = await add_action(store, ("tencent", Role.MENTIONED), ("alibaba", Role.TARGET), (None, Role.TARGET), decided=date(2021, 3, 12))
    old = await add_action(
        store, TENCENT, regulators=["cn-samr", "cn-cac"], decided=date(2020, 1, 2), amounts=[("CNY", 5), ("USD", 6)], title="Notice 7"
    )
    await add_action(store, ("bytedance", Role.TARGET, "tiktok"), decided=date(2020, 1, 1))
    first, second = await store.export_firm("tencent")
    assert first == ExportRow(
        at=NOON, what="action", by="", ref=f"RW-{old}", kind="fine", status="in_force",
        regulators="State Administration for Market Regulation; Cyberspace Administration of China", firms="Tencent", amounts="5; 6",
        decided_on="2020-01-02", title="Notice 7", url=f"https://example.org/{old}/en", detail="target",
    )  # fmt: skip
    assert (second.ref, second.firms, second.detail) == (f"RW-{new}", "Alibaba; Unknown 2", "mentioned")
    assert [row.ref for row in await store.export_firm("tencent", since=date(2020, 1, 3))] == [f"RW-{new}"]
    assert [row.detail for row in await store.export_firm("tiktok")] == ["target via tiktok, brand of bytedance"]
    assert await store.export_firm("nobody") == ()


async def test_a_channel_is_exported_with_all_that_happened_in_it(store: Store, clock: FakeClock) -> None:
    await fill(store)
    action_id = await add_action(store, TENCENT, decided=date(2021, 3, 12))
    followed = await store.follow(FollowIntent(LEGAL, "U1", Followed.FIRM, "tencent"))
    clock.forward(minutes=1)
    await store.set_digest(LEGAL, DigestSetting(at="09:15"), "U2")
    channel_id, ref = followed.channel.id, f"RW-{action_id}"

    def later(minutes: int) -> datetime:
        return NOON + timedelta(minutes=minutes)

    owed = {"channel_id": channel_id, "payload": {}, "next_attempt_at": NOON}
    refused = {"state": DeliveryState.DEAD, "reason": "is_archived"}
    said = {"channel_id": channel_id, "action_id": action_id}
    async with store._write() as session:
        session.add(
            Delivery(
                **owed, action_id=action_id, key=f"alert:{ref}", kind=DeliveryKind.ALERT, state=DeliveryState.SENT, owed_at=later(2),
                sent_at=later(3),
            )
        )  # fmt: skip
        session.add(
            Delivery(
                **owed, action_id=action_id, key=f"update:{ref}:2", kind=DeliveryKind.UPDATE, state=DeliveryState.WAIVED, reason="muted",
                owed_at=later(4),
            )
        )  # fmt: skip
        session.add(Delivery(**owed, key="digest:2021-03-19", kind=DeliveryKind.DIGEST, **refused, owed_at=later(5)))
        session.add(Review(**said, version=2, made_by="U3", made_at=later(6)))
        session.add(
            Correction(
                **said, workspace_id="T1", verdict=Verdict.WRONG_FIRM, firm_id="tencent", folded="tencent", reason="a namesake",
                made_by="U3", made_at=later(7), withdrawn_by="U4", withdrawn_at=later(9),
            )
        )  # fmt: skip
        session.add(Mute(channel_id=channel_id, key="firm:tencent", until=later(60), made_by="U3", made_at=later(8)))
        # its audit row says the same once more; one of a mute that is over stays
        audit = {"workspace_id": "T1", "subject": f"channel:{channel_id}", "made_by": "U3"}
        session.add(Change(**audit, made_at=later(7), what="wrong_firm", after="tencent"))
        session.add(Change(**audit, made_at=later(10), what="muted", after="channel until 2021-03-20 04:00 UTC"))
        session.add(Change(workspace_id="T1", subject=f"channel:{channel_id + 1}", made_by="U9", made_at=NOON, what="digest", after="off"))
    rows = await store.export_channel(LEGAL)
    assert [(row.what, row.by, row.ref, row.detail) for row in rows] == [
        ("subscribed", "U1", "", "firm:tencent role:target,group broadcast:escalation deliver:both"),
        ("digest", "U1", "", "off -> 08:30 UTC weekdays empty:send"),
        ("digest", "U2", "", "08:30 UTC weekdays empty:send -> 09:15 UTC weekdays empty:send"),
        ("alert", "regwatch", ref, "sent"),
        ("update", "regwatch", ref, "waived (muted)"),
        ("digest", "regwatch", "", "2021-03-19 dead (is_archived)"),
        ("reviewed", "U3", ref, "version 2"),
        ("wrong_firm", "U3", ref, "Tencent; a namesake"),
        ("muted", "U3", "", "firm:tencent until 2021-03-19 05:00 UTC"),
        ("withdrawn", "U4", ref, "wrong_firm"),
        ("muted", "U3", "", "channel until 2021-03-20 04:00 UTC"),
    ]
    assert (rows[3].kind, rows[3].firms, rows[3].decided_on, rows[3].at) == ("fine", "Tencent", "2021-03-12", later(3))
    assert len(await store.export_channel(LEGAL, since=TODAY)) == len(rows)
    assert await store.export_channel(LEGAL, since=TODAY + timedelta(days=1)) == ()
    assert await store.export_channel(ChannelKey("T2", "C1")) == ()
