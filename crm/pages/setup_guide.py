"""The set-up guide: the steps from an empty installation to a brokerage that works, each judged by what is there."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from crm.choices import Role
from crm.models import LegalEntity, User
from crm.security.roles import CATALOGUE
from crm.security.scope import reach_of
from crm.staff import company
from crm.ui.panels import SetupStep, allows, registry
from crm.ui.views import staff_page
from crm.web.requests import UserRequest

MANAGES = company.MANAGES


@dataclass(frozen=True)
class StepState:
    """A step as the page shows it. `roles`: who can do it, where the reader can't."""

    step: SetupStep
    is_done: bool
    is_next: bool
    url: str
    roles: tuple[str, ...] = ()


def states_of(user: User) -> list[StepState]:
    """Judge every step for a user; the first open one that isn't optional is next. One query per step."""
    steps = sorted(registry.of(SetupStep), key=lambda step: step.order)
    done = [step.is_done(user) for step in steps]
    next_one = next((step for step, ready in zip(steps, done, strict=True) if not ready and not step.is_optional), None)
    return [
        StepState(
            step,
            ready,
            step is next_one,
            reverse(step.url_name) if allows(step.permission, user) else "",
            () if allows(step.permission, user) else _roles_with(step.permission),
        )
        for step, ready in zip(steps, done, strict=True)
    ]


def _roles_with(permission: object) -> tuple[str, ...]:
    return tuple(str(role.label) for role in Role if permission in CATALOGUE[role])


@staff_page(MANAGES)
def setup_guide(request: UserRequest) -> HttpResponse:
    """Show the steps with what is done, and what to do next."""
    states = states_of(request.user)
    needed = [state for state in states if not state.step.is_optional]
    context = {"states": states, "done": sum(state.is_done for state in needed), "needed": len(needed)}
    return render(request, "crm/pages/setup_guide.html", context)


# ── the ground floor's own steps ─────────────────────────────────────────────────────────────────────────────────────


def has_entity(user: User) -> bool:
    """Check for an open legal entity of one's own brands, or one that has no brand yet."""
    mine = Q(brands__in=reach_of(user).whole_brands) | Q(brands=None)
    return LegalEntity.objects.filter(mine, archived_at=None).exists()


def has_brand(user: User) -> bool:
    """Check for an open brand in reach."""
    return company.brands_to_set_up(user).filter(archived_at=None).exists()


def has_desk(user: User) -> bool:
    """Check for an open desk in reach."""
    return company.desks_to_set_up(user).filter(archived_at=None).exists()


def has_colleagues(user: User) -> bool:
    """Check for somebody with another role than the administrators who began."""
    people = User.objects.filter(kind="staff", is_active=True, groups__isnull=False)
    people = people.exclude(groups__name=Role.ADMINISTRATOR)
    return people.filter(brand__in=reach_of(user).whole_brands).exists()


def has_book(user: User) -> bool:
    """Check for an agent's book: routing gives leads to people who own one."""
    return company.books_to_set_up(user).filter(archived_at=None, owner__isnull=False).exists()
