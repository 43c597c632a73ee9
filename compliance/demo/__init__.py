"""Compliance's part of the demo: old copies of real lists, every verified client screened against them, ratings, restrictions."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange

from compliance.demo import aml, cases, people, vendor
from compliance.demo.countries import BLACK, GREY, SINCE, SOURCE
from compliance.models import CountryRisk
from compliance.watchlists import import_watchlist
from crm.demo import Demo

DATA = Path(settings.BASE_DIR) / "compliance" / "data"
LISTS = (("un", "un-2026-02-27.xml.gz"), ("ofac-consolidated", "cons_prim.csv.gz"), ("eu-journal", "eu-journal"))


def load(demo: Demo) -> None:
    demo.progress("Watchlists and screening", 0, 3)
    CountryRisk.objects.bulk_create(
        [
            CountryRisk(country=country, level=level, valid=DateRange(SINCE, None), source=SOURCE)
            for level, countries in (("black", BLACK), ("grey", GREY))
            for country in countries
        ]
    )
    for source, file in LISTS:
        import_watchlist(source=source, path=DATA / file, actor=None)
    people.house_list(demo)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE compliance_entryname")
        cursor.execute("ANALYZE compliance_listentry")
    demo.progress("Watchlists and screening", 1, 3)
    people.screen(demo)
    demo.progress("Watchlists and screening", 2, 3)
    people.restrict(demo)
    people.rate(demo)
    vendor.load(demo)
    demo.progress("Watchlists and screening", 3, 3)


def finish(demo: Demo) -> None:
    """Money has moved in all apps: AML rules see it."""
    if demo.brands:
        aml.load(demo)
        cases.load(demo)
