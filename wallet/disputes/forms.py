"""Forms of disputes and refunds."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from wallet.disputes.evidence import TEXT_MAX


class RefundForm(forms.Form):
    """How much of a deposit is refunded, and why."""

    request_key = forms.CharField(max_length=60, widget=forms.HiddenInput)
    amount = forms.DecimalField(
        label=_("Amount"), max_digits=18, decimal_places=8, widget=forms.TextInput({"inputmode": "decimal"})
    )
    reason = forms.CharField(label=_("Reason"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}))


class EvidenceForm(forms.Form):
    text = forms.CharField(
        label=_("Our statement"),
        max_length=TEXT_MAX,
        required=False,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("Write in English for the payer's bank."),
    )
