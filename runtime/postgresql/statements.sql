-- What PostgreSQL is asked otherwise than SQLite: statements of the ledger under their own names, whose place these
-- take (runtime/postgresql/translation.py), and those that write a commit's rows together. Lists go in as one text
-- each: JSON, or an array as PostgreSQL writes it. LATERAL with LIMIT 1 is one look into an index for each of a list,
-- however large the tables were when the plan was made.

-- name: bets_by_id
-- The bets of many ids.
SELECT {bet.bet_columns} FROM json_array_elements_text(?::json) AS wanted (id)
CROSS JOIN LATERAL (SELECT {bet_columns} FROM bets WHERE bets."key" = wanted.id LIMIT 1) AS bet;

-- name: bets_on_cells
-- The bets taken on cells by players; the one parameter is a list of [column, low, high, id of the player].
SELECT {bet.bet_columns} FROM json_array_elements(?::json) AS wanted (cell)
CROSS JOIN LATERAL (SELECT {bet_columns} FROM bets WHERE refusal_code IS NULL
    AND column_start_s = (wanted.cell ->> 0)::bigint AND low_cents = (wanted.cell ->> 1)::bigint
    AND high_cents = (wanted.cell ->> 2)::bigint
    AND "user" = (SELECT users.seq FROM users WHERE users.id = wanted.cell ->> 3) LIMIT 1) AS bet;

-- name: ending_bets
-- The bets of a list of row numbers, in order of placing, less what their end asks nothing of; one parameter, the list.
SELECT {bet.bet_columns} FROM json_array_elements_text(?::json) AS wanted (seq)
CROSS JOIN LATERAL (SELECT {ending_columns} FROM bets WHERE bets.seq = wanted.seq::bigint LIMIT 1) AS bet
ORDER BY bet.seq;

-- name: players
-- Of many players, by their ids: the number of each, the newest entry, the balance and how often that has moved.
SELECT found.id, found.seq, found.last_entry_id, found.balance, found.version
FROM json_array_elements_text(?::json) AS wanted (id)
CROSS JOIN LATERAL (SELECT id, seq, last_entry_id, balance, version FROM users WHERE users.id = wanted.id LIMIT 1)
    AS found;

-- name: players_of_bets
-- The same of the players of bets, by a list of row numbers.
SELECT found.id, found.seq, found.last_entry_id, found.balance, found.version
FROM json_array_elements_text(?::json) AS wanted (seq)
CROSS JOIN LATERAL (SELECT id, seq, last_entry_id, balance, version FROM users
    WHERE users.seq = (SELECT "user" FROM bet_rows WHERE bet_rows.seq = wanted.seq::bigint) LIMIT 1) AS found;

-- name: newest_pricings
-- What the newest bets were priced by.
SELECT model_id, model_version, features, seq FROM pricings ORDER BY seq DESC LIMIT 8;

-- name: move_balances
-- Give balances what a commit has made of them, each from what it was; fail unless all of them were as they had to be.
-- Parameters: time, arrays of players, balances and versions before, balances and versions after, entries; how many.
WITH done AS (UPDATE users
SET balance = moved.balance, version = moved.version, updated_at = ?, last_entry_id = moved.entry
FROM unnest(?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::text[])
    AS moved (seq, balance_before, version_before, balance, version, entry)
WHERE users.seq = moved.seq AND users.balance = moved.balance_before AND users.version = moved.version_before
    AND moved.balance >= 0
RETURNING 1)
SELECT require_all(count(*), ?) FROM done;

-- name: insert_entries
-- The entries of a commit. Parameters: time, commit, and an array for each other column.
INSERT INTO entry_rows
    (id, "user", amount, balance_after, kind, ref, metadata, number, previous, place, created_at, commit_number)
