"""When a client is reviewed again: months by risk, from verification or the last review on; moved when the risk changes."""

from __future__ import annotations

import calendar
import datetime as dt
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef, Subquery, TextField
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy

from clients.choices import RiskRating, Stage
from clients.models import Client
from crm import work
from crm.brand_policies import Policy
from crm.choices import WorkPriority
from crm.db.locking import lock
from crm.due import DueItem, DueKind, cancel, declare, due, due_many
from crm.due.rows import OPEN
from crm.events import VerificationOverdue, publish
from crm.models import DueRow
from crm.security import audit
from kyc.audit_codes import KycAction
from kyc.brand_policies import (
    CLIENT_REVIEW_GRACE_DAYS,
    CLIENT_REVIEW_MONTHS_HIGH,
    CLIENT_REVIEW_MONTHS_LOW,
    CLIENT_REVIEW_MONTHS_MEDIUM,
    CLIENT_REVIEW_RESTRICTS,
)
from kyc.client_reviews.kind import PERIODIC
from kyc.models import LevelReached
from kyc.models.client_reviews import ClientReview, ReviewState

CAUSE: Final = "review"
SPREAD_DAYS: Final = 90
MONTHS: Final[dict[str, Policy[int]]] = {
    RiskRating.HIGH: CLIENT_REVIEW_MONTHS_HIGH,
    RiskRating.MEDIUM: CLIENT_REVIEW_MONTHS_MEDIUM,
}
NOT_REVIEWED: Final = (Stage.LEAD, Stage.RELATED, Stage.CLOSED)


def schedule_review(client: Client) -> dt.datetime | None:
    """Set a client's next review by their risk of today; None for clients who aren't verified, or have one open.

    In the caller's transaction; the client is loaded with the brand. A higher risk brings the day forward, a lower one back.
    """
    if client.stage in NOT_REVIEWED or not client.kyc_level:
        cancel(OPENING, client.pk)
        return None
    last = ClientReview.objects.filter(client=client).exclude(state=ReviewState.CANCELLED).order_by("-pk").first()
    if last is not None and last.state == ReviewState.OPEN:
        return None
    since = last.decided_at if last is not None and last.decided_at is not None else _verified_at(client)
    policy = MONTHS.get(client.risk_rating, CLIENT_REVIEW_MONTHS_LOW)
    at = months_after(since, policy.of(client.brand))
    due(OPENING, key=client.pk, at=at, client_id=client.pk, brand_id=client.brand_id)
    return at


def months_after(since: dt.datetime, months: int) -> dt.datetime:
    """Return the same day some months later, or that month's last day where it is shorter."""
    years, month = divmod(since.month - 1 + months, 12)
    year, month = since.year + years, month + 1
    return since.replace(year=year, month=month, day=min(since.day, calendar.monthrange(year, month)[1]))


def _verified_at(client: Client) -> dt.datetime:
    reached = LevelReached.objects.filter(client=client).order_by("level").values_list("reached_at", flat=True).first()
    return reached or timezone.now()


def schedule_missing(*, limit: int = 1_000) -> int:
    """Set the next review of verified clients who have none: of another system, or from before reviews were planned.

    For the clock: a bounded part each time, set-based; returns how many were set. A day that has passed already is spread over
    the next SPREAD_DAYS, so that officers don't get all of them on one morning.
    """
    now = timezone.now()
    reviews = ClientReview.objects.filter(client=OuterRef("pk"))
    planned = DueRow.objects.filter(kind=OPENING.code, key=Cast(OuterRef("pk"), TextField()), state__in=OPEN)
    levels = LevelReached.objects.filter(client=OuterRef("pk")).order_by("level").values("reached_at")[:1]
    decided = reviews.exclude(state=ReviewState.CANCELLED).order_by("-pk").values("decided_at")[:1]
    without = Client.objects.filter(~Exists(planned), ~Exists(reviews.filter(state=ReviewState.OPEN)), kyc_level__gt=0)
    clients = without.exclude(stage__in=NOT_REVIEWED).annotate(since=Coalesce(Subquery(decided), Subquery(levels)))
    items = []
    for client in clients.select_related("brand").order_by("pk")[:limit]:
        policy = MONTHS.get(client.risk_rating, CLIENT_REVIEW_MONTHS_LOW)
        soonest = now + dt.timedelta(days=1 + client.pk % SPREAD_DAYS)
        at = max(months_after(client.since or now, policy.of(client.brand)), soonest)
        items.append(DueItem(client.pk, at, client_id=client.pk, brand_id=client.brand_id))
    with transaction.atomic():
        due_many(OPENING, items)
    return len(items)


def schedule_soon(client: Client, days: int) -> None:
    """Set the next review some days from now: documents were requested, or it was escalated."""
    at = timezone.now() + dt.timedelta(days=days)
    due(OPENING, key=client.pk, at=at, client_id=client.pk, brand_id=client.brand_id)


def _open(row: DueRow) -> None:
    """Open a client's review: an item of work for those who do them, and the day from which it is overdue."""
    client = lock(Client, int(row.key), "brand", no_key=True)
    if client.stage in NOT_REVIEWED or ClientReview.objects.filter(client=client, state=ReviewState.OPEN).exists():
        return
    now = timezone.now()
    item = work.open_item(
        PERIODIC,
        brand=client.brand,
        opened_at=now,
        client_id=client.pk,
        priority=WorkPriority.HIGH if client.risk_rating == RiskRating.HIGH else WorkPriority.NORMAL,
    )
    review = ClientReview.objects.create(client=client, risk=client.risk_rating, opened_at=now, work=item)
    overdue_at = now + dt.timedelta(days=CLIENT_REVIEW_GRACE_DAYS.of(client.brand))
    due(OVERDUE, key=review.pk, at=overdue_at, client_id=client.pk, brand_id=client.brand_id)
    audit.record(
        actor=None,
        action=KycAction.CLIENT_REVIEW_OPENED,
        target=review,
        client_id=client.pk,
        brand_id=client.brand_id,
        after={"risk": review.risk},
    )


OPENING = declare(DueKind("kyc.client_review", gettext_lazy("Periodic review"), _open, permission="kyc.review_client"))


def _report_overdue(row: DueRow) -> None:
    """Report a review that was not done in time: compliance restricts the client where the brand's policy says so."""
    review = ClientReview.objects.select_related("client__brand").get(pk=int(row.key))
    kinds = CLIENT_REVIEW_RESTRICTS.of(review.client.brand)
    if review.state != ReviewState.OPEN or not kinds:
        return
    publish(
        VerificationOverdue(
            cause=CAUSE,
            reference_id=review.pk,
            restrictions=tuple(sorted(kinds)),
            client_id=review.client_id,
            brand_id=review.client.brand_id,
        )
    )


OVERDUE = declare(
    DueKind(
        "kyc.client_review_overdue",
        gettext_lazy("Restriction after an overdue review"),
        _report_overdue,
        permission="kyc.review_client",
    )
)
