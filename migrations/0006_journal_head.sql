-- The journal's end is its last block. Whoever appends knows the block that it builds on and takes the positions after
-- it. Were they taken meanwhile, their key refuses the append as a whole: positions have no holes, and position order is
-- commit order.
DROP FUNCTION append;
DROP FUNCTION append_each;
DROP TABLE journal_head;

-- With the hash of the last block; of 32 zeros before the first.
CREATE VIEW journal_head AS
    (SELECT last_position AS position, hash FROM journal_blocks ORDER BY last_position DESC LIMIT 1)
    UNION ALL SELECT 0, decode(repeat('00', 32), 'hex') WHERE NOT EXISTS (SELECT FROM journal_blocks);
