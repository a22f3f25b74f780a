"""A register that learns of a firm, and stored texts that were read before it did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from bot.extract import FirmIndex, extract
from storage import Store
from storage.models import FirmKind, OwnershipKind
from storage.records import AliasRow, DocumentText, Extraction, FirmRow, OwnershipRow, Register, RegulatorRow
from tests.fakes.polls import NOON, entry, poll

BODIES = (
    RegulatorRow(
        "cn-samr", "State Administration for Market Regulation", "国家市场监督管理总局", ("SAMR", "市场监管总局"), (), "CN", "Asia/Shanghai"
    ),
)
BASE = Register("1", (FirmRow("alibaba", "Alibaba"),), (AliasRow("alibaba", "Alibaba"), AliasRow("alibaba", "阿里巴巴")), (), BODIES)
BLUE = replace(
    BASE,
    version="2",
    firms=(*BASE.firms, FirmRow("blue-harbour", "Blue Harbour"), FirmRow("harbourpay", "HarbourPay", kind=FirmKind.BRAND)),
    aliases=(
        *BASE.aliases,
        AliasRow("blue-harbour", "Blue Harbour"),
        AliasRow("blue-harbour", "蓝港科技"),
        AliasRow("harbourpay", "HarbourPay"),
    ),
    ownerships=(OwnershipRow("harbourpay", "blue-harbour", OwnershipKind.BRAND_OF),),
)


def reader(register: Register) -> Callable[[DocumentText], Extraction]:
    index = FirmIndex(register)
    return lambda document: extract(document, index)


async def deposit(store: Store, register: Register, **texts: str) -> None:
    """Poll these texts as a source of the market regulator brought them, read with these names."""
    await brought(store, reader(register), register.version, **texts)


async def brought(store: Store, read: Callable[[DocumentText], Extraction], version: str, **texts: str) -> None:
    """Poll these texts, read so, and noted as read with that version."""
    entries = []
    for name, text in texts.items():
        published = NOON - timedelta(days=300 if name.startswith("old") else 1)
        reading = read(DocumentText(name, text, published, None, "cn-samr"))
        entries.append(replace(entry(name, text=text, published=published, language=reading.language), extraction=reading))
    await poll(store, "samr-news", *entries, register_version=version)


FINED = "SAMR said on Thursday that it fined Blue Harbour 3 million yuan for abusing its market position."
