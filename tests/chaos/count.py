"""The count after the faults: what players were answered against what the database holds, bet by bet, cent by cent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields

from tests.chaos.attempts import UNKNOWN, Attempt
from tests.chaos.players import Player
from tests.chaos.record import BetRow, Record

SHOWN_MAX = 50


@dataclass(slots=True)
class Tally:
    """Counts of one fault, or of all."""

    kills: int = 0
    """SIGKILLs at random moments."""
    aimed_kills: int = 0
    """SIGKILLs at a chosen moment."""
    acknowledged: int = 0
    """Bets answered 201."""
    by_browsers: int = 0
    """Of these, the ones that a P-256 key of a browser signed."""
    pending: int = 0
    """Bets answered 202."""
    unanswered: int = 0
    """Bets of which at least one answer never came."""
    refused: int = 0
    """Bets that took no money."""
    lost: int = 0
    """Answers that the database does not bear out."""
    duplicated: int = 0
    """Bets, payouts, refunds, deposits and withdrawals beyond the one that was asked for or due."""
    drift_cents: int = 0
    """Cents that are not where they belong."""
    pending_for_ever: int = 0
    """Bets and movements of money whose end nobody can learn, or that never end."""
    events_missing: int = 0
    events_repeated: int = 0
    events_disordered: int = 0

    @property
    def adds_up(self) -> bool:
        """Tell whether nothing is lost, invented, adrift, open or wrongly told."""
        wrong = (self.lost, self.duplicated, self.drift_cents, self.pending_for_ever)
        return not any(wrong) and not any((self.events_missing, self.events_repeated, self.events_disordered))

    def add(self, other: Tally) -> None:
        """Add the counts of another."""
        for item in fields(self):
            setattr(self, item.name, getattr(self, item.name) + getattr(other, item.name))


@dataclass(slots=True)
class Counting:
    """Tallies by fault, and a sentence for each thing that is wrong."""

    by_fault: dict[str, Tally] = field(default_factory=dict)
    sentences: list[str] = field(default_factory=list)
    resets: int = 0
    """Streams that could not be resumed and said so."""
    waits_ms: dict[str, list[int]] = field(default_factory=dict)
    """How long the answers 201 took, by fault."""

    def p99_ms(self, fault: str) -> int | None:
        """Return what 99 of 100 answers 201 of a fault took at most, None without any."""
        waits_ms = sorted(self.waits_ms.get(fault, []))
        return waits_ms[-(len(waits_ms) // 100) - 1] if waits_ms else None

    def of(self, fault: str) -> Tally:
        """Return the tally of a fault."""
        return self.by_fault.setdefault(fault, Tally())

    def say(self, fault: str, sentence: str) -> None:
        """Note what is wrong."""
        self.sentences.append(f"{fault}: {sentence}")

    @property
    def total(self) -> Tally:
        """Sum all faults up."""
        total = Tally()
        for tally in self.by_fault.values():
            total.add(tally)
        return total

    @property
    def adds_up(self) -> bool:
        """Tell whether everything is as it should be."""
        return self.total.adds_up and not self.sentences

    def merge(self, other: Counting) -> None:
        """Take in another run's count."""
        for fault, tally in other.by_fault.items():
            self.of(fault).add(tally)
        for fault, waits_ms in other.waits_ms.items():
            self.waits_ms.setdefault(fault, []).extend(waits_ms)
        self.sentences += other.sentences
        self.resets += other.resets


def count(players: Sequence[Player], record: Record, *, credit_cents: int, accounts: str) -> Counting:
    """Count everything; what belongs to a player and to no single bet goes to the row `accounts`."""
    counting = Counting()
    for player in players:
        for attempt in player.attempts:
            _count_attempt(counting, player, attempt, record)
        _count_account(counting, player, record, credit_cents, accounts)
        _count_events(counting, player, record, accounts)
        for fault, waits_ms in player.waits_ms.items():
            counting.waits_ms.setdefault(fault, []).extend(waits_ms)
    signed = {(player.user_id, attempt.signed.nonce) for player in players for attempt in player.attempts}
    for bet in record.bets.values():
        if (bet.user_id, bet.nonce) not in signed:
            counting.of(accounts).duplicated += 1
            counting.say(accounts, f"bet {bet.id} was never asked for")
    return counting


def _count_attempt(counting: Counting, player: Player, attempt: Attempt, record: Record) -> None:
    fault = attempt.fault or "before"
    tally = counting.of(fault)
    rows = record.by_nonce.get((player.user_id, attempt.signed.nonce), [])
    live = [row for row in rows if row.is_live]
    tally.acknowledged += bool(attempt.confirmed)
    tally.by_browsers += bool(attempt.confirmed) and attempt.is_by_browser
    tally.pending += any(answer.status == 202 for answer in attempt.answers)
    tally.unanswered += any(answer.status == UNKNOWN for answer in attempt.answers)
    tally.refused += attempt.fate == "not placed"
    if len(live) > 1:
        tally.duplicated += len(live) - 1
        counting.say(fault, f"{len(live)} bets were placed for the nonce {attempt.signed.nonce}")
    for sentence in _broken_promises(attempt, live, record):
        tally.lost += 1
        counting.say(fault, sentence)
    if not attempt.fate:
        tally.pending_for_ever += 1
        counting.say(fault, f"the fate of the bet on {attempt.signed.cell_id} is unknown; {attempt.answers}")
    for row in rows:
        _count_entries(counting, fault, row, record)


