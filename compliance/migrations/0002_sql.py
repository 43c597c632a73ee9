"""What Django can't express, from `compliance/sql/`."""

from django.db import migrations

from crm.db.migration_operations import sql_files


class Migration(migrations.Migration):
    dependencies = [
        ("compliance", "0001_initial"),
        ("clients", "0001_initial"),
    ]

    operations = sql_files("compliance", "match_review", "erasure", "aml_case")
