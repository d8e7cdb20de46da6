"""The changelog is made of fragments: each is well formed, and nothing that was told of a change is lost."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from release import changelog
from release.changelog import faults, folded, fragments, sections_of, unreleased
from release.sources import ReleaseFailed, run
from taptrade import __version__

ROOT = Path(__file__).resolve().parents[2]
WRITTEN = f"""# Changelog

## [Unreleased]

### Added

- From before.

### Fixed

- Mended before.

## [{__version__}] - 2026-11-25

- Older.
"""


@pytest.mark.parametrize("path", fragments(ROOT), ids=lambda path: path.name)
def test_a_fragment_is_well_formed(path: Path) -> None:
    assert faults(path.name, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("name", "text", "wrong"),
    [
        ("one.added.md", "Well.\n", []),
        ("one.new.md", "Well.\n", ["the name must be WHAT.KIND.md"]),
        ("One.added.md", "Well.\n", ["the name must be WHAT.KIND.md"]),
        ("one.added.md", "\n", ["write sentences", "end with a full stop"]),
        ("one.added.md", "- Well.\n", ["write sentences"]),
        ("one.added.md", "### Added\n\n- Well.\n", ["write sentences"]),
        ("one.added.md", "Well" * 300 + ".", ["say it within 800", "break lines at 125"]),
    ],
)
def test_what_is_wrong_with_a_fragment_is_told(name: str, text: str, wrong: list[str]) -> None:
    told = faults(name, text)
    assert [one.startswith(start) for one, start in zip(told, wrong, strict=True)] == [True] * len(wrong)


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """Return a repository with two fragments, and a changelog as it was before there were any."""
    (tmp_path / "changes").mkdir()
    (tmp_path / "release").mkdir()
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copy(ROOT / "release" / "version.md", tmp_path / "release")
    (tmp_path / "CHANGELOG.md").write_text(WRITTEN)
    (tmp_path / "changes" / "README.md").write_text("What this is.\n")
    (tmp_path / "changes" / "one.added.md").write_text("The first.\nIt goes on.\n")
    (tmp_path / "changes" / "two.changed.md").write_text("The second.\n")
    run("git", "init", "-q", cwd=tmp_path)
    run("git", "add", "-A", cwd=tmp_path)
    return tmp_path


TOLD = """### Added

- The first.
  It goes on.
- From before.

### Changed

- The second.

### Fixed

- Mended before."""


@pytest.mark.integration
def test_what_is_not_released_is_what_fragments_and_changelog_say(sources: Path) -> None:
    assert unreleased(sources) == TOLD
    (sources / "changes" / "three.md").write_text("Of no kind.\n")
    with pytest.raises(ReleaseFailed, match="three"):
        unreleased(sources)


@pytest.mark.integration
def test_a_version_takes_all_of_it_and_the_fragments_go(
    sources: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(changelog, "ROOT", sources)
    assert changelog.main() == 1  # it is named already
    monkeypatch.setattr(changelog, "__version__", "9.9.9")
    assert changelog.main() == 0
    capsys.readouterr()
    found = sections_of((sources / "CHANGELOG.md").read_text())
    assert list(found) == ["Unreleased", "9.9.9", __version__]
    assert (found["Unreleased"], found["9.9.9"], found[__version__]) == ("", TOLD, "- Older.")
    assert fragments(sources) == []
    monkeypatch.setattr(changelog, "__version__", "10.0.0")
    assert changelog.main() == 1
    assert "nothing under [Unreleased]" in capsys.readouterr().err


def test_entries_of_a_kind_come_under_one_heading() -> None:
    assert folded("### Fixed\n\n- a\n\n### Added\n\n- b\n\n### Fixed\n\n- c\n") == (
        "### Added\n\n- b\n\n### Fixed\n\n- a\n- c"
    )
