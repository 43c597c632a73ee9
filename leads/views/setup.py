"""Set-up pages: campaigns, landing pages, rules with a trial, shifts, sources."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from clients.canonical import canonical_phone
from clients.views import dialogs
from crm.models import User
from crm.money.numbers import is_whole
from crm.security.compression import UNCOMPRESSED
from crm.security.scope import reach_of
from crm.ui.actions import run_action
from crm.ui.conditions import sentence_of
from crm.ui.tables import BulkAction, Column, Empty, Table, YesNoColumn
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from leads import routing, scoring, setup, sources
from leads.automations.by_rule import sequences_of
from leads.automations.policies import MAKES, SEES
from leads.distribution import dry_run
from leads.learned.scoring import prospect_of
from leads.models import Campaign, LandingPage, LeadSource, RoutingRule, ScoreRule, Shift
from leads.queries import named_score_rules
from leads.scores import rescoring
from leads.setup_forms import (
    CampaignForm,
    LandingPageForm,
    RoutingRuleForm,
    ScoreRuleForm,
    ShiftForm,
    SourceForm,
    TrialForm,
)
from leads.signing import secrets
from leads.vocabulary import ShownLeadVocabulary

KEY_SHOWN = gettext_lazy("Key of %(source)s, shown only once. Copy it now: %(value)s")
SECRET_SHOWN = gettext_lazy("Signing secret of %(source)s, shown only once. Copy it now: %(value)s")
SHOW_ONCE: dict[str, tuple[Callable[..., tuple[LeadSource, str]], Promise]] = {
    "renew": (sources.renew_key, KEY_SHOWN),
    "sign": (secrets.require_signature, SECRET_SHOWN),
    "rotate": (secrets.rotate_secret, SECRET_SHOWN),
}


class LandingPageTable(Table):
    name, title, permission = "landing-pages", gettext_lazy("Landing pages"), "leads.view_landingpage"
    columns = [
        Column("headline", gettext_lazy("Headline"), link=True),
        Column("slug", gettext_lazy("Address"), render=lambda row, _table: _page_link(row)),
        Column("language", gettext_lazy("Language"), css="center"),
        Column("brand", gettext_lazy("Brand")),
        Column("campaign", gettext_lazy("Campaign")),
        YesNoColumn("is_published", gettext_lazy("Published")),
        Column(
            "embed",
            gettext_lazy("On other sites"),
            value="pk",
            render=lambda row, _table: _embed_link(row),
            export=False,
        ),
    ]
    row_url_name, row_permission = "landing_page_edit", "leads.change_landingpage"
    empty = Empty(
        gettext_lazy("No landing pages yet"),
        gettext_lazy("A page with a form in one language and in the brand's design."),
        icon="globe",
        action=gettext_lazy("New landing page"),
        url_name="landing_page_new",
        permission="leads.change_landingpage",
    )

    def queryset(self) -> QuerySet[LandingPage]:
        return LandingPage.objects.filter(brand_id__in=reach_of(self.user).brands).select_related("brand", "campaign")


def _embed_link(page: LandingPage) -> SafeString:
    return format_html('<a class="k-act" href="{}">{}</a>', reverse("landing_page_embed", args=[page.pk]), _("Embed"))


def _page_link(page: LandingPage) -> SafeString:
    return format_html(
        '<a class="mono" href="{}" target="_blank" rel="noopener">{}</a>', page.get_absolute_url(), page.slug
    )


class SourceTable(Table):
    name, title, permission = "lead-sources", gettext_lazy("Lead sources"), "leads.manage_sources"
    columns = [
        Column("name", gettext_lazy("Name")),
        Column("code", gettext_lazy("Code"), css="mono"),
        Column("brand", gettext_lazy("Brand")),
        Column("campaign", gettext_lazy("Campaign")),
        Column("key_prefix", gettext_lazy("Key prefix"), css="mono"),
        YesNoColumn("is_active", gettext_lazy("Active")),
        YesNoColumn("needs_signature", gettext_lazy("Signs requests")),
    ]
    bulk_actions = [
        BulkAction("stop", gettext_lazy("Deactivate"), "lead_sources_change", "leads.manage_sources", "circle-pause"),
        BulkAction("start", gettext_lazy("Activate"), "lead_sources_change", "leads.manage_sources", "circle-play"),
        BulkAction(
            "renew",
            gettext_lazy("Renew key"),
            "lead_sources_change",
            "leads.manage_sources",
            "key-round",
            confirm=gettext_lazy("The old key stops working immediately."),
        ),
        BulkAction(
            "sign",
            gettext_lazy("Require signature"),
            "lead_sources_change",
            "leads.manage_sources",
            "shield-check",
            confirm=gettext_lazy("Requests without a signature are refused from now on. The secret is shown once."),
        ),
        BulkAction(
            "rotate",
            gettext_lazy("Rotate signing secret"),
            "lead_sources_change",
            "leads.manage_sources",
            "rotate-ccw",
            confirm=gettext_lazy("The old secret counts for 24 more hours."),
        ),
        BulkAction(
            "unsign",
            gettext_lazy("Stop requiring signature"),
            "lead_sources_change",
            "leads.manage_sources",
            "circle-x",
            confirm=gettext_lazy("The key alone is enough again. The secret is deleted."),
        ),
    ]
    is_adjustable = False
    empty = Empty(
        gettext_lazy("No sources yet"),
        gettext_lazy("Each affiliate or external form gets its own key for POST /api/leads/."),
        icon="plug",
        action=gettext_lazy("New source"),
        url_name="lead_source_new",
    )

    def queryset(self) -> QuerySet[LeadSource]:
        return LeadSource.objects.filter(brand_id__in=reach_of(self.user).brands).select_related("brand", "campaign")


def _mine(model: Any, request: UserRequest, pk: int) -> Any:
    """Find a row of a brand in reach, or 404."""
    return get_object_or_404(model, pk=pk, brand_id__in=reach_of(request.user).brands)


@staff_page("leads.change_campaign")
def campaign(request: UserRequest, pk: int | None = None) -> HttpResponseBase:
    row = _mine(Campaign, request, pk) if pk else None
    form = CampaignForm(request.POST or None, instance=row, actor=request.user)
    return dialogs.run(
        request,
        form,
        lambda: setup.save_campaign(actor=request.user, campaign=row, **form.cleaned_data),
        wide=True,
        url=f"/campaigns/{row.pk}/" if row else "/campaigns/",
        success_message=_("Campaign saved."),
        submit=_("Save"),
        title=row.name if row else _("New campaign"),
    )


@staff_page("leads.change_landingpage")
def landing_page(request: UserRequest, pk: int | None = None) -> HttpResponseBase:
    row = _mine(LandingPage, request, pk) if pk else None
    form = LandingPageForm(request.POST or None, instance=row, actor=request.user)
    return dialogs.run(
        request,
        form,
        lambda: setup.save_landing_page(actor=request.user, page=row, **form.cleaned_data),
        wide=True,
        url="/landing-pages/",
        success_message=_("Landing page saved."),
        submit=_("Save"),
        title=row.headline if row else _("New landing page"),
    )


@staff_page("leads.manage_rules")
def rules(request: UserRequest) -> HttpResponse:
    """Show routing and scoring rules in reach, people's hours, and a trial: what would become of this lead?"""
    brands, today = reach_of(request.user).brands, timezone.localdate()
    form = TrialForm(request.GET or None, actor=request.user)
    score_rules = ScoreRule.objects.filter(
        Q(valid_to=None) | Q(valid_to__gt=today), Q(brand=None) | Q(brand_id__in=brands)
    )
    score_rules = score_rules.select_related("brand")
    people = User.objects.filter(desk_id__in=reach_of(request.user).desks, is_active=True, kind="staff")
    vocabulary = ShownLeadVocabulary(brands)
    routing_rules = list(RoutingRule.objects.filter(brand_id__in=brands).select_related("brand", "desk", "pool")[:100])
    sequences = sequences_of(routing_rules) if request.user.has_perm(SEES) else {}
    context: dict[str, Any] = {
        "routing_rules": [
            (rule, sentence_of(rule.condition, vocabulary), sequences.get(rule.pk, ())) for rule in routing_rules
        ],
        "may_automate": request.user.has_perm(MAKES),
        "score_rules": named_score_rules(score_rules.order_by("brand_id", "-points")[:200], brands),
        "agents": people.filter(books__is_pool=False)
        .distinct()
        .prefetch_related("shifts")
        .order_by("desk_id", "first_name")[:200],
        "form": form,
    }
    if form.is_bound and form.is_valid():
        context["trial"] = _try(form.cleaned_data)
    return render(request, "leads/rules.html", context)


