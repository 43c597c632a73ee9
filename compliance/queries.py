"""Reads of screenings, matches, restrictions and ratings. Every one starts from what the user may see."""

from __future__ import annotations

from django.db.models import Prefetch, QuerySet
from django.http import Http404

from clients.models import Client
from clients.queries import clients_visible_to
from compliance.choices import HitState, RestrictionKind
from compliance.models import Hit, ListScreening, Restriction, RiskAssessment
from crm.models import Actor, User
from crm.security.policies import require_permission
from crm.security.scope import reach_of

# A frozen client may do nothing at all.
FROZEN_MEANS = frozenset(RestrictionKind.values)


def restrictions_of(client: Client | int) -> frozenset[str]:
    """List the kinds of restriction in force, for a verb about to act on the client; frozen means all of them.

    Reads the table, not the fact, so that what was placed a moment ago counts.
    """
    client_id = client if isinstance(client, int) else client.pk
    kinds = set(Restriction.objects.filter(client_id=client_id, lifted_at__isnull=True).values_list("kind", flat=True))
    return FROZEN_MEANS if RestrictionKind.FROZEN in kinds else frozenset(kinds)


def may(client: Client | int, what: str) -> bool:
    """Tell whether no restriction forbids "deposit", "withdrawal" or "trading"."""
    return f"no_{what}" not in restrictions_of(client)


def hits_visible_to(user: Actor) -> QuerySet[Hit]:
    """List the matches of clients in reach, for `compliance.view_hit`."""
    if not user or not user.is_authenticated or not user.is_team or not user.has_perm("compliance.view_hit"):
        return Hit.objects.none()
    return Hit.objects.filter(client__book_id__in=reach_of(user).books)


def get_hit(user: User, hit_id: int) -> Hit:
    """Find one match with its client and entry, or 404."""
    hit = (
        Hit.objects.filter(client__in=clients_visible_to(user))
        .select_related(
            "client__brand", "client__book", "party", "entry__source", "screening", "decided_by", "work__claimed_by"
        )
        .prefetch_related(
            Prefetch(
                "parts", Hit.objects.select_related("entry__source").prefetch_related("entry__names").order_by("pk")
            )
        )
        .filter(pk=hit_id)
        .first()
    )
    if hit is None or not user.is_team:
        raise Http404
    require_permission(user, "compliance.view_hit")
    return hit


def restrictions_visible_to(user: User) -> QuerySet[Restriction]:
    """List the restrictions of clients in reach, for `compliance.view_restriction`."""
    if not user.is_authenticated or not user.is_team or not user.has_perm("compliance.view_restriction"):
        return Restriction.objects.none()
    return Restriction.objects.filter(client__book_id__in=reach_of(user).books)


def get_restriction(user: User, restriction_id: int) -> Restriction:
    """Find a restriction that somebody may see, or 404."""
    restriction = restrictions_visible_to(user).select_related("client").filter(pk=restriction_id).first()
    if restriction is None:
        raise Http404
    return restriction


def open_hit_count(user: User) -> int:
    """Count the reviews of matches that wait, at most 99: a number for the menu."""
    return len(hits_visible_to(user).filter(state=HitState.OPEN, part_of=None).values_list("pk", flat=True)[:99])


def current_risk(client: Client) -> RiskAssessment | None:
    """Find the client's rating in force; None before the first."""
    return (
        RiskAssessment.objects.filter(client=client, is_current=True)
        .select_related("model", "override__decided_by", "override__requested_by")
        .first()
    )


def last_full_screening() -> ListScreening | None:
    """Find the last screening of all clients against everything in force."""
    return ListScreening.objects.filter(version__isnull=True).order_by("-pk").first()
