"""Pages of exemptions: all of those in reach, and one client's with the form that proposes another."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from clients.choices import Gate, Product
from clients.country_rules import exemptions
from clients.country_rules.exemptions import RIGHT
from clients.country_rules.gates import OF_CLIENTS, cause_of, exemptions_of, sentence_for_staff
from clients.country_rules.rules import rule_of
from clients.models import Client, Exemption
from clients.queries import get_client
from clients.views.page import note_view
from crm.brand_policies.registry import today
from crm.choices import ApprovalState
from crm.ui.actions import run_action
from crm.ui.forms import DayInput
from crm.ui.tables import AgoColumn, BadgeColumn, Column, DateColumn, Empty, PersonColumn, QuickFilter, Table
from crm.ui.views import staff_page
from crm.web.requests import UserRequest

HISTORY_MAX = 20
CHECKED = (*OF_CLIENTS, *Product)


def refusals_of(client: Client) -> list[str]:
    """List for staff what the rules refuse a client today, whether or not an exemption lets them through."""
    rule, day = rule_of(client.brand, client.country), today(client.brand)
    causes = ((what, cause_of(client, what, rule, day)) for what in CHECKED)
    return [sentence_for_staff(client, what, rule, cause) for what, cause in causes if cause is not None]


def rules_card(request: UserRequest, client: Client) -> dict[str, Any] | None:
    """Show what country and age rules refuse a client, and their exemption; None, so no card, where there is neither."""
    refusals, (exemption, waiting) = refusals_of(client), exemptions_of(client)
    may_exempt = bool(exemptions.can_exempt(request.user, client))
    waiting = waiting if may_exempt else None
    if not (refusals or exemption or waiting):
        return None
    return {
        "client": client,
        "refusals": refusals,
        "exemption": exemption,
        "gates": exemptions.labels_of(exemption.gates) if exemption is not None else "",
        "waiting": waiting,
        "may_exempt": may_exempt,
    }


class ExemptionForm(forms.Form):
    """At which gates, up to when, and why. No gate: the exemption in force ends."""

    gates = forms.MultipleChoiceField(
        label=_("Exempt at"),
        choices=[(gate.value, gate.label) for gate in OF_CLIENTS],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    ends_on = forms.DateField(label=_("Last day"), widget=DayInput(), required=False)
    reason = forms.CharField(label=_("Reason"), max_length=300)

    def __init__(self, data: Any = None, *, can_end: bool) -> None:
        super().__init__(data)
        self.can_end = can_end
        if can_end:
            self.fields["gates"].help_text = _now("None: the exemption ends and the rules apply again.")

    def clean(self) -> dict[str, Any]:
        entered: dict[str, Any] = super().clean() or {}
        if not entered.get("gates") and not self.can_end and "gates" not in self.errors:
            self.add_error("gates", _now("Choose at least one."))
        if entered.get("gates") and not entered.get("ends_on") and "ends_on" not in self.errors:
            self.add_error("ends_on", _now("Enter the last day."))
        return entered


@staff_page(RIGHT)
def client_exemption(request: UserRequest, client_id: int) -> HttpResponse:
    """Show what the rules refuse a client, their exemptions so far, and propose one or its end."""
    client = get_client(request.user, client_id)
    current, waiting = exemptions_of(client)
    form = ExemptionForm(request.POST or None, can_end=current is not None)

    def propose() -> Exemption:
        return exemptions.propose_exemption(client_id=client.pk, actor=request.user, **form.cleaned_data)

    done = _now("Exemption proposed. Another person must approve it.")
    if request.method == "POST" and run_action(request, propose, done, form=form):
        return redirect("client", client.pk)
    note_view(request, client, "exemption")
    rows = Exemption.objects.filter(client=client).select_related("requested_by", "decided_by").order_by("-pk")
    context = {
        "client": client,
        "form": form,
        "current": current,
        "gates": exemptions.labels_of(current.gates) if current is not None else "",
        "refusals": refusals_of(client),
        "waiting": waiting,
        "history": [(row, exemptions.labels_of(row.gates)) for row in rows[:HISTORY_MAX]],
    }
    return render(request, "clients/country_rules/exemption.html", context, status=422 if form.errors else 200)


class ExemptionFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=ApprovalState.choices, label=_("State"))
    gate = django_filters.ChoiceFilter(
        choices=[(gate.value, gate.label) for gate in OF_CLIENTS], label=_("Exempt at"), method="at_gate"
    )

    class Meta:
        model = Exemption
        fields: list[str] = []

    def at_gate(self, rows: QuerySet[Exemption], _name: str, value: str) -> QuerySet[Exemption]:
        return rows.filter(gates__contains=[Gate(value).value])


class ExemptionTable(Table):
    name, title, permission = "exemptions", _("Exemptions"), RIGHT
    subtitle = _("Clients who get through gates that country or age rules close, up to a day. Each takes two people.")
    columns = [
        PersonColumn("client", _("Client"), value="client.full_name", link=True),
        Column("gates", _("Exempt at"), value=lambda row: exemptions.labels_of(row.gates)),
        DateColumn("ends_on", _("Last day")),
        BadgeColumn("state", _("State")),
        Column("reason", _("Reason"), css="clip muted"),
        Column("requested_by", _("Proposed by")),
        AgoColumn("requested_at", _("Proposed")),
        Column("decided_by", _("Decided by")),
    ]
    filterset = ExemptionFilter
    quick_filters = [
        QuickFilter(_("Awaiting second approval"), {"state": ApprovalState.PENDING}),
        QuickFilter(_("Approved"), {"state": ApprovalState.APPROVED}),
    ]
    is_searchable = False
    default_order = "-id"
    export_permission = None
    empty = Empty(_("No exemptions"), _("Propose one on the client's page."), "shield-check")

    def queryset(self) -> QuerySet[Exemption]:
        rows = exemptions.exemptions_visible_to(self.user)
        return rows.select_related("client", "requested_by", "decided_by")

    def row_url(self, row: Exemption) -> str:
        return f"/clients/{row.client_id}/exemption/"
