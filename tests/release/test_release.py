"""What a release is made of: all that the sources have, each time the same bytes, and notes that say what is known."""

from __future__ import annotations

import json
import re
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from release.dependencies import Audit, read_audit
from release.notes import changes, told
from release.sources import ReleaseFailed, Sources, context, export, wheel

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ("functions", "runtime", "jobs", "taptrade", "page")
CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-11-25\n\n- Older.\n"


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository with one commit: the files of this one as they are."""
    folder = tmp_path_factory.mktemp("repository")
    tracked = git(ROOT, "ls-files", "-z").split("\0")
    for name in filter(None, tracked):
        if not name.startswith("tests/") and (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "-c", "user.name=ann", "-c", "user.email=ann@example.com", "commit", "-q", "-m", "all")
    return folder


@pytest.fixture(scope="module")
def exported(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Sources:
    """Return the files of the commit."""
    return export(repository, tmp_path_factory.mktemp("exported") / "sources")


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", folder, *arguments], check=True, capture_output=True, text=True).stdout


def names_in(repository: Path, *folders: str) -> set[str]:
    return set(filter(None, git(repository, "ls-files", "-z", *folders).split("\0")))


@pytest.mark.integration
def test_the_wheel_has_every_file_of_the_sources_and_says_which_build_it_is(
    repository: Path, exported: Sources, tmp_path: Path
) -> None:
    with zipfile.ZipFile(wheel(exported, tmp_path)) as packed:
        names = {name for name in packed.namelist() if ".dist-info/" not in name}
        stamp = packed.read("runtime/BUILD").decode()
    assert names == names_in(repository, *SHIPPED) | {"runtime/BUILD"}
    assert stamp == f"1 {exported.build.commit}\n"
    assert [file.name for file in tmp_path.iterdir()] == ["taptrade-0.1.0-py3-none-any.whl"]


@pytest.mark.integration
def test_the_context_has_what_the_images_are_made_of_and_is_the_same_from_the_same_commit(
    repository: Path, exported: Sources, tmp_path: Path
) -> None:
    again = export(repository, tmp_path / "sources")
    (tmp_path / "again").mkdir()
    first, second = context(exported, tmp_path), context(again, tmp_path / "again")
    assert first.read_bytes() == second.read_bytes()
    with tarfile.open(first) as packed:
        names = {name.removeprefix(f"{exported.name}/") for name in packed.getnames()}
        owners = {(member.uid, member.gid, member.mtime) for member in packed}
    assert names_in(repository, *SHIPPED, "nginx", "docs", "observe") < names
    [installed] = re.findall(r"tar -c (.+?)\) \|", (repository / "systemd" / "install").read_text(), re.DOTALL)
    assert names_in(repository, *installed.replace("\\", "").split()) < names
    assert {
        "Dockerfile",
        ".dockerignore",
        "compose.yaml",
        "compose.tls.yaml",
        "compose.cluster.yaml",
        "cluster/patroni.yml",
        "requirements.lock",
        "runtime/BUILD",
    } < names
    assert owners == {(0, 0, exported.committed_s)}


@pytest.mark.integration
def test_what_is_not_committed_is_not_released(repository: Path, tmp_path: Path) -> None:
    readme = repository / "README.md"
    kept = readme.read_bytes()
    readme.write_bytes(kept + b"\nchanged\n")
    try:
        with pytest.raises(ReleaseFailed, match=r"README\.md"):
            export(repository, tmp_path / "sources")
    finally:
        readme.write_bytes(kept)


@pytest.mark.parametrize(("unreleased", "found"), [("- New.", "- New."), ("", "- Older.")])
def test_the_notes_tell_what_is_new(unreleased: str, found: str) -> None:
    assert changes(unreleased, CHANGELOG, "0.2.0") == found


def test_a_release_that_the_changelog_knows_nothing_of_is_refused() -> None:
    with pytest.raises(ReleaseFailed, match=r"\[0\.3\.0\]"):
        changes("", CHANGELOG, "0.3.0")


def test_a_package_that_could_not_be_looked_up_is_not_called_free_of_holes() -> None:
    hole = {"id": "PYSEC-2026-1", "fix_versions": ["2.1"], "aliases": [], "description": "bad"}
    listed = [
        {"name": "one", "version": "1.0", "vulns": []},
        {"name": "two", "version": "2.0", "vulns": [hole]},
        {"name": "three", "skip_reason": "Dependency not found on PyPI and could not be audited: three (3.0)"},
    ]
    found = read_audit(json.dumps({"dependencies": listed, "fixes": []}))
    assert found == Audit(3, ("two 2.0: PYSEC-2026-1, mended in 2.1",), ("three",))
    assert "three" in told(found)
    assert "not looked up" in told(None)
    assert told(Audit(3, (), ())) == "None of its 3 packages has a known hole."
