"""Rows for tests of the Store, written straight into a database: firms, regulators, sources, actions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256

from sqlmodel import select

from storage import Store
from storage.fulltext import write_words
from storage.models import (
    Action,
    ActionDocument,
    ActionFirm,
    ActionRegulator,
    AliasKind,
    Amount,
    AmountKind,
    AmountScope,
    Case,
    Document,
    Evidence,
    FirmKind,
    Health,
    Kind,
    Mode,
    OwnershipKind,
    Precision,
    Role,
    Source,
    Status,
    Strength,
    Tier,
)
from storage.records import AliasRow, FirmRow, OwnershipRow, Register, RegulatorRow

NOON = datetime(2021, 3, 19, 4, 0, tzinfo=UTC)

REGULATORS = (
    RegulatorRow("cn-cac", "Cyberspace Administration of China", "国家互联网信息办公室", ("CAC", "国家网信办"), ("网信办",), "CN"),
    RegulatorRow("cn-samr", "State Administration for Market Regulation", "国家市场监督管理总局", ("SAMR", "市场监管总局"), (), "CN"),
    RegulatorRow("gb-fca", "Financial Conduct Authority", "", ("Financial Conduct Authority",), ("FCA",), "GB"),
    RegulatorRow("us-sec", "Securities and Exchange Commission", "", ("SEC", "Securities and Exchange Commission"), (), "US"),
)

FIRMS = (
    FirmRow("alibaba", "Alibaba", "阿里巴巴", "阿里巴巴", FirmKind.GROUP, "CN", ("BABA", "9988.HK")),
    FirmRow("ant-group", "Ant Group", "蚂蚁集团", "螞蟻集團", country="CN"),
    FirmRow("alipay", "Alipay", "支付宝", "支付寶", FirmKind.BRAND, "CN"),
    FirmRow("bytedance", "ByteDance", "字节跳动", "字節跳動", country="CN"),
    FirmRow("tiktok", "TikTok", kind=FirmKind.BRAND, country="CN"),
    FirmRow("tencent", "Tencent", "腾讯", "騰訊", FirmKind.GROUP, "CN", ("0700.HK", "TCEHY")),
)

ALIASES = (
    AliasRow("alibaba", "Alibaba"),
    AliasRow("alibaba", "阿里巴巴", language="zh"),
    AliasRow("alibaba", "9988.HK", AliasKind.TICKER),
    AliasRow("alipay", "Alipay"),
    AliasRow("ant-group", "Ant Group"),
    AliasRow("ant-group", "蚂蚁集团", language="zh"),
    AliasRow("ant-group", "Ant Financial", AliasKind.FORMER, to_on=date(2020, 7, 14)),
    AliasRow("bytedance", "ByteDance"),
    AliasRow("bytedance", "字节", AliasKind.SHORT, Strength.WEAK, "zh"),
    AliasRow("tencent", "Tencent"),
    AliasRow("tencent", "腾讯", language="zh"),
    AliasRow("tencent", "0700.HK", AliasKind.TICKER),
    AliasRow("tiktok", "TikTok"),
)

OWNERSHIPS = (
    OwnershipRow("alipay", "ant-group", OwnershipKind.BRAND_OF),
    OwnershipRow("ant-group", "alibaba", OwnershipKind.AFFILIATE_OF),
    OwnershipRow("tiktok", "bytedance", OwnershipKind.BRAND_OF),
)

SMALL = Register("small", FIRMS, ALIASES, OWNERSHIPS, REGULATORS)
"""Six firms and four regulators, enough for questions and subscriptions."""


async def fill(store: Store) -> None:
    """The small register, and one fresh source per regulator: `cn-cac-news`, ..."""
    await store.sync_register(SMALL)
    for regulator in REGULATORS:
        await add_source(store, f"{regulator.id}-news", regulator.id)


async def add_source(
    store: Store,
    source_id: str,
    regulator_id: str | None,
    *,
    tier: Tier = Tier.PRIMARY,
    is_enabled: bool = True,
    mode: Mode = Mode.LIVE,
    health: Health = Health.OK,
    health_since: datetime | None = NOON,
    last_polled_at: datetime | None = NOON,
    last_ok_at: datetime | None = NOON,
    next_poll_at: datetime | None = None,
    name: str = "",
) -> None:
    """A source, freshly and well read unless told otherwise, and due an hour later."""
    async with store._write() as session:
        session.add(
            Source(
                id=source_id,
                regulator_id=regulator_id,
                url=f"https://{source_id}.example/feed",
                kind="rss",
                tier=tier,
                is_enabled=is_enabled,
                poll_minutes=60,
                definition={"content": name} if name else {},
                mode=mode,
                health=health,
                health_since=health_since,
                next_poll_at=next_poll_at or (last_ok_at or NOON) + timedelta(hours=1),
                added_at=NOON,
                last_polled_at=last_polled_at,
                last_ok_at=last_ok_at,
            )
        )


async def add_action(
    store: Store,
    *firms: tuple[str | None, Role] | tuple[str | None, Role, str | None],
    kind: Kind = Kind.FINE,
    status: Status = Status.IN_FORCE,
    regulators: Sequence[str] = ("cn-samr",),
    decided: date | None = None,
    published: datetime | None = None,
    seen: datetime = NOON,
    amounts: Sequence[tuple[str | None, int]] = (),
    languages: Sequence[str] = ("en",),
    case_id: int | None = None,
    case_reason: str = "",
    title: str = "A decision",
    source_id: str | None = None,
) -> int:
    """An action with a document per language. A firm is (id, role) or (id, role, brand id)."""
    async with store._write() as session:
        if case_id is None:
            case = Case(opened_at=seen)
            session.add(case)
            await session.flush()
            assert case.id is not None
            case_id = case.id
        action = Action(
            case_id=case_id,
            case_reason=case_reason,
            kind=kind,
            status=status,
            title=title,
            decided_on=decided,
            decided_precision=Precision.DAY if decided else None,
            published_at=published,
            first_seen_at=seen,
        )
        session.add(action)
        await session.flush()
        assert action.id is not None
        documents = []
        for language in languages:
            document = Document(
                source_id=source_id or f"{regulators[0]}-news",
                regulator_id=None if source_id else regulators[0],
                tier=Tier.SECONDARY if source_id else Tier.PRIMARY,
                url=f"https://example.org/{action.id}/{language}",
                title=title,
                text="The regulator imposed a fine.",
                language=language,
                sha256="0" * 64,
                published_at=published,
                fetched_at=seen,
                first_seen_at=seen,
            )
            session.add(document)
            await session.flush()
            assert document.id is not None
            documents.append(document.id)
            session.add(ActionDocument(action_id=action.id, document_id=document.id, reason="opened it", joined_at=seen))
        for place, regulator_id in enumerate(regulators):
            session.add(ActionRegulator(action_id=action.id, regulator_id=regulator_id, is_first=place == 0))
        for place, (firm_id, role, *brand) in enumerate(firms):
            via = f"{brand[0]}, brand of {firm_id}" if brand and brand[0] else None
            session.add(
                ActionFirm(
                    action_id=action.id,
                    firm_id=firm_id,
                    name=firm_id or f"Unknown {place}",
                    surface=(brand[0] if brand else firm_id) or f"Unknown {place}",
                    role=role,
                    via=via,
                    brand_id=brand[0] if brand else None,
                    document_id=documents[0],
                    first_seen_at=seen,
                )
            )
        for currency, amount in amounts:
            session.add(
                Amount(
                    action_id=action.id,
                    document_id=documents[0],
                    surface=f"{amount}",
                    minimum=Decimal(amount),
                    maximum=Decimal(amount),
                    currency=currency,
                    kind=AmountKind.IMPOSED,
                    scope=AmountScope.WHOLE,
                )
            )
        session.add(
            Evidence(action_id=action.id, document_id=documents[0], field="kind", text="imposed a fine", start=0, end=14, sha256="0" * 64)
        )
        await write_words(session, documents)
        return action.id


async def add_document(store: Store, source_id: str, title: str, text: str, *, language: str = "zh-Hans") -> int:
    """A stored document that tells of nothing yet."""
    async with store._write() as session:
        source = (await session.exec(select(Source).where(Source.id == source_id))).one()
        document = Document(
            source_id=source_id,
            regulator_id=source.regulator_id,
            tier=source.tier,
            title=title,
            text=text,
            language=language,
            sha256=sha256(f"{title}\n{text}".encode()).hexdigest(),
            published_at=NOON,
            fetched_at=NOON,
            first_seen_at=NOON,
        )
        session.add(document)
        await session.flush()
        assert document.id is not None
        await write_words(session, [document.id])
        return document.id
