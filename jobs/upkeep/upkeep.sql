-- The statements of the periodic jobs.

-- name: first_resolved
-- When the first bet ended, null where none has.
SELECT min(resolved_at) FROM bets WHERE resolved_commit IS NOT NULL;
