"""Staff pages: the list of partners, one partner, and what is done with them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.models import AuditEvent
from crm.money.numbers import is_whole
from crm.security import policies
from crm.security.audit import body_of
from crm.ui.actions import run_action
from crm.ui.charts import Chart, Series
from crm.ui.tables import Table
from crm.ui.views import TableView, embedded_table, staff_page
from crm.web.requests import UserRequest
from ib import figures, partners, plans, settlement, tree
from ib.agreements import leaving
from ib.agreements.forms import AssignPlanForm
from ib.agreements.ranks import rank_of
from ib.agreements.ratios import propose_ratio
from ib.agreements.scopes import Scope, describe, in_order, link_codes
from ib.agreements.what_if import request_agreement_what_if
from ib.applications import invitations
from ib.choices import PartnerState
from ib.forms import AttributeForm, LastDayForm, LinkForm, MoveForm, PartnerForm, ReasonForm, WalletForm
from ib.links import create_link
from ib.manager_pages.network_search import search_network
from ib.models import Partner, PartnerLink, PartnerPlan, RatioProposal
from ib.models.plans import USUAL_PRIORITY
from ib.partner_pages.client_names import names_for
from ib.policies import can_manage_partners
from ib.queries import get_partner
from ib.screening import partner_names
from ib.tables import PartnerAccrualTable, PartnerClientTable, PartnerTable
from ib.tracking import assigning
from ib.views.applications import application_context
from ib.views.network import branch_rows
from ib.views.settlements import settlements_tab

TABS = [
    ("", gettext_lazy("Overview"), "layout-dashboard"),
    ("network", gettext_lazy("Network"), "network"),
    ("clients", gettext_lazy("Clients"), "users"),
    ("commissions", gettext_lazy("Commissions"), "coins"),
    ("settlements", gettext_lazy("Settlements"), "hand-coins"),
]
TAB_TABLES: dict[str, type[Table]] = {"clients": PartnerClientTable, "commissions": PartnerAccrualTable}


class PartnerList(TableView):
    table = PartnerTable
    template_name = "ib/partners.html"

    def get_context(self, table: Table) -> dict[str, Any]:
        return {"may_add": self.request.user.has_perm("ib.manage_partners")}


@staff_page("ib.view_partner")
def partner_page(request: UserRequest, partner_id: int, tab: str = "") -> HttpResponseBase:
    """Show one partner: figures, plan and place in the tree, and behind tabs the network, clients and money."""
    partner = get_partner(request.user, partner_id)
    if tab == "settlements":
        policies.require_permission(request.user, "ib.view_settlement")
        return settlements_tab(request, partner, frame(request, partner, tab))
    if tab in TAB_TABLES:
        if tab != "clients":
            policies.require_permission(request.user, "ib.view_accrual")
        table = TAB_TABLES[tab](
            request.user,
            request.GET,
            path=reverse("ib_partner_tab", args=[partner.pk, tab]),
            scope={"partner_id": partner.pk},
        )
        if request.headers.get("HX-Request") == "true" or request.GET.get("export"):
            return embedded_table(request, table)
        return render(request, "ib/partner_table.html", {**frame(request, partner, tab), "table": table})
    if tab == "network":
        words = request.GET.get("q", "").strip()
        if words:
            found = search_network(request.user, partner, words)
            return render(
                request, "ib/partner_network.html", {**frame(request, partner, tab), "q": words, "found": found}
            )
        top = figures.nodes([partner], brand_id=partner.brand_id, level=1)
        below = figures.branch(partner.pk, brand_id=partner.brand_id)
        return render(request, "ib/partner_network.html", {**frame(request, partner, tab), "top": top, "branch": below})
    return render(
        request,
        "ib/partner.html",
        {**frame(request, partner, ""), **overview(partner), **application_context(request.user, partner)},
    )


def frame(request: UserRequest, partner: Partner, tab: str) -> dict[str, Any]:
    """Collect what every tab of a partner's page needs."""
    sees_money = request.user.has_perm("ib.view_accrual")
    return {
        "partner": partner,
        "tab": tab,
        "tabs": [
            {
                "slug": slug,
                "label": label,
                "icon": icon,
                "url": reverse("ib_partner_tab", args=[partner.pk, slug])
                if slug
                else reverse("ib_partner", args=[partner.pk]),
            }
            for slug, label, icon in TABS
            if sees_money or slug in ("", "network", "clients")
        ],
        "may_manage": bool(can_manage_partners(request.user, partner.brand_id)),
        # An application is approved by two people, or rejected, with buttons of their own.
        "states": []
        if partner.state == PartnerState.PENDING
        else [PartnerState(state) for state in sorted(partner.next_states())],
    }


