"""JSON that passes through: a field is put into an encoded object without decoding it."""

from __future__ import annotations

import msgspec


def with_field(data: bytes, name: str, encoded: bytes) -> bytes:
    """Put a field, whose value is JSON already, first into a JSON object."""
    rest = data[1:].lstrip()
    if data[:1] != b"{":
        raise ValueError(f"only a JSON object can carry {name}")
    comma = b"" if rest.startswith(b"}") else b","
    return b"{%b:%b%b%b" % (msgspec.json.encode(name), encoded, comma, rest)
