"""Bytes to entries: what is kept of an entry, what an unchanged item costs, and what bad bytes come to."""

from __future__ import annotations

import asyncio
import csv
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.feeds import Entry, Failed, Parsed
from bot.feeds import parse as parse_module
from bot.feeds.dates import UnreadableDate, at_day, read_date
from bot.feeds.parse import MAX_ENTRIES, canonical_url, dated_title, in_child, page_refusal, parse_feed
from bot.feeds.reading import MAX_TEXT, absolute_link, plain
from storage.models import Health, Precision

FEEDS = Path(__file__).parent / "data" / "feeds"
URL = "https://regulator.example/feeds/all"
SHANGHAI, NEW_YORK, LONDON = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York"), ZoneInfo("Europe/London")


def parsed(body: bytes | str, content_type: str = "application/rss+xml", **kw: object) -> Parsed:
    result = parse_feed(body.encode() if isinstance(body, str) else body, content_type, URL, **kw)  # type: ignore[arg-type]
    assert isinstance(result, Parsed), result
    return result


def failed(body: bytes | str) -> Failed:
    result = parse_feed(body.encode() if isinstance(body, str) else body, "application/rss+xml", URL)
    assert isinstance(result, Failed), result
    return result


def rss(*items: str) -> str:
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>T</title>{"".join(items)}</channel></rss>'


def one(inner: str, **kw: object) -> Entry:
    (entry,) = parsed(rss(f"<item>{inner}</item>"), **kw).entries
    return entry


# --- what is kept of an entry ------------------------------------------------------------------------------------


def test_an_rss_feed_as_regulators_write_them() -> None:
    found = parsed((FEEDS / "press.xml").read_bytes(), time_zone="Europe/London")
    assert found.warnings == ()
    fined, notice, both = found.entries
    assert fined.title == "Harbour & Sons fined £2m"
    assert fined.link == "https://regulator.example/press/2021/harbour?utm_source=rss"
    assert fined.guid == "PR-17"
    assert fined.text == "The regulator fined Harbour & Sons.\nIt may appeal."
    assert (fined.published_at, fined.published_precision) == (datetime(2021, 3, 18, 10, 30, tzinfo=UTC), Precision.MINUTE)
    assert fined.language == "en-GB"
    assert notice.title == "Notice to all"
    assert (notice.guid, notice.link) == ("2021-44", None)
    assert notice.text == "LR-26040"
    assert (notice.published_at, notice.published_precision) == (datetime(2021, 3, 18, tzinfo=UTC), Precision.DAY)
    assert notice.warnings == ("no link",)
    assert (both.link, both.published_at) == (None, None)
    assert both.warnings == (
        "no link: 'javascript:alert(1)' is no http or https address",
        "no date: '10/07/2019' could be two days",
    )


def test_an_atom_feed() -> None:
    first, second = parsed((FEEDS / "notices.atom").read_bytes(), "application/atom+xml").entries
    assert (first.title, first.link) == ("Lantern Bank – final notice", "https://regulator.example/notices/1")
    assert first.published_at == datetime(2021, 3, 17, 8, tzinfo=UTC)
    assert first.updated_at == datetime(2021, 3, 18, 8, tzinfo=UTC)
    assert second.link == "https://regulator.example/feeds/notices/2"
    assert second.text == "Un\nDeux"
    assert second.published_at == second.updated_at == datetime(2021, 3, 18, 11, tzinfo=UTC)
    assert (first.language, second.language) == ("en", "fr")


def test_an_rdf_feed() -> None:
    first, second = parsed((FEEDS / "bulletin.rdf").read_bytes(), time_zone="Asia/Tokyo").entries
    assert (first.title, first.guid) == ("業務改善命令について", "https://regulator.example/b/1")
    assert first.published_at == datetime(2021, 3, 18, 1, tzinfo=UTC)
    assert (second.published_at, second.published_precision) == (datetime(2021, 3, 18, tzinfo=UTC), Precision.DAY)


