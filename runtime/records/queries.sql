-- What players and operators read, each statement named and described. Those over `entry` begin with entries_back of
-- the ledger. Conditions that are chosen when a page is asked for go where `{conditions}` stands, each led by AND; the
-- fragments named if_... are all that there are.

-- name: events_range
-- Which bets a commit placed and which entries it made: first and last, null where there are none.
SELECT first_bet_seq, last_bet_seq, first_entry, last_entry FROM commits WHERE number = ?;

-- name: bets_placed_between
-- The bets from one row number to another.
SELECT {bet_columns} FROM bets WHERE seq BETWEEN ? AND ? ORDER BY seq;

-- name: bets_ended_by
-- The bets that a commit ended.
SELECT {bet_columns} FROM bets WHERE resolved_commit = ?;

-- name: entries_between
-- The entries from one id to another.
SELECT {entry_columns} FROM transaction_ledger WHERE "key" BETWEEN ulid_key(?) AND ulid_key(?)
ORDER BY "key";

-- name: columns_begun_by
-- The evidence of the columns whose settlement a commit began.
SELECT {column_columns} FROM columns WHERE begun_commit = ?;

-- name: columns_begun_after
-- The same, after a (commit, place) and up to a commit, at most so many.
SELECT {column_columns} FROM columns WHERE (begun_commit, begun_place) > (?, ?) AND begun_commit <= ?
ORDER BY begun_commit, begun_place LIMIT ?;

-- name: column
-- The evidence of one column; no row until it is settled.
SELECT {column_columns} FROM columns WHERE start_s = ?;

-- name: settled_of_column
-- The bets taken on a column, the numbers of their players, and what was paid out or back for each; after a
-- (low, high, player), at most so many.
SELECT {bet_columns}, "user", coalesce((SELECT amount FROM entry_rows
        WHERE id = entry_key(bets.resolved_at, bets.resolved_commit, bets.resolved_place + 1)
        AND kind IN (1, 2) AND ref = bets."key"), 0)
FROM bets WHERE column_start_s = ? AND refusal_code IS NULL AND (low_cents, high_cents, "user") > (?, ?, ?)
ORDER BY low_cents, high_cents, "user" LIMIT ?;

-- name: overrides
-- The newest words of operators on the breaker, at most so many, newest first.
SELECT set_at, override, until_at, who, why FROM breaker_overrides ORDER BY id DESC LIMIT ?;

-- name: refused_after
-- A player's refused bets after a (commit, place) and up to a commit, at most so many. The first commit at or after the
-- given one that has bets says where to begin; if there is none, nothing is read.
-- Parameters: user, commit, commit, place, last commit, limit.
SELECT {bet_columns} FROM bets WHERE "user" = ({user_seq}) AND refusal_code IS NOT NULL AND seq >=
    (SELECT first_bet_seq FROM commits WHERE number >= ? AND first_bet_seq IS NOT NULL ORDER BY number LIMIT 1)
    AND (placed_commit, placed_place) > (?, ?) AND placed_commit <= ? ORDER BY seq LIMIT ?;

-- name: refused_between
-- A player's bets refused in [from, to).
SELECT {bet_columns} FROM bets
WHERE "user" = ({user_seq}) AND refusal_code IS NOT NULL AND placed_at >= ? AND placed_at < ?;

-- name: ended_after
-- A player's bets that ended after a (commit, place) and up to a commit, in that order, at most so many.
-- One seek a commit: the range of commits alone would lead past the ends of everybody's bets.
-- Parameters: commit, last commit, user, commit, place, limit.
SELECT {bet_columns} FROM bets WHERE seq IN (
    SELECT bets.seq FROM commits CROSS JOIN bets
    WHERE commits.number >= ? AND commits.number <= ? AND bets.resolved_commit = commits.number
        AND bets."user" = ({user_seq})
        AND (bets.resolved_commit, bets.resolved_place) > (?, ?)
    ORDER BY commits.number, bets.resolved_place LIMIT ?
) ORDER BY resolved_commit, resolved_place;

-- name: place_of_bet_below
-- When and where the newest bet below a row number was placed.
SELECT placed_at, placed_commit, placed_place FROM bets WHERE seq < ? ORDER BY seq DESC LIMIT 1;

-- name: has_more_entries
-- Whether a player has more entries than so many; each bet that was taken has one.
SELECT 1 FROM users WHERE id = ? AND version > ?;

-- name: has_entry_from
-- Whether a player has an entry from an id on.
SELECT 1 FROM users WHERE id = ? AND last_entry_id >= ?;

