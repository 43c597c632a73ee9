"""Documents for tests: real files, drawn once per process."""

from __future__ import annotations

import copy
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
from crm.brand_policies.registry import today
from crm.models import Brand, DueRow, User, WorkItem
from kyc import documents, intake, pages, pipeline, specimens
from kyc.choices import DocumentKind
from kyc.examination import apart
from kyc.examination.sheet import Sheet
from kyc.models import Document, VerdictPolicy
from kyc.verdicts.rules import KindRule, RiskRule, Rules, shipped

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


def officers_decide(brand: Brand) -> None:
    """Give a brand a policy under which nothing is decided automatically, where it has none."""
    if not VerdictPolicy.objects.filter(brand=brand).exists():
        with_policy(brand, approves=False, asks_in_a_row=0)


def with_policy(
    brand: Brand, *, approves: bool = True, sample_percent: int = 0, asks_in_a_row: int = 2, **fields: Any
) -> VerdictPolicy:
    """Give a brand a policy with the shipped checks, from today on."""
    risk = RiskRule(approves, sample_percent)
    rules = Rules(
        {
            kind: KindRule(rule.required, rule.asks, asks_in_a_row, dict.fromkeys(rule.risks, risk))
            for kind, rule in shipped().kinds.items()
        }
    )
    values = {
        "number": VerdictPolicy.objects.filter(brand=brand).count() + 1,
        "rules": rules.body(),
        "effective_on": today(brand),
        "set_by": User.objects.filter(kind="staff").order_by("pk").first(),
        "set_at": timezone.now(),
        "reason": "As the test needs it",
    }
    return VerdictPolicy.objects.create(brand=brand, **{**values, **fields})


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


def _examined_once(sheet: Sheet, *files: apart.File) -> apart.Examined:
    """What the child said of the same files and the same registration before, about this document."""
    given = [(file.kind, file.side, file.sha256) for file in files]
    key = (apart, sheet.subject, sheet.today, sheet.age_min_years, sheet.accepts_specimens, *given)
    if key not in _answers:
        _answers[key] = REAL_EXAMINE(sheet, *files)
    examined = copy.deepcopy(_answers[key])
    examined.sheet.document_id = sheet.document_id
    return examined


REAL_EXAMINE = apart.examine
REMEMBERED = [
    (intake, "parse", intake.parse, _remembering(intake.parse)),
    (pages, "parse", pages.parse, _remembering(pages.parse)),
    (apart, "examine", REAL_EXAMINE, _examined_once),
]


@contextmanager
def files_read_once() -> Iterator[None]:
    """For tests that begin with a checked document, hundreds with the same one. Reading itself: test_intake, test_examination,
    test_pipeline. What a test has put in a function's place stays there."""
    with pytest.MonkeyPatch.context() as patch:
        for module, name, real, remembering in REMEMBERED:
            if getattr(module, name) is real:
                patch.setattr(module, name, remembering)
        yield


def uploaded(
    client: Client,
    *,
    kind: str = DocumentKind.PASSPORT,
    content: bytes | None = None,
    actor: Any = None,
    is_automatic: bool = False,
    **fields: Any,
) -> Document:
    """A document that was sent. Officers decide at its brand, unless the shipped policy may: `is_automatic`."""
    if not is_automatic:
        officers_decide(client.brand)
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
