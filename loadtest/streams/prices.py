"""A recording with a price in every publishing interval: ten ticks a second without a gap."""

from __future__ import annotations

from pathlib import Path
from random import Random

from jobs.feed.recording import HEADER
from jobs.feed.sim import START_CENTS, VOLATILITY_CENTS

EVERY_MS = 40
"""More than two prices fall into each interval of 100 ms, however late one of them is."""
LENGTH_S = 1_800
FIRST_MS = 1_790_000_000_000


def write_prices(path: Path, *, length_s: int = LENGTH_S) -> None:
    """Write a random walk as volatile as the sim feed's."""
    rng = Random(1)
    move_cents = VOLATILITY_CENTS * (EVERY_MS / 1000) ** 0.5
    cents = START_CENTS
    with path.open("w", encoding="utf-8") as file:
        file.write(f"{HEADER}\n")
        for offset_ms in range(0, length_s * 1000, EVERY_MS):
            cents += round(rng.gauss(0.0, move_cents))
            file.write(f"{FIRST_MS + offset_ms},{cents // 100}.{cents % 100:02d}\n")
