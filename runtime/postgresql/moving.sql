-- A house that moves from SQLite's file into PostgreSQL: what is read there, how it is written here, how far it is.

-- name: rows_after
-- The next rows of a table after a key, as they lie there.
SELECT {columns} FROM {table} WHERE {key} > ? ORDER BY {key} LIMIT ?;

-- name: bets_after
-- The same of bets: their ids and digits as texts.
SELECT seq, ulid_text(id), "user", cell_id, amount, reward_rate, status, placed_at, resolved_after_ms, payout_amount,
       refusal_code, refusal_detail, refusal_arguments, column_start_s, low_cents, high_cents, min_rate_bp,
       CASE typeof(nonce) WHEN 'blob' THEN lower(hex(nonce)) ELSE nonce END, signed_after_s,
       CASE typeof(signature) WHEN 'blob'
           THEN CASE WHEN length(signature) > 65 THEN 'sealed:' ELSE '0x' END || lower(hex(signature))
           ELSE signature END,
       CASE typeof(signer) WHEN 'blob'
           THEN CASE WHEN length(signer) > 20 THEN 'sealed:' ELSE '0x' END || lower(hex(signer)) ELSE signer END,
       delegation, received_after_ms, decided_after_ms, tick_after_ms, tick_close, volatility, pricing, model_after_ms,
       placed_commit, placed_place, resolved_commit, resolved_place, fill_delay_ms
FROM bet_rows WHERE seq > ? ORDER BY seq LIMIT ?;

-- name: entries_after
-- The same of entries, with the commit, the place and the time that their ids say.
SELECT ulid_text(id), "user", amount, balance_after, kind, ulid_text(ref), metadata, number, ulid_text(previous),
       entry_ms(id), entry_commit(id), entry_position(id)
FROM entry_rows WHERE id > ulid_key(?) ORDER BY id LIMIT ?;

-- name: gestures_after
-- The same of gestures.
SELECT seq, id, taps, nonce, signature, created_commit, created_place FROM gestures WHERE seq > ? ORDER BY seq LIMIT ?;

-- name: commits_after
-- The same of commits, with the ids of their entries.
SELECT number, committed_ms, previous_hash, hash, records, house, first_bet_seq, last_bet_seq,
       ulid_text(entry_key(committed_ms, number, first_entry)), ulid_text(entry_key(committed_ms, number, last_entry)),
       marks
FROM commit_rows WHERE number > ? ORDER BY number LIMIT ?;

-- name: whole_table
-- All rows of a table with few of them.
SELECT {columns} FROM {table};

-- name: rows_of
-- How many rows a table has.
SELECT count(*) FROM {table};

-- name: last_key
-- How far a table has come.
SELECT max({key}) FROM {table};

-- name: columns_here
-- The columns of a table, in their order.
SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(?) AND attnum > 0 AND NOT attisdropped ORDER BY attnum;

-- name: copy_in
-- Rows that follow.
COPY {table} ({columns}) FROM STDIN;

-- name: clear_cut
-- Where the database begins is said by what comes.
DELETE FROM cut;

-- name: go_on_after
-- The next row of a table that numbers its rows gets the next number.
SELECT setval(pg_get_serial_sequence('{table}', '{key}'), max({key})) FROM {table};

-- name: make_origin
-- Which state of which ledger is being moved here, until all of it is here.
CREATE TABLE moved_from (number BIGINT NOT NULL, hash TEXT COLLATE "C" NOT NULL);

-- name: insert_origin
-- The same, said.
INSERT INTO moved_from VALUES (?, ?);

-- name: origin
-- The same, read.
SELECT number, hash FROM moved_from;

-- name: drop_origin
-- All of it is here.
DROP TABLE moved_from;
