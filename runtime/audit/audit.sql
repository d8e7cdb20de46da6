-- The statements of the audit: the rows that commits wrote, as the hash chain covers them, and the recount of money.

-- Each `written_...` reads the rows of one kind of record: when they were written, their key, what they lie near in the
-- table (the span that a commit's header names, or the column), and then what was hashed of them. That order stays for
-- ever, since the hashes of all commits depend on it.

-- name: written_user
-- Accounts opened.
SELECT created_commit AS written_commit, created_place AS written_place, id AS row_key, NULL AS near,
       id, opened_by, created_at, opened_key
FROM users;

-- name: written_adoption
-- Guests' accounts that a wallet took over.
SELECT created_commit AS written_commit, created_place AS written_place, user_id AS row_key, NULL AS near,
       user_id, guest_address, adopted_by, message, signature, created_at, created_commit
FROM adoptions;

-- name: written_entry
-- Ledger entries.
SELECT commit_number AS written_commit, place AS written_place, id AS row_key, "key" AS near, {entry_columns}
FROM transaction_ledger;

-- name: written_gesture
-- What the bets of gestures share.
SELECT created_commit AS written_commit, created_place AS written_place, "key" AS row_key, seq AS near,
       {gesture_columns}
FROM gestures;

-- name: written_bet
-- Bets as they were placed.
SELECT placed_commit AS written_commit, placed_place AS written_place, "key" AS row_key, seq AS near, {placed_columns}
FROM bets;

-- name: written_resolved
-- Bets as they ended.
SELECT resolved_commit AS written_commit, resolved_place AS written_place, "key" AS row_key, NULL AS near,
       id, status, resolved_at, payout_amount
FROM bets;

-- name: written_column
-- The evidence of columns.
SELECT begun_commit AS written_commit, begun_place AS written_place, start_s AS row_key, NULL AS near,
       {evidence_columns}
FROM columns;

-- name: written_settled
-- The ends of columns' settlements.
SELECT settled_commit AS written_commit, settled_place AS written_place, start_s AS row_key, start_s AS near,
       start_s, settled_at
FROM columns;

-- name: written_operation
-- Deposits, credits and adjustments.
SELECT created_commit AS written_commit, created_place AS written_place, kind || ' ' || reference AS row_key,
       NULL AS near,
       reference, kind, user_id, amount, who, why, entry_id, balance_after, created_at, created_commit
FROM operations;

-- name: written_delegation
-- Logins with a session key.
SELECT created_commit AS written_commit, created_place AS written_place, id AS row_key, NULL AS near,
       id, user_id, session_key, message, signature, created_at, created_commit
FROM delegations;

-- name: written_limits
-- Changes of players' own limits.
SELECT created_commit AS written_commit, created_place AS written_place, id AS row_key, NULL AS near,
       id, user_id, stake_day_max_cents, loss_day_max_cents, cool_off_until_ms, excluded_until_ms, effective_ms,
       created_at, created_commit, stake_max_cents, deposit_day_max_cents, deposit_week_max_cents,
       reality_check_minutes
FROM player_limits;

-- name: written_withdrawal
-- Withdrawals as they were asked for.
SELECT requested_commit AS written_commit, requested_place AS written_place, id AS row_key, NULL AS near,
       id, user_id, amount, to_address, nonce, signed_at_s, signature, requested_at, requested_commit
FROM withdrawals;

-- name: written_withdrawal_resolved
-- Withdrawals as they ended.
SELECT resolved_commit AS written_commit, resolved_place AS written_place, id AS row_key, NULL AS near,
       id, status, reference, who, why, resolved_at, resolved_commit
FROM withdrawals;

-- name: written_override
-- Operators' words on the breaker.
SELECT created_commit AS written_commit, created_place AS written_place, id AS row_key, NULL AS near,
       id, override, who, why, set_at, until_at, created_at, created_commit
FROM breaker_overrides;

-- name: written_standing
-- Buckets closed and opened.
SELECT changed_commit AS written_commit, changed_place AS written_place, id AS row_key, NULL AS near,
       id, model_id, model_version, rate_from_bp, distance, standing, who, why, bets, staked_cents, paid_cents, wealth,
       changed_at, changed_commit
FROM bucket_changes;

-- name: written_archive
-- Weeks recorded as archived.
SELECT created_commit AS written_commit, created_place AS written_place, week AS row_key, NULL AS near,
       week, first_commit, cut_commit, last_commit, cut_seq, cut_entry, cut_hash, stored_as, manifest, created_at,
       created_commit
FROM archives;

-- name: written_erasure
-- Players who were forgotten.
SELECT created_commit AS written_commit, created_place AS written_place, user_id AS row_key, NULL AS near,
       user_id, who, why, created_at, created_commit
FROM erasures;

-- name: walk
-- All rows of a kind in the order of commits.
SELECT * FROM ({written}) AS written
WHERE written_commit IS NOT NULL ORDER BY written_commit, written_place;

-- name: walk_by_key
-- The same of tables whose keys rise with the commits, without a sort, which would take the memory of the whole table.
SELECT * FROM ({written}) AS written ORDER BY near;

-- name: by_key
-- The row of a kind with a key.
SELECT * FROM ({written}) AS written WHERE row_key = ?;

-- name: by_bet
-- The same of a bet, by its id.
SELECT * FROM ({written}) AS written WHERE row_key = ulid_key(?);

-- name: of_commit
-- The rows of a kind that a commit wrote.
SELECT * FROM ({written}) AS written WHERE written_commit = ?;

-- name: of_commit_named
-- The same, of those whose keys lie in a span. Parameters: commit, from, to.
SELECT * FROM ({written}) AS written WHERE written_commit = ? AND row_key BETWEEN ? AND ?;

-- name: of_commit_near
-- The same, without a walk over the table, where it is known what they lie near.
-- Parameters: commit, from, to.
SELECT * FROM ({written}) AS written WHERE written_commit = ? AND near BETWEEN ulid_key(?) AND ulid_key(?);

-- name: commits
-- The chain: each commit's header, its hash and its marks.
SELECT {header_columns}, hash, marks FROM commits ORDER BY number;

-- name: commit
-- One commit of the chain.
SELECT {header_columns}, hash, marks FROM commits WHERE number = ?;

-- name: neighbours
-- The two commits around one.
SELECT number, previous_hash, hash FROM commits WHERE number IN (?, ?)
UNION ALL SELECT cut_commit, '', cut_hash FROM cut
WHERE cut_commit > 0 AND NOT EXISTS (SELECT 1 FROM commits WHERE number = cut_commit);

-- name: newest_head
-- Number and hash of the newest commit; no row where nothing was committed yet.
SELECT number, hash FROM commits ORDER BY number DESC LIMIT 1;

-- name: hashes_of
-- The hashes of many commits, by their numbers in one list.
SELECT number, hash FROM commits WHERE number IN (SELECT CAST(value AS BIGINT) FROM json_each(?));

-- name: commit_hash
-- The hash of one commit.
SELECT hash FROM commits WHERE number = ?;

-- name: house
-- What each commit says the house gained, by kind of entry.
SELECT number, house FROM commits;

-- name: oldest_entry
-- The commit of the oldest entry that is here, and whether that commit made entries before it.
SELECT commits.number, ulid_text(oldest.id) > commits.first_entry
FROM (SELECT id FROM entry_rows ORDER BY id LIMIT 1) AS oldest
JOIN commits ON commits.number = entry_commit(oldest.id);

-- name: opening_balances
-- What the entries that are not here any more came to.
SELECT user_id, balance, number, last_entry_id, updated_at FROM opening_balances;

-- name: newest_archive
-- Where the week that was archived last was cut.
SELECT cut_commit, last_commit, cut_seq, cut_entry, cut_hash FROM archives ORDER BY last_commit DESC LIMIT 1;

-- name: archives
-- What the archives hold, oldest first.
SELECT week, manifest FROM archives ORDER BY last_commit;

-- name: entries
-- All entries in their order.
SELECT id, coalesce(user_id, 'number ' || "user"), amount, balance_after, ref_type, created_at, commit_number, place,
       number, previous_id
FROM transaction_ledger ORDER BY "key";

-- name: users
-- All accounts.
SELECT id, balance, version, created_at, updated_at, last_entry_id FROM users ORDER BY id;

-- name: bets
-- All bets, with their columns' evidence and their entries.
SELECT bets.seq, bets.id, bets.status, bets.amount, bets.reward_rate, bets.payout_amount, bets.low_cents,
       bets.high_cents, bets.model_id, bets.model_version, bets.model_now_ms,
       bets.column_start_s, columns.start_s, columns.end_s, columns.settled_commit IS NOT NULL,
       columns.covered, columns.low, columns.high,
       paid.amount, paid."user" = bets."user", CASE ended.kind WHEN 1 THEN ended.amount END,
       CASE ended.kind WHEN 1 THEN ended."user" = bets."user" END, CASE ended.kind WHEN 2 THEN ended.amount END,
       CASE ended.kind WHEN 2 THEN ended."user" = bets."user" END
FROM bets
LEFT JOIN columns ON columns.start_s = bets.column_start_s
LEFT JOIN entry_rows AS paid ON paid.id = entry_key(bets.placed_at, bets.placed_commit, bets.placed_place + 1)
    AND paid.kind = 0 AND paid.ref = bets."key"
LEFT JOIN entry_rows AS ended ON ended.id = entry_key(bets.resolved_at, bets.resolved_commit, bets.resolved_place + 1)
    AND ended.kind IN (1, 2) AND ended.ref = bets."key"
ORDER BY bets.seq;

-- name: bets_of_gestures
-- The bets without a nonce of their own, each with what the gesture before it says.
SELECT bets.id, bets.cell_id, bets.amount, bets.min_rate_bp, gestures.id, taps, gestures.nonce, gestures.signature
FROM bets LEFT JOIN gestures ON gestures.seq = (SELECT max(seq) FROM gesture_rows WHERE gesture_rows.seq <= bets.seq)
WHERE bets.nonce = '' ORDER BY bets.seq;

-- name: gestures_without_bets
-- Gestures whose first bet is not there. Of those that an archive holds the bets may be gone.
SELECT id FROM gestures WHERE seq > (SELECT cut_seq FROM cut) AND NOT EXISTS
    (SELECT 1 FROM bet_rows WHERE bet_rows.seq = gestures.seq AND placed_commit = created_commit);

-- name: lost_references
-- Entries that refer to what is not there, or is there for another player or amount. A bet's entry stands right behind
-- the position at which it was placed or ended, so each has one of a kind.
-- A bet in an archive may have been paid after the cut, up to the archive's last commit.
SELECT id, ref_type, ref_id FROM transaction_ledger AS entry
WHERE (kind <= 2 AND NOT EXISTS (SELECT 1 FROM bets WHERE bets."key" = entry.ref AND entry."key" = CASE entry.kind
           WHEN 0 THEN entry_key(bets.placed_at, bets.placed_commit, bets.placed_place + 1)
           ELSE entry_key(bets.resolved_at, bets.resolved_commit, bets.resolved_place + 1) END)
       AND commit_number > (SELECT CASE entry.kind WHEN 0 THEN cut_commit ELSE last_commit END FROM cut))
   OR (ref_type IN ('WITHDRAWAL', 'WITHDRAWAL_REVERSAL')
       AND NOT EXISTS (SELECT 1 FROM withdrawals WHERE id = entry.ref_id))
   OR (ref_type = 'DEPOSIT' AND NOT EXISTS
       (SELECT 1 FROM operations WHERE reference = entry.ref_id AND kind IN ('deposit', 'credit')
        AND user_id = entry.user_id AND amount = entry.amount))
   OR (ref_type = 'ADJUSTMENT' AND NOT EXISTS
       (SELECT 1 FROM operations WHERE reference = entry.ref_id AND kind = 'adjust'
        AND user_id = entry.user_id AND amount = entry.amount));

-- name: withdrawals
-- All withdrawals with the entries that took and gave back their money, and whether an archive may hold these.
-- That a kind is above 2 is what the index says of itself; SQLite does not conclude it.
SELECT withdrawals.id, withdrawals.amount, withdrawals.status, taken.amount, given.amount,
       withdrawals.requested_commit <= cut.cut_commit, coalesce(withdrawals.resolved_commit, 0) <= cut.cut_commit
FROM withdrawals CROSS JOIN cut
LEFT JOIN entry_rows AS taken ON taken.kind = 4 AND taken.kind > 2 AND taken.ref = ulid_key(withdrawals.id)
LEFT JOIN entry_rows AS given ON given.kind = 5 AND given.kind > 2 AND given.ref = ulid_key(withdrawals.id);

-- name: keys_that_are_wrong
-- Accounts whose key is not as it should be: destroyed, and nothing to be found by, if and only if they were forgotten.
SELECT users.id, erasures.user_id IS NOT NULL
FROM users LEFT JOIN erasures ON erasures.user_id = users.id LEFT JOIN player_keys ON player_keys.user_id = users.id
WHERE CASE WHEN erasures.user_id IS NULL THEN (key IS NULL AND opened_by LIKE 'sealed:%') OR key = zeroblob(32)
        OR wallet_address LIKE 'not-stored-here:%'
    ELSE key IS DISTINCT FROM zeroblob(32) OR wallet_address NOT LIKE 'not-stored-here:%' OR guest_key IS NOT NULL END;

-- name: names
-- What accounts and logins are found by, each beside what its commit says of it.
SELECT 'users', users.id, wallet_address, opened(coalesce(adopted_by, opened_by), key, 'address ' || users.id),
       guest_key, opened(opened_key, key, 'guest_key ' || users.id)
FROM users LEFT JOIN adoptions ON adoptions.user_id = users.id
LEFT JOIN player_keys ON player_keys.user_id = users.id
WHERE users.id NOT IN (SELECT user_id FROM erasures)
UNION ALL
SELECT 'delegations', id, found_by, CASE WHEN delegations.user_id IN (SELECT user_id FROM erasures) THEN NULL
    ELSE opened(session_key, key, 'session_key ' || id) END, NULL, NULL
FROM delegations LEFT JOIN player_keys ON player_keys.user_id = delegations.user_id;

-- name: operations_without_entry
-- Operations that no entry of their amount tells of.
SELECT kind || ' ' || reference FROM operations
WHERE created_commit > (SELECT cut_commit FROM cut) AND NOT EXISTS
(SELECT 1 FROM entry_rows CROSS JOIN users
 WHERE users.seq = entry_rows."user" AND entry_rows.kind > 2
 AND entry_rows.kind = CASE operations.kind WHEN 'adjust' THEN 6 ELSE 3 END
 AND entry_rows.ref = ulid_key(reference) AND users.id = operations.user_id AND entry_rows.amount = operations.amount);
