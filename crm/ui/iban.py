"""The form field of an IBAN, whose check digits find a slip of the pen before money goes there."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class IbanField(forms.CharField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=42, widget=forms.TextInput({"autocomplete": "off"}), **kwargs)

    def clean(self, value: Any) -> str:
        from schwifty import IBAN
        from schwifty.exceptions import SchwiftyException

        text = super().clean(value)
        if not text:
            return ""
        try:
            return str(IBAN(text))
        except (SchwiftyException, ValueError):
            raise forms.ValidationError(_("This isn't a valid IBAN: a character is wrong or missing."))
