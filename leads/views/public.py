"""What strangers see: landing pages with their form, and the link to register."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from clients.custom_fields.arrivals import lead_fields
from crm.errors import DomainError, outcome_of
from crm.i18n.languages import base_of, variant_of
from crm.models import Brand
from crm.ui.actions import run_action
from crm.web.middleware import client_ip
from leads import attribution, guard, invitations, places
from leads.attribution import Origin
from leads.capture import Capture, capture_enquiry
from leads.choices import Channel
from leads.models import LandingPage
from leads.public_forms import EnquiryForm

MOST_POINTS = 4


def find_page(request: HttpRequest, brand_code: str, slug: str) -> LandingPage:
    """Find the published page in the language asked for (`?lang=`), else the reader's, else the brand's, else any; or 404."""
    pages = {
        page.language: page
        for page in LandingPage.objects.select_related("brand", "campaign").filter(
            brand__code=brand_code, brand__archived_at=None, slug=slug, is_published=True
        )
    }
    if not pages:
        raise Http404
    reader = (translation.get_language() or "en")[:2]
    brand = next(iter(pages.values())).brand
    for language in (request.GET.get("lang", ""), reader, base_of(brand.default_language)):
        if language in pages:
            return pages[language]
    return next(iter(pages.values()))


@contextmanager
def speaking_of(request: HttpRequest, page: LandingPage) -> Iterator[None]:
    """Answer in the page's language and the brand's variant of it."""
    language = _variant_for(page)
    with translation.override(language):
        request.LANGUAGE_CODE = language
        yield


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def landing(request: HttpRequest, brand_code: str, slug: str) -> HttpResponse:
    """Show a brand's page for one campaign in one language, and take its enquiry."""
    page = find_page(request, brand_code, slug)
    request.brand = page.brand  # type: ignore[attr-defined]
    with speaking_of(request, page):
        if request.method == "POST":
            after = redirect("landing_thanks", brand_code=page.brand.code, slug=page.slug, language=page.language)
            return enquire(request, page, thanks=after)
        origin = attribution.origin_of(request)
        response = show_form(request, page, first_form(request, page), origin)
        attribution.remember(response, origin, request)
        return response


def first_form(request: HttpRequest, page: LandingPage) -> EnquiryForm:
    """Build the empty form, with the country that the reader's browser speaks of."""
    country = places.guess_country(
        stated="",
        phone_e164="",
        ip=client_ip(request),
        accept_language=request.headers.get("Accept-Language", ""),
        fallback=page.country,
    )
    return _form(page, initial={"country": country})


def _form(page: LandingPage, *args: Any, **kwargs: Any) -> EnquiryForm:
    """Build the page's form with the custom fields that it shows, in the brand's order."""
    shown = set(page.shown_fields)
    custom = [row for row in lead_fields(page.brand_id) if row.pk in shown] if shown else []
    return EnquiryForm(*args, page=page, custom=custom, required=page.required_fields, **kwargs)


def show_form(
    request: HttpRequest,
    page: LandingPage,
    form: EnquiryForm,
    origin: Origin,
    *,
    status: int = 200,
    template: str = "leads/public/landing.html",
) -> HttpResponse:
    """Render a page with its form, which carries a new stamp and where the visitor came from."""
    # Languages of Keelson itself are in the page's menu already.
    offered = [base_of(code) for code, _name in settings.LANGUAGES]
    others = LandingPage.objects.filter(brand=page.brand, slug=page.slug, is_published=True).exclude(
        language__in=offered
    )
    context = {
        "page": page,
        "form": form,
        "points": page.points[:MOST_POINTS],
        "stamp": guard.new_stamp(),
        "origin": attribution.pack(origin),
        "honeypot": guard.HONEYPOT,
        "others": others.exclude(pk=page.pk).order_by("language"),
    }
    return render(request, template, context, status=status)


