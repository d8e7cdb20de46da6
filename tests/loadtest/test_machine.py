"""CPU times, memory and families of processes."""

from __future__ import annotations

import os
import subprocess
import sys

from loadtest.bench.machine import cpu_percent, cpu_seconds, machine_seconds, members, memory_and_descriptors

GRANDCHILD = "import subprocess, sys; print('up', flush=True); sys.stdin.read()"
CHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {GRANDCHILD!r}])"


def test_descendants_are_found_over_generations_under_the_supervisors_names() -> None:
    environment = {**os.environ, "SUPERVISOR_PROCESS_NAME": "writer"}
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", CHILD], stdin=pipe, stdout=pipe, env=environment) as child:
        assert child.stdin
        assert child.stdout
        assert child.stdout.readline() == b"up\n"
        found = members({"supervisor": child.pid})
        assert len(found) == 2
        assert set(found.values()) == {"writer"}
        assert members({"me": os.getpid()}).items() >= found.items()
        child.stdin.close()
    assert members({"supervisor": child.pid}) == {}


def test_own_process_has_memory_and_descriptors() -> None:
    found = memory_and_descriptors({"me": os.getpid()})["me"]
    assert found.own_mb > 1
    assert found.mapped_mb > 1
    assert found.descriptors >= 3
    assert members({"me": os.getpid()})[os.getpid()] == "me"


def test_own_cpu_is_counted() -> None:
    before = cpu_seconds({"me": os.getpid()})["me"]
    # Enough for the clock of ticks to move on.
    while cpu_seconds({"me": os.getpid()})["me"] == before:
        pass
    assert cpu_seconds({"me": os.getpid()})["me"] > before


def test_cpu_between_two_looks_is_in_percent_of_one() -> None:
    assert cpu_percent({"api": 1.0}, {"api": 2.0, "new": 0.5}, 2.0) == {"api": 50.0, "new": 25.0}


def test_machine_has_worked_and_rested() -> None:
    busy_s, idle_s = machine_seconds()
    assert busy_s > 0
    assert idle_s >= 0
