"""ULIDs: 26 characters that sort by time (https://github.com/ulid/spec)."""

from __future__ import annotations

from functools import lru_cache
from zlib import crc32

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES = {letter: value for value, letter in enumerate(ALPHABET)}
_PAIRS = [high + low for high in ALPHABET for low in ALPHABET]
LENGTH = 26
RANDOM_BITS = 80
TAIL_LENGTH = 5
POSITION_BITS = 32
POSITION_MAX = 2**POSITION_BITS - 1


def ulid(ms: int, low_bits: int) -> str:
    """Return the ULID of a time in milliseconds (48 bits) and 80 further bits."""
    number = (ms << RANDOM_BITS) | low_bits
    pairs = []
    for _ in range(LENGTH // 2):
        pairs.append(_PAIRS[number & 1023])
        number >>= 10
    pairs.reverse()
    return "".join(pairs)


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


@lru_cache(maxsize=16)
def _commits_part(committed_ms: int, commit_number: int) -> str:
    """Return what the ids of all entries of a commit begin with: all but the last 35 bits."""
    return ulid(committed_ms, commit_number << POSITION_BITS)[:-7]
