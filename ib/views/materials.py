"""Banners: the staff's pages, the partner's page with the embed code, and the picture itself."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.db.models import Sum
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from crm.ui.actions import run_action
from crm.ui.tables import Table
from crm.ui.views import TableView, staff_page
from crm.web.requests import UserRequest
from crm.web.uploads import takes_files
from ib.choices import PartnerRight, PartnerState
from ib.materials import banners
from ib.materials.forms import FILE_BYTES_MAX, BannerForm
from ib.materials.tables import BannerTable
from ib.models import Material, Partner, ReferralLink
from ib.partner_pages.downloads import csv_file
from ib.policies import can_manage_partners
from ib.views.guards import partner_page

SHOWN = 60
DAYS = 30


class BannerList(TableView):
    table = BannerTable
    template_name = "ib/materials.html"

    def get_context(self, table: Table) -> dict[str, Any]:
        return {"may_add": self.request.user.has_perm("ib.manage_partners")}


@takes_files(files=1, file_bytes_max=FILE_BYTES_MAX)
@staff_page("ib.manage_partners")
def new_banner(request: UserRequest) -> HttpResponseBase:
    """Upload a banner for a brand's partners."""
    form = BannerForm(request.POST or None, request.FILES or None, user=request.user)

    def add() -> Material:
        data = form.cleaned_data
        return banners.add_banner(
            brand_id=data["brand"].pk,
            name=data["name"],
            alt=data["alt"],
            language=data["language"],
            page=data["page"],
            picture=data["file"],
            actor=request.user,
        )

    if run_action(request, add, _("Banner added."), form=form, show_forbidden=True):
        return redirect("ib_materials")
    context = {"form": form, "limit": FILE_BYTES_MAX}
    return render(request, "ib/material_form.html", context, status=422 if form.errors else 200)


@staff_page("ib.view_partner")
def banner_page(request: UserRequest, banner_id: int) -> HttpResponse:
    """Show a banner with what it brought."""
    banner = _visible(request, banner_id)
    totals = banner.days.filter(day__gte=_since()).aggregate(views=Sum("views"), clicks=Sum("clicks"))
    context = {
        "banner": banner,
        "totals": {name: value or 0 for name, value in totals.items()},
        "language": dict(settings.LANGUAGES).get(banner.language, ""),
        "may_manage": bool(can_manage_partners(request.user, banner.brand_id)),
        "days": DAYS,
    }
    return render(request, "ib/material.html", context)


@staff_page("ib.manage_partners")
@require_POST
def switch(request: UserRequest, banner_id: int) -> HttpResponse:
    """Withdraw a banner, or offer it again."""
    banner = _visible(request, banner_id)
    run_action(
        request,
        lambda: banners.switch_banner(banner_id=banner.pk, is_active=not banner.is_active, actor=request.user),
        _("Saved."),
        show_forbidden=True,
    )
    return redirect("ib_material", banner.pk)


@staff_page("ib.view_partner")
def picture(request: UserRequest, banner_id: int) -> HttpResponse:
    """Show staff the picture without counting a view."""
    return _drawn(_visible(request, banner_id), "about:blank")


def _visible(request: UserRequest, banner_id: int) -> Material:
    banner = banners.banners_visible_to(request.user).select_related("brand").filter(pk=banner_id).first()
    if banner is None:
        raise Http404
    return banner


@partner_page(PartnerRight.SEE_LINKS)
def own_banners(request: UserRequest, partner: Partner) -> HttpResponseBase:
    """Show the brand's banners with the embed code of the chosen link, and what each brought in 30 days."""
    links = list(partner.referral_links.filter(is_active=True).order_by("pk")[:SHOWN])
    for link in links:
        link.partner = partner
    chosen = next((link for link in links if str(link.pk) == request.GET.get("link")), links[0] if links else None)
    language = request.GET.get("lang", "")
    language = language if language in dict(settings.LANGUAGES) else ""
    counted = banners.figures(partner, _since())
    offered = [
        (banner, counted.get(banner.pk, {"views": 0, "clicks": 0}))
        for banner in banners.banners_for(partner, language=language)[:SHOWN]
    ]
    if request.GET.get("export") == "csv":
        head = [_("Banner"), _("Size"), _("Views"), _("Clicks")]
        lines = [[banner.name, banner.size, found["views"], found["clicks"]] for banner, found in offered]
        return csv_file([head, *lines], f"banners-{_since()}-{timezone.localdate()}")
    context = {
        "partner": partner,
        "links": links,
        "chosen": chosen,
        "language": language,
        "languages": settings.LANGUAGES,
        "days": DAYS,
        "rows": [
            {"banner": banner, "code": banners.embed_code(banner, chosen, request) if chosen else "", **found}
            for banner, found in offered
        ],
    }
    return render(request, "partners/materials.html", context)


@partner_page(PartnerRight.SEE_LINKS)
def own_picture(request: HttpRequest, partner: Partner, banner_id: int) -> HttpResponseBase:
    """Show a partner the picture without counting a view."""
    banner = Material.objects.filter(pk=banner_id, brand_id=partner.brand_id, is_active=True).first()
    if banner is None:
        raise Http404
    return _drawn(banner, "about:blank")


@require_GET
def embedded(request: HttpRequest, code: str, banner_id: int) -> HttpResponse:
    """Serve the picture to whoever's page embeds it, and count the view while the link is active.

    Browsers ask again each time, so that each view counts; what they have already isn't sent again.
    """
    link = ReferralLink.objects.select_related("partner").filter(code=code.lower()).first()
    banner = Material.objects.filter(pk=banner_id).defer("content").first() if link else None
    if link is None or banner is None or banner.brand_id != link.partner.brand_id:
        raise Http404
    if (
        banner.is_page and request.headers.get("sec-fetch-dest") == "document"
    ):  # by itself it would pass for a page of ours
        return redirect(banners.target_of(banner, link, request))
    if link.is_active and link.partner.state == PartnerState.ACTIVE:
        banners.count(banner.pk, link, views=1)
    if request.headers.get("if-none-match") == f'"{banner.sha256}"':
        response = HttpResponse(status=304)
    else:
        response = _drawn(banner, banners.target_of(banner, link, request), ancestors="*")
    response["ETag"] = f'"{banner.sha256}"'
    response["Cache-Control"] = "no-cache"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _drawn(banner: Material, target: str, *, ancestors: str = "'self'") -> HttpResponse:
    """Answer with the picture, or with the page and where its clicks lead, for a frame on pages of `ancestors`."""
    content = banners.page_of(banner, target) if banner.is_page else bytes(banner.content)
    response = HttpResponse(content, content_type=banner.content_type)
    response["Content-Security-Policy"] = (
        f"{banners.POLICY}{ancestors}" if banner.is_page else "default-src 'none'; sandbox"
    )
    response.xframe_options_exempt = banner.is_page
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _since() -> dt.date:
    return timezone.now().date() - dt.timedelta(days=DAYS - 1)
