-- What the consumers of the stream keep: how far each has come, what it could not do, and what it did. None of it is
-- business state: the journal could make all of it again.

-- A consumer's effect and its position commit together, so that a redelivery does nothing.
CREATE TABLE consumers (
    name     text    PRIMARY KEY,
    position bigint  NOT NULL DEFAULT 0,
    -- The event that failed last, and how often it did.
    failing  bigint,
    attempts integer NOT NULL DEFAULT 0
);

-- Events that a consumer gave up on.
CREATE TABLE dead_letters (
    consumer  text        NOT NULL,
    position  bigint      NOT NULL,
    error     text        NOT NULL,
    attempts  integer     NOT NULL,
    failed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, position)
);

-- Who is to be told what concerns every ADMIN; kept by the consumer of notifications.
CREATE TABLE notified_admins (
    user_id bigint PRIMARY KEY
);

CREATE TABLE notifications (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    position   bigint      NOT NULL,
    recipient  bigint      NOT NULL,
    kind       text        NOT NULL,
    title      text        NOT NULL,
    message    text        NOT NULL,
    link       text        NOT NULL,
    payload    json        NOT NULL,
    is_read    boolean     NOT NULL DEFAULT false,
    read_at    timestamptz,
    created_at timestamptz NOT NULL,
    UNIQUE (position, recipient)
);
CREATE INDEX notifications_by_recipient ON notifications (recipient, id);
CREATE INDEX notifications_unread ON notifications (recipient) WHERE NOT is_read;

CREATE VIEW notification_list AS
SELECT id, recipient, is_read, created_at,
       json_build_object('id', id, 'recipient', recipient, 'kind', kind, 'title', title, 'message', message,
                         'link', link, 'payload', payload, 'is_read', is_read, 'read_at', read_at,
                         'created_at', created_at) AS body
FROM notifications;

-- One row a mail. PENDING until it was accepted or given up; not listed before.
CREATE TABLE email_log (
    id              bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    position        bigint      NOT NULL,
    recipient       bigint      NOT NULL,
    kind            text        NOT NULL,
    to_email        text        NOT NULL,
    actor           bigint,
    subject         text        NOT NULL DEFAULT '',
    -- What the template is filled with; never a token.
    meta            jsonb       NOT NULL,
    status          text        NOT NULL DEFAULT 'PENDING' CHECK (status IN ('PENDING', 'SENT', 'FAILED')),
    -- Counted before each attempt, so that a crash in the middle of one does not go unseen.
    attempts        integer     NOT NULL DEFAULT 0,
    error           text,
    provider_id     text,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    created_at      timestamptz NOT NULL DEFAULT now(),
    sent_at         timestamptz,
    UNIQUE (position, recipient, kind)
);
CREATE INDEX email_log_pending ON email_log (next_attempt_at) WHERE status = 'PENDING';

CREATE VIEW email_log_list AS
SELECT id, recipient, kind, status, to_email, created_at,
       json_build_object('id', id, 'kind', kind, 'to_email', to_email, 'subject', subject, 'status', status,
                         'user', recipient, 'actor', actor, 'meta', meta, 'error', error, 'attempts', attempts,
                         'provider_id', provider_id, 'event_id', position, 'created_at', created_at,
                         'sent_at', sent_at) AS body
FROM email_log WHERE status <> 'PENDING';
