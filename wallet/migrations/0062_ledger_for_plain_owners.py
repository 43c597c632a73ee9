from importlib import import_module

from django.db import migrations

PAIR = import_module("wallet.migrations.0059_guards_ask_instead_of_checks").PAIR


# Databases that a superuser migrated have `ledger_post_pair` with a setting in its head, which no plain owner can restore from
# a dump. They get the one that everybody else got with 0059.
class Migration(migrations.Migration):
    dependencies = [("wallet", "0061_webhook_counts")]
    operations = [migrations.RunSQL(PAIR, migrations.RunSQL.noop)]
