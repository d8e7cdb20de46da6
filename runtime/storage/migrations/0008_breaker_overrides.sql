-- Every word of an operator's on the breaker: what, who, why, when and until when (null: until the next one).
CREATE TABLE breaker_overrides (
    id             TEXT    NOT NULL PRIMARY KEY CHECK (length(id) = 26),
    override       TEXT    NOT NULL CHECK (override IN ('auto', 'open', 'closed')),
    who            TEXT    NOT NULL,
    why            TEXT    NOT NULL,
    set_at         INTEGER NOT NULL,
    until_at       INTEGER,
    created_at     INTEGER NOT NULL,
    created_commit INTEGER NOT NULL,
    created_place  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
