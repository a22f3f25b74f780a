"""Full text on both databases: what is found by which words, and that the index follows the documents."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from alembic import command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text as sql
from sqlmodel import col, delete, select

from storage import StorageError, Store, base
from storage.filters import NO_FILTER, Filter
from storage.fulltext import COUNTED, write_words
from storage.models import ActionDocument, Document, DocumentWords, Kind, Sighting, Tier
from storage.records import BodyRecord, Listed
from storage.text import fold
from storage.words import SNIPPET, asked, indexed, snippet
from tests.builders import NOON, add_action, fill
from tests.fakes.clock import FakeClock
from tests.fakes.polls import act, entry, furnish, poll

CHINESE = "3月18日，国家网信办约谈映客、小米、快手、字节跳动、鲸准科技、喜马拉雅、腾讯、去演科技等11家企业。"
TRADITIONAL = "國家網信辦約談騰訊、阿里巴巴等11家企業，要求整改。"
ENGLISH = "The Commission fined Moody's Investors Service US$3.5 million under file LR-12345; it isn't “the first time”."
JAPANESE = "公正取引委員会は株式会社トヨタ自動車に対し排除措置命令を行った。"
KOREAN = "공정거래위원회는 삼성전자에 과징금을 부과했다."


async def keep(store: Store, *texts: str, title: str = "", **fields: object) -> list[int]:
    """Store documents as a poll would; their ids."""
    values = {"source_id": "cn-cac-news", "regulator_id": "cn-cac", "tier": Tier.PRIMARY, "sha256": "", "language": "zh-Hans"}
    values |= {"fetched_at": NOON, "first_seen_at": NOON, **fields}
    async with store._write() as session:
        rows = [Document(title=title, text=one, **values) for one in texts]
        session.add_all(rows)
        await session.flush()
        ids = [row.id or 0 for row in rows]
        await write_words(session, ids)
    return ids


async def found(store: Store, words: str, filter: Filter = NO_FILTER, limit: int = 100) -> list[int]:
    return [hit.document.id for hit in (await store.search(words, filter, limit)).hits]


@pytest.fixture
async def world(store: Store) -> Store:
    await fill(store)
    return store


@pytest.mark.parametrize(
    ("words", "text", "is_found"),
    [
        ("腾讯", CHINESE, True),
        ("騰訊", CHINESE, True),
        ("腾讯", TRADITIONAL, True),
        ("讯去", CHINESE, False),
        ("腾讯 小米", CHINESE, True),
        ("腾讯 百度", CHINESE, False),
        ("字节跳动", CHINESE, True),
        ("字节 跳动", CHINESE, True),
        ('"小米、快手"', CHINESE, True),
        ('"快手、小米"', CHINESE, False),
        ("「國家網信辦約談」", TRADITIONAL, True),
        ("11家", CHINESE, True),
        ("18日", CHINESE, True),
        ("8日", CHINESE, False),
        ("investors", ENGLISH, True),
        ("ＩＮＶＥＳＴＯＲＳ", ENGLISH, True),
        ("invest", ENGLISH, False),
        ("moody's", ENGLISH, True),
        ("Moody’s", ENGLISH, True),
        ("3.5", ENGLISH, True),
        ("3.6", ENGLISH, False),
        ("LR-12345", ENGLISH, True),
        ('"service us$3.5 million"', ENGLISH, True),
        ('"million service"', ENGLISH, False),
        ("the-first", ENGLISH, True),
        ("“the first time”", ENGLISH, True),
        ("トヨタ", JAPANESE, True),
        ("ﾄﾖﾀ自動車", JAPANESE, True),
        ("삼성전자", KOREAN, True),
        ("A股", "沪深A股市场", True),
        ("A股", "A 大股东", False),
        ("société", "La SOCIETE générale", True),
        ("societe", "une socie\u0301te\u0301", True),
        ("腾讯qq", "使用腾讯 QQ 的用户", True),
        ("w" * 300, f"an immense {'w' * 300} word", True),
        ("w" * 64, f"an immense {'w' * 300} word", False),
    ],
    ids=[
        "a two-character name inside a sentence",
        "a Traditional name finds a Simplified text",
        "and the other way round",
        "two characters with a comma between are no name",
        "all words must be there",
        "one that is not there: nothing",
        "a longer name is a phrase",
        "its halves are two words",
        "a quoted phrase, in this order",
        "and not in another",
        "Chinese quotes quote",
        "a number before a character that a run begins with",
        "a number and one character alone",
        "a part of a number is no number",
        "case does not matter",
        "nor does width",
        "a part of a word is no word",
        "an apostrophe, straight",
        "an apostrophe, curled",
        "a sum",
        "another sum",
        "a document's number",
        "a phrase with signs in it",
        "a phrase the other way round",
        "a hyphen where the text has a space",
        "curled quotes quote",
        "Japanese inside a sentence",
        "half-width Japanese",
        "Korean before its particle",
        "a letter, a character, and more of its run",
        "the character must follow",
        "accents do not matter",
        "nor do accents beside their letters",
        "a word that changes script, spaced in the text",
        "an immense word",
        "the beginning of an immense word",
    ],
)
async def test_what_is_found(world: Store, words: str, text: str, is_found: bool) -> None:
    (one,) = await keep(world, text)
    await keep(world, "something else", "什么都没有")
    assert await found(world, words) == ([one] if is_found else [])


@pytest.mark.parametrize(
    "words",
    [
        '"',
        '""',
        "*",
        "-",
        ":",
        "()",
        "' OR 1=1 --",
        'NEAR("a" "b", 3)',
        "a:b",
        "fined*",
        "-fined",
        "^fined",
        "a AND NOT",
        "{x}: y",
        "\\",
        "a' & !b:*",
        "\x00fined",
        "fined + million",
    ],
)
async def test_signs_that_mean_something_to_a_database_mean_nothing_here(world: Store, words: str) -> None:
    """They stand between words, or there is nothing to search for and that is said."""
    (one,) = await keep(world, ENGLISH)
    await keep(world, "a b x y near or not and 1 3")
    if not any(map(str.isalnum, words)):
        with pytest.raises(StorageError, match="search for"):
            await found(world, words)
        return
    ids = await found(world, words)
    wanted = {"fined*", "-fined", "^fined", "\x00fined", "fined + million"}
    assert (one in ids) is (words in wanted)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("", "no word"),
        ("…、。", "no word"),
        ("讯", "neighbours"),
        ("腾讯 讯", "neighbours"),
        (" ".join(f"w{at}" for at in range(33)), "32"),
    ],
    ids=["nothing", "signs alone", "one character", "one character beside a name", "more words than a search takes"],
)
async def test_a_search_for_nothing_says_what_to_type(world: Store, words: str, says: str) -> None:
    with pytest.raises(StorageError, match=says):
        await world.search(words)


# --- a universal rule ---------------------------------------------------------------------------------------------------

_ALPHABET = "ab1 é,.'\"-*:讯腾騰訊公司カ한\n"
_HAN = re.compile("[\u3041-\u3096\u30a1-\u30fa\u30fc\u3400-\u9fff\uac00-\ud7a3]")


def _plain(text: str) -> str:
    """A text as somebody would compare it by hand: folded, one space for whatever is no letter and where the script changes."""
    out = ""
    for char in fold(text):
        char = char if char.isalnum() else " "
        if out and out[-1] != " " and char != " " and bool(_HAN.match(out[-1])) is not bool(_HAN.match(char)):
            out += " "
        out += char
    return " ".join(out.split())


def _holds(text: str, phrase: str) -> bool:
    """Whether the phrase stands in the text, at the borders of words where it begins or ends with a word."""
    whole, wanted = _plain(text), _plain(phrase)
    for at in range(len(whole)):
        if whole.startswith(wanted, at):
            end = at + len(wanted)
            is_start = _HAN.match(wanted[0]) or at == 0 or whole[at - 1] == " "
            is_end = _HAN.match(wanted[-1]) or end == len(whole) or whole[end] == " "
            if is_start and is_end:
                return True
    return False


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(_ALPHABET, max_size=25), min_size=1, max_size=5), st.data())
async def test_every_document_that_holds_a_phrase_is_found_and_no_other(world: Store, texts: Sequence[str], data: st.DataObject) -> None:
    source = data.draw(st.sampled_from(texts))
    start = data.draw(st.integers(0, len(source)))
    cut = source[start : data.draw(st.integers(start, len(source)))].replace('"', " ")
    phrase = data.draw(st.one_of(st.just(cut), st.text(_ALPHABET.replace('"', ""), max_size=6)))
    async with world._write() as session:
        await session.exec(delete(DocumentWords))
        await session.exec(delete(Document))
    ids = await keep(world, *texts)
    plain = _plain(phrase)
    if not plain or (len(plain) == 1 and _HAN.match(plain)):
        with pytest.raises(StorageError):
            await found(world, f'"{phrase}"')
        return
    assert set(await found(world, f'"{phrase}"')) == {one for one, text in zip(ids, texts, strict=True) if _holds(text, phrase)}


@given(st.text(max_size=200))
def test_tokens_hold_no_sign(text: str) -> None:
    """What goes into a query of a database are letters, digits and spaces of ASCII, and what lies beyond it."""
    assert all(char.isalnum() or char == " " or char > "\x7f" for char in indexed(text))
    for phrase in asked(text):
        assert phrase.tokens
        assert all(token and all(char.isalnum() or char > "\x7f" for char in token) for token in phrase.tokens)


# --- order, filters, pages -------------------------------------------------------------------------------------------


async def test_the_newest_come_first_by_the_day_of_publication(world: Store) -> None:
    """Not by when they were stored; what claims to be of the future is of the day when it was first seen."""
    days = [NOON - timedelta(days=300), NOON - timedelta(days=2), None, NOON + timedelta(days=900), NOON - timedelta(days=40)]
    ids = [(await keep(world, "腾讯", published_at=day))[0] for day in days]
    assert await found(world, "腾讯") == [ids[3], ids[2], ids[1], ids[4], ids[0]]


async def test_pages_and_the_count_that_stops(world: Store) -> None:
    ids = await keep(world, *(f"腾讯 {at}" for at in range(COUNTED + 5)))
    page = await world.search("腾讯", limit=2, offset=3)
    assert [hit.document.id for hit in page.hits] == [ids[-4], ids[-5]]
    assert (page.total, page.is_more) == (COUNTED, True)
    last = await world.search("腾讯", limit=5, offset=COUNTED + 3)
    assert [hit.document.id for hit in last.hits] == [ids[1], ids[0]]
    assert (last.total, last.is_more) == (COUNTED + 5, False)
    exact = await world.search('"腾讯 7"', limit=2)
    assert (exact.total, exact.is_more) == (1, False)
    assert exact.coverage.total == 4


@pytest.mark.parametrize(
    ("filter", "wanted"),
    [
        ("regulator:us-sec", "b"),
        ("-regulator:us-sec", "acd"),
        ("regulator:us-sec,cn-cac", "abc"),
        ("country:CN", "ac"),
        ("-country:CN,US", "d"),
        ("country:FR", ""),
        ("lang:zh", "ac"),
        ("lang:zh-Hant", "c"),
        ("-lang:zh", "bd"),
        ("since:30d", "ab"),
        ("until:2020", "cd"),
        ("since:2020-06-01 until:2020-12-31", "c"),
        ("-since:30d", "cd"),
        ("since:30d,2020-06", "abc"),
        ("lang:en country:US since:30d", "b"),
        ("limit:3", "abcd"),
        ("kind:fine", "a"),
        ("-kind:fine", "b"),
        ("kind:fine,warning lang:en", "b"),
        ("severity:>=fine regulator:us-sec", ""),
    ],
)
async def test_what_a_filter_leaves_in(world: Store, filter: str, wanted: str) -> None:
    """Time, regulator, country and language are the document's; the rest is asked of the actions that it tells of."""
    places = {
        "a": {"language": "zh-Hans"},
        "b": {"language": "en", "source_id": "us-sec-news", "regulator_id": "us-sec", "published_at": NOON - timedelta(days=20)},
        "c": {"language": "zh-Hant", "published_at": datetime(2020, 7, 1, tzinfo=UTC)},
        "d": {"language": "en", "source_id": "gb-fca-news", "regulator_id": None, "published_at": datetime(2019, 7, 1, tzinfo=UTC)},
    }
    ids = {name: (await keep(world, "腾讯 罚款", **fields))[0] for name, fields in places.items()}
    for name, kind in (("a", Kind.FINE), ("b", Kind.WARNING)):
        action_id = await add_action(world, ("tencent", "target"), kind=kind)  # type: ignore[arg-type]
        async with world._write() as session:
            session.add(ActionDocument(action_id=action_id, document_id=ids[name], joined_at=NOON))
    assert set(await found(world, "腾讯", Filter.parse(filter))) == {ids[name] for name in wanted}


