"""`python -m tests.chaos --kills 200 [--postgres] [--seed N] [--no-history]`: one run, its table, exit 1 when it is not clean."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import sys
import tempfile
from pathlib import Path

from tests.chaos.process import BREAKS
from tests.chaos.storm import EDGES, Plan, storm
from tests.conftest import postgres_database, postgres_server


def main() -> int:
    """The run that the arguments ask for."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=20, help="processes to kill")
    parser.add_argument("--postgres", action="store_true", help="three processes on one PostgreSQL, instead of one on SQLite")
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(2), "big"), help="of all chance; printed")
    parser.add_argument("--no-history", action="store_true", help="Slack does not let us read: at least once is all that is promised")
    parser.add_argument("--breaks", choices=BREAKS, default="", help="a promise that is not kept, to see that it is noticed")
    parser.add_argument("--edges", type=int, default=len(EDGES), help="changes of the clock to live through")
    parser.add_argument("--minutes", type=float, default=24 * 60.0, help="after which nobody is killed any more")
    parser.add_argument("--keep", type=Path, help="a folder for logs and the SQLite file, which stay; empty at the start")
    wanted = parser.parse_args()
    logging.basicConfig(format="%(asctime)s %(message)s")
    logging.getLogger("chaos").setLevel(logging.INFO)
    with contextlib.ExitStack() as stack:
        folder = wanted.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="regwatch-chaos-")))
        folder.mkdir(parents=True, exist_ok=True)
        url = f"sqlite:///{folder / 'regwatch.sqlite'}"
        if wanted.postgres:
            url = stack.enter_context(postgres_database(stack.enter_context(postgres_server())))
        found = asyncio.run(
            storm(
                Plan(
                    url=url,
                    folder=folder,
                    kills=wanted.kills,
                    seed=wanted.seed,
                    replicas=3 if wanted.postgres else 1,
                    edges=wanted.edges,
                    has_history=not wanted.no_history,
                    breaks=wanted.breaks,
                    minutes=wanted.minutes,
                )
            )
        )
    print(found.table())
    return 1 if found.lost or found.digests_twice or found.wrong or (found.twice and not wanted.no_history) else 0


if __name__ == "__main__":
    sys.exit(main())
