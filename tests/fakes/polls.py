"""A small world of regulators, firms and sources, and polls of it as the poller would record them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlmodel import select

from storage import Store
from storage.models import (
    AmountKind,
    AmountScope,
    Broadcast,
    Deliver,
    Firm,
    FirmKind,
    Followed,
    Health,
    Kind,
    Precision,
    Role,
    Status,
    Tier,
)
from storage.records import (
    EntryRecord,
    Extraction,
    FoundAction,
    FoundAmount,
    FoundEvidence,
    FoundFirm,
    FoundRegulator,
    PartialDate,
    PollOutcome,
    PollRecord,
    RegulatorRow,
    SourceRow,
)
from storage.tenancy import Channel, Subscription, Workspace
from storage.text import title_key

REGULATORS = (
    RegulatorRow("cn-cac", "Cyberspace Administration of China", "国家互联网信息办公室", jurisdiction="CN", time_zone="Asia/Shanghai"),
    RegulatorRow(
        "cn-samr", "State Administration for Market Regulation", "国家市场监督管理总局", jurisdiction="CN", time_zone="Asia/Shanghai"
    ),
    RegulatorRow("us-sec", "Securities and Exchange Commission", jurisdiction="US", time_zone="America/New_York"),
)
SOURCES = (
    SourceRow("cac-news", "cn-cac", "https://cac.example/news", "html-list", language="zh", poll_minutes=30),
    SourceRow("samr-news", "cn-samr", "https://samr.example/news", "rss", language="zh"),
    SourceRow("samr-en", "cn-samr", "https://samr.example/en", "rss", language="en"),
    SourceRow("sec-litigation", "us-sec", "https://sec.example/litigation", "rss", language="en"),
    SourceRow("island-times", None, "https://press.example/feed", "rss", Tier.SECONDARY, "en", definition={"content": "Island Times"}),
)
FIRMS = {
    "tencent": ("Tencent", "CN"),
    "alibaba": ("Alibaba Group", "CN"),
    "ant-group": ("Ant Group", "CN"),
    "bytedance": ("ByteDance", "CN"),
    "xiaomi": ("Xiaomi", "CN"),
    "kuaishou": ("Kuaishou", "CN"),
    "netease": ("NetEase", "CN"),
    "tiktok": ("TikTok", ""),
    "douyin": ("Douyin", "CN"),
    "first-bank": ("First Bank", "US"),
    "second-bank": ("Second Bank", "US"),
}
NOON = datetime(2021, 3, 19, 4, 0, tzinfo=UTC)


async def furnish(store: Store) -> None:
    """Put regulators, sources and firms into an empty database."""
    await store.sync_catalogue(REGULATORS, SOURCES)
    async with store._write() as session:
        for firm_id, (name, country) in FIRMS.items():
            kind = FirmKind.BRAND if firm_id in ("tiktok", "douyin") else FirmKind.COMPANY
            session.add(Firm(id=firm_id, name=name, kind=kind, country=country, tickers=[]))


async def follow(
    store: Store,
    channel: str,
    what: str,
    *,
    filter: str = "role:target,group",
    deliver: Deliver = Deliver.BOTH,
    broadcast: Broadcast = Broadcast.ESCALATION,
    **settings: Any,
) -> int:
    """Let a channel (made if needed) follow `firm:x`, `regulator:x` or `all`; the channel's id."""
    followed, _, subject = what.partition(":")
    now = store._now()
    async with store._write() as session:
        if (await session.exec(select(Workspace).where(Workspace.id == "T1"))).one_or_none() is None:
            session.add(Workspace(id="T1", added_at=now))
            await session.flush()
        row = (await session.exec(select(Channel).where(Channel.slack_id == channel))).one_or_none()
        if row is None:
            row = Channel(workspace_id="T1", slack_id=channel, name=channel.lower(), added_at=now, **settings)
            session.add(row)
            await session.flush()
        assert row.id is not None
        session.add(
            Subscription(
                channel_id=row.id,
                key=what,
                followed=Followed(followed),
                firm_id=subject if followed == "firm" else None,
                regulator_id=subject if followed == "regulator" else None,
                filter=filter,
                broadcast=broadcast,
                deliver=deliver,
                created_by="U1",
                created_at=now,
            )
        )
        return row.id


