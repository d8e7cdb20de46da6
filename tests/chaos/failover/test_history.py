"""The checker of histories: an honest one passes, and each planted wrong is found."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.chaos.failover.history import Account, Entry, Read, Stored, violations

ENTRIES = (
    Entry("e1", 1000, 1000, "DEPOSIT", "d"),
    Entry("e2", -100, 900, "BET", "x"),
    Entry("e3", -200, 700, "BET", "y"),
    Entry("e4", 300, 1000, "PAYOUT", "x"),
    Entry("e5", -100, 900, "BET", "z"),
)
STORED = tuple(Stored(entry, 10 + place) for place, entry in enumerate(ENTRIES))
READS = (
    Read(20, 21, 1000, ENTRIES[:1], is_whole=True),
    Read(30, 31, 700),
    Read(40, 41, 700, ENTRIES[1:3]),
    Read(50, 51, 900, ENTRIES, is_whole=True),
)


def account(**changed: object) -> Account:
    """Return an honest history: `z` was never answered, and is there."""
    honest = Account("p", STORED, READS, acknowledged={"x": 25, "y": 29}, sent={"x": 22, "y": 26, "z": 45})
    return replace(honest, **changed)  # type: ignore[arg-type]


def test_an_honest_history_passes() -> None:
    assert violations(account()) == []


INVENTED = Entry("e9", -100, 600, "BET", "v")
WRONG: dict[str, dict[str, object]] = {
    "an entry that was shown and is gone": {"reads": (Read(40, 41, 600, (*ENTRIES[1:3], INVENTED)),)},
    "another amount than the stored one": {"reads": (Read(40, 41, 700, (replace(ENTRIES[2], amount=-150),)),)},
    "an entry left out of the middle": {"reads": (Read(40, 41, 1000, (ENTRIES[1], ENTRIES[3])),)},
    "a whole statement without its beginning": {"reads": (Read(40, 41, 700, ENTRIES[1:3], is_whole=True),)},
    "a read that goes back": {"reads": (READS[3], Read(60, 61, 700, ENTRIES[:3]))},
    "a balance that goes back": {"reads": (READS[3], Read(60, 61, 700))},
    "a statement before a balance that was shown": {"reads": (READS[1], Read(35, 36, 900, ENTRIES[:2]))},
    "an acknowledged bet that a statement lacks": {"reads": (Read(30, 31, 900, ENTRIES[:2]),)},
    "an acknowledged bet that a balance lacks": {"acknowledged": {"z": 46}, "reads": (Read(47, 48, 700),)},
    "a balance that never was": {"reads": (Read(40, 41, 850),)},
    "a bet that is shown before it is asked for": {"sent": {"x": 22, "y": 26, "z": 70}},
    "a bet that nobody asked for": {"sent": {"x": 22, "y": 26}},
    "an acknowledged bet that is gone": {"acknowledged": {"w": 44}},
    "money made between two entries": {"stored": (*STORED[:4], Stored(replace(ENTRIES[4], balance_after=950), 14))},
    "two stakes for one bet": {"stored": (*STORED, Stored(Entry("e6", -100, 800, "BET", "z"), 15))},
    "two payouts for one bet": {"stored": (*STORED, Stored(Entry("e6", 300, 1200, "PAYOUT", "x"), 15))},
    "a refund without a stake": {"stored": (*STORED, Stored(Entry("e6", 100, 1000, "REFUND", "v"), 15))},
    "commits out of order": {"stored": (*STORED[:4], Stored(ENTRIES[4], 3))},
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_planted_wrong_is_found(wrong: str) -> None:
    assert violations(account(**WRONG[wrong]))
