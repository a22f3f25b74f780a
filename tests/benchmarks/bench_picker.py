"""How quickly a picker answers a keystroke: p50 and p99 over many texts, the time and memory that making it takes.

    python -m tests.benchmarks.bench_picker [--aliases 100000] [--rounds 3]

The names are the shipped register's, and beside them so many made-up ones in both scripts. What is typed are the
first letters of real names, middles of them, words that half of the names share, and texts that no name holds.
Times are those of one core, whatever else the machine does.
Must: p99 below 100 ms; wished: below 10 ms. Nothing is asserted here; tests/test_picker.py holds a smaller one to it.
"""

from __future__ import annotations

import argparse
import gc
import random
import time
import tracemalloc

from bot.feeds.catalog import load_catalogue
from bot.slack.picker import FirmPicker, zones
from storage.firms import shipped_register
from storage.records import Register
from storage.text import fold
from tests.benchmarks.bench_extract import padded, resident


def texts(register: Register, count: int) -> dict[str, list[str]]:
    """What people type, by what makes it hard."""
    dice = random.Random(11)
    names = [alias.text for alias in dice.sample(register.aliases, count)]
    return {
        "first two characters": [name[:2] for name in names],
        "first four": [name[:4] for name in names],
        "a whole name": names,
        "a middle of three": [name[len(name) // 2 :][:3] for name in names],
        "one character": [dice.choice(name) for name in names],
        "two words apart": [f"{name.split()[-1][:4]} {name[:3]}" for name in names],
        "what no name holds": [f"{name[1:3]}q{name[:3]}" for name in names],
        "common words": ["co", "ltd", "bank", "group", "有限公司", "银行", "股份", "s", "a", "中", "ltd co"] * (count // 10),
    }


def main() -> None:
    """Prints one line for each way of typing."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--aliases", type=int, default=100_000)
    options.add_argument("--rounds", type=int, default=3)
    given = options.parse_args()
    shipped = shipped_register(load_catalogue().regulators)
    register = padded(shipped, len(shipped.aliases) + given.aliases)
    fold("x")  # its table is built at first use
    gc.collect()
    before, started = resident(), time.thread_time()
    picker = FirmPicker(register)
    seconds = time.thread_time() - started
    gc.collect()
    held = resident() - before
    tracemalloc.start()
    FirmPicker(register)
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    print(
        f"{len(register.aliases):,} aliases of {len(register.firms):,} firms: made in {seconds:.2f} s, "
        f"{held:.0f} MB held, {peak:.0f} MB at its peak"
    )
    print(f"{'typed':24} {'p50 ms':>8} {'p99 ms':>8} {'worst':>8} {'options':>8}")
    whole: list[float] = []
    for kind, typed in texts(register, 500).items():
        times, found = [], 0
        for _ in range(given.rounds):
            for text in typed:
                began = time.thread_time()
                found += len(picker.options(text))
                times.append(1000 * (time.thread_time() - began))
        whole += times
        print_line(kind, times, found / len(times))
    print_line("all", whole, 0)
    times = []
    for text in ("taipei", "北京", "new", "a", "xyz") * 100:
        began = time.thread_time()
        zones(text)
        times.append(1000 * (time.thread_time() - began))
    print_line("time zones", times, 0)


def print_line(kind: str, times: list[float], found: float) -> None:
    """Percentiles of milliseconds, and how many options there were on average."""
    ranked = sorted(times)
    p50, p99 = ranked[len(ranked) // 2], ranked[int(len(ranked) * 0.99)]
    print(
        f"{kind:24} {p50:8.2f} {p99:8.2f} {ranked[-1]:8.2f} {found:8.1f}" if found else f"{kind:24} {p50:8.2f} {p99:8.2f} {ranked[-1]:8.2f}"
    )


if __name__ == "__main__":
    main()