def _try(data: dict[str, Any]) -> dict[str, Any]:
    brand, now, campaign = data["brand"], timezone.now(), data["campaign"]
    signals = scoring.Signals(
        country=data["country"],
        language=data["language"],
        brand_languages=tuple(brand.languages),
        email=data["email"],
        phone=canonical_phone(data["phone"], data["country"]),
        phone_was_typed=bool(data["phone"]),
        campaign=campaign.code if campaign else "",
        campaign_quality=campaign.quality if campaign else None,
        source=data["source"],
        at=now,
        now=now,
    )
    prospect = prospect_of(signals)
    worth = scoring.score(signals, scoring.rules_of(brand.pk, timezone.localdate()))
    candidate = routing.Candidate(
        language=data["language"],
        country=data["country"],
        source=data["source"],
        campaign=campaign.code if campaign else "",
        score=worth.value,
        learned=prospect.score,
    )
    decision = routing.Router(brand, now).decide(candidate)
    return {"worth": worth, "learned": prospect, "routing": routing.explain(decision.reasons)}


@staff_page("leads.manage_rules")
def routing_rule(request: UserRequest, pk: int | None = None) -> HttpResponseBase:
    row = _mine(RoutingRule, request, pk) if pk else None
    form = RoutingRuleForm(request.POST or None, instance=row, actor=request.user)
    title = row.name if row else _("New routing rule")
    return dialogs.run(
        request,
        form,
        lambda: setup.save_routing_rule(actor=request.user, rule=row, **form.cleaned_data),
        wide=True,
        url="/lead-rules/",
        success_message=_("Rule saved. It applies to all new leads."),
        submit=_("Save"),
        title=title,
        also=_dry_run_button(row),
    )


