"""Reads of AML monitoring. Every one starts from what the user may see."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import Http404
from django.utils import timezone

from clients.models import Client
from clients.queries import clients_visible_to
from compliance.aml.choices import CaseState, Severity, VersionState
from compliance.aml.models import AmlAlert, AmlCase, AmlEvidence, AmlMovement, AmlRule, AmlRuleVersion
from compliance.aml.referral_models import AmlReferral
from crm.models import Actor, User
from crm.security.policies import require_permission
from crm.security.scope import reach_of

SEES_CASES, SEES_RULES, SEES_REPORTS = "compliance.view_amlcase", "compliance.view_amlrule", "compliance.see_amlreports"
MOVEMENTS_MAX, ALERTS_MAX = 200, 100


def cases_visible_to(user: Actor) -> QuerySet[AmlCase]:
    """List the cases of clients in reach."""
    if user is None or not user.is_team or not user.has_perm(SEES_CASES):
        return AmlCase.objects.none()
    return AmlCase.objects.filter(client__book_id__in=reach_of(user).books)


def get_case(user: Actor, case_id: int) -> AmlCase:
    """Find a case, or 404."""
    if user is not None and user.is_team:
        require_permission(user, SEES_CASES)
    case = (
        cases_visible_to(user)
        .select_related("client__brand", "client__book", "client__owner", "decided_by", "work__claimed_by")
        .filter(pk=case_id)
        .first()
    )
    if case is None:
        raise Http404
    return case


def rules_visible_to(user: Actor) -> QuerySet[AmlRule]:
    """List the rules of brands that somebody reaches as a whole."""
    if user is None or not user.is_team or not user.has_perm(SEES_RULES):
        return AmlRule.objects.none()
    return AmlRule.objects.filter(brand_id__in=reach_of(user).whole_brands)


def get_rule(user: Actor, rule_id: int) -> AmlRule:
    """Find a rule, or 404."""
    if user is not None and user.is_team:
        require_permission(user, SEES_RULES)
    rule = rules_visible_to(user).select_related("brand").filter(pk=rule_id).first()
    if rule is None:
        raise Http404
    return rule


def rules_with_figures(user: Actor) -> QuerySet[AmlRule]:
    """List rules with their newest version and how many alerts their live versions raised in 28 days."""
    newest = AmlRuleVersion.objects.filter(rule=OuterRef("pk")).order_by("-number")
    live = AmlRuleVersion.objects.filter(rule=OuterRef("pk"), state=VersionState.LIVE)
    since = timezone.now() - dt.timedelta(days=28)
    alerts = (
        AmlAlert.objects.filter(version__rule=OuterRef("pk"), is_shadow=False, at__gte=since)
        .order_by()
        .values("version__rule")
        .annotate(n=Count("pk"))
    )
    return (
        rules_visible_to(user)
        .select_related("brand")
        .annotate(
            newest_id=Subquery(newest.values("pk")[:1]),
            live_number=Subquery(live.values("number")[:1]),
            alerts_lately=Subquery(alerts.values("n")[:1]),
        )
    )


def open_high_alerts(client_id: int) -> list[str]:
    """Name what is severe in the client's open case: rules with an alert, and suspicions that were passed on. For verbs about to
    move money."""
    alerts = AmlAlert.objects.filter(
        client_id=client_id, case__state=CaseState.OPEN, version__severity=Severity.HIGH
    ).select_related("version__rule")
    passed_on = AmlReferral.objects.filter(client_id=client_id, case__state=CaseState.OPEN)
    names = [*(str(alert.version.rule) for alert in alerts[:ALERTS_MAX]), *map(str, passed_on[:ALERTS_MAX])]
    return list(dict.fromkeys(names))


def history_begins(brand_id: int) -> dt.datetime | None:
    """Find when the brand's movements begin; None where there are none."""
    return AmlMovement.objects.filter(brand_id=brand_id).order_by("at").values_list("at", flat=True).first()


def alerts_of(case: AmlCase) -> list[AmlAlert]:
    """List a case's alerts, the newest first, with what they say."""
    return list(
        AmlAlert.objects.filter(case=case)
        .select_related("version__rule__brand", "movement")
        .order_by("-at", "-pk")[:ALERTS_MAX]
    )


def referrals_of(case: AmlCase) -> list[AmlReferral]:
    """List the suspicions that were passed on to a case, the newest first."""
    return list(AmlReferral.objects.filter(case=case).select_related("referred_by")[:ALERTS_MAX])


def movements_of(case: AmlCase) -> list[AmlMovement]:
    """List the client's last movements, each with `is_evidence`: whether an alert of the case rests on it, or a suspicion that was
    passed on is about its time."""
    rows = list(AmlMovement.objects.filter(client_id=case.client_id).order_by("-at", "-pk")[:MOVEMENTS_MAX])
    evidence = set(
        AmlEvidence.objects.filter(alert__case=case, movement__in=rows).values_list("movement_id", flat=True)
    )
    spans = [(referral.since, referral.until) for referral in referrals_of(case)]
    for row in rows:
        row.is_evidence = row.pk in evidence or any(  # type: ignore[attr-defined]
            since <= row.at <= until for since, until in spans
        )
    return rows


def counterparts_of(user: User, movements: Iterable[AmlMovement]) -> dict[int, Client | None]:
    """Find the other clients of movements by their ids; None for one that the reader doesn't reach."""
    ids = {row.counterpart_id for row in movements if row.counterpart_id is not None}
    seen = clients_visible_to(user).in_bulk(ids) if ids else {}
    return {pk: seen.get(pk) for pk in ids}


def open_case_count(user: Actor) -> int:
    """Count the open cases in reach, at most 99: a number for the menu."""
    return len(cases_visible_to(user).filter(state=CaseState.OPEN).values_list("pk", flat=True)[:99])


def of_client(user: Actor, client_id: int) -> QuerySet[AmlCase]:
    """List a client's cases as far as somebody may see them."""
    return cases_visible_to(user).filter(client_id=client_id).order_by("-pk")
