-- Whether the journal ends with this block, once all who append before have done so. An append that follows one which is
-- still on its way asks this: its own snapshot is older than that one's commit. Should it have overtaken the other on the
-- way here, it lets it pass: the turn that it took too early ends with the block that is broken off.
CREATE FUNCTION journal_ends_with(base bigint, block bytea) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    last record;
BEGIN
    FOR look IN 1..50 LOOP
        BEGIN
            PERFORM pg_advisory_xact_lock('journal_blocks'::regclass::bigint);
            SELECT last_position, hash INTO last FROM journal_blocks ORDER BY last_position DESC LIMIT 1;
            IF last.last_position >= base THEN
                RETURN last.last_position = base AND last.hash = block;
            END IF;
            RAISE SQLSTATE 'DDC01';
        EXCEPTION WHEN SQLSTATE 'DDC01' THEN NULL;
        END;
        PERFORM pg_sleep(0.0001);
    END LOOP;
    RETURN false;
END $$;
