-- Rows of the live schema, made by SQLite itself: nothing is bound but the numbers of the first and the last bet.
-- `i` is a bet's number; what is in braces is filled in by bets.py.

-- name: accounts
-- Accounts with money, numbered from the first to the last. No entry says where it came from, so there is no version
-- either. The wallets come in no order of theirs, as real ones do.
INSERT INTO users (id, wallet_address, opened_by, balance, created_at, updated_at, created_commit, created_place)
WITH RECURSIVE n(i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i < ?),
account AS (SELECT i, printf('0x%08x%032x', i * 2654435761 % 4294967296, i) AS wallet FROM n)
SELECT printf('01U%023d', i), wallet, wallet, {credit_cents}, {now_ms}, {now_ms}, 1, i FROM account

-- name: keys
-- The keys of such accounts.
INSERT INTO player_keys (user_id, key)
WITH RECURSIVE n(i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i < ?)
SELECT printf('01U%023d', i), randomblob(32) FROM n

-- name: taps
-- What the rows of a bet have in common. Commits are of a hundred bets, each of four changes at most. An entry's key is
-- the time, the number of the commit and the position in it. A user has one bet in so many.
WITH RECURSIVE n(i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i < ?),
tap AS (
    SELECT i, unhex(printf('%012x%020x', {entered_ms}, i)) AS id, {user} + 1 AS user, {start_s} AS start_s,
        {low_cents} AS low_cents, {won} AS won, i / 100 + 1 AS placed_commit, 4 * (i % 100) AS place,
        (i - 1) / {users} AS earlier, (i - {users}) / 100 + 1 AS commit_before, 4 * ((i - {users}) % 100) AS place_before
    FROM n
)

-- name: bets
SELECT
    i, id, user, NULL, {stake_cents}, {rate_bp}, iif({settled}, 2 - won, 0), 1000 * start_s - 20000,
    iif({settled}, 26500, NULL), iif({settled}, won * {payout_cents}, NULL), NULL, NULL, NULL, start_s, low_cents,
    low_cents + {row_cents}, 10000, unhex(printf('%032x', i)), 0, unhex(printf('%0130x', i)), unhex(printf('%040x', i)),
    NULL, -10, 9990, -50, {price_cents}, 201.23456, 1, 0, placed_commit, place,
    iif({settled}, placed_commit + {later}, NULL), iif({settled}, place + 2, NULL), NULL
FROM tap

-- name: insert_bet
-- Such a row, made beforehand.
INSERT INTO bet_rows VALUES
(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: stakes
-- Every bet of a user wins or none does, so that the entry before is known.
SELECT unhex(printf({key}, placed_commit, place + 1)), user, -{stake_cents}, {credit_cents}, 0, id, NULL,
    earlier * (1 + won) + 1,
    CASE WHEN i > {users} THEN unhex(printf({key}, commit_before, place_before + 1 + 2 * won)) END
FROM tap

-- name: payouts
SELECT unhex(printf({key}, placed_commit, place + 3)), user, {payout_cents}, {credit_cents}, 1, id, NULL,
    earlier * 2 + 2, unhex(printf({key}, placed_commit, place + 1))
FROM tap WHERE won

-- name: last_entries
-- A user's last bet is the last of its round.
UPDATE users SET version = tap.earlier * (1 + tap.won) + 1 + tap.won,
    last_entry_id = ulid_text(unhex(printf({key}, placed_commit, place + 1 + 2 * won)))
FROM tap WHERE users.seq = tap.user

-- name: columns
SELECT {first_s} + 5 * i, {first_s} + 5 * (i + 1), 1, {price_cents}, {price_cents}, {price_cents}, {price_cents}, 50,
    hex(zeroblob(32)), 1000 * ({first_s} + 5 * i), 1000 * ({first_s} + 5 * i), NULL,
    1000 * ({first_s} + 5 * i) + 6500, i * {column_commits} + {later}, 0,
    1000 * ({first_s} + 5 * i) + 6500, i * {column_commits} + {later}, 1
FROM n

-- name: commits
-- Records of 325 rows: those of a hundred bets placed and a hundred ended, one in four of them won.
SELECT i, 1000 * {first_s}, zeroblob(32), zeroblob(32), 325, '{{}}',
    (SELECT min(seq) FROM bet_rows WHERE seq BETWEEN 100 * i - 100 AND 100 * i - 1),
    (SELECT max(seq) FROM bet_rows WHERE seq BETWEEN 100 * i - 100 AND 100 * i - 1), NULL, NULL, zeroblob(4 * 325)
FROM n

-- name: last_entry
-- A player's number and newest entry. The writer asks for those of many players at once.
SELECT seq, last_entry_id FROM users WHERE id = ?;
