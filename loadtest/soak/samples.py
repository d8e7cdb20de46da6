"""One look at the whole system: memory, descriptors and CPU of each process, and what the stores hold."""

from __future__ import annotations

import os
import re
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct, field

from loadtest.bench import proc
from loadtest.bench.rates import MB
from loadtest.bench.schedule import Figures
from loadtest.bench.vitals import Vitals

_MEMORY = re.compile(r"^(RssAnon|RssFile|RssShmem):\s+(\d+) kB$", re.MULTILINE)


class ProcessSample(Struct):
    """What one process has, its own children of the same name included."""

    own_mb: float = 0.0
    """Resident memory that is nobody else's: heap and stacks."""
    mapped_mb: float = 0.0
    """Resident pages of files: libraries, and of the database the part that is read through a mapping."""
    descriptors: int = 0
    cpu_percent: float = 0.0
    """Of one CPU, since the sample before."""


class Sample(Struct):
    """Everything at one moment, and the load since the one before."""

    at_s: float
    processes: dict[str, ProcessSample]
    wal_mb: float
    database_mb: float
    redis_mb: float
    backlog_bets: int
    committed_per_s: float
    p50_ms: float
    p99_ms: float
    errors: dict[str, int] = field(default_factory=dict)


class Sampler:
    """Takes samples of one running system."""

    def __init__(self, roots: Mapping[str, int], vitals: Vitals) -> None:
        self._roots = roots
        self._vitals = vitals
        self._start_s = self._last_s = time.monotonic()
        self._cpu_s = proc.cpu_seconds(roots)

    def sample(self, figures: Figures, backlog_bets: int) -> Sample:
        """Look at the system after an interval with these figures, in which so many bets waited at most."""
        now_s, cpu_s = time.monotonic(), proc.cpu_seconds(self._roots)
        passed_s = now_s - self._last_s
        processes = memory_and_descriptors(self._roots)
        for name, found in processes.items():
            found.cpu_percent = round((cpu_s.get(name, 0.0) - self._cpu_s.get(name, 0.0)) / passed_s * 100, 1)
        self._last_s, self._cpu_s = now_s, cpu_s
        return Sample(
            at_s=round(now_s - self._start_s, 2),
            processes=dict(sorted(processes.items())),
            wal_mb=round(self._vitals.wal_bytes() / MB, 2),
            database_mb=round(self._vitals.database_bytes() / MB, 2),
            redis_mb=round(self._vitals.redis_bytes() / MB, 2),
            backlog_bets=backlog_bets,
            committed_per_s=round(figures.good / passed_s, 1),
            p50_ms=figures.latencies.percentile_ms(50),
            p99_ms=figures.latencies.percentile_ms(99),
            errors=dict(figures.errors),
        )


def memory_and_descriptors(roots: Mapping[str, int]) -> dict[str, ProcessSample]:
    """Return memory and descriptors by name, of each root's processes."""
    found: defaultdict[str, ProcessSample] = defaultdict(ProcessSample)
    for pid, name in proc.members(roots).items():
        try:
            status = Path(f"/proc/{pid}/status").read_text()
            descriptors = len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208  names alone, no stat of each
        except OSError:  # it has just ended, or is not ours to look into
            continue
        own_kb, mapped_kb = parse_memory(status)
        sample = found[name]
        sample.own_mb = round(sample.own_mb + own_kb / 1024, 2)
        sample.mapped_mb = round(sample.mapped_mb + mapped_kb / 1024, 2)
        sample.descriptors += descriptors
    return dict(found)


def parse_memory(status: str) -> tuple[int, int]:
    """Return the resident kilobytes of /proc/PID/status: own ones, and those of files."""
    kilobytes = {name: int(text) for name, text in _MEMORY.findall(status)}
    return kilobytes.get("RssAnon", 0), kilobytes.get("RssFile", 0) + kilobytes.get("RssShmem", 0)