SPECIAL_SHOWN = 30
WHAT_IFS_SHOWN = 3
TASKS_SHOWN = 5
TRIED_DAYS = 30


def overview(partner: Partner) -> dict[str, Any]:
    days, series = figures.daily_earnings(partner)
    agreements = in_order(partner)
    held = next((row for row in agreements if Scope.of(row).is_usual), None)
    agreements = [row for row in agreements if row is not held]
    codes = link_codes(agreements[:SPECIAL_SHOWN])
    return {
        "rank": rank_of(partner, held.plan if held else None),
        "matches": partner_names.open_matches(partner),
        "summary": figures.summary(partner),
        "balances": settlement.balances_of(partner),
        "parent": tree.parent_of(partner),
        "plan": held,
        "client_names": names_for(partner).label,
        "awaits_company": partners.awaits_company(partner),
        "past_parents": PartnerLink.objects.filter(partner=partner, ends_at__isnull=False)
        .select_related("parent")
        .order_by("-starts_at")[:10],
        "agreements": [(row, describe(row, codes)) for row in agreements[:SPECIAL_SHOWN]],
        "past_plans": PartnerPlan.usual.filter(partner=partner, ends_at__isnull=False)
        .select_related("plan")
        .order_by("-starts_at")[:10],
        "tasks": partner.tasks.filter(done_at=None).select_related("assignee")[:TASKS_SHOWN],
        "what_ifs": partner.what_ifs.select_related("for_plan")[:WHAT_IFS_SHOWN],
        "links": partner.referral_links.order_by("-id")[:20],
        "link_form": LinkForm(),
        "chart": Chart(
            id="partner-earnings",
            x=days,
            series=[
                Series(currency, values, kind="bars", unit=currency) for currency, values in sorted(series.items())
            ],
        )
        if series
        else None,
        "history": [
            (event, body_of(event))
            for event in AuditEvent.objects.filter(target_type="ib.partner", target_id=str(partner.pk)).order_by("-id")[
                :10
            ]
        ],
    }


@staff_page("ib.view_partner")
def branch(request: UserRequest, partner_id: int) -> HttpResponse:
    """Show the partners directly below one, as rows of the tree."""
    return branch_rows(request, get_partner(request.user, partner_id), is_staff_page=True)


@staff_page("ib.manage_partners")
def new_partner(request: UserRequest) -> HttpResponse:
    form = PartnerForm(request.POST or None, user=request.user, initial={"brand": request.GET.get("brand", "")})

    def register() -> Partner:
        data = form.cleaned_data
        details = partners.PartnerDetails(
            name=data["name"],
            email=data["email"],
            currency=data["currency"],
            code=data["code"],
            parent_id=data["parent"].pk if data["parent"] else None,
            manager=request.user,
        )
        partner = partners.register_partner(brand=data["brand"], details=details, actor=request.user)
        if data["plan"]:
            plans.assign_plan(partner_id=partner.pk, plan_id=data["plan"].pk, actor=request.user)
        return partner

    done = run_action(
        request,
        register,
        lambda partner: _("%(partner)s created. Invitation sent.") % {"partner": partner},
        form=form,
        show_forbidden=True,
    )
    if done:
        run_action(request, lambda: invitations.invite(done.result, actor=request.user), show_forbidden=True)
        return redirect(done.result)
    return render(request, "ib/partner_form.html", {"form": form}, status=422 if form.errors else 200)


