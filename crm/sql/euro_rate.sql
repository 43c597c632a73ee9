-- Guards sums in SQL: the rate of the last reference day, as `crm.rates.fx` reads it; no currency stands for another one.
CREATE OR REPLACE FUNCTION keelson_euro_rate(p_currency text, p_on date) RETURNS numeric LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN p_currency = 'EUR' THEN 1 ELSE (
    SELECT rate FROM crm_fxrate WHERE "on" <= p_on AND currency = p_currency
    ORDER BY "on" DESC LIMIT 1) END
$$;
COMMENT ON FUNCTION keelson_euro_rate IS '1 EUR in a currency by the last reference day; as crm.rates.fx.rate. NULL: no rate';
