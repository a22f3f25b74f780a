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
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, column, exists, inspect, not_, or_, table, true
from sqlalchemy import text as sql
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.base import Base, StorageError, chunks, insert_for
from storage.filters import NO_FILTER, Filter, since_date, until_date
from storage.loading import document_view, load_coverage, matching
from storage.models import Action, ActionDocument, Document, DocumentWords, Regulator, Source
from storage.views import SearchHit, SearchPage
from storage.words import Phrase, asked, indexed, mark, snippet

COUNTED = 200
"""So far hits are counted."""

WORDS_OF = ("id", "title", "text", "language", "regulator_id", "published_at", "first_seen_at")
"""The columns of a document from which its words are made, as `words_values` takes them."""

_OF_DOCUMENT = ("since", "until", "regulator", "country", "lang")
_MOST_PHRASES = 32
_QUOTE = "'"  # of a lexeme
_IDS = 32  # bits of a document's id in its place
_FTS = table("fulltext", column("rowid"))
_SPANS = (1, 12, None)  # months back in which PostgreSQL looks for the newest hits, one span after the other


class Unsearchable(StorageError):
    """Words that cannot be searched for; its text says what to type instead."""


class FullTextStore(Base):
    """Searches. They do not write."""

    async def search(self, words: str, filter: Filter = NO_FILTER, limit: int = 5, offset: int = 0) -> SearchPage:
        """Documents that hold all the words (quoted: the phrase), newest first.

        `since`, `until`, `regulator`, `country` and `lang` are asked of the document; other keys of the actions it tells of.
        Raises Unsearchable when nothing searchable is left of the words.
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
    held = select(*(getattr(Document, name) for name in WORDS_OF))
    for chunk in chunks(document_ids):
        rows = (await session.exec(held.where(col(Document.id).in_(chunk)))).all()
        values = await asyncio.to_thread(_rows, rows)
        statement = insert_for(session, DocumentWords)
        fresh = {name: statement.excluded[name] for name in ("place", "words")}
        await session.exec(statement.on_conflict_do_update(index_elements=["document_id"], set_=fresh), params=values)


def words_values(
    document_id: int,
    title: str,
    text: str,
    language: str,
    regulator_id: str | None,
    published_at: datetime | None,
    first_seen_at: datetime,
) -> dict[str, Any]:
    """A document's row of DocumentWords. Its day is that of publication, else when it was first seen, and never after that."""
    base = language.partition("-")[0]
    marks = [mark("lang", one) for one in dict.fromkeys((base, language)) if one]
    marks += [mark("regulator", regulator_id)] if regulator_id else []
    day = min(published_at or first_seen_at, first_seen_at).date()
    marks.append(mark("month", f"{day:%Y-%m}"))
    return {
        "place": day.toordinal() << _IDS | document_id,
        "document_id": document_id,
        "words": indexed(f"{title}\n{text}", *marks),
    }


def _rows(documents: Sequence[Any]) -> list[dict[str, Any]]:
    return [words_values(*document) for document in documents]


def _searchable(words: str) -> tuple[Phrase, ...]:
    phrases = asked(words)
    if not phrases:
        raise Unsearchable(f"There is no word in {words!r} to search for. Type a name or some words, like: search 腾讯 罚款")
    if short := next((phrase for phrase in phrases if phrase.is_too_short), None):
        raise Unsearchable(f"One character alone ({short.pieces[0]}) stands in too many texts. Type it with its neighbours.")
    if len(phrases) > _MOST_PHRASES:
        raise Unsearchable(f"These are {len(phrases)} words to search for, and {_MOST_PHRASES} are the most. Leave some out.")
    return phrases


