-- Made in a new file: the rows of an existing database are copied into tables that take less than half (ADR 25).
-- What was said in texts again and again is said once, or follows from the rest: `bet_rows`, `entry_rows` and
-- `commit_rows` hold the rows, and the views `bets`, `transaction_ledger` and `commits` show them as the hash chain
-- covers them. A ULID is a key of 16 bytes, hexadecimal digits are bytes, a player is a number, and a time that belongs
-- to a bet is told from its placing on. ulid_text and the like are functions of ours: runtime/game/ids.py.
DROP TABLE bets;
DROP TABLE transaction_ledger;
DROP TABLE commits;
DROP TABLE users;
DROP TABLE delegations;

-- `marks` holds a short checksum of each record, four bytes each: the hash says that a commit was changed, the marks say
-- which row.
CREATE TABLE commit_rows (
    number        INTEGER NOT NULL PRIMARY KEY CHECK (number > 0),
    committed_ms  INTEGER NOT NULL,
    previous_hash BLOB    NOT NULL CHECK (length(previous_hash) = 32),
    hash          BLOB    NOT NULL CHECK (length(hash) = 32),
    records       INTEGER NOT NULL CHECK (records >= 0),
    house         TEXT    NOT NULL,
    first_bet_seq INTEGER,
    last_bet_seq  INTEGER,
    first_entry   INTEGER,
    last_entry    INTEGER,
    marks         BLOB    NOT NULL
) STRICT;

CREATE VIEW commits AS SELECT
    number, committed_ms, lower(hex(previous_hash)) AS previous_hash, lower(hex(hash)) AS hash, records, house,
    first_bet_seq, last_bet_seq, ulid_text(entry_key(committed_ms, number, first_entry)) AS first_entry,
    ulid_text(entry_key(committed_ms, number, last_entry)) AS last_entry, lower(hex(marks)) AS marks
FROM commit_rows;

-- `seq` stands for the player in the rows of bets and entries.
CREATE TABLE users (
    seq            INTEGER NOT NULL PRIMARY KEY,
    id             TEXT    NOT NULL UNIQUE CHECK (length(id) = 26),
    wallet_address TEXT    NOT NULL UNIQUE CHECK (length(wallet_address) = 42 AND wallet_address = lower(wallet_address)),
    balance        INTEGER NOT NULL DEFAULT 0 CHECK (balance BETWEEN 0 AND 1000000000000000000),
    version        INTEGER NOT NULL DEFAULT 0,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    created_commit INTEGER NOT NULL,
    created_place  INTEGER NOT NULL,
    last_entry_id  TEXT,
    -- A guest's account belongs to a key of the browser, whose derived address stands for it; null: a wallet opened it.
    guest_key      TEXT CHECK (length(guest_key) = 71)
) STRICT;

CREATE UNIQUE INDEX users_by_guest_key ON users (guest_key) WHERE guest_key IS NOT NULL;

-- The SIWE message and signature that delegated a session key, kept for ever; `seq` stands for it in the rows of bets.
CREATE TABLE delegations (
    seq            INTEGER NOT NULL PRIMARY KEY,
    id             TEXT    NOT NULL UNIQUE CHECK (length(id) = 26),
    user_id        TEXT    NOT NULL REFERENCES users (id),
    session_key    TEXT    NOT NULL,
    message        TEXT    NOT NULL,
    signature      TEXT    NOT NULL,
    created_at     INTEGER NOT NULL,
    created_commit INTEGER NOT NULL,
    created_place  INTEGER NOT NULL
) STRICT;

CREATE INDEX delegations_by_key ON delegations (session_key);

-- Append-only. The key is that of a ULID of commit time, commit number and position in it, so it rises with the commits.
-- `kind` counts from 0: BET, PAYOUT, REFUND, DEPOSIT, WITHDRAWAL, WITHDRAWAL_REVERSAL, ADJUSTMENT.
-- `number` counts a user's entries from 1; it equals `users.version` after the entry. `metadata` null stands for '{}'.
CREATE TABLE entry_rows (
    id            BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user          INTEGER NOT NULL REFERENCES users (seq),
    amount        INTEGER NOT NULL CHECK (amount <> 0),
    balance_after INTEGER NOT NULL CHECK (balance_after >= 0),
    kind          INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 6),
    ref           ANY     NOT NULL,
    metadata      TEXT,
    number        INTEGER NOT NULL CHECK (number > 0),
    previous      BLOB,
    CHECK (kind = 6 OR (amount < 0) = (kind IN (0, 4))),
    CHECK ((previous IS NULL) = (number = 1)),
    -- Links lead back only, so a walk along them ends.
    CHECK (previous < id)
) STRICT, WITHOUT ROWID;

