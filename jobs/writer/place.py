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

# A list goes in as one parameter: the statement's text is the same for every batch, so that it is prepared once.
BY_ID = f"{SELECT_BET} WHERE id IN (SELECT value FROM json_each(?))"  # noqa: S608
BY_CELL = (
    f"{SELECT_BET} WHERE refusal_code IS NULL AND (column_start_s, cell_id, user_id)"  # noqa: S608
    " IN (SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?))"
)
NOWHERE = Cell(0, 0, 0)

CellOfUser = tuple[str, str]


def place_bets(commit: Commit, court: Court, bets: Sequence[PlaceBet]) -> list[Outcome]:
    """Judge and store bets in order; a refusal is an outcome like another and spoils no batch."""
    cells = [parse_cell(command.cell_id, court.rules) for command in bets]
    known = _known(commit, bets)
    live = _live(commit, bets, cells)
    outcomes = []
    for command, cell in zip(bets, cells, strict=True):
        bet = known.get(command.id)
        if bet is None:
            other = live.get((command.cell_id, command.user_id)) or commit.live_bet(command.cell_id, command.user_id)
            bet, outcome = _place(commit, court, command, cell, other)
            known[command.id] = bet
        else:
            outcome = stored_outcome(commit, bet)
        outcomes.append(outcome)
    return outcomes


def _known(commit: Commit, bets: Sequence[PlaceBet]) -> dict[str, Bet]:
    rows = commit.connection.execute(BY_ID, (json.dumps([command.id for command in bets]),))
    return {bet.id: bet for bet in map(from_row, rows)}


def _live(commit: Commit, bets: Sequence[PlaceBet], cells: Sequence[Cell | None]) -> dict[CellOfUser, Bet]:
    """Read which of the cells their players have a bet on already."""
    wanted = [
        (cell.start_s, command.cell_id, command.user_id)
        for command, cell in zip(bets, cells, strict=True)
        if cell is not None
    ]
    rows = commit.connection.execute(BY_CELL, (json.dumps(wanted),))
    return {(bet.cell_id, bet.user_id): bet for bet in map(from_row, rows)}


def _place(
    commit: Commit, court: Court, command: PlaceBet, cell: Cell | None, other: Bet | None
) -> tuple[Bet, Outcome]:
    if cell is None:
        verdict: Fill | Verdict = Verdict("CELL_UNKNOWN", "There is no such cell on the lattice.")
    elif other is not None:
        verdict = Verdict("DUPLICATE_BET", "You have a bet on this cell.", {"bet": bet_view(other)})
    else:
        verdict = court.judge(command, cell)
    bet = _row(command, cell or NOWHERE, court, verdict)
    entry = commit.place_bet(bet)
    if entry is not None:
        court.exposure.add(bet.column_start_s, bet.cell_id, payout_cents(bet.amount, bet.reward_rate))
        return bet, Outcome(command.id, {"bet": bet_view(bet), "balance": entry.balance_after})
    return bet, _refused(bet)


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
        features=court.features,
        model_id=court.model.id,
        model_version=court.model.version,
        model_now_ms=court.now_ms,
        placed_commit=0,
        placed_place=0,
        resolved_commit=None,
        resolved_place=None,
    )
