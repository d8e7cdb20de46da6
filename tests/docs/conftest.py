"""A started system for the documents' commands, with columns of one second so that bets settle soon."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.acceptance.system import System


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Run the whole system as `make run` does; it must stop cleanly in the end."""
    folder = tmp_path_factory.mktemp("house")
    with System(folder / "data", replica_url=str(folder / "elsewhere")) as system:
        yield system
