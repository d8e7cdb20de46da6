"""`taptrade feed record`: exchanges on this machine, a process that is killed, one that goes on, and what is read."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from jobs.feed.recorder import Recorder, path_of_day
from jobs.feed.recording import Recording, read_recording
from runtime.clock import SystemClock
from taptrade.feed_record import progress
from taptrade.processes import module
from tests.feed_sources import feed_sources
from tests.jobs.feed.exchange_servers import ExchangeServer
from tests.waiting import wait_until

NAMES = ("kraken", "coinbase")
URLS = ("TAPTRADE_FEED_KRAKEN_URL", "TAPTRADE_FEED_COINBASE_URL")


@pytest.fixture
def variables() -> Iterator[dict[str, str]]:
    """Return the settings of a recorder, while two exchanges quote ten times a second."""
    with ExitStack() as stack:
        servers = [stack.enter_context(ExchangeServer(name, price="93750.10", again_s=0.1)) for name in NAMES]
        urls = dict(zip(URLS, (server.url for server in servers), strict=True))
        rest = {name: value for name, value in os.environ.items() if not name.startswith("TAPTRADE_")}
        yield rest | urls | {"TAPTRADE_FEED": ",".join(NAMES)}


@contextmanager
def recording(file: Path, variables: dict[str, str], *options: str) -> Iterator[subprocess.Popen[str]]:
    """Record within the block; at its end the process must have ended."""
    command = module("taptrade", "feed", "record", str(file), *options)
    process = subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
        assert process.poll() is not None
    finally:
        process.kill()
        process.communicate()


def recorded(folder: Path) -> dict[str, Recording]:
    """Return what is read of the files that are there; they may be of two days."""
    return {path.name: read_recording(path) for path in sorted(folder.glob("*.zst"))}


def count(folder: Path) -> int:
    return sum(len(recording.cents) for recording in recorded(folder).values())


def test_a_recording_outlives_a_kill_and_goes_on(tmp_path: Path, variables: dict[str, str]) -> None:
    folder = tmp_path / "days"
    with recording(folder / "btc.csv.zst", variables, "--sources") as first:
        wait_until(lambda: len(list(folder.glob("*.zst"))) >= 3, 30, what="files")
        wait_until(lambda: all(path.stat().st_size for path in folder.iterdir()), 30, what="rows in every file")
        first.kill()
        first.wait()
    before = count(folder)
    assert before > 20

    with recording(folder / "btc", variables, "--sources") as second:
        wait_until(lambda: count(folder) > before, 30, what="rows that go on")
        second.send_signal(signal.SIGINT)
        out, err = second.communicate(timeout=20)
    assert (second.returncode, err) == (0, "")
    now_ms = SystemClock().now_ms()
    expected = {path_of_day(folder / "btc", now_ms, source).name for source in ("", *NAMES)}
    assert expected <= set(recorded(folder))
    for name, found in recorded(folder).items():
        assert f"{name}: " in out
        assert set(found.cents) == {9_375_010}
        assert all(after >= before_ms for before_ms, after in pairwise(found.times_ms))
        assert now_ms - found.times_ms[-1] < 60_000


def test_what_is_no_exchange_is_not_recorded(tmp_path: Path, variables: dict[str, str]) -> None:
    with recording(tmp_path / "btc", variables | {"TAPTRADE_FEED": "replay"}) as refused:
        _, err = refused.communicate(timeout=20)
    assert refused.returncode == 2
    assert err.startswith("taptrade: TAPTRADE_FEED=replay is no exchange: name some, as in TAPTRADE_FEED=binance,")
    assert list(tmp_path.iterdir()) == []


def test_without_a_price_there_is_no_file(tmp_path: Path, variables: dict[str, str]) -> None:
    with ExchangeServer("kraken") as mute:
        unheard = dict(zip(URLS, (mute.url, "ws://127.0.0.1:9"), strict=True))
        with recording(tmp_path / "btc", variables | unheard) as waiting:
            mute.wait_subscribed(1, 20)
            assert waiting.stdout is not None
            error = waiting.stdout.readline().removeprefix("coinbase: ").rstrip()
            waiting.send_signal(signal.SIGTERM)
            out, _ = waiting.communicate(timeout=20)
    assert waiting.returncode == 1
    assert "refused" in error.lower()
    assert re.fullmatch(
        rf"nothing was recorded: no price was agreed on; kraken: (connecting|silent), coinbase: {re.escape(error)}\n",
        out,
    )


def test_the_line_of_progress_says_why_a_source_waits(tmp_path: Path) -> None:
    found = feed_sources(SystemClock().now_ms(), binance=True, kraken=True, bitstamp=False)
    text = progress(found, Recorder(tmp_path / "btc", ()))
    assert text.startswith("0 rows, 2 of 3 agree: binance live 93,750.12, kraken live ")
    assert re.search(r"bitstamp waiting( [0-9,.]+)? \(ConnectionRefusedError\); no file yet$", text)


@pytest.mark.parametrize("name", ["btc.csv", "btc.zst", ".csv.zst"])
def test_a_name_that_would_mislead_is_refused(tmp_path: Path, variables: dict[str, str], name: str) -> None:
    with recording(tmp_path / name, variables) as refused:
        _, err = refused.communicate(timeout=20)
    assert refused.returncode == 2
    assert "the name must end in .csv.zst, or have no ending" in err