def test_the_sources_own_format_settles_a_date() -> None:
    assert one("<title>x</title><pubDate>10/07/2019</pubDate>", date_format="%d/%m/%Y").published_at == datetime(2019, 7, 10, tzinfo=UTC)
    assert one("<title>x</title><pubDate>10/07/2019</pubDate>", date_format="%m/%d/%Y").published_at == datetime(2019, 10, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("inner", "title", "text"),
    [
        ("<title>A</title><description>&lt;p&gt;a&lt;/p&gt;&lt;p&gt;b&lt;/p&gt;</description>", "A", "a\nb"),
        ("<title>A\n  B\u200b\u202eC</title>", "A BC", ""),
        ("<title>Cafe\u0301</title>", "Café", ""),
        ("<title>AT&amp;T &amp;lt;5%</title>", "AT&T <5%", ""),
        ("<title>1 &lt; 2 and 3 &gt; 2</title>", "1 < 2 and 3 > 2", ""),
        ("<title>&lt;script&gt;alert(1)&lt;/script&gt;Fine</title>", "Fine", ""),
        ("<title>&lt;!channel&gt; Fine &lt;@U123&gt;</title>", "Fine <@U123>", ""),
        ("<title>腾讯&lt;br/&gt;被约谈</title>", "腾讯 被约谈", ""),
        ("<title>A</title><description>a\u00a0 b\r\n\r\n\t c</description>", "A", "a b\nc"),
        ("<title></title><description>only text</description>", "", "only text"),
        ("", "", ""),
    ],
)
def test_text_is_plain(inner: str, title: str, text: str) -> None:
    entry = one(inner)
    assert (entry.title, entry.text) == (title, text)


def test_a_text_without_end_is_cut() -> None:
    entry = one(f"<title>x</title><description>{'word ' * 60_000}</description>")
    assert len(entry.text) == MAX_TEXT
    assert entry.warnings[0] == "text cut at 200,000 characters"


def test_what_is_missing_is_said() -> None:
    assert one("").warnings == ("no title", "no link", "no date")
    assert one("<title>x</title><link>https://a.example/</link><pubDate>Thu, 01 Jan 1970 00:00:00 GMT</pubDate>").warnings == (
        "no date: 'Thu, 01 Jan 1970 00:00:00 GMT' stands for none",
    )


@pytest.mark.parametrize(
    ("guid", "link"),
    [
        ("<guid>https://a.example/1</guid>", "https://a.example/1"),
        ("<guid>LR-1</guid>", None),
        ('<guid isPermaLink="false">https://a.example/1</guid>', None),
        ("<guid>x</guid><link>/y</link>", "https://regulator.example/y"),
        ("<link>www.a.example/y</link>", "https://www.a.example/y"),
        ("<link>https://a.example/a b|c</link>", "https://a.example/a%20b%7Cc"),
        ("<link>https://a.example:port/</link>", None),
        ("<link>mailto:press@a.example</link>", None),
        ("<link>https://a.example/?a=1&amp;b=2</link>", "https://a.example/?a=1&b=2"),
    ],
)
def test_links(guid: str, link: str | None) -> None:
    assert one(f"<title>x</title>{guid}").link == link


def test_an_absolute_link_is_bounded() -> None:
    assert absolute_link(f"/{'a' * 3000}", URL) is None
    assert absolute_link("/x", "") is None


# --- dates -----------------------------------------------------------------------------------------------------

