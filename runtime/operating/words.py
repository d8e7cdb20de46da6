"""The words without which no operator decides anything: who, why, and a reference that makes it happen once."""

from __future__ import annotations

from typing import Annotated

import msgspec

from runtime.errors import InvalidRequest

WHO_MAX, WHY_MAX, REFERENCE_MAX = 100, 500, 200
PAGE_WHY_MIN, PAGE_WHY_MAX = 3, 200

Why = Annotated[
    str,
    msgspec.Meta(
        min_length=PAGE_WHY_MIN,
        max_length=PAGE_WHY_MAX,
        description="why, on one line; kept with the decision for ever",
    ),
]
PaymentReference = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=REFERENCE_MAX,
        description="names the payment or the decision; unique among withdrawals",
    ),
]


def is_said(text: str, length_max: int, length_min: int = 1) -> bool:
    """Tell whether a text says something: printable, on one line, without blanks around it, of a fitting length."""
    return text.isprintable() and text == text.strip() and length_min <= len(text) <= length_max


def said(field: str, text: str, length_min: int, length_max: int) -> str:
    """Return the words of a field without blanks around them; raise InvalidRequest if they say nothing."""
    words = text.strip()
    if not is_said(words, length_max, length_min):
        raise InvalidRequest(
            f"Say something in `{field}`, on one line of {length_min} to {length_max} printable characters.",
            field=field,
        )
    return words


def why_of(text: str) -> str:
    """Return why an operator decides something."""
    return said("why", text, PAGE_WHY_MIN, PAGE_WHY_MAX)


def reference_of(text: str) -> str:
    """Return the reference of a payment or decision."""
    return said("reference", text, 1, REFERENCE_MAX)