-- A reference counts once. The entries of a bet have the positions after those at which it was placed and ended, so they
-- need no index: `bets_are_paid_once` keeps later commits from making another.
CREATE UNIQUE INDEX ledger_reference ON entry_rows (kind, ref) WHERE kind > 2;
CREATE INDEX ledger_milestones ON entry_rows (user, id) WHERE number % 64 = 0;

CREATE VIEW transaction_ledger AS SELECT
    ulid_text(id) AS id, (SELECT users.id FROM users WHERE users.seq = user) AS user_id, amount, balance_after,
    CASE kind WHEN 0 THEN 'BET' WHEN 1 THEN 'PAYOUT' WHEN 2 THEN 'REFUND' WHEN 3 THEN 'DEPOSIT'
        WHEN 4 THEN 'WITHDRAWAL' WHEN 5 THEN 'WITHDRAWAL_REVERSAL' WHEN 6 THEN 'ADJUSTMENT' END AS ref_type,
    ulid_text(ref) AS ref_id, coalesce(metadata, '{}') AS metadata, entry_ms(id) AS created_at,
    entry_commit(id) AS commit_number, entry_position(id) AS place, number, ulid_text(previous) AS previous_id,
    id AS "key", user, kind, ref, previous
FROM entry_rows;

CREATE TRIGGER ledger_is_append_only BEFORE UPDATE ON entry_rows
BEGIN
    SELECT raise(ABORT, 'the ledger is append-only');
END;

CREATE TRIGGER ledger_keeps_its_rows BEFORE DELETE ON entry_rows
WHEN NOT EXISTS (SELECT 1 FROM archives WHERE cut_commit >= entry_commit(old.id))
BEGIN
    SELECT raise(ABORT, 'entries are deleted only where an archive holds them');
END;

CREATE TRIGGER ledger_carries_its_sums AFTER DELETE ON entry_rows
BEGIN
    INSERT INTO opening_balances (user_id, balance, number, last_entry_id, updated_at)
    VALUES ((SELECT id FROM users WHERE seq = old.user), old.balance_after, old.number, ulid_text(old.id),
        entry_ms(old.id))
    ON CONFLICT (user_id) DO UPDATE
    SET balance = excluded.balance, number = excluded.number, last_entry_id = excluded.last_entry_id,
        updated_at = excluded.updated_at
    WHERE excluded.number > number;
END;

-- What many bets in a row were priced by; `seq` is the row number of the first of them. A bet names no pricing that is
-- 10000 rows or more before it, so these may go with the bets.
CREATE TABLE pricings (
    seq           INTEGER NOT NULL PRIMARY KEY,
    model_id      TEXT,
    model_version TEXT,
    features      TEXT
) STRICT;

-- `seq` rises with (placed_commit, placed_place): it clusters the table in commit order and pages the lists.
-- `status` counts from 0: confirmed, won, lost, void, refused, insufficient_funds. Null stands for the cell's id where
-- that is made of column, low and high, and for the signer where that is the delegation's session key.
CREATE TABLE bet_rows (
    seq               INTEGER NOT NULL PRIMARY KEY,
    id                BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    user              INTEGER NOT NULL REFERENCES users (seq),
    cell_id           TEXT,
    amount            INTEGER NOT NULL CHECK (amount > 0),
    reward_rate       INTEGER NOT NULL CHECK (reward_rate >= 0),
    status            INTEGER NOT NULL CHECK (status BETWEEN 0 AND 5),
    placed_at         INTEGER NOT NULL,
    resolved_after_ms INTEGER,
    payout_amount     INTEGER CHECK (payout_amount >= 0),
    refusal_code      TEXT,
    refusal_detail    TEXT,
    refusal_arguments TEXT,
    column_start_s    INTEGER NOT NULL,
    low_cents         INTEGER NOT NULL,
    high_cents        INTEGER NOT NULL,
    min_rate_bp       INTEGER NOT NULL,
    nonce             ANY     NOT NULL,
    signed_after_s    INTEGER NOT NULL,
    signature         ANY     NOT NULL,
    signer            ANY,
    delegation        INTEGER REFERENCES delegations (seq),
    received_after_ms INTEGER NOT NULL,
    decided_after_ms  INTEGER NOT NULL,
    tick_after_ms     INTEGER,
    tick_close        INTEGER,
    volatility        REAL,
    pricing           INTEGER NOT NULL,
    model_after_ms    INTEGER,
    placed_commit     INTEGER NOT NULL,
    placed_place      INTEGER NOT NULL,
    resolved_commit   INTEGER,
    resolved_place    INTEGER,
    fill_delay_ms     INTEGER CHECK (fill_delay_ms > 0),
    CHECK ((refusal_code IS NULL) = (status < 4)),
    CHECK ((status = 0) = (refusal_code IS NULL AND resolved_commit IS NULL))
) STRICT;

