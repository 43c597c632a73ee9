"""Possible matches: the list, and one beside the client with the explanation of its score."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.record.access import log_access
from compliance import hits, holds, policies, queries
from compliance.choices import EVIDENCE, IDENTIFIER_KINDS, ClearReason, HitState
from compliance.forms import ClearForm, ConfirmForm
from compliance.matches.cases import decided_before, separate
from compliance.models import Hit
from compliance.tables import HitTable
from crm import work
from crm.models import User
from crm.pages.work import AssignSelected, ClaimNext
from crm.pages.work_decisions import DecideSelected
from crm.ui.actions import run_action
from crm.ui.views import StaffView, TableView
from crm.web.requests import UserRequest
from crm.work.queries import work_of

OTHERS_MAX = 10


class Hits(TableView):
    table = HitTable
    template_name = "compliance/hits.html"

    def get(self, request: UserRequest, **kwargs: Any) -> Any:
        if not request.GET:
            return redirect(f"{request.path}?state={HitState.OPEN.value}")
        return super().get(request, **kwargs)


class Next(ClaimNext):
    kind, permission = hits.MATCH, "compliance.decide_hit"
    empty = gettext_lazy("There are no unclaimed matches to review.")


class Assign(AssignSelected):
    table = HitTable


class ClearSelected(DecideSelected):
    """Dismiss many matches for one reason; those that the comparison contradicts are left to their own page."""

    kind, table, permission = hits.MATCH, HitTable, "compliance.decide_hit"
    outcome, form_class = HitState.FALSE_POSITIVE, ClearForm
    title = gettext_lazy("Dismiss as false positives")

    def check(self, subject: Hit, data: dict[str, Any]) -> str:
        return hits.contradiction_of(subject, data["reason_code"])

    def decide(self, subject: Hit, user: User, data: dict[str, Any]) -> Hit:
        given = {name: data[name] for name in ("reason_code", "reason")}
        return hits.clear_hit(hit_id=subject.pk, actor=user, **given)


class HitPage(StaffView):
    permission = "compliance.view_hit"

    def get(self, request: UserRequest, hit_id: int) -> HttpResponse:
        hit = queries.get_hit(request.user, hit_id)
        if hit.part_of_id is not None:
            return redirect(hit)
        log_access(request.user, hit.client, f"compliance.hit:{hit.pk}")
        return show(request, hit)


def show(
    request: UserRequest, hit: Hit, *, clear: ClearForm | None = None, confirm: ConfirmForm | None = None
) -> HttpResponse:
    reviewed = [hit, *hit.parts.all()]
    others = (
        Hit.objects.filter(client_id=hit.client_id, part_of=None)
        .exclude(pk=hit.pk)
        .select_related("entry__source", "party")
    )
    context = {
        "hit": hit,
        "client": hit.client,
        "entry": hit.entry,
        "keeps_blocked": holds.blocked_by(hit).label,
        "names": list(hit.entry.names.order_by("pk")[:60]),
        "why": hit.explanation,
        "parts": reviewed[1:],
        "earlier": decided_before(reviewed),
        "evidence": EVIDENCE,
        "identifier_kinds": IDENTIFIER_KINDS,
        "others": list(others.order_by("-pk")[:OTHERS_MAX]),
        "work": work_of(request.user, hit.work_id),
        "can_decide": policies.can_decide(request.user, hit),
        "clear_form": clear or ClearForm(),
        "confirm_form": confirm or ConfirmForm(),
        "contradictions": {code: text for code in ClearReason.values if (text := hits.contradiction_of(hit, code))},
        "threshold": hit.screening.threshold,
        "clear_takes_two": work.needs_second_person(hit, HitState.FALSE_POSITIVE),
        "confirm_takes_two": work.needs_second_person(hit, HitState.CONFIRMED),
    }
    refused = bool(clear and clear.errors) or bool(confirm and confirm.errors)
    return render(request, "compliance/hit.html", context, status=422 if refused else 200)


class Clear(StaffView):
    permission = "compliance.decide_hit"

    def post(self, request: UserRequest, hit_id: int) -> HttpResponse:
        hit = queries.get_hit(request.user, hit_id)
        form = ClearForm(request.POST)
        done = run_action(
            request,
            lambda: hits.clear_hit(hit_id=hit.pk, actor=request.user, **form.cleaned_data),
            lambda hit: (
                _("Proposed as false positive. A second person has to approve it.")
                if hit.state == HitState.OPEN
                else _("Dismissed as false positive. It won't be raised again for this data.")
            ),
            form=form,
            field=lambda error: "reason_code" if error.code == "contradicted" else None,
            show_forbidden=True,
        )
        if done:
            return redirect("compliance:hits")
        if done.error.code == "contradicted":
            form.offer_override()
        return show(request, queries.get_hit(request.user, hit_id), clear=form)


class Separate(StaffView):
    permission = "compliance.decide_hit"

    def post(self, request: UserRequest, hit_id: int) -> HttpResponse:
        hit = queries.get_hit(request.user, hit_id)
        run_action(
            request,
            lambda: separate(hit_id=hit.pk, actor=request.user),
            _("This entry is reviewed separately from now on."),
            show_forbidden=True,
        )
        return redirect(queries.get_hit(request.user, hit_id))


class Confirm(StaffView):
    permission = "compliance.decide_hit"

    def post(self, request: UserRequest, hit_id: int) -> HttpResponse:
        hit = queries.get_hit(request.user, hit_id)
        form = ConfirmForm(request.POST)
        done = run_action(
            request,
            lambda: hits.confirm_hit(hit_id=hit.pk, actor=request.user, reason=form.cleaned_data["reason"]),
            form=form,
            show_forbidden=True,
        )
        if done and done.result.state == HitState.OPEN:
            messages.info(request, _("Proposed as true match. A second person has to approve it."))
            return redirect(hit)
        if done:
            messages.warning(
                request,
                _("True match confirmed. %(restriction)s, and the risk rating is high.")
                % {"restriction": holds.blocked_by(hit).label},
            )
            return redirect("compliance:client", hit.client_id)
        return show(request, queries.get_hit(request.user, hit_id), confirm=form)
