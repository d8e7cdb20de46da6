"""The committed files, and what is made of them: the wheel and the containers' context, each time the same bytes."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

from runtime.version import STAMP, Build, build

COMPOSITIONS = ("compose.yaml", "compose.tls.yaml", "compose.cluster.yaml", "compose.elsewhere.yaml")
CONTAINERS = (".dockerignore", "CHANGELOG.md", "Dockerfile", *COMPOSITIONS, "docs", "observe")
"""What the operator of containers needs beyond what the images are made of."""
UNITS = ("Makefile", "requirements-dev.lock", "systemd")
"""What `systemd/install` takes beyond that."""


class ReleaseFailed(Exception):
    """Why there is no release."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The files of one commit, with the stamp that says which it is."""

    folder: Path
    build: Build
    committed_s: int

    @property
    def name(self) -> str:
        """How the release is called."""
        return f"taptrade-{self.build.version}"


def export(repository: Path, folder: Path) -> Sources:
    """Write the files of the last commit; `ReleaseFailed` where tracked files differ from it."""
    changed = run("git", "status", "--porcelain", "--untracked-files=no", cwd=repository).strip()
    if changed:
        raise ReleaseFailed(f"what is released is what is committed; commit or put away:\n{changed}")
    folder.mkdir()
    archive = folder.with_suffix(".tar")
    run("git", "-c", "tar.umask=022", "archive", "--format=tar", f"--output={archive}", "HEAD", cwd=repository)
    run("tar", "--extract", "--preserve-permissions", f"--file={archive}", f"--directory={folder}")
    which = build(repository)
    (folder / STAMP).write_text(f"{which.number} {which.commit}\n", encoding="ascii")
    (folder / STAMP).chmod(0o644)
    return Sources(folder, which, int(run("git", "log", "-1", "--format=%ct", cwd=repository)))


def wheel(sources: Sources, into: Path) -> Path:
    """Build the wheel; its path."""
    run(
        *(sys.executable, "-I", "-m", "uv", "build", "-q", "--no-config", "--wheel", "--no-build-isolation"),
        *("--no-create-gitignore", "--out-dir", str(into), str(sources.folder)),
        environment={"SOURCE_DATE_EPOCH": str(sources.committed_s)},
    )
    return next(into.glob("taptrade-*.whl"))


def context(sources: Sources, into: Path) -> Path:
    """Pack what `docker compose up --build` and `systemd/install` need; the path of the file."""
    path = into / f"{sources.name}-context.tar.gz"
    with (
        path.open("wb") as file,
        gzip.GzipFile("", "wb", fileobj=file, mtime=sources.committed_s) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for member in _members(sources.folder):
            entry = archive.gettarinfo(member, f"{sources.name}/{member.relative_to(sources.folder)}")
            entry.uid = entry.gid = 0
            entry.uname = entry.gname = ""
            entry.mtime = sources.committed_s
            with member.open("rb") as content:
                archive.addfile(entry, content)
    return path


def run(*command: str, cwd: Path | None = None, environment: dict[str, str] | None = None) -> str:
    """Run a command; what it prints. `ReleaseFailed` with what it said where it fails."""
    done = subprocess.run(
        command, cwd=cwd, env=os.environ | (environment or {}), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise ReleaseFailed(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr.strip() or done.stdout}")
    return done.stdout


def _members(folder: Path) -> list[Path]:
    ignored = (folder / ".dockerignore").read_text(encoding="utf-8").splitlines()
    taken = [folder / name for name in (*(line[1:] for line in ignored if line.startswith("!")), *CONTAINERS, *UNITS)]
    files = {file for one in taken for file in (one.rglob("*") if one.is_dir() else [one]) if file.is_file()}
    return sorted(files)
