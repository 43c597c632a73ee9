"""Documents for tests: real files, drawn once per process."""

from __future__ import annotations

import datetime as dt
import io
from functools import cache
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from clients.models import Client
from kyc import claims, documents, pipeline, specimens
from kyc.choices import DocumentKind
from kyc.models import Document

BORN = dt.date(1990, 5, 17)


def registered(client: Client, **fields: Any) -> Client:
    """Give a client of the cast what a registration holds."""
    values = {
        "date_of_birth": BORN, "address_line": "Lindenstraße 12", "postal_code": "10969", "city": "Berlin", **fields,
    }  # fmt: skip
    for name, value in values.items():
        setattr(client, name, value)
    client.save()
    return client


@cache
def passport_jpeg(first: str = "Clara", last: str = "Weber", born: dt.date = BORN, number: str = "C01X00T47",
                  expires_on: dt.date = dt.date(2033, 4, 15)) -> bytes:  # fmt: skip
    holder = specimens.Holder(first, last, born, number=number, expires_on=expires_on)
    return specimens.jpeg(specimens.passport(holder))


def bill_pdf(*, name: str = "Clara Weber", issued_on: dt.date | None = None, **fields: Any) -> bytes:
    values = {"address_line": "Lindenstraße 12", "postal_code": "10969", "city": "Berlin", **fields}
    issued_on = issued_on or timezone.now().date() - dt.timedelta(days=20)
    return specimens.utility_bill(name=name, issued_on=issued_on, **values)


def file_of(content: bytes, name: str = "passport.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def a_file(content: bytes) -> io.BytesIO:
    return io.BytesIO(content)


def uploaded(client: Client, *, kind: str = DocumentKind.PASSPORT, content: bytes | None = None, actor: Any = None,
             **fields: Any) -> Document:  # fmt: skip
    content = content or (passport_jpeg() if kind != DocumentKind.PROOF_OF_ADDRESS else bill_pdf())
    return documents.upload(client=client, kind=kind, file=a_file(content), actor=actor, name="scan", **fields)


def waiting(client: Client, **fields: Any) -> Document:
    """An uploaded document whose checks have run."""
    document = uploaded(client, **fields)
    pipeline.check(document.pk)
    document.refresh_from_db()
    return document


def claimed(client: Client, officer: Any, **fields: Any) -> Document:
    document = waiting(client, **fields)
    claims.claim(document_id=document.pk, actor=officer)
    document.refresh_from_db()
    return document
