"""Reading a sample text with the shipped names: what the extraction tests share."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from bot.extract import FirmIndex, extract
from bot.feeds.catalog import load_catalogue
from storage.firms import shipped_register
from storage.records import DocumentText, Extraction


@cache
def index() -> FirmIndex:
    """The shipped register with the catalogue's regulators, built once."""
    return FirmIndex(shipped_register(load_catalogue().regulators))


def read(text: str, *, title: str = "", on: str = "2024-05-15", regulator: str | None = None, language: str | None = None) -> Extraction:
    """The text as the bot reads it."""
    published = datetime.fromisoformat(on).replace(tzinfo=UTC) if on else None
    return extract(DocumentText(title, text, published, language, regulator), index())


def targets(extraction: Extraction) -> set[str]:
    """Ids of the firms that an action is against; the surface of those outside the register."""
    return {firm.firm_id or firm.surface for action in extraction.actions for firm in action.targets}
