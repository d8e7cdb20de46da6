-- What tells who a player is lies sealed in the rows that commits write, by a key of that player's which is destroyed when
-- the player is forgotten: ADR 26. Beside it the live database keeps, open, what is looked up by. What is sealed begins
-- with `sealed:`; rows from before hold what they held.

-- One key a player, in the order in which they were made: rows are added at the end and never move, so no copy of a key is
-- left in another page. A destroyed key is overwritten with zeros. No archive holds this table, and no hash covers it.
CREATE TABLE player_keys (
    number  INTEGER NOT NULL PRIMARY KEY,
    user_id TEXT    NOT NULL UNIQUE REFERENCES users (id) DEFERRABLE INITIALLY DEFERRED,
    key     BLOB    NOT NULL CHECK (length(key) = 32)
) STRICT;

-- Players who were forgotten: by whom, why and when.
CREATE TABLE erasures (
    user_id        TEXT    NOT NULL PRIMARY KEY REFERENCES users (id),
    who            TEXT    NOT NULL,
    why            TEXT    NOT NULL,
    created_at     INTEGER NOT NULL,
    created_commit INTEGER NOT NULL,
    created_place  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER erasures_are_append_only BEFORE UPDATE ON erasures
BEGIN
    SELECT raise(ABORT, 'erasures is append-only');
END;

CREATE TRIGGER erasures_keep_their_rows BEFORE DELETE ON erasures
BEGIN
    SELECT raise(ABORT, 'erasures rows are never deleted');
END;

-- What the commits that opened an account and gave it to a wallet wrote. `wallet_address` and `guest_key` are what an
-- account is found by; of a forgotten player, and in the file of a week, they name nobody.
ALTER TABLE users ADD COLUMN opened_by TEXT;
ALTER TABLE users ADD COLUMN opened_key TEXT;
ALTER TABLE adoptions ADD COLUMN adopted_by TEXT;

UPDATE users SET opened_key = guest_key,
    opened_by = coalesce((SELECT guest_address FROM adoptions WHERE adoptions.user_id = users.id), wallet_address);
UPDATE adoptions SET adopted_by = (SELECT wallet_address FROM users WHERE users.id = adoptions.user_id);

-- `session_key` is what the commit wrote; `found_by` the key by which its account is found.
ALTER TABLE delegations ADD COLUMN found_by TEXT;
UPDATE delegations SET found_by = session_key;
DROP INDEX delegations_by_key;
CREATE INDEX delegations_by_key ON delegations (found_by) WHERE found_by IS NOT NULL;
CREATE INDEX delegations_of_user ON delegations (user_id);

-- A signature of more than 65 bytes is a sealed one, and so is a signer of more than 20.
DROP VIEW bets;
CREATE VIEW bets AS SELECT
    seq, ulid_text(id) AS id, (SELECT users.id FROM users WHERE users.seq = user) AS user_id,
    coalesce(cell_id, column_start_s || '_' || low_cents || '_' || high_cents) AS cell_id, amount, reward_rate,
    CASE status WHEN 0 THEN 'confirmed' WHEN 1 THEN 'won' WHEN 2 THEN 'lost' WHEN 3 THEN 'void' WHEN 4 THEN 'refused'
        WHEN 5 THEN 'insufficient_funds' END AS status,
    placed_at, placed_at + resolved_after_ms AS resolved_at, payout_amount, refusal_code, refusal_detail,
    refusal_arguments, column_start_s, low_cents, high_cents, min_rate_bp,
    CASE typeof(nonce) WHEN 'blob' THEN lower(hex(nonce)) ELSE nonce END AS nonce,
    placed_at / 1000 + signed_after_s AS signed_at_s,
    CASE typeof(signature) WHEN 'blob' THEN iif(length(signature) > 65, 'sealed:', '0x') || lower(hex(signature))
        ELSE signature END AS signature,
    CASE typeof(signer) WHEN 'blob' THEN iif(length(signer) > 20, 'sealed:', '0x') || lower(hex(signer))
        WHEN 'text' THEN signer
        ELSE (SELECT session_key FROM delegations WHERE delegations.seq = delegation) END AS signer,
    (SELECT delegations.id FROM delegations WHERE delegations.seq = delegation) AS delegation_id,
    placed_at + received_after_ms AS received_ms, placed_at + decided_after_ms AS decided_by_ms,
    placed_at + tick_after_ms AS tick_id, tick_close, volatility,
    (SELECT features FROM pricings WHERE pricings.seq = pricing) AS features,
    (SELECT model_id FROM pricings WHERE pricings.seq = pricing) AS model_id,
    (SELECT model_version FROM pricings WHERE pricings.seq = pricing) AS model_version,
    placed_at + model_after_ms AS model_now_ms, placed_commit, placed_place, resolved_commit, resolved_place,
    fill_delay_ms, id AS "key", user, status AS status_code
FROM bet_rows;

-- Where a withdrawal goes, as whoever may pay it sees it.
CREATE VIEW withdrawals_shown AS SELECT
    id, user_id, amount,
    opened(to_address, (SELECT key FROM player_keys WHERE player_keys.user_id = withdrawals.user_id), 'to_address ' || id)
        AS to_address,
    status, requested_at, resolved_at, reference, who, why
FROM withdrawals;
