"""The runbooks and the two ways to run their commands: on the host, and in containers."""

from __future__ import annotations

import pytest

from tests.docs.shell import blocks
from tests.docs.tables import ROOT


def runbook(name: str) -> str:
    """Return the text of one."""
    return (ROOT / "docs" / "runbooks" / f"{name}.md").read_text(encoding="utf-8")


FIRST, IN_CONTAINERS, LOOK = blocks(runbook("README"))
both = pytest.mark.parametrize("first", [pytest.param(FIRST, id="host"), pytest.param(IN_CONTAINERS, id="containers")])
