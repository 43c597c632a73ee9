"""Staff pages: programmes, their versions, publication by four eyes, and coupons."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Prefetch
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.approvals.queries import proposal_of
from crm.choices import ApprovalState
from crm.models import User
from crm.security import policies
from crm.ui.actions import run_action
from crm.ui.tables import Table
from crm.ui.views import TableView, staff_page
from crm.web.requests import UserRequest
from prop.challenges.coupons import create_coupon
from prop.forms import CouponForm, ProgrammeForm, ProposeForm, TermsForm, TrialForm
from prop.models import Coupon, Programme, ProgrammeTrial, ProgrammeVersion, PublishProposal
from prop.policies import can_write_programmes
from prop.programmes.drafts import change_draft, create_programme, draft_version, retire_version
from prop.programmes.exposure import figures_of
from prop.programmes.files import write_terms
from prop.programmes.publishing import propose_publication
from prop.programmes.templates import TEMPLATES
from prop.queries import programmes_visible_to, trials_visible_to
from prop.sentences import about_payouts, name_of, rules_of
from prop.tables import ProgrammeTable
from prop.trials.running import can_try
from prop.trials.shown import money_of
from trading.models import AccountType

VERSIONS_SHOWN = 20
COUPONS_SHOWN = 30
TRIALS_SHOWN = 5


class ProgrammeList(TableView):
    table = ProgrammeTable
    template_name = "prop/programmes.html"

    def get_context(self, table: Table) -> dict[str, Any]:
        return {"may_write": self.request.user.has_perm("prop.write_programme")}


def get_programme(user: User, programme_id: int) -> Programme:
    programme = programmes_visible_to(user).select_related("brand").filter(pk=programme_id).first()
    if programme is None:
        raise Http404
    return programme


def get_version(user: User, version_id: int) -> ProgrammeVersion:
    rows = ProgrammeVersion.objects.select_related("programme__brand", "account_type", "funded_account_type", "made_by")
    version = rows.filter(pk=version_id, programme__in=programmes_visible_to(user)).first()
    if version is None:
        raise Http404
    return version


@staff_page("prop.write_programme")
def new_programme(request: UserRequest) -> HttpResponse:
    """Create a programme and go on to its first version, started from a template."""
    form = ProgrammeForm(request.POST or None, user=request.user)
    done = run_action(
        request, lambda: create_programme(actor=request.user, **form.details()), form=form, show_forbidden=True
    )
    if done:
        new = reverse("prop_version_new", args=[done.result.pk])
        return redirect(f"{new}?start={form.cleaned_data['start']}")
    context = {"form": form, "title": _("New programme"), "back": reverse("prop_programmes")}
    return render(request, "prop/form.html", context, status=422 if form.errors else 200)


@staff_page("prop.view_programme")
def programme_page(request: UserRequest, programme_id: int) -> HttpResponse:
    """Show a programme with its versions, newest first; a proposal is on its version."""
    return _programme_page(request, get_programme(request.user, programme_id), ProposeForm())


def _programme_page(request: UserRequest, programme: Programme, form: ProposeForm) -> HttpResponse:
    newest = Prefetch("trials", ProgrammeTrial.objects.order_by("-pk")[:TRIALS_SHOWN], to_attr="newest_trials")
    found = programme.versions.select_related("made_by").prefetch_related("sizes", "phases", newest)
    rows = list(found[:VERSIONS_SHOWN])
    open_items = PublishProposal.objects.filter(version__programme=programme, state=ApprovalState.PENDING)
    related = ("requested_by", "version__programme__brand", "version__account_type", "version__funded_account_type")
    pending = {item.version_id: item for item in open_items.select_related(*related)}
    versions = [
        {
            "version": version,
            "phases": [(name_of(phase), rules_of(phase)) for phase in version.phases.all()],
            "payouts": about_payouts(version),
            "proposal": proposal_of(pending[version.pk], request.user) if version.pk in pending else None,
            "is_maker": version.made_by_id == request.user.pk,
            "trials": [(kept, *money_of(kept)) for kept in version.newest_trials],
        }
        for version in rows
    ]
    context = {
        "programme": programme,
        "versions": versions,
        "may_write": can_write_programmes(request.user, programme.brand_id),
        "form": form,
        "trial_form": TrialForm(programme=programme) if rows and can_try(request.user, rows[0]) else None,
    }
    return render(request, "prop/programme.html", context, status=422 if form.errors else 200)


def _start(programme: Programme, code: str) -> str:
    """Find what a new version starts from: the newest one, else a template with the brand's first demo account type."""
    newest = programme.versions.select_related("programme", "account_type", "funded_account_type").first()
    if newest is not None:
        return write_terms(newest)
    demo = AccountType.objects.filter(brand_id=programme.brand_id, is_demo=True, is_enabled=True).first()
    _label, text = TEMPLATES.get(code, TEMPLATES["two-step"])
    currency = demo.currency if demo else programme.brand.base_currency
    return text.format(currency=currency, account=f'"{demo.name}"' if demo else "Demo")


