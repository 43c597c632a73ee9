-- Guards statistics: processes that own no table may refresh those of ours, and nothing else.
CREATE OR REPLACE FUNCTION keelson_analyze(p_table text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE format('ANALYZE public.%I', p_table);
END
$$;
