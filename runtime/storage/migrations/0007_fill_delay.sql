-- How long a bet had to wait for its tick; null where it had not to, which leaves the records of such bets as they were.
ALTER TABLE bets ADD COLUMN fill_delay_ms INTEGER CHECK (fill_delay_ms > 0);