-- One bet per (user, cell) for ever. The column leads, so new entries land near the index's end, and a column's bets are
-- one range of it: settlement reads this index too. The condition names no status, so settling a bet does not touch it.
CREATE UNIQUE INDEX bets_once_per_cell ON bet_rows (column_start_s, low_cents, high_cents, user)
    WHERE refusal_code IS NULL;
-- A bet that was taken is found through its BET entry; the refused ones, which have none, by this.
CREATE INDEX bets_refused_of_user ON bet_rows (user) WHERE refusal_code IS NOT NULL;
-- The user follows the commit, so that a commit's ends of one player's bets are found without those of others.
CREATE INDEX bets_by_resolution ON bet_rows (resolved_commit, user) WHERE resolved_commit IS NOT NULL;

CREATE VIEW bets AS SELECT
    seq, ulid_text(id) AS id, (SELECT users.id FROM users WHERE users.seq = user) AS user_id,
    coalesce(cell_id, column_start_s || '_' || low_cents || '_' || high_cents) AS cell_id, amount, reward_rate,
    CASE status WHEN 0 THEN 'confirmed' WHEN 1 THEN 'won' WHEN 2 THEN 'lost' WHEN 3 THEN 'void' WHEN 4 THEN 'refused'
        WHEN 5 THEN 'insufficient_funds' END AS status,
    placed_at, placed_at + resolved_after_ms AS resolved_at, payout_amount, refusal_code, refusal_detail,
    refusal_arguments, column_start_s, low_cents, high_cents, min_rate_bp,
    CASE typeof(nonce) WHEN 'blob' THEN lower(hex(nonce)) ELSE nonce END AS nonce,
    placed_at / 1000 + signed_after_s AS signed_at_s,
    CASE typeof(signature) WHEN 'blob' THEN '0x' || lower(hex(signature)) ELSE signature END AS signature,
    CASE typeof(signer) WHEN 'blob' THEN '0x' || lower(hex(signer)) WHEN 'text' THEN signer
        ELSE (SELECT session_key FROM delegations WHERE delegations.seq = delegation) END AS signer,
    (SELECT delegations.id FROM delegations WHERE delegations.seq = delegation) AS delegation_id,
    placed_at + received_after_ms AS received_ms, placed_at + decided_after_ms AS decided_by_ms,
    placed_at + tick_after_ms AS tick_id, tick_close, volatility,
    (SELECT features FROM pricings WHERE pricings.seq = pricing) AS features,
    (SELECT model_id FROM pricings WHERE pricings.seq = pricing) AS model_id,
    (SELECT model_version FROM pricings WHERE pricings.seq = pricing) AS model_version,
    placed_at + model_after_ms AS model_now_ms, placed_commit, placed_place, resolved_commit, resolved_place,
    fill_delay_ms, id AS "key", user, status AS status_code
FROM bet_rows;

CREATE TRIGGER bets_are_paid_once BEFORE INSERT ON entry_rows
WHEN new.kind < 3 AND EXISTS (SELECT 1 FROM bet_rows WHERE bet_rows.id = new.ref
    AND iif(new.kind = 0, placed_commit, resolved_commit) < entry_commit(new.id))
BEGIN
    SELECT raise(ABORT, 'a bet is staked and paid once');
END;

CREATE TRIGGER bets_end_once BEFORE UPDATE OF resolved_commit ON bet_rows
WHEN old.resolved_commit IS NOT NULL AND new.resolved_commit IS NOT NULL
BEGIN
    SELECT raise(ABORT, 'a bet ends once');
END;

CREATE TRIGGER bets_keep_their_rows BEFORE DELETE ON bet_rows
WHEN NOT EXISTS (SELECT 1 FROM archives WHERE cut_seq >= old.seq)
BEGIN
    SELECT raise(ABORT, 'bets are deleted only where an archive holds them');
END;

CREATE TRIGGER bets_take_their_pricings_along AFTER DELETE ON bet_rows
BEGIN
    DELETE FROM pricings WHERE seq <= old.seq - 10000;
END;
