"""A tap on its way in: every check that needs no state, then the ticket for the writer's queue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import msgspec

from runtime.auth.bet_signatures import mismatch, read_signature, signature_text
from runtime.auth.bet_text import bet_text
from runtime.auth.chains import find_chain
from runtime.auth.nonces import NONCE_RULE, is_nonce
from runtime.auth.sessions import Session
from runtime.auth.windows import check_time
from runtime.errors import Conflict, InvalidRequest, Unprocessable
from runtime.game.grid import Cell, GridRules, is_placeable, parse_cell
from runtime.game.limits import no_such_stake
from runtime.messaging import redis_keys
from runtime.messaging.commands import COMMAND_TTL_MS, AnyBet, PlaceBet
from runtime.messaging.queues import Ticket, new_id
from runtime.messaging.redis_values import PendingBet
from runtime.rate_limits import MINUTE_S
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
    chain_ids: tuple[int, ...]
    fill_delay_ms: int
    bets_per_minute: int

    @classmethod
    def of(cls, settings: Settings, rules: GridRules) -> Intake:
        """Read what is needed from the settings."""
        return cls(
            rules=rules,
            presets_cents=frozenset(settings.presets_cents),
            signed=settings.bet_signatures == "on",
            chain_ids=settings.chain_ids,
            fill_delay_ms=settings.fill_delay_ms,
            bets_per_minute=settings.bets_per_minute,
        )

    def ticket(self, tap: Tap, session: Session, received_ms: int) -> Ticket:
        """Check a tap and write its ticket; raise the Refusal that says what is wrong.

        A Conflict is only raised once the signature is known to be the player's: whoever lost an answer and asks again
        too late may then be told what became of the bet.
        """
        cell = self.cell(tap.cell_id, tap.amount)
        text_on = partial(bet_text, tap.cell_id, tap.amount, tap.min_rate_bp, tap.nonce, tap.timestamp)
        signer, signature = self.signed_by(text_on, tap.nonce, tap.timestamp, tap.signature, session, received_ms)
        decided_by_ms = self.decided_by_ms(cell, tap.valid_until_ms, received_ms)
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
            signature=signature,
            signer=signer,
            delegation_id=session.delegation_id if signer == session.session_key else None,
            fill_delay_ms=self.fill_delay_ms,
        )
        return self.ticket_of(command, session)

    def ticket_of(self, command: AnyBet, session: Session, bets: int = 1) -> Ticket:
        """Write the ticket of a checked command, which counts as so many bets."""
        return Ticket(
            command,
            nonce_key=redis_keys.nonce(session.nonce_address, command.nonce),
            signed_at_s=command.signed_at_s,
            limit_key=redis_keys.bets_of(session.wallet, command.received_ms // (MINUTE_S * 1000)),
            limit=self.bets_per_minute,
            pending_key=redis_keys.pending(command.id),
            pending_value=PendingBet(session.user_id, command.decided_by_ms).encode(),
            pending_ttl_ms=command.decided_by_ms - command.received_ms + redis_keys.PENDING_AFTER_DEADLINE_MS,
            bets=bets,
        )

    def cell(self, cell_id: str, amount: int) -> Cell:
        """Return a tap's cell; raise Unprocessable if there is none such, or no such stake."""
        cell = parse_cell(cell_id, self.rules)
        if cell is None:
            raise Unprocessable("There is no such cell on the lattice.", code="CELL_UNKNOWN")
        if amount not in self.presets_cents:
            presets = sorted(self.presets_cents)
            raise Unprocessable(no_such_stake(presets), code="STAKE_NOT_ALLOWED", presets=presets)
        return cell

    def decided_by_ms(self, cell: Cell, valid_until_ms: int | None, received_ms: int) -> int:
        """Return until when a bet may be committed; raise Conflict if it is too late already."""
        if not is_placeable(cell, received_ms, self.rules):
            raise Conflict("The cell's column does not take bets now.", code="CELL_CLOSED", server_time_ms=received_ms)
        decided_by_ms = min(received_ms + self.fill_delay_ms + COMMAND_TTL_MS, cell.start_s * 1000)
        if valid_until_ms is not None:
            decided_by_ms = min(decided_by_ms, valid_until_ms)
        if decided_by_ms <= received_ms:
            raise Conflict(
                "The bet was valid until a time that has passed.", code="BET_EXPIRED", server_time_ms=received_ms
            )
        return decided_by_ms

    def signed_by(
        self,
        text_on: Callable[[int], str],
        nonce: str,
        timestamp: int,
        signature: str,
        session: Session,
        received_ms: int,
    ) -> tuple[str, str]:
        """Return who signed a text, and the signature in its one form; raise what is wrong with nonce, time or it."""
        if not is_nonce(nonce):
            raise InvalidRequest(f"The nonce is refused: {NONCE_RULE}.", field="nonce")
        check_time("The timestamp", timestamp * 1000, received_ms)
        if not self.signed and not signature:
            return session.wallet, ""
        raw = read_signature(signature, session.session_key)
        found = find_chain(text_on, self.chain_ids, raw, (session.session_key, session.wallet))
        if found is None:
            raise mismatch(raw, session.session_key)
        return found[1], signature_text(raw)