DATES: list[tuple[str, ZoneInfo, str, Precision]] = [
    ("Mon, 01 Jul 2024 15:00:56 -0400", NEW_YORK, "2024-07-01T19:00:56", Precision.MINUTE),
    ("Thu, 18 Mar 2021 10:00:00 GMT", SHANGHAI, "2021-03-18T10:00:00", Precision.MINUTE),
    ("18 Mar 21 10:00 PST", LONDON, "2021-03-18T18:00:00", Precision.MINUTE),
    ("Thu, 18 Mar 2021 10:00:00 CST", SHANGHAI, "2021-03-18T02:00:00", Precision.MINUTE),
    ("Thu, 18 Mar 2021 10:00:00 CST", NEW_YORK, "2021-03-18T16:00:00", Precision.MINUTE),
    ("Thu, 18 Mar 2021 10:00:00 XYZ", SHANGHAI, "2021-03-18T02:00:00", Precision.MINUTE),
    ("2021-03-18T10:00:00.123+08:00", LONDON, "2021-03-18T02:00:00", Precision.MINUTE),
    ("2021-03-18T10:00:00Z", SHANGHAI, "2021-03-18T10:00:00", Precision.MINUTE),
    ("2021-03-18 10:00", SHANGHAI, "2021-03-18T02:00:00", Precision.MINUTE),
    ("2021-03-18T10:00", NEW_YORK, "2021-03-18T14:00:00", Precision.MINUTE),
    ("2021-03-18T24:00:00Z", LONDON, "2021-03-19T00:00:00", Precision.MINUTE),
    ("Monday, July 27, 2026 - 15:30", NEW_YORK, "2026-07-27T19:30:00", Precision.MINUTE),
    ("Mon, 05/04/2026 - 14:22", NEW_YORK, "2026-05-04T18:22:00", Precision.MINUTE),
    ("Sat, 04/07/2026", LONDON, "2026-07-04T00:00:00", Precision.DAY),
    ("July 27th, 2026 at 9:05 am EDT", LONDON, "2026-07-27T13:05:00", Precision.MINUTE),
    ("5 Sept. 2023 12:15 a.m. ET", LONDON, "2023-09-05T04:15:00", Precision.MINUTE),
    ("Mon Jul 27 15:30:00 EST 2026", LONDON, "2026-07-27T20:30:00", Precision.MINUTE),
    ("2004-05-25 오후 11:23:17", ZoneInfo("Asia/Seoul"), "2004-05-25T14:23:17", Precision.MINUTE),
    ("2021年3月18日", SHANGHAI, "2021-03-18T00:00:00", Precision.DAY),
    ("2021年3月18日 09:30", SHANGHAI, "2021-03-18T01:30:00", Precision.MINUTE),
    ("２０２１年３月１８日", SHANGHAI, "2021-03-18T00:00:00", Precision.DAY),
    ("2021-03-18", SHANGHAI, "2021-03-18T00:00:00", Precision.DAY),
    ("2021-03-18", NEW_YORK, "2021-03-18T04:00:00", Precision.DAY),
    ("20210318", LONDON, "2021-03-18T00:00:00", Precision.DAY),
    ("2021. 3. 18.", ZoneInfo("Asia/Seoul"), "2021-03-18T00:00:00", Precision.DAY),
    ("18.03.2021", LONDON, "2021-03-18T00:00:00", Precision.DAY),
    ("18/03/2021", LONDON, "2021-03-18T00:00:00", Precision.DAY),
    ("03/18/2021", LONDON, "2021-03-18T00:00:00", Precision.DAY),
    ("03/03/2021", LONDON, "2021-03-03T00:00:00", Precision.DAY),
    ("1er mars 2021", LONDON, "2021-03-01T00:00:00", Precision.DAY),
    ("12 de marzo de 2021", LONDON, "2021-03-12T00:00:00", Precision.DAY),
    ("令和3年3月18日", SHANGHAI, "2021-03-18T00:00:00", Precision.DAY),
    ("中華民國110年3月18日", SHANGHAI, "2021-03-18T00:00:00", Precision.DAY),
    ("March 2021", LONDON, "2021-03-01T00:00:00", Precision.MONTH),
    ("2021年3月", SHANGHAI, "2021-03-01T00:00:00", Precision.MONTH),
    ("2021", LONDON, "2021-01-01T00:00:00", Precision.YEAR),
]


@pytest.mark.parametrize(("text", "zone", "at", "precision"), DATES, ids=[f"{case[0]} in {case[1].key}" for case in DATES])
def test_dates_as_they_are_printed(text: str, zone: ZoneInfo, at: str, precision: Precision) -> None:
    assert read_date(text, zone) == (datetime.fromisoformat(at).replace(tzinfo=UTC), precision)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "10/07/2019",
        "Tue, 10/07/2019",
        "31/02/2021",
        "2021-13-40",
        "5 Foo 2021",
        "2021-02-30",
        "0000-00-00",
        "2021-03-18 25:00",
        "x" * 200,
    ],
)
def test_dates_that_are_none_or_two(text: str) -> None:
    with pytest.raises(UnreadableDate):
        read_date(text, LONDON)


