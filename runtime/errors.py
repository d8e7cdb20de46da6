"""Errors that reach a caller: one tree with stable codes, answered as RFC 9457 problem+json.

TaptradeError
 +- Refusal                     the caller's request cannot be done; `code` says why
     +- InvalidRequest          400  malformed, or of the wrong type
     +- Unauthenticated         401  no session, or an ended one
     +- InvalidSignature        401
     +- SignatureExpired        401
     +- InsufficientFunds       402
     +- LimitReached            403  the player's own limit
     +- Forbidden               403  not in this mode
     +- NotFound                404  also BET_NEVER_PLACED and ARCHIVED
     +- Conflict                409  REPLAYED_NONCE, DUPLICATE_BET, RATE_MOVED, CELL_CLOSED, ...
     +- Unprocessable           422  CELL_UNKNOWN, CELL_NOT_OFFERED, STAKE_NOT_ALLOWED, ...
     +- RateLimited             429  retryable
     +- Unavailable             503  PRICE_FEED_STALE, OVERLOADED, UNAVAILABLE; retryable

The docstring of a class is its default sentence.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, ClassVar


class TaptradeError(Exception):
    """Something went wrong."""


class Refusal(TaptradeError):
    """The request was refused."""

    status: ClassVar[int] = 400
    default_code: ClassVar[str] = "INVALID_REQUEST"
    retryable: ClassVar[bool] = False

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
        self.retry_after_s = retry_after_s
        self.arguments = arguments
        super().__init__(f"{self.code}: {self.detail}")

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

    status = 401
    default_code = "UNAUTHENTICATED"


class InvalidSignature(Refusal):
    """The signature does not belong to this message and account."""

    status = 401
    default_code = "INVALID_SIGNATURE"


class SignatureExpired(Refusal):
    """The message was signed too long ago, or in the future."""

    status = 401
    default_code = "SIGNATURE_EXPIRED"


class InsufficientFunds(Refusal):
    """The balance does not cover the amount."""

    status = 402
    default_code = "INSUFFICIENT_FUNDS"


class LimitReached(Refusal):
    """A limit that you set for yourself refuses this."""

    status = 403
    default_code = "LIMIT_REACHED"


class Forbidden(Refusal):
    """This is not allowed here."""

    status = 403
    default_code = "FORBIDDEN"


class NotFound(Refusal):
    """There is no such thing."""

    status = 404
    default_code = "NOT_FOUND"


class Conflict(Refusal):
    """The request does not fit the present state."""

    status = 409
    default_code = "CONFLICT"


class Unprocessable(Refusal):
    """The request is well formed but asks for something that does not exist."""

    status = 422
    default_code = "UNPROCESSABLE"


class RateLimited(Refusal):
    """Too many requests; wait a moment."""

    status = 429
    default_code = "RATE_LIMITED"
    retryable = True


class Unavailable(Refusal):
    """The service cannot do this right now; try again."""

    status = 503
    default_code = "UNAVAILABLE"
    retryable = True
