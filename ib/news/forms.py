"""The form of news for partners."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.i18n.languages import base_of
from crm.models import Brand, User
from crm.ui.forms import DayInput, ModelChoiceField
from ib.materials.banners import brands_of
from ib.models import Partner
from ib.news.publishing import BODY_CHARS, SHOWN_DAYS, TITLE_CHARS, Texts
from ib.queries import partners_visible_to

# One text per language, whatever its regions.
LANGUAGES = {base_of(code): name.split(" (")[0] for code, name in settings.LANGUAGES}


class NewsForm(forms.Form):
    """A text in the brand's languages, for whom, and from when to when."""

    brand = ModelChoiceField(Brand.objects.none(), label=_("Brand"), empty_label=None)
    partner = forms.SlugField(
        required=False,
        label=_("Partner code"),
        help_text=_("Only this partner and everyone below. Leave empty for all partners of the brand."),
    )
    starts_on = forms.DateField(label=_("From"), widget=DayInput())
    ends_on = forms.DateField(label=_("To (inclusive)"), widget=DayInput())

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.fields["brand"].queryset = brands_of(user)  # type: ignore[attr-defined]
        today = timezone.localdate()
        self.initial.update(starts_on=today, ends_on=today + dt.timedelta(days=SHOWN_DAYS))
        for code, name in LANGUAGES.items():
            self.fields[f"headline_{code}"] = forms.CharField(
                required=False, max_length=TITLE_CHARS, label=gettext("Title (%(language)s)") % {"language": name}
            )
            self.fields[f"message_{code}"] = forms.CharField(
                required=False,
                max_length=BODY_CHARS,
                label=gettext("Text (%(language)s)") % {"language": name},
                widget=forms.Textarea(attrs={"rows": 4}),
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        cleaned["to"] = None
        if code := cleaned.get("partner"):
            found = partners_visible_to(self.user).filter(code=code, brand=cleaned.get("brand"))
            cleaned["to"] = found.only("pk").first()
            if cleaned["to"] is None:
                self.add_error("partner", _("There's no partner with this code at the brand."))
        return cleaned

    @property
    def by_language(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        """Return the fields of title and text of each language, for the page."""
        return [(self[f"headline_{code}"], self[f"message_{code}"]) for code in LANGUAGES]

    @property
    def texts(self) -> Texts:
        """Return what was written, by language."""
        data = self.cleaned_data
        return {code: (data.get(f"headline_{code}", ""), data.get(f"message_{code}", "")) for code in LANGUAGES}

    @property
    def partner_id(self) -> int | None:
        partner: Partner | None = self.cleaned_data["to"]
        return partner.pk if partner else None