def firm(name: str, role: Role = Role.TARGET, *, brand: str | None = None, via: str | None = None) -> FoundFirm:
    """A firm by its id in the register, or a raw name that is not in it."""
    known = FIRMS.get(name)
    via = via or (f"{FIRMS[brand][0]}, brand of {FIRMS[name][0]}" if brand else None)
    shown = known[0] if known else name
    return FoundFirm(name if known else None, shown, FIRMS[brand][0] if brand else shown, role, 0, 4, via=via, brand_id=brand)


def money(millions: str, currency: str = "CNY", kind: AmountKind = AmountKind.IMPOSED) -> FoundAmount:
    """A sum in millions."""
    value = Decimal(millions) * 1_000_000
    return FoundAmount(f"{currency} {millions} million", value, value, currency, kind, AmountScope.WHOLE, 0, 4)


def act(
    kind: Kind,
    *firms: FoundFirm | str,
    by: Sequence[str] = ("cn-cac",),
    status: Status = Status.IN_FORCE,
    count: int | None = None,
    on: str | None = None,
    amounts: Sequence[FoundAmount] = (),
    number: str | None = None,
    is_guess: bool = False,
    evidence: str = "The sentence that says so.",
) -> FoundAction:
    """One act as a text tells it; `on` is `2021`, `2021-03` or `2021-03-18`."""
    return FoundAction(
        kind=kind,
        status=status,
        regulators=tuple(FoundRegulator(body, body) for body in by),
        firms=tuple(firm(one) if isinstance(one, str) else one for one in firms),
        evidence=(FoundEvidence("kind", evidence, 0, 4),) if evidence else (),
        stated_count=count,
        amounts=tuple(amounts),
        decided_on=_partial(on),
        is_decided_inferred=is_guess,
        number=number,
    )


def _partial(on: str | None) -> PartialDate | None:
    if on is None:
        return None
    parts = [int(part) for part in on.split("-")]
    precision = (Precision.YEAR, Precision.MONTH, Precision.DAY)[len(parts) - 1]
    return PartialDate(date(*[*parts, 1, 1][:3]), precision)


def entry(
    title: str,
    *actions: FoundAction,
    guid: str | None = None,
    url: str | None = None,
    text: str = "",
    published: datetime | None = NOON,
    precision: Precision | None = Precision.MINUTE,
    language: str = "en",
    document_id: int | None = None,
    waived: str = "",
    cites: Sequence[str] = (),
    links: Sequence[str] = (),
    mentions: Sequence[FoundFirm] | None = None,
) -> EntryRecord:
    """An entry as the poller hands it over."""
    guid = guid or title
    url = url or f"https://source.example/{hashlib.md5(guid.encode(), usedforsecurity=False).hexdigest()}"
    named = tuple(one for action in actions for one in action.firms) if mentions is None else tuple(mentions)
    whole = f"{title}\n{text}"
    return EntryRecord(
        document_id=document_id,
        entry_hash=hashlib.sha256(f"{guid}{whole}".encode()).hexdigest()[:16],
        guid=guid,
        url=url,
        canonical_url=url.removeprefix("https://"),
        title_key=f"{title_key(title)} {published.date() if published else ''}",
        title=title,
        text=text,
        sha256=hashlib.sha256(whole.encode()).hexdigest(),
        language=language,
        published_at=published,
        published_precision=precision if published else None,
        updated_at=None,
        extraction=Extraction(language, tuple(actions), named, tuple(links), tuple(cites)),
        waived=waived,
    )


async def lease(store: Store, source_id: str) -> int:
    """Take the lease of a source, due or not; its token."""
    (due,) = await store.due_sources(1, timedelta(minutes=5), [source_id], ignore_due=True)
    return due.lease_token


async def poll(store: Store, source_id: str, *entries: EntryRecord, token: int | None = None, **fields: Any) -> PollOutcome:
    """Record a good poll that found these entries, the oldest first here, and nothing else new."""
    now = store._now()
    values: dict[str, Any] = {
        "source_id": source_id,
        "lease_token": await lease(store, source_id) if token is None else token,
        "started_at": now,
        "seconds": 0.1,
        "next_poll_at": now + timedelta(minutes=30),
        "health": Health.OK,
        "http_status": 200,
        "n_entries": len(entries),
        "present": tuple(one.entry_hash for one in entries) if entries else None,
        "entries": entries[::-1],
    }
    return await store.record_poll(PollRecord(**{**values, **fields}))
