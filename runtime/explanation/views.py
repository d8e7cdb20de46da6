"""The proof of a bet as it is shown: a finding for each question, with everything that it was found by."""

from __future__ import annotations

from typing import Literal

import msgspec

from runtime.records.views import ColumnView

What = Literal["delegated", "signed", "placed", "evidence", "resolved"]
Signer = Literal["wallet", "session_key", "guest", "nobody", "forgotten"]


class Delegation(msgspec.Struct, frozen=True):
    """The login that let a session key sign: the message as received, and the wallet's signature.

    A guest's key signed its sign-in itself.
    """

    id: str
    session_key: str
    message: str
    signature: str
    delegated_at: str
    commit_number: int


class Adoption(msgspec.Struct, frozen=True):
    """The message by which a wallet took a guest's account over, as received, and the wallet's signature."""

    message: str
    signature: str


class Signed(msgspec.Struct, frozen=True):
    """Who signed what, and when; `text` is rebuilt from the stored bet and verified again.

    `chain_id` is the accepted chain that the signature fits; null: unsigned, or none of them. Of a gesture the text
    names all its taps, and this bet is the one on the line of the number `tap`.
    """

    ok: bool | None
    finding: str
    by: Signer
    signer: str
    wallet: str
    text: str
    chain_id: int | None
    signature: str
    signed_at: str
    received_at: str
    delegation: Delegation | None
    adoption: Adoption | None
    gesture_id: str | None = None
    """The gesture that the bet was signed in; null: it was signed alone."""
    tap: int | None = None
    """Which line of the gesture's taps it is, from 1 on."""


class Inputs(msgspec.Struct, frozen=True):
    """What the model priced by beside price and volatility; none of it where a bet was refused without a price."""

    sample_ms: int | msgspec.UnsetType = msgspec.UNSET
    """Mean distance between observed prices."""
    history_ms: int | msgspec.UnsetType = msgspec.UNSET
    """How long the series behind the volatility is."""
    signals: tuple[float, ...] | msgspec.UnsetType = msgspec.UNSET
    """What the mixture model prices by."""


class Priced(msgspec.Struct, frozen=True):
    """The rate and everything that it follows from; `recomputed_rate_bp` is what the model says to it today."""

    ok: bool | None
    finding: str
    reward_rate_bp: int
    min_rate_bp: int
    tick_id: int | None
    price_cents: int | None
    volatility: float | None
    features: Inputs
    model_id: str | None
    model_version: str | None
    model_now_ms: int | None
    fill_delay_ms: int | None
    """The tick must lie later than this after the receipt; null: any fresh one would do."""
    recomputed_rate_bp: int | None
    tick_is_stored: bool | None
    """The very tick is in the recorded ticks, with this price and volatility; null: not looked up, or too old."""


class Anew(msgspec.Struct, frozen=True):
    """A window's evidence as the recorded ticks give it now."""

    covered: bool
    open: int | None
    low: int | None
    high: int | None
    close: int | None
    tick_count: int
    ticks_sha256: str
    first_tick_id: int | None
    last_tick_id: int | None
    reason: str | None


class Window(msgspec.Struct, frozen=True):
    """The evidence of the bet's column; `from_ticks` is the same made anew of the recorded ticks."""

    ok: bool | None
    finding: str
    evidence: ColumnView | None
    from_ticks: Anew | None


class Decided(msgspec.Struct, frozen=True):
    """The result, and what the evidence and the rules make of the bet."""

    ok: bool | None
    finding: str
    status: str
    recomputed_status: str
    payout_cents: int | None
    recomputed_payout_cents: int | None


class Step(msgspec.Struct, frozen=True):
    """One ledger entry of the bet, between the user's entries before and after it."""

    id: str
    ref_type: str
    amount: int
    balance_before: int
    balance_after: int
    created_at: str
    commit_number: int
    place: int
    previous_id: str | None
    previous_balance_after: int | None
    next_id: str | None
    next_balance_before: int | None


class Money(msgspec.Struct, frozen=True):
    """The bet's ledger entries, oldest first."""

    ok: bool | None
    finding: str
    entries: list[Step]


class Position(msgspec.Struct, frozen=True):
    """Where the hash chain holds a row of the bet; null: not looked at."""

    what: What
    commit_number: int
    place: int
    committed_at: str | None
    hash: str | None
    previous_hash: str | None
    records: int | None
    row_holds: bool | None
    links_hold: bool | None
    hash_holds: bool | None


class Chained(msgspec.Struct, frozen=True):
    """The commits that wrote the bet, its end, its column's evidence and, on a full look, its key's delegation."""

    ok: bool | None
    finding: str
    positions: list[Position]


class Proof(msgspec.Struct, frozen=True):
    """Everything that makes a bet explainable; `ok` of a part is null where it cannot be checked (yet, or here)."""

    ok: bool
    signed: Signed
    rate: Priced
    window: Window
    decision: Decided
    money: Money
    chain: Chained
