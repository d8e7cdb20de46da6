"""All scenarios of a long run, in order, and what this machine cannot do."""

from __future__ import annotations

from collections.abc import Iterator

from tests.chaos import faults, hostile, memory_loss, wrong_clock
from tests.chaos.disk import NoDisk, check_mounting
from tests.chaos.stage import Scenario

DISK_BYTES = 96 * 1024 * 1024


def random_kills(number: int, pause_s: tuple[float, float] = (0.3, 3.0)) -> Scenario:
    """Return the kills of random processes at random moments."""
    return Scenario("kills", faults.kills(number, pause_s))


def aimed_deaths(number: int) -> Iterator[Scenario]:
    """Yield the deaths of the writer around publication."""
    yield Scenario("death between commit and publication", faults.deaths("before", number))
    yield Scenario("death right after publication", faults.deaths("after", max(1, number // 4)))


def outages() -> Iterator[Scenario]:
    """Yield what can break besides processes."""
    yield Scenario("SQLite busy", faults.sqlite_busy)
    yield _disk_full()
    yield Scenario("Redis down", faults.redis_down)
    yield Scenario("Redis forgets its last second", memory_loss.redis_forgets)
    yield Scenario("Redis empty", faults.redis_empty, {"horizon_columns": "30"})
    yield Scenario("Redis out of memory", faults.redis_out_of_memory)
    yield Scenario(
        "clock stepped back", wrong_clock.clock_back, variables=wrong_clock.variables(), modules=wrong_clock.SHIM
    )
    # Columns of 5 s: a bet lives long enough to be placed when the writer goes on.
    standing = {"column_seconds": "5", "backlog_bets_max": "100"}
    yield Scenario("writer stopped", faults.writer_stopped, standing, patient=0.1)
    yield Scenario("feed silent", faults.feed_silent)
    allowances = {"requests_per_minute": "6000", "logins_per_minute": "60"}
    yield Scenario("hostile client", hostile.hostile_client, allowances)


def _disk_full() -> Scenario:
    if _disk_trouble():
        return Scenario("disk full (the writer's files cannot grow)", faults.files_cannot_grow)
    return Scenario("disk full", faults.disk_full, disk_bytes=DISK_BYTES)


def _disk_trouble() -> str:
    try:
        check_mounting()
    except NoDisk as ex:
        return str(ex)
    return ""


def left_out() -> list[str]:
    """Say what cannot be done on this machine, and what stands in for it."""
    trouble = _disk_trouble()
    if not trouble:
        return []
    return [f"disk full: {trouble}; instead, the writer's files could not grow (RLIMIT_FSIZE)"]
