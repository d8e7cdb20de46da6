-- Whose session key an address is, is asked at every login.
CREATE INDEX delegations_by_key ON delegations (session_key);
