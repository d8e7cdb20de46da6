-- A database that is made anew: what is read of the old file, and how it comes into the new one.

-- name: head
-- Where the ledger stands: number and hash of the newest commit.
SELECT coalesce(max(number), 0), coalesce((SELECT hash FROM commits ORDER BY number DESC LIMIT 1), '') FROM commits;

-- name: counts
-- How many rows there are of those that are many.
SELECT (SELECT count(*) FROM commits), (SELECT count(*) FROM bets), (SELECT count(*) FROM transaction_ledger);

-- name: schema
-- The tables, and the statements that make them.
SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name;

-- name: columns_of
-- The columns of a table.
SELECT name FROM pragma_table_info(?);

-- name: table_rows
-- All rows of a table.
SELECT {columns} FROM {table};

-- name: rows_as_created
-- The same of a table whose rows get numbers: in the order of their commits.
SELECT {columns} FROM {table} ORDER BY created_commit, created_place;

-- name: insert_rows
-- The same, written.
INSERT OR REPLACE INTO {table} ({columns}) VALUES ({values});

-- name: commits_after
-- The next commits after a number.
SELECT {header_columns}, hash, marks FROM commits WHERE number > ? ORDER BY number LIMIT ?;

-- name: bets_after
-- The next bets after a row number.
SELECT {bet_columns} FROM bets WHERE seq > ? ORDER BY seq LIMIT ?;

-- name: entries_after
-- The next entries after an id, with their links.
SELECT {entry_columns}, number, previous_id FROM transaction_ledger WHERE id > ? ORDER BY id LIMIT ?;

-- name: copied
-- How far the new file has come: its last commit, bet and entry.
SELECT (SELECT coalesce(max(number), 0) FROM commit_rows), (SELECT coalesce(max(seq), 0) FROM bet_rows),
       (SELECT coalesce(ulid_text(max(id)), '') FROM entry_rows);

-- name: origin
-- Which state of the old file the new one is made of.
SELECT number, hash, tables_done FROM remade_from;

-- name: make_origin
-- The same, to be said.
CREATE TABLE remade_from (number INTEGER NOT NULL, hash TEXT NOT NULL, tables_done INTEGER NOT NULL) STRICT;

-- name: insert_origin
-- The same, said.
INSERT INTO remade_from VALUES (?, ?, 0);

-- name: tables_done
-- The tables with few rows are copied.
UPDATE remade_from SET tables_done = 1;

-- name: drop_origin
-- It was needed until here.
DROP TABLE remade_from;
