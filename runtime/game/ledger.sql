-- The statements of the ledger, each named and described, for both engines: `?` marks a parameter, and what PostgreSQL
-- must do otherwise stands in runtime/postgresql/statements.sql. Braces stand for text of this program, such as the
-- columns of a table: runtime/game/statements.py.

-- name: user_seq
-- The number that stands for a player in the rows, by the player's id; a part of others.
SELECT users.seq FROM users WHERE users.id = ?;

-- name: debit
-- Take money if it is there. No row back means that the balance is short (or the amount is not positive).
UPDATE users SET balance = balance - ?, version = version + 1, updated_at = ?, last_entry_id = ?
WHERE seq = ? AND balance >= ? AND ? > 0
RETURNING balance, version;

-- name: credit
-- Give money. No row back means that there is no such user (or the amount is not positive).
UPDATE users SET balance = balance + ?, version = version + 1, updated_at = ?, last_entry_id = ?
WHERE seq = ? AND ? > 0
RETURNING balance, version;

-- name: entries_back
-- The head of a statement over `entry`: a user's entries in [from, below), newest first, one step a row, so that a
-- reader who stops has read no more than it took. It begins at the first milestone that is not below `below`.
-- It carries the columns that are asked by; a step with all of them takes nearly twice as long.
-- Parameters: user, below, user, from, from, below.
WITH RECURSIVE walk AS NOT MATERIALIZED (
    SELECT id AS "key", amount, kind, ref, previous FROM entry_rows WHERE id = coalesce(
        (SELECT id FROM entry_rows WHERE "user" = ({user_seq}) AND number % 64 = 0 AND id >= ulid_key(?)
         ORDER BY id LIMIT 1),
        (SELECT ulid_key(last_entry_id) FROM users WHERE id = ?))
    UNION ALL
    SELECT older.id, older.amount, older.kind, older.ref, older.previous
    FROM walk CROSS JOIN entry_rows AS older
    WHERE older.id = walk.previous AND older.id >= ulid_key(?)
), entry AS NOT MATERIALIZED (SELECT * FROM walk WHERE "key" >= ulid_key(?) AND "key" < ulid_key(?));

-- name: entries_onward
-- The head of a statement over `entry`: a user's entries from an id on, in no order, of the blocks that end at the next
-- so many milestones and of the newest block. From each end the walk goes back to the milestone before it.
-- Parameters: user, from, milestones, user, from, from.
WITH RECURSIVE block (last_key) AS (
    SELECT id FROM (SELECT id FROM entry_rows
        WHERE "user" = ({user_seq}) AND number % 64 = 0 AND id >= ulid_key(?) ORDER BY id LIMIT ?) AS milestone
    UNION SELECT ulid_key(last_entry_id) FROM users WHERE id = ?
), walk AS (
    SELECT newest.id, newest.previous FROM block CROSS JOIN entry_rows AS newest WHERE newest.id = block.last_key
    UNION ALL
    SELECT older.id, older.previous FROM walk CROSS JOIN entry_rows AS older
    WHERE older.id = walk.previous AND older.id >= ulid_key(?) AND older.number % 64 <> 0
), entry AS (SELECT id AS "key" FROM walk WHERE id >= ulid_key(?));

-- name: entries_newest_first
-- A player's newest entries in [from, below), whole: the walk carries only what is asked by.
-- Parameters: those of entries_back, those of the conditions, limit.
{entries_back} SELECT {whole.entry_columns}
FROM entry CROSS JOIN transaction_ledger AS whole WHERE whole."key" = entry."key"{conditions} LIMIT ?;

-- name: walk_end
-- Where a walk of so many milestones and one more ends, back from an id; no row where it reaches the oldest entry
-- first.
-- Parameters: user, below, milestones.
SELECT ulid_text(id) FROM entry_rows WHERE "user" = ({user_seq}) AND number % 64 = 0 AND id < ulid_key(?)
ORDER BY id DESC LIMIT 1 OFFSET ?;

-- name: if_entry_type
-- A condition of entries_newest_first: of one kind, by its number.
entry.kind = ?;

-- name: if_entry_reference
-- A condition of entries_newest_first: about one bet, withdrawal or operation.
entry.ref = ulid_key(?);

-- name: entries_oldest_first
-- A player's first entries from an id on.
-- Parameters: those of entries_onward, limit.
{entries_onward} SELECT {whole.entry_columns}
FROM (SELECT "key" FROM entry ORDER BY "key" LIMIT ?) AS first
CROSS JOIN transaction_ledger AS whole WHERE whole."key" = first."key" ORDER BY whole."key";

