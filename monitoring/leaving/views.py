"""The offboarding page of a leaver, and the card on the staff record that leads to it."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from crm.choices import AccessKind
from crm.models import AuditEvent, StaffEmployment, User
from crm.security import access_log
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from monitoring.audit_codes import MonitoringAction
from monitoring.leaving.checks import results_of
from monitoring.leaving.offboarding import RIGHT, can_offboard, clear_check, confirm_offboarding
from monitoring.queries import agents_visible_to

STEPS_SHOWN = 30


def _leaver(request: UserRequest, agent_id: int) -> StaffEmployment:
    agents = agents_visible_to(request.user).filter(pk=agent_id)
    row = StaffEmployment.objects.select_related("user__desk", "offboarded_by").filter(user__in=agents).first()
    if row is None or row.leaves_on is None:
        raise Http404
    return row


@staff_page(RIGHT)
def offboarding(request: UserRequest, agent_id: int) -> HttpResponse:
    """Show what the checks find of a leaver, with where each is handed over; confirm that nothing is left."""
    row = _leaver(request, agent_id)
    if request.method == "POST":
        run_action(
            request,
            lambda: confirm_offboarding(agent_id=row.pk, actor=request.user),
            _("Offboarding confirmed."),
            show_forbidden=True,
        )
        return redirect("monitoring_offboarding", row.pk)
    access_log.note(user=request.user, kind=AccessKind.VIEW, target=f"monitoring.offboarding:{row.pk}")
    results = results_of(row.user)
    steps = AuditEvent.objects.filter(
        target_type="crm.user",
        target_id=str(row.pk),
        action__in=[MonitoringAction.OFFBOARDING_STEP, MonitoringAction.OFFBOARDING_CONFIRMED],
    )
    return render(
        request,
        "monitoring/offboarding.html",
        {
            "row": row,
            "agent": row.user,
            "results": [
                (result, result.check.link(row.user) if _opens(request.user, result.check.permission) else "")
                for result in results
            ],
            "left": sum(result.left > 0 for result in results),
            "may": can_offboard(request.user, row.user),
            "steps": list(steps.order_by("-id")[:STEPS_SHOWN]),
        },
    )


def _opens(user: User, permission: str) -> bool:
    return not permission or user.has_perm(permission)


@staff_page(RIGHT)
@require_POST
def clear(request: UserRequest, agent_id: int, slug: str) -> HttpResponse:
    """Hand over or delete what one check finds."""
    row = _leaver(request, agent_id)
    run_action(
        request,
        lambda: clear_check(agent_id=row.pk, slug=slug, actor=request.user),
        lambda count: ngettext("%(count)s done.", "%(count)s done.", count) % {"count": count},
        show_forbidden=True,
    )
    return redirect("monitoring_offboarding", row.pk)


def staff_card(request: UserRequest, person: User) -> dict[str, Any] | None:
    """Load the card of a leaver on the staff record; None for everybody else."""
    row = StaffEmployment.objects.filter(pk=person.pk, leaves_on__isnull=False).first()
    if row is None or not agents_visible_to(request.user).filter(pk=person.pk).exists():
        return None
    return {"row": row, "person": person}
