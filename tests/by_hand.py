"""Change a database behind the writer's back, in the words of its views, with no guard left that keeps its rows."""

from __future__ import annotations

from runtime.game.bets import STATUSES
from runtime.game.rows import KINDS
from runtime.postgresql.connection import PostgresDatabase
from runtime.storage.database import Database

BETS = """
CREATE TEMP TRIGGER bet_changed INSTEAD OF UPDATE ON bets BEGIN
UPDATE bet_rows SET
    amount = new.amount, reward_rate = new.reward_rate, status = {status}, payout_amount = new.payout_amount,
    refusal_arguments = new.refusal_arguments, min_rate_bp = new.min_rate_bp,
    nonce = iif(new.nonce = old.nonce, nonce, new.nonce),
    signature = iif(new.signature = old.signature, signature, new.signature),
    signer = new.signer,
    delegation = (SELECT seq FROM delegations WHERE delegations.id = new.delegation_id),
    received_after_ms = new.received_ms - placed_at, volatility = new.volatility,
    model_after_ms = new.model_now_ms - placed_at, placed_place = new.placed_place, fill_delay_ms = new.fill_delay_ms,
    pricing = iif(new.model_version = old.model_version, pricing, pricing + 1)
    WHERE seq = old.seq;
INSERT OR IGNORE INTO pricings
    SELECT pricing, new.model_id, new.model_version, new.features FROM bet_rows
    WHERE seq = old.seq AND new.model_version <> old.model_version;
END
"""
ENTRIES = """
CREATE TEMP TRIGGER entry_changed INSTEAD OF UPDATE ON transaction_ledger BEGIN
UPDATE entry_rows SET
    id = entry_key(new.created_at, new.commit_number, new.place), amount = new.amount,
    balance_after = new.balance_after, kind = {kind}, ref = ulid_key(new.ref_id), metadata = new.metadata,
    number = new.number, previous = ulid_key(new.previous_id)
    WHERE id = old."key";
END
"""
COMMITS = """
CREATE TEMP TRIGGER commit_changed INSTEAD OF UPDATE ON commits BEGIN
UPDATE commit_rows SET committed_ms = new.committed_ms, previous_hash = unhex(new.previous_hash),
    hash = unhex(new.hash), last_bet_seq = new.last_bet_seq, marks = unhex(new.marks)
    WHERE number = old.number;
END
"""
GONE = """
CREATE TEMP TRIGGER {view}_gone INSTEAD OF DELETE ON {view} BEGIN
DELETE FROM {rows} WHERE {key} = old.{view_key};
END
"""
ROWS_OF = (
    ("bets", "bet_rows", "seq", "seq"),
    ("transaction_ledger", "entry_rows", "id", '"key"'),
    ("commits", "commit_rows", "number", "number"),
)
GUARDS = (
    "ledger_is_append_only",
    "ledger_keeps_its_rows",
    "ledger_carries_its_sums",
    "bets_keep_their_rows",
    "bets_end_once",
    "bets_are_paid_once",
    "bets_take_their_pricings_along",
    "bets_take_their_gestures_along",
    "gestures_are_append_only",
    "gestures_keep_their_rows",
    "bucket_changes_are_append_only",
    "bucket_changes_keep_their_rows",
)


def _code(of: str, names: tuple[str, ...]) -> str:
    cases = " ".join(f"WHEN '{name}' THEN {code}" for code, name in enumerate(names))
    return f"CASE {of} {cases} END"


def loosen(database: Database) -> Database:
    """Take the guards of a database away, and let its views be changed; return it.

    On PostgreSQL that is the session's own doing, and columns of a view that are made of others stay as they are.
    """
    if isinstance(database, PostgresDatabase):
        database.run_script("SET session_replication_role = replica")
        return database
    database.execute("PRAGMA foreign_keys = 0")
    for guard in GUARDS:
        database.execute(f"DROP TRIGGER IF EXISTS {guard}")
    if not database.execute("SELECT 1 FROM sqlite_temp_schema"):
        database.execute(BETS.format(status=_code("new.status", STATUSES)))
        database.execute(ENTRIES.format(kind=_code("new.ref_type", KINDS)))
        database.execute(COMMITS)
        for view, rows, key, view_key in ROWS_OF:
            database.execute(GONE.format(view=view, rows=rows, key=key, view_key=view_key))
    return database
