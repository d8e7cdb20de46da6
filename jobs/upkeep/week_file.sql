-- A week's file: `main` is the file, `live` the live database beside it. What is copied in ranges takes (after, up to].

-- name: last_commit_before
-- The newest commit before a moment, its hash, and the last bet and entry up to it. Commits are numbered without gaps
-- in the order of their times, so it is found by halving. Parameters: time, time.
WITH RECURSIVE span (low, high) AS (
    SELECT 0, (SELECT coalesce(max(number), 0) FROM commits)
    UNION ALL
    SELECT CASE WHEN middle.committed_ms < ? THEN middle.number ELSE low END,
           CASE WHEN middle.committed_ms < ? THEN high ELSE middle.number - 1 END
    FROM span CROSS JOIN commits AS middle WHERE low < high AND middle.number = (low + high + 1) / 2
)
SELECT number, hash,
    coalesce((SELECT last_bet_seq FROM commits AS placed
              WHERE last_bet_seq IS NOT NULL AND placed.number <= newest.number ORDER BY number DESC LIMIT 1), 0),
    coalesce((SELECT last_entry FROM commits AS made
              WHERE last_entry IS NOT NULL AND made.number <= newest.number ORDER BY number DESC LIMIT 1), '')
FROM commits AS newest WHERE number = (SELECT low FROM span WHERE low = high);

-- name: commit_after
-- When the first commit after a number was made.
SELECT committed_ms FROM commits WHERE number > ? ORDER BY number LIMIT 1;

-- name: entry_at
-- The entry so many after another one, up to a last one: where a range of entries ends. Parameters: after, last, count.
SELECT ulid_text(id) FROM live.entry_rows WHERE id > ulid_key(?) AND id <= ulid_key(?) ORDER BY id LIMIT 1 OFFSET ?;

-- name: player
-- Accounts without what they are found by; a part of others. Who they are is sealed, but for rows from before that.
SELECT seq, id, 'not-stored-here:' || lower(id), balance, version, created_at, updated_at, created_commit,
       created_place, last_entry_id, NULL, opened_by, opened_key
FROM live.users;

-- name: login
-- The same of logins.
SELECT seq, id, user_id, session_key, message, signature, created_at, created_commit, created_place, NULL
FROM live.delegations;

-- name: copy_commits
-- Commits of a range.
INSERT INTO main.commit_rows SELECT * FROM live.commit_rows WHERE number > ? AND number <= ?;

-- name: copy_bets
-- Bets of a range, as they are now; `undo_ends` follows.
INSERT INTO main.bet_rows SELECT * FROM live.bet_rows WHERE seq > ? AND seq <= ?;

-- name: gestures
-- The gestures whose first bets are of the range.
INSERT INTO main.gesture_rows SELECT * FROM live.gesture_rows WHERE seq > ? AND seq <= ?;

-- name: pricings_of_bets
-- What the bets of a range were priced by.
INSERT OR IGNORE INTO main.pricings SELECT * FROM live.pricings
WHERE seq IN (SELECT pricing FROM main.bet_rows WHERE seq > ? AND seq <= ?);

-- name: copy_entries
-- Entries of a range.
INSERT INTO main.entry_rows SELECT * FROM live.entry_rows WHERE id > ulid_key(?) AND id <= ulid_key(?);

-- name: players_of_bets
-- The accounts of the bets of a range.
INSERT OR IGNORE INTO main.users {player}
WHERE seq IN (SELECT user FROM main.bet_rows WHERE seq > ? AND seq <= ?);

-- name: players_of_entries
-- The accounts of the entries of a range.
INSERT OR IGNORE INTO main.users {player}
WHERE seq IN (SELECT user FROM main.entry_rows WHERE id > ulid_key(?) AND id <= ulid_key(?));

-- name: delegations_of_bets
-- The logins that let the bets of a range be signed.
INSERT OR IGNORE INTO main.delegations {login}
WHERE seq IN (SELECT delegation FROM main.bet_rows WHERE seq > ? AND seq <= ?);

-- name: copy_users
-- Accounts that were opened in the week. Their ids begin with a time that is not far from their commit's.
-- Parameters: first id, commits (after, up to].
INSERT OR IGNORE INTO main.users {player}
WHERE id >= ? AND created_commit > ? AND created_commit <= ?;

