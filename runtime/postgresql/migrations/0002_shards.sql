-- Who may write, and what was written last. There is one row: a ledger is not spread over several yet. Whoever becomes the
-- writer raises the epoch, and each commit goes on from the number before it in that epoch or is not made. So one who was
-- the writer and does not know that this is over cannot write, whatever server or session it speaks to.
CREATE TABLE shards (
    shard    BIGINT NOT NULL PRIMARY KEY CHECK (shard > 0),
    epoch    BIGINT NOT NULL CHECK (epoch >= 0),
    number   BIGINT NOT NULL CHECK (number >= 0),
    hash     BYTEA  CHECK (length(hash) = 32),
    next_seq BIGINT NOT NULL CHECK (next_seq > 0)
) WITH (fillfactor = 10);

INSERT INTO shards (shard, epoch, number, next_seq) VALUES (1, 0, 0, 1);

CREATE TRIGGER shards_keep_their_rows BEFORE DELETE ON shards
    FOR EACH ROW EXECUTE FUNCTION refuse('shards are never deleted');
CREATE TRIGGER shards_are_never_emptied BEFORE TRUNCATE ON shards
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('shards are never deleted');

CREATE FUNCTION require_epoch(changed bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF changed <> 1 THEN
        RAISE SQLSTATE 'TT001' USING MESSAGE = 'another writer has begun an epoch, or a commit was made meanwhile';
    END IF;
END
$$;

-- Begin a new epoch at what the ledger holds.
CREATE FUNCTION begin_epoch() RETURNS bigint LANGUAGE sql AS $$
    UPDATE shards SET epoch = epoch + 1,
        number = coalesce((SELECT max(commit_rows.number) FROM commit_rows), 0),
        hash = (SELECT commit_rows.hash FROM commit_rows ORDER BY commit_rows.number DESC LIMIT 1),
        next_seq = coalesce((SELECT max(seq) FROM bet_rows), 0) + 1
    WHERE shard = 1 RETURNING epoch
$$;
