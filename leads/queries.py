"""Reads of leads. A lead is seen by whoever sees its person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.db.models import QuerySet
from django.utils import timezone

from clients.choices import SalesStatus, Stage
from clients.models import Client, Segment
from clients.queries import clients_visible_to
from crm.db.prepared import ByKey
from crm.models import User
from crm.security.scope import reach_of
from leads.choices import OPEN_STATUSES
from leads.models import Campaign, Lead, ScoreRule
from leads.pipeline import next_statuses

CARDS_PER_COLUMN = 25
WAITING_FOR = dt.timedelta(days=7)  # an untouched lead that is older is left over, not waiting


def leads_visible_to(user: User) -> QuerySet[Lead]:
    """List the leads of the clients whom somebody reaches: a lead has its client's book (`leads/sql/lead_books.sql`)."""
    if user.is_authenticated and user.is_team:
        return Lead.objects.filter(book_id__in=reach_of(user).books)
    return Lead.objects.filter(client__in=clients_visible_to(user))


def campaigns_visible_to(user: User) -> QuerySet[Campaign]:
    """List the campaigns of the brands that a member of staff reaches any part of."""
    return Campaign.objects.filter(brand_id__in=reach_of(user).brands)


def named_score_rules(rows: Iterable[ScoreRule], brand_ids: Iterable[int]) -> list[ScoreRule]:
    """Read scoring rules with the names of the segments that they ask for, of the brands in reach: one query for all."""
    rules = list(rows)
    asked = {pk for rule in rules for pk in rule.segment_ids}
    if asked:
        known = Segment.objects.filter(pk__in=asked, brand__in=list(brand_ids))
        names = dict(known.order_by().values_list("pk", "name"))
        for rule in rules:
            rule.segment_names = names
    return rules


@dataclass(frozen=True)
class Card:
    client: Client
    next: str


@dataclass(frozen=True)
class BoardColumn:
    status: SalesStatus
    cards: list[Card]
    has_more: bool


def board(user: User, *, owner_id: int | None = None) -> list[BoardColumn]:
    """List the pipeline's columns: the newest people of each open status, a bounded number per column."""
    people = clients_visible_to(user).filter(stage=Stage.LEAD).select_related("owner")
    if owner_id:
        people = people.filter(owner_id=owner_id)
    people = people.only(
        "id",
        "first_name",
        "last_name",
        "email",
        "score",
        "country",
        "campaign",
        "sales_status",
        "created_at",
        "last_contact_at",
        "book_id",
        "brand_id",
        "owner__first_name",
        "owner__last_name",
        "owner__email",
    )
    columns = []
    for status in OPEN_STATUSES:
        rows = list(people.filter(sales_status=status).order_by("-id")[: CARDS_PER_COLUMN + 1])
        cards = [Card(row, " ".join(next_statuses(user, row))) for row in rows[:CARDS_PER_COLUMN]]
        columns.append(BoardColumn(status, cards, len(rows) > CARDS_PER_COLUMN))
    return columns


_CAPTURES: Final = ByKey(
    lambda: Lead.objects.select_related("campaign").order_by("-captured_at", "-id"), "client_id", most=30
)


def captures_of(client: Client) -> list[Lead]:
    """List every capture of a person, newest first; nobody comes more than a few dozen times."""
    return _CAPTURES.all(client_id=client.pk)


def waiting_for(agent: User, *, limit: int = 8) -> list[Lead]:
    """List an agent's untouched leads: those whose time runs out first, then the newest. Not those whose client went to others."""
    rows = (
        Lead.objects.filter(assigned_to=agent, touched_at=None, is_duplicate=False, client__stage=Stage.LEAD)
        .filter(assigned_at__gte=timezone.now() - WAITING_FOR, client__in=clients_visible_to(agent))
        .select_related("client", "campaign")
    )
    return sorted(rows.order_by("-assigned_at")[: limit * 3], key=_urgency)[:limit]


def left_untouched(agent: User, *, most: int = 100) -> int:
    """Count the agent's older leads that nobody ever touched, up to `most`: no longer urgent, and not gone."""
    rows = Lead.objects.filter(
        assigned_to=agent,
        touched_at=None,
        is_duplicate=False,
        client__stage=Stage.LEAD,
        assigned_at__lt=timezone.now() - WAITING_FOR,
    )
    return len(rows.order_by().values_list("pk", flat=True)[:most])


def _urgency(lead: Lead) -> tuple[bool, dt.datetime]:
    return (lead.sla_due_at is None, lead.sla_due_at or lead.captured_at)
