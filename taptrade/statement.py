"""Does a statement add up? A player's own recount, from nothing but what the API told the player."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from taptrade.views import BetView, EntryView

BP = 10_000
_OF_BETS = frozenset({"BET", "PAYOUT", "REFUND"})


@dataclass(frozen=True, slots=True)
class Totals:
    """A statement in one line; cents."""

    opening: int
    stakes: int
    payouts: int
    refunds: int
    balance: int
    entries: int


def totals(entries: Sequence[EntryView]) -> Totals:
    """Sum a statement up; what has nothing to do with bets is the opening."""
    sums: dict[str, int] = defaultdict(int)
    for entry in entries:
        sums[entry.ref_type if entry.ref_type in _OF_BETS else "opening"] += entry.amount
    return Totals(sums["opening"], sums["BET"], sums["PAYOUT"], sums["REFUND"], sum(sums.values()), len(entries))


def faults(
    entries: Sequence[EntryView],
    bets: Iterable[BetView],
    *,
    opening_cents: int,
    balance_cents: int,
    told: Mapping[str, int],
) -> list[str]:
    """Say everything that does not add up, to the cent; an empty list is a good statement.

    `entries` are oldest first; `told` are the balances that the stream told, by ledger id.
    """
    found = _running_faults(entries, opening_cents, balance_cents)
    by_bet: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for entry in entries:
        if entry.ref_type in _OF_BETS:
            by_bet[entry.ref_id][entry.ref_type].append(entry.amount)
    for bet in bets:
        got = dict(by_bet.pop(bet.id, {}))
        due = due_entries(bet)
        if got != due:
            found.append(f"bet {bet.id} ({bet.status}): the ledger has {got or 'nothing'}, due is {due or 'nothing'}")
        if bet.status == "won" and [bet.payout_amount] != due["PAYOUT"]:
            found.append(f"bet {bet.id}: payout_amount {bet.payout_amount} is not stake x rate, {due['PAYOUT'][0]}")
    found += [f"the ledger knows a bet {bet_id} that was never placed" for bet_id in by_bet]
    after = {entry.id: entry.balance_after for entry in entries}
    found += [
        f"the stream told balance {balance} with ledger id {entry_id}, the ledger has {after.get(entry_id)}"
        for entry_id, balance in told.items()
        if after.get(entry_id) != balance
    ]
    return found


def due_entries(bet: BetView) -> dict[str, list[int]]:
    """Tell which ledger entries a bet must have by its status: kind -> amounts."""
    if bet.status not in {"confirmed", "won", "lost", "void"}:
        return {}
    due = {"BET": [-bet.amount]}
    if bet.status == "won":
        # Rounds down, as the house does: a payout never exceeds stake x rate.
        due["PAYOUT"] = [bet.amount * (bet.reward_rate or 0) // BP]
    elif bet.status == "void":
        due["REFUND"] = [bet.amount]
    return due


def _running_faults(entries: Sequence[EntryView], opening_cents: int, balance_cents: int) -> list[str]:
    found = []
    running = 0
    for entry in entries:
        running += entry.amount
        if entry.balance_after != running:
            found.append(f"entry {entry.id}: balance_after {entry.balance_after} is not the running sum {running}")
    if not entries or entries[0].balance_after != opening_cents:
        first = entries[0].balance_after if entries else "no entry"
        found.append(f"the statement opens with {first}, the login said {opening_cents}")
    if running != balance_cents:
        found.append(f"the statement's sum {running} is not the balance {balance_cents}")
    return found
