-- They are written in the order of their times: where a time is found is told by ranges of blocks, at a hundredth of the
-- price of a tree, which each request would have to pay.
DROP INDEX http_activities_by_time;
CREATE INDEX http_activities_by_time ON http_activities USING brin (created_at) WITH (pages_per_range = 32);
