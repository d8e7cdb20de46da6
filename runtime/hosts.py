"""Hosts as a browser shows them (`location.host`): that is what pages sign, whatever others call the same host."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address

DEFAULT_PORTS = ("80", "443")
"""A browser shows neither: http and https have them anyway."""
HOST_CHARACTERS_MAX = 253
_SHAPE = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s:/?#@%\[\]\\*]+)(?::(?P<port>[0-9]+))?")
_OF_URL = re.compile(r"(?:https?://)?([^/]+)(?:/.*)?")
_LABEL = re.compile(r"[a-z0-9_-]{1,63}")
_IPV4_PART = re.compile(r"[0-9]+|0x[0-9a-f]*")


def shown_host(text: str) -> str:
    """Return a host and its port, if it has one, as a browser shows them; raise ValueError that says what is meant."""
    match = _SHAPE.fullmatch(text)
    if match is not None:
        host = match["host"]
        return (_literal(host) if host.startswith("[") else _name(host)) + _port(match["port"])
    rule = "must be a host, and its port if that is shown, such as tap.example or [::1]:8000"
    of_url = _OF_URL.fullmatch(text)
    meant = f"; here {shown_host(of_url[1])}" if of_url is not None and of_url[1] != text else ""
    raise ValueError(f"{rule}; no scheme, no path and no wildcard{meant}")


def without_default_port(host: str) -> str:
    """Return what a browser would show of a host that some client wrote, which may name a port that goes without."""
    name, _, port = host.lower().rpartition(":")
    return name if port in DEFAULT_PORTS else host.lower()


def _literal(host: str) -> str:
    try:
        return f"[{IPv6Address(host[1:-1])}]"
    except ValueError:
        raise ValueError(f"{host} is no IPv6 address in brackets") from None


def _name(host: str) -> str:
    name = (host if host.isascii() else _punycode(host)).lower().removesuffix(".")
    labels = name.split(".")
    if len(name) > HOST_CHARACTERS_MAX or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"{host} is no host: its parts are 1 to 63 letters, digits and hyphens each")
    if _IPV4_PART.fullmatch(labels[-1]):
        # A browser reads it as an address, also 127.1 or 0x7f000001, and shows the four numbers.
        try:
            return str(IPv4Address(name))
        except ValueError:
            raise ValueError(f"{host} is no IPv4 address of four numbers") from None
    return name


def _punycode(host: str) -> str:
    """Return an international name as browsers send it: by IDNA 2008, where Python's own codec knows that of 2003."""
    import idna

    try:
        return idna.encode(host, uts46=True).decode()
    except idna.IDNAError as ex:
        raise ValueError(f"{host} must be written as a browser sends it, in punycode (xn--...): {ex}") from None


def _port(text: str | None) -> str:
    if text is None:
        return ""
    port = int(text)
    if not 1 <= port <= 65535:
        raise ValueError(f"the port {text} is not between 1 and 65535")
    return "" if str(port) in DEFAULT_PORTS else f":{port}"
