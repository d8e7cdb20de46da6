"""What refusals carry beside the sentence: a type for each code that carries something.

`refused` is the bet as it was stored; a bet that was refused before it reached the writer is not stored.
"""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, UnsetType

from runtime.records.gestures import ReplayedTap
from runtime.records.views import BetView
from runtime.records.withdrawals import OperatorsWithdrawal
from runtime.web.problem import Problem


class InvalidRequestProblem(Problem, frozen=True, kw_only=True):
    """`field` is the path of the field, parameter or header that is wrong; `$` is the whole body."""

    code: Literal["INVALID_REQUEST"]
    field: str | UnsetType = UNSET
    """The path of what is wrong; `$` is the whole body."""


class InvalidSignatureProblem(Problem, frozen=True, kw_only=True):
    """What the signed text should have named: domain, chain or account."""

    code: Literal["INVALID_SIGNATURE"]
    expected: str | int | UnsetType = UNSET
    """What the text should have named."""
    accepted: list[str | int] | UnsetType = UNSET
    """What the text might have named."""


class SignatureExpiredProblem(Problem, frozen=True, kw_only=True):
    """The server's clock, by which the text was signed too early or too late."""

    code: Literal["SIGNATURE_EXPIRED"]
    server_time_ms: int


class ForbiddenProblem(Problem, frozen=True, kw_only=True):
    """Why an operator's door stays shut."""

    code: Literal["FORBIDDEN"]
    reason: Literal["closed", "not_listed", "player", "origin"] | UnsetType = UNSET
    """Why the door stays shut."""


class ArchivedProblem(Problem, frozen=True, kw_only=True):
    """The week whose archive holds it."""

    code: Literal["ARCHIVED"]
    week: str


class RateLimitedProblem(Problem, frozen=True, kw_only=True):
    """Which limit is used up, how much it is, and in how many seconds its next window opens."""

    code: Literal["RATE_LIMITED"]
    bucket: str | UnsetType = UNSET
    """The limit that is used up."""
    limit: int | UnsetType = UNSET
    """How much it is in a window."""
    remaining: int | UnsetType = UNSET
    """What is left of it."""
    reset_s: int | UnsetType = UNSET
    """In how many seconds the next window opens."""


class BetProblem(Problem, frozen=True, kw_only=True):
    """A bet that was not taken."""

    refused: BetView | UnsetType = UNSET


class InsufficientFundsProblem(BetProblem, frozen=True, kw_only=True):
    """What the account holds, for a withdrawal."""

    code: Literal["INSUFFICIENT_FUNDS"]
    balance: int | UnsetType = UNSET


class LimitReachedProblem(BetProblem, frozen=True, kw_only=True):
    """Which of the player's own limits, what is left of it, the greatest stake that fits, and until when it holds."""

    code: Literal["LIMIT_REACHED"]
    limit: str
    """Which of the player's own limits: its name."""
    left_cents: int
    until_ms: int | None
    max_stake_cents: int | UnsetType | None = UNSET


class DepositLimitProblem(Problem, frozen=True, kw_only=True):
    """The balance, and the cap that it would pass."""

    code: Literal["DEPOSIT_LIMIT"]
    balance: int
    balance_max_cents: int


class ReplayedNonceProblem(Problem, frozen=True, kw_only=True):
    """The bet that used the nonce; null where it is not stored, and `outcome` says what is known of `bet_id`.

    `used_by` is the id of the withdrawal that used it; of a gesture, `taps` says what became of each tap.
    """

    code: Literal["REPLAYED_NONCE"]
    bet: BetView | UnsetType | None = UNSET
    outcome: Literal["never_placed", "unknown"] | UnsetType = UNSET
    bet_id: str | UnsetType = UNSET
    used_by: str | UnsetType = UNSET
    gesture_id: str | UnsetType = UNSET
    """The gesture that used it."""
    taps: list[ReplayedTap] | UnsetType = UNSET
    """What became of each tap, in order."""


