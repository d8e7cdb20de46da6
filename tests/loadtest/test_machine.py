"""CPU times, memory and families of processes."""

from __future__ import annotations

import os
import subprocess
import sys

from loadtest.machine import Usage, cpu_percent, cpu_s_between, usage

GRANDCHILD = "import subprocess, sys; print('up', flush=True); sys.stdin.read()"
NAMED = "import sys; open('/proc/self/comm', 'w').write('tap-writer'); print('up', flush=True); sys.stdin.read()"
CHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {GRANDCHILD!r}])"


def test_descendants_are_found_over_generations_under_the_supervisors_names() -> None:
    environment = {**os.environ, "SUPERVISOR_PROCESS_NAME": "writer"}
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", CHILD], stdin=pipe, stdout=pipe, env=environment) as child:
        assert child.stdin
        assert child.stdout
        assert child.stdout.readline() == b"up\n"
        found = usage({"supervisor": child.pid})
        assert set(found) == {"writer"}
        assert len(found["writer"].pids) == 2
        assert usage({"me": os.getpid()})["writer"].pids >= found["writer"].pids
        child.stdin.close()
    assert usage({"supervisor": child.pid}) == {}


def test_a_fork_is_known_by_the_name_that_it_took() -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", NAMED], stdin=pipe, stdout=pipe) as child:
        assert child.stdin
        assert child.stdout
        assert child.stdout.readline() == b"up\n"
        assert set(usage({"supervisor": child.pid})) == {"writer"}
        child.stdin.close()


def test_own_process_has_memory_and_descriptors() -> None:
    found = usage({"me": os.getpid()})["me"]
    assert found.own_mb > 1
    assert found.mapped_mb > 1
    assert found.descriptors >= 3
    assert os.getpid() in found.pids


def test_own_cpu_is_counted() -> None:
    roots = {"me": os.getpid()}
    before = usage(roots)
    # Enough for the clock of ticks to move on.
    while usage(roots)["me"].cpu_s == before["me"].cpu_s:
        pass
    assert cpu_s_between(before, usage(roots))["me"] > 0


def test_cpu_between_two_looks_is_in_percent_of_one() -> None:
    before, after = {"api": Usage(cpu_s=1.0)}, {"api": Usage(cpu_s=2.0), "new": Usage(cpu_s=0.5)}
    assert cpu_percent(before, after, 2.0) == {"api": 50.0, "new": 25.0}