def _dry_run_button(row: RoutingRule | None) -> dict[str, str]:
    url = reverse("routing_rule_dry_run") + (f"?rule={row.pk}" if row else "")
    return {"url": url, "label": _("Dry run over last week"), "icon": "play"}


@staff_page("leads.manage_rules")
@require_POST
def routing_rule_dry_run(request: UserRequest) -> HttpResponseBase:
    """Show in the rule's dialog what the rule as entered would have changed last week. Nothing is saved."""
    number = request.GET.get("rule", "")
    row = _mine(RoutingRule, request, int(number)) if is_whole(number) else None
    title = row.name if row else _("New routing rule")
    form = RoutingRuleForm(request.POST, instance=row, actor=request.user)
    more: dict[str, Any] = {}
    if form.is_valid():
        rules = dry_run.rules_with(form.instance, form.cleaned_data["agents"])
        result = dry_run.try_out(form.cleaned_data["brand"], rules, rule_pk=form.instance.pk or 0)
        more = {"result": "leads/_dry_run.html", "dry_run": result}
    return dialogs.show(
        request,
        form,
        url="/lead-rules/",
        title=title,
        submit=_("Save"),
        wide=True,
        action=reverse("routing_rule_edit", args=[row.pk]) if row else reverse("routing_rule_new"),
        also=_dry_run_button(row),
        **more,
    )


@staff_page("leads.manage_rules")
def score_rule(request: UserRequest, pk: int | None = None) -> HttpResponseBase:
    mine = Q(brand=None) | Q(brand_id__in=reach_of(request.user).brands)
    row = get_object_or_404(ScoreRule.objects.filter(mine), pk=pk) if pk else None
    form = ScoreRuleForm(request.POST or None, instance=row, actor=request.user)

    def do() -> None:
        fields = {name: form.cleaned_data[name] for name in ("brand", "name", "kind", "parameters", "points")}
        setup.save_score_rule(actor=request.user, rule=row, **fields)

    return dialogs.run(
        request,
        form,
        do,
        url="/lead-rules/",
        success_message=_("Rule saved. It applies from today."),
        submit=_("Save"),
        title=row.name if row else _("New scoring rule"),
        wide=True,
        also=_preview_button(row),
    )


