-- The statements over ticks.db: what the feed appends, and what settlement, proofs and the price history read.

-- name: insert_tick
-- A tick of the feed; an id that is there already is an error.
INSERT INTO ticks ({tick_columns}) VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: newest_tick
-- The newest tick; no row before the first.
SELECT {tick_columns} FROM ticks ORDER BY id DESC LIMIT 1;

-- name: ticks_between
-- The ticks in [from, to), oldest first, at most so many.
SELECT {tick_columns} FROM ticks WHERE id >= ? AND id < ? ORDER BY id LIMIT ?;

-- name: tick_carried_in
-- The last tick at or before a moment.
SELECT {tick_columns} FROM ticks WHERE id <= ? ORDER BY id DESC LIMIT 1;

-- name: ticks_of_window
-- The ticks in [from, to), oldest first, all of them.
SELECT {tick_columns} FROM ticks WHERE id >= ? AND id < ? ORDER BY id;

-- name: tick_following
-- The first tick at or after a moment.
SELECT {tick_columns} FROM ticks WHERE id >= ? ORDER BY id LIMIT 1;

-- name: oldest_tick
-- The id of the oldest tick that is kept, null where there is none.
SELECT min(id) FROM ticks;

-- name: trim_ticks
-- Delete so many of the ticks from before a moment, oldest first.
DELETE FROM ticks WHERE id IN (SELECT id FROM ticks WHERE id < ? ORDER BY id LIMIT ?) RETURNING id;

-- name: prices
-- The prices in [from, to), oldest first, at most so many.
SELECT id, exchange_ms, close, low, high FROM ticks WHERE id >= ? AND id < ? ORDER BY id LIMIT ?;

-- name: newest_steps
-- From where to where the newest candles in [from, to) lie (or ticks, as candles of a millisecond), at most so many.
-- One seek for each: a silence between two of them costs nothing.
-- Parameters: width, from, to, width, from, limit.
WITH RECURSIVE found (start_ms, number) AS (
    SELECT (SELECT id - id % ? FROM ticks WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT 1), 1
    UNION ALL
    SELECT (SELECT id - id % ? FROM ticks WHERE id >= ? AND id < found.start_ms ORDER BY id DESC LIMIT 1), number + 1
    FROM found WHERE found.start_ms IS NOT NULL AND number < ?
)
SELECT min(start_ms) AS first_ms, max(start_ms) AS last_ms FROM found;

-- name: candles
-- Candles of a width made of stored ones in [from, to): the rows are in order, so each group's ends are found first,
-- and then the prices at the ends by their keys. `stored` is the table of those of a second or of a minute.
-- Parameters: width, from, to, limit.
SELECT candle.start_ms, first.open, candle.high, candle.low, last.close, candle.ticks
FROM (SELECT start_ms - start_ms % ? AS start_ms, min(start_ms) AS first_ms, max(start_ms) AS last_ms,
             max(high) AS high, min(low) AS low, sum(ticks) AS ticks
      FROM {stored} WHERE start_ms >= ? AND start_ms < ? GROUP BY 1 ORDER BY 1 LIMIT ?) AS candle
JOIN {stored} AS first ON first.start_ms = candle.first_ms
JOIN {stored} AS last ON last.start_ms = candle.last_ms
ORDER BY candle.start_ms;
