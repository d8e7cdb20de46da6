"""The machine is lost under load: what was answered a second before comes back elsewhere, the rest is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.drill import drill


@pytest.mark.timeout(120)
def test_what_was_answered_a_second_ago_comes_back_elsewhere(tmp_path: Path) -> None:
    found = drill(tmp_path, 2.0, seed=1)
    assert found.restored is not None
    assert (found.too_old, found.changed, found.restored.audit_ok) == ([], 0, True)
    assert found.acknowledged > found.acknowledged_last > 0
    assert found.restored.commit > 0
    assert found.restored.missing is None
