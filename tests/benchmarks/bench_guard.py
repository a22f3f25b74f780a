"""What a hostile answer costs: peak memory, time, and how long the event loop is held up, one process for each.

    python -m tests.benchmarks.bench_guard

Every bomb is fetched in a process of its own, from a server in another one; the figures are above that process's
idle size. The limits that they are judged by are the tests' (tests/test_guard.py); nothing here fails.
"""

from __future__ import annotations

import asyncio
import gzip
import multiprocessing
import resource
import sys
import time
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection

OK = b"HTTP/1.1 200 OK\r\n"


def _inflating(wbits: int) -> bytes:
    packer = zlib.compressobj(9, wbits=wbits)
    zeros = bytes(2**20)
    return b"".join(packer.compress(zeros) for _ in range(1024)) + packer.flush()


def _packed(name: str, body: Callable[[], bytes]) -> Callable[[], tuple[bytes, bytes]]:
    return lambda: (OK + f"Content-Encoding: {name}\r\n\r\n".encode(), body())


CASES: dict[str, Callable[[], tuple[bytes, bytes]]] = {
    "an ordinary feed of 1 MB": lambda: (OK + b"Content-Length: 1048576\r\n\r\n", b"<item/>\n" * 131_072),
    "gzip: 1 MB that inflates to 1 GB": _packed("gzip", lambda: _inflating(31)),
    "deflate: 1 MB that inflates to 1 GB": _packed("deflate", lambda: _inflating(15)),
    "gzip of gzip": _packed("gzip", lambda: gzip.compress(_inflating(31))),
    "gzip, gzip, said twice": _packed("gzip, gzip", lambda: gzip.compress(_inflating(31))),
    "br": _packed("br", lambda: b"\x5b\xff\xff\x3f" * 2**20),
    "zstd": _packed("zstd", lambda: b"\x28\xb5\x2f\xfd" * 2**20),
    "a million empty members of gzip": _packed("gzip", lambda: gzip.compress(b"") * 10**6),
    "200 MB, plain": lambda: (OK + b"\r\n", b"<item/>\n" * (200 * 2**17)),
    "200 MB in one chunk": lambda: (OK + b"Transfer-Encoding: chunked\r\n\r\nc800000\r\n", b"<item/>\n" * (200 * 2**17)),
    "a million headers": lambda: (OK, b"".join(b"X-%d: y\r\n" % number for number in range(10**6))),
    "a header of 100 MB": lambda: (OK + b"X: ", b"y" * 100 * 2**20),
    "a chunk extension of 100 MB": lambda: (OK + b"Transfer-Encoding: chunked\r\n\r\n5;", b"y" * 100 * 2**20),
}


def _serve(name: str, told: Connection) -> None:
    head, body = CASES[name]()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(head)
            for start in range(0, len(body), 2**16):
                writer.write(body[start : start + 2**16])
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def run() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        told.send(server.sockets[0].getsockname()[1])
        async with server:
            await server.serve_forever()

    asyncio.run(run())


def _peak() -> float:
    """Of this process, in MB. Linux counts kilobytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def _fetch(port: int, told: Connection) -> None:
    from bot.feeds.fetch import Fetcher

    async def run() -> None:
        worst, is_over = 0.0, False

        async def watch() -> None:
            nonlocal worst
            while not is_over:
                before = time.perf_counter()
                await asyncio.sleep(0.001)
                worst = max(worst, time.perf_counter() - before - 0.001)

        allow = frozenset({f"127.0.0.1:{port}"})
        async with Fetcher(now=lambda: datetime.now(UTC), allow=allow, host_gap=timedelta()) as http, asyncio.TaskGroup() as group:
            # a refused connection brings in what any fetch needs
            await http.get("http://127.0.0.1:1/")
            idle, started = _peak(), time.perf_counter()
            group.create_task(watch())
            await asyncio.sleep(0.01)
            got = await http.get(f"http://127.0.0.1:{port}/")
            seconds, is_over = time.perf_counter() - started - 0.01, True
        words = getattr(got, "detail", "") or f"fetched, {len(getattr(got, 'body', b'')):,} bytes"
        told.send((_peak() - idle, seconds, worst, words.partition(";")[0]))

    asyncio.run(run())


def main() -> None:
    """Prints one line a case."""
    start = multiprocessing.get_context("spawn")
    print(f"{'case':38} {'peak MB':>8} {'seconds':>8} {'loop ms':>8}  what came of it")
    for name in CASES:
        port_in, port_out = start.Pipe()
        figures_in, figures_out = start.Pipe()
        server = start.Process(target=_serve, args=(name, port_out), daemon=True)
        server.start()
        client = start.Process(target=_fetch, args=(port_in.recv(), figures_out), daemon=True)
        client.start()
        peak, seconds, worst, words = figures_in.recv()
        print(f"{name:38} {peak:8.1f} {seconds:8.2f} {worst * 1000:8.0f}  {words[:90]}", flush=True)
        client.join()
        server.terminate()
        server.join()


if __name__ == "__main__":
    main()
