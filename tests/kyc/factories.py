"""Documents for tests: real files, drawn once per process."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from clients.models import Client
from crm import due, work
from crm.models import DueRow, WorkItem
from kyc import documents, intake, mrz_zone, ocr, pages, pipeline, specimens
from kyc.choices import DocumentKind
from kyc.models import Document

BORN = dt.date(1990, 5, 17)


def registered(client: Client, **fields: Any) -> Client:
    """Give a client of the cast what a registration holds."""
    values = {
        "date_of_birth": BORN,
        "nationality": "DE",
        "address_line": "Lindenstraße 12",
        "postal_code": "10969",
        "city": "Berlin",
        **fields,
    }
    for name, value in values.items():
        setattr(client, name, value)
    client.save()
    return client


@cache
def passport_jpeg(
    first: str = "Clara",
    last: str = "Weber",
    born: dt.date = BORN,
    number: str = "C01X00T47",
    expires_on: dt.date = dt.date(2033, 4, 15),
) -> bytes:
    holder = specimens.Holder(first, last, born, number=number, expires_on=expires_on)
    return specimens.jpeg(specimens.passport(holder))


def bill_pdf(*, name: str = "Clara Weber", issued_on: dt.date | None = None, **fields: Any) -> bytes:
    values = {"address_line": "Lindenstraße 12", "postal_code": "10969", "city": "Berlin", **fields}
    issued_on = issued_on or timezone.now().date() - dt.timedelta(days=20)
    return _bill_pdf(specimens.UtilityBill(name=name, issued_on=issued_on, **values))


_bill_pdf = cache(specimens.utility_bill)


def file_of(content: bytes, name: str = "passport.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def a_file(content: bytes) -> io.BytesIO:
    return io.BytesIO(content)


_answers: dict[Any, Any] = {}


def _key_of(given: Any) -> Any:
    """Of pictures and files their digest: the same bytes get the same answer."""
    if isinstance(given, np.ndarray):
        return given.shape, hashlib.sha256(given.tobytes()).digest()
    return hashlib.sha256(given).digest() if isinstance(given, bytes) else given


def _remembering(real: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, which keeps its answers: what it read in a file or on a picture once is what it would read again."""

    def ask(thing: Any, *more: Any, **options: Any) -> Any:
        key = (real, *map(_key_of, (thing, *more)), repr(sorted(options.items())))
        if key not in _answers:
            _answers[key] = real(thing, *more, **options)
        return _answers[key]

    return ask


REMEMBERED = [
    (intake, "parse", intake.parse),
    (pages, "parse", pages.parse),
    (mrz_zone, "find_and_read", mrz_zone.find_and_read),
    (ocr, "read_words", ocr.read_words),
]


@contextmanager
def files_read_once() -> Iterator[None]:
    """For tests that begin with a checked document, hundreds with the same one. Reading itself: test_intake, test_examination,
    test_pipeline. What a test has put in a function's place stays there."""
    with pytest.MonkeyPatch.context() as patch:
        for module, name, real in REMEMBERED:
            if getattr(module, name) is real:
                patch.setattr(module, name, _remembering(real))
        yield


def uploaded(
    client: Client, *, kind: str = DocumentKind.PASSPORT, content: bytes | None = None, actor: Any = None, **fields: Any
) -> Document:
    content = content or (passport_jpeg() if kind != DocumentKind.PROOF_OF_ADDRESS else bill_pdf())
    with files_read_once():
        return documents.upload(client=client, kind=kind, file=a_file(content), actor=actor, name="scan", **fields)


def waiting(client: Client, **fields: Any) -> Document:
    """An uploaded document whose checks have run."""
    document = uploaded(client, **fields)
    with files_read_once():
        pipeline.check(document.pk)
    document.refresh_from_db()
    return document


def claimed(client: Client, officer: Any, **fields: Any) -> Document:
    document = waiting(client, **fields)
    work.claim(item_id=document.work_id, actor=officer)
    document.refresh_from_db()
    return document


def let_settle() -> int:
    """Let the time pass in which decisions can be undone; returns how many took effect."""
    now = timezone.now()
    WorkItem.objects.filter(state="decided", final_at__gt=now).update(final_at=now)
    DueRow.objects.filter(kind=work.SETTLING.code, state="pending").update(next_at=now)
    return due.sweep(kinds=[work.SETTLING])
