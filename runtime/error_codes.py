"""The error codes of the house, with HTTP status and meaning; codes never change their meaning.

One that a single function gives is declared beside that function (runtime.errors.OwnRefusal).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

OWN_CODE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")
"""What a code looks like."""


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """One stable code of the interface."""

    status: int
    meaning: str
    retryable: bool = False
    """Whether the very same request may succeed later."""


# Of each status the first code is also what a plain error of HTTP gets, and what nginx says (`plain_code`).
CODES: dict[str, ErrorCode] = {
    "INVALID_REQUEST": ErrorCode(400, "The request is malformed, or a field has the wrong type."),
    "UNAUTHENTICATED": ErrorCode(401, "There is no session, or it has ended."),
    "INVALID_SIGNATURE": ErrorCode(401, "The signature does not belong to this message and account."),
    "CONTRACT_WALLET": ErrorCode(
        401, "A contract wallet's signature (EIP-1271, EIP-6492) is not taken; only that of an address' own key is."
    ),
    "SIGNATURE_EXPIRED": ErrorCode(
        401,
        "Signed over 30 s behind the server's clock or over 5 s ahead of it; `server_time_ms` tells it.",
    ),
    "INSUFFICIENT_FUNDS": ErrorCode(402, "The balance does not cover the amount."),
    "FORBIDDEN": ErrorCode(403, "This is not allowed here, or not in this mode."),
    "DEPOSIT_LIMIT": ErrorCode(403, "The deposit would lift the balance above the cap."),
    "LIMIT_REACHED": ErrorCode(
        403, "A limit that the player set refuses this; which one, what is left and until when are attached."
    ),
    "NOT_FOUND": ErrorCode(404, "There is no such thing."),
    "BET_NEVER_PLACED": ErrorCode(404, "The bet was lost on its way; no money was taken."),
    "ARCHIVED": ErrorCode(
        404, "It lies in the archive of a week; `week` names it, and the sentence says how it comes back."
    ),
    "METHOD_NOT_ALLOWED": ErrorCode(405, "The address exists, but not for this method."),
    "NOT_ACCEPTABLE": ErrorCode(406, "The answer cannot be given in a wanted media type."),
    "CONFLICT": ErrorCode(409, "The request does not fit the present state."),
    "REPLAYED_NONCE": ErrorCode(409, "The nonce was used before; the bet that used it is attached."),
    "DUPLICATE_BET": ErrorCode(409, "There is a bet on this cell already; it is attached."),
    "RATE_MOVED": ErrorCode(409, "The rate fell below the signed floor; the fresh rate is attached."),
    "CELL_CLOSED": ErrorCode(409, "The cell can no longer be bet on."),
    "BET_EXPIRED": ErrorCode(409, "The bet reached the writer after its last possible moment."),
    "REFERENCE_USED": ErrorCode(409, "The reference was used for something else."),
    "SESSION_KEY_TAKEN": ErrorCode(409, "The session key belongs to another account; make a new one."),
    "GUEST_ADOPTED": ErrorCode(409, "A wallet has taken the guest's account over; sign in with that wallet."),
    "WALLET_TAKEN": ErrorCode(409, "The wallet has an account of its own; it cannot take a guest's over."),
    "WITHDRAWAL_RESOLVED": ErrorCode(409, "The withdrawal was completed or reversed already."),
    "WITHDRAWALS_PENDING": ErrorCode(
        409, "As many withdrawals of the account are pending as one may have; their number is attached."
    ),
    "BETS_OPEN": ErrorCode(409, "Bets of the account are open."),
    "WITHDRAWALS_OPEN": ErrorCode(409, "Withdrawals of the account are pending; their number is attached."),
    "BALANCE_LEFT": ErrorCode(409, "The account holds money, which is attached."),
    "PLAYER_EXCLUDED": ErrorCode(409, "The player is shut out by their own wish; until when is attached."),
    "RECORDS_KEPT": ErrorCode(409, "The player's records must be kept still; until when is attached."),
    "NEVER_SEALED": ErrorCode(409, "The account is from before personal data was sealed, and cannot be forgotten."),
    "PLAYER_FORGOTTEN": ErrorCode(409, "The player was forgotten; the account takes nothing more."),
    "BUCKET_OPEN": ErrorCode(409, "The bucket is open; there is nothing to open."),
    "EXPOSURE_LIMIT": ErrorCode(409, "The house takes no more on this cell; the largest stake is attached."),
    "BODY_TOO_LARGE": ErrorCode(413, "The body is longer than 65,536 bytes."),
    "URI_TOO_LONG": ErrorCode(414, "The address is too long."),
    "UNSUPPORTED_MEDIA_TYPE": ErrorCode(415, "The body is not application/json."),
    "UNPROCESSABLE": ErrorCode(422, "The request is well formed but cannot be followed."),
    "CELL_UNKNOWN": ErrorCode(422, "There is no such cell on the grid's lattice."),
    "CELL_NOT_OFFERED": ErrorCode(
        422, "The cell has no rate right now, or the house takes no bets at such rates at present."
    ),
    "STAKE_NOT_ALLOWED": ErrorCode(422, "The stake is none of the presets; they are attached."),
    "WITHDRAWAL_TOO_SMALL": ErrorCode(422, "The amount is below the least that is paid out, which is attached."),
    "IDEMPOTENCY_KEY_REUSED": ErrorCode(422, "The Idempotency-Key was used with another body."),
    "RATE_LIMITED": ErrorCode(429, "Too many requests in this window.", retryable=True),
    "HEAD_TOO_LARGE": ErrorCode(431, "The header fields are too many or too long."),
    "INTERNAL_ERROR": ErrorCode(500, "Something went wrong on this side; it was logged with the request id."),
    "UNAVAILABLE": ErrorCode(503, "A part of the service is away; try again.", retryable=True),
    "OVERLOADED": ErrorCode(
        503, "Too many bets wait, or too many calls of this endpoint are under way; try again.", retryable=True
    ),
    "PRICE_FEED_STALE": ErrorCode(503, "The price is too old to bet on; try again.", retryable=True),
}


def plain_code(status: int) -> str:
    """Return the code of an HTTP error that brings none of its own: the first of its status in the table."""
    for code, known in CODES.items():
        if known.status == status:
            return code
    # What is not implemented is what the request asks for: a transfer coding, or a version of HTTP.
    return "INVALID_REQUEST" if status < 500 or status in (501, 505) else "INTERNAL_ERROR"
