"""Leaves a primary that the sentinels name no more, with all connections of this process that still lead to it.

A connection that is in use asks nobody. One that waits at a server which stood still, or was cut off, would wait there
until a sentinel has told that server: some ten seconds after it is back, while ticks, jobs and answers come elsewhere.
"""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Protocol

from runtime.messaging.sentinels import Address, Sentinels, Word

logger = logging.getLogger(__name__)

EVERY_S = 1.0


class Leaving(Protocol):
    """A pool of connections."""

    def leave_all_but(self, named: set[Address]) -> set[Address]:
        """End the connections that lead elsewhere, and return where they led."""
        ...


class PrimaryWatch:
    """Asks all sentinels of a URL each second, for the pools that it looks after."""

    def __init__(self, sentinels: Callable[[], Sentinels]) -> None:
        """`sentinels` makes those that are asked, whose connections are the watch's own."""
        self._sentinels = sentinels
        self._pools: weakref.WeakSet[Leaving] = weakref.WeakSet()
        self._election = -1
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def look_after(self, pool: Leaving) -> None:
        """Look on for a pool, for as long as there is one."""
        with self._lock:
            self._pools.add(pool)

    def begin(self) -> None:
        """Look on in the background, unless that is so already; in a forked child it no longer is."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=_look_on, args=(weakref.ref(self),), daemon=True)
                self._thread.start()

    def hear(self, words: Sequence[Word], sentinels: int) -> None:
        """Leave whom the newest election does not name, by the words of those that answer, of so many sentinels."""
        newest = max((election for election, _ in words), default=-1)
        # Most of them know what is so, also where they were set up anew and count from 0 again. A few may be cut off
        # together with a server that was replaced.
        self._election = newest if 2 * len(words) > sentinels else max(newest, self._election)
        # All of its names: sentinels may call one server differently.
        named = {address for election, address in words if election == self._election}
        if named:
            with self._lock:
                pools = list(self._pools)
            left: set[Address] = set().union(*(pool.leave_all_but(named) for pool in pools))
            for host, port in sorted(left):
                logger.warning("left %s:%d: the sentinels name it no more", host, port)

    def asked(self) -> Sentinels:
        """Make those that are asked."""
        return self._sentinels()


_watches: weakref.WeakValueDictionary[str, PrimaryWatch] = weakref.WeakValueDictionary()
_making = threading.Lock()


def watch_of(url: str, sentinels: Callable[[], Sentinels]) -> PrimaryWatch:
    """Return this process's watch for a URL, which lives as long as anybody has it."""
    with _making:
        watch = _watches.get(url)
        if watch is None:
            watch = _watches[url] = PrimaryWatch(sentinels)
        return watch


def _look_on(of: weakref.ref[PrimaryWatch]) -> None:
    watch = of()
    if watch is None:
        return
    sentinels, resting = watch.asked(), threading.Event()
    try:
        while watch is not None:
            try:
                watch.hear(sentinels.words(), sentinels.count)
            except Exception:
                # It ends with its process: a pool that makes no new connection would not begin it anew.
                logger.exception("cannot look whether the primary is another one")
            watch = None
            resting.wait(EVERY_S)
            watch = of()
    finally:
        sentinels.close()
