"""Whose request it is: the address that a trusted proxy forwarded, or the peer's own, and what limits count it as."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import falcon

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
PREFIXES = {4: 32, 6: 64}
"""How much of an address is one customer's: IPv4 by itself, of IPv6 the /64 that one is given at the least."""
NOBODY = "unknown"


class Addresses:
    """Tell a client's address; only a trusted proxy is believed about whom it speaks for."""

    def __init__(self, trusted: Iterable[str]) -> None:
        self._networks = tuple(_unmapped(ip_network(text)) for text in trusted)
        self._trusts = functools.lru_cache(maxsize=1024)(self._is_trusted)

    def of(self, req: falcon.Request) -> str:
        """Return what limits count the sender of `req` as."""
        peer: str = req.env.get("REMOTE_ADDR", "")
        forwarded: str | None = req.env.get("HTTP_X_FORWARDED_FOR")
        if forwarded is not None and self._trusts(peer):
            return _counted(_last(forwarded)) or _counted(peer) or NOBODY
        return _counted(peer) or NOBODY

    def _is_trusted(self, peer: str) -> bool:
        if not peer:  # a Unix socket, whose permissions say who may connect
            return True
        address = read_address(peer)
        return address is not None and any(address in network for network in self._networks)


def read_address(text: str) -> Address | None:
    """Read an address as proxies write it, without the port, the zone, the brackets and the quotes; None for others."""
    host = text.strip().strip('"')
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:  # IPv6 has more
        host = host.partition(":")[0]
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    # What listens on IPv6 and takes IPv4 too sees the latter as `::ffff:192.0.2.7`.
    return getattr(address, "ipv4_mapped", None) or address


def network_of(address: Address) -> str:
    """Return the network that an address is counted as, the same however the address was written."""
    prefix = PREFIXES[address.version]
    if prefix == address.max_prefixlen:
        return str(address)
    return str(ip_network((address.packed, prefix), strict=False))


def _unmapped(network: Network) -> Network:
    """Return a network of IPv4 written as IPv6 as what it is, since the addresses in it are read so."""
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    return network if mapped is None else ip_network((mapped.packed, network.prefixlen - 96))


@functools.lru_cache(maxsize=4096)
def _counted(text: str) -> str | None:
    address = read_address(text)
    return None if address is None else network_of(address)


def _last(forwarded: str) -> str:
    """Return the last element of a list: the one that our own proxy wrote; empty ones count for nothing."""
    return forwarded.rstrip(" \t,").rpartition(",")[2]
