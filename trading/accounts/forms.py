"""What people type in on trading's pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from trading.leverage import caps
from trading.models import TradingAccount
from trading.queries import Offer


class OpenAccountForm(forms.Form):
    """An account type that may be opened, and a leverage that it offers."""

    account_type = forms.ChoiceField(label=_("Account type"))
    leverage = forms.TypedChoiceField(label=_("Leverage"), coerce=int, required=False, empty_value=None)

    def __init__(self, *args: Any, offers: list[Offer], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        allowed = [offer.account_type for offer in offers if offer.decision]
        account_type, leverage = self.fields["account_type"], self.fields["leverage"]
        assert isinstance(account_type, forms.ChoiceField) and isinstance(leverage, forms.ChoiceField)
        account_type.choices = [(choice.pk, f"{choice} · {choice.server}") for choice in allowed]
        ladder = sorted({n for offer in offers if offer.decision for n in offer.ladder.steps})
        leverage.choices = [("", _("Account type default")), *((n, f"1:{n}") for n in ladder)]


class LeverageForm(forms.Form):
    leverage = forms.TypedChoiceField(label=_("Leverage"), coerce=int)

    def __init__(self, *args: Any, account: TradingAccount, ladder: caps.Ladder | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["leverage"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(n, f"1:{n}") for n in (ladder.steps if ladder else [account.leverage])]
        field.help_text = ladder.reason if ladder else ""
        field.initial = account.leverage


class WhyForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=300)


class AttachForm(forms.Form):
    """The login of an account that an attempt without an answer made, as somebody found it on the platform."""

    login = forms.CharField(
        label=_("Login on the platform"), max_length=32, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    reason = forms.CharField(label=_("Where you found it"), max_length=300)


class DecideForm(forms.Form):
    """What a person found out about an operation that the platform does not answer for."""

    ticket = forms.IntegerField(
        label=_("Platform ticket"),
        required=False,
        min_value=1,
        help_text=_("Leave empty if the operation never took place."),
    )
    reason = forms.CharField(label=_("Findings"), max_length=200)


class DecisionNoteForm(forms.Form):
    note = forms.CharField(label=_("Note"), max_length=200, required=False)


class CloseIssueForm(forms.Form):
    resolution = forms.CharField(label=_("Resolution"), max_length=300)
