"""Forms that sales uses."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.choices import SalesStatus
from clients.countries import country_choices
from clients.custom_fields.forms import HasCustomFields
from clients.custom_fields.registry import seen_by
from crm.models import Brand, User
from crm.money.numbers import is_whole
from crm.security.scope import reach_of
from leads.choices import Experience
from leads.declared.declaration import INTENDED_MAX
from leads.models import Campaign


class StatusForm(forms.Form):
    # Every status: the verb refuses those that aren't chosen, and says why.
    to = forms.ChoiceField(
        choices=SalesStatus.choices,
        error_messages={
            "required": gettext_lazy("Choose a status."),
            "invalid_choice": gettext_lazy("Choose a status."),
        },
    )
    reason = forms.CharField(max_length=300, required=False)


REFILL = {
    "hx-post": "",
    "hx-trigger": "change",
    "hx-target": "#k-fill",
    "hx-swap": "innerHTML",
    "hx-vals": '{"refill": "1"}',
}


class LeadForm(HasCustomFields):
    """A lead entered by hand: someone who called in, or was met."""

    brand = forms.ModelChoiceField(label=gettext_lazy("Brand"), queryset=Brand.objects.none())
    first_name = forms.CharField(label=gettext_lazy("First name"), max_length=80)
    last_name = forms.CharField(label=gettext_lazy("Last name"), max_length=80, required=False)
    email = forms.EmailField(label=gettext_lazy("E-mail"), required=False)
    country = forms.ChoiceField(label=gettext_lazy("Country"), required=False)
    phone = forms.CharField(label=gettext_lazy("Phone"), max_length=40, required=False)
    language = forms.ChoiceField(label=gettext_lazy("Language"), required=False)
    campaign = forms.ModelChoiceField(label=gettext_lazy("Campaign"), queryset=Campaign.objects.none(), required=False)
    source = forms.CharField(label=gettext_lazy("Source"), max_length=60, required=False)
    experience = forms.ChoiceField(label=gettext_lazy("Trading experience"), required=False)
    intended_deposit = forms.DecimalField(
        label=gettext_lazy("Intended deposit"),
        required=False,
        min_value=0,
        max_value=INTENDED_MAX,
        help_text=gettext_lazy("In the brand's base currency"),
    )
    message = forms.CharField(
        label=gettext_lazy("Enquiry"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    keep = forms.BooleanField(label=gettext_lazy("Keep this lead in my book"), required=False, initial=True)

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        brands = Brand.objects.filter(pk__in=reach_of(actor).brands, archived_at=None)
        fields: Any = self.fields
        fields["brand"].queryset = brands
        fields["brand"].initial = actor.brand_id
        fields["campaign"].queryset = Campaign.objects.filter(brand__in=brands, is_active=True)
        fields["country"].choices = country_choices(blank=_("Unknown"))
        fields["experience"].choices = [("", "–"), *Experience.choices]
        languages = sorted(
            {code for brand in brands for code in brand.languages} | {code for code, _n in settings.LANGUAGES}
        )
        fields["language"].choices = [("", "–"), *((code, code.upper()) for code in languages)]
        if not reach_of(actor).own_books:
            del fields["keep"]
        if len(brands) > 1:  # each has custom fields of its own
            fields["brand"].widget.attrs.update(REFILL)
        self.add_custom(seen_by(actor).filter(brand_id=self._brand_id(actor), for_leads=True))

    def _brand_id(self, actor: User) -> int:
        """Return the brand whose custom fields are shown: the chosen one, else the person's own; 0 for none."""
        chosen = str((self.data if self.is_bound else self.initial).get("brand", ""))
        return int(chosen) if is_whole(chosen) and len(chosen) < 18 else actor.brand_id or 0

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        data.setdefault("keep", False)
        return data
