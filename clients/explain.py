"""The page that answers "why can this user see this record?": by which grant, which book, which role, and what they may do."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from clients.queries import clients_visible_to
from crm.choices import AccessKind
from crm.models import User
from crm.security import access_log
from crm.security.policies import Decision, has_permission, no
from crm.staff.explain import Explanation, explain
from crm.staff.queries import staff_visible_to
from crm.ui.views import staff_page


class ExplainForm(forms.Form):
    user = forms.EmailField(label=_("Staff member"), help_text=_("The e-mail address they sign in with."))
    client = forms.IntegerField(label=_("Client"), min_value=1, help_text=_("The client number on the client's page."))

    def __init__(self, *args: Any, asking: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asking = asking

    def clean_user(self) -> User:
        user = staff_visible_to(self.asking).filter(username=self.cleaned_data["user"].strip().lower()).first()
        if user is None:
            raise forms.ValidationError(_("No staff member you have access to signs in with this e-mail address."))
        return user

    def clean_client(self) -> Client:
        rows = clients_visible_to(self.asking).select_related("book__brand", "book__desk", "owner")
        client = rows.filter(pk=self.cleaned_data["client"]).first()
        if client is None:
            raise forms.ValidationError(_("No client you have access to has this number."))
        return client


def opens_record(explanation: Explanation) -> Decision:
    """Check whether the person opens the client's page: reach and the right to view clients."""
    if not explanation.reaches:
        return no(explanation.why_not)
    return has_permission(explanation.user, "clients.view_client")


def contact_shown(explanation: Explanation) -> str:
    """Describe how phone and e-mail appear to the person."""
    if explanation.user.has_perm("crm.see_unmasked_contacts"):
        return str(_("Phone and e-mail are shown in full."))
    if explanation.user.has_perm("clients.reveal_contact"):
        return str(_("Phone and e-mail are masked. Each can be revealed, and every reveal is logged."))
    return str(_("Phone and e-mail stay masked."))


@staff_page("crm.explain_access")
def explain_access(request: HttpRequest) -> HttpResponse:
    """Show why a person sees a client or doesn't: `/explain/?user=e-mail&client=7`.

    Who: `crm.explain_access`, about staff and clients they reach themselves.
    """
    assert isinstance(request.user, User)
    form = ExplainForm(request.GET or None, asking=request.user)
    context: dict[str, Any] = {"form": form}
    if request.GET and form.is_valid():
        client, person = form.cleaned_data["client"], form.cleaned_data["user"]
        explanation = explain(person, client.book)
        access_log.note(
            user=request.user,
            kind=AccessKind.VIEW,
            client_id=client.pk,
            brand_id=client.brand_id,
            target=f"explain:user:{person.pk}",
        )
        context |= {
            "client": client,
            "person": person,
            "explanation": explanation,
            "opens": opens_record(explanation),
            "contact": contact_shown(explanation),
        }
    return render(request, "clients/explain.html", context)
