"""Recount the money: entries against balances, bets against entries, payouts against rates and evidence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from runtime.archive.manifest import Manifest
from runtime.audit.bucket_count import BucketCount
from runtime.audit.chain_walk import house_totals
from runtime.audit.findings import Finding, Report
from runtime.audit.records import AUDIT, Walker
from runtime.game.buckets import Bucket, bucket_of
from runtime.game.cuts import Cut
from runtime.game.ledger import SQL
from runtime.game.money import payout_cents
from runtime.game.settlement import result


@dataclass(slots=True)
class _Tally:
    """What the entries of one user come to so far."""

    cents: int = 0
    entries: int = 0
    last_id: str | None = None
    last_ms: int | None = None


def check_money(database: Walker, report: Report, cut: Cut, archives: list[Manifest]) -> Iterator[Finding]:
    """Yield what does not add up; fill the counts of `report`."""
    after_commit = _sums_begin_after(database, cut)
    tallies = {user_id: _Tally(*known) for user_id, *known in database.iterate(AUDIT["opening_balances"])}
    by_kind: dict[str, int] = {}
    before = (0, -1)
    for entry_id, user_id, amount, balance_after, ref_type, ms, commit, position, number, previous in database.iterate(
        AUDIT["entries"]
    ):
        report.entries += 1
        if commit > after_commit:
            by_kind[ref_type] = by_kind.get(ref_type, 0) + amount
        tally = tallies.setdefault(user_id, _Tally())
        tally.cents += amount
        tally.entries += 1
        if tally.cents != balance_after:
            sentence = f"balance_after is {balance_after}, the running sum is {tally.cents}"
            yield Finding("transaction_ledger", entry_id, sentence)
        if (number, previous) != (tally.entries, tally.last_id):
            sentence = f"it is number {number} after {previous}, but comes as {tally.entries} after {tally.last_id}"
            yield Finding("transaction_ledger", entry_id, sentence)
        if (commit, position) <= before:
            yield Finding("transaction_ledger", entry_id, "ids do not rise with the commits")
        before = (commit, position)
        tally.last_id, tally.last_ms = entry_id, ms
    yield from _check_users(database, report, tallies)
    yield from _check_house(database, by_kind, after_commit)
    yield from _check_bets(database, report, cut, archives)
    yield from _check_references(database)


def _sums_begin_after(database: Walker, cut: Cut) -> int:
    """Return the last commit of which entries are gone: the house's side is counted from the next one on.

    While rows are being let go of, that is not yet the cut, and some entries of a commit may be gone and some not.
    """
    if not cut.cut_commit:
        return 0
    for commit, is_cut in database.iterate(AUDIT["oldest_entry"]):
        return min(int(commit if is_cut else commit - 1), cut.cut_commit)
    return cut.cut_commit


def _check_users(database: Walker, report: Report, tallies: dict[str, _Tally]) -> Iterator[Finding]:
    for user_id, balance, version, created_ms, updated_ms, last_id in database.iterate(AUDIT["users"]):
        report.users += 1
        report.balance_cents += balance
        tally = tallies.pop(user_id, _Tally())
        if balance != tally.cents:
            yield Finding("users", user_id, f"the balance is {balance}, which is not the sum of its entries")
        if balance < 0:
            yield Finding("users", user_id, f"the balance is {balance}, below zero")
        if version != tally.entries:
            yield Finding("users", user_id, f"version {version}, but {tally.entries} changes of its balance")
        if updated_ms != (created_ms if tally.last_ms is None else tally.last_ms):
            yield Finding("users", user_id, "updated_at is not the time of its last entry")
        if last_id != tally.last_id:
            yield Finding("users", user_id, f"last_entry_id is {last_id}, but its last entry is {tally.last_id}")
    for user_id in tallies:
        yield Finding("users", user_id, "there are entries of a user that is not there")


def _check_house(database: Walker, by_kind: dict[str, int], after_commit: int) -> Iterator[Finding]:
    house = house_totals(database, after_commit)
    for kind in sorted(by_kind.keys() | house.keys()):
        if by_kind.get(kind, 0) + house.get(kind, 0) != 0:
            sentence = f"{kind}: players {by_kind.get(kind, 0)}, house {house.get(kind, 0)}; they must sum to zero"
            yield Finding("commits", "house", sentence)


@dataclass(frozen=True, slots=True)
class _BetRow:
    """A bet beside its column's evidence and its entries, as BETS selects them."""

    seq: int
    id: str
    status: str
    amount: int
    rate_bp: int
    payout: int | None
    low: int
    high: int
    model_id: str | None
    model_version: str | None
    model_now_ms: int | None
    column_start_s: int
    column: int | None
    column_end_s: int | None
    column_is_settled: int
    covered: int | None
    seen_low: int | None
    seen_high: int | None
    stake_entry: int | None
    stake_entry_own: int | None
    payout_entry: int | None
    payout_entry_own: int | None
    refund_entry: int | None
    refund_entry_own: int | None

    @property
    def bucket(self) -> Bucket:
        """The bucket that the bet counts in."""
        width_s = (self.column_end_s or 0) - self.column_start_s
        filled_ms = self.model_now_ms or 0
        return bucket_of(self.model_id, self.model_version, self.rate_bp, self.column_start_s, filled_ms, width_s)


