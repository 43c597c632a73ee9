"""Asking vendors about who is due, in batches: each batch is noted, audited and committed before it goes out.

A question that may have arrived and had no usable answer is parked. It isn't sent again before the vendor was seen to answer a
harmless request, and after some times only when a person says so. Whoever is pending meanwhile stays held.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from clients.choices import Stage
from clients.models import Client
from compliance import screening
from compliance.audit_codes import ComplianceAction
from compliance.matching import text as spelling
from compliance.models import ScreeningVendor, VendorCheck
from compliance.vendors import answers, checks
from compliance.vendors.adapters import adapter_of
from compliance.vendors.choices import PENDING, CheckState
from compliance.vendors.modes import vendor_of
from compliance.vendors.protocol import Answer, ScreeningAdapter, Subject
from compliance.vendors.switching import follow_switches
from crm.choices import AccessKind
from crm.connections.http import probe, watched
from crm.connections.protocol import ServiceRefused, ServiceTemporary, ServiceUnknown
from crm.db.locking import lock, lock_or_none
from crm.errors import OutsideWorldError, outcome_of
from crm.i18n.localized_text import localize, phrase
from crm.security import access_log, audit

logger = logging.getLogger(__name__)
# Longer than a call may take: whatever was sent before has no worker any more.
CALL_TAKES_MOST: Final = dt.timedelta(seconds=90)
BACK_OFF_SECONDS: Final = (15, 60, 300, 1_800, 7_200)
# How often a question without an answer is sent automatically; then a person asks again.
ATTEMPTS_MAX: Final = 5
BATCHES_AT_ONCE: Final = 20
SECONDS_AT_ONCE: Final = 90.0


@dataclass(frozen=True, slots=True)
class Claimed:
    """One check that was taken to be sent, with what is sent of it."""

    check: VendorCheck
    subject: Subject


def ask_due() -> int:
    """Ask every vendor about whoever is due, whoever is new first; returns how many were answered."""
    count, ends_at = 0, time.monotonic() + SECONDS_AT_ONCE
    follow_switches()
    end_unneeded()
    for vendor in ScreeningVendor.objects.select_related("source", "brand").filter(_with_due()).distinct():
        look_at_parked(vendor)
        for _batch in range(BATCHES_AT_ONCE):
            answered, is_done = ask_batch(vendor)
            count += answered
            if is_done or time.monotonic() > ends_at:
                break
    return count


def _with_due() -> Q:
    return Q(checks__due_at__lte=timezone.now(), checks__state__in=PENDING)


def ask_batch(vendor: ScreeningVendor) -> tuple[int, bool]:
    """Send one batch; returns how many were answered, and whether there is nothing more to send for now."""
    adapter = adapter_of(vendor)
    claimed, about_nobody = _claim(vendor, adapter)
    for pk in about_nobody:
        _end(pk, localize(phrase("There's no one left to screen.")))
    if not claimed:
        return 0, not about_nobody
    try:
        with watched(vendor):
            found = adapter.match([one.subject for one in claimed])
    except ServiceTemporary as error:
        _put_back(claimed, error)
        return 0, True
    except ServiceUnknown as error:
        _park(claimed, error.message)
        return 0, True
    except ServiceRefused as error:
        found = {one.subject.reference: Answer(refused=error.message) for one in claimed}
        if len(claimed) > 1:  # one of them spoils the rest: nothing was answered, so each may be asked alone
            return sum(_ask_alone(vendor, adapter, one) for one in claimed), False
    return _take(vendor, claimed, found), False


def _ask_alone(vendor: ScreeningVendor, adapter: ScreeningAdapter, one: Claimed) -> int:
    try:
        with watched(vendor):
            found = adapter.match([one.subject])
    except ServiceRefused as error:
        found = {one.subject.reference: Answer(refused=error.message)}
    except ServiceTemporary as error:
        _put_back([one], error)
        return 0
    except ServiceUnknown as error:
        _park([one], error.message)
        return 0
    return _take(vendor, [one], found)


# ── before it goes out ─────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def _claim(vendor: ScreeningVendor, adapter: ScreeningAdapter) -> tuple[list[Claimed], list[int]]:
    """Take the next checks, note what is sent of whom, and audit it; also lists those that are about nobody any more."""
    due = VendorCheck.objects.filter(vendor=vendor, state=CheckState.WAITING, due_at__lte=timezone.now())
    rows = list(
        due.select_for_update(of=("self",), skip_locked=True)
        .select_related("client__brand", "party")
        .order_by("is_bulk", "due_at", "pk")[: adapter.batch_max]
    )
    claimed: list[Claimed] = []
    about_nobody: list[int] = []
    now = timezone.now()
    for check in rows:
        check.vendor = vendor
        subject = subject_of(check)
        if subject is None:
            about_nobody.append(check.pk)
            continue
        check.move_to(CheckState.SENT)
        check.sent_hash, check.sent_at, check.due_at = hash_of(check), now, now + CALL_TAKES_MOST
        check.save(update_fields=["state", "sent_hash", "sent_at", "due_at"])
        claimed.append(Claimed(check, subject))
    if claimed:
        _note_sent(vendor, adapter, claimed)
    return claimed, about_nobody


def subject_of(check: VendorCheck) -> Subject | None:
    """Describe who a check is about, with no more than is compared; None for nobody who is screened."""
    client, party = check.client, check.party
    if client.stage in (Stage.LEAD, Stage.CLOSED):
        return None
    if party is not None:
        schema = {None: "LegalEntity", True: "Company", False: "Person"}[party.is_company]
        countries = (party.country,) if party.country else ()
        return Subject(check.reference, schema, (party.name,), None, countries) if party.is_current else None
    person = screening.person_of(client)
    if not any(spelling.words(name) for name in person.names):
        return None
    schema = "Company" if person.is_firm else "Person"
    return Subject(check.reference, schema, person.names, person.birth_date, person.countries)


def hash_of(check: VendorCheck) -> str:
    """Hash what is compared of whoever a check is about, as the matches are."""
    return check.party.data_hash if check.party else screening.hash_of(screening.person_of(check.client))


def _note_sent(vendor: ScreeningVendor, adapter: ScreeningAdapter, claimed: Sequence[Claimed]) -> None:
    sent = adapter.sent([one.subject for one in claimed])
    for one in claimed:
        access_log.note(
            user=None,
            kind=AccessKind.EXPORT,
            client_id=one.check.client_id,
            brand_id=vendor.brand_id,
            target=f"compliance.vendor:{vendor.code}",
            reason=f"{vendor.name}: {', '.join(sent.fields)}",
        )
    audit.record(
        actor=None,
        action=ComplianceAction.VENDOR_ASKED,
        target=vendor,
        brand_id=vendor.brand_id,
        after={"checks": len(claimed), "fields": list(sent.fields), "dataset": vendor.dataset},
        evidence={"sha256": sent.sha256, "references": [one.subject.reference for one in claimed]},
    )


# ── after it ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _take(vendor: ScreeningVendor, claimed: Sequence[Claimed], found: Mapping[str, Answer]) -> int:
    """Keep the answers one by one: one that can't be kept is parked, and the others are kept."""
    count = 0
    for one in claimed:
        answer = found.get(one.subject.reference)
        if answer is None:
            _park([one], localize(phrase("The answer lacks this person.")))
            continue
        if answer.refused:
            _refuse(one, answer.refused)
            continue
        try:
            answers.keep_answer(vendor, one.check.pk, answer)
            count += 1
        except OutsideWorldError as error:
            _park([one], error.message)
        except Exception:
            logger.exception("an answer of %s can't be kept: check %s", vendor.code, one.check.pk)
            _park([one], localize(phrase("The answer couldn't be kept.")))
    if count:
        ScreeningVendor.objects.filter(pk=vendor.pk).update(last_answer_at=timezone.now())
    return count


