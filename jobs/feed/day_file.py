"""One day's recording as it is written: rows in frames that are whole, so that it can be read at any moment.

A process that is killed loses the rows since its last frame. A machine that dies may leave half a frame at the end,
which readers refuse; whoever goes on with the file cuts it off first.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import zstandard

from jobs.feed.buckets import INTERVAL_MS
from jobs.feed.quotes import Quote
from jobs.feed.recording import HEADER
from runtime.errors import TaptradeError

LEVEL = 9
READ_BYTES = 64 * 1024
BEGINNING = f"{HEADER}\n".encode()
CUT_BYTES_MAX = 1024 * 1024
"""More than one frame ever has: what is longer and cannot be read was not left by a crash while it was written."""


class DayFileError(TaptradeError):
    """A file cannot be gone on with."""


class DayFile:
    """Append rows to a file; it is made, or gone on with where it ended."""

    def __init__(self, path: Path) -> None:
        """Raise DayFileError if the file is no recording, or is written by another process."""
        self.path = path
        self.rows = 0
        """Those that were added here."""
        self._compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a+b", buffering=0)
        try:
            self._lock()
            self._length, self._last_ms = _whole_part(path)
            if not self._length and path.stat().st_size:
                # Whether it is ours, such a file does not tell.
                path.with_name(path.name + ".cut").write_bytes(path.read_bytes())
            self._file.truncate(self._length)
        except BaseException:
            self._file.close()
            raise
        self._of_interval: list[Quote] = []
        self._waiting = [] if self._length else [HEADER]

    def add(self, quote: Quote) -> None:
        """Take in a price; it is in the file after a `flush` that comes when its tick's interval is over.

        One from before the newest is left out: it came before the clock stepped back.
        """
        if quote.arrived_ms < self._last_ms:
            return
        if quote.arrived_ms // INTERVAL_MS != self._last_ms // INTERVAL_MS:
            self._end_interval()
        self._last_ms = quote.arrived_ms
        self._of_interval.append(quote)

    def _end_interval(self) -> None:
        """Keep of an interval what its tick is made of: lowest, highest and last, each once."""
        quotes, self._of_interval = self._of_interval, []
        if not quotes:
            return
        indices = range(len(quotes))
        lowest, highest = (choose(indices, key=lambda index: quotes[index].cents) for choose in (min, max))
        for index in sorted({lowest, highest, len(quotes) - 1}):
            quote = quotes[index]
            self._waiting.append(f"{quote.arrived_ms},{quote.cents // 100}.{quote.cents % 100:02d}")
            self.rows += 1

    def flush(self) -> None:
        """Write what waits as one frame, onto the disk; raise DayFileError if that cannot be, and leave no half."""
        if not self._waiting:
            return
        frame = self._compressor.compress(("\n".join(self._waiting) + "\n").encode())
        try:
            written = 0
            while written < len(frame):
                written += self._file.write(frame[written:])
            os.fdatasync(self._file.fileno())
        except OSError as ex:
            self._file.truncate(self._length)
            raise DayFileError(f"{self.path}: {ex.strerror or ex}") from ex
        self._length += len(frame)
        self._waiting.clear()

    def close(self) -> None:
        """Write what waits, and let go of the file."""
        try:
            self._end_interval()
            self.flush()
        finally:
            self._file.close()

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DayFileError(f"{self.path}: another process writes it") from None


def _whole_part(path: Path) -> tuple[int, int]:
    """Return how long the whole frames of a file are together, and the time of the last row in them."""
    whole = read = 0
    text = last = b""
    frame = zstandard.ZstdDecompressor().decompressobj()
    try:
        with path.open("rb") as file:
            while packed := file.read(READ_BYTES):
                read += len(packed)
                while packed:
                    text += frame.decompress(packed)
                    packed = frame.unused_data
                    if not whole and not (text.startswith(BEGINNING) or BEGINNING.startswith(text)):
                        raise DayFileError(f"{path}: is no recording of ours; it is left as it is")
                    if frame.eof:
                        whole, last, text = read - len(packed), text or last, b""
                        frame = zstandard.ZstdDecompressor().decompressobj()
    except zstandard.ZstdError as ex:
        if not whole:
            raise DayFileError(f"{path}: is no recording of ours; it is left as it is") from ex
    rest = path.stat().st_size - whole
    if rest > CUT_BYTES_MAX:
        raise DayFileError(f"{path}: is damaged at byte {whole:,}, with {rest:,} behind it; it is left as it is")
    return whole, _last_time_ms(last)


def _last_time_ms(text: bytes) -> int:
    time_ms = text.rstrip(b"\n").rpartition(b"\n")[2].partition(b",")[0]
    return int(time_ms) if time_ms.isdigit() else 0
