"""The form of every refusal (RFC 9457); what a code brings beside it is a type that inherits this one."""

from __future__ import annotations

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """An error (RFC 9457): a stable `code`, a sentence for people, and whether the very same may succeed later."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    request_id: str
    retryable: bool
