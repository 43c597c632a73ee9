"""The scoring rules Keelson comes with, for all brands; a brand's own rule of the same name replaces one. And `leads/sql/`."""

from django.db import migrations

from crm.db.migration_operations import sql_files

TIER_1 = ["DE", "AT", "CH", "GB", "IE", "NL", "BE", "LU", "SE", "NO", "DK", "FI", "AU", "NZ", "SG", "AE"]
TIER_2 = ["ES", "PT", "IT", "FR", "PL", "CZ", "SK", "SI", "HR", "HU", "RO", "BG", "GR", "CY", "MT", "EE", "LV", "LT", "MY", "HK", "JP"]
RULES = [
    ("Every lead", "base", {}, 15),
    ("Tier 1 country", "country", {"countries": TIER_1}, 20),
    ("Tier 2 country", "country", {"countries": TIER_2}, 10),
    ("Supported language", "language", {}, 8),
    ("Disposable e-mail address", "email", {"is": "disposable"}, -30),
    ("Company or own e-mail domain", "email", {"is": "own"}, 6),
    ("No e-mail address", "email", {"is": "none"}, -8),
    ("Phone matches country", "phone", {"is": "match"}, 15),
    ("Phone from another country", "phone", {"is": "mismatch"}, 3),
    ("Invalid phone number", "phone", {"is": "invalid"}, -12),
    ("No phone number", "phone", {"is": "missing"}, -8),
    ("Campaign", "campaign", {}, 15),
    ("Enquiry during the day", "hour", {"from": 8, "to": 21}, 4),
    ("Repeat enquiry", "repeat", {"at_least": 2}, 10),
    ("Frequent enquiries", "repeat", {"at_least": 4}, 5),
    ("Partner referral", "referral", {}, 12),
    ("Marketing consent", "consent", {}, 3),
]


def add(apps, schema_editor):
    """Create the scoring rules that every brand starts with."""
    rule = apps.get_model("leads", "ScoreRule")
    rule.objects.bulk_create(
        [rule(name=name, kind=kind, parameters=parameters, points=points) for name, kind, parameters, points in RULES]
    )


class Migration(migrations.Migration):
    dependencies = [("leads", "0001_initial")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop), *sql_files("leads", "erasure")]
