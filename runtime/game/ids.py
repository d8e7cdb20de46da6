"""ULIDs: 26 characters that sort by time (https://github.com/ulid/spec), stored as keys of 16 bytes that sort alike."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any
from zlib import crc32

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES = {letter: value for value, letter in enumerate(ALPHABET)}
_PAIRS = [high + low for high in ALPHABET for low in ALPHABET]
LENGTH = 26
RANDOM_BITS = 80
TAIL_LENGTH = 5
POSITION_BITS = 32
POSITION_MAX = 2**POSITION_BITS - 1
POSITION_BYTES = POSITION_BITS // 8
KEY_BYTES = 16
KEYS_KEPT = 2_048
"""Keys that are remembered, 0.3 MB: a commit asks for that of a bet's id three times, and takes at most 500 bets."""
_DIGITS = bytes(b"0123456789abcdefghijklmnopqrstuv!"[_VALUES.get(chr(code), 32)] for code in range(256))
"""To digits that int() reads; whatever else int() would read too becomes none."""
_LETTERS = ALPHABET.encode() * 8


def _halving(bits: int) -> tuple[int, int, int]:
    """Return what moves the upper half of every group of bits apart: both halves' masks, and how far.

    Groups lie as far from each other as eight bits for each five of theirs take.
    """
    lower = sum((1 << bits // 2) - 1 << group for group in range(0, 256, bits * 8 // 5))
    return lower, lower << bits // 2, bits // 2 * 3 // 5


_HALVINGS = [_halving(bits) for bits in (160, 80, 40, 20, 10)]


def _letters(number: int) -> str:
    """Return the 26 letters of a number: its bits parted into bytes of five, in half the time that 26 look-ups take."""
    for lower, upper, apart in _HALVINGS:
        number = number & lower | (number & upper) << apart
    return number.to_bytes(LENGTH, "big").translate(_LETTERS).decode()


def ulid(ms: int, low_bits: int) -> str:
    """Return the ULID of a time in milliseconds (48 bits) and 80 further bits."""
    return _letters(ms << RANDOM_BITS | low_bits)


def tail_of(request_id: str) -> str:
    """Return the five letters that the ids made for a request end with: so it is found again, with nothing stored.

    Before them are 48 bits of time and 55 random ones, which keep ids apart, whatever a caller calls its request.
    """
    bits = crc32(request_id.encode())
    return ALPHABET[bits >> 20 & 31] + _PAIRS[bits >> 10 & 1023] + _PAIRS[bits & 1023]


def ulid_ms(text: str) -> int | None:
    """Return the time of a ULID in milliseconds, or None if it is not one."""
    if len(text) != LENGTH or text[0] > "7" or any(letter not in _VALUES for letter in text):
        return None
    ms = 0
    for letter in text[:10]:
        ms = ms * 32 + _VALUES[letter]
    return ms


def first_id_at(ms: int) -> str:
    """Return the least ULID of a moment."""
    return ulid(min(ms, 2**48 - 1), 0)


def entry_id(committed_ms: int, commit_number: int, position: int) -> str:
    """Return the id of a ledger entry: it rises with the commit and the position in it."""
    low = (commit_number & 7) << POSITION_BITS | position
    tail = ALPHABET[low >> 30] + _PAIRS[low >> 20 & 1023] + _PAIRS[low >> 10 & 1023] + _PAIRS[low & 1023]
    return _commits_part(committed_ms, commit_number) + tail


def first_id_of_commit(id_of_entry: str) -> str:
    """Return the least id that an entry of the same commit can have."""
    key = ulid_key(id_of_entry)
    first: str = ulid_text(key[:-POSITION_BYTES] + bytes(POSITION_BYTES))
    return first


@lru_cache(maxsize=16)
def _commits_part(committed_ms: int, commit_number: int) -> str:
    """Return what the ids of all entries of a commit begin with: all but the last 35 bits."""
    return ulid(committed_ms, commit_number << POSITION_BITS)[:-7]


@lru_cache(maxsize=KEYS_KEPT, typed=True)
def ulid_key(text: Any) -> Any:
    """Return the key that a ULID is stored as; what is none stays as it is, and sorts before every key.

    No ULID lies between one and the text that is one character longer; the keys of both have no other between them.
    """
    if not isinstance(text, str) or len(text) < LENGTH or not text.isascii():
        return text
    try:
        letters = text.encode()
        return int(letters[:LENGTH].translate(_DIGITS), 32).to_bytes(KEY_BYTES, "big") + letters[LENGTH:]
    except (ValueError, OverflowError):
        return text


def ulid_text(key: Any) -> Any:
    """Return the ULID of a key; what is none stays as it is."""
    if not isinstance(key, bytes):
        return key
    text = _letters(int.from_bytes(key[:KEY_BYTES], "big"))
    return text + key[KEY_BYTES:].decode() if len(key) > KEY_BYTES else text


def entry_key(committed_ms: int | None, commit_number: int | None, position: int | None) -> bytes | None:
    """Return the key of the ledger entry at a position; None where there is none."""
    if committed_ms is None or commit_number is None or position is None:
        return None
    return _commits_key(committed_ms, commit_number) + position.to_bytes(POSITION_BYTES, "big")


@lru_cache(maxsize=16)
def _commits_key(committed_ms: int, commit_number: int) -> bytes:
    """Return what the keys of all entries of a commit begin with."""
    return committed_ms.to_bytes(6, "big") + commit_number.to_bytes(6, "big")


def entry_ms(key: bytes) -> int:
    """Return when the commit of an entry was made."""
    return int.from_bytes(key[:6], "big")


def entry_commit(key: bytes) -> int:
    """Return the number of an entry's commit."""
    return int.from_bytes(key[6:12], "big")


def entry_position(key: bytes) -> int:
    """Return the position of an entry in its commit."""
    return int.from_bytes(key[12:], "big")


SQL_FUNCTIONS: tuple[tuple[Callable[..., Any], int], ...] = (
    (ulid_key, 1),
    (ulid_text, 1),
    (entry_key, 3),
    (entry_ms, 1),
    (entry_commit, 1),
    (entry_position, 1),
)
"""What every connection to a database of ours knows by these names, and the number of parameters."""
