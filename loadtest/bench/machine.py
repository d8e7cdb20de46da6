"""The machine: what it is, and what the processes of a measurement use of it."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
from msgspec import Struct

from taptrade.embedded_redis import find_server

Machine = dict[str, str | int | float | bool]
MB = 1024 * 1024
VERSION = re.compile(r"\d+(?:\.\d+)+")
MODEL = re.compile(r"^model name\s*: (.+)$", re.MULTILINE)
REDIS = ("redis-server", "valkey-server")


def describe(nginx: str | None, sqlite: str) -> Machine:
    """Describe the machine and what runs on it."""
    model = MODEL.search(Path("/proc/cpuinfo").read_text())
    return {
        "cpu": model[1].strip() if model else platform.processor() or platform.machine(),
        "cpus": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
        "kernel": platform.release().partition("-")[0],
        "python": platform.python_version(),
        "sqlite": sqlite,
        "redis": _redis(find_server()),
        "nginx": _version(nginx, "-v") if nginx else "none",
        "load_before": round(os.getloadavg()[0], 2),
        "through_nginx": nginx is not None,
    }


def _redis(server: Path) -> str:
    return f"{'Valkey' if server.name.startswith('valkey') else 'Redis'} {_version(str(server), '--version')}"


def _version(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = VERSION.search(done.stdout + done.stderr)
    return found[0] if found else "unknown"


class Usage(Struct):
    """What the processes of one name have."""

    own_mb: float = 0.0
    """Resident memory that is nobody else's: heap and stacks."""
    mapped_mb: float = 0.0
    """Resident pages of files: libraries, and of the database the part that is read through a mapping."""
    descriptors: int = 0
    cpu_percent: float = 0.0
    """Of one CPU, since the look before."""


def processes(roots: Mapping[str, int]) -> Iterator[tuple[str, psutil.Process]]:
    """Yield the living processes of each root, under the supervisor's name for them, else under their root's."""
    for name, pid in roots.items():
        try:
            root = psutil.Process(pid)
            family = [root, *root.children(recursive=True)]
        except psutil.NoSuchProcess:
            continue
        for process in family:
            yield _supervised_name(process) or name, process


def members(roots: Mapping[str, int]) -> dict[int, str]:
    """Return the names of the living processes by id."""
    return {process.pid: name for name, process in processes(roots)}


def cpu_seconds(roots: Mapping[str, int]) -> dict[str, float]:
    """Return CPU seconds so far by name."""
    total: defaultdict[str, float] = defaultdict(float)
    for name, process in processes(roots):
        try:
            times = process.cpu_times()
        except psutil.Error:  # it has just ended
            continue
        total[name] += times.user + times.system
    return dict(total)


def memory_and_descriptors(roots: Mapping[str, int]) -> dict[str, Usage]:
    """Return memory and descriptors by name."""
    found: defaultdict[str, Usage] = defaultdict(Usage)
    for name, process in processes(roots):
        try:
            memory, descriptors = process.memory_info(), process.num_fds()
        except psutil.Error:  # it has just ended, or is not ours to look into
            continue
        usage = found[name]
        usage.own_mb = round(usage.own_mb + (memory.rss - memory.shared) / MB, 2)
        usage.mapped_mb = round(usage.mapped_mb + memory.shared / MB, 2)
        usage.descriptors += descriptors
    return dict(found)


def cpu_percent(before: Mapping[str, float], after: Mapping[str, float], seconds: float) -> dict[str, float]:
    """Return what each name took between two looks at `cpu_seconds`, in percent of one CPU."""
    return {name: round((cpu_s - before.get(name, 0.0)) / seconds * 100, 1) for name, cpu_s in after.items()}


def machine_seconds() -> tuple[float, float]:
    """Return the busy and the idle CPU seconds of the whole machine so far."""
    times = psutil.cpu_times()
    idle_s = times.idle + times.iowait
    return times.user + times.nice + times.system + times.irq + times.softirq + times.steal, idle_s


def _supervised_name(process: psutil.Process) -> str:
    try:
        # Redis writes its title over its environment.
        if process.name() in REDIS:
            return "redis"
        return str(process.environ().get("SUPERVISOR_PROCESS_NAME", ""))
    except psutil.Error:
        return ""
