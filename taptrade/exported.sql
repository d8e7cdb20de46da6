-- What is held about a player, by account. Times are Unix milliseconds, money is cents; what is sealed comes as it is.

-- name: account
-- The account itself, and how a wallet took it over.
SELECT users.id, balance, version, users.created_at, opened_by, opened_key, guest_address, adopted_by, message,
       signature, adoptions.created_at AS adopted_at
FROM users LEFT JOIN adoptions ON adoptions.user_id = users.id WHERE users.id = ?;

-- name: logins
-- Sign-ins that let a session key sign.
SELECT id, created_at, session_key, message, signature FROM delegations WHERE user_id = ? ORDER BY seq;

-- name: limits
-- Limits and self-exclusions that the player set.
SELECT id, created_at, effective_ms AS effective_at, {limit_columns} FROM player_limits WHERE user_id = ?
ORDER BY created_commit, created_place;

-- name: withdrawals
-- Money that the player asked for.
SELECT id, amount AS amount_cents, to_address, status, nonce, signed_at_s * 1000 AS signed_at, signature, requested_at,
       resolved_at, reference, who, why
FROM withdrawals WHERE user_id = ? ORDER BY id;

-- name: operations
-- Deposits, credits and adjustments.
SELECT reference, kind, amount AS amount_cents, who, why, entry_id, created_at
FROM operations WHERE user_id = ? ORDER BY created_commit, created_place;

-- name: refused
-- Bets that were not taken, of rows in (after, up to].
SELECT {bet_columns} FROM bets WHERE "user" = (SELECT users.seq FROM users WHERE users.id = ?)
    AND refusal_code IS NOT NULL AND seq > ? AND seq <= ? ORDER BY seq DESC LIMIT ?;

-- name: weeks
-- The weeks that were archived, newest first.
SELECT week FROM archives ORDER BY last_commit DESC;
