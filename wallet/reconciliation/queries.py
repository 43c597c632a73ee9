"""Reads of the reconciliation: one break with what belongs to it, suggestions, and how old what is open is."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import BigIntegerField, Count, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from crm.models import User
from crm.money.amounts import Money
from crm.notices.notify import people_with
from crm.security.scope import reach_of
from wallet.choices.reconciliation import BreakKind, BreakState
from wallet.core import queries
from wallet.core.queries import breaks_visible_to
from wallet.models import AnnouncedReport, Break, BreakNote, Match, ReserveItem, SettlementImport, Suggestion

# Days since the money moved: from, to (None: and older).
AGES: tuple[tuple[int, int | None], ...] = ((0, 2), (2, 8), (8, 31), (31, 61), (61, None))
SHOWN_MAX = 100


def break_rows(user: User) -> QuerySet[Break]:
    """Select the breaks that a user sees, with what their sentence reads."""
    return (
        queries.breaks_visible_to(user)
        .select_related("psp", "report", "row", "movement", "entry", "owner", "client")
        .defer("psp__sealed_credentials", "entry__sealed_party", "client__search_text", "report__totals")
    )


def announced_visible_to(user: User) -> QuerySet[AnnouncedReport]:
    """Select the announced reports of the brands that a user reaches whole."""
    return AnnouncedReport.objects.filter(psp__brand_id__in=reach_of(user).whole_brands)


def suggestions_visible_to(user: User) -> QuerySet[Suggestion]:
    """Select the suggested matches of the brands that a user reaches whole."""
    return Suggestion.objects.filter(psp__brand_id__in=reach_of(user).whole_brands)


def reserves_visible_to(user: User) -> QuerySet[ReserveItem]:
    """With what is open of each one's pair."""
    left = F("amount_minor") - F("posted_minor")
    of_pair = (
        ReserveItem.objects.filter(pair=OuterRef("pair"))
        .order_by()
        .values("pair")
        .annotate(sum=Sum(left))
        .values("sum")
    )
    return ReserveItem.objects.filter(psp__brand_id__in=reach_of(user).whole_brands).annotate(
        open_of_pair=Coalesce(Subquery(of_pair), left, output_field=BigIntegerField())
    )


def notes_visible_to(user: User) -> QuerySet[BreakNote]:
    """Select the comments on breaks of the brands that a user reaches whole."""
    return BreakNote.objects.filter(one__brand_id__in=reach_of(user).whole_brands)


def matches_visible_to(user: User) -> QuerySet[Match]:
    """Select the matches whose row, movement or bank entry is of a brand that a user reaches whole."""
    brands = reach_of(user).whole_brands
    return Match.objects.filter(
        Q(row__report__psp__brand_id__in=brands)
        | Q(movement__psp__brand_id__in=brands)
        | Q(entry__psp__brand_id__in=brands)
    )


def suggestions_of(break_: Break) -> list[Suggestion]:
    """List what may be the other side of an open break."""
    sides = Q(pk__in=[])
    if break_.row_id:
        sides |= Q(row_id=break_.row_id)
    if break_.movement_id:
        sides |= Q(movement_id=break_.movement_id)
    rows = Suggestion.objects.filter(sides, state="open").select_related("row", "movement__client")
    return list(rows.defer("movement__client__search_text").order_by("pk")[:SHOWN_MAX])


def owners_for(user: User) -> list[User]:
    """List who may own breaks of the brands that the user reaches."""
    ids = {
        pk for brand in reach_of(user).whole_brands for pk in people_with("wallet.run_reconciliation", brand_id=brand)
    }
    return list(User.objects.filter(pk__in=ids).order_by("first_name", "last_name", "pk"))


@dataclass(frozen=True, slots=True)
class Aged:
    """Open breaks of one kind and currency: per age how many, and their sum without signs."""

    kind: str
    currency: str
    counts: list[int]
    count: int
    total: Money

    @property
    def source(self) -> Break:
        """For the badge."""
        return Break(kind=self.kind)


def ageing(user: User, *, psp_id: int | None = None) -> list[Aged]:
    """Count open breaks by kind, currency and age; one query, as many lines as kinds times currencies."""
    now = timezone.now()
    rows = queries.breaks_visible_to(user).filter(state=BreakState.OPEN)
    if psp_id:
        rows = rows.filter(psp_id=psp_id)
    counts = {}
    for place, (since, until) in enumerate(AGES):
        inside = Q(happened_at__lte=now - dt.timedelta(days=since)) if since else Q()
        if until is not None:
            inside &= Q(happened_at__gt=now - dt.timedelta(days=until))
        counts[f"age_{place}"] = Count("pk", filter=inside)
    groups: Any = (
        rows.order_by()
        .values("kind", "currency")
        .annotate(
            count=Count("pk"),
            above=Sum("difference_minor", filter=Q(difference_minor__gt=0), default=0),
            below=Sum("difference_minor", filter=Q(difference_minor__lt=0), default=0),
            **counts,
        )
    )
    order = {kind: place for place, kind in enumerate(BreakKind.values)}
    lines = [
        Aged(
            group["kind"],
            group["currency"],
            [group[f"age_{place}"] for place in range(len(AGES))],
            group["count"],
            Money.of_minor(int(group["above"] - group["below"]), group["currency"]),
        )
        for group in groups
    ]
    return sorted(lines, key=lambda line: (order[line.kind], line.currency))


def open_break_count(user: User) -> int:
    """Count open breaks of all kinds; their ageing is a page of its own."""
    return breaks_visible_to(user).filter(state="open").count()


def matches_of(report: SettlementImport, limit: int) -> list[Match]:
    """List some of a report's matches for its page, in the file's order."""
    return list(
        Match.objects.filter(row__report=report)
        .select_related("row", "movement__client")
        .defer("movement__client__search_text")
        .order_by("row__line")[:limit]
    )
