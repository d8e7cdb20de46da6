"""Fields of bets and withdrawals: none writes a line of the signed text, each has one spelling."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.attack.arena import Arena
from tests.attack.attacker import STEP, Player, code_of


def test_a_field_cannot_write_the_next_line_of_the_text(arena: Arena, victim: Player) -> None:
    """Whoever got a signature over one text must not be able to send it as another bet with the same text."""
    bet = victim.bet()
    start_s = bet["cell_id"].partition("_")[0]
    injected: list[dict[str, Any]] = [
        {"cell_id": f"{bet['cell_id']}\nAmount: 10000"},
        {"nonce": f"{bet['nonce']}\nTimestamp: {bet['timestamp']}"},
        {"cell_id": f"{bet['cell_id']}\n"},
        {"nonce": f"{bet['nonce']}\n"},
        {"nonce": f"{bet['nonce']}\r"},
        {"nonce": "ｎonce1234567"},
        {"nonce": "nonce\u0660\u0661\u0662"},
        {"nonce": "nonce\u200b1234"},
        {"nonce": "nonce\x001234"},
        {"nonce": "nonce-1234"},
        {"nonce": "nonce12"},
        {"nonce": "n" * 129},
        {"cell_id": "".join(chr(ord(one) + 0xFEE0) if one.isdigit() else one for one in bet["cell_id"])},
        {"cell_id": bet["cell_id"] + "\u2028"},
        {"cell_id": "+" + bet["cell_id"]},
        {"cell_id": "0" + bet["cell_id"]},
        {"cell_id": " " + bet["cell_id"]},
        {"cell_id": bet["cell_id"].replace("_", "-")},
        {"cell_id": f"{start_s}_{STEP}_{3 * STEP}"},
        {"cell_id": f"{start_s}_-{STEP}_0"},
        {"cell_id": "9" * 64},
    ]
    for changed in injected:
        answer = victim.place(victim.bet(**changed))
        assert code_of(answer) in ((400, "INVALID_REQUEST"), (422, "CELL_UNKNOWN")), changed
    assert arena.count("bets") == 0


@pytest.mark.parametrize(
    "nonce", ["nonce1234\n", "nonce1234\nTimestamp: 1", "nonce 1234", "ｎonce1234", "short", "", "n" * 129]
)
def test_no_withdrawals_nonce_writes_the_next_line(arena: Arena, victim: Player, nonce: str) -> None:
    assert code_of(victim.withdraw(victim.withdrawal(nonce=nonce))) == (400, "INVALID_REQUEST")
    assert arena.count("withdrawals") == 0


NUMBERS = [
    *("100.5", "1e-2", "1e16", "9007199254740993.0", "1e400", "-100", '"100"', "true", "null", "[100]", str(10**30)),
    *("0100", "NaN", "1_00"),
]


@pytest.mark.parametrize("number", ["100.0", "1e2", "1.0E+2"])
def test_a_whole_number_may_be_written_otherwise(arena: Arena, victim: Player, number: str) -> None:
    bet = victim.bet()
    text = json.dumps(bet).replace('"amount": 100,', f'"amount": {number},')
    assert text != json.dumps(bet)
    placed = victim.place(text.encode())
    assert (placed.status_code, placed.json["bet"]["amount"]) == (201, 100)
    assert code_of(victim.place(bet)) == (409, "REPLAYED_NONCE")


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("field", ["amount", "min_rate_bp", "timestamp"])
def test_a_number_is_a_whole_number(arena: Arena, victim: Player, field: str, number: str) -> None:
    text = re.sub(f'("{field}": )[0-9]+', rf"\g<1>{number}", json.dumps(victim.bet()))
    assert f'"{field}": {number}' in text
    answer = victim.place(text.encode())
    assert answer.status_code in (400, 401, 422), answer.text
    assert arena.count("bets") == 0
