"""Money that PSPs moved by themselves came in with reports, and nobody was asked what it is: such rows have breaks now."""

from django.db import migrations

OPEN = """
INSERT INTO wallet_break (brand_id, leg, psp_id, report_id, kind, row_id, subject, detail, currency, difference_minor,
  happened_at, opened_at, state, resolution)
SELECT p.brand_id, 'psp', i.psp_id, i.id, 'missing_here', r.id, '', '', r.currency, r.gross_minor, r.booked_at,
  clock_timestamp(), 'open', ''
FROM wallet_settlementrow r JOIN wallet_settlementimport i ON i.id = r.report_id JOIN wallet_psp p ON p.id = i.psp_id
WHERE r.type IN ('reserve', 'conversion', 'adjustment') AND NOT r.is_repeat
  AND NOT EXISTS (SELECT 1 FROM wallet_break b WHERE b.row_id = r.id)
ORDER BY r.id;
SET CONSTRAINTS ALL IMMEDIATE;
"""


class Migration(migrations.Migration):
    dependencies = [("wallet", "0042_what_breaks_say_in_codes")]

    operations = [migrations.RunSQL(OPEN, migrations.RunSQL.noop)]
