"""Suspicions that a person saw, in a finding elsewhere or themselves: each opens the client's AML case, or joins the open one."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client
from compliance.aml import policies
from compliance.aml.attaching import priority_of, score_of
from compliance.aml.cases import CASE
from compliance.aml.choices import CaseState
from compliance.aml.models import AmlAlert, AmlCase
from compliance.aml.referral_models import AmlReferral
from compliance.audit_codes import ComplianceAction
from crm import work
from crm.db.locking import lock, lock_all
from crm.errors import DomainError
from crm.models import User, WorkItem
from crm.security import audit
from crm.security.policies import require

TITLE_MAX: Final = 120
TEXT_MAX: Final = 4_000
AMOUNT_MAX: Final = Decimal(10) ** 12


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What is passed on, in the reader's language of then; `source` names the finding, so that it is passed on once."""

    source: str
    title: str
    text: str
    since: dt.datetime
    until: dt.datetime
    base_amount: Decimal = Decimal(0)
    url: str = ""


@transaction.atomic
def refer_suspicion(*, client_id: int, suspicion: Suspicion, reason: str, referred_by: User) -> AmlCase:
    """Put a suspicion into the client's open AML case; open one where there is none. The same source is passed on once.

    Who: whoever decided about the finding where it was found, which that app has checked; they need not see AML cases.
    """
    client = lock(Client, client_id, "brand", no_key=True)
    known = AmlReferral.objects.select_related("case").filter(source=suspicion.source).first()
    if known is not None:
        return known.case
    now = timezone.now()
    found = lock_all(AmlCase.objects.filter(client=client, state=CaseState.OPEN))
    case = found[0] if found else None
    if case is None:
        item = work.open_item(CASE, client_id=client.pk, brand=client.brand, opened_at=now)
        case = AmlCase.objects.create(client=client, opened_at=now, last_alert_at=now, work=item)
    AmlReferral.objects.create(
        case=case,
        client=client,
        source=suspicion.source,
        title=suspicion.title[:TITLE_MAX],
        text=suspicion.text[:TEXT_MAX],
        url=suspicion.url,
        base_amount=suspicion.base_amount,
        since=suspicion.since,
        until=max(suspicion.since, suspicion.until),
        reason=reason.strip()[:TEXT_MAX],
        referred_by=referred_by,
        referred_at=now,
    )
    _weigh(case, client, now)
    audit.record(
        actor=referred_by,
        action=ComplianceAction.AML_SUSPICION_REFERRED,
        target=case,
        client_id=client.pk,
        brand_id=client.brand_id,
        reason=reason,
        evidence={"source": suspicion.source, "amount": str(suspicion.base_amount)},
    )
    return case


@transaction.atomic
def open_case(*, client_id: int, suspicion: Suspicion, reason: str, actor: User) -> AmlCase:
    """Record what an officer saw: it opens the client's AML case, or joins the open one. Sent twice, it counts once.

    suspicion: its `source` is made here, from what it says.
    Who: `compliance.decide_amlcase`, with the client in reach.
    Raises: NotAllowed, DomainError (something isn't said, a time that has not been yet, the same was decided before).
    """
    client = lock(Client, client_id, "brand", no_key=True)
    require(policies.can_open(actor, client))
    _check(suspicion, reason)
    suspicion = replace(suspicion, source=_source_of(suspicion, client))
    before = AmlReferral.objects.select_related("case").filter(source=suspicion.source).first()
    if before is not None and before.case.state != CaseState.OPEN:
        raise DomainError(_("The same was decided in %(case)s. Describe what is new.") % {"case": before.case})
    return refer_suspicion(client_id=client.pk, suspicion=suspicion, reason=reason, referred_by=actor)


def _check(suspicion: Suspicion, reason: str) -> None:
    if not (suspicion.title.strip() and suspicion.text.strip() and reason.strip()):
        raise DomainError(_("Enter what was seen, and why it is suspicious."))
    if suspicion.until < suspicion.since:
        raise DomainError(_("The period must begin before it ends."))
    if suspicion.since > timezone.now():
        raise DomainError(_("The period must not begin in the future."))
    if not suspicion.base_amount.is_finite() or not 0 <= suspicion.base_amount < AMOUNT_MAX:
        raise DomainError(_("Enter an amount from 0."))


def _source_of(suspicion: Suspicion, client: Client) -> str:
    """Name what an officer saw by its words, so that a form sent twice is one referral."""
    span = [moment.astimezone(dt.UTC).isoformat() for moment in (suspicion.since, suspicion.until)]
    said = [suspicion.title.strip(), suspicion.text.strip(), str(suspicion.base_amount.normalize()), *span]
    return f"officer:{client.pk}:{hashlib.sha256(chr(0).join(said).encode()).hexdigest()[:32]}"


def _weigh(case: AmlCase, client: Client, now: dt.datetime) -> None:
    alerts = list(AmlAlert.objects.filter(case=case).select_related("version"))
    case.score = score_of(alerts, client, list(AmlReferral.objects.filter(case=case)))
    case.last_alert_at = max(case.last_alert_at, now)
    case.save(update_fields=["score", "last_alert_at"])
    item = lock(WorkItem, case.work_id or 0)
    if item.priority < priority_of(case.score):
        item.priority = priority_of(case.score)
        item.save(update_fields=["priority"])
