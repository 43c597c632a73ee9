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

from clients.country_rules.gates import minimum_age
from clients.country_rules.rules import rule_of
from clients.identifiers import learn_many
from clients.identifiers.keeping import number_fingerprint
from crm import work
from crm.db.locking import lock
from crm.events import DocumentChecked, publish
from crm.files.parsing import ParsingRefused
from crm.security import audit, crypto
from kyc import store
from kyc.audit_codes import KycAction
from kyc.choices import DocumentState, IssueCode, Outcome, RunState
from kyc.document_requests.answering import asked_by
from kyc.documents import locked, waiting_for_checks
from kyc.examination import Result, Sheet, apart, duplicates
from kyc.examination.apart import Examined
from kyc.examination.sheet import Subject, unsure
from kyc.fingerprints import bands_of, sightings_of
from kyc.models import ATTEMPTS_MAX, CheckRun, Document, Issue, MachineDecision
from kyc.reviews import REVIEW
from kyc.urgency.doubts import only_doubt
from kyc.urgency.order import refresh_order
from kyc.verdicts.reaching import other_side_of, reach

logger = logging.getLogger(__name__)
VERSION = "2026.12"
LEASE_SECONDS = 300
BOX_AIR = 0.005


def check(document_id: int) -> CheckRun | None:
    """Check one document; None when it is not its turn (checked already, replaced, or in another worker's hands)."""
    run = _begin(document_id)
    if run is None:
        return None
    started = time.monotonic()
    try:
        document = Document.objects.select_related("client__brand").get(pk=document_id)
        examined = examine(document)
    except Exception as error:  # any failure is noted; the sweeper tries again
        logger.exception("check %s of document %s failed", run.pk, document_id)
        return _fail(run, f"{type(error).__name__}: {error}")
    return _finish(run, examined, duration_ms=round((time.monotonic() - started) * 1000))


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


def examine(document: Document) -> Examined:
    """Have the file read and checked in a child, beside its other side where that is there; look for duplicates here.

    A child that was ended (too much memory or time, or it crashed) is not tried again: a person examines such a file.
    Raises: ParsingBusy, and whatever keeps the stored file from being read.
    """
    sheet, other = _blank_sheet(document), other_side_of(document)
    files = [_file_of(one) for one in (document, other) if one is not None]
    try:
        examined = apart.examine(sheet, *files)
    except ParsingRefused as refused:
        logger.warning("document %s: its child was ended (%s)", document.pk, refused.code)
        examined = Examined(sheet, [apart.failed("reading")])
    examined.sheet.number_fingerprint = number_fingerprint(examined.number) if examined.number else ""
    examined.results += _duplicates(examined.sheet)
    if other is not None:
        examined.sheet.measures["other_side"] = other.pk
    return examined


def _blank_sheet(document: Document) -> Sheet:
    """Say whose document it is and what counts; the pages stay with the child."""
    client = document.client
    return Sheet(
        document_id=document.pk,
        kind=document.kind,
        side=document.side,
        sha256=document.sha256,
        pages=[],
        traces=document.traces,
        declared_country=document.declared_country,
        today=timezone.now().date(),
        age_min_years=minimum_age(client.brand, rule_of(client.brand, client.country)),
        accepts_specimens=settings.KYC_ACCEPTS_SPECIMENS,
        subject=Subject.of(client),
    )


def _file_of(document: Document) -> apart.File:
    content = store.read(client_id=document.client_id, key=document.store_key)
    return apart.File(content, document.content_type, document.kind, document.side, document.sha256, document.traces)


def _duplicates(sheet: Sheet) -> list[Result]:
    """Look for the same document at other clients: the one check that needs the database."""
    if not sheet.phash and not sheet.has_words:
        return []  # nothing was read: a required check is missing then
    return [replace(result, check="duplicates") for result in duplicates.check(sheet)]


def issues_in(results: list[Result]) -> list[Result]:
    """Choose what becomes an issue: what didn't pass, and notes; the surest per code and field."""
    found: dict[tuple[str, str], Result] = {}
    for result in results:
        key = (result.code, result.field)
        if result.code and (key not in found or found[key].score < result.score):
            found[key] = result
    return list(found.values())


