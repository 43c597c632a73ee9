"""Forms of an application: a stranger's, a client's, and the staff's proposal to approve it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from clients.countries import country_choices
from crm.models import User
from crm.texts.wording import Wording
from ib import plans
from ib.applications.applying import Accepted, Answers
from ib.choices import ApplicantKind, ExpectedClients
from ib.forms import CURRENCIES
from ib.models import Partner, Plan, SubPartnerOffer
from ib.models.plans import RATIO_MOST
from ib.queries import plans_visible_to

EMAIL_MAX = 110  # it is part of the user name


class AgreementForm(forms.Form):
    """What every applicant answers, and the agreement in the very words that they read."""

    kind = forms.ChoiceField(label=_("You are"), choices=ApplicantKind.choices)
    country = forms.ChoiceField(label=_("Country"))
    homepage = forms.URLField(label=_("Website or channel"), max_length=200, required=False, assume_scheme="https")
    channels = forms.CharField(
        label=_("How will you refer clients?"),
        max_length=500,
        widget=forms.Textarea({"rows": 3}),
        help_text=_("For example seminars, a website, social media, or an existing client base."),
    )
    clients_per_month = forms.ChoiceField(label=_("Expected new clients per month"), choices=ExpectedClients.choices)
    licence = forms.CharField(
        label=_("Licence"), max_length=120, required=False, help_text=_("Authority and number, if you are regulated.")
    )
    currency = forms.ChoiceField(choices=CURRENCIES, label=pgettext_lazy("currency", "Payout currency"))
    sha256 = forms.CharField(widget=forms.HiddenInput, max_length=64, required=False)
    agrees = forms.BooleanField()

    def __init__(self, *args: Any, wording: Wording, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wording = wording
        self.fields["country"].choices = country_choices(blank=gettext("Choose"))  # type: ignore[attr-defined]
        self.fields["agrees"].label = wording.heading
        self.initial.setdefault("sha256", wording.sha256)
        if currency in dict(CURRENCIES):
            self.initial.setdefault("currency", currency)

    def answers(self) -> Answers:
        data = self.cleaned_data
        return Answers(
            kind=data["kind"],
            country=data["country"],
            channels=data["channels"],
            clients_per_month=data["clients_per_month"],
            website=data["homepage"],
            licence=data["licence"],
        )

    def accepted(self) -> Accepted:
        return Accepted(language=self.wording.language, sha256=self.cleaned_data["sha256"])


class ApplicationForm(AgreementForm):
    """A stranger's application."""

    field_order = ("kind", "name", "email")
    name = forms.CharField(max_length=120, label=_("Name or company"))
    email = forms.EmailField(label=_("E-mail"), max_length=EMAIL_MAX)


class ApproveForm(forms.Form):
    """The plan on which an applicant becomes active."""

    plan = forms.ModelChoiceField(Plan.objects.none(), label=_("Plan"), empty_label=None)
    percent = forms.DecimalField(
        label=_("Of the plan's rates"),
        max_digits=5,
        decimal_places=2,
        min_value=Decimal("0.01"),
        max_value=RATIO_MOST,
        initial=plans.WHOLE,
        help_text=_("In per cent"),
    )
    reason = forms.CharField(max_length=300, label=_("Reason"))

    def __init__(self, *args: Any, partner: Partner, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer = SubPartnerOffer.objects.filter(applications__partner=partner).first()
        if offer is not None:
            self.initial.update(plan=offer.plan_id, percent=offer.percent)
        choices = plans_visible_to(user).filter(brand_id=partner.brand_id, versions__state="active").distinct()
        self.fields["plan"].queryset = choices  # type: ignore[attr-defined]
