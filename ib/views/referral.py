"""`/r/<code>/`: what a partner shares."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from crm.ui.actions import run_action
from crm.web.middleware import client_ip
from ib import links
from ib.choices import PartnerState
from ib.forms import ApplicationForm
from ib.models import ReferralLink
from ib.partner_pages import applications, sharing
from leads import guard

# Programs that look at a link before a person does.
BOTS = ("bot", "crawler", "spider", "preview", "facebookexternalhit", "slurp")


@never_cache
def follow(request: HttpRequest, code: str) -> HttpResponse:
    """Count the click and lead on to registration, or the landing page that was shared, with the code and tags in the address.

    The page there remembers them. A language that was shared is set for the visitor.

    An unknown code leads to the entrance without a word: the visitor did nothing wrong.
    """
    link = ReferralLink.objects.select_related("partner__brand").filter(code=code.lower()).first()
    if link is None:
        return redirect("entrance")
    agent = request.headers.get("user-agent", "").lower()
    if request.method == "GET" and not any(word in agent for word in BOTS):
        links.count(link, clicks=1)
    is_good = link.is_active and link.partner.state == PartnerState.ACTIVE
    target = sharing.target_of({name: value for name, value in request.GET.items() if isinstance(value, str)})
    response = redirect(sharing.destination(link, target, with_code=is_good))
    if sharing.is_language(target.language):
        response.set_cookie(settings.LANGUAGE_COOKIE_NAME, target.language, samesite="Lax", secure=request.is_secure())
    return response


@never_cache
def join(request: HttpRequest, code: str) -> HttpResponse:
    """Show and take the application of somebody whom a partner invited to work below them.

    Whether an address is known already is nobody's business: the answer is the same.
    """
    link = applications.link_of_inviter(code)
    if link is None:
        return redirect("entrance")
    brand = link.partner.brand
    request.brand = brand  # type: ignore[attr-defined]
    form = ApplicationForm(request.POST or None)
    is_done = False
    if request.method == "POST":
        stamp = guard.read_stamp(request.POST.get("stamp", ""))
        is_robot = bool(request.POST.get(guard.HONEYPOT)) or stamp.why == "forged"
        if not is_robot and not stamp.is_good:
            form.add_error(None, _("Please check your entries and submit the form again."))
        elif not is_robot and not guard.may_submit(brand.pk, client_ip(request)):
            form.add_error(
                None, _("Too many enquiries from your connection. Please try again in ten minutes or contact us.")
            )
        elif form.is_valid():
            is_done = is_robot or bool(run_action(request, lambda: _apply(code, form), form=form))
    context = {
        "brand": brand,
        "inviter": link.partner,
        "form": form,
        "is_done": is_done,
        "stamp": guard.new_stamp(),
        "honeypot": guard.HONEYPOT,
    }
    return render(request, "partners/join.html", context, status=422 if form.errors else 200)


def _apply(code: str, form: ApplicationForm) -> None:
    applications.apply_below(code=code, name=form.cleaned_data["name"], email=form.cleaned_data["email"])
