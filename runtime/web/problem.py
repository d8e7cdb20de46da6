"""The form of every refusal (RFC 9457); what a code brings beside it is a type that inherits this one."""

from __future__ import annotations

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """An error (RFC 9457): a stable `code`, a sentence for people, and whether the very same may succeed later."""

    type: str
    """`about:blank`: the code says more than an address could."""
    title: str
    """The HTTP status in words."""
    status: int
    """The HTTP status."""
    code: str
    """The stable code; it never changes its meaning."""
    detail: str
    """What happened, in a sentence for people."""
    request_id: str
    """The id of the request, as the logs have it."""
    retryable: bool
    """Whether the very same request may succeed later."""
