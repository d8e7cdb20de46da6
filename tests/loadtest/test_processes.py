"""A process behind a pipe: it does what it is given, and how it ends is told."""

from __future__ import annotations

import os
import signal
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from loadtest.processes import BenchFailed, piped

PATIENCE_S = 20.0


def add(pipe: Connection, start: int) -> None:
    total = start
    while True:
        total += pipe.recv()
        pipe.send(total)


def fail(pipe: Connection) -> None:
    raise ValueError(f"cannot add {pipe.recv()}")


def test_it_does_what_it_is_given_until_the_block_ends() -> None:
    with piped("the adder", add, 5) as process:
        assert process.receive(0.0) is None
        for number, total in ((1, 6), (10, 16)):
            process.send(number)
            assert process.await_message(PATIENCE_S) == total
        # Ctrl-C is for the bench.
        os.kill(process.pid, signal.SIGINT)
        process.send(4)
        assert process.receive(PATIENCE_S) == 20
    assert not Path(f"/proc/{process.pid}").exists()


def test_what_it_fails_of_is_told() -> None:
    with piped("the adder", fail) as process:
        process.send("pears")
        with pytest.raises(BenchFailed, match=r"^the adder: ValueError: cannot add pears$"):
            process.receive(PATIENCE_S)


def test_a_death_is_told() -> None:
    with piped("the adder", add, 5) as process:
        os.kill(process.pid, signal.SIGKILL)
        with pytest.raises(BenchFailed, match=r"^the adder: the process has died$"):
            process.receive(PATIENCE_S)


def test_silence_is_told() -> None:
    with piped("the adder", add, 5) as process, pytest.raises(BenchFailed, match="has stopped talking"):
        process.await_message(0.0)
