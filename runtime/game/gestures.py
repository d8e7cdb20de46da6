"""Gestures: up to twenty bets under one signature, whose ids say which gesture they are of and which line of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from runtime.game.ids import ALPHABET, LENGTH, TAIL_LENGTH

TAPS_MAX = 20
_NUMBER_AT = LENGTH - TAIL_LENGTH - 1
"""The letter before the tail, which a request's ids share. In a gesture's id it is 0, in a bet's the number of its tap;
50 random bits are left to keep ids apart."""
_NUMBERS = {ALPHABET[number]: number for number in range(1, TAPS_MAX + 1)}


class TapLine(NamedTuple):
    """One tap as it was signed: `{cell_id} {amount} {min_rate_bp}`."""

    cell_id: str
    amount: int
    min_rate_bp: int

    def text(self) -> str:
        """Return the line."""
        return f"{self.cell_id} {self.amount} {self.min_rate_bp}"


class Gesture(NamedTuple):
    """What the bets of a gesture share, the fields as its commit's hash covers them: a line for each tap, from 1 on."""

    id: str
    taps: str
    nonce: str
    signature: str

    def lines(self) -> list[str]:
        """Return the lines of all taps, those that were refused at the door among them."""
        return self.taps.split("\n")

    def line(self, tap: int) -> TapLine | None:
        """Return what was signed as the tap of a number, None if there is no such line."""
        lines = self.lines()
        return parse_tap(lines[tap - 1]) if 1 <= tap <= len(lines) else None


def taps_text(taps: Iterable[TapLine]) -> str:
    """Return the lines of all taps, as they are signed and stored."""
    return "\n".join([tap.text() for tap in taps])


def parse_tap(line: str) -> TapLine | None:
    """Read a line, None if it is none that `TapLine.text` writes."""
    cell_id, _, rest = line.partition(" ")
    amount, _, floor = rest.partition(" ")
    if not (amount.isascii() and amount.isdigit() and floor.isascii() and floor.isdigit()):
        return None
    found = TapLine(cell_id, int(amount), int(floor))
    return found if found.text() == line else None


def gesture_id_from(fresh_id: str) -> str:
    """Return a gesture's id, made of a fresh ULID."""
    return with_number(fresh_id, 0)


def with_number(ulid: str, number: int) -> str:
    """Return the id of a gesture's tap, from 1 on, or for 0 the gesture's own."""
    return ulid[:_NUMBER_AT] + ALPHABET[number] + ulid[_NUMBER_AT + 1 :]


def gesture_of(bet_id: str) -> tuple[str, int]:
    """Return the gesture that a bet's id names, if it is of one at all, and the number of its tap; 0: of none."""
    number = _NUMBERS.get(bet_id[_NUMBER_AT], 0)
    return (with_number(bet_id, 0), number) if number else ("", 0)


def may_be_gesture(ulid: str) -> bool:
    """Tell whether an id has the form of a gesture's; so have one in 32 of all others."""
    return len(ulid) == LENGTH and ulid[_NUMBER_AT] == ALPHABET[0]


def ids_of_taps(gesture_id: str) -> list[str]:
    """Return the ids that the bets of a gesture have, in the order of its taps."""
    return [with_number(gesture_id, number) for number in range(1, TAPS_MAX + 1)]
