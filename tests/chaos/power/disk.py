"""A disk that keeps what was synced and promises nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random

from tests.chaos.power.calls import Call

BLOCK_BYTES = 512
FATES = ("none", "all", "first", "some")
"""What of the unsynced calls has reached the disk at a cut: nothing, all, the first ones and a part of the next, or any
blocks of any of them."""


@dataclass(slots=True)
class File:
    """One file: what is safe, what may be, and how long its processes see it."""

    safe: bytearray
    pending: list[Call] = field(default_factory=list)
    length: int = 0

    def take(self, call: Call) -> None:
        """Note a write or a truncation that has begun."""
        if call.kind == "truncate":
            assert call.offset is not None
            self.length = call.offset
        else:
            at = self.length if call.offset is None else call.offset
            call = Call("write", call.path, call.began_s, call.ended_s, call.data, at)
            self.length = max(self.length, at + len(call.data))
        self.pending.append(call)

    def sync(self, began_s: float) -> None:
        """Make safe what had ended before the sync began."""
        done = [call for call in self.pending if call.ended_s <= began_s]
        self.pending = [call for call in self.pending if call.ended_s > began_s]
        for call in done:
            apply(self.safe, call)

    def cut(self, random: Random) -> bytes:
        """Return what is on the disk when the power comes back."""
        content, fate = bytearray(self.safe), random.choice(FATES)
        if fate == "none" or not self.pending:
            return bytes(content)
        if fate == "some":
            for call in random.sample(self.pending, len(self.pending)):
                for part in blocks(call):
                    if random.random() < 0.5:
                        apply(content, part)
            return bytes(content)
        number = len(self.pending) if fate == "all" else random.randrange(len(self.pending))
        for call in self.pending[:number]:
            apply(content, call)
        if fate == "first":
            torn = [*blocks(self.pending[number])]
            for part in torn[: random.randrange(len(torn) + 1)]:
                apply(content, part)
        return bytes(content)


class Disk:
    """Files under the calls of a recording, up to any moment."""

    def __init__(self, contents: Mapping[str, bytes], *, lies: bool = False) -> None:
        """`contents` are safe at the start; a disk that `lies` confirms every sync and does none."""
        self.files = {path: File(bytearray(data), length=len(data)) for path, data in contents.items()}
        self._lies = lies

    def play(self, calls: Iterable[Call], moments_s: Iterable[float]) -> Iterator[float]:
        """Yield each of these moments in order, when all that was done by then has been done."""
        # A sync counts from its end; all else may be on its way to the disk from its begin.
        steps = [(call.ended_s, 1, call) if call.kind == "sync" else (call.began_s, 0, call) for call in calls]
        steps.sort(key=lambda step: step[:2])
        done = 0
        for moment_s in sorted(moments_s):
            while done < len(steps) and steps[done][0] < moment_s:
                self._do(steps[done][2])
                done += 1
            yield moment_s

    def _do(self, call: Call) -> None:
        if call.kind != "sync":
            self.files[call.path].take(call)
        elif not self._lies:
            self.files[call.path].sync(call.began_s)

    def cut(self, random: Random) -> dict[str, bytes]:
        """Return all files as they are when the power comes back."""
        return {path: file.cut(random) for path, file in self.files.items()}


def blocks(call: Call) -> Iterator[Call]:
    """Yield a write in the pieces that a disk keeps whole."""
    if call.kind == "truncate":
        yield call
        return
    assert call.offset is not None
    at, end = call.offset, call.offset + len(call.data)
    while at < end:
        upto = min(end, (at // BLOCK_BYTES + 1) * BLOCK_BYTES)
        yield Call("write", call.path, 0, 0, call.data[at - call.offset : upto - call.offset], at)
        at = upto


def apply(content: bytearray, call: Call) -> None:
    """Do to a content what a call does to a file."""
    assert call.offset is not None
    if call.kind == "truncate":
        del content[call.offset :]
        content.extend(bytes(call.offset - len(content)))
        return
    content.extend(bytes(max(0, call.offset - len(content))))
    content[call.offset : call.offset + len(call.data)] = call.data