class DuplicateBetProblem(BetProblem, frozen=True, kw_only=True):
    """The bet that the player has on the cell."""

    code: Literal["DUPLICATE_BET"]
    bet: BetView


class RateMovedProblem(BetProblem, frozen=True, kw_only=True):
    """The floor that was signed, the fresh rate below it, and the tick that this follows from."""

    code: Literal["RATE_MOVED"]
    min_rate_bp: int
    rate_bp: int
    grid_version: int


class CellClosedProblem(BetProblem, frozen=True, kw_only=True):
    """The server's clock, by which the column takes no bets."""

    code: Literal["CELL_CLOSED"]
    server_time_ms: int | UnsetType = UNSET


class BetExpiredProblem(BetProblem, frozen=True, kw_only=True):
    """The bet's last possible moment, or the server's clock if that had passed on arrival."""

    code: Literal["BET_EXPIRED"]
    decided_by_ms: int | UnsetType = UNSET
    server_time_ms: int | UnsetType = UNSET


class ExposureLimitProblem(BetProblem, frozen=True, kw_only=True):
    """The greatest preset that the house still takes on the cell; null: none."""

    code: Literal["EXPOSURE_LIMIT"]
    max_stake_cents: int | None


class CellUnknownProblem(BetProblem, frozen=True, kw_only=True):
    """The bet, if it was stored."""

    code: Literal["CELL_UNKNOWN"]


class CellNotOfferedProblem(BetProblem, frozen=True, kw_only=True):
    """The tick at which the cell has no rate, or its rate and the bucket of such rates that is closed."""

    code: Literal["CELL_NOT_OFFERED"]
    grid_version: int
    bucket: str | UnsetType = UNSET
    rate_bp: int | UnsetType = UNSET


class StakeNotAllowedProblem(BetProblem, frozen=True, kw_only=True):
    """The stakes that are allowed, in cents."""

    code: Literal["STAKE_NOT_ALLOWED"]
    presets: list[int]


class PriceFeedStaleProblem(BetProblem, frozen=True, kw_only=True):
    """The bet, if it was stored: nothing was taken, and its nonce is used."""

    code: Literal["PRICE_FEED_STALE"]


class WithdrawalTooSmallProblem(Problem, frozen=True, kw_only=True):
    """The least that is paid out."""

    code: Literal["WITHDRAWAL_TOO_SMALL"]
    amount_min_cents: int


class WithdrawalsPendingProblem(Problem, frozen=True, kw_only=True):
    """How many are pending, and how many may be."""

    code: Literal["WITHDRAWALS_PENDING"]
    pending: int
    """How many are pending."""
    pending_max: int


class WithdrawalResolvedProblem(Problem, frozen=True, kw_only=True):
    """The withdrawal as it was ended."""

    code: Literal["WITHDRAWAL_RESOLVED"]
    withdrawal: OperatorsWithdrawal


class BucketOpenProblem(Problem, frozen=True, kw_only=True):
    """The bucket that was to be opened."""

    code: Literal["BUCKET_OPEN"]
    bucket: str
    model_id: str
    model_version: str


PROBLEMS: tuple[type[Problem], ...] = (
    InvalidRequestProblem,
    InvalidSignatureProblem,
    SignatureExpiredProblem,
    ForbiddenProblem,
    ArchivedProblem,
    RateLimitedProblem,
    InsufficientFundsProblem,
    LimitReachedProblem,
    DepositLimitProblem,
    ReplayedNonceProblem,
    DuplicateBetProblem,
    RateMovedProblem,
    CellClosedProblem,
    BetExpiredProblem,
    ExposureLimitProblem,
    CellUnknownProblem,
    CellNotOfferedProblem,
    StakeNotAllowedProblem,
    PriceFeedStaleProblem,
    WithdrawalTooSmallProblem,
    WithdrawalsPendingProblem,
    WithdrawalResolvedProblem,
    BucketOpenProblem,
)
"""Every code that is not among these carries the sentence alone."""
