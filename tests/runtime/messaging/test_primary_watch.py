"""Whose word counts where sentinels do not agree, or few of them answer."""

from __future__ import annotations

import weakref

import pytest

from runtime.messaging.primary_watch import PrimaryWatch
from runtime.messaging.sentinels import Address, Sentinels, Word

OLD, NEW, BY_NAME = ("10.0.0.1", 6379), ("10.0.0.2", 6379), ("new.example", 6379)
SENTINELS = 3


class Connections:
    """A pool that leads to all servers at once."""

    def __init__(self) -> None:
        self.lead_to = {OLD, NEW}

    def leave_all_but(self, named: set[Address]) -> set[Address]:
        """Close the others."""
        left, self.lead_to = self.lead_to - named, self.lead_to & named
        return left


def none_asked() -> Sentinels:
    """Stand where nobody is asked."""
    raise AssertionError("no sentinel is asked")


@pytest.mark.parametrize(
    ("rounds", "lead_to"),
    [
        ([[(1, NEW), (1, NEW), (1, NEW)]], {NEW}),
        ([[(0, OLD), (1, NEW)]], {NEW}),
        # Whoever leads an election knows its number before it says the new address.
        ([[(1, OLD), (1, NEW), (1, NEW)]], {OLD, NEW}),
        ([[(1, BY_NAME), (1, NEW), (1, NEW)]], {NEW}),
        # One that is cut off with the server before is not believed, whatever the others say meanwhile.
        ([[(1, NEW), (1, NEW)], [(0, OLD)]], {NEW}),
        ([[(1, NEW), (1, NEW)], []], {NEW}),
        ([[(0, OLD)]], {OLD}),
        ([[]], {OLD, NEW}),
        # Those that were set up anew count from 0 again.
        ([[(5, OLD), (5, NEW)], [(0, NEW), (0, NEW)]], {NEW}),
    ],
)
def test_the_newest_election_counts(rounds: list[list[Word]], lead_to: set[Address]) -> None:
    watch, pool = PrimaryWatch(none_asked), Connections()
    watch.look_after(pool)
    for words in rounds:
        watch.hear(words, SENTINELS)
    assert pool.lead_to == lead_to


def test_a_pool_that_is_let_go_of_is_not_kept() -> None:
    watch, pool = PrimaryWatch(none_asked), Connections()
    watch.look_after(pool)
    kept = weakref.ref(pool)
    del pool
    assert kept() is None
