"""Forms of partners, plans and periods."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from clients.queries import clients_visible_to
from crm.api.scopes import Scope
from crm.api.tokens import DAYS_MAX, TokenDetails
from crm.i18n import formats
from crm.models import Brand, User
from crm.security.scope import reach_of
from crm.ui.forms import DayInput
from crm.ui.iban import IbanField
from ib.choices import Cycle, NegativeBalance, PayoutSchedule, PayoutTo, TeamRole, VatTreatment
from ib.models import Partner, Plan, SettlementTerms
from ib.partner_pages import sharing
from ib.partner_pages.sharing import Target
from ib.payouts import Destination, Offer
from ib.queries import partners_visible_to, plans_visible_to
from ib.settlements.terms import FIELDS as TERMS_FIELDS
from leads.attribution import SUB_ID_LONGEST

CURRENCIES = [(code, code) for code in ("EUR", "USD", "GBP", "AUD", "CHF", "JPY")]


NAMED_MAX = 500
SEVERAL_MAX = 5


class PartnerNameInput(forms.TextInput):
    """A partner typed by name or code, with the brand's partners offered while typing."""

    template_name = "ib/_partner_input.html"
    offered: list[tuple[str, str]] = []

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, {**(attrs or {}), "list": f"{name}-names", "autocomplete": "off"})
        return {**context, "offered": self.offered}


class PartnerField(forms.CharField):
    """Trees have thousands: a name, part of it, or a code; never a list to scroll."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=120, widget=PartnerNameInput(), **kwargs)


class PartnerSearch(forms.Form):
    """Looks partners up among those the user sees at one brand."""

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def offer_partners(self, brand_id: int | None) -> None:
        rows = partners_visible_to(self.user).filter(brand=brand_id).order_by("name")[:NAMED_MAX]
        self.fields["parent"].widget.offered = list(rows.values_list("code", "name"))

    def partner_of(self, words: str, brand_id: int | None = None) -> Partner | None:
        words = words.strip()
        if not words:
            return None
        seen = partners_visible_to(self.user).filter(brand=brand_id)
        for wanted in (Q(code=words.lower()), Q(name__iexact=words), Q(name__icontains=words)):
            found = list(seen.filter(wanted).order_by("name", "pk")[: SEVERAL_MAX + 1])
            if len(found) == 1:
                return found[0]
            if found:
                raise forms.ValidationError(
                    _("Several partners match “%(words)s”. Enter one of these codes: %(several)s."),
                    params={
                        "words": words,
                        "several": ", ".join(f"{one.name} ({one.code})" for one in found[:SEVERAL_MAX]),
                    },
                )
        raise forms.ValidationError(
            _("No partner named “%(words)s” and no partner with this code at this brand."), params={"words": words}
        )


class PartnerForm(PartnerSearch):
    brand = forms.ModelChoiceField(Brand.objects.none(), label=_("Brand"), empty_label=None)
    name = forms.CharField(max_length=120, label=_("Name or company"))
    email = forms.EmailField(
        label=_("E-mail"), help_text=_("Used to sign in. We'll send an invitation to this address.")
    )
    currency = forms.ChoiceField(choices=CURRENCIES, label=pgettext_lazy("currency", "Payout currency"))
    code = forms.SlugField(max_length=24, required=False, label=_("Code"), help_text=_("Leave empty to generate one"))
    parent = PartnerField(
        required=False, label=_("Upline partner"), help_text=_("Name or code. Leave empty for a partner without upline")
    )
    plan = forms.ModelChoiceField(Plan.objects.none(), required=False, label=_("Plan"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        brand, plan = self.fields["brand"], self.fields["plan"]
        assert isinstance(brand, forms.ModelChoiceField)
        assert isinstance(plan, forms.ModelChoiceField)
        brand.queryset = Brand.objects.filter(pk__in=reach_of(self.user).whole_brands, archived_at=None)
        brand.widget.attrs |= {"hx-get": "", "hx-target": "#of-brand", "hx-select": "#of-brand", "hx-swap": "outerHTML"}
        chosen = self._chosen_brand(brand.queryset)
        plans = plans_visible_to(self.user).filter(versions__state="active").distinct()
        plan.queryset = plans.filter(brand=chosen)
        self.offer_partners(chosen.pk if chosen else None)

    def _chosen_brand(self, brands: QuerySet[Brand]) -> Brand | None:
        """Find the brand that is typed or asked for; else the first one, which the form shows."""
        brand_id = str(self.data.get("brand") or self.initial.get("brand") or "")
        brand = brands.filter(pk=brand_id).first() if brand_id.isdecimal() and len(brand_id) < 10 else None
        return brand or brands.first()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        brand = cleaned.get("brand")
        if brand is not None:
            try:
                cleaned["parent"] = self.partner_of(cleaned.get("parent", ""), brand.pk)
            except forms.ValidationError as error:
                self.add_error("parent", error)
        return cleaned


class MoveForm(PartnerSearch):
    parent = PartnerField(
        required=False,
        label=_("New upline partner"),
        help_text=_("Name or code. Leave empty for a partner without upline"),
    )
    reason = forms.CharField(max_length=200, label=_("Reason"))

    def __init__(self, *args: Any, brand_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.brand_id = brand_id
        self.offer_partners(brand_id)

    def clean_parent(self) -> Partner | None:
        return self.partner_of(self.cleaned_data["parent"], self.brand_id)


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=200, label=_("Reason"))


class LastDayForm(forms.Form):
    """A partner's last day, by the brand's calendar."""

    on = forms.DateField(label=_("Last day"), required=False, widget=DayInput(), help_text=_("Empty: they stay."))
    reason = forms.CharField(max_length=200, label=_("Reason"))


class MissingDealForm(forms.Form):
    """A deal for which a partner expected a commission, by the number that the client's platform shows."""

    number = forms.IntegerField(
        min_value=1,
        max_value=2**63 - 1,
        label=_("Deal number"),
        help_text=_("The number of the closing deal on the platform, without #"),
    )
    reason = forms.CharField(max_length=300, label=_("What did you expect?"), widget=forms.Textarea(attrs={"rows": 3}))


