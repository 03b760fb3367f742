-- What the spine needs beside the journal. Nothing here is business state.

-- Ids are handed out in blocks; a new kind needs no migration.
CREATE TABLE id_blocks (
    kind text   PRIMARY KEY,
    next bigint NOT NULL
);

-- One key a person, sealed with the master key. Destroying the row's key makes the person's data unreadable.
CREATE TABLE subject_keys (
    subject      bigint      PRIMARY KEY,
    sealed_key   bytea,
    created_at   timestamptz NOT NULL DEFAULT now(),
    destroyed_at timestamptz
);

-- Secrets are not events.
CREATE TABLE credentials (
    user_id       bigint      PRIMARY KEY,
    password_hash text        NOT NULL,
    changed_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE refresh_tokens (
    token_hash bytea       PRIMARY KEY,
    family     uuid        NOT NULL,
    user_id    bigint      NOT NULL,
    version    bigint      NOT NULL,
    issued_at  timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    revoked_at timestamptz
);
CREATE INDEX refresh_tokens_by_family ON refresh_tokens (family);
CREATE INDEX refresh_tokens_by_user ON refresh_tokens (user_id);

CREATE TABLE one_time_tokens (
    token_hash bytea       PRIMARY KEY,
    user_id    bigint      NOT NULL,
    purpose    text        NOT NULL CHECK (purpose IN ('SET_PASSWORD', 'PASSWORD_RESET')),
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);
CREATE INDEX one_time_tokens_by_user ON one_time_tokens (user_id);

-- Who runs what. A claim is held until its time is up; every change of owner is a new epoch, and a checkpoint moves
-- only under its epoch, so a node that slept past its claim can do no harm.
CREATE TABLE claims (
    name  text        PRIMARY KEY,
    owner uuid        NOT NULL,
    epoch bigint      NOT NULL,
    until timestamptz NOT NULL
);

-- How far each reader of the journal has come, and under which epoch of its claim.
CREATE TABLE checkpoints (
    name       text        PRIMARY KEY,
    version    integer     NOT NULL DEFAULT 1,
    position   bigint      NOT NULL,
    epoch      bigint      NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- Events that a reader could not apply, and the later ones of the same aggregate, which wait behind them.
CREATE TABLE parked_events (
    reader         text        NOT NULL,
    position       bigint      NOT NULL,
    aggregate_type text        NOT NULL,
    aggregate_id   text        NOT NULL,
    error          text        NOT NULL,
    parked_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (reader, position)
);
CREATE INDEX parked_events_by_aggregate ON parked_events (reader, aggregate_type, aggregate_id);
