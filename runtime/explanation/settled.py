"""What the price did in a bet's window, and what follows from it: evidence against ticks, result against evidence."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from runtime.explain import dollars
from runtime.explanation.views import Decided, Window
from runtime.game.bets import Bet
from runtime.game.money import payout_cents
from runtime.game.settlement import evidence, result
from runtime.ticks_store import Executor, window
from runtime.views import column_view

# Why a window is not covered is told by what was known then; a tick that came later may change the sentence only.
COMPARED = ("open", "low", "high", "close", "tick_count", "ticks_sha256", "first_tick_id", "last_tick_id")


def check_window(column: dict[str, Any] | None, ticks: Executor | None) -> Window:
    """Make the evidence anew of the recorded ticks and compare; `column` is the stored row."""
    if column is None:
        return Window(None, "The column is not settled.", None, None)
    shown = column_view(column)
    anew = None if ticks is None else _from_ticks(column, ticks)
    if anew is None:
        why = "the recorded ticks were not looked at" if ticks is None else "its recorded ticks are not kept any more"
        return Window(None, f"{_seen(column)}; {why}.", shown, None)
    different = [name for name in COMPARED if anew[name] != column[name]]
    different += ["covered"] if bool(column["covered"]) != anew["covered"] else []
    if different:
        return Window(False, f"{_seen(column)}; the recorded ticks say otherwise: {', '.join(different)}.", shown, anew)
    return Window(True, f"{_seen(column)}; the recorded ticks give the same, hash included.", shown, anew)


def _seen(column: dict[str, Any]) -> str:
    if not column["covered"]:
        return f"The prices do not cover the window ({column['reason']})"
    span = f"{dollars(column['low'])} to {dollars(column['high'])}"
    return f"The price went from {span} over {column['tick_count']} ticks"


def _from_ticks(column: dict[str, Any], ticks: Executor) -> dict[str, Any] | None:
    start_ms, end_ms = column["start_s"] * 1000, column["end_s"] * 1000
    oldest = ticks.execute("SELECT min(id) FROM ticks")[0][0]
    if oldest is None or oldest > (column["first_tick_id"] or start_ms):
        return None
    found = evidence(*window(ticks, start_ms, end_ms), start_ms, end_ms, column["begun_at"])
    if found is None:
        return None
    return {name: value for name, value in asdict(found).items() if name in (*COMPARED, "covered", "reason")}


def check_decided(bet: Bet, column: dict[str, Any] | None) -> Decided:
    """Decide the bet once more from its column's evidence, and compare result and payout."""
    status, payout = _decide(bet, column)
    ok: bool | None
    if bet.refusal_code is not None:
        ok, finding = None, f"Refused with {bet.refusal_code}: {bet.refusal_detail}"
    elif bet.status == "confirmed":
        # Evidence comes first, its bets follow in slices: between the two an open bet has evidence and is not wrong.
        ok, finding = None, "Open: its column has no evidence." if column is None else f"Being settled, as {status}."
    elif (bet.status, bet.payout_amount) == (status, payout):
        ok, finding = True, f"{bet.status}, {dollars(payout or 0)}: evidence and rule give the same again."
    else:
        ok = False
        finding = (
            f"{bet.status}, {dollars(bet.payout_amount or 0)}, but evidence and rule give {status},"
            f" {dollars(payout or 0)}."
        )
    return Decided(ok, finding, bet.status, status, bet.payout_amount, payout)


def _decide(bet: Bet, column: dict[str, Any] | None) -> tuple[str, int | None]:
    if bet.refusal_code is not None or column is None:
        return ("confirmed" if bet.refusal_code is None else bet.status), None
    decided = result(bet.low_cents, bet.high_cents, bool(column["covered"]), column["low"], column["high"])
    return decided, payout_cents(bet.amount, bet.reward_rate) if decided == "won" else 0
