-- The feed's own database: the published ticks of the last seven days. Only the feed writes it.
-- `id` is the tick's time in Unix milliseconds; `features` is the JSON of the model's inputs.

CREATE TABLE ticks (
    id          INTEGER NOT NULL PRIMARY KEY,
    exchange_ms INTEGER NOT NULL,
    close       INTEGER NOT NULL CHECK (close > 0),
    low         INTEGER NOT NULL CHECK (low BETWEEN 1 AND close),
    high        INTEGER NOT NULL CHECK (high >= close),
    sources     TEXT    NOT NULL,
    features    TEXT    NOT NULL
) STRICT;
