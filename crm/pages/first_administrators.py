"""Where the first two administrators of an empty installation sign up. Everybody after them is invited."""

from __future__ import annotations

from typing import Any

from allauth.core import ratelimit
from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

from crm.errors import outcome_of
from crm.staff import founding


class FirstAdministratorsForm(forms.Form):
    """Two people with a name and an e-mail each."""

    first_name = forms.CharField(label=_("First name"), max_length=150)
    last_name = forms.CharField(label=_("Last name"), max_length=150)
    email = forms.EmailField(label=_("E-mail"), max_length=254)
    second_first_name = forms.CharField(label=_("First name"), max_length=150)
    second_last_name = forms.CharField(label=_("Last name"), max_length=150)
    second_email = forms.EmailField(label=_("E-mail"), max_length=254)

    def person(self, prefix: str = "") -> founding.Person:
        """Return one of the two people of a valid form."""
        return founding.Person(*(self.cleaned_data[f"{prefix}{name}"] for name in ("first_name", "last_name", "email")))


@never_cache
def first_administrators(request: HttpRequest, token: str) -> HttpResponse:
    """Show the form behind the set-up address, create the two and send the first one on to choose a password."""
    limited: HttpResponse | None = ratelimit.consume_or_429(request, action="reset_password_from_key")
    if limited is not None:
        return limited
    allowed = outcome_of(lambda: founding.check_token(token))
    if not allowed:
        context: dict[str, Any] = {"problem": allowed.error, "is_set_up": True, "sign_in": reverse("account_login")}
        return render(request, "account/link_problem.html", context, status=410)
    form = FirstAdministratorsForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = outcome_of(lambda: founding.found(token=token, first=form.person(), second=form.person("second_")))
        if made:
            return redirect("account_accept_invitation", token=made.result)
        form.add_error("second_email", str(made.error))
    return render(request, "account/first_administrators.html", {"form": form, "mail_is_set": settings.EMAIL_IS_CHOSEN})
