"""Pages of a brand's risk model: as it rates today, its versions, and a draft with its preview."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.db.models import Count
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clients.choices import RiskRating
from clients.models import Client
from clients.queries import clients_visible_to, get_client
from compliance.models import RiskAssessment, RiskModel, RiskModelProposal
from compliance.risk_rating import changes, drafts, overrides, versions
from compliance.risk_rating.computing import Preview, preview
from compliance.risk_rating.content import FACTORS_MAX, RANKS, Content, problems
from compliance.risk_rating.drafts import RIGHT, can_change
from compliance.risk_rating.forms import BandsForm, FactorForm, OverrideForm, ProposeForm
from compliance.risk_rating.rating import RATE_AGAIN
from compliance.risk_rating.vocabulary import risk_fields_for, risk_subjects
from crm import approvals
from crm.approvals.queries import proposal_of
from crm.brand_policies.registry import today
from crm.choices import AccessKind
from crm.conditions import Condition
from crm.errors import DomainError
from crm.models import Brand, DueRow, User
from crm.security import access_log
from crm.staff.company import brands_to_set_up
from crm.ui import conditions
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest

SEES = "compliance.view_riskmodel"
SAMPLE = 5


def brand_for(user: User, brand_id: int) -> tuple[list[Brand], Brand]:
    """Find the brands that a person reaches as a whole, and the one that is shown. Raises: Http404."""
    brands = list(brands_to_set_up(user).order_by("name"))
    brand = next((row for row in brands if row.pk == brand_id), None)
    if brand is None:
        raise Http404
    return brands, brand


@staff_page(SEES)
def risk_models(request: UserRequest) -> HttpResponseBase:
    """Lead to the model of one's own brand, else of the first one that the person reaches as a whole."""
    brands = list(brands_to_set_up(request.user).order_by("name"))
    if not brands:
        return render(request, "compliance/risk_rating/model.html", {"brands": brands})
    own = next((brand for brand in brands if brand.pk == request.user.brand_id), brands[0])
    return redirect("compliance:risk_model", brand_id=own.pk)


@staff_page(SEES)
def risk_model(request: UserRequest, brand_id: int) -> HttpResponse:
    """Show what rates a brand's clients today, how many are in each band, what is planned or waits, and the versions."""
    brands, brand = brand_for(request.user, brand_id)
    day = today(brand)
    version, history = versions.version_on(brand, day), list(versions.history_of(brand))
    content = versions.content_on(brand, day)
    waiting = approvals.kind_of(RiskModelProposal).awaiting(
        RiskModelProposal.objects.filter(brand=brand).select_related("requested_by", "brand")
    )
    proposal = waiting.first()
    may_change = bool(can_change(request.user, brand.pk))
    context = {
        "brands": brands,
        "brand_shown": brand,
        "content": content,
        "unusable": [factor for factor in content.factors if not factor.is_usable],
        "version": version if version is not None and not _is_outdated(version, content) else None,
        "planned": [row for row in history if row.effective_on > day],
        "bands": _bands(brand),
        "running": _running(brand),
        "proposal": proposal_of(proposal, request.user) if proposal is not None else None,
        "history": _with_changes(history),
        "may_change": may_change,
        "draft": drafts.edited(brand)[1] if may_change else None,
    }
    return render(request, "compliance/risk_rating/model.html", context)


def _is_outdated(version: RiskModel, content: Content) -> bool:
    """Whether a release has changed the shipped model since this version was written down."""
    return version.is_shipped and version.content != content.body()


def _bands(brand: Brand) -> list[tuple[RiskRating, int]]:
    """Count the rated clients of each band."""
    rows = Client.objects.filter(brand=brand, risk_rating__in=RANKS).order_by().values_list("risk_rating")
    counts = dict(rows.annotate(count=Count("pk")))
    return [(rank, counts.get(rank, 0)) for rank in reversed(RANKS)]


def _running(brand: Brand) -> int | None:
    """Return how many clients were rated again so far, where the brand's clients are being rated; None where they aren't."""
    due = DueRow.objects.filter(kind=RATE_AGAIN.code, brand=brand, state="pending", at__lte=timezone.now()).first()
    return None if due is None else due.payload.get("clients", 0)


