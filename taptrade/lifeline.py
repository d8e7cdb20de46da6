"""End with one's parent. Workers of gunicorn import this before gevent has patched them, so it imports nothing else."""

from __future__ import annotations

import ctypes
import os

PR_SET_PDEATHSIG = 1


def die_with(parent: int, signal_number: int) -> None:
    """Ask the kernel for a signal when our parent dies, however it dies: nothing outlives its supervisor."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(signal_number))
    if os.getppid() != parent:
        # It died before the kernel knew of our wish.
        raise SystemExit(1)
