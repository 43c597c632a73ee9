"""What Django can't express, from `kyc/sql/`."""

from django.db import migrations

from crm.db.migration_operations import sql_files


class Migration(migrations.Migration):
    dependencies = [
        ("kyc", "0001_initial"),
        ("clients", "0001_initial"),
    ]

    operations = sql_files("kyc", "categories", "erasure")