def enquire(
    request: HttpRequest,
    page: LandingPage,
    *,
    thanks: HttpResponse,
    template: str = "leads/public/landing.html",
    refusal: str = "",
) -> HttpResponse:
    """Take an enquiry and answer with `thanks`, or show the form again with what is wrong; `refusal` takes none."""
    origin = attribution.unpack(request.POST.get("origin", "")) or attribution.origin_of(request)
    stamp = guard.read_stamp(request.POST.get("stamp", ""))
    if request.POST.get(guard.HONEYPOT) or stamp.why == "forged":
        return thanks
    form = _form(page, request.POST)
    if refusal:
        form.add_error(None, refusal)
    elif not stamp.is_good:
        form.add_error(None, _("Please check your entries and submit the form again."))
    elif not guard.may_submit(page.brand_id, client_ip(request)):
        form.add_error(
            None, _("Too many enquiries from your connection. Please try again in ten minutes or contact us.")
        )
    if run_action(
        request, lambda: _take_in(request, page, form, origin, stamp.form_id), form=form, show_forbidden=True
    ):
        return thanks
    return show_form(request, page, form, origin, status=422, template=template)


def _take_in(request: HttpRequest, page: LandingPage, form: EnquiryForm, origin: Origin, form_id: str) -> None:
    custom, data = form.values_by_key(), form.cleaned_data
    fields: dict[str, Any] = {
        "channel": Channel.LANDING_PAGE,
        "first_name": data["first_name"],
        "last_name": data["last_name"],
        "email": data["email"],
        "phone": data["phone"],
        "country": data["country"],
        "language": page.language,
        "message": data["message"],
        "experience": data.get("experience", ""),
        "intended_deposit": data.get("intended_deposit"),
        "custom": {key: value for key, value in custom.items() if value not in (None, "", [])},
        "has_consent": data["offers"],
        "campaign": origin.utm.get("utm_campaign", ""),
        "source": origin.utm.get("utm_source", ""),
        "medium": origin.utm.get("utm_medium", ""),
        "utm": origin.utm,
        "consents": {
            "contact": str(EnquiryForm.base_fields["contact"].label),
            "offers": str(EnquiryForm.base_fields["offers"].label) if data["offers"] else "",
        },
        "click_id": origin.click_id,
        "referral_code": origin.referral_code,
        "sub_id": origin.sub_id,
        "landing_url": origin.page,
        "referrer": origin.referrer,
        "ip": client_ip(request),
        "user_agent": request.headers.get("User-Agent", ""),
        "accept_language": request.headers.get("Accept-Language", ""),
    }
    captured = capture_enquiry(page=page, form_id=form_id, capture=Capture(**fields))
    if captured.refusal:  # stored by then: nothing that arrived is lost
        raise DomainError(captured.refusal)


@require_safe
def thanks(request: HttpRequest, brand_code: str, slug: str, language: str) -> HttpResponse:
    page = (
        LandingPage.objects.select_related("brand")
        .filter(brand__code=brand_code, slug=slug, language=language, is_published=True)
        .first()
    )
    if page is None:
        raise Http404
    request.brand = page.brand  # type: ignore[attr-defined]
    with speaking_of(request, page):
        return render(request, "leads/public/thanks.html", {"page": page})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Lead from a registration letter to the client portal, or to a page that says why the link fails and what to do."""
    if request.method == "POST":
        invitations.ask_for_new(token)
        return render(request, "leads/public/link_renewed.html")
    link = outcome_of(lambda: invitations.look_at(token), only=invitations.LinkUnusable)
    if not link:
        return _link_unusable(request, link.error)
    if request.method == "GET":
        invitations.note_opened(link.result)
    return redirect(f"{_url('portal_register')}?invitation={token}")


def _link_unusable(request: HttpRequest, error: Any) -> HttpResponse:
    """Explain in the language of its lead why an invitation can't be used."""
    brand: Brand | None = error.invitation.client.brand if error.invitation else None
    request.brand = brand  # type: ignore[attr-defined]
    with translation.override(_language_of(error.invitation)):
        # The message was written before the language was known.
        text = invitations.LinkUnusable(error.why).message
        context = {"why": error.why, "text": text, "sign_in": _url("account_login")}
        return render(request, "leads/public/link_unusable.html", context, status=410)


def _language_of(invitation: Any) -> str:
    if not invitation:
        return translation.get_language() or settings.LANGUAGE_CODE
    client = invitation.client
    return variant_of(client.language, client.brand.default_language) or base_of(client.language)


def _variant_for(page: LandingPage) -> str:
    return variant_of(page.language, page.brand.default_language) or page.language


def _url(name: str) -> str:
    """Resolve an address of an app above this one by its name; "/" where that app isn't installed."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return "/"
