-- How the rows of bets and entries are written: runtime/game/rows.py makes their fields.

-- name: pricing
-- What bets were priced by, if bets after a row number were priced by it too and not many others since.
-- Parameters: row number, model, version, features.
SELECT seq FROM (SELECT * FROM pricings WHERE seq > ? ORDER BY seq DESC LIMIT 8) AS newest
WHERE model_id IS NOT DISTINCT FROM ? AND model_version IS NOT DISTINCT FROM ? AND features IS NOT DISTINCT FROM ?;

-- name: insert_pricing
-- What a bet was the first to be priced by.
INSERT INTO pricings (seq, model_id, model_version, features) VALUES (?, ?, ?, ?);

-- name: players
-- Of many players, by their ids in one list: the number of each, and the newest entry. RETURNING tells what a row has
-- become, so what it was is asked before a balance moves.
SELECT id, seq, last_entry_id FROM users WHERE id IN (SELECT value FROM json_each(?));

-- name: logins
-- Of logins with session keys, by their ids in one list: the number of each, and the key as it is stored.
SELECT id, seq, session_key FROM delegations WHERE id IN (SELECT value FROM json_each(?));

-- name: insert_bet
-- A judged bet, refused ones as well. Its signer is left out where its login names that key.
INSERT INTO bet_rows
    (seq, id, "user", cell_id, amount, reward_rate, status, placed_at, resolved_after_ms, payout_amount, refusal_code,
     refusal_detail, refusal_arguments, column_start_s, low_cents, high_cents, min_rate_bp, nonce, signed_after_s,
     signature, signer, delegation, received_after_ms, decided_after_ms, tick_after_ms, tick_close, volatility, pricing,
     model_after_ms, placed_commit, placed_place, resolved_commit, resolved_place, fill_delay_ms)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: insert_entry
-- An entry, and its link to the player's entry before it.
INSERT INTO entry_rows (id, "user", amount, balance_after, kind, ref, metadata, number, previous)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);