def _with_changes(history: list[RiskModel]) -> list[tuple[RiskModel, list[Any]]]:
    """Pair each version with what it changed in the one before."""
    shown = []
    for place, row in enumerate(history):
        before = Content.read(history[place + 1].content) if place + 1 < len(history) else None
        shown.append((row, list(changes.differences(before, Content.read(row.content))) if before else []))
    return shown


@staff_page(SEES)
def risk_version(request: UserRequest, brand_id: int, number: int) -> HttpResponse:
    """Show one version as it was, for whoever reads a rating made by it."""
    _brands, brand = brand_for(request.user, brand_id)
    version = get_object_or_404(RiskModel.objects.select_related("set_by", "approved_by"), brand=brand, number=number)
    context = {"brand_shown": brand, "version": version, "content": Content.read(version.content)}
    return render(request, "compliance/risk_rating/version.html", context)


# ── the draft ────────────────────────────────────────────────────────────────────────────────────────────────────────


@staff_page(RIGHT)
def risk_draft(request: UserRequest, brand_id: int) -> HttpResponse:
    """Show the draft with what is wrong in it; first see whom it would move, then propose it."""
    _brands, brand = brand_for(request.user, brand_id)
    content, draft = drafts.edited(brand)
    form = ProposeForm(request.POST if "propose" in request.POST else None, brand=brand)
    wrong = list(problems(content, brand.pk))
    shown: Preview | None = None
    if "propose" in request.POST and form.is_valid():
        done = run_action(
            request,
            lambda: changes.propose_model(
                brand_id=brand.pk, effective_on=form.day, actor=request.user, reason=form.cleaned_data["reason"]
            ),
            _("Risk model proposed. Another person must approve it."),
            form=form,
        )
        if done:
            return redirect("compliance:risk_model", brand_id=brand.pk)
    elif "preview" in request.POST:
        shown = preview(brand, content, timezone.now())
    context = {
        "brand_shown": brand,
        "content": content,
        "draft": draft,
        "problems": wrong,
        "differences": list(changes.differences(versions.content_on(brand, today(brand)), content)),
        "form": form,
        "preview": shown,
        "moves": _named(request.user, shown) if shown is not None else [],
        "may_add": len(content.factors) < FACTORS_MAX,
        "is_draft": True,
        "is_waiting": approvals.kind_of(RiskModelProposal)
        .awaiting(RiskModelProposal.objects.filter(brand=brand))
        .exists(),
    }
    return render(request, "compliance/risk_rating/draft.html", context, status=422 if form.errors else 200)


def _named(user: User, shown: Preview) -> list[tuple[Any, list[Client]]]:
    """Pair each move with those of its newest clients whom the person may see. One query."""
    ids = [pk for move in shown.changes for pk in move.sample]
    seen = clients_visible_to(user).filter(pk__in=ids).only("id", "first_name", "last_name", "email").in_bulk()
    access_log.note(user=user, kind=AccessKind.SEARCH, target="risk model preview", rows=len(seen))
    return [(move, [seen[pk] for pk in move.sample if pk in seen]) for move in shown.changes]


@staff_page(RIGHT)
def risk_factor(request: UserRequest, brand_id: int, code: str) -> HttpResponse:
    """Add a factor to the draft, or change one."""
    _brands, brand = brand_for(request.user, brand_id)
    content, draft = drafts.edited(brand)
    factor = content.factor(code)
    if factor is None and code != "new":
        raise Http404
    form = FactorForm(request.POST or None, brand=brand, factor=factor)
    if request.method == "POST" and form.is_valid():
        changed = drafts.with_factor(content, form.entered)
        if _save(request, brand, changed, form):
            return redirect("compliance:risk_draft", brand_id=brand.pk)
    context = {"form": form, "brand_shown": brand, "factor": factor, "revision": draft.revision if draft else 0}
    return render(request, "compliance/risk_rating/factor.html", context, status=422 if form.errors else 200)


