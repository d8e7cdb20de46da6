-- A shard more: what is made in one transaction while no writer is at work.

-- name: wait_for_nobody
-- Give up where a reader would have to be waited for, since everybody else would wait behind us.
SET LOCAL lock_timeout = '2s';

-- name: make_house
-- What the house has once.
CREATE SCHEMA taptrade_house;

-- name: make_shard
-- The place of a shard.
CREATE SCHEMA {schema};

-- name: enter
-- Make what follows in a schema.
SET LOCAL search_path = {schema};

-- name: first_schema
-- The schema of the first shard.
SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = to_regclass('commit_rows');

-- name: may_make
-- Whether our schemas' names are free for search paths that begin with the role's own name.
SELECT current_user NOT LIKE 'taptrade\_%';

-- name: name_shard
-- Which shard a ledger is, and that its first commit was made. Parameters: shard, number, hash, next bet's number.
UPDATE shards SET shard = ?, number = ?, hash = ?, next_seq = ?;

-- name: go_on_behind
-- The next row of a table that numbers its rows comes behind a number.
ALTER TABLE {table} ALTER COLUMN {column} RESTART WITH {number};

-- name: copy_rules
-- A new shard has open bets on no column on which the first has none.
INSERT INTO rules_in_force (name, value) SELECT name, value FROM {schema}.rules_in_force;

-- name: copy_names
-- What the first shard has of what the house has once.
INSERT INTO taptrade_house.names (kind, name, shard)
SELECT 'key', wallet_address, 1 FROM users
UNION SELECT 'key', guest_key, 1 FROM users WHERE guest_key IS NOT NULL
UNION SELECT 'key', found_by, 1 FROM delegations WHERE found_by IS NOT NULL
UNION SELECT kind, reference, 1 FROM operations WHERE kind IN ('deposit', 'adjust')
UNION SELECT 'withdrawal', reference, 1 FROM withdrawals WHERE reference IS NOT NULL;

-- name: make_views
-- Show all shards as one. The parameter is a list of schemas.
SELECT taptrade_house.make_views(?::text[]);

-- name: drop_views
-- Let go of that, so that the tables below may change.
SELECT taptrade_house.drop_views();
