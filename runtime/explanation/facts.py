"""What the database knows of one bet: each question an indexed read."""

from __future__ import annotations

import json
from dataclasses import dataclass

from runtime.clock import rfc3339
from runtime.explanation.chained import Reach, check_chained
from runtime.explanation.views import Adoption, Chained, Delegation, Step
from runtime.game import columns
from runtime.game.bets import Bet, from_row
from runtime.game.buckets import Bucket, named
from runtime.game.columns import Column
from runtime.game.gestures import Gesture, gesture_of
from runtime.game.ledger import SQL, Entry
from runtime.game.player_entries import Execute, entries_oldest_first
from runtime.personal.seal import about, key_of, opened, opened_bet
from runtime.records.queries import QUERIES


@dataclass(frozen=True, slots=True)
class Guest:
    """The key that a guest's account was opened by, and the address that stood for it."""

    key: str
    address: str


@dataclass(frozen=True, slots=True)
class Facts:
    """A bet and what stands around it."""

    bet: Bet
    wallet: str
    guest: Guest | None
    delegation: Delegation | None
    adoption: Adoption | None
    column: Column | None
    entries: list[Step]
    oldest_commit: int
    """The first commit whose entries are here; 1 as long as nothing shortens the ledger."""
    chain: Chained
    gesture: Gesture | None = None
    """What the bet shares with others that were signed with it; its id says which tap of it this is."""
    shut: tuple[Bucket, bool] | None = None
    """The bucket that the bet was refused for, and whether it was closed when the bet was judged."""


def find_bet(execute: Execute, bet_id: str) -> Bet | None:
    """Return a bet, whoever's it is."""
    rows = execute(SQL["bet"], (bet_id,))
    return from_row(rows[0]) if rows else None


def gather(
    execute: Execute, bet: Bet, reach: Reach = "row", live: Execute | None = None, key: bytes | None = None
) -> Facts:
    """Read what stands around a bet, all of it from one state of the database; `reach` bounds the chain's part.

    Beside the file of a week, `live` is the live database, which keeps the commits of before and the player's `key`.
    """
    if key is None:
        key = key_of(live or execute, bet.user_id)
    wallet, guest, adoption = _owner(execute, bet.user_id, key)
    oldest = execute(QUERIES["oldest_commit"], ())
    oldest_commit = oldest[0][0] if oldest else 0
    return Facts(
        bet=opened_bet(bet, key),
        wallet=wallet,
        guest=guest,
        adoption=adoption,
        delegation=_delegation(execute, bet, key),
        column=find_column(execute, bet.column_start_s),
        entries=[_step(execute, Entry(*row)) for row in sorted(execute(QUERIES["entries_of_bet"], (bet.id,)))],
        oldest_commit=oldest_commit,
        chain=check_chained(execute, bet, oldest_commit, reach, live),
        gesture=find_gesture(execute, bet, key),
        shut=_shut(execute, bet),
    )


def find_gesture(execute: Execute, bet: Bet, key: bytes | None) -> Gesture | None:
    """Return the gesture that a bet was signed in, opened by the player's key; None where it was signed alone."""
    gesture_id, tap = gesture_of(bet.id)
    rows = execute(SQL["gesture"], (gesture_id,)) if tap and not bet.nonce else []
    if not rows:
        return None
    found = Gesture(*rows[0])
    return found._replace(signature=opened(found.signature, key, about("gesture", gesture_id)) or "")


def _shut(execute: Execute, bet: Bet) -> tuple[Bucket, bool] | None:
    """Return the bucket that a bet was refused for, and how that stood before the bet's row was written."""
    name = json.loads(bet.refusal_arguments or "{}").get("bucket", "")
    bucket = named(name, bet.model_id or "", bet.model_version or "") if name else None
    if bucket is None:
        return None
    return bucket, execute(SQL["standing_before"], (*bucket, bet.placed_commit, bet.placed_place)) == [("closed",)]


def _owner(execute: Execute, user_id: str, key: bytes | None) -> tuple[str, Guest | None, Adoption | None]:
    rows = execute(QUERIES["names_of_account"], (user_id,))
    if not rows:
        return "", None, None
    kinds = ("address", "guest_key", "address", "adoption", "adopted")
    wallet, guest_key, guest_address, message, signature = (
        opened(text, key, about(kind, user_id)) for kind, text in zip(kinds, rows[0], strict=True)
    )
    guest = None if guest_key is None else Guest(guest_key, guest_address or wallet or "")
    return wallet or "", guest, None if guest_address is None else Adoption(message or "", signature or "")


def find_column(execute: Execute, start_s: int) -> Column | None:
    """Return the evidence of a column, once it has begun to settle."""
    rows = execute(QUERIES["column"], (start_s,))
    return columns.from_row(rows[0]) if rows else None


def _delegation(execute: Execute, bet: Bet, key: bytes | None) -> Delegation | None:
    rows = execute(QUERIES["delegation"], (bet.delegation_id,)) if bet.delegation_id is not None else []
    # A login of somebody else's delegates nothing here: the bet then stands without one, and its signature fails.
    if not rows or rows[0][6] != bet.user_id:
        return None
    row_id, *sealed, created_ms, commit, _ = rows[0]
    kinds = ("session_key", "login", "signed")
    session_key, message, signature = (
        opened(text, key, about(kind, row_id)) or "" for kind, text in zip(kinds, sealed, strict=True)
    )
    return Delegation(row_id, session_key, message, signature, rfc3339(created_ms), commit)


def _step(execute: Execute, entry: Entry) -> Step:
    before = execute(QUERIES["entry_before"], (entry.id,))
    # No id lies between this one and the text that is one character longer.
    after = entries_oldest_first(execute, entry.user_id, f"{entry.id}0", 1)
    return Step(
        id=entry.id,
        ref_type=entry.ref_type,
        amount=entry.amount,
        balance_before=entry.balance_after - entry.amount,
        balance_after=entry.balance_after,
        created_at=rfc3339(entry.created_at),
        commit_number=entry.commit_number,
        place=entry.position,
        previous_id=before[0][0] if before else None,
        previous_balance_after=before[0][1] if before else None,
        next_id=after[0].id if after else None,
        next_balance_before=after[0].balance_after - after[0].amount if after else None,
    )