def _check_bets(database: Walker, report: Report, cut: Cut, archives: list[Manifest]) -> Iterator[Finding]:
    ((open_from_s,),) = database.iterate(SQL["open_from"])
    passed_over: list[int] = []
    buckets = BucketCount(database)
    for one in archives:
        buckets.carry(one.content.buckets)
    for row in database.iterate(AUDIT["bets"]):
        report.bets += 1
        bet = _BetRow(*row)
        for sentence in _wrong_with_bet(bet):
            yield Finding("bets", bet.id, sentence)
        if bet.status == "confirmed" and bet.column_start_s < open_from_s:
            passed_over.append(bet.column_start_s)
        # The archives count the bets up to the cut, also those that are still to be let go of.
        if bet.column_is_settled and bet.status in ("won", "lost") and bet.seq > cut.cut_seq:
            buckets.add(bet.bucket, bet.column_start_s, bet.amount, bet.payout or 0)
    if cut.week is None:
        yield from buckets.findings()
    if passed_over:
        yield _mark_too_late(open_from_s, passed_over)


def _mark_too_late(open_from_s: int, passed_over: list[int]) -> Finding:
    """Say that writer and settler begin to look too late: the mark is in no commit, so the chain does not cover it."""
    sentence = (
        f"it is {open_from_s}, but {len(passed_over)} confirmed bets are on columns before it, from {min(passed_over)}"
        " on, which a writer and a settler that start would pass over; stop both, delete this row, and start them"
    )
    return Finding("rules_in_force", "open_from_s", sentence)


def _wrong_with_bet(bet: _BetRow) -> Iterator[str]:
    taken = bet.status in ("confirmed", "won", "lost", "void")
    if bet.stake_entry != (-bet.amount if taken else None) or bet.stake_entry_own == 0:
        yield f"{bet.status}, stake {bet.amount}, but its BET entry is {bet.stake_entry}"
    due = payout_cents(bet.amount, bet.rate_bp) if bet.status == "won" else None
    if bet.payout_entry != due or bet.payout_entry_own == 0:
        yield f"{bet.status}, payout due {due}, but its PAYOUT entry is {bet.payout_entry}"
    if bet.payout != {"won": due, "lost": 0, "void": 0}.get(bet.status):
        yield f"{bet.status}, payout due {due}, but payout_amount is {bet.payout}"
    refund = bet.amount if bet.status == "void" else None
    if bet.refund_entry != refund or bet.refund_entry_own == 0:
        yield f"{bet.status}, refund due {refund}, but its REFUND entry is {bet.refund_entry}"
    if bet.status in ("won", "lost", "void"):
        yield from _wrong_with_result(bet)


def _wrong_with_result(bet: _BetRow) -> Iterator[str]:
    if bet.column is None:
        yield f"{bet.status}, but its column has no evidence"
        return
    should = result(bet.low, bet.high, bool(bet.covered), bet.seen_low, bet.seen_high)
    if should != bet.status:
        yield f"{bet.status}, but by its column's evidence it is {should}"


def _check_references(database: Walker) -> Iterator[Finding]:
    for entry_id, ref_type, ref_id in database.iterate(AUDIT["lost_references"]):
        yield Finding("transaction_ledger", entry_id, f"its {ref_type} {ref_id} is not there, or for another amount")
    for withdrawal_id, amount, status, taken, given, old, ended in database.iterate(AUDIT["withdrawals"]):
        if taken != -amount and not (old and taken is None):
            yield Finding("withdrawals", withdrawal_id, f"amount {amount}, but its WITHDRAWAL entry is {taken}")
        if given != (amount if status == "reversed" else None) and not (ended and given is None):
            yield Finding("withdrawals", withdrawal_id, f"{status}, but its WITHDRAWAL_REVERSAL entry is {given}")
    for (key,) in database.iterate(AUDIT["operations_without_entry"]):
        yield Finding("operations", key, "it has no ledger entry of its amount")
