"""The money of a bet: the entries that its status asks for, each where the user's balance stood."""

from __future__ import annotations

from runtime.explanation.facts import Facts
from runtime.explanation.views import Money, Step
from runtime.game.bets import Bet
from runtime.game.money import dollars, payout_cents

WORDS = {"BET": "staked", "PAYOUT": "paid out", "REFUND": "refunded"}


def check_money(facts: Facts) -> Money:
    """Compare the bet's entries with what is due, and their balances with the entries around them."""
    bet, entries = facts.bet, facts.entries
    told = "; ".join(_told(step) for step in entries) or "No money moved"
    due = due_entries(bet)
    got = [(step.ref_type, step.amount) for step in entries]
    broken = [step.id for step in entries if not _continues(step, facts.oldest_commit)]
    if broken:
        return Money(False, f"{told}. The balances around {', '.join(broken)} do not continue.", entries)
    if got == due:
        return Money(True, f"{told}.", entries)
    if got == due[1:] and bet.placed_commit < facts.oldest_commit:
        return Money(None, f"{told}. The stake's entry is older than this ledger.", entries)
    wanted = ", ".join(f"{kind} {dollars(amount)}" for kind, amount in due) or "none"
    return Money(False, f"{told}. Entries that are due: {wanted}.", entries)


def due_entries(bet: Bet) -> list[tuple[str, int]]:
    """Return the kinds and amounts of the entries that a bet has by its status."""
    if bet.refusal_code is not None:
        return []
    due = [("BET", -bet.amount)]
    if bet.status == "won":
        due.append(("PAYOUT", payout_cents(bet.amount, bet.reward_rate)))
    elif bet.status == "void":
        due.append(("REFUND", bet.amount))
    return due


def _continues(step: Step, oldest_commit: int) -> bool:
    """Tell whether the balance runs on from the entry before to the entry after."""
    if step.next_balance_before is not None and step.next_balance_before != step.balance_after:
        return False
    if step.previous_balance_after is None:
        # Nothing before it: an account opens with nothing, unless older entries are not here.
        return step.balance_before == 0 or oldest_commit > 1
    return step.previous_balance_after == step.balance_before


def _told(step: Step) -> str:
    cents = dollars(abs(step.amount))
    return f"{cents} {WORDS[step.ref_type]} ({dollars(step.balance_before)} to {dollars(step.balance_after)})"
