"""What the writer can be asked to do, and what it answers: the vocabulary of the queues `bets` and `commands`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from runtime.game.gestures import TAPS_MAX
from runtime.game.limits import LIMIT_COLUMNS

# A crafted job can carry anything: what is not a positive amount never gets past decoding.
Cents = Annotated[int, msgspec.Meta(gt=0, le=10**13)]
Change = Annotated[int, msgspec.Meta(ge=-(10**13), le=10**13)]
Reference = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
COMMAND_TTL_MS = 10_000
"""How long after its receipt an API process' command may be committed; nobody waits for it any more then."""
UlidText = Annotated[str, msgspec.Meta(min_length=26, max_length=26)]


class Command(msgspec.Struct, tag_field="kind", kw_only=True, frozen=True, omit_defaults=True):
    """One thing to do; doing it twice is the same as doing it once, by `id` or by its reference."""

    id: UlidText
    received_ms: int
    decided_by_ms: int


class SignedTaps(Command, kw_only=True, frozen=True, omit_defaults=True):
    """What a bet and a gesture have in common: who signed what, and how long a fill has to wait."""

    user_id: str
    nonce: str
    signed_at_s: int
    signature: str
    signer: str
    delegation_id: str | None = None
    fill_delay_ms: Annotated[int, msgspec.Meta(ge=0)] = 0
    """It is filled on a tick that lies later than this after its receipt."""

    def wait_ends_ms(self) -> int:
        """Return the moment after which the tick must lie; 0 where any fresh one will do."""
        return self.received_ms + self.fill_delay_ms if self.fill_delay_ms else 0


class PlaceBet(SignedTaps, tag="place_bet", kw_only=True, frozen=True, omit_defaults=True):
    """Place a bet at the rate of the freshest tick, if that is not below the signed floor."""

    cell_id: Annotated[str, msgspec.Meta(max_length=64)]
    amount: Cents
    min_rate_bp: Annotated[int, msgspec.Meta(ge=0, le=10**9)]


class TakenTap(msgspec.Struct, frozen=True, array_like=True):
    """A tap of a gesture that is to be judged: the number of its line, and until when it may be committed."""

    number: Annotated[int, msgspec.Meta(ge=1, le=TAPS_MAX)]
    decided_by_ms: int


class PlaceBets(SignedTaps, tag="place_bets", kw_only=True, frozen=True, omit_defaults=True):
    """Place bets that were signed together, each judged by itself, all in one commit; `id` names their ids."""

    taps: Annotated[str, msgspec.Meta(max_length=TAPS_MAX * 128)]
    """The lines of all taps as they were signed, of those too that were refused before."""
    taken: Annotated[list[TakenTap], msgspec.Meta(min_length=1, max_length=TAPS_MAX)]


AnyBet = PlaceBet | PlaceBets
BETS = (PlaceBet, PlaceBets)


class Delegation(msgspec.Struct, frozen=True):
    """A login that lets a session key sign bets: the message as received, the signature in its one form."""

    id: str
    session_key: str
    message: str
    signature: str


class OpenAccount(Command, tag="open_account", kw_only=True, frozen=True, omit_defaults=True):
    """Find or create the account of a wallet or of a guest's key; a new one gets `credit_cents` once."""

    user_id: str
    wallet_address: str
    """A guest's is the address that stands for the key."""
    guest_key: str | None = None
    credit_cents: Annotated[int, msgspec.Meta(ge=0, le=10**12)]
    delegation: Delegation | None = None


class AdoptGuest(Command, tag="adopt_guest", kw_only=True, frozen=True, omit_defaults=True):
    """Give a guest's account to a wallet that has none: the message as received, the signature in its one form."""

    user_id: str
    wallet_address: str
    message: str
    signature: str


class Idempotency(msgspec.Struct, frozen=True):
    """An Idempotency-Key with the hash of the body that it came with."""

    route: str
    key: str
    body_hash: str


class Deposit(Command, tag="deposit", kw_only=True, frozen=True, omit_defaults=True):
    """Credit money from outside, once per reference; refused above `balance_max_cents`."""

    user_id: str
    amount: Cents
    reference: Reference
    who: str
    why: str
    balance_max_cents: int | None = None
    idempotency: Idempotency | None = None


class Withdraw(Command, tag="withdraw", kw_only=True, frozen=True, omit_defaults=True):
    """Take money at once and leave a withdrawal pending, to the account's own wallet."""

    user_id: str
    amount: Cents
    nonce: str
    signed_at_s: int
    signature: str
    idempotency: Idempotency | None = None


class CompleteWithdrawal(Command, tag="complete_withdrawal", kw_only=True, frozen=True, omit_defaults=True):
    """Record that a pending withdrawal was paid out."""

    withdrawal_id: str
    who: str
    why: str
    reference: Reference


