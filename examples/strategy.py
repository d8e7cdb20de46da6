"""A strategy apart from the line: which cell to tap, and what its bets have brought. Neither needs a house."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from taptrade.choice import Offer, offers
from taptrade.views import EntryView, GridView

RATE_BP_MIN = 15_000


def choose(grid: GridView, now_ms: int, tapped: Collection[str]) -> Offer | None:
    """Return the likeliest cell that pays half of its stake and more; None if there is none that was not tapped."""
    free = (offer for offer in offers(grid, now_ms) if offer.cell_id not in tapped)
    return min((offer for offer in free if offer.rate_bp >= RATE_BP_MIN), key=lambda offer: offer.rate_bp, default=None)


def profit_cents(entries: Iterable[EntryView], bet_ids: Collection[str]) -> int:
    """Return what bets have brought: payouts, and the refunds of void ones, less all stakes; an open one's is out."""
    return sum(entry.amount for entry in entries if entry.ref_id in bet_ids)
