"""Compliance on one client: rating, screenings, matches, restrictions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from clients.models import Client
from clients.queries import get_client
from clients.record.access import log_access
from compliance import policies, queries, restrictions
from compliance.aml import policies as aml_policies
from compliance.aml import queries as aml_queries
from compliance.choices import ScreeningTrigger
from compliance.forms import ReasonForm, RestrictForm
from compliance.models import Hit, Restriction, Screening
from compliance.risk_rating.explaining import explained
from compliance.risk_rating.overrides import awaiting_override, can_override, override_of
from compliance.screening import screen_client
from compliance.vendors import checks
from crm.models import User
from crm.ui.actions import run_action
from crm.ui.views import StaffView
from crm.web.requests import UserRequest

ROWS_MAX, PARTIES_MAX, CASES_MAX = 50, 12, 5


def context_of(user: User, client: Client) -> dict[str, Any]:
    risk = queries.current_risk(client)
    return {
        "client": client,
        "risk": risk,
        "risk_factors": explained(risk),
        "risk_override": override_of(client),
        "risk_proposal": awaiting_override(client),
        "can_override": can_override(user, client),
        "screenings": list(
            Screening.objects.filter(client=client, party=None)
            .select_related("actor", "vendor")
            .defer("vendor__sealed_credentials")
            .order_by("-pk")[:5]
        ),
        "vendor_check": checks.check_of(client),
        "hits": list(
            Hit.objects.filter(client=client)
            .select_related("entry__source", "decided_by", "party")
            .order_by("-pk")[:ROWS_MAX]
        ),
        "restrictions": list(
            Restriction.objects.filter(client=client)
            .select_related("placed_by", "lift_requested_by", "lifted_by")
            .order_by("lifted_at", "-pk")[:ROWS_MAX]
        ),
        "aml_cases": list(aml_queries.of_client(user, client.pk)[:CASES_MAX]),
        "can_open_case": aml_policies.can_open(user, client),
        "parties": list(client.screened_parties.filter(is_current=True)[:PARTIES_MAX]),
        "can_screen": policies.can_screen(user, client),
        "can_restrict": policies.can_restrict(user, client),
        "can_lift": user.has_perm("compliance.lift_restriction"),
        "can_read_trail": policies.can_read_trail(user, client),
        "can_see_views": user.has_perm("crm.view_access_log"),
    }


def compliance_tab(request: UserRequest, client: Client) -> HttpResponse:
    return render(request, "compliance/_client.html", context_of(request.user, client))


class ClientPage(StaffView):
    permission = "compliance.view_screening"

    def get(self, request: UserRequest, client_id: int) -> HttpResponse:
        client = get_client(request.user, client_id)
        log_access(request.user, client, f"compliance.client:{client.pk}")
        return render(request, "compliance/client.html", context_of(request.user, client))


def _do(
    request: HttpRequest, client_id: int, verb: Callable[[], Any], done: str | Callable[[Any], str]
) -> HttpResponse:
    """Run a verb; its refusal is a message. Back to the client's compliance page."""
    run_action(request, verb, done, show_forbidden=True)
    return redirect("compliance:client", client_id)


class Screen(StaffView):
    permission = "compliance.screen_client"

    def post(self, request: UserRequest, client_id: int) -> HttpResponse:
        client = get_client(request.user, client_id)
        return _do(
            request,
            client.pk,
            lambda: screen_client(client_id=client.pk, trigger=ScreeningTrigger.DEMAND, actor=request.user),
            lambda done: _("Client screened.") if done else _("The vendor is being asked about this client."),
        )


class Restrict(StaffView):
    permission = "compliance.place_restriction"

    def get(self, request: UserRequest, client_id: int) -> HttpResponse:
        return self._page(request, get_client(request.user, client_id))

    def post(self, request: UserRequest, client_id: int) -> HttpResponse:
        client = get_client(request.user, client_id)
        form = RestrictForm(request.POST)
        if run_action(
            request,
            lambda: restrictions.place_restriction(client_id=client.pk, actor=request.user, **form.cleaned_data),
            _("Restriction added."),
            form=form,
            show_forbidden=True,
        ):
            return redirect("compliance:client", client.pk)
        return self._page(request, client, form)

    @staticmethod
    def _page(request: HttpRequest, client: Client, form: RestrictForm | None = None) -> HttpResponse:
        context = {
            "client": client,
            "form": form or RestrictForm(),
            "title": _("Add restriction"),
            "button": _("Add restriction"),
        }
        return render(request, "compliance/reason.html", context, status=422 if form and form.errors else 200)


class AskToLift(StaffView):
    """One of the two: asks, with a reason."""

    permission = "compliance.lift_restriction"

    def get(self, request: UserRequest, restriction_id: int) -> HttpResponse:
        return self._page(request, queries.get_restriction(request.user, restriction_id))

    def post(self, request: UserRequest, restriction_id: int) -> HttpResponse:
        restriction = queries.get_restriction(request.user, restriction_id)
        form = ReasonForm(request.POST)
        if run_action(
            request,
            lambda: restrictions.ask_to_lift(
                restriction_id=restriction.pk, actor=request.user, reason=form.cleaned_data["reason"]
            ),
            _("Lift requested. A second person must approve it."),
            form=form,
            show_forbidden=True,
        ):
            return redirect("compliance:client", restriction.client_id)
        return self._page(request, restriction, form)

    @staticmethod
    def _page(request: HttpRequest, restriction: Restriction, form: ReasonForm | None = None) -> HttpResponse:
        context = {
            "client": restriction.client,
            "form": form or ReasonForm(),
            "restriction": restriction,
            "title": _("Request lift: %(kind)s") % {"kind": restriction.get_kind_display()},
            "button": _("Request lift"),
        }
        return render(request, "compliance/reason.html", context, status=422 if form and form.errors else 200)


class Lift(StaffView):
    """The other: releases."""

    permission = "compliance.lift_restriction"

    def post(self, request: UserRequest, restriction_id: int) -> HttpResponse:
        restriction = queries.get_restriction(request.user, restriction_id)
        return _do(
            request,
            restriction.client_id,
            lambda: restrictions.lift(restriction_id=restriction.pk, actor=request.user),
            _("Restriction lifted."),
        )


class RefuseToLift(StaffView):
    permission = "compliance.lift_restriction"

    def get(self, request: UserRequest, restriction_id: int) -> HttpResponse:
        restriction = queries.get_restriction(request.user, restriction_id)
        context = {
            "client": restriction.client,
            "form": ReasonForm(),
            "title": _("Keep restriction"),
            "button": _("Keep restriction"),
        }
        return render(request, "compliance/reason.html", context)

    def post(self, request: UserRequest, restriction_id: int) -> HttpResponse:
        restriction = queries.get_restriction(request.user, restriction_id)
        reason = request.POST.get("reason", "")

        def keep() -> None:
            restrictions.refuse_to_lift(restriction_id=restriction.pk, actor=request.user, reason=reason)

        return _do(request, restriction.client_id, keep, _("Restriction kept."))
