"""The editor of a text. What is typed stays whatever is wrong with it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clients.forms import moment_widget
from crm.models import Brand
from crm.texts.catalogue import DeclaredText, Text, TextKind
from crm.texts.checks import problems_of, tidied

NEEDS_REASON = ("publish", "default")
NEEDS_TEXT = ("publish", "test")


class TextForm(forms.Form):
    """`action`: what its button asks for. A preview or a draft may be unfinished; publishing and testing need a sound text."""

    heading = forms.CharField(required=False, strip=False)
    body = forms.CharField(
        label=_("Text"), required=False, strip=False, widget=forms.Textarea({"rows": 16, "data-text-body": ""})
    )
    client = forms.IntegerField(
        label=_("Preview for client no."),
        required=False,
        min_value=1,
        max_value=2**53,
        help_text=_("Leave empty for example values."),
        widget=forms.NumberInput({"inputmode": "numeric"}),
    )
    effective_at = forms.DateTimeField(
        label=_("Publish at"), required=False, widget=moment_widget(), help_text=_("Leave empty to publish now.")
    )
    must_accept = forms.BooleanField(
        label=_("Must be accepted again"),
        required=False,
        help_text=_(
            "Clients are asked at their next visit. Until they accept, they can only see and withdraw their money."
        ),
    )
    reason = forms.CharField(label=_("Reason for the change"), max_length=300, required=False)

    def __init__(self, *args: Any, declared: DeclaredText, brand: Brand, action: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.declared, self.brand, self.action = declared, brand, action
        self.fields["heading"].label = str(declared.kind.heading_label)
        if not declared.kind.heading_max:
            del self.fields["heading"]
        if declared.kind is not TextKind.LETTER:
            del self.fields["client"]
        if not declared.kind.is_accepted:
            del self.fields["must_accept"]
        self.fields["reason"].required = action in NEEDS_REASON

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.action in NEEDS_TEXT and not self.errors:
            for problem in problems_of(self.declared, self.text, self.brand):
                self.add_error(problem.field if problem.field in self.fields else "body", problem.message)
        return data

    @property
    def text(self) -> Text:
        return tidied(self.cleaned_data.get("heading", ""), self.cleaned_data.get("body", ""))