class ReverseWithdrawal(Command, tag="reverse_withdrawal", kw_only=True, frozen=True, omit_defaults=True):
    """Give the money of a pending withdrawal back."""

    withdrawal_id: str
    who: str
    why: str
    reference: Reference


class Adjust(Command, tag="adjust", kw_only=True, frozen=True, omit_defaults=True):
    """Correct a balance by a new ledger entry, once per reference."""

    user_id: str
    amount: Change
    reference: Reference
    who: str
    why: str


class SettleColumn(Command, tag="settle_column", kw_only=True, frozen=True, omit_defaults=True):
    """Begin to settle a passed column on this evidence; its bets follow in slices."""

    start_s: int
    end_s: int
    covered: bool
    open: int | None
    low: int | None
    high: int | None
    close: int | None
    tick_count: int
    ticks_sha256: str
    first_tick_id: int | None
    last_tick_id: int | None
    reason: str | None = None


class OpenBucket(Command, tag="open_bucket", kw_only=True, frozen=True, omit_defaults=True):
    """Take bets of a closed bucket again; the evidence against it begins anew."""

    model_id: str
    model_version: str
    rate_from_bp: int
    distance: int
    who: str
    why: str


class SetLimits(Command, tag="set_limits", kw_only=True, frozen=True, omit_defaults=True):
    """Set some of a player's own limits; what is left out stays, also what another request is changing meanwhile."""

    user_id: str
    stake_day_max_cents: int | msgspec.UnsetType | None = msgspec.UNSET
    loss_day_max_cents: int | msgspec.UnsetType | None = msgspec.UNSET
    cool_off_until_ms: int | msgspec.UnsetType | None = msgspec.UNSET
    excluded_until_ms: int | msgspec.UnsetType | None = msgspec.UNSET
    stake_max_cents: int | msgspec.UnsetType | None = msgspec.UNSET
    deposit_day_max_cents: int | msgspec.UnsetType | None = msgspec.UNSET
    deposit_week_max_cents: int | msgspec.UnsetType | None = msgspec.UNSET
    reality_check_minutes: int | msgspec.UnsetType | None = msgspec.UNSET

    def asked(self) -> dict[str, int | None]:
        """Return what is asked for, by the limit's name."""
        fields = {name: getattr(self, name) for name in LIMIT_COLUMNS}
        return {name: amount for name, amount in fields.items() if not isinstance(amount, msgspec.UnsetType)}


class NoteOverride(Command, tag="note_override", kw_only=True, frozen=True, omit_defaults=True):
    """Keep an operator's word on the breaker for ever; the word itself counts from elsewhere, at once."""

    override: Literal["auto", "open", "closed"]
    who: str
    why: str
    set_ms: int
    until_ms: int | None = None


class RecordArchive(Command, tag="record_archive", kw_only=True, frozen=True, omit_defaults=True):
    """Record that a week lies in an archive, which was read back whole; what it holds is then let go of."""

    week: Annotated[str, msgspec.Meta(min_length=8, max_length=8)]
    first_commit: int
    cut_commit: int
    last_commit: int
    cut_seq: int
    cut_entry: str
    cut_hash: Annotated[str, msgspec.Meta(min_length=64, max_length=64)]
    last_hash: Annotated[str, msgspec.Meta(min_length=64, max_length=64)]
    stored_as: str
    manifest: str


class ForgetPlayer(Command, tag="forget_player", kw_only=True, frozen=True, omit_defaults=True):
    """Destroy the key of a player's personal data, and all that the account is found by, for ever."""

    user_id: str
    who: str
    why: str


AnyCommand = (
    PlaceBet
    | PlaceBets
    | OpenAccount
    | AdoptGuest
    | Deposit
    | Withdraw
    | CompleteWithdrawal
    | ReverseWithdrawal
    | Adjust
    | SettleColumn
    | OpenBucket
    | SetLimits
    | NoteOverride
    | RecordArchive
    | ForgetPlayer
)


class Batch(msgspec.Struct, frozen=True):
    """The payload of one RQ job: 1 to 100 commands of one process, answered to `origin`."""

    origin: str
    commands: list[AnyCommand]
    v: Literal[1] = 1


class Answered(msgspec.Struct):
    """An outcome as it came through Redis: its data stay JSON, since most of them are only passed on."""

    id: str
    data: msgspec.Raw
    code: str | None = None
    detail: str = ""
    bets: int = 1
    refused: int = 0

    def outcome(self) -> Outcome:
        """Decode the data."""
        return Outcome(self.id, msgspec.json.decode(self.data), self.code, self.detail)


class Outcome(msgspec.Struct, omit_defaults=True):
    """What became of a command: its data, or a refusal's code, sentence and arguments."""

    id: str
    data: dict[str, Any]
    code: str | None = None
    detail: str = ""
    bets: int = 1
    """How many bets it is about; of a gesture, one for each tap."""
    refused: int = 0
    """How many taps of a gesture were refused."""
