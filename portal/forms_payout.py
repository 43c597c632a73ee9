"""Forms of money that leaves: how much, by which method, and where to."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from crm.money.numbers import is_whole
from crm.ui.iban import IbanField
from portal.forms_room import AmountField, KeyedForm
from wallet.withdrawals.payout_methods import PayoutMethod


class WithdrawForm(KeyedForm):
    """The destination's fields are those of the chosen method. They may stay empty where everything goes back to its
    sources: only the plan knows (`ask_for_destination`)."""

    currency = forms.ChoiceField(label=_("From wallet"), widget=forms.Select({"data-autosubmit-get": ""}))
    amount = AmountField()
    psp = forms.ChoiceField(label=_("Pay the rest to"))
    plan = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, currencies: list[str], methods: list[PayoutMethod], chosen: PayoutMethod | None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.chosen = chosen
        self.fields["currency"].choices = [(code, code) for code in currencies]  # type: ignore[attr-defined]
        self.fields["psp"].choices = [(method.key, method.label) for method in methods]  # type: ignore[attr-defined]
        self.destination_names = list(chosen.fields) if chosen else []
        for name in self.destination_names:
            self.fields[f"to_{name}"] = destination_field(name)

    @property
    def destination(self) -> dict[str, str]:
        return {
            name: self.cleaned_data[f"to_{name}"]
            for name in self.destination_names
            if self.cleaned_data.get(f"to_{name}")
        }

    @property
    def destination_bound(self) -> list[Any]:
        return [self[f"to_{name}"] for name in self.destination_names]

    def lacks_destination(self) -> bool:
        """Mark every field of the destination that is empty; True when there is one."""
        empty = [name for name in self.destination_names if not self.cleaned_data.get(f"to_{name}")]
        for name in empty:
            field = self.fields[f"to_{name}"]
            self.add_error(f"to_{name}", field.error_messages["required"])
        return bool(empty)


def destination_field(name: str) -> forms.Field:
    """Build the field for one thing that a method asks for when money goes out."""

    def text(label: Any, **more: Any) -> forms.CharField:
        widget = forms.TextInput({"autocomplete": "off"})
        return forms.CharField(label=label, max_length=120, required=False, widget=widget, **more)

    if name == "iban":
        return IbanField(label=_("IBAN"), required=False)
    if name == "card":
        hint = _("The card you paid with.")
        return CardField(label=_("Last four digits of the card"), help_text=hint, required=False)
    if name == "email":
        widget = forms.EmailInput({"autocomplete": "off"})
        return forms.EmailField(label=_("E-mail address of your account there"), required=False, widget=widget)
    if name == "holder":
        return text(_("Account holder"), help_text=_("The account must be in your own name."))
    if name == "address":
        return text(
            _("Wallet address"),
            help_text=_("Money sent to a wrong address is lost. Paste the address instead of typing it."),
        )
    labels = {
        "account": _("E-mail address or number of your account there"),
        "bic": _("BIC"),
        "bank": _("Bank"),
        "phone": _("Phone"),
        "account_number": _("Account number"),
        "sort_code": _("Sort code"),
    }
    return text(labels.get(name, name.replace("_", " ").capitalize()))


class CardField(forms.CharField):
    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput({"inputmode": "numeric", "autocomplete": "off"})
        super().__init__(max_length=9, min_length=4, widget=widget, **kwargs)

    def clean(self, value: Any) -> str:
        text = super().clean(value).removeprefix("•••• ")
        if not text:
            return ""
        if not is_whole(text):
            raise forms.ValidationError(_("Enter the last four digits only, never the full card number."))
        return f"•••• {text}"
