"""Readings that are shared: who asks for what is just being read gets that answer, and sends nothing of its own.

A crowd of requests under one session would else ask Redis as often, each over a connection of its own, whenever the
session is not believed any more, which is when the machine is busiest.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class SharedLookups(Generic[Answer]):
    """Read each key once at a time; errors are shared as answers are."""

    def __init__(self, age_ms_max: int) -> None:
        self._age_ms_max = age_ms_max
        self._under_way: dict[str, tuple[int, Future[Answer]]] = {}

    def find(self, key: str, now_ms: int, ask: Callable[[str], Answer]) -> tuple[int, Answer]:
        """Return when the reading of a key began, and its answer; one that began too long ago is not joined."""
        began_ms, shared = self._under_way.get(key, (now_ms, None))
        if shared is not None and now_ms - began_ms < self._age_ms_max:
            with suppress(CancelledError):  # whoever reads it was killed, so that it must be asked for again
                return began_ms, shared.result()
        mine = now_ms, Future[Answer]()
        self._under_way[key] = mine
        try:
            answer = ask(key)
            mine[1].set_result(answer)
        except Exception as ex:
            mine[1].set_exception(ex)
            raise
        finally:
            mine[1].cancel()
            if self._under_way.get(key) is mine:
                del self._under_way[key]
        return now_ms, answer