-- name: copy_delegations
-- Logins of the week. Parameters as of copy_users.
INSERT OR IGNORE INTO main.delegations {login}
WHERE id >= ? AND created_commit > ? AND created_commit <= ?;

-- name: copy_limits
-- Limits that were changed in the week. Parameters as of copy_users.
INSERT INTO main.player_limits SELECT * FROM live.player_limits
WHERE id >= ? AND created_commit > ? AND created_commit <= ?;

-- name: copy_columns
-- The evidence of columns that began to settle in the week, or ended then; from the one to the other are few commits.
-- Parameters: commits (after, up to], after, after.
INSERT INTO main.columns SELECT * FROM live.columns
WHERE begun_commit > ? - 100000 AND begun_commit <= ? AND (begun_commit > ? OR settled_commit > ?);

-- name: copy_withdrawals
-- Withdrawals that were asked for or ended in the week.
INSERT INTO main.withdrawals SELECT * FROM live.withdrawals
WHERE requested_commit <= ? AND (requested_commit > ? OR resolved_commit > ?);

-- name: copy_operations
-- Deposits, credits and adjustments of the week.
INSERT INTO main.operations SELECT * FROM live.operations WHERE created_commit > ? AND created_commit <= ?;

-- name: players_of_rest
-- The accounts that the rest is about. Parameters: commits (after, up to].
INSERT OR IGNORE INTO main.users {player} WHERE id IN (
    SELECT user_id FROM live.adoptions WHERE created_commit > ? AND created_commit <= ?
    UNION ALL SELECT user_id FROM main.delegations UNION ALL SELECT user_id FROM main.player_limits
    UNION ALL SELECT user_id FROM main.withdrawals UNION ALL SELECT user_id FROM main.operations
    UNION ALL SELECT user_id FROM main.erasures);

-- name: copy_adoptions
-- Guests' accounts that were taken over by then, of the players that are here.
INSERT INTO main.adoptions SELECT * FROM live.adoptions
WHERE created_commit <= ? AND user_id IN (SELECT id FROM main.users);

-- name: copy_overrides
-- Operators' words on the breaker.
INSERT INTO main.breaker_overrides SELECT * FROM live.breaker_overrides
WHERE created_commit > ? AND created_commit <= ?;

-- name: copy_bucket_changes
-- Buckets closed and opened by then: a bet may have been refused for one that was closed long before.
INSERT INTO main.bucket_changes SELECT * FROM live.bucket_changes WHERE changed_commit <= ?;

-- name: copy_archives
-- Weeks that were archived in the week.
INSERT INTO main.archives SELECT * FROM live.archives WHERE created_commit > ? AND created_commit <= ?;

-- name: copy_erasures
-- Players who were forgotten in the week.
INSERT INTO main.erasures SELECT * FROM live.erasures WHERE created_commit > ? AND created_commit <= ?;

-- name: copy_opening_balances
-- What the entries from before came to, of the players that are here; of a range of these.
INSERT INTO main.opening_balances SELECT * FROM live.opening_balances
WHERE user_id IN (SELECT id FROM main.users WHERE id > ? AND id <= ?);

-- name: player_at
-- The account so many after another one: where a range of accounts ends. Parameters: after, count.
SELECT id FROM main.users WHERE id > ? ORDER BY id LIMIT 1 OFFSET ?;

-- name: undo_ends
-- Bets that ended later were open.
UPDATE main.bet_rows
SET status = 0, resolved_after_ms = NULL, payout_amount = NULL, resolved_commit = NULL, resolved_place = NULL
WHERE resolved_commit > ?;

-- name: undo_settled
-- Columns whose last bet was settled later were being settled.
UPDATE main.columns SET settled_at = NULL, settled_commit = NULL, settled_place = NULL WHERE settled_commit > ?;

-- name: undo_withdrawals
-- Withdrawals that ended later were pending.
UPDATE main.withdrawals
SET status = 'pending', reference = NULL, who = NULL, why = NULL, resolved_at = NULL, resolved_commit = NULL,
    resolved_place = NULL
WHERE resolved_commit > ?;

-- name: make_closing
-- What each account held in the end. Kept row by row: the library sorts in memory only, and there are too many entries.
CREATE TABLE main.closing (
    user_id TEXT NOT NULL PRIMARY KEY, balance INTEGER, number INTEGER, last_entry_id TEXT, at_ms INTEGER
) STRICT, WITHOUT ROWID;

