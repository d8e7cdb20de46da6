"""Errors that reach a caller: one tree with stable codes, answered as RFC 9457 problem+json.

TaptradeError
 +- Refusal                     the caller's request cannot be done; `code` says why, also what the writer refused
     +- OwnRefusal              of one function alone, declared beside it with a code and a status of its own
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
from inspect import get_annotations
from typing import Any, ClassVar, get_type_hints

from runtime.error_codes import CODES, OWN_CODE, ErrorCode


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
        self.known = self._known()
        self.retry_after_s = retry_after_s
        self.arguments = arguments
        super().__init__(f"{self.code}: {self.detail}")

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.known.status

    @property
    def retryable(self) -> bool:
        """Whether the very same request may succeed later."""
        return self.known.retryable

    def _known(self) -> ErrorCode:
        if self.code not in CODES:
            raise ValueError(f"unknown error code {self.code!r}; runtime/error_codes.py lists them")
        return CODES[self.code]

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


class OwnRefusal(Refusal):
    """What the refusals of one function inherit.

        class TipTooHigh(OwnRefusal, code="TIP_TOO_HIGH", status=422):
            \"""The tip is more than anyone may give.\"""

            most_cents: int

        raise TipTooHigh(most_cents=500)

    The docstring is what the code means, and the default sentence. The fields are what it carries, as keywords.
    """

    own_code: ClassVar[ErrorCode]

    def __init_subclass__(cls, *, code: str, status: int, retryable: bool = False) -> None:
        if OWN_CODE.fullmatch(code) is None or code in CODES:
            raise ValueError(
                f"{code!r} is no code of its own: capitals and underscores, none of runtime/error_codes.py"
            )
        if not 400 <= status <= 599:
            raise ValueError(f"{code} has status {status}, which refuses nothing: it must be 400 to 599")
        meaning = " ".join((cls.__doc__ or "").split())
        if not meaning:
            raise ValueError(f"{code} has no meaning: write it as the docstring of {cls.__name__}")
        cls.default_code, cls.own_code = code, ErrorCode(status, meaning, retryable)

    def __init__(self, detail: str = "", *, retry_after_s: int | None = None, **arguments: Any) -> None:
        declared = self.carried()
        if arguments.keys() != declared.keys():
            raise TypeError(
                f"{type(self).__name__} carries {', '.join(declared) or 'nothing'}, not {', '.join(arguments)}"
            )
        vars(self).update(arguments)
        super().__init__(detail or self.own_code.meaning, retry_after_s=retry_after_s, **arguments)

    @classmethod
    def carried(cls) -> dict[str, Any]:
        """Return the types of what it carries beside the sentence, by their names."""
        mine = get_annotations(cls)
        return {name: form for name, form in get_type_hints(cls, include_extras=True).items() if name in mine}

    def _known(self) -> ErrorCode:
        return self.own_code


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