SELECT fresh.*, ?::bigint, ?::bigint FROM unnest(?::text[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[],
    ?::text[], ?::text[], ?::bigint[], ?::text[], ?::bigint[]) AS fresh;

-- name: insert_bets
-- The bets of a commit. A signer is left out where the delegation names that key, and a player's number is looked up
-- where it is not given. Parameters: time of placing, commit, and an array for each other column.
INSERT INTO bet_rows
    (placed_at, placed_commit, seq, id, "user", cell_id, amount, reward_rate, status, refusal_code,
     refusal_detail, refusal_arguments, column_start_s, low_cents, high_cents, min_rate_bp, nonce, signed_after_s,
     signature, signer, delegation, received_after_ms, decided_after_ms, tick_after_ms, tick_close, volatility, pricing,
     model_after_ms, placed_place, fill_delay_ms)
SELECT ?::bigint, ?::bigint, seq, id, coalesce(number, (SELECT users.seq FROM users WHERE users.id = user_id)), cell_id,
    amount, reward_rate, status, refusal_code, refusal_detail, refusal_arguments, column_start_s, low_cents, high_cents,
    min_rate_bp, nonce, signed_after_s, signature,
    CASE WHEN delegation_id IS NULL OR signer IS DISTINCT FROM
        (SELECT session_key FROM delegations WHERE delegations.id = delegation_id) THEN signer END,
    (SELECT delegations.seq FROM delegations WHERE delegations.id = delegation_id),
    received_after_ms, decided_after_ms, tick_after_ms, tick_close, volatility, pricing, model_after_ms, placed_place,
    fill_delay_ms
FROM unnest(?::bigint[], ?::text[], ?::bigint[], ?::text[], ?::text[], ?::bigint[], ?::bigint[], ?::bigint[],
    ?::text[], ?::text[], ?::text[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::text[], ?::bigint[],
    ?::text[], ?::text[], ?::text[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::float8[], ?::bigint[],
    ?::bigint[], ?::bigint[], ?::bigint[])
    AS fresh (seq, id, number, user_id, cell_id, amount, reward_rate, status, refusal_code, refusal_detail,
    refusal_arguments, column_start_s, low_cents, high_cents, min_rate_bp, nonce, signed_after_s, signature, signer,
    delegation_id, received_after_ms, decided_after_ms, tick_after_ms, tick_close, volatility, pricing, model_after_ms,
    placed_place, fill_delay_ms);

-- name: resolve_bets
-- End open bets; of one that has ended it fails. Parameters: time, commit, and arrays of row numbers, statuses, payouts
-- and places.
UPDATE bet_rows SET status = ended.status, resolved_after_ms = ? - placed_at, payout_amount = ended.payout,
    resolved_commit = ?, resolved_place = ended.place
FROM unnest(?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[]) AS ended (seq, status, payout, place)
WHERE bet_rows.seq = ended.seq;

-- name: applied
-- Which migrations made the database; none where there is no record of any.
SELECT name, sha256 FROM schema_migrations;

-- name: has_record
-- Whether there is such a record, and whether there are other tables.
SELECT to_regclass('schema_migrations') IS NOT NULL,
    EXISTS (SELECT 1 FROM pg_class WHERE relnamespace = current_schema::regnamespace AND relkind IN ('r', 'p', 'v'));

-- name: make_record
-- The record of migrations.
CREATE TABLE IF NOT EXISTS schema_migrations (
    name       TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    sha256     TEXT COLLATE "C" NOT NULL,
    applied_at BIGINT NOT NULL
);

-- name: record_migration
-- That a migration was applied.
INSERT INTO schema_migrations (name, sha256, applied_at) VALUES (?, ?, ?);

-- name: server
-- What a server must be like: its version, the encoding of the database, and whether what it commits is on the disk.
SELECT current_setting('server_version_num')::integer, current_setting('server_version'),
    current_setting('server_encoding'), current_setting('fsync') = 'on', current_setting('full_page_writes') = 'on';

-- name: take_writers_lock
-- Be the one writer of a shard, for as long as the connection lasts. The parameter is how many shards come before it.
SELECT pg_try_advisory_lock(8386107626578076773 + ?::bigint);

-- name: session
-- The process that serves this connection.
SELECT pg_backend_pid();

-- name: await_writers_lock
-- The same, as soon as nobody has it.
SELECT pg_advisory_lock(8386107626578076773 + ?::bigint);

-- name: begin_epoch
-- Be the writer from here on: nobody who was it before can commit any more. Its number.
SELECT begin_epoch();

-- name: go_on_in_epoch
-- Note a commit; fail unless it follows the last one in its writer's epoch. Parameters: number, hash, the next bet's
-- number, shard, epoch (NULL: any), the number before.
WITH done AS (UPDATE shards SET number = ?, hash = ?, next_seq = ?
WHERE shard = ? AND epoch = coalesce(?, epoch) AND number = ?
RETURNING 1)
SELECT require_epoch(count(*)) FROM done;

-- name: writer_at_work
-- The session that holds the writer's lock, and for how many seconds the server has waited for it: between
-- transactions, in one, or in the middle of what it sends. One whose statement is at work is not silent. The parameter
-- is how many shards come before the writer's.
SELECT pid, CASE WHEN wait_event_type = 'Client'
    THEN extract(epoch FROM clock_timestamp() - state_change)::float8 ELSE 0.0 END
FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND classid = 1952542836 AND objid::bigint = 1918985317 + ?::bigint AND objsubid = 1;

-- name: end_session
-- End a session, with whatever it holds.
SELECT pg_terminate_backend(?::integer);

-- name: sign_of_life
-- Nothing: that it was asked is seen by who watches.
SELECT 1;

-- name: guards
-- The triggers that keep the rows, and whether each is at work.
SELECT tgname, tgrelid::regclass::text, tgenabled IN ('O', 'A') FROM pg_trigger
WHERE NOT tgisinternal AND tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace = current_schema::regnamespace);

-- name: broken_indexes
-- Indexes that do not hold what is in their tables.
SELECT indrelid::regclass::text, indexrelid::regclass::text FROM pg_index
WHERE NOT (indisvalid AND indisready)
    AND indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = current_schema::regnamespace);

-- name: pages
-- Tables, what lies beside them as being too long for a row, and the B-trees of both, whose pages can be looked into;
-- none without amcheck: its schema, kind, table, name, number.
WITH ours AS (SELECT oid, reltoastrelid FROM pg_class
    WHERE relnamespace = current_schema::regnamespace AND relkind = 'r'),
heaps AS (SELECT oid AS owner, oid AS heap FROM ours
    UNION ALL SELECT oid, reltoastrelid FROM ours WHERE reltoastrelid > 0),
found AS (SELECT owner, heap AS number, 'r' AS kind FROM heaps UNION ALL SELECT owner, indexrelid, 'i'
    FROM heaps JOIN pg_index ON indrelid = heap JOIN pg_class ON pg_class.oid = indexrelid
    JOIN pg_am ON pg_am.oid = relam WHERE indisvalid AND amname = 'btree')
SELECT extnamespace::regnamespace::text, kind, owner::regclass::text, number::regclass::text, number::bigint
FROM pg_extension CROSS JOIN found
WHERE extname = 'amcheck'
    AND has_function_privilege(to_regprocedure(extnamespace::regnamespace::text || CASE kind
        WHEN 'r' THEN '.verify_heapam(regclass, boolean, boolean, text, bigint, bigint)'
        ELSE '.bt_index_check(regclass, boolean)' END), 'EXECUTE')
ORDER BY 3, kind DESC, 4;

-- name: check_table
-- The first broken rows of a table. Parameter: its number.
SELECT 'block ' || blkno || coalesce(', row ' || offnum, '') || ': ' || msg
FROM {schema}.verify_heapam((?::bigint)::oid::regclass, on_error_stop => true);

-- name: check_index
-- Nothing, or an error that says what is broken in an index. Parameter: its number.
SELECT said FROM (SELECT {schema}.bt_index_check((?::bigint)::oid::regclass, true)::text AS said OFFSET 0) AS checked
WHERE said <> '';

-- name: before_check
-- Keep what was asked so far.
SAVEPOINT page_check;

-- name: after_check
-- Go on as before, whatever failed since.
ROLLBACK TO SAVEPOINT page_check;

-- name: pointing_nowhere
-- Rows that point at none.
SELECT child, child_row, parent FROM pointing_nowhere();

-- name: is_moving
-- Whether a house is on its way here from SQLite's file.
SELECT to_regclass('moved_from') IS NOT NULL;

-- name: last_bet_seq
-- The row number of the newest bet; where there is none, that behind which the shard numbers its bets.
SELECT max(seq) FROM (SELECT max(seq) AS seq FROM bet_rows UNION ALL SELECT cut_seq FROM cut
    UNION ALL SELECT (shard - 1) << 40 FROM shards) AS known;

-- name: shards
-- How many shards the house has: the first has no schema of its own.
SELECT count(*) + 1 FROM pg_namespace WHERE nspname LIKE 'taptrade\_shard\_%';

-- name: place_of_shard
-- Be in the schema of a shard other than the first.
SELECT set_config('search_path', ?, false);

-- name: place_of_house
-- Read about all shards as if there were one; where there is one, about that.
SELECT set_config('search_path', 'taptrade_house, ' || current_setting('search_path'), false);

-- name: claim
-- The shard that a name belongs to: ours from now on, if it was nobody's. Parameters: kind, name, our shard.
SELECT taptrade_house.claim(?, ?, ?);

-- name: heads
-- The newest commit of each shard, asked of the whole house.
SELECT number, encode(hash, 'hex') FROM shards ORDER BY shard;

-- name: unclaimed
-- Names that a shard uses and that the house does not say to be its own: kind, name, shard.
SELECT used.kind, used.name, used.shard FROM (
    SELECT 'key' AS kind, wallet_address AS name, (seq >> 40) + 1 AS shard FROM users
    UNION ALL SELECT 'key', guest_key, (seq >> 40) + 1 FROM users WHERE guest_key IS NOT NULL
    UNION ALL SELECT 'key', found_by, (seq >> 40) + 1 FROM delegations WHERE found_by IS NOT NULL
    UNION ALL SELECT kind, reference, (created_commit >> 40) + 1 FROM operations WHERE kind <> 'credit'
    UNION ALL SELECT 'withdrawal', reference, (resolved_commit >> 40) + 1 FROM withdrawals WHERE reference IS NOT NULL
) AS used WHERE NOT EXISTS (SELECT 1 FROM taptrade_house.names
    WHERE names.kind = used.kind AND names.name = used.name AND names.shard = used.shard);

-- name: wrong_exposure
-- Scopes of which more is lent than the limit says, or other than the leases add up to.
SELECT whole.scope, whole.granted, whole.most, coalesce(lent.cents, 0)
FROM taptrade_house.exposure AS whole LEFT JOIN
    (SELECT scope, sum(granted) AS cents FROM taptrade_house.leases GROUP BY scope) AS lent ON lent.scope = whole.scope
WHERE whole.granted > whole.most OR whole.granted <> coalesce(lent.cents, 0);

-- name: overdrawn
-- Leases that are smaller than what open bets may pay: shard, scope, that, and what was lent.
WITH open_bet AS NOT MATERIALIZED (
    SELECT (seq >> 40) + 1 AS shard, column_start_s || '' AS col,
        coalesce(cell_id, column_start_s || '_' || low_cents || '_' || high_cents) AS cell,
        amount * reward_rate / 10000 AS cents
    FROM bet_rows WHERE status = 0 AND refusal_code IS NULL
        AND column_start_s >= (SELECT coalesce(max(value), 0) FROM rules_in_force WHERE name = 'open_from_s')
), used AS (
    SELECT shard, 'house' AS scope, sum(cents) AS cents FROM open_bet GROUP BY shard
    UNION ALL SELECT shard, col, sum(cents) FROM open_bet GROUP BY shard, col
    UNION ALL SELECT shard, cell, sum(cents) FROM open_bet GROUP BY shard, cell
)
SELECT used.shard, used.scope, used.cents, coalesce(own.granted, 0)
FROM used LEFT JOIN taptrade_house.leases AS own ON own.shard = used.shard AND own.scope = used.scope
WHERE used.cents > coalesce(own.granted, 0);

-- name: decided_otherwise
-- Columns of a shard that say another thing than what decided them for the house.
SELECT start_s FROM columns JOIN taptrade_house.evidence USING (start_s)
WHERE (said::json ->> 'ticks_sha256') <> ticks_sha256 OR (said::json ->> 'covered')::boolean::integer <> covered
    OR (said::json ->> 'low')::bigint IS DISTINCT FROM low OR (said::json ->> 'high')::bigint IS DISTINCT FROM high;

-- name: owner
-- The shard that a key belongs to.
SELECT shard FROM taptrade_house.names WHERE kind = 'key' AND name = ?;

-- name: emptiest
-- The shard with the fewest accounts, asked of the whole house. The parameter is how many shards there are.
SELECT shard FROM generate_series(1::bigint, ?::bigint) AS every (shard) ORDER BY (
    SELECT coalesce(max(seq), 0) & ((1::bigint << 40) - 1) FROM users
    WHERE seq > (every.shard - 1) << 40 AND seq <= every.shard << 40), shard LIMIT 1;

-- name: unhurried
-- Let a transaction's COMMIT not wait for the disk: what rests on it lies behind it in the log.
SET LOCAL synchronous_commit = off;

-- name: still_in_epoch
-- Fail unless a writer's epoch lasts, and let no other begin before this transaction ends. Parameters: shard, epoch.
SELECT require_epoch(count(*)) FROM (SELECT 1 FROM shards WHERE shard = ? AND epoch = ? FOR SHARE) AS own;

-- name: lease
-- Bring leases to what is wanted, or near it: what they are then. Parameters: shard, and arrays of scopes, of what is
-- wanted and of limits.
SELECT leased_scope, leased FROM taptrade_house.lease(?::bigint, ?::text[], ?::bigint[], ?::bigint[]);

-- name: leases
-- What is lent to a shard.
SELECT scope, granted FROM taptrade_house.leases WHERE shard = ? AND granted > 0;

-- name: forget_leases
-- Forget what is lent to nobody of columns that start before a second.
SELECT taptrade_house.forget_leases(?);

-- name: evidence_of
-- What decided a column in this house, as it was first said. Parameters: start, what we would say.
SELECT taptrade_house.evidence_of(?, ?);
