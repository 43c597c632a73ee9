"""Alerts come together in a client's open case, which is work for an officer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from django.utils import timezone

from clients.choices import RiskRating
from clients.models import Client
from compliance.aml.cases import CASE
from compliance.aml.choices import SEVERITY_POINTS, CaseState, Severity
from compliance.aml.models import AmlAlert, AmlCase
from compliance.aml.referral_models import AmlReferral
from crm import work
from crm.choices import WorkPriority
from crm.db.bulk import copy_models, update_models
from crm.db.locking import lock_all
from crm.models import WorkItem

SCORE_HIGH: Final = 60
SCORE_URGENT: Final = 100
# Points for money and for the client's own risk, beside those of the most severe alert and five for each further one.
MONEY_POINTS: Final = ((Decimal(100_000), 40), (Decimal(20_000), 25), (Decimal(5_000), 10))
RISK_POINTS: Final = {RiskRating.HIGH: 20, RiskRating.MEDIUM: 5}
FURTHER_POINTS: Final = 5
FURTHER_MAX: Final = 6


def score_of(alerts: list[AmlAlert], client: Client, referrals: Sequence[AmlReferral] = ()) -> int:
    """Weigh a case by severity, number of alerts, money and the client's risk rating. What a person passed on is severe."""
    severities = [Severity(alert.version.severity) for alert in alerts] + [Severity.HIGH for _each in referrals]
    severe = max(SEVERITY_POINTS[severity] for severity in severities)
    money = max([*(alert.base_amount for alert in alerts), *(referral.base_amount for referral in referrals)])
    of_money = next((points for least, points in MONEY_POINTS if money >= least), 0)
    further = FURTHER_POINTS * min(len(severities) - 1, FURTHER_MAX)
    return severe + further + of_money + RISK_POINTS.get(RiskRating(client.risk_rating), 0)


def priority_of(score: int) -> WorkPriority:
    """Translate a score into the priority of work."""
    if score >= SCORE_URGENT:
        return WorkPriority.URGENT
    return WorkPriority.HIGH if score >= SCORE_HIGH else WorkPriority.NORMAL


def attach(alert_ids: list[int]) -> None:
    """Put new alerts into the open cases of their clients; open one where there is none. In the caller's transaction.

    A case that is being decided is waited for: what comes after the decision opens a new one.
    """
    if not alert_ids:
        return
    new = AmlAlert.objects.filter(pk__in=alert_ids).select_related("version").order_by("at", "pk")
    by_client: dict[int, list[AmlAlert]] = defaultdict(list)
    for alert in new:
        by_client[alert.client_id].append(alert)
    clients = Client.objects.select_related("brand").in_bulk(by_client)
    cases = {
        case.client_id: case for case in lock_all(AmlCase.objects.filter(client_id__in=by_client, state=CaseState.OPEN))
    }
    cases |= _open_cases([clients[pk] for pk in by_client if pk not in cases], by_client)
    for client_id, alerts in by_client.items():
        for alert in alerts:
            alert.case = cases[client_id]
    update_models((alert for alerts in by_client.values() for alert in alerts), ["case"])
    _weigh(cases, clients)


def _open_cases(clients: list[Client], by_client: dict[int, list[AmlAlert]]) -> dict[int, AmlCase]:
    now = timezone.now()
    items = [work.new_item(CASE, client_id=client.pk, brand=client.brand, opened_at=now) for client in clients]
    copy_models(items)
    made = [
        AmlCase(client=client, opened_at=now, last_alert_at=by_client[client.pk][-1].at, work=item)
        for client, item in zip(clients, items, strict=True)
    ]
    copy_models(made)
    return {case.client_id: case for case in made}


def _weigh(cases: dict[int, AmlCase], clients: dict[int, Client]) -> None:
    of_case: dict[int, list[AmlAlert]] = defaultdict(list)
    for alert in AmlAlert.objects.filter(case__in=cases.values()).select_related("version").order_by("at", "pk"):
        assert alert.case_id is not None
        of_case[alert.case_id].append(alert)
    passed_on: dict[int, list[AmlReferral]] = defaultdict(list)
    for referral in AmlReferral.objects.filter(case__in=cases.values()):
        passed_on[referral.case_id].append(referral)
    items = {item.pk: item for item in lock_all(WorkItem, pks=[case.work_id for case in cases.values()])}
    for case in cases.values():
        alerts = of_case[case.pk]
        case.score = score_of(alerts, clients[case.client_id], passed_on[case.pk])
        case.last_alert_at = alerts[-1].at
        item = items[case.work_id]  # type: ignore[index]
        # An officer may have raised it by hand: it is never lowered here.
        item.priority = max(item.priority, priority_of(case.score))
    update_models(cases.values(), ["score", "last_alert_at"])
    update_models(items.values(), ["priority"])
