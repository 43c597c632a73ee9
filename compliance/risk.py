"""A simple rating of money-laundering risk: points with reasons. What it can't know it doesn't guess."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils import timezone

from clients.choices import Category, CountryBand, RiskRating
from clients.country_rules.rules import rule_of
from clients.facts import rebuild_client
from clients.models import Client
from compliance.audit_codes import ComplianceAction
from compliance.choices import CountryRiskLevel, HitState
from compliance.models import CountryRisk, Hit, RiskAssessment
from crm.db.locking import lock
from crm.models import Actor
from crm.security import audit

RULES_VERSION = "2026.11.1"
# Points per reason; the sum makes the rating.
POINTS = {
    "match_confirmed": 100,
    "match_open": 25,
    "country_black": 100,
    "country_grey": 30,
    "country_prohibited": 100,
    "country_high": 30,
    "country_differs": 15,
    "age_over_70": 10,
    "not_verified": 10,
    "professional": -5,
    "birth_unknown": 5,
}
# The brand's own view of a residence, where no supervisor's list has it.
COUNTRY_BANDS: dict[str, str] = {CountryBand.HIGH: "country_high", CountryBand.PROHIBITED: "country_prohibited"}
MEDIUM_FROM, HIGH_FROM = 25, 60
AGE_OLD = 70


@transaction.atomic
def assess(*, client_id: int, actor: Actor = None, now: dt.datetime | None = None) -> RiskAssessment:
    """Rate a client again; nothing is written when rating and reasons are unchanged."""
    client = lock(Client, client_id, "brand", no_key=True)
    now = now or timezone.now()
    reasons = reasons_for(client, now.date())
    points = max(0, sum(reason["points"] for reason in reasons))
    rating = rating_of(points)
    before = RiskAssessment.objects.filter(client=client, is_current=True).first()
    if before is not None and (before.rating, before.reasons) == (rating, reasons):
        return before
    if before is not None:
        before.is_current = False
        before.save(update_fields=["is_current"])
    assessment = RiskAssessment.objects.create(
        client=client, rating=rating, points=points, reasons=reasons, rules_version=RULES_VERSION, at=now
    )
    rebuild_client(client.pk, "risk_rating")
    audit.record(
        actor=actor,
        action=ComplianceAction.RISK_ASSESSED,
        target=assessment,
        client_id=client.pk,
        brand_id=client.brand_id,
        before={"rating": before.rating} if before else None,
        after={"rating": rating, "points": points},
        evidence={"reasons": reasons, "rules": RULES_VERSION},
    )
    return assessment


def rating_of(points: int) -> RiskRating:
    """Convert a sum of points to a rating."""
    return RiskRating.HIGH if points >= HIGH_FROM else RiskRating.MEDIUM if points >= MEDIUM_FROM else RiskRating.LOW


def reasons_for(client: Client, day: dt.date) -> list[dict[str, Any]]:
    """List the reasons that apply to a client, each with its points and the value behind it."""
    states = set(
        Hit.objects.filter(client=client, state__in=[HitState.OPEN, HitState.CONFIRMED]).values_list("state", flat=True)
    )
    return reasons_from(client, day, states=states, levels=country_levels(day))


def country_levels(day: dt.date) -> dict[str, str]:
    """Country → its level on the supervisors' lists that day. A few dozen rows."""
    return dict(CountryRisk.objects.filter(valid__contains=day).values_list("country", "level"))


def reasons_from(client: Client, day: dt.date, *, states: set[str], levels: dict[str, str]) -> list[dict[str, Any]]:
    """Apply the rules to what the caller has read, for one client or for thousands."""
    reasons: list[tuple[str, str]] = []
    if HitState.CONFIRMED in states:
        reasons.append(("match_confirmed", ""))
    elif HitState.OPEN in states:
        reasons.append(("match_open", ""))
    for country in sorted({country for country in (client.country, client.nationality) if country in levels}):
        reasons.append(("country_black" if levels[country] == CountryRiskLevel.BLACK else "country_grey", country))
    band = rule_of(client.brand, client.country, day).band if client.country and client.country not in levels else ""
    if band in COUNTRY_BANDS:
        reasons.append((COUNTRY_BANDS[band], client.country))
    if client.country and client.nationality and client.country != client.nationality:
        reasons.append(("country_differs", f"{client.nationality}/{client.country}"))
    age = client.age_on(day)
    if age is None:
        reasons.append(("birth_unknown", ""))
    elif age > AGE_OLD:
        reasons.append(("age_over_70", str(age)))
    if not client.kyc_level:
        reasons.append(("not_verified", ""))
    if client.category != Category.RETAIL:
        reasons.append(("professional", str(client.category)))
    return [{"code": code, "points": POINTS[code], "value": value} for code, value in reasons]