def test_formats_of_the_catalogue() -> None:
    assert read_date("110-03-18", SHANGHAI, "roc")[0] == datetime(2021, 3, 18, tzinfo=UTC)
    assert read_date("1616061600", LONDON, "epoch-seconds") == (datetime(2021, 3, 18, 10, tzinfo=UTC), Precision.MINUTE)
    with pytest.raises(UnreadableDate):
        read_date("10/07/2019", LONDON, "%d/%m/%Y|%m/%d/%Y")


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "Asia/Shanghai", "UTC", "America/Los_Angeles", "Pacific/Kiritimati"])
def test_a_day_is_that_day_for_every_reader(zone: str) -> None:
    day = datetime(2021, 3, 18, tzinfo=UTC).date()
    at = at_day(day, ZoneInfo(zone))
    assert at.date() == at.astimezone(ZoneInfo(zone)).date() == day


@given(st.text(max_size=60), st.sampled_from(["", "%d/%m/%Y", "roc", "epoch-seconds"]))
def test_reading_a_date_raises_nothing_else(text: str, date_format: str) -> None:
    try:
        at, _ = read_date(text, SHANGHAI, date_format)
    except UnreadableDate:
        return
    assert at.tzinfo is UTC


# --- keys ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("http://A.Example/x/", "a.example/x"),
        ("https://a.example:443/x#top", "a.example/x"),
        ("http://a.example:80/x", "a.example/x"),
        ("http://a.example:8080/x", "a.example:8080/x"),
        ("https://a.example/x?utm_source=a&id=7&fbclid=b&UTM_Medium=c", "a.example/x?id=7"),
        ("https://a.example/?utm_campaign=x", "a.example"),
        ("https://me:pw@a.example/x;jsessionid=1A?a=1", "a.example/x?a=1"),
        ("https://a.example/x?gclid=1&a=&b", "a.example/x?a=&b"),
        ("ftp://a.example/x", None),
        ("/x", None),
        ("https://[broken", None),
        ("", None),
    ],
)
def test_canonical_addresses(url: str, canonical: str | None) -> None:
    assert canonical_url(url) == canonical


def test_a_title_counts_with_its_local_day() -> None:
    entry = one("<title>Bank «A» — fined!</title><pubDate>Thu, 18 Mar 2021 20:00:00 GMT</pubDate>")
    assert dated_title(entry, "Asia/Shanghai") == "bank a fined|2021-03-19"
    assert dated_title(entry, "UTC") == "bank a fined|2021-03-18"
    assert dated_title(one("<title>x</title>"), "UTC") is None
    assert dated_title(one("<pubDate>Thu, 18 Mar 2021 20:00:00 GMT</pubDate>"), "UTC") is None


# --- the funnel ------------------------------------------------------------------------------------------------------

