"""What Django can't express, from `reports/sql/`."""

from django.db import migrations

from crm.db.migration_operations import sql_files


class Migration(migrations.Migration):
    dependencies = [
        ("clients", "0002_sql"),
        ("crm", "0001_initial"),
        ("leads", "0001_initial"),
        ("reports", "0001_initial"),
        ("wallet", "0001_initial"),
    ]

    operations = sql_files("reports", "figures")
