"""Recorded polls: what is new, what only came back, and what would have alerted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.feeds.catalog import load_catalogue
from bot.replay import RecordingError, Replayed, Step, moments, replay

RECORDED = Path(__file__).resolve().parents[2] / "shared" / "recorded"
FIRMS = ("HSBC", "Standard Chartered", "Citibank", "DBS", "JPMorgan", "UBS", "Barclays", "Deutsche Bank", "BNP Paribas", "Goldman Sachs")
START = datetime(2025, 8, 10, 6, 0, tzinfo=UTC)


def entry(number: int, title: str = "", hours: int = 0, **more: str) -> dict[str, str]:
    """An entry of a merged list: the title fines a known firm, so that it would alert."""
    return {
        "title": title or f"HKMA fines {FIRMS[number % len(FIRMS)]} HK${number} million for control failures",
        "link": f"https://www.hkma.gov.hk/eng/news/{number}/",
        "source": "HKMA: Press Releases",
        "publishedAt": (START + timedelta(hours=hours)).isoformat(),
        "summary": "",
        **more,
    }


def log(folder: Path, polls: Iterable[Mapping[str, Any]]) -> Path:
    """A log with a poll an hour."""
    path = folder / "polls.jsonl"
    lines = [
        json.dumps({"polled_at": (START + timedelta(hours=hour)).isoformat(), "n_items": 0, **poll}) for hour, poll in enumerate(polls)
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


async def played(path: Path) -> tuple[Replayed, list[Step]]:
    """The sums and the steps."""
    steps: list[Step] = []
    return await replay(moments([path]), load_catalogue(), on_step=steps.append), steps


OLD = [entry(number) for number in range(1, 4)]
LINKS = [one["link"] for one in OLD]

CASES: list[tuple[str, list[dict[str, Any]], dict[str, int]]] = [
    (
        "what vanishes in an outage and comes back is neither new nor an alert",
        [{"baseline": OLD}, {"removed": LINKS}, {"added": OLD}],
        {"documents": 3, "new": 0, "false_new": 0, "returned": 3, "alerts": 0},
    ),
    (
        "what leaves a list that still holds others, and comes back, is not new",
        [{"baseline": OLD}, {"removed": LINKS[:1]}, {"added": OLD[:1]}],
        {"documents": 3, "new": 0, "returned": 1, "alerts": 0},
    ),
    (
        "a new entry beside those that come back is new alone",
        [{"baseline": OLD}, {"removed": LINKS}, {"added": [*OLD, entry(9, hours=2)]}],
        {"documents": 4, "new": 1, "false_new": 0, "returned": 3, "alerts": 1},
    ),
    ("the first poll is silent", [{"baseline": OLD}], {"documents": 3, "new": 0, "alerts": 0}),
    (
        "an empty first poll is none: what was published since then alerts",
        [{"baseline": []}, {"added": [entry(1, hours=1)]}],
        {"documents": 1, "new": 0, "alerts": 0},
    ),
    (
        "an edit in place is an edit",
        [{"baseline": OLD}, {"changed": [{"link": LINKS[0], "field": "title", "old": "", "new": OLD[0]["title"] + " (amended)"}]}],
        {"documents": 3, "new": 0, "edited": 1},
    ),
    (
        "a new date under the old address and title is no new document",
        [
            {"baseline": OLD},
            {"changed": [{"link": LINKS[0], "field": "publishedAt", "old": "", "new": (START + timedelta(hours=1)).isoformat()}]},
        ],
        {"documents": 3, "new": 0, "edited": 1, "alerts": 0},
    ),
    (
        "two sources in one list do not take each other's entries",
        [{"baseline": OLD}, {"added": [entry(1, source="Another", hours=1)]}, {"added": [entry(2, source="Another", hours=2)]}],
        {"documents": 5, "new": 1, "false_new": 0},
    ),
    (
        "a rebuilt list is held by the fuse and alerts nobody",
        [{"baseline": OLD}, {"removed": LINKS, "added": [entry(n, hours=-400 + n) for n in range(20, 32)]}],
        {"documents": 15, "new": 12, "alerts": 0, "held": 1},
    ),
    ("a poll that changes nothing brings nothing", [{"baseline": OLD}, {}, {}], {"polls": 3, "documents": 3, "new": 0, "edited": 0}),
]


@pytest.mark.parametrize(("polls", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
async def test_a_log_of_polls(tmp_path: Path, polls: list[dict[str, Any]], expected: dict[str, int]) -> None:
    """Sums, by what a recording showed."""
    total, _ = await played(log(tmp_path, polls))
    assert {name: getattr(total, name) for name in expected} == expected


async def test_a_list_is_its_regulators_when_its_host_is_only_ones(tmp_path: Path) -> None:
    """So that its texts are read as the regulator's own."""
    total, steps = await played(log(tmp_path, [{"baseline": OLD[:1]}, {"added": [entry(9, "Goldman Sachs fined HK$9 million", hours=1)]}]))
    assert total.actions == 2
    assert steps[-1].owed == 1