-- name: totals_since
-- What a player has staked since an id, and what came back of it, in cents; and the newest entry of those, if any.
-- Parameters: those of entries_back.
{entries_back}
SELECT coalesce(-sum(CASE WHEN kind = 0 THEN amount END), 0),
       coalesce(sum(CASE WHEN kind IN (1, 2) THEN amount END), 0),
       ulid_text(max("key"))
FROM entry;

-- name: insert_commit
-- A commit's own row: its header, its hash, and a mark of each row that it wrote.
INSERT INTO commit_rows
    (number, committed_ms, previous_hash, hash, records, house, first_bet_seq, last_bet_seq, first_entry, last_entry,
     marks)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: last_commit
-- The newest commit, from which the next one follows; no row where nothing was committed yet.
SELECT number, committed_ms, hash FROM commits ORDER BY number DESC LIMIT 1;

-- name: newest_commit
-- The number of the newest commit, 0 where there is none.
SELECT coalesce(max(number), 0) AS number FROM commits;

-- name: entries_after
-- What moved money after a commit, with the time of its own: ids rise with the commits.
SELECT commit_number, created_at, ref_type, ref_id, user_id, amount
FROM transaction_ledger WHERE "key" > coalesce((SELECT entry_key(committed_ms, number, 4294967295) FROM commit_rows
    WHERE number <= ? ORDER BY number DESC LIMIT 1), '') ORDER BY "key";

-- name: commit_time
-- When the newest commit up to a number was made: the ids of its entries begin with that time.
SELECT committed_ms FROM commits WHERE number <= ? ORDER BY number DESC LIMIT 1;

-- name: last_bet_seq
-- The row number of the newest bet, 0 where there is none: the next bet gets the next. Archives may hold all bets.
SELECT max(seq) FROM (SELECT coalesce(max(seq), 0) AS seq FROM bets UNION ALL SELECT cut_seq FROM cut) AS known;

-- name: bet
-- One bet, whoever's it is.
SELECT {bet_columns} FROM bets WHERE "key" = ulid_key(?);

-- name: insert_gesture
-- What the bets of a gesture share; they follow.
INSERT INTO gesture_rows (seq, id, taps, nonce, signature, created_commit, created_place) VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: gesture
-- What the bets of a gesture share, by its id.
SELECT {gesture_columns} FROM gestures WHERE "key" = ulid_key(?);

-- name: bets_by_id
-- The bets of many ids. A list goes in as one parameter: the statement's text is the same for every batch, so that it
-- is prepared once.
SELECT {bet_columns} FROM bets WHERE "key" IN (SELECT ulid_key(value) FROM json_each(?));

-- name: bets_on_cells
-- The bets taken on cells by players; the one parameter is a list of [column, low, high, number of the player].
SELECT {bet_columns} FROM bets WHERE refusal_code IS NULL AND (column_start_s, low_cents, high_cents, "user")
    IN (SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?));

-- name: bets_of_column
-- The row numbers of all bets taken on a column, also of those that a writer before this one has settled: the index
-- holds what is asked here, while the status would have to be read from each row, and bets wait meanwhile.
SELECT seq FROM bets WHERE column_start_s = ? AND refusal_code IS NULL;

-- name: ending_bets
-- The bets of a list of row numbers, in order of placing, less what their end asks nothing of; one parameter, the list.
SELECT {ending_columns} FROM bets WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY seq;

-- name: resolve_bet
-- End an open bet; of one that has ended it fails.
UPDATE bet_rows SET status = ?, resolved_after_ms = ? - placed_at, payout_amount = ?, resolved_commit = ?,
    resolved_place = ?
WHERE seq = ?;

-- name: insert_column
-- A column's evidence, on which its settlement begins.
INSERT INTO columns ({column_columns}) VALUES ({column_values});

-- name: finish_column
-- Say that a column's last bet was settled, once.
UPDATE columns SET settled_at = ?, settled_commit = ?, settled_place = ?
WHERE start_s = ? AND settled_commit IS NULL;

-- name: unfinished_columns
-- The columns whose settlement has begun and not ended, with what decides their bets.
SELECT start_s, covered, low, high FROM columns WHERE settled_commit IS NULL ORDER BY start_s;

-- name: newest_column
-- The start of the newest column whose settlement has begun, 0 where there is none.
SELECT coalesce(max(start_s), 0) FROM columns;

-- name: column_exists
-- Whether the settlement of a column has begun.
SELECT 1 FROM columns WHERE start_s = ?;

-- name: user_by_wallet
-- The account of a wallet, in lower case.
SELECT id, balance, created_at FROM users WHERE wallet_address = ?;

