-- Who asked for what, and what it took. No body, no query, no header but the user agent: nothing secret can be in it.
CREATE TABLE http_activities (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    method      text        NOT NULL,
    path        text        NOT NULL,
    -- As the API's document has it; null when there is none.
    route       text,
    status_code smallint    NOT NULL,
    latency_us  bigint      NOT NULL,
    ip          text,
    user_id     bigint,
    request_id  text        NOT NULL,
    user_agent  text,
    created_at  timestamptz NOT NULL
);
CREATE INDEX http_activities_by_time ON http_activities (created_at);
CREATE INDEX http_activities_by_user ON http_activities (user_id, id);
CREATE INDEX http_activities_by_request ON http_activities (request_id);

CREATE VIEW http_activity_list AS
SELECT id, method, path, route, status_code, ip, user_id, request_id, latency_us, created_at,
       json_build_object('id', id, 'method', method, 'path', path, 'route', route, 'status_code', status_code,
                         'latency_ms', round(latency_us / 1000.0, 3), 'ip', ip, 'user_id', user_id,
                         'request_id', request_id, 'user_agent', user_agent, 'created_at', created_at) AS body
FROM http_activities;
