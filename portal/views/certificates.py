"""Certificates of challenges: the trader's own as PDF with or without the name, and the address at which anybody verifies one."""

from __future__ import annotations

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from clients.models import Client
from crm.models import Brand
from crm.ui.actions import run_action
from portal.brands import brand_page
from portal.guards import client_required
from portal.views.money import me
from prop.certificates.issuing import show_name
from prop.certificates.pdf import order_certificate
from prop.models import Certificate
from prop.queries import certificates_visible_to
from prop.sentences import name_of


class NameForm(forms.Form):
    """Whether strangers read the trader's name."""

    shows_name = forms.BooleanField(required=False)


def own_certificate(request: HttpRequest, client: Client, number: str) -> Certificate:
    """Find one of the client's certificates. Raises: Http404."""
    rows = certificates_visible_to(me(request)).filter(phase_account__challenge__client=client, number=number)
    found = rows.select_related("phase_account__challenge__client__brand").first()
    if found is None:
        raise Http404
    return found


@client_required
@require_POST
def certificate_pdf(request: HttpRequest, client: Client, number: str) -> HttpResponse:
    """Make the certificate's PDF; its page shows how far it is, then the file."""
    certificate, language = own_certificate(request, client, number), request.LANGUAGE_CODE
    done = run_action(request, lambda: order_certificate(certificate=certificate, actor=me(request), language=language))
    challenge_id = certificate.phase_account.challenge_id
    return redirect("job", pk=done.result.pk) if done else redirect("portal_challenge", challenge_id=challenge_id)


@client_required
@require_POST
def certificate_name(request: HttpRequest, client: Client, number: str) -> HttpResponse:
    """Show the name on the certificate, or hide it."""
    certificate, form = own_certificate(request, client, number), NameForm(request.POST)
    if form.is_valid():
        wanted = form.cleaned_data["shows_name"]
        run_action(
            request,
            lambda: show_name(certificate_id=certificate.pk, shows_name=wanted, actor=me(request)),
            _("Your name is shown on this certificate.") if wanted else _("Your name is hidden on this certificate."),
        )
    return redirect("portal_challenge", challenge_id=certificate.phase_account.challenge_id)


@never_cache
@require_safe
@brand_page
def verify(request: HttpRequest, brand: Brand, number: str) -> HttpResponse:
    """Show whoever has a certificate's number that it is real: programme, stage and date, and the name as its trader agreed."""
    rows = Certificate.objects.filter(number=number, phase_account__challenge__brand=brand).select_related(
        "phase_account__phase", "phase_account__challenge__client", "phase_account__challenge__version__programme"
    )
    certificate = rows.first()
    if certificate is None:
        raise Http404
    row = certificate.phase_account
    context = {
        "brand": brand,
        "certificate": certificate,
        "programme": row.challenge.version.programme.name,
        "stage": name_of(row.phase),
        "name": row.challenge.client.full_name if certificate.shows_name else "",
    }
    return render(request, "portal/certificate.html", context)
