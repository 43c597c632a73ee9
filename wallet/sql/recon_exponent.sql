-- Guards amounts in SQL: digits after the point of a currency's smallest unit, as `crm.money` has them; a test holds both
-- equal.
CREATE OR REPLACE FUNCTION recon_exponent(currency text) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE
    WHEN currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'VND', 'VUV', 'XAF', 'XOF',
      'XPF') THEN 0
    WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 3
    WHEN currency IN ('USDT', 'USDC') THEN 6 WHEN currency IN ('BTC', 'ETH', 'LTC') THEN 8 ELSE 2 END
$$;
