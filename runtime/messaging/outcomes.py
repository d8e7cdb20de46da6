"""How a command ends for whom asked: the data of its outcome, or the refusal that its code means."""

from __future__ import annotations

from typing import Any

from runtime.errors import Refusal, Unavailable
from runtime.messaging.commands import Outcome


def data_of(outcome: Outcome | None, late: str) -> dict[str, Any]:
    """Return what a command came to; raise its refusal, or Unavailable with the sentence `late` if nothing came."""
    if outcome is None:
        raise Unavailable(late)
    if outcome.code is not None:
        raise refusal_of(outcome)
    return outcome.data


def refusal_of(outcome: Outcome) -> Refusal:
    """Build the refusal of an outcome that has a code; its data become its arguments, `retry_after_s` a header."""
    return Refusal(outcome.detail, code=outcome.code or "CONFLICT", **outcome.data)
