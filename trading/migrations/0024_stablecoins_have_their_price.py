"""As `crm.rates.fx`: no currency stands for another one."""

from django.db import migrations

RATE = """
CREATE OR REPLACE FUNCTION keelson_euro_rate(p_currency text, p_on date) RETURNS numeric LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN p_currency = 'EUR' THEN 1 ELSE (
    SELECT rate FROM crm_fxrate WHERE "on" <= p_on AND currency = %s
    ORDER BY "on" DESC LIMIT 1) END
$$
"""
OWN = "p_currency"
PEGGED = "CASE WHEN p_currency IN ('USDT', 'USDC') THEN 'USD' ELSE p_currency END"


class Migration(migrations.Migration):
    dependencies = [
        ("crm", "0009_rates_come_from_feeds"),
        ("trading", "0023_password_set_at"),
    ]
    operations = [migrations.RunSQL(RATE % OWN, RATE % PEGGED)]
