"""Header fields whose text is more than one word: read as their grammar says, never by how the text looks."""

from __future__ import annotations

from collections.abc import Sequence

from falcon import mediatypes


def preferred_type(accept: str, offered: Sequence[str]) -> str:
    """Return the media type that an Accept field gives the greatest weight (RFC 9110, 12.5.1).

    Of several the one that it names first, else the first that is offered. That one is also the answer where none is
    wanted: it is better than a refusal.
    """
    ranges = [one.strip() for one in accept.lower().split(",") if _is_range(one)]
    if not ranges:
        return offered[0]
    field = ",".join(ranges)
    named = [one.partition(";")[0].rstrip() for one in ranges]

    def rank(one: str) -> tuple[float, int]:
        return mediatypes.quality(one, field), -named.index(one) if one in named else -len(named)

    best = max(offered, key=rank)
    return best if rank(best)[0] > 0 else offered[0]


def prefers(prefer: str, preference: str) -> bool:
    """Tell whether a Prefer field names a preference (RFC 7240), whatever value and parameters it has."""
    return any(one.partition(";")[0].partition("=")[0].strip().lower() == preference for one in prefer.split(","))


def _is_range(text: str) -> bool:
    """Tell whether an element of Accept can be read: one that is empty or wrong takes nothing from the others."""
    try:
        mediatypes.quality("*/*", text)
    except ValueError:
        return False
    return True
