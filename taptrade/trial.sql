-- What a trial does to the recorded prices beyond what a feed does.

-- name: forget_ticks
-- Take the ticks in [from, to) away, for others to be recorded there.
DELETE FROM ticks WHERE id >= ? AND id < ?;
