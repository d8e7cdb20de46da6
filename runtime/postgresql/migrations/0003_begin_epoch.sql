-- A ledger may be one of several, each in a schema of its own. Which shard it is stands in its row of `shards`, and its
-- numbers begin behind those that the shards before it can ever have (runtime/game/shards.py).
CREATE OR REPLACE FUNCTION begin_epoch() RETURNS bigint LANGUAGE sql AS $$
    UPDATE shards SET epoch = epoch + 1,
        number = coalesce((SELECT max(commit_rows.number) FROM commit_rows), 0),
        hash = (SELECT commit_rows.hash FROM commit_rows ORDER BY commit_rows.number DESC LIMIT 1),
        next_seq = coalesce((SELECT max(seq) FROM bet_rows), (shard - 1) << 40) + 1
    RETURNING epoch
$$;
