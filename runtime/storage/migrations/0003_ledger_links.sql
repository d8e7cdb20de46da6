-- No index holds all entries by user: players come in no order, so nearly every entry changed a page of its own, and the
-- more there were, the further apart. Entries are linked instead: each names its user's one before it, `users` the last,
-- and every 64th is a milestone in an index, so that a reader can begin in the middle (runtime/own_entries.py).
-- The table is copied, not updated: its triggers hold to the end, and then for the copy.
ALTER TABLE transaction_ledger RENAME TO ledger_without_links;

-- Append-only; ids are minted by the writer and rise, so the order of ids is the order of commits.
-- `number` counts a user's entries from 1; it equals `users.version` after the entry.
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
    number        INTEGER NOT NULL CHECK (number > 0),
    previous_id   TEXT,
    CHECK (ref_type = 'ADJUSTMENT' OR (amount < 0) = (ref_type IN ('BET', 'WITHDRAWAL'))),
    CHECK ((previous_id IS NULL) = (number = 1)),
    -- Links lead back only, so a walk along them ends.
    CHECK (previous_id < id)
) STRICT, WITHOUT ROWID;

INSERT INTO transaction_ledger
SELECT id, user_id, amount, balance_after, ref_type, ref_id, metadata, created_at, commit_number, place,
       row_number() OVER (PARTITION BY user_id ORDER BY id), lag(id) OVER (PARTITION BY user_id ORDER BY id)
FROM ledger_without_links ORDER BY id;

ALTER TABLE users ADD COLUMN last_entry_id TEXT;
UPDATE users SET last_entry_id = (SELECT max(id) FROM ledger_without_links WHERE user_id = users.id);

DROP TABLE ledger_without_links;

CREATE UNIQUE INDEX ledger_reference ON transaction_ledger (ref_type, ref_id);
CREATE INDEX ledger_milestones ON transaction_ledger (user_id, id) WHERE number % 64 = 0;

CREATE TRIGGER ledger_is_append_only BEFORE UPDATE ON transaction_ledger
BEGIN
    SELECT raise(ABORT, 'transaction_ledger is append-only');
END;

CREATE TRIGGER ledger_keeps_its_rows BEFORE DELETE ON transaction_ledger
BEGIN
    SELECT raise(ABORT, 'transaction_ledger rows are never deleted');
END;
