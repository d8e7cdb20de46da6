"""How long it takes from the start of an empty house to the first bet that is confirmed."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from threading import Event

import httpx

from loadtest.open_loop import OpenLoop
from loadtest.processes import BenchFailed
from loadtest.revision import HERE, Revision
from loadtest.schedule import Plan
from loadtest.system import System, system
from loadtest.traffic import NothingOffered, Player, SignIns, Taps
from runtime.clock import SystemClock

ONCE = Plan(10, 0.0, 0.1)
"""One request, at once."""
POLL_S = 0.05
S_MAX = 60.0


def first_bet_s(folder: Path, revision: Revision = HERE) -> float:
    """Start a build with fresh data in the new `folder`, sign one player in and tap; seconds until the 201."""
    with system(folder, {}, revision) as running:
        with closing(OpenLoop(("127.0.0.1", running.settings.port), 1)) as loop:
            _tap(running, loop)
        return time.monotonic() - running.started_s


def _tap(running: System, loop: OpenLoop) -> None:
    """Sign in and tap; the prices of a house that has just begun may still refuse a tap or two."""
    clock, player, settings, pause = SystemClock(), Player(), running.settings, Event()
    if refused := loop.run(ONCE, SignIns([player], settings.domain, settings.chain_id, clock)).errors:
        raise BenchFailed(f"the first player could not sign in: {dict(refused)}")
    taps = Taps([player], settings.chain_id, clock, signed=True)
    why = "no cell was on offer"
    while time.monotonic() - running.started_s < S_MAX:
        grid = httpx.get(f"http://127.0.0.1:{settings.port}/api/grid", timeout=5, trust_env=False)
        taps.see_grid(grid.status_code, grid.content)
        try:
            refused = loop.run(ONCE, taps).errors
        except NothingOffered:
            pause.wait(POLL_S)
            continue
        if not refused:
            return
        why = str(dict(refused))
    raise BenchFailed(f"no first bet within {S_MAX:.0f} s: {why}")
