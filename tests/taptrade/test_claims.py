"""What only one run can have: the last one gets time to let go, and who keeps it is named."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runtime.clock import ManualClock
from runtime.process_lock import name_of
from runtime.settings import Settings, SettingsError, load
from taptrade import claims, embedded_redis, holders, running
from tests.conftest import start_redis

API = ("TAPTRADE_HOST", "TAPTRADE_PORT")
DASHBOARD = ("TAPTRADE_DASHBOARD_HOST", "TAPTRADE_DASHBOARD_PORT")
WE = f"process {os.getpid()} \\("


@pytest.fixture
def ours(tmp_path: Path) -> Settings:
    return load({"TAPTRADE_DATA": str(tmp_path / "data")})


@pytest.fixture
def taken() -> Iterator[socket.socket]:
    """Return a socket that listens on a port of this machine."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener


def claim(attempt: Callable[[], object], clock: ManualClock, then: Callable[[], object] = lambda: None) -> None:
    """Claim on a clock that only waiting moves; `then` happens while it waits."""

    def pause(seconds: float) -> None:
        clock.advance(int(seconds * 1000))
        then()

    claims.claim(attempt, monotonic=lambda: clock.monotonic_ms() / 1000, pause=pause)


def test_what_is_free_is_taken_without_a_word(
    ours: Settings, clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    claim(lambda: claims.lock_data(ours).close(), clock)
    assert capsys.readouterr().out == ""


def test_a_port_is_waited_for_and_the_wait_is_told_once(
    taken: socket.socket, clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    port = taken.getsockname()[1]

    def close_later() -> None:
        if clock.steady_ms >= 1_000:
            taken.close()

    claim(lambda: claims.require_free_port("127.0.0.1", port, API), clock, close_later)
    [line] = capsys.readouterr().out.splitlines()
    assert line.startswith(f"taptrade: 127.0.0.1:{port} is in use by process {os.getpid()} (")
    assert line.endswith("; waiting up to 15 s for it to end")


def test_a_port_that_stays_taken_names_its_holder_and_its_setting(taken: socket.socket, clock: ManualClock) -> None:
    port = taken.getsockname()[1]
    with pytest.raises(SettingsError, match=f"127.0.0.1:{port} is in use by {WE}.*; stop it or set TAPTRADE_PORT"):
        claim(lambda: claims.require_free_port("127.0.0.1", port, API), clock)
    assert 15_000 <= clock.steady_ms < 16_000


@pytest.mark.integration
@pytest.mark.parametrize(
    ("host", "refusal"),
    [
        ("192.0.2.1", r"cannot listen on 192\.0\.2\.1:1 .*; set TAPTRADE_DASHBOARD_HOST"),
        ("2001:db8::1", r"cannot listen on \[2001:db8::1\]:1 .*; set TAPTRADE_DASHBOARD_HOST"),
        ("nobody.invalid", r"TAPTRADE_DASHBOARD_HOST=nobody\.invalid: no address is known for this host"),
    ],
)
def test_an_address_that_is_not_ours_is_not_waited_for(clock: ManualClock, host: str, refusal: str) -> None:
    with pytest.raises(SettingsError, match=refusal):
        claim(lambda: claims.require_free_port(host, 1, DASHBOARD), clock)
    assert clock.steady_ms == 0


def test_a_port_that_is_taken_at_one_address_is_taken_at_all(taken: socket.socket) -> None:
    for host in ("localhost", "0.0.0.0", "::"):  # noqa: S104
        with pytest.raises(claims.Taken):
            claims.require_free_port(host, taken.getsockname()[1], API)
    claims.require_free_port("::1", taken.getsockname()[1], API)


def test_a_data_folder_is_held_by_one_run_which_is_named(ours: Settings, clock: ManualClock) -> None:
    lock = claims.lock_data(ours)
    with pytest.raises(
        SettingsError, match=f"{ours.data} is in use by another run, {WE}.*; stop it or set TAPTRADE_DATA"
    ):
        claim(lambda: claims.require_no_run(ours), clock)
    with pytest.raises(SettingsError, match="taken by another run in this moment"):
        claims.lock_data(ours)
    claim(lambda: claims.require_no_run(ours), clock, lock.close)


def test_waiting_leaves_no_trace(ours: Settings) -> None:
    claims.await_all(ours)
    assert not ours.data.exists()


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="cannot write there"):
        claims.lock_data(load({"TAPTRADE_DATA": str(tmp_path / "file" / "data")}))


def test_a_redis_that_still_ends_is_waited_for(tmp_path: Path, clock: ManualClock) -> None:
    embedded_redis.prepare(tmp_path)
    process = start_redis(tmp_path)

    def end() -> None:
        process.terminate()
        process.wait(10)

    with pytest.raises(claims.Taken, match=f"redis.sock is in use by process {process.pid}"):
        claims.require_free_redis(tmp_path)
    claim(lambda: claims.require_free_redis(tmp_path), clock, end)


def test_a_process_that_has_gone_is_named_by_its_id() -> None:
    assert name_of(2**22 + 1) == f"process {2**22 + 1}"


def test_a_port_that_nobody_of_ours_holds(taken: socket.socket) -> None:
    port = taken.getsockname()[1]
    taken.close()
    assert holders.port_holder(port) == "another process"


LISTENING = "import socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); input()"


def test_who_listens_is_known_by_its_data_folder(tmp_path: Path) -> None:
    house = subprocess.Popen(
        [sys.executable, "-c", LISTENING],
        env={"TAPTRADE_DATA": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with house:
        assert house.stdout is not None
        port = int(house.stdout.readline())
        assert holders.serves(port, tmp_path)
        assert not holders.serves(port, tmp_path / "another")
        house.communicate(b"\n")
    assert not holders.serves(port, tmp_path)


def test_the_run_that_holds_a_folder_is_found_from_elsewhere(ours: Settings) -> None:
    assert running.find(ours.data) is None
    with claims.lock_data(ours):
        run = running.find(ours.data)
        assert run == running.Run(os.getpid(), "127.0.0.1", 8000, "127.0.0.1", 9181, "127.0.0.1:8000", 1)
        assert running.find(ours.data) == run, "a look takes nothing away"
    assert running.find(ours.data) is None
    assert running.recorded(ours.data) == run, "who comes next overwrites it"
    elsewhere = load({"TAPTRADE_DATA": str(ours.data), "TAPTRADE_PORT": "18123", "TAPTRADE_CHAIN_ID": "5"})
    with claims.lock_data(elsewhere):
        found = running.find(ours.data)
        assert found is not None
        assert (found.url, found.domain, found.chain_id) == ("http://127.0.0.1:18123", "127.0.0.1:18123", 5)


def test_a_lock_that_tells_nothing_is_no_run(ours: Settings) -> None:
    with claims.lock_data(ours) as lock:
        lock.truncate(0)
        assert running.find(ours.data) is None
