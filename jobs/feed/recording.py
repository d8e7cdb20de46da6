"""Recorded prices, read from a file `ts_ms,price` (plain, .gz or .zst)."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TextIO

import zstandard

from runtime.errors import TaptradeError

SHIPPED = Path(__file__).parent / "recordings" / "btc_2026-01-06_0520_standx_mid.csv.gz"
HEADER = "ts_ms,price"


class RecordingError(TaptradeError):
    """A recording cannot be replayed."""


@dataclass(frozen=True, slots=True)
class Recording:
    """Prices in cents and their times, never decreasing."""

    times_ms: tuple[int, ...]
    cents: tuple[int, ...]

    @property
    def round_ms(self) -> int:
        """How long one round of a replay takes: the recording, and its mean distance before the first row again."""
        span_ms = self.times_ms[-1] - self.times_ms[0]
        return span_ms + max(1, span_ms // (len(self.times_ms) - 1))


def read_recording(path: Path) -> Recording:
    """Read a recording; raise RecordingError with the file, the line and the reason."""
    times: list[int] = []
    prices: list[int] = []
    try:
        with _open(path) as lines:
            if lines.readline().strip() != HEADER:
                raise RecordingError(f"{path}: the first line must be {HEADER}")
            for number, line in enumerate(lines, 2):
                time_ms, cents = _row(path, number, line)
                if times and time_ms < times[-1]:
                    raise RecordingError(f"{path}:{number}: times must not decrease")
                times.append(time_ms)
                prices.append(cents)
    except (OSError, EOFError, UnicodeDecodeError, zstandard.ZstdError) as ex:
        raise RecordingError(f"{path}: {ex}") from ex
    if len(times) < 2 or times[0] == times[-1]:
        raise RecordingError(f"{path}: needs at least two rows of different times")
    return Recording(tuple(times), tuple(prices))


def _row(path: Path, number: int, line: str) -> tuple[int, int]:
    try:
        time_text, price_text = line.strip().split(",")
        cents = Decimal(price_text) * 100
        whole_cents = int(cents)
        if whole_cents != cents or whole_cents <= 0:
            raise ValueError("price must be positive, with two decimals")
        return int(time_text), whole_cents
    except (ValueError, InvalidOperation, OverflowError) as ex:
        raise RecordingError(f"{path}:{number}: {line.strip()!r}: {ex}") from ex


@contextmanager
def _open(path: Path) -> Iterator[TextIO]:
    if path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="ascii") as text:
            yield text
    elif path.suffix == ".zst":
        with path.open("rb") as raw, zstandard.ZstdDecompressor().stream_reader(raw) as unpacked:
            yield io.TextIOWrapper(unpacked, encoding="ascii")
    else:
        with path.open(encoding="ascii") as text:
            yield text
