"""An officer corrects what the machine read on a document, and the checks run again on it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.country_rules.gates import minimum_age
from clients.country_rules.rules import rule_of
from clients.identifiers import learn_many
from clients.identifiers.keeping import number_fingerprint
from clients.models import Client
from crm.errors import DomainError, WrongState
from crm.models import User
from crm.security import audit, crypto
from crm.security.policies import require
from kyc import policies
from kyc.audit_codes import KycAction
from kyc.choices import CorrectionReason, RunState
from kyc.corrections.fields import CorrectableField, corrections_of, fields_of, values_of
from kyc.corrections.rechecking import is_print_of, print_against, results_after
from kyc.documents import locked
from kyc.examination.sheet import Result, Sheet, Subject
from kyc.fingerprints import sightings_of
from kyc.models import CheckRun, Document, FieldCorrection, Issue
from kyc.pipeline import issue_row, issues_in, kept_result
from kyc.queries import details_of
from kyc.urgency.order import refresh_order

ENGINE = "officer"


@transaction.atomic
def correct_field(*, document_id: int, field: str, value: str, reason: str, actor: User) -> FieldCorrection:
    """Correct one field to what the document says; what depends on it is checked again, everything else stays as it was.

    value: dates as YYYY-MM-DD, countries as the three letters on the document. Who: `kyc.review_document`, holding the
    claim, not the uploader. Raises: NotAllowed, WrongState (no check has ended), DomainError (field, value, reason, no change).
    """
    document = locked(document_id)
    require(policies.can_decide(actor, document))
    about = fields_of(document.kind).get(field)
    if about is None:
        raise DomainError(_("This field can't be corrected on this type of document."))
    if reason not in CorrectionReason.values:
        raise DomainError(_("Choose a reason."))
    before = document.runs.filter(state=RunState.DONE).order_by("-pk").first()
    if before is None:
        raise WrongState(_("The automatic checks haven't finished yet."))
    value, values = about.cleaned(value), values_of(document, corrections_of(document).values())
    if value == str(values.get(about.key, "")):
        raise DomainError(_("This is already the value."))
    machine = str(document.extracted.get(about.key, ""))
    run = _check_again(document, before, about, {**values, about.key: value})
    correction = FieldCorrection.objects.create(
        document=document,
        run=run,
        brand_id=document.client.brand_id,
        field=field,
        reason=reason,
        machine_sealed=_sealed(document, machine) if machine else None,
        value_sealed=_sealed(document, value),
        corrected_by=actor,
        corrected_at=timezone.now(),
    )
    refresh_order([document.pk])
    audit.record(
        actor=actor,
        action=KycAction.FIELD_CORRECTED,
        target=document,
        client_id=document.client_id,
        brand_id=document.client.brand_id,
        before={"issues": _codes(before)},
        after={"field": field, "correction": correction.pk, "issues": _codes(run)},
        reason=str(CorrectionReason(reason).label),
        evidence={"sha256": document.sha256, "run": run.pk},
    )
    return correction


def _sealed(document: Document, text: str) -> bytes:
    return crypto.encrypt_for_client(document.client_id, text.encode())


def _codes(run: CheckRun) -> list[str]:
    return sorted(set(run.issues.values_list("code", flat=True)))


def _check_again(document: Document, before: CheckRun, about: CorrectableField, values: Mapping[str, Any]) -> CheckRun:
    """Write a run in which only what depends on the field differs, and the document's own columns of it."""
    value = str(values[about.key])
    if about.name == "number":
        document.number_fingerprint = number_fingerprint(value)
    elif about.name == "issuing_country":
        document.issuing_country = value[:3]
    elif about.name == "expires_on":
        document.expires_on = dt.date.fromisoformat(value)
    elif about.name == "issued_on":
        document.issued_on = dt.date.fromisoformat(value)
    sheet = _sheet(document, before)
    stays, fresh = results_after(sheet, about.name, values, before.results)
    read = document.runs.filter(state=RunState.DONE, correction=None).order_by("-pk").first()
    proven = print_against(
        about.name, value, str(document.extracted.get(about.key, "")), read.results if read is not None else ()
    )
    if proven is not None:
        stays = [row for row in stays if not is_print_of(row, about.name)]
        stays, fresh = ([*stays, *proven], fresh) if isinstance(proven, list) else (stays, [*fresh, proven])
    now = timezone.now()
    run = CheckRun.objects.create(
        document=document,
        state=RunState.DONE,
        version=before.version,
        engine=ENGINE,
        started_at=now,
        finished_at=now,
        duration_ms=0,
        measures=sheet.measures,
        results=[*stays, *(kept_result(result) for result in fresh)],
    )
    _write_issues(run, before, stays, fresh)
    document.doubt = ""  # somebody has looked at it: it isn't one of many alike any more
    document.flaw = _worst(run)
    document.save()
    learn_many(sightings_of(document))
    return run


def _sheet(document: Document, before: CheckRun) -> Sheet:
    """Say whose document it is and what is known of its picture; nothing is opened again."""
    client: Client = document.client
    return Sheet(
        document_id=document.pk,
        kind=document.kind,
        side=document.side,
        sha256=document.sha256,
        pages=[],
        declared_country=document.declared_country,
        today=timezone.now().date(),
        age_min_years=minimum_age(client.brand, rule_of(client.brand, client.country)),
        accepts_specimens=settings.KYC_ACCEPTS_SPECIMENS,
        measures=dict(before.measures),
        phash=bytes(document.phash) if document.phash else None,
        has_words_of_its_own=not document.phash,
        number_fingerprint=document.number_fingerprint,
        issuing_country=document.issuing_country,
        subject=Subject.of(client),
    )


def _write_issues(run: CheckRun, before: CheckRun, stays: Sequence[Mapping[str, Any]], fresh: Sequence[Result]) -> None:
    """Carry over the issues of results that stay, with what was found, and write those of the new results."""
    document, details = run.document, details_of(run.document.client_id, before)
    left = {(row["code"], row["field"]) for row in stays if row["code"]}
    new = {(str(result.code), result.field): result for result in issues_in(list(fresh))}
    rows = [issue for issue in before.issues.all() if (issue.code, issue.field) in left - set(new)]
    for row in rows:  # copies: the run before keeps its own
        row.pk, row.run, row.document = None, run, document
        row._state.adding = True
    Issue.objects.bulk_create([*rows, *(issue_row(run, document, result) for result in new.values())])
    kept = {key: value for key, value in details.items() if tuple(key.split(":", 1)) in left}
    kept |= {f"{code}:{field}": {"found": one.found, "expected": one.expected} for (code, field), one in new.items()}
    if kept:
        run.details_sealed = crypto.encrypt_for_client(document.client_id, orjson.dumps(kept))
        run.save(update_fields=["details_sealed"])


def _worst(run: CheckRun) -> str:
    """Name the gravest issue that is left, for the queue."""
    order = {"blocking": 0, "warning": 1, "info": 2}
    left = sorted(run.issues.all(), key=lambda issue: (order[issue.severity], -issue.score))
    return left[0].code if left else ""
