"""The ratios that a release is held to: its costs, each divided by those of one fixed build that ran beside it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from release.sources import ReleaseFailed

RECORD = Path("release") / "bench-ratios.json"
"""Where they are kept, below the root of the project."""


class Recorded(msgspec.Struct, frozen=True):
    """The ratios of a release, by what they are of."""

    revision: str
    """The build that they are held against."""
    version: str
    """Whose they are."""
    ratios: dict[str, float]


def read(root: Path) -> Recorded | None:
    """Read the record below a root, None where there is none; `ReleaseFailed` where it cannot be read."""
    try:
        return msgspec.json.decode((root / RECORD).read_bytes(), type=Recorded)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as ex:
        raise ReleaseFailed(f"{RECORD} cannot be read ({ex}): take it from git, or record anew") from None


def write(root: Path, recorded: Recorded) -> None:
    """Write the record."""
    (root / RECORD).write_bytes(msgspec.json.format(msgspec.json.encode(recorded)) + b"\n")


def told(recorded: Recorded | None) -> str:
    """Return the sentence of a release's notes."""
    if recorded is None:
        return "**Its costs were not held against another build.**"
    ratios = "; ".join(f"{what}: {ratio:.2f}" for what, ratio in recorded.ratios.items())
    return f"Costs of {recorded.version}, as ratios to build {recorded.revision} in turns: {ratios}."
