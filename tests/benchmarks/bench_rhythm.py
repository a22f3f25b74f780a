"""How soon a publication is seen, by four ways of spending the same number of requests; and how often silence is called too long.

    python -m tests.benchmarks.bench_rhythm [../shared/recorded] [--minutes 60] [--each]

A source is played from its recorded publication times: a look sees what was published until then, and whoever plans
the looks knows only what it has seen. The first quarter of the publications is what the first look finds; then it counts.
The looks start at six different times, and a look takes seven seconds, so that none stays in step with the clock.

- fixed: every `--minutes`.
- miniflux: its entry-frequency scheduler (`ScheduleNextCheck` in internal/model/feed.go and `WeeklyFeedEntryCount` in
  internal/storage/feed.go at 106cdd09): a week by the entries that the mean gap of the last seven days would
  make in it, from 5 minutes to 24 hours; 24 hours when there were not two.
- half gap: half the median gap of the last ten entries, from half the interval (at least 5 minutes) to 6 hours.
- rhythm: `bot.rhythm`, which learns from each look as the poller does.

Each wait is multiplied by one figure per source and way, found by trial, so that all make as many requests as fixed;
where trial comes no nearer than 2 %, the last column says how near. Printed as ratios to fixed. Nothing is asserted.

Left out: publications at midnight and sources whose clock never changes (days in a clock's clothes), edits of what was
there. HKMA prints days: what counts there is the middle between two looks of the project that recorded it, an hour apart.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import re
import statistics
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.rhythm import learn, next_poll, usual_silence
from storage.models import Precision
from storage.records import Rhythm

ROOT = Path(__file__).resolve().parents[2]
MINUTE, HOUR, DAY, WEEK = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
LOOK = timedelta(seconds=7)
STARTS = 6
LEAST = 12
"""Publications without which a source is not played."""
HOURLY = {
    "European Banking Authority": ("eu-eba", "Europe/Paris"),
    "HKMA: Press Releases": ("hk-hkma", "Asia/Hong_Kong"),
    "Financial Transactions and Reports Analysis Centre of Canada": ("ca-fintrac", "America/Toronto"),
    "Press Releases": ("us-sec-press", "America/New_York"),
    "HM Treasury - Activity on GOV.UK": ("gb-hmt", "Europe/London"),
    "News": ("gb-boe", "Europe/London"),
}
DAILY = {"eu-commission": "Europe/Brussels", "uk-cma": "Europe/London", "us-uspto": "America/New_York", "noyb": "Europe/Vienna"}


@dataclass(frozen=True, slots=True)
class Series:
    """A source: when it published, oldest first, and as which of several alike it is counted."""

    name: str
    group: str
    zone: str
    times: tuple[datetime, ...]
    precision: Precision = Precision.MINUTE

    @property
    def start(self) -> datetime:
        """When the first look is due."""
        return self.times[len(self.times) // 4 - 1] + MINUTE


# --- what was recorded ---------------------------------------------------------------------------------------------------


def recorded_series(recorded: Path) -> Iterator[Series]:
    """All sources with enough clock times."""
    for name, (zone, times) in _hourly(recorded / "multi-regulator-hourly" / "polls_2025-08-10_2025-09-30.jsonl").items():
        yield Series(name, "weeks", zone, tuple(sorted(times)), Precision.DAY if name == "hk-hkma" else Precision.MINUTE)
    for name, zone in DAILY.items():
        (path,) = (recorded / name).glob("*.jsonl")
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        yield Series(name, "weeks", zone, _clocks((_time(row["versions"][0]["source_date"], zone) for row in rows), zone))
    yield Series("us-sec-litigation", "weeks", "America/New_York", _rss([recorded / "us-sec" / "litreleases_2024-07-01.xml"]))
    yield Series("us-court-sdny", "days", "America/New_York", _rss([recorded / "us-courts" / "sdny_1.xml"]))
    for folder in sorted(recorded.glob("cn-*")):
        if folder.name == "cn-news-enforcement":
            for path in sorted(folder.glob("*.xml")):
                yield Series(path.stem, "press", "Asia/Shanghai", _rss([path]))
        elif folder.name != "cn-shenzhen-policy":  # days only
            yield Series(folder.name, "days", "Asia/Shanghai", _rss(sorted(folder.glob("*.xml"))))


def _hourly(log: Path) -> dict[str, tuple[str, list[datetime]]]:
    found: dict[str, tuple[str, list[datetime]]] = {name: (zone, []) for name, zone in HOURLY.values()}
    known: set[tuple[str, str]] = set()
    before: datetime | None = None
    for line in log.read_text(encoding="utf-8").splitlines():
        poll = json.loads(line)
        now = datetime.fromisoformat(poll["polled_at"])
        for entry in (*(poll.get("baseline") or ()), *poll.get("added", ())):
            key = (entry["source"], entry["link"])
            if key in known or entry["source"] not in HOURLY:
                continue
            known.add(key)
            name, _ = HOURLY[entry["source"]]
            if name != "hk-hkma":
                found[name][1].append(datetime.fromisoformat(entry["publishedAt"]))
            elif before and now - before < 3 * HOUR and now > datetime(2025, 8, 11, tzinfo=UTC):  # the first day found history
                found[name][1].append(before + (now - before) / 2)
        before = now
    return {name: (zone, list(_clocks(times, zone))) for name, (zone, times) in found.items()}


def _rss(paths: Sequence[Path]) -> tuple[datetime, ...]:
    found = {}
    for path in paths:
        for item in re.findall(r"<item>.*?</item>", path.read_text(encoding="utf-8"), re.DOTALL):
            link, printed = re.search(r"<link>(.*?)</link>", item, re.DOTALL), re.search(r"<pubDate>(.*?)</pubDate>", item)
            if link and printed:
                found.setdefault(link[1], _time(printed[1], "UTC"))
    return _clocks(found.values(), "UTC")


def _clocks(times: Iterable[datetime], zone: str) -> tuple[datetime, ...]:
    """Without midnights, oldest first."""
    return tuple(sorted(at for at in times if (local := at.astimezone(ZoneInfo(zone))).hour or local.minute))


def _time(printed: str, zone: str) -> datetime:
    if american := re.fullmatch(r"\w+, (\d\d)/(\d\d)/(\d{4}) - (\d\d):(\d\d)", printed):
        month, day, year, hour, minute = map(int, american.groups())
        return datetime(year, month, day, hour, minute, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    at = datetime.fromisoformat(printed) if printed[:4].isdigit() else parsedate_to_datetime(printed)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def synthetic_series() -> Iterator[Series]:
    """Sources with a rhythm that is known, or none: half a year each, the same in every run."""
    chance = random.Random(2021)

    def made(name: str, zone: str, first: date, draw: Callable[[int], Iterable[float]], days: int = 182) -> Series:
        times = []
        for number in range(days):
            for hour in draw((first + timedelta(days=number)).weekday() + 7 * number):
                wall = datetime.combine(first, datetime.min.time(), ZoneInfo(zone)) + timedelta(days=number, hours=hour)
                times.append(wall.astimezone(UTC))
        return Series(name, "made up", zone, tuple(sorted(times)))

    def uniform(count: int, low: float, high: float) -> list[float]:
        return [chance.uniform(low, high) for _ in range(count)]

    monday = date(2021, 1, 4)
    yield made("office hours in Beijing", "Asia/Shanghai", monday, lambda n: uniform(3, 9, 18) if n % 7 < 5 else ())
    yield made("round the clock", "UTC", monday, lambda n: uniform(6, 0, 24))
    yield made("one a week, any hour", "UTC", monday, lambda n: uniform(1, 0, 24) if chance.random() < 1 / 7 else ())
    yield made("a burst on Thursdays", "Europe/London", monday, lambda n: uniform(8, 16, 16.5) if n % 7 == 3 else ())
    yield made("over the change of clocks", "America/New_York", monday, lambda n: uniform(1, 16, 16.3) if n % 7 < 5 else ())
    yield made("evenings and weekends", "Europe/Rome", monday, lambda n: uniform(2, 19, 24))
    habit = iter(range(182))
    yield made("a habit that changes", "Asia/Tokyo", monday, lambda n: uniform(2, *((9, 10) if next(habit) < 120 else (18, 19))))


# --- who plans the looks -------------------------------------------------------------------------------------------------

Planner = Callable[[datetime, Sequence[datetime]], timedelta]
"""The wait after a look at that time, by what has been seen."""


def fixed(series: Series, minutes: int) -> Planner:
    """The same wait always."""
    return lambda now, seen: timedelta(minutes=minutes)


def miniflux(series: Series, minutes: int) -> Planner:
    """The week by its entries."""

    def wait(now: datetime, seen: Sequence[datetime]) -> timedelta:
        recent = seen[bisect_right(seen, now - WEEK) :]
        if len(recent) < 2 or recent[-1] == recent[0]:
            return DAY
        count = -(-WEEK // ((recent[-1] - recent[0]) / (len(recent) - 1)))
        return max(min(WEEK / count, DAY), 5 * MINUTE)

    return wait


def half_gap(series: Series, minutes: int) -> Planner:
    """Half the median gap of ten."""

    def wait(now: datetime, seen: Sequence[datetime]) -> timedelta:
        gaps = [after - before for before, after in pairwise(seen[-10:])]
        half = statistics.median(gaps) / 2 if gaps else timedelta(minutes=minutes)
        return max(min(half, 6 * HOUR), 5 * MINUTE, timedelta(minutes=minutes) / 2)

    return wait


def rhythm(series: Series, minutes: int) -> Planner:
    """Ours, which learns from each look."""
    learned, known, since = Rhythm(), 0, None

    def wait(now: datetime, seen: Sequence[datetime]) -> timedelta:
        nonlocal learned, known, since
        if len(seen) > known:
            learned = learn(learned, [(at, series.precision) for at in seen[known:]], time_zone=series.zone, since=since, now=now)
        known, since = len(seen), now
        return next_poll(learned, now, minutes, series.zone) - now

    return wait


WAYS: dict[str, Callable[[Series, int], Planner]] = {"fixed": fixed, "miniflux": miniflux, "half gap": half_gap, "rhythm": rhythm}


def play(series: Series, planner: Planner, offset: timedelta, scale: float) -> tuple[list[float], int]:
    """Minutes until each publication was seen, and how many looks that took."""
    now, end, times = series.start + offset, series.times[-1], series.times
    counted = seen = bisect_right(times, series.start)
    delays, looks = [], 0
    while seen < len(times) or now <= end:
        looks += now <= end
        fresh = bisect_right(times, now)
        delays += [(now - at) / MINUTE for at in times[max(seen, counted) : fresh]]
        seen = max(seen, fresh)
        now += planner(now, times[:seen]) * scale + LOOK
    return delays, looks


def play_all(series: Series, way: str, minutes: int, scale: float) -> tuple[list[float], int]:
    """From each of the starts."""
    runs = [play(series, WAYS[way](series, minutes), timedelta(minutes=minutes) * start / STARTS, scale) for start in range(STARTS)]
    return [delay for delays, _ in runs for delay in delays], sum(looks for _, looks in runs)


def matched(series: Series, way: str, minutes: int, wanted: int) -> tuple[list[float], float]:
    """The delays with as many looks as wanted, and the looks against those."""
    scale, best = 1.0, ([0.0], float("inf"))
    for _ in range(12):
        delays, looks = play_all(series, way, minutes, scale)
        ratio = looks / wanted
        if abs(ratio - 1) < abs(best[1] - 1):
            best = delays, ratio
        if abs(ratio - 1) <= 0.02:
            break
        scale *= ratio
    return best


# --- silence -------------------------------------------------------------------------------------------------------------


def recorded_days(recorded: Path, clocked: Iterable[Series]) -> dict[str, list[int]]:
    """The days on which sources published, of long records with days only and of those with clock times."""
    found: defaultdict[str, set[date]] = defaultdict(set)
    for path in (recorded / "us-ag-mn").glob("*.xml"):
        found["us-ag-mn"].update(parsedate_to_datetime(day).date() for day in re.findall(r"<pubDate>([^<]+)", path.read_text("utf-8")))
    for path in (recorded / "cn-shenzhen-policy").glob("*.xml"):
        found["cn-shenzhen"].update(parsedate_to_datetime(day).date() for day in re.findall(r"<pubDate>([^<]+)", path.read_text("utf-8")))
    with (recorded / "us-fda" / "fda_warning_letters_shared.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            month, day, year = map(int, row["posted_date"].split("/"))
            found["us-fda"].add(date(year, month, day))
    for row in json.loads((recorded / "us-ofac" / "ofac_civil_penalties_shared.json").read_text("utf-8")):
        found["us-ofac"].add(date.fromisoformat(row["date"][:10]))
    for row in json.loads((recorded / "uk-multi" / "uk_regulators_2025_shared.json").read_text("utf-8")):
        found[f"uk {row['authority']}"].add(date.fromisoformat(row["published_date"][:10]))
    for line in (recorded / "us-multi-dotgov" / "dotgov_news_shared.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        found[row["publisher"]].add(date.fromisoformat(row["published_at"][:10]))
    for series in clocked:
        found[series.name].update(at.astimezone(ZoneInfo(series.zone)).date() for at in series.times)
    return {name: sorted(day.toordinal() for day in days) for name, days in found.items() if len(days) > 20}


def print_silences(days: dict[str, list[int]], most: int) -> None:
    """How often a silence that ended would have been called too long, and after how many days one is."""
    longer, late, allowed, years = 0, 0, [], sum(one[-1] - one[0] for one in days.values()) / 365
    for known in days.values():
        for at in range(21, len(known)):
            silence, limit = known[at] - known[at - 1], usual_silence(Rhythm((), tuple(known[max(0, at - 64) : at])), most)
            late += silence > limit
            longer += silence > most
            allowed.append(limit)
    print(f"\nsilences: {len(days)} sources, {years:.0f} source-years, {len(allowed)} silences with 20 known before them")
    print(f"  too long for {most} days: {longer}; for what was usual: {late}; allowed are {statistics.mean(allowed):.1f} days on average")


# --- the table -----------------------------------------------------------------------------------------------------------


def _percentile(values: Sequence[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


def _figures(delays: Sequence[float]) -> tuple[float, float, float]:
    return statistics.mean(delays), statistics.median(delays), _percentile(delays, 0.95)


def run(recorded: Path, minutes: int, is_each: bool) -> None:
    """Play all sources and print the table."""
    clocked = [one for one in recorded_series(recorded) if len(one.times) >= LEAST]
    pooled: defaultdict[str, defaultdict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    ways = list(WAYS)[1:]
    print(f"{'':28} {'items':>6} {'requests':>8} {'fixed, minutes':>20} " + " ".join(f"{way:>17}" for way in ways))
    print(f"{'':28} {'':6} {'':8} " + " ".join(f"{'mean':>{w}} {'med':>5} {'p95':>5}" for w in (8, *(5 for _ in ways))))

    def line(name: str, items: int, requests: str, delays: dict[str, list[float]], note: str = "") -> None:
        base = _figures(delays["fixed"])
        cells = [f"{base[0]:8.1f} {base[1]:5.1f} {base[2]:5.1f}"]
        cells += [" ".join(f"{mine / its:5.2f}" for mine, its in zip(_figures(delays[way]), base, strict=True)) for way in ways]
        print(f"{name:28} {items:6} {requests:>8} " + " ".join(cells) + note, flush=True)

    for series in [*clocked, *synthetic_series()]:
        delays: dict[str, list[float]] = {}
        delays["fixed"], wanted = play_all(series, "fixed", minutes, 1.0)
        misses = []
        for way in ways:
            delays[way], ratio = matched(series, way, minutes, wanted)
            misses += [f" {way} {ratio:.2f}"] if abs(ratio - 1) > 0.02 else []
        for way, found in delays.items():
            pooled[series.group][way] += found
        if is_each or series.group in ("weeks", "made up"):
            line(series.name, len(series.times), str(wanted // STARTS), delays, "".join(misses))
    print()
    for group, delays in pooled.items():
        line(f"all of: {group}", len(delays["fixed"]) // STARTS, "", delays)
    print_silences(recorded_days(recorded, (one for one in clocked if one.group != "press")), 30)


def main() -> None:
    """Reads the arguments and runs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recorded", nargs="?", type=Path, default=ROOT.parent / "shared" / "recorded")
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--each", action="store_true", help="a line for each short record too")
    arguments = parser.parse_args()
    if not arguments.recorded.is_dir():
        raise SystemExit(f"{arguments.recorded} is not here: recorded material")
    run(arguments.recorded, arguments.minutes, arguments.each)


if __name__ == "__main__":
    main()
