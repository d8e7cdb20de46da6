"""Where the files of weeks lie that can be read here: the newest of those archived, and what was restored."""

from __future__ import annotations

from pathlib import Path

from runtime.archive.weeks import Week, week_named

WEEKS = "weeks"
"""In the data folder: the files of the last weeks that were archived."""
RESTORED = "weeks/restored"
"""Files of older weeks that an operator brought back; they stay until they are removed by hand."""
KEPT_WEEKS = 4


def kept_file(data: Path, week: Week) -> Path:
    """Return where the file of a week lies that was archived lately."""
    return data / WEEKS / week.file


def restored_file(data: Path, week: Week) -> Path:
    """Return where the file of a week lies that was restored."""
    return data / RESTORED / week.file


def attached(data: Path) -> dict[Week, Path]:
    """Return the files of weeks that can be read here, newest week first."""
    found: dict[Week, Path] = {}
    for folder in (RESTORED, WEEKS):
        for path in (data / folder).glob("bets_*.db"):
            try:
                found[week_named(path.stem.removeprefix("bets_"))] = path
            except ValueError:  # somebody's own file
                continue
    return dict(sorted(found.items(), reverse=True))


def superfluous(data: Path, keep: int = KEPT_WEEKS) -> list[Path]:
    """Return the files that may go since newer ones are there; what was restored is not among them."""
    kept = {week: path for week, path in attached(data).items() if path.parent == data / WEEKS}
    return list(kept.values())[keep:]
