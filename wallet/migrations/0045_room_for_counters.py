"""Counters change with every posting: with room on their page the new version of a row stays there, and no index is touched."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("wallet", "0044_matches_are_joined")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE wallet_balance SET (fillfactor = 50)", "ALTER TABLE wallet_balance RESET (fillfactor)"
        )
    ]
