"""A partner's links: what each brought in a range of days, the dialog that shares one, and its QR code as a file."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.countries import country_name
from crm.i18n import formats
from crm.ui import qr
from crm.ui.actions import run_action
from crm.ui.views import wants_fragment
from crm.web.requests import UserRequest
from ib.applications import applying
from ib.choices import AttributionMethod, PartnerRight
from ib.forms import LinkForm, ShareForm
from ib.links import create_link, link_url, switch_link
from ib.models import Partner, ReferralLink
from ib.partner_pages import figures as partner_figures
from ib.partner_pages import sharing, sources
from ib.partner_pages.date_ranges import DateRange, date_range
from ib.partner_pages.downloads import csv_file
from ib.partner_pages.figures import LinkFigures
from ib.partner_pages.sources import Source, Sources
from ib.team.rights import has_right
from ib.views.guards import partner_page
from ib.views.portal_home import clients_url, period_switch, rate_of

LINKS_SHOWN = 100
_WITHOUT = {"sub": gettext_lazy("Without a sub-id"), "country": gettext_lazy("Unknown"), "day": ""}


@partner_page(PartnerRight.SEE_LINKS, change=PartnerRight.MANAGE_LINKS)
def links(request: UserRequest, partner: Partner) -> HttpResponseBase:
    """Show what each link brought in a range of days with totals, as a page or CSV, and take new links."""
    form = LinkForm(request.POST or None)
    if run_action(
        request,
        lambda: create_link(
            partner_id=partner.pk,
            campaign=form.cleaned_data["campaign"],
            code=form.cleaned_data["code"],
            actor=request.user,
        ),
        _("Link created."),
        form=form,
        show_forbidden=True,
    ):
        return redirect("partner_links")
    span = date_range(request.GET.get("period", "30"))
    rows = partner_figures.by_link(
        partner, span, list(partner.referral_links.order_by("-is_active", "-id")[:LINKS_SHOWN])
    )
    if request.GET.get("export") == "csv":
        return _as_csv(rows, span, request)
    total = partner_figures.funnel(partner, span)
    context = {
        "partner": partner,
        "form": form,
        "span": span,
        "switch": period_switch(request, span),
        "rows": [
            {
                "row": row,
                "url": link_url(row.link, request),
                "conversion": rate_of(row.registered, row.clicks),
                "clients_url": clients_url(span, link=str(row.link.pk)),
            }
            for row in rows
        ],
        "total": total,
        "total_conversion": rate_of(total.registered, total.clicks),
        "invite_url": applying.invite_url(partner, request) if has_right(PartnerRight.INVITE, request.user) else "",
        "has_inactive": any(not row.link.is_active for row in rows),
    }
    return render(request, "partners/links.html", context, status=422 if form.errors else 200)


def _as_csv(rows: list[LinkFigures], span: DateRange, request: HttpRequest) -> StreamingHttpResponse:
    head = [
        _("Campaign"),
        _("Link"),
        _("Active"),
        _("Clicks"),
        _("Registrations"),
        _("Verified"),
        _("First deposits"),
        _("Active clients"),
    ]
    lines = [
        [
            row.link.campaign or _("Main link"),
            link_url(row.link, request),
            _("Yes") if row.link.is_active else _("No"),
            row.clicks,
            row.registered,
            row.verified,
            row.funded,
            row.active,
        ]
        for row in rows
    ]
    return csv_file([head, *lines], f"links-{span.first}-{span.last}")


@partner_page(PartnerRight.SEE_LINKS)
def sources_page(request: UserRequest, partner: Partner) -> HttpResponseBase:
    """Show clicks and clients of a range by sub-id, country, tag or day, of all links or one, as a page or CSV."""
    span = date_range(request.GET.get("period", "30"))
    kind = request.GET.get("by", "")
    kind = kind if kind in sources.KINDS else "sub"
    own = list(partner.referral_links.order_by("-is_active", "-id")[:LINKS_SHOWN])
    link_id = next((link.pk for link in own if str(link.pk) == request.GET.get("link")), 0)
    found = sources.sources(partner, span, kind, link_id=link_id)
    if request.GET.get("export") == "csv":
        return _sources_csv(found, span, kind)
    context = {
        "partner": partner,
        "span": span,
        "switch": period_switch(request, span),
        "kind": kind,
        "kind_label": sources.KINDS[kind],
        "kinds": [
            {"label": label, "url": _with(request, by=code), "is_active": code == kind}
            for code, label in sources.KINDS.items()
        ],
        "csv_url": _with(request, export="csv"),
        "links": own,
        "link_id": link_id,
        "without": _WITHOUT.get(kind, _("No tag")),
        "rows": [
            {
                "row": row,
                "label": _label_of(row, kind),
                "conversion": rate_of(row.registered, row.clicks),
                "url": _clients_of(row, kind, span, link_id),
            }
            for row in found.rows
        ],
        "hidden": found.count - len(found.rows),
        "total": found.total,
        "total_conversion": rate_of(found.total.registered, found.total.clicks),
    }
    return render(request, "partners/sources.html", context)


def _with(request: HttpRequest, **changes: str) -> str:
    query = request.GET.copy()
    query.pop("export", None)
    for name, value in changes.items():
        query[name] = value
    return f"?{query.urlencode()}"


def _label_of(row: Source, kind: str) -> str:
    if row.is_rest and kind == "sub":
        return _("Further sub-ids")
    if kind == "country":
        return country_name(row.key)
    return str(formats.day(dt.date.fromisoformat(row.key))) if kind == "day" else row.key


def _clients_of(row: Source, kind: str, span: DateRange, link_id: int) -> str:
    """Return the list of clients behind a row; none where nobody came, or where the list can't be narrowed to it."""
    filters = {"sub": "sub_id", "country": "country", **{tag: f"utm_{tag}" for tag in sources.TAGS}}
    if not row.registered or not row.key or kind not in filters:
        return ""
    narrowed = {filters[kind]: row.key, "method": str(AttributionMethod.LINK)}
    return clients_url(span, **narrowed, **({"link": str(link_id)} if link_id else {}))


