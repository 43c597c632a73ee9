from django.db import migrations

# Until now a withdrawal was one payment, and went back to the PSP it was sent through.
WITHDRAWALS = """
UPDATE wallet_withdrawal SET request_reference = reference, request_minor = amount_minor, return_minor = amount_minor
WHERE request_reference = ''
"""
DEPOSITS = "UPDATE wallet_deposit SET refunded_minor = received_minor WHERE state = 'refunded' AND refunded_minor = 0"


class Migration(migrations.Migration):
    dependencies = [("wallet", "0010_withdrawal_parts")]

    operations = [
        migrations.RunSQL(WITHDRAWALS, migrations.RunSQL.noop),
        migrations.RunSQL(DEPOSITS, migrations.RunSQL.noop),
    ]
