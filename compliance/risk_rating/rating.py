"""Rating clients by their brand's model: one after an event, a whole brand in batches when the model, a list or the day changes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy

from clients.choices import RiskRating
from clients.facts import rebuild_clients, take_turns
from clients.models import Client
from compliance.audit_codes import ComplianceAction
from compliance.models import RiskAssessment, RiskModel
from compliance.risk_rating.computing import Rated, rate
from compliance.risk_rating.content import Content
from compliance.risk_rating.versions import current_model
from crm.db.locking import lock
from crm.due import DueKind, declare, due
from crm.events import RiskRated, publish_many
from crm.models import Actor, Brand, DueRow
from crm.security import audit

RATED_AT_ONCE: Final = 2_000
# Facts are written by handlers of the same event: the rating reads them once all of these are done.
SETTLING: Final = dt.timedelta(seconds=30)
INSERT: Final = """
INSERT INTO compliance_riskassessment (client_id, rating, points, factors, override_id, model_id, at, is_current)
SELECT client_id, rating, points, factors::varchar(40)[], override_id, %s, %s, true
FROM unnest(%s::bigint[], %s::text[], %s::int[], %s::text[], %s::bigint[]) r(client_id, rating, points, factors, override_id)
ORDER BY client_id
"""


@transaction.atomic
def assess(*, client_id: int, actor: Actor = None, now: dt.datetime | None = None) -> RiskAssessment:
    """Rate a client; nothing is written when the rating and what counted are unchanged."""
    client = lock(Client, client_id, "brand", no_key=True)
    rate_clients(client.brand, [client.pk], now=now or timezone.now(), actor=actor)
    return RiskAssessment.objects.select_related("model").get(client=client_id, is_current=True)


def rate_clients(brand: Brand, ids: Sequence[int], *, now: dt.datetime, actor: Actor = None, cause: str = "") -> int:
    """Rate locked clients of a brand with a few statements for all of them. Returns how many ratings differ from before."""
    model = current_model(brand)
    rated = rate(brand, Content.read(model.content), model_id=model.pk, ids=ids, now=now)
    if not rated:
        return 0
    _write(model, rated, now)
    changed = [row for row in rated if row.rating != row.before]
    if changed:
        rebuild_clients([row.client_id for row in changed], "risk_rating")
    made = RiskAssessment.objects.filter(
        client__in=[row.client_id for row in rated if row.is_different], is_current=True
    )
    keys = dict(made.values_list("client_id", "pk"))
    audit.record_many(
        {
            "actor": actor,
            "action": ComplianceAction.RISK_ASSESSED,
            "target": RiskAssessment(pk=keys[row.client_id]),
            "client_id": row.client_id,
            "brand_id": brand.pk,
            "before": {"rating": row.before} if row.before else None,
            "after": {"rating": row.rating, "points": row.points},
            "evidence": {"factors": row.codes, "model": model.number, **({"cause": cause} if cause else {})},
        }
        for row in rated
        if row.is_different
    )
    publish_many(
        RiskRated(rating=row.rating, before=row.before, client_id=row.client_id, brand_id=brand.pk) for row in changed
    )
    return sum(row.is_different for row in rated)


def _write(model: RiskModel, rated: Sequence[Rated], now: dt.datetime) -> None:
    ids = [row.client_id for row in rated]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE compliance_riskassessment SET is_current = false WHERE is_current AND client_id = ANY(%s)", [ids]
        )
        columns: list[list[Any]] = [
            ids,
            [row.rating for row in rated],
            [row.points for row in rated],
            [row.factors for row in rated],
            [row.override_id for row in rated],
        ]
        cursor.execute(INSERT, [model.pk, now, *columns])


# ── many clients, later ──────────────────────────────────────────────────────────────────────────────────────────────


def rate_countries_again(*, brand: Brand, countries: Sequence[str], effective_on: dt.date, rule_id: int) -> None:
    """Have a brand's rated clients from some countries rated again on the day from which its new rules hold.

    countries: "" for all that have no rule of their own. Raises: RuntimeError outside a transaction.
    """
    # Ratings go by UTC's day and rules by the brand's: the later of the two midnights is in both.
    zones = (dt.UTC, ZoneInfo(brand.time_zone or "UTC"))
    starts = [dt.datetime.combine(effective_on, dt.time(), zone) for zone in zones]
    _start(brand, key=str(rule_id), at=max(*starts, timezone.now()), cause="country_rules", countries=countries)


def rate_brand_again(brand: Brand, *, cause: str, at: dt.datetime | None = None, key: str = "") -> None:
    """Have all rated clients of a brand rated again. Raises: RuntimeError outside a transaction."""
    _start(brand, key=key or f"{cause}-{brand.pk}", at=at or timezone.now(), cause=cause, countries=[""])


def _start(brand: Brand, *, key: str, at: dt.datetime, cause: str, countries: Sequence[str]) -> None:
    progress = {"cause": cause, "countries": list(countries), "after": 0, "clients": 0, "changed": 0}
    due(RATE_AGAIN, key=key, at=at, brand_id=brand.pk, payload=progress)


def _rate_next(row: DueRow) -> None:
    """Rate the next clients and set the row again for those after them; its payload says how far it is."""
    progress = row.payload
    assert row.brand is not None
    rows = Client.objects.filter(brand=row.brand_id, pk__gt=progress["after"]).exclude(risk_rating=RiskRating.UNRATED)
    if "" not in progress["countries"]:
        rows = rows.filter(country__in=progress["countries"])
    ids = list(rows.order_by("pk").values_list("pk", flat=True)[:RATED_AT_ONCE])
    changed = 0
    if ids:
        take_turns(ids, None)
        changed = rate_clients(row.brand, ids, now=timezone.now(), cause=progress["cause"])
    progress = {
        **progress,
        "after": ids[-1] if ids else progress["after"],
        "clients": progress["clients"] + len(ids),
        "changed": progress["changed"] + changed,
    }
    if len(ids) == RATED_AT_ONCE:
        due(RATE_AGAIN, key=row.key, at=timezone.now(), brand_id=row.brand_id, payload=progress)
        return
    audit.record(
        actor=None,
        action=ComplianceAction.RISK_RATED_AGAIN,
        target=row.brand,
        brand_id=row.brand_id,
        after={name: progress[name] for name in ("cause", "countries", "clients", "changed")},
    )


RATE_AGAIN = declare(DueKind("compliance.rate_again", gettext_lazy("Risk ratings of a brand"), _rate_next))


def rate_every_brand() -> int:
    """Have all brands' rated clients rated again: days pass, lists begin and end, and facts change without an event."""
    brands = list(Brand.objects.order_by("pk"))
    with transaction.atomic():
        for brand in brands:
            rate_brand_again(brand, cause="nightly")
    return len(brands)


# ── one client, soon ─────────────────────────────────────────────────────────────────────────────────────────────────


def rate_soon(*, client_id: int, brand_id: int | None) -> None:
    """Have a client rated again shortly, once however often this is asked meanwhile. Raises: RuntimeError outside a transaction."""
    at = timezone.now() + SETTLING
    due(RATE_CLIENT, key=client_id, at=at, client_id=client_id, brand_id=brand_id, only_sooner=True)


def _rate_rated(row: DueRow) -> None:
    """Rate a client who has a rating; a first one comes with the screening."""
    client_id = row.client_id
    if client_id is None:
        return
    if RiskAssessment.objects.filter(client=client_id, is_current=True).exists():
        assess(client_id=client_id)


RATE_CLIENT = declare(DueKind("compliance.rate_client", gettext_lazy("Risk rating of a client"), _rate_rated))
