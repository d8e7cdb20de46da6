"""How many readers a process lets in, so that it refuses the next one by an answer and not for want of a file."""

from __future__ import annotations

import resource

SUBSCRIBERS_MAX = 11_000
"""In all workers. Each takes two of nginx's 26,000 connections: the rest is for bets."""
FILES_SHARE = 0.75
"""How much of the files that a process may open its streams may take: the rest is for bets and for answers that refuse.
A process that has no file left cannot even let those in whom it would refuse."""


def subscribers_max(workers: int) -> int:
    """Return how many readers one of so many processes may have."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    fair = SUBSCRIBERS_MAX // workers
    return fair if files == resource.RLIM_INFINITY else min(fair, int(files * FILES_SHARE))
