"""Where a house is, as a program or a person names it."""

from __future__ import annotations

from urllib.parse import urlsplit


def house_address(url: str) -> str:
    """Return a house's address without the slash at its end; raise ValueError for what can never be one.

    No waiting mends it, so it is refused before anything is sent.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is no address of a house: it needs http:// or https://, as in http://127.0.0.1:8000")
    if parts.path.rstrip("/").endswith("/api") or parts.query or parts.fragment:
        raise ValueError(f"{url!r} is no address of a house: leave out what follows the house, such as /api")
    return url.rstrip("/")
