"""Forms on a break: what it is, what is said about it."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from crm.ui.forms import DayInput
from wallet.forms_files import FileField
from wallet.reconciliation_choices import PostingWay


class PostingForm(forms.Form):
    # What reached our own bank is proposed with the bank's entry, by a form of its own.
    way = forms.ChoiceField(
        label=_("What it is"), choices=[one for one in PostingWay.choices if one[0] != PostingWay.OWN_BANK]
    )
    business_on = forms.DateField(label=_("Business day"), widget=DayInput())
    reason = forms.CharField(label=_("Reason"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}))


class OwnBankForm(forms.Form):
    """Which booking at the bank it is; the page offers those that fit."""

    entry = forms.IntegerField(widget=forms.HiddenInput)
    business_on = forms.DateField(label=_("Business day"), widget=DayInput())
    reason = forms.CharField(label=_("Reason"), max_length=300)


class CommentForm(forms.Form):
    body = forms.CharField(
        label=_("Comment"), max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    file = FileField(label=_("File"), required=False)