def _sources_csv(found: Sources, span: DateRange, kind: str) -> StreamingHttpResponse:
    head = [str(sources.KINDS[kind]), _("Clicks"), _("Registrations"), _("Verified"), _("First deposits")]
    lines = [[row.key, row.clicks, row.registered, row.verified, row.funded, row.active] for row in found.rows]
    return csv_file([[*head, _("Active clients")], *lines], f"sources-{kind}-{span.first}-{span.last}")


def _own_link(partner: Partner, link_id: int) -> ReferralLink:
    link = ReferralLink.objects.filter(pk=link_id, partner=partner).first()
    if link is None:
        raise Http404
    link.partner = partner
    return link


@partner_page(PartnerRight.MANAGE_LINKS)
def switch(request: UserRequest, partner: Partner, link_id: int) -> HttpResponseBase:
    """Switch one of the partner's links on or off."""
    link = _own_link(partner, link_id)
    if request.method == "POST":
        run_action(request, lambda: switch_link(link_id=link.pk, is_active=not link.is_active, actor=request.user))
    return redirect("partner_links")


@partner_page(PartnerRight.SEE_LINKS)
def share(request: HttpRequest, partner: Partner, link_id: int) -> HttpResponse:
    """Show the address to share with its QR code; page, language and tags in the query change it."""
    link = _own_link(partner, link_id)
    form = ShareForm(request.GET or None, partner=partner)
    target = form.target()
    url = sharing.share_url(link, target, request)
    context: dict[str, Any] = {
        "partner": partner,
        "link": link,
        "form": form,
        "url": url,
        "qr": qr.svg(url, label=_("QR code of the link")),
        "query": request.GET.urlencode(),
        "buttons": sharing.share_buttons(url, partner),
    }
    template = "partners/_share.html" if wants_fragment(request) else "partners/share.html"
    return render(request, template, context)


@partner_page(PartnerRight.SEE_LINKS)
def qr_file(request: HttpRequest, partner: Partner, link_id: int, ending: str) -> HttpResponse:
    """Download the QR code of a shared address as SVG or PNG."""
    link = _own_link(partner, link_id)
    url = sharing.share_url(link, ShareForm(request.GET or None, partner=partner).target(), request)
    if ending == "png":
        response = HttpResponse(qr.png(url), content_type="image/png")
    else:
        response = HttpResponse(str(qr.svg(url, label=url)), content_type="image/svg+xml")
    response["Content-Disposition"] = f'attachment; filename="qr-{link.code}.{ending}"'
    return response
