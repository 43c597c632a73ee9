"""Files as other systems export them, and the shortest way from one to its end."""

from crm.imports import applying, checking, importing
from crm.models import ImportRow

CLIENTS = """ID;Vorname;Nachname;E-Mail;Telefon;Land;Geburtsdatum;Regdate
7001;Jürgen;Groß;Juergen@example.com;0151 23456789;Deutschland;31.12.1980;05.01.2024
7002;Åsa;Öberg;asa@example.com;+46 70 123 45 67;SE;01.02.1990;
"""
MAPPING = {
    "fields": {
        "external_id": "ID",
        "first_name": "Vorname",
        "last_name": "Nachname",
        "email": "E-Mail",
        "phone": "Telefon",
        "country": "Land",
        "date_of_birth": "Geburtsdatum",
        "registered_at": "Regdate",
    },
    "dates": "dmy",
}


def silent(done, total=0, message=""):
    pass


def uploaded(cast, text, *, kind="clients", name="export.csv", system="uptrader", **options):
    content = text if isinstance(text, bytes) else text.encode()
    return importing.start_import(
        brand=cast.brand, actor=cast.administrator, kind=kind, system=system, file_name=name, content=content, **options
    )


def checked(cast, text, mapping=None, **options):
    """Upload, map (by the guess where no mapping is given) and check."""
    batch = uploaded(cast, text, **options)
    definition = mapping or batch.mapping
    importing.map_columns(import_id=batch.pk, actor=cast.administrator, definition=definition, is_queued=False)
    batch.refresh_from_db()
    return checking.check(batch, silent)


def imported(cast, text, mapping=None, *, existing="keep", **options):
    batch = checked(cast, text, mapping, **options)
    assert batch.taken_count, [batch.problems, reasons(batch)]
    importing.confirm(import_id=batch.pk, actor=cast.administrator, existing=existing, is_queued=False)
    return applying.apply(batch, silent)


def row(batch, line):
    return ImportRow.objects.get(batch=batch, line=line)


def reasons(batch):
    return {row.line: [error["message"] for error in row.errors] for row in batch.rows.all() if row.errors}
