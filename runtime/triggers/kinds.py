"""The kinds of events that functions are told of: what became of bets, settled columns, and the breaker's changes."""

from __future__ import annotations

from collections.abc import Iterable

BREAKER = "breaker"
COLUMN = "column"
BETS = frozenset(f"bet.{one}" for one in ("confirmed", "won", "lost", "void", "refused", "insufficient_funds"))
KINDS = BETS | {BREAKER, COLUMN}
COMMITTED = BETS | {COLUMN}
"""What commits tell; the rest comes by the bus."""


def kinds_meant(names: Iterable[str]) -> frozenset[str]:
    """Return the kinds that names mean, `bet` all that become of a bet; none if one of the names is unknown."""
    meant: frozenset[str] = frozenset()
    for name in names:
        found = BETS if name == "bet" else KINDS & {name}
        if not found:
            return frozenset()
        meant |= found
    return meant
