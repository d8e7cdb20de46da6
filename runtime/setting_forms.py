"""How the texts of settings are read: each form returns the value, or raises ValueError with what it must be."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from runtime.addresses import AddressError, canonical_address
from runtime.hosts import shown_host
from runtime.sentinel_url import SCHEMES as SENTINEL_SCHEMES
from runtime.sentinel_url import is_sentinel, read_sentinel_url

SECRET_LENGTH_MIN = 32
REDIS_SCHEMES = ("redis", "rediss", "unix", *SENTINEL_SCHEMES)
POSTGRESQL_SCHEMES = ("postgresql", "postgres")
STORAGE_CLASSES = ("STANDARD_IA", "STANDARD", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "REDUCED_REDUNDANCY")
"""Those of S3 from which an object is read at once."""
SOCKET_SCHEMES = ("ws", "wss")
LIVE_FEEDS = ("binance", "coinbase", "kraken", "bitstamp")
LIVE_FEEDS_MIN = 2
"""A single exchange's wick would decide bets, and its maintenance would end them."""
MADE_FEEDS = ("replay", "sim")
ORIGIN_PORTS = {"http": 80, "https": 443}
"""The ports that browsers leave out."""
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_HOST_NAME = re.compile(r"[A-Za-z0-9._-]+")


def whole(low: int, high: int) -> Callable[[str], int]:
    """Read a whole number within [low, high]."""

    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise ValueError("must be a whole number") from None
        if not low <= number <= high:
            raise ValueError(f"must be between {low} and {high}")
        return number

    return parse


def one_of(*words: str) -> Callable[[str], str]:
    """Read one of a few words."""

    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return text

    return parse


def stakes(text: str) -> tuple[int, ...]:
    """Read rising, positive stakes in cents, comma-separated."""
    cents = tuple(int(part) for part in text.split(","))
    if not cents or min(cents) <= 0 or list(cents) != sorted(set(cents)):
        raise ValueError("must be rising, positive cents, comma-separated")
    return cents


def several(one: Callable[[str], Any], most: int) -> Callable[[str], tuple[Any, ...]]:
    """Read up to `most` different values, comma-separated; the first is the main one."""

    def parse(text: str) -> tuple[Any, ...]:
        found = tuple(one(part.strip()) for part in text.split(",")) if text else ()
        if len(found) > most or len(set(found)) < len(found):
            raise ValueError(f"must be at most {most} different ones, comma-separated")
        return found

    return parse


def host(text: str) -> str:
    """Read an IP address or a host name to listen on; an address of version 6 may stand in brackets."""
    bare = text.removeprefix("[").removesuffix("]") if ":" in text else text
    try:
        # A zone (fe80::1%eth0) has no form that every client of ours can use in a URL.
        known = bool(_HOST_NAME.fullmatch(bare)) or "%" not in str(ip_address(bare))
    except ValueError:
        known = False
    if not known:
        raise ValueError("must be an IP address or a host name, without port and scheme")
    return bare


def origin(text: str) -> str:
    """Read the origin of pages, as browsers send it: scheme and host, and the port if the scheme has another."""
    if text in ("*", "null"):
        raise ValueError(f"{text} would let any page in; name each origin, such as https://app.example")
    scheme, _, host_text = text.partition("://")
    scheme = scheme.lower()
    if scheme not in ORIGIN_PORTS or set(host_text) & set("/?#@"):
        raise ValueError(f"{text} is no origin: http:// or https://, a host, and its port if it is shown; no path")
    found = shown_host(host_text)
    port = host_text.rpartition(":")[2]
    is_foreign = port.isdigit() and int(port) in ORIGIN_PORTS.values() and int(port) != ORIGIN_PORTS[scheme]
    return f"{scheme}://{found}{f':{int(port)}' if is_foreign else ''}"


def folder(text: str) -> Path:
    """Read a folder's path, which stands in logs, in configuration and on terminals."""
    if not text.isprintable():
        raise ValueError("must be of printable characters")
    return Path(text)


def path(text: str) -> str:
    """Read a file's absolute path, or nothing."""
    if text and (not text.isprintable() or not text.startswith("/")):
        raise ValueError("must be the absolute path of a file")
    return text


def networks(text: str) -> tuple[str, ...]:
    """Read IP networks, comma-separated."""
    return tuple(str(ip_network(part.strip())) for part in text.split(",") if part.strip())


