"""GET /version: which build answers."""

from __future__ import annotations

import msgspec

from runtime.function import Call, function
from runtime.version import build, python_version


class Version(msgspec.Struct, frozen=True):
    """The build, the mode and the interpreter."""

    version: str
    mode: str
    commit: str
    """The commit that was built."""
    python: str


@function("GET", "/version", auth="none", summary="Version and mode", response=Version)
def version(call: Call[None]) -> Version:
    """Tell which build this is."""
    here = build()
    return Version(version=here.version, mode=call.parts.settings.mode, commit=here.commit, python=python_version())
