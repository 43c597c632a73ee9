"""Forms of custom fields: set-up of one, and the values of a record."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from django import forms
from django.conf import settings
from django.forms.boundfield import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.custom_fields.setup import LABEL_CHARS_MAX, FieldDetails
from clients.custom_fields.values import typed
from clients.models import CustomField, CustomFieldType
from clients.models.custom_fields import TEXT_CHARS_MAX
from crm.choices import Role
from crm.errors import outcome_of
from crm.i18n import formats
from crm.ui.forms import DayInput

LANGUAGES: Final = list(dict.fromkeys(code[:2] for code, _name in settings.LANGUAGES))


class LabelsForm(forms.Form):
    """A label in each language of the pages; the first is required."""

    def __init__(self, *args: Any, labels: Mapping[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for number, language in enumerate(LANGUAGES):
            self.fields[f"label_{language}"] = forms.CharField(
                label=_("Label (%(language)s)") % {"language": formats.locale().languages.get(language, language)},
                max_length=LABEL_CHARS_MAX,
                required=not number,
                initial=(labels or {}).get(language, ""),
            )
        self.order_fields([f"label_{language}" for language in LANGUAGES])

    def labels(self) -> dict[str, str]:
        return {language: self.cleaned_data[f"label_{language}"] for language in LANGUAGES}


class CustomFieldForm(LabelsForm):
    """What a field is. The key is entered once."""

    key = forms.CharField(
        label=gettext_lazy("Key"),
        max_length=40,
        help_text=gettext_lazy("Lower-case a–z, digits and underscores. It never changes."),
    )
    type = forms.ChoiceField(label=gettext_lazy("Type"), choices=CustomFieldType.choices)
    for_leads = forms.BooleanField(label=gettext_lazy("On leads"), required=False, initial=True)
    for_clients = forms.BooleanField(label=gettext_lazy("On clients"), required=False, initial=True)
    is_required = forms.BooleanField(label=gettext_lazy("Required"), required=False)
    is_personal = forms.BooleanField(
        label=gettext_lazy("Personal data"),
        required=False,
        help_text=gettext_lazy("Only for roles that see phone and e-mail in full."),
    )
    roles = forms.MultipleChoiceField(
        label=gettext_lazy("Visible to"),
        choices=Role.choices,
        required=False,
        help_text=gettext_lazy("Empty: everyone who may open the record."),
    )

    def __init__(self, *args: Any, field: CustomField | None = None, **kwargs: Any) -> None:
        names = ("type", "for_leads", "for_clients", "is_required", "is_personal", "roles")
        if field is not None:
            kwargs["initial"] = {name: getattr(field, name) for name in names}
        super().__init__(*args, labels=field.labels if field else None, **kwargs)
        if field is not None:
            del self.fields["key"]

    def details(self) -> FieldDetails:
        names = ("type", "for_leads", "for_clients", "is_required", "is_personal", "roles")
        return FieldDetails(labels=self.labels(), **{name: self.cleaned_data[name] for name in names})


class HasCustomFields(forms.Form):
    """A form with custom fields among its own, each as its type is entered. `required`: their ids; by default as the brand says."""

    custom: Sequence[CustomField] = ()

    def add_custom(
        self,
        rows: Iterable[CustomField],
        *,
        values: Mapping[int, Any] | None = None,
        required: Collection[int] | None = None,
    ) -> None:
        """Add the inputs of custom fields, below the form's own."""
        self.custom = list(rows)
        for row in self.custom:
            value = (values or {}).get(row.pk)
            made = INPUTS[CustomFieldType(row.type)](row, value)
            made.label, made.initial = row.label, value
            made.required = row.is_required if required is None else row.pk in required
            self.fields[f"custom_{row.pk}"] = made

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for row in self.custom:
            name = f"custom_{row.pk}"
            if name in data:
                checked = outcome_of(partial(typed, row, data[name]))
                if not checked:
                    self.add_error(name, checked.message)
        return data

    @property
    def custom_inputs(self) -> list[BoundField]:
        """List the custom fields for a template that lays the form's own out one by one."""
        return [self[f"custom_{row.pk}"] for row in self.custom]

    def values(self) -> dict[int, Any]:
        """Return what was entered by the field's id."""
        return {row.pk: self.cleaned_data[f"custom_{row.pk}"] for row in self.custom}

    def values_by_key(self) -> dict[str, Any]:
        """Take what was entered out of the cleaned data, by the field's key."""
        return {row.key: self.cleaned_data.pop(f"custom_{row.pk}") for row in self.custom}


class ValuesForm(HasCustomFields):
    """The custom fields of one record."""

    def __init__(self, *args: Any, custom: Iterable[CustomField], values: Mapping[int, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.add_custom(custom, values=values)


def _choices(row: CustomField, value: Any) -> list[tuple[str, str]]:
    """Offer the open choices, and an archived one where the record has it."""
    kept = [value] if isinstance(value, str) else value or []
    return [
        (choice.code, choice.label) for choice in row.choices.all() if choice.archived_at is None or choice.code in kept
    ]


def _flag_input(row: CustomField, value: Any) -> forms.Field:
    offered = [("", "–"), ("True", _("Yes")), ("False", _("No"))]
    return forms.TypedChoiceField(choices=offered, coerce=lambda text: text == "True", empty_value=None)


INPUTS: Final[dict[CustomFieldType, Callable[[CustomField, Any], forms.Field]]] = {
    CustomFieldType.TEXT: lambda row, value: forms.CharField(
        max_length=TEXT_CHARS_MAX, widget=forms.Textarea(attrs={"rows": 2})
    ),
    CustomFieldType.NUMBER: lambda row, value: forms.DecimalField(max_digits=19, decimal_places=6),
    CustomFieldType.MONEY: lambda row, value: forms.DecimalField(
        max_digits=15, decimal_places=2, help_text=row.brand.base_currency
    ),
    CustomFieldType.DATE: lambda row, value: forms.DateField(widget=DayInput()),
    CustomFieldType.YES_NO: _flag_input,
    CustomFieldType.CHOICE: lambda row, value: forms.ChoiceField(choices=[("", "–"), *_choices(row, value)]),
    CustomFieldType.CHOICES: lambda row, value: forms.MultipleChoiceField(choices=_choices(row, value)),
}
