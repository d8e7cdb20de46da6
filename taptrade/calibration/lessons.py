"""What the adversary learns from: the days that the model was fitted on, as far as they are at hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from runtime.game.grid import GridRules
from runtime.storage.files import sha256_of
from taptrade.calibration.candidate import Candidate, Source
from taptrade.calibration.days import Day, Flags, Progress, Whole, read_day
from taptrade.calibration.moments import moments_of
from taptrade.calibration.report import Part

EVERY_MS = 3_000
SLOW_EVERY_MS = 60_000
"""Where a model must be asked cell by cell."""
MOMENTS_MIN = 1_000
SUFFIXES = {".csv", ".gz", ".zst"}
SEED = 2


def lessons(
    judged: Sequence[Day],
    model: Candidate,
    rules: GridRules,
    given: Sequence[Path],
    folders: Sequence[Path],
    progress: Progress,
) -> tuple[list[Part], list[str]]:
    """Return the fit's moments, without those of the days that are judged, and a sentence for what is missing."""
    spans = [(int(day.ids[0]), int(day.ids[-1])) for day in judged]
    paths, skipped = (list(given), []) if given else _found(model.fitted_on, spans, folders)
    parts: list[Part] = []
    pricer = model.pricer
    for path in paths:
        day = read_day(path, rules, progress)
        moments = moments_of(day, rules, EVERY_MS if pricer.is_fast else SLOW_EVERY_MS, SEED)
        moments = moments.only(~_within(moments.now_ms, [*spans, *model.left_out_ms]))
        parts.append((moments, pricer, model.network))
    if sum(len(moments) for moments, _, _ in parts) >= MOMENTS_MIN:
        return parts, skipped
    why = " and ".join(skipped) or "there are no days of the fit but those that are judged here"
    return [], [f"no adversary was trained: {why}"]


def _within(now_ms: Whole, spans: Sequence[tuple[int, int]]) -> Flags:
    found: Flags = np.zeros(len(now_ms), dtype=bool)
    for first_ms, last_ms in spans:
        found |= (first_ms <= now_ms) & (now_ms <= last_ms)
    return found


def _found(
    sources: Sequence[Source], spans: Sequence[tuple[int, int]], folders: Sequence[Path]
) -> tuple[list[Path], list[str]]:
    """Look for the fit's recordings by their hashes; those that are judged themselves are not needed."""
    if not sources:
        return [], ["it is not known what the model was fitted on; --trained-on names it"]
    paths, missing = [], []
    for source in sources:
        if any(first_ms <= source.first_ms and source.last_ms <= last_ms for first_ms, last_ms in spans):
            continue
        path = next((path for path in _candidates(source, folders) if _sha256(path) == source.sha256), None)
        if path:
            paths.append(path)
        else:
            missing.append(source.name)
    said = [f"{', '.join(missing)} of the fit's days is not at hand; --trained-on names it"] if missing else []
    return paths, said


def _candidates(source: Source, folders: Sequence[Path]) -> list[Path]:
    """Return the recordings in the folders, those of its name first."""
    files = {path for folder in folders for path in folder.iterdir() if path.suffix in SUFFIXES and path.is_file()}
    return sorted(files, key=lambda path: (path.name != source.name, path))


def _sha256(path: Path) -> str:
    try:
        return sha256_of(path)
    except OSError:
        return ""
