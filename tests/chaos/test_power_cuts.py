"""Power cuts: what a disk keeps of what was not synced, what strace tells, and a house that loses nothing by one."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.chaos.power.calls import STRACE, Call, NotPlayed, read_call
from tests.chaos.power.cuts import cut, record
from tests.chaos.power.disk import BLOCK_BYTES, Disk, blocks

CUTS = 8
A = "/a"


def escaped(text: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in text.encode())


def write(at_s: float, data: bytes, offset: int | None = None) -> Call:
    return Call("write", A, at_s, at_s + 0.1, data, offset)


def sync(began_s: float, ended_s: float) -> Call:
    return Call("sync", A, began_s, ended_s)


def after(calls: list[Call], moment_s: float, content: bytes = b"", *, lies: bool = False) -> set[bytes]:
    """Return what may be on the disk after a cut at a moment."""
    disk = Disk({A: content}, lies=lies)
    list(disk.play(calls, [moment_s]))
    return {disk.cut(Random(seed))[A] for seed in range(100)}


def test_what_was_synced_stays_and_nothing_else_is_promised() -> None:
    calls = [write(1, b"one"), sync(2, 3), write(4, b"two")]
    assert after(calls, 5) == {b"one", b"onetwo"}
    assert after(calls, 2.5) == {b"", b"one"}, "it counts from its end"
    assert after(calls, 5, lies=True) >= {b"", b"one", b"onetwo", b"\0\0\0two"}


def test_a_sync_promises_nothing_of_a_write_that_had_not_ended() -> None:
    assert after([Call("write", A, 1, 3, b"one"), sync(2, 2.5)], 4) == {b"", b"one"}


def test_a_write_in_place_may_be_torn_between_blocks_and_a_truncation_undone() -> None:
    old, new = b"o" * 2 * BLOCK_BYTES, b"n" * 2 * BLOCK_BYTES
    halves = {new[:BLOCK_BYTES] + old[:BLOCK_BYTES], old[:BLOCK_BYTES] + new[:BLOCK_BYTES]}
    assert after([write(1, new, 0)], 2, old) == {old, new, *halves}
    assert after([Call("truncate", A, 1, 1, offset=3)], 2, b"12345") == {b"123", b"12345"}
    assert [len(part.data) for part in blocks(write(1, b"x" * 600, 500))] == [12, 512, 76]


def test_what_strace_tells_is_read() -> None:
    on = f"7<{escaped(A)}>"
    assert read_call(f'1.5 pwrite64({on}, "{escaped("hi")}", 2, 40) = 2 <0.25>', {A}) == Call(
        "write", A, 1.5, 1.75, b"hi", 40
    )
    assert read_call(f'1.5 write({on}, "{escaped("hi")}", 2) = 1 <0.25>', {A}) == Call("write", A, 1.5, 1.75, b"h")
    assert read_call(f"1.5 fdatasync({on}) = 0 <0.25>", {A}) == Call("sync", A, 1.5, 1.75)
    assert read_call(f"1.5 ftruncate({on}, 9) = 0 <0.25>", {A}) == Call("truncate", A, 1.5, 1.75, offset=9)
    for nothing in (f"1.5 fsync({on}) = -1 EIO (Input/output error) <0.1>", "1.5 +++ exited with 0 +++"):
        assert read_call(nothing, {A}) is None
    assert read_call(f"1.5 fsync({on}) = 0 <0.25>", {"/b"}) is None
    for unknown in (
        f'1.5 rename("{escaped(A)}", "{escaped("/c")}") = 0 <0.1>',
        f"1.5 fallocate({on}, 0, 0, 9) = 0 <0.1>",
    ):
        with pytest.raises(NotPlayed):
            read_call(unknown, {A})


@pytest.mark.acceptance
@pytest.mark.timeout(180)
@pytest.mark.skipif(STRACE is None, reason="there is no strace here (apt-get install strace)")
def test_no_bet_that_was_answered_is_lost_by_a_power_cut(tmp_path: Path) -> None:
    recorded = record(tmp_path / "house", 2.0, seed=7)
    counted = cut(recorded, CUTS, tmp_path / "cuts", seed=7)
    assert (counted.wrong, counted.lost) == ([], 0)
    assert counted.answered > CUTS
    assert counted.unsynced > 0
    lying = cut(recorded, CUTS, tmp_path / "lies", seed=7, lies=True)
    assert lying.lost > 0, "a disk that syncs nothing is found out"
