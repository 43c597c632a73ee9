"""What the running processes need and only the tables' owner may: making partitions, refreshing statistics."""

from django.db import migrations

FUNCTIONS = r"""
CREATE FUNCTION keelson_make_month(p_table text, p_first date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
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
ALTER FUNCTION keelson_make_month SET search_path = pg_catalog, pg_temp;

CREATE FUNCTION keelson_analyze(p_table text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  EXECUTE format('ANALYZE public.%I', p_table);
END
$$;
ALTER FUNCTION keelson_analyze SET search_path = pg_catalog, pg_temp;
"""
DROP = "DROP FUNCTION keelson_make_month(text, date); DROP FUNCTION keelson_analyze(text);"


class Migration(migrations.Migration):
    dependencies = [("crm", "0004_accounts")]
    operations = [migrations.RunSQL(FUNCTIONS, DROP)]