def redis_url(text: str) -> str:
    """Read the URL of a Redis; what is wrong is said without showing it, since a password may be in it."""
    scheme, colon, _ = text.partition("://")
    if not text:
        return text
    if not colon or scheme not in REDIS_SCHEMES:
        raise ValueError(f"must begin with {', '.join(f'{one}://' for one in REDIS_SCHEMES)}")
    if {"password", "username"} & set(parse_qs(text.partition("?")[2])):
        raise ValueError("the password stands before the host, as in redis://:PASSWORD@HOST; elsewhere it is shown")
    if is_sentinel(text):
        read_sentinel_url(text)
        return text
    if scheme == "unix":
        if set(unquote(text)) & set(" \t\n"):
            raise ValueError("the client library cannot read the path of a socket with blanks")
        return text
    try:
        parts = urlsplit(text)
        port, path = parts.port, parts.path
    except ValueError:
        port, path = 0, ""
    if port == 0 or re.fullmatch(r"/?[0-9]*", path) is None:
        raise ValueError(
            "must be redis://user:password@host:port/number; "
            "what is special in a password, such as / or @, is written in percent, as %2F"
        )
    return text


def postgresql_url(text: str) -> str:
    """Read the URL of a PostgreSQL; what is wrong is said without showing it, since a password may be in it."""
    scheme, colon, rest = text.partition("://")
    if not text:
        return text
    if not colon or scheme not in POSTGRESQL_SCHEMES:
        raise ValueError(f"must begin with {POSTGRESQL_SCHEMES[0]}://")
    if not urlsplit(f"//{rest}").path.strip("/"):
        raise ValueError("must name the database, as in postgresql://user:password@host:port/database")
    return text


def feed(text: str) -> tuple[str, ...]:
    """Read sources of prices: several exchanges, comma-separated, or one source that stands alone."""
    names = tuple(part.strip() for part in text.split(","))
    unknown = [name for name in names if name not in (*LIVE_FEEDS, *MADE_FEEDS)]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is no source; there are {', '.join((*LIVE_FEEDS, *MADE_FEEDS))}")
    if len(names) > 1 and set(names) & set(MADE_FEEDS):
        raise ValueError(f"{' and '.join(MADE_FEEDS)} stand alone: their prices are of no real market of now")
    if len(set(names)) < len(names):
        raise ValueError("must name each source once")
    return names


def socket_url(text: str) -> str:
    """Read the URL of a WebSocket; empty means that of the exchange itself."""
    if not text:
        return text
    try:
        parts = urlsplit(text)
        known = parts.scheme in SOCKET_SCHEMES and bool(parts.hostname) and parts.port != 0 and text.isprintable()
        names_user = "@" in parts.netloc
    except ValueError:
        known = names_user = False
    if not known:
        raise ValueError("must be the address of a WebSocket, such as wss://HOST/PATH or ws://127.0.0.1:9000")
    if names_user:
        raise ValueError("must be without user and password: it is shown")
    return text


def wallet(text: str) -> str:
    """Read a wallet's address: in lower case, or with its checksum in the case of its letters."""
    try:
        return canonical_address(text)
    except AddressError as ex:
        raise ValueError(f"{text[:42]!r}: {ex}") from ex


def secret(text: str) -> str:
    """Read a secret that is too long to be guessed; empty means that there is none."""
    if text and len(text) < SECRET_LENGTH_MIN:
        raise ValueError(f"must be at least {SECRET_LENGTH_MIN} characters, as `openssl rand -hex 32` prints them")
    return text


def stored_at(text: str) -> str:
    """Read where something is stored: nothing, a folder's absolute path, or s3://BUCKET/PREFIX."""
    if text.startswith("s3://"):
        if not _BUCKET.fullmatch(text.removeprefix("s3://").partition("/")[0]):
            raise ValueError("must name a bucket, as s3://BUCKET/PREFIX")
    elif text and not text.startswith("/"):
        raise ValueError("must be a folder's absolute path, or s3://BUCKET/PREFIX")
    return text


def web_url(text: str) -> str:
    """Read an address of the web, without a path; it may be left out."""
    if text:
        address = urlsplit(text)
        if address.scheme not in ORIGIN_PORTS or not address.hostname or address.path not in ("", "/"):
            raise ValueError("must be an address such as https://s3.example")
    return text.rstrip("/")
