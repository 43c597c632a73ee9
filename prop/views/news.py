"""Staff page: the economic calendar of a brand, by which the news rule is judged."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from prop.forms import ReleasesForm
from prop.models import NewsRelease
from prop.news.calendar import enter_releases, remove_release

SHOWN = 100


@staff_page("prop.view_programme")
def news(request: UserRequest) -> HttpResponse:
    """List the releases to come and the last ones of the brands in reach, and enter new ones."""
    form = ReleasesForm(request.POST or None, user=request.user)
    if run_action(
        request,
        lambda: enter_releases(actor=request.user, **form.cleaned_data),
        _("Releases entered."),
        form=form,
        show_forbidden=True,
    ):
        return redirect("prop_news")
    brands = form.fields["brand"].queryset  # type: ignore[attr-defined]
    rows = NewsRelease.objects.filter(brand__in=brands, removed_at__isnull=True).select_related("brand")
    now = timezone.now()
    context = {
        "form": form,
        "coming": rows.filter(at__gte=now)[:SHOWN],
        "past": rows.filter(at__lt=now).order_by("-at")[:SHOWN],
        "may_write": request.user.has_perm("prop.write_programme"),
    }
    return render(request, "prop/news.html", context, status=422 if form.errors else 200)


@require_POST
@staff_page("prop.write_programme")
def remove(request: UserRequest, release_id: int) -> HttpResponse:
    """Take a release out of the calendar."""
    run_action(
        request,
        lambda: remove_release(release_id=release_id, actor=request.user),
        _("Release removed."),
        show_forbidden=True,
    )
    return redirect("prop_news")
