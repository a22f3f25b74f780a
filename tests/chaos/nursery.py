"""Processes that start at once: forked from one that has imported the service and done nothing else.

`Nursery` is the harness's end. `serve` runs in the process that forks (`python -c`: of a main module that is a file, each child that
parses a feed would import all of it anew). What is forked is a process like any other: it serves with the real settings of its
environment, and SIGKILL leaves nothing of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Born:
    """A process that was forked."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = asyncio.Event()

    def end(self, code: int) -> None:
        """It ended so: below zero by a signal."""
        self.returncode = code
        self._ended.set()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, unless it has ended."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def wait(self) -> int:
        """Its exit code, once it has ended."""
        await self._ended.wait()
        assert self.returncode is not None
        return self.returncode


class Nursery:
    """`async with Nursery(environment) as nursery:`; what it bore ends with it."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        self._environment, self._log = dict(environment), log
        self._process: asyncio.subprocess.Process | None = None
        self._born: dict[int, Born] = {}
        self._births: asyncio.Queue[int] = asyncio.Queue()
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Nursery:
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-c",
                "from tests.chaos.nursery import serve; serve()",
                env=self._environment,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()  # the end of its orders is its end, and that of all it bore
        await self._process.wait()
        assert self._reading is not None
        await self._reading

    async def start(self, *, environment: Mapping[str, str], folder: Path, log: Path, arguments: list[str]) -> Born:
        """A new process of the service."""
        assert self._process is not None
        assert self._process.stdin is not None
        order = {"environment": dict(environment), "folder": str(folder), "log": str(log), "arguments": arguments}
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        async with asyncio.timeout(120):
            return self._born[await self._births.get()]

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            what, *numbers = line.split()
            if what == b"born":
                self._born[int(numbers[0])] = Born(int(numbers[0]))
                self._births.put_nowait(int(numbers[0]))
            else:
                self._born[int(numbers[0])].end(int(numbers[1]))


# --- in the process that forks -----------------------------------------------------------------------------------------------


def serve() -> None:
    """Fork a process for each order, and say which were born and how they ended."""
    # all that a process of the service imports while it starts and works, and that keeps no thread

    import bot.slack.install
    import bot.slack.orders  # noqa: F401
    from tests.chaos.process import run

    ended, bell = socket.socketpair()
    ended.setblocking(False)
    bell.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(bell.fileno(), warn_on_full_buffer=False)
    alive: set[int] = set()
    orders = b""
    while True:
        ready, _, _ = select.select([0, ended], [], [])
        if ended in ready:
            with contextlib.suppress(BlockingIOError):
                ended.recv(4096)
            alive -= _reap(alive)
        if 0 not in ready:
            continue
        read = os.read(0, 65536)
        if not read:
            break
        *lines, orders = (orders + read).split(b"\n")
        for line in lines:
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                _live(run, json.loads(line))
            alive.add(pid)
            _say(f"born {pid}")
    for pid in alive:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _reap(alive: set[int]) -> set[int]:
    gone = set()
    for one in alive:
        pid, status = os.waitpid(one, os.WNOHANG)
        if pid:
            gone.add(pid)
            _say(f"ended {pid} {os.waitstatus_to_exitcode(status)}")
    return gone


def _say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def _live(run: Any, order: dict[str, Any]) -> None:
    """The life of a process that was forked."""
    log = os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for own, other in ((0, nothing), (1, log), (2, log)):
        os.dup2(other, own)
    os.chdir(order["folder"])
    os.environ.update(order["environment"])
    sys.argv[1:] = order["arguments"]
    code = 1
    try:
        run()
        code = 0
    except BaseException:  # whatever it is, this process must not go on where it was forked
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)
