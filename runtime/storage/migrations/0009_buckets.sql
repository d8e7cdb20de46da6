-- What is known of the bets of each bucket (runtime/game/buckets.py) and of the test that may close it. It is counted from
-- bets that have ended, with a column's last one; `copier` is the state of the test (runtime/game/copier.py).
-- `since_s` is the first column that counts: the bucket's first one, or the first after it was opened again.
CREATE TABLE buckets (
    model_id      TEXT    NOT NULL,
    model_version TEXT    NOT NULL,
    rate_from_bp  INTEGER NOT NULL,
    distance      INTEGER NOT NULL CHECK (distance >= 0),
    is_open       INTEGER NOT NULL CHECK (is_open IN (0, 1)),
    since_s       INTEGER NOT NULL,
    bets          INTEGER NOT NULL CHECK (bets >= 0),
    staked_cents  INTEGER NOT NULL CHECK (staked_cents >= 0),
    paid_cents    INTEGER NOT NULL CHECK (paid_cents >= 0),
    wealth        REAL    NOT NULL,
    copier        TEXT    NOT NULL,
    PRIMARY KEY (model_id, model_version, rate_from_bp, distance)
) STRICT, WITHOUT ROWID;

-- Each closing and opening, append-only and part of the hash chain; `id` is that of the command, or names the commit.
CREATE TABLE bucket_changes (
    id             TEXT    NOT NULL PRIMARY KEY,
    model_id       TEXT    NOT NULL,
    model_version  TEXT    NOT NULL,
    rate_from_bp   INTEGER NOT NULL,
    distance       INTEGER NOT NULL,
    standing       TEXT    NOT NULL CHECK (standing IN ('open', 'closed')),
    who            TEXT    NOT NULL,
    why            TEXT    NOT NULL,
    bets           INTEGER NOT NULL,
    staked_cents   INTEGER NOT NULL,
    paid_cents     INTEGER NOT NULL,
    wealth         REAL    NOT NULL,
    changed_at     INTEGER NOT NULL,
    changed_commit INTEGER NOT NULL,
    changed_place  INTEGER NOT NULL
) STRICT;

CREATE INDEX bucket_changes_by_commit ON bucket_changes (changed_commit, changed_place);

CREATE TRIGGER bucket_changes_are_append_only BEFORE UPDATE ON bucket_changes
BEGIN
    SELECT raise(ABORT, 'bucket_changes is append-only');
END;

CREATE TRIGGER bucket_changes_keep_their_rows BEFORE DELETE ON bucket_changes
BEGIN
    SELECT raise(ABORT, 'bucket_changes rows are never deleted');
END;
