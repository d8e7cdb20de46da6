"""A tap on its way in: every check that needs no state, then the ticket for the writer's queue."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from runtime.auth.bet_text import bet_text, is_nonce, is_timely
from runtime.auth.sessions import Session
from runtime.auth.signatures import recover_text
from runtime.errors import Conflict, InvalidRequest, InvalidSignature, SignatureExpired, Unprocessable
from runtime.game.grid import Cell, GridRules, is_placeable, parse_cell
from runtime.messaging import redis_keys
from runtime.messaging.commands import COMMAND_TTL_MS, PlaceBet
from runtime.messaging.queues import Ticket, new_id
from runtime.messaging.redis_values import PendingBet
from runtime.settings import Settings


class Tap(msgspec.Struct, frozen=True):
    """What a player sends, as received."""

    cell_id: str
    amount: int
    min_rate_bp: int
    nonce: str
    timestamp: int
    signature: str
    valid_until_ms: int | None


@dataclass(frozen=True, slots=True)
class Intake:
    """The settings that intake goes by, read once."""

    rules: GridRules
    presets_cents: frozenset[int]
    signed: bool
    chain_id: int
    fill_delay_ms: int
    bets_per_minute: int

    @classmethod
    def of(cls, settings: Settings, rules: GridRules) -> Intake:
        """Read what is needed from the settings."""
        return cls(
            rules=rules,
            presets_cents=frozenset(settings.presets_cents),
            signed=settings.bet_signatures == "on",
            chain_id=settings.chain_id,
            fill_delay_ms=settings.fill_delay_ms,
            bets_per_minute=settings.bets_per_minute,
        )

    def ticket(self, tap: Tap, session: Session, received_ms: int) -> Ticket:
        """Check a tap and write its ticket; raise the Refusal that says what is wrong.

        A Conflict is only raised once the signature is known to be the player's: whoever lost an answer and asks again
        too late may then be told what became of the bet.
        """
        cell = self._cell(tap)
        signer = self._signer(tap, session, received_ms)
        if not is_placeable(cell, received_ms, self.rules):
            raise Conflict("The cell's column does not take bets now.", code="CELL_CLOSED")
        decided_by_ms = min(received_ms + self.fill_delay_ms + COMMAND_TTL_MS, cell.start_s * 1000)
        if tap.valid_until_ms is not None:
            decided_by_ms = min(decided_by_ms, tap.valid_until_ms)
        if decided_by_ms <= received_ms:
            raise Conflict("The bet was valid until a time that has passed.", code="BET_EXPIRED")
        bet_id = new_id(received_ms)
        command = PlaceBet(
            id=bet_id,
            received_ms=received_ms,
            decided_by_ms=decided_by_ms,
            user_id=session.user_id,
            cell_id=tap.cell_id,
            amount=tap.amount,
            min_rate_bp=tap.min_rate_bp,
            nonce=tap.nonce,
            signed_at_s=tap.timestamp,
            signature=tap.signature,
            signer=signer,
            delegation_id=session.delegation_id if signer == session.session_key else None,
        )
        return Ticket(
            command,
            nonce_key=redis_keys.nonce(session.wallet, tap.nonce),
            signed_at_s=tap.timestamp,
            limit_key=redis_keys.rate_limit("bets", session.wallet, received_ms // 60_000),
            limit=self.bets_per_minute,
            pending_key=redis_keys.pending(bet_id),
            pending_value=PendingBet(session.user_id, decided_by_ms).encode(),
            pending_ttl_ms=decided_by_ms - received_ms + redis_keys.PENDING_AFTER_DEADLINE_MS,
        )

    def _cell(self, tap: Tap) -> Cell:
        cell = parse_cell(tap.cell_id, self.rules)
        if cell is None:
            raise Unprocessable("There is no such cell on the lattice.", code="CELL_UNKNOWN")
        if tap.amount not in self.presets_cents:
            raise Unprocessable(
                "The stake is none of the presets.", code="STAKE_NOT_ALLOWED", presets=sorted(self.presets_cents)
            )
        return cell

    def _signer(self, tap: Tap, session: Session, received_ms: int) -> str:
        if not is_nonce(tap.nonce):
            raise InvalidRequest("The nonce must be 8 to 64 letters and digits.", field="nonce")
        if not is_timely(tap.timestamp, received_ms):
            raise SignatureExpired("The timestamp lies more than 30 s from now.", server_time_ms=received_ms)
        if not self.signed and not tap.signature:
            return session.wallet
        text = bet_text(tap.cell_id, tap.amount, tap.min_rate_bp, tap.nonce, tap.timestamp, self.chain_id)
        signer = recover_text(text, tap.signature)
        if signer is None or signer not in (session.session_key, session.wallet):
            raise InvalidSignature
        return signer
