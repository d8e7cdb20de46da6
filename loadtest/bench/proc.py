"""CPU time of processes by name, from /proc."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
REDIS = ("redis-server", "valkey-server")
NAME = b"SUPERVISOR_PROCESS_NAME="


def parse_stat(text: str) -> tuple[int, float]:
    """Return parent and CPU seconds of one process from its /proc/PID/stat."""
    # The name, in parentheses, may hold spaces and parentheses itself.
    fields = text[text.rindex(")") + 2 :].split()
    return int(fields[1]), (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def descendants(parents: Mapping[int, int], root: int) -> set[int]:
    """Return every process below `root`, and itself."""
    children = defaultdict(list)
    for pid, parent in parents.items():
        children[parent].append(pid)
    found, waiting = {root}, [root]
    while waiting:
        below = children[waiting.pop()]
        found.update(below)
        waiting += below
    return found


def cpu_seconds(roots: Mapping[str, int]) -> dict[str, float]:
    """Return CPU seconds so far by name: of each root's processes, a supervisor's by the names it gave them."""
    stats = _stats()
    total: defaultdict[str, float] = defaultdict(float)
    for pid, name in _named(stats, roots).items():
        total[name] += stats[pid][1]
    return dict(total)


def members(roots: Mapping[str, int]) -> dict[int, str]:
    """Return the living processes of each root by id, with the names under which `cpu_seconds` counts them."""
    return _named(_stats(), roots)


def machine_seconds() -> tuple[float, float]:
    """Return the busy and the idle CPU seconds of the whole machine so far."""
    fields = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    idle = fields[3] + fields[4]
    return (sum(fields) - idle) / TICKS_PER_S, idle / TICKS_PER_S


def _stats() -> dict[int, tuple[int, float]]:
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                found[int(folder.name)] = parse_stat((folder / "stat").read_text())
            except OSError:  # it has just ended
                continue
    return found


def _named(stats: Mapping[int, tuple[int, float]], roots: Mapping[str, int]) -> dict[int, str]:
    parents = {pid: parent for pid, (parent, _) in stats.items()}
    families = {name: descendants(parents, root) & stats.keys() for name, root in roots.items()}
    return {pid: _supervised_name(pid) or name for name, pids in families.items() for pid in pids}


def _supervised_name(pid: int) -> str:
    folder = Path(f"/proc/{pid}")
    try:
        environment = (folder / "environ").read_bytes().split(b"\0")
        program = (folder / "comm").read_text().strip()
    except OSError:
        return ""
    # Redis writes its title over its environment.
    if program in REDIS:
        return "redis"
    return next((word[len(NAME) :].decode() for word in environment if word.startswith(NAME)), "")