@staff_page("prop.write_programme")
def new_version(request: UserRequest, programme_id: int) -> HttpResponse:
    """Write the next version as a draft."""
    programme = get_programme(request.user, programme_id)
    policies.require(can_write_programmes(request.user, programme.brand_id))
    form = TermsForm(request.POST or None, initial={"terms": _start(programme, request.GET.get("start", ""))})
    done = run_action(
        request,
        lambda: draft_version(programme_id=programme.pk, content=form.content(), actor=request.user),
        _("Draft saved. Nothing is on sale until it's published."),
        form=form,
        show_forbidden=True,
    )
    return redirect(programme) if done else _terms_page(request, programme, form, _("New version"))


@staff_page("prop.write_programme")
def edit_version(request: UserRequest, version_id: int) -> HttpResponse:
    """Change a draft."""
    version = get_version(request.user, version_id)
    form = TermsForm(request.POST or None, initial={"terms": write_terms(version)})
    done = run_action(
        request,
        lambda: change_draft(version_id=version.pk, content=form.content(), actor=request.user),
        _("Draft saved. Nothing is on sale until it's published."),
        form=form,
        show_forbidden=True,
    )
    return redirect(version.programme) if done else _terms_page(request, version.programme, form, _("Edit draft"))


def _terms_page(request: UserRequest, programme: Programme, form: TermsForm, title: str) -> HttpResponse:
    context = {"form": form, "title": title, "text": str(programme), "back": programme.get_absolute_url()}
    return render(request, "prop/form.html", context, status=422 if form.errors else 200)


@staff_page("prop.view_programme")
def download(request: UserRequest, version_id: int) -> HttpResponse:
    """Send a version as YAML: what a new version takes."""
    version = get_version(request.user, version_id)
    name = f"programme-{version.programme_id}-v{version.number}.yaml"
    return HttpResponse(
        write_terms(version),
        content_type="application/yaml; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@staff_page("prop.write_programme")
@require_POST
def propose(request: UserRequest, version_id: int) -> HttpResponse:
    """Ask a second person to publish a draft."""
    version, form = get_version(request.user, version_id), ProposeForm(request.POST)
    done = run_action(
        request,
        lambda: propose_publication(version_id=version.pk, actor=request.user, **form.cleaned_data),
        _("Publication proposed. Awaiting second approval."),
        form=form,
        show_forbidden=True,
    )
    return redirect(version.programme) if done else _programme_page(request, version.programme, form)


@staff_page("prop.write_programme")
@require_POST
def retire(request: UserRequest, version_id: int) -> HttpResponse:
    """Take a version off sale."""
    version = get_version(request.user, version_id)
    run_action(
        request,
        lambda: retire_version(version_id=version.pk, actor=request.user),
        _("Withdrawn from sale. Challenges already bought continue."),
    )
    return redirect(version.programme)


@staff_page("prop.write_programme")
def coupons(request: UserRequest) -> HttpResponse:
    """List the coupons of the brands in reach, and create one."""
    form = CouponForm(request.POST or None, user=request.user)

    def create() -> Coupon:
        given = dict(form.cleaned_data)
        last = dt.datetime.combine(
            given.pop("last_day") + dt.timedelta(days=1), dt.time(), timezone.get_current_timezone()
        )
        return create_coupon(actor=request.user, valid_until=last, **given)

    if run_action(request, create, _("Coupon created."), form=form, show_forbidden=True):
        return redirect("prop_coupons")
    rows = Coupon.objects.filter(brand__in=form.fields["brand"].queryset).select_related("brand")  # type: ignore[attr-defined]
    context = {"form": form, "coupons": rows[:COUPONS_SHOWN]}
    return render(request, "prop/coupons.html", context, status=422 if form.errors else 200)


@staff_page("prop.view_programme")
def economics(request: UserRequest) -> HttpResponse:
    """Show what each programme earned and paid by month, and what-ifs of versions."""
    trials = trials_visible_to(request.user).select_related("version__programme", "made_by")[:TRIALS_SHOWN]
    tried = [(kept, *money_of(kept)) for kept in trials if can_try(request.user, kept.version)]
    rows, exposure = figures_of(request.user)
    context = {"rows": rows, "exposure": exposure, "trials": tried}
    return render(request, "prop/economics.html", context)
