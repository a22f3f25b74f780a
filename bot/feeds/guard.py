"""Which addresses may be reached, and in which order.

What can be known before connecting is refused by `Guard.check`; what only DNS knows is refused by
`guarded_socket`, which sees the address of every single connection: literal, redirected, or a name that answers
otherwise the second time. `request` has read the address, `fetch` is the only caller.
"""

from __future__ import annotations

import ipaddress
import socket
from contextvars import ContextVar

from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

_FORBIDDEN = tuple(
    ipaddress.ip_network(network)
    for network in (
        # what is_global of Python 3.11 lets pass, or calls global in some release
        "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "224.0.0.0/4", "240.0.0.0/4",
        # IPv4-compatible, NAT64 (both prefixes), Teredo, 6to4, site-local, multicast: each can carry an inside address
        "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16", "fec0::/10", "ff00::/8",
    )
)  # fmt: skip

# the hop that this task connects for may go anywhere: its host and port were allowed by the operator, or it is his proxy
_is_let_through: ContextVar[bool] = ContextVar("is_let_through", default=False)


class Refused(OSError):
    """The guard's no; the text says why."""


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def is_public(address: str) -> bool:
    """Whether an IP address is one that a source may be fetched from. False for what is no address."""
    ip = _ip(address)
    if ip is None:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _FORBIDDEN)


def guarded_socket(info: tuple[int, int, int, str, tuple[object, ...]]) -> socket.socket:
    """The connector's socket factory: the last look at the address that is really connected to. Raises Refused."""
    family, type_, proto, _, address = info
    if not _is_let_through.get() and not is_public(str(address[0])):
        raise Refused(f"{address[0]} is an inside address")
    return socket.socket(family=family, type=type_, proto=proto)


class Addresses(AbstractResolver):
    """Names to addresses; for hosts under .gov.cn the IPv4 ones come first, because several fail over IPv6."""

    def __init__(self, resolver: AbstractResolver | None) -> None:
        self._resolver = resolver

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[ResolveResult]:
        """As the resolver below says, in our order."""
        if self._resolver is None:
            self._resolver = ThreadedResolver()  # it needs a running loop
        found = await self._resolver.resolve(host, port, family)
        if is_under_gov_cn(host):
            found.sort(key=lambda one: one["family"] != socket.AF_INET)
        return found

    async def close(self) -> None:
        """Nothing is held: the resolver below belongs to whoever made it."""


def is_under_gov_cn(host: str) -> bool:
    """Whether the host is one of China's government."""
    return host.rstrip(".").endswith(".gov.cn")


class Guard:
    """What may be asked for before it is connected to. `allow` holds `host:port` pairs that may be anywhere.

    With `is_proxied` the sockets go to the operator's proxy, so names are looked up here first. A proxy that looks
    a name up again may be told another address: what it then reaches is the proxy's to forbid.
    """

    def __init__(self, allow: frozenset[str], addresses: Addresses, *, is_proxied: bool) -> None:
        self._allow = frozenset(pair.lower().replace("[", "").replace("]", "") for pair in allow)
        self._addresses = addresses
        self._is_proxied = is_proxied

    def look(self, url: URL) -> bool:
        """Whether the address was allowed by the operator. Raises Refused for what is wrong with its very spelling."""
        if url.user or url.password:
            raise Refused("it carries a user name")
        is_allowed = f"{url.host}:{url.port}" in self._allow
        if url.port not in (80, 443) and not is_allowed:
            raise Refused(f"port {url.port} is not 80 or 443")
        return is_allowed

    async def check(self, url: URL) -> None:
        """Raises Refused for what can be known before connecting; `guarded_socket` knows the rest in this task."""
        is_allowed, host, port = self.look(url), url.host or "", url.port or 0
        _is_let_through.set(is_allowed or self._is_proxied)
        if not self._is_proxied or is_allowed:
            return
        found = [host] if _ip(host) else [str(one["host"]) for one in await self._addresses.resolve(host, port)]
        for address in found:
            if not is_public(address):
                raise Refused(f"{address} is an inside address")