@transaction.atomic
def _put_back(claimed: Sequence[Claimed], error: ServiceTemporary) -> None:
    """Send later: nothing was asked."""
    for check in _sent(claimed):
        check.move_to(CheckState.WAITING)
        wait = max(error.wait_seconds, BACK_OFF_SECONDS[min(check.attempts, len(BACK_OFF_SECONDS) - 1)])
        check.attempts = min(check.attempts + 1, 1000)
        check.due_at, check.problem = timezone.now() + dt.timedelta(seconds=wait), error.message[:300]
        check.save(update_fields=["state", "attempts", "due_at", "problem"])


@transaction.atomic
def _park(claimed: Sequence[Claimed], problem: str) -> None:
    for check in _sent(claimed):
        _park_one(check, problem)


def _park_one(check: VendorCheck, problem: str) -> None:
    """Park a question whose outcome isn't known; when it is due, the vendor is looked at first."""
    check.move_to(CheckState.UNKNOWN)
    check.attempts = min(check.attempts + 1, 1000)
    wait = BACK_OFF_SECONDS[min(check.attempts, len(BACK_OFF_SECONDS)) - 1]
    is_ours = check.attempts < ATTEMPTS_MAX
    check.due_at = timezone.now() + dt.timedelta(seconds=wait) if is_ours else None
    check.problem = problem[:300]
    check.save(update_fields=["state", "attempts", "due_at", "problem"])