async def test_a_hit_tells_its_actions_and_shows_where(world: Store) -> None:
    action_id = await add_action(world, ("tencent", "target"), title="Tencent is fined")  # type: ignore[arg-type]
    async with world._write() as session:
        (document_id,) = (await session.exec(select(ActionDocument.document_id))).all()
        await write_words(session, [document_id])
    (hit,) = (await world.search("imposed tencent")).hits
    assert hit.action_ids == (action_id,)
    assert hit.snippet == "The regulator imposed a fine."
    assert (hit.document.title, hit.document.publisher) == ("Tencent is fined", "State Administration for Market Regulation")


@pytest.mark.parametrize(
    ("text", "words", "wanted"),
    [
        ("short  text\nof a fine", "fine", "short text of a fine"),
        ("", "fine", ""),
        ("nothing of it", "fine", "nothing of it"),
        (CHINESE * 9 + "最后，騰訊被罰款。", "腾讯 罚款", None),
        ("word " * 300 + "the Fine was paid " + "word " * 300, "fine", None),
        ("詞" * 500 + "騰訊" + "詞" * 500, "腾讯", None),
        ("x" * 1000 + " fine " + "y" * 1000, "fine", None),
    ],
    ids=["whole", "no text", "the title alone holds it", "Chinese", "cut at words", "no place to cut", "immense words"],
)
def test_a_snippet_shows_the_first_hit(text: str, words: str, wanted: str | None) -> None:
    shown = snippet(text, asked(words))
    assert len(shown) <= SNIPPET
    if wanted is not None:
        assert shown == wanted
        return
    assert any(_holds(shown, word) for word in words.split())
    assert shown.endswith("…")
    assert not re.search(r"\bwor\b|\bord\b", shown)