@staff_page("ib.manage_partners")
def move(request: UserRequest, partner_id: int) -> HttpResponse:
    partner = get_partner(request.user, partner_id, permission="ib.manage_partners")
    form = MoveForm(request.POST or None, user=request.user, brand_id=partner.brand_id)
    if run_action(
        request,
        lambda: tree.move_partner(
            partner_id=partner.pk,
            parent_id=getattr(form.cleaned_data["parent"], "pk", None),
            actor=request.user,
            reason=form.cleaned_data["reason"],
        ),
        _("Partner moved. Trades closed earlier keep their upline."),
        form=form,
        show_forbidden=True,
    ):
        return redirect(partner)
    return _form(
        request,
        partner,
        form,
        _("Move partner"),
        _("Takes effect immediately. Trades closed earlier keep their upline."),
    )


@staff_page("ib.manage_partners")
def change_plan(request: UserRequest, partner_id: int) -> HttpResponse:
    partner = get_partner(request.user, partner_id, permission="ib.manage_partners")
    asked = {name: request.GET[name] for name in ("link", "client", "priority") if is_whole(request.GET.get(name, ""))}
    place = {"link_id": asked.get("link"), "client_id": asked.get("client")}
    held = PartnerPlan.objects.filter(
        partner=partner, ends_at=None, priority=asked.get("priority", USUAL_PRIORITY), **place
    ).first()
    initial = {**AssignPlanForm.agreed(held), **asked}
    form = AssignPlanForm(request.POST or None, partner=partner, user=request.user, initial=initial)
    percent = (form.cleaned_data["percent"] if form.is_bound and form.is_valid() else None) or plans.WHOLE

    def about() -> dict[str, Any]:
        plan_id = getattr(form.cleaned_data["plan"], "pk", None)
        return {"partner_id": partner.pk, "plan_id": plan_id, "scope": form.scope(), "actor": request.user}

    def change() -> RatioProposal | PartnerPlan | None:
        names, reason = form.cleaned_data["client_names"], form.cleaned_data["reason"]
        is_shown_otherwise = form.cleaned_data["plan"] and names != plans.agreed_names(partner, form.scope())
        if percent == plans.WHOLE and not is_shown_otherwise:
            return plans.assign_plan(**about(), reason=reason)
        return propose_ratio(**about(), percent=percent, client_names=names, reason=reason)

    if form.is_tried:
        days = (form.cleaned_data["days"] if form.is_valid() else None) or TRIED_DAYS
        tried = run_action(
            request,
            lambda: request_agreement_what_if(**about(), percent=percent, days=days),
            form=form,
            show_forbidden=True,
        )
        if tried:
            return redirect("job", pk=tried.result.pk)
        return _plan_form(request, partner, form)
    if run_action(
        request,
        change,
        lambda made: (
            _("Agreement proposed. It applies once a second person approves it.")
            if isinstance(made, RatioProposal)
            else _("Plan changed. It applies to trades closed from now on.")
        ),
        form=form,
        show_forbidden=True,
    ):
        return redirect(partner)
    return _plan_form(request, partner, form)


def _plan_form(request: UserRequest, partner: Partner, form: AssignPlanForm) -> HttpResponse:
    return _form(
        request,
        partner,
        form,
        _("Change plan"),
        _("The plan applies to trades of this partner's clients closed from now on."),
        try_label=_("Run what-if"),
    )


@staff_page("ib.manage_partners")
def change_state(request: UserRequest, partner_id: int, state: str) -> HttpResponse:
    partner = get_partner(request.user, partner_id, permission="ib.manage_partners")
    form = ReasonForm(request.POST or None)
    if state not in PartnerState.values:
        raise Http404
    to = PartnerState(state)
    if run_action(
        request,
        lambda: partners.change_state(
            partner_id=partner.pk, to=to, actor=request.user, reason=form.cleaned_data["reason"]
        ),
        _("Status changed. It applies to trades closed from now on."),
        form=form,
        show_forbidden=True,
    ):
        return redirect(partner)
    return _form(request, partner, form, _("Set status to “%(state)s”") % {"state": to.label}, "")


