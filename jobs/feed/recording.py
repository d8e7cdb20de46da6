"""Recorded prices, read from a file `ts_ms,price` (plain, gzip or zstandard); what is not that form is refused.

A file that is read otherwise than it was meant would be played in silence: seconds taken for milliseconds are an hour
in 3.6 s. So a row has one form only, and the first that has not is named by its line.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from operator import sub
from pathlib import Path
from typing import NoReturn

from jobs.feed.unpacking import UnpackingError, unpacked
from runtime.errors import TaptradeError

SHIPPED = Path(__file__).parent / "recordings" / "btc_2025-10-10_0715_okx_index.csv.gz"
HEADER = "ts_ms,price"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
ROWS_MAX = 10_000_000
"""A month at four a second, in 160 MB of memory."""
GAP_H_MAX = 24
"""A replay is as silent between two rows as the recorder was."""
GAP_MS_MAX = GAP_H_MAX * 3_600_000
LINE_BYTES_MAX = 200
SHOWN_MAX = 60
# Rows as recorders write them are read a block at a time; whatever else there is, line by line.
_USUAL_ROWS = re.compile(rb"(?:\d{13},\d{1,9}\.\d\d\n)*+")
_ROW = re.compile(rb"(?P<time>\d{13}),(?P<dollars>\d{1,9})(?:\.(?P<cents>\d\d?)0*)?")
_UNITS = {10: "seconds", 16: "microseconds", 19: "nanoseconds"}


class RecordingError(TaptradeError):
    """A recording cannot be replayed."""


@dataclass(frozen=True, slots=True)
class Recording:
    """Prices in cents and their times, never decreasing."""

    times_ms: Sequence[int]
    cents: Sequence[int]

    @property
    def round_ms(self) -> int:
        """How long one round of a replay takes: the recording, and its mean distance before the first row again."""
        span_ms = self.times_ms[-1] - self.times_ms[0]
        return span_ms + max(1, span_ms // (len(self.times_ms) - 1))


def read_recording(path: Path) -> Recording:
    """Read a recording; raise RecordingError with the file, the line and what was expected there."""
    rows = _Rows(path)
    try:
        for block in unpacked(path):
            rows.take(block)
    except UnpackingError as ex:
        raise RecordingError(str(ex)) from ex
    return rows.finish()


class _Rows:
    """The rows of a file so far, and what came of a line that is not at its end yet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._times = array("q")
        self._cents = array("q")
        self._lines = 0
        self._blank = 0
        """The first of the blank lines that have come since the last row; at the file's end they may stay."""
        self._unfinished = b""

    def take(self, block: bytes) -> None:
        """Take the next piece of the file in."""
        lines, newline, self._unfinished = (self._unfinished + block).rpartition(b"\n")
        if newline:
            self._take_lines((lines + newline).replace(b"\r\n", b"\n"))
        if len(self._unfinished) > LINE_BYTES_MAX:
            self._refuse(self._lines + 1, self._unfinished, f"a line has at most {LINE_BYTES_MAX} characters")

    def finish(self) -> Recording:
        """Return the recording once the whole file was taken in."""
        last = self._unfinished.removesuffix(b"\r")
        if last.strip() and self._lines and not _USUAL_ROWS.fullmatch(last + b"\n"):
            self._refuse(self._lines + 1, last, "may be half a line: the file was cut, or a newline is missing here")
        if last or not self._lines:
            self._take_line(last)
        count = len(self._times)
        if count < 2 or self._times[-1] - self._times[0] < count:
            raise RecordingError(
                f"{self._path}: a replay needs rows of different times, two at least and at most one a millisecond"
            )
        return Recording(self._times, self._cents)

    def _take_lines(self, lines: bytes) -> None:
        if self._lines and not self._blank and _USUAL_ROWS.fullmatch(lines):
            numbers = list(map(int, lines[:-1].replace(b".", b"").replace(b"\n", b",").split(b",")))
            times, cents = numbers[0::2], numbers[1::2]
            gaps = list(map(sub, times, [self._times[-1] if self._times else times[0], *times]))
            if min(cents) > 0 and min(gaps) >= 0 and max(gaps) <= GAP_MS_MAX:
                self._lines += len(times)
                self._add(times, cents)
                return
        for line in lines[:-1].split(b"\n"):
            self._take_line(line)

    def _take_line(self, line: bytes) -> None:
        self._lines += 1
        if self._lines == 1:
            if line.removeprefix(BYTE_ORDER_MARK) != HEADER.encode():
                self._refuse(1, line, f"the first line must be {HEADER} (text, plain or packed by gzip or zstandard)")
        elif not line.strip():
            self._blank = self._blank or self._lines
        elif self._blank:
            self._refuse(self._blank, b"", "a line without a row may only be at the end")
        else:
            self._take_row(line)

    def _take_row(self, line: bytes) -> None:
        row = _ROW.fullmatch(line)
        cents = int(row["dollars"]) * 100 + int((row["cents"] or b"0").ljust(2, b"0")) if row else 0
        if row is None or cents <= 0:
            self._refuse(self._lines, line, _what_is_wrong(line))
        time_ms = int(row["time"])
        gap_ms = time_ms - (self._times[-1] if self._times else time_ms)
        if gap_ms < 0:
            self._refuse(self._lines, line, "times must not decrease, and this one is before the row above")
        if gap_ms > GAP_MS_MAX:
            self._refuse(
                self._lines, line, f"is {gap_ms // 3_600_000} hours after the row above; {GAP_H_MAX} are taken"
            )
        self._add((time_ms,), (cents,))

    def _add(self, times: Sequence[int], cents: Sequence[int]) -> None:
        self._times.extend(times)
        self._cents.extend(cents)
        if len(self._times) > ROWS_MAX:
            raise RecordingError(f"{self._path}: has more than {ROWS_MAX:,} rows; cut it")

    def _refuse(self, number: int, line: bytes, reason: str) -> NoReturn:
        shown = repr(line[:SHOWN_MAX])[1:] + "..." * (len(line) > SHOWN_MAX)
        raise RecordingError(f"{self._path}:{number}: {shown}: {reason}")


def _what_is_wrong(line: bytes) -> str:
    """Say what a row should be where this one is not."""
    time_text, comma, price_text = line.partition(b",")
    if not comma or b"," in price_text:
        return f"must be {HEADER}: two fields with one comma between them"
    if not re.fullmatch(rb"\d{13}", time_text):
        unit = _UNITS.get(len(time_text)) if time_text.isdigit() else None
        return "ts_ms must be Unix milliseconds, 13 digits" + (f"; these are as many as {unit} have" if unit else "")
    return "price must be US dollars above zero and below a billion, in whole cents, in digits and a point: 93748.95"
