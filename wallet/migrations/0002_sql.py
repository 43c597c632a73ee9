"""What Django can't express, from `wallet/sql/`."""

from django.db import migrations

from crm.db.migration_operations import sql_files


class Migration(migrations.Migration):
    dependencies = [("crm", "0002_sql"), ("wallet", "0001_initial")]

    operations = sql_files(
        "wallet",
        "journals",
        "ledger_hashes",
        "ledger_post",
        "ledger_post_pair",
        "ledger_version_at",
        "recon_exponent",
        "recon_rate_explains",
        "recon_check_group",
        "erasure",
        "change_numbers",
    )
