"""The form of news for partners."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.conf import settings
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.i18n.languages import base_of
from crm.models import Brand, User
from crm.money.numbers import is_whole
from crm.ui.forms import DayInput, ModelChoiceField
from ib.materials.banners import brands_of
from ib.models import Partner
from ib.news.publishing import BODY_CHARS, CHOSEN_MAX, SHOWN_DAYS, TITLE_CHARS, Audience, Texts
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

    notifies = forms.BooleanField(
        required=False,
        label=_("Notify them, too"),
        help_text=_("In the bell and by e-mail from the first day on, as each of their logins has set it."),
    )
    chosen = forms.CharField(required=False, max_length=20 * CHOSEN_MAX, widget=forms.HiddenInput())

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.groups = self._groups()
        if self.groups:
            self.initial.setdefault("brand", self.groups[0][0])
            del self.fields["partner"]
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

    def _groups(self) -> list[tuple[int, str, int]]:
        """Count the chosen partners by brand, the most first: the brand's number and name, and how many."""
        ids = self._ids(str(self.data.get("chosen") or self.initial.get("chosen") or ""))
        rows = partners_visible_to(self.user).filter(pk__in=ids).order_by()
        counts = rows.values_list("brand_id", "brand__name").annotate(n=Count("pk"))
        return sorted(counts, key=lambda row: (-row[2], row[1]))

    @staticmethod
    def _ids(text: str) -> list[int]:
        return [int(pk) for pk in text[: 20 * CHOSEN_MAX].split(",") if is_whole(pk)][:CHOSEN_MAX]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        cleaned["to"] = None
        if self.groups:
            mine = partners_visible_to(self.user).filter(brand=cleaned.get("brand"))
            ids = mine.filter(pk__in=self._ids(cleaned.get("chosen", ""))).order_by("pk").values_list("pk", flat=True)
            cleaned["ids"] = list(ids)
            if cleaned.get("brand") and not cleaned["ids"]:
                self.add_error("brand", _("None of the chosen partners is of this brand."))
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
    def audience(self) -> Audience:
        """Return whom the news are for; of chosen partners those of the brand."""
        if self.groups:
            return Audience(chosen=self.cleaned_data["ids"])
        partner: Partner | None = self.cleaned_data["to"]
        return Audience(partner.pk if partner else None)
