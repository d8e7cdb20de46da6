-- The live database. Times are Unix milliseconds UTC, money is whole cents, ids are ULIDs.
-- Every row that a commit writes carries the commit's number and its place in it: together they order all news.
-- No foreign key points at `commits`: its row is written last, and SQLite would scan every child table for it.

-- `marks` holds a short checksum of each record: the hash says that a commit was changed, the marks say which row.
CREATE TABLE commits (
    number        INTEGER NOT NULL PRIMARY KEY CHECK (number > 0),
    committed_ms  INTEGER NOT NULL,
    previous_hash TEXT    NOT NULL CHECK (length(previous_hash) = 64),
    hash          TEXT    NOT NULL CHECK (length(hash) = 64),
    records       INTEGER NOT NULL CHECK (records >= 0),
    house         TEXT    NOT NULL,
    first_bet_seq INTEGER,
    last_bet_seq  INTEGER,
    first_entry   TEXT,
    last_entry    TEXT,
    marks         TEXT    NOT NULL
) STRICT;

CREATE TABLE users (
    id             TEXT    NOT NULL PRIMARY KEY CHECK (length(id) = 26),
    wallet_address TEXT    NOT NULL UNIQUE CHECK (length(wallet_address) = 42 AND wallet_address = lower(wallet_address)),
    balance        INTEGER NOT NULL DEFAULT 0 CHECK (balance BETWEEN 0 AND 1000000000000000000),
    version        INTEGER NOT NULL DEFAULT 0,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    created_commit INTEGER NOT NULL,
    created_place  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Append-only; ids are minted by the writer and rise, so the order of ids is the order of commits.
CREATE TABLE transaction_ledger (
    id            TEXT    NOT NULL PRIMARY KEY CHECK (length(id) = 26),
    user_id       TEXT    NOT NULL REFERENCES users (id),
    amount        INTEGER NOT NULL CHECK (amount <> 0),
    balance_after INTEGER NOT NULL CHECK (balance_after >= 0),
    ref_type      TEXT    NOT NULL CHECK (ref_type IN
        ('BET', 'PAYOUT', 'REFUND', 'DEPOSIT', 'WITHDRAWAL', 'WITHDRAWAL_REVERSAL', 'ADJUSTMENT')),
    ref_id        TEXT    NOT NULL,
    metadata      TEXT    NOT NULL DEFAULT '{}',
    created_at    INTEGER NOT NULL,
    commit_number INTEGER NOT NULL,
    place         INTEGER NOT NULL,
    CHECK (ref_type = 'ADJUSTMENT' OR (amount < 0) = (ref_type IN ('BET', 'WITHDRAWAL')))
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX ledger_reference ON transaction_ledger (ref_type, ref_id);
CREATE INDEX ledger_of_user ON transaction_ledger (user_id, id);

CREATE TRIGGER ledger_is_append_only BEFORE UPDATE ON transaction_ledger
BEGIN
    SELECT raise(ABORT, 'transaction_ledger is append-only');
END;

CREATE TRIGGER ledger_keeps_its_rows BEFORE DELETE ON transaction_ledger
BEGIN
    SELECT raise(ABORT, 'transaction_ledger rows are never deleted');
END;

-- `seq` rises with (placed_commit, placed_place): it clusters the table in commit order and pages the lists.
CREATE TABLE bets (
    seq             INTEGER NOT NULL PRIMARY KEY,
    id              TEXT    NOT NULL UNIQUE CHECK (length(id) = 26),
    user_id         TEXT    NOT NULL REFERENCES users (id),
    cell_id         TEXT    NOT NULL,
    amount          INTEGER NOT NULL CHECK (amount > 0),
    reward_rate     INTEGER NOT NULL CHECK (reward_rate >= 0),
    status          TEXT    NOT NULL CHECK (status IN
        ('confirmed', 'won', 'lost', 'void', 'refused', 'insufficient_funds')),
    placed_at       INTEGER NOT NULL,
    resolved_at     INTEGER,
    payout_amount   INTEGER CHECK (payout_amount >= 0),
    refusal_code    TEXT,
    refusal_detail  TEXT,
    refusal_arguments TEXT,
    column_start_s  INTEGER NOT NULL,
    low_cents       INTEGER NOT NULL,
    high_cents      INTEGER NOT NULL,
    min_rate_bp     INTEGER NOT NULL,
    nonce           TEXT    NOT NULL,
    signed_at_s     INTEGER NOT NULL,
    signature       TEXT    NOT NULL,
    signer          TEXT    NOT NULL,
    delegation_id   TEXT    REFERENCES delegations (id),
    received_ms     INTEGER NOT NULL,
    decided_by_ms   INTEGER NOT NULL,
    tick_id         INTEGER,
    tick_close      INTEGER,
    volatility      REAL,
    features        TEXT,
    model_id        TEXT,
    model_version   TEXT,
    model_now_ms    INTEGER,
    placed_commit   INTEGER NOT NULL,
    placed_place    INTEGER NOT NULL,
    resolved_commit INTEGER,
    resolved_place  INTEGER,
    CHECK ((refusal_code IS NULL) = (status IN ('confirmed', 'won', 'lost', 'void'))),
    CHECK ((status = 'confirmed') = (refusal_code IS NULL AND resolved_commit IS NULL))
) STRICT;

-- One bet per (user, cell) for ever. The cell leads, and a cell id leads with its column, so new entries land
-- at the index's end, and a column's bets are one range of it: settlement reads this index too. The condition names
-- no status, so settling a bet does not touch the index.
CREATE UNIQUE INDEX bets_once_per_cell ON bets (column_start_s, cell_id, user_id) WHERE refusal_code IS NULL;
CREATE INDEX bets_of_user ON bets (user_id);
CREATE INDEX bets_by_resolution ON bets (resolved_commit) WHERE resolved_commit IS NOT NULL;

-- A column begins to settle with its evidence; `settled_commit` is set with its last bet.
CREATE TABLE columns (
    start_s        INTEGER NOT NULL PRIMARY KEY,
    end_s          INTEGER NOT NULL,
    covered        INTEGER NOT NULL CHECK (covered IN (0, 1)),
    open           INTEGER,
    low            INTEGER,
    high           INTEGER,
    close          INTEGER,
    tick_count     INTEGER NOT NULL,
    ticks_sha256   TEXT    NOT NULL,
    first_tick_id  INTEGER,
    last_tick_id   INTEGER,
    reason         TEXT,
    begun_at       INTEGER NOT NULL,
    begun_commit   INTEGER NOT NULL,
    begun_place    INTEGER NOT NULL,
    settled_at     INTEGER,
    settled_commit INTEGER,
    settled_place  INTEGER
) STRICT;

CREATE INDEX columns_unfinished ON columns (start_s) WHERE settled_commit IS NULL;
CREATE INDEX columns_by_commit ON columns (begun_commit);

-- The SIWE message and signature that delegated a session key, kept for ever.
CREATE TABLE delegations (
    id             TEXT    NOT NULL PRIMARY KEY CHECK (length(id) = 26),
    user_id        TEXT    NOT NULL REFERENCES users (id),
    session_key    TEXT    NOT NULL,
    message        TEXT    NOT NULL,
    signature      TEXT    NOT NULL,
    created_at     INTEGER NOT NULL,
    created_commit INTEGER NOT NULL,
    created_place  INTEGER NOT NULL
) STRICT;

CREATE TABLE withdrawals (
    id               TEXT    NOT NULL PRIMARY KEY CHECK (length(id) = 26),
    user_id          TEXT    NOT NULL REFERENCES users (id),
    amount           INTEGER NOT NULL CHECK (amount > 0),
    to_address       TEXT    NOT NULL,
    status           TEXT    NOT NULL CHECK (status IN ('pending', 'completed', 'reversed')),
    nonce            TEXT    NOT NULL,
    signed_at_s      INTEGER NOT NULL,
    signature        TEXT    NOT NULL,
    requested_at     INTEGER NOT NULL,
    requested_commit INTEGER NOT NULL,
    requested_place  INTEGER NOT NULL,
    reference        TEXT UNIQUE,
    who              TEXT,
    why              TEXT,
    resolved_at      INTEGER,
    resolved_commit  INTEGER,
    resolved_place   INTEGER,
    CHECK ((status = 'pending') = (resolved_commit IS NULL))
) STRICT;

CREATE INDEX withdrawals_of_user ON withdrawals (user_id, id);
CREATE INDEX withdrawals_pending ON withdrawals (id) WHERE status = 'pending';

-- References of money from outside: a deposit, reversal or adjustment is credited once, for ever.
CREATE TABLE operations (
    reference      TEXT    NOT NULL,
    kind           TEXT    NOT NULL CHECK (kind IN ('deposit', 'adjust', 'credit')),
    user_id        TEXT    NOT NULL REFERENCES users (id),
    amount         INTEGER NOT NULL,
    who            TEXT    NOT NULL,
    why            TEXT    NOT NULL,
    entry_id       TEXT    NOT NULL,
    balance_after  INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    created_commit INTEGER NOT NULL,
    created_place  INTEGER NOT NULL,
    PRIMARY KEY (kind, reference)
) STRICT, WITHOUT ROWID;

-- Written in the transaction of their effect; a repeat gets the stored answer. Kept 24 h.
CREATE TABLE idempotency_keys (
    user_id    TEXT    NOT NULL,
    route      TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    body_hash  TEXT    NOT NULL,
    answer     TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, route, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

-- A player's own limits, one row a change; `effective_ms` is in the future for a looser one.
CREATE TABLE player_limits (
    id                   TEXT    NOT NULL PRIMARY KEY CHECK (length(id) = 26),
    user_id              TEXT    NOT NULL REFERENCES users (id),
    stake_day_max_cents  INTEGER CHECK (stake_day_max_cents >= 0),
    loss_day_max_cents   INTEGER CHECK (loss_day_max_cents >= 0),
    cool_off_until_ms    INTEGER,
    excluded_until_ms    INTEGER,
    effective_ms         INTEGER NOT NULL,
    created_at           INTEGER NOT NULL,
    created_commit       INTEGER NOT NULL,
    created_place        INTEGER NOT NULL
) STRICT;

CREATE INDEX player_limits_of_user ON player_limits (user_id, id);

-- Settings that open bets rest on (runtime/column_width.py).
CREATE TABLE rules_in_force (
    name  TEXT    NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