@given(st.text(max_size=600), st.text(_ALPHABET, max_size=5))
def test_a_snippet_is_short_and_of_the_text(text: str, words: str) -> None:
    shown = snippet(text, asked(words))
    assert len(shown) <= SNIPPET
    assert shown.strip("… ") in " ".join(text.split())


# --- the index follows the documents -------------------------------------------------------------------------------------


async def test_what_a_poll_stores_and_edits_is_found(store: Store) -> None:
    """An edit that names a new day moves the document, and its old words are forgotten."""
    await furnish(store)
    await poll(store, "cac-news", entry("有关部门约谈腾讯", act(Kind.TALKS, "tencent"), text="要求整改", language="zh-Hans"))
    (first,) = await found(store, "騰訊 整改")
    await poll(store, "sec-litigation", entry("SEC charges First Bank", text="of fraud"))
    edit = entry("有关部门约谈百度", text="已经完成", language="zh-Hans", document_id=first, published=NOON - timedelta(days=90))
    await poll(store, "cac-news", edit)
    assert await found(store, "腾讯") == []
    assert await found(store, "百度 完成") == [first]
    assert await found(store, "约谈", Filter.parse("until:60d")) == [first]
    assert len(await found(store, "fraud")) == 1


async def test_the_whole_page_is_found_when_it_was_read_late(store: Store) -> None:
    await furnish(store)
    listed = entry("A notice")
    await poll(store, "sec-litigation", replace(listed, body=BodyRecord("https://sec.example/a", is_read=False)))
    (one,) = await found(store, "notice")
    late = replace(
        entry("A notice", text="The respondent concealed its losses.", document_id=one),
        entry_hash=None,
        listed=Listed("A notice", "", "0"),
        body=BodyRecord("https://sec.example/a", is_read=True),
    )
    await poll(store, "sec-litigation", late)
    assert await found(store, "concealed losses") == [one]