VARIANTS = {
    "rss": rss(*(f"<item><title>T{i}</title></item>" for i in range(5))).encode(),
    "atom": b'<feed xmlns="http://www.w3.org/2005/Atom">'
    + b"".join(b"<entry><title>T%d</title></entry>" % i for i in range(5))
    + b"</feed>",
    "attributes": rss(*(f'<item\n  id="{i}" ><title>T{i}</title></item >' for i in range(5))).encode(),
    "closing tag in CDATA": rss(
        *(f"<item><title>T{i}</title><description><![CDATA[a</item>b]]></description></item>" for i in range(5))
    ).encode(),
    "item in a comment": rss("<!-- <item>no</item> -->", *(f"<item><title>T{i}</title></item>" for i in range(5))).encode(),
    "gbk": ('<?xml version="1.0" encoding="gb2312"?>' + rss(*(f"<item><title>T{i}腾讯約談</title></item>" for i in range(5)))[21:]).encode(
        "gbk"
    ),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_only_unseen_items_are_read_and_read_alike(name: str) -> None:
    whole = parsed(VARIANTS[name])
    assert [entry.title[:2] for entry in whole.entries] == ["T0", "T1", "T2", "T3", "T4"]
    assert [entry.entry_hash for entry in whole.entries] == list(whole.present)
    seen = frozenset({*whole.present[:2], whole.present[4]})
    rest = parsed(VARIANTS[name], seen=seen)
    assert rest.present == whole.present
    assert rest.entries == whole.entries[2:4]
    assert parsed(VARIANTS[name], seen=frozenset(whole.present)).entries == ()


UNCUTTABLE = {
    "utf-16": rss("<item><title>T0</title></item>", "<item><title>T1</title></item>")
    .replace("?>", ' encoding="utf-16"?>')
    .encode("utf-16"),
    "prefixed": b'<a:feed xmlns:a="http://www.w3.org/2005/Atom"><a:entry><a:title>T0</a:title></a:entry><a:entry><a:title>T1</a:title></a:entry></a:feed>',
    "capitals": b"<RSS VERSION='2.0'><CHANNEL><ITEM><TITLE>T0</TITLE></ITEM><ITEM><TITLE>T1</TITLE></ITEM></CHANNEL></RSS>",
    "never closed": b"<rss version='2.0'><channel><item><title>T0</title><item><title>T1</title></channel></rss>",
    "cut off": rss("<item><title>T0</title></item>", "<item><title>T1</title>")[:-16].encode(),
}


@pytest.mark.parametrize("name", UNCUTTABLE)
def test_what_cannot_be_cut_is_read_whole_and_known_again(name: str) -> None:
    whole = parsed(UNCUTTABLE[name])
    assert [entry.title for entry in whole.entries] == ["T0", "T1"]
    assert len(set(whole.present)) == 2
    again = parsed(UNCUTTABLE[name], seen=frozenset(whole.present[:1]))
    assert [entry.title for entry in again.entries] == ["T1"]


def test_an_item_that_changes_by_a_byte_is_unseen() -> None:
    first = parsed(rss("<item><title>A</title></item>"))
    assert parsed(rss("<item><title>A</title> </item>"), seen=frozenset(first.present)).entries


def test_twins_are_both_shown() -> None:
    assert len(parsed(rss("<item><title>A</title></item>" * 2)).entries) == 2


def test_five_thousand_items_go_in_slices_and_ten_thousand_are_the_limit() -> None:
    body = rss(*(f"<item><title>T{i}</title></item>" for i in range(5000)))
    found = parsed(body)
    assert (len(found.entries), len(found.present), found.dropped) == (5000, 5000, ())
    assert parsed(body, seen=frozenset(found.present[:-1])).entries[0].title == "T4999"
    many = rss(*(f"<item><title>T{i}</title></item>" for i in range(MAX_ENTRIES + 7)))
    over = parsed(many, seen=frozenset(parsed(many[:400_000]).present))
    assert len(over.present) == MAX_ENTRIES
    assert over.dropped == ("7 entries beyond the first 10,000",)


# --- bad bytes -----------------------------------------------------------------------------------------------------

LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE r ['
    + b'<!ENTITY a0 "ha">'
    + b"".join(b'<!ENTITY a%d "%s">' % (i, b"&a%d;" % (i - 1) * 10) for i in range(1, 10))
    + b']><rss version="2.0"><channel><item><title>&a9;</title></item></channel></rss>'
)

STATES: list[tuple[str, bytes, Health, str]] = [
    ("broken XML", b'<?xml version="1.0"?><rss version="2.0"><channel><title>T</ti', Health.ERROR, "broken XML"),
    ("an HTML page", b"<!DOCTYPE html><html><head><title>News</title></head><body>Hello</body></html>", Health.CHANGED_LAYOUT, "'News'"),
    ("a denial", b"<html><body>Request Access: you have been blocked</body></html>", Health.BLOCKED, "refusal"),
    ("a denial without tags", b"Access denied", Health.BLOCKED, "Access denied"),
    ("HTML that talks of rss", b"<html><body><p>Our <rss version> is gone</p></body></html>", Health.CHANGED_LAYOUT, "HTML page"),
    ("an error in JSON", b'{"error": 1}', Health.CHANGED_LAYOUT, "JSON came"),
    ("nothing", b"", Health.EMPTY, "no content"),
    ("a PDF", b"%PDF-1.7\n\xff\xfe\x00", Health.CHANGED_LAYOUT, "what came is no feed"),
    ("another XML", b'<?xml version="1.0"?><sitemap><url/></sitemap>', Health.CHANGED_LAYOUT, "what came is no feed"),
]


@pytest.mark.parametrize(("body", "health", "words"), [case[1:] for case in STATES], ids=[case[0] for case in STATES])
def test_what_is_no_feed_has_a_state(body: bytes, health: Health, words: str) -> None:
    result = failed(body)
    assert result.health is health
    assert words in result.detail


def test_a_chinese_refusal_in_gbk() -> None:
    body = '<html><head><meta charset="gb2312"><title>提示</title></head><body>您的访问被拒绝</body></html>'.encode("gbk")
    refusal = page_refusal(body)
    assert refusal is not None
    assert refusal[0] is Health.BLOCKED


@pytest.mark.parametrize("body", [rss(), '<feed xmlns="http://www.w3.org/2005/Atom"></feed>', f"\n {rss()}\n"])
def test_a_feed_without_entries_is_a_feed(body: str) -> None:
    assert parsed(body) == Parsed((), (), warnings=parsed(body).warnings)


def test_a_feed_with_a_fault_gives_what_there_is_and_a_warning() -> None:
    found = parsed(rss("<item><title>R & D</title></item>", "<item><title>B</title></item>"))
    assert [entry.title for entry in found.entries] == ["R & D", "B"]
    assert len(found.warnings) == 1
    assert "SAXParseException" in found.warnings[0]


@pytest.mark.parametrize(
    ("encoding", "declared", "content_type"),
    [
        ("gbk", ' encoding="gb2312"', "text/xml"),
        ("gb18030", ' encoding="GBK"', "application/xml"),
        ("gbk", "", "text/xml; charset=gb2312"),
        ("big5", ' encoding="big5"', "application/rss+xml"),
        ("utf-8", "", "text/xml"),
        ("utf-8", ' encoding="utf-8"', "text/html"),
        ("utf-8-sig", "", "text/plain"),
        ("utf-16", ' encoding="utf-16"', "application/xml"),
        ("utf-8", ' encoding="gb2312"', "text/xml; charset=utf-8"),
    ],
)
def test_charsets(encoding: str, declared: str, content_type: str) -> None:
    word = "騰訊" if encoding == "big5" else "腾讯被约谈"
    body = f'<?xml version="1.0"{declared}?><rss version="2.0"><channel><item><title>{word}</title></item></channel></rss>'
    assert parsed(body.encode(encoding), content_type).entries[0].title == word


def test_a_wrong_charset_still_reads() -> None:
    body = rss("<item><title>Société Générale</title></item>").encode("latin-1")
    found = parsed(body, "text/xml; charset=utf-8")
    assert found.entries[0].title == "Société Générale"
    assert found.warnings


def test_a_billion_laughs_are_not_laughed() -> None:
    result = parse_feed(LAUGHS, "text/xml", URL)
    assert isinstance(result, Failed) or all(len(entry.title) < 1000 for entry in result.entries)


def test_no_outside_entity_is_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("password")
    body = (
        f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "{(tmp_path / "secret").as_uri()}">]>'
        '<rss version="2.0"><channel><item><title>&x;</title></item></channel></rss>'
    )
    assert "password" not in repr(parse_feed(body.encode(), "text/xml", URL))