-- name: page_of_bets
-- A page of a player's bets, newest first.
-- Parameters: those of the bets, limit, limit.
SELECT {bet_columns} FROM bets WHERE seq IN (SELECT seq FROM ({bets} LIMIT ?) AS newest) ORDER BY seq DESC LIMIT ?;

-- name: page_of_both
-- The same of bets that were taken and of refused ones: the newest of each.
-- Parameters: those of the ones, limit, those of the others, limit, limit.
SELECT {bet_columns} FROM bets
WHERE seq IN (SELECT seq FROM ({bets} LIMIT ?) AS ones UNION ALL SELECT seq FROM ({others} LIMIT ?) AS others)
ORDER BY seq DESC LIMIT ?;

-- name: still_open
-- Those of a player's newest bets, so many, that are open.
SELECT seq FROM ({bets} LIMIT ?) AS newest WHERE status = 'confirmed';

-- name: taken
-- The rest of a statement over `entry`: its bets, newest first.
-- CROSS JOIN keeps the order: entries first, since they come newest first and end at the limit.
FROM entry CROSS JOIN bets WHERE entry.kind = 0 AND bets."key" = entry.ref;

-- name: taken_bets
-- A player's bets that were taken, by their entries.
-- Parameters: those of entries_back, those of the conditions.
{entries_back} SELECT bets.seq {taken}{conditions};

-- name: taken_bets_with_status
-- The same, for still_open.
{entries_back} SELECT bets.seq, bets.status {taken};

-- name: open_stake
-- What a player has staked on those of their newest bets, so many, that are open.
-- Parameters: those of entries_back, bets to look at.
{entries_back}
SELECT coalesce(sum(amount), 0) FROM (SELECT bets.amount, bets.status {taken} LIMIT ?) AS newest
WHERE status = 'confirmed';

-- name: taken_on_cell
-- A player's bet on a cell that was taken.
-- Parameters: column, low, high, user, those of the conditions.
SELECT seq FROM bets WHERE refusal_code IS NULL AND column_start_s = ? AND low_cents = ? AND high_cents = ?
    AND "user" = ({user_seq}){conditions}
ORDER BY seq DESC;

-- name: taken_from_mark
-- A player's bets on columns from the mark on, before which nothing is open; those of others are passed over in the
-- index. What is computed from `seq` is no reason to walk the table instead of the index.
-- Parameters: user, those of the conditions.
SELECT seq FROM bets
WHERE refusal_code IS NULL AND "user" = ({user_seq}) AND column_start_s >= ({open_from}){conditions}
ORDER BY seq + 0 DESC;

-- name: refused_bets
-- A player's refused bets.
-- Parameters: user, those of the conditions.
SELECT seq FROM bets WHERE "user" = ({user_seq}) AND refusal_code IS NOT NULL{conditions} ORDER BY seq DESC;

-- name: first_bet_since
-- The least row number of a bet of an entry's commit or a later one; that of the next bet where there is none.
SELECT coalesce((SELECT first_bet_seq FROM commits
    WHERE first_bet_seq IS NOT NULL AND number >= entry_commit(ulid_key(?)) ORDER BY number LIMIT 1),
    (SELECT coalesce(max(seq), 0) + 1 FROM bets));

-- name: end_of_refused
-- Where a look at so many of a player's refused bets and one more ends; no row where there are not so many.
-- Parameters: user, those of the conditions, bets to look at.
SELECT seq FROM bets WHERE "user" = ({user_seq}) AND refusal_code IS NOT NULL{conditions}
ORDER BY seq DESC LIMIT 1 OFFSET ?;

-- name: if_below
-- Before a bet, by its row number.
seq < ?;

-- name: if_below_unindexed
-- The same where `seq` must not choose the index.
seq + 0 < ?;

-- name: if_placed_from
-- Placed at a moment or later.
placed_at >= ?;

-- name: if_placed_before
-- Placed before a moment.
placed_at < ?;

-- name: if_after_entry
-- Placed from a moment on, by the commit of the entry next to it: no index holds times of placing. Commits without an
-- entry may lie between, so this bounds the reading, and the time itself decides.
seq > coalesce((SELECT last_bet_seq FROM commits WHERE last_bet_seq IS NOT NULL AND number <=
    (SELECT entry_commit(id) FROM entry_rows WHERE id < ulid_key(?) ORDER BY id DESC LIMIT 1)
    ORDER BY number DESC LIMIT 1), 0);

-- name: if_before_entry
-- Placed before a moment, in the same way.
seq < coalesce((SELECT first_bet_seq FROM commits WHERE first_bet_seq IS NOT NULL AND number >=
    (SELECT entry_commit(id) FROM entry_rows WHERE id >= ulid_key(?) ORDER BY id LIMIT 1)
    ORDER BY number LIMIT 1), 9223372036854775807);

