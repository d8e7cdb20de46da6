-- How far the events of functions were told, and what was set aside. It lies in functions.db.

-- name: position
-- How far a function's events were told; no row before it was first seen.
SELECT commit_number, public_id, breaker FROM positions WHERE function = ?;

-- name: begin_position
-- A function is told of what happens from now on.
INSERT OR IGNORE INTO positions (function, commit_number, public_id, breaker) VALUES (?, ?, ?, ?);

-- name: move_position
-- Events up to here were told; one that is behind takes nothing back.
UPDATE positions SET commit_number = max(commit_number, ?), public_id = ?, breaker = ? WHERE function = ?;

-- name: step_back
-- The ledger ends before the position, as it does when an older one was restored: go on from its end.
UPDATE positions SET commit_number = ? WHERE function = ? AND commit_number > ?;

-- name: furthest
-- The furthest commit that a function was told of; NULL where none was.
SELECT max(commit_number) FROM positions;

-- name: step_all_back
-- The ledger ends here, as an older one does that was restored: whoever was told of more goes on from its end.
UPDATE positions SET commit_number = ?1 WHERE commit_number > ?1 RETURNING function;

-- name: forget_set_aside
-- Ids of what came after that commit will come again, and mean something else.
DELETE FROM set_aside WHERE event_id GLOB 'c[0-9]*' AND CAST(substr(event_id, 2) AS INTEGER) > ?;

-- name: known_positions
-- The functions that were told of events.
SELECT function FROM positions ORDER BY function;

-- name: forget_position
-- A function is not declared any more.
DELETE FROM positions WHERE function = ?;

-- name: set_aside
-- An event that a function could not take; the same one again says why anew.
INSERT INTO set_aside (function, event_id, event, error, at_ms) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (function, event_id) DO UPDATE SET error = excluded.error, at_ms = excluded.at_ms;
