"""The URL of a Redis whose primary Sentinel names: redis+sentinel://user:password@host:port,host:port/service/number.

It is the form of Redis-Sentinel-Url, which rq-dashboard reads, of Prefect, RedisVL and LangChain: what stands before
the hosts is for the servers, and options that begin with `sentinel_` are for sentinels. rediss+sentinel is TLS to both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

SCHEMES = {"redis+sentinel": "redis", "rediss+sentinel": "rediss"}
"""Each scheme with that of the URL by which the client library reads what is for the servers."""
PORT = 26379
OWN_OPTIONS = ("sentinel_username", "sentinel_password")
_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.%]+)\]|([^\s:\[\]@/]+))(?::([0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class SentinelUrl:
    """Whom to ask for the primary of which service, and how to speak to it."""

    hosts: tuple[tuple[str, int], ...]
    service: str
    server_url: str = field(repr=False)
    """A plain URL with all that is for the servers; its host is none."""
    username: str | None = None
    """Name and password for the sentinels themselves."""
    password: str | None = field(default=None, repr=False)


def is_sentinel(url: str) -> bool:
    """Tell whether a URL names sentinels."""
    return url.partition("://")[0] in SCHEMES


def read_sentinel_url(text: str) -> SentinelUrl:
    """Read such a URL; raise ValueError, which shows nothing of it, since a password may be in it."""
    scheme, _, rest = text.partition("://")
    # Where a host of several is an IPv6 address, the library's urlsplit takes all of them for a wrong one.
    before, mark, query = rest.partition("?")
    netloc, _, path = before.partition("/")
    credentials, at, names = netloc.rpartition("@")
    hosts = tuple(_host(name) for name in names.split(","))
    service, slash, number = path.partition("/")
    if not service or re.fullmatch(r"[0-9]*", number) is None:
        raise ValueError(
            "must be redis+sentinel://user:password@host:port,host:port/SERVICE/number, with the name that the "
            "sentinels watch the primary by; what is special in a password, such as / or @, is written in percent"
        )
    options = parse_qsl(query, keep_blank_values=True)
    own = {name: value for name, value in options if name in OWN_OPTIONS}
    left = urlencode([(name, value) for name, value in options if name not in OWN_OPTIONS])
    server_url = f"{SCHEMES[scheme]}://{credentials}{at}sentinel{slash}{number}{mark if left else ''}{left}"
    urlsplit(server_url)
    return SentinelUrl(
        hosts, unquote(service), server_url, own.get("sentinel_username") or None, own.get("sentinel_password") or None
    )


def _host(text: str) -> tuple[str, int]:
    found = _HOST.fullmatch(text)
    port = int(found[3] or PORT) if found else 0
    if found is None or not 0 < port < 2**16:
        raise ValueError("must name sentinels as host:port,host:port")
    return found[1] or unquote(found[2]), port
