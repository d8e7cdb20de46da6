-- The keys of players and what is known of those who were forgotten.

-- name: key
-- A player's key; zeros where it was destroyed.
SELECT key FROM player_keys WHERE user_id = ?;

-- name: insert_key
-- A player's key, made when something of theirs is sealed for the first time.
INSERT INTO player_keys (user_id, key) VALUES (?, ?);

-- name: destroy_key
-- Overwrite a key where it lies.
UPDATE player_keys SET key = zeroblob(32) WHERE user_id = ?;

-- name: erasure
-- By whom a player was forgotten, why and when.
SELECT user_id, who, why, created_at FROM erasures WHERE user_id = ?;

-- name: erasures
-- All players who were forgotten, in the order of commits.
SELECT user_id, who, why, created_at FROM erasures ORDER BY created_commit, created_place;

-- name: insert_erasure
-- That a player was forgotten.
INSERT INTO erasures (user_id, who, why, created_at, created_commit, created_place) VALUES (?, ?, ?, ?, ?, ?);

-- name: wipe_names
-- Let an account be found by its id only.
UPDATE users SET wallet_address = ?, guest_key = NULL WHERE id = ?;

-- name: wipe_session_keys
-- The same of its logins.
UPDATE delegations SET found_by = NULL WHERE user_id = ? AND found_by IS NOT NULL;

-- name: standing
-- What must have ended before a player may be forgotten: what the account holds, whether its own first row is sealed,
-- when anything of the player's was written last, until when they have shut themselves out, how many withdrawals are
-- pending, and whether a bet is open. Parameters: mark of the open columns, user.
SELECT balance, opened_by LIKE 'sealed:%',
    max(updated_at,
        coalesce((SELECT max(created_at) FROM delegations WHERE user_id = users.id), 0),
        coalesce((SELECT max(created_at) FROM player_limits WHERE user_id = users.id), 0),
        coalesce((SELECT max(coalesce(resolved_at, requested_at)) FROM withdrawals WHERE user_id = users.id), 0)),
    coalesce((SELECT max(coalesce(excluded_until_ms, 0)) FROM player_limits WHERE user_id = users.id), 0),
    (SELECT count(*) FROM withdrawals WHERE user_id = users.id AND status = 'pending'),
    EXISTS (SELECT 1 FROM bet_rows
            WHERE refusal_code IS NULL AND column_start_s >= ? AND "user" = users.seq AND status = 0)
FROM users WHERE id = ?;
