"""Full text: words in stored documents, in either script of Chinese, two-character names included.

What a text is cut into, `words` says. The tokens of each document stand in `DocumentWords`, in the order of the documents'
days, and an index over them differs by database: FTS5 over that table on SQLite, where it streams the newest hits first and
knows phrases; a GIN index on PostgreSQL, which finds the documents that hold all tokens, a phrase being looked for in their
token texts. `ingest` keeps the table right within its own transaction.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, column, exists, func, not_, or_, table
from sqlalchemy import text as sql
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.base import Base, StorageError, chunks, insert_for
from storage.filters import NO_FILTER, Filter, since_date, until_date
from storage.loading import document_view, load_coverage, matching
from storage.models import Action, ActionDocument, Document, DocumentWords, Regulator, Source
from storage.views import SearchHit, SearchPage
from storage.words import Phrase, asked, indexed, snippet

COUNTED = 1_000
"""So far hits are counted."""

_OF_DOCUMENT = ("since", "until", "regulator", "country", "lang")
_MOST_PHRASES = 32
_IDS = 32  # bits of a document's id in its place
_FTS = table("fulltext", column("rowid"))
_LEXEMES = "array_to_tsvector(string_to_array(btrim(documentwords.words), ' '))"


class FullTextStore(Base):
    """Searches. They do not write."""

    async def search(self, words: str, filter: Filter = NO_FILTER, limit: int = 5, offset: int = 0) -> SearchPage:
        """Documents that hold all the words (quoted: the phrase), newest first.

        `since`, `until`, `regulator`, `country` and `lang` are asked of the document; other keys of the actions it tells of.
        Raises StorageError when nothing searchable is left of the words.
        """
        phrases = _searchable(words)
        now = self._now()
        async with self._read() as session:
            wanted = max(COUNTED, offset + limit) + 1
            ids = await _find(session, phrases, filter, now.date(), wanted)
            shown = await _load(session, ids[offset : offset + limit])
            coverage = await load_coverage(session, filter, now)
        hits = await asyncio.to_thread(_hits, shown, phrases)
        return SearchPage(hits, min(len(ids), wanted - 1), len(ids) == wanted, coverage)


async def write_words(session: AsyncSession, document_ids: Sequence[int]) -> None:
    """Bring what full text finds of these documents to what they say now, in the caller's transaction."""
    held = select(Document.id, Document.title, Document.text, Document.published_at, Document.first_seen_at)
    for chunk in chunks(document_ids):
        rows = (await session.exec(held.where(col(Document.id).in_(chunk)))).all()
        values = await asyncio.to_thread(_words_rows, rows)
        statement = insert_for(session, DocumentWords)
        fresh = {name: statement.excluded[name] for name in ("place", "words")}
        await session.exec(statement.on_conflict_do_update(index_elements=["document_id"], set_=fresh), params=values)


def place_of(document_id: int, published_at: datetime | None, first_seen_at: datetime) -> int:
    """Where a document stands among all: by its day (published, else first seen, and never after that), then by its id."""
    return min(published_at or first_seen_at, first_seen_at).date().toordinal() << _IDS | document_id


def _words_rows(rows: Sequence[Any]) -> list[dict[str, Any]]:
    return [
        {"place": place_of(one, published_at, first_seen_at), "document_id": one, "words": indexed(f"{title}\n{text}")}
        for one, title, text, published_at, first_seen_at in rows
    ]


def _searchable(words: str) -> tuple[Phrase, ...]:
    phrases = asked(words)
    if not phrases:
        raise StorageError(f"There is no word in {words!r} to search for. Type a name or some words, like: search 腾讯 罚款")
    if short := next((phrase for phrase in phrases if phrase.is_too_short), None):
        raise StorageError(f"One character alone ({short.pieces[0]}) stands in too many texts. Type it with its neighbours.")
    if len(phrases) > _MOST_PHRASES:
        raise StorageError(f"These are {len(phrases)} words to search for, and {_MOST_PHRASES} are the most. Leave some out.")
    return phrases


