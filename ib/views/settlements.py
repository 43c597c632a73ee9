"""Staff pages of settlement: a partner's terms, what is on hold or in dispute, and whose cycle is settled now."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from clients.queries import clients_visible_to
from crm.models import Brand
from crm.security.scope import reach_of
from crm.ui.actions import run_action
from crm.ui.views import embedded_table, staff_page, wants_fragment
from crm.web.requests import UserRequest
from ib import settlement
from ib.choices import AutomaticPayoutState, DisputeState, VerdictKind
from ib.forms import ReasonForm, SettlementTermsForm
from ib.models import Accrual, AutomaticPayout, CommissionDispute, CreditNote, Partner, Settlement, SettlementTerms
from ib.partner_pages.statements import Statement
from ib.policies import can_manage_partners, can_settle
from ib.queries import get_partner, partners_visible_to
from ib.settlements import disputes, forfeits
from ib.settlements.terms import described, propose_terms, terms_of
from ib.tables import PartnerSettlementTable
from ib.views.commissions import get_accrual
from ib.views.portal_statements import credit_note_file, invoice_file, statement_file

DISPUTES_SHOWN = 20


def settlements_tab(request: UserRequest, partner: Partner, frame: dict[str, Any]) -> HttpResponseBase:
    """Show how a partner is settled, what waits, and their settlements."""
    table = PartnerSettlementTable(
        request.user,
        request.GET,
        path=reverse("ib_partner_tab", args=[partner.pk, "settlements"]),
        scope={"partner_id": partner.pk},
    )
    if wants_fragment(request) or request.GET.get("export"):
        return embedded_table(request, table)
    may_settle = bool(can_settle(request.user, partner.brand_id))
    return render(
        request,
        "ib/partner_settlements.html",
        {
            **frame,
            "table": table,
            "terms": described(terms_of(partner), partner.currency),
            "proposed": SettlementTerms.objects.filter(partner=partner, state="pending").first(),
            "disputes": CommissionDispute.objects.filter(partner=partner, state=DisputeState.OPEN).select_related(
                "opened_by"
            )[:DISPUTES_SHOWN],
            "refused": AutomaticPayout.objects.filter(partner=partner, state=AutomaticPayoutState.REFUSED),
            "may_settle": may_settle,
            "may_freeze": may_settle and not disputes.is_frozen(partner.pk),
            "may_propose": bool(can_manage_partners(request.user, partner.brand_id)),
        },
    )


@staff_page("ib.manage_partners")
def terms(request: UserRequest, partner_id: int) -> HttpResponse:
    """Propose other settlement terms; finance approves them."""
    partner = get_partner(request.user, partner_id, permission="ib.manage_partners")
    form = SettlementTermsForm(request.POST or None, terms=terms_of(partner))
    done = run_action(
        request,
        lambda: propose_terms(
            partner_id=partner.pk, values=form.values(), reason=form.cleaned_data["reason"], actor=request.user
        ),
        _("Settlement terms proposed. They apply once a second person approves them."),
        form=form,
        show_forbidden=True,
    )
    if done:
        return redirect("ib_partner_tab", partner.pk, "settlements")
    return _form(
        request,
        partner,
        form,
        _("Settlement terms"),
        _("Amounts are in %(currency)s. New terms apply from their approval to what isn't settled by then.")
        % {"currency": partner.currency},
    )


@staff_page("ib.settle_commissions")
def freeze(request: UserRequest, partner_id: int) -> HttpResponse:
    """Freeze a partner: nothing is settled or paid out until somebody releases it."""
    partner = get_partner(request.user, partner_id, permission="ib.settle_commissions")
    form = ReasonForm(request.POST or None)
    if run_action(
        request,
        lambda: disputes.open_dispute(partner_id=partner.pk, reason=form.cleaned_data["reason"], actor=request.user),
        _("Partner frozen. Settlements and payouts wait until someone resolves this."),
        form=form,
        show_forbidden=True,
    ):
        return redirect("ib_partner_tab", partner.pk, "settlements")
    return _form(
        request,
        partner,
        form,
        _("Freeze settlements"),
        _("Nothing is settled or paid out to this partner until someone resolves this. The partner reads the reason."),
    )


@staff_page("ib.settle_commissions")
def hold(request: UserRequest, accrual_id: int) -> HttpResponse:
    """Put the commissions of one deal on hold for its partner."""
    accrual: Accrual = get_accrual(request.user, accrual_id)
    form = ReasonForm(request.POST or None)
    if run_action(
        request,
        lambda: disputes.open_dispute(
            partner_id=accrual.partner_id, accrual_id=accrual.pk, reason=form.cleaned_data["reason"], actor=request.user
        ),
        _("Commission put on hold."),
        form=form,
        show_forbidden=True,
    ):
        return redirect("ib_accrual", accrual.pk)
    return _form(
        request,
        accrual.partner,
        form,
        _("Put commission on hold"),
        _("What this deal earned the partner isn't settled until someone resolves this. The partner reads the reason."),
    )


@staff_page("ib.settle_commissions")
@require_POST
def settle_now(request: UserRequest, brand_id: int) -> HttpResponse:
    """Settle the partners of a brand whose own cycle has ended. Who may: `ib.settle_commissions` at the brand."""
    brand = Brand.objects.filter(pk=brand_id, pk__in=reach_of(request.user).whole_brands).first()
    if brand is None:
        raise Http404
    run_action(
        request,
        lambda: settlement.settle_cycles(brand=brand, actor=request.user),
        lambda rows: (
            ngettext("%(count)s settlement made.", "%(count)s settlements made.", len(rows)) % {"count": len(rows)}
            if rows
            else _("Nothing to settle: no cycle has ended since the last run.")
        ),
        show_forbidden=True,
    )
    return redirect("ib_periods")


@staff_page("ib.view_settlement")
def statement(request: UserRequest, settlement_id: int, ending: str) -> HttpResponse | StreamingHttpResponse:
    """Download a settlement's statement as the partner gets it."""
    row = (
        Settlement.objects.select_related("partner__brand", "previous")
        .filter(pk=settlement_id, partner__in=partners_visible_to(request.user))
        .first()
    )
    if row is None:
        raise Http404
    return statement_file(request, Statement(row.partner, row), ending)


