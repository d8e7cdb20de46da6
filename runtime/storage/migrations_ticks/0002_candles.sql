-- Candles of one minute, made as the ticks come, so that a week of hours is read from 10,080 rows instead of six million.

CREATE TABLE candles (
    start_ms INTEGER NOT NULL PRIMARY KEY CHECK (start_ms % 60000 = 0),
    open     INTEGER NOT NULL,
    high     INTEGER NOT NULL,
    low      INTEGER NOT NULL,
    close    INTEGER NOT NULL,
    ticks    INTEGER NOT NULL CHECK (ticks > 0)
) STRICT;

INSERT INTO candles (start_ms, open, high, low, close, ticks)
SELECT minute.start_ms, first.close, minute.high, minute.low, last.close, minute.ticks
FROM (SELECT id - id % 60000 AS start_ms, min(id) AS first_id, max(id) AS last_id,
             max(high) AS high, min(low) AS low, count(*) AS ticks
      FROM ticks GROUP BY id - id % 60000) AS minute
JOIN ticks AS first ON first.id = minute.first_id
JOIN ticks AS last ON last.id = minute.last_id;

-- Ids rise, so the tick that comes is always the minute's last one.
CREATE TRIGGER ticks_make_candles AFTER INSERT ON ticks
BEGIN
    INSERT INTO candles (start_ms, open, high, low, close, ticks)
    VALUES (new.id - new.id % 60000, new.close, new.high, new.low, new.close, 1)
    ON CONFLICT (start_ms) DO UPDATE
    SET high = max(high, excluded.high), low = min(low, excluded.low), close = excluded.close, ticks = ticks + 1;
END;

-- Old ticks go, and the candles before them.
CREATE TRIGGER candles_go_with_their_ticks AFTER DELETE ON ticks
BEGIN
    DELETE FROM candles WHERE start_ms < old.id - old.id % 60000;
END;
