-- More of what players set for themselves; null is no limit, which leaves the records of rows from before as they were.
ALTER TABLE player_limits ADD COLUMN stake_max_cents INTEGER CHECK (stake_max_cents >= 0);
ALTER TABLE player_limits ADD COLUMN deposit_day_max_cents INTEGER CHECK (deposit_day_max_cents >= 0);
ALTER TABLE player_limits ADD COLUMN deposit_week_max_cents INTEGER CHECK (deposit_week_max_cents >= 0);
ALTER TABLE player_limits ADD COLUMN reality_check_minutes INTEGER CHECK (reality_check_minutes BETWEEN 5 AND 240);

-- What a player has deposited within some days is summed up for each further deposit, from this index alone.
CREATE INDEX deposits_of_user ON operations (user_id, created_at, amount) WHERE kind = 'deposit';
