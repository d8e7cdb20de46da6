"""Errors that reach a caller: one tree with stable codes, answered as RFC 9457 problem+json.

TaptradeError
 +- Refusal                     the caller's request cannot be done; `code` says why, also what the writer refused
     +- InvalidRequest          400  malformed, or of the wrong type
     +- Unauthenticated         401  no session, or an ended one
     +- InvalidSignature        401
     +- SignatureExpired        401
     +- Forbidden               403  not in this mode
     +- NotFound                404  also BET_NEVER_PLACED and ARCHIVED
     +- Conflict                409  REPLAYED_NONCE, DUPLICATE_BET, RATE_MOVED, CELL_CLOSED, ...
     +- Unprocessable           422  CELL_UNKNOWN, CELL_NOT_OFFERED, STAKE_NOT_ALLOWED, ...
     +- RateLimited             429  retryable
     +- Unavailable             503  PRICE_FEED_STALE, OVERLOADED, UNAVAILABLE; retryable

The docstring of a class is its default sentence. Status and `retryable` are those of the code (runtime.error_codes).
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, ClassVar

from runtime.error_codes import CODES


class TaptradeError(Exception):
    """Something went wrong."""


class Refusal(TaptradeError):
    """The request was refused."""

    default_code: ClassVar[str] = "INVALID_REQUEST"

    def __init__(
        self,
        detail: str = "",
        *,
        code: str = "",
        retry_after_s: int | None = None,
        **arguments: Any,
    ) -> None:
        self.detail = detail or (type(self).__doc__ or "").strip()
        self.code = code or self.default_code
        if self.code not in CODES:
            raise ValueError(f"unknown error code {self.code!r}; runtime/error_codes.py lists them")
        self.retry_after_s = retry_after_s
        self.arguments = arguments
        super().__init__(f"{self.code}: {self.detail}")

    @property
    def status(self) -> int:
        """The HTTP status."""
        return CODES[self.code].status

    @property
    def retryable(self) -> bool:
        """Whether the very same request may succeed later."""
        return CODES[self.code].retryable

    def problem(self, request_id: str) -> dict[str, Any]:
        """Build the problem+json body; `arguments` are its typed extras."""
        return {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            "request_id": request_id,
            "retryable": self.retryable,
            **self.arguments,
        }


class InvalidRequest(Refusal):
    """The request is malformed."""


class Unauthenticated(Refusal):
    """Log in first: there is no session, or it has ended."""

    default_code = "UNAUTHENTICATED"


class InvalidSignature(Refusal):
    """The signature does not belong to this message and account."""

    default_code = "INVALID_SIGNATURE"


class SignatureExpired(Refusal):
    """The message was signed too long ago, or in the future."""

    default_code = "SIGNATURE_EXPIRED"

    def __init__(self, detail: str, *, server_time_ms: int) -> None:
        # Whoever is refused for a wrong clock needs the right time, whatever was signed.
        super().__init__(detail, server_time_ms=server_time_ms)


class Forbidden(Refusal):
    """This is not allowed here."""

    default_code = "FORBIDDEN"


class NotFound(Refusal):
    """There is no such thing."""

    default_code = "NOT_FOUND"


class Conflict(Refusal):
    """The request does not fit the present state."""

    default_code = "CONFLICT"


class Unprocessable(Refusal):
    """The request is well formed but asks for something that does not exist."""

    default_code = "UNPROCESSABLE"


class RateLimited(Refusal):
    """Too many requests; wait a moment."""

    default_code = "RATE_LIMITED"


class Unavailable(Refusal):
    """The service cannot do this right now; try again."""

    default_code = "UNAVAILABLE"