async def _find(session: AsyncSession, phrases: Sequence[Phrase], filter: Filter, today: date, limit: int) -> list[int]:
    """The ids of the documents, newest first."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    needed, excluded = await _marks(session, filter)
    if not all(needed):
        return []  # of a country without a regulator
    place: ColumnElement[Any] = _FTS.c.rowid if is_sqlite else inspect(DocumentWords).columns["place"]
    document_id = place.op("&")((1 << _IDS) - 1)
    conditions = [*_of_days(filter, place, today), *_of_actions(filter, document_id, today)]
    if is_sqlite:
        match = sql("fulltext match :asked").bindparams(asked=_match(phrases, needed, excluded))
        found = select(document_id).select_from(_FTS).where(match, *conditions).order_by(place.desc()).limit(limit)
        return list(await session.exec(found))
    return await _find_by_lexemes(session, conditions, phrases, _lexemes(phrases, needed, excluded), today, limit)


async def _find_by_lexemes(
    session: AsyncSession, conditions: Sequence[ColumnElement[bool]], phrases: Sequence[Phrase], lexemes: str, today: date, limit: int
) -> list[int]:
    """What `_find` does, on PostgreSQL: its index knows neither the order of documents nor that of tokens.

    So it is asked for the newest spans of time first, and whether the tokens are in a row is looked up for the newest
    documents that have them all, until there are enough.
    """
    place = col(DocumentWords.place)
    held: Any = select(place.label("place")).where(sql("fulltext_tokens(documentwords.words) @@ cast(:asked as tsquery)"), *conditions)
    found = held.order_by(place.desc()).offset(0).subquery()
    listed = select(found.c.place.op("&")((1 << _IDS) - 1)).order_by(found.c.place.desc()).limit(limit)
    rows = [f" {' '.join(phrase.tokens)}{'' if phrase.is_open else ' '}" for phrase in phrases if len(phrase.tokens) > 1]
    if rows:
        own = aliased(DocumentWords)
        words = select(and_(true(), *(col(own.words).contains(row) for row in rows))).where(col(own.place) == found.c.place)
        listed = listed.where(words.scalar_subquery())
    # whatever it believes of a word, the planner must not walk all documents until it has met some that hold it
    await session.exec(sql("set local enable_seqscan = off; set local enable_indexscan = off"))  # type: ignore[call-overload]
    await session.exec(sql("set local max_parallel_workers_per_gather = 0"))  # type: ignore[call-overload]
    ids: list[int] = []
    for span in _SPANS:
        # a rare token beside a common one is what the index is quick with, a condition on the place is not
        months = f" & {_either([mark('month', one) for one in _months(today, span)], _QUOTE, ' | ')}" if span else ""
        ids = list(await session.exec(listed, params={"asked": lexemes + months}))
        if len(ids) == limit:
            break
    await session.exec(sql("set local enable_seqscan = on; set local enable_indexscan = on"))  # type: ignore[call-overload]
    return ids


async def _marks(session: AsyncSession, filter: Filter) -> tuple[list[list[str]], list[str]]:
    """What a filter asks of a document's regulator and language, as marks: groups of which each must have one there, and those
    that may not be there."""
    bodies: dict[str, list[str]] = defaultdict(list)
    if any(term.key == "country" for term in filter.terms):
        for country, body in await session.exec(select(Regulator.jurisdiction, Regulator.id)):
            bodies[country].append(mark("regulator", body))
    needed: list[list[str]] = []
    excluded: list[str] = []
    for key in ("regulator", "country", "lang"):
        for term in filter.terms:
            if term.key == key and term.is_negated:
                excluded += [one for value in term.values for one in (bodies[value] if key == "country" else [mark(key, value)])]
        if allowed := filter.values(key):
            needed.append([one for value in allowed for one in (bodies[value] if key == "country" else [mark(key, value)])])
    return needed, excluded


def _match(phrases: Sequence[Phrase], needed: Sequence[Sequence[str]], excluded: Sequence[str]) -> str:
    """What FTS5 is asked. Tokens have no sign that means something to it."""
    quote = '"'
    parts = [f"{quote}{' '.join(phrase.tokens)}{quote}{' *' if phrase.is_open else ''}" for phrase in phrases]
    parts += [_either(group, quote, " OR ") for group in needed]
    whole = f"({' AND '.join(parts)})"
    return f"{whole} NOT {_either(excluded, quote, ' OR ')}" if excluded else whole


def _lexemes(phrases: Sequence[Phrase], needed: Sequence[Sequence[str]], excluded: Sequence[str]) -> str:
    """What a tsquery asks: all tokens, wherever they stand."""
    tokens = {f"'{token}'" for phrase in phrases for token in (phrase.tokens[:-1] if phrase.is_open else phrase.tokens)}
    parts = sorted(tokens | {f"'{phrase.tokens[-1]}':*" for phrase in phrases if phrase.is_open})
    parts += [_either(group, _QUOTE, " | ") for group in needed]
    return " & ".join([*parts, *(f"!'{one}'" for one in excluded)])


def _either(tokens: Sequence[str], quote: str, joint: str) -> str:
    return f"({joint.join(f'{quote}{token}{quote}' for token in tokens)})"


def _months(today: date, back: int) -> list[str]:
    """This month and so many before it: `2021-03`."""
    last = today.year * 12 + today.month - 1
    return [f"{month // 12:04}-{month % 12 + 1:02}" for month in range(last - back, last + 1)]


def _of_days(filter: Filter, place: ColumnElement[Any], today: date) -> list[ColumnElement[bool]]:
    """The conditions that a filter makes on a document's day, which stands in its place."""

    def holds(key: str, value: str) -> ColumnElement[bool]:
        if key == "since":
            return place >= since_date(value, today).toordinal() << _IDS
        return place < (until_date(value, today).toordinal() + 1) << _IDS

    found = []
    for key in ("since", "until"):
        allowed = [holds(key, value) for value in filter.values(key)]
        found += [or_(*allowed)] if allowed else []
        found += [not_(holds(key, value)) for term in filter.terms if term.key == key and term.is_negated for value in term.values]
    return found


def _of_actions(filter: Filter, document_id: ColumnElement[Any], today: date) -> list[ColumnElement[bool]]:
    """The condition that the filter's other keys make: an action that the document tells of passes them all."""
    others = Filter(tuple(term for term in filter.terms if term.key not in (*_OF_DOCUMENT, "limit")))
    if not others.terms:
        return []
    told = and_(col(ActionDocument.document_id) == document_id, col(Action.id) == ActionDocument.action_id)
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


def _hits(shown: Sequence[tuple[Document, Source, Regulator | None, tuple[int, ...]]], phrases: Sequence[Phrase]) -> tuple[SearchHit, ...]:
    return tuple(
        SearchHit(document_view(document, source, regulator), snippet(document.text, phrases), actions)
        for document, source, regulator, actions in shown
    )