@transaction.atomic
def _refuse(one: Claimed, problem: str) -> None:
    for check in _sent([one]):
        check.move_to(CheckState.REFUSED)
        check.due_at, check.problem = None, problem[:300]
        check.save(update_fields=["state", "due_at", "problem"])


def _sent(claimed: Sequence[Claimed]) -> list[VendorCheck]:
    found = [lock_or_none(VendorCheck.objects.filter(state=CheckState.SENT), one.check.pk) for one in claimed]
    return [check for check in found if check is not None]


# ── what has no answer ─────────────────────────────────────────────────────────────────────────────────────────────────


def look_at_parked(vendor: ScreeningVendor) -> int:
    """Ask a vendor something harmless before what was parked is sent again; returns how many will be."""
    now = timezone.now()
    rows = VendorCheck.objects.filter(vendor=vendor, due_at__lte=now)
    for pk in list(rows.filter(state=CheckState.SENT).values_list("pk", flat=True)):
        _leave_behind(pk)
    parked = list(rows.filter(state=CheckState.UNKNOWN).values_list("pk", flat=True))
    if not parked:
        return 0

    done = outcome_of(lambda: probe(vendor, adapter_of(vendor)))
    if not done or done.result:
        later = now + dt.timedelta(seconds=BACK_OFF_SECONDS[1])
        VendorCheck.objects.filter(pk__in=parked, state=CheckState.UNKNOWN).update(due_at=later)
        return 0
    return sum(_send_again(pk) for pk in parked)


@transaction.atomic
def _leave_behind(check_id: int) -> None:
    """Park what a worker sent and never came back from."""
    check = lock_or_none(VendorCheck.objects.filter(state=CheckState.SENT, due_at__lte=timezone.now()), check_id)
    if check is not None:
        _park_one(check, localize(phrase("The process that asked was stopped before an answer.")))


@transaction.atomic
def _send_again(check_id: int) -> bool:
    check = lock_or_none(VendorCheck.objects.filter(state=CheckState.UNKNOWN), check_id)
    if check is None:
        return False
    check.move_to(CheckState.WAITING)
    check.due_at = timezone.now()
    check.save(update_fields=["state", "due_at"])
    return True


def end_unneeded() -> int:
    """End what waits for a vendor that its brand no longer uses: the client is screened as the brand does now."""
    count = 0
    for vendor in ScreeningVendor.objects.select_related("brand").filter(checks__state__in=PENDING).distinct():
        used = vendor_of(vendor.brand)
        if used is not None and used.pk == vendor.pk:
            continue
        for pk in VendorCheck.objects.filter(vendor=vendor, state__in=PENDING).values_list("pk", flat=True)[:500]:
            count += _end(pk, localize(phrase("The vendor is no longer used.")), screens=True)
    return count


@transaction.atomic
def _end(check_id: int, reason: str, *, screens: bool = False) -> bool:
    """End a check with its hold. screens: otherwise first, so that a hold of the one begins before that of the other ends."""
    client_id = VendorCheck.objects.values_list("client_id", flat=True).get(pk=check_id)
    client = lock(Client, client_id, "brand", no_key=True)
    check = lock_or_none(VendorCheck.objects.filter(state__in=PENDING), check_id, "party", "hold")
    if check is None:
        return False
    check.client = client
    if screens and check.hold is not None:
        answers.screen_otherwise(check)
    checks.end(check, reason=reason)
    return True