@transaction.atomic
def _finish(run: CheckRun, examined: Examined, *, duration_ms: int) -> CheckRun | None:
    sheet, results = examined.sheet, examined.results
    document = locked(sheet.document_id)
    run = lock(CheckRun, run.pk)
    if run.state != RunState.RUNNING or document.state != DocumentState.CHECKING:
        if run.state == RunState.RUNNING:  # replaced while we looked at it
            _close_open_runs(document, "The document was replaced meanwhile.")
        return None
    run.move_to(RunState.DONE)
    run.finished_at, run.duration_ms = timezone.now(), duration_ms
    run.engine = ", ".join(sorted(sheet.engines))[:60]
    run.measures = {**sheet.measures, "pages": examined.pages}
    issues = issues_in(results)
    details = {
        f"{issue.code}:{issue.field}": {"found": issue.found, "expected": issue.expected}
        for issue in issues
        if issue.found or issue.expected
    }
    run.results = [kept_result(result) for result in results]
    run.details_sealed = _sealed(document, details)
    run.save()
    Issue.objects.bulk_create([issue_row(run, document, issue) for issue in issues])
    document.extracted_sealed = _sealed(document, sheet.extracted)
    document.phash = sheet.phash
    document.phash_bands = bands_of(sheet.phash) if sheet.phash else []
    document.number_fingerprint, document.issuing_country = sheet.number_fingerprint, sheet.issuing_country
    document.issued_on, document.expires_on = sheet.issued_on, sheet.expires_on
    learn_many(sightings_of(document))
    _conclude(document, run, results, sorted({str(issue.code) for issue in issues}))
    return run


def _sealed(document: Document, body: dict[str, Any]) -> bytes | None:
    return crypto.encrypt_for_client(document.client_id, orjson.dumps(body)) if body else None


def kept_result(result: Result) -> dict[str, Any]:
    """Write a result down without what was read: that stays under the client's key."""
    return {
        "check": result.check,
        "verdict": result.verdict.value,
        "code": str(result.code),
        "field": result.field,
        "confidence": round(float(result.score), 2),
        "severity": result.severity.value if result.severity else "",
        "page": result.page,
        "box": _with_air(result.box) if result.box else None,
    }


def issue_row(run: CheckRun, document: Document, issue: Result) -> Issue:
    """Make the row of an issue, which isn't saved yet."""
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


def _conclude(document: Document, run: CheckRun, results: list[Result], codes: list[str]) -> None:
    """Publish that the checks have ended, and let the policy decide; what it leaves to a person goes to the queue."""
    document.checked_at, document.check_lease_until = timezone.now(), None
    _note_checked(document, codes)
    decision = reach(document, run, results)
    if decision.outcome == Outcome.QUEUE:
        document.doubt = only_doubt(decision, results)
        _hand_over(document, decision)


def _hand_over(document: Document, decision: MachineDecision | None = None) -> None:
    """Hand a checked document to the review queue, at its place there."""
    document.flaw = decision.reasons[0] if decision and decision.reasons else IssueCode.CHECK_FAILED
    document.move_to(DocumentState.PENDING_REVIEW)
    document.work = work.open_item(
        REVIEW,
        client_id=document.client_id,
        brand=document.client.brand,
        opened_at=document.uploaded_at,
        assigned_to=asked_by(document),
    )
    document.save()
    refresh_order([document.pk])


def _note_checked(document: Document, codes: list[str]) -> None:
    audit.record(
        actor=None,
        action=KycAction.DOCUMENT_CHECKED,
        target=document,
        client_id=document.client_id,
        brand_id=document.client.brand_id,
        after={"issues": codes},
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
        Issue.objects.bulk_create(
            [issue_row(run, document, unsure(IssueCode.CHECK_FAILED, 1.0))], ignore_conflicts=True
        )
    document.checked_at, document.check_lease_until = timezone.now(), None
    _note_checked(document, [IssueCode.CHECK_FAILED.value])
    if run is not None:
        reach(document, run, [apart.failed("reading")])
    _hand_over(document)
