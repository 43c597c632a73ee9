"""What Django can't express, from `crm/sql/`, and the keys that outlive the field key."""

from django.conf import settings
from django.db import migrations

from crm.db.migration_operations import sql_files
from crm.security import crypto, keys

PURPOSES = (
    "destination-mark",
    "kyc-document-number",
    "client-identifier",
    "kyc-second-look",
    "automation-group",
    "mail-thread",
    "work-entry",
    "retention-control",
    "leaderboard-nickname",
)


def make_lasting_keys(apps, schema_editor):
    """Derive the keys of keyed hashes from the first field key, once; they stay when the field key is rotated."""
    key = keys.field_keys()[-1]
    model = apps.get_model("crm", "LastingKey")
    model.objects.bulk_create(
        model(
            purpose=purpose,
            wrapped=crypto.encrypt(key.derived(purpose), purpose=crypto.LASTING_KEYS, bound_to=purpose),
        )
        for purpose in PURPOSES
    )


class Migration(migrations.Migration):
    dependencies = [
        ("crm", "0001_initial"),
        ("guardian", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        *sql_files("crm", "access_log", "make_month", "analyze", "rights", "euro_rate", "legal_entities", "change_numbers", "schema_version"),
        migrations.RunPython(make_lasting_keys, migrations.RunPython.noop),
    ]
