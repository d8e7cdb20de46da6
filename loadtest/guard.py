"""`make bench-guard`: hold this build's ratios against those that were recorded for the last release.

Figures of two days cannot be compared, ratios to one and the same build can: each run measures that one too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Struct

from loadtest import against
from loadtest.measurement import ROOT, Found, Measurement, Trial
from loadtest.processes import BenchFailed
from release import ratios
from release.ratios import Recorded
from release.sources import ReleaseFailed
from runtime.version import build

MARGIN = 1.05
NOISY_MARGIN = 1.30
"""Of a p99: three runs of one build, one after the other, had 72, 88 and 115 ms."""
NOISY = "p99"
GUARDED = (
    *(f"{figure} at {rate:,} bets/s" for rate in against.RATES for figure in ("server us a bet", "p99 ms")),
    "own memory MB",
)
"""Figures of `make bench AGAINST=REV`; all of them are better the less they are."""


class Judged(Struct, frozen=True):
    """One figure: its ratio now, that of the release, and how many times that it may be."""

    what: str
    now: float
    recorded: float
    margin: float

    @property
    def grown(self) -> float:
        """How many times the release's ratio this one is."""
        return self.now / self.recorded

    @property
    def is_worse(self) -> bool:
        """Tell whether that is beyond its margin."""
        return self.grown > self.margin


def guarded(compared: Sequence[Found]) -> dict[str, float]:
    """Return the ratios that a release is held to, by what they are of; `BenchFailed` if one was not measured."""
    found = {one["what"]: one["ratio"] for one in compared}
    if missing := [what for what in GUARDED if not found.get(what)]:
        raise BenchFailed(f"not measured: {', '.join(missing)}")
    return {what: found[what] for what in GUARDED}


def judge(now: dict[str, float], recorded: Recorded) -> list[Judged]:
    """Hold ratios against a release's, each by its margin; `BenchFailed` if the record lacks one."""
    if missing := [what for what in now if what not in recorded.ratios]:
        raise BenchFailed(f"{ratios.RECORD} lacks {', '.join(missing)}: record anew")
    return [
        Judged(what, ratio, recorded.ratios[what], NOISY_MARGIN if what.startswith(NOISY) else MARGIN)
        for what, ratio in now.items()
    ]


def last_release(root: Path) -> Recorded:
    """Return the record; `BenchFailed` says what to do where there is none."""
    try:
        recorded = ratios.read(root)
    except ReleaseFailed as ex:
        raise BenchFailed(str(ex)) from None
    if recorded is None:
        raise BenchFailed(
            f"no release's ratios are recorded in {ratios.RECORD}: record this build's with "
            "`make bench-guard RECORD=1 AGAINST=REV`, REV being the build to hold releases against"
        )
    return recorded


def measured(
    trial: Trial,
    record: Annotated[bool, "write the ratios down as those of a release, instead of judging them"] = False,
    revision: Annotated[str, "with --record: the build to hold releases against; else that of the record"] = "",
    rounds: Annotated[int, "times that both builds are measured"] = against.ROUNDS,
    run: Annotated[
        str, "a file that `make bench AGAINST=REV` has just left (build/against.json): measure nothing"
    ] = "",
) -> Found:
    """Measure this build against the one that the last release was held against, and judge or record the ratios."""
    if revision and not record:
        raise BenchFailed("the record says which build to measure against; another one goes with --record alone")
    last = None if record and (revision or run) else last_release(ROOT)
    wanted = revision or (last.revision if last else "")
    found = _read_run(Path(run), wanted) if run else against.measured(trial, wanted, [*against.RATES], rounds)
    now = guarded(found["compared"])
    if record or last is None:
        last = Recorded(found["revision"], build(ROOT).version, {what: round(one, 4) for what, one in now.items()})
        ratios.write(ROOT, last)
        trial.display.say(f"recorded in {ratios.RECORD}: commit it with the release")
    return {name: found[name] for name in ("revision", "turns", "compared")} | {
        "version": last.version,
        "judged": [(one, one.grown, one.is_worse) for one in judge(now, last)],
    }


def _read_run(path: Path, revision: str) -> Found:
    try:
        found: Found = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError) as ex:
        raise BenchFailed(f"{path}: {ex}") from None
    if not (revision.startswith(found["revision"]) or found["revision"].startswith(revision)):
        raise BenchFailed(f"{path} was measured against {found['revision']}, not {revision}")
    return found


def complaints(found: Found) -> Iterator[str]:
    """No ratio may be worse than the release's by more than its margin, and no bet of ours may fail."""
    for one, grown, is_worse in found["judged"]:
        if is_worse:
            yield f"{one.what}: {one.now:.2f}, {grown:.2f} times the {one.recorded:.2f} of {found['version']}"
    yield from against.complaints(found)


MEASUREMENT = Measurement("guard", measured, complaints, renews=lambda _found: False, nginx="wanted")
