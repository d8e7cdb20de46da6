"""Locks of one process: a second one is refused with the holder's id, and a dead holder holds nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.process_lock import LockHeld, LockUnmade, acquire, is_held, sole

HOLD = """
import sys, time
from pathlib import Path
from runtime.process_lock import sole
with sole("writer", Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_process_of_a_role_is_refused_and_told_which_one_is_it(tmp_path: Path) -> None:
    lock = tmp_path / "run" / "writer.lock"
    refused = pytest.raises(LockHeld, match=rf"process {os.getpid()} is the writer already; it holds .*writer\.lock")
    with sole("writer", lock), refused, sole("writer", lock):
        pytest.fail("two processes hold the lock")
    with sole("writer", lock):
        assert is_held(lock)
    assert not is_held(lock)


def test_a_lock_goes_with_its_process_however_that_ends(tmp_path: Path) -> None:
    lock = tmp_path / "writer.lock"
    command = [sys.executable, "-c", HOLD, str(lock)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert is_held(lock)
        holder.kill()
    assert not is_held(lock)


def test_what_the_file_tells_is_replaced_as_a_whole(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    acquire(lock, b"a longer line\n").close()
    with acquire(lock, b"short\n"):
        assert lock.read_bytes() == b"short\n"


def test_a_lock_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "run").touch()
    with pytest.raises(LockUnmade, match=rf"{tmp_path}/run: File exists"), sole("writer", tmp_path / "run" / "lock"):
        pytest.fail("there is no lock")


def test_a_look_at_no_file_finds_no_holder_and_makes_none(tmp_path: Path) -> None:
    assert not is_held(tmp_path / "absent")
    assert not (tmp_path / "absent").exists()