def _preview_button(row: ScoreRule | None) -> dict[str, str]:
    url = reverse("score_rule_preview") + (f"?rule={row.pk}" if row else "")
    return {"url": url, "label": _("Preview over the last 1,000 leads"), "icon": "play"}


@staff_page("leads.manage_rules")
@require_POST
def score_rule_preview(request: UserRequest) -> HttpResponseBase:
    """Show in the rule's dialog what the rule as entered would change for the newest leads. Nothing is saved."""
    number = request.GET.get("rule", "")
    mine = Q(brand=None) | Q(brand_id__in=reach_of(request.user).brands)
    row = get_object_or_404(ScoreRule.objects.filter(mine), pk=int(number)) if is_whole(number) else None
    form = ScoreRuleForm(request.POST, instance=row, actor=request.user)
    more: dict[str, Any] = {}
    if form.is_valid():
        data = form.cleaned_data
        rule = scoring.Rule(row.pk if row else 0, data["name"], data["kind"], data["parameters"], data["points"])
        more = {"result": "leads/_score_preview.html", "preview": rescoring.preview(data["brand"], rule)}
    return dialogs.show(
        request,
        form,
        url="/lead-rules/",
        title=row.name if row else _("New scoring rule"),
        submit=_("Save"),
        wide=True,
        action=reverse("score_rule_edit", args=[row.pk]) if row else reverse("score_rule_new"),
        also=_preview_button(row),
        **more,
    )


@staff_page("leads.manage_rules")
@require_POST
def score_rule_end(request: UserRequest, pk: int) -> HttpResponseBase:
    row = _mine(ScoreRule, request, pk)
    run_action(request, lambda: setup.end_score_rule(rule_id=row.pk, actor=request.user), _("Rule ended."))
    return dialogs.back(request, "/lead-rules/")


@staff_page("leads.manage_rules")
def shifts(request: UserRequest, agent_id: int) -> HttpResponseBase:
    agent = get_object_or_404(User, pk=agent_id, desk_id__in=reach_of(request.user).desks)
    form = ShiftForm(
        request.POST or None, shifts=Shift.objects.filter(agent=agent), absences=setup.coming_absences(agent)
    )
    return dialogs.run(
        request,
        form,
        lambda: setup.set_shifts(agent_id=agent.pk, actor=request.user, shifts=form.shifts(), absences=form.absences()),
        url="/lead-rules/",
        success_message=_("Working hours saved."),
        submit=_("Save"),
        body="leads/_shift_form.html",
        title=_("Working hours of %(agent)s (%(zone)s)") % {"agent": agent, "zone": agent.time_zone},
    )


@staff_page("leads.manage_sources")
def source_new(request: UserRequest) -> HttpResponseBase:
    """Create a source. The key is shown once, on the page that follows."""
    form = SourceForm(request.POST or None, actor=request.user)

    def do() -> None:
        made, key = sources.create_source(actor=request.user, **form.cleaned_data)
        _show_key(request, made, key)

    return dialogs.run(
        request,
        form,
        do,
        url="/lead-sources/",
        success_message=_("Source created."),
        submit=_("Create source"),
        title=_("New source"),
    )


@staff_page("leads.manage_sources")
@require_POST
def sources_change(request: UserRequest) -> HttpResponseBase:
    """Stop or start the selected sources, give them a new key, or set how they sign; one that refuses holds no other back."""
    action = request.POST.get("action", "")
    for row in SourceTable.selected(request)[:20]:
        about: dict[str, Any] = {"source_id": row.pk, "actor": request.user}
        if action in SHOW_ONCE:
            verb, text = SHOW_ONCE[action]
            done = run_action(request, partial(verb, **about), show_forbidden=True)
            if done:
                source, value = done.result
                shown = text % {"source": source.name, "value": value}
                messages.warning(request, shown, extra_tags=UNCOMPRESSED)
        elif action == "unsign":
            run_action(request, partial(secrets.stop_requiring_signature, **about), show_forbidden=True)
        elif action in ("stop", "start"):
            change = partial(sources.set_source_active, **about, is_active=action == "start")
            run_action(request, change, show_forbidden=True)
    return redirect("lead_sources")


def _show_key(request: HttpRequest, source: LeadSource, key: str) -> None:
    messages.warning(request, KEY_SHOWN % {"source": source.name, "value": key}, extra_tags=UNCOMPRESSED)
