-- Guards what every posting pays for: unique links hold no entry for the journals without one, days have an index of a few
-- pages, and a counter's new version stays on its page, so that no index is touched.
DO $$
DECLARE r record;
BEGIN
  FOR r IN SELECT conname, a.attname FROM pg_constraint c
    JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
    WHERE contype = 'u' AND conrelid = 'wallet_journal'::regclass AND cardinality(conkey) = 1
      AND a.attname IN ('reverses_id', 'resolves_id') LOOP
    EXECUTE format('ALTER TABLE wallet_journal DROP CONSTRAINT %I', r.conname);
    EXECUTE format('CREATE UNIQUE INDEX journal_%1$s_once ON wallet_journal (%1$I) WHERE %1$I IS NOT NULL', r.attname);
  END LOOP;
END $$;
CREATE INDEX journals_by_business_day ON wallet_journal USING brin (business_on) WITH (pages_per_range = 32);
ALTER TABLE wallet_balance SET (fillfactor = 50);
