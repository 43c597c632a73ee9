"""A chargeback was a state of its deposit only: each becomes a dispute that is decided."""

from django.db import migrations

TAKEN = "UPDATE wallet_deposit SET charged_back_minor = received_minor WHERE state = 'charged_back'"
DISPUTES = """
INSERT INTO wallet_dispute (amount_minor, currency, deposit_id, client_id, brand_id, psp_id, psp_dispute_id, state, reason,
  taken_minor, rounds, chargeback_id, opened_at, evidence_key, evidence_sha256, evidence_bytes, evidence_text, closed_at,
  updated_at)
SELECT d.received_minor, d.currency, d.id, d.client_id, d.brand_id, d.psp_id, d.psp_reference,
  CASE d.state WHEN 'charged_back' THEN 'lost' ELSE 'won' END, '', d.charged_back_minor, 1, d.reversal_id, d.updated_at, '',
  '', 0, '', d.updated_at, d.updated_at
FROM wallet_deposit d
WHERE d.state IN ('charged_back', 'cb_reversed') AND d.reversal_id IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM wallet_dispute x WHERE x.deposit_id = d.id)
"""


class Migration(migrations.Migration):
    dependencies = [("wallet", "0023_disputes_and_unverified_clients")]
    operations = [
        migrations.RunSQL(TAKEN, migrations.RunSQL.noop),
        migrations.RunSQL(DISPUTES, migrations.RunSQL.noop),
    ]