-- name: if_status
-- Of one status.
status = ?;

-- name: if_taken_status
-- Of one status, among bets by their entries.
bets.status = ?;

-- name: if_cell
-- On one cell.
cell_id = ?;

-- name: account
-- The newest commit, a player's balance, how many bets were looked at and the oldest one's entry, and those of the bets
-- that are open, in order of placing. One statement sees one state: these belong together.
-- Parameters: those of entries_back, bets to look at, user.
{entries_back}, page AS (SELECT entry."key" AS entry_key, bets.* {taken} LIMIT ?)
SELECT (SELECT coalesce(max(number), 0) FROM commits), users.balance,
       (SELECT count(*) FROM page), (SELECT ulid_text(min(entry_key)) FROM page), {page.bet_columns}
FROM users LEFT JOIN page ON page.status = 'confirmed'
WHERE users.id = ?
ORDER BY page.seq;

-- name: entries_of_bet
-- The entries about one bet: they come right after it was placed and after it ended. Their keys are found first: asked
-- for in a list of two, PostgreSQL reads all entries.
WITH about AS (SELECT "key", placed_at, placed_commit, placed_place, resolved_at, resolved_commit, resolved_place
    FROM bets WHERE "key" = ulid_key(?)),
near AS (SELECT "key" AS bet, entry_key(placed_at, placed_commit, placed_place + 1) AS entry FROM about
    UNION ALL SELECT "key", entry_key(resolved_at, resolved_commit, resolved_place + 1) FROM about)
SELECT {transaction_ledger.entry_columns}
FROM near CROSS JOIN transaction_ledger WHERE transaction_ledger."key" = near.entry
    AND transaction_ledger.kind <= 2 AND transaction_ledger.ref = near.bet;

-- name: entry_before
-- The entry that an entry follows, and the balance after it.
SELECT ulid_text(id), balance_after FROM entry_rows
WHERE id = (SELECT previous FROM entry_rows WHERE id = ulid_key(?));

-- name: oldest_commit
-- The first commit whose rows are all here; 1 as long as nothing was let go of.
SELECT max(number) FROM (
    SELECT last_commit + 1 AS number FROM cut
    UNION ALL SELECT number FROM (SELECT entry_commit(id) AS number FROM entry_rows ORDER BY id LIMIT 1) AS oldest
) AS known;

-- name: owner
-- An account with the guest's key that it was opened by, and the address that it had until a wallet took it over.
SELECT users.id, wallet_address, balance, users.created_at, guest_key, guest_address
FROM users LEFT JOIN adoptions ON adoptions.user_id = users.id WHERE users.id = ?;

-- name: names_of_account
-- What the chain covers of who an account is: whose it was last, the guest's key that it was opened by, and how a
-- wallet took it over. What is sealed comes as it lies.
SELECT coalesce(adopted_by, opened_by), opened_key, guest_address, message, signature
FROM users LEFT JOIN adoptions ON adoptions.user_id = users.id WHERE users.id = ?;

-- name: delegation
-- A login with a session key: what the wallet signed, or the guest's key itself.
SELECT id, session_key, message, signature, created_at, created_commit, user_id FROM delegations WHERE id = ?;

-- name: withdrawals_of_user
-- A page of a player's withdrawals below an id, newest first.
SELECT id, user_id, amount, to_address, status, requested_at, resolved_at, reference, who, why
FROM withdrawals_shown WHERE user_id = ? AND id < ? ORDER BY id DESC LIMIT ?;

-- name: withdrawals
-- What an operator lists, oldest first.
-- Parameters: those of the conditions, limit.
SELECT id, user_id, amount, to_address, status, requested_at, resolved_at, reference, who, why
FROM withdrawals_shown WHERE {which}{conditions} ORDER BY id LIMIT ?;

-- name: bets_with_tail
-- The bets whose ids lie in [from, to) and end with five letters, at most so many; the index of ids holds all of it.
SELECT id FROM bets WHERE "key" >= ulid_key(?) AND "key" < ulid_key(?) AND substr(id, 22) = ? ORDER BY "key" LIMIT ?;

-- name: withdrawals_with_tail
-- The same of withdrawals.
SELECT id FROM withdrawals WHERE id >= ? AND id < ? AND substr(id, 22) = ? ORDER BY id LIMIT ?;

-- name: owed
-- What the house owes: what all accounts hold, and how many withdrawals wait for their payment, of how much in all.
SELECT (SELECT coalesce(sum(balance), 0) FROM users), count(*), coalesce(sum(amount), 0)
FROM withdrawals WHERE status = 'pending';

