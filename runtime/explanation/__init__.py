"""Explain a bet for ever: who signed it, where its rate came from, how it was decided, what was paid, and the chain.

Nothing is believed because it is stored: each part says what was stored, recomputes it, and compares.

May import: runtime.audit, runtime.auth, runtime.game, runtime.personal, runtime.records, runtime.storage.
"""

from __future__ import annotations

from runtime.explanation.chained import Reach
from runtime.explanation.facts import Facts, find_bet, gather
from runtime.explanation.money import check_money
from runtime.explanation.priced import Yardstick, check_priced
from runtime.explanation.settled import check_decided, check_window
from runtime.explanation.signed import check_signed
from runtime.explanation.views import Proof
from runtime.storage.ticks_store import Executor

__all__ = ["Facts", "Proof", "Reach", "Yardstick", "find_bet", "gather", "prove"]


def prove(facts: Facts, yardstick: Yardstick, ticks: Executor | None = None) -> Proof:
    """Recompute everything about a bet; `ticks` are the recorded ones, None to leave them out."""
    signed = check_signed(facts, yardstick.chain_ids)
    rate = check_priced(facts.bet, yardstick, ticks, facts.shut)
    window = check_window(facts.column, ticks)
    decision = check_decided(facts.bet, facts.column)
    money = check_money(facts)
    ok = False not in (signed.ok, rate.ok, window.ok, decision.ok, money.ok, facts.chain.ok)
    return Proof(ok, signed, rate, window, decision, money, facts.chain)
