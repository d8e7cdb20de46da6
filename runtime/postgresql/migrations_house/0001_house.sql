-- What a house of several shards has once. It lies beside their schemas, so that the same log holds both: a lease that
-- a commit rests on is on the disk whenever that commit is.

-- A name belongs to one shard for ever, whose own constraints do the rest: a key that signs or signs in (a wallet, a
-- guest's, a session's), and the references of deposits, adjustments and payments.
CREATE TABLE names (
    kind  TEXT COLLATE "C" NOT NULL CHECK (kind IN ('key', 'deposit', 'adjust', 'withdrawal')),
    name  TEXT COLLATE "C" NOT NULL,
    shard BIGINT NOT NULL CHECK (shard > 0),
    PRIMARY KEY (kind, name)
);

-- The shard that a name belongs to, from now on the one that asks if it was nobody's. Whoever asks for one that another
-- commit is about to take waits for that commit.
CREATE FUNCTION claim(asked_kind text, asked_name text, asking bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    owner bigint;
BEGIN
    INSERT INTO taptrade_house.names (kind, name, shard) VALUES (asked_kind, asked_name, asking) ON CONFLICT DO NOTHING;
    SELECT shard INTO owner FROM taptrade_house.names WHERE kind = asked_kind AND name = asked_name;
    RETURN owner;
END
$$;

-- What the house stands for at most, and what of that is lent to shards: of all bets, of a column, of a cell.
CREATE TABLE exposure (
    scope   TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    most    BIGINT NOT NULL,
    granted BIGINT NOT NULL CHECK (granted BETWEEN 0 AND most)
) WITH (fillfactor = 50);

CREATE TABLE leases (
    shard   BIGINT NOT NULL,
    scope   TEXT COLLATE "C" NOT NULL,
    granted BIGINT NOT NULL CHECK (granted >= 0),
    PRIMARY KEY (shard, scope)
) WITH (fillfactor = 50);

-- Bring leases of a shard to what it wants, or as near as the limits allow; what they are by then. A limit that was made
-- lower than what is lent lends nothing more. The rows are locked in one order, so no two shards wait for each other.
CREATE FUNCTION lease(asking bigint, scopes text[], wanted bigint[], limits bigint[])
    RETURNS TABLE (leased_scope text, leased bigint) LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO taptrade_house.exposure (scope, most, granted)
    SELECT given.scope, given.most, 0 FROM unnest(scopes, limits) AS given (scope, most)
    ORDER BY given.scope COLLATE "C" ON CONFLICT DO NOTHING;
    PERFORM 1 FROM (SELECT given.scope FROM unnest(scopes) AS given (scope) ORDER BY given.scope COLLATE "C") AS sorted
    CROSS JOIN LATERAL (SELECT 1 FROM taptrade_house.exposure AS locked WHERE locked.scope = sorted.scope FOR UPDATE)
        AS found;
    INSERT INTO taptrade_house.leases (shard, scope, granted)
    SELECT asking, given.scope, 0 FROM unnest(scopes) AS given (scope) ON CONFLICT DO NOTHING;
    RETURN QUERY WITH moved AS (
        SELECT given.scope, given.most, whole.granted AS whole, own.granted AS own,
            least(given.wanted, greatest(own.granted, own.granted + given.most - whole.granted)) AS becomes
        FROM unnest(scopes, wanted, limits) AS given (scope, wanted, most)
        JOIN taptrade_house.exposure AS whole ON whole.scope = given.scope
        JOIN taptrade_house.leases AS own ON own.shard = asking AND own.scope = given.scope
    ), changed AS (
        UPDATE taptrade_house.exposure AS whole
        SET granted = moved.whole + moved.becomes - moved.own,
            most = greatest(moved.most, moved.whole + moved.becomes - moved.own)
        FROM moved WHERE whole.scope = moved.scope
    )
    UPDATE taptrade_house.leases AS own SET granted = moved.becomes
    FROM moved WHERE own.shard = asking AND own.scope = moved.scope
    RETURNING own.scope, own.granted;
END
$$;

-- Forget what is lent to nobody of columns that start before a second: nobody bets on them any more.
CREATE FUNCTION forget_leases(before_s bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM taptrade_house.leases
    WHERE granted = 0 AND scope <> 'house' AND split_part(scope, '_', 1)::bigint < before_s;
    DELETE FROM taptrade_house.exposure AS whole
    WHERE granted = 0 AND scope <> 'house' AND split_part(scope, '_', 1)::bigint < before_s
        AND NOT EXISTS (SELECT 1 FROM taptrade_house.leases AS own WHERE own.scope = whole.scope);
END
$$;

-- What decided a column, once for all shards: the first that begins it says so.
CREATE TABLE evidence (
    start_s BIGINT NOT NULL PRIMARY KEY,
    said    TEXT   NOT NULL
);

CREATE FUNCTION evidence_of(asked_s bigint, offered text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    stands text;
BEGIN
    INSERT INTO taptrade_house.evidence (start_s, said) VALUES (asked_s, offered) ON CONFLICT DO NOTHING;
    SELECT said INTO stands FROM taptrade_house.evidence WHERE start_s = asked_s;
    RETURN stands;
END
$$;

-- The tables and views of all shards as if there were one: for whoever reads about the whole house. What is said of the
-- house in each shard is said once. Numbers are unique in the house, so views join here what they join in a shard.
CREATE FUNCTION make_views(schemas text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    one record;
    path text := current_setting('search_path');
    everything text;
BEGIN
    FOR one IN SELECT relname::text AS name, oid FROM pg_class
        WHERE relnamespace = schemas[1]::regnamespace AND relkind = 'r'
            AND relname NOT IN ('schema_migrations', 'moved_from')
    LOOP
        SELECT string_agg(format('SELECT %s FROM %I.%I', listed.columns, part.schema, one.name), ' UNION ALL ')
        INTO everything
        FROM (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) AS columns FROM pg_attribute
              WHERE attrelid = one.oid AND attnum > 0 AND NOT attisdropped) AS listed
        CROSS JOIN unnest(CASE one.name WHEN 'cut' THEN schemas[1:1] ELSE schemas END) AS part (schema);
        EXECUTE format('CREATE VIEW taptrade_house.%I AS ', one.name) || CASE one.name
            WHEN 'columns' THEN 'SELECT DISTINCT ON (start_s) * FROM (' || everything || ') AS part
                ORDER BY start_s, settled_commit DESC NULLS FIRST'
            WHEN 'rules_in_force' THEN 'SELECT name, min(value) AS value FROM (' || everything || ') AS part
                GROUP BY name'
            WHEN 'buckets' THEN 'SELECT model_id, model_version, rate_from_bp, distance, min(is_open) AS is_open,
                max(since_s) AS since_s, sum(bets)::bigint AS bets, sum(staked_cents)::bigint AS staked_cents,
                sum(paid_cents)::bigint AS paid_cents, max(wealth) AS wealth, max(copier) AS copier
                FROM (' || everything || ') AS part GROUP BY model_id, model_version, rate_from_bp, distance'
            ELSE everything END;
    END LOOP;
    FOR one IN SELECT relname::text AS name, oid FROM pg_class
        WHERE relnamespace = schemas[1]::regnamespace AND relkind = 'v' ORDER BY oid
    LOOP
        PERFORM set_config('search_path', quote_ident(schemas[1]), true);
        everything := pg_get_viewdef(one.oid);
        PERFORM set_config('search_path', 'taptrade_house, ' || quote_ident(schemas[1]), true);
        EXECUTE format('CREATE VIEW taptrade_house.%I AS ', one.name) || everything;
    END LOOP;
    PERFORM set_config('search_path', path, true);
END
$$;

CREATE FUNCTION drop_views() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    one record;
BEGIN
    FOR one IN SELECT relname FROM pg_class
        WHERE relnamespace = 'taptrade_house'::regnamespace AND relkind = 'v' ORDER BY oid DESC
    LOOP
        EXECUTE format('DROP VIEW taptrade_house.%I', one.relname);
    END LOOP;
END
$$;