-- name: user
-- An account by its id.
SELECT id, wallet_address, balance, created_at FROM users WHERE id = ?;

-- name: user_by_guest_key
-- The account of a guest's key, and its address: the key's own, or that of the wallet that took it over.
SELECT id, balance, created_at, wallet_address FROM users WHERE guest_key = ?;

-- name: insert_user
-- Open an account, with nothing in it.
INSERT INTO users
    (id, wallet_address, guest_key, opened_by, opened_key, balance, version, created_at, updated_at, created_commit,
     created_place)
VALUES (?, ?, ?, ?, ?, 0, 0, ?, ?, ?, ?);

-- name: adoption
-- The address that an account had as a guest's, where a wallet has taken it over.
SELECT opened(guest_address, (SELECT key FROM player_keys WHERE player_keys.user_id = adoptions.user_id),
              'address ' || user_id)
FROM adoptions WHERE user_id = ?;

-- name: adopt_user
-- Give a guest's account to a wallet. No row back means that it is no guest's.
UPDATE users SET wallet_address = ? WHERE id = ? AND guest_key IS NOT NULL RETURNING id;

-- name: insert_adoption
-- The message by which a wallet took a guest's account over, and its signature.
INSERT INTO adoptions
    (user_id, guest_address, adopted_by, message, signature, created_at, created_commit, created_place)
VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- name: delegation_exists
-- Whether a login with a session key is stored already.
SELECT 1 FROM delegations WHERE id = ?;

-- name: session_key_holder
-- Whose session key an address or a P-256 key is; one account at most, but for keys from before this was looked at.
SELECT user_id FROM delegations WHERE found_by = ? AND user_id <> ? LIMIT 1;

-- name: insert_delegation
-- The message by which a wallet lets a session key sign bets, and its signature.
INSERT INTO delegations
    (id, user_id, session_key, message, signature, created_at, created_commit, created_place, found_by)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: operation
-- Looked up here and not in the ledger, which an archive may shorten one day: a reference counts for ever.
SELECT user_id, amount, entry_id, balance_after FROM operations WHERE kind = ? AND reference = ?;

-- name: insert_operation
-- A deposit, credit or adjustment: who ordered it and why, and the entry that it made.
INSERT INTO operations
    (reference, kind, user_id, amount, who, why, entry_id, balance_after, created_at, created_commit, created_place)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: deposits_since
-- A player's deposits after a time, oldest first: when, and how much. The demo credit is none.
SELECT created_at, amount FROM operations WHERE user_id = ? AND kind = 'deposit' AND created_at > ?
ORDER BY created_at;

-- name: withdrawal
-- A withdrawal as it stands.
SELECT id, user_id, amount, to_address, status, requested_at, reference, who, why, resolved_at
FROM withdrawals_shown WHERE id = ?;

-- name: withdrawal_by_nonce
-- The withdrawal that a player signed with a nonce.
SELECT id FROM withdrawals WHERE user_id = ? AND nonce = ?;

-- name: withdrawals_pending
-- How many withdrawals of a player wait for their payment.
SELECT count(*) FROM withdrawals WHERE user_id = ? AND status = 'pending';

-- name: withdrawal_reference
-- The withdrawal that a payment's reference ended already.
SELECT id FROM withdrawals WHERE reference = ?;

-- name: insert_withdrawal
-- A withdrawal that waits for its payment; its money is taken by the same commit.
INSERT INTO withdrawals
    (id, user_id, amount, to_address, status, nonce, signed_at_s, signature, requested_at, requested_commit,
     requested_place)
VALUES (?, ?, ?, ?, 'pending', ?, ?, ?, ?, ?, ?);

-- name: resolve_withdrawal
-- Complete or reverse a withdrawal. No row back means that it is not pending.
UPDATE withdrawals
SET status = ?, reference = ?, who = ?, why = ?, resolved_at = ?, resolved_commit = ?, resolved_place = ?
WHERE id = ? AND status = 'pending'
RETURNING user_id, amount;

-- name: idempotency_key
-- What a request with this key was answered, and the hash of its body, if it came after a time.
SELECT body_hash,
    opened(answer, (SELECT player_keys.key FROM player_keys WHERE player_keys.user_id = idempotency_keys.user_id),
           'answer ' || idempotency_keys.key)
FROM idempotency_keys WHERE user_id = ? AND route = ? AND key = ? AND created_at > ?;

