"""What the price did in a bet's window, and what follows from it: evidence against ticks, result against evidence."""

from __future__ import annotations

import msgspec

from runtime.explanation.views import Anew, Decided, Window
from runtime.game.bets import Bet
from runtime.game.columns import EVIDENCE_FIELDS, Column, Evidence
from runtime.game.money import dollars, payout_cents
from runtime.game.settlement import evidence, result
from runtime.records.views import column_view
from runtime.storage.ticks_store import Executor, oldest_id, window

# Why a window is not covered is told by what was known then; a tick that came later may change the sentence only.
COMPARED = tuple(name for name in EVIDENCE_FIELDS if name not in ("start_s", "end_s", "reason"))


def check_window(column: Column | None, ticks: Executor | None) -> Window:
    """Make the evidence anew of the recorded ticks and compare; `column` is the stored row."""
    if column is None:
        return Window(None, "The column is not settled.", None, None)
    shown = column_view(column)
    anew = None if ticks is None else evidence_from_ticks(column, ticks)
    if anew is None:
        why = "the recorded ticks were not looked at" if ticks is None else "its recorded ticks are not kept any more"
        return Window(None, f"{_seen(column)}; {why}.", shown, None)
    different = [name for name in COMPARED if getattr(anew, name) != getattr(column, name)]
    if different:
        finding = f"{_seen(column)}; the recorded ticks say otherwise: {', '.join(different)}."
        return Window(False, finding, shown, _shown_anew(anew))
    return Window(
        True,
        f"{_seen(column)}; the recorded ticks give the same, hash included.",
        shown,
        _shown_anew(anew),
    )


def _shown_anew(anew: Evidence) -> Anew:
    return msgspec.convert(anew, Anew, from_attributes=True)


def _seen(column: Column) -> str:
    if not column.covered:
        return f"The prices do not cover the window ({column.reason})"
    span = f"{dollars(column.low or 0)} and {dollars(column.high or 0)}"
    return f"The price was between {span} over {column.tick_count} ticks"


def evidence_from_ticks(column: Column, ticks: Executor) -> Evidence | None:
    """Make a column's evidence anew of the recorded ticks; None once they are not all kept any more."""
    start_ms, end_ms = column.start_s * 1000, column.end_s * 1000
    path = window(ticks, start_ms, end_ms)
    # Asked afterwards: what is kept then was kept while the window was read.
    oldest = oldest_id(ticks)
    if oldest is None or oldest > (column.first_tick_id or start_ms):
        return None
    return evidence(*path, start_ms, end_ms, column.begun_at)


def check_decided(bet: Bet, column: Column | None) -> Decided:
    """Decide the bet once more from its column's evidence, and compare result and payout."""
    status, payout = decide(bet, column)
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


def decide(bet: Bet, column: Evidence | None) -> tuple[str, int | None]:
    """Return what a bet's status and payout are by the evidence of its column."""
    if bet.refusal_code is not None or column is None:
        return ("confirmed" if bet.refusal_code is None else bet.status), None
    decided = result(bet.low_cents, bet.high_cents, column.covered, column.low, column.high)
    return decided, payout_cents(bet.amount, bet.reward_rate) if decided == "won" else 0
