"""Full text: words in stored documents, in either script of Chinese, two-character names included."""

from __future__ import annotations

from storage.base import Base
from storage.filters import NO_FILTER, Filter
from storage.views import SearchPage


class FullTextStore(Base):
    """Searches. They do not write."""

    async def search(self, words: str, filter: Filter = NO_FILTER, limit: int = 5, offset: int = 0) -> SearchPage:
        """Documents that hold all the words (quoted: the phrase), newest first.

        `since`, `until`, `regulator`, `country` and `lang` are asked of the document; other keys of the actions it tells of.
        Raises StorageError when nothing searchable is left of the words.
        """
        raise NotImplementedError
