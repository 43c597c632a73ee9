"""Each PSP set up so far offered one way to pay: it becomes a payment method, and deposits point at it."""

from django.db import migrations

METHODS = """
INSERT INTO wallet_paymentmethod (psp_id, code, label, kind, currencies, countries, excluded_countries, kyc_level_min,
  is_for_high_risk, takes_deposits, pays_out, deposit_minimum_minor, deposit_maximum_minor, payout_minimum_minor,
  payout_maximum_minor, deposit_fee_basis_points, deposit_fee_fixed_minor, payout_fee_basis_points,
  payout_fee_fixed_minor, minutes, position, fallback_group, is_enabled, updated_at)
SELECT p.id, '', p.name, p.kind, p.currencies, p.countries, '{}', p.kyc_level_min, true, true, p.pays_out, p.minimum_minor,
  p.maximum_minor, 1, 9000000000000, 0, 0, 0, 0, CASE p.kind WHEN 'bank' THEN 1440 WHEN 'crypto' THEN 30 ELSE 5 END,
  p.position, '', p.is_enabled, now()
FROM wallet_psp p WHERE NOT EXISTS (SELECT 1 FROM wallet_paymentmethod m WHERE m.psp_id = p.id)
"""
DEPOSITS = """
UPDATE wallet_deposit d SET
  payment_method_id = (SELECT min(m.id) FROM wallet_paymentmethod m WHERE m.psp_id = d.psp_id),
  credited_minor = CASE WHEN d.settled_at IS NOT NULL THEN d.received_minor END,
  hold_reasons = CASE WHEN d.state = 'held' THEN ARRAY['amount'] ELSE '{}' END,
  held_at = CASE WHEN d.state = 'held' THEN d.updated_at END
"""


class Migration(migrations.Migration):
    dependencies = [("wallet", "0013_deposits_by_payment_method")]
    operations = [
        migrations.RunSQL(METHODS, migrations.RunSQL.noop),
        migrations.RunSQL(DEPOSITS, migrations.RunSQL.noop),
    ]
