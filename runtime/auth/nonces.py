"""What makes a signed text count once: a nonce, of one form for logins, bets and withdrawals."""

from __future__ import annotations

import re
from typing import Annotated

import msgspec

CHARACTERS_MIN = 8
"""EIP-4361 asks for as many."""
CHARACTERS_MAX = 128
"""EIP-4361 names no bound, and viem makes 96; each nonce is kept in Redis and with its bet, so there is one."""
NONCE_RULE = f"a nonce is {CHARACTERS_MIN} to {CHARACTERS_MAX} letters and digits (A-Z, a-z, 0-9)"

_NONCE = re.compile(rf"[A-Za-z0-9]{{{CHARACTERS_MIN},{CHARACTERS_MAX}}}")

# Described here and judged by is_nonce, whose sentence says the whole rule.
NonceField = Annotated[
    str,
    msgspec.Meta(
        description=f"{CHARACTERS_MIN} to {CHARACTERS_MAX} letters and digits, used once",
        extra_json_schema={
            "minLength": CHARACTERS_MIN,
            "maxLength": CHARACTERS_MAX,
            "pattern": f"^[A-Za-z0-9]{{{CHARACTERS_MIN},{CHARACTERS_MAX}}}$",
        },
    ),
]


def is_nonce(text: str) -> bool:
    """Tell whether `text` is a nonce: ASCII letters and digits only, no newline behind them either."""
    return _NONCE.fullmatch(text) is not None
