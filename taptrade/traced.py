"""The steps of a trace, what the database tells of them, and how long passed between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import assert_never

import msgspec

from runtime.audit.records import AUDIT
from runtime.clock import rfc3339
from runtime.explanation.facts import find_column
from runtime.explanation.sentence import sentence
from runtime.game.bets import Bet
from runtime.game.columns import Column
from runtime.game.ids import first_id_at, tail_of
from runtime.game.ledger import SQL, Entry
from runtime.game.money import dollars, factor
from runtime.game.player_entries import Execute
from runtime.records.events import events_of_commit
from runtime.records.queries import QUERIES
from runtime.records.views import BalanceEvent, BetEvent, ColumnEvent, CommittedEvent

FOUND_MAX = 20
LAST_MS = 2**48 - 1


class Step(msgspec.Struct, frozen=True, order=True):
    """One thing that happened: when, in which part of the house, and what."""

    at_ms: int
    part: str
    what: str


def steps_of_bet(execute: Execute, bet: Bet) -> list[Step]:
    """Return what the database tells of one bet; the writer's times are when its commits began."""
    column = find_column(execute, bet.column_start_s)
    entries = [Entry(*row) for row in execute(QUERIES["entries_of_bet"], (bet.id,))]
    until = f"to be committed until {rfc3339(bet.decided_by_ms)}"
    asked = f"{dollars(bet.amount)} on {bet.cell_id}, {factor(bet.min_rate_bp)} at least, {until}"
    found = [
        Step(bet.signed_at_s * 1000, "player", f"signed by {bet.signer}, in the second that the text names"),
        Step(bet.received_ms, "api", f"received bet {bet.id} of {bet.user_id}: {asked}"),
        Step(
            bet.placed_at, "writer", f"commit {bet.placed_commit}: {_judged(bet)}{_entered(entries, bet.placed_commit)}"
        ),
    ]
    if bet.tick_id is not None:
        found.append(Step(bet.tick_id, "feed", f"the tick that priced it: {dollars(bet.tick_close or 0)}"))
    if bet.refusal_code is None:
        found += _window(bet, column)
    if bet.resolved_at is not None:
        paid = _entered(entries, bet.resolved_commit)
        found.append(Step(bet.resolved_at, "writer", f"commit {bet.resolved_commit}: {sentence(bet, column)}{paid}"))
    return found


def _judged(bet: Bet) -> str:
    if bet.refusal_code is not None:
        return f"refused with {bet.refusal_code}: {bet.refusal_detail}"
    return f"confirmed at {factor(bet.reward_rate)}"


def _entered(entries: Sequence[Entry], commit: int | None) -> str:
    told = [f"; entry {one.id} {one.ref_type} {one.amount:+} cents" for one in entries if one.commit_number == commit]
    return "".join(told)


def _window(bet: Bet, column: Column | None) -> list[Step]:
    found = [Step(bet.column_start_s * 1000, "game", "its window begins")]
    if column is not None:
        extremes = column.reason or f"{dollars(column.low or 0)} to {dollars(column.high or 0)}"
        evidence = f"commit {column.begun_commit}: the settler's evidence of its column, {extremes}"
        found.append(Step(column.end_s * 1000, "game", "its window ends"))
        found.append(Step(column.begun_at, "settler", evidence))
    return found


def steps_of_withdrawal(execute: Execute, id_: str) -> list[Step]:
    """Return what the database tells of a withdrawal; nothing where it is none."""
    found = []
    for row in execute(SQL["withdrawal"], (id_,)):
        _, user_id, cents, to_address, status, requested_ms, reference, who, why, resolved_ms = row
        found.append(Step(requested_ms, "writer", f"withdrawal {id_}: {dollars(cents)} of {user_id} to {to_address}"))
        if resolved_ms is not None:
            found.append(Step(resolved_ms, "writer", f"{status} by {who}, reference {reference}: {why}"))
    return found


def steps_of_commit(execute: Execute, number: int) -> tuple[list[Step], list[str]]:
    """Return what the database tells of a commit, and the first bets that it placed or ended."""
    rows = execute(AUDIT["commit"], (number,))
    if not rows:
        return [], []
    committed_ms, records = rows[0][1], rows[0][3]
    events = events_of_commit(execute, number)
    kinds = Counter(_kind(one) for one in events)
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())) or "rows that tell no event"
    bets = [one.data.id for one in events if isinstance(one.data, BetEvent)]
    return [Step(committed_ms, "writer", f"commit {number}: {records} records; {told}")], bets[:FOUND_MAX]


def _kind(event: CommittedEvent) -> str:
    match event.data:
        case BetEvent(status=status):
            return status
        case BalanceEvent(ref_type=ref_type):
            return ref_type
        case ColumnEvent():
            return "evidence of a column"
        case _:
            assert_never(event.data)


def commits_of(bet: Bet, column: Column | None) -> list[tuple[int, int]]:
    """Return (number, time) of the commits that tell of a bet."""
    found = [(bet.placed_commit, bet.placed_at)]
    if column is not None and bet.refusal_code is None:
        found.append((column.begun_commit, column.begun_at))
    if bet.resolved_commit is not None and bet.resolved_at is not None:
        found.append((bet.resolved_commit, bet.resolved_at))
    return list(dict.fromkeys(found))


def ids_of_request(execute: Execute, request_id: str, from_ms: int, to_ms: int) -> tuple[list[str], list[str]]:
    """Return the bets and the withdrawals of a span whose ids end as those made for a request do."""
    span = first_id_at(max(0, from_ms)), first_id_at(min(to_ms, LAST_MS)), tail_of(request_id), FOUND_MAX
    bets, withdrawals = execute(QUERIES["bets_with_tail"], span), execute(QUERIES["withdrawals_with_tail"], span)
    return [id_ for (id_,) in bets], [id_ for (id_,) in withdrawals]


def passed(bet: Bet, column: Column | None, told: Mapping[int, int]) -> dict[str, int]:
    """Return how many milliseconds lie between the steps of a bet; `told` are the commits that the stream still has."""
    found = {"receipt to commit": bet.placed_at - bet.received_ms}
    if bet.placed_commit in told:
        found["commit to stream"] = told[bet.placed_commit] - bet.placed_at
    if column is not None and bet.refusal_code is None:
        found["window's end to evidence"] = column.begun_at - column.end_s * 1000
        if bet.resolved_at is not None:
            found["evidence to result"] = bet.resolved_at - column.begun_at
    if bet.resolved_commit is not None and bet.resolved_commit in told and bet.resolved_at is not None:
        found["result to stream"] = told[bet.resolved_commit] - bet.resolved_at
    return found
