"""The machine that figures are from; without it they say nothing."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from pathlib import Path

from taptrade.embedded_redis import find_server

VERSION = re.compile(r"\d+(?:\.\d+)+")


def describe(nginx: str | None, sqlite: str) -> dict[str, str | int | float | bool]:
    """Describe the machine and what runs on it."""
    return {
        "cpu": _field("/proc/cpuinfo", "model name") or platform.processor() or platform.machine(),
        "cpus": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
        "kernel": platform.release().partition("-")[0],
        "python": platform.python_version(),
        "sqlite": sqlite,
        "redis": _redis(find_server()),
        "nginx": _version([nginx, "-v"]) if nginx else "none",
        "load_before": round(os.getloadavg()[0], 2),
        "through_nginx": nginx is not None,
    }


def _field(path: str, name: str) -> str:
    lines = Path(path).read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")


def _redis(server: Path) -> str:
    name = "Valkey" if server.name.startswith("valkey") else "Redis"
    return f"{name} {_version([str(server), '--version'])}"


def _version(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = VERSION.search(done.stdout + done.stderr)
    return found[0] if found else "unknown"
