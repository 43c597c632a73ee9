"""The forms of a merge: which record's value is kept, field by field."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients import policies
from clients.countries import country_name
from clients.custom_fields.registry import seen_by
from clients.custom_fields.values import shown as custom_shown
from clients.forms import ProfileForm
from clients.languages import language_name
from clients.merging import custom_values
from clients.merging.merge import FIELDS, fingerprint
from clients.models import Client
from crm.i18n import formats
from crm.models import User

KEPT, MERGED = "kept", "merged"
LABELS: Final = {"email": gettext_lazy("E-mail"), "phone": gettext_lazy("Phone"), **(ProfileForm.Meta.labels)}


@dataclass(frozen=True)
class Line:
    """A field in which two records differ. choice: the form's field; None where the reader may not change it."""

    name: str
    label: Any
    kept: str
    merged: str
    choice: Any = None


class MergeForm(forms.Form):
    """One choice per field in which the records differ; a blank value gives way to the other one."""

    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=300, required=False)
    seen = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, kept: Client, merged: Client, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lines: list[Line] = []
        shows_contacts = policies.sees_contacts(actor)
        for name in FIELDS:
            mine, theirs = getattr(kept, name), getattr(merged, name)
            if mine != theirs:
                shown = [_shown(name, value, shows_contacts=shows_contacts) for value in (mine, theirs)]
                may_change = bool(policies.can_change(actor, kept, [name]))
                self._add_line(name, LABELS[name], shown, is_blank=mine in ("", None), may_change=may_change)
        visible = {field.pk: field for field in seen_by(actor)}
        for pair in custom_values.differing(kept, merged):
            if pair.field.pk in visible:
                field = visible[pair.field.pk]
                shown = [custom_shown(field, value.value) for value in (pair.kept, pair.merged)]
                self._add_line(pair.name, field.label, shown, is_blank=False, may_change=True)
        self.seen_now = fingerprint(kept, merged)

    def _add_line(self, name: str, label: Any, shown: list[str], *, is_blank: bool, may_change: bool) -> None:
        if may_change:
            self.fields[f"take_{name}"] = forms.ChoiceField(
                label=label, choices=[(KEPT, shown[0]), (MERGED, shown[1])], initial=MERGED if is_blank else KEPT
            )
        choice = self[f"take_{name}"] if may_change else None
        self.lines.append(Line(name, label, shown[0], shown[1], choice))

    def taken(self) -> Collection[str]:
        """Name the fields whose value is the merged record's."""
        return {line.name for line in self.lines if line.choice and self.cleaned_data[f"take_{line.name}"] == MERGED}


class UndoForm(forms.Form):
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}))


def _shown(name: str, value: Any, *, shows_contacts: bool) -> str:
    if value in ("", None):
        return ""
    if name == "email" and not shows_contacts:
        return formats.mask_email(value)
    if name == "phone" and not shows_contacts:
        return formats.mask_phone(value)
    if name in ("country", "nationality"):
        return str(country_name(value))
    if name == "language":
        return str(language_name(value))
    if name == "date_of_birth":
        return formats.day(value)
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    return str(value)
