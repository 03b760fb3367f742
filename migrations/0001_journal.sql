-- The journal: every change to business state, once, in order. All names are without a schema: a tenant is a
-- schema, and the connection's search_path says which.

CREATE TABLE events (
    position       bigint      NOT NULL,
    aggregate_type text        NOT NULL,
    aggregate_id   text        NOT NULL,
    sequence       bigint      NOT NULL CHECK (sequence > 0),
    event_type     text        NOT NULL,
    event_version  text        NOT NULL,
    payload        json        NOT NULL,
    metadata       json        NOT NULL,
    recorded_at    timestamptz NOT NULL,
    -- SHA-256 of the event as it was decided: all columns above but the position, which the block below vouches for.
    hash           bytea       NOT NULL,
    PRIMARY KEY (aggregate_type, aggregate_id, sequence),
    UNIQUE (position)
);

-- One row an append. Its hash is SHA-256(hash of the block before, hashes of its events in order): whoever has noted
-- one block's hash can prove that nothing up to there was changed since.
CREATE TABLE journal_blocks (
    first_position bigint NOT NULL,
    last_position  bigint PRIMARY KEY,
    hash           bytea  NOT NULL
);

-- Positions come from a row, not from a sequence, so that a rolled-back batch leaves no hole, and whoever holds the
-- row's lock commits before the next position is handed out: position order is commit order.
CREATE TABLE journal_head (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    position bigint  NOT NULL,
    -- The hash of the last block; of 32 zeros before the first.
    hash     bytea   NOT NULL
);
INSERT INTO journal_head (position, hash) VALUES (0, decode(repeat('00', 32), 'hex'));