-- name: close_entries
-- Take the entries of a range into it.
INSERT INTO main.closing SELECT user_id, balance_after, number, id, created_at
FROM main.transaction_ledger WHERE "key" > ulid_key(?) AND "key" <= ulid_key(?)
ON CONFLICT (user_id) DO UPDATE
SET balance = excluded.balance, number = excluded.number, last_entry_id = excluded.last_entry_id,
    at_ms = excluded.at_ms
WHERE excluded.number > number;

-- name: close_openings
-- And what was there before, of accounts without an entry here.
INSERT OR IGNORE INTO main.closing
SELECT user_id, balance, number, last_entry_id, updated_at FROM main.opening_balances;

-- name: balances_then
-- What each account held after its last entry.
UPDATE main.users
SET balance = closing.balance, version = number, last_entry_id = closing.last_entry_id, updated_at = at_ms
FROM main.closing WHERE user_id = users.id;

-- name: empty_then
-- Accounts without an entry by then held nothing.
UPDATE main.users SET balance = 0, version = 0, last_entry_id = NULL, updated_at = created_at
WHERE id NOT IN (SELECT user_id FROM main.closing);

-- name: drop_closing
-- It was needed for that only.
DROP TABLE main.closing;

-- name: begin_after
-- Say where the file begins, and of which week it is.
UPDATE main.cut
SET cut_commit = ?, last_commit = ?, cut_seq = ?, cut_entry = ?, cut_hash = ?, week = ? WHERE id = 1;

-- name: before_open
-- The last commit before the oldest bet that was open; null where none was.
SELECT min(placed_commit) - 1 FROM main.bets WHERE status = 'confirmed';

-- name: cut_rows
-- Hash of a commit, and the last bet and entry up to it that are here. Parameters: commit, three times.
SELECT (SELECT hash FROM main.commits WHERE number = ?),
       (SELECT max(last_bet_seq) FROM main.commits WHERE number <= ?),
       (SELECT max(last_entry) FROM main.commits WHERE number <= ?);

-- name: counted_bets
-- How many bets of each status are here, in the order of the table's statuses; what was staked and what was paid out.
SELECT coalesce(sum(status = 'confirmed'), 0), coalesce(sum(status = 'won'), 0), coalesce(sum(status = 'lost'), 0),
       coalesce(sum(status = 'void'), 0), coalesce(sum(status = 'refused'), 0),
       coalesce(sum(status = 'insufficient_funds'), 0),
       coalesce(sum(CASE WHEN refusal_code IS NULL THEN amount END), 0), coalesce(sum(payout_amount), 0)
FROM main.bets;

-- name: counted_entries
-- How many entries of each kind are here, and their sum.
SELECT ref_type, count(*), sum(amount) FROM main.transaction_ledger GROUP BY ref_type ORDER BY ref_type;

-- name: counted_commits
-- How many commits are here.
SELECT count(*) FROM main.commits;

-- name: counted_cut
-- How many bets and entries up to the cut are here, and what these entries come to. Parameters: bet, entry, entry.
SELECT (SELECT count(*) FROM main.bets WHERE seq <= ?), (SELECT count(*) FROM main.entry_rows WHERE id <= ulid_key(?)),
       (SELECT coalesce(sum(amount), 0) FROM main.entry_rows WHERE id <= ulid_key(?));

-- name: ended_up_to
-- The bets up to the cut that count in buckets.
SELECT model_id, model_version, reward_rate, model_now_ms, bets.column_start_s, columns.end_s, bets.amount,
       bets.payout_amount
FROM main.bets CROSS JOIN main.columns ON columns.start_s = bets.column_start_s
WHERE bets.seq <= ? AND bets.status IN ('won', 'lost') AND columns.settled_commit IS NOT NULL;

-- name: make_manifest
-- The file's own word on what it holds.
CREATE TABLE main.manifest (content TEXT NOT NULL) STRICT;

-- name: insert_manifest
-- The same.
INSERT INTO main.manifest (content) VALUES (?);

-- name: manifest
-- The same, read back.
SELECT content FROM manifest;

-- name: archives
-- What is recorded of all archives, oldest first.
SELECT manifest, stored_as FROM archives ORDER BY last_commit;
