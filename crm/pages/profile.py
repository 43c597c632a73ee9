"""A person's own settings: language, format of dates, time zone."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from crm.i18n import formats
from crm.i18n.languages import variant_of
from crm.i18n.time_zones import zones_of_places
from crm.models import User
from crm.ui.forms import ModelForm
from crm.ui.preferences import set_preference
from crm.web.requests import UserRequest


def _zones() -> list[tuple[str, str]]:
    return [("UTC", "UTC"), *[(name, name.replace("_", " ")) for name in zones_of_places()]]


class ProfileForm(ModelForm[User]):
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=settings.LANGUAGES)
    dates = forms.ChoiceField(
        label=gettext_lazy("Date format"),
        required=False,
        choices=[("", gettext_lazy("As in the language")), (formats.ISO, gettext_lazy("ISO 8601: 2026-11-23"))],
    )
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        choices=_zones,
        help_text=gettext_lazy("All times are shown in this time zone."),
    )

    class Meta:
        model = User
        fields = ["language", "time_zone"]

    field_order = ["language", "dates", "time_zone"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["language"] = variant_of(self.instance.language) or settings.LANGUAGE_CODE
        self.initial["dates"] = formats.preferred_dates(self.instance)


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Switch the language by Django's own view (cookie, then back), and for people who signed in also on their account."""
    response = set_language(request)
    code = request.POST.get("language", "")
    if isinstance(request.user, User) and translation.check_for_language(code) and code in dict(settings.LANGUAGES):
        request.user.language = code
        request.user.save(update_fields=["language"])
    return response


@login_required
def profile(request: UserRequest) -> HttpResponse:
    """Let a person choose their language and time zone."""
    form = ProfileForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        section, key = formats.DATES
        set_preference(user=request.user, section=section, key=key, value=form.cleaned_data["dates"])
        response = redirect("profile")
        response.set_cookie(settings.LANGUAGE_COOKIE_NAME, form.cleaned_data["language"], samesite="Lax")
        with translation.override(form.cleaned_data["language"]):
            messages.success(request, _("Saved."))
        return response
    return render(request, "crm/pages/profile.html", {"form": form})