FRAGMENTS = st.sampled_from(
    (
        b"<rss\tversion='2.0'><channel> <item> </item> <item/> <entry> </entry> <feed> <title> </title> <link> </link> <pubDate> "
        b"<![CDATA[ ]]> <!-- --> <html> <?xml ?> 2021-03-18 &#xD800; &a; \xff\xfe \x00"
    ).split(b" ")
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.one_of(FRAGMENTS, st.binary(max_size=8)), max_size=25).map(b"".join),
    st.sampled_from(["", "text/xml", "text/html; charset=x"]),
)
def test_the_parser_never_raises_on_bytes(body: bytes, content_type: str) -> None:
    result = parse_feed(body, content_type, URL)
    assert isinstance(result, Parsed | Failed)
    if isinstance(result, Parsed):
        again = parse_feed(body, content_type, URL, seen=frozenset(result.present))
        assert isinstance(again, Parsed)
        assert again.entries == ()


@given(st.text())
def test_plain_text_is_clean_and_settled(text: str) -> None:
    once = plain(text)
    assert not {*"\x00\x0b\u200b\ufeff\u202e"} & {*once}
    once.encode("utf-8")
    assert "\n\n" not in once


# --- the child -------------------------------------------------------------------------------------------------------


async def test_the_child_reads_as_this_process_does() -> None:
    body = (FEEDS / "press.xml").read_bytes()
    assert await in_child(body, "text/xml", URL, time_zone="Europe/London") == parse_feed(body, "text/xml", URL, time_zone="Europe/London")


