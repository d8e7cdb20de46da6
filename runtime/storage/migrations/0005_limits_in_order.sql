-- A player's changes are read from the newest on, and in the order of commits; ids do not have that order.
DROP INDEX player_limits_of_user;
CREATE INDEX player_limits_of_user ON player_limits (user_id, created_commit, created_place);
