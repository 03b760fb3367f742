-- Whether the journal ends with this block, once all who append before have done so. An append that follows one which is
-- still on its way asks this: its own snapshot is older than that one's commit.
CREATE FUNCTION journal_ends_with(base bigint, block bytea) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock('journal_blocks'::regclass::bigint);
    RETURN EXISTS (SELECT FROM journal_blocks WHERE last_position = base AND hash = block);
END $$;
