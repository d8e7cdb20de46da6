-- How many withdrawals of an account are pending is counted for each new one, whatever it has taken out over the years.
CREATE INDEX withdrawals_pending_of_user ON withdrawals (user_id) WHERE status = 'pending';

-- So is whether the wallet has signed one with this nonce before.
CREATE INDEX withdrawals_by_nonce ON withdrawals (user_id, nonce);
