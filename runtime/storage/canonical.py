"""The canonical text of the commits' records, written several times faster than by Python's json, to the byte."""

from __future__ import annotations

from typing import Any

import msgspec

from runtime.game import chain

_encode = msgspec.json.Encoder().encode


def encode(fields: list[Any]) -> bytes:
    """Return the text that `chain.encode` returns, for fields as rows hold them: texts, whole numbers, floats, None.

    What msgspec writes differently is left to json: what is not ASCII, its last character, and floats below 0.0001.
    It would differ for floats of 10**16 or more too, and for those that are no number, but no row holds such.
    """
    line = _encode(fields)
    if line.isascii() and b"e-" not in line and b"0.0000" not in line and b"\x7f" not in line:
        return line
    return chain.encode(fields)