class AnswerForm(forms.Form):
    answer = forms.CharField(max_length=300, label=_("Answer"), help_text=_("The partner reads it."))


class AdjustmentForm(AnswerForm):
    """What a disputed commission is adjusted by; the answer goes out with the second approval."""

    field_order = ("amount", "answer")
    amount = forms.DecimalField(
        max_digits=12, decimal_places=4, label=_("Adjustment"), help_text=_("Negative to take some back.")
    )

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["amount"].label = _("Adjustment in %(currency)s") % {"currency": currency}


class SettlementTermsForm(forms.Form):
    """How a partner is settled; what an invoice needs is checked where one is wanted."""

    cycle = forms.ChoiceField(choices=Cycle.choices, label=_("Settlement cycle"))
    minimum = forms.DecimalField(
        min_value=0,
        max_digits=18,
        decimal_places=2,
        label=_("Minimum payout"),
        help_text=_("Smaller sums are carried forward"),
    )
    hold_days = forms.IntegerField(min_value=0, max_value=365, label=_("Hold after the trade, in days"))
    negative = forms.ChoiceField(choices=NegativeBalance.choices, label=_("Negative balance"))
    approval_above = forms.DecimalField(
        min_value=0,
        max_digits=18,
        decimal_places=2,
        required=False,
        label=_("Second approval of payouts above"),
        help_text=_("Empty: never. Payouts of one day count together."),
    )
    payout_schedule = forms.ChoiceField(
        choices=PayoutSchedule.choices,
        label=_("Payouts"),
        help_text=_("Automatic ones pay the whole balance to where the partner chose, or to their wallet"),
    )
    payout_day = forms.IntegerField(
        min_value=1,
        max_value=28,
        label=_("Day of automatic payouts"),
        help_text=_("Weekly: 1 is Monday, 7 Sunday. Monthly: the day of the month."),
    )
    vat_treatment = forms.ChoiceField(choices=VatTreatment.choices, label=_("Self-billing invoices"))
    vat_rate = forms.DecimalField(
        min_value=0, max_value=99, max_digits=5, decimal_places=2, label=_("VAT rate, included in the commission")
    )
    legal_name = forms.CharField(max_length=160, required=False, label=_("Legal name"))
    address = forms.CharField(max_length=300, required=False, label=_("Address"))
    vat_id = forms.CharField(max_length=20, required=False, label=_("VAT number"))
    reason = forms.CharField(max_length=200, label=_("Reason"))

    def __init__(self, data: Any = None, *, terms: SettlementTerms) -> None:
        initial: dict[str, Any] = {name: getattr(terms, name) for name in TERMS_FIELDS}
        for name in ("minimum", "approval_above", "vat_rate"):
            initial[name] = None if initial[name] is None else Decimal(initial[name]).quantize(Decimal("0.01"))
        super().__init__(data, initial=initial)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("payout_schedule") == PayoutSchedule.WEEKLY and cleaned.get("payout_day", 1) > 7:
            self.add_error("payout_day", _("Enter a weekday from 1 (Monday) to 7 (Sunday)."))
        treatment = cleaned.get("vat_treatment")
        if treatment and treatment != VatTreatment.NONE:
            for name in ("legal_name", "address"):
                if not cleaned.get(name):
                    self.add_error(name, _("An invoice needs this."))
        if treatment in (VatTreatment.REVERSE_CHARGE, VatTreatment.STANDARD) and not cleaned.get("vat_id"):
            self.add_error("vat_id", _("An invoice with VAT or reverse charge needs the partner's VAT number."))
        rate = cleaned.get("vat_rate")
        if rate is not None and (rate > 0) != (treatment == VatTreatment.STANDARD):
            self.add_error("vat_rate", _("Enter a rate where VAT is included, and 0 otherwise."))
        return cleaned

    def values(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in TERMS_FIELDS}