@staff_page(RIGHT)
def risk_bands(request: UserRequest, brand_id: int) -> HttpResponse:
    """Change from how many points on a client is a medium or high risk, and the caps of groups."""
    _brands, brand = brand_for(request.user, brand_id)
    content, draft = drafts.edited(brand)
    form = BandsForm(request.POST or None, content=content)
    if request.method == "POST" and form.is_valid():
        entered = form.cleaned_data
        changed = replace(content, medium_from=entered["medium_from"], high_from=entered["high_from"], caps=form.caps)
        if _save(request, brand, changed, form):
            return redirect("compliance:risk_draft", brand_id=brand.pk)
    context = {"form": form, "brand_shown": brand, "revision": draft.revision if draft else 0}
    return render(request, "compliance/risk_rating/bands.html", context, status=422 if form.errors else 200)


@staff_page(RIGHT)
@require_POST
def risk_factor_remove(request: UserRequest, brand_id: int, code: str) -> HttpResponse:
    """Take a factor out of the draft."""
    _brands, brand = brand_for(request.user, brand_id)
    content, _draft = drafts.edited(brand)
    _save(request, brand, drafts.without_factor(content, code))
    return redirect("compliance:risk_draft", brand_id=brand.pk)


@staff_page(RIGHT)
@require_POST
def risk_discard(request: UserRequest, brand_id: int) -> HttpResponse:
    """Delete the draft."""
    _brands, brand = brand_for(request.user, brand_id)
    run_action(request, lambda: drafts.discard_draft(brand_id=brand.pk, actor=request.user), _("Draft discarded."))
    return redirect("compliance:risk_model", brand_id=brand.pk)


def _save(request: UserRequest, brand: Brand, content: Content, form: Any = None) -> bool:
    revision = request.POST.get("revision", "")
    return bool(
        run_action(
            request,
            lambda: drafts.save_draft(
                brand_id=brand.pk,
                content=content,
                revision=int(revision) if revision.isascii() and revision.isdigit() and len(revision) < 10 else -1,
                actor=request.user,
            ),
            _("Draft saved."),
            form=form,
        )
    )


@require_POST
@staff_page(RIGHT)
def risk_condition(request: UserRequest) -> HttpResponse:
    """Try a factor's condition out on the clients of one's brand: how many meet it, and the newest of them."""
    brands = list(brands_to_set_up(request.user).order_by("name"))
    brand = next((row for row in brands if row.pk == request.user.brand_id), brands[0] if brands else None)

    def dry_run(condition: Condition) -> conditions.Preview:
        if brand is None:
            raise DomainError(_("You need access to a whole brand."))
        now = timezone.now()
        met = risk_subjects(brand, now.date()).filter(condition.q(now)).order_by()
        seen = clients_visible_to(request.user).filter(pk__in=met.values("pk"))
        newest = list(seen.order_by("-id").only("id", "first_name", "last_name")[:SAMPLE])
        access_log.note(
            user=request.user,
            kind=AccessKind.SEARCH,
            target="condition",
            rows=len(newest),
            reason=condition.sentence()[:200],
        )
        sample = [(client.full_name or f"#{client.pk}", client.get_absolute_url()) for client in newest]
        return conditions.Preview(condition.sentence(), met.count(), sample)

    vocabulary = risk_fields_for(brand.pk if brand is not None else 0)
    return conditions.preview(request, vocabulary, dry_run)


# ── one client ───────────────────────────────────────────────────────────────────────────────────────────────────────


@staff_page(overrides.RIGHT)
def risk_override(request: UserRequest, client_id: int) -> HttpResponse:
    """Propose a client's own rating, or that the model's counts again."""
    client = get_client(request.user, client_id)
    current = overrides.override_of(client)
    form = OverrideForm(request.POST or None, can_end=current is not None)
    if request.method == "POST" and form.is_valid():
        entered = form.cleaned_data
        done = run_action(
            request,
            lambda: overrides.propose_override(
                client_id=client.pk,
                rating=entered["rating"],
                ends_on=entered["ends_on"],
                actor=request.user,
                reason=entered["reason"],
            ),
            _("Rating proposed. Another person must approve it."),
            form=form,
        )
        if done:
            return redirect("compliance:client", client.pk)
    history = RiskAssessment.objects.filter(client=client).select_related("model").order_by("-pk")[:20]
    context = {"client": client, "form": form, "current": current, "history": list(history)}
    return render(request, "compliance/risk_rating/override.html", context, status=422 if form.errors else 200)
