"""How long a slash command waits for its acknowledgement while the same process polls 300 sources that all changed.

    python -m tests.benchmarks.bench_ack [--sources 300] [--per-second 5]

Feeds, and a Slack to answer to, are served by another process on loopback; poller, reader, database (a SQLite file)
and Bolt are the real ones in this process. A command is timed from the moment it was due to arrive, so a loop that
stands still is not let off for the commands that could not even begin. Slack gives up after 3 s; the aim is 100 ms for 99 of 100.
The second table is the same without a poll. Nothing here fails.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import urlencode

QUESTIONS = ("tencent", "actions 阿里巴巴 since:30d", "subscribe list", "sources", "help", "firm bytedance")
TEXTS = (
    ("Regulator fines {firm} over disclosure {n}", "The authority fined {firm} 500,000 yuan on Monday over late disclosure. "),
    ("Agency opens investigation into {firm}, case {n}", "The authority opened an investigation into {firm}. "),
    ("Workshop on supervision, part {n}", "The authority holds a workshop on supervision; registration is open until Friday. "),
    ("关于对{firm}作出行政处罚的公告{n}", "监管机构依法对{firm}作出行政处罚决定，罚款五十万元。"),
    ("Speech on markets, number {n}", "Good morning, and thank you for having me. "),
)
FILLER = "Supervision works when it is patient, and those who are supervised know what is asked of them. " * 15
ENTRIES = 20


def _feed(number: int, is_changed: bool, firms: Sequence[str]) -> bytes:
    """20 entries of some 1,500 characters, three of five about an act; of the changed one, five are new."""
    now = datetime.now(UTC)
    items = []
    for at in range(-5 if is_changed else 0, ENTRIES):
        title, text = TEXTS[(number + at) % len(TEXTS)]
        named = {"firm": firms[(number * ENTRIES + at) % len(firms)], "n": f"{number}-{at}"}
        date = f"{now - timedelta(minutes=30 if at < 0 else 1440 * (at + 1)):%a, %d %b %Y %H:%M:%S} GMT"
        items.append(
            f"<item><guid isPermaLink='false'>{number}:{at}</guid><title>{title.format(**named)}</title><pubDate>{date}</pubDate>"
            f"<link>http://x.example/{number}/{at}</link><description>{text.format(**named)}{FILLER}</description></item>"
        )
    head = f"<title>Authority {number}</title><link>http://x.example/</link><description>News</description>"
    return f"<?xml version='1.0'?><rss version='2.0'><channel>{head}{''.join(items)}</channel></rss>".encode()


def _serve(sources: int, told: Connection) -> None:
    """Each source has an address of its own in 127.0.0.0/8, as it has a host of its own in life."""
    from aiohttp import web

    from bot.feeds.catalog import load_catalogue
    from storage.firms import shipped_register
    from tests.fakes.slack import SlackStub

    firms = [firm.name for firm in shipped_register(load_catalogue(contact=None).regulators).firms if "&" not in firm.name]

    state = {"changed": False}

    async def feed(request: web.Request) -> web.Response:
        return web.Response(body=_feed(int(request.match_info["n"]), state["changed"], firms), content_type="application/rss+xml")

    async def change(_: web.Request) -> web.Response:
        state["changed"] = True
        return web.Response()

    async def run() -> None:
        app = web.Application()
        app.router.add_get("/feed/{n}.xml", feed)
        app.router.add_post("/change", change)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        port = 0
        for number in range(sources):
            site = web.TCPSite(runner, _address(number), port)
            await site.start()
            port = port or runner.addresses[0][1]
        async with SlackStub() as slack:
            slack.add_channel("C1")
            slack.add_user("U1")
            told.send((port, slack.url, slack.response_url()))
            await asyncio.Event().wait()

    asyncio.run(run())


def _address(number: int) -> str:
    return f"127.0.{1 + number // 250}.{1 + number % 250}"


async def _ask(send: Callable[[str], Awaitable[object]], waits: list[float], per_second: float, is_over: asyncio.Event) -> None:
    """A command every so often, whatever became of the one before."""
    clock, number = time.perf_counter, 0
    started = clock()

    async def one(due: float, text: str) -> None:
        await send(text)
        waits.append(clock() - due)

    async with asyncio.TaskGroup() as group:
        while not is_over.is_set():
            due = started + number / per_second
            await asyncio.sleep(max(0.0, due - clock()))
            group.create_task(one(due, QUESTIONS[number % len(QUESTIONS)]))
            number += 1


async def _lag(lags: list[float], is_over: asyncio.Event) -> None:
    """How much later than asked for the loop comes back."""
    while not is_over.is_set():
        before = time.perf_counter()
        await asyncio.sleep(0.002)
        lags.append(time.perf_counter() - before - 0.002)


_steps: list[float] = []


def _time_each_step() -> None:
    """Of every callback of the loop, the processor time: what stands in the way of others, however busy the machine is."""
    run = asyncio.events.Handle._run

    def timed(self: asyncio.Handle) -> None:
        began = time.thread_time()
        run(self)
        _steps.append(time.thread_time() - began)

    asyncio.events.Handle._run = timed  # type: ignore[method-assign]


def _steps_so_far() -> list[float]:
    found = list(_steps)
    _steps.clear()
    return found


def _line(name: str, values: list[float]) -> str:
    ordered = sorted(values)
    at = [ordered[min(int(len(ordered) * part), len(ordered) - 1)] * 1000 for part in (0.5, 0.95, 0.99)]
    return f"{name:32} {len(ordered):6} {at[0]:8.1f} {at[1]:8.1f} {at[2]:8.1f} {ordered[-1] * 1000:8.1f}"


async def _measure(sources: int, per_second: float, port: int, slack_url: str, response_url: str, folder: Path) -> None:
    import aiohttp
    from slack_bolt.async_app import AsyncApp
    from slack_bolt.request.async_request import AsyncBoltRequest

    from bot.app import keep_what_is_there, open_store, poller_for, utc_now
    from bot.config import load_settings
    from bot.deliver import make_client
    from bot.feeds.catalog import load_catalogue
    from bot.slack import register
    from bot.transport import answers_under_way
    from storage.intents import ChannelKey, FollowIntent
    from storage.models import Followed
    from tests.end_to_end.loopback import write_catalogue
    from tests.fakes.slack import TOKEN

    addresses = [f"http://{_address(number)}:{port}/feed/{number}.xml" for number in range(sources)]
    regulators = [one.id for one in load_catalogue(contact=None).regulators]
    rows = [
        {"source_id": f"s{number}", "regulator_id": regulators[number % len(regulators)], "url": url}
        for number, url in enumerate(addresses)
    ]
    write_catalogue(folder / "sources.csv", rows)
    settings = load_settings(
        database_url=f"sqlite:///{folder / 'bench.sqlite'}",
        sources=str(folder / "sources.csv"),
        fetch_allow=frozenset(f"{_address(number)}:{port}" for number in range(sources)),
        host_gap_seconds=0.0,
        requests_per_minute=6000,
    )
    store = await open_store(settings)
    await store.follow(FollowIntent(ChannelKey("T1", "C1"), "U1", Followed.ALL))
    ids = [row["source_id"] for row in rows]
    async with aiohttp.ClientSession() as session, poller_for(settings, store) as poller:
        app = AsyncApp(client=make_client(TOKEN, slack_url, session=session))
        register(app, store, now=utc_now)
        answered = answers_under_way(app, 30)

        async def send(text: str) -> None:
            body = {
                "command": "/regwatch",
                "text": text,
                "team_id": "T1",
                "channel_id": "C1",
                "user_id": "U1",
                "response_url": response_url,
            }
            request = AsyncBoltRequest(mode="socket_mode", body=urlencode(body))
            answer = await app.async_dispatch(request)
            assert answer.status == 200, answer.body

        async def watch(work: Awaitable[object]) -> tuple[list[float], list[float], float]:
            waits: list[float] = []
            lags: list[float] = []
            is_over = asyncio.Event()
            started = time.perf_counter()
            async with asyncio.TaskGroup() as group:
                group.create_task(_ask(send, waits, per_second, is_over))
                group.create_task(_lag(lags, is_over))
                await work
                seconds = time.perf_counter() - started
                is_over.set()
            return waits, lags, seconds

        first = await poller.poll(ids)
        await send("help")
        keep_what_is_there()
        async with session.post(f"http://{_address(0)}:{port}/change") as answer:
            answer.raise_for_status()
        lines: list[object] = []
        _steps_so_far()
        waits, lags, seconds = await watch(poller.poll(ids, on_done=lines.append))
        busy_steps = _steps_so_far()
        idle_waits, idle_lags, _ = await watch(asyncio.sleep(min(seconds, 15)))
        await answered()
    counts = await store.counts()
    await store.close()
    print(
        f"{len(first)} sources known, {len(lines)} polled again in {seconds:.1f} s; {counts['documents']} documents, "
        f"{counts['actions']} actions, {counts['deliveries_owed']} messages owed"
    )
    print(f"{'milliseconds':32} {'n':>6} {'p50':>8} {'p95':>8} {'p99':>8} {'max':>8}")
    print(_line("acknowledgement, during the poll", waits))
    print(_line("loop lag, during the poll", lags))
    print(_line("a step's processor time, then", busy_steps))
    print(_line("acknowledgement, no poll", idle_waits))
    print(_line("loop lag, no poll", idle_lags))


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sources", type=int, default=300)
    parser.add_argument("--per-second", type=float, default=5)
    wanted = parser.parse_args()
    _time_each_step()
    start = multiprocessing.get_context("spawn")
    port_in, port_out = start.Pipe()
    server = start.Process(target=_serve, args=(wanted.sources, port_out), daemon=True)
    server.start()
    try:
        with tempfile.TemporaryDirectory(prefix="regwatch-ack-") as folder:
            asyncio.run(_measure(wanted.sources, wanted.per_second, *port_in.recv(), Path(folder)))
    finally:
        server.terminate()
        server.join()


if __name__ == "__main__":
    main()
