"""A day's recording: what is read of it at any moment, after a kill, a crash and a new start."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given
from hypothesis import settings as tried
from hypothesis import strategies as st

from jobs.feed.buckets import Bar, Buckets
from jobs.feed.day_file import CUT_BYTES_MAX, DayFile, DayFileError
from jobs.feed.quotes import Quote
from jobs.feed.recorder import FLUSH_EVERY_MS, Recorder, path_of_day
from jobs.feed.recording import read_recording
from tests.jobs.feed.ticks import quote

START = 1_790_000_000_000


def rows(path: Path) -> list[tuple[int, int]]:
    recording = read_recording(path)
    return list(zip(recording.times_ms, recording.cents, strict=True))


def write(path: Path, *prices: tuple[int, int]) -> DayFile:
    """Write prices, and leave the file open."""
    file = DayFile(path)
    for ms, cents in prices:
        file.add(quote(START + ms, cents))
    file.flush()
    return file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "days" / "btc_2026-09-21.csv.zst"


def test_what_was_flushed_is_read_while_it_goes_on(path: Path) -> None:
    file = write(path, (0, 9_375_005), (100, 9_375_100), (200, 9_375_200))
    # The interval of the newest price is not over yet.
    assert rows(path) == [(START, 9_375_005), (START + 100, 9_375_100)]
    file.add(quote(START + 300, 5))
    file.flush()
    assert rows(path)[-1] == (START + 200, 9_375_200)
    file.close()
    assert rows(path)[-1] == (START + 300, 5)
    assert file.rows == 4


def test_a_new_start_goes_on_with_the_file(path: Path) -> None:
    write(path, (0, 100), (100, 200)).close()
    write(path, (50, 999), (100, 300), (700, 400)).close()
    # What is from before the newest row is left out.
    assert rows(path) == [(START, 100), (START + 100, 200), (START + 100, 300), (START + 700, 400)]


@pytest.mark.parametrize("lost", [1, 5, 20])
def test_half_a_frame_that_a_crash_left_is_cut_off(path: Path, lost: int) -> None:
    write(path, (0, 100), (100, 200)).close()
    whole = path.stat().st_size
    write(path, (700, 400), (800, 500)).close()
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - lost)
    write(path, (900, 600)).close()
    assert rows(path) == [(START, 100), (START + 100, 200), (START + 700, 400), (START + 900, 600)]
    # As a disk does that had the length of the file before its content.
    with path.open("r+b") as file:
        file.truncate(whole)
        file.seek(whole)
        file.write(b"\0" * 100)
    write(path, (900, 700)).close()
    assert rows(path)[-1] == (START + 900, 700)


def test_a_first_frame_that_was_cut_is_begun_anew(path: Path) -> None:
    write(path, (0, 100), (100, 200)).close()
    cut = path.read_bytes()[:7]
    path.write_bytes(cut)
    write(path, (200, 300), (300, 400)).close()
    assert rows(path) == [(START + 200, 300), (START + 300, 400)]
    # It could have been another's.
    assert path.with_name(path.name + ".cut").read_bytes() == cut


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"ts_ms,price\n1790000000000,1.00\n", "is no recording of ours", id="not packed"),
        pytest.param(b"x", "is no recording of ours", id="one letter"),
        pytest.param(zstandard.compress(b"dear diary\n"), "is no recording of ours", id="something else"),
        pytest.param(
            zstandard.compress(b"ts_ms,price\n") + b"\0" * (CUT_BYTES_MAX + 1),
            "is damaged at byte",
            id="damaged inside",
        ),
    ],
)
def test_what_is_not_ours_is_left_as_it_is(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "mine.csv.zst"
    path.write_bytes(content)
    with pytest.raises(DayFileError, match=said):
        DayFile(path)
    assert path.read_bytes() == content


def test_two_do_not_write_one_file(path: Path) -> None:
    first = write(path, (0, 100))
    with pytest.raises(DayFileError, match="another process writes it"):
        DayFile(path)
    first.close()
    DayFile(path).close()
    assert path.exists()


def test_a_full_disk_leaves_no_half_frame(path: Path) -> None:
    write(path, (0, 100), (100, 200)).close()
    script = (
        "import resource, sys; from pathlib import Path; from jobs.feed.day_file import *\n"
        "from tests.jobs.feed.ticks import quote\n"
        "path = Path(sys.argv[1]); file = DayFile(path)\n"
        "[file.add(quote(1_790_000_001_000 + 100 * n, 100 + n * n % 977)) for n in range(1000)]\n"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 50,) * 2)\n"
        "file.flush()\n"
    )
    ended = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False)
    assert f"{path}: File too large" in ended.stderr
    assert rows(path) == [(START, 100), (START + 100, 200)]


quotes = st.lists(st.tuples(st.integers(0, 400), st.integers(9_374_000, 9_376_000)), min_size=1, max_size=60)


@tried(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(quotes)
def test_a_replay_of_the_rows_makes_the_ticks_of_all_prices(tmp_path: Path, steps: list[tuple[int, int]]) -> None:
    ms, said = START, [Quote(START - 500, START - 500, 9_375_000)]
    for wait_ms, cents in steps:
        ms += wait_ms
        said.append(Quote(ms, ms, cents))
    path = tmp_path / "one.csv.zst"
    path.unlink(missing_ok=True)
    file = DayFile(path)
    for each in said:
        file.add(each)
    file.close()
    assert bars([Quote(ms, ms, cents) for ms, cents in rows(path)]) == bars(said)
    assert len(rows(path)) <= len(said)


def bars(said: list[Quote]) -> list[Bar]:
    buckets = Buckets(0)
    made = [buckets.add(each) for each in said]
    return [bar for bar in (*made, buckets.close(said[-1].arrived_ms + 200)) if bar]


def test_a_day_has_a_file_and_each_source_its_own(tmp_path: Path) -> None:
    midnight = 1_790_035_200_000
    recorder = Recorder(tmp_path / "btc.csv.zst", ["kraken"])
    for ms in range(midnight - 300, midnight + 300, 100):
        recorder.hear("kraken", quote(ms + 1, 500))
        recorder.hear("binance", quote(ms + 2, 600))
        recorder.hear("kraken", quote(ms + 3, 0))
        recorder.take([quote(ms + 1, 555)], ms + 100)
    recorder.close()
    names = ["btc_2026-09-21.csv.zst", "btc_2026-09-21_kraken.csv.zst"]
    names += [name.replace("21", "22") for name in names]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert [ms for ms, _ in rows(tmp_path / names[0])] == [midnight - 299, midnight - 199, midnight - 99]
    assert [ms for ms, _ in rows(tmp_path / names[2])] == [midnight + 1, midnight + 101, midnight + 201]
    assert rows(tmp_path / names[3]) == [(midnight + 1 + 100 * n, 500) for n in range(3)]
    assert path_of_day(Path("a/btc"), midnight) == Path("a/btc_2026-09-22.csv.zst")


def test_rows_are_written_every_few_seconds(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "btc")
    sizes = []
    for ms in range(START, START + 2 * FLUSH_EVERY_MS, 100):
        recorder.take([quote(ms)], ms)
        sizes += [path.stat().st_size for path in tmp_path.iterdir()]
    assert sum(after > before for before, after in pairwise(sizes)) == 1
    recorder.close()
    assert len(rows(*tmp_path.iterdir())) == 2 * FLUSH_EVERY_MS // 100