def _broken_promises(attempt: Attempt, live: list[BetRow], record: Record) -> list[str]:
    """Return what was answered and is not so."""
    found = []
    signed = attempt.signed
    for bet in attempt.confirmed:
        row = record.bets.get(bet.id)
        if row is None or not row.is_live:
            found.append(f"bet {bet.id} was confirmed and is {row.status if row else 'not there'}")
        elif (row.cell_id, row.amount, row.nonce) != (signed.cell_id, signed.amount, signed.nonce):
            found.append(f"bet {bet.id} is not what was signed")
        elif (row.amount, row.reward_rate) != (bet.amount, bet.reward_rate) or row.reward_rate < signed.min_rate_bp:
            found.append(f"bet {bet.id} was confirmed at {bet.reward_rate}, floor {signed.min_rate_bp}: now {row}")
    found += [
        f"bet {bet_id} was said to be never placed and has taken the money"
        for bet_id in attempt.never_placed
        if bet_id in record.bets and record.bets[bet_id].is_live
    ]
    if not found and attempt.fate == "placed" and not live:
        found.append(f"the player believes in a bet on {signed.cell_id} that is not there ({attempt.code})")
    if not found and attempt.fate == "not placed" and live:
        found.append(f"bet {live[0].id} has taken the money, and the player was told {attempt.code}")
    return found


def _count_entries(counting: Counting, fault: str, row: BetRow, record: Record) -> None:
    tally, got, due = counting.of(fault), record.of_bet.get(row.id, {}), row.due_entries()
    for kind in got.keys() | due.keys():
        amounts, owed = got.get(kind, []), due.get(kind, [])
        tally.drift_cents += abs(sum(amounts) - sum(owed))
        tally.duplicated += max(0, len(amounts) - len(owed))
        if amounts != owed:
            counting.say(fault, f"bet {row.id} ({row.status}): {kind} entries {amounts}, due {owed}")
    if row.status == "confirmed":
        tally.pending_for_ever += 1
        counting.say(fault, f"bet {row.id} on {row.cell_id} was never settled")


def _count_account(counting: Counting, player: Player, record: Record, credit_cents: int, row: str) -> None:
    tally = counting.of(row)
    expected = credit_cents if player.user_id else 0
    for kind, sign in (("DEPOSIT", 1), ("WITHDRAWAL", -1)):
        asked = [movement for movement in player.movements if movement.kind == kind]
        done = [movement for movement in asked if movement.done]
        expected += sign * sum(movement.amount_cents for movement in done)
        stored = len(record.of_user.get((player.user_id, kind), ())) - (kind == "DEPOSIT" and bool(player.user_id))
        if len(asked) != len(done):
            tally.pending_for_ever += len(asked) - len(done)
            counting.say(row, f"{len(asked) - len(done)} {kind} of {player.user_id} were never done")
        if stored != len(done):
            tally.duplicated += max(0, stored - len(done))
            tally.lost += max(0, len(done) - stored)
            counting.say(row, f"{player.user_id} asked for {len(done)} {kind}, the ledger has {stored}")
    _count_owner(counting, player, record, row)
    for bet in player.bets.values():
        back = {"won": bet.payout_amount or 0, "void": bet.amount}.get(bet.status, 0)
        expected += back - bet.amount
    stored_cents = record.balances.get(player.user_id, 0)
    if not player.balance_cents == expected == stored_cents:
        told = player.balance_cents if player.balance_cents is not None else expected
        tally.drift_cents += max(abs(stored_cents - expected), abs(told - expected))
        counting.say(row, f"{player.user_id} has {stored_cents}, is told {told}, reckons {expected}")


def _count_owner(counting: Counting, player: Player, record: Record, row: str) -> None:
    """Count who is told to own an account, and does not, or never learns it."""
    if player.owner.wants_wallet:
        counting.of(row).pending_for_ever += 1
        counting.say(row, f"the guest {player.user_id} never got its wallet")
    stored = record.addresses.get(player.user_id, "")
    if player.user_id and stored != player.owner.address:
        counting.of(row).lost += 1
        counting.say(row, f"{player.user_id} belongs to {stored}, and should to {player.owner.address}")


def _count_events(counting: Counting, player: Player, record: Record, row: str) -> None:
    tally, hearing = counting.of(row), player.ear.hearing
    counting.resets += hearing.resets
    missing = hearing.missing(record.spots.get(player.user_id, []))
    tally.events_missing += len(missing)
    tally.events_repeated += hearing.repeated
    tally.events_disordered += hearing.disordered
    if missing or hearing.repeated or hearing.disordered or hearing.refused:
        counting.say(
            row,
            f"the stream of {player.user_id}: {len(missing)} missing {missing[:3]}, {hearing.repeated} repeated,"
            f" {hearing.disordered} out of order; {hearing.refused}",
        )
    for bet_id, status in dict(hearing.statuses).items():
        stored = record.bets.get(bet_id)
        result = (stored.resolved_commit or 0, stored.resolved_place or 0) if stored else (0, 0)
        if stored is None or (status != stored.status and not hearing.is_excused(result)):
            counting.say(row, f"the stream told {status} of bet {bet_id}, which is {stored}")
            tally.events_missing += 1
