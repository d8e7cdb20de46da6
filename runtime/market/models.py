"""The reward model that the settings name: a class, or a file of numbers; and those that older bets were priced by."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from runtime.game.grid import GridRules
from runtime.game.mixture import MixtureTouch
from runtime.game.rewards import BrownianTouch, RewardModel, RewardModelError, load_model, try_out
from runtime.settings import Settings

logger = logging.getLogger(__name__)

SHIPPED = Path(__file__).parent / "models"
OF_THE_REPLAY = SHIPPED / "okx-index.json"
"""Fitted on the venue of the shipped recording, on other hours than the recording's."""
SUFFIX = ".json"
FORMAT = 1
FILE_BYTES_MAX = 4 * 1024 * 1024
_FITTED = re.compile(r"(?P<version>[a-z0-9.,_-]{1,80})-edge(?P<edge_bp>[0-9]{1,4})")
_NAME = re.compile(r"[a-z0-9.,_-]{1,80}")
_PLAIN = re.compile(r"-edge(?P<edge_bp>[0-9]{1,4})-column(?P<width_s>[1-9][0-9]{0,3})$")


def rules_of(settings: Settings) -> GridRules:
    """Return the lattice that the settings describe."""
    return GridRules(settings.column_seconds, settings.horizon_columns, settings.row_step_cents, settings.rows)


def open_model(settings: Settings) -> RewardModel:
    """Load the model; raise RewardModelError if it cannot be used.

    Without a name it is the one fitted for the shipped recording where that is replayed on the usual grid. Prices of
    other recordings are not priced by another venue's fit: for them, and for `sim`, which is one, it is the plain
    Brownian motion.
    """
    rules, named = rules_of(settings), settings.reward_model
    if named.endswith(SUFFIX):
        return _of_file(Path(named), rules, settings.house_edge_bp)
    if named:
        return load_model(named, rules, settings.house_edge_bp)
    if "replay" in settings.feed and not settings.replay_file:
        document = read_document(OF_THE_REPLAY)
        if document["grid"] == {"column_seconds": rules.column_seconds, "row_step_cents": rules.row_step_cents}:
            return built(document, rules, settings.house_edge_bp, OF_THE_REPLAY)
    return BrownianTouch(rules, settings.house_edge_bp)


def keep_model(model: RewardModel, settings: Settings) -> None:
    """Put the file of the settings' model beside the ledger: its bets are recomputed by it when another one is used."""
    if not isinstance(model, MixtureTouch):
        return
    kept = _kept(settings) / f"{model.fitted_version}{SUFFIX}"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        unfinished = kept.with_suffix(".part")
        unfinished.write_bytes((Path(settings.reward_model) if settings.reward_model else OF_THE_REPLAY).read_bytes())
        unfinished.replace(kept)


def model_named(settings: Settings, model_id: str | None, version: str | None) -> tuple[RewardModel, int] | None:
    """Return the model of a bet's days, and its edge in basis points; None where it is not here any more."""
    rules = rules_of(settings)
    plain = _PLAIN.search(version or "")
    if model_id == BrownianTouch.id and plain:
        edge_bp = int(plain["edge_bp"])
        model = BrownianTouch(replace(rules, column_seconds=int(plain["width_s"])), edge_bp)
        return (model, edge_bp) if model.version == version else None
    fitted = _FITTED.fullmatch(version or "")
    if model_id != MixtureTouch.id or not fitted:
        return None
    edge_bp = int(fitted["edge_bp"])
    for path in _files(settings):
        try:
            document = read_document(path)
            if document.get("version") == fitted["version"]:
                return built(document, _rules_of(document, rules), edge_bp, path), edge_bp
        except RewardModelError as ex:
            # Another bet's model, or a file of somebody else's: the one that is looked for may still be there.
            logger.warning("passed over: %s", ex)
    return None


def version_of(document: Mapping[str, Any]) -> str:
    """Return the name of what the rates depend on: the kind, and a hash of the numbers."""
    content = {name: document[name] for name in ("kind", "grid", "signals", "weights", "recalibration", "offered")}
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return f"{document['kind']}-{digest[:10]}"


def read_document(path: Path) -> dict[str, Any]:
    """Read a model file; raise RewardModelError that says what is wrong with it."""
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise RewardModelError(f"{path}: has more than {FILE_BYTES_MAX} bytes and is no model file")
        document: Any = msgspec.json.decode(path.read_bytes())
    except OSError as ex:
        raise RewardModelError(f"{path}: {ex.strerror or ex}") from ex
    except (msgspec.DecodeError, ValueError, RecursionError) as ex:
        raise RewardModelError(f"{path}: is no JSON, as a model file is: {ex}") from ex
    if not isinstance(document, dict) or document.get("format") != FORMAT or document.get("id") != MixtureTouch.id:
        raise RewardModelError(f"{path}: is no model file of format {FORMAT}; `taptrade calibrate fit` makes one")
    return document


def built(document: dict[str, Any], rules: GridRules, house_edge_bp: int, path: Path) -> MixtureTouch:
    """Build the model of a file; raise RewardModelError if its numbers are not what they must be."""
    try:
        if not _NAME.fullmatch(str(document["version"])) or document["version"] != version_of(document):
            raise ValueError("its version is not that of its numbers: they were changed after the fit")
        model = MixtureTouch(document, rules, house_edge_bp)
    except (AttributeError, KeyError, TypeError, ValueError, IndexError) as ex:
        raise RewardModelError(f"{path}: {_reason(ex)}") from ex
    try_out(str(path), model, rules)
    return model


def _reason(ex: Exception) -> str:
    if isinstance(ex, ValueError) and type(ex) is ValueError and "could not convert" not in str(ex):
        return str(ex)
    return f"lacks {ex}, as a model file has it" if isinstance(ex, KeyError) else f"holds what is no model's: {ex}"


def _rules_of(document: Mapping[str, Any], rules: GridRules) -> GridRules:
    grid = document.get("grid")
    known = isinstance(grid, dict) and set(grid) <= {"column_seconds", "row_step_cents"}
    return replace(rules, **grid) if known and grid else rules


def _of_file(path: Path, rules: GridRules, house_edge_bp: int) -> MixtureTouch:
    return built(read_document(path), rules, house_edge_bp, path)


def _kept(settings: Settings) -> Path:
    return settings.data / "models"


def _files(settings: Settings) -> Iterator[Path]:
    if settings.reward_model.endswith(SUFFIX):
        yield Path(settings.reward_model)
    yield from sorted(SHIPPED.glob(f"*{SUFFIX}"))
    yield from sorted(_kept(settings).glob(f"*{SUFFIX}"))
