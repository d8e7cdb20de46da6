-- No index holds all bets by user: players come in no order, so it cost nearly every bet a page of the log of its own.
-- A bet that was taken is found through its BET entry by ledger_of_user; the refused ones, which have none, by these.
DROP INDEX bets_of_user;
CREATE INDEX bets_refused_of_user ON bets (user_id) WHERE refusal_code IS NOT NULL;

-- The user follows the commit, so that a commit's ends of one player's bets are found without those of others.
-- New entries still land at the index's end.
DROP INDEX bets_by_resolution;
CREATE INDEX bets_by_resolution ON bets (resolved_commit, user_id) WHERE resolved_commit IS NOT NULL;
