"""An internet of one machine: names that a test spells out, and public addresses behind which a FakeWeb stands."""

from __future__ import annotations

import asyncio
import errno
import socket

from aiohttp.abc import AbstractResolver, ResolveResult

from bot.feeds.guard import is_public


class Internet(AbstractResolver):
    """Give it to a Fetcher as its resolver, then `connect_to` a port of this machine.

    `names` maps a name to its addresses; a name with several tuples answers them in turn and then repeats the
    last. Numbers in any spelling that the C library reads are addresses. `reached` holds what was connected to.
    """

    def __init__(self, names: dict[str, list[tuple[str, ...]]] | None = None) -> None:
        self.names = names or {}
        self.asked: list[str] = []
        self.reached: list[str] = []

    def connect_to(self, port: int, loop: asyncio.AbstractEventLoop) -> None:
        """From now on a connection to a public address, on any port, ends at `port` of this machine."""
        real = loop.sock_connect

        async def sock_connect(sock: socket.socket, address: tuple[str, int]) -> None:
            self.reached.append(address[0])
            if not is_public(address[0]):
                return await real(sock, address)
            if sock.family != socket.AF_INET:
                raise OSError(errno.ENETUNREACH, "there is no IPv6 here")
            return await real(sock, ("127.0.0.1", port))

        loop.sock_connect = sock_connect  # type: ignore[method-assign, assignment]

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[ResolveResult]:
        self.asked.append(host)
        answers = self.names.get(host)
        if answers:
            found = answers.pop(0) if len(answers) > 1 else answers[0]
        else:
            try:
                found = (socket.inet_ntoa(socket.inet_aton(host)),)
            except OSError:
                raise OSError(f"no name {host}") from None
        return [
            ResolveResult(hostname=host, host=one, port=port, family=socket.AF_INET6 if ":" in one else socket.AF_INET, proto=0, flags=0)
            for one in found
        ]

    async def close(self) -> None:
        return None