async def test_a_child_that_takes_too_long_is_killed_and_the_next_one_works() -> None:
    body = rss("<item><title>A</title></item>").encode()
    late = await in_child(body, "text/xml", URL, slice_seconds=0.001)
    assert isinstance(late, Failed)
    assert (late.health, "took longer than 0.001 s" in late.detail) == (Health.ERROR, True)
    assert isinstance(await in_child(body, "text/xml", URL), Parsed)


async def test_a_child_that_takes_too_much_memory_ends_and_is_tried_once_more() -> None:
    body = rss(f"<item><title>A</title><description>{'x' * 4_000_000}</description></item>").encode()
    fat = await in_child(body, "text/xml", URL, headroom=2**20)
    assert isinstance(fat, Failed)
    assert "ended twice: it needs more than 1 MB" in fat.detail
    assert isinstance(await in_child(body, "text/xml", URL), Parsed)


async def test_the_loop_stays_free_while_a_child_reads() -> None:
    body = rss(*(f"<item><title>T{i}</title><description>{'<p>x</p>' * 20}</description></item>" for i in range(2000))).encode()
    reading = asyncio.ensure_future(in_child(body, "text/xml", URL, children=asyncio.Semaphore(2)))
    turns = 0
    while not reading.done():
        await asyncio.wait({reading}, timeout=0.01)
        turns += 1
    assert isinstance(reading.result(), Parsed)
    assert turns > 5


def test_a_child_loads_nothing_of_the_house() -> None:
    import subprocess
    import sys

    code = "import sys, bot.feeds.reading; print({'storage', 'sqlmodel', 'aiohttp', 'feedparser'} & {*sys.modules})"
    root = Path(parse_module.__file__).parent.parent.parent
    assert subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True).stdout.strip() == "set()"


# --- what others recorded ----------------------------------------------------------------------------------------------


def test_every_awkward_feed_has_the_entries_that_were_counted(shared: Path) -> None:
    folder = shared / "awkward"
    rows = list(csv.DictReader((folder / "MANIFEST.csv").read_text(encoding="utf-8").splitlines()))
    wrong = []
    for row in rows:
        result = parse_feed((folder / row["file"]).read_bytes(), "application/xml", URL)
        n = len(result.entries) if isinstance(result, Parsed) else 0
        if n != int(row["entries"] or 0):
            wrong.append((row["file"], n, row["entries"]))
    assert len(rows) > 2000
    assert wrong == []


@pytest.mark.parametrize(
    ("pattern", "zone", "least"),
    [("us-sec/*.xml", "America/New_York", 25), ("us-ag-mn/*.xml", "America/Chicago", 740), ("cn-*/*.xml", "Asia/Shanghai", 5800)],
)
def test_recorded_feeds_read_without_a_warning(shared: Path, pattern: str, zone: str, least: int) -> None:
    total = 0
    for file in sorted((shared / "recorded").glob(pattern)):
        found = parsed(file.read_bytes(), "text/xml", time_zone=zone)
        assert found.warnings == ()
        for entry in found.entries:
            assert entry.title
            assert entry.published_at
            assert entry.link
            assert entry.warnings == ()
        total += len(found.entries)
        assert parsed(file.read_bytes(), "text/xml", time_zone=zone, seen=frozenset(found.present)).entries == ()
    assert total >= least
