"""How quickly texts are read: matching against a plain expression of the same names, whole readings, building an index.

    python -m tests.benchmarks.bench_extract [../shared/eval] [--aliases 10000] [--rounds 5]

The texts are those of the label files, each once; the names are the shipped register's, filled up to `--aliases`
with made-up ones in both scripts. Each figure is the best of the rounds on one core, in MB of UTF-8 a second;
the expression is tried on a sample, since it is three orders of magnitude slower. Nothing is asserted: read the ratios.
"""

from __future__ import annotations

import argparse
import gc
import random
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from bot.evaluate import label_files, read_labels
from bot.explain import document_of
from bot.extract import FirmIndex, clean, extract
from bot.extract.names import Reading
from bot.feeds.catalog import load_catalogue
from storage.firms import shipped_register
from storage.models import AliasKind, Strength
from storage.records import AliasRow, DocumentText, FirmRow, Register
from storage.text import fold

SYLLABLES = [
    "ba",
    "co",
    "da",
    "fe",
    "gra",
    "hin",
    "ja",
    "kel",
    "lor",
    "mi",
    "nor",
    "po",
    "qua",
    "ras",
    "ste",
    "tur",
    "ve",
    "wol",
    "ya",
    "zen",
]
HAN = "安博创达恩丰格恒嘉凯蓝明宁欧普清荣盛腾维新亚中"


def padded(register: Register, count: int) -> Register:
    """The register with weak made-up names, until it has so many."""
    dice = random.Random(7)
    firms, aliases = list(register.firms), list(register.aliases)
    while len(aliases) < count:
        word = "".join(dice.choices(SYLLABLES, k=3)).title()
        text = f"{word} {''.join(dice.choices(SYLLABLES, k=2)).title()}" if len(aliases) % 2 else "".join(dice.choices(HAN, k=4))
        firm = FirmRow(f"made-{len(aliases)}", text)
        firms.append(firm)
        aliases.append(AliasRow(firm.id, text, AliasKind.SHORT, Strength.WEAK))
    return replace(register, firms=tuple(firms), aliases=tuple(aliases))


def best(work: Callable[[], object], rounds: int) -> float:
    """Seconds of the quickest round."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def resident() -> float:
    """MB that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


def match(index: FirmIndex, texts: Sequence[str]) -> None:
    """Clean, fold, scan, filter by edges, case and length."""
    for text in texts:
        whole = clean(text)
        index.scan(Reading(whole, fold(whole), 0, "en", None, [], set()))


def main() -> None:
    """Print the figures."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", nargs="?", type=Path, default=Path("../shared/eval"))
    options.add_argument("--aliases", type=int, default=10_000)
    options.add_argument("--rounds", type=int, default=5)
    given = options.parse_args()
    register = padded(shipped_register(load_catalogue().regulators), given.aliases)
    labels = [label for path in label_files(given.folder) for label in read_labels(path)]
    documents: list[DocumentText] = [document_of({**label.row, "regulator": ""}, register) for label in labels]
    texts = [document.whole for document in documents]
    size = sum(len(text.encode()) for text in texts) / 1e6
    index = FirmIndex(register)
    matching = size / best(lambda: match(index, texts), given.rounds)
    reading = size / best(lambda: [extract(document, index) for document in documents], given.rounds)

    sample = texts[:: max(1, len(texts) // 40)]
    names = sorted({alias.text for alias in register.aliases}, key=len, reverse=True)
    expression = re.compile("|".join(map(re.escape, names)), re.IGNORECASE)
    plain = sum(len(text.encode()) for text in sample) / 1e6 / best(lambda: [expression.findall(text) for text in sample], 1)

    big = padded(register, 100_000)
    gc.collect()
    before, start = resident(), time.perf_counter()
    built = FirmIndex(big)
    seconds = time.perf_counter() - start
    print(f"texts            {len(texts)} of {size:.2f} MB; {len(register.aliases)} aliases")
    print(f"matching         {matching:8.2f} MB/s  {matching / plain:6.0f} times a plain alternation ({plain:.4f} MB/s)")
    each = 1e3 * size / reading / len(texts)
    print(f"whole reading    {reading:8.2f} MB/s  {reading / matching:6.2f} of matching alone; {each:.2f} ms a text")
    print(f"100,000 aliases  {seconds:8.2f} s to build, {resident() - before:.0f} MB; version {built.version}")


if __name__ == "__main__":
    main()
