"""Make a release: `python -m release`. The exit code is 1 where there is none, and why is told."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from release import changelog, dependencies, notes, ratios, sources
from release.dependencies import Audit
from release.sources import ReleaseFailed, Sources
from runtime.storage.files import sha256_of

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: Sequence[str]) -> int:
    """Make a release of the last commit."""
    parser = argparse.ArgumentParser(prog="python -m release", description=main.__doc__)
    parser.add_argument("--no-audit", action="store_true", help="do not look up known holes; the notes say so")
    parser.add_argument("--into", type=Path, default=ROOT / "build" / "release", help="the folder (build/release)")
    options = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory(prefix="taptrade-release-") as folder:
            made = release(Path(folder), options.into, audited=not options.no_audit)
    except ReleaseFailed as ex:
        print(f"release: {ex}", file=sys.stderr)
        return 1
    print(f"{made}:", *sorted(file.name for file in made.iterdir()), sep="\n  ")
    return 0


def release(scratch: Path, into: Path, *, audited: bool) -> Path:
    """Make everything in a folder of its own, and move it to where it belongs when it is whole; where that is."""
    exported = sources.export(ROOT, scratch / "sources")
    changelog.refuse_faults(exported.folder)
    written = (exported.folder / "CHANGELOG.md").read_text(encoding="utf-8")
    changed = notes.changes(changelog.unreleased(exported.folder), written, exported.build.release)
    recorded = ratios.read(exported.folder)
    made = scratch / exported.name
    made.mkdir()
    say(f"wheel and context of {exported.build.version}")
    wheel = sources.wheel(exported, made)
    context = sources.context(exported, made)
    say("an environment of its own with the wheel and the locked packages")
    python = dependencies.install(exported, wheel, scratch / "environment")
    parts = dependencies.list_parts(exported, python, made)
    audit = look_up(exported, scratch) if audited else None
    for lock in ("requirements-build.lock", "requirements.lock"):
        shutil.copyfile(exported.folder / lock, made / lock)
    files = {
        wheel.name: "the wheel, without what it needs",
        "requirements.lock": "what it needs, by version and hash",
        "requirements-build.lock": "what one of these needs to be built",
        context.name: "what containers and units of systemd are made of",
        parts.name: "every package in it with its licence, by CycloneDX",
    }
    told = notes.write(exported.build, audit, ratios.told(recorded), files, changed)
    (made / "NOTES.md").write_text(told, encoding="utf-8")
    sums = [f"{sha256_of(file)}  {file.name}\n" for file in sorted(made.iterdir())]
    (made / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")
    return put(made, into)


def look_up(exported: Sources, scratch: Path) -> Audit:
    """Look up known holes; with one of them there is no release."""
    say("known holes of the locked packages")
    audit = dependencies.audit(exported, scratch)
    if audit.holes:
        raise ReleaseFailed("known holes:\n  " + "\n  ".join(audit.holes))
    if len(audit.unknown) == audit.packages:
        raise ReleaseFailed(
            "the package index of this machine knows no advisories, so no package could be looked up; "
            "ask the public index, or AUDIT=no"
        )
    return audit


def put(made: Path, into: Path) -> Path:
    """Move a release to where it belongs; one of the same name is replaced."""
    target = into / made.name
    shutil.rmtree(target, ignore_errors=True)
    into.mkdir(parents=True, exist_ok=True)
    return Path(shutil.move(made, target))


def say(what: str) -> None:
    """Tell what is being made."""
    print(f"release: {what}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
