-- A stream's id tells more than its type: looked at first, it saves a comparison at each step down the tree. And made after
-- the index of positions, this one is written to after it: two nodes that append at the same place wait for each other there,
-- where neither has anything yet that the other could wait for.
ALTER TABLE events DROP CONSTRAINT events_pkey, ADD PRIMARY KEY (aggregate_id, aggregate_type, sequence);