CREATE TABLE snapshots (
    aggregate_type   text        NOT NULL,
    aggregate_id     text        NOT NULL,
    last_sequence    bigint      NOT NULL,
    current_snapshot bigint      NOT NULL,
    payload          json        NOT NULL,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    PRIMARY KEY (aggregate_type, aggregate_id)
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the journal is append-only: % of % is refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'DD001';
END $$;

CREATE TRIGGER events_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER journal_blocks_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_blocks
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The answer to a command that came with an Idempotency-Key, stored by the very append that the command made.
CREATE TABLE idempotency_keys (
    user_id      bigint      NOT NULL,
    key          text        NOT NULL,
    request_hash text        NOT NULL,
    status       integer     NOT NULL,
    body         text        NOT NULL,
    version      bigint,
    position     bigint      NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

-- The first way of a batch: all of it or nothing. A stale sequence is refused by the primary key, a moved stream of
-- `expected` by DD409, a used idempotency key by its primary key. Answers the position before the batch's first. `hashes` are the
-- events' hashes one after another. The news of it is "base position writer".
CREATE FUNCTION append(
    writer text, types text[], ids text[], sequences bigint[], event_types text[], event_versions text[],
    payloads text[], metadatas text[], recorded timestamptz[], hashes bytea,
    expected_types text[], expected_ids text[], expected_versions bigint[],
    key_users bigint[], keys text[], key_hashes text[], key_statuses integer[], key_bodies text[],
    key_versions bigint[], key_offsets bigint[]
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    n     bigint := cardinality(types);
    base  bigint;
    block bytea;
BEGIN
    UPDATE journal_head SET position = position + n, hash = sha256(hash || hashes)
    RETURNING position - n, hash INTO base, block;
    -- Not one condition: with a query in it, it would be run as one, at a quarter of the whole call's cost.
    IF cardinality(expected_types) > 0 THEN
        IF EXISTS (
            SELECT FROM unnest(expected_types, expected_ids, expected_versions) AS e(type, id, version)
            WHERE e.version <> COALESCE((SELECT max(sequence) FROM events
                                         WHERE aggregate_type = e.type AND aggregate_id = e.id), 0)
        ) THEN
            RAISE EXCEPTION 'a stream that the command depends on has moved' USING ERRCODE = 'DD409';
        END IF;
    END IF;
    INSERT INTO events
    SELECT base + u.n, u.type, u.id, u.sequence, u.event_type, u.event_version, u.payload::json, u.metadata::json, u.recorded,
           substring(hashes FROM (32 * (u.n - 1) + 1)::integer FOR 32)
    FROM unnest(types, ids, sequences, event_types, event_versions, payloads, metadatas, recorded) WITH ORDINALITY
        AS u(type, id, sequence, event_type, event_version, payload, metadata, recorded, n);
    INSERT INTO journal_blocks VALUES (base + 1, base + n, block);
    IF cardinality(keys) > 0 THEN
        INSERT INTO idempotency_keys (user_id, key, request_hash, status, body, version, position)
        SELECT k.user_id, k.key, k.hash, k.status, k.body, k.version, base + k.position
        FROM unnest(key_users, keys, key_hashes, key_statuses, key_bodies, key_versions, key_offsets)
            AS k(user_id, key, hash, status, body, version, position);
    END IF;
    PERFORM pg_notify('ddc_' || current_schema(), base || ' ' || base + n || ' ' || writer);
    RETURN base;
END $$;

-- The second way, when the first was refused: each command alone, under the same lock, in its order. A command whose
-- streams are all where it expects them goes in whole; the others are reported (outcome 'conflict' or 'key_used').
-- A command on a stream that an earlier command of the batch failed on conflicts too: it was decided on a state that
-- never came to be.
CREATE FUNCTION append_each(
    writer text, commands integer[], types text[], ids text[], sequences bigint[], event_types text[], event_versions text[],
    payloads text[], metadatas text[], recorded timestamptz[], hashes bytea,
    expected_commands integer[], expected_types text[], expected_ids text[], expected_versions bigint[],
    key_commands integer[], key_users bigint[], keys text[], key_hashes text[], key_statuses integer[],
    key_bodies text[], key_versions bigint[],
    OUT command integer, OUT outcome text, OUT last_position bigint
) RETURNS SETOF record LANGUAGE plpgsql AS $$
DECLARE
    base     bigint;
    head     bigint;
    n        bigint;
    block    bytea;
    appended bytea  := '';
    failed   text[] := '{}';
    streams  text[];
BEGIN
    SELECT position, position, hash INTO base, head, block FROM journal_head FOR UPDATE;
    FOR command IN SELECT DISTINCT c FROM unnest(expected_commands) AS c ORDER BY c LOOP
        SELECT array_agg(t || '/' || i) INTO streams
        FROM unnest(expected_commands, expected_types, expected_ids) AS e(c, t, i) WHERE e.c = command;
        IF streams && failed OR EXISTS (
            SELECT FROM unnest(expected_commands, expected_types, expected_ids, expected_versions) AS e(c, t, i, v)
            WHERE e.c = command AND e.v <> COALESCE((SELECT max(sequence) FROM events
                                                     WHERE aggregate_type = e.t AND aggregate_id = e.i), 0)
        ) THEN
            outcome := 'conflict'; last_position := NULL; failed := failed || streams;
        ELSIF EXISTS (
            SELECT FROM unnest(key_commands, key_users, keys) AS k(c, user_id, key)
            JOIN idempotency_keys i USING (user_id, key) WHERE k.c = command
        ) THEN
            outcome := 'key_used'; last_position := NULL; failed := failed || streams;
        ELSE
            INSERT INTO events
            SELECT head + row_number() OVER (ORDER BY u.n), u.type, u.id, u.sequence, u.event_type, u.event_version,
                   u.payload::json, u.metadata::json, u.recorded,
                   substring(hashes FROM (32 * (u.n - 1) + 1)::integer FOR 32)
            FROM unnest(commands, types, ids, sequences, event_types, event_versions, payloads, metadatas, recorded)
                WITH ORDINALITY
                AS u(c, type, id, sequence, event_type, event_version, payload, metadata, recorded, n)
            WHERE u.c = command;
            GET DIAGNOSTICS n = ROW_COUNT;
            appended := appended || (
                SELECT string_agg(substring(hashes FROM (32 * (u.n - 1) + 1)::integer FOR 32), '' ORDER BY u.n)
                FROM unnest(commands) WITH ORDINALITY AS u(c, n) WHERE u.c = command);
            head := head + n;
            INSERT INTO idempotency_keys (user_id, key, request_hash, status, body, version, position)
            SELECT k.user_id, k.key, k.hash, k.status, k.body, k.version, head
            FROM unnest(key_commands, key_users, keys, key_hashes, key_statuses, key_bodies, key_versions)
                AS k(c, user_id, key, hash, status, body, version)
            WHERE k.c = command;
            outcome := 'appended'; last_position := head;
        END IF;
        RETURN NEXT;
    END LOOP;
    IF head > base THEN
        block := sha256(block || appended);
        UPDATE journal_head SET position = head, hash = block;
        INSERT INTO journal_blocks VALUES (base + 1, head, block);
        PERFORM pg_notify('ddc_' || current_schema(), base || ' ' || head || ' ' || writer);
    END IF;
END $$;
