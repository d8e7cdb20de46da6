-- Weeks whose rows lie in a file of their own, which was verified where it is stored. Append-only and part of the hash
-- chain. The file holds what the commits from `first_commit` to `last_commit` wrote, as it stood after the last one. The
-- live database lets go of rows up to `cut_commit`: every bet that was placed by then had ended by `last_commit`.
CREATE TABLE archives (
    week           TEXT    NOT NULL PRIMARY KEY CHECK (length(week) = 8),
    first_commit   INTEGER NOT NULL,
    cut_commit     INTEGER NOT NULL CHECK (cut_commit >= first_commit - 1),
    last_commit    INTEGER NOT NULL CHECK (last_commit >= cut_commit),
    cut_seq        INTEGER NOT NULL,
    cut_entry      TEXT    NOT NULL,
    cut_hash       TEXT    NOT NULL CHECK (length(cut_hash) = 64),
    stored_as      TEXT    NOT NULL,
    manifest       TEXT    NOT NULL,
    created_at     INTEGER NOT NULL,
    created_commit INTEGER NOT NULL,
    created_place  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX archives_by_cut ON archives (cut_commit);
CREATE INDEX archives_by_seq ON archives (cut_seq);

CREATE TRIGGER archives_are_append_only BEFORE UPDATE ON archives
BEGIN
    SELECT raise(ABORT, 'archives is append-only');
END;

CREATE TRIGGER archives_keep_their_rows BEFORE DELETE ON archives
BEGIN
    SELECT raise(ABORT, 'archives rows are never deleted');
END;

-- Where this database begins: rows of commits up to `cut_commit` lie in archives, and so may what commits up to
-- `last_commit` wrote about them. One row; in the file of a week it names that week.
CREATE TABLE cut (
    id          INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    cut_commit  INTEGER NOT NULL,
    last_commit INTEGER NOT NULL,
    cut_seq     INTEGER NOT NULL,
    cut_entry   TEXT    NOT NULL,
    cut_hash    TEXT    NOT NULL,
    week        TEXT
) STRICT;

INSERT INTO cut (id, cut_commit, last_commit, cut_seq, cut_entry, cut_hash)
VALUES (1, 0, 0, 0, '', '0000000000000000000000000000000000000000000000000000000000000000');

-- What the entries that were trimmed came to, by player: the balance after the last of them, and its number and time.
CREATE TABLE opening_balances (
    user_id       TEXT    NOT NULL PRIMARY KEY REFERENCES users (id),
    balance       INTEGER NOT NULL CHECK (balance >= 0),
    number        INTEGER NOT NULL CHECK (number > 0),
    last_entry_id TEXT    NOT NULL,
    updated_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

DROP TRIGGER ledger_keeps_its_rows;

CREATE TRIGGER ledger_keeps_its_rows BEFORE DELETE ON transaction_ledger
WHEN NOT EXISTS (SELECT 1 FROM archives WHERE cut_commit >= old.commit_number)
BEGIN
    SELECT raise(ABORT, 'transaction_ledger rows are deleted only where an archive holds them');
END;

CREATE TRIGGER ledger_carries_its_sums AFTER DELETE ON transaction_ledger
BEGIN
    INSERT INTO opening_balances (user_id, balance, number, last_entry_id, updated_at)
    VALUES (old.user_id, old.balance_after, old.number, old.id, old.created_at)
    ON CONFLICT (user_id) DO UPDATE
    SET balance = excluded.balance, number = excluded.number, last_entry_id = excluded.last_entry_id,
        updated_at = excluded.updated_at
    WHERE excluded.number > number;
END;

CREATE TRIGGER bets_keep_their_rows BEFORE DELETE ON bets
WHEN NOT EXISTS (SELECT 1 FROM archives WHERE cut_seq >= old.seq)
BEGIN
    SELECT raise(ABORT, 'bets rows are deleted only where an archive holds them');
END;
