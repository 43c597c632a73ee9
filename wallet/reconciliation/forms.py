"""Forms on a break: the posting, comments and resolution."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.ui.forms import DayInput
from wallet.choices.reconciliation import PostingWay
from wallet.core.file_forms import FileField
from wallet.models import Psp


class PostingForm(forms.Form):
    # What reached our own bank is proposed with the bank's entry, by a form of its own.
    way = forms.ChoiceField(
        label=_("Type of difference"),
        choices=[choice for choice in PostingWay.choices if choice[0] != PostingWay.OWN_BANK],
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


REPORT_BYTES_MAX = 1024 * 1024 * 1024


class ReportUploadForm(forms.Form):
    psp = forms.ModelChoiceField(queryset=Psp.objects.none(), label=_("PSP"))
    file = forms.FileField(label=_("Settlement report"))

    def __init__(self, *args: Any, psps: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["psp"].queryset = psps  # type: ignore[attr-defined]

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > REPORT_BYTES_MAX:
            raise forms.ValidationError(_("The file is larger than 1 GB. Ask the PSP for a shorter period."))
        return file


class ReportFetchForm(forms.Form):
    psp = forms.ModelChoiceField(queryset=Psp.objects.none(), label=_("PSP"))
    first = forms.DateField(label=_("From"), widget=DayInput())
    last = forms.DateField(label=pgettext_lazy("day", "To"), widget=DayInput())

    def __init__(self, *args: Any, psps: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "fetch_%s", **kwargs})  # the page has a PSP to choose twice
        self.fields["psp"].queryset = psps  # type: ignore[attr-defined]
