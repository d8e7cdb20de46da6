"""The machine: what it is, and what the processes of a measurement use of it."""

from __future__ import annotations

import platform
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from runtime.process_lock import FORK
from taptrade.redis_server import choose

MB = 1024 * 1024
VERSION = re.compile(r"\d+(?:\.\d+)+")
MODEL = re.compile(r"^model name\s*: (.+)$", re.MULTILINE)
REDIS = ("redis-server", "valkey-server")
KB = 1024
_OWN = re.compile(r"^Pss_Anon: +(\d+) kB$", re.MULTILINE)


def describe(nginx: str | None, sqlite: str) -> dict[str, str | int | float | bool]:
    """Describe the machine and what runs on it."""
    model, redis = MODEL.search(Path("/proc/cpuinfo").read_text()), choose()
    return {
        "cpu": model[1].strip() if model else platform.processor() or platform.machine(),
        "cpus": len(psutil.Process().cpu_affinity()),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "kernel": platform.release().partition("-")[0],
        "python": platform.python_version(),
        "sqlite": sqlite,
        "redis": f"{'Valkey' if redis.name.startswith('valkey') else 'Redis'} {_version(str(redis), '--version')}",
        "nginx": _version(nginx, "-v") if nginx else "none",
        "load_before": round(psutil.getloadavg()[0], 2),
        "through_nginx": nginx is not None,
    }


def _version(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = VERSION.search(done.stdout + done.stderr)
    return found[0] if found else "unknown"


@dataclass(slots=True)
class Usage:
    """What the living processes of one name have."""

    own_mb: float = 0.0
    """Resident heap and stacks; of what forks share, each one's part."""
    mapped_mb: float = 0.0
    """Resident pages of files: libraries, and of the database the part that is read through a mapping."""
    descriptors: int = 0
    cpu_s: float = 0.0
    """User and system, since they started."""
    pids: set[int] = field(default_factory=set)


def usage(roots: Mapping[str, int]) -> dict[str, Usage]:
    """Return what the processes below each root use, under the supervisor's name for them, else under their root's."""
    found: defaultdict[str, Usage] = defaultdict(Usage)
    for root_name, process in _families(roots):
        try:
            name = _name_of(process, root_name)
            memory, cpu, descriptors = process.memory_info(), process.cpu_times(), process.num_fds()
            own_kb = _own_kb(process.pid)
        except (psutil.Error, OSError):  # it has just ended
            continue
        one = found[name]
        one.own_mb = round(one.own_mb + own_kb * KB / MB, 2)
        one.mapped_mb = round(one.mapped_mb + memory.shared / MB, 2)
        one.descriptors += descriptors
        one.cpu_s += cpu.user + cpu.system
        one.pids.add(process.pid)
    return dict(sorted(found.items()))


def _name_of(process: psutil.Process, root_name: str) -> str:
    """Return the supervisor's name of a process: a fork says it itself, others have it from their environment."""
    name: str = process.name()
    if name.startswith(FORK):
        return name.removeprefix(FORK)
    if name in REDIS:  # it writes its title over its environment
        return "redis"
    supervised: str = process.environ().get("SUPERVISOR_PROCESS_NAME", root_name)
    return supervised


def _own_kb(pid: int) -> int:
    found = _OWN.search(Path(f"/proc/{pid}/smaps_rollup").read_text())
    return int(found[1]) if found else 0


def _families(roots: Mapping[str, int]) -> Iterator[tuple[str, psutil.Process]]:
    for name, pid in roots.items():
        try:
            root = psutil.Process(pid)
            yield from ((name, process) for process in (root, *root.children(recursive=True)))
        except psutil.NoSuchProcess:
            continue


def cpu_s_between(before: Mapping[str, Usage], after: Mapping[str, Usage]) -> dict[str, float]:
    """Return the CPU seconds that each name took between two looks."""
    return {name: one.cpu_s - before.get(name, Usage()).cpu_s for name, one in after.items()}


def cpu_percent(before: Mapping[str, Usage], after: Mapping[str, Usage], seconds: float) -> dict[str, float]:
    """Return the same in percent of one CPU."""
    return {name: round(cpu_s / seconds * 100, 1) for name, cpu_s in cpu_s_between(before, after).items()}
