"""Place the bets of one commit: stored outcomes first, then duplicates, then judgement, then the ledger."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import assert_never

from msgspec import to_builtins

from jobs.writer.erasures import forgotten
from jobs.writer.gestures import TapBet, begin
from jobs.writer.seals import Seals
from runtime.game.bets import Bet, Status, from_row
from runtime.game.grid import Cell, parse_cell
from runtime.game.judge import Fill, Judge, Refused, Verdict
from runtime.game.ledger import Commit
from runtime.game.money import payout_cents
from runtime.game.ticks import Features, Tick
from runtime.messaging.commands import Outcome, PlaceBet
from runtime.personal.seal import Seal, about
from runtime.records.views import bet_view

NOWHERE = Cell(0, 0, 0)
_compact = json.JSONEncoder(separators=(",", ":")).encode

CellOfUser = tuple[str, str]


def place_bets(commit: Commit, judge: Judge, seals: Seals, bets: Sequence[PlaceBet]) -> list[Outcome]:
    """Judge and store bets in order; a refusal is an outcome like another and spoils no batch."""
    cells = [parse_cell(command.cell_id, judge.rules) for command in bets]
    known = _known(commit, bets)
    live = _live(commit, bets, cells)
    features = _features_text(judge.tick)
    outcomes, begun = [], set[str]()
    for command, cell in zip(bets, cells, strict=True):
        bet = known.get(command.id)
        if bet is None:
            seal = seals.of(command.user_id)
            if seal is None:
                outcomes.append(forgotten(command))
                continue
            if isinstance(command, TapBet) and command.gesture.id not in begun:
                begun.add(command.gesture.id)
                begin(commit, seal, command.gesture)
            other = live.get((command.cell_id, command.user_id)) or commit.live_bet(command.cell_id, command.user_id)
            bet, outcome = _place(commit, judge, seal, command, cell, other, features)
            known[command.id] = bet
        else:
            outcome = stored_outcome(commit, bet)
        outcomes.append(outcome)
    return outcomes


def _known(commit: Commit, bets: Sequence[PlaceBet]) -> dict[str, Bet]:
    rows = commit.write("bets_by_id", json.dumps([command.id for command in bets]))
    return {bet.id: bet for bet in map(from_row, rows)}


def _live(commit: Commit, bets: Sequence[PlaceBet], cells: Sequence[Cell | None]) -> dict[CellOfUser, Bet]:
    """Read which of the cells their players have a bet on already."""
    wanted = [(cell, command.user_id) for command, cell in zip(bets, cells, strict=True) if cell is not None]
    rows = commit.bets_on_cells(wanted)
    return {(bet.cell_id, bet.user_id): bet for bet in map(from_row, rows)}


def _place(
    commit: Commit,
    judge: Judge,
    seal: Seal,
    command: PlaceBet,
    cell: Cell | None,
    other: Bet | None,
    features: str | None,
) -> tuple[Bet, Outcome]:
    if cell is None:
        verdict: Verdict = Refused("CELL_UNKNOWN", "There is no such cell on the lattice.")
    elif other is not None:
        verdict = Refused("DUPLICATE_BET", "You have a bet on this cell.", {"bet": to_builtins(bet_view(other))})
    else:
        verdict = judge.judge(
            cell,
            command.user_id,
            command.amount,
            command.min_rate_bp,
            command.decided_by_ms,
            (command.received_ms, command.wait_ends_ms()) if command.fill_delay_ms else None,
        )
    bet = _row(command, cell or NOWHERE, judge, verdict, features, seal)
    entry = commit.place_bet(bet)
    if entry is not None:
        judge.exposure.add(bet.column_start_s, bet.cell_id, payout_cents(bet.amount, bet.reward_rate))
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


def _row(command: PlaceBet, cell: Cell, judge: Judge, verdict: Verdict, features: str | None, seal: Seal) -> Bet:
    tick, now_ms = judge.tick, judge.now_ms
    match verdict:
        case Fill(rate_bp):
            status: Status = "confirmed"
            code = detail = arguments = None
        case Refused(code, detail):
            rate_bp, status = 0, "refused"
            arguments = json.dumps(verdict.arguments, sort_keys=True)
            if verdict.at is not None:
                tick, now_ms, features = verdict.at, verdict.at.id, _features_text(verdict.at)
        case _:
            assert_never(verdict)
    # By position: naming three dozen fields takes six times as long. What is 0 or None here, the ledger fills in.
    return Bet(
        0,
        command.id,
        command.user_id,
        command.cell_id,
        command.amount,
        rate_bp,
        status,
        0,
        None,
        None,
        code,
        detail,
        arguments,
        *cell,
        command.min_rate_bp,
        command.nonce,
        command.signed_at_s,
        seal.close(command.signature, about("bet", command.id)),
        seal.close_signer(command.signer, command.delegation_id, command.user_id),
        command.delegation_id,
        command.received_ms,
        command.decided_by_ms,
        *_price(tick),
        features,
        judge.model.id,
        judge.model.version,
        now_ms,
        0,
        0,
        None,
        None,
        command.fill_delay_ms or None,
    )


def _price(tick: Tick | None) -> tuple[int | None, int | None, float | None]:
    """Return the tick that a bet was judged by, its price and its volatility."""
    return (None, None, None) if tick is None else (tick.id, tick.close, tick.features.volatility)


def _features_text(tick: Tick | None) -> str | None:
    return None if tick is None else _inputs_text(tick.features)


@lru_cache(maxsize=8)
def _inputs_text(features: Features) -> str:
    """Return the model's inputs but for the volatility, as they are stored with each bet. Many commits share a tick."""
    found = {"sample_ms": features.sample_ms, "history_ms": features.history_ms}
    return _compact(found | {"signals": features.signals} if features.signals else found)
