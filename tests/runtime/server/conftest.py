"""The servers under comparison: our worker and gunicorn's own, over the same app."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runtime.server.rig import OURS, THEIRS, Server, serving


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the logs are."""
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="session")
def ours(folder: Path) -> Iterator[Server]:
    """Return our server."""
    with serving(folder, OURS) as server:
        yield server


@pytest.fixture(scope="session")
def theirs(folder: Path) -> Iterator[Server]:
    """Return gunicorn's own."""
    with serving(folder, THEIRS) as server:
        yield server


@pytest.fixture(scope="session")
def hasty(folder: Path) -> Iterator[Server]:
    """Return our server with little patience."""
    with serving(folder, "tests.runtime.server.hasty.HastyWorker", "--keep-alive", "1") as server:
        yield server


@pytest.fixture(params=["ours", "theirs"])
def server(request: pytest.FixtureRequest) -> Server:
    """Return one after the other."""
    found: Server = request.getfixturevalue(request.param)
    return found
