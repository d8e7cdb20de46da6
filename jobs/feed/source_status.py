"""How a live source does, as operators are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """How a source does."""

    name: str
    state: Literal["connecting", "live", "silent", "waiting"]
    """Opening a connection; prices come; connected without prices; a pause before the next attempt."""
    last_price_ms: int | None
    """When its newest price arrived, Unix milliseconds."""
    last_price_cents: int | None
    prices: int
    """How many it delivered since the start."""
    dropped: Mapping[str, int]
    """What was left out, by reason: `zero`, `crossed`, `one_sided`, `repeat`, `out_of_order`, `garbage`,
    `other_symbol`, `unasked`, `market_closed`, `overflow` and `clock_step`."""
    reconnects: int
    last_error: str
    """Empty when there was none."""
