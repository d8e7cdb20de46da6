"""Place the bets of one commit: stored outcomes first, then duplicates, then judgement, then the ledger."""

from __future__ import annotations

import json
from collections.abc import Sequence

from jobs.writer.judge import Court, Fill, Verdict
from runtime.commands import Outcome, PlaceBet
from runtime.game.bets import Bet, from_row
from runtime.game.grid import Cell, parse_cell
from runtime.game.ledger import SELECT_BET, Commit
from runtime.game.money import payout_cents
from runtime.views import bet_view

BY_CELL = f"{SELECT_BET} WHERE column_start_s = ? AND cell_id = ? AND user_id = ? AND refusal_code IS NULL"
NOWHERE = Cell(0, 0, 0)


def place_bets(commit: Commit, court: Court, bets: Sequence[PlaceBet]) -> list[Outcome]:
    """Judge and store bets in order; a refusal is an outcome like another and spoils no batch."""
    known = _known(commit, bets)
    outcomes = []
    for command in bets:
        bet = known.get(command.id)
        if bet is None:
            bet, outcome = _place(commit, court, command)
            known[command.id] = bet
        else:
            outcome = stored_outcome(commit, bet)
        outcomes.append(outcome)
    return outcomes


def _known(commit: Commit, bets: Sequence[PlaceBet]) -> dict[str, Bet]:
    marks = ", ".join("?" * len(bets))
    rows = commit.connection.execute(f"{SELECT_BET} WHERE id IN ({marks})", [bet.id for bet in bets])
    return {row[1]: from_row(row) for row in rows}


def _place(commit: Commit, court: Court, command: PlaceBet) -> tuple[Bet, Outcome]:
    cell = parse_cell(command.cell_id, court.rules)
    if cell is None:
        verdict: Fill | Verdict = Verdict("CELL_UNKNOWN", "There is no such cell on the lattice.")
    elif (other := _live_bet(commit, cell, command)) is not None:
        verdict = Verdict("DUPLICATE_BET", "You have a bet on this cell.", {"bet": bet_view(other)})
    else:
        verdict = court.judge(command, cell)
    bet = _row(command, cell or NOWHERE, court, verdict)
    entry = commit.place_bet(bet)
    if entry is not None:
        court.exposure.add(bet.column_start_s, bet.cell_id, payout_cents(bet.amount, bet.reward_rate))
        return bet, Outcome(command.id, {"bet": bet_view(bet), "balance": entry.balance_after})
    return bet, _refused(bet)


def _live_bet(commit: Commit, cell: Cell, command: PlaceBet) -> Bet | None:
    waiting = commit.live_bet(command.cell_id, command.user_id)
    if waiting is not None:
        return waiting
    rows = commit.connection.execute(BY_CELL, (cell.start_s, command.cell_id, command.user_id))
    return from_row(rows[0]) if rows else None


def stored_outcome(commit: Commit, bet: Bet) -> Outcome:
    """Answer for a bet that is stored already; its balance is what the account holds now."""
    if bet.refusal_code is not None:
        return _refused(bet)
    rows = commit.write("user", bet.user_id)
    return Outcome(bet.id, {"bet": bet_view(bet), "balance": rows[0][2]})


def _refused(bet: Bet) -> Outcome:
    """Answer for a refused bet; what is stored says it all, so a repeat reads like the first answer."""
    arguments = json.loads(bet.refusal_arguments) if bet.refusal_arguments else {}
    return Outcome(bet.id, {"refused": bet_view(bet), **arguments}, bet.refusal_code, bet.refusal_detail or "")


def _arguments(verdict: Verdict) -> str:
    return json.dumps(verdict.arguments, sort_keys=True)


def _row(command: PlaceBet, cell: Cell, court: Court, verdict: Fill | Verdict) -> Bet:
    fill = verdict if isinstance(verdict, Fill) else None
    tick = fill.tick if fill else court.tick
    return Bet(
        seq=0,
        id=command.id,
        user_id=command.user_id,
        cell_id=command.cell_id,
        amount=command.amount,
        reward_rate=fill.rate_bp if fill else 0,
        status="confirmed" if fill else "refused",
        placed_at=0,
        resolved_at=None,
        payout_amount=None,
        refusal_code=None if fill else verdict.code,  # type: ignore[union-attr]
        refusal_detail=None if fill else verdict.detail,  # type: ignore[union-attr]
        refusal_arguments=None if fill else _arguments(verdict),  # type: ignore[arg-type]
        column_start_s=cell.start_s,
        low_cents=cell.low_cents,
        high_cents=cell.high_cents,
        min_rate_bp=command.min_rate_bp,
        nonce=command.nonce,
        signed_at_s=command.signed_at_s,
        signature=command.signature,
        signer=command.signer,
        delegation_id=command.delegation_id,
        received_ms=command.received_ms,
        decided_by_ms=command.decided_by_ms,
        tick_id=tick.id if tick else None,
        tick_close=tick.close if tick else None,
        volatility=tick.features.volatility if tick else None,
        features=_features(court),
        model_id=court.model.id,
        model_version=court.model.version,
        model_now_ms=court.now_ms,
        placed_commit=0,
        placed_place=0,
        resolved_commit=None,
        resolved_place=None,
    )


def _features(court: Court) -> str | None:
    if court.tick is None:
        return None
    features = court.tick.features
    return json.dumps({"sample_ms": features.sample_ms, "history_ms": features.history_ms})
