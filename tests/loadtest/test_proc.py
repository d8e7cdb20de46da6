"""CPU times and families of processes, from /proc."""

from __future__ import annotations

import os

from loadtest.bench.proc import TICKS_PER_S, cpu_seconds, descendants, machine_seconds, parse_stat


def test_odd_names_do_not_shift_the_fields() -> None:
    times = f"{3 * TICKS_PER_S} {2 * TICKS_PER_S}"
    stat = f"12 (a) (b 7) S 345 1 1 0 -1 4194560 1 0 0 0 {times} 0 0 20 0 1 0 100"
    assert parse_stat(stat) == (345, 5.0)


def test_descendants_are_found_over_generations() -> None:
    parents = {1: 0, 10: 1, 11: 10, 12: 11, 20: 1}
    assert descendants(parents, 10) == {10, 11, 12}
    assert descendants(parents, 99) == {99}


def test_own_cpu_is_counted() -> None:
    before = cpu_seconds({"me": os.getpid()})["me"]
    # Enough for the clock of ticks to move on.
    while cpu_seconds({"me": os.getpid()})["me"] == before:
        pass
    assert cpu_seconds({"me": os.getpid()})["me"] > before


def test_machine_has_worked_and_rested() -> None:
    busy_s, idle_s = machine_seconds()
    assert busy_s > 0
    assert idle_s >= 0
