"""Forms on a break: what it is, what is said about it."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from wallet.forms_files import FileField
from wallet.reconciliation_choices import PostingWay


class PostingForm(forms.Form):
    way = forms.ChoiceField(label=_("What it is"), choices=PostingWay.choices)
    business_on = forms.DateField(label=_("Business day"), widget=forms.DateInput(attrs={"type": "date"}))
    reason = forms.CharField(label=_("Reason"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}))


class CommentForm(forms.Form):
    body = forms.CharField(
        label=_("Comment"), max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    file = FileField(label=_("File"), required=False)
