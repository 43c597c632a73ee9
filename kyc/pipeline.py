"""Running the checks on a document: once, however often it is asked for, and on after a kill -9.

The truth is in the row: `checking` with a lease. Whoever takes it raises the attempt counter and opens a CheckRun; the result
is written only while that run is still the open one. A worker that died leaves a lease that ends, and the sweeper
starts again; after ATTEMPTS_MAX tries a person gets the document with the issue CHECK_FAILED.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from dataclasses import replace
from typing import Any

import orjson
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from clients.brand_policies import MINIMUM_AGE
from clients.identifiers import learn_many
from crm import work
from crm.db.locking import lock
from crm.events import DocumentChecked, publish
from crm.security import audit, crypto
from kyc import pages, store
from kyc.audit_codes import KycAction
from kyc.choices import DocumentState, IssueCode, RunState
from kyc.documents import locked, waiting_for_checks
from kyc.examination import CHECKS, Result, Sheet, read
from kyc.examination.sheet import Subject, unsure
from kyc.fingerprints import bands_of, number_fingerprint, sightings_of
from kyc.models import ATTEMPTS_MAX, CheckRun, Document, Issue
from kyc.reviews import REVIEW

logger = logging.getLogger(__name__)
VERSION = "2026.12"
LEASE_SECONDS = 300
BOX_AIR = 0.005
NUMBER_LENGTH_MIN = 5


def check(document_id: int) -> CheckRun | None:
    """Check one document; None when it is not its turn (checked already, replaced, or in another worker's hands)."""
    run = _begin(document_id)
    if run is None:
        return None
    started = time.monotonic()
    try:
        document = Document.objects.select_related("client__brand").get(pk=document_id)
        sheet = lay_out(document)
        results = examine(sheet)
    except Exception as error:  # any failure is noted; the sweeper tries again
        logger.exception("check %s of document %s failed", run.pk, document_id)
        return _fail(run, f"{type(error).__name__}: {error}")
    return _finish(run, sheet, results, duration_ms=round((time.monotonic() - started) * 1000))


def check_due(*, limit: int = 50) -> int:
    """Check what waits or was left behind, oldest first; for the sweeper and for tests."""
    return sum(check(pk) is not None for pk in waiting_for_checks(limit=limit))


@transaction.atomic
def _begin(document_id: int) -> CheckRun | None:
    document = locked(document_id)
    now = timezone.now()
    if document.state == DocumentState.UPLOADED:
        document.move_to(DocumentState.CHECKING)
    elif document.state != DocumentState.CHECKING or (document.check_lease_until or now) > now:
        return None
    _close_open_runs(document, "The worker stopped before the checks ended.")
    if document.check_attempts >= ATTEMPTS_MAX:
        _give_to_a_person(document)
        return None
    document.check_attempts += 1
    document.check_lease_until = now + dt.timedelta(seconds=LEASE_SECONDS)
    document.save(update_fields=["state", "check_attempts", "check_lease_until"])
    return CheckRun.objects.create(document=document, version=VERSION, started_at=now)


def _close_open_runs(document: Document, error: str) -> None:
    document.runs.filter(state=RunState.RUNNING).update(state=RunState.FAILED, finished_at=timezone.now(), error=error)


def lay_out(document: Document) -> Sheet:
    """Collect what the checks work on: the pages as pictures, the text layer, and the registration to compare with."""
    client = document.client
    content = store.read(client_id=document.client_id, key=document.store_key)
    drawn = pages.draw(content, document.content_type)
    return Sheet(
        document_id=document.pk,
        kind=document.kind,
        side=document.side,
        sha256=document.sha256,
        pages=drawn.pictures,
        text_layer=drawn.text_layer,
        traces=document.traces,
        today=timezone.now().date(),
        age_min_years=MINIMUM_AGE.of(client.brand),
        accepts_specimens=settings.KYC_ACCEPTS_SPECIMENS,
        subject=Subject(
            client_id=client.pk,
            brand_id=client.brand_id,
            first_name=client.first_name,
            last_name=client.last_name,
            birth_date=client.date_of_birth,
            address_line=client.address_line,
            postal_code=client.postal_code,
            city=client.city,
            nationality=client.nationality,
            country=str(client.country or ""),
        ),
    )


def examine(sheet: Sheet) -> list[Result]:
    """Read the page and run every check that applies; a check that breaks or says nothing is unsure."""
    results: list[Result] = []
    try:
        read(sheet)
        _mark_number(sheet)
    except Exception:  # the checks that need no reading still help the officer
        logger.exception("document %s could not be read", sheet.document_id)
        results.append(replace(unsure(IssueCode.CHECK_FAILED, 1.0, field="reading"), check="reading"))
    for check in CHECKS:
        if not check.is_for(sheet):
            continue
        try:
            said = list(check.run(sheet)) or [unsure(IssueCode.CHECK_FAILED, 1.0, field=check.name)]
        except Exception:  # the other checks still help the officer
            logger.exception("check %s broke on document %s", check.name, sheet.document_id)
            said = [unsure(IssueCode.CHECK_FAILED, 1.0, field=check.name)]
        results += [replace(result, check=check.name) for result in said]
    return results


def _mark_number(sheet: Sheet) -> None:
    """Keep the number as a keyed hash, by which the same document is known again."""
    number = sheet.extracted.get("number", "")
    is_right = sheet.zone is None or "number" not in sheet.zone.mrz.failed
    if is_right and len(number) >= NUMBER_LENGTH_MIN:
        sheet.number_fingerprint = number_fingerprint(number)


def issues_in(results: list[Result]) -> list[Result]:
    """Choose what becomes an issue: what didn't pass, and notes; the surest per code and field."""
    found: dict[tuple[str, str], Result] = {}
    for result in results:
        key = (result.code, result.field)
        if result.code and (key not in found or found[key].score < result.score):
            found[key] = result
    return list(found.values())


@transaction.atomic
def _finish(run: CheckRun, sheet: Sheet, results: list[Result], *, duration_ms: int) -> CheckRun | None:
    document = locked(sheet.document_id)
    run = lock(CheckRun, run.pk)
    if run.state != RunState.RUNNING or document.state != DocumentState.CHECKING:
        if run.state == RunState.RUNNING:  # replaced while we looked at it
            _close_open_runs(document, "The document was replaced meanwhile.")
        return None
    run.move_to(RunState.DONE)
    run.finished_at, run.duration_ms = timezone.now(), duration_ms
    run.engine = ", ".join(sorted(sheet.engines))[:60]
    run.measures = {**sheet.measures, "pages": [[page.shape[1], page.shape[0]] for page in sheet.pages]}
    issues = issues_in(results)
    details = {
        f"{issue.code}:{issue.field}": {"found": issue.found, "expected": issue.expected}
        for issue in issues
        if issue.found or issue.expected
    }
    run.results = [_kept(result) for result in results]
    run.details_sealed = _sealed(document, details)
    run.save()
    Issue.objects.bulk_create([_row(run, document, issue) for issue in issues])
    document.extracted_sealed = _sealed(document, sheet.extracted)
    document.phash = sheet.phash
    document.phash_bands = bands_of(sheet.phash) if sheet.phash else []
    document.number_fingerprint, document.issuing_country = sheet.number_fingerprint, sheet.issuing_country
    document.issued_on, document.expires_on = sheet.issued_on, sheet.expires_on
    learn_many(sightings_of(document))
    _hand_over(document, sorted({str(issue.code) for issue in issues}))
    return run


def _sealed(document: Document, body: dict[str, Any]) -> bytes | None:
    return crypto.encrypt_for_client(document.client_id, orjson.dumps(body)) if body else None


def _kept(result: Result) -> dict[str, Any]:
    """Write a result down without what was read: that stays under the client's key."""
    return {
        "check": result.check,
        "verdict": result.verdict.value,
        "code": str(result.code),
        "field": result.field,
        "confidence": round(float(result.score), 2),
        "page": result.page,
        "box": _with_air(result.box) if result.box else None,
    }


def _row(run: CheckRun, document: Document, issue: Result) -> Issue:
    return Issue(
        run=run,
        document=document,
        code=issue.code,
        severity=issue.weight,
        field=issue.field,
        score=min(1.0, max(0.0, float(issue.score))),
        page=issue.page,
        box=_with_air(issue.box) if issue.box else None,
    )


def _with_air(box: tuple[float, float, float, float]) -> list[float]:
    """Widen a measured box a little, inside the page."""
    left, top = max(0.0, box[0] - BOX_AIR), max(0.0, box[1] - BOX_AIR)
    right, bottom = min(1.0, box[0] + box[2] + BOX_AIR), min(1.0, box[1] + box[3] + BOX_AIR)
    return [round(float(side), 4) for side in (left, top, right - left, bottom - top)]


def _hand_over(document: Document, codes: list[str]) -> None:
    """Hand a checked document to the review queue, and publish it."""
    document.move_to(DocumentState.PENDING_REVIEW)
    document.checked_at, document.check_lease_until = timezone.now(), None
    document.work = work.open_item(
        REVIEW, client_id=document.client_id, brand=document.client.brand, opened_at=document.uploaded_at
    )
    document.save()
    audit.record(
        actor=None,
        action=KycAction.DOCUMENT_CHECKED,
        target=document,
        client_id=document.client_id,
        brand_id=document.client.brand_id,
        after={"state": document.state, "issues": codes},
        evidence={"version": VERSION, "attempts": document.check_attempts},
    )
    publish(
        DocumentChecked(
            document_id=document.pk,
            issues=tuple(codes),
            client_id=document.client_id,
            brand_id=document.client.brand_id,
        )
    )


@transaction.atomic
def _fail(run: CheckRun, error: str) -> CheckRun:
    """Note the failure and let the lease end now: the sweeper tries again, or gives the document to a person."""
    document = locked(run.document_id)
    CheckRun.objects.filter(pk=run.pk, state=RunState.RUNNING).update(
        state=RunState.FAILED, finished_at=timezone.now(), error=error[:4000]
    )
    if document.state == DocumentState.CHECKING:
        if document.check_attempts >= ATTEMPTS_MAX:
            _give_to_a_person(document)
        else:
            Document.objects.filter(pk=document.pk).update(check_lease_until=timezone.now())
    run.refresh_from_db()
    return run


def _give_to_a_person(document: Document) -> None:
    run = document.runs.order_by("-pk").first()
    if run is not None:
        Issue.objects.bulk_create([_row(run, document, unsure(IssueCode.CHECK_FAILED, 1.0))], ignore_conflicts=True)
    _hand_over(document, [IssueCode.CHECK_FAILED.value])
