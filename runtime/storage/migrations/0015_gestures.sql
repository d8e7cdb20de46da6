-- Gestures: up to twenty bets under one signature (ADR 32). What these share is said once, in the commit of its bets and
-- before them. Each bet's id says which gesture it is of and which line of `taps`; its own nonce and signature are empty.
-- `seq` is the row number of the gesture's first bet. Nonce and signature are bytes, as they are in `bet_rows`.
CREATE TABLE gesture_rows (
    seq            INTEGER NOT NULL PRIMARY KEY,
    id             BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    taps           TEXT    NOT NULL,
    nonce          ANY     NOT NULL,
    signature      ANY     NOT NULL,
    created_commit INTEGER NOT NULL,
    created_place  INTEGER NOT NULL
) STRICT;

CREATE VIEW gestures AS SELECT
    seq, ulid_text(id) AS id, taps, CASE typeof(nonce) WHEN 'blob' THEN lower(hex(nonce)) ELSE nonce END AS nonce,
    CASE typeof(signature) WHEN 'blob' THEN iif(length(signature) > 65, 'sealed:', '0x') || lower(hex(signature))
        ELSE signature END AS signature,
    created_commit, created_place, id AS "key"
FROM gesture_rows;

CREATE TRIGGER gestures_are_append_only BEFORE UPDATE ON gesture_rows
BEGIN
    SELECT raise(ABORT, 'gestures are append-only');
END;

CREATE TRIGGER gestures_keep_their_rows BEFORE DELETE ON gesture_rows
WHEN NOT EXISTS (SELECT 1 FROM archives WHERE cut_seq >= old.seq)
BEGIN
    SELECT raise(ABORT, 'gestures are deleted only where an archive holds them');
END;

-- A gesture has twenty bets at most, in a row: of one that is so far back, none is left.
CREATE TRIGGER bets_take_their_gestures_along AFTER DELETE ON bet_rows
BEGIN
    DELETE FROM gesture_rows WHERE seq <= old.seq - 20;
END;