-- name: insert_idempotency_key
-- Keep an answer for repeats; a key that was kept longer than it counts is used anew.
INSERT INTO idempotency_keys (user_id, route, key, body_hash, answer, created_at) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (user_id, route, key)
DO UPDATE SET body_hash = excluded.body_hash, answer = excluded.answer, created_at = excluded.created_at;

-- name: forget_idempotency_keys
-- Delete some of the keys from before a time, oldest first.
DELETE FROM idempotency_keys WHERE (user_id, route, key) IN
    (SELECT user_id, route, key FROM idempotency_keys WHERE created_at < ? ORDER BY created_at LIMIT 100);

-- name: insert_limits
-- A change of a player's own limits and when it takes effect.
INSERT INTO player_limits
    (id, user_id, stake_day_max_cents, loss_day_max_cents, cool_off_until_ms, excluded_until_ms, effective_ms,
     created_at, created_commit, stake_max_cents, deposit_day_max_cents, deposit_week_max_cents, reality_check_minutes,
     created_place)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: limits_exist
-- When a change that is stored already takes effect.
SELECT effective_ms FROM player_limits WHERE id = ?;

-- name: limits_of_user
-- The changes of a player's own limits that count or will, oldest first: from the newest that counts already on.
-- A change begins with a row that counts at once, so only those of the newest change are read.
-- Parameters: user, user, time.
SELECT {limit_columns}, effective_ms
FROM player_limits WHERE user_id = ? AND created_commit >= coalesce((
    SELECT created_commit FROM player_limits WHERE user_id = ? AND effective_ms <= ?
    ORDER BY created_commit DESC LIMIT 1), 0)
ORDER BY created_commit, created_place;

-- name: limit_changes_since
-- How many commits changed a player's own limits after a time, and when the first of them was.
-- Parameters: user, user, time.
SELECT count(DISTINCT created_commit), min(created_at) FROM player_limits
WHERE user_id = ? AND created_commit > coalesce((
    SELECT created_commit FROM player_limits WHERE user_id = ? AND created_at <= ?
    ORDER BY created_commit DESC LIMIT 1), 0);

-- name: override_exists
-- Whether an operator's word on the breaker is stored already.
SELECT 1 FROM breaker_overrides WHERE id = ?;

-- name: insert_override
-- An operator's word on the breaker.
INSERT INTO breaker_overrides (id, override, who, why, set_at, until_at, created_at, created_commit, created_place)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: open_from
-- The mark: the first column that may have open bets, 0 if nobody has set it yet.
SELECT coalesce(max(value), 0) FROM rules_in_force WHERE name = 'open_from_s';

-- name: set_open_from
-- Move the mark.
INSERT INTO rules_in_force (name, value) VALUES ('open_from_s', ?)
ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- name: column_seconds
-- The width of the columns that the open bets were placed on; no row where no writer has started yet.
SELECT value FROM rules_in_force WHERE name = 'column_seconds';

-- name: set_column_seconds
-- Remember the width for the bets to come.
INSERT INTO rules_in_force (name, value) VALUES ('column_seconds', ?)
ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- name: open_bets
-- The open bets: how many have the same cell, stake and rate.
-- A settled column has no open bet. So the columns are walked from the mark on, one seek each, and only the bets of
-- those that are not settled are read, those of columns without a record among them.
WITH RECURSIVE found (start_s) AS (
    SELECT min(column_start_s) FROM bets WHERE refusal_code IS NULL
        AND column_start_s >= (SELECT coalesce(max(value), 0) FROM rules_in_force WHERE name = 'open_from_s')
    UNION ALL
    SELECT (SELECT min(b.column_start_s) FROM bets b
            WHERE b.refusal_code IS NULL AND b.column_start_s > found.start_s)
    FROM found WHERE found.start_s IS NOT NULL
)
SELECT b.column_start_s, b.cell_id, b.amount, b.reward_rate, count(*)
FROM found CROSS JOIN bets b
WHERE NOT EXISTS (SELECT 1 FROM columns c WHERE c.start_s = found.start_s AND c.settled_commit IS NOT NULL)
    AND b.column_start_s = found.start_s AND b.refusal_code IS NULL AND b.status = 'confirmed'
GROUP BY b.column_start_s, b.cell_id, b.amount, b.reward_rate;

-- name: columns_with_bets
-- The next 500 columns after one start and up to another that have bets, and whether their settlement has begun.
-- The numbered steps walk bets_once_per_cell with one seek a column, however many bets it has.
WITH RECURSIVE found (start_s, step) AS (
    SELECT min(column_start_s), 1 FROM bets WHERE refusal_code IS NULL AND column_start_s > ?
    UNION ALL
    SELECT (SELECT min(b.column_start_s) FROM bets b
            WHERE b.refusal_code IS NULL AND b.column_start_s > found.start_s), step + 1
    FROM found WHERE found.start_s < ? AND step < 500
)
SELECT found.start_s, EXISTS (SELECT 1 FROM columns c WHERE c.start_s = found.start_s)
FROM found WHERE found.start_s <= ?
ORDER BY found.start_s;

