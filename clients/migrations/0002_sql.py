"""What Django can't express, from `clients/sql/`."""

from django.db import migrations

from crm.db.migration_operations import sql_files


class Migration(migrations.Migration):
    dependencies = [
        ("clients", "0001_initial"),
        ("crm", "0002_sql"),
    ]

    operations = sql_files("clients", "identifiers", "custom_fields", "ownership", "import_rows", "declarations", "merges", "profile", "change_numbers")
