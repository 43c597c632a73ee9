"""What Django can't express, from `trading/sql/`, and the caps on leverage known in November 2026, each with its day and source.

What was not read in the source itself says so (`is_confirmed`), and compliance confirms or replaces it on the page.
"""

import datetime as dt

from django.db import migrations

from crm.db.migration_operations import sql_files

EEA = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS", "IT", "LI", "LT", "LU", "LV",
    "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
]
STEPS = {
    "fx_major": 30, "fx_minor": 20, "gold": 20, "index_major": 20, "index_other": 10, "commodity": 10, "share": 5, "crypto": 2,
}
ESMA = "ESMA Decision (EU) 2018/796; since its end the national measures with the same caps (Cyprus: CySEC DI87-09)"
COBS = "FCA Handbook COBS 22.5"
BAN = "FCA PS20/10, COBS 22.6: no crypto derivatives for retail clients"
ASIC = "ASIC Corporations (Product Intervention Order - CFDs) Instrument 2020/986; extended to 23 May 2027"


def lines():
    """Yield (authority, countries, class, leverage, first day, last day, source, confirmed)."""
    for name, leverage in STEPS.items():
        yield "ESMA", EEA, name, leverage, dt.date(2018, 8, 1), None, ESMA, True
        last = dt.date(2021, 1, 5) if name == "crypto" else None
        yield "FCA", ["GB"], name, leverage, dt.date(2019, 8, 1), last, COBS, True
        yield "ASIC", ["AU"], name, leverage, dt.date(2021, 3, 29), dt.date(2027, 5, 23), ASIC, False
    yield "FCA", ["GB"], "crypto", 0, dt.date(2021, 1, 6), None, BAN, False


def add_caps(apps, schema_editor):
    """Insert the regulators' leverage caps for retail clients."""
    cap = apps.get_model("trading", "LeverageCap")
    cap.objects.bulk_create(
        cap(authority=authority, countries=countries, category="retail", instrument_class=name, leverage=leverage,
            valid_from=first, valid_until=last, source=source, is_confirmed=confirmed)
        for authority, countries, name, leverage, first, last, source, confirmed in lines()
    )


class Migration(migrations.Migration):
    dependencies = [("crm", "0002_sql"), ("trading", "0001_initial")]

    operations = [
        *sql_files("trading", "deals", "deals_changed", "platform_changes", "waiting_deals", "erasure", "change_numbers"),
        migrations.RunPython(add_caps, migrations.RunPython.noop),
    ]
