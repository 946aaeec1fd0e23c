"""Which addresses may be asked: those of the public internet, and private ones that the settings allow.

Whoever may name a URL here could otherwise reach what only this machine can: its loopback, its network, the metadata
service of its cloud. A name is resolved once, each of its addresses is looked at, and the caller connects to one that
was looked at; a second resolution could answer otherwise.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

_TRANSLATED: Final = IPv6Network("64:ff9b::/96")  # an IPv4 address behind a translator


class Refused(Exception):
    """The target is one that nobody here may reach, or none at all."""


class Unresolved(Exception):
    """The name has no address now."""


class Guard:
    def __init__(self, allowed: Iterable[Network] = (), resolve: Resolve | None = None) -> None:
        """`allowed`: networks that may be asked though they are not public."""
        self._allowed = tuple(allowed)
        self._resolve = resolve or _resolved

    async def addresses(self, host: str, port: int) -> list[str]:
        """Addresses of a host that may be asked, in the resolver's order. Refused: one of them may not; Unresolved."""
        try:
            literal = ip_address(host)
        except ValueError:
            found = await self._resolve(host, port)
        else:
            found = [str(literal)]
        if not found:
            raise Unresolved(f"{host} has no address")
        for text in found:
            if not self.allows(ip_address(text.partition("%")[0])):
                raise Refused(
                    f"{host} is at {text}, which is not public; outgoing.allowed_networks says what else may be"
                )
        return list(found)

    def allows(self, address: Address) -> bool:
        if any(address in network for network in self._allowed):
            return True
        inner = _inner(address)
        if inner is not None:
            return self.allows(inner)
        return address.is_global and not address.is_multicast


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Of "10.0.0.0/8", "::1" and the like; ValueError names the wrong one."""
    found = []
    for text in texts:
        try:
            found.append(ip_network(text))
        except ValueError as error:
            raise ValueError(f"outgoing.allowed_networks: {text!r} is no network: {error}") from None
    return tuple(found)


def _inner(address: Address) -> IPv4Address | None:
    """The IPv4 address that one of IPv6 leads to."""
    if isinstance(address, IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in _TRANSLATED else None


async def _resolved(host: str, port: int) -> Sequence[str]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unresolved(f"{host} cannot be resolved: {error}") from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
