-- What is asked of a database beside its rows: where it begins, up to where its rows count, and what lies before it.

-- name: upto
-- What the file of a week holds, and up to where its rows count.
SELECT content FROM manifest;

-- name: has_older
-- Whether a player has entries from before a database begins.
SELECT 1 FROM opening_balances WHERE user_id = ?;

-- name: opening_balance
-- What a player held before a database begins.
SELECT balance FROM opening_balances WHERE user_id = ?;

-- name: week_of_cut
-- The week whose archive ends where a database begins.
SELECT week FROM archives WHERE cut_commit = ? ORDER BY last_commit LIMIT 1;

-- name: week_of_entry
-- The week whose archive holds what was committed at a moment, by the ids of its entries.
SELECT week FROM archives WHERE cut_entry >= ? ORDER BY cut_entry, last_commit LIMIT 1;

-- name: archives_of_entry
-- The manifests and names of the archives that may hold it: that one, and the one after it, as an id is minted before
-- its commit.
SELECT manifest, stored_as FROM archives WHERE cut_entry >= ? ORDER BY cut_entry, last_commit LIMIT 2;
