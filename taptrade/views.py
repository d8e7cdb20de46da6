"""What the API answers, as far as a player reads it; unknown fields are passed over, so the API may grow."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

REFUSED = frozenset({"refused", "insufficient_funds"})
SETTLED = frozenset({"won", "lost", "void"})
"""Statuses of a bet whose money has moved for the last time."""
NOT_PLACED = frozenset({"refused", "insufficient_funds"})
"""Statuses of a bet that took no money."""


class TimeView(Struct, frozen=True):
    """The server's time."""

    server_time_ms: int


class RulesView(Struct, frozen=True):
    """What the house plays by, as far as a player's program needs it."""

    mode: str
    chain_ids: tuple[int, ...]
    domains: tuple[str, ...]
    presets_cents: tuple[int, ...]
    column_seconds: int
    fill_delay_ms: int


class AccountView(Struct, frozen=True):
    """An account: its balance is in cents."""

    id: str
    wallet_address: str
    balance: int


class LoginView(Struct, frozen=True):
    """A new session."""

    token: str
    user: AccountView


class MeView(Struct, frozen=True):
    """The account behind the session."""

    user: AccountView


class PriceView(Struct, frozen=True):
    """The price that a grid was computed from."""

    cents: int
    time_ms: int


class PriceEventView(Struct, frozen=True):
    """A `price` of the stream: the newest one, and its lowest and highest since the one before, in cents."""

    id: int
    """When it came, in Unix milliseconds; strictly rising."""
    exchange_ms: int
    close: int
    low: int
    high: int
    sources: str = ""
    """Who named it, comma-joined."""


class ColumnView(Struct, frozen=True):
    """One placeable time window."""

    start_s: int
    opens_ms: int
    closes_ms: int


class RowView(Struct, frozen=True):
    """One price band, bounds inclusive."""

    low_cents: int
    high_cents: int


class GridView(Struct, frozen=True):
    """The offer of one moment: `rates_bp[column][row]`, None where the cell is not offered."""

    mode: str
    grid_version: int
    server_time_ms: int
    price: PriceView
    columns: tuple[ColumnView, ...]
    rows: tuple[RowView, ...]
    rates_bp: tuple[tuple[int | None, ...], ...]
    presets_cents: tuple[int, ...]
    column_seconds: int


class BetView(Struct, frozen=True):
    """One bet; a pending one has no rate yet, and is committed until `decided_by_ms` or never."""

    id: str
    status: str
    cell_id: str = ""
    amount: int = 0
    decided_by_ms: int | None = None
    reward_rate: int | None = None
    placed_at: str | None = None
    resolved_at: str | None = None
    payout_amount: int | None = None
    refusal_code: str | None = None
    refusal_detail: str | None = None
    """Why it was refused, in a sentence."""


class PlacedView(Struct, frozen=True):
    """The answer to a tap: confirmed with the new balance, or pending without one."""

    bet: BetView
    balance: int | None = None


class ToldTap(Struct, frozen=True):
    """What became of one tap of a gesture: its bet, its refusal, or what is known of `bet_id`."""

    bet: BetView | None = None
    balance: int | None = None
    refusal: dict[str, Any] | None = None
    outcome: str = ""
    bet_id: str = ""


class PlacedGestureView(Struct, frozen=True):
    """The answer to a gesture, a tap each in their order."""

    gesture_id: str
    taps: tuple[ToldTap, ...]


class SnapshotView(Struct, frozen=True):
    """The whole picture that a stream begins with, and goes on with after a gap; one's own with a session alone."""

    grid: GridView | None = None
    balance: int | None = None
    open_bets: tuple[BetView, ...] | None = None


class EvidenceView(Struct, frozen=True):
    """What the price did in a settled window."""

    start_s: int
    covered: bool
    low: int | None = None
    high: int | None = None
    reason: str | None = None


class BetDetailView(Struct, frozen=True):
    """One bet with the evidence that settled it."""

    bet: BetView
    evidence: EvidenceView | None = None
    explanation: str = ""


class BetsPage(Struct, frozen=True):
    """A page of own bets, newest first."""

    bets: tuple[BetView, ...]
    next_cursor: str | None = None


class EntryView(Struct, frozen=True):
    """One ledger entry: a signed amount in cents and the balance after it."""

    id: str
    amount: int
    balance_after: int
    ref_type: str
    ref_id: str


class LedgerPage(Struct, frozen=True):
    """A page of the statement, newest first."""

    entries: tuple[EntryView, ...]
    next_cursor: str | None = None


class DepositedView(Struct, frozen=True):
    """Play money that came in: its ledger entry, and the balance that it left."""

    ledger_id: str
    amount: int
    balance: int
    reference: str


class WithdrawalView(Struct, frozen=True):
    """Money on its way out to the own wallet."""

    id: str
    amount: int
    to_address: str
    status: str


class WithdrawnView(Struct, frozen=True):
    """A withdrawal, and the balance that it left."""

    withdrawal: WithdrawalView
    balance: int | None


class LimitsView(Struct, frozen=True):
    """A player's own limits; None: none, for the reality check the house's interval."""

    stake_day_max_cents: int | None = None
    loss_day_max_cents: int | None = None
    cool_off_until_ms: int | None = None
    excluded_until_ms: int | None = None
    stake_max_cents: int | None = None
    deposit_day_max_cents: int | None = None
    deposit_week_max_cents: int | None = None
    reality_check_minutes: int | None = None


class PendingLimitsView(Struct, frozen=True):
    """Looser limits that were asked for, and when they will count."""

    limits: LimitsView
    effective_at: str
    effective_ms: int


class OwnLimitsView(Struct, frozen=True):
    """The limits that count now, those that wait, and what counts against them; None where a day is too long to add."""

    limits: LimitsView
    pending: PendingLimitsView | None
    stake_day_used_cents: int | None
    loss_day_used_cents: int | None
    deposit_day_used_cents: int
    deposit_week_used_cents: int


class SignedBet(Struct, frozen=True):
    """The body of POST /api/bets: a cell, a stake, the floor of the rate, and who signed it."""

    cell_id: str
    amount: int
    min_rate_bp: int
    nonce: str
    timestamp: int
    signature: str


class WantedTap(Struct, frozen=True):
    """One tap of a gesture: a cell, a stake in cents, and the floor of the rate."""

    cell_id: str
    amount: int
    min_rate_bp: int


class SignedGesture(Struct, frozen=True):
    """The other body of POST /api/bets: up to twenty taps, and who signed them all."""

    taps: tuple[WantedTap, ...]
    nonce: str
    timestamp: int
    signature: str


class SignedLogin(Struct, frozen=True):
    """The body of POST /api/auth/login."""

    message: str
    signature: str


class SignedWithdrawal(Struct, frozen=True):
    """The body of POST /api/withdrawals."""

    amount: int
    nonce: str
    timestamp: int
    signature: str