-- name: buckets
-- All buckets of which bets have ended, of all models.
SELECT {bucket_columns} FROM buckets ORDER BY model_id, model_version, rate_from_bp, distance;

-- name: save_bucket
-- Keep what a column's end has changed of a bucket.
INSERT INTO buckets ({bucket_columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (model_id, model_version, rate_from_bp, distance)
DO UPDATE SET is_open = excluded.is_open, since_s = excluded.since_s, bets = excluded.bets,
    staked_cents = excluded.staked_cents, paid_cents = excluded.paid_cents, wealth = excluded.wealth,
    copier = excluded.copier;

-- name: insert_bucket_change
-- A bucket closed or opened: by whom, why, and what was known of it then.
INSERT INTO bucket_changes
    (id, model_id, model_version, rate_from_bp, distance, standing, who, why, bets, staked_cents, paid_cents, wealth,
     changed_at, changed_commit, changed_place)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: bucket_change_exists
-- Whether a command to open a bucket was followed already.
SELECT 1 FROM bucket_changes WHERE id = ?;

-- name: bucket_changes
-- All changes of buckets' standings, oldest first.
SELECT model_id, model_version, rate_from_bp, distance, standing, who, why, changed_at
FROM bucket_changes ORDER BY changed_commit, changed_place;

-- name: standing_before
-- How a bucket stood before a (commit, place); no row where it never changed until then.
SELECT standing FROM bucket_changes
WHERE model_id = ? AND model_version = ? AND rate_from_bp = ? AND distance = ?
    AND (changed_commit, changed_place) < (?, ?)
ORDER BY changed_commit DESC, changed_place DESC LIMIT 1;

-- name: cut
-- Where this database begins, and the week that it is the file of; null: it is the live one.
SELECT {cut_columns} FROM cut;

-- name: archived
-- What is recorded of a week's archive.
SELECT manifest, stored_as FROM archives WHERE week = ?;

-- name: insert_archive
-- A week's archive, verified where it is stored.
INSERT INTO archives
    (week, first_commit, cut_commit, last_commit, cut_seq, cut_entry, cut_hash, stored_as, manifest, created_at,
     created_commit, created_place)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: move_cut
-- The live database begins after the week that was archived last.
UPDATE cut SET cut_commit = ?, last_commit = ?, cut_seq = ?, cut_entry = ?, cut_hash = ? WHERE id = 1;

-- name: hash_of_commit
-- The hash of one commit.
SELECT hash FROM commits WHERE number = ?;

-- name: oldest_open_bet
-- The oldest open bet up to a row number, by the columns that may have open bets.
SELECT seq FROM bets WHERE refusal_code IS NULL AND status = 'confirmed' AND seq + 0 <= ?
    AND column_start_s >= (SELECT coalesce(max(value), 0) FROM rules_in_force WHERE name = 'open_from_s')
ORDER BY seq + 0 LIMIT 1;

-- name: rows_at_cut
-- Whether there are the bet and the entry that a cut names last, of commits up to it.
-- Parameters: row number, commit, entry, commit.
SELECT EXISTS (SELECT 1 FROM bets WHERE seq = ? AND placed_commit <= ?),
       EXISTS (SELECT 1 FROM transaction_ledger WHERE "key" = ulid_key(?) AND commit_number <= ?);

-- name: has_archived_rows
-- Whether rows are left that an archive holds: of bets, of entries.
SELECT EXISTS (SELECT 1 FROM bets WHERE seq <= (SELECT cut_seq FROM cut)),
       EXISTS (SELECT 1 FROM entry_rows WHERE id <= (SELECT ulid_key(cut_entry) FROM cut));

-- name: trim_bets
-- Let go of some bets that an archive holds, oldest first.
DELETE FROM bet_rows WHERE seq IN
    (SELECT seq FROM bet_rows WHERE seq <= (SELECT cut_seq FROM cut) ORDER BY seq LIMIT ?);

-- name: trim_entries
-- The same of entries. The table's trigger carries their sums on.
DELETE FROM entry_rows WHERE id IN
    (SELECT id FROM entry_rows WHERE id <= (SELECT ulid_key(cut_entry) FROM cut) ORDER BY id LIMIT ?);
