"""A writer that dies between the slices of a settlement, and the one that goes on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jobs.writer import settle
from tests.jobs.writer_desk import Desk


def settle_and_die(desk: Desk, monkeypatch: pytest.MonkeyPatch, end_column: Callable[[], object]) -> None:
    """Let a writer that ends a column in slices of three bets die at the second one, and the next one go on."""
    monkeypatch.setattr(settle, "SLICE_BETS", 3)
    monkeypatch.setattr(settle, "BESIDE_PLACING", 0)
    calls = []
    honest = settle.Settlement.slice

    def dies_at_the_second(self: settle.Settlement, commit: object, **how: float) -> None:
        calls.append(commit)
        if len(calls) == 2:
            raise KeyboardInterrupt
        honest(self, commit, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(settle.Settlement, "slice", dies_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        end_column()
    monkeypatch.setattr(settle.Settlement, "slice", honest)
    assert desk.database.execute("SELECT count(*) FROM bets WHERE status = 'won'") == [(3,)]
    desk.hire()
    desk.work()
