"""How long something takes: the median of many times, one by one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from statistics import median
from typing import TypeVar

T = TypeVar("T")


def median_us(work: Callable[[T], object], of: Iterable[T], parts: int = 1) -> float:
    """Return the median microseconds that `work` takes with one of them, divided by the parts that each is made of."""
    took_s = []
    for one in of:
        began_s = time.perf_counter()
        work(one)
        took_s.append(time.perf_counter() - began_s)
    return median(took_s) * 1e6 / parts
