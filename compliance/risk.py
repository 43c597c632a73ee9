"""A simple rating of money-laundering risk: points with reasons. What it can't know it doesn't guess."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy

from clients.choices import Category, ClientKind, CountryBand, RiskRating
from clients.country_rules.rules import rule_of
from clients.facts import rebuild_clients
from clients.models import Client
from compliance.audit_codes import ComplianceAction
from compliance.choices import CountryRiskLevel, HitState
from compliance.models import CountryRisk, Hit, RiskAssessment
from crm.db.locking import lock, lock_all
from crm.due import DueKind, declare, due
from crm.events import RiskRated, publish_many
from crm.models import Actor, Brand, DueRow
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
RATED_AT_ONCE = 200


@transaction.atomic
def assess(*, client_id: int, actor: Actor = None, now: dt.datetime | None = None) -> RiskAssessment:
    """Rate a client again; nothing is written when rating and reasons are unchanged."""
    _rate([lock(Client, client_id, "brand", no_key=True)], now or timezone.now(), actor)
    return RiskAssessment.objects.get(client=client_id, is_current=True)


def _rate(clients: Sequence[Client], now: dt.datetime, actor: Actor, cause: str = "") -> int:
    """Rate locked clients with a few statements for all of them; return how many ratings or reasons differ from before."""
    ids = [client.pk for client in clients]
    levels, states = country_levels(now.date()), _hit_states(ids)
    current = {row.client_id: row for row in RiskAssessment.objects.filter(client__in=ids, is_current=True)}
    rated: list[tuple[Client, RiskAssessment]] = []
    for client in clients:
        reasons = reasons_from(client, now.date(), states=states[client.pk], levels=levels)
        points = max(0, sum(reason["points"] for reason in reasons))
        before, rating = current.get(client.pk), rating_of(points)
        if before is None or (before.rating, before.reasons) != (rating, reasons):
            made = RiskAssessment(
                client=client, rating=rating, points=points, reasons=reasons, rules_version=RULES_VERSION, at=now
            )
            rated.append((client, made))
    if not rated:
        return 0
    changed = [client.pk for client, _made in rated]
    RiskAssessment.objects.filter(client__in=changed, is_current=True).update(is_current=False)
    RiskAssessment.objects.bulk_create(made for _client, made in rated)
    rebuild_clients(changed, "risk_rating")
    audit.record_many(
        {
            "actor": actor,
            "action": ComplianceAction.RISK_ASSESSED,
            "target": made,
            "client_id": client.pk,
            "brand_id": client.brand_id,
            "before": {"rating": current[client.pk].rating} if client.pk in current else None,
            "after": {"rating": made.rating, "points": made.points},
            "evidence": {"reasons": made.reasons, "rules": RULES_VERSION, **({"cause": cause} if cause else {})},
        }
        for client, made in rated
    )
    publish_many(
        RiskRated(
            rating=made.rating,
            before=current[client.pk].rating if client.pk in current else "",
            client_id=client.pk,
            brand_id=client.brand_id,
        )
        for client, made in rated
        if client.pk not in current or current[client.pk].rating != made.rating
    )
    return len(rated)


def _hit_states(client_ids: Sequence[int]) -> dict[int, set[str]]:
    states: dict[int, set[str]] = defaultdict(set)
    hits = Hit.objects.filter(client__in=client_ids, state__in=[HitState.OPEN, HitState.CONFIRMED])
    for client_id, state in hits.values_list("client_id", "state"):
        states[client_id].add(state)
    return states


# ── after a change of country rules ──────────────────────────────────────────────────────────────────────────────────


def rate_countries_again(*, brand: Brand, countries: Sequence[str], effective_on: dt.date, rule_id: int) -> None:
    """Have a brand's rated clients from some countries rated again on the day from which its new rules hold.

    countries: "" for all that have no rule of their own. Raises: RuntimeError outside a transaction.
    """
    # Ratings go by UTC's day and rules by the brand's: the later of the two midnights is in both.
    starts = [dt.datetime.combine(effective_on, dt.time(), zone) for zone in (dt.UTC, ZoneInfo(brand.time_zone))]
    progress = {"countries": list(countries), "after": 0, "clients": 0, "changed": 0}
    due(RATE_AGAIN, key=rule_id, at=max(*starts, timezone.now()), brand_id=brand.pk, payload=progress)


def _rate_next(row: DueRow) -> None:
    """Rate the next clients and set the row again for those after them; its payload says how far it is."""
    progress = row.payload
    rows = Client.objects.filter(brand=row.brand_id, pk__gt=progress["after"]).exclude(risk_rating=RiskRating.UNRATED)
    if "" not in progress["countries"]:
        rows = rows.filter(country__in=progress["countries"])
    ids = list(rows.order_by("pk").values_list("pk", flat=True)[:RATED_AT_ONCE])
    changed = _rate(lock_all(Client, "brand", pks=ids, no_key=True), timezone.now(), None, "country_rules")
    progress = {
        **progress,
        "after": ids[-1] if ids else progress["after"],
        "clients": progress["clients"] + len(ids),
        "changed": progress["changed"] + changed,
    }
    if len(ids) == RATED_AT_ONCE:
        due(RATE_AGAIN, key=row.key, at=timezone.now(), brand_id=row.brand_id, payload=progress)
        return
    assert row.brand is not None
    audit.record(
        actor=None,
        action=ComplianceAction.RISK_RATED_AGAIN,
        target=row.brand,
        brand_id=row.brand_id,
        after={name: progress[name] for name in ("countries", "clients", "changed")},
    )


RATE_AGAIN = declare(
    DueKind("compliance.rate_again", gettext_lazy("Risk ratings after a change of country rules"), _rate_next)
)


def rating_of(points: int) -> RiskRating:
    """Convert a sum of points to a rating."""
    return RiskRating.HIGH if points >= HIGH_FROM else RiskRating.MEDIUM if points >= MEDIUM_FROM else RiskRating.LOW


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
    if age is None and client.kind == ClientKind.PERSON:
        reasons.append(("birth_unknown", ""))
    elif age is not None and age > AGE_OLD:
        reasons.append(("age_over_70", str(age)))
    if not client.kyc_level:
        reasons.append(("not_verified", ""))
    if client.category != Category.RETAIL:
        reasons.append(("professional", str(client.category)))
    return [{"code": code, "points": POINTS[code], "value": value} for code, value in reasons]
