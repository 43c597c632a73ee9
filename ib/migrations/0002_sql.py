"""What Django can't express, from `ib/sql/`."""

from django.db import migrations

from crm.db.migration_operations import sql_files


class Migration(migrations.Migration):
    dependencies = [
        ("ib", "0001_initial"),
        ("clients", "0001_initial"),
    ]

    operations = sql_files("ib", "erasure")