async def test_a_document_that_goes_is_not_found(world: Store) -> None:
    gone, stays = await keep(world, "腾讯 one", "腾讯 two")
    async with world._write() as session:
        await session.exec(delete(Sighting))
        await session.exec(delete(Document).where(col(Document.id) == gone))
    assert await found(world, "腾讯") == [stays]
    assert await found(world, "one") == []


async def test_a_poll_that_fails_leaves_no_words(store: Store, clock: FakeClock) -> None:
    await furnish(store)

    async def fail() -> None:
        async with store._write() as session:
            row = Document(source_id="cac-news", tier=Tier.PRIMARY, text="腾讯", sha256="", fetched_at=clock(), first_seen_at=clock())
            session.add(row)
            await session.flush()
            await write_words(session, [row.id or 0])
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert await found(store, "腾讯") == []


async def test_a_text_of_any_length_is_stored(world: Store) -> None:
    """PostgreSQL refuses a tsvector of a mebibyte, and long keys: neither may stop a poll."""
    han = "".join(chr(0x20000 + at * 7919 % 42_000) for at in range(200_000))
    (one, two) = await keep(world, han, " ".join(f"word{at}x" for at in range(200_000)))
    assert await found(world, f'"{han[5:9]}"') == [one]
    assert await found(world, "word77x") == [two]


async def test_documents_of_an_older_database_are_indexed_by_the_migration(world: Store, database_url: str) -> None:
    ids = await keep(world, CHINESE, TRADITIONAL, ENGLISH, published_at=datetime(2020, 7, 1, tzinfo=UTC))
    await world.close()
    with base._migrating(base._parsed(database_url)) as connection:
        config = base._config()
        config.attributes["connection"] = connection
        command.downgrade(config, "0004")
        assert connection.execute(sql("select count(*) from document")).scalar() == 3
    Store.migrate(database_url)
    assert await found(world, "腾讯") == ids[1::-1]
    assert await found(world, "investors", Filter.parse("until:2020-07-01 regulator:cn-cac lang:zh")) == [ids[2]]
