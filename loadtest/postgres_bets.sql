-- What bets.sql makes on SQLite, made by PostgreSQL itself: the same players, bets, entries and commits, whose ids are
-- texts here. `i` is a bet's number; what is in braces is filled in by bets.py.

-- name: accounts
INSERT INTO users (id, wallet_address, opened_by, balance, created_at, updated_at, created_commit, created_place)
SELECT '01U' || lpad(i::text, 23, '0'), wallet, wallet, {credit_cents}, {now_ms}, {now_ms}, 1, i
FROM (SELECT i, '0x' || lpad(to_hex(i * 2654435761 % 4294967296), 8, '0') || lpad(to_hex(i), 32, '0') AS wallet
    FROM generate_series(?::bigint, ?::bigint) AS i) AS account

-- name: taps
WITH n AS (SELECT i FROM generate_series(?::bigint, ?::bigint) AS i),
tap AS (
    SELECT i, '01A' || lpad(i::text, 23, '0') AS id, {user} + 1 AS "user", {start_s} AS start_s,
        {low_cents} AS low_cents, ({won})::integer AS won, i / 100 + 1 AS placed_commit, 4 * (i % 100) AS place,
        (i - 1) / {users} AS earlier,
        '01B' || lpad((i / 100 + 1)::text, 13, '0') || lpad((4 * (i % 100) + 1)::text, 10, '0') AS stake_id,
        '01B' || lpad((i / 100 + 1)::text, 13, '0') || lpad((4 * (i % 100) + 3)::text, 10, '0') AS payout_id,
        CASE WHEN i > {users} THEN '01B' || lpad(((i - {users}) / 100 + 1)::text, 13, '0')
            || lpad((4 * ((i - {users}) % 100) + 1 + 2 * ({won})::integer)::text, 10, '0') END AS id_before
    FROM n
)

-- name: bets
SELECT
    i, id, "user", NULL, {stake_cents}, {rate_bp}, CASE {settled} WHEN 1 THEN 2 - won ELSE 0 END,
    1000 * start_s - 20000, CASE {settled} WHEN 1 THEN 26500 END, CASE {settled} WHEN 1 THEN won * {payout_cents} END,
    NULL, NULL, NULL, start_s, low_cents, low_cents + {row_cents}, 10000, lpad(to_hex(i), 32, '0'), 0,
    '0x' || lpad(to_hex(i), 130, '0'), '0x' || lpad(to_hex(i), 40, '0'), NULL, -10, 9990, -50, {price_cents}, 201.23456,
    1, 0, placed_commit, place, CASE {settled} WHEN 1 THEN placed_commit + {later} END,
    CASE {settled} WHEN 1 THEN place + 2 END, NULL
FROM tap

-- name: stakes
SELECT stake_id, "user", -{stake_cents}, {credit_cents}, 0, id, NULL, earlier * (1 + won) + 1, id_before, {entered_ms},
    placed_commit, place + 1
FROM tap

-- name: payouts
SELECT payout_id, "user", {payout_cents}, {credit_cents}, 1, id, NULL, earlier * 2 + 2, stake_id, {entered_ms},
    placed_commit, place + 3
FROM tap WHERE won = 1

-- name: last_entries
UPDATE users SET version = tap.earlier * (1 + tap.won) + 1 + tap.won,
    last_entry_id = CASE tap.won WHEN 1 THEN tap.payout_id ELSE tap.stake_id END
FROM tap WHERE users.seq = tap."user"

-- name: columns
SELECT {first_s} + 5 * i, {first_s} + 5 * (i + 1), 1, {price_cents}, {price_cents}, {price_cents}, {price_cents}, 50,
    repeat('0', 64), 1000 * ({first_s} + 5 * i), 1000 * ({first_s} + 5 * i), NULL,
    1000 * ({first_s} + 5 * i) + 6500, i * {column_commits} + {later}, 0,
    1000 * ({first_s} + 5 * i) + 6500, i * {column_commits} + {later}, 1
FROM n

-- name: commits
SELECT i, 1000::bigint * {first_s}, zeroblob(32), zeroblob(32), 325, '{{}}', 100 * i - 100, 100 * i - 1, NULL, NULL,
    zeroblob(4 * 325)
FROM n
