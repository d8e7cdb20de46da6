"""The least release of Redis that will do; said apart from the client, which whoever starts a server need not load."""

from __future__ import annotations

VERSION_LEAST = (7, 0)
"""The release of Redis that brought BLMPOP, the newest of the commands that are sent; Valkey began later."""
