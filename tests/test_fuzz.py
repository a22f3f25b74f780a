"""Bytes that nobody meant: recorded and made-up answers with pieces flipped, cut, doubled and swapped, and other parsers' test feeds.

Whatever comes, reading it raises nothing and gives entries or a state with words.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import feedparser
import pytest

from bot.feeds import Failed, Fetched, Parsed
from bot.feeds.catalog import load_catalogue
from bot.feeds.pages import body_here, entries_here
from storage.records import SourceRow

ROWS = {row.id: row for row in load_catalogue("ops@watch.example").sources}
HTML = ROWS["us-ny-ag-press"]
JSON = ROWS["cn-csrc-news"]
HTML_IN_JSON = ROWS["cn-samr-news"]
FEED = replace(ROWS["us-sec-press"], definition={})
CSV = replace(HTML, kind="csv", definition={"title_selector": "Name", "link_selector": "Link", "date_selector": "Date"})

ANSWERS = Path(__file__).parent / "data" / "answers"
SEEDS = [
    ("feed.rss", FEED),
    ("feed.atom", FEED),
    ("list.html", HTML),
    ("answer.json", JSON),
    ("html-in-json.json", HTML_IN_JSON),
    ("table.csv", CSV),
]
SPIKES = (
    *(b"<", b"]]>", b"<!--", b"&#0;", b"&bogus;", b"\x00", b"\xff\xfe", b"<![CDATA[", b'"', b"{"),
    *(b"[" * 500, b"<item>", b"\xe2\x80\xae", b"9" * 400),
)


def flipped(dice: random.Random, body: bytes) -> bytes:
    found = bytearray(body)
    for _ in range(dice.randint(1, 20)):
        found[dice.randrange(len(found))] = dice.randrange(256)
    return bytes(found)


def cut(dice: random.Random, body: bytes) -> bytes:
    start, end = sorted((dice.randrange(len(body)), dice.randrange(len(body))))
    return body[:start] + body[end:]


def doubled(dice: random.Random, body: bytes) -> bytes:
    start, end = sorted((dice.randrange(len(body)), dice.randrange(len(body))))
    return body[:end] + body[start:end] * dice.randint(1, 30) + body[end:]


def spiked(dice: random.Random, body: bytes) -> bytes:
    for _ in range(dice.randint(1, 8)):
        at = dice.randrange(len(body) + 1)
        body = body[:at] + dice.choice(SPIKES) + body[at:]
    return body


def swapped(dice: random.Random, body: bytes) -> bytes:
    a, b, c = sorted(dice.randrange(len(body)) for _ in range(3))
    return body[:a] + body[b:c] + body[a:b] + body[c:]


WAYS: Sequence[Callable[[random.Random, bytes], bytes]] = (flipped, cut, doubled, spiked, swapped)


def read_all(body: bytes, row: SourceRow | None) -> None:
    """As a list and as a notice; both raise nothing and say what they found."""
    got = Fetched("https://a.test/x", 200, body, "", None, None, None, 0.0)
    found = entries_here(got, row)
    assert isinstance(found, Parsed) or len(found.detail) > 20
    for one in found.entries if isinstance(found, Parsed) else ():
        assert one.link is None or one.link.startswith(("http://", "https://"))
        assert not set(one.title) & {"\n", "\x00", "\u202e"}
    text = body_here(got, row)
    assert not isinstance(text, Failed) or len(text.detail) > 20


@pytest.mark.parametrize(("name", "row"), SEEDS, ids=[case[0] for case in SEEDS])
def test_a_spoiled_answer_is_a_state(name: str, row: SourceRow) -> None:
    body = (ANSWERS / name).read_bytes()
    read_all(body, row)
    dice = random.Random(20210318)
    for _ in range(60):
        spoiled = body
        for _ in range(dice.randint(1, 3)):
            spoiled = dice.choice(WAYS)(dice, spoiled) or b" "
        read_all(spoiled, row)


def test_a_spoiled_recording_is_a_state(shared: Path) -> None:
    dice = random.Random(7)
    recorded = [path for path in (shared / "recorded").glob("*/*") if path.suffix in (".xml", ".json", ".html")]
    files = sorted(path for path in recorded if path.stat().st_size < 60_000)
    for path in dice.sample(files, 60):
        body = path.read_bytes() or b" "
        read_all(dice.choice(WAYS)(dice, body), {".html": HTML, ".json": JSON}.get(path.suffix))


def test_other_parsers_feeds_give_at_least_what_feedparser_finds(shared: Path) -> None:
    """Every eighth of them here; `python -m tests.benchmarks.bench_awkward` reads all, each in a process of its own."""
    with (shared / "awkward" / "MANIFEST.csv").open(encoding="utf-8", newline="") as manifest:
        rows = list(csv.DictReader(manifest))[::8]
    fewer = []
    for row in rows:
        body = (shared / "awkward" / row["file"]).read_bytes()
        found = entries_here(Fetched("https://a.test/x", 200, body, "", None, None, None, 0.0), None)
        n = len(found.entries) if isinstance(found, Parsed) else 0
        alone = len(feedparser.parse(io.BytesIO(body), sanitize_html=False, resolve_relative_uris=False).entries)
        if n < max(alone, int(row["entries"] or 0)):
            fewer.append((row["file"], n, alone, row["entries"]))
    assert fewer == []
