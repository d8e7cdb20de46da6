"""The notes of a release: what is new, by the changelog, and what the files beside them are."""

from __future__ import annotations

from release.changelog import sections_of
from release.dependencies import Audit
from release.sources import ReleaseFailed
from runtime.version import Build

NOTES = """\
# taptrade {version}

Commit {commit}. {audited}

{costs}

| file | what it is |
| --- | --- |
{files}

`sha256sum -c SHA256SUMS` checks them. Natively, for Python 3.11 to 3.13:

```sh
python3 -m venv taptrade && taptrade/bin/pip install --require-hashes -r requirements-build.lock
taptrade/bin/pip install --no-build-isolation --require-hashes -r requirements.lock
taptrade/bin/pip install --no-deps {wheel}
taptrade/bin/taptrade up
```

In containers: unpack {context}, and in its folder `docker compose up --build -d`. As units of systemd: in the same
folder `make .venv/.run`, then `sudo systemd/install` (docs/deployment.md).

## What is new

{changes}
"""


def changes(unreleased: str, changelog: str, release: str) -> str:
    """Return what is new since a release was named, else what the changelog says of that release."""
    found = unreleased or sections_of(changelog).get(release)
    if not found:
        raise ReleaseFailed(f"changes/ has no fragment, and CHANGELOG.md nothing under [{release}] or [Unreleased]")
    return found


def told(audit: Audit | None) -> str:
    """Return the sentence about known holes."""
    if audit is None:
        return "**Known holes of its packages were not looked up.**"
    if audit.unknown:
        unknown = ", ".join(audit.unknown)
        return f"**Nothing could be learnt about known holes of {len(audit.unknown)} of its packages: {unknown}.**"
    return f"None of its {audit.packages} packages has a known hole."


def write(which: Build, audit: Audit | None, costs: str, files: dict[str, str], changed: str) -> str:
    """Return the notes; `costs` is a sentence about them, `files` are names and what each is."""
    return NOTES.format(
        version=which.version,
        commit=which.commit,
        audited=told(audit),
        costs=costs,
        files="\n".join(f"| {name} | {what} |" for name, what in files.items()),
        wheel=next(name for name in files if name.endswith(".whl")),
        context=next(name for name in files if name.endswith("-context.tar.gz")),
        changes=changed,
    )
