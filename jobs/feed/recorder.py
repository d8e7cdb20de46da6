"""What a feed receives, kept in files that a replay reads: the series of prices, and beside it that of each source."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from jobs.feed.day_file import DayFile
from jobs.feed.quotes import Quote

FLUSH_EVERY_MS = 5_000
ENDING = ".csv.zst"
DAY_MS = 24 * 3600 * 1000


def path_of_day(file: Path, day_ms: int, source: str = "") -> Path:
    """Return FILE with the day (UTC), and the source, before its ending."""
    day = datetime.fromtimestamp(day_ms / 1000, UTC).date()
    stem = file.name.removesuffix(ENDING)
    return file.with_name("_".join(part for part in (stem, day.isoformat(), source) if part) + ENDING)


class Series:
    """One series of prices, in a file a day."""

    def __init__(self, file: Path, source: str = "") -> None:
        self._file = file
        self._source = source
        self._day = -1
        self._open: DayFile | None = None
        self.written: list[DayFile] = []
        """Every file so far, the newest last."""

    def add(self, quote: Quote) -> None:
        """Take in a price, into the file of its day."""
        day = quote.arrived_ms // DAY_MS
        if self._open is None or day > self._day:
            self.close()
            self._day = day
            self._open = DayFile(path_of_day(self._file, quote.arrived_ms, self._source))
            self.written.append(self._open)
        self._open.add(quote)

    def flush(self) -> None:
        """Let what was taken in be read by others."""
        if self._open is not None:
            self._open.flush()

    def close(self) -> None:
        """Write what waits, and end."""
        opened, self._open = self._open, None
        if opened is not None:
            opened.close()

    @property
    def rows(self) -> int:
        """How many rows were added."""
        return sum(file.rows for file in self.written)


class Recorder:
    """Keep what the feed agreed on, and with `sources` what each of them said."""

    def __init__(self, file: Path, sources: Iterable[str] = ()) -> None:
        self.agreed = Series(file)
        self._of_sources = {name: Series(file, name) for name in sources}
        self._flushed_ms = 0

    @property
    def all(self) -> list[Series]:
        """Every series."""
        return [self.agreed, *self._of_sources.values()]

    def hear(self, name: str, quote: Quote) -> None:
        """Take in what one source said."""
        series = self._of_sources.get(name)
        if series is not None and quote.cents > 0:
            series.add(quote)

    def take(self, quotes: Iterable[Quote], now_ms: int) -> None:
        """Take in what all agreed on; write, if it is time."""
        for quote in quotes:
            self.agreed.add(quote)
        if abs(now_ms - self._flushed_ms) >= FLUSH_EVERY_MS:
            self._flushed_ms = now_ms
            for series in self.all:
                series.flush()

    def close(self) -> None:
        """Write what waits, and end."""
        for series in self.all:
            series.close()
