-- Rows of the live schema, made by SQLite itself: nothing is bound but the numbers of the first and the last bet.
-- `i` is a bet's number; what is in braces is filled in by bets.py.

-- name: taps
-- What the rows of a bet have in common. Commits are of a hundred bets, each of two changes.
WITH RECURSIVE n(i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i < ?),
tap AS (
    SELECT i, printf('01A%023d', i) AS id, printf('01U%023d', {user}) AS user_id, {start_s} AS start_s,
        {low_cents} AS low_cents, {won} AS won, i / 100 + 1 AS placed_commit, 2 * (i % 100) AS place,
        (i - 1) / {users} AS earlier
    FROM n
)

-- name: bets
SELECT
    i, id, user_id, printf('%d_%d_%d', start_s, low_cents, low_cents + {row_cents}), {stake_cents}, {rate_bp},
    CASE WHEN NOT {settled} THEN 'confirmed' WHEN won THEN 'won' ELSE 'lost' END,
    1000 * start_s - 20000, iif({settled}, 1000 * start_s + 6500, NULL), iif({settled}, won * {payout_cents}, NULL),
    NULL, NULL, NULL, start_s, low_cents, low_cents + {row_cents}, 10000,
    printf('%032x', i), start_s - 20, printf('0x%0130x', i), printf('0x%040x', i), NULL,
    1000 * start_s - 20010, 1000 * start_s - 10010, 1000 * start_s - 20050, {price_cents}, 201.23456,
    '{{"sample_ms": 100, "history_ms": 600000}}', 'brownian-touch', '1', 1000 * start_s - 20000, placed_commit, place,
    iif({settled}, placed_commit + {later}, NULL), iif({settled}, place, NULL), NULL
FROM tap

-- name: stakes
-- A user has one bet in so many. Every bet of a user wins or none does, so that the entry before is known.
SELECT printf('01A%022d0', i), user_id, -{stake_cents}, {credit_cents}, 'BET', id, '{{}}', 1790000000000,
    placed_commit, place + 1, earlier * (1 + won) + 1,
    CASE WHEN i > {users} THEN printf('01A%022d%d', i - {users}, won) END
FROM tap

-- name: payouts
SELECT printf('01A%022d1', i), user_id, {payout_cents}, {credit_cents}, 'PAYOUT', id, '{{}}', 1790000000000,
    placed_commit + {later}, place + 1, earlier * 2 + 2, printf('01A%022d0', i)
FROM tap WHERE won

-- name: last_entries
-- A user's last bet is the last of its round.
UPDATE users SET (version, last_entry_id) = (
    SELECT number, id FROM transaction_ledger
    WHERE ref_type = CASE WHEN won THEN 'PAYOUT' ELSE 'BET' END AND ref_id = tap.id
)
FROM tap WHERE users.id = tap.user_id

-- name: columns
SELECT {first_s} + 5 * i, {first_s} + 5 * (i + 1), 1, {price_cents}, {price_cents}, {price_cents}, {price_cents}, 50,
    hex(zeroblob(32)), 1000 * ({first_s} + 5 * i), 1000 * ({first_s} + 5 * i), NULL,
    1000 * ({first_s} + 5 * i) + 6500, i * {column_commits} + {later}, 0,
    1000 * ({first_s} + 5 * i) + 6500, i * {column_commits} + {later}, 1
FROM n

-- name: commits
-- Records of 200 rows, as a commit of bets among settlements has.
SELECT i, 1000 * {first_s}, hex(zeroblob(32)), hex(zeroblob(32)), 200, '{{}}', NULL, NULL, NULL, NULL,
    hex(zeroblob(800))
FROM n