@staff_page("ib.manage_partners")
def last_day(request: UserRequest, partner_id: int) -> HttpResponse:
    """Set the day after which a partner leaves, or take it back."""
    partner = get_partner(request.user, partner_id, permission="ib.manage_partners")
    form = LastDayForm(request.POST or None, initial={"on": partner.last_day, "reason": partner.leaving_reason})
    if run_action(
        request,
        lambda: leaving.set_last_day(partner_id=partner.pk, actor=request.user, **form.cleaned_data),
        _("Last day saved. The partner was notified."),
        form=form,
        show_forbidden=True,
    ):
        return redirect(partner)
    text = _("They earn on trades closed until the end of that day. What was earned is settled as usual.")
    return _form(request, partner, form, _("Last day"), text)


@staff_page("ib.manage_partners")
def attribute(request: UserRequest, partner_id: int) -> HttpResponse:
    partner = get_partner(request.user, partner_id, permission="ib.manage_partners")
    form = AttributeForm(request.POST or None, user=request.user)
    if run_action(
        request,
        lambda: assigning.propose_attribution(
            client_id=form.cleaned_data["client"],
            partner_id=partner.pk,
            actor=request.user,
            reason=form.cleaned_data["reason"],
        ),
        _("Assignment proposed. A second person approves it."),
        form=form,
        show_forbidden=True,
    ):
        return redirect("ib_partner_tab", partner.pk, "clients")
    return _form(
        request,
        partner,
        form,
        _("Assign client"),
        _("A second person approves it. Trades closed earlier stay with the previous partner."),
    )


@staff_page("ib.manage_partners")
def link_wallet(request: UserRequest, partner_id: int) -> HttpResponse:
    """Link the client record that is the partner's own, so that commissions can be paid out."""
    partner = get_partner(request.user, partner_id, permission="ib.manage_partners")
    form = WalletForm(request.POST or None, user=request.user)
    if run_action(
        request,
        lambda: partners.link_wallet(
            partner_id=partner.pk,
            client_id=form.cleaned_data["client"],
            actor=request.user,
            reason=form.cleaned_data["reason"],
        ),
        _("Wallet linked."),
        form=form,
    ):
        return redirect(partner)
    return _form(
        request,
        partner,
        form,
        _("Link wallet"),
        _(
            "Payouts go to this client's wallet, and the partner earns no commission on this "
            "client's trading. You can't change this later."
        ),
    )


@staff_page("ib.manage_partners")
def new_link(request: UserRequest, partner_id: int) -> HttpResponse:
    partner = get_partner(request.user, partner_id, permission="ib.manage_partners")
    form = LinkForm(request.POST or None)
    if run_action(
        request,
        lambda: create_link(partner_id=partner.pk, campaign=form.cleaned_data["campaign"], actor=request.user),
        form=form,
        show_forbidden=True,
    ):
        return redirect(partner)
    return _form(request, partner, form, _("New referral link"), "")


@staff_page("ib.manage_partners")
def invite(request: UserRequest, partner_id: int) -> HttpResponse:
    partner = get_partner(request.user, partner_id, permission="ib.manage_partners")
    if request.method == "POST":
        run_action(
            request,
            lambda: invitations.invite(partner, actor=request.user),
            _("Invitation sent to %(email)s.") % {"email": partner.user.email},
        )
        return redirect(partner)
    text = _("Sends a link to choose a password to %(email)s. Links sent before stop working.")
    return _form(request, partner, None, _("Resend invitation"), text % {"email": partner.user.email})


def _form(
    request: UserRequest, partner: Partner, form: forms.Form | None, title: str, text: str, *, try_label: str = ""
) -> HttpResponse:
    """Show a small form about a partner on a page of its own; try_label: of a second button, which tries it out."""
    context = {"form": form, "title": title, "text": text, "partner": partner, "back": partner.get_absolute_url()}
    return render(request, "ib/form.html", {**context, "try_label": try_label})
