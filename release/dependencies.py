"""What the release brings of others: installed as an operator would, listed as an SBOM, looked up for known holes."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from release.sources import ReleaseFailed, Sources, run


@dataclass(frozen=True, slots=True)
class Audit:
    """What is publicly known of the locked packages."""

    packages: int
    holes: tuple[str, ...]
    unknown: tuple[str, ...]
    """Packages that nothing could be asked about: not found where advisories are kept."""


def install(sources: Sources, wheel: Path, environment: Path) -> Path:
    """Install the wheel with the locked packages into an environment of its own; its Python."""
    run(sys.executable, "-I", "-m", "venv", "--without-pip", str(environment))
    python = environment / "bin" / "python"
    pip = (sys.executable, "-I", "-m", "pip", "--python", str(python), "install", "-q", "--disable-pip-version-check")
    locked = (*pip, "--no-build-isolation", "--use-pep517", "--require-hashes", "-r")
    run(*locked, str(sources.folder / "requirements-build.lock"))
    run(*locked, str(sources.folder / "requirements.lock"))
    # By name: a wheel that is installed by its path leaves that path in the SBOM.
    run(*pip, "--no-deps", "--no-index", "--find-links", str(wheel.parent), "taptrade")
    said = run(str(python), "-I", "-m", "taptrade", "--version", cwd=environment)
    if said.split() != ["taptrade", sources.build.version]:
        raise ReleaseFailed(f"the wheel says that it is {said.strip()!r}, not {sources.build.version}")
    return python


def list_parts(sources: Sources, python: Path, into: Path) -> Path:
    """Write what the environment is made of, by CycloneDX 1.6, with licences and who needs whom; its path."""
    path = into / f"{sources.name}.cdx.json"
    run(
        *(sys.executable, "-I", "-m", "cyclonedx_py", "environment", "--output-reproducible", "--spec-version", "1.6"),
        *("--output-format", "JSON", "--output-file", str(path)),
        *("--pyproject", str(sources.folder / "pyproject.toml"), "--mc-type", "application", str(python)),
    )
    return path


def audit(sources: Sources, into: Path) -> Audit:
    """Look the locked packages up; `ReleaseFailed` where there was no answer at all."""
    path = into / "audit.json"
    lock = str(sources.folder / "requirements.lock")
    command = [sys.executable, "-I", "-m", "pip_audit", "--progress-spinner", "off", "--format", "json"]
    command += ["--output", str(path), "--disable-pip", "--require-hashes", "-r", lock]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    # Its exit code is 1 for holes as for a network that is away, and 0 where it could ask about no package.
    if not path.exists():
        raise ReleaseFailed(f"known holes could not be looked up:\n{done.stderr.strip()}")
    return read_audit(path.read_text(encoding="utf-8"))


def read_audit(text: str) -> Audit:
    """Read pip-audit's JSON."""
    packages = json.loads(text)["dependencies"]
    return Audit(
        packages=len(packages),
        holes=tuple(
            f"{one['name']} {one['version']}: {hole['id']}, mended in {', '.join(hole['fix_versions']) or 'no release'}"
            for one in packages
            for hole in one.get("vulns", ())
        ),
        unknown=tuple(one["name"] for one in packages if "skip_reason" in one),
    )