class AttributeForm(forms.Form):
    """A client typed by number becomes this partner's."""

    client = forms.IntegerField(min_value=1, label=_("Client number"))
    reason = forms.CharField(max_length=200, label=_("Reason"))

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_client(self) -> int:
        number: int = self.cleaned_data["client"]
        if not clients_visible_to(self.user).filter(pk=number).exists():
            raise forms.ValidationError(_("No client with this number in your books."))
        return number


class LinkForm(forms.Form):
    campaign = forms.CharField(max_length=80, label=_("Campaign"), help_text=_("A name to recognise it by"))
    code = forms.SlugField(
        required=False,
        min_length=4,
        max_length=24,
        label=_("Code"),
        help_text=_("Clients can also type it when they register. Leave empty for a random one."),
        widget=forms.TextInput(attrs={"placeholder": "anna-fx"}),
    )

    def clean_code(self) -> str:
        return str(self.cleaned_data["code"]).lower()


class ShareForm(forms.Form):
    """Where a shared address leads and how visits through it are tagged. Everything is optional, and wrong input is dropped."""

    page = forms.ChoiceField(required=False, label=_("Page"))
    language = forms.ChoiceField(required=False, label=_("Language"))
    sub_id = forms.CharField(
        required=False,
        max_length=SUB_ID_LONGEST,
        label=_("Sub-id"),
        help_text=_("Your own name for where you place the link. Sources shows what each brought."),
        widget=forms.TextInput(attrs={"placeholder": "video-12"}),
    )
    utm_source = forms.CharField(
        required=False, max_length=60, label=_("Source"), widget=forms.TextInput(attrs={"placeholder": "telegram"})
    )
    utm_medium = forms.CharField(
        required=False,
        max_length=60,
        label=pgettext_lazy("utm", "Medium"),
        widget=forms.TextInput(attrs={"placeholder": "social"}),
    )
    utm_campaign = forms.CharField(
        required=False, max_length=60, label=_("Campaign"), widget=forms.TextInput(attrs={"placeholder": "spring"})
    )

    def __init__(self, *args: Any, partner: Partner, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        page, language = self.fields["page"], self.fields["language"]
        assert isinstance(page, forms.ChoiceField)
        assert isinstance(language, forms.ChoiceField)
        page.choices = [("", _("Registration")), *sharing.pages_of(partner)]
        names = dict(settings.LANGUAGES)
        language.choices = [
            ("", _("The visitor's language")),
            *(
                (code, names.get(code) or formats.locale().languages.get(code, code))
                for code in sharing.languages_of(partner)
            ),
        ]

    def target(self) -> Target:
        """Build the target from what is valid."""
        if not self.is_bound:
            return Target()
        self.is_valid()
        data = {name: value.strip() for name, value in self.cleaned_data.items() if isinstance(value, str)}
        tags = {name: value for name, value in data.items() if value and (name == "sub_id" or name.startswith("utm_"))}
        return Target(data.get("page", ""), data.get("language", ""), tags)


class WalletForm(AttributeForm):
    """The client record whose wallet gets this partner's payouts, typed by number."""

    client = forms.IntegerField(
        min_value=1, label=_("Client number"), help_text=_("The partner's own client record at the same brand")
    )


class PayoutTargetForm(forms.Form):
    """Where payouts go. The bank's fields are needed for a bank account only."""

    to = forms.ChoiceField(choices=[], label=_("Pay to"), required=False)
    iban = IbanField(label=_("IBAN"), required=False, help_text=_("For bank accounts only"))
    holder = forms.CharField(
        label=_("Account holder"), required=False, max_length=120, help_text=_("The account must be in your own name.")
    )

    def __init__(self, *args: Any, offers: list[Offer], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offers = {offer.destination.key: offer for offer in offers}
        to = self.fields["to"]
        assert isinstance(to, forms.ChoiceField)
        to.choices = [(key, offer.label) for key, offer in self.offers.items()]
        if not any(offer.destination.to == PayoutTo.BANK for offer in offers):
            del self.fields["iban"], self.fields["holder"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        offer = self.offers.get(cleaned.get("to") or PayoutTo.WALLET)
        if offer is None:
            return cleaned
        if offer.destination.to == PayoutTo.BANK:
            for name in ("iban", "holder"):
                if not cleaned.get(name) and name not in self.errors:
                    self.add_error(
                        name, _("Enter the account's IBAN.") if name == "iban" else _("Enter the account holder.")
                    )
        return cleaned

    @property
    def offer(self) -> Offer:
        return self.offers[self.cleaned_data.get("to") or PayoutTo.WALLET]

    @property
    def destination(self) -> Destination:
        chosen = self.offer.destination
        details = {name: self.cleaned_data[name] for name in ("iban", "holder")} if chosen.to == PayoutTo.BANK else {}
        return Destination(chosen.to, chosen.target, details)


class PayOutForm(PayoutTargetForm):
    """How much, and where to."""

    amount = forms.DecimalField(max_digits=18, decimal_places=8, min_value=Decimal("0.00000001"), label=_("Amount"))
    currency = forms.ChoiceField(choices=[], label=_("Currency"))
    request_key = forms.CharField(max_length=80, widget=forms.HiddenInput)

    def __init__(self, *args: Any, currencies: list[str], offers: list[Offer], **kwargs: Any) -> None:
        super().__init__(*args, offers=offers, **kwargs)
        currency = self.fields["currency"]
        assert isinstance(currency, forms.ChoiceField)
        currency.choices = [(code, code) for code in currencies]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        offer = self.offers.get(cleaned.get("to") or PayoutTo.WALLET)
        if offer is not None and offer.currency and offer.currency != cleaned.get("currency", offer.currency):
            self.add_error("to", _("This destination accepts %(currency)s only.") % {"currency": offer.currency})
        return cleaned


class MemberForm(forms.Form):
    """Somebody to invite into a partner's team."""

    name = forms.CharField(label=_("Name"), max_length=120)
    email = forms.EmailField(label=_("E-mail"), max_length=110)
    role = forms.ChoiceField(label=_("Role"), choices=TeamRole.choices, initial=TeamRole.READ_ONLY)


class TokenForm(forms.Form):
    """A partner's API token: what it reads, for how long, and from where."""

    name = forms.CharField(label=_("Name"), max_length=60, help_text=_("The program that uses it, e.g. “Reporting”."))
    scopes = forms.MultipleChoiceField(label=_("Scopes"), widget=forms.CheckboxSelectMultiple)
    days = forms.IntegerField(label=_("Valid for (days)"), min_value=1, max_value=DAYS_MAX, initial=90)
    networks = forms.CharField(
        label=_("Allowed addresses"),
        required=False,
        max_length=1000,
        help_text=_("IP addresses or networks, separated by commas. Empty: any address."),
    )

    def __init__(self, data: Any, *, scopes: Sequence[Scope]) -> None:
        super().__init__(data)
        choices: Any = self.fields["scopes"]
        choices.choices = [(scope.code, scope.label) for scope in scopes]

    def details(self) -> TokenDetails:
        """Give what was chosen."""
        values = self.cleaned_data
        networks = [part.strip() for part in values["networks"].split(",") if part.strip()]
        return TokenDetails(values["name"], values["scopes"], values["days"], networks)
