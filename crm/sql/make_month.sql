-- Guards the making of partitions: processes that own no table may add months to partitioned ones, and nothing else.
CREATE OR REPLACE FUNCTION keelson_make_month(p_table text, p_first date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = p_table AND n.nspname = 'public' AND c.relkind = 'p') THEN
    RAISE EXCEPTION '% is no partitioned table', p_table;
  END IF;
  EXECUTE format('CREATE TABLE IF NOT EXISTS public.%I PARTITION OF public.%I FOR VALUES FROM (%L) TO (%L)',
    p_table || to_char(p_first, '_YYYY_MM'), p_table, date_trunc('month', p_first)::date,
    (date_trunc('month', p_first) + interval '1 month')::date);
END
$$;