@staff_page("ib.view_settlement")
def invoice(request: UserRequest, settlement_id: int) -> HttpResponse:
    """Download a settlement's self-billing invoice."""
    return invoice_file(
        request, Settlement.objects.filter(partner__in=partners_visible_to(request.user)), settlement_id
    )


@staff_page("ib.view_settlement")
def credit_note(request: UserRequest, note_id: int) -> HttpResponse:
    """Download a credit note for a self-billing invoice."""
    return credit_note_file(request, CreditNote.objects.filter(partner__in=partners_visible_to(request.user)), note_id)


@staff_page("ib.manage_partners")
def verdict(request: UserRequest, client_id: int) -> HttpResponse:
    """Propose that a client's referral is fraudulent, or lift that; finance approves it."""
    client = clients_visible_to(request.user).filter(pk=client_id).first()
    if client is None:
        raise Http404
    is_lifting = forfeits.is_fraudulent(client.pk)
    kind = VerdictKind.LIFTED if is_lifting else VerdictKind.FRAUD
    form = ReasonForm(request.POST or None)
    back = client.get_absolute_url()
    if run_action(
        request,
        lambda: forfeits.propose_verdict(
            client_id=client.pk, kind=kind, reason=form.cleaned_data["reason"], actor=request.user
        ),
        _("Verdict proposed. It holds once a second person approves it."),
        form=form,
        show_forbidden=True,
    ):
        return redirect(back)
    text = _(
        "Everything this client's trades earned within the plans' clawback days is taken back from the whole upline."
    )
    if is_lifting:
        text = _("What was taken back from the upline is restored.")
    return render(
        request,
        "ib/form.html",
        {
            "form": form,
            "title": _("Lift the fraud verdict") if is_lifting else _("Fraudulent referral"),
            "text": text,
            "back": back,
        },
        status=422 if form.errors else 200,
    )


def _form(request: UserRequest, partner: Partner, form: Any, title: str, text: str) -> HttpResponse:
    back = reverse("ib_partner_tab", args=[partner.pk, "settlements"])
    return render(
        request,
        "ib/form.html",
        {"form": form, "title": title, "text": text, "partner": partner, "back": back},
        status=422 if form.errors else 200,
    )
