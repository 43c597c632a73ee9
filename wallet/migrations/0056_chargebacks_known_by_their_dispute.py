from django.db import migrations

# Journals of before say "reversal" and no dispute: where the deposit has had one chargeback only, it is that one.
NAMED = """
INSERT INTO wallet_bonusloss (dispute_id, dispute_round, grant_id, amount_minor, journal_id)
SELECT d.id, 1, g.id, -p.amount_minor, j.id FROM wallet_bonusgrant g
JOIN wallet_dispute d ON d.deposit_id = g.deposit_id AND d.rounds = 1
JOIN wallet_journal j ON j.idempotency_key >= 'bonus:' || g.reference || ':burn:reversal:'
  AND j.idempotency_key < 'bonus:' || g.reference || ':burn:reversal;'
JOIN wallet_posting p ON p.journal_id = j.id AND p.account_id = g.account_id AND p.layer = 0
WHERE p.amount_minor < 0
  AND (SELECT sum(o.rounds) FROM wallet_dispute o WHERE o.deposit_id = g.deposit_id) = 1
  AND (SELECT count(*) FROM wallet_journal o WHERE o.idempotency_key >= 'bonus:' || g.reference || ':burn:reversal:'
       AND o.idempotency_key < 'bonus:' || g.reference || ':burn:reversal;') = 1
ON CONFLICT DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [("wallet", "0055_what_chargebacks_took_of_bonuses")]
    operations = [migrations.RunSQL(NAMED, migrations.RunSQL.noop)]
