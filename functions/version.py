"""GET /version: which build answers."""

from __future__ import annotations

import msgspec

from runtime.function import Call, function
from runtime.function_versions import taken_up
from runtime.version import build, python_version


class Version(msgspec.Struct, frozen=True):
    """The build, the mode and the interpreter, and the version of the functions."""

    version: str
    mode: str
    commit: str
    """The commit that was built."""
    python: str
    functions: int
    """What `taptrade versions` lists; 0 is what the build brings itself."""


@function("GET", "/version", auth="none", summary="Version and mode", response=Version)
def version(call: Call[None]) -> Version:
    """Tell which build this is."""
    here = build()
    return Version(
        version=here.version,
        mode=call.parts.settings.mode,
        commit=here.commit,
        python=python_version(),
        functions=taken_up(),
    )
