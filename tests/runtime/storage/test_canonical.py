"""The fast canonical text against the plain one, which the audit recounts by."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from runtime.game import chain
from runtime.storage import canonical

ODD = (
    "",
    "é",
    "☂",
    "\U0001f40b",
    "\x7f",
    "\x00",
    "\x1f",
    "\n\t\r\b\f",
    '"',
    "\\",
    "/",
    "</b>",
    "\u2028",
    "e-5",
    "1e16",
)
FLOATS = (0.0, -0.0, 1.0, 5e-324, 9.999e-5, 1e-4, 1e15, 9_999_999_999_999_998.0)


def value(random: Random) -> Any:
    match random.randrange(6):
        case 0:
            return None
        case 1:
            return random.randrange(-(2**63), 2**63)
        case 2:
            return random.choice(FLOATS)
        case 3:
            return random.uniform(-1, 1) * 10 ** random.uniform(-20, 15)
        case 4:
            return "".join(random.choices(ODD, k=3))
        case _:
            return "".join(map(chr, random.choices(range(32, 127), k=random.randrange(60))))


@pytest.mark.parametrize("seed", range(20))
def test_it_writes_what_pythons_json_would(seed: int) -> None:
    random = Random(seed)
    for _ in range(300):
        fields = [value(random) for _ in range(random.randrange(30))]
        assert canonical.encode(fields) == chain.encode(fields)


@pytest.mark.parametrize("one", [*ODD, *FLOATS, None, 2**63 - 1, -(2**63)])
def test_each_odd_value_is_encoded_as_the_ledger_encodes_it(one: Any) -> None:
    assert canonical.encode([one]) == chain.encode([one])
