"""Rules for clients who aren't verified, and the terms that are running."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.views import dialogs
from crm.money.amounts import from_minor
from crm.security.scope import reach_of
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from wallet.choices.deposits import TermState
from wallet.choices.psp import PspKind
from wallet.deposits import unverified
from wallet.deposits.forms import UnverifiedRuleForm
from wallet.models import UnverifiedRule, UnverifiedTerm

TERMS_SHOWN = 100


@staff_page("wallet.view_unverifiedrule")
def unverified_page(request: UserRequest) -> HttpResponse:
    reach, today = reach_of(request.user), timezone.now().date()
    rules = UnverifiedRule.objects.filter(brand_id__in=reach.whole_brands).select_related("brand", "created_by")
    shown, in_force = [], set()
    for rule in rules:
        holds = rule.valid_from <= today and rule.brand_id not in in_force
        if holds:
            in_force.add(rule.brand_id)
        kinds = ", ".join(str(PspKind(kind).label) for kind in rule.kinds)
        shown.append({"rule": rule, "holds": holds, "is_later": rule.valid_from > today, "kinds": kinds})
    open_terms = UnverifiedTerm.objects.filter(client__book_id__in=reach.books).exclude(state=TermState.VERIFIED)
    terms = list(open_terms.select_related("client", "rule").defer("client__search_text")[:TERMS_SHOWN])
    refunds = unverified.refund_lists([term.client_id for term in terms])
    context = {
        "rules": shown,
        "may_manage": request.user.has_perm("wallet.manage_unverifiedrule"),
        "now": timezone.now(),
        "terms": [{"term": term, "refunds": refunds.get(term.client_id, [])} for term in terms],
    }
    return render(request, "wallet/deposits/unverified.html", context)


@staff_page("wallet.manage_unverifiedrule")
def rule_new(request: UserRequest) -> HttpResponseBase:
    """Write a rule that applies from its day on; the form starts with CySEC's circular C721."""
    start = {
        **unverified.C721,
        "valid_from": timezone.now().date(),
        "maximum": from_minor(unverified.C721["maximum_minor"], "EUR"),
    }
    form = UnverifiedRuleForm(request.POST or None, user=request.user, initial=start)

    def do() -> None:
        unverified.write_rule(brand=form.cleaned_data["brand"], actor=request.user, **form.terms())

    return dialogs.run(
        request,
        form,
        do,
        url=reverse("wallet:unverified"),
        success_message=_("Rule saved."),
        title=_("Rule for unverified clients"),
        submit=_("Save rule"),
    )
