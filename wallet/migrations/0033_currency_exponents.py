"""The database knows how many decimals a currency has from one function. Tables that 0027 wrote before the list was complete
followed the application's list of that day."""

from django.db import migrations

FUNCTIONS = """
-- Digits after the point of a currency's smallest unit: what crm.money says, held equal by a test.
CREATE OR REPLACE FUNCTION recon_exponent(currency text) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE
    WHEN currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'VND', 'VUV', 'XAF', 'XOF',
      'XPF') THEN 0
    WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 3
    WHEN currency IN ('USDT', 'USDC') THEN 6 WHEN currency IN ('BTC', 'ETH', 'LTC') THEN 8 ELSE 2 END
$$;

CREATE OR REPLACE FUNCTION recon_rate_explains(got bigint, got_currency text, paid bigint, paid_currency text, rate numeric)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(got_currency <> paid_currency AND abs(got - u.unit * rate)
    <= 1 + abs(u.unit) * 0.5 / 10 ^ greatest(scale(trim_scale(rate)), 6), false)
  FROM (SELECT paid * 10::numeric ^ (recon_exponent(got_currency) - recon_exponent(paid_currency)) AS unit) u
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("wallet", "0032_payout_rows_are_found")]

    operations = [migrations.RunSQL(FUNCTIONS, migrations.RunSQL.noop)]
