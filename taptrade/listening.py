"""Addresses to listen on, of both kinds: what a host means, how it is written with a port, how it is reached."""

from __future__ import annotations

import socket

from runtime.settings import SettingsError

LOOPBACK_OF = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  it is looked up, not bound
"""Who listens on all addresses is reached by this one."""


def address_of(host: str, variable: str = "TAPTRADE_HOST") -> str:
    """Return the address that a host means; of a name's addresses one of version 4, if it has any.

    Raise SettingsError if it means none.
    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as ex:
        raise SettingsError(f"{variable}={host}: no address is known for this host") from ex
    found.sort(key=lambda one: one[0] != socket.AF_INET)
    return str(found[0][4][0])


def with_port(address: str, port: int) -> str:
    """Write an address and a port as one word."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def reachable(host: str) -> str:
    """Return the address under which this machine reaches what listens on a host."""
    address = address_of(host)
    return LOOPBACK_OF.get(address, address)


def url_of(host: str, port: int) -> str:
    """Return the URL under which this machine reaches what listens on a host."""
    return f"http://{with_port(reachable(host), port)}"