async def _find(session: AsyncSession, phrases: Sequence[Phrase], filter: Filter, today: date, limit: int) -> list[int]:
    """The ids of the documents, newest first."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    place: ColumnElement[int] = _FTS.c.rowid if is_sqlite else col(DocumentWords.place)
    document_id = place.op("&")((1 << _IDS) - 1)
    conditions = [*_of_document(filter, place, document_id, today), *_of_actions(filter, document_id, today)]
    if is_sqlite:
        match = " AND ".join(f'"{" ".join(phrase.tokens)}"{" *" if phrase.is_open else ""}' for phrase in phrases)
        found = select(document_id).select_from(_FTS).where(sql("fulltext MATCH :asked").bindparams(asked=match), *conditions)
        return list(await session.exec(found.order_by(place.desc()).limit(limit)))
    return await _find_by_lexemes(session, phrases, conditions, limit)


async def _find_by_lexemes(
    session: AsyncSession, phrases: Sequence[Phrase], conditions: Sequence[ColumnElement[bool]], limit: int
) -> list[int]:
    """What `_find` does, on PostgreSQL."""
    tokens = {f"'{token}'" for phrase in phrases for token in (phrase.tokens[:-1] if phrase.is_open else phrase.tokens)}
    tokens |= {f"'{phrase.tokens[-1]}':*" for phrase in phrases if phrase.is_open}
    lexemes = sql(f"{_LEXEMES} @@ cast(:asked as tsquery)").bindparams(asked=" & ".join(sorted(tokens)))
    document_id = col(DocumentWords.place).op("&")((1 << _IDS) - 1)
    # whatever it believes of a word, the planner must not walk all documents until it has met some that hold it
    await session.exec(sql("set local enable_seqscan = off"))
    await session.exec(sql("set local enable_indexscan = off"))
    found = select(document_id).where(lexemes, *conditions)
    rows = [" ".join(phrase.tokens) + ("" if phrase.is_open else " ") for phrase in phrases if len(phrase.tokens) > 1]
    found = found.where(*(col(DocumentWords.words).contains(f" {row}") for row in rows))
    ids = list(await session.exec(found.order_by(col(DocumentWords.place).desc()).limit(limit)))
    await session.exec(sql("set local enable_seqscan = on"))
    await session.exec(sql("set local enable_indexscan = on"))
    return ids


def _of_document(filter: Filter, place: ColumnElement[int], document_id: ColumnElement[int], today: date) -> list[ColumnElement[bool]]:
    """The conditions that a filter's keys make on a document; its day stands in its place."""
    found = []
    for key in _OF_DOCUMENT:
        allowed = [_holds(key, value, place, document_id, today) for value in filter.values(key)]
        excluded = [value for term in filter.terms if term.key == key and term.is_negated for value in term.values]
        found += [or_(*allowed)] if allowed else []
        found += [not_(_holds(key, value, place, document_id, today)) for value in excluded]
    return found


def _holds(key: str, value: str, place: ColumnElement[int], document_id: ColumnElement[int], today: date) -> ColumnElement[bool]:
    match key:
        case "since":
            return place >= since_date(value, today).toordinal() << _IDS
        case "until":
            return place < (until_date(value, today) + timedelta(days=1)).toordinal() << _IDS
        case "lang":
            language = col(Document.language)
            return exists().where(
                col(Document.id) == document_id, or_(language == value, language.startswith(f"{value}-", autoescape=True))
            )
        case "regulator":
            return exists().where(col(Document.id) == document_id, col(Document.regulator_id) == value)
    own = col(Document.id) == document_id, col(Document.regulator_id) == Regulator.id
    return exists().where(*own, col(Regulator.jurisdiction) == value)


def _of_actions(filter: Filter, document_id: ColumnElement[int], today: date) -> list[ColumnElement[bool]]:
    """The condition that the filter's other keys make: an action that the document tells of passes them all."""
    others = Filter(tuple(term for term in filter.terms if term.key not in (*_OF_DOCUMENT, "limit")))
    if not others.terms:
        return []
    told = and_(ActionDocument.document_id == document_id, col(Action.id) == ActionDocument.action_id)
    return [exists().where(told, matching(None, others, today))]


async def _load(session: AsyncSession, ids: Sequence[int]) -> list[tuple[Document, Source, Regulator | None, tuple[int, ...]]]:
    """The documents in the order of the ids, each with what its view needs and the actions that it tells of."""
    told: dict[int, list[int]] = defaultdict(list)
    links = select(ActionDocument.document_id, ActionDocument.action_id).where(col(ActionDocument.document_id).in_(ids))
    for document_id, action_id in await session.exec(links.order_by(col(ActionDocument.action_id))):
        told[document_id].append(action_id)
    held = (
        select(Document, Source, Regulator)
        .join(Source, col(Source.id) == Document.source_id)
        .join(Regulator, col(Regulator.id) == Document.regulator_id, isouter=True)
        .where(col(Document.id).in_(ids))
    )
    rows = {row[0].id: row for row in await session.exec(held)}
    return [(*rows[one], tuple(told[one])) for one in ids]


def _hits(
    shown: Sequence[tuple[Document, Source, Regulator | None, tuple[int, ...]]], phrases: Sequence[Phrase]
) -> tuple[SearchHit, ...]:
    return tuple(
        SearchHit(document_view(document, source, regulator), snippet(document.text, phrases), actions)
        for document, source, regulator, actions in shown
    )