-- name: deposits_named
-- The deposits of a list of references, with whose they are.
SELECT reference, amount, user_id, wallet_address FROM operations JOIN users ON users.id = user_id
WHERE kind = 'deposit' AND reference IN (SELECT value FROM json_each(?));

-- name: withdrawals_named
-- The withdrawals that a list of references ended, and those of a list of ids, with whose they are.
SELECT withdrawals_shown.id, reference, amount, status, user_id, to_address, wallet_address
FROM withdrawals_shown JOIN users ON users.id = user_id WHERE withdrawals_shown.id IN (
    SELECT id FROM withdrawals WHERE reference IN (SELECT value FROM json_each(?))
    UNION SELECT value FROM json_each(?));

-- name: deposits_between
-- The deposits of [from, to], and who entered them.
SELECT reference, amount, user_id, created_at, who FROM operations
WHERE kind = 'deposit' AND created_at BETWEEN ? AND ?;

-- name: completed_between
-- The withdrawals that were completed in [from, to], and by whom.
SELECT id, reference, amount, user_id, resolved_at, who FROM withdrawals
WHERE status = 'completed' AND resolved_at BETWEEN ? AND ?;

-- name: if_any
-- Whatever their status.
TRUE;

-- name: if_pending
-- Of those that wait. Spelled out, not as a parameter: so SQLite knows that the index of the pending ones will do.
status = 'pending';

-- name: if_of_user
-- Of one account.
user_id = ?;

-- name: if_after_id
-- After one of them, by its id.
id > ?;

-- name: open_columns
-- The columns that have open bets, at most so many: walked from the mark on, one seek each, without the settled ones.
WITH RECURSIVE found (start_s) AS (
    SELECT min(column_start_s) FROM bets WHERE refusal_code IS NULL AND column_start_s >= ({open_from})
    UNION ALL
    SELECT (SELECT min(b.column_start_s) FROM bets b
            WHERE b.refusal_code IS NULL AND b.column_start_s > found.start_s)
    FROM found WHERE found.start_s IS NOT NULL
)
SELECT start_s FROM found
WHERE start_s IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM columns c WHERE c.start_s = found.start_s AND c.settled_commit IS NOT NULL)
ORDER BY start_s LIMIT ?;

-- name: open_on_cells
-- The open bets of a column by cell: of so many of its bets after a (low, high, player) the last player of each cell,
-- how many were looked at, how many of them are open, their stakes and their payouts.
SELECT low_cents, high_cents, max("user"), count(*), coalesce(sum(is_open), 0), coalesce(sum(is_open * amount), 0),
       coalesce(sum(is_open * (amount * reward_rate / 10000)), 0)
FROM (SELECT low_cents, high_cents, "user", amount, reward_rate, CASE status WHEN 0 THEN 1 ELSE 0 END AS is_open
      FROM bet_rows WHERE column_start_s = ? AND refusal_code IS NULL AND (low_cents, high_cents, "user") > (?, ?, ?)
      ORDER BY low_cents, high_cents, "user" LIMIT ?) AS slice
GROUP BY low_cents, high_cents ORDER BY low_cents, high_cents;

-- name: last_bet_by
-- The row number of the newest bet that was judged up to a moment, 0 where there is none. Commits are numbered without
-- gaps in the order of their times, so the last one by then is found by halving.
-- Parameters: time, time.
WITH RECURSIVE span (low, high) AS (
    SELECT (SELECT coalesce(min(number), 1) - 1 FROM commits), (SELECT coalesce(max(number), 0) FROM commits)
    UNION ALL
    SELECT CASE WHEN middle.committed_ms <= ? THEN middle.number ELSE low END,
           CASE WHEN middle.committed_ms <= ? THEN high ELSE middle.number - 1 END
    FROM span CROSS JOIN commits AS middle WHERE low < high AND middle.number = (low + high + 1) / 2
)
SELECT coalesce((SELECT last_bet_seq FROM commits WHERE last_bet_seq IS NOT NULL
    AND number <= (SELECT low FROM span WHERE low = high) ORDER BY number DESC LIMIT 1), 0);

-- name: ledger_size
-- How much a ledger holds: newest commit, accounts, bets, head of the chain.
SELECT number, (SELECT count(*) FROM users), (SELECT count(*) FROM bets), hash
FROM commits ORDER BY number DESC LIMIT 1;

-- name: withdrawal_commit
-- The commit by which a withdrawal was asked for.
SELECT requested_commit FROM withdrawals WHERE id = ?;