def snapshots(folder: Path) -> Path:
    """Two states of a feed, and a merged list."""
    rss = "<rss version='2.0'><channel>{}</channel></rss>"
    one, two = (f"<item><title>Notice {n}</title><link>http://a.test/{n}</link><guid>{n}</guid></item>" for n in (1, 2))
    (folder / "cn-cac_20250810T0600Z.xml").write_text(rss.format(one), encoding="utf-8")
    (folder / "cn-cac_20250810T0700Z.xml").write_text(rss.format(two + one), encoding="utf-8")
    (folder / "news_20250810T0630Z.json").write_text(json.dumps({"items": OLD}), encoding="utf-8")
    return folder


async def test_snapshots_are_polled_in_the_order_of_their_names(tmp_path: Path) -> None:
    """A feed's bytes go through as they are; a merged list is parted."""
    total, steps = await played(snapshots(tmp_path))
    assert (total.polls, total.documents, total.new) == (3, 5, 1)
    assert [(step.source, step.entries) for step in steps] == [("cn-cac", 1), ("hkma-press-releases", 3), ("cn-cac", 2)]


def test_a_folder_with_a_log_is_read_by_it(tmp_path: Path) -> None:
    """Else its entries would be polled twice."""
    snapshots(tmp_path)
    log(tmp_path, [{"baseline": OLD}])
    assert len(moments([tmp_path])) == 1


BROKEN: list[tuple[str, Callable[[Path], Path], str]] = [
    ("no JSON", lambda folder: _write(folder / "a.jsonl", "{"), "a.jsonl, line 1: no poll"),
    ("no time", lambda folder: _write(folder / "a.jsonl", '{"n_items": 0}'), "line 1: no poll of the log (KeyError: 'polled_at')"),
    ("no time zone in the name", lambda folder: _write(folder / "a_2025.xml", "<rss/>"), "a snapshot is named"),
    ("an empty folder", lambda folder: folder, "neither a log"),
    ("neither there nor named as a snapshot", lambda folder: folder / "polls", "polls: No such file"),
    ("not there", lambda folder: folder / "b_20250810T0600Z.xml", "No such file"),
    ("items that are no entries", lambda folder: _write(folder / "a_20250810T0600Z.json", '{"items": [1]}'), "an item is no entry"),
]


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(("make", "words"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_what_is_no_recording_is_said(tmp_path: Path, make: Callable[[Path], Path], words: str) -> None:
    """With the file, and what is wrong."""
    with pytest.raises(RecordingError) as raised:
        moments([make(tmp_path)])
    assert words in str(raised.value)


def test_a_log_is_cut_at_its_lines_alone(tmp_path: Path) -> None:
    """U+2028 may stand in a title."""
    path = tmp_path / "polls.jsonl"
    shown = {"polled_at": START.isoformat(), "n_items": 1, "baseline": [entry(1, "one\u2028more")]}
    path.write_text(json.dumps(shown, ensure_ascii=False), encoding="utf-8")
    assert len(moments([path])) == 1


def test_the_command_prints_steps_and_sums(tmp_path: Path) -> None:
    """JSON lines, the last of them the sums; words for people otherwise; 2 for what is no recording."""
    path = str(log(tmp_path, [{"baseline": OLD}, {"added": [entry(9, hours=1)]}]))
    done = CliRunner().invoke(app, ["replay", path, "--json"])
    assert done.exit_code == 0, done.output
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[-1] | {"seconds": 0} == {
        "polls": 2, "documents": 4, "new": 1, "edited": 0, "false_new": 0, "returned": 0, "actions": 4, "alerts": 1,
        "held": 0, "seconds": 0,
    }  # fmt: skip
    told = CliRunner().invoke(app, ["replay", path])
    assert "4 documents, 1 new after the first polls" in told.output
    assert CliRunner().invoke(app, ["replay", str(tmp_path / "none")]).exit_code == 2


@pytest.mark.skipif(not RECORDED.is_dir(), reason="../shared is not here: recorded polls")
async def test_recorded_polls_bring_nothing_twice(tmp_path: Path) -> None:
    """The first days of a real log, with an outage and a rebuilt list in it, and three days of Chinese feeds."""
    whole = (RECORDED / "multi-regulator-hourly" / "polls_2025-08-10_2025-09-30.jsonl").read_text(encoding="utf-8").splitlines()
    total, steps = await played(_write(tmp_path / "polls.jsonl", "\n".join(whole[:40])))
    assert (total.false_new, total.held) == (0, 1)
    assert total.returned
    assert not any(step.owed for step in steps if step.returned)
    folders = [folder for folder in sorted(RECORDED.glob("cn-*")) if any(folder.glob("*_20210616T0925Z.xml"))]
    weixin: list[Step] = []
    chinese = await replay(moments(folders), load_catalogue(), on_step=weixin.append)
    assert chinese.false_new == 0
    assert chinese.documents == sum(step.new for step in weixin)
