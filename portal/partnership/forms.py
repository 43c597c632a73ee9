"""The sign-in of a company's account, which a person who has an account opens for it."""

from __future__ import annotations

from typing import Any

from django import forms

from clients.models import Client
from crm.texts.wording import Wording
from portal.choices import ConsentKind
from portal.forms import RegistrationForm

OF_THE_PERSON = ("first_name", "last_name", "phone", "country", "date_of_birth", "referral_code")


class CompanyLoginForm(RegistrationForm):
    """An e-mail address and password of the company's own, and what it agrees to; who opens it is known."""

    prefix = "login"

    def __init__(self, data: Any = None, *, client: Client, texts: dict[ConsentKind, Wording]) -> None:
        super().__init__(data, brand=client.brand, texts=texts)
        for name in OF_THE_PERSON:
            del self.fields[name]

    def clean(self) -> dict[str, Any]:
        cleaned = forms.Form.clean(self) or {}
        self._check_password(cleaned)
        self._check_texts()
        return cleaned
