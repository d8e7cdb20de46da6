-- Subscriptions and deliveries of webhooks. They lie in functions.db.

-- name: subscribe
-- Somebody wants to be told of events.
INSERT INTO subscriptions (id, url, secret, kinds, created_ms) VALUES (?, ?, ?, ?, ?);

-- name: unsubscribe
-- And does not any more; what was delivered stays to be looked at.
UPDATE subscriptions SET ended_ms = ? WHERE id = ? AND ended_ms IS NULL RETURNING id;

-- name: drop_waiting
-- What waits for a subscription that has ended is not sent.
UPDATE deliveries SET status = 'given_up', answered_ms = ?, answer = ? WHERE subscription_id = ? AND status = 'waiting';

-- name: live_subscriptions
-- The subscriptions that are told, in the order in which they were made.
SELECT id, url, secret, kinds, created_ms FROM subscriptions WHERE ended_ms IS NULL ORDER BY id;

-- name: add_delivery
-- An event for a subscription; one that is told again is there already.
INSERT OR IGNORE INTO deliveries (id, subscription_id, event_id, kind, payload, status, created_ms, due_ms)
VALUES (?, ?, ?, ?, ?, 'waiting', ?, ?);

-- name: next_due
-- The delivery of a subscription that has been due the longest.
SELECT id, event_id, kind, payload, attempts FROM deliveries
WHERE subscription_id = ? AND status = 'waiting' AND due_ms <= ? ORDER BY due_ms, id LIMIT 1;

-- name: is_waiting
-- Whether anything waits for a subscription.
SELECT EXISTS (SELECT 1 FROM deliveries WHERE subscription_id = ? AND status = 'waiting');

-- name: waiting_subscriptions
-- The subscriptions that something is due for.
SELECT DISTINCT subscription_id FROM deliveries WHERE status = 'waiting' AND due_ms <= ?;

-- name: begin_attempt
-- An attempt begins; should nobody hear how it ends, the next one is due then.
UPDATE deliveries SET attempts = attempts + 1, due_ms = ?, answer = 'no answer was heard' WHERE id = ?;

-- name: answered
-- What became of an attempt.
UPDATE deliveries SET status = ?, answered_ms = ?, answer = ? WHERE id = ?;

-- name: newest_deliveries
-- The newest deliveries, of one subscription or (NULL) of all, of one status or of any.
SELECT id, subscription_id, event_id, kind, status, attempts, created_ms, due_ms, answered_ms, answer FROM deliveries
WHERE (?1 IS NULL OR subscription_id = ?1) AND (?2 IS NULL OR status = ?2) ORDER BY id DESC LIMIT ?3;

-- name: replay_one
-- A delivery is sent once more, whatever became of it.
UPDATE deliveries SET status = 'waiting', attempts = 0, due_ms = ?1
WHERE id = ?2 AND subscription_id IN (SELECT id FROM subscriptions WHERE ended_ms IS NULL) RETURNING id;

-- name: replay_given_up
-- Every delivery of a subscription that was given up is sent once more.
UPDATE deliveries SET status = 'waiting', attempts = 0, due_ms = ?1
WHERE subscription_id = ?2 AND status = 'given_up'
    AND subscription_id IN (SELECT id FROM subscriptions WHERE ended_ms IS NULL) RETURNING id;

-- name: furthest
-- The furthest commit that a delivery is of; NULL where none is.
SELECT max(CAST(substr(event_id, 2) AS INTEGER)) FROM deliveries WHERE event_id GLOB 'c[0-9]*';

-- name: forget_beyond
-- The ledger ends with this commit: what came after it has not happened, and its ids will come again.
DELETE FROM deliveries WHERE event_id GLOB 'c[0-9]*' AND CAST(substr(event_id, 2) AS INTEGER) > ? RETURNING id;

-- name: forget_old
-- Deliveries that have ended are kept for some days.
DELETE FROM deliveries WHERE status <> 'waiting' AND answered_ms < ?;
