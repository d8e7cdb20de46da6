"""The model that is judged: a file, a class, or the shipped file that was fitted for such a feed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from runtime.game.grid import GridRules
from runtime.game.rewards import RewardModel, RewardModelError, load_model
from runtime.market.models import SHIPPED, SUFFIX, built, read_document
from taptrade.calibration.days import Day, Kind
from taptrade.calibration.moments import Pricer
from taptrade.calibration.network import Network


@dataclass(frozen=True, slots=True)
class Source:
    """A recording that a model was fitted on."""

    name: str
    sha256: str
    first_ms: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model with what its file says of it; a class says nothing of the prices that it is for."""

    model: RewardModel
    network: Network | None
    kind: str | None
    observed: Kind | None
    fitted_on: tuple[Source, ...]
    left_out_ms: tuple[tuple[int, int], ...]
    """Spans of those recordings that were kept out of the fit."""
    path: Path | None

    @property
    def pricer(self) -> Pricer:
        """Return what prices whole moments by it."""
        return Pricer(self.model, self.network)

    def knows(self, day: Day) -> str | None:
        """Say how the day is among those that the model was fitted on, or return None."""
        first_ms, last_ms = int(day.ids[0]), int(day.ids[-1])
        if any(left_first <= first_ms and last_ms <= left_last for left_first, left_last in self.left_out_ms):
            return None
        for source in self.fitted_on:
            if source.sha256 == day.sha256:
                return f"{day.name} is a recording that the model was fitted on: what it returned here is no evidence"
        for source in self.fitted_on:
            if first_ms < source.last_ms and source.first_ms < last_ms:
                return f"{day.name} is of the time of {source.name}, which the model was fitted on: it is no evidence"
        return None


def candidate(named: str, rules: GridRules, house_edge_bp: int) -> Candidate:
    """Load a model by its file or its class; raise RewardModelError if it cannot be used."""
    if not named.endswith(SUFFIX):
        return Candidate(load_model(named, rules, house_edge_bp), None, None, None, (), (), None)
    return of_file(Path(named), rules, house_edge_bp)


def of_file(path: Path, rules: GridRules, house_edge_bp: int) -> Candidate:
    """Load a model file."""
    document = read_document(path)
    model = built(document, rules, house_edge_bp, path)
    try:
        return Candidate(
            model=model,
            network=Network(document, house_edge_bp),
            kind=model.kind,
            observed=observed_of(document),
            fitted_on=tuple(
                Source(str(one["name"]), str(one["sha256"]), _ms(one["from"]), _ms(one["to"]))
                for one in document["fitted_on"]
            ),
            left_out_ms=tuple((_ms(first), _ms(last)) for first, last in document["left_out"]),
            path=path,
        )
    except (KeyError, TypeError, ValueError) as ex:
        raise RewardModelError(f"{path}: lacks or bends {ex}") from ex


def shipped_for(days: Sequence[Day]) -> Path | None:
    """Return the shipped model file that was fitted for such a feed, the nearest in how often it ticks."""
    found = []
    for path in sorted(SHIPPED.glob(f"*{SUFFIX}")):
        observed = observed_of(read_document(path))
        if all(observed.fits(day.kind) for day in days):
            apart = abs(observed.ticks_per_s - days[0].kind.ticks_per_s)
            found.append((apart, path))
    return min(found)[1] if found else None


def observed_of(document: dict[str, Any]) -> Kind:
    """Return how the feed of a model file was observed."""
    observed = document["observed"]
    return Kind(float(observed["ticks_per_s"]), float(observed["paused"]))


def _ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)
