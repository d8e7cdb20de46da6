"""Where webhooks may go: to public addresses, each name resolved once and the connection made to what that gave."""

from __future__ import annotations

import socket
from ipaddress import ip_address
from urllib.parse import urlsplit

from runtime.errors import TaptradeError
from runtime.hosts import shown_host

URL_LENGTH_MAX = 500
PORTS = {"http": 80, "https": 443}


class TargetRefused(TaptradeError):
    """A webhook must not go to this address."""


def check_url(url: str, *, private: bool) -> None:
    """Raise TargetRefused for what no webhook can go to; over plain HTTP it may only where private targets may be."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as ex:
        raise TargetRefused(f"{url} is no address: {ex}") from ex
    if len(url) > URL_LENGTH_MAX or parts.scheme not in PORTS or not parts.hostname or port == 0:
        raise TargetRefused(f"{url} is no address such as https://example.com/hook")
    if parts.username is not None or parts.fragment:
        raise TargetRefused("the address holds a name, a password or a fragment, and none of them is sent")
    if parts.scheme == "http" and not private:
        raise TargetRefused("only https:// goes: what is sent tells of players' money")
    try:
        shown_host(parts.netloc)
    except ValueError as ex:
        raise TargetRefused(f"{parts.netloc}: {ex}") from ex


def resolve(url: str, *, private: bool) -> str:
    """Return the address to connect to; raise TargetRefused if any that the name has is not public."""
    parts = urlsplit(url)
    port = parts.port or PORTS[parts.scheme]
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as ex:
        raise TargetRefused(f"no address is known for {parts.hostname}") from ex
    addresses = [str(one[4][0]) for one in found]
    if not private:
        for address in addresses:
            if not is_public(address):
                raise TargetRefused(f"{parts.hostname} is {address}, which is not public")
    return addresses[0]


def is_public(text: str) -> bool:
    """Tell whether an address is one of the internet's, also where it is written inside another."""
    address = ip_address(text.partition("%")[0])
    if address.version == 6:
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is not None:
            return is_public(str(inner))
        # NAT64 leads into IPv4, wherever the gateway stands.
        if address.packed[:12] == b"\x00\x64\xff\x9b" + b"\x00" * 8:
            return is_public(".".join(map(str, address.packed[12:])))
    return address.is_global and not address.is_multicast
