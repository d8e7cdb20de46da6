"""The changelog: what the fragments in `changes/` say, under the version that is released: `make changelog`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from release.sources import ReleaseFailed, run
from taptrade import __version__

ROOT = Path(__file__).resolve().parent.parent
FOLDER = "changes"
GUIDE = "README.md"
SECTIONS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security", "Known limits")
UNRELEASED = "Unreleased"
NAME = re.compile(r"[a-z0-9][a-z0-9-]*\.(added|changed|deprecated|removed|fixed|security)\.md")
LENGTH_MAX, LINE_MAX = 800, 125
HEADING = re.compile(r"^## \[(?P<name>[^]]+)\].*\n", re.MULTILINE)
SECTION = re.compile(r"^### (?P<name>.+)\n", re.MULTILINE)


def main() -> int:
    """Put what is not released yet under the present version, with the date of today; the fragments go."""
    changelog = ROOT / "CHANGELOG.md"
    try:
        refuse_faults(ROOT)
        told = unreleased(ROOT)
        if __version__ in sections_of(changelog.read_text(encoding="utf-8")):
            raise ReleaseFailed(f"CHANGELOG.md has [{__version__}] already: name the next in taptrade/__init__.py")
        if not told:
            raise ReleaseFailed(f"{FOLDER}/ has no fragment, and CHANGELOG.md nothing under [{UNRELEASED}]")
        run(*_towncrier(ROOT), "--yes", cwd=ROOT)
    except ReleaseFailed as ex:
        print(f"changelog: {ex}", file=sys.stderr)
        return 1
    # What stood under [Unreleased] has come below the new heading, with headings of its own.
    text = changelog.read_text(encoding="utf-8")
    parts = HEADING.split(text)
    began = next(found for found in HEADING.finditer(text) if found["name"] == __version__)
    ends = next((found.start() for found in HEADING.finditer(text, began.end())), len(text))
    changelog.write_text(f"{text[: began.end()]}\n{told}\n\n{text[ends:]}".rstrip() + "\n", encoding="utf-8")
    print(f"CHANGELOG.md has {len(parts) // 2} versions, the newest {__version__}; look at it and commit")
    return 0


def unreleased(folder: Path) -> str:
    """Return what is not released yet of the sources in a folder: what the fragments say, and what stands there."""
    drafted = run(*_towncrier(folder), "--draft")
    written = sections_of((folder / "CHANGELOG.md").read_text(encoding="utf-8")).get(UNRELEASED, "")
    return folded(f"{HEADING.sub('', drafted)}\n\n{written}")


def sections_of(changelog: str) -> dict[str, str]:
    """Return what a changelog says of each version."""
    parts = HEADING.split(changelog)
    return {name: text.strip() for name, text in zip(parts[1::2], parts[2::2], strict=True)}


def folded(text: str) -> str:
    """Return the entries of a version under one heading for each kind of change, in the order of those."""
    first, *parts = SECTION.split(text)
    entries: dict[str, list[str]] = {}
    for name, part in zip(parts[::2], parts[1::2], strict=True):
        entries.setdefault(name, []).append(part.strip("\n"))
    names = sorted(entries, key=lambda name: SECTIONS.index(name) if name in SECTIONS else len(SECTIONS))
    told = (f"### {name}\n\n" + "\n".join(entries[name]) for name in names)
    return "\n\n".join(filter(None, (first.strip(), *told)))


def refuse_faults(folder: Path) -> None:
    """Raise ReleaseFailed if a fragment is not well formed."""
    for path in fragments(folder):
        found = faults(path.name, path.read_text(encoding="utf-8"))
        if found:
            raise ReleaseFailed(f"{FOLDER}/{path.name}: {'; '.join(found)}")


def fragments(folder: Path) -> list[Path]:
    """Return the files that tell of a change."""
    return sorted(path for path in (folder / FOLDER).iterdir() if path.name != GUIDE)


def faults(name: str, text: str) -> list[str]:
    """Say what is wrong with a fragment, in words that tell what to do."""
    found = []
    if NAME.fullmatch(name) is None:
        found.append(f"the name must be WHAT.KIND.md, small letters, digits and dashes, by this form: {NAME.pattern}")
    if not text.strip() or text.lstrip()[0] in "-*#":
        found.append("write sentences: the bullet and the heading are added by `make changelog`")
    if not text.rstrip().endswith((".", ")")):
        found.append("end with a full stop")
    if len(text) > LENGTH_MAX:
        found.append(f"say it within {LENGTH_MAX} characters, and link a document for the rest")
    if any(len(line) > LINE_MAX for line in text.splitlines()):
        found.append(f"break lines at {LINE_MAX} characters")
    return found


def _towncrier(folder: Path) -> tuple[str, ...]:
    program = (sys.executable, "-I", "-m", "towncrier", "build")
    return (*program, "--dir", str(folder), "--version", __version__)


if __name__ == "__main__":
    sys.exit(main())
