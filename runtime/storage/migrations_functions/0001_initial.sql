-- What functions must remember though Redis forgets: how far events were told, what was set aside, and webhooks.
-- Only the process `functions` and an operator's commands write it.

CREATE TABLE positions (
    function      TEXT    NOT NULL PRIMARY KEY,
    commit_number INTEGER NOT NULL CHECK (commit_number >= 0),
    public_id     TEXT    NOT NULL,
    breaker       TEXT    NOT NULL
) STRICT;

CREATE TABLE set_aside (
    function TEXT    NOT NULL,
    event_id TEXT    NOT NULL,
    event    TEXT    NOT NULL,
    error    TEXT    NOT NULL,
    at_ms    INTEGER NOT NULL,
    PRIMARY KEY (function, event_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE subscriptions (
    id         TEXT    NOT NULL PRIMARY KEY,
    url        TEXT    NOT NULL,
    secret     TEXT    NOT NULL,
    kinds      TEXT    NOT NULL,
    created_ms INTEGER NOT NULL,
    ended_ms   INTEGER
) STRICT;

CREATE TABLE deliveries (
    id              TEXT    NOT NULL PRIMARY KEY,
    subscription_id TEXT    NOT NULL REFERENCES subscriptions (id),
    event_id        TEXT    NOT NULL,
    kind            TEXT    NOT NULL,
    payload         TEXT    NOT NULL,
    status          TEXT    NOT NULL CHECK (status IN ('waiting', 'delivered', 'given_up')),
    attempts        INTEGER NOT NULL DEFAULT 0,
    created_ms      INTEGER NOT NULL,
    due_ms          INTEGER NOT NULL,
    answered_ms     INTEGER,
    answer          TEXT    NOT NULL DEFAULT '',
    UNIQUE (subscription_id, event_id)
) STRICT;

CREATE INDEX deliveries_due ON deliveries (subscription_id, due_ms) WHERE status = 'waiting';
CREATE INDEX deliveries_ended ON deliveries (answered_ms) WHERE status <> 'waiting';
