-- Candles of one second too, made as the ticks come: a page of short candles is read from some thousand small rows,
-- however many ticks lie behind them and however much each of them carries.

CREATE TABLE second_candles (
    start_ms INTEGER NOT NULL PRIMARY KEY CHECK (start_ms % 1000 = 0),
    open     INTEGER NOT NULL,
    high     INTEGER NOT NULL,
    low      INTEGER NOT NULL,
    close    INTEGER NOT NULL,
    ticks    INTEGER NOT NULL CHECK (ticks > 0)
) STRICT;

INSERT INTO second_candles (start_ms, open, high, low, close, ticks)
SELECT second.start_ms, first.close, second.high, second.low, last.close, second.ticks
FROM (SELECT id - id % 1000 AS start_ms, min(id) AS first_id, max(id) AS last_id,
             max(high) AS high, min(low) AS low, count(*) AS ticks
      FROM ticks GROUP BY id - id % 1000) AS second
JOIN ticks AS first ON first.id = second.first_id
JOIN ticks AS last ON last.id = second.last_id;

-- Ids rise, so the tick that comes is always the second's last one.
CREATE TRIGGER ticks_make_second_candles AFTER INSERT ON ticks
BEGIN
    INSERT INTO second_candles (start_ms, open, high, low, close, ticks)
    VALUES (new.id - new.id % 1000, new.close, new.high, new.low, new.close, 1)
    ON CONFLICT (start_ms) DO UPDATE
    SET high = max(high, excluded.high), low = min(low, excluded.low), close = excluded.close, ticks = ticks + 1;
END;

-- Old ticks go, and the candles before them.
CREATE TRIGGER second_candles_go_with_their_ticks AFTER DELETE ON ticks
BEGIN
    DELETE FROM second_candles WHERE start_ms < old.id - old.id % 1000;
END;
